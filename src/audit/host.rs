//! Facts about the host itself, which no selector can say: read by `source::audit`, one file each, told here.

use std::collections::BTreeMap;

/// What was found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// Each of these breaks the rule; none: nothing does.
    Told(Vec<String>),
    /// It can't be told: why, and what to do about it.
    Untold(String, Option<String>),
}

/// All of them, by rule.
pub type Facts = BTreeMap<&'static str, Fact>;
