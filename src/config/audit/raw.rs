//! `[audit]` as it is written: tables, keys and values with their places, nothing looked up yet.

use crate::config::raw::{Placed, string, strings, unknown};
use crate::select::Fault;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The keys of `[audit]`.
pub const AUDIT_KEYS: [&str; 7] = [
    "critical", "warning", "with", "without", "severity", "exempt", "rule",
];

/// The keys of `[[audit.exempt]]`.
pub const EXEMPT_KEYS: [&str; 4] = ["rule", "select", "reason", "until"];

/// The keys of `[[audit.rule]]`.
pub const RULE_KEYS: [&str; 9] = [
    "id", "class", "title", "why", "source", "fix", "when", "case", "exempt",
];

pub(super) const EXEMPT_FORM: &str =
    "write [[audit.exempt]] with rule = \"ID\", select = \"exe=/PATH\", reason = \"why\"";

pub(super) const CASE_FORM: &str = "write case = [ { severity = \"high\", select = \"…\" } ]";

/// `[audit]` as written.
#[derive(Clone, Debug, Default)]
pub struct RawAudit {
    pub(super) critical: Option<Placed<String>>,
    pub(super) warning: Option<Placed<String>>,
    pub(super) with: Vec<Placed<String>>,
    pub(super) without: Vec<Placed<String>>,
    pub(super) severities: Vec<(Placed<String>, Placed<String>)>,
    pub(super) exempt: Vec<RawExemption>,
    pub(super) rules: Vec<RawRule>,
    pub(super) faults: Vec<Fault>,
}

impl RawAudit {
    /// Where each exemption begins, and whether something of it could not be read.
    pub(in crate::config) fn exemptions(&mut self) -> impl Iterator<Item = (usize, &mut bool)> {
        let of_rules = self.rules.iter_mut().flat_map(|rule| &mut rule.exempt);
        let all = self.exempt.iter_mut().chain(of_rules);
        all.map(|one| (one.place.start, &mut one.faulty))
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct RawExemption {
    pub(super) place: Range<usize>,
    pub(super) rules: Vec<Placed<String>>,
    pub(super) select: Option<Placed<String>>,
    pub(super) reason: Option<Placed<String>>,
    pub(super) until: Option<Placed<String>>,
    /// Whether something of it could not be read.
    pub(super) faulty: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct RawRule {
    pub(super) place: Range<usize>,
    pub(super) id: Option<Placed<String>>,
    pub(super) class: Option<Placed<String>>,
    pub(super) title: Option<Placed<String>>,
    pub(super) why: Option<Placed<String>>,
    pub(super) source: Option<Placed<String>>,
    pub(super) fix: Option<Placed<String>>,
    pub(super) when: Option<Placed<String>>,
    pub(super) cases: Vec<RawCase>,
    pub(super) exempt: Vec<RawExemption>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct RawCase {
    pub(super) place: Range<usize>,
    pub(super) severity: Option<Placed<String>>,
    pub(super) select: Option<Placed<String>>,
}

/// Reads the table.
pub(in crate::config) fn read(table: &DeTable<'_>) -> RawAudit {
    let mut audit = RawAudit::default();
    for (key, value) in table {
        let faults = &mut audit.faults;
        match key.get_ref().as_ref() {
            "critical" => audit.critical = string(value, faults),
            "warning" => audit.warning = string(value, faults),
            "with" => audit.with = strings(value, faults),
            "without" => audit.without = strings(value, faults),
            "severity" => audit.severities = severities(value, faults),
            "exempt" => audit.exempt = tables(value, EXEMPT_FORM, faults, exemption),
            "rule" => audit.rules = tables(value, "write [[audit.rule]]", faults, rule),
            other => faults.push(unknown(other, key.span(), &AUDIT_KEYS)),
        }
    }
    audit
}

fn severities(
    value: &Spanned<DeValue<'_>>,
    faults: &mut Vec<Fault>,
) -> Vec<(Placed<String>, Placed<String>)> {
    let DeValue::Table(table) = value.get_ref() else {
        let help = "write severity = { RULE = \"low\" }";
        faults.push(Fault::new(value.span(), "`severity` is a table", help));
        return Vec::new();
    };
    let entry = |(key, value): (&Spanned<std::borrow::Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
        let rule = (key.get_ref().to_string(), key.span());
        Some((rule, string(value, faults)?))
    };
    table.iter().filter_map(entry).collect()
}

/// A list of tables.
fn tables<T>(
    value: &Spanned<DeValue<'_>>,
    form: &str,
    faults: &mut Vec<Fault>,
    read: impl Fn(&DeTable<'_>, Range<usize>, &mut Vec<Fault>) -> T,
) -> Vec<T> {
    let DeValue::Array(list) = value.get_ref() else {
        faults.push(Fault::new(value.span(), "this is a list of tables", form));
        return Vec::new();
    };
    let mut read_all = Vec::new();
    for entry in list {
        match entry.get_ref() {
            DeValue::Table(table) => read_all.push(read(table, entry.span(), faults)),
            _ => faults.push(Fault::new(entry.span(), "this is a table", form)),
        }
    }
    read_all
}

fn exemption(table: &DeTable<'_>, place: Range<usize>, faults: &mut Vec<Fault>) -> RawExemption {
    let mut exemption = RawExemption {
        place,
        ..RawExemption::default()
    };
    let before = faults.len();
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "rule" => exemption.rules = strings(value, faults),
            "select" => exemption.select = string(value, faults),
            "reason" => exemption.reason = string(value, faults),
            "until" => exemption.until = day(value, faults),
            other => faults.push(unknown(other, key.span(), &EXEMPT_KEYS)),
        }
    }
    exemption.faulty = faults.len() > before;
    exemption
}

/// TOML has dates of its own; one in quotes is taken, too.
fn day(value: &Spanned<DeValue<'_>>, faults: &mut Vec<Fault>) -> Option<Placed<String>> {
    match value.get_ref() {
        DeValue::Datetime(date) => Some((date.to_string(), value.span())),
        _ => string(value, faults),
    }
}

fn rule(table: &DeTable<'_>, place: Range<usize>, faults: &mut Vec<Fault>) -> RawRule {
    let mut rule = RawRule {
        place,
        ..RawRule::default()
    };
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "id" => rule.id = string(value, faults),
            "class" => rule.class = string(value, faults),
            "title" => rule.title = string(value, faults),
            "why" => rule.why = string(value, faults),
            "source" => rule.source = string(value, faults),
            "fix" => rule.fix = string(value, faults),
            "when" => rule.when = string(value, faults),
            "case" => rule.cases = tables(value, CASE_FORM, faults, case),
            "exempt" => rule.exempt = tables(value, EXEMPT_FORM, faults, exemption),
            other => faults.push(unknown(other, key.span(), &RULE_KEYS)),
        }
    }
    rule
}

fn case(table: &DeTable<'_>, place: Range<usize>, faults: &mut Vec<Fault>) -> RawCase {
    let mut case = RawCase {
        place,
        ..RawCase::default()
    };
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "severity" => case.severity = string(value, faults),
            "select" => case.select = string(value, faults),
            other => faults.push(unknown(other, key.span(), &["severity", "select"])),
        }
    }
    case
}
