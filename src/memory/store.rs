//! The state file: read before a run, replaced whole after it.
#![allow(
    clippy::disallowed_methods,
    reason = "the edge: the state file is read and written here"
)]

use super::Memory;
use super::lock::lock;
use crate::deadline::Notes;
use crate::replace::replace;
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
/// What every file of ours begins with, whatever its version.
const BEGINNING: &[u8] = b"{\"procward_state\"";
/// Where packages put it.
const DIRECTORY: &str = "/var/lib/procward";

/// Why a file is not used.
enum Useless {
    /// There is none.
    None,
    /// It is one of ours, or the beginning of one: it is replaced.
    Ours(String),
    /// It is not, or that can't be told: nothing is written in its place.
    Foreign(String),
}

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
            Err(Useless::None) => (Memory::default(), None),
            Err(Useless::Ours(what)) => (Memory::default(), Some(unused(&path, &what))),
            // Told when it is to be written.
            Err(Useless::Foreign(_)) => (Memory::default(), None),
        };
        Some(Store {
            path,
            notes,
            memory: Memory { view, ..memory },
            remark,
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces the file, if it is one of ours; gives what is remembered now. Another run may have written it meanwhile:
    /// what it noted of other checks is kept, and of those that it looked at later; what it counted of ours; and of the
    /// looks of both the latest.
    ///
    /// # Errors
    /// A sentence.
    pub fn save(&self, ours: &[String]) -> Result<Memory, String> {
        let mut memory = self.memory.clone();
        let _lock = lock(&self.path, self.notes);
        match read(&self.path, self.notes) {
            Ok(theirs) if theirs.view == memory.view => {
                for (name, known) in theirs.checks {
                    match memory.checks.get_mut(&name).filter(|_| ours.contains(&name)) {
                        Some(own) if !known.is_after(own) => own.counters.keep_up_with(known.counters),
                        _ => {
                            memory.checks.insert(name, known);
                        }
                    }
                }
                memory.samples.extend(theirs.samples);
                memory.keep_samples();
            }
            Ok(_) | Err(Useless::None | Useless::Ours(_)) => {}
            Err(Useless::Foreign(what)) => return Err(unused(&self.path, &what)),
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
            .of_file(&self.path, || replace(&self.path, |file| file.write_all(&bytes)))
            .map_err(|error| failed(&error))?;
        Ok(file.memory)
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

fn unused(path: &Path, what: &str) -> String {
    format!("the state file {} is not used: {what}", path.display())
}

fn read(path: &Path, notes: Notes) -> Result<Memory, Useless> {
    match notes.of_file(path, || Ok(bytes_of(path))) {
        Ok(bytes) => memory_in(&bytes?),
        Err(error) => Err(Useless::Foreign(error.to_string())),
    }
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, Useless> {
    let foreign = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Useless::None,
        _ => Useless::Foreign(error.to_string()),
    };
    let not_ours = || Useless::Foreign("it is no file of procward's, and not replaced".into());
    // Opening a device may set it going.
    if !std::fs::symlink_metadata(path).map_err(foreign)?.is_file() {
        return Err(not_ours());
    }
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(i32::try_from(flags.bits()).unwrap_or(0))
        .open(path)
        .map_err(foreign)?;
    let about = file.metadata().map_err(foreign)?;
    let mut bytes = Vec::new();
    let beginning = (&file).take(BEGINNING.len() as u64).read_to_end(&mut bytes);
    beginning.map_err(foreign)?;
    if about.uid() != geteuid().as_raw() {
        return Err(Useless::Foreign(
            "it belongs to another user, and is not replaced".into(),
        ));
    }
    // One that was cut short is ours, too.
    if !about.is_file() || about.len() > LIMIT || !BEGINNING.starts_with(&bytes) {
        return Err(not_ours());
    }
    if about.mode() & 0o022 != 0 {
        return Err(Useless::Ours("others may write to it".into()));
    }
    (&file).take(LIMIT).read_to_end(&mut bytes).map_err(foreign)?;
    Ok(bytes)
}

fn memory_in(bytes: &[u8]) -> Result<Memory, Useless> {
    match serde_json::from_slice::<File>(bytes) {
        Ok(file) if file.procward_state == VERSION => Ok(file.memory),
        Ok(file) => Err(Useless::Ours(format!(
            "version {} is not known",
            file.procward_state
        ))),
        Err(_) => Err(Useless::Ours("it is damaged".into())),
    }
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
    fn of_two_runs_the_one_that_looked_at_a_check_later_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let open = || Store::open(Some(&path), boot(), Notes::none()).unwrap();
        let looked = |store: &mut Store, at, failed| {
            let run = super::super::Run {
                at,
                rechecked: false,
                replaced: false,
                failed,
                unseen: false,
                pending: false,
            };
            let cron = store.memory.checks.entry("cron".into()).or_default();
            cron.runs.push(run);
            store.save(&["cron".to_owned()]).unwrap().checks["cron"]
                .runs
                .clone()
        };
        let (mut slow, mut fast) = (open(), open());
        let told = looked(&mut fast, 60, true);
        assert_eq!(looked(&mut slow, 50, false), told);
        // A time to come, which the run went on from, is no later look.
        let mut damaged = open();
        looked(&mut damaged, u64::MAX, false);
        assert_eq!(looked(&mut open(), 70, true).last().map(|run| run.at), Some(70));
    }

    #[test]
    fn what_another_run_counted_meanwhile_is_not_counted_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let after = |starts| {
            let mut store = Store::open(Some(&path), boot(), Notes::none()).unwrap();
            let cron = store.memory.checks.entry("cron".into()).or_default();
            cron.counters.totals.starts = starts;
            store
        };
        let (slow, fast) = (after(1), after(2));
        let counted = |store: Store| {
            let saved = store.save(&["cron".to_owned()]).unwrap();
            let read = Store::open(Some(&path), boot(), Notes::none()).unwrap().memory;
            assert_eq!(saved, read);
            saved.checks["cron"].counters.totals.starts
        };
        assert_eq!([counted(fast), counted(slow), counted(after(3))], [2, 2, 3]);
    }

    #[test]
    fn what_another_run_notes_while_this_one_saves_is_not_lost() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let noting = |name: &str| {
            let mut store = Store::open(Some(&path), boot(), Notes::none()).unwrap();
            let known = super::super::Recollection::default();
            store.memory.checks.insert(name.into(), known);
            store
        };
        noting("first").save(&[]).unwrap();
        let (mut ours, theirs) = (noting("ours").memory, noting("theirs"));
        ours.checks.insert("first".into(), Default::default());
        let held = lock(&path, Notes::none()).unwrap();
        let bytes = serde_json::to_vec(&File {
            procward_state: VERSION,
            memory: ours,
        })
        .unwrap();
        let other = path.clone();
        let holding = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(50));
            replace(&other, |file| file.write_all(&bytes)).unwrap();
            drop(held);
        });
        let saved = theirs.save(&["theirs".to_owned()]).unwrap();
        holding.join().unwrap();
        assert_eq!(
            saved.checks.keys().collect::<Vec<_>>(),
            ["first", "ours", "theirs"]
        );
        assert_eq!(
            Store::open(Some(&path), boot(), Notes::none()).unwrap().memory,
            saved
        );
    }

    #[test]
    fn who_holds_on_to_the_file_keeps_nobody_from_saving() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let open = || Store::open(Some(&path), boot(), Notes::none()).unwrap();
        open().save(&[]).unwrap();
        let held = lock(&path, Notes::none()).unwrap();
        assert!(lock(&path, Notes::none()).is_none());
        let mut store = open();
        let known = super::super::Recollection::default();
        store.memory.checks.insert("cron".into(), known);
        assert_eq!(store.save(&["cron".to_owned()]).unwrap(), open().memory);
        drop(held);
        assert!(lock(&path, Notes::none()).is_some());
    }

    #[test]
    fn the_latest_looks_are_kept_whoever_had_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let open = || Store::open(Some(&path), boot(), Notes::none()).unwrap();
        let looks = |instants: &[u64]| -> Vec<_> {
            let clocks = |at: &u64| crate::snapshot::Clocks {
                at: *at,
                ..Default::default()
            };
            instants.iter().map(clocks).collect()
        };
        let after = |ours: &[u64]| {
            let mut store = open();
            store.memory.samples = looks(&[1, 2]);
            store.save(&[]).unwrap();
            // It began with those, and took its time; another one had two more looks meanwhile.
            let mut slow = open();
            store.memory.samples = looks(&[2, 5]);
            store.save(&[]).unwrap();
            slow.memory.samples = looks(ours);
            slow.save(&[]).unwrap();
            open().memory.samples
        };
        assert_eq!(after(&[1, 2]), looks(&[2, 5]));
        assert_eq!(after(&[2, 7]), looks(&[5, 7]));
        assert_eq!(after(&[7, 8]), looks(&[7, 8]));
    }

    #[test]
    fn a_damaged_file_is_told_and_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        for text in [
            "",
            "{",
            "{\"procward_state\":9,\"memory\":{\"view\":null}}",
            "{\"procward_state\":2,\"mem",
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
    fn what_is_not_ours_is_neither_used_nor_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::os::unix::fs::symlink("/etc/passwd", at("link")).unwrap();
        std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        std::fs::create_dir(at("directory")).unwrap();
        std::fs::write(at("list"), "[1]").unwrap();
        std::fs::write(at("passwd"), "root:x:0:0\n").unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            at("fifo"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        for name in ["link", "socket", "directory", "list", "passwd", "fifo"] {
            let about = || {
                let about = std::fs::symlink_metadata(at(name)).unwrap();
                (about.ino(), about.mode(), about.len())
            };
            let before = about();
            let store = Store::open(Some(&at(name)), boot(), Notes::none()).unwrap();
            let said = store.save(&[]).unwrap_err();
            assert!(
                said.ends_with(&format!(
                    "/{name} is not used: it is no file of procward's, and not replaced"
                )),
                "{said}"
            );
            assert_eq!((store.remark, before), (None, about()), "{name}");
        }
        let nowhere = Store::open(Some(&at("none/state")), boot(), Notes::none()).unwrap();
        assert!(nowhere.save(&[]).is_err());
    }
}
