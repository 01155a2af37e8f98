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
fn a_life_that_began_before_the_clock_of_the_time_namespace_is_not_short() {
    // 3597 s before zero, and seen at 3600 s.
    let born = |ticks: u64| process(7, "x").ran(719_701).stat(|stat| stat.starttime = ticks);
    let wrapped = crate::testing::BEFORE_ZERO + 300 - 359_700;
    assert_eq!(tenths_of(&host(vec![born(wrapped)]), 7, Key::CpuLife), 1000);
    assert_eq!(
        at(&host(vec![born(360_001)]), 7, Key::CpuLife),
        Reading::Unreadable(Why::Future)
    );
    let both = |ran| process(7, "x").ran(ran).stat(|stat| stat.starttime = wrapped);
    let rates = later(WINDOW, vec![both(0)], vec![both(270)]);
    assert_eq!(tenths_of(&rates, 7, Key::Cpu), 900);
    // It was there in the earlier look and not seen: its rate is not known yet.
    let unseen = later(WINDOW, vec![process(8, "y")], vec![both(270)]);
    assert_eq!(at(&unseen, 7, Key::Cpu), Reading::Need(Need::Past));
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
