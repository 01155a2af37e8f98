//! What verdicts say of snapshots, by builders.

mod main_process;
mod programs;
mod properties;
mod rights;

use super::*;
use crate::select::Range;
use crate::snapshot::{Cmdline, Environ, Fact, Gap, Maps, Process, Snapshot, Why};
use crate::testing::*;

const OK: State = State::Ok;
const CRITICAL: State = State::Critical;
const UNKNOWN: State = State::Unknown;

#[test]
fn a_name_is_counted_and_zombies_are_not() {
    let host = host(vec![process(10, "sshd"), process(11, "sshd").zombie()]);
    assert_eq!(count("sshd:1", &host), (OK, 1));
    assert_eq!(verdict("sshd:1", &host).left_out, ["1 zombie"]);
    assert_eq!(count("name=sshd,state=zombie:1", &host), (OK, 1));
}

#[test]
fn a_zombie_that_may_be_meant_or_not_is_no_word() {
    // Its arguments were read while it died.
    let shell = process(11, "sh").zombie();
    let shell = shell.change(|p| p.cmdline = Fact::Unreadable(Why::Empty));
    let host = host(vec![process(10, "sshd"), shell]);
    let verdict = verdict("sshd:1", &host);
    assert_eq!((verdict.state, verdict.left_out), (OK, vec![]));
    assert_eq!(count("name=sh,state=zombie:1", &host), (OK, 1));
}

#[test]
fn names_over_fifteen_bytes_are_found_whole_and_cut() {
    let long = process(10, "systemd-timesyncd").args(&["/lib/systemd/systemd-timesyncd"]);
    let host = host(vec![
        long,
        process(11, "systemd-network").args(&["/lib/systemd/systemd-networkd"]),
    ]);
    assert_eq!(count("systemd-timesyncd:1", &host), (OK, 1));
    assert_eq!(count("systemd-timesyn:1", &host), (OK, 1));
    assert_eq!(count("systemd-timesynx:1", &host), (CRITICAL, 0));
}

#[test]
fn a_title_of_fifteen_bytes_blinds_only_what_could_begin_with_it() {
    let host = host(vec![process(10, "memfd-sealed-91173").args(&["/proc/self/fd/3"])]);
    assert_eq!(count("tor:1", &host), (CRITICAL, 0));
    assert_eq!(count("name=tor*:1", &host), (CRITICAL, 0));
    assert_eq!(count("name=memfd*:1", &host), (OK, 1));
    assert_eq!(count("memfd-sealed-91173:1", &host).0, UNKNOWN);
}

#[test]
fn interpreters_answer_to_their_script() {
    let script = process(10, "python3").args(&["/usr/bin/python3", "-u", "/srv/app.py"]);
    let java = process(11, "java").args(&["java", "-jar", "/opt/x.jar"]);
    let host = host(vec![script, java]);
    assert_eq!(count("app.py:1", &host), (OK, 1));
    // And to their own name, lest `python3:0` be OK beside it.
    assert_eq!(count("python3:1", &host), (OK, 1));
    assert_eq!(count("python3,script=/srv/app.py:1", &host), (OK, 1));
    assert_eq!(count("x.jar:1", &host), (OK, 1));
    assert_eq!(count("java:1", &host), (OK, 1));
    assert_eq!(count("comm=python3:1", &host), (OK, 1));
    assert_eq!(count("script=/srv/app.py:1", &host), (OK, 1));
}

#[test]
fn a_shell_that_is_being_started_is_unknown_for_a_moment_only() {
    let shell = process(11, "sh").change(|p| p.cmdline = Fact::Unreadable(Why::Empty));
    let verdict = verdict("cron:1", &host(vec![process(10, "cron"), shell]));
    assert_eq!(verdict.state, UNKNOWN);
    assert!(verdict.passing);
}

#[test]
fn a_process_that_keeps_changing_blinds_nobody_else() {
    let torn = process(11, "flap").uid(1000).change(|p| {
        p.comm = Fact::Unreadable(Why::Torn);
        p.exe = Fact::Unreadable(Why::Torn);
    });
    let host = host(vec![process(10, "sshd"), torn]);
    assert_eq!(count("/usr/sbin/sshd:1", &host), (OK, 1));
    assert_eq!(count("/usr/sbin/flap:1", &host), (UNKNOWN, 0));
    assert_eq!(count("/usr/sbin/nc:0", &host), (UNKNOWN, 0));
}

