//! What the looks of one run showed of one check: when it wants to be looked at next, and what became of it.
//!
//! A look is one snapshot, judged. Looking again is one mechanism with three uses: a scan of `/proc` is not atomic, so
//! nothing fails on one look; a restart is ridden out by looking until the check passes or its window ends; and what
//! must not run is confirmed, so that a program that is gone at once is no finding, while one that is started anew
//! again and again is.

mod story;
#[cfg(test)]
mod tests;

use super::verdict::{Manner, Sighting, Verdict};
use super::{Check, State};
use crate::select::Key;
use std::time::Duration;
pub use story::Earlier;

/// The second look: later than any exec takes, sooner than anybody notices.
const SECOND_LOOK: Duration = Duration::from_millis(20);
/// The longest pause between two looks.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// What can't be told because it changes under our eyes is given at least this long.
const SETTLING: Duration = Duration::from_millis(300);
/// A program that must not run is a finding if it runs after this time too, be it started anew meanwhile.
const CONFIRMATION: Duration = Duration::from_secs(1);
/// A finding about credentials needs the same process after this time: half-started children have their parent's ids
/// for a moment, and 646 passes through storms of restarts showed that nothing shorter will do.
const CONFIRMATION_OF_IDS: Duration = Duration::from_secs(3);
/// A program that is there in so many looks, and each time as another process, hides behind that.
const MANY: u32 = 8;
/// The pause between these.
const MANY_PAUSE: Duration = Duration::from_millis(150);
/// How often a forbidden program that went away is looked for.
const WATCH: Duration = Duration::from_millis(100);

/// The looks at one check, in the order of time.
#[derive(Clone, Debug, Default)]
pub struct History {
    looks: Vec<Look>,
}

#[derive(Clone, Debug)]
struct Look {
    /// Since the run began.
    at: Duration,
    state: State,
    manner: Manner,
    passing: bool,
    awaits: bool,
    sightings: Vec<Sighting>,
}

impl History {
    /// Notes a look, at a time since the run began.
    pub fn add(&mut self, at: Duration, verdict: &Verdict) {
        self.looks.push(Look {
            at,
            state: verdict.state,
            manner: verdict.manner,
            passing: verdict.passing,
            awaits: verdict.awaits,
            sightings: verdict.sightings.clone(),
        });
    }

    /// How often it was looked at.
    #[must_use]
    pub fn looks(&self) -> usize {
        self.looks.len()
    }

    /// When it was looked at first.
    #[must_use]
    pub fn began(&self) -> Option<Duration> {
        self.looks.first().map(|look| look.at)
    }

    /// When it was looked at last.
    #[must_use]
    pub fn ended(&self) -> Option<Duration> {
        self.looks.last().map(|look| look.at)
    }

    /// The time between its first look and its last.
    #[must_use]
    pub fn lasted(&self) -> Duration {
        let ends = self.looks.first().zip(self.looks.last());
        ends.map_or(Duration::ZERO, |(first, last)| last.at.saturating_sub(first.at))
    }

    /// Whether a look at `now` is the last that a failing check is given.
    #[must_use]
    pub fn ends_by(&self, now: Duration, window: Duration) -> bool {
        self.looks
            .first()
            .is_none_or(|first| now >= first.at + window.max(SECOND_LOOK))
    }

    /// When to look next, since the run began; `None` where the last look decides. `window`: for how long a check may
    /// fail before that counts.
    #[must_use]
    pub fn next_look(&self, check: &Check, window: Duration) -> Option<Duration> {
        let (first, last) = (self.looks.first()?, self.looks.last()?);
        if last.awaits && last.at < first.at + check.pace.window {
            return Some(first.at + check.pace.window);
        }
        if check.count.forbids() && is_rate(check) {
            return self.next_sample(check, first, last);
        }
        if check.count.forbids() {
            return self.next_confirmation(check, first, last);
        }
        let end = match last.state {
            State::Ok => return None,
            State::Unknown if !last.passing => return None,
            State::Unknown => first.at + window.max(SETTLING),
            State::Warning | State::Critical => first.at + window.max(SECOND_LOOK),
        };
        (last.at < end).then(|| (last.at + self.pause()).min(end))
    }

    /// 20 ms, and twice as long each time.
    fn pause(&self) -> Duration {
        let doublings = u32::try_from(self.looks.len() - 1).unwrap_or(u32::MAX).min(10);
        (SECOND_LOOK * 2u32.pow(doublings)).min(LONGEST_PAUSE)
    }

