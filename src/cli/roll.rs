//! `procward roll`: the daemons of this host, grouped as a person would, each with the spec that watches it.

use super::arguments::ViewArguments;
use super::list::{age, size};
use super::view::{View, exit_of};
use crate::exit_code::Exit;
use crate::outcome::Outcome;
use crate::report::escape;
use crate::report::wrap::wrap;
use crate::select::place;
use crate::select::reading::{Reading, Subject, Value};
use crate::select::script::{file_name, is_interpreter};
use crate::select::spec::writing::{quoted, word};
use crate::select::{File, Key, Plan};
use crate::snapshot::{Accounts, Gap, Process, Snapshot};
use clap::Args;
use std::collections::BTreeMap;
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// The arguments of `roll`.
#[derive(Clone, Args, Debug, Default)]
pub struct Roll {}

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
    /// Resident memory of all, bytes.
    pub rss: u64,
    /// Its unit, if it is a service.
    pub unit: Option<String>,
    /// The selector that means these processes.
    pub select: String,
}

impl Group {
    /// The range to watch for: a single process stays single, several may come and go.
    #[must_use]
    pub fn range(&self) -> &'static str {
        if self.count == 1 { "1" } else { "1-" }
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
        let groups = groups(&snapshot, &view);
        let exit = exit_of(&snapshot);
        let width = arguments.terminal.look(false).width;
        Outcome::new(table(&groups, &snapshot, width), exit)
    }
}

/// The daemons of a snapshot, by unit or program and by user.
#[must_use]
pub fn groups(snapshot: &Snapshot, accounts: &dyn Accounts) -> Vec<Group> {
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
                row.rss = row.rss.saturating_add(group.rss);
            }
        }
    }
    rows.into_values().collect()
}

fn group_of(process: &Process, snapshot: &Snapshot, accounts: &dyn Accounts) -> Option<Group> {
    let stat = process.stat.value()?;
    let observer = &snapshot.observer;
    // Session 0 is any session outside the PID namespace.
    let beside = observer
        .session
        .is_some_and(|own| own == stat.session && own != 0);
    let own = beside
        || observer.pid == Some(process.pid)
        || observer.ancestors.contains(&process.pid) && process.pid != 1;
    // What belongs to somebody's login is no daemon: it has a terminal, or lives in a session or below user@.
    let path = process.cgroup.value().map_or(&b""[..], |cgroup| &cgroup.path);
    let unit = place::unit(path);
    let login = unit.is_some_and(|unit| unit.starts_with(b"session-") || unit.starts_with(b"user@"));
    let subject = Subject::of(process, snapshot);
    let inside = matches!(subject.read(Key::Scope), Reading::One(Value::YesNo(true)));
    if stat.is_kthread() || stat.is_zombie() || own || login || stat.tty_nr != 0 || inside {
        return None;
    }
    let names = match subject.read(Key::Name) {
        Reading::One(Value::Bytes(name)) => vec![name.into_owned()],
        // The longest is the most telling: the whole of a name over 15 bytes, the script of an interpreter.
        Reading::Set(values, _) => values
            .into_iter()
            .filter_map(|value| {
                if let Value::Bytes(name) = value {
                    Some(name.into_owned())
                } else {
                    None
                }
            })
            .collect(),
        _ => Vec::new(),
    };
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
        Reading::One(Value::Number(age)) => u64::try_from(age).unwrap_or(0),
        _ => 0,
    };
    Some(Group {
        name: String::from_utf8_lossy(shown).into_owned(),
        select: format!("{selector},user={}", quoted(&user)),
        user,
        count: 1,
        age: seconds,
        rss: stat.rss.saturating_mul(snapshot.host.page_size),
        unit: unit
            .filter(|unit| unit.ends_with(b".service"))
            .map(|unit| String::from_utf8_lossy(unit).into_owned()),
    })
}

/// What the columns between name and spec take, with their blanks.
const BETWEEN: usize = "  USER        NUM SINCE MEMORY".len();

/// The column of names, unless a terminal has less room.
const NAMES: usize = 18;

/// Without a width nothing is cut: what is too long pushes its line to the right.
fn table(groups: &[Group], snapshot: &Snapshot, width: Option<usize>) -> String {
    let mut text = String::new();
    let names = width.map_or(NAMES, |width| width.saturating_sub(BETWEEN).clamp(8, NAMES));
    let cut = width.is_some();
    let spec = if names < NAMES { "" } else { "  SPEC" };
    let _ = writeln!(
        text,
        "{:<names$} {:<10} {:>4} {:>5} {:>6}{spec}",
        "DAEMON", "USER", "NUM", "SINCE", "MEMORY"
    );
    for group in groups {
        let left = format!(
            "{} {} {:>4} {:>5} {:>6}",
            fit(&group.name, names, cut),
            fit(&group.user, 10, cut),
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
    let rest = rest(groups, snapshot);
    match width {
        Some(width) => text + &wrap(&rest, width),
        None => text + &rest,
    }
}

/// What is said below the table.
fn rest(groups: &[Group], snapshot: &Snapshot) -> String {
    let mut text = String::new();
    if groups.is_empty() {
        let why = if snapshot.gaps.iter().any(Gap::blinds) {
            "no daemon can be seen"
        } else {
            "no daemon: all processes belong to the kernel, a login or a container"
        };
        let _ = writeln!(text, "({why})");
    }
    let _ = writeln!(
        text,
        "\n{} daemons among {} processes. Watch one: procward check SPEC. All: procward init.",
        groups.len(),
        snapshot.seen
    );
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
    fn what_runs_beside_procward_is_left_out_but_not_where_the_session_is_outside() {
        for (session, listed) in [(7, 0), (0, 1)] {
            let of = |pid| process(pid, "daemon").stat(|stat| stat.session = session);
            let mut view = host(vec![of(20), of(21)]);
            view.observer.pid = Some(20);
            view.observer.session = Some(session);
            let groups = groups(&view, &view.accounts);
            let found = groups.iter().filter(|group| group.name == "daemon").count();
            assert_eq!(found, listed, "session {session}");
        }
    }
}
