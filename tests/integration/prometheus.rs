//! node_exporter reads what procward writes for its textfile collector, and Prometheus' own tools take the metrics, the
//! alert rules and their tests.

use crate::common::{Output, Place, Procward, command, ids, is_root, need, output, spawn, unique, wait_for};
use crate::process::Live;
use crate::server::free_port;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

pub(crate) const NODE_EXPORTER: &str = "/usr/bin/prometheus-node-exporter";
const PROMTOOL: &str = "/usr/bin/promtool";
const SYSTEMD_ANALYZE: &str = "/usr/bin/systemd-analyze";
/// A umask that keeps the file from node_exporter, if nobody minds it.
const PRIVATELY: [&str; 4] = ["sh", "-c", "umask 077; exec \"$@\"", "sh"];

/// The real node_exporter, as Debian's user where the tests run as root; killed when dropped.
pub(crate) struct NodeExporter {
    child: Child,
    pub(crate) port: u16,
}

/// What a server says to a request, if it says 200.
pub(crate) fn get(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream
        .write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes())
        .ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    text.starts_with("HTTP/1.0 200 ").then_some(text)
}

impl NodeExporter {
    pub(crate) fn start(directory: &Path) -> NodeExporter {
        let port = free_port();
        let mut command = command(NODE_EXPORTER);
        command
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args(["--collector.disable-defaults", "--collector.textfile"])
            .arg(format!("--collector.textfile.directory={}", directory.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Some((uid, gid)) = ids("prometheus").filter(|_| is_root()) {
            command.uid(uid).gid(gid);
        }
        let exporter = NodeExporter {
            child: spawn(&mut command),
            port,
        };
        wait_for("node_exporter", 20, || exporter.try_metrics());
        exporter
    }

    fn try_metrics(&self) -> Option<String> {
        get(self.port, "/metrics")
    }

    /// What a scrape gives; the file was taken whole.
    fn metrics(&self) -> String {
        let text = self.try_metrics().expect("metrics");
        assert!(text.contains("\nnode_textfile_scrape_error 0\n"), "{text}");
        text
    }

    #[track_caller]
    fn shows(&self, lines: &[&str]) {
        let metrics = self.metrics();
        for line in lines {
            assert!(
                metrics.lines().any(|shown| shown == *line),
                "no {line} in:\n{metrics}"
            );
        }
    }
}

impl Drop for NodeExporter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn check(file: &Path) -> Procward {
    Procward::check("prometheus")
        .args(["--timeout", "60s"])
        .arg("--output")
        .arg(file)
}

fn mode(file: &Path) -> u32 {
    std::fs::metadata(file).expect("the file").permissions().mode() & 0o7777
}

/// The names in a directory.
fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("the directory").flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// A file of the repository.
fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("contrib/prometheus")
        .join(name)
}

/// A run of promtool below contrib/prometheus.
fn promtool(words: &[&str]) -> Output {
    output(command(PROMTOOL).args(words).current_dir(shipped("")))
}

#[test]
fn node_exporter_follows_the_link_that_the_unit_puts_into_its_directory() {
    need!(
        Path::new(NODE_EXPORTER).exists(),
        "node_exporter is not installed"
    );
    let place = Place::new();
    let (service, _, directory) = units(&place);
    let text = std::fs::read_to_string(service).unwrap();
    let read = place.directory("textfile");
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("ExecStartPre=+"))
        .unwrap();
    let line = line.replace("/var/lib/prometheus/node-exporter", &read.display().to_string());
    output(command("sh").args(["-c", &line])).ends(0);
    check(&directory.join("procward.prom"))
        .arg("pwtnosuch:0")
        .run()
        .ends(0);
    let metrics = NodeExporter::start(&read).metrics();
    assert!(
        metrics.contains("procward_rule_state{rule=\"pwtnosuch\"} 0\n"),
        "{metrics}"
    );
}

