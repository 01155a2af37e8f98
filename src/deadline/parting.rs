//! The end of a worker: it ends by itself, is killed, or stays behind where no signal reaches it.

use nix::sys::signal::Signal;
use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions, WaitStatus, kill_process, waitpid};
use std::time::{Duration, Instant};

/// How long its end is waited for.
const FAREWELL: Duration = Duration::from_millis(100);

/// How a worker was parted from.
pub(super) enum Parting {
    /// It ended; by this signal, if that is known.
    Ended(Option<i32>),
    /// It is still there.
    StaysBehind,
}

/// Waits for its end. `ends`: it has begun to, and its pipe is closed already; that may still wait, for a server that is
/// to be told that a file is closed. Else it is killed.
pub(super) fn part(worker: Pid, ends: bool) -> Parting {
    if !ends {
        let _ = kill_process(worker, rustix::process::Signal::KILL);
    }
    let began = Instant::now();
    let mut pause = Duration::from_micros(20);
    loop {
        match waitpid(Some(worker), WaitOptions::NOHANG) {
            Ok(Some((_, status))) => return Parting::Ended(WaitStatus::terminating_signal(status)),
            Ok(None) | Err(Errno::INTR) if began.elapsed() < FAREWELL => {
                std::thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(5));
            }
            Ok(None) | Err(Errno::INTR) => return Parting::StaysBehind,
            // Whoever started us ignores the ends of his children, and so do we.
            Err(_) => return Parting::Ended(None),
        }
    }
}

impl Parting {
    /// Of a worker that said no last word: the OOM killer took it, say.
    pub(super) fn text(&self) -> String {
        let signal = match self {
            Parting::Ended(signal) => *signal,
            Parting::StaysBehind => None,
        };
        match signal.and_then(|number| Signal::try_from(number).ok()) {
            Some(name) => format!("the worker was killed by {name}"),
            None => "the worker ended without a word".into(),
        }
    }
}
