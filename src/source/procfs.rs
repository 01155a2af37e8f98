//! A proc file system, read by plan into a snapshot.

use super::births::{self, Births};
use super::complete::Crowd;
use super::host;
use super::read::Vanished;
use super::rights;
use super::settle::{Kept, Source};
use crate::select::Plan;
use crate::snapshot::{Gap, Process, Snapshot};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Dir, Mode, OFlags, open};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// A proc file system.
#[derive(Clone, Debug)]
pub struct Procfs {
    root: PathBuf,
    live: bool,
}

impl Procfs {
    /// `/proc`.
    #[must_use]
    pub fn live() -> Procfs {
        Procfs {
            root: PathBuf::from("/proc"),
            live: true,
        }
    }

    /// A proc file system mounted at, or copied to, `root`. It is the live host's if it is the same file system as
    /// `/proc`.
    #[must_use]
    pub fn at(root: PathBuf) -> Procfs {
        let live = rights::is_own_proc(&root);
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
        host::look(&proc, self.live, &mut snapshot);
        let births = if self.live { Births::from_now(&proc) } else { None };
        let (pids, error) = list(&proc);
        snapshot.gaps = match error {
            Some(error) => vec![Gap::Listing(self.shown(), error.to_string())],
            None => self.gaps(&proc, &pids),
        };
        snapshot.seen = pids.len();

        let source = Source {
            proc: proc.as_fd(),
            live: self.live,
            plan,
        };
        let mut crowd = Crowd::new(source);
        let mut gone = BTreeSet::new();
        for pid in &pids {
            match keep(&mut crowd, source.read_one(*pid, &snapshot)) {
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
            if let Ok(Some(kept)) = source.read_one(pid, &snapshot)
                && births::is_process(&proc, pid)
                && let Ok(Some(process)) = keep(&mut crowd, Ok(Some(kept)))
            {
                snapshot.seen += 1;
                snapshot.processes.push(process);
            }
        }
        snapshot.processes.sort_by_key(|process| process.pid);
        crowd.complete(&mut snapshot);
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
        let mut gaps = rights::gaps(proc);
        if !own {
            gaps.push(Gap::Elsewhere(self.shown()));
        }
        // Every PID namespace has its PID 1, and a security module may hide it where hidepid asks for a right.
        if host::is_proc(proc) && !pids.contains(&1) && !gaps.iter().any(Gap::hides) {
            gaps.push(Gap::NoInit(self.shown()));
        }
        gaps
    }

    fn shown(&self) -> String {
        self.root.display().to_string()
    }
}

fn keep(crowd: &mut Crowd<'_>, read: Result<Option<Kept>, Vanished>) -> Result<Option<Process>, Vanished> {
    read?.map(|kept| crowd.keep(kept)).transpose()
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

/// A PID as the kernel writes it: digits, and no leading zero.
fn pid_of(name: &[u8]) -> Option<i32> {
    if !name.iter().all(u8::is_ascii_digit) || name.first() == Some(&b'0') {
        return None;
    }
    std::str::from_utf8(name).ok()?.parse().ok()
}
