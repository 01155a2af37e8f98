//! A check: a selector, and the range that the count of matching processes must lie in.

use super::State;
use crate::select::{Fault, Range, Selector};

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
}

/// Processes that do not count, and why.
#[derive(Clone, Debug)]
pub struct Exception {
    /// Which.
    pub selector: Selector,
    /// Why; mandatory.
    pub reason: String,
}

/// Faults, and the text they point into.
#[derive(Clone, Debug)]
pub struct Faulty {
    /// What the text is called: the path of a configuration file, or [`Faulty::SPEC`].
    pub source: String,
    /// The text; empty where a file could not be read.
    pub text: String,
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
