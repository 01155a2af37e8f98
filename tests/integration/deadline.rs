//! A verdict comes in time whatever becomes of a worker or its supervisor: killed, stopped, sent signals, without what it
//! prints to.

use crate::common::{Output, Place, Procward, command, is_root, need, output, spawn, unique, wait_for};
use crate::mon_daemon::{Daemon, MON};
use crate::process::{Live, pids_of};
use rustix::process::{Pid, Signal, kill_process};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_procward");

/// A spec without its range is the name of its check.
pub(crate) fn selector(spec: &str) -> &str {
    match spec.rsplit_once(':') {
        Some((selector, range)) if range.starts_with(|c: char| c.is_ascii_digit()) => selector,
        _ => spec,
    }
}

#[track_caller]
pub(crate) fn within(seconds: u64, took: Duration) {
    assert!(took < Duration::from_secs(seconds), "{took:?}");
}

pub(crate) fn children(pid: u32) -> Vec<u32> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect()
}

pub(crate) fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a pid");
    let _ = kill_process(pid, signal);
}

/// How many of its processes are left when a run has ended.
pub(crate) fn left_behind(name: &str) -> Vec<u32> {
    pids_of(name.as_bytes())
}

pub(crate) fn nosuch(range: &str) -> String {
    format!("comm={}:{range}", unique("nosuch"))
}

pub(crate) fn needle() -> String {
    format!("arg={}:0", unique("needle"))
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
