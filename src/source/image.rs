//! Libraries and environment of a process, and who could change what it runs.

use super::account::Accounts;
use super::process_dir::{of_program, read};
use super::read::{Place, Vanished, why};
use super::standing::path_root;
use crate::parse;
use crate::select::File;
use crate::select::reading::is_system;
use crate::snapshot::process::{DELETED, MEMFD};
use crate::snapshot::{Access, Environ, Fact, Library, Maps, Process, Why, Writers};
use rustix::fs::{AtFlags, StatxFlags, statx};
use rustix::io::Errno;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;

/// Which mount, which directory: where paths begin, and a path below it.
type Where = (u64, u64, Vec<u8>);

/// Who may write where, as far as a look has seen; copies share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Paths(Rc<RefCell<BTreeMap<Where, Writers>>>);

/// Where the paths begin that the kernel tells of a process.
struct Top {
    /// What to put before them.
    path: String,
    /// Its mount, which the kernel tells since 5.8, and its inode.
    identity: Option<(u64, u64)>,
}

impl Top {
    fn of(place: Place<'_>) -> Result<Top, Errno> {
        Top::at(place, path_root(place)?)
    }

    /// Where the paths begin that the process itself names.
    fn within(place: Place<'_>) -> Result<Top, Errno> {
        Top::at(place, place.path("root"))
    }

    fn at(place: Place<'_>, path: String) -> Result<Top, Errno> {
        let flags = AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT;
        let mask = StatxFlags::INO | StatxFlags::MNT_ID;
        let root = statx(place.dir, format!("{path}/"), flags, mask)?;
        let told = StatxFlags::from_bits_retain(root.stx_mask).contains(StatxFlags::MNT_ID);
        Ok(Top {
            path,
            identity: told.then_some((root.stx_mnt_id, root.stx_ino)),
        })
    }

    /// What has a path, without following it.
    fn inode(&self, place: Place<'_>, path: &[u8]) -> Option<u64> {
        let name = [self.path.as_bytes(), path].concat();
        let flags = AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT | AtFlags::SYMLINK_NOFOLLOW;
        let name = std::ffi::OsStr::from_bytes(&name);
        let stat = statx(place.dir, name, flags, StatxFlags::INO).ok()?;
        Some(stat.stx_ino)
    }
}

/// The names of its variables.
pub(super) fn environ(place: Place<'_>, process: &mut Process) -> Result<(), Vanished> {
    process.environ = of_program(place, process, "environ", environ_of)?;
    Ok(())
}

/// What it has mapped.
pub(super) fn maps(place: Place<'_>, process: &mut Process) -> Result<(), Vanished> {
    if !process.exe.asked() {
        read(place, File::Exe, process)?;
    }
    let program = process
        .exe
        .value()
        .map(|exe| exe.text.clone())
        .unwrap_or_default();
    process.maps = of_program(place, process, "maps", |place| maps_of(place, &program))?;
    Ok(())
}

/// Who may change its program: of one that was removed or replaced, what will run in its place. What never had a path
/// can't be changed by anybody.
pub(super) fn writers(place: Place<'_>, process: &mut Process) -> Result<(), Vanished> {
    if !process.exe.asked() {
        read(place, File::Exe, process)?;
    }
    let path = match &process.exe {
        // A file may be called so, in the root directory.
        Fact::Value(exe) if exe.text.starts_with(MEMFD) && exe.is_deleted() != Some(false) => {
            Err(Fact::NotApplicable)
        }
        // The file of a bind mount has no other text once it has no name.
        Fact::Value(exe) if exe.path() == b"/" => Err(Fact::NotApplicable),
        Fact::Value(exe) if place.live && exe.text.starts_with(b"/") => {
            Ok((exe.path().to_vec(), Walk::of(exe.is_deleted() == Some(true))))
        }
        Fact::NotApplicable => Err(Fact::NotApplicable),
        Fact::Unreadable(why) => Err(Fact::Unreadable(*why)),
        _ => Err(Fact::Unreadable(Why::Absent)),
    };
    process.writers = match path {
        Ok((path, walk)) => of_program(place, process, "root", |place| {
            writers_of(place, &path, walk).map(Some)
        })?,
        Err(told) => told,
    };
    Ok(())
}

