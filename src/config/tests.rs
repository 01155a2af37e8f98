//! The configuration by its faults.

use super::*;
use crate::report::diagnostic::render;
use crate::select::Range;
use crate::snapshot::{Accounts, FileId, Table};
use proptest::prelude::*;
use std::time::Duration;

fn accounts() -> Table {
    let mut accounts = Table::default();
    accounts.users.insert("root".into(), 0);
    accounts.files.insert("/exists".into(), FileId::default());
    accounts
}

fn load(text: &str) -> Loaded {
    let source = Source {
        name: "p.toml".into(),
        text: text.into(),
    };
    from_texts(vec![source], &accounts())
}

fn shown(text: &str) -> Vec<String> {
    let loaded = load(text);
    let all = loaded.faulty().flat_map(|faulty| {
        faulty
            .faults
            .iter()
            .map(|fault| render(faulty, fault, crate::report::escape::text))
    });
    all.collect()
}

#[test]
fn a_check_is_read_with_all_its_parts() {
    let loaded = load(
        "[[check]]\nname = \"x\"\nselect = \"x,user=root\"\ncount = 3\nwarning = \"2-3\"\nseverity = \"warning\"\n\
         note = \"n\"\nwhen = \"exists /exists\"\nexcept = [ { select = \"y\", reason = \"r\" } ]\n",
    );
    let Item::Check(check) = &loaded.items[0] else {
        panic!("{:?}", loaded.items)
    };
    assert_eq!(
        (check.name.as_str(), check.count),
        ("x", Range { min: 3, max: Some(3) })
    );
    assert_eq!(check.warning, Some(Range { min: 2, max: Some(3) }));
    assert_eq!(
        (check.severity, check.except.len()),
        (crate::judge::State::Warning, 1)
    );
}

#[test]
fn a_count_with_a_point_is_not_to_be_quoted() {
    assert_eq!(
        shown("[[check]]\nname = 'x'\nselect = 'x'\ncount = 1.5\n"),
        [
            "p.toml:4:9: this is not a whole number\n  count = 1.5\n          ^^^\n  help: write one, or a range in quotes where one is wanted\n"
        ]
    );
}

#[test]
fn a_number_that_is_no_count_is_not_taken_for_a_range() {
    let fault = |count: &str| {
        let loaded = load(&format!("[[check]]\nname = 'x'\nselect = 'x'\ncount = {count}\n"));
        let fault = loaded.faulty().next().map(|faulty| faulty.faults[0].clone());
        fault.map(|fault| format!("{}; {}", fault.message, fault.help))
    };
    assert_eq!(fault("0"), None);
    assert_eq!(
        fault("-1").unwrap(),
        "a count is never negative; write \"-1\", in quotes, for at most 1"
    );
    assert_eq!(
        fault("0x10").unwrap(),
        "a count is written in decimal; write \"1\", \"1-\" or \"0\""
    );
}

#[test]
fn a_condition_that_does_not_hold_skips_the_check() {
    let loaded =
        load("[[check]]\nname = \"x\"\nselect = \"x\"\nwhen = [\"exists /exists\", \"exists /no\"]\n");
    assert!(matches!(&loaded.items[0], Item::Skipped { reason, .. } if reason == "/no does not exist"));
}

/// A host that runs this security module.
struct Running(Result<Option<&'static str>, &'static str>);
impl Accounts for Running {
    fn uid(&self, _: &str) -> Result<Option<u32>, String> {
        Ok(None)
    }
    fn gid(&self, _: &str) -> Result<Option<u32>, String> {
        Ok(None)
    }
    fn user_name(&self, _: u32) -> Option<String> {
        None
    }
    fn group_name(&self, _: u32) -> Option<String> {
        None
    }
    fn file(&self, _: &str) -> Result<Option<FileId>, String> {
        Ok(None)
    }
    fn security_module(&self) -> Result<Option<String>, String> {
        self.0
            .map(|module| module.map(str::to_string))
            .map_err(str::to_string)
    }
}

