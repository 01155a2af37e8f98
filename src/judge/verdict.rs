//! What was found out, with its evidence. Everything a report prints is here; nothing here is escaped yet.

use super::State;
use super::check::Faulty;
use super::footprint::Footprint;
use crate::memory::totals::Totals;
use crate::select::Range;
use crate::select::names::file_name;
use crate::select::script::is_interpreter;
use crate::snapshot::Bytes;
use std::time::Duration;

/// All verdicts of one run, worst first, then in the order of the checks.
#[derive(Clone, Debug)]
pub struct Report {
    /// The worst state; UNKNOWN where there was nothing to judge.
    pub state: State,
    /// One for each check that was judged or faulty.
    pub verdicts: Vec<Verdict>,
    /// Names and reasons of checks left out by their `when`.
    pub skipped: Vec<(String, String)>,
    /// Processes listed.
    pub seen: usize,
    /// Processes that went away while they were read.
    pub vanished: usize,
    /// Sentences about the view as a whole: what it may lack, where the configuration came from.
    pub remarks: Vec<String>,
    /// When the run was; none of a snapshot, which tells of another time.
    pub run: Option<Run>,
}

impl Report {
    /// The same, with another state where it can't be told.
    #[must_use]
    pub fn with_unknown_as(mut self, state: State) -> Report {
        let told = |unknown: State| if unknown == State::Unknown { state } else { unknown };
        for verdict in &mut self.verdicts {
            verdict.state = told(verdict.state);
        }
        self.verdicts
            .sort_by_key(|verdict| std::cmp::Reverse(verdict.state.badness()));
        self.state = self
            .verdicts
            .first()
            .map_or(told(self.state), |worst| worst.state);
        self
    }
}

/// When a run was, and how long it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its end, since 1970.
    pub at: Duration,
    /// From its start to its end.
    pub took: Duration,
    /// When the host was booted, since 1970: what CLOCK_BOOTTIME counts from.
    pub booted: Duration,
}

/// How a check fails: the word in the stable first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// It does not.
    Fine,
    /// It does, but not for long enough to count.
    Pending,
    /// Nothing matches, where at least 1 must.
    Missing,
    /// Fewer match than must, or nothing, where more than 1 must.
    TooFew,
    /// More match than may.
    TooMany,
    /// Something matches, where nothing may.
    Running,
    /// Something uses too much CPU.
    Busy,
    /// It passes, but its processes are replaced again and again.
    Restarting,
    /// It can't be told.
    Unseen,
    /// The check itself is faulty.
    Faulty,
}

impl Manner {
    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Manner::Fine => "ok",
            Manner::Pending => "pending",
            Manner::Missing => "missing",
            Manner::TooFew => "too few",
            Manner::TooMany => "too many",
            Manner::Running => "running",
            Manner::Busy => "busy",
            Manner::Restarting => "restarting",
            Manner::Unseen => "unseen",
            Manner::Faulty => "faulty",
        }
    }
}

/// The outcome of one check.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The check's name.
    pub name: String,
    /// Its state.
    pub state: State,
    /// How it fails.
    pub manner: Manner,
    /// How bad a failure of it is; none where the check is faulty.
    pub severity: Option<State>,
    /// How many match for certain.
    pub matched: u64,
    /// How many more may match; `u64::MAX` where the view may lack any number of them.
    pub unknown: u64,
    /// How many there must be.
    pub count: Range,
    /// The warning range, if any.
    pub warning: Option<Range>,
    /// What the check wants, as a sentence: `at least 1 process with exe /usr/sbin/sshd, run by root`.
    pub wants: String,
    /// The matching processes, the oldest first, or where CPU is judged the busiest; `matched` tells how many there are.
    /// Only [`EVIDENCE`] of them are shown.
    pub evidence: Vec<Evidence>,
    /// Processes of which it can't be told, capped likewise.
    pub unsure: Vec<Evidence>,
    /// For too few: what came closest.
    pub near: Vec<NearMiss>,
    /// Why it is UNKNOWN, or part of the truth is missing; each a sentence.
    pub reasons: Vec<String>,
    /// What to do about an UNKNOWN; each a sentence.
    pub remedies: Vec<String>,
    /// What was left out and may surprise: containers, zombies, procward itself, exceptions.
    pub left_out: Vec<String>,
    /// Exceptions that matched no process; each the selector.
    pub unused: Vec<String>,
    /// The check's own note.
    pub note: Option<String>,
    /// Why it could not be judged at all.
    pub faulty: Option<Faulty>,
    /// Whether an UNKNOWN is of a kind that passes: a process that changed while it was read.
    pub passing: bool,
    /// Whether it can be told only with another look, some time after this one: a rate is asked for.
    pub awaits: bool,
    /// Every matching process of which it is known which one it is.
    pub sightings: Vec<Sighting>,
    /// The PIDs of all processes of which it can't be told.
    pub undecided: Vec<i32>,
    /// What the looks before the last one add: `missing for the whole 5 s`. It moves, so never in the first line.
    pub story: Vec<String>,
    /// How often it was looked at.
    pub looks: usize,
    /// Whether it failed at first.
    pub rechecked: bool,
    /// What the matching processes take together; none where the check is faulty.
    pub footprint: Option<Footprint>,
    /// What was counted over all runs, where they are remembered.
    pub totals: Option<Totals>,
}

