//! What ps shows of a process, and what of it could not be read: the columns of
//! `ps axwwo 'stat uid pid ppid vsz rss pcpu etime comm args'`, which check_procs takes apart.

use crate::select::reading::Subject;
use crate::select::{Key, Truth};
use crate::snapshot::{Fact, Host, Process, Snapshot, Stat, Status, Why};

/// A value, or why it can't be told.
pub type Seen<T> = Result<T, Why>;

/// One process.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// PID; none for a line of which not even that could be read.
    pub pid: Option<i32>,
    /// PPID
    pub ppid: Seen<i64>,
    /// UID: the effective one.
    pub uid: Seen<i64>,
    /// VSZ, in kB.
    pub vsz: Seen<f64>,
    /// RSS, in kB.
    pub rss: Seen<f64>,
    /// %CPU: of one core, over the whole life.
    pub cpu: Seen<f64>,
    /// STAT: the state and its marks.
    pub stat: Seen<Vec<u8>>,
    /// ELAPSED, in seconds.
    pub elapsed: Seen<f64>,
    /// COMMAND: comm.
    pub comm: Seen<Vec<u8>>,
    /// COMMAND: the arguments.
    pub args: Seen<Vec<u8>>,
    /// Whether there are more of them than were read.
    pub args_cut: bool,
    /// Whether it is a kernel thread.
    pub kthread: Seen<bool>,
    /// Whether it lives in a container, as far as that was asked for.
    pub contained: bool,
    /// Whether it is part of the run itself.
    pub own: Option<Own>,
}

/// Why a process does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// It is procward.
    Myself,
    /// It started procward.
    Parent,
}

impl Row {
    /// A process of which nothing can be told.
    #[must_use]
    pub fn unreadable(pid: Option<i32>, why: Why) -> Row {
        Row {
            pid,
            ppid: Err(why),
            uid: Err(why),
            vsz: Err(why),
            rss: Err(why),
            cpu: Err(why),
            stat: Err(why),
            elapsed: Err(why),
            comm: Err(why),
            args: Err(why),
            args_cut: false,
            kthread: Err(why),
            contained: false,
            own: None,
        }
    }

    /// What ps shows of a process.
    #[must_use]
    pub fn of(process: &Process, snapshot: &Snapshot) -> Row {
        let stat = seen(&process.stat);
        let host = &snapshot.host;
        let life = stat.and_then(|stat| life(process, stat, host));
        Row {
            pid: Some(process.pid),
            ppid: stat.map(|stat| i64::from(stat.ppid)),
            uid: seen(&process.owner).map(|(uid, _)| i64::from(*uid)),
            vsz: stat.map(|stat| whole(stat.vsize / 1024)),
            rss: stat.and_then(|stat| rss(process, stat, host)),
            cpu: stat.and_then(|stat| Ok(cpu(stat, host, life?))),
            stat: stat.and_then(|stat| marks(process, stat, seen(&process.status))),
            elapsed: life.map(f64::floor),
            comm: comm(process),
            args: args(process),
            args_cut: process.cmdline.value().is_some_and(|cmdline| cmdline.truncated),
            kthread: stat.map(Stat::is_kthread),
            contained: is_contained(process, snapshot),
            own: None,
        }
    }

    /// The name, for people.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        self.comm.as_deref().map_or(b"?", base_name)
    }
}

/// What stands behind the last slash: check_procs takes that off a comm too.
#[must_use]
pub fn base_name(name: &[u8]) -> &[u8] {
    name.iter()
        .rposition(|b| *b == b'/')
        .map_or(name, |at| &name[at + 1..])
}

fn seen<T>(fact: &Fact<T>) -> Seen<&T> {
    match fact {
        Fact::Value(value) => Ok(value),
        Fact::Unreadable(why) => Err(*why),
        Fact::NotAsked | Fact::NotApplicable => Err(Why::Absent),
    }
}

#[allow(clippy::cast_precision_loss, reason = "sizes and times are far below 2^53")]
fn whole(number: u64) -> f64 {
    number as f64
}