#[test]
fn node_exporter_shows_a_failure_and_its_end() {
    need!(
        Path::new(NODE_EXPORTER).exists(),
        "node_exporter is not installed"
    );
    let place = Place::new();
    let name = unique("nx");
    let directory = place.directory("textfile");
    let file = directory.join("procward.prom");
    let exporter = NodeExporter::start(&directory);
    let judge = |code: i32| {
        let said = check(&file)
            .arg(format!("{name}:1"))
            .within(PRIVATELY)
            .run()
            .ends(code);
        assert_eq!(
            (names(&directory), mode(&file)),
            (vec!["procward.prom".into()], 0o644)
        );
        said.stdout()
    };
    let sample = |family: &str, value: u8| format!("procward_rule_{family}{{rule=\"{name}\"}} {value}");
    let live = Live::named(&place, &name);
    assert_eq!(judge(0), "OK: 1 check\n");
    exporter.shows(&[
        &sample("state", 0),
        &sample("processes", 1),
        &sample("processes_min", 1),
        &sample("processes_max", 1),
        "procward_state 0",
        &format!("procward_rule_info{{rule=\"{name}\",severity=\"critical\"}} 1"),
        "# TYPE procward_rule_state gauge",
    ]);
    drop(live);
    assert_eq!(judge(2), format!("CRITICAL: {name} missing\n"));
    exporter.shows(&[&sample("state", 2), &sample("processes", 0), "procward_state 2"]);
    let _live = Live::named(&place, &name);
    let second = Live::named(&place, &name);
    assert_eq!(judge(2), format!("CRITICAL: {name} too many\n"));
    exporter.shows(&[&sample("state", 2), &sample("processes", 2)]);
    drop(second);
    assert_eq!(judge(0), "OK: 1 check\n");
    exporter.shows(&[&sample("state", 0), &sample("processes", 1), "procward_state 0"]);
}

#[test]
fn a_check_that_cannot_be_told_is_shown_as_unknown() {
    need!(
        Path::new(NODE_EXPORTER).exists(),
        "node_exporter is not installed"
    );
    let place = Place::new();
    let directory = place.directory("textfile");
    let file = directory.join("procward.prom");
    let exporter = NodeExporter::start(&directory);
    let config = place.script(
        "p.toml",
        "[[check]]\nname = \"faulty\"\nselect = \"nosuch=x\"\n\n[[check]]\nname = \"fine\"\nselect = \"pwtnosuch\"\ncount = \"0\"\n",
    );
    check(&file).arg("--config").arg(config).run().ends(3);
    exporter.shows(&[
        "procward_rule_state{rule=\"faulty\"} 3",
        "procward_rule_state{rule=\"fine\"} 0",
        "procward_state 3",
    ]);
    assert!(
        !exporter
            .metrics()
            .contains("procward_rule_processes{rule=\"faulty\"}")
    );
    // A configuration that is not there is a check that can't be told, not an old OK.
    check(&file).args(["--config", "/nosuch.toml"]).run().ends(3);
    exporter.shows(&["procward_rule_state{rule=\"/nosuch.toml\"} 3", "procward_state 3"]);
}

