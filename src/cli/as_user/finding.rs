//! Which checks need more than a user's rights: pure, from the verdicts with and without what could be granted.

use super::person::Rights;
use crate::judge::{Check, State, Verdict};
use crate::select::{Capability, Key, Matcher, Op};

/// How a check suffers from rights that lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It is UNKNOWN.
    Unknown,
    /// It says something else than with what could be granted.
    Differs,
    /// Nothing runs now that it could not read, but it will be UNKNOWN when such a process does.
    Later,
}

/// Whether and how the check needs more than these rights. `verdict` is what it gives with them, `granted` what it
/// gave with all that could be granted, where that could be tried.
pub(super) fn kind(
    check: &Check,
    verdict: &Verdict,
    granted: Option<&Verdict>,
    rights: &Rights<'_>,
) -> Option<Kind> {
    let rests_on_rights = !lacking(check, rights.held).is_empty();
    if verdict.state == State::Unknown {
        return Some(Kind::Unknown);
    }
    // Processes come and go between two looks, so only a check that rests on rights may differ for want of them.
    if rests_on_rights && granted.is_some_and(|granted| granted.state != verdict.state) {
        return Some(Kind::Differs);
    }
    let may_be_unknown = check.state_of_interval(0, u64::MAX) == State::Unknown;
    let of_others = rests_on_rights && !is_about(check, rights.uid);
    let nothing_there = check.count.min == 0 || verdict.matched == 0;
    (of_others && may_be_unknown && nothing_there).then_some(Kind::Later)
}

/// Whether the check asks only for processes of this user, which he may read.
fn is_about(check: &Check, uid: u32) -> bool {
    let own = |matcher: &Matcher| matches!(matcher, Matcher::Number(id, _) if *id == i64::from(uid));
    check.selector.terms.iter().any(|term| {
        matches!(term.key, Key::User | Key::UidEffective) && term.op == Op::Is && term.values.iter().all(own)
    })
}

/// The capabilities that the check's terms take and that are not held.
pub(super) fn lacking(check: &Check, held: &[Capability]) -> Vec<Capability> {
    let mut capabilities: Vec<Capability> = Vec::new();
    let keys = check.restricted_keys().into_iter();
    for capability in keys.flat_map(|key| key.capabilities().iter().copied()) {
        if !capabilities.contains(&capability) && !held.contains(&capability) {
            capabilities.push(capability);
        }
    }
    capabilities
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Snapshot;
    use crate::testing::{Build, check, host, process, verdict};

    const ALICE: u32 = 1000;

    fn kind_of(spec: &str, as_alice: &Snapshot, granted: &Snapshot) -> Option<Kind> {
        let check = check(spec, granted);
        kind(
            &check,
            &verdict(spec, as_alice),
            Some(&verdict(spec, granted)),
            &Rights {
                uid: ALICE,
                held: &[],
            },
        )
    }

    #[test]
    fn what_lacks_a_right_now_later_or_in_secret_is_found() {
        let renamed = || process(12, "lurker").exe("/usr/sbin/hidden");
        let as_alice = host(vec![
            process(10, "sshd").exe_denied(),
            process(11, "own").uid(ALICE),
            renamed().exe_denied(),
        ]);
        let granted = host(vec![
            process(10, "sshd"),
            process(11, "own").uid(ALICE),
            renamed(),
        ]);
        for (spec, kind) in [
            ("sshd:1", None),
            ("/usr/sbin/sshd:1", Some(Kind::Unknown)),
            ("/usr/sbin/in.telnetd:0", Some(Kind::Unknown)),
            // It calls itself otherwise: a user without the right takes it for missing.
            ("/usr/sbin/hidden:1", Some(Kind::Differs)),
            ("/usr/sbin/gone:1", Some(Kind::Later)),
            ("/usr/sbin/gone,user=alice:1", None),
            ("/usr/sbin/own:1", None),
            ("/usr/sbin/own:0-", None),
            ("exe.deleted=yes,user=alice:0", None),
        ] {
            assert_eq!(kind_of(spec, &as_alice, &granted), kind, "{spec}");
        }
    }

    #[test]
    fn a_check_that_forbids_is_found_although_nothing_is_hidden_now() {
        let alone = Snapshot {
            processes: vec![process(11, "own").uid(ALICE)],
            ..host(vec![])
        };
        assert_eq!(
            kind_of("/usr/sbin/in.telnetd:0", &alone, &alone),
            Some(Kind::Later)
        );
        assert_eq!(kind_of("in.telnetd:0", &alone, &alone), None);
    }
}
