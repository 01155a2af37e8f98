//! Shows a fault: file, line and column, the line itself, the place underlined, what to write.

use crate::judge::Faulty;
use crate::select::Fault;
use crate::select::fault::boundary;
use std::fmt::Write;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How text is made fit to be shown: one of the functions of `escape`.
pub type Shown = fn(&[u8]) -> String;

/// All faults of a text, each as a paragraph.
#[must_use]
pub fn render_all(faulty: &Faulty, shown: Shown) -> String {
    let shown = faulty.faults.iter().map(|fault| render(faulty, fault, shown));
    shown.collect::<Vec<_>>().join("\n")
}

/// One fault.
#[must_use]
pub fn render(faulty: &Faulty, fault: &Fault, shown: Shown) -> String {
    let shown = |text: &str| shown(text.as_bytes());
    let Faulty { source, text, .. } = faulty;
    let (source, message) = (shown(source), shown(&fault.message));
    let mut lines = match fault.line_and_column(text) {
        None => format!("{source}: {message}\n"),
        Some((line, column)) => {
            let underlined = underlined(text, fault, &shown);
            format!("{source}:{line}:{column}: {message}\n{underlined}")
        }
    };
    if !fault.help.is_empty() {
        let _ = writeln!(lines, "  help: {}", shown(&fault.help));
    }
    lines
}

/// The most columns of a line that are shown on either side of where a place begins.
const SIDE: usize = 100;

/// The line of the fault and the carets below it.
fn underlined(text: &str, fault: &Fault, shown: &dyn Fn(&str) -> String) -> String {
    let start = boundary(text, fault.start);
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let end = boundary(text, fault.end.clamp(start, line_end)).max(start);
    let before = last_columns(&shown(&text[line_start..start]));
    let place = shown(&text[start..end]);
    let rest = first_columns(&format!("{place}{}", shown(&text[end..line_end])));
    let indent = " ".repeat(before.width());
    let carets = "^".repeat(place.width().clamp(1, SIDE));
    format!("  {before}{rest}\n  {indent}{carets}\n")
}

fn first_columns(text: &str) -> String {
    if text.width() <= SIDE {
        return text.to_owned();
    }
    let mut used = 0;
    let kept = text.chars().take_while(|c| {
        used += c.width().unwrap_or(0);
        used < SIDE
    });
    kept.chain(['…']).collect()
}

fn last_columns(text: &str) -> String {
    if text.width() <= SIDE {
        return text.to_owned();
    }
    let mut used = 0;
    let kept = text.chars().rev().take_while(|c| {
        used += c.width().unwrap_or(0);
        used < SIDE
    });
    let backwards: Vec<char> = kept.chain(['…']).collect();
    backwards.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, place: std::ops::Range<usize>) -> String {
        let faulty = Faulty {
            source: "p.toml".into(),
            text: text.into(),
            faults: Vec::new(),
        };
        let fault = Fault::new(place, "wrong", "write it right");
        render(&faulty, &fault, crate::report::escape::text)
    }

    #[test]
    fn the_place_is_underlined_below_its_line() {
        assert_eq!(
            shown("a\nb = \"ñandú\"\nc\n", 6..8),
            "p.toml:2:5: wrong\n  b = \"ñandú\"\n      ^\n  help: write it right\n"
        );
        // A place that goes on beyond its line is underlined to the line's end.
        assert_eq!(
            shown("ab\ncd\n", 1..5),
            "p.toml:1:2: wrong\n  ab\n   ^\n  help: write it right\n"
        );
        assert_eq!(
            shown("ab", 2..2),
            "p.toml:1:3: wrong\n  ab\n    ^\n  help: write it right\n"
        );
    }

    #[test]
    fn what_is_not_there_has_no_place() {
        assert_eq!(shown("", 0..0), "p.toml: wrong\n  help: write it right\n");
    }

    #[test]
    fn of_a_very_long_line_what_is_round_the_place_is_shown() {
        let text = format!("{}HERE{}", "a".repeat(5000), "b".repeat(5000));
        let said = shown(&text, 5000..5004);
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines[0], "p.toml:1:5001: wrong");
        assert_eq!(lines[1], format!("  …{}HERE{}…", "a".repeat(99), "b".repeat(95)));
        assert_eq!(lines[2], format!("  {}^^^^", " ".repeat(100)));
    }
}
