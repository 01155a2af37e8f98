//! The keys of the language: one table, from which the parser, the reader and the documentation take theirs.

use super::{descriptors, label};

/// A right that reading a key of others' processes takes; everybody may read the other keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// The links `exe`, `root`, `cwd`, `ns/*` and the memory maps: fs/proc/base.c asks ptrace_may_access().
    SysPtrace,
    /// The directory `fd` and the file `environ`, which only their owner may open; the links in `fd` take the other right, too.
    DacReadSearch,
}

impl Capability {
    /// As capabilities(7) and systemd name it; setcap(8) takes it in small letters.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Capability::SysPtrace => "CAP_SYS_PTRACE",
            Capability::DacReadSearch => "CAP_DAC_READ_SEARCH",
        }
    }
}

/// What a key's values are, and so which operators and values it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bytes: `=` with a glob, `~` with a regular expression.
    Text,
    /// Like text, but `=` with an absolute path and no wildcard compares files.
    Program,
    /// A whole number, not negative unless the key is `nice`.
    Number,
    /// Seconds, written `90s`, `5m`, `2h`, `3d`.
    Duration,
    /// Percent of one core, written `80%` or `80`; its numbers are tenths of a percent.
    Percent,
    /// Bytes, written with `K`, `M`, `G` (binary).
    Size,
    /// A user name or uid.
    User,
    /// A group name or gid.
    Group,
    /// `yes` or `no`.
    YesNo,
    /// `host`, `container` or `all`.
    Scope,
    /// One letter of proc_pid_stat(5)'s state, or its name (`zombie`, `running`, …).
    State,
    /// A capability of capabilities(7), or the name of a set of them.
    Capability,
    /// One of the words of [`Key::words`].
    Word,
    /// Mode bits, written in octal.
    Octal,
    /// A level of SELinux, or a range of two.
    Level,
    /// Where a socket can be reached: a port and a protocol, with an address or without, or a path.
    Listen,
}

impl Kind {
    /// As the documentation has it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Kind::Text => "text",
            Kind::Program => "text or file",
            Kind::Number => "number",
            Kind::Duration => "duration",
            Kind::Percent => "percent",
            Kind::Size => "size",
            Kind::User => "user",
            Kind::Group => "group",
            Kind::YesNo => "yes/no",
            Kind::Scope => "scope",
            Kind::State => "state",
            Kind::Capability => "capability",
            Kind::Word => "word",
            Kind::Octal => "octal",
            Kind::Level => "level",
            Kind::Listen => "socket",
        }
    }
}

macro_rules! keys {
    ($($variant:ident $name:literal $kind:ident $doc:literal),* $(,)?) => {
        /// A key of the selector language.
        #[allow(rustdoc::broken_intra_doc_links, reason = "argv[0] is no link, and the lines are shown to users as they are")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Key { $(#[doc = $doc] $variant),* }

        impl Key {
            /// Every key, in the order of the documentation.
            pub const ALL: &'static [Key] = &[$(Key::$variant),*];

            /// As written in a spec.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Key::$variant => $name),* }
            }
            /// What its values are.
            #[must_use]
            pub fn kind(self) -> Kind {
                match self { $(Key::$variant => Kind::$kind),* }
            }
            /// What it is, in one line.
            #[must_use]
            pub fn doc(self) -> &'static str {
                match self { $(Key::$variant => $doc),* }
            }
        }
    };
}

