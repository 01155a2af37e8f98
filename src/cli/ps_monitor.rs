//! Under the name of mon's `ps.monitor`: the same specs, the same exit status, the truth in place of its quirks.

use super::arguments::ViewArguments;
use super::check::RECHECK;
use super::items::items_of_specs;
use super::view::View;
use super::watch::Watch;
use crate::exit_code::Exit;
use crate::judge::{Item, Manner, Report, Verdict};
use crate::outcome::Outcome;
use crate::report::{Format, Look, capped, escape, render};
use crate::select::reading::{Reading, Subject, Value};
use crate::select::spec::{Dialect, nearest, sentence};
use crate::select::{Fault, File, Key, Matcher, Op, Plan, parse_window};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const USAGE: &str = "usage: ps.monitor [--recheck TIME] NAME:MIN-MAX ...\n\
    \x20      ps.monitor -x PID                      the name of one process\n\
    \x20      procward ps.monitor --compare SPEC ... beside mon's own ps.monitor\n";

/// Runs it.
#[must_use]
pub fn run(arguments: &[OsString], view: &ViewArguments) -> Outcome {
    let outcome = answer(arguments, view);
    if arguments.first().is_some_and(|word| word == "--compare") {
        return outcome;
    }
    // What was typed is shown in a fault.
    let text = escape::without_bars(&String::from_utf8_lossy(&outcome.text));
    Outcome::new(text, outcome.exit)
}

fn answer(arguments: &[OsString], view: &ViewArguments) -> Outcome {
    let mut words = Vec::new();
    for word in arguments {
        // Bytes taken for others would be a name that nothing has, and a silent OK.
        let Some(text) = word.to_str() else {
            let shown = escape::text(word.as_bytes());
            let text = format!("UNKNOWN: an argument is not UTF-8: {shown}\n{USAGE}");
            return Outcome::new(capped(text), Exit::Unknown);
        };
        words.push(text.to_owned());
    }
    match words.first().map(String::as_str) {
        Some("-h" | "--help" | "-V" | "--version") => Outcome::new(
            format!("procward {} as ps.monitor\n{USAGE}", env!("CARGO_PKG_VERSION")),
            Exit::Unknown,
        ),
        Some("-x") => name_of(words.get(1).map(String::as_str), view),
        Some("--compare") => compare(&words[1..], view),
        Some("--recheck") => match words.get(1).map(|word| parse_window(word)) {
            Some(Ok(window)) => judged(&words[2..], view, window),
            Some(Err(sentence)) => {
                Outcome::new(format!("UNKNOWN: --recheck: {sentence}\n{USAGE}"), Exit::Unknown)
            }
            None => Outcome::new(
                format!("UNKNOWN: --recheck wants a time span\n{USAGE}"),
                Exit::Unknown,
            ),
        },
        _ => judged(&words, view, RECHECK),
    }
}

fn judged(specs: &[String], view: &ViewArguments, window: Duration) -> Outcome {
    if specs.is_empty() {
        return Outcome::new(
            format!("UNKNOWN: nothing to check: no spec was given\n{USAGE}"),
            Exit::Unknown,
        );
    }
    if let Some(sentence) = specs.iter().find_map(|word| unknown_option(word)) {
        let sentence = escape::text(sentence.as_bytes());
        return Outcome::new(capped(format!("UNKNOWN: {sentence}\n{USAGE}")), Exit::Unknown);
    }
    match judge(specs, view, window) {
        Ok(report) => outcome(&report),
        Err(sentence) => Outcome::unknown(sentence),
    }
}

const OPTIONS: [&str; 5] = ["--recheck", "--compare", "--help", "--version", "-x"];

/// A word that begins as an option does and has no range is neither a spec nor a host's name.
fn unknown_option(word: &str) -> Option<String> {
    if !word.starts_with('-') || word.contains(':') {
        return None;
    }
    if OPTIONS.contains(&word) {
        return Some(format!("`{word}` comes before all specs"));
    }
    let name = word.split('=').next().unwrap_or(word);
    let help = match nearest(name, OPTIONS.into_iter()) {
        Some(option) => format!("did you mean `{option}`?"),
        None => "ps.monitor takes specs, NAME:MIN-MAX; options such as -r NAME are procward.monitor's".into(),
    };
    Some(format!("unknown option `{word}`; {help}"))
}

