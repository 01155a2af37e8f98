//! How much CPU a process uses, in tenths of a percent of one core: over the window between two looks, or over its
//! life. Pure: the earlier look is an argument.

use super::File;
use super::reading::{Reading, Subject, Value, fact};
use super::truth::Need;
use crate::snapshot::{Clock, Clocks, Sched, Thread, Why};

/// What is asked of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Usage {
    /// What it and the children that it waited for ran.
    Share,
    /// The same, had its threads never waited for a free core.
    Demand,
    /// What it ran itself, over its whole life.
    Life,
    /// Only what children ran that it waited for.
    Reaped,
    /// Whether it wants a core and hardly gets one, while another process does.
    Starved,
}

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

/// A life shorter than this is counted as this long: one tick of a process that was just started is no runaway.
const SHORTEST_LIFE: u64 = SECOND;

/// A process younger than its window is judged over its life, but over no less than this: whatever starts is busy for a
/// moment.
const SHORTEST_WINDOW: u64 = 3 * SECOND;

/// A thread that waits while it is looked at gets that wait into its account only when it runs again. So long it may
/// be, and a tenth of all that it waited.
const PENDING_WAIT: u64 = SECOND / 10;

/// Who gets less than this part of what the busiest process gets, or of a core, is starved.
const STARVED: u64 = 20;

/// Who does not wait for a core for at least this part of the time, in tenths of a percent, does not want one.
const WAITING: u64 = 50;

/// Two readings of one process.
struct Span<'a> {
    subject: Subject<'a>,
    before: Clock,
    now: Clock,
    /// The time between them, in nanoseconds.
    window: u64,
    /// Nanoseconds of a clock tick.
    tick: u64,
    past: &'a Clocks,
}

/// The usage of a process, in tenths of a percent.
pub(super) fn read<'a>(subject: Subject<'a>, usage: Usage) -> Result<Reading<'a>, Reading<'a>> {
    let stat = fact(&subject.process.stat, File::Stat)?;
    if stat.is_zombie() {
        return Ok(Reading::NotApplicable);
    }
    let tick = tick(subject);
    if usage == Usage::Life {
        let own = stat.ticks();
        let Some(life) = life(subject, stat.starttime) else {
            return Ok(Reading::Unreadable(Why::Future));
        };
        let life = life.max(SHORTEST_LIFE);
        return Ok(Reading::number(tenths(own.saturating_mul(tick), life)));
    }
    if usage == Usage::Demand && !subject.process.sched.asked() {
        return Err(Reading::Need(Need::File(File::Sched)));
    }
    let span = Span::of(subject)?;
    let used = match usage {
        Usage::Reaped => span.reaped()?,
        Usage::Demand => span.demand()?.saturating_add(span.reaped()?),
        Usage::Share => span.ran().saturating_add(span.reaped()?),
        Usage::Life | Usage::Starved => return Ok(Reading::One(Value::YesNo(span.is_starved()?))),
    };
    Ok(Reading::number(tenths(used, span.window)))
}

/// Over what time, in nanoseconds, the rates of a process are taken: since the earlier look, or since its birth.
pub(crate) fn window(subject: Subject<'_>) -> Option<u64> {
    let span = Span::of(subject).ok()?;
    Some(span.window.min(life(subject, span.now.start)?))
}

impl<'a> Span<'a> {
    fn of(subject: Subject<'a>) -> Result<Span<'a>, Reading<'a>> {
        let (tick, awaits) = (tick(subject), Reading::Need(Need::Past));
        let now = Clock::of(subject.process).ok_or(Reading::NotApplicable)?;
        let past = subject.past.ok_or(awaits.clone())?;
        let life = life(subject, now.start).unwrap_or_default();
        let born = subject.host.started(now.start);
        let before = match past.get(now.pid, now.start) {
            Some(before) => before.clone(),
            // Born since then: its whole life is the window.
            None if born + i128::from(tick) >= i128::from(past.at) => {
                let shortest = SHORTEST_WINDOW.min(now.at.saturating_sub(past.at));
                Clock {
                    at: now.at.saturating_sub(life.max(shortest)),
                    sched: Some(Sched {
                        at: now.at.saturating_sub(life.max(shortest)),
                        threads: Vec::new(),
                    }),
                    ..now.at_birth()
                }
            }
            // It lived then, and was not seen: another look must be awaited.
            None => return Err(awaits),
        };
        // The kernel's clocks never go back, so these are no two readings of one process.
        let went_back = before.own > now.own || before.reaped > now.reaped || before.at > now.at;
        if went_back {
            return Err(awaits);
        }
        Ok(Span {
            subject,
            window: now.at.saturating_sub(before.at).max(1),
            before,
            now,
            tick,
            past,
        })
    }

