//! Terms of a selector: `KEY OP VALUE|VALUE`, and where a bare word may stand.

use super::lexer::{Glyph, Piece};
use super::quoting::{in_quotes, quoted, shell_quoted, tight};
use super::value::Value;
use super::{nearest, splice, traps};
use crate::select::fault::Fault;
use crate::select::key::{Key, Kind};
use crate::select::selector::{Op, Selector, Term};
use crate::snapshot::accounts::Accounts;

/// Where the keys are told.
const KEYS: &str = "`procward keys` lists the keys";

/// Each fault spells the whole spec right: many of them in a long one would be many megabytes.
const MOST_FAULTS: usize = 50;

/// Reads the terms of one selector.
pub(super) struct Reader<'a> {
    /// The whole spec.
    pub(super) text: &'a str,
    pub(super) accounts: &'a dyn Accounts,
    /// The colon and the range, or nothing.
    pub(super) tail: Piece<'a>,
    /// A fault has said already that a colon is out of place.
    pub(super) colon_explained: bool,
    /// A bare word holds no blank; ps.monitor's may.
    pub(super) one_word: bool,
    pub(super) faults: &'a mut Vec<Fault>,
}

impl<'a> Reader<'a> {
    /// Reads a selector; where there are faults, what it gives is not whole.
    pub(super) fn selector(&mut self, selector: Piece<'a>) -> Selector {
        let mut terms = Vec::new();
        let mut places = Vec::new();
        let mut word = None;
        if selector.is_empty() {
            let help = format!("write `NAME{}`", self.tail.raw());
            self.fault(self.tail, "a range without a selector", help);
        } else {
            let braces = selector.braces();
            let inside = |index: usize| braces.is_some_and(|(open, close)| open < index && index < close);
            let pieces = selector.split(',', inside);
            let first = pieces.iter().position(|piece| !piece.trim().is_empty());
            for (index, piece) in pieces.into_iter().enumerate() {
                if self.faults.len() >= MOST_FAULTS {
                    self.fault(selector, "there are more faults", "mend these first");
                    break;
                }
                let piece = piece.trim();
                let term = if piece.is_empty() {
                    self.faults.push(Fault::new(
                        piece.span(),
                        "nothing on one side of a comma",
                        "leave the comma out, or quote it",
                    ));
                    continue;
                } else if piece.braces().is_some() {
                    self.braces(piece);
                    continue;
                } else {
                    operator(piece)
                };
                match term {
                    Some((at, length, op)) => terms.extend(self.term(piece, at, length, op)),
                    None if Some(index) == first => {
                        word = Some(piece.plain());
                        terms.extend(self.word(piece));
                    }
                    None => self.later_word(piece),
                }
                places.resize(terms.len(), piece.span());
            }
        }
        if self.faults.is_empty() {
            self.faults.extend(traps::contradictions(&terms, &places));
        }
        Selector {
            text: selector.raw().to_string(),
            word,
            terms,
        }
    }

    pub(super) fn fault(&mut self, piece: Piece<'_>, message: impl Into<String>, help: impl Into<String>) {
        self.faults.push(Fault::new(piece.span(), message, help));
    }

    /// `write SPEC`, the spec with something else in place of `piece`.
    pub(super) fn write(&self, piece: Piece<'_>, with: &str) -> String {
        format!("write `{}`", splice(self.text, piece.span(), with))
    }

    /// A group in braces, as shells expand it.
    fn braces(&mut self, piece: Piece<'a>) {
        let Some((open, close)) = piece.braces() else {
            return;
        };
        if let Some((at, length, op)) = operator(piece) {
            let value = piece.after(at + length);
            if matches!(op, Op::Like | Op::NotLike) {
                let help = self.write(value, &quoted(value));
                self.fault(value, "a comma outside quotes in an expression", help);
                return;
            }
        }
        let (before, after) = (piece.before(open).raw(), piece.after(close + 1).raw());
        let (key, prefix) = match operator(piece) {
            Some((at, length, _)) if at + length <= open => (
                piece.before(at + length).raw().to_string(),
                piece.part(at + length, open).raw(),
            ),
            _ if before.starts_with('/') => ("exe=".to_string(), before),
            _ => ("name=".to_string(), before),
        };
        let members = piece.part(open + 1, close).split(',', |_| false);
        let any: Vec<String> = members
            .iter()
            .map(|member| format!("{prefix}{}{after}", member.trim().raw()))
            .collect();
        let each = members.iter().map(|member| {
            shell_quoted(&splice(
                self.text,
                piece.span(),
                &format!("{before}{}{after}", member.trim().raw()),
            ))
        });
        let each: Vec<String> = each.collect();
        let count = if each.len() == 2 {
            "two specs".to_string()
        } else {
            format!("{} specs", each.len())
        };
        let help = format!(
            "{} for any of them, or {count}: {}",
            self.write(piece, &format!("{key}{}", any.join("|"))),
            each.join(" ")
        );
        self.fault(piece, "braces are not expanded", help);
    }

