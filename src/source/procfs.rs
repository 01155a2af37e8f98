//! A proc file system, read by plan into a snapshot.

use super::births::{self, Births};
use super::complete::Crowd;
use super::glance::Glance;
use super::host;
use super::known::Known;
use super::process_dir::{Proc, ProcessDir};
use super::read::Vanished;
pub use super::settle::now;
use super::settle::{Kept, PATIENCE, Source};
use super::{attachments, rights, tally};
use crate::capabilities::{Raised, raise};
use crate::deadline::Notes;
use crate::select::{File, Key, Plan, Sieve};
use crate::snapshot::{Clock, Clocks, Fact, Gap, Process, Snapshot, Why};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Dir, Mode, OFlags, open, readlinkat};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A proc file system.
#[derive(Clone, Debug)]
pub struct Procfs {
    pub(super) root: PathBuf,
    pub(super) live: bool,
    pub(super) notes: Notes,
}

impl Procfs {
    /// `/proc`.
    #[must_use]
    pub fn live() -> Procfs {
        Procfs {
            root: PathBuf::from("/proc"),
            live: true,
            notes: Notes::none(),
        }
    }

    /// A proc file system mounted at, or copied to, `root`. It is the live host's if it is the same file system as
    /// `/proc`.
    #[must_use]
    pub fn at(root: PathBuf) -> Procfs {
        let live = rights::is_own_proc(&root);
        Procfs {
            root,
            live,
            notes: Notes::none(),
        }
    }

    /// The same, with somebody who is told before a read that may not come back.
    #[must_use]
    pub fn watched(self, notes: Notes) -> Procfs {
        Procfs { notes, ..self }
    }

    /// Who is told.
    #[must_use]
    pub fn notes(&self) -> Notes {
        self.notes
    }

    /// Whether procward itself shows in it.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// While the /proc of this host is read, and nothing else, what the program file lends is in use.
    pub(super) fn raised(&self) -> Option<Raised> {
        (self.root == Path::new("/proc")).then(raise)
    }

    /// What identities and instants hold for: this boot, as the namespaces of procward number its processes and count
    /// its time. None where that can't be told.
    #[must_use]
    pub fn view(&self) -> Option<String> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let proc = open(&self.root, flags, Mode::empty()).ok()?;
        let namespace = |kind: &str| {
            let link = readlinkat(&proc, format!("self/ns/{kind}"), Vec::new()).ok()?;
            Some(link.to_string_lossy().into_owned())
        };
        let boot = host::boot_id(&proc)?;
        // Kernels before 5.6 have no time namespaces. The number of one that is gone is given to another.
        let time = namespace("time").unwrap_or_default();
        let offsets = host::time_offsets(&proc).unwrap_or_default();
        Some([boot, namespace("pid")?, time, offsets].join(" "))
    }

    /// The security module that gives labels here: procward's own label tells, or, in a foreign view, that of PID 1.
    ///
    /// # Errors
    /// Why it can't be told.
    pub fn security_module(&self) -> Result<Option<String>, String> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = open(&self.root, flags, Mode::empty()).map_err(|error| error.to_string())?;
        let proc = Proc {
            dir: dir.as_fd(),
            live: self.live,
            notes: self.notes,
            known: &Known::default(),
        };
        let pid = host::own_pid(&dir).unwrap_or(1);
        let mut process = Process {
            pid,
            ..Process::default()
        };
        ProcessDir::open(proc, pid)
            .map_err(|error| error.to_string())?
            .read(File::Label, &mut process)
            .map_err(|Vanished| "the process is gone".to_owned())?;
        match process.label {
            Fact::Value(label) => Ok(Some(label.module)),
            Fact::Unreadable(Why::NoModule) => Ok(None),
            Fact::Unreadable(why) => Err(format!("label of process {pid}: {}", why.text())),
            Fact::NotAsked | Fact::NotApplicable => Err(Why::Absent.text()),
        }
    }

    /// Looks once.
    #[must_use]
    pub fn snapshot(&self, plan: &Plan) -> Snapshot {
        self.snapshot_after(plan, None)
    }

    /// Looks once, and knows the clocks of an earlier look.
    #[must_use]
    pub fn snapshot_after(&self, plan: &Plan, past: Option<Clocks>) -> Snapshot {
        let _raised = self.raised();
        let mut snapshot = Snapshot {
            at: now(),
            past,
            ..Snapshot::default()
        };
        let opened = open(
            &self.root,
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        );
        let proc = match opened {
            Ok(proc) => proc,
            Err(error) => {
                snapshot.gaps.push(Gap::Closed(self.shown(), error.to_string()));
                return snapshot;
            }
        };
        let opened = Proc {
            dir: proc.as_fd(),
            live: self.live,
            notes: self.notes,
            known: &Known::of(&proc),
        };
        host::look(opened, &mut snapshot);
        if self.live && plan.mentions(Key::ApparmorAttachment) {
            snapshot.host.attachments = attachments::look(Path::new("/sys/kernel/security"));
        }
        let births = if self.live { Births::from_now(&proc) } else { None };
        let (pids, error) = list(&proc);
        snapshot.gaps = match error {
            Some(error) => vec![Gap::Listing(self.shown(), error.to_string())],
            None => self.gaps(&proc, &pids),
        };
        snapshot.seen = pids.len();
        tally::look(pids.len());

        let source = Source {
            proc: opened,
            plan,
            patience: &Cell::new(PATIENCE),
        };
        let mut crowd = Crowd::new(source);
        let mut clocks = plan.clocks().then(|| Clocks {
            at: snapshot.at,
            clocks: Vec::with_capacity(pids.len()),
        });
        let mut glance = Sieve::of(plan, &snapshot).map(|sieve| Glance::new(opened, sieve));
        let mut dismissed = |pid, snapshot: &Snapshot| {
            let glance = glance.as_mut();
            glance.is_some_and(|glance| glance.dismisses(pid, snapshot))
        };
        let mut gone = BTreeSet::new();
        for pid in &pids {
            if dismissed(*pid, &snapshot) {
                continue;
            }
            match keep(&mut crowd, source.read_one(*pid, &snapshot, clocks.as_mut())) {
                Ok(process) => snapshot.processes.extend(process),
                Err(Vanished) => {
                    gone.insert(*pid);
                }
            }
        }
        snapshot.vanished = gone.len();
        for pid in births.into_iter().flat_map(|births| births.follow(&proc)) {
            if pids.binary_search(&pid).is_ok() && !gone.contains(&pid) {
                continue;
            }
            // Of a thread there are no clocks, and nothing else; where none are kept, few get so far that it matters.
            if clocks.is_some() && !births::is_process(&proc, pid) {
                continue;
            }
            if !dismissed(pid, &snapshot)
                && let Ok(Some(kept)) = source.read_one(pid, &snapshot, clocks.as_mut())
                && births::is_process(&proc, pid)
                && let Ok(Some(process)) = keep(&mut crowd, Ok(Some(kept)))
            {
                snapshot.seen += 1;
                snapshot.processes.push(process);
            }
        }
        snapshot.processes.sort_by_key(|process| process.pid);
        if let Some(mut clocks) = clocks {
            clocks.clocks.sort_by_key(|clock| clock.pid);
            clocks.clocks.dedup_by_key(|clock| clock.pid);
            snapshot.keep_clocks(clocks);
        }
        crowd.complete(&mut snapshot);
        refresh(&mut snapshot);
        snapshot
    }

    /// What this view may lack.
    pub(super) fn gaps(&self, proc: &OwnedFd, pids: &[i32]) -> Vec<Gap> {
        if pids.is_empty() {
            return vec![Gap::NotProc(self.shown())];
        }
        let own = host::own_pid(proc).is_some();
        if self.live && !own {
            return vec![Gap::Foreign(self.shown())];
        }
        let mut gaps = rights::gaps(proc.as_fd());
        if !own {
            gaps.push(Gap::Elsewhere(self.shown()));
        }
        // Every PID namespace has its PID 1, and a security module may hide it where hidepid asks for a right.
        if host::is_proc(proc) && !pids.contains(&1) && !gaps.iter().any(Gap::hides) {
            gaps.push(Gap::NoInit(self.shown()));
        }
        gaps
    }

    /// What this view may lack, as it is now.
    pub(super) fn gaps_now(&self) -> Vec<Gap> {
        let _raised = self.raised();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match open(&self.root, flags, Mode::empty()) {
            Ok(proc) => self.gaps(&proc, &list(&proc).0),
            Err(error) => vec![Gap::Closed(self.shown(), error.to_string())],
        }
    }

    /// Its path.
    #[must_use]
    pub fn shown(&self) -> String {
        self.root.display().to_string()
    }
}

