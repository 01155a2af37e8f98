//! `main=yes`: the main process of a program, told from its workers and from what a dead main left behind.
//!
//! The child of a living process of its own program is a worker. The child of a living process of another program
//! is main. What PID 1 (or another reaper) has for a child is either a daemon that was started properly or an
//! orphan; the two are told apart by session, by PF_FORKNOEXEC, by login and by their siblings, and where that is
//! not enough it stays unknown.

use super::File;
use super::Key;
use super::place;
use super::reading::{Reading, Subject, Value, fact, of};
use super::script::{file_name, is_interpreter};
use super::truth::Need;
use crate::snapshot::Why;

/// What one process looks like without regard to its siblings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Main,
    Worker,
    /// A forked copy that leads its session below a reaper and has no workers: a classic daemon, or an orphan of
    /// one whose workers lead sessions of their own (postgres).
    Doubtful,
    /// Left to a reaper.
    Leftover,
}

/// The reading of the key `main`.
pub(super) fn read(subject: Subject<'_>) -> Result<Reading<'_>, Reading<'_>> {
    let stat = fact(&subject.process.stat, File::Stat)?;
    if stat.is_kthread() || stat.is_zombie() {
        return Ok(Reading::NotApplicable);
    }
    let crowd = subject.crowd.ok_or(Reading::Need(Need::Crowd))?;
    let answer = |yes| Ok(Reading::One(Value::YesNo(yes)));
    let own = standing(subject)?;
    match own {
        Standing::Main => return answer(true),
        Standing::Worker => return answer(false),
        Standing::Doubtful | Standing::Leftover => {}
    }
    let mut alike = false;
    for process in crowd
        .processes
        .iter()
        .filter(|other| other.pid != subject.process.pid)
    {
        let sibling = Subject { process, ..subject };
        let at = |reading| of(process.pid, reading);
        if fact(&process.stat, File::Stat).map_err(at)?.is_zombie() {
            continue;
        }
        if same_program(subject, sibling)? == Some(false) || !same_unit(subject, sibling)? {
            continue;
        }
        match standing(sibling).map_err(at) {
            Ok(Standing::Main) => return answer(false),
            Ok(Standing::Doubtful | Standing::Leftover) => alike = true,
            Err(Reading::Need(need)) => return Err(Reading::Need(need)),
            _ => {}
        }
    }
    if own == Standing::Doubtful && !alike && !has_a_title(subject)? {
        return answer(true);
    }
    Err(Reading::Unreadable(Why::Torn))
}

fn standing(subject: Subject<'_>) -> Result<Standing, Reading<'_>> {
    let stat = fact(&subject.process.stat, File::Stat)?;
    if stat.ppid == 0 {
        return Ok(Standing::Main);
    }
    let parent = subject.other(stat.ppid)?;
    let same = same_as_parent(subject, parent)?;
    if same == Some(true) {
        return Ok(Standing::Worker);
    }
    if !is_reaper(parent)? {
        return if same.is_none() {
            Err(Reading::Unreadable(Why::Denied))
        } else {
            Ok(Standing::Main)
        };
    }
    if stat.session != subject.process.pid || is_of_a_login(subject)? {
        return Ok(Standing::Leftover);
    }
    if !stat.is_forked_copy() || has_workers(subject)? {
        return Ok(Standing::Main);
    }
    Ok(Standing::Doubtful)
}

/// Whether a process runs its parent's program. One that has not exec'ed does, whatever it calls itself (`gunicorn:
/// worker`), unless the files tell that the parent has exec'ed since. One that has exec'ed the same file may be
/// another program all the same.
fn same_as_parent<'a>(subject: Subject<'a>, parent: Subject<'a>) -> Result<Option<bool>, Reading<'a>> {
    let forked = fact(&subject.process.stat, File::Stat)?.is_forked_copy();
    match same_file(subject, parent)? {
        None if forked && !is_reaper(parent)? => Ok(Some(true)),
        None => same_comm(subject, parent),
        Some(true) if is_another_in_one_file(subject, parent, forked)? => Ok(Some(false)),
        same => Ok(same),
    }
}

/// Whether a process that runs its parent's file is another program: a user's manager, which PID 1 starts as a
/// service; what one script of an interpreter starts of another; another name of busybox.
fn is_another_in_one_file<'a>(
    subject: Subject<'a>,
    parent: Subject<'a>,
    forked: bool,
) -> Result<bool, Reading<'a>> {
    let program = subject
        .process
        .exe
        .value()
        .map_or(&b""[..], |exe| file_name(exe.path()));
    if program == b"busybox" {
        return Ok(same_comm(subject, parent)? == Some(false));
    }
    if forked {
        return Ok(false);
    }
    if is_interpreter(program) {
        let name = |subject: Subject<'a>| match subject.read(Key::Name) {
            reading @ Reading::Need(_) => Err(of(subject.process.pid, reading)),
            reading => Ok(reading),
        };
        return Ok(name(subject)? != name(parent)?);
    }
    if !is_reaper(parent)? {
        return Ok(false);
    }
    let unit = |subject: Subject<'a>| match fact(&subject.process.cgroup, File::Cgroup) {
        Ok(cgroup) => Ok(place::unit(&cgroup.path)),
        Err(reading) => Err(of(subject.process.pid, reading)),
    };
    let own = unit(subject)?;
    Ok(own.is_some_and(|own| own.ends_with(b".service")) && own != unit(parent)?)
}

