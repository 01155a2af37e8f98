//! Exact output of every format, and what never reaches it.

use super::*;
use crate::exit_code::Exit;
use crate::judge::{Evidence, Rate};
use crate::load::blame::{Asleep, Blame, Blocked, Held, Hidden, Pressed};
use crate::load::limits::{load, perl};
use crate::load::{Limits, Measure, judge};
use crate::snapshot::{Bytes, Fact, Gauges, Loadavg, Meminfo, Pressure, Stall, Why};
use proptest::prelude::*;
use std::time::Duration;

const LOOK: Look = Look {
    width: Some(80),
    ..Look::PIPE
};
const ALL: [Format; 4] = [Format::Human, Format::Mon, Format::Nagios, Format::Json];

fn limits(loads: [&str; 3]) -> Limits {
    Limits {
        load: loads.map(|text| load(text).unwrap()),
        memory: Some((Measure::MemoryAndSwap, perl("90").unwrap())),
    }
}

fn gauges() -> Gauges {
    Gauges {
        loadavg: Fact::Value(Loadavg {
            averages: [5.13, 2.5, 0.0],
            tasks: Some((8, 174)),
        }),
        meminfo: Fact::Value(Meminfo {
            total: 3 << 20,
            available: Some(1 << 20),
            swap_total: Some(1 << 20),
            swap_free: Some(1 << 20),
        }),
    }
}

fn who(pid: i32, program: &[u8], user: &str) -> Evidence {
    Evidence {
        pid,
        program: program.to_vec(),
        name: program.to_vec(),
        user: Some(user.into()),
        age: Some(90),
        unit: Some(program.to_vec()),
        ..Evidence::default()
    }
}

fn stall(avg10: f64) -> Stall {
    Stall {
        avg10,
        avg60: 2.0,
        avg300: 3.04,
    }
}

fn failing(bytes: &[u8], text: &str) -> Report {
    let channel: Bytes = bytes.to_vec();
    let asleep = |tasks, threads, channels: &[Bytes], hidden| Asleep {
        tasks,
        threads,
        channels: channels.to_vec(),
        hidden,
    };
    let mut report = judge(&limits(["4", "3", "2.50"]), &gauges());
    report.remarks = vec![text.into()];
    report.blame = Some(Blame {
        blocked: Blocked {
            tasks: 5,
            count: 4,
            processes: vec![
                (
                    who(7, bytes, text),
                    asleep(2, 80, std::slice::from_ref(&channel), false),
                ),
                (who(8, bytes, text), asleep(1, 1, &[], true)),
                (who(9, bytes, text), asleep(1, 1, &[], false)),
            ],
            channels: vec![(channel, 2)],
            hidden: Some(Hidden::ForRights),
            cut: true,
        },
        window: Some(Duration::from_millis(1040)),
        cpu: vec![(
            who(10, bytes, text),
            Rate {
                now: 973,
                reaped: 900,
                ..Rate::default()
            },
        )],
        memory: vec![(
            who(11, bytes, text),
            Held {
                bytes: 512 << 20,
                percent: Some(12.5),
            },
        )],
        pressure: [
            Fact::Value(Pressure {
                some: stall(45.12),
                full: Some(stall(0.0)),
            }),
            Fact::Value(Pressure {
                some: stall(1.0),
                full: Some(stall(0.3)),
            }),
            Fact::Unreadable(Why::Denied),
        ],
        cgroups: Fact::Value(vec![Pressed {
            resource: "cpu",
            avg10: 44.0,
            path: [b"/".as_slice(), bytes].concat(),
        }]),
    });
    report
}

fn shown(report: &Report, format: Format) -> String {
    String::from_utf8(render(report, format, &LOOK)).unwrap()
}

