//! Names of users and groups: NSS for the live host, so that LDAP works; passwd files for copies of others.

use super::process_dir::file_of_path;
use crate::deadline::Notes;
use crate::snapshot::{Accounts, FileId, Table, Why};
use nix::unistd::{Gid, Group, Uid, User};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::path::Path;

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
}

/// The accounts in the files of this host.
#[must_use]
pub fn local_table() -> Table {
    table_of(Path::new("/etc"))
}

/// The accounts in `etc` beside a copied or mounted proc file system: `/host/proc` has `/host/etc`.
#[must_use]
pub fn table_beside(proc: &Path) -> Table {
    proc.parent()
        .map(|host| table_of(&host.join("etc")))
        .unwrap_or_default()
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
    fn accounts_are_read_beside_a_copied_proc() {
        let host = tempfile::tempdir().unwrap();
        std::fs::create_dir(host.path().join("etc")).unwrap();
        std::fs::write(host.path().join("etc/passwd"), "mon:x:117:123::/:/bin/false\n").unwrap();
        let table = table_beside(&host.path().join("proc"));
        assert_eq!(table.users.get("mon"), Some(&117));
        assert!(table.groups.is_empty());
        assert_eq!(table_beside(Path::new("/")), Table::default());
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
