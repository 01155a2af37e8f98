//! What a worker says of a read before it dares it.

use std::time::Duration;

/// A read that takes longer is taken for one that never comes back.
const PATIENCE: Duration = Duration::from_millis(500);
/// A directory server far away is slow before its answers are cached.
const PATIENCE_WITH_NAMES: Duration = Duration::from_millis(1500);

const NAMES: &str = "name service, ";
const FILE: &str = "file ";
const OF_PROCESS: &str = " of process ";

/// A sentence for a report, and a number that tells it from others where the sentence has to be cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) text: String,
    pub(super) hash: u64,
}

impl Note {
    fn new(text: String) -> Note {
        let hash = hash(text.as_bytes());
        Note { text, hash }
    }

    pub(super) fn of_process(pid: i32, file: &str) -> Note {
        Note::new(format!("{file}{OF_PROCESS}{pid}"))
    }

    pub(super) fn of_file(path: &[u8]) -> Note {
        Note::new(format!("{FILE}{}", String::from_utf8_lossy(path)))
    }

    pub(super) fn of_name(what: &str) -> Note {
        Note::new(format!("{NAMES}{what}"))
    }

    /// The process whose file it is.
    pub(super) fn pid(&self) -> Option<i32> {
        let (_, pid) = self
            .text
            .rsplit_once(OF_PROCESS)
            .filter(|_| self.path().is_none())?;
        pid.parse().ok()
    }

    /// The path of a file that is no process's.
    pub(super) fn path(&self) -> Option<&str> {
        self.text.strip_prefix(FILE)
    }

    pub(super) fn is_name(&self) -> bool {
        self.text.starts_with(NAMES)
    }

    pub(super) fn patience(&self) -> Duration {
        if self.is_name() {
            PATIENCE_WITH_NAMES
        } else {
            PATIENCE
        }
    }
}

/// FNV-1a: the same in every version of procward, for a name may outlive the program that gave it. Never 0.
fn hash(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_tells_what_it_is_about() {
        let process = Note::of_process(812, "cmdline");
        assert_eq!(process.text, "cmdline of process 812");
        assert_eq!(
            (process.pid(), process.path(), process.is_name()),
            (Some(812), None, false)
        );
        let file = Note::of_file(b"/mnt/a of process y");
        assert_eq!((file.pid(), file.path()), (None, Some("/mnt/a of process y")));
        assert_eq!(Note::of_file(b"/mnt/a of process 7").pid(), None);
        let name = Note::of_name("user alice");
        assert_eq!((name.pid(), name.path(), name.is_name()), (None, None, true));
        assert!(name.patience() > file.patience());
    }

    #[test]
    fn the_number_of_a_note_stays_the_same_in_every_version() {
        assert_eq!(hash(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_ne!(Note::of_file(b"/x").hash, Note::of_file(b"/y").hash);
    }
}
