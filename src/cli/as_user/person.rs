//! Becoming another user for good: ids, groups and capabilities are given up, and that they are gone is checked.

use crate::parse;
use crate::select::Capability;
use nix::unistd::{Gid, Uid, User, getgrouplist, initgroups, setgid, setuid};
use rustix::fs::{StatVfsMountFlags, getxattr, statvfs};
use rustix::process::{parent_process_death_signal, set_parent_process_death_signal};
use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities, set_keep_capabilities};
use std::ffi::CString;

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

/// The capabilities that reading /proc may take.
const OF_USE: CapabilitySet = CapabilitySet::SYS_PTRACE.union(CapabilitySet::DAC_READ_SEARCH);

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
        self.keep_only(had.permitted.intersection(of_program_file()))
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

/// What capabilities(7) says an exec of our own program file would give a user: a `setcap cap_sys_ptrace+ep` counts.
fn of_program_file() -> CapabilitySet {
    const PROGRAM: &str = "/proc/self/exe";
    let without = statvfs(PROGRAM).is_ok_and(|mount| mount.f_flag.contains(StatVfsMountFlags::NOSUID));
    let mut bytes = [0; 24];
    match getxattr(PROGRAM, "security.capability", &mut bytes) {
        Ok(length) if !without => of_attribute(bytes.get(..length).unwrap_or_default()),
        _ => CapabilitySet::empty(),
    }
}

/// `struct vfs_cap_data` of linux/capability.h: a word of flags, then the low word of the permitted set. Both of the
/// capabilities of use are in the low word.
fn of_attribute(bytes: &[u8]) -> CapabilitySet {
    const EFFECTIVE: u32 = 1;
    let word = |at: usize| {
        let bytes = bytes.get(at..at + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    };
    match (word(0), word(4)) {
        (Some(flags), Some(permitted)) if flags & EFFECTIVE != 0 => {
            CapabilitySet::from_bits_truncate(permitted.into()).intersection(OF_USE)
        }
        _ => CapabilitySet::empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_attribute_that_setcap_writes_is_read() {
        // setcap cap_sys_ptrace+ep and cap_sys_ptrace+p, as getfattr -e hex shows them.
        let ep = b"\x01\0\0\x02\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0";
        let p = b"\0\0\0\x02\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0";
        assert_eq!(of_attribute(ep), CapabilitySet::SYS_PTRACE);
        assert_eq!(of_attribute(p), CapabilitySet::empty());
        assert_eq!(of_attribute(b"\x01\0"), CapabilitySet::empty());
    }

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
