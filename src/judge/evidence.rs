//! What a report shows of processes, and what is known of them in the next run. Pure.

use super::check::Check;
use super::facts::facts;
use super::verdict::{EVIDENCE, Evidence, Rate, Sighting, Usage};
use crate::select::names::file_name;
use crate::select::reading::{Reading, Subject, Value};
use crate::select::selection::{program, short_name};
use crate::select::selector::{Matcher, Op};
use crate::select::usage::window;
use crate::select::{Key, Selection, place};
use crate::snapshot::{Accounts, Fact, Process, Snapshot, Why};
use std::time::Duration;

/// The processes of these indices: of CPU the greediest first, else the oldest.
pub(super) fn evidence(
    check: &Check,
    indices: &[usize],
    snapshot: &Snapshot,
    accounts: &dyn Accounts,
) -> Vec<Evidence> {
    let busy = check.is_about_cpu();
    let described = indices.iter().map(|index| {
        let process = &snapshot.processes[*index];
        let mut evidence = describe(process, snapshot, accounts);
        if let Some(name) = name_asked_for(check) {
            evidence.called = Some(name.clone());
        }
        if check.facts {
            evidence.facts = facts(&check.selector, Subject::of(process, snapshot), accounts);
        }
        if busy {
            evidence.usage = Some(usage(Subject::of(process, snapshot)));
        }
        evidence
    });
    let mut evidence: Vec<Evidence> = described.collect();
    evidence.sort_by_key(|evidence| {
        let rate = evidence.usage.map(|usage| usage.rate.map(|rate| rate.demand));
        (
            std::cmp::Reverse(rate.filter(|_| busy)),
            std::cmp::Reverse(evidence.age),
            evidence.pid,
        )
    });
    evidence
}

/// The one name that whatever matches has.
fn name_asked_for(check: &Check) -> Option<&Vec<u8>> {
    let mut terms = check.selector.terms.iter();
    terms.find_map(|term| match (term.key, term.op, term.values.as_slice()) {
        (Key::Name | Key::Comm, Op::Is, [Matcher::Exact(name)]) => Some(name),
        _ => None,
    })
}

/// Of those that may match the first few, each with what could not be told of it.
pub(super) fn unsure(selection: &Selection, snapshot: &Snapshot, accounts: &dyn Accounts) -> Vec<Evidence> {
    selection
        .unknown
        .iter()
        .take(EVIDENCE)
        .map(|(index, key, why)| Evidence {
            doubt: Some(doubt(*key, *why, &snapshot.processes[*index])),
            ..describe(&snapshot.processes[*index], snapshot, accounts)
        })
        .collect()
}

/// `exe: permission denied`; what does not answer is named, for somebody has to look after it.
fn doubt(key: Key, why: Why, process: &Process) -> String {
    let text = format!("{}: {}", key.name(), why.text());
    if why != Why::NoAnswer {
        return text;
    }
    let file = match &process.exe {
        _ if process.cmdline == Fact::Unreadable(why) => "cmdline",
        Fact::Value(exe) if exe.file == Fact::Unreadable(why) => "exe",
        _ => return text,
    };
    format!("{text} from /proc/{}/{file}", process.pid)
}

/// The processes that are known well enough to be known again.
pub(super) fn sightings(indices: &[usize], snapshot: &Snapshot) -> Vec<Sighting> {
    let seen = indices.iter().map(|index| &snapshot.processes[*index]);
    seen.filter(|process| process.exe.asked() && process.owner.asked())
        .filter_map(|process| {
            let stat = process.stat.value()?;
            Some(Sighting {
                pid: process.pid,
                start: stat.starttime,
                cpu: snapshot.host.span(stat.ticks()),
                program: program(process),
                name: short_name(process),
                uid: process.owner.value().map(|(uid, _)| *uid),
                age: snapshot.host.age(process.read_at, stat.starttime),
                known_before: false,
                span: window(Subject::of(process, snapshot)).map_or(Duration::ZERO, Duration::from_nanos),
            })
        })
        .collect()
}

/// The line of evidence about one process.
#[must_use]
pub fn describe(process: &Process, snapshot: &Snapshot, accounts: &dyn Accounts) -> Evidence {
    let subject = Subject::of(process, snapshot);
    let path = process.cgroup.value().map(|cgroup| cgroup.path.as_slice());
    let age = match subject.read(Key::Age) {
        Reading::One(Value::Number(age)) => u64::try_from(age).ok(),
        _ => None,
    };
    Evidence {
        pid: process.pid,
        program: program(process),
        name: short_name(process),
        called: called(process),
        user: process
            .owner
            .value()
            .map(|(uid, _)| accounts.user_name(*uid).unwrap_or_else(|| uid.to_string())),
        age,
        unit: path.and_then(place::unit).map(<[u8]>::to_vec),
        container: path.and_then(place::container).map(<[u8]>::to_vec),
        usage: subject.past.map(|_| usage(subject)),
        lasts: None,
        lesser: false,
        facts: Vec::new(),
        doubt: None,
    }
}

/// Its file, for that it can't change while it is this program; of a kernel thread what kind it is: what a worker is
/// called besides is the work that it does just now (`wq_worker_comm` in kernel/workqueue.c).
fn called(process: &Process) -> Option<Vec<u8>> {
    let comm = || process.stat.value().filter(|stat| stat.is_kthread());
    match process.exe.value() {
        Some(exe) => Some(file_name(exe.path()).to_vec()),
        None => comm().map(|stat| kind(&stat.comm)),
    }
}

/// `kworker` of `kworker/u8:2-events_unbound`.
fn kind(comm: &[u8]) -> Vec<u8> {
    comm.split(|byte| *byte == b'/')
        .next()
        .unwrap_or_default()
        .to_vec()
}

/// How much CPU it uses: over its life, and where there is an earlier look to compare with, since then.
fn usage(subject: Subject<'_>) -> Usage {
    let tenths = |key| match subject.read(key) {
        Reading::One(Value::Number(tenths)) => Some(tenths),
        _ => None,
    };
    let rate = || {
        let now = tenths(Key::Cpu)?;
        Some(Rate {
            now,
            demand: tenths(Key::CpuDemand).unwrap_or(now),
            reaped: tenths(Key::CpuReaped).unwrap_or(0),
            over: Duration::from_nanos(window(subject)?),
        })
    };
    Usage {
        rate: rate(),
        life: tenths(Key::CpuLife).unwrap_or(0),
    }
}
