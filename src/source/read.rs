//! Whole small files below a directory descriptor, and what an errno means.

use super::known::Known;
use super::tally;
use crate::capabilities::{is_raised, lowered};
use crate::deadline::Notes;
use crate::snapshot::{Fact, Why};
use rustix::buffer::spare_capacity;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{AtFlags, Mode, OFlags, StatxFlags, openat, readlinkat, statx};
use rustix::io::Errno;
use rustix::process::geteuid;

/// The process went away: ESRCH, or ENOENT where the name must exist while the process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vanished;

/// Most files of /proc are shorter than this, and are had with one read and the one that tells their end.
pub(super) const FIRST: usize = 4096;

/// Reads a file up to `limit` bytes; the flag tells that there was more.
///
/// # Errors
/// The errno of open or read.
pub fn whole(dir: impl AsFd, name: &str, limit: usize) -> Result<(Vec<u8>, bool), Errno> {
    until(dir, name, limit, |_| false)
}

/// The same, up to where it is enough.
pub(super) fn until(
    dir: impl AsFd,
    name: &str,
    limit: usize,
    enough: impl Fn(&[u8]) -> bool,
) -> Result<(Vec<u8>, bool), Errno> {
    let mut bytes = Vec::with_capacity(FIRST);
    let more = fill(dir, name, limit, |bytes, _| enough(bytes), &mut bytes)?;
    Ok((bytes, more))
}

/// Reads into a buffer, up to `limit` bytes or where `enough` says so, by what there is and by whether the last read left
/// room; tells whether there was more than the limit.
fn fill(
    dir: impl AsFd,
    name: &str,
    limit: usize,
    enough: impl Fn(&[u8], bool) -> bool,
    bytes: &mut Vec<u8>,
) -> Result<bool, Errno> {
    // Nothing below /proc/PID that is read here is a link; in a copied tree a link would lead to the live host.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NOFOLLOW;
    let file = openat(dir, name, flags, Mode::empty())?;
    loop {
        if bytes.len() == bytes.capacity() {
            bytes.reserve(bytes.len().max(FIRST));
        }
        match rustix::io::read(&file, spare_capacity(bytes)) {
            Ok(0) => break,
            Ok(_) if bytes.len() > limit || enough(bytes, bytes.len() < bytes.capacity()) => break,
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    tally::file(name, bytes.len());
    let more = bytes.len() > limit;
    bytes.truncate(limit);
    Ok(more)
}

/// Where the files of one process are: below its own descriptor, or, for a glance, below that of /proc.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) dir: BorrowedFd<'a>,
    /// Empty below the process's own descriptor, `PID/` below that of /proc.
    pub(super) prefix: &'a str,
    /// Whether the paths that the process names mean the same files to procward.
    pub(super) live: bool,
    /// Who is told before a read that may not come back.
    pub(super) notes: Notes,
    /// What this look has found out that other processes share.
    pub(super) known: &'a Known,
}

impl Place<'_> {
    /// The path of one of its files.
    pub(super) fn path(&self, name: &str) -> String {
        [self.prefix, name].concat()
    }

    /// A whole file.
    pub(super) fn whole(&self, name: &str, limit: usize) -> Result<(Vec<u8>, bool), Errno> {
        whole(self.dir, &self.path(name), limit)
    }

    /// A file that the kernel makes in one piece: a read that leaves room has all of it, seq_read_iter() of
    /// fs/seq_file.c, and another need not tell that this was the end. A copied tree may be of any file system.
    pub(super) fn record(&self, name: &str, limit: usize, bytes: &mut Vec<u8>) -> Result<bool, Errno> {
        fill(
            self.dir,
            &self.path(name),
            limit,
            |_, room| room && self.live,
            bytes,
        )
    }

    /// The text of a link; readlinkat grows the buffer, and beyond a page the kernel itself says ENAMETOOLONG.
    pub(super) fn link(&self, name: &str) -> Result<Vec<u8>, Errno> {
        let text = readlinkat(self.dir, self.path(name), Vec::with_capacity(256))?.into_bytes();
        tally::file(name, text.len());
        Ok(text)
    }

    /// Whether the process is still there. Every live process has a `stat`; below the directory of a dead one the
    /// lookup fails, because pid_revalidate() and proc_pident_lookup() of fs/proc/base.c ask for its task.
    pub(super) fn is_alive(&self) -> bool {
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::STATX_DONT_SYNC;
        !matches!(
            statx(self.dir, self.path("stat"), flags, StatxFlags::INO),
            Err(Errno::NOENT | Errno::SRCH | Errno::NOTDIR)
        )
    }

    /// Looks up what a path leads to that the process tells. The caller may have started it in a mount namespace of his own
    /// to have it tell any path, so of his processes that is done with his own rights.
    pub(super) fn look_up<T>(&self, look: impl FnOnce() -> T) -> T {
        let owner = || {
            let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
            statx(self.dir, self.prefix, flags, StatxFlags::UID).map(|stat| stat.stx_uid)
        };
        if is_raised() && owner() == Ok(geteuid().as_raw()) {
            lowered(look)
        } else {
            look()
        }
    }

    /// What the failure of reading a file means. ENOENT alone does not tell: a kernel without the feature has no
    /// such file (`cgroup` without CONFIG_CGROUPS), and the process lives on.
    ///
    /// # Errors
    /// The process vanished.
    pub(super) fn failure<T>(&self, errno: Errno) -> Result<Fact<T>, Vanished> {
        match errno {
            Errno::SRCH => Err(Vanished),
            Errno::NOENT if !self.is_alive() => Err(Vanished),
            other => Ok(Fact::Unreadable(why(other))),
        }
    }
}

/// An errno as a reason.
pub(super) fn why(errno: Errno) -> Why {
    match errno {
        Errno::ACCESS | Errno::PERM => Why::Denied,
        Errno::XDEV => Why::Covered,
        other => Why::Errno(other.raw_os_error()),
    }
}
