//! `procward cpu` against burners of known load: beside pidstat and the burners' own accounts, from run to run, and
//! where something tries to hide. Measures are compared with measures of the same seconds, never with a load that the
//! host may not let a process have; where two are taken, one after the other, they are taken again if they differ.

mod state;

use crate::common::{Output, Place, Procward, command, is_root, need, output, spawn, wait_for};
use state::age;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::{Duration, Instant};

/// The program that burns, compiled.
fn compiled(place: &Place) -> PathBuf {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/integration/burner.c");
    let program = place.path().join("burner");
    if !program.exists() {
        output(
            command("cc")
                .args(["-O1", "-pthread", "-o"])
                .arg(&program)
                .arg(source),
        )
        .ends(0);
    }
    program
}

fn has(program: &str) -> bool {
    Path::new("/usr/bin").join(program).exists()
}

/// What burns CPU is compiled, and kept apart.
macro_rules! need_burners {
    () => {
        need!(has("cc") && is_root(), "cc and root are needed");
    };
}
use need_burners;

/// A burner at work.
struct Burner {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// As its own namespace numbers it.
    pid: i32,
}

impl Burner {
    /// Of this name, below `place`, and started by these words.
    fn start(place: &Place, within: &[String], name: &str, work: &[&str]) -> Burner {
        let program = place.copy(compiled(place).to_str().expect("a path"), name);
        let path = program.display().to_string();
        let mut words: Vec<String> = within.to_vec();
        words.push(path);
        words.extend(work.iter().map(|word| (*word).to_owned()));
        Burner::run(&words)
    }

    fn run(words: &[String]) -> Burner {
        let mut child = spawn(
            command(&words[0])
                .args(&words[1..])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped()),
        );
        let mut burner = Burner {
            orders: child.stdin.take().expect("its input"),
            answers: BufReader::new(child.stdout.take().expect("its output")),
            child,
            pid: 0,
        };
        let ready = burner.answer();
        let pid = ready.strip_prefix("ready ").and_then(|pid| pid.parse().ok());
        burner.pid = pid.unwrap_or_else(|| panic!("{words:?}: {ready}"));
        burner
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    fn order(&mut self, order: &str) -> String {
        writeln!(self.orders, "{order}").expect("it listens");
        self.answer()
    }

    fn pause(&mut self) {
        assert_eq!(self.order("p"), "done");
    }

    fn go_on(&mut self) {
        assert_eq!(self.order("g"), "done");
    }

    /// The seconds of the clock, of own CPU, and of the CPU of children that it waited for.
    fn account(&mut self) -> [f64; 3] {
        let told = self.order("t");
        let numbers: Vec<f64> = told.split(' ').filter_map(|number| number.parse().ok()).collect();
        numbers.try_into().unwrap_or_else(|_| panic!("{told}"))
    }
}

impl Drop for Burner {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A PID namespace of its own, where no other process is: what the rest of the host does is not found.
struct Room {
    place: Place,
    init: Burner,
    enter: Vec<String>,
}

impl Room {
    fn new() -> Room {
        let place = Place::new();
        let unshare = ["unshare", "-mpf", "--mount-proc", "--kill-child"].map(str::to_owned);
        let init = Burner::start(&place, &unshare, "pwtinit", &["init"]);
        let children = format!("/proc/{0}/task/{0}/children", init.child.id());
        let pid = wait_for("PID 1", 10, || std::fs::read_to_string(&children).ok());
        let enter = ["nsenter", "-m", "-p", "-t", pid.trim()]
            .map(str::to_owned)
            .to_vec();
        assert_eq!(init.pid, 1);
        Room { place, init, enter }
    }

    fn burner(&self, name: &str, work: &[&str]) -> Burner {
        Burner::start(&self.place, &self.enter, name, work)
    }

    /// A burner that is started by another command, `nice` for example.
    fn burner_by(&self, by: &[&str], name: &str, work: &[&str]) -> Burner {
        let by = by.iter().map(|word| (*word).to_owned());
        let within: Vec<String> = self.enter.iter().cloned().chain(by).collect();
        Burner::start(&self.place, &within, name, work)
    }

    fn procward(&self, words: &[&str]) -> Procward {
        let (program, enter) = self.enter.split_first().expect("words");
        let procward = Procward::at(Path::new(program)).args(enter);
        procward.arg(self.place.procward()).args(words.iter().copied())
    }

