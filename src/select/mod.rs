//! Which processes a check means. Pure: a selector and a snapshot in, a selection out.

pub mod caps;
mod descriptors;
pub mod duration;
pub mod fault;
pub mod file;
mod image;
pub mod key;
pub mod label;
pub mod listen;
mod main_process;
mod marks;
pub mod place;
pub mod plan;
mod program;
pub mod range;
pub mod reading;
pub mod script;
pub mod selection;
pub mod selector;
pub mod sieve;
pub mod spec;
mod standing;
pub mod term;
mod title;
pub mod truth;
pub(crate) mod usage;

pub use duration::{parse_duration, parse_window, write_duration};
pub use fault::Fault;
pub use file::File;
pub use key::{Capability, Key, Kind};
pub use plan::{Course, EVIDENCE_FILES, Plan, Step};
pub use range::Range;
pub use selection::{Selection, select};
pub use selector::{Matcher, Op, Scope, Selector, Spec, Term};
pub use sieve::{Sieve, Sight};
pub use truth::Truth;