fn when(condition: &str, host: Running) -> String {
    let source = Source {
        name: "p.toml".into(),
        text: format!("[[check]]\nname = \"x\"\nselect = \"x\"\nwhen = {condition}\n").into(),
    };
    match from_texts(vec![source], &host).items.remove(0) {
        Item::Check(_) => "judged".into(),
        Item::Skipped { reason, .. } => reason,
        Item::Faulty { faulty, .. } => {
            let fault = &faulty.faults[0];
            format!("{}; {}", fault.message, fault.help)
        }
    }
}

#[test]
fn a_check_of_another_security_module_is_skipped() {
    for (condition, module) in [
        ("selinux", "SELinux"),
        ("apparmor", "AppArmor"),
        ("smack", "Smack"),
    ] {
        let told = |active| when(&format!("\"{condition}\""), Running(Ok(active)));
        assert_eq!(told(Some(condition)), "judged");
        assert_eq!(told(None), format!("{module} is not active"));
        assert_eq!(told(Some("tomoyo")), format!("{module} is not active"));
    }
    let both = "[\"exists /no\", \"selinux\"]";
    assert_eq!(when(both, Running(Ok(Some("selinux")))), "/no does not exist");
}

#[test]
fn a_security_module_that_cannot_be_told_is_a_fault_and_no_skipped_check() {
    assert_eq!(
        when(
            "\"selinux\"",
            Running(Err("label of process 7: permission denied"))
        ),
        "it can't be told whether SELinux is active: label of process 7: permission denied; \
         let procward read /proc/self/attr, or leave the condition out"
    );
}

#[test]
fn a_condition_misspelt_says_what_there_is() {
    assert_eq!(
        when("\"SELinux\"", Running(Ok(None))),
        "unknown condition `SELinux`; write when = \"selinux\""
    );
    assert_eq!(
        when("\"tomoyo\"", Running(Ok(None))),
        "unknown condition `tomoyo`; write when = \"exists /ABSOLUTE/PATH\", or one of \"smack\" \"apparmor\" \"selinux\""
    );
}

#[test]
fn a_pattern_is_no_path_that_exists_and_a_name_may_hold_its_signs() {
    let told = |path: &str| when(&format!("'exists {path}'"), Running(Ok(None)));
    assert_eq!(
        told("/tmp/adv*"),
        "`exists` takes one path, and `/tmp/adv*` is a pattern; \
         write the path of a file; of one that is called so, when = 'exists /tmp/adv\\*'"
    );
    assert!(told("/tmp/adv?").ends_with("when = 'exists /tmp/adv\\?'"));
    assert_eq!(told("/tmp/adv\\*"), "/tmp/adv* does not exist");
    assert_eq!(told("/usr/bin/["), "/usr/bin/[ does not exist");
    assert_eq!(told("/a\\b"), "/a\\b does not exist");
}

#[test]
fn all_faults_are_told_at_once_and_the_place_is_underlined() {
    let text = "[[check]]\nname = \"x\"\nselect = \"x,user=nobodyhere\"\ncuont = \"1\"\ncount = \"5-1\"\n\
                [[check]]\nname = \"x\"\nselect = \"y\"\nexcept = [ { select = \"z\" } ]\n";
    let shown = shown(text);
    assert_eq!(shown.len(), 5, "{shown:#?}");
    let all = shown.concat();
    assert!(all.contains(
        "p.toml:4:1: unknown key `cuont`\n  cuont = \"1\"\n  ^^^^^\n  help: did you mean `count`?\n"
    ));
    assert!(all.contains("p.toml:3:18: "), "{all}");
    assert!(all.contains("the name `x` is given twice; the first is at p.toml:1"));
    assert!(all.contains("an exception without a reason"));
}

#[test]
fn a_faulty_check_or_file_is_an_item_so_that_no_run_is_ok_beside_it() {
    let loaded = load("[[check]]\nname = \"x\"\nselect = \"x\"\n[[chekc]]\n");
    assert!(
        loaded
            .items
            .iter()
            .any(|item| matches!(item, Item::Faulty { name, .. } if name == "p.toml"))
    );
    assert!(loaded.items.iter().any(|item| matches!(item, Item::Check(_))));
    let broken = load("[[check]]\nname = \n");
    assert!(
        broken
            .items
            .iter()
            .any(|item| matches!(item, Item::Faulty { .. }))
    );
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text: String) {
        let _ = shown(&text);
    }
    #[test]
    fn no_odd_toml_makes_it_panic(value in "[\\[\\]{}\"'a-z=,.0-9 \\n-]{0,60}") {
        let _ = shown(&format!("[[check]]\nselect = {value}\nexcept = {value}\nwhen = {value}\ncount = {value}"));
    }
}

