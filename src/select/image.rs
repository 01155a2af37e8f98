//! What a process runs: memory in place of a file, libraries, preloads, and who could change any of it.

use super::names::file_name;
use super::reading::{Reading, Subject, Value, fact};
use super::{File, Key};
use crate::snapshot::process::MEMFD;
use crate::snapshot::{Access, Fact, Library, Maps, Preload, Why, Writers};
use std::borrow::Cow;

/// Libraries that somebody sets before a program on purpose: allocators, and wrappers that record or pretend.
const HARMLESS: [&[u8]; 8] = [
    b"libjemalloc",
    b"libmimalloc",
    b"libsnmalloc",
    b"libtcmalloc",
    b"libeatmydata",
    b"libfakeroot",
    b"libstdbuf",
    b"libSegFault",
];

/// What the process says to a key about its image.
pub(super) fn read(subject: Subject<'_>, key: Key) -> Result<Reading<'_>, Reading<'_>> {
    let process = subject.process;
    let writers = || fact(&process.writers, File::Writers);
    let maps = || fact(&process.maps, File::Maps);
    let environ = || fact(&process.environ, File::Environ);
    Ok(match key {
        Key::ExeMemfd => {
            let exe = fact(&process.exe, File::Exe)?;
            // A file may be called so, in the root directory.
            let named = exe.text.starts_with(MEMFD);
            Reading::yes_no(named && fact(&exe.file, File::Exe)?.links == 0)
        }
        Key::ExeWritable => word(writers()?.access),
        Key::ExeOpenDir => Reading::yes_no(writers()?.open_dir),
        Key::LibDeleted => any(maps()?, |library| Ok(library.deleted)),
        Key::LibOpenDir => any(maps()?, |library| Ok(self::writers(library)?.open_dir)),
        Key::LibWritable => lib_writable(maps()?),
        Key::LibMemfd => any_of(maps()?.memfd, maps()?.doubt()),
        Key::MemoryRwx => any_of(maps()?.writable, maps()?.doubt()),
        Key::MappedDeleted => {
            let gone = maps()?.gone.iter().filter(|path| !is_passing(path));
            names(gone, maps()?.doubt())
        }
        Key::Env => names(&environ()?.names, environ()?.doubt()),
        _ => {
            let environ = environ()?;
            let preloads = environ.preloads.iter().filter(|preload| !is_harmless(preload));
            names(preloads.map(|preload| &preload.name), environ.doubt())
        }
    })
}

/// Where programs map files of their own and remove them at once.
fn is_passing(path: &[u8]) -> bool {
    const PLACES: [&[u8]; 5] = [b"/tmp/", b"/home/", b"/run/user/", b"/dev/shm/", b"/var/lib/"];
    PLACES
        .iter()
        .any(|place| path.windows(place.len()).any(|part| part == *place))
}

/// By its name alone nothing is.
fn is_harmless(preload: &Preload) -> bool {
    let name = file_name(&preload.name);
    preload.roots && HARMLESS.iter().any(|known| name.starts_with(known))
}

fn names<'a>(names: impl IntoIterator<Item = &'a Vec<u8>>, doubt: Option<Why>) -> Reading<'a> {
    let values = names
        .into_iter()
        .map(|name| Value::Bytes(Cow::Borrowed(name.as_slice())));
    Reading::Set(values.collect(), doubt)
}

fn word<'a>(access: Access) -> Reading<'a> {
    let word: &[u8] = match access {
        Access::Root => b"no",
        Access::EmptyGroup => b"group",
        Access::Others => b"yes",
    };
    Reading::One(Value::Bytes(Cow::Borrowed(word)))
}

fn any_of<'a>(yes: bool, doubt: Option<Why>) -> Reading<'a> {
    match doubt {
        Some(why) if !yes => Reading::Unreadable(why),
        _ => Reading::yes_no(yes),
    }
}

/// Whether one of the libraries is so: yes beats what can't be told.
fn any<'a>(maps: &'a Maps, is: impl Fn(&Library) -> Result<bool, Why>) -> Reading<'a> {
    let told: Vec<Result<bool, Why>> = maps.libraries.iter().map(is).collect();
    let yes = told.contains(&Ok(true));
    match told.iter().find_map(|told| told.err()) {
        Some(why) if !yes => Reading::Unreadable(why),
        _ => any_of(yes, maps.doubt()),
    }
}

/// Who may change a library.
fn writers(library: &Library) -> Result<&Writers, Why> {
    match &library.writers {
        Fact::Value(writers) => Ok(writers),
        Fact::Unreadable(why) => Err(*why),
        Fact::NotAsked | Fact::NotApplicable => Err(Why::Absent),
    }
}

/// The worst of all libraries.
fn lib_writable(maps: &Maps) -> Reading<'_> {
    let told: Vec<Result<Access, Why>> = maps
        .libraries
        .iter()
        .map(|library| Ok(writers(library)?.access))
        .collect();
    let worst = told.iter().flatten().max().copied().unwrap_or_default();
    if worst == Access::Others {
        return word(worst);
    }
    match told.iter().find_map(|told| told.err()) {
        Some(why) => Reading::Unreadable(why),
        None => maps.doubt().map_or(word(worst), Reading::Unreadable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allocator_is_harmless_where_only_root_could_have_put_it() {
        let harmless = |name: &str, roots| {
            is_harmless(&Preload {
                name: name.into(),
                roots,
            })
        };
        assert!(harmless("/usr/lib/x86_64-linux-gnu/libjemalloc.so.2", true));
        assert!(harmless("libeatmydata.so", true));
        assert!(!harmless("/tmp/libjemalloc-evil.so", false));
        assert!(!harmless("/usr/lib/libevil.so", true));
    }
}
