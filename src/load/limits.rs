//! What the load and the memory in use may be at most.

/// All limits of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Of the averages over 1, 5 and 15 minutes.
    pub load: [Limit; 3],
    /// Of memory, where it is judged.
    pub memory: Option<(Measure, Limit)>,
}

/// A number, and how it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// The number. What is above it is too high.
    pub value: f64,
    /// As it was written, without a `%`.
    pub text: String,
}

/// What memory is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// What of the RAM is not available.
    Memory,
    /// RAM that is not available and swap that is used, of all RAM and swap: mon's loadavg.monitor.
    MemoryAndSwap,
}

impl Measure {
    /// What it is called.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Measure::Memory => "memory",
            Measure::MemoryAndSwap => "memory+swap",
        }
    }
}

/// A load average: `4`, `0.75`.
///
/// # Errors
/// What is wrong, and what to write.
pub fn load(text: &str) -> Result<Limit, String> {
    plain(text).ok_or_else(|| format!("`{text}` is not a load average: write a number, such as 4 or 0.75"))
}

/// A part of the memory: `90%`, `90`.
///
/// # Errors
/// What is wrong, and what to write.
pub fn memory(text: &str) -> Result<Limit, String> {
    plain(text.strip_suffix('%').unwrap_or(text))
        .filter(|limit| limit.value <= 100.0)
        .ok_or_else(|| format!("`{text}` is not a part of the memory: write a percentage, such as 90%"))
}

/// Digits and at most one point.
fn plain(text: &str) -> Option<Limit> {
    let value = crate::parse::decimal(text.as_bytes())?;
    Some(Limit {
        value,
        text: text.to_owned(),
    })
}

/// A number as Perl reads it: blanks round it, a sign, an exponent. What Perl would take for 0 or cut short is none,
/// and what is never exceeded (`inf`, `nan`) neither.
#[must_use]
pub fn perl(text: &str) -> Option<Limit> {
    let text = text.trim_ascii();
    let numeric = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    let value: f64 = text.bytes().all(numeric).then(|| text.parse().ok())??;
    value.is_finite().then(|| Limit {
        value,
        text: text.to_owned(),
    })
}
