//! What to do about a term that can't be read: what to grant, and the spec that takes no right.

use super::Check;
use super::alternative::proven_alternative;
use crate::select::{Capability, Key, Matcher, Selection, label};
use crate::snapshot::{Accounts, Fact, Gap, Snapshot, Why};

/// What is known where a remedy is wanted.
pub(super) struct Case<'a> {
    pub(super) check: &'a Check,
    pub(super) selection: &'a Selection,
    pub(super) snapshot: &'a Snapshot,
    pub(super) accounts: &'a dyn Accounts,
}

impl Case<'_> {
    /// One sentence; none where a gap of the view says it already.
    pub(super) fn remedy(&self, key: Key, why: Why) -> Option<String> {
        let hidden = self
            .snapshot
            .gaps
            .iter()
            .any(|gap| matches!(gap, Gap::HidePid(_)));
        Some(match (key, why) {
            (_, Why::Denied) if hidden => return None,
            (_, Why::Covered) => return None,
            (Key::Main, Why::Denied) => {
                format!(
                    "{}, or ask without main, by user, arg or unit",
                    self.grant(&[Capability::SysPtrace])
                )
            }
            (_, Why::NoModule) => match label::of_key(key) {
                Some(module) => format!(
                    "this host does not run {}: write the check in a configuration file, with when = \"{}\"",
                    module.title(),
                    module.name()
                ),
                None => "no security module of this host gives labels: ask by user and unit".into(),
            },
            (_, Why::NoPolicy) => "see why SELinux has loaded no policy: until then all processes are `kernel`".into(),
            (_, Why::Unmapped) => "run procward outside of its user namespace, where all ids are told".into(),
            (Key::ApparmorAttachment, Why::Denied)
                if self.snapshot.host.attachments == Fact::Unreadable(Why::Denied) =>
            {
                "run procward as root: to nobody else does AppArmor tell what its profiles are for".into()
            }
            (Key::ContainerSystem, Why::Errno(_)) => {
                "run procward where /sys/fs/cgroup shows all control groups of the host, in the host's cgroup namespace: \
                 docker run --cgroupns=host"
                    .into()
            }
            (Key::ApparmorAttachment, Why::Errno(_)) => {
                "mount securityfs: mount -t securityfs securityfs /sys/kernel/security".into()
            }
            (_, Why::Denied) if key.is_label() && key.capabilities().is_empty() => {
                "let procward read /proc/PID/attr: SELinux wants process:getattr for its domain, \
                 AppArmor a rule for @{PROC}/*/attr/**, Smack one for the other label"
                    .into()
            }
            (_, Why::Denied) if key.capabilities().is_empty() => {
                "see what keeps it from procward: everybody may read it, unless a security module forbids"
                    .into()
            }
            (_, Why::Denied) => self.denied(key, key.capabilities()),
            (_, Why::NoAnswer) => {
                "see what the process waits for, a dead file server maybe; ask by comm, user and unit".into()
            }
            (Key::Main, Why::Orphan) => {
                "see whether it answers, and restart it if not; if it is well, ask without main, by user, arg or unit".into()
            }
            (Key::Main, _) => "ask without main, by user, arg or unit".into(),
            (Key::Exe, Why::Absent) if self.path_not_looked_up().is_some() => {
                let (path, reason) = self.path_not_looked_up().unwrap_or_default();
                format!("{path} can't be compared with the program ({reason}): ask by name, user and unit")
            }
            (_, Why::Nameless) => {
                "restart it, or ask by name and exe.deleted=yes: nothing but a text tells which file it was".into()
            }
            (_, Why::NoSample) => {
                "a rate takes two looks at the live host: a snapshot or a copy of /proc is one, and so is a run that ends sooner".into()
            }
            (_, Why::Future) => {
                "look at the live host: the start times of a copy of /proc are of another clock".into()
            }
            (_, Why::TooLong(_)) => format!("ask without {}, by exe, user and unit", key.name()),
            (_, Why::Untold) => {
                format!("ask without {}: it takes a newer kernel, or one built with it", key.name())
            }
            (_, Why::Absent) => "look at the live host, or save the snapshot with --with-arguments".into(),
            (Key::Exe, _) => "ask by name, user and unit instead of exe".into(),
            _ => "ask by exe, user and unit, which a process cannot overwrite".into(),
        })
    }

    fn denied(&self, key: Key, capabilities: &[Capability]) -> String {
        let observer = &self.snapshot.observer;
        let held = |capability: &Capability| match capability {
            Capability::SysPtrace => observer.may_trace,
            Capability::DacReadSearch => observer.may_read,
        };
        let lacking: Vec<Capability> = capabilities.iter().copied().filter(|one| !held(one)).collect();
        let has_it = lacking.is_empty();
        let grant = if has_it {
            let verb = if capabilities.len() == 1 { "is" } else { "are" };
            let held = names(capabilities, " and ");
            format!("{held} {verb} not enough here: something else forbids it")
        } else {
            self.grant(&lacking)
        };
        if self.check.facts {
            // A rule is no spec that its reader could write otherwise.
            return grant;
        }
        if has_it && let Some(spec) = self.without_pid_1(key) {
            return format!("{grant}; write {spec}, which trusts PID 1");
        }
        let write = match self.alternative() {
            Some(spec) if self.check.count.min == 0 => {
                format!("or write {spec}, which is weaker: a process can call itself otherwise")
            }
            Some(spec) => format!("or write {spec}, which takes no right"),
            None if self.check.selector.mentions(key) => {
                format!("no spec says the same without {}", key.name())
            }
            None => format!("or write the exceptions without {}", key.name()),
        };
        let join = if write.starts_with("or ") { ", " } else { "; " };
        format!("{grant}{join}{write}")
    }

    /// How a right is granted.
    fn grant(&self, capabilities: &[Capability]) -> String {
        let observer = &self.snapshot.observer;
        let user = observer.uid.filter(|_| observer.grantable);
        let unit = format!("AmbientCapabilities={} in the unit", names(capabilities, " "));
        let ways = match user.and_then(|uid| self.accounts.user_name(uid)) {
            Some(user) => format!("sudo procward grant {user}, or {unit}"),
            None => format!(
                "{unit}, or setcap {}+ep",
                names(capabilities, ",").to_ascii_lowercase()
            ),
        };
        format!("grant {} ({ways})", names(capabilities, " and "))
    }

    /// A spec of terms that everybody may read, for the processes that may be meant.
    fn alternative(&self) -> Option<String> {
        let unsure = self.selection.unknown.iter().map(|(index, ..)| *index);
        let mut meant: Vec<usize> = self.selection.matched.iter().copied().chain(unsure).collect();
        meant.sort_unstable();
        let selector = proven_alternative(self.check, &meant, self.snapshot, self.accounts)?;
        Some(format!("{}:{}", selector.text, self.check.count))
    }

    /// The spec without PID 1, where that is the only process that can't be read.
    fn without_pid_1(&self, key: Key) -> Option<String> {
        let only = self
            .selection
            .unknown
            .iter()
            .all(|(index, unknown, _)| *unknown == key && self.snapshot.processes[*index].pid == 1);
        let (text, count) = (&self.check.selector.text, self.check.count);
        (only && self.check.count.min == 0).then(|| format!("{text},pid!=1:{count}"))
    }

    /// A path of the spec whose file is not known, and why.
    fn path_not_looked_up(&self) -> Option<(String, String)> {
        let mut values = self.check.selector.terms.iter().flat_map(|term| &term.values);
        values.find_map(|matcher| match matcher {
            Matcher::File(path) => {
                let reason = path.file.as_ref().err()?;
                Some((String::from_utf8_lossy(&path.text).into_owned(), reason.clone()))
            }
            _ => None,
        })
    }
}

fn names(capabilities: &[Capability], between: &str) -> String {
    let names: Vec<&str> = capabilities.iter().map(|one| one.name()).collect();
    names.join(between)
}
