//! procward under the name `ps.monitor`, beside mon's own ps.monitor: the same verdicts on what works there, and a
//! sentence where that one keeps quiet.

use crate::common::{Output, Place, Procward, command, is_root, need, output};
use crate::namespace::Namespace;
use crate::process::Live;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// One of mon's own monitors, under its own name or where dpkg-divert puts it.
pub(crate) fn theirs(name: &str) -> Option<PathBuf> {
    let directory = Path::new("/usr/lib/mon/mon-local.d");
    let library = output(command("perl").args(["-MProc::ProcessTable", "-e", "1"]));
    [format!("{name}.distrib"), name.to_owned()]
        .into_iter()
        .map(|name| directory.join(name))
        .find(|path| path.exists())
        .filter(|_| library.code() == Some(0))
}

/// Numbers that look random and are the same in every run.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    /// A spec that is not one of ps.monitor's documented quirks: no maximum 0, no minimum above the maximum.
    fn range(&mut self) -> String {
        let minimum = self.below(5);
        let maximum = minimum.max(1) + self.below(4);
        match self.below(8) {
            0 => "-".to_owned(),
            1 | 2 => format!("{minimum}-"),
            3 | 4 => format!("-{maximum}"),
            _ => format!("{minimum}-{maximum}"),
        }
    }

    /// One to five specs over different names.
    fn specs(&mut self, names: &[String]) -> Vec<String> {
        let count = 1 + self.below(5);
        let mut specs = BTreeSet::new();
        while specs.len() < count {
            specs.insert(self.below(names.len()));
        }
        specs
            .into_iter()
            .map(|index| format!("{}:{}", names[index], self.range()))
            .collect()
    }
}