    /// `KEY OP VALUE|VALUE`, the operator at `at`.
    fn term(&mut self, piece: Piece<'a>, at: usize, length: usize, op: Op) -> Option<Term> {
        let (left, right) = (piece.before(at), piece.after(at + length));
        let name = left.trim().plain();
        if left.trim().is_empty() {
            let help = self.write(piece, &format!("name{}{}", op.text(), right.raw()));
            self.fault(piece, format!("no key before `{}`", op.text()), help);
            return None;
        }
        if !right.is_empty() && (left.raw() != left.trim().raw() || right.raw() != right.trim().raw()) {
            let help = self.write(
                piece,
                &format!("{}{}{}", left.trim().raw(), op.text(), right.trim().raw()),
            );
            self.fault(piece, format!("blanks round `{}`", op.text()), help);
            return None;
        }
        let doubled = match (op, right.glyphs().first()) {
            (Op::Is, Some(next)) if next.is('=') => Some(("==", "=")),
            (Op::Is, Some(next)) if next.is('~') => Some(("=~", "~")),
            (Op::Is, Some(next)) if next.is('<') => Some(("=<", "<=")),
            (Op::Is, Some(next)) if next.is('>') => Some(("=>", ">=")),
            (Op::Less, Some(next)) if next.is('>') => Some(("<>", "!=")),
            (Op::Like, Some(next)) if next.is('=') => Some(("~=", "~")),
            (Op::Like, Some(next)) if next.is('~') => Some(("~~", "~")),
            _ => None,
        };
        if let Some((wrong, meant)) = doubled {
            let help = self.write(piece, &format!("{}{meant}{}", left.raw(), right.after(1).raw()));
            self.fault(
                piece.part(at, at + length + 1),
                format!("`{wrong}` is no operator"),
                help,
            );
            return None;
        }
        let Some(key) = Key::by_name(&name) else {
            let near = nearest::key(&name).map(|near| self.write(left, near));
            let message = format!("key `{name}` is not known");
            self.fault(left, message, near.unwrap_or_else(|| KEYS.to_owned()));
            return None;
        };
        let allowed = operators(key.kind());
        if !allowed.contains(&op) {
            let allowed: Vec<String> = allowed.iter().map(|op| format!("`{}`", op.text())).collect();
            let help = format!("write `{name}` with {}", allowed.join(" "));
            self.fault(
                piece.part(at, at + length),
                format!("`{name}` takes no `{}`", op.text()),
                help,
            );
            return None;
        }
        self.values(key, op, right, piece, piece.raw().to_string()).pop()
    }

