//! One `/proc/PID`, held open: whatever is read below this descriptor is of one process, and after that is gone
//! every read fails with ESRCH, even if its PID is given again.

use super::read::{Vanished, failure, whole};
use crate::parse;
use crate::select::File;
use crate::snapshot::process::DELETED;
use crate::snapshot::{Exe, Fact, FileId, Process, Why};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags, StatxFlags, openat, readlinkat, statx};
use rustix::io::Errno;

/// How a /proc file is reached: below a process's own descriptor, or by path for a first glance.
pub struct ProcessDir {
    dir: OwnedFd,
}

/// Limits on what is read; the kernel's own are far below the first two.
const LINE: usize = 8 << 10;
const STATUS: usize = 256 << 10;
/// Command lines longer than this are a set partly read.
const CMDLINE: usize = 128 << 10;

impl ProcessDir {
    /// Opens `/proc/PID` below the descriptor of a proc file system.
    ///
    /// # Errors
    /// The errno of open.
    pub fn open(proc: BorrowedFd<'_>, pid: i32) -> Result<ProcessDir, Errno> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(ProcessDir {
            dir: openat(proc, pid.to_string(), flags, Mode::empty())?,
        })
    }

    /// Reads one file into the process.
    ///
    /// # Errors
    /// The process vanished.
    pub fn read(&self, file: File, process: &mut Process) -> Result<(), Vanished> {
        let dir = self.dir.as_fd();
        match file {
            File::Comm => process.comm = line(dir, "comm", |bytes| Some(without_newline(bytes)))?,
            File::Owner => process.owner = owner(dir)?,
            File::Stat => process.stat = line(dir, "stat", parse::stat::parse)?,
            File::Cgroup => process.cgroup = line(dir, "cgroup", parse::cgroup::parse)?,
            File::Loginuid => process.loginuid = loginuid(dir)?,
            File::Status => {
                process.status = match whole(dir, "status", STATUS) {
                    Ok((bytes, _)) => parsed(parse::status::parse(&bytes)),
                    Err(errno) => failure(errno)?,
                }
            }
            File::Exe => self.exe(process)?,
            File::Cmdline => self.cmdline(process)?,
            File::Fds => self.fds(process)?,
        }
        Ok(())
    }

    /// Kernel threads and zombies have no program, arguments and descriptors; that is told by `stat` before any
    /// error is looked at, because what an error means differs with one's rights.
    fn has_no_program(&self, process: &mut Process) -> Result<bool, Vanished> {
        if !process.stat.asked() {
            self.read(File::Stat, process)?;
        }
        Ok(process
            .stat
            .value()
            .is_some_and(|stat| stat.is_kthread() || stat.is_zombie()))
    }

    fn exe(&self, process: &mut Process) -> Result<(), Vanished> {
        process.exe = match readlinkat(&self.dir, "exe", Vec::with_capacity(256)) {
            Ok(text) => Fact::Value(self.program(text.into_bytes())),
            Err(Errno::SRCH) => return Err(Vanished),
            Err(errno) => match (self.has_no_program(process)?, errno) {
                (true, _) => Fact::NotApplicable,
                // With a descriptor ENOENT is not "vanished": the process has lost its memory map and is exiting.
                (false, Errno::NOENT) => return self.exiting(process),
                (false, Errno::ACCESS | Errno::PERM) => Fact::Unreadable(Why::Denied),
                (false, other) => Fact::Unreadable(Why::Errno(other.raw_os_error())),
            },
        };
        Ok(())
    }

    /// Between exit_mm() and becoming a zombie a process has no program any more. It is gone for all purposes
    /// once `stat` fails or says so.
    fn exiting(&self, process: &mut Process) -> Result<(), Vanished> {
        self.read(File::Stat, process)?;
        let gone = process
            .stat
            .value()
            .is_some_and(|stat| stat.is_zombie() || stat.vsize == 0);
        process.exe = if gone {
            Fact::NotApplicable
        } else {
            Fact::Unreadable(Why::Empty)
        };
        Ok(())
    }

    fn program(&self, text: Vec<u8>) -> Exe {
        let file = match file_at(self.dir.as_fd(), "exe") {
            Ok(file) => Fact::Value(file),
            Err(Errno::ACCESS | Errno::PERM) => Fact::Unreadable(Why::Denied),
            Err(errno) => Fact::Unreadable(Why::Errno(errno.raw_os_error())),
        };
        let deleted = file.value().is_some_and(|file| file.links == 0);
        let path_exists =
            deleted.then(|| file_at(rustix::fs::CWD, text.strip_suffix(DELETED).unwrap_or(&text)).is_ok());
        Exe {
            text,
            file,
            path_exists,
        }
    }

    fn cmdline(&self, process: &mut Process) -> Result<(), Vanished> {
        process.cmdline = match whole(&self.dir, "cmdline", CMDLINE) {
            Ok((bytes, more)) if !bytes.is_empty() => Fact::Value(parse::cmdline::parse(&bytes, more)),
            Ok(_) if self.has_no_program(process)? => Fact::NotApplicable,
            Ok(_) => Fact::Unreadable(Why::Empty),
            Err(errno) => failure(errno)?,
        };
        Ok(())
    }

    fn fds(&self, process: &mut Process) -> Result<(), Vanished> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = openat(&self.dir, "fd", flags, Mode::empty()).and_then(rustix::fs::Dir::new);
        process.fds = match opened {
            Ok(dir) => {
                let names = dir
                    .filter_map(Result::ok)
                    .filter(|entry| !entry.file_name().to_bytes().starts_with(b"."));
                Fact::Value(names.count() as u64)
            }
            Err(errno) => failure(errno)?,
        };
        if self.has_no_program(process)? {
            process.fds = Fact::NotApplicable;
        }
        Ok(())
    }
}

