//! What the mount of a proc file system hides from procward.

use super::host::{is_proc, own_pid};
use super::read::whole;
use crate::parse;
use crate::parse::mountinfo::ProcMount;
use crate::snapshot::Gap;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, StatxFlags, open, readlinkat, statx};
use rustix::process::{getegid, getgroups};
use std::path::Path;

/// CAP_SYS_PTRACE of capabilities(7).
const CAP_SYS_PTRACE: u32 = 19;
const CAP_DAC_OVERRIDE: u32 = 1;
const CAP_DAC_READ_SEARCH: u32 = 2;

/// The host's own user namespace: PROC_USER_INIT_INO of linux/proc_ns.h.
const INITIAL: &[u8] = b"user:[4026531837]";

/// Thousands of mounts on a host with many containers.
const MOUNTINFO: usize = 16 << 20;

/// How a proc file system is mounted; none where that can't be told.
pub(super) fn mount(proc: BorrowedFd<'_>) -> Option<ProcMount> {
    let elsewhere = elsewhere(proc);
    let own = elsewhere.as_ref().map_or(proc, AsFd::as_fd);
    is_proc(proc).then(|| mount_of(proc, own)).flatten()
}

/// procward's own /proc, where another one is looked at.
fn elsewhere(proc: BorrowedFd<'_>) -> Option<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let own = || open("/proc", flags, Mode::empty()).ok();
    own_pid(proc).is_none().then(own).flatten()
}

/// What the mount hides: hidepid, unless CAP_SYS_PTRACE or, for the modes 1 and 2, membership in its group looks
/// past it: has_pid_permissions() of fs/proc/base.c. Kernels before 5.8 print numbers.
pub(super) fn gaps(proc: BorrowedFd<'_>, mount: Option<ProcMount>) -> Vec<Gap> {
    if !is_proc(proc) {
        return Vec::new();
    }
    let elsewhere = elsewhere(proc);
    let own = elsewhere.as_ref().map_or(proc, AsFd::as_fd);
    // Where its options can't be told, it may hide.
    let mount = mount.unwrap_or_else(|| ProcMount {
        hidepid: Some("?".into()),
        ..ProcMount::default()
    });
    let by_group =
        |how: &str| matches!(how, "1" | "2" | "noaccess" | "invisible") && is_member(own, mount.gid);
    let hidden = mount
        .hidepid
        .filter(|how| !by_group(how) && !sees_all(proc, own))
        .map(Gap::HidePid);
    let covers = mount.covers.into_iter().filter(|cover| cover.whole);
    let points: Vec<String> = covers.map(|cover| cover.point).collect();
    hidden
        .into_iter()
        .chain(mount.only_pids.then_some(Gap::Subset))
        .chain((!points.is_empty()).then_some(Gap::Covered(points)))
        .collect()
}

/// The options of the mount, found by its device: a path may lead through another mount namespace
/// (`/proc/PID/root/proc`), where ours has another mount at the same place.
fn mount_of(proc: BorrowedFd<'_>, own: BorrowedFd<'_>) -> Option<ProcMount> {
    let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    let stat = statx(proc, "", flags, StatxFlags::INO).ok()?;
    let (text, _) = whole(own, "self/mountinfo", MOUNTINFO).ok()?;
    parse::mountinfo::proc_on(&text, (stat.stx_dev_major, stat.stx_dev_minor))
}

/// Whether `root` is the same mount as /proc.
pub(super) fn is_own_proc(root: &Path) -> bool {
    let device = |path: &Path| {
        let stat = statx(CWD, path, AtFlags::STATX_DONT_SYNC, StatxFlags::BASIC_STATS).ok()?;
        Some((stat.stx_dev_major, stat.stx_dev_minor, stat.stx_ino))
    };
    device(root).is_some_and(|found| device(Path::new("/proc")) == Some(found))
}

/// Whether CAP_SYS_PTRACE is in the effective set.
pub(super) fn may_trace(own: BorrowedFd<'_>) -> bool {
    effective(own) >> CAP_SYS_PTRACE & 1 == 1
}

/// Whether CAP_DAC_READ_SEARCH is in the effective set, or CAP_DAC_OVERRIDE, which is more.
pub(super) fn may_read(own: BorrowedFd<'_>) -> bool {
    effective(own) & (1 << CAP_DAC_OVERRIDE | 1 << CAP_DAC_READ_SEARCH) != 0
}

fn effective(own: BorrowedFd<'_>) -> u64 {
    let status = whole(own, "self/status", 1 << 20).ok();
    let caps = status.and_then(|(status, _)| parse::status::cap_eff(&status));
    caps.unwrap_or_default()
}

/// A capability reaches the processes of one's own user namespace and of those below it. PID 1 stands for the rest
/// of its PID namespace; its link can be read only by who may trace it.
fn sees_all(proc: BorrowedFd<'_>, own: BorrowedFd<'_>) -> bool {
    let namespace = |dir, link| Some(readlinkat(dir, link, Vec::new()).ok()?.into_bytes());
    let init = namespace(proc, "1/ns/user");
    may_trace(own)
        && (in_initial_user_namespace(own) || init.is_some() && init == namespace(own, "self/ns/user"))
}

/// The ids of a mount are those of the initial user namespace, and ours are those of our own.
fn is_member(own: BorrowedFd<'_>, gid: u32) -> bool {
    let among = || getgroups().is_ok_and(|groups| groups.iter().any(|group| group.as_raw() == gid));
    in_initial_user_namespace(own) && (getegid().as_raw() == gid || among())
}

/// A kernel without user namespaces has no such file.
fn in_initial_user_namespace(own: BorrowedFd<'_>) -> bool {
    match readlinkat(own, "self/ns/user", Vec::new()) {
        Ok(link) => link.to_bytes() == INITIAL,
        Err(error) => error == rustix::io::Errno::NOENT,
    }
}
