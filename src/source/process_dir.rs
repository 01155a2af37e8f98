//! One `/proc/PID`, held open: whatever is read below this descriptor is of one process, and after that is gone
//! every read fails, even if its PID is given again.

use super::read::{Place, Vanished, whole};
use crate::deadline::Notes;
use crate::parse;
use crate::select::File;
use crate::snapshot::process::DELETED;
use crate::snapshot::{Exe, Fact, FileId, Process, Sched, Why};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags, StatxFlags, openat, readlinkat, statx};
use rustix::io::Errno;

/// A proc file system, and how its processes are read.
#[derive(Clone, Copy, Debug)]
pub struct Proc<'a> {
    /// Its directory.
    pub dir: BorrowedFd<'a>,
    /// Whether the paths that its processes name may be looked up.
    pub live: bool,
    /// Who is told before a read that may not come back.
    pub notes: Notes,
}

/// One process, and no other.
#[derive(Debug)]
pub struct ProcessDir {
    dir: OwnedFd,
    live: bool,
    notes: Notes,
}

/// Files of one line; the kernel's own limits (a page, PATH_MAX) are below it.
const LINE: usize = 16 << 10;
/// `Groups:` alone may name NGROUPS_MAX = 65536 groups of up to 11 bytes.
const STATUS: usize = 1 << 20;
/// Command lines longer than this are a set partly read.
const CMDLINE: usize = 128 << 10;
/// PF_EXITING of linux/sched.h: it is on its way out, and may have given up its memory already.
const PF_EXITING: u32 = 0x0000_0004;

impl ProcessDir {
    /// Opens `/proc/PID` below the descriptor of a proc file system.
    ///
    /// # Errors
    /// The errno of open.
    pub fn open(proc: Proc<'_>, pid: i32) -> Result<ProcessDir, Errno> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(ProcessDir {
            dir: openat(proc.dir, pid.to_string(), flags, Mode::empty())?,
            live: proc.live,
            notes: proc.notes,
        })
    }

    /// Reads one file into the process. A failing or empty `exe`, `cmdline` or `fd` makes it read `stat` too.
    ///
    /// # Errors
    /// The process vanished.
    pub fn read(&self, file: File, process: &mut Process) -> Result<(), Vanished> {
        read(
            Place {
                dir: self.dir.as_fd(),
                prefix: "",
                live: self.live,
                notes: self.notes,
            },
            file,
            process,
        )
    }
}

/// Reads one file by path. It may be of another process than what is read next, and may only dismiss.
///
/// # Errors
/// The process vanished.
pub(super) fn glance(proc: Proc<'_>, file: File, process: &mut Process) -> Result<(), Vanished> {
    let prefix = format!("{}/", process.pid);
    read(
        Place {
            dir: proc.dir,
            prefix: &prefix,
            live: proc.live,
            notes: proc.notes,
        },
        file,
        process,
    )
}

/// Says of one file why it cannot be read.
pub(super) fn mark(process: &mut Process, file: File, why: Why) {
    match file {
        File::Comm => process.comm = Fact::Unreadable(why),
        File::Owner => process.owner = Fact::Unreadable(why),
        File::Exe => process.exe = Fact::Unreadable(why),
        File::Stat => process.stat = Fact::Unreadable(why),
        File::Cgroup => process.cgroup = Fact::Unreadable(why),
        File::Loginuid => process.loginuid = Fact::Unreadable(why),
        File::Status => process.status = Fact::Unreadable(why),
        File::Cmdline => process.cmdline = Fact::Unreadable(why),
        File::Sched => process.sched = Fact::Unreadable(why),
        File::Fds => process.fds = Fact::Unreadable(why),
    }
}

fn read(place: Place<'_>, file: File, process: &mut Process) -> Result<(), Vanished> {
    match file {
        // comm ends with the newline that the kernel adds; it may hold others.
        File::Comm => {
            process.comm = text(place, "comm", LINE, |bytes| {
                Some(bytes.strip_suffix(b"\n").unwrap_or(bytes).to_vec())
            })?;
        }
        File::Owner => process.owner = owner(place)?,
        File::Stat => process.stat = text(place, "stat", LINE, parse::stat::parse)?,
        File::Cgroup => process.cgroup = text(place, "cgroup", LINE, parse::cgroup::parse)?,
        File::Loginuid => process.loginuid = loginuid(place)?,
        File::Status => process.status = text(place, "status", STATUS, parse::status::parse)?,
        File::Exe => exe(place, process)?,
        File::Cmdline => cmdline(place, process)?,
        File::Sched => process.sched = sched(place)?,
        File::Fds => fds(place, process)?,
    }
    Ok(())
}

