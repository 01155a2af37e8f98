//! The state file: read before a run, replaced whole after it.
#![allow(
    clippy::disallowed_methods,
    reason = "the edge: the state file is read and written here"
)]

use super::Memory;
use crate::deadline::Notes;
use rustix::process::geteuid;
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Where there is a state file, and what it held.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    notes: Notes,
    /// What was remembered; empty where nothing was.
    pub memory: Memory,
    /// A sentence about a file that could not be used.
    pub remark: Option<String>,
}

/// The version that is written; another one is ignored.
const VERSION: u32 = 2;
/// A larger file is not ours.
const LIMIT: u64 = 64 << 20;
/// Where packages put it.
const DIRECTORY: &str = "/var/lib/procward";

#[derive(Serialize, Deserialize)]
struct File {
    procward_state: u32,
    memory: Memory,
}

impl Store {
    /// The file that was asked for, or one of this user's own where mon, or the system, keeps such things; none where
    /// there is no place for it.
    #[must_use]
    pub fn open(asked_for: Option<&Path>, view: Option<String>, notes: Notes) -> Option<Store> {
        let path = asked_for.map(Path::to_owned).or_else(|| place(notes))?;
        let (memory, remark) = match read(&path, notes) {
            Ok(memory) if memory.view == view => (memory, None),
            // Another boot, of which nothing is alive, or another container, which numbers its processes otherwise.
            Ok(_) => (Memory::default(), None),
            Err(None) => (Memory::default(), None),
            Err(Some(what)) => {
                let sentence = format!("the state file {} is not used: {what}", path.display());
                (Memory::default(), Some(sentence))
            }
        };
        Some(Store {
            path,
            notes,
            memory: Memory { view, ..memory },
            remark,
        })
    }

    /// Replaces the file. Another run may have written it meanwhile: what it noted of other checks is kept.
    ///
    /// # Errors
    /// A sentence.
    pub fn save(&self, ours: &[String]) -> Result<(), String> {
        let mut memory = self.memory.clone();
        if let Ok(theirs) = read(&self.path, self.notes)
            && theirs.view == memory.view
        {
            for (name, known) in theirs.checks {
                if !ours.contains(&name) {
                    memory.checks.insert(name, known);
                }
            }
        }
        let failed = |error: &dyn std::fmt::Display| {
            format!("the state file {} can't be written: {error}", self.path.display())
        };
        let file = File {
            procward_state: VERSION,
            memory,
        };
        let bytes = serde_json::to_vec(&file).map_err(|error| failed(&error))?;
        self.notes
            .of_file(&self.path, || replace(&self.path, &bytes))
            .map_err(|error| failed(&error))
    }
}

/// One file for each user id: what root saw is not for others to change.
fn place(notes: Notes) -> Option<PathBuf> {
    let name = format!("procward-{}.state", geteuid().as_raw());
    let directory = match std::env::var_os("MON_STATEDIR") {
        Some(directory) => PathBuf::from(directory),
        None => PathBuf::from(DIRECTORY),
    };
    let writable = || rustix::fs::access(&directory, rustix::fs::Access::WRITE_OK).is_ok();
    let usable = notes.of_file(&directory, || Ok(writable() && directory.is_dir()));
    usable.unwrap_or(false).then(|| directory.join(name))
}

/// `Err(None)`: there is none yet.
fn read(path: &Path, notes: Notes) -> Result<Memory, Option<String>> {
    match notes.of_file(path, || Ok(bytes_of(path))) {
        Ok(bytes) => memory_in(&bytes?),
        Err(error) => Err(Some(error.to_string())),
    }
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, Option<String>> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let opened = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(i32::try_from(flags.bits()).unwrap_or(0))
        .open(path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(None),
        Err(error) => return Err(Some(error.to_string())),
    };
    let about = file.metadata().map_err(|error| Some(error.to_string()))?;
    if !about.is_file() || about.len() > LIMIT {
        return Err(Some("it is no file of procward's".into()));
    }
    if about.uid() != geteuid().as_raw() {
        return Err(Some("it belongs to another user".into()));
    }
    if about.mode() & 0o022 != 0 {
        return Err(Some("others may write to it".into()));
    }
    let mut bytes = Vec::new();
    let whole = file.take(LIMIT).read_to_end(&mut bytes);
    whole.map_err(|error| Some(error.to_string()))?;
    Ok(bytes)
}

