//! check_procward, the plugin: what its options say and how it ends.

use crate::common::{Output, Place, Procward, ids, is_root, need, unique};
use crate::process::Live;
use std::path::Path;

/// A link called check_procward, and a configuration beside it.
struct Plugin {
    place: Place,
}

impl Plugin {
    fn with(configuration: &str) -> Plugin {
        let plugin = Plugin { place: Place::new() };
        plugin.place.script("procward.toml", configuration);
        plugin
    }

    fn command(&self) -> Procward {
        let file = self.place.path().join("procward.toml");
        Procward::at(&self.place.link("check_procward")).env("PROCWARD_CONFIG", &file.display().to_string())
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments.iter().copied()).run()
    }

    fn file(&self, name: &str) -> String {
        self.place.path().join(name).display().to_string()
    }
}

/// Two checks of programs with names of this run's own; the second is not there.
fn two_checks() -> (Plugin, String, Live) {
    let (one, other) = (unique("one"), unique("two"));
    let plugin = Plugin::with(&format!(
        "recheck = \"0\"\n[[check]]\nname = \"one\"\nselect = \"{one}\"\ncount = \"1\"\n\
         [[check]]\nname = \"two\"\nselect = \"{other}\"\ncount = \"1-\"\n"
    ));
    let live = Live::named(&plugin.place, &one);
    (plugin, other, live)
}

#[test]
fn without_arguments_it_judges_the_configuration_and_every_check_has_performance_data() {
    let (plugin, other, _live) = two_checks();
    let said = plugin.run(&[]).ends(2);
    assert_eq!(
        said.first_line(),
        "PROCS CRITICAL: two missing | one=1;;1:1;0 two=0;;1:;0"
    );
    said.says(&format!(
        "\ntwo: no process; want at least 1 process named {other}"
    ))
    .says("\n1 other check ok\n");
    let one = plugin.run(&["-r", "one"]).ends(0).first_line();
    assert_eq!(one, "PROCS OK: 1 check | one=1;;1:1;0");
    plugin
        .run(&["--rule", "three"])
        .ends(3)
        .says("no check is called `three`");
}

#[test]
fn ranges_of_the_guidelines_stand_in_for_those_of_the_one_check_that_is_meant() {
    let (plugin, ..) = &two_checks();
    for (arguments, code, data) in [
        (["-w", "2:", "-c", "1:"], 1, "one=1;2:;1:;0"),
        (["-w", "1:", "-c", "2:"], 2, "one=1;1:;2:;0"),
        (["-w", "1", "-c", "@0:0"], 0, "one=1;1;1:;0"),
    ] {
        let said = plugin
            .run(&[&["-r", "one"], arguments.as_slice()].concat())
            .ends(code);
        assert_eq!(said.first_line().split_once(" | ").unwrap().1, data);
    }
    assert_eq!(
        plugin.run(&["-c", "1"]).ends(3).stdout(),
        "UNKNOWN: -w and -c are about one check, and there are 2: pick one with -r, or write `warning` and `count` into \
         the configuration\n"
    );
    let wrong = plugin.run(&["-r", "one", "-w", "abc"]).ends(3);
    assert!(
        wrong
            .first_line()
            .ends_with("`abc` is no number; a range is 10, 10:, ~:10, 10:20 or @10:20")
    );
    plugin
        .run(&["-r", "one", "-c", "@1:3"])
        .ends(3)
        .says("it alerts in the middle only");
}

#[test]
fn each_level_of_detail_tells_more() {
    let (plugin, ..) = &two_checks();
    let at = |level: &str| plugin.run(&[level, "-r", "one"]).ends(0).stdout();
    let first = "PROCS OK: 1 check | one=1;;1:1;0\n";
    let source = format!("checks from {}\n", plugin.file("procward.toml"));
    assert_eq!(
        plugin.run(&["-r", "one"]).ends(0).stdout(),
        format!("{first}{source}")
    );
    assert!(at("-v").starts_with(&format!("{first}one: 1 process; want exactly 1 process named")));
    assert!(!at("-v").contains("\nrun: "));
    let twice = at("-vv");
    for said in [
        "\nrun: procward ",
        "what fails is looked at again for 0",
        "\nrun: state file: ",
        "\ncheck one: pwt",
    ] {
        assert!(twice.contains(said), "{said} in {twice}");
    }
    assert!(!twice.contains("\ncost: "));
    assert!(at("-vvv").contains("\ncost: "));
}