    fn next_confirmation(&self, check: &Check, first: &Look, last: &Look) -> Option<Duration> {
        let (found, hold) = (self.first_finding(), hold(check));
        let Some(found) = found else {
            // Nothing is known of whatever the first look saw: it is looked at more closely.
            return match last.state {
                State::Ok => None,
                State::Unknown if !last.passing => None,
                _ => {
                    let next = last.at + self.pause();
                    (next <= first.at + hold).then_some(next)
                }
            };
        };
        // A process is the one that was seen, or another one, which the next run will see.
        let end = found + if by_process(check) { hold } else { 2 * hold };
        if self.is_confirmed(check) {
            return None;
        }
        if last.at >= end {
            return self.next_of_many(check, last, end);
        }
        if !last.sightings.is_empty() {
            let oldest = last
                .sightings
                .iter()
                .filter_map(|seen| self.first_seen(|other| is_same(check, seen, other)))
                .min();
            return Some(
                oldest
                    .map_or(end, |at| at + hold)
                    .max(last.at + SECOND_LOOK)
                    .min(end),
            );
        }
        // A process that is gone has no ids; a program may be started anew.
        (!by_process(check)).then(|| (last.at + WATCH).min(end))
    }

    /// Another process than the one that was seen: one that is half started comes and goes, and one that forks and ends,
    /// so as not to be the same, is there whenever we look, be it as one program or as another.
    fn next_of_many(&self, check: &Check, last: &Look, end: Duration) -> Option<Duration> {
        // The first look may tell that there is something, and not what.
        let mut found = self.looks.iter().skip_while(|look| look.sightings.is_empty());
        let always = found.all(|look| !look.sightings.is_empty());
        (may_be_many(check) && always && last.at < end + MANY_PAUSE * MANY).then(|| last.at + MANY_PAUSE)
    }

    /// Whether so many looks in a row found something, whichever process it was: none of them saw what is wanted.
    fn is_never_gone(&self, check: &Check) -> bool {
        let looks = self.looks.iter().rev();
        let found = looks.take_while(|look| !look.sightings.is_empty()).count();
        may_be_many(check) && found > MANY as usize
    }

    /// A rate is over a window already, so one look decides, unless it must last.
    fn next_sample(&self, check: &Check, first: &Look, last: &Look) -> Option<Duration> {
        if last.state == State::Unknown && last.passing && self.looks.len() < 3 {
            return Some(last.at + SECOND_LOOK);
        }
        // What began later than with the first rate is for the next run.
        let end = first.at + check.pace.window + check.pace.lasting;
        let open = last.at < end && !last.sightings.is_empty() && !self.is_confirmed(check);
        open.then(|| last.at + check.pace.window)
    }

    /// For how long this process, or those in whose place it was started, was a finding in every look; the time before
    /// the first of them, of which its rate tells, included.
    fn lasts(&self, seen: &Sighting) -> Duration {
        let Some((last, before)) = self.looks.split_last() else {
            return Duration::ZERO;
        };
        let (mut first, mut at) = (seen, last.at);
        for look in before.iter().rev() {
            let ago = at.saturating_sub(look.at);
            let same = look.sightings.iter().find(|earlier| first.is(earlier));
            let earlier = same.or_else(|| {
                let mut all = look.sightings.iter();
                all.find(|earlier| first.succeeds(earlier, ago))
            });
            let Some(earlier) = earlier else { break };
            (first, at) = (earlier, look.at);
        }
        last.at.saturating_sub(at) + first.span
    }

    fn first_finding(&self) -> Option<Duration> {
        self.looks
            .iter()
            .find(|look| !look.sightings.is_empty())
            .map(|look| look.at)
    }

    /// When it was seen for the first time.
    fn first_seen(&self, wanted: impl Fn(&Sighting) -> bool) -> Option<Duration> {
        let first = self.looks.iter().find(|look| look.shows(&wanted));
        first.map(|look| look.at)
    }

    fn is_confirmed(&self, check: &Check) -> bool {
        let Some(last) = self.looks.last() else {
            return false;
        };
        if is_rate(check) {
            return last.shows(|seen| self.lasts(seen) >= check.pace.lasting);
        }
        // Seen twice, gone in between: somebody starts it again and again.
        let anew = |seen: &Sighting| !by_process(check) && self.was_started_anew(check, seen);
        self.is_never_gone(check) || last.shows(|seen| self.is_known(check, seen) || anew(seen))
    }

    /// Whether the last look saw it after the time that it takes to confirm a finding.
    fn is_known(&self, check: &Check, seen: &Sighting) -> bool {
        seen.known_before || self.is_held(check, |other| is_same(check, seen, other))
    }

    fn is_held(&self, check: &Check, wanted: impl Fn(&Sighting) -> bool) -> bool {
        let ends = self.first_seen(wanted).zip(self.looks.last());
        ends.is_some_and(|(first, last)| last.at >= first + hold(check))
    }

    fn was_started_anew(&self, check: &Check, seen: &Sighting) -> bool {
        let mut gone = false;
        for look in self.looks.iter().rev().skip(1) {
            let there = look.shows(|other| is_same(check, seen, other));
            if there && gone {
                return true;
            }
            gone |= !there;
        }
        false
    }

