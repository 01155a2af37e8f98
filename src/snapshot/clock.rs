//! The CPU clocks of processes at one look. A rate is between two readings of one identity, so the clocks of an
//! earlier look are all that must be kept of it.

use super::{Fact, Process, Sched, Snapshot, Stat, Thread};
use serde::{Deserialize, Serialize};

/// The clocks of one process at the instant when they were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// Process id.
    pub pid: i32,
    /// Start time, in clock ticks since boot: with the PID, the identity.
    pub start: u64,
    /// Its parent then.
    pub ppid: i32,
    /// When `stat` was read: nanoseconds of CLOCK_BOOTTIME.
    pub at: u64,
    /// Clock ticks that its threads ran, those that ended included.
    pub own: u64,
    /// Clock ticks of children that it had waited for.
    pub reaped: u64,
    /// Whether it may use what it wants: then its parent is not to blame for it when it ends.
    pub exempt: bool,
    /// Whether it has ended since: set when a later look is over, and not saved.
    pub ended: bool,
    /// The times of its live threads; none where this kernel does not tell them.
    pub sched: Option<Sched>,
}

/// The clocks of one look, in ascending order of PID.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Saved", from = "Saved")]
pub struct Clocks {
    /// When the look began: nanoseconds of CLOCK_BOOTTIME.
    pub at: u64,
    /// One for each process whose `stat` was read.
    pub clocks: Vec<Clock>,
}

/// What the children of a process that ended since the earlier look had run before it. When they end, the process that
/// waits for them gets all of it at once, though only what came after that look is news.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Clock ticks.
    pub ticks: u64,
    /// How many threads those of them had that were exempt.
    pub exempt: u64,
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
            own: stat.ticks(),
            reaped: stat.cutime.saturating_add(stat.cstime),
            exempt: false,
            ended: false,
            sched: match &process.sched {
                Fact::Value(sched) => Some(sched.clone()),
                _ => None,
            },
        })
    }

    fn all(&self) -> u64 {
        self.own.saturating_add(self.reaped)
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
        self.by_pid(pid).filter(|clock| clock.start == start)
    }

    fn by_pid(&self, pid: i32) -> Option<&Clock> {
        let index = self.clocks.binary_search_by_key(&pid, |clock| clock.pid).ok()?;
        self.clocks.get(index)
    }

    /// Marks the processes that a later look does not show any more.
    pub fn mark_ended(&mut self, later: &Clocks) {
        for clock in &mut self.clocks {
            clock.ended = later.get(clock.pid, clock.start).is_none();
        }
    }

    /// Of the time that `parent` got by waiting since this look, what is older than this look. It gets the time of a
    /// child, and with it that of the children that the child waited for; or, where the child ended first, that of the
    /// orphans that were left to it. Which it was is not to be seen: an orphan counts where the sum has room for it.
    #[must_use]
    pub fn ended_below(&self, parent: i32, got: u64) -> Ended {
        let mut ended = Ended::default();
        let mut orphans = Vec::new();
        for clock in self.clocks.iter().filter(|clock| clock.ended) {
            match self.way(clock, parent) {
                Way::Up => ended.add(clock),
                Way::Orphan => orphans.push(clock),
                Way::Elsewhere => {}
            }
        }
        orphans.sort_by_key(|orphan| std::cmp::Reverse(orphan.all()));
        for orphan in orphans {
            if orphan.all() > 0 && ended.ticks.saturating_add(orphan.all()) <= got {
                ended.add(orphan);
            }
        }
        ended
    }

    /// How the time of a process that ended may have come to `ancestor`.
    fn way(&self, clock: &Clock, ancestor: i32) -> Way {
        let (mut way, mut pid) = (Way::Up, clock.ppid);
        let has_ended = |pid| self.by_pid(pid).is_some_and(|clock| clock.ended);
        // As deep as a chain can be; longer is a loop made by a torn view.
        for _ in 0..=self.clocks.len() {
            if pid == ancestor {
                return way;
            }
            if !has_ended(pid) {
                if !has_ended(clock.ppid) {
                    break;
                }
                way = Way::Orphan;
            }
            let Some(above) = self.by_pid(pid) else { break };
            pid = above.ppid;
        }
        Way::Elsewhere
    }
}

/// How the time of a process that ended goes up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// From child to parent, all of them dead.
    Up,
    /// Its parent is dead and the one above that lives, so it may have been left to a process further up.
    Orphan,
    /// Not there.
    Elsewhere,
}

impl Ended {
    fn add(&mut self, clock: &Clock) {
        self.ticks = self.ticks.saturating_add(clock.all());
        if clock.exempt {
            let threads = clock.sched.as_ref().map_or(1, |sched| sched.threads.len().max(1));
            self.exempt = self.exempt.saturating_add(threads as u64);
        }
    }
}

/// The saved form. Lists in place of names, microseconds, and instants since the look began: a state file holds one
/// of these for each process of the host.
#[derive(Clone, Serialize, Deserialize)]
struct Saved {
    at: u64,
    clocks: Vec<Row>,
}

