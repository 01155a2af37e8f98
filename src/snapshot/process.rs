//! One process, as far as it was read: a [`Fact`] for each file below `/proc/PID`.

use super::{Account, Bytes, Descriptors, Environ, Fact, Maps, Root, Threads, Why, Writers};
use serde::{Deserialize, Serialize};

/// One process. Each field is one file of proc(5), read or not.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Process {
    /// Process id in the view's PID namespace.
    pub pid: i32,
    /// `/proc/PID/comm` without its newline.
    pub comm: Fact<Bytes>,
    /// `/proc/PID/stat`.
    pub stat: Fact<Stat>,
    /// Owner of the directory `/proc/PID`: effective uid and gid.
    pub owner: Fact<(u32, u32)>,
    /// `/proc/PID/exe`: the link's text and the file behind it.
    pub exe: Fact<Exe>,
    /// `/proc/PID/cmdline`.
    pub cmdline: Fact<Cmdline>,
    /// `/proc/PID/status`.
    pub status: Fact<Status>,
    /// `/proc/PID/task/*/schedstat`.
    #[serde(default)]
    pub sched: Fact<Sched>,
    /// How the scheduler ranks its threads: `/proc/PID/task/*/stat`.
    #[serde(default)]
    pub ranks: Fact<Ranks>,
    /// `/proc/PID/attr/…`: the label of the security module that is active.
    #[serde(default)]
    pub label: Fact<Label>,
    /// The account of its effective uid.
    #[serde(default)]
    pub account: Fact<Account>,
    /// Whether its user namespace is another than procward's.
    #[serde(default)]
    pub userns: Fact<bool>,
    /// `/proc/PID/root` and `/proc/PID/cwd`.
    #[serde(default)]
    pub root: Fact<Root>,
    /// Who may change the program file.
    #[serde(default)]
    pub writers: Fact<Writers>,
    /// `/proc/PID/task/*/status`.
    #[serde(default)]
    pub threads: Fact<Threads>,
    /// `/proc/PID/environ`; never saved.
    #[serde(skip)]
    pub environ: Fact<Environ>,
    /// `/proc/PID/maps`.
    #[serde(default)]
    pub maps: Fact<Maps>,
    /// `/proc/PID/cgroup`: the path in the systemd hierarchy.
    pub cgroup: Fact<Cgroup>,
    /// Who may change the control groups above that of its container.
    #[serde(default)]
    pub container: Fact<Writers>,
    /// `/proc/PID/loginuid`; none where it is unset (4294967295).
    pub loginuid: Fact<Option<u32>>,
    /// Number of entries in `/proc/PID/fd`.
    pub fds: Fact<u64>,
    /// What `/proc/PID/fd` leads to.
    #[serde(default)]
    pub descriptors: Fact<Descriptors>,
    /// When it was read: nanoseconds of CLOCK_BOOTTIME.
    pub read_at: u64,
}

/// The fields of proc_pid_stat(5) that procward uses, under their own names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stat {
    /// Field 2, without the brackets.
    pub comm: Bytes,
    /// Field 3: one letter.
    pub state: u8,
    /// Field 4: the PID of its parent.
    pub ppid: i32,
    /// Field 5: its process group.
    #[serde(default)]
    pub pgrp: i32,
    /// Field 6: its session; 0 where that is outside the PID namespace.
    pub session: i32,
    /// Field 7: 0 for no terminal.
    pub tty_nr: i32,
    /// Field 8: the process group in the foreground of its terminal, -1 for none.
    #[serde(default)]
    pub tpgid: i32,
    /// Field 9: PF_ flags of linux/sched.h.
    pub flags: u32,
    /// Field 14: clock ticks in user mode, of all threads.
    #[serde(default)]
    pub utime: u64,
    /// Field 15: clock ticks in the kernel.
    #[serde(default)]
    pub stime: u64,
    /// Field 16: clock ticks in user mode of children that were waited for.
    #[serde(default)]
    pub cutime: u64,
    /// Field 17: clock ticks in the kernel of the same.
    #[serde(default)]
    pub cstime: u64,
    /// Field 19: the nice value of its first thread, -20 to 19.
    pub nice: i64,
    /// Field 20: threads.
    pub num_threads: u64,
    /// Field 22: clock ticks since boot, as written: `Host::started` says what they mean.
    pub starttime: u64,
    /// Field 23: virtual memory, bytes.
    pub vsize: u64,
    /// Field 24: resident memory, pages.
    pub rss: u64,
    /// Field 41: SCHED_ of linux/sched.h; none where the kernel does not tell.
    #[serde(default)]
    pub policy: Option<u32>,
}

/// The scheduler's times of all live threads, in ascending order of their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sched {
    /// When they were read: nanoseconds of CLOCK_BOOTTIME.
    pub at: u64,
    /// One for each.
    pub threads: Vec<Thread>,
}

/// `/proc/PID/task/TID/schedstat` of sched-stats.rst.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// Thread id.
    pub tid: i32,
    /// Nanoseconds on a core.
    pub run: u64,
    /// Nanoseconds of waiting for one.
    pub wait: u64,
}

/// How all live threads are ranked. Each has a nice value and a policy of its own, and `renice -p PID` changes those of
/// the first thread only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ranks {
    /// The lowest nice value: that of the thread which gives way least.
    pub lowest_nice: i64,
    /// Their policies, each once.
    pub policies: Vec<u32>,
}

