//! Processes and host facts at one moment: plain, owned, serialisable data. No I/O.

pub mod accounts;
pub mod automaton;
pub mod clock;
pub mod descriptors;
pub mod fact;
pub mod file;
pub mod gauges;
pub mod image;
pub mod process;
pub mod standing;

pub use accounts::{Accounts, Table};
pub use automaton::Automaton;
pub use clock::{Clock, Clocks};
pub use descriptors::{Descriptor, Descriptors, Endpoint, FileKind, OpenFile, Protocol, Socket, Target};
pub use fact::{Bytes, Fact, Why};
pub use gauges::{CgroupPressure, Gauges, Loadavg, Meminfo, Pressure, Pressures, Stall, Waiter, Waiters};
pub use image::{Access, Environ, Library, Maps, Preload, Writers};
pub use process::{Caps, Cgroup, Cmdline, Exe, FileId, Label, Process, Ranks, Sched, Stat, Status, Thread};
pub use standing::{Account, Root, Threads};

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What one look at a host showed: every process that a check may mean, and what could not be seen.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Snapshot {
    /// When the look began: nanoseconds of CLOCK_BOOTTIME.
    #[serde(default)]
    pub at: u64,
    /// Facts about the host, not about a process.
    pub host: Host,
    /// Who looked: needed to leave procward itself out.
    pub observer: Observer,
    /// The processes, in ascending order of PID. With a plan, only those that a check may mean.
    pub processes: Vec<Process>,
    /// How many processes were listed in all, with those that the plan dismissed.
    pub seen: usize,
    /// How many went away while they were read.
    pub vanished: usize,
    /// What the view lacks, or may lack; empty when it shows all.
    pub gaps: Vec<Gap>,
    /// The CPU clocks of every process, where a rate is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clocks: Option<Clocks>,
    /// Those of an earlier look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub past: Option<Clocks>,
    /// Load and memory of the host, where they are asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gauges: Option<Gauges>,
    /// Who waits for what, where it is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pressures: Option<Pressures>,
    /// Names of users and groups, and the identities of files, where the snapshot is looked at elsewhere.
    pub accounts: Table,
}

impl Snapshot {
    /// Whether no process that a check may mean is missing.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.gaps.iter().any(Gap::hides)
    }

    /// Takes in the clocks of this look, by which is told who of the look before has ended.
    pub fn keep_clocks(&mut self, clocks: Clocks) {
        if let Some(past) = &mut self.past {
            past.mark_ended(&clocks);
        }
        self.clocks = Some(clocks);
    }

    /// The security module that its labels are of; `Ok(None)` where no process has one.
    ///
    /// # Errors
    /// No label of it could be read.
    pub fn security_module(&self) -> Result<Option<String>, String> {
        let labels = || self.processes.iter().map(|process| &process.label);
        let module = labels().find_map(|label| Some(label.value()?.module.clone()));
        if module.is_some() || labels().any(|label| *label == Fact::Unreadable(Why::NoModule)) {
            return Ok(module);
        }
        Err("the snapshot does not tell".into())
    }

    /// The process with this PID, if it is in the snapshot.
    #[must_use]
    pub fn by_pid(&self, pid: i32) -> Option<&Process> {
        self.processes
            .binary_search_by_key(&pid, |p| p.pid)
            .ok()
            .map(|i| &self.processes[i])
    }
}

/// Facts about the host.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Host {
    /// `/proc/sys/kernel/random/boot_id`; with PID and start ticks it makes an identity.
    pub boot_id: Option<String>,
    /// Clock ticks per second, sysconf(_SC_CLK_TCK); the unit of `stat`'s times.
    pub ticks_per_second: u64,
    /// Bytes per page, sysconf(_SC_PAGESIZE); the unit of `stat`'s rss.
    pub page_size: u64,
    /// `/proc/sys/kernel/cap_last_cap`: the highest capability that the kernel knows.
    #[serde(default)]
    pub last_capability: Option<u32>,
    /// Which programs the loaded profiles of AppArmor are for, where that is asked for; in no saved snapshot.
    #[serde(skip)]
    pub attachments: Fact<Vec<Attachment>>,
}

