//! Exact output of every format, and what never reaches it.

use super::*;
use crate::judge::{Evidence, Manner, State, Verdict};
use crate::select::Range;
use crate::snapshot::{Fact, Process};
use crate::testing::{Build, host, process, verdict};
use proptest::prelude::*;
use std::ops::Add;

const LOOK: Look = Look {
    width: Some(80),
    ..Look::PIPE
};

fn report(verdicts: Vec<Verdict>) -> Report {
    crate::judge::assemble(verdicts, Vec::new(), &host(vec![]))
}

fn named(name: &str, mut verdict: Verdict) -> Verdict {
    verdict.name = name.into();
    verdict
}

fn shown(report: &Report, format: Format) -> String {
    String::from_utf8(render(report, format, &LOOK)).unwrap()
}

fn two_failures() -> Report {
    let host = host(vec![process(10, "in.telnetd"), process(11, "cron")]);
    report(vec![
        named("telnetd", verdict("in.telnetd:0", &host)),
        named("postfix", verdict("master:1", &host)),
        named("cron", verdict("cron:1", &host)),
    ])
}

#[test]
fn mon_gets_a_stable_line_and_the_details() {
    assert_eq!(
        shown(&two_failures(), Format::Mon),
        "CRITICAL: postfix missing, telnetd running (in.telnetd, root)\n\
         telnetd: 1 process; want no process named in.telnetd\n\
         \x20 pid 10 /usr/sbin/in.telnetd (root, up 59m)\n\
         postfix: no process; want exactly 1 process named master\n\
         1 other check ok\n"
    );
}

#[test]
fn nagios_gets_all_performance_data_on_the_first_line() {
    assert_eq!(
        shown(&two_failures(), Format::Nagios).lines().next().unwrap(),
        "PROCS CRITICAL: postfix missing, telnetd running (in.telnetd, root) \
         | cron=1;;1:1;0 postfix=0;;1:1;0 telnetd=1;;0;0"
    );
}

#[test]
fn people_get_a_table_worst_first() {
    assert_eq!(
        shown(&two_failures(), Format::Human)
            .lines()
            .take(6)
            .collect::<Vec<_>>(),
        [
            "CRITICAL: postfix missing, telnetd running (in.telnetd, root)",
            "",
            "CRITICAL telnetd     1  no process named in.telnetd",
            "CRITICAL postfix     0  exactly 1 process named master",
            "OK       cron        1  exactly 1 process named cron",
            "",
        ]
    );
}

#[test]
fn the_first_line_stays_while_counts_pids_and_ages_move() {
    let one = report(vec![verdict("x:5-", &host(vec![process(10, "x")]))]);
    let two = report(vec![verdict(
        "x:5-",
        &host(vec![process(20, "x"), process(30, "x")]),
    )]);
    let first = |report: &Report| shown(report, Format::Mon).lines().next().unwrap().to_owned();
    assert_eq!(first(&one), "CRITICAL: check too few");
    assert_eq!(first(&one), first(&two));
}

#[test]
fn a_warning_that_flickers_beside_a_critical_one_does_not_move_the_first_line() {
    let host = host(vec![process(10, "x")]);
    let critical = named("a", verdict("gone:1", &host));
    let mut warning = named("b", verdict("x:5", &host));
    warning.state = State::Warning;
    let first = |report: &Report| shown(report, Format::Mon).lines().next().unwrap().to_owned();
    assert_eq!(
        first(&report(vec![critical.clone(), warning])),
        first(&report(vec![critical]))
    );
}

#[test]
fn the_first_line_stays_whatever_a_process_calls_itself() {
    let first = |spec: &str, one: Process| {
        let report = report(vec![named("x", verdict(spec, &host(vec![one])))]);
        shown(&report, Format::Mon).lines().next().unwrap().to_owned()
    };
    for comm in ["adv: idle", "adv: SELECT", "job-32", "spi", "/job"] {
        let titled = || process(10, "spins").uid(33).stat(|stat| stat.comm = comm.into());
        let titled = || titled().change(|p| p.comm = Fact::Value(comm.into()));
        assert_eq!(
            first("user=33:0", titled()),
            "CRITICAL: x running (spins, www-data)"
        );
        assert_eq!(
            first("user=33:0", titled().exe("/usr/bin/perl")),
            "CRITICAL: x running (perl, www-data)"
        );
        // Whose program can't be read has no name that is not its own word, unless the check gives it one.
        assert_eq!(
            first("user=33:0", titled().exe_denied()),
            "CRITICAL: x running (www-data)"
        );
        assert_eq!(
            first("user=33,comm~.:0", titled().exe_denied()),
            "CRITICAL: x running (www-data)"
        );
        assert_eq!(
            first("cpu.life>=0%,user=33:0", titled().exe_denied()),
            "CRITICAL: x: a process of www-data"
        );
    }
    let job = || process(10, "job-32").uid(33).exe("/usr/bin/perl");
    for asked in ["job-32:0", "comm=job-32:0"] {
        let named = "CRITICAL: x running (job-32, www-data)";
        assert_eq!(
            [first(asked, job()), first(asked, job().exe_denied())],
            [named, named]
        );
    }
    for comm in ["kworker/u8:2-events_unbound", "kworker/0:1H", "kworker/R-rcu_g"] {
        let worker = process(10, "x").kthread().stat(|stat| stat.comm = comm.into());
        assert_eq!(
            first("kthread=yes:0", worker),
            "CRITICAL: x running (kworker, root)"
        );
    }
}

