//! What can be read but cannot mean what it says: values that no process has, and terms that exclude each other. Each
//! would be a silent OK where nothing may match. What is put in quotes is taken at its word.

use super::glob::Glob;
use super::quoting::{in_quotes, quoted_where_needed};
use super::value::Value;
use crate::select::fault::Fault;
use crate::select::key::{Key, Kind};
use crate::select::selector::{Matcher, Op, Term};
use std::ops::Range;

/// The units that have processes, in the order of a unit's name.
const UNITS: [&str; 5] = [".service", ".scope", ".socket", ".mount", ".swap"];
/// The others: systemd.unit(5).
const OTHER_UNITS: [&str; 6] = [".timer", ".target", ".path", ".device", ".automount", ".slice"];

/// A character outside quotes that nobody sees or means: what it is, and what to write in its place.
pub(super) fn odd_character(ch: char) -> Option<(&'static str, &'static str)> {
    Some(match ch {
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{201f}' | '\u{ab}' | '\u{bb}' => {
            ("a typographic quote", "\"")
        }
        '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}' => ("a typographic quote", "'"),
        '\u{a6}' => ("a broken bar, which reports have where `|` would end them", "|"),
        ' ' | '\t' | '\n' | '\r' | '\u{c}' => return None,
        ch if ch.is_whitespace() => ("a blank that is none of the keyboard's", " "),
        ch if ch.is_control() => ("a control character", ""),
        // Soft hyphens, joiners, marks of direction, fillers of Hangul and Braille, selectors of variants, tags.
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}' => ("an invisible character", ""),
        _ => return None,
    })
}

impl Value<'_> {
    /// Why a text, whose glob this is, cannot be what was meant.
    pub(super) fn trap(self, plain: &str, glob: &Glob) -> Option<Fault> {
        if plain.contains('\0') {
            return Some(self.fault("no process has a NUL in any text", "leave it out"));
        }
        if self.piece.raw() != plain {
            return None;
        }
        self.expression(plain)
            .or_else(|| self.name(plain))
            .or_else(|| self.place(plain, glob))
    }

    /// A regular expression behind `=`, where it is a glob.
    fn expression(self, plain: &str) -> Option<Fault> {
        let anchored = plain.len() > 1 && (plain.starts_with('^') || plain.ends_with('$'));
        let dotted = plain.len() > 2 && plain.starts_with(".*");
        let parted = self.is_one_of_several() && plain.matches('(').count() != plain.matches(')').count();
        if !(anchored || dotted || parted) {
            return None;
        }
        let term = self.term.raw();
        let is_term = term.contains(['=', '~']);
        let value = if is_term { self.all.raw() } else { plain };
        let (not, key) = (if self.op.negated() { "!" } else { "" }, self.key.name());
        let like = self.write_term(&format!("{key}{not}~{}", quoted_where_needed(value)));
        let quoted = self.write(&in_quotes(plain));
        Some(self.fault(
            format!(
                "`{plain}` looks like a regular expression, and `{}` takes a glob",
                self.op.text()
            ),
            format!("{}, or {quoted} for these very characters", like.trim_end()),
        ))
    }

    /// A comparison with a number beyond which no process has any.
    pub(super) fn out_of_reach(self, matcher: &Matcher) -> Option<Fault> {
        let Matcher::Number(number, _) = matcher else {
            return None;
        };
        let key = self.key.name();
        let (least, most) = match self.key {
            Key::Nice | Key::NiceLowest => (-20, Some(19)),
            _ => (0, None),
        };
        let help = match self.op {
            Op::Less if *number <= least => format!("`{key}` is never below {least}: write a larger number"),
            Op::More if most.is_some_and(|most| *number >= most) => {
                format!("`{key}` is never above {number}: write a smaller number")
            }
            _ => return None,
        };
        let message = format!("`{key}{}{}` can never match", self.op.text(), self.piece.raw());
        Some(self.fault(message, help))
    }

    fn is_one_of_several(self) -> bool {
        self.all.raw() != self.piece.raw()
    }

    /// A path or a unit in place of a name.
    fn name(self, plain: &str) -> Option<Fault> {
        if !matches!(self.key, Key::Name | Key::Comm | Key::Parent | Key::Ancestor) {
            return None;
        }
        if let Some(file) = plain.strip_prefix("*/") {
            let help = match self.key {
                Key::Name | Key::Comm => self.write_term(&format!("exe{}{plain}", self.op.text())),
                _ => self.write(file),
            };
            let message = format!("`{plain}` is a path, and `{}` is a name", self.key.name());
            return Some(self.fault(message, help));
        }
        let unit = UNITS
            .iter()
            .chain(&OTHER_UNITS)
            .find(|suffix| plain.ends_with(**suffix))?;
        let key = if *unit == ".slice" { "slice" } else { "unit" };
        let help = match self.key {
            Key::Name | Key::Comm => self.write_term(&format!("{key}{}{plain}", self.op.text())),
            _ => self.write(plain.trim_end_matches(unit)),
        };
        Some(self.fault(
            format!("`{plain}` is a unit, and `{}` is a name", self.key.name()),
            help,
        ))
    }

    /// A place that no process is in.
    fn place(self, plain: &str, glob: &Glob) -> Option<Fault> {
        let never = |help: String| {
            let message = format!("`{}{}{plain}` can never match", self.key.name(), Op::Is.text());
            Some(self.fault(message, help))
        };
        match self.key {
            Key::Unit | Key::UserUnit if OTHER_UNITS[..5].iter().any(|suffix| plain.ends_with(suffix)) => {
                let name = plain.rsplit_once('.').map_or(plain, |(name, _)| name);
                never(format!(
                    "only services, scopes, sockets, mounts and swaps have processes: {}",
                    self.write(&format!("{name}.service"))
                ))
            }
            Key::Cgroup if glob.first().is_some_and(|first| first != b'/') => never(format!(
                "a cgroup's path begins with `/`: {}",
                self.write(&format!("/{plain}"))
            )),
            Key::Tty if plain == "?" => never(format!(
                "what has no terminal is {}",
                self.write_term("tty!=*").trim_start_matches("write ")
            )),
            Key::Container if plain.len() == 12 && plain.bytes().all(|b| b.is_ascii_hexdigit()) => {
                never(format!(
                    "the id of a container has 64 digits: {}",
                    self.write(&format!("{plain}*"))
                ))
            }
            Key::Cmdline if !plain.is_empty() && !plain.contains([' ', '/']) && glob.exact().is_some() => {
                let help = format!(
                    "{}, or {} where there are no arguments",
                    self.write(&format!("*{plain}*")),
                    self.write(&in_quotes(plain))
                );
                Some(self.fault(
                    format!("`cmdline={plain}` means a whole command line of one word"),
                    help,
                ))
            }
            _ => None,
        }
    }
}

