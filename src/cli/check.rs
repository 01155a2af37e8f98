//! `procward check`: judge checks from the command line or the configuration.

use super::arguments::{
    CONFIG, CONFIG_AT_LENGTH, CheckFormatName, STATE, STATE_AT_LENGTH, ViewArguments, config_file,
    default_format,
};
use super::items::{is_host_name, items_of_specs, picked};
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
use crate::judge::{Faulty, Item, Report, Run, State, judge, tell_apart};
use crate::memory::store::Store;
use crate::outcome::Outcome;
use crate::report::passive::Passive;
use crate::report::{Caller, Format, Look, Perfdata, discovery, escape, one_line, render};
use crate::select::spec::Dialect;
use crate::select::{Fault, Range, parse_window};
use crate::snapshot::Snapshot;
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
    /// Specs, such as `sshd:1-`; without any, the configuration
    ///
    /// Specs, such as `sshd:1-` or `/usr/sbin/cron,user=root:1`. Without any the checks of the configuration are judged, and both
    /// where --config is given
    pub specs: Vec<String>,
    /// Whose checks are judged.
    #[arg(long, value_name = "FILE", help = CONFIG, long_help = CONFIG_AT_LENGTH)]
    pub config: Option<PathBuf>,
    /// Judge only this check of it; more than once for more
    ///
    /// Judge only the check of this name, of the configuration; more than once for more of them
    #[arg(short, long = "rule", value_name = "NAME")]
    pub rules: Vec<String>,
    /// How to write the report [default: human, or mon's under mon]
    #[arg(long, value_enum)]
    pub format: Option<CheckFormatName>,
    /// Write prometheus or nagios-passive there
    ///
    /// With --format prometheus: replace this file of node_exporter's textfile collector, whose name ends in .prom, as a
    /// whole. Standard output is then one line, for the journal or cron's mail, and the exit code that of the verdict,
    /// or 3 where the file can't be written; a run that can't be finished leaves the old file in place. With --format
    /// nagios-passive: write into this command file of Nagios, and tell only where that fails, with 3
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// What the server calls this host, for passive results
    ///
    /// With --format nsca, nagios-passive or icinga2: what the server calls this host. Without it: what the kernel does
    #[arg(long, value_name = "NAME")]
    pub host: Option<String>,
    /// How long to look again at a failure [default: 5s]
    ///
    /// For how long to look again at a check that fails, before that counts: a restart is ridden out. Without it 5 s, or what
    /// the configuration says, and 0 for specs in the human format. With 0 it looks once, and a failure counts at once
    #[arg(long, value_name = "TIME", value_parser = parse_window)]
    pub recheck: Option<Duration>,
    /// Look once; a first miss is pending for that time
    ///
    /// Look once and wait for nothing: where the run before found all well, a failure is pending, and still OK, until it
    /// has lasted for the time of --recheck, as the state file remembers
    #[arg(long)]
    pub pending: bool,
    /// Tell UNKNOWN as warning, critical or unknown
    ///
    /// Tell UNKNOWN as warning, critical or, without it, unknown: whoever is woken by nothing but CRITICAL must not sleep
    /// through a monitor that is blind. Wrong usage and an internal fault stay UNKNOWN
    #[arg(
        long,
        value_enum,
        value_name = "STATE",
        default_value = "unknown",
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub unknown_is: UnknownIs,
    /// WARNING unless so many match: 5 (is 0 to 5), 1:, 1:5
    ///
    /// WARNING unless so many processes match, in place of what the one check says: 5 (which is 0 to 5), 1:, 1:5 or @0:0
    #[arg(short, long, value_name = "RANGE", value_parser = parse_range)]
    pub warning: Option<Range>,
    /// CRITICAL unless so many match
    ///
    /// CRITICAL unless so many processes match, likewise
    #[arg(short, long, value_name = "RANGE", value_parser = parse_range)]
    pub critical: Option<Range>,
    /// Add cpu, memory or cpu,memory to performance data
    ///
    /// With --format nagios, add to the performance data of each check: cpu, seconds of CPU that its processes used so far, a
    /// counter; memory, their resident memory in bytes; or both, cpu,memory
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        value_delimiter = ',',
        hide_possible_values = true
    )]
    pub perfdata: Vec<Taken>,
    /// What is remembered of earlier runs.
    #[arg(long, value_name = "FILE", help = STATE, long_help = STATE_AT_LENGTH)]
    pub state: Option<PathBuf>,
    /// Count procward itself too
    #[arg(long)]
    pub match_self: bool,
    /// Tell what the run cost: files, bytes, time
    #[arg(long)]
    pub stats: bool,
    /// Tell of checks that are OK too; -v -v -v tells most
    ///
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
