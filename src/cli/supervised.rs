//! A command at work in a worker, and what is said in its place where that does not come back.

use super::arguments::ViewArguments;
use super::last_words;
use super::terminal::Terminal;
use crate::deadline::{Notes, Terms, supervise};
use crate::exit_code::Exit;
use crate::judge::State;
use crate::outcome::Outcome;
use crate::report::{Format, excuse};
use std::ffi::OsStr;
use std::time::Duration;

/// What a command does in a worker.
pub(super) type Work<'a> = &'a dyn Fn(&ViewArguments) -> Outcome;

/// What to say in place of a verdict, and with what was known by then.
pub(super) type Excuse<'a> = &'a dyn Fn(&str, Option<Outcome>) -> Outcome;

/// For how long a person is kept waiting; a scheduler gives up after 10 s.
pub(super) const PATIENCE_OF_PEOPLE: Duration = Duration::from_secs(60);

/// For how long an audit may go on: it reads nearly all that there is of each process, and on a host of 50,000 that takes a
/// while, twice where something has to be confirmed.
const PATIENCE_OF_AUDITS: Duration = Duration::from_secs(120);

/// What a command of checks has to say.
pub(super) fn watched(view: ViewArguments, format: Format, work: Work<'_>) -> Option<Outcome> {
    watched_as(view, format, State::Unknown, work)
}

/// The same. `unknown_is`: what is told where there is no verdict.
pub(super) fn watched_as(
    view: ViewArguments,
    format: Format,
    unknown_is: State,
    work: Work<'_>,
) -> Option<Outcome> {
    let excuse = |reason: &str, known| excuse(format, reason, known, unknown_is);
    supervised(view, &excuse, work)
}

pub(super) fn watched_load(view: ViewArguments, format: Format, work: Work<'_>) -> Option<Outcome> {
    let excuse = |reason: &str, known| crate::report::load::excuse(format, reason, known);
    supervised(view, &excuse, work)
}

pub(super) fn watched_audit(mut view: ViewArguments, format: Format, work: Work<'_>) -> Option<Outcome> {
    view.timeout = view.timeout.or(Some(PATIENCE_OF_AUDITS));
    let excuse = |reason: &str, known| crate::report::audit::excuse(format, reason, known);
    supervised(view, &excuse, work)
}

/// Does the work in a worker that is given up when it does not come back.
pub(super) fn supervised(view: ViewArguments, excuse: Excuse<'_>, work: Work<'_>) -> Option<Outcome> {
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
