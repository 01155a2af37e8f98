//! Which processes of a snapshot a check means: matched, unknown, and left out.

use super::names::file_name;
use super::reading::{Reading, Subject};
use super::truth::Need;
use super::{File, Key, Op, Selector, Term, Truth};
use crate::snapshot::{Fact, Process, Snapshot, Why};

/// What a check asks for, as far as selecting goes.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Its terms.
    pub selector: Selector,
    /// Processes that do not count.
    pub except: Vec<Except>,
    /// The check has no minimum: an unreadable program may be any program.
    pub strict: bool,
    /// The check forbids: processes in containers are looked at too.
    pub everywhere: bool,
    /// Count procward itself.
    pub match_self: bool,
}

/// Processes that do not count.
#[derive(Clone, Debug)]
pub struct Except {
    /// Which.
    pub selector: Selector,
    /// What of a process it is about.
    pub exempts: Exempts,
}

/// What of a process an exception is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exempts {
    /// That it matches; where the exception can't be told, it is not known whether it counts.
    Match,
    /// The same, but the name of a process exempts it where its program can't be read; what else can't be told exempts
    /// nobody.
    MatchByName,
    /// That it can't be told whether it matches: who accepts that knows why.
    Doubt,
}

/// What a process is to a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The terms: yes, no, unknown or pending.
    Told(Truth),
    /// The terms hold, but the process does not count.
    LeftOut(LeftOut),
}

/// Why a process that the terms mean does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// procward itself, or another procward.
    Procward,
    /// A process above procward, matched only by the arguments of procward's own command line in it.
    OwnCommandLine,
    /// A copy of a process above procward that has not exec'ed yet.
    ForkedCopy,
    /// A zombie, where the spec does not name `state`.
    Zombie,
    /// In a container.
    Container,
    /// By the exception of this number.
    Exception(usize),
    /// By the exception of this number, as far as it can be told.
    ByName(usize),
}

/// The processes that a check means.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Indices of processes that match.
    pub matched: Vec<usize>,
    /// Indices of processes of which it can't be told, with the key and the reason.
    pub unknown: Vec<(usize, Key, Why)>,
    /// Whether some can be told only with an earlier look: a rate is between two.
    pub awaits: bool,
    /// Indices of processes that would match but do not count.
    pub left_out: Vec<(usize, LeftOut)>,
}

/// Selects from a snapshot.
#[must_use]
pub fn select(wanted: &Wanted, snapshot: &Snapshot) -> Selection {
    let mut selection = Selection::default();
    for (index, process) in snapshot.processes.iter().enumerate() {
        let subject = Subject::of(process, snapshot);
        match wanted.meaning(subject, snapshot) {
            Meaning::Told(Truth::Yes) => selection.matched.push(index),
            Meaning::Told(Truth::No) => {}
            Meaning::Told(Truth::Unknown(key, why)) => selection.unknown.push((index, key, why)),
            Meaning::Told(Truth::Pending(Need::Past)) => {
                let mut keys = wanted
                    .selectors()
                    .flat_map(|selector| &selector.terms)
                    .map(|term| term.key);
                let key = keys.find(|key| key.is_rate()).unwrap_or(Key::Cpu);
                selection.awaits = true;
                selection.unknown.push((index, key, Why::NoSample));
            }
            // The plan did not ask for what the check needs: a bug of procward, or a snapshot saved without it.
            Meaning::Told(Truth::Pending(_)) => {
                let pending = |term: &&Term| matches!(term.truth(subject, wanted.strict), Truth::Pending(_));
                let mut terms = wanted.selector.terms.iter();
                let key = terms.find(pending).map_or(Key::Name, |term| term.key);
                selection.unknown.push((index, key, Why::Absent));
            }
            Meaning::LeftOut(why) => selection.left_out.push((index, why)),
        }
    }
    selection
}

impl Wanted {
    /// What it asks of processes: that of the check, then those of its exceptions.
    pub(super) fn selectors(&self) -> impl Iterator<Item = &Selector> {
        let excepted = self.except.iter().map(|except| &except.selector);
        std::iter::once(&self.selector).chain(excepted)
    }

    /// Whether it asks for a rate, between two looks: who is meant, or who is excepted.
    pub(super) fn asks_for_a_rate(&self) -> bool {
        self.selectors().any(Selector::is_rate)
    }

