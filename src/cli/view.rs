//! What is looked at: the live host, another proc file system, or a saved snapshot.

use super::arguments::ViewArguments;
use super::copy;
use crate::audit::host::Facts;
use crate::capabilities;
use crate::deadline::Notes;
use crate::exit_code::Exit;
use crate::memory::store::Store;
use crate::select::Plan;
use crate::snapshot::{Accounts, Clocks, FileId, Gap, Gauges, Pressures, Snapshot, Waiter, Waiters};
use crate::source::accounts::{Beside, Nss};
use crate::source::audit;
use crate::source::procfs::Procfs;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

/// Where a snapshot comes from.
const SAVE: &str = "save one with procward snapshot -o FILE";

/// Another tree in place of /proc is one that the caller names, and what he names is read with his own rights.
const NO_OTHER_PROC: &str = "--proc is refused with the rights of the group procward, which are for the /proc of this host: \
                             write procward check --proc DIR, which looks with your own";

/// Something to look at, more than once if need be.
pub enum View {
    /// A proc file system.
    Proc(Procfs, Box<dyn Accounts>),
    /// A saved snapshot: one look.
    Saved(Box<Snapshot>),
}

impl View {
    /// Where the processes come from.
    #[must_use]
    pub fn source(&self) -> String {
        match self {
            View::Proc(procfs, _) => procfs.shown(),
            View::Saved(_) => "a saved snapshot".into(),
        }
    }

    /// Opens what the arguments name.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn open(arguments: &ViewArguments) -> Result<View, String> {
        if let Some(file) = &arguments.snapshot {
            let shown = crate::report::escape::text(file.as_os_str().as_encoded_bytes());
            let text = arguments
                .notes
                .of_input(file, || read(file))
                .map_err(|error| format!("cannot read {shown}: {error}; {SAVE}"))?;
            let snapshot = crate::snapshot::file::from_bytes(&text)
                .map_err(|error| crate::report::escape::text(error.as_bytes()))
                .map_err(|error| format!("{shown} is not a snapshot of procward: {error}; {SAVE}"))?;
            return Ok(View::Saved(Box::new(snapshot)));
        }
        let notes = arguments.notes;
        if arguments.proc.is_some() && !capabilities::lent().is_empty() {
            return Err(NO_OTHER_PROC.into());
        }
        Ok(match &arguments.proc {
            None => View::Proc(Procfs::live().watched(notes), Box::new(Nss::watched(notes))),
            Some(dir) => {
                let open = || {
                    let procfs = Procfs::at(dir.clone()).watched(notes);
                    let accounts: Box<dyn Accounts> = if procfs.is_live() {
                        Box::new(Nss::watched(notes))
                    } else {
                        Box::new(Beside::of(dir))
                    };
                    Ok(View::Proc(procfs, accounts))
                };
                let opened = notes.of_file(dir, open);
                opened.map_err(|error| format!("cannot read {}: {error}", dir.display()))?
            }
        })
    }

    /// Looks.
    #[must_use]
    pub fn look(&self, plan: &Plan) -> Snapshot {
        self.look_after(plan, None)
    }

    /// Looks; where a rate is asked for, twice, a window apart.
    #[must_use]
    pub fn look_over(&self, plan: &Plan, window: Duration) -> Snapshot {
        if !plan.clocks() || !self.is_live() {
            return self.look(plan);
        }
        let first = self.look(plan);
        std::thread::sleep(window);
        self.look_after(plan, first.clocks)
    }

    /// Looks, with the clocks of an earlier look; a saved snapshot has its own.
    #[must_use]
    pub fn look_after(&self, plan: &Plan, past: Option<Clocks>) -> Snapshot {
        match self {
            View::Proc(procfs, _) => {
                let mut look = procfs.snapshot_after(plan, past);
                look.observer.grantable = procfs.is_live() && copy::would_help();
                look
            }
            View::Saved(snapshot) => (**snapshot).clone(),
        }
    }

    /// Who watches this worker.
    #[must_use]
    pub fn notes(&self) -> Notes {
        match self {
            View::Proc(procfs, _) => procfs.notes(),
            View::Saved(_) => Notes::none(),
        }
    }

    /// Load and memory of the host.
    #[must_use]
    pub fn gauges(&self) -> Gauges {
        match self {
            View::Proc(procfs, _) => procfs.gauges(),
            View::Saved(snapshot) => snapshot.gauges.clone().unwrap_or_default(),
        }
    }

    /// Facts about the host that the audit asks for; of a saved snapshot, or another host, there are none.
    #[must_use]
    pub fn facts(&self, wanted: impl Fn(&str) -> bool) -> Facts {
        match self {
            View::Proc(procfs, _) if procfs.is_live() => audit::facts(procfs, wanted),
            _ => Facts::new(),
        }
    }

    /// Who waits for what.
    #[must_use]
    pub fn pressures(&self) -> Pressures {
        match self {
            View::Proc(procfs, _) => procfs.pressures(),
            View::Saved(snapshot) => snapshot.pressures.clone().unwrap_or_default(),
        }
    }

    /// Who sleeps in state D; of a saved snapshot only the first threads are known, and not where.
    #[must_use]
    pub fn waiters(&self, look: &Snapshot) -> Waiters {
        match self {
            View::Proc(procfs, _) => procfs.waiters(look),
            View::Saved(_) => saved_waiters(look),
        }
    }

    /// Makes out who these processes of a look are.
    pub fn acquaint(&self, look: &mut Snapshot, pids: &[i32]) {
        if let View::Proc(procfs, _) = self {
            procfs.acquaint(look, pids);
        }
    }

    /// Whether a rate can be taken: this is no copy of a proc file system.
    #[must_use]
    pub fn moves(&self) -> bool {
        matches!(self, View::Proc(procfs, _) if procfs.moves())
    }

    /// What is remembered of earlier runs on this host; a saved snapshot has no others.
    #[must_use]
    pub fn store(&self, asked_for: Option<&Path>) -> Option<Store> {
        match self {
            View::Proc(procfs, _) if procfs.is_live() => {
                Store::open(asked_for, Some(procfs.view()?), procfs.notes())
            }
            _ => None,
        }
    }

    /// Whether a second look may differ from the first.
    #[must_use]
    pub fn is_live(&self) -> bool {
        matches!(self, View::Proc(..))
    }
}

