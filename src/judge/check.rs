//! A check: a selector, and the range that the count of matching processes must lie in.

use super::State;
use crate::memory::Patience;
use crate::memory::restarts::Restarts;
use crate::select::selection::Exempts;
use crate::select::{Fault, Key, Range, Selector};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// A valid check.
#[derive(Clone, Debug)]
pub struct Check {
    /// Its name, unique in a run.
    pub name: String,
    /// Which processes are counted.
    pub selector: Selector,
    /// How many there must be.
    pub count: Range,
    /// Outside this range, but inside `count`, the verdict is WARNING.
    pub warning: Option<Range>,
    /// What it is when the count is outside `count`: CRITICAL, or WARNING.
    pub severity: State,
    /// What to do when it fails; shown with the failure.
    pub note: Option<String>,
    /// Processes that do not count.
    pub except: Vec<Exception>,
    /// Count procward itself too.
    pub match_self: bool,
    /// For how long it may fail before that counts, where this check has its own.
    pub recheck: Option<Duration>,
    /// Over what rates are taken.
    pub pace: Pace,
    /// How often its processes may be replaced before that is a warning, where this check has its own limit.
    pub restarts: Option<Restarts>,
    /// For how long it must fail, from run to run, before it does.
    pub patience: Option<Patience>,
    /// A finding is one process that still matches after this time; none where the check itself tells.
    pub confirm: Option<Duration>,
    /// Whether the evidence tells what each term found.
    pub facts: bool,
}

impl Check {
    /// A check without any of what can be said besides.
    #[must_use]
    pub fn new(name: String, selector: Selector, count: Range) -> Check {
        Check {
            name,
            selector,
            count,
            warning: None,
            severity: State::Critical,
            note: None,
            except: Vec::new(),
            match_self: false,
            recheck: None,
            pace: Pace::default(),
            restarts: None,
            patience: None,
            confirm: None,
            facts: false,
        }
    }

    /// Whether it asks how much CPU a process uses, now or all its life.
    pub(super) fn is_about_cpu(&self) -> bool {
        let mut keys = self.selector.terms.iter().map(|term| term.key);
        keys.any(|key| key.is_rate() || key == Key::CpuLife)
    }
}

/// Over what time a rate (`cpu`, `cpu.demand`) is taken, and for how long it must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The time between two looks.
    pub window: Duration,
    /// A process is a finding only if it matches in every look of this time; zero is one look.
    pub lasting: Duration,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            window: Duration::from_secs(3),
            lasting: Duration::ZERO,
        }
    }
}

/// Processes that do not count, and why.
#[derive(Clone, Debug)]
pub struct Exception {
    /// Which.
    pub selector: Selector,
    /// Why; mandatory.
    pub reason: String,
    /// Comes with procward: it is not told that it matched nothing.
    pub built_in: bool,
    /// What of a process it is about.
    pub exempts: Exempts,
}

impl Item {
    /// The name of the check.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Item::Check(check) => &check.name,
            Item::Faulty { name, .. } | Item::Skipped { name, .. } => name,
        }
    }
}

/// Faults, and the text they point into.
#[derive(Clone, Debug)]
pub struct Faulty {
    /// What the text is called: the path of a configuration file, or [`Faulty::SPEC`].
    pub source: String,
    /// The text; empty where a file could not be read.
    pub text: Arc<str>,
    /// What is wrong.
    pub faults: Vec<Fault>,
}

impl Faulty {
    /// What a spec on the command line is called.
    pub const SPEC: &'static str = "the spec";
}

/// What a run is given: checks to judge, faulty ones, and skipped ones. A faulty check never blinds the others.
#[derive(Clone, Debug)]
pub enum Item {
    /// To be judged.
    Check(Box<Check>),
    /// Can't be judged: an UNKNOWN of its own.
    Faulty {
        /// The check's name, or what was written.
        name: String,
        /// What is wrong with it.
        faulty: Faulty,
    },
    /// Left out by its `when`.
    Skipped {
        /// The check's name.
        name: String,
        /// Which condition did not hold.
        reason: String,
    },
}

/// Gives every item a name of its own: verdicts are found again by it, and one that is taken for another's would be
/// lost. A faulty spec may be called what a check is.
pub fn tell_apart(items: &mut [Item]) {
    let mut taken = BTreeSet::new();
    for item in items {
        match item {
            Item::Check(check) => number(&mut check.name, &mut taken),
            Item::Faulty { name, .. } | Item::Skipped { name, .. } => number(name, &mut taken),
        }
    }
}

fn number(name: &mut String, taken: &mut BTreeSet<String>) {
    let first = name.clone();
    for number in 2.. {
        if taken.insert(name.clone()) {
            return;
        }
        *name = format!("{first} ({number})");
    }
}
