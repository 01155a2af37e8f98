//! The worker's side: what it is about to read, what it may not try again, and what it knows so far.

use super::leftover;
use super::page::Page;
use super::papers::Papers;
use crate::outcome::Outcome;
use std::cell::OnceCell;
use std::time::{Duration, Instant};

/// Something that did not come back to an earlier worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hung {
    /// This very thing, as it was noted.
    What(String),
    /// Everything of the processes of this user: several of them did not come back.
    Owner(u32),
    /// Everything: the time is nearly up.
    All,
}

/// What a worker is told by its supervisor, and tells it. Copied wherever something is read.
#[derive(Clone, Copy, Default)]
pub struct Notes {
    worker: Option<&'static Worker>,
}

/// What belongs to a worker; it lives as long as the process.
pub(super) struct Worker {
    pub(super) page: &'static Page,
    pub(super) papers: &'static Papers,
    pub(super) hung: Vec<Hung>,
    pub(super) started: Instant,
    pub(super) limit: Option<Duration>,
    left_behind: OnceCell<Vec<String>>,
}

impl std::fmt::Debug for Notes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notes").finish_non_exhaustive()
    }
}

/// How long a run may take, unless it was told or a longer window is configured: check_nrpe and check_by_ssh give up
/// after 10 s and name nothing.
pub const LIMIT: Duration = Duration::from_secs(8);

/// What is kept of the time for judging and reporting.
const RESERVE: Duration = Duration::from_millis(700);

impl Notes {
    /// Nobody watches.
    #[must_use]
    pub fn none() -> Notes {
        Notes { worker: None }
    }

    pub(super) fn of(
        page: &'static Page,
        papers: &'static Papers,
        hung: Vec<Hung>,
        started: Instant,
        limit: Option<Duration>,
    ) -> Notes {
        let worker = Worker {
            page,
            papers,
            hung,
            started,
            limit,
            left_behind: OnceCell::new(),
        };
        Notes {
            worker: Some(Box::leak(Box::new(worker))),
        }
    }

    /// Reads something that may never come back. `None`: it did not come back to another worker, and is not tried.
    pub fn risk<T>(self, what: &str, read: impl FnOnce() -> T) -> Option<T> {
        let Some(worker) = self.worker else {
            return Some(read());
        };
        let hung = worker.hung.iter().any(|hung| match hung {
            Hung::What(known) => known == what,
            Hung::All => true,
            Hung::Owner(_) => false,
        });
        if hung {
            return None;
        }
        worker.page.enter(what.as_bytes());
        let result = read();
        worker.page.leave();
        Some(result)
    }

    /// The same of a file of a process. `start` and `owner` are asked only where they matter.
    pub fn risk_of_process<T>(
        self,
        pid: i32,
        file: &str,
        start: impl FnOnce() -> Option<u64>,
        owner: impl FnOnce() -> Option<u32>,
        read: impl FnOnce() -> T,
    ) -> Option<T> {
        let what = process_note(pid, file);
        if let Some(worker) = self.worker {
            let owners = worker.hung.iter().any(|hung| matches!(hung, Hung::Owner(_)));
            if owners
                && let Some(uid) = owner()
                && worker.hung.contains(&Hung::Owner(uid))
            {
                return None;
            }
            // A worker that an earlier run left behind is still in there: one more would not come back either.
            let left_behind = worker.left_behind.get_or_init(leftover::all);
            if left_behind.iter().any(|left| left.starts_with(&what))
                && let Some(start) = start()
                && left_behind.contains(&leftover::name(&what, start))
            {
                return None;
            }
        }
        self.risk(&what, read)
    }

    /// When the run began: with its first worker.
    #[must_use]
    pub fn started(self) -> Instant {
        self.worker.map_or_else(Instant::now, |worker| worker.started)
    }

    /// How long the run may take at most, where that was told (`--timeout`): what windows have to fit into.
    #[must_use]
    pub fn told_limit(self) -> Option<Duration> {
        self.worker
            .and_then(|worker| worker.limit)
            .map(|limit| limit.saturating_sub(RESERVE))
    }

    /// Asks for as much time as the longest window takes; what was asked for before stays.
    pub fn ask_for(self, window: Duration) {
        if let Some(worker) = self.worker
            && worker.limit.is_none()
        {
            let wanted = LIMIT.max(window.saturating_add(2 * RESERVE));
            let wanted = u64::try_from(wanted.as_millis()).unwrap_or(u64::MAX);
            worker
                .page
                .set_limit(wanted.max(worker.page.limit().unwrap_or(0)));
        }
    }

    /// What to print if the run had to end now.
    pub fn publish(self, outcome: &Outcome) {
        if let Some(worker) = self.worker {
            // Where memory is out, the outcome before this one stands.
            let _ = worker.papers.publish(worker.page, outcome, false);
        }
    }
}

/// How a file of a process is noted.
pub(super) fn process_note(pid: i32, file: &str) -> String {
    format!("{file} of process {pid}")
}

/// The PID in such a note.
pub(super) fn pid_in(note: &str) -> Option<i32> {
    note.rsplit_once(" of process ")?.1.parse().ok()
}