#[test]
fn what_an_interpreter_runs_calls_itself_in_the_details() {
    let details = |one: Process| {
        shown(
            &report(vec![verdict("user=root:0", &host(vec![one]))]),
            Format::Mon,
        )
    };
    let titled = |program: &str| {
        let titled = process(10, "amavisd (ch3-P)").exe(program);
        details(titled)
    };
    let text = titled("/usr/bin/perl");
    assert!(
        text.contains("pid 10 /usr/bin/perl (called amavisd (ch3-P), root, "),
        "{text}"
    );
    let text = titled("/usr/sbin/spins");
    assert!(text.contains("pid 10 /usr/sbin/spins (root, "), "{text}");
    let text = details(process(10, "sh").exe("/usr/bin/dash"));
    assert!(text.contains("pid 10 /usr/bin/dash (root, "), "{text}");
}

#[test]
fn a_view_that_may_hide_processes_is_never_told_as_no_process() {
    let mut view = host(vec![process(10, "cron")]);
    view.gaps.push(crate::snapshot::Gap::HidePid("2".into()));
    let report = crate::judge::assemble(
        vec![
            named("cron", verdict("cron:1-", &view)),
            named("telnetd", verdict("in.telnetd:0", &view)),
        ],
        Vec::new(),
        &view,
    );
    let gap = "incomplete view: /proc is mounted with hidepid=2, which hides others' processes";
    let details = format!(
        "telnetd: none seen, any number may be hidden; want no process named in.telnetd\n  why: {gap}\n\
         \x20 remedy: run procward as root, with CAP_SYS_PTRACE, or as a member of the group given by /proc's gid= \
         option\n1 other check ok\n{gap}\n"
    );
    assert_eq!(
        shown(&report, Format::Mon),
        format!("UNKNOWN: telnetd unseen\n{details}")
    );
    // No performance data: no count is certain.
    assert_eq!(
        shown(&report, Format::Nagios),
        format!("PROCS UNKNOWN: telnetd unseen\n{details}")
    );
    assert_eq!(
        shown(&report, Format::Human),
        format!(
            "UNKNOWN: telnetd unseen\n\n\
             UNKNOWN  telnetd    0-  no process named in.telnetd\n\
             OK       cron       1-  at least 1 process named cron\n\n{details}"
        )
    );
    let json: serde_json::Value = serde_json::from_str(&shown(&report, Format::Json)).unwrap();
    assert_eq!(json["verdicts"][0]["unknown"], serde_json::Value::Null);
    assert_eq!(json["remarks"], serde_json::json!([gap]));
}

#[test]
fn only_formats_that_show_what_is_ok_have_it_read() {
    let verbose = Look {
        verbose: true,
        ..LOOK
    };
    let told = |look: &Look| Format::ALL.map(|format| format.tells_of_ok(look));
    let all: &[File] = &EVIDENCE_FILES;
    let metrics: &[File] = &[File::Stat, File::Fds];
    assert_eq!(
        told(&LOOK),
        [&[], &[], &[], all, metrics, all, all, all, all, &[], &[], &[]]
    );
    assert_eq!(
        told(&verbose),
        [all, all, all, all, metrics, all, all, all, all, all, all, all]
    );
}

