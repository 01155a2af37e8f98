use super::*;
use crate::testing::{check, host};

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn sighting(pid: i32, program: &str, age: u64) -> Sighting {
    Sighting {
        pid,
        start: u64::try_from(pid).unwrap(),
        cpu: Duration::ZERO,
        program: program.into(),
        uid: Some(0),
        age: Some(ms(age)),
        name: program.into(),
        known_before: false,
        span: Duration::ZERO,
    }
}

fn verdict(state: State, manner: Manner, sightings: &[Sighting]) -> Verdict {
    let mut verdict = crate::testing::verdict("cron:1", &host(Vec::new()));
    verdict.matched = sightings.len() as u64;
    verdict.state = state;
    verdict.manner = manner;
    verdict.passing = false;
    verdict.sightings = sightings.to_vec();
    verdict.story.clear();
    verdict
}

fn checked(spec: &str) -> Check {
    check(spec, &host(Vec::new()))
}

/// Looks when the history wants to, at most `limit` times, and gives the times.
fn looks(
    spec: &str,
    window: Duration,
    mut see: impl FnMut(Duration) -> Verdict,
) -> (Vec<u128>, History, Verdict) {
    let check = checked(spec);
    let (mut history, mut at, mut times) = (History::default(), ms(0), Vec::new());
    loop {
        let seen = see(at);
        times.push(at.as_millis());
        history.add(at, &seen);
        assert!(times.len() < 100, "{times:?}");
        match history.next_look(&check, window) {
            Some(next) => {
                assert!(next > at, "{times:?}");
                at = next;
            }
            None => {
                let mut last = seen;
                history.tell(&check, &mut last, &Earlier::default());
                return (times, history, last);
            }
        }
    }
}

fn ok() -> Verdict {
    verdict(State::Ok, Manner::Fine, &[sighting(970, "/usr/sbin/cron", 300)])
}
fn missing() -> Verdict {
    verdict(State::Critical, Manner::Missing, &[])
}

#[test]
fn what_passes_is_looked_at_once() {
    assert_eq!(looks("cron:1", ms(5000), |_| ok()).0, [0]);
}

#[test]
fn without_a_window_a_failure_is_looked_at_twice() {
    assert_eq!(looks("cron:1", ms(0), |_| missing()).0, [0, 20]);
}

#[test]
fn a_failure_is_looked_at_at_growing_pauses_until_its_window_ends() {
    let (times, _, last) = looks("cron:1", ms(5000), |_| missing());
    assert_eq!(times, [0, 20, 60, 140, 300, 620, 1260, 2260, 3260, 4260, 5000]);
    assert_eq!(last.story, ["missing for the whole 5 s"]);
}

#[test]
fn a_pass_ends_the_wait() {
    let (times, _, last) = looks(
        "cron:1",
        ms(5000),
        |at| if at < ms(250) { missing() } else { ok() },
    );
    assert_eq!(times, [0, 20, 60, 140, 300]);
    assert_eq!(last.story, ["missing for 0.3 s; pid 970 started 0.3 s ago"]);
}

#[test]
fn two_generations_are_told_apart() {
    let both = [
        sighting(812, "/usr/sbin/x", 90_000_000),
        sighting(970, "/usr/sbin/x", 300),
    ];
    let two = || verdict(State::Critical, Manner::TooMany, &both);
    let (_, _, last) = looks("cron:1", ms(5000), |at| if at < ms(250) { two() } else { ok() });
    assert_eq!(
        last.story,
        ["two generations overlapped for 0.3 s (pid 812 → 970)"]
    );
    let (_, _, last) = looks("cron:1", ms(5000), |_| two());
    assert_eq!(
        last.story,
        ["too many for the whole 5 s; two generations overlapping (pid 812, and pid 970 since 0.3 s)"]
    );
}

#[test]
fn a_second_process_that_ends_is_no_generation() {
    let old = || sighting(812, "/usr/sbin/x", 90_000_000);
    let both = [old(), sighting(970, "/usr/sbin/x", 300)];
    let (_, _, last) = looks("cron:1", ms(5000), |at| match at.as_millis() {
        0..250 => verdict(State::Critical, Manner::TooMany, &both),
        _ => verdict(State::Ok, Manner::Fine, &[old()]),
    });
    assert_eq!(last.story, ["too many for 0.3 s (pid 970 is gone)"]);
}

