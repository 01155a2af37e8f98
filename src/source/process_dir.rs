//! One `/proc/PID`, held open: whatever is read below this descriptor is of one process, and after that is gone
//! every read fails, even if its PID is given again.

use super::container;
use super::descriptors::descriptors;
use super::known::Known;
use super::read::{FIRST, Place, Vanished, whole};
use super::settle::now;
use super::survivor::{self, Remains, has_ended};
use super::tally;
use super::{image, label, program, standing};
use crate::deadline::Notes;
use crate::parse::{self, number};
use crate::select::File;
use crate::snapshot::{Cmdline, Fact, Process, Ranks, Sched, Stat, Status, Why};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Dir, Mode, OFlags, StatxFlags, openat, statx};
use rustix::io::Errno;
use std::collections::BTreeSet;

/// A proc file system, and how its processes are read.
#[derive(Clone, Copy, Debug)]
pub struct Proc<'a> {
    /// Its directory.
    pub dir: BorrowedFd<'a>,
    /// Whether the paths that its processes name may be looked up.
    pub live: bool,
    /// Who is told before a read that may not come back.
    pub notes: Notes,
    /// What this look has found out that other processes share.
    pub known: &'a Known,
}

impl<'a> Proc<'a> {
    /// Where the files of a process are by path; `prefix` is its PID with a slash.
    pub(super) fn place(self, prefix: &'a str) -> Place<'a> {
        Place {
            dir: self.dir,
            prefix,
            live: self.live,
            notes: self.notes,
            known: self.known,
        }
    }
}

/// One process, and no other.
#[derive(Debug)]
pub struct ProcessDir {
    dir: OwnedFd,
    live: bool,
    notes: Notes,
    known: Known,
}

/// Files of one line; the kernel's own limits (a page, PATH_MAX) are below it.
pub(super) const LINE: usize = 16 << 10;
/// `Groups:` alone may name NGROUPS_MAX = 65536 groups of up to 11 bytes.
const STATUS: usize = 1 << 20;

impl ProcessDir {
    /// Opens `/proc/PID` below the descriptor of a proc file system.
    ///
    /// # Errors
    /// The errno of open; where something is mounted over it, that of openat2(2) with RESOLVE_NO_XDEV: whatever is read
    /// there may be another process's, or made up.
    pub fn open(proc: Proc<'_>, pid: i32) -> Result<ProcessDir, Errno> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        if proc.known.covered.contains(&pid) {
            return Err(Errno::XDEV);
        }
        tally::file("directory", 0);
        Ok(ProcessDir {
            dir: openat(proc.dir, pid.to_string(), flags, Mode::empty())?,
            live: proc.live,
            notes: proc.notes,
            known: proc.known.clone(),
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
                known: &self.known,
            },
            file,
            process,
        )
    }
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
        File::Label => process.label = Fact::Unreadable(why),
        File::Account => process.account = Fact::Unreadable(why),
        File::Container => process.container = Fact::Unreadable(why),
        File::Userns => process.userns = Fact::Unreadable(why),
        File::Root => process.root = Fact::Unreadable(why),
        File::Writers => process.writers = Fact::Unreadable(why),
        File::Threads => process.threads = Fact::Unreadable(why),
        File::Environ => process.environ = Fact::Unreadable(why),
        File::Maps => process.maps = Fact::Unreadable(why),
        File::Cmdline => process.cmdline = Fact::Unreadable(why),
        File::Sched => process.sched = Fact::Unreadable(why),
        File::Ranks => process.ranks = Fact::Unreadable(why),
        File::Fds => process.fds = Fact::Unreadable(why),
        File::Descriptors => process.descriptors = Fact::Unreadable(why),
    }
}

