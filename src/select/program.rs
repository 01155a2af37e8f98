//! Whether two processes run one program: one file, and, where that file runs others' programs (python3, busybox),
//! one script or applet.

use super::File;
use super::names::file_name;
use super::reading::{Reading, Subject, fact, of};
use super::script::{Script, is_interpreter, script};
use crate::snapshot::Why;

/// Programs that are another one under each of their names.
const MULTI_CALL: [&[u8]; 2] = [b"busybox", b"toybox"];

/// Whether two processes run one program, or why that can't be told. Where a file can't be read, another comm is
/// taken for another program, and the same comm proves nothing.
pub(super) fn same<'a>(a: Subject<'a>, b: Subject<'a>) -> Result<Result<bool, Why>, Reading<'a>> {
    let file = same_file(a, b)?;
    if file == Some(false) {
        return Ok(Ok(false));
    }
    let comm = comm(a)? == comm(b)?;
    if file.is_none() && !comm {
        return Ok(Ok(false));
    }
    // By comm where not both files are known, lest the same program be named in two ways.
    let by_file = file.is_some();
    Ok(match (runs(a, by_file)?, runs(b, by_file)?) {
        (Some(Script::Unclear), _) | (_, Some(Script::Unclear)) if comm => Err(Why::Unclear),
        (Some(Script::Unclear), _) | (_, Some(Script::Unclear)) => Ok(false),
        (a, b) if a != b => Ok(false),
        (Some(Script::Runs(_)), _) => Ok(true),
        _ => file.ok_or(Why::Denied),
    })
}

/// Whether two processes run one file; none where one of them can't be read.
pub(super) fn same_file<'a>(a: Subject<'a>, b: Subject<'a>) -> Result<Option<bool>, Reading<'a>> {
    let file = |subject: Subject<'a>| match fact(&subject.process.exe, File::Exe) {
        Ok(exe) => Ok(exe.file.value().copied()),
        Err(Reading::Need(need)) => Err(of(subject.process.pid, Reading::Need(need))),
        Err(_) => Ok(None),
    };
    Ok(match (file(a)?, file(b)?) {
        (Some(a), Some(b)) => Some((a.device, a.inode) == (b.device, b.inode)),
        _ => None,
    })
}

/// comm, as a fact of a process that may not be the one that is judged.
pub(super) fn comm(subject: Subject<'_>) -> Result<&[u8], Reading<'_>> {
    subject.comm().map_err(|reading| of(subject.process.pid, reading))
}

/// What a file that runs others' programs runs here; none for any other file.
fn runs(subject: Subject<'_>, by_file: bool) -> Result<Option<Script<'_>>, Reading<'_>> {
    let comm = comm(subject)?;
    let name = match subject.process.exe.value() {
        Some(exe) if by_file => file_name(exe.path()),
        _ => comm,
    };
    if MULTI_CALL.contains(&name) {
        return Ok(Some(Script::Runs(comm)));
    }
    if !is_interpreter(name) {
        return Ok(None);
    }
    let cmdline = match fact(&subject.process.cmdline, File::Cmdline) {
        Ok(cmdline) => cmdline,
        Err(Reading::Need(need)) => return Err(of(subject.process.pid, Reading::Need(need))),
        Err(_) => return Ok(Some(Script::Unclear)),
    };
    // An interpreter whose argv[0] is not its name bears a title.
    let argv0 = cmdline
        .arguments
        .first()
        .map_or(&b""[..], |argv0| file_name(argv0));
    let argv0 = argv0.strip_prefix(b"-").unwrap_or(argv0);
    Ok(Some(if is_interpreter(argv0) {
        script(name, cmdline)
    } else {
        Script::Unclear
    }))
}
