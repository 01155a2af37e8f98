//! `procward config`: is the configuration right, and what does it mean?

use super::arguments::ViewArguments;
use super::view::View;
use crate::config::diagnostic;
use crate::config::load::load;
use crate::exit_code::Exit;
use crate::judge::Item;
use crate::outcome::Outcome;
use crate::report::escape;
use crate::select::spec::sentence;
use clap::{Args, Subcommand};
use std::fmt::Write;
use std::path::PathBuf;

/// The commands below `config`.
#[derive(Clone, Debug, Subcommand)]
pub enum ConfigCommand {
    /// All faults of the configuration, each with its place; exit 3 if there is one
    Check(ConfigArguments),
    /// What each check means, as a sentence
    Show(ConfigArguments),
}

/// Which configuration.
#[derive(Clone, Args, Debug)]
pub struct ConfigArguments {
    /// The configuration file [default: /etc/procward/procward.toml and conf.d/*.toml]
    #[arg(long, value_name = "FILE", env = "PROCWARD_CONFIG")]
    pub config: Option<PathBuf>,
}

impl ConfigCommand {
    /// Runs it.
    pub fn run(self, arguments: &ViewArguments) -> Outcome {
        let view = match View::open(arguments) {
            Ok(view) => view,
            Err(sentence) => return Outcome::new(format!("{sentence}\n"), Exit::Unknown),
        };
        let (ConfigCommand::Check(which) | ConfigCommand::Show(which)) = &self;
        let loaded = load(which.config.as_deref(), &view, arguments.notes);
        let mut text = String::new();
        for located in &loaded.faults {
            if let Some(source) = loaded.sources.get(located.source) {
                text += &diagnostic::render(&source.name, &source.text, &located.fault);
                text.push('\n');
            }
        }
        if matches!(self, ConfigCommand::Show(_)) {
            for item in &loaded.items {
                show(&mut text, item);
            }
        }
        let faulty = loaded
            .items
            .iter()
            .filter(|item| matches!(item, Item::Faulty { .. }))
            .count();
        if faulty == 0 && loaded.faults.is_empty() {
            if matches!(self, ConfigCommand::Check(_)) {
                let _ = writeln!(text, "{} checks, no fault", loaded.items.len());
            }
            return Outcome::new(text, Exit::Ok);
        }
        // A file that could not be read has no text to point into.
        for item in &loaded.items {
            if let Item::Faulty {
                name,
                text: read,
                faults,
            } = item
                && read.is_empty()
            {
                for fault in faults {
                    let line = format!("{name}: {}; {}", fault.message, fault.help);
                    let _ = writeln!(text, "{}", escape::text(line.as_bytes()));
                }
            }
        }
        Outcome::new(text, Exit::Unknown)
    }
}

fn show(text: &mut String, item: &Item) {
    let line = match item {
        Item::Check(check) => format!("{}: {}", check.name, sentence(&check.selector, check.count)),
        Item::Faulty { name, .. } => format!("{name}: faulty"),
        Item::Skipped { name, reason } => format!("{name}: skipped, {reason}"),
    };
    let _ = writeln!(text, "{}", escape::text(line.as_bytes()));
    if let Item::Check(check) = item {
        for exception in &check.except {
            let line = format!("  except {}: {}", exception.selector.text, exception.reason);
            let _ = writeln!(text, "{}", escape::text(line.as_bytes()));
        }
    }
}
