//! Verdicts in somebody's dialect: one file a format, pure functions of the report.

pub mod audit;
mod checkmk;
mod collectd;
mod details;
pub mod diagnostic;
pub mod escape;
mod first_line;
mod human;
mod json;
pub mod load;
mod mon;
mod nagios;
pub mod passive;
mod prometheus;
mod services;
pub mod snmp;
#[cfg(test)]
mod tests;
mod unique;
pub mod wrap;
mod zabbix;

use crate::exit_code::Exit;
use crate::judge::{Report, State};
use crate::outcome::Outcome;
use crate::select::{EVIDENCE_FILES, File};
use passive::Passive;
pub use zabbix::discovery;

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
    /// Metrics, of checks only.
    Prometheus,
    /// Services of Checkmk's agent, of checks only.
    Checkmk,
    /// Results that are handed to a server, of checks only.
    Passive(Passive),
    /// The checks themselves, for Zabbix's low-level discovery.
    ZabbixLld,
    /// Values for collectd, of checks only.
    Collectd,
    /// The table that SNMP serves.
    Snmp,
}

impl Format {
    /// Every one.
    pub const ALL: [Format; 12] = [
        Format::Human,
        Format::Mon,
        Format::Nagios,
        Format::Json,
        Format::Prometheus,
        Format::Checkmk,
        Format::Passive(Passive::Nsca),
        Format::Passive(Passive::Nagios),
        Format::Passive(Passive::Icinga2),
        Format::ZabbixLld,
        Format::Collectd,
        Format::Snmp,
    ];

    /// What is told of the processes of checks that are OK, and so is read.
    #[must_use]
    pub fn tells_of_ok(self, look: &Look) -> &'static [File] {
        match self {
            Format::Prometheus => &[File::Stat, File::Fds],
            Format::Json | Format::Checkmk | Format::Passive(_) => &EVIDENCE_FILES,
            _ if look.verbose => &EVIDENCE_FILES,
            Format::Nagios if look.perfdata != Perfdata::default() => &[File::Stat],
            _ => &[],
        }
    }
}

/// What a report must know of where it is shown.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Columns; none in a pipe, where nothing is cut.
    pub width: Option<usize>,
    /// Whether escape sequences for colour may be written.
    pub color: bool,
    /// Whether checks that are OK are told too.
    pub verbose: bool,
    /// What performance data tells of each check.
    pub perfdata: Perfdata,
    /// Who asked.
    pub caller: Caller,
}

impl Look {
    /// What a program reads: all of it, and nothing beside it.
    pub const PIPE: Look = Look {
        width: None,
        color: false,
        verbose: false,
        perfdata: Perfdata::COUNT,
        caller: Caller::NONE,
    };
}

/// What collectd says of itself to programs that it starts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Caller {
    /// What it calls this host.
    pub host: Option<&'static str>,
    /// Seconds from value to value.
    pub interval: Option<&'static str>,
}

impl Caller {
    /// It says nothing.
    pub const NONE: Caller = Caller {
        host: None,
        interval: None,
    };
}

/// What performance data tells of the processes of a check beside their count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Perfdata {
    /// Seconds of CPU over their lives, a counter.
    pub cpu: bool,
    /// Resident memory, bytes.
    pub memory: bool,
}

impl Perfdata {
    /// Their count alone.
    pub const COUNT: Perfdata = Perfdata {
        cpu: false,
        memory: false,
    };
}

/// The most that a plugin writes: mon 1.3.6 breaks on 128 KiB, NRPE cuts at 64 KiB.
pub const LIMIT: usize = 16 << 10;

/// Writes a report.
#[must_use]
pub fn render(report: &Report, format: Format, look: &Look) -> Vec<u8> {
    match format {
        Format::Human => human::render(report, look),
        Format::Mon => capped(escape::without_bars(&mon::render(report, look))),
        Format::Nagios => capped(nagios::render(report, look)),
        Format::Json => json::render(report),
        Format::Prometheus => prometheus::render(report),
        Format::Checkmk => checkmk::render(report),
        Format::Passive(_) => passive::render(report),
        Format::ZabbixLld => return discovery(report).text,
        Format::Collectd => collectd::render(report, look.caller),
        Format::Snmp => snmp::render(report),
    }
    .into_bytes()
}

/// The state and what fails, in one line.
#[must_use]
pub fn one_line(report: &Report) -> String {
    let line = format!("{}: {}\n", report.state.word(), first_line::text(report));
    capped(escape::without_bars(&line))
}

/// The most of one line after the first: one long note must not take the room of all others.
const LINE: usize = 1000;