#[test]
fn performance_data_tells_what_processes_take_where_that_is_asked_for() {
    let mut known = named("cron", verdict("cron:1", &host(vec![process(10, "cron")])));
    known.footprint = Some(crate::judge::Footprint {
        cpu: Some(std::time::Duration::from_millis(1425)),
        resident: Some(4096),
        ..crate::judge::Footprint::default()
    });
    let report = report(vec![known]);
    let told = |cpu, memory| {
        let look = Look {
            perfdata: Perfdata { cpu, memory },
            ..LOOK
        };
        String::from_utf8(render(&report, Format::Nagios, &look)).unwrap()
    };
    let count = "PROCS OK: 1 check | cron=1;;1:1;0";
    assert_eq!(told(false, false), format!("{count}\n"));
    assert_eq!(told(true, false), format!("{count} cron_cpu=1.43c\n"));
    assert_eq!(
        told(true, true),
        format!("{count} cron_cpu=1.43c cron_memory=4096B\n")
    );
}

#[test]
fn every_label_of_performance_data_is_its_own_in_every_run() {
    let host = host(vec![process(10, "cron")]);
    let footprint = crate::judge::Footprint {
        resident: Some(4096),
        ..crate::judge::Footprint::default()
    };
    let check = |name: &str, unknown| Verdict {
        footprint: Some(footprint),
        unknown,
        ..named(name, verdict("cron:1", &host))
    };
    let told = |unknown| {
        let checks = vec![
            check("a b", unknown),
            check("a_b", 0),
            check("a_b_memory", 0),
            check("a b_2_memory", 0),
        ];
        let look = Look {
            perfdata: Perfdata {
                memory: true,
                ..Perfdata::COUNT
            },
            ..LOOK
        };
        let text = String::from_utf8(render(&report(checks), Format::Nagios, &look)).unwrap();
        let (_, data) = text.lines().next().unwrap().split_once(" | ").unwrap();
        let labels = data.split(' ').filter_map(|item| item.split('=').next());
        labels.map(str::to_owned).collect::<Vec<_>>()
    };
    let rest = [
        "a_b_2_memory",
        "a_b_2_memory_memory",
        "a_b_2",
        "a_b_2_memory_2",
        "a_b_memory",
        "a_b_memory_memory",
    ];
    assert_eq!(told(0), [["a_b", "a_b_memory_2"].as_slice(), &rest].concat());
    assert_eq!(told(1), rest);
}

#[test]
fn unknown_is_told_as_what_was_asked_for() {
    let unseen = named(
        "unseen",
        Verdict {
            state: State::Unknown,
            manner: Manner::Unseen,
            unknown: 1,
            ..verdict("cron:1", &host(vec![]))
        },
    );
    let missing = named(
        "lesser",
        Verdict {
            state: State::Warning,
            manner: Manner::Missing,
            ..verdict("sshd:1", &host(vec![]))
        },
    );
    let told = |state, verdicts: Vec<Verdict>| {
        let report = report(verdicts).with_unknown_as(state);
        let text = String::from_utf8(render(&report, Format::Mon, &LOOK)).unwrap();
        text.lines().next().unwrap_or_default().to_owned()
    };
    let both = || vec![missing.clone(), unseen.clone()];
    assert_eq!(told(State::Unknown, both()), "UNKNOWN: unseen unseen");
    assert_eq!(told(State::Critical, both()), "CRITICAL: unseen unseen");
    assert_eq!(
        told(State::Warning, both()),
        "WARNING: lesser missing, unseen unseen"
    );
    assert_eq!(told(State::Critical, vec![]), "CRITICAL: nothing to check");
}

#[test]
fn nothing_to_check_is_told() {
    assert_eq!(shown(&report(vec![]), Format::Mon), "UNKNOWN: nothing to check\n");
}

#[test]
fn the_json_report_is_what_the_schema_says() {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../docs/report.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for report in [
        two_failures(),
        report(vec![]),
        hostile(b"\xff\n|", "n\u{202e}|\n"),
        report(vec![verdict("x:1", &{
            let mut view = host(vec![]);
            view.gaps.push(crate::snapshot::Gap::NotProc("/x".into()));
            view
        })]),
    ] {
        let document: serde_json::Value = serde_json::from_str(&shown(&report, Format::Json)).unwrap();
        let faults: Vec<String> = validator
            .iter_errors(&document)
            .map(|error| error.to_string())
            .collect();
        assert_eq!(faults, Vec::<String>::new());
    }
    assert!(!validator.is_valid(&serde_json::json!({ "version": 2 })));
}

