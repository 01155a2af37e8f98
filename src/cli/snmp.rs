//! `procward snmp`: what snmpd starts by `pass_persist` in its configuration, and asks for one cell after the other:
//! `PING`, or `get`, `getnext` or `set` and an OID in the next line. snmpd answers nobody while it waits.

use super::arguments::{CONFIG, CONFIG_AT_LENGTH, CheckFormatName, STATE, STATE_AT_LENGTH, ViewArguments};
use super::check::CheckCommand;
use super::deliver::write_all;
use super::supervised::supervised;
use crate::deadline::was_told;
use crate::exit_code::Exit;
use crate::judge::State;
use crate::outcome::Outcome;
use crate::report::snmp::{Cell, Table};
use crate::report::{Format, excuse};
use crate::select::parse_window;
use clap::Args;
use rustix::process::{WaitOptions, wait};
use std::cell::Cell as Flag;
use std::io::{BufRead, Read};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long a look may take: snmpget asks again after a second, and gives up after six.
const PATIENCE: Duration = Duration::from_secs(2);
/// A longer line is no request.
const LINE: u64 = 4096;

/// The arguments of `snmp`.
#[derive(Clone, Args, Debug)]
pub struct SnmpCommand {
    /// Whose checks are served.
    #[arg(long, value_name = "FILE", help = CONFIG, long_help = CONFIG_AT_LENGTH)]
    pub config: Option<PathBuf>,
    /// What is remembered of earlier looks.
    #[arg(long, value_name = "FILE", help = STATE, long_help = STATE_AT_LENGTH)]
    pub state: Option<PathBuf>,
    /// For how long a failure is pending [default: 5s]
    ///
    /// For how long a failure is pending, as the state file remembers: snmpd can't wait for a restart. Without it 5 s, or what
    /// the configuration says
    #[arg(long, value_name = "TIME", value_parser = parse_window)]
    pub recheck: Option<Duration>,
    /// For how long one look answers
    ///
    /// For how long one look answers: a walk asks for one cell after the other
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = parse_window)]
    pub keep: Duration,
}

/// What is asked for.
enum Request {
    Ping,
    Get(String),
    Next(String),
    Set,
    Nonsense,
}

impl SnmpCommand {
    /// Answers until nobody asks any more. `None`: this is a worker that has told its supervisor.
    pub(super) fn serve(self, view: ViewArguments) -> Option<Outcome> {
        let check = CheckCommand {
            config: self.config,
            state: self.state,
            recheck: self.recheck,
            pending: true,
            format: Some(CheckFormatName::Snmp),
            ..CheckCommand::default()
        };
        let view = ViewArguments {
            timeout: view.timeout.or(Some(PATIENCE)),
            ..view
        };
        let end = Some(Outcome::new("", Exit::Ok));
        let mut input = std::io::stdin().lock();
        let mut seen: Option<(Instant, Table)> = None;
        while let Some(request) = request(&mut input) {
            let asks = matches!(request, Request::Get(_) | Request::Next(_));
            if asks && seen.as_ref().is_none_or(|(at, _)| at.elapsed() >= self.keep) {
                let told = Flag::new(false);
                let before = seen.take().map(|(_, table)| table).unwrap_or_default();
                let text = look(&check, view.clone(), &told)?;
                if told.get() {
                    return end;
                }
                seen = Some((Instant::now(), Table::read(&text, &before)));
            }
            let table = seen.as_ref().map(|(_, table)| table);
            let said = |cell: Option<Cell>| cell.map_or_else(|| "NONE\n".into(), |cell| cell.to_string());
            let answer = match request {
                Request::Ping => "PONG\n".into(),
                Request::Set => "not-writable\n".into(),
                Request::Get(oid) => said(table.and_then(|table| table.get(&oid))),
                Request::Next(oid) => said(table.and_then(|table| table.next(&oid))),
                Request::Nonsense => said(None),
            };
            if write_all(std::io::stdout(), answer.as_bytes()).is_err() {
                break;
            }
        }
        end
    }
}

/// One look, by a worker that is given up where it does not come back. `told`: whether a signal told us to end.
fn look(check: &CheckCommand, view: ViewArguments, told: &Flag<bool>) -> Option<String> {
    let excuse = |reason: &str, known| {
        told.set(was_told(reason));
        excuse(Format::Snmp, reason, known, State::Unknown)
    };
    let outcome = supervised(view, &excuse, &|view| check.clone().run(view))?;
    // Workers of earlier looks that have come back from where they hung.
    while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
    Some(String::from_utf8_lossy(&outcome.text).into_owned())
}

fn request(input: &mut impl BufRead) -> Option<Request> {
    let command = line(input)?;
    Some(match command.trim().to_ascii_lowercase().as_str() {
        "ping" => Request::Ping,
        "get" => Request::Get(line(input)?),
        "getnext" => Request::Next(line(input)?),
        "set" => {
            let _ = (line(input)?, line(input)?);
            Request::Set
        }
        _ => Request::Nonsense,
    })
}

/// The next line, the beginning of it where it is long; none at the end, or where the last one is cut short.
fn line(input: &mut impl BufRead) -> Option<String> {
    let mut bytes = Vec::new();
    input.by_ref().take(LINE).read_until(b'\n', &mut bytes).ok()?;
    if bytes.last() != Some(&b'\n') {
        input.skip_until(b'\n').ok().filter(|skipped| *skipped > 0)?;
    }
    Some(String::from_utf8_lossy(&bytes).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_any_length_are_read_and_a_half_one_is_the_end() {
        let long = "x".repeat(10_000);
        let text = format!("get\n{long}\n\u{e9}\nhalf");
        let mut input = text.as_bytes();
        assert_eq!(line(&mut input).unwrap(), "get");
        assert_eq!(line(&mut input).unwrap().len(), 4096);
        assert_eq!(line(&mut input).unwrap(), "\u{e9}");
        assert_eq!(line(&mut input), None);
        assert_eq!(line(&mut &b""[..]), None);
    }
}
