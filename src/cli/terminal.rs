//! What is known of the terminal, told before the work goes to a worker, which has none.

use crate::outcome::Outcome;
use crate::report::wrap::wrap;
use crate::report::{Caller, Look, Perfdata};
use std::io::IsTerminal;

/// Where standard output goes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terminal {
    /// Whether it is a terminal.
    pub is_terminal: bool,
    /// How wide it is shown: COLUMNS, or what the terminal says; none where nobody says.
    pub columns: Option<usize>,
    color: bool,
}

impl Terminal {
    /// Standard output of this process.
    #[must_use]
    pub fn here() -> Terminal {
        let is_terminal = std::io::stdout().is_terminal();
        Terminal {
            is_terminal,
            columns: columns(),
            color: is_terminal && color_wanted(),
        }
    }

    /// What a report needs to know of it.
    #[must_use]
    pub fn look(self, verbose: bool) -> Look {
        Look {
            width: self.columns,
            color: self.color,
            verbose,
            perfdata: Perfdata::default(),
            caller: Caller::NONE,
        }
    }
}

/// A text for people, its lines broken between words where a width is known; in a pipe a line stays a line.
pub(super) fn laid_out(outcome: Outcome) -> Outcome {
    let Some(width) = Terminal::here().columns else {
        return outcome;
    };
    let text = wrap(&String::from_utf8_lossy(&outcome.text), width);
    outcome.reworded(text)
}

/// Some terminals say 0; in fewer than 20 columns nothing can be laid out.
fn columns() -> Option<usize> {
    let said = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok());
    let terminal = || {
        let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
        Some(usize::from(size.ws_col))
    };
    said.filter(|columns| *columns > 0)
        .or_else(terminal)
        .filter(|columns| *columns > 0)
        .map(|columns| columns.clamp(20, 1000))
}

/// Whether the environment allows colour.
#[must_use]
pub fn color_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}
