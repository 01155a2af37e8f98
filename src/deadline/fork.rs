//! The two calls that the language cannot vouch for: a page shared with a child, and the fork itself.
#![allow(
    unsafe_code,
    reason = "fork(2) and mmap(2); why each is sound stands beside it"
)]

use super::page::Page;
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};
use nix::unistd::{ForkResult, fork};
use rustix::process::Pid;
use std::num::NonZeroUsize;

/// A page of zeros that a child will share. It is never unmapped.
pub(super) fn shared_page() -> Result<&'static Page, nix::errno::Errno> {
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
pub(super) fn split() -> Result<Side, nix::errno::Errno> {
    // SAFETY: with one thread no lock can be held by a thread that the child lacks.
    match unsafe { fork() }? {
        ForkResult::Child => Ok(Side::Worker),
        ForkResult::Parent { child } => Pid::from_raw(child.as_raw())
            .map(Side::Supervisor)
            .ok_or(nix::errno::Errno::ESRCH),
    }
}
