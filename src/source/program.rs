//! The program of a process: its link, and the file behind that.

use super::file_id::{device_at, entry_at, file_at};
use super::process_dir::{has_no_program, is_magic, watched};
use super::read::{Place, Vanished};
use super::survivor::{self, Remains};
use super::{standing, tally};
use crate::snapshot::process::DELETED;
use crate::snapshot::{Exe, Fact, FileId, Process, Why};
use rustix::io::Errno;

/// Reads which program a process runs.
pub(super) fn exe(place: Place<'_>, process: &mut Process) -> Result<(), Vanished> {
    let pid = process.pid;
    process.exe = match exe_of(place, pid)? {
        Ok(known) => known,
        Err(_) if has_no_program(place, process)? => Fact::NotApplicable,
        Err(errno) => match survivor::read(place, |thread, _| exe_of(thread, pid).ok()?.ok()) {
            Remains::Read(known) => known,
            _ => place.failure(errno)?,
        },
    };
    Ok(())
}

/// The program of a process or of one of its threads, or why its link can't be read.
fn exe_of(place: Place<'_>, pid: i32) -> Result<Result<Fact<Exe>, Errno>, Vanished> {
    for _ in 0..3 {
        let text = match place.link("exe") {
            Ok(text) => text,
            Err(errno) => return Ok(Err(errno)),
        };
        let exe = program(place, pid, text)?;
        // An exec between the two reads would give one program's name to another's file.
        if place.link("exe").is_ok_and(|now| now == exe.text) {
            return Ok(Ok(Fact::Value(exe)));
        }
    }
    Ok(Ok(Fact::Unreadable(Why::Torn)))
}

/// The program file itself.
pub(super) fn file_behind(place: Place<'_>) -> Result<FileId, Errno> {
    tally::file("exe (file)", 0);
    file_at(place.dir, place.path("exe"))
}

fn program(place: Place<'_>, pid: i32, text: Vec<u8>) -> Result<Exe, Vanished> {
    let mut device = None;
    let file = if place.live || is_magic(place) {
        // Some file systems (NFS) ask their server whether the file is still the same, whatever the flags say.
        match watched(place, pid, "exe", || file_behind(place)) {
            Some(Ok(file)) => Fact::Value(file),
            Some(Err(errno)) => {
                device = device_at(place.dir, place.path("exe"));
                place.failure(errno)?
            }
            None => Fact::Unreadable(Why::NoAnswer),
        }
    } else {
        Fact::Unreadable(Why::Absent)
    };
    let deleted = file.value().filter(|file| file.links == 0);
    // A path in another mount namespace or "(unreachable)" is not one of ours; a relative one would be looked up
    // below our working directory.
    let path_exists = match deleted {
        Some(old) if place.live && text.starts_with(b"/") => {
            // In its mount namespace: a container has its own file of that path.
            let path = text.strip_suffix(DELETED).unwrap_or(&text);
            let look = || {
                let top = standing::path_root(place)?;
                entry_at(place.dir, &[top.as_bytes(), path].concat())
            };
            match watched(place, pid, "root", || place.look_up(look)) {
                // Of another device or owner it is not what replaced the program, but what another mount namespace
                // has there, or what somebody put there.
                Some(Ok(new)) => Some((new.device, new.owner) == (old.device, old.owner)),
                Some(Err(Errno::NOENT | Errno::NOTDIR)) => Some(false),
                _ => None,
            }
        }
        _ => None,
    };
    Ok(Exe {
        text,
        file,
        device,
        path_exists,
    })
}
