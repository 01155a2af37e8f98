//! What the tests share: running procward, and live processes of any name.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const BINARY: &str = env!("CARGO_BIN_EXE_procward");
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Tells loudly that a test did not run; where `PROCWARD_REQUIRE_ALL` is set, that is a failure.
pub(crate) fn skip(reason: &str) {
    assert!(
        std::env::var_os("PROCWARD_REQUIRE_ALL").is_none(),
        "SKIPPED, but everything must run: {reason}"
    );
    // Not eprintln!, which the test harness captures.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("SKIPPED: {reason}\n").as_bytes());
}

/// Returns from the test, with a skip, unless the condition holds.
macro_rules! need {
    ($condition:expr, $reason:expr) => {
        if !$condition {
            crate::common::skip($reason);
            return;
        }
    };
}
pub(crate) use need;

/// A name of this run's own, of at most 9 bytes and the ending: another run may be at it on the same host.
pub(crate) fn unique(ending: &str) -> String {
    format!("pwt{:x}{ending}", std::process::id())
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The uid and gid of a user of this host.
pub(crate) fn ids(user: &str) -> Option<(u32, u32)> {
    let user = nix::unistd::User::from_name(user).ok().flatten()?;
    Some((user.uid.as_raw(), user.gid.as_raw()))
}

/// A program that is open for writing can't be started, and a fork between two threads' `open` and `close` holds it
/// open for a moment: programs are copied and started one at a time.
static STARTS: Mutex<()> = Mutex::new(());

fn one_at_a_time<T>(act: impl FnOnce() -> T) -> T {
    let _guard = STARTS.lock().unwrap_or_else(PoisonError::into_inner);
    act()
}

pub(crate) fn spawn(command: &mut Command) -> Child {
    one_at_a_time(|| command.spawn()).unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// A command without this process's environment and standard input.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", PATH)
        .env("LANG", "C")
        .current_dir("/")
        .stdin(Stdio::null());
    command
}

/// Asks again until there is an answer; panics after `seconds`.
pub(crate) fn wait_for<T>(what: &str, seconds: u64, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(seconds);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "waited {seconds} s in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A directory that every user may enter, with programs that every user may run; gone when dropped.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn new() -> Place {
        // Not TMPDIR, which may be private; and a short path, for the tests show it in specs and socket names.
        let directory = tempfile::Builder::new()
            .prefix("pwt")
            .tempdir_in("/tmp")
            .expect("a directory below /tmp");
        open_to_all(directory.path());
        Place(directory)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn directory(&self, name: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(&path).expect("a directory");
        open_to_all(&path);
        path
    }

    /// A copy of a program under a name of its own.
    pub(crate) fn copy(&self, program: &str, name: &(impl AsRef<Path> + ?Sized)) -> PathBuf {
        let path = self.path().join(name);
        if !path.exists() {
            one_at_a_time(|| std::fs::copy(program, &path))
                .unwrap_or_else(|error| panic!("{program}: {error}"));
            open_to_all(&path);
        }
        path
    }

    pub(crate) fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        one_at_a_time(|| std::fs::write(&path, text)).expect("a script");
        open_to_all(&path);
        path
    }

    /// A copy of procward that every user may run: the target directory may be private.
    pub(crate) fn procward(&self) -> PathBuf {
        self.copy(BINARY, "procward")
    }

    /// procward under the name of a plugin, in a directory of its own.
    pub(crate) fn link(&self, name: &str) -> PathBuf {
        let link = self.directory("links").join(name);
        if !link.exists() {
            symlink(self.procward(), &link).expect("a link");
        }
        link
    }
}

fn open_to_all(path: &Path) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("chmod");
}

/// One run of procward.
pub(crate) struct Procward {
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    user: Option<(u32, u32)>,
    within: Vec<OsString>,
    _place: Option<Place>,
}

impl Procward {
    pub(crate) fn new() -> Procward {
        Procward::at(Path::new(BINARY))
    }

    /// Under the name of a link, say.
    pub(crate) fn at(program: &Path) -> Procward {
        Procward {
            program: program.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            user: None,
            within: Vec::new(),
            _place: None,
        }
    }

    pub(crate) fn check(format: &str) -> Procward {
        Procward::new().args(["check", "--recheck", "0", "--format", format])
    }

    pub(crate) fn arg(mut self, argument: impl Into<OsString>) -> Procward {
        self.arguments.push(argument.into());
        self
    }

    pub(crate) fn args<T: Into<OsString>>(self, arguments: impl IntoIterator<Item = T>) -> Procward {
        arguments.into_iter().fold(self, Procward::arg)
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Procward {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// As another user, who gets a copy of procward that he may run.
    pub(crate) fn user(mut self, name: &str) -> Procward {
        let place = Place::new();
        self.user = Some(ids(name).unwrap_or_else(|| panic!("no user {name}")));
        self.program = place.procward();
        self._place = Some(place);
        self
    }

    /// Started by another command, `unshare` for example.
    pub(crate) fn within<T: Into<OsString>>(mut self, command: impl IntoIterator<Item = T>) -> Procward {
        self.within = command.into_iter().map(Into::into).collect();
        self
    }

    pub(crate) fn run(self) -> Output {
        let words = [self.within, vec![self.program.into_os_string()], self.arguments].concat();
        let mut command = command(&words[0]);
        command
            .args(&words[1..])
            .envs(self.environment)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        output(&mut command)
    }
}

/// Runs a command to its end.
pub(crate) fn output(command: &mut Command) -> Output {
    let child = spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
    Output(child.wait_with_output().expect("its output"))
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Output(std::process::Output);

impl Output {
    pub(crate) fn of(output: std::process::Output) -> Output {
        Output(output)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0.stdout
    }

    pub(crate) fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.0.stdout).into_owned()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }

    /// The exit status; none after death by a signal.
    pub(crate) fn code(&self) -> Option<i32> {
        self.0.status.code()
    }

    pub(crate) fn first_line(&self) -> String {
        self.stdout().lines().next().unwrap_or_default().to_owned()
    }

    /// Ended so, and wrote nothing to standard error.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Output {
        assert_eq!(
            (self.code(), self.stderr()),
            (Some(code), String::new()),
            "standard output:\n{}",
            self.stdout()
        );
        self
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Output {
        assert!(self.stdout().contains(text), "no {text:?} in:\n{}", self.stdout());
        self
    }

    /// Says so in these words, wherever the lines are broken.
    #[track_caller]
    pub(crate) fn says_in_words(self, text: &str) -> Output {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let stdout = self.stdout();
        assert!(words(&stdout).contains(&words(text)), "no {text:?} in:\n{stdout}");
        self
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.0.stdout)
            .unwrap_or_else(|error| panic!("{error} in:\n{}", self.stdout()))
    }
}
