//! Capabilities of capabilities(7): their names, and whether a process has what a spec asks for.

/// By their numbers in linux/capability.h, without `CAP_`.
pub(super) const NAMES: &[&str] = &[
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

/// Names of sets, which may stand in the place of a capability.
pub(super) const SETS: &[&str] = &["root_equivalent", "all", "none"];

/// Each of these is as good as being root: whoever has it can have the others.
const ROOT_EQUIVALENT: &[&str] = &[
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "setuid",
    "setgid",
    "setpcap",
    "setfcap",
    "sys_module",
    "sys_rawio",
    "sys_ptrace",
    "sys_admin",
    "mknod",
    "bpf",
    "perfmon",
    "mac_admin",
    "mac_override",
    "sys_boot",
    "checkpoint_restore",
    "sys_chroot",
    "linux_immutable",
];

/// What a spec asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Any of these.
    Any(u64),
    /// All that the kernel knows.
    All,
    /// Nothing at all.
    Nothing,
}

/// What a process has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its mask.
    pub mask: u64,
    /// The highest capability of its kernel, where that is known.
    pub last: Option<u32>,
}

/// In small letters, without `cap_`.
pub(super) fn bare(name: &str) -> String {
    let small = name.to_ascii_lowercase();
    small.strip_prefix("cap_").unwrap_or(&small).to_string()
}

impl Asked {
    /// What the name says, in any case, with or without `CAP_`; a number is a capability without a name yet.
    pub(super) fn by_name(name: &str) -> Option<Asked> {
        let bare = bare(name);
        let bit = |name: &str| NAMES.iter().position(|known| *known == name).map(|bit| 1 << bit);
        match bare.as_str() {
            "root_equivalent" => {
                let bits = ROOT_EQUIVALENT.iter().filter_map(|name| bit(name));
                Some(Asked::Any(bits.fold(0, |mask, bit| mask | bit)))
            }
            "all" => Some(Asked::All),
            "none" => Some(Asked::Nothing),
            digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                let number = digits.parse::<u32>().ok()?;
                Some(Asked::Any(1u64.checked_shl(number)?))
            }
            name => bit(name).map(Asked::Any),
        }
    }
}

impl Held {
    /// Whether it is what was asked for; `None` where it takes the kernel's highest to tell.
    pub(super) fn have(self, asked: Asked) -> Option<bool> {
        match asked {
            Asked::Any(mask) => Some(self.mask & mask != 0),
            Asked::Nothing => Some(self.mask == 0),
            Asked::All => match self.last {
                Some(last) => Some(self.missing(last) == 0),
                // Whoever lacks one that every kernel since 3.16 has lacks one.
                None if self.missing(37) != 0 => Some(false),
                None => None,
            },
        }
    }

    fn missing(self, last: u32) -> u64 {
        let known = u64::MAX >> 63u32.saturating_sub(last);
        known & !self.mask
    }

    /// As a report shows it.
    #[must_use]
    pub fn text(self) -> String {
        if self.mask == 0 {
            return "none".into();
        }
        match self.last.map(|last| self.missing(last)) {
            Some(0) => "all".into(),
            Some(missing) if missing.count_ones() < self.mask.count_ones() => {
                format!("all but {}", names(missing))
            }
            _ => names(self.mask),
        }
    }
}

