//! For programs. These types are the format: they change only with `version`, whatever becomes of the others.

use super::{escape, zabbix};
use crate::judge::{Evidence, Report, State, Verdict};
use serde::Serialize;

#[derive(Serialize)]
struct Document {
    version: u32,
    state: &'static str,
    state_number: u8,
    seen: usize,
    vanished: usize,
    verdicts: Vec<OneVerdict>,
    skipped: Vec<Skipped>,
    remarks: Vec<String>,
}

#[derive(Serialize)]
struct OneVerdict {
    name: String,
    /// The name where no sign may be in it that has a meaning.
    key: String,
    state: &'static str,
    state_number: u8,
    manner: &'static str,
    matched: u64,
    /// None: the view may lack any number.
    unknown: Option<u64>,
    min: u64,
    max: Option<u64>,
    wants: String,
    processes: Vec<OneProcess>,
    unsure: Vec<OneProcess>,
    near: Vec<Near>,
    reasons: Vec<String>,
    remedies: Vec<String>,
    left_out: Vec<String>,
    unused_exceptions: Vec<String>,
    note: Option<String>,
    story: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    footprint: Option<Takes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    totals: Option<Counted>,
}

/// What the processes that match take together; null: not read, or it can't be.
#[derive(Serialize)]
struct Takes {
    zombies: u64,
    threads: Option<u64>,
    resident_bytes: Option<u64>,
    cpu_seconds: Option<f64>,
    open_fds: Option<u64>,
}

/// What was counted over all runs.
#[derive(Serialize)]
struct Counted {
    cpu_seconds: f64,
    starts: u64,
    exits: u64,
    state_changes: u64,
}

#[derive(Serialize)]
pub(super) struct OneProcess {
    pid: i32,
    program: String,
    name: String,
    user: Option<String>,
    age_seconds: Option<u64>,
    unit: Option<String>,
    container: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu: Option<Cpu>,
    doubt: Option<String>,
}

/// Percent of one core; what was measured between two looks only where there were two.
#[derive(Serialize)]
struct Cpu {
    #[serde(flatten)]
    rate: Option<Between>,
    life: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    over_limit_seconds: Option<u64>,
}

#[derive(Serialize)]
struct Between {
    now: f64,
    demand: f64,
    reaped: f64,
    window_seconds: f64,
}

#[derive(Serialize)]
struct Near {
    process: OneProcess,
    failed: Vec<FailedTerm>,
}

#[derive(Serialize)]
struct FailedTerm {
    wanted: String,
    found: String,
}

#[derive(Serialize)]
struct Skipped {
    name: String,
    key: String,
    state_number: u8,
    manner: &'static str,
    reason: String,
}

/// The number of the states is the exit code; this one is none of them.
const SKIPPED: u8 = 4;

/// The whole output: one line.
pub(super) fn render(report: &Report) -> String {
    let document = Document {
        version: 1,
        state: report.state.word(),
        state_number: report.state.number(),
        seen: report.seen,
        vanished: report.vanished,
        verdicts: report.verdicts.iter().map(verdict).collect(),
        skipped: report
            .skipped
            .iter()
            .map(|(name, reason)| Skipped {
                name: safe(name),
                key: zabbix::key(name),
                state_number: SKIPPED,
                manner: "skipped",
                reason: safe(reason),
            })
            .collect(),
        remarks: report.remarks.iter().map(|remark| safe(remark)).collect(),
    };
    written(&document)
}

fn written(document: &Document) -> String {
    // These types hold nothing that JSON cannot: the error is for maps with odd keys.
    serde_json::to_string(document).unwrap_or_else(|error| format!("{{\"version\":1,\"error\":\"{error}\"}}"))
        + "\n"
}

/// A report without verdicts: the run could not be finished.
pub(super) fn nothing() -> String {
    let document = Document {
        version: 1,
        state: State::Unknown.word(),
        state_number: State::Unknown.number(),
        seen: 0,
        vanished: 0,
        verdicts: Vec::new(),
        skipped: Vec::new(),
        remarks: Vec::new(),
    };
    written(&document)
}

/// A report that was written, with one more remark.
pub(super) fn with_remark(text: &str, remark: &str) -> String {
    let mut document: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    if let Some(remarks) = document
        .get_mut("remarks")
        .and_then(|remarks| remarks.as_array_mut())
    {
        remarks.push(remark.into());
    }
    document.to_string() + "\n"
}

fn safe(text: &str) -> String {
    escape::text(text.as_bytes())
}

fn all(texts: &[String]) -> Vec<String> {
    texts.iter().map(|text| safe(text)).collect()
}

fn verdict(verdict: &Verdict) -> OneVerdict {
    OneVerdict {
        name: safe(&verdict.name),
        key: zabbix::key(&verdict.name),
        state: verdict.state.word(),
        state_number: verdict.state.number(),
        manner: verdict.manner.word(),
        matched: verdict.matched,
        unknown: Some(verdict.unknown).filter(|unknown| *unknown < u64::MAX),
        min: verdict.count.min,
        max: verdict.count.max,
        wants: safe(&verdict.wants),
        processes: verdict.shown().iter().map(process).collect(),
        unsure: verdict.unsure.iter().map(process).collect(),
        near: verdict
            .near
            .iter()
            .map(|miss| Near {
                process: process(&miss.process),
                failed: miss
                    .failed
                    .iter()
                    .map(|failed| FailedTerm {
                        wanted: safe(&failed.wanted),
                        found: escape::text(&failed.found),
                    })
                    .collect(),
            })
            .collect(),
        reasons: all(&verdict.reasons),
        remedies: all(&verdict.remedies),
        left_out: all(&verdict.left_out),
        unused_exceptions: all(&verdict.unused),
        note: verdict.note.as_deref().map(safe),
        story: all(&verdict.story),
        footprint: verdict.footprint.map(|footprint| Takes {
            zombies: footprint.zombies,
            threads: footprint.threads,
            resident_bytes: footprint.resident,
            cpu_seconds: footprint.cpu.map(|time| time.as_secs_f64()),
            open_fds: footprint.fds,
        }),
        totals: verdict.totals.map(|totals| Counted {
            cpu_seconds: totals.cpu.as_secs_f64(),
            starts: totals.starts,
            exits: totals.exits,
            state_changes: totals.changes,
        }),
    }
}

pub(super) fn process(evidence: &Evidence) -> OneProcess {
    OneProcess {
        pid: evidence.pid,
        program: escape::text(&evidence.program),
        name: escape::text(&evidence.name),
        user: evidence.user.as_deref().map(safe),
        age_seconds: evidence.age,
        unit: evidence.unit.as_deref().map(escape::text),
        container: evidence.container.as_deref().map(escape::text),
        cpu: evidence.usage.map(|usage| Cpu {
            rate: usage.rate.map(|rate| Between {
                now: percent(rate.now),
                demand: percent(rate.demand),
                reaped: percent(rate.reaped),
                window_seconds: (rate.over.as_secs_f64() * 10.0).round() / 10.0,
            }),
            life: percent(usage.life),
            over_limit_seconds: evidence.lasts.map(|lasts| lasts.as_secs()),
        }),
        doubt: evidence.doubt.as_deref().map(safe),
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "tenths of a percent are far below 2^52"
)]
pub(super) fn percent(tenths: i64) -> f64 {
    tenths as f64 / 10.0
}
