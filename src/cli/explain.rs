//! `procward explain`: term by term, why a process matches a spec or does not.

use super::arguments::ViewArguments;
use super::items::view_and_spec;
use super::view::View;
use crate::exit_code::Exit;
use crate::judge::Check;
use crate::judge::near::found;
use crate::outcome::Outcome;
use crate::report::escape;
use crate::select::reading::{Reading, Subject, Value};
use crate::select::selection::{LeftOut, Meaning, program};
use crate::select::spec::sentence;
use crate::select::{Plan, Range, Spec, Truth, select};
use crate::snapshot::{Process, Snapshot};
use clap::Args;
use std::fmt::Write;

/// The arguments of `explain`.
#[derive(Clone, Args, Debug)]
pub struct Explain {
    /// Such as `cron,user=root:1`
    pub spec: String,
    /// Of this process alone
    #[arg(value_parser = pid)]
    pub pid: Option<i32>,
}

fn pid(text: &str) -> Result<i32, String> {
    text.parse()
        .ok()
        .filter(|pid| *pid > 0)
        .ok_or_else(|| "a PID is a number".into())
}

/// How many processes are told of each kind.
const TOLD: usize = 10;

impl Explain {
    /// Runs it.
    pub fn run(self, arguments: &ViewArguments) -> Outcome {
        let (view, spec) = match view_and_spec(arguments, &self.spec) {
            Ok(both) => both,
            Err(outcome) => return outcome,
        };
        let check = check_of(&spec);
        let snapshot = view.look_over(&Plan::telling(vec![check.wanted()], true), check.pace.window);
        let mut text = String::new();
        let count = spec.range.unwrap_or(Range::AT_LEAST_ONE);
        let _ = writeln!(
            text,
            "{}: {}",
            escape::text(self.spec.as_bytes()),
            escape::text(sentence(&spec.selector, count).as_bytes())
        );
        let mut exit = Exit::Ok;
        match self.pid {
            Some(pid) => match snapshot.by_pid(pid) {
                Some(process) => one(&mut text, &check, process, &snapshot, &view),
                None => {
                    let _ = writeln!(text, "there is no process {pid} in this view");
                    exit = Exit::Unknown;
                }
            },
            None => all(&mut text, &check, &snapshot, &view),
        }
        for gap in &snapshot.gaps {
            let _ = writeln!(text, "incomplete view: {}", escape::text(gap.text().as_bytes()));
        }
        Outcome::new(text, exit)
    }
}

/// A check that only selects.
#[must_use]
pub fn check_of(spec: &Spec) -> Check {
    let count = spec.range.unwrap_or(Range::AT_LEAST_ONE);
    Check::new(spec.selector.text.clone(), spec.selector.clone(), count)
}

fn all(text: &mut String, check: &Check, snapshot: &Snapshot, view: &View) {
    let selection = select(&check.wanted(), snapshot);
    let mut section = |title: &str, indices: Vec<usize>| {
        if indices.is_empty() {
            return;
        }
        let _ = writeln!(text, "\n{title}: {}", indices.len());
        for index in indices.iter().take(TOLD) {
            one(text, check, &snapshot.processes[*index], snapshot, view);
        }
        if indices.len() > TOLD {
            let _ = writeln!(text, "  and {} more", indices.len() - TOLD);
        }
    };
    section("match", selection.matched.clone());
    section(
        "can't be told",
        selection.unknown.iter().map(|(index, ..)| *index).collect(),
    );
    section(
        "left out",
        selection.left_out.iter().map(|(index, _)| *index).collect(),
    );
    let near = crate::judge::near::near_misses(check, &selection, snapshot, view);
    let index_of = |pid: i32| {
        snapshot
            .processes
            .binary_search_by_key(&pid, |process| process.pid)
            .ok()
    };
    section(
        "came close",
        near.iter()
            .filter_map(|miss| index_of(miss.process.pid))
            .collect(),
    );
    if selection.matched.is_empty() && selection.unknown.is_empty() && near.is_empty() {
        let _ = writeln!(
            text,
            "\nno process matches, or nearly matches; {} were seen",
            snapshot.seen
        );
    }
}

fn one(text: &mut String, check: &Check, process: &Process, snapshot: &Snapshot, view: &View) {
    let wanted = check.wanted();
    let subject = Subject::of(process, snapshot);
    let verdict = match wanted.meaning(subject, snapshot) {
        Meaning::Told(Truth::Yes) => "matches".to_owned(),
        Meaning::Told(Truth::No) => "does not match".to_owned(),
        Meaning::Told(Truth::Unknown(key, why)) => format!("can't be told: {} {}", key.name(), why.text()),
        Meaning::Told(Truth::Pending(_)) => "can't be told: not read".to_owned(),
        Meaning::LeftOut(why) => format!("left out: {}", left_out(why, check)),
    };
    let _ = writeln!(
        text,
        "  pid {} {}: {}",
        process.pid,
        escape::text(&program(process)),
        escape::text(verdict.as_bytes())
    );
    for term in &check.selector.terms {
        let strict = wanted.strict;
        let mark = match term.truth(subject, strict) {
            Truth::Yes => "yes",
            Truth::No => "no",
            Truth::Unknown(..) | Truth::Pending(_) => "?",
        };
        let value = match subject.read(term.key) {
            Reading::NotApplicable => "has none".to_owned(),
            Reading::One(Value::Exe(exe)) if mark == "yes" => escape::text(&exe.text),
            _ => escape::text(&found(subject, term, view)),
        };
        let value = if mark == "yes" && value == "other arguments" {
            "found".to_owned()
        } else {
            value
        };
        let _ = writeln!(
            text,
            "    {mark:<4}{:<32} {value}",
            escape::text(term.text.as_bytes())
        );
    }
}

fn left_out(why: LeftOut, check: &Check) -> String {
    match why {
        LeftOut::Procward => "procward itself (--match-self counts it)".into(),
        LeftOut::OwnCommandLine => "its command line holds procward's own arguments".into(),
        LeftOut::ForkedCopy => "a forked copy of a process above procward that has not exec'ed".into(),
        LeftOut::Zombie => "a zombie (name `state` to count them)".into(),
        LeftOut::Container => "in a container (scope=all counts it)".into(),
        LeftOut::Exception(number) | LeftOut::ByName(number) => check
            .except
            .get(number)
            .map_or_else(String::new, |exception| exception.reason.clone()),
    }
}
