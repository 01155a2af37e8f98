//! Daemons from Debian, restarted and reloaded again and again, each in namespaces of its own: procward is OK throughout
//! with its default re-check, and one that stays down alarms, once. docs/restarts.md has the figures as a table.

use crate::common::{Output, Place, ids, is_root, need, wait_for};
use crate::daemons::{CRITICAL, NGINX, OK, need_programs, start_apache, start_postfix};
use crate::mon_daemon::{Daemon, MON, alert, recorder};
use crate::namespace::Namespace;
use crate::run_by::{Sshd, start_cron};
use crate::storm::Storm;
use std::path::Path;
use std::time::Duration;

const WARNING: i32 = 1;
/// ps.monitor's range without a maximum.
const MANY: usize = usize::MAX;

/// Runs a script within that must succeed, and whose last act is that something writes its PID file.
#[track_caller]
fn until_there_is(host: &Namespace, pid_file: &str, script: &str) {
    host.must(script);
    wait_for(pid_file, 20, || {
        std::fs::metadata(host.file(pid_file))
            .ok()
            .filter(|file| file.len() > 0)
    });
}

/// Ends a daemon, waits until nothing is left of it, pauses, and starts it anew.
#[track_caller]
fn restart(host: &Namespace, pid_file: &str, start: &str, pause: Duration) {
    stop(host, pid_file);
    let pause = pause.as_secs_f64();
    until_there_is(host, pid_file, &format!("sleep {pause}; cd /; {start}"));
}

#[track_caller]
fn stop(host: &Namespace, pid_file: &str) {
    host.must(&format!(
        "pid=$(cat {pid_file}) && kill $pid && while [ -e /proc/$pid ]; do sleep 0.01; done; rm -f {pid_file}"
    ));
}

/// Starts a program in the foreground, as systemd does.
fn in_the_foreground(program: &str) -> String {
    format!("setsid -f {program} </dev/null >/dev/null 2>&1")
}

pub(crate) fn start_nginx(host: &Namespace, text: &str) -> String {
    let conf = host.write("nginx.conf", text);
    until_there_is(host, "/run/nginx.pid", &format!("/usr/sbin/nginx -c {conf}"));
    host.wait_for("nginx", 3);
    conf
}

// Restarts and reloads. Two daemons at a time, for most of the time is waiting.

fn side_by_side(one: fn(), other: fn()) {
    std::thread::scope(|scope| {
        scope.spawn(one);
        scope.spawn(other);
    });
}

#[test]
fn nginx_and_postfix_are_restarted_and_nobody_is_woken() {
    need_programs!(
        "/usr/sbin/nginx",
        "/sbin/start-stop-daemon",
        "/usr/sbin/postfix",
        "/usr/lib/postfix/sbin/master"
    );
    side_by_side(restart_nginx, reload_and_restart_postfix);
}

#[test]
fn apache_and_rsyslog_are_reloaded_and_restarted_and_nobody_is_woken() {
    need_programs!("/usr/sbin/apache2", "/usr/sbin/rsyslogd");
    side_by_side(reload_and_restart_apache, reopen_and_restart_rsyslog);
}

#[test]
fn cron_and_a_script_are_restarted_and_nobody_is_woken() {
    need_programs!("/usr/sbin/cron", "/usr/bin/python3");
    side_by_side(restart_cron, restart_a_script);
}

#[test]
fn nginx_is_reloaded_and_nobody_is_woken() {
    need_programs!("/usr/sbin/nginx");
    let host = Namespace::new();
    let conf = start_nginx(&host, NGINX);
    let storm = Storm {
        host: &host,
        what: "nginx: reload (`nginx -t`, `nginx -s reload`)",
        spec: "nginx,main=yes:1",
        theirs: ("nginx", 1..=MANY),
    };
    storm.is_ridden_out(|_| {
        host.must(&format!(
            "/usr/sbin/nginx -t -q -c {conf} && /usr/sbin/nginx -s reload -c {conf}"
        ));
    });
}