/// Who may change the file at a path that the kernel tells of the process, or a directory above it.
fn writers_of(place: Place<'_>, path: &[u8], walk: Walk) -> Result<Writers, Errno> {
    let look = || Top::of(place).and_then(|top| writers_below(place, &top, path, walk));
    at_least(path, place.look_up(look))
}

/// How far a path is walked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Walk {
    /// To its end.
    Whole,
    /// As far as it is there: the file was removed, and what was above it perhaps, too.
    WhatIsLeft,
}

impl Walk {
    fn of(gone: bool) -> Walk {
        if gone { Walk::WhatIsLeft } else { Walk::Whole }
    }
}

/// Where everybody has a place to write to, that much is known, even where the path leads nowhere that we could look.
fn at_least(path: &[u8], told: Result<Writers, Errno>) -> Result<Writers, Errno> {
    match told {
        Err(errno) if errno != Errno::SRCH && is_for_all(path) => Ok(Writers {
            access: Access::Others,
            by: Some("a directory that everybody may write to".into()),
            open_dir: true,
        }),
        told => told,
    }
}

/// Where the root directory is not known, nothing is remembered.
fn writers_below(place: Place<'_>, top: &Top, path: &[u8], walk: Walk) -> Result<Writers, Errno> {
    let paths = &place.known.paths.0;
    let flags = AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT;
    let known = top.identity.map(|(mount, inode)| (mount, inode, path.to_vec()));
    if let Some(known) = &known
        && let Some(writers) = paths.borrow().get(known).cloned()
    {
        return Ok(writers);
    }
    let mut writers = Writers {
        open_dir: is_for_all(path),
        ..Writers::default()
    };
    let last = path.iter().filter(|byte| **byte == b'/').count();
    for (depth, step) in steps(path).enumerate() {
        let name = [
            top.path.as_bytes(),
            b"/",
            step,
            if step.is_empty() { b"." } else { b"" },
        ]
        .concat();
        let mask = StatxFlags::UID | StatxFlags::GID | StatxFlags::MODE;
        let stat = match statx(place.dir, std::ffi::OsStr::from_bytes(&name), flags, mask) {
            Err(Errno::NOENT | Errno::NOTDIR) if walk == Walk::WhatIsLeft => return Ok(writers),
            told => told?,
        };
        let (access, reason) = access(
            u32::from(stat.stx_mode),
            stat.stx_uid,
            stat.stx_gid,
            &place.known.accounts,
        );
        if access > writers.access {
            writers.access = access;
            writers.by = Some(format!("/{} ({reason})", String::from_utf8_lossy(step)));
        }
        writers.open_dir |= depth < last && stat.stx_mode & 0o002 != 0;
    }
    if let Some(known) = known {
        paths.borrow_mut().insert(known, writers.clone());
    }
    Ok(writers)
}

/// `usr/sbin/sshd`: nothing (the root itself), `usr`, `usr/sbin`, `usr/sbin/sshd`.
fn steps(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let path = path.strip_prefix(b"/").unwrap_or(path);
    let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    let ends = ends.map(|(at, _)| at).chain([path.len()]);
    std::iter::once(&path[..0]).chain(ends.map(move |end| &path[..end]))
}

/// Who may write to what has this mode and these owners, and why.
pub(super) fn access(mode: u32, uid: u32, gid: u32, accounts: &Accounts) -> (Access, String) {
    if uid != 0 {
        (Access::Others, format!("owner {uid}"))
    } else if mode & 0o002 != 0 {
        (Access::Others, "everybody may write".into())
    } else if mode & 0o020 != 0 && gid != 0 {
        let access = if accounts.is_empty_group(gid) {
            Access::EmptyGroup
        } else {
            Access::Others
        };
        (access, format!("group {gid} may write"))
    } else {
        (Access::Root, String::new())
    }
}

