//! The real mon daemon, but for how often it looks what is due, runs procward as its `ps.monitor`, as the user mon where the
//! tests run as root. With its own pace it is in `servers`.

use crate::common::{Place, command, ids, is_root, need, spawn, unique, wait_for};
use crate::namespace::Namespace;
use crate::process::{Live, pids_of};
use rustix::process::{Pid, Signal, kill_process_group};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

pub(crate) const MON: &str = "/usr/sbin/mon";

/// A mon daemon with one service, looked at as soon as it may; the whole process group is killed when dropped.
pub(crate) struct Daemon {
    pub(crate) child: Child,
    port: u16,
    place: Place,
    namespace: Option<Namespace>,
}

impl Daemon {
    /// `monitor`: what is to be found as `ps.monitor`. `specs`: its arguments.
    pub(crate) fn start(place: Place, monitor: &Path, specs: &str) -> Daemon {
        Daemon::with(place, monitor, &format!("monitor ps.monitor {specs} ;;"))
    }

    /// `monitor`: what is to be found under the name that `lines` give, which are those of the service in mon.cf.
    fn with(place: Place, monitor: &Path, lines: &str) -> Daemon {
        Daemon::within(None, place, monitor, lines)
    }

    pub(crate) fn within(namespace: Option<Namespace>, place: Place, monitor: &Path, lines: &str) -> Daemon {
        let name = lines
            .split_once("monitor ")
            .and_then(|(_, rest)| rest.split(' ').next());
        let home = place.directory("mon");
        let [monitors, alerts, state] =
            ["mon/mon.d", "mon/alert.d", "mon/state"].map(|name| place.directory(name));
        symlink(monitor, monitors.join(name.expect("a monitor"))).expect("a link");
        let log = home.join("alerts");
        let alert = format!(
            "#!/bin/sh\n{{ echo \"== $MON_ALERTTYPE\"; cat; }} >> {}\n",
            log.display()
        );
        place.script("mon/alert.d/log.alert", &alert);
        let (port, traps) = free_ports();
        let configuration = format!(
            "serverbind = 127.0.0.1\ntrapbind = 127.0.0.1\nrandstart = 1s\n\nhostgroup h 127.0.0.1\n\nwatch h\n\
             \tservice procs\n\t\tinterval 1s\n{lines}\n\t\tperiod wd {{Sun-Sat}}\n\
             \t\t\talertevery 1h\n\t\t\talert log.alert\n\t\t\tupalert log.alert\n"
        );
        std::fs::write(home.join("mon.cf"), configuration).expect("mon.cf");
        std::fs::write(home.join("auth.cf"), "command section\nlist: all\nquit: all\n\n").expect("auth.cf");
        let user = ids("mon").filter(|_| is_root());
        let program = hasty(&place);
        let mut command = match &namespace {
            None => command(program),
            Some(namespace) => {
                let words = namespace.enter(if user.is_some() { "mon" } else { "root" });
                let mut command = command(&words[0]);
                command.args(&words[1..]).arg(program);
                command
            }
        };
        for (option, path) in [
            ("-c", home.join("mon.cf")),
            ("-A", home.join("auth.cf")),
            ("-s", monitors),
        ] {
            command.arg(option).arg(path);
        }
        command
            .arg("-a")
            .arg(&alerts)
            .arg("-D")
            .arg(&state)
            .arg("-L")
            .arg(&state)
            .args(["-P", ""]);
        command
            .arg("-p")
            .arg(port.to_string())
            .arg("-t")
            .arg(traps.to_string())
            .process_group(0);
        let file = std::fs::File::create(home.join("output")).expect("a file");
        command.stdout(file.try_clone().expect("a file")).stderr(file);
        if let Some((uid, gid)) = user {
            for path in [&home, &state] {
                std::os::unix::fs::chown(path, Some(uid), Some(gid)).expect("chown");
            }
            if namespace.is_none() {
                command.uid(uid).gid(gid);
            }
        }
        Daemon {
            child: spawn(&mut command),
            port,
            place,
            namespace,
        }
    }

