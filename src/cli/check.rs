//! `procward check`: judge checks from the command line or the configuration.

use super::arguments::{FormatName, ViewArguments};
use super::view::View;
use super::{Outcome, default_format, look};
use crate::config;
use crate::exit_code::Exit;
use crate::judge::{Check, Faulty, Item, Manner, Report, State, Verdict, assemble, judge};
use crate::report::{Format, diagnostic, escape, render};
use crate::select::spec::{Dialect, parse};
use crate::select::{Fault, Plan, Range, Spec};
use crate::snapshot::{Accounts, Why};
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

/// The arguments of `check`.
#[derive(Args, Debug)]
pub struct CheckCommand {
    /// Specs, such as `sshd:1-` or `/usr/sbin/cron,user=root:1`; without any, the configuration file
    pub specs: Vec<String>,
    /// The configuration file [default: /etc/procward/procward.toml and conf.d/*.toml]
    #[arg(long, value_name = "FILE", env = "PROCWARD_CONFIG")]
    pub config: Option<PathBuf>,
    /// How to write the report [default: human, or mon's under mon]
    #[arg(long, value_enum)]
    pub format: Option<FormatName>,
    /// Count procward itself too
    #[arg(long)]
    pub match_self: bool,
    /// Tell of checks that are OK too
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

impl CheckCommand {
    /// Runs it.
    pub fn run(self, view: &ViewArguments) -> Outcome {
        let view = match View::open(view) {
            Ok(view) => view,
            Err(sentence) => return Outcome::new(format!("UNKNOWN: {sentence}\n"), Exit::Unknown),
        };
        let format = self.format.map_or_else(default_format, Format::from);
        let mut remarks = Vec::new();
        // Under mon a spec without a range is a host name: the monitor line in mon.cf does not end with `;;`.
        let dialect = if format == Format::Mon {
            Dialect::PsMonitor
        } else {
            Dialect::Native
        };
        let only_hosts = dialect == Dialect::PsMonitor && self.specs.iter().all(|spec| is_host_name(spec));
        let mut items = items_of_specs(&self.specs, &view, dialect);
        if self.specs.is_empty() || only_hosts {
            let loaded = config::load::load(self.config.as_deref(), &view);
            remarks.extend(
                loaded
                    .sources
                    .iter()
                    .map(|source| format!("checks from {}", source.name)),
            );
            items.extend(loaded.items);
        }
        for item in &mut items {
            if let Item::Check(check) = item {
                check.match_self = self.match_self;
            }
        }
        let look = look(self.verbose > 0);
        let mut report = look_and_judge(&items, &view, format.tells_of_ok(&look));
        report.remarks.append(&mut remarks);
        let exit = exit_of(report.state);
        Outcome::new(render(&report, format, &look), exit)
    }
}

/// The exit code of a state.
#[must_use]
pub fn exit_of(state: State) -> Exit {
    match state {
        State::Ok => Exit::Ok,
        State::Warning => Exit::Warning,
        State::Critical => Exit::Critical,
        State::Unknown => Exit::Unknown,
    }
}

/// Specs as checks, each named by its first word; where two would have one name, by what was written.
#[must_use]
pub fn items_of_specs(specs: &[String], accounts: &dyn Accounts, dialect: Dialect) -> Vec<Item> {
    let mut items: Vec<Item> = specs
        .iter()
        .map(|spec| item_of_spec(spec, accounts, dialect))
        .collect();
    let names: Vec<String> = items.iter().map(|item| name_of(item).to_owned()).collect();
    for (item, own) in items.iter_mut().zip(&names) {
        if let Item::Check(check) = item
            && names.iter().filter(|name| *name == own).count() > 1
        {
            check.name.clone_from(&check.selector.text);
        }
    }
    repeated(&mut items, specs);
    if dialect == Dialect::PsMonitor {
        for (item, spec) in items.iter_mut().zip(specs) {
            if let Item::Faulty { name, .. } = item
                && is_host_name(spec)
            {
                *name = format!("missing ;; in mon.cf: {spec}");
            }
        }
    }
    items
}

/// Whether a word is a host's name or IPv4 address: mon appends those of the host group.
fn is_host_name(word: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    word.bytes().all(inside)
        && word
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphanumeric())
}

fn name_of(item: &Item) -> &str {
    match item {
        Item::Check(check) => &check.name,
        Item::Faulty { name, .. } | Item::Skipped { name, .. } => name,
    }
}

