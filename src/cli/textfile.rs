//! A report for node_exporter's textfile collector, which reads the files of a directory whenever it is asked.

use crate::deadline::Notes;
use crate::replace::replace;
use crate::report::escape;
use std::fs::Permissions;
use std::io::{Error, ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Why a path is none for metrics. node_exporter reads only what ends in `.prom`, and what it does not read nobody misses.
pub(super) fn unfit(path: &Path) -> Option<String> {
    let fit = path.extension().is_some_and(|extension| extension == "prom");
    (!fit).then(|| {
        let path = escape::text(path.as_os_str().as_encoded_bytes());
        format!("--output {path}: node_exporter reads only files whose name ends in .prom")
    })
}

/// Replaces the file. It is readable by all whatever the umask, for node_exporter runs as another user; the temporary one
/// beside it has another ending, so that it is never read.
///
/// # Errors
/// A sentence; the old file is still there.
pub(super) fn write(path: &Path, text: &[u8], notes: Notes) -> Result<(), String> {
    let write = || {
        // A rename would put a file in the place of a device, or of a link.
        if std::fs::symlink_metadata(path).is_ok_and(|there| !there.is_file()) {
            return Err(Error::new(ErrorKind::AlreadyExists, "it is no regular file"));
        }
        replace(path, |file| {
            file.write_all(text)?;
            file.set_permissions(Permissions::from_mode(0o644))?;
            // Or after a crash the name may be there before the text is.
            file.sync_all()
        })
    };
    notes.of_file(path, write).map_err(|error| {
        let path = escape::text(path.as_os_str().as_encoded_bytes());
        format!("the metrics can't be written to {path}: {error}")
    })
}