/// Whether two processes run one program: by file where both can be read, else as far as comm tells.
fn same_program<'a>(a: Subject<'a>, b: Subject<'a>) -> Result<Option<bool>, Reading<'a>> {
    same_file(a, b)?.map_or_else(|| same_comm(a, b), |same| Ok(Some(same)))
}

/// Whether two processes run one file, where both can be read.
fn same_file<'a>(a: Subject<'a>, b: Subject<'a>) -> Result<Option<bool>, Reading<'a>> {
    let file = |subject: Subject<'a>| match fact(&subject.process.exe, File::Exe) {
        Ok(exe) => Ok(exe.file.value().copied()),
        Err(Reading::Need(need)) => Err(of(subject.process.pid, Reading::Need(need))),
        Err(_) => Ok(None),
    };
    let (Some(a), Some(b)) = (file(a)?, file(b)?) else {
        return Ok(None);
    };
    Ok(Some((a.device, a.inode) == (b.device, b.inode)))
}

/// Another comm is taken for another program, and the same comm proves nothing.
fn same_comm<'a>(a: Subject<'a>, b: Subject<'a>) -> Result<Option<bool>, Reading<'a>> {
    let comm = |subject: Subject<'a>| subject.comm().map_err(|reading| of(subject.process.pid, reading));
    Ok(if comm(a)? == comm(b)? { None } else { Some(false) })
}

fn unit_of(subject: Subject<'_>) -> Result<Option<&[u8]>, Reading<'_>> {
    match fact(&subject.process.cgroup, File::Cgroup) {
        Ok(cgroup) => Ok(place::unit(&cgroup.path)),
        Err(Reading::Need(need)) => Err(of(subject.process.pid, Reading::Need(need))),
        Err(_) => Ok(None),
    }
}

fn same_unit<'a>(a: Subject<'a>, b: Subject<'a>) -> Result<bool, Reading<'a>> {
    Ok(unit_of(a)? == unit_of(b)?)
}

/// Whether orphans are given to this process: PID 1, the first process of a PID namespace, a user's manager.
fn is_reaper(subject: Subject<'_>) -> Result<bool, Reading<'_>> {
    let pid = subject.process.pid;
    if pid == 1 {
        return Ok(true);
    }
    let at = |reading| of(pid, reading);
    let first = match fact(&subject.process.status, File::Status).map_err(at) {
        Ok(status) => status.ns_pid.last() == Some(&1),
        Err(Reading::Need(need)) => return Err(Reading::Need(need)),
        Err(_) => false,
    };
    let stat = fact(&subject.process.stat, File::Stat).map_err(at)?;
    Ok(first || (stat.ppid == 1 && stat.comm == b"systemd"))
}

/// Whether the process belongs to somebody's login: in a session's scope, or, where no service manager keeps
/// services apart, with a login uid. A daemon of a login may be one of its leftovers.
fn is_of_a_login(subject: Subject<'_>) -> Result<bool, Reading<'_>> {
    if subject.comm()? == b"sshd" && serves_a_connection(subject)? {
        return Ok(true);
    }
    match unit_of(subject)? {
        Some(unit) if unit.ends_with(b".service") => Ok(false),
        Some(unit) if unit.starts_with(b"session-") => Ok(true),
        _ => match fact(&subject.process.loginuid, File::Loginuid) {
            Ok(loginuid) => Ok(loginuid.is_some()),
            Err(Reading::Need(need)) => Err(Reading::Need(need)),
            Err(_) => Ok(false),
        },
    }
}

/// Whether an sshd is that of one connection. It executes itself anew and leads a session, in the listener's own unit
/// until somebody logs in, and for good where pam_systemd does not move it: only its title tells.
fn serves_a_connection(subject: Subject<'_>) -> Result<bool, Reading<'_>> {
    match fact(&subject.process.cmdline, File::Cmdline) {
        Ok(cmdline) => {
            let title = cmdline.arguments.first().map_or(&b""[..], Vec::as_slice);
            let listens = title
                .windows(b"[listener]".len())
                .any(|part| part == b"[listener]");
            Ok(title.starts_with(b"sshd: ") && !listens)
        }
        Err(Reading::Need(need)) => Err(Reading::Need(need)),
        // Overwritten or not to be read: it may be one.
        Err(_) => Ok(true),
    }
}

fn has_workers(subject: Subject<'_>) -> Result<bool, Reading<'_>> {
    let crowd = subject.crowd.ok_or(Reading::Need(Need::Crowd))?;
    for process in &crowd.processes {
        let stat = match fact(&process.stat, File::Stat) {
            Ok(stat) => stat,
            Err(reading @ Reading::Need(_)) => return Err(of(process.pid, reading)),
            Err(_) => continue,
        };
        let child = Subject { process, ..subject };
        if stat.ppid == subject.process.pid
            && !stat.is_zombie()
            && (stat.is_forked_copy() || same_program(subject, child)? == Some(true))
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether argv[0] was overwritten by a title (`postgres: walwriter`): workers do that.
fn has_a_title(subject: Subject<'_>) -> Result<bool, Reading<'_>> {
    let cmdline = match fact(&subject.process.cmdline, File::Cmdline) {
        Ok(cmdline) => cmdline,
        Err(Reading::Need(need)) => return Err(Reading::Need(need)),
        Err(_) => return Ok(true),
    };
    let comm = subject.comm()?;
    let argv0 = cmdline.arguments.first().map_or(&b""[..], Vec::as_slice);
    Ok(!file_name(argv0).starts_with(comm) || file_name(argv0).contains(&b':'))
}
