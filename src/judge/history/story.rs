//! What the looks of a run, and the last run before it, tell of a verdict: which process was replaced by which.

use super::{History, LONGEST_PAUSE, Look, seconds};
use crate::judge::{Check, Manner, Sighting, State, Verdict};
use std::time::Duration;

/// So many processes are named.
const TOLD: usize = 3;

/// The processes that matched when an earlier run saw any.
#[derive(Clone, Debug, Default)]
pub struct Earlier {
    /// PID and start time of each.
    pub processes: Vec<(i32, u64)>,
    /// How long ago that was.
    pub ago: Option<Duration>,
}

impl Earlier {
    fn knows(&self, seen: &Sighting) -> bool {
        self.processes.contains(&(seen.pid, seen.start))
    }
}

impl Look {
    /// Whether it was not as wanted: where a rate was not known yet, it may have been.
    fn failed(&self) -> bool {
        self.state != State::Ok && !self.awaits
    }
}

impl History {
    /// Tells, of the verdict of the last look, what the looks before it add.
    pub fn tell(&self, check: &Check, verdict: &mut Verdict, earlier: &Earlier) {
        let (Some(first), Some(last)) = (self.looks.first(), self.looks.last()) else {
            return;
        };
        let lasted = last.at.saturating_sub(first.at);
        verdict.looks = self.looks.len();
        verdict.rechecked = self.looks.len() > 1 && matches!(first.state, State::Warning | State::Critical);
        let story = match verdict.state {
            State::Ok if check.count.forbids() => self.moment(),
            State::Ok => self.recovery(last, lasted, earlier),
            State::Warning | State::Critical if check.count.forbids() => None,
            State::Warning | State::Critical => self.persistence(last, verdict.manner, lasted, earlier),
            State::Unknown => None,
        };
        verdict.story.extend(story);
    }

    /// What must not run, and did for a moment.
    fn moment(&self) -> Option<String> {
        self.looks.iter().find(|look| look.failed())?;
        let look = self.looks.iter().rev().find(|look| !look.sightings.is_empty())?;
        let seen = look.sightings.first()?;
        Some(format!("seen for a moment only (pid {})", seen.pid))
    }

    /// What a check that passes went through before.
    fn recovery(&self, last: &Look, lasted: Duration, earlier: &Earlier) -> Option<String> {
        let failed = self.looks.iter().find(|look| look.failed());
        let change = Change::between(earlier, failed, last);
        let Some(failed) = failed else {
            return change.replacement();
        };
        let how = format!("{} for {}", failed.manner.word(), seconds(lasted));
        Some(match failed.manner {
            Manner::TooMany => match change.generations(last) {
                Some(pids) => format!("two generations overlapped for {} (pid {pids})", seconds(lasted)),
                None => format!("{how}{}", change.loss()),
            },
            _ => match change.replacement().or_else(|| change.arrival()) {
                Some(change) => format!("{how}; {change}"),
                None => how,
            },
        })
    }

