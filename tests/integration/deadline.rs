//! A verdict comes in time whatever hangs, with file servers that do not answer (tests/hang): each in namespaces of its
//! own, and freed with its test.

use crate::common::{Output, Place, Procward, command, is_root, need, output, spawn, unique, wait_for};
use crate::mon_daemon::{Daemon, MON};
use crate::process::{Live, pids_of};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const BINARY: &str = env!("CARGO_BIN_EXE_procward");
const NOBODY: u32 = 65534;

/// What can hang needs root and FUSE.
macro_rules! need_fuse {
    () => {
        need!(is_root(), "only root can mount");
        need!(Path::new("/dev/fuse").exists(), "there is no /dev/fuse");
    };
}

/// A program of tests/hang, below `place`.
fn program(place: &Place, name: &str) -> PathBuf {
    let program = place.path().join(name);
    let source = format!("{}/tests/hang/{name}.c", env!("CARGO_MANIFEST_DIR"));
    let mut compiler = command("cc");
    compiler
        .args(["-O1", "-Wall", "-Wextra", "-Werror", "-o"])
        .arg(&program)
        .arg(source);
    output(&mut compiler).ends(0);
    program
}

/// A file server that does not answer, PID 1 of a namespace of its own. When it is dropped, what waits for it is freed,
/// and what lives there ends.
struct Silent {
    unshare: Child,
    pid: u32,
    mount: PathBuf,
    place: Place,
}

impl Silent {
    /// `what` it does not answer, and what its file holds.
    fn start(what: &str, content: Option<&str>) -> Silent {
        let place = Place::new();
        let mount = place.directory("silent-files");
        let mut command = command("unshare");
        command
            .args(["-mpf", "--mount-proc", "--kill-child"])
            .arg(program(&place, "silent"))
            .arg(&mount)
            .arg(what)
            .args(content);
        let mut unshare = spawn(command.stdin(Stdio::piped()).stdout(Stdio::piped()));
        let mut line = String::new();
        BufReader::new(unshare.stdout.take().expect("its output"))
            .read_line(&mut line)
            .expect("a line");
        let pid = children(unshare.id()).first().copied().unwrap_or(0);
        let silent = Silent {
            unshare,
            pid,
            mount,
            place,
        };
        assert_eq!((line.as_str(), pid > 0), ("ready\n", true));
        silent
    }

    /// What leads into its namespaces.
    fn enter(&self) -> Vec<String> {
        let pid = self.pid.to_string();
        ["nsenter", "-m", "-p", "-t", &pid].map(str::to_owned).to_vec()
    }

    fn within(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = command("nsenter");
        command.args(&self.enter()[1..]).arg(program);
        command
    }

    fn path(&self, name: &str) -> String {
        self.mount.join(name).display().to_string()
    }

    /// Starts processes of this name that sleep so many seconds, and gives their PIDs as this host numbers them.
    fn live(&self, name: &str, count: usize, user: u32, seconds: &str) -> Vec<u32> {
        let program = self.place.copy("/bin/sleep", name);
        for _ in 0..count {
            let mut command = self.within("setpriv");
            command.args([&format!("--reuid={user}"), "--clear-groups"]);
            Hanging::start(command.arg(&program).arg(seconds));
        }
        wait_for(name, 20, || {
            Some(pids_of(name.as_bytes())).filter(|pids| pids.len() == count)
        })
    }

    /// Mounts its file over others.
    fn cover(&self, targets: &[String]) {
        let script = "file=$1; shift; for target; do mount --bind \"$file\" \"$target\" || exit 1; done";
        let mut command = self.within("sh");
        let file = self.path("f");
        output(command.args(["-c", script, "sh", &file]).args(targets)).ends(0);
    }

    /// Processes whose arguments nobody delivers; gives the PIDs of both sides.
    fn mute(&self, name: &str, count: usize, user: u32) -> Vec<Mute> {
        let there = |pid: u32| Mute { pid: inner(pid) };
        let mute: Vec<Mute> = self
            .live(name, count, user, "86399")
            .into_iter()
            .map(there)
            .collect();
        self.cover(&mute.iter().map(Mute::cmdline).collect::<Vec<_>>());
        mute
    }

    /// procward by a name of its own, in these namespaces.
    fn procward(&self, name: &str) -> Procward {
        Procward::at(&self.place.copy(BINARY, name)).within(self.enter())
    }

    /// The verdicts of a run there.
    fn check(&self, name: &str, specs: &[String]) -> Checked {
        let arguments = ["check", "--recheck", "0", "--format", "json"];
        Checked::run(self.procward(name).args(arguments).args(specs))
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        let _ = self.unshare.kill();
        let _ = self.unshare.wait();
    }
}

/// A process whose arguments nobody delivers, by its PID in the namespace.
struct Mute {
    pid: u32,
}

impl Mute {
    fn cmdline(&self) -> String {
        format!("/proc/{}/cmdline", self.pid)
    }

