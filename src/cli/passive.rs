//! `procward check` for a server that takes results: they get their host and time here, also those of a run that was never
//! finished.

use super::arguments::ViewArguments;
use super::check::CheckCommand;
use super::fifo;
use super::supervised::{watched, watched_as};
use super::usage::usage;
use crate::exit_code::Exit;
use crate::outcome::Outcome;
use crate::report::passive::{Passive, Sender, addressed};
use crate::report::{Format, ended, escape};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The most of a host's name that NSCA carries; it cuts what is longer.
const NSCA_HOST: usize = 63;

/// The most of a host's name.
const HOST: usize = 253;

/// How long handing over may take, while Nagios takes one result after the other.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much of a time that was typed judging leaves for that.
const LEFT: Duration = Duration::from_secs(1);

/// Judges, and hands the results on.
pub(super) fn run(view: ViewArguments, check: &CheckCommand, passive: Passive) -> Option<Outcome> {
    let host = match host(check.host.as_deref(), passive) {
        Ok(host) => host,
        Err(sentence) => return Some(usage(&sentence)),
    };
    if view.snapshot.is_some() {
        return Some(usage(
            "a saved snapshot tells of another time, and a server would take it for now",
        ));
    }
    let format = Format::Passive(passive);
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let clock = Instant::now();
    let judging = CheckCommand {
        output: None,
        ..check.clone()
    };
    let work = |view: &ViewArguments| judging.clone().run(view);
    let kept = |time: Duration| match check.output {
        Some(_) => LEFT.min(time / 2),
        None => Duration::ZERO,
    };
    let judged = ViewArguments {
        timeout: view.timeout.map(|time| time.saturating_sub(kept(time))),
        ..view.clone()
    };
    let outcome = watched_as(judged, format, check.unknown_is.into(), &work)?;
    let outcome = ended(format, outcome);
    let sender = Sender {
        host,
        started: since_1970,
        ended: since_1970 + clock.elapsed(),
    };
    let results = addressed(passive, &outcome.text, &sender);
    let Some(path) = &check.output else {
        return Some(outcome.reworded(results.concat()));
    };
    let limited = ViewArguments {
        timeout: Some(view.timeout.map_or(PATIENCE, |time| {
            let left = time.saturating_sub(clock.elapsed());
            left.clamp(kept(time), PATIENCE)
        })),
        ..view
    };
    watched(
        limited,
        Format::Mon,
        &|view| match fifo::write(path, &results, view.notes) {
            Ok(()) => Outcome::new("", Exit::Ok),
            Err(sentence) => usage(&sentence),
        },
    )
}

/// What the server calls this host: what was typed, else the kernel's name of it.
fn host(typed: Option<&str>, passive: Passive) -> Result<String, String> {
    let name = match typed {
        Some(name) => name.to_owned(),
        None => rustix::system::uname().nodename().to_string_lossy().into_owned(),
    };
    let most = if passive == Passive::Nsca { NSCA_HOST } else { HOST };
    let shown = || escape::text(name.as_bytes());
    // What Nagios lets no name hold, and what would end it in a command.
    let forbidden = |c: char| escape::is_treacherous(c) || "`~!$%^&*|'\"<>?,()=;".contains(c);
    if name.is_empty() || name.trim() != name || name.contains(forbidden) {
        return Err(format!(
            "`{}` can't be the name of a host: give another with --host",
            shown()
        ));
    }
    if name.len() > most {
        return Err(format!(
            "the name of a host has at most {most} bytes here: `{}`",
            shown()
        ));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_a_name_that_the_server_can_take() {
        let typed = |name: &str| host(Some(name), Passive::Nagios).is_ok();
        assert!(typed("www.example.org") && typed("Datenbank 1") && typed("größe"));
        for name in ["", " a", "a;b", "a\tb", "a\nb", "a!b", "a|b", "$HOST$", "\u{17}"] {
            assert!(!typed(name), "{name:?}");
        }
        let long = "h".repeat(64);
        assert!(typed(&long) && !typed(&"h".repeat(254)));
        assert!(host(Some(&long), Passive::Nsca).is_err() && host(Some(&long[1..]), Passive::Nsca).is_ok());
        assert!(host(None, Passive::Nsca).is_ok_and(|name| !name.is_empty()));
    }
}
