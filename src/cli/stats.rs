//! `--stats`: what the run cost, for whoever wonders.

use super::view::View;
use crate::deadline::Notes;
use crate::report::escape;
use crate::source::tally;
use std::fmt::Write;

/// The lines; none where nobody asked.
pub(super) fn remarks(view: &View, notes: Notes) -> Vec<String> {
    let Some(tally) = tally::so_far() else {
        return Vec::new();
    };
    let time = |time: std::time::Duration| format!("{:.1} ms", time.as_secs_f64() * 1000.0);
    let looks = if tally.looks == 1 { "look" } else { "looks" };
    let mut files = format!("cost: {} files and links read", tally.files.values().sum::<u64>());
    for (number, (name, count)) in tally.files.iter().enumerate() {
        let before = if number == 0 { ": " } else { ", " };
        // Writing to a string does not fail.
        let _ = write!(files, "{before}{count} {name}");
    }
    vec![
        format!(
            "cost: {} processes listed in {} {looks} at {}",
            tally.listed,
            tally.looks,
            escape::text(view.source().as_bytes()),
        ),
        format!("{files}; {} bytes", tally.bytes),
        format!(
            "cost: {} of CPU, {} from start to end, besides what starting and watching this took",
            time(tally::cpu()),
            time(notes.started().elapsed()),
        ),
    ]
}
