//! What a caller may rely on: exit codes, quiet, sizes, whatever it gives and however it starts us.

use crate::common::{Output, Place, Procward, command, is_root, need, output, unique};
use crate::process::Live;
use crate::real_hosts;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Stdio;

const PLUGINS: [&str; 5] = [
    "procward.monitor",
    "check_procward",
    "check_procs",
    "cpu.monitor",
    "ps.monitor",
];
const ONE_LOOK: [&str; 2] = ["--recheck", "0"];
/// These are not about the deadline, which a busy host may need.
const PATIENCE: [&str; 2] = ["--timeout", "60s"];
const FORMATS: [&str; 5] = ["human", "mon", "nagios", "json", "prometheus"];
const LIMIT: usize = 16 << 10;

/// Every way to have checks judged once, by its command line; the first word is `procward` or a link to it.
fn front_ends() -> Vec<Vec<&'static str>> {
    let mut all = vec![
        vec!["procward.monitor"],
        vec!["check_procward"],
        vec!["ps.monitor"],
        vec!["procward", "ps.monitor"],
    ];
    all.extend(FORMATS.map(|format| vec!["procward", "check", "--format", format]));
    for front_end in &mut all {
        front_end.extend(ONE_LOOK);
        if !front_end.contains(&"ps.monitor") {
            front_end.extend(PATIENCE);
        }
    }
    all
}

/// Whether it is a plugin's, which is capped, or written whole.
fn is_capped(front_end: &[&str]) -> bool {
    let whole = ["human", "json", "prometheus", "checkmk"];
    !front_end.iter().any(|word| whole.contains(word))
}

/// The exit code of a failure: ps.monitor knows only 1.
fn failure(front_end: &[&str]) -> i32 {
    if front_end.contains(&"ps.monitor") { 1 } else { 2 }
}

fn run<T: Into<OsString>>(place: &Place, words: &[&str], rest: impl IntoIterator<Item = T>) -> Output {
    prepared(place, words, rest).run()
}

fn prepared<T: Into<OsString>>(place: &Place, words: &[&str], rest: impl IntoIterator<Item = T>) -> Procward {
    let program = match words[0] {
        "procward" => place.procward(),
        name => place.link(name),
    };
    Procward::at(&program).args(words[1..].iter().copied()).args(rest)
}

/// The same where few processes are, so that many checks take little time.
fn run_apart(place: &Place, words: &[&str], rest: impl IntoIterator<Item = String>) -> Output {
    let procward = prepared(place, words, rest);
    let apart = ["unshare", "-pf", "--mount-proc"];
    if is_root() {
        procward.within(apart).run()
    } else {
        procward.run()
    }
}

/// Nothing that a terminal, a pager or Nagios would take for more than text.
#[track_caller]
fn is_plain(said: &Output) {
    let text = String::from_utf8(said.bytes().to_vec()).expect("UTF-8");
    let raw = text
        .chars()
        .find(|&c| c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c));
    assert_eq!(raw, None, "{text}");
    let data = usize::from(text.starts_with("PROCS "));
    let bars = text.lines().next().unwrap_or_default().matches('|').count();
    assert!(bars <= data, "{text}");
}

/// The same of one front end: where nobody looks for performance data a bar is a bar.
#[track_caller]
fn is_plain_in(front_end: &[&str], said: &Output) {
    if !is_capped(front_end) {
        is_plain(&Output::of(std::process::Output {
            stdout: said.stdout().replace('|', " ").into_bytes(),
            stderr: Vec::new(),
            status: std::process::ExitStatus::default(),
        }));
    } else {
        is_plain(said);
    }
}

#[test]
fn help_and_version_end_0_for_procward_and_3_under_a_plugins_name() {
    let place = Place::new();
    let version = env!("CARGO_PKG_VERSION");
    for word in ["--help", "-h", "--version", "-V"] {
        let said = run(&place, &["procward"], [word]).ends(0);
        assert!(said.stdout().contains(if word.to_lowercase().contains('v') {
            version
        } else {
            "Usage: "
        }));
        for name in PLUGINS {
            let said = run(&place, &[name], [word]).ends(3);
            assert!(
                said.stdout().contains(if word.contains(['V', 'v']) {
                    version
                } else {
                    "sage: "
                }),
                "{said:?}"
            );
        }
    }
    run(&place, &["procward", "check"], ["--help"])
        .ends(0)
        .says("Usage: procward check");
}