fn keep(crowd: &mut Crowd<'_>, read: Result<Option<Kept>, Vanished>) -> Result<Option<Process>, Vanished> {
    read?.map(|kept| crowd.keep(kept)).transpose()
}

/// Of a process that stays, what was read last counts.
fn refresh(snapshot: &mut Snapshot) {
    let Some(mut clocks) = snapshot.clocks.take() else {
        return;
    };
    for clock in &mut clocks.clocks {
        let Some(last) = snapshot.by_pid(clock.pid).and_then(Clock::of) else {
            continue;
        };
        *clock = Clock {
            exempt: clock.exempt,
            sched: last.sched.or_else(|| clock.sched.take()),
            ..last
        };
    }
    snapshot.clocks = Some(clocks);
}

/// The PIDs that the directory lists, ascending, and the error that ended the listing early. proc_pid_readdir() of
/// fs/proc/base.c goes up the PIDs, so that every process that lives throughout is listed.
fn list(proc: &OwnedFd) -> (Vec<i32>, Option<rustix::io::Errno>) {
    let mut pids = Vec::new();
    let mut error = None;
    match Dir::read_from(proc) {
        Ok(dir) => {
            for entry in dir {
                match entry {
                    Ok(entry) => pids.extend(pid_of(entry.file_name().to_bytes())),
                    Err(errno) => {
                        error = Some(errno);
                        break;
                    }
                }
            }
        }
        Err(errno) => error = Some(errno),
    }
    // A copied tree lists them in any order.
    pids.sort_unstable();
    pids.dedup();
    (pids, error)
}

/// The PIDs that a proc file system lists, ascending.
///
/// # Errors
/// That of opening or listing it.
pub(super) fn listed(procfs: &Procfs) -> Result<Vec<i32>, rustix::io::Errno> {
    let _raised = procfs.raised();
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let proc = open(&procfs.root, flags, Mode::empty())?;
    match list(&proc) {
        (pids, None) => Ok(pids),
        (_, Some(error)) => Err(error),
    }
}

/// A PID as the kernel writes it: digits, and no leading zero.
fn pid_of(name: &[u8]) -> Option<i32> {
    if !name.iter().all(u8::is_ascii_digit) || name.first() == Some(&b'0') {
        return None;
    }
    std::str::from_utf8(name).ok()?.parse().ok()
}
