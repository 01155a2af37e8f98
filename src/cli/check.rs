//! `procward check`: judge checks from the command line or the configuration.

use super::arguments::{CheckFormatName, ViewArguments, config_file};
use super::default_format;
use super::limits::{self, parse_range};
use super::setting;
use super::stats;
use super::terminal::Terminal;
use super::textfile;
use super::view::View;
use super::watch::Watch;
use crate::config;
use crate::deadline::Notes;
use crate::exit_code::Exit;
use crate::judge::{Check, Faulty, Item, Report, Run, State, judge, tell_apart};
use crate::memory::store::Store;
use crate::outcome::Outcome;
use crate::report::passive::Passive;
use crate::report::{Caller, Format, Look, Perfdata, diagnostic, discovery, escape, one_line, render};
use crate::select::spec::{Dialect, parse};
use crate::select::{Fault, Range, Spec, parse_window};
use crate::snapshot::{Accounts, Snapshot};
use crate::source::procfs::now;
use crate::source::tally;
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long a check may fail before that counts: the longest upgrade of a daemon that was measured left it away for
/// 4.6 s.
pub const RECHECK: Duration = Duration::from_secs(5);

/// What the command is for.
pub const ABOUT: &str = "Judge checks: is what must run running?";

/// The arguments of `check`.
#[derive(Clone, Args, Debug, Default)]
pub struct CheckCommand {
    /// Specs, such as `sshd:1-` or `/usr/sbin/cron,user=root:1`; without any, the configuration file; both where it is given
    pub specs: Vec<String>,
    /// The configuration file [default: /etc/procward/procward.toml and conf.d/*.toml, or PROCWARD_CONFIG]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Judge only these checks of the configuration
    #[arg(short, long = "rule", value_name = "NAME")]
    pub rules: Vec<String>,
    /// How to write the report [default: human, or mon's under mon]
    #[arg(long, value_enum)]
    pub format: Option<CheckFormatName>,
    /// With --format prometheus: replace this file of node_exporter's textfile collector, whose name ends in .prom, as a
    /// whole. Standard output is then one line, for the journal or cron's mail, and the exit code that of the verdict,
    /// or 3 where the file can't be written; a run that can't be finished leaves the old file in place. With --format
    /// nagios-passive: write into this command file of Nagios, and tell only where that fails, with 3
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// With --format nsca, nagios-passive or icinga2: what the server calls this host [default: the kernel's name of it]
    #[arg(long, value_name = "NAME")]
    pub host: Option<String>,
    /// How long a check may fail before that counts: a restart is ridden out [default: 5s; 0 for specs in the human
    /// format]
    #[arg(long, value_name = "TIME", value_parser = parse_window)]
    pub recheck: Option<Duration>,
    /// Look once and wait for nothing: where the run before found all well, a failure is pending, and still OK, until it
    /// has lasted for the time of the re-check, as the state file remembers
    #[arg(long)]
    pub pending: bool,
    /// What UNKNOWN is told as: whoever is woken by nothing but CRITICAL must not sleep through a monitor that is blind. Wrong
    /// usage and an internal fault stay UNKNOWN
    #[arg(long, value_enum, value_name = "STATE", default_value = "unknown")]
    pub unknown_is: UnknownIs,
    /// WARNING unless so many processes match, in place of what the one check says: 5, 1:, 1:5 or @0:0
    #[arg(short, long, value_name = "RANGE", value_parser = parse_range)]
    pub warning: Option<Range>,
    /// CRITICAL unless so many do
    #[arg(short, long, value_name = "RANGE", value_parser = parse_range)]
    pub critical: Option<Range>,
    /// With --format nagios: what performance data tells of the processes of each check beside their count
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',')]
    pub perfdata: Vec<Taken>,
    /// Where to remember what this run saw, for restarts and CPU over longer times [default: below mon's state
    /// directory or /var/lib/procward, where there is one]
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Count procward itself too
    #[arg(long)]
    pub match_self: bool,
    /// Tell what the run cost: processes, files, bytes, time
    #[arg(long)]
    pub stats: bool,
    /// Tell of checks that are OK too; twice: by what the run went; three times: what it cost as well
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// What UNKNOWN may be told as. As OK it would be a false one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum UnknownIs {
    /// Exit code 1
    Warning,
    /// Exit code 2
    Critical,
    /// Exit code 3
    #[default]
    Unknown,
}

impl From<UnknownIs> for State {
    fn from(state: UnknownIs) -> State {
        match state {
            UnknownIs::Warning => State::Warning,
            UnknownIs::Critical => State::Critical,
            UnknownIs::Unknown => State::Unknown,
        }
    }
}