fn judge(specs: &[String], arguments: &ViewArguments, window: Duration) -> Result<Report, String> {
    let view = View::open(arguments)?;
    let mut items = items_of_specs(specs, &view, Dialect::PsMonitor);
    let mut meanings = BTreeMap::new();
    for item in &mut items {
        if let Item::Check(check) = item {
            meanings.insert(check.name.clone(), sentence(&check.selector, check.count));
            answer_to_first_word(&mut check.selector.terms);
            answer_to_script_alone(&mut check.selector.terms);
        }
    }
    let told = |mut report: Report| {
        tell_what_was_written(&mut report, &meanings);
        report
    };
    let watch = Watch {
        view: &view,
        notes: arguments.notes,
        window,
        pending: false,
        tells: &[],
        publish: &|report| {
            let report = told(report.clone());
            arguments.notes.publish(&outcome(&report));
        },
    };
    Ok(told(watch.run(&items, view.store(None))))
}

fn outcome(report: &Report) -> Outcome {
    Outcome::new(
        render(report, Format::Mon, &Look::PIPE),
        Exit::of_monitor(report.state),
    )
}

/// What the user wrote, not what it was widened to.
fn tell_what_was_written(report: &mut Report, meanings: &BTreeMap<String, String>) {
    for verdict in &mut report.verdicts {
        if let Some(meaning) = meanings.get(&verdict.name) {
            verdict.wants.clone_from(meaning);
        }
    }
}

/// ps.monitor calls `spamd child` `spamd` and `f2b/server` `server`: the name is what follows the last slash of
/// comm, up to the first blank.
fn answer_to_first_word(terms: &mut [crate::select::Term]) {
    let Some(term) = terms
        .first_mut()
        .filter(|term| term.key == Key::Name && term.op == Op::Is)
    else {
        return;
    };
    let more: Vec<Matcher> = term
        .values
        .iter()
        .filter_map(|matcher| match matcher {
            Matcher::Exact(word) => std::str::from_utf8(word).ok(),
            _ => None,
        })
        .flat_map(|word| {
            let escaped = regex::escape(word);
            let blank = (format!("{word} *"), format!(r"(?s-u)\A{escaped} .*\z"));
            let slash = (format!("*/{word}"), format!(r"(?s-u)\A.*/{escaped}(?: .*)?\z"));
            [blank, slash]
        })
        .filter_map(|(text, pattern)| Some(Matcher::Glob(text, regex::bytes::Regex::new(&pattern).ok()?)))
        .collect();
    term.values.extend(more);
}

/// The interpreters that mon's ps.monitor 1.3.6 knows.
const INTERPRETERS: [&[u8]; 6] = [b"perl", b"python", b"python3", b"python3.9", b"lua5.1", b"lua5.2"];

/// ps.monitor takes the script's name in place of these; elsewhere an interpreter answers to both.
fn answer_to_script_alone(terms: &mut Vec<crate::select::Term>) {
    let is_one = |matcher: &Matcher| matches!(matcher, Matcher::Exact(word) if INTERPRETERS.contains(&word.as_slice()));
    let named = terms.first().is_some_and(|term| {
        term.key == Key::Name && term.op == Op::Is && term.values.first().is_some_and(is_one)
    });
    let any = regex::bytes::Regex::new("").ok();
    if let Some(any) = any.filter(|_| named) {
        terms.push(crate::select::Term {
            text: "script!=*".into(),
            key: Key::Script,
            op: Op::IsNot,
            values: vec![Matcher::Glob("*".into(), any)],
        });
    }
}

