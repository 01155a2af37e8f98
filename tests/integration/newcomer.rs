//! What one is told who writes something wrong for the first time: what it is, and what to write.

use crate::common::{Output, Place, Procward, need, unique};
use std::path::Path;

fn run<'a>(words: impl IntoIterator<Item = &'a str>) -> Output {
    Procward::new().args(words).run()
}

#[test]
fn an_option_of_ps_monitor_that_is_none_is_no_hosts_name() {
    for (words, wanted) in [
        (
            &["--rechek", "0", "x:1"][..],
            "unknown option `--rechek`; did you mean `--recheck`?",
        ),
        (
            &["--recheck=5s", "x:1"],
            "unknown option `--recheck=5s`; did you mean `--recheck`?",
        ),
        (&["x:1", "--recheck", "0"], "`--recheck` comes before all specs"),
        (
            &["x:1", "-q"],
            "unknown option `-q`; ps.monitor takes specs, NAME:MIN-MAX; options such as -r NAME are procward.monitor's",
        ),
        (
            &["--rule", "cron"],
            "unknown option `--rule`; ps.monitor takes specs, NAME:MIN-MAX; options such as -r NAME are procward.monitor's",
        ),
    ] {
        let said = Procward::new()
            .arg("ps.monitor")
            .args(words.iter().copied())
            .run()
            .ends(3);
        assert_eq!(said.first_line(), format!("UNKNOWN: {wanted}"));
    }
    // The name of a login shell is a name.
    let shell = Procward::new()
        .args(["ps.monitor", "--recheck", "0", "-pwtsh:1-1"])
        .run()
        .ends(1);
    assert_eq!(shell.first_line(), "CRITICAL: -pwtsh missing");
}

#[test]
fn who_picks_a_check_by_name_elsewhere_is_told_where_that_is() {
    let place = Place::new();
    let tip = "  tip: checks of the configuration are judged by `procward check -r NAME`, under mon procward.monitor";
    for (name, usage) in [
        ("cpu.monitor", "cpu.monitor [OPTIONS] [LIMIT]"),
        ("audit.monitor", "audit.monitor [OPTIONS] [RULE]..."),
    ] {
        for word in ["-r", "--rule"] {
            let said = Procward::at(&place.link(name)).args([word, "cron"]).run().ends(3);
            let found = format!("UNKNOWN: unexpected argument '{word}' found");
            let rest = "For more information, try '--help'.";
            assert_eq!(
                said.stdout(),
                format!("{found}\n\n{tip}\n\nUsage: {usage}\n\n{rest}\n")
            );
        }
    }
}

/// The commands, and how many lines their `-h` has at most.
const COMMANDS: [(&str, usize); 19] = [
    ("", 30),
    ("roll", 23),
    ("init", 23),
    ("check", 30),
    ("cpu", 23),
    ("audit", 23),
    ("load", 23),
    ("snmp", 23),
    ("explain", 23),
    ("list", 23),
    ("keys", 23),
    ("snapshot", 23),
    ("config", 23),
    ("config check", 23),
    ("config show", 23),
    ("migrate", 23),
    ("completions", 23),
    ("grant", 23),
    ("man", 23),
];

#[test]
fn short_help_fits_a_terminal_of_80_columns_and_that_of_a_plugin_23_lines() {
    let place = Place::new();
    let fits = |text: &str, most: usize| {
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(text.lines().count() <= most, "{text}");
    };
    for (command, most) in COMMANDS {
        let words = command.split_whitespace().chain(["-h"]);
        fits(&run(words).ends(0).stdout(), most);
    }
    for name in [
        "check_procward",
        "procward.monitor",
        "cpu.monitor",
        "audit.monitor",
    ] {
        fits(
            &Procward::at(&place.link(name)).arg("-h").run().ends(3).stdout(),
            23,
        );
    }
}

