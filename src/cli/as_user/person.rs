//! Becoming another user for good: ids, groups and capabilities are given up, and that they are gone is checked.

use crate::capabilities::OF_USE;
use crate::cli::copy::Copy;
use crate::cli::file_capabilities::file_capabilities;
use crate::parse;
use crate::select::Capability;
use nix::unistd::{Gid, Uid, User, getgrouplist, initgroups, setgid, setuid};
use rustix::process::{parent_process_death_signal, set_parent_process_death_signal};
use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities, set_keep_capabilities};
use std::ffi::CString;
use std::path::Path;

/// A user whose rights are to be tried.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) uid: u32,
    gid: u32,
    groups: Vec<u32>,
}

/// What a look is made with.
pub(super) struct Rights<'a> {
    pub(super) uid: u32,
    pub(super) held: &'a [Capability],
}

/// The capabilities of use that procward has.
///
/// # Errors
/// A sentence for the user.
pub(super) fn held() -> Result<Vec<Capability>, String> {
    let has = capabilities(None).map_err(|error| format!("capabilities can't be read: {error}"))?;
    let known = [
        (CapabilitySet::SYS_PTRACE, Capability::SysPtrace),
        (CapabilitySet::DAC_READ_SEARCH, Capability::DacReadSearch),
    ];
    let held = known.into_iter().filter(|(set, _)| has.effective.contains(*set));
    Ok(held.map(|(_, capability)| capability).collect())
}

impl Person {
    /// The user of this name or number, with the groups that a login would give.
    ///
    /// # Errors
    /// A sentence for the user.
    pub(super) fn find(word: &str) -> Result<Person, String> {
        let by_name = User::from_name(word);
        let found = match (by_name, word.parse()) {
            (Ok(None), Ok(uid)) => User::from_uid(Uid::from_raw(uid)),
            (by_name, _) => by_name,
        };
        let user = found
            .map_err(|error| format!("the user {word} can't be looked up: {error}"))?
            .ok_or_else(|| format!("there is no user {word}"))?;
        let mut groups: Vec<u32> = getgrouplist(&c_name(&user.name)?, user.gid)
            .map_err(|error| format!("the groups of {word} can't be looked up: {error}"))?
            .into_iter()
            .map(Gid::as_raw)
            .collect();
        groups.sort_unstable();
        groups.dedup();
        Ok(Person {
            name: user.name,
            uid: user.uid.as_raw(),
            gid: user.gid.as_raw(),
            groups,
        })
    }

    /// Becomes this user, once and for all, but keeps the capabilities that could be granted to procward, as far as
    /// it has them. Returns whether it kept them all.
    ///
    /// # Errors
    /// A sentence for the user; then nothing may be judged any more.
    pub(super) fn become_with_grants(&self) -> Result<bool, String> {
        let had = capabilities(None).map_err(|error| format!("capabilities can't be read: {error}"))?;
        let kept = had.permitted.intersection(OF_USE);
        let refused = |what: &str, error: &dyn std::fmt::Display| format!("{what} was refused: {error}");
        initgroups(&c_name(&self.name)?, Gid::from_raw(self.gid)).map_err(|e| refused("setgroups", &e))?;
        setgid(Gid::from_raw(self.gid)).map_err(|e| refused("setgid", &e))?;
        set_keep_capabilities(true).map_err(|e| refused("PR_SET_KEEPCAPS", &e))?;
        let with_parent = parent_process_death_signal().ok().flatten();
        setuid(Uid::from_raw(self.uid)).map_err(|e| refused("setuid", &e))?;
        // The kernel forgets it where ids change: commit_creds() of kernel/cred.c.
        set_parent_process_death_signal(with_parent).map_err(|e| refused("PR_SET_PDEATHSIG", &e))?;
        self.keep_only(kept)?;
        Ok(kept == OF_USE)
    }

    /// Gives up all capabilities but those that procward's program file would give this user.
    ///
    /// # Errors
    /// A sentence for the user; then nothing may be judged any more.
    pub(super) fn give_up_grants(&self) -> Result<(), String> {
        let had = capabilities(None).map_err(|error| format!("capabilities can't be read: {error}"))?;
        self.keep_only(had.permitted.intersection(self.lent()))
    }

    /// What an exec of our own program would give this user (a `setcap cap_sys_ptrace+ep` counts), and what its monitors
    /// and plugins would have by the copy, if the user is in its group.
    fn lent(&self) -> CapabilitySet {
        let own = file_capabilities(Path::new("/proc/self/exe")).filter(|file| file.effective);
        let own = own.map_or(CapabilitySet::empty(), |file| file.permitted);
        let copy = Copy::of_this_program();
        own | copy.map_or(CapabilitySet::empty(), |copy| copy.lends_to(&self.groups))
    }

    fn keep_only(&self, kept: CapabilitySet) -> Result<(), String> {
        let sets = CapabilitySets {
            effective: kept,
            permitted: kept,
            inheritable: CapabilitySet::empty(),
        };
        set_capabilities(None, sets).map_err(|error| format!("capset was refused: {error}"))?;
        self.verify(sets)
    }

    /// Whether the kernel says that this is the user, with these capabilities and no other right.
    fn verify(&self, sets: CapabilitySets) -> Result<(), String> {
        let status = std::fs::read("/proc/self/status").ok();
        let status = status.and_then(|bytes| parse::status::parse(&bytes));
        let mut status =
            status.ok_or("whose rights procward has now can't be read from /proc/self/status")?;
        status.groups.sort_unstable();
        status.groups.dedup();
        let became = status.uid == [self.uid; 4]
            && status.gid == [self.gid; 4]
            && status.groups == self.groups
            && capabilities(None) == Ok(sets);
        became
            .then_some(())
            .ok_or_else(|| format!("the rights of {} could not be taken on", self.name))
    }
}

fn c_name(name: &str) -> Result<CString, String> {
    CString::new(name).map_err(|_| format!("there is no user {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_name_and_by_number() {
        let root = Person::find("root").unwrap();
        assert_eq!((root.uid, root.gid, root.groups.contains(&0)), (0, 0, true));
        assert_eq!(Person::find("0").unwrap().name, "root");
        assert_eq!(
            Person::find("no such user").unwrap_err(),
            "there is no user no such user"
        );
    }
}
