//! Two properties of selecting: reading by plan finds what reading everything finds, and a verdict holds whatever
//! was behind the facts that could not be read.

use super::dice::Dice;
use super::meant;
use super::uncovered::uncovered;
use crate::judge::{Check, State};
use crate::select::plan::asked;
use crate::select::selection::Wanted;
use crate::select::{File, Key, Plan, Selector, Sieve, Sight, Step};
use crate::snapshot::{Fact, Process, Snapshot};

pub(super) fn wanted(selector: &Selector, strict: bool) -> Wanted {
    Wanted {
        selector: selector.clone(),
        except: Vec::new(),
        strict,
        everywhere: strict,
        match_self: false,
    }
}

/// Selecting from what the plan has read gives what selecting from everything gives.
pub(super) fn reads_what_it_needs(selectors: &[&Selector], host: &Snapshot) {
    for strict in [false, true] {
        let wanted = selectors.iter().map(|selector| wanted(selector, strict));
        let plan = Plan::deciding(wanted.collect());
        let read = by_plan(&plan, host);
        for selector in selectors {
            let [all, planned] = [host, &read].map(|snapshot| meant(selector, strict, snapshot));
            let (text, read, all_read) = (&selector.text, &read.processes, &host.processes);
            assert_eq!(
                planned, all,
                "{text}, strict {strict}: by plan {read:#?}, and by all {all_read:#?}"
            );
        }
    }
}

/// Whether a glance at these files dismisses the process.
fn dismissed(sieve: &mut Sieve<'_>, whole: &Process, host: &Snapshot) -> bool {
    let mut sight = Sight::default();
    sieve.begin(&mut sight);
    while let Some(file) = sieve.next(&sight) {
        let mut process = fresh(whole);
        read(&mut process, whole, file);
        match (file, &process.exe) {
            (File::Exe, Fact::Value(exe)) if exe.file.value().is_some_and(|file| file.links > 0) => {
                let mut exe = exe.clone();
                if !sieve.wants_exe_text() {
                    exe.text.clear();
                }
                let content = format!("{exe:?}");
                process.exe = Fact::Value(exe);
                sieve.sift(&mut sight, file, content.as_bytes(), host, || process);
            }
            (File::Exe, _) => sieve.pass(&mut sight, file),
            (File::Stat | File::Status, _) => sieve.weigh(&mut sight, file, &process, host),
            _ => {
                let content = format!("{:?} {:?} {:?}", process.comm, process.owner, process.cgroup);
                sieve.sift(&mut sight, file, content.as_bytes(), host, || process);
            }
        }
    }
    sight.is_dismissed()
}

/// What `source` does, with a snapshot in the place of /proc.
fn by_plan(plan: &Plan, host: &Snapshot) -> Snapshot {
    let mut snapshot = Snapshot {
        processes: Vec::new(),
        ..host.clone()
    };
    let mut sieve = Sieve::of(plan, host);
    let mut open = |whole: &&Process| {
        let sieve = sieve.as_mut();
        !sieve.is_some_and(|sieve| dismissed(sieve, whole, host))
    };
    let kept: Vec<Process> = host
        .processes
        .iter()
        .filter(|whole| open(whole))
        .map(|whole| settled(plan, whole, host))
        .filter(|(step, _)| *step != Step::Dismiss)
        .map(|(_, process)| process)
        .collect();
    snapshot.processes = kept;
    let mut index = 0;
    while index < snapshot.processes.len() {
        let Some((pid, file)) = plan.need(&snapshot, index) else {
            index += 1;
            continue;
        };
        let at = snapshot
            .processes
            .binary_search_by_key(&pid, |process| process.pid);
        let whole = host.by_pid(pid);
        match (at, whole) {
            (Ok(at), Some(whole)) if !asked(&snapshot.processes[at], file) => {
                read(&mut snapshot.processes[at], whole, file);
            }
            (Err(at), Some(whole)) => {
                let (_, mut process) = settled(plan, whole, host);
                read(&mut process, whole, file);
                snapshot.processes.insert(at, process);
                index += usize::from(at <= index);
            }
            _ => index += 1,
        }
    }
    snapshot
}

