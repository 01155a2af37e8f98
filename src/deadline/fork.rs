//! The calls that the language cannot vouch for: a page shared with a child, the fork itself, and what is done with a
//! signal.
#![allow(
    unsafe_code,
    reason = "fork(2), mmap(2) and sigaction(2); why each is sound stands beside it"
)]

use super::page::Page;
use nix::errno::Errno;
use nix::libc;
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};
use nix::sys::signal::Signal;
use nix::unistd::{ForkResult, fork};
use rustix::process::Pid;
use std::mem::MaybeUninit;
use std::num::NonZeroUsize;

/// A page of zeros that a child will share. It is never unmapped.
pub(super) fn shared_page() -> Result<&'static Page, Errno> {
    let size = NonZeroUsize::new(size_of::<Page>()).unwrap_or(NonZeroUsize::MIN);
    let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: a new anonymous mapping, where the kernel wants it, touches no memory of ours.
    let page = unsafe { mmap_anonymous(None, size, protection, MapFlags::MAP_SHARED) }?;
    // SAFETY: the mapping is page-aligned, as large as `Page`, lives until the process ends, and is only ever seen as
    // `Page`, all of whose fields are atomics, for which zeros are valid.
    Ok(unsafe { page.cast::<Page>().as_ref() })
}

/// Which side of the fork this is.
pub(super) enum Side {
    Worker,
    Supervisor(Pid),
}

/// Forks. The process must have one thread only, which `cli` sees to: it starts none before.
pub(super) fn split() -> Result<Side, Errno> {
    // SAFETY: with one thread no lock can be held by a thread that the child lacks.
    match unsafe { fork() }? {
        ForkResult::Child => Ok(Side::Worker),
        ForkResult::Parent { child } => Pid::from_raw(child.as_raw())
            .map(Side::Supervisor)
            .ok_or(Errno::ESRCH),
    }
}

/// Whether we were started with this signal ignored, as nohup(1) does.
pub(super) fn is_ignored(signal: Signal) -> bool {
    let mut found = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: without a new action the call only writes the present one, to memory of that type.
    let asked = unsafe { libc::sigaction(signal as libc::c_int, std::ptr::null(), found.as_mut_ptr()) };
    // SAFETY: zeros are a valid sigaction, so this holds whether the call wrote or not.
    asked == 0 && unsafe { found.assume_init() }.sa_sigaction == libc::SIG_IGN
}
