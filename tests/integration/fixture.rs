//! A host written down: tests/fixtures/host.toml as a snapshot. What a line leaves out is as it is for most daemons.

use procward::snapshot::process::{DELETED, PF_FORKNOEXEC, PF_KTHREAD};
use procward::snapshot::{
    Cgroup, Cmdline, Descriptor, Descriptors, Endpoint, Exe, Fact, FileId, Host, Observer, Process, Protocol,
    Snapshot, Socket, Stat, Status, Table, Target,
};
use serde::Deserialize;
use std::collections::BTreeMap;

const TICKS: u64 = 100;
const PAGE: u64 = 4096;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// When everything was read, after boot.
    uptime: String,
    /// The procward that looked.
    observer: i32,
    /// Name to uid and gid.
    users: BTreeMap<String, (u32, u32)>,
    group: Vec<Group>,
}

/// Processes of one cgroup.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    cgroup: String,
    process: Vec<Line>,
    /// What its processes are, unless they say otherwise.
    user: Option<String>,
    loginuid: Option<u32>,
    /// The file system that their programs are on, by any name: an image of a container.
    image: Option<String>,
}

/// What the kernel shows of a process.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    pid: i32,
    /// 1 unless it says otherwise.
    ppid: Option<i32>,
    /// The session: that of the parent, or its own below PID 1.
    sid: Option<i32>,
    /// The program; neither a kernel thread nor a zombie has one.
    exe: Option<String>,
    /// `deleted`, or `replaced` by another file of its name.
    file: Option<String>,
    /// The start of the program's file name, unless it says otherwise.
    comm: Option<String>,
    /// The path of the program, unless it says otherwise.
    argv: Option<Arguments>,
    /// A title written over the arguments, which were longer: NULs follow.
    title: Option<String>,
    user: Option<String>,
    /// Real, effective, saved and file system id.
    uid: Option<[u32; 4]>,
    gid: Option<[u32; 4]>,
    groups: Option<Vec<u32>>,
    /// Has not exec'ed since it was forked.
    #[serde(default)]
    forked: bool,
    #[serde(default)]
    kthread: bool,
    state: Option<char>,
    tty: Option<String>,
    /// PID in a child namespace.
    ns: Option<i32>,
    age: Option<String>,
    rss: Option<String>,
    threads: Option<u64>,
    fds: Option<u64>,
    /// Sockets that listen, as `listen=` has them: an address, a port and `tcp` or `udp`.
    #[serde(default)]
    listen: Vec<String>,
    nice: Option<i64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Arguments {
    /// At the blanks.
    Line(String),
    Words(Vec<String>),
}

impl Arguments {
    fn words(self) -> Vec<Vec<u8>> {
        match self {
            Arguments::Line(line) => line.split(' ').map(|word| word.as_bytes().to_vec()).collect(),
            Arguments::Words(words) => words.into_iter().map(String::into_bytes).collect(),
        }
    }
}

/// The snapshot of a host that was written down.
pub(crate) fn snapshot(text: &str) -> Snapshot {
    let written: Written = toml::from_str(text).unwrap_or_else(|error| panic!("{error}"));
    let mut builder = Builder {
        now: number(&written.uptime),
        users: written.users,
        inodes: BTreeMap::new(),
        table: Table::default(),
    };
    for (name, (uid, gid)) in &builder.users {
        builder.table.users.insert(name.clone(), *uid);
        builder.table.groups.insert(name.clone(), *gid);
    }
    let mut processes = Vec::new();
    for mut group in written.group {
        for line in std::mem::take(&mut group.process) {
            processes.push(builder.process(&group, line));
        }
    }
    processes.sort_by_key(|process| process.pid);
    let twice = processes.windows(2).find(|two| two[0].pid == two[1].pid);
    assert!(
        twice.is_none(),
        "one PID twice: {:?}",
        twice.map(|two| two[0].pid)
    );
    inherit_sessions(&mut processes);
    let observer = observer(&processes, written.observer);
    Snapshot {
        host: Host {
            boot_id: Some("9a1d3c52-7f0e-4a55-9a38-0d6f3c1b8e21".into()),
            ticks_per_second: TICKS,
            page_size: PAGE,
            ..Host::default()
        },
        observer,
        seen: processes.len(),
        processes,
        accounts: builder.table,
        ..Snapshot::default()
    }
}

