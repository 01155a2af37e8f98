//! The worker's side: what it is about to read, what it may not try again, and what it knows so far.

use super::channel::Teller;
use super::crowd::Crowd;
use super::leftover::{self, Leftover};
use super::note::Note;
use super::page::Page;
use crate::capabilities::lowered;
use crate::outcome::Outcome;
use std::cell::OnceCell;
use std::io::{Error, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// What a worker is told by its supervisor, and tells it. Copied wherever something is read.
#[derive(Clone, Copy, Default)]
pub struct Notes {
    worker: Option<&'static Worker>,
}

/// What belongs to a worker; it lives as long as the process.
pub(super) struct Worker {
    pub(super) page: &'static Page,
    /// Nobody listens where there was no process to be had for a worker.
    pub(super) teller: Option<Teller>,
    /// What did not come back to earlier workers.
    pub(super) hung: Vec<Note>,
    /// Whether the time is nearly up: then nothing is tried that did not come back before.
    pub(super) last_call: bool,
    pub(super) started: Instant,
    pub(super) limit: Option<Duration>,
    pub(super) left_behind: OnceCell<Vec<Leftover>>,
    pub(super) crowds: OnceCell<Vec<Crowd>>,
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

/// So many workers stay behind at most: after that nothing is tried that could hang.
const MANY: usize = 64;

impl Notes {
    /// Nobody watches.
    #[must_use]
    pub fn none() -> Notes {
        Notes { worker: None }
    }

    pub(super) fn of(worker: Worker) -> Notes {
        Notes {
            worker: Some(Box::leak(Box::new(worker))),
        }
    }

    /// Whether this is a worker, and the program that was started another process, which waits for it.
    #[must_use]
    pub fn is_watched(self) -> bool {
        self.worker.is_some_and(|worker| worker.teller.is_some())
    }

    /// Reads a file of a process, and may never come back. `None`: it did not come back to another worker, and is not
    /// tried. `start` and `owner` are asked only where they matter.
    pub fn of_process<T>(
        self,
        pid: i32,
        file: &str,
        start: impl Fn() -> Option<u64>,
        owner: impl Fn() -> Option<u32>,
        read: impl FnOnce() -> T,
    ) -> Option<T> {
        self.risk(|| Note::of_process(pid, file), start, owner, read)
    }

    /// The same of something behind a path.
    pub fn of_path<T>(self, path: &[u8], read: impl FnOnce() -> T) -> Option<T> {
        self.risk(|| Note::of_file(path), || None, || None, read)
    }

    /// The same as [`Notes::of_path`], as an error.
    ///
    /// # Errors
    /// Those of `act`, and that there was no answer.
    pub fn of_file<T>(self, path: &Path, act: impl FnOnce() -> std::io::Result<T>) -> std::io::Result<T> {
        self.of_path(path.as_os_str().as_bytes(), act)
            .unwrap_or_else(|| Err(Error::new(ErrorKind::TimedOut, "no answer")))
    }

    /// The same of a file that was asked for by name: whoever writes to a pipe may take his time.
    ///
    /// # Errors
    /// As above.
    pub fn of_input<T>(self, path: &Path, read: impl FnOnce() -> std::io::Result<T>) -> std::io::Result<T> {
        let about = self.of_file(path, || std::fs::metadata(path))?;
        if about.is_file() {
            self.of_file(path, read)
        } else {
            read()
        }
    }

    /// The same of a name service. Its modules are others' code, and may read files that the environment names: they get
    /// nothing of what is lent.
    pub fn of_name<T>(self, what: &str, ask: impl FnOnce() -> T) -> Option<T> {
        self.risk(|| Note::of_name(what), || None, || None, || lowered(ask))
    }

    fn risk<T>(
        self,
        note: impl FnOnce() -> Note,
        start: impl Fn() -> Option<u64>,
        owner: impl Fn() -> Option<u32>,
        read: impl FnOnce() -> T,
    ) -> Option<T> {
        let Some(worker) = self.worker else {
            return Some(read());
        };
        let note = note();
        if worker.avoids(&note, &start, &owner) {
            return None;
        }
        worker.page.enter(&note);
        let result = read();
        worker.page.leave();
        Some(result)
    }

    /// When the run began: with its first worker; where nobody watches, when this was asked for the first time.
    #[must_use]
    pub fn started(self) -> Instant {
        static FIRST: OnceLock<Instant> = OnceLock::new();
        self.worker
            .map_or_else(|| *FIRST.get_or_init(Instant::now), |worker| worker.started)
    }

    /// By when a worker has to know what it knows, since the run began.
    #[must_use]
    pub fn limit(self) -> Option<Duration> {
        let worker = self.worker?;
        let limit = worker.limit.or_else(|| worker.page.limit()).unwrap_or(LIMIT);
        Some(limit.saturating_sub(RESERVE))
    }

    /// Asks for as much time as the longest window takes; what was asked for before stays.
    pub fn ask_for(self, window: Duration) {
        if let Some(worker) = self.worker
            && worker.limit.is_none()
        {
            let wanted = LIMIT.max(window.saturating_add(2 * RESERVE));
            // What was asked for before is not taken back.
            worker
                .page
                .set_limit(wanted.max(worker.page.limit().unwrap_or_default()));
        }
    }

    /// Gives the run exactly this time, where it was not told another.
    pub fn limit_to(self, time: Duration) {
        if let Some(worker) = self.worker {
            worker.page.set_limit(time);
        }
    }

    /// What to print if the run had to end now.
    pub fn publish(self, outcome: &Outcome) {
        self.tell(outcome, false);
    }

    pub(super) fn last_word(self, outcome: &Outcome) {
        self.tell(outcome, true);
    }

    /// Where nobody listens any more, nobody waits.
    fn tell(self, outcome: &Outcome, last: bool) {
        if let Some(teller) = self.worker.and_then(|worker| worker.teller.as_ref()) {
            let _ = teller.tell(outcome, last);
        }
    }
}

impl Worker {
    /// Whether a read would not come back, or there is no time to find out.
    fn avoids(&self, note: &Note, start: &dyn Fn() -> Option<u64>, owner: &dyn Fn() -> Option<u32>) -> bool {
        if self.hung.iter().any(|hung| hung.hash == note.hash) {
            return true;
        }
        // A worker that an earlier run left behind is still in there: one more would not come back either.
        let left_behind = self.left_behind.get_or_init(leftover::all);
        let same = |left: &&Leftover| left.hash == note.hash;
        if left_behind.len() >= MANY {
            return true;
        }
        if left_behind
            .iter()
            .filter(same)
            .any(|left| left.start == 0 || start() == Some(left.start))
        {
            return true;
        }
        let crowds = || self.crowds.get_or_init(|| Crowd::of(&self.hung));
        (self.last_call || crowds().iter().any(|crowd| crowd.holds(note, owner)))
            && !self.page.came_back(note)
    }
}
