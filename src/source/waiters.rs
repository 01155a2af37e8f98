//! Who sleeps in state D, thread by thread, and where in the kernel.

use super::known::Known;
use super::process_dir::Proc;
use super::procfs::Procfs;
use super::read::{Place, whole};
use super::survivor::{stat, threads};
use crate::snapshot::{Process, Snapshot, Stat, Waiter, Waiters};
use rustix::fd::AsFd;
use rustix::fs::{Mode, OFlags, openat};

/// Of so many threads of processes that have more than one the state is read, which takes a tenth of a second or two.
const THREADS: u64 = 20_000;
/// So many channels are asked for: a file server that is gone leaves thousands waiting at one place.
const CHANNELS: usize = 500;
/// The longest symbol of a kernel is 512 bytes.
const SYMBOL: usize = 1024;

impl Procfs {
    /// The processes of a look that sleep in state D, or have threads that do.
    #[must_use]
    pub fn waiters(&self, snapshot: &Snapshot) -> Waiters {
        let _raised = self.raised();
        let Ok(dir) = self.opened() else {
            return Waiters::default();
        };
        let proc = Proc {
            dir: dir.as_fd(),
            live: self.live,
            notes: self.notes,
            known: &Known::default(),
        };
        let mut waiters = Waiters::default();
        let (mut room, mut channels) = (THREADS, 0);
        for process in &snapshot.processes {
            let Some(stat) = process.stat.value() else {
                continue;
            };
            let all = (2..=room).contains(&stat.num_threads);
            waiters.cut |= !all && stat.num_threads > 1;
            room -= if all { stat.num_threads } else { 0 };
            if let Some(waiter) = waiter(proc, process, stat, all, channels < CHANNELS) {
                channels += waiter.channels.len();
                waiters.processes.push(waiter);
            }
        }
        waiters
    }
}

/// `all`: look at every thread; the first alone is known.
fn waiter(proc: Proc<'_>, process: &Process, known: &Stat, all: bool, channels: bool) -> Option<Waiter> {
    if !all && known.state != b'D' {
        return None;
    }
    let mut waiter = Waiter {
        pid: process.pid,
        threads: known.num_threads.max(1),
        ..Waiter::default()
    };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let dir = openat(proc.dir, process.pid.to_string(), flags, Mode::empty());
    let place = dir.as_ref().ok().map(|dir| Place {
        dir: dir.as_fd(),
        prefix: "",
        live: proc.live,
        notes: proc.notes,
        known: proc.known,
    });
    // Another process may have got its PID meanwhile.
    let place = place.filter(|place| stat(*place).is_some_and(|now| now.starttime == known.starttime));
    match place {
        Some(place) if all => {
            for prefix in threads(place) {
                let thread = Place {
                    prefix: &prefix,
                    ..place
                };
                if stat(thread).is_some_and(|stat| stat.state == b'D') {
                    waiter.tasks += 1;
                    if channels {
                        note(thread, &mut waiter);
                    }
                }
            }
        }
        _ if known.state != b'D' => {}
        place => {
            waiter.tasks = 1;
            if let Some(place) = place.filter(|_| channels) {
                note(place, &mut waiter);
            }
        }
    }
    (waiter.tasks > 0).then_some(waiter)
}

/// proc_pid_wchan() of fs/proc/base.c says 0 to who may not trace the process, and of a task that does not wait.
fn note(task: Place<'_>, waiter: &mut Waiter) {
    match whole(task.dir, &task.path("wchan"), SYMBOL) {
        Ok((channel, _)) if channel == b"0" => {
            waiter.hidden |= stat(task).is_some_and(|stat| stat.state == b'D');
        }
        Ok((channel, _)) if !channel.is_empty() => waiter.channels.push(channel),
        // Gone, or a kernel without symbols.
        _ => {}
    }
}
