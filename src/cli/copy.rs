//! The copy of the program that the package installs for those in the group procward: `lib/procward/procward` beside the
//! `bin` that this program is in. Its file lends two capabilities (see `capabilities`) to whoever may run it, so under the
//! name of a monitor or a plugin the program goes on as that copy, where it may.

use super::dispatch::NAMES;
use super::file_capabilities::file_capabilities;
use crate::capabilities::{self, OF_USE};
use rustix::fs::{AtFlags, CWD, FileType, Stat, statat};
use rustix::process::{getegid, geteuid, getgroups};
use rustix::thread::CapabilitySet;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The program's own name: what it does under that, it does with the caller's rights.
const OWN: &str = NAMES[0];

/// Goes on as the copy, with the same words, and returns where that is not to be had. What is lent under a name that is
/// no monitor's is given up.
pub(super) fn enter(arguments: &[OsString]) {
    let as_monitor = is_monitor(arguments.first());
    if !capabilities::lent().is_empty() {
        if !as_monitor {
            capabilities::give_up();
        }
        return;
    }
    if !as_monitor || has_all() {
        return;
    }
    if let (Some((first, rest)), Some(copy)) = (arguments.split_first(), Copy::of_this_program()) {
        // It returns where the caller may not run it (he is not in the group), or anything else is amiss.
        let _refused = Command::new(&copy.path).arg0(first).args(rest).exec();
    }
}

/// Whether this is the name of a monitor or a plugin.
fn is_monitor(word: Option<&OsString>) -> bool {
    let name = word.map(Path::new).and_then(Path::file_name);
    name.is_some_and(|name| NAMES.iter().any(|known| name == *known && *known != OWN))
}

/// Whether a monitor that lacks rights would have them by the copy, were its user in the group.
pub(super) fn would_help() -> bool {
    let is_member = |gid| {
        let groups = getgroups().unwrap_or_default();
        groups.iter().any(|group| group.as_raw() == gid) || getegid().as_raw() == gid
    };
    is_monitor(std::env::args_os().next().as_ref())
        && !has_all()
        && capabilities::lent().is_empty()
        && Copy::of_this_program().is_some_and(|copy| !is_member(copy.gid) && copy.lends() == OF_USE)
}

/// Root, and who has the capabilities already, has nothing to gain.
fn has_all() -> bool {
    geteuid().is_root()
        || rustix::thread::capabilities(None).is_ok_and(|sets| sets.effective.contains(OF_USE))
}

/// The copy, as it is installed.
pub(super) struct Copy {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Whose members may run it.
    gid: u32,
    mode: u32,
}

impl Copy {
    /// The copy that belongs to this program, found by where that really is, and by nothing that the caller says. Where
    /// others than root could have put it there (`/tmp/lib` beside `/tmp/bin`), there is none.
    pub(super) fn of_this_program() -> Option<Copy> {
        let program = std::fs::read_link("/proc/self/exe").ok()?;
        let directory = program.parent()?.parent()?.join("lib/procward");
        let path = directory.join("procward");
        let look = |path: &Path| statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW).ok();
        let (place, file) = (look(&directory)?, look(&path)?);
        let itself = look(&program).is_some_and(|own| (own.st_dev, own.st_ino) == (file.st_dev, file.st_ino));
        let fit = is_roots_own(&place, FileType::Directory) && is_roots_own(&file, FileType::RegularFile);
        (fit && !itself).then_some(Copy {
            path,
            gid: file.st_gid,
            mode: file.st_mode,
        })
    }

    /// What it lends to whoever may run it.
    pub(super) fn lends(&self) -> CapabilitySet {
        file_capabilities(&self.path).map_or(CapabilitySet::empty(), |file| file.permitted)
    }

    /// What it lends to a user of these groups.
    pub(super) fn lends_to(&self, groups: &[u32]) -> CapabilitySet {
        if self.mode & 0o010 != 0 && groups.contains(&self.gid) {
            self.lends()
        } else {
            CapabilitySet::empty()
        }
    }
}

fn is_roots_own(stat: &Stat, kind: FileType) -> bool {
    FileType::from_raw_mode(stat.st_mode) == kind && stat.st_uid == 0 && stat.st_mode & 0o022 == 0
}
