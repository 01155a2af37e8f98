//! The command line: one file per command. Everything is written to standard output in one piece, nothing to
//! standard error, and nothing but a verdict ends 1 or 2.
#![allow(
    clippy::disallowed_methods,
    reason = "the edge: arguments, environment, clock and files come in here"
)]

pub mod arguments;
mod as_user;
pub mod check;
pub mod config;
pub mod explain;
pub mod init;
pub mod list;
pub mod migrate;
pub mod ps_monitor;
pub mod roll;
pub mod snapshot;
pub mod view;

use crate::exit_code::Exit;
use crate::report::{Format, Look};
use arguments::{Arguments, Command};
use clap::{CommandFactory, Parser};
use std::ffi::OsString;
use std::io::{IsTerminal, Write};
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

/// Runs procward with the arguments and the environment of this process. A panic is told as UNKNOWN: a monitor
/// that dies of something else than its own exit may be taken for success.
#[must_use]
pub fn main() -> Exit {
    std::panic::set_hook(Box::new(|_| {}));
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let outcome = std::panic::catch_unwind(|| dispatch(&arguments)).unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no message");
        let line = crate::report::escape::text(format!("UNKNOWN: internal error: {message}").as_bytes());
        Outcome::new(
            format!("{line}\nPlease report this with the command line that was used.\n"),
            Exit::Unknown,
        )
    });
    // A reader that went away (`procward list | head`) is not our fault, and is nobody's failure.
    let _ = std::io::stdout().lock().write_all(&outcome.text);
    outcome.exit
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
            let text = if std::io::stdout().is_terminal() && color_wanted() {
                text.ansi().to_string()
            } else {
                text.to_string()
            };
            if error.use_stderr() {
                // The first line is what a pager shows.
                return Outcome::new(
                    format!("UNKNOWN: {}", text.trim_start_matches("error: ")),
                    Exit::Unknown,
                );
            }
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

fn color_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// What a report needs to know of the terminal.
#[must_use]
pub fn look(verbose: bool) -> Look {
    let terminal = std::io::stdout().is_terminal();
    let width = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok());
    Look {
        width: width
            .or_else(|| terminal.then(terminal_width).flatten())
            .unwrap_or(80),
        color: terminal && color_wanted(),
        verbose,
    }
}

fn terminal_width() -> Option<usize> {
    rustix::termios::tcgetwinsize(std::io::stdout())
        .ok()
        .map(|size| usize::from(size.ws_col))
        .filter(|w| *w > 0)
}

/// The format where none was asked for: mon's under mon, else for people.
#[must_use]
pub fn default_format() -> Format {
    let mon = std::env::var_os("MON_GROUP").is_some() && std::env::var_os("MON_SERVICE").is_some();
    if mon { Format::Mon } else { Format::Human }
}
