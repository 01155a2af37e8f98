//! Prometheus' text format 0.0.4, as node_exporter's textfile collector reads it: each family once, no timestamps. A
//! label is the name of a check or a word of ours, never what a process chooses.

use super::escape;
use crate::judge::{Footprint, Report, Run, State, Verdict};
use crate::memory::totals::Totals;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

/// The whole output.
pub(super) fn render(report: &Report) -> String {
    let mut text = about_procward();
    if let Some(run) = report.run {
        family(
            &mut text,
            "procward_last_scan_timestamp_seconds",
            "When the checks were judged the last time, in seconds since 1970.",
            [(String::new(), seconds(run.at))],
        );
        family(
            &mut text,
            "procward_scan_duration_seconds",
            "How long that took, with waiting for what may be a restart.",
            [(String::new(), seconds(run.took))],
        );
    }
    family(
        &mut text,
        "procward_processes",
        "Processes that were seen.",
        [(String::new(), report.seen.to_string())],
    );
    state_of_all(&mut text, report.state);
    family(
        &mut text,
        "procward_rules_skipped",
        "Checks left out by their condition.",
        [(String::new(), report.skipped.len().to_string())],
    );
    unreadable(&mut text, report);
    let rules = labelled(report);
    of_rules(&mut text, &rules);
    of_footprints(&mut text, &rules, report.run);
    of_totals(&mut text, &rules, report.run);
    text
}

/// Of how many processes some check could not be told; none where the view may lack any number of them.
fn unreadable(text: &mut String, report: &Report) {
    let all: BTreeSet<i32> = report
        .verdicts
        .iter()
        .flat_map(|verdict| verdict.undecided.iter().copied())
        .collect();
    let known = report.verdicts.iter().all(|verdict| verdict.unknown < u64::MAX);
    family(
        text,
        "procward_unreadable_processes",
        "Processes of which some check could not be told.",
        known.then(|| (String::new(), all.len().to_string())),
    );
}

/// A run that could not be finished.
pub(super) fn nothing() -> String {
    let mut text = about_procward();
    state_of_all(&mut text, State::Unknown);
    text
}

/// A remark, where no reader of metrics minds it.
pub(super) fn with_remark(text: &str, remark: &str) -> String {
    format!("# procward: {remark}\n{text}")
}

fn about_procward() -> String {
    let mut text = String::new();
    let version = format!("{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"));
    family(
        &mut text,
        "procward_build_info",
        "Which procward wrote this.",
        [(version, "1".into())],
    );
    text
}

fn state_of_all(text: &mut String, state: State) {
    family(
        text,
        "procward_state",
        "The worst state of all checks: 0 ok, 1 warning, 2 critical, 3 unknown.",
        [(String::new(), state.number().to_string())],
    );
}

/// The checks, each with its label.
type Rules<'a> = [(String, &'a Verdict)];

/// One family with a sample of each check that has a value. Counters have names that end so.
fn each(
    text: &mut String,
    rules: &Rules<'_>,
    name: &str,
    help: &str,
    value: &dyn Fn(&Verdict) -> Option<String>,
) {
    let samples = rules
        .iter()
        .filter_map(|(rule, verdict)| Some((format!("{{rule=\"{rule}\"}}"), value(verdict)?)));
    family(text, name, help, samples);
}

/// What the processes that match take together.
fn of_footprints(text: &mut String, rules: &Rules<'_>, run: Option<Run>) {
    type Part = (&'static str, &'static str, fn(&Footprint) -> Option<u64>);
    const PARTS: [Part; 4] = [
        (
            "procward_rule_zombies",
            "Zombies that would match.",
            |footprint| Some(footprint.zombies),
        ),
        (
            "procward_rule_threads",
            "Threads of the processes that match.",
            |footprint| footprint.threads,
        ),
        (
            "procward_rule_resident_memory_bytes",
            "Resident memory of the processes that match; what they share counts for each.",
            |footprint| footprint.resident,
        ),
        (
            "procward_rule_open_fds",
            "Open file descriptors of the processes that match; absent where they can't be read.",
            |footprint| footprint.fds,
        ),
    ];
    let certain = |verdict: &Verdict| verdict.footprint.filter(|_| verdict.unknown == 0);
    for (name, help, part) in PARTS {
        each(text, rules, name, help, &|verdict| {
            certain(verdict)
                .as_ref()
                .and_then(part)
                .map(|part| part.to_string())
        });
    }
    let Some(run) = run else { return };
    each(
        text,
        rules,
        "procward_rule_oldest_start_time_seconds",
        "When the oldest process that matches was started, in seconds since 1970.",
        &|verdict| {
            let started = i128::try_from(run.booted.as_nanos()).ok()? + certain(verdict)?.oldest?;
            Some(seconds(Duration::from_nanos(u64::try_from(started).ok()?)))
        },
    );
}

