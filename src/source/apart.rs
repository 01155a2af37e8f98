//! Threads that have something of their own which threads usually share, and which the files of the process do not show.

use super::kcmp::{Shared, share};
use super::read::Place;
use super::survivor;
use nix::errno::Errno;
use rustix::fs::{AtFlags, StatxFlags, statx};

/// The directories of those threads of a process, each with a slash.
pub(super) fn apart(place: Place<'_>, pid: i32, what: Shared) -> impl Iterator<Item = String> {
    // The directory tells how many threads there are: proc_task_getattr() of fs/proc/base.c.
    let flags = AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT;
    let tasks = statx(place.dir, place.path("task"), flags, StatxFlags::NLINK);
    let alone = !place.live || tasks.is_ok_and(|tasks| tasks.stx_nlink == 2 + 1);
    let threads = (!alone).then(|| survivor::threads(place));
    threads.into_iter().flatten().filter(move |prefix| {
        let tid = prefix.rsplit('/').nth(1).and_then(|tid| tid.parse().ok());
        // Where the kernel does not tell, all of them are looked at.
        tid.is_some_and(|tid| tid != pid && !matches!(share(what, pid, tid), Ok(true) | Err(Errno::ESRCH)))
    })
}