fn fresh(whole: &Process) -> Process {
    Process {
        pid: whole.pid,
        read_at: whole.read_at,
        ..Process::default()
    }
}

/// One process, read until the plan has enough.
fn settled(plan: &Plan, whole: &Process, host: &Snapshot) -> (Step, Process) {
    let mut process = fresh(whole);
    read(&mut process, whole, plan.first());
    let mut course = plan.course();
    for _ in 0..=File::ALL.len() {
        match plan.next(&mut course, &process, host) {
            Step::Read(file) => {
                assert!(!asked(&process, file), "{file:?} is asked for twice");
                read(&mut process, whole, file);
            }
            step => return (step, process),
        }
    }
    panic!("the plan never has enough of {whole:?}");
}

fn read(process: &mut Process, whole: &Process, file: File) {
    match file {
        File::Comm => process.comm = whole.comm.clone(),
        File::Owner => process.owner = whole.owner.clone(),
        File::Exe => process.exe = whole.exe.clone(),
        File::Stat => process.stat = whole.stat.clone(),
        File::Cgroup => process.cgroup = whole.cgroup.clone(),
        File::Loginuid => process.loginuid = whole.loginuid.clone(),
        File::Status => process.status = whole.status.clone(),
        File::Label => process.label = whole.label.clone(),
        File::Account => process.account = whole.account.clone(),
        File::Container => process.container = whole.container.clone(),
        File::Userns => process.userns = whole.userns.clone(),
        File::Root => process.root = whole.root.clone(),
        File::Writers => process.writers = whole.writers.clone(),
        File::Threads => process.threads = whole.threads.clone(),
        File::Environ => process.environ = whole.environ.clone(),
        File::Maps => process.maps = whole.maps.clone(),
        File::Sched => process.sched = Fact::NotApplicable,
        File::Ranks => process.ranks = Fact::NotApplicable,
        File::Cmdline => process.cmdline = whole.cmdline.clone(),
        File::Fds => process.fds = whole.fds.clone(),
        File::Descriptors => process.descriptors = whole.descriptors.clone(),
    }
}

/// Keys whose answer is a careful guess where something is unreadable, as their documentation says.
const GUESSED: [Key; 6] = [
    Key::Main,
    Key::Name,
    Key::Script,
    Key::Parent,
    Key::Ancestor,
    Key::Exe,
];

/// OK stays OK and a failure stays a failure, whatever the unreadable facts were. A check with a minimum takes a
/// process whose program can't be read for another's where its name is another's, which is a guess.
pub(super) fn holds_whatever_was_not_seen(check: &Check, host: &Snapshot, dice: &mut Dice<'_>) {
    let guesses = |key: &Key| check.selector.mentions(*key);
    if GUESSED.iter().any(guesses) && (check.count.min > 0 || check.selector.mentions(Key::Main)) {
        return;
    }
    let state = |snapshot: &Snapshot| {
        let [matched, unknown] = meant_by(check, snapshot);
        check.state_of_interval(matched, unknown)
    };
    let told = state(host);
    let uncovered = Snapshot {
        processes: host
            .processes
            .iter()
            .map(|process| uncovered(process, dice))
            .collect(),
        ..host.clone()
    };
    let truth = state(&uncovered);
    // Arguments that do not fit the name leave doubts of their own.
    if told != State::Unknown && truth != State::Unknown {
        let text = &check.selector.text;
        assert_eq!(
            told, truth,
            "{text}:{} was told, of\n{:#?}",
            check.count, host.processes
        );
    }
}

fn meant_by(check: &Check, snapshot: &Snapshot) -> [u64; 2] {
    let selection = crate::select::select(&check.wanted(), snapshot);
    [selection.matched.len() as u64, selection.unknown.len() as u64]
}