impl Verdict {
    /// The evidence that is shown.
    #[must_use]
    pub fn shown(&self) -> &[Evidence] {
        &self.evidence[..self.evidence.len().min(EVIDENCE)]
    }

    /// Notes for how long each finding goes on.
    pub fn note_durations(&mut self, lasts: impl Fn(&Sighting) -> Option<Duration>) {
        for evidence in &mut self.evidence {
            let seen = self.sightings.iter().find(|seen| seen.pid == evidence.pid);
            evidence.lasts = seen.and_then(&lasts);
        }
    }

    /// Leaves out findings for which `keep` says no; tells how many they were. Where none is left, nothing is wrong.
    pub fn retain(&mut self, keep: impl Fn(&Sighting) -> bool) -> u64 {
        let gone: Vec<i32> = self
            .sightings
            .iter()
            .filter(|seen| !keep(seen))
            .map(|seen| seen.pid)
            .collect();
        self.sightings.retain(|seen| !gone.contains(&seen.pid));
        self.evidence.retain(|evidence| !gone.contains(&evidence.pid));
        self.matched = self.matched.saturating_sub(gone.len() as u64);
        if self.matched == 0 {
            self.pass();
        }
        gone.len() as u64
    }

    /// No finding is left; whether all is well is another question where processes could not be seen.
    pub fn pass(&mut self) {
        (self.state, self.manner) = if self.unknown > 0 {
            (State::Unknown, Manner::Unseen)
        } else {
            (State::Ok, Manner::Fine)
        };
    }
}

/// A matching process, as an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Process id.
    pub pid: i32,
    /// Start time, in clock ticks since boot; with the PID it is the identity.
    pub start: u64,
    /// The CPU time that it used so far.
    pub cpu: Duration,
    /// Its program.
    pub program: Bytes,
    /// Its comm: what tells scripts of one interpreter apart.
    pub name: Bytes,
    /// Its effective uid.
    pub uid: Option<u32>,
    /// How old it was when it was seen.
    pub age: Option<Duration>,
    /// Whether an earlier run found it already.
    pub known_before: bool,
    /// Over what time its rate was taken, where one was asked for.
    pub span: Duration,
}

impl Sighting {
    /// Whether this is the same process.
    #[must_use]
    pub fn is(&self, other: &Sighting) -> bool {
        (self.pid, self.start) == (other.pid, other.start)
    }

    /// Whether both are of the same program and user.
    #[must_use]
    pub fn runs_as(&self, other: &Sighting) -> bool {
        (&self.program, self.uid) == (&other.program, other.uid)
    }

    /// What it has in common with another one started in its place: program, user, and, where the program says nothing
    /// of what it does, comm, which a process may change as it likes.
    #[must_use]
    pub fn who(&self) -> (&[u8], &[u8], Option<u32>) {
        let file = file_name(&self.program);
        let telling = self.program.starts_with(b"/") && !is_interpreter(file) && file != b"busybox";
        let name = if telling { &[] } else { self.name.as_slice() };
        (&self.program, name, self.uid)
    }

    /// Whether this process may have been started in place of an earlier one: it is of the same program and user, and
    /// was born since. `ago`: when the earlier one was seen.
    #[must_use]
    pub fn succeeds(&self, earlier: &Sighting, ago: Duration) -> bool {
        self.who() == earlier.who() && self.age.is_some_and(|age| age <= ago)
    }
}

/// How many processes a verdict names.
pub const EVIDENCE: usize = 10;

/// A process named in a verdict: display facts only, never its arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Process id.
    pub pid: i32,
    /// `exe` text, or comm in brackets or plain where exe is not known.
    pub program: Bytes,
    /// comm.
    pub name: Bytes,
    /// What the first line calls it, for as long as it is this program; none where only comm is known, which a process
    /// writes itself, as often as it likes.
    pub called: Option<Bytes>,
    /// User name, or uid.
    pub user: Option<String>,
    /// Seconds since it was started.
    pub age: Option<u64>,
    /// systemd unit.
    pub unit: Option<Bytes>,
    /// Container id, where it runs in one.
    pub container: Option<Bytes>,
    /// How much CPU it uses, where that is asked for.
    pub usage: Option<Usage>,
    /// For how long it is a finding already, in every look, where that is asked for.
    pub lasts: Option<Duration>,
    /// Whether the first line leaves it out: another one is why the verdict is what it is.
    pub lesser: bool,
    /// What each term found, where the check tells it.
    pub facts: Vec<String>,
    /// For an unsure process: the term and why it can't be told: `exe: permission denied`.
    pub doubt: Option<String>,
}

/// CPU, in tenths of a percent of one core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Between two looks, if there were two.
    pub rate: Option<Rate>,
    /// Over its life.
    pub life: i64,
}

/// CPU between two looks, in tenths of a percent of one core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    /// With children that it waited for.
    pub now: i64,
    /// The same, were a core always free.
    pub demand: i64,
    /// The part of its children.
    pub reaped: i64,
    /// The time between the looks, or since its birth.
    pub over: Duration,
}

/// A process that came close.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearMiss {
    /// Which.
    pub process: Evidence,
    /// Each failed term: what was wanted and what was found, without secrets.
    pub failed: Vec<Failed>,
}

/// A term that a process failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The term as written.
    pub wanted: String,
    /// What was found; for `arg` and `cmdline` never the text.
    pub found: Bytes,
}
