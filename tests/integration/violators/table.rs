//! What violates what. Violators and controls stand side by side: a rule must find the one and leave the other alone.

/// A process, how it comes about, and the rules that it breaks.
pub(super) struct Violator {
    pub(super) name: String,
    /// The line of a shell. `$V` is the program of tests/violators, `$N` its number, `$D` an empty directory of root's,
    /// `$ALICE` makes what follows hers.
    pub(super) command: String,
    /// What /proc shows of it: `KEY=VALUE` with `; ` between them. A key is a line of status, or a file or link.
    pub(super) shows: String,
    /// `RULE SEVERITY` with `, ` between them.
    pub(super) found: String,
    /// Rules of which nobody could tell whether it breaks them, with `, ` between them.
    pub(super) undecided: String,
}

impl Violator {
    fn shows(mut self, shows: &str) -> Violator {
        shows.clone_into(&mut self.shows);
        self
    }

    fn found(mut self, found: &str) -> Violator {
        found.clone_into(&mut self.found);
        self
    }

    fn undecided(mut self, undecided: &str) -> Violator {
        undecided.clone_into(&mut self.undecided);
        self
    }

    fn prepared(mut self, command: &str) -> Violator {
        self.command = format!("{command}; {}", self.command);
        self
    }
}

/// A violator that the shell prepares.
fn shell(name: impl Into<String>, command: impl Into<String>) -> Violator {
    Violator {
        name: name.into(),
        command: command.into(),
        shows: String::new(),
        found: String::new(),
        undecided: String::new(),
    }
}

/// A violator that the steps of tests/violators alone make.
fn steps(name: impl Into<String>, steps: impl AsRef<str>) -> Violator {
    shell(name, format!("exec $V $N {}", steps.as_ref()))
}

/// One whose program is a copy at another path.
fn copied(name: impl Into<String>, path: &str, steps: &str) -> Violator {
    shell(name, format!("cp $V \"{path}\"; exec \"{path}\" $N {steps}"))
}

