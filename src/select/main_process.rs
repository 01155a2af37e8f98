//! `main=yes`: the main process of a program, told from its workers and from what a dead main left behind.
//!
//! A title of a known daemon says it. Else the child of a living process of its own program is a worker, and the
//! child of a living process of another program is main. What PID 1 (or another reaper) has for a child is either a
//! daemon that was started properly or an orphan; the two are told apart by session, by PF_FORKNOEXEC, by login and
//! by their siblings, and where that is not enough it stays unknown. docs/main.md has what real daemons do.

use super::File;
use super::place;
use super::program::{comm, same, same_file};
use super::reading::{Reading, Subject, Value, fact, of};
use super::title::{self, Role};
use super::truth::Need;
use crate::snapshot::{Stat, Why};

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
    let reaper = is_reaper(subject.other(stat.ppid)?)?;
    let mut alike = 0;
    for process in crowd
        .processes
        .iter()
        .filter(|other| other.pid != subject.process.pid)
    {
        let sibling = Subject { process, ..subject };
        let at = |reading| of(process.pid, reading);
        let sibling_stat = fact(&process.stat, File::Stat).map_err(at)?;
        if sibling_stat.is_zombie() {
            continue;
        }
        // Most siblings of what was left behind were left behind with it, and tell nothing that is not known by now:
        // thousands of them must not take the time of all other checks.
        let told = own == Standing::Leftover || alike > 0;
        if told && is_plainly_left(stat, sibling, reaper) && role(sibling).map_err(at)? != Some(Role::Main) {
            continue;
        }
        if same(subject, sibling)? == Ok(false) || !same_unit(subject, sibling)? {
            continue;
        }
        match standing(sibling).map_err(at) {
            Ok(Standing::Main) => return answer(false),
            Ok(Standing::Worker) => {}
            Err(Reading::Need(need)) => return Err(Reading::Need(need)),
            Ok(Standing::Doubtful | Standing::Leftover) | Err(_) => alike += 1,
        }
        if alike > MANY {
            break;
        }
    }
    if own == Standing::Doubtful && alike == 0 && !has_a_title(subject)? {
        return answer(true);
    }
    Err(Reading::Unreadable(Why::Orphan))
}

/// With more siblings than these, each of which may be a daemon or an orphan, no more are looked at.
const MANY: usize = 8;

/// Whether a sibling has the parent of a process that was left to it, and leads no session: then it was left behind as
/// well, or is a worker. What a parent that is no reaper has started anew may be main.
fn is_plainly_left(left: &Stat, sibling: Subject<'_>, reaper: bool) -> bool {
    sibling.process.stat.value().is_some_and(|stat| {
        stat.ppid == left.ppid && stat.session != sibling.process.pid && (reaper || stat.is_forked_copy())
    })
}