    /// Where it runs, if not beside the host's processes.
    pub(crate) fn namespace(&self) -> Option<&Namespace> {
        self.namespace.as_ref()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.place.path().join("mon").join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap_or_default()
    }

    /// What `list opstatus` says of the service.
    pub(crate) fn status(&self) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        stream.write_all(b"list opstatus\n").ok()?;
        BufReader::new(stream)
            .lines()
            .map_while(Result::ok)
            .find(|line| line.contains("service=procs"))
    }

    /// Waits until mon holds the service for up (1) or failed (0).
    pub(crate) fn wait_for_status(&self, opstatus: u8) -> String {
        let wanted = format!("opstatus={opstatus} ");
        let what = format!(
            "{wanted}; mon wrote: {}; last: {:?}",
            self.read("output"),
            self.status()
        );
        wait_for(&what, 20, || self.status().filter(|line| line.contains(&wanted)))
    }

    /// Waits until the last run of the monitor ended so.
    pub(crate) fn wait_for_exit(&self, code: u8) {
        let wanted = format!("exitval={code} ");
        wait_for(&wanted, 20, || {
            self.status().filter(|line| line.contains(&wanted))
        });
    }

    /// Waits until a run of a recorder has found so many processes of each name.
    fn wait_for_details(&self, counts: &[(&str, usize)]) {
        let details = counts.iter().map(|(name, count)| {
            let plural = if *count == 1 { "" } else { "es" };
            format!("\n{name}: {count} process{plural};")
        });
        let details: Vec<String> = details.collect();
        wait_for(&format!("{details:?}"), 20, || {
            let last = self.read("last");
            details.iter().all(|text| last.contains(text)).then_some(())
        });
    }

    /// Waits until mon has made of the last run of a recorder what it is to make of it: only then it begins another.
    fn wait_for_another_run(&self) {
        let runs = || self.read("lines").lines().count();
        let before = runs();
        wait_for("another run", 20, || (runs() > before).then_some(()));
    }

    /// Each alert: its kind, and the first line of what it was given.
    pub(crate) fn alerts(&self) -> Vec<(String, String)> {
        let text = self.read("alerts");
        let mut alerts = Vec::new();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if let Some(kind) = line.strip_prefix("== ") {
                // An alert that is being written has no text yet.
                alerts.extend(lines.next().map(|text| (kind.to_owned(), text.to_owned())));
            }
        }
        alerts
    }

    pub(crate) fn wait_for_alerts(&self, count: usize) -> Vec<(String, String)> {
        wait_for("an alert", 20, || {
            Some(self.alerts()).filter(|alerts| alerts.len() >= count)
        })
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) else {
            return;
        };
        let _ = kill_process_group(group, Signal::TERM);
        let end = Instant::now() + Duration::from_millis(1500);
        while Instant::now() < end && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = kill_process_group(group, Signal::KILL);
        let _ = self.child.wait();
    }
}

/// mon, but that it looks 20 times a second for what is due and what has ended; its own option takes whole seconds only.
fn hasty(place: &Place) -> PathBuf {
    let text = std::fs::read_to_string(MON).expect("mon");
    let pause = "$SLEEPINT  = 1;";
    assert_eq!(text.matches(pause).count(), 1, "{MON}");
    place.script("mon/mon", &text.replace(pause, "$SLEEPINT  = 0.05;"))
}

/// A monitor that notes the first line of each run, as mon sees it (standard error comes first), and the last output.
pub(crate) fn recorder(place: &Place, name: &str) -> PathBuf {
    let text = format!(
        "#!/bin/sh\n{} \"$@\" > {home}/now 2>&1\nstatus=$?\nmv {home}/now {home}/last\n\
         head -n 1 {home}/last >> {home}/lines\ncat {home}/last\nexit $status\n",
        place.link(name).display(),
        home = place.directory("mon").display()
    );
    place.script("recorder", &text)
}

/// A free TCP port and a free UDP port.
fn free_ports() -> (u16, u16) {
    let tcp = TcpListener::bind("127.0.0.1:0")
        .and_then(|socket| socket.local_addr())
        .expect("a port");
    let udp = UdpSocket::bind("127.0.0.1:0")
        .and_then(|socket| socket.local_addr())
        .expect("a port");
    (tcp.port(), udp.port())
}

