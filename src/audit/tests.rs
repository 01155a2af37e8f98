//! Every built-in rule on hosts from builders.

use super::compile::{compile, name};
use super::host::Facts;
use super::settings::{Asked, Day};
use super::*;
use crate::judge::{State, judge};
use crate::select::spec::parse_selector;
use crate::snapshot::*;
use crate::testing::{Build, host, process};

const TODAY: Day = Day {
    year: 2026,
    month: 11,
    day: 24,
};

/// An audit of one look: what is found would still have to be confirmed.
fn audited(view: &Snapshot, settings: &Settings, asked: &Asked) -> Report {
    let rules = settings.rules(asked);
    let compiled = compile(&rules, settings, &view.accounts, TODAY);
    let report = judge(&compiled.items, view, &view.accounts);
    let told = rules.iter().filter_map(|rule| rule.host.map(|_| rule.id.clone()));
    let facts: Facts = told
        .filter_map(|id| crate::source::audit::known().find(|known| *known == id))
        .map(|id| (id, host::Fact::Told(Vec::new())))
        .collect();
    outcome::assemble(&rules, &compiled, report, &facts, settings)
}

/// Rule and severity of what is found of process 70.
fn found(daemon: Process) -> Vec<(String, Severity)> {
    let view = host(vec![daemon]);
    let all = Asked {
        all: true,
        ..Asked::default()
    };
    let report = audited(&view, &Settings::default(), &all);
    let of = |finding: &&Finding| finding.process.as_ref().is_some_and(|process| process.pid == 70);
    let mut found: Vec<(String, Severity)> = report
        .rules
        .iter()
        .flat_map(|rule| {
            rule.findings
                .iter()
                .filter(of)
                .map(|one| (rule.rule.id.clone(), one.severity))
        })
        .collect();
    found.sort();
    found
}

fn status(change: impl FnOnce(&mut Status)) -> Process {
    let plain = Status {
        uid: [33; 4],
        gid: [33; 4],
        vm_swap: Some(0),
        ns_pid: vec![70],
        caps: Caps {
            inheritable: Some(0),
            permitted: Some(0),
            effective: Some(0),
            bounding: Some(0),
            ambient: Some(0),
        },
        no_new_privs: Some(false),
        seccomp: Some(0),
        tracer: Some(0),
        umask: Some(0o22),
        ..Status::default()
    };
    process(70, "d").change(|p| {
        let mut status = plain;
        change(&mut status);
        p.owner = Fact::Value((status.uid[1], status.gid[1]));
        p.account = Fact::Value(Account {
            exists: true,
            groups: vec![33],
            privileged: vec![27, 42],
        });
        p.status = Fact::Value(status);
    })
}

fn only(id: &str, severity: Severity) -> Vec<(String, Severity)> {
    vec![(id.to_owned(), severity)]
}

#[test]
fn the_built_in_rules_are_well_formed() {
    let rules = built_in();
    assert!(rules.len() > 55, "{}", rules.len());
    let view = host(vec![]);
    let mut ids: Vec<&str> = rules.iter().map(|rule| rule.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), rules.len(), "an id is given twice");
    for rule in &rules {
        assert!(
            !rule.title.is_empty() && !rule.why.is_empty() && !rule.fix.is_empty() && !rule.source.is_empty()
        );
        assert_eq!(rule.host.is_some(), rule.cases.is_empty(), "{}", rule.id);
        for case in &rule.cases {
            let told = compile::selector(case, &view.accounts);
            assert!(told.is_ok(), "{}: {}: {told:?}", rule.id, case.select);
        }
        for exempt in &rule.exempt {
            let told = parse_selector(&exempt.select, &view.accounts);
            assert!(told.is_ok(), "{}: {}: {told:?}", rule.id, exempt.select);
            assert!(!exempt.reason.is_empty());
        }
    }
    let looked_for: Vec<&str> = crate::source::audit::known().collect();
    for rule in rules
        .iter()
        .filter(|rule| rule.host.is_some() && rule.id != compile::COVERAGE)
    {
        assert!(
            looked_for.contains(&rule.id.as_str()),
            "nobody looks for {}",
            rule.id
        );
    }
    assert_eq!(name("a-b", 2), "a-b/2");
}

