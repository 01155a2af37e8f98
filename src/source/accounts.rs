//! Names of users and groups: NSS for the live host, so that LDAP works; passwd files for copies of others.

use super::file_id::{file_at, file_of_path};
use super::procfs::Procfs;
use crate::deadline::Notes;
use crate::snapshot::{Accounts, FileId, Table, Why};
use nix::unistd::{Gid, Group, Uid, User};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, StatxFlags, openat, statx};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The name service of this host.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nss {
    notes: Notes,
}

impl Nss {
    /// Asked under somebody's eyes: a name service may not answer.
    #[must_use]
    pub fn watched(notes: Notes) -> Nss {
        Nss { notes }
    }

    fn ask<T>(
        self,
        what: &str,
        of: impl std::fmt::Display,
        ask: impl FnOnce() -> nix::Result<Option<T>>,
    ) -> Result<Option<T>, String> {
        let answer = self.notes.of_name(&format!("{what} {of}"), ask);
        answer.map_or_else(|| Err("it hangs".into()), found)
    }
}

/// getpwnam_r(3): where nothing is found, some name services say 0, others ENOENT or ESRCH.
fn found<T>(answer: nix::Result<Option<T>>) -> Result<Option<T>, String> {
    match answer {
        Ok(entry) => Ok(entry),
        Err(nix::errno::Errno::ENOENT | nix::errno::Errno::ESRCH) => Ok(None),
        Err(errno) => Err(std::io::Error::from(errno).to_string()),
    }
}

impl Accounts for Nss {
    fn uid(&self, name: &str) -> Result<Option<u32>, String> {
        Ok(self
            .ask("user", name, || User::from_name(name))?
            .map(|user| user.uid.as_raw()))
    }
    fn gid(&self, name: &str) -> Result<Option<u32>, String> {
        Ok(self
            .ask("group", name, || Group::from_name(name))?
            .map(|group| group.gid.as_raw()))
    }
    fn user_name(&self, uid: u32) -> Option<String> {
        self.ask("uid", uid, || User::from_uid(Uid::from_raw(uid)))
            .ok()
            .flatten()
            .map(|user| user.name)
    }
    fn group_name(&self, gid: u32) -> Option<String> {
        self.ask("gid", gid, || Group::from_gid(Gid::from_raw(gid)))
            .ok()
            .flatten()
            .map(|group| group.name)
    }
    fn file(&self, path: &str) -> Result<Option<FileId>, String> {
        match file_of_path(self.notes, path.as_bytes()) {
            Some(Ok(file)) => Ok(Some(file)),
            Some(Err(Errno::NOENT | Errno::NOTDIR)) => Ok(None),
            Some(Err(error)) => Err(error.to_string()),
            None => Err(Why::NoAnswer.text()),
        }
    }
    fn security_module(&self) -> Result<Option<String>, String> {
        Procfs::live().watched(self.notes).security_module()
    }
    fn is_script(&self, path: &str) -> bool {
        let read = || begins_with_shebang(path);
        // Reading may hang where looking does not, so it has a note of its own.
        let note = format!("{path} (its beginning)");
        matches!(self.notes.of_path(note.as_bytes(), read), Some(Ok(true)))
    }
    fn real_path(&self, path: &str) -> Option<String> {
        let note = format!("{path} (its links)");
        let follow = || resolved(Path::new(path));
        let real = self.notes.of_path(note.as_bytes(), follow)?;
        real.ok()?.into_os_string().into_string().ok()
    }
}

/// The path behind links, of a file that may be there no more: a program that was deleted still runs.
fn resolved(path: &Path) -> std::io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        match std::fs::canonicalize(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            answer => return answer,
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            break;
        };
        let place = std::fs::canonicalize(parent)?.join(name);
        match std::fs::read_link(&place) {
            Ok(target) => path = place.with_file_name("").join(target),
            Err(_) => return Ok(place),
        }
    }
    Err(std::io::ErrorKind::NotFound.into())
}

/// The kernel follows 40.
const LINKS: usize = 40;

/// Only a plain file is opened: a device may begin to do things.
fn begins_with_shebang(path: &str) -> Result<bool, Errno> {
    let (flags, stats) = (AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT, StatxFlags::TYPE);
    let mode = u32::from(statx(CWD, path, flags, stats)?.stx_mode);
    if FileType::from_raw_mode(mode) != FileType::RegularFile {
        return Ok(false);
    }
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
    let file = openat(CWD, path, flags, Mode::empty())?;
    let mut first = [0; 2];
    Ok(rustix::io::read(file, &mut first)? == 2 && first == *b"#!")
}

/// The accounts in the files of this host.
#[must_use]
pub fn local_table() -> Table {
    table_of(Path::new("/etc"))
}

/// Another host, of which a copied or mounted proc file system is looked at: `/host/proc` has `/host/etc` beside it.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    root: Option<PathBuf>,
    table: Table,
}

impl Beside {
    /// What lies beside this proc file system.
    #[must_use]
    pub fn of(proc: &Path) -> Beside {
        let root = proc.parent().map(Path::to_owned);
        let table = root.as_ref().map(|host| table_of(&host.join("etc")));
        Beside {
            root,
            table: table.unwrap_or_default(),
        }
    }
}

