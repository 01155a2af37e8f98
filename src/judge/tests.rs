//! What verdicts say of snapshots, by builders.

use super::*;
use crate::select::Range;
use crate::snapshot::{Fact, Gap, Why};
use crate::testing::*;
use proptest::prelude::*;

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
fn a_path_compares_files_and_a_forged_text_is_a_near_miss() {
    let forged = process(11, "sshd").uid(65534).change(|p| {
        if let Fact::Value(exe) = &mut p.exe {
            exe.file = Fact::Value(crate::snapshot::FileId {
                device: 9,
                inode: 9,
                owner: 65534,
                links: 1,
            });
        }
    });
    let mut snapshot = host(vec![process(10, "sshd")]);
    assert_eq!(count("/usr/sbin/sshd:1", &snapshot), (OK, 1));
    let daemon = snapshot.processes.pop();
    snapshot.processes.push(forged);
    assert!(daemon.is_some());
    let verdict = verdict("/usr/sbin/sshd:1", &snapshot);
    assert_eq!((verdict.state, verdict.manner), (CRITICAL, Manner::Missing));
    assert_eq!(
        verdict.near[0].failed[0].found,
        b"another file under that name, in another mount namespace"
    );
}

#[test]
fn a_program_replaced_by_an_upgrade_still_counts() {
    let old = process(10, "cron").change(|p| {
        if let Fact::Value(exe) = &mut p.exe {
            exe.text = b"/usr/sbin/cron (deleted)".to_vec();
            exe.file = Fact::Value(crate::snapshot::FileId {
                device: 1,
                inode: 5,
                owner: 0,
                links: 0,
            });
            exe.path_exists = Some(true);
        }
    });
    let mut snapshot = host(vec![old]);
    let new = crate::snapshot::FileId {
        device: 1,
        inode: 6,
        owner: 0,
        links: 1,
    };
    snapshot.accounts.files.insert("/usr/sbin/cron".into(), new);
    assert_eq!(count("/usr/sbin/cron:1", &snapshot), (OK, 1));
    assert_eq!(count("exe.replaced=yes:0", &snapshot), (CRITICAL, 1));
    assert_eq!(count("exe.deleted=yes:0", &snapshot), (OK, 0));
    // Of another owner it is not an upgrade.
    snapshot.accounts.files.insert(
        "/usr/sbin/cron".into(),
        crate::snapshot::FileId { owner: 1000, ..new },
    );
    assert_eq!(count("/usr/sbin/cron:1", &snapshot), (CRITICAL, 0));
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
    let shell = process(19, "sh").args(&["sh", "-c", "procward check 'arg=needle:0'"]);
    let mut snapshot = host(vec![shell, own, process(21, "cat").args(&["cat", "x"])]);
    snapshot.observer.pid = Some(20);
    snapshot.observer.ancestors = vec![19, 1];
    snapshot.observer.arguments = vec![b"check".to_vec(), b"arg=needle:0".to_vec()];
    assert_eq!(count("procward:0", &snapshot), (OK, 0));
    assert_eq!(count("sh:1", &snapshot), (OK, 1));
    assert_eq!(count("init:1", &snapshot), (OK, 1));
    assert_eq!(count("arg~needle:0", &snapshot), (OK, 0));
    assert_eq!(count("arg=x:1", &snapshot), (OK, 1));
    // The same words in the command line of a stranger do count.
    snapshot
        .processes
        .push(process(30, "sh").args(&["sh", "-c", "procward check 'arg=needle:0'"]));
    assert_eq!(count("arg~needle:0", &snapshot), (CRITICAL, 1));
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
fn a_master_is_main_and_its_workers_are_not() {
    let mut snapshot = host(vec![
        process(10, "nginx").daemonized().args(&["nginx: master process"]),
        process(11, "nginx").child_of(10).uid(33),
        process(12, "nginx").child_of(10).uid(33),
    ]);
    assert_eq!(count("nginx,main=yes:1", &snapshot), (OK, 1));
    assert_eq!(count("nginx,main=no:2", &snapshot), (OK, 2));
    // Its master killed, the workers are left to PID 1: it is never OK.
    snapshot.processes.remove(1);
    for worker in [1, 2] {
        snapshot.processes[worker] = snapshot.processes[worker].clone().orphan_of(10);
    }
    assert_eq!(count("nginx,main=yes:1", &snapshot).0, UNKNOWN);
    assert_eq!(count("nginx,main=yes:1-", &snapshot).0, UNKNOWN);
    // A new master is there: the leftovers are told from it.
    snapshot.processes.push(process(20, "nginx"));
    assert_eq!(count("nginx,main=yes:1", &snapshot), (OK, 1));
}

#[test]
fn orphans_that_lead_sessions_of_their_own_are_not_main_for_certain() {
    let orphan = |pid, title| process(pid, "postgres").daemonized().args(&[title]);
    let several = host(vec![
        orphan(10, "postgres: walwriter"),
        orphan(11, "postgres: checkpointer"),
    ]);
    assert_eq!(count("postgres,main=yes:1", &several).0, UNKNOWN);
    let last = host(vec![orphan(10, "postgres: walwriter")]);
    assert_eq!(count("postgres,main=yes:1", &last).0, UNKNOWN);
    // The session of a root login after its listener died.
    let session = host(vec![
        process(10, "sshd").cgroup("/user.slice/user-0.slice/session-3.scope"),
    ]);
    assert_eq!(count("sshd,main=yes:1", &session).0, UNKNOWN);
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
fn a_fact_that_the_plan_did_not_ask_for_is_unknown() {
    let snapshot = host(vec![process(10, "sshd").change(|p| p.owner = Fact::NotAsked)]);
    assert_eq!(count("sshd,user=root:1", &snapshot).0, UNKNOWN);
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
    };
    with.except = vec![except("user=alice"), except("user=nobody")];
    let report = judge(&[Item::Check(Box::new(with))], &snapshot, &snapshot.accounts);
    assert_eq!(report.verdicts[0].state, OK);
    assert_eq!(
        report.verdicts[0].left_out,
        [
            "1 process by the exception user=alice: the lab",
            "nothing by the exception user=nobody: it matched no process"
        ]
    );
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
fn unreadable_facts_keep_their_reason() {
    let snapshot = host(vec![
        process(10, "x").change(|p| p.status = Fact::Unreadable(Why::Malformed)),
    ]);
    assert_eq!(
        verdict("x,uid.real=0,scope=all:1", &snapshot).reasons,
        ["uid.real of 1 process: malformed"]
    );
}

proptest! {
    #[test]
    fn the_verdict_holds_for_every_assignment_of_the_unknown(
        min in 0u64..6, spread in proptest::option::of(0u64..6),
        warn_min in 0u64..6, warn_spread in proptest::option::of(0u64..6), with_warning: bool,
        matched in 0u64..9, unknown in 0u64..9,
    ) {
        let snapshot = host(vec![]);
        let mut check = check("x:0", &snapshot);
        check.count = Range { min, max: spread.map(|s| min + s) };
        check.warning = with_warning.then_some(Range { min: warn_min, max: warn_spread.map(|s| warn_min + s) });
        let states: Vec<State> = (matched..=matched + unknown).map(|n| check.state_of(n)).collect();
        let oks = states.iter().filter(|state| **state == OK).count();
        let wanted = if oks == states.len() { OK }
            else if oks > 0 { UNKNOWN }
            else if states.iter().all(|state| *state == CRITICAL) { CRITICAL }
            else { State::Warning };
        prop_assert_eq!(check.state_of_interval(matched, unknown), wanted);
    }
}
