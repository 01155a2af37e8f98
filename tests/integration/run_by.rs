//! procward run by a real cron, and by a real sshd from a login; sshd and cron killed beneath what they run.

use crate::common::{ids, is_root, need, wait_for};
use crate::daemons::{CRITICAL, OK, need_programs};
use crate::namespace::{Namespace, Seen, both, killing};
use std::path::Path;

/// An sshd on a port of its own, with a key that lets root in.
pub(crate) struct Sshd<'a> {
    host: &'a Namespace,
    pub(crate) listener: u32,
    pub(crate) conf: String,
}

impl Sshd<'_> {
    pub(crate) fn start<'a>(host: &'a Namespace, mode: &str) -> Sshd<'a> {
        let root = host.path().display();
        host.must(&format!(
            "mkdir -p /run/sshd; for key in host user; do ssh-keygen -q -t ed25519 -N '' -f {root}/$key; done"
        ));
        let conf = host.write(
            "sshd_config",
            &format!(
                "Port 2222\nListenAddress 127.0.0.1\nHostKey {root}/host\nPidFile /run/sshd.pid\nUsePAM yes\n\
                 PermitRootLogin prohibit-password\nAuthorizedKeysFile {root}/user.pub\nStrictModes no\n"
            ),
        );
        host.start(&format!("/usr/sbin/sshd {mode} -f {conf}"));
        let listener = wait_for("sshd's PID file", 20, || {
            host.sh("cat /run/sshd.pid").stdout().trim().parse().ok()
        });
        Sshd { host, listener, conf }
    }

    /// The command that runs a script in root's login.
    fn login(&self, script: &str) -> String {
        format!(
            "ssh -F none -p 2222 -i {}/user -o BatchMode=yes -o StrictHostKeyChecking=no -o LogLevel=ERROR \
             -o UserKnownHostsFile=/dev/null root@127.0.0.1 '{script}'",
            self.host.path().display()
        )
    }
}

macro_rules! need_ssh {
    () => {
        need_programs!(
            "/usr/sbin/sshd",
            "/usr/bin/ssh",
            "/usr/bin/ssh-keygen",
            "/bin/bash"
        );
    };
}

#[test]
fn the_sshd_listener_is_told_from_logins_and_from_connections_that_are_none_yet() {
    need_ssh!();
    // In the foreground, as its unit has it, and in the background, as an init script has it.
    for mode in ["-D", ""] {
        let host = Namespace::new();
        let sshd = Sshd::start(&host, mode);
        let path = "/usr/sbin/sshd,main=yes,user=root:1";
        host.start(&sshd.login("sleep 1000"));
        host.wait_for("sleep", 1);
        host.wait_for_connection(2222, "sshd", 3);
        assert_eq!(host.check("sshd,main=yes:1"), both(OK), "sshd {mode}");
        assert_eq!(host.check(path).root, OK, "sshd {mode}");
        // What is left is a login and a connection.
        host.kill(sshd.listener);
        host.wait_for("sshd", 2);
        assert_eq!(host.check("sshd,main=yes:1"), both(CRITICAL), "sshd {mode}");
        assert_eq!(host.check(path), both(CRITICAL), "sshd {mode}");
        // By name alone they would be taken for it.
        assert_eq!(host.check("sshd:1-"), both(OK), "sshd {mode}");
    }
}

#[test]
fn a_root_login_sees_the_sshd_it_came_through_and_its_end() {
    need_ssh!();
    let host = Namespace::new();
    let sshd = Sshd::start(&host, "-D");
    let procward = host.place().procward().display().to_string();
    let check = |spec: &str| format!("{procward} check {spec}; echo status $?");
    let specs = ["sshd,main=yes:1", "/usr/sbin/sshd,main=yes,user=root:1"];
    let look = specs.map(check).join("; ");
    let said = host.must(&sshd.login(&format!(
        "{look}; {}; echo killed; {look}",
        killing(sshd.listener)
    )));
    let (before, after) = said.split_once("killed\n").expect("both looks");
    let statuses = |text: &str| -> Vec<String> {
        let lines = text.lines().filter_map(|line| line.strip_prefix("status "));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(statuses(before), ["0", "0"], "{said}");
    assert_eq!(statuses(after), ["2", "2"], "{said}");
    assert_eq!(after.matches("CRITICAL: sshd missing\n").count(), 2, "{said}");
}

/// A cron whose only job runs once, when it starts.
pub(crate) fn start_cron(host: &Namespace, user: &str, job: &str) -> u32 {
    host.must("for place in /etc/cron.d /var/spool/cron; do mount -t tmpfs -o mode=755 tmpfs $place; done");
    let none = host.write("crontab", "");
    host.must(&format!("mount --bind {none} /etc/crontab"));
    host.must(&format!("echo '@reboot {user} {job}' > /etc/cron.d/test"));
    host.start("/usr/sbin/cron -f");
    wait_for("cron's PID file", 20, || {
        host.sh("cat /run/crond.pid").stdout().trim().parse().ok()
    })
}

#[test]
fn one_cron_is_counted_from_its_own_job() {
    need_programs!("/usr/sbin/cron");
    for user in ["root", "nobody"] {
        let host = Namespace::new();
        let procward = host.place().procward().display().to_string();
        let looks = ["cron:1", "cron,main=yes:1", "--match-self cron:1"]
            .map(|arguments| format!("{procward} check {arguments}; echo status $?\n"));
        let job = host
            .place()
            .script("job", &format!("#!/bin/sh\n{}", looks.concat()));
        // The user of the job writes there.
        host.must("mkdir -m 777 /mnt/out");
        start_cron(
            &host,
            user,
            &format!("{} > /mnt/out/log 2>&1; echo done >> /mnt/out/log", job.display()),
        );
        let said = wait_for("the job", 20, || {
            Some(host.sh("cat /mnt/out/log").stdout()).filter(|said| said.ends_with("done\n"))
        });
        let statuses: Vec<&str> = said
            .lines()
            .filter_map(|line| line.strip_prefix("status "))
            .collect();
        // The child of cron that waits for the job is there, and shows where procward leaves nothing out.
        assert_eq!(statuses, ["0", "0", "2"], "as {user}:\n{said}");
        assert!(said.contains("CRITICAL: cron too many\n"), "as {user}:\n{said}");
    }
}

#[test]
fn cron_is_told_from_the_child_that_waits_for_its_job_and_missing_when_that_is_left() {
    need_programs!("/usr/sbin/cron");
    let host = Namespace::new();
    let cron = start_cron(&host, "root", "sleep 1000");
    host.wait_for("sleep", 1);
    host.wait_for("cron", 2);
    assert_eq!(host.check("cron,main=yes:1"), both(OK));
    assert_eq!(
        host.check("/usr/sbin/cron,main=yes:1"),
        Seen { root: OK, nobody: 3 }
    );
    // By name alone both count, and then the child is taken for cron.
    assert_eq!(host.check("cron:1"), both(CRITICAL));
    host.kill(cron);
    host.wait_for("cron", 1);
    assert_eq!(host.check("cron,main=yes:1"), both(CRITICAL));
    assert_eq!(host.check("/usr/sbin/cron,main=yes:1"), both(CRITICAL));
    assert_eq!(host.check("cron:1"), both(OK));
    // A new one beside it.
    host.start("/usr/sbin/cron -f");
    host.wait_for("cron", 2);
    assert_eq!(host.check("cron,main=yes:1"), both(OK));
}
