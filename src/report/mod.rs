//! Verdicts in somebody's dialect: one file a format, pure functions of the report.

mod details;
pub mod escape;
mod first_line;
mod human;
mod json;
pub mod load;
mod mon;
mod nagios;
#[cfg(test)]
mod tests;

use crate::exit_code::Exit;
use crate::judge::Report;
use crate::outcome::Outcome;

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

/// What to say where a run had to end before its verdict. What was known by then is kept where it was CRITICAL, for
/// that stays so whatever else would have come; else the run is UNKNOWN. The reason may move from run to run, so it is
/// not in the first line.
#[must_use]
pub fn excuse(format: Format, reason: &str, known: Option<Outcome>) -> Outcome {
    let reason = escape::text(reason.as_bytes());
    if let Some(mut known) = known.filter(|known| known.exit == Exit::Critical) {
        if format != Format::Json {
            known.text.extend_from_slice(format!("{reason}\n").as_bytes());
        }
        return known;
    }
    let tag = if format == Format::Nagios { "PROCS " } else { "" };
    let text = match format {
        Format::Json => json::excuse(&reason),
        _ => format!("{tag}UNKNOWN: not finished\n{reason}\n"),
    };
    Outcome::new(text, Exit::Unknown)
}
