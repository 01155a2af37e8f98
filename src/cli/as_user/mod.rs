//! `procward config check --as USER`: what each check gives with that user's rights, and what those lack.
//!
//! The configuration is read with the caller's rights. Then procward becomes the user for good and looks twice: with
//! the capabilities that could be granted, and without.

mod finding;
mod person;
mod text;

use super::arguments::ViewArguments;
use super::view::View;
use super::watch::Watch;
use crate::config::load::Files;
use crate::judge::alternative::alternatives;
use crate::judge::{Check, Faulty, Item, Report, State, Verdict};
use crate::outcome::Outcome;
use crate::report::escape;
use crate::select::{Capability, File, Plan, Selector, select};
use crate::snapshot::{Gap, Snapshot};
use finding::{Kind, kind};
use person::Person;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

/// A check that needs more than the user's rights.
struct Finding {
    check: Check,
    kind: Kind,
    verdict: Verdict,
    granted: Option<Verdict>,
    /// How many processes it means, as far as could be seen with all that could be granted.
    meant: usize,
    /// What may be written in its place.
    alternative: Option<Alternative>,
}

/// A selector that was tried with the user's rights, and what it gave.
struct Alternative {
    selector: Selector,
    state: State,
}

/// Everything there is to tell.
struct Trial<'a> {
    person: Person,
    config: Option<&'a Path>,
    items: Vec<Item>,
    /// Files of the configuration that the user may not read.
    closed: Vec<Faulty>,
    findings: Vec<Finding>,
    /// Services of the system manager that run as the user.
    units: BTreeSet<String>,
    /// What the user has already, by the file of the program or as root.
    held: Vec<Capability>,
    /// Others' processes are hidden from the user.
    hidden: bool,
    /// procward itself lacks what could be granted, so that could not be tried.
    untried: bool,
}

/// Several looks with all that can be read, on a busy host.
const TIME: Duration = Duration::from_secs(60);

/// Runs it.
pub(super) fn run(user: &str, config: Option<&Path>, arguments: &ViewArguments) -> Outcome {
    match attempt(user, config, arguments) {
        Ok(trial) => text::outcome(&trial),
        Err(sentence) => Outcome::unknown(escape::text(sentence.as_bytes())),
    }
}

fn attempt<'a>(user: &str, config: Option<&'a Path>, arguments: &ViewArguments) -> Result<Trial<'a>, String> {
    if arguments.proc.is_some() || arguments.snapshot.is_some() {
        return Err("rights are tried on the live host: leave --proc and --snapshot out".into());
    }
    // Somebody waits for it at a terminal, and no plugin's caller does.
    arguments.notes.ask_for(TIME);
    let view = View::open(arguments)?;
    let person = Person::find(user)?;
    let caller = rustix::process::geteuid().as_raw();
    if caller != 0 && caller != person.uid {
        return Err(format!(
            "only root can look with another user's rights: sudo procward config check --as {}",
            person.name
        ));
    }
    let files = Files::read(config, view.notes());
    let granted = if caller == person.uid {
        None
    } else {
        Granted::look(&person, &files, &view)?
    };
    let held = person::held()?;
    let closed = closed(&Files::read(config, view.notes()), &files);
    let items = files.check(&view).items;
    let report = Watch::at_once(&view).run(&items, None);
    let seen = match &granted {
        Some(granted) => &granted.snapshot,
        None => &view.look(&Plan::everything(&File::ALL)),
    };
    let rights = person::Rights {
        uid: person.uid,
        held: &held,
    };
    let mut cases = Vec::new();
    for item in &items {
        let Item::Check(check) = item else { continue };
        let Some(verdict) = report.verdicts.iter().find(|v| v.name == check.name) else {
            continue;
        };
        let with = granted.as_ref().and_then(|granted| granted.verdict(&check.name));
        if let Some(kind) = kind(check, verdict, with, &rights) {
            cases.push((
                kind,
                verdict,
                with,
                Case::of(check, seen, granted.is_some(), &view),
            ));
        }
    }
    let instead = cases.iter().flat_map(|(.., case)| case.instead.iter());
    let now = view.look(&Plan::telling(instead.map(Check::wanted).collect(), false));
    let finding = |(kind, verdict, with, case): (Kind, &Verdict, Option<&Verdict>, Case<'_>)| Finding {
        check: case.check.clone(),
        kind,
        verdict: verdict.clone(),
        granted: with.cloned(),
        meant: case.meant.len(),
        alternative: case.first_that_holds(&now),
    };
    Ok(Trial {
        findings: cases.into_iter().map(finding).collect(),
        units: units_of(person.uid, seen),
        untried: granted.is_none() && caller != person.uid,
        hidden: now.gaps.iter().any(|gap| matches!(gap, Gap::HidePid(_))),
        held,
        person,
        config,
        items,
        closed,
    })
}

