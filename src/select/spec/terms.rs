//! Terms of a selector: the bare first word, and `KEY OP VALUE|VALUE`.

use super::lexer::{Glyph, Piece};
use super::value::{STATES, Value};
use super::{nearest, ranges, splice, traps};
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

    fn fault(&mut self, piece: Piece<'_>, message: impl Into<String>, help: impl Into<String>) {
        self.faults.push(Fault::new(piece.span(), message, help));
    }

    /// `write SPEC`, the spec with something else in place of `piece`.
    fn write(&self, piece: Piece<'_>, with: &str) -> String {
        format!("write `{}`", splice(self.text, piece.span(), with))
    }

    /// The bare first word.
    fn word(&mut self, piece: Piece<'a>) -> Vec<Term> {
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
        let values = vec![crate::select::selector::Matcher::YesNo(true)];
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
        let (key, value) = plain.split_once('!')?;
        Key::by_name(key).map(|key| {
            (
                format!("`{plain}` has no operator"),
                self.write(piece, &format!("{}!={value}", key.name())),
            )
        })
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
    fn later_word(&mut self, piece: Piece<'a>) {
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
    fn values(&mut self, key: Key, op: Op, right: Piece<'a>, term: Piece<'a>, text: String) -> Vec<Term> {
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

/// The values without blanks round `|`.
fn tight(piece: Piece<'_>) -> String {
    let values: Vec<&str> = piece
        .split('|', |_| false)
        .iter()
        .map(|value| value.trim().raw())
        .collect();
    values.join("|")
}

/// The piece in quotes.
fn quoted(piece: Piece<'_>) -> String {
    let plain = piece.plain();
    if piece.begins('[') && piece.ends(']') && piece.glyphs().len() > 2 {
        return format!(
            "[{}]",
            in_quotes(plain.get(1..plain.len() - 1).unwrap_or_default())
        );
    }
    in_quotes(&plain)
}

pub(super) fn in_quotes(plain: &str) -> String {
    match (plain.contains('"'), plain.contains('\'')) {
        (false, _) => format!("\"{plain}\""),
        (true, false) => format!("'{plain}'"),
        (true, true) => plain
            .split('"')
            .map(|part| format!("\"{part}\""))
            .collect::<Vec<_>>()
            .join("'\"'"),
    }
}

/// A value in quotes, if it holds what a spec would take for its own.
pub(super) fn quoted_where_needed(value: &str) -> String {
    if value.contains([',', ':', '"', '\'']) {
        in_quotes(value)
    } else {
        value.to_string()
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

/// As a shell takes it for one argument.
pub(super) fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