/// Ends some of these processes, or starts more, until there are so many.
fn resize(live: &mut Vec<Live>, count: usize, programs: &Place, name: &str) {
    live.truncate(count);
    while live.len() < count {
        live.push(Live::named(programs, name));
    }
}

pub(crate) fn alert(kind: &str, line: &str) -> (String, String) {
    (kind.to_owned(), line.to_owned())
}

#[test]
fn a_failure_alerts_once_and_its_end_upalerts() {
    need!(Path::new(MON).exists(), "mon is not installed");
    let programs = Place::new();
    let live = Live::named(&programs, &unique("one"));
    let place = Place::new();
    let link = place.link("ps.monitor");
    let mon = Daemon::start(place, &link, &format!("--recheck 0 {}:1-1", unique("one")));
    assert!(mon.wait_for_status(1).contains("exitval=0"));
    assert_eq!(mon.alerts(), []);

    drop(live);
    assert!(mon.wait_for_status(0).contains("exitval=1"));
    let failure = alert("failure", &format!("CRITICAL: {} missing", unique("one")));
    assert_eq!(mon.wait_for_alerts(1), std::slice::from_ref(&failure));

    let _live = Live::named(&programs, &unique("one"));
    mon.wait_for_status(1);
    // mon gives an upalert the last failing output.
    assert_eq!(
        mon.wait_for_alerts(2),
        [
            failure,
            alert("up", &format!("CRITICAL: {} missing", unique("one")))
        ]
    );
}

#[test]
fn two_failures_alert_once_while_their_counts_move() {
    need!(Path::new(MON).exists(), "mon is not installed");
    let programs = Place::new();
    let place = Place::new();
    let recorder = recorder(&place, "ps.monitor");
    let (few, many) = (unique("few"), unique("many"));
    let mut live = [Vec::new(), Vec::new()];
    let mut become_so = |fews, manys| {
        resize(&mut live[0], fews, &programs, &few);
        resize(&mut live[1], manys, &programs, &many);
    };
    become_so(1, 2);
    let mon = Daemon::start(place, &recorder, &format!("--recheck 0 {few}:5- {many}:1-1"));
    for (fews, manys) in [(1, 2), (2, 2), (1, 3), (2, 2), (1, 3), (2, 2), (1, 3)] {
        become_so(fews, manys);
        mon.wait_for_details(&[(&few, fews), (&many, manys)]);
    }
    let expected = format!("CRITICAL: {few} too few, {many} too many");
    let lines = mon.read("lines");
    assert!(lines.lines().all(|line| line == expected), "{lines}");
    mon.wait_for_another_run();
    assert_eq!(mon.alerts(), [alert("failure", &expected)]);
}

#[test]
fn the_line_of_a_mail_and_tor_host_works_as_the_user_mon() {
    need!(
        Path::new(MON).exists() && ids("mon").is_some(),
        "mon is not installed"
    );
    need!(is_root(), "only root can become the user mon");
    // Another run of these tests may be at it.
    let end = Instant::now() + Duration::from_secs(60);
    let free = || pids_of(b"tor").is_empty() && pids_of(b"master").is_empty();
    while !free() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(100));
    }
    need!(free(), "tor or master runs here already");
    let programs = Place::new();
    let _tor = Live::named(&programs, "tor");
    let _sshd = [Live::named(&programs, "sshd"), Live::named(&programs, "sshd")];
    let master = Live::named(&programs, "master");
    let place = Place::new();
    let link = place.link("ps.monitor");
    let mon = Daemon::start(place, &link, "tor:1-1 master:1-2 sshd:1-");
    assert!(mon.wait_for_status(1).contains("exitval=0"));
    drop(master);
    assert!(mon.wait_for_status(0).contains("exitval=1"));
    assert_eq!(
        mon.wait_for_alerts(1),
        [alert("failure", "CRITICAL: master missing")]
    );
}

