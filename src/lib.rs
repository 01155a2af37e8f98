//! procward: select, count and judge the processes of a Linux host.
//!
//! Data flows one way: `source` reads `/proc` into a [`snapshot::Snapshot`], `select` says which processes a
//! check means, `judge` turns their count into a verdict, `report` writes verdicts in somebody's dialect.
//! See `docs/architecture.md`.

pub mod audit;
pub mod capabilities;
pub mod check_procs;
pub mod cli;
pub mod config;
pub mod cpu;
pub mod deadline;
pub mod exit_code;
pub mod judge;
pub mod load;
pub mod memory;
pub mod outcome;
pub mod parse;
pub mod replace;
pub mod report;
pub mod select;
pub mod snapshot;
pub mod source;

#[cfg(any(test, fuzzing))]
pub mod fuzzing;
#[cfg(any(test, fuzzing))]
#[cfg_attr(fuzzing, allow(dead_code, unused_imports))]
mod testing;
