//! The options as getopt_long(3) takes them: permuted with the operands, clustered, abbreviated.

use crate::report::escape;

/// An option of check_procs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// `-w`
    Warning,
    /// `-c`
    Critical,
    /// `-m`
    Metric,
    /// `-t`
    Timeout,
    /// `-s`
    Status,
    /// `-p`
    Ppid,
    /// `-u`
    User,
    /// `-C`
    Command,
    /// `-X`
    Exclude,
    /// `-z`
    Vsz,
    /// `-r`
    Rss,
    /// `-P`
    Pcpu,
    /// `--elapsed`
    Elapsed,
    /// `-a`
    Args,
    /// `--ereg-argument-array`
    Ereg,
    /// `-k`
    NoKthreads,
    /// `--input-file`
    InputFile,
    /// `-T`
    Traditional,
    /// `-v`
    Verbose,
    /// `-h`
    Help,
    /// `-V`
    Version,
}

/// Whether an option takes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    Nothing,
    AValue,
    /// `--no-kthreads`: check_procs demands a value, and takes the option that follows for it.
    AnyButAnOption,
}

use Name::{
    Args, Command, Critical, Elapsed, Ereg, Exclude, Help, InputFile, Metric, NoKthreads, Pcpu, Ppid, Rss,
    Status, Timeout, Traditional, User, Verbose, Version, Vsz, Warning,
};
use Takes::{AValue, AnyButAnOption, Nothing};

/// `--state` is what the help of check_procs prints for `--status`.
const LONG: [(&str, Name, Takes); 23] = [
    ("argument-array", Args, AValue),
    ("command", Command, AValue),
    ("critical", Critical, AValue),
    ("elapsed", Elapsed, AValue),
    ("ereg-argument-array", Ereg, AValue),
    ("exclude-process", Exclude, AValue),
    ("help", Help, Nothing),
    ("input-file", InputFile, AValue),
    ("metric", Metric, AValue),
    ("no-kthreads", NoKthreads, AnyButAnOption),
    ("pcpu", Pcpu, AValue),
    ("ppid", Ppid, AValue),
    ("rss", Rss, AValue),
    ("state", Status, AValue),
    ("status", Status, AValue),
    ("timeout", Timeout, AValue),
    ("traditional", Traditional, Nothing),
    ("traditional-filter", Traditional, Nothing),
    ("user", User, AValue),
    ("verbose", Verbose, Nothing),
    ("version", Version, Nothing),
    ("vsz", Vsz, AValue),
    ("warning", Warning, AValue),
];

fn short(letter: u8) -> Option<(Name, Takes)> {
    Some(match letter {
        b'V' => (Version, Nothing),
        b'v' => (Verbose, Nothing),
        b'h' => (Help, Nothing),
        b'k' => (NoKthreads, Nothing),
        b'T' => (Traditional, Nothing),
        b't' => (Timeout, AValue),
        b'c' => (Critical, AValue),
        b'w' => (Warning, AValue),
        b'p' => (Ppid, AValue),
        b's' => (Status, AValue),
        b'u' => (User, AValue),
        b'C' => (Command, AValue),
        b'a' => (Args, AValue),
        b'z' => (Vsz, AValue),
        b'r' => (Rss, AValue),
        b'm' => (Metric, AValue),
        b'P' => (Pcpu, AValue),
        b'X' => (Exclude, AValue),
        _ => return None,
    })
}

/// The words of a command line, taken one option after the other.
#[derive(Clone, Debug)]
pub struct Getopt<'a> {
    words: std::slice::Iter<'a, Vec<u8>>,
    /// What is left of `-vkC`.
    cluster: &'a [u8],
    /// What is no option.
    pub operands: Vec<&'a [u8]>,
}