#[test]
fn wrong_usage_is_unknown_and_what_was_written_is_shown_plain() {
    let place = Place::new();
    let words = [
        "--nosuch",
        "--\u{1b}[31m|\u{202e}",
        "--format=nosuch",
        "--config",
        "-\u{7f}",
    ];
    for front_end in front_ends() {
        for word in words {
            let said = run(&place, &front_end, [word]).ends(3);
            is_plain_in(&front_end, &said);
            assert!(said.stdout().len() <= LIMIT);
        }
    }
    for words in [
        &["nosuch"][..],
        &["check", "--format", "x|\u{1b}"],
        &["config"],
        &["list"],
        &["explain", "x", "y"],
    ] {
        let said = Procward::new().args(words.iter().copied()).run().ends(3);
        assert!(said.first_line().starts_with("UNKNOWN: "), "{}", said.stdout());
        is_plain(&said);
    }
    // Beside a check that fails, wrong usage is still no verdict.
    run(&place, &["check_procward"], ["pwtnosuch:1", "--nosuch"]).ends(3);
}

#[test]
fn nothing_to_check_is_unknown_everywhere() {
    let place = Place::new();
    let empty = place.script("empty.toml", "# nothing\n");
    for front_end in front_ends() {
        let said = match front_end.contains(&"ps.monitor") {
            true => run(&place, &front_end, [""; 0]).ends(3),
            false => run(&place, &front_end, ["--config", empty.to_str().unwrap()]).ends(3),
        };
        is_plain_in(&front_end, &said);
    }
}

#[test]
fn a_configuration_that_cannot_be_read_is_unknown_in_every_format() {
    let place = Place::new();
    let path = |name: &str| place.path().join(name).display().to_string();
    let check = |name: &str| format!("[[check]]\nname = \"{name}\"\nselect = \"pwtnosuch\"\n");
    std::fs::write(
        path("bytes.toml"),
        b"[[check]]\nname = \"x\"\nselect = \"a\xffb\"\ncount = \"0\"\n",
    )
    .unwrap();
    place.script("broken.toml", "[[check\n");
    place.script(
        "unknown.toml",
        "[[check]]\nname = \"x\"\nselect = \"x\"\ncoutn = \"0\"\n",
    );
    place.directory("empty.d");
    let cases = [
        ("missing.toml", "there is no such file"),
        ("bytes.toml", "is not UTF-8 in line 3"),
        ("broken.toml", "unclosed"),
        ("unknown.toml", "coutn"),
        ("empty.d", "holds no *.toml"),
    ];
    let plain = front_ends()
        .into_iter()
        .filter(|words| !words.contains(&"ps.monitor"));
    for front_end in plain {
        for (name, why) in cases {
            // Metrics tell that, and not why.
            let why = if front_end.contains(&"prometheus") {
                "procward_state 3"
            } else {
                why
            };
            let said = run(&place, &front_end, ["--config", &path(name)])
                .ends(3)
                .says(why);
            is_plain_in(&front_end, &said);
            if front_end.contains(&"json") {
                assert_eq!(said.json()["state"], "UNKNOWN");
            }
        }
        // What is readable beside it is judged: a failure for certain stays one.
        let both = place.directory("both.d");
        std::fs::copy(path("broken.toml"), both.join("a.toml")).unwrap();
        std::fs::write(both.join("b.toml"), check("pwtnosuch")).unwrap();
        run(&place, &front_end, ["--config", both.to_str().unwrap()])
            .ends(2)
            .says("pwtnosuch")
            .says("a.toml");
    }
}

#[test]
fn a_configuration_closed_to_the_user_is_unknown() {
    need!(is_root(), "only root can become nobody");
    let place = Place::new();
    let closed = place.script("closed.toml", "");
    let directory = place.directory("closed.d");
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o700)).unwrap();
    for path in [&closed, &directory] {
        Procward::check("mon")
            .user("nobody")
            .arg("--config")
            .arg(path)
            .run()
            .ends(3)
            .says("Permission denied");
    }
    let when = format!(
        "[[check]]\nname = \"x\"\nselect = \"pwtnosuch\"\ncount = \"0\"\nwhen = \"exists {}/x\"\n",
        directory.display()
    );
    let file = place.script("when.toml", &when);
    Procward::check("mon")
        .user("nobody")
        .arg("--config")
        .arg(file)
        .run()
        .ends(3)
        .says("it can't be told whether");
}