fn hostile(bytes: &[u8], text: &str) -> Report {
    let evidence = Evidence {
        pid: 1,
        program: bytes.to_vec(),
        name: bytes.to_vec(),
        called: Some(bytes.to_vec()),
        user: Some(text.into()),
        unit: Some(bytes.to_vec()),
        container: Some(bytes.to_vec()),
        usage: None,
        lasts: None,
        lesser: false,
        facts: vec![text.into()],
        doubt: Some(text.into()),
        age: Some(1),
    };
    let verdict = Verdict {
        name: text.into(),
        state: State::Critical,
        manner: Manner::Running,
        severity: Some(State::Critical),
        matched: 1,
        unknown: 0,
        count: Range { min: 0, max: Some(0) },
        warning: None,
        wants: text.into(),
        evidence: vec![evidence.clone()],
        unsure: vec![evidence.clone()],
        near: vec![crate::judge::NearMiss {
            process: evidence,
            failed: vec![crate::judge::verdict::Failed {
                wanted: text.into(),
                found: bytes.to_vec(),
            }],
        }],
        reasons: vec![text.into()],
        remedies: vec![text.into()],
        left_out: vec![text.into()],
        unused: vec![text.into()],
        note: Some(text.into()),
        passing: false,
        awaits: false,
        sightings: Vec::new(),
        undecided: Vec::new(),
        story: Vec::new(),
        looks: 1,
        rechecked: false,
        faulty: None,
        footprint: None,
        totals: None,
    };
    let mut report = report(vec![verdict]);
    report.skipped = vec![(text.into(), text.into())];
    report.remarks = vec![text.into()];
    report
}

#[test]
fn a_plugin_writes_at_most_sixteen_kib_and_says_what_is_left_out() {
    let many: Vec<Verdict> = (0..300)
        .map(|number| {
            let text = format!("{number}|\u{202e}{}", "\u{1f980}\x1b".repeat(400));
            hostile(&vec![0xff; 9000], &text).verdicts.remove(0)
        })
        .collect();
    let report = report(many);
    for format in [Format::Mon, Format::Nagios] {
        let text = shown(&report, format);
        assert!(text.len() <= LIMIT && text.len() > LIMIT / 2, "{}", text.len());
        let last = text.lines().last().unwrap();
        assert!(
            last.starts_with("... ") && last.ends_with(" more lines"),
            "{last}"
        );
        assert!(text.ends_with('\n'));
        let first = text.lines().next().unwrap();
        assert!(first.len() < LIMIT / 2, "{}", first.len());
        assert!(text.lines().skip(1).all(|line| line.len() <= LINE));
        assert!(!text.contains('\u{fffd}'));
    }
}

#[test]
fn a_long_line_is_cut_and_those_after_it_stay() {
    let mut report = two_failures();
    report.verdicts[0].note = Some("n".repeat(40_000));
    let text = shown(&report, Format::Mon);
    let note = text.lines().find(|line| line.starts_with("  note: ")).unwrap();
    assert_eq!(note.len(), LINE);
    assert!(note.ends_with("nnn..."));
    assert!(
        text.ends_with("want exactly 1 process named master\n1 other check ok\n"),
        "{text}"
    );
    // People and programs get all of it.
    for format in [Format::Human, Format::Json] {
        assert!(shown(&report, format).contains(&"n".repeat(40_000)));
    }
}

#[test]
fn one_line_of_any_length_is_cut() {
    assert_eq!(capped("x\n".into()), "x\n");
    let all = capped("é".repeat(LIMIT));
    assert!(all.len() <= LIMIT / 2 && all.ends_with("é...\n"), "{}", all.len());
}

proptest! {
    #[test]
    fn nothing_raw_reaches_the_output(bytes: Vec<u8>, text: String) {
        let report = hostile(&bytes, &text);
        for format in Format::ALL {
            let out = shown(&report, format);
            let raw = |c: char| c != '\n' && c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c);
            prop_assert!(!out.chars().any(raw), "{out:?}");
            let bars = match format {
                Format::Mon | Format::Checkmk => 0,
                Format::Nagios => 1,
                _ => usize::MAX,
            };
            prop_assert!(out.matches('|').count() <= bars);
        }
    }
}

#[test]
fn what_was_known_stays_when_a_run_has_to_end() {
    let nothing =
        |format| String::from_utf8(excuse(format, "too late\n", None, State::Unknown).text).unwrap();
    assert_eq!(nothing(Format::Mon), "UNKNOWN: not finished\ntoo late\\n\n");
    assert_eq!(
        nothing(Format::Nagios),
        "PROCS UNKNOWN: not finished\ntoo late\\n\n"
    );
    let known = |text: &str, exit| {
        excuse(
            Format::Mon,
            "too late",
            Some(Outcome::new(text, exit)),
            State::Unknown,
        )
    };
    assert_eq!(
        known("CRITICAL: x missing\nx: no process\n", Exit::Critical),
        Outcome::new("CRITICAL: x missing\ntoo late\nx: no process\n", Exit::Critical)
    );
    assert_eq!(
        known("UNKNOWN: x unseen\n", Exit::Unknown),
        Outcome::new("UNKNOWN: x unseen\ntoo late\n", Exit::Unknown)
    );
    // An OK before the end is none.
    assert_eq!(
        known("OK: 1 check\n", Exit::Ok),
        Outcome::new("UNKNOWN: not finished\ntoo late\n", Exit::Unknown)
    );
    let long = known(&"x".repeat(100).add("\n").repeat(1000), Exit::Critical);
    assert!(long.text.len() <= LIMIT);
}

