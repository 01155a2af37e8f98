//! Labels of security modules. Each module is one file: where its label is read, which keys are its own, and what of
//! the label each of them is. Which module a label is of is told by the file that it was read from, never by its shape.

mod apparmor;
mod attachment;
pub(super) mod level;
mod selinux;
mod smack;

use super::reading::{Reading, Value, fact};
use super::{File, Key};
use crate::snapshot::{Fact, Label, Why};
use std::borrow::Cow;

pub(super) use apparmor::{MODES, members};
pub(super) use attachment::is_for;

/// A security module that gives labels.
pub trait SecurityModule: Sync {
    /// As a condition and as the first part of its keys: `selinux` in `selinux.type`.
    fn name(&self) -> &'static str;
    /// As people write it.
    fn title(&self) -> &'static str;
    /// Its file below `/proc/PID`.
    fn file(&self) -> &'static str;
    /// What the label of a process says to one of its keys.
    fn part<'a>(&self, label: &'a [u8], key: Key) -> Reading<'a>;
    /// Whether a process of this label is held to anything; `None` where the label does not tell.
    fn confines(&self, label: &[u8]) -> Option<bool>;
}

/// Every module, in the order of asking: one that has a file of its own before those that share `attr/current`.
pub const MODULES: [&dyn SecurityModule; 3] = [&smack::Smack, &apparmor::AppArmor, &selinux::Selinux];

/// The module of this name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn SecurityModule> {
    MODULES.into_iter().find(|module| module.name() == name)
}

/// The module that a key is of.
#[must_use]
pub fn of_key(key: Key) -> Option<&'static dyn SecurityModule> {
    let first = key.name().split('.').next().unwrap_or_default();
    by_name(first)
}

/// What the label of a process says to a key.
pub(super) fn read(label: &Label, key: Key) -> Reading<'_> {
    match of_key(key) {
        None => bytes(&label.text),
        Some(module) if module.name() == label.module => module.part(&label.text, key),
        // The host runs another one.
        Some(_) => Reading::Unreadable(Why::NoModule),
    }
}

/// Whether a security module holds the process to anything: where none is active, none does.
pub(super) fn confined(label: &Fact<Label>) -> Result<Reading<'_>, Reading<'_>> {
    if *label == Fact::Unreadable(Why::NoModule) {
        return Ok(Reading::yes_no(false));
    }
    let label = fact(label, File::Label)?;
    let confines = by_name(&label.module).and_then(|module| module.confines(&label.text));
    Ok(confines.map_or(Reading::Unreadable(Why::Malformed), Reading::yes_no))
}

fn bytes(text: &[u8]) -> Reading<'_> {
    Reading::One(Value::Bytes(Cow::Borrowed(text)))
}

#[cfg(test)]
mod tests;
