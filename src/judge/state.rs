//! The four states of a check.

/// A state, as monitoring plugins know them. There is no `Ord`: the numeric order is not the order of badness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// As wanted.
    Ok,
    /// Not as wanted, mildly.
    Warning,
    /// Not as wanted.
    Critical,
    /// It can't be told.
    Unknown,
}

impl State {
    /// OK, WARNING, CRITICAL or UNKNOWN.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            State::Ok => "OK",
            State::Warning => "WARNING",
            State::Critical => "CRITICAL",
            State::Unknown => "UNKNOWN",
        }
    }

    /// The number that monitoring plugins end with, and metrics show.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            State::Ok => 0,
            State::Warning => 1,
            State::Critical => 2,
            State::Unknown => 3,
        }
    }

    /// How bad: CRITICAL, UNKNOWN, WARNING, OK, worst first.
    #[must_use]
    pub fn badness(self) -> u8 {
        match self {
            State::Ok => 0,
            State::Warning => 1,
            State::Unknown => 2,
            State::Critical => 3,
        }
    }

    /// The worse of two.
    #[must_use]
    pub fn worst(self, other: State) -> State {
        if other.badness() > self.badness() {
            other
        } else {
            self
        }
    }
}
