//! Which file it is, by one statx that never waits for a server.

use crate::deadline::Notes;
use crate::snapshot::FileId;
use rustix::fd::BorrowedFd;
use rustix::fs::{AtFlags, CWD, Statx, StatxFlags, statx};
use rustix::io::Errno;
use std::os::unix::ffi::OsStrExt;

const IDENTITY: StatxFlags = StatxFlags::INO.union(StatxFlags::UID).union(StatxFlags::NLINK);

/// The file behind a path, by one statx that never waits for a server: a plain stat on a dead FUSE hangs and
/// cannot be killed.
///
/// # Errors
/// The errno of statx.
pub(super) fn file_at<P: rustix::path::Arg>(dir: BorrowedFd<'_>, path: P) -> Result<FileId, Errno> {
    let flags = AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT;
    Ok(identity(&statx(dir, path, flags, IDENTITY)?))
}

/// What has a name, without following it: in another root directory a link leads somewhere else.
pub(super) fn entry_at(dir: BorrowedFd<'_>, name: &[u8]) -> Result<FileId, Errno> {
    let flags = AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT | AtFlags::SYMLINK_NOFOLLOW;
    let name = std::ffi::OsStr::from_bytes(name);
    Ok(identity(&statx(dir, name, flags, IDENTITY)?))
}

/// The file behind a path of the host, which may lead to a server that does not answer. `None`: it did not.
pub(super) fn file_of_path(notes: Notes, path: &[u8]) -> Option<Result<FileId, Errno>> {
    notes.of_path(path, || file_at(CWD, path))
}

/// The device alone: whoever asks for nothing else is told it by FUSE, too, fuse_update_get_attr() of fs/fuse/dir.c.
pub(super) fn device_at<P: rustix::path::Arg>(dir: BorrowedFd<'_>, path: P) -> Option<u64> {
    let flags = AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT;
    let stat = statx(dir, path, flags, StatxFlags::empty()).ok()?;
    Some(device_of(&stat))
}

fn identity(stat: &Statx) -> FileId {
    FileId {
        device: device_of(stat),
        inode: stat.stx_ino,
        owner: stat.stx_uid,
        links: stat.stx_nlink,
    }
}

fn device_of(stat: &Statx) -> u64 {
    u64::from(stat.stx_dev_major) << 32 | u64::from(stat.stx_dev_minor)
}
