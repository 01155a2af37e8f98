//! What a process has that makes it a finding: one line for each thing that the selector asks about.

use super::near::found;
use crate::select::reading::Subject;
use crate::select::{Key, Matcher, Selector, Term};
use crate::snapshot::{Access, Accounts, Fact, Library, Root, Status, Writers};
use std::collections::BTreeSet;

/// How many libraries or paths are named.
const NAMED: usize = 3;

/// The facts, each once, in the order of the terms. Ids are told as `status` has them, all four of them; what only
/// narrows the search is left out.
pub(super) fn facts(selector: &Selector, subject: Subject<'_>, accounts: &dyn Accounts) -> Vec<String> {
    let mut facts = Vec::new();
    for term in &selector.terms {
        let told = fact(term, subject, accounts);
        facts.extend(
            told.into_iter()
                .filter(|fact| !facts.contains(fact))
                .collect::<Vec<_>>(),
        );
    }
    facts
}

fn fact(term: &Term, subject: Subject<'_>, accounts: &dyn Accounts) -> Option<String> {
    let process = subject.process;
    let status = process.status.value();
    Some(match term.key {
        // These are told of every process.
        Key::Age | Key::User | Key::Unit | Key::Container | Key::Scope | Key::Kthread | Key::Pid => {
            return None;
        }
        Key::UidReal | Key::UidEffective | Key::UidSaved | Key::UidFs | Key::UidAny | Key::UidDiffer => {
            format!("uid {}", four(&status?.uid))
        }
        Key::GidReal | Key::GidEffective | Key::GidSaved | Key::GidFs | Key::GidOwn | Key::GidDiffer => {
            format!("gid {}", four(&status?.gid))
        }
        Key::GidAny => gids(status?),
        Key::FsidDiffers => format!("uid {}, gid {}", four(&status?.uid), four(&status?.gid)),
        Key::ExeWritable => format!("not only root may change {}", by(process.writers.value()?)?),
        // Of what is in no container nothing is to be told.
        Key::ContainerSystem => format!(
            "not only root makes containers in {}",
            by(process.container.value()?)?
        ),
        Key::LibWritable => {
            let libraries = &process.maps.value()?.libraries;
            let open = |library: &&Library| matches!(&library.writers, Fact::Value(writers) if writers.access != Access::Root);
            let by = |library: &Library| by(library.writers.value()?);
            let first: BTreeSet<String> = libraries.iter().filter(open).filter_map(by).collect();
            format!("not only root may change {}", few(first))
        }
        Key::LibDeleted => format!(
            "mapped and gone: {}",
            libraries(subject, |library| library.deleted)?
        ),
        Key::MappedDeleted => {
            let gone = process.maps.value()?.gone.iter();
            few(gone
                .map(|path| String::from_utf8_lossy(path).into_owned())
                .collect())
        }
        Key::LibOpenDir => {
            let open = |library: &Library| library.writers.value().is_some_and(|writers| writers.open_dir);
            format!("mapped: {}", libraries(subject, open)?)
        }
        // Names of variables are no secrets; which of them there are besides is nobody's business.
        Key::Env => format!("{} in its environment", names(term, subject)?),
        Key::ExeOpenDir | Key::ExeMemfd | Key::ExeDeleted | Key::ExeReplaced | Key::Exe => {
            format!("exe {}", String::from_utf8_lossy(&process.exe.value()?.text))
        }
        Key::Root => format!("root {}", String::from_utf8_lossy(&process.root.value()?.root)),
        Key::Chroot => {
            let chrooted = process.root.value()?.all().find(|root| root.is_chrooted());
            format!("root {}", String::from_utf8_lossy(&chrooted?.root))
        }
        Key::Cwd => format!(
            "cwd {}",
            String::from_utf8_lossy(process.root.value()?.cwd.as_deref()?)
        ),
        Key::CwdOutside => {
            let outside = process.root.value()?.all().find_map(Root::cwd_outside)?;
            format!("cwd {}", String::from_utf8_lossy(outside))
        }
        Key::Cmdline | Key::CmdlineEmpty | Key::Arg => "its arguments, which are not shown".into(),
        key => format!(
            "{} {}",
            key.name(),
            String::from_utf8_lossy(&found(subject, term, accounts))
        ),
    })
}

/// Real, effective, saved and file system id.
fn four(ids: &[u32; 4]) -> String {
    ids.map(|id| id.to_string()).join("/")
}

fn gids(status: &Status) -> String {
    let groups: Vec<String> = status.groups.iter().map(u32::to_string).collect();
    format!("gid {}, groups {}", four(&status.gid), groups.join(" "))
}

fn by(writers: &Writers) -> Option<String> {
    writers.by.clone()
}

/// Those of its variables that the term asks for.
fn names(term: &Term, subject: Subject<'_>) -> Option<String> {
    let names = &subject.process.environ.value()?.names;
    let asked = |name: &&Vec<u8>| {
        term.values
            .iter()
            .any(|value| matches!(value, Matcher::Exact(text) if text == *name))
    };
    Some(few(names
        .iter()
        .filter(asked)
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect()))
}

fn libraries(subject: Subject<'_>, is: impl Fn(&Library) -> bool) -> Option<String> {
    let libraries = subject.process.maps.value()?.libraries.iter();
    let paths = libraries.filter(|library| is(library));
    Some(few(paths
        .map(|library| String::from_utf8_lossy(&library.path).into_owned())
        .collect()))
}

fn few(all: BTreeSet<String>) -> String {
    let more = all.len().saturating_sub(NAMED);
    let mut text = all.into_iter().take(NAMED).collect::<Vec<_>>().join(", ");
    if more > 0 {
        text += &format!(" and {more} more");
    }
    text
}
