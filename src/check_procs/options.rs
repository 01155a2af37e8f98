//! The options, checked: what is asked for, or what is wrong with the question.

use super::ere;
use super::filter::Filter;
use super::getopt::{Getopt, Name};
use super::range::{Range, Thresholds, number};
use super::usage::USAGE;
use crate::report::escape;
use crate::snapshot::Accounts;
use std::time::Duration;

/// What is held against the thresholds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// How many processes there are.
    Procs,
    /// Virtual memory of each.
    Vsz,
    /// Resident memory of each.
    Rss,
    /// CPU of each.
    Cpu,
    /// The age of each.
    Elapsed,
}

impl Metric {
    const ALL: [Metric; 5] = [
        Metric::Procs,
        Metric::Vsz,
        Metric::Rss,
        Metric::Cpu,
        Metric::Elapsed,
    ];

    /// As it is written.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Metric::Procs => "PROCS",
            Metric::Vsz => "VSZ",
            Metric::Rss => "RSS",
            Metric::Cpu => "CPU",
            Metric::Elapsed => "ELAPSED",
        }
    }
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// The metric.
    pub metric: Metric,
    /// What alerts.
    pub thresholds: Thresholds,
    /// `-w` as it was written, for the performance data.
    pub warning: String,
    /// `-c` likewise.
    pub critical: String,
    /// In the order in which they were given.
    pub filters: Vec<Filter>,
    /// `-k`
    pub no_kthreads: bool,
    /// `-T`
    pub traditional: bool,
    /// How often `-v` was given.
    pub verbose: u8,
    /// `-t`
    pub timeout: Duration,
    /// `--input-file`
    pub input_file: Option<Vec<u8>>,
}

/// What a command line asks for.
#[derive(Clone, Debug)]
pub enum Request {
    /// `-h`
    Help,
    /// `-V`
    Version,
    /// A check.
    Check(Box<Options>),
}

/// How long a run may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Reads the words behind the name.
///
/// # Errors
/// What to print: the first line is that of check_procs, where it refuses the same.
pub fn parse(words: &[Vec<u8>], accounts: &dyn Accounts) -> Result<Request, String> {
    let words = with_old(words);
    let mut reader = Reader::default();
    let mut getopt = Getopt::of(&words);
    for option in getopt.by_ref() {
        let (name, value) = option.map_err(|sentence| usage(&sentence))?;
        match name {
            Name::Help => return Ok(Request::Help),
            Name::Version => return Ok(Request::Version),
            _ => reader.take(name, value, accounts)?,
        }
    }
    reader.finish(&getopt.operands)
}

/// `-to` is an old way to write `-t`, which check_procs knows too.
fn with_old(words: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut words = words.to_vec();
    for word in &mut words {
        if word == b"-to" {
            word.truncate(2);
        }
    }
    words
}

/// How long these words say that a run may take, as far as they are understood.
#[must_use]
pub fn timeout_of(words: &[Vec<u8>]) -> Option<Duration> {
    let words = with_old(words);
    let given = Getopt::of(&words).map_while(Result::ok);
    let times = given.filter(|(name, _)| *name == Name::Timeout);
    times.filter_map(|(_, value)| timeout(value).ok()).last()
}

#[derive(Default)]
struct Reader<'a> {
    warning: Option<&'a [u8]>,
    critical: Option<&'a [u8]>,
    metric: Option<Metric>,
    given: Vec<Name>,
    filters: Vec<Filter>,
    no_kthreads: bool,
    traditional: bool,
    verbose: u8,
    timeout: Option<Duration>,
    input_file: Option<Vec<u8>>,
}

