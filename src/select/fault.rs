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

/// The nearest boundary of a character at or before `at`.
#[must_use]
pub fn boundary(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
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

    /// Line and column of its place, both from 1; none in an empty text, which has no places.
    #[must_use]
    pub fn line_and_column(&self, text: &str) -> Option<(usize, usize)> {
        if text.is_empty() {
            return None;
        }
        let start = boundary(text, self.start);
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.matches('\n').count() + 1;
        Some((line, before[line_start..].chars().count() + 1))
    }
}
