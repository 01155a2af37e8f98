//! The parser of a command line. To build what all commands take costs more than to check a small host, so for a
//! command that a scheduler runs every minute that one alone is built.

use super::arguments::{Arguments, ViewArguments, WIDTH};
use super::{audit, check, cpu, load};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, CommandFactory};
use std::ffi::OsString;

/// Behind the options of a command, and before -h.
const LAST: usize = 900;

/// The parser of this line; its first word is the program's name.
pub(super) fn parser(line: &[OsString]) -> clap::Command {
    let command = clap::Command::new;
    let lone = match line.get(1).and_then(|word| word.to_str()) {
        Some("check") => check::CheckCommand::augment_args(command("check")).about(check::ABOUT),
        Some("cpu") => cpu::CpuCommand::augment_args(command("cpu")).about(cpu::ABOUT),
        Some("audit") => audit::AuditCommand::augment_args(command("audit")).about(audit::ABOUT),
        Some("load") => load::LoadCommand::augment_args(command("load")).about(load::ABOUT),
        _ => return whole(),
    };
    let only = command("procward").max_term_width(WIDTH);
    let parser = fitted(ViewArguments::augment_args(only).subcommand(lone));
    if line.iter().any(|word| word == "--help") {
        told_once(parser)
    } else {
        parser
    }
}

/// The parser of all commands.
pub(super) fn whole() -> clap::Command {
    told_once(fitted(Arguments::command()))
}

/// Gives every command those options of the view that mean something to it, and its own default of the time.
fn fitted(parser: clap::Command) -> clap::Command {
    let of_view: Vec<Arg> = ["proc", "snapshot", "timeout"]
        .iter()
        .filter_map(|id| parser.get_arguments().find(|argument| argument.get_id() == id))
        .cloned()
        .collect();
    parser.mut_subcommands(|command| {
        let ((time, at_length), unused) = (time_of(command.get_name()), unused(command.get_name()));
        let own = of_view.iter().map(|argument| {
            let id = argument.get_id().as_str();
            let argument = argument.clone().hide(unused.contains(&id)).display_order(LAST);
            match id {
                "timeout" => argument
                    .help(format!("End within this time in any case [default: {time}]"))
                    .long_help(format!(
                        "End within this time, such as 20s, in any case. Without it {at_length}"
                    )),
                _ => argument,
            }
        });
        command.args(own)
    })
}

/// The help at length does not begin with the short one: doc comments have both, one below the other.
fn told_once(command: clap::Command) -> clap::Command {
    let argument = |argument: Arg| {
        let [short, long] = [argument.get_help(), argument.get_long_help()].map(|help| {
            let help = help.map(ToString::to_string);
            help.unwrap_or_default()
        });
        match long.strip_prefix(&format!("{short}\n\n")) {
            Some(rest) => argument.long_help(rest.to_owned()),
            None => argument,
        }
    };
    command.mut_args(argument).mut_subcommands(told_once)
}

/// How long a command may take where it is not told, and at length.
fn time_of(command: &str) -> (&'static str, &'static str) {
    match command {
        "check" => ("8s", "8 s, or more where a check is looked at again for longer"),
        "cpu" => ("8s", "8 s, or more where --for or --window take longer"),
        "load" => ("8s", "8 s"),
        "audit" => ("2m", "2 min"),
        "snmp" => ("2s", "2 s for each look"),
        _ => ("1m", "1 min"),
    }
}

/// The options of the view that mean nothing to a command: it looks at no process, or what it tells is taken for what is
/// so now.
fn unused(command: &str) -> &'static [&'static str] {
    match command {
        "keys" | "completions" | "grant" | "man" => &["proc", "snapshot", "timeout"],
        "migrate" => &["proc", "snapshot"],
        "snmp" => &["snapshot"],
        _ => &[],
    }
}

/// What was typed and means nothing to the command, as a sentence: to ignore it would be to answer another question.
pub(super) fn meaningless(matches: &ArgMatches) -> Option<String> {
    let command = matches.subcommand_name()?;
    let typed = |id: &&&str| matches.value_source(id) == Some(ValueSource::CommandLine);
    let option = unused(command).iter().find(typed)?;
    Some(format!("`procward {command}` takes no --{option}"))
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
    parser.mut_subcommand(subcommand, |command| {
        // -V itself is answered before all else, but must be in the help.
        let command = command.override_usage(usage).version(env!("CARGO_PKG_VERSION"));
        command.mut_args(|argument| match argument.get_id().as_str() {
            // Whoever calls it by this name wants this one.
            "format" => argument
                .help("How to write the report")
                .default_value(format)
                .hide_short_help(true),
            // For whoever looks into things, not for a scheduler.
            "proc" | "snapshot" | "output" | "host" | "stats" | "match_self" => argument.hide(true),
            "perfdata" => argument.hide(format != "nagios"),
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
                let (alone, among) = (parser(&line), whole());
                assert_eq!(alone.get_subcommands().count(), 1);
                assert_eq!(said(alone, &line), said(among, &line), "{line:?}");
            }
        }
    }
}
