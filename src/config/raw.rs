//! What was written: tables and values with their places, nothing judged but their kinds.

use super::audit::{self, RawAudit};
use crate::select::Fault;
use crate::select::spec::nearest;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value and its place in the file.
pub type Placed<T> = (T, Range<usize>);

/// One `[[check]]` as written.
#[derive(Clone, Debug, Default)]
pub struct RawCheck {
    /// The place of the table.
    pub place: Range<usize>,
    /// `name`
    pub name: Option<Placed<String>>,
    /// `select`
    pub select: Option<Placed<String>>,
    /// `count`
    pub count: Option<Placed<String>>,
    /// `warning`
    pub warning: Option<Placed<String>>,
    /// `severity`
    pub severity: Option<Placed<String>>,
    /// `note`
    pub note: Option<Placed<String>>,
    /// `recheck`
    pub recheck: Option<Placed<String>>,
    /// `restarts`
    pub restarts: Option<Placed<String>>,
    /// `when`, one or a list
    pub when: Vec<Placed<String>>,
    /// `except`: selector and reason
    pub except: Vec<RawException>,
    /// Faults found while reading.
    pub faults: Vec<Fault>,
}

/// A file as written.
#[derive(Clone, Debug, Default)]
pub struct RawFile {
    /// `recheck` for all checks
    pub recheck: Option<Placed<String>>,
    /// `[cpu]`
    pub cpu: Option<RawCpu>,
    /// `[audit]`
    pub audit: Option<RawAudit>,
    /// `[[check]]`
    pub checks: Vec<RawCheck>,
    /// Faults of TOML itself, and of what is none of these.
    pub faults: Vec<Fault>,
    /// Whether it is no TOML: then the end of what is faulty can't be told.
    pub broken: bool,
}

impl RawFile {
    /// What TOML could not read in an exemption makes that faulty: it is not what was meant.
    fn doubt_exemption(&mut self, at: usize) {
        let of_cpu = self.cpu.iter_mut().flat_map(|cpu| &mut cpu.exempt);
        let of_cpu = of_cpu.map(|one| (one.place.start, &mut one.faulty));
        let of_audit = self.audit.iter_mut().flat_map(RawAudit::exemptions);
        let before = of_cpu.chain(of_audit).filter(|(start, _)| *start <= at);
        let checks = self.checks.iter().map(|check| check.place.start);
        let check = checks.filter(|start| *start <= at).max();
        if let Some((start, faulty)) = before.max_by_key(|(start, _)| *start)
            && check.is_none_or(|check| check < start)
        {
            *faulty = true;
        }
    }
}

/// `[cpu]` as written.
#[derive(Clone, Debug, Default)]
pub struct RawCpu {
    /// `limit`
    pub limit: Option<Placed<String>>,
    /// `window`
    pub window: Option<Placed<String>>,
    /// `for`
    pub lasting: Option<Placed<String>>,
    /// `warning`
    pub warning: Option<Placed<String>>,
    /// `critical`
    pub critical: Option<Placed<String>>,
    /// `without`: names of built-in exemptions
    pub without: Vec<Placed<String>>,
    /// `exempt`: selector and reason
    pub exempt: Vec<RawException>,
    /// Faults found while reading.
    pub faults: Vec<Fault>,
}

/// One entry of `except`.
#[derive(Clone, Debug, Default)]
pub struct RawException {
    /// The place of the entry.
    pub place: Range<usize>,
    /// `select`
    pub select: Option<Placed<String>>,
    /// `reason`
    pub reason: Option<Placed<String>>,
    /// Whether something of it could not be read.
    pub faulty: bool,
}

/// The keys of a check.
pub const CHECK_KEYS: [&str; 10] = [
    "name", "select", "count", "warning", "severity", "note", "except", "recheck", "restarts", "when",
];

/// The keys of `[cpu]`.
pub const CPU_KEYS: [&str; 7] = [
    "limit", "window", "for", "warning", "critical", "without", "exempt",
];

