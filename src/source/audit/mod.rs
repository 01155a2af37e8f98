//! Facts about the host that the audit asks for, one file each.

mod cgroup_pids;
mod hidden_pids;
mod ld_so_preload;
mod overmounted;
mod selinux;

use super::procfs::Procfs;
use crate::audit::host::{Fact, Facts};
use crate::snapshot::Gap;

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

/// Why what the kernel says of ids can't be compared with what `/proc` lists.
fn incomparable(procfs: &Procfs) -> Option<Fact> {
    let gaps = procfs.gaps_now();
    let gap = gaps
        .iter()
        .find(|gap| gap.hides() || matches!(gap, Gap::Elsewhere(_)));
    if let Some(gap) = gap {
        return Some(Fact::Untold(gap.text(), Some(gap.remedy().into())));
    }
    let listed_as = std::fs::read_link("/proc/self").ok();
    let ours = std::process::id().to_string();
    (listed_as.is_none_or(|listed_as| listed_as.as_os_str() != ours.as_str())).then(|| {
        Fact::Untold(
            "/proc is of another PID namespace than procward".into(),
            Some("mount a /proc of its own where procward runs: unshare --mount-proc".into()),
        )
    })
}
