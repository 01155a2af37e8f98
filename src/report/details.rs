//! The lines from the second on: what was found, what came close, why, what to do.

use super::{Look, diagnostic, escape};
use crate::judge::near::percent;
use crate::judge::{Evidence, Faulty, Manner, NearMiss, Report, State, Usage, Verdict};
use crate::select::names::file_name;
use crate::select::script::is_interpreter;
use std::fmt::Write;
use std::time::Duration;

/// All details of a report.
#[must_use]
pub(super) fn text(report: &Report, look: &Look) -> String {
    let mut text = String::new();
    for verdict in report
        .verdicts
        .iter()
        .filter(|verdict| verdict.state != State::Ok || look.verbose)
    {
        one(&mut text, verdict);
    }
    let fine = report
        .verdicts
        .iter()
        .filter(|verdict| verdict.state == State::Ok)
        .count();
    if fine > 0 && !look.verbose && report.state != State::Ok {
        let _ = writeln!(text, "{fine} other check{} ok", if fine == 1 { "" } else { "s" });
    }
    // What a check went through, an exception without use and what was left out matter beside an OK too.
    if !look.verbose {
        let passed = report.verdicts.iter().filter(|v| v.state == State::Ok);
        for (verdict, story) in passed.flat_map(|v| v.story.iter().map(move |story| (v, story))) {
            let now = match verdict.manner {
                Manner::Pending => "not told yet",
                _ => "ok now",
            };
            let line = format!("{}: {now}; {story}", verdict.name);
            let _ = writeln!(text, "{}", escape::text(line.as_bytes()));
        }
        for verdict in report.verdicts.iter().filter(|v| v.state == State::Ok) {
            beside_ok(&mut text, verdict);
        }
    }
    for (name, reason) in &report.skipped {
        let _ = writeln!(
            text,
            "{}",
            escape::text(format!("{name}: skipped, {reason}").as_bytes())
        );
    }
    for remark in &report.remarks {
        let _ = writeln!(text, "{}", escape::text(remark.as_bytes()));
    }
    if report.vanished > 0 && (look.verbose || report.state == State::Unknown) {
        let _ = writeln!(
            text,
            "{} of {} processes went away while they were read",
            report.vanished, report.seen
        );
    }
    text
}

fn beside_ok(text: &mut String, verdict: &Verdict) {
    let left_out =
        (!verdict.left_out.is_empty()).then(|| format!("left out {}", verdict.left_out.join(", ")));
    for line in left_out
        .into_iter()
        .chain(verdict.unused.iter().map(|unused| useless(unused)))
    {
        let line = format!("{}: {line}", verdict.name);
        let _ = writeln!(text, "{}", escape::text(line.as_bytes()));
    }
}

fn useless(exception: &str) -> String {
    format!("the exception {exception} matched no process")
}

/// The details of one verdict.
pub(super) fn of(verdict: &Verdict) -> String {
    let mut text = String::new();
    one(&mut text, verdict);
    text
}

fn one(text: &mut String, verdict: &Verdict) {
    let name = escape::text(verdict.name.as_bytes());
    if let Some(faulty) = &verdict.faulty {
        let _ = writeln!(text, "{name}: faulty, not checked");
        faults(text, faulty);
        return;
    }
    let wants = escape::text(verdict.wants.as_bytes());
    let may = if verdict.state == State::Warning {
        ", may be critical"
    } else {
        ""
    };
    let may = if verdict.unknown > 0 { may } else { "" };
    let warning = verdict
        .warning
        .map(|range| format!(", warning unless {}", range.words()));
    let warning = warning.unwrap_or_default();
    let story: String = verdict
        .story
        .iter()
        .map(|line| format!("; {}", escape::text(line.as_bytes())))
        .collect();
    let _ = writeln!(
        text,
        "{name}: {}; want {wants}{warning}{may}{story}",
        number(verdict)
    );
    for evidence in verdict.shown() {
        let _ = writeln!(text, "  {}", process(evidence));
    }
    let told = verdict.shown().len() as u64;
    if told > 0 && verdict.matched > told {
        let _ = writeln!(text, "  and {} more", verdict.matched - told);
    }
    for evidence in &verdict.unsure {
        let _ = writeln!(text, "  unsure: {}", process(evidence));
    }
    for miss in &verdict.near {
        let _ = writeln!(text, "  nearest: {}", near(miss));
    }
    let lists = [
        ("why", &verdict.reasons),
        ("remedy", &verdict.remedies),
        ("left out", &verdict.left_out),
    ];
    for (title, lines) in lists {
        for line in lines {
            let _ = writeln!(text, "  {title}: {}", escape::text(line.as_bytes()));
        }
    }
    for exception in &verdict.unused {
        let _ = writeln!(text, "  {}", escape::text(useless(exception).as_bytes()));
    }
    if let Some(note) = verdict.note.as_ref().filter(|_| verdict.state != State::Ok) {
        let _ = writeln!(text, "  note: {}", escape::text(note.as_bytes()));
    }
}

