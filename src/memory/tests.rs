use super::restarts::parse_restarts;
use super::*;
use crate::judge::Manner;
use crate::testing::{check, host, verdict};

/// A cron, as it was sighted.
pub(super) fn cron_as(pid: i32) -> Sighting {
    Sighting {
        pid,
        start: u64::try_from(pid).unwrap(),
        cpu: Duration::ZERO,
        program: b"/usr/sbin/cron".to_vec(),
        name: b"cron".to_vec(),
        uid: Some(0),
        age: None,
        known_before: false,
        span: Duration::ZERO,
    }
}

fn seen(ids: &[i32]) -> Vec<Sighting> {
    ids.iter().map(|pid| cron_as(*pid)).collect()
}

fn outcome(state: State, ids: &[i32], rechecked: bool) -> Verdict {
    let mut verdict = verdict("cron:1", &host(Vec::new()));
    verdict.state = state;
    verdict.manner = if state == State::Ok {
        Manner::Fine
    } else {
        Manner::Missing
    };
    verdict.sightings = seen(ids);
    verdict.rechecked = rechecked;
    verdict
}

fn cron() -> Check {
    check("cron:1", &host(Vec::new()))
}

fn after(runs: &[(u64, Verdict)]) -> Recollection {
    let mut memory = Memory::default();
    for (at, verdict) in runs {
        memory.note(&cron(), verdict, *at, Duration::ZERO, &|_| false);
    }
    memory.of(&cron()).unwrap().clone()
}

#[test]
fn a_check_that_passes_at_once_is_never_restarting() {
    let runs: Vec<_> = (0..20)
        .map(|n| (n * 60, outcome(State::Ok, &[7], false)))
        .collect();
    let known = after(&runs);
    assert_eq!(known.runs.len(), 10);
    assert_eq!(known.restarts(None, 1200), None);
    assert!(known.replaced.is_empty());
}

#[test]
fn three_second_looks_in_ten_runs_are_a_warning() {
    let mut runs: Vec<_> = (0..10i32)
        .map(|n| {
            (
                u64::try_from(n).unwrap() * 60,
                outcome(State::Ok, &[7 + n / 3], n % 3 == 2),
            )
        })
        .collect();
    let known = after(&runs);
    assert_eq!(
        known.restarts(None, 600).as_deref(),
        Some("restarting: 3 times in 1 h")
    );
    // One page for one fault: it stays until ten runs are quiet.
    runs.extend((10..20).map(|n| (n * 60, outcome(State::Ok, &[10], false))));
    assert!(after(&runs[..19]).restarting);
    assert_eq!(after(&runs).restarts(None, 1200), None);
}

/// Whether it is warned of after each run, a minute apart, of this process.
fn warned(pids: impl Iterator<Item = i32>) -> Vec<bool> {
    let (mut memory, mut warned) = (Memory::default(), Vec::new());
    for (at, pid) in (0..).step_by(60).zip(pids) {
        memory.note(
            &cron(),
            &outcome(State::Ok, &[pid], false),
            at,
            Duration::ZERO,
            &|_| false,
        );
        let known = memory.of(&cron()).unwrap();
        warned.push(known.restarts(None, at).is_some());
    }
    warned
}

#[test]
fn a_crash_loop_that_is_up_whenever_it_is_looked_at_is_warned_of_once() {
    let every_run = warned(0..25);
    assert_eq!(every_run, [vec![false; 3], vec![true; 22]].concat());
    // Once in nine runs after that is the same fault.
    let slower = warned((0..4).chain((4..80).map(|n| n / 9 + 4)));
    assert_eq!(slower, [vec![false; 3], vec![true; 77]].concat());
}

#[test]
fn restarts_far_apart_are_none_to_warn_of() {
    assert_eq!(warned((0..60).map(|n| n / 5)), [false; 60]);
    // Once a day, seen by a run a day.
    let daily: Vec<_> = (0..9i32)
        .map(|day| {
            let at = u64::try_from(day).unwrap() * DAY;
            (at, outcome(State::Ok, &[7 + day], false))
        })
        .collect();
    assert!(!after(&daily).restarting);
}

