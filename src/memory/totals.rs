//! What is counted of a check over all runs: CPU time, starts, ends, changes of its state. Counters only grow while the
//! state file lasts; with a new boot they begin at 0.

use crate::judge::{State, Verdict};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What was counted so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// CPU time of the processes that matched, also of those that are gone, up to the last look at each.
    pub cpu: Duration,
    /// Processes that began to match.
    pub starts: u64,
    /// Processes that ceased to.
    pub exits: u64,
    /// How often the state was another one than in the run before.
    pub changes: u64,
    /// When it was the last time: seconds of CLOCK_BOOTTIME.
    pub changed_at: Option<u64>,
}

/// The totals, and what the next run goes on from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// What was counted so far.
    pub totals: Totals,
    /// The number of the state that was told last.
    state: Option<u8>,
    /// The processes that match, in ascending order: PID, start time, milliseconds of CPU.
    living: Vec<(i32, u64, u64)>,
}

impl Counters {
    /// Counts what one run saw.
    pub(super) fn note(&mut self, verdict: &Verdict) {
        // Whatever runs when the first run looks was not started since.
        let first = self.state.is_none() && self.living.is_empty();
        let seen = verdict.sightings.iter().map(|seen| {
            let spent = u64::try_from(seen.cpu.as_millis()).unwrap_or(u64::MAX);
            (seen.pid, seen.start, spent)
        });
        let mut living: Vec<(i32, u64, u64)> = seen.collect();
        living.sort_unstable();
        for process in &living {
            let before = find(&self.living, process);
            let spent = process.2.saturating_sub(before.map_or(0, |before| before.2));
            self.totals.cpu = self.totals.cpu.saturating_add(Duration::from_millis(spent));
            let started = u64::from(before.is_none() && !first);
            self.totals.starts = self.totals.starts.saturating_add(started);
        }
        let gone = self
            .living
            .iter()
            .filter(|process| find(&living, process).is_none());
        // Of whom it can't be told now is not known to be gone.
        let (unsure, gone): (Vec<_>, Vec<_>) = gone
            .copied()
            .partition(|(pid, ..)| verdict.undecided.contains(pid));
        self.totals.exits = self.totals.exits.saturating_add(gone.len() as u64);
        living.extend(unsure);
        living.sort_unstable();
        self.living = living;
    }

    /// Goes on from what another run counted since these were read, or a counter would go down. What this run saw is
    /// counted by the next one.
    pub(super) fn keep_up_with(&mut self, theirs: Counters) {
        let (own, other) = (&self.totals, &theirs.totals);
        if own.cpu < other.cpu
            || own.starts < other.starts
            || own.exits < other.exits
            || own.changes < other.changes
        {
            *self = theirs;
        }
    }

    /// Counts a change of what is told.
    pub(super) fn note_state(&mut self, state: State, now: u64) {
        let state = state.number();
        if self.state.is_some_and(|before| before != state) {
            self.totals.changes = self.totals.changes.saturating_add(1);
            self.totals.changed_at = Some(now);
        }
        self.state = Some(state);
    }
}

fn find<'a>(processes: &'a [(i32, u64, u64)], wanted: &(i32, u64, u64)) -> Option<&'a (i32, u64, u64)> {
    let at = processes.binary_search_by_key(&(wanted.0, wanted.1), |process| (process.0, process.1));
    at.ok().map(|at| &processes[at])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::Sighting;
    use crate::memory::tests::cron_as;
    use crate::testing::{host, verdict};

    fn saw(processes: &[(i32, u64, u64)]) -> Verdict {
        let sightings = processes.iter().map(|(pid, start, ms)| Sighting {
            start: *start,
            cpu: Duration::from_millis(*ms),
            ..cron_as(*pid)
        });
        Verdict {
            sightings: sightings.collect(),
            ..verdict("cron:1", &host(Vec::new()))
        }
    }

    #[test]
    fn cpu_time_only_grows_whoever_comes_and_goes() {
        let mut counters = Counters::default();
        let mut after = |processes: &[(i32, u64, u64)]| {
            counters.note(&saw(processes));
            counters.note_state(State::Ok, 60);
            let Totals {
                cpu, starts, exits, ..
            } = counters.totals;
            (cpu.as_millis(), starts, exits)
        };
        assert_eq!(after(&[(9, 1, 100), (7, 1, 50)]), (150, 0, 0));
        assert_eq!(after(&[(7, 1, 60), (9, 1, 100)]), (160, 0, 0));
        // The busier one ends: what it used stays.
        assert_eq!(after(&[(7, 1, 60)]), (160, 0, 1));
        // Another one under its PID has used 5 ms by now.
        assert_eq!(after(&[(7, 1, 61), (9, 2, 5)]), (166, 1, 1));
        assert_eq!(after(&[]), (166, 1, 3));
    }

    #[test]
    fn who_can_not_be_told_is_not_gone() {
        let mut counters = Counters::default();
        counters.note(&saw(&[(7, 1, 50)]));
        counters.note(&Verdict {
            undecided: vec![7],
            ..saw(&[])
        });
        assert_eq!(counters.totals.exits, 0);
        counters.note(&saw(&[(7, 1, 70)]));
        assert_eq!((counters.totals.starts, counters.totals.cpu.as_millis()), (0, 70));
    }

    #[test]
    fn what_is_as_high_as_can_be_stays_there() {
        let most = Totals {
            cpu: Duration::MAX,
            starts: u64::MAX,
            exits: u64::MAX,
            changes: u64::MAX,
            changed_at: None,
        };
        let mut counters = Counters {
            totals: most,
            state: Some(0),
            living: vec![(7, 1, 50)],
        };
        counters.note(&saw(&[(8, 1, 50)]));
        counters.note_state(State::Critical, 60);
        let changed_at = Some(60);
        assert_eq!(counters.totals, Totals { changed_at, ..most });
    }

    #[test]
    fn a_change_is_one_of_what_is_told() {
        let mut counters = Counters::default();
        for (at, state) in [State::Critical, State::Critical, State::Ok, State::Unknown]
            .into_iter()
            .enumerate()
        {
            counters.note_state(state, at as u64);
        }
        assert_eq!(
            (counters.totals.changes, counters.totals.changed_at),
            (2, Some(3))
        );
    }
}
