//! `main=yes` on real daemons, alive and with their main process killed; each in namespaces of its own.
//!
//! With the main process alive the check is OK. With that killed and workers left behind it is never OK: CRITICAL
//! where their titles tell what they are, UNKNOWN where nothing does. docs/main.md has the same as a table.

use crate::common::{Procward, ids, is_root, need, unique, wait_for};
use crate::namespace::{Namespace, Seen, both};
use crate::process::pids_of;
use std::path::Path;

pub(crate) const OK: i32 = 0;
pub(crate) const CRITICAL: i32 = 2;
const UNKNOWN: i32 = 3;

/// Skips unless root runs this and these programs are installed.
macro_rules! need_programs {
    ($($program:expr),*) => {
        need!(is_root() && ids("nobody").is_some(), "namespaces and users need root");
        $(need!(Path::new($program).exists(), concat!($program, " is not installed"));)*
    };
}
pub(crate) use need_programs;

// Titles: the workers say what they are.

pub(crate) const NGINX: &str = "error_log /dev/null; pid /run/nginx.pid; worker_processes 2; events {}\n\
    http { access_log off; server { listen unix:/run/nginx.sock; } }\n";

#[test]
fn nginx_is_told_from_its_workers_and_missing_when_they_are_all_that_is_left() {
    need_programs!("/usr/sbin/nginx");
    // In the background, as its unit has it, and in the foreground, as containers have it.
    for background in [true, false] {
        let host = Namespace::new();
        let conf = host.write("nginx.conf", NGINX);
        let mode = if background { "" } else { "-g 'daemon off;'" };
        host.launch(background, &format!("/usr/sbin/nginx -c {conf} {mode}"));
        let master = host.wait_for("nginx", 3)[0];
        assert_eq!(host.check("nginx,main=yes:1"), both(OK));
        assert_eq!(host.check("nginx,main=no:2"), both(OK));
        host.kill(master);
        host.wait_for("nginx", 2);
        assert_eq!(host.check("nginx,main=yes:1"), both(CRITICAL));
        assert_eq!(host.check("nginx,main=yes:1-"), both(CRITICAL));
    }
}

#[test]
fn nginx_that_replaced_itself_after_an_upgrade_is_main_again() {
    need_programs!("/usr/sbin/nginx");
    let host = Namespace::new();
    let conf = host.write("nginx.conf", NGINX);
    host.daemonize(&format!("/usr/sbin/nginx -c {conf}"));
    let old = host.wait_for("nginx", 3)[0];
    // As Debian's package does it: both generations live for a moment.
    host.must(&format!("kill -USR2 {old}"));
    host.wait_for("nginx", 6);
    assert_eq!(host.check("nginx,main=yes:1"), both(OK));
    host.must(&format!("kill -QUIT {old}"));
    let new = host.wait_for("nginx", 3)[0];
    assert_ne!(new, old);
    assert_eq!(host.check("nginx,main=yes:1"), both(OK));
    host.kill(new);
    host.wait_for("nginx", 2);
    assert_eq!(host.check("nginx,main=yes:1"), both(CRITICAL));
}

#[test]
fn php_fpm_is_told_from_its_pool_and_missing_when_that_is_all_that_is_left() {
    need_programs!("/usr/sbin/php-fpm8.2");
    for (mode, background) in [("--nodaemonize", false), ("--daemonize", true)] {
        let host = Namespace::new();
        let conf = host.write(
            "fpm.conf",
            "[global]\nerror_log = /dev/null\n[shop]\nuser = www-data\nlisten = /run/php.sock\npm = static\n\
             pm.max_children = 2\n",
        );
        host.launch(
            background,
            &format!("/usr/sbin/php-fpm8.2 {mode} --fpm-config {conf}"),
        );
        let master = host.wait_for("php-fpm8.2", 3)[0];
        assert_eq!(host.check("name=php-fpm*,main=yes:1"), both(OK), "{mode}");
        host.kill(master);
        host.wait_for("php-fpm8.2", 2);
        assert_eq!(host.check("name=php-fpm*,main=yes:1"), both(CRITICAL), "{mode}");
    }
}

