//! The lines from the second on: what breaks which rule, why that matters, what to do.

use crate::audit::{Finding, Judged, Outcome, Report, Severity};
use crate::judge::State;
use crate::report::details::{faults, process};
use crate::report::{Look, escape};
use std::collections::BTreeMap;
use std::fmt::Write;

/// How many findings of a rule are told.
const TOLD: usize = 10;

/// From how many rules on what is left out is told once for all of them.
const RULES: usize = 4;

/// All details of a report.
pub(super) fn text(report: &Report, look: &Look) -> String {
    let mut text = String::new();
    let shared = shared(report);
    for verdict in &report.faulty {
        if let Some(faulty) = &verdict.faulty {
            let _ = writeln!(text, "{}: faulty", safe(&verdict.name));
            faults(&mut text, faulty);
        }
    }
    for rule in report.rules.iter().filter(|rule| is_broken(rule)) {
        broken(&mut text, rule, &shared);
    }
    if look.verbose {
        for rule in report.rules.iter().filter(|rule| !is_broken(rule)) {
            unbroken(&mut text, rule, &shared);
        }
    } else {
        fine(&mut text, report, &shared);
    }
    for (line, rules) in &shared {
        let _ = writeln!(text, "{rules} rules: left out {}", safe(line));
    }
    for (rule, reason) in &report.skipped {
        let _ = writeln!(text, "{}: left out, {}", safe(rule), safe(reason));
    }
    for line in report.stale.iter().chain(&report.remarks) {
        let _ = writeln!(text, "{}", safe(line));
    }
    text
}

fn is_broken(rule: &Judged) -> bool {
    rule.outcome == Outcome::Violated
}

fn unbroken(text: &mut String, rule: &Judged, shared: &Shared<'_>) {
    let id = safe(&rule.rule.id);
    let (outcome, title) = (rule.outcome.word(), safe(&rule.rule.title));
    let _ = writeln!(text, "{id}: {outcome}; {title}");
    left_out(text, rule, shared);
}

/// The rules that are OK, in one line, and what only an exception makes so.
fn fine(text: &mut String, report: &Report, shared: &Shared<'_>) {
    let fine = report.rules.iter().filter(|rule| rule.outcome == Outcome::Ok);
    let number = fine.clone().count();
    if number > 0 {
        let _ = writeln!(text, "{number} rule{} ok", if number == 1 { "" } else { "s" });
    }
    for rule in fine {
        for line in &rule.left_out {
            if line.contains("by the exception") && !shared.contains_key(line.as_str()) {
                let _ = writeln!(text, "{}: left out {}", safe(&rule.rule.id), safe(line));
            }
        }
    }
}

fn broken(text: &mut String, rule: &Judged, shared: &Shared<'_>) {
    let severity = if rule.state == State::Unknown {
        ""
    } else {
        rule.severity.word()
    };
    let bracket = if severity.is_empty() {
        String::new()
    } else {
        format!(" ({severity})")
    };
    let _ = writeln!(
        text,
        "{}{bracket}: broken; want: {}",
        safe(&rule.rule.id),
        safe(&rule.rule.title)
    );
    for finding in rule.findings.iter().take(TOLD) {
        let _ = writeln!(text, "  {}", one(finding, rule.severity));
    }
    if rule.findings.len() > TOLD {
        let _ = writeln!(text, "  and {} more", rule.findings.len() - TOLD);
    }
    if rule.state == State::Unknown {
        for evidence in rule.unsure.iter().take(TOLD) {
            let _ = writeln!(text, "  unsure: {}", process(evidence));
        }
        let more = rule.undecided.len().saturating_sub(rule.unsure.len().min(TOLD));
        if more > 0 {
            let _ = writeln!(text, "  and {more} more");
        }
    }
    let reasons: &[String] = if rule.state == State::Unknown {
        &rule.reasons
    } else {
        &[]
    };
    for reason in reasons {
        let _ = writeln!(text, "  why: {}", safe(reason));
    }
    for remedy in rule.remedies.iter().filter(|_| rule.state == State::Unknown) {
        let _ = writeln!(text, "  remedy: {}", safe(remedy));
    }
    let source = if rule.rule.source.is_empty() {
        String::new()
    } else {
        format!(" ({})", safe(&rule.rule.source))
    };
    let _ = writeln!(text, "  matters: {}{source}", safe(&rule.rule.why));
    let _ = writeln!(text, "  fix: {}", safe(&rule.rule.fix));
    left_out(text, rule, shared);
}

/// What is left out of many rules, and of how many.
type Shared<'a> = BTreeMap<&'a str, usize>;

/// An exemption from the coverage is one of each rule.
fn shared(report: &Report) -> Shared<'_> {
    let mut rules = Shared::new();
    for line in report.rules.iter().flat_map(|rule| &rule.left_out) {
        if line.contains("by the exception") {
            *rules.entry(line.as_str()).or_default() += 1;
        }
    }
    rules.retain(|_, rules| *rules >= RULES);
    rules
}

fn left_out(text: &mut String, rule: &Judged, shared: &Shared<'_>) {
    for line in rule
        .left_out
        .iter()
        .filter(|line| !shared.contains_key(line.as_str()))
    {
        let _ = writeln!(text, "  left out: {}", safe(line));
    }
}

/// `pid 812 /usr/sbin/x (root, up 5m, x.service): uid 0/33/0/33`, with its severity where that is not the rule's.
fn one(finding: &Finding, severity: Severity) -> String {
    let facts: Vec<String> = finding.facts.iter().map(|fact| safe(fact)).collect();
    let facts = facts.join("; ");
    let lesser = if finding.severity == severity {
        String::new()
    } else {
        format!(" [{}]", finding.severity.word())
    };
    match &finding.process {
        Some(evidence) if facts.is_empty() => format!("{}{lesser}", process(evidence)),
        Some(evidence) => format!("{}{lesser}: {facts}", process(evidence)),
        None => format!("{facts}{lesser}"),
    }
}

fn safe(text: &str) -> String {
    escape::text(text.as_bytes())
}