/// What performance data may tell beside counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Taken {
    /// Seconds of CPU that they used so far, a counter
    Cpu,
    /// Their resident memory
    Memory,
}

impl CheckCommand {
    /// The format of its report.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format.map_or_else(default_format, Format::from)
    }

    /// The format of standard output.
    #[must_use]
    pub fn shown_format(&self) -> Format {
        if self.output.is_some() {
            Format::Mon
        } else {
            self.format()
        }
    }

    /// Why what was asked for can't be done.
    pub(super) fn misused(&self) -> Option<String> {
        let format = self.format();
        if self.host.is_some() && !matches!(format, Format::Passive(_)) {
            return Some("--host is for --format nsca, nagios-passive and icinga2".into());
        }
        let path = self.output.as_ref()?;
        match format {
            Format::Prometheus => textfile::unfit(path),
            Format::Passive(Passive::Nagios) => None,
            _ => Some(
                "--output is for --format prometheus and nagios-passive; other reports go to standard output"
                    .into(),
            ),
        }
    }

    fn look(&self, terminal: Terminal) -> Look {
        Look {
            perfdata: Perfdata {
                cpu: self.perfdata.contains(&Taken::Cpu),
                memory: self.perfdata.contains(&Taken::Memory),
            },
            caller: caller(),
            ..terminal.look(self.verbose > 0)
        }
    }

    /// Nobody waits for a restart at a terminal, and everybody else does.
    fn window(&self, configured: Option<Duration>) -> Duration {
        let typed = !self.specs.is_empty() && self.format() == Format::Human;
        let otherwise = if typed && !self.pending {
            Duration::ZERO
        } else {
            RECHECK
        };
        // To look once is what pending means already.
        let typed = self.recheck.filter(|time| !(self.pending && time.is_zero()));
        typed.or(configured).unwrap_or(otherwise)
    }

    /// What is judged: specs as typed, checks of the configuration, or both.
    fn chosen(&self, view: &View, arguments: &ViewArguments) -> Result<Chosen, String> {
        // Under mon a spec without a range is a host name: the monitor line in mon.cf does not end with `;;`.
        let dialect = if self.format() == Format::Mon {
            Dialect::PsMonitor
        } else {
            Dialect::Native
        };
        let only_hosts = dialect == Dialect::PsMonitor && self.specs.iter().all(|spec| is_host_name(spec));
        let mut chosen = Chosen {
            items: items_of_specs(&self.specs, view, dialect),
            ..Chosen::default()
        };
        // That of the environment is meant where there are no specs.
        if self.specs.is_empty() || only_hosts || self.config.is_some() {
            let config = config_file(self.config.as_deref());
            let loaded = config::load::load(config.as_deref(), view, arguments.notes);
            let from = |source: &config::Source| format!("checks from {}", source.name);
            chosen.remarks.extend(loaded.sources.iter().map(from));
            // Before they are told apart: a spec may be called what a check is.
            chosen.items.extend(match self.rules.as_slice() {
                [] => loaded.items,
                rules => picked(loaded.items, rules),
            });
            chosen.recheck = loaded.settings.recheck;
            tell_apart(&mut chosen.items);
        } else if !self.rules.is_empty() {
            chosen.items.extend(picked(Vec::new(), &self.rules));
            tell_apart(&mut chosen.items);
        }
        for item in &mut chosen.items {
            if let Item::Check(check) = item {
                check.match_self = self.match_self;
            }
        }
        limits::apply(&mut chosen.items, self.warning, self.critical)?;
        Ok(chosen)
    }

    /// Runs it.
    pub fn run(self, arguments: &ViewArguments) -> Outcome {
        if self.stats || self.verbose > 2 {
            tally::begin();
        }
        let view = match View::open(arguments) {
            Ok(view) => view,
            Err(sentence) => return unseen(arguments, &sentence, self.shown_format()),
        };
        let mut chosen = match self.chosen(&view, arguments) {
            Ok(chosen) => chosen,
            Err(sentence) => return refused(&sentence),
        };
        if self.format() == Format::ZabbixLld {
            // Which checks there are is in the configuration: nothing is looked at.
            let nothing = Snapshot::default();
            return discovery(&judge(&chosen.items, &nothing, &nothing.accounts));
        }
        let look = self.look(arguments.terminal);
        let watch = Watch {
            view: &view,
            notes: arguments.notes,
            window: self.window(chosen.recheck),
            pending: self.pending,
            tells: self.format().tells_of_ok(&look),
            publish: &|_| (),
        };
        let store = view.store(self.state.as_deref());
        if self.verbose > 1 {
            let path = store.as_ref().map(Store::path);
            chosen
                .remarks
                .extend(setting::remarks(&watch, &chosen.items, path));
        }
        let complete = |mut report: Report| {
            report.remarks.extend(chosen.remarks.iter().cloned());
            report.remarks.extend(stats::remarks(&view, arguments.notes));
            report.run = view.is_live().then(|| run_until_now(arguments));
            report.with_unknown_as(self.unknown_is.into())
        };
        let watch = Watch {
            publish: &|report| {
                let report = complete(report.clone());
                arguments.notes.publish(&self.outcome(&report, &look));
            },
            ..watch
        };
        let report = complete(watch.run(&chosen.items, store));
        match &self.output {
            None => self.outcome(&report, &look),
            Some(path) => self.written(path, &report, &look, arguments.notes),
        }
    }

    fn outcome(&self, report: &Report, look: &Look) -> Outcome {
        Outcome::new(
            render(report, self.shown_format(), look),
            Exit::from(report.state),
        )
    }

    /// The report goes into a file.
    fn written(&self, path: &Path, report: &Report, look: &Look, notes: Notes) -> Outcome {
        match textfile::write(path, &render(report, self.format(), look), notes) {
            Ok(()) if look.verbose => self.outcome(report, look),
            Ok(()) => Outcome::new(one_line(report), Exit::from(report.state)),
            // The unit of a timer takes a failing check for success, and must not take this for one.
            Err(sentence) => {
                let text = format!("UNKNOWN: {sentence}\n{}", one_line(report));
                Outcome::new(text, Exit::Unknown)
            }
        }
    }
}