    fn cpu(&self, words: &[&str]) -> Output {
        self.procward(&[&["cpu"], words].concat()).run()
    }

    fn check(&self, spec: &str) -> Output {
        self.procward(&["check", "--format", "json", spec]).run()
    }

    fn file(&self, name: &str) -> String {
        self.place.path().join(name).display().to_string()
    }
}

/// What JSON says of the processes that were found, by name.
fn found(said: &Output) -> Vec<(String, serde_json::Value)> {
    let report = said.json();
    let processes = report["verdicts"][0]["processes"]
        .as_array()
        .expect("processes")
        .clone();
    let named = |process: serde_json::Value| (process["name"].as_str().expect("a name").to_owned(), process);
    processes.into_iter().map(named).collect()
}

fn names(said: &Output) -> Vec<String> {
    let mut names: Vec<String> = found(said).into_iter().map(|(name, _)| name).collect();
    names.sort();
    names
}

/// Percent of a core, as procward tells them of one process over three seconds.
fn rates(room: &Room, pid: i32) -> [f64; 3] {
    let spec = format!("pid={pid},cpu.demand>=0%:0");
    let said = room.check(&spec).ends(2);
    let cpu = &found(&said)[0].1["cpu"];
    ["now", "demand", "reaped"].map(|key| cpu[key].as_f64().expect(key))
}

/// Tries until the measures agree: the host is busy, and two measures are never of quite the same instants.
fn agreed(what: &str, mut measure: impl FnMut() -> Vec<(f64, f64)>) {
    let mut tried = Vec::new();
    for _ in 0..12 {
        let pairs = measure();
        if pairs.iter().all(|(ours, theirs)| (ours - theirs).abs() <= 3.0) {
            return;
        }
        tried.push(pairs);
    }
    panic!("{what}: procward and the other differ by more than 3 points: {tried:?}");
}

/// `%CPU` and `%CPU` with `%wait` of a process over three seconds; of its threads together, as pidstat -t tells it.
fn pidstat(room: &Room, pid: i32) -> Child {
    let (program, enter) = room.enter.split_first().expect("words");
    spawn(
        command(program)
            .args(enter)
            .args(["pidstat", "-h", "-u", "-t", "-p", &pid.to_string(), "3", "1"])
            .stdout(Stdio::piped()),
    )
}

fn told_by_pidstat(child: Child) -> [f64; 2] {
    let text = String::from_utf8(child.wait_with_output().expect("its output").stdout).expect("text");
    let header = text.lines().find(|line| line.starts_with('#')).expect("a header");
    // The header has a `#` before its first column.
    let column = |name: &str| {
        header
            .split_whitespace()
            .position(|word| word == name)
            .expect(name)
            - 1
    };
    let (tgid, cpu, wait) = (column("TGID"), column("%CPU"), column("%wait"));
    let (mut share, mut demand) = (0.0, 0.0);
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |column: usize| words.get(column).and_then(|word| word.parse::<f64>().ok());
        let (Some(own), Some(waited)) = (number(cpu), number(wait)) else {
            continue;
        };
        if words[tgid] == "-" {
            demand += own + waited;
        } else {
            share = own;
        }
    }
    [share, demand]
}

#[test]
fn loads_are_those_of_pidstat_and_of_the_processes_own_account() {
    need!(
        has("cc") && has("pidstat") && is_root(),
        "cc, sysstat and root are needed"
    );
    let room = Room::new();
    for work in [["spin", "1", "25"], ["spin", "1", "100"], ["spin", "3", "100"]] {
        let mut burner = room.burner("pwtload", &work);
        let pid = burner.pid;
        agreed(&format!("{work:?}"), || {
            let theirs = pidstat(&room, pid);
            let before = burner.account();
            let [now, ..] = rates(&room, pid);
            let after = burner.account();
            let own = (after[1] - before[1]) / (after[0] - before[0]) * 100.0;
            vec![(now, told_by_pidstat(theirs)[0]), (now, own)]
        });
    }
}

#[test]
fn who_spins_wants_as_much_as_it_runs_and_waits_as_pidstat_tells() {
    need!(
        has("cc") && has("pidstat") && is_root(),
        "cc, sysstat and root are needed"
    );
    let room = Room::new();
    // Three threads on however many cores, and beside them who takes those.
    let burner = room.burner("pwtthree", &["spin", "3", "100"]);
    let _others = room.burner("pwtothers", &["spin", "2", "100"]);
    agreed("three threads", || {
        let theirs = pidstat(&room, burner.pid);
        let [_, demand, _] = rates(&room, burner.pid);
        vec![(demand, told_by_pidstat(theirs)[1]), (demand, 300.0)]
    });
}

