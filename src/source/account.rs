//! What the name service says of the account of a process. Asked once a look for each account: many processes share one.

use crate::deadline::Notes;
use crate::snapshot::{Account, Fact, Why};
use nix::unistd::{Gid, Group, Uid, User, getgrouplist};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::CString;
use std::rc::Rc;

/// Whoever is in one of these can become root, or read what is root's; those that a host lacks are nobody's.
const PRIVILEGED: [&str; 13] = [
    "adm",
    "disk",
    "docker",
    "incus",
    "kmem",
    "kvm",
    "libvirt",
    "lxd",
    "mem",
    "shadow",
    "sudo",
    "systemd-journal",
    "wheel",
];

#[derive(Debug, Default)]
struct Known {
    accounts: BTreeMap<u32, Fact<Account>>,
    privileged: Option<Vec<u32>>,
    empty: BTreeMap<u32, bool>,
}

/// What was asked in one look; copies share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Accounts(Rc<RefCell<Known>>);

impl Accounts {
    /// The account of a uid.
    pub(super) fn of(&self, uid: u32, notes: Notes) -> Fact<Account> {
        let mut known = self.0.borrow_mut();
        if let Some(account) = known.accounts.get(&uid) {
            return account.clone();
        }
        let privileged = known.privileged.get_or_insert_with(|| privileged(notes)).clone();
        let answer = notes.of_name(&format!("groups of uid {uid}"), || groups(uid));
        let account = match answer {
            None => Fact::Unreadable(Why::NoAnswer),
            Some(Err(errno)) => Fact::Unreadable(Why::Errno(errno as i32)),
            Some(Ok(groups)) => Fact::Value(Account {
                exists: groups.is_some(),
                groups: groups.unwrap_or_default(),
                privileged,
            }),
        };
        known.accounts.insert(uid, account.clone());
        account
    }

    /// Whether a local group has no members at all. Where the name service may know members of it that no file tells,
    /// it is not said to be empty.
    pub(super) fn is_empty_group(&self, gid: u32) -> bool {
        *self.0.borrow_mut().empty.entry(gid).or_insert_with(|| {
            let read = |path: &str| std::fs::read(path).unwrap_or_default();
            is_empty(gid, &read("/etc/group"), &read("/etc/passwd"))
        })
    }
}

/// group(5) and passwd(5). A group that is not there is not known to be empty.
fn is_empty(gid: u32, groups: &[u8], users: &[u8]) -> bool {
    let gid = gid.to_string();
    let mut there = false;
    for line in String::from_utf8_lossy(groups).lines() {
        let fields: Vec<&str> = line.split(':').collect();
        if fields.get(2) == Some(&gid.as_str()) {
            there = true;
            if fields.get(3).is_none_or(|members| !members.trim().is_empty()) {
                return false;
            }
        }
    }
    there
        && !String::from_utf8_lossy(users)
            .lines()
            .any(|line| line.split(':').nth(3) == Some(&gid))
}

fn privileged(notes: Notes) -> Vec<u32> {
    let gid = |name: &&str| {
        let ask = || Group::from_name(name);
        let group = notes.of_name(&format!("group {name}"), ask)?.ok()??;
        Some(group.gid.as_raw())
    };
    PRIVILEGED.iter().filter_map(gid).collect()
}

/// `None` where there is no such account.
fn groups(uid: u32) -> nix::Result<Option<Vec<u32>>> {
    let user = match User::from_uid(Uid::from_raw(uid)) {
        Ok(Some(user)) => user,
        Ok(None) | Err(nix::errno::Errno::ENOENT | nix::errno::Errno::ESRCH) => return Ok(None),
        Err(errno) => return Err(errno),
    };
    let name = CString::new(user.name).map_err(|_| nix::errno::Errno::EINVAL)?;
    let groups = getgrouplist(&name, user.gid)?;
    Ok(Some(groups.into_iter().map(Gid::as_raw).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_has_an_account_and_its_groups() {
        let Fact::Value(root) = Accounts::default().of(0, Notes::none()) else {
            panic!("root is known");
        };
        assert!(root.exists && root.groups.contains(&0));
        let Fact::Value(nobody) = Accounts::default().of(4_294_900_000, Notes::none()) else {
            panic!("that there is none is known");
        };
        assert_eq!((nobody.exists, nobody.groups), (false, vec![]));
    }

    #[test]
    fn a_group_is_empty_that_is_nobodys() {
        let groups = b"root:x:0:\nstaff:x:50:\nsudo:x:27:alice\nbroken\nalice:x:1000:\n";
        let users = b"root:x:0:0::/:/bin/sh\nalice:x:1000:1000::/:/bin/sh\n";
        for (gid, empty) in [(50, true), (27, false), (1000, false), (0, false), (77, false)] {
            assert_eq!(is_empty(gid, groups, users), empty, "{gid}");
        }
    }
}
