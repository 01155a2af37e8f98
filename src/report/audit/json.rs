//! For programs. These types are the format: they change only with `version`, whatever becomes of the others.

use crate::audit::{Finding, Judged, Report};
use crate::judge::State;
use crate::report::escape;
use crate::report::json::{OneProcess, process};
use serde::Serialize;

#[derive(Serialize)]
struct Document {
    version: u32,
    state: &'static str,
    seen: usize,
    readable: usize,
    findings: Vec<OneFinding>,
    rules: Vec<OneRule>,
    skipped: Vec<Skipped>,
    faulty: Vec<String>,
    stale_exemptions: Vec<String>,
    remarks: Vec<String>,
}

#[derive(Serialize)]
struct OneFinding {
    rule: String,
    severity: &'static str,
    state: &'static str,
    #[serde(flatten)]
    process: Option<OneProcess>,
    facts: Vec<String>,
}

#[derive(Serialize)]
struct OneRule {
    rule: String,
    class: &'static str,
    outcome: &'static str,
    severity: &'static str,
    state: &'static str,
    title: String,
    why: String,
    source: String,
    fix: String,
    undecided: Vec<i32>,
    reasons: Vec<String>,
    remedies: Vec<String>,
    left_out: Vec<String>,
}

#[derive(Serialize)]
struct Skipped {
    rule: String,
    reason: String,
}

/// The whole output: one line.
pub(super) fn render(report: &Report) -> String {
    let findings = report
        .rules
        .iter()
        .flat_map(|rule| rule.findings.iter().map(move |one| finding(rule, one)));
    let faults = report.faulty.iter().flat_map(|verdict| &verdict.reasons);
    let document = Document {
        version: 1,
        state: report.state.word(),
        seen: report.seen,
        readable: report.readable,
        findings: findings.collect(),
        rules: report.rules.iter().map(rule).collect(),
        skipped: report
            .skipped
            .iter()
            .map(|(rule, reason)| Skipped {
                rule: safe(rule),
                reason: safe(reason),
            })
            .collect(),
        faulty: faults.map(|fault| safe(fault)).collect(),
        stale_exemptions: all(&report.stale),
        remarks: all(&report.remarks),
    };
    written(&document)
}

/// A report of nothing: the run could not be finished.
pub(super) fn excuse(reason: &str) -> String {
    written(&Document {
        version: 1,
        state: State::Unknown.word(),
        seen: 0,
        readable: 0,
        findings: Vec::new(),
        rules: Vec::new(),
        skipped: Vec::new(),
        faulty: Vec::new(),
        stale_exemptions: Vec::new(),
        remarks: vec![reason.to_owned()],
    })
}

fn written(document: &Document) -> String {
    // These types hold nothing that JSON cannot: the error is for maps with odd keys.
    serde_json::to_string(document).unwrap_or_else(|error| format!("{{\"version\":1,\"error\":\"{error}\"}}"))
        + "\n"
}

fn finding(rule: &Judged, finding: &Finding) -> OneFinding {
    OneFinding {
        rule: safe(&rule.rule.id),
        severity: finding.severity.word(),
        state: rule.state.word(),
        process: finding.process.as_ref().map(process),
        facts: all(&finding.facts),
    }
}

fn rule(judged: &Judged) -> OneRule {
    let rule = &judged.rule;
    OneRule {
        rule: safe(&rule.id),
        class: rule.class.word(),
        outcome: judged.outcome.word(),
        severity: judged.severity.word(),
        state: judged.state.word(),
        title: safe(&rule.title),
        why: safe(&rule.why),
        source: safe(&rule.source),
        fix: safe(&rule.fix),
        undecided: judged.undecided.iter().copied().collect(),
        reasons: all(&judged.reasons),
        remedies: all(&judged.remedies),
        left_out: all(&judged.left_out),
    }
}

fn safe(text: &str) -> String {
    escape::text(text.as_bytes())
}

fn all(texts: &[String]) -> Vec<String> {
    texts.iter().map(|text| safe(text)).collect()
}
