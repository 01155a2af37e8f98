//! Finds and reads the configuration files: the only part of `config` that touches files.
#![allow(
    clippy::disallowed_methods,
    reason = "the edge: configuration files are read here"
)]

use super::{Loaded, Source, from_texts};
use crate::deadline::Notes;
use crate::judge::{Faulty, Item, tell_apart};
use crate::select::Fault;
use crate::snapshot::Accounts;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Where the configuration is, unless told otherwise.
pub const DEFAULT: &str = "/etc/procward/procward.toml";

/// A configuration is not larger; a device that never ends is none.
const LIMIT: u64 = 4 << 20;

/// Reads `path`, or the default file and `conf.d/*.toml` beside it. A directory means all its `*.toml`. What can't be
/// read is a faulty item, for its checks are missing. A file may lie with a server that does not answer.
#[must_use]
pub fn load(path: Option<&Path>, accounts: &dyn Accounts, notes: Notes) -> Loaded {
    Files::read(path, notes).check(accounts)
}

/// What was found on disk.
#[derive(Clone, Debug, Default)]
pub struct Files {
    sources: Vec<Source>,
    unread: Vec<Item>,
    /// Whether there is none, and none was asked for.
    none: bool,
}

impl Files {
    /// Reads the files of [`load`].
    #[must_use]
    pub fn read(path: Option<&Path>, notes: Notes) -> Files {
        let mut files = Files::default();
        // A pipe that was asked for is read; one that lies about is waited for in vain.
        let asked_for = path.is_some_and(|path| !is_directory(path, notes));
        for path in paths(path, &mut files.unread, notes) {
            let text = if asked_for {
                read(&path, true, notes)
            } else {
                read_file(&path, notes)
            };
            match text {
                Ok(text) => files.sources.push(Source {
                    name: shown(&path),
                    text: text.into(),
                }),
                Err(fault) => files.unread.push(faulty(&path, fault)),
            }
        }
        let default = Path::new(DEFAULT);
        files.none = path.is_none()
            && files.sources.is_empty()
            && files.unread.len() == 1
            && matches!(notes.of_file(default, || default.symlink_metadata()), Err(error) if error.kind() == ErrorKind::NotFound);
        files
    }

    /// What could not be read.
    pub fn faulty(&self) -> impl Iterator<Item = &Faulty> {
        self.unread.iter().filter_map(|item| match item {
            Item::Faulty { faulty, .. } => Some(faulty),
            _ => None,
        })
    }

    /// What their texts say.
    #[must_use]
    pub fn check(self, accounts: &dyn Accounts) -> Loaded {
        let mut loaded = from_texts(self.sources, accounts);
        if !self.none {
            loaded.of_cpu.extend(self.unread.iter().cloned());
            loaded.of_audit.extend(self.unread.iter().cloned());
        }
        loaded.items.splice(0..0, self.unread);
        tell_apart(&mut loaded.items);
        loaded
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn faulty(path: &Path, fault: Fault) -> Item {
    Item::Faulty {
        name: shown(path),
        faulty: Faulty {
            source: shown(path),
            text: "".into(),
            faults: vec![fault],
        },
    }
}

/// How the configuration of a host begins.
const FIRST: &str = "write one: mkdir -p /etc/procward && procward init > /etc/procward/procward.toml";

/// `asked_for`: a person named this very file.
fn unreadable(path: &Path, asked_for: bool, error: &std::io::Error) -> Fault {
    let help = match error.kind() {
        ErrorKind::NotFound if path == Path::new(DEFAULT) => FIRST,
        ErrorKind::NotFound if asked_for => {
            return Fault::new(
                0..0,
                "there is no such file",
                "see how it is written; without --config and PROCWARD_CONFIG it is /etc/procward/procward.toml",
            );
        }
        ErrorKind::NotFound => "mend the link, or remove it",
        ErrorKind::TimedOut => "look after the server that the file lies with",
        ErrorKind::PermissionDenied => "let the user who runs procward read it",
        _ => "give a file of TOML",
    };
    Fault::new(0..0, format!("cannot be read: {error}"), help)
}

/// The files that make up the configuration.
fn paths(path: Option<&Path>, unread: &mut Vec<Item>, notes: Notes) -> Vec<PathBuf> {
    let mut all = |dir: &Path| {
        notes.of_file(dir, || files_of(dir)).unwrap_or_else(|error| {
            unread.push(faulty(dir, unreadable(dir, false, &error)));
            Vec::new()
        })
    };
    match path {
        Some(path) if is_directory(path, notes) => {
            let paths = all(path);
            if paths.is_empty() && unread.is_empty() {
                unread.push(faulty(
                    path,
                    Fault::new(0..0, "holds no *.toml", "give a file, or add one"),
                ));
            }
            paths
        }
        Some(path) => vec![path.to_owned()],
        None => {
            let default = PathBuf::from(DEFAULT);
            let beside = default.with_file_name("conf.d");
            // Only what is not there is no part of it; what can't be looked at is.
            let mut paths = match notes.of_file(&beside, || beside.symlink_metadata()) {
                Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
                _ => all(&beside),
            };
            if paths.is_empty() || notes.of_file(&default, || default.try_exists()).unwrap_or(true) {
                paths.insert(0, default);
            }
            paths
        }
    }
}

fn is_directory(path: &Path, notes: Notes) -> bool {
    notes.of_file(path, || Ok(path.is_dir())).unwrap_or(false)
}

fn read_file(path: &Path, notes: Notes) -> Result<String, Fault> {
    match notes.of_file(path, || std::fs::metadata(path)) {
        Ok(file) if !file.is_file() && !file.is_dir() => Err(Fault::new(
            0..0,
            "is not a file",
            "remove it, or give it with --config",
        )),
        _ => read(path, false, notes),
    }
}

fn read(path: &Path, asked_for: bool, notes: Notes) -> Result<String, Fault> {
    let mut bytes = Vec::new();
    let read = || std::fs::File::open(path)?.take(LIMIT + 1).read_to_end(&mut bytes);
    notes
        .of_input(path, read)
        .map_err(|error| unreadable(path, asked_for, &error))?;
    if bytes.len() as u64 > LIMIT {
        return Err(Fault::new(0..0, "is too large", "give a file of at most 4 MiB"));
    }
    // Bytes taken for others would be a name that nothing has, and a silent OK.
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        let message = format!("is not UTF-8 in line {}", line + 1);
        Fault::new(
            0..0,
            message,
            "write other bytes as an expression: select = 'name~^a\\xffb$'",
        )
    })
}

