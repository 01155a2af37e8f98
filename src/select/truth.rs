//! Three-valued truth, and the fourth answer that a plan needs: "not read yet".

use super::{File, Key};
use crate::snapshot::Why;

/// Whether a term, or all terms, hold for a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    Yes,
    /// It does not.
    No,
    /// It can't be told: this key could not be read, for this reason.
    Unknown(Key, Why),
    /// Something must be read first.
    Pending(Need),
}

/// What must be read before a term can be decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A file of the process itself.
    File(File),
    /// The other processes: the pass over `/proc` must be finished.
    Crowd,
    /// A file of another process.
    Of(i32, File),
    /// An earlier look: a rate is between two.
    Past,
}

impl Truth {
    /// The opposite: `!=` is exactly "not `=`". Unknown stays.
    #[must_use]
    pub fn negate(self) -> Truth {
        match self {
            Truth::Yes => Truth::No,
            Truth::No => Truth::Yes,
            other => other,
        }
    }

    /// Yes or no.
    #[must_use]
    pub fn of(holds: bool) -> Truth {
        if holds { Truth::Yes } else { Truth::No }
    }

    /// Kleene's *and*: no beats pending beats unknown beats yes. Pending beats unknown because what is still
    /// to be read may yet say no.
    #[must_use]
    pub fn and(self, other: Truth) -> Truth {
        match (self, other) {
            (Truth::No, _) | (_, Truth::No) => Truth::No,
            (Truth::Pending(a), Truth::Pending(b)) => Truth::Pending(cheaper(a, b)),
            (Truth::Pending(need), _) | (_, Truth::Pending(need)) => Truth::Pending(need),
            (Truth::Unknown(key, why), _) | (_, Truth::Unknown(key, why)) => Truth::Unknown(key, why),
            (Truth::Yes, Truth::Yes) => Truth::Yes,
        }
    }

    /// Kleene's *or*: yes beats pending beats unknown beats no.
    #[must_use]
    pub fn or(self, other: Truth) -> Truth {
        self.negate().and(other.negate()).negate()
    }
}

/// The need that costs less to meet; one's own file comes before anything about others.
#[must_use]
pub fn cheaper(a: Need, b: Need) -> Need {
    match (a, b) {
        (Need::File(x), Need::File(y)) => Need::File(x.min(y)),
        (Need::File(_), _) => a,
        (_, Need::File(_)) => b,
        (Need::Of(..), _) | (_, Need::Past) => a,
        _ => b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNKNOWN: Truth = Truth::Unknown(Key::Exe, Why::Denied);

    #[test]
    fn no_beats_unknown_beats_yes_in_and() {
        assert_eq!(Truth::No.and(UNKNOWN), Truth::No);
        assert_eq!(UNKNOWN.and(Truth::Yes), UNKNOWN);
        assert_eq!(Truth::Yes.and(Truth::Yes), Truth::Yes);
    }

    #[test]
    fn yes_beats_unknown_beats_no_in_or() {
        assert_eq!(UNKNOWN.or(Truth::Yes), Truth::Yes);
        assert_eq!(Truth::No.or(UNKNOWN), UNKNOWN);
    }

    #[test]
    fn what_is_unread_may_still_say_no_so_it_beats_unknown() {
        let pending = Truth::Pending(Need::File(File::Status));
        assert_eq!(UNKNOWN.and(pending), pending);
        assert_eq!(Truth::No.and(pending), Truth::No);
    }

    #[test]
    fn the_opposite_of_unknown_is_unknown() {
        assert_eq!(UNKNOWN.negate(), UNKNOWN);
    }
}
