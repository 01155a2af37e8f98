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