/// Reads a file. Faults of TOML itself, and of what is not a check, come beside the checks: the others are read.
#[must_use]
pub fn parse(text: &str) -> RawFile {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut file = RawFile {
        broken: !errors.is_empty(),
        ..RawFile::default()
    };
    for (key, value) in table.get_ref() {
        let faults = &mut file.faults;
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("check", _) => file.checks = checks(key.span(), value.get_ref(), faults),
            ("recheck", _) => file.recheck = string(value, faults),
            ("cpu", DeValue::Table(table)) => file.cpu = Some(cpu(table)),
            ("audit", DeValue::Table(table)) => file.audit = Some(audit::read(table)),
            ("audit", _) => faults.push(Fault::new(key.span(), "`audit` is a table", "write [audit]")),
            ("cpu", _) => faults.push(Fault::new(key.span(), "`cpu` is a table", "write [cpu]")),
            (other, _) => {
                faults.push(unknown(other, key.span(), &["check", "recheck", "cpu", "audit"]));
            }
        }
    }
    // Tables come in the order of their keys' first sight; places tell the order written.
    file.checks.sort_by_key(|check| check.place.start);
    for error in &errors {
        let fault = fault_of_toml(&error.span().unwrap_or(0..0), error.message());
        file.doubt_exemption(fault.start);
        // A check that TOML could not read is not what was meant: it must not be judged.
        let mut checks = file.checks.iter_mut().rev();
        let within = match checks.find(|check| check.place.start <= fault.start) {
            Some(check) => &mut check.faults,
            None => &mut file.faults,
        };
        let told = |other: &Fault| (other.start, other.end) == (fault.start, fault.end);
        if !within.iter().any(told) {
            within.push(fault);
        }
    }
    file
}

/// `[[check]]`, whose key is at `place`.
fn checks(place: Range<usize>, value: &DeValue<'_>, faults: &mut Vec<Fault>) -> Vec<RawCheck> {
    let DeValue::Array(list) = value else {
        faults.push(Fault::new(
            place,
            "`check` is a list of tables",
            "write [[check]]",
        ));
        return Vec::new();
    };
    let mut checks = Vec::new();
    for entry in list {
        match entry.get_ref() {
            DeValue::Table(table) => checks.push(check(table, entry.span())),
            _ => faults.push(Fault::new(entry.span(), "a check is a table", "write [[check]]")),
        }
    }
    checks
}

fn cpu(table: &DeTable<'_>) -> RawCpu {
    let mut cpu = RawCpu::default();
    for (key, value) in table {
        let faults = &mut cpu.faults;
        match key.get_ref().as_ref() {
            "limit" => cpu.limit = range(value, faults),
            "window" => cpu.window = string(value, faults),
            "for" => cpu.lasting = string(value, faults),
            "warning" => cpu.warning = string(value, faults),
            "critical" => cpu.critical = string(value, faults),
            "without" => cpu.without = strings(value, faults),
            "exempt" => cpu.exempt = exceptions(value, faults),
            other => faults.push(unknown(other, key.span(), &CPU_KEYS)),
        }
    }
    cpu
}

/// One string or a list of them.
pub(super) fn strings(value: &Spanned<DeValue<'_>>, faults: &mut Vec<Fault>) -> Vec<Placed<String>> {
    match value.get_ref() {
        DeValue::Array(list) => list.iter().filter_map(|one| string(one, faults)).collect(),
        _ => string(value, faults).into_iter().collect(),
    }
}

/// A fault of TOML itself, with what to write where that is clear.
fn fault_of_toml(place: &Range<usize>, message: &str) -> Fault {
    let help = match message {
        text if text.contains("must be quoted") => "put it in quotes",
        text if text.contains("duplicate key") => "give each key once",
        text if text.contains("unclosed array table") => "write [[check]]",
        text if text.contains("expected newline") => "begin a new line",
        text if text.contains("invalid basic string") => {
            "close the quotes, and write \\\\ for a backslash, or use '…'"
        }
        text if text.contains("escape") => "write \\\\ for a backslash, or put the string in '…'",
        _ => "",
    };
    Fault::new(place.clone(), message.to_lowercase(), help)
}

