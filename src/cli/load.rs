//! `procward load`, and procward under the name of mon's `loadavg.monitor`: is the load too high, and who is to blame?

use super::arguments::{FormatName, ViewArguments, default_format};
use super::items::is_host_name;
use super::view::View;
use crate::exit_code::Exit;
use crate::judge::State;
use crate::load::limits::{load, memory, perl};
use crate::load::{Limit, Limits, Measure, Report, Suspects, judge};
use crate::outcome::Outcome;
use crate::report::load::render;
use crate::report::{Format, Look, escape};
use crate::select::{File, Plan};
use crate::snapshot::{Clocks, Snapshot};
use clap::Args;
use std::ffi::OsString;
use std::time::Duration;

/// Over how long CPU is measured once something is too high, unless less time is given.
const WINDOW: Duration = Duration::from_secs(1);

/// What the command is for.
pub const ABOUT: &str = "Judge the load: is it too high, and who is to blame?";

/// The arguments of `load`.
#[derive(Args, Clone, Debug)]
pub struct LoadCommand {
    /// The most that the load average over 1 minute may be
    #[arg(value_parser = load)]
    pub load1: Limit,
    /// Over 5 minutes
    #[arg(value_parser = load)]
    pub load5: Limit,
    /// Over 15 minutes
    #[arg(value_parser = load)]
    pub load15: Limit,
    /// How much of the memory may be in use, such as 90%
    ///
    /// How much of the memory may be in use, such as 90%: what MemAvailable leaves of MemTotal
    #[arg(long, value_name = "PERCENT", value_parser = memory)]
    pub memory: Option<Limit>,
    /// How to write the report [default: human, or mon's under mon]
    #[arg(long, value_enum)]
    pub format: Option<FormatName>,
}

impl LoadCommand {
    /// The format of its report.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format.map_or_else(default_format, Format::from)
    }

    /// Runs it.
    pub fn run(self, arguments: &ViewArguments) -> Outcome {
        let format = self.format();
        let limits = Limits {
            load: [self.load1, self.load5, self.load15],
            memory: self.memory.map(|limit| (Measure::Memory, limit)),
        };
        let look = arguments.terminal.look(false);
        run(&limits, arguments, &|report| {
            Outcome::new(render(report, format, &look), Exit::from(report.state))
        })
    }
}

fn run(limits: &Limits, arguments: &ViewArguments, outcome: &dyn Fn(&Report) -> Outcome) -> Outcome {
    let view = match View::open(arguments) {
        Ok(view) => view,
        Err(sentence) => return Outcome::unknown(sentence),
    };
    let gauges = view.gauges();
    let mut report = judge(limits, &gauges);
    if report.state == State::Critical {
        // Whatever becomes of the rest, this stays.
        let notes = arguments.notes;
        notes.publish(&outcome(&report));
        let memory = gauges
            .meminfo
            .value()
            .map(|meminfo| meminfo.total.saturating_mul(1024));
        let window = notes.limit().map_or(WINDOW, |limit| WINDOW.min(limit / 2));
        blame(&view, memory, window, &mut report);
    }
    outcome(&report)
}

/// Looks who is to blame: twice where a rate can be taken, then more closely at a few. `memory`: bytes of all of it.
fn blame(view: &View, memory: Option<u64>, window: Duration, report: &mut Report) {
    let plan = Plan::everything(&[File::Stat]);
    let past = view.moves().then(|| {
        let clocks = Clocks::of(&view.look(&plan));
        std::thread::sleep(window);
        clocks
    });
    let mut look = view.look_after(&plan, past);
    look.keep_clocks(Clocks::of(&look));
    let waiters = view.waiters(&look);
    let suspects = Suspects::pick(&look, waiters, memory);
    view.acquaint(&mut look, &suspects.pids());
    report.remarks.extend(gaps(&look));
    report.blame = Some(suspects.blame(&look, view, view.pressures()));
}

/// The load is the host's, whatever processes the view lacks.
fn gaps(look: &Snapshot) -> impl Iterator<Item = String> {
    look.gaps
        .iter()
        .map(|gap| format!("incomplete view of the processes: {}", gap.text()))
}

const USAGE: &str = "usage: loadavg.monitor LOAD1 LOAD5 LOAD15 [PERCENT]\n\
    \x20      what the load averages and memory and swap in use may be at most [default: 90%]\n";

/// Runs it as mon's loadavg.monitor, which knows 0 and 1; what can't be told is 3, which mon takes for a failure too.
#[must_use]
pub fn as_monitor(arguments: &[OsString], view: &ViewArguments) -> Outcome {
    let words: Vec<String> = arguments
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    if let Some("-h" | "--help" | "-V" | "--version") = words.first().map(String::as_str) {
        let text = format!(
            "procward {} as loadavg.monitor\n{USAGE}",
            env!("CARGO_PKG_VERSION")
        );
        return Outcome::new(text, Exit::Unknown);
    }
    let limits = match limits_of(&words) {
        Ok(limits) => limits,
        Err(sentence) => {
            let sentence = escape::without_bars(&escape::text(sentence.as_bytes()));
            return Outcome::new(format!("UNKNOWN: {sentence}\n{USAGE}"), Exit::Unknown);
        }
    };
    run(&limits, view, &|report| {
        let exit = Exit::of_monitor(report.state);
        Outcome::new(render(report, Format::Mon, &Look::PIPE), exit)
    })
}

/// Three or four numbers as loadavg.monitor takes them: from memory and swap together, 90 % unless it is given.
fn limits_of(words: &[String]) -> Result<Limits, String> {
    // mon appends the hosts of the group where the line does not end with `;;`.
    if let Some(host) = words
        .iter()
        .skip(3)
        .find(|word| perl(word).is_none() && is_host_name(word))
    {
        return Err(format!("missing ;; in mon.cf: {host}"));
    }
    let (Some([load1, load5, load15]), 3..=4) = (words.first_chunk(), words.len()) else {
        return Err(format!("three or four numbers are wanted, not {}", words.len()));
    };
    let load = |word: &String| {
        perl(word).ok_or_else(|| format!("`{word}` is not a load average: write a number, such as 4 or 0.75"))
    };
    let memory = |word: &str| {
        perl(word.strip_suffix('%').unwrap_or(word))
            .ok_or_else(|| format!("`{word}` is not a part of the memory: write a percentage, such as 90"))
    };
    let limit = memory(words.get(3).map_or("90", String::as_str))?;
    Ok(Limits {
        load: [load(load1)?, load(load5)?, load(load15)?],
        memory: Some((Measure::MemoryAndSwap, limit)),
    })
}
