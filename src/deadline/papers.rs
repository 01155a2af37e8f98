//! Where a worker writes what it has to say: two files in memory in turns, so that the last whole one can always be
//! read, whatever becomes of the worker while it writes the other.

use super::page::Page;
use crate::exit_code::Exit;
use crate::outcome::Outcome;
use rustix::fd::OwnedFd;
use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use rustix::io::{Errno, pread, pwrite};
use std::sync::atomic::Ordering;

/// Both files.
pub(super) struct Papers {
    files: [OwnedFd; 2],
}

/// What was published, packed into one word so that it changes at once: 0 is nothing yet.
const LENGTH: u64 = (1 << 48) - 1;
const WRITTEN: u64 = 1 << 48;
const FINAL: u64 = 1 << 49;
const SECOND: u64 = 1 << 50;
const EXIT: u32 = 52;

impl Papers {
    pub(super) fn new() -> Result<Papers, Errno> {
        let file = || memfd_create("procward", MemfdFlags::CLOEXEC);
        Ok(Papers {
            files: [file()?, file()?],
        })
    }

    /// Writes an outcome. `last`: there is nothing to follow.
    pub(super) fn publish(&self, page: &Page, outcome: &Outcome, last: bool) -> Result<(), Errno> {
        let before = page.paper.load(Ordering::Acquire);
        let second = before & WRITTEN != 0 && before & SECOND == 0;
        let file = &self.files[usize::from(second)];
        ftruncate(file, 0)?;
        let mut written = 0;
        while written < outcome.text.len() {
            written += pwrite(file, &outcome.text[written..], written as u64)?;
        }
        let mut word = (written as u64 & LENGTH) | WRITTEN | u64::from(outcome.exit.code()) << EXIT;
        if last {
            word |= FINAL;
        }
        if second {
            word |= SECOND;
        }
        page.paper.store(word, Ordering::Release);
        Ok(())
    }

    /// The last outcome that was published whole, and whether it was the last to come.
    pub(super) fn read(&self, page: &Page) -> Option<(Outcome, bool)> {
        let word = page.paper.load(Ordering::Acquire);
        if word & WRITTEN == 0 {
            return None;
        }
        let file = &self.files[usize::from(word & SECOND != 0)];
        let mut text = vec![0; usize::try_from(word & LENGTH).ok()?];
        let mut read = 0;
        while read < text.len() {
            match pread(file, &mut text[read..], read as u64) {
                Ok(0) | Err(_) => return None,
                Ok(count) => read += count,
            }
        }
        let exit = match word >> EXIT & 3 {
            0 => Exit::Ok,
            1 => Exit::Warning,
            2 => Exit::Critical,
            _ => Exit::Unknown,
        };
        Some((Outcome::new(text, exit), word & FINAL != 0))
    }
}