keys! {
    Name "name" Text "the program's name: comm, besides it the script of an interpreter or the whole of a name over 15 bytes",
    Comm "comm" Text "the kernel's name of the process, at most 15 bytes",
    Exe "exe" Program "the program file; a path without wildcards compares files, not texts",
    ExeDeleted "exe.deleted" YesNo "the program file has no name any more",
    ExeReplaced "exe.replaced" YesNo "the program file was replaced by another of its path: a restart is due",
    ExeSystem "exe.system" YesNo "the program file belongs to root and lies in a directory of the system, /usr say, as does the script that it runs",
    ExeMemfd "exe.memfd" YesNo "the program is in anonymous memory, and never was a file",
    ExeWritable "exe.writable" Word "who else than root may change the program file or a directory above it: no group yes; group: only a group that nobody is in",
    ExeOpenDir "exe.open_dir" YesNo "the program lies below a directory that everybody may write to",
    LibDeleted "lib.deleted" YesNo "a library that it has mapped has no name any more: it was replaced, or removed",
    LibWritable "lib.writable" Word "the same as exe.writable of the libraries that it has mapped",
    LibOpenDir "lib.open_dir" YesNo "a library that it has mapped lies below a directory that everybody may write to",
    LibMemfd "lib.memfd" YesNo "it has code mapped that is in anonymous memory, and never was a file",
    MappedDeleted "mapped.deleted" Text "files that it has mapped and that have no name any more, but where programs remove them on purpose",
    MemoryRwx "memory.rwx" YesNo "it has memory that it may both write to and execute",
    Env "env" Text "names of its environment variables that are not empty, as it was started with them",
    Preload "preload" Text "libraries that LD_PRELOAD names, but for well-known allocators and wrappers where only root could have put them",
    Root "root" Text "its root directory",
    Cwd "cwd" Text "its working directory",
    Chroot "chroot" YesNo "its root directory, or that of one of its threads, is not that of its mounts",
    CwdOutside "cwd.outside" YesNo "it, or one of its threads, is chrooted, and the working directory lies outside",
    Script "script" Text "what an interpreter runs: script, module, jar or main class",
    Arg "arg" Text "any one argument, argv[0] included",
    Cmdline "cmdline" Text "all arguments, joined by blanks, without empty ones at the end",
    CmdlineEmpty "cmdline.empty" YesNo "it has no arguments at all, or an empty first one",
    Pid "pid" Number "process id",
    Ppid "ppid" Number "process id of the parent",
    Parent "parent" Text "name of the parent",
    Ancestor "ancestor" Text "name of the parent, its parent, and so on",
    User "user" User "effective user, as in ps",
    Group "group" Group "effective group, as in ps",
    UidReal "uid.real" User "real uid",
    UidEffective "uid.effective" User "effective uid",
    UidSaved "uid.saved" User "saved set-user-id",
    UidFs "uid.fs" User "file system uid",
    UidAny "uid.any" User "any of the four uids",
    GidReal "gid.real" Group "real gid",
    GidEffective "gid.effective" Group "effective gid",
    GidSaved "gid.saved" Group "saved set-group-id",
    GidFs "gid.fs" Group "file system gid",
    GidOwn "gid.own" Group "any of the four gids, without the supplementary groups",
    GidAny "gid.any" Group "any of the four gids and the supplementary groups",
    GroupSupplementary "group.supplementary" Group "any of the supplementary groups",
    GroupAccount "group.account" Group "any group of the account of its effective uid: what a login would have",
    GroupsUnearned "groups.unearned" Group "privileged groups (disk shadow kmem sudo wheel docker lxd …) that it has and its account is not in; none",
    GidUnearned "gid.unearned" Group "those of its four gids that its account is not in; none",
    UserExists "user.exists" YesNo "there is an account of its effective uid",
    UidDiffer "uid.differ" YesNo "its four uids are not all the same",
    GidDiffer "gid.differ" YesNo "its four gids are not all the same",
    FsidDiffers "fsid.differs" YesNo "a file system id is not the effective one",
    ThreadsDiffer "threads.differ" YesNo "a thread has other ids or capabilities, effective or permitted, than the first one",
    ThreadsUid "threads.uid" User "any uid of any of its threads",
    ThreadsTracer "threads.tracer" Number "process id of who traces any of its threads; 0 for nobody",
    Userns "userns" YesNo "it is in another user namespace than procward: its capabilities count in there only",
    CapsEffective "caps.effective" Capability "capabilities that count now",
    CapsPermitted "caps.permitted" Capability "capabilities that it can make effective at any time",
    CapsInheritable "caps.inheritable" Capability "capabilities that an exec of a file with the same ones keeps",
    CapsAmbient "caps.ambient" Capability "capabilities that every exec keeps",
    CapsBounding "caps.bounding" Capability "capabilities that an exec can give it at most",
    NoNewPrivs "no_new_privs" YesNo "no exec gives it further rights: set-user-id and file capabilities have no effect",
    Seccomp "seccomp" Word "how its system calls are restricted: none strict filter",
    Tracer "tracer" Number "process id of who traces it, a debugger say; 0 for nobody",
    TracerUser "tracer.user" User "effective user of who traces it",
    Umask "umask" Octal "mode bits that its new files do not get",
    UmaskOpen "umask.open" YesNo "everybody may write to the files that it makes, as far as the umask goes",
    Label "label" Text "the whole label, of whichever security module is active",
    SelinuxUser "selinux.user" Text "user of the SELinux label",
    SelinuxRole "selinux.role" Text "role of the SELinux label",
    SelinuxType "selinux.type" Text "type of the SELinux label, also called its domain",
    SelinuxLevel "selinux.level" Level "level of the SELinux label, or range of levels",
    Confined "confined" YesNo "a security module confines it: a domain that is not unconfined, a profile that is enforced",
    ApparmorProfile "apparmor.profile" Text "any one profile of the AppArmor label, or the whole stack",
    ApparmorMode "apparmor.mode" Word "how AppArmor holds it: enforce complain kill unconfined mixed user",
    ApparmorAttachment "apparmor.attachment" Text "loaded profiles that are for its program, whether they hold it or not",
    Smack "smack" Text "the Smack label",
    Unit "unit" Text "systemd unit of the system manager",
    Slice "slice" Text "innermost slice of the system manager",
    Cgroup "cgroup" Text "path in the systemd hierarchy",
    UserUnit "user_unit" Text "unit of a user's own manager, below user@UID.service",
    Container "container" Text "id of the container, from the cgroup path",
    ContainerSystem "container.system" YesNo "only root could have made its container: nobody else may write to the control groups above that of the container",
    Scope "scope" Scope "host, container (a child PID namespace that is not a service's own) or all",
    Tty "tty" Text "controlling terminal, as ps prints it: pts/0, tty1",
    Session "session" Number "session id",
    Leader "leader" YesNo "it leads its session",
    Kthread "kthread" YesNo "a kernel thread",
    Main "main" YesNo "the main process of its program, not a worker or a leftover of one",
    State "state" State "R S D T t Z I … or running sleeping disk-sleep stopped tracing zombie idle",
    Age "age" Duration "time since the process was started",
    Cpu "cpu" Percent "CPU used over the window, of all threads and of children that were waited for, in percent of one core",
    CpuDemand "cpu.demand" Percent "the same, had no thread waited for a free core: what it would use if it could",
    CpuLife "cpu.life" Percent "CPU used over the whole life, as ps tells it",
    CpuReaped "cpu.reaped" Percent "the part of `cpu` that children used that were waited for: a storm of short-lived ones",
    CpuStarved "cpu.starved" YesNo "wants a core and hardly gets one while another process does: that one is to blame",
    Scheduler "scheduler" Text "scheduling policy: other batch idle fifo rr deadline",
    SchedulerAny "scheduler.any" Text "scheduling policy of any of its threads",
    Threads "threads" Number "number of threads",
    Rss "rss" Size "resident memory",
    Vsz "vsz" Size "virtual memory",
    Swap "swap" Size "swapped-out memory",
    Nice "nice" Number "nice value of its first thread, as in ps, -20 to 19",
    NiceLowest "nice.lowest" Number "the lowest nice value of its threads: `renice -p` changes only that of the first",
    Fds "fds" Number "number of open file descriptors",
    Fd "fd" Text "any one of its open descriptors, as its link reads: a path, anon_inode:bpf-prog",
    FdBlock "fd.block" YesNo "it has a block device open",
    FdDeleted "fd.deleted" Size "disk space of the largest file that it has open and that has no name any more; 0 for none",
    FdMemory "fd.memory" Number "process id of another process whose memory it has open, /proc/PID/mem",
    FdOutside "fd.outside" YesNo "it is chrooted, and has a directory open that lies outside its root",
    Listen "listen" Listen "where it listens, or takes datagrams: a port and its protocol, 22/tcp, or a path",
    ListenPublic "listen.public" YesNo "it listens on an address that is not loopback",
    Socket "socket" Word "kinds of its sockets: tcp udp raw packet icmp unix netlink other",
    Stdio "stdio" Word "what its standard input, output and error are: inet unix socket tty null pipe file other",
}