fn restart_nginx() {
    let host = Namespace::new();
    let conf = start_nginx(&host, NGINX);
    let storm = Storm {
        host: &host,
        what: "nginx: restart as its init script does it, which sleeps 1 s",
        spec: "nginx,main=yes:1",
        theirs: ("nginx", 1..=MANY),
    };
    let found = "start-stop-daemon --quiet --pidfile /run/nginx.pid";
    storm.is_ridden_out(|_| {
        let script = format!(
            "/usr/sbin/nginx -t -q -c {conf} && {found} --stop --retry=QUIT/5/TERM/5/KILL/5 --name nginx && sleep 1 &&\
             {found} --start --exec /usr/sbin/nginx -- -c {conf}"
        );
        until_there_is(&host, "/run/nginx.pid", &script);
    });
}

fn reload_and_restart_apache() {
    let host = Namespace::new();
    let conf = start_apache(&host, "/usr/sbin/apache2", "", true);
    host.wait_for_at_least("apache2", 3);
    let apache = format!("/usr/sbin/apache2 -f {conf}");
    let storm = |what| Storm {
        host: &host,
        what,
        spec: "apache2,main=yes:1",
        theirs: ("apache2", 1..=MANY),
    };
    storm("apache2: graceful (`apache2 -t`, `-k graceful`)").is_ridden_out(|_| {
        host.must(&format!("{apache} -t 2>/dev/null && {apache} -k graceful"));
    });
    storm("apache2: restart").is_ridden_out(|pause| {
        restart(&host, "/run/apache.pid", &apache, pause);
    });
}

pub(crate) const RSYSLOG: &str = "module(load=\"imuxsock\" SysSock.Use=\"off\")\n\
    input(type=\"imuxsock\" Socket=\"/run/log.sock\")\n*.* /var/log/all\n";

fn reopen_and_restart_rsyslog() {
    let host = Namespace::new();
    let conf = host.write("rsyslog.conf", RSYSLOG);
    let start = in_the_foreground(&format!("/usr/sbin/rsyslogd -n -f {conf} -i /run/rsyslogd.pid"));
    until_there_is(&host, "/run/rsyslogd.pid", &start);
    let storm = |what| Storm {
        host: &host,
        what,
        spec: "rsyslogd:1",
        theirs: ("rsyslogd", 1..=1),
    };
    storm("rsyslog: HUP, as for logrotate").is_ridden_out(|_| {
        host.must("kill -HUP $(cat /run/rsyslogd.pid)");
    });
    storm("rsyslog: restart").is_ridden_out(|pause| restart(&host, "/run/rsyslogd.pid", &start, pause));
}

fn restart_cron() {
    let host = Namespace::new();
    start_cron(&host, "root", "true");
    let start = in_the_foreground("/usr/sbin/cron -f");
    let storm = Storm {
        host: &host,
        what: "cron: restart",
        spec: "cron:1",
        theirs: ("cron", 1..=1),
    };
    storm.is_ridden_out(|pause| restart(&host, "/run/crond.pid", &start, pause));
}

#[test]
fn sshd_starts_itself_anew_and_nobody_is_woken() {
    need_programs!("/usr/sbin/sshd", "/usr/bin/ssh-keygen");
    let host = Namespace::new();
    let sshd = Sshd::start(&host, "-D");
    let storm = Storm {
        host: &host,
        what: "sshd: reload (`sshd -t`, HUP: it executes itself anew)",
        spec: "/usr/sbin/sshd,main=yes:1",
        theirs: ("sshd", 1..=1),
    };
    storm.is_ridden_out(|_| {
        let script = format!(
            "/usr/sbin/sshd -t -f {} && rm /run/sshd.pid && kill -HUP {}",
            sshd.conf, sshd.listener
        );
        until_there_is(&host, "/run/sshd.pid", &script);
    });
}

fn reload_and_restart_postfix() {
    let host = Namespace::new();
    let conf = start_postfix(&host);
    host.wait_for("master", 1);
    let storm = |what| Storm {
        host: &host,
        what,
        spec: "master:1",
        theirs: ("master", 1..=1),
    };
    storm("postfix: reload").is_ridden_out(|_| {
        host.must(&format!("postfix -c {conf} reload 2>&1"));
    });
    storm("postfix: restart (`postfix stop`, `postfix start`)").is_ridden_out(|_| {
        host.must(&format!(
            "postfix -c {conf} stop 2>&1 && postfix -c {conf} start 2>&1"
        ));
    });
}

