//! procward under the name `check_procs`, beside the monitoring-plugins' own: the same verdicts in the same words, and
//! the truth where that one has a false one.

mod listing;

use crate::common::{Output, Place, Procward, command, is_root, need, output, spawn, unique, wait_for};
use crate::process::{Live, pids_of};
use crate::ps_monitor::Numbers;
use procward::check_procs::range::Range;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

const THEIRS: &str = "/usr/lib/nagios/plugins/check_procs";

/// Those of monitoring-plugins; other builds have other words.
fn is_installed() -> bool {
    Path::new(THEIRS).exists()
        && output(command(THEIRS).arg("-V"))
            .first_line()
            .contains("(monitoring-plugins 2.")
}

/// Runs a test once more, in a PID namespace of its own where root may make one: what else lives on the host costs ps
/// much time. Whether that was done.
fn ran_apart(test: &str) -> bool {
    const MARK: &str = "PROCWARD_TEST_APART";
    let apart = ["-mpf", "--mount-proc", "--kill-child"];
    let possible = || output(command("unshare").args(apart).arg("true")).code() == Some(0);
    if std::env::var_os(MARK).is_some() || !is_root() || !possible() {
        return false;
    }
    let mut again = command("unshare");
    again
        .args(apart)
        .arg(std::env::current_exe().expect("this program"))
        .args([&format!("check_procs::{test}"), "--exact"])
        .env(MARK, "1");
    let said = output(&mut again);
    assert_eq!(said.code(), Some(0), "{}{}", said.stdout(), said.stderr());
    said.says("1 passed");
    true
}

macro_rules! need_theirs {
    () => {
        need!(
            is_installed(),
            "the monitoring-plugins' check_procs is not installed"
        );
    };
}
use need_theirs;

fn theirs(words: &[String]) -> Output {
    output(command(THEIRS).args(words))
}

/// As somebody who may read nobody else's program.
const NOBODY: [&str; 4] = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

/// The stand-in, which writes nothing to standard error.
#[track_caller]
fn ours<T: AsRef<str>>(place: &Place, words: &[T]) -> Output {
    let words = words.iter().map(|word| word.as_ref().to_owned());
    let said = Procward::at(&place.link("check_procs")).args(words).run();
    assert_eq!(said.stderr(), "");
    said
}

/// Live processes of all kinds, whose names begin with a tag of this run.
struct Children {
    tag: String,
    names: Vec<String>,
    /// Those that have children.
    parents: Vec<u32>,
    users: Vec<String>,
    herd: Child,
    _live: Vec<Live>,
}

impl Children {
    fn start(place: &Place) -> Children {
        let tag = unique("");
        let name = |suffix: &str| format!("{tag}{suffix}");
        let mut live = Vec::new();
        for (suffix, count) in [("a", 1), ("b", 3), ("c", 2)] {
            live.extend((0..count).map(|_| Live::named(place, &name(suffix))));
        }
        let cat = |suffix: &str| place.copy("/bin/cat", &name(suffix));
        let by = |program: &str, words: &[&str], suffix: &str| {
            let mut by = command(program);
            by.args(words).arg(cat(suffix));
            Live::run(&mut by, &name(suffix))
        };
        live.push(by("nice", &["-n", "7"], "n"));
        live.push(by("setsid", &[], "s"));
        live.push(by("setsid", &["nice", "-n", "3"], "s"));
        live.push(by("env", &["-i"], "e"));
        let perl = |words: &[&str]| {
            let mut perl = command("/usr/bin/perl");
            perl.args(["-e", "<STDIN>", "--"]).args(words);
            Live::run(&mut perl, "perl")
        };
        live.push(perl(&[&format!("--{tag}=x"), "with blank", "(a|b)[c]"]));
        live.push(perl(&[&format!("--{tag}=y"), "", "trailing  "]));
        let python = |program: &str, word: &str| {
            let mut python = command("/usr/bin/python3");
            python.args(["-c", program, word]);
            Live::run(&mut python, "python3")
        };
        let threads = "import threading,sys\nfor _ in range(3): threading.Thread(target=threading.Event().wait,daemon=True).start()\nsys.stdin.read()";
        live.push(python(threads, &name("threads")));
        let locked = "import ctypes,sys\nctypes.CDLL(None).mlockall(1)\nsys.stdin.read()";
        live.push(python(locked, &name("locked")));
        let burnt = "import time,sys\nwhile time.process_time()<1: pass\nsys.stdin.read()";
        live.push(python(burnt, &name("burnt")));
        live.push(Live::with_comm(format!("x/{tag}w").as_bytes()));
        live.push(Live::with_comm(format!("{tag}|<\"%s").as_bytes()));
        let stopped = Live::named(place, &name("t"));
        output(command("kill").args(["-STOP", &stopped.pid().to_string()])).ends(0);
        live.push(stopped);
        let herd = herd(place, &tag);
        let mut parents = vec![std::process::id(), herd.id(), live[0].pid()];
        let nursery = wait_for("the parent of zombies", 10, || {
            pids_of(b"herd-zombies").first().copied()
        });
        parents.push(nursery);
        let suffixes = ["a", "b", "c", "n", "s", "e", "w", "t", "h", "u", "z", "none"];
        let mut names: Vec<String> = suffixes.iter().map(|suffix| name(suffix)).collect();
        names.extend([format!("{tag}|<\"%s"), "perl".into(), "python3".into()]);
        let root: &[&str] = if is_root() { &["1", "daemon", "33"] } else { &[] };
        Children {
            tag,
            names,
            parents,
            users: root.iter().map(|user| (*user).to_owned()).collect(),
            herd,
            _live: live,
        }
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        let _ = self.herd.kill();
        let _ = self.herd.wait();
    }
}