/// In kB, by `status`, as ps has it; where that was not read or tells none, by `stat`.
fn rss(process: &Process, stat: &Stat, host: &Host) -> Seen<f64> {
    let exact = match &process.status {
        Fact::Unreadable(why) => return Err(*why),
        status => status.value().and_then(|status| status.vm_rss),
    };
    let bytes = exact.unwrap_or_else(|| stat.rss.saturating_mul(host.page_size));
    Ok(whole(bytes / 1024))
}

/// Seconds since it was started.
fn life(process: &Process, stat: &Stat, host: &Host) -> Seen<f64> {
    let age = host.age(process.read_at, stat.starttime);
    age.map(|age| age.as_secs_f64()).ok_or(Why::Future)
}

/// As ps writes it: tenths, cut off and not rounded; from 100 % on without them.
fn cpu(stat: &Stat, host: &Host, life: f64) -> f64 {
    if life == 0.0 {
        return 0.0;
    }
    let used = whole(stat.ticks()) / whole(host.ticks_per_second.max(1));
    let tenths = (used * 1000.0 / life).floor();
    if tenths > 999.0 {
        (tenths / 10.0).floor()
    } else {
        tenths / 10.0
    }
}

/// The state with the marks of ps(1), in its order: `<` or `N` by nice value, `L` memory locked, `s` leads its session,
/// `l` has threads, `+` in the foreground.
fn marks(process: &Process, stat: &Stat, status: Seen<&Status>) -> Seen<Vec<u8>> {
    let locked = status?.vm_lck.is_some_and(|locked| locked > 0);
    let marks = [
        (true, stat.state),
        (stat.nice < 0, b'<'),
        (stat.nice > 0, b'N'),
        (locked, b'L'),
        (stat.session == process.pid, b's'),
        (stat.num_threads > 1, b'l'),
        (stat.pgrp == stat.tpgid, b'+'),
    ];
    Ok(marks
        .iter()
        .filter(|(holds, _)| *holds)
        .map(|(_, mark)| *mark)
        .collect())
}

fn comm(process: &Process) -> Seen<Vec<u8>> {
    // A name that changed while the process was read is said there.
    if let Fact::Unreadable(why) = process.comm {
        return Err(why);
    }
    seen(&process.stat).map(|stat| stat.comm.clone())
}

/// The arguments with blanks between them; where there are none, the name in brackets, and of a zombie ` <defunct>`.
fn args(process: &Process) -> Seen<Vec<u8>> {
    let bracketed = |suffix: &[u8]| Ok([b"[", comm(process)?.as_slice(), b"]", suffix].concat());
    match &process.cmdline {
        Fact::Value(cmdline) => {
            let text = cmdline.arguments.join(&b' ').trim_ascii().to_vec();
            if text.is_empty() { bracketed(b"") } else { Ok(text) }
        }
        Fact::NotApplicable if seen(&process.stat)?.is_zombie() => bracketed(b" <defunct>"),
        // Zero bytes are what there is.
        Fact::NotApplicable | Fact::Unreadable(Why::Empty) => bracketed(b""),
        Fact::Unreadable(why) => Err(*why),
        Fact::NotAsked => Err(Why::Absent),
    }
}

fn is_contained(process: &Process, snapshot: &Snapshot) -> bool {
    let asked = process.status.asked() && process.cgroup.asked();
    asked && Subject::of(process, snapshot).in_container() == Ok(true)
}

