//! Facts about the host, about procward itself, and about what the view may hide.

use super::process_dir::{ProcessDir, file_at};
use super::read::whole;
use crate::parse;
use crate::select::File;
use crate::snapshot::{Gap, Process, Snapshot};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, StatxFlags, readlinkat, statx};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// CAP_SYS_PTRACE of capabilities(7).
const CAP_SYS_PTRACE: u32 = 19;

/// Fills in the host, and, where procward itself shows in the view, the observer.
pub(super) fn look(proc: &OwnedFd, live: bool, snapshot: &mut Snapshot) {
    let host = &mut snapshot.host;
    host.ticks_per_second = rustix::param::clock_ticks_per_second();
    host.page_size = rustix::param::page_size() as u64;
    // A proc file system mounted with subset=pid has no sys/.
    let boot_id = whole(proc, "sys/kernel/random/boot_id", 64).ok();
    host.boot_id = boot_id
        .and_then(|(id, _)| String::from_utf8(id).ok())
        .map(|id| id.trim().to_owned());
    if !live {
        return;
    }
    let Some(pid) = own_pid(proc) else { return };
    snapshot.observer.pid = Some(pid);
    snapshot.observer.arguments = std::env::args_os()
        .skip(1)
        .map(|word| word.as_bytes().to_vec())
        .collect();
    snapshot.observer.exe = file_at(proc.as_fd(), "self/exe").ok();
    snapshot.observer.may_trace = may_trace();
    let mut own = Process {
        pid,
        ..Process::default()
    };
    if let Ok(dir) = ProcessDir::open(proc.as_fd(), pid, live) {
        for file in [File::Comm, File::Stat, File::Status] {
            // procward lives; what it cannot read of itself stays unknown.
            let _ = dir.read(file, &mut own);
        }
    }
    snapshot.observer.comm = own.comm.value().cloned().unwrap_or_default();
    if let Some(status) = own.status.value() {
        snapshot.observer.uid = Some(status.uid[1]);
        snapshot.host.pid_namespace_depth = status.ns_pid.len().max(1);
    }
    let mut parent = own.stat.value().map_or(0, |stat| stat.ppid);
    // A PID given again between two reads could close a ring.
    while parent > 0 && !snapshot.observer.ancestors.contains(&parent) {
        snapshot.observer.ancestors.push(parent);
        let mut process = Process {
            pid: parent,
            ..Process::default()
        };
        let read = ProcessDir::open(proc.as_fd(), parent, live)
            .ok()
            .and_then(|dir| dir.read(File::Stat, &mut process).ok());
        parent = read
            .and_then(|()| process.stat.value().map(|stat| stat.ppid))
            .unwrap_or(0);
    }
}

/// procward's PID as this mount numbers it; none where it is of another PID namespace.
fn own_pid(proc: &OwnedFd) -> Option<i32> {
    let link = readlinkat(proc, "self", Vec::new()).ok()?;
    link.to_str().ok()?.parse().ok()
}

/// Whether `root` is the same mount as /proc.
pub(super) fn is_own_proc(root: &Path) -> bool {
    let device = |path: &Path| {
        let stat = statx(CWD, path, AtFlags::STATX_DONT_SYNC, StatxFlags::BASIC_STATS).ok()?;
        Some((stat.stx_dev_major, stat.stx_dev_minor, stat.stx_ino))
    };
    device(root).is_some_and(|found| device(Path::new("/proc")) == Some(found))
}

fn own_status() -> Option<Vec<u8>> {
    std::fs::read("/proc/self/status").ok()
}

fn may_trace() -> bool {
    let Some(status) = own_status() else { return false };
    parse::status::cap_eff(&status).is_some_and(|caps| caps >> CAP_SYS_PTRACE & 1 == 1)
}

/// Whether the mount hides processes from us: hidepid, unless CAP_SYS_PTRACE or, for the modes 1 and 2, membership
/// in its group looks past it: has_pid_permissions() of fs/proc/base.c. Kernels before 5.8 print numbers.
pub(super) fn hidden(root: &Path) -> Option<Gap> {
    let text = std::fs::read("/proc/self/mountinfo").ok()?;
    let root = std::fs::canonicalize(root).ok()?;
    let mount = parse::mountinfo::proc_at(&text, root.as_os_str().as_bytes())?;
    let how = mount.hidepid?;
    let by_group = matches!(how.as_str(), "1" | "2" | "noaccess" | "invisible");
    let member = || {
        let status = own_status().and_then(|status| parse::status::parse(&status));
        status.is_some_and(|status| status.gid[3] == mount.gid || status.groups.contains(&mount.gid))
    };
    let sees_all = may_trace() || (by_group && member());
    (!sees_all).then_some(Gap::HidePid(how))
}
