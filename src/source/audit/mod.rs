//! Facts about the host that the audit asks for, one file each.

mod cgroup_pids;
mod hidden_pids;
mod ld_so_preload;
mod overmounted;
mod selinux;

use super::procfs::Procfs;
use crate::audit::host::{Fact, Facts};

/// How a fact is looked for.
type Look = fn(&Procfs) -> Fact;

/// By the rules that ask for them.
const LOOKS: [(&str, Look); 5] = [
    ("hidden-pid", hidden_pids::look),
    ("cgroup-pid-not-in-proc", cgroup_pids::look),
    ("proc-pid-overmounted", overmounted::look),
    ("etc-ld-so-preload", ld_so_preload::look),
    ("selinux-not-enforcing", selinux::look),
];

/// Looks for what these rules ask for.
#[must_use]
pub fn facts(procfs: &Procfs, wanted: impl Fn(&str) -> bool) -> Facts {
    let looks = LOOKS.iter().filter(|(rule, _)| wanted(rule));
    looks.map(|(rule, look)| (*rule, look(procfs))).collect()
}

/// The facts that can be looked for.
pub fn known() -> impl Iterator<Item = &'static str> {
    LOOKS.iter().map(|(rule, _)| *rule)
}

fn untold(what: &str, error: impl std::fmt::Display) -> Fact {
    Fact::Untold(format!("{what}: {error}"), None)
}
