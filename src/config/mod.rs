//! The configuration file: TOML to checks, with all faults and their places.

pub mod audit;
pub mod load;
pub mod migrate;
pub mod raw;
pub mod settings;
#[cfg(test)]
mod tests;
pub mod validate;

use crate::judge::{Faulty, Item};
use crate::select::Fault;
use crate::snapshot::Accounts;
use settings::Settings;
use std::sync::Arc;

/// A file that was read.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its path.
    pub name: String,
    /// Its text.
    pub text: Arc<str>,
}

/// What the files hold.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Checks, faulty ones and skipped ones, in the order written. Every fault is in one of them, so that a run is
    /// never OK beside it.
    pub items: Vec<Item>,
    /// What is not about one check.
    pub settings: Settings,
    /// Those of the items that tell of faults of `[cpu]`, or of files in which it may have been.
    pub of_cpu: Vec<Item>,
    /// The same of `[audit]`.
    pub of_audit: Vec<Item>,
    /// The files.
    pub sources: Vec<Source>,
}

/// Reads configuration texts. Accounts answer `when = "exists PATH"` too.
#[must_use]
pub fn from_texts(sources: Vec<Source>, accounts: &dyn Accounts) -> Loaded {
    let mut validation = validate::Validation::new(accounts);
    let mut settings = Settings::default();
    let files: Vec<raw::RawFile> = sources.iter().map(|source| raw::parse(&source.text)).collect();
    let of_rules: Vec<Vec<Fault>> = sources
        .iter()
        .zip(&files)
        .map(|(source, file)| validation.own_rules(source, file, &mut settings))
        .collect();
    for ((source, file), of_rules) in sources.iter().zip(files).zip(of_rules) {
        validation.file(source, file, of_rules, &mut settings);
    }
    let (items, of_cpu, of_audit) = validation.finish();
    Loaded {
        items,
        settings,
        of_cpu,
        of_audit,
        sources,
    }
}

impl Loaded {
    /// The faulty items.
    pub fn faulty(&self) -> impl Iterator<Item = &Faulty> {
        self.items.iter().filter_map(|item| match item {
            Item::Faulty { faulty, .. } => Some(faulty),
            _ => None,
        })
    }
}
