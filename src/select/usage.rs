//! How much CPU a process uses, in tenths of a percent of one core: over the window between two looks, or over its
//! life. Pure: the earlier look is an argument.

use super::File;
use super::reading::{Reading, Subject, fact};
use super::truth::Need;
use crate::snapshot::{Clock, Clocks, Fact, Stat, Why};

/// What is asked of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Usage {
    /// What it and the children that it waited for ran.
    Share,
    /// The same, and the time that its threads waited for a free core.
    Demand,
    /// What it ran itself, over its whole life.
    Life,
    /// Only what children ran that it waited for.
    Reaped,
}

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

/// A life shorter than this is counted as this long: one tick of a process that was just started is no runaway.
const SHORTEST_LIFE: u64 = SECOND;

/// The usage of a process in tenths of a percent.
pub(super) fn read<'a>(subject: Subject<'a>, usage: Usage) -> Result<Reading<'a>, Reading<'a>> {
    let stat = fact(&subject.process.stat, File::Stat)?;
    if stat.is_zombie() {
        return Ok(Reading::NotApplicable);
    }
    let tick = SECOND / subject.host.ticks_per_second.max(1);
    let born = stat.starttime.saturating_mul(tick);
    let now = subject.process.read_at;
    let own = stat.utime.saturating_add(stat.stime);
    let reaped = stat.cutime.saturating_add(stat.cstime);
    let life = now.saturating_sub(born).max(SHORTEST_LIFE);
    if usage == Usage::Life {
        return Ok(Reading::number(tenths(own.saturating_mul(tick), life)));
    }
    let sched = match (usage, &subject.process.sched) {
        (Usage::Demand, Fact::NotAsked) => return Err(Reading::Need(Need::File(File::Sched))),
        (Usage::Demand, Fact::Value(sched)) => Some((sched.run, sched.wait)),
        _ => None,
    };
    let past = subject.past.ok_or(Reading::Need(Need::Past))?;
    let before = match past.get(subject.process.pid, stat.starttime) {
        Some(before) => *before,
        // Born since then: its whole life is the window.
        None if born.saturating_add(tick) >= past.at => Clock {
            at: now - life.min(now),
            sched: Some((0, 0)),
            ..Clock::default()
        },
        None => return Err(Reading::Unreadable(Why::NoSample)),
    };
    let window = now.saturating_sub(before.at).max(1);
    let reaped = reaped
        .saturating_sub(before.reaped)
        .saturating_sub(old_part(subject, past, stat)?);
    if usage == Usage::Reaped {
        return Ok(Reading::number(tenths(reaped.saturating_mul(tick), window)));
    }
    let ran = own.saturating_sub(before.own).saturating_mul(tick);
    // Threads that ended meanwhile took their part of schedstat with them, but not of stat.
    let demand = sched
        .zip(before.sched)
        .map_or(0, |((run, wait), (run_then, wait_then))| {
            run.saturating_add(wait)
                .saturating_sub(run_then.saturating_add(wait_then))
        });
    let all = ran.max(demand).saturating_add(reaped.saturating_mul(tick));
    Ok(Reading::number(tenths(all, window)))
}

/// What children that ended since the earlier look had run before it.
fn old_part<'a>(subject: Subject<'a>, past: &Clocks, stat: &Stat) -> Result<u64, Reading<'a>> {
    if stat.cutime == 0 && stat.cstime == 0 {
        return Ok(0);
    }
    let present = subject.present.ok_or(Reading::Need(Need::Crowd))?;
    Ok(past.of_dead_children(subject.process.pid, |child| {
        present.get(child.pid, child.start).is_some()
    }))
}

fn tenths(ran: u64, window: u64) -> u64 {
    u64::try_from(u128::from(ran) * 1000 / u128::from(window.max(1))).unwrap_or(u64::MAX)
}
