//! The built-in exemptions: data in the selector language.

use crate::judge::Exception;
use crate::select::selection::Exempts;
use crate::select::spec::parse_selector;
use crate::snapshot::Accounts;
use serde::Deserialize;

/// One entry, as written.
#[derive(Clone, Debug, Deserialize)]
pub struct Exemption {
    /// By what it is switched off.
    pub name: String,
    /// Who.
    pub select: String,
    /// Why.
    pub reason: String,
}

#[derive(Deserialize)]
struct List {
    exempt: Vec<Exemption>,
}

/// All of them. The text is a part of this program, and a test reads it: it is never faulty.
#[must_use]
pub fn built_in() -> Vec<Exemption> {
    toml::from_str::<List>(include_str!("exempt.toml"))
        .map(|list| list.exempt)
        .unwrap_or_default()
}

/// The entries as exceptions of a check, without those switched off by name.
#[must_use]
pub fn exceptions(without: &[String], accounts: &dyn Accounts) -> Vec<Exception> {
    built_in()
        .into_iter()
        .filter(|entry| !without.contains(&entry.name))
        .filter_map(|entry| {
            Some(Exception {
                selector: parse_selector(&entry.select, accounts).ok()?,
                reason: entry.reason,
                built_in: true,
                exempts: Exempts::MatchByName,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::{Item, State, judge};
    use crate::select::Truth;
    use crate::snapshot::{Fact, Process, Table};
    use crate::testing::{Build, later, process};

    #[test]
    fn every_entry_is_a_selector_with_a_name_of_its_own_and_a_reason() {
        let entries = built_in();
        assert!(entries.len() > 10);
        assert_eq!(exceptions(&[], &Table::default()).len(), entries.len());
        let mut names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), entries.len());
        assert!(entries.iter().all(|entry| !entry.reason.is_empty()));
    }

    #[test]
    fn a_name_exempts_only_a_program_of_the_system() {
        let by_name = |select: &str| select.starts_with("name=");
        for entry in built_in().iter().filter(|entry| by_name(&entry.select)) {
            assert!(entry.select.contains(",exe.system=yes"), "{}", entry.name);
        }
    }

    /// What `procward cpu` says of a process that spins: found, exempt, or exempt by its name only.
    fn judged(process: Process) -> &'static str {
        let spins = |ticks| process.clone().ran(ticks).threads(&[]);
        let host = later(3000, vec![spins(0)], vec![spins(300)]);
        let limits = crate::cpu::Limits {
            limit: 90,
            lifetime: false,
            pace: crate::judge::Pace::default(),
            patience: None,
            severity: State::Critical,
        };
        let check = crate::cpu::check(&limits, exceptions(&[], &host.accounts), &host.accounts).unwrap();
        let verdict = judge(&[Item::Check(Box::new(check))], &host, &host.accounts)
            .verdicts
            .remove(0);
        let by_name = verdict
            .left_out
            .iter()
            .any(|line| line.contains("by its name only"));
        match (verdict.state, verdict.matched, by_name) {
            (State::Critical, 1, false) => "found",
            (State::Ok, 0, true) => "by name",
            (State::Ok, 0, false) => "exempt",
            other => panic!("{other:?} {:?}", verdict.left_out),
        }
    }

    fn ids(process: Process, uids: [u32; 4]) -> Process {
        process.change(|p| {
            p.owner = Fact::Value((uids[1], 0));
            if let Fact::Value(status) = &mut p.status {
                status.uid = uids;
            }
        })
    }

    #[test]
    fn people_may_and_services_may_not() {
        let spins = || process(7, "spins");
        for (uid, want) in [(0, "found"), (33, "found"), (999, "found"), (1000, "exempt")] {
            assert_eq!(judged(spins().uid(uid)), want, "{uid}");
        }
        for (uid, want) in [
            (60_513, "exempt"),
            (60_514, "found"),
            (65_534, "found"),
            (61_184, "found"),
        ] {
            assert_eq!(judged(spins().uid(uid)), want, "{uid}");
        }
    }

    #[test]
    fn who_works_for_a_person_as_root_is_none() {
        let spins = || process(7, "spins");
        // A set-user-id program, and a daemon that took a user's uid for a while and can take root's again.
        assert_eq!(judged(ids(spins(), [1000, 0, 0, 0])), "found");
        assert_eq!(judged(ids(spins(), [0, 1000, 0, 1000])), "found");
        assert_eq!(judged(ids(spins(), [1000, 1000, 0, 1000])), "found");
    }

    #[test]
    fn who_gives_way_may() {
        let ranked = |nice, threads: &[i64], policies: &[u32]| {
            process(7, "spins").stat(|stat| stat.nice = nice).change(|p| {
                p.ranks = Fact::Value(crate::snapshot::Ranks {
                    lowest_nice: *threads.iter().min().unwrap(),
                    policies: policies.to_vec(),
                });
            })
        };
        let spins = |nice| ranked(nice, &[nice], &[0]);
        // What one thread does, by `renice -p` for example, the others need not do.
        assert_eq!(judged(ranked(19, &[19, 0], &[0])), "found");
        assert_eq!(judged(ranked(19, &[19, 10], &[0])), "exempt");
        assert_eq!(judged(ranked(19, &[19], &[0, 1])), "found");
        assert_eq!(
            [9, 10, 19].map(|nice| judged(spins(nice))),
            ["found", "exempt", "exempt"]
        );
        let policy = |policy: u32, others: &[u32]| {
            let threads = [&[policy], others].concat();
            ranked(0, &[0], &threads).stat(|stat| stat.policy = Some(policy))
        };
        let alone = [0, 1, 3, 5].map(|number| judged(policy(number, &[])));
        assert_eq!(alone, ["found", "found", "exempt", "exempt"]);
        assert_eq!(judged(policy(5, &[3])), "exempt");
        assert_eq!(judged(policy(5, &[0])), "found");
    }

    #[test]
    fn a_name_is_worth_what_its_program_is() {
        let xz = || process(7, "xz");
        assert_eq!(judged(xz().exe("/usr/bin/xz")), "exempt");
        for elsewhere in ["/tmp/xz", "/home/alice/usr/bin/xz", "/dev/shm/xz", "/memfd:xz"] {
            assert_eq!(judged(xz().exe(elsewhere)), "found", "{elsewhere}");
        }
        // The dynamic linker of the system, which runs whatever it is given.
        for linker in [
            "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
            "/lib/ld-musl-x86_64.so.1",
            "/usr/bin/ld.so",
        ] {
            assert_eq!(judged(xz().exe(linker)), "found", "{linker}");
        }
        assert_eq!(judged(xz().exe_denied()), "by name");
        assert_eq!(judged(process(7, "spins").exe_denied()), "found");
        let gzip = |arguments| process(7, "gzip").exe("/usr/bin/perl").args(arguments);
        assert_eq!(judged(gzip(&["/usr/bin/perl", "/usr/bin/gzip"])), "exempt");
        assert_eq!(judged(gzip(&["/usr/bin/perl", "/tmp/gzip"])), "found");
        assert_eq!(judged(gzip(&["gzip"])), "found");
    }

    #[test]
    fn who_stands_below_an_exempt_name_is_not_exempt_for_that() {
        let miner = process(7, "miner")
            .exe("/var/tmp/miner")
            .stat(|stat| stat.ppid = 6);
        let spins = |process: Process, ticks| process.ran(ticks).threads(&[]);
        let host = later(
            3000,
            vec![process(6, "boinc"), spins(miner.clone(), 0)],
            vec![process(6, "boinc"), spins(miner.clone(), 300)],
        );
        let exempt = exceptions(&[], &host.accounts);
        let subject = crate::select::reading::Subject::of(host.by_pid(7).unwrap(), &host);
        assert!(
            exempt
                .iter()
                .all(|one| one.selector.truth(subject, true) != Truth::Yes)
        );
    }

    #[test]
    fn an_installation_is_exempt_for_two_hours() {
        // Born 10 s after the boot, and judged 3 s after it was read.
        let apt = |seconds: u64| {
            process(7, "apt-get")
                .exe("/usr/bin/apt-get")
                .change(|p| p.read_at = (10 + seconds - 3) * 1_000_000_000)
        };
        assert_eq!(judged(apt(7100)), "exempt");
        assert_eq!(judged(apt(7300)), "found");
    }

    #[test]
    fn an_entry_can_be_switched_off() {
        let all = built_in().len();
        assert_eq!(exceptions(&["people".into()], &Table::default()).len(), all - 1);
    }
}