pub(super) fn read(place: Place<'_>, file: File, process: &mut Process) -> Result<(), Vanished> {
    match file {
        File::Comm => process.comm = text(place, "comm", LINE, |bytes| Some(comm_of(bytes)))?,
        File::Owner => process.owner = owner(place)?,
        File::Stat => process.stat = stat(place)?,
        File::Cgroup => process.cgroup = text(place, "cgroup", LINE, parse::cgroup::parse)?,
        File::Loginuid => process.loginuid = loginuid(place)?,
        File::Status => process.status = status(place)?,
        File::Label => process.label = label::read(place, is_magic(place))?,
        File::Account => standing::account(place, process)?,
        File::Container => container::read(place, process)?,
        File::Userns => process.userns = standing::userns(place)?,
        File::Root => standing::root(place, process)?,
        File::Threads => process.threads = standing::threads(place)?,
        File::Writers => image::writers(place, process)?,
        File::Maps => image::maps(place, process)?,
        File::Environ => image::environ(place, process)?,
        File::Exe => program::exe(place, process)?,
        File::Cmdline => cmdline(place, process)?,
        File::Sched => process.sched = sched(place)?,
        File::Ranks => process.ranks = ranks(place)?,
        File::Fds => fds(place, process)?,
        File::Descriptors => descriptors(place, process)?,
    }
    Ok(())
}

/// comm ends with the newline that the kernel adds; it may hold others.
pub(super) fn comm_of(bytes: &[u8]) -> Vec<u8> {
    bytes.strip_suffix(b"\n").unwrap_or(bytes).to_vec()
}

/// A file that is not known whole is not known: what is cut off may be the line that counts.
fn text<T>(
    place: Place<'_>,
    name: &str,
    limit: usize,
    parse: impl Fn(&[u8]) -> Option<T>,
) -> Result<Fact<T>, Vanished> {
    // What the C library hands out without looking for it, malloc/malloc.c of glibc: most lines are shorter.
    let first = if limit == LINE { 1024 } else { FIRST };
    let mut bytes = Vec::with_capacity(first);
    match place.record(name, limit, &mut bytes) {
        Ok(true) => Ok(Fact::Unreadable(Why::Malformed)),
        Ok(false) => Ok(parse(&bytes).map_or(Fact::Unreadable(Why::Malformed), Fact::Value)),
        Err(errno) => place.failure(errno),
    }
}

/// A first thread that has ended says nothing about a process that runs on: a thread of it does.
fn stat(place: Place<'_>) -> Result<Fact<Stat>, Vanished> {
    let known = text(place, "stat", LINE, parse::stat::parse)?;
    let Fact::Value(leader) = &known else {
        return Ok(known);
    };
    if leader.num_threads < 2 || !has_ended(leader) {
        return Ok(known);
    }
    Ok(
        match survivor::read(place, |_, thread| Some(survivor::lend(thread, leader))) {
            Remains::Read(stat) => Fact::Value(stat),
            Remains::Nothing => known,
            Remains::Fleeting => Fact::Unreadable(Why::Torn),
        },
    )
}

/// The ids of the first thread stay when it ends; its memory and its umask do not.
fn status(place: Place<'_>) -> Result<Fact<Status>, Vanished> {
    let mut known = text(place, "status", STATUS, parse::status::parse)?;
    if let Fact::Value(status) = &mut known {
        status.unmapped = place.known.ours.ids.hide_of(status);
    }
    if let Fact::Value(status) = &mut known
        && status.vm_swap.is_none()
        && let Remains::Read((swap, umask)) = survivor::read(place, |thread, _| {
            let text = text(thread, "status", STATUS, parse::status::parse).ok()?;
            text.value().map(|living| (living.vm_swap, living.umask))
        })
    {
        status.vm_swap = swap;
        status.umask = status.umask.or(umask);
    }
    Ok(known)
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
    tally::file("owner", 0);
    match statx(place.dir, place.prefix, flags, StatxFlags::UID | StatxFlags::GID) {
        // pid_getattr() says root of a directory whose process is gone: the owner counts only if it lives after.
        Ok(_) if !place.is_alive() => Err(Vanished),
        Ok(stat) if place.known.ours.ids.hide(&[stat.stx_uid], &[stat.stx_gid]) => {
            Ok(Fact::Unreadable(Why::Unmapped))
        }
        Ok(stat) => Ok(Fact::Value((stat.stx_uid, stat.stx_gid))),
        Err(errno) => place.failure(errno),
    }
}

