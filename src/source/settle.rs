//! One process read by plan: everything below its own descriptor, and a last look whether it is still what was read
//! first.

use super::process_dir::{Proc, ProcessDir, mark};
use super::read::{Vanished, why};
use crate::select::plan::asked;
use crate::select::truth::Need;
use crate::select::{File, Plan, Step, Truth};
use crate::snapshot::process::PF_FORKNOEXEC;
use crate::snapshot::{Clock, Clocks, Fact, Process, Snapshot, Why};
use rustix::io::Errno;
use rustix::time::{ClockId, clock_gettime};
use std::cell::Cell;
use std::time::Duration;

/// How often a process that changes under our eyes is read again.
pub(super) const TORN_LIMIT: usize = 5;

/// How long to wait before the second time, then twice as long each time: an exec takes a millisecond or two.
const TORN_WAIT: Duration = Duration::from_micros(200);

/// How long to wait for all of them together.
pub(super) const PATIENCE: Duration = Duration::from_millis(200);

/// What is needed to read processes.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) proc: Proc<'a>,
    pub(super) plan: &'a Plan,
    /// How long may still be waited for processes that change under our eyes.
    pub(super) patience: &'a Cell<Duration>,
}

/// A process that stays in the snapshot, and the descriptor under which it was read.
pub(super) struct Kept {
    pub(super) process: Process,
    pub(super) dir: Option<ProcessDir>,
}

impl Source<'_> {
    /// Reads one process as far as the plan wants; `None` where no check means it. `clocks`: where those of every process
    /// are kept.
    pub(super) fn read_one(
        &self,
        pid: i32,
        snapshot: &Snapshot,
        clocks: Option<&mut Clocks>,
    ) -> Result<Option<Kept>, Vanished> {
        match ProcessDir::open(self.proc, pid) {
            Ok(dir) => {
                let (step, process) = self.settle(&dir, pid, snapshot)?;
                if let Some(clocks) = clocks {
                    clocks.clocks.extend(self.clock(&dir, &process, snapshot)?);
                }
                Ok((step != Step::Dismiss).then_some(Kept {
                    process,
                    dir: Some(dir),
                }))
            }
            Err(Errno::NOENT | Errno::SRCH) => Err(Vanished),
            // Closed to us, or no descriptor left: a process of which nothing can be told.
            Err(errno) => Ok(Some(Kept {
                process: unreadable(pid, why(errno)),
                dir: None,
            })),
        }
    }

    /// The clocks of a process, with the times of its threads, whether a check asks for those now or not: the next look
    /// may.
    fn clock(
        &self,
        dir: &ProcessDir,
        process: &Process,
        snapshot: &Snapshot,
    ) -> Result<Option<Clock>, Vanished> {
        let Some(mut clock) = Clock::of(process) else {
            return Ok(None);
        };
        let known = snapshot
            .past
            .as_ref()
            .and_then(|past| past.get(clock.pid, clock.start));
        if clock.sched.is_none() {
            let mut process = process.clone();
            dir.read(File::Sched, &mut process)?;
            clock = Clock::of(&process).unwrap_or(clock);
        }
        // Who did not run since is what it was.
        clock.exempt = match known {
            Some(known) if (known.own, known.reaped) == (clock.own, clock.reaped) => known.exempt,
            _ => self.is_exempt(dir, process.clone(), snapshot)?,
        };
        Ok(Some(clock))
    }

    fn is_exempt(
        &self,
        dir: &ProcessDir,
        mut process: Process,
        snapshot: &Snapshot,
    ) -> Result<bool, Vanished> {
        for _ in 0..=File::ALL.len() {
            match self.plan.exempts(&process, snapshot) {
                Truth::Pending(Need::File(file)) if !asked(&process, file) => dir.read(file, &mut process)?,
                truth => return Ok(truth == Truth::Yes),
            }
        }
        Ok(false)
    }

    /// Reads below the descriptor until the plan has enough, and until nothing moved meanwhile.
    pub(super) fn settle(
        &self,
        dir: &ProcessDir,
        pid: i32,
        snapshot: &Snapshot,
    ) -> Result<(Step, Process), Vanished> {
        for attempt in 0.. {
            let mut process = fresh(pid);
            dir.read(self.plan.first(), &mut process)?;
            let step = self.read_by_plan(dir, &mut process, snapshot)?;
            // "No" of any one fact is a "no" of its own instant; only a "yes" is put together from several.
            if step == Step::Dismiss {
                return Ok((step, process));
            }
            let changed = self.changed(dir, &process)?;
            if changed.is_empty() {
                return Ok((step, process));
            }
            if attempt == TORN_LIMIT || !self.wait(TORN_WAIT * (1 << attempt)) {
                tear(&mut process, &changed);
                return Ok((step, process));
            }
        }
        Err(Vanished)
    }

    /// Waits, if there is patience left: whoever changes all the time must not keep us from the others.
    fn wait(&self, time: Duration) -> bool {
        let Some(left) = self.patience.get().checked_sub(time) else {
            return false;
        };
        self.patience.set(left);
        std::thread::sleep(time);
        true
    }

    fn read_by_plan(
        &self,
        dir: &ProcessDir,
        process: &mut Process,
        snapshot: &Snapshot,
    ) -> Result<Step, Vanished> {
        let mut course = self.plan.course();
        // Every step reads another file, so there are at most as many steps as files.
        for _ in 0..=File::ALL.len() {
            match self.plan.next(&mut course, process, snapshot) {
                Step::Read(file) if !asked(process, file) => dir.read(file, process)?,
                Step::Read(_) => return Ok(Step::Keep),
                step => return Ok(step),
            }
        }
        Ok(Step::Keep)
    }

    /// What of comm, ids, label, program and PF_FORKNOEXEC is no longer what was read: an exec or a change of ids in between
    /// would mix facts of two programs. Nothing where the plan does not care.
    pub(super) fn changed(&self, dir: &ProcessDir, process: &Process) -> Result<Vec<File>, Vanished> {
        // Kernel threads do not exec, and workers change their comm with every piece of work.
        let kthread = process
            .stat
            .value()
            .is_some_and(crate::snapshot::Stat::is_kthread);
        if kthread || !self.plan.verify(process) {
            return Ok(Vec::new());
        }
        let mut changed = if self.proc.live {
            disagreeing(process)
        } else {
            Vec::new()
        };
        let mut again = Process {
            pid: process.pid,
            ..Process::default()
        };
        for file in [
            File::Exe,
            File::Owner,
            File::Status,
            File::Label,
            File::Comm,
            File::Stat,
        ] {
            if asked(process, file) {
                dir.read(file, &mut again)?;
            }
        }
        let signs = |p: &Process| p.stat.value().map(|s| (s.flags & PF_FORKNOEXEC, s.is_zombie()));
        let comm = |p: &Process| p.stat.value().map(|s| s.comm.clone());
        let ids = |p: &Process| p.status.value().map(|s| (s.uid, s.gid, s.groups.clone()));
        // A failed `exe` has `stat` read as well, on one side only.
        let stat = |differs: bool| process.stat.asked() && differs;
        let differing = [
            (again.exe != process.exe, File::Exe),
            (again.owner != process.owner, File::Owner),
            (ids(&again) != ids(process), File::Status),
            (again.label != process.label, File::Label),
            (again.comm != process.comm, File::Comm),
            (stat(comm(&again) != comm(process)), File::Comm),
        ];
        changed.extend(
            differing
                .iter()
                .filter(|(differs, _)| *differs)
                .map(|(_, file)| *file),
        );
        if stat(signs(&again) != signs(process)) {
            changed.extend(TORN_BY_EXEC);
        }
        Ok(changed)
    }
}

