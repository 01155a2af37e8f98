//! A command of the command line, to its outcome.

use super::arguments::{Arguments, Command, FormatName, ViewArguments};
use super::supervised::{PATIENCE_OF_PEOPLE, Work, watched, watched_as, watched_audit, watched_load};
use super::terminal::laid_out;
use super::usage::usage;
use super::{audit, check, deliver, keys, man, parser, passive, roll};
use crate::exit_code::Exit;
use crate::outcome::Outcome;
use crate::report::{Format, ended};

/// Runs it. `None`: this is a worker that has told its supervisor. A person's pager may hold what is told as long as it
/// likes, unless a time was typed.
pub(super) fn run(arguments: Arguments) -> Option<Outcome> {
    let holds = arguments.view.timeout.is_none() && is_for_people(&arguments);
    let outcome = done(arguments)?;
    Some(if holds { outcome.by(None) } else { outcome })
}

/// Whether what is told is for a person, and not for a scheduler.
fn is_for_people(arguments: &Arguments) -> bool {
    let format = match &arguments.command {
        Some(Command::Check(command)) => command.format(),
        Some(Command::Cpu(command)) => command.format(),
        Some(Command::Load(command)) => command.format(),
        Some(Command::Audit(command)) => command.format(),
        _ => Format::Human,
    };
    format == Format::Human
}

fn done(arguments: Arguments) -> Option<Outcome> {
    let view = arguments.view;
    match arguments.command.unwrap_or(Command::Roll(roll::Roll::default())) {
        Command::Roll(command) => rolled(view, &command),
        Command::Check(command) => checked(view, &command),
        Command::Cpu(command) => {
            let format = command.format();
            for_reader(format, watched(view, format, &|view| command.clone().run(view)))
        }
        Command::Load(command) => {
            let format = command.format();
            for_reader(
                format,
                watched_load(view, format, &|view| command.clone().run(view)),
            )
        }
        Command::Audit(command) => audited(view, &command),
        Command::Snmp(command) => command.serve(view),
        Command::Explain(command) => for_people(view, &|view| command.clone().run(view)).map(laid_out),
        Command::Config(command) => for_people(view, &|view| command.clone().run(view)).map(laid_out),
        // What is copied elsewhere is left as it is, and a table has its own layout.
        Command::Init(command) => for_people(view, &|view| command.clone().run(view)),
        Command::List(command) => for_people(view, &|view| command.clone().run(view)),
        Command::Snapshot(command) => for_people(view, &|view| command.clone().run(view)),
        Command::Migrate(command) => for_people(view, &|view| command.clone().run(view.notes)),
        Command::Keys => Some(laid_out(keys::run())),
        Command::Grant(command) => for_people(view, &|view| command.run(view.notes)).map(laid_out),
        Command::Man { page } => Some(man::run(page.as_deref())),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut parser::whole(), "procward", &mut text);
            Some(Outcome::new(text, Exit::Ok))
        }
    }
}

/// What only people ask for: they wait longer than a scheduler does.
fn for_people(mut view: ViewArguments, work: Work<'_>) -> Option<Outcome> {
    view.timeout = view.timeout.or(Some(PATIENCE_OF_PEOPLE));
    watched(view, Format::Human, work)
}

fn for_reader(format: Format, outcome: Option<Outcome>) -> Option<Outcome> {
    if format == Format::Human {
        outcome.map(laid_out)
    } else {
        outcome
    }
}

fn checked(view: ViewArguments, check: &check::CheckCommand) -> Option<Outcome> {
    if let Some(sentence) = check.misused() {
        return Some(usage(&sentence));
    }
    if let Format::Passive(passive) = check.format() {
        return passive::run(view, check, passive);
    }
    let format = check.shown_format();
    let work = |view: &ViewArguments| check.clone().run(view);
    let outcome = watched_as(view, format, check.unknown_is.into(), &work);
    for_reader(format, outcome.map(|outcome| ended(format, outcome)))
}

fn rolled(view: ViewArguments, roll: &roll::Roll) -> Option<Outcome> {
    let outcome = for_people(view.clone(), &|view| roll.clone().run(view));
    if roll.no_audit || view.proc.is_some() || view.snapshot.is_some() {
        return outcome;
    }
    let outcome = outcome?;
    let by = outcome.by.filter(|_| view.timeout.is_some());
    with_audit(&outcome.by(by), view)
}

/// The roll call at once, and below it what the audit finds, once that is confirmed. How it ends says nothing of that: to
/// tell what runs here is no check.
fn with_audit(roll: &Outcome, view: ViewArguments) -> Option<Outcome> {
    let exit = deliver::deliver(roll, std::io::stdout());
    let audit = audit::AuditCommand {
        format: Some(FormatName::Human),
        ..audit::AuditCommand::default()
    };
    let found = audited(view, &audit)?;
    let text = [b"\nAudit:\n".as_slice(), &found.text].concat();
    Some(Outcome::new(text, exit).by(found.by))
}

fn audited(view: ViewArguments, audit: &audit::AuditCommand) -> Option<Outcome> {
    let format = audit.format();
    let outcome = watched_audit(view, format, &|view| audit.clone().run(view));
    // A list has its own layout, and a baseline is for the configuration.
    if audit.list || audit.baseline {
        outcome
    } else {
        for_reader(format, outcome)
    }
}
