//! What a server of passive results takes.

use crate::judge::Report;
use crate::report::passive::{Passive, Sender, addressed};
use std::collections::BTreeSet;
use std::time::Duration;

/// One result for the run and one for each check, none twice, each in one piece that a FIFO takes at once.
pub(super) fn are_sound(passive: Passive, text: &str, report: &Report) {
    let sender = Sender {
        host: "h".repeat(253),
        started: Duration::from_secs(1),
        ended: Duration::from_secs(u64::from(u32::MAX)),
    };
    let results = addressed(passive, text.as_bytes(), &sender);
    assert_eq!(results.len(), report.verdicts.len() + 1);
    let mut services = BTreeSet::new();
    for result in &results {
        let mut ends = match passive {
            Passive::Nsca => result.split('\x17'),
            _ => result.split('\n'),
        };
        let body = ends.next().unwrap();
        assert_eq!(ends.collect::<Vec<_>>(), [""], "{result:?}");
        let service = match passive {
            Passive::Nsca => body.split('\t').nth(1).unwrap().to_owned(),
            Passive::Nagios => body.split(';').nth(2).unwrap().to_owned(),
            Passive::Icinga2 => {
                let body: serde_json::Value = serde_json::from_str(body).unwrap();
                body["service"].as_str().unwrap().to_owned()
            }
        };
        assert!(services.insert(service), "{result:?}");
        assert!(
            passive != Passive::Nagios || result.len() <= 4096,
            "{}",
            result.len()
        );
        assert!(
            passive == Passive::Icinga2 || result.matches('|').count() <= 1,
            "{result:?}"
        );
    }
}
