//! What is known of the terminal, told before the work goes to a worker, which has none.

use crate::report::Look;
use std::io::IsTerminal;

/// Where standard output goes.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// Whether it is a terminal.
    pub is_terminal: bool,
    /// How wide the output is shown; none where nobody says.
    pub columns: Option<usize>,
    color: bool,
}

impl Default for Terminal {
    fn default() -> Terminal {
        Terminal {
            is_terminal: false,
            columns: None,
            color: false,
        }
    }
}

impl Terminal {
    /// Standard output of this process.
    #[must_use]
    pub fn here() -> Terminal {
        let is_terminal = std::io::stdout().is_terminal();
        let said = std::env::var("COLUMNS")
            .ok()
            .and_then(|columns| columns.parse().ok());
        // Some terminals say 0, and in fewer than 20 columns nothing can be laid out.
        let columns = said
            .filter(|columns| *columns > 0)
            .or_else(width)
            .map(|columns: usize| columns.clamp(20, 1000));
        Terminal {
            is_terminal,
            columns,
            color: is_terminal && color_wanted(),
        }
    }

    /// What a report needs to know of it.
    #[must_use]
    pub fn look(self, verbose: bool) -> Look {
        Look {
            width: self.columns.unwrap_or(80),
            color: self.color,
            verbose,
        }
    }
}

/// Whether the environment allows colour.
#[must_use]
pub fn color_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

fn width() -> Option<usize> {
    rustix::termios::tcgetwinsize(std::io::stdout())
        .ok()
        .map(|size| usize::from(size.ws_col))
        .filter(|width| *width > 0)
}
