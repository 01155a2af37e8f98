//! Processes that are replaced by others, from run to run: who by whom, and how often is too often.

use crate::common::{Output, Place, Procward, unique};
use crate::process::Live;
use std::thread;
use std::time::Duration;

/// A place with a state file, and checks of one name.
struct Room {
    place: Place,
    name: String,
    check: String,
}

impl Room {
    /// `more`: lines of the check.
    fn new(more: &str) -> Room {
        let (place, name) = (Place::new(), unique("daemon"));
        let check = format!("[[check]]\nname = \"daemon\"\nselect = \"{name}\"\ncount = 1\n{more}\n");
        Room { place, name, check }
    }

    fn start(&self) -> Live {
        Live::named(&self.place, &self.name)
    }

    fn run(&self, recheck: &str) -> Output {
        self.run_with(recheck, Some("state"))
    }

    /// `state`: the name of the state file, if there is one.
    fn run_with(&self, recheck: &str, state: Option<&str>) -> Output {
        let config = self.place.script("check.toml", &self.check);
        let state = state.map(|name| ["--state".into(), self.place.path().join(name).into_os_string()]);
        Procward::new()
            .args(["check", "--format", "mon", "--recheck", recheck])
            .args(["--config".into(), config.into_os_string()])
            .args(state.into_iter().flatten())
            .env("MON_STATEDIR", "/nonexistent")
            .run()
    }

    /// A run that begins while the daemon is not there.
    fn run_before_start(&self) -> (Output, Live) {
        thread::scope(|scope| {
            let late = scope.spawn(|| {
                thread::sleep(Duration::from_millis(600));
                self.start()
            });
            let output = self.run("20s");
            (output, late.join().expect("a daemon"))
        })
    }
}

#[test]
fn who_took_the_place_of_a_process_is_told_once() {
    let room = Room::new("");
    let old = room.start();
    assert!(!room.run("0").ends(0).stdout().contains("replaced"));
    let was = old.pid();
    drop(old);
    room.run("0").ends(2).says(&format!("last seen as pid {was}, "));
    let new = room.start();
    let output = room.run("0").ends(0);
    assert_eq!(output.first_line(), "OK: 1 check");
    output.says(&format!("(pid {was} → {})", new.pid()));
    assert!(!room.run("0").ends(0).stdout().contains("replaced"));
}

#[test]
fn a_restart_that_is_ridden_out_is_told_with_both_processes() {
    let room = Room::new("");
    let old = room.start();
    room.run("0").ends(0);
    let was = old.pid();
    drop(old);
    let (output, new) = room.run_before_start();
    let output = output.ends(0);
    assert_eq!(output.first_line(), "OK: 1 check");
    output
        .says("daemon: ok now; missing for ")
        .says(&format!("(pid {was} → {})", new.pid()));
}

#[test]
fn who_needs_a_second_look_in_three_of_the_last_ten_runs_is_warned_of() {
    let room = Room::new("");
    let mut daemon = room.start();
    room.run("0").ends(0);
    for round in 1..=3 {
        drop(daemon);
        let (output, next) = room.run_before_start();
        daemon = next;
        if round < 3 {
            output.ends(0);
        } else {
            let output = output.ends(1).says("restarting: 3 times in 1 h");
            assert_eq!(output.first_line(), "WARNING: daemon restarting");
        }
    }
    // It is one fault until ten runs were quiet.
    for _ in 0..9 {
        assert_eq!(room.run("0").ends(1).first_line(), "WARNING: daemon restarting");
    }
    room.run("0").ends(0);
    drop(daemon);
}

#[test]
fn who_is_there_in_every_run_and_each_time_another_is_warned_of() {
    let room = Room::new("");
    let mut daemon = room.start();
    for code in [0, 0, 0, 1, 1] {
        let output = room.run("0").ends(code);
        if code == 1 {
            assert_eq!(output.first_line(), "WARNING: daemon restarting");
        }
        drop(daemon);
        daemon = room.start();
    }
    drop(daemon);
}

#[test]
fn a_limit_of_restarts_counts_those_between_the_runs_too() {
    let room = Room::new("restarts = \"2 per 1h\"");
    let mut daemon = room.start();
    for code in [0, 0, 0, 1] {
        room.run("0").ends(code);
        drop(daemon);
        daemon = room.start();
    }
    room.run("0").ends(1).says("restarting: 4 times in 1 h");
    // What is known counts where nothing can be noted: beside a name as long as this no other finds room.
    let long = "s".repeat(250);
    let state = |name: &str| room.place.path().join(name);
    std::fs::copy(state("state"), state(&long)).expect("a copy");
    let output = room.run_with("0", Some(&long)).ends(1);
    output
        .says("restarting: 4 times in 1 h")
        .says("can't be written: File name too long");
    drop(daemon);
}

#[test]
fn a_limit_of_restarts_without_a_state_file_is_told() {
    let room = Room::new("restarts = \"2 per 1h\"");
    let daemon = room.start();
    let untold = "restarts are not judged, of daemon: there is no state file";
    room.run_with("0", None).ends(0).says(untold);
    assert!(!room.run("0").ends(0).stdout().contains("not judged"));
    drop(daemon);
}
