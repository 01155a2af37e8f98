//! Passive results, without a server; with the real ones in `servers`.

use crate::common::{Output, Place, Procward, command, output};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

fn check(format: &str, words: &[&str]) -> Output {
    Procward::check(format).args(words).arg("pwtnosuch:1").run()
}

const HEAD: &str = "PROCS CRITICAL: pwtnosuch missing | processes=0;;1:1;0";

#[test]
fn results_end_0_whatever_the_states_are() {
    let said = check("nsca", &["--host", "web 1"]).ends(0).stdout();
    let records: Vec<&str> = said.split('\x17').collect();
    assert_eq!(records[1], "web 1\tprocward\t0\tPROCS OK: 1 check judged");
    let check_of = format!("web 1\tprocward pwtnosuch\t2\t{HEAD}\npwtnosuch: no process; want ");
    assert!(records[0].starts_with(&check_of), "{records:?}");
    assert_eq!((records.len(), records[2]), (3, ""));

    let said = check("nagios-passive", &["--host", "web"]).ends(0).stdout();
    let lines: Vec<&str> = said.lines().collect();
    let without_time = |line: &str| line.split_once("] ").map(|(_, line)| line.to_owned());
    assert_eq!(
        without_time(lines[1]).unwrap(),
        "PROCESS_SERVICE_CHECK_RESULT;web;procward;0;PROCS OK: 1 check judged"
    );
    let check_of =
        format!("PROCESS_SERVICE_CHECK_RESULT;web;procward pwtnosuch;2;{HEAD}\\npwtnosuch: no process; ");
    assert!(
        without_time(lines[0]).unwrap().starts_with(&check_of),
        "{lines:?}"
    );
    assert_eq!(lines.len(), 2);

    let said = check("icinga2", &["--host", "web"]).ends(0).stdout();
    let bodies: Vec<serde_json::Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let states: Vec<_> = bodies
        .iter()
        .map(|body| (&body["service"], &body["exit_status"]))
        .collect();
    assert_eq!(
        states,
        [
            (&"web!procward pwtnosuch".into(), &2.into()),
            (&"web!procward".into(), &0.into())
        ]
    );
}

#[test]
fn a_host_is_called_what_the_kernel_calls_it() {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let said = check("nsca", &[]).ends(0).stdout();
    assert!(
        said.starts_with(&format!("{}\tprocward pwtnosuch\t", name.trim_end())),
        "{said}"
    );
}

#[test]
fn wrong_usage_is_3_and_no_result() {
    let long = "h".repeat(64);
    for (format, words, said) in [
        (
            "nsca",
            ["--host", &long],
            "UNKNOWN: the name of a host has at most 63 bytes here: `hhhh",
        ),
        (
            "icinga2",
            ["--host", "a\n|;"],
            "UNKNOWN: `a\\n¦;` can't be the name of a host: give another with --host\n",
        ),
        (
            "json",
            ["--host", "web"],
            "UNKNOWN: --host is for --format nsca, nagios-passive and icinga2\n",
        ),
        (
            "checkmk",
            ["--host", "web"],
            "UNKNOWN: --host is for --format nsca, nagios-passive and icinga2\n",
        ),
        (
            "nsca",
            ["--output", "/nosuch/f"],
            "UNKNOWN: --output is for --format prometheus and nagios-passive; ",
        ),
        (
            "nagios-passive",
            ["--snapshot", "/nosuch"],
            "UNKNOWN: a saved snapshot tells of another time, ",
        ),
    ] {
        let stdout = check(format, &words).ends(3).stdout();
        assert!(
            stdout.starts_with(said) && stdout.lines().count() == 1,
            "{stdout}"
        );
    }
}

#[test]
fn a_run_without_a_verdict_is_a_result_in_state_3() {
    let late = Procward::check("nsca").args(["--timeout", "1s", "--host", "web", "--config"]);
    let place = Place::new();
    let fifo = place.path().join("fifo");
    output(command("mkfifo").arg(&fifo)).ends(0);
    let said = late.arg(&fifo).run().ends(0).stdout();
    assert_eq!(said.split('\x17').count(), 2, "{said}");
    assert!(
        said.starts_with("web\tprocward\t3\tPROCS UNKNOWN: not finished\n"),
        "{said}"
    );
    let empty = place.script("empty.toml", "");
    let nothing = Procward::check("nsca")
        .args(["--host", "web", "--config"])
        .arg(empty)
        .run()
        .ends(0)
        .stdout();
    assert!(
        nothing.starts_with("web\tprocward\t3\tPROCS UNKNOWN: nothing to check\n"),
        "{nothing}"
    );
}

/// A command file that is open, as Nagios has it, and its reader, which does not wait.
fn command_file(place: &Place) -> (PathBuf, File) {
    let path = place.path().join("nagios.cmd");
    output(command("mkfifo").arg(&path)).ends(0);
    let reader = File::options().read(true).custom_flags(O_NONBLOCK).open(&path);
    (path, reader.unwrap())
}

const O_NONBLOCK: i32 = 0o4000;

