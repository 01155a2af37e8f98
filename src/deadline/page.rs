//! The page that a worker and its supervisor share. All of it is atomic: one side may die at any instruction.

use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

/// Longer notes are cut; a process and a file take 40 bytes, a path as much as fits.
const TEXT: usize = 1024;

/// What the worker is doing.
pub(super) struct Page {
    /// Odd while something is read that may not come back; it moves with every such read.
    turn: AtomicU64,
    length: AtomicU32,
    text: [AtomicU8; TEXT],
    /// Milliseconds that the whole run may take; 0 until the worker knows.
    limit: AtomicU64,
    /// What was published last, as [`super::papers`] packs it.
    pub(super) paper: AtomicU64,
}

impl Page {
    /// Notes what is about to be read.
    pub(super) fn enter(&self, what: &[u8]) {
        for (cell, byte) in self.text.iter().zip(what) {
            cell.store(*byte, Ordering::Relaxed);
        }
        let length = what.len().min(TEXT);
        self.length
            .store(u32::try_from(length).unwrap_or(0), Ordering::Relaxed);
        self.turn.fetch_add(1, Ordering::Release);
    }

    /// Notes that it came back.
    pub(super) fn leave(&self) {
        self.turn.fetch_add(1, Ordering::Release);
    }

    /// The turn of a read that has not come back.
    pub(super) fn reading(&self) -> Option<u64> {
        Some(self.turn.load(Ordering::Acquire)).filter(|turn| turn % 2 == 1)
    }

    /// What is being read; only sound while [`Page::reading`] does not move.
    pub(super) fn what(&self) -> Vec<u8> {
        let length = usize::try_from(self.length.load(Ordering::Relaxed)).unwrap_or(0);
        let cells = self.text.iter().take(length);
        cells.map(|cell| cell.load(Ordering::Relaxed)).collect()
    }

    /// For the next worker: nothing is being read.
    pub(super) fn rest(&self) {
        if self.reading().is_some() {
            self.leave();
        }
    }

    pub(super) fn set_limit(&self, milliseconds: u64) {
        self.limit.store(milliseconds, Ordering::Release);
    }

    pub(super) fn limit(&self) -> Option<u64> {
        Some(self.limit.load(Ordering::Acquire)).filter(|limit| *limit > 0)
    }
}