/// What was counted over all runs, where a state file remembers them.
fn of_totals(text: &mut String, rules: &Rules<'_>, run: Option<Run>) {
    type Count = (&'static str, &'static str, fn(&Totals) -> String);
    const COUNTS: [Count; 4] = [
        (
            "procward_rule_cpu_seconds_total",
            "CPU time of the processes that matched, also of those that are gone.",
            |totals| seconds(totals.cpu),
        ),
        (
            "procward_rule_starts_total",
            "Processes that began to match.",
            |totals| totals.starts.to_string(),
        ),
        (
            "procward_rule_exits_total",
            "Processes that ceased to match.",
            |totals| totals.exits.to_string(),
        ),
        (
            "procward_rule_state_changes_total",
            "How often the state was another one than in the run before.",
            |totals| totals.changes.to_string(),
        ),
    ];
    for (name, help, count) in COUNTS {
        each(text, rules, name, help, &|verdict| {
            verdict.totals.as_ref().map(count)
        });
    }
    let Some(run) = run else { return };
    each(
        text,
        rules,
        "procward_rule_last_change_timestamp_seconds",
        "When the state was another one the last time, in seconds since 1970.",
        &|verdict| {
            let at = verdict.totals?.changed_at?;
            Some(seconds(run.booted.saturating_add(Duration::from_secs(at))))
        },
    );
}

fn of_rules(text: &mut String, rules: &Rules<'_>) {
    let mut each = |name: &str, help: &str, value: &dyn Fn(&Verdict) -> Option<u64>| {
        each(text, rules, name, help, &|verdict| {
            Some(value(verdict)?.to_string())
        });
    };
    let judged = |verdict: &Verdict| verdict.faulty.is_none();
    each(
        "procward_rule_state",
        "The state of a check: 0 ok, 1 warning, 2 critical, 3 unknown.",
        &|verdict| Some(verdict.state.number().into()),
    );
    each(
        "procward_rule_processes",
        "Processes that match; absent where that is not certain.",
        &|verdict| (judged(verdict) && verdict.unknown == 0).then_some(verdict.matched),
    );
    each(
        "procward_rule_processes_min",
        "How many must match.",
        &|verdict| judged(verdict).then_some(verdict.count.min),
    );
    each(
        "procward_rule_processes_max",
        "How many may match; absent where any number may.",
        &|verdict| verdict.count.max.filter(|_| judged(verdict)),
    );
    let severities = rules.iter().filter_map(|(rule, verdict)| {
        let severity = verdict.severity?.word().to_ascii_lowercase();
        Some((
            format!("{{rule=\"{rule}\",severity=\"{severity}\"}}"),
            "1".to_owned(),
        ))
    });
    family(
        text,
        "procward_rule_info",
        "How bad a failure of the check is.",
        severities,
    );
}

/// One family, if it has a sample: a counter by its name, as promtool wants it, else a gauge.
fn family(text: &mut String, name: &str, help: &str, samples: impl IntoIterator<Item = (String, String)>) {
    let mut samples = samples.into_iter().peekable();
    if samples.peek().is_some() {
        // Writing to a string does not fail.
        let kind = if name.ends_with("_total") {
            "counter"
        } else {
            "gauge"
        };
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }
    for (labels, value) in samples {
        let _ = writeln!(text, "{name}{labels} {value}");
    }
}

fn seconds(time: Duration) -> String {
    format!("{}.{:03}", time.as_secs(), time.subsec_millis())
}

/// The checks in the order of their names, each with a label of its own: where two had the same, node_exporter would
/// drop one of them, or the whole file.
fn labelled(report: &Report) -> Vec<(String, &Verdict)> {
    let mut verdicts: Vec<&Verdict> = report.verdicts.iter().collect();
    verdicts.sort_by(|a, b| a.name.cmp(&b.name));
    let mut taken = BTreeSet::new();
    let own = |verdict: &Verdict| {
        let first = label(&verdict.name);
        let mut name = first.clone();
        let mut number = 2;
        while !taken.insert(name.clone()) {
            name = format!("{first} ({number})");
            number += 1;
        }
        name
    };
    let labels: Vec<String> = verdicts.iter().copied().map(own).collect();
    labels.into_iter().zip(verdicts).collect()
}