#[test]
fn faulty_checks_share_the_text_of_their_file() {
    let loaded = load("[[check]]\nselect = \"user=nosuch\"\n[[check]]\nselect = \"comm=/x\"\n");
    let texts: Vec<_> = loaded.faulty().map(|faulty| faulty.text.as_ptr()).collect();
    assert_eq!(texts.len(), 2);
    assert_eq!(texts[0], texts[1]);
}

#[test]
fn restarts_are_ridden_out_as_the_file_or_the_check_says() {
    let loaded = load(
        "recheck = \"2s\"\n[[check]]\nname = \"x\"\nselect = \"x\"\n\
         [[check]]\nname = \"squid\"\nselect = \"squid\"\nrecheck = \"45s\"\nrestarts = \"3 per 1h\"\n",
    );
    assert_eq!(loaded.settings.recheck, Some(Duration::from_secs(2)));
    let checks: Vec<_> = loaded
        .items
        .iter()
        .map(|item| match item {
            Item::Check(check) => (check.recheck, check.restarts.map(|limit| limit.count)),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(checks, [(None, None), (Some(Duration::from_secs(45)), Some(3))]);
}

#[test]
fn what_is_no_time_or_limit_is_told() {
    let loaded = load(
        "recheck = \"soon\"\n[cpu]\nlimit = \"much\"\nwindow = \"1h\"\nwithout = [\"peple\"]\nexempt = [ { select = \"x\" } ]\n\
         [[check]]\nname = \"x\"\nselect = \"x\"\nrecheck = \"5\"\nrestarts = \"3\"\n",
    );
    let told: Vec<(String, Vec<String>)> = loaded
        .items
        .iter()
        .map(|item| match item {
            Item::Faulty { name, faulty } => (
                name.clone(),
                faulty.faults.iter().map(|fault| fault.message.clone()).collect(),
            ),
            other => panic!("{other:?}"),
        })
        .collect();
    let wanted = [
        (
            "cpu",
            vec![
                "this is no limit",
                "a window lies between 500ms and 10m",
                "there is no built-in exemption `peple`",
                "an exception without a reason",
            ],
        ),
        ("p.toml", vec!["`soon` is not a time span"]),
        (
            "x",
            vec!["`5` is not a time span", "this is no limit of restarts"],
        ),
    ];
    let wanted: Vec<(String, Vec<String>)> = wanted
        .into_iter()
        .map(|(name, faults)| (name.to_owned(), faults.into_iter().map(str::to_owned).collect()))
        .collect();
    assert_eq!(told, wanted);
}

#[test]
fn the_table_of_cpu_is_read() {
    let loaded = load(
        "[cpu]\nlimit = 150\nwindow = \"5s\"\nfor = \"30s\"\nwarning = \"5m\"\ncritical = \"1h\"\nwithout = [\"people\"]\n\
         exempt = [ { select = \"user=root\", reason = \"r\" } ]\n",
    );
    let cpu = loaded.settings.cpu;
    assert_eq!(
        (cpu.limit, cpu.window, cpu.lasting),
        (
            Some(150),
            Some(Duration::from_secs(5)),
            Some(Duration::from_secs(30))
        )
    );
    assert_eq!(
        (cpu.warning, cpu.critical),
        (Some(Duration::from_secs(300)), Some(Duration::from_secs(3600)))
    );
    assert_eq!((cpu.without, cpu.exempt.len()), (vec!["people".to_owned()], 1));
    assert_eq!(loaded.items.len(), 0);
}

/// What is told of `[cpu]` in these files.
fn faults_of_cpu(texts: &[&str]) -> Vec<String> {
    let sources = texts.iter().zip(["a.toml", "b.toml"]).map(|(text, name)| Source {
        name: name.into(),
        text: (*text).into(),
    });
    let loaded = from_texts(sources.collect(), &accounts());
    let faults = loaded.of_cpu.iter().flat_map(|item| match item {
        Item::Faulty { name, faulty } => {
            let of = |fault: &crate::select::Fault| format!("{name} {}: {}", faulty.source, fault.message);
            faulty.faults.iter().map(of).collect::<Vec<String>>()
        }
        other => panic!("{other:?}"),
    });
    let faults: Vec<String> = faults.collect();
    assert_eq!(
        loaded.settings.cpu.faulty,
        faults.iter().any(|fault| fault.starts_with("cpu "))
    );
    faults
}

#[test]
fn what_could_not_come_to_pass_or_is_said_twice_is_a_fault() {
    assert_eq!(
        faults_of_cpu(&["[cpu]\nwarning = \"10m\"\ncritical = \"10m\"\n"]),
        [""; 0]
    );
    let longer = "cpu a.toml: `warning` is longer than `critical`";
    assert_eq!(
        faults_of_cpu(&["[cpu]\nwarning = \"20m\"\ncritical = \"10m\"\n"]),
        [longer]
    );
    assert_eq!(faults_of_cpu(&["[cpu]\nwarning = \"2h\"\n"]), [longer]);
    assert_eq!(faults_of_cpu(&["[cpu]\ncritical = \"5m\"\n"]), [longer]);
    let twice = "cpu b.toml: this is given in two files";
    for line in [
        "limit = 90",
        "window = \"3s\"",
        "for = \"3s\"",
        "warning = \"1m\"",
        "critical = \"1h\"",
    ] {
        let text = format!("[cpu]\n{line}\n");
        assert_eq!(faults_of_cpu(&[&text, &text]), [twice], "{line}");
    }
    let more = "[cpu]\nwithout = [\"people\"]\nexempt = [ { select = \"user=root\", reason = \"r\" } ]\n";
    assert_eq!(faults_of_cpu(&[more, more]), [""; 0]);
}

#[test]
fn a_file_that_may_have_hidden_the_table_of_cpu_is_told_with_it() {
    assert_eq!(
        faults_of_cpu(&["[[check]]\nname = \"x\"\nselect = \"x=\"\n"]),
        [""; 0]
    );
    let faults = faults_of_cpu(&["[[check]]\nname = \"x\"\nselect = \"x\"\n[cpu\n"]);
    assert_eq!(faults, ["x a.toml: unclosed table, expected `]`"]);
    assert!(!faults_of_cpu(&["[cpu]\nlimit = 9 0\n"]).is_empty());
    assert_eq!(faults_of_cpu(&["[cpus]\nlimit = 9\n"]).len(), 1);
}

fn faults_of_audit(text: &str) -> Vec<String> {
    let source = Source {
        name: "a.toml".into(),
        text: text.into(),
    };
    let loaded = from_texts(vec![source], &accounts());
    let faults = loaded.of_audit.iter().flat_map(|item| match item {
        Item::Faulty { faulty, .. } => faulty.faults.iter().map(|fault| fault.message.clone()),
        other => panic!("{other:?}"),
    });
    let faults: Vec<String> = faults.collect();
    assert_eq!(loaded.settings.audit.faulty, !faults.is_empty(), "{text}");
    assert!(loaded.settings.audit.without.is_empty(), "{text}");
    faults
}

#[test]
fn that_an_audit_is_blind_can_not_be_switched_off() {
    let always = "`coverage` is always on, and always UNKNOWN";
    assert_eq!(
        faults_of_audit("[audit]\nwithout = [\"coverage\"]\nseverity = { coverage = \"low\" }\n"),
        [always, always]
    );
}

#[test]
fn an_exemption_within_a_rule_has_no_last_day_that_nobody_looks_at() {
    let rule = |exempt: &str| {
        format!(
            "[[audit.rule]]\nid = \"own\"\ntitle = \"t\"\nwhy = \"w\"\nfix = \"f\"\n\
             case = [ {{ severity = \"high\", select = \"x\" }} ]\n\
             exempt = [ {{ select = \"user=root\", reason = \"r\"{exempt} }} ]\n"
        )
    };
    assert_eq!(faults_of_audit(&rule("")), [""; 0]);
    let own = "an exemption within a rule is of that rule, and always";
    assert_eq!(faults_of_audit(&rule(", until = 2020-01-01")), [own]);
    assert_eq!(faults_of_audit(&rule(", rule = \"traced\"")), [own]);
}