    fn doubt(&self) -> String {
        format!("arg: no answer from {}", self.cmdline())
    }
}

/// The PID of a process in its own namespace.
fn inner(pid: u32) -> u32 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    let last = numbers.and_then(|numbers| numbers.split_whitespace().last());
    last.and_then(|pid| pid.parse().ok())
        .expect("a PID in its namespace")
}

/// A command that hangs for as long as its server is silent. It is not waited for: the server may outlive it.
struct Hanging(Child);

impl Hanging {
    fn start(command: &mut Command) -> Hanging {
        Hanging(spawn(command.stdout(Stdio::null()).stderr(Stdio::null())))
    }

    fn has_ended(&mut self) -> bool {
        self.0.try_wait().expect("its status").is_some()
    }
}

/// What a run said as JSON, and how long it took.
struct Checked {
    code: Option<i32>,
    report: Value,
    took: Duration,
}

impl Checked {
    fn run(procward: Procward) -> Checked {
        let began = Instant::now();
        let output = procward.run();
        Checked {
            took: began.elapsed(),
            code: output.code(),
            report: output.json(),
        }
    }

    /// Ended so, and within so many seconds.
    #[track_caller]
    fn ends(self, code: i32, seconds: u64) -> Checked {
        let in_time = self.took < Duration::from_secs(seconds);
        assert!(
            self.code == Some(code) && in_time,
            "{:?} after {:?}: {:#}",
            self.code,
            self.took,
            self.report
        );
        self
    }

    #[track_caller]
    fn verdict(&self, name: &str) -> &Value {
        let all = self.report["verdicts"].as_array().expect("verdicts");
        // A faulty spec is its own name.
        let found = all
            .iter()
            .find(|verdict| verdict["name"] == selector(name) || verdict["name"] == name);
        found.unwrap_or_else(|| panic!("no {name} in {:#}", self.report))
    }

    #[track_caller]
    fn states(&self, specs: &[String]) -> Vec<&str> {
        let state = |spec: &String| self.verdict(spec)["state"].as_str().unwrap_or_default();
        specs.iter().map(state).collect()
    }

    #[track_caller]
    fn says(&self, name: &str, text: &str) {
        let verdict = self.verdict(name).to_string();
        assert!(verdict.contains(text), "no {text:?} in {verdict}");
    }
}

/// A spec without its range is the name of its check.
fn selector(spec: &str) -> &str {
    match spec.rsplit_once(':') {
        Some((selector, range)) if range.starts_with(|c: char| c.is_ascii_digit()) => selector,
        _ => spec,
    }
}

#[track_caller]
fn within(seconds: u64, took: Duration) {
    assert!(took < Duration::from_secs(seconds), "{took:?}");
}

fn children(pid: u32) -> Vec<u32> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect()
}

fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a pid");
    let _ = kill_process(pid, signal);
}

/// How many of its processes are left when a run has ended.
fn left_behind(name: &str) -> Vec<u32> {
    pids_of(name.as_bytes())
}

fn nosuch(range: &str) -> String {
    format!("comm={}:{range}", unique("nosuch"))
}

fn needle() -> String {
    format!("arg={}:0", unique("needle"))
}

#[test]
fn a_process_whose_arguments_nobody_delivers_costs_its_own_checks_only() {
    need_fuse!();
    let plugin = "/usr/lib/nagios/plugins/check_procs";
    need!(Path::new(plugin).exists(), "check_procs is not installed");
    let server = Silent::start("read", None);
    let well = server.place.path().join(unique("well"));
    server.live(&unique("well"), 1, 0, "86398");
    let mute = &server.mute(&unique("mute"), 1, 0)[0];
    let name = unique("first");
    let specs = [
        needle(),
        format!("comm={}:1", unique("mute")),
        format!("exe={}:1", well.display()),
        "arg=86398:1".to_owned(),
        nosuch("1"),
    ];

    // The worker that stays behind does not hold the lock; nor standard output, or this would not end.
    let lock = server.place.path().join("lock").display().to_string();
    let through_flock = [server.enter(), vec!["flock".into(), lock.clone()]].concat();
    let arguments = ["check", "--recheck", "0", "--format", "json"];
    let procward = server.procward(&name).args(arguments).args(&specs);
    let first = Checked::run(procward.within(through_flock)).ends(2, 8);
    // Of `arg=86398` it can't be told whether there is another one.
    assert_eq!(
        first.states(&specs),
        ["UNKNOWN", "OK", "OK", "UNKNOWN", "CRITICAL"]
    );
    let unsure = &first.verdict(&specs[0])["unsure"];
    assert_eq!(unsure.as_array().map(Vec::len), Some(1), "{unsure}");
    assert_eq!(unsure[0]["pid"], mute.pid);
    assert_eq!(unsure[0]["doubt"], mute.doubt());
    let left = left_behind(&name);
    assert_eq!(left.len(), 1);
    output(command("flock").args(["-n", &lock, "true"])).ends(0);

    // The second run knows, is quick, and leaves nobody behind.
    let began = Instant::now();
    let arguments = ["check", "--recheck", "0", "--format", "mon"];
    let second = server.procward(&name).args(arguments).args(&specs).run();
    within(2, began.elapsed());
    let second = second.ends(2).says(&mute.doubt());
    assert_eq!(
        second.first_line(),
        format!("CRITICAL: {} missing", selector(&specs[4]))
    );
    assert_eq!(left_behind(&name), left);

    // The stand-in for check_procs knows too.
    let stand_in = server.place.link("check_procs");
    let stand_in = |words: &[&str]| {
        Procward::at(&stand_in)
            .args(words.iter().copied())
            .within(server.enter())
            .run()
    };
    let said = stand_in(&["-c", "0", "-a", &unique("pin")]).ends(3);
    let said = said.says(&format!(
        "unsure: pid {} {} (cmdline: no answer); see what",
        mute.pid,
        unique("mute")
    ));
    assert!(
        said.first_line()
            .starts_with("PROCS UNKNOWN: 0 to 1 process with args '"),
        "{}",
        said.stdout()
    );
    stand_in(&["-c", "1:1", "-C", &unique("mute")]).ends(0);

    // The others wait and wait.
    let mut ps = Hanging::start(server.within("ps").args(["-e", "-o", "args"]));
    let mut check_procs = Hanging::start(server.within(plugin).args(["-c", "1:", "-a", "needle"]));
    std::thread::sleep(Duration::from_secs(2));
    assert!(!ps.has_ended() && !check_procs.has_ended());
    drop(server);
    wait_for("the end of those that waited", 10, || {
        (ps.has_ended() && check_procs.has_ended() && left_behind(&name).is_empty()).then_some(())
    });
}

