//! Hosts and specs made up of bytes: every sequence of bytes is one.

use super::{accounts, descriptors};
use crate::snapshot::process::{PF_FORKNOEXEC, PF_KTHREAD};
use crate::snapshot::{
    Access, Account, Caps, Cgroup, Cmdline, Environ, Exe, Fact, FileId, Host, Label, Library, Maps, Preload,
    Process, Root, Snapshot, Stat, Status, Threads, Why, Writers,
};

/// Bytes as choices; when they are used up, always the first.
pub(super) struct Dice<'a>(&'a [u8]);

impl<'a> Dice<'a> {
    pub(super) fn new(data: &'a [u8]) -> Dice<'a> {
        Dice(data)
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        usize::from(*first) % limit
    }

    pub(super) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    pub(super) fn chance(&mut self, of: usize) -> bool {
        self.below(of) == of - 1
    }
}

const NAMES: [&str; 8] = [
    "sshd",
    "cron",
    "python3",
    "perl",
    "nginx",
    "systemd",
    "averylongname12",
    "kthreadd",
];
const PATHS: [&str; 6] = [
    "/usr/sbin/sshd",
    "/usr/sbin/cron",
    "/usr/bin/python3",
    "/usr/sbin/nginx",
    "/tmp/x",
    "/usr/bin/averylongname1234",
];
const ARGUMENTS: [&[&str]; 7] = [
    &["/usr/sbin/sshd", "-D"],
    &["sshd: alice [priv]"],
    &["python3", "/srv/app.py"],
    &["perl", "-w", "/srv/x.pl", ""],
    &["/usr/bin/averylongname1234"],
    &["nginx: worker process"],
    &[""],
];
const GROUPS: [&str; 6] = [
    "/",
    "/system.slice/ssh.service",
    "/user.slice/user-0.slice/session-3.scope",
    "/system.slice/docker-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope",
    "/user.slice/user-1000.slice/user@1000.service/app.slice/x.service",
    "/init.scope",
];
const IDS: [u32; 4] = [0, 33, 1000, 65534];

/// Terms that say something about such hosts; of the rates nothing is told by one look.
const TERMS: [&str; 112] = [
    "name=sshd",
    "name=python3",
    "name=app.py",
    "name=averylongname1234",
    "name!=sshd",
    "name~^s",
    "name=*d",
    "comm=cron",
    "comm!=cron",
    "comm=averylongname12",
    "exe=/usr/sbin/sshd",
    "exe!=/usr/sbin/sshd",
    "exe=*/nginx",
    "exe~sbin",
    "exe.deleted=yes",
    "exe.replaced=no",
    "script=app.py",
    "script=/srv/*",
    "arg=-D",
    "arg=\"\"",
    "cmdline~worker",
    "pid=4",
    "pid!=4",
    "ppid=1",
    "parent=systemd",
    "ancestor=sshd",
    "ancestor!=cron",
    "user=root",
    "user!=www-data",
    "group=alice",
    "uid.any=0",
    "uid.any!=0",
    "gid.any=33",
    "uid.saved<33",
    "group.supplementary=alice",
    "group.supplementary!=root",
    "caps.effective=net_raw|sys_admin",
    "caps.effective!=none",
    "caps.permitted=root_equivalent",
    "caps.permitted=all",
    "caps.inheritable=none",
    "caps.ambient!=none",
    "caps.bounding!=all",
    "no_new_privs=yes",
    "no_new_privs!=yes",
    "seccomp=none",
    "seccomp!=filter|strict",
    "tracer!=0",
    "umask=0",
    "umask!=0022",
    "gid.own=0",
    "gid.own!=33",
    "group.account=0",
    "group.account!=33",
    "groups.unearned=none",
    "gid.unearned!=none",
    "groups.unearned!=none",
    "user.exists=no",
    "uid.differ=yes",
    "gid.differ=no",
    "fsid.differs=yes",
    "threads.differ=yes",
    "threads.differ!=yes",
    "threads.uid=0",
    "threads.uid!=0",
    "threads.tracer>0",
    "userns=no",
    "umask.open=yes",
    "exe.memfd=no",
    "exe.writable=yes|group",
    "exe.writable!=yes",
    "exe.open_dir=yes",
    "lib.deleted=yes",
    "lib.deleted!=yes",
    "lib.writable!=no",
    "lib.open_dir=no",
    "memory.rwx=yes",
    "lib.memfd=yes",
    "mapped.deleted=*",
    "env=LD_PRELOAD",
    "env!=LD_PRELOAD",
    "preload=*",
    "container.system=yes",
    "container.system!=yes",
    "chroot=yes",
    "cwd.outside=no",
    "root!=/",
    "leader=yes",
    "label=kernel",
    "label=*:sshd_t:*",
    "label!=unconfined",
    "selinux.type=sshd_t",
    "selinux.type!=init_t",
    "selinux.user=system_u",
    "selinux.role!=system_r",
    "selinux.level=s0:c1,c2,c3",
    "selinux.level!=s0-s0:c0.c1023",
    "apparmor.profile=web",
    "apparmor.profile!=web//&audited",
    "apparmor.mode=enforce",
    "apparmor.mode!=unconfined",
    "smack!=_",
    "unit=ssh.service",
    "slice=system.slice",
    "user_unit=x.service",
    "scope=all",
    "scope=container",
    "kthread=yes",
    "main=yes",
    "main=no",
    "state=Z",
    "threads>1",
];
const RANGES: [&str; 7] = ["0", "1", "1-", "2-3", "-1", "0-", "3"];

pub(super) fn spec(dice: &mut Dice<'_>) -> String {
    let mut term = || {
        if dice.chance(8) {
            dice.one(&descriptors::TERMS)
        } else {
            dice.one(&TERMS)
        }
    };
    let terms = [term(), term(), term()];
    let terms = &terms[..=dice.below(3)];
    format!("{}:{}", terms.join(","), dice.one(&RANGES))
}

pub(super) fn host(dice: &mut Dice<'_>) -> Snapshot {
    let count = 1 + dice.below(7);
    let mut processes: Vec<Process> = (1..=count)
        .map(|pid| process(i32::try_from(pid).unwrap_or(1), count, dice))
        .collect();
    let module = dice.below(LABELS.len() + 1);
    for process in &mut processes {
        process.label = label(module, dice);
        if dice.chance(5) {
            process.label = Fact::Unreadable(Why::Denied);
        }
    }
    // Somebody started it all.
    if let Some(Fact::Value(stat)) = processes.first_mut().map(|first| &mut first.stat) {
        stat.ppid = 0;
    }
    let mut accounts = accounts();
    for path in PATHS {
        accounts.files.insert(path.into(), file(path));
    }
    let host = Host {
        last_capability: told(dice, &[40, 37]),
        ..Host::default()
    };
    Snapshot {
        host,
        seen: processes.len(),
        processes,
        accounts,
        ..Snapshot::default()
    }
}

fn file(path: &str) -> FileId {
    FileId {
        device: 1,
        inode: path.bytes().map(u64::from).sum(),
        owner: 0,
        links: 1,
    }
}

fn stat(pid: i32, count: usize, dice: &mut Dice<'_>) -> Stat {
    Stat {
        comm: dice.one(&NAMES).as_bytes().to_vec(),
        state: dice.one(b"SSRDZ"),
        ppid: 1 + i32::try_from(dice.below(count)).unwrap_or(0),
        session: dice.one(&[pid, 1, 2]),
        flags: dice.one(&[0, PF_FORKNOEXEC, PF_KTHREAD]),
        num_threads: 1 + dice.below(3) as u64,
        starttime: dice.below(200) as u64,
        ..Stat::default()
    }
}

fn exe(dice: &mut Dice<'_>) -> Exe {
    let path = dice.one(&PATHS);
    let deleted = dice.chance(4);
    let mut file = file(path);
    file.links = u32::from(!deleted);
    Exe {
        text: format!("{path}{}", if deleted { " (deleted)" } else { "" }).into_bytes(),
        file: Fact::Value(file),
        path_exists: deleted.then(|| dice.chance(2)),
        ..Exe::default()
    }
}

fn status(pid: i32, dice: &mut Dice<'_>) -> Status {
    let mut ids = || [(); 4].map(|()| dice.one(&IDS));
    let (uid, gid) = (ids(), ids());
    Status {
        uid,
        gid,
        groups: vec![dice.one(&IDS)],
        ns_pid: if dice.chance(4) { vec![pid, 1] } else { vec![pid] },
        // Some kernels lack some lines.
        caps: Caps {
            inheritable: told(dice, &[0, 1 << 13]),
            permitted: told(dice, &MASKS),
            effective: told(dice, &MASKS),
            bounding: told(dice, &MASKS),
            ambient: told(dice, &[0, 1 << 13]),
        },
        no_new_privs: told(dice, &[false, true]),
        seccomp: told(dice, &[0, 2, 9]),
        tracer: told(dice, &[0, 1, 70]),
        umask: told(dice, &[0, 0o22]),
        ..Status::default()
    }
}

/// Of each security module; a host runs one.
const LABELS: [(&str, &[&str]); 3] = [
    (
        "selinux",
        &[
            "kernel",
            "system_u:system_r:init_t",
            "system_u:system_r:sshd_t:s0-s0:c0.c1023",
            "u:r:sshd_t:s0:c1.c3",
            "u:r:t:odd",
        ],
    ),
    (
        "apparmor",
        &[
            "unconfined",
            "web (enforce)",
            "audited//&web (mixed)",
            "odd (",
            ":ns:unconfined",
        ],
    ),
    ("smack", &["_", "a:b:c"]),
];

/// A label, or why there is none: of a host without a module nobody tells one.
fn label(module: usize, dice: &mut Dice<'_>) -> Fact<Label> {
    let Some((module, labels)) = LABELS.get(module) else {
        return Fact::Unreadable(Why::NoModule);
    };
    Fact::Value(Label {
        module: (*module).into(),
        text: dice.one(labels).as_bytes().to_vec(),
    })
}

const MASKS: [u64; 5] = [0, 1 << 13, 1 << 21, (1 << 38) - 1, (1 << 41) - 1];

fn told<T: Copy>(dice: &mut Dice<'_>, of: &[T]) -> Option<T> {
    let value = dice.one(of);
    (!dice.chance(6)).then_some(value)
}

fn cmdline(dice: &mut Dice<'_>) -> Cmdline {
    Cmdline {
        arguments: dice
            .one(&ARGUMENTS)
            .iter()
            .map(|word| word.as_bytes().to_vec())
            .collect(),
        truncated: dice.chance(16),
    }
}

fn account(dice: &mut Dice<'_>) -> Account {
    Account {
        exists: dice.chance(2),
        groups: vec![dice.one(&IDS)],
        privileged: vec![0, 33],
    }
}

fn root(dice: &mut Dice<'_>) -> Root {
    let threads = dice.chance(4).then(|| place(dice));
    Root {
        threads: threads.into_iter().collect(),
        ..place(dice)
    }
}

fn place(dice: &mut Dice<'_>) -> Root {
    Root {
        root: dice.one(&["/", "/srv/jail"]).as_bytes().to_vec(),
        cwd: Some(dice.one(&["/", "/srv/jail/x"]).as_bytes().to_vec()),
        same_mounts: dice.chance(2),
        threads: Vec::new(),
    }
}

fn writers(dice: &mut Dice<'_>) -> Writers {
    Writers {
        access: dice.one(&[Access::Root, Access::EmptyGroup, Access::Others]),
        by: None,
        open_dir: dice.chance(3),
    }
}

fn threads(dice: &mut Dice<'_>) -> Threads {
    Threads {
        differ: dice.chance(2),
        uids: vec![dice.one(&IDS)],
        tracers: vec![dice.one(&[0, 4242])],
    }
}

fn environ(dice: &mut Dice<'_>) -> Environ {
    Environ {
        names: vec![dice.one(&["LD_PRELOAD", "PATH"]).as_bytes().to_vec()],
        preloads: vec![Preload {
            name: dice.one(&["/x.so", "libjemalloc.so.2"]).as_bytes().to_vec(),
            roots: dice.chance(2),
        }],
        truncated: dice.chance(5),
    }
}

fn maps(dice: &mut Dice<'_>) -> Maps {
    let library = Library {
        path: b"/usr/lib/x.so".to_vec(),
        deleted: dice.chance(3),
        writers: if dice.chance(4) {
            Fact::Unreadable(Why::Denied)
        } else {
            Fact::Value(writers(dice))
        },
    };
    Maps {
        libraries: vec![library],
        gone: vec![dice.one(&["/usr/lib/x.so", "/tmp/x"]).as_bytes().to_vec()],
        writable: dice.chance(3),
        memfd: dice.chance(3),
        truncated: dice.chance(5),
    }
}

fn process(pid: i32, count: usize, dice: &mut Dice<'_>) -> Process {
    let stat = stat(pid, count, dice);
    let status = status(pid, dice);
    let mut process = Process {
        pid,
        comm: Fact::Value(stat.comm.clone()),
        owner: Fact::Value((status.uid[1], status.gid[1])),
        exe: Fact::Value(exe(dice)),
        cmdline: Fact::Value(cmdline(dice)),
        cgroup: Fact::Value(Cgroup {
            path: dice.one(&GROUPS).as_bytes().to_vec(),
        }),
        loginuid: Fact::Value(dice.chance(2).then_some(1000)),
        fds: Fact::Value(3),
        account: Fact::Value(account(dice)),
        userns: Fact::Value(dice.chance(4)),
        root: Fact::Value(root(dice)),
        writers: Fact::Value(writers(dice)),
        container: Fact::Value(writers(dice)),
        threads: Fact::Value(threads(dice)),
        environ: Fact::Value(environ(dice)),
        maps: Fact::Value(maps(dice)),
        read_at: 3_600_000_000_000,
        stat: Fact::Value(stat),
        status: Fact::Value(status),
        ..Process::default()
    };
    // What the kernel closes to others, and what a kernel thread or a zombie has not.
    let told = process
        .stat
        .value()
        .is_some_and(|stat| stat.is_kthread() || stat.is_zombie());
    if told {
        (process.exe, process.cmdline, process.fds) =
            (Fact::NotApplicable, Fact::NotApplicable, Fact::NotApplicable);
        (process.writers, process.environ, process.maps) =
            (Fact::NotApplicable, Fact::NotApplicable, Fact::NotApplicable);
    } else {
        if dice.chance(4) {
            (process.writers, process.environ) =
                (Fact::Unreadable(Why::Denied), Fact::Unreadable(Why::Denied));
            (process.maps, process.root) = (Fact::Unreadable(Why::Denied), Fact::Unreadable(Why::Denied));
        }
        if dice.chance(3) {
            process.exe = Fact::Unreadable(Why::Denied);
        }
        if dice.chance(5) {
            process.cmdline = Fact::Unreadable(Why::Empty);
        }
    }
    if dice.chance(9) {
        (process.account, process.userns) = (Fact::Unreadable(Why::NoAnswer), Fact::Unreadable(Why::Denied));
        process.threads = Fact::Unreadable(Why::Malformed);
        process.container = Fact::Unreadable(Why::Absent);
    }
    process.descriptors = if told {
        Fact::NotApplicable
    } else {
        descriptors::descriptors(dice)
    };
    if dice.chance(9) {
        process.status = Fact::Unreadable(Why::Malformed);
    }
    if dice.chance(12) {
        process.owner = Fact::Unreadable(Why::Errno(5));
    }
    process
}

fn uncover_image(process: &mut Process, dice: &mut Dice<'_>) {
    fn hidden<T>(fact: &Fact<T>) -> bool {
        matches!(fact, Fact::Unreadable(_))
    }
    if hidden(&process.account) {
        process.account = Fact::Value(account(dice));
    }
    if hidden(&process.userns) {
        process.userns = Fact::Value(dice.chance(2));
    }
    if hidden(&process.threads) {
        process.threads = Fact::Value(threads(dice));
    }
    if hidden(&process.container) {
        process.container = Fact::Value(writers(dice));
    }
    if hidden(&process.root) {
        process.root = Fact::Value(root(dice));
    }
    if hidden(&process.writers) {
        process.writers = Fact::Value(writers(dice));
    }
    if let Fact::Value(known) = &mut process.environ
        && known.truncated
    {
        let more = environ(dice);
        known.names.extend(more.names);
        known.preloads.extend(more.preloads);
        known.truncated = false;
    } else if hidden(&process.environ) {
        process.environ = Fact::Value(Environ {
            truncated: false,
            ..environ(dice)
        });
    }
    if let Fact::Value(known) = &mut process.maps {
        for library in &mut known.libraries {
            if hidden(&library.writers) {
                library.writers = Fact::Value(writers(dice));
            }
        }
        if known.truncated {
            let more = maps(dice);
            known.libraries.extend(
                more.libraries
                    .into_iter()
                    .filter(|library| library.writers.value().is_some()),
            );
            known.gone.extend(more.gone);
            known.writable |= more.writable;
            known.memfd |= more.memfd;
            known.truncated = false;
        }
    } else if hidden(&process.maps) {
        let mut maps = maps(dice);
        maps.truncated = false;
        maps.libraries.retain(|library| library.writers.value().is_some());
        process.maps = Fact::Value(maps);
    }
}

/// What may have been behind the facts that could not be read.
pub(super) fn uncovered(process: &Process, dice: &mut Dice<'_>) -> Process {
    let mut process = process.clone();
    if matches!(process.exe, Fact::Unreadable(_)) {
        process.exe = Fact::Value(exe(dice));
    }
    if matches!(process.cmdline, Fact::Unreadable(_)) || process.cmdline.value().is_some_and(|c| c.truncated)
    {
        let mut more = cmdline(dice);
        more.truncated = false;
        if let Fact::Value(known) = &process.cmdline {
            more.arguments = known.arguments.iter().cloned().chain(more.arguments).collect();
        }
        process.cmdline = Fact::Value(more);
    }
    if matches!(process.label, Fact::Unreadable(_)) {
        process.label = label(dice.below(LABELS.len()), dice);
    }
    uncover_image(&mut process, dice);
    descriptors::uncover(&mut process, dice);
    let owner = process.owner.value().copied();
    if let Fact::Value(known) = &mut process.status {
        let more = status(process.pid, dice);
        let caps = &mut known.caps;
        caps.inheritable = caps.inheritable.or(more.caps.inheritable);
        caps.permitted = caps.permitted.or(more.caps.permitted);
        caps.effective = caps.effective.or(more.caps.effective);
        caps.bounding = caps.bounding.or(more.caps.bounding);
        caps.ambient = caps.ambient.or(more.caps.ambient);
        known.no_new_privs = known.no_new_privs.or(more.no_new_privs);
        known.seccomp = known.seccomp.or(more.seccomp);
        known.tracer = known.tracer.or(more.tracer);
        known.umask = known.umask.or(more.umask);
    }
    if matches!(process.status, Fact::Unreadable(_)) {
        let mut status = status(process.pid, dice);
        if let Some((uid, gid)) = owner {
            (status.uid[1], status.gid[1]) = (uid, gid);
        }
        process.status = Fact::Value(status);
    }
    if matches!(process.owner, Fact::Unreadable(_))
        && let Fact::Value(status) = &process.status
    {
        process.owner = Fact::Value((status.uid[1], status.gid[1]));
    }
    process
}
