//! A proc file system, read by plan into a snapshot.

use super::births::Births;
use super::host;
use super::known::Known;
use super::pass::Pass;
use super::process_dir::{Proc, ProcessDir};
use super::read::Vanished;
pub use super::settle::now;
use super::settle::{PATIENCE, Source};
use super::{attachments, rights, tally};
use crate::capabilities::{Raised, raise};
use crate::deadline::Notes;
use crate::parse::mountinfo::ProcMount;
use crate::select::{File, Key, Plan};
use crate::snapshot::{Clocks, Fact, Gap, Process, Snapshot, Why};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Dir, Mode, OFlags, open, readlinkat};
use rustix::io::Errno;
use std::cell::Cell;
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
        let proc = self.open().ok()?;
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
        let dir = self.open().map_err(|error| error.to_string())?;
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
        match self.open() {
            Ok(dir) => self.fill(&mut snapshot, &dir, plan),
            Err(error) => snapshot.gaps.push(Gap::Closed(self.shown(), error.to_string())),
        }
        snapshot
    }

    pub(super) fn open(&self) -> Result<OwnedFd, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        open(&self.root, flags, Mode::empty())
    }

    fn fill(&self, snapshot: &mut Snapshot, dir: &OwnedFd, plan: &Plan) {
        let mount = rights::mount(dir.as_fd());
        let proc = Proc {
            dir: dir.as_fd(),
            live: self.live,
            notes: self.notes,
            known: &Known::of(dir, mount.as_ref()),
        };
        host::look(proc, snapshot);
        if self.live && plan.mentions(Key::ApparmorAttachment) {
            snapshot.host.attachments = attachments::look(Path::new("/sys/kernel/security"));
        }
        let births = if self.live { Births::from_now(dir) } else { None };
        let (pids, error) = list(dir);
        snapshot.gaps = match error {
            Some(error) => vec![Gap::Listing(self.shown(), error.to_string())],
            None => self.gaps(dir, mount, &pids),
        };
        snapshot.seen = pids.len();
        tally::look(pids.len());

        let patience = Cell::new(PATIENCE);
        let source = Source {
            proc,
            plan,
            patience: &patience,
        };
        let mut pass = Pass::begin(source, snapshot);
        let gone = pass.read_listed(&pids, snapshot);
        snapshot.vanished = gone.len();
        for pid in births.into_iter().flat_map(|births| births.follow(dir)) {
            if pids.binary_search(&pid).is_err() || gone.contains(&pid) {
                pass.read_born(dir, pid, snapshot);
            }
        }
        pass.end(snapshot);
    }

    /// What this view may lack.
    pub(super) fn gaps(&self, proc: &OwnedFd, mount: Option<ProcMount>, pids: &[i32]) -> Vec<Gap> {
        if pids.is_empty() {
            return vec![Gap::NotProc(self.shown())];
        }
        let own = host::own_pid(proc).is_some();
        if self.live && !own {
            return vec![Gap::Foreign(self.shown())];
        }
        let mut gaps = rights::gaps(proc.as_fd(), mount);
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
        match self.open() {
            Ok(proc) => self.gaps(&proc, rights::mount(proc.as_fd()), &list(&proc).0),
            Err(error) => vec![Gap::Closed(self.shown(), error.to_string())],
        }
    }

    /// Its path.
    #[must_use]
    pub fn shown(&self) -> String {
        self.root.display().to_string()
    }
}

/// The PIDs that the directory lists, ascending, and the error that ended the listing early. proc_pid_readdir() of
/// fs/proc/base.c goes up the PIDs, so that every process that lives throughout is listed.
fn list(proc: &OwnedFd) -> (Vec<i32>, Option<Errno>) {
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
pub(super) fn listed(procfs: &Procfs) -> Result<Vec<i32>, Errno> {
    let _raised = procfs.raised();
    match list(&procfs.open()?) {
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