#[test]
fn an_option_that_means_nothing_to_a_command_is_not_in_its_help_and_refused() {
    let options = [("--proc", "/proc"), ("--snapshot", "/nosuch"), ("--timeout", "5")];
    for (command, operand, taken) in [
        ("keys", "", 0),
        ("completions", "bash", 0),
        ("grant", "", 0),
        ("man", "", 0),
        ("migrate", "", 1),
        ("snmp", "", 2),
    ] {
        let help = run([command, "--help"]).ends(0).stdout();
        let shown = options
            .iter()
            .filter(|(option, _)| help.contains(&format!("{option} <")));
        assert_eq!(shown.count(), taken, "{help}");
        for (option, value) in options {
            if help.contains(&format!("{option} <")) {
                continue;
            }
            let told = format!("UNKNOWN: `procward {command}` takes no {option}\n");
            let operand = || [operand].into_iter().filter(|word| !word.is_empty());
            let behind = [command, option, value].into_iter().chain(operand());
            assert_eq!(run(behind).ends(3).stdout(), told);
            let before = [option, value, command].into_iter().chain(operand());
            assert_eq!(run(before).ends(3).stdout(), told);
        }
    }
    run(["--timeout", "5", "check", "pwtnosuch:0"]).ends(0);
}

#[test]
fn the_default_of_the_time_is_that_of_the_command() {
    for (command, default) in [("check", "8s"), ("audit", "2m"), ("snmp", "2s"), ("list", "1m")] {
        run([command, "-h"]).ends(0).says(&format!(
            "  End within this time in any case [default: {default}]\n"
        ));
    }
}

#[test]
fn a_key_like_no_other_is_answered_with_where_all_are() {
    let said = run(["check", "--format", "nagios", "foo=bar"]).ends(3);
    assert_eq!(
        said.stdout(),
        "PROCS UNKNOWN: foo=bar faulty\nfoo=bar: faulty, not checked\n  the spec:1:1: key `foo` is not known\n    \
         foo=bar\n    ^^^\n    help: `procward keys` lists the keys\n"
    );
    let place = Place::new();
    let file = place.script(
        "foo.toml",
        "[[check]]\nname = \"x\"\nselect = \"x\"\ncount = \"1\"\nfoo = 1\n",
    );
    let file = file.display().to_string();
    run(["config", "check", "--config", &file])
        .ends(3)
        .says("unknown key `foo`")
        .says("help: known here: name, select, count, ");
}

#[test]
fn the_first_configuration_says_where_it_belongs() {
    let text = run(["init"]).stdout();
    let head: Vec<&str> = text.lines().take(4).collect();
    assert_eq!(
        head,
        [
            "# Checks for procward, written by `procward init` from what was running.",
            "# Save as /etc/procward/procward.toml, or as a file of its own in /etc/procward/conf.d/, its name ending in .toml;",
            "# delete what may come and go, then run: procward check",
            "# `count` is MIN-MAX: \"1\" exactly one, \"1-\" at least one, \"0\" must not run.",
        ]
    );
}

#[test]
fn where_nothing_is_near_the_processes_seen_are_counted() {
    let said = run(["explain", "pwtnosuch=1"]).ends(3);
    assert!(!said.stdout().contains("nearly"), "{}", said.stdout());
    let said = run(["explain", "0-nothing-is-called-so"]).ends(0).stdout();
    let (head, seen) = said.trim_end().rsplit_once("; ").unwrap();
    assert_eq!(
        head,
        "0-nothing-is-called-so: at least 1 process named 0-nothing-is-called-so\n\nno process matches, or nearly \
         matches"
    );
    assert!(
        seen.strip_suffix(" were seen").unwrap().parse::<u32>().is_ok(),
        "{seen}"
    );
}

#[test]
fn a_faulty_spec_is_compared_as_one() {
    let theirs = "/usr/lib/mon/mon-local.d/ps.monitor";
    need!(
        Path::new(theirs).exists(),
        "mon's own ps.monitor is not installed"
    );
    let said = run(["ps.monitor", "--compare", "x:5-1"]).ends(1);
    let lines: Vec<String> = said.stdout().lines().skip(1).map(str::to_owned).collect();
    assert_eq!(
        lines,
        ["x:5-1: fine there, faulty here: the range `5-1` is reversed, no count lies in it; write `x:1-5`"]
    );
}

