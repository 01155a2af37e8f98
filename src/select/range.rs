//! How many processes are wanted: `MIN-MAX` as ps.monitor writes it, both ends included.

use std::fmt;

/// A range of counts. `max: None` is unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// At least this many.
    pub min: u64,
    /// At most this many.
    pub max: Option<u64>,
}

impl Range {
    /// At least one: what a spec without a range means.
    pub const AT_LEAST_ONE: Range = Range { min: 1, max: None };

    /// Whether `count` lies in the range.
    #[must_use]
    pub fn contains(self, count: u64) -> bool {
        count >= self.min && self.max.is_none_or(|max| count <= max)
    }

    /// Whether nothing may match: `0`.
    #[must_use]
    pub fn forbids(self) -> bool {
        self.max == Some(0)
    }

    /// The range in words: `exactly 1`, `at least 1`, `at most 5`, `1 to 4`, `none`.
    #[must_use]
    pub fn words(self) -> String {
        match (self.min, self.max) {
            (_, Some(0)) => "none".into(),
            (min, Some(max)) if min == max => format!("exactly {min}"),
            (0, Some(max)) => format!("at most {max}"),
            (min, Some(max)) => format!("{min} to {max}"),
            (0, None) => "any number".into(),
            (min, None) => format!("at least {min}"),
        }
    }
}

impl fmt::Display for Range {
    /// The shortest way to write the range in a spec.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (min, Some(max)) if min == max => write!(f, "{min}"),
            (0, Some(max)) => write!(f, "-{max}"),
            (min, Some(max)) => write!(f, "{min}-{max}"),
            (min, None) => write!(f, "{min}-"),
        }
    }
}
