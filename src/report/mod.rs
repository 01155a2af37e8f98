//! Verdicts in somebody's dialect: one file a format, pure functions of the report.

mod details;
pub mod diagnostic;
pub mod escape;
mod first_line;
mod human;
mod json;
mod mon;
mod nagios;
#[cfg(test)]
mod tests;

use crate::judge::Report;

/// A dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Human,
    /// mon: a summary line that does not move, then details.
    Mon,
    /// Nagios and its heirs: a status line with performance data, then details.
    Nagios,
    /// For programs, versioned.
    Json,
}

impl Format {
    /// Whether the processes of checks that are OK are told: they are read only where they are.
    #[must_use]
    pub fn tells_of_ok(self, look: &Look) -> bool {
        self == Format::Json || look.verbose
    }
}

/// What a report must know of where it is shown.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Columns.
    pub width: usize,
    /// Whether escape sequences for colour may be written.
    pub color: bool,
    /// Whether checks that are OK are told too.
    pub verbose: bool,
}

/// The most that a plugin writes: mon 1.3.6 breaks on 128 KiB, NRPE cuts at 64 KiB.
pub const LIMIT: usize = 16 << 10;

/// Writes a report.
#[must_use]
pub fn render(report: &Report, format: Format, look: &Look) -> Vec<u8> {
    match format {
        Format::Human => human::render(report, look),
        Format::Mon => capped(mon::render(report, look)),
        Format::Nagios => capped(nagios::render(report, look)),
        Format::Json => json::render(report),
    }
    .into_bytes()
}

/// Cuts at the end of a line, and says so.
fn capped(text: String) -> String {
    if text.len() <= LIMIT {
        return text;
    }
    let room = LIMIT - 40;
    let mut kept = String::new();
    let mut lines = text.lines();
    for line in lines.by_ref() {
        if kept.len() + line.len() + 1 > room {
            let more = lines.count() + 1;
            kept += &format!("... {more} more lines\n");
            break;
        }
        kept += line;
        kept.push('\n');
    }
    kept
}