/// Forks of one program, some as other users, and zombies.
fn herd(place: &Place, tag: &str) -> Child {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/integration/herd.c");
    let program = place.path().join(format!("{tag}herd"));
    output(command("cc").args(["-O1", "-o"]).arg(&program).arg(source)).ends(0);
    let mut herd = command(&program);
    herd.args([format!("{tag}h=4"), format!("zombie:{tag}z=3")]);
    if is_root() {
        herd.args([format!("{tag}u=2=1"), format!("{tag}u=3=33")]);
    }
    let mut herd = spawn(herd.stdin(Stdio::piped()).stdout(Stdio::piped()));
    let mut line = String::new();
    BufReader::new(herd.stdout.take().expect("its output"))
        .read_line(&mut line)
        .expect("a line");
    assert_eq!(line, "ready\n");
    herd
}

/// Command lines that look random and are the same in every run.
struct Lines<'a> {
    numbers: Numbers,
    children: &'a Children,
}

impl Lines<'_> {
    fn one<'b, T: ?Sized>(&mut self, all: &[&'b T]) -> &'b T {
        all[self.numbers.below(all.len())]
    }

    fn chance(&mut self, of: usize) -> bool {
        self.numbers.below(of) == 0
    }

    /// One of the ways to write an option.
    fn option(&mut self, short: &str, long: &str, value: &str) -> Vec<String> {
        match self.numbers.below(5) {
            0 => vec![format!("--{long}={value}")],
            1 => vec![format!("--{long}"), value.to_owned()],
            2 if long.len() > 5 && !value.is_empty() => vec![format!("--{}={value}", &long[..4])],
            3 if !value.is_empty() => vec![format!("-{short}{value}")],
            _ => vec![format!("-{short}"), value.to_owned()],
        }
    }

    /// A filter that only our own processes pass.
    fn own(&mut self) -> (char, Vec<String>) {
        let tag = self.children.tag.clone();
        match self
            .numbers
            .below(if self.children.users.is_empty() { 4 } else { 5 })
        {
            0 => {
                let parents = &self.children.parents;
                let parent = parents[self.numbers.below(parents.len())].to_string();
                ('p', self.option("p", "ppid", &parent))
            }
            1 => {
                let names = &self.children.names;
                let name = names[self.numbers.below(names.len())].clone();
                ('C', self.option("C", "command", &name))
            }
            2 => {
                let text = self.one(&["", "a", "herd", "z]", "s", "=x with blank (a|b)"]);
                ('a', self.option("a", "argument-array", &format!("{tag}{text}")))
            }
            3 => {
                let text = self.one(&[
                    "",
                    "[abc]$",
                    "(h|s).*",
                    "z\\] <def",
                    "=. +",
                    "(a|b)+?",
                    "[[:alpha:]]{3,}",
                    "\\>",
                    "$",
                ]);
                ('e', vec!["--ereg-argument-array".into(), format!("{tag}{text}")])
            }
            _ => {
                let users = &self.children.users;
                let user = users[self.numbers.below(users.len())].clone();
                ('u', self.option("u", "user", &user))
            }
        }
    }

    fn other(&mut self) -> (char, Vec<String>) {
        match self.numbers.below(9) {
            0 | 1 => {
                let flags = self.one(&[
                    "S", "Z", "T", "R", "s", "N", "l", "L", "Ss", "SN", "Sl", "SNs", "lS", "DZ", "S<", "+",
                    "",
                ]);
                ('s', self.option("s", "status", flags))
            }
            2 => {
                let size = self.one(&["0", "1", "1500", "3000", "8000", "100000", "-1"]);
                ('r', self.option("r", "rss", size))
            }
            3 => {
                let size = self.one(&["0", "1", "2500", "5000", "20000", "900000"]);
                ('z', self.option("z", "vsz", size))
            }
            4 => {
                let share = self.one(&["0", "0.1", "1.5", "20", "99.99"]);
                ('P', self.option("P", "pcpu", share))
            }
            5 => {
                let text = self.one(&["STDIN", "/", "-c", "import threading", "defunct", "cat", "|"]);
                ('a', self.option("a", "argument-array", text))
            }
            6 => {
                let expressions = [
                    "^/",
                    "b$",
                    "STDIN|import",
                    "[^x]$",
                    "^[^ ]+$",
                    "(thr|bur).*$",
                    "a{0}",
                    "^\\[",
                    "\\[c\\]",
                ];
                let text = self.one(&expressions);
                ('e', vec![format!("--ereg-argument-array={text}")])
            }
            7 => ('k', vec!["-k".into()]),
            _ => self.own(),
        }
    }

    fn range(&mut self, metric: &str) -> String {
        let numbers: &[&str] = match metric {
            "PROCS" => &["0", "1", "2", "3", "4", "6", "10", "-1", "2.5"],
            "CPU" => &["0", "0.5", "5", "50", "200"],
            "ELAPSED" => &["0", "5", "3600", "1e6"],
            _ => &["0", "1000", "2200", "3000", "9000.5", "50000"],
        };
        let low = self.one(numbers);
        let high = self.one(numbers);
        match self.numbers.below(9) {
            0 => format!("{low}:"),
            1 => format!(":{high}"),
            2 => format!("~:{high}"),
            3 => format!("{low}:{high}"),
            4 => format!("@{low}:{high}"),
            5 => format!("@{high}"),
            6 => String::new(),
            _ => high.to_owned(),
        }
    }

    fn line(&mut self) -> Vec<String> {
        let mut parts: BTreeMap<char, Vec<String>> = [self.own()].into();
        for _ in 0..self.numbers.below(4) {
            let (letter, words) = self.other();
            parts.entry(letter).or_insert(words);
        }
        let metric = self.one(&["PROCS", "PROCS", "PROCS", "VSZ", "RSS", "CPU", "ELAPSED"]);
        if metric != "PROCS" || self.chance(4) {
            parts.insert('m', self.option("m", "metric", metric));
        }
        let mut operands = Vec::new();
        for (letter, long) in [('w', "warning"), ('c', "critical")] {
            let range = self.range(metric);
            match self.numbers.below(5) {
                0 => {}
                1 if operands.len() == usize::from(letter == 'c') && !range.starts_with('-') => {
                    operands.push(range)
                }
                _ => {
                    parts.insert(letter, self.option(&letter.to_string(), long, &range));
                }
            }
        }
        for (letter, word) in [('v', "-v"), ('T', "--traditional"), ('t', "-to")] {
            if self.chance(6) {
                let value = if letter == 't' {
                    vec![word.into(), "30".into()]
                } else {
                    vec![word.into()]
                };
                parts.insert(letter, value);
            }
        }
        // Wrong usage is refused in the same words.
        if self.chance(12) {
            let (letter, words) = [
                ('p', ["-p", "x"]),
                ('r', ["-r", "10k"]),
                ('m', ["-m", "procs"]),
                ('w', ["-w", "5:1"]),
                ('u', ["-u", "nosuchuser"]),
                ('u', ["-u", "4000000"]),
                ('t', ["-t", "soon"]),
                ('e', ["--ereg-argument-array", "(x"]),
            ][self.numbers.below(8)];
            parts.insert(letter, words.map(str::to_owned).into());
        }
        let mut parts: Vec<Vec<String>> = parts.into_values().collect();
        // Filters are told in the order in which they were given.
        for index in (1..parts.len()).rev() {
            parts.swap(index, self.numbers.below(index + 1));
        }
        let place = self.numbers.below(parts.len() + 1);
        parts.splice(place..place, [operands]);
        parts.concat()
    }
}

