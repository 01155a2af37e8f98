//! `procward check`: judge checks from the command line or the configuration.

use super::arguments::{FormatName, ViewArguments};
use super::default_format;
use super::view::View;
use super::watch::Watch;
use crate::config;
use crate::exit_code::Exit;
use crate::judge::{Check, Item, Pace, Report, State};
use crate::outcome::Outcome;
use crate::report::{Format, render};
use crate::select::spec::{Dialect, parse};
use crate::select::{Fault, Range, Spec, parse_duration};
use crate::snapshot::Accounts;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

/// How long a check may fail before that counts: the longest upgrade of a daemon that was measured left it away for
/// 4.6 s.
pub const RECHECK: Duration = Duration::from_secs(5);

/// The arguments of `check`.
#[derive(Clone, Args, Debug)]
pub struct CheckCommand {
    /// Specs, such as `sshd:1-` or `/usr/sbin/cron,user=root:1`; without any, the configuration file
    pub specs: Vec<String>,
    /// The configuration file [default: /etc/procward/procward.toml and conf.d/*.toml]
    #[arg(long, value_name = "FILE", env = "PROCWARD_CONFIG")]
    pub config: Option<PathBuf>,
    /// How to write the report [default: human, or mon's under mon]
    #[arg(long, value_enum)]
    pub format: Option<FormatName>,
    /// How long a check may fail before that counts: a restart is ridden out [default: 5s; 0 for specs in the human
    /// format]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub recheck: Option<Duration>,
    /// Where to remember what this run saw, for restarts and CPU over longer times [default: below mon's state
    /// directory or /var/lib/procward, where there is one]
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Count procward itself too
    #[arg(long)]
    pub match_self: bool,
    /// Tell of checks that are OK too
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

impl CheckCommand {
    /// The format of its report.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format.map_or_else(default_format, Format::from)
    }

    /// Nobody waits for a restart at a terminal, and everybody else does.
    fn window(&self) -> Duration {
        let typed = !self.specs.is_empty() && self.format() == Format::Human;
        self.recheck
            .unwrap_or(if typed { Duration::ZERO } else { RECHECK })
    }

    /// Runs it.
    pub fn run(self, arguments: &ViewArguments) -> Outcome {
        let view = match View::open(arguments) {
            Ok(view) => view,
            Err(sentence) => return Outcome::new(format!("UNKNOWN: {sentence}\n"), Exit::Unknown),
        };
        let format = self.format();
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
        let look = arguments.terminal.look(self.verbose > 0);
        let outcome = |mut report: Report| {
            report.remarks.extend(remarks.iter().cloned());
            let exit = exit_of(report.state);
            Outcome::new(render(&report, format, &look), exit)
        };
        let watch = Watch {
            view: &view,
            notes: arguments.notes,
            window: self.window(),
            tell_of_ok: false,
            publish: &|report| arguments.notes.publish(&outcome(report.clone())),
        };
        outcome(watch.run(&items, view.store(self.state.as_deref())))
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
    let names: Vec<String> = items.iter().map(|item| item.name().to_owned()).collect();
    for (item, own) in items.iter_mut().zip(&names) {
        if let Item::Check(check) = item
            && names.iter().filter(|name| *name == own).count() > 1
        {
            check.name.clone_from(&check.selector.text);
        }
    }
    repeated(&mut items);
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
pub(super) fn is_host_name(word: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    word.bytes().all(inside)
        && word
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphanumeric())
}

/// The same selector twice would give two verdicts under one name, of which a reader sees one.
fn repeated(items: &mut [Item]) {
    for index in 1..items.len() {
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
            rest[0] = Item::Faulty {
                name: format!("{text} (again)"),
                text,
                faults: vec![fault],
            };
        }
    }
}

fn item_of_spec(text: &str, accounts: &dyn Accounts, dialect: Dialect) -> Item {
    match parse(text, accounts, dialect) {
        Err(faults) => Item::Faulty {
            name: text.to_owned(),
            text: text.to_owned(),
            faults,
        },
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
                recheck: None,
                pace: Pace::default(),
                restarts: None,
                patience: None,
            }))
        }
    }
}

/// The spec of a command that takes one, or its faults, each with its place.
///
/// # Errors
/// What to print instead.
pub fn spec_or_outcome(text: &str, accounts: &dyn Accounts) -> Result<Spec, Outcome> {
    parse(text, accounts, Dialect::Native).map_err(|faults| {
        let shown: Vec<String> = faults
            .iter()
            .map(|fault| config::diagnostic::render("the spec", text, fault))
            .collect();
        Outcome::new(shown.join("\n"), Exit::Unknown)
    })
}
