use super::*;
use crate::testing::{host, judged, process};

fn sender() -> Sender {
    Sender {
        host: "www.example.org".into(),
        started: Duration::from_micros(1_700_000_000_250_000),
        ended: Duration::from_micros(1_700_000_001_500_000),
    }
}

fn report(checks: &[(&str, &str)]) -> Report {
    let host = host(vec![process(10, "cron"), process(11, "a\\n|\n\t\x17;$(x)")]);
    let verdicts = checks.iter().map(|(name, spec)| Verdict {
        name: (*name).into(),
        ..judged(spec, &host)
    });
    crate::judge::assemble(verdicts.collect(), vec![("a".into(), "b\n".into())], &host)
}

fn shown(passive: Passive, text: &str) -> String {
    addressed(passive, text.as_bytes(), &sender()).concat()
}

#[test]
fn nagios_gets_a_command_for_the_run_and_one_for_each_check() {
    let text = render(&report(&[("cron", "cron:1-"), ("no|ne", "nosuch:1-3")]));
    let head = "[1700000001] PROCESS_SERVICE_CHECK_RESULT;www.example.org;procward";
    assert_eq!(
        shown(Passive::Nagios, &text),
        format!(
            "{head} cron;0;PROCS OK: cron ok | processes=1;;1:;0\\n\
             cron: 1 process; want at least 1 process named cron\\n  pid 10 /usr/sbin/cron (root, up 59m)\n\
             {head} no_ne;2;PROCS CRITICAL: no¦ne missing | processes=0;;1:3;0\\n\
             no¦ne: no process; want 1 to 3 processes named nosuch\n\
             {head};0;PROCS OK: 2 checks judged\\na: skipped, b\\\\n\n"
        )
    );
    assert_eq!(
        shown(Passive::Nagios, &render(&report(&[]))),
        format!("{head};3;PROCS UNKNOWN: nothing to check\\na: skipped, b\\\\n\n")
    );
}

#[test]
fn send_nsca_gets_records_whose_line_breaks_and_backslashes_it_escapes_itself() {
    assert_eq!(
        shown(Passive::Nsca, &render(&report(&[("cron", "cron:0")]))),
        "www.example.org\tprocward cron\t2\tPROCS CRITICAL: cron running (cron, root) | processes=1;;0;0\n\
         cron: 1 process; want no process named cron\n  pid 10 /usr/sbin/cron (root, up 59m)\x17\
         www.example.org\tprocward\t0\tPROCS OK: 1 check judged\na: skipped, b\\n\x17"
    );
}

#[test]
fn icinga_gets_a_body_with_times_in_fractions() {
    let text = shown(Passive::Icinga2, &render(&report(&[("cron", "cron:1-")])));
    let bodies: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        bodies[0],
        serde_json::json!({
            "type": "Service",
            "service": "www.example.org!procward cron",
            "exit_status": 0,
            "plugin_output": "PROCS OK: cron ok\ncron: 1 process; want at least 1 process named cron\n  \
                pid 10 /usr/sbin/cron (root, up 59m)",
            "performance_data": ["processes=1;;1:;0"],
            "check_source": "www.example.org",
            "execution_start": 1_700_000_000.25,
            "execution_end": 1_700_000_001.5,
        })
    );
    assert_eq!(bodies[1]["performance_data"], serde_json::json!([]));
}

#[test]
fn what_is_faulty_is_told_of_the_run_for_the_server_may_have_no_such_service() {
    let text = render(&report(&[("/etc/p.toml", "nosuch=x"), ("cron", "cron:1-")]));
    let last = shown(Passive::Nagios, &text).lines().last().map(str::to_owned);
    let head = "[1700000001] PROCESS_SERVICE_CHECK_RESULT;www.example.org;procward";
    let told = "PROCS UNKNOWN: faulty, not judged: /etc/p.toml\\na: skipped, b\\\\n";
    assert_eq!(last, Some(format!("{head};3;{told}")));
}

#[test]
fn a_run_that_has_to_end_keeps_what_was_known() {
    let known = render(&report(&[("gone", "nosuch:1")]));
    let text = unfinished(&known, "late", State::Unknown);
    assert!(is_one(&text) && is_one(&known));
    let records = shown(Passive::Nsca, &text);
    let (checks, run) = records.split_once('\x17').unwrap();
    assert_eq!(
        run,
        "www.example.org\tprocward\t3\tPROCS UNKNOWN: not finished\nlate\x17"
    );
    assert_eq!(checks, shown(Passive::Nsca, &known).split_once('\x17').unwrap().0);
    assert_eq!(unfinished("", "late", State::Critical).lines().count(), 1);
}

#[test]
fn a_text_that_is_no_result_is_known_as_such() {
    for text in ["", "UNKNOWN: internal error: x\n", "{}\n"] {
        assert!(!is_one(text), "{text}");
    }
}

#[test]
fn a_result_fits_into_one_write_and_says_what_is_left_out() {
    let long = "\\".repeat(3000);
    let checks: Vec<(String, String)> = (0..3)
        .map(|number| (format!("{number}{}", "ß".repeat(200)), format!("\"{long}\":1")))
        .collect();
    let checks: Vec<(&str, &str)> = checks.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let mut report = report(&checks);
    report.remarks = vec![format!("{}|", "x\u{1f980}".repeat(300)); 40];
    let results = render(&report);
    for (passive, host) in [(Passive::Nagios, 253), (Passive::Nsca, 63)] {
        let sender = Sender {
            host: "h".repeat(host),
            ..sender()
        };
        let lines = addressed(passive, results.as_bytes(), &sender);
        assert_eq!(lines.len(), 4);
        // What NSCA writes into the FIFO has the head of a command in front, and its own escapes.
        let head = "[1700000001] PROCESS_SERVICE_CHECK_RESULT;".len();
        for line in &lines {
            let length = match passive {
                Passive::Nsca => head + escaped(line).len(),
                _ => line.len(),
            };
            assert!(length <= 4096, "{length}");
        }
        assert!(lines[3].contains(" more lines"), "{}", lines[3]);
        let mut parts = lines[0].split([';', '\t']);
        let name = parts.find(|part| part.starts_with("procward ")).unwrap();
        assert!(name.len() < 128, "{name}");
    }
}
