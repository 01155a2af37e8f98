//! The nearest word to one that is not known.

use crate::select::key::Key;

/// What other programs call a key of ours.
const ALIASES: &[(&str, &str)] = &[
    ("uid", "user"),
    ("euid", "user"),
    ("euser", "user"),
    ("ruid", "uid.real"),
    ("ruser", "uid.real"),
    ("suid", "uid.saved"),
    ("fsuid", "uid.fs"),
    ("gid", "group"),
    ("egid", "group"),
    ("rgid", "gid.real"),
    ("sgid", "gid.saved"),
    ("fsgid", "gid.fs"),
    ("cmd", "cmdline"),
    ("command", "cmdline"),
    ("args", "cmdline"),
    ("argv", "arg"),
    ("ucmd", "comm"),
    ("service", "unit"),
    ("process", "name"),
    ("program", "exe"),
    ("path", "exe"),
    ("stat", "state"),
    ("status", "state"),
    ("vsize", "vsz"),
    ("vms", "vsz"),
    ("mem", "rss"),
    ("memory", "rss"),
    ("ni", "nice"),
    ("nlwp", "threads"),
    ("sid", "session"),
    ("sess", "session"),
    ("etime", "age"),
    ("etimes", "age"),
    ("elapsed", "age"),
    ("terminal", "tty"),
    ("tt", "tty"),
    ("descriptors", "fds"),
    ("port", "listen"),
    ("ports", "listen"),
    ("listening", "listen"),
    ("public", "listen.public"),
    ("sockets", "socket"),
    ("stdin", "stdio"),
    ("stdout", "stdio"),
    ("stderr", "stdio"),
    ("files", "fd"),
    ("openfiles", "fd"),
    ("kernel", "kthread"),
    ("deleted", "exe.deleted"),
    ("replaced", "exe.replaced"),
    ("groups", "group.supplementary"),
    ("supgrp", "group.supplementary"),
    ("caps", "caps.effective"),
    ("capeff", "caps.effective"),
    ("capprm", "caps.permitted"),
    ("capinh", "caps.inheritable"),
    ("capamb", "caps.ambient"),
    ("capbnd", "caps.bounding"),
    ("nnp", "no_new_privs"),
    ("nonewprivs", "no_new_privs"),
    ("tracerpid", "tracer"),
    ("context", "label"),
    ("selinux", "selinux.type"),
    ("setype", "selinux.type"),
    ("selinux.domain", "selinux.type"),
    ("selinux.range", "selinux.level"),
    ("apparmor", "apparmor.profile"),
];

/// The nearest key to `word`, if one is near.
pub(super) fn key(word: &str) -> Option<&'static str> {
    let lower = word.to_ascii_lowercase();
    let alias = ALIASES
        .iter()
        .find(|(other, _)| *other == lower)
        .map(|(_, name)| *name);
    alias.or_else(|| of(&lower, Key::ALL.iter().map(|key| key.name())))
}

/// The nearest of `words` to `word`: at most a third of the letters differ, of the longer one.
#[must_use]
pub fn of<'a>(word: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    if length > 64 {
        return None;
    }
    words
        .map(|other| (strsim::damerau_levenshtein(word, other), other))
        .filter(|(distance, other)| {
            *distance <= (length.max(other.chars().count()) / 3).min(3) && *distance < length
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, other)| other)
}
