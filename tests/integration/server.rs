//! Real servers in the foreground, each in a directory of its own, on loopback, and gone when the test is.

use crate::common::{Place, command, ids, is_root, spawn};
use rustix::process::{Pid, Signal, kill_process_group};
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A server; its process group is ended when dropped.
pub(crate) struct Server {
    child: Child,
    log: PathBuf,
}

impl Server {
    pub(crate) fn start(place: &Place, name: &str, command: &mut Command) -> Server {
        let log = place.path().join(format!("{name}.output"));
        let file = std::fs::File::create(&log).expect("a file");
        command
            .process_group(0)
            .current_dir(place.path())
            .stdout(file.try_clone().expect("a file"))
            .stderr(file);
        Server {
            child: spawn(command),
            log,
        }
    }

    /// Waits for something; tells what the server had to say if it does not come.
    pub(crate) fn wait_for<T>(&self, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
        let end = Instant::now() + Duration::from_secs(40);
        loop {
            if let Some(answer) = ask() {
                return answer;
            }
            assert!(Instant::now() < end, "waited in vain: {what}; {}", self.said());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What it had to say so far.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let group = Pid::from_child(&self.child);
        let _ = kill_process_group(group, Signal::TERM);
        let end = Instant::now() + Duration::from_secs(2);
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = kill_process_group(group, Signal::KILL);
        let _ = self.child.wait();
    }
}

/// A command as a user of this host, where the tests run as root; it is told to end when the test is gone.
pub(crate) fn as_user(user: &str, program: &str) -> Command {
    let mut command = command("setpriv");
    command.args(["--pdeathsig", "TERM"]);
    if let Some((uid, gid)) = ids(user).filter(|_| is_root()) {
        command.args([&format!("--reuid={uid}"), &format!("--regid={gid}")]);
        command.arg("--clear-groups");
    }
    command.arg(program);
    command
}

/// A directory that belongs to a user, where the tests run as root.
pub(crate) fn directory_of(user: &str, place: &Place, name: &str) -> PathBuf {
    let path = place.directory(name);
    if let Some((uid, gid)) = ids(user).filter(|_| is_root()) {
        chown(&path, Some(uid), Some(gid)).expect("chown");
    }
    path
}

/// A free port of those below the ones that the kernel gives out: Zabbix takes none above 32767.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id() % 20_000;
    let mut ports = (0..20_000).map(|_| {
        let number = first + NEXT.fetch_add(1, Ordering::Relaxed);
        u16::try_from(12_000 + number % 20_000).expect("a port")
    });
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    ports.find(free).expect("a free port")
}

/// A file of contrib/ as it is shipped.
pub(crate) fn shipped(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib").join(name);
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The same with the paths of an installed procward replaced, each of which must be there.
pub(crate) fn shipped_for(name: &str, paths: &[(&str, &Path)]) -> String {
    paths.iter().fold(shipped(name), |text, (from, to)| {
        assert!(text.contains(from), "no {from} in contrib/{name}");
        text.replace(from, &to.display().to_string())
    })
}