#[test]
fn what_is_wrong_with_a_mon_cf_is_told() {
    let place = Place::new();
    let migrated = |text: &str| {
        let file = place.script("mon.cf", text).display().to_string();
        let said = run(["migrate", "--mon-cf", &file]);
        (said.code(), said.stdout().replace(&file, "mon.cf"))
    };
    assert_eq!(
        migrated("watch h\n  service s\n    monitor ping.monitor\n"),
        (
            Some(3),
            "nothing to migrate: mon.cf has no line `monitor ps.monitor …`\n".into()
        )
    );
    assert_eq!(
        migrated("monitor ps.monitor ;;\n"),
        (
            Some(3),
            "nothing to migrate: mon.cf gives ps.monitor no spec\n".into()
        )
    );
    let check = "[[check]]\nname = \"x\"\nselect = \"x\"\ncount = \"1\"\n\n";
    assert_eq!(
        migrated("\nmonitor ps.monitor x:1-1\n"),
        (
            Some(0),
            format!(
                "# mon.cf:2: the monitor line does not end with ;; and so mon appends the hosts of its group: add it\n\n{check}"
            )
        )
    );
    assert_eq!(migrated("monitor ps.monitor x:1-1 ;;\n"), (Some(0), check.into()));
    assert_eq!(
        run(["migrate", "pwtfoo"]).ends(3).stdout(),
        "# pwtfoo: no range; write `pwtfoo:1-` for at least one\n\n"
    );
    assert_eq!(
        run(["migrate"]).ends(3).stdout(),
        "nothing to migrate: give specs, or --mon-cf FILE\n"
    );
}

#[test]
fn a_rate_of_a_snapshot_is_to_be_asked_for_at_the_live_host() {
    let place = Place::new();
    let file = place.path().join("snap").display().to_string();
    run(["snapshot", "-o", &file]).ends(0);
    for words in [&["cpu"][..], &["check", "cpu>50:0"]] {
        let said = Procward::new()
            .args(words.iter().copied())
            .args(["--snapshot", &file])
            .run()
            .ends(3);
        let remedies: Vec<String> = said
            .stdout()
            .lines()
            .filter_map(|line| line.strip_prefix("  remedy: ").map(str::to_owned))
            .collect();
        assert_eq!(
            remedies,
            [
                "a rate takes two looks at the live host: a snapshot or a copy of /proc is one, and so is a run that ends sooner"
            ]
        );
    }
}

#[test]
fn a_configuration_that_is_not_there_is_told_as_it_was_asked_for() {
    let said = run(["config", "check", "--config", "/tmp/pwt-nosuch.toml"]).ends(3);
    assert_eq!(
        said.stdout(),
        "/tmp/pwt-nosuch.toml: there is no such file\n  help: see how it is written; without --config and \
         PROCWARD_CONFIG it is /etc/procward/procward.toml\n"
    );
    let named = Procward::new()
        .args(["config", "check"])
        .env("PROCWARD_CONFIG", "/tmp/pwt-nosuch.toml")
        .run();
    assert_eq!(named.ends(3).stdout(), said.stdout());
    need!(
        !Path::new("/etc/procward").exists(),
        "this host has a configuration of procward"
    );
    let first = "/etc/procward/procward.toml: cannot be read: No such file or directory (os error 2)\n  help: write \
                 one: mkdir -p /etc/procward && procward init > /etc/procward/procward.toml\n";
    assert_eq!(run(["config", "check"]).ends(3).stdout(), first);
    // An empty variable is none.
    let empty = Procward::new()
        .args(["config", "check"])
        .env("PROCWARD_CONFIG", "")
        .run();
    assert_eq!(empty.ends(3).stdout(), first);
}

#[test]
fn a_snapshot_that_is_not_there_is_to_be_saved_first() {
    let said = "cannot read /tmp/pwt-nosuch: No such file or directory (os error 2); save one with procward snapshot -o FILE";
    for command in [&["list", "x"][..], &["roll"], &["explain", "x"]] {
        let list = Procward::new()
            .args(command.iter().copied())
            .args(["--snapshot", "/tmp/pwt-nosuch"]);
        assert_eq!(list.run().ends(3).stdout(), format!("{said}\n"));
    }
    let check = run(["check", "--format", "mon", "x:1", "--snapshot", "/tmp/pwt-nosuch"]).ends(3);
    assert_eq!(
        check.stdout().lines().nth(1),
        Some("--snapshot: faulty, not checked")
    );
    assert_eq!(
        check.stdout().lines().nth(2),
        Some(&*format!("  --snapshot: {said}"))
    );
    assert_eq!(check.stdout().lines().count(), 3);
}

#[test]
fn what_is_no_pid_and_what_is_no_spec_is_told_by_its_place() {
    assert_eq!(
        run(["explain", "x", "99x"]).ends(3).first_line(),
        "UNKNOWN: invalid value '99x' for '[PID]': a PID is a number"
    );
    let said = run(["check", "--format", "mon", "--recheck", "0", "pwtnosuch:0", ""]).ends(3);
    assert_eq!(said.first_line(), "UNKNOWN: spec 2 faulty");
}