/// Only before performance data is a bar one.
fn without_bars(line: &str) -> String {
    match line.rsplit_once(" | ") {
        Some((text, data)) => format!("{} | {data}", text.replace('|', "¦")),
        None => line.to_owned(),
    }
}

/// How often two that differ are asked again: what moves (CPU, ages, a scan that is not atomic) settles.
const AGAIN: usize = 6;

#[test]
fn six_hundred_command_lines_end_and_begin_as_with_check_procs() {
    need_theirs!();
    if ran_apart("six_hundred_command_lines_end_and_begin_as_with_check_procs") {
        return;
    }
    let place = Place::new();
    let children = Children::start(&place);
    let mut lines = Lines {
        numbers: Numbers(20_261_129),
        children: &children,
    };
    let mut seen: BTreeMap<i32, usize> = BTreeMap::new();
    let mut matched = 0;
    let mut differences = Vec::new();
    let link = place.link("check_procs");
    for number in 0..600 {
        let words = lines.line();
        let who: &[&str] = if is_root() && number % 6 == 0 {
            &NOBODY
        } else {
            &["env"]
        };
        let mut told = None;
        for _ in 0..AGAIN {
            let there = output(command(who[0]).args(&who[1..]).arg(THEIRS).args(&words));
            let here = Procward::at(&link).args(&words).within(who.iter().copied()).run();
            assert_eq!(here.stderr(), "");
            let pair = [
                (there.code(), without_bars(&there.first_line())),
                (here.code(), here.first_line()),
            ];
            if pair[0] == pair[1] {
                told = None;
                *seen.entry(there.code().unwrap_or(-1)).or_default() += 1;
                matched += usize::from(!there.stdout().contains(" 0 processes"));
                break;
            }
            told = Some(format!(
                "{words:?}\n  theirs {:?}\n  ours   {:?}",
                pair[0], pair[1]
            ));
        }
        differences.extend(told);
    }
    assert!(
        differences.is_empty(),
        "{} of 600 differ:\n{}",
        differences.len(),
        differences.join("\n")
    );
    let often = |code| seen.get(&code).copied().unwrap_or(0);
    assert!([0, 1, 2, 3].into_iter().all(|code| often(code) >= 30), "{seen:?}");
    assert!(matched > 200, "only {matched} lines match something");
}