#[test]
fn four_that_spin_on_two_cores_are_all_found_at_a_limit_of_ninety_percent() {
    need!(
        has("cc") && has("taskset") && is_root(),
        "cc, taskset and root are needed"
    );
    let room = Room::new();
    let by = ["taskset", "-c", "0,1"];
    let burners: Vec<Burner> = (0..4)
        .map(|_| room.burner_by(&by, "pwtfour", &["spin", "1", "100"]))
        .collect();
    let said = room.cpu(&["90%", "--format", "json"]).ends(2);
    assert_eq!(names(&said), ["pwtfour"; 4]);
    // By their share none of them is over it.
    room.check("cpu>90%:0").ends(0);
    drop(burners);
}

#[test]
fn an_exempt_hog_goes_quiet_while_a_daemon_starts_to_spin_and_only_the_daemon_alerts() {
    need_burners!();
    let room = Room::new();
    let mut hog = room.burner_by(&["nice", "-n", "19"], "pwtscience", &["spin", "2", "100"]);
    let mut daemon = room.burner("pwtdaemon", &["spin", "2", "100"]);
    daemon.pause();
    let run = || room.cpu(&["90%", "--window", "3s", "--format", "mon"]);
    // Where others of the host leave it nothing it is starved, and else it is left out.
    run().ends(0);
    hog.pause();
    daemon.go_on();
    let said = run().ends(2);
    assert_eq!(said.first_line(), "CRITICAL: cpu: pwtdaemon (root)");
    assert!(!said.stdout().contains("pwtscience"), "{}", said.stdout());
    daemon.pause();
    run().ends(0);
}

#[test]
fn a_failure_shows_who_it_is_and_how_much_now_and_all_its_life() {
    need_burners!();
    let room = Room::new();
    let burner = room.burner_by(&["setpriv", "--reuid=65534"], "pwtshown", &["spin", "1", "100"]);
    std::thread::sleep(Duration::from_millis(500));
    let said = room.cpu(&["80%", "--format", "mon"]).ends(2);
    assert_eq!(said.first_line(), "CRITICAL: cpu: pwtshown (nobody)");
    let line = said.stdout().lines().nth(2).expect("a third line").to_owned();
    let start = format!("  pid {} {} (nobody, up ", burner.pid, room.file("pwtshown"));
    assert!(line.starts_with(&start), "{line}");
    let pattern = regex::Regex::new(
        r", up \d+s, \d+\.\d% CPU over the last [34] s,( wants \d+\.\d%,)? \d+\.\d% over its life[,)]",
    );
    assert!(pattern.expect("a pattern").is_match(&line), "{line}");
    let said = room.cpu(&["80%", "--format", "json"]).ends(2);
    let cpu = &found(&said)[0].1["cpu"];
    assert!(
        cpu["demand"].as_f64() > Some(90.0) && cpu["life"].as_f64() > Some(0.0),
        "{cpu}"
    );
}

#[test]
fn a_storm_of_children_is_counted_and_told_apart() {
    need_burners!();
    let room = Room::new();
    let mut storm = room.burner("pwtstorm", &["storm", "20"]);
    let file = room.file("state");
    let mut last = String::new();
    agreed("a storm", || {
        let words = ["1%", "--window", "3s", "--format", "json", "--state", &file];
        let before = storm.account();
        let said = room.cpu(&words).ends(2);
        let after = storm.account();
        let (_, process) = found(&said)
            .into_iter()
            .find(|(name, _)| name == "pwtstorm")
            .expect("it");
        let [now, reaped] = ["now", "reaped"].map(|key| process["cpu"][key].as_f64().expect(key));
        let share = |column: usize| (after[column] - before[column]) / (after[0] - before[0]) * 100.0;
        last = room.cpu(&["1%", "--window", "1s", "--format", "mon"]).stdout();
        vec![(reaped, share(2)), (now, share(1) + share(2))]
    });
    assert!(last.contains("% of it by children that ended"), "{last}");
}

