//! A glance at a process by path. What is read may be of another process than what is read next, so it may only
//! dismiss; every process that a check may mean is read again below its own descriptor.

use super::process_dir::{LINE, Proc, comm_of, read, watched};
use super::program::file_behind;
use super::read::Place;
use super::settle::fresh;
use super::tally;
use super::worth::Worth;
use crate::parse;
use crate::select::{File, Sieve, Sight};
use crate::snapshot::{Exe, Fact, FileId, Process, Snapshot, Why};
use rustix::fs::{AtFlags, StatxFlags, statx};
use std::fmt::Write;

/// The glance, and what is used again for every process.
pub(super) struct Glance<'a> {
    proc: Proc<'a>,
    sieve: Sieve<'a>,
    sight: Sight,
    worth: Worth,
    prefix: String,
    content: Vec<u8>,
}

impl<'a> Glance<'a> {
    pub(super) fn new(proc: Proc<'a>, sieve: Sieve<'a>) -> Glance<'a> {
        Glance {
            proc,
            sieve,
            sight: Sight::default(),
            worth: Worth::default(),
            prefix: String::new(),
            content: Vec::with_capacity(LINE),
        }
    }

    /// Whether no check means the process, as far as it was glanced at.
    pub(super) fn dismisses(&mut self, pid: i32, host: &Snapshot) -> bool {
        if !self.worth.asks_for_one() {
            return false;
        }
        self.prefix.clear();
        // Writing to a string does not fail.
        let _ = write!(self.prefix, "{pid}/");
        self.sieve.begin(&mut self.sight);
        while let Some(file) = self.sieve.next(&self.sight) {
            if self.look(pid, file, host).is_none() {
                self.sieve.pass(&mut self.sight, file);
            }
        }
        let dismissed = self.sight.is_dismissed();
        self.worth.learn(dismissed);
        dismissed
    }

    /// Looks at one file; none where it tells nothing.
    fn look(&mut self, pid: i32, file: File, host: &Snapshot) -> Option<()> {
        let place = self.proc.place(&self.prefix);
        let (sieve, sight, content) = (&mut self.sieve, &mut self.sight, &mut self.content);
        content.clear();
        match file {
            File::Comm => {
                line(place, "comm", content)?;
                sieve.sift(sight, file, content, host, || Process {
                    comm: Fact::Value(comm_of(content)),
                    ..fresh(pid)
                });
            }
            File::Cgroup => {
                line(place, "cgroup", content)?;
                sieve.sift(sight, file, content, host, || Process {
                    cgroup: parse::cgroup::parse(content)
                        .map_or(Fact::Unreadable(Why::Malformed), Fact::Value),
                    ..fresh(pid)
                });
            }
            File::Owner => {
                let (uid, gid) = owner(place)?;
                content.extend([uid.to_ne_bytes(), gid.to_ne_bytes()].concat());
                sieve.sift(sight, file, content, host, || Process {
                    owner: Fact::Value((uid, gid)),
                    ..fresh(pid)
                });
            }
            File::Exe => {
                let (text, file_id) = exe(place, pid, sieve.wants_exe_text())?;
                content.extend([file_id.device, file_id.inode].map(u64::to_ne_bytes).concat());
                content.extend([file_id.owner, file_id.links].map(u32::to_ne_bytes).concat());
                content.extend_from_slice(&text);
                sieve.sift(sight, file, content, host, || Process {
                    exe: Fact::Value(Exe {
                        text: text.clone(),
                        file: Fact::Value(file_id),
                        ..Exe::default()
                    }),
                    ..fresh(pid)
                });
            }
            _ => {
                let mut process = fresh(pid);
                read(place, file, &mut process).ok()?;
                sieve.weigh(sight, file, &process, host);
            }
        }
        Some(())
    }
}

/// A file of one line or a few; none where it is no such file.
fn line(place: Place<'_>, name: &str, content: &mut Vec<u8>) -> Option<()> {
    let more = place.record(name, LINE, content).ok()?;
    (!more).then_some(())
}

/// Without asking whether the process still lives: of one that does not, nothing else would be told either.
fn owner(place: Place<'_>) -> Option<(u32, u32)> {
    let mask = StatxFlags::UID | StatxFlags::GID;
    tally::file("owner", 0);
    let stat = statx(place.dir, place.prefix, AtFlags::STATX_DONT_SYNC, mask).ok()?;
    Some((stat.stx_uid, stat.stx_gid))
}

/// The program file, and the text of the link where it is asked for. The text of one program and the file of another
/// tell nothing; nor does the file alone where it has no name any more.
fn exe(place: Place<'_>, pid: i32, with_text: bool) -> Option<(Vec<u8>, FileId)> {
    if !place.live {
        return None;
    }
    let text = || {
        if with_text {
            place.link("exe").ok()
        } else {
            Some(Vec::new())
        }
    };
    let before = text()?;
    let file = watched(place, pid, "exe", || file_behind(place))?.ok()?;
    (text()? == before && file.links > 0).then_some((before, file))
}
