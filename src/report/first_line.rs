//! The stable first line: which checks fail and how, and nothing that moves, because mon alerts again whenever it
//! changes.

use super::escape;
use crate::judge::{Evidence, Manner, Report, State, Verdict};
use crate::select::script::{file_name, is_interpreter};
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
    if verdict.manner == Manner::Busy {
        let found = found(verdict.evidence.iter(), steady_name, |name, user| {
            format!("{name} ({user})")
        });
        return format!("{}: {}", cut(&name), found.join(", "));
    }
    let found = found(verdict.evidence.iter(), steady_name, |name, user| {
        format!("({name}, {user})")
    });
    if found.is_empty() {
        line
    } else {
        format!("{line} {}", found.join(" "))
    }
}

/// What a program is called that may call itself whatever it likes: by its file, unless that tells nothing of what it does.
pub(super) fn name_of_program(evidence: &Evidence) -> Vec<u8> {
    let known = evidence.program.starts_with(b"/");
    let file = file_name(&evidence.program);
    let telling = known && !is_interpreter(file) && file != b"busybox";
    if telling && !file.starts_with(&evidence.name) {
        file.to_vec()
    } else {
        steady_name(evidence)
    }
}

/// The programs and users that were found, a few of them.
pub(super) fn found<'a>(
    evidence: impl Iterator<Item = &'a Evidence>,
    name: impl Fn(&Evidence) -> Vec<u8>,
    tell: impl Fn(&str, &str) -> String,
) -> Vec<String> {
    let found: BTreeSet<String> = evidence
        .filter(|evidence| !evidence.lesser)
        .map(|evidence| {
            let user = escape::text(evidence.user.as_deref().unwrap_or("?").as_bytes());
            tell(&cut(&escape::text(&name(evidence))), &cut(&user))
        })
        .collect();
    found.into_iter().take(3).collect()
}

/// The comm; where that is not the program's own, with a sign in place of its numbers: programs write there what they
/// are about, `amavisd (ch3-P)`, and the line must not move with it.
fn steady_name(evidence: &Evidence) -> Vec<u8> {
    let (name, program) = (&evidence.name, &evidence.program);
    let known = program.starts_with(b"/");
    let file = program.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    if known && file.starts_with(name) {
        return name.clone();
    }
    // Where the program is not known its own name may hold numbers: up to where a title begins they stay.
    let title = || name.iter().position(|byte| b" (:/".contains(byte));
    let own = if known { 0 } else { title().unwrap_or(name.len()) };
    let mut steady = name[..own].to_vec();
    for byte in &name[own..] {
        match byte {
            b'0'..=b'9' if steady.last() == Some(&b'#') => {}
            b'0'..=b'9' => steady.push(b'#'),
            other => steady.push(*other),
        }
    }
    steady
}

/// A name of reasonable length.
pub(super) fn cut(name: &str) -> String {
    if name.chars().count() <= 120 {
        name.to_owned()
    } else {
        name.chars().take(117).chain("...".chars()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called(program: &str, name: &str) -> Evidence {
        Evidence {
            program: program.into(),
            name: name.into(),
            ..Evidence::default()
        }
    }

    #[test]
    fn what_counts_in_a_title_does_not_move_the_line() {
        let steady =
            |program: &str, name: &str| String::from_utf8(steady_name(&called(program, name))).unwrap();
        assert_eq!(steady("/usr/bin/perl", "amavisd (ch3-P)"), "amavisd (ch#-P)");
        assert_eq!(steady("/usr/bin/perl", "job52"), "job#");
        assert_eq!(steady("/usr/sbin/apache2", "apache2"), "apache2");
        assert_eq!(steady("/usr/sbin/worker", "wfccdegh"), "wfccdegh");
        assert_eq!(
            steady("/usr/bin/a-name-of-16-b", "a-name-of-16-b"),
            "a-name-of-16-b"
        );
        // The program is not known: its own name stays.
        assert_eq!(steady("apache2", "apache2"), "apache2");
        assert_eq!(steady("[kworker/0:1]", "kworker/0:1"), "kworker/#:#");
    }

    #[test]
    fn a_program_that_is_audited_is_called_by_its_file_whatever_it_calls_itself() {
        let named =
            |program: &str, name: &str| String::from_utf8(name_of_program(&called(program, name))).unwrap();
        assert_eq!(named("/usr/sbin/worker", "wfccdegh"), "worker");
        assert_eq!(named("/usr/bin/perl", "job52"), "job#");
        assert_eq!(named("/usr/sbin/apache2", "apache2"), "apache2");
        assert_eq!(named("[x]", "x"), "x");
    }
}
