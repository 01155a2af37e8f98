//! What is restarted again and again, and what is not.

use super::*;
use crate::memory::restarts::parse_restarts;

fn after(runs: &[(u64, Verdict)]) -> Recollection {
    let mut memory = Memory::default();
    for (at, verdict) in runs {
        note(&mut memory, &cron(), verdict, *at);
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
        note(&mut memory, &cron(), &outcome(State::Ok, &[pid], false), at);
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
        note(&mut memory, &check, &outcome(State::Ok, &pool, false), now);
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
        note(&mut memory, &check, &outcome(State::Ok, &[pid], false), at);
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
        note(&mut memory, &check, &outcome(State::Ok, &[pid], false), now);
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
