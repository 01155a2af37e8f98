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
    /// The account of its effective uid, as the name service has it.
    Account,
    /// `attr/current`, or the file of a security module's own.
    Label,
    /// `task/*/schedstat` of all threads.
    Sched,
    /// Who may change the control groups above that of its container.
    Container,
    /// Nice values and policies in `task/*/stat` of all threads.
    Ranks,
    /// Its user namespace: `ns/user`, `uid_map`.
    Userns,
    /// `root` and `cwd`.
    Root,
    /// Who may change `exe` and the directories above it.
    Writers,
    /// `task/*/status` of all threads.
    Threads,
    /// `cmdline`: takes the target's mmap lock, and can hang.
    Cmdline,
    /// `environ`: likewise.
    Environ,
    /// `maps`: likewise, and it is long.
    Maps,
    /// The entries of `fd`.
    Fds,
    /// What each entry of `fd` leads to, and the tables of sockets.
    Descriptors,
}

impl File {
    /// All of them.
    pub const ALL: [File; 21] = [
        File::Comm,
        File::Owner,
        File::Exe,
        File::Stat,
        File::Cgroup,
        File::Loginuid,
        File::Status,
        File::Account,
        File::Label,
        File::Sched,
        File::Container,
        File::Ranks,
        File::Userns,
        File::Root,
        File::Writers,
        File::Threads,
        File::Cmdline,
        File::Environ,
        File::Maps,
        File::Fds,
        File::Descriptors,
    ];
}
