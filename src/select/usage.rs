//! How much CPU a process uses, in tenths of a percent of one core: over the window between two looks, or over its
//! life. Pure: the earlier look is an argument.

use super::File;
use super::reading::{Reading, Subject, Value, fact};
use super::truth::Need;
use crate::snapshot::{Clock, Clocks, Sched, Thread};

/// What is asked of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Usage {
    /// What it and the children that it waited for ran.
    Share,
    /// The same, had its threads never waited for a free core.
    Demand,
    /// What it ran itself, over its whole life.
    Life,
    /// Only what children ran that it waited for.
    Reaped,
    /// Whether it wants a core and hardly gets one, while another process does.
    Starved,
}

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

/// A life shorter than this is counted as this long: one tick of a process that was just started is no runaway.
const SHORTEST_LIFE: u64 = SECOND;

/// A process younger than its window is judged over its life, but over no less than this: whatever starts is busy for a
/// moment.
const SHORTEST_WINDOW: u64 = 3 * SECOND;

/// A thread that waits while it is looked at gets that wait into its account only when it runs again. So long it may
/// be, and a tenth of all that it waited.
const PENDING_WAIT: u64 = SECOND / 10;

/// Who gets less than this part of what the busiest process gets, or of a core, is starved.
const STARVED: u64 = 20;

/// Who does not wait for a core for at least this part of the time, in tenths of a percent, does not want one.
const WAITING: u64 = 50;

/// Two readings of one process.
struct Span<'a> {
    subject: Subject<'a>,
    before: Clock,
    now: Clock,
    /// The time between them, in nanoseconds.
    window: u64,
    /// Nanoseconds of a clock tick.
    tick: u64,
    past: &'a Clocks,
}

/// The usage of a process, in tenths of a percent.
pub(super) fn read<'a>(subject: Subject<'a>, usage: Usage) -> Result<Reading<'a>, Reading<'a>> {
    let stat = fact(&subject.process.stat, File::Stat)?;
    if stat.is_zombie() {
        return Ok(Reading::NotApplicable);
    }
    let tick = tick(subject);
    if usage == Usage::Life {
        let own = stat.ticks();
        let life = life(subject, stat.starttime).max(SHORTEST_LIFE);
        return Ok(Reading::number(tenths(own.saturating_mul(tick), life)));
    }
    if usage == Usage::Demand && !subject.process.sched.asked() {
        return Err(Reading::Need(Need::File(File::Sched)));
    }
    let span = Span::of(subject)?;
    let used = match usage {
        Usage::Reaped => span.reaped()?,
        Usage::Demand => span.demand()?.saturating_add(span.reaped()?),
        Usage::Share => span.ran().saturating_add(span.reaped()?),
        Usage::Life | Usage::Starved => return Ok(Reading::One(Value::YesNo(span.is_starved()?))),
    };
    Ok(Reading::number(tenths(used, span.window)))
}

/// Over what time, in nanoseconds, the rates of a process are taken: since the earlier look, or since its birth.
pub(crate) fn window(subject: Subject<'_>) -> Option<u64> {
    let span = Span::of(subject).ok()?;
    Some(span.window.min(life(subject, span.now.start)))
}

impl<'a> Span<'a> {
    fn of(subject: Subject<'a>) -> Result<Span<'a>, Reading<'a>> {
        let (tick, awaits) = (tick(subject), Reading::Need(Need::Past));
        let now = Clock::of(subject.process).ok_or(Reading::NotApplicable)?;
        let past = subject.past.ok_or(awaits.clone())?;
        let life = life(subject, now.start);
        let born = now.start.saturating_mul(tick);
        let before = match past.get(now.pid, now.start) {
            Some(before) => before.clone(),
            // Born since then: its whole life is the window.
            None if born.saturating_add(tick) >= past.at => {
                let shortest = SHORTEST_WINDOW.min(now.at.saturating_sub(past.at));
                Clock {
                    at: now.at.saturating_sub(life.max(shortest)),
                    sched: Some(Sched {
                        at: now.at.saturating_sub(life.max(shortest)),
                        threads: Vec::new(),
                    }),
                    ..now.at_birth()
                }
            }
            // It lived then, and was not seen: another look must be awaited.
            None => return Err(awaits),
        };
        // The kernel's clocks never go back, so these are no two readings of one process.
        let went_back = before.own > now.own || before.reaped > now.reaped || before.at > now.at;
        if went_back {
            return Err(awaits);
        }
        Ok(Span {
            subject,
            window: now.at.saturating_sub(before.at).max(1),
            before,
            now,
            tick,
            past,
        })
    }