    /// The values of a term; nothing where one is faulty.
    pub(super) fn values(
        &mut self,
        key: Key,
        op: Op,
        right: Piece<'a>,
        term: Piece<'a>,
        text: String,
    ) -> Vec<Term> {
        if right.is_empty() {
            let help = if matches!(key.kind(), Kind::Text | Kind::Program) {
                self.empty_value_help(right, term)
            } else {
                self.write(right, "VALUE")
            };
            self.faults.push(Fault::new(
                term.span(),
                format!("no value for `{}`", key.name()),
                help,
            ));
            return Vec::new();
        }
        let pieces = match op {
            Op::Like | Op::NotLike => vec![right],
            _ => right.split('|', |_| false),
        };
        let mut values = Vec::new();
        for piece in pieces {
            if piece.is_empty() {
                let help = "leave the `|` out, quote it, or write `\"\"` for an empty value";
                self.fault(right, "nothing on one side of `|`", help);
            } else if piece.raw() != piece.trim().raw() {
                let help = self.write(right, &tight(right));
                self.fault(piece, "blanks round `|`", help);
            } else if self.one_word && op != Op::Like && op != Op::NotLike && holds_a_break(piece) {
                let help = self.write(piece, &quoted(piece));
                self.fault(piece, "a tab or a line break outside quotes in a value", help);
            } else if !self.colon_explained && piece.find(|glyph| glyph.is(':')).is_some() {
                let mut help = self.write(piece, &quoted(piece));
                if piece.end() == self.tail.start() {
                    let value = format!("{}{}", piece.raw(), self.tail.raw());
                    let meant = splice(
                        self.text,
                        piece.start()..self.tail.end(),
                        &format!("{}:1-", in_quotes(&value)),
                    );
                    help = format!("{help}, or `{meant}`");
                }
                self.fault(piece, "a colon outside quotes in a value", help);
            } else {
                match (Value {
                    key,
                    op,
                    piece,
                    all: right,
                    text: self.text,
                    term,
                })
                .read(self.accounts)
                {
                    Ok(matcher) => values.push(matcher),
                    Err(fault) => self.faults.push(fault),
                }
            }
        }
        vec![Term {
            text,
            key,
            op,
            values,
        }]
    }

    fn empty_value_help(&self, right: Piece<'_>, term: Piece<'_>) -> String {
        let empty = splice(self.text, right.span(), "\"\"");
        if right.end() == self.tail.start() && !self.tail.is_empty() && term.end() == right.end() {
            // `arg=:0`: the colon may be the value's.
            let value = format!("\"{}\":1-", self.tail.raw());
            let meant = splice(self.text, right.start()..self.tail.end(), &value);
            return format!("write `{meant}`, or `{empty}` for an empty value");
        }
        format!("write `{empty}` for an empty value")
    }
}

/// Whether it holds a tab or a line break outside quotes.
fn holds_a_break(piece: Piece<'_>) -> bool {
    let is_break = |glyph: Glyph| glyph.is_blank() && glyph.char() != ' ';
    piece.find(is_break).is_some()
}

/// The first operator outside quotes: its place, its length, which.
fn operator(piece: Piece<'_>) -> Option<(usize, usize, Op)> {
    let glyphs = piece.glyphs();
    let is = |index: usize, ch: char| glyphs.get(index).is_some_and(|glyph: &Glyph| glyph.is(ch));
    (0..glyphs.len()).find_map(|at| {
        let (length, op) = match () {
            () if is(at, '=') => (1, Op::Is),
            () if is(at, '~') => (1, Op::Like),
            () if is(at, '!') && is(at + 1, '=') => (2, Op::IsNot),
            () if is(at, '!') && is(at + 1, '~') => (2, Op::NotLike),
            () if is(at, '<') && is(at + 1, '=') => (2, Op::AtMost),
            () if is(at, '<') => (1, Op::Less),
            () if is(at, '>') && is(at + 1, '=') => (2, Op::AtLeast),
            () if is(at, '>') => (1, Op::More),
            () => return None,
        };
        Some((at, length, op))
    })
}

fn operators(kind: Kind) -> &'static [Op] {
    match kind {
        Kind::Text | Kind::Program | Kind::Level | Kind::Listen => {
            &[Op::Is, Op::IsNot, Op::Like, Op::NotLike]
        }
        Kind::Number | Kind::Duration | Kind::Size | Kind::Percent | Kind::User | Kind::Group => {
            &[Op::Is, Op::IsNot, Op::Less, Op::AtMost, Op::More, Op::AtLeast]
        }
        Kind::YesNo | Kind::State | Kind::Capability | Kind::Word | Kind::Octal => &[Op::Is, Op::IsNot],
        Kind::Scope => &[Op::Is],
    }
}

/// The spec with its last value or word, colon and all, in quotes, and `range` behind it.
pub(super) fn quoted_tail(text: &str, whole: Piece<'_>, range: &str) -> String {
    let from = whole
        .find_last(|glyph| glyph.is(','))
        .map_or(0, |comma| comma + 1);
    let term = whole.after(from).trim();
    let value = operator(term).map_or(term, |(at, length, _)| term.after(at + length));
    let spec = splice(text, value.span(), &format!("{}{range}", quoted(value)));
    spec.trim().to_string()
}
