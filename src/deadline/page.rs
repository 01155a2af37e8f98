//! The page that a worker and its supervisor share. All of it is atomic: one side may die at any instruction.

use super::note::Note;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// Longer notes are cut; a process and a file take 40 bytes, a path as much as fits.
const TEXT: usize = 1024;
/// How many reads are remembered, and in how many places each may be; untouched memory costs nothing.
const READS: usize = 8192;
const PLACES: usize = 8;

/// What the worker is doing.
pub(super) struct Page {
    /// Odd while something is read that may not come back; it moves with every such read.
    turn: AtomicU64,
    hash: AtomicU64,
    length: AtomicU32,
    text: [AtomicU8; TEXT],
    /// Milliseconds that the whole run may take; 0 until the worker knows.
    limit: AtomicU64,
    /// The numbers of the reads that came back, in this worker and in those before it.
    back: [AtomicU64; READS],
}

impl Page {
    /// Notes what is about to be read.
    pub(super) fn enter(&self, note: &Note) {
        for (cell, byte) in self.text.iter().zip(note.text.bytes()) {
            cell.store(byte, Ordering::Relaxed);
        }
        let length = u32::try_from(note.text.len().min(TEXT)).unwrap_or(0);
        self.length.store(length, Ordering::Relaxed);
        self.hash.store(note.hash, Ordering::Relaxed);
        self.turn.fetch_add(1, Ordering::Release);
    }

    /// Notes that it came back.
    pub(super) fn leave(&self) {
        self.turn.fetch_add(1, Ordering::Release);
        let hash = self.hash.load(Ordering::Relaxed);
        let free = |place: &&AtomicU64| matches!(place.load(Ordering::Relaxed), 0) || is(place, hash);
        if let Some(place) = self.places(hash).find(free) {
            place.store(hash, Ordering::Relaxed);
        }
    }

    /// Whether it came back to a worker of this run. A few are forgotten where there are many.
    pub(super) fn came_back(&self, note: &Note) -> bool {
        self.places(note.hash).any(|place| is(place, note.hash))
    }

    fn places(&self, hash: u64) -> impl Iterator<Item = &AtomicU64> {
        let first = usize::try_from(hash % READS as u64).unwrap_or(0);
        self.back.iter().cycle().skip(first).take(PLACES)
    }

    /// A read that has not come back: its turn, and what it is.
    pub(super) fn reading(&self) -> Option<(u64, Note)> {
        let turn = self.turn.load(Ordering::Acquire);
        let length = usize::try_from(self.length.load(Ordering::Relaxed)).unwrap_or(0);
        let cells = self.text.iter().take(length);
        let text: Vec<u8> = cells.map(|cell| cell.load(Ordering::Relaxed)).collect();
        let hash = self.hash.load(Ordering::Relaxed);
        std::sync::atomic::fence(Ordering::Acquire);
        // Else it went on meanwhile, and text and number may be of two notes.
        let stands = turn % 2 == 1 && self.turn.load(Ordering::Relaxed) == turn;
        let text = String::from_utf8_lossy(&text).into_owned();
        stands.then_some((turn, Note { text, hash }))
    }

    /// For the next worker: nothing is being read.
    pub(super) fn rest(&self) {
        self.turn
            .fetch_add(self.turn.load(Ordering::Acquire) % 2, Ordering::Release);
    }

    /// For the next run: as it was at first.
    pub(super) fn clear(&self) {
        self.rest();
        self.limit.store(0, Ordering::Release);
        for place in &self.back {
            place.store(0, Ordering::Relaxed);
        }
    }

    pub(super) fn set_limit(&self, limit: Duration) {
        let milliseconds = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        self.limit.store(milliseconds, Ordering::Release);
    }

    pub(super) fn limit(&self) -> Option<Duration> {
        let limit = Some(self.limit.load(Ordering::Acquire)).filter(|limit| *limit > 0);
        limit.map(Duration::from_millis)
    }
}

fn is(place: &AtomicU64, hash: u64) -> bool {
    place.load(Ordering::Relaxed) == hash
}
