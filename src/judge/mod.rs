//! From counts to verdicts. Pure: no clock, no files.

pub mod alternative;
pub mod check;
pub mod evidence;
mod facts;
pub mod footprint;
pub mod history;
pub mod judgement;
mod left_out;
pub mod near;
mod remedy;
pub mod state;
pub mod verdict;

#[cfg(test)]
mod tests;

pub use check::{Check, Exception, Faulty, Item, Pace, tell_apart};
pub use footprint::Footprint;
pub use history::{Earlier, History, seconds};
pub use judgement::{assemble, judge};
pub use state::State;
pub use verdict::{Evidence, Manner, NearMiss, Rate, Report, Run, Sighting, Usage, Verdict};
