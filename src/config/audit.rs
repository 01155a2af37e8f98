//! `[audit]`: which rules run, how bad they are, who may break them, and a user's own rules.

mod own_rule;
mod raw;

pub(super) use raw::read;
pub use raw::{AUDIT_KEYS, EXEMPT_KEYS, RULE_KEYS, RawAudit};

use super::Source;
use super::raw::Placed;
use super::validate::Validation;
use crate::audit::compile::COVERAGE;
use crate::audit::settings::{Day, Exemption};
use crate::audit::{Settings, Severity};
use crate::select::Fault;
use own_rule::own_rule;
use raw::{EXEMPT_FORM, RawExemption};

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

/// Takes in what one file says besides; gives its faults. A faulty exemption exempts nobody: it is not what was meant.
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
    let known_of = |words: &[Placed<String>], faults: &mut Vec<Fault>| -> Vec<String> {
        let words = words.iter().filter(|word| known(word, faults));
        words.map(|word| word.0.clone()).collect()
    };
    settings.with.extend(known_of(&raw.with, &mut faults));
    settings.without.extend(known_of(&raw.without, &mut faults));
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
        let before = faults.len();
        if raw.rules.is_empty() {
            let message = "an exemption without `rule`";
            faults.push(Fault::new(raw.place.clone(), message, EXEMPT_FORM));
        }
        let rules = known_of(&raw.rules, &mut faults);
        let exemption = exempt(validation, source, raw, rules, &mut faults);
        let sound = faults.len() == before;
        settings.exempt.extend(exemption.filter(|_| sound));
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
            // TOML's parser keeps nothing of a date that there is not.
            let written = source.text.get(place.clone()).unwrap_or(text);
            let message = format!("`{}` is no day", written.trim_matches(['"', '\'']));
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
    let exemption = Exemption {
        rules,
        selector,
        reason: reason?.0.clone(),
        until: until.unwrap_or_default(),
    };
    (!raw.faulty).then_some(exemption)
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
