//! The real mon daemon runs procward as its `ps.monitor`, as the user mon where the tests run as root.

use crate::common::{Place, command, ids, is_root, need, spawn, unique, wait_for};
use crate::process::{Live, pids_of};
use rustix::process::{Pid, Signal, kill_process_group};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

const MON: &str = "/usr/sbin/mon";

/// A mon daemon with one service, looked at every second; the whole process group is killed when dropped.
struct Daemon {
    child: Child,
    port: u16,
    place: Place,
}

impl Daemon {
    /// `monitor`: what is to be found as `ps.monitor`. `specs`: its arguments.
    fn start(place: Place, monitor: &Path, specs: &str) -> Daemon {
        let home = place.directory("mon");
        let [monitors, alerts, state] =
            ["mon/mon.d", "mon/alert.d", "mon/state"].map(|name| place.directory(name));
        symlink(monitor, monitors.join("ps.monitor")).expect("a link");
        let log = home.join("alerts");
        let alert = format!(
            "#!/bin/sh\n{{ echo \"== $MON_ALERTTYPE\"; cat; }} >> {}\n",
            log.display()
        );
        place.script("mon/alert.d/log.alert", &alert);
        let (port, traps) = free_ports();
        let configuration = format!(
            "serverbind = 127.0.0.1\ntrapbind = 127.0.0.1\nrandstart = 1s\n\nhostgroup h 127.0.0.1\n\nwatch h\n\
             \tservice procs\n\t\tinterval 1s\n\t\tmonitor ps.monitor {specs} ;;\n\t\tperiod wd {{Sun-Sat}}\n\
             \t\t\talertevery 1h\n\t\t\talert log.alert\n\t\t\tupalert log.alert\n"
        );
        std::fs::write(home.join("mon.cf"), configuration).expect("mon.cf");
        std::fs::write(home.join("auth.cf"), "command section\nlist: all\nquit: all\n\n").expect("auth.cf");
        let mut command = command(MON);
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
        if let Some((uid, gid)) = ids("mon").filter(|_| is_root()) {
            for path in [&home, &state] {
                std::os::unix::fs::chown(path, Some(uid), Some(gid)).expect("chown");
            }
            command.uid(uid).gid(gid);
        }
        Daemon {
            child: spawn(&mut command),
            port,
            place,
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.place.path().join("mon").join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap_or_default()
    }

    /// What `list opstatus` says of the service.
    fn status(&self) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        stream.write_all(b"list opstatus\n").ok()?;
        BufReader::new(stream)
            .lines()
            .map_while(Result::ok)
            .find(|line| line.contains("service=procs"))
    }

    /// Waits until mon holds the service for up (1) or failed (0).
    fn wait_for_status(&self, opstatus: u8) -> String {
        let wanted = format!("opstatus={opstatus} ");
        let what = format!(
            "{wanted}; mon wrote: {}; last: {:?}",
            self.read("output"),
            self.status()
        );
        wait_for(&what, 20, || self.status().filter(|line| line.contains(&wanted)))
    }

    /// Each alert: its kind, and the first line of what it was given.
    fn alerts(&self) -> Vec<(String, String)> {
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

    fn wait_for_alerts(&self, count: usize) -> Vec<(String, String)> {
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

fn alert(kind: &str, line: &str) -> (String, String) {
    (kind.to_owned(), line.to_owned())
}

#[test]
fn a_failure_alerts_once_and_its_end_upalerts() {
    need!(Path::new(MON).exists(), "mon is not installed");
    let programs = Place::new();
    let live = Live::named(&programs, &unique("one"));
    let place = Place::new();
    let link = place.link("ps.monitor");
    let mon = Daemon::start(place, &link, &format!("{}:1-1", unique("one")));
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
    let home = place.directory("mon");
    // Notes the first line of each run, as mon sees it: standard error comes first.
    let recorder = format!(
        "#!/bin/sh\n{} \"$@\" > {home}/last 2>&1\nstatus=$?\nhead -n 1 {home}/last >> {home}/lines\ncat {home}/last\n\
         exit $status\n",
        place.link("ps.monitor").display(),
        home = home.display()
    );
    let recorder = place.script("recorder", &recorder);
    let mut few = vec![Live::named(&programs, &unique("few"))];
    let mut many: Vec<Live> = (0..2).map(|_| Live::named(&programs, &unique("many"))).collect();
    let mon = Daemon::start(
        place,
        &recorder,
        &format!("{}:5- {}:1-1", unique("few"), unique("many")),
    );
    let mut details = Vec::new();
    for runs in 1..=7 {
        wait_for("another run", 20, || {
            (mon.read("lines").lines().count() >= runs).then_some(())
        });
        details.push(mon.read("last"));
        if runs % 2 == 0 {
            few.truncate(1);
            many.push(Live::named(&programs, &unique("many")));
        } else {
            few.push(Live::named(&programs, &unique("few")));
            many.truncate(2);
        }
    }
    let expected = format!("CRITICAL: {} too few, {} too many", unique("few"), unique("many"));
    let lines = mon.read("lines");
    assert!(lines.lines().all(|line| line == expected), "{lines}");
    details.dedup();
    assert!(details.len() > 1, "the counts must move: {details:?}");
    let alerts = mon.wait_for_alerts(1);
    assert_eq!(alerts, [alert("failure", &expected)]);
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
