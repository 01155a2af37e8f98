//! `procward cpu`: no process uses too much CPU for too long, unless it may. A check like any other, written here.

pub mod exempt;

use crate::judge::{Check, Exception, Pace, State};
use crate::memory::Patience;
use crate::select::Range;
use crate::select::spec::parse_selector;
use crate::snapshot::Accounts;
use std::time::Duration;

/// What to watch for.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Percent of one core.
    pub limit: u32,
    /// Over the whole life, not over a window.
    pub lifetime: bool,
    /// Over what time, and for how long.
    pub pace: Pace,
    /// For how long from run to run, where runs are remembered.
    pub patience: Option<Patience>,
    /// How bad a finding is, where patience does not say.
    pub severity: State,
}

/// Percent of one core, where no limit is given.
pub const LIMIT: u32 = 90;

/// A real runaway goes on; what ends by itself is no reason to wake anybody.
pub const PATIENCE: Patience = Patience {
    warning: Duration::from_secs(600),
    critical: Duration::from_secs(3600),
};

/// The check. Judged by demand: on a busy host a runaway gets its share only, and wants all of a core.
///
/// # Errors
/// A sentence: a fault of this program.
pub fn check(limits: &Limits, except: Vec<Exception>, accounts: &dyn Accounts) -> Result<Check, String> {
    let limit = limits.limit;
    let select = if limits.lifetime {
        // Whatever starts is busy for a moment.
        format!("cpu.life>{limit}%,age>=3s")
    } else {
        format!("cpu.demand>{limit}%,cpu.starved=no")
    };
    let selector = parse_selector(&select, accounts)
        .map_err(|faults| format!("{select}: {}", faults.first().map_or("", |fault| &fault.message)))?;
    Ok(Check {
        severity: limits.severity,
        except,
        pace: limits.pace,
        patience: limits.patience,
        ..Check::new("cpu".into(), selector, Range { min: 0, max: Some(0) })
    })
}
