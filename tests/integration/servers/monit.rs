//! monit, which runs procward as a program and notes how it ended.

use super::{Home, Server, Written, as_server, free_port, hostile};
use crate::common::{need, output};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

const MONIT: &str = "/usr/bin/monit";

/// The real monit, which looks every second.
struct Monit<'a> {
    home: &'a Home,
    server: Server,
    port: u16,
}

impl<'a> Monit<'a> {
    fn start(home: &'a Home) -> Monit<'a> {
        let port = free_port();
        let d = home.path().display();
        let config = format!(
            "set daemon 1\nset log {d}/monit.log\nset pidfile {d}/monit.pid\nset idfile {d}/monit.id\n\
             set statefile {d}/monit.state\nset limits {{ programOutput: 4 kB }}\n\
             set httpd port {port} and use address 127.0.0.1\n  allow 127.0.0.1\n  allow admin:monit\n\
             include {d}/conf.d/*\n"
        );
        home.directory("conf.d");
        home.file("conf.d/procward", &home.contrib("monit/procward"));
        let config = home.file("monitrc", &config);
        output(as_server(MONIT).arg("-t").arg("-c").arg(&config)).ends(0);
        Monit {
            home,
            server: Server::start(
                &home.place,
                "monit",
                as_server(MONIT).arg("-I").arg("-c").arg(config),
            ),
            port,
        }
    }

    /// How the program ended the last time, and what it said.
    fn program(&self) -> Option<(String, String)> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        let request = "GET /_status?format=xml HTTP/1.0\r\nAuthorization: Basic YWRtaW46bW9uaXQ=\r\n\r\n";
        stream.write_all(request.as_bytes()).ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        let (_, program) = text.split_once("<program>")?;
        let (_, status) = program.split_once("<status>")?;
        let (status, rest) = status.split_once("</status>")?;
        let (_, said) = rest.split_once("<output><![CDATA[")?;
        let (said, _) = said.split_once("]]></output>")?;
        Some((status.to_owned(), said.to_owned()))
    }

    fn wait_for(&self, status: &str) -> String {
        self.server.wait_for(&format!("status {status}"), || {
            let (now, said) = self.program()?;
            (now == status && !said.is_empty()).then_some(said)
        })
    }

    fn wait_for_log(&self, line: &str) {
        self.server
            .wait_for(line, || self.home.read("monit.log").contains(line).then_some(()));
    }
}

#[test]
fn monit_notes_a_failure_its_end_and_hostile_names_as_they_were_written() {
    need!(Path::new(MONIT).exists(), "monit is not installed");
    let home = Home::new();
    let live = home.start_daemon();
    let monit = Monit::start(&home);
    assert!(monit.wait_for("0").starts_with("OK: 2 checks\n"));
    drop(live);
    let said = monit.wait_for("2");
    assert!(
        said.starts_with("CRITICAL: daemon missing\ndaemon: no process; "),
        "{said}"
    );
    assert!(home.wrote(&Written::of(&said)), "{said}");
    monit.wait_for_log("'procward' status failed (2) -- CRITICAL: daemon missing");
    assert!(!monit.home.read("monit.log").contains("status succeeded"));
    let _live = home.start_daemon();
    assert!(monit.wait_for("0").starts_with("OK: 2 checks\n"));
    monit.wait_for_log("'procward' status succeeded (0) -- OK: 2 checks");
    let _hostile = hostile();
    let said = monit.wait_for("2");
    assert!(said.starts_with("CRITICAL: hostile running ("), "{said}");
    assert!(home.wrote(&Written::of(&said)), "{said}");
}
