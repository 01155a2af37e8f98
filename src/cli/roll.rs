//! `procward roll`: the daemons of this host, grouped as a person would, each with the spec that watches it.

use super::arguments::ViewArguments;
use super::list::{age, size};
use super::view::{View, exit_of};
use crate::exit_code::Exit;
use crate::outcome::Outcome;
use crate::report::escape;
use crate::report::wrap::wrap;
use crate::select::names::file_name;
use crate::select::place;
use crate::select::reading::{Reading, Subject, Value};
use crate::select::script::is_interpreter;
use crate::select::selection::Wanted;
use crate::select::spec::parse_selector;
use crate::select::spec::writing::{quoted, word};
use crate::select::{File, Key, Plan, select};
use crate::snapshot::{Accounts, Bytes, Gap, Observer, Process, Snapshot, Stat};
use clap::Args;
use std::collections::BTreeMap;
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// The arguments of `roll`.
#[derive(Clone, Args, Debug, Default)]
pub struct Roll {
    /// Leave out what the audit finds
    #[arg(long)]
    pub no_audit: bool,
}

/// One row of the roll call.
#[derive(Clone, Debug)]
pub struct Group {
    /// What to call it.
    pub name: String,
    /// User name or uid.
    pub user: String,
    /// How many processes.
    pub count: u64,
    /// Age of the oldest, seconds.
    pub age: u64,
    /// Whether the selector means a single process, those that are no daemons included: one of a login, say.
    alone: bool,
    /// Resident memory of all, bytes.
    pub rss: u64,
    /// Whether all of them were started a moment ago, and not by a service: a `sleep` of a shell is no daemon.
    young: bool,
    /// Its unit, if it is a service.
    pub unit: Option<String>,
    /// The selector that means these processes.
    pub select: String,
}

impl Group {
    /// The range to watch for: a single process stays single, several may come and go.
    #[must_use]
    pub fn range(&self) -> &'static str {
        if self.alone { "1" } else { "1-" }
    }
}

/// The files that the roll call shows.
pub const FILES: [File; 7] = [
    File::Comm,
    File::Owner,
    File::Exe,
    File::Stat,
    File::Cgroup,
    File::Status,
    File::Cmdline,
];

impl Roll {
    /// Runs it.
    pub fn run(self, arguments: &ViewArguments) -> Outcome {
        let view = match View::open(arguments) {
            Ok(view) => view,
            Err(sentence) => return Outcome::new(format!("{sentence}\n"), Exit::Unknown),
        };
        let snapshot = view.look(&Plan::everything(&FILES));
        let (groups, young) = groups(&snapshot, &view);
        let exit = exit_of(&snapshot);
        let width = arguments.terminal.look(false).width;
        Outcome::new(table(&groups, young, &snapshot, width), exit)
    }
}

/// For how long a program must run, in seconds, to be taken for a daemon where it belongs to no service.
const YOUNG: u64 = 60;

/// The daemons of a snapshot, by unit or program and by user, and how many programs were left out as too young.
#[must_use]
pub fn groups(snapshot: &Snapshot, accounts: &dyn Accounts) -> (Vec<Group>, usize) {
    let mut rows: BTreeMap<(String, String, String), Group> = BTreeMap::new();
    for process in &snapshot.processes {
        let Some(group) = group_of(process, snapshot, accounts) else {
            continue;
        };
        let key = (group.name.clone(), group.user.clone(), group.select.clone());
        match rows.get_mut(&key) {
            None => {
                rows.insert(key, group);
            }
            Some(row) => {
                row.count += 1;
                row.age = row.age.max(group.age);
                row.young &= group.young;
                row.rss = row.rss.saturating_add(group.rss);
            }
        }
    }
    let (young, mut daemons): (Vec<Group>, Vec<Group>) = rows.into_values().partition(|group| group.young);
    for group in &mut daemons {
        group.alone = group.count == 1 && means_one(&group.select, snapshot, accounts);
    }
    (daemons, young.len())
}

/// Whether a selector means no more than one process, as a check with it would find.
fn means_one(text: &str, snapshot: &Snapshot, accounts: &dyn Accounts) -> bool {
    let Ok(selector) = parse_selector(text, accounts) else {
        return true;
    };
    let wanted = Wanted {
        selector,
        except: Vec::new(),
        strict: false,
        everywhere: false,
        match_self: false,
    };
    let meant = select(&wanted, snapshot);
    meant.matched.len() + meant.unknown.len() <= 1
}

/// `2 programs younger than 1 min left out`.
#[must_use]
pub fn left_out(young: usize) -> Option<String> {
    let plural = if young == 1 { "" } else { "s" };
    (young > 0).then(|| format!("{young} program{plural} younger than 1 min left out"))
}