/// The faults of what is not checked, below its name.
pub(super) fn faults(text: &mut String, faulty: &Faulty) {
    let rendered = diagnostic::render_all(faulty, escape::text);
    for line in rendered.lines().filter(|line| !line.is_empty()) {
        let _ = writeln!(text, "  {line}");
    }
}

/// `no process`, `7 processes`, `2 to 5 processes`, `none seen, any number may be hidden`.
#[must_use]
pub(super) fn number(verdict: &Verdict) -> String {
    match (verdict.matched, verdict.unknown) {
        (0, u64::MAX) => "none seen, any number may be hidden".into(),
        (n, u64::MAX) => format!("{n} seen, any number may be hidden"),
        (0, 0) => "no process".into(),
        (1, 0) => "1 process".into(),
        (n, 0) => format!("{n} processes"),
        (n, u) => format!("{n} to {} processes", n.saturating_add(u)),
    }
}

/// One process, with what is known of it.
pub(super) fn process(evidence: &Evidence) -> String {
    let mut facts = Vec::new();
    facts.extend(
        own_name(evidence).map(|name| format!("called {}", escape::text(name).replace('|', "\\x7c"))),
    );
    facts.extend(evidence.user.as_ref().map(|user| escape::text(user.as_bytes())));
    facts.extend(evidence.age.map(|age| format!("up {}", age_words(age))));
    facts.extend(evidence.usage.map(usage));
    facts.extend(evidence.lasts.map(|lasts| lasting(lasts, evidence.age)));
    facts.extend(evidence.unit.as_ref().map(|unit| escape::text(unit)));
    facts.extend(
        evidence
            .container
            .as_ref()
            .map(|id| format!("container {}", short(&escape::text(id)))),
    );
    facts.extend(
        evidence
            .doubt
            .as_ref()
            .map(|doubt| escape::text(doubt.as_bytes())),
    );
    let facts = if facts.is_empty() {
        String::new()
    } else {
        format!(" ({})", facts.join(", "))
    };
    format!("pid {} {}{facts}", evidence.pid, escape::text(&evidence.program))
}

/// What a process calls itself, where its program tells nothing of what it does. It may change, so it is a detail.
fn own_name(evidence: &Evidence) -> Option<&[u8]> {
    let file = file_name(&evidence.program);
    let general = is_interpreter(file) || file == b"busybox";
    let telling =
        !evidence.name.is_empty() && !file.starts_with(&evidence.name) && !is_interpreter(&evidence.name);
    (general && telling && evidence.program.starts_with(b"/")).then_some(&evidence.name)
}

/// `97.0% CPU over the last 60 s, wants 99.8%, 3.1% over its life`; what children used that ended is told apart.
fn usage(usage: Usage) -> String {
    let life = percent(usage.life);
    let Some(rate) = usage.rate else {
        return format!("{life} CPU over its life");
    };
    let seconds = (rate.over.as_millis() + 500) / 1000;
    let mut text = format!("{} CPU over the last {seconds} s", percent(rate.now));
    if rate.reaped >= 10 {
        text += &format!(", {} of it by children that ended", percent(rate.reaped));
    }
    if rate.demand > rate.now + 50 {
        text += &format!(", wants {}", percent(rate.demand));
    }
    text + &format!(", {life} over its life")
}

/// For how long it is a finding already; longer than it lives where it was started in another one's place.
fn lasting(lasts: Duration, age: Option<u64>) -> String {
    let seconds = lasts.as_secs();
    let before = if age.is_some_and(|age| age + 1 < seconds) {
        " with those before it"
    } else {
        ""
    };
    format!("over the limit for {}{before}", age_words(seconds))
}

fn near(miss: &NearMiss) -> String {
    let failed: Vec<String> = miss
        .failed
        .iter()
        .map(|failed| {
            format!(
                "want {}, found {}",
                escape::text(failed.wanted.as_bytes()),
                escape::text(&failed.found)
            )
        })
        .collect();
    format!(
        "pid {} {}: {}",
        miss.process.pid,
        escape::text(&miss.process.program),
        failed.join("; ")
    )
}

fn short(id: &str) -> String {
    id.chars().take(12).collect()
}

/// `45s`, `12m`, `5h 10m`, `3d 4h`.
fn age_words(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h {}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d {}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}
