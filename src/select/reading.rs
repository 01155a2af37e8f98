//! From a key to a value: what a process, in its crowd, says to a key.

pub(super) mod naming;

use super::truth::Need;
use super::usage::{self, Usage};
use super::{File, Key, caps, descriptors, image, label, main_process, names, place, script, standing};
use crate::snapshot::process::DELETED;
use crate::snapshot::{Access, Clocks, Endpoint, Exe, Fact, Host, Process, Snapshot, Status, Why};
use std::borrow::Cow;

/// What a set of groups holds in which there is none: no group has this number.
pub const NONE: i64 = -1;

/// A process and what surrounds it.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The process.
    pub process: &'a Process,
    /// The host.
    pub host: &'a Host,
    /// All processes, once the pass over `/proc` is finished.
    pub crowd: Option<&'a Snapshot>,
    /// The CPU clocks of an earlier look.
    pub past: Option<&'a Clocks>,
    /// Those of this look, once the pass is finished.
    pub present: Option<&'a Clocks>,
}

/// One value of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Bytes.
    Bytes(Cow<'a, [u8]>),
    /// A number.
    Number(i64),
    /// Yes or no.
    YesNo(bool),
    /// The program file.
    Exe(&'a Exe),
    /// A set of capabilities.
    Caps(caps::Held),
    /// Where a socket can be reached.
    Endpoint(&'a Endpoint),
    /// Profiles of AppArmor, each once.
    Stack(Vec<Cow<'a, [u8]>>),
}

/// What a key says: the rows of the truth table, and what must be read first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading<'a> {
    /// One value.
    One(Value<'a>),
    /// Several, wholly or partly read.
    Set(Vec<Value<'a>>, Option<Why>),
    /// The process has no such thing.
    NotApplicable,
    /// It has, but it could not be read.
    Unreadable(Why),
    /// Not read yet.
    Need(Need),
}

impl<'a> Reading<'a> {
    fn bytes(bytes: &'a [u8]) -> Reading<'a> {
        Reading::One(Value::Bytes(Cow::Borrowed(bytes)))
    }
    pub(super) fn number(number: impl TryInto<i64>) -> Reading<'a> {
        Reading::One(Value::Number(number.try_into().unwrap_or(i64::MAX)))
    }
    pub(super) fn yes_no(yes: bool) -> Reading<'a> {
        Reading::One(Value::YesNo(yes))
    }
    fn optional(bytes: Option<&'a [u8]>) -> Reading<'a> {
        bytes.map_or(Reading::NotApplicable, Reading::bytes)
    }
}

/// The value of a fact, or what to say in its place.
pub(super) fn fact<'a, T>(fact: &'a Fact<T>, file: File) -> Result<&'a T, Reading<'a>> {
    match fact {
        Fact::Value(value) => Ok(value),
        Fact::NotApplicable => Err(Reading::NotApplicable),
        Fact::Unreadable(why) => Err(Reading::Unreadable(*why)),
        Fact::NotAsked => Err(Reading::Need(Need::File(file))),
    }
}

impl<'a> Subject<'a> {
    /// A process of a snapshot.
    #[must_use]
    pub fn of(process: &'a Process, snapshot: &'a Snapshot) -> Subject<'a> {
        Subject {
            crowd: Some(snapshot),
            present: snapshot.clocks.as_ref(),
            ..Subject::alone(process, snapshot)
        }
    }

    /// A process that is being read, while the others are not known yet.
    #[must_use]
    pub fn alone(process: &'a Process, snapshot: &'a Snapshot) -> Subject<'a> {
        Subject {
            process,
            host: &snapshot.host,
            crowd: None,
            past: snapshot.past.as_ref(),
            present: None,
        }
    }

    /// What the process says to `key`.
    #[must_use]
    pub fn read(self, key: Key) -> Reading<'a> {
        self.try_read(key).unwrap_or_else(|reading| reading)
    }

    fn try_read(self, key: Key) -> Result<Reading<'a>, Reading<'a>> {
        let process = self.process;
        let stat = || fact(&process.stat, File::Stat);
        let status = || fact(&process.status, File::Status);
        let ids = || ids(process);
        let cgroup = || fact(&process.cgroup, File::Cgroup).map(|cgroup| cgroup.path.as_slice());
        let owner = || fact(&process.owner, File::Owner);
        let ranks = || fact(&process.ranks, File::Ranks);
        Ok(match key {
            Key::Name => self.name()?,
            Key::Comm => Reading::bytes(self.comm()?),
            Key::Exe => Reading::One(Value::Exe(fact(&process.exe, File::Exe)?)),
            Key::ExeDeleted => self.exe_deleted(false)?,
            Key::ExeReplaced => self.exe_deleted(true)?,
            Key::ExeMemfd
            | Key::ExeWritable
            | Key::ExeOpenDir
            | Key::LibDeleted
            | Key::LibWritable
            | Key::LibOpenDir
            | Key::LibMemfd
            | Key::MappedDeleted
            | Key::MemoryRwx
            | Key::Env
            | Key::Preload => image::read(self, key)?,
            Key::Root | Key::Cwd | Key::Chroot | Key::CwdOutside => standing::root(self, key)?,
            Key::GidOwn
            | Key::GroupAccount
            | Key::GroupsUnearned
            | Key::GidUnearned
            | Key::UserExists
            | Key::UidDiffer
            | Key::GidDiffer
            | Key::FsidDiffers
            | Key::ThreadsDiffer
            | Key::ThreadsUid
            | Key::ThreadsTracer
            | Key::Userns
            | Key::TracerUser
            | Key::UmaskOpen => standing::read(self, key)?,
            Key::Script => self.script()?,
            Key::CmdlineEmpty => match &process.cmdline {
                Fact::Unreadable(Why::Empty) => Reading::yes_no(true),
                cmdline => {
                    let first = fact(cmdline, File::Cmdline)?.arguments.first();
                    Reading::yes_no(first.is_none_or(Vec::is_empty))
                }
            },
            Key::Leader => Reading::yes_no(stat()?.session == process.pid),
            Key::Confined => label::confined(&process.label)?,
            Key::ApparmorAttachment => self.attachments()?,
            Key::Arg => {
                let cmdline = fact(&process.cmdline, File::Cmdline)?;
                let members = cmdline
                    .arguments
                    .iter()
                    .map(|a| Value::Bytes(Cow::Borrowed(a)))
                    .collect();
                Reading::Set(members, cmdline.doubt())
            }
            Key::Cmdline => {
                let cmdline = fact(&process.cmdline, File::Cmdline)?;
                let joined = Value::Bytes(Cow::Owned(joined(&cmdline.arguments)));
                Reading::Set(vec![joined], cmdline.doubt())
            }
            Key::Pid => Reading::number(process.pid),
            Key::Ppid => Reading::number(stat()?.ppid),
            Key::Parent => self.parent_name()?,
            Key::Ancestor => self.ancestor_names()?,
            Key::User => Reading::number(owner()?.0),
            Key::Group => Reading::number(owner()?.1),
            Key::UidReal => Reading::number(ids()?.uid[0]),
            Key::UidEffective => Reading::number(ids()?.uid[1]),
            Key::UidSaved => Reading::number(ids()?.uid[2]),
            Key::UidFs => Reading::number(ids()?.uid[3]),
            Key::UidAny => numbers(&ids()?.uid, &[]),
            Key::GidReal => Reading::number(ids()?.gid[0]),
            Key::GidEffective => Reading::number(ids()?.gid[1]),
            Key::GidSaved => Reading::number(ids()?.gid[2]),
            Key::GidFs => Reading::number(ids()?.gid[3]),
            Key::GidAny => numbers(&ids()?.gid, &ids()?.groups),
            Key::GroupSupplementary => numbers(&[], &ids()?.groups),
            Key::CapsEffective => self.caps(status()?.caps.effective),
            Key::CapsPermitted => self.caps(status()?.caps.permitted),
            Key::CapsInheritable => self.caps(status()?.caps.inheritable),
            Key::CapsAmbient => self.caps(status()?.caps.ambient),
            Key::CapsBounding => self.caps(status()?.caps.bounding),
            Key::NoNewPrivs => told(status()?.no_new_privs.map(Value::YesNo)),
            Key::Seccomp => told(status()?.seccomp.and_then(seccomp_name)),
            Key::Tracer => told(status()?.tracer.map(|pid| Value::Number(i64::from(pid)))),
            Key::Umask => match status()?.umask {
                Some(umask) => Reading::number(umask),
                // It has no files of its own any more.
                None if self.is_zombie()? => Reading::NotApplicable,
                None => Reading::Unreadable(Why::Untold),
            },
            Key::Label
            | Key::SelinuxUser
            | Key::SelinuxRole
            | Key::SelinuxType
            | Key::SelinuxLevel
            | Key::ApparmorProfile
            | Key::ApparmorMode
            | Key::Smack => label::read(fact(&process.label, File::Label)?, key),
            Key::Unit => Reading::optional(place::unit(cgroup()?)),
            Key::Slice => Reading::optional(place::slice(cgroup()?)),
            Key::Cgroup => Reading::bytes(cgroup()?),
            Key::UserUnit => Reading::optional(place::user_unit(cgroup()?)),
            Key::Container => Reading::optional(place::container(cgroup()?)),
            Key::ContainerSystem if place::container(cgroup()?).is_none() => Reading::NotApplicable,
            Key::ContainerSystem => {
                Reading::yes_no(fact(&process.container, File::Container)?.access == Access::Root)
            }
            Key::Scope => Reading::One(Value::YesNo(self.in_container()?)),
            Key::Tty => match stat()?.tty_nr {
                0 => Reading::NotApplicable,
                device => Reading::One(Value::Bytes(Cow::Owned(tty_name(device)))),
            },
            Key::Session => Reading::number(stat()?.session),
            Key::Kthread => Reading::One(Value::YesNo(self.is_kthread()?)),
            Key::Main => main_process::read(self)?,
            Key::State => Reading::bytes(std::slice::from_ref(&stat()?.state)),
            Key::Age => match self.host.age(process.read_at, stat()?.starttime) {
                Some(age) => Reading::number(age.as_secs()),
                None => Reading::Unreadable(Why::Future),
            },
            Key::Cpu => usage::read(self, Usage::Share)?,
            Key::CpuDemand => usage::read(self, Usage::Demand)?,
            Key::CpuLife => usage::read(self, Usage::Life)?,
            Key::CpuReaped => usage::read(self, Usage::Reaped)?,
            Key::CpuStarved => usage::read(self, Usage::Starved)?,
            Key::Scheduler => match stat()?.policy {
                Some(policy) => Reading::bytes(policy_name(policy)),
                None => Reading::Unreadable(Why::Malformed),
            },
            Key::SchedulerAny => {
                let policies = ranks()?.policies.iter().map(|policy| policy_name(*policy));
                let values = policies.map(|name| Value::Bytes(Cow::Borrowed(name)));
                Reading::Set(values.collect(), None)
            }
            Key::ExeSystem => self.exe_system()?,
            Key::Threads => Reading::number(stat()?.num_threads),
            Key::Rss => Reading::number(stat()?.rss.saturating_mul(self.host.page_size)),
            Key::Vsz => Reading::number(stat()?.vsize),
            Key::Swap => status()?.vm_swap.map_or(Reading::NotApplicable, Reading::number),
            Key::Nice => Reading::number(stat()?.nice),
            Key::NiceLowest => Reading::number(ranks()?.lowest_nice),
            Key::Fds => Reading::number(*fact(&process.fds, File::Fds)?),
            Key::Listen
            | Key::ListenPublic
            | Key::Socket
            | Key::Stdio
            | Key::Fd
            | Key::FdBlock
            | Key::FdMemory
            | Key::FdOutside
            | Key::FdDeleted => descriptors::read(self, key)?,
        })
    }

    /// The loaded profiles of AppArmor that are for its program.
    fn attachments(self) -> Result<Reading<'a>, Reading<'a>> {
        let attachments = match &self.host.attachments {
            Fact::Value(attachments) => attachments,
            Fact::Unreadable(why) => return Ok(Reading::Unreadable(*why)),
            _ => return Ok(Reading::Unreadable(Why::Absent)),
        };
        let exe = fact(&self.process.exe, File::Exe)?;
        let mut names = Vec::new();
        for attachment in attachments {
            match label::is_for(&attachment.programs, exe.path()) {
                Some(true) => names.push(Value::Bytes(Cow::Borrowed(&attachment.profile))),
                Some(false) => {}
                None => return Ok(Reading::Unreadable(Why::Malformed)),
            }
        }
        Ok(Reading::Set(names, None))
    }

    fn caps(self, mask: Option<u64>) -> Reading<'a> {
        let last = self.host.last_capability;
        told(mask.map(|mask| Value::Caps(caps::Held { mask, last })))
    }

    /// comm, from whichever file holds it.
    pub(super) fn comm(self) -> Result<&'a [u8], Reading<'a>> {
        match (&self.process.comm, &self.process.stat) {
            (Fact::NotAsked, Fact::Value(stat)) => Ok(&stat.comm),
            (comm, _) => fact(comm, File::Comm).map(Vec::as_slice),
        }
    }

    /// A process whose program can be read is no kernel thread, so `stat` need not be opened.
    pub(super) fn is_kthread(self) -> Result<bool, Reading<'a>> {
        if self.process.exe.value().is_some() {
            return Ok(false);
        }
        Ok(fact(&self.process.stat, File::Stat)?.is_kthread())
    }

    /// Dead, and waiting to be taken away by its parent.
    pub(super) fn is_zombie(self) -> Result<bool, Reading<'a>> {
        Ok(fact(&self.process.stat, File::Stat)?.is_zombie())
    }

    /// In a child PID namespace that is not a systemd service's own. `NSpid` is readable by everybody, the link
    /// `ns/pid` is not; it begins at the namespace that the proc file system is of, whichever procward's is.
    pub(crate) fn in_container(self) -> Result<bool, Reading<'a>> {
        let deeper = fact(&self.process.status, File::Status)?.ns_pid.len() > 1;
        if !deeper {
            return Ok(false);
        }
        match &self.process.cgroup {
            Fact::Value(cgroup) => Ok(!place::is_services_own(&cgroup.path)),
            Fact::NotAsked => Err(Reading::Need(Need::File(File::Cgroup))),
            _ => Ok(true),
        }
    }

    fn exe_deleted(self, replaced: bool) -> Result<Reading<'a>, Reading<'a>> {
        let exe = fact(&self.process.exe, File::Exe)?;
        let answer = |yes| Ok(Reading::One(Value::YesNo(yes)));
        // The kernel writes it behind every file without a name; only whether it wrote it, or the name ends so, takes
        // a look at the file.
        if !exe.text.ends_with(DELETED) {
            return answer(false);
        }
        if fact(&exe.file, File::Exe)?.links > 0 {
            return answer(false);
        }
        if exe.path() == b"/" {
            // The file of a bind mount (ExecPaths= of a unit, a container) has no other text once it has no name. What
            // root put there is an upgrade's doing.
            return answer(replaced == (fact(&exe.file, File::Exe)?.owner == 0));
        }
        match exe.path_exists {
            Some(exists) => answer(exists == replaced),
            None => Err(Reading::Unreadable(Why::Absent)),
        }
    }

    /// Whether the program lies where only root may put one, and was not taken away: a name proves nothing, a place
    /// does. What an interpreter does is its script's doing.
    fn exe_system(self) -> Result<Reading<'a>, Reading<'a>> {
        let exe = fact(&self.process.exe, File::Exe)?;
        let told = |yes| Ok(Reading::One(Value::YesNo(yes)));
        // The path alone proves nothing: a user may mount a file system of his own there, which not even root can look at.
        if !is_system(exe.path()) || fact(&exe.file, File::Exe)?.owner != 0 {
            return told(false);
        }
        let program = names::file_name(exe.path());
        if is_loader(program) {
            return told(false);
        }
        if !script::is_interpreter(program) && program != b"busybox" {
            return told(true);
        }
        let cmdline = fact(&self.process.cmdline, File::Cmdline)?;
        let argv0 = cmdline
            .arguments
            .first()
            .map_or(&b""[..], |argv0| names::file_name(argv0));
        let applet = program == b"busybox";
        let name = if applet { argv0 } else { program };
        if applet && !script::is_interpreter(name) {
            return told(true);
        }
        match script::script(name, cmdline) {
            script::Script::Runs(what) => told(is_system(what)),
            script::Script::Nothing | script::Script::Unclear => told(false),
        }
    }

    /// The process that `pid` is, seen from here; what is missing of it is a need of another process.
    pub(super) fn other(self, pid: i32) -> Result<Subject<'a>, Reading<'a>> {
        let crowd = self.crowd.ok_or(Reading::Need(Need::Crowd))?;
        match crowd.by_pid(pid) {
            Some(process) => Ok(Subject { process, ..self }),
            None => Err(Reading::Need(Need::Of(pid, File::Stat))),
        }
    }
}

