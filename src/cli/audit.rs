//! `procward audit`: is anything true of a process that must never be?

use super::arguments::{CONFIG, CONFIG_AT_LENGTH, FormatName, ViewArguments, config_file, default_format};
use super::view::View;
use super::watch::Watch;
use crate::audit::compile::{Compiled, compile};
use crate::audit::settings::{Asked, Day};
use crate::audit::{Outcome as Broken, Report, Rule, Settings, Severity, outcome};
use crate::config::load::load;
use crate::exit_code::Exit;
use crate::judge;
use crate::outcome::Outcome;
use crate::report::audit::render;
use crate::report::{Format, escape};
use crate::select::EVIDENCE_FILES;
use clap::Args;
use std::fmt::Write;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What the command is for.
pub const ABOUT: &str = "Judge what must never be true of any process";

/// What other lists of such rules have, and the audit has not.
const ELSEWHERE: [(&str, &str); 3] = [
    (
        "socket-without-owner",
        "ss -lntup shows sockets without a process; those of the kernel have none",
    ),
    ("runaway-cpu", "procward cpu tells of runaways, from run to run"),
    (
        "name-impostor",
        "write it as a rule of your own, as docs/audits.md does",
    ),
];

/// The arguments of `audit`.
#[derive(Args, Clone, Debug, Default)]
pub struct AuditCommand {
    /// Judge these rules, also those that are off [default: what is on]
    #[arg(value_name = "RULE")]
    pub rules: Vec<String>,
    /// Judge all rules, also those that are off
    #[arg(long, conflicts_with = "rules")]
    pub all: bool,
    /// List the rules
    #[arg(long)]
    pub list: bool,
    /// Explain a rule: why, and what to do
    #[arg(long, value_name = "RULE", conflicts_with = "list")]
    pub explain: Option<String>,
    /// Only rules that are at least so bad, such as high
    ///
    /// Only rules that are at least so bad: info, low, medium, high, critical
    #[arg(long, value_name = "LEVEL", value_parser = severity)]
    pub min_severity: Option<Severity>,
    /// Write what is found as exemptions, for the configuration
    #[arg(long)]
    pub baseline: bool,
    /// Whose [audit] is taken.
    #[allow(
        rustdoc::broken_intra_doc_links,
        reason = "a table of the configuration, as it is written"
    )]
    #[arg(long, value_name = "FILE", help = CONFIG, long_help = CONFIG_AT_LENGTH)]
    pub config: Option<PathBuf>,
    /// How to write the report [default: human, or mon's under mon]
    #[arg(long, value_enum)]
    pub format: Option<FormatName>,
    /// Tell of rules that are OK too
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

fn severity(text: &str) -> Result<Severity, String> {
    let words: Vec<&str> = Severity::ALL.iter().map(|severity| severity.word()).collect();
    Severity::by_name(text).ok_or_else(|| format!("write one of {}", words.join(" ")))
}

impl AuditCommand {
    /// The format of its report.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format.map_or_else(default_format, Format::from)
    }

    /// Runs it.
    pub fn run(self, arguments: &ViewArguments) -> Outcome {
        let view = match View::open(arguments) {
            Ok(view) => view,
            Err(sentence) => return Outcome::unknown(sentence),
        };
        let file = config_file(self.config.as_deref());
        let loaded = load(file.as_deref(), &view, arguments.notes);
        let settings = &loaded.settings.audit;
        if let Some(sentence) = self.unknown_rule(settings) {
            return Outcome::unknown(sentence);
        }
        if self.list {
            return Outcome::new(self.listed(settings), Exit::Ok);
        }
        if let Some(id) = &self.explain {
            let rules = settings.all_rules();
            let told = rules
                .iter()
                .find(|rule| rule.id == *id)
                .map(|rule| explained(rule, settings));
            return Outcome::new(told.unwrap_or_default(), Exit::Ok);
        }
        let asked = Asked {
            rules: self.rules.clone(),
            all: self.all,
            least: self.min_severity,
        };
        let rules = settings.rules(&asked);
        let mut compiled = compile(&rules, settings, &view, today());
        compiled.items.extend(loaded.of_audit);
        let audit = Audit {
            rules: &rules,
            compiled: &compiled,
            settings,
            view: &view,
        };
        if self.baseline {
            return audit.baseline(arguments);
        }
        let (format, look) = (self.format(), arguments.terminal.look(self.verbose > 0));
        audit.run(arguments, &|report| {
            Outcome::new(render(report, format, &look), Exit::from(report.state))
        })
    }

    /// The rules asked for, whether they are on or not.
    fn listed(&self, settings: &Settings) -> String {
        let mut rules = settings.all_rules();
        rules.retain(|rule| {
            let named = self.rules.is_empty() || self.rules.contains(&rule.id);
            named && self.min_severity.is_none_or(|least| rule.severity() >= least)
        });
        let width = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
        let mut text = String::new();
        for rule in &rules {
            let _ = writeln!(
                text,
                "{:<width$}  {:<8}  {:<15}  {}",
                escape::text(rule.id.as_bytes()),
                rule.severity().word(),
                settings.class_of(rule),
                escape::text(rule.title.as_bytes())
            );
        }
        text
    }

    fn unknown_rule(&self, settings: &Settings) -> Option<String> {
        let ids: Vec<String> = settings.all_rules().into_iter().map(|rule| rule.id).collect();
        let unknown = self
            .rules
            .iter()
            .chain(&self.explain)
            .find(|id| !ids.contains(id))?;
        let near = crate::select::spec::nearest(unknown, ids.iter().map(String::as_str));
        let elsewhere = ELSEWHERE.iter().find(|(id, _)| id == unknown);
        let help = match (elsewhere, near) {
            (Some((_, help)), _) => (*help).to_owned(),
            (None, Some(near)) => format!("did you mean {near}?"),
            _ if settings.faulty => "[audit] is faulty: procward config check".to_owned(),
            _ => "procward audit --list lists the rules".to_owned(),
        };
        let unknown = escape::text(unknown.as_bytes());
        Some(format!("there is no rule {unknown}; {help}"))
    }
}

