//! Hostile bytes to printable text. Everything that comes from a process, a spec or a file goes through here, and
//! nowhere else.

use std::fmt::Write;

/// Text that is safe on a terminal, in a pager and in one-line protocols: control bytes, invalid UTF-8 and
/// characters that reorder or hide text become `\xNN` or `\u{NNNN}`.
#[must_use]
pub fn text(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                c if c.is_ascii_control() => {
                    let _ = write!(out, "\\x{:02x}", u32::from(c));
                }
                c if is_treacherous(c) => {
                    let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
                }
                c => out.push(c),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

/// For dialects in which performance data begins at `|`: `¦` in its place.
#[must_use]
pub fn without_bars(text: &str) -> String {
    text.replace('|', "¦")
}

/// C1 controls, bidirectional marks and overrides, zero-width and line-separating characters, tags.
#[must_use]
pub fn is_treacherous(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_another_one_where_performance_data_would_begin() {
        assert_eq!(without_bars(&text(b"a|b\n\x1b")), "a¦b\\n\\x1b");
    }

    #[test]
    fn nothing_raw_gets_through() {
        assert_eq!(text(b"a\nb\x1b[31m|c\xff\x7f"), "a\\nb\\x1b[31m|c\\xff\\x7f");
        assert_eq!(
            text("x\u{202e}y\u{200b}z\u{85}".as_bytes()),
            "x\\u{202e}y\\u{200b}z\\u{85}"
        );
        assert_eq!(text("naïve (deleted)".as_bytes()), "naïve (deleted)");
    }
}