fn standing(subject: Subject<'_>) -> Result<Standing, Reading<'_>> {
    let stat = fact(&subject.process.stat, File::Stat)?;
    let role = role(subject)?;
    if role == Some(Role::Other) {
        return Ok(Standing::Worker);
    }
    if stat.ppid == 0 {
        return Ok(Standing::Main);
    }
    let parent = subject.other(stat.ppid)?;
    if role == Some(Role::Main) {
        // A new main process is the old one's child until that ends: nginx replaces itself so.
        let replaces = comm(subject)? == comm(parent)?;
        return Ok(if replaces {
            Standing::Worker
        } else {
            Standing::Main
        });
    }
    if is_reaper(parent)? {
        return if same(subject, parent)? == Ok(true) && !is_a_service_below(parent, subject)? {
            Ok(Standing::Worker)
        } else {
            left_to_a_reaper(subject)
        };
    }
    if stat.is_forked_copy() {
        // A copy of another file than its parent's was left to that parent: a subreaper, which nothing else tells.
        return if same_file(subject, parent)? == Some(false) {
            left_to_a_reaper(subject)
        } else {
            Ok(Standing::Worker)
        };
    }
    match same(subject, parent)? {
        Ok(true) => Ok(Standing::Worker),
        Ok(false) => Ok(Standing::Main),
        Err(why) => Err(Reading::Unreadable(why)),
    }
}

/// The child of PID 1 or another reaper: a daemon, or an orphan.
fn left_to_a_reaper(subject: Subject<'_>) -> Result<Standing, Reading<'_>> {
    let stat = fact(&subject.process.stat, File::Stat)?;
    if stat.session != subject.process.pid {
        return Ok(Standing::Leftover);
    }
    if !stat.is_forked_copy() {
        let of_a_login = unit_of(subject)?.is_some_and(is_a_logins_scope);
        return Ok(if of_a_login {
            Standing::Leftover
        } else {
            Standing::Main
        });
    }
    if CONNECTIONS_LEAD_SESSIONS.contains(&comm(subject)?) {
        return Ok(Standing::Leftover);
    }
    // Asked first, for it may have to be read, and then everything is asked again.
    let of_a_login = is_of_a_login(subject)?;
    Ok(if has_workers(subject)? {
        Standing::Main
    } else if of_a_login {
        Standing::Leftover
    } else {
        Standing::Doubtful
    })
}

/// Daemons that fork a process for each connection and make it lead a session, without a mark: it looks as the
/// daemon itself does where that put itself into the background. Dropbear does so where it can't start itself anew.
const CONNECTIONS_LEAD_SESSIONS: [&[u8]; 1] = [b"dropbear"];

/// What the title says.
fn role(subject: Subject<'_>) -> Result<Option<Role>, Reading<'_>> {
    let comm = comm(subject)?;
    if !title::may_tell(comm) {
        return Ok(None);
    }
    let cmdline = fact(&subject.process.cmdline, File::Cmdline)?;
    Ok(title::role(comm, &cmdline.arguments))
}

/// Whether a child of its own program is nevertheless a service of its own: systemd runs each user's manager so.
fn is_a_service_below<'a>(parent: Subject<'a>, child: Subject<'a>) -> Result<bool, Reading<'a>> {
    if fact(&child.process.stat, File::Stat)?.is_forked_copy() {
        return Ok(false);
    }
    // Not unit_of(), for which an unreadable cgroup is none.
    let unit = |subject: Subject<'a>| match fact(&subject.process.cgroup, File::Cgroup) {
        Ok(cgroup) => Ok(place::unit(&cgroup.path)),
        Err(reading) => Err(of(subject.process.pid, reading)),
    };
    let own = unit(child)?;
    Ok(own.is_some_and(|own| own.ends_with(b".service")) && own != unit(parent)?)
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
    match unit_of(subject)? {
        Some(unit) if unit.ends_with(b".service") => Ok(false),
        Some(unit) if is_a_logins_scope(unit) => Ok(true),
        _ => match fact(&subject.process.loginuid, File::Loginuid) {
            Ok(loginuid) => Ok(loginuid.is_some()),
            Err(Reading::Need(need)) => Err(Reading::Need(need)),
            Err(_) => Ok(false),
        },
    }
}

fn is_a_logins_scope(unit: &[u8]) -> bool {
    unit.starts_with(b"session-")
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
            && (stat.is_forked_copy() || same(subject, child)? == Ok(true))
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether `argv[0]` was overwritten by a title: workers do that.
fn has_a_title(subject: Subject<'_>) -> Result<bool, Reading<'_>> {
    let cmdline = match fact(&subject.process.cmdline, File::Cmdline) {
        Ok(cmdline) => cmdline,
        Err(Reading::Need(need)) => return Err(Reading::Need(need)),
        Err(_) => return Ok(true),
    };
    let argv0 = cmdline.arguments.first().map_or(&b""[..], Vec::as_slice);
    Ok(title::is_title(subject.comm()?, argv0))
}

#[cfg(test)]
mod tests {
    use crate::judge::State;
    use crate::snapshot::process::PF_FORKNOEXEC;
    use crate::snapshot::{Process, Snapshot};
    use crate::testing::{Build, count, host, process, verdict};

    /// The state of `NAME,main=yes:1`.
    fn state(name: &str, snapshot: &Snapshot) -> State {
        count(&format!("{name},main=yes:1"), snapshot).0
    }

    /// Below another parent, in its session, with its program exec'ed.
    fn below(process: Process, ppid: i32) -> Process {
        process.stat(|stat| {
            stat.ppid = ppid;
            stat.session = ppid;
        })
    }

    #[test]
    fn a_connection_of_sshd_is_not_its_listener_although_it_leads_a_session() {
        let listener = process(10, "sshd").args(&["sshd: /usr/sbin/sshd -D [listener] 1 of 10-100 startups"]);
        let connection = process(11, "sshd").args(&["sshd: [accepted]"]);
        let child = connection.clone().stat(|stat| stat.ppid = 10);
        assert_eq!(state("sshd", &host(vec![listener.clone(), child])), State::Ok);
        assert_eq!(state("sshd", &host(vec![connection])), State::Critical);
        // Put into the background by itself, and restarted by hand in a login without systemd.
        let daemonized = listener
            .daemonized()
            .change(|p| p.loginuid = crate::snapshot::Fact::Value(Some(0)));
        assert_eq!(state("sshd", &host(vec![daemonized])), State::Ok);
    }

    #[test]
    fn a_title_that_cannot_be_read_is_not_taken_for_none() {
        let hidden = process(10, "sshd").change(|p| {
            p.cmdline = crate::snapshot::Fact::Unreadable(crate::snapshot::Why::Empty);
        });
        assert_eq!(state("sshd", &host(vec![hidden])), State::Unknown);
    }

    #[test]
    fn a_master_that_replaced_itself_leads_no_session_and_is_main() {
        let title = "nginx: master process /usr/sbin/nginx";
        let old = process(10, "nginx").daemonized().args(&[title]);
        let new = |ppid| {
            below(process(20, "nginx"), 10)
                .args(&[title])
                .stat(|stat| stat.ppid = ppid)
        };
        let worker = process(21, "nginx").child_of(20).args(&["nginx: worker process"]);
        assert_eq!(
            state("nginx", &host(vec![old, new(10), worker.clone()])),
            State::Ok
        );
        assert_eq!(state("nginx", &host(vec![new(1), worker])), State::Ok);
    }

    #[test]
    fn a_forked_connection_of_dropbear_may_be_its_listener() {
        let left = process(11, "dropbear").daemonized();
        let shell = process(12, "dropbear").child_of(11);
        assert_eq!(state("dropbear", &host(vec![left.clone()])), State::Unknown);
        assert_eq!(
            state("dropbear", &host(vec![left.clone(), shell])),
            State::Unknown
        );
        assert_eq!(
            state("dropbear", &host(vec![process(10, "dropbear"), left])),
            State::Ok
        );
    }

    #[test]
    fn a_script_below_another_script_of_the_same_interpreter_is_main() {
        let python = |pid, script| {
            process(pid, "python3")
                .exe("/usr/bin/python3.11")
                .args(&["python3", script])
        };
        let supervisor = python(10, "/usr/bin/supervisord");
        let app = below(python(11, "/srv/app.py"), 10);
        let worker = python(12, "/srv/app.py").child_of(11);
        let all = host(vec![supervisor.clone(), app.clone(), worker]);
        assert_eq!(state("app.py", &all), State::Ok);
        assert_eq!(state("supervisord", &all), State::Ok);
        // Without the right to read exe the names and scripts tell the same.
        let all = host(vec![supervisor, app].into_iter().map(Build::exe_denied).collect());
        assert_eq!(state("app.py", &all), State::Ok);
        // A script that starts itself anew has a worker.
        let cluster = process(10, "node").args(&["node", "server.js"]);
        let member = below(process(11, "node"), 10).args(&["node", "server.js"]);
        assert_eq!(state("server.js", &host(vec![cluster, member])), State::Ok);
    }

    #[test]
    fn what_a_subreaper_inherited_is_an_orphan() {
        let shim = process(10, "conmon");
        let left = |pid| process(pid, "apache2").child_of(10).stat(|stat| stat.session = 7);
        assert_eq!(
            state("apache2", &host(vec![shim.clone(), left(20), left(21)])),
            State::Unknown
        );
        // What it started itself is not.
        let started = below(process(20, "apache2"), 10);
        assert_eq!(state("apache2", &host(vec![shim, started])), State::Ok);
    }

    #[test]
    fn what_a_restart_left_behind_is_looked_at_again() {
        let left = |pid| process(pid, "apache2").orphan_of(10);
        let restarting = host(vec![left(11), left(12)]);
        let verdict = verdict("apache2,main=yes:1", &restarting);
        assert!(verdict.state == State::Unknown && verdict.passing);
    }

    #[test]
    fn a_daemon_that_forked_twice_is_not_main_for_certain() {
        let twice = process(11, "dnsmasq").orphan_of(10);
        assert_eq!(state("dnsmasq", &host(vec![twice])), State::Unknown);
    }

    #[test]
    fn a_daemon_started_in_its_own_session_from_a_login_is_main() {
        let login = |p: Process| p.change(|p| p.loginuid = crate::snapshot::Fact::Value(Some(1000)));
        assert_eq!(
            state("apache2", &host(vec![login(process(10, "apache2"))])),
            State::Ok
        );
        let forked = login(process(10, "apache2").daemonized());
        assert_eq!(state("apache2", &host(vec![forked.clone()])), State::Unknown);
        let worker = process(11, "apache2").child_of(10);
        assert_eq!(state("apache2", &host(vec![forked, worker])), State::Ok);
    }

    #[test]
    fn a_name_with_an_address_is_no_title_of_a_worker() {
        let redis = process(10, "redis-server")
            .daemonized()
            .args(&["redis-server *:6379"]);
        assert_eq!(state("redis-server", &host(vec![redis])), State::Ok);
        let copy = process(10, "pool").daemonized().args(&["pool: writer"]);
        assert_ne!(copy.stat.value().map_or(0, |stat| stat.flags & PF_FORKNOEXEC), 0);
        assert_eq!(state("pool", &host(vec![copy])), State::Unknown);
    }
}
