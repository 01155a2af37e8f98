//! Builders for tests: snapshots from one-liners.
#![allow(clippy::panic, reason = "for tests and fuzzing only")]

use crate::judge::check::Item;
use crate::judge::{Check, Faulty, State, Verdict, judge};
use crate::select::spec::{Dialect, parse};
use crate::select::{Fault, Range};
use crate::snapshot::process::{PF_FORKNOEXEC, PF_KTHREAD};
use crate::snapshot::*;

/// The start time, as the kernel writes it, of a process that was there 3 s before the clock of the time namespace began.
#[cfg(test)]
pub(crate) const BEFORE_ZERO: u64 = 1_844_674_407_070;

/// A process of which everything is known: a daemon of root, started by PID 1, leading its session.
pub(crate) fn process(pid: i32, name: &str) -> Process {
    let comm = name.as_bytes()[..name.len().min(15)].to_vec();
    let stat = Stat {
        comm: comm.clone(),
        state: b'S',
        ppid: 1,
        session: pid,
        num_threads: 1,
        starttime: 1000,
        ..Stat::default()
    };
    Process {
        pid,
        comm: Fact::Value(comm),
        stat: Fact::Value(stat),
        owner: Fact::Value((0, 0)),
        exe: Fact::Value(Exe {
            text: format!("/usr/sbin/{name}").into_bytes(),
            file: Fact::Value(inode(name)),
            ..Exe::default()
        }),
        cmdline: Fact::Value(Cmdline {
            arguments: vec![name.as_bytes().to_vec()],
            truncated: false,
        }),
        status: Fact::Value(Status {
            vm_swap: Some(0),
            ns_pid: vec![pid],
            ..Status::default()
        }),
        cgroup: Fact::Value(Cgroup { path: b"/".to_vec() }),
        container: Fact::Value(Writers::default()),
        label: Fact::Unreadable(Why::NoModule),
        sched: Fact::Value(Sched::default()),
        ranks: Fact::Value(Ranks {
            lowest_nice: 0,
            policies: vec![0],
        }),
        loginuid: Fact::Value(None),
        account: Fact::Value(Account {
            exists: true,
            groups: vec![0],
            privileged: vec![27, 42],
        }),
        userns: Fact::Value(false),
        root: Fact::Value(Root {
            root: b"/".to_vec(),
            cwd: Some(b"/".to_vec()),
            threads: Vec::new(),
        }),
        writers: Fact::Value(Writers::default()),
        threads: Fact::Value(Threads::default()),
        environ: Fact::Value(Environ::default()),
        maps: Fact::Value(Maps::default()),
        fds: Fact::Value(3),
        descriptors: Fact::Value(Descriptors::default()),
        read_at: 3_600_000_000_000,
    }
}

fn inode(name: &str) -> FileId {
    let inode = name
        .bytes()
        .fold(7u64, |sum, b| sum.wrapping_mul(31).wrapping_add(u64::from(b)));
    FileId {
        device: 1,
        inode,
        owner: 0,
        links: 1,
    }
}

/// A socket that listens, or does not.
pub(crate) fn socket_at(protocol: Protocol, listens: Option<Endpoint>) -> Target {
    Target::Socket(Socket {
        protocol: Fact::Value(protocol),
        listens: Fact::Value(listens),
    })
}

/// A file of this kind, which has a name.
#[cfg(test)]
pub(crate) fn file_at(kind: FileKind) -> Target {
    Target::File(Fact::Value(OpenFile {
        kind,
        device: (0, 0),
        links: 1,
        doomed: 0,
    }))
}

#[allow(dead_code, reason = "builders are for whoever writes the next test")]
pub(crate) trait Build: Sized {
    fn change(self, change: impl FnOnce(&mut Process)) -> Self;
    fn stat(self, change: impl FnOnce(&mut Stat)) -> Self;

