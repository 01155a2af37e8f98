//! How what was found out reaches the caller: to standard output, whatever that is.

use crate::exit_code::Exit;
use crate::outcome::Outcome;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::AsFd;
use rustix::io::Errno;
use std::time::{Duration, Instant};

/// What POLLOUT promises that a pipe takes without blocking: PIPE_BUF, pipe(7). Not O_NONBLOCK: whoever shares the pipe
/// would have that, too.
const PIECE: usize = 4096;

/// Where the time is up already, a reader who is there is not missed.
const AT_LEAST: Duration = Duration::from_millis(100);

/// Writes the text and gives the exit code. A verdict that does not arrive must not be taken for an OK: where it
/// cannot be written (a full disk, a pipe that nobody reads in time), OK becomes UNKNOWN, and a failure stays one. A
/// reader that goes away (`procward list | head`) has read what it wanted.
pub(super) fn deliver(outcome: &Outcome, to: impl AsFd) -> Exit {
    let written = match outcome.by {
        None => write_all(to, &outcome.text),
        Some(by) => write_by(to, &outcome.text, by.max(Instant::now() + AT_LEAST)),
    };
    match written {
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

/// The same, given up at a time.
fn write_by(to: impl AsFd, bytes: &[u8], by: Instant) -> Result<(), Errno> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let left = by.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).map_err(|_| Errno::INVAL)?;
        let mut ready = [PollFd::new(&to, PollFlags::OUT)];
        match poll(&mut ready, Some(&left)) {
            Ok(0) => return Err(Errno::TIMEDOUT),
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(errno) => return Err(errno),
        }
        match rustix::io::write(&to, &rest[..rest.len().min(PIECE)]) {
            Ok(0) => return Err(Errno::IO),
            Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            // Somebody else has filled it.
            Err(Errno::INTR | Errno::AGAIN) => {}
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
    fn a_pipe_that_nobody_reads_is_given_up_in_time_and_gets_no_flag() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let by = Some(Instant::now());
        let long = |exit| Outcome::new(vec![b'x'; 1 << 20], exit).by(by);
        assert_eq!(deliver(&long(Exit::Ok), &writer), Exit::Unknown);
        assert_eq!(deliver(&long(Exit::Warning), &writer), Exit::Warning);
        assert_eq!(deliver(&long(Exit::Critical), &writer), Exit::Critical);
        let flags = rustix::fs::fcntl_getfl(&writer).unwrap();
        assert!(!flags.contains(rustix::fs::OFlags::NONBLOCK));
        // What went in before is whole.
        drop(writer);
        let mut read = Vec::new();
        reader.read_to_end(&mut read).unwrap();
        assert!(!read.is_empty() && read.iter().all(|byte| *byte == b'x'));
    }

    #[test]
    fn what_is_read_in_time_arrives_whole() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let text: Vec<u8> = (0..1 << 20).map(|at: u32| at.to_le_bytes()[1]).collect();
        let by = Instant::now() + Duration::from_secs(600);
        let told = Outcome::new(text.clone(), Exit::Ok).by(Some(by));
        let writing = std::thread::spawn(move || deliver(&told, &writer));
        let mut read = Vec::new();
        reader.read_to_end(&mut read).unwrap();
        assert_eq!(writing.join().unwrap(), Exit::Ok);
        assert!(read == text, "{} bytes", read.len());
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let short = Outcome::new("OK\n", Exit::Ok).by(Some(by));
        assert_eq!(deliver(&short, &full), Exit::Unknown);
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