#[test]
fn members_of_a_pool_that_come_and_go_keep_no_warning_up() {
    let (check, mut memory, mut now) = (cron(), Memory::default(), 0);
    let mut is_restarting = |first: i32| {
        now += 60;
        let pool = [first, first + 1, first + 2];
        memory.note(
            &check,
            &outcome(State::Ok, &pool, false),
            now,
            Duration::ZERO,
            &|_| false,
        );
        memory.of(&check).unwrap().restarting
    };
    let whole: Vec<bool> = [1, 4, 7, 10].map(&mut is_restarting).to_vec();
    assert_eq!(whole, [false, false, false, true]);
    let oldest: Vec<bool> = (11..21).map(&mut is_restarting).collect();
    assert_eq!(oldest, [vec![true; 9], vec![false]].concat());
}

#[test]
fn what_need_not_be_there_does_not_restart() {
    let mut check = cron();
    check.count.min = 0;
    let mut memory = Memory::default();
    for (at, pid) in (0..).step_by(60).zip(7..20) {
        memory.note(
            &check,
            &outcome(State::Ok, &[pid], false),
            at,
            Duration::ZERO,
            &|_| false,
        );
    }
    assert!(!memory.of(&check).unwrap().restarting);
}

#[test]
fn a_failure_is_no_quiet_run() {
    let mut runs: Vec<_> = (0..4)
        .map(|n: i32| {
            (
                u64::try_from(n).unwrap() * 60,
                outcome(State::Ok, &[7 + n], false),
            )
        })
        .collect();
    runs.extend((4..20).map(|n| (n * 60, outcome(State::Critical, &[], true))));
    assert!(after(&runs).restarting);
}

#[test]
fn a_failure_is_told_as_such_and_not_again_as_a_restart() {
    let mut runs: Vec<_> = (0..8)
        .map(|n| (n * 60, outcome(State::Critical, &[], true)))
        .collect();
    runs.push((540, outcome(State::Ok, &[7], false)));
    assert_eq!(after(&runs).restarts(None, 540), None);
}

#[test]
fn a_limit_counts_every_replacement_of_its_time_manual_ones_too() {
    let runs: Vec<_> = (0..5)
        .map(|n| {
            (
                u64::try_from(n).unwrap() * 600,
                outcome(State::Ok, &[7 + n], false),
            )
        })
        .collect();
    let known = after(&runs);
    let limit = |text: &str| Some(parse_restarts(text).unwrap());
    assert_eq!(known.restarts(limit("4 per 1h"), 2400), None);
    assert_eq!(
        known.restarts(limit("3 per 1h"), 2400).as_deref(),
        Some("restarting: 4 times in 1 h")
    );
    assert_eq!(
        known.restarts(limit("1 per 20m"), 2400).as_deref(),
        Some("restarting: 3 times in 20 min")
    );
    assert_eq!(known.restarts(limit("3 per 1h"), 9000), None);
}

#[test]
fn what_is_over_its_limit_stays_so_until_half_of_it_are_left() {
    let mut check = cron();
    check.restarts = Some(parse_restarts("3 per 1h").unwrap());
    let mut memory = Memory::default();
    // A restart every 15 minutes, five of them: the fourth is one too many.
    let mut warned_at = |minutes: u64| {
        let pid = 7 + i32::try_from(minutes.min(75) / 15).unwrap();
        let now = minutes * 60;
        memory.note(
            &check,
            &outcome(State::Ok, &[pid], false),
            now,
            Duration::ZERO,
            &|_| false,
        );
        memory.of(&check).unwrap().restarts(check.restarts, now).is_some()
    };
    let warned: Vec<u64> = (0..=150).step_by(5).filter(|at| warned_at(*at)).collect();
    assert_eq!(warned, (60..=120).step_by(5).collect::<Vec<u64>>());
}

