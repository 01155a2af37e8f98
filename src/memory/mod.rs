//! What a run remembers of the runs before it: the state file is the tail of an earlier series of looks. Pure, but for
//! [`store`].

pub mod restarts;
pub mod store;
#[cfg(test)]
mod tests;

use crate::judge::{Check, Manner, Sighting, State, Verdict};
use crate::snapshot::Clocks;
use restarts::Restarts;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// A process: PID and start time. The boot is the file's.
pub type Identity = (i32, u64);

/// The state file. All instants are seconds of CLOCK_BOOTTIME, but for those of [`Clocks`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// The boot that it tells of.
    pub boot_id: Option<String>,
    /// The clocks of the last two looks, the later one last.
    #[serde(default)]
    pub samples: Vec<Clocks>,
    /// By name.
    #[serde(default)]
    pub checks: BTreeMap<String, Recollection>,
}

/// What is remembered of one check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recollection {
    /// What it selected; another selector under the same name is another check.
    pub select: String,
    /// The last runs, the latest last.
    #[serde(default)]
    pub runs: Vec<Run>,
    /// The processes that matched in the last run.
    #[serde(default)]
    pub matched: Vec<Identity>,
    /// When one of them was replaced by another.
    #[serde(default)]
    pub replaced: Vec<u64>,
    /// What matched in every look since then, and no pause between two of them was long.
    #[serde(default)]
    pub since: Vec<(Identity, u64)>,
}

/// One run of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// When.
    pub at: u64,
    /// Whether it passed only when it was looked at again.
    pub rechecked: bool,
    /// Whether it failed.
    pub failed: bool,
}

/// For how long something must go on before it is a warning, and a critical one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// A warning.
    pub warning: Duration,
    /// Critical.
    pub critical: Duration,
}

/// So many runs are remembered.
const RUNS: usize = 10;
/// A check that matches more is about workers, and workers come and go.
const FEW: usize = 64;
/// Replacements are remembered for a day, and no more of them than a crash loop makes.
const DAY: u64 = 86_400;
const REPLACEMENTS: usize = 1000;
/// A longer pause between two runs says nothing about what went on meanwhile.
const LONGEST_PAUSE: u64 = 900;

impl Memory {
    /// What is remembered of a check, if it is still the same one.
    #[must_use]
    pub fn of(&self, check: &Check) -> Option<&Recollection> {
        self.checks
            .get(&check.name)
            .filter(|known| known.select == check.selector.text)
    }

    /// Marks the processes that an earlier run found already: they need no second look.
    pub fn recognise(&self, check: &Check, verdict: &mut Verdict) {
        let failed = |known: &&Recollection| known.runs.last().is_some_and(|run| run.failed);
        let Some(known) = self.of(check).filter(failed) else {
            return;
        };
        for seen in &mut verdict.sightings {
            seen.known_before = known.matched.contains(&identity(seen));
        }
    }

    /// Notes what came of a check.
    pub fn note(&mut self, check: &Check, verdict: &Verdict, now: u64) {
        let known = self.checks.entry(check.name.clone()).or_default();
        if known.select != check.selector.text {
            *known = Recollection {
                select: check.selector.text.clone(),
                ..Recollection::default()
            };
        }
        known.note(verdict, now);
    }
}

impl Recollection {
    fn note(&mut self, verdict: &Verdict, now: u64) {
        let matched: Vec<Identity> = verdict.sightings.iter().map(identity).collect();
        let continued = self
            .runs
            .last()
            .is_some_and(|run| now.saturating_sub(run.at) <= LONGEST_PAUSE);
        let before = |id: &Identity| {
            let known = self.since.iter().find(|(known, _)| known == id);
            known.filter(|_| continued).map_or(now, |(_, since)| *since)
        };
        self.since = matched.iter().map(|id| (*id, before(id))).collect();
        let gone = self.matched.iter().filter(|id| !matched.contains(id)).count();
        let new = matched.iter().filter(|id| !self.matched.contains(id)).count();
        let few = self.matched.len() <= FEW && matched.len() <= FEW;
        if few {
            self.replaced.extend(std::iter::repeat_n(now, gone.min(new)));
        }
        self.replaced.retain(|at| now.saturating_sub(*at) <= DAY);
        let surplus = self.replaced.len().saturating_sub(REPLACEMENTS);
        self.replaced.drain(..surplus);
        // What is missing for a moment was not replaced by nothing: the ones before are what the next are compared with.
        if !matched.is_empty() {
            self.matched = matched;
        }
        self.runs.push(Run {
            at: now,
            rechecked: verdict.state == State::Ok && verdict.rechecked,
            failed: matches!(verdict.state, State::Warning | State::Critical),
        });
        let surplus = self.runs.len().saturating_sub(RUNS);
        self.runs.drain(..surplus);
    }

    /// Judges what goes on for long, and what passes only because it is looked at again.
    pub fn settle(&self, check: &Check, verdict: &mut Verdict, now: u64) {
        if let Some(patience) = check.patience {
            self.be_patient(patience, verdict, now);
        }
        if verdict.state == State::Ok
            && let Some(story) = self.restarts(check.restarts, now)
        {
            verdict.state = State::Warning;
            verdict.manner = Manner::Restarting;
            verdict.story.push(story);
        }
    }

    fn be_patient(&self, patience: Patience, verdict: &mut Verdict, now: u64) {
        if !matches!(verdict.state, State::Warning | State::Critical) {
            return;
        }
        let lasted = self.lasts(now).unwrap_or_default();
        (verdict.state, verdict.manner) = match lasted {
            lasted if lasted >= patience.critical => (State::Critical, verdict.manner),
            lasted if lasted >= patience.warning => (State::Warning, verdict.manner),
            _ => (State::Ok, Manner::Fine),
        };
        verdict.story.push(match lasted.as_secs() {
            0..60 => format!(
                "just begun; a warning after {} min",
                patience.warning.as_secs() / 60
            ),
            seconds => format!("in every look for {} min", seconds / 60),
        });
    }

    /// How long the longest of these goes on already.
    #[must_use]
    pub fn lasts(&self, now: u64) -> Option<Duration> {
        let oldest = self.since.iter().map(|(_, since)| *since).min()?;
        Some(Duration::from_secs(now.saturating_sub(oldest)))
    }

    /// Why a check that passes is to be warned of: it does so again and again.
    #[must_use]
    pub fn restarts(&self, limit: Option<Restarts>, now: u64) -> Option<String> {
        let within = |span: Duration| {
            let young = |at: &&u64| now.saturating_sub(**at) <= span.as_secs();
            self.replaced.iter().filter(young).count()
        };
        if let Some(limit) = limit {
            let count = within(limit.per);
            return (count > limit.count).then(|| format!("restarting: {count} times in {}", limit.span()));
        }
        let rechecked = self.runs.iter().filter(|run| run.rechecked).count();
        if rechecked < OFTEN {
            return None;
        }
        let runs = self.runs.len();
        let hour = Restarts::HOUR;
        Some(match within(hour.per) {
            0 => format!("restarting: it needed a second look in {rechecked} of the last {runs} runs"),
            count => format!("restarting: {count} times in {}", hour.span()),
        })
    }
}

/// So many of the last runs are no accident.
const OFTEN: usize = 3;

fn identity(seen: &Sighting) -> Identity {
    (seen.pid, seen.start)
}
