//! A fact about a process, and the ways in which it may be missing.

use serde::{Deserialize, Serialize};

/// Bytes as the kernel gave them: names may hold anything but NUL.
pub type Bytes = Vec<u8>;

/// A fact that may not be known. There is no default in place of a missing value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fact<T> {
    /// The plan did not ask for it.
    #[default]
    NotAsked,
    /// Read.
    Value(T),
    /// The process has no such thing: the `exe` of a kernel thread.
    NotApplicable,
    /// It exists, but could not be read.
    Unreadable(Why),
}

impl<T> Fact<T> {
    /// The value, if it was read.
    pub fn value(&self) -> Option<&T> {
        match self {
            Fact::Value(value) => Some(value),
            _ => None,
        }
    }

    /// Whether the file was looked at, with whatever result.
    pub fn asked(&self) -> bool {
        !matches!(self, Fact::NotAsked)
    }
}

/// Why a fact could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Why {
    /// EACCES or EPERM: another user's process, hidepid=1, a security module.
    Denied,
    /// Nothing where something must be: zero bytes of `cmdline` of a process that has a program.
    Empty,
    /// The kernel's text is not of the known form.
    Malformed,
    /// It is longer than procward reads: the limit in bytes.
    TooLong(u32),
    /// The process changed its program or ids while it was read, time after time.
    Torn,
    /// Something is mounted over its directory in /proc, or over a file there: what is read may be another's.
    Covered,
    /// The read did not come back: the process, or who serves its memory, does not answer.
    NoAnswer,
    /// A start time after the instant when it was read.
    Future,
    /// There is no earlier reading of this process to compare with.
    NoSample,
    /// Whether it is a main process: it was left to PID 1, as a daemon is and as the workers of a dead daemon are.
    Orphan,
    /// More generations of ancestors than are looked at.
    TooDeep,
    /// More descriptors than are looked at.
    TooMany,
    /// What it runs: its command line was overwritten, or is none that an interpreter would have.
    Unclear,
    /// Which program it runs: the file has no name any more, and the text of a link proves nothing.
    Nameless,
    /// The kernel does not tell it: it is too old, or built without it.
    Untold,
    /// No security module is active that gives such labels.
    NoModule,
    /// The security module is active, but has no policy yet.
    NoPolicy,
    /// An id that the user namespace of procward has none for: the kernel shows that of nobody in its place.
    Unmapped,
    /// Another error, by its errno.
    Errno(i32),
    /// The fact is not in this snapshot: a file that was saved without it, or a fault of procward.
    Absent,
}

impl Why {
    /// A clause for a report: "exe: permission denied".
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Why::Denied => "permission denied".into(),
            Why::Empty => "empty".into(),
            Why::Malformed => "malformed".into(),
            Why::TooLong(limit) => format!("longer than the {} KiB that procward reads", limit >> 10),
            Why::Torn => "changed while it was read".into(),
            Why::Covered => "something is mounted over it".into(),
            Why::NoAnswer => "no answer".into(),
            Why::Future => "its start time is in the future".into(),
            Why::NoSample => "no earlier reading to compare with".into(),
            Why::Orphan => "a daemon of its own, or left behind by a dead one".into(),
            Why::TooMany => "more descriptors than are looked at".into(),
            Why::TooDeep => "more ancestors than are looked at".into(),
            Why::Unclear => "its command line does not tell".into(),
            Why::Nameless => "its file was deleted and can't be compared".into(),
            Why::Untold => "the kernel does not tell".into(),
            Why::NoModule => "no such security module is active".into(),
            Why::NoPolicy => "no policy is loaded".into(),
            Why::Unmapped => "an id that procward's user namespace has none for".into(),
            Why::Errno(errno) => std::io::Error::from_raw_os_error(errno).to_string(),
            Why::Absent => "not in the snapshot".into(),
        }
    }
}
