//! Reads the selector language: a spec's text in, a compiled [`Spec`] or all of its faults out.

mod forms;
mod glob;
mod lexer;
mod nearest;
mod pattern;
mod quantity;
mod quoting;
mod ranges;
mod sentence;
mod terms;
#[cfg(test)]
mod tests;
mod traps;
mod value;
mod words;
pub mod writing;

pub use nearest::of as nearest;
pub use ranges::parse_range;
pub use sentence::sentence;

use super::fault::Fault;
use super::range::Range;
use super::selector::{Selector, Spec};
use crate::snapshot::accounts::Accounts;
use lexer::Piece;

/// The longest spec in bytes; nobody writes one by hand.
const LONGEST: usize = 16 << 10;

/// Whose command line a spec was given on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// procward's own.
    Native,
    /// ps.monitor's: every spec has a range, and `-` is one, without bounds.
    PsMonitor,
}

/// Where a text stands, and so whether it has a range.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Spec(Dialect),
    Selector,
}

impl Form {
    fn lone_dash(self) -> bool {
        self == Form::Spec(Dialect::PsMonitor)
    }
}

/// Reads a spec: a selector, and a range where one is written.
///
/// # Errors
/// All faults, in the order of their places.
pub fn parse(text: &str, accounts: &dyn Accounts, dialect: Dialect) -> Result<Spec, Vec<Fault>> {
    let (selector, range) = read(text, accounts, Form::Spec(dialect))?;
    Ok(Spec {
        text: text.to_string(),
        selector,
        range,
    })
}

/// Reads a selector, which has no range: a configuration file's `select` and `except`.
///
/// # Errors
/// All faults, in the order of their places.
pub fn parse_selector(text: &str, accounts: &dyn Accounts) -> Result<Selector, Vec<Fault>> {
    read(text, accounts, Form::Selector).map(|(selector, _)| selector)
}

/// `text` with other characters at `place`.
fn splice(text: &str, place: std::ops::Range<usize>, with: &str) -> String {
    let before = text.get(..place.start).unwrap_or_default();
    let after = text.get(place.end..).unwrap_or_default();
    format!("{before}{with}{after}")
}

fn read(text: &str, accounts: &dyn Accounts, form: Form) -> Result<(Selector, Option<Range>), Vec<Fault>> {
    if text.len() > LONGEST {
        let message = format!("a spec of {} bytes: at most {LONGEST} are read", text.len());
        return Err(vec![Fault::new(0..text.len(), message, "write several specs")]);
    }
    let mut faults = Vec::new();
    let mut glyphs = lexer::scan(text, &mut faults);
    forms::hold(&mut glyphs, form);
    if let Some(fault) = odd(&glyphs) {
        return Err(vec![fault]);
    }
    let whole = Piece::new(text, &glyphs).trim();
    if whole.is_empty() {
        return Err(vec![Fault::new(
            0..text.len(),
            "an empty spec selects nothing",
            "write a name, as in `sshd:1-`",
        )]);
    }
    if let Some(faults) = two_specs(whole, accounts, form) {
        return Err(faults);
    }
    let (selector, range, colon_explained) = range(text, whole, form, &mut faults);
    let tail = whole.after(selector.glyphs().len());
    let selector = selector.trim();
    let selector = terms::Reader {
        text,
        accounts,
        tail,
        colon_explained,
        one_word: !form.lone_dash(),
        faults: &mut faults,
    }
    .selector(selector);
    if faults.is_empty() {
        Ok((selector, range))
    } else {
        faults.sort_by_key(|fault| (fault.start, fault.end));
        faults.dedup();
        Err(faults)
    }
}

/// A character that nobody sees or means. What would follow from it is not worth telling.
fn odd(glyphs: &[lexer::Glyph]) -> Option<Fault> {
    let odd = |glyph: &lexer::Glyph| traps::odd_character(glyph.bare_char()?);
    let (first, (what, _)) = glyphs.iter().find_map(|glyph| Some((glyph, odd(glyph)?)))?;
    let instead =
        |glyph: &lexer::Glyph| odd(glyph).map_or_else(|| glyph.char().to_string(), |(_, plain)| plain.into());
    let right: String = glyphs.iter().map(instead).collect();
    let message = format!("{what}, U+{:04X}", u32::from(first.char()));
    Some(Fault::new(
        first.span(),
        message,
        format!("write `{}`", right.trim()),
    ))
}

