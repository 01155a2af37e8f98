//! What is said where the command line was not understood, or asks for help.

use super::terminal::{Terminal, color_wanted};
use crate::exit_code::Exit;
use crate::outcome::Outcome;
use crate::report::{capped, escape};
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// What clap says in place of running a command. `help`: how `--help` and `--version` end.
pub(super) fn refused(error: &clap::Error, help: Exit) -> Outcome {
    let text = error.render();
    if error.use_stderr() {
        return usage(&text.to_string());
    }
    let colored = Terminal::here().is_terminal && color_wanted();
    let text = if colored {
        text.ansi().to_string()
    } else {
        // What was typed is shown in it.
        let lines = text.to_string();
        let lines = lines.lines().map(|line| escape::text(line.as_bytes()) + "\n");
        lines.collect()
    };
    Outcome::new(text, help)
}

/// Of the monitors only one judges the checks of the configuration.
pub(super) fn helped(mut error: clap::Error) -> clap::Error {
    let of_checks = |value: &ContextValue| matches!(value, ContextValue::String(word) if word == "-r" || word == "--rule");
    if error.kind() == ErrorKind::UnknownArgument && error.get(ContextKind::InvalidArg).is_some_and(of_checks)
    {
        let tip =
            "checks of the configuration are judged by `procward check -r NAME`, under mon procward.monitor";
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

/// Wrong usage: the first line is what a pager shows. It holds what the user wrote.
pub(super) fn usage(text: &str) -> Outcome {
    let lines = text.trim_start_matches("error: ").lines();
    let plain = |line: &str| escape::without_bars(&escape::text(line.as_bytes()));
    let lines: Vec<String> = lines.map(plain).collect();
    let text = capped(format!("UNKNOWN: {}\n", lines.join("\n")));
    Outcome::new(text, Exit::Unknown)
}
