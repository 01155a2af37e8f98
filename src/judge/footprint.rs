//! What the processes that match take together: threads, memory, CPU, descriptors.

use crate::snapshot::{Fact, Process, Snapshot, Stat};
use std::time::Duration;

/// What the processes that match take together. A sum is none where a part of it was not read, or can't be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    /// Zombies that would match.
    pub zombies: u64,
    /// Threads.
    pub threads: Option<u64>,
    /// Resident memory, bytes; what processes share counts for each.
    pub resident: Option<u64>,
    /// CPU time over their lives, in user mode and in the kernel.
    pub cpu: Option<Duration>,
    /// Open file descriptors.
    pub fds: Option<u64>,
    /// When the oldest was started: nanoseconds of CLOCK_BOOTTIME, `Host::started`.
    pub oldest: Option<i128>,
}

/// The footprint of the processes at these indices.
#[must_use]
pub fn footprint(matched: &[usize], zombies: u64, snapshot: &Snapshot) -> Footprint {
    let processes = || matched.iter().map(|index| &snapshot.processes[*index]);
    let stats = |of: &dyn Fn(&Stat) -> u64| sum(processes().map(|process| process.stat.value().map(of)));
    let started = |stat: &Stat| snapshot.host.started(stat.starttime);
    let starts = processes().map(|process| process.stat.value().map(started));
    let oldest = starts.collect::<Option<Vec<i128>>>().unwrap_or_default();
    Footprint {
        zombies,
        threads: stats(&|stat| stat.num_threads),
        resident: stats(&|stat| stat.rss.saturating_mul(snapshot.host.page_size)),
        cpu: stats(&Stat::ticks).map(|ticks| snapshot.host.span(ticks)),
        fds: sum(processes().map(fds)),
        oldest: oldest.into_iter().min(),
    }
}

fn fds(process: &Process) -> Option<u64> {
    match process.fds {
        Fact::Value(count) => Some(count),
        // A kernel thread has no table of descriptors.
        Fact::NotApplicable => Some(0),
        _ => None,
    }
}

fn sum(mut parts: impl Iterator<Item = Option<u64>>) -> Option<u64> {
    parts.try_fold(0u64, |sum, part| Some(sum.saturating_add(part?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Why;
    use crate::testing::{BEFORE_ZERO, Build, host, process};

    #[test]
    fn a_footprint_is_the_sum_and_none_where_a_part_is_not_known() {
        let one = process(10, "one").stat(|stat| {
            (stat.num_threads, stat.rss, stat.utime, stat.stime, stat.starttime) = (3, 5, 100, 50, 700);
        });
        let other = process(11, "other").change(|process| process.fds = Fact::Unreadable(Why::Denied));
        let host = host(vec![one, other]);
        let whole = footprint(&[1], 2, &host);
        let expected = Footprint {
            zombies: 2,
            threads: Some(3),
            resident: Some(5 * host.host.page_size),
            cpu: Some(Duration::from_millis(1500)),
            fds: Some(3),
            oldest: Some(7_000_000_000),
        };
        assert_eq!(whole, expected);
        let both = footprint(&[1, 2], 0, &host);
        assert_eq!((both.threads, both.fds), (Some(4), None));
        assert_eq!(both.oldest, Some(7_000_000_000));
        let none = footprint(&[], 0, &host);
        assert_eq!((none.threads, none.fds, none.oldest), (Some(0), Some(0), None));
    }

    #[test]
    fn who_was_started_before_the_clock_of_the_time_namespace_began_is_the_oldest() {
        let started = |pid, ticks| process(pid, "x").stat(|stat| stat.starttime = ticks);
        let host = host(vec![started(10, 700), started(11, BEFORE_ZERO)]);
        assert_eq!(footprint(&[1, 2], 0, &host).oldest, Some(-3_009_551_616));
    }

    #[test]
    fn of_a_process_that_could_not_be_read_nothing_is_added_up() {
        let unread = process(10, "one").change(|process| process.stat = Fact::Unreadable(Why::Denied));
        let footprint = footprint(&[1], 0, &host(vec![unread]));
        assert_eq!(
            (footprint.threads, footprint.cpu, footprint.oldest),
            (None, None, None)
        );
    }
}
