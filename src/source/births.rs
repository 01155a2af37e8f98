//! Processes born while /proc was read. What forks and ends faster than the pass over /proc would never be seen: when
//! its PID is read it is gone, and the PID of its child was not listed.

use super::read::whole;
use crate::parse;
use rustix::fd::OwnedFd;

/// How often we look for more; each time takes less than a fork, so the end is soon reached or never.
const ROUNDS: usize = 32;

/// More births than this in one round are not followed up: PIDs are given faster than they are read.
const MOST: i32 = 4096;

/// Where the kernel's PIDs were when the listing began.
pub(super) struct Births {
    last: i32,
}

impl Births {
    /// `None` where it can't be told: the numbers are those of our own PID namespace, and a proc file system with
    /// `subset=pid` does not show them.
    pub(super) fn from_now(proc: &OwnedFd) -> Option<Births> {
        last_pid(proc).map(|last| Births { last })
    }

    /// The PIDs given since then, and those given while these are read, until there are no more; among them are those
    /// of threads.
    pub(super) fn follow(mut self, proc: &OwnedFd) -> impl Iterator<Item = i32> {
        (0..ROUNDS)
            .map_while(move |_| Some(self.since(proc)).filter(|pids| !pids.is_empty()))
            .flatten()
    }

    fn since(&mut self, proc: &OwnedFd) -> Vec<i32> {
        let Some(now) = last_pid(proc) else {
            return Vec::new();
        };
        let before = std::mem::replace(&mut self.last, now);
        let highest = || {
            let (text, _) = whole(proc, "sys/kernel/pid_max", 64).ok()?;
            parse::number(&text)
        };
        between(before, now, highest)
    }
}

/// The PIDs after `before` up to `now`; the numbers begin again after the highest.
fn between(before: i32, now: i32, highest: impl Fn() -> Option<i32>) -> Vec<i32> {
    if now >= before {
        return (now.saturating_sub(MOST).max(before)..=now).skip(1).collect();
    }
    let highest = highest().unwrap_or(before).min(before.saturating_add(MOST));
    (before..=highest).skip(1).chain(1..=now.min(MOST)).collect()
}

/// The last field of loadavg: the PID given last, to a process or a thread.
fn last_pid(proc: &OwnedFd) -> Option<i32> {
    let (text, _) = whole(proc, "loadavg", 256).ok()?;
    let last = text.trim_ascii().rsplit(|b| *b == b' ').next()?;
    parse::number(last).filter(|pid| *pid > 0)
}

/// Whether a PID is a process's and not a thread's: threads are not listed, but their directories open.
pub(super) fn is_process(proc: &OwnedFd, pid: i32) -> bool {
    whole(proc, &format!("{pid}/status"), 1 << 20)
        .ok()
        .and_then(|(text, _)| parse::status::tgid(&text))
        == Some(pid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_begin_again_after_the_highest() {
        assert!(between(7, 7, || None).is_empty());
        assert_eq!(between(7, 9, || None), [8, 9]);
        assert_eq!(between(98, 2, || Some(100)), [99, 100, 1, 2]);
        assert_eq!(between(98, 2, || None), [1, 2]);
        let many = between(1, i32::MAX, || None);
        assert_eq!((many.len(), many.last()), (4096, Some(&i32::MAX)));
    }
}