#[test]
fn all_is_well_again_when_the_server_ends() {
    need_fuse!();
    let server = Silent::start("read", None);
    let mute = server.live(&unique("again"), 1, 0, "86399")[0];
    // A server of its own, which ends first.
    let mut other = command("nsenter");
    other
        .args(&server.enter()[1..])
        .arg(server.place.path().join("silent"));
    let mount = server.place.directory("other-files");
    let mut other = spawn(
        other
            .arg(&mount)
            .arg("read")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped()),
    );
    let mut line = String::new();
    BufReader::new(other.stdout.take().expect("its output"))
        .read_line(&mut line)
        .expect("a line");
    let name = unique("well");
    let inside = pids_of(b"silent")
        .into_iter()
        .find(|pid| children(other.id()).contains(pid));
    let enter = [
        "nsenter",
        "-m",
        "-p",
        "-t",
        &inside.expect("the server").to_string(),
    ]
    .map(str::to_owned);
    let file = mount.join("f");
    let target = format!("/proc/{}/cmdline", inner(mute));
    let mut bind = command(&enter[0]);
    output(
        bind.args(&enter[1..])
            .args(["mount", "--bind"])
            .arg(file)
            .arg(&target),
    )
    .ends(0);
    let check = || {
        let arguments = ["check", "--recheck", "0", "--format", "json", "arg=86399:1"];
        Checked::run(server.procward(&name).args(arguments).within(enter.clone()))
    };
    check().ends(3, 8);
    assert_eq!(left_behind(&name).len(), 1);
    signal(inside.expect("the server"), Signal::KILL);
    let _ = other.wait();
    wait_for("the end of the worker", 10, || {
        left_behind(&name).is_empty().then_some(())
    });
    server.check(&name, &["arg=86399:1".to_owned()]).ends(0, 8);
    assert_eq!(left_behind(&name).len(), 0);
}

#[test]
fn a_process_that_holds_the_lock_of_its_memory_costs_its_own_checks_only() {
    need_fuse!();
    let server = Silent::start("write", None);
    let name = unique("locked");
    let program = program(&server.place, "locked");
    let program = server.place.copy(program.to_str().expect("a path"), &name);
    let mut locked = Hanging::start(server.within(&program).arg(server.path("f")));
    let pid = wait_for("the lock", 10, || {
        let pid = *left_behind(&name).first()?;
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.contains(") D ").then_some(pid)
    });
    let specs = [needle(), format!("comm={name}:1"), nosuch("0")];
    let mut cat = Hanging::start(command("cat").arg(format!("/proc/{pid}/cmdline")));
    let began = Instant::now();
    let checked = server.check(&unique("second"), &specs).ends(3, 8);
    assert_eq!(checked.states(&specs), ["UNKNOWN", "OK", "OK"]);
    let mute = Mute { pid: inner(pid) };
    checked.says(&specs[0], &mute.doubt());
    std::thread::sleep(Duration::from_secs(2).saturating_sub(began.elapsed()));
    assert!(!cat.has_ended() && !locked.has_ended());
    drop(server);
    wait_for("the end of who waited", 10, || cat.has_ended().then_some(()));
}