#[test]
fn names_of_any_characters_reach_node_exporter_as_they_are() {
    need!(
        Path::new(NODE_EXPORTER).exists(),
        "node_exporter is not installed"
    );
    let place = Place::new();
    let directory = place.directory("textfile");
    let exporter = NodeExporter::start(&directory);
    // What is no spec is named as it was written.
    let hostile = [
        ("a\"b\\c\nd:x", r#"a\"b\\c\nd:x"#),
        (
            "\"} 0\nprocward_rule_state{rule=\"x:y",
            r#"\"} 0\nprocward_rule_state{rule=\"x:y"#,
        ),
        ("\x1b[31m:z", r"\\x1b[31m:z"),
        ("\\x1b[31m:z", r"\\x1b[31m:z (2)"),
        ("\u{202e}é漢|#:z", r"\\u{202e}é漢|#:z"),
        (
            "# HELP procward_state x\n# TYPE procward_state counter\n:z",
            r"# HELP procward_state x\n# TYPE procward_state counter\n:z",
        ),
    ];
    check(&directory.join("procward.prom"))
        .args(hostile.map(|(spec, _)| spec))
        .run()
        .ends(3);
    let shown = hostile.map(|(_, label)| format!("procward_rule_state{{rule=\"{label}\"}} 3"));
    exporter.shows(&shown.each_ref().map(String::as_str));
    let metrics = exporter.metrics();
    let states = metrics
        .lines()
        .filter(|line| line.starts_with("procward_rule_state{"));
    assert_eq!(states.count(), hostile.len());
}

#[test]
fn no_label_is_what_a_process_chose() {
    let chosen = unique("<\"");
    let live = Live::with_comm(chosen.as_bytes());
    let own = live.pid().to_string();
    let spec = format!("pid={own}:0");
    let said = Procward::check("prometheus").args(["-v", &spec]).run().ends(2);
    let text = said.stdout();
    assert!(text.contains("procward_rule_processes{rule=\""), "{text}");
    let name = chosen.trim_end_matches(['<', '"']);
    assert!(
        !text.contains(name) && !text.contains("root") && !text.contains("python"),
        "{text}"
    );
}

#[test]
fn what_cannot_be_written_is_never_ok_and_leaves_the_old_file() {
    let place = Place::new();
    let directory = place.directory("textfile");
    let file = directory.join("procward.prom");
    let fine = "pwtnosuch:0";
    check(&file).arg(fine).run().ends(0);
    let old = std::fs::read(&file).unwrap();
    for (spec, line) in [
        (fine, "OK: 1 check"),
        ("pwtnosuch:1", "CRITICAL: pwtnosuch missing"),
    ] {
        // No byte may be written to a file.
        let said = check(&file)
            .arg(spec)
            .within(["prlimit", "--fsize=0"])
            .run()
            .ends(3);
        let shown = file.display();
        assert_eq!(
            said.stdout(),
            format!(
                "UNKNOWN: the metrics can't be written to {shown}: File too large (os error 27)\n{line}\n"
            )
        );
        assert_eq!(std::fs::read(&file).unwrap(), old);
        assert_eq!(names(&directory), ["procward.prom"]);
    }
    let taken = place.directory("textfile/directory.prom");
    let link = directory.join("link.prom");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    for unwritable in [taken.as_path(), &link, Path::new("/nosuch/procward.prom")] {
        let said = check(unwritable).arg(fine).run().ends(3);
        assert!(
            said.first_line()
                .starts_with("UNKNOWN: the metrics can't be written to ")
        );
    }
    assert_eq!(std::fs::read(&file).unwrap(), old);
    assert!(link.is_symlink() && taken.is_dir());
    // Wrong usage: a name that node_exporter does not read, and a report that is none of metrics.
    for name in ["procward.txt", "procward.prom.1", "/dev/stdout", "/dev/null", ""] {
        check(Path::new(name)).arg(fine).run().ends(3);
    }
    let human = Procward::check("json")
        .arg("--output")
        .arg(&file)
        .arg(fine)
        .run()
        .ends(3);
    assert!(
        human
            .first_line()
            .starts_with("UNKNOWN: --output is for --format prometheus")
    );
    assert_eq!(std::fs::read(&file).unwrap(), old);
}

#[test]
fn a_run_that_cannot_be_finished_leaves_the_old_file_and_its_time() {
    let place = Place::new();
    let file = place.directory("textfile").join("procward.prom");
    check(&file).arg("pwtnosuch:0").run().ends(0);
    let old = std::fs::read_to_string(&file).unwrap();
    let fifo = place.path().join("fifo");
    output(command("mkfifo").arg(&fifo)).ends(0);
    let said = Procward::check("prometheus")
        .args(["--timeout", "1s", "--output"])
        .arg(&file)
        .arg("--config")
        .arg(&fifo)
        .run()
        .ends(3);
    assert_eq!(said.first_line(), "UNKNOWN: not finished");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), old);
    let time = old
        .lines()
        .find_map(|line| line.strip_prefix("procward_last_scan_timestamp_seconds "))
        .and_then(|time| time.parse::<f64>().ok())
        .expect("the time of the run");
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs_f64();
    assert!(time <= now && now - time < 60.0, "{time} {now}");
    // Of a saved snapshot nothing is known of now.
    let saved = place.path().join("host.json");
    Procward::new().args(["snapshot", "-o"]).arg(&saved).run().ends(0);
    let text = Procward::check("prometheus")
        .arg("--snapshot")
        .arg(&saved)
        .arg("user=nosuch:0")
        .run()
        .stdout();
    assert!(
        text.contains("\nprocward_state ") && !text.contains("timestamp"),
        "{text}"
    );
}

#[test]
fn whoever_kills_it_leaves_a_whole_file() {
    let place = Place::new();
    let directory = place.directory("textfile");
    let file = directory.join("procward.prom");
    check(&file).arg("pwtnosuch:0").run().ends(0);
    let (mut killed, specs) = (
        0,
        (0..200)
            .map(|number| format!("pwtnosuch{number}:0"))
            .collect::<Vec<_>>(),
    );
    for number in 0..40 {
        let mut run = command(env!("CARGO_BIN_EXE_procward"));
        run.args(["check", "--recheck", "0", "--format", "prometheus", "--output"])
            .arg(&file)
            .args(&specs)
            .stdout(Stdio::null());
        let mut child = spawn(&mut run);
        std::thread::sleep(std::time::Duration::from_millis(5 * number));
        let _ = child.kill();
        killed += u32::from(child.wait().unwrap().code().is_none());
        let text = std::fs::read_to_string(&file).unwrap();
        let last = text.lines().last().unwrap_or_default();
        assert!(
            text.ends_with('\n') && last.starts_with("procward_rule_open_fds{"),
            "{text}"
        );
    }
    assert!(killed > 0, "none was killed in time");
    let others = names(&directory)
        .into_iter()
        .filter(|name| name != "procward.prom");
    assert!(others.into_iter().all(|name| !name.ends_with(".prom")));
}

