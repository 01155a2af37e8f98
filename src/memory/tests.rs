use super::restarts::parse_restarts;
use super::*;
use crate::judge::Manner;
use crate::testing::{check, host, verdict};

fn seen(ids: &[i32]) -> Vec<Sighting> {
    ids.iter()
        .map(|pid| Sighting {
            pid: *pid,
            start: u64::try_from(*pid).unwrap(),
            program: b"/usr/sbin/cron".to_vec(),
            uid: Some(0),
            age: None,
            known_before: false,
        })
        .collect()
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
        memory.note(&cron(), verdict, *at);
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
    runs.extend((10..14).map(|n| (n * 60, outcome(State::Ok, &[10], false))));
    assert_eq!(after(&runs).restarts(None, 900), None);
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
fn a_gap_does_not_hide_that_the_process_is_another_one() {
    let known = after(&[
        (0, outcome(State::Ok, &[7], false)),
        (60, outcome(State::Critical, &[], true)),
        (120, outcome(State::Ok, &[8], false)),
    ]);
    assert_eq!(known.replaced, [120]);
}

#[test]
fn another_selector_under_the_same_name_is_another_check() {
    let mut memory = Memory::default();
    memory.note(&cron(), &outcome(State::Ok, &[7], true), 0);
    let mut other = check("crond:1", &host(Vec::new()));
    other.name = cron().name;
    assert!(memory.of(&other).is_none());
    memory.note(&other, &outcome(State::Ok, &[8], false), 60);
    assert_eq!(memory.of(&other).unwrap().runs.len(), 1);
    assert!(memory.of(&other).unwrap().replaced.is_empty());
}

#[test]
fn what_goes_on_is_told_since_when_and_a_long_pause_starts_anew() {
    let over = |at| (at, outcome(State::Critical, &[7], false));
    assert_eq!(
        after(&[over(100), over(160), over(700)]).lasts(760),
        Some(Duration::from_secs(660))
    );
    assert_eq!(
        after(&[over(100), over(2000)]).lasts(2060),
        Some(Duration::from_secs(60))
    );
    assert_eq!(
        after(&[over(100), (160, outcome(State::Ok, &[], false)), over(220)]).lasts(220),
        Some(Duration::ZERO)
    );
}

#[test]
fn a_finding_of_the_last_run_is_known_again() {
    let mut memory = Memory::default();
    memory.note(&cron(), &outcome(State::Critical, &[7], false), 0);
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
    ] {
        assert!(parse_restarts(text).is_err(), "{text}");
    }
}
