//! The real snmpd serves the checks as prTable, by the line of contrib/snmp/snmpd.conf, and its own tools read them.

use crate::common::{Place, command, need, output, unique};
use crate::process::Live;
use crate::server::{Server, as_user, directory_of, shipped, shipped_for};
use std::io::{BufRead, BufReader, Write};
use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Stdio};
use std::time::{Duration, Instant};

const SNMPD: &str = "/usr/sbin/snmpd";
const SNMPWALK: &str = "/usr/bin/snmpwalk";
const TABLE: &str = ".1.3.6.1.4.1.2021.2";
const USER: &str = "Debian-snmp";

fn is_installed() -> bool {
    [SNMPD, SNMPWALK].iter().all(|file| Path::new(file).exists())
}

/// The real snmpd, as Debian's user where the tests run as root.
struct Snmpd {
    server: Server,
    address: String,
}

impl Snmpd {
    /// `config`: that of procward.
    fn start(place: &Place, config: &Path) -> Snmpd {
        let socket = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        let address = format!("127.0.0.1:{}", socket.expect("a port").port());
        let state = directory_of(USER, place, "state");
        let program = PathBuf::from(format!(
            "/usr/bin/env PROCWARD_CONFIG={} {}",
            config.display(),
            place.procward().display()
        ));
        let lines = shipped_for(
            "snmp/snmpd.conf",
            &[("/usr/bin/procward", &program), ("/var/lib/snmp", &state)],
        );
        let lines = lines.replace(" snmp --state ", " snmp --keep 1s --state ");
        assert!(lines.contains(" --keep 1s "), "{lines}");
        let text = format!("rocommunity public 127.0.0.1\nagentAddress udp:{address}\n{lines}");
        let config = place.script("snmpd.conf", &text);
        let mut command = as_user(USER, SNMPD);
        command
            .env("SNMP_PERSISTENT_DIR", &state)
            .args(["-f", "-Lo", "-C", "-c"])
            .arg(config)
            .args(["-I", &modules_left_out(), "-p"])
            .arg(state.join("pid"));
        let server = Server::start(place, "snmpd", &mut command);
        let snmpd = Snmpd { server, address };
        snmpd.server.wait_for("snmpd", || {
            let said = snmpd.ask_for("snmpget", ".1.3.6.1.2.1.1.3.0", "0.2");
            said.contains("Timeticks").then_some(())
        });
        snmpd
    }

    fn ask(&self, tool: &str, oid: &str) -> String {
        self.ask_for(tool, oid, "10")
    }

    /// The same, for so many seconds: what asks before snmpd is there is never answered.
    fn ask_for(&self, tool: &str, oid: &str, seconds: &str) -> String {
        let mut command = command(Path::new("/usr/bin").join(tool));
        command.args([
            "-v2c",
            "-c",
            "public",
            "-On",
            "-t",
            seconds,
            "-r",
            "0",
            &self.address,
            oid,
        ]);
        output(&mut command).stdout()
    }

    /// Whether each row is in error, and why.
    fn errors(&self) -> Vec<(String, String)> {
        let column = |number: u8| values(&self.ask("snmpwalk", &format!("{TABLE}.1.{number}")));
        column(100).into_iter().zip(column(101)).collect()
    }

    fn wait_for(&self, wanted: &[(&str, &str)]) {
        self.server.wait_for(&format!("{wanted:?}"), || {
            let errors = self.errors();
            let shown: Vec<(&str, &str)> = errors
                .iter()
                .map(|(flag, text)| (flag.as_str(), text.as_str()))
                .collect();
            (shown == wanted).then_some(())
        });
    }
}

/// What contrib/snmp/snmpd.service.conf has snmpd leave out.
fn modules_left_out() -> String {
    let text = shipped("snmp/snmpd.service.conf");
    let (_, modules) = text.rsplit_once(" -I ").expect("-I");
    modules.split(' ').next().expect("modules").to_owned()
}

/// The values of lines such as `.1.3.6 = STRING: "x"`.
fn values(text: &str) -> Vec<String> {
    let values = text.lines().filter_map(|line| Some(line.split_once(" = ")?.1));
    values
        .map(|value| {
            let value = value.split_once(": ").map_or(value, |(_, value)| value);
            value
                .trim_matches('"')
                .replace("\\\"", "\"")
                .replace("\\\\", "\\")
        })
        .collect()
}

fn config(place: &Place, checks: &[(&str, &str, &str)]) -> PathBuf {
    let checks = checks.iter().map(|(name, select, count)| {
        format!("[[check]]\nname = {name:?}\nselect = {select:?}\ncount = {count:?}\n\n")
    });
    place.script(
        "p.toml",
        &(String::from("recheck = \"1s\"\n\n") + &checks.collect::<String>()),
    )
}

