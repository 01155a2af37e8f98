//! After the pass: what terms about other processes (`parent`, `ancestor`, `main`) still need.

use super::process_dir::{ProcessDir, mark};
use super::read::{Vanished, why};
use super::settle::{Kept, Source, TORN_LIMIT, fresh, tear};
use crate::select::File;
use crate::select::plan::asked;
use crate::snapshot::{Process, Snapshot};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// How a process that stays is found again.
#[derive(Default)]
struct Held {
    /// Its descriptor, which cannot be mistaken; only so many are kept.
    dir: Option<Rc<ProcessDir>>,
    /// Else its start time, which two processes started within one tick share.
    start: Option<u64>,
    /// How often it changed while more was read.
    torn: usize,
}

/// The processes that stay, and those that are known to be gone.
pub(super) struct Crowd<'a> {
    source: Source<'a>,
    held: BTreeMap<i32, Held>,
    gone: BTreeSet<i32>,
    room: usize,
}

/// Descriptors held at most, whatever the limit of the process is.
const HELD: u64 = 256;

impl<'a> Crowd<'a> {
    pub(super) fn new(source: Source<'a>) -> Crowd<'a> {
        let limit = getrlimit(Resource::Nofile).current.unwrap_or(HELD) / 2;
        let room = usize::try_from(limit.min(HELD)).unwrap_or(0);
        Crowd {
            source,
            held: BTreeMap::new(),
            gone: BTreeSet::new(),
            room,
        }
    }

    /// Takes a process in, and gives back what goes into the snapshot.
    ///
    /// # Errors
    /// It vanished before its start time was known.
    pub(super) fn keep(&mut self, kept: Kept) -> Result<Process, Vanished> {
        let mut held = Held::default();
        if self.room > 0 && kept.dir.is_some() {
            self.room -= 1;
            held.dir = kept.dir.map(Rc::new);
        } else if let Some(dir) = kept.dir {
            held.start = Some(start_of(&dir, &kept.process)?);
        }
        self.held.insert(kept.process.pid, held);
        Ok(kept.process)
    }

    /// Reads until no check needs more, or what it needs cannot be had.
    pub(super) fn complete(&mut self, snapshot: &mut Snapshot) {
        let mut index = 0;
        let mut lost = false;
        loop {
            if index >= snapshot.processes.len() {
                // Another process may need something else of those that are left. A walk each time one goes away would
                // be as many walks as a busy host has processes.
                if !std::mem::take(&mut lost) {
                    return;
                }
                index = 0;
                continue;
            }
            let Some((pid, file)) = self.source.plan.need(snapshot, index) else {
                index += 1;
                continue;
            };
            let at = snapshot
                .processes
                .binary_search_by_key(&pid, |process| process.pid);
            let tried = at.is_ok_and(|at| asked(&snapshot.processes[at], file));
            // Every turn of the loop below this line asks a file for the first time or finds a PID gone, or tears a
            // process once more, so it ends. What is not to be had stays unasked, and the check says so.
            if pid <= 0 || tried || self.gone.contains(&pid) {
                index += 1;
                continue;
            }
            match (self.more(pid, file, at.ok(), snapshot), at) {
                (Ok(process), Ok(at)) => snapshot.processes[at] = process,
                (Ok(process), Err(at)) => {
                    snapshot.processes.insert(at, process);
                    // An insertion before the process that is looked at moves it.
                    index += usize::from(at <= index);
                }
                (Err(Vanished), _) => {
                    let own = snapshot.processes[index].pid;
                    self.drop_gone(pid, snapshot);
                    lost = true;
                    index = snapshot.processes.partition_point(|process| process.pid < own);
                }
            }
        }
    }

    fn more(
        &mut self,
        pid: i32,
        file: File,
        at: Option<usize>,
        snapshot: &Snapshot,
    ) -> Result<Process, Vanished> {
        let source = self.source;
        let dir = match self.dir(pid) {
            Ok(dir) => dir,
            Err(Errno::NOENT | Errno::SRCH) => return Err(Vanished),
            Err(errno) => {
                let mut process = at.map_or_else(|| fresh(pid), |at| snapshot.processes[at].clone());
                mark(&mut process, file, why(errno));
                return Ok(process);
            }
        };
        let Some(at) = at else {
            // No check means it by itself, but one of another process's terms does.
            let (_, mut process) = source.settle(&dir, pid, snapshot)?;
            if !asked(&process, file) {
                dir.read(file, &mut process)?;
            }
            let dir = Rc::into_inner(dir);
            return self.keep(Kept { process, dir });
        };
        let mut process = snapshot.processes[at].clone();
        dir.read(file, &mut process)?;
        let changed = source.changed(&dir, &process)?;
        if changed.is_empty() {
            return Ok(process);
        }
        let held = self.held.entry(pid).or_default();
        held.torn += 1;
        if held.torn > TORN_LIMIT {
            tear(&mut process, &changed);
            return Ok(process);
        }
        let (_, mut process) = source.settle(&dir, pid, snapshot)?;
        if !asked(&process, file) {
            dir.read(file, &mut process)?;
        }
        Ok(process)
    }

    /// The directory of a process: the one it was read under, or one that shows the same start time.
    fn dir(&self, pid: i32) -> Result<Rc<ProcessDir>, Errno> {
        let held = self.held.get(&pid);
        if let Some(dir) = held.and_then(|held| held.dir.clone()) {
            return Ok(dir);
        }
        let dir = ProcessDir::open(self.source.proc, pid)?;
        match held.and_then(|held| held.start) {
            Some(start)
                if start_of(
                    &dir,
                    &Process {
                        pid,
                        ..Process::default()
                    },
                ) != Ok(start) =>
            {
                Err(Errno::SRCH)
            }
            _ => Ok(Rc::new(dir)),
        }
    }

    /// Takes a dead process out, and reads the parent of its orphans anew: they have another now.
    fn drop_gone(&mut self, pid: i32, snapshot: &mut Snapshot) {
        let mut dead = vec![pid];
        while let Some(pid) = dead.pop() {
            if !self.gone.insert(pid) {
                continue;
            }
            self.held.remove(&pid);
            // One that was never seen may as well be hidden, or missing from a copy.
            snapshot.vanished += usize::from(snapshot.by_pid(pid).is_some());
            snapshot.processes.retain(|process| process.pid != pid);
            for orphan in &mut snapshot.processes {
                if orphan.stat.value().is_some_and(|stat| stat.ppid == pid) {
                    let read = match self.dir(orphan.pid) {
                        Ok(dir) => dir.read(File::Stat, orphan),
                        Err(Errno::NOENT | Errno::SRCH) => Err(Vanished),
                        Err(_) => Ok(()),
                    };
                    if read == Err(Vanished) {
                        dead.push(orphan.pid);
                    }
                }
            }
        }
    }
}

/// The start time; 0 where `stat` is closed to us, and then the PID alone has to do.
fn start_of(dir: &ProcessDir, process: &Process) -> Result<u64, Vanished> {
    if let Some(stat) = process.stat.value() {
        return Ok(stat.starttime);
    }
    let mut now = Process {
        pid: process.pid,
        ..Process::default()
    };
    dir.read(File::Stat, &mut now)?;
    Ok(now.stat.value().map_or(0, |stat| stat.starttime))
}
