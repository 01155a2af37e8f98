//! Who could have made the container of a process. Whoever owns a control group names those below it as he likes, and the
//! control group of a login, `user@UID.service`, is its user's.

use super::image::access;
use super::process_dir::read as read_file;
use super::read::{Place, Vanished, why};
use crate::select::File;
use crate::select::place::container_group;
use crate::snapshot::{Fact, Process, Why, Writers};
use rustix::fs::{AtFlags, CWD, Statx, StatxFlags, statx};
use rustix::io::Errno;
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
            Some(group) if place.live => {
                makers(place, group).map_or_else(|errno| Fact::Unreadable(why(errno)), Fact::Value)
            }
            Some(_) => Fact::Unreadable(Why::Absent),
        },
        Fact::Unreadable(why) => Fact::Unreadable(*why),
        Fact::NotAsked | Fact::NotApplicable => Fact::Unreadable(Why::Absent),
    };
    Ok(())
}

/// Who may make a control group where this one is. In a cgroup namespace of its own procward is told other paths,
/// cgroup_namespaces(7): `/..` is above the root of that.
fn makers(place: Place<'_>, group: &[u8]) -> Result<Writers, Errno> {
    let above_ours = group.split(|byte| *byte == b'/').any(|part| part == b"..");
    let hierarchies = HIERARCHIES.iter().filter(|_| !above_ours);
    let mut found = hierarchies.filter(|root| stat(root, group).is_ok());
    let root = found.next().ok_or(Errno::NOENT)?;
    let mut makers = Writers::default();
    let ends = group.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    for above in ends.map(|(end, _)| &group[..end]) {
        let stat = stat(root, above)?;
        let (mode, accounts) = (u32::from(stat.stx_mode), &place.known.accounts);
        let (access, reason) = access(mode, stat.stx_uid, stat.stx_gid, accounts);
        if access > makers.access {
            makers.access = access;
            makers.by = Some(format!("{} ({reason})", String::from_utf8_lossy(above)));
        }
    }
    Ok(makers)
}

fn stat(root: &str, group: &[u8]) -> Result<Statx, Errno> {
    let path = [root.as_bytes(), group].concat();
    let flags = AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT | AtFlags::SYMLINK_NOFOLLOW;
    let mask = StatxFlags::UID | StatxFlags::GID | StatxFlags::MODE;
    statx(CWD, OsStr::from_bytes(&path), flags, mask)
}
