//! A proc file system, read by plan into a snapshot.

use super::host;
use super::process_dir::ProcessDir;
use super::read::{Vanished, whole};
use crate::parse;
use crate::select::plan::asked;
use crate::select::{File, Plan, Step};
use crate::snapshot::{Fact, Gap, Process, Snapshot, Why};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Dir, Mode, OFlags, open};
use rustix::io::Errno;
use rustix::time::{ClockId, clock_gettime};
use std::path::PathBuf;

/// A proc file system.
pub struct Procfs {
    root: PathBuf,
    live: bool,
}

/// How often a process that changes under our eyes is read again.
const TORN_LIMIT: usize = 3;

impl Procfs {
    /// `/proc`.
    #[must_use]
    pub fn live() -> Procfs {
        Procfs {
            root: PathBuf::from("/proc"),
            live: true,
        }
    }

    /// A proc file system mounted at, or copied to, `root`. It is the live host's if it is the same mount as /proc.
    #[must_use]
    pub fn at(root: PathBuf) -> Procfs {
        let live = host::is_own_proc(&root);
        Procfs { root, live }
    }

    /// Whether procward itself shows in it.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// Looks once.
    #[must_use]
    pub fn snapshot(&self, plan: &Plan) -> Snapshot {
        let mut snapshot = Snapshot::default();
        let shown = || self.root.display().to_string();
        let opened = open(
            &self.root,
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        );
        let proc = match opened {
            Ok(proc) => proc,
            Err(error) => {
                snapshot.gaps.push(Gap::NotProc(format!("{} ({error})", shown())));
                return snapshot;
            }
        };
        host::look(&proc, self.live, &mut snapshot);
        let pids = match list(&proc) {
            Ok(pids) => pids,
            Err(error) => {
                snapshot.gaps.push(Gap::Listing(error.to_string()));
                Vec::new()
            }
        };
        if pids.is_empty() && snapshot.gaps.is_empty() {
            snapshot.gaps.push(Gap::NotProc(shown()));
        }
        snapshot.gaps.extend(host::hidden(&self.root));
        snapshot.seen = pids.len();
        for pid in pids {
            match read_one(proc.as_fd(), pid, plan, &snapshot) {
                Ok(Some(process)) => snapshot.processes.push(process),
                Ok(None) => {}
                Err(Vanished) => snapshot.vanished += 1,
            }
        }
        snapshot.processes.sort_by_key(|process| process.pid);
        complete(&proc, plan, &mut snapshot);
        snapshot
    }
}

/// The PIDs that the directory lists.
fn list(proc: &OwnedFd) -> rustix::io::Result<Vec<i32>> {
    let mut pids = Vec::new();
    for entry in Dir::read_from(proc)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name.first().is_some_and(u8::is_ascii_digit) {
            pids.extend(
                std::str::from_utf8(name)
                    .ok()
                    .and_then(|name| name.parse::<i32>().ok()),
            );
        }
    }
    Ok(pids)
}

/// Reads one process as far as the plan wants; `None` where no check means it.
fn read_one(
    proc: BorrowedFd<'_>,
    pid: i32,
    plan: &Plan,
    snapshot: &Snapshot,
) -> Result<Option<Process>, Vanished> {
    if dismissed_at_a_glance(proc, pid, plan, snapshot)? {
        return Ok(None);
    }
    let dir = match ProcessDir::open(proc, pid) {
        Ok(dir) => dir,
        // Closed to us (a security module): a process of which nothing can be told.
        Err(Errno::ACCESS | Errno::PERM) => return Ok(Some(all_unreadable(pid, Why::Denied))),
        Err(_) => return Err(Vanished),
    };
    for _ in 0..TORN_LIMIT {
        let mut process = fresh(pid);
        dir.read(plan.first(), &mut process)?;
        let step = read_by_plan(&dir, &mut process, plan, snapshot)?;
        if plan.verify(&process) && !is_still_itself(&dir, &process)? {
            continue;
        }
        return Ok((step == Step::Keep).then_some(process));
    }
    Ok(Some(torn(pid)))
}

fn fresh(pid: i32) -> Process {
    let now = clock_gettime(ClockId::Boottime);
    let read_at = now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs();
    Process {
        pid,
        read_at,
        ..Process::default()
    }
}

/// A first read by path may only dismiss: what it shows may be of a process that is gone when the next is opened.
fn dismissed_at_a_glance(
    proc: BorrowedFd<'_>,
    pid: i32,
    plan: &Plan,
    snapshot: &Snapshot,
) -> Result<bool, Vanished> {
    let mut process = fresh(pid);
    match plan.first() {
        File::Comm => {
            let Ok((bytes, _)) = whole(proc, &format!("{pid}/comm"), 64) else {
                return Ok(false);
            };
            process.comm = Fact::Value(bytes.strip_suffix(b"\n").unwrap_or(&bytes).to_vec());
        }
        File::Stat => {
            let Ok((bytes, _)) = whole(proc, &format!("{pid}/stat"), 8 << 10) else {
                return Ok(false);
            };
            let Some(stat) = parse::stat::parse(&bytes) else {
                return Ok(false);
            };
            process.stat = Fact::Value(stat);
        }
        _ => return Ok(false),
    }
    Ok(plan.next(&process, snapshot) == Step::Dismiss)
}

