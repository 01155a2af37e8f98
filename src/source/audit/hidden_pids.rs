//! Processes that answer to their id and are not listed. pidfd_open(2) takes no right, and refuses the ids of threads,
//! so each id that exists is a process: 4,194,304 of them are asked in half a second.

use super::{incomparable, untold};
use crate::audit::host::Fact;
use crate::source::procfs::{Procfs, listed};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::collections::BTreeSet;
use std::time::Duration;

/// How often who seems hidden is looked for again: a process may be born between the two listings.
const TRIES: usize = 5;
const PAUSE: Duration = Duration::from_millis(20);

pub(super) fn look(procfs: &Procfs) -> Fact {
    if let Some(untold) = incomparable(procfs) {
        return untold;
    }
    match hidden(procfs) {
        Ok(pids) => Fact::Told(
            pids.iter()
                .map(|pid| format!("process {pid} lives and is not listed"))
                .collect(),
        ),
        Err(error) => untold("processes can't be asked by their ids", error),
    }
}

fn hidden(procfs: &Procfs) -> Result<Vec<i32>, Errno> {
    let before = listing(procfs)?;
    let highest = highest()?;
    let mut suspects = Vec::new();
    let mut listed = before.iter().peekable();
    for pid in 1..=highest {
        if listed.next_if_eq(&&pid).is_some() {
            continue;
        }
        match open(pid) {
            Ok(process) => suspects.push((pid, process)),
            // There is none, or it is a thread.
            Err(Errno::SRCH | Errno::INVAL | Errno::NOENT) => {}
            // A security module denies it: it exists, and who it is can't be told.
            Err(errno) => return Err(errno),
        }
    }
    for _ in 0..TRIES {
        if suspects.is_empty() {
            break;
        }
        std::thread::sleep(PAUSE);
        let now = listing(procfs)?;
        suspects.retain(|(pid, process)| !now.contains(pid) && is_alive(process));
    }
    Ok(suspects.into_iter().map(|(pid, _)| pid).collect())
}

fn listing(procfs: &Procfs) -> Result<BTreeSet<i32>, Errno> {
    Ok(listed(procfs)?.into_iter().collect())
}

/// pid_max is one more than the highest id.
fn highest() -> Result<i32, Errno> {
    let text = std::fs::read_to_string("/proc/sys/kernel/pid_max").map_err(|_| Errno::NOENT)?;
    text.trim().parse().map_err(|_| Errno::INVAL)
}

fn open(pid: i32) -> Result<OwnedFd, Errno> {
    let pid = Pid::from_raw(pid).ok_or(Errno::SRCH)?;
    pidfd_open(pid, PidfdFlags::empty())
}

/// The descriptor of a process becomes readable when it ends.
fn is_alive(process: &OwnedFd) -> bool {
    let mut polled = [PollFd::new(process, PollFlags::IN)];
    let at_once = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    matches!(poll(&mut polled, Some(&at_once)), Ok(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_hidden_here_although_processes_come_and_go() {
        let busy = std::thread::spawn(|| {
            for _ in 0..200 {
                let child = std::process::Command::new("/bin/true").spawn();
                let _ = child.and_then(|mut child| child.wait());
            }
        });
        assert_eq!(hidden(&Procfs::live()), Ok(vec![]));
        busy.join().unwrap();
    }
}
