//! The dialect of the monitoring-plugins' check_procs: its options and thresholds, what ps shows of a process, its
//! verdict and its words. Pure; `cli/check_procs.rs` is the edge. docs/check_procs.md says what differs.

pub mod dialect;
pub mod ere;
pub mod extra;
pub mod filter;
pub mod getopt;
pub mod judge;
pub mod listing;
pub mod options;
pub mod prefilter;
pub mod range;
pub mod row;
pub mod usage;
pub mod wording;

pub use filter::Filter;
pub use judge::{Verdict, judge};
pub use options::{Metric, Options, Request};
pub use row::Row;
