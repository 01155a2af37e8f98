//! Names of users and groups: NSS for the live host, so that LDAP works; passwd files for copies of others.

use super::process_dir::file_at;
use crate::snapshot::{Accounts, FileId, Table};
use nix::unistd::{Gid, Group, Uid, User};
use rustix::io::Errno;
use std::path::Path;

/// The name service of this host.
pub struct Nss;

impl Accounts for Nss {
    fn uid(&self, name: &str) -> Result<Option<u32>, String> {
        User::from_name(name)
            .map(|user| user.map(|user| user.uid.as_raw()))
            .map_err(|error| error.to_string())
    }
    fn gid(&self, name: &str) -> Result<Option<u32>, String> {
        Group::from_name(name)
            .map(|group| group.map(|group| group.gid.as_raw()))
            .map_err(|error| error.to_string())
    }
    fn user_name(&self, uid: u32) -> Option<String> {
        User::from_uid(Uid::from_raw(uid))
            .ok()
            .flatten()
            .map(|user| user.name)
    }
    fn group_name(&self, gid: u32) -> Option<String> {
        Group::from_gid(Gid::from_raw(gid))
            .ok()
            .flatten()
            .map(|group| group.name)
    }
    fn file(&self, path: &str) -> Result<Option<FileId>, String> {
        match file_at(rustix::fs::CWD, path) {
            Ok(file) => Ok(Some(file)),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(error) => Err(error.to_string()),
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
        let text = std::fs::read(etc.join(file)).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        text.lines()
            .filter_map(|line| {
                let mut fields = line.split(':');
                let name = fields.next()?.to_owned();
                Some((name, fields.nth(1)?.parse::<u32>().ok()?))
            })
            .collect()
    };
    Table {
        users: ids("passwd"),
        groups: ids("group"),
        ..Table::default()
    }
}
