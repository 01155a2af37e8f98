//! The supervisor only waits, and needs no capability for it.

use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};

/// What the program was started with; nothing where that can't be told.
pub(super) struct Rights(Option<CapabilitySets>);

impl Rights {
    pub(super) fn of_this_process() -> Rights {
        Rights(capabilities(None).ok().filter(|sets| !sets.effective.is_empty()))
    }

    /// The permitted ones stay, for the next worker.
    pub(super) fn lay_down(&self) {
        self.set(CapabilitySet::empty());
    }

    pub(super) fn take_up(&self) {
        self.set(
            self.0
                .as_ref()
                .map_or(CapabilitySet::empty(), |sets| sets.effective),
        );
    }

    fn set(&self, effective: CapabilitySet) {
        if let Some(sets) = &self.0 {
            let _ = set_capabilities(None, CapabilitySets { effective, ..*sets });
        }
    }
}
