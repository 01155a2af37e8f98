//! The other way round: writes values and terms of a spec.

use super::value::STATES;
use crate::select::key::Key;

/// The term `KEY=TEXT` where it stands first: bare where it may be, else with its key. Wildcards in the text are
/// taken for themselves.
#[must_use]
pub fn word(key: Key, text: &str) -> String {
    let natural = match key {
        Key::Exe => text.starts_with('/'),
        Key::Name => !text.starts_with('/'),
        _ => false,
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-+@".contains(&b);
    let bare = natural
        && text.bytes().all(plain)
        && text.bytes().any(|b| b.is_ascii_alphabetic())
        && !text.starts_with('-')
        && Key::by_name(text).is_none()
        && !STATES.iter().any(|(_, name)| *name == text);
    if bare {
        return text.to_owned();
    }
    format!("{}={}", key.name(), value(text))
}

/// A text as a value that matches it alone: wildcards escaped, quoted where need be.
#[must_use]
pub fn value(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if "*?[\\".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    quoted(&escaped)
}

/// A pattern as it stands in a spec: in quotes where it holds what has a meaning there.
#[must_use]
pub fn quoted(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-+@*?[]\\".contains(&b);
    if !text.is_empty() && text.bytes().all(plain) {
        text.to_owned()
    } else if text.contains('"') {
        format!("'{text}'")
    } else {
        format!("\"{text}\"")
    }
}