/// An audit that is to be done.
pub(super) struct Audit<'a> {
    pub(super) rules: &'a [Rule],
    pub(super) compiled: &'a Compiled,
    pub(super) settings: &'a Settings,
    pub(super) view: &'a View,
}

impl Audit<'_> {
    pub(super) fn run(&self, arguments: &ViewArguments, outcome: &dyn Fn(&Report) -> Outcome) -> Outcome {
        outcome(&self.report(arguments, &|report| arguments.notes.publish(&outcome(report))))
    }

    fn report(&self, arguments: &ViewArguments, publish: &dyn Fn(&Report)) -> Report {
        // Before the processes are looked at: what hides some of them is told whatever becomes of the rest.
        let facts = self.view.facts(|rule| {
            let wanted = |one: &Rule| one.id == rule && self.is_run(one);
            self.rules.iter().any(wanted)
        });
        let assemble = |mut report: judge::Report| {
            if !self.view.is_live() {
                report
                    .remarks
                    .push("not confirmed: a snapshot is one look".into());
            }
            outcome::assemble(self.rules, self.compiled, report, &facts, self.settings)
        };
        let watch = Watch {
            view: self.view,
            notes: arguments.notes,
            window: Duration::ZERO,
            pending: false,
            // Who a process is must be known from the first look on, so that it is known again.
            tells: &EVIDENCE_FILES,
            publish: &|report| publish(&assemble(report.clone())),
        };
        assemble(watch.run(&self.compiled.items, None))
    }

    fn is_run(&self, rule: &Rule) -> bool {
        !self
            .compiled
            .skipped
            .iter()
            .any(|(skipped, _)| *skipped == rule.id)
    }

    /// Each finding as an exemption, of the program and its user.
    fn baseline(&self, arguments: &ViewArguments) -> Outcome {
        let report = self.report(arguments, &|_| ());
        let today = today();
        let mut text =
            format!("# What procward audit found on {today}: keep what is meant to be, and say why.\n");
        let mut known = std::collections::BTreeSet::new();
        for rule in &report.rules {
            for process in rule
                .findings
                .iter()
                .filter_map(|finding| finding.process.as_ref())
            {
                let select = exemption_of(process);
                if !known.insert((rule.rule.id.clone(), select.clone())) {
                    continue;
                }
                let shown = escape::text(select.as_bytes());
                if shown == select && !select.contains(char::REPLACEMENT_CHARACTER) {
                    let _ = write!(
                        text,
                        "\n[[audit.exempt]]\nrule = \"{}\"\nselect = {}\nreason = \"found on {today}\"\n",
                        rule.rule.id,
                        toml::Value::String(select)
                    );
                } else {
                    let _ = writeln!(
                        text,
                        "\n# {}: {shown} holds what can't be written here; write a selector of your own.",
                        rule.rule.id
                    );
                }
            }
        }
        let blind = report
            .rules
            .iter()
            .filter(|rule| rule.outcome == Broken::NotChecked);
        let blind: Vec<_> = blind.map(|rule| escape::text(rule.rule.id.as_bytes())).collect();
        if !blind.is_empty() {
            let _ = writeln!(
                text,
                "# Not everything could be looked at; not checked: {}.",
                blind.join(", ")
            );
            return Outcome::new(text, Exit::Unknown);
        }
        if known.is_empty() {
            text += "# Nothing.\n";
        }
        Outcome::new(text, Exit::Ok)
    }
}

/// A selector of the program and its user, as far as both are known.
fn exemption_of(process: &crate::judge::Evidence) -> String {
    use crate::select::Key;
    use crate::select::spec::writing::{quoted, word};
    let program = String::from_utf8_lossy(&process.program);
    let who = if program.starts_with('/') && !program.starts_with("/memfd:") {
        word(Key::Exe, &program)
    } else {
        word(Key::Comm, &String::from_utf8_lossy(&process.name))
    };
    match &process.user {
        Some(user) => format!("{who},user={}", quoted(user)),
        None => who,
    }
}

/// The day, in UTC.
pub(super) fn today() -> Day {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Day::of_seconds(since.as_secs())
}

fn explained(rule: &Rule, settings: &Settings) -> String {
    let mut text = format!(
        "{} ({}, {})\n  {}\n",
        rule.id,
        rule.severity().word(),
        settings.class_of(rule),
        rule.title
    );
    let mut say = |title: &str, what: &str| {
        let _ = writeln!(text, "  {title}: {what}");
    };
    say("matters", &rule.why);
    if !rule.source.is_empty() {
        say("source", &rule.source);
    }
    say("fix", &rule.fix);
    if let Some(module) = &rule.when {
        say("only with", module);
    }
    for case in &rule.cases {
        say(&format!("broken ({}) by", case.severity.word()), &case.select);
    }
    if rule.host.is_some() {
        say("broken by", "a fact about the host, which no selector can say");
    }
    for exempt in &rule.exempt {
        say("exempt", &format!("{}: {}", exempt.select, exempt.reason));
    }
    for exempt in settings.exempt.iter().filter(|one| one.rules.contains(&rule.id)) {
        let until = exempt
            .until
            .map(|until| format!(" until {until}"))
            .unwrap_or_default();
        say(
            "exempt (configured)",
            &format!("{}{until}: {}", exempt.selector.text, exempt.reason),
        );
    }
    text.lines()
        .map(|line| escape::text(line.as_bytes()) + "\n")
        .collect()
}
