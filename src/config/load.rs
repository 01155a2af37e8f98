//! Finds and reads the configuration files: the only part of `config` that touches files.
#![allow(
    clippy::disallowed_methods,
    reason = "the edge: configuration files are read here"
)]

use super::{Loaded, Source, from_texts};
use crate::judge::Item;
use crate::select::Fault;
use crate::snapshot::Accounts;
use std::path::{Path, PathBuf};

/// Where the configuration is, unless told otherwise.
pub const DEFAULT: &str = "/etc/procward/procward.toml";

/// Reads `path`, or the default file and `conf.d/*.toml` beside it. A directory means all its `*.toml`.
#[must_use]
pub fn load(path: Option<&Path>, accounts: &dyn Accounts) -> Loaded {
    let paths = match path {
        Some(path) if path.is_dir() => files_of(path),
        Some(path) => vec![path.to_owned()],
        None => {
            let default = PathBuf::from(DEFAULT);
            let mut paths = files_of(&default.with_file_name("conf.d"));
            if default.exists() || paths.is_empty() {
                paths.insert(0, default);
            }
            paths
        }
    };
    let mut sources = Vec::new();
    let mut unread = Vec::new();
    for path in paths {
        let name = path.display().to_string();
        match std::fs::read(&path) {
            Ok(bytes) => sources.push(Source {
                name,
                text: String::from_utf8_lossy(&bytes).into_owned(),
            }),
            Err(error) => {
                let fault = Fault::new(
                    0..0,
                    format!("cannot be read: {error}"),
                    "write one with procward init",
                );
                unread.push(Item::Faulty {
                    name,
                    text: String::new(),
                    faults: vec![fault],
                });
            }
        }
    }
    let mut loaded = from_texts(sources, accounts, &|path| Path::new(path).exists());
    loaded.items.splice(0..0, unread);
    loaded
}

/// The `*.toml` of a directory in lexical order, without those that editors and dpkg leave behind.
fn files_of(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            name.ends_with(".toml") && !name.starts_with('.')
        })
        .collect();
    files.sort();
    files
}