/// A label's value between its quotes: `\\`, `\"` and `\n` are the only escapes of the format; other control characters
/// are told as elsewhere.
fn label(name: &str) -> String {
    let safe = |line: &str| {
        escape::text(line.as_bytes())
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
    };
    name.split('\n').map(safe).collect::<Vec<_>>().join("\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{host, process, verdict};

    fn named(name: &str, spec: &str) -> Verdict {
        let host = host(vec![process(10, "cron"), process(11, "in.telnetd")]);
        Verdict {
            name: name.into(),
            ..verdict(spec, &host)
        }
    }

    fn report(verdicts: Vec<Verdict>) -> Report {
        Report {
            run: Some(Run {
                at: Duration::from_millis(1_700_000_000_007),
                took: Duration::from_millis(1050),
                booted: Duration::from_secs(1_699_990_000),
            }),
            ..crate::judge::assemble(verdicts, vec![("x".into(), "y".into())], &host(vec![]))
        }
    }

    #[test]
    fn every_family_has_one_head_and_no_sample_has_a_timestamp() {
        let mut unsure = named("unsure", "sshd:1");
        (unsure.unknown, unsure.state) = (3, State::Unknown);
        let mut cron = named("cron", "cron:1-");
        cron.totals = Some(Totals {
            cpu: Duration::from_millis(1500),
            starts: 2,
            exits: 1,
            changes: 4,
            changed_at: Some(9000),
        });
        let verdicts = vec![cron, named("telnetd", "in.telnetd:0"), unsure];
        let text = render(&report(verdicts));
        let version = env!("CARGO_PKG_VERSION");
        let samples: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            samples.join("\n"),
            format!(
                "procward_build_info{{version=\"{version}\"}} 1
procward_last_scan_timestamp_seconds 1700000000.007
procward_scan_duration_seconds 1.050
procward_processes 1
procward_state 2
procward_rules_skipped 1
procward_unreadable_processes 0
procward_rule_state{{rule=\"cron\"}} 0
procward_rule_state{{rule=\"telnetd\"}} 2
procward_rule_state{{rule=\"unsure\"}} 3
procward_rule_processes{{rule=\"cron\"}} 1
procward_rule_processes{{rule=\"telnetd\"}} 1
procward_rule_processes_min{{rule=\"cron\"}} 1
procward_rule_processes_min{{rule=\"telnetd\"}} 0
procward_rule_processes_min{{rule=\"unsure\"}} 1
procward_rule_processes_max{{rule=\"telnetd\"}} 0
procward_rule_processes_max{{rule=\"unsure\"}} 1
procward_rule_info{{rule=\"cron\",severity=\"critical\"}} 1
procward_rule_info{{rule=\"telnetd\",severity=\"critical\"}} 1
procward_rule_info{{rule=\"unsure\",severity=\"critical\"}} 1
procward_rule_zombies{{rule=\"cron\"}} 0
procward_rule_zombies{{rule=\"telnetd\"}} 0
procward_rule_threads{{rule=\"cron\"}} 1
procward_rule_threads{{rule=\"telnetd\"}} 1
procward_rule_resident_memory_bytes{{rule=\"cron\"}} 0
procward_rule_resident_memory_bytes{{rule=\"telnetd\"}} 0
procward_rule_open_fds{{rule=\"cron\"}} 3
procward_rule_open_fds{{rule=\"telnetd\"}} 3
procward_rule_oldest_start_time_seconds{{rule=\"cron\"}} 1699990010.000
procward_rule_oldest_start_time_seconds{{rule=\"telnetd\"}} 1699990010.000
procward_rule_cpu_seconds_total{{rule=\"cron\"}} 1.500
procward_rule_starts_total{{rule=\"cron\"}} 2
procward_rule_exits_total{{rule=\"cron\"}} 1
procward_rule_state_changes_total{{rule=\"cron\"}} 4
procward_rule_last_change_timestamp_seconds{{rule=\"cron\"}} 1699999000.000"
            )
        );
        let counters = text.lines().filter(|line| line.ends_with(" counter")).count();
        assert_eq!(counters, 4);
        for kind in ["# HELP ", "# TYPE "] {
            let heads = text.lines().filter_map(|line| line.strip_prefix(kind));
            let names: Vec<&str> = heads.filter_map(|head| head.split(' ').next()).collect();
            assert_eq!(names.len(), 22, "{text}");
            assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        }
        assert!(text.ends_with('\n'));
    }

    #[test]
    fn an_instant_that_a_damaged_state_file_tells_of_is_no_panic() {
        let mut cron = named("cron", "cron:1-");
        cron.totals = Some(Totals {
            changed_at: Some(u64::MAX),
            ..Totals::default()
        });
        let text = render(&report(vec![cron]));
        let changed = "procward_rule_last_change_timestamp_seconds{rule=\"cron\"} 18446744073709551615.999\n";
        assert!(text.ends_with(changed), "{text}");
    }

    #[test]
    fn a_label_has_the_escapes_of_the_format_and_no_others() {
        assert_eq!(label("a\\b\"c\nd"), r#"a\\b\"c\nd"#);
        assert_eq!(label("\x1b{}=,\u{202e}"), r"\\x1b{}=,\\u{202e}");
        assert_eq!(label("\n"), r"\n");
    }

    #[test]
    fn names_that_would_have_one_label_have_two() {
        let verdicts = vec![named("\x1b", "cron:1"), named("\\x1b", "cron:1")];
        let labels: Vec<String> = labelled(&report(verdicts))
            .into_iter()
            .map(|(label, _)| label)
            .collect();
        assert_eq!(labels, [r"\\x1b", r"\\x1b (2)"]);
    }
}