/// `count` checks that fail, with long names that would do harm raw.
fn hostile(count: usize) -> Vec<String> {
    let text = "\u{202e}\u{1b}]0;\u{200b}\u{7f}\u{1f980}".repeat(30);
    (0..count)
        .map(|number| format!("name=\"{number}{text}\":1"))
        .collect()
}

#[test]
fn three_hundred_failures_with_hostile_names_fit_into_16_kib() {
    let place = Place::new();
    let mut toml = String::new();
    for number in 0..300 {
        let text = "\\u202e\\u001b\\n|\\u0085".repeat(20);
        toml += &format!(
            "[[check]]\nname = \"{number}{text}\"\nselect = \"name='{number}{text}'\"\nnote = \"{text}\"\n"
        );
    }
    let file = place.script("hostile.toml", &toml);
    for front_end in front_ends() {
        let mut runs = vec![run_apart(&place, &front_end, hostile(300))];
        if !front_end.contains(&"ps.monitor") {
            let config = ["--config".to_owned(), file.display().to_string()];
            runs.push(run_apart(&place, &front_end, config));
        }
        for said in runs {
            let said = said.ends(failure(&front_end));
            is_plain_in(&front_end, &said);
            if front_end.contains(&"prometheus") {
                assert_eq!(said.stdout().matches("\nprocward_rule_state{").count(), 300);
            } else if front_end.contains(&"human") || front_end.contains(&"json") {
                // People and programs are told of every check.
                let told = said.stdout().matches("no process; want").count();
                let verdicts = || said.json()["verdicts"].as_array().map_or(0, Vec::len);
                assert_eq!(if told > 0 { told } else { verdicts() }, 300);
            } else {
                assert!(
                    said.stdout().len() <= LIMIT,
                    "{front_end:?}: {}",
                    said.stdout().len()
                );
                assert!(
                    said.first_line().len() <= LIMIT / 2,
                    "{front_end:?}: {}",
                    said.first_line().len()
                );
                assert!(
                    said.stdout().lines().last().unwrap().ends_with(" more lines"),
                    "{front_end:?}"
                );
            }
        }
    }
}