#[test]
fn a_program_whose_server_fell_silent_is_still_known_by_its_file() {
    need_fuse!();
    let server = Silent::start("nothing", Some("/bin/sleep"));
    let path = server.path("f");
    let _live = Hanging::start(server.within(&path).arg("86399"));
    wait_for("f", 10, || {
        let exe = |pid: u32| std::fs::read_link(format!("/proc/{pid}/exe"));
        pids_of(b"f")
            .into_iter()
            .find(|pid| exe(*pid).is_ok_and(|exe| exe == Path::new(&path)))
    });
    // It has read what it needs, and sleeps.
    std::thread::sleep(Duration::from_millis(300));
    signal(server.pid, Signal::USR1);
    let specs = [format!("exe={path}:1"), "exe.deleted=yes:0".to_owned()];
    let checked = server.check(&unique("third"), &specs).ends(0, 8);
    assert_eq!(checked.states(&specs), ["OK", "OK"]);

    // What was never looked up has to be asked for, and there is no answer.
    let specs = [format!("exe={}:0", server.path("other")), format!("exe={path}:1")];
    let checked = server.check(&unique("third"), &specs).ends(3, 8);
    assert_eq!(checked.states(&specs), ["UNKNOWN", "OK"]);
    checked.says(&specs[0], "no answer");
}

/// Starts a process of this user and name that has the server's file open, and listens nowhere.
fn holder(server: &Silent, name: &str, user: u32) -> u32 {
    let sleep = server.place.copy("/bin/sleep", name);
    let script = "exec 7<\"$0\" && exec \"$1\" 86399";
    let mut command = server.within("setpriv");
    let user = format!("--reuid={user}");
    let regid = user.replace("reuid", "regid");
    command.args([&user, &regid, "--clear-groups", "sh", "-c", script]);
    Hanging::start(command.arg(server.path("f")).arg(sleep));
    wait_for(name, 10, || pids_of(name.as_bytes()).first().copied())
}

#[test]
fn a_file_whose_server_fell_silent_keeps_no_check_of_descriptors_waiting() {
    need_fuse!();
    let server = Silent::start("nothing", None);
    let name = unique("hold");
    let pid = inner(holder(&server, &name, 0));
    signal(server.pid, Signal::USR1);
    let specs = [
        format!("{name},fd.block=no,fd={}:1", server.path("f")),
        format!("pid={pid},listen=1-65535/tcp:0"),
        format!("pid={pid},fd.deleted=0:1"),
    ];
    server.check(&unique("fifth"), &specs).ends(0, 8);
}

#[test]
fn a_file_on_somebodys_fuse_is_no_device_and_no_doubt() {
    need_fuse!();
    let server = Silent::start("closed", None);
    let name = unique("own");
    let pid = holder(&server, &name, NOBODY);
    let link = format!("/proc/{pid}/fd/7");
    let refused = std::fs::metadata(&link).expect_err("closed to root").kind();
    assert_eq!(refused, std::io::ErrorKind::PermissionDenied);
    for spec in ["fd.block=no:1", "fd.deleted=0:1", "fd.block=yes:0"] {
        let spec = format!("{name},scope=all,{spec}");
        Procward::check("mon").arg(spec).run().ends(0);
    }
}

#[test]
fn a_configuration_that_lies_with_a_dead_server_costs_its_own_checks_only() {
    need_fuse!();
    let server = Silent::start("lookup", None);
    let home = server.place.directory("conf");
    let dead = server.path("x");
    let text = format!(
        "[[check]]\nname = \"conditional\"\nselect = \"x\"\nwhen = \"exists {dead}\"\n\
         [[check]]\nname = \"forbidden\"\nselect = \"exe={dead}\"\ncount = \"0\"\n\
         [[check]]\nname = \"plain\"\nselect = \"comm=silent\"\n"
    );
    std::fs::write(home.join("a.toml"), text).expect("a file");
    std::os::unix::fs::symlink(&dead, home.join("b.toml")).expect("a link");
    let check = |config: &str| {
        let arguments = ["check", "--recheck", "0", "--format", "json", "--config", config];
        Checked::run(server.procward(&unique("fourth")).args(arguments)).ends(3, 8)
    };
    let checked = check(home.to_str().expect("a path"));
    let link = home.join("b.toml").display().to_string();
    checked.says(&link, "cannot be read: no answer");
    checked.says("conditional", "exists: no answer");
    checked.says("forbidden", "exe: no answer");
    assert_eq!(checked.states(&["plain".to_owned()]), ["OK"]);
    check(&dead).says(&dead, "cannot be read: no answer");
    let state = ["check", "--recheck", "0", "--state", &dead, "comm=silent:1"];
    let began = Instant::now();
    server
        .procward(&unique("fourth"))
        .args(state)
        .run()
        .ends(0)
        .says("is not used: no answer");
    within(8, began.elapsed());
}