/// A file that is not known whole is not known: what is cut off may be the line that counts.
fn text<T>(
    place: Place<'_>,
    name: &str,
    limit: usize,
    parse: impl Fn(&[u8]) -> Option<T>,
) -> Result<Fact<T>, Vanished> {
    match place.whole(name, limit) {
        Ok((_, true)) => Ok(Fact::Unreadable(Why::Malformed)),
        Ok((bytes, false)) => Ok(parse(&bytes).map_or(Fact::Unreadable(Why::Malformed), Fact::Value)),
        Err(errno) => place.failure(errno),
    }
}

/// 4294967295 is "unset"; a kernel without CONFIG_AUDIT has no such file.
fn loginuid(place: Place<'_>) -> Result<Fact<Option<u32>>, Vanished> {
    let known = text(place, "loginuid", LINE, |bytes| {
        let uid = std::str::from_utf8(bytes).ok()?.trim().parse::<u32>().ok()?;
        Some((uid != u32::MAX).then_some(uid))
    })?;
    let missing = Fact::Unreadable(Why::Errno(Errno::NOENT.raw_os_error()));
    Ok(if known == missing {
        Fact::NotApplicable
    } else {
        known
    })
}

/// The owner of the directory is the effective uid and gid, also where the files in it belong to root because the
/// process is not dumpable: task_dump_owner() of fs/proc/base.c.
fn owner(place: Place<'_>) -> Result<Fact<(u32, u32)>, Vanished> {
    let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    match statx(place.dir, place.prefix, flags, StatxFlags::UID | StatxFlags::GID) {
        // pid_getattr() says root of a directory whose process is gone: the owner counts only if it lives after.
        Ok(_) if !place.is_alive() => Err(Vanished),
        Ok(stat) => Ok(Fact::Value((stat.stx_uid, stat.stx_gid))),
        Err(errno) => place.failure(errno),
    }
}

/// Kernel threads and zombies have no program, arguments and descriptors; that is told by a `stat` read now,
/// before any error is looked at, because what an error means differs with one's rights. A process that is exiting
/// and has given up its memory (exit_mm() of kernel/exit.c) has none either.
fn has_no_program(place: Place<'_>, process: &mut Process) -> Result<bool, Vanished> {
    read(place, File::Stat, process)?;
    let stat = process.stat.value();
    Ok(stat.is_some_and(|stat| {
        stat.is_kthread() || stat.is_zombie() || (stat.flags & PF_EXITING != 0 && stat.vsize == 0)
    }))
}

fn exe(place: Place<'_>, process: &mut Process) -> Result<(), Vanished> {
    for _ in 0..3 {
        let text = match link(place) {
            Ok(text) => text,
            Err(errno) => {
                process.exe = if has_no_program(place, process)? {
                    Fact::NotApplicable
                } else {
                    place.failure(errno)?
                };
                return Ok(());
            }
        };
        let exe = program(place, text)?;
        // An exec between the two reads would give one program's name to another's file.
        if link(place).is_ok_and(|now| now == exe.text) {
            process.exe = Fact::Value(exe);
            return Ok(());
        }
    }
    process.exe = Fact::Unreadable(Why::Torn);
    Ok(())
}

/// readlinkat grows its buffer; beyond a page the kernel itself says ENAMETOOLONG.
fn link(place: Place<'_>) -> Result<Vec<u8>, Errno> {
    Ok(readlinkat(place.dir, place.path("exe"), Vec::with_capacity(256))?.into_bytes())
}

fn program(place: Place<'_>, text: Vec<u8>) -> Result<Exe, Vanished> {
    let file = if place.live || is_magic(place) {
        match file_at(place.dir, place.path("exe")) {
            Ok(file) => Fact::Value(file),
            Err(errno) => place.failure(errno)?,
        }
    } else {
        Fact::Unreadable(Why::Absent)
    };
    let deleted = file.value().is_some_and(|file| file.links == 0);
    // A path in another mount namespace or "(unreachable)" is not one of ours; a relative one would be looked up
    // below our working directory.
    let path_exists = if deleted && place.live && text.starts_with(b"/") {
        match file_of_path(place.notes, text.strip_suffix(DELETED).unwrap_or(&text)) {
            Some(Ok(_)) => Some(true),
            Some(Err(Errno::NOENT | Errno::NOTDIR)) => Some(false),
            _ => None,
        }
    } else {
        None
    };
    Ok(Exe {
        text,
        file,
        path_exists,
    })
}

