//! What a command has to say, and how the program ends.

use crate::exit_code::Exit;
use std::fmt::Display;

/// The end of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// For standard output.
    pub text: Vec<u8>,
    /// The exit code.
    pub exit: Exit,
}

impl Outcome {
    /// A text and an exit code.
    pub fn new(text: impl Into<Vec<u8>>, exit: Exit) -> Outcome {
        Outcome {
            text: text.into(),
            exit,
        }
    }

    /// Nothing could be judged: why, as a line of its own.
    pub fn unknown(sentence: impl Display) -> Outcome {
        Outcome::new(format!("UNKNOWN: {sentence}\n"), Exit::Unknown)
    }
}
