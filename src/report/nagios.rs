//! The plugin API of Nagios and its heirs: `SERVICE STATE: text | perfdata`, then long text. All performance data
//! is on the first line, because Icinga does not read it from later ones.

use super::escape::without_bars;
use super::unique::unique;
use super::{Look, details, first_line};
use crate::judge::{Manner, Report, Verdict};
use crate::select::Range;
use std::collections::BTreeSet;

/// The whole output.
pub(super) fn render(report: &Report, look: &Look) -> String {
    let data = perfdata(report);
    let data = if data.is_empty() {
        String::new()
    } else {
        format!(" | {data}")
    };
    let line = format!(
        "PROCS {}: {}{data}",
        report.state.word(),
        without_bars(&first_line::text(report))
    );
    format!("{line}\n{}", without_bars(&details::text(report, look)))
}

/// A third of the whole at most; what does not fit is left out rather than cut.
const LIMIT: usize = super::LIMIT / 3;

/// `label=count;warning;critical;0`; what is not known for certain is left out.
fn perfdata(report: &Report) -> String {
    let mut labels = BTreeSet::new();
    let mut verdicts: Vec<&Verdict> = report.verdicts.iter().collect();
    verdicts.sort_by(|a, b| a.name.cmp(&b.name));
    let mut data = String::new();
    for verdict in verdicts {
        if verdict.unknown > 0 || verdict.manner == Manner::Faulty || verdict.manner == Manner::Unseen {
            continue;
        }
        let label = unique(&label(&verdict.name), "_", &mut labels);
        let warning = verdict.warning.map(range).unwrap_or_default();
        let item = format!("{label}={};{warning};{};0", verdict.matched, range(verdict.count));
        if data.len() + item.len() + 1 > LIMIT {
            break;
        }
        if !data.is_empty() {
            data.push(' ');
        }
        data += &item;
    }
    data
}

/// No quotes: Icinga does not unescape them, Perl's Monitoring::Plugin drops the item.
fn label(name: &str) -> String {
    let label: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "_.:/@-".contains(c) {
                c
            } else {
                '_'
            }
        })
        .take(60)
        .collect();
    if label.is_empty() { "_".into() } else { label }
}

/// A range as the plugin guidelines write it.
pub(super) fn range(range: Range) -> String {
    match (range.min, range.max) {
        (0, None) => String::new(),
        (0, Some(max)) => max.to_string(),
        (min, None) => format!("{min}:"),
        (min, Some(max)) => format!("{min}:{max}"),
    }
}