/// A configuration file below `place`, one check a line: name, selector, more. What fails is told at once.
fn configuration(place: &Place, checks: &[(&str, &str, &str)]) -> PathBuf {
    let text: String = checks
        .iter()
        .map(|(name, select, more)| {
            format!("[[check]]\nname = \"{name}\"\nselect = \"{select}\"\n{more}\n\n")
        })
        .collect();
    place.script("procward.toml", &format!("recheck = \"0\"\n\n{text}"))
}

#[test]
fn a_warning_that_flickers_beside_a_steady_failure_does_not_alert_again() {
    need!(Path::new(MON).exists(), "mon is not installed");
    let programs = Place::new();
    let place = Place::new();
    let (steady, flicker) = (unique("steady"), unique("flick"));
    let file = configuration(
        &place,
        &[
            ("steady", &steady, "count = 1"),
            ("flicker", &flicker, "count = \"1-9\"\nwarning = \"1\""),
        ],
    );
    let recorder = recorder(&place, "procward.monitor");
    let mut live = vec![Live::named(&programs, &flicker)];
    let lines = format!("monitor procward.monitor --config {} ;;", file.display());
    let mon = Daemon::with(place, &recorder, &lines);
    let warned = || mon.read("last").contains("\nflicker: 2 processes;");
    for warns in [false, true, false, true] {
        resize(&mut live, if warns { 2 } else { 1 }, &programs, &flicker);
        mon.wait_for_another_run();
        wait_for("the warning, or its end", 20, || {
            (warned() == warns).then_some(())
        });
    }
    mon.wait_for_another_run();
    mon.wait_for_exit(2);
    let lines = mon.read("lines");
    assert!(
        lines.lines().all(|line| line == "CRITICAL: steady missing"),
        "{lines}"
    );
    assert_eq!(mon.alerts(), [alert("failure", "CRITICAL: steady missing")]);
}

#[test]
fn mon_sees_each_state_by_its_exit_status_and_from_which_file_it_is() {
    need!(Path::new(MON).exists(), "mon is not installed");
    let programs = Place::new();
    let place = Place::new();
    let name = unique("state");
    let check = ("daemon", name.as_str(), "count = \"1-\"\nwarning = \"2-\"");
    let file = configuration(&place, &[check]);
    let recorder = recorder(&place, "procward.monitor");
    let mut live = vec![Live::named(&programs, &name), Live::named(&programs, &name)];
    let lines = format!(
        "PROCWARD_CONFIG={}\n\t\tmonitor procward.monitor ;;",
        file.display()
    );
    let mon = Daemon::with(place, &recorder, &lines);
    mon.wait_for_exit(0);
    assert_eq!(
        mon.read("last"),
        format!("OK: 1 check\nchecks from {}\n", file.display())
    );
    live.truncate(1);
    mon.wait_for_exit(1);
    live.clear();
    mon.wait_for_exit(2);
    std::fs::remove_file(&file).expect("removed");
    mon.wait_for_exit(3);
    let mut lines: Vec<String> = mon.read("lines").lines().map(str::to_owned).collect();
    lines.dedup();
    assert_eq!(
        lines,
        [
            "OK: 1 check".to_owned(),
            "WARNING: daemon too few".to_owned(),
            "CRITICAL: daemon missing".to_owned(),
            format!("UNKNOWN: {} faulty", file.display())
        ]
    );
}

#[test]
fn a_fault_in_one_check_is_unknown_while_the_others_are_judged() {
    need!(Path::new(MON).exists(), "mon is not installed");
    let programs = Place::new();
    let place = Place::new();
    let name = unique("fault");
    let strange = format!("{name},user=pwt-no-such-user");
    let file = configuration(
        &place,
        &[("strange", &strange, ""), ("daemon", &name, "count = 1")],
    );
    let link = place.link("procward.monitor");
    let live = Live::named(&programs, &name);
    let lines = format!("monitor procward.monitor --config {} ;;", file.display());
    let mon = Daemon::with(place, &link, &lines);
    mon.wait_for_exit(3);
    let unknown = alert("failure", "UNKNOWN: strange faulty");
    assert_eq!(mon.wait_for_alerts(1), std::slice::from_ref(&unknown));
    let text = mon.read("alerts");
    assert!(text.contains("no user `pwt-no-such-user`"), "{text}");
    assert!(text.contains("1 other check ok"), "{text}");
    drop(live);
    mon.wait_for_exit(2);
    assert_eq!(
        mon.wait_for_alerts(2),
        [unknown, alert("failure", "CRITICAL: daemon missing")]
    );
}

