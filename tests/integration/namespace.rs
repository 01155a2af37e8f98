//! Namespaces of a test's own, in which daemons of common names run apart from the host's.

use crate::common::{Output, Place, Procward, command, output, spawn, wait_for};
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

/// Private PID, mount and network namespaces, with /run, /var/log and /mnt of their own. PID 1 is a `cat` that reads
/// a pipe of the test's, and whose children need no reaping (SIGCHLD is ignored): when the test ends, however it
/// ends, so does PID 1, and with it everything else.
pub(crate) struct Namespace {
    unshare: Child,
    init: u32,
    place: Place,
}

/// The exit status of a check, as root and as a user without rights.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) root: i32,
    pub(crate) nobody: i32,
}

/// Both see the same.
pub(crate) fn both(code: i32) -> Seen {
    Seen {
        root: code,
        nobody: code,
    }
}

const SETUP: &str = "\
    for directory in /run /var/log /mnt; do mount -t tmpfs -o mode=755 tmpfs $directory || exit; done\n\
    [ \"$1\" = shared ] || ip link set lo up || exit\n\
    echo ready\n\
    exec env --ignore-signal=CHLD cat";

impl Namespace {
    pub(crate) fn new() -> Namespace {
        Namespace::with("-pfmn", "private")
    }

    /// With the host's network.
    pub(crate) fn sharing_the_network() -> Namespace {
        Namespace::with("-pfm", "shared")
    }