#[test]
fn a_json_report_that_has_to_end_is_json_with_a_remark() {
    let before = excuse(Format::Json, "a \"b\"", None, State::Unknown);
    let again = excuse(Format::Json, "c", Some(before), State::Unknown);
    let document: serde_json::Value = serde_json::from_slice(&again.text).unwrap();
    assert_eq!(document["remarks"], serde_json::json!(["a \"b\"", "c"]));
    assert_eq!(
        (document["state"].as_str(), again.exit),
        (Some("UNKNOWN"), Exit::Unknown)
    );
}

#[test]
fn metrics_of_a_run_that_has_to_end_are_metrics() {
    let told =
        |known| String::from_utf8(excuse(Format::Prometheus, "late\n", known, State::Unknown).text).unwrap();
    let nothing = told(None);
    assert!(nothing.starts_with("# procward: late\\n\n# HELP "), "{nothing}");
    assert!(nothing.ends_with("\nprocward_state 3\n"), "{nothing}");
    let known = render(&two_failures(), Format::Prometheus, &LOOK);
    let text = String::from_utf8(known.clone()).unwrap();
    let known = Outcome::new(known, Exit::Critical);
    assert_eq!(told(Some(known)), format!("# procward: late\\n\n{text}"));
}

#[test]
fn passive_results_end_0_and_whatever_there_is_to_say_is_a_result() {
    let format = Format::Passive(Passive::Nagios);
    let fault = ended(
        format,
        Outcome::new("UNKNOWN: internal error: x\nPlease\n", Exit::Unknown),
    );
    assert_eq!(fault.exit, Exit::Ok);
    assert!(
        String::from_utf8(fault.text)
            .unwrap()
            .contains("PROCS UNKNOWN: not finished\\nUNKNOWN: internal error: x; Please")
    );
    let known = render(&two_failures(), format, &LOOK);
    let late = excuse(
        format,
        "late",
        Some(Outcome::new(known.clone(), Exit::Critical)),
        State::Unknown,
    );
    let late = ended(format, late);
    let (late, known) = (
        String::from_utf8(late.text).unwrap(),
        String::from_utf8(known).unwrap(),
    );
    assert_eq!(
        late.lines().skip(1).collect::<Vec<_>>(),
        known.lines().skip(1).collect::<Vec<_>>()
    );
    assert!(late.contains("not finished\\nlate"), "{late}");
    assert_eq!(
        ended(format, excuse(format, "late", None, State::Unknown))
            .text
            .iter()
            .filter(|byte| **byte == b'\n')
            .count(),
        1
    );
}

#[test]
fn a_local_check_ends_0_and_whatever_it_has_to_say_is_a_service() {
    let ended = |text: &str| {
        let outcome = ended(Format::Checkmk, Outcome::new(text, Exit::Unknown));
        assert_eq!(outcome.exit, Exit::Ok);
        String::from_utf8(outcome.text).unwrap()
    };
    let service = "3 \"procward\" - nothing to check\n";
    assert_eq!(ended(service), service);
    assert_eq!(
        ended("UNKNOWN: internal error: x\nPlease report this\n"),
        "3 \"procward\" - not finished\\nUNKNOWN: internal error: x; Please report this\n"
    );
    assert_eq!(ended(""), "3 \"procward\" - not finished\\n\n");
    let late = excuse(Format::Checkmk, "late", None, State::Unknown);
    assert_eq!(late.text, b"3 \"procward\" - not finished\\nlate\n");
    let known = render(&two_failures(), Format::Checkmk, &LOOK);
    let late = excuse(
        Format::Checkmk,
        "late",
        Some(Outcome::new(known, Exit::Critical)),
        State::Unknown,
    );
    let late = String::from_utf8(late.text).unwrap();
    assert!(
        late.starts_with("3 \"procward\" - not finished\\nlate\n0 \"procward cron\" "),
        "{late}"
    );
}