/// What is told with what the run before, a minute ago, saw.
fn told(seen: &[Verdict], known: &[i32]) -> Vec<String> {
    let mut history = History::default();
    for (look, verdict) in seen.iter().enumerate() {
        history.add(ms(look as u64 * 1000), verdict);
    }
    let earlier = Earlier {
        processes: known
            .iter()
            .map(|pid| (*pid, u64::try_from(*pid).unwrap()))
            .collect(),
        ago: Some(ms(60_000)),
    };
    let mut last = seen.last().unwrap().clone();
    history.tell(&checked("cron:1"), &mut last, &earlier);
    last.story
}

#[test]
fn who_was_replaced_is_known_from_the_run_before() {
    assert_eq!(told(&[ok()], &[970]), [""; 0]);
    assert_eq!(told(&[ok()], &[]), [""; 0]);
    assert_eq!(told(&[ok()], &[812]), ["replaced 0.3 s ago (pid 812 → 970)"]);
    assert_eq!(
        told(&[missing(), ok()], &[812]),
        ["missing for 1 s; replaced 0.3 s ago (pid 812 → 970)"]
    );
    assert_eq!(told(&[missing(), ok()], &[970]), ["missing for 1 s"]);
    assert_eq!(
        told(&[missing(), missing()], &[812]),
        ["missing for the whole 1 s; last seen as pid 812, 1 min ago"]
    );
    assert_eq!(told(&[missing()], &[812]), ["last seen as pid 812, 1 min ago"]);
}

#[test]
fn of_many_that_were_replaced_none_is_named() {
    let workers: Vec<i32> = (1..=4).collect();
    assert_eq!(told(&[ok()], &workers), [""; 0]);
    assert_eq!(
        told(&[missing(), ok()], &workers),
        ["missing for 1 s; pid 970 started 0.3 s ago"]
    );
    assert_eq!(
        told(&[missing()], &workers),
        ["last seen as pid 1, 2, 3 and 1 more, 1 min ago"]
    );
}

#[test]
fn what_changes_under_our_eyes_is_looked_at_again_and_what_is_forbidden_to_us_is_not() {
    let unseen = |passing| {
        let mut unseen = verdict(State::Unknown, Manner::Unseen, &[]);
        unseen.passing = passing;
        unseen
    };
    assert_eq!(looks("cron:1", ms(0), |_| unseen(true)).0, [0, 20, 60, 140, 300]);
    assert_eq!(looks("cron:1", ms(5000), |_| unseen(false)).0, [0]);
    assert_eq!(looks("cron:0", ms(5000), |_| unseen(false)).0, [0]);
}

fn running(pid: i32) -> Verdict {
    verdict(
        State::Critical,
        Manner::Running,
        &[sighting(pid, "/usr/sbin/in.telnetd", 90)],
    )
}
fn gone() -> Verdict {
    verdict(State::Ok, Manner::Fine, &[])
}

#[test]
fn what_must_not_run_is_confirmed_after_a_second_whatever_the_window() {
    assert_eq!(looks("in.telnetd:0", ms(0), |_| gone()).0, [0]);
    for window in [0, 5000, 45_000] {
        assert_eq!(looks("in.telnetd:0", ms(window), |_| running(7)).0, [0, 1000]);
    }
}

#[test]
fn a_forbidden_program_that_is_gone_at_once_is_no_finding() {
    let (times, _, last) = looks("in.telnetd:0", ms(0), |at| {
        if at < ms(900) { running(7) } else { gone() }
    });
    assert_eq!(times.last(), Some(&2000));
    assert_eq!(last.state, State::Ok);
    assert_eq!(last.story, ["seen for a moment only (pid 7)"]);
}

#[test]
fn a_forbidden_program_that_is_started_anew_every_second_is_found() {
    // It lives for 0.15 s of every second, and has another PID each time.
    let mut phase = 0;
    while phase < 150 {
        let (_, _, last) = looks("in.telnetd:0", ms(0), |at| {
            let now = at.as_millis() as u64 + phase;
            if now % 1000 < 150 {
                running(i32::try_from(now / 1000).unwrap() + 7)
            } else {
                gone()
            }
        });
        assert_eq!(last.manner, Manner::Running, "phase {phase}");
        phase += 7;
    }
}

#[test]
fn another_program_under_the_same_check_is_a_finding_of_its_own() {
    let other = || {
        verdict(
            State::Critical,
            Manner::Running,
            &[sighting(9, "/usr/bin/nc", 90)],
        )
    };
    let (times, ..) = looks("name=nc|in.telnetd:0", ms(0), |at| {
        if at < ms(900) { running(7) } else { other() }
    });
    assert_eq!(times, [0, 1000, 2000]);
}

