//! Files of the host as a whole: load, memory, and pressure with that of the cgroups.

use super::host::is_proc;
use super::procfs::Procfs;
use super::read::{whole, why};
use crate::deadline::Notes;
use crate::parse;
use crate::snapshot::gauges::RESOURCES;
use crate::snapshot::{CgroupPressure, Fact, Gauges, Pressure, Pressures, Why};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Dir, FileType, Mode, OFlags, open, openat};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// `/proc/meminfo` has 60 lines, and the others one or two.
const SMALL: usize = 64 << 10;
/// Thousands of mounts on a host with many containers.
const MOUNTINFO: usize = 16 << 20;
/// So many cgroups are looked at, the outer ones first.
const CGROUPS: usize = 4096;
/// Where systemd mounts cgroup2, for a copied tree that does not tell.
const CGROUP: &[u8] = b"/sys/fs/cgroup";

const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOFOLLOW);

impl Procfs {
    /// Load and memory. Under LXC both files are served by a FUSE file system, which may not answer.
    #[must_use]
    pub fn gauges(&self) -> Gauges {
        match self.opened() {
            Ok(proc) => Gauges {
                loadavg: fact(self.notes, &proc, "loadavg", parse::loadavg::parse),
                meminfo: fact(self.notes, &proc, "meminfo", parse::meminfo::parse),
            },
            Err(errno) => Gauges {
                loadavg: Fact::Unreadable(why(errno)),
                meminfo: Fact::Unreadable(why(errno)),
            },
        }
    }

    /// Who waits for what.
    #[must_use]
    pub fn pressures(&self) -> Pressures {
        let Ok(proc) = self.opened() else {
            return Pressures::default();
        };
        let of = |resource| {
            fact(
                self.notes,
                &proc,
                &format!("pressure/{resource}"),
                parse::pressure::parse,
            )
        };
        Pressures {
            host: RESOURCES.map(of),
            cgroups: self.cgroups(&proc),
        }
    }

    /// Whether a second look may show something else: this is no copy.
    #[must_use]
    pub fn moves(&self) -> bool {
        self.opened().is_ok_and(is_proc)
    }

    pub(super) fn opened(&self) -> Result<OwnedFd, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        open(&self.root, flags, Mode::empty())
    }

    fn cgroups(&self, proc: &OwnedFd) -> Fact<Vec<CgroupPressure>> {
        let mounts = whole(proc, "self/mountinfo", MOUNTINFO);
        let place = match &mounts {
            Ok((text, _)) => parse::mountinfo::cgroup2(text),
            Err(_) => Some(CGROUP.to_vec()),
        };
        let Some(place) = place else {
            return Fact::NotApplicable;
        };
        let place = self.beside(Path::new(OsStr::from_bytes(&place)));
        let opened = self.notes.of_path(b"the cgroup file system", || {
            open(&place, DIRECTORY, Mode::empty())
        });
        match opened {
            Some(Ok(root)) => Fact::Value(all(&root, self.notes)),
            Some(Err(Errno::NOENT)) => Fact::NotApplicable,
            Some(Err(errno)) => Fact::Unreadable(why(errno)),
            None => Fact::Unreadable(Why::NoAnswer),
        }
    }

    /// A path of the host that is looked at: `/host/proc` has `/host/sys`.
    fn beside(&self, path: &Path) -> PathBuf {
        match self.root.parent().filter(|_| !self.live) {
            Some(host) => host.join(path.strip_prefix("/").unwrap_or(path)),
            None => path.into(),
        }
    }
}

fn fact<T>(notes: Notes, dir: impl AsFd, name: &str, parse: impl Fn(&[u8]) -> Option<T>) -> Fact<T> {
    match notes.of_path(name.as_bytes(), || whole(&dir, name, SMALL)) {
        None => Fact::Unreadable(Why::NoAnswer),
        Some(Err(errno)) => Fact::Unreadable(why(errno)),
        Some(Ok((bytes, false))) => parse(&bytes).map_or(Fact::Unreadable(Why::Malformed), Fact::Value),
        Some(Ok((_, true))) => Fact::Unreadable(Why::Malformed),
    }
}

/// The cgroups below the root, outer ones first. Where nobody waited lately, nobody below did.
fn all(root: &OwnedFd, notes: Notes) -> Vec<CgroupPressure> {
    let mut found: Vec<CgroupPressure> = Vec::new();
    let mut open = std::collections::VecDeque::from(children(root, b"", notes));
    while let Some(path) = open.pop_front() {
        if found.len() == CGROUPS {
            break;
        }
        let cgroup = one(root, path, notes);
        if cgroup.of.iter().any(is_felt) {
            open.extend(children(root, &cgroup.path, notes));
        }
        found.push(cgroup);
    }
    found
}

/// Whether somebody waited, or may have.
fn is_felt(pressure: &Fact<Pressure>) -> bool {
    !matches!(pressure, Fact::Value(pressure) if pressure.some.avg10 <= 0.0)
}

fn one(root: &OwnedFd, path: Vec<u8>, notes: Notes) -> CgroupPressure {
    let dir = openat(
        root,
        path.strip_prefix(b"/").unwrap_or(&path),
        DIRECTORY,
        Mode::empty(),
    );
    let read = |resource: &str| match &dir {
        Ok(dir) => fact(
            notes,
            dir,
            &format!("{resource}.pressure"),
            parse::pressure::parse,
        ),
        Err(errno) => Fact::Unreadable(why(*errno)),
    };
    CgroupPressure {
        of: RESOURCES.map(read),
        path,
    }
}

/// The paths of the cgroups directly below one.
fn children(root: &OwnedFd, path: &[u8], notes: Notes) -> Vec<Vec<u8>> {
    let here: &[u8] = if path.is_empty() { b"." } else { &path[1..] };
    let listed = notes.of_path(b"the list of cgroups", || {
        let entries = openat(root, here, DIRECTORY, Mode::empty()).and_then(Dir::new);
        entries
            .into_iter()
            .flatten()
            .filter_map(Result::ok)
            .filter(|entry| entry.file_type() == FileType::Directory)
            .map(|entry| entry.file_name().to_bytes().to_vec())
            .filter(|name| !name.starts_with(b"."))
            .collect::<Vec<_>>()
    });
    let mut names = listed.unwrap_or_default();
    names.sort();
    names.iter().map(|name| [path, b"/", name].concat()).collect()
}
