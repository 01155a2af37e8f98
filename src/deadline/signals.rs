//! Signals that tell us to end, as something to wait for: a run ends with what it knows, and never by a signal, which
//! mon takes for success.

use super::fork::is_ignored;
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::os::fd::{AsFd, BorrowedFd};

/// Those that end a process unless it says otherwise, and that are sent: by a terminal, by timeout(1), by a timer that was
/// set before an exec, by whoever is at a loss. Those that a fault raises cannot be held.
const ALL: [Signal; 12] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGALRM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGVTALRM,
    Signal::SIGPROF,
    Signal::SIGIO,
    Signal::SIGPWR,
    Signal::SIGSTKFLT,
];

/// They are held back from the beginning on, but for those that we were started to ignore.
pub(super) struct Signals {
    file: SignalFd,
    before: SigSet,
}

impl Signals {
    pub(super) fn hold() -> Option<Signals> {
        let set: SigSet = ALL.into_iter().filter(|signal| !is_ignored(*signal)).collect();
        let file = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK).ok()?;
        let before = set.thread_swap_mask(SigmaskHow::SIG_BLOCK).ok()?;
        Some(Signals { file, before })
    }

    /// As it was before, for whoever does not wait for them. One that came late has nothing left to end.
    pub(super) fn release(self) {
        while let Ok(Some(_)) = self.file.read_signal() {}
        let _ = self.before.thread_set_mask();
    }

    /// What came.
    pub(super) fn name(&self) -> &'static str {
        let number = self.file.read_signal().ok().flatten().map(|info| info.ssi_signo);
        number
            .and_then(|number| Signal::try_from(i32::try_from(number).ok()?).ok())
            .map_or("a signal", Signal::as_str)
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
