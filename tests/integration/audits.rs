//! docs/audits.md says of every rule what the program does.

use crate::docs::document;
use procward::audit::{Class, Rule, Severity, built_in};
use procward::select::spec::parse_selector;
use procward::snapshot::Table;
use std::collections::BTreeSet;

/// The section of a rule: what, why, needs, exemptions, how to fix.
fn section(rule: &Rule) -> String {
    let class = match rule.class {
        Class::Default => "on",
        Class::Maintenance => "on, maintenance",
        Class::Baseline => "off until exemptions are written",
        Class::OptIn => "off unless asked for",
    };
    let mut text = format!("### {}\n\n{}.\n\n", rule.id, capitalised(&rule.title));
    text += &format!("*{}, {class}; needs {}*", word(rule.severity()), needs(rule));
    if let Some(module) = &rule.when {
        text += &format!("; only with `{module}`");
    }
    text += ".\n\n";
    for case in &rule.cases {
        text += &format!("- broken ({}) by `{}`\n", word(case.severity), case.select);
    }
    if rule.host.is_some() {
        text += "- broken by a fact about the host, which no selector can say\n";
    }
    for exempt in &rule.exempt {
        text += &format!("- exempt: `{}`, because {}\n", exempt.select, exempt.reason);
    }
    text += &format!("\nWhy: {}", rule.why);
    if !rule.source.is_empty() {
        text += &format!(" ({})", rule.source);
    }
    text + &format!("\n\nFix: {}\n", rule.fix)
}

fn word(severity: Severity) -> &'static str {
    if severity == Severity::Unknown {
        "UNKNOWN"
    } else {
        severity.word()
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}

/// The rights without which others' processes can't be looked at.
fn needs(rule: &Rule) -> String {
    let mut rights = BTreeSet::new();
    for case in &rule.cases {
        let selector = parse_selector(&case.select, &Table::default()).expect(&case.select);
        for term in &selector.terms {
            // Without a right the map of ids tells nearly as well.
            if term.key.name() != "userns" {
                rights.extend(term.key.capabilities().iter().map(|one| one.name()));
            }
        }
    }
    if rights.is_empty() {
        return "no right".into();
    }
    rights.into_iter().collect::<Vec<_>>().join(" and ")
}

#[test]
fn every_rule_has_its_section_and_no_section_is_of_none() {
    let text = document("docs/audits.md");
    let sections: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .collect();
    let rules = built_in();
    let ids: Vec<&str> = rules.iter().map(|rule| rule.id.as_str()).collect();
    let lacking: Vec<String> = rules
        .iter()
        .map(section)
        .filter(|section| !text.contains(section))
        .collect();
    assert!(
        lacking.is_empty(),
        "docs/audits.md lacks:\n\n{}",
        lacking.join("\n")
    );
    assert_eq!(sections, ids);
}