/// The same selector twice would give two verdicts under one name, of which a reader sees one.
fn repeated(items: &mut [Item], specs: &[String]) {
    for (index, spec) in specs.iter().enumerate().skip(1) {
        let (before, rest) = items.split_at_mut(index);
        let Item::Check(check) = &rest[0] else { continue };
        let twin = before
            .iter()
            .any(|item| matches!(item, Item::Check(other) if other.name == check.name));
        if twin {
            let text = check.selector.text.clone();
            let fault = Fault::new(
                0..text.len(),
                format!("`{text}` is asked for twice"),
                "give it once, with the range that is meant",
            );
            rest[0] = faulty(format!("{text} (again)"), spec.clone(), vec![fault]);
        }
    }
}

fn faulty(name: String, text: String, faults: Vec<Fault>) -> Item {
    let source = Faulty::SPEC.to_owned();
    let faulty = Faulty { source, text, faults };
    Item::Faulty { name, faulty }
}

fn item_of_spec(text: &str, accounts: &dyn Accounts, dialect: Dialect) -> Item {
    match parse(text, accounts, dialect) {
        Err(faults) => faulty(text.to_owned(), text.to_owned(), faults),
        Ok(spec) => {
            let word = spec.selector.word.clone();
            let name = word.map_or_else(
                || spec.selector.text.clone(),
                |word| word.rsplit('/').next().unwrap_or(&word).to_owned(),
            );
            Item::Check(Box::new(Check {
                name,
                selector: spec.selector,
                count: spec.range.unwrap_or(Range::AT_LEAST_ONE),
                warning: None,
                severity: State::Critical,
                note: None,
                except: Vec::new(),
                match_self: false,
            }))
        }
    }
}

/// How long after the first look a failing check is looked at again: a scan of /proc is not atomic, and misses
/// processes that are replaced while it runs.
const SECOND_LOOK: Duration = Duration::from_millis(20);

/// A verdict that is UNKNOWN because a process was being replaced is looked at again, at growing intervals up to this.
const LAST_WAIT: Duration = Duration::from_millis(160);

/// Whether a verdict is UNKNOWN for a reason that passes.
fn is_passing(verdict: &Verdict) -> bool {
    let torn = Why::Torn.text();
    verdict.state == State::Unknown && verdict.reasons.iter().any(|reason| reason.ends_with(&torn))
}

/// Looks once, and once more at what is not OK: a check fails only if it fails twice. `tell_of_ok`: read the evidence
/// of checks that are OK too.
#[must_use]
pub fn look_and_judge(items: &[Item], view: &View, tell_of_ok: bool) -> Report {
    let wanted = |items: &[Item]| -> Vec<_> {
        items
            .iter()
            .filter_map(|item| {
                if let Item::Check(c) = item {
                    Some(c.wanted())
                } else {
                    None
                }
            })
            .collect()
    };
    let plan = if tell_of_ok {
        Plan::telling(wanted(items), false)
    } else {
        Plan::deciding(wanted(items))
    };
    let snapshot = view.look(&plan);
    let mut first = judge(items, &snapshot, view);
    let open: Vec<Item> = items
        .iter()
        .filter(|item| matches!(item, Item::Check(_)) && !is_ok(&first, name_of(item)))
        .cloned()
        .collect();
    if open.is_empty() {
        return first;
    }
    if !view.is_live() {
        first.remarks.push("not confirmed: a snapshot is one look".into());
        return first;
    }
    let near = first
        .verdicts
        .iter()
        .any(|v| matches!(v.manner, Manner::Missing | Manner::TooFew | Manner::Unseen));
    let plan = Plan::telling(wanted(&open), near);
    let mut wait = SECOND_LOOK;
    let (snapshot, second) = loop {
        std::thread::sleep(wait);
        let snapshot = view.look(&plan);
        let second = judge(&open, &snapshot, view);
        wait *= 2;
        if wait > LAST_WAIT || !second.verdicts.iter().any(is_passing) {
            break (snapshot, second);
        }
    };
    let verdicts: Vec<Verdict> = items
        .iter()
        .filter_map(|item| {
            let find = |report: &Report| report.verdicts.iter().find(|v| v.name == name_of(item)).cloned();
            find(&second).or_else(|| find(&first))
        })
        .collect();
    assemble(verdicts, first.skipped, &snapshot)
}

fn is_ok(report: &Report, name: &str) -> bool {
    report
        .verdicts
        .iter()
        .any(|verdict| verdict.name == name && verdict.state == State::Ok)
}

/// The spec of a command that takes one, or its faults, each with its place.
///
/// # Errors
/// What to print instead.
pub fn spec_or_outcome(text: &str, accounts: &dyn Accounts) -> Result<Spec, Outcome> {
    parse(text, accounts, Dialect::Native).map_err(|faults| {
        let (source, text) = (Faulty::SPEC.to_owned(), text.to_owned());
        let faulty = Faulty { source, text, faults };
        Outcome::new(diagnostic::render_all(&faulty, escape::with_bars), Exit::Unknown)
    })
}
