//! What goes on for long, from run to run, whoever it is started anew as.

use super::*;

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
        note(&mut memory, &busy(), &unknown, 9 * 60);
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