#[test]
fn a_snapshot_is_for_nobody_else_whatever_was_there_before() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    for name in ["new", "old"] {
        let path = place.path().join(name);
        if name == "old" {
            place.script(name, "readable by all");
        }
        let words = ["snapshot", "-o", path.to_str().unwrap()];
        Procward::new().args(words).run().ends(0);
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn three_thousand_specs_are_judged_together() {
    let place = Place::new();
    for front_end in [0, 1, 2, 7].map(|index| front_ends().remove(index)) {
        // Without an optimizer the rules of ps.monitor take three times as long.
        let many = if front_end.contains(&"ps.monitor") {
            1000
        } else {
            3000
        };
        let specs = (0..many).map(|number| format!("pwtnosuch{number}:0-0"));
        let said =
            run_apart(&place, &front_end, specs.chain(["pwtlacks:1-1".to_owned()])).ends(failure(&front_end));
        is_plain_in(&front_end, &said);
        said.says("pwtlacks");
    }
}

#[test]
fn an_argument_of_128_kib_is_judged_or_refused() {
    let place = Place::new();
    // The kernel takes 128 KiB for one argument, with its end.
    let fill =
        |head: &str, unit: &str| head.to_owned() + &unit.repeat(((128 << 10) - 16 - head.len()) / unit.len());
    let specs = [
        fill("", "a") + ":1-1",
        fill("user=", "a") + ":0-0",
        fill("name~", "(a*)*") + ":0-0",
        fill("name~", "(") + ":0-0",
        fill("name=a", "|ab") + ":0-0",
        fill("name=a", ",name=ab") + ":0-0",
        fill("name=", "*") + ":0-0",
        fill("name=", "[a]") + ":0-0",
        fill("name=", "\u{202e}") + ":0-0",
        fill("x:", "1"),
        fill("", "|"),
        fill("\"", "\u{1b}"),
        fill("--", "x"),
    ];
    for front_end in front_ends() {
        for spec in &specs {
            let said = run(&place, &front_end, [spec]);
            let known = [Some(0), Some(3), Some(failure(&front_end))];
            assert!(
                known.contains(&said.code()) && said.stderr().is_empty(),
                "{}: {:?}",
                &spec[..20],
                said.code()
            );
            is_plain_in(&front_end, &said);
            let capped = is_capped(&front_end);
            assert!(
                !capped || said.stdout().len() <= LIMIT,
                "{}: {}",
                &spec[..20],
                said.stdout().len()
            );
        }
    }
}

#[test]
fn an_argument_that_is_not_utf8_is_unknown() {
    let place = Place::new();
    for front_end in front_ends() {
        for bytes in [&b"\xff:0-0"[..], b"name=\xc3\x28:0-0", b"--\xff", b"\x80"] {
            let said = run(&place, &front_end, [OsString::from_vec(bytes.to_vec())]).ends(3);
            is_plain_in(&front_end, &said);
        }
        let words = [
            OsString::from("pwtnosuch:1-1"),
            OsString::from_vec(b"\xffx:0-0".to_vec()),
        ];
        run(&place, &front_end, words).ends(3);
    }
    for words in ["list", "explain", "--proc", "--nosuch"] {
        let bytes = OsString::from_vec(b"\xff|\x1b".to_vec());
        is_plain(&Procward::new().arg(words).arg(bytes).run().ends(3));
    }
}

/// Runs a shell's command line in which `$PW` is procward.
fn shell(script: &str) -> Output {
    let place = Place::new();
    output(command("bash").env("PW", place.procward()).args(["-c", script]))
}

#[test]
fn a_reader_that_goes_away_changes_no_exit_code() {
    for (command, code) in [
        ("list --timeout 60s user=root", 0),
        ("check --timeout 60s pwtnosuch:0", 0),
        ("check --timeout 60s pwtnosuch:1", 2),
        ("check --timeout 60s user=nosuch:1", 3),
        ("ps.monitor --recheck 0 pwtnosuch:1-1", 1),
        ("--help", 0),
        ("man", 0),
        ("completions bash", 0),
        ("snapshot --timeout 60s", 0),
    ] {
        let script = format!(
            "$PW {command} | true; echo ${{PIPESTATUS[0]}}; $PW {command} | head -0; echo ${{PIPESTATUS[0]}}"
        );
        assert_eq!(
            shell(&script).ends(0).stdout(),
            format!("{code}\n{code}\n"),
            "{command}"
        );
    }
}

#[test]
fn a_verdict_that_cannot_be_written_is_no_ok() {
    for (command, code) in [
        ("check --timeout 60s pwtnosuch:0", 3),
        ("check --timeout 60s pwtnosuch:1", 2),
        ("ps.monitor pwtnosuch:0-0", 3),
        ("ps.monitor --recheck 0 pwtnosuch:1-1", 1),
        ("list --timeout 60s user=root", 3),
        ("snapshot --timeout 60s", 3),
        ("man", 3),
    ] {
        shell(&format!("$PW {command} > /dev/full")).ends(code);
        // A limit on the size of files is an error like others, and no signal.
        shell(&format!(
            "f=$(mktemp) && prlimit --fsize=0 $PW {command} > $f; code=$?; rm $f; exit $code"
        ))
        .ends(code);
        let said = shell(&format!("$PW {command} >/dev/null")).code();
        assert_eq!(said, Some(if code == 3 { 0 } else { code }), "{command}");
    }
    let place = Place::new();
    let script = format!(
        "cd {}; prlimit --fsize=64 $PW snapshot --timeout 60s -o s",
        place.path().display()
    );
    shell(&script).ends(3).says("cannot write s: File too large");
}

#[test]
fn descriptors_that_are_closed_at_the_start_change_no_verdict() {
    let place = Place::new();
    let name = unique("closed");
    let _live = Live::named(&place, &name);
    for closed in [
        "<&-",
        ">&-",
        "2>&-",
        "<&- >&-",
        "<&- 2>&-",
        ">&- 2>&-",
        "<&- >&- 2>&-",
    ] {
        shell(&format!("$PW check --timeout 60s {name}:1 {closed}")).ends(0);
        shell(&format!("$PW check --timeout 60s {name}:0 {closed}")).ends(2);
        shell(&format!("$PW check --timeout 60s user=pwtnosuch:0 {closed}")).ends(3);
        shell(&format!("$PW ps.monitor --recheck 0 {name}:2-2 {closed}")).ends(1);
    }
}

#[test]
fn without_any_argument_not_even_its_name_it_shows_the_roll() {
    let place = Place::new();
    let program = "import ctypes,os,sys\nlibc=ctypes.CDLL(None)\nnone=(ctypes.c_char_p*1)(None)\n\
                   libc.execve(os.fsencode(sys.argv[1]),none,none)\nsys.exit(99)";
    let said = output(
        command("/usr/bin/python3")
            .args(["-c", program])
            .arg(place.procward()),
    );
    said.ends(0).says("DAEMON").says(" among ");
}

/// Runs procward with limits of prlimit(1).
fn limited(place: &Place, limits: &[String], arguments: &[&str]) -> (Option<i32>, Option<i32>, String) {
    let mut command = command("prlimit");
    command.args(limits).arg(place.procward()).args(arguments);
    let said = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .expect("prlimit");
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    (said.status.code(), said.status.signal(), text)
}

/// With each of these limits, what holds is OK or UNKNOWN, and what fails is a failure or UNKNOWN; and never a signal.
/// Gives how many were UNKNOWN.
fn unknown_but_never_false(place: &Place, name: &str, limits: impl Iterator<Item = String>) -> usize {
    place.procward();
    let ask = |limit: &str| {
        let cases = [("1", 0), ("2", 2), ("0", 2), ("1,user=root", 3)];
        let unknown = cases.map(|(range, code)| {
            let spec = format!("{name}:{range}");
            let words = [
                "check",
                "--format",
                "mon",
                "--recheck",
                "0",
                "--timeout",
                "60s",
                &spec,
            ];
            let (found, signal, text) = limited(place, &[limit.to_owned()], &words);
            assert_eq!(signal, None, "{limit}: {text}");
            let known = found == Some(code) || found == Some(3);
            assert!(known && !text.is_empty(), "{limit} {range}: {found:?} {text}");
            usize::from(found == Some(3) && code != 3)
        });
        unknown.iter().sum::<usize>()
    };
    // What must not run is looked at for a second, so all at once.
    std::thread::scope(|scope| {
        let asking: Vec<_> = limits.map(|limit| scope.spawn(move || ask(&limit))).collect();
        asking
            .into_iter()
            .map(|asked| asked.join().expect("an answer"))
            .sum()
    })
}

#[test]
fn with_few_descriptors_nothing_is_told_that_was_not_seen() {
    let place = Place::new();
    let name = unique("few");
    let _live = Live::named(&place, &name);
    let limits = (4..=20).map(|limit| format!("--nofile={limit}"));
    let unknown = unknown_but_never_false(&place, &name, limits);
    assert!(unknown >= 6, "the limits were no limits: {unknown}");
    // A configuration that can't be opened for want of a descriptor is missing, not empty.
    let directory = place.directory("conf.d");
    let check = format!("[[check]]\nname = \"x\"\nselect = \"{name}\"\ncount = \"2\"\n");
    std::fs::write(directory.join("x.toml"), check).unwrap();
    for limit in 4..=20 {
        let words = [
            "check",
            "--recheck",
            "0",
            "--timeout",
            "60s",
            "--config",
            directory.to_str().unwrap(),
        ];
        let (code, signal, text) = limited(&place, &[format!("--nofile={limit}")], &words);
        assert!(
            signal.is_none() && matches!(code, Some(2 | 3)),
            "{limit}: {code:?} {text}"
        );
    }
}

#[test]
fn with_little_memory_nothing_is_told_that_was_not_seen_and_no_signal_ends_it() {
    let place = Place::new();
    let name = unique("mem");
    let _live = Live::named(&place, &name);
    let starts = |limit: usize| limited(&place, &[format!("--as={limit}")], &["--version"]).0 == Some(0);
    // Where the program can be loaded at all.
    let coarse = (1..1000)
        .map(|step| step << 20)
        .find(|limit| starts(*limit))
        .expect("it starts");
    let first = (0..64)
        .map(|step| coarse - (1 << 20) + (step << 14))
        .find(|limit| starts(*limit));
    let first = first.unwrap_or(coarse);
    let limits = (0..24).map(|step| format!("--as={}", first + (step << 14)));
    let unknown = unknown_but_never_false(&place, &name, limits);
    assert!(unknown > 0, "the limits were no limits");
}

#[test]
fn with_little_stack_nothing_is_told_that_was_not_seen() {
    let place = Place::new();
    let name = unique("stack");
    let _live = Live::named(&place, &name);
    let limits = [64, 96, 128, 192, 256, 512].map(|kib| format!("--stack={}", kib << 10));
    let starts = |limit: &String| limited(&place, std::slice::from_ref(limit), &["--version"]).0 == Some(0);
    unknown_but_never_false(&place, &name, limits.into_iter().filter(starts));
}

#[test]
fn a_fatal_signal_ends_with_unknown() {
    let place = Place::new();
    let fifo = place.path().join("fifo");
    output(command("mkfifo").arg(&fifo)).ends(0);
    for signal in ["ABRT", "SEGV", "BUS", "ILL", "FPE", "XCPU"] {
        // It waits for somebody to write.
        let script = format!(
            "{} check --snapshot {} x:0 & pid=$!\n\
             until [ \"$(cat /proc/$pid/comm)\" = procward ] && [ \"$(cut -d' ' -f3 /proc/$pid/stat)\" = S ]; do :; done\n\
             kill -{signal} $pid; wait $pid",
            place.procward().display(),
            fifo.display()
        );
        let said = output(command("bash").args(["-c", &script]));
        assert_eq!(said.code(), Some(3), "{signal}: {said:?}");
        assert_eq!(
            said.stdout(),
            "UNKNOWN: procward ran out of memory, stack or time, or is faulty\n"
        );
    }
}

/// Runs procward at a terminal so wide; gives what it wrote there, and its exit status.
fn at_terminal(
    place: &Place,
    columns: u16,
    environment: &[(&str, &str)],
    arguments: &[&str],
) -> (String, i32) {
    let program = "import fcntl,os,pty,struct,sys,termios\n\
        columns=int(sys.argv[1])\npid,fd=pty.fork()\n\
        if pid==0:\n\
        \x20   fcntl.ioctl(0,termios.TIOCSWINSZ,struct.pack('HHHH',24,columns,0,0))\n\
        \x20   os.execv(sys.argv[2],sys.argv[2:])\n\
        text=b''\n\
        while True:\n\
        \x20   try: more=os.read(fd,65536)\n\
        \x20   except OSError: break\n\
        \x20   if not more: break\n\
        \x20   text+=more\n\
        code=os.waitstatus_to_exitcode(os.waitpid(pid,0)[1])\n\
        sys.stdout.buffer.write(text.replace(b'\\r\\n',b'\\n'))\nsys.exit(code if code>=0 else 99)";
    let mut command = command("/usr/bin/python3");
    command
        .args(["-c", program, &columns.to_string()])
        .arg(place.procward())
        .args(arguments);
    let said = output(command.envs(environment.iter().copied()));
    assert_eq!(said.stderr(), "");
    (said.stdout(), said.code().expect("an exit status"))
}

#[test]
fn colour_is_for_terminals_only_and_not_where_it_is_unwanted() {
    let place = Place::new();
    let check = ["check", "--timeout", "60s", "pwtnosuch:1"];
    let (text, code) = at_terminal(&place, 80, &[("TERM", "xterm")], &check);
    assert_eq!(code, 2);
    assert!(
        text.starts_with(
            "\x1b[1;31mCRITICAL\x1b[0m: pwtnosuch missing\n\n\x1b[1;31mCRITICAL\x1b[0m pwtnosuch "
        ),
        "{text:?}"
    );
    let (text, code) = at_terminal(&place, 80, &[("NO_COLOR", "")], &check);
    assert!(
        code == 2 && text.contains('\x1b'),
        "an empty NO_COLOR is none: {text:?}"
    );
    for environment in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        for arguments in [&check[..], &["roll"], &["--help"], &["check", "--nosuch"]] {
            let (text, _) = at_terminal(&place, 80, &[environment], arguments);
            assert!(!text.contains('\x1b'), "{environment:?} {arguments:?}: {text:?}");
        }
    }
    for format in ["mon", "nagios", "json"] {
        let (text, code) = at_terminal(
            &place,
            80,
            &[],
            &[
                "check",
                "--timeout",
                "60s",
                "--recheck",
                "0",
                "--format",
                format,
                "pwtnosuch:1",
            ],
        );
        assert!(code == 2 && !text.contains('\x1b'), "{text:?}");
    }
    for environment in [("TERM", "xterm"), ("CLICOLOR_FORCE", "1"), ("FORCE_COLOR", "1")] {
        let piped = Procward::new()
            .env(environment.0, environment.1)
            .args(check)
            .run()
            .ends(2);
        assert!(
            piped
                .stdout()
                .starts_with("CRITICAL: pwtnosuch missing\n\nCRITICAL pwtnosuch ")
        );
        assert!(!piped.stdout().contains('\x1b'));
    }
}

