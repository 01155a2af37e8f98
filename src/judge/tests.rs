//! What verdicts say of snapshots, by builders.

use super::*;
use crate::select::Range;
use crate::snapshot::{Fact, Gap, Process, Snapshot, Why};
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

fn with_exe(
    process: crate::snapshot::Process,
    change: impl FnOnce(&mut crate::snapshot::Exe),
) -> crate::snapshot::Process {
    process.change(|p| {
        if let Fact::Value(exe) = &mut p.exe {
            change(exe);
        }
    })
}

#[test]
fn a_program_on_somebodys_fuse_blinds_nobody_else() {
    let on_fuse = |device| {
        with_exe(process(11, "app").uid(1000), |exe| {
            exe.file = Fact::Unreadable(Why::Denied);
            exe.device = device;
        })
    };
    let mut snapshot = host(vec![process(10, "sshd"), on_fuse(Some(9))]);
    assert_eq!(count("/usr/sbin/sshd:1", &snapshot), (OK, 1));
    assert_eq!(count("/usr/sbin/nologin:0", &snapshot), (OK, 0));
    assert_eq!(count("exe.deleted=yes:0", &snapshot), (OK, 0));
    // An old kernel tells not even the device.
    snapshot.processes[2] = on_fuse(None);
    assert_eq!(count("/usr/sbin/sshd:1", &snapshot), (OK, 1));
    assert_eq!(count("/usr/sbin/sshd,user=1000:0", &snapshot), (UNKNOWN, 0));
}

