//! What capabilities(7) says an exec of a file would give a user: what setcap(8) wrote there.

use crate::capabilities::OF_USE;
use rustix::fs::{StatVfsMountFlags, getxattr, statvfs};
use rustix::thread::CapabilitySet;
use std::path::Path;

/// The capabilities of use that a file gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileCapabilities {
    pub(super) permitted: CapabilitySet,
    /// Whether they are effective at once, or the program has to raise them itself.
    pub(super) effective: bool,
}

/// None where the file gives nothing, on a mount without set-user-ID for example.
pub(super) fn file_capabilities(path: &Path) -> Option<FileCapabilities> {
    let mut bytes = [0; 24];
    let length = getxattr(path, "security.capability", &mut bytes).ok()?;
    let without = statvfs(path).is_ok_and(|mount| mount.f_flag.contains(StatVfsMountFlags::NOSUID));
    of_attribute(bytes.get(..length)?).filter(|_| !without)
}

/// `struct vfs_cap_data` of linux/capability.h: a word of flags, then the low word of the permitted set. Both of the
/// capabilities of use are in the low word.
fn of_attribute(bytes: &[u8]) -> Option<FileCapabilities> {
    const EFFECTIVE: u32 = 1;
    let word = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    Some(FileCapabilities {
        permitted: CapabilitySet::from_bits_truncate(word(4)?.into()).intersection(OF_USE),
        effective: word(0)? & EFFECTIVE != 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_attribute_that_setcap_writes_is_read() {
        // setcap cap_sys_ptrace+ep and cap_sys_ptrace+p, as getfattr -e hex shows them.
        let ep = b"\x01\0\0\x02\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0";
        let p = b"\0\0\0\x02\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0";
        let told = |effective| {
            Some(FileCapabilities {
                permitted: CapabilitySet::SYS_PTRACE,
                effective,
            })
        };
        assert_eq!(of_attribute(ep), told(true));
        assert_eq!(of_attribute(p), told(false));
        assert_eq!(of_attribute(b"\x01\0"), None);
    }
}
