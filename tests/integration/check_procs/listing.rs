//! What ps wrote down, in the place of the host: `--input-file`.

use super::*;

const LISTING: &str = "\
STAT   UID   PID  PPID    VSZ   RSS %CPU     ELAPSED COMMAND         COMMAND
Ss       0 5000001     0  41188 12160  1.4  1-02:35:51 init            /sbin/init --x
S        0 5000002     0      0     0  0.0       35:51 kthreadd        [kthreadd]
I<       0 5000004 5000002      0     0  0.0    01:00:01 kworker/R-rcu_g [kworker/R-rcu_gp]
Sl      33 5000012 5000001  18152 11384 12.0       00:05 apache2         /usr/sbin/apache2 -k start
SN      33 5000013 5000012  18152 11384  0.5       00:05 apache2         /usr/sbin/apache2 -k start
Z        0 5000014 5000012      0     0  0.0       00:00 sh              [sh] <defunct>
";

#[test]
fn a_listing_is_judged_as_by_check_procs() {
    need_theirs!();
    let place = Place::new();
    let file = place.script("listing", LISTING);
    let file = file.to_str().unwrap();
    for line in [
        "-C apache2 -c 2:2",
        "-C apache2 -u 33 -c 3:",
        "-s Z -w 0",
        "-s S -c 1:",
        "-p 5000012",
        "-m RSS -w 12000 -c 20000",
        "-m RSS -w 10000 -c 12000 -v",
        "-m VSZ -c 40000 -a apache2",
        "-m CPU -w 10",
        "-m CPU -w 12 -c 20",
        "-m ELAPSED -w 3600 -c 100000",
        "-m ELAPSED -c 95750",
        "-m ELAPSED -c 95751",
        "-P 0.5 -r 1 -z 1",
        "-a defunct",
        "--ereg-argument-array ^/usr.*start$ -c 5",
        "-k -C sh",
        "1:3 5 Sl",
    ] {
        let words: Vec<String> = ["--input-file", file]
            .into_iter()
            .chain(line.split(' '))
            .map(str::to_owned)
            .collect();
        let (there, here) = (theirs(&words), ours(&place, &words));
        assert_eq!(
            (there.code(), there.first_line()),
            (here.code(), here.first_line()),
            "{line}"
        );
    }
}

/// Expressions of all that POSIX and glibc know, and of what they do not.
fn expression(numbers: &mut Numbers) -> String {
    let parts = [
        "a",
        "b",
        "s",
        "/",
        "1",
        " ",
        "-",
        ".",
        "(",
        ")",
        "(a|",
        "|",
        "*",
        "+",
        "?",
        "{2}",
        "{1,}",
        "{,2}",
        "{",
        "}",
        "[ab]",
        "[^a]",
        "[]a]",
        "[^]s]",
        "[a-s]",
        "[s-a]",
        "[[:digit:]]",
        "[[:alpha:]_-]",
        "[[:foo:]]",
        "[[.s.]]",
        "[[=b=]",
        "[",
        "\\.",
        "\\<",
        "\\>",
        "\\b",
        "\\B",
        "\\w",
        "\\W",
        "\\s",
        "\\d",
        "\\`",
        "\\'",
        "\\",
        "[\\n]",
        "^",
        "$",
    ];
    let count = 1 + numbers.below(5);
    (0..count).map(|_| parts[numbers.below(parts.len())]).collect()
}

#[test]
fn expressions_match_what_they_match_in_glibc() {
    need_theirs!();
    let place = Place::new();
    let file = place.script("listing", LISTING);
    let file = file.to_str().unwrap().to_owned();
    let mut numbers = Numbers(1003);
    let (mut some, mut faulty) = (0, 0);
    for _ in 0..500 {
        let expression = expression(&mut numbers);
        let words = [
            "--input-file".to_owned(),
            file.clone(),
            format!("--ereg-argument-array={expression}"),
        ];
        let (there, here) = (theirs(&words), ours(&place, &words));
        assert_eq!(
            there.code(),
            here.code(),
            "{expression}: {} {}",
            there.stdout(),
            here.stdout()
        );
        if there.code() == Some(3) {
            // Its reason is the same where there is one for a thing that can be named.
            let line = "PROCS UNKNOWN: Could not compile regular expression - ";
            assert!(
                there.first_line().starts_with(line) && here.first_line().starts_with(line),
                "{expression}"
            );
            faulty += 1;
        } else {
            assert_eq!(there.first_line(), here.first_line(), "{expression}");
            some += usize::from(!here.stdout().contains(" 0 processes"));
        }
    }
    assert!(some > 100 && faulty > 50, "{some} {faulty}");
}

/// Whether it is a worker of procward that another run left behind in a read that hangs: every run looks at those.
fn is_stuck(name: &str) -> bool {
    let pid = name.split('/').next().unwrap_or_default();
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") D "))
}