#[test]
fn a_failure_and_its_end_are_rows_of_the_table() {
    need!(is_installed(), "snmpd or snmp is not installed");
    let place = Place::new();
    let name = unique("sn");
    let config = config(&place, &[("daemon", &name, "1"), ("telnet", "pwtnosuch", "0")]);
    let live = Live::named(&place, &name);
    let snmpd = Snmpd::start(&place, &config);
    let walk = snmpd.ask("snmpwalk", TABLE);
    let rows = [
        "1.1 = INTEGER: 1",
        "1.2 = INTEGER: 2",
        "2.1 = STRING: \"daemon\"",
        "2.2 = STRING: \"telnet\"",
        "3.1 = INTEGER: 1",
        "3.2 = INTEGER: 0",
        "4.1 = INTEGER: 1",
        "4.2 = INTEGER: 0",
        "5.1 = INTEGER: 1",
        "5.2 = INTEGER: 0",
        "100.1 = INTEGER: 0",
        "100.2 = INTEGER: 0",
        "101.1 = \"\"",
        "101.2 = \"\"",
        "102.1 = INTEGER: 0",
        "102.2 = INTEGER: 0",
        "103.1 = \"\"",
        "103.2 = \"\"",
    ];
    let rows: String = rows.iter().map(|row| format!("{TABLE}.1.{row}\n")).collect();
    assert_eq!(walk, rows);
    assert_eq!(snmpd.ask("snmpbulkwalk", TABLE), rows);
    assert_eq!(
        snmpd.ask("snmpget", &format!("{TABLE}.1.2.2")),
        format!("{TABLE}.1.2.2 = STRING: \"telnet\"\n")
    );
    for oid in [".1.1.0", ".1.1.3", ".1.6.1", ".2.1"].map(|end| format!("{TABLE}{end}")) {
        let said = snmpd.ask("snmpget", &oid);
        assert!(said.contains("No Such "), "{said}");
    }
    let first = snmpd.ask("snmpgetnext", TABLE);
    assert_eq!(first, format!("{TABLE}.1.1.1 = INTEGER: 1\n"));
    let behind = snmpd.ask("snmpgetnext", &format!("{TABLE}.1.103.2"));
    assert!(!behind.starts_with(&format!("{TABLE}.")), "{behind}");
    drop(live);
    let missing = format!("daemon missing; want exactly 1 process named {name}");
    snmpd.wait_for(&[("1", &missing), ("0", "")]);
    let _live = Live::named(&place, &name);
    snmpd.wait_for(&[("0", ""), ("0", "")]);
}

#[test]
fn what_processes_and_checks_are_called_reaches_the_manager_as_it_was_meant() {
    need!(is_installed(), "snmpd or snmp is not installed");
    let place = Place::new();
    let prefix = unique("q");
    let _live = [&b"|;$(i)"[..], b"\n\"x", b"\xff\x1b[1m"]
        .map(|ending| Live::of_file(&place, &[prefix.as_bytes(), ending].concat()));
    let select = format!("comm~(?s-u)^{prefix}");
    let checks = ["NONE", " a\"b", "\u{e9}|\n.1.3.6", "0x41"];
    let config = config(&place, &checks.map(|name| (name, select.as_str(), "0")));
    let snmpd = Snmpd::start(&place, &config);
    let names = values(&snmpd.ask("snmpwalk", &format!("{TABLE}.1.2")));
    assert_eq!(names, [" a\"b", "0x41", "NONE", "\\u{e9}|\\n.1.3.6"]);
    let counts = values(&snmpd.ask("snmpwalk", &format!("{TABLE}.1.5")));
    assert_eq!(counts, ["3"; 4]);
    let wants = format!("want no process with comm matching /(?s-u)^{prefix}/");
    for ((flag, said), name) in snmpd.errors().into_iter().zip(names) {
        assert!(
            flag == "1" && said.starts_with(&format!("{name} running (")),
            "{said}"
        );
        assert!(said.ends_with(&wants), "{said}");
    }
}

/// procward as snmpd starts it, asked directly.
struct Asked {
    child: std::process::Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Asked {
    fn start(config: &Path, state: &Path) -> Asked {
        let mut child = crate::common::spawn(
            command(env!("CARGO_BIN_EXE_procward"))
                .args(["snmp", "--keep", "1s", "--config"])
                .arg(config)
                .arg("--state")
                .arg(state)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped()),
        );
        Asked {
            input: child.stdin.take().expect("its input"),
            output: BufReader::new(child.stdout.take().expect("its output")),
            child,
        }
    }