#[test]
fn who_dropped_all_of_root_breaks_no_rule_that_is_on() {
    let view = host(vec![status(|_| ())]);
    let report = audited(&view, &Settings::default(), &Asked::default());
    let broken: Vec<&str> = report
        .rules
        .iter()
        .filter(|rule| rule.outcome == Outcome::Violated && rule.rule.id != compile::COVERAGE)
        .map(|rule| rule.rule.id.as_str())
        .collect();
    assert_eq!(broken, [""; 0]);
}

#[test]
fn ids_that_stayed_roots_are_found() {
    use Severity::*;
    assert_eq!(
        found(status(|s| s.gid = [33, 33, 0, 33])),
        only("gid0-without-uid0", High)
    );
    assert_eq!(found(status(|s| s.gid = [0; 4])), only("gid0-without-uid0", High));
    assert_eq!(
        found(status(|s| s.groups = vec![0])),
        only("group0-without-uid0", High)
    );
    assert_eq!(
        found(status(|s| s.groups = vec![42])),
        only("groups-not-of-account", High)
    );
    assert_eq!(found(status(|s| s.groups = vec![1000])), []);
    assert_eq!(
        found(status(|s| s.uid = [33, 33, 0, 33])),
        only("uid0-regainable", High)
    );
    let both = [("setuid-root-running".to_owned(), Low)];
    assert_eq!(
        found(status(|s| s.uid = [33, 0, 0, 0]).stat(|s| s.tty_nr = 34_816)),
        both
    );
    assert_eq!(
        found(status(|s| s.uid[3] = 34)),
        [
            ("fsid-mismatch".to_owned(), Medium),
            ("uid-mixed-nonroot".to_owned(), Low),
        ]
    );
}

#[test]
fn only_a_container_that_root_made_excuses() {
    use Severity::*;
    let id = "0123456789abcdef".repeat(4);
    let within = |path: String, access| {
        status(|s| s.gid = [0; 4]).cgroup(&path).change(|p| {
            p.container = Fact::Value(Writers {
                access,
                ..Writers::default()
            });
        })
    };
    let roots = within(format!("/system.slice/docker-{id}.scope"), Access::Root);
    assert_eq!(found(roots), only("gid0-without-uid0", Low));
    let users = "/user.slice/user-33.slice/user@33.service";
    for access in [Access::Others, Access::EmptyGroup] {
        let claimed = within(format!("{users}/docker-{id}.scope"), access);
        assert_eq!(found(claimed), only("gid0-without-uid0", High), "{access:?}");
    }
}

#[test]
fn an_account_that_is_of_group_root_may_have_it() {
    let operator = status(|s| s.gid = [0; 4]).change(|p| {
        p.account = Fact::Value(Account {
            exists: true,
            groups: vec![0],
            privileged: vec![],
        });
    });
    assert_eq!(found(operator), []);
}

#[test]
fn capabilities_are_found_unless_they_count_in_another_user_namespace_only() {
    use Severity::*;
    let with = |mask: u64| {
        status(|s| {
            s.caps.permitted = Some(mask);
        })
    };
    assert_eq!(found(with(1 << 21)), only("nonroot-root-equivalent-cap", High));
    assert_eq!(found(with(1 << 13)), only("nonroot-net-cap", Medium));
    assert_eq!(found(with(1 << 10)), only("nonroot-other-cap", Info));
    assert_eq!(found(with(1 << 21).change(|p| p.userns = Fact::Value(true))), []);
    let ambient = |mask: u64| {
        status(|s| {
            s.caps.ambient = Some(mask);
            s.caps.inheritable = Some(mask);
        })
    };
    assert_eq!(found(ambient(1 << 12)), only("ambient-caps", Medium));
    assert_eq!(found(ambient(1 << 10)), only("ambient-caps", Low));
    assert_eq!(
        found(ambient(1 << 35)),
        [],
        "systemd gives wake_alarm to sessions"
    );
    assert_eq!(
        found(status(|s| s.caps.inheritable = Some(1))),
        only("inheritable-caps", Low)
    );
}

