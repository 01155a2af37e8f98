//! The command line: one file per command. Everything is written to standard output in one piece, nothing to
//! standard error, and nothing but a verdict ends 1 or 2 (as check_procs also that its time was up).
#![allow(
    clippy::disallowed_methods,
    reason = "the edge: arguments, environment, clock and files come in here"
)]

pub mod arguments;
mod as_user;
pub mod audit;
pub mod check;
pub mod check_procs;
mod commands;
pub mod config;
mod copy;
pub mod cpu;
mod deliver;
mod dispatch;
pub mod explain;
mod fifo;
mod file_capabilities;
pub mod grant;
pub mod init;
pub mod items;
pub mod keys;
mod last_words;
pub mod limits;
pub mod list;
pub mod load;
mod man;
pub mod migrate;
mod mons_audits;
mod parser;
mod passive;
pub mod ps_monitor;
pub mod roll;
mod setting;
pub mod snapshot;
pub mod snmp;
mod stats;
mod supervised;
pub mod terminal;
mod textfile;
mod usage;
pub mod view;
pub mod watch;

use crate::exit_code::Exit;
use std::ffi::OsString;

/// Runs procward with the arguments and the environment of this process.
#[must_use]
pub fn main() -> Exit {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    copy::enter(&arguments);
    last_words::prepare();
    match last_words::guarded(|| dispatch::dispatch(&arguments)) {
        Some(outcome) => deliver::deliver(&outcome, std::io::stdout()),
        // A worker has told its supervisor.
        None => Exit::Ok,
    }
}
