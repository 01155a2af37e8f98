//! procward load: what is too high, and who is to blame.

use crate::common::{Output, Place, Procward, command, is_root, need, output, spawn, unique, wait_for};
use crate::process::Live;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

const FORMATS: [&str; 4] = ["human", "mon", "nagios", "json"];

/// A host as a copied tree: `etc`, `proc` and `sys`.
struct Host(Place);

impl Host {
    fn new(loadavg: &str) -> Host {
        let host = Host(Place::new());
        host.write(
            "etc/passwd",
            &format!("tester:x:{}:0::/:/bin/sh\n", rustix::process::geteuid().as_raw()),
        );
        host.write("proc/loadavg", loadavg);
        host.write(
            "proc/meminfo",
            "MemTotal:       1048576 kB\nMemFree:          1024 kB\nMemAvailable:   131072 kB\n\
             SwapTotal:       524288 kB\nSwapFree:        524288 kB\n",
        );
        host
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn proc(&self) -> PathBuf {
        self.path("proc")
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// A process with these threads, given by their states; the first is its own.
    fn process(&self, pid: i32, comm: &str, program: Option<&str>, states: &str, pages: u64) {
        let of = |id: i32, state: char| {
            format!(
                "{id} ({comm}) {state} 1 {pid} {pid} 0 -1 4194560 5 0 0 0 1 2 0 0 20 0 {} 0 \
                 99999999999 8192000 {pages} 18446744073709551615\n",
                states.len()
            )
        };
        for (id, state) in (pid..).zip(states.chars()) {
            self.write(&format!("proc/{pid}/task/{id}/stat"), &of(id, state));
            self.write(&format!("proc/{pid}/task/{id}/wchan"), "io_schedule");
        }
        self.write(
            &format!("proc/{pid}/stat"),
            &of(pid, states.chars().next().unwrap()),
        );
        self.write(&format!("proc/{pid}/wchan"), "rpc_wait_bit_killable");
        self.write(&format!("proc/{pid}/cgroup"), "0::/system.slice/x.service\n");
        if let Some(program) = program {
            symlink(program, self.path(&format!("proc/{pid}/exe"))).unwrap();
        }
    }

    fn pressure(&self, name: &str, avg10: &str) {
        self.write(
            name,
            &format!(
                "some avg10={avg10} avg60=0.50 avg300=0.25 total=7\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
            ),
        );
    }

    fn load(&self, arguments: &[&str]) -> Output {
        Procward::new()
            .arg("load")
            .arg("--proc")
            .arg(self.proc())
            .args(arguments)
            .run()
    }
}

/// A host in trouble, with names that mean no good.
fn trouble() -> Host {
    let host = Host::new("9.50 3.00 0.50 2/345 6789\n");
    host.process(1, "init", Some("/sbin/init"), "S", 10);
    host.process(20, "one\u{1b}[31m|x", None, "D", 10);
    host.process(30, "many", Some("/usr/bin/many\nCRITICAL|x"), "SDDS", 10);
    host.process(40, "big", Some("/usr/bin/big"), "S", 26_215);
    for (resource, avg10) in [("cpu", "81.25"), ("io", "2.00"), ("memory", "0.00")] {
        host.pressure(&format!("proc/pressure/{resource}"), avg10);
        for (cgroup, part) in [
            ("system.slice", avg10),
            ("system.slice/x.service", avg10),
            ("calm.slice", "0.00"),
        ] {
            host.pressure(&format!("sys/fs/cgroup/{cgroup}/{resource}.pressure"), part);
        }
    }
    // Below a cgroup where nobody waits nobody is looked for.
    host.pressure("sys/fs/cgroup/calm.slice/y.service/cpu.pressure", "99.00");
    host
}

const DETAILS: &str =
    "load: 9.50 3.00 0.50 over 1, 5 and 15 minutes; want at most 4 3 2, too high: load1; 2 of 345 \
tasks run or wait for a core now
memory: 87.5% of 1.0 GiB in use; want at most 90%
in state D (uninterruptible sleep, which counts as load): 3 tasks in 2 processes; 2 at io_schedule, 1 at \
rpc_wait_bit_killable
  pid 30 /usr/bin/many\\nCRITICAL¦x (tester, x.service): 2 of 4 threads, at io_schedule
  pid 20 one\\x1b[31m¦x (tester, x.service): at rpc_wait_bit_killable
most CPU: not told, for a copied /proc or a snapshot is one look
most memory (resident):
  10.0% 102.4 MiB pid 40 /usr/bin/big (tester, x.service)
pressure, part of the time in which some task waited, over 10, 60 and 300 s:
  cpu 81.2% 0.5% 0.2%
  io 2.0% 0.5% 0.2%
  memory 0.0% 0.5% 0.2%
pressure by cgroup, over 10 s:
  cpu 81.2% /system.slice/x.service
  io 2.0% /system.slice/x.service
";

#[test]
fn a_load_that_is_too_high_names_who_is_to_blame_in_every_format() {
    let host = trouble();
    let view = format!(
        "incomplete view of the processes: {} is not this host's own /proc: nothing is said of processes outside it\n",
        host.proc().display()
    );
    let run = |format: &str| {
        host.load(&["4", "3", "2", "--memory", "90%", "--format", format])
            .ends(2)
    };
    let details = format!("{DETAILS}{view}");
    assert_eq!(run("mon").stdout(), format!("CRITICAL: load high\n{details}"));
    let bars = details.replace('¦', "|");
    assert_eq!(run("human").stdout(), format!("CRITICAL: load high\n\n{bars}"));
    let data = "load1=9.50;;4;0 load5=3.00;;3;0 load15=0.50;;2;0 memory=87.5%;;90;0;100";
    assert_eq!(
        run("nagios").stdout(),
        format!("LOAD CRITICAL: load high | {data}\n{details}")
    );
    let json = run("json").json();
    assert_eq!(json["load"]["high"], serde_json::json!([true, false, false]));
    let blocked = &json["blame"]["blocked"];
    assert_eq!(blocked["processes"][0]["process"]["pid"], 30);
    assert_eq!(
        blocked["processes"][0]["channels"],
        serde_json::json!(["io_schedule"])
    );
    assert_eq!(json["blame"]["window_seconds"], serde_json::Value::Null);
    assert_eq!(
        json["blame"]["cgroups"],
        serde_json::json!([
            {"cgroup": "/system.slice/x.service", "resource": "cpu", "avg10": 81.25},
            {"cgroup": "/system.slice/x.service", "resource": "io", "avg10": 2.0},
        ])
    );
}

#[test]
fn what_is_within_its_limits_is_ok_and_blames_nobody() {
    let host = trouble();
    for (arguments, line) in [
        (&["9.5", "3", "0.5"][..], "OK: load within limits"),
        (
            &["10", "10", "10", "--memory", "87.5"],
            "OK: load, memory within limits",
        ),
    ] {
        let said = host.load(arguments).ends(0);
        assert_eq!(said.first_line(), line);
        assert!(!said.stdout().contains("state D"), "{}", said.stdout());
    }
    let json = host.load(&["10", "10", "10", "--format", "json"]).ends(0).json();
    assert_eq!(
        (&json["state"], &json["memory"], &json["blame"]),
        (&"OK".into(), &serde_json::Value::Null, &serde_json::Value::Null)
    );
}

#[test]
fn more_threads_than_are_looked_at_are_told_and_blind_nobody_else() {
    let host = Host::new("9.50 3.00 0.50 2/345 6789\n");
    host.process(30, "many", None, "SD", 1);
    let stat = std::fs::read_to_string(host.path("proc/30/stat")).unwrap();
    host.process(40, "other", None, "SD", 1);
    host.write(
        "proc/30/stat",
        &stat.replace(" 0 0 20 0 2 0 ", " 0 0 20 0 20001 0 "),
    );
    let said = host.load(&["4", "3", "2"]).ends(2);
    said.says("\n  pid 40 other (tester, x.service): 1 of 2 threads, at io_schedule\n")
        .says("\n  there are too many threads to look at all of them\n");
}

#[test]
fn memory_alone_may_be_too_high() {
    let said = trouble().load(&["10", "10", "10", "--memory", "87.4%"]).ends(2);
    assert_eq!(said.first_line(), "CRITICAL: memory high");
    said.says("memory: 87.5% of 1.0 GiB in use; want at most 87.4%\n");
}

#[test]
fn what_cannot_be_read_is_unknown_in_every_format() {
    for (name, text, why) in [
        ("loadavg", None, "No such file or directory"),
        ("loadavg", Some(""), "malformed"),
        ("loadavg", Some("1.0 2.0\n"), "malformed"),
        ("loadavg", Some("-1 nan inf 1/2 3\n"), "malformed"),
        ("meminfo", None, "No such file or directory"),
        ("meminfo", Some("MemTotal: 7 kB\n"), "malformed"),
        (
            "meminfo",
            Some("MemTotal: 0 kB\nMemAvailable: 0 kB\n"),
            "malformed",
        ),
    ] {
        let host = Host::new("0.00 0.00 0.00 1/2 3\n");
        host.process(1, "init", None, "S", 1);
        match text {
            Some(text) => host.write(&format!("proc/{name}"), text),
            None => std::fs::remove_file(host.path(&format!("proc/{name}"))).unwrap(),
        }
        for format in FORMATS {
            let said = host
                .load(&["99", "99", "99", "--memory", "99", "--format", format])
                .ends(3);
            let part = if name == "loadavg" { "load" } else { "memory" };
            if format == "json" {
                assert_eq!(said.json()["state"], "UNKNOWN");
                assert_eq!(said.json()[part]["state"], "UNKNOWN");
            } else {
                let line = said.first_line();
                assert!(
                    line.ends_with(&format!("UNKNOWN: {part} unseen")) || line.contains(" unseen |"),
                    "{line}"
                );
                said.says(&format!("  why: {name}: {why}"));
            }
        }
    }
}

#[test]
fn a_proc_that_shows_only_processes_is_unknown_and_never_ok() {
    need!(
        is_root() && output(command("unshare").args(["-mpf", "--mount-proc", "true"])).code() == Some(0),
        "proc can't be mounted"
    );
    let place = Place::new();
    let runs = [
        (place.link("loadavg.monitor"), "99 99 99 99"),
        (place.procward(), "load 99 99 99"),
    ];
    for (program, arguments) in runs {
        let script = format!(
            "mount -t proc -o subset=pid proc /proc || exit 77; exec {} {arguments}",
            program.display()
        );
        let said = output(command("unshare").args(["-mpf", "--kill-child", "sh", "-c", &script])).ends(3);
        assert!(
            said.first_line().starts_with("UNKNOWN: load unseen"),
            "{}",
            said.stdout()
        );
        said.says("  remedy: look at a proc file system that shows more than processes: one mounted with subset=pid");
    }
}

fn fifo(path: &Path) {
    rustix::fs::mknodat(
        rustix::fs::CWD,
        path,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o644),
        0,
    )
    .unwrap();
}

#[test]
fn a_file_that_does_not_answer_is_unknown_in_time() {
    let host = Host::new("");
    std::fs::remove_file(host.path("proc/loadavg")).unwrap();
    fifo(&host.path("proc/loadavg"));
    let start = Instant::now();
    let said = host.load(&["99", "99", "99", "--format", "mon"]).ends(3);
    assert!(start.elapsed() < Duration::from_secs(8));
    assert_eq!(
        said.stdout(),
        "UNKNOWN: load unseen\nload: can't be told; want at most 99 99 99\n  why: loadavg: no answer\n\
         \x20 remedy: look at who serves the file: lxcfs in a container\n"
    );
}

#[test]
fn what_does_not_answer_while_blame_is_looked_for_changes_no_verdict() {
    let host = trouble();
    std::fs::remove_file(host.path("proc/pressure/io")).unwrap();
    fifo(&host.path("proc/pressure/io"));
    let said = host.load(&["4", "3", "2", "--format", "mon"]).ends(2);
    assert_eq!(said.first_line(), "CRITICAL: load high");
    said.says("\n  cpu 81.2% 0.5% 0.2%\n  io: not told: no answer\n");
}

/// The worker of a run, once it waits for its second look.
fn sleeping_child(parent: u32) -> Option<()> {
    let child = format!(" {parent} ");
    let all = std::fs::read_dir("/proc").ok()?.flatten();
    let is_child = |path: &Path| {
        let stat = std::fs::read_to_string(path.join("stat")).unwrap_or_default();
        stat.rsplit_once(") S")
            .is_some_and(|(_, rest)| rest.starts_with(&child))
    };
    let channel = |path: PathBuf| std::fs::read_to_string(path.join("wchan")).ok();
    let worker = all.map(|entry| entry.path()).find(|path| is_child(path))?;
    channel(worker)
        .filter(|channel| channel.contains("nanosleep"))
        .map(|_| ())
}

#[test]
fn a_run_that_is_ended_keeps_the_failure_that_it_knows() {
    let place = Place::new();
    let runs = [
        (
            place.procward(),
            vec!["load", "--format", "mon", "999", "999", "999", "--memory", "0"],
            2,
        ),
        (place.link("loadavg.monitor"), vec!["999", "999", "999", "-1"], 1),
    ];
    for (program, arguments, code) in runs {
        let mut command = command(&program);
        let child = spawn(
            command
                .args(arguments)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped()),
        );
        wait_for("the time between two looks", 20, || sleeping_child(child.id()));
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let said = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        assert_eq!(said.status.code(), Some(code), "{text}");
        assert!(text.starts_with("CRITICAL: memory"), "{text}");
        assert!(text.ends_with("ended by SIGTERM\n"), "{text}");
    }
}

#[test]
fn a_short_timeout_is_kept_and_blames_all_the_same() {
    let start = Instant::now();
    let said = Procward::new()
        .args(["load", "999", "999", "999", "--memory", "0", "--timeout", "1s"])
        .run()
        .ends(2);
    assert!(start.elapsed() < Duration::from_secs(3));
    assert_eq!(said.first_line(), "CRITICAL: memory high");
}

#[test]
fn a_snapshot_keeps_the_load() {
    let place = Place::new();
    let file = place.path().join("snapshot");
    Procward::new().args(["snapshot", "-o"]).arg(&file).run().ends(0);
    let run = |arguments: &[&str]| {
        Procward::new()
            .args(["load", "--format", "mon", "--snapshot"])
            .arg(&file)
            .args(arguments)
            .run()
    };
    let first = run(&["9999", "9999", "9999", "--memory", "100"]).ends(0).stdout();
    assert_eq!(
        first,
        run(&["9999", "9999", "9999", "--memory", "100"]).ends(0).stdout()
    );
    run(&["9999", "9999", "9999", "--memory", "0"])
        .ends(2)
        .says("most CPU: not told, for a copied /proc or a snapshot is one look\n");
    // A snapshot of an older procward.
    let mut saved: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    saved["snapshot"].as_object_mut().unwrap().remove("gauges");
    std::fs::write(&file, saved.to_string()).unwrap();
    run(&["9999", "9999", "9999"])
        .ends(3)
        .says("UNKNOWN: load unseen\n")
        .says("why: loadavg: not in the snapshot\n");
}

/// A process of which one thread is in state D: it waits in vfork(2) for its child, which waits for the end of its
/// standard input. The child must not wait for the interpreter's lock, which another thread may have been given by then:
/// PyDLL keeps it.
fn in_state_d(place: &Place, name: &str, thread: bool) -> Live {
    let program = place.script(
        name,
        &format!(
            "#!/usr/bin/python3\nimport ctypes,os,platform,sys,threading\n\
             number={{'x86_64':56,'aarch64':220}}[platform.machine()]\n\
             def wait():\n\
             \x20if ctypes.PyDLL(None).syscall(number,0x4000|17,0,0,0,0)==0:\n\
             \x20 sys.stdin.read();os._exit(0)\n\
             {}\n",
            if thread {
                "t=threading.Thread(target=wait);t.start();t.join()"
            } else {
                "wait()"
            }
        ),
    );
    let live = Live::run(&mut command(program), name);
    wait_for("state D", 10, || {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", live.pid())).ok()?;
        let stats = tasks
            .flatten()
            .filter_map(|task| std::fs::read_to_string(task.path().join("stat")).ok());
        stats.into_iter().find(|stat| stat.contains(") D "))
    });
    live
}

/// Memory over 0 % is always too high: whatever the load of this host, somebody is looked for.
const ALWAYS: [&str; 8] = ["load", "--format", "mon", "9999", "9999", "9999", "--memory", "0"];

fn line_of(said: &Output, pid: u32) -> Option<String> {
    let start = format!("  pid {pid} ");
    let text = said.stdout();
    text.lines()
        .find(|line| line.starts_with(&start))
        .map(str::to_owned)
}

#[test]
fn who_sleeps_in_state_d_is_told_with_its_wait_channel() {
    need!(Path::new("/usr/bin/python3").exists(), "python3 is not installed");
    let place = Place::new();
    let one = in_state_d(&place, &unique("one"), false);
    let thread = in_state_d(&place, &unique("thr"), true);
    let said = Procward::new().args(ALWAYS).run().ends(2);
    let channel = std::fs::read_to_string(format!("/proc/{}/wchan", one.pid())).unwrap();
    assert_ne!(channel, "0");
    let line = line_of(&said, one.pid()).expect("the process");
    assert!(line.ends_with(&format!("): at {channel}")), "{line}");
    let line = line_of(&said, thread.pid()).expect("the thread");
    assert!(
        line.ends_with(&format!("): 1 of 2 threads, at {channel}")),
        "{line}"
    );
    assert!(!said.stdout().contains("CAP_SYS_PTRACE"), "{}", said.stdout());
}

#[test]
fn who_may_not_see_a_wait_channel_is_told_so() {
    need!(Path::new("/usr/bin/python3").exists(), "python3 is not installed");
    need!(is_root(), "only root can become nobody");
    let place = Place::new();
    let one = in_state_d(&place, &unique("hid"), false);
    let said = Procward::new().user("nobody").args(ALWAYS).run().ends(2);
    let line = line_of(&said, one.pid()).expect("the process");
    assert!(line.ends_with("): at a hidden wait channel"), "{line}");
    said.says("\n  wait channels of others' processes are shown to root and to CAP_SYS_PTRACE\n");
}

/// Runs on a core until it is killed, or this test is.
fn burner(place: &Place, name: &str) -> Live {
    let program = place.script(
        name,
        "#!/usr/bin/python3\nimport os\nparent=os.getppid()\nwhile os.getppid()==parent: pass\n",
    );
    let live = Live::run(&mut command(program), name);
    if is_root() {
        let pid = i32::try_from(live.pid())
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        rustix::process::setpriority_process(pid, -10).unwrap();
    }
    live
}

#[test]
fn who_burns_cpu_is_told() {
    need!(Path::new("/usr/bin/python3").exists(), "python3 is not installed");
    let place = Place::new();
    let burner = burner(&place, &unique("burn"));
    let words = format!("pid {} /usr/bin/python3", burner.pid());
    // On a crowded host it may get less than 5 % now and then.
    let line = wait_for("its share", 60, || {
        let text = Procward::new().args(ALWAYS).run().ends(2).stdout();
        let (_, cpu) = text.split_once("most CPU over ").expect("a section");
        let (cpu, _) = cpu.split_once("most memory").expect("a section");
        cpu.lines().find(|line| line.contains(&words)).map(str::to_owned)
    });
    let share = line.trim_start().split_once('%').expect("a share").0;
    assert!(share.parse::<f64>().expect("a number") >= 5.0, "{line}");
}

#[test]
fn the_cgroup_that_waits_is_told() {
    need!(is_root(), "only root can make a cgroup");
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let root = mounts
        .lines()
        .find(|line| line.contains(" - cgroup2 "))
        .and_then(|line| line.split(' ').nth(4));
    let Some(root) = root.filter(|root| Path::new(root).join("cgroup.procs").exists()) else {
        return crate::common::skip("no cgroup2 file system is mounted");
    };
    let name = unique("cg");
    let cgroup = Path::new(root).join(&name);
    std::fs::create_dir(&cgroup).unwrap();
    let _gone = Gone(cgroup.clone());
    need!(
        cgroup.join("cpu.pressure").exists(),
        "the kernel tells no pressure"
    );
    let place = Place::new();
    let cores = std::thread::available_parallelism().unwrap().get();
    let burners: Vec<Live> = (0..=cores).map(|_| burner(&place, &unique("psi"))).collect();
    for burner in &burners {
        std::fs::write(cgroup.join("cgroup.procs"), burner.pid().to_string()).unwrap();
    }
    let line = wait_for("its pressure", 60, || {
        let text = Procward::new().args(ALWAYS).run().ends(2).stdout();
        let (_, cgroups) = text.split_once("pressure by cgroup").expect("a section");
        cgroups
            .lines()
            .find(|line| line.ends_with(&format!("/{name}")))
            .map(str::to_owned)
    });
    assert!(line.starts_with("  cpu "), "{line}");
    drop(burners);
}

/// A cgroup; it can be removed once its processes are.
struct Gone(PathBuf);

impl Drop for Gone {
    fn drop(&mut self) {
        let end = Instant::now() + Duration::from_secs(5);
        while std::fs::remove_dir(&self.0).is_err() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn the_commands_of_the_documentation_are_valid() {
    use clap::Parser;
    let text = crate::docs::document("docs/load.md");
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("procward load "))
        .collect();
    assert_eq!(lines.len(), 2);
    for line in lines {
        let words = line.split('#').next().unwrap_or_default().split_whitespace();
        assert!(
            procward::cli::arguments::Arguments::try_parse_from(words).is_ok(),
            "{line}"
        );
    }
}
