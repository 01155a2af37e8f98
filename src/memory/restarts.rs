//! What is replaced again and again and passes whenever it is looked at: worth a warning when it happened in several of
//! the last runs, or more often than `restarts = "3 per 1h"` allows.

use super::{Identity, REPLACEMENTS, RUNS, Recollection, Run};
use crate::select::parse_duration;
use std::time::Duration;

/// A limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restarts {
    /// At most so many.
    pub count: usize,
    /// In this time.
    pub per: Duration,
}

impl Restarts {
    /// What is told where no limit was set.
    pub(super) const HOUR: Restarts = Restarts {
        count: 0,
        per: Duration::from_secs(3600),
    };

    /// The time, as written: `1 h`.
    #[must_use]
    pub fn span(self) -> String {
        let seconds = self.per.as_secs();
        let units = [(86_400, "d"), (3600, "h"), (60, "min")];
        units
            .into_iter()
            .find(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit))
            .map_or_else(
                || format!("{seconds} s"),
                |(unit, name)| format!("{} {name}", seconds / unit),
            )
    }
}

/// Reads `N per TIME`.
///
/// # Errors
/// What is wrong, and what to write.
pub fn parse_restarts(text: &str) -> Result<Restarts, String> {
    let wrong = || format!("`{text}` is no limit of restarts: write \"3 per 1h\"");
    let (count, per) = text.split_once(" per ").ok_or_else(wrong)?;
    let count: usize = count.trim().parse().map_err(|_| wrong())?;
    let per = parse_duration(per.trim()).map_err(|_| wrong())?;
    if per < Duration::from_secs(60) || per > Duration::from_secs(86_400) {
        return Err(format!("`{text}`: the time lies between 1m and 1d"));
    }
    if count >= REPLACEMENTS {
        return Err(format!(
            "`{text}`: no more than {REPLACEMENTS} are remembered, so the limit is less"
        ));
    }
    Ok(Restarts { count, per })
}

/// So many of the last runs are no accident.
const OFTEN: usize = 3;

/// A check that matches more is about workers, and workers come and go.
const FEW: usize = 64;

impl Recollection {
    /// Notes whether it is restarting, after a run was noted.
    pub(super) fn note_restarts(&mut self, limit: Option<Restarts>, now: u64) {
        let troubled = self.runs.iter().filter(|run| run.is_troubled()).count();
        self.restarting = troubled >= OFTEN || (self.restarting && !self.is_quiet());
        self.over_limit = limit.is_some_and(|limit| self.is_over(limit, now));
    }

    /// Whether others were started in place of those that matched in the run before. A restart is one, of however many
    /// processes; and while the oldest stays, which started the others, those are sessions and workers.
    pub(super) fn was_restarted(&self, matched: &[Identity]) -> bool {
        let few = self.matched.len() <= FEW && matched.len() <= FEW;
        let oldest = self.matched.iter().min_by_key(|(pid, start)| (start, pid));
        few && oldest.is_some_and(|oldest| !matched.contains(oldest))
            && matched.iter().any(|id| !self.matched.contains(id))
    }

    /// Whether in all the runs that are remembered nothing happened.
    fn is_quiet(&self) -> bool {
        self.runs.len() == RUNS
            && !self
                .runs
                .iter()
                .any(|run| run.is_troubled() || run.failed || run.pending || run.unseen)
    }

    fn replaced_within(&self, span: Duration, now: u64) -> usize {
        let young = |at: &&u64| now.saturating_sub(**at) <= span.as_secs();
        self.replaced.iter().filter(young).count()
    }

    /// A warning that comes and goes with each restart that grows too old would page each time.
    fn is_over(&self, limit: Restarts, now: u64) -> bool {
        let count = self.replaced_within(limit.per, now);
        count > limit.count || (self.over_limit && count > limit.count / 2)
    }

    /// Why a check that passes is to be warned of: it does so again and again.
    #[must_use]
    pub fn restarts(&self, limit: Option<Restarts>, now: u64) -> Option<String> {
        if let Some(limit) = limit {
            let count = self.replaced_within(limit.per, now);
            return self
                .is_over(limit, now)
                .then(|| format!("restarting: {count} times in {}", limit.span()));
        }
        if !self.restarting {
            return None;
        }
        let rechecked = self.runs.iter().filter(|run| run.rechecked).count();
        let runs = self.runs.len();
        let hour = Restarts::HOUR;
        Some(match (self.replaced_within(hour.per, now), rechecked) {
            (0, 0) => format!("restarting: it did, and is not quiet for {RUNS} runs yet"),
            (0, _) => format!("restarting: it needed a second look in {rechecked} of the last {runs} runs"),
            (count, _) => format!("restarting: {count} times in {}", hour.span()),
        })
    }
}

impl Run {
    fn is_troubled(&self) -> bool {
        self.rechecked || self.replaced
    }
}