/// What a plugin may write of a text: long lines are cut, and what is too much after them, and said so. The first
/// line is only cut where it alone is too much.
#[must_use]
pub fn capped(text: String) -> String {
    if text.len() <= LIMIT && text.lines().skip(1).all(|line| line.len() <= LINE) {
        return text;
    }
    let room = LIMIT - 40;
    let mut kept = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = cut(line, if kept.is_empty() { room / 2 } else { LINE });
        if kept.len() + line.len() + 1 > room {
            kept += &format!("... {} more lines\n", lines.count() + 1);
            break;
        }
        kept += &line;
        kept.push('\n');
    }
    kept
}

/// What to say where a run had to end before its verdict. What was known by then stays: what was not decided is UNKNOWN
/// there. The reason may move from run to run, so it is not in the first line. `unknown_is`: what a plugin that can't
/// tell is to say.
#[must_use]
pub fn excuse(format: Format, reason: &str, known: Option<Outcome>, unknown_is: State) -> Outcome {
    let reason = reason_in(format, reason);
    let tag = if format == Format::Nagios { "PROCS " } else { "" };
    let (text, exit) = match known.filter(|known| known.exit != Exit::Ok) {
        Some(known) => (String::from_utf8_lossy(&known.text).into_owned(), known.exit),
        None if format == Format::Json => (json::nothing(), Exit::Unknown),
        None if has_services(format) || format == Format::Snmp => (String::new(), Exit::Unknown),
        None if format == Format::Prometheus => (prometheus::nothing(), Exit::Unknown),
        None => {
            let text = format!("{tag}{}: not finished\n", unknown_is.word());
            (text, Exit::from(unknown_is))
        }
    };
    let text = match format {
        Format::Json => json::with_remark(&text, &reason),
        Format::Prometheus => prometheus::with_remark(&text, &reason),
        Format::Checkmk => checkmk::unfinished(&text, &reason, unknown_is),
        Format::Passive(_) => passive::unfinished(&text, &reason, unknown_is),
        Format::Snmp => snmp::unfinished(&text, &reason),
        _ => {
            let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
            format!("{first}\n{reason}\n{rest}")
        }
    };
    let text = match format {
        Format::Mon | Format::Nagios => capped(text),
        _ => text,
    };
    Outcome::new(text, exit)
}

/// Whether the states are told by services, of which one is the run's.
fn has_services(format: Format) -> bool {
    matches!(format, Format::Checkmk | Format::Passive(_))
}

/// How a run ends in a dialect. Where services tell the states, it ends 0 whatever they are; what is no service becomes
/// one, so that it is seen.
#[must_use]
pub fn ended(format: Format, outcome: Outcome) -> Outcome {
    if !has_services(format) {
        return outcome;
    }
    let text = String::from_utf8_lossy(&outcome.text).into_owned();
    let lines = text.lines().map(|line| escape::text(line.as_bytes()));
    let reason = lines.collect::<Vec<_>>().join("; ");
    let text = match format {
        Format::Passive(_) if !passive::is_one(&text) => passive::unfinished("", &reason, State::Unknown),
        Format::Checkmk if !checkmk::is_one(&text) => checkmk::unfinished("", &reason, State::Unknown),
        _ => text,
    };
    Outcome::new(text, Exit::Ok).by(outcome.by)
}

/// What to say where a run had to end before a report that is not of checks was whole. A failure that was known by then
/// stays one. `tag`: what stands before the state in the first line of a plugin.
fn unfinished(
    format: Format,
    tag: &str,
    reason: &str,
    known: Option<Outcome>,
    in_json: impl Fn(&str) -> String,
) -> Outcome {
    let reason = reason_in(format, reason);
    if let Some(mut known) = known.filter(|known| matches!(known.exit, Exit::Critical | Exit::Warning)) {
        if format != Format::Json {
            known.text.extend_from_slice(format!("{reason}\n").as_bytes());
        }
        return known;
    }
    let text = match format {
        Format::Json => in_json(&reason),
        Format::Nagios => format!("{tag} UNKNOWN: not finished\n{reason}\n"),
        _ => format!("UNKNOWN: not finished\n{reason}\n"),
    };
    Outcome::new(text, Exit::Unknown)
}

/// Why a run had to end, in the characters of a dialect.
fn reason_in(format: Format, reason: &str) -> String {
    let reason = escape::text(reason.as_bytes());
    match format {
        Format::Mon | Format::Nagios => escape::without_bars(&reason),
        _ => reason,
    }
}

/// At most so many bytes of a line.
fn cut(line: &str, limit: usize) -> String {
    if line.len() <= limit {
        line.to_owned()
    } else {
        let end = (0..=limit - 3).rev().find(|at| line.is_char_boundary(*at));
        format!("{}...", &line[..end.unwrap_or(0)])
    }
}