/// Where everybody, or everybody for himself, has a place to write to.
fn is_for_all(path: &[u8]) -> bool {
    const DIRECTORIES: [&[u8]; 4] = [b"/tmp/", b"/var/tmp/", b"/dev/shm/", b"/run/user/"];
    DIRECTORIES.iter().any(|directory| path.starts_with(directory))
}

/// Without the program itself.
fn maps_of(place: Place<'_>, program: &[u8]) -> Result<Option<Maps>, Errno> {
    let (text, truncated) = place.whole("maps", Maps::LIMIT as usize)?;
    if text.is_empty() {
        return Ok(None);
    }
    let mut maps = Maps {
        truncated,
        ..Maps::default()
    };
    let mut files = BTreeSet::new();
    let mut executable = BTreeSet::new();
    for mapping in text.split(|byte| *byte == b'\n').filter_map(parse::maps::mapping) {
        maps.writable |= mapping.writable && mapping.executable;
        maps.memfd |= mapping.executable && mapping.path.as_deref().is_some_and(is_memfd);
        let file = mapping.path.filter(|path| !is_no_file(path));
        let file = file.map(|path| (path, mapping.inode));
        executable.extend(file.clone().filter(|_| mapping.executable));
        files.extend(file);
    }
    place.look_up(|| {
        let top = Top::of(place);
        let top = top.as_ref().map_err(|errno| *errno);
        let gone = files
            .iter()
            .filter_map(|(path, inode)| gone(place, top, path, *inode));
        maps.gone = gone.map(<[u8]>::to_vec).collect();
        let libraries = executable.iter().filter(|(path, _)| path != program);
        maps.libraries = libraries
            .map(|(path, inode)| library(place, top, path, *inode))
            .collect();
    });
    Ok(Some(maps))
}

/// The path of a file that has none any more. A file may be called so itself, and then it is there, and no other.
fn gone<'a>(place: Place<'_>, top: Result<&Top, Errno>, path: &'a [u8], inode: u64) -> Option<&'a [u8]> {
    let plain = path.strip_suffix(DELETED)?;
    let there = top.ok().and_then(|top| top.inode(place, path)) == Some(inode);
    (!there).then_some(plain)
}

fn library(place: Place<'_>, top: Result<&Top, Errno>, path: &[u8], inode: u64) -> Library {
    let gone = gone(place, top, path, inode);
    let path = gone.unwrap_or(path);
    let walk = Walk::of(gone.is_some());
    let mut writers = at_least(path, top.and_then(|top| writers_below(place, top, path, walk)));
    // Many a program maps code of its own there and removes the file at once: nobody can change that any more.
    if gone.is_some() && is_for_all(path) {
        writers = Ok(Writers {
            open_dir: true,
            ..Writers::default()
        });
    }
    Library {
        path: path.to_vec(),
        deleted: gone.is_some(),
        writers: writers.map_or_else(|errno| Fact::Unreadable(why(errno)), Fact::Value),
    }
}

/// Only root could call a file so, in the root directory.
fn is_memfd(path: &[u8]) -> bool {
    path.starts_with(MEMFD) && path.ends_with(DELETED)
}

/// Memory that the kernel shows as a file: shared memory, memfd, the memory of devices.
fn is_no_file(path: &[u8]) -> bool {
    const NAMES: [&[u8]; 7] = [
        b"/memfd:",
        b"/SYSV",
        b"/dev/",
        b"/[aio]",
        b"/drm",
        b"/i915",
        b"/anon_hugepage",
    ];
    !path.starts_with(b"/dev/shm/") && NAMES.iter().any(|name| path.starts_with(name))
}