#[test]
fn a_gap_does_not_hide_that_the_process_is_another_one() {
    let known = after(&[
        (0, outcome(State::Ok, &[7], false)),
        (60, outcome(State::Critical, &[], true)),
        (120, outcome(State::Ok, &[8], false)),
    ]);
    assert_eq!(known.replaced, [120]);
}

#[test]
fn a_restart_is_one_of_however_many_processes() {
    let runs: Vec<_> = [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]]
        .iter()
        .zip([0, 60])
        .map(|(ids, at)| (at, outcome(State::Ok, ids, false)))
        .collect();
    assert_eq!(after(&runs).replaced, [60]);
}

#[test]
fn sessions_come_and_go_while_the_oldest_stays() {
    // The order in which they match is not that of their start.
    let sets: [&[i32]; 5] = [&[9, 7], &[7], &[10, 7], &[11, 7, 12], &[13, 11]];
    let runs: Vec<_> = sets
        .iter()
        .zip([0, 60, 120, 180, 240])
        .map(|(ids, at)| (at, outcome(State::Ok, ids, false)))
        .collect();
    assert!(after(&runs[..4]).replaced.is_empty());
    assert_eq!(after(&runs).replaced, [240]);
    // One that ends is not replaced by those that were there.
    let ended = [
        (0, outcome(State::Ok, &[7, 8], false)),
        (60, outcome(State::Ok, &[8], false)),
    ];
    assert!(after(&ended).replaced.is_empty());
}

#[test]
fn who_can_not_be_told_is_not_replaced() {
    let known = after(&[
        (0, outcome(State::Ok, &[7], false)),
        (60, outcome(State::Unknown, &[8], false)),
        (120, outcome(State::Ok, &[7, 8], false)),
    ]);
    assert!(known.replaced.is_empty(), "{known:?}");
}

#[test]
fn another_selector_under_the_same_name_is_another_check() {
    let mut memory = Memory::default();
    memory.note(
        &cron(),
        &outcome(State::Ok, &[7], true),
        0,
        Duration::ZERO,
        &|_| false,
    );
    let mut other = check("crond:1", &host(Vec::new()));
    other.name = cron().name;
    assert!(memory.of(&other).is_none());
    memory.note(
        &other,
        &outcome(State::Ok, &[8], false),
        60,
        Duration::ZERO,
        &|_| false,
    );
    assert_eq!(memory.of(&other).unwrap().runs.len(), 1);
    assert!(memory.of(&other).unwrap().replaced.is_empty());
}

fn busy() -> Check {
    let mut check = check("cpu.demand>90%:0", &host(Vec::new()));
    check.patience = Some(Patience {
        warning: Duration::from_secs(600),
        critical: Duration::from_secs(3600),
    });
    check
}

/// A process that is over the limit, with its program, its age in seconds, and the span of its rate.
fn hog(pid: i32, program: &str, age: u64, span: u64) -> Sighting {
    Sighting {
        pid,
        start: u64::try_from(pid).unwrap(),
        cpu: Duration::ZERO,
        program: program.into(),
        name: program.into(),
        uid: Some(33),
        age: Some(Duration::from_secs(age)),
        known_before: false,
        span: Duration::from_secs(span),
    }
}

/// What a run makes of these, and what it remembers.
fn run(memory: &mut Memory, now: u64, hogs: &[Sighting]) -> Verdict {
    run_over(memory, now, hogs, false)
}

fn run_over(memory: &mut Memory, now: u64, hogs: &[Sighting], went_on: bool) -> Verdict {
    let mut verdict = verdict("nosuch:0", &host(Vec::new()));
    if !hogs.is_empty() {
        verdict.state = State::Critical;
        verdict.manner = Manner::Busy;
    }
    verdict.matched = hogs.len() as u64;
    verdict.sightings = hogs.to_vec();
    verdict.evidence = hogs
        .iter()
        .map(|hog| crate::judge::Evidence {
            pid: hog.pid,
            name: hog.name.clone(),
            ..Default::default()
        })
        .collect();
    memory.note(&busy(), &verdict, now, Duration::ZERO, &|_| went_on);
    memory.of(&busy()).unwrap().settle(&busy(), &mut verdict, now);
    verdict
}

