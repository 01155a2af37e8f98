//! From what was written to checks. One faulty check never blinds the others; all faults are collected.

use super::raw::{EXCEPT_FORM, Placed, RawCheck, RawException, RawFile};
use super::settings::{Settings, time_fault};
use super::{Source, audit};
use crate::judge::{Check, Exception, Faulty, Item, State};
use crate::memory::restarts::{Restarts, parse_restarts};
use crate::select::label::{self, SecurityModule};
use crate::select::selection::Exempts;
use crate::select::spec::{parse_range, parse_selector};
use crate::select::{Fault, Range, Selector, parse_duration};
use crate::snapshot::Accounts;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The state of validating several files.
pub struct Validation<'a> {
    accounts: &'a dyn Accounts,
    items: Vec<Item>,
    of_cpu: Vec<Item>,
    of_audit: Vec<Item>,
    /// Name to `FILE:LINE` of its first use.
    names: BTreeMap<String, String>,
    /// Where the lines of the file end that is validated.
    line_ends: Vec<usize>,
}

impl<'a> Validation<'a> {
    /// Nothing validated yet.
    pub fn new(accounts: &'a dyn Accounts) -> Validation<'a> {
        Validation {
            accounts,
            items: Vec::new(),
            of_cpu: Vec::new(),
            of_audit: Vec::new(),
            names: BTreeMap::new(),
            line_ends: Vec::new(),
        }
    }

    /// The items, and again those of them that concern `[cpu]`, and `[audit]`.
    #[must_use]
    pub fn finish(self) -> (Vec<Item>, Vec<Item>, Vec<Item>) {
        (self.items, self.of_cpu, self.of_audit)
    }

    /// What the host knows.
    pub(super) fn accounts(&self) -> &dyn Accounts {
        self.accounts
    }

    /// Takes in a user's own rules of one file; gives its faults.
    pub fn own_rules(&self, source: &Source, file: &RawFile, settings: &mut Settings) -> Vec<Fault> {
        let raw = file.audit.as_ref();
        raw.map(|raw| audit::take_rules(&mut settings.audit, self, source, raw))
            .unwrap_or_default()
    }

    /// Validates what one file holds, and takes its settings in.
    pub fn file(&mut self, source: &Source, file: RawFile, of_rules: Vec<Fault>, settings: &mut Settings) {
        let (more, of_cpu, mut of_audit) = settings.take(self, source, &file);
        of_audit.extend(of_rules);
        if !of_audit.is_empty() {
            settings.audit.faulty = true;
            self.faulty(source, AUDIT.into(), of_audit);
            self.of_audit.extend(self.items.last().cloned());
        }
        if !of_cpu.is_empty() {
            settings.cpu.faulty = true;
            self.faulty(source, CPU.into(), of_cpu);
            self.of_cpu.extend(self.items.last().cloned());
        }
        let own = self.items.len();
        let RawFile {
            checks,
            mut faults,
            broken,
            ..
        } = file;
        faults.extend(more);
        if !faults.is_empty() {
            // A fault of the file as a whole may have hidden checks: it is an UNKNOWN of its own.
            self.faulty(source, source.name.clone(), faults);
        }
        self.of_cpu.extend_from_slice(&self.items[own..]);
        self.of_audit.extend_from_slice(&self.items[own..]);
        let first = self.items.len();
        self.line_ends = source.text.match_indices('\n').map(|(at, _)| at).collect();
        for check in checks {
            self.check(source, check);
        }
        if broken {
            let faulty = |item: &&Item| matches!(item, Item::Faulty { .. });
            for concerned in [&mut self.of_cpu, &mut self.of_audit] {
                concerned.extend(self.items[first..].iter().filter(faulty).cloned());
            }
        }
    }

    fn faulty(&mut self, source: &Source, name: String, mut faults: Vec<Fault>) {
        faults.sort_by_key(|fault| (fault.start, fault.end));
        faults.dedup();
        let faulty = Faulty {
            source: source.name.clone(),
            text: Arc::clone(&source.text),
            faults,
        };
        self.items.push(Item::Faulty { name, faulty });
    }

    fn check(&mut self, source: &Source, mut raw: RawCheck) {
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
        if let (Some(Some(count)), Some(warning), Some((_, place))) = (count, warning, &raw.warning) {
            faults.extend(apart(count, warning, place));
        }
        let severity = severity(&raw, &mut faults);
        let recheck = raw.recheck.as_ref().map(|text| window(text, &mut faults));
        let restarts = raw.restarts.as_ref().and_then(|text| limit(text, &mut faults));
        let except = self.exceptions(source, &raw.except, &mut faults);
        let skipped = self.when(&raw, &mut faults);
        if let (Some(selector), true) = (selector, faults.is_empty()) {
            let Some(reason) = skipped else {
                self.items.push(Item::Check(Box::new(Check {
                    warning,
                    severity,
                    note: raw.note.map(|(note, _)| note),
                    except,
                    recheck: recheck.flatten(),
                    restarts,
                    ..Check::new(name, selector, count.flatten().unwrap_or(Range::AT_LEAST_ONE))
                })));
                return;
            };
            self.items.push(Item::Skipped { name, reason });
        } else {
            self.faulty(source, name, faults);
        }
    }

    fn name(&mut self, source: &Source, raw: &RawCheck, faults: &mut Vec<Fault>) -> String {
        let place = format!("{}:{}", source.name, self.line_of(raw.place.start));
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

    fn line_of(&self, at: usize) -> usize {
        self.line_ends.partition_point(|end| *end < at) + 1
    }

    pub(super) fn selector(
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

    /// Processes that do not count, each with its reason; a faulty exception is none.
    pub(super) fn exceptions(
        &self,
        source: &Source,
        raw: &[RawException],
        faults: &mut Vec<Fault>,
    ) -> Vec<Exception> {
        let mut exceptions = Vec::new();
        for entry in raw {
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
            if let (Some(selector), Some((reason, _)), false) = (selector, reason, entry.faulty) {
                exceptions.push(Exception {
                    selector,
                    reason: reason.clone(),
                    built_in: false,
                    exempts: Exempts::Match,
                });
            }
        }
        exceptions
    }

    /// The first condition that does not hold.
    fn when(&self, raw: &RawCheck, faults: &mut Vec<Fault>) -> Option<String> {
        let mut skipped = None;
        for (condition, span) in &raw.when {
            let held = match condition.strip_prefix("exists ").map(str::trim) {
                Some(path) if path.starts_with('/') => literal(path).and_then(|path| self.exists(&path)),
                _ => match label::by_name(condition) {
                    Some(module) => self.runs(module),
                    None => Err(unknown_condition(condition)),
                },
            };
            match held {
                Ok(None) => {}
                Ok(reason) => skipped = skipped.or(reason),
                Err((message, help)) => faults.push(Fault::new(span.clone(), message, help)),
            }
        }
        skipped
    }

    /// Why a check is skipped that wants a file.
    fn exists(&self, path: &str) -> Result<Option<String>, (String, String)> {
        match self.accounts.file(path) {
            Ok(Some(_)) => Ok(None),
            Ok(None) => Ok(Some(format!("{path} does not exist"))),
            Err(reason) => Err((
                format!("it can't be told whether {path} exists: {reason}"),
                "let the user who runs procward search its directories, or leave the condition out".into(),
            )),
        }
    }

    /// Why a check is skipped that wants a security module.
    fn runs(&self, module: &dyn SecurityModule) -> Result<Option<String>, (String, String)> {
        let title = module.title();
        match self.accounts.security_module() {
            Ok(Some(active)) if active == module.name() => Ok(None),
            Ok(_) => Ok(Some(format!("{title} is not active"))),
            Err(reason) => Err((
                format!("it can't be told whether {title} is active: {reason}"),
                "let procward read /proc/self/attr, or leave the condition out".into(),
            )),
        }
    }
}

/// The path that is meant: what would be a pattern elsewhere is a part of a name only behind a backslash.
fn literal(path: &str) -> Result<String, (String, String)> {
    let mut name = String::with_capacity(path.len());
    let mut rest = path.chars().peekable();
    while let Some(ch) = rest.next() {
        match (ch, rest.peek()) {
            ('\\', Some('*' | '?')) => name.extend(rest.next()),
            ('*' | '?', _) => {
                let escaped = path.replace('*', "\\*").replace('?', "\\?");
                return Err((
                    format!("`exists` takes one path, and `{path}` is a pattern"),
                    format!("write the path of a file; of one that is called so, when = 'exists {escaped}'"),
                ));
            }
            (ch, _) => name.push(ch),
        }
    }
    Ok(name)
}

fn unknown_condition(condition: &str) -> (String, String) {
    let modules: Vec<String> = label::MODULES
        .iter()
        .map(|module| format!("\"{}\"", module.name()))
        .collect();
    let near = label::MODULES
        .iter()
        .find(|module| module.name() == condition.trim().to_ascii_lowercase());
    let help = match near {
        Some(module) => format!("write when = \"{}\"", module.name()),
        None => format!(
            "write when = \"exists /ABSOLUTE/PATH\", or one of {}",
            modules.join(" ")
        ),
    };
    (format!("unknown condition `{condition}`"), help)
}

/// What faults of `[audit]` are told under.
const AUDIT: &str = "audit";

/// What faults of `[cpu]` are told under: the check that it is about.
const CPU: &str = "cpu";

/// A time span.
pub(super) fn time((text, place): &Placed<String>, faults: &mut Vec<Fault>) -> Option<Duration> {
    match parse_duration(text) {
        Ok(span) => Some(span),
        Err(_) => {
            faults.push(time_fault(text, place.clone()));
            None
        }
    }
}

/// For how long a check may fail.
pub(super) fn window(written: &Placed<String>, faults: &mut Vec<Fault>) -> Option<Duration> {
    let span = time(written, faults)?;
    match crate::select::parse_window(&written.0) {
        Ok(span) => Some(span),
        Err(help) => {
            let message = format!("`{}` is no time to wait for a restart", written.0);
            faults.push(Fault::new(written.1.clone(), message, help));
            Some(span)
        }
    }
}

fn limit((text, place): &Placed<String>, faults: &mut Vec<Fault>) -> Option<Restarts> {
    match parse_restarts(text) {
        Ok(limit) => Some(limit),
        Err(help) => {
            faults.push(Fault::new(place.clone(), "this is no limit of restarts", help));
            None
        }
    }
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

/// A check of which no count is OK.
fn apart(count: Range, warning: Range, place: &std::ops::Range<usize>) -> Option<Fault> {
    let below = |a: Range, b: Range| a.max.is_some_and(|max| max < b.min);
    (below(count, warning) || below(warning, count)).then(|| {
        let message =
            format!("no count is both in `warning`, {warning}, and in `count`, {count}: it is never OK");
        Fault::new(
            place.clone(),
            message,
            "`warning` is the part of `count` that is fine",
        )
    })
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
    if let Some(at) = literal.find(text).filter(|_| !text.is_empty()) {
        let start = span.start + at;
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
