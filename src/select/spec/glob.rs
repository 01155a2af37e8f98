//! Globs over bytes, translated to anchored expressions.

use regex::bytes::{Regex, RegexBuilder};
use std::fmt::Write;
use std::ops::Range;

/// A piece of a glob.
#[derive(Debug)]
enum Token {
    Literal(u8),
    /// `*`
    Any,
    /// `?`
    One,
    /// `[…]`: whether it is negated, and ranges of bytes.
    Class(bool, Vec<(u8, u8)>),
}

/// What is wrong with a glob: place in it, message, help.
pub(super) type Wrong = (Range<usize>, String, String);

/// A parsed glob.
#[derive(Debug)]
pub(super) struct Glob(Vec<Token>);

impl Glob {
    /// Reads a glob.
    pub(super) fn parse(text: &str) -> Result<Glob, Wrong> {
        let bytes = text.as_bytes();
        let mut tokens = Vec::with_capacity(bytes.len());
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            let next = bytes.get(at + 1).copied();
            at += 1;
            match byte {
                b'*' => {
                    if !matches!(tokens.last(), Some(Token::Any)) {
                        tokens.push(Token::Any);
                    }
                }
                b'?' => tokens.push(Token::One),
                b'\\' if next.is_some_and(|next| b"*?[\\".contains(&next)) => {
                    tokens.push(Token::Literal(next.unwrap_or(b'\\')));
                    at += 1;
                }
                b'[' => {
                    let (token, end) = class(text, at)?;
                    tokens.push(token);
                    at = end;
                }
                byte => tokens.push(Token::Literal(byte)),
            }
        }
        Ok(Glob(tokens))
    }

    /// The text, where there are no wildcards.
    pub(super) fn exact(&self) -> Option<Vec<u8>> {
        self.0
            .iter()
            .map(|token| {
                if let Token::Literal(byte) = token {
                    Some(*byte)
                } else {
                    None
                }
            })
            .collect()
    }

    /// How many bytes at least a match has.
    pub(super) fn least(&self) -> usize {
        self.0.iter().filter(|token| !matches!(token, Token::Any)).count()
    }

    /// The first byte of every match, where there is but one.
    pub(super) fn first(&self) -> Option<u8> {
        if let Some(Token::Literal(byte)) = self.0.first() {
            Some(*byte)
        } else {
            None
        }
    }

    /// The expression; `Err` where it is too large.
    pub(super) fn regex(&self) -> Result<Regex, regex::Error> {
        let mut pattern = String::from(r"\A");
        for token in &self.0 {
            // Writing to a String cannot fail.
            let _ = match token {
                Token::Literal(byte) => write!(pattern, r"\x{byte:02x}"),
                Token::Any => write!(pattern, ".*"),
                Token::One => write!(pattern, "."),
                Token::Class(negated, ranges) => {
                    pattern.push_str(if *negated { "[^" } else { "[" });
                    for (low, high) in ranges {
                        let _ = write!(pattern, r"\x{low:02x}-\x{high:02x}");
                    }
                    write!(pattern, "]")
                }
            };
        }
        pattern.push_str(r"\z");
        super::pattern::bounded(&mut RegexBuilder::new(&pattern)).build()
    }
}

/// Reads `…]` from `from` on; gives the token and the place behind it.
fn class(text: &str, from: usize) -> Result<(Token, usize), Wrong> {
    let bytes = text.as_bytes();
    let mut at = from;
    let negated = matches!(bytes.get(at), Some(b'!' | b'^'));
    if negated {
        at += 1;
    }
    let first = at;
    let mut members = Vec::new();
    loop {
        match bytes.get(at) {
            None => {
                let message = "the `[` of a glob is never closed".to_string();
                return Err((
                    from - 1..text.len(),
                    message,
                    r"write `\[` for the character itself".into(),
                ));
            }
            Some(b']') if at > first => break,
            Some(b'[') if bytes.get(at + 1) == Some(&b':') => {
                let message = "a glob knows no `[:class:]`".to_string();
                return Err((
                    at..at + 2,
                    message,
                    "write a range such as `[a-z]`, or an expression after `~`".into(),
                ));
            }
            Some(b'\\') if bytes.get(at + 1).is_some_and(|next| b"*?[\\".contains(next)) => {
                members.push((at + 1, bytes[at + 1]));
                at += 2;
            }
            Some(byte) => {
                members.push((at, *byte));
                at += 1;
            }
        }
    }
    let place = from - 1..at + 1;
    if members.iter().any(|(_, byte)| !byte.is_ascii()) {
        let message = "`[…]` of a glob takes ASCII characters only".to_string();
        return Err((place, message, "write the alternatives with `|`".into()));
    }
    let mut ranges = Vec::new();
    let mut rest = members.as_slice();
    while let [(_, low), tail @ ..] = rest {
        if let [(_, b'-'), (_, high), tail @ ..] = tail {
            if low > high {
                let (low, high) = (char::from(*low), char::from(*high));
                let message = format!("the range `{low}-{high}` of a glob is reversed");
                return Err((place, message, format!("write `{high}-{low}`")));
            }
            ranges.push((*low, *high));
            rest = tail;
        } else {
            ranges.push((*low, *low));
            rest = tail;
        }
    }
    Ok((Token::Class(negated, ranges), at + 1))
}