/// PF_FORKNOEXEC of linux/sched.h: forked, but has not exec'ed.
pub const PF_FORKNOEXEC: u32 = 0x0000_0040;
/// PF_KTHREAD of linux/sched.h: a kernel thread.
pub const PF_KTHREAD: u32 = 0x0020_0000;

impl Stat {
    /// Whether this is a kernel thread.
    #[must_use]
    pub fn is_kthread(&self) -> bool {
        self.flags & PF_KTHREAD != 0
    }
    /// Whether the process is dead and waits for its parent, or is being taken away.
    #[must_use]
    pub fn is_zombie(&self) -> bool {
        matches!(self.state, b'Z' | b'X' | b'x')
    }
    /// Clock ticks of its own, in user mode and in the kernel, of all threads.
    #[must_use]
    pub fn ticks(&self) -> u64 {
        self.utime.saturating_add(self.stime)
    }
    /// Whether it was forked and has not exec'ed since.
    #[must_use]
    pub fn is_forked_copy(&self) -> bool {
        self.flags & PF_FORKNOEXEC != 0
    }
}

/// A file, by what cannot be forged in a mount namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileId {
    /// Device, as statx gives it: major << 32 | minor.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
    /// The uid of its owner.
    pub owner: u32,
    /// Link count; 0 for a deleted or replaced file.
    pub links: u32,
}

/// `/proc/PID/exe`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exe {
    /// The link's text, with ` (deleted)` where the kernel put it.
    pub text: Bytes,
    /// The file behind the link, by statx through it; the link may be readable and the file not.
    pub file: Fact<FileId>,
    /// Its device, where that is all that can be told: a file on somebody's FUSE, which not even root may look at.
    #[serde(default)]
    pub device: Option<u64>,
    /// Whether the text without ` (deleted)` names a file again, of the same device and owner (an upgrade); asked only of
    /// deleted files.
    pub path_exists: Option<bool>,
}

/// What the kernel appends to the text of a link to a file without a name.
pub const DELETED: &[u8] = b" (deleted)";

/// How the kernel's text of a memory file of memfd_create(2) begins.
pub const MEMFD: &[u8] = b"/memfd:";

impl Exe {
    /// Whether the file has no name any more. Only the link count proves it: a file may be called `x (deleted)`.
    #[must_use]
    pub fn is_deleted(&self) -> Option<bool> {
        self.file.value().map(|file| file.links == 0)
    }
    /// The path that the program had, without the kernel's ` (deleted)`.
    #[must_use]
    pub fn path(&self) -> &[u8] {
        if self.is_deleted() == Some(true) {
            self.text.strip_suffix(DELETED).unwrap_or(&self.text)
        } else {
            &self.text
        }
    }
}

/// `/proc/PID/cmdline`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cmdline {
    /// The arguments, `argv[0]` first; empty ones are kept.
    pub arguments: Vec<Bytes>,
    /// Whether it was longer than our limit.
    pub truncated: bool,
}

impl Cmdline {
    /// More is not read, and what is read is a part.
    pub const LIMIT: u32 = 128 << 10;

    /// Why the rest is not known, if there is a rest.
    #[must_use]
    pub fn doubt(&self) -> Option<Why> {
        self.truncated.then_some(Why::TooLong(Cmdline::LIMIT))
    }
}

/// The fields of proc_pid_status(5) that procward uses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Whether one of the ids is that of nobody in the place of one that procward's user namespace has none for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unmapped: bool,
    /// Real, effective, saved set and file system uid.
    pub uid: [u32; 4],
    /// Real, effective, saved set and file system gid.
    pub gid: [u32; 4],
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// Swapped-out memory, bytes; none for kernel threads.
    pub vm_swap: Option<u64>,
    /// Resident memory, bytes: exact, where that of `stat` may lag behind; none for kernel threads.
    #[serde(default)]
    pub vm_rss: Option<u64>,
    /// Memory that is locked, bytes; none for kernel threads.
    #[serde(default)]
    pub vm_lck: Option<u64>,
    /// PIDs in each namespace, outermost first; empty on kernels before 4.1.
    pub ns_pid: Vec<i32>,
    /// Capability sets.
    #[serde(default)]
    pub caps: Caps,
    /// Whether an exec gives no further rights; none on kernels before 4.10.
    #[serde(default)]
    pub no_new_privs: Option<bool>,
    /// SECCOMP_MODE_ of linux/seccomp.h; none where the kernel is built without it.
    #[serde(default)]
    pub seccomp: Option<u32>,
    /// PID of who traces it, 0 for nobody.
    #[serde(default)]
    pub tracer: Option<i32>,
    /// Mode bits that its new files do not get; none on kernels before 4.7, and where it has ended.
    #[serde(default)]
    pub umask: Option<u32>,
}

/// The capability sets of capabilities(7) as masks; each is none where the kernel has no such line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caps {
    /// `CapInh`
    pub inheritable: Option<u64>,
    /// `CapPrm`
    pub permitted: Option<u64>,
    /// `CapEff`
    pub effective: Option<u64>,
    /// `CapBnd`
    pub bounding: Option<u64>,
    /// `CapAmb`, since Linux 4.3
    pub ambient: Option<u64>,
}

/// What a security module calls a process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// Which module: `selinux`, `apparmor`, `smack`.
    pub module: String,
    /// The label without its terminator.
    pub text: Bytes,
}

/// The process's place in the systemd hierarchy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cgroup {
    /// The path, `/` for the root.
    pub path: Bytes,
}
