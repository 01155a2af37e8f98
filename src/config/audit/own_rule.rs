//! `[[audit.rule]]`: a rule of the user's own.

use super::raw::{CASE_FORM, RawCase, RawExemption, RawRule};
use super::{exempt, severity};
use crate::audit::compile;
use crate::audit::rule::Exempt;
use crate::audit::{Case, Class, Rule, Settings, built_in};
use crate::config::Source;
use crate::config::raw::Placed;
use crate::config::validate::Validation;
use crate::select::Fault;
use crate::select::label;
use std::ops::Range;

pub(super) fn own_rule(
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
    let class = class(raw, faults);
    faults.extend(raw.when.as_ref().and_then(faulty_module));
    if raw.cases.is_empty() {
        let message = "this rule has no `case`";
        faults.push(Fault::new(raw.place.clone(), message, CASE_FORM));
    }
    let cases = raw
        .cases
        .iter()
        .filter_map(|case| own_case(validation, source, case, faults))
        .collect();
    let exempt = raw
        .exempt
        .iter()
        .filter_map(|raw| own_exempt(validation, source, raw, faults))
        .collect();
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
        exempt,
    };
    (faults.len() == before).then_some(rule)
}

fn class(raw: &RawRule, faults: &mut Vec<Fault>) -> Class {
    match raw.class.as_ref().map(|(word, place)| (word.as_str(), place)) {
        None | Some(("default", _)) => Class::Default,
        Some(("maintenance", _)) => Class::Maintenance,
        Some(("baseline", _)) => Class::Baseline,
        Some(("opt-in", _)) => Class::OptIn,
        Some((word, place)) => {
            let message = format!("there is no class `{word}`");
            let help = "write one of default maintenance baseline opt-in";
            faults.push(Fault::new(place.clone(), message, help));
            Class::Default
        }
    }
}

fn faulty_module((word, place): &Placed<String>) -> Option<Fault> {
    let message = || format!("`{word}` is no security module");
    let help = "write one of selinux apparmor smack";
    label::by_name(word)
        .is_none()
        .then(|| Fault::new(place.clone(), message(), help))
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

fn own_exempt(
    validation: &Validation<'_>,
    source: &Source,
    raw: &RawExemption,
    faults: &mut Vec<Fault>,
) -> Option<Exempt> {
    for (_, place) in raw.rules.first().into_iter().chain(&raw.until) {
        let help = "take it away, or write an [[audit.exempt]] of this rule";
        let message = "an exemption within a rule is of that rule, and always";
        faults.push(Fault::new(place.clone(), message, help));
    }
    let exemption = exempt(validation, source, raw, Vec::new(), faults)?;
    Some(Exempt {
        select: exemption.selector.text,
        reason: exemption.reason,
    })
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