/// The lines wider than the terminal that could have been broken: those with more than one word.
fn too_wide(text: &str, columns: usize) -> Vec<&str> {
    let wide = text.lines().filter(|line| line.chars().count() > columns);
    wide.filter(|line| line.trim().contains(' ')).collect()
}

#[test]
fn lines_fit_the_terminal_where_they_can() {
    let place = Place::new();
    let path = place
        .path()
        .join("pwt-a-program-with-a-name-that-takes-its-room")
        .display()
        .to_string();
    let long = format!("exe={path},user=root,main=yes:1");
    let check = [
        "check",
        "--timeout",
        "60s",
        "-v",
        "pwtnosuch:1",
        &long,
        "name=pwt-another|pwt-third|pwt-fourth,user=daemon:2-",
    ];
    for columns in [80, 40, 20] {
        let (text, code) = at_terminal(&place, columns, &[("NO_COLOR", "1")], &check);
        assert_eq!((code, too_wide(&text, columns.into())), (2, vec![]), "{text}");
        assert!(text.contains("pwtnosuch") && text.contains(&path), "{text}");
    }
    for columns in [80, 46] {
        let (text, code) = at_terminal(&place, columns, &[("NO_COLOR", "1")], &["roll"]);
        assert_eq!((code, too_wide(&text, columns.into())), (0, vec![]), "{text}");
    }
    let (text, _) = at_terminal(&place, 40, &[("NO_COLOR", "1")], &["roll"]);
    // The columns of numbers take 29, and 8 are the name's.
    assert_eq!(too_wide(&text, 40), Vec::<&str>::new(), "{text}");
}

