//! One writer of a state file at a time.
#![allow(
    clippy::disallowed_methods,
    reason = "the edge: the state file is opened here"
)]

use crate::deadline::Notes;
use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;
use std::fs::{File, OpenOptions, symlink_metadata};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

/// For how long another run may have it, which reads and writes one file meanwhile; and when it is asked again.
const PATIENCE: Duration = Duration::from_millis(200);
const PAUSE: Duration = Duration::from_millis(5);

/// Keeps other runs from the file, from when it is read until it is replaced, or what one of them noted in between would
/// be lost: a third restart of ten runs, say, so that its warning goes and comes again. The kernel takes the lock from a
/// run that ends, however it does (flock(2)). One that holds on to it hangs, and where there is no file yet, or its file
/// system has no locks, there is none to be had: then this run goes on without, for a verdict in time is worth more than a
/// note.
pub(super) fn lock(path: &Path, notes: Notes) -> Option<File> {
    let mut patience = PATIENCE;
    loop {
        match notes.of_file(path, || attempt(path)) {
            Ok(file) => return Some(file),
            Err(error) if error.kind() == ErrorKind::WouldBlock && patience > Duration::ZERO => {
                std::thread::sleep(PAUSE);
                patience -= PAUSE;
            }
            Err(_) => return None,
        }
    }
}

/// Locks the file that is there now; another run may replace it before it lets go of it.
fn attempt(path: &Path) -> Result<File, Error> {
    // Opening a device may set it going.
    if !symlink_metadata(path)?.is_file() {
        return Err(ErrorKind::InvalidInput.into());
    }
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(i32::try_from(flags.bits()).unwrap_or(0))
        .open(path)?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    let (ours, now) = (file.metadata()?, symlink_metadata(path)?);
    if (ours.dev(), ours.ino()) != (now.dev(), now.ino()) {
        return Err(Errno::WOULDBLOCK.into());
    }
    Ok(file)
}