/// The state, the PIDs in the evidence, and those of them that the first line names.
fn told(verdict: &Verdict) -> (State, Vec<i32>, Vec<i32>) {
    let pids = |named: bool| {
        let shown = verdict.evidence.iter();
        shown
            .filter(|evidence| !named || !evidence.lesser)
            .map(|evidence| evidence.pid)
            .collect()
    };
    (verdict.state, pids(false), pids(true))
}

#[test]
fn what_is_busy_is_a_warning_after_ten_minutes_and_critical_after_sixty() {
    let mut memory = Memory::default();
    let spins = [hog(7, "spins", 90_000, 60)];
    for minute in 0..70 {
        let verdict = run(&mut memory, 10_000 + minute * 60, &spins);
        // The first look tells of the minute before it.
        let want = match minute + 1 {
            0..10 => (State::Ok, vec![], vec![]),
            10..60 => (State::Warning, vec![7], vec![7]),
            _ => (State::Critical, vec![7], vec![7]),
        };
        assert_eq!(told(&verdict), want, "minute {minute}");
        let story = (minute < 9).then(|| {
            format!(
                "over the limit, but not yet for 10 min: pid 7 spins for {} min",
                minute + 1
            )
        });
        assert_eq!(verdict.story, Vec::from_iter(story));
    }
    // One look without it, and it begins anew.
    run(&mut memory, 14_260, &[]);
    assert_eq!(run(&mut memory, 14_320, &spins).state, State::Ok);
}

#[test]
fn who_is_busy_for_less_long_is_neither_named_nor_the_reason() {
    let mut memory = Memory::default();
    let (old, young, new) = (
        hog(7, "old", 90_000, 60),
        hog(8, "young", 90_000, 60),
        hog(9, "new", 90_000, 60),
    );
    for minute in 0..59 {
        let mut hogs = vec![old.clone()];
        hogs.extend((minute > 30).then(|| young.clone()));
        run(&mut memory, 1000 + minute * 60, &hogs);
    }
    let verdict = run(
        &mut memory,
        1000 + 59 * 60,
        &[old.clone(), young.clone(), new.clone()],
    );
    assert_eq!(told(&verdict), (State::Critical, vec![7, 8], vec![7]));
    assert_eq!(
        verdict.story,
        ["over the limit, but not yet for 10 min: pid 9 new for 1 min"]
    );
    assert_eq!(verdict.matched, 2);
    assert_eq!(verdict.evidence[1].lasts, Some(Duration::from_secs(29 * 60)));
}

#[test]
fn who_is_started_anew_again_and_again_does_not_begin_anew() {
    let mut memory = Memory::default();
    // Every 50 s another process of the same program and user: it crashes, or does not want to be seen.
    let mut last = State::Ok;
    for minute in 0..12 {
        let age = 10 + minute * 7 % 40;
        let pid = i32::try_from(minute).unwrap() + 100;
        last = run(&mut memory, minute * 60, &[hog(pid, "again", age, age)]).state;
        if minute < 9 {
            assert_eq!(last, State::Ok);
        }
    }
    assert_eq!(last, State::Warning);
    // Others are other findings: another program, another user, one that was there before.
    let mut other = hog(200, "again", 10, 10);
    other.uid = Some(0);
    for hog in [other, hog(201, "other", 10, 10), hog(202, "again", 90_000, 60)] {
        assert_eq!(run(&mut memory.clone(), 720, &[hog]).state, State::Ok);
    }
    // And one beside which the first goes on.
    let verdict = run(
        &mut memory,
        720,
        &[hog(111, "again", 60, 60), hog(112, "again", 5, 5)],
    );
    assert_eq!(told(&verdict).1, [111]);
}

