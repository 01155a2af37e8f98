//! Of any host: a verdict holds whatever was behind what could not be read, and what is said to write means the same.

use super::*;
use proptest::prelude::*;

fn ranges() -> impl Strategy<Value = Range> {
    (0u64..7, proptest::option::of(0u64..5)).prop_map(|(min, spread)| Range {
        min,
        max: spread.map(|spread| min + spread),
    })
}

fn whys() -> impl Strategy<Value = Why> {
    proptest::sample::select(vec![
        Why::Denied,
        Why::Empty,
        Why::Malformed,
        Why::Torn,
        Why::Errno(5),
        Why::Absent,
    ])
}

/// A process that `x,user=root` means, does not mean, or may mean.
fn of_owner(pid: i32, owner: Fact<(u32, u32)>) -> Process {
    process(pid, "x").change(|p| p.owner = owner)
}

/// What the verdict must be where it would be one of `states`.
fn verdict_over(states: &[State]) -> State {
    if states.iter().all(|state| *state == OK) {
        OK
    } else if states.contains(&OK) {
        UNKNOWN
    } else if states.contains(&State::Warning) {
        State::Warning
    } else {
        CRITICAL
    }
}

proptest! {
    /// OK only if it is OK for each, failing only if it fails for each (then the milder), else UNKNOWN with the reason
    /// and the remedy: by judging every host that this one may be.
    #[test]
    fn the_verdict_holds_for_every_assignment_of_the_unknown(
        range in ranges(), warning in proptest::option::of(ranges()), mild: bool,
        matched in 0i32..5, others in 0i32..3, unknown in proptest::collection::vec(whys(), 0..6),
        hidden: bool,
    ) {
        let known: Vec<Process> = (0..matched + others)
            .map(|n| of_owner(10 + n, Fact::Value(if n < matched { (0, 0) } else { (1000, 1000) })))
            .collect();
        let host_with = |owners: Vec<Fact<(u32, u32)>>| {
            let more = owners.into_iter().zip(100..).map(|(owner, pid)| of_owner(pid, owner));
            host(known.iter().cloned().chain(more).collect())
        };
        let mut seen = host_with(unknown.iter().map(|why| Fact::Unreadable(*why)).collect());
        if hidden {
            seen.gaps.push(Gap::HidePid("2".into()));
        }
        let mut check = check("x,user=root:0", &seen);
        check.count = range;
        check.warning = warning;
        check.severity = if mild { State::Warning } else { CRITICAL };
        let item = [Item::Check(Box::new(check))];
        let judged = |snapshot: &Snapshot| judge(&item, snapshot, &snapshot.accounts).verdicts.remove(0);

        // No range ends above 11: twelve hidden processes are as many as any number.
        let hidden_ones = if hidden { 0..=12 } else { 0..=0 };
        let mut states = Vec::new();
        for assignment in 0..1usize << unknown.len() {
            for more in hidden_ones.clone() {
                let owners = (0..unknown.len())
                    .map(|bit| assignment >> bit & 1 == 1)
                    .chain(std::iter::repeat_n(true, more))
                    .map(|means| Fact::Value(if means { (0, 0) } else { (1000, 1000) }));
                states.push(judged(&host_with(owners.collect())).state);
            }
        }

        let verdict = judged(&seen);
        prop_assert_eq!(verdict.state, verdict_over(&states), "{:?}", states);
        let possible = if hidden { u64::MAX } else { unknown.len() as u64 };
        prop_assert_eq!((verdict.matched, verdict.unknown), (matched as u64, possible));
        let told = verdict.state == UNKNOWN;
        prop_assert_eq!(verdict.manner == Manner::Unseen, told);
        prop_assert_eq!(!verdict.reasons.is_empty(), told);
        prop_assert_eq!(!verdict.remedies.is_empty(), told);
        if told {
            for why in &unknown {
                let reason = |reason: &&String| reason.starts_with("user of ") && reason.ends_with(&why.text());
                prop_assert!(verdict.reasons.iter().any(|text| reason(&text)), "{:?}", verdict.reasons);
            }
            let gap = verdict.reasons.iter().any(|reason| reason.starts_with("incomplete view: "));
            prop_assert_eq!(gap, hidden);
        }
    }

    #[test]
    fn whatever_a_process_is_called_its_alternative_is_a_spec_that_means_just_it(name in "\\PC{1,12}", uid in 0u32..4) {
        let host = host(vec![
            process(10, "sshd").exe_denied(),
            process(20, &name).exe_denied().uid(uid),
        ]);
        let check = check("exe=/opt/program:1", &host);
        let proven = crate::judge::alternative::proven_alternative(&check, &[2], &host, &host.accounts);
        // A name that the kernel cut within a character can't be written, nor one that looks like a path.
        prop_assert!(proven.is_some() || name.len() > 15 || name.contains(['/', '"']), "{}", name);
        if let Some(selector) = proven {
            prop_assert!(!selector.mentions(crate::select::Key::Exe));
            let spec = format!("{}:1", selector.text);
            prop_assert_eq!(count(&spec, &host), (OK, 1), "{}", spec);
        }
    }
}
