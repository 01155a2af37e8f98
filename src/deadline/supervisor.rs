//! The program that was started: it forks a worker, and waits.

use super::fork::{Side, shared_page, split};
use super::leftover::Tag;
use super::notes::{Hung, LIMIT, Notes, pid_in};
use super::page::Page;
use super::papers::Papers;
use crate::outcome::Outcome;
use crate::parse;
use crate::snapshot::Stat;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags, open};
use rustix::process::{Pid, PidfdFlags, WaitOptions, kill_process, pidfd_open, waitpid};
use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

/// What ends a run before its worker does.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// How long the run may take; where it is not told, 8 s or what the configuration asks for.
    pub limit: Option<Duration>,
    /// What to say in place of a verdict, and with what was known by then.
    pub excuse: &'a dyn Fn(&str, Option<Outcome>) -> Outcome,
}

/// A read that takes longer is taken for one that never comes back.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often the page is looked at.
const TICK: Duration = Duration::from_millis(50);
/// How long a killed worker is waited for.
const FAREWELL: Duration = Duration::from_millis(100);
/// When so little is left, nothing that could hang is tried any more.
const LAST_CALL: Duration = Duration::from_millis(1500);
/// So many processes of one user that do not answer are no accident: none of his is waited for after that.
const ENOUGH: usize = 3;

/// Why waiting ended.
enum End {
    /// The worker ended; nothing but its papers tells how well.
    Gone,
    /// A read did not come back.
    Hung(String),
    /// The time is up.
    Late,
    /// A signal told us to end.
    Told(&'static str),
}

/// Runs `work` in a worker, as often as need be. `None`: this is a worker, and has nothing to say any more.
pub fn supervise(terms: Terms<'_>, work: &dyn Fn(Notes) -> Outcome) -> Option<Outcome> {
    let started = Instant::now();
    let prepared = || -> Option<(&'static Page, &'static Papers, SignalFd)> {
        let page = shared_page().ok()?;
        let papers = Papers::new().ok()?;
        let signals = signals()?;
        Some((page, Box::leak(Box::new(papers)), signals))
    };
    let Some((page, papers, signals)) = prepared() else {
        return Some(work(Notes::none()));
    };
    let rights = capabilities(None).ok();
    let mut hung: Vec<Hung> = Vec::new();
    let mut owners: Vec<u32> = Vec::new();
    loop {
        let tag = Tag::new();
        let worker = match split() {
            Ok(Side::Worker) => {
                restore_rights(rights);
                leave_terminal();
                let notes = Notes::of(page, papers, hung, started, terms.limit);
                let outcome = work(notes);
                // If even this fails, the supervisor finds no last word and says so.
                let _ = papers.publish(page, &outcome, true);
                return None;
            }
            Ok(Side::Supervisor(worker)) => worker,
            // No process to be had: better a verdict without a guard than none.
            Err(_) => return Some(work(Notes::none())),
        };
        drop_rights();
        let limit = || {
            terms
                .limit
                .or_else(|| page.limit().map(Duration::from_millis))
                .unwrap_or(LIMIT)
        };
        let what = match wait(worker, page, &signals, &|| started + limit()) {
            End::Gone => return Some(last_word(worker, page, papers, terms)),
            End::Told(name) => {
                farewell(worker);
                return Some((terms.excuse)(&format!("ended by {name}"), known(page, papers)));
            }
            End::Late => {
                let reading = page.reading().map(|_| shown(page));
                farewell(worker);
                let reason = format!("no answer within {} s", limit().as_secs_f32());
                let reason = reading.map_or(reason.clone(), |what| format!("{reason}, last from {what}"));
                return Some((terms.excuse)(&reason, known(page, papers)));
            }
            End::Hung(what) => what,
        };
        if !farewell(worker)
            && let Some(start) = pid_in(&what).and_then(start_of)
        {
            tag.name(&what, start, worker.as_raw_nonzero().get());
        }
        page.rest();
        if let Some(owner) = pid_in(&what).and_then(owner_of) {
            owners.push(owner);
            if owners.iter().filter(|known| **known == owner).count() == ENOUGH {
                hung.push(Hung::Owner(owner));
            }
        }
        hung.push(Hung::What(what));
        if started.elapsed() + LAST_CALL > limit() {
            hung.push(Hung::All);
        }
    }
}

fn signals() -> Option<SignalFd> {
    let mut set = SigSet::empty();
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        set.add(signal);
    }
    set.thread_block().ok()?;
    SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK).ok()
}

/// Waits for the worker, a signal, or a read that does not come back.
fn wait(worker: Pid, page: &Page, signals: &SignalFd, deadline: &dyn Fn() -> Instant) -> End {
    let Ok(pidfd) = pidfd_open(worker, PidfdFlags::empty()) else {
        return wait_blindly(worker, page, deadline);
    };
    let mut stuck: Option<(u64, Instant)> = None;
    loop {
        match watch(&pidfd, signals) {
            Some(end) => return end,
            None if Instant::now() >= deadline() => return End::Late,
            None => {}
        }
        if let Some(what) = hangs(page, worker, &mut stuck) {
            return End::Hung(what);
        }
    }
}