#[test]
fn who_forks_and_takes_another_name_does_not_begin_anew() {
    let lasts = |program: &str| {
        let mut memory = Memory::default();
        let states = (0..12u8).map(|minute| {
            let mut hog = hog(100 + i32::from(minute), program, 50, 50);
            hog.name = vec![b'a' + minute];
            run(&mut memory, u64::from(minute) * 60, &[hog]).state
        });
        states.last()
    };
    assert_eq!(lasts("/opt/forks"), Some(State::Warning));
    // What an interpreter runs, or a program that can't be read, is told apart by nothing else.
    for program in ["/usr/bin/perl", "/bin/busybox", "forks"] {
        assert_eq!(lasts(program), Some(State::Ok), "{program}");
    }
}

#[test]
fn after_a_long_pause_the_clocks_tell_whether_it_went_on() {
    let spins = [hog(7, "spins", 90_000, 3)];
    let after = |pause: u64, went_on: bool| {
        let mut memory = Memory::default();
        run(&mut memory, 1000, &spins);
        run_over(&mut memory, 1000 + pause, &spins, went_on).state
    };
    assert_eq!(after(600, false), State::Warning);
    assert_eq!(after(601, false), State::Ok);
    assert_eq!(after(1800, true), State::Warning);
    assert_eq!(after(3600, true), State::Critical);
    // A successor can't be told over a long pause.
    let mut memory = Memory::default();
    run(&mut memory, 1000, &spins);
    let other = [hog(8, "spins", 100, 3)];
    assert_eq!(run_over(&mut memory, 2000, &other, true).state, State::Ok);
}

#[test]
fn a_run_that_can_not_tell_does_not_end_what_goes_on() {
    let mut memory = Memory::default();
    let spins = [hog(7, "spins", 90_000, 60)];
    for minute in 0..9 {
        run(&mut memory, minute * 60, &spins);
    }
    for (undecided, found, want) in [
        (vec![7], vec![], State::Warning),
        // One that matches for certain beside it does not end it either.
        (vec![7], vec![hog(8, "other", 90_000, 60)], State::Warning),
        // It is another one of which it can't be told: this one was seen, and idle.
        (vec![8], vec![], State::Ok),
    ] {
        let mut memory = memory.clone();
        let mut unknown = verdict("cpu.demand>90%:0", &host(Vec::new()));
        unknown.state = State::Unknown;
        unknown.undecided = undecided;
        unknown.sightings = found;
        memory.note(&busy(), &unknown, 9 * 60, Duration::ZERO, &|_| false);
        assert_eq!(run(&mut memory, 10 * 60, &spins).state, want);
    }
}

#[test]
fn what_a_file_says_of_the_future_began_now() {
    let mut memory = Memory::default();
    let spins = [hog(7, "spins", 90_000, 60)];
    run(&mut memory, 10_000, &spins);
    let key = key(&busy());
    memory.checks.get_mut(&key).unwrap().since[0].since = 1_000_000;
    run(&mut memory, 10_060, &spins);
    assert_eq!(memory.checks[&key].since[0].since, 10_060);
}

#[test]
fn checks_that_are_not_run_any_more_are_forgotten_after_a_week() {
    let mut memory = Memory::default();
    memory.note(
        &cron(),
        &outcome(State::Ok, &[7], false),
        0,
        Duration::ZERO,
        &|_| false,
    );
    memory.note(
        &busy(),
        &outcome(State::Ok, &[], false),
        7 * 86_400,
        Duration::ZERO,
        &|_| false,
    );
    assert_eq!(memory.checks.len(), 2);
    memory.note(
        &busy(),
        &outcome(State::Ok, &[], false),
        7 * 86_400 + 1,
        Duration::ZERO,
        &|_| false,
    );
    assert_eq!(memory.checks.len(), 1);
}

