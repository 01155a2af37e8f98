//! Integration tests: the real binary beside the real mon, its ps.monitor, ps and the kernel.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "tests stop at what they did not expect, and start the programs they compare with"
)]

mod common;
mod crowd;
mod deadline;
mod docs;
mod fixture;
mod hiding;
mod live;
mod mon_daemon;
mod namespaces;
mod process;
mod ps_monitor;
mod real_hosts;
mod views;