#[test]
fn a_finding_about_ids_needs_the_same_process_after_three_seconds() {
    let spec = "gid.any=0,uid.any!=0:0";
    assert_eq!(looks(spec, ms(0), |_| running(7)).0, [0, 3000]);
    let (times, _, last) = looks(spec, ms(0), |at| if at < ms(900) { running(7) } else { gone() });
    assert_eq!((times, last.state), (vec![0, 3000], State::Ok));
    // Others pass through the same state, and not all the time: each is another finding, and none lasts.
    let (times, _, last) = looks(spec, ms(0), |at| match at.as_millis() {
        0 => running(7),
        3000 => running(8),
        _ => gone(),
    });
    assert_eq!((times, last.state), (vec![0, 3000, 3150], State::Ok));
    // A run that may not look that often takes it back.
    let mut history = History::default();
    for (at, pid) in [(0, 7), (3000, 8)] {
        history.add(ms(at), &running(pid));
    }
    let mut last = running(8);
    history.settle(&checked(spec), &mut last);
    assert_eq!((last.state, last.matched), (State::Ok, 0));
    assert_eq!(last.left_out, ["1 process that matched for less than 3 s"]);
    let (_, history, mut last) = looks(spec, ms(0), |_| running(7));
    history.settle(&checked(spec), &mut last);
    assert_eq!(last.state, State::Critical);
}

#[test]
fn who_is_another_process_at_every_look_is_found() {
    let anew = |at: Duration| running(i32::try_from(at.as_millis()).unwrap() + 7);
    for (spec, hold) in [
        ("user=33:0", 3000),
        ("gid.any=0,uid.any!=0:0", 3000),
        ("exe.deleted=yes:0", 1000),
    ] {
        let (times, history, mut last) = looks(spec, ms(0), anew);
        let after: Vec<u128> = (0..=7).map(|look| hold + look * 150).collect();
        assert_eq!(times, [vec![0], after].concat());
        history.settle(&checked(spec), &mut last);
        assert_eq!(last.state, State::Critical, "{spec}");
        // One that is not there at every look was half started.
        let (_, history, mut last) = looks(spec, ms(0), |at| {
            if at == ms(u64::try_from(hold).unwrap() + 600) {
                gone()
            } else {
                anew(at)
            }
        });
        history.settle(&checked(spec), &mut last);
        assert_eq!(last.state, State::Ok, "{spec}");
    }
    // There is always a process in some state.
    let (times, history, mut last) = looks("state=D:0", ms(0), anew);
    history.settle(&checked("state=D:0"), &mut last);
    assert_eq!((times, last.state), (vec![0, 1000], State::Ok));
}

/// What is found of these processes, each of a program of its own.
fn found(all: &[(i32, &str)]) -> Verdict {
    let sightings: Vec<Sighting> = all
        .iter()
        .map(|(pid, program)| sighting(*pid, program, 1))
        .collect();
    let mut found = verdict(State::Critical, Manner::Running, &sightings);
    let evidence = |(pid, _): &(i32, &str)| crate::judge::Evidence {
        pid: *pid,
        ..Default::default()
    };
    found.evidence = all.iter().map(evidence).collect();
    found
}

/// Which processes the first line is about.
fn named(verdict: &Verdict) -> Vec<i32> {
    let named = verdict.evidence.iter().filter(|evidence| !evidence.lesser);
    named.map(|evidence| evidence.pid).collect()
}

#[test]
fn who_is_another_program_at_every_look_is_found_too_and_is_nobody_in_particular() {
    let spec = "user=33:0";
    let mut turn = 0;
    let mut flitting = |_| {
        turn += 1;
        found(&[(turn, if turn % 2 == 0 { "/tmp/a" } else { "/tmp/b" })])
    };
    let (times, history, mut last) = looks(spec, ms(0), &mut flitting);
    assert_eq!(times.len(), 9);
    history.settle(&checked(spec), &mut last);
    assert_eq!((last.state, named(&last)), (State::Critical, vec![]));
    assert_eq!(last.story, ["another process at each of 9 looks"]);
    // A rule of an audit is about one process, whoever else comes and goes.
    let mut check = checked(spec);
    check.confirm = Some(ms(3000));
    let mut history = History::default();
    for look in 0..10 {
        history.add(ms(look * 1000), &flitting(ms(0)));
    }
    let mut last = flitting(ms(0));
    history.settle(&check, &mut last);
    assert_eq!(last.state, State::Ok);
}

