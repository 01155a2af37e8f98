//! One pass over the processes of a proc file system: those that are listed, and those that were born meanwhile.

use super::births;
use super::complete::Crowd;
use super::glance::Glance;
use super::read::Vanished;
use super::settle::{Kept, Source};
use crate::select::Sieve;
use crate::snapshot::{Clock, Clocks, Process, Snapshot};
use rustix::fd::OwnedFd;
use std::collections::BTreeSet;

/// What is found out from process to process.
pub(super) struct Pass<'a> {
    source: Source<'a>,
    glance: Option<Glance<'a>>,
    crowd: Crowd<'a>,
    clocks: Option<Clocks>,
}

impl<'a> Pass<'a> {
    /// Before the first process, when all is known of the host.
    pub(super) fn begin(source: Source<'a>, snapshot: &Snapshot) -> Pass<'a> {
        Pass {
            source,
            glance: Sieve::of(source.plan, snapshot).map(|sieve| Glance::new(source.proc, sieve)),
            crowd: Crowd::new(source),
            clocks: source.plan.clocks().then(|| Clocks {
                at: snapshot.at,
                clocks: Vec::with_capacity(snapshot.seen),
            }),
        }
    }

    /// Reads these; gives those of them that are gone.
    pub(super) fn read_listed(&mut self, pids: &[i32], snapshot: &mut Snapshot) -> BTreeSet<i32> {
        let mut gone = BTreeSet::new();
        for pid in pids {
            if self.dismisses(*pid, snapshot) {
                continue;
            }
            let read = self.read(*pid, snapshot);
            match self.keep(read) {
                Ok(process) => snapshot.processes.extend(process),
                Err(Vanished) => {
                    gone.insert(*pid);
                }
            }
        }
        gone
    }

    /// Reads what was born meanwhile, if it is a process: threads are numbered with them.
    pub(super) fn read_born(&mut self, dir: &OwnedFd, pid: i32, snapshot: &mut Snapshot) {
        // Of a thread there are no clocks, and nothing else; where none are kept, few get so far that it matters.
        if self.clocks.is_some() && !births::is_process(dir, pid) {
            return;
        }
        if !self.dismisses(pid, snapshot)
            && let Ok(Some(kept)) = self.read(pid, snapshot)
            && births::is_process(dir, pid)
            && let Ok(Some(process)) = self.keep(Ok(Some(kept)))
        {
            snapshot.seen += 1;
            snapshot.processes.push(process);
        }
    }

    /// After the last process: what those that stay say of each other is known now.
    pub(super) fn end(mut self, snapshot: &mut Snapshot) {
        snapshot.processes.sort_by_key(|process| process.pid);
        if let Some(mut clocks) = self.clocks {
            clocks.clocks.sort_by_key(|clock| clock.pid);
            clocks.clocks.dedup_by_key(|clock| clock.pid);
            snapshot.keep_clocks(clocks);
        }
        self.crowd.complete(snapshot);
        refresh(snapshot);
    }

    fn dismisses(&mut self, pid: i32, snapshot: &Snapshot) -> bool {
        // What lies there by path is not the process.
        if self.source.proc.known.covered.contains(&pid) {
            return false;
        }
        let glance = self.glance.as_mut();
        glance.is_some_and(|glance| glance.dismisses(pid, snapshot))
    }

    fn read(&mut self, pid: i32, snapshot: &Snapshot) -> Result<Option<Kept>, Vanished> {
        self.source.read_one(pid, snapshot, self.clocks.as_mut())
    }

    fn keep(&mut self, read: Result<Option<Kept>, Vanished>) -> Result<Option<Process>, Vanished> {
        read?.map(|kept| self.crowd.keep(kept)).transpose()
    }
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
