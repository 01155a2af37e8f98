//! The command line: one file per command. Everything is written to standard output in one piece, nothing to
//! standard error, and nothing but a verdict ends 1 or 2.
#![allow(
    clippy::disallowed_methods,
    reason = "the edge: arguments, environment, clock and files come in here"
)]

pub mod arguments;
pub mod check;
pub mod config;
mod deliver;
pub mod explain;
pub mod init;
mod last_words;
pub mod list;
pub mod migrate;
pub mod ps_monitor;
pub mod roll;
pub mod snapshot;
pub mod view;

use crate::exit_code::Exit;
use crate::report::{Format, Look, capped, escape};
use arguments::{Arguments, Command};
use clap::{CommandFactory, Parser};
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::Path;

/// What a command has to say, and how the program ends.
#[derive(Debug)]
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
}

/// Runs procward with the arguments and the environment of this process.
#[must_use]
pub fn main() -> Exit {
    last_words::prepare();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let outcome = last_words::guarded(|| dispatch(&arguments));
    deliver::deliver(&outcome, std::io::stdout())
}

/// Under whose name procward was called decides what it is.
fn dispatch(arguments: &[OsString]) -> Outcome {
    let name = arguments
        .first()
        .map(Path::new)
        .and_then(Path::file_name)
        .unwrap_or_default();
    let rest = || arguments.iter().skip(1).cloned();
    let plugin = |command: &[&str]| {
        if arguments
            .get(1)
            .is_some_and(|word| word == "-V" || word == "--version")
        {
            let name = name.to_string_lossy();
            let line = format!("procward {} as {name}\n", env!("CARGO_PKG_VERSION"));
            return Outcome::new(line, Exit::Unknown);
        }
        let line = [OsString::from("procward")]
            .into_iter()
            .chain(command.iter().map(OsString::from))
            .chain(rest());
        parsed(line.collect(), Exit::Unknown)
    };
    match name.to_string_lossy().as_ref() {
        "ps.monitor" => ps_monitor::run(&rest().collect::<Vec<_>>()),
        "procward.monitor" => plugin(&["check", "--format", "mon"]),
        "check_procward" => plugin(&["check", "--format", "nagios"]),
        _ if arguments.get(1).is_some_and(|word| word == "ps.monitor") => {
            ps_monitor::run(&arguments.iter().skip(2).cloned().collect::<Vec<_>>())
        }
        _ => parsed(arguments.to_vec(), Exit::Ok),
    }
}

/// `help`: how `--help` and `--version` end, 3 under a plugin's name.
fn parsed(line: Vec<OsString>, help: Exit) -> Outcome {
    let arguments = match Arguments::try_parse_from(line) {
        Ok(arguments) => arguments,
        Err(error) => {
            let text = error.render();
            if error.use_stderr() {
                return usage(&text.to_string());
            }
            let colored = std::io::stdout().is_terminal() && color_wanted();
            let text = if colored {
                text.ansi().to_string()
            } else {
                text.to_string()
            };
            return Outcome::new(text, help);
        }
    };
    let view = &arguments.view;
    match arguments.command.unwrap_or(Command::Roll(roll::Roll::default())) {
        Command::Roll(command) => command.run(view),
        Command::Init(command) => command.run(view),
        Command::Check(command) => command.run(view),
        Command::Explain(command) => command.run(view),
        Command::List(command) => command.run(view),
        Command::Snapshot(command) => command.run(view),
        Command::Config(command) => command.run(view),
        Command::Migrate(command) => command.run(),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "procward", &mut text);
            Outcome::new(text, Exit::Ok)
        }
        Command::Man => {
            let mut text = Vec::new();
            let written = clap_mangen::Man::new(Arguments::command()).render(&mut text);
            Outcome::new(text, if written.is_ok() { Exit::Ok } else { Exit::Unknown })
        }
    }
}

/// Wrong usage: the first line is what a pager shows. It holds what the user wrote.
fn usage(text: &str) -> Outcome {
    let lines = text.trim_start_matches("error: ").lines();
    let lines: Vec<String> = lines.map(|line| escape::text(line.as_bytes())).collect();
    let text = capped(format!("UNKNOWN: {}\n", lines.join("\n")));
    Outcome::new(text, Exit::Unknown)
}

fn color_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// What a report needs to know of the terminal.
#[must_use]
pub fn look(verbose: bool) -> Look {
    let terminal = std::io::stdout().is_terminal();
    Look {
        width: columns().unwrap_or(80),
        color: terminal && color_wanted(),
        verbose,
    }
}

/// How wide the output is shown: COLUMNS, or what the terminal says; none where nobody says.
#[must_use]
pub fn columns() -> Option<usize> {
    let said = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok());
    let terminal = || {
        let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
        Some(usize::from(size.ws_col))
    };
    // Some terminals say 0; in fewer than 20 columns nothing can be laid out.
    said.filter(|columns| *columns > 0)
        .or_else(terminal)
        .filter(|columns| *columns > 0)
        .map(|columns| columns.clamp(20, 1000))
}

/// The format where none was asked for: mon's under mon, else for people.
#[must_use]
pub fn default_format() -> Format {
    let mon = std::env::var_os("MON_GROUP").is_some() && std::env::var_os("MON_SERVICE").is_some();
    if mon { Format::Mon } else { Format::Human }
}