#[test]
fn a_name_service_that_does_not_answer_makes_faulty_what_names_a_group() {
    need_fuse!();
    let server = Silent::start("read", None);
    server.cover(&["/etc/group".into()]);
    let specs = ["comm=x,group=adm:0", "comm=x,user=root:0", "comm=x,group=4:0"].map(str::to_owned);
    // The second run knows.
    for seconds in [8, 1] {
        let checked = server.check(&unique("fifth"), &specs).ends(3, seconds);
        assert_eq!(checked.states(&specs), ["UNKNOWN", "OK", "OK"]);
        checked.says(
            &specs[0],
            "the name service gave no answer for group `adm`: it hangs",
        );
        assert_eq!(left_behind(&unique("fifth")).len(), 1);
    }
}

#[test]
fn who_is_told_to_end_while_it_hangs_tells_the_next_run() {
    need_fuse!();
    let server = Silent::start("read", None);
    server.cover(&["/etc/group".into()]);
    let name = unique("told");
    let specs = ["comm=x,group=adm:0".to_owned()];
    // Before the worker would have been given up.
    let timeout = ["timeout", "--preserve-status", "1"].map(str::to_owned);
    let within = [server.enter(), timeout.to_vec()].concat();
    let arguments = ["check", "--recheck", "0", "--format", "json"];
    let told = Checked::run(server.procward(&name).args(arguments).args(&specs).within(within));
    let told = told.ends(3, 8);
    assert_eq!(told.report["remarks"][0], "ended by SIGTERM");
    assert_eq!(left_behind(&name).len(), 1);
    server.check(&name, &specs).ends(3, 1).says(&specs[0], "it hangs");
    assert_eq!(left_behind(&name).len(), 1);
}

#[test]
fn of_twenty_processes_of_one_user_that_hang_not_each_is_waited_for() {
    need_fuse!();
    let server = Silent::start("read", None);
    server.mute(&unique("herd"), 20, NOBODY);
    server.live(&unique("well"), 1, 0, "86398");
    let specs = [
        format!("arg={},user=nobody:0", unique("needle")),
        "arg=86398,user=root:1".to_owned(),
        format!("comm={}:20", unique("herd")),
    ];
    let name = unique("sixth");
    let checked = server.check(&name, &specs).ends(3, 8);
    assert_eq!(checked.states(&specs), ["UNKNOWN", "OK", "OK"]);
    assert_eq!(checked.verdict(&specs[0])["unknown"], 20);
    assert!(left_behind(&name).len() <= 3);
}

#[test]
fn a_limit_that_was_told_holds_with_what_hangs() {
    need_fuse!();
    let server = Silent::start("read", None);
    // Of different users, so that each is waited for.
    for user in [1, 2, 3, 4] {
        server.mute(&unique(&format!("tight{user}")), 1, user);
    }
    let specs = [needle(), nosuch("0")];
    let arguments = ["--timeout", "2s", "check", "--format", "json"];
    let checked = Checked::run(server.procward(&unique("seventh")).args(arguments).args(&specs)).ends(3, 4);
    assert_eq!(checked.states(&specs), ["UNKNOWN", "OK"]);
    // There is no time left to try those behind them.
    assert!(checked.verdict(&specs[0])["unknown"].as_u64() >= Some(4));
}

#[test]
fn a_dead_server_is_not_asked_for_each_of_its_files() {
    need_fuse!();
    let server = Silent::start("lookup", None);
    let dead = (0..12).map(|number| format!("exe={}:0", server.path(&format!("x{number}"))));
    let specs: Vec<String> = dead
        .chain([nosuch("0"), "exe=/bin/nosuch,user=nobody:0".into()])
        .collect();
    let checked = server.check(&unique("mount"), &specs).ends(3, 8);
    let mut expected = vec!["UNKNOWN"; 12];
    expected.extend(["OK", "OK"]);
    assert_eq!(checked.states(&specs), expected);
}

#[test]
fn what_is_not_confirmed_in_time_is_no_ok() {
    need!(is_root(), "only root can become another user");
    let place = Place::new();
    // In a PID namespace of its own there is no other process of that user.
    let script = "setpriv --reuid=54322 --clear-groups sleep 86399 > /dev/null 2>&1 &\n\
        until grep -q '^Uid:.54322' /proc/[0-9]*/status; do sleep 0.05; done\n\
        exec \"$@\"";
    let unshare = ["unshare", "-mpf", "--mount-proc", "--kill-child"];
    let run = |limit: &str| {
        let arguments = ["--timeout", limit, "check", "uid.real=54322:0"];
        let within = unshare.into_iter().chain(["sh", "-c", script, "sh"]);
        Procward::at(&place.procward())
            .args(arguments)
            .within(within)
            .run()
    };
    // Findings about ids are confirmed after 3 s.
    run("3s")
        .ends(3)
        .says("running when last looked at, and not decided");
    run("20s").ends(2);
}

