//! What a process runs besides its program file: libraries, environment, and who could change any of it.

use super::{Bytes, Fact, Why};
use serde::{Deserialize, Serialize};

/// Who else than root may change a file, or a directory above it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Access {
    /// Nobody.
    #[default]
    Root,
    /// Only members of a group that has none.
    EmptyGroup,
    /// Somebody.
    Others,
}

/// Who may change a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Writers {
    /// Who else than root may change it, or a directory above it.
    pub access: Access,
    /// Which of them it is, the file or a directory, and why: `/home/alice (owner 1000)`.
    pub by: Option<String>,
    /// Whether everybody may write to a directory above it.
    pub open_dir: bool,
}

/// A file that is mapped executable, and is not the program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Library {
    /// Its path, without the kernel's ` (deleted)`.
    pub path: Bytes,
    /// Whether it has no name any more.
    pub deleted: bool,
    /// Who may change it; of one that has no name only whether everybody might have put it there.
    pub writers: Fact<Writers>,
}

/// `/proc/PID/maps`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maps {
    /// Each file once.
    pub libraries: Vec<Library>,
    /// Files that are mapped in whichever way, and have no name any more.
    #[serde(default)]
    pub gone: Vec<Bytes>,
    /// Whether there is memory that may be both written to and executed.
    pub writable: bool,
    /// Whether there is code of a memory file, memfd_create(2).
    #[serde(default)]
    pub memfd: bool,
    /// Whether there were more than are read.
    pub truncated: bool,
}

impl Maps {
    /// More is not read: 65,530 mappings with short paths are less.
    pub const LIMIT: u32 = 8 << 20;

    /// Why the rest is not known, if there is a rest.
    #[must_use]
    pub fn doubt(&self) -> Option<Why> {
        self.truncated.then_some(Why::TooLong(Maps::LIMIT))
    }
}

/// A library that `LD_PRELOAD` names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preload {
    /// As it is named there: a path, or a name that is searched for.
    pub name: Bytes,
    /// Whether only root could have put there what is loaded under this name.
    pub roots: bool,
}

/// `/proc/PID/environ`: names, never values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environ {
    /// The names of variables that are not empty.
    pub names: Vec<Bytes>,
    /// The libraries that `LD_PRELOAD` names.
    pub preloads: Vec<Preload>,
    /// Whether it was longer than our limit.
    pub truncated: bool,
}

impl Environ {
    /// More is not read. The kernel lets a third of the stack be arguments and environment: at most 6 MiB.
    pub const LIMIT: u32 = 6 << 20;

    /// Why the rest is not known, if there is a rest.
    #[must_use]
    pub fn doubt(&self) -> Option<Why> {
        self.truncated.then_some(Why::TooLong(Environ::LIMIT))
    }
}