fn restart_a_script() {
    let host = Namespace::new();
    let script = host.write(
        "queue.py",
        "import os, time\nwith open('/run/queue.pid', 'w') as file: file.write(str(os.getpid()))\ntime.sleep(1000)\n",
    );
    // Where users have theirs, so that the spec can be shown.
    let start = in_the_foreground("/usr/bin/python3 /mnt/queue.py");
    until_there_is(
        &host,
        "/run/queue.pid",
        &format!("cp {script} /mnt/queue.py; {start}"),
    );
    let storm = Storm {
        host: &host,
        what: "a script in Python: restart",
        spec: "python3,script=/mnt/queue.py:1",
        theirs: ("queue.py", 1..=1),
    };
    storm.is_ridden_out(|pause| restart(&host, "/run/queue.pid", &start, pause));
}

// Too many.

#[test]
fn what_tests_a_configuration_is_not_one_too_many() {
    need_programs!(
        "/usr/sbin/nginx",
        "/usr/sbin/apache2",
        "/usr/sbin/sshd",
        "/usr/bin/ssh-keygen"
    );
    let host = Namespace::new();
    let nginx = start_nginx(&host, NGINX);
    // As many workers as it begins with.
    let apache = start_apache(&host, "/usr/sbin/apache2", "-c 'MinSpareThreads 25'", true);
    let sshd = Sshd::start(&host, "-D");
    host.wait_for("apache2", 3);
    for (program, count, test) in [
        ("nginx", 3, format!("/usr/sbin/nginx -t -q -c {nginx}")),
        (
            "apache2",
            3,
            format!("/usr/sbin/apache2 -t -f {apache} 2>/dev/null"),
        ),
        ("sshd", 1, format!("/usr/sbin/sshd -t -f {}", sshd.conf)),
    ] {
        let storm = Storm {
            host: &host,
            what: &format!("`{program} -t`"),
            spec: &format!("{program}:{count}"),
            theirs: (program, count..=count),
        };
        storm.is_ridden_out(|_| {
            host.must(&test);
        });
    }
}

const NGINX_WITH_A_PORT: &str = "error_log /dev/null; pid /run/nginx.pid; worker_processes 2; events {}\n\
    http { access_log off; server { listen 127.0.0.1:8080; } }\n";

#[test]
fn old_workers_that_finish_their_work_after_a_reload_are_not_too_many() {
    need_programs!("/usr/sbin/nginx", "/bin/bash");
    let host = Namespace::new();
    let conf = start_nginx(&host, NGINX_WITH_A_PORT);
    // Whoever takes these four connections lives on until they end.
    let client = host.write(
        "client",
        "for fd in 5 6 7 8; do eval \"exec $fd<>/dev/tcp/127.0.0.1/8080\" && printf 'GET / HTTP/1.0\\r\\n' >&$fd || exit\n\
         done\nsleep 0.05\n/usr/sbin/nginx -s reload -c \"$1\" && sleep \"$2\"\n",
    );
    let storm = Storm {
        host: &host,
        what: "nginx: reload, and old workers live on for 0.1 to 0.6 s",
        spec: "nginx:3",
        theirs: ("nginx", 3..=3),
    };
    storm.is_ridden_out(|pause| {
        host.must(&format!("bash {client} {conf} {}", (pause * 2).as_secs_f64()));
        host.wait_for("nginx", 3);
    });
}

#[test]
fn shells_without_end_that_have_no_arguments_yet_are_not_taken_for_the_daemon() {
    need_programs!("/usr/sbin/cron");
    let host = Namespace::new();
    start_cron(&host, "root", "true");
    let storm = Storm {
        host: &host,
        what: "100 shells started beside it",
        spec: "cron:1",
        theirs: ("cron", 1..=1),
    };
    storm.is_ridden_out(|_| {
        host.must("for n in 1 2 3 4 5 6 7 8 9 10; do for m in 1 2 3 4 5 6 7 8 9 10; do sh -c :; done; done");
    });
}

// What stays down.