#[test]
fn one_unreadable_stranger_does_not_blind_a_minimum_but_does_blind_a_maximum_of_none() {
    let mut snapshot = host(vec![
        process(10, "master").exe("/usr/lib/postfix/sbin/master"),
        process(11, "sleep").exe_denied(),
    ]);
    assert_eq!(count("/usr/lib/postfix/sbin/master:1", &snapshot), (OK, 1));
    assert_eq!(count("/usr/lib/postfix/sbin/master:0", &snapshot), (CRITICAL, 1));
    snapshot.processes.remove(1);
    assert_eq!(count("/usr/lib/postfix/sbin/master:1", &snapshot), (CRITICAL, 0));
    assert_eq!(count("/usr/lib/postfix/sbin/master:0", &snapshot), (UNKNOWN, 0));
    snapshot.processes.push(process(12, "master").exe_denied());
    let verdict = verdict("/usr/lib/postfix/sbin/master:1", &snapshot);
    assert_eq!(
        (verdict.state, verdict.manner, verdict.unknown),
        (UNKNOWN, Manner::Unseen, 1)
    );
    assert_eq!(verdict.reasons, ["exe of 1 process: permission denied"]);
    assert!(verdict.remedies[0].contains("CAP_SYS_PTRACE") && verdict.remedies[0].contains("unit"));
}

#[test]
fn not_equal_is_exactly_the_opposite_of_equal() {
    let host = host(vec![
        process(10, "a"),
        process(11, "b").uid(1000),
        process(12, "c").exe_denied(),
    ]);
    assert_eq!(count("user!=root,name=a|b|c:1", &host), (OK, 1));
    assert_eq!(verdict("exe!=/usr/sbin/a,comm=a|b|c:1", &host).matched, 1);
    assert_eq!(verdict("exe!=/usr/sbin/a,comm=a|b|c:1", &host).unknown, 1);
    // Not applicable: `=` is no, `!=` is yes.
    assert_eq!(count("tty=pts/0,name=a:0", &host), (OK, 0));
    assert_eq!(count("tty!=pts/0,name=a:1", &host), (OK, 1));
}

#[test]
fn kernel_threads_count_only_where_a_spec_names_one() {
    let host = host(vec![process(10, "nfsd").kthread(), process(11, "nfsd").kthread()]);
    assert_eq!(count("[nfsd]:2", &host), (OK, 2));
    assert_eq!(count("nfsd:2", &host), (OK, 2));
    assert_eq!(count("ppid=1:1", &host), (CRITICAL, 0));
    assert_eq!(count("kthread=yes:2", &host), (OK, 2));
}

#[test]
fn containers_are_left_out_of_a_minimum_and_found_by_a_maximum_of_none() {
    let mut snapshot = host(vec![process(10, "miner").in_pid_namespace(1)]);
    assert_eq!(count("miner:1", &snapshot), (CRITICAL, 0));
    assert_eq!(
        verdict("miner:1", &snapshot).left_out,
        ["1 process in a container"]
    );
    assert_eq!(count("miner:0", &snapshot), (CRITICAL, 1));
    assert_eq!(count("miner,scope=all:1", &snapshot), (OK, 1));
    assert_eq!(count("miner,scope=container:1", &snapshot), (OK, 1));
    // A service with a PID namespace of its own is of the host.
    snapshot.processes[1] = process(10, "miner")
        .in_pid_namespace(1)
        .cgroup("/system.slice/miner.service");
    assert_eq!(count("miner:1", &snapshot), (OK, 1));
}