    /// What its threads ran.
    fn ran(&self) -> u64 {
        self.now
            .own
            .saturating_sub(self.before.own)
            .saturating_mul(self.tick)
    }

    /// What children ran in the window that it waited for.
    fn reaped(&self) -> Result<u64, Reading<'a>> {
        let got = self.now.reaped.saturating_sub(self.before.reaped);
        if got == 0 {
            return Ok(0);
        }
        if self.subject.present.is_none() {
            return Err(Reading::Need(Need::Crowd));
        }
        let old = self.past.ended_below(self.now.pid, got);
        // How much of the rest was an exempt child's can't be told, but not more than its threads can have run.
        let most = old
            .exempt
            .saturating_mul((self.window / self.tick).saturating_add(1));
        let rest = got.saturating_sub(old.ticks).saturating_sub(most);
        Ok(rest.saturating_mul(self.tick))
    }

    /// What its threads would have run with a core free for each. Those that ended meanwhile took the account of their
    /// waiting with them: of them counts what they ran.
    fn demand(&self) -> Result<u64, Reading<'a>> {
        let Some(now) = &self.now.sched else {
            return Ok(self.ran());
        };
        // A reading without its threads says nothing of how long they waited.
        let then = self.before.sched.as_ref().ok_or(Reading::Need(Need::Past))?;
        let window = now.at.saturating_sub(then.at).max(1);
        let (mut wanted, mut told) = (0u64, 0u64);
        for thread in &now.threads {
            if let Some((run, wait)) = since(thread, then, window) {
                wanted = wanted.saturating_add(unhindered(run, wait, window));
                told = told.saturating_add(run);
            }
        }
        Ok(wanted.saturating_add(self.ran().saturating_sub(told)))
    }

    /// Waiting alone is no demand: who hardly runs while another runs is not the one to blame.
    fn is_starved(&self) -> Result<bool, Reading<'a>> {
        let own = tenths(self.ran().saturating_add(self.reaped()?), self.window);
        if own >= 1000 / STARVED {
            return Ok(false);
        }
        if !self.subject.process.sched.asked() {
            return Err(Reading::Need(Need::File(File::Sched)));
        }
        if tenths(self.demand()?, self.window) < own + WAITING {
            return Ok(false);
        }
        let present = self.subject.present.ok_or(Reading::Need(Need::Crowd))?;
        let busier = |clock: &Clock| {
            let Some(before) = self.past.get(clock.pid, clock.start) else {
                return false;
            };
            let ran = clock.own.saturating_sub(before.own).saturating_mul(self.tick);
            let share = tenths(ran, clock.at.saturating_sub(before.at));
            own.saturating_mul(STARVED) < share.min(1000)
        };
        Ok(present.clocks.iter().any(busier))
    }
}

impl Clock {
    /// The same process when it was born.
    fn at_birth(&self) -> Clock {
        Clock {
            own: 0,
            reaped: 0,
            ..self.clone()
        }
    }
}

/// How long a thread ran and waited since an earlier reading. `None`: it is older than that, but was not in it.
fn since(thread: &Thread, then: &Sched, window: u64) -> Option<(u64, u64)> {
    let known = then
        .threads
        .binary_search_by_key(&thread.tid, |known| known.tid)
        .ok()
        .and_then(|index| then.threads.get(index))
        // Less than before is another thread under the same id.
        .filter(|known| known.run <= thread.run && known.wait <= thread.wait);
    if let Some(known) = known {
        return Some((thread.run - known.run, thread.wait - known.wait));
    }
    let all = thread.run.saturating_add(thread.wait);
    (all <= window.saturating_add(PENDING_WAIT)).then_some((thread.run, thread.wait))
}

