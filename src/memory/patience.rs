//! What is a finding only when it has gone on for long enough, from run to run.

use super::{Recollection, Spell, identity};
use crate::judge::{Sighting, State, Verdict};
use std::time::Duration;

/// For how long something must go on before it is a warning, and a critical one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// A warning.
    pub warning: Duration,
    /// Critical.
    pub critical: Duration,
}

/// So many that are not yet a finding are named.
const FEW_TOLD: usize = 3;

impl Recollection {
    /// How long a process goes on already.
    #[must_use]
    pub fn lasts(&self, seen: &Sighting, now: u64) -> Option<Duration> {
        let is = |spell: &&Spell| (spell.pid, spell.start) == identity(seen);
        let spell = self.since.iter().find(is)?;
        Some(Duration::from_secs(now.saturating_sub(spell.since)))
    }

    /// Only what goes on for long enough is a finding; the rest is told beside it.
    pub(super) fn be_patient(&self, patience: Patience, verdict: &mut Verdict, now: u64) {
        if !matches!(verdict.state, State::Warning | State::Critical) {
            return;
        }
        verdict.note_durations(|seen| self.lasts(seen, now));
        let lasts = |seen: &Sighting| self.lasts(seen, now).unwrap_or_default();
        let longest = verdict.sightings.iter().map(lasts).max().unwrap_or_default();
        let needed = if longest >= patience.critical {
            verdict.state = State::Critical;
            patience.critical
        } else {
            verdict.state = State::Warning;
            patience.warning
        };
        for evidence in &mut verdict.evidence {
            evidence.lesser = evidence.lasts.is_some_and(|lasts| lasts < needed);
        }
        let early: Vec<String> = verdict
            .evidence
            .iter()
            .filter(|evidence| evidence.lasts.is_some_and(|lasts| lasts < patience.warning))
            .map(|evidence| {
                let name = String::from_utf8_lossy(&evidence.name);
                let lasts = span(evidence.lasts.unwrap_or_default());
                format!("pid {} {name} for {lasts}", evidence.pid)
            })
            .collect();
        verdict.retain(|seen| lasts(seen) >= patience.warning.min(patience.critical));
        if early.is_empty() {
            return;
        }
        let more = match early.len().saturating_sub(FEW_TOLD) {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        let told = early[..early.len().min(FEW_TOLD)].join(", ");
        let warned = span(patience.warning);
        verdict
            .story
            .push(format!("over the limit, but not yet for {warned}: {told}{more}"));
    }
}

/// `45 s`, `12 min`.
fn span(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds => format!("{} min", seconds / 60),
    }
}
