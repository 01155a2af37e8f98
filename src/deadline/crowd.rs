//! Where so much hangs that more of the same is no accident: processes of one user, files of one server, names. Half a
//! second for each would add up, so what belongs to a crowd is not tried, unless it came back before.

use super::note::Note;
use crate::capabilities::raise;
use crate::parse::mountinfo::mount_above;
use std::os::unix::fs::MetadataExt;

/// What hangs together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Crowd {
    Owner(u32),
    Mount(Vec<u8>),
    Names,
}

/// So many make a crowd.
const ENOUGH: usize = 3;

impl Crowd {
    /// The crowds among what hung.
    pub(super) fn of(hung: &[Note]) -> Vec<Crowd> {
        if hung.len() < ENOUGH {
            return Vec::new();
        }
        let mounts = std::fs::read("/proc/self/mountinfo").unwrap_or_default();
        let _raised = raise();
        let owner = |pid| Some(std::fs::metadata(format!("/proc/{pid}")).ok()?.uid());
        crowds(hung, &mounts, owner)
    }

    /// Whether this read belongs to it.
    pub(super) fn holds(&self, note: &Note, owner: &dyn Fn() -> Option<u32>) -> bool {
        match self {
            Crowd::Owner(uid) => note.pid().is_some() && owner() == Some(*uid),
            Crowd::Mount(mount) => note.path().is_some_and(|path| {
                let below = path.as_bytes().strip_prefix(mount.as_slice());
                below.is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
            }),
            Crowd::Names => note.is_name(),
        }
    }
}

fn crowds(hung: &[Note], mounts: &[u8], owner: impl Fn(i32) -> Option<u32>) -> Vec<Crowd> {
    let kind = |note: &Note| match (note.pid(), note.path()) {
        (_, Some(path)) => mount_above(mounts, path.as_bytes()).map(Crowd::Mount),
        (Some(pid), None) => owner(pid).map(Crowd::Owner),
        (None, None) => note.is_name().then_some(Crowd::Names),
    };
    let kinds: Vec<Crowd> = hung.iter().filter_map(kind).collect();
    let many = |kind: &&Crowd| kinds.iter().filter(|other| other == kind).count() >= ENOUGH;
    let mut crowds: Vec<Crowd> = Vec::new();
    for kind in kinds.iter().filter(many) {
        if !crowds.contains(kind) {
            crowds.push(kind.clone());
        }
    }
    crowds
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &[u8] = b"1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:9 / /mnt/a rw - fuse a rw\n";

    fn found(hung: &[Note]) -> Vec<Crowd> {
        crowds(hung, MOUNTS, |pid| Some(if pid < 10 { 7 } else { 8 }))
    }

    #[test]
    fn three_of_a_kind_are_a_crowd_and_two_are_none() {
        let cmdline = |pid| Note::of_process(pid, "cmdline");
        let file = |path: &str| Note::of_file(path.as_bytes());
        assert_eq!(found(&[cmdline(1), cmdline(2), cmdline(11)]), []);
        assert_eq!(found(&[cmdline(1), cmdline(2), cmdline(3)]), [Crowd::Owner(7)]);
        let files = [file("/mnt/a/x"), file("/mnt/a/y"), file("/mnt/a/z")];
        assert_eq!(found(&files), [Crowd::Mount(b"/mnt/a".to_vec())]);
        let names = ["user a", "user b", "group c"].map(Note::of_name);
        assert_eq!(found(&names), [Crowd::Names]);
        // The root holds everything, which tells nothing of a server.
        assert_eq!(found(&[file("/x"), file("/y"), file("/mnt/ab")]), []);
    }

    #[test]
    fn a_crowd_holds_its_own_kind_only() {
        let owner = || Some(7);
        let note = Note::of_file(b"/mnt/a/b");
        assert!(Crowd::Mount(b"/mnt/a".to_vec()).holds(&note, &owner));
        assert!(!Crowd::Mount(b"/mnt/a".to_vec()).holds(&Note::of_file(b"/mnt/ab"), &owner));
        assert!(Crowd::Owner(7).holds(&Note::of_process(5, "cmdline"), &owner));
        assert!(!Crowd::Owner(8).holds(&Note::of_process(5, "cmdline"), &owner));
        assert!(!Crowd::Owner(7).holds(&note, &owner));
        assert!(Crowd::Names.holds(&Note::of_name("user x"), &owner));
        assert!(!Crowd::Names.holds(&note, &owner));
    }
}
