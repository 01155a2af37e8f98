use super::*;
use crate::audit::outcome::{Finding, Judged};
use crate::audit::{Class, Rule, Severity};
use crate::report::LIMIT;
use proptest::prelude::*;

fn shown(report: &Report, format: Format) -> String {
    String::from_utf8(render(report, format, &Look::PIPE)).unwrap()
}

fn judged(id: &str, severity: Severity, state: State, findings: Vec<Finding>) -> Judged {
    Judged {
        rule: Rule {
            id: id.into(),
            class: Class::Default,
            title: "nothing is as it must not be".into(),
            why: "It matters.".into(),
            source: "CWE-0".into(),
            fix: "Mend it.".into(),
            when: None,
            host: None,
            cases: Vec::new(),
            exempt: Vec::new(),
        },
        outcome: if findings.is_empty() {
            Broken::Ok
        } else {
            Broken::Violated
        },
        severity,
        state,
        findings,
        reasons: Vec::new(),
        remedies: Vec::new(),
        undecided: Default::default(),
        unsure: Vec::new(),
        left_out: Vec::new(),
    }
}

fn finding(severity: Severity, pid: i32, name: &str, facts: &[&str]) -> Finding {
    Finding {
        severity,
        process: Some(Evidence {
            pid,
            program: format!("/usr/sbin/{name}").into(),
            name: name.into(),
            called: Some(name.into()),
            user: Some("daemon".into()),
            age: Some(7300),
            unit: Some(format!("{name}.service").into()),
            ..Evidence::default()
        }),
        facts: facts.iter().map(|fact| (*fact).to_owned()).collect(),
    }
}

fn report(state: State, rules: Vec<Judged>) -> Report {
    Report {
        state,
        rules,
        seen: 231,
        readable: 231,
        hidden: false,
        skipped: Vec::new(),
        faulty: Vec::new(),
        stale: Vec::new(),
        remarks: Vec::new(),
    }
}

fn two_rules() -> Report {
    let high = judged(
        "gid0-without-uid0",
        Severity::High,
        State::Critical,
        vec![
            finding(Severity::High, 812, "backup", &["gid 0/0/0/0", "uid 1/1/1/1"]),
            finding(Severity::Low, 813, "lesser", &[]),
        ],
    );
    let medium = judged(
        "traced",
        Severity::Medium,
        State::Warning,
        vec![finding(Severity::Medium, 900, "shop", &["tracer 7"])],
    );
    let fine = judged("hidden-pid", Severity::Critical, State::Ok, vec![]);
    report(State::Critical, vec![high, medium, fine])
}

#[test]
fn the_worst_rules_are_named_with_programs_and_users_and_the_details_say_why_and_what_to_do() {
    let text = "\
CRITICAL: gid0-without-uid0: backup (daemon)

gid0-without-uid0 (high): broken; want: nothing is as it must not be
  pid 812 /usr/sbin/backup (daemon, up 2h 1m, backup.service): gid 0/0/0/0; uid 1/1/1/1
  pid 813 /usr/sbin/lesser (daemon, up 2h 1m, lesser.service) [low]
  matters: It matters. (CWE-0)
  fix: Mend it.
traced (medium): broken; want: nothing is as it must not be
  pid 900 /usr/sbin/shop (daemon, up 2h 1m, shop.service): tracer 7
  matters: It matters. (CWE-0)
  fix: Mend it.
1 rule ok
";
    assert_eq!(shown(&two_rules(), Format::Human), text);
    assert_eq!(shown(&two_rules(), Format::Mon), text.replacen("\n\n", "\n", 1));
    let nagios = shown(&two_rules(), Format::Nagios);
    assert_eq!(
        nagios.lines().next().unwrap(),
        "AUDIT CRITICAL: gid0-without-uid0: backup (daemon) | \
         critical=0;;;0 high=1;;;0 medium=1;;;0 low=1;;;0 info=0;;;0 not_checked=0;;;0"
    );
}

