//! The audit in somebody's dialect.

mod details;
mod json;
#[cfg(test)]
mod tests;

use super::first_line::{cut, found, program_of_user};
use super::human::state;
use super::{Format, Look, capped, escape, unfinished};
use crate::audit::compile::COVERAGE;
use crate::audit::{Judged, Outcome as Broken, Report};
use crate::judge::{Evidence, State};
use crate::outcome::Outcome;

/// Writes a report.
#[must_use]
pub fn render(report: &Report, format: Format, look: &Look) -> Vec<u8> {
    let line = first_line(report);
    let word = report.state.word();
    let details = || details::text(report, look);
    match format {
        Format::Human => format!("{}: {line}\n\n{}", state(report.state, look), details()),
        Format::Nagios => capped(format!(
            "AUDIT {word}: {} | {}\n{}",
            escape::without_bars(&line),
            perfdata(report),
            escape::without_bars(&details())
        )),
        Format::Json => json::render(report),
        // mon's; metrics are of checks only.
        _ => capped(escape::without_bars(&format!("{word}: {line}\n{}", details()))),
    }
    .into_bytes()
}

/// Which rules are broken, and by which programs of whom: nothing that moves. Only the worst state is named.
fn first_line(report: &Report) -> String {
    if report.rules.iter().all(|rule| rule.rule.id == COVERAGE) && report.faulty.is_empty() {
        return "no rule to check".into();
    }
    if report.state == State::Ok {
        let rules = report
            .rules
            .iter()
            .filter(|rule| rule.outcome != Broken::NotChecked)
            .count();
        let lesser = report
            .rules
            .iter()
            .filter(|rule| rule.outcome == Broken::Violated)
            .count();
        let told = if lesser == 0 {
            String::new()
        } else {
            format!(", {lesser} broken in a lesser way")
        };
        return format!("{rules} rule{} checked{told}", if rules == 1 { "" } else { "s" });
    }
    let mut broken: Vec<&Judged> = report
        .rules
        .iter()
        .filter(|rule| rule.state == report.state)
        .collect();
    broken.sort_by(|a, b| a.rule.id.cmp(&b.rule.id));
    let faulty = report
        .faulty
        .iter()
        .filter(|verdict| verdict.state == report.state);
    let faulty = faulty.map(|verdict| format!("{} faulty", cut(&escape::text(verdict.name.as_bytes()))));
    super::first_line::joined(broken.into_iter().map(one).chain(faulty).collect(), "; ")
}

fn one(rule: &Judged) -> String {
    let id = cut(&escape::text(rule.rule.id.as_bytes()));
    if rule.state == State::Unknown {
        return format!("{id}: not all could be looked at");
    }
    // The process that is why it is as bad as it is.
    let worst = rule.severity_found();
    let findings = rule
        .findings
        .iter()
        .filter(|finding| Some(finding.severity) == worst);
    let processes: Vec<&Evidence> = findings.filter_map(|finding| finding.process.as_ref()).collect();
    if processes.is_empty() {
        return format!("{id} broken");
    }
    let found = found(processes.into_iter(), program_of_user);
    format!("{id}: {}", found.join(", "))
}

/// How many findings of each severity, and how many rules could not be checked.
fn perfdata(report: &Report) -> String {
    let findings = || report.rules.iter().flat_map(|rule| &rule.findings);
    let mut data: Vec<String> = crate::audit::Severity::ALL
        .iter()
        .rev()
        .map(|severity| {
            let number = findings().filter(|finding| finding.severity == *severity).count();
            format!("{}={number};;;0", severity.word())
        })
        .collect();
    let blind = report
        .rules
        .iter()
        .filter(|rule| rule.outcome == Broken::NotChecked)
        .count();
    data.push(format!("not_checked={blind};;;0"));
    data.join(" ")
}

/// What to say where a run had to end before its report was whole.
#[must_use]
pub fn excuse(format: Format, reason: &str, known: Option<Outcome>) -> Outcome {
    unfinished(format, "AUDIT", reason, known, json::excuse)
}
