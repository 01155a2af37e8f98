//! The configuration file and what is wrong with it, in the words of the real binary.

use crate::common::{Output, Place, Procward, is_root, need, unique};
use crate::process::Live;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

fn configured(place: &Place, text: &str) -> PathBuf {
    let path = place.path().join("p.toml");
    std::fs::write(&path, text).expect("a configuration file");
    path
}

fn check(format: &str, path: &Path) -> Output {
    Procward::check(format).arg("--config").arg(path).run()
}

fn config(command: &str, path: &Path) -> Output {
    Procward::new()
        .args(["config", command, "--config"])
        .arg(path)
        .run()
}

/// The output without what depends on the host's other processes.
fn lasting(said: &Output) -> String {
    let lines = said.stdout();
    let lines = lines
        .split_inclusive('\n')
        .filter(|line| !line.ends_with(" processes went away while they were read\n"));
    lines.collect()
}

/// The same with the path of the configuration file said as `FILE`.
fn anonymous(said: &Output, path: &Path) -> String {
    lasting(said).replace(&path.display().to_string(), "FILE")
}

const FAULTY: &str = "\
[[check]]
name = \"a\"
select = \"x,user=pwtnobody,uid=3\"
cuont = \"1\"
severity = \"bad\"

[[check]]
name = \"a\"
select = \"pwtnosuch\"
count = \"5-1\"
except = [ { select = \"user=root\" } ]
when = \"on sundays\"
";

const FAULTS_OF_A: &str = "\
FILE:3:18: no user `pwtnobody`
  select = \"x,user=pwtnobody,uid=3\"
                   ^^^^^^^^^
  help: write a user of this host, or a number

FILE:3:28: key `uid` is not known
  select = \"x,user=pwtnobody,uid=3\"
                             ^^^
  help: write `x,user=pwtnobody,user=3`

FILE:4:1: unknown key `cuont`
  cuont = \"1\"
  ^^^^^
  help: did you mean `count`?

FILE:5:12: unknown severity `bad`
  severity = \"bad\"
             ^^^^^
  help: write \"critical\" or \"warning\"
";

const FAULTS_OF_THE_SECOND: &str = "\
FILE:8:8: the name `a` is given twice; the first is at FILE:1
  name = \"a\"
         ^^^
  help: give each check a name of its own

FILE:10:9: the range `5-1` is reversed, no count lies in it
  count = \"5-1\"
          ^^^^^
  help: write `1-5`

FILE:11:12: an exception without a reason
  except = [ { select = \"user=root\" } ]
             ^^^^^^^^^^^^^^^^^^^^^^^^
  help: write except = [ { select = \"user=NAME\", reason = \"why\" } ]

FILE:12:8: unknown condition `on sundays`
  when = \"on sundays\"
         ^^^^^^^^^^^^
  help: write when = \"exists /ABSOLUTE/PATH\", or one of \"smack\" \"apparmor\" \"selinux\"
";

/// As the details of a report show them.
fn indented(faults: &str) -> String {
    let lines = faults.lines().filter(|line| !line.is_empty());
    lines.map(|line| format!("  {line}\n")).collect()
}

#[test]
fn config_check_tells_all_faults_at_once_each_underlined() {
    let place = Place::new();
    let path = configured(&place, FAULTY);
    let said = config("check", &path).ends(3);
    assert_eq!(
        anonymous(&said, &path),
        format!("{FAULTS_OF_A}\n{FAULTS_OF_THE_SECOND}")
    );
}

#[test]
fn check_tells_the_same_faults_and_judges_the_other_checks() {
    let place = Place::new();
    let text = format!("{FAULTY}\n[[check]]\nname = \"b\"\nselect = \"pwtnosuch\"\ncount = \"0\"\n");
    let path = configured(&place, &text);
    let (a, second) = (indented(FAULTS_OF_A), indented(FAULTS_OF_THE_SECOND));
    let details = format!(
        "a: faulty, not checked\n{a}a (at FILE:7): faulty, not checked\n{second}\
         1 other check ok\nchecks from FILE\n"
    );
    for (format, first) in [
        ("mon", "UNKNOWN: a faulty, a (at FILE:7) faulty\n"),
        (
            "nagios",
            "PROCS UNKNOWN: a faulty, a (at FILE:7) faulty | b=0;;0;0\n",
        ),
    ] {
        let said = check(format, &path).ends(3);
        assert_eq!(anonymous(&said, &path), format!("{first}{details}"));
    }
    let said = anonymous(&check("human", &path).ends(3), &path);
    assert!(said.ends_with(&format!("\n\n{details}")), "{said}");
}

#[test]
fn the_faults_of_a_spec_are_underlined_by_check_and_explain() {
    let spec = "x,user=pwtnobody,uid=3:5-1";
    let faults = "\
the spec:1:8: no user `pwtnobody`
  x,user=pwtnobody,uid=3:5-1
         ^^^^^^^^^
  help: write a user of this host, or a number

the spec:1:18: key `uid` is not known
  x,user=pwtnobody,uid=3:5-1
                   ^^^
  help: write `x,user=pwtnobody,user=3:5-1`

the spec:1:24: the range `5-1` is reversed, no count lies in it
  x,user=pwtnobody,uid=3:5-1
                         ^^^
  help: write `x,user=pwtnobody,uid=3:1-5`
";
    for command in ["explain", "list"] {
        let said = Procward::new().args([command, spec]).run().ends(3);
        assert_eq!(said.stdout(), faults);
    }
    let details = indented(faults);
    let said = lasting(&Procward::check("human").arg(spec).run().ends(3));
    assert_eq!(
        said,
        format!(
            "UNKNOWN: {spec} faulty\n\nUNKNOWN  x,user=pwtnobody,uid=3:5-1     -\n\n\
             {spec}: faulty, not checked\n{details}"
        )
    );
    let said = lasting(&Procward::check("mon").arg(spec).run().ends(3));
    assert_eq!(
        said,
        format!("UNKNOWN: {spec} faulty\n{spec}: faulty, not checked\n{details}")
    );
}

#[test]
fn what_to_write_can_be_copied_from_a_terminal_but_no_bar_reaches_a_plugins_reader() {
    let said = Procward::new()
        .args(["explain", "gzip|xz:0"])
        .run()
        .ends(3)
        .stdout();
    assert_eq!(
        said,
        "the spec:1:1: a bare word holds no `|`\n  gzip|xz:0\n  ^^^^^^^\n  help: write `name=gzip|xz:0`\n"
    );
    let said = Procward::check("nagios").arg("gzip|xz:0").run().ends(3).stdout();
    assert!(!said.contains('|'), "{said}");
}

#[test]
fn a_fault_in_a_string_of_several_lines_is_underlined_where_it_is() {
    let place = Place::new();
    let text = "[[check]]\nname = \"a\"\nselect = \"\"\"\nx,user=pwtnobody\"\"\"\n";
    let path = configured(&place, text);
    let said = config("check", &path).ends(3);
    assert_eq!(
        anonymous(&said, &path),
        "FILE:4:8: no user `pwtnobody`\n  x,user=pwtnobody\"\"\"\n         ^^^^^^^^^\n  \
         help: write a user of this host, or a number\n"
    );
}

#[test]
fn faults_of_toml_itself_say_what_to_write() {
    let place = Place::new();
    let cases = [
        (
            "[[check]\n",
            "FILE:1:9: unclosed array table, expected `]`\n  [[check]\n          ^\n  help: write [[check]]\n",
        ),
        (
            "[[check]]\nname = \"a\"\nselect = x\n",
            "FILE:3:10: string values must be quoted, expected literal string\n  select = x\n           ^\n  \
             help: put it in quotes\n",
        ),
        (
            "[[check]]\nname = \"a\"\nselect = \"a\"\ncount = 1-2\n",
            "FILE:4:9: this is not a string\n  count = 1-2\n          ^^^\n  help: put it in quotes\n",
        ),
        (
            "[[chekc]]\n",
            "FILE:1:3: unknown key `chekc`\n  [[chekc]]\n    ^^^^^\n  help: did you mean `check`?\n",
        ),
        (
            "[[check]]\nname = \"a\"\nselect = \"a\"\ncount = \"1\"\nwarning = \"5-9\"\n",
            "FILE:5:11: no count is both in `warning`, 5-9, and in `count`, 1: it is never OK\n  \
             warning = \"5-9\"\n            ^^^^^\n  help: `warning` is the part of `count` that is fine\n",
        ),
    ];
    for (text, faults) in cases {
        let path = configured(&place, text);
        let said = anonymous(&config("check", &path).ends(3), &path);
        assert!(said.contains(faults), "no\n{faults}\nin\n{said}");
        assert_eq!(check("mon", &path).code(), Some(3), "{text}");
    }
}

#[test]
fn a_file_that_is_not_utf_8_is_told_and_never_ok() {
    let place = Place::new();
    let path = place.path().join("p.toml");
    std::fs::write(
        &path,
        b"[[check]]\nname = \"a\"\nselect = \"pwt\xff\"\ncount = \"0\"\n",
    )
    .expect("written");
    let said = config("check", &path).ends(3);
    assert_eq!(
        anonymous(&said, &path),
        "FILE: is not UTF-8 in line 3\n  \
         help: write other bytes as an expression: select = 'name~^a\\xffb$'\n"
    );
    check("mon", &path).ends(3);
}

#[test]
fn every_part_of_a_check_does_what_it_says() {
    let place = Place::new();
    let name = unique("c");
    let _live = Live::named(&place, &name);
    let text = format!(
        "[[check]]\nname = \"mild\"\nselect = \"{name}\"\ncount = \"2-\"\nseverity = \"warning\"\nnote = \"start it\"\n\
         [[check]]\nname = \"fine\"\nselect = \"{name}\"\ncount = \"0-\"\nwarning = \"2-\"\n\
         [[check]]\nname = \"excepted\"\nselect = \"{name}\"\ncount = \"0\"\n\
         except = [ {{ select = \"comm={name}\", reason = \"the lab's\" }}, {{ select = \"user=nobody,pid=1\", reason = \"never\" }} ]\n\
         [[check]]\nname = \"elsewhere\"\nselect = \"{name}\"\nwhen = \"exists /pwt/no/such\"\n"
    );
    let path = configured(&place, &text);
    let said = config("show", &path).ends(0);
    assert_eq!(
        said.stdout(),
        format!(
            "mild: at least 2 processes named {name}\n  severity: warning, never critical\n  note: start it\n\
             fine: any number of processes named {name}\n  warning: unless at least 2\n\
             excepted: no process named {name}\n  except comm={name}: the lab's\n  except user=nobody,pid=1: never\n\
             elsewhere: skipped, /pwt/no/such does not exist\n"
        )
    );
    let said = config("check", &path).ends(0);
    assert_eq!(said.stdout(), "4 checks, 1 of them skipped here, no fault\n");

    // Ages move, so only what does not is compared.
    let said = anonymous(&check("mon", &path).ends(1), &path);
    let lines: Vec<&str> = said.lines().filter(|line| !line.starts_with("  pid ")).collect();
    assert_eq!(
        lines,
        [
            "WARNING: fine too few, mild too few",
            &format!("mild: 1 process; want at least 2 processes named {name}"),
            "  note: start it",
            &format!("fine: 1 process; want any number of processes named {name}, warning unless at least 2"),
            "1 other check ok",
            &format!("excepted: left out 1 process by the exception comm={name}: the lab's"),
            "excepted: the exception user=nobody,pid=1 matched no process",
            "elsewhere: skipped, /pwt/no/such does not exist",
            "checks from FILE",
        ]
    );
}

#[test]
fn an_exception_by_a_rate_is_told_after_a_second_look() {
    let place = Place::new();
    let name = unique("rate");
    let _live = Live::named(&place, &name);
    // It sleeps.
    let text = format!(
        "[[check]]\nname = \"idle\"\nselect = \"comm={name}\"\ncount = \"0\"\n\
         except = [ {{ select = \"cpu<50%\", reason = \"it waits\" }} ]\n\
         [[check]]\nname = \"busy\"\nselect = \"comm={name}\"\n\
         except = [ {{ select = \"cpu>50%\", reason = \"it spins\" }} ]\n"
    );
    let path = configured(&place, &text);
    let said = anonymous(&check("mon", &path).ends(0), &path);
    assert_eq!(
        said,
        "OK: 2 checks\nidle: left out 1 process by the exception cpu<50%: it waits\n\
         busy: the exception cpu>50% matched no process\nchecks from FILE\n"
    );
    let said = config("show", &path).ends(0);
    assert!(said.stdout().contains("  except cpu<50%: it waits\n"));
    let state = place.path().join("state");
    for _ in 0..2 {
        let run = Procward::check("mon").arg("--config").arg(&path);
        run.arg("--state").arg(&state).run().ends(0);
    }
    // A check that must not run is not excused by what it does not do.
    let busy = text
        .replace("cpu<50%", "cpu>50%")
        .replacen("\"0\"", "\"0\"\nnote = \"stop it\"", 1);
    let path = configured(&place, &busy);
    let said = check("mon", &path).ends(2).first_line();
    assert!(said.starts_with("CRITICAL: idle running"), "{said}");
}

/// A check is told by its line: that no one is counted again for each.
#[test]
fn the_line_of_a_check_is_right_in_a_file_of_thousands() {
    let place = Place::new();
    let checks = (0..20_000).map(|n| {
        format!(
            "[[check]]\nname = \"c{}\"\nselect = \"a{n}\"\ncount = \"0\"\n",
            n % 19_999
        )
    });
    let path = configured(&place, &checks.collect::<String>());
    let said = config("check", &path).ends(3).stdout();
    let fault = "the name `c0` is given twice; the first is at";
    assert!(
        said.contains(&format!(":79998:8: {fault} {}:1\n", path.display())),
        "{said}"
    );
}

#[test]
fn the_worst_comes_first_and_decides_in_the_order_critical_unknown_warning() {
    let place = Place::new();
    let named =
        |name: &str, rest: &str| format!("[[check]]\nname = \"{name}\"\nselect = \"pwtnosuch\"\n{rest}\n");
    let [fine, warning, faulty, critical] = [
        named("fine", "count = \"0\""),
        named("warning", "severity = \"warning\""),
        named("faulty", "count = \"x\""),
        named("critical", ""),
    ];
    let said = |checks: &[&String], code| {
        let text: String = checks.iter().map(|check| check.as_str()).collect();
        let said = check("human", &configured(&place, &text)).ends(code).stdout();
        let table = said.split("\n\n").nth(1).unwrap_or_default().to_owned();
        let first_words: Vec<String> = table
            .lines()
            .map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
            .collect();
        (said.lines().next().unwrap_or_default().to_owned(), first_words)
    };
    let order = [
        "CRITICAL critical",
        "UNKNOWN faulty",
        "WARNING warning",
        "OK fine",
    ]
    .map(str::to_owned);
    assert_eq!(
        said(&[&fine, &warning, &faulty, &critical], 2),
        ("CRITICAL: critical missing".into(), order.to_vec())
    );
    assert_eq!(
        said(&[&fine, &warning, &faulty], 3),
        ("UNKNOWN: faulty faulty".into(), order[1..].to_vec())
    );
    assert_eq!(
        said(&[&fine, &warning], 1),
        ("WARNING: warning missing".into(), order[2..].to_vec())
    );
    assert_eq!(said(&[&fine], 0), ("OK: 1 check".into(), order[3..].to_vec()));
}

#[test]
fn skipped_checks_are_counted_and_nothing_but_skipped_checks_is_unknown() {
    let place = Place::new();
    let skipped = "[[check]]\nname = \"s\"\nselect = \"pwtnosuch\"\nwhen = \"exists /pwt/no/such\"\n";
    let path = configured(&place, skipped);
    let said = check("mon", &path).ends(3);
    assert_eq!(
        anonymous(&said, &path),
        "UNKNOWN: nothing to check, 1 skipped\ns: skipped, /pwt/no/such does not exist\nchecks from FILE\n"
    );
    let text = format!("{skipped}[[check]]\nname = \"fine\"\nselect = \"pwtnosuch\"\ncount = \"0\"\n");
    let said = check("mon", &configured(&place, &text)).ends(0);
    assert_eq!(said.first_line(), "OK: 1 check, 1 skipped");
}

#[test]
fn what_the_user_cannot_read_is_unknown_and_not_absent() {
    need!(is_root(), "only root can become nobody");
    let place = Place::new();
    let closed = place.directory("closed");
    std::fs::write(closed.join("a.toml"), "[[check]]\nname = \"a\"\nselect = \"a\"\n").expect("written");
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).expect("chmod");
    let as_nobody = |path: &Path| {
        Procward::check("mon")
            .user("nobody")
            .arg("--config")
            .arg(path)
            .run()
            .ends(3)
    };
    // A directory of checks that cannot be listed is not a directory without checks.
    assert_eq!(
        anonymous(&as_nobody(&closed), &closed),
        "UNKNOWN: FILE faulty\nFILE: faulty, not checked\n  \
         FILE: cannot be read: Permission denied (os error 13)\n    \
         help: let the user who runs procward read it\n"
    );
    // A file that cannot be looked up is not a file that does not exist.
    let hidden = closed.join("a.toml");
    let text = format!(
        "[[check]]\nname = \"s\"\nselect = \"pwtnosuch\"\nwhen = \"exists {}\"\n",
        hidden.display()
    );
    let path = configured(&place, &text);
    as_nobody(&path)
        .says("UNKNOWN: s faulty\n")
        .says("it can't be told whether ")
        .says("closed/a.toml exists: Permission denied");
}

#[test]
fn a_snapshot_answers_no_question_about_files_of_this_host() {
    let place = Place::new();
    let snapshot = place.path().join("s");
    Procward::new()
        .args(["snapshot", "-o"])
        .arg(&snapshot)
        .run()
        .ends(0);
    let path = configured(
        &place,
        "[[check]]\nname = \"s\"\nselect = \"pwtnosuch\"\ncount = \"0\"\nwhen = \"exists /etc/passwd\"\n",
    );
    let said = Procward::check("mon")
        .arg("--snapshot")
        .arg(snapshot)
        .arg("--config")
        .arg(path)
        .run()
        .ends(3);
    assert!(
        said.stdout()
            .contains("it can't be told whether /etc/passwd exists: the snapshot does not tell"),
        "{}",
        said.stdout()
    );
}

#[test]
fn under_mon_a_host_name_is_underlined_and_hides_no_check() {
    let place = Place::new();
    let monitor = place.link("procward.monitor");
    let config = configured(
        &place,
        "[[check]]\nname = \"fine\"\nselect = \"pwtnosuch\"\ncount = \"0\"\n",
    );
    let run = |words: &[&str]| {
        Procward::at(&monitor)
            .env("MON_GROUP", "g")
            .env("MON_SERVICE", "s")
            .env("PROCWARD_CONFIG", &config.display().to_string())
            .args(words.to_vec())
            .run()
            .ends(3)
    };
    let fault = "UNKNOWN: missing ;; in mon.cf: localhost faulty\n\
                 missing ;; in mon.cf: localhost: faulty, not checked\n  \
                 the spec:1:1: no range in `localhost`: a host name, and `;;` missing in mon.cf\n    \
                 localhost\n    ^^^^^^^^^\n    \
                 help: end the monitor line in mon.cf with ;; or mon appends host names; \
                 for a process of that name write `localhost:1-`\n1 other check ok\n";
    assert_eq!(lasting(&run(&["pwtnosuch:0", "localhost"])), fault);
    assert_eq!(
        anonymous(&run(&["localhost"]), &config),
        format!("{fault}checks from FILE\n")
    );
}