#[test]
fn what_is_broken_in_a_lesser_way_is_told_beside_an_ok() {
    let low = judged(
        "exe-replaced",
        Severity::Low,
        State::Ok,
        vec![finding(Severity::Low, 5, "x", &[])],
    );
    let fine = judged("hidden-pid", Severity::Critical, State::Ok, vec![]);
    let text = shown(&report(State::Ok, vec![low, fine]), Format::Mon);
    assert!(
        text.starts_with("OK: 2 rules checked, 1 broken in a lesser way\nexe-replaced (low): broken;"),
        "{text}"
    );
    let mut left_out = report(
        State::Unknown,
        vec![judged("coverage", Severity::Unknown, State::Ok, vec![])],
    );
    left_out.skipped = vec![(
        "selinux-bad-domain".into(),
        "this host does not run SELinux".into(),
    )];
    assert_eq!(
        shown(&left_out, Format::Mon),
        "UNKNOWN: no rule to check\n1 rule ok\nselinux-bad-domain: left out, this host does not run SELinux\n"
    );
    let nothing = report(State::Unknown, vec![]);
    assert_eq!(shown(&nothing, Format::Mon), "UNKNOWN: no rule to check\n");
}

#[test]
fn what_is_exempt_from_many_rules_is_told_once_and_rules_are_parted_by_a_semicolon() {
    let agent = "1 process by the exception pid=1: the agent".to_owned();
    let mut rules: Vec<Judged> = ["a", "b", "c", "d"]
        .map(|id| judged(id, Severity::High, State::Ok, vec![]))
        .into();
    for rule in &mut rules {
        rule.left_out.push(agent.clone());
    }
    for index in [0, 1] {
        rules[index].state = State::Critical;
        rules[index].outcome = Broken::Violated;
        let findings = [7, 8].map(|pid| finding(Severity::High, pid, &format!("x{pid}"), &[]));
        rules[index].findings = findings.into();
    }
    rules[2]
        .left_out
        .push("1 process by the exception exe=/x: it is made so".into());
    let text = shown(&report(State::Critical, rules), Format::Mon);
    assert!(
        text.starts_with("CRITICAL: a: x7 (daemon), x8 (daemon); b: x7 (daemon), x8 (daemon)\n"),
        "{text}"
    );
    assert!(
        text.ends_with(
            "2 rules ok\nc: left out 1 process by the exception exe=/x: it is made so\n\
             4 rules: left out 1 process by the exception pid=1: the agent\n"
        ),
        "{text}"
    );
    assert_eq!(text.matches("pid=1").count(), 1, "{text}");
}

#[test]
fn the_json_report_is_what_the_schema_says() {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../../docs/audit.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut full = two_rules();
    full.rules[2].findings.push(Finding {
        severity: Severity::Critical,
        process: None,
        facts: vec!["process 7 lives and is not listed".into()],
    });
    full.skipped = vec![("a".into(), "b".into())];
    let excused = super::excuse(Format::Json, "why", None);
    for text in [
        shown(&full, Format::Json),
        String::from_utf8(excused.text).unwrap(),
    ] {
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let faults: Vec<String> = validator
            .iter_errors(&json)
            .map(|fault| fault.to_string())
            .collect();
        assert_eq!(faults, [""; 0], "{text}");
    }
}

proptest! {
    #[test]
    fn nothing_hostile_reaches_whoever_reads(bytes in prop::collection::vec(any::<u8>(), 0..60), text in "\\PC{0,30}[|\\x1b\\n\u{202e}]?") {
        let mut hostile = finding(Severity::High, 1, "x", &[&text]);
        if let Some(process) = &mut hostile.process {
            process.program = bytes.clone();
            process.name = bytes.clone();
            process.unit = Some(bytes);
            process.user = Some(text.clone());
        }
        let mut rule = judged("x", Severity::High, State::Critical, vec![hostile]);
        rule.left_out = vec![text.clone()];
        rule.rule.title = text.clone();
        let mut report = report(State::Critical, vec![rule]);
        report.remarks = vec![text.clone()];
        report.stale = vec![text];
        for format in [Format::Human, Format::Mon, Format::Nagios] {
            let shown = shown(&report, format);
            prop_assert!(!shown.chars().any(|c| c.is_control() && c != '\n' || c == '\u{202e}'), "{shown:?}");
            let bars = shown.matches('|').count();
            prop_assert!(format == Format::Human || bars == usize::from(format == Format::Nagios), "{shown:?}");
            prop_assert!(shown.len() <= LIMIT);
        }
    }
}
