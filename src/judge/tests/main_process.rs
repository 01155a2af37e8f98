//! Which process is the main one of its program.

use super::*;

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
