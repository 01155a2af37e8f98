//! Results for the command file of Nagios, a FIFO.

use crate::deadline::Notes;
use crate::report::escape;
use rustix::fd::OwnedFd;
use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use rustix::io::{Errno, write as write_once};
use std::io::{Error, ErrorKind};
use std::path::Path;
use std::time::Duration;

/// For how long a FIFO may be full, without a result that fits, and when it is looked at again.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(5);

/// Writes each result at once, so that none of another writer's comes between. The FIFO has to be there: a regular file
/// in its place would keep Nagios from starting. Where nobody reads it, opening it must not wait for somebody. What it
/// lies on may be dead; once it is open, nothing waits for that any more.
///
/// # Errors
/// A sentence.
pub(super) fn write(path: &Path, results: &[String], notes: Notes) -> Result<(), String> {
    let opened = notes.of_file(path, || {
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let fifo = open(path, flags, Mode::empty())?;
        if FileType::from_raw_mode(fstat(&fifo)?.st_mode) != FileType::Fifo {
            return Err(Error::new(ErrorKind::InvalidInput, "it is no FIFO"));
        }
        Ok(fifo)
    });
    let written = opened.and_then(|fifo| results.iter().try_for_each(|result| write_one(&fifo, result)));
    written.map_err(|error| {
        let shown = escape::text(path.as_os_str().as_encoded_bytes());
        let why = match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::AGAIN) => "it is full, and nobody empties it".to_owned(),
            Some(Errno::NXIO | Errno::PIPE) => "nobody reads it; is Nagios running?".to_owned(),
            _ => error.to_string(),
        };
        format!("the results can't be written to {shown}: {why}")
    })
}

/// All or nothing, for it is no longer than PIPE_BUF. While the FIFO is full, Nagios is busy.
fn write_one(fifo: &OwnedFd, result: &str) -> Result<(), Error> {
    let mut patience = PATIENCE;
    while let Err(errno) = write_once(fifo, result.as_bytes()) {
        match errno {
            Errno::INTR => {}
            Errno::AGAIN if patience > Duration::ZERO => {
                std::thread::sleep(PAUSE);
                patience -= PAUSE;
            }
            _ => return Err(errno.into()),
        }
    }
    Ok(())
}
