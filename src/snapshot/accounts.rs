//! Names of users and groups and identities of files, as something outside the pure stages knows them.

use super::FileId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a spec needs to know of the host when it is read. Implemented by NSS for the live host
/// (`source::accounts`) and by [`Table`] for snapshots and tests.
pub trait Accounts {
    /// The uid of a user. `Ok(None)`: no such user. `Err`: the name service gave no answer.
    ///
    /// # Errors
    /// What the name service said.
    fn uid(&self, name: &str) -> Result<Option<u32>, String>;
    /// The gid of a group, likewise.
    ///
    /// # Errors
    /// What the name service said.
    fn gid(&self, name: &str) -> Result<Option<u32>, String>;
    /// The name of a uid.
    fn user_name(&self, uid: u32) -> Option<String>;
    /// The name of a gid.
    fn group_name(&self, gid: u32) -> Option<String>;
    /// The file at this path, by one statx. `Ok(None)`: there is none.
    ///
    /// # Errors
    /// Why it could not be told.
    fn file(&self, path: &str) -> Result<Option<FileId>, String>;
    /// The name of the security module that gives labels here: `selinux`, `apparmor` or `smack`. `Ok(None)`: none does.
    ///
    /// # Errors
    /// Why it could not be told.
    fn security_module(&self) -> Result<Option<String>, String> {
        Err("it is not told here".into())
    }
    /// Whether the file at this path is a script, `#!`, as far as that can be told.
    fn is_script(&self, path: &str) -> bool {
        let _ = path;
        false
    }
    /// The path without symbolic links, as far as it can be told.
    fn real_path(&self, path: &str) -> Option<String> {
        let _ = path;
        None
    }
}

/// Accounts and files written down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// User name to uid.
    pub users: BTreeMap<String, u32>,
    /// Group name to gid.
    pub groups: BTreeMap<String, u32>,
    /// Path to file.
    pub files: BTreeMap<String, FileId>,
}

fn name_of(table: &BTreeMap<String, u32>, id: u32) -> Option<String> {
    table
        .iter()
        .find(|(_, value)| **value == id)
        .map(|(name, _)| name.clone())
}

impl Accounts for Table {
    fn uid(&self, name: &str) -> Result<Option<u32>, String> {
        Ok(self.users.get(name).copied())
    }
    fn gid(&self, name: &str) -> Result<Option<u32>, String> {
        Ok(self.groups.get(name).copied())
    }
    fn user_name(&self, uid: u32) -> Option<String> {
        name_of(&self.users, uid)
    }
    fn group_name(&self, gid: u32) -> Option<String> {
        name_of(&self.groups, gid)
    }
    fn file(&self, path: &str) -> Result<Option<FileId>, String> {
        Ok(self.files.get(path).copied())
    }
}