#[test]
fn the_first_line_is_about_those_that_are_there_all_the_time() {
    for spec in ["user=33:0", "name=nz_*:0"] {
        let mut pid = 10;
        let (_, history, mut last) = looks(spec, ms(0), |_| {
            pid += 1;
            found(&[(7, "/tmp/nz_e"), (pid, "/tmp/nz_a")])
        });
        history.settle(&checked(spec), &mut last);
        assert_eq!((last.matched, named(&last)), (2, vec![7]), "{spec}");
    }
    // Else about the program that is started again and again.
    let mut pid = 10;
    let (_, history, mut last) = looks("name=nz_*:0", ms(0), |_| {
        pid += 1;
        let others = ["/tmp/nz_b", "/tmp/nz_c"];
        found(&[(pid, "/tmp/nz_a"), (pid + 100, others[usize::from(pid % 2 == 0)])])
    });
    history.settle(&checked("name=nz_*:0"), &mut last);
    assert_eq!(named(&last), [pid]);
}

#[test]
fn a_finding_that_is_known_from_an_earlier_run_needs_no_second_look() {
    let known = || {
        let mut seen = running(7);
        seen.sightings[0].known_before = true;
        seen
    };
    assert_eq!(looks("in.telnetd:0", ms(0), |_| known()).0, [0]);
}

/// A process that is over a limit, at an age and over a span of milliseconds.
fn busy(pid: i32, age: u64, span: u64) -> Sighting {
    Sighting {
        span: ms(span),
        ..sighting(pid, "/usr/sbin/spins", age)
    }
}

/// Looks of three seconds for thirty, of what is over the limit at each.
fn lasting(mut see: impl FnMut(Duration) -> Vec<Sighting>) -> (Vec<u128>, Verdict) {
    let mut check = checked("cpu.demand>90%:0");
    check.pace.lasting = ms(30_000);
    let (mut history, mut at, mut times) = (History::default(), ms(0), Vec::new());
    loop {
        let hogs = if at.is_zero() { Vec::new() } else { see(at) };
        let mut seen = if hogs.is_empty() {
            verdict(State::Ok, Manner::Fine, &[])
        } else {
            verdict(State::Critical, Manner::Busy, &hogs)
        };
        seen.awaits = at.is_zero();
        seen.evidence = hogs
            .iter()
            .map(|hog| crate::judge::Evidence {
                pid: hog.pid,
                ..Default::default()
            })
            .collect();
        times.push(at.as_millis());
        history.add(at, &seen);
        let Some(next) = history.next_look(&check, ms(0)) else {
            history.settle(&check, &mut seen);
            return (times, seen);
        };
        at = next;
    }
}

#[test]
fn what_must_last_is_over_the_limit_in_every_look_of_that_time() {
    let (times, last) = lasting(|_| vec![busy(7, 90_000, 3000)]);
    let every_three_seconds: Vec<u128> = (0..=10).map(|n| n * 3000).collect();
    assert_eq!(times, every_three_seconds);
    assert_eq!((last.state, last.matched), (State::Critical, 1));
    assert_eq!(last.evidence[0].lasts, Some(ms(30_000)));
}

#[test]
fn one_look_below_the_limit_is_enough_and_ends_the_wait() {
    let (times, last) = lasting(|at| match at.as_millis() {
        12_000 => vec![],
        _ => vec![busy(7, 90_000, 3000)],
    });
    assert_eq!(times, [0, 3000, 6000, 9000, 12_000]);
    assert_eq!(last.state, State::Ok);
}

#[test]
fn only_those_that_last_are_named() {
    let (_, last) = lasting(|at| {
        let mut hogs = vec![busy(7, 90_000, 3000)];
        hogs.extend((at > ms(15_000)).then(|| busy(8, 90_000, 3000)));
        hogs
    });
    let pids: Vec<i32> = last.evidence.iter().map(|evidence| evidence.pid).collect();
    assert_eq!((last.matched, pids), (1, vec![7]));
    assert_eq!(last.left_out, ["1 process that matched for less than 30 s"]);
}

#[test]
fn what_is_started_anew_in_every_window_lasts_too() {
    // Another PID in every look, 2 s old each time.
    let successor = |at: Duration| busy(i32::try_from(at.as_millis()).unwrap(), 2000, 2000);
    let (times, last) = lasting(|at| vec![successor(at)]);
    assert_eq!((times.last(), last.state), (Some(&33_000), State::Critical));
    assert_eq!(last.evidence[0].lasts, Some(ms(32_000)));
    // Workers that were there before are others.
    let worker = |at: Duration| busy(i32::try_from(at.as_millis()).unwrap(), 90_000, 3000);
    let (times, last) = lasting(|at| vec![worker(at)]);
    assert_eq!((times.last(), last.state), (Some(&33_000), State::Ok));
}
