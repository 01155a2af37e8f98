//! Every spec for real hosts in docs/selectors.md, on the host of tests/fixtures/host.toml: which processes it
//! selects, and the verdict; as root and with nobody's rights.

use crate::common::Procward;
use crate::docs::{document, first_column};
use crate::fixture;
use procward::cli::items::items_of_specs;
use procward::judge::{Item, State, Verdict, judge};
use procward::report::escape;
use procward::select::select;
use procward::select::spec::Dialect;
use procward::snapshot::{Fact, Process, Snapshot, Why, file};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;

/// What a spec selects, and what is said of it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// Who matches.
    pids: Vec<i32>,
    /// Of whom it can't be told.
    #[serde(default)]
    unsure: Vec<i32>,
    /// OK unless it says otherwise.
    #[serde(default = "ok")]
    state: String,
    /// With nobody's rights; the same unless it says otherwise.
    nobody: Option<String>,
}

fn ok() -> String {
    State::Ok.word().to_owned()
}

pub(crate) fn host() -> Snapshot {
    fixture::snapshot(&document("tests/fixtures/host.toml"))
}

fn expectations() -> BTreeMap<String, Expected> {
    toml::from_str(&document("tests/fixtures/selected.toml")).unwrap_or_else(|error| panic!("{error}"))
}

fn documented() -> Vec<String> {
    first_column(&document("docs/selectors.md"), "## Specs for real hosts")
}

/// As any user sees it: of others' processes neither the program nor the descriptors.
fn seen_by_nobody(mut snapshot: Snapshot) -> Snapshot {
    snapshot.observer.may_trace = false;
    for process in &mut snapshot.processes {
        deny(&mut process.exe);
        deny(&mut process.fds);
        deny(&mut process.descriptors);
    }
    snapshot
}

fn deny<T>(fact: &mut Fact<T>) {
    if matches!(fact, Fact::Value(_)) {
        *fact = Fact::Unreadable(Why::Denied);
    }
}

fn item(spec: &str, snapshot: &Snapshot) -> Item {
    items_of_specs(&[spec.to_owned()], &snapshot.accounts, Dialect::Native).remove(0)
}

fn verdict(spec: &str, snapshot: &Snapshot) -> Verdict {
    judge(&[item(spec, snapshot)], snapshot, &snapshot.accounts)
        .verdicts
        .remove(0)
}

fn found(spec: &str, root: &Snapshot, nobody: &Snapshot) -> Expected {
    let Item::Check(check) = item(spec, root) else {
        panic!("{spec}: faulty")
    };
    let selection = select(&check.wanted(), root);
    let pid = |index: &usize| root.processes[*index].pid;
    let state = verdict(spec, root).state;
    let denied = verdict(spec, nobody).state;
    Expected {
        pids: selection.matched.iter().map(pid).collect(),
        unsure: selection.unknown.iter().map(|(index, ..)| pid(index)).collect(),
        state: state.word().to_owned(),
        nobody: (denied != state).then(|| denied.word().to_owned()),
    }
}

/// As tests/fixtures/selected.toml has it.
fn line(spec: &str, expected: &Expected) -> String {
    let quote = if spec.contains('\'') { "\"" } else { "'" };
    let mut line = format!("{quote}{spec}{quote} = {{ pids = {:?}", expected.pids);
    if !expected.unsure.is_empty() {
        let _ = write!(line, ", unsure = {:?}", expected.unsure);
    }
    if expected.state != ok() {
        let _ = write!(line, ", state = {:?}", expected.state);
    }
    if let Some(nobody) = &expected.nobody {
        let _ = write!(line, ", nobody = {nobody:?}");
    }
    line + " }"
}

#[test]
fn each_documented_spec_selects_what_it_says() {
    let root = host();
    let nobody = seen_by_nobody(root.clone());
    let mut expectations = expectations();
    let mut wrong = Vec::new();
    for spec in documented() {
        let found = found(&spec, &root, &nobody);
        match expectations.remove(&spec) {
            Some(expected) if expected == found && !found.pids.is_empty() => {}
            Some(_) => wrong.push(line(&spec, &found)),
            None => wrong.push(format!("{} # is not expected", line(&spec, &found))),
        }
    }
    wrong.extend(
        expectations
            .keys()
            .map(|spec| format!("{spec} is not documented")),
    );
    assert!(wrong.is_empty(), "found:\n{}", wrong.join("\n"));
}

/// A snapshot in procward's own format, in a file that is gone when dropped.
pub(crate) fn saved(snapshot: &Snapshot) -> tempfile::NamedTempFile {
    let saved = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(saved.path(), file::to_bytes(snapshot).expect("bytes")).expect("written");
    saved
}

#[test]
fn procward_lists_the_same_of_a_saved_snapshot() {
    let saved = saved(&host());
    for (spec, expected) in expectations() {
        let run = Procward::new()
            .args(["list", "--snapshot"])
            .arg(saved.path())
            .arg(&spec)
            .run()
            .ends(0);
        let text = run.stdout();
        let (unsure, matched): (Vec<&str>, Vec<&str>) =
            text.lines().skip(1).partition(|line| line.contains("  unsure: "));
        let pids = |lines: Vec<&str>| -> Vec<i32> {
            let first = |line: &str| line.split_whitespace().next().and_then(|pid| pid.parse().ok());
            lines.into_iter().filter_map(first).collect()
        };
        assert_eq!(
            (pids(matched), pids(unsure)),
            (expected.pids, expected.unsure),
            "{spec}:\n{text}"
        );
    }
}

