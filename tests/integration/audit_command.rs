//! `procward audit` as it is typed, configured, and called by mon; who is audited is in violators.rs and stock.rs.

use crate::common::{Output, Place, Procward, command, is_root, need, output};
use crate::docs::document;
use crate::namespace::Namespace;
use procward::audit::{Severity, built_in};
use std::path::Path;

fn in_file(text: &str) -> (Place, String) {
    let place = Place::new();
    let file = place.path().join("procward.toml");
    std::fs::write(&file, text).unwrap();
    let path = file.to_str().unwrap().to_owned();
    (place, path)
}

#[test]
fn the_configuration_of_the_document_has_no_fault_and_adds_its_rule() {
    let text = document("docs/audits.md");
    let block = text
        .split("```toml\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .unwrap();
    // Not every host has the account.
    let (_place, file) = in_file(&block.replace("user=www-data", "user=nobody"));
    let check = Procward::new()
        .args(["config", "check", "--config", &file])
        .run()
        .ends(0);
    assert_eq!(check.stdout(), "0 checks and [audit], no fault\n");
    let show = Procward::new()
        .args(["config", "show", "--config", &file])
        .run()
        .ends(0);
    assert_eq!(
        show.stdout(),
        "[audit]\n  critical: from high on\n  warning: from medium on\n  with: root-listener-unconfined\n  \
         without: exe-replaced\n  lib-deleted: medium\n  \
         exempt from groups-not-of-account: unit=backup.service until 2027-06-30: SupplementaryGroups=disk: it reads the disk\n  \
         exempt from coverage: pid=1: the hypervisor's agent closes itself to root\n  \
         rule no-shell-of-www-data (critical): the web server starts no shell\n"
    );
    let list = Procward::new()
        .args(["audit", "--list", "--config", &file])
        .run()
        .ends(0)
        .stdout();
    assert_eq!(list.lines().count(), built_in().len() + 1);
    let line = |id: &str| {
        list.lines()
            .find(|line| line.starts_with(&format!("{id} ")))
            .unwrap()
            .to_owned()
    };
    let words = |id: &str| {
        line(id)
            .split_whitespace()
            .take(3)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        words("no-shell-of-www-data"),
        ["no-shell-of-www-data", "critical", "on"]
    );
    assert_eq!(words("lib-deleted"), ["lib-deleted", "medium", "on,"]);
    assert!(line("lib-deleted").contains("medium    on, maintenance  no process"));
    assert!(line("rwx-mapping").contains(" off, opt-in "));
    assert!(line("root-listener-unconfined").contains("switched on"));
    assert!(line("exe-replaced").contains("switched off"));
    let told = Procward::new().args(["audit", "--explain", "groups-not-of-account", "--config", &file]);
    told.run()
        .ends(0)
        .says_in_words("exempt (configured): unit=backup.service until 2027-06-30: SupplementaryGroups=disk: it reads the disk");
}

#[test]
fn every_fault_of_the_table_is_told_with_its_place_and_the_audit_is_unknown() {
    let (_place, file) = in_file(
        r#"[audit]
critical = "hi"
with = "exe-memdf"
colour = "red"

[[audit.exempt]]
rule = "nosuch"
select = "exe="
until = 2027-13-01

[[audit.rule]]
id = "exe-memfd"
title = "x"
case = [ { severity = "high", select = "user=root:0" } ]
"#,
    );
    let faults = Procward::new()
        .args(["audit", "--config", &file, "etc-ld-so-preload"])
        .run();
    assert_eq!(faults.code(), Some(3), "{}", faults.stdout());
    for fault in [
        "there is no severity `hi`",
        "did you mean `exe-memfd`?",
        "unknown key `colour`",
    ] {
        assert!(faults.stdout().contains(fault), "{fault} in {}", faults.stdout());
    }
}

/// A rule of one's own about process 1, which is old enough for one, with an exemption.
fn audit_of_process_1(exemption: &str) -> Output {
    let (_place, file) = in_file(&format!(
        "[[audit.rule]]\nid = \"mine\"\ntitle = \"t\"\nwhy = \"w\"\nfix = \"f\"\n\
         case = [ {{ severity = \"high\", select = \"pid=1\" }} ]\n\
         [[audit.exempt]]\nrule = \"mine\"\nreason = \"it is meant\"\n{exemption}\n"
    ));
    Procward::new().args(["audit", "--config", &file, "mine"]).run()
}

/// One that was meant for a week, or for another program, must not hold for ever and for all.
#[test]
fn a_faulty_exemption_exempts_nobody() {
    audit_of_process_1("select = \"pid=1\"").ends(0);
    audit_of_process_1("select = \"pid=1\"\nuntil = 9999-12-31").ends(0);
    for (more, fault) in [
        ("until = 2027-02-30", "`2027-02-30` is no day"),
        ("until = \"30 June\"", "`30 June` is no day"),
        ("until = 2027-02-03T10:00:00Z", "`2027-02-03T10:00:00Z` is no day"),
        ("until = 2027-02-03 or so", "invalid time"),
        ("until = 5", "this is not a string"),
        ("unitl = 2027-02-03", "unknown key `unitl`"),
        ("select = \"user=root\"", "duplicate key"),
        ("rule = \"exe-memfd\"", "duplicate key"),
    ] {
        let said = audit_of_process_1(&format!("select = \"pid=1\"\n{more}")).ends(2);
        let first = said.first_line();
        assert!(first.starts_with("CRITICAL: mine: "), "{more}: {first}");
        assert!(said.stdout().contains(fault), "{more}: {}", said.stdout());
    }
}

#[test]
fn an_exemption_by_a_rate_is_told_after_a_second_look() {
    audit_of_process_1("select = \"cpu<100000%\"").ends(0);
    let said = audit_of_process_1("select = \"cpu>100000%\"").ends(2);
    assert!(
        said.first_line().starts_with("CRITICAL: mine: "),
        "{}",
        said.stdout()
    );
}

#[test]
fn a_rule_that_is_not_there_is_told_with_the_nearest() {
    let said = Procward::new().args(["audit", "exe-memdf"]).run().ends(3);
    assert_eq!(
        said.stdout(),
        "UNKNOWN: there is no rule exe-memdf; did you mean exe-memfd?\n"
    );
    let said = Procward::new().args(["audit", "--explain", "x"]).run().ends(3);
    assert_eq!(
        said.stdout(),
        "UNKNOWN: there is no rule x; procward audit --list lists the rules\n"
    );
    let said = Procward::new().args(["audit", "runaway-cpu"]).run().ends(3);
    assert_eq!(
        said.stdout(),
        "UNKNOWN: there is no rule runaway-cpu; procward cpu tells of runaways, from run to run\n"
    );
}

#[test]
fn the_list_is_of_the_rules_and_the_severity_that_are_asked_for() {
    let listed = |words: &[&str]| -> Vec<String> {
        let listing = Procward::new();
        let said = listing
            .args(["audit", "--list"])
            .args(words)
            .run()
            .ends(0)
            .stdout()
            .to_owned();
        let ids = said.lines().filter_map(|line| line.split(' ').next());
        ids.map(str::to_owned).collect()
    };
    let all: Vec<String> = built_in().into_iter().map(|rule| rule.id).collect();
    assert_eq!(listed(&[]), all);
    assert_eq!(listed(&["traced", "no-nnp"]), ["traced", "no-nnp"]);
    assert_eq!(
        listed(&["traced", "no-nnp", "--min-severity", "high"]),
        ["traced"]
    );
    let critical = built_in()
        .into_iter()
        .filter(|rule| rule.severity() == Severity::Critical);
    let critical: Vec<String> = critical.map(|rule| rule.id).collect();
    assert_eq!(listed(&["--min-severity", "critical"]), critical);
}

#[test]
fn the_rules_of_ones_own_in_the_document_have_no_fault() {
    let text = document("docs/audits.md");
    let blocks = text
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    let own: Vec<&str> = blocks.skip(1).collect();
    assert_eq!(own.len(), 1);
    let (_place, file) = in_file(own[0]);
    let listed = Procward::new().args(["audit", "--list", "name-impostor", "--config", &file]);
    assert_eq!(
        listed.run().ends(0).stdout(),
        "name-impostor  high      on               what is called as a daemon of ours is that daemon\n"
    );
}

#[test]
fn an_exemption_makes_what_is_known_ok_and_the_baseline_writes_it() {
    need!(is_root(), "root, for namespaces of its own");
    let namespace = Namespace::new();
    namespace.start("setpriv --reuid=1 --regid=0 --clear-groups sleep 1000");
    namespace.wait_for("sleep", 1);
    std::thread::sleep(std::time::Duration::from_secs(6));
    let audit = |words: &[&str]| {
        namespace
            .procward("root")
            .arg("audit")
            .args(words.iter().copied())
            .run()
    };
    let found = audit(&["gid0-without-uid0", "--format", "mon"]).ends(2);
    assert_eq!(found.first_line(), "CRITICAL: gid0-without-uid0: sleep (daemon)");
    assert!(
        found.stdout().contains("gid 0/0/0/0; uid 1/1/1/1"),
        "{}",
        found.stdout()
    );
    let baseline = audit(&["gid0-without-uid0", "--baseline"]).ends(0).stdout();
    let file = namespace.write("known.toml", &baseline);
    audit(&["gid0-without-uid0", "--config", &file]).ends(0);
    // Under mon's name, with the rules as arguments.
    let link = namespace.place().link("audit.monitor");
    let monitor = |rule: &str| {
        Procward::at(&link)
            .within(namespace.enter("root"))
            .arg(rule)
            .run()
    };
    assert_eq!(
        monitor("gid0-without-uid0").ends(2).first_line(),
        "CRITICAL: gid0-without-uid0: sleep (daemon)"
    );
    assert_eq!(
        monitor("group0-without-uid0").ends(0).first_line(),
        "OK: 2 rules checked"
    );
}

#[test]
fn the_roll_call_is_told_first_and_the_audit_below_it() {
    need!(is_root(), "root, for namespaces of its own");
    let namespace = Namespace::new();
    namespace.start("setpriv --reuid=1 --regid=0 --clear-groups sleep 1000");
    namespace.wait_for("sleep", 1);
    std::thread::sleep(std::time::Duration::from_secs(6));
    let roll = namespace.procward("root").arg("roll").run().ends(0).stdout();
    let (first, second) = roll.split_once("\nAudit:\n").unwrap();
    assert!(
        first.starts_with("DAEMON ") && first.contains(" processes. Watch one:"),
        "{first}"
    );
    assert!(
        second.starts_with("CRITICAL: gid0-without-uid0: sleep (daemon)\n"),
        "{second}"
    );
    let alone = namespace
        .procward("root")
        .args(["roll", "--no-audit"])
        .run()
        .ends(0)
        .stdout();
    assert!(!alone.contains("Audit"), "{alone}");
}

/// A process that maps a file, removes it, and waits.
const MAPS: &str = "python3 -c 'import mmap,os,time; f=open(\"/mnt/data\",\"w+b\"); f.write(b\"x\"*4096); f.flush(); \
    m=mmap.mmap(f.fileno(),4096); os.unlink(\"/mnt/data\"); f.close(); time.sleep(1000)'";

#[test]
fn deleted_mapped_monitor_says_what_mons_says() {
    const MONS: &str = "/usr/lib/mon/mon-local.d/deleted-mapped.monitor.real";
    need!(is_root(), "root, for namespaces of its own");
    need!(Path::new(MONS).exists(), "mon's deleted-mapped.monitor");
    let namespace = Namespace::new();
    let link = namespace.place().link("deleted-mapped.monitor");
    let both = |words: &str| {
        let ours = Procward::at(&link)
            .within(namespace.enter("root"))
            .args(words.split_whitespace())
            .run();
        let theirs = namespace.sh(&format!("{MONS} {words} 2>/dev/null"));
        assert_eq!(
            ours.code(),
            theirs.code(),
            "{words}\n{}\n{}",
            ours.stdout(),
            theirs.stdout()
        );
        (ours.code(), ours.first_line())
    };
    assert_eq!(both(""), (Some(0), "OK: 2 rules checked".into()));
    namespace.must("mkdir -m 777 /mnt/own");
    namespace.start(
        &MAPS
            .replace("python3", "setpriv --reuid=33 --regid=33 --clear-groups python3")
            .replace("/mnt", "/mnt/own"),
    );
    let pid = namespace.wait_for("python3", 1)[0];
    namespace.must(&format!(
        "until grep -q deleted /proc/{pid}/maps; do sleep 0.02; done"
    ));
    let found = (Some(1), "CRITICAL: deleted-mapped: python3.11 (www-data)".into());
    assert_eq!(both(""), found);
    assert_eq!(both("-u 33 some.host"), found);
    assert_eq!(both("-u 32").0, Some(0));
}

#[test]
fn selinux_monitor_fails_as_mons_does_where_selinux_is_not_active() {
    let active = Path::new("/sys/fs/selinux/enforce").exists();
    need!(!active, "a host without SELinux");
    let place = Place::new();
    let said = Procward::at(&place.link("selinux.monitor"))
        .arg("some.host")
        .run()
        .ends(1);
    assert_eq!(said.stdout(), "CRITICAL: SELinux is not active\n");
    const MONS: &str = "/usr/lib/mon/mon-local.d/selinux.monitor";
    need!(Path::new(MONS).exists(), "mon's selinux.monitor");
    assert_eq!(output(&mut command(MONS)).code(), Some(1));
}

#[test]
fn a_group_that_only_the_name_service_knows_is_the_accounts() {
    need!(is_root(), "root, for namespaces of its own");
    let library = [
        "/usr/lib",
        "/usr/lib/x86_64-linux-gnu",
        "/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
    ];
    need!(
        library
            .iter()
            .any(|place| Path::new(place).join("libnss_extrausers.so.2").exists()),
        "libnss-extrausers"
    );
    let namespace = Namespace::new();
    // As a directory server would: accounts that are in no file of /etc.
    let switch = namespace.write(
        "nsswitch.conf",
        "passwd: files extrausers\ngroup: files extrausers\n",
    );
    // This one knows no group below 500.
    let gid = 5100;
    namespace.must(&format!("mount --bind {switch} /etc/nsswitch.conf"));
    namespace.must("mount -t tmpfs -o mode=755 tmpfs /var/lib/extrausers");
    namespace.must(&format!(
        "printf 'member:x:5001:5001::/:/bin/sh\\nother:x:5002:5001::/:/bin/sh\\n' > /var/lib/extrausers/passwd\n\
         printf 'remote:x:5001:\\ndocker:x:{gid}:member\\n' > /var/lib/extrausers/group\n\
         id member | grep -q docker && ! id other | grep docker"
    ));
    for uid in [5001, 5002, 5003] {
        namespace.start(&format!(
            "setpriv --reuid={uid} --regid=5001 --groups={gid} sleep 1000"
        ));
    }
    namespace.wait_for("sleep", 3);
    std::thread::sleep(std::time::Duration::from_secs(6));
    let rules = ["groups-not-of-account", "uid-unknown"];
    let said = namespace
        .procward("root")
        .arg("audit")
        .args(rules)
        .args(["--format", "json"])
        .run();
    let json = said.json();
    let mut found: Vec<(&str, &str)> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["rule"].as_str().unwrap(), one["user"].as_str().unwrap()))
        .collect();
    found.sort_unstable();
    let expected = [
        ("groups-not-of-account", "5003"),
        ("groups-not-of-account", "other"),
        ("uid-unknown", "5003"),
    ];
    assert_eq!(found, expected, "{}", said.stdout());
}