    fn with(namespaces: &str, network: &str) -> Namespace {
        let mut unshare = spawn(
            command("unshare")
                .args([namespaces, "--mount-proc", "--kill-child"])
                .args(["sh", "-c", SETUP, "sh", network])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped()),
        );
        let mut line = String::new();
        BufReader::new(unshare.stdout.take().expect("its output"))
            .read_line(&mut line)
            .expect("a line");
        let init = children(unshare.id()).first().copied();
        let namespace = Namespace {
            unshare,
            init: init.unwrap_or_default(),
            place: Place::new(),
        };
        assert!(
            line == "ready\n" && init.is_some(),
            "the namespace can't be set up"
        );
        namespace
    }

    /// A directory that every user may enter, on both sides.
    pub(crate) fn path(&self) -> &Path {
        self.place.path()
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// A file within, as its path is outside.
    pub(crate) fn file(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{path}", self.init))
    }

    /// The command that enters, and becomes this user.
    pub(crate) fn enter(&self, user: &str) -> Vec<OsString> {
        let init = self.init.to_string();
        let mut words = vec!["nsenter", "-t", &init, "-p", "-m", "-n", "--"];
        let ids = crate::common::ids(user).unwrap_or_else(|| panic!("no user {user}"));
        let (uid, gid) = (format!("--reuid={}", ids.0), format!("--regid={}", ids.1));
        words.extend(["setpriv", &uid, &gid, "--init-groups"]);
        words.into_iter().map(Into::into).collect()
    }

    /// Runs a shell script within, in the directory of this namespace, to its end.
    pub(crate) fn sh(&self, script: &str) -> Output {
        let mut words = self.enter("root");
        words.extend(["sh", "-c", script].map(OsString::from));
        output(command(&words[0]).args(&words[1..]).current_dir("/"))
    }

    /// Runs a shell script that must succeed.
    #[track_caller]
    pub(crate) fn must(&self, script: &str) -> String {
        let said = self.sh(script);
        assert_eq!(
            said.code(),
            Some(0),
            "{script}: {}{}",
            said.stdout(),
            said.stderr()
        );
        said.stdout()
    }

    /// Starts a program as systemd does: a child of PID 1 in a session of its own, in the foreground.
    #[track_caller]
    pub(crate) fn start(&self, program: &str) {
        self.must(&format!("cd /; setsid -f {program} </dev/null >/dev/null 2>&1"));
    }

    /// Runs a program that puts itself into the background, as an init script does.
    #[track_caller]
    pub(crate) fn daemonize(&self, program: &str) {
        self.must(&format!("cd /; {program} </dev/null >/dev/null 2>&1"));
    }

    /// Starts a program in one of both ways.
    #[track_caller]
    pub(crate) fn launch(&self, background: bool, program: &str) {
        if background {
            self.daemonize(program);
        } else {
            self.start(program);
        }
    }

    /// A file below [`Namespace::path`].
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.to_str().expect("UTF-8").to_owned()
    }

    /// The processes whose comm this is, the oldest first, as they are numbered within.
    pub(crate) fn pids(&self, comm: &str) -> Vec<u32> {
        let list = self
            .sh(&format!("pgrep -x '{}'", comm.get(..15).unwrap_or(comm)))
            .stdout();
        list.lines().filter_map(|line| line.parse().ok()).collect()
    }

    /// Waits until so many processes have this comm; the oldest is first.
    #[track_caller]
    pub(crate) fn wait_for(&self, comm: &str, count: usize) -> Vec<u32> {
        wait_for(&format!("{count} {comm}"), 20, || {
            Some(self.pids(comm)).filter(|pids| pids.len() == count)
        })
    }

    /// Waits until at least so many processes have this comm; the oldest is first.
    #[track_caller]
    pub(crate) fn wait_for_at_least(&self, comm: &str, count: usize) -> Vec<u32> {
        wait_for(&format!("{count} {comm}"), 20, || {
            Some(self.pids(comm)).filter(|pids| pids.len() >= count)
        })
    }

    /// Opens a connection to a port of 127.0.0.1 that says nothing, and waits until so many processes have this comm.
    #[track_caller]
    pub(crate) fn wait_for_connection(&self, port: u16, comm: &str, count: usize) {
        self.start(&format!(
            "bash -c 'until exec 5<>/dev/tcp/127.0.0.1/{port}; do sleep 0.02; done; exec sleep 1000'"
        ));
        self.wait_for(comm, count);
        // A fork that is about to exec is not yet what it will be.
        std::thread::sleep(std::time::Duration::from_millis(200));
    }

    /// Closes the pipe that keeps PID 1 alive.
    pub(crate) fn hang_up(&mut self) {
        drop(self.unshare.stdin.take());
    }

    /// Kills a process, and waits until nothing is left of it.
    pub(crate) fn kill(&self, pid: u32) {
        self.must(&killing(pid));
    }

    /// Stops processes, so that the death of their parent does not end them.
    pub(crate) fn stop(&self, pids: &[u32]) {
        let list: Vec<String> = pids.iter().map(u32::to_string).collect();
        self.must(&format!("kill -STOP {}", list.join(" ")));
    }

    /// procward within, as this user.
    pub(crate) fn procward(&self, user: &str) -> Procward {
        Procward::at(&self.place.procward()).within(self.enter(user))
    }

    /// What a check of this spec ends with.
    pub(crate) fn check(&self, spec: &str) -> Seen {
        let code = |user| {
            let said = self.procward(user).args(["check", spec]).run();
            // Shown where the test fails.
            println!("{spec} as {user}:\n{}", said.stdout());
            said.code()
                .unwrap_or_else(|| panic!("{spec} as {user}: {said:?}"))
        };
        Seen {
            root: code("root"),
            nobody: code("nobody"),
        }
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.unshare.kill();
        let _ = self.unshare.wait();
        // The kernel ends PID 1 last of all; the host's PID 1 may take its time to reap it.
        for _ in 0..200 {
            if matches!(stat(self.init), None | Some(('Z' | 'X', _))) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}

/// The line of a shell that kills a process, and waits until nothing is left of it.
pub(crate) fn killing(pid: u32) -> String {
    format!("kill -9 {pid} && while [ -e /proc/{pid} ]; do sleep 0.01; done")
}

/// The children of a process.
fn children(parent: u32) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").expect("/proc").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse().ok()));
    pids.filter(|pid| stat(*pid).is_some_and(|(_, ppid)| ppid == parent))
        .collect()
}

/// State and parent of a process.
fn stat(pid: u32) -> Option<(char, u32)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut words = text.rsplit(") ").next()?.split(' ');
    Some((words.next()?.chars().next()?, words.next()?.parse().ok()?))
}