/// The look with the capabilities that could be granted.
struct Granted {
    report: Report,
    snapshot: Snapshot,
}

impl Granted {
    /// Becomes the user, looks, and gives the capabilities up. None where procward has not all of them itself, as
    /// root of a container.
    fn look(person: &Person, files: &Files, view: &View) -> Result<Option<Granted>, String> {
        if !person.become_with_grants()? {
            person.give_up_grants()?;
            return Ok(None);
        }
        let items = files.clone().check(view).items;
        let report = Watch::at_once(view).run(&items, None);
        let snapshot = view.look(&Plan::everything(&File::ALL));
        person.give_up_grants()?;
        Ok(Some(Granted { report, snapshot }))
    }

    fn verdict(&self, name: &str) -> Option<&Verdict> {
        self.report.verdicts.iter().find(|verdict| verdict.name == name)
    }
}

/// The files that only the caller could read.
fn closed(own: &Files, callers: &Files) -> Vec<Faulty> {
    let known: Vec<&str> = callers.faulty().map(|faulty| faulty.source.as_str()).collect();
    let new = own
        .faulty()
        .filter(|faulty| !known.contains(&faulty.source.as_str()));
    new.cloned().collect()
}

/// What tells a process from a later one of its PID.
type Identity = (i32, Option<u64>);

fn identities(indices: &[usize], snapshot: &Snapshot) -> BTreeSet<Identity> {
    let processes = indices.iter().map(|index| &snapshot.processes[*index]);
    processes
        .map(|process| (process.pid, process.stat.value().map(|stat| stat.starttime)))
        .collect()
}

/// A check that needs more than the user's rights, the processes that it means, and what may be written in its place.
struct Case<'a> {
    check: &'a Check,
    meant: BTreeSet<Identity>,
    instead: Vec<Check>,
}

impl Case<'_> {
    /// `certain`: the look was made with all that could be granted, so what it could not tell is not meant.
    fn of<'a>(check: &'a Check, seen: &Snapshot, certain: bool, view: &View) -> Case<'a> {
        let selection = select(&check.wanted(), seen);
        let mut meant = selection.matched;
        if !certain && check.count.min > 0 {
            meant.extend(selection.unknown.iter().map(|(index, ..)| *index));
        }
        let selectors = alternatives(check, &meant, seen, view);
        Case {
            check,
            meant: identities(&meant, seen),
            instead: selectors
                .into_iter()
                .map(|own| check.with_selector(own))
                .collect(),
        }
    }

    /// The first that this look with the user's rights decides, and that means just the processes that the check means.
    fn first_that_holds(&self, now: &Snapshot) -> Option<Alternative> {
        let holds = |instead: &Check| {
            let selection = select(&instead.wanted(), now);
            let decided = selection.unknown.is_empty() && !now.gaps.iter().any(Gap::blinds);
            let any = self.check.count.min == 0 || self.meant.is_empty();
            let same = || identities(&selection.matched, now) == self.meant;
            (decided && (any || same())).then(|| Alternative {
                selector: instead.selector.clone(),
                state: instead.state_of(selection.matched.len() as u64),
            })
        };
        self.instead.iter().find_map(holds)
    }
}

/// The services that run processes of the user: where his procward may be started.
fn units_of(uid: u32, seen: &Snapshot) -> BTreeSet<String> {
    let unit = |process: &crate::snapshot::Process| {
        let owner = process.owner.value()?;
        let cgroup = process.cgroup.value()?;
        let unit = std::str::from_utf8(crate::select::place::unit(&cgroup.path)?).ok()?;
        (owner.0 == uid && unit.ends_with(".service") && !unit.starts_with("user@")).then(|| unit.to_owned())
    };
    seen.processes.iter().filter_map(unit).collect()
}