#[test]
fn where_no_second_worker_is_to_be_had_the_verdict_comes_without_one() {
    need_fuse!();
    let server = Silent::start("read", None);
    let mute = &server.mute(&unique("last"), 1, 0)[0];
    let specs = [needle(), nosuch("1")];
    // A user of nobody else's may have so many processes: the program that was started, and one worker or none.
    let check = |number: &str, name: &str, specs: &[String]| {
        let user = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"].map(str::to_owned);
        let limit = ["prlimit".to_owned(), format!("--nproc={number}")];
        let within = [server.enter(), user.to_vec(), limit.to_vec()].concat();
        let arguments = ["check", "--recheck", "0", "--format", "json"];
        Checked::run(server.procward(name).args(arguments).args(specs).within(within))
    };
    let checked = check("2", &unique("eighth"), &specs).ends(2, 8);
    assert_eq!(checked.states(&specs), ["UNKNOWN", "CRITICAL"]);
    checked.says(&specs[0], &mute.doubt());
    let checked = check("1", &unique("ninth"), &specs[1..]).ends(2, 8);
    assert_eq!(checked.states(&specs[1..]), ["CRITICAL"]);
}

#[test]
fn where_proc_hides_processes_it_is_known_who_was_left_behind() {
    need_fuse!();
    let server = Silent::start("read", None);
    let mute = &server.mute(&unique("hide"), 1, NOBODY)[0];
    let mut remount = server.within("mount");
    output(remount.args(["-o", "remount,hidepid=2", "/proc"])).ends(0);
    for seconds in [8, 1] {
        let checked = server.check(&unique("tenth"), &[needle()]).ends(3, seconds);
        checked.says(&needle(), &mute.doubt());
        assert_eq!(left_behind(&unique("tenth")).len(), 1);
    }
}

#[test]
fn a_program_with_rights_of_its_own_knows_who_was_left_behind() {
    need_fuse!();
    let (name, other) = (unique("caps"), unique("suid"));
    for (name, give) in [
        (&name, ["setcap", "cap_sys_ptrace,cap_dac_read_search+ep"]),
        (&other, ["chmod", "4755"]),
    ] {
        let server = Silent::start("read", None);
        let mute = &server.mute(&unique("file"), 1, 0)[0];
        let program = server.place.copy(BINARY, name);
        output(command(give[0]).arg(give[1]).arg(&program)).ends(0);
        let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"].map(str::to_owned);
        let within = [server.enter(), nobody.to_vec()].concat();
        for seconds in [8, 1] {
            let arguments = ["check", "--recheck", "0", "--format", "json", &needle()];
            let checked = Checked::run(Procward::at(&program).args(arguments).within(within.clone()));
            checked.ends(3, seconds).says(&needle(), &mute.doubt());
            assert_eq!(left_behind(name).len(), 1, "{give:?}");
        }
    }
}

/// A run in the middle of its looking again.
struct Running {
    child: Child,
    supervisor: u32,
    began: Instant,
}

impl Running {
    /// In a PID namespace of its own, where there is little to look at, below a shell. Waits until it has looked a few
    /// times.
    fn alone(words: &[&str], after: Duration) -> Running {
        let mut command = command("unshare");
        command.args([
            "-mpf",
            "--mount-proc",
            "--kill-child",
            "sh",
            "-c",
            "\"$@\"; exit $?",
            "sh",
            // Whoever started the tests in the background has them ignore some.
            "env",
            "--default-signal=HUP,INT,QUIT",
        ]);
        command.args(words);
        Running::start(&mut command, 2, after)
    }

    /// Starts it; between the child and procward are so many others.
    fn start(command: &mut Command, between: usize, after: Duration) -> Running {
        let began = Instant::now();
        let child = spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
        let below = |pid: u32| wait_for("a child", 10, || children(pid).first().copied());
        let running = Running {
            supervisor: (0..between).fold(child.id(), |pid, _| below(pid)),
            child,
            began,
        };
        running.worker();
        std::thread::sleep(after);
        running
    }

    fn worker(&self) -> u32 {
        wait_for("a worker", 10, || children(self.supervisor).first().copied())
    }

    fn send(self, sent: Signal) -> (Output, Duration) {
        signal(self.supervisor, sent);
        self.end()
    }

    /// How it ended, and when.
    fn end(self) -> (Output, Duration) {
        let output = Output::of(self.child.wait_with_output().expect("its output"));
        (output, self.began.elapsed())
    }
}

const SHORTLY: Duration = Duration::from_millis(700);

/// The words of a check that looks again and again for what is not there.
fn looking<'a>(procward: &'a str, recheck: &'a str, specs: &'a [String]) -> Vec<&'a str> {
    let words = [procward, "check", "--format", "mon", "--recheck", recheck];
    words
        .into_iter()
        .chain(specs.iter().map(String::as_str))
        .collect()
}

#[test]
fn a_worker_that_is_killed_is_unknown_and_never_the_end_by_a_signal() {
    need!(is_root(), "unshare needs root");
    let place = Place::new();
    let procward = place.procward().display().to_string();
    let specs = [nosuch("1")];
    let running = Running::alone(&looking(&procward, "5s", &specs), SHORTLY);
    signal(running.worker(), Signal::KILL);
    let (output, took) = running.end();
    within(4, took);
    let output = output.ends(3).says("the worker was killed by SIGKILL");
    let line = format!("UNKNOWN: {} unseen", selector(&specs[0]));
    assert_eq!(output.first_line(), line);
}

