//! What must be read: compiled from the checks, asked by the source after every read. Pure.

use super::reading::Subject;
use super::selection::{Meaning, Wanted};
use super::truth::{Need, cheaper};
use super::{File, Key, Term, Truth};
use crate::snapshot::{Fact, Process, Snapshot};

/// What the source does next with a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// No check means it.
    Dismiss,
    /// Read this file.
    Read(File),
    /// Everything that is needed before the whole crowd is known has been read.
    Keep,
}

/// How far the checks have come with one process: what one fact decides stays decided.
#[derive(Clone, Debug)]
pub struct Course {
    /// The checks that are not decided, by their numbers, and the file that each waits for: as long as that is not read,
    /// no other makes a difference, for a check asks for the cheapest first.
    open: Vec<(usize, Option<File>)>,
    /// Whether one of the others means the process.
    meant: bool,
}

/// A plan.
#[derive(Clone, Debug)]
pub struct Plan {
    wanted: Vec<Wanted>,
    /// Keep every process, for near misses, and read what all terms of the checks ask for.
    near: bool,
    /// Files to read of every process that is kept, for the evidence of a report.
    also: Vec<File>,
}

/// What a line of evidence shows.
pub const EVIDENCE_FILES: [File; 4] = [File::Owner, File::Exe, File::Stat, File::Cgroup];

/// What `main` asks of a process and of all its relatives: one after the other would be a walk through all of them
/// for each.
const MAIN_FILES: [File; 3] = [File::Exe, File::Stat, File::Cgroup];

impl Plan {
    /// Only what decides these checks.
    #[must_use]
    pub fn deciding(wanted: Vec<Wanted>) -> Plan {
        Plan {
            wanted,
            near: false,
            also: Vec::new(),
        }
    }

    /// What decides these checks, and the evidence for a report. `near`: keep what came close too.
    #[must_use]
    pub fn telling(wanted: Vec<Wanted>, near: bool) -> Plan {
        Plan {
            wanted,
            near,
            also: EVIDENCE_FILES.to_vec(),
        }
    }

    /// The same, and these files of every process that is kept.
    #[must_use]
    pub fn and(mut self, files: &[File]) -> Plan {
        let more = files.iter().filter(|file| !self.also.contains(file));
        let more: Vec<File> = more.copied().collect();
        self.also.extend(more);
        self
    }

    /// These files of every process.
    #[must_use]
    pub fn everything(files: &[File]) -> Plan {
        Plan {
            wanted: Vec::new(),
            near: true,
            also: files.to_vec(),
        }
    }

    /// These files of every process that is meant.
    #[must_use]
    pub fn reading(wanted: Wanted, files: &[File]) -> Plan {
        Plan {
            wanted: vec![wanted],
            near: false,
            also: files.to_vec(),
        }
    }

    /// Whether a check asks for this key.
    #[must_use]
    pub fn mentions(&self, key: Key) -> bool {
        let mut selectors = self.wanted.iter().flat_map(Wanted::selectors);
        selectors.any(|selector| selector.mentions(key))
    }

    /// Whether the clocks of all processes are kept: a rate is asked for.
    #[must_use]
    pub fn clocks(&self) -> bool {
        self.wanted.iter().any(Wanted::asks_for_a_rate)
    }

    /// Whether a check that asks for a rate excepts the process.
    #[must_use]
    pub fn exempts(&self, process: &Process, snapshot: &Snapshot) -> Truth {
        let subject = Subject::alone(process, snapshot);
        let mut told = Truth::No;
        for wanted in self.wanted.iter().filter(|wanted| wanted.selector.is_rate()) {
            told = told.or(match wanted.exemption(subject) {
                Ok(None) => Truth::No,
                Ok(Some(_)) => Truth::Yes,
                Err(truth) => truth,
            });
        }
        told
    }

    /// The checks.
    pub(super) fn wanted(&self) -> &[Wanted] {
        &self.wanted
    }

    /// Whether no process may be dismissed at a glance: all stay, or their clocks do.
    pub(super) fn keeps_all(&self) -> bool {
        self.near || self.clocks()
    }

    /// The file that is read first of a process: the cheapest that every check has a term about.
    #[must_use]
    pub fn first(&self) -> File {
        let all = |keys: &[Key]| {
            !self.wanted.is_empty()
                && self.wanted.iter().all(|wanted| {
                    wanted
                        .selector
                        .terms
                        .iter()
                        .any(|term| keys.contains(&term.key) && !term.op.negated())
                })
        };
        if self.clocks() || (self.near && self.wanted.is_empty()) {
            File::Stat
        } else if all(&[Key::Name, Key::Comm]) {
            File::Comm
        } else if all(&[Key::Exe]) {
            File::Exe
        } else {
            File::Stat
        }
    }

    /// The way of a process through all checks.
    #[must_use]
    pub fn course(&self) -> Course {
        Course {
            open: (0..self.wanted.len()).map(|number| (number, None)).collect(),
            meant: false,
        }
    }