#[test]
fn in_a_pipe_nothing_is_cut_and_a_line_stays_a_line() {
    let name = "pwt-a-name-that-is-longer-than-the-column-of-names";
    let spec = format!("name={name},user=daemon:2-4");
    let said = Procward::check("human").arg(&spec).run().ends(2);
    let written = format!("name={name},user=daemon");
    let wants = format!("2 to 4 processes named {name}, run by daemon");
    assert_eq!(
        said.stdout(),
        format!(
            "CRITICAL: {written} too few\n\nCRITICAL {written}     0  {wants}\n\n{written}: no process; want {wants}\n"
        )
    );
    let roll = Procward::new().arg("roll").run().ends(0).stdout();
    assert!(
        roll.lines()
            .any(|line| line.ends_with(" processes. Watch one: procward check SPEC. All: procward init.")),
        "{roll}"
    );
}

#[test]
fn the_commands_for_people_break_their_lines_between_words() {
    let place = Place::new();
    let config = place.script(
        "procward.toml",
        "[[check]]\nname = \"shop\"\nselect = \"pwtshop\"\nnote = \"see what the person on call wrote about the shop \
         and then call the shop's owner\"\n\n[[check]]\nname = \"exe\"\nselect = \"exe=*/pwtshop,exe.deleted=no,uid.any=0\"\n",
    );
    let config = config.display().to_string();
    for (command, code) in [
        (&["load", "0.001", "3", "2"][..], None),
        (&["cpu", "--show-exempt"], Some(0)),
        (&["config", "show", "--config", &config], Some(0)),
        (&["config", "check", "--as", "daemon", "--config", &config], None),
        (
            &[
                "explain",
                "pwtnosuch,user=daemon,cmdline=\"pwtnosuch with many words\",age>1h",
            ],
            Some(0),
        ),
    ] {
        let (text, ended) = at_terminal(&place, 40, &[("NO_COLOR", "1")], command);
        assert!(code.is_none_or(|code| code == ended), "{ended} {text}");
        assert_eq!(too_wide(&text, 40), Vec::<&str>::new(), "{text}");
        assert!(text.lines().count() > 2, "{text}");
    }
}

