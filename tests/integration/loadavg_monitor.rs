//! procward under the name `loadavg.monitor`, beside mon's own: the same verdicts, and the truth where that one has a false
//! one.

use crate::common::{Output, Place, Procward, command, is_root, output, skip};
use crate::ps_monitor::{Numbers, theirs};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

const USAGE: &str = "usage: loadavg.monitor LOAD1 LOAD5 LOAD15 [PERCENT]\n\
    \x20      what the load averages and memory and swap in use may be at most [default: 90%]\n";

#[test]
fn a_fault_in_the_arguments_is_unknown_and_says_what_to_write() {
    let place = Place::new();
    let link = place.link("loadavg.monitor");
    for (arguments, sentence) in [
        (&[][..], "three or four numbers are wanted, not 0"),
        (&["1", "2"], "three or four numbers are wanted, not 2"),
        (
            &["1", "2", "3", "4", "5"],
            "three or four numbers are wanted, not 5",
        ),
        (
            &["4x", "3", "2"],
            "`4x` is not a load average: write a number, such as 4 or 0.75",
        ),
        (
            &["4", "3,5", "2"],
            "`3,5` is not a load average: write a number, such as 4 or 0.75",
        ),
        (
            &["4", "3", "inf"],
            "`inf` is not a load average: write a number, such as 4 or 0.75",
        ),
        (
            &["4", "3", ""],
            "`` is not a load average: write a number, such as 4 or 0.75",
        ),
        (
            &["4", "3", "\u{1b}[31m|"],
            "`\\x1b[31m¦` is not a load average: write a number, such as 4 or 0.75",
        ),
        (
            &["4", "3", "2", "90%%"],
            "`90%%` is not a part of the memory: write a percentage, such as 90",
        ),
        (&["4", "3", "2", "localhost"], "missing ;; in mon.cf: localhost"),
        (
            &["4", "3", "2", "90", "127.0.0.1"],
            "missing ;; in mon.cf: 127.0.0.1",
        ),
    ] {
        let expected = format!("UNKNOWN: {sentence}\n{USAGE}");
        let said = Procward::at(&link).args(arguments).run().ends(3);
        assert_eq!(said.stdout(), expected, "{arguments:?}");
        let said = Procward::new()
            .arg("loadavg.monitor")
            .args(arguments)
            .run()
            .ends(3);
        assert_eq!(said.stdout(), expected, "{arguments:?}");
    }
    for (arguments, sentence) in [
        (
            &["4", "3", "x"][..],
            "`x` is not a load average: write a number, such as 4 or 0.75",
        ),
        (
            &["4", "3", "|\u{202e}"],
            "`¦\\u{202e}` is not a load average: write a number, such as 4 or 0.75",
        ),
        (&["4", "3", "-2"], "unexpected argument '-2' found"),
        (&["4", "3"], "<LOAD15>"),
        (&["4", "3", "2", "1"], "unexpected argument '1' found"),
        (
            &["4", "3", "2", "--memory", "101%"],
            "`101%` is not a part of the memory: write a percentage, such as 90%",
        ),
    ] {
        let said = Procward::new()
            .arg("load")
            .args(arguments)
            .run()
            .ends(3)
            .says(sentence);
        assert!(said.first_line().starts_with("UNKNOWN: "), "{}", said.stdout());
    }
}

/// mon's own, where files of another load can be mounted for it; else the test is skipped.
fn theirs_with_any_load() -> Option<PathBuf> {
    let found = theirs("loadavg.monitor");
    let mounts = || is_root() && output(command("unshare").args(["-m", "true"])).code() == Some(0);
    if found.is_none() {
        skip("mon's loadavg.monitor, with Proc::ProcessTable, is not installed");
    } else if !mounts() {
        skip("files can't be mounted");
        return None;
    }
    found
}

/// A host as both monitors see it, and what both are given.
#[derive(Debug)]
struct Case {
    loadavg: String,
    meminfo: String,
    arguments: Vec<String>,
}

