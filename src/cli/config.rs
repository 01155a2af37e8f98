//! `procward config`: is the configuration right, and what does it mean?

use super::arguments::{CONFIG, CONFIG_AT_LENGTH, ViewArguments, config_file};
use super::as_user;
use super::view::View;
use crate::audit::{self, Severity};
use crate::config::Loaded;
use crate::config::load::load;
use crate::config::settings::{CpuSettings, Settings};
use crate::exit_code::Exit;
use crate::judge::{Item, State};
use crate::memory::restarts::Restarts;
use crate::outcome::Outcome;
use crate::report::{diagnostic, escape};
use crate::select::spec::sentence;
use crate::select::write_duration;
use clap::{Args, Subcommand};
use std::fmt::Write;
use std::path::PathBuf;

/// The commands below `config`.
#[derive(Clone, Debug, Subcommand)]
pub enum ConfigCommand {
    /// Find all faults of the configuration; ends 3 where there is one
    Check(CheckArguments),
    /// Show what each check means, as a sentence
    Show(ConfigArguments),
}

/// Which configuration, and with whose rights.
#[derive(Clone, Args, Debug)]
pub struct CheckArguments {
    /// Which configuration.
    #[command(flatten)]
    pub of: ConfigArguments,
    /// Judge with this user's rights, and say what to grant
    ///
    /// Judge the checks with this user's rights: what would be UNKNOWN, and what to grant, or to write in its place
    #[arg(long = "as", value_name = "USER")]
    pub user: Option<String>,
}

/// Which configuration.
#[derive(Clone, Args, Debug)]
pub struct ConfigArguments {
    /// Which file.
    #[arg(long, value_name = "FILE", help = CONFIG, long_help = CONFIG_AT_LENGTH)]
    pub config: Option<PathBuf>,
}

impl ConfigCommand {
    /// Runs it.
    pub fn run(self, arguments: &ViewArguments) -> Outcome {
        if let ConfigCommand::Check(CheckArguments { of, user: Some(user) }) = &self {
            return as_user::run(user, config_file(of.config.as_deref()).as_deref(), arguments);
        }
        let view = match View::open(arguments) {
            Ok(view) => view,
            Err(sentence) => return Outcome::new(format!("{sentence}\n"), Exit::Unknown),
        };
        let (ConfigCommand::Check(CheckArguments { of: which, .. }) | ConfigCommand::Show(which)) = &self;
        let loaded = load(
            config_file(which.config.as_deref()).as_deref(),
            &view,
            arguments.notes,
        );
        let shown: Vec<String> = loaded
            .faulty()
            .map(|faulty| diagnostic::render_all(faulty, escape::text))
            .collect();
        let mut text = shown.join("\n");
        let exit = if shown.is_empty() { Exit::Ok } else { Exit::Unknown };
        match self {
            ConfigCommand::Check(_) if shown.is_empty() => {
                let _ = writeln!(text, "{}", count(&loaded.items, &loaded.settings));
            }
            ConfigCommand::Check(_) => {}
            ConfigCommand::Show(_) => {
                if !shown.is_empty() {
                    text.push('\n');
                }
                show_all(&mut text, &loaded);
            }
        }
        Outcome::new(text, exit)
    }
}

/// `3 checks, no fault`.
fn count(items: &[Item], settings: &Settings) -> String {
    let skipped = items
        .iter()
        .filter(|item| matches!(item, Item::Skipped { .. }))
        .count();
    let checks = items.len();
    let mut checks = format!("{checks} check{}", if checks == 1 { "" } else { "s" });
    checks += match (settings.cpu.given, settings.audit.given) {
        (true, true) => ", [cpu] and [audit]",
        (true, false) => " and [cpu]",
        (false, true) => " and [audit]",
        (false, false) => "",
    };
    if skipped == 0 {
        format!("{checks}, no fault")
    } else {
        format!("{checks}, {skipped} of them skipped here, no fault")
    }
}

