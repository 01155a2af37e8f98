//! Processes that a control group counts and `/proc` does not list.

use super::{incomparable, untold};
use crate::audit::host::Fact;
use crate::source::procfs::{Procfs, listed};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

const ROOT: &str = "/sys/fs/cgroup";

/// Directories deeper than this are nobody's.
const DEPTH: usize = 32;

const TRIES: usize = 5;
const PAUSE: Duration = Duration::from_millis(20);

pub(super) fn look(procfs: &Procfs) -> Fact {
    if let Some(untold) = incomparable(procfs) {
        return untold;
    }
    let mut counted = BTreeMap::new();
    if let Err(error) = walk(Path::new(ROOT), DEPTH, &mut counted) {
        return untold(ROOT, error);
    }
    // Every process is in a group: what does not tell of us does not tell of others.
    if !counted.contains_key(&std::process::id().cast_signed()) {
        return untold(ROOT, "it does not tell of procward itself");
    }
    for _ in 0..TRIES {
        let listed = match listed(procfs) {
            Ok(listed) => listed,
            Err(error) => return untold("/proc", error),
        };
        counted.retain(|pid, _| listed.binary_search(pid).is_err());
        if counted.is_empty() {
            return Fact::Told(Vec::new());
        }
        std::thread::sleep(PAUSE);
        // Who is no longer in its group has ended.
        counted.retain(|pid, group: &mut PathBuf| pids(group).is_ok_and(|pids| pids.contains(pid)));
    }
    let told = counted.iter().map(|(pid, group)| {
        let group = group.strip_prefix(ROOT).unwrap_or(group);
        format!(
            "process {pid} of the control group /{} is not listed",
            group.display()
        )
    });
    Fact::Told(told.collect())
}

/// The processes of a group and those below. A group that goes away meanwhile has none.
fn walk(group: &Path, depth: usize, counted: &mut BTreeMap<i32, PathBuf>) -> std::io::Result<()> {
    match pids(group) {
        Ok(pids) => counted.extend(pids.into_iter().map(|pid| (pid, group.to_owned()))),
        Err(error) if is_none(&error) => {}
        Err(error) => return Err(error),
    }
    let entries = match std::fs::read_dir(group) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound && depth < DEPTH => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries.flatten() {
        if depth > 0 && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(&entry.path(), depth - 1, counted)?;
        }
    }
    Ok(())
}

/// The mount point of version 1 is no group, and a threaded group tells no processes: EOPNOTSUPP of cgroups(7).
fn is_none(error: &std::io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc_errno::ENOENT | libc_errno::ENODEV | libc_errno::EOPNOTSUPP)
    )
}

mod libc_errno {
    pub(super) const ENOENT: i32 = 2;
    pub(super) const ENODEV: i32 = 19;
    pub(super) const EOPNOTSUPP: i32 = 95;
}

/// 0 is a process outside the PID namespace.
fn pids(group: &Path) -> std::io::Result<Vec<i32>> {
    let text = std::fs::read_to_string(group.join("cgroup.procs"))?;
    Ok(text
        .lines()
        .filter_map(|line| line.parse().ok())
        .filter(|pid| *pid > 0)
        .collect())
}