    /// The answer, in so many lines.
    fn ask(&mut self, request: &str, lines: usize) -> String {
        self.input.write_all(request.as_bytes()).expect("a request");
        let mut text = String::new();
        for _ in 0..lines {
            self.output.read_line(&mut text).expect("an answer");
        }
        text
    }

    fn get(&mut self, cell: &str) -> String {
        let text = self.ask(&format!("get\n{TABLE}.1.{cell}\n"), 3);
        text.lines().nth(2).expect("a value").to_owned()
    }

    /// Asks until what was seen before is too old.
    fn wait_for(&mut self, cell: &str, wanted: &str) {
        crate::common::wait_for(wanted, 30, || (self.get(cell) == wanted).then_some(()));
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_configuration_that_breaks_leaves_no_old_ok_and_one_that_is_mended_is_taken() {
    let place = Place::new();
    let good = [("fine", "pwtnosuch", "0"), ("other", "pwtnosuch", "0")];
    let file = config(&place, &good);
    let mut asked = Asked::start(&file, &place.path().join("state"));
    assert_eq!(asked.ask("PING\n", 1), "PONG\n");
    assert_eq!(
        (asked.get("2.1"), asked.get("100.1")),
        ("fine".into(), "0".into())
    );
    place.script("p.toml", "= broken\n");
    let why = format!("not judged: faulty: {}", file.display());
    asked.wait_for("101.1", &why);
    for (cell, wanted) in [
        ("2.1", "fine"),
        ("2.2", "other"),
        ("100.1", "1"),
        ("100.2", "1"),
        ("101.2", &why),
        ("100.3", "1"),
    ] {
        assert_eq!(asked.get(cell), wanted, "{cell}");
    }
    config(&place, &good[1..]);
    asked.wait_for("2.1", "other");
    assert_eq!(asked.get("100.1"), "0");
    assert_eq!(asked.ask(&format!("get\n{TABLE}.1.2.2\n"), 1), "NONE\n");
    // Three looks, and one page shared with their workers.
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", asked.child.id())).expect("maps");
    assert_eq!(maps.matches("/dev/zero").count(), 1, "{maps}");
}

#[test]
fn what_is_no_request_is_answered_and_the_end_of_requests_ends_it() {
    let place = Place::new();
    let config = config(&place, &[("fine", "pwtnosuch", "0")]);
    let long = "x".repeat(100_000);
    let (requests, answers): (Vec<String>, Vec<String>) = [
        (format!("{long}\n"), "NONE\n".to_owned()),
        ("\n".into(), "NONE\n".into()),
        ("get\nrubbish\n".into(), "NONE\n".into()),
        (format!("getnext\n{long}\n"), "NONE\n".into()),
        (
            format!("set\n{TABLE}.1.102.1\ninteger 1\n"),
            "not-writable\n".into(),
        ),
        ("ping\n".into(), "PONG\n".into()),
        (
            format!("getnext\n{TABLE}\n"),
            format!("{TABLE}.1.1.1\ninteger\n1\n"),
        ),
        (format!("get\n{TABLE}.1.1"), String::new()),
    ]
    .into_iter()
    .unzip();
    let input = place.script("requests", &requests.concat());
    let script = format!(
        "exec {} snmp --config {} < {}",
        env!("CARGO_BIN_EXE_procward"),
        config.display(),
        input.display()
    );
    let said = output(command("sh").args(["-c", &script])).ends(0);
    assert_eq!(said.stdout(), answers.concat());
}

#[test]
fn a_reader_that_is_gone_ends_it() {
    let script = format!(
        "yes PING | {} snmp --config /nosuch | head -1; echo ${{PIPESTATUS[1]}}",
        env!("CARGO_BIN_EXE_procward")
    );
    let said = output(command("bash").args(["-c", &script])).ends(0);
    assert_eq!(said.stdout(), "PONG\n0\n");
}

#[test]
fn a_look_that_hangs_is_given_up_while_snmpd_waits() {
    let place = Place::new();
    let fifo = place.path().join("fifo");
    output(command("mkfifo").arg(&fifo)).ends(0);
    std::fs::set_permissions(&fifo, std::fs::Permissions::from_mode(0o666)).expect("chmod");
    let mut asked = Asked::start(&fifo, &place.path().join("state"));
    let began = Instant::now();
    assert_eq!(
        (asked.get("2.1"), asked.get("100.1")),
        ("procward".into(), "1".into())
    );
    assert!(
        began.elapsed() < Duration::from_secs(6),
        "snmpget gives up after 6 s"
    );
    let why = asked.get("101.1");
    assert!(
        why.starts_with("not judged: not finished, not finished within 2 s"),
        "{why}"
    );
}