#[test]
fn of_a_child_that_ends_in_the_window_only_the_window_counts() {
    need_burners!();
    let room = Room::new();
    agreed("a child", || {
        let mut job = room.burner("pwtjob", &["job", "3500"]);
        std::thread::sleep(Duration::from_millis(2000));
        let child = wait_for("the child", 5, || child_of(&room, job.pid));
        let ticks = |pid: i32| cpu_of(&room, pid).expect("it lives");
        let before = ticks(child);
        let said = room.cpu(&["1%", "--format", "json"]);
        let [_, _, all] = job.account();
        assert!(all > 0.0, "the child has not ended");
        let parent = found(&said)
            .into_iter()
            .find(|(name, process)| name == "pwtjob" && process["pid"] == job.pid);
        let reaped = parent.map_or(0.0, |(_, process)| {
            process["cpu"]["reaped"].as_f64().expect("a rate")
        });
        vec![(reaped, (all - before) / 3.0 * 100.0)]
    });
}

/// A child of a process of the room, as the room numbers them.
fn child_of(room: &Room, pid: i32) -> Option<i32> {
    let path = format!("/proc/{pid}/task");
    let script = format!("cat {path}/*/children");
    within(room, &["sh", "-c", &script]).trim().parse().ok()
}

/// Seconds of CPU that a process of the room used.
fn cpu_of(room: &Room, pid: i32) -> Option<f64> {
    let stat = within(room, &["cat", &format!("/proc/{pid}/stat")]);
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / 100.0)
}

fn within(room: &Room, words: &[&str]) -> String {
    let (program, enter) = room.enter.split_first().expect("words");
    output(command(program).args(enter).args(words)).stdout()
}

#[test]
fn what_takes_an_exempt_name_is_found() {
    need_burners!();
    let room = Room::new();
    let _copy = room.burner("xz", &["spin", "1", "100"]);
    let text = "#!/usr/bin/perl\n$| = 1; print \"ready $$\\n\"; 1 while 1;\n";
    let script = room.place.script("gzip", text);
    let script = [room.enter.clone(), vec![script.display().to_string()]].concat();
    let _script = Burner::run(&script);
    let said = room.cpu(&["90%", "--format", "json"]).ends(2);
    assert_eq!(names(&said), ["gzip", "xz"]);
    // Who can't read the program goes by the name, and says so.
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"].map(str::to_owned);
    let words = [room.enter.clone(), nobody.to_vec()].concat();
    let said = Procward::at(Path::new(&words[0]))
        .args(&words[1..])
        .arg(room.place.procward())
        .args(["cpu", "90%", "--format", "mon"])
        .run()
        .ends(0);
    said.says("xz (root) by its name only, for its program can't be read: compresses something large");
}