#[test]
fn each_of_two_postgresql_clusters_is_told_by_its_directory_and_its_own_death() {
    let Some(bin) = postgresql() else {
        return crate::common::skip("postgresql is not installed");
    };
    need_programs!();
    need!(ids("postgres").is_some(), "no user postgres");
    let host = Namespace::new();
    let [a, b] = ["a", "b"].map(|name| host.path().join(name).display().to_string());
    let postgres = |line: &str| {
        host.must(&format!(
            "cd /; setpriv --reuid=postgres --regid=postgres --init-groups {line}"
        ))
    };
    host.must(&format!("install -d -o postgres {a} {b}"));
    postgres(&format!("{bin}/initdb --no-sync --auth=trust -D {a} >/dev/null"));
    host.must(&format!(
        "cp -a {a}/. {b}/ && chmod 700 {b} && install -d -o postgres /run/a /run/b"
    ));
    for (directory, socket) in [(&a, "/run/a"), (&b, "/run/b")] {
        let options = format!("-k {socket} -c listen_addresses= -c fsync=off");
        postgres(&format!(
            "{bin}/pg_ctl -D {directory} -o '{options}' -l /dev/null -w start >/dev/null"
        ));
    }
    let of = |directory: &str| format!("postgres,main=yes,arg={directory}:1");
    assert_eq!(host.check("postgres,main=yes:2"), both(OK));
    assert_eq!((host.check(&of(&a)), host.check(&of(&b))), (both(OK), both(OK)));
    // Its workers would end by themselves within moments; one that hangs does not.
    let master: u32 = host
        .must(&format!("head -n 1 {a}/postmaster.pid"))
        .trim()
        .parse()
        .expect("a PID");
    let workers = host.must(&format!("pgrep -P {master}"));
    let workers: Vec<u32> = workers.lines().map(|line| line.parse().expect("a PID")).collect();
    assert!(workers.len() >= 4, "{workers:?}");
    host.stop(&workers);
    host.kill(master);
    assert_eq!(
        (host.check(&of(&a)), host.check(&of(&b))),
        (both(CRITICAL), both(OK))
    );
    assert_eq!(host.check("postgres,main=yes:2"), both(CRITICAL));
    // Nor is one that is alone on its host taken for the server.
    let other: u32 = host
        .must(&format!("head -n 1 {b}/postmaster.pid"))
        .trim()
        .parse()
        .expect("a PID");
    host.kill(other);
    assert_eq!(host.check("postgres,main=yes:1"), both(CRITICAL));
}

/// Where Debian has the programs of the newest PostgreSQL.
pub(crate) fn postgresql() -> Option<String> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let newest = versions
        .max_by_key(std::fs::DirEntry::file_name)?
        .path()
        .join("bin");
    newest
        .join("initdb")
        .exists()
        .then(|| newest.display().to_string())
}

const APP: &str = "def app(environment, start):\n    start('200 OK', [])\n    return []\n";

#[test]
fn gunicorn_with_titles_is_told_by_them() {
    need_programs!("/usr/bin/gunicorn", "/usr/lib/python3/dist-packages/setproctitle");
    for (mode, background) in [("", false), ("-D", true)] {
        let host = Namespace::new();
        host.write("app.py", APP);
        let directory = host.path().display();
        host.launch(
            background,
            &format!("/usr/bin/gunicorn {mode} -w 2 --chdir {directory} -b unix:/run/g.sock app:app"),
        );
        let master = host.wait_for("gunicorn: maste", 1)[0];
        host.wait_for("gunicorn: worke", 2);
        assert_eq!(host.check("gunicorn,main=yes:1"), both(OK), "{mode}");
        assert_eq!(host.check("gunicorn,main=no:2"), both(OK), "{mode}");
        let workers = host.pids("gunicorn: worke");
        host.stop(&workers);
        host.kill(master);
        assert_eq!(host.check("gunicorn,main=yes:1"), both(CRITICAL), "{mode}");
    }
}

// No titles: what is left behind is unknown.

#[test]
fn gunicorn_without_titles_is_main_in_the_foreground_and_unknown_without_its_master() {
    need_programs!("/usr/bin/gunicorn");
    let host = Namespace::new();
    host.write("app.py", APP);
    let titles = "/usr/lib/python3/dist-packages/setproctitle";
    host.must(&format!("[ ! -d {titles} ] || mount -t tmpfs tmpfs {titles}"));
    let directory = host.path().display();
    let gunicorn = format!("/usr/bin/gunicorn -w 2 --chdir {directory} -b unix:/run/g.sock app:app");
    host.start(&gunicorn);
    let pids = host.wait_for("gunicorn", 3);
    assert_eq!(host.check("gunicorn,main=yes:1"), both(OK));
    assert_eq!(host.check("gunicorn,main=no:2"), both(OK));
    host.stop(&pids[1..]);
    host.kill(pids[0]);
    assert_eq!(host.check("gunicorn,main=yes:1"), both(UNKNOWN));
    // A new one is told from what the old one left behind.
    host.start(&gunicorn);
    host.wait_for("gunicorn", 5);
    assert_eq!(host.check("gunicorn,main=yes:1"), both(OK));
}

