//! Who could have made the container of a process. Whoever owns a control group names those below it as he likes, and the
//! control group of a login, `user@UID.service`, is its user's.

use super::image::access;
use super::process_dir::read as read_file;
use super::read::{Place, Vanished};
use crate::select::File;
use crate::select::place::container_group;
use crate::snapshot::{Access, Fact, Process, Why, Writers};
use rustix::fs::{AtFlags, CWD, Statx, StatxFlags, statx};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Where the hierarchy may be that the paths of `/proc/PID/cgroup` are of, file-hierarchy(7) and systemd's
/// CGROUP_DELEGATION: version 2 alone, and systemd's own beside those of version 1.
const HIERARCHIES: [&str; 3] = [
    "/sys/fs/cgroup",
    "/sys/fs/cgroup/systemd",
    "/sys/fs/cgroup/unified",
];

/// Reads who may change the control groups above that of its container.
pub(super) fn read(place: Place<'_>, process: &mut Process) -> Result<(), Vanished> {
    if !process.cgroup.asked() {
        read_file(place, File::Cgroup, process)?;
    }
    process.container = match &process.cgroup {
        Fact::Value(cgroup) => match container_group(&cgroup.path) {
            None => Fact::NotApplicable,
            Some(group) if place.live => makers(place, group),
            Some(_) => Fact::Unreadable(Why::Absent),
        },
        Fact::Unreadable(why) => Fact::Unreadable(*why),
        Fact::NotAsked | Fact::NotApplicable => Fact::Unreadable(Why::Absent),
    };
    Ok(())
}

/// Who may make a control group where this one is.
fn makers(place: Place<'_>, group: &[u8]) -> Fact<Writers> {
    // `/..` is above the root of procward's own cgroup namespace, cgroup_namespaces(7).
    if group.split(|byte| *byte == b'/').any(|part| part == b"..") {
        return Fact::Unreadable(Why::Absent);
    }
    let Some(root) = HIERARCHIES.iter().find(|root| stat(root, group).is_some()) else {
        return Fact::Unreadable(Why::Absent);
    };
    let mut makers = Writers::default();
    let above = group.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    for above in above.map(|(end, _)| &group[..end]) {
        let Some(stat) = stat(root, above) else {
            return Fact::Unreadable(Why::Absent);
        };
        let (mode, accounts) = (u32::from(stat.stx_mode), &place.known.accounts);
        let (access, reason) = access(mode, stat.stx_uid, stat.stx_gid, accounts);
        if access > makers.access {
            let name = String::from_utf8_lossy(above);
            makers = Writers {
                access,
                by: Some(format!("{name} ({reason})")),
                open_dir: false,
            };
        }
        if access == Access::Others {
            break;
        }
    }
    Fact::Value(makers)
}

fn stat(root: &str, group: &[u8]) -> Option<Statx> {
    let path = [root.as_bytes(), group].concat();
    let flags = AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT | AtFlags::SYMLINK_NOFOLLOW;
    let mask = StatxFlags::UID | StatxFlags::GID | StatxFlags::MODE;
    statx(CWD, OsStr::from_bytes(&path), flags, mask).ok()
}
