//! The files of contrib/ beside the real servers that they are for, each started by the test on loopback, in fail → alert →
//! recover, and with processes that call themselves what no server likes.

mod icinga2;
mod limits;
mod mon;
mod monit;
mod nagios;
mod nrpe;
mod nsca;

use crate::common::{Place, ids, is_root, output, unique};
use crate::process::Live;
use crate::server::{Server, as_user, free_port, shipped};
use std::ffi::OsStr;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

/// An address of this run's own, where the ports that the files of contrib/ mean are free.
fn address() -> String {
    let id = std::process::id();
    format!("127.{}.{}.{}", 64 + (id >> 16) % 64, (id >> 8) & 255, id & 255)
}

/// Where a server runs, and procward as it finds it: the files of contrib/ with the paths of an installed procward replaced,
/// and nothing else.
struct Home {
    place: Place,
    programs: Place,
}

/// What procward wrote in one run, as it was written.
#[derive(Clone, Debug, PartialEq)]
struct Written {
    first: String,
    data: String,
    rest: String,
}

impl Written {
    fn of(text: &str) -> Written {
        let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
        let (first, data) = first.split_once(" | ").unwrap_or((first, ""));
        Written {
            first: first.to_owned(),
            data: data.to_owned(),
            rest: rest.trim_end_matches('\n').to_owned(),
        }
    }

    /// Without what another look finds changed: for how long a process is up, and who has nearly the name that is missing.
    fn ageless(mut self) -> Written {
        let lines = self
            .rest
            .split('\n')
            .filter(|line| !line.starts_with("  nearest: "));
        self.rest = lines.collect::<Vec<_>>().join("\n");
        let mut parts = self.rest.split(", up ");
        let first = parts.next().unwrap_or_default().to_owned();
        let rest = parts.map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit()));
        self.rest = [first].into_iter().chain(rest.map(str::to_owned)).collect();
        self
    }
}

impl Home {
    /// With a configuration of two checks: `daemon` wants one process of a name, `hostile` none of those that `hostile`
    /// starts.
    fn new() -> Home {
        let home = Home {
            place: Place::new(),
            programs: Place::new(),
        };
        home.own(home.path());
        home.directory("runs");
        let config = format!(
            "recheck = \"0\"\n\n[[check]]\nname = \"daemon\"\nselect = \"{}\"\ncount = \"1\"\n\n\
             [[check]]\nname = \"hostile\"\nselect = 'comm~(?s-u)^{}'\ncount = \"0\"\n",
            home.daemon(),
            hostile_prefix()
        );
        home.file("procward.toml", &config);
        for name in ["procward", "check_procward", "procward.monitor"] {
            let program = home.place.link(name);
            let text = format!(
                "#!/bin/sh\nexport PROCWARD_CONFIG={home}/procward.toml\nrun=$(mktemp {home}/runs/XXXXXX)\n\
                 {} \"$@\" > $run 2>&1\ncode=$?\ncat $run\nexit $code\n",
                program.display(),
                home = home.path().display(),
            );
            home.place.script(&format!("recorded-{name}"), &text);
        }
        home
    }

    fn path(&self) -> &Path {
        self.place.path()
    }

    /// procward under one of its names, noting what it writes.
    fn recorded(&self, name: &str) -> PathBuf {
        self.path().join(format!("recorded-{name}"))
    }

    /// The name of the process that the check `daemon` wants.
    fn daemon(&self) -> String {
        unique("d")
    }

    fn start_daemon(&self) -> Live {
        Live::named(&self.programs, &self.daemon())
    }

    /// Gives a path to the user that servers run as.
    fn own(&self, path: &Path) {
        if let Some((uid, gid)) = user() {
            chown(path, Some(uid), Some(gid)).expect("chown");
        }
    }

    fn directory(&self, name: &str) -> PathBuf {
        let path = self.place.directory(name);
        self.own(&path);
        path
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.place.script(name, text);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("chmod");
        self.own(&path);
        path
    }

    fn read(&self, name: &str) -> String {
        let bytes = std::fs::read(self.path().join(name)).unwrap_or_default();
        String::from_utf8(bytes).expect("UTF-8")
    }

    /// A file of contrib/ with the paths of an installed procward replaced by those of the one that was built.
    fn contrib(&self, name: &str) -> String {
        let mut text = shipped(name);
        for (path, name) in [
            ("/usr/lib/nagios/plugins/check_procward", "check_procward"),
            ("/usr/bin/procward", "procward"),
        ] {
            text = text.replace(path, &self.recorded(name).display().to_string());
        }
        text
    }

    /// A script of contrib/, likewise, that may be run.
    fn script(&self, name: &str) -> PathBuf {
        let file = Path::new(name)
            .file_name()
            .and_then(OsStr::to_str)
            .expect("a name");
        let mode = std::fs::metadata(Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib").join(name));
        assert_eq!(
            mode.expect("the script").permissions().mode() & 0o111,
            0o111,
            "{name}"
        );
        self.place.script(file, &self.contrib(name))
    }

    /// Whether procward wrote this in some run.
    fn wrote(&self, stored: &Written) -> bool {
        let files = std::fs::read_dir(self.path().join("runs"))
            .expect("runs")
            .flatten();
        let mut runs = files.map(|file| std::fs::read_to_string(file.path()).expect("UTF-8"));
        runs.any(|run| Written::of(&run) == *stored)
    }

    /// What a passive result of a check means: what the plugin says of that check alone, but for the label of its data and
    /// where the checks are from.
    fn meant(&self, check: &str) -> Written {
        let said = output(
            as_server("sh")
                .arg(self.recorded("check_procward"))
                .args(["-v", "-r", check]),
        );
        let mut meant = Written::of(&said.stdout()).ageless();
        meant.data = meant.data.replace(&format!("{check}="), "processes=");
        let (details, _) = meant.rest.split_once("\nchecks from ").expect("details");
        meant.rest = details.to_owned();
        meant
    }

    fn port_is_free(&self, port: u16) -> bool {
        TcpListener::bind((address().as_str(), port)).is_ok()
    }
}

/// Some servers refuse to run as root.
fn user() -> Option<(u32, u32)> {
    ids("nobody").filter(|_| is_root())
}

/// A command as the user that servers run as; it is told to end when the test is gone.
fn as_server(program: &str) -> Command {
    as_user("nobody", program)
}

/// What processes must begin with for the check `hostile`.
fn hostile_prefix() -> String {
    format!("pwh{:x}", std::process::id() & 0xffff)
}

/// Processes that call themselves what no server likes.
fn hostile() -> Vec<Live> {
    let names: [&[u8]; 7] = [
        b"|a=1;2",
        b";$(id)`",
        b"<script>",
        b"\n\\n\\\\n",
        b"\x1b[1m\xff\xfe",
        b"'\"%s&\t\x17",
        b"$HOME$!~",
    ];
    let named = names.map(|name| Live::with_comm(&[hostile_prefix().as_bytes(), name].concat()));
    named.into()
}