    /// For how long a check that fails has failed, and who is gone.
    fn persistence(
        &self,
        last: &Look,
        manner: Manner,
        lasted: Duration,
        earlier: &Earlier,
    ) -> Option<String> {
        let how = (lasted >= LONGEST_PAUSE).then(|| {
            if self.looks.iter().all(|look| look.manner == manner) {
                format!("{} for the whole {}", manner.word(), seconds(lasted))
            } else {
                let (lasted, now) = (seconds(lasted), manner.word());
                format!("not as wanted for the whole {lasted}, now {now}")
            }
        });
        let who = match manner {
            Manner::TooMany => overlap(last, lasted),
            Manner::Missing | Manner::TooFew => lost(last, earlier),
            _ => None,
        };
        let parts: Vec<String> = how.into_iter().chain(who).collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// An old process and one that was started while the check failed.
fn overlap(last: &Look, lasted: Duration) -> Option<String> {
    let aged = last
        .sightings
        .iter()
        .filter_map(|seen| Some((seen.age?, seen.pid)));
    let mut ages: Vec<(Duration, i32)> = aged.collect();
    ages.sort_unstable();
    let ((young, new), (old, older)) = (*ages.first()?, *ages.last()?);
    let apart = young <= lasted + LONGEST_PAUSE && old > young + LONGEST_PAUSE;
    (apart && lasted >= LONGEST_PAUSE).then(|| {
        let since = seconds(young);
        format!("two generations overlapping (pid {older}, and pid {new} since {since})")
    })
}

/// Whether a process, told by PID and start time, is among these.
fn shows(sightings: &[Sighting], id: (i32, u64)) -> bool {
    sightings.iter().any(|seen| (seen.pid, seen.start) == id)
}

/// The processes of the last run that are there no more.
fn lost(last: &Look, earlier: &Earlier) -> Option<String> {
    let gone: Vec<i32> = earlier
        .processes
        .iter()
        .filter(|known| !shows(&last.sightings, **known))
        .map(|(pid, _)| *pid)
        .collect();
    let ago = earlier.ago?;
    (!gone.is_empty()).then(|| format!("last seen as pid {}, {} ago", pids(&gone), long(ago)))
}

/// Which processes came and went, up to the last look.
struct Change<'a> {
    gone: Vec<i32>,
    new: Vec<&'a Sighting>,
    /// Since when those that went had been there.
    oldest: Option<Duration>,
}

impl<'a> Change<'a> {
    fn between(earlier: &Earlier, failed: Option<&Look>, last: &'a Look) -> Change<'a> {
        let before: &[Sighting] = failed.map_or(&[], |look| &look.sightings);
        let ids = before.iter().map(|seen| (seen.pid, seen.start));
        let mut all: Vec<(i32, u64)> = earlier.processes.iter().copied().chain(ids).collect();
        all.sort_unstable();
        all.dedup();
        let gone = all.iter().filter(|id| !shows(&last.sightings, **id));
        // Without an earlier run only those are new of which the first look of this one knew nothing.
        let known = |seen: &Sighting| match earlier.processes.as_slice() {
            [] => shows(before, (seen.pid, seen.start)) || failed.is_none(),
            _ => earlier.knows(seen),
        };
        let went = before
            .iter()
            .filter(|seen| !shows(&last.sightings, (seen.pid, seen.start)));
        Change {
            gone: gone.map(|(pid, _)| *pid).collect(),
            new: last.sightings.iter().filter(|seen| !known(seen)).collect(),
            oldest: went.filter_map(|seen| seen.age).max(),
        }
    }

    fn youngest(&self) -> Option<(Duration, i32)> {
        let aged = self.new.iter().filter_map(|seen| Some((seen.age?, seen.pid)));
        aged.min()
    }

    /// `replaced 1.2 s ago (pid 812 → 970)`
    fn replacement(&self) -> Option<String> {
        let (age, _) = self.youngest()?;
        let few = self.gone.len() <= TOLD && self.new.len() <= TOLD;
        (few && !self.gone.is_empty()).then(|| {
            let new: Vec<i32> = self.new.iter().map(|seen| seen.pid).collect();
            format!(
                "replaced {} ago (pid {} → {})",
                long(age),
                pids(&self.gone),
                pids(&new)
            )
        })
    }

    /// `pid 970 started 0.3 s ago`
    fn arrival(&self) -> Option<String> {
        let (age, pid) = self.youngest()?;
        Some(format!("pid {pid} started {} ago", long(age)))
    }

    /// The old process and the one that stays, if the older one went: a reload, not a passing second one.
    fn generations(&self, last: &Look) -> Option<String> {
        let stays = last.sightings.iter();
        let (age, pid) = stays.filter_map(|seen| Some((seen.age?, seen.pid))).min()?;
        (self.oldest? > age && !self.gone.is_empty()).then(|| format!("{} → {pid}", pids(&self.gone)))
    }

    fn loss(&self) -> String {
        match self.gone.as_slice() {
            [] => String::new(),
            gone => format!(" (pid {} is gone)", pids(gone)),
        }
    }
}

fn pids(all: &[i32]) -> String {
    let told: Vec<String> = all.iter().take(TOLD).map(ToString::to_string).collect();
    match all.len().saturating_sub(TOLD) {
        0 => told.join(", "),
        more => format!("{} and {more} more", told.join(", ")),
    }
}

/// `1.2 s`, `12 min`, `3 h`.
fn long(span: Duration) -> String {
    match span.as_secs() {
        0..60 => seconds(span),
        whole @ 60..7200 => format!("{} min", whole / 60),
        whole => format!("{} h", whole / 3600),
    }
}