/// The failing names of mon's first line, `a:0 b:7 `.
fn failing_there(line: &str) -> BTreeSet<String> {
    line.split(' ')
        .filter_map(|word| word.rsplit_once(':'))
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// The failing names of our first line, `CRITICAL: a missing, b too few`.
fn failing_here(line: &str) -> BTreeSet<String> {
    let Some(list) = line.strip_prefix("CRITICAL: ") else {
        return BTreeSet::new();
    };
    let name = |part: &str| {
        let end = [" missing", " too few", " too many", " running", " unseen"]
            .iter()
            .find_map(|how| part.find(how));
        part[..end.unwrap_or(part.len())].to_owned()
    };
    list.split(", ").map(name).collect()
}

/// Live processes of many kinds, and their names as ps.monitor calls them. Unique to this run of the tests.
fn crowd(place: &Place) -> (Vec<Live>, Vec<String>) {
    let tag = format!("pwt{:x}", std::process::id());
    let mut live = Vec::new();
    let mut names = Vec::new();
    let plain = ["a", "b.c", "d-e", "F_g", "h+", "i@j", "k.sh", "l.py", "0"];
    for (index, suffix) in plain.into_iter().enumerate() {
        let name = format!("{tag}{suffix}");
        live.extend((0..=index % 4).map(|_| Live::named(place, &name)));
        names.push(name);
    }
    // A name over 15 bytes is known by the first 15.
    let long = format!("{tag}-a-very-long-name");
    live.extend([Live::named(place, &long), Live::named(place, &long)]);
    names.push(long[..15].to_owned());
    // Started by its first line, a script has its own name.
    for (line, body, suffix) in [
        ("#!/bin/sh", "read -r line", "s1.sh"),
        ("#!/usr/bin/python3", "import sys; sys.stdin.read()", "p1.py"),
    ] {
        let name = format!("{tag}{suffix}");
        let script = place.script(&name, &format!("{line}\n{body}\n"));
        live.extend((0..3).map(|_| Live::run(&mut command(&script), &name)));
        names.push(name);
    }
    // Started as an argument of an interpreter, it is known by its whole file name.
    for (interpreter, body, suffix) in [
        (
            "/usr/bin/python3",
            "import sys; sys.stdin.read()",
            "-a-script-of-python.py",
        ),
        ("/usr/bin/perl", "<STDIN>;", "-a-script-of-perl.pl"),
    ] {
        let name = format!("{tag}{suffix}");
        let script = place.script(&name, body);
        let interpreter_name = interpreter.trim_start_matches("/usr/bin/");
        live.extend((0..2).map(|_| Live::run(command(interpreter).arg(&script), interpreter_name)));
        names.push(name);
    }
    // What follows the last slash, up to the first blank.
    live.push(Live::with_comm(format!("{tag}w x").as_bytes()));
    names.push(format!("{tag}w"));
    live.push(Live::with_comm(format!("f/{tag}q").as_bytes()));
    names.push(format!("{tag}q"));
    names.extend(["m", "n.o", "p-q"].map(|suffix| format!("{tag}{suffix}")));
    (live, names)
}

#[test]
fn the_same_specs_fail_as_with_mons_own() {
    let Some(theirs) = theirs("ps.monitor") else {
        return crate::common::skip("mon's ps.monitor, with Proc::ProcessTable, is not installed");
    };
    let place = Place::new();
    let link = place.link("ps.monitor");
    let (_live, names) = crowd(&place);
    let mut numbers = Numbers(20_261_124);
    let mut seen = [0, 0];
    let mut differences = Vec::new();
    for _ in 0..220 {
        let specs = numbers.specs(&names);
        let there = output(command(&theirs).args(&specs));
        // mon's own takes no second look either.
        let here = Procward::at(&link).args(["--recheck", "0"]).args(&specs).run();
        let expected = (there.code(), failing_there(&there.first_line()));
        let found = (here.code(), failing_here(&here.first_line()));
        if let Some(count) = expected
            .0
            .and_then(|code| seen.get_mut(usize::try_from(code).ok()?))
        {
            *count += 1;
        }
        if expected != found || !here.stderr().is_empty() {
            differences.push(format!(
                "{specs:?}\n  theirs {expected:?}\n  ours   {found:?} {}",
                here.stdout()
            ));
        }
    }
    assert!(
        seen[0] > 20 && seen[1] > 20,
        "the lists must both pass and fail: {seen:?}"
    );
    assert!(
        differences.is_empty(),
        "{} of 220 differ:\n{}",
        differences.len(),
        differences.join("\n")
    );
}

fn as_ps_monitor(place: &Place, arguments: &[&str]) -> Output {
    let specs = arguments.first().is_some_and(|first| !first.starts_with('-'));
    let at_once: &[&str] = if specs { &["--recheck", "0"] } else { &[] };
    Procward::at(&place.link("ps.monitor"))
        .args(at_once.iter().chain(arguments).copied())
        .run()
}

#[test]
fn nothing_to_check_is_unknown() {
    as_ps_monitor(&Place::new(), &[]).ends(3).says("UNKNOWN");
}

#[test]
fn specs_that_cannot_mean_what_they_say_are_unknown() {
    let place = Place::new();
    for spec in [
        "bash:99-1",
        "x:1-1-5",
        "x:1-1 y:2-3",
        "x:1-1foo",
        "x:1-1:root",
        "x",
    ] {
        let said = as_ps_monitor(&place, &[spec]).ends(3);
        assert!(
            said.first_line().starts_with("UNKNOWN: "),
            "{spec}: {}",
            said.stdout()
        );
    }
}

#[test]
fn a_failure_under_the_name_of_ps_monitor_is_exit_1() {
    let place = Place::new();
    let said = as_ps_monitor(&place, &["pwtnosuch:1-1"]).ends(1);
    assert_eq!(said.first_line(), "CRITICAL: pwtnosuch missing");
}

#[test]
fn a_host_name_that_mon_appends_is_told_with_its_remedy() {
    let place = Place::new();
    let _live = Live::named(&place, "pwthost");
    let said = as_ps_monitor(&place, &["pwthost:1-", "localhost"]).ends(3);
    assert_eq!(
        said.first_line(),
        "UNKNOWN: missing ;; in mon.cf: localhost faulty"
    );
    said.says("end the monitor line in mon.cf with ;;");
}

#[test]
fn a_range_without_bounds_is_accepted() {
    as_ps_monitor(&Place::new(), &["pwtnosuch:-"]).ends(0);
}

#[test]
fn the_debugging_option_tells_the_name_of_a_process() {
    let place = Place::new();
    as_ps_monitor(&place, &["-x", "1"])
        .ends(0)
        .says("PID:1 has name \"");
    let live = Live::named(&place, "pwtdebug");
    let pid = live.pid().to_string();
    let said = as_ps_monitor(&place, &["-x", &pid]).ends(0);
    assert_eq!(said.stdout(), format!("PID:{pid} has name \"pwtdebug\"\n"));
}

#[test]
fn a_name_that_holds_the_debugging_option_is_a_name() {
    as_ps_monitor(&Place::new(), &["pwtgnome-xterm:1-1"])
        .ends(1)
        .says("pwtgnome-xterm missing");
}

#[test]
fn a_glob_is_a_glob_and_does_not_vanish() {
    let place = Place::new();
    as_ps_monitor(&place, &["pwtnosuch*:1-1"]).ends(1);
    let _live = Live::named(&place, "pwtglobbed");
    as_ps_monitor(&place, &["pwtglob*:1-"]).ends(0);
}

#[test]
fn a_maximum_of_zero_forbids() {
    let place = Place::new();
    let _live = Live::named(&place, "pwtforbidden");
    for spec in ["pwtforbidden:0-0", "pwtforbidden:-0"] {
        as_ps_monitor(&place, &[spec])
            .ends(1)
            .says("pwtforbidden running");
    }
}

#[test]
fn a_path_is_the_file_that_runs() {
    let place = Place::new();
    let live = Live::named(&place, "pwtpath");
    let spec = format!("{}:1-1", place.path().join("pwtpath").display());
    as_ps_monitor(&place, &[&spec]).ends(0);
    drop(live);
    as_ps_monitor(&place, &[&spec]).ends(1).says("pwtpath missing");
}

#[test]
fn a_postfix_master_that_does_not_run_is_missing() {
    need!(is_root(), "namespaces need root");
    // Where none runs, whatever runs on the host; whether it is installed makes no difference.
    let apart = Namespace::new();
    let link = apart.place().link("ps.monitor");
    for path in ["/usr/lib/postfix/sbin/master", "/usr/lib/nosuch/sbin/master"] {
        Procward::at(&link)
            .arg(format!("{path}:1-1"))
            .within(apart.enter("root"))
            .run()
            .ends(1)
            .says("master missing");
    }
}