/// Kernel threads and zombies have no program, arguments and descriptors; that is told by a `stat` read now,
/// before any error is looked at, because what an error means differs with one's rights. A process that is exiting
/// and has given up its memory (exit_mm() of kernel/exit.c) has none either.
pub(super) fn has_no_program(place: Place<'_>, process: &mut Process) -> Result<bool, Vanished> {
    read(place, File::Stat, process)?;
    let stat = process.stat.value();
    Ok(stat.is_some_and(|stat| stat.is_kthread() || has_ended(stat)))
}

/// Whether the links of this tree lead to the programs themselves, and not, as in a copy, to whatever has their
/// path on this host.
pub(super) fn is_magic(place: Place<'_>) -> bool {
    rustix::fs::fstatfs(place.dir).is_ok_and(|fs| fs.f_type == rustix::fs::PROC_SUPER_MAGIC)
}

fn cmdline(place: Place<'_>, process: &mut Process) -> Result<(), Vanished> {
    // The kernel takes the lock of the process's memory, get_mm_cmdline() of fs/proc/base.c, and may have to fetch the
    // page from whoever serves it.
    let pid = process.pid;
    let survivor = || survivor::read(place, |thread, _| cmdline_of(thread).ok()?);
    process.cmdline = match watched(place, pid, "cmdline", || cmdline_of(place)) {
        None => Fact::Unreadable(Why::NoAnswer),
        Some(Ok(Some(known))) => Fact::Value(known),
        Some(_) if has_no_program(place, process)? => Fact::NotApplicable,
        Some(told) => match (watched(place, pid, "cmdline", survivor), told) {
            (None, _) => Fact::Unreadable(Why::NoAnswer),
            (Some(Remains::Read(known)), _) => Fact::Value(known),
            (_, Err(errno)) => place.failure(errno)?,
            _ => Fact::Unreadable(Why::Empty),
        },
    };
    Ok(())
}

/// Reads what may never come back. `None`: it did not.
pub(super) fn watched<T>(place: Place<'_>, pid: i32, file: &str, read: impl FnOnce() -> T) -> Option<T> {
    let start = || {
        let (stat, _) = place.whole("stat", LINE).ok()?;
        parse::stat::parse(&stat).map(|stat| stat.starttime)
    };
    let owner = || owner(place).ok()?.value().map(|(uid, _)| *uid);
    place.notes.of_process(pid, file, start, owner, read)
}

/// The times of all threads. A kernel without CONFIG_SCHED_INFO has none.
fn sched(place: Place<'_>) -> Result<Fact<Sched>, Vanished> {
    let at = now();
    let threads = of_threads(place, "schedstat", parse::schedstat::parse)?;
    Ok(match threads {
        Ok(mut threads) => {
            threads.sort_unstable_by_key(|thread| thread.tid);
            Fact::Value(Sched { at, threads })
        }
        Err(why) => Fact::Unreadable(why),
    })
}

/// What ranks all threads.
fn ranks(place: Place<'_>) -> Result<Fact<Ranks>, Vanished> {
    let threads = of_threads(place, "stat", |_, bytes| {
        let stat = parse::stat::parse(bytes)?;
        Some((stat.nice, stat.policy?))
    })?;
    Ok(match threads {
        Ok(threads) => {
            let policies: BTreeSet<u32> = threads.iter().map(|(_, policy)| *policy).collect();
            Fact::Value(Ranks {
                lowest_nice: threads.iter().map(|(nice, _)| *nice).min().unwrap_or_default(),
                policies: policies.into_iter().collect(),
            })
        }
        Err(why) => Fact::Unreadable(why),
    })
}