#[test]
fn procward_does_not_count_itself_nor_its_own_command_line() {
    let own = process(20, "procward");
    let shell = process(19, "sh").args(&["sh", "-c", "procward check 'arg~needle:0'"]);
    let mut snapshot = host(vec![shell, own, process(21, "cat").args(&["cat", "x"])]);
    snapshot.observer.pid = Some(20);
    snapshot.observer.ancestors = vec![19, 1];
    snapshot.observer.arguments = vec![b"check".to_vec(), b"arg~needle:0".to_vec()];
    assert_eq!(count("procward:0", &snapshot), (OK, 0));
    assert_eq!(count("sh:1", &snapshot), (OK, 1));
    assert_eq!(count("init:1", &snapshot), (OK, 1));
    assert_eq!(count("arg~needle:0", &snapshot), (OK, 0));
    assert_eq!(count("arg=x:1", &snapshot), (OK, 1));
    // The same words in the command line of a stranger do count.
    snapshot
        .processes
        .push(process(30, "sh").args(&["sh", "-c", "procward check 'arg~needle:0'"]));
    assert_eq!(count("arg~needle:0", &snapshot), (CRITICAL, 1));
    // What a configuration file asks for is not there because procward was asked for it.
    let mut host = host(vec![
        process(19, "sh").args(&["sh", "-c", "/srv/app.py; procward check"]),
        process(20, "procward"),
    ]);
    host.observer.pid = Some(20);
    host.observer.ancestors = vec![19, 1];
    host.observer.arguments = vec![b"check".to_vec()];
    assert_eq!(count("cmdline~app:0", &host), (CRITICAL, 1));
}

#[test]
fn whoever_runs_procward_does_not_escape_what_is_forbidden_to_him() {
    let own = process(20, "procward");
    let mut snapshot = host(vec![
        own.clone(),
        process(21, "procward"),
        process(22, "procward").uid(33),
    ]);
    snapshot.observer.pid = Some(20);
    snapshot.observer.exe = own.exe.value().and_then(|exe| exe.file.value()).copied();
    // He may have loaded anything into it.
    assert_eq!(count("user=33:0", &snapshot), (CRITICAL, 1));
    assert_eq!(count("procward:0", &snapshot), (CRITICAL, 1));
    snapshot.observer.uid = Some(33);
    assert_eq!(count("procward:0", &snapshot), (OK, 0));
    snapshot.observer.uid = Some(0);
    assert_eq!(count("procward:1-", &snapshot), (CRITICAL, 0));
    assert_eq!(count("user=root,arg=procward:0", &snapshot), (OK, 0));
}

#[test]
fn an_ancestor_is_found_behind_many_generations_or_it_is_unknown() {
    let line = |length: i32| {
        let chain = (100..100 + length).map(|pid| process(pid, "sh").child_of(pid - 1));
        let last = process(100 + length, "job").child_of(99 + length);
        host(chain.chain([process(99, "cron"), last]).collect())
    };
    assert_eq!(count("job,ancestor=cron:0", &line(300)), (CRITICAL, 1));
    assert_eq!(count("job,ancestor=cron:0", &line(600)), (UNKNOWN, 0));
    assert_eq!(count("job,ancestor=sh:1", &line(600)), (OK, 1));
    // A ring, as a torn view may show one.
    let mut ring = line(3);
    ring.processes.retain(|process| process.pid >= 100);
    ring.processes[0] = process(100, "sh").child_of(102);
    assert_eq!(count("job,ancestor=cron:0", &ring), (UNKNOWN, 0));
}

#[test]
fn a_forked_copy_of_an_ancestor_is_not_a_second_daemon() {
    let mut snapshot = host(vec![
        process(10, "cron").daemonized(),
        process(11, "cron").child_of(10),
        process(12, "sh"),
    ]);
    assert_eq!(count("cron:1", &snapshot), (CRITICAL, 2));
    snapshot.observer.ancestors = vec![12, 11, 10, 1];
    assert_eq!(count("cron:1", &snapshot), (OK, 1));
}

#[test]
fn a_title_in_comm_begins_with_the_name() {
    let title = "gunicorn: master [app:app]";
    let snapshot = host(vec![
        process(10, "gunicorn: maste").args(&[title]),
        process(11, "tmux: server"),
    ]);
    assert_eq!(count("gunicorn:1", &snapshot), (OK, 1));
    assert_eq!(count("tmux:1", &snapshot), (OK, 1));
    assert_eq!(count("name=\"tmux: server\":1", &snapshot), (OK, 1));
    assert_eq!(count("gunicorn,main=yes:1", &snapshot), (OK, 1));
    // What it hides behind such a name blinds no other check.
    let strange = host(vec![process(10, "x: yyyyyyyyyyyy").args(&["other"])]);
    assert_eq!(count("cron:0", &strange), (OK, 0));
}

