//! Every exit code, in one place.

use crate::judge::State;
use std::process::ExitCode;

/// How a run ends. Nothing but a verdict ends 1 or 2: usage, configuration and internal errors are 3. (Under the name of
/// check_procs, 2 is also that its time was up.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: everything is as wanted, or help was asked for.
    Ok,
    /// 1: WARNING, or a failure under the name of a monitor that knows only 0 and 1.
    Warning,
    /// 2: CRITICAL.
    Critical,
    /// 3: UNKNOWN, wrong usage, bad configuration, an internal fault.
    Unknown,
}

impl Exit {
    /// The number.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Exit::Ok => 0,
            Exit::Warning => 1,
            Exit::Critical => 2,
            Exit::Unknown => 3,
        }
    }

    /// Of a monitor that knows only 0 and 1. That something can't be told is neither, and mon takes 3 for a failure too.
    #[must_use]
    pub fn of_monitor(state: State) -> Exit {
        match state {
            State::Ok => Exit::Ok,
            State::Warning | State::Critical => Exit::Warning,
            State::Unknown => Exit::Unknown,
        }
    }
}

impl From<State> for Exit {
    fn from(state: State) -> Exit {
        match state {
            State::Ok => Exit::Ok,
            State::Warning => Exit::Warning,
            State::Critical => Exit::Critical,
            State::Unknown => Exit::Unknown,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}
