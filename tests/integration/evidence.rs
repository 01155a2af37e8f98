//! Verdicts carry their evidence, those that are OK too wherever they are shown.

use crate::common::{Place, Procward, unique};
use crate::process::Live;
use procward::select::place;
use serde_json::{Value, json};

/// The unit of a live process, by its cgroup file.
fn unit_of(pid: u32) -> Option<String> {
    let bytes = std::fs::read(format!("/proc/{pid}/cgroup")).expect("its cgroup");
    let cgroup = procward::parse::cgroup::parse(&bytes)?;
    place::unit(&cgroup.path).map(|unit| String::from_utf8_lossy(unit).into_owned())
}

fn own_user() -> String {
    let uid = rustix::process::geteuid().as_raw();
    let user = nix::unistd::User::from_uid(uid.into()).expect("an answer");
    user.map_or_else(|| uid.to_string(), |user| user.name)
}

#[test]
fn the_json_of_a_check_that_is_ok_names_its_processes_whole() {
    let place = Place::new();
    let name = unique("j");
    let live = Live::named(&place, &name);
    let mut report = Procward::check("json")
        .arg(format!("{name}:1"))
        .run()
        .ends(0)
        .json();
    let age = report["verdicts"][0]["processes"][0]["age_seconds"].take();
    assert!(age.as_u64() < Some(60), "{age}");
    assert_eq!(report["verdicts"][0]["footprint"].take()["threads"], 1);
    for moving in ["seen", "vanished"] {
        assert!(report[moving].take().is_u64());
    }
    assert_eq!(
        report,
        json!({
            "version": 1,
            "state": "OK",
            "state_number": 0,
            "seen": Value::Null,
            "vanished": Value::Null,
            "verdicts": [{
                "name": name,
                "key": name,
                "state": "OK",
                "state_number": 0,
                "manner": "ok",
                "matched": 1,
                "unknown": 0,
                "min": 1,
                "max": 1,
                "wants": format!("exactly 1 process named {name}"),
                "processes": [{
                    "pid": live.pid(),
                    "program": place.path().join(&name),
                    "name": name,
                    "user": own_user(),
                    "age_seconds": Value::Null,
                    "unit": unit_of(live.pid()),
                    "container": Value::Null,
                    "doubt": Value::Null,
                }],
                "unsure": [],
                "near": [],
                "reasons": [],
                "remedies": [],
                "left_out": [],
                "unused_exceptions": [],
                "note": Value::Null,
                "story": [],
                "footprint": Value::Null,
            }],
            "skipped": [],
            "remarks": [],
        })
    );
}

#[test]
fn the_verbose_formats_tell_user_program_age_and_unit_of_a_check_that_is_ok() {
    let place = Place::new();
    let name = unique("v");
    let live = Live::named(&place, &name);
    let unit = unit_of(live.pid()).map_or_else(String::new, |unit| format!(", {unit}"));
    let path = place.path().join(&name);
    for format in ["human", "mon", "nagios"] {
        let said = Procward::check(format)
            .args(["-v".to_owned(), format!("{name}:1")])
            .run()
            .ends(0)
            .stdout();
        let line = |age: u64| {
            format!(
                "{name}: 1 process; want exactly 1 process named {name}\n  pid {} {} ({}, up {age}s{unit})\n",
                live.pid(),
                path.display(),
                own_user()
            )
        };
        assert!(
            (0..60).any(|age| said.contains(&line(age))),
            "no {:?} in {said}",
            line(0)
        );
    }
}