#[test]
fn a_finding_of_the_last_run_is_known_again() {
    let mut memory = Memory::default();
    memory.note(
        &cron(),
        &outcome(State::Critical, &[7], false),
        0,
        Duration::ZERO,
        &|_| false,
    );
    let mut now = outcome(State::Critical, &[7, 8], false);
    memory.recognise(&cron(), &mut now);
    let known: Vec<bool> = now.sightings.iter().map(|seen| seen.known_before).collect();
    assert_eq!(known, [true, false]);
}

#[test]
fn limits_of_restarts_are_read() {
    assert_eq!(
        parse_restarts("3 per 1h"),
        Ok(Restarts {
            count: 3,
            per: Duration::from_secs(3600)
        })
    );
    for text in [
        "",
        "3",
        "3 per",
        "3 per 1s",
        "x per 1h",
        "3 per 2d",
        "-1 per 1h",
        "3 in 1h",
        "1000 per 1d",
    ] {
        assert!(parse_restarts(text).is_err(), "{text}");
    }
}

/// What is told of one check after each of these runs, where a failure is pending for so many seconds.
fn pending(grace: u64, runs: &[(u64, State)]) -> Vec<State> {
    let mut memory = Memory::default();
    let mut told = Vec::new();
    for (at, state) in runs {
        let mut verdict = outcome(*state, if *state == State::Ok { &[7] } else { &[] }, false);
        memory.note(&cron(), &verdict, *at, Duration::from_secs(grace), &|_| false);
        memory.of(&cron()).unwrap().hold_back(&mut verdict, *at);
        told.push(verdict.state);
    }
    told
}

#[test]
fn a_failure_is_pending_until_its_time_has_passed() {
    use State::{Critical, Ok};
    let runs = [
        (0, Ok),
        (60, Critical),
        (63, Critical),
        (65, Critical),
        (66, Critical),
    ];
    // What began at 60.9 s has lasted for 4.1 s at 65.0 s.
    assert_eq!(pending(5, &runs), [Ok, Ok, Ok, Ok, Critical]);
    // A restart between two runs is no news, and the next failure has its own time.
    let runs = [
        (0, Ok),
        (60, Critical),
        (62, Ok),
        (120, Critical),
        (124, Critical),
    ];
    assert_eq!(pending(5, &runs), [Ok, Ok, Ok, Ok, Ok]);
    // Runs further apart than the time: the second failing one counts.
    assert_eq!(
        pending(5, &[(0, Ok), (60, Critical), (120, Critical)]),
        [Ok, Ok, Critical]
    );
}

#[test]
fn a_failure_is_pending_only_where_the_run_before_found_all_well() {
    use State::{Critical, Ok, Unknown};
    assert_eq!(pending(5, &[(0, Critical), (2, Critical)]), [Critical, Critical]);
    assert_eq!(
        pending(5, &[(0, Ok), (60, Unknown), (62, Critical)]),
        [Ok, Unknown, Critical]
    );
    assert_eq!(
        pending(5, &[(0, Ok), (60, Critical), (61, Unknown), (62, Critical)]),
        [Ok, Ok, Unknown, Critical]
    );
    assert_eq!(pending(0, &[(0, Ok), (60, Critical)]), [Ok, Critical]);
}

/// What is told after each run, where those that are not `saved` can't be remembered.
fn forgetful(grace: u64, runs: &[(u64, State, bool)]) -> Vec<State> {
    let mut file = Memory::default();
    let mut told = Vec::new();
    for (at, state, saved) in runs {
        let mut memory = file.clone();
        let mut verdict = outcome(*state, if *state == State::Ok { &[7] } else { &[] }, false);
        memory.note(&cron(), &verdict, *at, Duration::from_secs(grace), &|_| false);
        memory.of(&cron()).unwrap().hold_back(&mut verdict, *at);
        told.push(verdict.state);
        if *saved {
            file = memory;
        }
    }
    told
}

