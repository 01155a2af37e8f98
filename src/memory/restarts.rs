//! `restarts = "3 per 1h"`: how often a process may be replaced before that is worth a warning.

use super::REPLACEMENTS;
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