#[test]
fn apache_is_told_from_its_workers_and_unknown_when_they_are_all_that_is_left() {
    need_programs!("/usr/sbin/apache2");
    for (mode, background) in [("", true), ("-DFOREGROUND", false)] {
        let host = Namespace::new();
        start_apache(&host, "/usr/sbin/apache2", mode, background);
        // Two workers and, for a moment, what starts the threads of a third.
        let master = host.wait_for_at_least("apache2", 3)[0];
        assert_eq!(host.check("apache2,main=yes:1"), both(OK), "{mode}");
        assert_eq!(
            host.check("/usr/sbin/apache2,main=yes:1"),
            Seen {
                root: OK,
                nobody: UNKNOWN
            },
            "{mode}"
        );
        host.kill(master);
        host.wait_for_at_least("apache2", 2);
        assert_eq!(host.check("apache2,main=yes:1"), both(UNKNOWN), "{mode}");
    }
}

/// Starts Apache, and gives its configuration.
pub(crate) fn start_apache(host: &Namespace, program: &str, mode: &str, background: bool) -> String {
    let root = host.path().display();
    let modules = "/usr/lib/apache2/modules";
    let conf = host.write(
        "apache.conf",
        &format!(
            "ServerName test\nServerRoot {root}\nPidFile /run/apache.pid\nMutex file:/run\nListen 127.0.0.1:8080\n\
             LoadModule mpm_event_module {modules}/mod_mpm_event.so\n\
             LoadModule authz_core_module {modules}/mod_authz_core.so\n\
             StartServers 2\nUser www-data\nGroup www-data\nErrorLog /dev/null\n"
        ),
    );
    host.launch(background, &format!("{program} -f {conf} {mode}"));
    conf
}

#[test]
fn from_the_host_a_daemon_in_a_pid_namespace_is_judged_the_same() {
    need_programs!("/usr/sbin/apache2");
    let host = Namespace::new();
    // Under a name of its own: others may run on the host.
    let name = unique("apach");
    let program = host.place().copy("/usr/sbin/apache2", &name);
    start_apache(&host, &program.display().to_string(), "", true);
    let master = host.wait_for_at_least(&name, 3)[0];
    let spec = format!("{name},main=yes,scope=all:1");
    let outside = |user: &str| {
        let procward = Procward::check("human").arg(&spec);
        let procward = if user == "root" {
            procward
        } else {
            procward.user(user)
        };
        procward.run().code().expect("an exit status")
    };
    assert_eq!((outside("root"), outside("nobody")), (OK, OK));
    host.kill(master);
    host.wait_for_at_least(&name, 2);
    assert_eq!((outside("root"), outside("nobody")), (UNKNOWN, UNKNOWN));
}

#[test]
fn haproxy_is_told_from_its_worker_and_unknown_when_that_is_all_that_is_left() {
    need_programs!("/usr/sbin/haproxy");
    for (mode, background) in [("-W", false), ("-W -D", true)] {
        let host = Namespace::new();
        let conf = host.write(
            "haproxy.cfg",
            "global\n nbthread 1\ndefaults\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n\
             frontend f\n bind unix@/run/haproxy.sock\n",
        );
        host.launch(background, &format!("/usr/sbin/haproxy {mode} -f {conf}"));
        let pids = host.wait_for("haproxy", 2);
        assert_eq!(host.check("haproxy,main=yes:1"), both(OK), "{mode}");
        assert_eq!(host.check("haproxy,main=no:1"), both(OK), "{mode}");
        // The worker ends with its master, unless it hangs.
        host.stop(&pids[1..]);
        host.kill(pids[0]);
        host.wait_for("haproxy", 1);
        assert_eq!(host.check("haproxy,main=yes:1"), both(UNKNOWN), "{mode}");
    }
}

