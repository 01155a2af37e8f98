//! Who a process is beside its own ids: its account, its threads, its namespaces, its root directory.

use super::reading::{NONE, Reading, Subject, Value, fact, ids, numbers, of};
use super::{File, Key};
use crate::snapshot::{Root, Why};
use std::borrow::Cow;

/// What the process says to a key about its ids and those of others that it goes with.
pub(super) fn read(subject: Subject<'_>, key: Key) -> Result<Reading<'_>, Reading<'_>> {
    let process = subject.process;
    let status = || fact(&process.status, File::Status);
    let ids = || ids(process);
    let account = || fact(&process.account, File::Account);
    Ok(match key {
        Key::GidOwn => numbers(&ids()?.gid, &[]),
        Key::GroupAccount => numbers(&[], &account()?.groups),
        Key::UserExists => Reading::yes_no(account()?.exists),
        Key::GroupsUnearned => {
            let (status, account) = (ids()?, account()?);
            let unearned = status.groups.iter().copied().filter(|group| {
                account.privileged.contains(group)
                    && !account.groups.contains(group)
                    && !status.gid.contains(group)
            });
            groups_or_none(unearned)
        }
        Key::GidUnearned => {
            let (status, account) = (ids()?, account()?);
            groups_or_none(status.gid.into_iter().filter(|gid| !account.groups.contains(gid)))
        }
        Key::UidDiffer => Reading::yes_no(differ(&ids()?.uid)),
        Key::GidDiffer => Reading::yes_no(differ(&ids()?.gid)),
        Key::FsidDiffers => {
            let status = ids()?;
            Reading::yes_no(status.uid[3] != status.uid[1] || status.gid[3] != status.gid[1])
        }
        Key::ThreadsDiffer if is_alone(subject)? => Reading::yes_no(false),
        Key::ThreadsDiffer => Reading::yes_no(fact(&process.threads, File::Threads)?.differ),
        Key::ThreadsUid if is_alone(subject)? => numbers(&ids()?.uid, &[]),
        Key::ThreadsUid => numbers(&fact(&process.threads, File::Threads)?.uids, &[]),
        Key::ThreadsTracer if is_alone(subject)? => tracers(status()?.tracer.as_slice()),
        Key::ThreadsTracer => tracers(&fact(&process.threads, File::Threads)?.tracers),
        Key::Userns => Reading::yes_no(*fact(&process.userns, File::Userns)?),
        Key::UmaskOpen => match status()?.umask {
            Some(umask) => Reading::yes_no(umask & 0o002 == 0),
            None if subject.is_zombie()? => Reading::NotApplicable,
            None => Reading::Unreadable(Why::Untold),
        },
        Key::TracerUser => match status()?.tracer {
            None => Reading::Unreadable(Why::Untold),
            Some(0) => Reading::NotApplicable,
            Some(pid) => {
                let owner = fact(&subject.other(pid)?.process.owner, File::Owner);
                Reading::number(owner.map_err(|reading| of(pid, reading))?.0)
            }
        },
        _ => Reading::Unreadable(Why::Absent),
    })
}

/// Who traces threads, as far as the kernel tells.
fn tracers<'a>(pids: &[i32]) -> Reading<'a> {
    let values = pids.iter().map(|pid| Value::Number(i64::from(*pid)));
    Reading::Set(values.collect(), pids.is_empty().then_some(Why::Untold))
}

/// Of a group that is none of them, `none` holds.
fn groups_or_none<'a>(groups: impl Iterator<Item = u32>) -> Reading<'a> {
    let groups: Vec<u32> = groups.collect();
    if groups.is_empty() {
        return Reading::Set(vec![Value::Number(NONE)], None);
    }
    numbers(&[], &groups)
}

/// What it says to a key about its root directory, or that of a thread that has one of its own.
pub(super) fn root(subject: Subject<'_>, key: Key) -> Result<Reading<'_>, Reading<'_>> {
    let root = fact(&subject.process.root, File::Root)?;
    let bytes = |bytes| Reading::One(Value::Bytes(Cow::Borrowed(bytes)));
    Ok(match key {
        Key::Root => bytes(root.root.as_slice()),
        Key::Cwd => root
            .cwd
            .as_deref()
            .map_or(Reading::Unreadable(Why::Malformed), bytes),
        Key::Chroot => Reading::yes_no(root.all().any(Root::is_chrooted)),
        _ if root.all().any(|root| root.cwd_outside().is_some()) => Reading::yes_no(true),
        // One that is too long to be told.
        _ if root.all().any(|root| root.is_chrooted() && root.cwd.is_none()) => {
            Reading::Unreadable(Why::Malformed)
        }
        _ => Reading::yes_no(false),
    })
}

fn differ(ids: &[u32; 4]) -> bool {
    ids.iter().any(|id| *id != ids[0])
}

/// A process of one thread has nobody to differ from.
fn is_alone<'a>(subject: Subject<'a>) -> Result<bool, Reading<'a>> {
    Ok(fact(&subject.process.stat, File::Stat)?.num_threads == 1)
}
