use super::limits::{load, memory, perl};
use super::*;
use crate::judge::State;
use crate::snapshot::*;
use crate::testing::{Build, host, process};
use proptest::prelude::*;

const NONE: Fact<Meminfo> = Fact::Unreadable(Why::Denied);

fn limits(loads: [&str; 3], of_memory: Option<(Measure, &str)>) -> Limits {
    Limits {
        load: loads.map(|text| load(text).unwrap()),
        memory: of_memory.map(|(measure, text)| (measure, perl(text).unwrap())),
    }
}

fn gauges(averages: [f64; 3], meminfo: Fact<Meminfo>) -> Gauges {
    Gauges {
        loadavg: Fact::Value(Loadavg {
            averages,
            tasks: None,
        }),
        meminfo,
    }
}

fn state(averages: [f64; 3], loads: [&str; 3]) -> (State, [bool; 3]) {
    let report = judge(&limits(loads, None), &gauges(averages, NONE));
    (report.state, report.load.high)
}

#[test]
fn an_average_above_its_limit_is_critical_and_one_at_its_limit_is_not() {
    assert_eq!(state([4.0, 3.0, 2.0], ["4", "3", "2"]), (State::Ok, [false; 3]));
    assert_eq!(
        state([4.01, 0.0, 0.0], ["4", "3", "2"]),
        (State::Critical, [true, false, false])
    );
    assert_eq!(
        state([0.0, 0.0, 0.07], ["4", "3", "0.06"]),
        (State::Critical, [false, false, true])
    );
}

#[test]
fn what_cannot_be_read_is_unknown_and_never_ok() {
    for why in [Why::Denied, Why::Malformed, Why::NoAnswer, Why::Errno(2)] {
        let blind = Gauges {
            loadavg: Fact::Unreadable(why),
            meminfo: Fact::Unreadable(why),
        };
        assert_eq!(judge(&limits(["99"; 3], None), &blind).state, State::Unknown);
    }
    let report = judge(&limits(["99"; 3], None), &Gauges::default());
    assert_eq!(report.load.found, Err(Why::Absent));
    let memory = Some((Measure::Memory, "90"));
    let report = judge(&limits(["99"; 3], memory), &gauges([0.0; 3], NONE));
    assert_eq!(report.state, State::Unknown);
    // What is known to be too high stays critical.
    let report = judge(&limits(["0"; 3], memory), &gauges([1.0; 3], NONE));
    assert_eq!(report.state, State::Critical);
}

#[test]
fn memory_is_what_is_not_available_with_or_without_swap() {
    let told = Meminfo {
        total: 1000,
        available: Some(250),
        swap_total: Some(1000),
        swap_free: Some(950),
    };
    let used = |measure, limit| {
        let memory = Some((measure, limit));
        let report = judge(&limits(["9"; 3], memory), &gauges([0.0; 3], Fact::Value(told)));
        let memory = report.memory.unwrap();
        (memory.state, memory.found.unwrap().percent)
    };
    assert_eq!(used(Measure::Memory, "75"), (State::Ok, 75.0));
    assert_eq!(used(Measure::Memory, "74.9"), (State::Critical, 75.0));
    assert_eq!(used(Measure::MemoryAndSwap, "40"), (State::Ok, 40.0));
    assert_eq!(used(Measure::MemoryAndSwap, "39"), (State::Critical, 40.0));
}

#[test]
fn a_kernel_that_does_not_tell_what_is_available_makes_memory_unknown() {
    let told = Meminfo {
        total: 1000,
        ..Meminfo::default()
    };
    for measure in [Measure::Memory, Measure::MemoryAndSwap] {
        let limits = limits(["9"; 3], Some((measure, "90")));
        assert_eq!(
            judge(&limits, &gauges([0.0; 3], Fact::Value(told))).state,
            State::Unknown
        );
    }
}