/// What an exec changes.
const TORN_BY_EXEC: [File; 6] = [
    File::Comm,
    File::Owner,
    File::Exe,
    File::Status,
    File::Label,
    File::Descriptors,
];

/// Files that tell of one thing and not the same: a process that goes to and fro would look unchanged.
fn disagreeing(process: &Process) -> Vec<File> {
    let stat = process.stat.value();
    let ids = process
        .status
        .value()
        .map(|status| (status.uid[1], status.gid[1]));
    let mut files = Vec::new();
    let comm = process.comm.value().zip(stat);
    if comm.is_some_and(|(comm, stat)| *comm != stat.comm) {
        files.push(File::Comm);
    }
    let owner = process.owner.value().zip(ids);
    if owner.is_some_and(|(owner, ids)| *owner != ids) {
        files.extend([File::Owner, File::Status, File::Exe]);
    }
    files
}

/// A process of which nothing is read yet, with the instant of CLOCK_BOOTTIME that `stat`'s start time refers to.
pub(super) fn fresh(pid: i32) -> Process {
    Process {
        pid,
        read_at: now(),
        ..Process::default()
    }
}

/// Nanoseconds of CLOCK_BOOTTIME.
#[must_use]
pub fn now() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
}

/// What changed was never of one moment with the rest. A process that only renames itself keeps its program and ids.
pub(super) fn tear(process: &mut Process, changed: &[File]) {
    for file in changed {
        if asked(process, *file) {
            mark(process, *file, Why::Torn);
        }
        // comm may be read from `stat` where it was not asked for itself.
        if *file == File::Comm && !process.comm.asked() {
            process.comm = Fact::Unreadable(Why::Torn);
        }
    }
}

fn unreadable(pid: i32, why: Why) -> Process {
    let mut process = fresh(pid);
    for file in File::ALL {
        mark(&mut process, file, why);
    }
    process
}
