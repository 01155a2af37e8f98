//! A file replaced as a whole.
#![allow(clippy::disallowed_methods, reason = "the edge: files are written here")]

use std::fs::{File, OpenOptions, remove_file, rename};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Fills a file beside it and renames that: a reader sees the old one or the new one. It is its owner's alone until
/// `fill` says otherwise.
///
/// # Errors
/// Those of `fill`, and of the file system; then the old one stays.
pub fn replace(path: &Path, fill: impl FnOnce(&mut File) -> Result<(), Error>) -> Result<(), Error> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(name);
    let create = || {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600).open(&beside)
    };
    let created = match create() {
        // A run with our PID was killed before it came to the renaming.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            remove_file(&beside).and_then(|()| create())
        }
        created => created,
    };
    let written = created
        .and_then(|mut file| fill(&mut file))
        .and_then(|()| rename(&beside, path));
    if written.is_err() {
        let _ = remove_file(&beside);
    }
    written
}
