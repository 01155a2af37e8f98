//! The parser of a command line. To build what all commands take costs more than to check a small host, so for a
//! command that a scheduler runs every minute that one alone is built.

use super::arguments::{Arguments, ViewArguments, WIDTH};
use super::{audit, check, cpu, load};
use clap::{Args, CommandFactory};
use std::ffi::OsString;

/// The parser of this line; its first word is the program's name.
pub(super) fn parser(line: &[OsString]) -> clap::Command {
    let command = clap::Command::new;
    let lone = match line.get(1).and_then(|word| word.to_str()) {
        Some("check") => check::CheckCommand::augment_args(command("check")).about(check::ABOUT),
        Some("cpu") => cpu::CpuCommand::augment_args(command("cpu")).about(cpu::ABOUT),
        Some("audit") => audit::AuditCommand::augment_args(command("audit")).about(audit::ABOUT),
        Some("load") => load::LoadCommand::augment_args(command("load")).about(load::ABOUT),
        _ => return Arguments::command(),
    };
    let whole = command("procward").max_term_width(WIDTH);
    ViewArguments::augment_args(whole).subcommand(lone)
}

/// The parser of a plugin: its help has the plugin's own name and format.
pub(super) fn of_plugin(
    name: &str,
    parser: clap::Command,
    subcommand: &'static str,
    format: &'static str,
) -> clap::Command {
    let operands = match subcommand {
        "cpu" => "[LIMIT]",
        "audit" => "[RULE]...",
        _ => "[SPECS]...",
    };
    let usage = format!("{name} [OPTIONS] {operands}");
    let hidden = |argument: clap::Arg| argument.hide(true);
    parser
        .mut_args(|argument| match argument.get_id().as_str() {
            "proc" | "snapshot" => hidden(argument),
            _ => argument,
        })
        .mut_subcommand(subcommand, |command| {
            // -V itself is answered before all else, but must be in the help.
            let command = command.override_usage(usage).version(env!("CARGO_PKG_VERSION"));
            command.mut_args(|argument| match argument.get_id().as_str() {
                "format" => argument.help("How to write the report").default_value(format),
                // For whoever looks into things, not for a scheduler.
                "output" | "host" | "stats" | "match_self" => hidden(argument),
                _ => argument,
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::FromArgMatches;

    fn said(parser: clap::Command, line: &[OsString]) -> String {
        match parser.try_get_matches_from(line) {
            Ok(matches) => format!("{:?}", Arguments::from_arg_matches(&matches)),
            Err(error) => error.render().to_string(),
        }
    }

    #[test]
    fn a_command_parsed_alone_says_and_takes_what_it_does_among_all() {
        let words: [&[&str]; 8] = [
            &["--version"],
            &["--help"],
            &["-h"],
            &["--nonsense"],
            &["--format", "xml"],
            &["--timeout", "1"],
            &["--proc", "/proc", "--snapshot", "x"],
            &["a", "b", "c", "d", "e", "f", "g", "h"],
        ];
        for command in ["check", "cpu", "audit", "load"] {
            for words in words {
                let line: Vec<OsString> = ["procward", command]
                    .iter()
                    .chain(words)
                    .map(OsString::from)
                    .collect();
                let (alone, among) = (parser(&line), Arguments::command());
                assert_eq!(alone.get_subcommands().count(), 1);
                assert_eq!(said(alone, &line), said(among, &line), "{line:?}");
            }
        }
    }
}
