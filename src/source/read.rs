//! Whole small files below a directory descriptor, and what an errno means.

use crate::snapshot::{Fact, Why};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;
use std::io::Read;

/// The process went away: ESRCH, or ENOENT where the name must exist while the process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vanished;

/// Reads a file up to `limit` bytes; the flag tells that there was more.
///
/// # Errors
/// The errno of open or read.
pub fn whole(dir: impl AsFd, name: &str, limit: usize) -> Result<(Vec<u8>, bool), Errno> {
    let file: OwnedFd = openat(
        dir,
        name,
        OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY,
        Mode::empty(),
    )?;
    let mut bytes = Vec::with_capacity(limit.min(1024));
    let read = std::fs::File::from(file)
        .take(limit as u64 + 1)
        .read_to_end(&mut bytes);
    read.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    let more = bytes.len() > limit;
    bytes.truncate(limit);
    Ok((bytes, more))
}

/// What the failure of reading a file that every process has means.
///
/// # Errors
/// The process vanished.
pub fn failure<T>(errno: Errno) -> Result<Fact<T>, Vanished> {
    match errno {
        Errno::NOENT | Errno::SRCH => Err(Vanished),
        Errno::ACCESS | Errno::PERM => Ok(Fact::Unreadable(Why::Denied)),
        other => Ok(Fact::Unreadable(Why::Errno(other.raw_os_error()))),
    }
}
