//! A verdict comes in time, whatever a process does to those who read it.
//!
//! Reading `/proc/PID/cmdline` waits for the lock of that process's memory, and may wait for ever: for a dead file
//! server, for a page that nobody delivers. No timer helps, for the reader sleeps where no signal reaches it. So the
//! program that was started only waits: a worker, its child, does the work, notes in a shared page what it is about
//! to read, and is given up when it does not come back from it. The next worker takes that file as unreadable.
#![allow(
    clippy::disallowed_methods,
    reason = "the edge: a clock, a child and its exit"
)]

mod channel;
mod child;
mod crowd;
mod fork;
mod leftover;
mod note;
pub mod notes;
mod page;
mod parting;
mod rights;
mod signals;
mod supervisor;

#[cfg(test)]
mod tests;

pub use notes::Notes;
pub use supervisor::{Terms, supervise, time_of_late, was_told};
