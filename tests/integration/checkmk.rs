//! What procward writes for Checkmk's agent, read as strictly as its documentation describes a local check
//! (docs.checkmk.com, "Local checks"); the agent is not in Debian:
//!
//! ```text
//! [cached(ts,maxage) ]STATE "Service name" PERF text
//! STATE 0|1|2|3|P   name: no ' or "; in quotes if it has blanks   PERF: - or name=value[;warn[;crit[;min[;max]]]], by |
//! \n in the text is a line break; one line a service
//! ```

use crate::common::{Output, Place, Procward, command, output, unique};
use crate::process::Live;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What a service says.
#[derive(Clone, Debug, PartialEq)]
struct Service {
    state: u8,
    processes: Option<u64>,
    text: String,
}

/// The services by their names, in a run that ended 0, as it always does.
#[track_caller]
fn services(said: Output) -> BTreeMap<String, Service> {
    let text = said.ends(0).stdout();
    assert!(text.ends_with('\n'), "{text}");
    let mut services = BTreeMap::new();
    for line in text.lines() {
        let (name, service) = service(line).unwrap_or_else(|| panic!("no service: {line}"));
        assert_eq!(services.insert(name, service), None, "twice: {line}");
    }
    services
}

fn service(line: &str) -> Option<(String, Service)> {
    let (state, rest) = line.split_once(' ')?;
    let state = ["0", "1", "2", "3"].iter().position(|one| *one == state)?;
    let (name, rest) = rest.strip_prefix('"')?.split_once("\" ")?;
    // Signs that Checkmk takes out of the names of services, by its `illegal_chars`.
    let taken_out = |c: char| c.is_control() || "`;~!$%^&*|'\"<>?,()=\\".contains(c);
    if name.is_empty() || name != name.trim() || name.contains(taken_out) {
        return None;
    }
    let (data, text) = rest.split_once(' ')?;
    let processes = match data {
        "-" => None,
        data => Some(data.strip_prefix("processes=")?.parse().ok()?),
    };
    if text.is_empty() || text.contains(|c: char| c.is_control() || c == '|') {
        return None;
    }
    let service = Service {
        state: u8::try_from(state).ok()?,
        processes,
        text: text.to_owned(),
    };
    Some((name.to_owned(), service))
}

fn check() -> Procward {
    Procward::check("checkmk").args(["--timeout", "60s"])
}

#[test]
fn a_failure_and_its_end_are_the_state_of_a_service() {
    let place = Place::new();
    let name = unique("cmk");
    let of = |spec: &str| {
        let services = services(check().arg(spec).run());
        assert_eq!(services.len(), 2, "{services:?}");
        let run = &services["procward"];
        assert_eq!((run.state, run.text.as_str()), (0, "1 check judged"));
        let service = &services[&format!("procward {name}")];
        (service.state, service.processes, service.text.clone())
    };
    let spec = format!("{name}:1");
    let (state, processes, text) = of(&spec);
    assert_eq!((state, processes), (2, Some(0)));
    assert!(
        text.starts_with(&format!(
            "missing, no process; want exactly 1 process named {name}"
        )),
        "{text}"
    );
    let live = Live::named(&place, &name);
    let (state, processes, text) = of(&spec);
    assert_eq!((state, processes), (0, Some(1)));
    assert!(text.contains(&format!("\\n  pid {} ", live.pid())), "{text}");
    let (state, _, text) = of(&format!("{name}:0"));
    assert!(
        state == 2 && text.starts_with("running, 1 process; want no "),
        "{text}"
    );
}

#[test]
fn a_check_that_warns_or_cannot_be_told_is_a_service_too() {
    let place = Place::new();
    let config = place.script(
        "p.toml",
        "[[check]]\nname = \"mild\"\nselect = \"pwtnosuch\"\nseverity = \"warning\"\n\n\
         [[check]]\nname = \"faulty\"\nselect = \"nosuch=x\"\n\n\
         [[check]]\nname = \"fine\"\nselect = \"pwtnosuch\"\ncount = \"0\"\n",
    );
    let services = services(check().arg("--config").arg(config).run());
    let states: Vec<(&str, u8, Option<u64>)> = services
        .iter()
        .map(|(name, service)| (name.as_str(), service.state, service.processes))
        .collect();
    assert_eq!(
        states,
        [
            ("procward", 3, None),
            ("procward faulty", 3, None),
            ("procward fine", 0, Some(0)),
            ("procward mild", 1, Some(0)),
        ]
    );
    assert!(services["procward faulty"].text.contains("nosuch"));
}