/// What a thread would have run in the window had it never waited: its work takes as long as it does, and it would
/// sleep between as it does.
fn unhindered(run: u64, wait: u64, window: u64) -> u64 {
    let pending = PENDING_WAIT.min(wait / 10);
    let free = window.saturating_sub(wait.saturating_add(pending)).max(1);
    let wanted = u128::from(run) * u128::from(window) / u128::from(free);
    u64::try_from(wanted)
        .unwrap_or(u64::MAX)
        .clamp(run, window.max(run))
}

fn tick(subject: Subject<'_>) -> u64 {
    SECOND / subject.host.ticks_per_second.max(1)
}

fn life(subject: Subject<'_>, start: u64) -> u64 {
    let born = start.saturating_mul(tick(subject));
    subject.process.read_at.saturating_sub(born)
}

fn tenths(ran: u64, window: u64) -> u64 {
    u64::try_from(u128::from(ran) * 1000 / u128::from(window.max(1))).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::Key;
    use super::*;
    use crate::snapshot::{Process, Snapshot};
    use crate::testing::{Build, check, host, later, process, verdict};

    /// Three seconds, in which a core has 300 ticks.
    const WINDOW: u64 = 3000;

    fn at(snapshot: &Snapshot, pid: i32, key: Key) -> Reading<'_> {
        let process = snapshot.by_pid(pid).unwrap();
        Subject::of(process, snapshot).read(key)
    }

    fn tenths_of(snapshot: &Snapshot, pid: i32, key: Key) -> i64 {
        match at(snapshot, pid, key) {
            Reading::One(Value::Number(tenths)) => tenths,
            other => panic!("{pid} {}: {other:?}", key.name()),
        }
    }

    fn numbers(snapshot: &Snapshot, pid: i32) -> [i64; 3] {
        [Key::Cpu, Key::CpuDemand, Key::CpuReaped].map(|key| tenths_of(snapshot, pid, key))
    }

    /// A process that had run 1000 ticks, and its like after these ticks and times of its threads.
    fn one(ticks: u64, before: &[(i32, u64, u64)], now: &[(i32, u64, u64)]) -> Snapshot {
        let spins = || process(7, "spins");
        later(
            WINDOW,
            vec![spins().ran(1000).threads(before)],
            vec![spins().ran(1000 + ticks).threads(now)],
        )
    }

    #[test]
    fn share_is_what_ran_in_the_window_and_not_before() {
        let host = one(270, &[(7, 10_000, 0)], &[(7, 12_700, 0)]);
        assert_eq!(numbers(&host, 7), [900, 900, 0]);
        let host = one(900, &[], &[]);
        assert_eq!(tenths_of(&host, 7, Key::Cpu), 3000);
    }

    #[test]
    fn who_spins_on_a_busy_host_wants_a_whole_core() {
        // 42 % of a core, as four spinners on two cores get and a little less.
        let host = one(126, &[(7, 5000, 5000)], &[(7, 6260, 6740)]);
        assert_eq!(numbers(&host, 7), [420, 1000, 0]);
    }

    #[test]
    fn who_sleeps_between_wants_what_its_work_takes() {
        // 0.9 s of work and 1.2 s of sleep would take 2.1 s without waiting: 43 %, and never the 60 % of running and
        // waiting together. Of the wait a tenth more may not be accounted for yet.
        let host = one(90, &[(7, 0, 0)], &[(7, 900, 900)]);
        assert_eq!(numbers(&host, 7), [300, 447, 0]);
        // Nothing waits: nothing is estimated.
        let host = one(150, &[(7, 0, 0)], &[(7, 1500, 0)]);
        assert_eq!(numbers(&host, 7), [500, 500, 0]);
    }

    #[test]
    fn many_threads_that_wait_a_little_do_not_add_up_to_a_runaway() {
        let threads = |run, wait| -> Vec<(i32, u64, u64)> { (7..57).map(|tid| (tid, run, wait)).collect() };
        let host = one(20, &threads(1000, 1000), &threads(1004, 1105));
        // Run and wait together would be 182 %.
        assert_eq!(numbers(&host, 7), [66, 69, 0]);
    }

    #[test]
    fn three_threads_that_spin_on_two_cores_want_three() {
        let then = [(7, 0, 0), (8, 0, 0), (9, 0, 0)];
        let now = [(7, 2000, 1000), (8, 2000, 1000), (9, 2000, 1000)];
        assert_eq!(numbers(&one(600, &then, &now), 7), [2000, 3000, 0]);
    }

    #[test]
    fn a_thread_that_ends_takes_neither_what_it_ran_nor_what_others_want_with_it() {
        // Thread 8 had waited for an hour when it ended; thread 7 spins.
        let then = [(7, 5000, 5000), (8, 10_000, 3_600_000)];
        let now = [(7, 6000, 7000)];
        // 0.5 s of the 1.5 s that ran were thread 8's.
        assert_eq!(numbers(&one(150, &then, &now), 7), [500, 1166, 0]);
        // Threads that live for less than a window: what they ran counts.
        let now = [(7, 5000, 5000), (99, 100, 0)];
        assert_eq!(numbers(&one(280, &then, &now), 7)[1], 933);
    }

    #[test]
    fn a_thread_that_was_missed_before_is_no_runaway_of_one_window() {
        let host = one(3, &[(7, 100, 0)], &[(7, 110, 0), (8, 3_600_000, 100)]);
        assert_eq!(numbers(&host, 7), [10, 10, 0]);
        // Another thread under the same id began at nothing.
        let host = one(30, &[(7, 0, 0), (8, 3_600_000, 9000)], &[(7, 0, 0), (8, 200, 0)]);
        assert_eq!(numbers(&host, 7), [100, 100, 0]);
    }

    #[test]
    fn without_the_schedulers_times_demand_is_the_share() {
        let spins = |ticks| {
            process(7, "spins").ran(ticks).change(|p| {
                p.sched = crate::snapshot::Fact::Unreadable(crate::snapshot::Why::Errno(2));
            })
        };
        let host = later(WINDOW, vec![spins(0)], vec![spins(126)]);
        assert_eq!(numbers(&host, 7), [420, 420, 0]);
    }

    #[test]
    fn an_earlier_reading_without_threads_is_waited_for_and_not_taken_for_no_wait() {
        let mut before = process(7, "spins").ran(0);
        before.sched = crate::snapshot::Fact::NotAsked;
        let host = later(
            WINDOW,
            vec![before],
            vec![process(7, "spins").ran(126).threads(&[(7, 1260, 1740)])],
        );
        assert_eq!(at(&host, 7, Key::CpuDemand), Reading::Need(Need::Past));
        assert!(verdict("cpu.demand>90%:0", &host).awaits);
    }

    #[test]
    fn another_process_under_the_same_pid_is_judged_by_its_own_life() {
        // The PID's first process had run for an hour; the second was born a second before the later look.
        let first = process(7, "spins").ran(360_000);
        let second = process(7, "spins").ran(95).born_ago(1000, WINDOW);
        let host = later(WINDOW, vec![first], vec![second]);
        assert_eq!(tenths_of(&host, 7, Key::Cpu), 316);
        let second = process(7, "spins").ran(195).born_ago(2000, 60_000);
        let host = later(60_000, vec![process(7, "spins").ran(360_000)], vec![second]);
        assert_eq!(tenths_of(&host, 7, Key::Cpu), 650);
        let second = process(7, "spins").ran(3800).born_ago(40_000, 60_000);
        let host = later(60_000, vec![process(7, "spins").ran(360_000)], vec![second]);
        assert_eq!(tenths_of(&host, 7, Key::Cpu), 950);
    }

    #[test]
    fn what_starts_is_busy_for_a_moment_and_that_is_no_rate_over_a_window() {
        let young = process(7, "young").ran(20).born_ago(200, 60_000);
        let host = later(60_000, vec![], vec![young.clone()]);
        assert_eq!(tenths_of(&host, 7, Key::Cpu), 66);
        assert_eq!(tenths_of(&host, 7, Key::CpuLife), 200);
        // Over half a second nothing is longer.
        let host = later(500, vec![], vec![process(7, "young").ran(20).born_ago(200, 500)]);
        assert_eq!(tenths_of(&host, 7, Key::Cpu), 400);
    }

    #[test]
    fn who_lived_but_was_not_seen_is_waited_for() {
        let host = later(WINDOW, vec![], vec![process(7, "spins").ran(900)]);
        assert_eq!(at(&host, 7, Key::Cpu), Reading::Need(Need::Past));
        assert!(verdict("cpu>90%:0", &host).awaits);
    }

    #[test]
    fn clocks_that_went_back_are_no_two_readings_of_one_process() {
        let (less, more) = (
            || process(7, "x").ran(10).reaped(10),
            || process(7, "x").ran(20).reaped(20),
        );
        let host = later(WINDOW, vec![more().reaped(10)], vec![less()]);
        assert_eq!(at(&host, 7, Key::Cpu), Reading::Need(Need::Past));
        let host = later(WINDOW, vec![more()], vec![more().reaped(10)]);
        assert_eq!(at(&host, 7, Key::Cpu), Reading::Need(Need::Past));
        let mut host = later(WINDOW, vec![less()], vec![more()]);
        host.past.as_mut().unwrap().clocks[0].at += 1_000_000_000_000;
        host.past.as_mut().unwrap().clocks[1].at += 1_000_000_000_000;
        assert_eq!(at(&host, 7, Key::Cpu), Reading::Need(Need::Past));
    }

    #[test]
    fn a_storm_of_children_counts_for_who_waits_for_them_and_is_told_apart() {
        let storm = |own, reaped| process(7, "storm").ran(own).reaped(reaped);
        let host = later(WINDOW, vec![storm(100, 5000)], vec![storm(103, 5270)]);
        assert_eq!(numbers(&host, 7), [910, 910, 900]);
    }

    #[test]
    fn a_child_that_ends_brings_only_what_it_ran_since() {
        // It had run for an hour, waited for children of 10 s, and ran 0.6 s more.
        let job = || process(8, "job").child_of(7).ran(360_000).reaped(1000);
        let parent = |reaped| process(7, "parent").reaped(reaped);
        let host = later(WINDOW, vec![parent(50), job()], vec![parent(50 + 361_000 + 60)]);
        assert_eq!(numbers(&host, 7), [200, 200, 200]);
        // As long as it is not waited for, it brings nothing.
        let host = later(WINDOW, vec![parent(50), job()], vec![parent(50), job().zombie()]);
        assert_eq!(numbers(&host, 7), [0, 0, 0]);
        assert_eq!(at(&host, 8, Key::Cpu), Reading::NotApplicable);
    }

    #[test]
    fn a_grandchild_comes_with_its_dead_parent() {
        let before = vec![
            process(7, "top"),
            process(8, "shell").child_of(7).ran(5).reaped(100),
            process(9, "job").child_of(8).ran(360_000),
        ];
        let host = later(WINDOW, before, vec![process(7, "top").reaped(360_105 + 30)]);
        assert_eq!(numbers(&host, 7), [100, 100, 100]);
    }

    #[test]
    fn an_orphan_comes_to_who_takes_orphans_in() {
        let before = || {
            vec![
                process(7, "daemon"),
                process(8, "shell").child_of(7).ran(5),
                process(9, "job").child_of(8).ran(360_000),
            ]
        };
        // The shell ended first, so the job was left to PID 1; the daemon got the shell.
        let host = later(
            WINDOW,
            before(),
            vec![
                process(7, "daemon").reaped(5),
                process(1, "init").stat(|stat| (stat.ppid, stat.cutime) = (0, 360_030)),
            ],
        );
        assert_eq!(numbers(&host, 1), [100, 100, 100]);
        assert_eq!(numbers(&host, 7), [0, 0, 0]);
        // The daemon waited for the shell that had waited for the job: then nothing is left for PID 1, whose own storm
        // is not hidden behind it.
        let host = later(
            WINDOW,
            before(),
            vec![
                process(7, "daemon").reaped(360_005),
                process(1, "init").stat(|stat| (stat.ppid, stat.cutime) = (0, 290)),
            ],
        );
        assert_eq!(numbers(&host, 1), [966, 966, 966]);
        assert_eq!(numbers(&host, 7), [0, 0, 0]);
    }

    #[test]
    fn nobody_is_to_blame_for_a_child_that_was_exempt() {
        let before = vec![process(7, "backup"), process(8, "xz").child_of(7).ran(360_000)];
        let after = vec![process(7, "backup").reaped(360_290)];
        let mut host = later(WINDOW, before, after);
        assert_eq!(numbers(&host, 7), [966, 966, 966]);
        host.past.as_mut().unwrap().clocks[2].exempt = true;
        assert_eq!(numbers(&host, 7), [0, 0, 0]);
    }

    #[test]
    fn an_exempt_child_that_ends_hides_no_more_than_it_can_have_run() {
        let told = |reaped: u64, threads: &[(i32, u64, u64)]| {
            let child = process(8, "xz").child_of(7).ran(100).threads(threads);
            let before = vec![process(7, "storm"), child];
            let after = vec![process(7, "storm").reaped(100 + reaped)];
            let mut host = later(WINDOW, before, after);
            let clocks = &mut host.past.as_mut().unwrap().clocks;
            clocks.iter_mut().find(|clock| clock.pid == 8).unwrap().exempt = true;
            numbers(&host, 7)
        };
        // It ran for a window of 300 ticks at most, and a tick that was begun before.
        assert_eq!(told(300, &[]), [0, 0, 0]);
        assert_eq!(told(901, &[]), [2000, 2000, 2000]);
        assert_eq!(
            told(901, &[(8, 1, 0), (9, 1, 0), (10, 1, 0)]),
            [0, 0, 0],
            "three threads"
        );
    }

    #[test]
    fn life_is_what_ps_tells_and_no_child() {
        // Born at 10 s, seen at 3600 s.
        let host = host(vec![process(7, "x").ran(35_900).reaped(9999)]);
        assert_eq!(tenths_of(&host, 7, Key::CpuLife), 100);
    }

    #[test]
    fn who_hardly_runs_while_another_does_is_starved() {
        let spins = |pid: i32, run: u64| {
            let then = process(pid, "spins").ran(0).threads(&[(pid, 0, 0)]);
            let now = process(pid, "spins")
                .ran(run / 10)
                .threads(&[(pid, run, WINDOW - run)]);
            (then, now)
        };
        let found = |runs: &[u64]| -> usize {
            let (then, now): (Vec<Process>, Vec<Process>) =
                (7..).zip(runs).map(|(pid, run)| spins(pid, *run)).unzip();
            let host = later(WINDOW, then, now);
            let check = check("cpu.demand>90%,cpu.starved=no:0", &host);
            super::super::select(&check.wanted(), &host).matched.len()
        };
        // 0.7 % beside two that have a core each.
        assert_eq!(found(&[3000, 3000, 20]), 2);
        // Two hundred on two cores have 1 % each, and all of them are to blame.
        assert_eq!(found(&vec![30; 200]), 200);
        assert_eq!(found(&[3000, 160]), 2);
    }

    #[test]
    fn who_sleeps_beside_one_that_spins_is_not_starved() {
        let one = |pid: i32, name: &str, run: u64, wait: u64| {
            process(pid, name).ran(run / 10).threads(&[(pid, run, wait)])
        };
        let of = |run, wait| vec![one(7, "spins", run, 0), one(8, "x", run / 300, wait)];
        let starved = |wait: u64| {
            let host = later(WINDOW, of(0, 0), of(WINDOW, wait));
            let check = check("cpu.starved=yes:0", &host);
            super::super::select(&check.wanted(), &host).matched.len()
        };
        assert_eq!(starved(0), 0);
        assert_eq!(starved(WINDOW - 10), 1);
    }

    #[test]
    fn nothing_goes_wrong_with_the_largest_numbers() {
        let most = || process(7, "x").ran(u64::MAX).threads(&[(7, u64::MAX, u64::MAX)]);
        let host = later(WINDOW, vec![process(7, "x").ran(0)], vec![most()]);
        for key in [Key::Cpu, Key::CpuDemand, Key::CpuLife, Key::CpuReaped] {
            let _ = at(&host, 7, key);
        }
    }
}