#[test]
fn redis_is_main_and_what_saves_its_data_is_not() {
    need_programs!("/usr/bin/redis-server", "/usr/bin/redis-cli");
    for background in [false, true] {
        let host = Namespace::new();
        // The child that saves sleeps a second for each key.
        let line = "/usr/bin/redis-server --save '' --port 0 --unixsocket /run/r.sock --dir /run \
                    --rdb-key-save-delay 1000000";
        host.launch(
            background,
            &format!("{line} --daemonize {}", if background { "yes" } else { "no" }),
        );
        let redis = |line: &str| format!("redis-cli -s /run/r.sock {line}");
        host.must(&format!(
            "until [ \"$({})\" = PONG ]; do sleep 0.05; done",
            redis("ping")
        ));
        let master = host.wait_for("redis-server", 1)[0];
        assert_eq!(
            host.check("redis-server,main=yes:1"),
            both(OK),
            "in the background: {background}"
        );
        host.must(&format!(
            "for key in 1 2 3 4 5 6 7 8 9; do {} || exit; done >/dev/null; {}",
            redis("set $key 1"),
            redis("bgsave")
        ));
        host.wait_for("redis-server", 2);
        assert_eq!(
            host.check("redis-server,main=yes:1"),
            both(OK),
            "in the background: {background}"
        );
        host.kill(master);
        let saves = host.wait_for("redis-server", 1);
        host.stop(&saves);
        assert_eq!(
            host.check("redis-server,main=yes:1"),
            both(UNKNOWN),
            "in the background: {background}"
        );
    }
}

#[test]
fn the_postfix_master_is_main_and_missing_while_its_children_still_live() {
    need_programs!("/usr/sbin/postfix", "/usr/lib/postfix/sbin/master");
    let host = Namespace::new();
    let conf = start_postfix(&host);
    let master = host.wait_for("master", 1)[0];
    let children = [host.wait_for("qmgr", 1)[0], host.wait_for("pickup", 1)[0]];
    let path = "/usr/lib/postfix/sbin/master,main=yes:1";
    assert_eq!(host.check("master,main=yes:1"), both(OK));
    assert_eq!(
        host.check(path),
        Seen {
            root: OK,
            nobody: UNKNOWN
        }
    );
    assert_eq!(host.check("name=qmgr|pickup,main=yes,user=postfix:2"), both(OK));
    host.stop(&children);
    host.kill(master);
    assert_eq!(
        (host.pids("qmgr").len(), host.pids("pickup").len()),
        (1, 1),
        "{conf}"
    );
    assert_eq!(host.check("master,main=yes:1"), both(CRITICAL));
    assert_eq!(host.check(path), both(CRITICAL));
    // Another program than their master's, but left behind all the same.
    assert_eq!(host.check("qmgr,main=yes:1"), both(UNKNOWN));
}

/// Starts Postfix as its unit does, and gives the directory of its configuration.
pub(crate) fn start_postfix(host: &Namespace) -> String {
    let root = host.path().display().to_string();
    let conf = format!("{root}/postfix");
    host.must(&format!(
        "mkdir -p {conf} /mnt/queue && install -d -o postfix /mnt/data"
    ));
    host.write(
        "postfix/main.cf",
        "compatibility_level = 3.6\nqueue_directory = /mnt/queue\ndata_directory = /mnt/data\n\
         inet_interfaces = loopback-only\nmyhostname = host.example\n\
         maillog_file = /var/log/postfix.log\nmaillog_file_prefixes = /var\n",
    );
    host.write(
        "postfix/master.cf",
        "pickup unix n - n 60 1 pickup\ncleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\n\
         rewrite unix - - n - - trivial-rewrite\nbounce unix - - n - 0 bounce\nerror unix - - n - - error\n\
         postlog unix-dgram n - n - 1 postlogd\n",
    );
    host.must(&format!("postfix -c {conf} start"));
    conf
}

#[test]
fn a_connection_of_dropbear_is_not_taken_for_its_listener() {
    need_programs!("/usr/sbin/dropbear", "/usr/bin/dropbearkey", "/bin/bash");
    // Called by its full path it starts itself anew for each connection, else it only forks.
    for (program, left) in [("/usr/sbin/dropbear", CRITICAL), ("dropbear", UNKNOWN)] {
        let host = Namespace::new();
        let key = host.path().join("key").display().to_string();
        host.must(&format!("dropbearkey -t ed25519 -f {key} >/dev/null 2>&1"));
        host.start(&format!("{program} -F -r {key} -p 127.0.0.1:2222"));
        let listener = host.wait_for("dropbear", 1)[0];
        assert_eq!(host.check("dropbear,main=yes:1"), both(OK), "{program}");
        host.wait_for_connection(2222, "dropbear", 2);
        assert_eq!(host.check("dropbear,main=yes:1"), both(OK), "{program}");
        host.kill(listener);
        host.wait_for("dropbear", 1);
        assert_eq!(host.check("dropbear,main=yes:1"), both(left), "{program}");
    }
}