#[test]
fn a_failure_is_told_once_whichever_runs_can_not_be_remembered() {
    use State::{Critical, Ok};
    for grace in [5, 100, 400] {
        for saved in 0_u32..256 {
            let well = [(0, Ok, true), (60, Ok, true)];
            let failing = (0..8).map(|run| (120 + run * 60, Critical, saved & (1 << run) != 0));
            let runs: Vec<_> = well.into_iter().chain(failing).collect();
            let told = forgetful(grace, &runs);
            let since = told.iter().position(|state| *state == Critical);
            let since = since.unwrap_or(told.len());
            assert!(
                told[since..].iter().all(|state| *state == Critical),
                "{saved:b}: {told:?}"
            );
            if grace == 5 {
                assert!(since <= 3, "{saved:b}: {told:?}");
            }
        }
    }
}

#[test]
fn a_failure_after_a_pause_in_which_a_run_may_be_lacking_counts_at_once() {
    use State::{Critical, Ok};
    assert_eq!(pending(5, &[(0, Ok), (90, Critical)]), [Ok, Ok]);
    assert_eq!(pending(5, &[(0, Ok), (91, Critical)]), [Ok, Critical]);
    // Who comes every five minutes may come a little later.
    assert_eq!(pending(5, &[(0, Ok), (300, Ok), (700, Critical)]), [Ok, Ok, Ok]);
    assert_eq!(
        pending(5, &[(0, Ok), (300, Ok), (751, Critical)]),
        [Ok, Ok, Critical]
    );
    assert_eq!(
        pending(5, &[(0, Ok), (9000, Ok), (9601, Critical)]),
        [Ok, Ok, Critical]
    );
    assert_eq!(pending(120, &[(0, Ok), (110, Critical)]), [Ok, Ok]);
    // A run in a time to come was never noted by us.
    assert_eq!(pending(5, &[(200, Ok), (100, Critical)]), [Ok, Critical]);
}

#[test]
fn a_failure_that_is_noted_for_a_time_to_come_counts_at_once() {
    let mut memory = Memory::default();
    let mut note = |verdict: &mut Verdict, at, since: Option<u64>| {
        let known = memory.checks.entry(key(&cron())).or_default();
        known.pending_since = since.or(known.pending_since);
        memory.note(&cron(), verdict, at, Duration::from_secs(5), &|_| false);
        memory.of(&cron()).unwrap().hold_back(verdict, at);
        verdict.state
    };
    assert_eq!(note(&mut outcome(State::Ok, &[7], false), 0, None), State::Ok);
    assert_eq!(
        note(&mut outcome(State::Critical, &[], false), 60, None),
        State::Ok
    );
    let failing = &mut outcome(State::Critical, &[], false);
    assert_eq!(note(failing, 61, Some(u64::MAX)), State::Critical);
}

#[test]
fn what_must_not_run_is_never_pending() {
    let forbidden = check("in.telnetd:0", &host(Vec::new()));
    let mut memory = Memory::default();
    let note = |memory: &mut Memory, verdict: &Verdict, at| {
        memory.note(&forbidden, verdict, at, Duration::from_secs(5), &|_| false);
    };
    note(&mut memory, &outcome(State::Ok, &[], false), 0);
    let mut found = outcome(State::Critical, &[7], false);
    note(&mut memory, &found, 60);
    memory.of(&forbidden).unwrap().hold_back(&mut found, 60);
    assert_eq!(found.state, State::Critical);
}

#[test]
fn failures_that_were_pending_and_passed_make_a_check_restarting() {
    let mut memory = Memory::default();
    for at in 0..7 {
        let state = if at % 2 == 0 { State::Ok } else { State::Critical };
        let verdict = outcome(state, if at % 2 == 0 { &[7] } else { &[] }, false);
        memory.note(&cron(), &verdict, at * 60, Duration::from_secs(5), &|_| false);
    }
    assert!(memory.of(&cron()).unwrap().restarting);
}