#[test]
fn what_can_not_be_looked_at_is_not_ok() {
    let view = host(vec![status(|_| ()).exe_denied()]);
    let asked = Asked {
        rules: vec!["exe-deleted".into()],
        ..Asked::default()
    };
    let report = audited(&view, &Settings::default(), &asked);
    assert_eq!(report.state, State::Unknown);
    let rule = report
        .rules
        .iter()
        .find(|rule| rule.rule.id == "exe-deleted")
        .unwrap();
    assert_eq!(rule.outcome, Outcome::NotChecked);
    assert_eq!((report.readable, report.seen), (view.seen - 1, view.seen));
    let coverage = report
        .rules
        .iter()
        .find(|rule| rule.rule.id == "coverage")
        .unwrap();
    assert_eq!(coverage.unsure.len(), 1);
    // Whoever knows why says so.
    let known = |rule: &str| Settings {
        exempt: vec![Exemption {
            rules: vec![rule.into()],
            selector: parse_selector("pid=70", &view.accounts).unwrap(),
            reason: "it is".into(),
            until: None,
        }],
        ..Settings::default()
    };
    assert_eq!(audited(&view, &known("coverage"), &asked).state, State::Ok);
    let off = Settings {
        without: vec!["coverage".into()],
        ..Settings::default()
    };
    assert_eq!(audited(&view, &off, &asked).state, State::Ok);
}

#[test]
fn what_to_grant_is_told_beside_a_finding_of_the_same_rule_too() {
    let sealed = status(|_| ()).exe("/memfd:sealed (deleted)").change(|p| {
        if let Fact::Value(Exe {
            file: Fact::Value(file),
            ..
        }) = &mut p.exe
        {
            file.links = 0;
        }
    });
    let view = host(vec![sealed, process(71, "e").exe_denied()]);
    let asked = Asked {
        rules: vec!["exe-memfd".into()],
        ..Asked::default()
    };
    let report = audited(&view, &Settings::default(), &asked);
    let rule = |id: &str| report.rules.iter().find(|rule| rule.rule.id == id).unwrap();
    assert_eq!(rule("exe-memfd").outcome, Outcome::Violated);
    let grant =
        "grant CAP_SYS_PTRACE (AmbientCapabilities=CAP_SYS_PTRACE in the unit, or setcap cap_sys_ptrace+ep)";
    assert_eq!(rule("coverage").remedies, [grant]);
}

#[test]
fn of_what_can_not_be_told_the_first_terms_are_named_and_the_largest_grant() {
    let closed = status(|_| ()).exe_denied().change(|p| {
        p.environ = Fact::Unreadable(Why::Denied);
        p.maps = Fact::Unreadable(Why::Denied);
    });
    let asked = Asked {
        rules: [
            "exe-memfd",
            "exe-deleted",
            "exe-replaced",
            "env-ld-audit",
            "lib-deleted",
        ]
        .map(String::from)
        .into(),
        ..Asked::default()
    };
    let report = audited(&host(vec![closed]), &Settings::default(), &asked);
    let coverage = report
        .rules
        .iter()
        .find(|rule| rule.rule.id == "coverage")
        .unwrap();
    let closed = coverage.unsure.iter().find(|one| one.pid == 70).unwrap();
    let doubt = closed.doubt.as_deref().unwrap();
    assert_eq!(doubt, "permission denied: env exe exe.deleted and 3 more");
    assert_eq!(
        coverage.remedies,
        [
            "grant CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH (AmbientCapabilities=CAP_SYS_PTRACE CAP_DAC_READ_SEARCH in the \
          unit, or setcap cap_sys_ptrace,cap_dac_read_search+ep)"
        ]
    );
}

#[test]
fn an_exemption_ends_and_one_that_nobody_needs_is_told() {
    let view = host(vec![status(|s| s.gid = [0; 4])]);
    let asked = Asked {
        rules: vec!["gid0-without-uid0".into()],
        ..Asked::default()
    };
    let exempt = |select: &str, until: &str| Settings {
        exempt: vec![Exemption {
            rules: vec!["gid0-without-uid0".into()],
            selector: parse_selector(select, &view.accounts).unwrap(),
            reason: "it is".into(),
            until: Day::parse(until),
        }],
        ..Settings::default()
    };
    let told = |settings: &Settings| {
        let report = audited(&view, settings, &asked);
        (report.state, report.stale)
    };
    assert_eq!(told(&exempt("comm=d", "2026-11-24")), (State::Ok, vec![]));
    let ended = "gid0-without-uid0: the exemption comm=d held until 2026-11-23: it is".to_owned();
    assert_eq!(
        told(&exempt("comm=d", "2026-11-23")),
        (State::Critical, vec![ended])
    );
    let idle = "gid0-without-uid0: the exemption comm=e exempted no process: it is".to_owned();
    assert_eq!(told(&exempt("comm=e", "")), (State::Critical, vec![idle]));
}

