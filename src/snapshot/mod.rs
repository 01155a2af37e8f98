//! Processes and host facts at one moment: plain, owned, serialisable data. No I/O.

pub mod accounts;
pub mod fact;
pub mod file;
pub mod process;

pub use accounts::{Accounts, Table};
pub use fact::{Bytes, Fact, Why};
pub use process::{Cgroup, Cmdline, Exe, FileId, Process, Stat, Status};

use serde::{Deserialize, Serialize};

/// What one look at a host showed: every process that a check may mean, and what could not be seen.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Snapshot {
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
    /// Why the view may lack processes; empty when it is complete.
    pub gaps: Vec<Gap>,
    /// Names of users and groups, and the identities of files, where the snapshot is looked at elsewhere.
    pub accounts: Table,
}

impl Snapshot {
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
    /// Whether PIDs of this view are of the initial or a child PID namespace does not matter; this is the depth
    /// at which the view's own processes show in `NSpid`. Always 1 for a /proc of one's own namespace.
    pub pid_namespace_depth: usize,
}

impl Default for Host {
    fn default() -> Self {
        Host {
            boot_id: None,
            ticks_per_second: 100,
            page_size: 4096,
            pid_namespace_depth: 1,
        }
    }
}

/// Who looked at the host.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Observer {
    /// procward's own PID in the view; none where a foreign /proc or a file is looked at.
    pub pid: Option<i32>,
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
}

/// A reason why processes may be missing from a view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Gap {
    /// `/proc` is mounted with `hidepid=` and procward has not the right to look past it.
    HidePid(String),
    /// The directory lists no process at all, not even procward: not a /proc.
    NotProc(String),
    /// The listing failed halfway.
    Listing(String),
}

impl Gap {
    /// What is wrong, as a clause.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Gap::HidePid(how) => {
                format!("/proc is mounted with hidepid={how}, which hides others' processes")
            }
            Gap::NotProc(dir) => format!("{dir} lists no process: it is not a mounted /proc"),
            Gap::Listing(error) => format!("/proc could not be listed to its end: {error}"),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Gap::HidePid(_) => {
                "run procward as root, with CAP_SYS_PTRACE, or as a member of the group given by /proc's gid= option"
            }
            Gap::NotProc(_) => "give --proc the mount point of a proc file system",
            Gap::Listing(_) => "look at the kernel log for errors of the proc file system",
        }
    }
}
