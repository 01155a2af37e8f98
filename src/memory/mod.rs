//! What a run remembers of the runs before it: the state file is the tail of an earlier series of looks. Pure, but for
//! [`store`].

mod lock;
pub mod patience;
pub mod restarts;
pub mod store;
#[cfg(test)]
mod tests;
pub mod totals;

use crate::judge::{Check, Earlier, Manner, Sighting, State, Verdict};
use crate::snapshot::Clocks;
pub use patience::Patience;
use restarts::Restarts;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use totals::{Counters, Totals};

/// A process: PID and start time. The boot is the file's.
pub type Identity = (i32, u64);

/// The state file. All instants are seconds of CLOCK_BOOTTIME, but for those of [`Clocks`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// The boot and the namespaces that it tells of.
    pub view: Option<String>,
    /// The clocks of the last two looks, the later one last.
    #[serde(default)]
    pub samples: Vec<Clocks>,
    /// By name and selector: another selector under the same name is another check.
    #[serde(default)]
    pub checks: BTreeMap<String, Recollection>,
}

/// What is remembered of one check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recollection {
    /// The last runs, the latest last.
    #[serde(default)]
    pub runs: Vec<Run>,
    /// The processes that matched in the last run.
    #[serde(default)]
    pub matched: Vec<Identity>,
    /// When that was.
    #[serde(default)]
    pub matched_at: Option<u64>,
    /// In which runs they had been replaced by others.
    #[serde(default)]
    pub replaced: Vec<u64>,
    /// What matched in every look, and since when.
    #[serde(default)]
    pub since: Vec<Spell>,
    /// Whether it is restarting: from the third troubled run of ten until ten runs were quiet.
    #[serde(default)]
    pub restarting: bool,
    /// Whether its own limit is exceeded: until no more than half of it are left.
    #[serde(default)]
    pub over_limit: bool,
    /// Since when it fails, as long as that is pending.
    #[serde(default)]
    pub pending_since: Option<u64>,
    /// What is counted over all runs.
    #[serde(default)]
    pub counters: Counters,
}

/// A process that matches in every look, or several, one started in place of the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spell {
    /// The process of the last look.
    pub pid: i32,
    /// Its start time.
    pub start: u64,
    /// Its program and user, and where need be its comm: what another one started in its place has, too.
    pub who: String,
    /// Since when.
    pub since: u64,
}

/// One run of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// When.
    pub at: u64,
    /// Whether it passed only when it was looked at again.
    pub rechecked: bool,
    /// Whether none of the processes was there in the run before.
    #[serde(default)]
    pub replaced: bool,
    /// Whether it failed.
    pub failed: bool,
    /// Whether it could not tell.
    #[serde(default)]
    pub unseen: bool,
    /// Whether it fails, but not for long enough yet.
    #[serde(default)]
    pub pending: bool,
}

/// So many runs are remembered.
const RUNS: usize = 10;
/// Replacements are remembered for a day, and no more of them than a crash loop makes.
const DAY: u64 = 86_400;
const REPLACEMENTS: usize = 1000;
/// A longer pause between two runs says nothing about what went on meanwhile, unless the clocks do.
const LONGEST_PAUSE: u64 = 600;
/// In a shorter pause no run is lacking, for most are a minute apart.
const SHORTEST_LACK: u64 = 90;
const SECOND: Duration = Duration::from_secs(1);

impl Memory {
    /// Of all looks the last two are kept.
    pub fn keep_samples(&mut self) {
        self.samples.sort_by_key(|clocks| clocks.at);
        self.samples.dedup_by_key(|clocks| clocks.at);
        self.samples.drain(..self.samples.len().saturating_sub(2));
    }