#[test]
fn severities_make_the_state() {
    let view = host(vec![status(|s| s.gid = [0; 4])]);
    let asked = Asked {
        rules: vec!["gid0-without-uid0".into()],
        ..Asked::default()
    };
    let state = |settings: Settings| audited(&view, &settings, &asked).state;
    assert_eq!(state(Settings::default()), State::Critical);
    let milder = Settings {
        critical: Some(Severity::Critical),
        ..Settings::default()
    };
    assert_eq!(state(milder), State::Warning);
    let low = Settings {
        severities: [("gid0-without-uid0".to_owned(), Severity::Low)].into(),
        ..Settings::default()
    };
    assert_eq!(state(low), State::Ok);
}

#[test]
fn only_rules_that_are_so_bad_are_looked_after() {
    let ids = |least| {
        let asked = Asked {
            least,
            ..Asked::default()
        };
        Settings::default()
            .rules(&asked)
            .into_iter()
            .map(|rule| rule.id)
            .collect::<Vec<_>>()
    };
    assert!(ids(None).contains(&"exe-replaced".to_owned()));
    assert!(!ids(None).contains(&"rwx-mapping".to_owned()));
    let worst = ids(Some(Severity::Critical));
    assert!(worst.contains(&"hidden-pid".to_owned()) && worst.contains(&"coverage".to_owned()));
    assert!(!worst.contains(&"exe-deleted".to_owned()));
}

#[test]
fn what_is_still_starting_is_left_alone() {
    let young = status(|s| s.gid = [0; 4]).born_ago(4_000, 0);
    assert_eq!(found(young), []);
}

#[test]
fn only_systemds_own_child_is_a_unit_that_starts() {
    let starts = |path: &str| {
        let daemon = status(|s| s.gid = [0; 4]).stat(|s| s.comm = b"(d)".to_vec());
        found(
            daemon
                .change(|p| p.comm = Fact::Value(b"(d)".to_vec()))
                .exe(path)
                .born_ago(7_000, 0),
        )
    };
    assert_eq!(
        starts("/tmp/d"),
        only("gid0-without-uid0", Severity::High),
        "a name is anybody's"
    );
    assert_eq!(starts("/usr/lib/systemd/systemd-executor"), []);
}

#[test]
fn rules_of_a_module_that_is_not_active_leave_nothing_that_could_be_ok() {
    let state = |asked: &[&str]| {
        let asked = Asked {
            rules: asked.iter().map(|rule| (*rule).to_owned()).collect(),
            ..Asked::default()
        };
        let (settings, view) = (Settings::default(), host(vec![]));
        let rules = settings.rules(&asked);
        let mut compiled = compile(&rules, &settings, &view.accounts, TODAY);
        compiled.items.clear();
        compiled.skipped = vec![(
            "selinux-not-enforcing".into(),
            "this host does not run SELinux".into(),
        )];
        let facts = Facts::from([("hidden-pid", host::Fact::Told(Vec::new()))]);
        let report = judge(&compiled.items, &view, &view.accounts);
        outcome::assemble(&rules, &compiled, report, &facts, &settings).state
    };
    assert_eq!(state(&["selinux-not-enforcing"]), State::Unknown);
    assert_eq!(state(&["selinux-not-enforcing", "hidden-pid"]), State::Ok);
}

#[test]
fn to_ask_only_how_much_the_others_saw_is_to_ask_nothing() {
    let asked = Asked {
        rules: vec!["coverage".into()],
        ..Asked::default()
    };
    let report = audited(&host(vec![]), &Settings::default(), &asked);
    assert_eq!((report.rules.len(), report.state), (1, State::Unknown));
}
