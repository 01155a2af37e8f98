//! Workers that an earlier run left behind in an uninterruptible read, and what they hang on.
//!
//! A worker that cannot be killed keeps what it inherited. One thing is a socket without a name, which the supervisor
//! gives an abstract name (unix(7)) when it leaves the worker behind: the name says what the worker hangs on,
//! everybody finds it in `/proc/net/unix`, and it goes when the worker does. There is no file to clean up.

use super::note::Note;
use crate::capabilities::raise;
use crate::parse;
use rustix::fd::OwnedFd;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, socket_with};
use rustix::process::geteuid;
use std::os::unix::fs::MetadataExt;

/// The beginning of the names.
const PREFIX: &str = "procward.hung.";
/// An abstract name has 107 bytes; what is left of it is for those who wonder.
const SHOWN: usize = 40;

/// What a worker inherits; nothing where there are no sockets, and then nothing can be told to later runs.
pub(super) struct Tag(pub(super) Option<OwnedFd>);

/// What a worker hangs on, with the start time of its process, for a PID alone may be given again; 0 where it is
/// no process's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leftover {
    pub(super) hash: u64,
    pub(super) start: u64,
}

impl Tag {
    pub(super) fn new() -> Tag {
        Tag(socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None).ok())
    }

    /// Gives it the name of what its worker hangs on.
    pub(super) fn name(&self, note: &Note, start: u64, worker: i32) {
        let plain = |c: char| if c.is_ascii_graphic() { c } else { '_' };
        let shown: String = note.text.chars().map(plain).take(SHOWN).collect();
        let name = format!("{PREFIX}{:016x}.{start}.{worker}.{shown}", note.hash);
        // Where there is no name to be had, the next run has to find out for itself.
        if let (Some(socket), Ok(address)) = (&self.0, SocketAddrUnix::new_abstract_name(name.as_bytes())) {
            let _ = bind(socket, &address);
        }
    }
}

/// What workers of ours hang on that earlier runs left behind. Any user can give a socket any name, and could blind
/// us to a process of his choice: a name counts only while the worker that it tells of holds that socket, is ours or
/// root's, and sleeps where no signal reaches it.
pub(super) fn all() -> Vec<Leftover> {
    let _raised = raise();
    let text = std::fs::read("/proc/net/unix").unwrap_or_default();
    names(&String::from_utf8_lossy(&text))
        .filter(|(_, worker, socket)| is_stuck(*worker) && holds(*worker, socket))
        .map(|(left, ..)| left)
        .collect()
}

/// What each name of ours tells, of which worker, and the inode of the socket. Abstract names are listed with an `@`.
fn names(text: &str) -> impl Iterator<Item = (Leftover, i32, &str)> {
    text.lines().filter_map(|line| {
        let (about, name) = line.split_once(" @")?;
        let mut words = name.strip_prefix(PREFIX)?.split('.');
        let hash = u64::from_str_radix(words.next()?, 16).ok()?;
        let start = words.next()?.parse().ok()?;
        let worker = words.next()?.parse().ok()?;
        Some((Leftover { hash, start }, worker, about.rsplit(' ').next()?))
    })
}

fn is_stuck(worker: i32) -> bool {
    let dir = format!("/proc/{worker}");
    let Ok(owner) = std::fs::metadata(&dir).map(|dir| dir.uid()) else {
        return false;
    };
    let stat = std::fs::read(format!("{dir}/stat")).unwrap_or_default();
    (owner == 0 || owner == geteuid().as_raw())
        && parse::stat::parse(&stat).is_some_and(|stat| stat.state == b'D')
}

fn holds(worker: i32, socket: &str) -> bool {
    let wanted = format!("socket:[{socket}]");
    let files = std::fs::read_dir(format!("/proc/{worker}/fd"));
    let mut links = files.into_iter().flatten().flatten();
    links.any(|file| std::fs::read_link(file.path()).is_ok_and(|link| link.as_os_str() == wanted.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_among_other_sockets() {
        let text = "Num       RefCount Protocol Flags    Type St Inode Path\n\
             0000000000000000: 00000002 00000000 00010000 0001 01 7 /run/x.sock\n\
             0000000000000000: 00000002 00000000 00000000 0002 01 93 @procward.hung.00ff.4711.990.cmdline_of_process_812\n\
             0000000000000000: 00000002 00000000 00000000 0002 01 9 @procward.hung.junk\n";
        let found: Vec<_> = names(text).collect();
        let left = Leftover {
            hash: 255,
            start: 4711,
        };
        assert_eq!(found, [(left, 990, "93")]);
    }

    #[test]
    fn a_name_given_by_a_process_that_is_not_stuck_does_not_count() {
        let tag = Tag::new();
        let note = Note::of_file(&[b"/dead/\xff ".as_slice(), &[b'x'; 200]].concat());
        let own = i32::try_from(std::process::id()).unwrap();
        tag.name(&note, 5, own);
        let wanted = Leftover {
            hash: note.hash,
            start: 5,
        };
        let listed = std::fs::read_to_string("/proc/net/unix").unwrap();
        let (.., socket) = names(&listed)
            .find(|(left, by, _)| (*left, *by) == (wanted, own))
            .unwrap();
        assert!(holds(own, socket));
        assert!(!holds(own, "0"));
        assert!(!is_stuck(own));
        assert!(!all().contains(&wanted));
    }
}
