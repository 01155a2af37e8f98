//! What a run has opened and read, for `--stats`. Kept for the whole program, whose reads are all made by one thread, and
//! only where it is asked for: counting takes time, too.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

/// What was opened and read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Looks at all processes.
    pub looks: u64,
    /// Processes that were listed, in all looks.
    pub listed: u64,
    /// By name below `/proc/PID`, how many were opened; a link or an owner is not opened, but asked for.
    pub files: BTreeMap<String, u64>,
    /// Bytes that were read from them.
    pub bytes: u64,
}

thread_local! {
    static TALLY: RefCell<Option<Tally>> = const { RefCell::new(None) };
}

/// Counts from now on.
pub fn begin() {
    TALLY.set(Some(Tally::default()));
}

/// What was counted so far; none where nobody asked for it.
#[must_use]
pub fn so_far() -> Option<Tally> {
    TALLY.with_borrow(Clone::clone)
}

/// The CPU time that this process has used.
#[must_use]
pub fn cpu() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(
        now.tv_sec.unsigned_abs(),
        u32::try_from(now.tv_nsec).unwrap_or_default(),
    )
}

pub(super) fn look(listed: usize) {
    with(|tally| {
        tally.looks += 1;
        tally.listed += listed as u64;
    });
}

/// `name`: the path below /proc or the directory of a process.
pub(super) fn file(name: &str, bytes: usize) {
    with(|tally| {
        *tally.files.entry(kind(name)).or_default() += 1;
        tally.bytes += bytes as u64;
    });
}

fn with(count: impl FnOnce(&mut Tally)) {
    TALLY.with_borrow_mut(|tally| tally.as_mut().map(count));
}

/// The path without the numbers of processes: `stat`, `task/*/stat`.
fn kind(name: &str) -> String {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts = name
        .split('/')
        .map(|part| if is_number(part) { "*" } else { part });
    let kind = parts.collect::<Vec<_>>().join("/");
    kind.strip_prefix("*/").map_or(kind.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_counted_by_what_they_are_and_only_when_asked_for() {
        file("1/stat", 10);
        assert_eq!(so_far(), None);
        begin();
        look(3);
        file("812/stat", 10);
        file("stat", 10);
        file("7/task/9/stat", 5);
        file("net/tcp", 0);
        let tally = so_far().unwrap();
        assert_eq!((tally.looks, tally.listed, tally.bytes), (1, 3, 25));
        let files: Vec<(&str, u64)> = tally
            .files
            .iter()
            .map(|(name, count)| (name.as_str(), *count))
            .collect();
        assert_eq!(files, [("net/tcp", 1), ("stat", 2), ("task/*/stat", 1)]);
    }
}
