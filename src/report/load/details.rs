//! The lines from the second on: the numbers, and who is to blame.

use super::MINUTES;
use crate::judge::near::percent;
use crate::load::Report;
use crate::load::blame::{Asleep, Blame, Blocked, Hidden};
use crate::load::verdict::{Load, Memory};
use crate::report::details::process;
use crate::report::escape;
use crate::snapshot::gauges::RESOURCES;
use crate::snapshot::{Bytes, Fact, Pressure, Why};
use rustix::io::Errno;
use std::fmt::Write;

/// So many wait channels are named in one line.
const CHANNELS: usize = 5;

/// All details of a report.
pub(super) fn text(report: &Report) -> String {
    let mut text = String::new();
    load(&mut text, &report.load);
    if let Some(used) = &report.memory {
        memory(&mut text, used);
    }
    if let Some(blame) = &report.blame {
        blamed(&mut text, blame);
    }
    for remark in &report.remarks {
        let _ = writeln!(text, "{}", escape::text(remark.as_bytes()));
    }
    text
}

fn load(text: &mut String, load: &Load) {
    let wants = load.limits.each_ref().map(|limit| limit.text.as_str()).join(" ");
    let wants = escape::text(wants.as_bytes());
    let found = match &load.found {
        Ok(found) => found,
        Err(why) => return unseen(text, "load", "loadavg", *why, &wants),
    };
    let averages = found.averages.map(|average| format!("{average:.2}")).join(" ");
    let high: Vec<String> = MINUTES
        .iter()
        .zip(load.high)
        .filter(|(_, high)| *high)
        .map(|(minutes, _)| format!("load{minutes}"))
        .collect();
    let high = if high.is_empty() {
        String::new()
    } else {
        format!(", too high: {}", high.join(" "))
    };
    let _ = write!(
        text,
        "load: {averages} over 1, 5 and 15 minutes; want at most {wants}{high}"
    );
    if let Some((running, all)) = found.tasks {
        let _ = write!(text, "; {running} of {all} tasks run or wait for a core now");
    }
    text.push('\n');
}

fn memory(text: &mut String, memory: &Memory) {
    let name = memory.measure.word();
    let wants = escape::text(format!("{}%", memory.limit.text).as_bytes());
    match memory.found {
        Ok(used) => {
            let _ = writeln!(
                text,
                "{name}: {:.1}% of {} in use; want at most {wants}",
                used.percent,
                size(used.total)
            );
        }
        Err(why) => unseen(text, name, "meminfo", why, &wants),
    }
}

fn unseen(text: &mut String, name: &str, file: &str, why: Why, wants: &str) {
    let _ = writeln!(text, "{name}: can't be told; want at most {wants}");
    let _ = writeln!(text, "  why: {file}: {}", escape::text(why.text().as_bytes()));
    let remedy = match why {
        Why::Errno(errno) if errno == Errno::NOENT.raw_os_error() => {
            "look at a proc file system that shows more than processes: one mounted with subset=pid does not"
        }
        Why::Denied => "let procward read the file: it is open to all where /proc is mounted as usual",
        Why::NoAnswer => "look at who serves the file: lxcfs in a container",
        Why::Absent => "take a snapshot with this version of procward",
        _ => return,
    };
    let _ = writeln!(text, "  remedy: {remedy}");
}

fn blamed(text: &mut String, blame: &Blame) {
    blocked(text, &blame.blocked);
    by_cpu(text, blame);
    let _ = writeln!(text, "most memory (resident):");
    for (who, held) in &blame.memory {
        let share = held
            .percent
            .map_or_else(String::new, |share| format!("{share:.1}% "));
        let _ = writeln!(text, "  {share}{} {}", size(held.bytes), process(who));
    }
    if blame.memory.is_empty() {
        let _ = writeln!(text, "  no process holds 2% or more");
    }
    pressure(text, &blame.pressure);
    by_cgroup(text, blame);
}

fn blocked(text: &mut String, blocked: &Blocked) {
    let _ = write!(text, "in state D (uninterruptible sleep, which counts as load): ");
    match (blocked.tasks, blocked.count) {
        (0, _) => text.push_str("nothing"),
        (1, _) => text.push_str("1 task"),
        (tasks, count) => {
            let _ = write!(
                text,
                "{tasks} tasks in {count} process{}",
                if count == 1 { "" } else { "es" }
            );
        }
    }
    if blocked.tasks > 1 && !blocked.channels.is_empty() {
        let told: Vec<String> = blocked
            .channels
            .iter()
            .take(CHANNELS)
            .map(|(channel, tasks)| format!("{tasks} at {}", escape::text(channel)))
            .collect();
        let _ = write!(text, "; {}", told.join(", "));
    }
    text.push('\n');
    for (who, asleep) in &blocked.processes {
        let _ = writeln!(text, "  {}: {}", process(who), how(asleep));
    }
    if blocked.count > blocked.processes.len() {
        let _ = writeln!(text, "  and {} more", blocked.count - blocked.processes.len());
    }
    match blocked.hidden {
        Some(Hidden::ForRights) => {
            text.push_str("  wait channels of others' processes are shown to root and to CAP_SYS_PTRACE\n");
        }
        Some(Hidden::ByKernel) => text.push_str("  the kernel does not tell all wait channels\n"),
        None => {}
    }
    if blocked.cut {
        text.push_str("  there are too many threads to look at all of them\n");
    }
}