#[test]
fn a_monitor_line_without_its_semicolons_is_told_in_the_summary() {
    need!(Path::new(MON).exists(), "mon is not installed");
    let programs = Place::new();
    let name = unique("semi");
    let _live = Live::named(&programs, &name);
    let summary = "UNKNOWN: missing ;; in mon.cf: 127.0.0.1 faulty";
    for monitor in ["ps.monitor", "procward.monitor"] {
        let place = Place::new();
        let file = configuration(&place, &[("daemon", &name, "count = 1")]);
        let link = place.link(monitor);
        let lines = match monitor {
            "ps.monitor" => format!("monitor ps.monitor {name}:1-1"),
            _ => format!("PROCWARD_CONFIG={}\n\t\tmonitor procward.monitor", file.display()),
        };
        let mon = Daemon::with(place, &link, &lines);
        mon.wait_for_exit(3);
        assert_eq!(mon.wait_for_alerts(1), [alert("failure", summary)], "{monitor}");
        // The check itself was judged.
        let text = mon.read("alerts");
        assert!(text.contains("1 other check ok"), "{monitor}: {text}");
    }
}

#[test]
fn one_mon_is_counted_from_its_own_monitor() {
    need!(Path::new(MON).exists(), "mon is not installed");
    need!(is_root(), "namespaces need root");
    // Another mon may run on the host.
    let namespace = Namespace::sharing_the_network();
    let place = Place::new();
    let link = place.link("ps.monitor");
    let mon = Daemon::within(
        Some(namespace),
        place,
        &link,
        "monitor ps.monitor mon:1 mon,main=yes,user=mon:1-1 ;;",
    );
    assert!(mon.wait_for_status(1).contains("exitval=0"));
    // It stays so, whatever mon is at.
    let began = Instant::now();
    wait_for("many runs", 20, || {
        assert!(mon.wait_for_status(1).contains("exitval=0"));
        (began.elapsed() > Duration::from_secs(1)).then_some(())
    });
    assert_eq!(mon.alerts(), []);
}

#[test]
fn a_load_that_rises_and_falls_alerts_once() {
    need!(Path::new(MON).exists(), "mon is not installed");
    let host = Place::new();
    let proc = host.directory("proc");
    let say = |averages: &str| {
        // At once, or mon's run could see half of it.
        std::fs::write(proc.join("new"), format!("{averages} 1/2 3\n")).expect("written");
        std::fs::rename(proc.join("new"), proc.join("loadavg")).expect("renamed");
    };
    say("9.00 0.00 0.00");
    let place = Place::new();
    let home = place.directory("mon");
    // mon's recorder, of a command that needs no root to see another load.
    let monitor = place.script(
        "recorder",
        &format!(
            "#!/bin/sh\n{} load --format mon --proc {} \"$@\" > {home}/now 2>&1\nstatus=$?\n\
             head -n 2 {home}/now >> {home}/lines\ncat {home}/now\nexit $status\n",
            place.procward().display(),
            proc.display(),
            home = home.display()
        ),
    );
    let mon = Daemon::with(place, &monitor, "monitor loadavg.monitor 4 3 2 ;;");
    let mut seen = 0;
    for (averages, high) in [
        ("9.00 0.00 0.00", "load1"),
        ("9.00 9.00 0.00", "load1 load5"),
        ("9.00 9.00 9.00", "load1 load5 load15"),
        ("0.00 9.00 9.00", "load5 load15"),
        ("0.00 0.00 9.00", "load15"),
    ] {
        say(averages);
        let line = format!("want at most 4 3 2, too high: {high};");
        wait_for(&line, 20, || mon.read("lines").contains(&line).then_some(()));
        seen += 1;
    }
    assert_eq!(seen, 5);
    mon.wait_for_exit(2);
    assert_eq!(mon.alerts(), [alert("failure", "CRITICAL: load high")]);
    say("0.00 0.00 0.00");
    mon.wait_for_exit(0);
}