pub(super) fn all() -> Vec<Violator> {
    [
        credentials(),
        evasions(),
        groups(),
        threads(),
        capabilities(),
        every_capability(),
        image(),
        writable_programs(),
        libraries(),
        environment(),
        hiding(),
        chroot(),
        descriptors(),
        sockets(),
        shells(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

const GID_0: &str = "gid0-without-uid0 high";
const GROUP_0: &str = "group0-without-uid0 high";
const UNEARNED: &str = "groups-not-of-account high";
const UID_0: &str = "uid0-regainable high";
const FSID: &str = "fsid-mismatch medium";
const OTHER_GID: &str = "gid-mixed-nonroot low, gid-not-of-account low";
const LISTENER: &str = "bounding-open info, listener-no-sandbox info, no-nnp info, no-seccomp info";

fn credentials() -> Vec<Violator> {
    let gids = "setgroups 2001 + setresgid 2001,2001,2001";
    vec![
        steps("drops correctly", "drop")
            .shows("Uid=2001 2001 2001 2001; Gid=2001 2001 2001 2001; Groups=2001; CapPrm=0000000000000000"),
        steps(
            "setuid before setgid, with root's groups",
            "setgroups 0 + setuid 2001",
        )
        .shows("Uid=2001 2001 2001 2001; Gid=0 0 0 0; Groups=0")
        .found(GID_0),
        steps(
            "setuid before setgid, without groups",
            "setgroups - + setuid 2001",
        )
        .shows("Uid=2001 2001 2001 2001; Gid=0 0 0 0; Groups=")
        .found(GID_0),
        steps(
            "saved gid 0",
            "setgroups 2001 + setresgid 2001,2001,0 + setuid 2001",
        )
        .shows("Gid=2001 2001 0 2001")
        .found(GID_0),
        steps(
            "real gid 0",
            "setgroups 2001 + setresgid 0,2001,2001 + setuid 2001",
        )
        .shows("Gid=0 2001 2001 2001")
        .found(GID_0),
        steps("file system gid 0", format!("{gids} + setfsgid 0 + setuid 2001"))
            .shows("Uid=2001 2001 2001 2001; Gid=2001 2001 2001 0")
            .found(&format!("{GID_0}, {FSID}")),
        shell(
            "set-gid-root program run by a user",
            "cp $V $D/x; chmod 2755 $D/x; exec $ALICE $D/x $N",
        )
        .shows("Uid=2001 2001 2001 2001; Gid=2001 0 0 0")
        .found(GID_0),
        steps(
            "account whose primary group is root's",
            "setgroups 0 + setuid 2003",
        )
        .shows("Uid=2003 2003 2003 2003; Gid=0 0 0 0"),
        steps("seteuid only", format!("{gids} + setresuid -1,2001,-1"))
            .shows("Uid=0 2001 0 2001")
            .found(UID_0),
        steps("seteuid only, and nothing of the groups", "setresuid -1,2001,-1")
            .shows("Uid=0 2001 0 2001; Gid=0 0 0 0")
            .found(UID_0),
        steps("saved uid 0", format!("{gids} + setresuid 2001,2001,0"))
            .shows("Uid=2001 2001 0 2001")
            .found(UID_0),
        steps("real uid 0", format!("{gids} + setresuid 0,2001,2001"))
            .shows("Uid=0 2001 2001 2001")
            .found(UID_0),
        steps(
            "file system uid 0",
            format!("{gids} + keepcaps + setuid 2001 + capset setuid setuid - + setfsuid 0 + capset - - -"),
        )
        .shows("Uid=2001 2001 2001 0; CapPrm=0000000000000000")
        .found(&format!("{UID_0}, {FSID}")),
        steps("root with a user's file system uid", "setfsuid 2001")
            .shows("Uid=0 0 0 2001")
            .found(FSID),
        steps("root with a user's file system gid", "setfsgid 2001")
            .shows("Gid=0 0 0 2001")
            .found(FSID),
        shell(
            "set-uid-root program run by a user",
            "cp $V $D/x; chmod 4755 $D/x; exec $ALICE $D/x $N",
        )
        .shows("Uid=2001 0 0 0")
        .found("setuid-root-running low"),
        steps(
            "account that does not exist",
            "setgroups 4242 + setgid 4242 + setuid 4242",
        )
        .shows("Uid=4242 4242 4242 4242")
        .found("uid-unknown medium"),
        steps(
            "account that does not exist, in a user namespace",
            "setgroups 4242 + setgid 4242 + setuid 4242 + userns",
        )
        .shows("Uid=4242 4242 4242 4242; uid_map=0 4242 1")
        .found("uid-unknown medium"),
        steps(
            "id that is lent to user namespaces",
            "setgroups 100000 + setgid 100000 + setuid 100000 + userns",
        )
        .shows("uid_map=0 100000 1"),
        steps(
            "account of systemd's DynamicUser=",
            "setgroups 61200 + setgid 61200 + setuid 61200",
        )
        .shows("Uid=61200 61200 61200 61200"),
        steps(
            "two uids, none of them 0",
            "setgroups 2002 + setgid 2002 + setresuid 2001,2002,2002",
        )
        .shows("Uid=2001 2002 2002 2002")
        .found("uid-mixed-nonroot low"),
        steps(
            "two gids, none of them 0",
            "setgroups 2001 + setresgid 2001,2002,2002 + setuid 2001",
        )
        .shows("Gid=2001 2002 2002 2002")
        .found(OTHER_GID),
        steps(
            "gid of another group",
            "setgroups 2001 + setgid 2100 + setuid 2001",
        )
        .shows("Uid=2001 2001 2001 2001; Gid=2100 2100 2100 2100")
        .found("gid-not-of-account low"),
        steps(
            "gid of a group that the account is in",
            "setgroups 2002 + setgid 2100 + setuid 2002",
        )
        .shows("Gid=2100 2100 2100 2100"),
        shell("root's files are everybody's", "umask 0; exec $V $N")
            .shows("Umask=0000")
            .found("root-umask-world-writable low"),
        shell(
            "root's files are his group's and everybody's but its",
            "umask 020; exec $V $N",
        )
        .shows("Umask=0020")
        .found("root-umask-world-writable low"),
        shell("root's files are his group's", "umask 002; exec $V $N").shows("Umask=0002"),
        shell("a user's files are everybody's", "umask 0; exec $V $N drop").shows("Umask=0000"),
        steps("root in a user namespace of his own", "drop + userns")
            .shows("Uid=2001 2001 2001 2001; uid_map=0 2001 1"),
        steps("real root in a user namespace of his own", "userns").shows("uid_map=0 0 1"),
        steps(
            "root's group taken into a user namespace",
            "setgroups 0 + setgid 2001 + setuid 2001 + userns",
        )
        .shows("Groups=0; uid_map=0 2001 1")
        .found(GROUP_0),
    ]
}

/// What is tried so as not to be seen.
fn evasions() -> Vec<Violator> {
    let dropped = "setgroups 0 + setuid 2001";
    let long = "LONG=$(head -c 100000 /dev/zero | tr '\\0' x)";
    vec![
        steps("stopped", format!("{dropped} + stop"))
            .shows("Gid=0 0 0 0; State=T (stopped)")
            .found(GID_0),
        steps("its first thread has ended", format!("{dropped} + headless"))
            .shows("Gid=0 0 0 0; State=Z (zombie)")
            .found(GID_0),
        steps(
            "its first thread ended before it dropped",
            format!("headless + {dropped}"),
        )
        .shows("Gid=0 0 0 0; State=Z (zombie); task/Uid=2001 2001 2001 2001")
        .found("thread-creds-differ medium"),
        copied(
            "program removed, and its first thread has ended",
            "$D/x",
            "unlink $D/x + headless",
        )
        .shows("State=Z (zombie)")
        .found(DELETED),
        steps(
            "packet socket, and its first thread has ended",
            "packet + headless",
        )
        .shows("State=Z (zombie)")
        .found("raw-or-packet-socket medium"),
        steps(
            "packet socket of a thread alone",
            "in-thread + own-files + packet",
        )
        .found("raw-or-packet-socket medium"),
        steps(
            "a thread in a chroot with the working directory outside",
            "in-thread + own-root + chroot $D",
        )
        .found("chroot-cwd-outside high, chroot-escapable medium"),
        steps(
            "a thread in a chroot that can chroot later",
            "in-thread + own-root + chdir $D + chroot $D + capset - sys_chroot -",
        )
        .found("thread-creds-differ medium, chroot-escapable medium"),
        steps(
            "a thread with a working directory of its own",
            "in-thread + own-root + chdir $D",
        ),
        steps(
            "comm with a line break",
            format!("{dropped} + comm \"$(printf 'a\\nUid:\\t0')\""),
        )
        .shows("Name=a\\nUid: 0; Gid=0 0 0 0")
        .found(GID_0),
        steps(
            "65536 groups",
            "many-groups 65536 6 + keepcaps + setgid 2001 + setuid 2001 + capset - sys_admin -",
        )
        .found(&format!("{UNEARNED}, {ROOT_EQUIVALENT}")),
        steps(
            "many descriptors",
            "many-descriptors 15000 + open /etc/shadow + packet + drop",
        )
        .found("leaked-privileged-fd high, raw-or-packet-socket medium"),
        steps("60000 mappings", "many-mappings 60000"),
        shell(
            "60000 mappings behind a library in /tmp",
            "cp $V /tmp/lib$N.so; exec $V $N library /tmp/lib$N.so + many-mappings 60000",
        )
        .found(&format!("{LIBRARY_PUBLIC}, {LIBRARY_WRITABLE}")),
        // It is told as one of its own libraries, for which of them is the program can't be told.
        steps("program whose path is too long", "chdir /tmp + deep")
            .found(&format!("{LIBRARY_PUBLIC}, {LIBRARY_WRITABLE}"))
            .undecided(
                "cwd-deleted, exe-deleted, exe-in-world-writable-dir, exe-memfd, exe-name-fake-deleted, \
                 exe-replaced, root-exe-writable-by-nonroot",
            ),
        shell(
            "a line break in the path of a library",
            "L=$(printf '/tmp/lib\\n%s.so' $N); cp $V \"$L\"; exec $V $N library \"$L\"",
        )
        .shows("maps=/tmp/lib\\012")
        .found(&format!("{LIBRARY_PUBLIC}, {LIBRARY_WRITABLE}")),
        shell(
            "a line break in the path of a program",
            "L=$(printf '/tmp/v\\n%s' $N); cp $V \"$L\"; exec \"$L\" $N",
        )
        .found(&format!("{PUBLIC}, {WRITABLE}")),
        shell(
            "a preload behind a long variable",
            format!("{long}; exec env \"LONG=$LONG\" LD_PRELOAD=/mnt/lib/quiet.so $V $N"),
        )
        .shows("environ=LD_PRELOAD=/mnt/lib/quiet.so")
        .found(PRELOAD),
    ]
}

/// The groups that are as good as root or see what is secret, as the test's /etc/group numbers them.
pub(super) const PRIVILEGED: [(&str, u32); 13] = [
    ("disk", 6),
    ("shadow", 42),
    ("kmem", 15),
    ("sudo", 27),
    ("wheel", 2201),
    ("docker", 2202),
    ("lxd", 2203),
    ("incus", 2204),
    ("libvirt", 2205),
    ("kvm", 2206),
    ("mem", 2207),
    ("adm", 4),
    ("systemd-journal", 2208),
];

fn groups() -> Vec<Violator> {
    let with = |groups: &str| format!("setgroups {groups} + setgid 2001 + setuid 2001");
    let mut violators = vec![
        steps("no setgroups, root's group", with("0"))
            .shows("Uid=2001 2001 2001 2001; Gid=2001 2001 2001 2001; Groups=0")
            .found(GROUP_0),
        steps("no setgroups, root's group among others", with("0,6,2001"))
            .shows("Groups=0 6 2001")
            .found(&format!("{GROUP_0}, {UNEARNED}")),
        steps("no setgroups, disk and shadow", with("6,42"))
            .shows("Groups=6 42")
            .found(UNEARNED),
        steps("a group without privileges that is not the account's", with("60")).shows("Groups=60"),
        steps(
            "groups that /etc/group gives",
            "setgroups 4,2004 + setgid 2004 + setuid 2004",
        )
        .shows("Uid=2004 2004 2004 2004; Groups=4 2004"),
        steps(
            "root's group that /etc/group gives",
            "setgroups 0,2005 + setgid 2005 + setuid 2005",
        )
        .shows("Uid=2005 2005 2005 2005; Groups=0 2005"),
        shell(
            "set-gid program that keeps its group in the list",
            "cp $V $D/x; chgrp 42 $D/x; chmod 2755 $D/x; exec $ALICE $D/x $N",
        )
        .shows("Gid=2001 42 42 42; Groups=2001")
        .found(OTHER_GID),
    ];
    violators.extend(PRIVILEGED.map(|(group, gid)| {
        steps(
            format!("group {group} that is not the account's"),
            with(&format!("{gid},2001")),
        )
        .found(UNEARNED)
    }));
    violators
}

fn threads() -> Vec<Violator> {
    let differ = |severity: &str| format!("thread-creds-differ {severity}");
    vec![
        steps("two threads that dropped", "drop + thread").shows("Uid=2001 2001 2001 2001; Threads=2"),
        steps("one thread is still root", "thread + drop")
            .shows("Uid=2001 2001 2001 2001; task/Uid=0 0 0 0")
            .found(&differ("high")),
        steps(
            "one thread has still a saved uid 0",
            "setgroups 2001 + setgid 2001 + setresuid 2001,2001,0 + thread + setresuid 2001,2001,2001",
        )
        .shows("Uid=2001 2001 2001 2001; task/Uid=2001 2001 0 2001")
        .found(&differ("high")),
        steps("one thread dropped", "in-thread + drop")
            .shows("Uid=0 0 0 0; task/Uid=2001 2001 2001 2001")
            .found(&differ("medium")),
        steps(
            "one thread has another gid",
            "in-thread + setresgid 2001,2001,2001",
        )
        .shows("Gid=0 0 0 0; task/Gid=2001 2001 2001 2001")
        .found(&differ("medium")),
        steps(
            "one thread has another file system uid",
            "in-thread + setfsuid 2001",
        )
        .shows("Uid=0 0 0 0; task/Uid=0 0 0 2001")
        .found(&differ("medium")),
        steps(
            "one thread has a capability",
            "keepcaps + drop + capset net_raw net_raw - + thread + capset - - -",
        )
        .shows("CapPrm=0000000000000000; task/CapEff=0000000000002000")
        .found(&differ("medium")),
        steps(
            "one thread has a capability, but not in force",
            "keepcaps + drop + capset - sys_admin - + thread + capset - - -",
        )
        .shows("CapPrm=0000000000000000; task/CapPrm=0000000000200000")
        .found(&differ("medium")),
        steps(
            "one thread has a seccomp filter",
            "drop + no_new_privs + in-thread + seccomp",
        )
        .shows("Seccomp=0; task/Seccomp=2"),
    ]
}

const ROOT_EQUIVALENT: &str = "nonroot-root-equivalent-cap high";
const NET: &str = "nonroot-net-cap medium";
const OTHER: &str = "nonroot-other-cap info";

fn capabilities() -> Vec<Violator> {
    let keep = |set: &str| format!("keepcaps + drop + capset {set}");
    let ambient = |set: &str| {
        let sets = format!("{set} {set} {set}");
        format!("keepcaps + drop + capset {sets} + ambient {set} + run $V violators")
    };
    vec![
        steps("keeps a capability, but not in force", keep("- dac_override -"))
            .shows("Uid=2001 2001 2001 2001; CapPrm=0000000000000002; CapEff=0000000000000000")
            .found(ROOT_EQUIVALENT),
        steps("keeps CAP_SYS_ADMIN, but not in force", keep("- sys_admin -"))
            .shows("CapPrm=0000000000200000; CapEff=0000000000000000")
            .found(ROOT_EQUIVALENT),
        steps("keeps CAP_NET_RAW, but not in force", keep("- net_raw -"))
            .shows("CapPrm=0000000000002000; CapEff=0000000000000000")
            .found(NET),
        steps("keeps both sorts", keep("net_raw,chown net_raw,chown -"))
            .shows("CapPrm=0000000000002001")
            .found(ROOT_EQUIVALENT),
        steps("keeps all", "keepcaps + drop").found(ROOT_EQUIVALENT),
        shell(
            "capability of the program file",
            "cp $V $D/x; setcap cap_net_raw+ep $D/x; exec $ALICE $D/x $N",
        )
        .shows("Uid=2001 2001 2001 2001; CapPrm=0000000000002000")
        .found(NET),
        steps("ambient ones as good as root", ambient("net_admin,setuid"))
            .shows("Uid=2001 2001 2001 2001; CapAmb=0000000000001080; CapEff=0000000000001080")
            .found(&format!("{ROOT_EQUIVALENT}, ambient-caps medium")),
        steps("ambient CAP_NET_RAW", ambient("net_raw"))
            .shows("CapAmb=0000000000002000")
            .found(&format!("{NET}, ambient-caps medium")),
        steps("ambient CAP_NET_BIND_SERVICE", ambient("net_bind_service"))
            .shows("CapAmb=0000000000000400")
            .found(&format!("{OTHER}, ambient-caps low")),
        steps(
            "ambient CAP_WAKE_ALARM, which systemd gives to sessions",
            ambient("wake_alarm"),
        )
        .shows("CapAmb=0000000800000000")
        .found(OTHER),
        steps(
            "ambient CAP_WAKE_ALARM and another",
            ambient("wake_alarm,net_bind_service"),
        )
        .shows("CapAmb=0000000800000400")
        .found(&format!("{OTHER}, ambient-caps low")),
        steps(
            "ambient ones of root",
            "capset net_admin net_admin net_admin + ambient net_admin",
        )
        .shows("Uid=0 0 0 0; CapAmb=0000000000001000")
        .found("ambient-caps medium"),
        steps("inheritable ones", keep("- - chown"))
            .shows("CapInh=0000000000000001; CapPrm=0000000000000000; CapAmb=0000000000000000")
            .found("inheritable-caps low"),
        steps("inheritable ones of root", "capset chown chown chown")
            .shows("Uid=0 0 0 0; CapInh=0000000000000001")
            .found("inheritable-caps low"),
    ]
}

const AS_GOOD_AS_ROOT: [&str; 21] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "setgid",
    "setuid",
    "setpcap",
    "setfcap",
    "sys_module",
    "sys_rawio",
    "sys_ptrace",
    "sys_admin",
    "mknod",
    "bpf",
    "perfmon",
    "mac_admin",
    "mac_override",
    "sys_boot",
    "checkpoint_restore",
    "sys_chroot",
    "linux_immutable",
];

const NO_MORE_THAN_ITSELF: [&str; 18] = [
    "fsetid",
    "kill",
    "net_bind_service",
    "net_broadcast",
    "ipc_lock",
    "ipc_owner",
    "sys_pacct",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "lease",
    "audit_write",
    "audit_control",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
];

/// One process for every capability.
fn every_capability() -> Vec<Violator> {
    let kept = |names: &[&str], found: &str| -> Vec<Violator> {
        let kept = |name: &&str| {
            steps(
                format!("keeps CAP_{}", name.to_uppercase()),
                format!("keepcaps + drop + capset {name} {name} -"),
            )
            .found(found)
        };
        names.iter().map(kept).collect()
    };
    [
        kept(&AS_GOOD_AS_ROOT, ROOT_EQUIVALENT),
        kept(&["net_admin", "net_raw"], NET),
        kept(&NO_MORE_THAN_ITSELF, OTHER),
    ]
    .into_iter()
    .flatten()
    .collect()
}

const DELETED: &str = "exe-deleted high";
const REPLACED: &str = "exe-replaced low";
const FAKE: &str = "exe-name-fake-deleted medium";

fn image() -> Vec<Violator> {
    vec![
        copied("program removed", "$D/x", "unlink $D/x")
            .shows("exe=$D/x (deleted)")
            .found(DELETED),
        copied("a user's program removed", "$D/x", "unlink $D/x + drop")
            .shows("Uid=2001 2001 2001 2001")
            .found(DELETED),
        copied("program replaced", "$D/x", "rename $D/new $D/x")
            .prepared("cp $V $D/new")
            .shows("exe=$D/x (deleted)")
            .found(REPLACED),
        copied("program replaced by a user's file", "$D/x", "rename $D/new $D/x")
            .prepared("cp $V $D/new; chown 2001 $D/new")
            .shows("exe=$D/x (deleted)")
            .found(&format!("{DELETED}, {WRITABLE}")),
        copied(
            "program in /tmp replaced",
            "/tmp/v$N",
            "rename /tmp/new$N /tmp/v$N",
        )
        .prepared("cp $V /tmp/new$N")
        .shows("exe=/tmp/v$N (deleted)")
        .found(&format!("{REPLACED}, {PUBLIC}, {WRITABLE}")),
        copied(
            "a user's program in /tmp replaced",
            "/tmp/v$N",
            "rename /tmp/new$N /tmp/v$N + drop",
        )
        .prepared("cp $V /tmp/new$N")
        .shows("exe=/tmp/v$N (deleted)")
        .found(&format!("{REPLACED}, exe-in-world-writable-dir medium")),
        copied("program in /tmp removed", "/tmp/v$N", "unlink /tmp/v$N")
            .shows("exe=/tmp/v$N (deleted)")
            .found(&format!("{DELETED}, {PUBLIC}, {WRITABLE}")),
        copied(
            "program removed with its directory",
            "$D/all/below/x",
            "unlink $D/all/below/x + rmdir $D/all/below",
        )
        .prepared("mkdir -p $D/all/below; chmod 777 $D/all")
        .shows("exe=$D/all/below/x (deleted)")
        .found(&format!("{DELETED}, {PUBLIC}, {WRITABLE}")),
        copied(
            "root's program below a user's home replaced",
            "/mnt/home/alice/v$N",
            "rename $D/new /mnt/home/alice/v$N",
        )
        .prepared("cp $V $D/new")
        .found(&format!("{REPLACED}, {WRITABLE}")),
        copied("program really named so", "$D/x (deleted)", "")
            .shows("exe=$D/x (deleted)")
            .found(FAKE),
        copied(
            "program named so, and removed",
            "$D/x (deleted)",
            "unlink \"$D/x (deleted)\"",
        )
        .shows("exe=$D/x (deleted) (deleted)")
        .found(DELETED),
        copied("program removed, beside a file named so", "$D/x", "unlink $D/x")
            .prepared("cp $V \"$D/x (deleted)\"")
            .shows("exe=$D/x (deleted)")
            .found(DELETED),
        copied("program removed that has another name", "$D/x", "unlink $D/x")
            .prepared("cp $V $D/y; ln $D/y $D/x")
            .shows("exe=$D/x (deleted)")
            .found(FAKE)
            .undecided("exe-in-world-writable-dir, root-exe-writable-by-nonroot"),
        shell(
            "program replaced below a mount of its own",
            "cp $V $D/x; cp $V $D/new; export N V D; \
             unshare -m sh -c 'mount --bind $D/x $D/x && exec $D/x $N' & sleep 0.5; mv $D/new $D/x",
        )
        .found(REPLACED),
        steps("program in memory", "memfd")
            .shows("exe=/memfd:x (deleted)")
            .found("exe-memfd high"),
        steps(
            "program in memory that the dynamic linker runs",
            "memfd-by-linker $(readlink -f /lib64/ld-linux-*.so.? /lib/ld-linux-*.so.? | head -n 1)",
        )
        .shows("maps=/memfd:x (deleted)")
        .found("exe-memfd high"),
        steps("a user's program in memory", "memfd + drop")
            .shows("Uid=2001 2001 2001 2001; exe=/memfd:x (deleted)")
            .found("exe-memfd high"),
    ]
}

const WRITABLE: &str = "root-exe-writable-by-nonroot critical";
const PUBLIC: &str = "exe-in-world-writable-dir high";

fn writable_programs() -> Vec<Violator> {
    let both = format!("{PUBLIC}, {WRITABLE}");
    let mut violators = vec![
        copied("a user's program in /tmp", "/tmp/v$N", "drop")
            .shows("Uid=2001 2001 2001 2001; exe=/tmp/v$N")
            .found("exe-in-world-writable-dir medium"),
        copied(
            "program in /tmp with a capability",
            "/tmp/v$N",
            "keepcaps + drop + capset - sys_admin -",
        )
        .found(&format!("{both}, {ROOT_EQUIVALENT}")),
        copied("root's program below a user's home", "/mnt/home/alice/v$N", "").found(WRITABLE),
        copied("a user's program below her home", "/mnt/home/alice/v$N", "drop"),
        copied(
            "root's program below a user's home, in a user namespace",
            "/mnt/home/alice/v$N",
            "userns",
        )
        .shows("uid_map=0 0 1")
        .found(WRITABLE),
        copied(
            "program below a user's home with a capability",
            "/mnt/home/alice/v$N",
            "keepcaps + drop + capset - chown -",
        )
        .found(&format!("{WRITABLE}, {ROOT_EQUIVALENT}")),
        copied(
            "program below a user's home with a harmless capability",
            "/mnt/home/alice/v$N",
            "keepcaps + drop + capset - kill -",
        )
        .found(OTHER),
        copied("program in a directory that everybody may write", "$D/all/x", "")
            .prepared("mkdir $D/all; chmod 777 $D/all")
            .found(&both),
        copied(
            "program below a directory that everybody may write",
            "$D/all/bin/x",
            "",
        )
        .prepared("mkdir -p $D/all/bin; chmod 777 $D/all")
        .found(&both),
    ];
    violators.extend(
        ["/tmp", "/var/tmp", "/dev/shm", "/run/user/2001"].map(|directory| {
            let path = format!("{directory}/v$N");
            copied(format!("root's program in {directory}"), &path, "")
                .shows(&format!("exe={path}"))
                .found(&both)
        }),
    );
    // How the file of a program that root runs is left, and what comes of it.
    let left = [
        ("is a user's", "chown 2001 $D/x", "critical"),
        ("may be written by everybody", "chmod 757 $D/x", "critical"),
        (
            "may be written by a group with a member",
            "chgrp 2100 $D/x; chmod 775 $D/x",
            "critical",
        ),
        (
            "may be written by a user's primary group",
            "chgrp 2002 $D/x; chmod 775 $D/x",
            "critical",
        ),
        (
            "may be written by a group without members",
            "chgrp 50 $D/x; chmod 775 $D/x",
            "info",
        ),
        ("may be written by root's group", "chmod 775 $D/x", ""),
        (
            "is in a directory of a group with a member",
            "chgrp 2100 $D; chmod 775 $D",
            "critical",
        ),
        (
            "is in a directory of a group without members",
            "chgrp 50 $D; chmod 2775 $D",
            "info",
        ),
        ("is in a directory of root's group", "chmod 775 $D", ""),
    ];
    violators.extend(left.map(|(how, command, severity)| {
        let found = format!("root-exe-writable-by-nonroot {severity}");
        shell(
            format!("root's program {how}"),
            format!("cp $V $D/x; {command}; exec $D/x $N"),
        )
        .found(if severity.is_empty() { "" } else { &found })
    }));
    violators
}

const LIBRARY_WRITABLE: &str = "root-lib-writable-by-nonroot critical";
const LIBRARY_PUBLIC: &str = "lib-in-world-writable-dir high";

fn libraries() -> Vec<Violator> {
    let library = |name: &str, path: &str, steps: &str| {
        shell(name, format!("cp $V {path}; exec $V $N {steps}")).shows(&format!("maps={path}"))
    };
    let (home, tmp, own) = ("/mnt/home/alice/lib$N.so", "/tmp/lib$N.so", "$D/lib.so");
    vec![
        library(
            "root's library below a user's home",
            home,
            &format!("library {home}"),
        )
        .found(LIBRARY_WRITABLE),
        library(
            "a user's library below her home",
            home,
            &format!("library {home} + drop"),
        ),
        library(
            "root's library below a user's home, in a user namespace",
            home,
            &format!("library {home} + userns"),
        )
        .found(LIBRARY_WRITABLE),
        library("root's library in /tmp", tmp, &format!("library {tmp}"))
            .found(&format!("{LIBRARY_PUBLIC}, {LIBRARY_WRITABLE}")),
        library("a user's library in /tmp", tmp, &format!("library {tmp} + drop"))
            .found("lib-in-world-writable-dir medium"),
        library("root's data in /tmp", tmp, &format!("data {tmp}")),
        library("root's library that is a user's", own, &format!("library {own}"))
            .prepared("umask 022; touch $D/lib.so; chown 2001 $D/lib.so")
            .found(LIBRARY_WRITABLE),
        library("library removed", own, &format!("library {own} + unlink {own}")).found("lib-deleted low"),
        library(
            "library replaced",
            own,
            &format!("library {own} + rename $D/new {own}"),
        )
        .prepared("cp $V $D/new")
        .found("lib-deleted low"),
        library(
            "library removed, beside a file named so",
            own,
            &format!("library {own} + unlink {own}"),
        )
        .prepared("cp $V \"$D/lib.so (deleted)\"")
        .found("lib-deleted low"),
        library(
            "root's library below a user's home replaced",
            home,
            &format!("library {home} + rename $D/new {home}"),
        )
        .prepared("cp $V $D/new")
        .found(&format!("lib-deleted low, {LIBRARY_WRITABLE}")),
        library(
            "a user's library removed",
            own,
            &format!("library {own} + unlink {own} + drop"),
        )
        .found("lib-deleted low"),
        library(
            "library of a server removed",
            own,
            &format!("library {own} + unlink {own} + tcp 127.0.0.1 8020"),
        )
        .found("lib-deleted medium"),
        library(
            "library in /tmp removed",
            tmp,
            &format!("library {tmp} + unlink {tmp}"),
        )
        .found(&format!("{LIBRARY_PUBLIC}, lib-deleted low")),
        library("data removed", own, &format!("data {own} + unlink {own}")),
        steps("code in memory", "memfd-library").shows("maps=/memfd:jit (deleted)"),
        steps("code that may be written", "rwx")
            .shows("maps=rwxp")
            .found("rwx-mapping info"),
    ]
}

const PRELOAD: &str = "env-ld-preload high";
const RISKY: [&str; 8] = [
    "LD_LIBRARY_PATH",
    "GLIBC_TUNABLES",
    "BASH_ENV",
    "PYTHONPATH",
    "PERL5LIB",
    "RUBYOPT",
    "NODE_OPTIONS",
    "JAVA_TOOL_OPTIONS",
];

fn environment() -> Vec<Violator> {
    let quiet = "/mnt/lib/quiet.so";
    let allocator = "/opt/lib/libjemalloc.so.2";
    let with = |name: &str, user: &str, variable: &str| {
        let shown: Vec<String> = variable.split(' ').map(|one| format!("environ={one}")).collect();
        shell(name, format!("exec {user} env {variable} $V $N")).shows(&shown.join("; "))
    };
    let mut violators = vec![
        with("root preloads", "", &format!("LD_PRELOAD={quiet}")).found(PRELOAD),
        with("a user preloads", "$ALICE", &format!("LD_PRELOAD={quiet}")).found("env-ld-preload medium"),
        with("root preloads from /tmp", "", "LD_PRELOAD=/tmp/q$N.so")
            .prepared(&format!("cp {quiet} /tmp/q$N.so"))
            .found(&format!("{PRELOAD}, {LIBRARY_PUBLIC}, {LIBRARY_WRITABLE}")),
        with("a user preloads from /tmp", "$ALICE", "LD_PRELOAD=/tmp/q$N.so")
            .prepared(&format!("cp {quiet} /tmp/q$N.so"))
            .found(&format!("{PRELOAD}, lib-in-world-writable-dir medium")),
        with(
            "root preloads an allocator",
            "",
            &format!("LD_PRELOAD={allocator}"),
        ),
        with(
            "root preloads an allocator and more",
            "",
            &format!("LD_PRELOAD={allocator}:{quiet}"),
        )
        .found(PRELOAD),
        with(
            "root preloads an allocator by its name",
            "",
            "LD_PRELOAD=libjemalloc.so.2 LD_LIBRARY_PATH=/opt/lib",
        )
        .found("env-risky low"),
        with(
            "root preloads an allocator by a name that is found in a user's home",
            "",
            "LD_PRELOAD=libjemalloc.so.2 LD_LIBRARY_PATH=/opt/lib:/mnt/home/alice",
        )
        .found(&format!("{PRELOAD}, env-risky low")),
        with(
            "root preloads an allocator by a name that is found where it works",
            "",
            "LD_PRELOAD=libjemalloc.so.2 LD_LIBRARY_PATH=/proc/self/cwd",
        )
        .found(&format!("{PRELOAD}, env-risky low")),
        with(
            "root preloads what is called an allocator",
            "",
            "LD_PRELOAD=/tmp/libjemalloc-$N.so",
        )
        .prepared(&format!("cp {quiet} /tmp/libjemalloc-$N.so"))
        .found(&format!("{PRELOAD}, {LIBRARY_PUBLIC}, {LIBRARY_WRITABLE}")),
        with(
            "a user preloads what is called an allocator from her home",
            "$ALICE",
            "LD_PRELOAD=/mnt/home/alice/libtcmalloc-$N.so",
        )
        .prepared(&format!("cp {quiet} /mnt/home/alice/libtcmalloc-$N.so"))
        .found("env-ld-preload medium"),
        with(
            "a user preloads a library through her working directory",
            "$ALICE",
            "LD_PRELOAD=/proc/self/cwd/../opt/lib/libjemalloc.so.2",
        )
        .found("env-ld-preload medium"),
        with(
            "a user preloads a library of the system that is one of hers",
            "$ALICE",
            "LD_PRELOAD=/opt/lib/libjemalloc-alice.so",
        )
        .found("env-ld-preload medium"),
        shell(
            "root preloads an allocator in a jail where it is a user's",
            "mkdir -p $D/jail/usr $D/jail/opt/lib; mount --bind /usr $D/jail/usr; cp -P /lib /lib64 $D/jail; \
             cp $V $D/jail/x; cp /opt/lib/libjemalloc.so.2 $D/jail/opt/lib; \
             chown 2001 $D/jail/opt/lib/libjemalloc.so.2; \
             exec env LD_PRELOAD=/opt/lib/libjemalloc.so.2 chroot $D/jail /x $N",
        )
        .shows("root=$D/jail; environ=LD_PRELOAD=/opt/lib/libjemalloc.so.2")
        .found(&format!("{PRELOAD}, {LIBRARY_WRITABLE}, chroot-escapable medium")),
        shell(
            "a preloaded allocator, and a chroot later",
            "mkdir $D/jail; \
             exec env LD_PRELOAD=/opt/lib/libjemalloc.so.2 $V $N chroot $D/jail + chdir / + drop",
        )
        .shows("root=$D/jail; environ=LD_PRELOAD=/opt/lib/libjemalloc.so.2"),
        with("root preloads nothing", "", "LD_PRELOAD="),
        with("root loads an auditor", "", &format!("LD_AUDIT={quiet}")).found("env-ld-audit high"),
        with("a user has a library path", "$ALICE", "LD_LIBRARY_PATH=/mnt/lib"),
    ];
    violators.extend(RISKY.map(|variable| {
        with(
            &format!("root has {variable}"),
            "",
            &format!("{variable}=/mnt/lib"),
        )
        .found("env-risky low")
    }));
    violators
}

fn hiding() -> Vec<Violator> {
    let impostor = |severity: &str| format!("kthread-impostor {severity}");
    let mut violators = vec![
        steps(
            "arguments and comm of a kernel thread",
            "run $V '[kworker/0:1]' + comm kworker/0:1",
        )
        .shows("Name=kworker/0:1; cmdline=[kworker/0:1]")
        .found(&impostor("critical")),
        steps("arguments of a kernel thread", "run $V '[kworker/1:2]'")
            .shows("cmdline=[kworker/1:2]")
            .found(&impostor("critical")),
        steps(
            "a user's with arguments of a kernel thread",
            "run $V '[ksoftirqd/0]' + drop",
        )
        .shows("Uid=2001 2001 2001 2001; cmdline=[ksoftirqd/0]")
        .found(&impostor("critical")),
        steps(
            "brackets round another name, and a blank behind them",
            "run $V '[bioset] '",
        )
        .found(&impostor("medium")),
        steps("brackets round another name", "run $V '[celeryd: main]'")
            .shows("cmdline=[celeryd: main]")
            .found(&impostor("medium")),
        steps("comm xfsaild/sda1", "comm xfsaild/sda1")
            .shows("Name=xfsaild/sda1")
            .found(&impostor("critical")),
        steps("comm of a kernel thread behind a blank", "comm ' kworker/0:1'").found(&impostor("critical")),
        steps(
            "comm of a kernel thread behind a tab",
            "comm \"$(printf '\\tkworker/0:1')\"",
        )
        .found(&impostor("critical")),
        steps("comm of a kernel thread in brackets", "comm '[kworker/0:1]'").found(&impostor("critical")),
        steps(
            "comm of a rarer kernel thread, and no arguments",
            "comm bioset + no-arguments",
        )
        .found(&format!("{}, empty-cmdline low", impostor("critical"))),
        steps("comm of a rarer kernel thread, with arguments", "comm bioset"),
        steps(
            "arguments of a kernel thread behind a blank",
            "run $V ' [kworker/1:2]'",
        )
        .found(&impostor("critical")),
        steps("comm that begins as a kernel thread's", "comm looper").shows("Name=looper"),
        steps("comm that looks like the rest of stat", "comm ') S 2 2 (kwork'").shows("Name=) S 2 2 (kwork"),
        steps("no arguments at all", "run $V -").found("empty-cmdline low"),
        steps("arguments blanked", "no-arguments").found("empty-cmdline low"),
        steps("a child that is not waited for", "zombie"),
        steps("working directory removed", "chdir $D/gone + rmdir $D/gone")
            .prepared("mkdir $D/gone")
            .shows("cwd=$D/gone (deleted)")
            .found("cwd-deleted info"),
    ];
    let comms = [
        "kworker/u8:3",
        "ksoftirqd/0",
        "kthreadd",
        "migration/1",
        "rcu_preempt",
        "rcuop/0",
        "cpuhp/0",
        "kswapd0",
        "khugepaged",
        "kcompactd0",
        "kdevtmpfs",
        "kauditd",
        "oom_reaper",
        "kblockd",
        "ksmd",
        "khungtaskd",
        "jbd2/sda1-8",
        "scsi_eh_0",
        "irq/24-pciehp",
        "watchdogd",
        "kthrotld",
        "kintegrityd",
        "mm_percpu_wq",
        "kdmflush/253:0",
        "loop0",
    ];
    violators.extend(comms.map(|comm| {
        steps(format!("comm {comm}"), format!("comm {comm}"))
            .shows(&format!("Name={comm}"))
            .found(&impostor("critical"))
    }));
    violators
}

fn chroot() -> Vec<Violator> {
    let outside = "chroot-cwd-outside high";
    let descriptor = "chroot-dir-fd-outside high";
    let escapable = "chroot-escapable medium";
    let jailed = |name: &str, list: &str| {
        steps(name, list)
            .prepared("mkdir -p $D/jail/below $D/jail2")
            .shows("root=$D/jail")
    };
    vec![
        jailed("correct chroot", "chroot $D/jail + chdir / + drop").shows("root=$D/jail; cwd=$D/jail"),
        jailed("chroot without chdir", "chroot $D/jail")
            .shows("root=$D/jail; cwd=/")
            .found(&format!("{outside}, {escapable}")),
        jailed("chroot without chdir, dropped", "chroot $D/jail + drop").found(outside),
        jailed("chroot from beside it", "chdir $D/jail2 + chroot $D/jail + drop")
            .shows("root=$D/jail; cwd=$D/jail2")
            .found(outside),
        jailed(
            "chroot from below it",
            "chdir $D/jail/below + chroot $D/jail + drop",
        ),
        steps(
            "chroot without chdir, dropped, and its first thread has ended",
            "chroot $D/jail + drop + headless",
        )
        .prepared("mkdir -p $D/jail")
        .shows("State=Z (zombie)")
        .found(outside),
        jailed("root in a chroot", "chroot $D/jail + chdir /").found(escapable),
        jailed(
            "root in a chroot that can't chroot",
            "chroot $D/jail + chdir / + capset chown chown -",
        ),
        jailed(
            "user in a chroot who can chroot, but not now",
            "chroot $D/jail + chdir / + keepcaps + drop + capset - sys_chroot -",
        )
        .found(&format!("{escapable}, {ROOT_EQUIVALENT}")),
        jailed(
            "user in a chroot who can chroot",
            "chroot $D/jail + chdir / + keepcaps + drop + capset sys_chroot sys_chroot -",
        )
        .found(&format!("{escapable}, {ROOT_EQUIVALENT}")),
        jailed("directory kept", "opendir / + chroot $D/jail + chdir / + drop").found(descriptor),
        jailed(
            "directory kept without reading it",
            "opendir-path / + chroot $D/jail + chdir / + drop",
        )
        .found(descriptor),
        jailed(
            "directory beside it kept",
            "opendir $D/jail2 + chroot $D/jail + chdir / + drop",
        )
        .found(descriptor),
        jailed(
            "directory below it kept",
            "opendir $D/jail/below + chroot $D/jail + chdir / + drop",
        ),
        jailed("file kept", "open /etc/passwd + chroot $D/jail + chdir / + drop"),
        jailed(
            "working directory in it removed",
            "chroot $D/jail + chdir /below + rmdir /below + drop",
        )
        .shows("root=$D/jail; cwd=$D/jail/below (deleted)")
        .found("cwd-deleted info"),
        jailed(
            "chroot in a mount namespace of its own",
            "mountns + chroot $D/jail",
        )
        .found(&format!("{outside}, {escapable}")),
    ]
}

fn descriptors() -> Vec<Violator> {
    let traced = |severity: &str| format!("traced {severity}");
    let leaked = "leaked-privileged-fd high";
    vec![
        steps("root traces root", "traced 0").shows("TracerPid=!0").found(&traced("medium")),
        steps("a user traces root", "traced 2001").shows("TracerPid=!0").found(&traced("high")),
        steps("a user traces her own", "drop + traced 2001").shows("TracerPid=!0").found(&traced("medium")),
        steps("root traces a user's", "traced 0 + drop")
            .shows("Uid=2001 2001 2001 2001; TracerPid=!0")
            .found(&traced("medium")),
        steps(
            "a user traces one with a capability",
            "traced 2002 + keepcaps + drop + capset - net_raw -",
        )
        .shows("CapPrm=0000000000002000; TracerPid=!0")
        .found(&format!("{}, {NET}", traced("high"))),
        steps("a thread alone is traced", "traced-thread")
            .shows("TracerPid=0")
            .found(&traced("medium")),
        steps("another's memory open", "mem").found("foreign-mem-fd high"),
        steps("another's memory open, dropped", "mem + drop").found("foreign-mem-fd high"),
        steps("another's memory open through its thread", "mem-task").found("foreign-mem-fd high"),
        steps("its own memory open", "open /proc/self/mem"),
        steps("/etc/shadow open, dropped", "open /etc/shadow + drop").shows("fd=/etc/shadow").found(leaked),
        steps(
            "/etc/gshadow open that was replaced, dropped",
            "open /etc/gshadow + rename /etc/gshadow+ /etc/gshadow + drop",
        )
        .prepared("cp /etc/gshadow /etc/gshadow+")
        .shows("fd=/etc/gshadow (deleted)")
        .found(leaked),
        steps("/etc/shadow open", "open /etc/shadow").shows("fd=/etc/shadow"),
        steps("/etc/shadow open, in a user namespace", "open /etc/shadow + drop + userns").found(leaked),
        steps("/etc/passwd open, dropped", "open /etc/passwd + drop"),
        steps("/dev/kmsg open, dropped", "open /dev/kmsg + drop").found(leaked),
        shell(
            "a disk open, dropped",
            "mknod $D/data b $(cat /sys/class/block/*/dev | head -n 1 | tr : ' '); exec $V $N open $D/data + drop",
        )
        .found(leaked),
        steps("a map of BPF", "bpf").shows("fd=anon_inode:bpf-map").found("bpf-fd-holder medium"),
        steps("removed file of 64 MiB", "large /mnt/disk/v$N 64").found("deleted-open-large low"),
        steps("removed file of 63 MiB", "large /mnt/disk/v$N 63"),
        steps("removed file of 64 MiB in memory", "large $D/large 64"),
        steps("removed file of 200 MiB with nothing in it", "sparse /mnt/disk/v$N 200"),
        steps("removed log", "sparse /var/log/v$N.log 0").found("deleted-log-open low"),
        steps("a user's removed log", "sparse /var/log/v$N.log 0 + drop").found("deleted-log-open low"),
    ]
}

fn sockets() -> Vec<Violator> {
    let raw = "raw-or-packet-socket medium";
    let unconfined = "root-listener-unconfined medium";
    let saved = "setgroups 2001 + setresgid 2001,2001,2001 + setresuid 2001,2001,0";
    let mut violators = vec![
        steps("packet socket", "packet").shows("net/packet=").found(raw),
        steps("packet socket for datagrams", "packet-datagrams")
            .shows("net/packet=")
            .found(raw),
        steps("packet socket, dropped", "packet + drop")
            .shows("Uid=2001 2001 2001 2001; net/packet=")
            .found(raw),
        steps(
            "packet socket of a user with the capability",
            "keepcaps + drop + capset net_raw net_raw - + packet",
        )
        .shows("Uid=2001 2001 2001 2001; net/packet=")
        .found(&format!("{raw}, {NET}")),
        steps("packet socket in a network namespace", "netns + packet")
            .shows("net/packet=")
            .found(raw),
        // The kernel asks no right of whoever has a user namespace for what `exe` shows.
        steps(
            "packet socket of a user who is shown as a program that may",
            "drop + userns + netns + packet + shown-as /usr/sbin/dnsmasq",
        )
        .shows("exe=/usr/sbin/dnsmasq; net/packet=")
        .found(raw),
        steps("raw socket for ICMP", "raw").shows("net/raw=").found(raw),
        steps("raw socket for ICMPv6", "raw6")
            .shows("net/raw6=")
            .found(raw),
        steps("raw socket in a network namespace, dropped", "netns + raw + drop")
            .shows("Uid=2001 2001 2001 2001; net/raw=")
            .found(raw),
        steps("local server", "unix $D/socket"),
        steps("server with a saved uid 0", format!("{saved} + tcp 0.0.0.0 8002"))
            .shows("Uid=2001 2001 0 2001; net/tcp=00000000:1F42")
            .found(&format!("{UID_0}, {unconfined}")),
        steps("server in a network namespace", "netns + tcp 0.0.0.0 8000")
            .shows("net/tcp=00000000:1F40")
            .found(unconfined),
        steps("a user's server", "drop + tcp 0.0.0.0 8003")
            .shows("net/tcp=00000000:1F43")
            .found(LISTENER),
        steps("server, dropped", "tcp :: 8004 + drop")
            .shows("net/tcp6=00000000000000000000000000000000:1F44")
            .found(LISTENER),
        steps(
            "a user's server in a sandbox",
            "unbound sys_admin + drop + no_new_privs + seccomp + tcp 0.0.0.0 8005",
        ),
        steps(
            "a user's server that gets no new rights",
            "unbound sys_admin + drop + no_new_privs + tcp 0.0.0.0 8006",
        )
        .found("no-seccomp info"),
        steps(
            "a user's server behind a filter",
            "unbound sys_admin + seccomp + drop + tcp 0.0.0.0 8007",
        )
        .found("no-nnp info"),
        steps(
            "a user's server with all capabilities in reach",
            "drop + no_new_privs + seccomp + tcp 0.0.0.0 8012",
        )
        .found("bounding-open info"),
        steps("a user's server for its own host", "drop + tcp 127.0.0.1 8013"),
    ];
    // Each with what it reads as in /proc/net.
    let all = [
        ("tcp 0.0.0.0 8000", "tcp=00000000:1F40"),
        ("tcp :: 8001", "tcp6=00000000000000000000000000000000:1F41"),
        ("udp 0.0.0.0 8000", "udp=00000000:1F40"),
        ("udp :: 8001", "udp6=00000000000000000000000000000000:1F41"),
    ];
    let own = [
        ("tcp 127.0.0.1 8008", "tcp=0100007F:1F48"),
        ("tcp 127.1.2.3 8008", "tcp=0302017F:1F48"),
        ("tcp ::1 8008", "tcp6=00000000000000000000000001000000:1F48"),
        (
            "tcp ::ffff:127.0.0.1 8009",
            "tcp6=0000000000000000FFFF00000100007F:1F49",
        ),
        ("udp 127.0.0.1 8008", "udp=0100007F:1F48"),
        ("udp ::1 8008", "udp6=00000000000000000000000001000000:1F48"),
        ("no_new_privs + tcp 0.0.0.0 8010", "tcp=00000000:1F4A"),
        ("seccomp + tcp 0.0.0.0 8011", "tcp=00000000:1F4B"),
    ];
    let server = |(list, line): (&str, &str), found: &str| {
        steps(format!("root's server, {list}"), list)
            .shows(&format!("net/{line}"))
            .found(found)
    };
    violators.extend(all.map(|shape| server(shape, unconfined)));
    violators.extend(own.map(|shape| server(shape, "")));
    violators
}

fn shells() -> Vec<Violator> {
    let found = "shell-stdio-socket critical";
    let named = |name: &str, steps: &str| {
        copied(format!("{name}, {steps}"), &format!("$D/{name}"), steps).shows(&format!("exe=$D/{name}"))
    };
    let mut violators = vec![
        steps("bash -i", "connected 127.0.0.1 0,1,2 + become /bin/bash -i")
            .shows("Name=bash")
            .found(found),
        named("sh", "connected 127.0.0.1 0").found(found),
        named("sh", "connected 127.0.0.1 1").found(found),
        named("sh", "connected 127.0.0.1 2").found(found),
        named("sh", "connected ::1 0,1,2").found(found),
        named("sh", "connected ::ffff:127.0.0.1 0,1,2").found(found),
        named("sh", "connected 127.0.0.1 0,1,2 + drop").found(found),
        named("sh", "connected-locally 0,1,2"),
        named("bashful", "connected 127.0.0.1 0,1,2"),
    ];
    let names = [
        "dash",
        "bash",
        "zsh",
        "ksh",
        "ash",
        "fish",
        "busybox",
        "python3.11",
        "perl5.36.0",
        "ruby3.1",
        "php8.2",
        "lua5.4",
        "node",
        "tclsh",
        "nc",
        "ncat",
        "socat",
    ];
    violators.extend(names.map(|name| named(name, "connected 127.0.0.1 0,1,2").found(found)));
    violators
}

/// Processes in the control group of a container, or nearly; `$CONTAINER` is its cgroup.procs.
pub(super) fn contained() -> Vec<Violator> {
    let bounded = "pidns + cgroup $CONTAINER + unbound sys_admin";
    let privileged = "container-privileged medium";
    let dropped = "setgid 2001 + setuid 2001";
    vec![
        steps("container, drops correctly", format!("{bounded} + drop")),
        steps(
            "container, gid 0",
            format!("{bounded} + setgroups - + setuid 2001"),
        )
        .shows("Uid=2001 2001 2001 2001; Gid=0 0 0 0")
        .found("gid0-without-uid0 low"),
        steps(
            "container, group 0",
            format!("{bounded} + setgroups 0 + {dropped}"),
        )
        .shows("Groups=0")
        .found("group0-without-uid0 low"),
        steps(
            "container, a group that is not the account's",
            format!("{bounded} + setgroups 6 + {dropped}"),
        ),
        steps(
            "container, account that does not exist",
            format!("{bounded} + setgroups - + setgid 4242 + setuid 4242"),
        )
        .shows("Uid=4242 4242 4242 4242"),
        steps(
            "container, saved uid 0",
            format!("{bounded} + setgroups 2001 + setgid 2001 + setresuid 2001,2001,0"),
        )
        .found(UID_0),
        steps("container, privileged", "pidns + cgroup $CONTAINER + drop").found(privileged),
        steps(
            "container, privileged, root in a user namespace",
            "pidns + cgroup $CONTAINER + userns",
        ),
        steps(
            "container in the host's PID namespace, gid 0",
            "cgroup $CONTAINER + unbound sys_admin + setgroups - + setuid 2001",
        )
        .found("gid0-without-uid0 low"),
        steps(
            "a PID namespace that is no container's, group disk",
            format!("pidns + setgroups 6 + {dropped}"),
        )
        .shows("Groups=6")
        .found(UNEARNED),
    ]
}

/// Processes in a control group that alice made below her own, and named like a container's; `$CONTAINER` is its
/// cgroup.procs.
pub(super) fn disguised() -> Vec<Violator> {
    let entered = "pidns + cgroup $CONTAINER + unbound sys_admin";
    let dropped = "setgid 2001 + setuid 2001";
    vec![
        steps("no container, drops correctly", format!("{entered} + drop")),
        steps(
            "no container, gid 0",
            format!("{entered} + setgroups - + setuid 2001"),
        )
        .found(GID_0),
        steps(
            "no container, group 0",
            format!("{entered} + setgroups 0 + {dropped}"),
        )
        .found(GROUP_0),
        steps(
            "no container, group disk",
            format!("{entered} + setgroups 6 + {dropped}"),
        )
        .found(UNEARNED),
        steps(
            "no container, account that does not exist",
            format!("{entered} + setgroups - + setgid 4242 + setuid 4242"),
        )
        .found("uid-unknown medium"),
        steps(
            "no container, gid of another group",
            format!("{entered} + setgroups 2001 + setgid 2100 + setuid 2001"),
        )
        .found("gid-not-of-account low"),
        steps(
            "no container, /etc/shadow open, in a user namespace",
            format!("{entered} + open /etc/shadow + drop + userns"),
        )
        .found("leaked-privileged-fd high"),
    ]
}

/// What is mended when there is a file /mnt/w/mend, and what is not.
pub(super) fn passing() -> Vec<Violator> {
    let saved = "setgroups 2001 + setgid 2001 + setresuid 2001,2001,0";
    vec![
        steps(
            "drops for good later",
            format!("{saved} + until /mnt/w/mend + setresuid 2001,2001,2001"),
        )
        .shows("Uid=2001 2001 0 2001"),
        steps("never drops for good", saved)
            .shows("Uid=2001 2001 0 2001")
            .found(UID_0),
    ]
}

/// Of rules that want a process to be old. `$SESSION` is the cgroup.procs of somebody's login, and the rules are called
/// `young-…`.
pub(super) fn lasting() -> Vec<Violator> {
    let by_hand = "young-root-daemon-from-session medium";
    vec![
        steps("started by hand", "cgroup $SESSION").found(by_hand),
        steps(
            "started by hand, as a server",
            "connected-locally 0 + cgroup $SESSION + tcp 0.0.0.0 8030",
        )
        .found(by_hand),
        steps("a child in a session", "connected-locally 0 + cgroup $SESSION"),
        steps(
            "a child in a session that serves its own host",
            "connected-locally 0 + cgroup $SESSION + tcp 127.0.0.1 8031",
        ),
        steps("on a terminal", "terminal + cgroup $SESSION + tcp 0.0.0.0 8032"),
        steps("a user's, started by hand", "cgroup $SESSION + drop"),
        steps("started by the system", ""),
        steps("a child that is not waited for", "zombie")
            .shows("State=Z (zombie)")
            .found("young-zombie info"),
    ]
}