/// A value as a truth.
pub(super) fn told<T>(seen: &Seen<T>, key: Key, holds: impl FnOnce(&T) -> bool) -> Truth {
    match seen {
        Ok(value) => Truth::of(holds(value)),
        Err(why) => Truth::Unknown(key, *why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Cmdline;
    use crate::testing::process;

    fn row(change: impl FnOnce(&mut Process, &mut Stat, &mut Status)) -> Row {
        let mut one = process(70, "sshd");
        let (mut stat, mut status) = (Stat::default(), Status::default());
        if let (Fact::Value(known), Fact::Value(ids)) = (&one.stat, &one.status) {
            (stat, status) = (known.clone(), ids.clone());
        }
        stat.tpgid = -1;
        one.read_at = 20_000_000_000;
        change(&mut one, &mut stat, &mut status);
        if one.stat.value().is_some() {
            one.stat = Fact::Value(stat);
            one.status = Fact::Value(status);
        }
        Row::of(&one, &Snapshot::default())
    }

    #[test]
    fn the_columns_are_those_of_ps() {
        let shown = row(|_, stat, _| {
            (stat.vsize, stat.rss) = (8_192_000, 215);
            (stat.utime, stat.stime) = (100, 23);
        });
        assert_eq!((shown.pid, shown.ppid, shown.uid), (Some(70), Ok(1), Ok(0)));
        assert_eq!((shown.vsz, shown.rss), (Ok(8000.0), Ok(860.0)));
        assert_eq!(row(|_, _, status| status.vm_rss = Some(4096)).rss, Ok(4.0));
        // Started at 10 s, read at 20 s.
        assert_eq!((shown.cpu, shown.elapsed), (Ok(12.3), Ok(10.0)));
        assert_eq!(shown.name(), b"sshd");
        assert_eq!(shown.args, Ok(b"sshd".to_vec()));
        assert_eq!(shown.stat, Ok(b"Ss".to_vec()));
    }

    #[test]
    fn elapsed_counts_from_a_start_before_the_clock_of_the_time_namespace() {
        let started = |ticks| row(|_, stat, _| (stat.starttime, stat.utime) = (ticks, 1150));
        let old = started(crate::testing::BEFORE_ZERO);
        assert_eq!((old.elapsed, old.cpu), (Ok(23.0), Ok(49.9)));
        let future = started(2001);
        assert_eq!((future.elapsed, future.cpu), (Err(Why::Future), Err(Why::Future)));
    }

    #[test]
    fn cpu_is_cut_off_as_ps_cuts_it() {
        let used = |ticks| row(|_, stat, _| stat.utime = ticks).cpu;
        assert_eq!(used(999), Ok(99.9));
        assert_eq!(used(1039), Ok(103.0));
        assert_eq!(
            row(|process, stat, _| (process.read_at, stat.utime) = (10_000_000_000, 5)).cpu,
            Ok(0.0)
        );
    }

    #[test]
    fn the_marks_of_the_state_stand_in_the_order_of_ps() {
        let all = row(|_, stat, status| {
            (stat.nice, stat.num_threads, stat.pgrp, stat.tpgid) = (-5, 3, 70, 70);
            status.vm_lck = Some(4096);
        });
        assert_eq!(all.stat, Ok(b"S<Lsl+".to_vec()));
        let some = row(|_, stat, _| (stat.nice, stat.session, stat.state) = (5, 1, b'D'));
        assert_eq!(some.stat, Ok(b"DN".to_vec()));
    }

    #[test]
    fn who_has_no_arguments_shows_its_name_in_brackets() {
        let shown = |cmdline: Fact<Cmdline>, state| {
            row(|process, stat, _| {
                process.cmdline = cmdline;
                stat.state = state;
            })
            .args
        };
        assert_eq!(shown(Fact::NotApplicable, b'I'), Ok(b"[sshd]".to_vec()));
        assert_eq!(shown(Fact::NotApplicable, b'Z'), Ok(b"[sshd] <defunct>".to_vec()));
        assert_eq!(shown(Fact::Unreadable(Why::Empty), b'S'), Ok(b"[sshd]".to_vec()));
        assert_eq!(shown(Fact::Unreadable(Why::NoAnswer), b'S'), Err(Why::NoAnswer));
        let arguments = ["a", "", "b "].map(|word| word.as_bytes().to_vec()).into();
        let truncated = false;
        let known = Fact::Value(Cmdline { arguments, truncated });
        assert_eq!(shown(known, b'S'), Ok(b"a  b".to_vec()));
    }
}