#[test]
fn a_limit_is_a_plain_number() {
    for text in ["4", "0.75", "0", "007", "4.", ".5"] {
        assert_eq!(load(text).unwrap().value, text.parse::<f64>().unwrap());
    }
    for text in [
        "",
        "x",
        "4x",
        "-1",
        "+4",
        "1e3",
        "inf",
        "nan",
        "4,5",
        "0x4",
        " 4",
        "4%",
        ".",
        &"9".repeat(400),
    ] {
        assert!(
            load(text)
                .unwrap_err()
                .ends_with("write a number, such as 4 or 0.75"),
            "{text}"
        );
    }
    assert_eq!(memory("90%").unwrap().value, 90.0);
    assert_eq!(memory("90%").unwrap().text, "90");
    for text in ["", "%", "90%%", "101", "100.1%", "-1%", "most"] {
        assert!(
            memory(text)
                .unwrap_err()
                .ends_with("write a percentage, such as 90%"),
            "{text}"
        );
    }
}

#[test]
fn perl_reads_more_as_a_number_and_what_it_would_take_for_zero_is_none() {
    for (text, value) in [
        (" 4\n", 4.0),
        ("-1", -1.0),
        ("+4", 4.0),
        ("1e3", 1000.0),
        ("5.", 5.0),
        (".5", 0.5),
    ] {
        assert_eq!(perl(text).unwrap().value, value, "{text}");
    }
    for text in [
        "", "x", "4x", "0x10", "inf", "-inf", "infinity", "nan", "1e400", "e", "1e", "4 3", "1_0", "٣",
    ] {
        assert_eq!(perl(text), None, "{text}");
    }
}

/// A process that ran `ticks` hundredths of a second by now, and one that waits in state D.
fn look(ticks: u64) -> Snapshot {
    let mut look = host(vec![
        process(10, "busy").stat(|stat| stat.utime = ticks),
        process(20, "idle").stat(|stat| stat.rss = 25_600),
        process(30, "stuck").stat(|stat| stat.state = b'D'),
    ]);
    look.at = 3_600_000_000_000;
    look
}

fn blame(mut now: Snapshot, past: Option<Clocks>, waiters: Waiters) -> Blame {
    now.past = past;
    now.clocks = Some(Clocks::of(&now));
    let accounts = now.accounts.clone();
    Suspects::pick(&now, waiters, Some(1 << 30)).blame(&now, &accounts, Pressures::default())
}

fn earlier() -> Clocks {
    let mut past = Clocks::of(&look(100));
    past.at -= 1_000_000_000;
    for clock in &mut past.clocks {
        clock.at -= 1_000_000_000;
    }
    past
}

#[test]
fn who_used_cpu_between_two_looks_is_to_blame_and_not_who_used_it_before() {
    let blame = blame(look(175), Some(earlier()), Waiters::default());
    let told: Vec<(i32, i64)> = blame.cpu.iter().map(|(who, rate)| (who.pid, rate.now)).collect();
    assert_eq!(told, [(10, 750)]);
    assert_eq!(blame.window, Some(std::time::Duration::from_secs(1)));
}

#[test]
fn one_look_tells_no_cpu() {
    let blame = blame(look(175), None, Waiters::default());
    assert!(blame.cpu.is_empty());
    assert_eq!(blame.window, None);
}

#[test]
fn procwards_own_cpu_is_not_told() {
    let mut now = look(175);
    now.observer.pid = Some(10);
    assert!(blame(now, Some(earlier()), Waiters::default()).cpu.is_empty());
}

#[test]
fn who_holds_two_percent_of_the_memory_is_told() {
    let blame = blame(look(100), None, Waiters::default());
    let told: Vec<_> = blame
        .memory
        .iter()
        .map(|(who, held)| (who.pid, held.bytes, held.percent.map(f64::round)))
        .collect();
    assert_eq!(told, [(20, 100 << 20, Some(10.0))]);
}

fn waiter(pid: i32, tasks: u64, channels: &[&str]) -> Waiter {
    Waiter {
        pid,
        tasks,
        threads: tasks,
        channels: channels
            .iter()
            .map(|channel| channel.as_bytes().to_vec())
            .collect(),
        hidden: channels.is_empty(),
    }
}