    /// What a process is to the check, as far as its facts are read.
    #[must_use]
    pub fn meaning(&self, subject: Subject<'_>, snapshot: &Snapshot) -> Meaning {
        let told = Meaning::Told;
        // The program that was started and its worker are one.
        let counts_itself = self.match_self && !snapshot.observer.worker;
        if !counts_itself && snapshot.observer.pid == Some(subject.process.pid) {
            return match self.selector.truth(subject, self.strict) {
                Truth::No => told(Truth::No),
                _ => Meaning::LeftOut(LeftOut::Procward),
            };
        }
        let mut truth = self.selector.truth(subject, self.strict);
        if truth == Truth::No {
            return told(truth);
        }
        if !self.selector.names_a_process() && !self.selector.mentions(Key::Kthread) {
            truth = truth.and(known(subject.is_kthread(), Key::Kthread).negate());
        }
        if matches!(truth, Truth::No | Truth::Pending(_)) {
            return told(truth);
        }
        match self.left_out(subject, snapshot) {
            Err(Truth::Unknown(key, why)) => told(truth.and(Truth::Unknown(key, why))),
            Err(pending) => told(pending),
            // A zombie counts for nothing, so nobody need ask whether it is one that is meant: one that died while it was
            // read, say.
            Ok(Some(LeftOut::Zombie)) if truth != Truth::Yes => told(Truth::No),
            Ok(Some(why)) => Meaning::LeftOut(why),
            Ok(None) if matches!(truth, Truth::Unknown(..)) => match self.accepted(subject) {
                Err(pending) => told(pending),
                Ok(Some(why)) => Meaning::LeftOut(why),
                Ok(None) => told(truth),
            },
            Ok(None) => told(truth),
        }
    }

    /// By which exception it does not matter that a process can't be told.
    fn accepted(&self, subject: Subject<'_>) -> Result<Option<LeftOut>, Truth> {
        for (number, exception) in self.except.iter().enumerate() {
            if exception.exempts == Exempts::Doubt {
                match exception.selector.truth(subject, true) {
                    Truth::Yes => return Ok(Some(LeftOut::Exception(number))),
                    Truth::Pending(need) => return Err(Truth::Pending(need)),
                    _ => {}
                }
            }
        }
        Ok(None)
    }

    fn left_out(&self, subject: Subject<'_>, snapshot: &Snapshot) -> Result<Option<LeftOut>, Truth> {
        let state = known(subject.is_zombie(), Key::State);
        if !self.selector.mentions(Key::State) && is(state)? {
            return Ok(Some(LeftOut::Zombie));
        }
        if !self.everywhere
            && !self.selector.mentions(Key::Scope)
            && !self.selector.mentions(Key::Container)
            && !self.selector.mentions(Key::ContainerSystem)
            && is(known(subject.in_container(), Key::Scope))?
        {
            return Ok(Some(LeftOut::Container));
        }
        if !self.match_self {
            if self.is_another_procward(subject, snapshot)? {
                return Ok(Some(LeftOut::Procward));
            }
            if snapshot.observer.ancestors.contains(&subject.process.pid) {
                if self.rests_on_arguments() && self.is_own_command_line(subject, snapshot)? {
                    return Ok(Some(LeftOut::OwnCommandLine));
                }
                if is_forked_copy(subject, snapshot)? {
                    return Ok(Some(LeftOut::ForkedCopy));
                }
            }
        }
        self.exemption(subject)
    }

    /// By which exception a process does not count.
    pub(super) fn exemption(&self, subject: Subject<'_>) -> Result<Option<LeftOut>, Truth> {
        for (number, exception) in self.except.iter().enumerate() {
            if exception.exempts == Exempts::Doubt {
                continue;
            }
            let by_name = exception.exempts == Exempts::MatchByName;
            match exception.selector.truth(subject, true) {
                Truth::Yes => return Ok(Some(LeftOut::Exception(number))),
                Truth::No => {}
                Truth::Unknown(Key::ExeSystem, _) if by_name => {
                    return Ok(Some(LeftOut::ByName(number)));
                }
                Truth::Unknown(..) if by_name => {}
                other => return Err(other),
            }
        }
        Ok(None)
    }

    fn rests_on_arguments(&self) -> bool {
        self.selector.terms.iter().any(|term| {
            matches!(term.key, Key::Arg | Key::Cmdline | Key::Script) && matches!(term.op, Op::Is | Op::Like)
        })
    }

    /// Whether the command line of an ancestor holds procward's own arguments: `sh -c 'procward check arg=x'`.
    /// Quotes and blanks are a shell's, so they are not compared. The selector must be among them: one that is in a
    /// configuration file matches nothing because procward was asked for it.
    fn is_own_command_line(&self, subject: Subject<'_>, snapshot: &Snapshot) -> Result<bool, Truth> {
        let cmdline = match super::reading::fact(&subject.process.cmdline, File::Cmdline) {
            Ok(cmdline) => cmdline,
            Err(Reading::Need(need)) => return Err(Truth::Pending(need)),
            Err(_) => return Ok(false),
        };
        let bare = |bytes: &[u8]| -> Vec<u8> {
            bytes
                .iter()
                .copied()
                .filter(|b| !b"'\"\\ \t\n".contains(b))
                .collect()
        };
        let text = bare(&cmdline.arguments.join(&b' '));
        let arguments = snapshot.observer.arguments.iter().map(|a| bare(a));
        let mut words = arguments
            .chain([bare(self.selector.text.as_bytes())])
            .filter(|word| !word.is_empty());
        Ok(words.all(|word| text.windows(word.len()).any(|w| w == word)))
    }

