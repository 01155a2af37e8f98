//! The source against fake trees, and against the processes of the host that runs the tests.

mod copies;
mod plans;

use super::file_id::file_at;
use super::known::Known;
use super::process_dir::{Proc, ProcessDir};
use super::procfs::Procfs;
use super::read::{Vanished, whole};
use crate::deadline::Notes;
use crate::parse::mountinfo::ProcMount;
use crate::select::reading::Subject;
use crate::select::selection::Wanted;
use crate::select::spec::parse_selector;
use crate::select::{File, Key, Plan, Truth, select};
use crate::snapshot::{Fact, Gap, Label, Process, Snapshot, Table, Why};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags, open};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A child that does not outlive its test.
struct Owned(Child);

impl Drop for Owned {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Owned {
    fn spawn(command: &mut Command) -> Owned {
        Owned(
            command
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .spawn()
                .unwrap(),
        )
    }
    fn sleep() -> Owned {
        let child = Owned::spawn(Command::new("sleep").args(["86399", "0"]).env_clear());
        child.until(|process| process.comm == Fact::Value(b"sleep".to_vec()));
        child
    }
    fn pid(&self) -> i32 {
        self.0.id().cast_signed()
    }
    fn until(&self, reached: impl Fn(&Process) -> bool) -> Process {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let process = read_all(self.pid()).unwrap();
            if reached(&process) {
                return process;
            }
            assert!(Instant::now() < end, "never reached: {process:?}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

fn proc_of(proc: &OwnedFd) -> Proc<'_> {
    Proc {
        dir: proc.as_fd(),
        live: true,
        notes: Notes::none(),
        known: Box::leak(Box::new(Known::of(proc, None))),
    }
}

fn proc() -> OwnedFd {
    open(
        "/proc",
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .unwrap()
}

fn read_below(dir: &ProcessDir, pid: i32) -> Result<Process, Vanished> {
    let mut process = Process {
        pid,
        ..Process::default()
    };
    for file in File::ALL {
        dir.read(file, &mut process)?;
    }
    Ok(process)
}

fn read_all(pid: i32) -> Result<Process, Vanished> {
    read_below(
        &ProcessDir::open(proc_of(&proc()), pid).map_err(|_| Vanished)?,
        pid,
    )
}

fn look() -> Snapshot {
    Procfs::live().snapshot(&Plan::everything(&File::ALL))
}

/// A test that cannot run here says so, or fails where it must run.
fn skipped(why: &str) {
    assert!(
        std::env::var_os("PROCWARD_REQUIRE_ALL").is_none(),
        "must not be skipped: {why}"
    );
    eprintln!("SKIPPED: {why}");
}

#[test]
fn a_live_process_is_found_with_program_owner_and_arguments() {
    let child = Owned::sleep();
    let snapshot = look();
    let process = snapshot.by_pid(child.pid()).unwrap();
    let own = snapshot.by_pid(std::process::id().cast_signed()).unwrap();
    let exe = process.exe.value().unwrap();
    let path = Path::new(std::str::from_utf8(&exe.text).unwrap());
    assert_eq!(exe.file, Fact::Value(file_at(CWD, path).unwrap()));
    assert_eq!((exe.is_deleted(), exe.path_exists), (Some(false), None));
    let arguments = [b"sleep".to_vec(), b"86399".to_vec(), b"0".to_vec()];
    assert_eq!(process.cmdline.value().unwrap().arguments, arguments);
    assert_eq!(process.owner, own.owner);
    let uid = rustix::process::geteuid().as_raw();
    assert_eq!(process.owner.value().unwrap().0, uid);
    assert_eq!(process.status.value().unwrap().uid, [uid; 4]);
    assert_eq!(process.status.value().unwrap().ns_pid.first(), Some(&child.pid()));
    assert_eq!(process.stat.value().unwrap().ppid, own.pid);
    assert_eq!(process.comm.value().unwrap(), b"sleep");
    assert!(process.fds.value().is_some_and(|fds| *fds >= 3));
    assert!(process.cgroup.value().is_some() || process.cgroup.asked());
    assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
    assert!(snapshot.processes.is_sorted_by_key(|process| process.pid));
    assert!(snapshot.seen >= snapshot.processes.len());
    // Started within the last minutes, on the clock that `read_at` has.
    let ticks = process.stat.value().unwrap().starttime;
    let started = ticks * 1_000_000_000 / snapshot.host.ticks_per_second;
    assert!(process.read_at.abs_diff(started) < 300_000_000_000);
}

#[test]
fn the_observer_is_this_process_and_its_ancestors_are_above_it() {
    let snapshot = look();
    let own = snapshot.by_pid(std::process::id().cast_signed()).unwrap();
    assert_eq!(snapshot.observer.pid, Some(own.pid));
    assert_eq!(Some(&snapshot.observer.comm), own.comm.value());
    assert_eq!(
        snapshot.observer.exe.as_ref(),
        own.exe.value().unwrap().file.value()
    );
    assert_eq!(
        snapshot.observer.ancestors.first(),
        Some(&own.stat.value().unwrap().ppid)
    );
    assert!(!snapshot.observer.ancestors.contains(&0));
    assert!(snapshot.host.boot_id.as_ref().is_some_and(|id| id.len() == 36));
    assert!(Procfs::at("/proc".into()).is_live());
    assert!(!Procfs::at("/proc/self".into()).is_live());
}

#[test]
fn a_hostile_name_stays_in_its_field() {
    // A shell may name itself while it does not exec; `read` keeps it waiting.
    let name = b"x) R 1 (\n\x1b[2J\xff";
    let script = r"printf 'x) R 1 (\n\033[2J\377' > /proc/$$/comm; read wait";
    let child = Owned::spawn(Command::new("sh").args(["-c", script]));
    let process = child.until(|process| process.comm == Fact::Value(name.to_vec()));
    assert_eq!(process.stat.value().unwrap().comm, name);
    assert_eq!(
        process.stat.value().unwrap().ppid,
        std::process::id().cast_signed()
    );
    assert_eq!(
        process.status.value().unwrap().uid[1],
        rustix::process::geteuid().as_raw()
    );
}

#[test]
fn a_process_that_keeps_changing_is_never_put_together_from_two_moments() {
    let script = "while :; do echo one > /proc/$$/comm; echo two > /proc/$$/comm; done";
    let child = Owned::spawn(Command::new("sh").args(["-c", script]));
    for _ in 0..20 {
        let snapshot = look();
        let process = snapshot.by_pid(child.pid()).unwrap();
        match &process.comm {
            Fact::Value(comm) => assert_eq!(*comm, process.stat.value().unwrap().comm),
            other => assert_eq!(*other, Fact::Unreadable(Why::Torn)),
        }
    }
}

#[test]
fn a_zombie_has_no_program_arguments_or_descriptors() {
    let child = Owned::spawn(&mut Command::new("true"));
    let process = child.until(|process| process.stat.value().is_some_and(|stat| stat.is_zombie()));
    let process = look().by_pid(process.pid).cloned().unwrap();
    assert_eq!(process.exe, Fact::NotApplicable);
    assert_eq!(process.cmdline, Fact::NotApplicable);
    assert_eq!(process.fds, Fact::NotApplicable);
    assert!(process.comm.value().is_some());
}

#[test]
fn a_kernel_thread_has_no_program_or_arguments() {
    let kthreadd = read_all(2)
        .ok()
        .filter(|p| p.stat.value().is_some_and(crate::snapshot::Stat::is_kthread));
    let Some(process) = kthreadd else {
        return skipped("PID 2 is no kernel thread in this PID namespace");
    };
    assert_eq!(process.exe, Fact::NotApplicable);
    assert_eq!(process.cmdline, Fact::NotApplicable);
    assert_eq!(process.fds, Fact::NotApplicable);
    assert_eq!(process.status.value().unwrap().vm_swap, None);
}

#[test]
fn a_deleted_program_is_told_by_its_link_count_and_a_replaced_one_by_its_path() {
    let dir = tempfile::tempdir().unwrap();
    // A name that looks deleted, and a path longer than the first buffer of readlink.
    let deep = dir.path().join("d".repeat(200)).join("e".repeat(200));
    std::fs::create_dir_all(&deep).unwrap();
    let program = deep.join("sleep (deleted)");
    std::fs::copy("/bin/sleep", &program).unwrap();
    let child = Owned::spawn(Command::new(&program).arg("86398"));
    let exe_of = |process: &Process| process.exe.value().cloned().unwrap();
    let here = child.until(|process| {
        process
            .exe
            .value()
            .is_some_and(|exe| exe.text.ends_with(b"(deleted)"))
    });
    let own = program.as_os_str().as_encoded_bytes();
    assert_eq!(
        (exe_of(&here).is_deleted(), exe_of(&here).path()),
        (Some(false), own)
    );

    std::fs::remove_file(&program).unwrap();
    let gone = exe_of(&read_all(child.pid()).unwrap());
    assert_eq!(
        (gone.is_deleted(), gone.path(), gone.path_exists),
        (Some(true), own, Some(false))
    );
    std::fs::copy("/bin/true", &program).unwrap();
    let replaced = exe_of(&read_all(child.pid()).unwrap());
    assert_eq!(
        (replaced.is_deleted(), replaced.path_exists),
        (Some(true), Some(true))
    );
}

#[test]
fn a_command_line_beyond_the_limit_is_partly_read() {
    let child = Owned::spawn(
        Command::new("sleep")
            .arg("86397")
            .arg("0".repeat(100_000))
            .arg("0".repeat(100_000)),
    );
    let cmdline = child
        .until(|process| process.cmdline.value().is_some_and(|c| c.truncated))
        .cmdline;
    let cmdline = cmdline.value().unwrap();
    assert_eq!(cmdline.arguments.len(), 4);
    assert_eq!(
        cmdline.arguments.iter().map(Vec::len).sum::<usize>() + 3,
        128 << 10
    );
}

#[test]
fn an_open_directory_shows_no_other_process_when_the_pid_is_given_again() {
    if !rustix::process::geteuid().is_root() {
        return skipped("giving a PID again needs root");
    }
    let mut old = Owned::sleep();
    let pid = old.pid();
    let dir = ProcessDir::open(proc_of(&proc()), pid).unwrap();
    assert!(read_below(&dir, pid).is_ok());
    old.0.kill().unwrap();
    assert_eq!(old.0.wait().unwrap().signal(), Some(9));
    shows_nothing_of(&dir, pid, "a dead process");
    for _ in 0..200 {
        // Other tests fork too: the next PID is ours only most of the time.
        if std::fs::write("/proc/sys/kernel/ns_last_pid", (pid - 1).to_string()).is_err() {
            return skipped("/proc/sys/kernel/ns_last_pid cannot be written");
        }
        let new = Owned::spawn(Command::new("sleep").arg("86396"));
        if new.pid() != pid {
            continue;
        }
        new.until(|process| process.comm == Fact::Value(b"sleep".to_vec()));
        shows_nothing_of(&dir, pid, "another process");
        return;
    }
    skipped("the PID was not given again in 200 tries");
}

fn shows_nothing_of(dir: &ProcessDir, pid: i32, whom: &str) {
    for file in File::ALL {
        let mut process = Process {
            pid,
            ..Process::default()
        };
        assert_eq!(dir.read(file, &mut process), Err(Vanished), "{file:?} of {whom}");
    }
}

/// A copy of /proc with these processes: PID, comm, parent.
fn tree(processes: &[(i32, &str, i32)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (pid, comm, ppid) in processes {
        let dir = root.path().join(pid.to_string());
        std::fs::create_dir(&dir).unwrap();
        let stat = format!(
            "{pid} ({comm}) S {ppid} {pid} {pid} 0 -1 4194560 5 0 0 0 1 2 0 0 20 0 1 0 {pid} 4096 1\n"
        );
        let status = "Uid:\t5\t5\t5\t5\nGid:\t6\t6\t6\t6\nGroups:\t\n";
        let files = [
            ("stat", stat),
            ("comm", format!("{comm}\n")),
            ("status", status.to_owned()),
            ("cmdline", format!("{comm}\0-x\0")),
            ("loginuid", u32::MAX.to_string()),
        ];
        for (name, text) in files {
            std::fs::write(dir.join(name), text).unwrap();
        }
        std::os::unix::fs::symlink("/bin/sleep", dir.join("exe")).unwrap();
    }
    root
}

#[test]
fn the_live_host_has_one_module_or_none_for_all() {
    let snapshot = look();
    let known = Procfs::live().security_module().unwrap();
    assert_eq!(snapshot.security_module(), Ok(known.clone()));
    for process in &snapshot.processes {
        match &process.label {
            Fact::Value(label) => assert_eq!(Some(&label.module), known.as_ref()),
            Fact::Unreadable(Why::NoModule) => assert_eq!(known, None),
            Fact::Unreadable(Why::Denied) => {}
            other => panic!("label of {}: {other:?}", process.pid),
        }
    }
}

#[test]
fn a_proc_file_system_without_process_1_hides_something() {
    let own = std::process::id().cast_signed();
    let gaps = Procfs::live().gaps(&proc(), Some(ProcMount::default()), &[own]);
    assert_eq!(gaps, [Gap::NoInit("/proc".into())]);
    assert!(gaps[0].hides());
    assert_eq!(
        Procfs::live().gaps(&proc(), Some(ProcMount::default()), &[1, own]),
        []
    );
}

#[test]
fn a_file_is_read_up_to_its_limit_and_links_are_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("f"), vec![b'x'; 10_000]).unwrap();
    std::os::unix::fs::symlink("f", dir.path().join("l")).unwrap();
    let fd = open(dir.path(), OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).unwrap();
    let read = |name, limit| whole(&fd, name, limit).map(|(bytes, more)| (bytes.len(), more));
    assert_eq!(read("f", 10_000), Ok((10_000, false)));
    assert_eq!(read("f", 9_999), Ok((9_999, true)));
    assert_eq!(read("f", 1 << 20), Ok((10_000, false)));
    assert_eq!(read("l", 10_000), Err(rustix::io::Errno::LOOP));
}

/// The clocks of this process at a look for this spec, an hour after the process was born as far as the look knows.
fn clock_at(spec: &str, pid: i32) -> crate::snapshot::Clock {
    let host = crate::testing::host(Vec::new());
    let check = crate::testing::check(spec, &host);
    let plan = Plan::deciding(vec![check.wanted()]);
    let first = Procfs::live().snapshot(&plan);
    let second = Procfs::live().snapshot_after(&plan, first.clocks);
    let start = read_all(pid).unwrap().stat.value().unwrap().starttime;
    second.clocks.unwrap().get(pid, start).unwrap().clone()
}

#[test]
fn the_next_look_knows_how_long_the_threads_of_a_dismissed_process_waited() {
    let child = Owned::sleep();
    for spec in ["cpu.demand>90%:0", "cpu>90%:0", "nosuch,cpu>90%:0"] {
        let clock = clock_at(spec, child.pid());
        let threads = clock.sched.unwrap().threads;
        assert_eq!(threads.len(), 1, "{spec}");
        assert_eq!(threads[0].tid, child.pid());
        assert!(threads[0].run > 0);
    }
}

#[test]
fn threads_are_no_processes_among_the_clocks() {
    let own = std::process::id().cast_signed();
    let parent = std::os::unix::process::parent_id().cast_signed();
    let host = crate::testing::host(Vec::new());
    let plan = Plan::deciding(vec![crate::testing::check("cpu>90%:0", &host).wanted()]);
    // Threads born while /proc is read are found by their ids; these end with the receiver.
    let (ask, asked) = std::sync::mpsc::sync_channel::<()>(0);
    std::thread::spawn(move || {
        while asked.try_recv() != Err(std::sync::mpsc::TryRecvError::Disconnected) {
            let _ = std::thread::spawn(|| std::thread::sleep(Duration::from_millis(5))).join();
        }
    });
    for _ in 0..10 {
        let clocks = Procfs::live().snapshot(&plan).clocks.unwrap().clocks;
        let listed = listed();
        let like_us = clocks
            .iter()
            .filter(|clock| clock.ppid == parent && clock.pid != own);
        let strange: Vec<i32> = like_us
            .map(|clock| clock.pid)
            .filter(|pid| !listed.contains(pid))
            .collect();
        assert!(strange.is_empty(), "{strange:?}");
    }
    drop(ask);
}

/// The PIDs that /proc lists; those of threads are not among them.
fn listed() -> Vec<i32> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

#[test]
fn what_is_remembered_is_of_one_boot_and_of_namespaces_with_these_clocks() {
    let link =
        |kind| std::fs::read_link(format!("/proc/self/ns/{kind}")).map(|link| link.display().to_string());
    let text = |path| std::fs::read_to_string(path).unwrap_or_default();
    let words = [
        text("/proc/sys/kernel/random/boot_id"),
        link("pid").unwrap(),
        link("time").unwrap_or_default(),
        text("/proc/self/timens_offsets"),
    ];
    let wanted: Vec<String> = words.join(" ").split_whitespace().map(str::to_owned).collect();
    assert_eq!(
        Procfs::live()
            .view()
            .unwrap()
            .split_whitespace()
            .collect::<Vec<_>>(),
        wanted
    );
}
