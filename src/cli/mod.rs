//! The command line: one file per command. Everything is written to standard output in one piece, nothing to
//! standard error, and nothing but a verdict ends 1 or 2 (as check_procs also that its time was up).
#![allow(
    clippy::disallowed_methods,
    reason = "the edge: arguments, environment, clock and files come in here"
)]

pub mod arguments;
mod as_user;
pub mod audit;
pub mod check;
pub mod check_procs;
pub mod config;
mod copy;
pub mod cpu;
mod deliver;
pub mod explain;
mod fifo;
mod file_capabilities;
pub mod grant;
pub mod init;
pub mod items;
pub mod keys;
mod last_words;
pub mod limits;
pub mod list;
pub mod load;
mod man;
pub mod migrate;
mod mons_audits;
mod parser;
mod passive;
pub mod ps_monitor;
pub mod roll;
mod setting;
pub mod snapshot;
pub mod snmp;
mod stats;
pub mod terminal;
mod textfile;
pub mod view;
pub mod watch;

use crate::deadline::{Notes, Terms, supervise};
use crate::exit_code::Exit;
use crate::judge::State;
use crate::outcome::Outcome;
use crate::report::wrap::wrap;
use crate::report::{Format, capped, ended, escape, excuse};
use arguments::{Arguments, Command, ViewArguments};
use clap::FromArgMatches;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use parser::{meaningless, parser};
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::Duration;
use terminal::{Terminal, color_wanted};

/// Runs procward with the arguments and the environment of this process.
#[must_use]
pub fn main() -> Exit {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    copy::enter(&arguments);
    last_words::prepare();
    match last_words::guarded(|| dispatch(&arguments)) {
        Some(outcome) => deliver::deliver(&outcome, std::io::stdout()),
        // A worker has told its supervisor.
        None => Exit::Ok,
    }
}