/// The `*.toml` of a directory in lexical order, without those that editors and dpkg leave behind.
fn files_of(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries: std::io::Result<Vec<_>> = std::fs::read_dir(dir)?.collect();
    let mut files: Vec<PathBuf> = entries?
        .into_iter()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().as_encoded_bytes();
            name.ends_with(b".toml") && !name.starts_with(b".")
        })
        .collect();
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::accounts::Nss;
    use rustix::fs::{CWD, FileType, Mode};
    use std::os::unix::fs::PermissionsExt;

    const CHECK: &str = "[[check]]\nname = \"x\"\nselect = \"x\"\n";

    fn names(path: &Path) -> Vec<String> {
        let loaded = load(Some(path), &Nss::default(), Notes::none());
        let name = |item: &Item| match item {
            Item::Check(check) => check.name.clone(),
            Item::Faulty { name, faulty } => format!("{name} {}", faulty.faults[0].message),
            Item::Skipped { name, reason } => format!("{name} skipped: {reason}"),
        };
        loaded.items.iter().map(name).collect()
    }

    #[test]
    fn what_cannot_be_read_is_a_faulty_item_beside_the_others() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("a.toml"), CHECK).unwrap();
        std::fs::write(at("b.toml"), b"# ok\n[[check]] # \xff\n").unwrap();
        std::fs::create_dir(at("c.toml")).unwrap();
        std::fs::write(at("d.toml.dpkg-old"), "rubbish").unwrap();
        std::fs::write(at(".e.toml"), "rubbish").unwrap();
        std::os::unix::fs::symlink("nowhere", at("f.toml")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", at("g.toml")).unwrap();
        let fifo = Mode::RUSR | Mode::WUSR;
        rustix::fs::mknodat(CWD, at("h.toml"), FileType::Fifo, fifo, 0).unwrap();
        std::os::unix::fs::symlink("i.toml", at("i.toml")).unwrap();
        let told = |name: &str, what: &str| format!("{} {what}", at(name).display());
        assert_eq!(
            names(dir.path()),
            [
                told("b.toml", "is not UTF-8 in line 2"),
                told("c.toml", "cannot be read: Is a directory (os error 21)"),
                told("f.toml", "cannot be read: No such file or directory (os error 2)"),
                told("g.toml", "is not a file"),
                told("h.toml", "is not a file"),
                told(
                    "i.toml",
                    "cannot be read: Too many levels of symbolic links (os error 40)"
                ),
                "x".to_owned(),
            ]
        );
    }

    #[test]
    fn a_device_that_was_asked_for_is_read_up_to_a_limit() {
        assert_eq!(names(Path::new("/dev/zero")), ["/dev/zero is too large"]);
        assert_eq!(names(Path::new("/dev/null")), [] as [&str; 0]);
    }

    #[test]
    fn a_directory_without_configuration_is_told() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(
            names(dir.path()),
            [format!("{} holds no *.toml", dir.path().display())]
        );
    }

    #[test]
    fn a_file_that_cannot_be_looked_for_is_a_fault_and_no_reason_to_skip() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("p.toml");
        // A name too long for any file: the answer is neither yes nor no, whoever asks.
        let path = format!("/{}", "x".repeat(300));
        std::fs::write(&file, format!("{CHECK}when = \"exists {path}\"\n")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(
            names(&file),
            [format!(
                "x it can't be told whether {path} exists: File name too long (os error 36)"
            )]
        );
    }
}