fn memory_in(bytes: &[u8]) -> Result<Memory, Option<String>> {
    match serde_json::from_slice::<File>(bytes) {
        Ok(file) if file.procward_state == VERSION => Ok(file.memory),
        Ok(file) => Err(Some(format!("version {} is not known", file.procward_state))),
        Err(_) => Err(Some("it is damaged".into())),
    }
}

/// Written beside it and renamed: a reader sees the old one or the new one.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(name);
    let create = || {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true).mode(0o600).open(&beside)
    };
    let created = match create() {
        // A run with our PID was killed before it came to the renaming.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            std::fs::remove_file(&beside).and_then(|()| create())
        }
        created => created,
    };
    let written = created
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn boot() -> Option<String> {
        Some("boot".into())
    }

    #[test]
    fn what_was_saved_is_read_in_the_same_boot_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let mut store = Store::open(Some(&path), boot(), Notes::none()).unwrap();
        assert_eq!((store.remark.clone(), store.memory.checks.len()), (None, 0));
        store
            .memory
            .checks
            .insert("cron".into(), super::super::Recollection::default());
        store.save(&["cron".to_owned()]).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(
            Store::open(Some(&path), boot(), Notes::none()).unwrap().memory,
            store.memory
        );
        let other = Store::open(Some(&path), Some("another".into()), Notes::none()).unwrap();
        assert_eq!((other.remark, other.memory.checks.len()), (None, 0));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_another_run_noted_of_other_checks_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let mut one = Store::open(Some(&path), boot(), Notes::none()).unwrap();
        let mut other = Store::open(Some(&path), boot(), Notes::none()).unwrap();
        one.memory
            .checks
            .insert("one".into(), super::super::Recollection::default());
        one.save(&["one".to_owned()]).unwrap();
        other
            .memory
            .checks
            .insert("other".into(), super::super::Recollection::default());
        other.save(&["other".to_owned()]).unwrap();
        let names: Vec<String> = Store::open(Some(&path), boot(), Notes::none())
            .unwrap()
            .memory
            .checks
            .into_keys()
            .collect();
        assert_eq!(names, ["one", "other"]);
    }

    #[test]
    fn a_damaged_file_is_told_and_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        for text in [
            "",
            "{",
            "{\"procward_state\":9,\"memory\":{\"view\":null}}",
            "[1]",
        ] {
            std::fs::write(&path, text).unwrap();
            let store = Store::open(Some(&path), boot(), Notes::none()).unwrap();
            assert!(store.remark.is_some(), "{text}");
            store.save(&[]).unwrap();
            assert_eq!(
                Store::open(Some(&path), boot(), Notes::none()).unwrap().remark,
                None
            );
        }
    }

    #[test]
    fn what_a_killed_run_left_behind_is_no_hindrance() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        std::fs::write(dir.path().join(format!("state.{}.new", std::process::id())), "{").unwrap();
        Store::open(Some(&path), boot(), Notes::none())
            .unwrap()
            .save(&[])
            .unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_others_may_write_to_is_not_believed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        Store::open(Some(&path), boot(), Notes::none())
            .unwrap()
            .save(&[])
            .unwrap();
        let allow = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        allow(0o620);
        let store = Store::open(Some(&path), boot(), Notes::none()).unwrap();
        assert!(store.remark.as_ref().unwrap().ends_with("others may write to it"));
        store.save(&[]).unwrap();
        assert_eq!(
            Store::open(Some(&path), boot(), Notes::none()).unwrap().remark,
            None
        );
    }

    #[test]
    fn a_link_or_a_directory_is_no_state_file() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("link")).unwrap();
        for name in ["link", "."] {
            let store = Store::open(Some(&dir.path().join(name)), boot(), Notes::none()).unwrap();
            assert!(store.remark.is_some(), "{name}");
        }
        let nowhere = Store::open(Some(&dir.path().join("none/state")), boot(), Notes::none()).unwrap();
        assert!(nowhere.save(&[]).is_err());
    }
}
