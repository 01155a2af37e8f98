//! Time spans as options and settings write them: `500ms`, `90s`, `5m`, `2h`, `3d`, and `0`.

use std::time::Duration;

const UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

/// Reads a time span.
///
/// # Errors
/// What is wrong, and what to write.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    if digits == "0" && unit.is_empty() {
        return Ok(Duration::ZERO);
    }
    let wrong = || {
        format!(
            "`{text}` is not a time span: write one whole number with `ms`, `s`, `m`, `h` or `d`: `5s`, `2m`"
        )
    };
    if digits.is_empty() {
        return Err(wrong());
    }
    let (_, milliseconds) = UNITS
        .into_iter()
        .find(|(name, _)| *name == unit)
        .ok_or_else(wrong)?;
    digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(milliseconds))
        .map(Duration::from_millis)
        .ok_or_else(|| format!("`{text}` is too long: write a smaller number"))
}

/// The longest restart that is waited for.
const LONGEST_WINDOW: Duration = Duration::from_secs(600);

/// Reads for how long a check may fail before that counts.
///
/// # Errors
/// What is wrong, and what to write.
pub fn parse_window(text: &str) -> Result<Duration, String> {
    parse_duration(text).and_then(|span| {
        if span <= LONGEST_WINDOW {
            Ok(span)
        } else {
            Err("at most 10m: the run, and whoever called it, waits as long".into())
        }
    })
}

/// A time span as it is written, in the largest unit that it is a whole number of.
#[must_use]
pub fn write_duration(span: Duration) -> String {
    let milliseconds = span.as_millis();
    let whole = |(_, unit): &&(&str, u64)| milliseconds.is_multiple_of(u128::from(*unit));
    match UNITS.iter().rev().find(whole) {
        Some((name, unit)) if milliseconds > 0 => format!("{}{name}", milliseconds / u128::from(*unit)),
        _ => "0".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_waits_for_a_restart_for_more_than_ten_minutes() {
        assert_eq!(parse_window("10m"), Ok(Duration::from_secs(600)));
        for text in ["601s", "1h", "18446744073709551615ms"] {
            assert!(
                parse_window(text).unwrap_err().starts_with("at most 10m"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_span_is_written_as_it_is_read() {
        for text in ["0", "500ms", "90s", "5m", "25h", "3d"] {
            assert_eq!(parse_duration(text).map(write_duration), Ok(text.to_owned()));
        }
    }

    #[test]
    fn spans_have_their_units() {
        for (text, milliseconds) in [
            ("0", 0),
            ("0s", 0),
            ("500ms", 500),
            ("5s", 5000),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("1d", 86_400_000),
        ] {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_millis(milliseconds)),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_span_is_told() {
        for text in [
            "",
            "5",
            "s",
            "5 s",
            "-5s",
            "1.5s",
            "5S",
            "5x",
            "99999999999999999999s",
            "18446744073709551615d",
        ] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