#[test]
fn of_a_listing_nothing_is_asked_of_the_host() {
    let place = Place::new();
    let file = place.script("listing", LISTING);
    let trace = place.path().join("trace");
    let mut strace = command("strace");
    strace.args(["-f", "-qq", "-e", "trace=%file", "-o"]).arg(&trace);
    strace
        .arg(place.link("check_procs"))
        .arg("--input-file")
        .arg(&file)
        .args(["-C", "apache2", "-vvv"]);
    let said = output(&mut strace);
    let traced = std::fs::read_to_string(&trace).unwrap_or_default();
    need!(traced.contains("listing"), "strace can't trace here");
    said.ends(0);
    // Neither the list of processes nor one of them.
    let of_process = |line: &&str| {
        let path = line.split('"').nth(1).unwrap_or_default();
        let name = path
            .strip_prefix("/proc")
            .map(|rest| rest.trim_start_matches('/'));
        name.is_some_and(|name| {
            name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) && !is_stuck(name)
        })
    };
    let asked: Vec<&str> = traced.lines().filter(of_process).collect();
    assert!(asked.is_empty(), "{asked:#?}");
}

#[test]
fn a_share_of_cpu_at_its_threshold_does_not_alert() {
    let place = Place::new();
    let file = place.script("listing", &LISTING.replace("12.0", "12.3"));
    let file = file.to_str().unwrap();
    ours(&place, &["--input-file", file, "-m", "CPU", "-w", "12.3"]).ends(0);
    ours(&place, &["--input-file", file, "-m", "CPU", "-w", "12.29"]).ends(1);
    ours(&place, &["--input-file", file, "-P", "12.3", "-c", "1:1"]).ends(0);
}

#[test]
fn a_listing_without_elapsed_is_read_by_its_titles() {
    let place = Place::new();
    let without: String = LISTING
        .lines()
        .map(|line| {
            let elapsed = line.split_whitespace().nth(7).unwrap();
            let at = line.find(elapsed).unwrap();
            format!("{}{}\n", line[..at].trim_end(), &line[at + elapsed.len()..])
        })
        .collect();
    let file = place.script("listing", &without);
    let file = file.to_str().unwrap();
    let line = "PROCS OK: 2 processes with command name 'apache2' | procs=2;;2:2;0;";
    says(
        &place,
        &["--input-file", file, "-C", "apache2", "-c", "2:2"],
        0,
        line,
    );
    let said = ours(
        &place,
        &["--input-file", file, "-C", "apache2", "-m", "ELAPSED", "-c", "5"],
    )
    .ends(3);
    assert_eq!(
        said.first_line(),
        "ELAPSED UNKNOWN: 2 processes with command name 'apache2'"
    );
}

#[test]
fn a_hostile_listing_is_unknown_and_escaped() {
    let place = Place::new();
    let file = |name: &str, bytes: &[u8]| {
        let path = place.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let titles = LISTING.lines().next().unwrap();
    // A line that is none may be any process.
    let broken = file("broken", format!("{LISTING}some words\n").as_bytes());
    ours(&place, &["--input-file", &broken, "-C", "apache2", "-c", "2:"]).ends(0);
    let said = ours(&place, &["--input-file", &broken, "-C", "apache2", "-c", "2:2"]).ends(3);
    assert_eq!(
        said.first_line(),
        "PROCS UNKNOWN: 2 to 3 processes with command name 'apache2'"
    );
    let odd = b"S 0 5000001 1 1 99 0.0 00:01 a\x1b[31m|x\xff=1 secret\n";
    let odd = file("odd", &[titles.as_bytes(), b"\n", odd].concat());
    let said = ours(&place, &["--input-file", &odd, "-m", "RSS", "-c", "1", "-vvv"]).ends(2);
    let line = "RSS CRITICAL: 1 crit, 0 warn out of 1 process [a\\x1b[31m¦x\\xff=1] | procs=1;;;0; procs_warn=0;;;0; \
        procs_crit=1;;;0;";
    assert_eq!(said.first_line(), line);
    assert!(!said.stdout().contains("secret") && !said.bytes().contains(&0x1b));
    // Titles alone are no process, and anything else is no listing.
    let empty = file("empty", format!("{titles}\n").as_bytes());
    says(
        &place,
        &["--input-file", &empty, "-c", "0"],
        3,
        "Unable to read output",
    );
    for bytes in [&b""[..], b"root:x:0:0\n", &[0; 70_000], b"STAT PID COMMAND\n"] {
        let none = file("none", bytes);
        ours(&place, &["--input-file", &none, "-c", "0"])
            .ends(3)
            .says("PROCS UNKNOWN: ");
    }
    ours(&place, &["--input-file", "/nonexistent/\u{1b}|", "-c", "0"])
        .ends(3)
        .says("PROCS UNKNOWN: cannot read /nonexistent/\\x1b¦: ");
    // However long it is, not more than a plugin may write.
    let many: String = (0..5000)
        .map(|pid| format!("S 0 {} 1 1 99 0.0 00:01 x x\n", 5_000_000 + pid))
        .collect();
    let many = file("many", format!("{titles}\n{many}").as_bytes());
    let said = ours(&place, &["--input-file", &many, "-m", "RSS", "-c", "1", "-vvv"]).ends(2);
    assert!(said.bytes().len() <= 16 << 10);
}