    fn child_of(self, ppid: i32) -> Self {
        self.stat(|stat| {
            stat.ppid = ppid;
            stat.session = ppid;
            stat.flags |= PF_FORKNOEXEC;
        })
    }
    fn orphan_of(self, session: i32) -> Self {
        self.stat(|stat| {
            stat.ppid = 1;
            stat.session = session;
            stat.flags |= PF_FORKNOEXEC;
        })
    }
    fn daemonized(self) -> Self {
        self.stat(|stat| stat.flags |= PF_FORKNOEXEC)
    }
    fn kthread(self) -> Self {
        self.stat(|stat| stat.flags |= PF_KTHREAD).change(|p| {
            p.exe = Fact::NotApplicable;
            p.cmdline = Fact::NotApplicable;
        })
    }
    fn zombie(self) -> Self {
        self.stat(|stat| stat.state = b'Z').change(|p| {
            p.exe = Fact::NotApplicable;
            p.cmdline = Fact::NotApplicable;
        })
    }
    fn exe(self, path: &str) -> Self {
        self.change(|p| {
            p.exe = Fact::Value(Exe {
                text: path.as_bytes().to_vec(),
                file: Fact::Value(inode(path)),
                ..Exe::default()
            });
        })
    }
    fn exe_denied(self) -> Self {
        self.change(|p| p.exe = Fact::Unreadable(Why::Denied))
    }
    fn args(self, arguments: &[&str]) -> Self {
        self.change(|p| {
            let arguments = arguments.iter().map(|a| a.as_bytes().to_vec()).collect();
            p.cmdline = Fact::Value(Cmdline {
                arguments,
                truncated: false,
            });
        })
    }
    fn uid(self, uid: u32) -> Self {
        self.change(|p| {
            p.owner = Fact::Value((uid, uid));
            if let Fact::Value(status) = &mut p.status {
                status.uid = [uid; 4];
                status.gid = [uid; 4];
            }
        })
    }
    fn label(self, module: &str, text: &[u8]) -> Self {
        self.change(|p| {
            p.label = Fact::Value(Label {
                module: module.into(),
                text: text.to_vec(),
            })
        })
    }
    /// Number, text and target of each.
    fn opens(self, open: &[(u32, &str, Target)]) -> Self {
        let open = open.iter().map(|(number, text, target)| Descriptor {
            number: *number,
            text: text.as_bytes().to_vec(),
            target: target.clone(),
        });
        let descriptors = Descriptors {
            open: open.collect(),
            truncated: false,
        };
        self.change(|p| p.descriptors = Fact::Value(descriptors))
    }
    fn cgroup(self, path: &str) -> Self {
        self.change(|p| {
            p.cgroup = Fact::Value(Cgroup {
                path: path.as_bytes().to_vec(),
            })
        })
    }
    /// Clock ticks in user mode, of all its threads.
    fn ran(self, ticks: u64) -> Self {
        self.stat(|stat| stat.utime = ticks)
    }
    /// Clock ticks of children that it waited for.
    fn reaped(self, ticks: u64) -> Self {
        self.stat(|stat| stat.cutime = ticks)
    }
    /// Ids of its threads, with milliseconds of running and of waiting to run.
    fn threads(self, threads: &[(i32, u64, u64)]) -> Self {
        const MILLISECOND: u64 = 1_000_000;
        let thread = |(tid, run, wait): &(i32, u64, u64)| Thread {
            tid: *tid,
            run: run.saturating_mul(MILLISECOND),
            wait: wait.saturating_mul(MILLISECOND),
        };
        let threads = threads.iter().map(thread).collect();
        self.change(|p| {
            p.sched = Fact::Value(Sched {
                at: p.read_at,
                threads,
            })
        })
    }
    /// Born so many milliseconds before the later of two looks that lie so many apart.
    fn born_ago(self, age: u64, window: u64) -> Self {
        self.stat(|stat| stat.starttime = (3_600_000 + window - age) / 10)
    }
    fn in_pid_namespace(self, pid: i32) -> Self {
        self.change(|p| {
            if let Fact::Value(status) = &mut p.status {
                status.ns_pid.push(pid);
            }
        })
    }
}

impl Build for Process {
    fn change(mut self, change: impl FnOnce(&mut Process)) -> Self {
        change(&mut self);
        self
    }
    fn stat(self, with: impl FnOnce(&mut Stat)) -> Self {
        self.change(|p| {
            if let Fact::Value(stat) = &mut p.stat {
                with(stat);
            }
        })
    }
}