impl<'a> Reader<'a> {
    fn take(&mut self, name: Name, value: &'a [u8], accounts: &dyn Accounts) -> Result<(), String> {
        match name {
            Name::Warning => self.warning = Some(value),
            Name::Critical => self.critical = Some(value),
            Name::Metric => {
                let found = Metric::ALL
                    .into_iter()
                    .find(|metric| metric.word().as_bytes() == value);
                let found =
                    found.ok_or_else(|| usage("Metric must be one of PROCS, VSZ, RSS, CPU, ELAPSED!"));
                self.metric = Some(found?);
            }
            Name::Timeout => self.timeout = Some(timeout(value)?),
            Name::NoKthreads => self.no_kthreads = true,
            Name::Traditional => self.traditional = true,
            Name::Verbose => self.verbose = self.verbose.saturating_add(1),
            Name::InputFile => self.input_file = Some(value.to_vec()),
            Name::Elapsed => {
                return Err(usage("--elapsed filters nothing; -m ELAPSED looks at the age"));
            }
            Name::Help | Name::Version => {}
            _ => self.filter(name, value, accounts)?,
        }
        Ok(())
    }

    /// check_procs takes the first or the last of two, and shows both.
    fn filter(&mut self, name: Name, value: &[u8], accounts: &dyn Accounts) -> Result<(), String> {
        if self.given.contains(&name) {
            let flag = flag(name);
            return Err(usage(&format!(
                "{flag} is given twice, and only one can be meant"
            )));
        }
        self.given.push(name);
        let filter = filter(name, value, accounts)?;
        self.filters.push(filter);
        Ok(())
    }

    fn finish(mut self, operands: &[&'a [u8]]) -> Result<Request, String> {
        let mut operands = operands.iter();
        self.warning = self.warning.or_else(|| operands.next().copied());
        self.critical = self.critical.or_else(|| operands.next().copied());
        if !self.given.contains(&Name::Status)
            && let Some(flags) = operands.next()
        {
            self.filters.push(Filter::Status(flags.to_vec()));
        }
        if let Some(word) = operands.next() {
            return Err(usage(&format!(
                "`{}` is one operand too many",
                escape::text(word)
            )));
        }
        let metric = self.metric.unwrap_or(Metric::Procs);
        let range = |option: &str, text: Option<&[u8]>| threshold(option, text, metric);
        let (warning, critical) = (range("-w", self.warning)?, range("-c", self.critical)?);
        Ok(Request::Check(Box::new(Options {
            metric,
            thresholds: Thresholds {
                warning: warning.0,
                critical: critical.0,
            },
            warning: warning.1,
            critical: critical.1,
            filters: self.filters,
            no_kthreads: self.no_kthreads,
            traditional: self.traditional,
            verbose: self.verbose,
            timeout: self.timeout.unwrap_or(TIMEOUT),
            input_file: self.input_file,
        })))
    }
}

/// A range, and how it was written. An empty one, which a macro of Nagios may be, is none.
fn threshold(option: &str, text: Option<&[u8]>, metric: Metric) -> Result<(Option<Range>, String), String> {
    let text = text.unwrap_or_default();
    if text.is_empty() {
        return Ok((None, String::new()));
    }
    let text = String::from_utf8_lossy(text);
    match Range::parse(&text, metric == Metric::Cpu) {
        // Performance data is divided by blanks.
        Ok(range) => Ok((Some(range), text.split_whitespace().collect())),
        Err(fault) => {
            let written = escape::text(text.as_bytes());
            let why = escape::text(fault.text().as_bytes());
            Err(format!("Range format incorrect\n{option} {written}: {why}\n"))
        }
    }
}

fn filter(name: Name, value: &[u8], accounts: &dyn Accounts) -> Result<Filter, String> {
    let text = || String::from_utf8_lossy(value);
    let whole = |what: &str| {
        let number = text().trim_start().parse::<i32>().map(i64::from);
        number.map_err(|_| usage(&format!("{what} must be an integer!")))
    };
    Ok(match name {
        Name::Status => Filter::Status(value.to_vec()),
        Name::Ppid => Filter::Ppid(whole("Parent Process ID")?),
        Name::Rss => Filter::Rss(whole("RSS")?),
        Name::Vsz => Filter::Vsz(whole("VSZ")?),
        Name::Pcpu => Filter::Pcpu(percent(&text()).ok_or_else(|| usage("PCPU must be a float!"))?),
        Name::User => user(value, accounts)?,
        Name::Exclude => Filter::Exclude(value.to_vec()),
        Name::Args => Filter::Args(value.to_vec()),
        Name::Ereg => {
            let compiled = ere::compile(value);
            let unknown = |why: String| {
                let why = escape::without_bars(&escape::text(why.as_bytes()));
                format!("PROCS UNKNOWN: Could not compile regular expression - {why}\n")
            };
            Filter::Ereg(Box::new(compiled.map_err(unknown)?), value.to_vec())
        }
        // A path is the name of nothing.
        _ if value.starts_with(b"/") => {
            let shown = escape::text(value);
            let name = escape::text(super::row::base_name(value));
            return Err(usage(&format!(
                "-C compares names, not paths - {shown}: write -C {name}"
            )));
        }
        _ => Filter::Command(value.to_vec()),
    })
}

#[allow(clippy::cast_possible_truncation, reason = "check_procs has floats")]
fn percent(text: &str) -> Option<f32> {
    Some(number(text.trim_start(), false)? as f32)
}

fn user(value: &[u8], accounts: &dyn Accounts) -> Result<Filter, String> {
    let shown = escape::text(value);
    let silent = |sentence: String| {
        let sentence = escape::without_bars(&escape::text(sentence.as_bytes()));
        format!("PROCS UNKNOWN: user {shown} can't be told: {sentence}\n")
    };
    let Ok(name) = std::str::from_utf8(value) else {
        return Err(usage(&format!("User name was not found - {shown}")));
    };
    if !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit()) {
        let uid = name.parse().ok();
        let found = uid.and_then(|uid| Some((uid, accounts.user_name(uid)?)));
        let (uid, name) = found.ok_or_else(|| usage(&format!("UID was not found - {shown}")))?;
        return Ok(Filter::User(i64::from(uid), name));
    }
    match accounts.uid(name).map_err(silent)? {
        Some(uid) if !name.is_empty() => Ok(Filter::User(i64::from(uid), name.to_owned())),
        _ => Err(usage(&format!("User name was not found - {shown}"))),
    }
}