struct Builder {
    /// Seconds since boot.
    now: u64,
    users: BTreeMap<String, (u32, u32)>,
    /// File system and path to inode.
    inodes: BTreeMap<(String, String), u64>,
    table: Table,
}

impl Builder {
    fn process(&mut self, group: &Group, line: Line) -> Process {
        let user = line
            .user
            .as_ref()
            .or(group.user.as_ref())
            .map_or("root", String::as_str);
        let (uid, gid) = *self.users.get(user).unwrap_or_else(|| panic!("no user {user}"));
        let uids = line.uid.unwrap_or([uid; 4]);
        let gids = line.gid.unwrap_or([gid; 4]);
        let groups = line
            .groups
            .unwrap_or_else(|| if gid == 0 { vec![] } else { vec![gid] });
        let state = line.state.unwrap_or('S');
        let has_program = !line.kthread && state != 'Z';
        assert_eq!(line.exe.is_some(), has_program, "pid {}: exe", line.pid);
        let comm = line.comm.unwrap_or_else(|| {
            let path = line
                .exe
                .as_ref()
                .unwrap_or_else(|| panic!("pid {}: comm", line.pid));
            let name = path.rsplit('/').next().unwrap_or(path);
            name[..name.len().min(15)].to_owned()
        });
        let arguments = match (line.argv, line.title) {
            (Some(arguments), None) => arguments.words(),
            (None, Some(title)) => [title.as_bytes(), b"", b"", b""].map(<[u8]>::to_vec).to_vec(),
            (None, None) => vec![line.exe.clone().unwrap_or_default().into_bytes()],
            _ => panic!("pid {}: argv or title", line.pid),
        };
        let mut flags = 0;
        if line.forked || line.kthread {
            flags |= PF_FORKNOEXEC;
        }
        if line.kthread {
            flags |= PF_KTHREAD;
        }
        let age = number(line.age.as_deref().unwrap_or("9d"));
        Process {
            pid: line.pid,
            comm: Fact::Value(comm.clone().into_bytes()),
            stat: Fact::Value(Stat {
                comm: comm.into_bytes(),
                state: state as u8,
                ppid: line.ppid.unwrap_or(1),
                session: line.sid.unwrap_or(-1),
                tty_nr: line.tty.as_deref().map_or(0, terminal),
                flags,
                nice: line.nice.unwrap_or(0),
                num_threads: line.threads.unwrap_or(1),
                starttime: (self.now - age) * TICKS,
                vsize: if has_program { 64 << 20 } else { 0 },
                rss: if has_program {
                    number(line.rss.as_deref().unwrap_or("8M")) / PAGE
                } else {
                    0
                },
                ..Stat::default()
            }),
            owner: Fact::Value((uids[1], gids[1])),
            exe: match line.exe {
                Some(path) => Fact::Value(self.exe(&path, line.file.as_deref(), group, uid)),
                None => Fact::NotApplicable,
            },
            cmdline: if has_program {
                Fact::Value(Cmdline {
                    arguments,
                    truncated: false,
                })
            } else {
                Fact::NotApplicable
            },
            status: Fact::Value(Status {
                uid: uids,
                gid: gids,
                groups,
                vm_swap: has_program.then_some(0),
                ns_pid: [line.pid].into_iter().chain(line.ns).collect(),
                ..Status::default()
            }),
            cgroup: Fact::Value(Cgroup {
                path: group.cgroup.clone().into_bytes(),
            }),
            loginuid: Fact::Value(group.loginuid),
            fds: if has_program {
                Fact::Value(line.fds.unwrap_or(8))
            } else {
                Fact::NotApplicable
            },
            descriptors: if has_program {
                Fact::Value(listening(&line.listen))
            } else {
                Fact::NotApplicable
            },
            read_at: self.now * 1_000_000_000,
            ..Process::default()
        }
    }

    /// The program. A path that is not an image's is noted, as `procward snapshot` does, for `exe=PATH`.
    fn exe(&mut self, path: &str, file: Option<&str>, group: &Group, uid: u32) -> Exe {
        let image = group.image.clone().unwrap_or_default();
        let mut id = self.file(&image, path, uid);
        if file != Some("deleted") && image.is_empty() {
            self.table.files.insert(path.to_owned(), id);
        }
        let Some(fate) = file else {
            return Exe {
                text: path.into(),
                file: Fact::Value(id),
                path_exists: None,
                ..Exe::default()
            };
        };
        assert!(["deleted", "replaced"].contains(&fate), "{fate}");
        id = FileId {
            links: 0,
            ..self.file(&image, &format!("{path} of old"), uid)
        };
        Exe {
            text: [path.as_bytes(), DELETED].concat(),
            file: Fact::Value(id),
            path_exists: Some(fate == "replaced"),
            ..Exe::default()
        }
    }