#[test]
fn performance_data_tells_of_cpu_and_memory_where_that_is_asked_for() {
    let (plugin, ..) = &two_checks();
    let said = plugin.run(&["--perfdata", "cpu,memory"]).ends(2).first_line();
    let (_, data) = said.split_once(" | ").unwrap();
    let items: Vec<(&str, &str)> = data
        .split(' ')
        .map(|item| item.split_once('=').unwrap())
        .collect();
    let labels: Vec<&str> = items.iter().map(|(label, _)| *label).collect();
    assert_eq!(
        labels,
        ["one", "one_cpu", "one_memory", "two", "two_cpu", "two_memory"]
    );
    let number = |at: usize, unit: &str| items[at].1.strip_suffix(unit).unwrap().parse::<f64>().unwrap();
    assert!(number(1, "c") >= 0.0 && number(2, "B") > 4096.0, "{data}");
    assert_eq!((items[4].1, items[5].1), ("0.00c", "0B"));
}

#[test]
fn help_version_and_wrong_usage_are_unknown_wherever_they_stand() {
    let (plugin, ..) = &two_checks();
    let version = format!("procward {} as check_procward\n", env!("CARGO_PKG_VERSION"));
    for arguments in [["-V"].as_slice(), &["-v", "--version"], &["-r", "one", "-V"]] {
        assert_eq!(plugin.run(arguments).ends(3).stdout(), version);
    }
    plugin
        .run(&["-h"])
        .ends(3)
        .says("Usage: check_procward [OPTIONS] [SPECS]...");
    plugin
        .run(&["-x"])
        .ends(3)
        .says("UNKNOWN: unexpected argument '-x' found");
    plugin
        .run(&["-t", "0"])
        .ends(3)
        .says("less than a second is no time to look twice");
    plugin.run(&["-t", "10", "-r", "one"]).ends(0);
    plugin.run(&["-t", "10s", "-r", "one"]).ends(0);
}

#[test]
fn what_can_not_be_told_is_told_as_what_was_asked_for_but_never_as_ok() {
    need!(
        is_root() && ids("nobody").is_some(),
        "needs root, and a user nobody"
    );
    let plugin = Plugin::with("[[check]]\nname = \"init\"\nselect = \"pid=1,exe=/nosuch\"\ncount = \"0\"\n");
    let blind = |state: &[&str]| {
        let (uid, gid) = ids("nobody").unwrap();
        let as_nobody = ["setpriv", "--clear-groups"].map(str::to_owned).into_iter();
        let ids = [format!("--reuid={uid}"), format!("--regid={gid}")];
        let command = plugin.command().within(as_nobody.chain(ids));
        command.args(["--recheck", "0"]).args(state.iter().copied()).run()
    };
    assert!(
        blind(&[])
            .ends(3)
            .first_line()
            .starts_with("PROCS UNKNOWN: init unseen")
    );
    let critical = blind(&["--unknown-is", "critical"]).ends(2);
    assert!(critical.first_line().starts_with("PROCS CRITICAL: init unseen"));
    let warning = blind(&["--unknown-is", "warning"]).ends(1);
    assert!(warning.first_line().starts_with("PROCS WARNING: init unseen"));
    blind(&["--unknown-is", "ok"])
        .ends(3)
        .says("invalid value 'ok' for '--unknown-is <STATE>'");
    // A faulty check, and one that is not there, can't be told either.
    plugin.run(&["--unknown-is", "critical", "-r", "three"]).ends(2);
    plugin
        .run(&["--unknown-is", "critical", "x:5-1"])
        .ends(2)
        .says("PROCS CRITICAL: x:5-1 faulty");
}

#[test]
fn a_first_miss_is_pending_where_nobody_waits_and_a_lasting_one_is_told() {
    let name = unique("pend");
    let plugin = Plugin::with(&format!(
        "recheck = \"3s\"\n[[check]]\nname = \"daemon\"\nselect = \"{name}\"\ncount = \"1\"\n"
    ));
    let state = plugin.file("state");
    let look = || plugin.run(&["--recheck", "0", "--pending", "--state", &state]);
    let live = Live::named(&plugin.place, &name);
    look().ends(0);
    drop(live);
    let first = look().ends(0);
    assert_eq!(first.first_line(), "PROCS OK: 1 check | daemon=0;;1:1;0");
    first.says("\ndaemon: not told yet; pending: missing for 0 s\n");
    let json = plugin
        .run(&["--pending", "--state", &state, "--format", "json"])
        .ends(0)
        .json();
    assert_eq!(json["verdicts"][0]["manner"], "pending");
    std::thread::sleep(std::time::Duration::from_secs(4));
    let told = look().ends(2);
    assert_eq!(
        told.first_line(),
        "PROCS CRITICAL: daemon missing | daemon=0;;1:1;0"
    );
    // Once told, it stays so until it is back.
    look().ends(2);
    let _live = Live::named(&plugin.place, &name);
    look().ends(0);
}

