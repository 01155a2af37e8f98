//! `procward snapshot`: save what is seen, for bug reports, tests and incidents.

use super::arguments::ViewArguments;
use super::view::View;
use crate::exit_code::Exit;
use crate::outcome::Outcome;
use crate::select::{File, Plan};
use crate::snapshot::{Accounts, Fact, Snapshot, Why, file};
use crate::source::accounts::local_table;
use clap::Args;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;

/// The arguments of `snapshot`.
#[derive(Clone, Args, Debug)]
pub struct SnapshotCommand {
    /// Write to this file, which nobody else may read then
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Save arguments, too, which may hold secrets
    #[arg(long)]
    pub with_arguments: bool,
}

impl SnapshotCommand {
    /// Runs it.
    pub fn run(self, arguments: &ViewArguments) -> Outcome {
        let view = match View::open(arguments) {
            Ok(view) => view,
            Err(sentence) => return Outcome::new(format!("{sentence}\n"), Exit::Unknown),
        };
        let mut snapshot = view.look(&Plan::everything(&File::ALL));
        if matches!(view, View::Proc(..)) {
            snapshot.gauges = Some(view.gauges());
            snapshot.pressures = Some(view.pressures());
            note_accounts(&mut snapshot, &view);
        }
        if !self.with_arguments {
            redact(&mut snapshot);
        }
        let bytes = match file::to_bytes(&snapshot) {
            Ok(bytes) => bytes,
            Err(error) => {
                return Outcome::new(format!("cannot write the snapshot: {error}\n"), Exit::Unknown);
            }
        };
        let Some(path) = self.output else {
            return Outcome::new(bytes, Exit::Ok);
        };
        let shown = crate::report::escape::text(path.as_os_str().as_encoded_bytes());
        let written = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| {
                // One that was there may have been readable by all.
                if file.metadata()?.is_file() {
                    file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
                }
                file.write_all(&bytes)
            });
        match written {
            Ok(()) => Outcome::new(
                format!("{} processes written to {shown}\n", snapshot.processes.len()),
                Exit::Ok,
            ),
            Err(error) => Outcome::new(format!("cannot write {shown}: {error}\n"), Exit::Unknown),
        }
    }
}

/// Names and files that a spec may ask for where the snapshot is looked at elsewhere.
fn note_accounts(snapshot: &mut Snapshot, view: &View) {
    let mut table = local_table();
    for process in &snapshot.processes {
        if let Some((uid, gid)) = process.owner.value() {
            if let Some(name) = view.user_name(*uid) {
                table.users.insert(name, *uid);
            }
            if let Some(name) = view.group_name(*gid) {
                table.groups.insert(name, *gid);
            }
        }
        let Some(path) = process
            .exe
            .value()
            .and_then(|exe| std::str::from_utf8(exe.path()).ok())
        else {
            continue;
        };
        if !table.files.contains_key(path)
            && let Ok(Some(file)) = view.file(path)
        {
            table.files.insert(path.to_owned(), file);
        }
    }
    snapshot.accounts = table;
}

/// Takes the arguments out: a spec that asks for them is then UNKNOWN, never a no.
fn redact(snapshot: &mut Snapshot) {
    snapshot.observer.arguments.clear();
    for process in &mut snapshot.processes {
        if matches!(process.cmdline, Fact::Value(_)) {
            process.cmdline = Fact::Unreadable(Why::Absent);
        }
    }
}
