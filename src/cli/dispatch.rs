//! Under whose name procward was called, and so what it is.

use super::arguments::{Arguments, ViewArguments};
use super::parser::{meaningless, of_plugin, parser};
use super::supervised::{Work, supervised, watched, watched_audit, watched_load};
use super::terminal::laid_out;
use super::usage::{helped, refused, usage};
use super::{check_procs, commands, load, mons_audits, ps_monitor};
use crate::exit_code::Exit;
use crate::outcome::Outcome;
use crate::report::Format;
use clap::FromArgMatches;
use std::ffi::OsString;
use std::path::Path;

/// The names that procward answers to.
pub(super) const NAMES: [&str; 10] = [
    "procward",
    "ps.monitor",
    "loadavg.monitor",
    "selinux.monitor",
    "deleted-mapped.monitor",
    "procward.monitor",
    "cpu.monitor",
    "audit.monitor",
    "check_procward",
    "check_procs",
];

/// Under whose name procward was called decides what it is. `None`: this is a worker that has told its supervisor.
pub(super) fn dispatch(arguments: &[OsString]) -> Option<Outcome> {
    let name = arguments
        .first()
        .map(Path::new)
        .and_then(Path::file_name)
        .unwrap_or_default();
    let name = name.to_string_lossy();
    let words = arguments.get(1..).unwrap_or_default();
    let plugin = |command, format| as_plugin(&name, words, command, format);
    match name.as_ref() {
        "ps.monitor" => as_ps_monitor(words),
        "loadavg.monitor" => as_loadavg_monitor(words),
        "selinux.monitor" => as_mons_audit(&mons_audits::selinux),
        "deleted-mapped.monitor" => as_mons_audit(&|view| mons_audits::deleted_mapped(words, view)),
        "procward.monitor" => plugin("check", "mon"),
        "cpu.monitor" => plugin("cpu", "mon"),
        "audit.monitor" => plugin("audit", "mon"),
        "check_procward" => plugin("check", "nagios"),
        "check_procs" => as_check_procs(words),
        _ => match words.split_first() {
            Some((first, words)) if first == "check-procs" => as_check_procs(words),
            Some((first, words)) if first == "ps.monitor" => as_ps_monitor(words),
            Some((first, words)) if first == "loadavg.monitor" => as_loadavg_monitor(words),
            _ => parsed(parser(arguments), arguments, Exit::Ok),
        },
    }
}

/// A command under the name of a plugin, in the plugin's format.
fn as_plugin(name: &str, words: &[OsString], command: &'static str, format: &'static str) -> Option<Outcome> {
    let mut options = words.iter().take_while(|word| *word != "--");
    if options.any(|word| word == "-V" || word == "--version") {
        let line = format!("procward {} as {name}\n", env!("CARGO_PKG_VERSION"));
        return Some(Outcome::new(line, Exit::Unknown));
    }
    let line: Vec<OsString> = ["procward", command]
        .map(OsString::from)
        .into_iter()
        .chain(words.iter().cloned())
        .collect();
    parsed(
        of_plugin(name, parser(&line), command, format),
        &line,
        Exit::Unknown,
    )
}

fn as_ps_monitor(arguments: &[OsString]) -> Option<Outcome> {
    let outcome = watched(ViewArguments::default(), Format::Mon, &|view| {
        ps_monitor::run(arguments, view)
    });
    let for_people = arguments.first().is_some_and(|word| word == "--compare");
    if for_people {
        outcome.map(|outcome| laid_out(outcome).by(None))
    } else {
        outcome
    }
}

fn as_loadavg_monitor(arguments: &[OsString]) -> Option<Outcome> {
    watched_load(ViewArguments::default(), Format::Mon, &|view| {
        load::as_monitor(arguments, view)
    })
}

fn as_check_procs(arguments: &[OsString]) -> Option<Outcome> {
    supervised(ViewArguments::default(), &check_procs::excuse, &|view| {
        check_procs::run(arguments, view)
    })
}

fn as_mons_audit(work: Work<'_>) -> Option<Outcome> {
    watched_audit(ViewArguments::default(), Format::Mon, work)
}

/// `help`: how `--help` and `--version` end, 3 under a plugin's name.
fn parsed(parser: clap::Command, line: &[OsString], help: Exit) -> Option<Outcome> {
    let read = parser.try_get_matches_from(line).and_then(|matches| {
        let arguments = Arguments::from_arg_matches(&matches)?;
        Ok((arguments, meaningless(&matches)))
    });
    match read {
        Ok((_, Some(sentence))) => Some(usage(&sentence)),
        Ok((arguments, None)) => commands::run(arguments),
        Err(error) => Some(refused(&helped(error), help)),
    }
}