/// Whether the links of this tree lead to the programs themselves, and not, as in a copy, to whatever has their
/// path on this host.
fn is_magic(place: Place<'_>) -> bool {
    rustix::fs::fstatfs(place.dir).is_ok_and(|fs| fs.f_type == rustix::fs::PROC_SUPER_MAGIC)
}

fn cmdline(place: Place<'_>, process: &mut Process) -> Result<(), Vanished> {
    // The kernel takes the lock of the process's memory, get_mm_cmdline() of fs/proc/base.c, and may have to fetch the
    // page from whoever serves it.
    let pid = process.pid;
    let start = || match &process.stat {
        Fact::Value(stat) => Some(stat.starttime),
        _ => parse::stat::parse(&place.whole("stat", LINE).ok()?.0).map(|stat| stat.starttime),
    };
    let owner = || owner(place).ok()?.value().map(|(uid, _)| *uid);
    let read = || place.whole("cmdline", CMDLINE);
    let Some(read) = place.notes.risk_of_process(pid, "cmdline", start, owner, read) else {
        process.cmdline = Fact::Unreadable(Why::NoAnswer);
        return Ok(());
    };
    process.cmdline = match read {
        Ok((bytes, more)) if !bytes.is_empty() => Fact::Value(parse::cmdline::parse(&bytes, more)),
        _ if has_no_program(place, process)? => Fact::NotApplicable,
        Ok(_) => Fact::Unreadable(Why::Empty),
        Err(errno) => place.failure(errno)?,
    };
    Ok(())
}

/// The times of all threads. One that ends meanwhile is left out; a kernel without CONFIG_SCHED_INFO has none.
fn sched(place: Place<'_>) -> Result<Fact<Sched>, Vanished> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let tasks = match openat(place.dir, place.path("task"), flags, Mode::empty()) {
        Ok(tasks) => tasks,
        Err(errno) => return place.failure(errno),
    };
    let names = match Dir::read_from(&tasks) {
        Ok(names) => names,
        Err(errno) => return place.failure(errno),
    };
    let mut sum = Sched::default();
    for name in names.flatten() {
        let name = name.file_name().to_string_lossy();
        if name.starts_with('.') {
            continue;
        }
        match whole(&tasks, &format!("{name}/schedstat"), LINE) {
            Ok((bytes, _)) => match parse::schedstat::parse(&bytes) {
                Some(thread) => {
                    sum.run = sum.run.saturating_add(thread.run);
                    sum.wait = sum.wait.saturating_add(thread.wait);
                }
                None => return Ok(Fact::Unreadable(Why::Malformed)),
            },
            Err(Errno::SRCH) => {}
            // The thread ended, or there is no such file in this kernel.
            Err(Errno::NOENT) if place.is_alive() => {}
            Err(errno) => return place.failure(errno),
        }
    }
    Ok(Fact::Value(sum))
}

fn fds(place: Place<'_>, process: &mut Process) -> Result<(), Vanished> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let count = openat(place.dir, place.path("fd"), flags, Mode::empty()).and_then(|dir| {
        Dir::new(dir)?.try_fold(0u64, |count, entry| {
            Ok(count + u64::from(!entry?.file_name().to_bytes().starts_with(b".")))
        })
    });
    process.fds = match count {
        Ok(count) if count > 0 => Fact::Value(count),
        _ if has_no_program(place, process)? => Fact::NotApplicable,
        Ok(count) => Fact::Value(count),
        // proc_readfd_common() says ENOENT of a process that is gone.
        Err(errno) => place.failure(errno)?,
    };
    Ok(())
}

/// The file behind a path, by one statx that never waits for a server: a plain stat on a dead FUSE hangs and
/// cannot be killed.
///
/// # Errors
/// The errno of statx.
pub fn file_at<P: rustix::path::Arg>(dir: BorrowedFd<'_>, path: P) -> Result<FileId, Errno> {
    let flags = AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT;
    let stat = statx(
        dir,
        path,
        flags,
        StatxFlags::INO | StatxFlags::UID | StatxFlags::NLINK,
    )?;
    Ok(FileId {
        device: u64::from(stat.stx_dev_major) << 32 | u64::from(stat.stx_dev_minor),
        inode: stat.stx_ino,
        owner: stat.stx_uid,
        links: stat.stx_nlink,
    })
}

/// The file behind a path of the host, which may lead to a server that does not answer. `None`: it did not.
pub(super) fn file_of_path(notes: Notes, path: &[u8]) -> Option<Result<FileId, Errno>> {
    notes.risk(&format!("file {}", String::from_utf8_lossy(path)), || {
        file_at(CWD, path)
    })
}
