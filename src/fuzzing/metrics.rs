//! What a strict reader of Prometheus' text format takes.

use crate::judge::Report;
use std::collections::BTreeSet;

/// Every family has one head, then its samples; no series is there twice, none has a timestamp; every check is there.
pub(super) fn are_sound(text: &str, report: &Report) {
    let mut heads = BTreeSet::new();
    let mut series = BTreeSet::new();
    let mut family = "";
    for line in text.lines() {
        if let Some(head) = line.strip_prefix("# HELP ") {
            family = head.split(' ').next().unwrap();
            assert!(heads.insert(family), "{text}");
        } else if line.starts_with('#') {
            assert_eq!(line, format!("# TYPE {family} gauge"));
        } else {
            let (name, value) = sample(line);
            assert!(name == family && value.parse::<f64>().is_ok(), "{line}");
            assert!(series.insert(line.strip_suffix(value).unwrap()), "{line}");
        }
    }
    let rules = |series: &&&str| series.starts_with("procward_rule_state{");
    assert_eq!(series.iter().filter(rules).count(), report.verdicts.len());
}

/// The name and the value of a sample; the labels between them are quoted as the format says.
fn sample(line: &str) -> (&str, &str) {
    let end = line.find(['{', ' ']).unwrap();
    let (name, mut rest) = line.split_at(end);
    if let Some(labels) = rest.strip_prefix('{') {
        rest = labels;
        loop {
            let (label, value) = rest.split_once("=\"").unwrap();
            assert!(["rule", "severity", "version"].contains(&label), "{line}");
            rest = after_quote(value);
            let Some(more) = rest.strip_prefix(',') else { break };
            rest = more;
        }
        rest = rest.strip_prefix('}').unwrap();
    }
    (name, rest.strip_prefix(' ').unwrap())
}

fn after_quote(value: &str) -> &str {
    let mut chars = value.chars();
    loop {
        match chars.next().unwrap() {
            '"' => return chars.as_str(),
            '\\' => assert!(matches!(chars.next(), Some('\\' | '"' | 'n')), "{value}"),
            _ => {}
        }
    }
}