    /// What is remembered of a check, if it is still the same one.
    #[must_use]
    pub fn of(&self, check: &Check) -> Option<&Recollection> {
        self.checks.get(&key(check))
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

    /// Notes what came of a check. `grace`: for how long a failure is pending; `went_on`: whether a
    /// process matches also over the whole time since the last run, where that is long.
    pub fn note(
        &mut self,
        check: &Check,
        verdict: &Verdict,
        now: u64,
        grace: Duration,
        went_on: &dyn Fn(&Sighting) -> bool,
    ) {
        let old = |known: &Recollection| {
            let last = known.runs.last().map_or(0, |run| run.at);
            now.saturating_sub(last) > FORGOTTEN
        };
        self.checks.retain(|_, known| !old(known));
        let known = self.checks.entry(key(check)).or_default();
        let pending = known.is_pending(check, verdict, now, grace);
        known.note(check, verdict, now, pending, went_on);
        known.counters.note(verdict);
    }

    /// Notes which state is told of a check.
    pub fn note_state(&mut self, check: &Check, state: State, now: u64) {
        if let Some(known) = self.checks.get_mut(&key(check)) {
            known.counters.note_state(state, now);
        }
    }

    /// What is counted of a check.
    #[must_use]
    pub fn totals(&self, check: &Check) -> Option<Totals> {
        self.of(check).map(|known| known.counters.totals)
    }
}

/// Under what a check is remembered.
#[must_use]
pub fn key(check: &Check) -> String {
    format!("{}: {}", check.name, check.selector.text)
}

impl Recollection {
    /// Whether the check fails, and that does not count yet: where the run before found all well, a failure is pending
    /// until it lasts so long. Without a run before, or where that could not tell, it counts at once. It goes by what is
    /// remembered alone, and not by whether this run can be: else a failure would be told by a run that can't, and be
    /// pending, as if it had passed, in the next one that can.
    fn is_pending(&mut self, check: &Check, verdict: &Verdict, now: u64, grace: Duration) -> bool {
        let failing = matches!(verdict.state, State::Warning | State::Critical);
        let passed = self.runs.last().is_some_and(|run| {
            let is_before = self.pending_since.is_some() || self.is_run_before(run.at, now, grace);
            !run.failed && !run.unseen && is_before
        });
        if !failing || !passed || grace.is_zero() || check.count.forbids() || check.patience.is_some() {
            self.pending_since = None;
            return false;
        }
        let since = *self.pending_since.get_or_insert(now);
        // A time to come was never noted by us, and would be pending until then.
        let lasts = Duration::from_secs(now.saturating_sub(since));
        // Of two instants in whole seconds the difference may be a second too long: it must not be told too early.
        let pending = since <= now && lasts < grace + SECOND;
        if !pending {
            self.pending_since = None;
        }
        pending
    }

    /// Whether the last run that is remembered, at `last`, is the one before this: a run that could not be remembered
    /// leaves a longer pause than those between others. Within `grace` it does not matter, for what began after the last run
    /// does not count yet.
    fn is_run_before(&self, last: u64, now: u64, grace: Duration) -> bool {
        let pauses = self.runs.windows(2).filter_map(|pair| match pair {
            [one, next] => Some(next.at.saturating_sub(one.at)),
            _ => None,
        });
        let usual = pauses.max().unwrap_or_default();
        let longest = usual.saturating_mul(3) / 2;
        let longest = longest.clamp(SHORTEST_LACK, LONGEST_PAUSE).max(grace.as_secs());
        last <= now && now.saturating_sub(last) <= longest
    }