/// What a run judges.
#[derive(Default)]
struct Chosen {
    items: Vec<Item>,
    /// Where the checks come from.
    remarks: Vec<String>,
    /// For how long a check may fail, as the configuration says.
    recheck: Option<Duration>,
}

/// What collectd-exec(5) sets. It is told once in the life of the process.
fn caller() -> Caller {
    let said = |name: &str| {
        let value = std::env::var(name).ok()?;
        let plain = |c: char| c.is_alphanumeric() || "._:-".contains(c);
        let plain = !value.is_empty() && value.chars().all(plain);
        plain.then(|| &*value.leak())
    };
    Caller {
        host: said("COLLECTD_HOSTNAME"),
        interval: said("COLLECTD_INTERVAL"),
    }
}

/// What was asked for can't be done.
fn refused(sentence: &str) -> Outcome {
    let line = format!("UNKNOWN: {}\n", escape::text(sentence.as_bytes()));
    Outcome::new(escape::without_bars(&line), Exit::Unknown)
}

fn run_until_now(arguments: &ViewArguments) -> Run {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    let at = since_1970.unwrap_or_default();
    Run {
        at,
        booted: at.saturating_sub(Duration::from_nanos(now())),
        took: arguments.notes.started().elapsed(),
    }
}

/// The items of these names, and what is faulty and may be meant by one: a file as a whole, a check without a name, a
/// second one of that name. A name that nothing has is a fault, or a slip would be a silent OK.
fn picked(items: Vec<Item>, rules: &[String]) -> Vec<Item> {
    let unknown: Vec<Item> = rules
        .iter()
        .filter(|rule| items.iter().all(|item| item.name() != *rule))
        .map(|rule| {
            let names: Vec<&str> = items.iter().map(Item::name).collect();
            let help = format!("the configuration has: {}", names.join(", "));
            let fault = Fault::new(0..rule.len(), format!("no check is called `{rule}`"), help);
            faulty("the argument of -r", rule.clone(), rule.clone(), vec![fault])
        })
        .collect();
    let asked_for = |item: &Item| match item {
        Item::Faulty { name, faulty } => {
            let another = |rule: &String| {
                let rest = name.strip_prefix(rule.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(" ("))
            };
            *name == faulty.source || name.starts_with("the check at ") || rules.iter().any(another)
        }
        _ => rules.iter().any(|rule| item.name() == rule),
    };
    let kept = items.into_iter().filter(asked_for);
    kept.chain(unknown).collect()
}