    /// What to do next with a process of which these facts are read.
    #[must_use]
    pub fn next(&self, course: &mut Course, process: &Process, snapshot: &Snapshot) -> Step {
        let subject = Subject::alone(process, snapshot);
        let mut need: Option<Need> = None;
        let Course { open, meant } = course;
        open.retain_mut(|(number, awaited)| {
            if let Some(file) = awaited.filter(|file| !asked(process, *file)) {
                let more = Need::File(file);
                need = Some(need.map_or(more, |need| cheaper(need, more)));
                return true;
            }
            let Some(wanted) = self.wanted.get(*number) else {
                return false;
            };
            let truth = match wanted.meaning(subject, snapshot) {
                Meaning::LeftOut(_) => Truth::Yes,
                Meaning::Told(truth) => truth,
            };
            *awaited = None;
            if let Truth::Pending(more) = truth {
                need = Some(need.map_or(more, |need| cheaper(need, more)));
                *awaited = match more {
                    Need::File(file) => Some(file),
                    _ => None,
                };
            }
            let decided = matches!(truth, Truth::Yes | Truth::Unknown(..));
            *meant |= decided;
            // Further facts change nothing of what is decided.
            !decided && (truth != Truth::No || self.is_relative(wanted, subject))
        });
        if self.near {
            let pending = self
                .wanted
                .iter()
                .flat_map(|wanted| wanted.pending_terms(subject));
            need = pending.chain(need).reduce(cheaper);
        }
        match need {
            Some(Need::File(file)) => return Step::Read(file),
            _ if open.is_empty() && !*meant && !self.near => return Step::Dismiss,
            _ => {}
        }
        let main = self
            .wanted
            .iter()
            .any(|wanted| wanted.selector.mentions(Key::Main));
        let of_main = MAIN_FILES.iter().filter(|_| main);
        self.also
            .iter()
            .chain(of_main)
            .copied()
            .find(|file| !asked(process, *file))
            .map_or(Step::Keep, Step::Read)
    }

    /// `main` is told by the workers and siblings too, so they stay although another term dismisses them.
    pub(super) fn is_relative(&self, wanted: &Wanted, subject: Subject<'_>) -> bool {
        const IDENTITY: [Key; 4] = [Key::Name, Key::Comm, Key::Exe, Key::Script];
        wanted.selector.mentions(Key::Main)
            && wanted
                .selector
                .terms
                .iter()
                .filter(|term| IDENTITY.contains(&term.key))
                .all(|term| term.truth(subject, wanted.strict) != Truth::No)
    }

    /// Whether `stat`, the owner and `status` must be read once more at the end: where credentials, labels or the program
    /// are judged, an exec or a change of ids in between would mix two processes' facts.
    #[must_use]
    pub fn verify(&self, process: &Process) -> bool {
        process.exe.asked()
            || process.owner.asked()
            || process.status.asked()
            || process.label.asked()
            || process.descriptors.asked()
    }

    /// After the pass: a file of this or another process that a check still needs.
    #[must_use]
    pub fn need(&self, snapshot: &Snapshot, index: usize) -> Option<(i32, File)> {
        let process = snapshot.processes.get(index)?;
        let subject = Subject::of(process, snapshot);
        let place = |need| match need {
            Need::File(file) => Some((process.pid, file)),
            Need::Of(pid, file) => Some((pid, file)),
            Need::Crowd | Need::Past => None,
        };
        self.wanted.iter().find_map(|wanted| {
            let told = match wanted.meaning(subject, snapshot) {
                Meaning::Told(Truth::Pending(need)) => place(need),
                _ => None,
            };
            let near = || {
                wanted
                    .pending_terms(subject)
                    .into_iter()
                    .reduce(cheaper)
                    .and_then(place)
            };
            told.or_else(|| if self.near { near() } else { None })
        })
    }
}

impl Wanted {
    /// What each term still needs on its own: near misses tell of every term, not only of the first that fails. But what
    /// its descriptors lead to is too dear to be read of every process.
    fn pending_terms(&self, subject: Subject<'_>) -> Vec<Need> {
        let told = |term: &Term| term.truth(subject, self.strict);
        let terms: Vec<Truth> = self.selector.terms.iter().map(told).collect();
        let dismissed = terms.contains(&Truth::No);
        let needs = terms.into_iter().filter_map(|truth| match truth {
            Truth::Pending(need) => Some(need),
            _ => None,
        });
        needs
            .filter(|need| !(dismissed && *need == Need::File(File::Descriptors)))
            .collect()
    }
}

/// Whether a file was looked at.
#[must_use]
pub fn asked(process: &Process, file: File) -> bool {
    fn is<T>(fact: &Fact<T>) -> bool {
        fact.asked()
    }
    match file {
        File::Comm => is(&process.comm),
        File::Owner => is(&process.owner),
        File::Exe => is(&process.exe),
        File::Stat => is(&process.stat),
        File::Cgroup => is(&process.cgroup),
        File::Loginuid => is(&process.loginuid),
        File::Status => is(&process.status),
        File::Label => is(&process.label),
        File::Account => is(&process.account),
        File::Container => is(&process.container),
        File::Userns => is(&process.userns),
        File::Root => is(&process.root),
        File::Writers => is(&process.writers),
        File::Threads => is(&process.threads),
        File::Environ => is(&process.environ),
        File::Maps => is(&process.maps),
        File::Cmdline => is(&process.cmdline),
        File::Sched => is(&process.sched),
        File::Ranks => is(&process.ranks),
        File::Fds => is(&process.fds),
        File::Descriptors => is(&process.descriptors),
    }
}
