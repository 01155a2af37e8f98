//! The program that was started: it forks a worker, and waits.

use super::channel::{Heard, Listener, Teller, channel};
use super::child;
use super::fork::{Side, shared_page, split};
use super::leftover::Tag;
use super::note::Note;
use super::notes::{LIMIT, Notes, Worker};
use super::page::Page;
use super::parting::{Parting, part};
use super::rights::Rights;
use super::signals::Signals;
use crate::capabilities::raise;
use crate::exit_code::Exit;
use crate::outcome::Outcome;
use crate::parse;
use crate::snapshot::Stat;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd};
use rustix::process::{Pid, getpid};
use std::cell::OnceCell;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// What ends a run before its worker does.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// How long the run may take; where it is not told, 8 s or what the configuration asks for.
    pub limit: Option<Duration>,
    /// Whether an argument names a descriptor that we inherited: `--config /dev/stdin`, `<(…)`.
    pub needs_files: bool,
    /// What to say in place of a verdict, and with what was known by then.
    pub excuse: &'a dyn Fn(&str, Option<Outcome>) -> Outcome,
}

/// How often the page is looked at.
const TICK: Duration = Duration::from_millis(50);
/// When so little is left, nothing that could hang is tried any more.
const LAST_CALL: Duration = Duration::from_millis(1500);
/// How many of the things that hang are told of.
const SHOWN: usize = 5;
/// When so much went by between two looks at the clock, we were stopped, and the worker maybe with us.
const STOPPED: Duration = Duration::from_secs(1);

/// Why waiting ended.
enum End {
    /// The worker said its last word.
    Done(Outcome),
    /// The worker ended without.
    Gone,
    /// A read did not come back.
    Hung(Note),
    /// The time is up.
    Late,
    /// A signal told us to end.
    Told(&'static str),
}

/// Runs `work` in a worker, as often as need be. `None`: this is a worker, and has nothing to say any more. The time holds
/// for telling the outcome, too.
pub fn supervise(terms: Terms<'_>, work: &dyn Fn(Notes) -> Outcome) -> Option<Outcome> {
    let Some((page, signals)) = page().zip(Signals::hold()) else {
        return Some(work(Notes::none()));
    };
    let mut run = Run {
        terms,
        page,
        rights: Rights::of_this_process(),
        clock: Clock::start(),
        known: None,
        hung: Vec::new(),
    };
    let this = getpid();
    loop {
        let tag = Tag::new();
        let forked = channel().and_then(|ends| Ok((split()?, ends)));
        let (worker, mut listener) = match forked {
            Ok((Side::Worker, (listener, teller))) => {
                drop(listener);
                signals.release();
                let keep: Vec<_> = tag.0.iter().map(AsFd::as_fd).chain([teller.0.as_fd()]).collect();
                if child::leave(this, &keep, terms.needs_files) {
                    let notes = run.notes(Some(teller));
                    notes.last_word(&work(notes));
                }
                return None;
            }
            Ok((Side::Supervisor(worker), (listener, teller))) => {
                drop(teller);
                (worker, listener)
            }
            // No process to be had: better a verdict without a guard than none. What hung is known to.
            Err(_) => {
                signals.release();
                let hung = !run.hung.is_empty();
                return Some(work(if hung { run.notes(None) } else { Notes::none() }));
            }
        };
        run.rights.lay_down();
        let end = run.wait(worker, &mut listener, &signals);
        let parting = run.part_from(worker, &mut listener, &end, &tag);
        if let End::Hung(note) = end {
            run.hung.push(note);
            page.rest();
            continue;
        }
        signals.release();
        let by = run.clock.started.checked_add(run.limit());
        return Some(run.conclude(end, &parting).by(by));
    }
}

/// The page of this process, with nothing in it: a process that looks again and again has one for all its runs. Whoever
/// was left behind with it was killed, and never comes to write into it.
fn page() -> Option<&'static Page> {
    static PAGE: OnceLock<&'static Page> = OnceLock::new();
    if let Some(page) = PAGE.get() {
        page.clear();
        return Some(page);
    }
    let page = shared_page().ok()?;
    Some(PAGE.get_or_init(|| page))
}

/// What a supervisor knows.
struct Run<'a> {
    terms: Terms<'a>,
    page: &'static Page,
    rights: Rights,
    clock: Clock,
    known: Option<Outcome>,
    hung: Vec<Note>,
}

