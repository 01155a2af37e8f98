//! The stable first line: which checks fail and how, and nothing that moves, because mon alerts again whenever it
//! changes.

use super::escape;
use crate::judge::{Evidence, Manner, Report, State, Verdict};
use std::collections::BTreeSet;

/// The most that the first line holds; pagers show less.
const LIMIT: usize = 1000;

/// `postfix missing, telnetd running (in.telnetd, root)`, in the order of the names. Only the worst state is named:
/// a lesser fault that flickers beside it is no news.
#[must_use]
pub(super) fn text(report: &Report) -> String {
    let skipped = match report.skipped.len() {
        0 => String::new(),
        skipped => format!(", {skipped} skipped"),
    };
    if report.verdicts.is_empty() {
        return format!("nothing to check{skipped}");
    }
    if report.state == State::Ok {
        let count = report.verdicts.len();
        return format!("{count} check{}{skipped}", if count == 1 { "" } else { "s" });
    }
    let mut failing: Vec<&Verdict> = report
        .verdicts
        .iter()
        .filter(|v| v.state == report.state)
        .collect();
    failing.sort_by(|a, b| a.name.cmp(&b.name));
    joined(failing.into_iter().map(one).collect(), ", ")
}

/// As many as one line holds.
pub(super) fn joined(all: Vec<String>, between: &str) -> String {
    let number = all.len();
    let mut line = String::new();
    for (index, one) in all.into_iter().enumerate() {
        if index > 0 && line.len() + one.len() > LIMIT {
            line += &format!(" and {} more", number - index);
            break;
        }
        if index > 0 {
            line += between;
        }
        line += &one;
    }
    line
}

/// `postfix missing`.
pub(super) fn one(verdict: &Verdict) -> String {
    let name = escape::text(verdict.name.as_bytes());
    let line = format!("{} {}", cut(&name), verdict.manner.word());
    if !matches!(verdict.manner, Manner::Running | Manner::Busy) {
        return line;
    }
    let busy = verdict.manner == Manner::Busy;
    let found = found(verdict.evidence.iter(), |name, user| match name {
        _ if busy => program_of_user(name, user),
        Some(name) => format!("({name}, {user})"),
        None => format!("({user})"),
    });
    if found.is_empty() {
        line
    } else if busy {
        format!("{}: {}", cut(&name), found.join(", "))
    } else {
        format!("{line} {}", found.join(" "))
    }
}

/// `spins (www-data)`, `a process of www-data`.
pub(super) fn program_of_user(name: Option<&str>, user: &str) -> String {
    match name {
        Some(name) => format!("{name} ({user})"),
        None => format!("a process of {user}"),
    }
}

/// The programs and users that were found, a few of them.
pub(super) fn found<'a>(
    evidence: impl Iterator<Item = &'a Evidence>,
    tell: impl Fn(Option<&str>, &str) -> String,
) -> Vec<String> {
    let found: BTreeSet<String> = evidence
        .filter(|evidence| !evidence.lesser)
        .map(|evidence| {
            let user = escape::text(evidence.user.as_deref().unwrap_or("?").as_bytes());
            let name = evidence.called.as_ref().map(|name| cut(&escape::text(name)));
            tell(name.as_deref(), &cut(&user))
        })
        .collect();
    found.into_iter().take(3).collect()
}

/// A name of reasonable length.
pub(super) fn cut(name: &str) -> String {
    if name.chars().count() <= 120 {
        name.to_owned()
    } else {
        name.chars().take(117).chain("...".chars()).collect()
    }
}