impl Host {
    /// How long so many clock ticks are.
    #[must_use]
    pub fn span(&self, ticks: u64) -> Duration {
        let nanos = u128::from(ticks) * 1_000_000_000 / u128::from(self.ticks_per_second.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// The instant that a start time of `stat` means: nanoseconds of CLOCK_BOOTTIME. It is below zero where the clock of
    /// procward's time namespace began after the process did: do_task_stat() of fs/proc/array.c adds the offset to the
    /// nanoseconds, modulo 2^64, and makes ticks of the sum.
    #[must_use]
    pub fn started(&self, ticks: u64) -> i128 {
        let nanos = i128::from(ticks) * 1_000_000_000 / i128::from(self.ticks_per_second.max(1));
        let wrapped = i128::from(i64::MAX) < nanos && nanos <= i128::from(u64::MAX);
        nanos - if wrapped { 1 << 64 } else { 0 }
    }

    /// How long before `at`, nanoseconds of CLOCK_BOOTTIME, a process was started; none where the start time lies after
    /// that, as of a file of another host.
    #[must_use]
    pub fn age(&self, at: u64, ticks: u64) -> Option<Duration> {
        let nanos = i128::from(at) - self.started(ticks);
        let saturated = u64::try_from(nanos.min(i128::from(u64::MAX)));
        saturated.ok().map(Duration::from_nanos)
    }
}

/// A loaded profile of AppArmor that is for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its name.
    pub profile: Vec<u8>,
    /// Which programs.
    pub programs: Programs,
}

/// Which programs a profile of AppArmor is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Programs {
    /// By their paths, as AppArmor writes them: `/usr/{bin,sbin}/x*`.
    Glob(Vec<u8>),
    /// As it compiles them.
    Automaton(Automaton),
}

impl Default for Host {
    fn default() -> Self {
        Host {
            boot_id: None,
            ticks_per_second: 100,
            page_size: 4096,
            last_capability: None,
            attachments: Fact::NotAsked,
        }
    }
}

/// Who looked at the host.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Observer {
    /// procward's own PID in the view; none where a foreign /proc or a file is looked at.
    pub pid: Option<i32>,
    /// The session that it was started in; a worker has one of its own.
    #[serde(default)]
    pub session: Option<i32>,
    /// Whether it is the worker of the program that was started, which is its parent.
    #[serde(default)]
    pub worker: bool,
    /// Its ancestors, parent first.
    pub ancestors: Vec<i32>,
    /// Its own program file.
    pub exe: Option<FileId>,
    /// Its effective uid.
    #[serde(default)]
    pub uid: Option<u32>,
    /// Its own comm, so that another copy under the same name is told.
    pub comm: Bytes,
    /// Its arguments without the program name.
    pub arguments: Vec<Bytes>,
    /// Whether it may read `exe` of everybody's processes (CAP_SYS_PTRACE in the effective set).
    pub may_trace: bool,
    /// Whether it may read every file and directory (CAP_DAC_READ_SEARCH or CAP_DAC_OVERRIDE in the effective set).
    #[serde(default)]
    pub may_read: bool,
    /// Whether `procward grant` would give its user what it lacks.
    #[serde(skip)]
    pub grantable: bool,
}

/// What a view lacks, or may lack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Gap {
    /// `/proc` is mounted with `hidepid=` and procward has not the right to look past it. `?`: it can't be told.
    HidePid(String),
    /// `/proc` is mounted with `subset=pid`: processes are all there, the rest is not.
    Subset,
    /// The directory lists no process at all, not even procward: not a /proc.
    NotProc(String),
    /// The directory could not be opened.
    Closed(String, String),
    /// The listing failed halfway.
    Listing(String, String),
    /// No PID 1 in a proc file system: something hides it, and may hide more.
    NoInit(String),
    /// `/proc` itself is of another PID namespace, or a copy: procward does not show in it.
    Foreign(String),
    /// Another PID namespace, or a copy, was asked for.
    Elsewhere(String),
    /// Something is mounted over processes, or over files of theirs: the mount points.
    Covered(Vec<String>),
}

/// How many mount points a gap names.
const COVERED: usize = 3;