impl<'a> Getopt<'a> {
    /// Of the words behind the name of the program.
    #[must_use]
    pub fn of(words: &'a [Vec<u8>]) -> Getopt<'a> {
        Getopt {
            words: words.iter(),
            cluster: b"",
            operands: Vec::new(),
        }
    }

    fn one_of_cluster(&mut self, letter: u8, rest: &'a [u8]) -> Result<(Name, &'a [u8]), String> {
        // Whatever is wrong with it, the next one is another.
        self.cluster = b"";
        let shown = escape::text(&[letter]);
        let (name, takes) = short(letter).ok_or_else(|| format!("invalid option -- '{shown}'"))?;
        if takes == Nothing {
            self.cluster = rest;
            return Ok((name, b""));
        }
        if !rest.is_empty() {
            return Ok((name, rest));
        }
        match self.words.next() {
            Some(value) => Ok((name, value)),
            None => Err(format!("option requires an argument -- '{shown}'")),
        }
    }

    fn long(&mut self, word: &'a [u8]) -> Result<(Name, &'a [u8]), String> {
        let (text, value) = match word.iter().position(|b| *b == b'=') {
            Some(at) => (&word[..at], Some(&word[at + 1..])),
            None => (word, None),
        };
        let shown = escape::text(text);
        let begun: Vec<_> = LONG
            .iter()
            .filter(|(name, ..)| name.as_bytes().starts_with(text))
            .collect();
        let exact = begun.iter().find(|(name, ..)| name.as_bytes() == text);
        let (long, name, takes) = match (exact, begun.as_slice()) {
            (Some(found), _) => **found,
            (_, []) => return Err(format!("unrecognized option '--{shown}'")),
            (_, [first, others @ ..]) if others.iter().all(|(_, name, _)| *name == first.1) => **first,
            (_, several) => {
                let names: Vec<String> = several.iter().map(|(name, ..)| format!("'--{name}'")).collect();
                let names = names.join(" ");
                return Err(format!("option '--{shown}' is ambiguous; possibilities: {names}"));
            }
        };
        match (takes, value) {
            (Nothing, Some(_)) => Err(format!("option '--{long}' doesn't allow an argument")),
            (Nothing, None) => Ok((name, b"")),
            (_, Some(value)) => Ok((name, value)),
            (AnyButAnOption, None) => {
                if self
                    .words
                    .as_slice()
                    .first()
                    .is_some_and(|word| !word.starts_with(b"-"))
                {
                    self.words.next();
                }
                Ok((name, b""))
            }
            (AValue, None) => match self.words.next() {
                Some(value) => Ok((name, value)),
                None => Err(format!("option '--{long}' requires an argument")),
            },
        }
    }
}

impl<'a> Iterator for Getopt<'a> {
    type Item = Result<(Name, &'a [u8]), String>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some((letter, rest)) = self.cluster.split_first() {
            return Some(self.one_of_cluster(*letter, rest));
        }
        loop {
            match self.words.next()?.as_slice() {
                b"--" => {
                    self.operands.extend(self.words.by_ref().map(Vec::as_slice));
                    return None;
                }
                [b'-', b'-', long @ ..] => return Some(self.long(long)),
                [b'-', letter, rest @ ..] => return Some(self.one_of_cluster(*letter, rest)),
                operand => self.operands.push(operand),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_that_is_not_known_is_told_once() {
        let words = [b"-vQk".to_vec()];
        assert_eq!(Getopt::of(&words).filter(Result::is_err).count(), 1);
    }

    fn taken(line: &str) -> (Vec<String>, Vec<String>) {
        let words: Vec<Vec<u8>> = line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
        let mut getopt = Getopt::of(&words);
        let told = |item: Result<(Name, &[u8]), String>| match item {
            Ok((name, value)) => format!("{name:?}={}", String::from_utf8_lossy(value)),
            Err(sentence) => sentence,
        };
        let options = getopt.by_ref().map(told).collect();
        let operands = getopt
            .operands
            .iter()
            .map(|word| String::from_utf8_lossy(word).into_owned());
        (options, operands.collect())
    }

    #[test]
    fn options_are_permuted_clustered_and_abbreviated() {
        let (options, operands) = taken("1 -vkCsshd 2 --warn=3 --crit 4 Z -- -5");
        assert_eq!(
            options,
            [
                "Verbose=",
                "NoKthreads=",
                "Command=sshd",
                "Warning=3",
                "Critical=4"
            ]
        );
        assert_eq!(operands, ["1", "2", "Z", "-5"]);
        assert_eq!(taken("-w -5").0, ["Warning=-5"]);
        assert_eq!(taken("--stat S").0, ["Status=S"]);
        assert_eq!(taken("--trad").0, ["Traditional="]);
        assert_eq!(taken("-").1, ["-"]);
    }

    #[test]
    fn what_is_no_option_is_said_as_getopt_says_it() {
        assert_eq!(taken("-Z").0, ["invalid option -- 'Z'"]);
        assert_eq!(taken("-C").0, ["option requires an argument -- 'C'"]);
        assert_eq!(taken("--foo=1").0, ["unrecognized option '--foo'"]);
        assert_eq!(taken("--status").0, ["option '--status' requires an argument"]);
        assert_eq!(
            taken("--verbose=1").0,
            ["option '--verbose' doesn't allow an argument"]
        );
        let possibilities = "possibilities: '--elapsed' '--ereg-argument-array' '--exclude-process'";
        assert_eq!(
            taken("--e").0,
            [format!("option '--e' is ambiguous; {possibilities}")]
        );
    }

    #[test]
    fn the_long_form_of_k_takes_no_option_for_its_value() {
        assert_eq!(taken("--no-kthreads -C x").0, ["NoKthreads=", "Command=x"]);
        assert_eq!(taken("--no-kthreads=1 -C x").0, ["NoKthreads=1", "Command=x"]);
        assert_eq!(
            taken("--no-kthreads 1 2"),
            (vec!["NoKthreads=".into()], vec!["2".into()])
        );
        assert_eq!(taken("--no-kthreads").0, ["NoKthreads="]);
    }
}