/// A file of every thread. One that ends meanwhile is left out.
pub(super) fn of_threads<T>(
    place: Place<'_>,
    file: &str,
    parse: impl Fn(i32, &[u8]) -> Option<T>,
) -> Result<Result<Vec<T>, Why>, Vanished> {
    let unreadable = |errno: Errno| match place.failure::<()>(errno)? {
        Fact::Unreadable(why) => Ok(Err(why)),
        _ => Ok(Err(Why::Absent)),
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    tally::file("task", 0);
    let opened = openat(place.dir, place.path("task"), flags, Mode::empty())
        .and_then(|tasks| Ok((Dir::read_from(&tasks)?, tasks)));
    let (names, tasks) = match opened {
        Ok(opened) => opened,
        Err(errno) => return unreadable(errno),
    };
    let mut threads = Vec::new();
    for name in names.flatten() {
        let Some(tid) = number(name.file_name().to_bytes()) else {
            continue;
        };
        match whole(&tasks, &format!("{tid}/{file}"), LINE) {
            Ok((bytes, _)) => match parse(tid, &bytes) {
                Some(thread) => threads.push(thread),
                None => return Ok(Err(Why::Malformed)),
            },
            Err(Errno::SRCH) => {}
            // The thread ended, or there is no such file in this kernel.
            Err(Errno::NOENT) if place.is_alive() => {}
            Err(errno) => return unreadable(errno),
        }
    }
    if threads.is_empty() {
        return unreadable(Errno::NOENT);
    }
    Ok(Ok(threads))
}

/// What a process has together with its program, and a kernel thread and a zombie have not; `None`: there is nothing.
pub(super) fn of_program<T: Default>(
    place: Place<'_>,
    process: &mut Process,
    file: &str,
    get: impl Fn(Place<'_>) -> Result<Option<T>, Errno>,
) -> Result<Fact<T>, Vanished> {
    let pid = process.pid;
    let survivor = || survivor::read(place, |thread, _| get(thread).ok().flatten());
    let told = match watched(place, pid, file, || get(place)) {
        None => return Ok(Fact::Unreadable(Why::NoAnswer)),
        Some(Ok(Some(known))) => return Ok(Fact::Value(known)),
        Some(_) if has_no_program(place, process)? => return Ok(Fact::NotApplicable),
        Some(told) => told,
    };
    Ok(match (watched(place, pid, file, survivor), told) {
        (None, _) => Fact::Unreadable(Why::NoAnswer),
        (Some(Remains::Read(known)), _) => Fact::Value(known),
        (Some(Remains::Fleeting), _) => Fact::Unreadable(Why::Torn),
        (_, Err(errno)) => place.failure(errno)?,
        _ => Fact::Value(T::default()),
    })
}

fn cmdline_of(place: Place<'_>) -> Result<Option<Cmdline>, Errno> {
    let (bytes, more) = place.whole("cmdline", Cmdline::LIMIT as usize)?;
    Ok((!bytes.is_empty()).then(|| parse::cmdline::parse(&bytes, more)))
}

fn fds(place: Place<'_>, process: &mut Process) -> Result<(), Vanished> {
    process.fds = match count_fds(place) {
        Ok(count) if count > 0 => Fact::Value(count),
        _ if has_no_program(place, process)? => Fact::NotApplicable,
        told => match (survivor::read(place, |thread, _| count_fds(thread).ok()), told) {
            (Remains::Read(count), _) | (_, Ok(count)) => Fact::Value(count),
            // proc_readfd_common() says ENOENT of a process that is gone.
            (_, Err(errno)) => place.failure(errno)?,
        },
    };
    Ok(())
}

fn count_fds(place: Place<'_>) -> Result<u64, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    tally::file("fd", 0);
    let dir = openat(place.dir, place.path("fd"), flags, Mode::empty())?;
    Dir::new(dir)?.try_fold(0u64, |count, entry| {
        Ok(count + u64::from(!entry?.file_name().to_bytes().starts_with(b".")))
    })
}