fn group_of(process: &Process, snapshot: &Snapshot, accounts: &dyn Accounts) -> Option<Group> {
    let stat = process.stat.value()?;
    let path = process.cgroup.value().map_or(&b""[..], |cgroup| &cgroup.path);
    let unit = place::unit(path);
    let subject = Subject::of(process, snapshot);
    if !is_daemon(subject, stat, unit, &snapshot.observer) {
        return None;
    }
    let names = names(subject);
    let comm = &stat.comm;
    let script = names.iter().find(|name| is_interpreter(comm) && *name != comm);
    let exe = process
        .exe
        .value()
        .filter(|exe| exe.is_deleted() == Some(false))
        .map(crate::snapshot::Exe::path);
    let by_path = exe.filter(|path| script.is_none() && !is_interpreter(file_name(path)));
    let name = script
        .or_else(|| names.iter().max_by_key(|name| name.len()))
        .unwrap_or(comm);
    let shown = by_path.map_or(name.as_slice(), file_name);
    let selector = match by_path.and_then(|path| std::str::from_utf8(path).ok()) {
        Some(path) => word(Key::Exe, path),
        None => word(Key::Name, std::str::from_utf8(name).ok()?),
    };
    let (uid, _) = process.owner.value()?;
    let user = accounts.user_name(*uid).unwrap_or_else(|| uid.to_string());
    let seconds = match subject.read(Key::Age) {
        Reading::One(Value::Number(age)) => u64::try_from(age).ok(),
        _ => None,
    };
    let service = unit.filter(|unit| unit.ends_with(b".service"));
    Some(Group {
        name: String::from_utf8_lossy(shown).into_owned(),
        select: format!("{selector},user={}", quoted(&user)),
        user,
        count: 1,
        alone: true,
        age: seconds.unwrap_or(0),
        young: service.is_none() && seconds.is_some_and(|seconds| seconds < YOUNG),
        rss: stat.rss.saturating_mul(snapshot.host.page_size),
        unit: service.map(|unit| String::from_utf8_lossy(unit).into_owned()),
    })
}

fn is_daemon(subject: Subject<'_>, stat: &Stat, unit: Option<&[u8]>, observer: &Observer) -> bool {
    let pid = subject.process.pid;
    // Session 0 is any session outside the PID namespace.
    let beside = observer
        .session
        .is_some_and(|own| own == stat.session && own != 0);
    let own = beside || observer.pid == Some(pid) || observer.ancestors.contains(&pid) && pid != 1;
    // What belongs to somebody's login is no daemon: it has a terminal, or lives in a session or below user@.
    let login = unit.is_some_and(|unit| unit.starts_with(b"session-") || unit.starts_with(b"user@"));
    let inside = matches!(subject.read(Key::Scope), Reading::One(Value::YesNo(true)));
    !(stat.is_kthread() || stat.is_zombie() || own || login || stat.tty_nr != 0 || inside)
}

fn names(subject: Subject<'_>) -> Vec<Bytes> {
    let bytes = |value: Value<'_>| match value {
        Value::Bytes(name) => Some(name.into_owned()),
        _ => None,
    };
    match subject.read(Key::Name) {
        Reading::One(value) => bytes(value).into_iter().collect(),
        // The longest is the most telling: the whole of a name over 15 bytes, the script of an interpreter.
        Reading::Set(values, _) => values.into_iter().filter_map(bytes).collect(),
        _ => Vec::new(),
    }
}

/// What the columns between name and spec take, with their blanks.
const BETWEEN: usize = "  USER        NUM SINCE MEMORY".len();

/// The columns of names and of users, unless a terminal has less room.
const NAMES: usize = 18;
const USERS: usize = 10;

/// As wide as the widest; one that is wider than all reason pushes its line to the right.
fn widest<'a>(words: impl Iterator<Item = &'a String>) -> usize {
    let width = |word: &String| escape::text(word.as_bytes()).width();
    words.map(width).max().unwrap_or(0).min(40)
}

/// Without a width nothing is cut.
fn table(groups: &[Group], young: usize, snapshot: &Snapshot, width: Option<usize>) -> String {
    let mut text = String::new();
    let cut = width.is_some();
    let (names, users) = match width {
        Some(width) => (width.saturating_sub(BETWEEN).clamp(8, NAMES), USERS),
        None => (
            widest(groups.iter().map(|group| &group.name)).max(NAMES),
            widest(groups.iter().map(|group| &group.user)).max(USERS),
        ),
    };
    let spec = if names < NAMES { "" } else { "  SPEC" };
    let _ = writeln!(
        text,
        "{:<names$} {:<users$} {:>4} {:>5} {:>6}{spec}",
        "DAEMON", "USER", "NUM", "SINCE", "MEMORY"
    );
    for group in groups {
        let left = format!(
            "{} {} {:>4} {:>5} {:>6}",
            fit(&group.name, names, cut),
            fit(&group.user, users, cut),
            group.count,
            age(group.age),
            size(group.rss)
        );
        let spec = escape::text(format!("{}:{}", group.select, group.range()).as_bytes());
        if width.is_none_or(|width| left.width() + 2 + spec.width() <= width) {
            let _ = writeln!(text, "{left}  {spec}");
        } else {
            let _ = writeln!(text, "{left}\n    {spec}");
        }
    }
    let rest = rest(groups, young, snapshot);
    match width {
        Some(width) => text + &wrap(&rest, width),
        None => text + &rest,
    }
}

