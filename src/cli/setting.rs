//! `-v -v`: by what a run goes, for whoever wonders why it says what it says.

use super::watch::Watch;
use crate::judge::{Check, Item};
use crate::select::write_duration;
use rustix::process::geteuid;
use std::path::Path;

/// The lines.
pub(super) fn remarks(watch: &Watch<'_>, items: &[Item], state: Option<&Path>) -> Vec<String> {
    let limit = watch.notes.limit().map_or_else(
        || "any time".into(),
        |limit| format!("{:.1} s", limit.as_secs_f64()),
    );
    let again = write_duration(watch.window);
    let manner = if watch.pending {
        format!("a failure is pending for {again}, from run to run")
    } else {
        format!("what fails is looked at again for {again}")
    };
    let state = state.map_or_else(|| "none".into(), |path| path.display().to_string());
    let version = env!("CARGO_PKG_VERSION");
    let uid = geteuid().as_raw();
    let mut lines = vec![
        format!("run: procward {version} as uid {uid}; reads for at most {limit}; {manner}"),
        format!("run: state file: {state}"),
    ];
    lines.extend(items.iter().filter_map(|item| match item {
        Item::Check(check) => Some(of_check(check)),
        _ => None,
    }));
    lines
}

fn of_check(check: &Check) -> String {
    let mut line = format!(
        "check {}: {}, count {}",
        check.name, check.selector.text, check.count
    );
    if let Some(warning) = check.warning {
        line += &format!(", warning unless {warning}");
    }
    if let Some(recheck) = check.recheck {
        line += &format!(", recheck {}", write_duration(recheck));
    }
    for exception in &check.except {
        line += &format!(", except {}", exception.selector.text);
    }
    line
}
