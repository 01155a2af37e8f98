//! A proc file system, read by plan into a snapshot.

use super::complete::Crowd;
use super::host;
use super::process_dir::Proc;
use super::read::Vanished;
use super::settle::Source;
pub use super::settle::now;
use crate::deadline::Notes;
use crate::select::Plan;
use crate::snapshot::{Clock, Clocks, Gap, Snapshot};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Dir, Mode, OFlags, open};
use std::path::PathBuf;

/// A proc file system.
#[derive(Clone, Debug)]
pub struct Procfs {
    root: PathBuf,
    live: bool,
    notes: Notes,
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
        let live = host::is_own_proc(&root);
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

    /// Whether procward itself shows in it.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// The id of this boot; none where the mount does not show it.
    #[must_use]
    pub fn boot_id(&self) -> Option<String> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        host::boot_id(open(&self.root, flags, Mode::empty()).ok()?)
    }

    /// Looks once.
    #[must_use]
    pub fn snapshot(&self, plan: &Plan) -> Snapshot {
        self.snapshot_after(plan, None)
    }

    /// Looks once, and knows the clocks of an earlier look.
    #[must_use]
    pub fn snapshot_after(&self, plan: &Plan, past: Option<Clocks>) -> Snapshot {
        let mut snapshot = Snapshot {
            at: now(),
            past,
            ..Snapshot::default()
        };
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
        let opened = Proc {
            dir: proc.as_fd(),
            live: self.live,
            notes: self.notes,
        };
        host::look(opened, &mut snapshot);
        let (pids, error) = list(&proc);
        snapshot
            .gaps
            .extend(error.map(|error| Gap::Listing(error.to_string())));
        if pids.is_empty() && snapshot.gaps.is_empty() {
            snapshot.gaps.push(Gap::NotProc(shown()));
        }
        snapshot.gaps.extend(host::hidden(&self.root));
        snapshot.seen = pids.len();

        let source = Source { proc: opened, plan };
        let mut crowd = Crowd::new(source);
        let mut clocks = plan.clocks().then(|| Clocks {
            at: snapshot.at,
            clocks: Vec::with_capacity(pids.len()),
        });
        for pid in pids {
            let read = source.read_one(pid, &snapshot, clocks.as_mut());
            match read.and_then(|kept| kept.map(|kept| crowd.keep(kept)).transpose()) {
                Ok(process) => snapshot.processes.extend(process),
                Err(Vanished) => snapshot.vanished += 1,
            }
        }
        snapshot.clocks = clocks;
        crowd.complete(&mut snapshot);
        refresh(&mut snapshot);
        snapshot
    }
}

/// Of a process that stays, what was read last counts, with the times of its threads.
fn refresh(snapshot: &mut Snapshot) {
    let Some(mut clocks) = snapshot.clocks.take() else {
        return;
    };
    for clock in &mut clocks.clocks {
        if let Some(last) = snapshot.by_pid(clock.pid).and_then(Clock::of) {
            *clock = last;
        }
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

/// A PID as the kernel writes it: digits, and no leading zero.
fn pid_of(name: &[u8]) -> Option<i32> {
    if !name.iter().all(u8::is_ascii_digit) || name.first() == Some(&b'0') {
        return None;
    }
    std::str::from_utf8(name).ok()?.parse().ok()
}