#[test]
fn people_may_but_not_as_root() {
    need_burners!();
    let room = Room::new();
    let by = |words: &[&'static str], name| room.burner_by(words, name, &["spin", "1", "100"]);
    let _person = by(&["setpriv", "--reuid=12345"], "pwtperson");
    let _for_a_while = by(&["setpriv", "--euid=12345"], "pwtserver");
    let _set_user_id = by(&["setpriv", "--ruid=12345"], "pwtsetuid");
    let said = room.cpu(&["80%", "--format", "json"]).ends(2);
    assert_eq!(names(&said), ["pwtserver", "pwtsetuid"]);
    // Who may is named none the less: it may be a daemon, or a miner.
    said.says("what people run is their own business [pid ")
        .says(" pwtperson (12345)]");
}

#[test]
fn who_gives_way_with_one_thread_only_is_found() {
    need_burners!();
    let room = Room::new();
    let all = room.burner_by(&["nice", "-n", "19"], "pwtall", &["spin", "2", "100"]);
    let first = room.burner("pwtfirst", &["spin", "2", "100"]);
    let pid = first.pid.to_string();
    within(&room, &["renice", "-n", "19", "-p", &pid]);
    let said = room.cpu(&["80%", "--format", "json"]).ends(2);
    assert_eq!(names(&said), ["pwtfirst"]);
    drop(all);
}

#[test]
fn who_is_started_anew_all_the_time_is_found_with_who_waits_for_it() {
    need_burners!();
    let room = Room::new();
    let _comet = room.burner("pwtcomet", &["again", "100"]);
    // It hardly gets a core where others want it, so half of what it then has is asked for.
    wait_for("a finding", 60, || {
        let said = room.cpu(&["20%", "--format", "json"]);
        let all = found(&said);
        let init = all.into_iter().find(|(_, process)| process["pid"] == 1)?;
        (init.1["cpu"]["reaped"].as_f64()? > 20.0).then_some(())
    });
    drop(room.init);
}

#[test]
fn a_process_under_a_pid_that_another_one_had_is_judged_by_itself() {
    need_burners!();
    let room = Room::new();
    let file = room.file("state");
    let run = |limit: &str| room.cpu(&[limit, "--state", &file, "--format", "json"]);
    // The first burns, and the one that gets its PID does not; then the other way round.
    for (first, second) in [("100", "0"), ("0", "100")] {
        let burner = room.burner("pwtfirst", &["spin", "1", first]);
        std::thread::sleep(Duration::from_secs(1));
        run("50%");
        let pid = burner.pid;
        drop(burner);
        wait_for("its end", 10, || cpu_of(&room, pid).is_none().then_some(()));
        let copy = room
            .place
            .copy(compiled(&room.place).to_str().expect("a path"), "pwtsecond");
        // A shell gives what it starts behind it no input, unless it is told to.
        let last = pid - 1;
        let take = format!(
            "exec 3<&0; echo {last} > /proc/sys/kernel/ns_last_pid; \"$0\" spin 1 {second} <&3 & wait"
        );
        let script = ["sh".into(), "-c".into(), take, copy.display().to_string()];
        let words = [room.enter.clone(), script.to_vec()].concat();
        // Another process may come in between.
        let again = (0..20)
            .map(|_| Burner::run(&words))
            .find(|burner| burner.pid == pid);
        need!(again.is_some(), "the PID could not be had again");
        std::thread::sleep(Duration::from_millis(3200));
        let said = run("50%");
        let found = found(&said).into_iter().any(|(_, process)| process["pid"] == pid);
        assert_eq!(found, second == "100", "{first} {second}: {}", said.stdout());
    }
}

#[test]
fn for_a_time_means_in_every_look_of_that_time() {
    need_burners!();
    let room = Room::new();
    let mut burner = room.burner("pwtlasts", &["spin", "1", "100"]);
    let words = ["80%", "--window", "1s", "--for", "4s", "--format", "mon"];
    let begun = Instant::now();
    let said = room.cpu(&words).ends(2);
    assert!(begun.elapsed() >= Duration::from_secs(4));
    said.says("over the limit for ");
    // It stops in the midst of it.
    let stopped = std::thread::scope(|scope| {
        let run = scope.spawn(|| room.cpu(&words));
        std::thread::sleep(Duration::from_millis(2500));
        burner.pause();
        run.join().expect("it ran")
    });
    stopped.ends(0);
}

#[test]
fn over_the_whole_life_nothing_sleeps() {
    need_burners!();
    let room = Room::new();
    let mut burner = room.burner("pwtlife", &["spin", "1", "100"]);
    // Until it has used what a tenth of half a minute is.
    wait_for("a life", 60, || (burner.account()[1] > 3.0).then_some(()));
    burner.pause();
    let begun = Instant::now();
    let said = room.cpu(&["5%", "--lifetime", "--format", "mon"]).ends(2);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(said.first_line(), "CRITICAL: cpu: pwtlife (root)");
    said.says("% CPU over its life");
    // Over the last seconds it did nothing.
    room.cpu(&["5%", "--format", "mon"]).ends(0);
}

#[test]
fn under_the_name_of_a_monitor_it_is_one() {
    need_burners!();
    let room = Room::new();
    let mut burner = room.burner("pwtmon", &["spin", "1", "100"]);
    let monitor = room.place.link("cpu.monitor");
    let directory = room.place.directory("statedir").display().to_string();
    let run = |words: &[&str]| {
        let (program, enter) = room.enter.split_first().expect("words");
        Procward::at(Path::new(program))
            .args(enter)
            .arg(&monitor)
            .args(words.iter().copied())
            .env("MON_STATEDIR", &directory)
            .run()
    };
    let said = run(&["80%"]).ends(2);
    assert_eq!(said.first_line(), "CRITICAL: cpu: pwtmon (root)");
    run(&[]).ends(0);
    let file = format!("{directory}/procward-0.state");
    age(&file, 700);
    assert_eq!(run(&[]).ends(1).first_line(), "WARNING: cpu: pwtmon (root)");
    for wrong in [
        &["much"][..],
        &["80%", "host"],
        &["--lifetime", "--window", "3s"],
        &["0%"],
    ] {
        run(wrong).ends(3);
    }
    burner.pause();
    run(&["80%", "--window", "1s"]).ends(0);
}

#[test]
fn who_is_exempt_is_shown_with_the_reason_and_how_many_there_are() {
    need_burners!();
    let room = Room::new();
    let _one = room.burner_by(&["nice", "-n", "19"], "pwtnice", &["spin", "1", "0"]);
    let file = room.place.script(
        "p.toml",
        "[cpu]\nwithout = [\"people\"]\n\
         exempt = [ { select = \"name=pwtinit|pwtnosuch\", reason = \"it may\" }, \
                    { select = \"name=pwtnosuch\", reason = \"nobody needs it\" } ]\n",
    );
    let said = room.cpu(&["--show-exempt", "--config", &file.display().to_string()]);
    said.ends(0)
        .says("\n(configured): it may (1 process now)\n  name=pwtinit|pwtnosuch\n")
        .says("\n(configured): nobody needs it (no process now)\n  name=pwtnosuch\n")
        .says("\npeople (switched off): what people run is their own business (no process now)\n")
        .says("\ncompressors: compresses something large (no process now)\n  name=xz|gzip|")
        .says("\nlow-priority: gives way to everything else: nice 10 or more (1 process now)\n  nice>=10,nice.lowest>=10,");
    let file = room.place.script("q.toml", "[cpu]\nwithout = [\"peple\"]\n");
    let said = room.cpu(&["--show-exempt", "--config", &file.display().to_string()]);
    said.ends(3)
        .says("UNKNOWN: the configuration is faulty, and may say otherwise\n")
        .says("peple");
}

#[test]
fn the_configuration_says_who_may_how_much_and_for_how_long() {
    need_burners!();
    let room = Room::new();
    let _person = room.burner_by(&["setpriv", "--reuid=12345"], "pwtperson", &["spin", "1", "100"]);
    let _daemon = room.burner("pwtdaemon", &["spin", "1", "100"]);
    let state = room.file("state");
    let run = |toml: &str, words: &[&str]| {
        let file = room.place.path().join("p.toml");
        std::fs::write(&file, toml).expect("written");
        let file = file.display().to_string();
        let own = ["--format", "mon", "--config", &file];
        room.cpu(&[&own[..], words].concat())
    };
    let exempt = "[cpu]\nexempt = [ { select = \"name=pwtdaemon\", reason = \"it may\" } ]\n";
    run(exempt, &["80%"])
        .ends(0)
        .says("by the exception name=pwtdaemon: it may");
    let without = format!("{exempt}without = [\"people\"]\n");
    let said = run(&without, &["80%"]).ends(2);
    assert_eq!(said.first_line(), "CRITICAL: cpu: pwtperson (12345)");
    run("[cpu]\nlimit = \"250%\"\n", &[]).ends(0);
    // From run to run: sooner than by default, and none the less later than this.
    let patience = "[cpu]\nwarning = \"1m\"\ncritical = \"2m\"\n";
    let remembered = ["--state", state.as_str()];
    run(patience, &remembered)
        .ends(0)
        .says("over the limit, but not yet for 1 min: ");
    age(&state, 70);
    let said = run(patience, &remembered).ends(1);
    assert_eq!(said.first_line(), "WARNING: cpu: pwtdaemon (root)");
    age(&state, 70);
    run(patience, &remembered).ends(2);
    // What can't be understood is UNKNOWN; where it is not about the limits, they are judged beside it.
    let said = run("[cpu]\nlimit = \"much\"\n", &["80%"]).ends(3);
    assert_eq!(said.first_line(), "UNKNOWN: cpu faulty");
    let broken = "[[check]]\nname = \"x\"\nselect = \"x\"\n[cpu\nlimit = 90\n";
    let said = run(broken, &["80%"]).ends(2).says("unclosed table");
    assert_eq!(said.first_line(), "CRITICAL: cpu: pwtdaemon (root)");
    run(broken, &["250%"]).ends(3);
    // Checks are no matter of this command, and neither is a configuration that is not there.
    run("[[check]]\nname = \"x\"\nselect = \"x=\"\n", &["250%"]).ends(0);
    let nowhere = room.file("nowhere.toml");
    room.cpu(&["250%", "--config", &nowhere]).ends(3);
}
