//! Workers that an earlier run left behind in an uninterruptible read, and what they hang on.
//!
//! A worker that cannot be killed keeps everything that it inherited. One thing is a socket without a name, which the
//! supervisor gives an abstract name (unix(7)) when it leaves the worker behind: the name says what the worker hangs
//! on, everybody finds it in `/proc/net/unix`, and it goes when the worker does. There is no file to clean up.

use crate::parse;
use rustix::fd::OwnedFd;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, socket_with};
use rustix::process::geteuid;
use std::os::unix::fs::MetadataExt;

/// The beginning of the names.
const PREFIX: &str = "procward.hung.";

/// What a worker inherits.
pub(super) struct Tag(Option<OwnedFd>);

impl Tag {
    /// A socket without a name; none where there are no sockets, and then nothing can be told to later runs.
    pub(super) fn new() -> Tag {
        Tag(socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None).ok())
    }

    /// Gives it the name of what its worker hangs on.
    pub(super) fn name(&self, what: &str, start: u64, worker: i32) {
        let name = format!("{PREFIX}{} by {worker}", name(what, start));
        // Where the name is too long or there is none to be had, the next run has to find out for itself.
        if let (Some(socket), Ok(address)) = (&self.0, SocketAddrUnix::new_abstract_name(name.as_bytes())) {
            let _ = bind(socket, &address);
        }
    }
}

/// What is hung on, with the start time of its process: a PID alone may be given again.
pub(super) fn name(what: &str, start: u64) -> String {
    format!("{what} started {start}")
}

/// What workers of ours hang on that earlier runs left behind. Any user can give a socket any name, and could blind
/// us to a process of his choice: a name counts only while the worker that it tells of is there, is ours or root's,
/// and sleeps where no signal reaches it.
pub(super) fn all() -> Vec<String> {
    let text = std::fs::read("/proc/net/unix").unwrap_or_default();
    names(&String::from_utf8_lossy(&text))
        .filter(|(_, worker)| is_stuck(*worker))
        .map(|(what, _)| what.to_owned())
        .collect()
}

/// What each name of ours tells, and of which worker. Abstract names are listed with an `@`.
fn names(text: &str) -> impl Iterator<Item = (&str, i32)> {
    text.lines().filter_map(|line| {
        let (_, name) = line.split_once(" @")?;
        let (what, worker) = name.strip_prefix(PREFIX)?.rsplit_once(" by ")?;
        Some((what, worker.trim_end_matches('@').parse().ok()?))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_among_other_sockets() {
        let text = "Num       RefCount Protocol Flags    Type St Inode Path\n\
             0000000000000000: 00000002 00000000 00010000 0001 01 7 /run/x.sock\n\
             0000000000000000: 00000002 00000000 00000000 0002 01 9 @procward.hung.cmdline of process 812 started 4711 by 990\n\
             0000000000000000: 00000002 00000000 00000000 0002 01 9 @procward.hung.junk\n";
        let found: Vec<_> = names(text).collect();
        assert_eq!(found, [("cmdline of process 812 started 4711", 990)]);
    }

    #[test]
    fn a_name_given_by_a_process_that_is_not_stuck_does_not_count() {
        let tag = Tag::new();
        let own = i32::try_from(std::process::id()).unwrap();
        tag.name("cmdline of process 1", 5, own);
        let listed = std::fs::read_to_string("/proc/net/unix").unwrap();
        assert!(names(&listed).any(|(what, by)| what == "cmdline of process 1 started 5" && by == own));
        assert!(!all().contains(&"cmdline of process 1 started 5".to_owned()));
    }
}