#[test]
fn most_threads_in_state_d_come_first_and_channels_are_counted() {
    let waiters = Waiters {
        processes: vec![
            waiter(10, 1, &["b"]),
            waiter(20, 3, &["a", "c", "a"]),
            waiter(30, 2, &[]),
        ],
        cut: false,
    };
    let blocked = blame(look(100), None, waiters).blocked;
    let order: Vec<i32> = blocked.processes.iter().map(|(who, _)| who.pid).collect();
    assert_eq!((order, blocked.tasks, blocked.count), (vec![20, 30, 10], 6, 3));
    assert_eq!(blocked.processes[0].1.channels, [b"a".to_vec(), b"c".to_vec()]);
    let channels = [("a", 2), ("b", 1), ("c", 1)].map(|(name, tasks)| (name.as_bytes().to_vec(), tasks));
    assert_eq!(blocked.channels, channels);
    assert_eq!(blocked.hidden, Some(blame::Hidden::ForRights));
}

fn pressure(avg10: f64) -> Fact<Pressure> {
    let some = Stall {
        avg10,
        ..Stall::default()
    };
    Fact::Value(Pressure { some, full: None })
}

fn cgroups(all: &[(&str, f64)]) -> Vec<(String, f64)> {
    let cgroups = all.iter().map(|(path, avg10)| CgroupPressure {
        path: path.as_bytes().to_vec(),
        of: [pressure(*avg10), pressure(0.0), Fact::Unreadable(Why::Errno(2))],
    });
    let pressures = Pressures {
        cgroups: Fact::Value(cgroups.collect()),
        ..Pressures::default()
    };
    let now = look(100);
    let told = Suspects::default().blame(&now, &now.accounts, pressures).cgroups;
    let told = told.value().unwrap().iter();
    told.map(|pressed| (String::from_utf8_lossy(&pressed.path).into_owned(), pressed.avg10))
        .collect()
}

#[test]
fn the_cgroup_where_the_tasks_are_is_told_and_not_those_round_it() {
    let told = cgroups(&[
        ("/system.slice", 80.0),
        ("/user.slice", 9.0),
        ("/calm.slice", 0.9),
        ("/system.slice/a.service", 70.0),
        ("/user.slice/user-1.slice", 2.0),
    ]);
    let told: Vec<(&str, f64)> = told.iter().map(|(path, avg10)| (path.as_str(), *avg10)).collect();
    assert_eq!(
        told,
        [
            ("/system.slice/a.service", 70.0),
            ("/user.slice", 9.0),
            ("/user.slice/user-1.slice", 2.0)
        ]
    );
}

#[test]
fn at_most_five_cgroups_are_told() {
    let paths: Vec<String> = (0..9).map(|number| format!("/{number}")).collect();
    let all: Vec<(&str, f64)> = paths.iter().map(|path| (path.as_str(), 50.0)).collect();
    assert_eq!(cgroups(&all).len(), 5);
}

#[test]
fn cgroups_of_which_nothing_can_be_read_are_not_told_to_be_calm() {
    let cgroup = CgroupPressure {
        path: b"/x".to_vec(),
        of: [const { Fact::Unreadable(Why::Errno(95)) }; 3],
    };
    let pressures = Pressures {
        cgroups: Fact::Value(vec![cgroup]),
        ..Pressures::default()
    };
    let now = look(100);
    let told = Suspects::default().blame(&now, &now.accounts, pressures).cgroups;
    assert_eq!(told, Fact::Unreadable(Why::Errno(95)));
}

proptest! {
    #[test]
    fn the_verdict_is_the_comparison(
        averages: [u32; 3],
        bounds: [u32; 3],
    ) {
        // Hundredths, as the kernel writes them.
        let averages = averages.map(|n| f64::from(n % 1000) / 100.0);
        let texts = bounds.map(|n| format!("{}.{:02}", n % 1000 / 100, n % 100));
        let (state, high) = state(averages, texts.each_ref().map(String::as_str));
        let expected: Vec<bool> = averages
            .iter()
            .zip(&bounds)
            .map(|(average, bound)| (average * 100.0).round() > f64::from(bound % 1000))
            .collect();
        prop_assert_eq!(&high[..], &expected[..]);
        prop_assert_eq!(state == State::Critical, expected.contains(&true));
    }

    #[test]
    fn no_text_makes_a_limit_panic(text: String) {
        let _ = (load(&text), memory(&text), perl(&text));
    }
}
