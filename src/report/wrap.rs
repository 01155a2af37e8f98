//! Lines broken between words, for a terminal.

use unicode_width::UnicodeWidthChar;

/// Breaks lines that are wider than `width` columns at blanks; what follows is indented further than its line. A word
/// that is wider by itself stays whole, so that a path or a spec can be copied.
#[must_use]
pub fn wrap(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        if columns(line) <= width {
            out.push_str(line);
        } else {
            broken(&mut out, line, width);
        }
        out.push('\n');
    }
    out
}

fn broken(out: &mut String, line: &str, width: usize) {
    let words = line.trim_start();
    let indent = line.len() - words.len();
    let further = " ".repeat((indent + 4).min(width / 2));
    out.push_str(&line[..indent]);
    let mut used = indent;
    let mut first = true;
    for word in words.split(' ') {
        let wide = columns(word);
        if !first && used + 1 + wide > width {
            // Blanks before the break are not carried over it.
            out.truncate(out.trim_end_matches(' ').len());
            out.push('\n');
            out.push_str(&further);
            used = further.len();
        } else if !first {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += wide;
        first = false;
    }
}

/// Columns on a terminal; the sequences that colour take none.
fn columns(text: &str) -> usize {
    let mut chars = text.chars();
    let mut columns = 0;
    while let Some(c) = chars.next() {
        if c == '\x1b' {
            chars.by_ref().find(char::is_ascii_alphabetic);
        } else {
            columns += c.width().unwrap_or(0);
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_what_follows_is_indented() {
        assert_eq!(
            wrap("short\n  why: one two three four\n\nx  y\n", 16),
            "short\n  why: one two\n      three four\n\nx  y\n"
        );
        assert_eq!(
            wrap("a /a/very/long/path b\n", 10),
            "a\n    /a/very/long/path\n    b\n"
        );
        assert_eq!(wrap("漢字 漢字 漢字\n", 9), "漢字 漢字\n    漢字\n");
    }

    #[test]
    fn colour_takes_no_columns() {
        let line = "\x1b[1;31mCRITICAL\x1b[0m: postfix missing\n";
        assert_eq!(wrap(line, 25), line);
        assert_eq!(
            wrap(line, 24),
            "\x1b[1;31mCRITICAL\x1b[0m: postfix\n    missing\n"
        );
    }
}