#[test]
fn any_number_of_columns_will_do() {
    let place = Place::new();
    // The processes of this host come and go: what dies under procward's eyes, for example, is told too.
    let saved = real_hosts::saved(&real_hosts::host());
    let saved = saved.path().to_str().expect("a path");
    let check = ["check", "--snapshot", saved, "pwtnosuch:1", "pwtneither:0"];
    let plain = Procward::new().args(check).run().ends(2).stdout();
    for columns in ["0", "-1", "x", "", "99999999999999999999", "120"] {
        assert_eq!(
            Procward::new()
                .env("COLUMNS", columns)
                .args(check)
                .run()
                .ends(2)
                .stdout(),
            plain,
            "{columns}"
        );
    }
    for columns in ["1", "2", "19", "20", "40", "999999999"] {
        for (what, code) in [
            (&check[..], 2),
            (&["roll", "--snapshot", saved], 0),
            (&["--help"], 0),
        ] {
            let said = Procward::new()
                .env("COLUMNS", columns)
                .args(what.iter().copied())
                .run()
                .ends(code);
            assert!(said.stdout().len() < 100_000, "{columns} {what:?}");
        }
    }
    // COLUMNS goes before what the terminal says; 0 columns is a terminal that does not know.
    let (narrow, _) = at_terminal(&place, 80, &[("COLUMNS", "40"), ("NO_COLOR", "1")], &check);
    assert_eq!(too_wide(&narrow, 40), Vec::<&str>::new());
    let (text, _) = at_terminal(&place, 0, &[("NO_COLOR", "1")], &check);
    assert_eq!(text, plain);
}

