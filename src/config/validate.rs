//! From what was written to checks. One faulty check never blinds the others; all faults are collected.

use super::raw::{EXCEPT_FORM, Placed, RawCheck};
use super::{Exists, Located, Source};
use crate::judge::{Check, Exception, Item, Pace, State};
use crate::select::spec::{parse_range, parse_selector};
use crate::select::{Fault, Range, Selector};
use crate::snapshot::Accounts;
use std::collections::BTreeMap;

/// The state of validating several files.
pub struct Validation<'a> {
    accounts: &'a dyn Accounts,
    exists: Exists<'a>,
    items: Vec<Item>,
    faults: Vec<Located>,
    /// Name to `FILE:LINE` of its first use.
    names: BTreeMap<String, String>,
}

impl<'a> Validation<'a> {
    /// Nothing validated yet.
    pub fn new(accounts: &'a dyn Accounts, exists: Exists<'a>) -> Validation<'a> {
        Validation {
            accounts,
            exists,
            items: Vec::new(),
            faults: Vec::new(),
            names: BTreeMap::new(),
        }
    }

    /// The items, and every fault with its place.
    #[must_use]
    pub fn finish(self) -> (Vec<Item>, Vec<Located>) {
        (self.items, self.faults)
    }

    /// Validates what one file holds.
    pub fn file(&mut self, index: usize, source: &Source, checks: Vec<RawCheck>, faults: Vec<Fault>) {
        if !faults.is_empty() {
            // A fault of the file as a whole may have hidden checks: it is an UNKNOWN of its own.
            self.faulty(index, source, source.name.clone(), faults);
        }
        for check in checks {
            self.check(index, source, check);
        }
    }

    fn faulty(&mut self, index: usize, source: &Source, name: String, faults: Vec<Fault>) {
        self.faults.extend(faults.iter().map(|fault| Located {
            source: index,
            fault: fault.clone(),
        }));
        let (text, faults) = cut_out(&source.text, faults);
        self.items.push(Item::Faulty { name, text, faults });
    }

    fn check(&mut self, index: usize, source: &Source, mut raw: RawCheck) {
        let mut faults = std::mem::take(&mut raw.faults);
        let name = self.name(source, &raw, &mut faults);
        let selector = match &raw.select {
            Some(select) => self.selector(source, select, &mut faults),
            None => {
                faults.push(missing("select", &raw, "write select = \"NAME\""));
                None
            }
        };
        let count = raw.count.as_ref().map(|count| range(count, &mut faults));
        let warning = raw
            .warning
            .as_ref()
            .and_then(|warning| range(warning, &mut faults));
        let severity = severity(&raw, &mut faults);
        let except = self.except(source, &raw, &mut faults);
        let skipped = self.when(&raw, &mut faults);
        if let (Some(selector), true) = (selector, faults.is_empty()) {
            let Some(reason) = skipped else {
                self.items.push(Item::Check(Box::new(Check {
                    name,
                    selector,
                    count: count.flatten().unwrap_or(Range::AT_LEAST_ONE),
                    warning,
                    severity,
                    note: raw.note.map(|(note, _)| note),
                    except,
                    match_self: false,
                    recheck: None,
                    pace: Pace::default(),
                    restarts: None,
                    patience: None,
                })));
                return;
            };
            self.items.push(Item::Skipped { name, reason });
        } else {
            self.faulty(index, source, name, faults);
        }
    }

    fn name(&mut self, source: &Source, raw: &RawCheck, faults: &mut Vec<Fault>) -> String {
        let place = format!("{}:{}", source.name, line_of(&source.text, raw.place.start));
        let Some((name, span)) = &raw.name else {
            faults.push(missing(
                "name",
                raw,
                "write name = \"NAME\": it is what an alert says",
            ));
            return format!("the check at {place}");
        };
        if name.trim().is_empty() {
            faults.push(Fault::new(
                span.clone(),
                "an empty name",
                "it is what an alert says",
            ));
        }
        if let Some(first) = self.names.get(name) {
            let message = format!("the name `{name}` is given twice; the first is at {first}");
            faults.push(Fault::new(
                span.clone(),
                message,
                "give each check a name of its own",
            ));
            return format!("{name} (at {place})");
        }
        self.names.insert(name.clone(), place);
        name.clone()
    }

    fn selector(
        &self,
        source: &Source,
        select: &Placed<String>,
        faults: &mut Vec<Fault>,
    ) -> Option<Selector> {
        let (text, span) = select;
        match parse_selector(text, self.accounts) {
            Ok(selector) => Some(selector),
            Err(inner) => {
                faults.extend(
                    inner
                        .into_iter()
                        .map(|fault| in_file(fault, text, span, &source.text)),
                );
                None
            }
        }
    }

    fn except(&self, source: &Source, raw: &RawCheck, faults: &mut Vec<Fault>) -> Vec<Exception> {
        let mut exceptions = Vec::new();
        for entry in &raw.except {
            let reason = entry
                .reason
                .as_ref()
                .filter(|(reason, _)| !reason.trim().is_empty());
            if reason.is_none() {
                faults.push(Fault::new(
                    entry.place.clone(),
                    "an exception without a reason",
                    EXCEPT_FORM,
                ));
            }
            let Some(select) = &entry.select else {
                faults.push(Fault::new(
                    entry.place.clone(),
                    "an exception without `select`",
                    EXCEPT_FORM,
                ));
                continue;
            };
            let selector = self.selector(source, select, faults);
            if let (Some(selector), Some((reason, _))) = (selector, reason) {
                exceptions.push(Exception {
                    selector,
                    reason: reason.clone(),
                    built_in: false,
                });
            }
        }
        exceptions
    }

    /// The first condition that does not hold.
    fn when(&self, raw: &RawCheck, faults: &mut Vec<Fault>) -> Option<String> {
        let mut skipped = None;
        for (condition, span) in &raw.when {
            match condition.strip_prefix("exists ").map(str::trim) {
                Some(path) if path.starts_with('/') => match (self.exists)(path) {
                    Ok(true) => {}
                    Ok(false) => {
                        skipped.get_or_insert_with(|| format!("{path} does not exist"));
                    }
                    Err(error) => faults.push(Fault::new(
                        span.clone(),
                        format!("it can't be told whether {path} exists: {error}"),
                        "let the user who runs procward look there",
                    )),
                },
                _ => faults.push(Fault::new(
                    span.clone(),
                    format!("unknown condition `{condition}`"),
                    "write when = \"exists /ABSOLUTE/PATH\"",
                )),
            }
        }
        skipped
    }
}

