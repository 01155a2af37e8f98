//! The configuration file: TOML to checks, with all faults and their places.

pub mod diagnostic;
pub mod load;
pub mod migrate;
pub mod raw;
#[cfg(test)]
mod tests;
pub mod validate;

use crate::judge::Item;
use crate::select::Fault;
use crate::snapshot::Accounts;

/// A file that was read.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its path.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// A fault in one of the sources.
#[derive(Clone, Debug)]
pub struct Located {
    /// Index of the source.
    pub source: usize,
    /// The fault; its place is in the source's text.
    pub fault: Fault,
}

/// What the files hold.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Checks, faulty ones and skipped ones, in the order written.
    pub items: Vec<Item>,
    /// Every fault. Each is in the items too, so that a run is never OK beside one.
    pub faults: Vec<Located>,
    /// The files.
    pub sources: Vec<Source>,
}

/// Whether there is a file of this path, or why it can't be told.
pub type Exists<'a> = &'a dyn Fn(&str) -> Result<bool, String>;

/// Reads configuration texts. `exists` answers `when = "exists PATH"`.
#[must_use]
pub fn from_texts(sources: Vec<Source>, accounts: &dyn Accounts, exists: Exists<'_>) -> Loaded {
    let mut validation = validate::Validation::new(accounts, exists);
    for (index, source) in sources.iter().enumerate() {
        let (checks, faults) = raw::parse(&source.text);
        validation.file(index, source, checks, faults);
    }
    let (items, faults) = validation.finish();
    Loaded {
        items,
        faults,
        sources,
    }
}
