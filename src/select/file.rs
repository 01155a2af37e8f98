//! The files below `/proc/PID` that a plan may ask for.

/// A file of proc(5), cheapest first: the order is the order of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum File {
    /// `comm`
    Comm,
    /// The owner of the directory itself.
    Owner,
    /// The link `exe` and the file behind it.
    Exe,
    /// `stat`
    Stat,
    /// `cgroup`
    Cgroup,
    /// `loginuid`
    Loginuid,
    /// `status`
    Status,
    /// `attr/current`, or the file of a security module's own.
    Label,
    /// `task/*/schedstat` of all threads.
    Sched,
    /// Nice values and policies in `task/*/stat` of all threads.
    Ranks,
    /// `cmdline`: takes the target's mmap lock, and can hang.
    Cmdline,
    /// The entries of `fd`.
    Fds,
}

impl File {
    /// All of them.
    pub const ALL: [File; 12] = [
        File::Comm,
        File::Owner,
        File::Exe,
        File::Stat,
        File::Cgroup,
        File::Loginuid,
        File::Status,
        File::Label,
        File::Sched,
        File::Ranks,
        File::Cmdline,
        File::Fds,
    ];
}