#[test]
fn the_columns_of_what_matches_are_those_of_ps() {
    need_theirs!();
    if ran_apart("the_columns_of_what_matches_are_those_of_ps") {
        return;
    }
    let place = Place::new();
    let children = Children::start(&place);
    let mut compared = 0;
    for parent in &children.parents {
        let words = ["-vv".to_owned(), "-p".to_owned(), parent.to_string()];
        let lines = |said: &Output| -> Vec<String> {
            let stdout = said.stdout();
            let matched = stdout.lines().filter_map(|line| line.strip_prefix("Matched: "));
            // What moves is left out, and what procward does not show.
            let stays = |word: &&str| !word.starts_with("etime=") && !word.starts_with("pcpu=");
            let line = |line: &str| {
                let columns = line.split(" args=").next().unwrap_or_default();
                columns.split(' ').filter(stays).collect::<Vec<_>>().join(" ")
            };
            matched.map(line).collect()
        };
        let mut pair = [Vec::new(), Vec::new()];
        for _ in 0..AGAIN {
            pair = [lines(&theirs(&words)), lines(&ours(&place, &words))];
            pair[0].iter_mut().for_each(|line| *line = line.replace('|', "¦"));
            if pair[0] == pair[1] {
                break;
            }
        }
        assert_eq!(pair[0], pair[1]);
        compared += pair[0].len();
    }
    assert!(compared >= 20, "only {compared}");
}

#[test]
fn everything_is_counted_but_the_run_itself() {
    need_theirs!();
    need!(is_root(), "a PID namespace of its own needs root");
    let place = Place::new();
    let (link, sleep) = (place.link("check_procs"), place.copy("/bin/sleep", "pwtquiet"));
    // PID 1 is their parent, which neither counts; check_procs counts its own ps.
    let script = format!(
        "{0} 100 & {0} 100 & until [ \"$(cat /proc/$!/comm)\" = pwtquiet ]; do :; done\n\
         {THEIRS}; {1}; {1} -T; {1} -a pwtquiet; exit 0",
        sleep.display(),
        link.display()
    );
    let said = output(command("unshare").args(["-mpf", "--mount-proc", "--kill-child", "sh", "-c", &script]));
    let counts = ["procs=3;;;0;", "procs=2;;;0;", "procs=2;;;0;", "procs=2;;;0;"];
    let found: Vec<String> = said
        .stdout()
        .lines()
        .map(|line| line.rsplit("| ").next().unwrap_or("").to_owned())
        .collect();
    assert_eq!(found, counts, "{}", said.stdout());
}