/// A snapshot of a host of a hundred thousand processes; a device that never ends is none.
const LIMIT: u64 = 1 << 30;

fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(file)?.take(LIMIT).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn saved_waiters(look: &Snapshot) -> Waiters {
    let waiter = |process: &crate::snapshot::Process| {
        let stat = process.stat.value().filter(|stat| stat.state == b'D')?;
        Some(Waiter {
            pid: process.pid,
            tasks: 1,
            threads: stat.num_threads.max(1),
            ..Waiter::default()
        })
    };
    Waiters {
        processes: look.processes.iter().filter_map(waiter).collect(),
        cut: false,
    }
}

/// How a command ends that shows what it sees: UNKNOWN where it did not see all.
#[must_use]
pub fn exit_of(snapshot: &Snapshot) -> Exit {
    if snapshot.gaps.iter().any(Gap::blinds) {
        Exit::Unknown
    } else {
        Exit::Ok
    }
}

/// The names of the view; a snapshot brings its own.
impl Accounts for View {
    fn uid(&self, name: &str) -> Result<Option<u32>, String> {
        self.accounts().uid(name)
    }
    fn gid(&self, name: &str) -> Result<Option<u32>, String> {
        self.accounts().gid(name)
    }
    fn user_name(&self, uid: u32) -> Option<String> {
        self.accounts().user_name(uid)
    }
    fn group_name(&self, gid: u32) -> Option<String> {
        self.accounts().group_name(gid)
    }
    fn file(&self, path: &str) -> Result<Option<FileId>, String> {
        match self {
            View::Proc(procfs, accounts) if procfs.is_live() => accounts.file(path),
            View::Proc(..) => Err("the files of another host or namespace are not looked up".into()),
            // Only what was looked up when the snapshot was taken is known.
            View::Saved(snapshot) => match snapshot.accounts.files.get(path) {
                Some(file) => Ok(Some(*file)),
                None => Err("the snapshot does not tell".into()),
            },
        }
    }
    fn security_module(&self) -> Result<Option<String>, String> {
        match self {
            View::Proc(procfs, _) => procfs.security_module(),
            View::Saved(snapshot) => snapshot.security_module(),
        }
    }
    fn is_script(&self, path: &str) -> bool {
        matches!(self, View::Proc(..)) && self.accounts().is_script(path)
    }
    fn real_path(&self, path: &str) -> Option<String> {
        match self {
            View::Proc(..) => self.accounts().real_path(path),
            View::Saved(_) => None,
        }
    }
}

impl View {
    fn accounts(&self) -> &dyn Accounts {
        match self {
            View::Proc(_, accounts) => &**accounts,
            View::Saved(snapshot) => &snapshot.accounts,
        }
    }
}