#[test]
fn under_mon_a_restart_is_silent_and_what_stays_down_alerts_once() {
    need_programs!("/usr/sbin/cron");
    need!(Path::new(MON).exists(), "mon is not installed");
    let place = Place::new();
    let recorder = recorder(&place, "ps.monitor");
    let host = Namespace::sharing_the_network();
    start_cron(&host, "root", "true");
    let mon = Daemon::within(Some(host), place, &recorder, "monitor ps.monitor cron:1-1 ;;");
    let host = mon.namespace().expect("its namespace");
    mon.wait_for_status(1);
    let runs = || mon.read("lines").lines().count();
    let wait_for_runs = |count: usize| {
        let before = runs();
        wait_for("runs of the monitor", 60, || {
            (runs() >= before + count).then_some(())
        });
    };
    let start = in_the_foreground("/usr/sbin/cron -f");
    // Once only: mon's state file is there to tell of restarts that go on.
    restart(host, "/run/crond.pid", &start, Duration::from_millis(1500));
    wait_for_runs(2);
    assert_eq!(mon.alerts(), []);
    stop(host, "/run/crond.pid");
    let failure = alert("failure", "CRITICAL: cron missing");
    assert_eq!(mon.wait_for_alerts(1), std::slice::from_ref(&failure));
    wait_for_runs(2);
    assert_eq!(mon.alerts(), std::slice::from_ref(&failure));
    // From then on each run has the same first line, whatever follows it.
    let lines = mon.read("lines");
    let failing = lines.lines().skip_while(|line| *line != failure.1);
    assert!(failing.clone().count() >= 3, "{lines}");
    assert!(failing.clone().all(|line| line == failure.1), "{lines}");
    until_there_is(host, "/run/crond.pid", &start);
    assert_eq!(mon.wait_for_alerts(2)[1].0, "up");
}

/// cron in a namespace, and procward runs that remember.
struct Remembering {
    host: Namespace,
    start: String,
}

impl Remembering {
    fn new() -> Remembering {
        let host = Namespace::new();
        start_cron(&host, "root", "true");
        Remembering {
            host,
            start: in_the_foreground("/usr/sbin/cron -f"),
        }
    }

    fn restart(&self) {
        restart(&self.host, "/run/crond.pid", &self.start, Duration::ZERO);
    }

    fn check(&self, arguments: &[&str]) -> Output {
        let state = self.host.path().join("state");
        let run = self.host.procward("root").args(["check", "--format", "nagios"]);
        run.arg("--state")
            .arg(state)
            .args(arguments.iter().copied())
            .run()
    }
}

#[test]
fn restarts_between_the_runs_are_counted_where_runs_are_remembered() {
    need_programs!("/usr/sbin/cron");
    let cron = Remembering::new();
    let config = cron.host.write(
        "procward.toml",
        "[[check]]\nname = \"cron\"\nselect = \"cron\"\ncount = \"1\"\nrestarts = \"3 per 1h\"\n",
    );
    let run = || cron.check(&["--config", &config]);
    run().ends(OK);
    for _ in 0..3 {
        cron.restart();
        run().ends(OK);
    }
    cron.restart();
    run()
        .ends(WARNING)
        .says("PROCS WARNING: cron restarting | ")
        .says("restarting: 4 times in 1 h");
    // One that is down is missing, however often it was started anew before.
    stop(&cron.host, "/run/crond.pid");
    run().ends(CRITICAL).says("CRITICAL: cron missing");
}

#[test]
fn a_crash_loop_does_not_hide_behind_the_second_look() {
    need_programs!("/usr/sbin/cron");
    let cron = Remembering::new();
    cron.check(&["cron:1"]).ends(OK);
    // Each run begins while it is down, and ends OK, until that was so too often.
    let warned = (0..10).find_map(|_| {
        stop(&cron.host, "/run/crond.pid");
        let said = std::thread::scope(|scope| {
            let run = scope.spawn(|| cron.check(&["cron:1"]));
            std::thread::sleep(Duration::from_millis(500));
            until_there_is(&cron.host, "/run/crond.pid", &cron.start);
            run.join().expect("a run")
        });
        assert!(matches!(said.code(), Some(OK | WARNING)), "{said:?}");
        (said.code() == Some(WARNING)).then_some(said)
    });
    warned
        .expect("a warning")
        .says("PROCS WARNING: cron restarting | ");
}