impl Key {
    /// Whether it is a rate, between two looks.
    #[must_use]
    pub fn is_rate(self) -> bool {
        matches!(self, Key::Cpu | Key::CpuDemand | Key::CpuReaped | Key::CpuStarved)
    }

    /// Whether it asks as whom a process runs.
    #[must_use]
    pub fn is_credential(self) -> bool {
        matches!(self.kind(), Kind::User | Kind::Group | Kind::Capability)
            || self.is_label()
            || matches!(
                self,
                Key::UserExists | Key::UidDiffer | Key::GidDiffer | Key::FsidDiffers | Key::ThreadsDiffer
            )
    }

    /// Whether it asks for the label of a security module, or a part of it.
    #[must_use]
    pub fn is_label(self) -> bool {
        self == Key::Label || label::of_key(self).is_some()
    }

    /// The values of a key that takes words.
    #[must_use]
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Key::Seccomp => &["none", "strict", "filter"],
            Key::ApparmorMode => label::MODES,
            Key::ExeWritable | Key::LibWritable => &["no", "group", "yes"],
            Key::Socket => descriptors::SOCKETS,
            Key::Stdio => descriptors::STDIO,
            _ => &[],
        }
    }

    /// The rights that it takes of others' processes.
    #[must_use]
    pub fn capabilities(self) -> &'static [Capability] {
        match self {
            Key::Exe
            | Key::ExeDeleted
            | Key::ExeReplaced
            | Key::ExeSystem
            | Key::ExeMemfd
            | Key::LibDeleted
            | Key::LibMemfd
            | Key::MappedDeleted
            | Key::MemoryRwx
            | Key::Userns
            | Key::Root
            | Key::Cwd
            | Key::Chroot
            | Key::CwdOutside
            | Key::ApparmorAttachment => &[Capability::SysPtrace],
            // The directories above a file may be closed to others.
            Key::ExeWritable
            | Key::ExeOpenDir
            | Key::LibWritable
            | Key::LibOpenDir
            | Key::Env
            | Key::Preload => &[Capability::SysPtrace, Capability::DacReadSearch],
            Key::Fds => &[Capability::DacReadSearch],
            _ if self.is_of_descriptors() => &[Capability::SysPtrace, Capability::DacReadSearch],
            _ => &[],
        }
    }

    /// Whether it asks what the descriptors of a process lead to.
    #[must_use]
    pub fn is_of_descriptors(self) -> bool {
        matches!(
            self,
            Key::Fd
                | Key::FdBlock
                | Key::FdDeleted
                | Key::FdMemory
                | Key::FdOutside
                | Key::Listen
                | Key::ListenPublic
                | Key::Socket
                | Key::Stdio
        )
    }

    /// The key of this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Key> {
        Key::ALL.iter().copied().find(|key| key.name() == name)
    }
}
