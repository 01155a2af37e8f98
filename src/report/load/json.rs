//! For programs; docs/load.schema.json. These types are the format: they change only with `version`.

use crate::judge::{Evidence, Rate, State};
use crate::load::blame::{Asleep, Blame, Hidden};
use crate::load::{Report, verdict};
use crate::report::escape;
use crate::report::json::{OneProcess, percent, process};
use crate::snapshot::{Fact, Pressure, Stall, Why};
use serde::Serialize;

#[derive(Serialize)]
struct Document {
    version: u32,
    state: &'static str,
    load: Option<Load>,
    memory: Option<Memory>,
    blame: Option<Blamed>,
    remarks: Vec<String>,
}

#[derive(Serialize)]
struct Load {
    state: &'static str,
    averages: Option<[f64; 3]>,
    limits: [f64; 3],
    /// Which of the averages are over their limits.
    high: [bool; 3],
    tasks_running: Option<u64>,
    tasks: Option<u64>,
    reason: Option<String>,
}

#[derive(Serialize)]
struct Memory {
    state: &'static str,
    measure: &'static str,
    used_percent: Option<f64>,
    total_bytes: Option<u64>,
    limit_percent: f64,
    reason: Option<String>,
}

#[derive(Serialize)]
struct Blamed {
    blocked: Blocked,
    /// None: there was one look only.
    window_seconds: Option<f64>,
    cpu: Vec<ByCpu>,
    memory: Vec<ByMemory>,
    pressure: Pressures,
    /// None: there is no cgroup2 file system that tells, or it can't be read.
    cgroups: Option<Vec<Pressed>>,
}

#[derive(Serialize)]
struct Blocked {
    tasks: u64,
    processes_in_all: usize,
    processes: Vec<InD>,
    channels: Vec<Channel>,
    /// Why wait channels are not told, `rights` or `kernel`.
    hidden: Option<&'static str>,
    /// Whether there were too many threads to look at.
    cut: bool,
}

#[derive(Serialize)]
struct InD {
    process: OneProcess,
    tasks: u64,
    threads: u64,
    channels: Vec<String>,
    hidden: bool,
}

#[derive(Serialize)]
struct Channel {
    name: String,
    tasks: u64,
}

#[derive(Serialize)]
struct ByCpu {
    process: OneProcess,
    percent: f64,
    /// The part of children that ended and were waited for.
    reaped_percent: f64,
}

#[derive(Serialize)]
struct ByMemory {
    process: OneProcess,
    bytes: u64,
    percent: Option<f64>,
}

#[derive(Serialize)]
struct Pressures {
    cpu: Option<OnePressure>,
    io: Option<OnePressure>,
    memory: Option<OnePressure>,
}

#[derive(Serialize)]
struct OnePressure {
    some: OneStall,
    full: Option<OneStall>,
}

#[derive(Serialize)]
struct OneStall {
    avg10: f64,
    avg60: f64,
    avg300: f64,
}

#[derive(Serialize)]
struct Pressed {
    cgroup: String,
    resource: &'static str,
    avg10: f64,
}

/// The whole output: one line.
pub(super) fn render(report: &Report) -> String {
    written(&Document {
        version: 1,
        state: report.state.word(),
        load: Some(load(&report.load)),
        memory: report.memory.as_ref().map(memory),
        blame: report.blame.as_ref().map(blame),
        remarks: report.remarks.iter().map(|remark| safe(remark)).collect(),
    })
}

/// The run could not be finished.
pub(super) fn excuse(reason: &str) -> String {
    written(&Document {
        version: 1,
        state: State::Unknown.word(),
        load: None,
        memory: None,
        blame: None,
        remarks: vec![reason.to_owned()],
    })
}

fn written(document: &Document) -> String {
    // These types hold nothing that JSON cannot.
    serde_json::to_string(document).unwrap_or_else(|error| format!("{{\"version\":1,\"error\":\"{error}\"}}"))
        + "\n"
}

fn safe(text: &str) -> String {
    escape::text(text.as_bytes())
}

fn load(load: &verdict::Load) -> Load {
    let found = load.found.as_ref().ok();
    let tasks = found.and_then(|found| found.tasks);
    Load {
        state: load.state.word(),
        averages: found.map(|found| found.averages),
        limits: load.limits.each_ref().map(|limit| limit.value),
        high: load.high,
        tasks_running: tasks.map(|(running, _)| running),
        tasks: tasks.map(|(_, all)| all),
        reason: load.found.as_ref().err().map(reason),
    }
}

fn memory(memory: &verdict::Memory) -> Memory {
    let found = memory.found.as_ref().ok();
    Memory {
        state: memory.state.word(),
        measure: memory.measure.word(),
        used_percent: found.map(|used| tenths(used.percent)),
        total_bytes: found.map(|used| used.total),
        limit_percent: memory.limit.value,
        reason: memory.found.as_ref().err().map(reason),
    }
}

fn reason(why: &Why) -> String {
    safe(&why.text())
}

fn blame(blame: &Blame) -> Blamed {
    let blocked = &blame.blocked;
    let pressure = blame.pressure.each_ref().map(pressure);
    let [cpu, io, memory] = pressure;
    Blamed {
        blocked: Blocked {
            tasks: blocked.tasks,
            processes_in_all: blocked.count,
            processes: blocked.processes.iter().map(in_d).collect(),
            channels: blocked
                .channels
                .iter()
                .map(|(channel, tasks)| Channel {
                    name: escape::text(channel),
                    tasks: *tasks,
                })
                .collect(),
            hidden: blocked.hidden.map(|hidden| match hidden {
                Hidden::ForRights => "rights",
                Hidden::ByKernel => "kernel",
            }),
            cut: blocked.cut,
        },
        window_seconds: blame.window.map(|window| tenths(window.as_secs_f64())),
        cpu: blame.cpu.iter().map(by_cpu).collect(),
        memory: blame
            .memory
            .iter()
            .map(|(who, held)| ByMemory {
                process: process(who),
                bytes: held.bytes,
                percent: held.percent.map(tenths),
            })
            .collect(),
        pressure: Pressures { cpu, io, memory },
        cgroups: blame.cgroups.value().map(|cgroups| {
            let one = |pressed: &crate::load::blame::Pressed| Pressed {
                cgroup: escape::text(&pressed.path),
                resource: pressed.resource,
                avg10: pressed.avg10,
            };
            cgroups.iter().map(one).collect()
        }),
    }
}

fn in_d((who, asleep): &(Evidence, Asleep)) -> InD {
    InD {
        process: process(who),
        tasks: asleep.tasks,
        threads: asleep.threads,
        channels: asleep
            .channels
            .iter()
            .map(|channel| escape::text(channel))
            .collect(),
        hidden: asleep.hidden,
    }
}

fn by_cpu((who, rate): &(Evidence, Rate)) -> ByCpu {
    ByCpu {
        process: process(who),
        percent: percent(rate.now),
        reaped_percent: percent(rate.reaped),
    }
}

fn pressure(fact: &Fact<Pressure>) -> Option<OnePressure> {
    let stall = |stall: Stall| OneStall {
        avg10: stall.avg10,
        avg60: stall.avg60,
        avg300: stall.avg300,
    };
    fact.value().map(|pressure| OnePressure {
        some: stall(pressure.some),
        full: pressure.full.map(stall),
    })
}

fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}
