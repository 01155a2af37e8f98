//! More about some processes of a look: who they are, for a report. Of thousands only a few are told.

use super::known::Known;
use super::process_dir::{Proc, ProcessDir};
use super::procfs::Procfs;
use crate::select::File;
use crate::snapshot::{Process, Snapshot};
use rustix::fd::AsFd;

impl Procfs {
    /// Reads owner, program and cgroup of these processes, as far as they are still there.
    pub fn acquaint(&self, snapshot: &mut Snapshot, pids: &[i32]) {
        let _raised = self.raised();
        let Ok(dir) = self.opened() else { return };
        let proc = Proc {
            dir: dir.as_fd(),
            live: self.live,
            notes: self.notes,
            known: &Known::default(),
        };
        for process in snapshot.processes.iter_mut().filter(|p| pids.contains(&p.pid)) {
            if let Some(known) = known(proc, process) {
                process.owner = known.owner;
                process.exe = known.exe;
                process.cgroup = known.cgroup;
            }
        }
    }
}

/// `None`: it is gone, and its PID may be another's.
fn known(proc: Proc<'_>, process: &Process) -> Option<Process> {
    let dir = ProcessDir::open(proc, process.pid).ok()?;
    let mut known = Process {
        pid: process.pid,
        ..Process::default()
    };
    for file in [File::Stat, File::Owner, File::Exe, File::Cgroup] {
        dir.read(file, &mut known).ok()?;
    }
    let start = |process: &Process| process.stat.value().map(|stat| stat.starttime);
    (start(&known) == start(process)).then_some(known)
}
