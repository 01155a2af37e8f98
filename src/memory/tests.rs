mod patience;
mod restarts;

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

/// Notes what came of a check, of which nothing is pending.
fn note(memory: &mut Memory, check: &Check, verdict: &Verdict, at: u64) {
    memory.note(check, verdict, at, Duration::ZERO, &|_| false);
}

#[test]
fn another_selector_under_the_same_name_is_another_check() {
    let mut memory = Memory::default();
    note(&mut memory, &cron(), &outcome(State::Ok, &[7], true), 0);
    let mut other = check("crond:1", &host(Vec::new()));
    other.name = cron().name;
    assert!(memory.of(&other).is_none());
    note(&mut memory, &other, &outcome(State::Ok, &[8], false), 60);
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

#[test]
fn checks_that_are_not_run_any_more_are_forgotten_after_a_week() {
    let mut memory = Memory::default();
    note(&mut memory, &cron(), &outcome(State::Ok, &[7], false), 0);
    note(&mut memory, &busy(), &outcome(State::Ok, &[], false), 7 * 86_400);
    assert_eq!(memory.checks.len(), 2);
    note(
        &mut memory,
        &busy(),
        &outcome(State::Ok, &[], false),
        7 * 86_400 + 1,
    );
    assert_eq!(memory.checks.len(), 1);
}

#[test]
fn a_finding_of_the_last_run_is_known_again() {
    let mut memory = Memory::default();
    note(&mut memory, &cron(), &outcome(State::Critical, &[7], false), 0);
    let mut now = outcome(State::Critical, &[7, 8], false);
    memory.recognise(&cron(), &mut now);
    let known: Vec<bool> = now.sightings.iter().map(|seen| seen.known_before).collect();
    assert_eq!(known, [true, false]);
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
