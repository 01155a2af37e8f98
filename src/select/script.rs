//! What an interpreter runs: the script, module, jar or main class in its arguments.

mod dialects;
#[cfg(test)]
mod tests;

use crate::snapshot::Cmdline;
use dialects::{Dialect, JAVA, PHP, SHELL, dialect};

/// What the arguments of an interpreter say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script<'a> {
    /// It runs this: a path, a module's name, a class.
    Runs(&'a [u8]),
    /// It runs nothing of that kind: interactive, `-c TEXT`, `-e TEXT`, from standard input.
    Nothing,
    /// The arguments can't be understood: what could be program text, and hold a password, is not told.
    Unclear,
}

/// Whether `name` (a comm or the file name of `argv[0]`) is an interpreter's.
#[must_use]
pub fn is_interpreter(name: &[u8]) -> bool {
    dialect(name).is_some()
}

/// What an interpreter called `name` runs, by its arguments (`argv[0]` first).
#[must_use]
pub fn script<'a>(name: &[u8], cmdline: &'a Cmdline) -> Script<'a> {
    let script = of_arguments(name, &cmdline.arguments);
    // What was not read may be another option, the script, or the rest of its name.
    let whole = match script {
        Script::Runs(what) => cmdline.arguments.last().is_some_and(|last| !last.ends_with(what)),
        Script::Nothing | Script::Unclear => false,
    };
    if cmdline.truncated && !whole {
        return Script::Unclear;
    }
    script
}

fn of_arguments<'a>(name: &[u8], arguments: &'a [Vec<u8>]) -> Script<'a> {
    let Some(dialect) = dialect(name) else {
        return Script::Unclear;
    };
    if arguments.is_empty() || arguments[0].is_empty() {
        return Script::Unclear;
    }
    let is = |known: &Dialect| std::ptr::eq(dialect, known);
    let mut rest = arguments[1..].iter();
    // Whether every option is known: one that is not may take the next word.
    let mut sure = true;
    while let Some(word) = rest.next() {
        let runs_next = |next: Option<&'a Vec<u8>>| next.map_or(Script::Unclear, |word| Script::Runs(word));
        match word.as_slice() {
            // What follows are arguments of a program from standard input.
            b"--" if is(&PHP) => return Script::Nothing,
            b"--" => return rest.next().map_or(Script::Nothing, |word| Script::Runs(word)),
            b"-" => return Script::Nothing,
            // A file with more options.
            [b'@', ..] if is(&JAVA) => return Script::Unclear,
            word if !is_option(word, dialect) && (sure || is_file_name(word)) => return Script::Runs(word),
            word if !is_option(word, dialect) => return Script::Unclear,
            word => match option(word, dialect) {
                Takes::Nothing => {}
                Takes::Next => {
                    rest.next();
                }
                Takes::Unknown => sure = false,
                Takes::Program => return runs_next(rest.next()),
                Takes::ProgramAt(at) => return Script::Runs(&word[at..]),
                Takes::Text => return Script::Nothing,
            },
        }
    }
    Script::Nothing
}

/// Whether a word has the form of a file's name, or a class's, and not that of program text.
fn is_file_name(word: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-+@%:~,./".contains(byte) || *byte >= 0x80;
    let marked = |byte: &u8| b"./".contains(byte);
    word.iter().all(plain) && word.iter().any(marked)
}

fn is_option(word: &[u8], dialect: &Dialect) -> bool {
    // Shells switch options off with `+x`.
    word.len() > 1 && (word[0] == b'-' || (word[0] == b'+' && std::ptr::eq(dialect, &SHELL)))
}

/// What an option does to the words after it.
enum Takes {
    Nothing,
    Next,
    /// It is not known.
    Unknown,
    /// The next word is what runs.
    Program,
    /// What runs begins within the option.
    ProgramAt(usize),
    Text,
}

fn option(word: &[u8], dialect: &Dialect) -> Takes {
    let (name, valued) = match word.iter().position(|byte| *byte == b'=') {
        Some(at) => (&word[..at], Some(at + 1)),
        None => (word, None),
    };
    let among = |options: &[&str]| options.iter().any(|option| option.as_bytes() == name);
    let is_long = word.starts_with(b"--") || (!dialect.bundled && word.len() > 2);
    if among(dialect.long_text) {
        Takes::Text
    } else if among(dialect.long_runs) {
        valued.map_or(Takes::Program, Takes::ProgramAt)
    } else if valued.is_none() && among(dialect.long_with_value) {
        Takes::Next
    } else if !is_long {
        letters(&word[1..], dialect)
    } else if !dialect.bundled && !word.starts_with(b"--") {
        // Java's `-Xmx1g`; node has none.
        let known = std::ptr::eq(dialect, &JAVA);
        if known { Takes::Nothing } else { Takes::Unknown }
    } else if valued.is_some() || among(dialect.long) {
        Takes::Nothing
    } else {
        Takes::Unknown
    }
}

/// The same of option letters, without their dash.
fn letters(word: &[u8], dialect: &Dialect) -> Takes {
    // A shell takes the value of `-o` from the next word, whatever letters stand behind it, or, as zsh does, from these.
    let is_shell = std::ptr::eq(dialect, &SHELL);
    if is_shell && word.iter().any(|letter| dialect.text.contains(letter)) {
        return Takes::Text;
    }
    for (at, letter) in word.iter().enumerate() {
        let last = at + 1 == word.len();
        let rest = &word[at + 1..];
        // perl's `-0xff`.
        let is_number = word[..at].ends_with(b"0");
        if dialect.text.contains(letter) {
            return Takes::Text;
        }
        if dialect.runs.contains(letter) {
            return if last {
                Takes::Program
            } else {
                Takes::ProgramAt(at + 2)
            };
        }
        let colon = matches!(rest, [b':' | b'=', ..]) && dialect.with_colon.contains(letter);
        if colon || (dialect.with_rest.contains(letter) && !is_number) {
            return Takes::Nothing;
        }
        if dialect.with_value.contains(letter) {
            return match last {
                true => Takes::Next,
                false if is_shell => Takes::Unknown,
                false => Takes::Nothing,
            };
        }
    }
    Takes::Nothing
}