#[test]
fn a_failure_is_told_once_also_where_the_state_file_can_not_be_written_now_and_then() {
    need!(Path::new("/usr/bin/prlimit").exists(), "there is no prlimit");
    let name = unique("full");
    let plugin = Plugin::with(&format!(
        "recheck = \"3s\"\n[[check]]\nname = \"daemon\"\nselect = \"{name}\"\ncount = \"1\"\n"
    ));
    let state = plugin.file("state");
    let words = ["--pending", "--state", &state];
    let remembered = || plugin.run(&words);
    // No file may grow any more, as on a full disk.
    let forgotten = || {
        let said = plugin
            .command()
            .within(["prlimit", "--fsize=0"])
            .args(words)
            .run();
        said.says(&format!("the state file {state} can't be written: "))
    };
    let live = Live::named(&plugin.place, &name);
    remembered().ends(0);
    drop(live);
    forgotten()
        .ends(0)
        .says("\ndaemon: not told yet; pending: missing for 0 s\n");
    remembered().ends(0).says("\ndaemon: not told yet; pending: ");
    forgotten().ends(0).says("\ndaemon: not told yet; pending: ");
    std::thread::sleep(std::time::Duration::from_secs(4));
    forgotten().ends(2);
    remembered().ends(2);
    forgotten().ends(2);
    // Who looks once without it is told at once, whatever is remembered.
    plugin.run(&["--recheck", "0", "--state", &state]).ends(2);
}

#[test]
fn to_look_once_alone_tells_a_first_miss_and_with_pending_it_does_not() {
    let name = unique("once");
    let plugin = Plugin::with(&format!(
        "[[check]]\nname = \"daemon\"\nselect = \"{name}\"\ncount = \"1\"\n"
    ));
    let live = Live::named(&plugin.place, &name);
    let [one, other] = ["one", "other"].map(|name| plugin.file(name));
    let at_once = ["--recheck", "0", "--state", &one];
    let pending = ["--recheck", "0", "--pending", "--state", &other];
    plugin.run(&at_once).ends(0);
    plugin.run(&pending).ends(0);
    drop(live);
    let told = plugin.run(&at_once).ends(2);
    assert_eq!(
        told.first_line(),
        "PROCS CRITICAL: daemon missing | daemon=0;;1:1;0"
    );
    let held = plugin.run(&pending).ends(0);
    assert_eq!(held.first_line(), "PROCS OK: 1 check | daemon=0;;1:1;0");
}

#[test]
fn nothing_is_pending_where_nothing_is_remembered() {
    let (plugin, ..) = &two_checks();
    plugin
        .run(&["--pending", "--state", "/nosuch/state"])
        .ends(2)
        .says("the state file /nosuch/state can't be written");
    let state = plugin.file("state");
    // The first run knows of none before it.
    plugin.run(&["--pending", "--state", &state]).ends(2);
    plugin.run(&["--pending", "--state", &state]).ends(2);
}

#[test]
fn the_counters_of_a_check_grow_over_its_restarts() {
    let name = unique("count");
    let plugin = Plugin::with(&format!(
        "[[check]]\nname = \"daemon\"\nselect = \"{name}\"\ncount = \"0-9\"\n"
    ));
    let state = plugin.file("state");
    let totals = || {
        let run = plugin.run(&["--state", &state, "--format", "json"]).ends(0);
        run.json()["verdicts"][0]["totals"].clone()
    };
    let live = Live::named(&plugin.place, &name);
    assert_eq!((&totals()["starts"], &totals()["exits"]), (&0.into(), &0.into()));
    drop(live);
    let live = Live::named(&plugin.place, &name);
    let after = totals();
    assert_eq!((&after["starts"], &after["exits"]), (&1.into(), &1.into()));
    let open = std::fs::read_dir(format!("/proc/{}/fd", live.pid()))
        .unwrap()
        .count();
    let metrics = plugin.run(&["--state", &state, "--format", "prometheus"]).ends(0);
    metrics
        .says("# TYPE procward_rule_starts_total counter\nprocward_rule_starts_total{rule=\"daemon\"} 1\n")
        .says("\nprocward_rule_threads{rule=\"daemon\"} 1\n")
        .says(&format!("\nprocward_rule_open_fds{{rule=\"daemon\"}} {open}\n"));
}
