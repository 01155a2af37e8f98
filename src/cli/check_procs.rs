//! `procward check-procs`, and procward under the name of the monitoring-plugins' check_procs.

use super::arguments::ViewArguments;
use super::view::View;
use crate::check_procs::extra::{self, Locator};
use crate::check_procs::options::{parse, timeout_of};
use crate::check_procs::row::Own;
use crate::check_procs::usage::{HELP, USAGE};
use crate::check_procs::wording::{Sight, nothing, render};
use crate::check_procs::{
    Filter, Metric, Options, Request, Row, Verdict, dialect, judge, listing, prefilter,
};
use crate::deadline::{Notes, time_of_late};
use crate::exit_code::Exit;
use crate::judge::State;
use crate::outcome::Outcome;
use crate::report::{capped, escape};
use crate::select::{File, Plan};
use crate::snapshot::{Gap, Snapshot};
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Runs it.
#[must_use]
pub fn run(arguments: &[OsString], view: &ViewArguments) -> Outcome {
    let outcome = answer(arguments, view);
    let text = String::from_utf8_lossy(&outcome.text).into_owned();
    Outcome::new(capped(text), outcome.exit)
}

/// What to say where a run had to end early. check_procs is CRITICAL when its time is up.
#[must_use]
pub fn excuse(reason: &str, known: Option<Outcome>) -> Outcome {
    let shown = escape::without_bars(&escape::text(reason.as_bytes()));
    if let Some(known) = known.filter(|known| known.exit != Exit::Ok) {
        let text = String::from_utf8_lossy(&known.text);
        return Outcome::new(capped(format!("{text}{shown}\n")), known.exit);
    }
    match time_of_late(reason) {
        Some(seconds) => {
            let text = format!("CRITICAL - Plugin timed out after {seconds} seconds\n{shown}\n");
            Outcome::new(text, Exit::Critical)
        }
        None => Outcome::new(format!("PROCS UNKNOWN: {shown}\n"), Exit::Unknown),
    }
}

fn answer(arguments: &[OsString], arguments_of_view: &ViewArguments) -> Outcome {
    let unknown = |text: String| Outcome::new(text, Exit::Unknown);
    let notes = arguments_of_view.notes;
    let view = match View::open(arguments_of_view) {
        Ok(view) => view,
        Err(sentence) => return unknown(format!("PROCS UNKNOWN: {sentence}\n")),
    };
    let words: Vec<Vec<u8>> = arguments.iter().map(|word| word.as_bytes().to_vec()).collect();
    let (locators, typed) = extra::split(&words);
    // It holds while a file is read, too, that may say otherwise.
    if let Some(time) = timeout_of(&typed) {
        notes.limit_to(time);
    }
    let words = match extra::words(&locators, |locator| ini(locator, notes)) {
        Ok(words) => [words, typed].concat(),
        Err(sentence) => return unknown(escape::without_bars(&escape::text(sentence.as_bytes())) + "\n"),
    };
    let options = match parse(&words, &view) {
        Ok(Request::Check(options)) => options,
        Ok(Request::Help) => return unknown(format!("{}{USAGE}{HELP}", version())),
        Ok(Request::Version) => return unknown(version()),
        Err(text) => return unknown(text),
    };
    notes.limit_to(options.timeout);
    match &options.input_file {
        Some(file) => of_file(&options, file, &view),
        None => of_host(&options, &view),
    }
}

fn version() -> String {
    format!("procward {} as check_procs\n", env!("CARGO_PKG_VERSION"))
}

/// No such file is so long; what is cut off might be what counts.
const LIMIT: u64 = 64 << 20;

fn read(path: &Path, notes: Notes) -> std::io::Result<Vec<u8>> {
    let bytes = notes.of_input(path, || {
        let mut bytes = Vec::new();
        std::fs::File::open(path)?
            .take(LIMIT + 1)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    })?;
    if bytes.len() as u64 > LIMIT {
        return Err(std::io::Error::other("it is longer than 64 MiB"));
    }
    Ok(bytes)
}

/// The file of `--extra-opts`.
fn ini(locator: &Locator<'_>, notes: Notes) -> Result<Vec<u8>, String> {
    let path = match locator.file {
        Some(b"-") => PathBuf::from("/dev/stdin"),
        Some(file) => PathBuf::from(OsStr::from_bytes(file)),
        None => standard_file(notes).ok_or("Cannot find config file in any standard location.")?,
    };
    read(&path, notes).map_err(|error| format!("Can't read config file: {error}"))
}

fn standard_file(notes: Notes) -> Option<PathBuf> {
    if let Some(file) = std::env::var_os("MP_CONFIG_FILE") {
        return Some(file.into());
    }
    let path = std::env::var_os("NAGIOS_CONFIG_PATH").unwrap_or_default();
    let directories = path
        .as_bytes()
        .split(|b| *b == b':')
        .filter(|directory| !directory.is_empty());
    let named = directories.flat_map(|directory| {
        let directory = Path::new(OsStr::from_bytes(directory));
        extra::NAMES.iter().map(|name| directory.join(name))
    });
    let standard = extra::FILES.iter().map(PathBuf::from);
    let exists = |file: &PathBuf| {
        let about = notes.of_file(file, || std::fs::metadata(file));
        about.is_ok_and(|about| about.is_file())
    };
    named.chain(standard).find(exists)
}