/// There is nothing to look at: an UNKNOWN in the format that was asked for.
fn unseen(arguments: &ViewArguments, sentence: &str, format: Format) -> Outcome {
    let option = if arguments.proc.is_some() {
        "--proc"
    } else {
        "--snapshot"
    };
    let item = Item::Faulty {
        name: option.into(),
        faulty: Faulty {
            source: option.into(),
            text: "".into(),
            faults: vec![Fault::new(0..0, sentence, "")],
        },
    };
    let nothing = Snapshot::default();
    let report = judge(&[item], &nothing, &nothing.accounts);
    Outcome::new(
        render(&report, format, &arguments.terminal.look(false)),
        Exit::Unknown,
    )
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
    repeated(&mut items, specs);
    for (place, (item, spec)) in items.iter_mut().zip(specs).enumerate() {
        if let Item::Faulty { name, .. } = item
            && spec.trim().is_empty()
        {
            *name = format!("spec {}", place + 1);
        }
    }
    if dialect == Dialect::PsMonitor {
        for (item, spec) in items.iter_mut().zip(specs) {
            if let Item::Faulty { name, .. } = item
                && is_host_name(spec)
            {
                *name = format!("missing ;; in mon.cf: {spec}");
            }
        }
    }
    tell_apart(&mut items);
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
            let name = format!("{text} (again)");
            rest[0] = faulty(Faulty::SPEC, name, spec.clone(), vec![fault]);
        }
    }
}

fn faulty(source: &str, name: String, text: String, faults: Vec<Fault>) -> Item {
    let faulty = Faulty {
        source: source.to_owned(),
        text: text.into(),
        faults,
    };
    Item::Faulty { name, faulty }
}

/// What a path is called: its last part, unless that is a pattern, which two directories may share.
fn file_name(word: &str) -> Option<&str> {
    let file = word.strip_prefix('/')?.rsplit('/').next()?;
    let pattern = file.contains(['*', '?', '[', ']', '{', '}']);
    (!file.is_empty() && !pattern).then_some(file)
}

fn item_of_spec(text: &str, accounts: &dyn Accounts, dialect: Dialect) -> Item {
    match parse(text, accounts, dialect) {
        Err(faults) => faulty(Faulty::SPEC, text.to_owned(), text.to_owned(), faults),
        Ok(spec) => {
            let word = spec.selector.word.clone();
            let name = word.map_or_else(
                || spec.selector.text.clone(),
                |word| file_name(&word).unwrap_or(&word).to_owned(),
            );
            Item::Check(Box::new(Check::new(
                name,
                spec.selector,
                spec.range.unwrap_or(Range::AT_LEAST_ONE),
            )))
        }
    }
}

/// The spec of a command that takes one, or its faults, each with its place.
///
/// # Errors
/// What to print instead.
pub fn spec_or_outcome(text: &str, accounts: &dyn Accounts) -> Result<Spec, Outcome> {
    parse(text, accounts, Dialect::Native).map_err(|faults| {
        let (source, text) = (Faulty::SPEC.to_owned(), text.to_owned());
        let faulty = Faulty {
            source,
            text: text.into(),
            faults,
        };
        Outcome::new(diagnostic::render_all(&faulty, escape::text), Exit::Unknown)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Table;

    #[test]
    fn what_is_picked_by_name_keeps_the_faults_that_may_be_meant() {
        let item = |name: &str| faulty("p.toml", name.to_owned(), String::new(), Vec::new());
        let names = [
            "p.toml",
            "the check at p.toml:3",
            "a",
            "a (at p.toml:9)",
            "ab",
            "b",
        ];
        let items = names.map(item).to_vec();
        let kept = picked(items, &["a".to_owned()]);
        let kept: Vec<&str> = kept.iter().map(Item::name).collect();
        assert_eq!(kept, &names[..4]);
    }

    #[test]
    fn every_item_has_a_name_of_its_own() {
        let names = |specs: &[&str]| {
            let specs: Vec<String> = specs.iter().map(|spec| (*spec).to_owned()).collect();
            let items = items_of_specs(&specs, &Table::default(), Dialect::PsMonitor);
            items
                .iter()
                .map(|item| item.name().to_owned())
                .collect::<Vec<_>>()
        };
        let faulty = "missing ;; in mon.cf: x";
        assert_eq!(names(&["x", "x"]), [faulty, &format!("{faulty} (2)")]);
        assert_eq!(names(&["x:5-1", "\"x:5-1\":1-1"]), ["x:5-1", "\"x:5-1\""]);
        assert_eq!(
            names(&["y:1-1", " ", "", "x:1-1"]),
            ["y", "spec 2", "spec 3", "x"]
        );
        assert_eq!(names(&["x:1-1", "x:1-1"]), ["x", "x (again)"]);
        assert_eq!(names(&["/a/x:1-1", "\"a/\":1-1"]), ["x", "a/"]);
        let kept = ["kworker/0:1", "/usr/sbin/*", "[kworker/*]"];
        assert_eq!(
            names(&["\"kworker/0:1\":1-1", "/usr/sbin/*:0-0", "[kworker/*]:0-0"]),
            kept
        );
    }
}