impl Gap {
    /// Whether processes that a check means may be missing from the view.
    #[must_use]
    pub fn hides(&self) -> bool {
        match self {
            // hidepid=1 closes the files of others' processes, but lists them.
            Gap::HidePid(how) => !matches!(how.as_str(), "1" | "noaccess"),
            // Those are listed, and nothing is read of them.
            Gap::Subset | Gap::Elsewhere(_) | Gap::Covered(_) => false,
            Gap::NotProc(_) | Gap::Closed(..) | Gap::Listing(..) | Gap::NoInit(_) | Gap::Foreign(_) => true,
        }
    }

    /// Whether it may be why something can't be told.
    #[must_use]
    pub fn blinds(&self) -> bool {
        self.hides() || matches!(self, Gap::HidePid(_) | Gap::Covered(_))
    }

    /// What is wrong, as a clause.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Gap::HidePid(how) if how == "?" => {
                "it can't be told whether /proc is mounted with hidepid, which hides others' processes".into()
            }
            Gap::HidePid(how) if !self.hides() => {
                format!("/proc is mounted with hidepid={how}, which closes the files of others' processes")
            }
            Gap::HidePid(how) => {
                format!("/proc is mounted with hidepid={how}, which hides others' processes")
            }
            Gap::Subset => {
                "/proc is mounted with subset=pid, which shows all processes but nothing else of the host"
                    .into()
            }
            Gap::NotProc(dir) => format!("{dir} lists no process: it is not a mounted /proc"),
            Gap::Closed(dir, error) => format!("{dir} could not be opened: {error}"),
            Gap::Listing(dir, error) => format!("{dir} could not be listed to its end: {error}"),
            Gap::NoInit(dir) => format!("{dir} does not list process 1, and may hide others"),
            Gap::Foreign(dir) => {
                format!(
                    "{dir} is not the /proc of procward's own PID namespace, whose processes it does not list"
                )
            }
            Gap::Elsewhere(dir) => {
                format!("{dir} is not this host's own /proc: nothing is said of processes outside it")
            }
            Gap::Covered(points) => {
                let told = points.iter().take(COVERED).map(String::as_str);
                let more = match points.len().saturating_sub(COVERED) {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                format!(
                    "something is mounted over {}{more}, which may hide or forge the process there",
                    told.collect::<Vec<_>>().join(", ")
                )
            }
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Gap::HidePid(how) if matches!(how.as_str(), "1" | "2" | "noaccess" | "invisible") => {
                "run procward as root, with CAP_SYS_PTRACE, or as a member of the group given by /proc's gid= option"
            }
            Gap::HidePid(_) | Gap::NoInit(_) => {
                "run procward as root or with CAP_SYS_PTRACE, in the host's user namespace"
            }
            Gap::Subset => "nothing is to be done: checks need no more",
            Gap::NotProc(_) | Gap::Closed(..) => "give --proc the mount point of a proc file system",
            Gap::Listing(..) => "look at the limit of open files (ulimit -n) and at the kernel log",
            Gap::Foreign(_) => {
                "mount a proc file system of this PID namespace, or give --proc the one that is meant"
            }
            Gap::Covered(_) => "umount it where procward runs, and see who mounted it",
            Gap::Elsewhere(_) => "leave --proc out to look at this host",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::BEFORE_ZERO;

    #[test]
    fn a_start_before_the_clock_of_the_time_namespace_is_below_zero() {
        let host = Host::default();
        // floor((2^64 - 3 * 10^9) / 10^7) ticks.
        assert_eq!(host.started(BEFORE_ZERO), -3_009_551_616);
        let age = host.age(4_000_000_000, BEFORE_ZERO).unwrap();
        assert_eq!(age.as_secs(), 7);
        assert_eq!(host.age(0, BEFORE_ZERO).unwrap().as_secs(), 3);
    }

    #[test]
    fn a_start_in_the_future_has_no_age() {
        let host = Host::default();
        assert_eq!(host.age(10_000_000_000, 1000), Some(Duration::ZERO));
        assert_eq!(host.age(9_999_999_999, 1000), None);
        // Beyond 2^64 ns: nothing that a kernel writes.
        for ticks in [1_844_674_407_371, u64::MAX] {
            assert_eq!(host.age(u64::MAX, ticks), None);
        }
    }
}