    fn file(&mut self, image: &str, path: &str, uid: u32) -> FileId {
        let next = 1000 + self.inodes.len() as u64;
        let of_user = ["/home/", "/tmp/", "/var/tmp/"]
            .iter()
            .any(|start| path.starts_with(start));
        FileId {
            device: 0xfe << 32 | image.bytes().map(u64::from).sum::<u64>(),
            inode: *self
                .inodes
                .entry((image.to_owned(), path.to_owned()))
                .or_insert(next),
            owner: if of_user { uid } else { 0 },
            links: 1,
        }
    }
}

fn listening(sockets: &[String]) -> Descriptors {
    let open = sockets.iter().enumerate().map(|(index, text)| {
        let (place, protocol) = text.rsplit_once('/').expect("a protocol");
        let (address, port) = place.rsplit_once(':').expect("a port");
        let address = address.trim_matches(['[', ']']).parse().expect("an address");
        let port = port.parse().expect("a port");
        let (protocol, endpoint) = match protocol {
            "tcp" => (Protocol::Tcp, Endpoint::Tcp(address, port)),
            _ => (Protocol::Udp, Endpoint::Udp(address, port)),
        };
        Descriptor {
            number: u32::try_from(index + 3).expect("few"),
            text: format!("socket:[{}]", index + 1).into_bytes(),
            target: Target::Socket(Socket {
                protocol: Fact::Value(protocol),
                listens: Fact::Value(Some(endpoint)),
            }),
        }
    });
    Descriptors {
        open: open.collect(),
        truncated: false,
    }
}

/// A session goes from parent to child; what PID 1 starts has its own.
fn inherit_sessions(processes: &mut [Process]) {
    let known: BTreeMap<i32, Stat> = processes
        .iter()
        .filter_map(|process| Some((process.pid, process.stat.value()?.clone())))
        .collect();
    for process in processes {
        let pid = process.pid;
        let Fact::Value(stat) = &mut process.stat else {
            continue;
        };
        assert!(
            stat.ppid == 0 || known.contains_key(&stat.ppid),
            "pid {pid}: no parent"
        );
        let mut of = pid;
        while stat.session < 0 {
            let above = &known[&of];
            stat.session = match (above.session, above.ppid) {
                (-1, 0 | 1) => of,
                (session, parent) => {
                    of = parent;
                    session
                }
            };
        }
        if stat.is_kthread() {
            stat.session = 0;
        }
    }
}

fn observer(processes: &[Process], pid: i32) -> Observer {
    let by_pid = |pid: i32| processes.iter().find(|process| process.pid == pid);
    let own = by_pid(pid).expect("the observer is a process");
    let parent = |process: &Process| process.stat.value().map_or(0, |stat| stat.ppid);
    let ancestors = std::iter::successors(by_pid(parent(own)), |process| by_pid(parent(process)));
    Observer {
        pid: Some(pid),
        uid: own.owner.value().map(|(uid, _)| *uid),
        ancestors: ancestors.map(|process| process.pid).collect(),
        exe: own.exe.value().and_then(|exe| exe.file.value().copied()),
        comm: own.comm.value().cloned().unwrap_or_default(),
        arguments: own
            .cmdline
            .value()
            .map(|line| line.arguments[1..].to_vec())
            .unwrap_or_default(),
        may_trace: true,
        ..Observer::default()
    }
}

/// `3d`, `90s`, `512M`: with the letters of the language.
fn number(text: &str) -> u64 {
    let (digits, letter) = text.split_at(text.len() - 1);
    let unit = match letter {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        _ => panic!("{text}: no unit"),
    };
    digits
        .parse::<u64>()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
        * unit
}

/// tty_nr of proc_pid_stat(5).
fn terminal(name: &str) -> i32 {
    let (kind, digits) = name.split_at(name.find(|c: char| c.is_ascii_digit()).expect("a number"));
    let minor: i32 = digits.parse().expect("a number");
    match kind {
        "pts/" => 136 << 8 | minor,
        "tty" => 4 << 8 | minor,
        "ttyS" => 4 << 8 | (64 + minor),
        _ => panic!("{name}: no terminal"),
    }
}