    /// Takes back what was not confirmed: a process that had the wrong ids for a moment is no finding, nor is one that
    /// was busy for less long than is asked for.
    pub fn settle(&self, check: &Check, verdict: &mut Verdict) {
        let failing = matches!(verdict.state, State::Warning | State::Critical);
        if !failing || !check.count.forbids() {
            return;
        }
        let gone = if is_rate(check) {
            verdict.retain(|seen| self.lasts(seen) >= check.pace.lasting)
        } else if check.confirm.is_some() {
            verdict.retain(|seen| self.is_known(check, seen))
        } else if !by_process(check) || self.is_confirmed(check) {
            self.name_who_stays(check, verdict);
            0
        } else {
            verdict.evidence.clear();
            verdict.pass();
            std::mem::take(&mut verdict.matched)
        };
        if gone > 0 {
            let count = if gone == 1 {
                "1 process".to_owned()
            } else {
                format!("{gone} processes")
            };
            verdict.left_out.push(format!(
                "{count} that matched for less than {}",
                seconds(hold(check).max(check.pace.lasting))
            ));
        }
        if is_rate(check) && !check.pace.lasting.is_zero() {
            verdict.note_durations(|seen| Some(self.lasts(seen)));
        }
    }

    /// Leaves to the details who comes and goes, for the first line must not move with them. It names the processes that
    /// are there all the time; else, where programs are asked for, those that every look found; else nobody.
    fn name_who_stays(&self, check: &Check, verdict: &mut Verdict) {
        if verdict.sightings.is_empty() {
            return;
        }
        let found = || self.looks.iter().filter(|look| !look.sightings.is_empty());
        let is_process = |seen: &Sighting| seen.known_before || self.is_held(check, |other| seen.is(other));
        let is_program = |seen: &Sighting| found().all(|look| look.shows(|other| seen.runs_as(other)));
        let mut stay = pids(&verdict.sightings, is_process);
        if stay.is_empty() && by_process(check) {
            let looks = found().count();
            verdict
                .story
                .push(format!("another process at each of {looks} looks"));
        } else if stay.is_empty() {
            stay = pids(&verdict.sightings, is_program);
        }
        for evidence in &mut verdict.evidence {
            evidence.lesser = !stay.contains(&evidence.pid);
        }
    }

    /// Makes UNKNOWN of the last look at a check that wants another one: the run ends before it.
    pub fn leave_open(&self, verdict: &mut Verdict) {
        let (Some(first), Some(last)) = (self.looks.first(), self.looks.last()) else {
            return;
        };
        verdict.reasons.push(format!(
            "{} when last looked at, and not decided after {}",
            last.manner.word(),
            seconds(last.at.saturating_sub(first.at))
        ));
        verdict.state = State::Unknown;
        verdict.manner = Manner::Unseen;
    }
}

impl Look {
    fn shows(&self, wanted: impl Fn(&Sighting) -> bool) -> bool {
        self.sightings.iter().any(wanted)
    }
}

fn pids(sightings: &[Sighting], wanted: impl Fn(&Sighting) -> bool) -> Vec<i32> {
    let wanted = sightings.iter().filter(|seen| wanted(seen));
    wanted.map(|seen| seen.pid).collect()
}

/// Whether two sightings are the same finding.
fn is_same(check: &Check, one: &Sighting, other: &Sighting) -> bool {
    one.is(other) || (!by_process(check) && one.runs_as(other))
}

fn hold(check: &Check) -> Duration {
    check.confirm.unwrap_or(if is_about_ids(check) {
        CONFIRMATION_OF_IDS
    } else {
        CONFIRMATION
    })
}

/// Whether a finding is one process, and not a program whichever process runs it: where the check names none, or
/// asks for a state that processes pass through.
fn by_process(check: &Check) -> bool {
    let mut terms = check.selector.terms.iter();
    check.confirm.is_some()
        || is_rate(check)
        || !names_a_program(check)
        || terms.any(|term| term.key == Key::State)
}

/// Whether a finding may be many processes one after the other. Of a state that processes pass through there is always
/// another one.
fn may_be_many(check: &Check) -> bool {
    let mut terms = check.selector.terms.iter();
    let states = terms.any(|term| term.key == Key::State && !term.op.negated());
    by_process(check) && check.confirm.is_none() && !is_rate(check) && !states
}

/// Whether a check asks for a rate.
fn is_rate(check: &Check) -> bool {
    check.selector.terms.iter().any(|term| term.key.is_rate())
}

/// Whether a check asks who a process is, and not which program.
fn is_about_ids(check: &Check) -> bool {
    let mut terms = check.selector.terms.iter();
    !names_a_program(check) && terms.any(|term| term.key.is_credential())
}

fn names_a_program(check: &Check) -> bool {
    let mut terms = check.selector.terms.iter().filter(|term| !term.op.negated());
    terms.any(|term| {
        matches!(
            term.key,
            Key::Name | Key::Comm | Key::Exe | Key::Script | Key::Arg | Key::Cmdline | Key::Unit
        )
    })
}

/// `0.4 s`, `5 s`.
#[must_use]
pub fn seconds(span: Duration) -> String {
    let tenths = (span.as_millis() + 50) / 100;
    if tenths.is_multiple_of(10) {
        format!("{} s", tenths / 10)
    } else {
        format!("{}.{} s", tenths / 10, tenths % 10)
    }
}