/// Looks at a listing, and at nothing else.
fn of_file(options: &Options, file: &[u8], view: &View) -> Outcome {
    let path = Path::new(OsStr::from_bytes(file));
    let shown = escape::without_bars(&escape::text(file));
    let text = match read(path, view.notes()) {
        Ok(text) => text,
        Err(error) => {
            let text = format!("PROCS UNKNOWN: cannot read {shown}: {error}\n");
            return Outcome::new(text, Exit::Unknown);
        }
    };
    match listing::parse(&text) {
        Some(rows) if rows.is_empty() => Outcome::new(nothing(&[]), Exit::Unknown),
        Some(rows) => outcome(options, &rows, &[], view).0,
        None => Outcome::new(
            format!(
                "PROCS UNKNOWN: {shown} does not begin with the titles of ps: write it with \
                 ps axwwo 'stat uid pid ppid vsz rss pcpu etime comm args'\n"
            ),
            Exit::Unknown,
        ),
    }
}

/// How long after the first look the second one is.
const MOMENT: Duration = Duration::from_millis(20);

/// Looks at the host: once where that is OK, else once more, because a scan of /proc is not atomic.
fn of_host(options: &Options, view: &View) -> Outcome {
    let files = files(options);
    let plan = match prefilter::wanted(options) {
        Some(wanted) => Plan::reading(wanted, &files),
        None => Plan::everything(&files),
    };
    let look = || {
        let mut snapshot = view.look(&plan);
        if snapshot.seen == 0 {
            return (
                Outcome::new(nothing(&snapshot.gaps), Exit::Unknown),
                State::Unknown,
            );
        }
        let rows = rows(&mut snapshot, options, view);
        outcome(options, &rows, &snapshot.gaps, view)
    };
    let (first, state) = look();
    if state == State::Ok {
        return first;
    }
    view.notes().publish(&first);
    std::thread::sleep(MOMENT);
    look().0
}

fn outcome(options: &Options, rows: &[Row], gaps: &[Gap], view: &View) -> (Outcome, State) {
    let hidden = gaps.iter().any(Gap::hides);
    let verdict: Verdict = judge(options, rows, hidden);
    let sight = Sight {
        options,
        rows,
        gaps,
        spec: (options.verbose >= 1)
            .then(|| dialect::spec(options, view))
            .flatten(),
    };
    let text = render(&verdict, &sight);
    (Outcome::new(text, Exit::from(verdict.state)), verdict.state)
}

/// What must be read of every process.
fn files(options: &Options) -> Vec<File> {
    let of_user = options
        .filters
        .iter()
        .any(|filter| matches!(filter, Filter::User(..)));
    let of_status = |filter: &Filter| matches!(filter, Filter::Status(_) | Filter::Rss(_));
    let of_status = options.metric == Metric::Rss || options.filters.iter().any(of_status);
    let of_args = options.filters.iter().any(Filter::reads_args);
    let wanted = [
        (true, File::Stat),
        (of_user || options.verbose >= 2, File::Owner),
        (of_status || options.verbose >= 1, File::Status),
        (of_args, File::Cmdline),
        (options.verbose >= 1, File::Cgroup),
    ];
    wanted
        .iter()
        .filter(|(asked, _)| *asked)
        .map(|(_, file)| *file)
        .collect()
}

fn rows(snapshot: &mut Snapshot, options: &Options, view: &View) -> Vec<Row> {
    let observer = &snapshot.observer;
    let (worker, ancestors) = (observer.worker, observer.ancestors.clone());
    // The program that was started and its worker are one.
    let mut own: BTreeSet<i32> = observer.pid.into_iter().collect();
    let mut above = ancestors.iter().copied();
    if worker {
        own.extend(above.next());
    }
    let parent = above.next();
    if !options.traditional {
        own.extend(others(snapshot, view));
    }
    let row = |process| {
        let mut row = Row::of(process, snapshot);
        row.own = match row.pid {
            Some(pid) if own.contains(&pid) => Some(Own::Myself),
            pid if pid == parent => Some(Own::Parent),
            _ => None,
        };
        row
    };
    snapshot.processes.iter().map(row).collect()
}

/// Other procwards at work. A name proves nothing: they run our file, and are root's or our own user's.
fn others(snapshot: &mut Snapshot, view: &View) -> Vec<i32> {
    let Some(own) = snapshot.observer.exe else {
        return Vec::new();
    };
    let (name, uid) = (snapshot.observer.comm.clone(), snapshot.observer.uid);
    let comm = |comm: &[u8]| {
        let known = super::dispatch::NAMES
            .iter()
            .any(|known| known.as_bytes()[..known.len().min(15)] == *comm);
        known || comm == name
    };
    let named = snapshot.processes.iter().filter(|process| {
        let stat = process.stat.value();
        stat.is_some_and(|stat| comm(&stat.comm))
    });
    let named: Vec<i32> = named.map(|process| process.pid).collect();
    view.acquaint(snapshot, &named);
    let is_ours = |pid: &i32| {
        let process = snapshot.by_pid(*pid)?;
        let file = process.exe.value()?.file.value()?;
        let (owner, _) = process.owner.value()?;
        let same = (file.device, file.inode) == (own.device, own.inode);
        Some(same && (*owner == 0 || Some(*owner) == uid))
    };
    named
        .into_iter()
        .filter(|pid| is_ours(pid) == Some(true))
        .collect()
}