const DETAILS: &str =
    "load: 5.13 2.50 0.00 over 1, 5 and 15 minutes; want at most 4 3 2.50, too high: load1; \
8 of 174 tasks run or wait for a core now
memory+swap: 50.0% of 4.0 GiB in use; want at most 90%
in state D (uninterruptible sleep, which counts as load): 5 tasks in 4 processes; 2 at x
  pid 7 x (root, up 1m, x): 2 of 80 threads, at x
  pid 8 x (root, up 1m, x): at a hidden wait channel
  pid 9 x (root, up 1m, x): wait channel not told
  and 1 more
  wait channels of others' processes are shown to root and to CAP_SYS_PTRACE
  there are too many threads to look at all of them
most CPU over 1.0 s, of one core:
  97.3% pid 10 x (root, up 1m, x), 90.0% of it by children that ended
most memory (resident):
  12.5% 512.0 MiB pid 11 x (root, up 1m, x)
pressure, part of the time in which some task waited, over 10, 60 and 300 s:
  cpu 45.1% 2.0% 3.0%
  io 1.0% 2.0% 3.0% (all tasks 0.3%)
  memory: not told: permission denied
pressure by cgroup, over 10 s:
  cpu 44.0% /x
root
";

#[test]
fn who_is_to_blame_follows_a_line_that_does_not_move() {
    let report = failing(b"x", "root");
    assert_eq!(
        shown(&report, Format::Mon),
        format!("CRITICAL: load high\n{DETAILS}")
    );
    assert_eq!(
        shown(&report, Format::Human),
        format!("CRITICAL: load high\n\n{DETAILS}")
    );
    let data = "load1=5.13;;4;0 load5=2.50;;3;0 load15=0.00;;2.50;0 memory_swap=50.0%;;90;0;100";
    assert_eq!(
        shown(&report, Format::Nagios),
        format!("LOAD CRITICAL: load high | {data}\n{DETAILS}")
    );
}

#[test]
fn a_load_that_rises_and_falls_does_not_move_the_first_line() {
    let limits = limits(["4", "3", "2"]);
    for averages in [
        [9.0, 0.0, 0.0],
        [9.0, 9.0, 0.0],
        [9.0, 9.0, 9.0],
        [0.0, 9.0, 9.0],
        [0.0, 0.0, 9.0],
    ] {
        let mut gauges = gauges();
        gauges.loadavg = Fact::Value(Loadavg {
            averages,
            tasks: None,
        });
        let text = shown(&judge(&limits, &gauges), Format::Mon);
        assert_eq!(text.lines().next(), Some("CRITICAL: load high"), "{averages:?}");
    }
}

#[test]
fn the_first_line_names_what_is_worst_only() {
    let first = |loads, memory: &str, of: Gauges| {
        let mut limits = limits(loads);
        limits.memory = Some((Measure::Memory, perl(memory).unwrap()));
        first_line(&judge(&limits, &of))
    };
    let (high, fine) = (["0"; 3], ["99"; 3]);
    assert_eq!(first(high, "1", gauges()), "load high, memory high");
    assert_eq!(first(fine, "1", gauges()), "memory high");
    assert_eq!(first(fine, "90", gauges()), "load, memory within limits");
    let blind = Gauges {
        meminfo: Fact::Unreadable(Why::Denied),
        ..gauges()
    };
    assert_eq!(first(high, "1", blind.clone()), "load high");
    assert_eq!(first(fine, "1", blind), "memory unseen");
    assert_eq!(first(fine, "1", Gauges::default()), "load unseen, memory unseen");
}

#[test]
fn what_is_fine_is_told_in_numbers() {
    let report = judge(&limits(["99"; 3]), &gauges());
    let details = "load: 5.13 2.50 0.00 over 1, 5 and 15 minutes; want at most 99 99 99; 8 of 174 tasks run or wait for a \
        core now\nmemory+swap: 50.0% of 4.0 GiB in use; want at most 90%\n";
    assert_eq!(
        shown(&report, Format::Mon),
        format!("OK: load, memory+swap within limits\n{details}")
    );
}