fn show_all(text: &mut String, loaded: &Loaded) {
    let Loaded { items, settings, .. } = loaded;
    if let Some(recheck) = settings.recheck {
        let _ = writeln!(
            text,
            "recheck: {} unless a check says otherwise",
            write_duration(recheck)
        );
    }
    for item in items {
        show(text, item);
    }
    if settings.cpu.given && !settings.cpu.faulty {
        show_cpu(text, &settings.cpu);
    }
    if settings.audit.given && !settings.audit.faulty {
        show_audit(text, &settings.audit);
    }
    if text.is_empty() {
        text.push_str("no check\n");
    }
}

/// What `[cpu]` says; what it does not is not shown.
fn show_cpu(text: &mut String, cpu: &CpuSettings) {
    let spans = [
        ("window", cpu.window),
        ("for", cpu.lasting),
        ("warning", cpu.warning),
        ("critical", cpu.critical),
    ];
    let limit = cpu.limit.map(|limit| format!("limit: {limit}% of one core"));
    let spans = spans
        .into_iter()
        .filter_map(|(key, span)| Some(format!("{key}: {}", write_duration(span?))));
    let without = (!cpu.without.is_empty()).then(|| format!("without: {}", cpu.without.join(", ")));
    let exempt = cpu
        .exempt
        .iter()
        .map(|exception| format!("exempt {}: {}", exception.selector.text, exception.reason));
    text.push_str("[cpu]\n");
    for line in limit.into_iter().chain(spans).chain(without).chain(exempt) {
        let _ = writeln!(text, "  {}", escape::text(line.as_bytes()));
    }
}

/// What `[audit]` says; what it does not is not shown.
fn show_audit(text: &mut String, audit: &audit::Settings) {
    let from = |state: &str, severity: Option<Severity>| {
        severity.map(|severity| format!("{state}: from {} on", severity.word()))
    };
    let list =
        |key: &str, rules: &[String]| (!rules.is_empty()).then(|| format!("{key}: {}", rules.join(", ")));
    let mut lines: Vec<String> = [
        from("critical", audit.critical),
        from("warning", audit.warning),
        list("with", &audit.with),
        list("without", &audit.without),
    ]
    .into_iter()
    .flatten()
    .collect();
    for (rule, severity) in &audit.severities {
        lines.push(format!("{rule}: {}", severity.word()));
    }
    for one in &audit.exempt {
        let until = one.until.map(|day| format!(" until {day}")).unwrap_or_default();
        let rules = one.rules.join(", ");
        lines.push(format!(
            "exempt from {rules}: {}{until}: {}",
            one.selector.text, one.reason
        ));
    }
    for rule in &audit.rules {
        lines.push(format!(
            "rule {} ({}): {}",
            rule.id,
            rule.severity().word(),
            rule.title
        ));
    }
    text.push_str("[audit]\n");
    for line in lines {
        let _ = writeln!(text, "  {}", escape::text(line.as_bytes()));
    }
}

fn show(text: &mut String, item: &Item) {
    let mut say = |line: String| {
        let _ = writeln!(text, "{}", escape::text(line.as_bytes()));
    };
    match item {
        Item::Check(check) => {
            say(format!(
                "{}: {}",
                check.name,
                sentence(&check.selector, check.count)
            ));
            if check.severity == State::Warning {
                say("  severity: warning, never critical".into());
            }
            if let Some(warning) = check.warning {
                say(format!("  warning: unless {}", warning.words()));
            }
            for exception in &check.except {
                say(format!(
                    "  except {}: {}",
                    exception.selector.text, exception.reason
                ));
            }
            if let Some(recheck) = check.recheck {
                say(format!("  recheck: {}", write_duration(recheck)));
            }
            if let Some(Restarts { count, per }) = check.restarts {
                say(format!(
                    "  restarts: warning at more than {count} per {}",
                    write_duration(per)
                ));
            }
            if let Some(note) = &check.note {
                say(format!("  note: {note}"));
            }
        }
        Item::Faulty { name, .. } => say(format!("{name}: faulty")),
        Item::Skipped { name, reason } => say(format!("{name}: skipped, {reason}")),
    }
}