/// Takes the range off the end; gives what is before it, the range, and whether a fault has said already that the
/// colon is out of place.
fn range<'a>(
    text: &str,
    whole: Piece<'a>,
    form: Form,
    faults: &mut Vec<Fault>,
) -> (Piece<'a>, Option<Range>, bool) {
    let Some(colon) = whole.find_last(|glyph| glyph.is(':')) else {
        if form.lone_dash() {
            let message = format!(
                "no range in `{}`: a host name, and `;;` missing in mon.cf",
                whole.raw()
            );
            let help = format!(
                "end the monitor line in mon.cf with ;; or mon appends host names; for a process of that name write `{}:1-`",
                whole.raw()
            );
            faults.push(Fault::new(whole.span(), message, help));
        }
        return (whole, None, false);
    };
    let (selector, written) = (whole.before(colon), whole.after(colon + 1));
    let with_colon = whole.after(colon).span();
    let found = ranges::read(written.raw(), form.lone_dash());
    if form == Form::Selector {
        let fault = if found.is_ok() {
            let help = format!(
                "write `{}`; how many are wanted is a setting of its own",
                selector.raw()
            );
            Fault::new(
                with_colon,
                format!("a range, `{}`, in a selector", written.raw()),
                help,
            )
        } else {
            let quoted = terms::quoted_tail(text, whole, "");
            Fault::new(
                with_colon,
                "a colon outside quotes in a selector",
                format!("write `{quoted}`"),
            )
        };
        faults.push(fault);
        return (selector, None, found.is_err());
    }
    match found {
        Ok(range) => (selector, Some(range), false),
        Err(wrong) => {
            let message = if written.is_empty() {
                "nothing after the colon".into()
            } else {
                wrong.message
            };
            let explained = wrong.instead.is_none();
            let place = if written.is_empty() {
                with_colon
            } else {
                written.span()
            };
            faults.push(Fault::new(
                place,
                message,
                range_help(text, whole, colon, wrong.instead),
            ));
            (selector, None, explained)
        }
    }
}

/// What to write in place of something after a colon that is not a range.
fn range_help(text: &str, whole: Piece<'_>, colon: usize, instead: Option<String>) -> String {
    let (selector, written) = (whole.before(colon), whole.after(colon + 1));
    let raw = written.raw();
    if raw.is_empty() {
        return format!("write `{0}:1-`, or `{0}:0` for what must not run", selector.raw());
    }
    if let Some(right) = instead {
        return format!("write `{}`", splice(text, written.span(), &right));
    }
    if ranges::looks_like_one(raw) {
        return "write a smaller number".into();
    }
    // a term behind the range
    if let Some((first, rest)) = raw.split_once(',') {
        let first = first.trim();
        if ranges::looks_like_one(first) && !rest.trim().is_empty() {
            return format!(
                "the range comes last: write `{},{}:{first}`",
                selector.raw(),
                rest.trim()
            );
        }
    }
    // what ps.monitor takes for a filter by user and ignores
    if let Some(earlier) = selector.find_last(|glyph| glyph.is(':')) {
        let middle = selector.after(earlier + 1).raw();
        if ranges::looks_like_one(middle) {
            let word = selector.before(earlier).raw();
            return format!(
                "write `{word}:{middle}`, or `{word},user={raw}:{middle}` for processes of one user"
            );
        }
    }
    if super::key::Key::by_name(selector.raw()).is_some() {
        return format!("write `{}={raw}:1-`", selector.raw());
    }
    if let Some((min, rest)) = raw.split_once('-')
        && let Some((middle, max)) = rest.split_once('-')
        && [min, middle, max].iter().all(|part| ranges::looks_like_one(part))
    {
        let word = selector.raw();
        return format!("write `{word}:{min}-{middle}` or `{word}:{min}-{max}`");
    }
    let quoted = terms::quoted_tail(text, whole, ":1-");
    format!("write N, MIN-, -MAX or MIN-MAX; where the colon belongs to the value, write `{quoted}`")
}

/// Several specs in one argument, as `x:1-1 y:2-3`: their faults.
fn two_specs(whole: Piece<'_>, accounts: &dyn Accounts, form: Form) -> Option<Vec<Fault>> {
    let mut parts = Vec::new();
    let mut from = 0;
    for (index, glyph) in whole.glyphs().iter().enumerate() {
        let part = whole.part(from, index).trim();
        let rest = whole.after(index).trim();
        if !glyph.is_blank() || rest.begins(',') || rest.begins(':') || rest.begins('|') {
            continue;
        }
        let Some(colon) = part.find_last(|glyph| glyph.is(':')) else {
            continue;
        };
        if colon > 0 && ranges::read(part.after(colon + 1).raw(), form.lone_dash()).is_ok() {
            parts.push(part);
            from = index;
        }
    }
    if parts.is_empty() {
        return None;
    }
    let last = whole.after(from).trim();
    parts.push(last);
    let arguments: Vec<String> = parts
        .iter()
        .map(|part| quoting::shell_quoted(part.raw()))
        .collect();
    let place = parts.get(1).map_or(last.start(), |part| part.start())..last.end();
    let message = if parts.len() == 2 {
        "two specs in one argument"
    } else {
        "several specs in one argument"
    };
    let count = if parts.len() == 2 {
        "two".to_string()
    } else {
        parts.len().to_string()
    };
    let mut faults = vec![Fault::new(
        place,
        message,
        format!("give them as {count} arguments: {}", arguments.join(" ")),
    )];
    for part in parts {
        for mut fault in read(part.raw(), accounts, form).err().unwrap_or_default() {
            fault.start += part.start();
            fault.end += part.start();
            faults.push(fault);
        }
    }
    Some(faults)
}