#[test]
fn lines_stay_lines_in_a_pipe() {
    let note = "n ".repeat(200);
    let place = Place::new();
    let file = place.script(
        "p.toml",
        &format!("[[check]]\nname = \"x\"\nselect = \"pwtnosuch\"\nnote = \"{note}\"\n"),
    );
    let said = Procward::check("human").arg("--config").arg(file).run().ends(2);
    said.says(&format!("\n  note: {note}\n"));
}

#[test]
fn the_manual_page_has_no_fault() {
    need!(Path::new("/usr/bin/man").exists(), "man-db is not installed");
    let place = Place::new();
    let page = place.path().join("procward.1");
    std::fs::write(&page, Procward::new().arg("man").run().ends(0).bytes()).unwrap();
    let shown = output(
        command("/usr/bin/man")
            .args(["-l", "--warnings", "-E", "UTF-8"])
            .arg(&page)
            .env("MANWIDTH", "80")
            .env("LC_ALL", "C.UTF-8"),
    );
    let shown = shown.ends(0);
    shown.says("SYNOPSIS").says("--snapshot");
}

#[test]
fn bash_loads_and_uses_the_completions() {
    need!(Path::new("/bin/bash").exists(), "bash is not installed");
    let script = "set -eu; source <($PW completions bash); complete -p procward\n\
                  COMP_WORDS=(procward ch) COMP_CWORD=1 COMPREPLY=()\n\
                  _procward procward ch procward; echo \"${COMPREPLY[@]}\"";
    let said = shell(script).ends(0);
    assert!(said.stdout().lines().last() == Some("check"), "{}", said.stdout());
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        let said = Procward::new().args(["completions", shell]).run().ends(0);
        assert!(said.stdout().len() > 500);
    }
}