fn environ_of(place: Place<'_>) -> Result<Option<Environ>, Errno> {
    let (text, truncated) = place.whole("environ", Environ::LIMIT as usize)?;
    if text.is_empty() {
        return Ok(None);
    }
    let mut environ = parse::environ::parse(&text, truncated);
    // What was not read may have the rest of the search path.
    if !environ.preloads.is_empty() && !truncated {
        let searched: Vec<&[u8]> = parse::environ::library_path(&text).collect();
        place.look_up(|| {
            if let (Ok(own), Ok(outer)) = (Top::within(place), Top::of(place)) {
                for preload in &mut environ.preloads {
                    preload.roots = is_roots(place, [&own, &outer], &preload.name, &searched);
                }
            }
        });
    }
    Ok(Some(environ))
}

/// Whether only root could have put there what ld.so(8) loads under this name. Without a slash it is searched for: in
/// these directories, and then where only root decides, ld.so.conf(5). The names begin at the root directory that the
/// process had when it was started: its own, or the outer one, if it chrooted itself later.
fn is_roots(place: Place<'_>, [own, outer]: [&Top; 2], name: &[u8], searched: &[&[u8]]) -> bool {
    // A text that means something else to procward, as `/proc/self/cwd` does, or that ld.so expands (`$ORIGIN`), lies in
    // none of the directories of the system.
    let plain = |path: &[u8]| is_system(path) && !path.contains(&b'$');
    let look = |top, path, walk| writers_below(place, top, path, walk).map(|writers| writers.access);
    if name.contains(&b'/') {
        let access = match look(own, name, Walk::Whole) {
            Err(Errno::NOENT | Errno::NOTDIR) => look(outer, name, Walk::Whole),
            told => told,
        };
        return plain(name) && access == Ok(Access::Root);
    }
    let only_root = |top, path| look(top, path, Walk::WhatIsLeft) == Ok(Access::Root);
    searched
        .iter()
        .all(|path| plain(path) && only_root(own, path) && only_root(outer, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_walked_from_the_root_down() {
        let walked = |path: &'static [u8]| -> Vec<&str> {
            steps(path)
                .map(|step| std::str::from_utf8(step).unwrap())
                .collect()
        };
        assert_eq!(
            walked(b"/usr/sbin/sshd"),
            ["", "usr", "usr/sbin", "usr/sbin/sshd"]
        );
        assert_eq!(walked(b"/x"), ["", "x"]);
    }

    #[test]
    fn only_root_may_change_what_is_roots() {
        for (mode, uid, gid, may) in [
            (0o100_755, 0, 0, false),
            (0o100_775, 0, 0, false),
            (0o100_755, 1000, 0, true),
            (0o041_777, 0, 0, true),
            (0o100_757, 0, 0, true),
        ] {
            assert_eq!(
                access(mode, uid, gid, &Accounts::default()).0 == Access::Others,
                may,
                "{mode:o} {uid} {gid}"
            );
        }
    }

    #[test]
    fn what_lies_where_everybody_may_write_is_told_though_it_can_not_be_looked_up() {
        let told = |path: &[u8], errno| at_least(path, Err(errno)).map(|told| (told.access, told.open_dir));
        let yes = Ok((Access::Others, true));
        assert_eq!(told(b"/tmp/x\\012.so", Errno::NOENT), yes);
        assert_eq!(told(b"/tmp/x", Errno::SRCH), Err(Errno::SRCH));
        assert_eq!(told(b"/usr/lib/x.so", Errno::NOENT), Err(Errno::NOENT));
    }

    #[test]
    fn shared_memory_is_no_library_unless_it_lies_in_the_file_system() {
        for (path, no_file) in [
            ("/memfd:x (deleted)", true),
            ("/dev/zero (deleted)", true),
            ("/SYSV00000000 (deleted)", true),
            ("/dev/shm/x.so", false),
            ("/usr/lib/x.so", false),
        ] {
            assert_eq!(is_no_file(path.as_bytes()), no_file, "{path}");
        }
    }
}
