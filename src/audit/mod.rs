//! `procward audit`: what must never be true of any process, as rules. A rule is a check in the selector language with
//! a reason; only facts about the host itself are code, in `host`.

pub mod compile;
pub mod host;
pub mod outcome;
pub mod rule;
pub mod settings;
#[cfg(test)]
mod tests;

pub use outcome::{Finding, Judged, Outcome, Report};
pub use rule::{Case, Class, Rule, Severity, built_in};
pub use settings::{Exemption, Settings};
