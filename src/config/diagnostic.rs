//! Shows a fault: file, line and column, the line itself, the place underlined, what to write.

use crate::report::escape;
use crate::select::Fault;
use unicode_width::UnicodeWidthStr;

/// A fault of `text`, which is called `name`.
#[must_use]
pub fn render(name: &str, text: &str, fault: &Fault) -> String {
    let start = floor(text, fault.start.min(text.len()));
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let end = floor(text, fault.end.clamp(start, line_end));
    let number = text[..start].matches('\n').count() + 1;
    let column = text[line_start..start].chars().count() + 1;
    let shown = |part: &str| escape::text(part.as_bytes());
    let (before, place, after) = (
        shown(&text[line_start..start]),
        shown(&text[start..end]),
        shown(&text[end..line_end]),
    );
    let indent = " ".repeat(before.width());
    let carets = "^".repeat(place.width().max(1));
    let mut lines = format!(
        "{}:{number}:{column}: {}\n  {before}{place}{after}\n  {indent}{carets}\n",
        shown(name),
        shown(&fault.message)
    );
    if !fault.help.is_empty() {
        lines += &format!("  help: {}\n", shown(&fault.help));
    }
    lines
}

/// The nearest boundary of a character at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}
