//! The CPU clocks of processes at one look. A rate is between two readings of one identity, so the clocks of an
//! earlier look are all that must be kept of it.

use super::{Fact, Process, Snapshot, Stat};
use serde::{Deserialize, Serialize};

/// The clocks of one process at the instant when they were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// Process id.
    pub pid: i32,
    /// Start time, in clock ticks since boot: with the PID, the identity.
    pub start: u64,
    /// Its parent then.
    pub ppid: i32,
    /// When it was read: nanoseconds of CLOCK_BOOTTIME.
    pub at: u64,
    /// Clock ticks that its threads ran.
    pub own: u64,
    /// Clock ticks of children that it had waited for.
    pub reaped: u64,
    /// Nanoseconds that its live threads ran, and waited to run.
    pub sched: Option<(u64, u64)>,
}

/// The clocks of one look, in ascending order of PID.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clocks {
    /// When the look began: nanoseconds of CLOCK_BOOTTIME.
    pub at: u64,
    /// One for each process whose `stat` was read.
    pub clocks: Vec<Clock>,
}

impl Clock {
    /// The clocks of a process whose `stat` was read.
    #[must_use]
    pub fn of(process: &Process) -> Option<Clock> {
        let stat: &Stat = process.stat.value()?;
        Some(Clock {
            pid: process.pid,
            start: stat.starttime,
            ppid: stat.ppid,
            at: process.read_at,
            own: stat.utime.saturating_add(stat.stime),
            reaped: stat.cutime.saturating_add(stat.cstime),
            sched: match &process.sched {
                Fact::Value(sched) => Some((sched.run, sched.wait)),
                _ => None,
            },
        })
    }
}

impl Clocks {
    /// The clocks of a look that read every `stat`.
    #[must_use]
    pub fn of(snapshot: &Snapshot) -> Clocks {
        Clocks {
            at: snapshot.at,
            clocks: snapshot.processes.iter().filter_map(Clock::of).collect(),
        }
    }

    /// The earlier reading of this identity.
    #[must_use]
    pub fn get(&self, pid: i32, start: u64) -> Option<&Clock> {
        let index = self.clocks.binary_search_by_key(&pid, |clock| clock.pid).ok()?;
        self.clocks.get(index).filter(|clock| clock.start == start)
    }

    /// What the children of `parent` had run until this look, of those that `lives` does not name any more. When
    /// they end, their parent gets all of it at once, though only what came after this look is news.
    #[must_use]
    pub fn of_dead_children(&self, parent: i32, lives: impl Fn(&Clock) -> bool) -> u64 {
        self.clocks
            .iter()
            .filter(|clock| clock.ppid == parent && !lives(clock))
            .map(|clock| clock.own.saturating_add(clock.reaped))
            .sum()
    }
}
