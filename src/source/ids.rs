//! Ids that the user namespace of procward has none for. The kernel shows that of nobody in the place of each of them,
//! user_namespaces(7): who has saved uid 0 outside would be one who has not.

use super::read::whole;
use crate::parse::number;
use crate::snapshot::Status;
use rustix::fd::OwnedFd;

/// `/proc/sys/kernel/overflowuid` and `overflowgid`, which nobody changes.
const OVERFLOW: u32 = 65534;

/// A page each: the maps of a user namespace are never longer.
const MAP: usize = 64 << 10;

/// Whether an id of nobody may be anybody's. Where nobody has an id of his own, as in most containers, it is taken for his.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ids {
    users: bool,
    groups: bool,
}

impl Ids {
    /// As seen by procward.
    pub(super) fn of(proc: &OwnedFd) -> Ids {
        let lacks = |file| whole(proc, file, MAP).is_ok_and(|(map, _)| lacks_nobody(&map));
        Ids {
            users: lacks("self/uid_map"),
            groups: lacks("self/gid_map"),
        }
    }

    /// Whether one of these is not told.
    pub(super) fn hide(self, uids: &[u32], gids: &[u32]) -> bool {
        self.users && uids.contains(&OVERFLOW) || self.groups && gids.contains(&OVERFLOW)
    }

    /// Whether one of all that a process has is not told.
    pub(super) fn hide_of(self, status: &Status) -> bool {
        self.hide(&status.uid, &status.gid) || self.hide(&[], &status.groups)
    }
}

/// Lines of first id here, first id outside, and how many.
fn lacks_nobody(map: &[u8]) -> bool {
    let mut lines = map.split(|byte| *byte == b'\n').filter_map(|line| {
        let mut words = line
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty());
        let (first, _, count) = (words.next()?, words.next()?, words.next()?);
        Some((number::<u32>(first)?, number::<u32>(count)?))
    });
    !lines.any(|(first, count)| OVERFLOW.checked_sub(first).is_some_and(|place| place < count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_himself_where_the_map_has_him() {
        for (map, lacks) in [
            (&b"         0          0 4294967295\n"[..], false),
            (b"         0     100000      65536\n", false),
            (b"         0     100000      65534\n", true),
            (b"         0       1000          1\n", true),
            (b"0 1000 1\n1 100000 65536\n", false),
            (b"65534 65534 1\n", false),
            (b"65535 65535 1\n", true),
            (b"", true),
        ] {
            assert_eq!(lacks_nobody(map), lacks, "{:?}", map.escape_ascii().to_string());
        }
    }
}
