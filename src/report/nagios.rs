//! The plugin API of Nagios and its heirs: `SERVICE STATE: text | perfdata`, then long text. All performance data
//! is on the first line, because Icinga does not read it from later ones.

use super::escape::without_bars;
use super::unique::unique;
use super::{Look, Perfdata, details, first_line};
use crate::judge::{Manner, Report, Verdict};
use crate::select::Range;
use std::collections::BTreeSet;

/// The whole output.
pub(super) fn render(report: &Report, look: &Look) -> String {
    let data = perfdata(report, look);
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
fn perfdata(report: &Report, look: &Look) -> String {
    let mut verdicts: Vec<&Verdict> = report.verdicts.iter().collect();
    verdicts.sort_by(|a, b| a.name.cmp(&b.name));
    // A label is that of the same check in every run, whatever is known and asked for in this one.
    let mut labels = BTreeSet::new();
    let own: Vec<String> = verdicts
        .iter()
        .map(|verdict| unique(&label(&verdict.name), "_", &mut labels))
        .collect();
    let mut data = String::new();
    for (verdict, label) in verdicts.into_iter().zip(own) {
        let mut of = |what: &str| unique(&format!("{label}_{what}"), "_", &mut labels);
        let (cpu, memory) = (of("cpu"), of("memory"));
        if verdict.unknown > 0 || verdict.manner == Manner::Faulty || verdict.manner == Manner::Unseen {
            continue;
        }
        let warning = verdict.warning.map(range).unwrap_or_default();
        let count = format!("{label}={};{warning};{};0", verdict.matched, range(verdict.count));
        let taken = taken(verdict, [&cpu, &memory], look.perfdata);
        let item = std::iter::once(count).chain(taken).collect::<Vec<_>>().join(" ");
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

/// `cron_cpu=1.42c cron_memory=1204224B`: what the processes take, where that is asked for and known.
fn taken(verdict: &Verdict, labels: [&str; 2], wanted: Perfdata) -> impl Iterator<Item = String> {
    let footprint = verdict.footprint.unwrap_or_default();
    let cpu = footprint.cpu.filter(|_| wanted.cpu);
    let memory = footprint.resident.filter(|_| wanted.memory);
    let [of_cpu, of_memory] = labels;
    let cpu = cpu.map(|time| format!("{of_cpu}={:.2}c", time.as_secs_f64()));
    cpu.into_iter()
        .chain(memory.map(|bytes| format!("{of_memory}={bytes}B")))
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
