//! The two capabilities that reading `/proc` may take, and for how long they are in use.
//!
//! The installed copy of the program (`lib/procward/procward`) holds them permitted and not effective: what the caller
//! names, a configuration or a state file, is opened with the caller's own rights, and only while `/proc` is read are they
//! raised. That they are so lent is told by the sets themselves, not by a name or a path.

use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};
use std::cell::Cell;

thread_local! {
    /// What there was before what is lent was raised; capabilities are a thread's.
    static BEFORE: Cell<Option<CapabilitySets>> = const { Cell::new(None) };
}

/// CAP_SYS_PTRACE shows programs, directories and mappings of others' processes, CAP_DAC_READ_SEARCH their descriptors
/// and environments.
pub const OF_USE: CapabilitySet = CapabilitySet::SYS_PTRACE.union(CapabilitySet::DAC_READ_SEARCH);

/// Those of use that are permitted and not effective.
#[must_use]
pub fn lent() -> CapabilitySet {
    capabilities(None).map_or(CapabilitySet::empty(), |sets| lent_in(&sets))
}

fn lent_in(sets: &CapabilitySets) -> CapabilitySet {
    sets.permitted.intersection(OF_USE).difference(sets.effective)
}

/// Gives up what is lent, for good; what the caller had himself stays.
pub fn give_up() {
    if let Ok(sets) = capabilities(None) {
        let permitted = sets.permitted.difference(lent_in(&sets));
        let _ = set_capabilities(None, CapabilitySets { permitted, ..sets });
    }
}

/// What is lent is in use while this lives.
#[derive(Debug)]
#[must_use = "dropped, it is not raised any more"]
pub struct Raised(Option<CapabilitySets>);

/// The only place where what is lent is raised. Within another one it changes nothing.
pub fn raise() -> Raised {
    let before = capabilities(None).ok().filter(|sets| !lent_in(sets).is_empty());
    if let Some(before) = &before {
        let _ = set_capabilities(None, with_lent(before));
        BEFORE.set(Some(*before));
    }
    Raised(before)
}

fn with_lent(before: &CapabilitySets) -> CapabilitySets {
    CapabilitySets {
        effective: before.effective.union(lent_in(before)),
        ..*before
    }
}

/// Whether what is lent is raised now.
#[must_use]
pub fn is_raised() -> bool {
    BEFORE.get().is_some()
}

/// Does what somebody else says, a process of the caller's for example, without what is lent.
pub fn lowered<T>(act: impl FnOnce() -> T) -> T {
    let Some(before) = BEFORE.take() else {
        return act();
    };
    let _ = set_capabilities(None, before);
    let done = act();
    let _ = set_capabilities(None, with_lent(&before));
    BEFORE.set(Some(before));
    done
}

impl Drop for Raised {
    fn drop(&mut self) {
        // To use less takes no right: cap_capset() of security/commoncap.c.
        if let Some(before) = self.0 {
            let _ = set_capabilities(None, before);
            BEFORE.set(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Capabilities are a thread's.
    fn apart(test: fn()) {
        std::thread::spawn(test).join().unwrap();
    }

    fn hold(permitted: CapabilitySet, effective: CapabilitySet) -> bool {
        let sets = CapabilitySets {
            permitted,
            effective,
            inheritable: CapabilitySet::empty(),
        };
        set_capabilities(None, sets).is_ok()
    }

    fn effective() -> CapabilitySet {
        capabilities(None).unwrap().effective
    }

    #[test]
    fn what_is_lent_is_in_use_only_while_it_is_raised() {
        apart(|| {
            if !hold(OF_USE | CapabilitySet::CHOWN, CapabilitySet::empty()) {
                return assert!(!rustix::process::geteuid().is_root() || lent().is_empty());
            }
            assert_eq!((lent(), effective()), (OF_USE, CapabilitySet::empty()));
            let raised = raise();
            assert_eq!((lent(), effective()), (CapabilitySet::empty(), OF_USE));
            drop(raise());
            assert_eq!((is_raised(), effective()), (true, OF_USE));
            assert_eq!(lowered(effective), CapabilitySet::empty());
            assert_eq!((is_raised(), effective()), (true, OF_USE));
            drop(raised);
            assert!(!is_raised());
            lowered(|| assert_eq!(effective(), CapabilitySet::empty()));
            assert_eq!((lent(), effective()), (OF_USE, CapabilitySet::empty()));
            let panicked = std::panic::catch_unwind(|| {
                let _raised = raise();
                std::panic::resume_unwind(Box::new(()));
            });
            assert!(panicked.is_err());
            assert_eq!(effective(), CapabilitySet::empty());
            give_up();
            assert_eq!(lent(), CapabilitySet::empty());
            drop(raise());
            assert_eq!(capabilities(None).unwrap().permitted, CapabilitySet::CHOWN);
        });
    }

    #[test]
    fn what_the_caller_has_himself_is_neither_lent_nor_given_up() {
        apart(|| {
            let own = CapabilitySet::SYS_PTRACE;
            if !hold(OF_USE, own) {
                return assert!(!rustix::process::geteuid().is_root() || lent().is_empty());
            }
            assert_eq!(lent(), CapabilitySet::DAC_READ_SEARCH);
            give_up();
            let sets = capabilities(None).unwrap();
            assert_eq!((sets.permitted, sets.effective), (own, own));
            drop(raise());
            assert_eq!(effective(), own);
        });
    }
}
