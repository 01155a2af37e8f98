//! `[audit]`: which rules run, how bad they are, who may break them, and a user's own rules.

use super::Source;
use super::raw::{Placed, string, strings, unknown};
use super::validate::Validation;
use crate::audit::compile::{self, COVERAGE};
use crate::audit::settings::{Day, Exemption};
use crate::audit::{Case, Class, Rule, Settings, Severity, built_in};
use crate::select::Fault;
use crate::select::label;
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

const EXEMPT_FORM: &str =
    "write [[audit.exempt]] with rule = \"ID\", select = \"exe=/PATH\", reason = \"why\"";

/// `[audit]` as written.
#[derive(Clone, Debug, Default)]
pub struct RawAudit {
    critical: Option<Placed<String>>,
    warning: Option<Placed<String>>,
    with: Vec<Placed<String>>,
    without: Vec<Placed<String>>,
    severities: Vec<(Placed<String>, Placed<String>)>,
    exempt: Vec<RawExemption>,
    rules: Vec<RawRule>,
    faults: Vec<Fault>,
}

#[derive(Clone, Debug, Default)]
struct RawExemption {
    place: Range<usize>,
    rules: Vec<Placed<String>>,
    select: Option<Placed<String>>,
    reason: Option<Placed<String>>,
    until: Option<Placed<String>>,
}

#[derive(Clone, Debug, Default)]
struct RawRule {
    place: Range<usize>,
    id: Option<Placed<String>>,
    class: Option<Placed<String>>,
    title: Option<Placed<String>>,
    why: Option<Placed<String>>,
    source: Option<Placed<String>>,
    fix: Option<Placed<String>>,
    when: Option<Placed<String>>,
    cases: Vec<RawCase>,
    exempt: Vec<RawExemption>,
}

#[derive(Clone, Debug, Default)]
struct RawCase {
    place: Range<usize>,
    severity: Option<Placed<String>>,
    select: Option<Placed<String>>,
}

/// Reads the table.
pub(super) fn read(table: &DeTable<'_>) -> RawAudit {
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
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "rule" => exemption.rules = strings(value, faults),
            "select" => exemption.select = string(value, faults),
            "reason" => exemption.reason = string(value, faults),
            "until" => exemption.until = day(value, faults),
            other => faults.push(unknown(other, key.span(), &EXEMPT_KEYS)),
        }
    }
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

const CASE_FORM: &str = "write case = [ { severity = \"high\", select = \"…\" } ]";

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

/// Takes in a user's own rules of one file; gives its faults. Another file may name them.
pub(super) fn take_rules(
    settings: &mut Settings,
    validation: &Validation<'_>,
    source: &Source,
    raw: &RawAudit,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    for raw in &raw.rules {
        let rule = own_rule(validation, source, raw, settings, &mut faults);
        settings.rules.extend(rule);
    }
    faults
}

