//! Something is mounted over `/proc/PID`, or over a file in it: whoever looks there sees what was put there.

use super::untold;
use crate::audit::host::Fact;
use crate::source::procfs::Procfs;
use crate::source::rights;
use rustix::fd::AsFd;

pub(super) fn look(procfs: &Procfs) -> Fact {
    let mount = procfs.open().ok().and_then(|proc| rights::mount(proc.as_fd()));
    match mount {
        Some(mount) => Fact::Told(
            mount
                .covers
                .iter()
                .map(|cover| format!("{} is covered by a mount ({})", cover.point, cover.kind))
                .collect(),
        ),
        None => untold(
            &procfs.shown(),
            "how it is mounted is not in /proc/self/mountinfo",
        ),
    }
}
