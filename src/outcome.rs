//! What a command has to say, and how the program ends.

use crate::exit_code::Exit;
use std::fmt::Display;
use std::time::Instant;

/// The end of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// For standard output.
    pub text: Vec<u8>,
    /// The exit code.
    pub exit: Exit,
    /// By when it must be told; none: whoever reads it may take his time.
    pub by: Option<Instant>,
}

impl Outcome {
    /// A text and an exit code.
    pub fn new(text: impl Into<Vec<u8>>, exit: Exit) -> Outcome {
        Outcome {
            text: text.into(),
            exit,
            by: None,
        }
    }

    /// The same in other words.
    #[must_use]
    pub fn reworded(self, text: impl Into<Vec<u8>>) -> Outcome {
        Outcome {
            text: text.into(),
            ..self
        }
    }

    /// The same, to be told by then.
    #[must_use]
    pub fn by(self, by: Option<Instant>) -> Outcome {
        Outcome { by, ..self }
    }

    /// Nothing could be judged: why, as a line of its own.
    pub fn unknown(sentence: impl Display) -> Outcome {
        Outcome::new(format!("UNKNOWN: {sentence}\n"), Exit::Unknown)
    }
}
