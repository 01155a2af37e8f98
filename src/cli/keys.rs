//! `procward keys`: the keys of a spec, each with a line.

use crate::exit_code::Exit;
use crate::outcome::Outcome;
use crate::select::Key;
use std::fmt::Write;

/// Runs it.
#[must_use]
pub fn run() -> Outcome {
    let width = |words: &mut dyn Iterator<Item = &'static str>| words.map(str::len).max().unwrap_or(0);
    let names = width(&mut Key::ALL.iter().map(|key| key.name()));
    let kinds = width(&mut Key::ALL.iter().map(|key| key.kind().word()));
    let mut text = String::new();
    for key in Key::ALL {
        let _ = writeln!(
            text,
            "{:<names$}  {:<kinds$}  {}",
            key.name(),
            key.kind().word(),
            key.doc()
        );
    }
    Outcome::new(text, Exit::Ok)
}