#[test]
fn a_worker_that_is_stopped_is_given_up_in_time() {
    need!(is_root(), "unshare needs root");
    let place = Place::new();
    let procward = place.procward().display().to_string();
    let specs = ["--timeout=3s".to_owned(), nosuch("1")];
    let running = Running::alone(&looking(&procward, "5s", &specs), SHORTLY);
    signal(running.worker(), Signal::STOP);
    let (output, took) = running.end();
    within(5, took);
    output.ends(3).says("not finished within 3 s");
    assert!(took > Duration::from_millis(2900));
}

#[test]
fn time_in_which_both_were_stopped_does_not_count() {
    need!(is_root(), "unshare needs root");
    let place = Place::new();
    let procward = place.procward().display().to_string();
    let specs = ["--timeout=3s".to_owned(), nosuch("1")];
    let running = Running::alone(&looking(&procward, "5s", &specs), SHORTLY);
    let both = [running.supervisor, running.worker()];
    both.iter().for_each(|pid| signal(*pid, Signal::STOP));
    std::thread::sleep(Duration::from_secs(4));
    both.iter().for_each(|pid| signal(*pid, Signal::CONT));
    let (output, _) = running.end();
    let line = format!("CRITICAL: {} missing", selector(&specs[1]));
    assert_eq!(output.ends(2).first_line(), line);
}

#[test]
fn a_worker_does_not_outlive_the_program_that_was_started() {
    let place = Place::new();
    let name = unique("orphan");
    let mut command = command(place.copy(BINARY, &name));
    command.args(["check", "--recheck", "20s", &nosuch("1")]);
    let running = Running::start(&mut command, 0, SHORTLY);
    assert_eq!(left_behind(&name).len(), 2);
    let _ = running.send(Signal::KILL);
    wait_for("the end of the worker", 10, || {
        left_behind(&name).is_empty().then_some(())
    });
}

#[test]
fn a_signal_ends_a_run_at_once_with_what_is_known() {
    need!(is_root(), "unshare needs root");
    let place = Place::new();
    let procward = place.procward().display().to_string();
    // The shell above procward is not to run.
    let specs = [nosuch("1"), "comm=sh:0".to_owned()];
    for (sent, name) in [
        (Signal::TERM, "SIGTERM"),
        (Signal::INT, "SIGINT"),
        (Signal::HUP, "SIGHUP"),
        (Signal::ALARM, "SIGALRM"),
        (Signal::QUIT, "SIGQUIT"),
    ] {
        let running = Running::alone(&looking(&procward, "20s", &specs[..1]), SHORTLY);
        let (output, took) = running.send(sent);
        within(4, took);
        let output = output.ends(3).says(&format!("ended by {name}"));
        let line = format!("UNKNOWN: {} unseen", selector(&specs[0]));
        assert_eq!(output.first_line(), line);
    }
    // What must not run is confirmed after a second, and stays so.
    let running = Running::alone(&looking(&procward, "20s", &specs), Duration::from_secs(3));
    let (output, took) = running.send(Signal::TERM);
    within(8, took);
    let output = output.ends(2).says("ended by SIGTERM");
    assert_eq!(output.first_line(), "CRITICAL: comm=sh running (sh, root)");
}

#[test]
fn a_limit_that_shortens_a_recheck_is_told_once_with_what_to_do() {
    let [one, other] = ["nosuch", "other"].map(unique);
    let specs = [&one, &other].map(|name| format!("{name}:1"));
    let words = ["--format", "mon", "--timeout", "1s", "--recheck", "20s"];
    let said = Procward::new().arg("check").args(words).args(specs).run().ends(2);
    // What came close is whoever runs here beside us.
    let lines: Vec<String> = said
        .stdout()
        .lines()
        .filter(|line| !line.starts_with("  nearest: "))
        .map(str::to_owned)
        .collect();
    let time = regex::Regex::new(r"0\.\d s of").unwrap();
    let told: Vec<_> = lines.iter().map(|line| time.replace_all(line, "T of")).collect();
    assert_eq!(
        told[1..],
        [
            format!("{one}: no process; want exactly 1 process named {one}"),
            format!("{other}: no process; want exactly 1 process named {other}"),
            format!(
                "the time was too short for the whole re-check, so this may be a restart: {one} (T of 20 s), {other} \
                 (T of 20 s); give a longer -t, or a shorter recheck"
            ),
        ]
    );
}

#[test]
fn a_signal_that_we_were_started_to_ignore_ends_nothing() {
    need!(is_root(), "unshare needs root");
    let place = Place::new();
    let procward = place.procward().display().to_string();
    let specs = [nosuch("1")];
    let words = [vec!["nohup"], looking(&procward, "2s", &specs)].concat();
    let (output, took) = Running::alone(&words, SHORTLY).send(Signal::HUP);
    output.ends(2).says("missing for the whole 2 s");
    assert!(took >= Duration::from_secs(2));
}