fn check(table: &DeTable<'_>, place: Range<usize>) -> RawCheck {
    let mut check = RawCheck {
        place,
        ..RawCheck::default()
    };
    for (key, value) in table {
        let faults = &mut check.faults;
        match key.get_ref().as_ref() {
            "name" => check.name = string(value, faults),
            "select" => check.select = string(value, faults),
            "count" => check.count = range(value, faults),
            "warning" => check.warning = range(value, faults),
            "severity" => check.severity = string(value, faults),
            "note" => check.note = string(value, faults),
            "when" => check.when = strings(value, faults),
            "recheck" => check.recheck = string(value, faults),
            "restarts" => check.restarts = string(value, faults),
            "except" => check.except = exceptions(value, faults),
            other => faults.push(unknown(other, key.span(), &CHECK_KEYS)),
        }
    }
    check
}

fn exceptions(value: &Spanned<DeValue<'_>>, faults: &mut Vec<Fault>) -> Vec<RawException> {
    let DeValue::Array(list) = value.get_ref() else {
        faults.push(Fault::new(value.span(), "`except` is a list", EXCEPT_FORM));
        return Vec::new();
    };
    let mut exceptions = Vec::new();
    for entry in list {
        let DeValue::Table(table) = entry.get_ref() else {
            faults.push(Fault::new(entry.span(), "an exception is a table", EXCEPT_FORM));
            continue;
        };
        let mut exception = RawException {
            place: entry.span(),
            ..RawException::default()
        };
        let before = faults.len();
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "select" => exception.select = string(value, faults),
                "reason" => exception.reason = string(value, faults),
                other => faults.push(unknown(other, key.span(), &["select", "reason"])),
            }
        }
        exception.faulty = faults.len() > before;
        exceptions.push(exception);
    }
    exceptions
}

/// How an exception is written.
pub const EXCEPT_FORM: &str = "write except = [ { select = \"user=NAME\", reason = \"why\" } ]";

pub(super) fn unknown(key: &str, place: Range<usize>, known: &[&str]) -> Fault {
    let help = match nearest(key, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("known here: {}", known.join(", ")),
    };
    Fault::new(place, format!("unknown key `{key}`"), help)
}

pub(super) fn string(value: &Spanned<DeValue<'_>>, faults: &mut Vec<Fault>) -> Option<Placed<String>> {
    if let DeValue::String(text) = value.get_ref() {
        return Some((text.to_string(), value.span()));
    }
    faults.push(Fault::new(
        value.span(),
        "this is not a string",
        "put it in quotes",
    ));
    None
}

/// A range may be written as a string or, where it is one number, as an integer.
fn range(value: &Spanned<DeValue<'_>>, faults: &mut Vec<Fault>) -> Option<Placed<String>> {
    let number = match value.get_ref() {
        DeValue::Integer(number) => number,
        DeValue::Float(_) | DeValue::Boolean(_) => {
            faults.push(Fault::new(
                value.span(),
                "this is not a whole number",
                "write one, or a range in quotes where one is wanted",
            ));
            return None;
        }
        _ => return string(value, faults),
    };
    let digits = number.as_str();
    let mut fault = |message: &str, help: String| {
        faults.push(Fault::new(value.span(), message, help));
        None
    };
    if number.radix() != 10 {
        return fault(
            "a count is written in decimal",
            "write \"1\", \"1-\" or \"0\"".into(),
        );
    }
    match digits.strip_prefix('-') {
        None => Some((digits.to_owned(), value.span())),
        Some(most) => fault(
            "a count is never negative",
            format!("write \"{digits}\", in quotes, for at most {most}"),
        ),
    }
}