/// The length of comm in the kernel: TASK_COMM_LEN - 1 of linux/sched.h.
pub const COMM_MAX: usize = 15;

/// Directories of the file system hierarchy, hier(7), that hold programs and belong to root.
const SYSTEM_DIRECTORIES: [&[u8]; 9] = [
    b"/usr/",
    b"/bin/",
    b"/sbin/",
    b"/lib/",
    b"/lib64/",
    b"/libexec/",
    b"/opt/",
    b"/nix/store/",
    b"/snap/",
];

/// The dynamic linker, ld.so(8), called as a program: it runs whatever file it is given.
fn is_loader(program: &[u8]) -> bool {
    program == b"ld.so" || program.starts_with(b"ld-") && program.windows(3).any(|part| part == b".so")
}

/// Whether a path lies in one of them.
pub(crate) fn is_system(path: &[u8]) -> bool {
    let plain = !path.windows(3).any(|part| part == b"/..");
    plain && SYSTEM_DIRECTORIES.iter().any(|dir| path.starts_with(dir))
}

/// The scheduling policies of sched(7), by the numbers of linux/sched.h.
fn policy_name(policy: u32) -> &'static [u8] {
    match policy {
        0 => b"other",
        1 => b"fifo",
        2 => b"rr",
        3 => b"batch",
        5 => b"idle",
        6 => b"deadline",
        _ => b"unknown",
    }
}