fn names(mask: u64) -> String {
    let bits = (0..64usize).filter(|bit| mask & (1 << bit) != 0);
    let names: Vec<String> = bits
        .map(|bit| {
            NAMES
                .get(bit)
                .map_or_else(|| bit.to_string(), |name| (*name).to_string())
        })
        .collect();
    names.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::State;
    use crate::select::spec::{Dialect, parse, sentence};
    use crate::snapshot::{Caps, Fact, Process, Snapshot, Status};
    use crate::testing::{Build, count, host, process, verdict};

    fn held(mask: u64) -> Held {
        Held { mask, last: Some(40) }
    }

    fn with(change: impl FnOnce(&mut Status)) -> Snapshot {
        let daemon = process(70, "d").change(|p: &mut Process| {
            if let Fact::Value(status) = &mut p.status {
                change(status);
            }
        });
        let mut host = host(vec![daemon]);
        host.host.last_capability = Some(40);
        host
    }

    #[test]
    fn the_numbers_are_those_of_linux() {
        for (name, number) in [
            ("chown", 0),
            ("net_raw", 13),
            ("sys_ptrace", 19),
            ("sys_admin", 21),
        ] {
            assert_eq!(Asked::by_name(name), Some(Asked::Any(1 << number)), "{name}");
        }
        assert_eq!(Asked::by_name("checkpoint_restore"), Some(Asked::Any(1 << 40)));
        assert_eq!(NAMES.len(), 41);
    }

    #[test]
    fn a_name_is_taken_in_any_case_and_with_its_prefix() {
        for name in ["net_raw", "NET_RAW", "CAP_NET_RAW", "cap_Net_Raw", "13"] {
            assert_eq!(Asked::by_name(name), Some(Asked::Any(1 << 13)), "{name}");
        }
        assert_eq!(Asked::by_name("63"), Some(Asked::Any(1 << 63)));
        for name in ["64", "net", "", "net_raww", "-1", "4294967296"] {
            assert_eq!(Asked::by_name(name), None, "{name}");
        }
    }

    #[test]
    fn as_good_as_root_are_twenty_one() {
        let Some(Asked::Any(mask)) = Asked::by_name("root_equivalent") else {
            panic!("it is a set");
        };
        assert_eq!(mask.count_ones(), 21);
        assert_eq!(mask & 1 << 13, 0, "net_raw is not");
    }

    #[test]
    fn all_are_those_that_the_kernel_knows() {
        assert_eq!(held((1 << 41) - 1).have(Asked::All), Some(true));
        assert_eq!(held((1 << 40) - 1).have(Asked::All), Some(false));
        let old = |mask| Held { mask, last: None }.have(Asked::All);
        assert_eq!(old(1), Some(false));
        assert_eq!(old((1 << 38) - 1), None, "the next kernel may know more");
        let odd = Held {
            mask: u64::MAX,
            last: Some(u32::MAX),
        };
        assert_eq!(odd.have(Asked::All), Some(true));
    }

    #[test]
    fn a_set_is_told_the_short_way() {
        assert_eq!(held(0).text(), "none");
        assert_eq!(held((1 << 41) - 1).text(), "all");
        assert_eq!(held(1 << 13 | 1 << 12).text(), "net_admin net_raw");
        assert_eq!(held((1 << 41) - 1 - (1 << 21)).text(), "all but sys_admin");
        assert_eq!(held(1 << 50).text(), "50");
    }

    #[test]
    fn a_process_matches_that_has_any_of_them() {
        let host = with(|status| {
            status.caps = Caps {
                effective: Some(1 << 13),
                permitted: Some(1 << 13 | 1 << 21),
                inheritable: Some(0),
                ambient: Some(0),
                bounding: Some((1 << 41) - 1),
            }
        });
        for (spec, matches) in [
            ("d,caps.effective=net_raw|net_admin", 1),
            ("d,caps.effective=CAP_NET_ADMIN", 0),
            ("d,caps.effective!=net_admin|sys_admin", 1),
            ("d,caps.effective!=net_admin|net_raw", 0),
            ("d,caps.effective=root_equivalent", 0),
            ("d,caps.permitted=root_equivalent", 1),
            ("d,caps.permitted!=root_equivalent", 0),
            ("d,caps.inheritable=none", 1),
            ("d,caps.ambient!=none", 0),
            ("d,caps.permitted!=none", 1),
            ("d,caps.bounding=all", 1),
            ("d,caps.bounding!=all", 0),
            ("d,caps.permitted=all", 0),
        ] {
            assert_eq!(count(spec, &host).1, matches, "{spec}");
        }
    }

    #[test]
    fn what_the_kernel_lacks_is_unknown_and_says_so() {
        let host = with(|status| {
            status.caps.effective = Some(0);
        });
        for key in ["caps.ambient=none", "caps.ambient!=none", "caps.bounding=net_raw"] {
            assert_eq!(count(&format!("d,{key}:0"), &host).0, State::Unknown, "{key}");
        }
        for key in [
            "no_new_privs=no",
            "seccomp=none",
            "seccomp!=none",
            "tracer!=0",
            "umask=0022",
        ] {
            assert_eq!(count(&format!("d,{key}:0"), &host).0, State::Unknown, "{key}");
        }
        let told = verdict("d,umask=0:0", &host);
        assert!(
            format!("{told:?}").contains("ask without umask: it takes a newer kernel"),
            "{told:?}"
        );
    }

    #[test]
    fn the_other_lines_of_status_are_keys() {
        let host = with(|status| {
            status.groups = vec![33, 1000];
            status.no_new_privs = Some(true);
            status.seccomp = Some(2);
            status.tracer = Some(4242);
            status.umask = Some(0o22);
        });
        for (spec, matches) in [
            ("d,group.supplementary=www-data", 1),
            ("d,group.supplementary=root", 0),
            ("d,group.supplementary!=root|nobody", 1),
            ("d,group.supplementary>999", 1),
            ("d,no_new_privs=yes", 1),
            ("d,no_new_privs=no", 0),
            ("d,seccomp=filter", 1),
            ("d,seccomp!=none", 1),
            ("d,seccomp=none|strict", 0),
            ("d,tracer!=0", 1),
            ("d,tracer=4242", 1),
            ("d,umask=022", 1),
            ("d,umask=0022", 1),
            ("d,umask=0|0002", 0),
            ("d,umask!=077", 1),
        ] {
            assert_eq!(count(spec, &host).1, matches, "{spec}");
        }
    }

    #[test]
    fn a_mode_of_seccomp_that_is_not_known_is_unknown() {
        let host = with(|status| status.seccomp = Some(3));
        assert_eq!(count("d,seccomp=none:0", &host).0, State::Unknown);
    }

    #[test]
    fn a_zombie_has_no_umask() {
        let mut host = with(|_| {});
        host.processes[1] = host.processes[1].clone().zombie();
        assert_eq!(count("d,state=zombie,umask=0:0", &host).0, State::Ok);
    }

    #[test]
    fn the_sentences_read_well() {
        let host = host(vec![]);
        let said = |text: &str| {
            let spec = parse(text, &host.accounts, Dialect::Native).unwrap();
            sentence(&spec.selector, spec.range.unwrap())
        };
        assert_eq!(
            said("user!=root,caps.permitted=root_equivalent:0"),
            "no process not run by root, with root_equivalent in caps.permitted"
        );
        assert_eq!(
            said("named,caps.effective!=sys_admin|net_raw:1"),
            "exactly 1 process named named, without sys_admin or net_raw in caps.effective"
        );
        assert_eq!(said("tracer!=0:0"), "no process traced");
        assert_eq!(
            said("group.supplementary=root,umask=0000:0"),
            "no process with supplementary group root, with umask 0000"
        );
    }
}
