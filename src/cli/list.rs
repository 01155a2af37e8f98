//! `procward list`: the matching processes, as ps would show them.

use super::arguments::ViewArguments;
use super::explain::check_of;
use super::items::view_and_spec;
use super::view::exit_of;
use crate::judge::evidence::describe;
use crate::outcome::Outcome;
use crate::report::escape;
use crate::select::{Plan, select};
use clap::Args;
use std::fmt::Write;

/// The arguments of `list`.
#[derive(Clone, Args, Debug)]
pub struct List {
    /// The spec; its range is not looked at
    pub spec: String,
}

impl List {
    /// Runs it.
    pub fn run(self, arguments: &ViewArguments) -> Outcome {
        let (view, spec) = match view_and_spec(arguments, &self.spec) {
            Ok(both) => both,
            Err(outcome) => return outcome,
        };
        let check = check_of(&spec);
        let snapshot = view.look_over(&Plan::telling(vec![check.wanted()], false), check.pace.window);
        let selection = select(&check.wanted(), &snapshot);
        let mut text = format!(
            "{:>7} {:<12} {:>1} {:>7} {:>7} {}\n",
            "PID", "USER", "S", "RSS", "AGE", "PROGRAM"
        );
        let unsure = selection
            .unknown
            .iter()
            .map(|(index, key, why)| (*index, Some((*key, *why))));
        let mut rows: Vec<_> = selection
            .matched
            .iter()
            .map(|index| (*index, None))
            .chain(unsure)
            .collect();
        rows.sort_by_key(|(index, _)| *index);
        for (index, doubt) in rows {
            let process = &snapshot.processes[index];
            let evidence = describe(process, &snapshot, &view);
            let stat = process.stat.value();
            let state = stat.map_or_else(|| "?".into(), |stat| escape::text(&[stat.state]));
            let rss = stat.map_or_else(String::new, |stat| {
                size(stat.rss.saturating_mul(snapshot.host.page_size))
            });
            let unit = evidence
                .unit
                .map(|unit| format!("  ({})", escape::text(&unit)))
                .unwrap_or_default();
            let doubt = doubt.map(|(key, why)| format!("  unsure: {} {}", key.name(), why.text()));
            let _ = writeln!(
                text,
                "{:>7} {:<12} {state} {rss:>7} {:>7} {}{unit}{}",
                evidence.pid,
                escape::text(evidence.user.unwrap_or_default().as_bytes()),
                evidence.age.map(age).unwrap_or_default(),
                escape::text(&evidence.program),
                escape::text(doubt.unwrap_or_default().as_bytes()),
            );
        }
        for gap in &snapshot.gaps {
            let _ = writeln!(text, "incomplete view: {}", escape::text(gap.text().as_bytes()));
        }
        Outcome::new(text, exit_of(&snapshot))
    }
}

/// Bytes for people: `812K`, `3.4M`.
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K")];
    for (unit, letter) in UNITS {
        if bytes >= unit {
            let tenths = u128::from(bytes) * 10 / u128::from(unit);
            return if tenths < 100 {
                format!("{}.{}{letter}", tenths / 10, tenths % 10)
            } else {
                format!("{}{letter}", tenths / 10)
            };
        }
    }
    format!("{bytes}B")
}

/// Seconds for people: `45s`, `12m`, `5h`, `3d`.
#[must_use]
pub fn age(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}
