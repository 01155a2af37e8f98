//! Characters of a spec with their places, and what quotes do to them.

use crate::select::fault::Fault;
use std::ops::Range;

/// One character of the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Glyph {
    /// Its first byte in the text.
    at: usize,
    ch: char,
    /// Inside quotes: no separator.
    quoted: bool,
    /// A quote that opens or closes: not part of any value.
    mark: bool,
}

impl Glyph {
    /// Whether this is `ch` outside quotes.
    pub(super) fn is(self, ch: char) -> bool {
        self.bare() && self.ch == ch
    }
    /// Whether this is a blank outside quotes.
    pub(super) fn is_blank(self) -> bool {
        self.bare() && self.ch.is_ascii_whitespace()
    }
    /// The character.
    pub(super) fn char(self) -> char {
        self.ch
    }
    /// The character, outside quotes.
    pub(super) fn bare_char(self) -> Option<char> {
        self.bare().then_some(self.ch)
    }
    /// Its place in the text.
    pub(super) fn span(self) -> Range<usize> {
        self.at..self.at + self.ch.len_utf8()
    }
    /// Makes it a part of its value, as quotes do.
    pub(super) fn hold(&mut self) {
        self.quoted = true;
    }
    fn bare(self) -> bool {
        !self.quoted && !self.mark
    }
}

/// Reads the characters; a quote that is never closed is a fault and holds all that follows.
pub(super) fn scan(text: &str, faults: &mut Vec<Fault>) -> Vec<Glyph> {
    let mut open: Option<(usize, char)> = None;
    let mut glyphs = Vec::with_capacity(text.len());
    for (at, ch) in text.char_indices() {
        let mark = match open {
            Some((_, quote)) => quote == ch,
            None => ch == '"' || ch == '\'',
        };
        glyphs.push(Glyph {
            at,
            ch,
            quoted: open.is_some() && !mark,
            mark,
        });
        if mark {
            open = if open.is_some() { None } else { Some((at, ch)) };
        }
    }
    if let Some((at, quote)) = open {
        let other = if quote == '"' { '\'' } else { '"' };
        let help = format!(
            "close it, or put a quote that is meant between quotes of the other kind: {other}{quote}{other}"
        );
        faults.push(Fault::new(
            at..text.len(),
            format!("the quote {quote} is never closed"),
            help,
        ));
    }
    glyphs
}

/// A stretch of the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'a> {
    source: &'a str,
    glyphs: &'a [Glyph],
    /// Where it begins, also when it is empty.
    at: usize,
}

impl<'a> Piece<'a> {
    pub(super) fn new(source: &'a str, glyphs: &'a [Glyph]) -> Self {
        Piece {
            source,
            glyphs,
            at: glyphs.first().map_or(0, |glyph| glyph.at),
        }
    }

    pub(super) fn start(self) -> usize {
        self.at
    }
    pub(super) fn end(self) -> usize {
        self.glyphs
            .last()
            .map_or(self.at, |glyph| glyph.at + glyph.ch.len_utf8())
    }
    pub(super) fn span(self) -> Range<usize> {
        self.at..self.end()
    }
    pub(super) fn is_empty(self) -> bool {
        self.glyphs.is_empty()
    }
    pub(super) fn glyphs(self) -> &'a [Glyph] {
        self.glyphs
    }

    /// As written, quotes included.
    pub(super) fn raw(self) -> &'a str {
        self.source.get(self.span()).unwrap_or_default()
    }

    /// Without the quotes.
    pub(super) fn plain(self) -> String {
        self.glyphs
            .iter()
            .filter(|glyph| !glyph.mark)
            .map(|glyph| glyph.ch)
            .collect()
    }

    /// The place in the text of a range of bytes of [`Piece::plain`].
    pub(super) fn place(self, plain: Range<usize>) -> Range<usize> {
        let mut offset = 0;
        let (mut start, mut end) = (self.end(), self.end());
        for glyph in self.glyphs.iter().filter(|glyph| !glyph.mark) {
            if offset <= plain.start {
                start = glyph.at;
            }
            if offset < plain.end {
                end = glyph.at + glyph.ch.len_utf8();
            }
            offset += glyph.ch.len_utf8();
        }
        if plain.start >= offset {
            start = self.end();
        }
        start..end.max(start)
    }

    /// The place of the first character outside quotes that `wanted` accepts.
    pub(super) fn find(self, wanted: impl Fn(Glyph) -> bool) -> Option<usize> {
        self.glyphs.iter().position(|glyph| wanted(*glyph))
    }
    /// The place of the last one.
    pub(super) fn find_last(self, wanted: impl Fn(Glyph) -> bool) -> Option<usize> {
        self.glyphs.iter().rposition(|glyph| wanted(*glyph))
    }

    /// The characters from `from` up to `to`.
    pub(super) fn part(self, from: usize, to: usize) -> Piece<'a> {
        let to = to.min(self.glyphs.len());
        let from = from.min(to);
        let at = self.glyphs.get(from).map_or(self.end(), |glyph| glyph.at);
        Piece {
            source: self.source,
            glyphs: &self.glyphs[from..to],
            at,
        }
    }
    /// The characters up to `to`.
    pub(super) fn before(self, to: usize) -> Piece<'a> {
        self.part(0, to)
    }
    /// The characters from `from` on.
    pub(super) fn after(self, from: usize) -> Piece<'a> {
        self.part(from, self.glyphs.len())
    }

    /// Without the blanks at both ends.
    pub(super) fn trim(self) -> Piece<'a> {
        let Some(from) = self.find(|glyph| !glyph.is_blank()) else {
            return self.before(0);
        };
        let to = self
            .find_last(|glyph| !glyph.is_blank())
            .map_or(from, |last| last + 1);
        self.part(from, to)
    }

    /// Split at each `separator` outside quotes that `inside` does not hold.
    pub(super) fn split(self, separator: char, inside: impl Fn(usize) -> bool) -> Vec<Piece<'a>> {
        let mut pieces = Vec::new();
        let mut from = 0;
        for (index, glyph) in self.glyphs.iter().enumerate() {
            if glyph.is(separator) && !inside(index) {
                pieces.push(self.part(from, index));
                from = index + 1;
            }
        }
        pieces.push(self.after(from));
        pieces
    }

    /// Braces outside quotes with a comma between them, as a shell would expand: places of both.
    pub(super) fn braces(self) -> Option<(usize, usize)> {
        let open = self.find(|glyph| glyph.is('{'))?;
        let close = open + self.after(open).find(|glyph| glyph.is('}'))?;
        self.part(open, close)
            .find(|glyph| glyph.is(','))
            .map(|_| (open, close))
    }

    /// Whether it begins with this character, outside quotes.
    pub(super) fn begins(self, ch: char) -> bool {
        self.glyphs.first().is_some_and(|glyph| glyph.is(ch))
    }
    /// Whether it ends with this character, outside quotes.
    pub(super) fn ends(self, ch: char) -> bool {
        self.glyphs.last().is_some_and(|glyph| glyph.is(ch))
    }
}
