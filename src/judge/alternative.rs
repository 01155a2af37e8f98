//! What to write in place of a check that takes a right: specs of terms that everybody may read.

use super::Check;
use crate::select::names::file_name;
use crate::select::reading::{Reading, Subject, Value};
use crate::select::script::is_interpreter;
use crate::select::selection::short_name;
use crate::select::spec::{parse_selector, writing};
use crate::select::term::file_name_asked_for;
use crate::select::{Key, Matcher, Op, Selector, Term, place, select};
use crate::snapshot::{Accounts, Snapshot, Why};
use std::collections::BTreeSet;

impl Check {
    /// The same check of other processes.
    #[must_use]
    pub fn with_selector(&self, selector: Selector) -> Check {
        Check {
            selector,
            ..self.clone()
        }
    }

    /// The keys of its terms, and of its exceptions', that take a right.
    #[must_use]
    pub fn restricted_keys(&self) -> Vec<Key> {
        let excepted = self.except.iter().map(|exception| &exception.selector);
        let selectors = std::iter::once(&self.selector).chain(excepted);
        let mut keys: Vec<Key> = Vec::new();
        for term in selectors.flat_map(|selector| &selector.terms) {
            if !term.key.capabilities().is_empty() && !keys.contains(&term.key) {
                keys.push(term.key);
            }
        }
        keys
    }
}

/// Selectors that say nearly what the check says and take no right, the best first. Only `exe=` can be said otherwise:
/// by the names of the processes `meant`, and, in a check with a minimum, by their unit or user.
#[must_use]
pub fn alternatives(
    check: &Check,
    meant: &[usize],
    snapshot: &Snapshot,
    accounts: &dyn Accounts,
) -> Vec<Selector> {
    let (exe, kept): (Vec<&Term>, Vec<&Term>) = check
        .selector
        .terms
        .iter()
        .partition(|term| !term.key.capabilities().is_empty());
    let replaceable = |term: &&Term| term.key == Key::Exe && term.op == Op::Is;
    let excepted = check
        .except
        .iter()
        .flat_map(|exception| &exception.selector.terms);
    if exe.is_empty() || !exe.iter().all(replaceable) || { excepted }
        .any(|term| !term.key.capabilities().is_empty())
    {
        return Vec::new();
    }
    let (named, others): (Vec<&Term>, Vec<&Term>) = kept.into_iter().partition(|term| is_name(term));
    // A check without a minimum asks about processes that do not run yet: it must not be narrowed to those that do.
    let meant = if check.count.min == 0 { &[] } else { meant };
    let mut first: Vec<String> = named.iter().map(|term| first_term(term)).collect();
    if first.is_empty() {
        let by_name = names_of(meant, snapshot, Key::Name).or_else(|| names_asked_for(&exe));
        let by_comm = || names_of(meant, snapshot, Key::Comm).map(|names| name_term(Key::Comm, &names));
        let named = by_name.map(|names| name_term(Key::Name, &names));
        let Some(term) = named.or_else(by_comm) else {
            return Vec::new();
        };
        first.push(term);
    }
    let rest = others.iter().map(|term| term.text.clone());
    let terms: Vec<String> = first.into_iter().chain(rest).collect();
    let mut places = Vec::new();
    if !meant.is_empty() && !check.selector.mentions(Key::Unit) {
        places.extend(units_of(meant, snapshot));
    }
    if !meant.is_empty() && !check.selector.mentions(Key::User) {
        places.extend(user_of(meant, snapshot, accounts));
    }
    if places.is_empty() {
        places.push(String::new());
    }
    let texts = places.into_iter().map(|place| match place.as_str() {
        "" => terms.join(","),
        place => format!("{},{place}", terms.join(",")),
    });
    texts
        .filter_map(|text| parse_selector(&text, accounts).ok())
        .collect()
}

/// The first of them that nothing in this snapshot denies, and that selects just the processes `meant` where the
/// check has a minimum. What was not read for the check's own sake may be read for its alternative's.
#[must_use]
pub fn proven_alternative(
    check: &Check,
    meant: &[usize],
    snapshot: &Snapshot,
    accounts: &dyn Accounts,
) -> Option<Selector> {
    let proven = |selector: &Selector| {
        let selection = select(&check.with_selector(selector.clone()).wanted(), snapshot);
        let denied = selection.unknown.iter().any(|(_, _, why)| *why != Why::Absent);
        !denied && (check.count.min == 0 || selection.matched == meant)
    };
    alternatives(check, meant, snapshot, accounts)
        .into_iter()
        .find(proven)
}

