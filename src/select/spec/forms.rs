//! Colons and commas that the form of a value allows, and that need no quotes: in labels, in levels of SELinux,
//! in addresses, and in what the kernel calls its objects: `anon_inode:bpf-prog`.

use super::lexer::Glyph;
use super::{Form, ranges};
use crate::select::key::Key;
use crate::select::label::level::Levels;

/// Makes them part of their values.
pub(super) fn hold(glyphs: &mut [Glyph], form: Form) {
    let mut from = 0;
    while from < glyphs.len() {
        let until = match value(&glyphs[from..]) {
            Some((key, at)) => {
                let start = from + at;
                let end = start + extent(key, &glyphs[start..], form);
                for glyph in &mut glyphs[start..end] {
                    if glyph.is(':') || glyph.is(',') {
                        glyph.hold();
                    }
                }
                end
            }
            None => from,
        };
        from = until + comma(&glyphs[until..]) + 1;
    }
}

/// The key of a term whose values have colons, and where its value begins.
fn value(term: &[Glyph]) -> Option<(Key, usize)> {
    let blanks = term.iter().take_while(|glyph| glyph.is_blank()).count();
    let word: String = term[blanks..]
        .iter()
        .map_while(|glyph| glyph.bare_char())
        .take_while(|ch| !"=!~,:|".contains(*ch))
        .collect();
    let key = [
        Key::Label,
        Key::SelinuxLevel,
        Key::ApparmorProfile,
        Key::Smack,
        Key::Listen,
        Key::Fd,
    ]
    .into_iter()
    .find(|key| key.name() == word)?;
    let rest = &term[blanks + word.chars().count()..];
    let not = usize::from(rest.first().is_some_and(|glyph| glyph.is('!')));
    let operator = rest.get(not).is_some_and(|glyph| glyph.is('=') || glyph.is('~'));
    operator.then_some((key, term.len() - rest.len() + not + 1))
}

/// How many characters belong to the value that the rest of a spec begins with.
fn extent(key: Key, rest: &[Glyph], form: Form) -> usize {
    match key {
        Key::SelinuxLevel => {}
        Key::Listen => return listen(rest, form),
        _ => return label(key, rest, form),
    }
    let mut length = 0;
    while let Some(more) = level(&rest[length..]) {
        length += more;
        if !rest.get(length).is_some_and(|glyph| glyph.is('|')) {
            break;
        }
        length += 1;
    }
    length
}

fn level(rest: &[Glyph]) -> Option<usize> {
    // Its characters are bytes.
    Levels::first(bare(rest).as_bytes()).map(|(_, length)| length)
}

/// What is no path ends with its protocol; a path has the colons that a label has.
fn listen(rest: &[Glyph], form: Form) -> usize {
    let end = comma(rest);
    let last = rest[..end].iter().rposition(|glyph| glyph.is('|'));
    let last = last.map_or(0, |bar| bar + 1);
    let text = bare(&rest[last..end]);
    let protocol = ["/tcp", "/udp"].iter().filter_map(|word| text.rfind(word)).max();
    match protocol {
        Some(at) if !text.starts_with(['/', '@']) => last + text[..at].chars().count() + "/tcp".len(),
        // A port, or an address, that lacks its protocol: a fault, whatever follows.
        None if !text.starts_with(['/', '@']) && end == rest.len() => range(rest, form).unwrap_or(end),
        _ => label(Key::Listen, rest, form),
    }
}

/// A label ends at the next comma that is not between its categories, or at the range.
fn label(key: Key, rest: &[Glyph], form: Form) -> usize {
    let mut end = comma(rest);
    while key == Key::Label && end < rest.len() && categories(&rest[..end], &rest[end + 1..]) {
        end += 1 + comma(&rest[end + 1..]);
    }
    if end == rest.len()
        && let Some(colon) = range(rest, form)
    {
        end = colon;
    }
    // What looks like a range behind a value, too, is for the user to put in quotes.
    range(&rest[..end], form).unwrap_or(end)
}

/// The colon before a range at the end, or before what looks like one that went wrong.
fn range(value: &[Glyph], form: Form) -> Option<usize> {
    let colon = value.iter().rposition(|glyph| glyph.is(':'))?;
    let tail: String = value[colon + 1..].iter().map(|glyph| glyph.char()).collect();
    let tail = tail.trim();
    let is_range = match ranges::read(tail, form.lone_dash()) {
        Ok(_) => true,
        // A glob may end so.
        Err(_) if tail == "*" => false,
        Err(wrong) => wrong.instead.is_some() || tail.is_empty() || ranges::looks_like_one(tail),
    };
    is_range.then_some(colon)
}

/// Whether the comma between these is one between categories.
fn categories(before: &[Glyph], after: &[Glyph]) -> bool {
    let category = |glyphs: &[Glyph]| {
        let text = bare(glyphs);
        let number = text.strip_prefix('c').unwrap_or_default();
        let digits = number.bytes().take_while(u8::is_ascii_digit).count();
        let next = number[digits..].chars().next();
        digits > 0 && next.is_none_or(|next| ".,:-|".contains(next) || next.is_ascii_whitespace())
    };
    let start = before.iter().rposition(|glyph| ":,.".contains(glyph.char()));
    start.is_some_and(|start| category(&before[start + 1..])) && category(after)
}

/// The text up to the first quote.
fn bare(glyphs: &[Glyph]) -> String {
    glyphs.iter().map_while(|glyph| glyph.bare_char()).collect()
}

/// Where the next comma outside quotes is, or the end.
fn comma(rest: &[Glyph]) -> usize {
    rest.iter().position(|glyph| glyph.is(',')).unwrap_or(rest.len())
}