#[test]
fn a_program_without_a_path_is_told_by_its_file_and_not_where_that_of_the_path_is_not_known() {
    let nameless = |links| {
        with_exe(process(10, "innocent").uid(7), |exe| {
            let suffix = if links == 0 { " (deleted)" } else { "" };
            exe.text = format!("/{suffix}").into_bytes();
            if let Fact::Value(file) = &mut exe.file {
                file.links = links;
            }
        })
    };
    let unknown = |spec: &str, links, knows_path: bool| {
        let snapshot = host(vec![nameless(links)]);
        let mut check = crate::testing::check(spec, &snapshot);
        for value in check.selector.terms.iter_mut().flat_map(|term| &mut term.values) {
            if let crate::select::Matcher::File(path) = value
                && !knows_path
            {
                path.file = Err("Permission denied".into());
            }
        }
        let selection = crate::select::select(&check.wanted(), &snapshot);
        (selection.matched.len(), selection.unknown.len())
    };
    for links in [0, 1] {
        assert_eq!(unknown("exe=/closed/miner,user=7:0", links, false), (0, 1));
        assert_eq!(unknown("exe!=/closed/miner,user=7:0", links, false), (0, 1));
        assert_eq!(unknown("exe=/closed/*,user=7:0", links, true), (0, 1));
    }
    // The file is known to be another one; of one that was deleted, its path would have to tell that it was replaced.
    assert_eq!(unknown("exe=/closed/miner,user=7:0", 1, true), (0, 0));
    assert_eq!(unknown("exe=/closed/miner,user=7:0", 0, true), (0, 1));
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
fn whether_a_program_was_deleted_or_replaced_may_be_unknown() {
    let gone = |exists| {
        with_exe(process(10, "x"), |exe| {
            exe.text = b"/usr/sbin/x (deleted)".to_vec();
            exe.file = Fact::Value(crate::snapshot::FileId::default());
            exe.path_exists = exists;
        })
    };
    for (exists, deleted, replaced) in [
        (Some(false), CRITICAL, OK),
        (Some(true), OK, CRITICAL),
        (None, UNKNOWN, UNKNOWN),
    ] {
        let host = host(vec![gone(exists)]);
        assert_eq!(count("exe.deleted=yes:0", &host).0, deleted, "{exists:?}");
        assert_eq!(count("exe.replaced=yes:0", &host).0, replaced, "{exists:?}");
    }
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

const TRACE: &str =
    "grant CAP_SYS_PTRACE (AmbientCapabilities=CAP_SYS_PTRACE in the unit, or setcap cap_sys_ptrace+ep)";

/// The remedies of a check that cannot be told; what they say to write is a spec, and is decided on this host.
fn remedies(spec: &str, host: &Snapshot) -> Vec<String> {
    let verdict = verdict(spec, host);
    assert_eq!(verdict.state, UNKNOWN, "{spec}");
    for remedy in &verdict.remedies {
        let written = remedy.split("write ").nth(1);
        let Some(written) = written.and_then(|text| text.rsplit_once(", which ")) else {
            continue;
        };
        let state = count(written.0, host).0;
        assert_ne!(state, UNKNOWN, "{spec}: {remedy}");
    }
    verdict.remedies
}

#[test]
fn what_takes_a_right_names_the_right_and_the_spec_that_takes_none() {
    let postfix = "/system.slice/system-postfix.slice/postfix@-.service";
    let host = host(vec![
        process(10, "sshd").exe_denied(),
        process(11, "sshd").exe_denied(),
        process(12, "master").exe_denied().cgroup(postfix),
        process(13, "master").exe("/usr/bin/other").uid(1000),
        process(14, "web content").exe_denied().uid(33),
        process(15, "listen").exe_denied().uid(1234),
        process(16, "systemd-timesyncd")
            .exe_denied()
            .args(&["/lib/systemd/systemd-timesyncd"]),
        process(17, "python3")
            .exe_denied()
            .args(&["python3", "/srv/app.py"]),
    ]);
    for (spec, right) in [
        ("/usr/sbin/sshd:1-", "sshd,user=root:1-"),
        (
            "/usr/lib/postfix/sbin/master:1",
            "master,unit=postfix@*.service:1",
        ),
        (
            "exe=*/sbin/master,main=yes:1-5",
            "master,main=yes,unit=postfix@*.service:1-5",
        ),
        (
            "/usr/lib/postfix/sbin/master,user=root:1",
            "master,user=root,unit=postfix@*.service:1",
        ),
        ("name=sshd,exe=/usr/sbin/sshd:2", "sshd,user=root:2"),
        (
            "exe=\"/opt/web content\":1",
            "name=\"web content\",user=www-data:1",
        ),
        ("exe=/opt/listen:1", "name=listen,user=1234:1"),
        (
            "exe=/lib/systemd/systemd-timesyncd:1",
            "systemd-timesyncd,user=root:1",
        ),
        ("exe=/usr/bin/python3:1", "app.py,user=root:1"),
    ] {
        assert_eq!(
            remedies(spec, &host),
            [format!("{TRACE}, or write {right}, which takes no right")],
            "{spec}"
        );
    }
}

#[test]
fn where_nothing_may_run_a_name_is_said_to_be_weaker_and_what_has_none_has_no_alternative() {
    let unreadable = |pid| {
        let sshd = process(pid, "sshd").exe_denied();
        sshd.change(|p| p.fds = Fact::Unreadable(Why::Denied))
    };
    let host = host(vec![unreadable(10), unreadable(11), unreadable(12)]);
    let weaker =
        |spec| format!("{TRACE}, or write {spec}, which is weaker: a process can call itself otherwise");
    let none = |key| format!("{TRACE}; no spec says the same without {key}");
    let search = TRACE
        .replace("SYS_PTRACE", "DAC_READ_SEARCH")
        .replace("sys_ptrace", "dac_read_search");
    for (spec, remedy) in [
        ("/usr/sbin/sshd:0", weaker("sshd:0")),
        ("/usr/sbin/sshd,user=root:0", weaker("sshd,user=root:0")),
        ("/usr/sbin/rsync:-2", weaker("rsync:-2")),
        (
            "exe=/usr/sbin/in.telnetd|/usr/sbin/rshd:0",
            weaker("name=in.telnetd|rshd:0"),
        ),
        // A script has its own name, whatever interpreter runs it.
        ("exe=/usr/bin/python3.11:0", none("exe")),
        ("exe=/tmp/*|/dev/shm/*:0", none("exe")),
        ("exe!=/usr/sbin/sshd,comm=sshd:0", none("exe")),
        ("exe~sshd$:0", none("exe")),
        ("exe.deleted=yes,age>1m:0", none("exe.deleted")),
        (
            "fds>5000:0",
            format!("{search}; no spec says the same without fds"),
        ),
    ] {
        assert_eq!(remedies(spec, &host), [remedy], "{spec}");
    }
}

#[test]
fn an_exception_that_takes_a_right_is_named_as_what_to_change() {
    let snapshot = host(vec![process(10, "miner").exe_denied()]);
    let mut with = check("miner:0", &snapshot);
    with.except = vec![Exception {
        selector: check("exe=/opt/miner", &snapshot).selector,
        reason: "the lab".into(),
        built_in: false,
        exempts: crate::select::selection::Exempts::Match,
    }];
    let report = judge(&[Item::Check(Box::new(with))], &snapshot, &snapshot.accounts);
    assert_eq!(
        report.verdicts[0].remedies,
        [format!("{TRACE}, or write the exceptions without exe")]
    );
}

#[test]
fn a_process_that_even_the_right_does_not_open_is_told_apart() {
    let mut snapshot = host(vec![process(10, "cron")]);
    snapshot.processes[0] = snapshot.processes[0].clone().exe_denied();
    snapshot.observer.may_trace = true;
    assert_eq!(
        remedies("/usr/sbin/sshd:0", &snapshot),
        ["CAP_SYS_PTRACE is not enough here: something else forbids it; \
          write /usr/sbin/sshd,pid!=1:0, which trusts PID 1"]
    );
}

#[test]
fn a_view_that_hides_processes_has_the_remedy_of_the_view() {
    let mut snapshot = host(vec![process(10, "sshd").exe_denied()]);
    snapshot.gaps.push(Gap::HidePid("1".into()));
    assert_eq!(
        verdict("/usr/sbin/sshd:1-", &snapshot).remedies,
        [Gap::HidePid("1".into()).remedy()]
    );
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

/// With a walk through all of them for each pair, this test would take minutes.
#[test]
fn of_thousands_of_orphans_main_is_unknown_soon() {
    let plain = |pid| process(pid, "orphan").orphan_of(5);
    assert_eq!(
        count("orphan,main=yes:1", &host((100..3100).map(plain).collect())).0,
        UNKNOWN
    );
    let leading = |pid| process(pid, "orphan").orphan_of(pid);
    let mut many = host((100..1100).map(leading).collect());
    assert_eq!(count("orphan,main=yes:1", &many).0, UNKNOWN);
    // A new main process among plain ones is found, wherever it stands.
    many = host((100..1100).map(plain).chain([process(2000, "orphan")]).collect());
    assert_eq!(count("orphan,main=yes:1", &many), (OK, 1));
    assert_eq!(count("orphan,main=no:1000", &many), (OK, 1000));
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
fn orphans_that_lead_sessions_of_their_own_are_not_main_for_certain() {
    let orphan = |pid, title| process(pid, "pool").daemonized().args(&[title]);
    let several = host(vec![orphan(10, "pool"), orphan(11, "pool")]);
    assert_eq!(count("pool,main=yes:1", &several).0, UNKNOWN);
    let last = host(vec![orphan(10, "pool: writer")]);
    assert_eq!(count("pool,main=yes:1", &last).0, UNKNOWN);
    // The session of a root login after its listener died.
    let session = host(vec![
        process(10, "sshd").cgroup("/user.slice/user-0.slice/session-3.scope"),
    ]);
    assert_eq!(count("sshd,main=yes:1", &session).0, UNKNOWN);
}

/// What a parent started of its own program file.
fn started_by(ppid: i32, child: Process) -> Process {
    child.stat(|stat| {
        stat.ppid = ppid;
        stat.session = ppid;
    })
}

#[test]
fn a_users_manager_is_main_although_pid_1_runs_the_same_file() {
    let manager = |pid| {
        let path = "/user.slice/user-1000.slice/user@1000.service/init.scope";
        let manager = process(pid, "systemd")
            .exe("/usr/sbin/init")
            .uid(1000)
            .cgroup(path);
        manager.change(|p| p.loginuid = Fact::Value(Some(1000)))
    };
    let spec = "systemd,unit=user@*.service,main=yes:1";
    assert_eq!(count(spec, &host(vec![manager(10)])), (OK, 1));
    assert_eq!(count(spec, &host(vec![manager(10).exe_denied()])), (OK, 1));
}

#[test]
fn what_one_script_starts_of_another_is_a_program_of_its_own() {
    let python =
        |pid, name: &str, arguments: &[&str]| process(pid, name).exe("/usr/bin/python3.11").args(arguments);
    let supervisor = python(10, "supervisord", &["/usr/bin/python3", "/usr/bin/supervisord"]);
    let master = started_by(
        10,
        python(11, "gunicorn", &["/usr/bin/python3", "/usr/bin/gunicorn", "x:y"]),
    );
    let worker = python(12, "gunicorn", &["/usr/bin/python3", "/usr/bin/gunicorn", "x:y"]).child_of(11);
    let server = python(20, "python3", &["python3", "manage.py", "runserver"]);
    let reloader = started_by(
        20,
        python(21, "python3", &["/usr/bin/python3", "manage.py", "runserver"]),
    );
    let host = host(vec![supervisor, master, worker, server, reloader]);
    assert_eq!(count("gunicorn,main=yes:1", &host), (OK, 1));
    assert_eq!(count("manage.py,main=yes:1", &host), (OK, 1));
    assert_eq!(count("manage.py,main=no:1", &host), (OK, 1));
}

#[test]
fn a_name_of_busybox_is_a_program_of_its_own() {
    let busybox = |pid, name: &str| process(pid, name).exe("/bin/busybox");
    let mut snapshot = host(vec![
        busybox(10, "crond").daemonized(),
        busybox(11, "crond").child_of(10),
    ]);
    snapshot.processes[0] = busybox(1, "init").stat(|stat| stat.ppid = 0);
    assert_eq!(count("crond,main=yes:1", &snapshot), (OK, 1));
}

#[test]
fn a_forked_copy_is_a_worker_whatever_it_calls_itself() {
    let titled = |pid, name: &str| process(pid, name).exe("/usr/bin/python3.11");
    let workers = [11, 12].map(|pid| titled(pid, "celeryd: worker").child_of(10));
    let mut snapshot = host([vec![titled(10, "celeryd: master")], workers.to_vec()].concat());
    assert_eq!(count("name=celeryd*,main=yes:1", &snapshot), (OK, 1));
    for process in &mut snapshot.processes {
        *process = process.clone().exe_denied();
    }
    assert_eq!(count("name=celeryd*,main=yes:1", &snapshot), (OK, 1));
    assert_eq!(count("name=celeryd*,main=no:2", &snapshot), (OK, 2));
}

#[test]
fn a_connection_that_outlives_sshd_in_its_service_is_not_main() {
    let sshd = |pid, title| {
        process(pid, "sshd")
            .args(&[title])
            .cgroup("/system.slice/ssh.service")
    };
    // It leads its session and has exec'ed, as the listener.
    for title in ["sshd: unknown [priv]", "sshd: alice [priv]", "sshd: [accepted]"] {
        let mut snapshot = host(vec![
            sshd(30, title),
            sshd(31, "sshd: unknown [net]").child_of(30),
        ]);
        assert_eq!(count("sshd,main=yes:1-", &snapshot).0, CRITICAL, "{title}");
        for listener in [
            "sshd: /usr/sbin/sshd -D [listener] 1 of 10-100 startups",
            "/usr/sbin/sshd",
        ] {
            snapshot.processes.insert(1, sshd(20, listener));
            assert_eq!(count("sshd,main=yes:1", &snapshot), (OK, 1), "{title}");
            snapshot.processes.remove(1);
        }
    }
}

#[test]
fn a_title_shorter_than_the_arguments_it_overwrote_has_no_blanks_at_its_end() {
    let worker = process(10, "php-fpm8.2").args(&["php-fpm: pool shop", "", "", ""]);
    let host = host(vec![worker]);
    assert_eq!(count(r#"cmdline="php-fpm: pool shop":1"#, &host), (OK, 1));
    assert_eq!(count(r#"cmdline~"pool shop$":1"#, &host), (OK, 1));
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

fn ranges() -> impl Strategy<Value = Range> {
    (0u64..7, proptest::option::of(0u64..5)).prop_map(|(min, spread)| Range {
        min,
        max: spread.map(|spread| min + spread),
    })
}

fn whys() -> impl Strategy<Value = Why> {
    proptest::sample::select(vec![
        Why::Denied,
        Why::Empty,
        Why::Malformed,
        Why::Torn,
        Why::Errno(5),
        Why::Absent,
    ])
}

/// A process that `x,user=root` means, does not mean, or may mean.
fn of_owner(pid: i32, owner: Fact<(u32, u32)>) -> Process {
    process(pid, "x").change(|p| p.owner = owner)
}

/// What the verdict must be where it would be one of `states`.
fn verdict_over(states: &[State]) -> State {
    if states.iter().all(|state| *state == OK) {
        OK
    } else if states.contains(&OK) {
        UNKNOWN
    } else if states.contains(&State::Warning) {
        State::Warning
    } else {
        CRITICAL
    }
}

proptest! {
    /// OK only if it is OK for each, failing only if it fails for each (then the milder), else UNKNOWN with the reason
    /// and the remedy: by judging every host that this one may be.
    #[test]
    fn the_verdict_holds_for_every_assignment_of_the_unknown(
        range in ranges(), warning in proptest::option::of(ranges()), mild: bool,
        matched in 0i32..5, others in 0i32..3, unknown in proptest::collection::vec(whys(), 0..6),
        hidden: bool,
    ) {
        let known: Vec<Process> = (0..matched + others)
            .map(|n| of_owner(10 + n, Fact::Value(if n < matched { (0, 0) } else { (1000, 1000) })))
            .collect();
        let host_with = |owners: Vec<Fact<(u32, u32)>>| {
            let more = owners.into_iter().zip(100..).map(|(owner, pid)| of_owner(pid, owner));
            host(known.iter().cloned().chain(more).collect())
        };
        let mut seen = host_with(unknown.iter().map(|why| Fact::Unreadable(*why)).collect());
        if hidden {
            seen.gaps.push(Gap::HidePid("2".into()));
        }
        let mut check = check("x,user=root:0", &seen);
        check.count = range;
        check.warning = warning;
        check.severity = if mild { State::Warning } else { CRITICAL };
        let item = [Item::Check(Box::new(check))];
        let judged = |snapshot: &Snapshot| judge(&item, snapshot, &snapshot.accounts).verdicts.remove(0);

        // No range ends above 11: twelve hidden processes are as many as any number.
        let hidden_ones = if hidden { 0..=12 } else { 0..=0 };
        let mut states = Vec::new();
        for assignment in 0..1usize << unknown.len() {
            for more in hidden_ones.clone() {
                let owners = (0..unknown.len())
                    .map(|bit| assignment >> bit & 1 == 1)
                    .chain(std::iter::repeat_n(true, more))
                    .map(|means| Fact::Value(if means { (0, 0) } else { (1000, 1000) }));
                states.push(judged(&host_with(owners.collect())).state);
            }
        }

        let verdict = judged(&seen);
        prop_assert_eq!(verdict.state, verdict_over(&states), "{:?}", states);
        let possible = if hidden { u64::MAX } else { unknown.len() as u64 };
        prop_assert_eq!((verdict.matched, verdict.unknown), (matched as u64, possible));
        let told = verdict.state == UNKNOWN;
        prop_assert_eq!(verdict.manner == Manner::Unseen, told);
        prop_assert_eq!(!verdict.reasons.is_empty(), told);
        prop_assert_eq!(!verdict.remedies.is_empty(), told);
        if told {
            for why in &unknown {
                let reason = |reason: &&String| reason.starts_with("user of ") && reason.ends_with(&why.text());
                prop_assert!(verdict.reasons.iter().any(|text| reason(&text)), "{:?}", verdict.reasons);
            }
            let gap = verdict.reasons.iter().any(|reason| reason.starts_with("incomplete view: "));
            prop_assert_eq!(gap, hidden);
        }
    }

    #[test]
    fn whatever_a_process_is_called_its_alternative_is_a_spec_that_means_just_it(name in "\\PC{1,12}", uid in 0u32..4) {
        let host = host(vec![
            process(10, "sshd").exe_denied(),
            process(20, &name).exe_denied().uid(uid),
        ]);
        let check = check("exe=/opt/program:1", &host);
        let proven = crate::judge::alternative::proven_alternative(&check, &[2], &host, &host.accounts);
        // A name that the kernel cut within a character can't be written, nor one that looks like a path.
        prop_assert!(proven.is_some() || name.len() > 15 || name.contains(['/', '"']), "{}", name);
        if let Some(selector) = proven {
            prop_assert!(!selector.mentions(crate::select::Key::Exe));
            let spec = format!("{}:1", selector.text);
            prop_assert_eq!(count(&spec, &host), (OK, 1), "{}", spec);
        }
    }
}

#[test]
fn a_place_of_the_system_is_told_of_the_script_and_not_of_its_interpreter() {
    let script = |interpreter: &str, arguments: &[&str]| process(10, "borg").exe(interpreter).args(arguments);
    let yes = |process: Process| count("exe.system=yes:1", &host(vec![process])).1 == 2;
    assert!(yes(process(10, "xz").exe("/usr/bin/xz")));
    assert!(!yes(process(10, "xz").exe("/tmp/usr/bin/xz")));
    assert!(!yes(process(10, "xz").exe("/home/alice/xz")));
    assert!(yes(script(
        "/usr/bin/python3.11",
        &["/usr/bin/python3", "-u", "/usr/bin/borg", "create"]
    )));
    assert!(!yes(script(
        "/usr/bin/python3.11",
        &["/usr/bin/python3", "/tmp/borg"]
    )));
    assert!(!yes(script(
        "/usr/bin/python3.11",
        &["/usr/bin/python3", "/usr/../tmp/borg"]
    )));
    assert!(!yes(script("/usr/bin/python3.11", &["/usr/bin/python3", "borg"])));
    assert!(!yes(script(
        "/usr/bin/python3.11",
        &["/usr/bin/python3", "-c", "while True: pass"]
    )));
    assert!(!yes(script("/usr/bin/bash", &["borg"])));
    assert!(yes(script("/bin/busybox", &["gzip", "/tmp/x"])));
    assert!(!yes(script("/bin/busybox", &["/bin/sh", "/tmp/borg"])));
    // Belongs to somebody who is not root, or can't be told to whom.
    let owned = |owner: Fact<u32>| {
        process(10, "xz").exe("/usr/local/bin/xz").change(|p| {
            if let Fact::Value(exe) = &mut p.exe {
                exe.file = match owner {
                    Fact::Value(owner) => Fact::Value(crate::snapshot::FileId {
                        owner,
                        ..Default::default()
                    }),
                    _ => Fact::Unreadable(Why::Denied),
                };
            }
        })
    };
    assert!(!yes(owned(Fact::Value(1000))));
    let unknown = verdict("exe.system=yes,name=xz:1", &host(vec![owned(Fact::NotAsked)]));
    assert_eq!((unknown.state, unknown.unknown), (UNKNOWN, 1));
}