#[test]
fn a_finding_is_confirmed_also_where_the_first_look_comes_late() {
    need!(is_root(), "namespaces need root");
    let host = Namespace::new();
    let program = host.place().copy("/bin/sleep", "lurker").display().to_string();
    host.start(&format!("{program} 1000"));
    let procward = host.place().procward().display().to_string();
    // Looking for hidden processes comes first, and takes its time; here it takes nearly all that a run has.
    let said = host.must(&format!(
        "{procward} audit exe-in-world-writable-dir hidden-pid > /mnt/said & sleep 0.2\n\
         stopped=$(pgrep -x procward) && kill -STOP $stopped && sleep 6 && kill -CONT $stopped\n\
         wait; cat /mnt/said"
    ));
    assert!(
        said.starts_with("CRITICAL: exe-in-world-writable-dir: lurker (root)\n"),
        "{said}"
    );
}

#[test]
fn a_baseline_of_what_could_not_be_looked_at_says_so() {
    need!(is_root(), "users need root");
    // Of the host: what is not 5 s old is not looked at.
    let run = Procward::new()
        .user("nobody")
        .args(["audit", "exe-memfd", "--baseline"]);
    run.run()
        .ends(3)
        .says("\n# Not everything could be looked at; not checked: exe-memfd.\n");
}