/// One tick: whether the worker or a signal ended it.
fn watch(pidfd: &OwnedFd, signals: &SignalFd) -> Option<End> {
    let tick = Timespec {
        tv_sec: 0,
        tv_nsec: i64::from(TICK.subsec_nanos()),
    };
    let mut ready = [
        PollFd::new(pidfd, PollFlags::IN),
        PollFd::from_borrowed_fd(signals.as_fd(), PollFlags::IN),
    ];
    let _ = poll(&mut ready, Some(&tick));
    if ready[0].revents().contains(PollFlags::IN) {
        return Some(End::Gone);
    }
    if ready[1].revents().contains(PollFlags::IN) {
        let number = signals.read_signal().ok().flatten().map(|info| info.ssi_signo);
        let name = number
            .and_then(|number| Signal::try_from(i32::try_from(number).ok()?).ok())
            .map_or("a signal", Signal::as_str);
        return Some(End::Told(name));
    }
    None
}

/// Before Linux 5.3 there is no pidfd_open(2).
fn wait_blindly(worker: Pid, page: &Page, deadline: &dyn Fn() -> Instant) -> End {
    let mut stuck = None;
    let mut pause = Duration::from_millis(1);
    while Instant::now() < deadline() {
        if is_gone(worker) {
            return End::Gone;
        }
        if let Some(what) = hangs(page, worker, &mut stuck) {
            return End::Hung(what);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(TICK);
    }
    End::Late
}

/// What has been read for too long now. A worker that could run, and is not let by a busy host, does not hang.
fn hangs(page: &Page, worker: Pid, stuck: &mut Option<(u64, Instant)>) -> Option<String> {
    let Some(turn) = page.reading() else {
        *stuck = None;
        return None;
    };
    match stuck {
        Some((known, since)) if *known == turn => {
            (since.elapsed() >= PATIENCE && sleeps(worker)).then(|| shown(page))
        }
        _ => {
            *stuck = Some((turn, Instant::now()));
            None
        }
    }
}

fn sleeps(worker: Pid) -> bool {
    stat_of(worker.as_raw_nonzero().get()).is_none_or(|stat| stat.state != b'R')
}

fn shown(page: &Page) -> String {
    String::from_utf8_lossy(&page.what()).into_owned()
}

/// Whether it is dead; without waiting, and without taking its status away.
fn is_gone(worker: Pid) -> bool {
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    !matches!(waitid(WaitId::Pid(worker), options), Ok(None))
}

/// Kills a worker. False: it stays behind, where no signal reaches it.
fn farewell(worker: Pid) -> bool {
    let _ = kill_process(worker, rustix::process::Signal::KILL);
    let end = Instant::now() + FAREWELL;
    loop {
        match waitpid(Some(worker), WaitOptions::NOHANG) {
            Ok(None) if Instant::now() < end => std::thread::sleep(Duration::from_millis(2)),
            Ok(None) => return false,
            _ => return true,
        }
    }
}

/// What a worker left that ended by itself, or was killed by somebody else: the OOM killer, say.
fn last_word(worker: Pid, page: &Page, papers: &Papers, terms: Terms<'_>) -> Outcome {
    let status = waitpid(Some(worker), WaitOptions::empty()).ok().flatten();
    match papers.read(page) {
        Some((outcome, true)) => outcome,
        other => {
            let signal = status
                .and_then(|(_, status)| status.terminating_signal())
                .and_then(|number| Signal::try_from(number).ok());
            let reason = signal.map_or_else(
                || "the worker ended without a word".to_owned(),
                |signal| format!("the worker was killed by {}", signal.as_str()),
            );
            (terms.excuse)(&reason, other.map(|(outcome, _)| outcome))
        }
    }
}

fn known(page: &Page, papers: &Papers) -> Option<Outcome> {
    papers.read(page).map(|(outcome, _)| outcome)
}

fn stat_of(pid: i32) -> Option<Stat> {
    parse::stat::parse(&std::fs::read(format!("/proc/{pid}/stat")).ok()?)
}

fn start_of(pid: i32) -> Option<u64> {
    stat_of(pid).map(|stat| stat.starttime)
}

fn owner_of(pid: i32) -> Option<u32> {
    Some(std::fs::metadata(format!("/proc/{pid}")).ok()?.uid())
}

/// A worker that stays behind must hold nothing that somebody waits for: mon and Nagios wait for the end of standard
/// output, a shell for its job. It dies with its supervisor.
fn leave_terminal() {
    let _ = rustix::process::setsid();
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    if let Ok(null) = open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()) {
        let _ = rustix::stdio::dup2_stdin(&null);
        let _ = rustix::stdio::dup2_stdout(&null);
        let _ = rustix::stdio::dup2_stderr(&null);
    }
    let _ = SigSet::all().thread_unblock();
}

/// The supervisor only waits and needs no capability for it; the permitted ones stay, for the next worker.
fn drop_rights() {
    if let Ok(mut sets) = capabilities(None)
        && !sets.effective.is_empty()
    {
        sets.effective = CapabilitySet::empty();
        let _ = set_capabilities(None, sets);
    }
}

/// The worker has what the program was started with.
fn restore_rights(rights: Option<CapabilitySets>) {
    if let Some(sets) = rights.filter(|sets| !sets.effective.is_empty()) {
        let _ = set_capabilities(None, sets);
    }
}
