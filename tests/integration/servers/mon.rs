//! mon, with the service of contrib/mon in its mon.cf.

use super::{Home, Server, as_server, free_port, hostile, shipped};
use crate::common::need;
use crate::mon_daemon::MON;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

/// The real mon.
struct Mon<'a> {
    home: &'a Home,
    server: Server,
    client: TcpStream,
}

impl<'a> Mon<'a> {
    fn start(home: &'a Home) -> Mon<'a> {
        let [monitors, alerts, state] = ["mon.d", "alert.d", "state"].map(|name| home.directory(name));
        std::os::unix::fs::symlink(
            home.recorded("procward.monitor"),
            monitors.join("procward.monitor"),
        )
        .expect("a link");
        let log = home.path().join("alerts");
        // In one piece, for the file is read meanwhile.
        let alert = format!(
            "#!/bin/sh\nprintf '== %s\\n%s\\n' \"$MON_ALERTTYPE $*\" \"$(cat)\" >> {}\n",
            log.display()
        );
        home.place.script("alert.d/mail.alert", &alert);
        let config = format!(
            "serverbind = 127.0.0.1\ntrapbind = 127.0.0.1\nrandstart = 1s\n\nhostgroup h 127.0.0.1\n\nwatch h\n{}",
            shipped("mon/procward.cf")
        );
        let config = home.file("mon.cf", &config);
        let auth = home.file("auth.cf", "command section\nlist: all\nquit: all\ntest: all\n\n");
        let port = free_port();
        let mut mon = as_server(MON);
        for (option, path) in [("-c", &config), ("-A", &auth), ("-s", &monitors), ("-a", &alerts)] {
            mon.arg(option).arg(path);
        }
        mon.arg("-D").arg(&state).arg("-L").arg(&state).args(["-P", ""]);
        mon.arg("-p").arg(port.to_string());
        mon.arg("-t").arg(free_port().to_string());
        let server = Server::start(&home.place, "mon", &mut mon);
        let client = server.wait_for("mon", || TcpStream::connect(("127.0.0.1", port)).ok());
        Mon { home, server, client }
    }

    /// What mon answers to a command. It hears who is new once a second only, so one connection stays.
    fn ask(&self, command: &str) -> Option<Vec<String>> {
        let mut stream = &self.client;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        stream.write_all(format!("{command}\n").as_bytes()).ok()?;
        let mut lines = Vec::new();
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let last = line.starts_with("220 ") || line.starts_with("520 ");
            lines.push(line);
            if last {
                break;
            }
        }
        Some(lines)
    }

    /// Has the service looked at now, and waits until the monitor has ended so.
    fn wait_for_exit(&self, code: u8) {
        let wanted = format!("exitval={code} ");
        let mut asked = false;
        self.server.wait_for(&wanted, || {
            let lines = self.ask("list opstatus")?;
            if lines
                .iter()
                .any(|line| line.contains("service=processes ") && line.contains(&wanted))
            {
                return Some(());
            }
            if !asked {
                asked = self
                    .ask("test monitor h processes")?
                    .iter()
                    .any(|line| line.starts_with("220 "));
            }
            None
        });
    }

    /// The alerts: the kind with its arguments, then what was written.
    fn wait_for_alerts(&self, number: usize) -> Vec<String> {
        self.server.wait_for(&format!("{number} alerts"), || {
            let text = self.home.read("alerts");
            let alerts: Vec<String> = text.split("== ").skip(1).map(str::to_owned).collect();
            (alerts.len() >= number).then_some(alerts)
        })
    }
}

#[test]
fn mon_alerts_and_recovers_and_hands_on_hostile_names_as_they_were_written() {
    need!(Path::new(MON).exists(), "mon is not installed");
    let home = Home::new();
    let live = home.start_daemon();
    let mon = Mon::start(&home);
    mon.wait_for_exit(0);
    drop(live);
    mon.wait_for_exit(2);
    let alerts = mon.wait_for_alerts(1);
    assert!(
        alerts[0].starts_with("failure ") && alerts[0].contains(" root\n"),
        "{alerts:?}"
    );
    assert!(
        alerts[0].contains("\nCRITICAL: daemon missing\ndaemon: no process; "),
        "{alerts:?}"
    );
    let _live = home.start_daemon();
    mon.wait_for_exit(0);
    assert!(mon.wait_for_alerts(2)[1].starts_with("up "));
    let _hostile = hostile();
    mon.wait_for_exit(2);
    let alerts = mon.wait_for_alerts(3);
    let (_, said) = alerts[2].split_once('\n').expect("two lines");
    assert!(said.starts_with("CRITICAL: hostile running ("), "{said}");
    assert!(home.wrote(&super::Written::of(said)), "{said}");
}