#[test]
fn config_shows_all_that_a_file_says() {
    let place = Place::new();
    let config = |command: &str, text: &str| {
        let file = place.script("procward.toml", text).display().to_string();
        run(["config", command, "--config", &file]).ends(0).stdout()
    };
    let cpu = "[cpu]\nlimit = \"150%\"\nwindow = \"5s\"\nfor = \"30s\"\nwarning = \"5m\"\ncritical = \"2h\"\n\
               without = [\"people\", \"batch\"]\nexempt = [ { select = \"name=postgres\", reason = \"its queries\" } ]\n";
    let shown = "[cpu]\n  limit: 150% of one core\n  window: 5s\n  for: 30s\n  warning: 5m\n  critical: 2h\n  \
                 without: people, batch\n  exempt name=postgres: its queries\n";
    assert_eq!(config("show", cpu), shown);
    assert_eq!(config("check", cpu), "0 checks and [cpu], no fault\n");
    let check = "recheck = \"10s\"\n\n[[check]]\nname = \"x\"\nselect = \"x\"\nrecheck = \"1500ms\"\nrestarts = \"3 per 1h\"\n";
    assert_eq!(
        config("show", check),
        "recheck: 10s unless a check says otherwise\nx: at least 1 process named x\n  recheck: 1500ms\n  \
         restarts: warning at more than 3 per 1h\n"
    );
    assert_eq!(config("check", check), "1 check, no fault\n");
    assert_eq!(config("show", ""), "no check\n");
}

#[test]
fn a_spec_called_as_a_check_does_not_take_its_place() {
    let place = Place::new();
    let name = unique("twin");
    let text = format!("[[check]]\nname = \"{name}\"\nselect = \"{name}s\"\ncount = 1\n");
    let config = place.script("twin.toml", &text);
    let spec = format!("{name}:0");
    Procward::check("mon")
        .args([
            spec.as_str(),
            "-r",
            &name,
            "--config",
            config.to_str().expect("UTF-8"),
        ])
        .run()
        .ends(2)
        .says(&format!("{name} (2) missing"));
}

#[test]
fn a_name_that_no_check_has_is_a_fault_of_the_option() {
    let place = Place::new();
    let file = place.script("procward.toml", "[[check]]\nname = \"x\"\nselect = \"x\"\n");
    let said = run([
        "check",
        "--config",
        &file.display().to_string(),
        "-r",
        "foo",
        "--format",
        "mon",
    ])
    .ends(3);
    assert_eq!(
        said.stdout().lines().take(6).collect::<Vec<_>>(),
        [
            "UNKNOWN: foo faulty",
            "foo: faulty, not checked",
            "  the argument of -r:1:1: no check is called `foo`",
            "    foo",
            "    ^^^",
            "    help: the configuration has: x",
        ]
    );
}

#[test]
fn the_help_of_a_plugin_has_its_own_name_and_format() {
    let place = Place::new();
    for (name, operands, format) in [
        ("check_procward", "[SPECS]...", "nagios"),
        ("procward.monitor", "[SPECS]...", "mon"),
        ("cpu.monitor", "[LIMIT]", "mon"),
    ] {
        let link = || Procward::at(&place.link(name));
        for word in ["-h", "--help"] {
            let help = link().arg(word).run().ends(3);
            help.says(&format!("\nUsage: {name} [OPTIONS] {operands}\n"))
                .says("\n  -V, --version");
        }
        let help = link().arg("--help").run().stdout();
        let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut shown = String::from(
            "--format <FORMAT> How to write the report Possible values: - human: For people - mon: For mon: a stable summary \
             line, then details - nagios: For Nagios, Icinga, NRPE: status line with performance data - json: For programs; \
             its schema is in docs",
        );
        if operands == "[LIMIT]" {
            shown += &format!(" [default: {format}]");
        }
        assert!(words.contains(&shown), "{help}");
        assert!(words.contains(&format!(" [default: {format}] ")), "{help}");
        let wrong = link().arg("--nosuch").run().ends(3).stdout();
        assert!(
            wrong.contains(&format!("\nUsage: {name} [OPTIONS] {operands}\n")),
            "{wrong}"
        );
    }
    let check = Procward::at(&place.link("check_procward"));
    check
        .args(["--format", "json", "pwtnosuch:0"])
        .run()
        .ends(0)
        .json();
    let own = Procward::new().args(["check", "-h"]).run().ends(0);
    own.says_in_words("[default: human, or mon's under mon]")
        .says("Usage: procward check ");
}