/// Takes in what one file says besides; gives its faults.
pub(super) fn take(
    settings: &mut Settings,
    validation: &Validation<'_>,
    source: &Source,
    raw: &RawAudit,
) -> Vec<Fault> {
    settings.given = true;
    let mut faults = raw.faults.clone();
    for (written, known) in [
        (&raw.critical, &mut settings.critical),
        (&raw.warning, &mut settings.warning),
    ] {
        if let Some(word) = written
            && let Some(severity) = severity(word, &mut faults)
            && known.replace(severity).is_some()
        {
            let help = "give it once";
            faults.push(Fault::new(word.1.clone(), "this is given in two files", help));
        }
    }
    let ids: Vec<String> = settings.all_rules().into_iter().map(|rule| rule.id).collect();
    let known = |word: &Placed<String>, faults: &mut Vec<Fault>| {
        let is_known = ids.contains(&word.0);
        if !is_known {
            faults.push(unknown_rule(word, &ids));
        }
        is_known
    };
    let mut take = |words: &[Placed<String>], all: &mut Vec<String>| {
        all.extend(
            words
                .iter()
                .filter(|word| known(word, &mut faults))
                .map(|word| word.0.clone()),
        );
    };
    take(&raw.with, &mut settings.with);
    take(&raw.without, &mut settings.without);
    // An audit that does not tell what it could not look at would be OK where it is blind.
    let is_coverage = |word: &&Placed<String>| word.0 == COVERAGE;
    let severities = || raw.severities.iter().map(|(rule, _)| rule);
    faults.extend(raw.without.iter().filter(is_coverage).map(coverage_stays));
    faults.extend(severities().filter(is_coverage).map(coverage_stays));
    settings.without.retain(|rule| rule != COVERAGE);
    for (rule, word) in raw.severities.iter().filter(|(rule, _)| rule.0 != COVERAGE) {
        if known(rule, &mut faults)
            && let Some(severity) = severity(word, &mut faults)
        {
            settings.severities.insert(rule.0.clone(), severity);
        }
    }
    for raw in &raw.exempt {
        if raw.rules.is_empty() {
            faults.push(Fault::new(
                raw.place.clone(),
                "an exemption without `rule`",
                EXEMPT_FORM,
            ));
        }
        let rules: Vec<String> = raw
            .rules
            .iter()
            .filter(|word| known(word, &mut faults))
            .map(|word| word.0.clone())
            .collect();
        settings
            .exempt
            .extend(exempt(validation, source, raw, rules, &mut faults));
    }
    faults
}

fn coverage_stays((_, place): &Placed<String>) -> Fault {
    let help = "exempt those of which it does not matter: [[audit.exempt]] with rule = \"coverage\", or switch off the rules \
                that can't be checked here";
    Fault::new(place.clone(), "`coverage` is always on, and always UNKNOWN", help)
}