impl Accounts for Beside {
    fn uid(&self, name: &str) -> Result<Option<u32>, String> {
        self.table.uid(name)
    }
    fn gid(&self, name: &str) -> Result<Option<u32>, String> {
        self.table.gid(name)
    }
    fn user_name(&self, uid: u32) -> Option<String> {
        self.table.user_name(uid)
    }
    fn group_name(&self, gid: u32) -> Option<String> {
        self.table.group_name(gid)
    }
    /// That there is none here does not say that the host has none: it may be a proc file system alone.
    fn file(&self, path: &str) -> Result<Option<FileId>, String> {
        let root = self.root.as_ref().ok_or("nothing lies beside it")?;
        let file = file_at(CWD, root.join(path.trim_start_matches('/')));
        file.map(Some).map_err(|error| error.to_string())
    }
}

fn table_of(etc: &Path) -> Table {
    let ids = |file: &str| {
        std::fs::read(etc.join(file))
            .map(|text| ids(&text))
            .unwrap_or_default()
    };
    Table {
        users: ids("passwd"),
        groups: ids("group"),
        ..Table::default()
    }
}

/// `NAME:PASSWORD:ID:…`, passwd(5) and group(5). The first of several lines of a name counts, as for getpwnam(3).
fn ids(text: &[u8]) -> BTreeMap<String, u32> {
    let mut ids = BTreeMap::new();
    for line in String::from_utf8_lossy(text).lines() {
        let mut fields = line.split(':');
        if let (Some(name), Some(Ok(id))) = (fields.next(), fields.nth(1).map(str::parse)) {
            ids.entry(name.to_owned()).or_insert(id);
        }
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_of_a_name_counts_and_others_than_accounts_are_passed_over() {
        let ids = ids(b"root:x:0:0::/:/bin/sh\n+nis\n\nbad:x:y:\nroot:x:7:7\n\xff:x:5:\n");
        assert_eq!(ids.get("root"), Some(&0));
        assert_eq!(ids.len(), 2);
    }

    #[test]
    fn links_lead_to_the_place_of_a_program_that_was_deleted() {
        let host = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(host.path()).unwrap();
        std::fs::create_dir(root.join("real")).unwrap();
        std::os::unix::fs::symlink("real", root.join("directory")).unwrap();
        std::os::unix::fs::symlink("real/gone", root.join("link")).unwrap();
        std::os::unix::fs::symlink("loop", root.join("loop")).unwrap();
        let gone = root.join("real/gone");
        for path in ["directory/gone", "link", "real/gone"] {
            assert_eq!(resolved(&root.join(path)).unwrap(), gone, "{path}");
        }
        for path in ["loop", "none/gone"] {
            assert!(resolved(&root.join(path)).is_err(), "{path}");
        }
    }

    #[test]
    fn accounts_are_read_beside_a_copied_proc() {
        let host = tempfile::tempdir().unwrap();
        std::fs::create_dir(host.path().join("etc")).unwrap();
        std::fs::write(host.path().join("etc/passwd"), "mon:x:117:123::/:/bin/false\n").unwrap();
        std::fs::write(host.path().join("daemon"), "").unwrap();
        let beside = Beside::of(&host.path().join("proc"));
        assert_eq!(beside.uid("mon"), Ok(Some(117)));
        assert_eq!(beside.gid("mon"), Ok(None));
        let file = file_at(CWD, host.path().join("daemon")).unwrap();
        assert_eq!(beside.file("/daemon"), Ok(Some(file)));
        assert!(beside.file("/none").is_err());
        assert_eq!(Beside::of(Path::new("/")).table, Table::default());
    }

    #[test]
    fn a_script_is_told_from_a_program() {
        let dir = tempfile::tempdir().unwrap();
        let (script, short) = (dir.path().join("script"), dir.path().join("short"));
        std::fs::write(&script, "#!/bin/sh\n").unwrap();
        std::fs::write(&short, "#").unwrap();
        let is_script = |path: &Path| Nss::default().is_script(path.to_str().unwrap());
        assert!(is_script(&script));
        for other in [
            &short,
            dir.path(),
            Path::new("/proc/self/exe"),
            Path::new("/dev/zero"),
        ] {
            assert!(!is_script(other), "{other:?}");
        }
    }

    #[test]
    fn nss_knows_root_and_says_no_to_others() {
        assert_eq!(Nss::default().uid("root"), Ok(Some(0)));
        assert_eq!(Nss::default().uid("no such user of procward"), Ok(None));
        assert_eq!(Nss::default().gid("a\0b"), Ok(None));
        assert_eq!(Nss::default().user_name(0).as_deref(), Some("root"));
        assert_eq!(local_table().users.get("root"), Some(&0));
    }

    #[test]
    fn a_file_is_known_by_device_and_inode_and_its_absence_is_no_error() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("f"), dir.path().join("l"));
        std::fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let id = |path: &Path| Nss::default().file(path.to_str().unwrap()).unwrap();
        assert!(id(&file).is_some());
        assert_eq!(id(&file), id(&link));
        assert_eq!(id(&dir.path().join("none")), None);
        assert_eq!(id(&file.join("below")), None);
    }
}