/// The names that procward answers to.
const NAMES: [&str; 10] = [
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
fn dispatch(arguments: &[OsString]) -> Option<Outcome> {
    let name = arguments
        .first()
        .map(Path::new)
        .and_then(Path::file_name)
        .unwrap_or_default();
    let rest = || arguments.iter().skip(1).cloned();
    let plugin = |command: &'static str, format: &'static str| {
        if rest()
            .take_while(|word| word != "--")
            .any(|word| word == "-V" || word == "--version")
        {
            let name = name.to_string_lossy();
            let line = format!("procward {} as {name}\n", env!("CARGO_PKG_VERSION"));
            return Some(Outcome::new(line, Exit::Unknown));
        }
        let line = ["procward", command]
            .map(OsString::from)
            .into_iter()
            .chain(rest());
        let line: Vec<OsString> = line.collect();
        let parser = as_plugin(&name.to_string_lossy(), parser(&line), command, format);
        parsed(parser, line, Exit::Unknown)
    };
    match name.to_string_lossy().as_ref() {
        "ps.monitor" => as_ps_monitor(&rest().collect::<Vec<_>>()),
        "loadavg.monitor" => as_loadavg_monitor(&rest().collect::<Vec<_>>()),
        "selinux.monitor" => as_mons_audit(&mons_audits::selinux),
        "deleted-mapped.monitor" => {
            let words: Vec<OsString> = rest().collect();
            as_mons_audit(&|view| mons_audits::deleted_mapped(&words, view))
        }
        "procward.monitor" => plugin("check", "mon"),
        "cpu.monitor" => plugin("cpu", "mon"),
        "audit.monitor" => plugin("audit", "mon"),
        "check_procward" => plugin("check", "nagios"),
        "check_procs" => as_check_procs(&rest().collect::<Vec<_>>()),
        _ if arguments.get(1).is_some_and(|word| word == "check-procs") => {
            as_check_procs(&arguments.iter().skip(2).cloned().collect::<Vec<_>>())
        }
        _ if arguments.get(1).is_some_and(|word| word == "ps.monitor") => {
            as_ps_monitor(&arguments.iter().skip(2).cloned().collect::<Vec<_>>())
        }
        _ if arguments.get(1).is_some_and(|word| word == "loadavg.monitor") => {
            as_loadavg_monitor(&arguments.iter().skip(2).cloned().collect::<Vec<_>>())
        }
        _ => parsed(parser(arguments), arguments.to_vec(), Exit::Ok),
    }
}

fn as_ps_monitor(arguments: &[OsString]) -> Option<Outcome> {
    let outcome = watched(ViewArguments::default(), Format::Mon, &|view| {
        ps_monitor::run(arguments, view)
    });
    let for_people = arguments.first().is_some_and(|word| word == "--compare");
    if for_people {
        outcome.map(laid_out)
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
    let excuse = |reason: &str, known| crate::report::audit::excuse(Format::Mon, reason, known);
    let view = ViewArguments {
        timeout: Some(PATIENCE_OF_AUDITS),
        ..ViewArguments::default()
    };
    supervised(view, &excuse, work)
}

/// What a command does in a worker.
type Work<'a> = &'a dyn Fn(&ViewArguments) -> Outcome;

/// What to say in place of a verdict, and with what was known by then.
type Excuse<'a> = &'a dyn Fn(&str, Option<Outcome>) -> Outcome;

fn watched(view: ViewArguments, format: Format, work: Work<'_>) -> Option<Outcome> {
    watched_as(view, format, State::Unknown, work)
}

/// The same. `unknown_is`: what is told where there is no verdict.
fn watched_as(view: ViewArguments, format: Format, unknown_is: State, work: Work<'_>) -> Option<Outcome> {
    let excuse = |reason: &str, known| excuse(format, reason, known, unknown_is);
    supervised(view, &excuse, work)
}

fn watched_load(view: ViewArguments, format: Format, work: Work<'_>) -> Option<Outcome> {
    let excuse = |reason: &str, known| crate::report::load::excuse(format, reason, known);
    supervised(view, &excuse, work)
}

/// For how long a person is kept waiting; a scheduler gives up after 10 s.
const PATIENCE_OF_PEOPLE: Duration = Duration::from_secs(60);

/// Does the work in a worker that is given up when it does not come back.
fn supervised(view: ViewArguments, excuse: Excuse<'_>, work: Work<'_>) -> Option<Outcome> {
    let view = ViewArguments {
        terminal: Terminal::here(),
        ..view
    };
    let terms = Terms {
        limit: view.timeout,
        needs_files: std::env::args_os()
            .chain(std::env::var_os("PROCWARD_CONFIG"))
            .any(|word| names_descriptor(&word)),
        excuse,
    };
    supervise(terms, &|notes: Notes| {
        let view = ViewArguments {
            notes,
            ..view.clone()
        };
        if notes.is_watched() {
            last_words::leave_to_the_supervisor();
        }
        last_words::guarded(|| Some(work(&view))).unwrap_or_else(|| Outcome::new("", Exit::Unknown))
    })
}

/// `<(…)` of a shell is `/dev/fd/63`; `--extra-opts=@-` is standard input.
fn names_descriptor(word: &OsStr) -> bool {
    let text = word.to_string_lossy();
    text.contains("/fd/") || text.contains("/dev/std") || text.ends_with("@-")
}

/// The parser of a plugin: its help has the plugin's own name and format.
fn as_plugin(
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

/// `help`: how `--help` and `--version` end, 3 under a plugin's name.
fn parsed(parser: clap::Command, line: Vec<OsString>, help: Exit) -> Option<Outcome> {
    let read = parser.try_get_matches_from(line).and_then(|matches| {
        let arguments = Arguments::from_arg_matches(&matches)?;
        Ok((arguments, meaningless(&matches)))
    });
    match read {
        Ok((_, Some(sentence))) => Some(usage(&sentence)),
        Ok((arguments, None)) => run(arguments),
        Err(error) => Some(refused(&helped(error), help)),
    }
}

/// Of the monitors only one judges the checks of the configuration.
fn helped(mut error: clap::Error) -> clap::Error {
    let of_checks = |value: &ContextValue| matches!(value, ContextValue::String(word) if word == "-r" || word == "--rule");
    if error.kind() == ErrorKind::UnknownArgument && error.get(ContextKind::InvalidArg).is_some_and(of_checks)
    {
        let tip =
            "checks of the configuration are judged by `procward check -r NAME`, under mon procward.monitor";
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

fn refused(error: &clap::Error, help: Exit) -> Outcome {
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
        let lines = lines
            .lines()
            .map(|line| crate::report::escape::text(line.as_bytes()) + "\n");
        lines.collect()
    };
    Outcome::new(text, help)
}

/// A text for people, its lines broken between words where a width is known; in a pipe a line stays a line.
fn laid_out(outcome: Outcome) -> Outcome {
    let Some(width) = Terminal::here().columns else {
        return outcome;
    };
    Outcome::new(wrap(&String::from_utf8_lossy(&outcome.text), width), outcome.exit)
}

/// Wrong usage: the first line is what a pager shows. It holds what the user wrote.
fn usage(text: &str) -> Outcome {
    let lines = text.trim_start_matches("error: ").lines();
    let plain = |line: &str| escape::without_bars(&escape::text(line.as_bytes()));
    let lines: Vec<String> = lines.map(plain).collect();
    let text = capped(format!("UNKNOWN: {}\n", lines.join("\n")));
    Outcome::new(text, Exit::Unknown)
}

fn run(arguments: Arguments) -> Option<Outcome> {
    let command = arguments.command.unwrap_or(Command::Roll(roll::Roll::default()));
    if let Command::Load(load) = &command {
        let outcome = watched_load(arguments.view, load.format(), &|view| load.clone().run(view));
        return if load.format() == Format::Human {
            outcome.map(laid_out)
        } else {
            outcome
        };
    }
    if let Command::Snmp(snmp) = command {
        return snmp.serve(arguments.view);
    }
    if let Command::Audit(audit) = &command {
        return audited(arguments.view, audit);
    }
    if let Command::Check(check) = &command {
        if let Some(sentence) = check.misused() {
            return Some(usage(&sentence));
        }
        if let Format::Passive(passive) = check.format() {
            return passive::run(arguments.view, check, passive);
        }
    }
    let format = match &command {
        Command::Check(check) => check.shown_format(),
        Command::Cpu(cpu) => cpu.format(),
        _ => Format::Human,
    };
    match &command {
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(*shell, &mut parser::whole(), "procward", &mut text);
            return Some(Outcome::new(text, Exit::Ok));
        }
        Command::Keys => return Some(laid_out(keys::run())),
        Command::Grant(grant) => return Some(laid_out(grant.run())),
        Command::Man { page } => return Some(man::run(page.as_deref())),
        _ => {}
    }
    let mut view = arguments.view;
    let here = view.clone();
    if !matches!(command, Command::Check(_) | Command::Cpu(_)) {
        view.timeout = view.timeout.or(Some(PATIENCE_OF_PEOPLE));
    }
    // What is copied elsewhere is left as it is, and a table has its own layout.
    let sentences = format == Format::Human
        && matches!(
            command,
            Command::Check(_) | Command::Cpu(_) | Command::Explain(_) | Command::Config(_)
        );
    let unknown_is = match &command {
        Command::Check(check) => check.unknown_is.into(),
        _ => State::Unknown,
    };
    let outcome = watched_as(view, format, unknown_is, &|view| match command.clone() {
        Command::Roll(command) => command.run(view),
        Command::Init(command) => command.run(view),
        Command::Check(command) => command.run(view),
        Command::Cpu(command) => command.run(view),
        Command::Explain(command) => command.run(view),
        Command::List(command) => command.run(view),
        Command::Snapshot(command) => command.run(view),
        Command::Config(command) => command.run(view),
        Command::Migrate(command) => command.run(view.notes),
        Command::Load(_)
        | Command::Audit(_)
        | Command::Snmp(_)
        | Command::Keys
        | Command::Completions { .. }
        | Command::Grant(_)
        | Command::Man { .. } => Outcome::new("", Exit::Ok),
    });
    let outcome = outcome.map(|outcome| ended(format, outcome));
    if let Command::Roll(roll) = &command
        && !roll.no_audit
        && here.proc.is_none()
        && here.snapshot.is_none()
    {
        return with_audit(&outcome?, here);
    }
    if sentences { outcome.map(laid_out) } else { outcome }
}

/// The roll call at once, and below it what the audit finds, once that is confirmed. How it ends says nothing of that: to
/// tell what runs here is no check.
fn with_audit(roll: &Outcome, view: ViewArguments) -> Option<Outcome> {
    let exit = deliver::deliver(roll, std::io::stdout());
    let audit = audit::AuditCommand {
        format: Some(arguments::FormatName::Human),
        ..audit::AuditCommand::default()
    };
    let found = audited(view, &audit)?;
    let text = [b"\nAudit:\n".as_slice(), &found.text].concat();
    Some(Outcome::new(text, exit))
}

/// For how long an audit may go on: it reads nearly all that there is of each process, and on a host of 50,000 that takes a
/// while, twice where something has to be confirmed.
const PATIENCE_OF_AUDITS: Duration = Duration::from_secs(120);

/// The audit.
fn audited(mut view: ViewArguments, audit: &audit::AuditCommand) -> Option<Outcome> {
    let format = audit.format();
    view.timeout = view.timeout.or(Some(PATIENCE_OF_AUDITS));
    let excuse = |reason: &str, known| crate::report::audit::excuse(format, reason, known);
    let outcome = supervised(view, &excuse, &|view| audit.clone().run(view));
    let sentences = format == Format::Human && !audit.list && !audit.baseline;
    if sentences { outcome.map(laid_out) } else { outcome }
}

/// The format where none was asked for: mon's under mon, else for people.
#[must_use]
pub fn default_format() -> Format {
    let mon = std::env::var_os("MON_GROUP").is_some() && std::env::var_os("MON_SERVICE").is_some();
    if mon { Format::Mon } else { Format::Human }
}