fn unknown_rule((word, place): &Placed<String>, ids: &[String]) -> Fault {
    let near = crate::select::spec::nearest(word, ids.iter().map(String::as_str));
    let help = near.map_or_else(
        || "procward audit --list lists the rules".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    Fault::new(place.clone(), format!("there is no rule `{word}`"), help)
}

fn exempt(
    validation: &Validation<'_>,
    source: &Source,
    raw: &RawExemption,
    rules: Vec<String>,
    faults: &mut Vec<Fault>,
) -> Option<Exemption> {
    let reason = raw
        .reason
        .as_ref()
        .filter(|(reason, _)| !reason.trim().is_empty());
    if reason.is_none() {
        faults.push(Fault::new(
            raw.place.clone(),
            "an exemption without a reason",
            EXEMPT_FORM,
        ));
    }
    let until = raw.until.as_ref().map(|(text, place)| {
        let day = Day::parse(text);
        if day.is_none() {
            let message = format!("`{text}` is no day");
            faults.push(Fault::new(place.clone(), message, "write until = 2027-01-31"));
        }
        day
    });
    let Some(select) = &raw.select else {
        faults.push(Fault::new(
            raw.place.clone(),
            "an exemption without `select`",
            EXEMPT_FORM,
        ));
        return None;
    };
    let selector = validation.selector(source, select, faults)?;
    Some(Exemption {
        rules,
        selector,
        reason: reason?.0.clone(),
        until: until.unwrap_or_default(),
    })
}

fn severity((word, place): &Placed<String>, faults: &mut Vec<Fault>) -> Option<Severity> {
    let severity = Severity::by_name(word);
    if severity.is_none() {
        let words: Vec<&str> = Severity::ALL.iter().map(|severity| severity.word()).collect();
        let message = format!("there is no severity `{word}`");
        faults.push(Fault::new(
            place.clone(),
            message,
            format!("write one of {}", words.join(" ")),
        ));
    }
    severity
}

fn own_rule(
    validation: &Validation<'_>,
    source: &Source,
    raw: &RawRule,
    settings: &Settings,
    faults: &mut Vec<Fault>,
) -> Option<Rule> {
    let before = faults.len();
    let mut text = |value: &Option<Placed<String>>, key: &str| {
        let given = value.as_ref().filter(|(text, _)| !text.trim().is_empty());
        if given.is_none() {
            let message = format!("this rule has no `{key}`");
            faults.push(Fault::new(
                raw.place.clone(),
                message,
                format!("write {key} = \"…\""),
            ));
        }
        given.map(|(text, _)| text.clone()).unwrap_or_default()
    };
    let id = text(&raw.id, "id");
    let title = text(&raw.title, "title");
    let why = text(&raw.why, "why");
    let fix = text(&raw.fix, "fix");
    if let Some((id, place)) = &raw.id {
        faults.extend(faulty_id(id, place, settings));
    }
    let class = match raw.class.as_ref().map(|(word, place)| (word.as_str(), place)) {
        None | Some(("default", _)) => Class::Default,
        Some(("maintenance", _)) => Class::Maintenance,
        Some(("baseline", _)) => Class::Baseline,
        Some(("opt-in", _)) => Class::OptIn,
        Some((word, place)) => {
            let message = format!("there is no class `{word}`");
            faults.push(Fault::new(
                place.clone(),
                message,
                "write one of default maintenance baseline opt-in",
            ));
            Class::Default
        }
    };
    if let Some((word, place)) = &raw.when
        && label::by_name(word).is_none()
    {
        let message = format!("`{word}` is no security module");
        faults.push(Fault::new(
            place.clone(),
            message,
            "write one of selinux apparmor smack",
        ));
    }
    if raw.cases.is_empty() {
        faults.push(Fault::new(
            raw.place.clone(),
            "this rule has no `case`",
            CASE_FORM,
        ));
    }
    let cases = raw
        .cases
        .iter()
        .filter_map(|case| own_case(validation, source, case, faults))
        .collect();
    for exempt in &raw.exempt {
        let rule = exempt.rules.first();
        for (_, place) in rule.into_iter().chain(&exempt.until) {
            let help = "take it away, or write an [[audit.exempt]] of this rule";
            let message = "an exemption within a rule is of that rule, and always";
            faults.push(Fault::new(place.clone(), message, help));
        }
    }
    let exempt = raw.exempt.iter().filter_map(|raw| {
        let exemption = exempt(validation, source, raw, Vec::new(), faults)?;
        Some(crate::audit::rule::Exempt {
            select: exemption.selector.text,
            reason: exemption.reason,
        })
    });
    let rule = Rule {
        id,
        class,
        title,
        why,
        source: raw
            .source
            .as_ref()
            .map(|(text, _)| text.clone())
            .unwrap_or_default(),
        fix,
        when: raw.when.as_ref().map(|(text, _)| text.clone()),
        host: None,
        cases,
        exempt: exempt.collect(),
    };
    (faults.len() == before).then_some(rule)
}

/// An id is a word of the command line, and of the first line of an alert.
fn faulty_id(id: &str, place: &Range<usize>, settings: &Settings) -> Option<Fault> {
    let well = id
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let taken = built_in().iter().chain(&settings.rules).any(|rule| rule.id == id);
    match (well, taken) {
        (false, _) => Some(Fault::new(
            place.clone(),
            format!("`{id}` is no id"),
            "write small letters, digits and `-`",
        )),
        (true, true) => Some(Fault::new(
            place.clone(),
            format!("there is a rule `{id}` already"),
            "give it another id",
        )),
        (true, false) => None,
    }
}

fn own_case(
    validation: &Validation<'_>,
    source: &Source,
    raw: &RawCase,
    faults: &mut Vec<Fault>,
) -> Option<Case> {
    let severity = match &raw.severity {
        Some(word) => severity(word, faults),
        None => {
            faults.push(Fault::new(
                raw.place.clone(),
                "this case has no `severity`",
                CASE_FORM,
            ));
            None
        }
    };
    let Some(select) = &raw.select else {
        faults.push(Fault::new(
            raw.place.clone(),
            "this case has no `select`",
            CASE_FORM,
        ));
        return None;
    };
    validation.selector(source, select, faults)?;
    let case = Case {
        severity: severity?,
        select: select.0.clone(),
    };
    if compile::selector(&case, validation.accounts()).is_err() {
        faults.push(Fault::new(
            select.1.clone(),
            "this can't be narrowed by an age",
            CASE_FORM,
        ));
    }
    Some(case)
}