#[test]
fn promtool_finds_nothing_to_criticise_in_the_metrics() {
    need!(Path::new(PROMTOOL).exists(), "promtool is not installed");
    let place = Place::new();
    let metrics = place.path().join("metrics");
    let said = Procward::check("prometheus")
        .args(["pwtnosuch:1", "pwtneither:0", "a\"b\\c\nd:x", "pwtsome:1-3"])
        .run()
        .ends(2);
    std::fs::write(&metrics, said.bytes()).unwrap();
    let lint = output(
        command(PROMTOOL)
            .args(["check", "metrics"])
            .stdin(std::fs::File::open(&metrics).unwrap()),
    );
    assert_eq!(lint.ends(0).stdout(), "");
}

#[test]
fn promtool_takes_the_alert_rules_and_their_tests_pass() {
    need!(Path::new(PROMTOOL).exists(), "promtool is not installed");
    promtool(&["check", "rules", "procward.rules.yml"])
        .ends(0)
        .says("SUCCESS: 7 rules found");
    promtool(&["test", "rules", "procward.rules.test.yml"])
        .ends(0)
        .says("SUCCESS");
}

#[test]
fn the_alert_rules_ask_only_for_metrics_that_are_written() {
    let written = Procward::check("prometheus")
        .args(["pwtnosuch:1"])
        .run()
        .ends(2)
        .stdout();
    let rules = std::fs::read_to_string(shipped("procward.rules.yml")).unwrap();
    let words = rules.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let asked: Vec<&str> = words.filter(|word| word.starts_with("procward_")).collect();
    assert!(asked.len() > 6);
    for metric in asked {
        assert!(written.contains(&format!("# TYPE {metric} gauge\n")), "{metric}");
    }
}

/// The units with the paths of this test in place of those of an installed procward.
fn units(place: &Place) -> (PathBuf, PathBuf, PathBuf) {
    let directory = place.directory("node-exporter");
    let written = |name: &str| {
        let text = std::fs::read_to_string(shipped(name)).unwrap();
        let text = text
            .replace("/usr/bin/procward", &place.procward().display().to_string())
            .replace("/var/lib/procward-textfile", &directory.display().to_string());
        let path = place.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let [service, timer] = ["procward-textfile.service", "procward-textfile.timer"].map(written);
    (service, timer, directory)
}

#[test]
fn systemd_takes_the_service_and_its_timer() {
    need!(
        Path::new(SYSTEMD_ANALYZE).exists(),
        "systemd-analyze is not installed"
    );
    let place = Place::new();
    let (service, timer, _) = units(&place);
    let said = output(
        command(SYSTEMD_ANALYZE)
            .args(["verify", "--man=no"])
            .args([service, timer]),
    )
    .ends(0);
    assert_eq!(said.stdout(), "");
}

#[test]
fn what_the_service_runs_writes_the_metrics() {
    let place = Place::new();
    let (service, _, directory) = units(&place);
    let text = std::fs::read_to_string(service).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart="))
        .unwrap();
    let mut words = line.split(' ');
    let config = place.script("p.toml", "[[check]]\nname = \"gone\"\nselect = \"pwtnosuch\"\n");
    let said = Procward::at(Path::new(words.next().unwrap()))
        .args(words)
        .args(["--recheck", "0"])
        .env("PROCWARD_CONFIG", config.to_str().unwrap())
        .run();
    let code = said.code().unwrap();
    assert_eq!((said.stdout().as_str(), code), ("CRITICAL: gone missing\n", 2));
    // A check that fails does not make the unit fail.
    let successes = text
        .lines()
        .find_map(|line| line.strip_prefix("SuccessExitStatus="))
        .unwrap();
    assert_eq!(successes, "1 2");
    let metrics = std::fs::read_to_string(directory.join("procward.prom")).unwrap();
    assert!(
        metrics.contains("procward_rule_state{rule=\"gone\"} 2\n"),
        "{metrics}"
    );
}