// Scripts.

/// A daemon of two workers, as many are written.
const DAEMON: &str = "#!/usr/bin/python3\nimport os, time\nfor worker in range(2):\n    if os.fork() == 0: break\n\
    time.sleep(1000)\n";

#[test]
fn a_script_is_told_from_its_workers_and_unknown_when_they_are_all_that_is_left() {
    need_programs!("/usr/bin/python3");
    let host = Namespace::new();
    let script = host.place().script("workers.py", DAEMON).display().to_string();
    for (line, comm) in [
        (format!("/usr/bin/python3 -u {script}"), "python3"),
        (script.clone(), "workers.py"),
    ] {
        host.start(&line);
        let pids = host.wait_for(comm, 3);
        assert_eq!(host.check("workers.py,main=yes:1"), both(OK), "{comm}");
        assert_eq!(host.check("workers.py,main=no:2"), both(OK), "{comm}");
        host.kill(pids[0]);
        host.wait_for(comm, 2);
        assert_eq!(host.check("workers.py,main=yes:1"), both(UNKNOWN), "{comm}");
        host.must(&format!("kill -9 {} {}", pids[1], pids[2]));
        host.wait_for(comm, 0);
    }
}

#[test]
fn a_script_that_a_script_of_the_same_interpreter_supervises_is_main() {
    need_programs!("/usr/bin/python3");
    let host = Namespace::new();
    let script = host.place().script("workers.py", DAEMON).display().to_string();
    let supervisor = host.write(
        "supervisor.py",
        &format!("import subprocess\nsubprocess.call(['/usr/bin/python3', '{script}'])\n"),
    );
    host.start(&format!("/usr/bin/python3 {supervisor}"));
    let pids = host.wait_for("python3", 4);
    for spec in [
        "supervisor.py,main=yes:1",
        "workers.py,main=yes:1",
        "workers.py,main=no:2",
    ] {
        assert_eq!(host.check(spec), both(OK), "{spec}");
    }
    host.kill(pids[1]);
    host.wait_for("python3", 2);
    assert_eq!(host.check("workers.py,main=yes:1"), both(UNKNOWN));
    assert_eq!(host.check("supervisor.py,main=yes:1"), both(CRITICAL));
}

#[test]
fn a_daemon_that_forks_twice_is_unknown_and_asked_without_main() {
    need_programs!("/usr/bin/python3");
    let host = Namespace::new();
    let script = host.place().script(
        "twice.py",
        "#!/usr/bin/python3\nimport os, time\nif os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\n\
         time.sleep(1000)\n",
    );
    host.daemonize(&script.display().to_string());
    host.wait_for("twice.py", 1);
    assert_eq!(host.check("twice.py,main=yes:1"), both(UNKNOWN));
    assert_eq!(host.check("twice.py:1"), both(OK));
    host.procward("root")
        .args(["check", "twice.py,main=yes:1"])
        .run()
        .says("main: a daemon of its own, or left behind by a dead one")
        .says("remedy: see whether it answers, and restart it if not");
}

#[test]
fn a_namespace_leaves_nothing_behind() {
    need!(is_root(), "namespaces need root");
    let name = unique("left");
    let host = Namespace::new();
    let program = host.place().copy("/bin/sleep", &name).display().to_string();
    host.start(&format!("{program} 1000"));
    host.wait_for(&name, 1);
    assert_eq!(pids_of(name.as_bytes()).len(), 1);
    drop(host);
    assert_eq!(pids_of(name.as_bytes()), Vec::<u32>::new());
    // Nor does one whose test dies: the pipe to PID 1 is closed then.
    let mut host = Namespace::new();
    host.place().copy("/bin/sleep", &name);
    host.start(&format!("{} 1000", host.path().join(&name).display()));
    host.wait_for(&name, 1);
    host.hang_up();
    wait_for("the end of it all", 10, || {
        pids_of(name.as_bytes()).is_empty().then_some(())
    });
}