/// Ranges of all forms, and what is none.
fn ranges() -> Vec<String> {
    let mut numbers = Numbers(318);
    let mut ranges: Vec<String> = [
        "10", "10:", "~:10", "10:20", "@10:20", "~:", "@~:", "@~:5", ":", "@", "@:", "~", ":5", "5:1",
        "@5:1", "1:~",
    ]
    .map(str::to_owned)
    .into();
    let parts = [
        "", "0", "1", "5", "7.5", "10", "-3", "+4", ".5", "2.", "1e1", "15e-1", "~", "abc", "1x", "1.2.3",
        "-", "0x5", "12%", "nan", " 6 ",
    ];
    while ranges.len() < 400 {
        let mut part = || parts[numbers.below(parts.len())];
        let (start, end) = (part(), part());
        let at = ["", "@"][numbers.below(2)];
        let range = match numbers.below(5) {
            0 => format!("{at}{end}"),
            1 => format!("{at}{start}:"),
            2 => format!("{start}:{end}:{at}"),
            _ => format!("{at}{start}:{end}"),
        };
        // Without any bound there is no threshold, here as in check_procs.
        if !range.is_empty() {
            ranges.push(range);
        }
    }
    ranges
}

/// Says of each range which of the values alert, or that it is none.
const ORACLE: &str = "use Monitoring::Plugin::Range; $SIG{__WARN__} = sub {}; for my $text (@ARGV) {\n\
    my $range = Monitoring::Plugin::Range->parse_range_string($text);\n\
    print defined $range ? join('', map { $range->check_range($_ / 2) } -10 .. 50) : 'none', \"\\n\" }";

#[test]
fn ranges_mean_what_monitoring_plugin_range_says() {
    let module = output(command("perl").args(["-MMonitoring::Plugin::Range", "-e", "1"]));
    need!(
        module.code() == Some(0),
        "Monitoring::Plugin::Range is not installed"
    );
    let ranges = ranges();
    let said = output(command("perl").args(["-e", ORACLE]).args(&ranges))
        .ends(0)
        .stdout();
    let said: Vec<&str> = said.lines().collect();
    assert_eq!(said.len(), ranges.len());
    let (mut alike, mut none) = (0, 0);
    for (text, theirs) in ranges.iter().zip(said) {
        let ours = match Range::parse(text, false) {
            Ok(range) => (-10..=50)
                .map(|value| u8::from(range.alerts(f64::from(value) / 2.0)).to_string())
                .collect(),
            Err(_) => "none".to_owned(),
        };
        // Perl reads `1.2.3` as 1.2: it looks at the characters only.
        if text.contains("1.2.3") {
            assert_eq!(ours, "none", "{text}");
            continue;
        }
        assert_eq!(ours, theirs, "{text}");
        alike += usize::from(ours != "none");
        none += usize::from(ours == "none");
    }
    assert!(alike > 100 && none > 100, "{alike} {none}");
}

fn says(place: &Place, words: &[&str], code: i32, first_line: &str) -> Output {
    let said = ours(place, words).ends(code);
    assert_eq!(said.first_line(), first_line, "{words:?}");
    said
}

#[test]
fn a_false_verdict_of_check_procs_is_an_unknown_with_its_reason() {
    let place = Place::new();
    for (words, first_line, next) in [
        (
            &["-u", "0", "-u", "root"][..],
            "check_procs: -u is given twice, and only one can be meant",
            "Usage:",
        ),
        (
            &["-C", "a", "-C", "b"],
            "check_procs: -C is given twice, and only one can be meant",
            "Usage:",
        ),
        (
            &["-s", "Z", "-s", "S"],
            "check_procs: -s is given twice, and only one can be meant",
            "Usage:",
        ),
        (
            &["-w", "abc"],
            "Range format incorrect",
            "-w abc: `abc` is no number",
        ),
        (
            &["-c", "1:12%"],
            "Range format incorrect",
            "-c 1:12%: `12%` is no number",
        ),
        (
            &["-c", "5:1"],
            "Range format incorrect",
            "-c 5:1: the start is above the end; write @1:5",
        ),
        (&["-u", ""], "check_procs: User name was not found - ", "Usage:"),
        (&["-P", "nan"], "check_procs: PCPU must be a float!", "Usage:"),
        (
            &["-t", "0"],
            "check_procs: Timeout interval must be a positive integer - 0",
            "Usage:",
        ),
        (
            &["--elapsed", "5"],
            "check_procs: --elapsed filters nothing; -m ELAPSED looks at the age",
            "Usage:",
        ),
        (
            &["-C", "/sbin/init"],
            "check_procs: -C compares names, not paths - /sbin/init: write -C init",
            "Usage:",
        ),
        (
            &["1", "2", "Z", "x"],
            "check_procs: `x` is one operand too many",
            "Usage:",
        ),
        (
            &["--ereg-argument-array", r"(a)\1"],
            r"PROCS UNKNOWN: Could not compile regular expression - a back-reference, \1, is not understood",
            "",
        ),
    ] {
        says(&place, words, 3, first_line).says(next);
    }
    for range in [":", "@", "~", "@:", "0x10", "1:~"] {
        says(&place, &["-w", range], 3, "Range format incorrect");
    }
    for share in ["1.5.5", "0x10", "inf"] {
        says(&place, &["-P", share], 3, "check_procs: PCPU must be a float!");
    }
    // An empty one, as a macro of Nagios may be, is none.
    let line = "PROCS OK: 0 processes with command name 'pwtnosuch' | procs=0;;;0;";
    says(&place, &["-w", "", "-c", "", "-C", "pwtnosuch"], 0, line);
}