fn is_name(term: &Term) -> bool {
    matches!(term.key, Key::Name | Key::Comm) && !term.op.negated()
}

/// A term as it is written in the first place: `name=master` is `master`.
fn first_term(term: &Term) -> String {
    match (&term.op, &term.values[..]) {
        (Op::Is, [Matcher::Exact(text)]) => {
            let text = std::str::from_utf8(text).ok();
            text.map_or_else(|| term.text.clone(), |text| writing::word(term.key, text))
        }
        _ => term.text.clone(),
    }
}

fn name_term(key: Key, names: &BTreeSet<String>) -> String {
    if let (1, Some(name)) = (names.len(), names.first()) {
        return writing::word(key, name);
    }
    let values: Vec<String> = names.iter().map(|name| writing::value(name)).collect();
    format!("{}={}", key.name(), values.join("|"))
}

/// More names than this are no description of a program.
const NAMES: usize = 3;

/// What the processes are called, each by the name that tells most: the whole of one over 15 bytes, an interpreter's
/// script.
fn names_of(meant: &[usize], snapshot: &Snapshot, key: Key) -> Option<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for index in meant {
        let subject = Subject::of(&snapshot.processes[*index], snapshot);
        let name = match subject.read(key) {
            Reading::One(Value::Bytes(name)) => name.into_owned(),
            Reading::Set(values, None) => {
                let names = values.into_iter().filter_map(|value| match value {
                    Value::Bytes(name) => Some(name.into_owned()),
                    _ => None,
                });
                let comm = short_name(subject.process);
                names.max_by_key(|name| (*name != comm, name.len()))?
            }
            _ => return None,
        };
        names.insert(String::from_utf8(name).ok()?);
    }
    (1..=NAMES).contains(&names.len()).then_some(names)
}

/// The file names in the paths asked for. What an interpreter runs has another name.
fn names_asked_for(exe: &[&Term]) -> Option<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for matcher in exe.iter().flat_map(|term| &term.values) {
        let name = file_name(file_name_asked_for(matcher)?);
        if name.is_empty() || is_interpreter(name) {
            return None;
        }
        names.insert(String::from_utf8(name.to_vec()).ok()?);
    }
    (exe.len() == 1 && names.len() <= NAMES).then_some(names)
}

/// `unit=` of the one service that all of them belong to: first for all instances of a template, then for this one.
/// Only root names the units of the system manager.
fn units_of(meant: &[usize], snapshot: &Snapshot) -> Vec<String> {
    let unit = |index: &usize| {
        let cgroup = snapshot.processes[*index].cgroup.value()?;
        let unit = std::str::from_utf8(place::unit(&cgroup.path)?).ok()?;
        (unit.ends_with(".service") && !unit.starts_with("user@")).then(|| unit.to_owned())
    };
    let units: Option<BTreeSet<String>> = meant.iter().map(unit).collect();
    let Some(unit) = units
        .filter(|units| units.len() == 1)
        .and_then(|units| units.into_iter().next())
    else {
        return Vec::new();
    };
    let exact = format!("unit={}", writing::value(&unit));
    match unit.split_once('@') {
        Some((template, instance)) if instance != ".service" => {
            vec![format!("unit={}@*.service", writing::value(template)), exact]
        }
        _ => vec![exact],
    }
}

fn user_of(meant: &[usize], snapshot: &Snapshot, accounts: &dyn Accounts) -> Option<String> {
    let uid = |index: &usize| snapshot.processes[*index].owner.value().map(|(uid, _)| *uid);
    let uids: Option<BTreeSet<u32>> = meant.iter().map(uid).collect();
    let uid = uids.filter(|uids| uids.len() == 1)?.into_iter().next()?;
    let user = accounts.user_name(uid).unwrap_or_else(|| uid.to_string());
    Some(format!("user={}", writing::quoted(&user)))
}
