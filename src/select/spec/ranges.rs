//! Reads `N`, `MIN-`, `-MAX` and `MIN-MAX`.

use crate::select::fault::Fault;
use crate::select::range::Range;

const FORMS: &str = "N, MIN-, -MAX or MIN-MAX";

/// Reads a range of its own, as a configuration file writes it.
///
/// # Errors
/// What is wrong with it, its place in `text`, and what to write.
pub fn parse_range(text: &str) -> Result<Range, Fault> {
    read(text, false).map_err(|wrong| {
        let help = match wrong.instead {
            Some(right) => format!("write `{right}`"),
            None => format!("write {FORMS}"),
        };
        Fault::new(0..text.len(), wrong.message, help)
    })
}

/// Why a text is no range.
pub(super) struct Wrong {
    pub(super) message: String,
    /// A range that may be meant.
    pub(super) instead: Option<String>,
}

/// Reads a range; `lone_dash` accepts `-` for no bounds, as ps.monitor does.
pub(super) fn read(text: &str, lone_dash: bool) -> Result<Range, Wrong> {
    let wrong = |message: String, instead: Option<String>| Wrong { message, instead };
    if text == "-" {
        let all = Range { min: 0, max: None };
        let message = "the range `-` has no bound".to_string();
        return if lone_dash {
            Ok(all)
        } else {
            Err(wrong(message, Some("0-".into())))
        };
    }
    let (min, max) = text
        .split_once('-')
        .map_or((text, None), |(min, max)| (min, Some(max)));
    if !looks_like_one(text) {
        return Err(wrong(format!("`{text}` is not a range"), instead(text)));
    }
    let number = |digits: &str| {
        let too_large = |_| wrong(format!("the number {digits} is too large for a range"), None);
        digits.parse::<u64>().map_err(too_large)
    };
    let range = match (min, max) {
        (exactly, None) => {
            let count = number(exactly)?;
            Range {
                min: count,
                max: Some(count),
            }
        }
        ("", Some(max)) => Range {
            min: 0,
            max: Some(number(max)?),
        },
        (min, Some("")) => Range {
            min: number(min)?,
            max: None,
        },
        (min, Some(max)) => Range {
            min: number(min)?,
            max: Some(number(max)?),
        },
    };
    match range.max {
        Some(max) if max < range.min => {
            let message = format!("the range `{text}` is reversed, no count lies in it");
            Err(wrong(message, Some(format!("{max}-{}", range.min))))
        }
        _ => Ok(range),
    }
}

/// Whether the text has the form of a range: digits and at most one dash.
pub(super) fn looks_like_one(text: &str) -> bool {
    let (min, max) = text
        .split_once('-')
        .map_or((text, None), |(min, max)| (min, Some(max)));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    digits(min) && max.is_none_or(digits) && !(min.is_empty() && max.is_none_or(str::is_empty))
}

/// What may be meant by something that is no range.
fn instead(text: &str) -> Option<String> {
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    let count = |digits: &str| digits.trim().parse::<u64>().ok();
    match lower.as_str() {
        "none" | "no" | "never" | "off" => return Some("0".into()),
        "any" | "all" | "*" => return Some("0-".into()),
        "some" | "yes" | "on" | "+" => return Some("1-".into()),
        _ if looks_like_one(&lower) => return Some(lower),
        _ => {}
    }
    if let Some((min, max)) = lower.split_once("...").or_else(|| lower.split_once("..")) {
        let max = max.strip_prefix('=').unwrap_or(max);
        return looks_like_one(&format!("{min}-{max}")).then(|| format!("{min}-{max}"));
    }
    if let Some((min, max)) = lower.split_once(" - ") {
        return Some(format!("{}-{}", count(min)?, count(max)?));
    }
    if let Some(min) = lower.strip_suffix('+').or_else(|| lower.strip_prefix(">=")) {
        return count(min).map(|min| format!("{min}-"));
    }
    if let Some(max) = lower.strip_prefix("<=") {
        return count(max).map(|max| format!("-{max}"));
    }
    if let Some(min) = lower.strip_prefix('>') {
        return Some(format!("{}-", count(min)?.checked_add(1)?));
    }
    if let Some(max) = lower.strip_prefix('<') {
        return Some(format!("-{}", count(max)?.checked_sub(1)?));
    }
    lower
        .strip_prefix('=')
        .and_then(count)
        .map(|count| count.to_string())
}