/// What is said below the table.
fn rest(groups: &[Group], young: usize, snapshot: &Snapshot) -> String {
    let mut text = String::new();
    if groups.is_empty() {
        let why = if snapshot.gaps.iter().any(Gap::blinds) {
            "no daemon can be seen"
        } else if young > 0 {
            "no daemon: none runs for 1 min yet"
        } else {
            "no daemon: all processes belong to the kernel, a login or a container"
        };
        let _ = writeln!(text, "({why})");
    }
    let daemons = if groups.len() == 1 { "daemon" } else { "daemons" };
    let _ = writeln!(
        text,
        "\n{} {daemons} among {} processes. Watch one: procward check SPEC. All: procward init.",
        groups.len(),
        snapshot.seen
    );
    if let Some(sentence) = left_out(young) {
        let _ = writeln!(text, "{sentence}.");
    }
    for gap in &snapshot.gaps {
        let _ = writeln!(
            text,
            "incomplete view: {}; {}",
            escape::text(gap.text().as_bytes()),
            gap.remedy()
        );
    }
    text
}

/// A text padded to a number of columns, or cut to it.
fn fit(text: &str, width: usize, cut: bool) -> String {
    let text = escape::text(text.as_bytes());
    if !cut {
        return format!("{text}{}", " ".repeat(width.saturating_sub(text.width())));
    }
    let mut shown = String::new();
    for c in text.chars() {
        if format!("{shown}{c}").width() > width {
            shown.pop();
            shown.push('~');
            break;
        }
        shown.push(c);
    }
    let pad = width.saturating_sub(shown.width());
    shown + &" ".repeat(pad)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Build, host, process};

    #[test]
    fn what_started_a_moment_ago_is_left_out_and_counted_unless_a_service_started_it() {
        let young = |pid, name| process(pid, name).born_ago(59_000, 0);
        let mut view = host(vec![
            young(20, "sleep"),
            young(21, "timeout"),
            young(22, "worker"),
            process(23, "worker").born_ago(60_000, 0),
            young(24, "fresh").cgroup("/system.slice/fresh.service"),
        ]);
        view.host.ticks_per_second = 100;
        let (daemons, left) = groups(&view, &view.accounts);
        let rows: Vec<(&str, u64)> = daemons
            .iter()
            .map(|group| (group.name.as_str(), group.count))
            .filter(|(name, _)| *name != "init")
            .collect();
        assert_eq!((rows, left), (vec![("fresh", 1), ("worker", 2)], 2));
        assert_eq!(
            left_out(2).as_deref(),
            Some("2 programs younger than 1 min left out")
        );
        assert_eq!(
            left_out(1).as_deref(),
            Some("1 program younger than 1 min left out")
        );
        assert_eq!(left_out(0), None);
    }

    #[test]
    fn a_daemon_beside_a_process_of_the_same_name_in_a_login_is_not_the_only_one() {
        let view = host(vec![
            process(20, "agent"),
            process(21, "agent").stat(|stat| stat.tty_nr = 34_816),
            process(22, "alone"),
        ]);
        let (daemons, _) = groups(&view, &view.accounts);
        let ranges: Vec<(&str, u64, &str)> = daemons
            .iter()
            .map(|group| (group.name.as_str(), group.count, group.range()))
            .filter(|(name, ..)| *name != "init")
            .collect();
        assert_eq!(ranges, [("agent", 1, "1-"), ("alone", 1, "1")]);
    }

    #[test]
    fn the_table_is_cut_at_a_terminal_alone_and_keeps_its_columns() {
        let long = "a-name-of-more-than-18-columns";
        let view = host(vec![process(20, long), process(21, "short")]);
        let (groups, young) = groups(&view, &view.accounts);
        let lines = |width| -> Vec<String> {
            let text = table(&groups, young, &view, width);
            text.lines().take(4).map(str::to_owned).collect()
        };
        assert_eq!(
            lines(None)[..3],
            [
                "DAEMON                         USER        NUM SINCE MEMORY  SPEC",
                "a-name-of-more-than-18-columns root          1   59m     0B  /usr/sbin/a-name-of-more-than-18-columns,user=root:1",
                "init                           root          1   59m     0B  /usr/sbin/init,user=root:1",
            ]
        );
        assert_eq!(
            lines(Some(60)),
            [
                "DAEMON             USER        NUM SINCE MEMORY  SPEC",
                "a-name-of-more-th~ root          1   59m     0B",
                "    /usr/sbin/a-name-of-more-than-18-columns,user=root:1",
                "init               root          1   59m     0B",
            ]
        );
    }

    #[test]
    fn what_runs_beside_procward_is_left_out_but_not_where_the_session_is_outside() {
        for (session, listed) in [(7, 0), (0, 1)] {
            let of = |pid| process(pid, "daemon").stat(|stat| stat.session = session);
            let mut view = host(vec![of(20), of(21)]);
            view.observer.pid = Some(20);
            view.observer.session = Some(session);
            let (groups, _) = groups(&view, &view.accounts);
            let found = groups.iter().filter(|group| group.name == "daemon").count();
            assert_eq!(found, listed, "session {session}");
        }
    }
}
