//! Facts about the host and about procward itself.

use super::file_id::file_at;
use super::process_dir::{Proc, ProcessDir};
use super::read::whole;
use super::rights;
use crate::parse::number;
use crate::select::File;
use crate::snapshot::{Process, Snapshot};
use rustix::fd::AsFd;
use rustix::fs::{PROC_SUPER_MAGIC, fstatfs, readlinkat};
use std::os::unix::ffi::OsStrExt;

/// Fills in the host, and, where procward itself shows in the view, the observer.
pub(super) fn look(proc: Proc<'_>, snapshot: &mut Snapshot) {
    let host = &mut snapshot.host;
    host.ticks_per_second = rustix::param::clock_ticks_per_second();
    host.page_size = rustix::param::page_size() as u64;
    // A proc file system mounted with subset=pid has no sys/.
    host.boot_id = boot_id(proc.dir);
    host.last_capability = last_capability(proc.dir);
    let Some(pid) = own_pid(proc.dir) else { return };
    snapshot.observer.pid = Some(pid);
    snapshot.observer.worker = proc.notes.is_watched();
    snapshot.observer.arguments = std::env::args_os()
        .skip(1)
        .map(|word| word.as_bytes().to_vec())
        .collect();
    snapshot.observer.exe = file_at(proc.dir, "self/exe").ok();
    snapshot.observer.may_trace = rights::may_trace(proc.dir);
    snapshot.observer.may_read = rights::may_read(proc.dir);
    let mut own = Process {
        pid,
        ..Process::default()
    };
    if let Ok(dir) = ProcessDir::open(proc, pid) {
        for file in [File::Comm, File::Stat, File::Owner] {
            // procward lives; what it cannot read of itself stays unknown.
            let _ = dir.read(file, &mut own);
        }
    }
    snapshot.observer.comm = own.comm.value().cloned().unwrap_or_default();
    snapshot.observer.uid = own.owner.value().map(|(uid, _)| *uid);
    let mut parent = own.stat.value().map_or(0, |stat| stat.ppid);
    // A worker has a session of its own; the program that was started is its parent.
    let mut session = own
        .stat
        .value()
        .map(|stat| stat.session)
        .filter(|session| *session != pid);
    // A PID given again between two reads could close a ring.
    while parent > 0 && !snapshot.observer.ancestors.contains(&parent) {
        snapshot.observer.ancestors.push(parent);
        let mut process = Process {
            pid: parent,
            ..Process::default()
        };
        let read = ProcessDir::open(proc, parent)
            .ok()
            .and_then(|dir| dir.read(File::Stat, &mut process).ok());
        session = session.or_else(|| Some(process.stat.value()?.session));
        parent = read
            .and_then(|()| process.stat.value().map(|stat| stat.ppid))
            .unwrap_or(0);
    }
    snapshot.observer.session = session;
}

/// The highest capability of this kernel.
fn last_capability(proc: impl AsFd) -> Option<u32> {
    let (text, _) = whole(proc, "sys/kernel/cap_last_cap", 16).ok()?;
    number(&text)
}

/// Of this boot; with PID and start time it makes an identity.
pub(super) fn boot_id(proc: impl AsFd) -> Option<String> {
    let (id, _) = whole(proc, "sys/kernel/random/boot_id", 64).ok()?;
    Some(String::from_utf8(id).ok()?.trim().to_owned())
}

/// By how much the clocks of this time namespace differ from the host's: `monotonic 0 0 boottime 0 0`.
pub(super) fn time_offsets(proc: impl AsFd) -> Option<String> {
    let (text, _) = whole(proc, "self/timens_offsets", 128).ok()?;
    let text = String::from_utf8(text).ok()?;
    Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Whether this is a proc file system, and no copy of one.
pub(super) fn is_proc(proc: impl AsFd) -> bool {
    fstatfs(proc).is_ok_and(|fs| fs.f_type == PROC_SUPER_MAGIC)
}

/// procward's PID as this mount numbers it; none where it is of another PID namespace, or a copy.
pub(super) fn own_pid(proc: impl AsFd) -> Option<i32> {
    if !is_proc(&proc) {
        return None;
    }
    let link = readlinkat(proc, "self", Vec::new()).ok()?;
    link.to_str().ok()?.parse().ok()
}
