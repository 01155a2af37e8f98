//! The end that is no verdict. mon takes death by a signal for success, so a panic, memory that runs out, a stack
//! that overflows and a limit that is reached all end with UNKNOWN and 3.

use crate::exit_code::Exit;
use crate::outcome::Outcome;
use crate::report::escape;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use rustix::fs::{Mode, OFlags, open};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs a command; a panic is told as UNKNOWN.
pub(super) fn guarded(run: impl FnOnce() -> Option<Outcome>) -> Option<Outcome> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no message");
        let message = escape::without_bars(&escape::text(message.as_bytes()));
        let line = format!("UNKNOWN: internal error: {message}");
        let text = format!("{line}\nPlease report this with the command line that was used.\n");
        Some(Outcome::new(text, Exit::Unknown))
    })
}

/// Signals that a fault or a limit of the process itself raises: std aborts where memory runs out, before anything
/// can unwind.
const FATAL: [Signal; 8] = [
    Signal::SIGABRT,
    Signal::SIGSEGV,
    Signal::SIGBUS,
    Signal::SIGILL,
    Signal::SIGFPE,
    Signal::SIGXCPU,
    Signal::SIGSYS,
    Signal::SIGTRAP,
];

/// Has nobody write to standard error, and fatal signals end with UNKNOWN.
pub(super) fn prepare() {
    std::panic::set_hook(Box::new(|_| {}));
    // std tells there of memory that ran out, and name services of what they like.
    if let Ok(null) = open("/dev/null", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty()) {
        let _ = rustix::stdio::dup2_stderr(null);
    }
    let last = SigAction::new(
        SigHandler::Handler(end),
        // std has given the main thread a stack of its own for SIGSEGV.
        SaFlags::SA_ONSTACK | SaFlags::SA_RESETHAND,
        SigSet::empty(),
    );
    for signal in FATAL {
        set(signal, &last);
    }
    // A file that may not grow is an error of write(2) like others.
    let ignore = SigAction::new(SigHandler::SigIgn, SaFlags::empty(), SigSet::empty());
    set(Signal::SIGXFSZ, &ignore);
}

/// A worker dies of what is fatal, and its supervisor tells of what.
pub(super) fn leave_to_the_supervisor() {
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    for signal in FATAL {
        set(signal, &default);
    }
}

#[allow(
    unsafe_code,
    reason = "the handler does nothing that signal-safety(7) forbids"
)]
fn set(signal: Signal, action: &SigAction) {
    // SAFETY: `end` makes two system calls and touches no memory of the program.
    let _ = unsafe { sigaction(signal, action) };
}

#[allow(
    unsafe_code,
    reason = "only _exit(2) ends a process in which nothing can be relied on any more"
)]
extern "C" fn end(_: i32) {
    let text = b"UNKNOWN: procward ran out of memory, stack or time, or is faulty\n";
    let _ = rustix::io::write(rustix::stdio::stdout(), text);
    // SAFETY: it does not return and runs nothing of the program.
    unsafe { nix::libc::_exit(3) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_unknown_with_its_message_and_nothing_raw() {
        let told = |run: fn() -> Option<Outcome>| {
            let hook = std::panic::take_hook();
            std::panic::set_hook(Box::new(|_| {}));
            let outcome = guarded(run).unwrap();
            std::panic::set_hook(hook);
            assert_eq!(outcome.exit, Exit::Unknown);
            String::from_utf8(outcome.text).unwrap()
        };
        let rest = "Please report this with the command line that was used.\n";
        assert_eq!(
            told(|| panic!("index {} | \x1b[31m\n", 7)),
            format!("UNKNOWN: internal error: index 7 ¦ \\x1b[31m\\n\n{rest}")
        );
        assert_eq!(
            told(|| panic!("plain")),
            format!("UNKNOWN: internal error: plain\n{rest}")
        );
        assert_eq!(
            told(|| std::panic::panic_any(7)),
            format!("UNKNOWN: internal error: no message\n{rest}")
        );
        let fine = Outcome::new("x", Exit::Critical);
        assert_eq!(guarded(|| Some(fine.clone())), Some(fine));
    }
}