#[test]
fn ctrl_c_at_a_terminal_ends_a_run_at_once() {
    const PROGRAM: &str = "import os,pty,signal,sys,time\n\
        signal.signal(signal.SIGINT,signal.SIG_DFL)\n\
        pid,fd=pty.fork()\n\
        if not pid: os.execv(sys.argv[1],sys.argv[1:])\n\
        time.sleep(1)\n\
        os.write(fd,b'\\x03')\n\
        try:\n\
        \x20   while True:\n\
        \x20       text=os.read(fd,4096)\n\
        \x20       if not text: break\n\
        \x20       sys.stdout.buffer.write(text)\n\
        except OSError: pass\n\
        sys.stdout.flush()\n\
        status=os.waitpid(pid,0)[1]\n\
        sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 99)";
    let place = Place::new();
    let nosuch = nosuch("1");
    let began = Instant::now();
    let mut command = command("/usr/bin/python3");
    command.args(["-c", PROGRAM]).arg(place.procward());
    output(command.args(["check", "--recheck", "20s", &nosuch]))
        .ends(3)
        .says("ended by SIGINT");
    within(8, began.elapsed());
}

#[test]
fn what_was_passed_on_is_read_where_an_argument_names_it_and_a_closed_output_changes_no_verdict() {
    let place = Place::new();
    let text = format!(
        "[[check]]\nname = \"x\"\nselect = \"{}\"\ncount = \"0\"\n",
        unique("nosuch")
    );
    std::fs::write(place.path().join("x.toml"), text).expect("a file");
    let script = "cd \"$1\" && procward=$2\n\
        \"$procward\" check --config /dev/stdin < x.toml > out || exit 11\n\
        \"$procward\" check --config /dev/fd/7 7< x.toml >> out || exit 12\n\
        \"$procward\" check --config /dev/null/x 7< x.toml >&- ; [ $? -eq 3 ] || exit 13\n\
        \"$procward\" check --recheck 0 \"$3:1\" >&- ; [ $? -eq 2 ] || exit 14\n\
        \"$procward\" check --recheck 0 \"$3:1\" > /dev/full ; [ $? -eq 2 ] || exit 15\n\
        \"$procward\" check --recheck 0 \"$3:1\" <&- >&- 2>&- ; [ $? -eq 2 ] || exit 16\n\
        ulimit -f 0; \"$procward\" check --recheck 0 \"$3:1\" | cat > /dev/null; \"$procward\" check --config x.toml | cat";
    let procward = place.procward();
    let mut command = command("bash");
    command
        .args(["-c", script, "sh"])
        .arg(place.path())
        .arg(procward)
        .arg(unique("nosuch"));
    output(&mut command).ends(0).says("OK: 1 check");
    let out = std::fs::read_to_string(place.path().join("out")).expect("the output");
    assert_eq!(out.matches("OK: 1 check\n").count(), 2, "{out}");
}

#[test]
fn procward_and_its_worker_are_one_where_it_counts_itself() {
    let place = Place::new();
    let name = unique("own");
    let procward = place.copy(BINARY, &name);
    let spec = format!("comm={name}:1");
    Procward::at(&procward)
        .args(["check", "--match-self", &spec])
        .run()
        .ends(0);
    Procward::at(&procward).args(["check", &spec]).run().ends(2);
}

#[test]
fn without_a_mounted_proc_the_verdict_is_unknown() {
    need!(is_root(), "only root can unmount");
    let place = Place::new();
    let script = "mount -t tmpfs none /proc && exec \"$@\"";
    let nosuch = nosuch("0");
    let began = Instant::now();
    Procward::at(&place.procward())
        .args(["check", &nosuch])
        .within(["unshare", "-m", "sh", "-c", script, "sh"])
        .run()
        .ends(3);
    within(8, began.elapsed());
}

#[test]
fn mon_sees_a_killed_worker_as_a_failure() {
    need!(Path::new(MON).exists(), "mon is not installed");
    let programs = Place::new();
    let name = unique("mon");
    let live = Live::named(&programs, &name);
    let place = Place::new();
    let link = place.link("ps.monitor");
    let mon = Daemon::start(place, &link, &format!("{name}:1-1"));
    mon.wait_for_status(1);
    drop(live);
    let failed = mon.wait_for_status(0);
    assert!(failed.contains("exitval=1 "), "{failed}");
    // Each run looks again for 5 s, and its worker does not live so long.
    let seen = wait_for("exitval=3", 30, || {
        let workers = children(mon.child.id()).into_iter().flat_map(children);
        workers.for_each(|worker| signal(worker, Signal::KILL));
        mon.status().filter(|status| status.contains("exitval=3 "))
    });
    assert!(seen.contains("opstatus=0 "), "{seen}");
    let alerts = mon.alerts();
    assert!(alerts.iter().all(|(kind, _)| kind == "failure"), "{alerts:?}");
}
