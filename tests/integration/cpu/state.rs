//! From run to run: what the state file keeps, and what becomes of it.

use super::*;

#[test]
fn the_second_run_measures_since_the_first_and_does_not_sleep() {
    need_burners!();
    let room = Room::new();
    let _burner = room.burner("pwtsince", &["spin", "1", "100"]);
    let file = room.file("state");
    let run = || {
        let begun = Instant::now();
        let said = room.cpu(&["80%", "--state", &file, "--format", "json"]).ends(2);
        let window = found(&said)[0].1["cpu"]["window_seconds"]
            .as_f64()
            .expect("a window");
        (begun.elapsed().as_secs_f64(), window)
    };
    let (first, window) = run();
    assert!(
        first >= 3.0 && (2.9..first + 1.0).contains(&window),
        "{first} {window}"
    );
    // At once again: the last look is too young, and the one before it is not.
    let (second, window) = run();
    assert!(second < 1.0 && window >= 2.9, "{second} {window}");
    std::thread::sleep(Duration::from_secs(5));
    let (third, window) = run();
    assert!(third < 1.0 && (4.9..15.0).contains(&window), "{third} {window}");
    // A window that is asked for is measured now.
    let begun = Instant::now();
    room.cpu(&["80%", "--window", "2s", "--state", &file]).ends(2);
    assert!(begun.elapsed() >= Duration::from_secs(2));
}

#[test]
fn a_state_file_that_is_of_no_use_is_told_and_measured_anew() {
    need_burners!();
    let room = Room::new();
    let _burner = room.burner("pwtanew", &["spin", "1", "100"]);
    let file = room.file("state");
    let run = || {
        let begun = Instant::now();
        let said = room.cpu(&["80%", "--state", &file, "--format", "mon"]).ends(2);
        assert_eq!(said.first_line(), "CRITICAL: cpu: pwtanew (root)");
        (begun.elapsed() >= Duration::from_secs(3), said.stdout())
    };
    let write = |text: &str| std::fs::write(&file, text).expect("written");
    run();
    for damaged in ["", "{\"procward_state\":2,\"memory\":"] {
        write(damaged);
        let (slept, said) = run();
        assert!(slept && said.contains("is not used: it is damaged"), "{said}");
    }
    let good = std::fs::read_to_string(&file).expect("a state file");
    // Another boot, or another namespace, is no fault.
    write(&good.replace("\"view\":\"", "\"view\":\"0"));
    assert!(run().0);
    // A look that lacks everybody.
    let mut emptied: serde_json::Value = serde_json::from_str(&good).expect("JSON");
    for sample in emptied["memory"]["samples"].as_array_mut().expect("samples") {
        sample["clocks"] = serde_json::json!([]);
    }
    write(&state_file(&emptied));
    assert!(run().0);
    // Somebody else's, and one that others may write.
    std::os::unix::fs::chown(&file, Some(65_534), None).expect("chown");
    let (slept, said) = run();
    assert!(
        slept && said.contains("is not used: it belongs to another user"),
        "{said}"
    );
    std::os::unix::fs::chown(&file, Some(0), None).expect("chown");
    // No state file at all: it stays what it is.
    write("not ours");
    let (slept, said) = run();
    assert!(
        slept && said.matches("it is no file of procward's").count() == 1,
        "{said}"
    );
    assert_eq!(std::fs::read_to_string(&file).expect("a file"), "not ours");
}

/// Moves what a state file says of when something began back in time.
pub(super) fn age(file: &str, seconds: u64) {
    let text = std::fs::read_to_string(file).expect("a state file");
    let mut state: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let checks = state["memory"]["checks"].as_object_mut().expect("checks");
    for check in checks.values_mut() {
        for spell in check["since"].as_array_mut().expect("spells") {
            let since = spell["since"].as_u64().expect("an instant");
            spell["since"] = since.saturating_sub(seconds).into();
        }
    }
    std::fs::write(file, state_file(&state)).expect("written");
}

/// As procward writes it: the version first.
fn state_file(state: &serde_json::Value) -> String {
    let (version, memory) = (&state["procward_state"], &state["memory"]);
    format!("{{\"procward_state\":{version},\"memory\":{memory}}}")
}

#[test]
fn without_a_limit_it_is_a_warning_after_ten_minutes_and_critical_after_sixty() {
    need_burners!();
    let room = Room::new();
    let mut burner = room.burner("pwtlong", &["spin", "1", "100"]);
    let file = room.file("state");
    let run = || room.cpu(&["--state", &file, "--format", "mon"]);
    let pause = || std::thread::sleep(Duration::from_millis(3200));
    run().ends(0).says("over the limit, but not yet for 10 min: pid ");
    age(&file, 580);
    pause();
    run().ends(0);
    age(&file, 30);
    let said = run().ends(1);
    assert_eq!(said.first_line(), "WARNING: cpu: pwtlong (root)");
    said.says("over the limit for 10m");
    age(&file, 3000);
    let said = run().ends(2);
    assert_eq!(said.first_line(), "CRITICAL: cpu: pwtlong (root)");
    said.says("over the limit for 1h 0m");
    // Another that has just begun is no news yet, and one quiet look ends it.
    let _other = room.burner("pwtother", &["spin", "1", "100"]);
    pause();
    let said = run().ends(2).says("not yet for 10 min: pid ");
    assert_eq!(said.first_line(), "CRITICAL: cpu: pwtlong (root)");
    burner.pause();
    std::thread::sleep(Duration::from_millis(500));
    pause();
    run();
    pause();
    burner.go_on();
    pause();
    run().ends(0);
}

#[test]
fn what_can_not_be_remembered_is_judged_by_this_run_alone() {
    need_burners!();
    let room = Room::new();
    let _burner = room.burner("pwtalone", &["spin", "1", "100"]);
    let said = room.cpu(&["--format", "mon"]).ends(1);
    assert_eq!(said.first_line(), "WARNING: cpu: pwtalone (root)");
    said.says("there is no state file");
    let nowhere = room.file("nowhere/state");
    let said = room.cpu(&["--state", &nowhere, "--format", "mon"]).ends(1);
    assert_eq!(said.first_line(), "WARNING: cpu: pwtalone (root)");
    said.says("judged by this run alone").says("can't be written");
}

#[test]
fn two_limits_do_not_disturb_each_others_memory() {
    need_burners!();
    let room = Room::new();
    let _burner = room.burner("pwtboth", &["spin", "1", "100"]);
    let file = room.file("state");
    room.cpu(&["--state", &file]).ends(0);
    age(&file, 650);
    room.cpu(&["200%", "--state", &file]).ends(0);
    room.cpu(&["--state", &file]).ends(1);
    // Two at once, again and again: neither is lost, and the file stays whole.
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..5 {
                    let code = room.cpu(&["--state", &file]).code();
                    assert_eq!(code, Some(1));
                }
            });
        }
    });
    room.cpu(&["--state", &file]).ends(1);
}