#[test]
fn names_that_check_procs_does_not_find_are_found() {
    let place = Place::new();
    let long = unique("-a-name-over-15-bytes");
    let blank = unique(" y z");
    let slash = format!("f2b/{}", unique("srv"));
    let _live = [
        Live::named(&place, &long),
        Live::with_comm(blank.as_bytes()),
        Live::with_comm(slash.as_bytes()),
    ];
    for (name, count) in [
        (long.as_str(), 1),
        (&long[..15], 1),
        (&format!("{}x", &long[..18]), 0),
        (&blank, 1),
        // Its first word is not its name.
        (&unique(""), 0),
        (&slash, 1),
        (slash.trim_start_matches("f2b/"), 1),
    ] {
        let processes = if count == 1 { "process" } else { "processes" };
        let line = format!(
            "PROCS OK: {count} {processes} with command name '{name}' | procs={count};;{count}:{count};0;"
        );
        says(&place, &["-C", name, "-c", &format!("{count}:{count}")], 0, &line);
    }
}

#[test]
fn arguments_are_the_arguments_whatever_the_name_is_and_whatever_bytes_they_are() {
    let place = Place::new();
    let tag = unique("");
    let mut perl = command("/usr/bin/perl");
    let _perl = Live::run(perl.args(["-e", "<STDIN>", "--", &format!("{tag}=käse")]), "perl");
    let _blank = Live::with_comm(format!("x {tag}y").as_bytes());
    for (text, count) in [
        (format!("{tag}=käse"), 1),
        (format!("{tag}=k??se"), 0),
        (format!("{tag}y"), 0),
    ] {
        ours(&place, &["-a", &text, "-c", &format!("{count}:{count}")]).ends(0);
    }
}

#[test]
fn a_process_whose_first_thread_has_ended_is_no_zombie() {
    let place = Place::new();
    let name = unique("headless");
    let source = "#include <pthread.h>\n#include <unistd.h>\n\
        static void *rest(void *none) { char c; read(0, &c, 1); _exit(0); return none; }\n\
        int main(void) { pthread_t thread; pthread_create(&thread, 0, rest, 0); pthread_exit(0); }\n";
    let source = place.script("headless.c", source);
    let program = place.path().join(&name);
    output(
        command("cc")
            .args(["-w", "-pthread", "-o"])
            .arg(&program)
            .arg(source),
    )
    .ends(0);
    let live = Live::run(&mut command(&program), &name);
    let status = format!("/proc/{}/stat", live.pid());
    wait_for("the end of its first thread", 10, || {
        std::fs::read_to_string(&status)
            .ok()
            .filter(|stat| stat.contains(") Z "))
    });
    ours(&place, &["-C", &name, "-s", "Z", "-c", "0"]).ends(0);
    ours(&place, &["-C", &name, "--state=S", "-c", "1:1"]).ends(0);
}

#[test]
fn a_failure_is_one_that_a_second_look_shows_too() {
    let place = Place::new();
    let name = unique("brief");
    let live = Live::named(&place, &name);
    let trace = place.path().join("trace");
    let mut strace = command("strace");
    // The pause between both looks takes 2 s more, in which the process ends.
    strace.args(["-f", "-qq", "-e", "trace=nanosleep,clock_nanosleep"]);
    strace.args(["-e", "inject=nanosleep,clock_nanosleep:delay_enter=2000000", "-o"]);
    strace
        .arg(&trace)
        .arg(place.link("check_procs"))
        .args(["-C", &name, "-c", "0"]);
    let child = spawn(strace.stdout(Stdio::piped()).stderr(Stdio::piped()));
    std::thread::sleep(std::time::Duration::from_millis(1000));
    drop(live);
    let said = Output::of(child.wait_with_output().expect("its output"));
    let traced = std::fs::read_to_string(&trace).unwrap_or_default();
    need!(traced.contains("nanosleep"), "strace can't delay a call here");
    said.ends(0);
    let _live = Live::named(&place, &name);
    ours(&place, &["-C", &name, "-c", "0"]).ends(2);
}