impl Case {
    /// Runs a program where `/proc/loadavg` and `/proc/meminfo` say this.
    fn run(&self, program: &Path) -> Output {
        let place = Place::new();
        let file = |name: &str, text: &str| {
            let path = place.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let script = format!(
            "mount --bind {} /proc/loadavg && mount --bind {} /proc/meminfo || exit 77; exec \"$0\" \"$@\"",
            file("loadavg", &self.loadavg),
            file("meminfo", &self.meminfo)
        );
        output(
            command("unshare")
                .args(["-m", "sh", "-c", &script])
                .arg(program)
                .args(&self.arguments),
        )
    }
}

/// An average as the kernel writes it; few different ones, so that limits are met exactly.
fn average(numbers: &mut Numbers) -> String {
    format!("{}.{:02}", numbers.below(12), numbers.below(4) * 25)
}

/// The same number in one of the ways to write it.
fn limit(numbers: &mut Numbers) -> String {
    let (whole, quarters) = (numbers.below(14), numbers.below(4) * 25);
    match numbers.below(9) {
        0 => whole.to_string(),
        1 => format!("{whole}."),
        2 => format!(" +{whole}.{quarters}"),
        3 => format!("{whole}{quarters:02}e-2"),
        4 => format!("-{whole}"),
        5 => "999".into(),
        _ => format!("{whole}.{quarters:02}"),
    }
}

fn case(numbers: &mut Numbers) -> Case {
    let total = 1000 + numbers.below(9) * 500;
    let swap = numbers.below(3) * 1000;
    let (free, available) = (numbers.below(swap + 1), numbers.below(total + 1));
    let percent = match numbers.below(6) {
        0 => None,
        1 => Some("90".to_owned()),
        2 => Some(format!("{}%", numbers.below(101))),
        3 => Some(format!("{}.5", numbers.below(100))),
        // Just what is in use, so that it is met exactly.
        4 => Some(format!(
            "{}",
            (swap - free + total - available) * 100 / (swap + total)
        )),
        _ => Some(numbers.below(101).to_string()),
    };
    Case {
        loadavg: format!(
            "{} {} {} 2/345 6789\n",
            average(numbers),
            average(numbers),
            average(numbers)
        ),
        meminfo: format!(
            "MemTotal:        {total} kB\nMemFree:          7 kB\nMemAvailable:    {available} kB\n\
             SwapCached:            0 kB\nSwapTotal:       {swap} kB\nSwapFree:        {free} kB\n"
        ),
        arguments: (0..3).map(|_| limit(numbers)).chain(percent).collect(),
    }
}

/// How a run ended, and whether load, and memory with swap, were too high.
type Verdict = (Option<i32>, bool, bool);

fn verdict_there(said: &Output) -> Verdict {
    let line = said.first_line();
    (
        said.code(),
        line.contains(" >= "),
        line.contains("Swap+RAM Use: "),
    )
}

fn verdict_here(said: &Output) -> Verdict {
    let line = said.first_line();
    let high = |what: &str| {
        line.strip_prefix("CRITICAL: ")
            .is_some_and(|list| list.split(", ").any(|one| one == what))
    };
    (said.code(), high("load high"), high("memory+swap high"))
}

/// Most of a run is waiting: so many at a time.
fn all<T: Send>(cases: &[Case], run: impl Fn(&Case) -> T + Sync) -> Vec<T> {
    let next = Mutex::new(0..cases.len());
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                loop {
                    let Some(index) = next.lock().unwrap().next() else {
                        break;
                    };
                    let result = run(&cases[index]);
                    done.lock().unwrap().push((index, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[test]
fn the_same_verdicts_as_mons_own() {
    let Some(theirs) = theirs_with_any_load() else {
        return;
    };
    let place = Place::new();
    let link = place.link("loadavg.monitor");
    let mut numbers = Numbers(20_261_124);
    let cases: Vec<Case> = (0..240).map(|_| case(&mut numbers)).collect();
    let verdicts = all(&cases, |case| {
        (verdict_there(&case.run(&theirs)), verdict_here(&case.run(&link)))
    });
    let mut kinds = std::collections::BTreeMap::new();
    for (case, (there, here)) in cases.iter().zip(&verdicts) {
        assert_eq!(there, here, "{case:?}");
        *kinds.entry(*there).or_insert(0) += 1;
    }
    // Fine, load alone, memory alone, and both.
    assert_eq!(kinds.len(), 4, "{kinds:?}");
    assert!(kinds.values().all(|count| *count >= 15), "{kinds:?}");
}

#[test]
fn what_is_a_silent_ok_or_a_false_alarm_with_mons_own_is_said() {
    let Some(theirs) = theirs_with_any_load() else {
        return;
    };
    let place = Place::new();
    let link = place.link("loadavg.monitor");
    let loadavg = "5.00 5.00 5.00 1/2 3\n";
    let meminfo = "MemTotal: 1000 kB\nMemAvailable: 500 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n";
    for (loadavg, meminfo, arguments, there, here) in [
        // Numbers that nothing is above.
        (
            loadavg,
            meminfo,
            "inf inf inf",
            0,
            "UNKNOWN: `inf` is not a load average",
        ),
        (
            loadavg,
            meminfo,
            "nan nan nan",
            0,
            "UNKNOWN: `nan` is not a load average",
        ),
        // Taken for 9, which is not what is meant.
        (
            loadavg,
            meminfo,
            "9k 9 9",
            0,
            "UNKNOWN: `9k` is not a load average",
        ),
        // Taken for 0.
        (
            loadavg,
            meminfo,
            "four 9 9",
            1,
            "UNKNOWN: `four` is not a load average",
        ),
        (
            loadavg,
            meminfo,
            "9 9 9 localhost",
            1,
            "UNKNOWN: missing ;; in mon.cf: localhost",
        ),
        // Not told by the kernel, and taken for nothing.
        ("", meminfo, "9 9 9", 0, "UNKNOWN: load unseen"),
        (
            loadavg,
            "MemTotal: 1000 kB\n",
            "9 9 9",
            1,
            "UNKNOWN: memory+swap unseen",
        ),
        (loadavg, "", "9 9 9", 255, "UNKNOWN: memory+swap unseen"),
        // The usage goes to standard error, and is no failure of the host.
        (
            loadavg,
            meminfo,
            "9 9",
            1,
            "UNKNOWN: three or four numbers are wanted, not 2",
        ),
    ] {
        let case = Case {
            loadavg: loadavg.into(),
            meminfo: meminfo.into(),
            arguments: arguments.split(' ').map(str::to_owned).collect(),
        };
        assert_eq!(case.run(&theirs).code(), Some(there), "{arguments}");
        let said = case.run(&link).ends(3);
        assert!(
            said.first_line().starts_with(here),
            "{arguments}: {}",
            said.stdout()
        );
    }
}

#[test]
fn the_same_verdicts_as_mons_own_on_this_host_as_it_is() {
    let Some(theirs) = theirs("loadavg.monitor") else {
        return skip("mon's loadavg.monitor, with Proc::ProcessTable, is not installed");
    };
    let place = Place::new();
    let link = place.link("loadavg.monitor");
    // Far from what any host has, for it moves between the two runs.
    for arguments in [
        "99999 99999 99999 100",
        "-1 99999 99999 100",
        "99999 -1 99999 100",
        "99999 99999 -1 100",
        "99999 99999 99999 -1",
        "-1 -1 -1 -1",
    ] {
        let words: Vec<&str> = arguments.split(' ').collect();
        let there = verdict_there(&output(command(&theirs).args(&words)));
        let here = verdict_here(&Procward::at(&link).args(&words).run());
        assert_eq!(there, here, "{arguments}");
    }
}
