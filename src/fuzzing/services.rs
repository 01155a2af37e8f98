//! What a strict reader of Checkmk's local checks takes.

use crate::judge::Report;
use std::collections::BTreeSet;

/// One service for the run and one for each check, none twice, each with a state, data and a text.
pub(super) fn are_sound(text: &str, report: &Report) {
    let mut names = BTreeSet::new();
    for line in text.lines() {
        let mut parts = line.splitn(3, '"');
        let state = parts.next().unwrap();
        assert!(["0 ", "1 ", "2 ", "3 "].contains(&state), "{line}");
        let name = parts.next().unwrap();
        assert!(!name.contains('\'') && names.insert(name), "{line}");
        let rest = parts.next().unwrap().strip_prefix(' ').unwrap();
        let (data, text) = rest.split_once(' ').unwrap();
        let count = data.strip_prefix("processes=").map(str::parse::<u64>);
        assert!(data == "-" || count.is_some_and(|count| count.is_ok()), "{line}");
        assert!(!text.is_empty() && !text.contains('|'), "{line}");
    }
    assert_eq!(names.len(), report.verdicts.len() + 1);
}