#[test]
fn names_of_any_characters_are_services_of_their_own() {
    let hostile = [
        "a\"b:x",
        "a'b:x",
        "a\nb:x",
        "0 \"x\" - fine\n0 \"procward\" - fine:x",
        "\u{202e}|\x1b[31m:x",
        "P \"x\" count=1|y=2;;;; z\\n:x",
        "<<<local>>>:x",
    ];
    let services = services(check().args(hostile).run());
    assert_eq!(services.len(), hostile.len() + 1, "{services:?}");
    let (run, checks): (Vec<_>, Vec<_>) = services.iter().partition(|(name, _)| *name == "procward");
    assert_eq!(run.len(), 1);
    assert!(
        checks.iter().all(|(_, service)| service.state == 3),
        "{services:?}"
    );
}

#[test]
fn what_a_process_is_called_adds_no_line_and_no_service() {
    let _live = [
        &b"pwtcmk\n0 \"x\""[..],
        b"pwtcmk\\n0 \"x",
        b"pwtcmk|a=1",
        b"pwtcmk\xff\x1b[1m",
    ]
    .map(Live::with_comm);
    let services = services(check().arg("comm~(?s-u)^pwtcmk:0").run());
    let service = services
        .values()
        .find(|service| service.state == 2)
        .expect("a failure");
    assert_eq!((services.len(), service.processes), (2, Some(4)), "{services:?}");
    // The breaks are ours: each line is of one process, or says what is wanted.
    let lines: Vec<&str> = service.text.split("\\n").collect();
    assert!(lines[1..].iter().all(|line| line.starts_with("  ")), "{lines:?}");
}

#[test]
fn a_run_without_a_verdict_is_a_service_in_state_3() {
    let place = Place::new();
    let empty = place.script("empty.toml", "# nothing\n");
    let nothing = services(check().arg("--config").arg(empty).run());
    assert!(
        nothing.values().all(|service| service.state == 3) && !nothing.is_empty(),
        "{nothing:?}"
    );
    let fifo = place.path().join("fifo");
    output(command("mkfifo").arg(&fifo)).ends(0);
    let late = Procward::check("checkmk")
        .args(["--timeout", "1s", "--config"])
        .arg(&fifo)
        .run();
    let late = services(late);
    assert_eq!(late.len(), 1);
    assert!(
        late["procward"].state == 3 && late["procward"].text.starts_with("not finished\\n"),
        "{late:?}"
    );
    let unseen = services(check().args(["--snapshot", "/nosuch", "pwtnosuch:0"]).run());
    assert!(unseen.values().any(|service| service.state == 3), "{unseen:?}");
}

#[test]
fn services_that_do_not_arrive_are_no_success() {
    let script = format!(
        "{} check --recheck 0 --format checkmk pwtnosuch:0 >/dev/full",
        env!("CARGO_BIN_EXE_procward")
    );
    output(command("sh").args(["-c", &script])).ends(3);
}

#[test]
fn the_local_check_that_is_shipped_is_one() {
    let place = Place::new();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib/checkmk/procward");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o111, 0o111, "the agent runs what is executable");
    let text = std::fs::read_to_string(file).unwrap();
    let there = place.procward().display().to_string();
    let local = place.directory("local");
    let script = place.script("local/procward", &text.replace("/usr/bin/procward", &there));
    let config = place.script(
        "p.toml",
        "recheck = \"0\"\n\n[[check]]\nname = \"gone\"\nselect = \"pwtnosuch\"\n",
    );
    // As the agent does: from its directory.
    let said = output(command(script).current_dir(local).env("PROCWARD_CONFIG", config));
    let services = services(said);
    assert_eq!(services["procward gone"].state, 2, "{services:?}");
    assert_eq!(services["procward"].state, 0);
}