    /// Another procward at work, by its name and its program; where that can't be read, the name is enough in a check
    /// with a minimum. Whoever wants to escape a check that forbids may run procward with a library of his own, or, in
    /// a user namespace, have any file shown as his program: there, only a procward of root or our own is believed.
    fn is_another_procward(&self, subject: Subject<'_>, snapshot: &Snapshot) -> Result<bool, Truth> {
        let comm = match subject.comm() {
            Ok(comm) => comm,
            Err(Reading::Need(need)) => return Err(Truth::Pending(need)),
            Err(_) => return Ok(false),
        };
        const NAMES: [&[u8]; 5] = [
            b"procward",
            b"check_procward",
            b"check_procs",
            b"procward.monitor",
            b"ps.monitor",
        ];
        let cut = |name: &[u8]| name[..name.len().min(15)] == *comm;
        let Some(own) = snapshot.observer.exe else {
            return Ok(false);
        };
        if !NAMES.iter().any(|name| cut(name)) && snapshot.observer.comm != comm {
            return Ok(false);
        }
        match &subject.process.exe {
            Fact::NotAsked => return Err(Truth::Pending(Need::File(File::Exe))),
            Fact::Value(exe) => {
                let file = exe.file.value().map(|file| (file.device, file.inode));
                if file != Some((own.device, own.inode)) {
                    return Ok(false);
                }
            }
            _ => return Ok(!self.strict),
        }
        match &subject.process.owner {
            _ if !self.strict => Ok(true),
            Fact::NotAsked => Err(Truth::Pending(Need::File(File::Owner))),
            owner => Ok(owner
                .value()
                .is_some_and(|(uid, _)| *uid == 0 || snapshot.observer.uid == Some(*uid))),
        }
    }
}

/// A copy of an ancestor that has not exec'ed: cron's CRON child. Told by PF_FORKNOEXEC and its parent's program.
fn is_forked_copy(subject: Subject<'_>, snapshot: &Snapshot) -> Result<bool, Truth> {
    let stat = match super::reading::fact(&subject.process.stat, File::Stat) {
        Ok(stat) => stat,
        Err(Reading::Need(need)) => return Err(Truth::Pending(need)),
        Err(_) => return Ok(false),
    };
    if !stat.is_forked_copy() || !snapshot.observer.ancestors.contains(&stat.ppid) {
        return Ok(false);
    }
    match subject.other(stat.ppid) {
        Err(Reading::Need(need)) => Err(Truth::Pending(need)),
        Err(_) => Ok(false),
        Ok(parent) => {
            let comm = parent.comm();
            match (comm, subject.comm()) {
                (Ok(a), Ok(b)) => Ok(a == b),
                (Err(Reading::Need(_)), _) => Err(Truth::Pending(Need::Of(stat.ppid, File::Stat))),
                _ => Ok(false),
            }
        }
    }
}

fn known(answer: Result<bool, Reading<'_>>, key: Key) -> Truth {
    match answer {
        Ok(yes) => Truth::of(yes),
        Err(Reading::Need(need)) => Truth::Pending(need),
        Err(Reading::Unreadable(why)) => Truth::Unknown(key, why),
        Err(_) => Truth::No,
    }
}

fn is(truth: Truth) -> Result<bool, Truth> {
    match truth {
        Truth::Yes => Ok(true),
        Truth::No => Ok(false),
        other => Err(other),
    }
}

/// What to call a process in a report: its program, or its comm where that is not known, or `?`.
#[must_use]
pub fn program(process: &Process) -> Vec<u8> {
    match (&process.exe, &process.comm, &process.stat) {
        (Fact::Value(exe), ..) => exe.path().to_vec(),
        (_, Fact::Value(comm), _) => comm.clone(),
        (_, _, Fact::Value(stat)) if stat.is_kthread() => [b"[", stat.comm.as_slice(), b"]"].concat(),
        (_, _, Fact::Value(stat)) => stat.comm.clone(),
        _ => b"?".to_vec(),
    }
}

/// What to call it in one word.
#[must_use]
pub fn short_name(process: &Process) -> Vec<u8> {
    match (&process.comm, &process.stat) {
        (Fact::Value(comm), _) => comm.clone(),
        (_, Fact::Value(stat)) => stat.comm.clone(),
        _ => process
            .exe
            .value()
            .map(|exe| file_name(exe.path()).to_vec())
            .unwrap_or_default(),
    }
}