#[test]
fn nagios_may_be_slow_and_gets_every_result_with_that_of_the_run_behind_them() {
    let place = Place::new();
    let (path, mut reader) = command_file(&place);
    let checks =
        (0..1000).map(|n| format!("[[check]]\nname = \"c{n}\"\nselect = \"pwtnosuch\"\ncount = \"0\"\n"));
    let config = place.script("p.toml", &checks.collect::<String>());
    let over = AtomicBool::new(false);
    let text = std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let (mut text, mut buffer) = (Vec::new(), [0; 4096]);
            loop {
                let last = over.load(Relaxed);
                match reader.read(&mut buffer) {
                    Ok(0) | Err(_) if last => break text,
                    Ok(length) => text.extend(&buffer[..length]),
                    Err(_) => {}
                }
                // 80 KB a second: more than one second for what does not fit.
                if !last {
                    std::thread::sleep(Duration::from_millis(50));
                }
            }
        });
        let check = Procward::check("nagios-passive").args(["--host", "web"]);
        let said = check.arg("--config").arg(config).arg("--output").arg(&path).run();
        over.store(true, Relaxed);
        assert_eq!(said.ends(0).stdout(), "");
        String::from_utf8(reading.join().unwrap()).unwrap()
    });
    assert_eq!(text.lines().count(), 1001);
    let last = text.lines().last().unwrap();
    assert!(
        last.contains("RESULT;web;procward;0;PROCS OK: 1000 checks judged"),
        "{last}"
    );
}

#[test]
fn a_time_that_is_given_holds_for_the_handing_over_too() {
    let place = Place::new();
    let (path, mut reader) = command_file(&place);
    let long = "x".repeat(80);
    let checks =
        (0..500).map(|n| format!("[[check]]\nname = \"{long}{n}\"\nselect = \"pwtnosuch\"\ncount = \"0\"\n"));
    let config = place.script("p.toml", &checks.collect::<String>());
    let over = AtomicBool::new(false);
    let said = std::thread::scope(|scope| {
        // 8 KB a second: more than ten seconds for what does not fit.
        scope.spawn(|| {
            while !over.load(Relaxed) {
                let _ = reader.read(&mut [0; 4096]);
                std::thread::sleep(Duration::from_millis(500));
            }
        });
        let check = Procward::check("nagios-passive").args(["--host", "web", "--timeout", "2s"]);
        let said = check.arg("--config").arg(config).arg("--output").arg(&path).run();
        over.store(true, Relaxed);
        said
    });
    let said = said.ends(3).stdout();
    let left = said.strip_prefix("UNKNOWN: not finished\nnot finished within ");
    let left = left.and_then(|left| left.split(' ').next()?.parse::<f64>().ok());
    assert!(left.is_some_and(|left| left <= 2.0), "{said}");
}

#[test]
fn a_command_file_that_stays_full_is_told_and_given_up() {
    let place = Place::new();
    let (path, _reader) = command_file(&place);
    let mut writer = File::options()
        .write(true)
        .custom_flags(O_NONBLOCK)
        .open(&path)
        .unwrap();
    while writer.write(&[b'x'; 4096]).is_ok() {}
    let check = Procward::check("nagios-passive").args(["--host", "web"]);
    let said = check.arg("--output").arg(&path).arg("pwtnosuch:0").run().ends(3);
    assert_eq!(
        said.stdout(),
        format!(
            "UNKNOWN: the results can't be written to {}: it is full, and nobody empties it\n",
            path.display()
        )
    );
}

#[test]
fn results_that_do_not_arrive_are_no_success() {
    for format in ["nsca", "nagios-passive", "icinga2"] {
        let script = format!(
            "{} check --recheck 0 --format {format} pwtnosuch:0 >/dev/full",
            env!("CARGO_BIN_EXE_procward")
        );
        output(command("sh").args(["-c", &script])).ends(3);
    }
}

#[test]
fn unknown_is_told_as_what_was_asked_for_of_the_run_too() {
    let place = crate::common::Place::new();
    let fifo = place.path().join("fifo");
    output(command("mkfifo").arg(&fifo)).ends(0);
    let empty = place.script("empty.toml", "");
    for (config, said) in [(&fifo, "not finished"), (&empty, "nothing to check")] {
        let run = Procward::check("nsca").args(["--timeout", "1s", "--unknown-is", "critical"]);
        let stdout = run
            .args(["--host", "web", "--config"])
            .arg(config)
            .run()
            .ends(0)
            .stdout();
        assert!(
            stdout.starts_with(&format!("web\tprocward\t2\tPROCS CRITICAL: {said}")),
            "{stdout}"
        );
    }
    let faulty = Procward::check("nsca").args(["--unknown-is", "warning", "--host", "web", "nosuch=x:1"]);
    let stdout = faulty.run().ends(0).stdout();
    assert!(
        stdout.starts_with("web\tprocward nosuch_x:1\t1\tPROCS WARNING: ")
            && stdout.ends_with("web\tprocward\t1\tPROCS WARNING: faulty, not judged: nosuch=x:1\x17"),
        "{stdout}"
    );
}