/// PID, start, parent, microseconds after `at`, own, reaped, exempt, and the threads: microseconds from `stat` to their
/// times, then for each thread its id less the PID, running, waiting.
type Row = (i32, u64, i32, u64, u64, u64, u8, Option<Vec<i64>>);

const MICROSECOND: u64 = 1000;

impl From<Clocks> for Saved {
    fn from(clocks: Clocks) -> Saved {
        let at = clocks.at;
        let row = |clock: Clock| {
            let late = clock.at.saturating_sub(at) / MICROSECOND;
            let sched = clock.sched.as_ref().map(|sched| saved(sched, &clock));
            (
                clock.pid,
                clock.start,
                clock.ppid,
                late,
                clock.own,
                clock.reaped,
                u8::from(clock.exempt),
                sched,
            )
        };
        Saved {
            at,
            clocks: clocks.clocks.into_iter().map(row).collect(),
        }
    }
}

impl From<Saved> for Clocks {
    fn from(saved: Saved) -> Clocks {
        let clock = |(pid, start, ppid, late, own, reaped, exempt, sched): Row| {
            let at = saved.at.saturating_add(late.saturating_mul(MICROSECOND));
            Clock {
                pid,
                start,
                ppid,
                at,
                own,
                reaped,
                exempt: exempt != 0,
                ended: false,
                sched: sched.map(|numbers| restored(&numbers, pid, at)),
            }
        };
        let mut clocks: Vec<Clock> = saved.clocks.into_iter().map(clock).collect();
        clocks.sort_by_key(|clock| clock.pid);
        Clocks { at: saved.at, clocks }
    }
}

fn saved(sched: &Sched, clock: &Clock) -> Vec<i64> {
    let number = |nanoseconds: u64| i64::try_from(nanoseconds / MICROSECOND).unwrap_or(i64::MAX);
    let mut numbers = vec![number(sched.at.saturating_sub(clock.at))];
    for thread in &sched.threads {
        let id = i64::from(thread.tid) - i64::from(clock.pid);
        numbers.extend([id, number(thread.run), number(thread.wait)]);
    }
    numbers
}

fn restored(numbers: &[i64], pid: i32, at: u64) -> Sched {
    let nanoseconds = |number: i64| u64::try_from(number).unwrap_or(0).saturating_mul(MICROSECOND);
    let (late, threads) = numbers.split_first().unwrap_or((&0, &[]));
    Sched {
        at: at.saturating_add(nanoseconds(*late)),
        threads: threads
            .as_chunks::<3>()
            .0
            .iter()
            .map(|[id, run, wait]| Thread {
                tid: i32::try_from(i64::from(pid).saturating_add(*id)).unwrap_or(0),
                run: nanoseconds(*run),
                wait: nanoseconds(*wait),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thread(tid: i32, run: u64, wait: u64) -> Thread {
        Thread { tid, run, wait }
    }

    fn look() -> Clocks {
        let sched = |threads: Vec<Thread>| {
            Some(Sched {
                at: 7_200_000,
                threads,
            })
        };
        let clock = |pid, exempt, sched| Clock {
            pid,
            start: 4711,
            ppid: 1,
            at: 7_100_000,
            own: 12,
            reaped: 3,
            exempt,
            ended: false,
            sched,
        };
        Clocks {
            at: 7_000_000,
            clocks: vec![
                clock(8, true, None),
                clock(
                    9,
                    false,
                    sched(vec![
                        thread(9, 1000, 0),
                        thread(31_000, u64::MAX / 2000 * 1000, 5000),
                    ]),
                ),
            ],
        }
    }

    #[test]
    fn what_is_saved_is_a_short_row_for_each_process() {
        let text = serde_json::to_string(&look()).unwrap();
        assert!(
            text.starts_with(
                r#"{"at":7000000,"clocks":[[8,4711,1,100,12,3,1,null],[9,4711,1,100,12,3,0,[100,0,1,0,30991,"#
            ),
            "{text}"
        );
    }

    #[test]
    fn what_was_saved_is_read_to_the_microsecond() {
        let text = serde_json::to_string(&look()).unwrap();
        assert_eq!(serde_json::from_str::<Clocks>(&text).unwrap(), look());
    }

    #[test]
    fn rows_in_any_order_and_of_any_numbers_are_read() {
        let text = r#"{"at":18446744073709551615,"clocks":[
            [9,1,1,18446744073709551615,0,0,7,[-5,9223372036854775807,-1,-1,1]],
            [-8,1,1,0,0,0,0,[]]]}"#;
        let clocks: Clocks = serde_json::from_str(text).unwrap();
        let pids: Vec<i32> = clocks.clocks.iter().map(|clock| clock.pid).collect();
        assert_eq!(pids, [-8, 9]);
        assert_eq!(
            clocks.clocks[1].sched.as_ref().unwrap().threads,
            [thread(0, 0, 0)]
        );
    }

    #[test]
    fn a_loop_of_parents_ends() {
        let clock = |pid, ppid| Clock {
            pid,
            ppid,
            ended: true,
            own: 5,
            ..Clock::default()
        };
        let clocks = Clocks {
            at: 0,
            clocks: vec![clock(7, 8), clock(8, 7)],
        };
        assert_eq!(clocks.ended_below(1, 100), Ended::default());
    }
}
