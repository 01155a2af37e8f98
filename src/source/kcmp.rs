//! kcmp(2): whether two threads share what threads usually share.
#![allow(
    unsafe_code,
    reason = "kcmp(2), which neither nix nor rustix has; why it is sound stands beside it"
)]

use nix::errno::Errno;
use nix::libc::{SYS_kcmp, c_long, syscall};

/// KCMP_FILES of linux/kcmp.h.
const FILES: c_long = 2;

/// Whether two threads have the same table of descriptors. unshare(2) gives a thread one of its own, and takes no right.
///
/// # Errors
/// ESRCH where one of them is gone, ENOSYS where the kernel is built without it.
pub(super) fn share_descriptors(one: i32, other: i32) -> Result<bool, Errno> {
    let (one, other) = (c_long::from(one), c_long::from(other));
    // SAFETY: the call takes numbers only, and touches no memory of ours.
    let told = unsafe { syscall(SYS_kcmp, one, other, FILES, 0, 0) };
    Errno::result(told).map(|order| order == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_shares_its_descriptors_with_itself_and_not_with_another() {
        let own = std::process::id().cast_signed();
        match share_descriptors(own, own) {
            Err(Errno::ENOSYS | Errno::EPERM) => {}
            told => assert_eq!(told, Ok(true)),
        }
        assert!(share_descriptors(own, i32::MAX).is_err());
        let mut child = std::process::Command::new("/bin/sleep")
            .arg("100")
            .spawn()
            .unwrap();
        let told = share_descriptors(own, child.id().cast_signed());
        child.kill().unwrap();
        child.wait().unwrap();
        assert_ne!(told, Ok(true));
    }
}
