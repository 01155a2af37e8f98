//! kcmp(2): whether two threads share what threads usually share.
#![allow(
    unsafe_code,
    reason = "kcmp(2), which neither nix nor rustix has; why it is sound stands beside it"
)]

use nix::errno::Errno;
use nix::libc::{SYS_kcmp, c_long, syscall};

/// What threads usually share. unshare(2) gives a thread one of its own, and takes no right.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shared {
    /// The table of descriptors.
    Descriptors,
    /// Root and working directory, and the umask.
    Directories,
}

impl Shared {
    /// KCMP_FILES and KCMP_FS of linux/kcmp.h.
    fn number(self) -> c_long {
        match self {
            Shared::Descriptors => 2,
            Shared::Directories => 3,
        }
    }
}

/// Whether two threads share it.
///
/// # Errors
/// ESRCH where one of them is gone, ENOSYS where the kernel is built without it.
pub(super) fn share(what: Shared, one: i32, other: i32) -> Result<bool, Errno> {
    let (one, other) = (c_long::from(one), c_long::from(other));
    // SAFETY: the call takes numbers only, and touches no memory of ours.
    let told = unsafe { syscall(SYS_kcmp, one, other, what.number(), 0, 0) };
    Errno::result(told).map(|order| order == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_shares_all_with_itself_and_nothing_with_another() {
        let own = std::process::id().cast_signed();
        let mut child = std::process::Command::new("/bin/sleep")
            .arg("100")
            .spawn()
            .unwrap();
        let told = [Shared::Descriptors, Shared::Directories].map(|what| {
            let with = |other| share(what, own, other);
            [with(own), with(i32::MAX), with(child.id().cast_signed())]
        });
        child.kill().unwrap();
        child.wait().unwrap();
        for [itself, nobody, another] in told {
            assert!(matches!(itself, Ok(true) | Err(Errno::ENOSYS | Errno::EPERM)));
            assert!(nobody.is_err());
            assert_ne!(another, Ok(true));
        }
    }
}