#[test]
fn what_cannot_be_told_has_a_reason_a_remedy_and_no_performance_data() {
    let blind = Gauges {
        loadavg: Fact::Unreadable(Why::Errno(2)),
        meminfo: Fact::Unreadable(Why::Malformed),
    };
    let text = shown(&judge(&limits(["4", "3", "2"]), &blind), Format::Nagios);
    assert_eq!(
        text,
        "LOAD UNKNOWN: load unseen, memory+swap unseen\n\
         load: can't be told; want at most 4 3 2\n\
         \x20 why: loadavg: No such file or directory (os error 2)\n\
         \x20 remedy: look at a proc file system that shows more than processes: one mounted with subset=pid does not\n\
         memory+swap: can't be told; want at most 90%\n\
         \x20 why: meminfo: malformed\n"
    );
}

#[test]
fn nothing_to_blame_is_told() {
    let mut report = judge(&limits(["0"; 3]), &gauges());
    report.blame = Some(Blame {
        pressure: [const { Fact::Unreadable(Why::Errno(95)) }; 3],
        cgroups: Fact::NotApplicable,
        ..Blame::default()
    });
    let text = shown(&report, Format::Mon);
    assert_eq!(
        text.lines().skip(3).collect::<Vec<_>>(),
        [
            "in state D (uninterruptible sleep, which counts as load): nothing",
            "most CPU: not told, for a copied /proc or a snapshot is one look",
            "most memory (resident):",
            "  no process holds 2% or more",
            "pressure: not told: Operation not supported (os error 95) (the kernel tells it since 4.20, where it is booted \
             with psi=1)",
            "pressure by cgroup: not told: no cgroup2 file system is mounted here",
        ]
    );
}

#[test]
fn the_json_report_is_what_the_schema_says() {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../../docs/load.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let texts = [
        shown(&failing(b"x", "root"), Format::Json),
        shown(&failing(b"\xff\n|", "n\u{202e}|\n"), Format::Json),
        shown(&judge(&limits(["4", "3", "2"]), &Gauges::default()), Format::Json),
        String::from_utf8(excuse(Format::Json, "late", None).text).unwrap(),
    ];
    for text in texts {
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        let faults: Vec<String> = validator
            .iter_errors(&document)
            .map(|error| error.to_string())
            .collect();
        assert_eq!(faults, Vec::<String>::new(), "{text}");
    }
    assert!(!validator.is_valid(&serde_json::json!({ "version": 2 })));
}

#[test]
fn a_failure_that_was_known_stays_one_under_either_exit_code_and_nothing_else_does() {
    for exit in [Exit::Critical, Exit::Warning] {
        let known = Outcome::new("CRITICAL: load high\n", exit);
        let told = excuse(Format::Mon, "ended by SIGTERM", Some(known));
        assert_eq!(
            (told.text.as_slice(), told.exit),
            (b"CRITICAL: load high\nended by SIGTERM\n".as_slice(), exit)
        );
    }
    for known in [None, Some(Outcome::new("OK: load within limits\n", Exit::Ok))] {
        let told = excuse(Format::Nagios, "late", known);
        assert_eq!(
            (told.text.as_slice(), told.exit),
            (b"LOAD UNKNOWN: not finished\nlate\n".as_slice(), Exit::Unknown)
        );
    }
}

#[test]
fn a_plugin_writes_at_most_sixteen_kib() {
    let report = failing(&vec![b'x'; 9000], &"y".repeat(900));
    for format in [Format::Mon, Format::Nagios] {
        let text = shown(&report, format);
        assert!(text.len() <= crate::report::LIMIT, "{}", text.len());
        assert!(text.lines().skip(1).all(|line| line.len() <= 1000));
    }
}

proptest! {
    #[test]
    fn nothing_raw_reaches_the_output(bytes: Vec<u8>, text: String) {
        let report = failing(&bytes, &text);
        for format in ALL {
            let out = shown(&report, format);
            let raw = |c: char| c != '\n' && c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c);
            prop_assert!(!out.chars().any(raw), "{out:?}");
            let bars = match format {
                Format::Mon => 0,
                Format::Nagios => 1,
                _ => usize::MAX,
            };
            prop_assert!(out.matches('|').count() <= bars);
        }
    }
}
