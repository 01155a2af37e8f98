//! The only code that opens /proc or asks for user names.
#![allow(clippy::disallowed_methods, reason = "the edge: /proc is read here")]

mod account;
pub mod accounts;
mod acquaint;
mod apart;
mod attachments;
pub mod audit;
mod births;
mod complete;
mod container;
mod descriptors;
mod file_id;
mod gauges;
mod glance;
pub mod host;
mod ids;
mod image;
mod kcmp;
mod known;
mod label;
mod networks;
mod pass;
pub mod process_dir;
pub mod procfs;
mod program;
pub mod read;
mod rights;
mod settle;
mod standing;
mod survivor;
pub mod tally;
mod waiters;
mod worth;

#[cfg(test)]
mod tests;