/// Whether a key has at most one value, so that two different ones exclude each other.
fn has_one_value(key: Key) -> bool {
    !matches!(
        key,
        Key::Name
            | Key::Script
            | Key::Arg
            | Key::Parent
            | Key::Ancestor
            | Key::UidAny
            | Key::GidAny
            | Key::GroupSupplementary
            | Key::ApparmorProfile
            | Key::Scope
            | Key::Exe
            | Key::Fd
            | Key::FdMemory
            | Key::Listen
            | Key::Socket
            | Key::Stdio
    )
}

/// What neither a kernel thread nor a zombie has.
fn is_of_a_program(key: Key) -> bool {
    matches!(
        key,
        Key::Exe
            | Key::ExeDeleted
            | Key::ExeReplaced
            | Key::Script
            | Key::Arg
            | Key::Cmdline
            | Key::Main
            | Key::Fds
            | Key::Swap
    ) || key.is_of_descriptors()
}

/// Terms that exclude each other; `places` are theirs in the text.
pub(super) fn contradictions(terms: &[Term], places: &[Range<usize>]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (index, (term, place)) in terms.iter().zip(places).enumerate() {
        let before = &terms[..index];
        if let Some(other) = before.iter().find(|other| excludes(other, term)) {
            let help = format!(
                "both must hold; write `{}|{}` for either",
                other.text,
                term.text.split_once('=').map_or("", |(_, value)| value)
            );
            let message = format!("`{}` and `{}` exclude each other", other.text, term.text);
            faults.push(Fault::new(place.clone(), message, help));
        }
        let bare = terms
            .iter()
            .find_map(|other| Some((other, without_program(other)?)));
        if let Some((other, what)) = bare
            && is_of_a_program(term.key)
            && !term.op.negated()
        {
            let message = format!(
                "`{}` and `{}` exclude each other: {what} has no `{}`",
                other.text,
                term.text,
                term.key.name()
            );
            faults.push(Fault::new(place.clone(), message, "leave one of them out"));
        }
    }
    let kernel = terms.iter().any(|term| term.key == Key::Kthread);
    if let Some(place) = terms
        .iter()
        .position(|term| only_states(term, b"I"))
        .filter(|_| !kernel)
    {
        let message = format!(
            "`{}` without `kthread=yes`: only kernel threads are idle",
            terms[place].text
        );
        let help = format!("write `{},kthread=yes`", terms[place].text);
        faults.push(Fault::new(places[place].clone(), message, help));
    }
    faults
}

fn excludes(a: &Term, b: &Term) -> bool {
    let texts = |term: &Term| -> Option<Vec<Vec<u8>>> {
        let of = |matcher: &Matcher| match matcher {
            Matcher::Exact(text) => Some(text.clone()),
            Matcher::Number(number, _) => Some(number.to_be_bytes().to_vec()),
            Matcher::YesNo(yes) => Some(vec![u8::from(*yes)]),
            _ => None,
        };
        term.values.iter().map(of).collect()
    };
    a.key == b.key
        && (a.op, b.op) == (Op::Is, Op::Is)
        && has_one_value(a.key)
        && matches!((texts(a), texts(b)), (Some(a), Some(b)) if a.iter().all(|text| !b.contains(text)))
}

/// What a term says that has no program.
fn without_program(term: &Term) -> Option<&'static str> {
    let is_yes = |matcher: &Matcher| matches!(matcher, Matcher::YesNo(true));
    if term.key == Key::Kthread && term.op == Op::Is && term.values.iter().all(is_yes) {
        return Some("a kernel thread");
    }
    only_states(term, b"ZX").then_some("a zombie")
}

/// Whether a term holds in these states alone.
fn only_states(term: &Term, letters: &[u8]) -> bool {
    let is_one = |matcher: &Matcher| matches!(matcher, Matcher::Exact(letter) if letter.iter().all(|l| letters.contains(l)));
    term.key.kind() == Kind::State && term.op == Op::Is && term.values.iter().all(is_one)
}
