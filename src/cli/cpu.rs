//! `procward cpu`: does any process use too much CPU that may not?

use super::arguments::{
    CONFIG, CONFIG_AT_LENGTH, FormatName, STATE, STATE_AT_LENGTH, ViewArguments, config_file, default_format,
};
use super::view::View;
use super::watch::Watch;
use crate::config::load::load;
use crate::config::settings::{CpuSettings, parse_percent};
use crate::cpu::{LIMIT, Limits, check, exempt};
use crate::exit_code::Exit;
use crate::judge::{Item, Pace, Report, State};
use crate::outcome::Outcome;
use crate::report::{Format, diagnostic, escape, render};
use crate::select::selection::Wanted;
use crate::select::spec::parse_selector;
use crate::select::{Plan, Selector, parse_duration, select};
use clap::Args;
use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

/// What the command is for.
pub const ABOUT: &str = "Judge CPU time: does a process use too much that may not?";

/// The arguments of `cpu`.
#[derive(Args, Clone, Debug, Default)]
pub struct CpuCommand {
    /// Percent of one core that a process may use [default: 90%]
    ///
    /// Percent of one core that a process may use. Without it 90%, and then only what stays over it for 10 minutes counts,
    /// where runs are remembered
    #[arg(value_name = "LIMIT", value_parser = parse_percent)]
    pub limit: Option<u32>,
    /// Measure over this time [default: since the last run]
    ///
    /// Measure over this time. Without it: since the last run where that is remembered, else over 3 s
    #[arg(long, value_name = "TIME", value_parser = window, conflicts_with = "lifetime")]
    pub window: Option<Duration>,
    /// Measure over the whole life of a process, as ps does
    #[arg(long)]
    pub lifetime: bool,
    /// Tell only what stays over the limit for this time
    ///
    /// Tell only what stays over the limit in every look of this time
    #[arg(long = "for", value_name = "TIME", value_parser = parse_duration, conflicts_with = "lifetime")]
    pub lasting: Option<Duration>,
    /// Show who is exempt, and why
    #[arg(long)]
    pub show_exempt: bool,
    /// What is remembered of earlier runs.
    #[arg(long, value_name = "FILE", help = STATE, long_help = STATE_AT_LENGTH)]
    pub state: Option<PathBuf>,
    /// Whose [cpu] is taken.
    #[allow(
        rustdoc::broken_intra_doc_links,
        reason = "a table of the configuration, as it is written"
    )]
    #[arg(long, value_name = "FILE", help = CONFIG, long_help = CONFIG_AT_LENGTH)]
    pub config: Option<PathBuf>,
    /// How to write the report [default: human, or mon's under mon]
    #[arg(long, value_enum)]
    pub format: Option<FormatName>,
    /// Tell what was found where it is OK too
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

fn window(text: &str) -> Result<Duration, String> {
    let window = parse_duration(text)?;
    if window < Duration::from_millis(500) || window > Duration::from_secs(600) {
        return Err(format!("`{text}`: a window lies between 500ms and 10m"));
    }
    Ok(window)
}