#[test]
fn where_there_is_no_proc_nothing_is_counted() {
    need!(is_root(), "only root can mount");
    let place = Place::new();
    let script = format!(
        "mount -t tmpfs none /proc && exec {} -C x -c 0",
        place.link("check_procs").display()
    );
    let said = output(command("unshare").args(["-m", "sh", "-c", &script])).ends(3);
    assert_eq!(said.first_line(), "Unable to read output");
    said.says("incomplete view: /proc lists no process");
}

#[test]
fn excluded_names_do_not_count() {
    let place = Place::new();
    let (one, other) = (unique("one"), unique("other"));
    let _live = [
        Live::named(&place, &one),
        Live::named(&place, &other),
        Live::named(&place, &other),
    ];
    let own = std::process::id().to_string();
    let line = |names: &str, count: &str| {
        format!(
            "PROCS OK: {count} with PPID = {own}, exclude progs '{names}' | procs={};;;0;",
            &count[..1]
        )
    };
    says(&place, &["-p", &own, "-X", &one], 0, &line(&one, "2 processes"));
    let both = format!("{one},{other}");
    says(
        &place,
        &["-p", &own, "--exclude-process", &both],
        0,
        &line(&both, "0 processes"),
    );
}

#[test]
fn kernel_threads_are_told_by_what_they_are() {
    let place = Place::new();
    // PID 1, which check_procs leaves out, is none.
    let one = std::fs::read_to_string("/proc/1/comm").unwrap();
    let one = one.trim();
    for long in [&["-k"][..], &["--no-kthreads"], &["--no-kthreads=1"]] {
        let words = [long, &["-C", one, "-c", "1:"]].concat();
        ours(&place, &words).ends(0);
    }
    need!(
        Path::new("/proc/2/comm").exists() && pids_of(b"kthreadd") == [2],
        "kernel threads do not show here"
    );
    ours(&place, &["-k", "-C", "kthreadd", "-c", "0"]).ends(0);
    ours(&place, &["-C", "kthreadd", "-c", "1:1"]).ends(0);
    ours(&place, &["-a", "[kthreadd]", "-c", "1:1"]).ends(0);
}

#[test]
fn a_process_that_is_hidden_is_not_missing() {
    need!(is_root(), "proc can only be mounted by root");
    let place = Place::new();
    let (link, sleep) = (place.link("check_procs"), place.copy("/bin/sleep", "pwthidden"));
    let within = |mode: &str, words: &str| {
        let script = format!(
            "mount -t proc -o hidepid={mode} proc /proc || exit 77\n{} 100 &\n\
             until [ \"$(cat /proc/$!/comm)\" = pwthidden ]; do :; done\n\
             setpriv --reuid=65534 --regid=65534 --clear-groups {} -C pwthidden {words}",
            sleep.display(),
            link.display()
        );
        output(command("unshare").args(["-mpf", "--kill-child", "sh", "-c", &script]))
    };
    for words in ["-c 1:", "-c 0", "-c 1:1", "-m RSS -c 1"] {
        let said = within("2", words)
            .ends(3)
            .says("incomplete view: /proc is mounted with hidepid=invisible");
        let line = said.first_line();
        assert!(
            line.contains(" UNKNOWN: at least 0 processes with command name 'pwthidden'"),
            "{line}"
        );
        let said = within("1", words).ends(3).says("unsure: pid ");
        assert!(said.first_line().contains(" UNKNOWN: 0 to "), "{}", said.stdout());
    }
    within("2", "").ends(0);
    within("2", "-c 1: -v")
        .ends(3)
        .says("in procward's own dialect: procward check 'comm=\"pwthidden\":1-'");
}

#[test]
fn processes_in_containers_are_counted_and_told() {
    need!(is_root(), "a PID namespace needs root");
    let place = Place::new();
    let name = unique("inside");
    let sleep = place.copy("/bin/sleep", &name);
    let mut container = command("unshare");
    container.args(["-pf", "--kill-child"]).arg(&sleep).arg("100");
    let _container = Live::run_until_there_is(&mut container, &name);
    let line = format!("PROCS OK: 1 process with command name '{name}' | procs=1;;1:1;0;");
    let said = says(&place, &["-C", &name, "-c", "1:1", "-v"], 0, &line);
    let said = said.says("among them is 1 process in containers");
    said.says(&format!(
        "in procward's own dialect: procward check 'comm=\"{name}\":1-1'"
    ));
    // Which is right: it does not count there.
    let spec = format!("comm=\"{name}\":1-1");
    Procward::new()
        .args(["check", "--recheck", "0", &spec])
        .run()
        .ends(2)
        .says("container");
    says(&place, &["-C", &name, "-c", "1:1"], 0, &line);
}

