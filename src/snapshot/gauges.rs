//! What the host as a whole tells of its load: averages, memory, and the pressure of those who wait for a resource.

use super::{Bytes, Fact};
use serde::{Deserialize, Serialize};

/// What the load is judged by.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Gauges {
    /// `/proc/loadavg`.
    pub loadavg: Fact<Loadavg>,
    /// `/proc/meminfo`.
    pub meminfo: Fact<Meminfo>,
}

/// `/proc/loadavg` of proc_loadavg(5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Loadavg {
    /// Tasks that ran, waited for a core or slept in state D, on average over 1, 5 and 15 minutes.
    pub averages: [f64; 3],
    /// Tasks that run or wait for a core now, and all that there are.
    pub tasks: Option<(u64, u64)>,
}

/// The lines of proc_meminfo(5) that procward uses, in KiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meminfo {
    /// `MemTotal`; never 0.
    pub total: u64,
    /// `MemAvailable`; kernels before 3.14 have none.
    pub available: Option<u64>,
    /// `SwapTotal`.
    pub swap_total: Option<u64>,
    /// `SwapFree`.
    pub swap_free: Option<u64>,
}

/// Pressure stall information, Documentation/accounting/psi.rst of the kernel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pressures {
    /// Of the whole host, in the order of [`RESOURCES`].
    pub host: [Fact<Pressure>; 3],
    /// By cgroup; not applicable where no cgroup2 is mounted.
    pub cgroups: Fact<Vec<CgroupPressure>>,
}

/// What tasks wait for, in the kernel's words.
pub const RESOURCES: [&str; 3] = ["cpu", "io", "memory"];

/// One pressure file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pressure {
    /// The part of the time in which some task waited.
    pub some: Stall,
    /// The part in which all did; old kernels do not tell it of the CPU.
    pub full: Option<Stall>,
}

/// Percent of the time, over 10, 60 and 300 seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stall {
    /// Over 10 s.
    pub avg10: f64,
    /// Over 60 s.
    pub avg60: f64,
    /// Over 300 s.
    pub avg300: f64,
}

/// The pressure of the tasks in a cgroup and below it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CgroupPressure {
    /// The path below the mount point.
    pub path: Bytes,
    /// In the order of [`RESOURCES`].
    pub of: [Fact<Pressure>; 3],
}

/// What sleeps in state D (uninterruptible), which counts as load.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waiters {
    /// The processes, in ascending order of PID.
    pub processes: Vec<Waiter>,
    /// Whether there were more threads than are looked at.
    pub cut: bool,
}

/// A process that sleeps in state D, or has threads that do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waiter {
    /// Process id.
    pub pid: i32,
    /// How many of its threads are in state D.
    pub tasks: u64,
    /// How many threads it has.
    pub threads: u64,
    /// Where in the kernel they sleep, `/proc/PID/wchan`: one for each of which it is told.
    pub channels: Vec<Bytes>,
    /// Whether a channel is kept from procward: the kernel shows it to those who may trace the process.
    pub hidden: bool,
}