/// The part of the file that the faults are in, and their places in it: the file may be large, and the faults many.
fn cut_out(text: &str, faults: Vec<Fault>) -> (String, Vec<Fault>) {
    let start = faults.iter().map(|fault| fault.start).min().unwrap_or(0);
    let end = faults.iter().map(|fault| fault.end).max().unwrap_or(0);
    let moved = |fault: Fault| Fault {
        start: fault.start - start,
        end: fault.end - start,
        ..fault
    };
    let part = text.get(start..end).unwrap_or_default().to_owned();
    (part, faults.into_iter().map(moved).collect())
}

fn missing(key: &str, raw: &RawCheck, help: &str) -> Fault {
    Fault::new(raw.place.clone(), format!("this check has no `{key}`"), help)
}

fn range(text: &Placed<String>, faults: &mut Vec<Fault>) -> Option<Range> {
    match parse_range(&text.0) {
        Ok(range) => Some(range),
        Err(fault) => {
            faults.push(Fault {
                start: text.1.start,
                end: text.1.end,
                ..fault
            });
            None
        }
    }
}

fn severity(raw: &RawCheck, faults: &mut Vec<Fault>) -> State {
    match raw.severity.as_ref().map(|(word, span)| (word.as_str(), span)) {
        None | Some(("critical", _)) => State::Critical,
        Some(("warning", _)) => State::Warning,
        Some((word, span)) => {
            let message = format!("unknown severity `{word}`");
            faults.push(Fault::new(
                span.clone(),
                message,
                "write \"critical\" or \"warning\"",
            ));
            State::Critical
        }
    }
}

/// A place in a selector, as a place in the file: exact where the string stands as it is between its quotes.
fn in_file(fault: Fault, text: &str, span: &std::ops::Range<usize>, file: &str) -> Fault {
    let literal = file.get(span.clone()).unwrap_or_default();
    let inside = literal
        .get(1..literal.len().saturating_sub(1))
        .unwrap_or_default();
    if inside == text {
        let start = span.start + 1;
        Fault {
            start: start + fault.start,
            end: start + fault.end,
            ..fault
        }
    } else {
        Fault {
            start: span.start,
            end: span.end,
            ..fault
        }
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|b| **b == b'\n').count() + 1
}