fn how(asleep: &Asleep) -> String {
    let mut parts = Vec::new();
    if asleep.threads > 1 {
        parts.push(format!("{} of {} threads", asleep.tasks, asleep.threads));
    }
    let mut channels: Vec<String> = asleep
        .channels
        .iter()
        .take(CHANNELS)
        .map(|channel: &Bytes| escape::text(channel))
        .collect();
    if asleep.hidden {
        channels.push("a hidden wait channel".into());
    }
    if channels.is_empty() {
        parts.push("wait channel not told".into());
    } else {
        parts.push(format!("at {}", channels.join(", ")));
    }
    parts.join(", ")
}

fn by_cpu(text: &mut String, blame: &Blame) {
    let Some(window) = blame.window else {
        text.push_str("most CPU: not told, for a copied /proc or a snapshot is one look\n");
        return;
    };
    let _ = writeln!(text, "most CPU over {:.1} s, of one core:", window.as_secs_f64());
    for (who, rate) in &blame.cpu {
        let _ = write!(text, "  {} {}", percent(rate.now), process(who));
        if rate.reaped >= 10 {
            let _ = write!(text, ", {} of it by children that ended", percent(rate.reaped));
        }
        text.push('\n');
    }
    if blame.cpu.is_empty() {
        text.push_str("  no process uses 5% or more\n");
    }
}

fn pressure(text: &mut String, pressure: &[Fact<Pressure>; 3]) {
    let why = |of: &Fact<Pressure>| match of {
        Fact::Unreadable(why) => why.text(),
        _ => Why::Absent.text(),
    };
    if let [a, b, c] = pressure
        && [a, b, c].iter().all(|of| of.value().is_none())
    {
        let _ = writeln!(
            text,
            "pressure: not told: {} (the kernel tells it since 4.20, where it is booted with psi=1)",
            escape::text(why(a).as_bytes())
        );
        return;
    }
    text.push_str("pressure, part of the time in which some task waited, over 10, 60 and 300 s:\n");
    for (resource, of) in RESOURCES.iter().zip(pressure) {
        let Fact::Value(of) = of else {
            let _ = writeln!(
                text,
                "  {resource}: not told: {}",
                escape::text(why(of).as_bytes())
            );
            continue;
        };
        let some = of.some;
        let _ = write!(
            text,
            "  {resource} {:.1}% {:.1}% {:.1}%",
            some.avg10, some.avg60, some.avg300
        );
        if let Some(full) = of.full.filter(|full| full.avg10 >= 0.05) {
            let _ = write!(text, " (all tasks {:.1}%)", full.avg10);
        }
        text.push('\n');
    }
}

fn by_cgroup(text: &mut String, blame: &Blame) {
    match &blame.cgroups {
        Fact::Value(cgroups) if cgroups.is_empty() => {
            text.push_str("pressure by cgroup: none has 1% or more\n");
        }
        Fact::Value(cgroups) => {
            text.push_str("pressure by cgroup, over 10 s:\n");
            for pressed in cgroups {
                let path = escape::text(&pressed.path);
                let _ = writeln!(text, "  {} {:.1}% {path}", pressed.resource, pressed.avg10);
            }
        }
        Fact::Unreadable(why) => {
            let why = escape::text(why.text().as_bytes());
            let _ = writeln!(text, "pressure by cgroup: not told: {why}");
        }
        Fact::NotAsked | Fact::NotApplicable => {
            text.push_str("pressure by cgroup: not told: no cgroup2 file system is mounted here\n");
        }
    }
}

/// `512.0 MiB`.
#[allow(clippy::cast_precision_loss, reason = "bytes of memory are far below 2^52")]
fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 4] = [
        (1 << 40, "TiB"),
        (1 << 30, "GiB"),
        (1 << 20, "MiB"),
        (1 << 10, "KiB"),
    ];
    let (unit, word) = UNITS
        .into_iter()
        .find(|(unit, _)| bytes >= *unit)
        .unwrap_or((1 << 10, "KiB"));
    format!("{:.1} {word}", bytes as f64 / unit as f64)
}