/// check_procs never ends where 0 is given.
fn timeout(value: &[u8]) -> Result<Duration, String> {
    let text = String::from_utf8_lossy(value);
    let seconds = text.parse::<u32>().ok().filter(|seconds| *seconds > 0);
    let seconds = seconds.ok_or_else(|| {
        let shown = escape::text(value);
        usage(&format!("Timeout interval must be a positive integer - {shown}"))
    })?;
    Ok(Duration::from_secs(u64::from(seconds)))
}

fn flag(name: Name) -> &'static str {
    match name {
        Name::Status => "-s",
        Name::Ppid => "-p",
        Name::User => "-u",
        Name::Command => "-C",
        Name::Exclude => "-X",
        Name::Vsz => "-z",
        Name::Rss => "-r",
        Name::Pcpu => "-P",
        Name::Args => "-a",
        _ => "--ereg-argument-array",
    }
}

fn usage(sentence: &str) -> String {
    let sentence = escape::without_bars(sentence);
    format!("check_procs: {sentence}\n{USAGE}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check_procs::extra;
    use crate::snapshot::Table;
    use proptest::prelude::*;

    fn table() -> Table {
        let mut table = Table::default();
        table.users.insert("root".into(), 0);
        table.users.insert("www-data".into(), 33);
        table
    }

    fn asked(line: &str) -> Result<Options, String> {
        let words: Vec<Vec<u8>> = line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
        match parse(&words, &table())? {
            Request::Check(options) => Ok(*options),
            other => Err(format!("{other:?}")),
        }
    }

    #[track_caller]
    fn refused(line: &str) -> String {
        let text = asked(line).unwrap_err();
        text.lines().next().unwrap_or_default().to_owned()
    }

    #[test]
    fn filters_are_shown_in_the_order_in_which_they_were_given() {
        let options = asked("-u 33 -C x 1: -p 1 2:3 Z -a y -X a,b -P 1 -kT -vv -t 5 -m RSS").unwrap();
        let shown: Vec<String> = options.filters.iter().map(Filter::words).collect();
        let expected = "UID = 33 (www-data), command name 'x', PPID = 1, args 'y', exclude progs 'a,b', \
            PCPU >= 1.00, STATE = Z";
        assert_eq!(shown.join(", "), expected);
        assert_eq!(
            (options.warning.as_str(), options.critical.as_str()),
            ("1:", "2:3")
        );
        assert!(options.no_kthreads && options.traditional);
        assert_eq!((options.verbose, options.timeout.as_secs()), (2, 5));
        assert_eq!(options.metric, Metric::Rss);
    }

    #[test]
    fn an_operand_stands_for_the_option_that_is_not_given() {
        let options = asked("-w 1 2 Z").unwrap();
        assert_eq!((options.warning.as_str(), options.critical.as_str()), ("1", "2"));
        assert_eq!(options.filters.len(), 1);
        assert_eq!(refused("1 2 Z 3"), "check_procs: `3` is one operand too many");
        let options = asked("-w  -c 5").unwrap();
        assert_eq!(options.thresholds.warning, None);
    }

    #[test]
    fn what_check_procs_refuses_is_refused_in_its_words() {
        for (line, said) in [
            ("-p x", "check_procs: Parent Process ID must be an integer!"),
            ("-p 5.0", "check_procs: Parent Process ID must be an integer!"),
            ("-r 10k", "check_procs: RSS must be an integer!"),
            ("-z 99999999999", "check_procs: VSZ must be an integer!"),
            ("-P x", "check_procs: PCPU must be a float!"),
            (
                "-m procs",
                "check_procs: Metric must be one of PROCS, VSZ, RSS, CPU, ELAPSED!",
            ),
            (
                "-t abc",
                "check_procs: Timeout interval must be a positive integer - abc",
            ),
            ("-u nosuch", "check_procs: User name was not found - nosuch"),
            ("-u 12345", "check_procs: UID was not found - 12345"),
            ("-w 5:1", "Range format incorrect"),
            (
                "--ereg-argument-array (",
                r"PROCS UNKNOWN: Could not compile regular expression - Unmatched ( or \(",
            ),
            ("-Z", "check_procs: invalid option -- 'Z'"),
        ] {
            assert_eq!(refused(line), said);
        }
    }

    #[test]
    fn what_would_be_a_false_verdict_is_refused_too() {
        for (line, said) in [
            (
                "-u root -u 33",
                "check_procs: -u is given twice, and only one can be meant",
            ),
            (
                "-C a -C b",
                "check_procs: -C is given twice, and only one can be meant",
            ),
            (
                "-z 1 -z 2",
                "check_procs: -z is given twice, and only one can be meant",
            ),
            ("-w abc", "Range format incorrect"),
            ("-c 1:12%", "Range format incorrect"),
            ("-u ", "check_procs: User name was not found - "),
            ("-P 1.5.5", "check_procs: PCPU must be a float!"),
            ("-P nan", "check_procs: PCPU must be a float!"),
            (
                "-t 0",
                "check_procs: Timeout interval must be a positive integer - 0",
            ),
            (
                "--elapsed 5",
                "check_procs: --elapsed filters nothing; -m ELAPSED looks at the age",
            ),
            (
                "-C /usr/sbin/sshd",
                "check_procs: -C compares names, not paths - /usr/sbin/sshd: write -C sshd",
            ),
        ] {
            assert_eq!(refused(line), said);
        }
        assert!(asked("-m CPU -c 1:12%").is_ok());
    }

    #[test]
    fn help_and_version_come_first_where_they_are_written_first() {
        assert_eq!(asked("-h -Z").unwrap_err(), "Help");
        assert_eq!(asked("-V -p x").unwrap_err(), "Version");
        assert_eq!(
            refused("-p x -h"),
            "check_procs: Parent Process ID must be an integer!"
        );
        assert_eq!(asked("-to 7").unwrap().timeout.as_secs(), 7);
    }

    proptest! {
        #[test]
        fn no_words_make_it_panic(words: Vec<Vec<u8>>, line in "(-[a-zA-Z]{0,3}|--[a-z]{1,12}|[@~:0-9.%-]{0,6}| ){0,8}") {
            let _ = parse(&words, &table());
            let words: Vec<Vec<u8>> = line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
            let _ = parse(&words, &table());
            let (locators, rest) = extra::split(&words);
            let _ = extra::words(&locators, |_| Ok(line.clone().into_bytes()));
            let _ = timeout_of(&rest);
        }
    }
}