#[test]
fn extra_options_stand_before_those_of_the_command_line() {
    let place = Place::new();
    let ini =
        "[check_procs]\nC = pwtnosuch\ncritical=1:\n[web]\nuser=root\ncommand = pwtnosuch\nw=@0\n[bad]\nx\n";
    let ini = place.script("plugins.ini", ini);
    let ini = ini.to_str().unwrap();
    let line = "PROCS CRITICAL: 0 processes with command name 'pwtnosuch' | procs=0;;1:;0;";
    says(&place, &[&format!("--extra-opts=@{ini}")], 2, line);
    let line = "PROCS OK: 0 processes with command name 'pwtnosuch' | procs=0;;0;0;";
    says(
        &place,
        &["--extra-opts", &format!("check_procs@{ini}"), "-c", "0"],
        0,
        line,
    );
    let line = "PROCS WARNING: 0 processes with UID = 0 (root), command name 'pwtnosuch' | procs=0;@0;;0;";
    says(&place, &[&format!("--extra-opts=web@{ini}")], 1, line);
    let link = place.link("check_procs");
    let through_a_pipe = format!("exec {} --extra-opts=web@- < {ini}", link.display());
    output(command("sh").args(["-c", &through_a_pipe]))
        .ends(1)
        .says(line);
    let said = Procward::at(&link)
        .arg("--extra-opts=web")
        .env("MP_CONFIG_FILE", ini)
        .run()
        .ends(1);
    assert_eq!(said.first_line(), line);
    let directory = place.path().to_str().unwrap();
    let said = Procward::at(&link)
        .arg("--extra-opts=web")
        .env("NAGIOS_CONFIG_PATH", directory)
        .run()
        .ends(1);
    assert_eq!(said.first_line(), line);
    for (words, line) in [
        (format!("--extra-opts=bad@{ini}"), "Config file error"),
        (
            format!("--extra-opts=none@{ini}"),
            "Invalid section 'none' in config file",
        ),
        (
            "--extra-opts=@/nonexistent".into(),
            "Can't read config file: No such file or directory (os error 2)",
        ),
    ] {
        says(&place, &[&words], 3, line);
    }
}

#[test]
fn help_and_version_are_no_verdict() {
    let place = Place::new();
    let version = format!("procward {} as check_procs", env!("CARGO_PKG_VERSION"));
    for option in ["-V", "--version", "-vV"] {
        says(&place, &[option], 3, &version);
    }
    says(&place, &["--help"], 3, &version).says("--ereg-argument-array=REGEX");
    says(&place, &["-Z"], 3, "check_procs: invalid option -- 'Z'").says("Usage: check_procs -w <range>");
    let said = Procward::new()
        .args(["check-procs", "-C", "pwtnosuch", "-c", "1:"])
        .run()
        .ends(2);
    let line = "PROCS CRITICAL: 0 processes with command name 'pwtnosuch' | procs=0;;1:;0;";
    assert_eq!(said.first_line(), line);
}

#[test]
fn arguments_of_processes_are_never_shown() {
    let place = Place::new();
    let name = unique("secret");
    let mut perl = command(place.copy("/usr/bin/perl", &name));
    let _live = Live::run(
        perl.args(["-e", "<STDIN>", "--", "--password=pwt-hunter2"]),
        &name,
    );
    let said = ours(
        &place,
        &["-a", "password=pwt-hunter", "-C", &name, "-vvv", "-c", "1:1"],
    )
    .ends(0);
    assert!(!said.stdout().contains("hunter2"), "{}", said.stdout());
    assert!(
        said.first_line().starts_with("PROCS OK: 1 process with args '"),
        "{}",
        said.stdout()
    );
    said.says(&format!("prog={name}\n"));
}

#[test]
fn when_its_time_is_up_it_is_critical_as_there() {
    let place = Place::new();
    // A pipe that nobody writes to.
    let pipe = place.path().join("pipe");
    output(command("mkfifo").arg(&pipe)).ends(0);
    let pipe = pipe.to_str().unwrap();
    let line = "CRITICAL - Plugin timed out after 1 seconds";
    says(&place, &["-t", "1", "--input-file", pipe], 2, line).says("not finished within 1 s");
    let ini = place.script("time.ini", "[check_procs]\ntimeout=1\n");
    let extra = format!("--extra-opts=@{}", ini.display());
    says(&place, &[&extra, "--input-file", pipe], 2, line);
    let extra = format!("--extra-opts=@{pipe}");
    for words in [[&extra, "-t", "1"], ["-to", "1", &extra], [&extra, "--time", "1"]] {
        says(&place, &words, 2, line).says("not finished within 1 s");
    }
}