fn name_of(pid: Option<&str>, view: &ViewArguments) -> Outcome {
    let Some(pid) = pid.and_then(|pid| pid.parse::<i32>().ok()) else {
        return Outcome::new(format!("UNKNOWN: -x wants a process id\n{USAGE}"), Exit::Unknown);
    };
    let view = match View::open(view) {
        Ok(view) => view,
        Err(sentence) => return Outcome::unknown(sentence),
    };
    let snapshot = view.look(&Plan::everything(&[File::Stat, File::Comm, File::Cmdline]));
    let Some(process) = snapshot.by_pid(pid) else {
        return Outcome::unknown(format!("there is no process {pid} in this view"));
    };
    let subject = Subject::of(process, &snapshot);
    let name = match subject.read(Key::Name) {
        Reading::One(value) => Some(value),
        Reading::Set(names, _) => names.into_iter().next(),
        _ => None,
    };
    // Where the arguments can't be read, comm is still a name.
    let name = match (name, subject.read(Key::Comm)) {
        (Some(Value::Bytes(name)), _) | (_, Reading::One(Value::Bytes(name))) => name,
        (_, Reading::Unreadable(why)) => {
            let line = format!(
                "UNKNOWN: the name of process {pid} can't be read: {}\n",
                why.text()
            );
            return Outcome::new(line, Exit::Unknown);
        }
        _ => return Outcome::new(format!("UNKNOWN: process {pid} has no name\n"), Exit::Unknown),
    };
    Outcome::new(
        format!("PID:{pid} has name \"{}\"\n", escape::text(&name)),
        Exit::Ok,
    )
}

/// Where mon's own ps.monitor may be; the first is where dpkg-divert puts it.
const THEIRS: [&str; 2] = [
    "/usr/lib/mon/mon-local.d/ps.monitor.distrib",
    "/usr/lib/mon/mon-local.d/ps.monitor",
];

/// Mon's own program, unless that is a link to us.
fn theirs() -> Option<PathBuf> {
    let inode = |path: &str| std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    let own = inode("/proc/self/exe");
    THEIRS
        .iter()
        .find(|path| inode(path).is_some_and(|file| Some(file) != own))
        .map(PathBuf::from)
}

/// What a verdict says on our side of the comparison.
fn here(verdict: &Verdict) -> String {
    if let Some(faulty) = &verdict.faulty {
        let told = |fault: &Fault| format!("{}; {}", fault.message, fault.help);
        let faults: Vec<String> = faulty.faults.iter().map(told).collect();
        return format!("faulty here: {}", faults.join("; "));
    }
    let head = format!(
        "{} here, {} match of {}",
        verdict.manner.word(),
        verdict.matched,
        verdict.wants
    );
    let why = verdict.reasons.iter().chain(&verdict.left_out).cloned();
    [head].into_iter().chain(why).collect::<Vec<_>>().join("; ")
}

fn compare(specs: &[String], view: &ViewArguments) -> Outcome {
    let Some(path) = theirs() else {
        return Outcome::unknown("mon's own ps.monitor is not installed here");
    };
    let output = match Command::new(&path).args(specs).output() {
        Ok(output) => output,
        Err(error) => return Outcome::unknown(format!("cannot run {}: {error}", path.display())),
    };
    let report = match judge(specs, view, Duration::ZERO) {
        Ok(report) => report,
        Err(sentence) => return Outcome::unknown(sentence),
    };
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let their_failures: BTreeSet<&str> = stdout
        .lines()
        .next()
        .unwrap_or_default()
        .split(' ')
        .filter_map(|word| word.rsplit_once(':').map(|(name, _)| name))
        .collect();
    let mut text = format!(
        "mon's ps.monitor ends {}, procward {}\n",
        output
            .status
            .code()
            .map_or_else(|| "by a signal".to_owned(), |code| code.to_string()),
        Exit::of_monitor(report.state).code()
    );
    let mut same = true;
    for verdict in &report.verdicts {
        let theirs = their_failures.contains(verdict.name.as_str());
        let ours = verdict.manner != Manner::Fine;
        if ours == theirs {
            continue;
        }
        same = false;
        let said = if theirs { "a failure there" } else { "fine there" };
        let line = format!("{}: {said}, {}", verdict.name, here(verdict));
        text += &escape::text(line.as_bytes());
        text.push('\n');
    }
    if same {
        text += "the same specs fail\n";
    }
    Outcome::new(capped(text), if same { Exit::Ok } else { Exit::Warning })
}
