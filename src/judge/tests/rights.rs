//! What a right would show, and what to write where there is none.

use super::*;

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

const TRACE: &str =
    "grant CAP_SYS_PTRACE (AmbientCapabilities=CAP_SYS_PTRACE in the unit, or setcap cap_sys_ptrace+ep)";
