//! Who a process is beside its own ids: its account, its threads, its namespaces, its root directory.

use super::apart::apart;
use super::file_id::file_at;
use super::kcmp::Shared;
use super::process_dir::{LINE, of_program, of_threads, read};
use super::read::{Place, Vanished};
use crate::parse::{self, number};
use crate::select::File;
use crate::snapshot::{Fact, Process, Root, Status, Threads, Why};
use rustix::io::Errno;
use std::collections::BTreeSet;

/// A page each: the maps of a user namespace are never longer.
const MAP: usize = 64 << 10;

/// Whether its user namespace is another one. Where the link is closed to us the map of ids, which everybody may read,
/// tells: one that is not ours is of another namespace. (A namespace of root's with the very same map would be taken for
/// ours then: its capabilities would count for more than they are.)
pub(super) fn userns(place: Place<'_>) -> Result<Fact<bool>, Vanished> {
    let link = |path: &str| place.link(path);
    match (link("ns/user"), &place.known.ours.user) {
        (Ok(its), Some(ours)) => return Ok(Fact::Value(its != *ours)),
        (Err(Errno::SRCH), _) => return Err(Vanished),
        _ => {}
    }
    let map = |path: &str| place.whole(path, MAP);
    match (map("uid_map"), map("../self/uid_map")) {
        (Ok(its), Ok(ours)) => Ok(Fact::Value(its != ours)),
        (Err(errno), _) => place.failure(errno),
        // Not our own /proc: there is nothing to compare with.
        (_, Err(_)) => Ok(Fact::Unreadable(Why::Absent)),
    }
}

/// Root and working directory.
pub(super) fn root(place: Place<'_>, process: &mut Process) -> Result<(), Vanished> {
    process.root = of_program(place, process, "root", root_of)?;
    if let Fact::Value(root) = &mut process.root {
        root.threads = roots_of_threads(place, process.pid, root);
    }
    Ok(())
}

/// Those of threads that have others than the process, each once. One that ends meanwhile has none any more.
fn roots_of_threads(place: Place<'_>, pid: i32, root: &Root) -> Vec<Root> {
    let mut others = Vec::new();
    for prefix in apart(place, pid, Shared::Directories) {
        let prefix = &prefix;
        if let Ok(Some(own)) = root_of(Place { prefix, ..place })
            && own != *root
            && !others.contains(&own)
        {
            others.push(own);
        }
    }
    others
}

fn root_of(place: Place<'_>) -> Result<Option<Root>, Errno> {
    let link = |path: &str| place.link(path);
    Ok(Some(Root {
        root: link("root")?,
        cwd: match link("cwd") {
            Err(Errno::NAMETOOLONG) => None,
            told => Some(told?),
        },
        threads: Vec::new(),
    }))
}

/// More ancestors than a process of a service has.
const ANCESTORS: usize = 16;

/// What to put before a path that the kernel tells of this process, its program's or a library's, to look it up. The
/// kernel tells them from the root of the mount namespace, not from where the process was chrooted to: in our namespace
/// that is our root, in another one that of the process, or of the nearest ancestor in there that is not chrooted. Where
/// there is none (a unit with PrivateTmp= that chroots itself), it is ours again, if its program has the same path here.
pub(super) fn path_root(place: Place<'_>) -> Result<String, Errno> {
    let link = |path: &str| place.link(path);
    let mounts = link("ns/mnt")?;
    if place.known.ours.mounts.as_deref() == Some(mounts.as_slice()) {
        return Ok(String::new());
    }
    let mut at = String::new();
    for _ in 0..ANCESTORS {
        if link(&format!("{at}ns/mnt"))? != mounts {
            break;
        }
        if link(&format!("{at}root"))? == b"/" {
            return Ok(place.path(&format!("{at}root")));
        }
        let (stat, _) = place.whole(&format!("{at}stat"), LINE)?;
        match parse::stat::parse(&stat) {
            Some(stat) if stat.ppid > 0 => at = format!("../{}/", stat.ppid),
            _ => break,
        }
    }
    let text = link("exe")?;
    let here = file_at(place.dir, text.as_slice()).map(|file| (file.device, file.inode));
    let program = file_at(place.dir, place.path("exe")).map(|file| (file.device, file.inode));
    if text.starts_with(b"/") && here.is_ok() && here == program {
        return Ok(String::new());
    }
    Err(Errno::NOENT)
}

/// The ids of all threads; of a single one `stat` and `status` tell all.
pub(super) fn threads(place: Place<'_>) -> Result<Fact<Threads>, Vanished> {
    let read = |tid, bytes: &[u8]| Some((tid, parse::status::parse(bytes)?));
    let all = of_threads(place, "status", read)?;
    // The threads of a process are numbered as it is in the PID namespace of this mount.
    let first = stat_pid(place);
    Ok(match all {
        Ok(all) if all.iter().any(|(_, status)| place.known.ours.ids.hide_of(status)) => {
            Fact::Unreadable(Why::Unmapped)
        }
        Ok(all) => Fact::Value(compared(first.unwrap_or_default(), &all)),
        Err(why) => Fact::Unreadable(why),
    })
}

fn stat_pid(place: Place<'_>) -> Option<i32> {
    let (bytes, _) = place.whole("stat", LINE).ok()?;
    number(bytes.split(|byte| *byte == b' ').next()?)
}

/// The account of its effective uid, as the name service has it.
pub(super) fn account(place: Place<'_>, process: &mut Process) -> Result<(), Vanished> {
    if !process.owner.asked() {
        read(place, File::Owner, process)?;
    }
    process.account = match &process.owner {
        Fact::Value((uid, _)) if place.live => place.known.accounts.of(*uid, place.notes),
        Fact::Unreadable(why) => Fact::Unreadable(*why),
        _ => Fact::Unreadable(Why::Absent),
    };
    Ok(())
}

/// Of these threads, `first` being the one that the process is named after.
fn compared(first: i32, all: &[(i32, Status)]) -> Threads {
    let ids = |status: &Status| {
        (
            status.uid,
            status.gid,
            status.groups.clone(),
            status.caps.effective,
            status.caps.permitted,
        )
    };
    let leader = all
        .iter()
        .find(|(tid, _)| *tid == first)
        .map(|(_, status)| ids(status));
    let uids: BTreeSet<u32> = all.iter().flat_map(|(_, status)| status.uid).collect();
    let tracers: BTreeSet<i32> = all.iter().filter_map(|(_, status)| status.tracer).collect();
    let leader = leader.or_else(|| all.first().map(|(_, status)| ids(status)));
    Threads {
        differ: all.iter().any(|(_, status)| Some(ids(status)) != leader),
        uids: uids.into_iter().collect(),
        tracers: tracers.into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_with_other_ids_or_capabilities_differs() {
        let plain = || Status {
            uid: [33; 4],
            ..Status::default()
        };
        let told = |second: Status| compared(7, &[(8, second), (7, plain())]);
        assert_eq!(
            told(plain()),
            Threads {
                differ: false,
                uids: vec![33],
                tracers: vec![]
            }
        );
        let mut root = plain();
        root.uid = [33, 0, 0, 33];
        root.tracer = Some(4242);
        assert_eq!(
            told(root),
            Threads {
                differ: true,
                uids: vec![0, 33],
                tracers: vec![4242]
            }
        );
        let mut able = plain();
        able.caps.effective = Some(1);
        assert!(told(able).differ);
        let mut ready = plain();
        ready.caps.permitted = Some(1);
        assert!(told(ready).differ);
        let mut grouped = plain();
        grouped.groups = vec![0];
        assert!(told(grouped).differ);
    }
}
