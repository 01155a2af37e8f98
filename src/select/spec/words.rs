//! Words without an operator: the bare first one, which is a name or a path, and what was not meant as one.

use super::lexer::Piece;
use super::quoting::{in_quotes, quoted, tight};
use super::terms::Reader;
use super::value::STATES;
use super::{ranges, splice};
use crate::select::key::{Key, Kind};
use crate::select::selector::{Matcher, Op, Term};

impl<'a> Reader<'a> {
    /// The bare first word.
    pub(super) fn word(&mut self, piece: Piece<'a>) -> Vec<Term> {
        let plain = piece.plain();
        if let Some((message, help)) = self.word_fault(piece, &plain) {
            self.fault(piece, message, help);
            return Vec::new();
        }
        if self.colon_explained {
            return Vec::new();
        }
        let inner = piece.after(1);
        let bracketed = piece.begins('[')
            && inner.find(|glyph| glyph.is(']')) == Some(inner.glyphs().len().wrapping_sub(1));
        if bracketed {
            let inner = inner.before(inner.glyphs().len() - 1);
            let mut terms = self.values(Key::Name, Op::Is, inner, piece, format!("name={}", inner.raw()));
            terms.extend(self.kernel_thread());
            terms
        } else {
            let key = if plain.starts_with('/') {
                Key::Exe
            } else {
                Key::Name
            };
            self.values(
                key,
                Op::Is,
                piece,
                piece,
                format!("{}={}", key.name(), piece.raw()),
            )
        }
    }

    fn kernel_thread(&self) -> Vec<Term> {
        let values = vec![Matcher::YesNo(true)];
        vec![Term {
            text: "kthread=yes".into(),
            key: Key::Kthread,
            op: Op::Is,
            values,
        }]
    }

    /// Why a word may not stand bare, and what to write.
    fn word_fault(&self, piece: Piece<'_>, plain: &str) -> Option<(String, String)> {
        if plain.is_empty() {
            return Some(("an empty name".into(), self.write(piece, "NAME")));
        }
        if plain
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .is_some_and(str::is_empty)
        {
            return Some(("an empty name in brackets".into(), self.write(piece, "[NAME]")));
        }
        if self.colon_explained
            && (Key::by_name(plain).is_some() || piece.find(|glyph| glyph.is(':')).is_some())
        {
            return None;
        }
        if piece.find(|glyph| glyph.is(':')).is_some() {
            return Some((
                "a colon outside quotes in a name".into(),
                self.write(piece, &quoted(piece)),
            ));
        }
        if piece.find(|glyph| glyph.is('|')).is_some() {
            let key = if plain.starts_with('/') { "exe" } else { "name" };
            let help = self.write(piece, &format!("{key}={}", tight(piece)));
            return Some(("a bare word holds no `|`".into(), help));
        }
        // Quoted, a word is a name, whatever it looks like.
        if piece.raw() != plain {
            return None;
        }
        if let Some(word) = plain.strip_prefix('!') {
            let help = format!(
                "{}, or with the range 0 for what must not run",
                self.write(piece, &format!("name!={word}"))
            );
            return Some((format!("`{plain}` is not a term"), help));
        }
        if self.one_word
            && let Some(fault) = self.blank_fault(piece, plain)
        {
            return Some(fault);
        }
        self.look_alike(piece, plain).or_else(|| {
            let (key, value) = plain.split_once('!')?;
            let key = Key::by_name(key)?.name();
            let help = self.write(piece, &format!("{key}!={value}"));
            Some((format!("`{plain}` has no operator"), help))
        })
    }

    /// A word of the language, or a range, in the place of a name.
    fn look_alike(&self, piece: Piece<'_>, plain: &str) -> Option<(String, String)> {
        let as_name = splice(self.text, piece.span(), &format!("name={plain}"));
        if let Some(key) = Key::by_name(plain) {
            let value = match key.kind() {
                Kind::YesNo => "yes",
                _ => "VALUE",
            };
            let term = self.write(piece, &format!("{plain}={value}"));
            return Some((
                format!("`{plain}` is a key, not a name"),
                format!("{term}, or `{as_name}` for a program of that name"),
            ));
        }
        if let Some((_, state)) = STATES.iter().find(|(_, name)| *name == plain) {
            let term = self.write(piece, &format!("state={state}"));
            return Some((
                format!("`{plain}` is a state, not a name"),
                format!("{term}, or `{as_name}` for a program of that name"),
            ));
        }
        if ranges::looks_like_one(plain) || plain == "-" {
            let message = if self.tail.is_empty() {
                format!("`{plain}` is a range without a selector")
            } else {
                format!("`{plain}` looks like a range, not a name")
            };
            let help = if self.tail.is_empty() {
                match ranges::read(plain, false).map_err(|wrong| wrong.instead) {
                    Ok(_) => format!("write `NAME:{plain}`"),
                    Err(right) => format!("write `NAME:{}`", right.unwrap_or_else(|| "1-".into())),
                }
            } else {
                format!("write `{as_name}`")
            };
            return Some((message, help));
        }
        None
    }

    /// A bare word with a blank: two names, or a name and its arguments.
    fn blank_fault(&self, piece: Piece<'_>, plain: &str) -> Option<(String, String)> {
        let (name, rest) = plain.split_once(|ch: char| ch.is_ascii_whitespace())?;
        let rest = rest.trim_start();
        let quoted = self.write(piece, &in_quotes(plain));
        if rest.starts_with(['-', '/']) {
            let help = format!(
                "{}, or {quoted} for a name with a blank",
                self.write(
                    piece,
                    &format!("{name},cmdline={}", in_quotes(&format!("{plain}*")))
                )
            );
            return Some((format!("`{plain}` is a command line, and not a name"), help));
        }
        let key = if plain.starts_with('/') { "exe" } else { "name" };
        let either = plain.split_ascii_whitespace().collect::<Vec<_>>().join("|");
        let help = format!(
            "{quoted}, or {} for either",
            self.write(piece, &format!("{key}={either}"))
        );
        Some(("a blank outside quotes in a name".into(), help))
    }

    /// A word that is not the first.
    pub(super) fn later_word(&mut self, piece: Piece<'a>) {
        let plain = piece.plain();
        let message = format!("`{plain}` is not a term: a bare word stands only in the first place");
        let help = match Key::by_name(&plain) {
            Some(key) if key.kind() == Kind::YesNo => self.write(piece, &format!("{plain}=yes")),
            Some(key) => self.write(piece, &format!("{}=VALUE", key.name())),
            None => {
                let key = if plain.starts_with('/') { "exe" } else { "name" };
                format!(
                    "{}, or quote the comma where it belongs to a value",
                    self.write(piece, &format!("{key}={}", piece.raw()))
                )
            }
        };
        self.fault(piece, message, help);
    }
}