    /// What its threads ran.
    fn ran(&self) -> u64 {
        self.now
            .own
            .saturating_sub(self.before.own)
            .saturating_mul(self.tick)
    }

    /// What children ran in the window that it waited for.
    fn reaped(&self) -> Result<u64, Reading<'a>> {
        let got = self.now.reaped.saturating_sub(self.before.reaped);
        if got == 0 {
            return Ok(0);
        }
        if self.subject.present.is_none() {
            return Err(Reading::Need(Need::Crowd));
        }
        let old = self.past.ended_below(self.now.pid, got);
        // How much of the rest was an exempt child's can't be told, but not more than its threads can have run.
        let most = old
            .exempt
            .saturating_mul((self.window / self.tick).saturating_add(1));
        let rest = got.saturating_sub(old.ticks).saturating_sub(most);
        Ok(rest.saturating_mul(self.tick))
    }

    /// What its threads would have run with a core free for each. Those that ended meanwhile took the account of their
    /// waiting with them: of them counts what they ran.
    fn demand(&self) -> Result<u64, Reading<'a>> {
        let Some(now) = &self.now.sched else {
            return Ok(self.ran());
        };
        // A reading without its threads says nothing of how long they waited.
        let then = self.before.sched.as_ref().ok_or(Reading::Need(Need::Past))?;
        let window = now.at.saturating_sub(then.at).max(1);
        let (mut wanted, mut told) = (0u64, 0u64);
        for thread in &now.threads {
            if let Some((run, wait)) = since(thread, then, window) {
                wanted = wanted.saturating_add(unhindered(run, wait, window));
                told = told.saturating_add(run);
            }
        }
        Ok(wanted.saturating_add(self.ran().saturating_sub(told)))
    }

    /// Waiting alone is no demand: who hardly runs while another runs is not the one to blame.
    fn is_starved(&self) -> Result<bool, Reading<'a>> {
        let own = tenths(self.ran().saturating_add(self.reaped()?), self.window);
        if own >= 1000 / STARVED {
            return Ok(false);
        }
        if !self.subject.process.sched.asked() {
            return Err(Reading::Need(Need::File(File::Sched)));
        }
        if tenths(self.demand()?, self.window) < own + WAITING {
            return Ok(false);
        }
        let present = self.subject.present.ok_or(Reading::Need(Need::Crowd))?;
        let busier = |clock: &Clock| {
            let Some(before) = self.past.get(clock.pid, clock.start) else {
                return false;
            };
            let ran = clock.own.saturating_sub(before.own).saturating_mul(self.tick);
            let share = tenths(ran, clock.at.saturating_sub(before.at));
            own.saturating_mul(STARVED) < share.min(1000)
        };
        Ok(present.clocks.iter().any(busier))
    }
}

impl Clock {
    /// The same process when it was born.
    fn at_birth(&self) -> Clock {
        Clock {
            own: 0,
            reaped: 0,
            ..self.clone()
        }
    }
}

/// How long a thread ran and waited since an earlier reading. `None`: it is older than that, but was not in it.
fn since(thread: &Thread, then: &Sched, window: u64) -> Option<(u64, u64)> {
    let known = then
        .threads
        .binary_search_by_key(&thread.tid, |known| known.tid)
        .ok()
        .and_then(|index| then.threads.get(index))
        // Less than before is another thread under the same id.
        .filter(|known| known.run <= thread.run && known.wait <= thread.wait);
    if let Some(known) = known {
        return Some((thread.run - known.run, thread.wait - known.wait));
    }
    let all = thread.run.saturating_add(thread.wait);
    (all <= window.saturating_add(PENDING_WAIT)).then_some((thread.run, thread.wait))
}

/// What a thread would have run in the window had it never waited: its work takes as long as it does, and it would
/// sleep between as it does.
fn unhindered(run: u64, wait: u64, window: u64) -> u64 {
    let pending = PENDING_WAIT.min(wait / 10);
    let free = window.saturating_sub(wait.saturating_add(pending)).max(1);
    let wanted = u128::from(run) * u128::from(window) / u128::from(free);
    u64::try_from(wanted)
        .unwrap_or(u64::MAX)
        .clamp(run, window.max(run))
}

fn tick(subject: Subject<'_>) -> u64 {
    SECOND / subject.host.ticks_per_second.max(1)
}

/// None where it was started after it was read.
fn life(subject: Subject<'_>, start: u64) -> Option<u64> {
    let age = subject.host.age(subject.process.read_at, start)?;
    Some(u64::try_from(age.as_nanos()).unwrap_or(u64::MAX))
}

fn tenths(ran: u64, window: u64) -> u64 {
    u64::try_from(u128::from(ran) * 1000 / u128::from(window.max(1))).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
