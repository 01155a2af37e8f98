//! A fault in what a user wrote: where, what, and what to write instead.

/// One fault. The place is a range of bytes of the text that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// First byte of the faulty place.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to write instead; may be empty.
    pub help: String,
}

impl Fault {
    /// A fault at `place`.
    pub fn new(place: std::ops::Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Fault {
        Fault {
            start: place.start,
            end: place.end,
            message: message.into(),
            help: help.into(),
        }
    }
}
