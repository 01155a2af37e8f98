//! How what was found out reaches the caller: to standard output, whatever that is.

use crate::exit_code::Exit;
use crate::outcome::Outcome;
use rustix::fd::AsFd;
use rustix::io::Errno;
use std::time::Duration;

/// Writes the text and gives the exit code. A verdict that does not arrive must not be taken for an OK: where it
/// cannot be written (a full disk), OK becomes UNKNOWN, and a failure stays one. A reader that goes away
/// (`procward list | head`) has read what it wanted.
pub(super) fn deliver(outcome: &Outcome, to: impl AsFd) -> Exit {
    match write_all(to, &outcome.text) {
        Ok(()) | Err(Errno::PIPE) => outcome.exit,
        Err(_) if outcome.exit == Exit::Ok => Exit::Unknown,
        Err(_) => outcome.exit,
    }
}

/// Not std's stdout, which takes EBADF for success and gives up where a pipe that another process has set not to
/// block is full.
pub(super) fn write_all(to: impl AsFd, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match rustix::io::write(&to, bytes) {
            Ok(0) => return Err(Errno::IO),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => std::thread::sleep(Duration::from_millis(5)),
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::OpenOptions;
    use std::io::Read;

    fn told(exit: Exit, to: impl AsFd) -> Exit {
        deliver(&Outcome::new("OK: 1 check\n", exit), to)
    }

    #[test]
    fn what_a_full_disk_swallows_is_not_ok() {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        assert_eq!(told(Exit::Ok, &full), Exit::Unknown);
        assert_eq!(told(Exit::Warning, &full), Exit::Warning);
        assert_eq!(told(Exit::Critical, &full), Exit::Critical);
        let unwritable = OpenOptions::new().read(true).open("/dev/null").unwrap();
        assert_eq!(told(Exit::Ok, &unwritable), Exit::Unknown);
    }

    #[test]
    fn a_reader_that_went_away_changes_nothing() {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        assert_eq!(told(Exit::Ok, &writer), Exit::Ok);
        assert_eq!(told(Exit::Critical, &writer), Exit::Critical);
    }

    #[test]
    fn a_full_pipe_that_does_not_block_is_waited_for() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        rustix::io::ioctl_fionbio(&writer, true).unwrap();
        let text = vec![b'x'; 1 << 20];
        let copy = text.clone();
        let writing = std::thread::spawn(move || deliver(&Outcome::new(copy, Exit::Ok), &writer));
        let mut read = Vec::new();
        reader.read_to_end(&mut read).unwrap();
        assert_eq!(writing.join().unwrap(), Exit::Ok);
        assert!(read == text, "{} bytes", read.len());
    }
}
