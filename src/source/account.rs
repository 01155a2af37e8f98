//! What the name service says of the account of a process. Asked once a look for each account: many processes share one.

use crate::capabilities::lowered;
use crate::deadline::Notes;
use crate::snapshot::{Account, Fact, Why};
use nix::errno::Errno;
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
    privileged: Option<Fact<Vec<u32>>>,
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
        let account = match privileged {
            Fact::Value(privileged) => account(uid, privileged, notes),
            Fact::Unreadable(why) => Fact::Unreadable(why),
            _ => Fact::Unreadable(Why::Absent),
        };
        known.accounts.insert(uid, account.clone());
        account
    }

    /// Whether a local group has no members at all. Where the name service may know members of it that no file tells,
    /// it is not said to be empty.
    pub(super) fn is_empty_group(&self, gid: u32) -> bool {
        *self.0.borrow_mut().empty.entry(gid).or_insert_with(|| {
            let files = lowered(|| {
                std::fs::read("/etc/group").and_then(|groups| Ok((groups, std::fs::read("/etc/passwd")?)))
            });
            files.is_ok_and(|(groups, users)| is_empty(gid, &groups, &users))
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

fn account(uid: u32, privileged: Vec<u32>, notes: Notes) -> Fact<Account> {
    match notes.of_name(&format!("groups of uid {uid}"), || groups(uid)) {
        None => Fact::Unreadable(Why::NoAnswer),
        Some(Err(errno)) => Fact::Unreadable(Why::Errno(errno as i32)),
        Some(Ok(groups)) => Fact::Value(Account {
            exists: groups.is_some(),
            groups: groups.unwrap_or_default(),
            privileged,
        }),
    }
}

/// A group that can't be told may be any: then none of them are known.
fn privileged(notes: Notes) -> Fact<Vec<u32>> {
    all_of(|name| notes.of_name(&format!("group {name}"), || Group::from_name(name)))
}

fn all_of(ask: impl Fn(&str) -> Option<nix::Result<Option<Group>>>) -> Fact<Vec<u32>> {
    let mut gids = Vec::new();
    for name in PRIVILEGED {
        match ask(name) {
            None => return Fact::Unreadable(Why::NoAnswer),
            Some(Ok(Some(group))) => gids.push(group.gid.as_raw()),
            Some(Ok(None) | Err(Errno::ENOENT | Errno::ESRCH)) => {}
            Some(Err(errno)) => return Fact::Unreadable(Why::Errno(errno as i32)),
        }
    }
    Fact::Value(gids)
}

/// `None` where there is no such account.
fn groups(uid: u32) -> nix::Result<Option<Vec<u32>>> {
    let user = match User::from_uid(Uid::from_raw(uid)) {
        Ok(Some(user)) => user,
        Ok(None) | Err(Errno::ENOENT | Errno::ESRCH) => return Ok(None),
        Err(errno) => return Err(errno),
    };
    let name = CString::new(user.name).map_err(|_| Errno::EINVAL)?;
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
    fn a_privileged_group_that_can_not_be_told_is_not_taken_for_one_that_is_not_there() {
        let asked = |shadow: fn() -> Option<nix::Result<Option<Group>>>| {
            all_of(|name| {
                if name == "shadow" {
                    shadow()
                } else {
                    Some(Ok(None))
                }
            })
        };
        assert_eq!(asked(|| Some(Ok(None))), Fact::Value(vec![]));
        assert_eq!(asked(|| Some(Err(Errno::ENOENT))), Fact::Value(vec![]));
        assert_eq!(asked(|| None), Fact::Unreadable(Why::NoAnswer));
        assert_eq!(
            asked(|| Some(Err(Errno::EIO))),
            Fact::Unreadable(Why::Errno(Errno::EIO as i32))
        );
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