/// One run over all specs: the verdicts, by spec.
fn checked(snapshot: &Snapshot, specs: &[String], code: i32) -> BTreeMap<String, serde_json::Value> {
    let saved = saved(snapshot);
    let run = Procward::check("json")
        .arg("--snapshot")
        .arg(saved.path())
        .args(specs)
        .run()
        .ends(code);
    let report = run.json();
    let verdicts = report["verdicts"].as_array().expect("verdicts");
    assert_eq!(verdicts.len(), specs.len());
    let items = items_of_specs(specs, &snapshot.accounts, Dialect::Native);
    let named = specs.iter().zip(items).map(|(spec, item)| {
        let Item::Check(check) = item else {
            panic!("{spec}: faulty")
        };
        let name = escape::text(check.name.as_bytes());
        let verdict = verdicts.iter().find(|verdict| verdict["name"] == name.as_str());
        (
            spec.clone(),
            verdict.unwrap_or_else(|| panic!("{spec}: no verdict")).clone(),
        )
    });
    named.collect()
}

#[test]
fn procward_judges_all_of_them_in_one_run_over_a_saved_snapshot() {
    let root = host();
    let nobody = seen_by_nobody(root.clone());
    let expectations = expectations();
    let specs: Vec<String> = expectations.keys().cloned().collect();
    let as_root = checked(&root, &specs, 2);
    let as_nobody = checked(&nobody, &specs, 2);
    for (spec, expected) in expectations {
        let verdict = &as_root[&spec];
        assert_eq!(verdict["state"], expected.state, "{spec}: {verdict}");
        assert_eq!(verdict["matched"], expected.pids.len(), "{spec}: {verdict}");
        assert_eq!(verdict["unknown"], expected.unsure.len(), "{spec}: {verdict}");
        let verdict = &as_nobody[&spec];
        assert_eq!(
            verdict["state"],
            expected.nobody.unwrap_or(expected.state),
            "{spec}: {verdict}"
        );
    }
}

/// Takes one kind of fact away from a process.
type Blinder = fn(&mut Process);

const BLINDERS: [(&str, Blinder); 11] = [
    ("exe and fds", |process| {
        deny(&mut process.exe);
        deny(&mut process.fds);
    }),
    ("loginuid", |process| deny(&mut process.loginuid)),
    ("comm", |process| deny(&mut process.comm)),
    ("stat", |process| deny(&mut process.stat)),
    ("owner", |process| deny(&mut process.owner)),
    ("exe", |process| deny(&mut process.exe)),
    ("cmdline", |process| deny(&mut process.cmdline)),
    ("status", |process| deny(&mut process.status)),
    ("cgroup", |process| deny(&mut process.cgroup)),
    ("fds", |process| deny(&mut process.fds)),
    ("descriptors", |process| deny(&mut process.descriptors)),
];

/// What procward can't read makes a verdict UNKNOWN, and never another: over every spec, of all processes and of
/// those that match.
#[test]
fn blindness_never_turns_one_verdict_into_another() {
    let root = host();
    let mut turned = Vec::new();
    for (spec, expected) in expectations() {
        for (what, blind) in BLINDERS {
            for only_matching in [false, true] {
                let mut snapshot = root.clone();
                snapshot
                    .processes
                    .iter_mut()
                    .filter(|process| !only_matching || expected.pids.contains(&process.pid))
                    .for_each(blind);
                let state = verdict(&spec, &snapshot).state.word();
                if state != expected.state && state != State::Unknown.word() {
                    turned.push(format!("{spec}: {} without {what} is {state}", expected.state));
                }
            }
        }
    }
    assert!(turned.is_empty(), "{}", turned.join("\n"));
}

/// What a spec wants is killed, and its children are left to PID 1: that is never OK.
#[test]
fn what_is_killed_is_missed_whatever_it_leaves_behind() {
    let root = host();
    let mut kept_quiet = Vec::new();
    let mut killed = 0;
    for (spec, expected) in expectations() {
        let Item::Check(check) = item(&spec, &root) else {
            panic!("{spec}: faulty")
        };
        if check.count.min == 0 {
            continue;
        }
        killed += 1;
        let mut snapshot = root.clone();
        snapshot
            .processes
            .retain(|process| !expected.pids.contains(&process.pid));
        for process in &mut snapshot.processes {
            if let Fact::Value(stat) = &mut process.stat
                && expected.pids.contains(&stat.ppid)
            {
                stat.ppid = 1;
            }
        }
        for seen in [snapshot.clone(), seen_by_nobody(snapshot)] {
            let verdict = verdict(&spec, &seen);
            if verdict.state == State::Ok || verdict.matched > 0 {
                kept_quiet.push(format!(
                    "{spec}: {} with {:?}",
                    verdict.state.word(),
                    verdict.evidence
                ));
            }
        }
    }
    assert!(kept_quiet.is_empty(), "{}", kept_quiet.join("\n"));
    assert!(killed > 30, "only {killed}");
}
