//! Near misses: which processes came closest to a check that found too few, and what they failed.

use super::Check;
use super::evidence::describe;
use super::verdict::{Failed, NearMiss};
use crate::select::names::file_name;
use crate::select::reading::{NONE, Reading, Subject, Value};
use crate::select::selection::{program, short_name};
use crate::select::{Key, Kind, Matcher, Selection, Term, Truth};
use crate::snapshot::{Accounts, Bytes, Process, Snapshot};
use std::collections::BTreeSet;

/// How many are told.
const TOLD: usize = 3;

/// The processes that came closest: those that fail the fewest terms, and of those that fail the only term those
/// whose name or path is nearest.
#[must_use]
pub fn near_misses(
    check: &Check,
    selection: &Selection,
    snapshot: &Snapshot,
    accounts: &dyn Accounts,
) -> Vec<NearMiss> {
    let unknown = selection.unknown.iter().map(|(index, ..)| *index);
    let left_out = selection.left_out.iter().map(|(index, _)| *index);
    let counted: BTreeSet<usize> = selection
        .matched
        .iter()
        .copied()
        .chain(unknown)
        .chain(left_out)
        .collect();
    let mut ranked: Vec<(usize, u32, usize)> = Vec::new();
    for (index, process) in snapshot.processes.iter().enumerate() {
        if counted.contains(&index) || Some(process.pid) == snapshot.observer.pid {
            continue;
        }
        let subject = Subject::of(process, snapshot);
        let failed: Vec<&Term> = check
            .selector
            .terms
            .iter()
            .filter(|term| term.truth(subject, false) == Truth::No)
            .collect();
        let likeness = failed
            .iter()
            .map(|term| likeness(term, process))
            .max()
            .unwrap_or(0);
        // A process is near when it looks like what was asked for, or holds an identifying term.
        let identified = check
            .selector
            .terms
            .iter()
            .any(|term| is_identity(term) && term.truth(subject, false) == Truth::Yes);
        // What was not read of a process that fails another term would hardly hold.
        let terms = check.selector.terms.iter();
        let unread = terms.filter(|term| matches!(term.truth(subject, false), Truth::Pending(_)));
        if likeness > 0 || identified {
            ranked.push((failed.len() + unread.count(), u32::MAX - likeness, index));
        }
    }
    ranked.sort_unstable();
    ranked
        .into_iter()
        .take(TOLD)
        .map(|(_, _, index)| near_miss(check, &snapshot.processes[index], snapshot, accounts))
        .collect()
}

fn near_miss(check: &Check, process: &Process, snapshot: &Snapshot, accounts: &dyn Accounts) -> NearMiss {
    let subject = Subject::of(process, snapshot);
    let failed = check
        .selector
        .terms
        .iter()
        .filter(|term| term.truth(subject, false) == Truth::No)
        .map(|term| Failed {
            wanted: term.text.clone(),
            found: found(subject, term, accounts),
        })
        .collect();
    NearMiss {
        process: describe(process, snapshot, accounts),
        failed,
    }
}

fn is_identity(term: &Term) -> bool {
    matches!(
        term.key,
        Key::Name | Key::Comm | Key::Exe | Key::Script | Key::Unit
    ) && !term.op.negated()
}

/// What was found in place of what a term wanted, fit for a report: arguments are never told.
#[must_use]
pub fn found(subject: Subject<'_>, term: &Term, accounts: &dyn Accounts) -> Bytes {
    if matches!(term.key, Key::Arg | Key::Cmdline) {
        return b"other arguments".to_vec();
    }
    let show = |value: &Value<'_>| shown(value, term, accounts);
    match subject.read(term.key) {
        Reading::One(value) => show(&value),
        Reading::Set(values, None) if values.is_empty() => b"none".to_vec(),
        // There may be thousands.
        Reading::Set(values, _) if term.key == Key::Fd => {
            let asked: Vec<Bytes> = values
                .iter()
                .filter(|value| term.picks(value))
                .map(show)
                .collect();
            if asked.is_empty() {
                format!("none of {}", values.len()).into_bytes()
            } else {
                asked.join(&b", "[..])
            }
        }
        Reading::Set(values, _) => values.iter().map(show).collect::<Vec<_>>().join(&b", "[..]),
        Reading::NotApplicable => b"none".to_vec(),
        Reading::Unreadable(why) => why.text().into_bytes(),
        Reading::Need(_) => b"not read".to_vec(),
    }
}