/// A need of the process itself, said of process `pid` to another.
pub(super) fn of(pid: i32, reading: Reading<'_>) -> Reading<'_> {
    match reading {
        Reading::Need(Need::File(file)) => Reading::Need(Need::Of(pid, file)),
        other => other,
    }
}

/// All arguments in one. A title that is shorter than what it was written over leaves NULs, which read as empty
/// arguments at the end: `php-fpm: pool www` is not followed by blanks.
fn joined(arguments: &[Vec<u8>]) -> Vec<u8> {
    let end = arguments
        .iter()
        .rposition(|argument| !argument.is_empty())
        .map_or(0, |last| last + 1);
    arguments[..end].join(&b' ')
}

/// What a line says that older kernels lack.
fn told(value: Option<Value<'_>>) -> Reading<'_> {
    value.map_or(Reading::Unreadable(Why::Untold), Reading::One)
}

/// The modes of linux/seccomp.h; of one that is not known nothing can be told.
fn seccomp_name<'a>(mode: u32) -> Option<Value<'a>> {
    let name = Key::Seccomp.words().get(usize::try_from(mode).ok()?)?;
    Some(Value::Bytes(Cow::Borrowed(name.as_bytes())))
}

/// Its status, where it tells all of its ids.
pub(super) fn ids(process: &Process) -> Result<&Status, Reading<'_>> {
    let status = fact(&process.status, File::Status)?;
    if status.unmapped {
        return Err(Reading::Unreadable(Why::Unmapped));
    }
    Ok(status)
}

pub(super) fn numbers<'a>(ids: &[u32], more: &[u32]) -> Reading<'a> {
    let mut members: Vec<i64> = ids.iter().chain(more).map(|id| i64::from(*id)).collect();
    members.sort_unstable();
    members.dedup();
    Reading::Set(members.into_iter().map(Value::Number).collect(), None)
}

/// The name of a terminal's device number as ps prints it; the encoding is new_encode_dev() of linux/kdev_t.h.
fn tty_name(tty_nr: i32) -> Vec<u8> {
    let device = tty_nr.cast_unsigned();
    let major = (device >> 8) & 0xfff;
    let minor = (device & 0xff) | ((device >> 12) & 0xf_ff00);
    match (major, minor) {
        (136..=143, _) => format!("pts/{}", minor + (major - 136) * 256),
        (4, 0..=63) => format!("tty{minor}"),
        (4, _) => format!("ttyS{}", minor - 64),
        (5, 1) => "console".into(),
        _ => format!("{major}:{minor}"),
    }
    .into_bytes()
}