/// A host with `init` as PID 1 and these processes.
pub(crate) fn host(processes: Vec<Process>) -> Snapshot {
    let mut all = vec![process(1, "init").stat(|stat| stat.ppid = 0)];
    all.extend(processes);
    all.sort_by_key(|process| process.pid);
    let mut accounts = Table::default();
    for (name, id) in [("root", 0), ("www-data", 33), ("nobody", 65534), ("alice", 1000)] {
        accounts.users.insert(name.into(), id);
        accounts.groups.insert(name.into(), id);
    }
    for process in &all {
        if let Fact::Value(exe) = &process.exe
            && let Fact::Value(file) = exe.file
        {
            accounts
                .files
                .entry(String::from_utf8_lossy(exe.path()).into_owned())
                .or_insert(file);
        }
    }
    Snapshot {
        seen: all.len(),
        processes: all,
        accounts,
        ..Snapshot::default()
    }
}

/// A host with these processes, and the clocks of what ran there milliseconds before.
pub(crate) fn later(window: u64, before: Vec<Process>, now: Vec<Process>) -> Snapshot {
    let clocks = |mut processes: Vec<Process>| {
        if processes.iter().all(|process| process.pid != 1) {
            processes.push(process(1, "init").stat(|stat| stat.ppid = 0));
        }
        processes.sort_by_key(|process| process.pid);
        let at = processes[0].read_at;
        let clocks = processes.into_iter();
        Clocks {
            at,
            clocks: clocks.filter_map(|process| Clock::of(&process)).collect(),
        }
    };
    let shift = |process: Process| {
        process.change(|p| {
            p.read_at += window * 1_000_000;
            if let Fact::Value(sched) = &mut p.sched {
                sched.at = p.read_at;
            }
        })
    };
    let mut now: Vec<Process> = now.into_iter().map(shift).collect();
    if now.iter().all(|process| process.pid != 1) {
        now.push(shift(process(1, "init").stat(|stat| stat.ppid = 0)));
    }
    let past = clocks(before);
    let present = clocks(now.clone());
    let init = now
        .iter()
        .position(|process| process.pid == 1)
        .map(|at| now.remove(at));
    let mut host = host(now);
    if let Some(init) = init {
        host.processes[0] = init;
    }
    host.past = Some(past);
    host.keep_clocks(present);
    host
}

/// A check of this spec.
pub(crate) fn check(spec: &str, snapshot: &Snapshot) -> Check {
    let spec = parse(spec, &snapshot.accounts, Dialect::Native)
        .unwrap_or_else(|faults| panic!("{spec}: {faults:?}"));
    Check::new(
        "check".into(),
        spec.selector,
        spec.range.unwrap_or(Range::AT_LEAST_ONE),
    )
}

/// The verdict of a spec; one of a key that is not known is faulty.
#[cfg(test)]
pub(crate) fn judged(spec: &str, host: &Snapshot) -> Verdict {
    if spec.starts_with("nosuch=") {
        faulty_verdict()
    } else {
        verdict(spec, host)
    }
}

/// The verdict of a check that is faulty.
pub(crate) fn faulty_verdict() -> Verdict {
    let faulty = Faulty {
        source: Faulty::SPEC.into(),
        text: "nosuch=x".into(),
        faults: vec![Fault::new(0..6, "no such key", "")],
    };
    let item = Item::Faulty {
        name: "nosuch=x".into(),
        faulty,
    };
    let nothing = Snapshot::default();
    judge(&[item], &nothing, &nothing.accounts).verdicts.remove(0)
}

/// The verdict of a spec on a snapshot.
pub(crate) fn verdict(spec: &str, snapshot: &Snapshot) -> Verdict {
    let item = Item::Check(Box::new(check(spec, snapshot)));
    judge(&[item], snapshot, &snapshot.accounts).verdicts.remove(0)
}

/// The state of a spec on a snapshot, and how many match for certain.
pub(crate) fn count(spec: &str, snapshot: &Snapshot) -> (State, u64) {
    let verdict = verdict(spec, snapshot);
    (verdict.state, verdict.matched)
}