fn shown(value: &Value<'_>, term: &Term, accounts: &dyn Accounts) -> Bytes {
    match value {
        Value::Bytes(bytes) => bytes.to_vec(),
        Value::Exe(exe) if is_same_text(term, exe.path()) && exe.is_deleted() == Some(true) => {
            b"a file of that name that was deleted".to_vec()
        }
        Value::Exe(exe) if is_same_text(term, exe.path()) => {
            b"another file under that name, in another mount namespace".to_vec()
        }
        Value::Exe(exe) => exe.text.clone(),
        Value::YesNo(inside) if term.key == Key::Scope => if *inside { "container" } else { "host" }.into(),
        Value::YesNo(yes) => if *yes { "yes" } else { "no" }.into(),
        Value::Endpoint(endpoint) => endpoint.text(),
        Value::Stack(members) => members.join(&b"//&"[..]),
        Value::Caps(held) => held.text().into_bytes(),
        Value::Number(mode) if term.key.kind() == Kind::Octal => format!("{mode:04o}").into_bytes(),
        Value::Number(tenths) if term.key.kind() == Kind::Percent => percent(*tenths).into_bytes(),
        Value::Number(id) => number(*id, term.key, accounts).into_bytes(),
    }
}

/// Tenths of a percent as percent.
#[must_use]
pub fn percent(tenths: i64) -> String {
    format!("{}.{}%", tenths / 10, tenths % 10)
}

fn number(id: i64, key: Key, accounts: &dyn Accounts) -> String {
    if id == NONE && matches!(key, Key::GroupsUnearned | Key::GidUnearned) {
        return "none".into();
    }
    let name = u32::try_from(id).ok().and_then(|id| match key.kind() {
        Kind::User => accounts.user_name(id),
        Kind::Group => accounts.group_name(id),
        _ => None,
    });
    name.unwrap_or_else(|| id.to_string())
}

fn is_same_text(term: &Term, path: &[u8]) -> bool {
    term.values
        .iter()
        .any(|matcher| matches!(matcher, Matcher::File(file) if file.text == path))
}

/// How much a process that fails a term looks like what the term asks for; 0 is not at all.
fn likeness(term: &Term, process: &Process) -> u32 {
    if term.op.negated() || !matches!(term.key, Key::Name | Key::Comm | Key::Exe | Key::Script) {
        return 0;
    }
    let name = short_name(process).to_ascii_lowercase();
    let path = program(process);
    let score = |matcher: &Matcher| {
        let wanted: &[u8] = match matcher {
            Matcher::Exact(text) => text,
            Matcher::File(path) => &path.text,
            Matcher::Glob(text, _) => text.as_bytes(),
            _ => return 0,
        };
        let wanted_name = file_name(wanted).to_ascii_lowercase();
        let directory = wanted.len() - file_name(wanted).len();
        if name.is_empty() || wanted_name.is_empty() {
            0
        } else if file_name(&path).to_ascii_lowercase() == wanted_name || name == wanted_name {
            100
        } else if begins_alike(&name, &wanted_name) {
            80
        } else if directory > DIRECTORY_OF_MANY && path.starts_with(&wanted[..directory]) {
            60
        } else if is_alike(&name, &wanted_name) {
            50
        } else {
            0
        }
    };
    term.values.iter().map(score).max().unwrap_or(0)
}

/// One begins with the other, and so they have more in common than a few letters.
fn begins_alike(name: &[u8], wanted: &[u8]) -> bool {
    let common = name.len().min(wanted.len());
    common >= LETTERS && common * 2 >= wanted.len() && name[..common] == wanted[..common]
}

/// Two letters are in common by chance.
const LETTERS: usize = 3;

/// Alike to seven tenths. The distance is at least the difference of the lengths, and dear where they are long.
fn is_alike(name: &[u8], wanted: &[u8]) -> bool {
    let [name, wanted] = [name, wanted].map(String::from_utf8_lossy);
    let (short, long) = (name.chars().count(), wanted.chars().count());
    let (short, long) = (short.min(long), short.max(long));
    short * 10 >= long * 7 && strsim::normalized_damerau_levenshtein(&name, &wanted) >= 0.7
}

/// `/usr/sbin/` and `/usr/bin/` hold everything; being there is no likeness.
const DIRECTORY_OF_MANY: usize = "/usr/local/sbin/".len();