impl CpuCommand {
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
        let loaded = load(
            config_file(self.config.as_deref()).as_deref(),
            &view,
            arguments.notes,
        );
        let settings = loaded.settings.cpu;
        if self.show_exempt {
            return shown_with_faults(&settings, &loaded.of_cpu, &view);
        }
        let store = view.store(self.state.as_deref());
        let (limits, remark) = self.limits(&settings, store.is_some());
        let built_in = exempt::exceptions(&settings.without, &view);
        let except = settings.exempt.iter().cloned().chain(built_in).collect();
        let check = match check(&limits, except, &view) {
            Ok(check) => check,
            Err(sentence) => return Outcome::unknown(sentence),
        };
        let format = self.format();
        let outcome = |mut report: Report| {
            report.remarks.extend(remark.map(str::to_owned));
            let exit = Exit::from(report.state);
            let look = arguments.terminal.look(self.verbose > 0);
            Outcome::new(render(&report, format, &look), exit)
        };
        let watch = Watch {
            view: &view,
            notes: arguments.notes,
            window: Duration::ZERO,
            pending: false,
            tells: &[],
            publish: &|report| arguments.notes.publish(&outcome(report.clone())),
        };
        // A window that was asked for is measured now, whatever is remembered.
        let store = if self.window.is_some() || self.lasting.is_some() {
            None
        } else {
            store
        };
        // A fault of [cpu] makes its limits doubtful, and one of a file may have hidden it.
        let own = (!settings.faulty).then(|| Item::Check(Box::new(check)));
        let items: Vec<Item> = own.into_iter().chain(loaded.of_cpu).collect();
        outcome(watch.run(&items, store))
    }

    fn limits(&self, settings: &CpuSettings, remembers: bool) -> (Limits, Option<&'static str>) {
        let pace = Pace {
            window: self.window.or(settings.window).unwrap_or(Pace::default().window),
            lasting: self.lasting.or(settings.lasting).unwrap_or_default(),
        };
        let bare = self.limit.is_none() && self.window.is_none() && self.lasting.is_none() && !self.lifetime;
        let limits = Limits {
            limit: self.limit.or(settings.limit).unwrap_or(LIMIT),
            lifetime: self.lifetime,
            pace,
            patience: (bare && remembers).then(|| settings.patience()),
            severity: if bare && !remembers {
                State::Warning
            } else {
                State::Critical
            },
        };
        let remark = (bare && !remembers).then_some(
            "judged by this run alone: there is no state file, so it can't be told what goes on for long; give --state FILE",
        );
        (limits, remark)
    }
}

fn faults_of(item: &Item) -> Option<String> {
    match item {
        Item::Faulty { faulty, .. } => Some(diagnostic::render_all(faulty, escape::text)),
        _ => None,
    }
}

/// Who is exempt; what the configuration exempts, or switches off, may be missing where it is faulty.
fn shown_with_faults(settings: &CpuSettings, of_cpu: &[Item], view: &View) -> Outcome {
    let shown = shown(settings, view);
    let faulty: Vec<String> = of_cpu.iter().filter_map(faults_of).collect();
    if faulty.is_empty() {
        return shown;
    }
    let head = "UNKNOWN: the configuration is faulty, and may say otherwise\n";
    let text = format!("{head}{}\n", faulty.concat());
    Outcome::new([text.as_bytes(), &shown.text].concat(), Exit::Unknown)
}

/// Who is exempt, why, and how many that are at the moment: an exemption that nobody needs is one too many.
fn shown(settings: &CpuSettings, view: &View) -> Outcome {
    let built_in = exempt::built_in();
    let off = |name: &String| settings.without.contains(name);
    let configured = settings.exempt.iter().map(|exception| {
        let what = format!("(configured): {}", exception.reason);
        (
            what,
            Some(exception.selector.clone()),
            exception.selector.text.clone(),
        )
    });
    let own = built_in.into_iter().map(|entry| {
        let switched = if off(&entry.name) { " (switched off)" } else { "" };
        let what = format!("{}{switched}: {}", entry.name, entry.reason);
        (what, parse_selector(&entry.select, view).ok(), entry.select)
    });
    let entries: Vec<(String, Option<Selector>, String)> = configured.chain(own).collect();
    let wanted = |selector: &Selector| Wanted {
        selector: selector.clone(),
        except: Vec::new(),
        strict: true,
        everywhere: true,
        match_self: true,
    };
    let selectors = entries.iter().filter_map(|(_, selector, _)| selector.as_ref());
    let look = view.look(&Plan::deciding(selectors.map(wanted).collect()));
    let mut text =
        String::from("Exempt from `procward cpu`, unless switched off by name in the configuration:\n");
    for (what, selector, written) in &entries {
        let now = selector.as_ref().map(|selector| {
            let selection = select(&wanted(selector), &look);
            number(selection.matched.len(), selection.unknown.len())
        });
        let now = now.map(|now| format!(" ({now} now)")).unwrap_or_default();
        let _ = writeln!(text, "\n{}{now}", escape::text(what.as_bytes()));
        let _ = writeln!(text, "  {}", escape::text(written.as_bytes()));
    }
    Outcome::new(text, Exit::Ok)
}

fn number(matched: usize, unknown: usize) -> String {
    match (matched, unknown) {
        (0, 0) => "no process".into(),
        (1, 0) => "1 process".into(),
        (n, 0) => format!("{n} processes"),
        (n, u) => format!("{n} to {} processes", n + u),
    }
}