    fn note(
        &mut self,
        check: &Check,
        verdict: &Verdict,
        now: u64,
        pending: bool,
        went_on: &dyn Fn(&Sighting) -> bool,
    ) {
        let matched: Vec<Identity> = verdict.sightings.iter().map(identity).collect();
        let begun = |seen: &Sighting| now.saturating_sub(seen.span.as_secs());
        let mut since: Vec<Spell> = verdict
            .sightings
            .iter()
            .map(|seen| Spell {
                pid: seen.pid,
                start: seen.start,
                who: who(seen),
                since: self
                    .known_since(seen, &matched, now, went_on)
                    .unwrap_or_else(|| begun(seen)),
            })
            .collect();
        // Of what could not be told in this run it is not known that it has ended.
        let others = self.since.drain(..);
        since.extend(others.filter(|known| {
            verdict.undecided.contains(&known.pid) && !matched.contains(&(known.pid, known.start))
        }));
        self.since = since;
        // Of whom it can't be told may be the one that seems to be gone.
        let restarted = verdict.state != State::Unknown && self.was_restarted(&matched);
        if restarted {
            self.replaced.push(now);
        }
        let recent = self
            .matched_at
            .is_some_and(|at| now.saturating_sub(at) <= Restarts::HOUR.per.as_secs());
        let replaced = restarted
            && recent
            // What need not be there comes and goes: jobs.
            && check.count.min > 0
            && !matched.iter().any(|id| self.matched.contains(id));
        self.replaced.retain(|at| now.saturating_sub(*at) <= DAY);
        let surplus = self.replaced.len().saturating_sub(REPLACEMENTS);
        self.replaced.drain(..surplus);
        // What is missing for a moment was not replaced by nothing: the next are compared with the ones before.
        if !matched.is_empty() {
            self.matched = matched;
            self.matched_at = Some(now);
        }
        let again = verdict.rechecked || self.runs.last().is_some_and(|run| run.pending);
        self.runs.push(Run {
            at: now,
            rechecked: verdict.state == State::Ok && again,
            replaced,
            failed: matches!(verdict.state, State::Warning | State::Critical) && !pending,
            unseen: verdict.state == State::Unknown,
            pending,
        });
        let surplus = self.runs.len().saturating_sub(RUNS);
        self.runs.drain(..surplus);
        self.note_restarts(check.restarts, now);
    }

    /// Whether another run looked later than this one, which does not go on from it.
    fn is_after(&self, own: &Recollection) -> bool {
        let (Some(theirs), Some(last)) = (self.runs.last(), own.runs.last()) else {
            return false;
        };
        theirs.at > last.at && own.runs.iter().all(|run| run.at != theirs.at)
    }

    /// The processes that matched before this run, at `now`.
    #[must_use]
    pub fn earlier(&self, now: u64) -> Earlier {
        let seconds = self.matched_at.map(|at| now.saturating_sub(at));
        Earlier {
            processes: self.matched.clone(),
            ago: seconds.map(Duration::from_secs),
        }
    }

    /// Since when a process matches, or the one in whose place it was started.
    fn known_since(
        &self,
        seen: &Sighting,
        matched: &[Identity],
        now: u64,
        went_on: &dyn Fn(&Sighting) -> bool,
    ) -> Option<u64> {
        let pause = now.saturating_sub(self.runs.last()?.at);
        let long = pause > LONGEST_PAUSE;
        let is = |spell: &&Spell| (spell.pid, spell.start) == identity(seen);
        if let Some(spell) = self.since.iter().find(is) {
            return (!long || went_on(seen)).then_some(spell.since.min(now));
        }
        let born_since = seen.age.is_some_and(|age| age.as_secs() <= pause);
        if long || !born_since {
            return None;
        }
        let who = who(seen);
        let before = self.since.iter().filter(|spell| {
            let gone = !matched.contains(&(spell.pid, spell.start));
            gone && spell.who == who
        });
        before.map(|spell| spell.since.min(now)).min()
    }

    /// Holds back a failure that does not last for long enough yet.
    pub fn hold_back(&self, verdict: &mut Verdict, now: u64) {
        if !self.runs.last().is_some_and(|run| run.pending) {
            return;
        }
        let lasts = now.saturating_sub(self.pending_since.unwrap_or(now));
        let manner = verdict.manner.word();
        verdict.story.push(format!("pending: {manner} for {lasts} s"));
        (verdict.state, verdict.manner) = (State::Ok, Manner::Pending);
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
}

/// A check that was not run for so long is forgotten: a week.
const FORGOTTEN: u64 = 7 * DAY;

/// What a process and another one started in its place have in common.
fn who(seen: &Sighting) -> String {
    let (program, name, uid) = seen.who();
    let [program, name] = [program, name].map(|text| String::from_utf8_lossy(text));
    let uid = uid.map_or_else(|| "?".into(), |uid| uid.to_string());
    format!("{program} {name} {uid}")
}

fn identity(seen: &Sighting) -> Identity {
    (seen.pid, seen.start)
}
