//! The load in somebody's dialect.

mod details;
mod json;
#[cfg(test)]
mod tests;

use super::human::state;
use super::{Format, Look, capped, escape, unfinished};
use crate::judge::State;
use crate::load::Report;
use crate::outcome::Outcome;
use std::fmt::Write;

/// Writes a report.
#[must_use]
pub fn render(report: &Report, format: Format, look: &Look) -> Vec<u8> {
    let line = first_line(report);
    let word = report.state.word();
    match format {
        Format::Human => format!(
            "{}: {line}\n\n{}",
            state(report.state, look),
            details::text(report)
        ),
        Format::Nagios => capped(format!(
            "LOAD {word}: {line}{}\n{}",
            perfdata(report),
            escape::without_bars(&details::text(report))
        )),
        Format::Json => json::render(report),
        // mon's; metrics are of checks only.
        _ => capped(format!(
            "{word}: {line}\n{}",
            escape::without_bars(&details::text(report))
        )),
    }
    .into_bytes()
}

/// `load high, memory high`. Nothing that moves, and not which of the averages: they rise and fall one after the
/// other, and mon would page for each.
fn first_line(report: &Report) -> String {
    let of_state = |wanted: State| -> Vec<&str> {
        let parts = report.parts().filter(|(_, state)| *state == wanted);
        parts.map(|(name, _)| name).collect()
    };
    let names = of_state(report.state);
    let how = match report.state {
        State::Ok => return format!("{} within limits", names.join(", ")),
        State::Unknown => "unseen",
        State::Warning | State::Critical => "high",
    };
    let parts: Vec<String> = names.iter().map(|name| format!("{name} {how}")).collect();
    parts.join(", ")
}

/// The labels of check_load; what is not known is left out.
fn perfdata(report: &Report) -> String {
    let mut data = String::new();
    if let Ok(found) = &report.load.found {
        let averages = found.averages.iter().zip(&report.load.limits);
        for ((average, limit), minutes) in averages.zip(MINUTES) {
            let _ = write!(data, " load{minutes}={average:.2};;{};0", limit.text);
        }
    }
    if let Some(memory) = &report.memory
        && let Ok(used) = memory.found
    {
        // No sign that somebody's label may not hold.
        let label = memory.measure.word().replace('+', "_");
        let _ = write!(data, " {label}={:.1}%;;{};0;100", used.percent, memory.limit.text);
    }
    if data.is_empty() {
        data
    } else {
        format!(" |{data}")
    }
}

/// Over how many minutes the averages are.
const MINUTES: [u32; 3] = [1, 5, 15];

/// What to say where a run had to end before its report was whole.
#[must_use]
pub fn excuse(format: Format, reason: &str, known: Option<Outcome>) -> Outcome {
    unfinished(format, "LOAD", reason, known, json::excuse)
}
