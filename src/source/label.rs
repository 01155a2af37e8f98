//! The label of a process: the first security module whose file tells one.

use super::read::{Place, Vanished};
use crate::parse;
use crate::select::label::MODULES;
use crate::snapshot::{Fact, Label, Why};
use rustix::io::Errno;

/// Labels are shorter than a page, which is what the kernel writes at most; a stack of AppArmor may be longer.
const LABEL: usize = 64 << 10;

/// EINVAL: this module gives no labels here. ENOENT: the kernel is built without it, or the file is missing in a copy.
pub(super) fn read(place: Place<'_>, is_proc: bool) -> Result<Fact<Label>, Vanished> {
    let mut refused = false;
    for module in MODULES {
        match place.whole(module.file(), LABEL) {
            Ok((_, true)) => return Ok(Fact::Unreadable(Why::Malformed)),
            Ok((bytes, false)) => return Ok(label(module.name(), &bytes)),
            Err(Errno::INVAL) => refused = true,
            Err(Errno::NOENT) => {}
            Err(errno) => return place.failure(errno),
        }
    }
    Ok(if !place.is_alive() {
        return Err(Vanished);
    } else if refused || is_proc {
        Fact::Unreadable(Why::NoModule)
    } else {
        Fact::Unreadable(Why::Absent)
    })
}

/// Kernels before 5.8 have no file of AppArmor's own. It alone ends its labels with a newline.
fn label(module: &str, bytes: &[u8]) -> Fact<Label> {
    let module = if module == "selinux" && bytes.ends_with(b"\n") {
        "apparmor"
    } else {
        module
    };
    match parse::label::parse(bytes) {
        Some(text) => Fact::Value(Label {
            module: module.into(),
            text,
        }),
        None => Fact::Unreadable(Why::Empty),
    }
}
