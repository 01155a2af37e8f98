//! Results that are handed to a server, which runs no check itself: one for each check, and one for the run. What is
//! written first has no address yet, one result a line: the host and the time are known at the edge, which also has to
//! speak of runs that were never finished.

mod command;
mod icinga2;
mod nsca;

use super::services::{RUN, of_checks, of_run};
use super::{cut, details, escape, first_line, nagios};
use crate::judge::{Report, State, Verdict};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Who takes the results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passive {
    /// `send_nsca`, on its standard input.
    Nsca,
    /// Nagios, in its command file.
    Nagios,
    /// Icinga 2, by its API.
    Icinga2,
}

/// Whose results they are.
#[derive(Clone, Debug)]
pub struct Sender {
    /// What the server calls the host.
    pub host: String,
    /// When the run began, since 1970.
    pub started: Duration,
    /// When it was over.
    pub ended: Duration,
}

/// What a service says.
#[derive(Debug, Deserialize, Serialize)]
struct Said {
    service: String,
    state: u8,
    /// Its lines; none holds a raw sign, a bar or a line break of somebody else's.
    output: String,
    /// Performance data, of the first line.
    data: Option<String>,
}

/// The results, without an address.
pub(super) fn render(report: &Report) -> String {
    let (state, lines) = of_run(report);
    let run = said(RUN.into(), state, lines, None);
    let checks = of_checks(report).into_iter().map(|(service, verdict)| {
        let details = details::of(verdict);
        let lines = [first_line::one(verdict)].into_iter();
        let lines = lines.chain(details.lines().map(str::to_owned)).collect();
        said(service, verdict.state, lines, data(verdict))
    });
    [run].into_iter().chain(checks).map(|said| line(&said)).collect()
}

/// A run that could not be finished, with what was known by then.
pub(super) fn unfinished(known: &str, reason: &str, unknown_is: State) -> String {
    let lines = vec!["not finished".to_owned(), reason.to_owned()];
    let run = said(RUN.into(), unknown_is, lines, None);
    line(&run) + known.split_once('\n').map_or("", |(_, checks)| checks)
}

/// Whether a text is one of results; what a fault inside procward leaves behind is not.
pub(super) fn is_one(text: &str) -> bool {
    !text.is_empty()
        && text
            .lines()
            .all(|line| serde_json::from_str::<Said>(line).is_ok())
}

/// The results as the server takes them, each by itself. That of the run is the last: it vouches for the others, and where
/// not all of them arrive, it must not either.
#[must_use]
pub fn addressed(passive: Passive, results: &[u8], sender: &Sender) -> Vec<String> {
    let encode = match passive {
        Passive::Nsca => nsca::record,
        Passive::Nagios => command::line,
        Passive::Icinga2 => icinga2::body,
    };
    let results = String::from_utf8_lossy(results);
    let said = results.lines().filter_map(|line| serde_json::from_str(line).ok());
    let mut results: Vec<String> = said.map(|said| encode(&said, sender)).collect();
    if !results.is_empty() {
        results.rotate_left(1);
    }
    results
}

fn said(service: String, state: State, mut lines: Vec<String>, data: Option<String>) -> Said {
    if let Some(first) = lines.first_mut() {
        *first = format!("PROCS {}: {first}", state.word());
    }
    Said {
        service,
        state: state.number(),
        output: fitting(&lines),
        data,
    }
}

/// `processes=1;warning;critical;0`; none where the number is not certain.
fn data(verdict: &Verdict) -> Option<String> {
    let certain = verdict.faulty.is_none() && verdict.unknown == 0;
    certain.then(|| {
        let warning = verdict.warning.map(nagios::range).unwrap_or_default();
        let critical = nagios::range(verdict.count);
        format!("processes={};{warning};{critical};0", verdict.matched)
    })
}

/// The most of an output, escaped: with its address a result fits into one write to a FIFO, 4,096 bytes, which none of
/// another writer's can part. NSCA writes them there too.
const ROOM: usize = 3500;

/// As many lines as fit, and how many do not.
fn fitting(lines: &[String]) -> String {
    let mut kept: Vec<String> = Vec::new();
    let mut room = ROOM - 40;
    for (number, line) in lines.iter().enumerate() {
        let line = cut(&escape::without_bars(line), ROOM / 3);
        let length = escaped(&line).len() + 2;
        if length > room {
            kept.push(format!("... {} more lines", lines.len() - number));
            break;
        }
        room -= length;
        kept.push(line);
    }
    kept.join("\n")
}

/// A text in one line, as Nagios reads it back: `\n` is a line break, `\\` a backslash.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n")
}

/// The output, with its performance data on the first line.
fn with_data(said: &Said) -> String {
    let Some(data) = &said.data else {
        return said.output.clone();
    };
    let (first, rest) = match said.output.split_once('\n') {
        Some((first, rest)) => (first, format!("\n{rest}")),
        None => (said.output.as_str(), String::new()),
    };
    format!("{first} | {data}{rest}")
}

fn line(said: &Said) -> String {
    serde_json::to_string(said).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests;
