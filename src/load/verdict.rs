//! From load, memory and limits to a verdict.

use super::blame::Blame;
use super::{Limit, Limits, Measure};
use crate::judge::State;
use crate::snapshot::{Fact, Gauges, Loadavg, Meminfo, Why};

/// What was found out. Nothing here is escaped yet.
#[derive(Clone, Debug)]
pub struct Report {
    /// The worst state.
    pub state: State,
    /// The load.
    pub load: Load,
    /// The memory, where it is judged.
    pub memory: Option<Memory>,
    /// Who is to blame, where something is too high.
    pub blame: Option<Blame>,
    /// Sentences about the view as a whole: what it may lack.
    pub remarks: Vec<String>,
}

/// The load averages.
#[derive(Clone, Debug)]
pub struct Load {
    /// Too high, or not, or it can't be told.
    pub state: State,
    /// What they are.
    pub found: Result<Loadavg, Why>,
    /// What they may be.
    pub limits: [Limit; 3],
    /// Which of them are too high.
    pub high: [bool; 3],
}

/// The memory in use.
#[derive(Clone, Debug)]
pub struct Memory {
    /// Too high, or not, or it can't be told.
    pub state: State,
    /// What is measured.
    pub measure: Measure,
    /// How much is in use.
    pub found: Result<Used, Why>,
    /// How much may be, in percent.
    pub limit: Limit,
}

/// A part of a whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Used {
    /// In percent.
    pub percent: f64,
    /// Of so many bytes.
    pub total: u64,
}

impl Report {
    /// Each thing that is judged, by its name in the first line.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, State)> {
        let memory = self
            .memory
            .as_ref()
            .map(|memory| (memory.measure.word(), memory.state));
        [("load", self.load.state)].into_iter().chain(memory)
    }
}

/// Judges. What is above its limit is too high: CRITICAL.
#[must_use]
pub fn judge(limits: &Limits, gauges: &Gauges) -> Report {
    let load = judge_load(&limits.load, &gauges.loadavg);
    let memory = limits
        .memory
        .as_ref()
        .map(|(measure, limit)| judge_memory(*measure, limit, &gauges.meminfo));
    let of_memory = memory.as_ref().map_or(State::Ok, |memory| memory.state);
    Report {
        state: load.state.worst(of_memory),
        load,
        memory,
        blame: None,
        remarks: Vec::new(),
    }
}

fn judge_load(limits: &[Limit; 3], found: &Fact<Loadavg>) -> Load {
    let found = told(found);
    let mut high = [false; 3];
    if let Ok(loadavg) = &found {
        for (high, (average, limit)) in high.iter_mut().zip(loadavg.averages.iter().zip(limits)) {
            *high = *average > limit.value;
        }
    }
    Load {
        state: state(&found, high.contains(&true)),
        found,
        limits: limits.clone(),
        high,
    }
}

fn judge_memory(measure: Measure, limit: &Limit, found: &Fact<Meminfo>) -> Memory {
    let found = told(found).and_then(|meminfo| used(measure, &meminfo).ok_or(Why::Malformed));
    let high = found.is_ok_and(|used| used.percent > limit.value);
    Memory {
        state: state(&found, high),
        measure,
        found,
        limit: limit.clone(),
    }
}

fn state<T>(found: &Result<T, Why>, high: bool) -> State {
    match found {
        Err(_) => State::Unknown,
        Ok(_) if high => State::Critical,
        Ok(_) => State::Ok,
    }
}

fn told<T: Clone>(fact: &Fact<T>) -> Result<T, Why> {
    match fact {
        Fact::Value(value) => Ok(value.clone()),
        Fact::Unreadable(why) => Err(*why),
        Fact::NotAsked | Fact::NotApplicable => Err(Why::Absent),
    }
}

/// The part in use, computed as mon's loadavg.monitor does. `None`: a line lacks that it takes.
#[allow(clippy::cast_precision_loss, reason = "KiB of memory are far below 2^52")]
fn used(measure: Measure, meminfo: &Meminfo) -> Option<Used> {
    let busy = meminfo.total as f64 - meminfo.available? as f64;
    let (busy, total) = match measure {
        Measure::Memory => (busy, meminfo.total),
        Measure::MemoryAndSwap => {
            let swap = meminfo.swap_total?;
            let used = swap as f64 - meminfo.swap_free? as f64;
            (used + busy, meminfo.total.checked_add(swap)?)
        }
    };
    Some(Used {
        percent: busy * 100.0 / total as f64,
        total: total.saturating_mul(1024),
    })
}