fn read_by_plan(
    dir: &ProcessDir,
    process: &mut Process,
    plan: &Plan,
    snapshot: &Snapshot,
) -> Result<Step, Vanished> {
    // Every step reads another file, so there are at most as many steps as files.
    for _ in 0..=File::ALL.len() {
        match plan.next(process, snapshot) {
            Step::Read(file) if !asked(process, file) => dir.read(file, process)?,
            Step::Read(_) => return Ok(Step::Keep),
            step => return Ok(step),
        }
    }
    Ok(Step::Keep)
}

/// Whether comm, ids, program and PF_FORKNOEXEC are still what was read first: an exec or a change of ids in
/// between would mix facts of two programs.
fn is_still_itself(dir: &ProcessDir, process: &Process) -> Result<bool, Vanished> {
    let mut again = Process {
        pid: process.pid,
        ..Process::default()
    };
    let same_stat = match &process.stat {
        Fact::Value(stat) => {
            dir.read(File::Stat, &mut again)?;
            again
                .stat
                .value()
                .is_some_and(|now| now.comm == stat.comm && now.flags & FORKNOEXEC == stat.flags & FORKNOEXEC)
        }
        _ => true,
    };
    if process.owner.asked() {
        dir.read(File::Owner, &mut again)?;
    }
    if process.status.asked() {
        dir.read(File::Status, &mut again)?;
    }
    if process.comm.asked() {
        dir.read(File::Comm, &mut again)?;
    }
    if process.exe.asked() {
        dir.read(File::Exe, &mut again)?;
    }
    let ids = |p: &Process| p.status.value().map(|s| (s.uid, s.gid, s.groups.clone()));
    let program = |p: &Process| p.exe.value().map(|exe| exe.file.clone());
    Ok(same_stat
        && (!process.owner.asked() || again.owner == process.owner)
        && (!process.comm.asked() || again.comm == process.comm)
        && (!process.status.asked() || ids(&again) == ids(process))
        && (!process.exe.asked() || program(&again) == program(process)))
}

const FORKNOEXEC: u32 = crate::snapshot::process::PF_FORKNOEXEC;

fn torn(pid: i32) -> Process {
    all_unreadable(pid, Why::Torn)
}

fn all_unreadable(pid: i32, why: Why) -> Process {
    Process {
        comm: Fact::Unreadable(why),
        stat: Fact::Unreadable(why),
        owner: Fact::Unreadable(why),
        exe: Fact::Unreadable(why),
        cmdline: Fact::Unreadable(why),
        status: Fact::Unreadable(why),
        cgroup: Fact::Unreadable(why),
        loginuid: Fact::Unreadable(why),
        fds: Fact::Unreadable(why),
        ..fresh(pid)
    }
}

/// After the pass: what terms about other processes (`parent`, `ancestor`, `main`) still need.
fn complete(proc: &OwnedFd, plan: &Plan, snapshot: &mut Snapshot) {
    let mut index = 0;
    while index < snapshot.processes.len() {
        let Some((pid, file)) = plan.need(snapshot, index) else {
            index += 1;
            continue;
        };
        let at = snapshot
            .processes
            .binary_search_by_key(&pid, |process| process.pid);
        let known = at.ok().map(|at| snapshot.processes[at].clone());
        let mut process = known.clone().unwrap_or_else(|| fresh(pid));
        if asked(&process, file) {
            // Already tried: it will never be known, and the check says so.
            index += 1;
            continue;
        }
        if read_more(proc.as_fd(), file, &mut process).is_err() {
            process = all_unreadable(pid, Why::Absent);
        }
        match at {
            Ok(at) => snapshot.processes[at] = process,
            Err(at) => {
                snapshot.processes.insert(at, process);
                // An insertion before the process that is looked at moves it.
                index += usize::from(at <= index);
            }
        }
    }
}

/// Reads one more file of a process whose descriptor was closed, if it is still the same process.
fn read_more(proc: BorrowedFd<'_>, file: File, process: &mut Process) -> Result<(), Vanished> {
    let dir = ProcessDir::open(proc, process.pid).map_err(|_| Vanished)?;
    let before = process.stat.value().map(|stat| stat.starttime);
    if file != File::Stat || before.is_some() {
        let mut now = Process {
            pid: process.pid,
            ..Process::default()
        };
        dir.read(File::Stat, &mut now)?;
        if before.is_some() && now.stat.value().map(|stat| stat.starttime) != before {
            return Err(Vanished);
        }
        if before.is_none() {
            process.stat = now.stat;
        }
    }
    dir.read(file, process)
}