impl Run<'_> {
    fn limit(&self) -> Duration {
        self.terms.limit.or_else(|| self.page.limit()).unwrap_or(LIMIT)
    }

    /// For the next worker; without a teller, for this process itself.
    fn notes(&mut self, teller: Option<Teller>) -> Notes {
        let limit = self.limit();
        let late = self.clock.ran() + LAST_CALL.min(limit / 2) > limit;
        Notes::of(Worker {
            page: self.page,
            last_call: teller.is_none() || (late && !self.hung.is_empty()),
            teller,
            hung: self.hung.clone(),
            started: self.clock.started,
            limit: self.terms.limit,
            left_behind: OnceCell::new(),
            crowds: OnceCell::new(),
        })
    }

    /// Whether a failure was decided in spite of what hung.
    fn has_failed(&self) -> bool {
        let failed = |known: &Outcome| matches!(known.exit, Exit::Warning | Exit::Critical);
        !self.hung.is_empty() && self.known.as_ref().is_some_and(failed)
    }

    /// Waits for the last word, a signal, the end of the time, or a read that does not come back.
    fn wait(&mut self, worker: Pid, listener: &mut Listener, signals: &Signals) -> End {
        let mut since: Option<(u64, Duration)> = None;
        loop {
            let [told, heard] = ready([signals.as_fd(), listener.pipe.as_fd()]);
            if told {
                return End::Told(signals.name());
            }
            if heard {
                listener.listen();
            }
            while let Some(heard) = listener.next() {
                match heard {
                    Heard::Soon(outcome) if outcome.exit == Exit::Unknown && self.has_failed() => {}
                    Heard::Soon(outcome) => self.known = Some(outcome),
                    Heard::Last(outcome) => return End::Done(outcome),
                }
            }
            if listener.ended {
                return End::Gone;
            }
            let now = self.clock.ran();
            if now >= self.limit() {
                return End::Late;
            }
            match (self.page.reading(), since) {
                (Some((turn, note)), Some((known, then))) if turn == known => {
                    let patience = note.patience().min(self.limit() / 4);
                    if now - then >= patience && self.sleeps(worker) {
                        return End::Hung(note);
                    }
                }
                (reading, _) => since = reading.map(|(turn, _)| (turn, now)),
            }
        }
    }

    /// A worker that could run, and is not let by a busy host, does not hang; nor does one that somebody stopped.
    fn sleeps(&self, worker: Pid) -> bool {
        self.rights.take_up();
        let stat = stat_of(worker.as_raw_nonzero().get());
        self.rights.lay_down();
        stat.is_none_or(|stat| matches!(stat.state, b'S' | b'D'))
    }

    /// Waits for the end of a worker, or sees to it. Where it stays behind, the next run is told what it hangs on.
    fn part_from(&mut self, worker: Pid, listener: &mut Listener, end: &End, tag: &Tag) -> Parting {
        // After its last word it ends by itself, in a moment.
        while matches!(end, End::Done(_)) && !listener.ended && ready([listener.pipe.as_fd()]) == [true] {
            listener.listen();
        }
        let note = match end {
            End::Hung(note) => Some(note.clone()),
            _ => self.page.reading().map(|(_, note)| note),
        };
        let parting = part(worker, listener.ended);
        self.rights.take_up();
        if let (Parting::StaysBehind, Some(note)) = (&parting, note) {
            let start = note.pid().and_then(stat_of).map(|stat| stat.starttime);
            tag.name(&note, start.unwrap_or(0), worker.as_raw_nonzero().get());
        }
        parting
    }

    /// What is said in the end.
    fn conclude(self, end: End, parting: &Parting) -> Outcome {
        let mut hung = self.hung.clone();
        let reason = match end {
            // Decided by a worker that did not come back, and this one had no time to see it again.
            End::Done(outcome) if outcome.exit == Exit::Unknown && self.has_failed() => {
                "not seen again".to_owned()
            }
            End::Done(outcome) => return outcome,
            End::Told(name) => format!("{TOLD}{name}"),
            End::Gone => parting.text(),
            End::Late | End::Hung(_) => {
                hung.extend(self.page.reading().map(|(_, note)| note));
                format!("{LATE}{} s", self.limit().as_secs_f32())
            }
        };
        let hung = hung.iter().take(SHOWN);
        let hung: String = hung.map(|note| format!("; no answer: {}", note.text)).collect();
        (self.terms.excuse)(&(reason + &hung), self.known)
    }
}

/// How the reason begins where the time was up.
const LATE: &str = "not finished within ";

/// How it begins where a signal told us to end.
const TOLD: &str = "ended by ";

/// Whether a run had to end because a signal said so.
#[must_use]
pub fn was_told(reason: &str) -> bool {
    reason.starts_with(TOLD)
}

/// How many seconds a run had, where it had to end for that; none where the reason is another.
#[must_use]
pub fn time_of_late(reason: &str) -> Option<&str> {
    reason.strip_prefix(LATE)?.split(' ').next()
}

/// Time that stands still while we are stopped: by Ctrl-Z, in a frozen container.
struct Clock {
    started: Instant,
    last: Instant,
    ran: Duration,
}

impl Clock {
    fn start() -> Clock {
        let now = Instant::now();
        Clock {
            started: now,
            last: now,
            ran: Duration::ZERO,
        }
    }

    /// Asked at every tick.
    fn ran(&mut self) -> Duration {
        let now = Instant::now();
        self.ran += (now - self.last).min(STOPPED);
        self.last = now;
        self.ran
    }
}

/// Which of these can be read, within a tick.
fn ready<const N: usize>(files: [BorrowedFd<'_>; N]) -> [bool; N] {
    let tick = Timespec {
        tv_sec: 0,
        tv_nsec: i64::from(TICK.subsec_nanos()),
    };
    let mut files = files.map(|file| PollFd::from_borrowed_fd(file, PollFlags::IN));
    // Where it was interrupted, nothing is ready.
    let count = poll(&mut files, Some(&tick));
    files.map(|file| count.is_ok() && !file.revents().is_empty())
}

fn stat_of(pid: i32) -> Option<Stat> {
    let _raised = raise();
    parse::stat::parse(&std::fs::read(format!("/proc/{pid}/stat")).ok()?)
}
