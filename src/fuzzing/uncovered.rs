//! What may have been behind the facts of a host that could not be read.

use super::descriptors;
use super::dice::Dice;
use super::hosts::{LABELS, account, cmdline, environ, exe, label, maps, root, status, threads, writers};
use crate::snapshot::{Environ, Fact, Process};

/// What may have been behind the facts that could not be read.
pub(super) fn uncovered(process: &Process, dice: &mut Dice<'_>) -> Process {
    let mut process = process.clone();
    if matches!(process.exe, Fact::Unreadable(_)) {
        process.exe = Fact::Value(exe(dice));
    }
    if matches!(process.cmdline, Fact::Unreadable(_)) || process.cmdline.value().is_some_and(|c| c.truncated)
    {
        let mut more = cmdline(dice);
        more.truncated = false;
        if let Fact::Value(known) = &process.cmdline {
            more.arguments = known.arguments.iter().cloned().chain(more.arguments).collect();
        }
        process.cmdline = Fact::Value(more);
    }
    if matches!(process.label, Fact::Unreadable(_)) {
        process.label = label(dice.below(LABELS.len()), dice);
    }
    uncover_image(&mut process, dice);
    descriptors::uncover(&mut process, dice);
    let owner = process.owner.value().copied();
    if let Fact::Value(known) = &mut process.status {
        let more = status(process.pid, dice);
        let caps = &mut known.caps;
        caps.inheritable = caps.inheritable.or(more.caps.inheritable);
        caps.permitted = caps.permitted.or(more.caps.permitted);
        caps.effective = caps.effective.or(more.caps.effective);
        caps.bounding = caps.bounding.or(more.caps.bounding);
        caps.ambient = caps.ambient.or(more.caps.ambient);
        known.no_new_privs = known.no_new_privs.or(more.no_new_privs);
        known.seccomp = known.seccomp.or(more.seccomp);
        known.tracer = known.tracer.or(more.tracer);
        known.umask = known.umask.or(more.umask);
    }
    if matches!(process.status, Fact::Unreadable(_)) {
        let mut status = status(process.pid, dice);
        if let Some((uid, gid)) = owner {
            (status.uid[1], status.gid[1]) = (uid, gid);
        }
        process.status = Fact::Value(status);
    }
    if matches!(process.owner, Fact::Unreadable(_))
        && let Fact::Value(status) = &process.status
    {
        process.owner = Fact::Value((status.uid[1], status.gid[1]));
    }
    process
}

fn uncover_image(process: &mut Process, dice: &mut Dice<'_>) {
    fn hidden<T>(fact: &Fact<T>) -> bool {
        matches!(fact, Fact::Unreadable(_))
    }
    if hidden(&process.account) {
        process.account = Fact::Value(account(dice));
    }
    if hidden(&process.userns) {
        process.userns = Fact::Value(dice.chance(2));
    }
    if hidden(&process.threads) {
        process.threads = Fact::Value(threads(dice));
    }
    if hidden(&process.container) {
        process.container = Fact::Value(writers(dice));
    }
    if hidden(&process.root) {
        process.root = Fact::Value(root(dice));
    }
    if hidden(&process.writers) {
        process.writers = Fact::Value(writers(dice));
    }
    if let Fact::Value(known) = &mut process.environ
        && known.truncated
    {
        let more = environ(dice);
        known.names.extend(more.names);
        known.preloads.extend(more.preloads);
        known.truncated = false;
    } else if hidden(&process.environ) {
        process.environ = Fact::Value(Environ {
            truncated: false,
            ..environ(dice)
        });
    }
    if let Fact::Value(known) = &mut process.maps {
        for library in &mut known.libraries {
            if hidden(&library.writers) {
                library.writers = Fact::Value(writers(dice));
            }
        }
        if known.truncated {
            let more = maps(dice);
            known.libraries.extend(
                more.libraries
                    .into_iter()
                    .filter(|library| library.writers.value().is_some()),
            );
            known.gone.extend(more.gone);
            known.writable |= more.writable;
            known.memfd |= more.memfd;
            known.truncated = false;
        }
    } else if hidden(&process.maps) {
        let mut maps = maps(dice);
        maps.truncated = false;
        maps.libraries.retain(|library| library.writers.value().is_some());
        process.maps = Fact::Value(maps);
    }
}