fn line<T>(dir: BorrowedFd<'_>, name: &str, parse: impl Fn(&[u8]) -> Option<T>) -> Result<Fact<T>, Vanished> {
    match whole(dir, name, LINE) {
        Ok((bytes, _)) => Ok(parsed(parse(&bytes))),
        Err(errno) => failure(errno),
    }
}

fn parsed<T>(value: Option<T>) -> Fact<T> {
    value.map_or(Fact::Unreadable(Why::Malformed), Fact::Value)
}

/// comm ends with the newline that the kernel adds; it may hold others.
fn without_newline(bytes: &[u8]) -> Vec<u8> {
    bytes.strip_suffix(b"\n").unwrap_or(bytes).to_vec()
}

/// A kernel without CONFIG_AUDIT has no `loginuid`.
fn loginuid(dir: BorrowedFd<'_>) -> Result<Fact<Option<u32>>, Vanished> {
    match whole(dir, "loginuid", LINE) {
        Ok((bytes, _)) => {
            let uid = std::str::from_utf8(&bytes)
                .ok()
                .and_then(|text| text.trim().parse::<u32>().ok());
            Ok(parsed(uid.map(|uid| (uid != u32::MAX).then_some(uid))))
        }
        Err(Errno::NOENT) => Ok(Fact::NotApplicable),
        Err(errno) => failure(errno),
    }
}

/// The owner of the directory is the effective uid and gid, also where the files in it belong to root because the
/// process is not dumpable: task_dump_owner() of fs/proc/base.c.
fn owner(dir: BorrowedFd<'_>) -> Result<Fact<(u32, u32)>, Vanished> {
    let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    match statx(dir, "", flags, StatxFlags::UID | StatxFlags::GID) {
        // A directory whose process is gone is owned by root: the owner counts only while the process lives.
        Ok(stat) => match whole(dir, "comm", LINE) {
            Err(Errno::NOENT | Errno::SRCH) => Err(Vanished),
            _ => Ok(Fact::Value((stat.stx_uid, stat.stx_gid))),
        },
        Err(errno) => failure(errno),
    }
}

/// The file behind a path, by one statx that never waits for a server: a plain stat on a dead FUSE hangs and
/// cannot be killed.
///
/// # Errors
/// The errno of statx.
pub fn file_at<P: rustix::path::Arg>(dir: BorrowedFd<'_>, path: P) -> Result<FileId, Errno> {
    let flags = AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT;
    let stat = statx(dir, path, flags, StatxFlags::BASIC_STATS)?;
    Ok(FileId {
        device: u64::from(stat.stx_dev_major) << 32 | u64::from(stat.stx_dev_minor),
        inode: stat.stx_ino,
        owner: stat.stx_uid,
        links: stat.stx_nlink,
    })
}