#[test]
fn a_title_shorter_than_the_arguments_it_overwrote_has_no_blanks_at_its_end() {
    let worker = process(10, "php-fpm8.2").args(&["php-fpm: pool shop", "", "", ""]);
    let host = host(vec![worker]);
    assert_eq!(count(r#"cmdline="php-fpm: pool shop":1"#, &host), (OK, 1));
    assert_eq!(count(r#"cmdline~"pool shop$":1"#, &host), (OK, 1));
}

#[test]
fn who_was_started_before_the_clock_of_the_time_namespace_is_no_newcomer() {
    let started = |ticks| host(vec![process(10, "x").stat(|stat| stat.starttime = ticks)]);
    let old = started(crate::testing::BEFORE_ZERO);
    assert_eq!(count("x,age>10s:0", &old), (CRITICAL, 1));
    assert_eq!(count("x,age<3604s,age>3602s:1", &old), (OK, 1));
    let future = started(360_001);
    assert_eq!(count("x,age>10s:0", &future).0, UNKNOWN);
    assert_eq!(count("x,age<10s:0", &future).0, UNKNOWN);
    assert_eq!(
        verdict("x,age>10s:0", &future).reasons,
        ["age of 1 process: its start time is in the future"]
    );
}

#[test]
fn a_view_that_may_hide_processes_is_never_ok_where_it_could_matter() {
    let mut snapshot = host(vec![process(10, "sshd")]);
    snapshot.gaps.push(Gap::HidePid("2".into()));
    assert_eq!(count("sshd:1-", &snapshot).0, OK);
    assert_eq!(count("sshd:1", &snapshot).0, UNKNOWN);
    assert_eq!(count("cron:1-", &snapshot).0, UNKNOWN);
    assert_eq!(count("telnetd:0", &snapshot).0, UNKNOWN);
    assert_eq!(count("sshd:0", &snapshot).0, CRITICAL);
}

#[test]
fn a_view_that_lists_all_processes_needs_no_unknown() {
    let mut snapshot = host(vec![process(10, "sshd")]);
    snapshot.gaps = vec![
        Gap::HidePid("1".into()),
        Gap::Subset,
        Gap::Elsewhere("/copy".into()),
    ];
    assert_eq!(count("sshd:1", &snapshot), (OK, 1));
    assert_eq!(count("telnetd:0", &snapshot), (OK, 0));
    assert_eq!(count("cron:1", &snapshot), (CRITICAL, 0));
    let denied = process(11, "x").change(|p| {
        p.comm = Fact::Unreadable(Why::Denied);
        p.stat = Fact::Unreadable(Why::Denied);
    });
    snapshot.processes.push(denied);
    let verdict = verdict("telnetd:0", &snapshot);
    assert_eq!(verdict.state, UNKNOWN);
    // What has nothing to do with it is not given as the reason.
    assert_eq!(
        verdict.reasons,
        [
            "name of 1 process: permission denied",
            "incomplete view: /proc is mounted with hidepid=1, which closes the files of others' processes"
        ]
    );
}

#[test]
fn a_process_over_which_something_is_mounted_may_match_and_hides_no_other() {
    let covered = process(10, "x").change(|p| {
        p.comm = Fact::Unreadable(Why::Covered);
        p.stat = Fact::Unreadable(Why::Covered);
    });
    let mut snapshot = host(vec![process(9, "sshd"), covered]);
    snapshot.gaps = vec![Gap::Covered(
        ["/proc/10", "/proc/11", "/proc/12", "/proc/13/fd"]
            .map(String::from)
            .to_vec(),
    )];
    assert_eq!(count("sshd:1-", &snapshot), (OK, 1));
    assert_eq!(count("sshd:1", &snapshot).0, UNKNOWN);
    assert_eq!(count("sshd:3-", &snapshot).0, CRITICAL);
    let verdict = verdict("telnetd:0", &snapshot);
    assert_eq!(verdict.state, UNKNOWN);
    assert_eq!(
        verdict.reasons,
        [
            "name of 1 process: something is mounted over it",
            "incomplete view: something is mounted over /proc/10, /proc/11, /proc/12 and 1 more, \
             which may hide or forge the process there"
        ]
    );
    assert_eq!(
        verdict.remedies,
        ["umount it where procward runs, and see who mounted it"]
    );
}

#[test]
fn what_is_longer_than_procward_reads_is_told_with_the_limit() {
    let long = process(10, "x").change(|p| {
        p.cmdline = Fact::Value(Cmdline {
            arguments: vec![b"x".to_vec()],
            truncated: true,
        });
        p.environ = Fact::Value(Environ {
            truncated: true,
            ..Environ::default()
        });
        p.maps = Fact::Value(Maps {
            truncated: true,
            ..Maps::default()
        });
    });
    let host = host(vec![long]);
    for (terms, key, limit) in [
        ("arg=y", "arg", 128),
        ("cmdline~y", "cmdline", 128),
        ("env=Y", "env", 6144),
        ("mapped.deleted=/y", "mapped.deleted", 8192),
        ("lib.deleted=yes", "lib.deleted", 8192),
        ("memory.rwx=yes", "memory.rwx", 8192),
    ] {
        let verdict = verdict(&format!("name=x,{terms}:0"), &host);
        let reason = format!("{key} of 1 process: longer than the {limit} KiB that procward reads");
        assert_eq!(
            (verdict.state, verdict.reasons),
            (UNKNOWN, vec![reason]),
            "{terms}"
        );
    }
}

#[test]
fn a_fact_that_the_plan_did_not_ask_for_is_unknown() {
    let snapshot = host(vec![process(10, "sshd").change(|p| p.owner = Fact::NotAsked)]);
    assert_eq!(count("sshd,user=root:1", &snapshot).0, UNKNOWN);
}

#[test]
fn absurd_numbers_of_a_snapshot_file_make_no_panic() {
    for number in [0, 1, u64::from(u32::MAX), u64::MAX] {
        let odd = process(10, "x").stat(|stat| {
            (stat.starttime, stat.rss, stat.num_threads) = (number, number, number);
            (stat.tty_nr, stat.ppid, stat.session) = (i32::MIN, i32::MIN, i32::MIN);
        });
        let mut host = host(vec![odd]);
        host.host.ticks_per_second = number;
        host.host.page_size = number;
        for spec in [
            "age>1s",
            "rss>1",
            "threads>1",
            "tty=*",
            "session=1",
            "x,ancestor=y",
            "x,main=yes",
        ] {
            let _ = verdict(spec, &host);
        }
    }
}

#[test]
fn nothing_to_judge_is_unknown() {
    assert_eq!(judge(&[], &host(vec![]), &host(vec![]).accounts).state, UNKNOWN);
}

#[test]
fn an_exception_that_matched_nothing_is_told() {
    let snapshot = host(vec![process(10, "miner").uid(1000)]);
    let mut with = check("miner:0", &snapshot);
    let except = |spec| Exception {
        selector: check(spec, &snapshot).selector,
        reason: "the lab".into(),
        built_in: false,
        exempts: crate::select::selection::Exempts::Match,
    };
    with.except = vec![except("user=alice"), except("user=nobody")];
    let report = judge(&[Item::Check(Box::new(with))], &snapshot, &snapshot.accounts);
    assert_eq!(report.verdicts[0].state, OK);
    assert_eq!(
        report.verdicts[0].left_out,
        ["1 process by the exception user=alice: the lab"]
    );
    assert_eq!(report.verdicts[0].unused, ["user=nobody"]);
}

#[test]
fn the_milder_failure_is_told_where_both_are_possible() {
    let snapshot = host(vec![]);
    let mut both = check("x:0-10", &snapshot);
    both.warning = Some(Range { min: 0, max: Some(2) });
    assert_eq!(both.state_of_interval(3, 20), State::Warning);
    assert_eq!(both.state_of_interval(11, 1), CRITICAL);
    assert_eq!(both.state_of_interval(2, 20), UNKNOWN);
}

#[test]
fn the_word_for_too_few_does_not_move_with_the_count() {
    let word = |spec: &str, count: i32| {
        verdict(spec, &host((0..count).map(|n| process(10 + n, "x")).collect())).manner
    };
    assert_eq!(word("x:1", 0), Manner::Missing);
    assert_eq!([0, 1, 2].map(|count| word("x:3-", count)), [Manner::TooFew; 3]);
}

#[test]
fn unreadable_facts_keep_their_reason() {
    let snapshot = host(vec![
        process(10, "x").change(|p| p.status = Fact::Unreadable(Why::Malformed)),
    ]);
    assert_eq!(
        verdict("x,uid.real=0,scope=all:1", &snapshot).reasons,
        ["uid.real of 1 process: malformed"]
    );
}
