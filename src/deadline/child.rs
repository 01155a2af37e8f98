//! What a worker does before it begins: one that is left behind must hold nothing that somebody waits for. mon and
//! Nagios wait for the end of standard output, a shell for its job, `flock` for a descriptor that it passed on.

use rustix::fd::{AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags, open};
use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal, setsid};

/// Leaves the session and closes what was inherited, but for `keep`. It dies with its supervisor; false: that is dead
/// already. `needs_files`: an argument names an inherited descriptor, as `<(…)` of a shell does.
pub(super) fn leave(supervisor: Pid, keep: &[BorrowedFd<'_>], needs_files: bool) -> bool {
    let _ = setsid();
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
    // A parent in another PID namespace shows as none.
    if getppid().is_some_and(|parent| parent != supervisor) {
        return false;
    }
    if let Some(nothing) = nothing() {
        if !needs_files {
            let _ = rustix::stdio::dup2_stdin(&nothing);
        }
        let _ = rustix::stdio::dup2_stdout(&nothing);
        let _ = rustix::stdio::dup2_stderr(&nothing);
    }
    if !needs_files {
        close_others(keep);
    }
    true
}

/// `/dev/null`, or, in a root directory without one, the end of a pipe that nobody writes to.
fn nothing() -> Option<OwnedFd> {
    let null = open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty());
    null.ok().or_else(|| Some(std::io::pipe().ok()?.0.into()))
}

/// Without a `/proc` they stay open.
fn close_others(keep: &[BorrowedFd<'_>]) {
    let own = |fd: i32| fd <= 2 || keep.iter().any(|kept| kept.as_raw_fd() == fd);
    let listed = std::fs::read_dir("/proc/self/fd");
    let names = listed
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name());
    let numbers: Vec<i32> = names.filter_map(|name| name.to_str()?.parse().ok()).collect();
    for fd in numbers.into_iter().filter(|fd| !own(*fd)) {
        // That of the listing itself is closed already.
        let _ = nix::unistd::close(fd);
    }
}
