//! A process whose first thread has ended while others run. Its own files say that it is a zombie without a program;
//! whoever wants to run unseen needs one system call for that. What is left of it is read from a thread that lives.

use super::read::{Place, whole};
use crate::parse;
use crate::snapshot::Stat;
use rustix::fs::{Dir, Mode, OFlags, openat};

/// PF_EXITING of linux/sched.h: it is on its way out, and may have given up its memory already.
const PF_EXITING: u32 = 0x0000_0004;

/// As long as the kernel's own line can be.
const LINE: usize = 16 << 10;

/// How often the threads are listed, where they come and go so fast that none is there any more when it is read.
const TRIES: usize = 8;

/// What remains of a process.
pub(super) enum Remains<T> {
    /// This, by one of its threads.
    Read(T),
    /// Nothing: its first thread is no zombie, or all are.
    Nothing,
    /// Threads of which none could be read.
    Fleeting,
}

/// Whether a thread has ended, or is ending and has given up its memory: exit_mm() of kernel/exit.c.
pub(super) fn has_ended(stat: &Stat) -> bool {
    stat.is_zombie() || (stat.flags & PF_EXITING != 0 && stat.vsize == 0)
}

/// Reads from a thread that has outlived the first one; `None` where that thread is gone, too.
pub(super) fn read<T>(place: Place<'_>, read: impl Fn(Place<'_>, &Stat) -> Option<T>) -> Remains<T> {
    for _ in 0..TRIES {
        let Some(leader) = stat(place).filter(|leader| leader.num_threads > 1 && has_ended(leader)) else {
            return Remains::Nothing;
        };
        let mut ended = 0;
        for prefix in threads(place) {
            let of_thread = Place {
                prefix: &prefix,
                ..place
            };
            match stat(of_thread) {
                Some(stat) if has_ended(&stat) => ended += 1,
                Some(stat) => {
                    if let Some(read) = read(of_thread, &stat) {
                        return Remains::Read(read);
                    }
                }
                None => {}
            }
        }
        // Threads that ended stay only while a debugger holds them.
        if ended >= leader.num_threads {
            return Remains::Nothing;
        }
    }
    Remains::Fleeting
}

/// The `stat` of the process: its ids and times, and what a thread knows of state and memory.
pub(super) fn lend(thread: &Stat, leader: &Stat) -> Stat {
    Stat {
        state: thread.state,
        flags: leader.flags & !PF_EXITING,
        vsize: thread.vsize,
        rss: thread.rss,
        ..leader.clone()
    }
}

/// The directories of its threads, each with a slash.
pub(super) fn threads(place: Place<'_>) -> impl Iterator<Item = String> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let tasks = openat(place.dir, place.path("task"), flags, Mode::empty()).and_then(Dir::new);
    let prefix = place.path("task/");
    tasks
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter_map(move |entry| {
            let id: u32 = entry.file_name().to_str().ok()?.parse().ok()?;
            Some(format!("{prefix}{id}/"))
        })
}

/// The line of a process or a thread as it is now.
pub(super) fn stat(place: Place<'_>) -> Option<Stat> {
    let (bytes, _) = whole(place.dir, &place.path("stat"), LINE).ok()?;
    parse::stat::parse(&bytes)
}
