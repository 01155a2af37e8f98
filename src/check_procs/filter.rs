//! The filters of check_procs: which processes are counted. All must hold.

use super::row::{Row, base_name, told};
use crate::report::escape;
use crate::select::names::whole_names;
use crate::select::reading::COMM_MAX;
use crate::select::{Key, Truth};
use crate::snapshot::{Cmdline, Why};
use regex::bytes::Regex;

/// A filter.
#[derive(Clone, Debug)]
pub enum Filter {
    /// `-s`: STAT holds this.
    Status(Vec<u8>),
    /// `-p`
    Ppid(i64),
    /// `-u`
    User(i64, String),
    /// `-C`: the name is this.
    Command(Vec<u8>),
    /// `-X`: the name is none of these, which are divided by commas.
    Exclude(Vec<u8>),
    /// `-a`: the arguments hold this.
    Args(Vec<u8>),
    /// `--ereg-argument-array`: the arguments match this; what was written.
    Ereg(Box<Regex>, Vec<u8>),
    /// `-r`: at least so many kB.
    Rss(i64),
    /// `-z`: at least so many kB.
    Vsz(i64),
    /// `-P`: at least so many percent.
    Pcpu(f32),
}

impl Filter {
    /// Whether it holds for a process.
    #[must_use]
    pub fn truth(&self, row: &Row) -> Truth {
        match self {
            Filter::Status(flags) => told(&row.stat, Key::State, |stat| holds(stat, flags)),
            Filter::Ppid(ppid) => told(&row.ppid, Key::Ppid, |found| found == ppid),
            Filter::User(uid, _) => told(&row.uid, Key::User, |found| found == uid),
            Filter::Command(name) => is_called(row, name),
            Filter::Exclude(names) => {
                let called = |name| is_called(row, name);
                let names = names.split(|b| *b == b',').filter(|name| !name.is_empty());
                names.map(called).fold(Truth::No, Truth::or).negate()
            }
            Filter::Args(text) => match &row.args {
                Ok(args) if !holds(args, text) && row.args_cut => {
                    Truth::Unknown(Key::Cmdline, Why::TooLong(Cmdline::LIMIT))
                }
                args => told(args, Key::Cmdline, |args| holds(args, text)),
            },
            Filter::Ereg(..) if row.args_cut => Truth::Unknown(Key::Cmdline, Why::TooLong(Cmdline::LIMIT)),
            Filter::Ereg(expression, _) => told(&row.args, Key::Cmdline, |args| expression.is_match(args)),
            Filter::Rss(least) => told(&row.rss, Key::Rss, |rss| *rss >= whole(*least)),
            Filter::Vsz(least) => told(&row.vsz, Key::Vsz, |vsz| *vsz >= whole(*least)),
            Filter::Pcpu(least) => told(&row.cpu, Key::CpuLife, |cpu| at_least(*cpu, *least)),
        }
    }

    /// In the words of check_procs.
    #[must_use]
    pub fn words(&self) -> String {
        let shown = |bytes: &[u8]| escape::without_bars(&escape::text(bytes));
        match self {
            Filter::Status(flags) => format!("STATE = {}", shown(flags)),
            Filter::Ppid(ppid) => format!("PPID = {ppid}"),
            Filter::User(uid, name) => format!("UID = {uid} ({})", shown(name.as_bytes())),
            Filter::Command(name) => format!("command name '{}'", shown(name)),
            Filter::Exclude(names) => format!("exclude progs '{}'", shown(names)),
            Filter::Args(text) => format!("args '{}'", shown(text)),
            Filter::Ereg(_, text) => format!("regex args '{}'", escape::text(text).replace('|', ",")),
            Filter::Rss(least) => format!("RSS >= {least}"),
            Filter::Vsz(least) => format!("VSZ >= {least}"),
            Filter::Pcpu(least) => format!("PCPU >= {least:.2}"),
        }
    }

    /// Whether it asks for the arguments: of a name that the kernel cut, only they tell the rest.
    #[must_use]
    pub fn reads_args(&self) -> bool {
        match self {
            Filter::Args(_) | Filter::Ereg(..) => true,
            Filter::Command(name) => name.len() > COMM_MAX,
            Filter::Exclude(names) => names.split(|b| *b == b',').any(|name| name.len() > COMM_MAX),
            _ => false,
        }
    }
}

/// Whether all hold.
#[must_use]
pub fn all(filters: &[Filter], row: &Row) -> Truth {
    let truths = filters.iter().map(|filter| filter.truth(row));
    truths.fold(Truth::Yes, Truth::and)
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|window| window == part)
}

#[allow(clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
fn whole(number: i64) -> f64 {
    number as f64
}

/// As check_procs compares them, so that 1.3 is at least 1.3.
#[allow(clippy::cast_possible_truncation, reason = "check_procs has floats")]
fn at_least(cpu: f64, least: f32) -> bool {
    cpu as f32 >= least
}

/// Whether the name is this, with or without what is before its last slash; where the kernel cut it, the arguments may
/// tell the rest.
fn is_called(row: &Row, name: &[u8]) -> Truth {
    let comm = match &row.comm {
        Ok(comm) => comm.as_slice(),
        Err(why) => return Truth::Unknown(Key::Comm, *why),
    };
    if comm == name || base_name(comm) == name {
        return Truth::Yes;
    }
    let may_be_cut = comm.len() == COMM_MAX && name.len() > COMM_MAX && name.starts_with(comm);
    if !may_be_cut || row.kthread == Ok(true) {
        return Truth::No;
    }
    let args = match &row.args {
        Ok(args) => args,
        Err(why) => return Truth::Unknown(Key::Cmdline, *why),
    };
    let words: Vec<Vec<u8>> = args.split(|b| *b == b' ').map(<[u8]>::to_vec).collect();
    let whole = whole_names(comm, &words);
    if whole.is_empty() {
        return Truth::Unknown(Key::Name, Why::Unclear);
    }
    Truth::of(whole.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check_procs::ere;

    fn row() -> Row {
        Row {
            ppid: Ok(1),
            uid: Ok(33),
            vsz: Ok(2000.0),
            rss: Ok(1000.0),
            cpu: Ok(1.3),
            stat: Ok(b"Ssl".to_vec()),
            elapsed: Ok(5.0),
            comm: Ok(b"f2b/server".to_vec()),
            args: Ok(b"/usr/bin/python3 /usr/bin/fail2ban-server -x".to_vec()),
            kthread: Ok(false),
            ..Row::unreadable(Some(70), Why::Denied)
        }
    }

    fn command(name: &str) -> Filter {
        Filter::Command(name.as_bytes().to_vec())
    }

    #[test]
    fn each_filter_asks_its_own_column() {
        let args = |text: &str| Filter::Args(text.as_bytes().to_vec());
        let ereg = |text: &str| Filter::Ereg(Box::new(ere::compile(text.as_bytes()).unwrap()), Vec::new());
        let status = |text: &str| Filter::Status(text.as_bytes().to_vec());
        let exclude = |text: &str| Filter::Exclude(text.as_bytes().to_vec());
        for (filter, holds) in [
            (status("Ss"), true),
            (status("sl"), true),
            (status("Sl"), false),
            (Filter::Ppid(1), true),
            (Filter::Ppid(2), false),
            (Filter::User(33, "www-data".into()), true),
            (Filter::User(0, "root".into()), false),
            (command("server"), true),
            (command("f2b/server"), true),
            (command("f2b"), false),
            (exclude("a,server"), false),
            (exclude("a,,b"), true),
            (args("python3 /usr"), true),
            (args("perl"), false),
            (args(""), true),
            (ereg("fail2ban-(client|server) -x$"), true),
            (ereg("^fail2ban"), false),
            (Filter::Rss(1000), true),
            (Filter::Rss(1001), false),
            (Filter::Vsz(-1), true),
            (Filter::Vsz(2001), false),
            (Filter::Pcpu(1.3), true),
            (Filter::Pcpu(1.31), false),
        ] {
            assert_eq!(filter.truth(&row()), Truth::of(holds), "{filter:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_a_no() {
        let unreadable = Row::unreadable(Some(1), Why::Denied);
        let filters = [command("x"), Filter::Ppid(1), Filter::Rss(1)];
        for filter in &filters {
            assert!(matches!(
                filter.truth(&unreadable),
                Truth::Unknown(_, Why::Denied)
            ));
        }
        // But what another filter says no to is not meant.
        let half = Row {
            args: Err(Why::NoAnswer),
            ..row()
        };
        let args = Filter::Args(b"x".to_vec());
        let unknown = Truth::Unknown(Key::Cmdline, Why::NoAnswer);
        assert_eq!(all(&[args.clone(), Filter::Ppid(1)], &half), unknown);
        assert_eq!(all(&[args, Filter::Ppid(2)], &half), Truth::No);
        assert_eq!(all(&[], &half), Truth::Yes);
    }

    #[test]
    fn of_arguments_that_were_cut_only_what_is_there_is_told() {
        let cut = Row {
            args_cut: true,
            ..row()
        };
        assert_eq!(Filter::Args(b"python3".to_vec()).truth(&cut), Truth::Yes);
        assert_eq!(
            Filter::Args(b"perl".to_vec()).truth(&cut),
            Truth::Unknown(Key::Cmdline, Why::TooLong(Cmdline::LIMIT))
        );
    }

    #[test]
    fn a_name_over_15_bytes_is_told_by_the_arguments() {
        let cut = |args: &str| Row {
            comm: Ok(b"systemd-timesyn".to_vec()),
            args: Ok(args.as_bytes().to_vec()),
            ..row()
        };
        let long = command("systemd-timesyncd");
        assert_eq!(long.truth(&cut("/lib/systemd/systemd-timesyncd")), Truth::Yes);
        assert_eq!(
            command("systemd-timesyn").truth(&cut("/lib/systemd/systemd-timesyncd")),
            Truth::Yes
        );
        assert_eq!(long.truth(&cut("/lib/systemd/systemd-timesynch -x")), Truth::No);
        assert_eq!(
            long.truth(&cut("something else")),
            Truth::Unknown(Key::Name, Why::Unclear)
        );
        assert_eq!(command("other-name-of-a-daemon").truth(&cut("x")), Truth::No);
        assert!(long.reads_args() && !command("sshd").reads_args());
    }

    #[test]
    fn the_words_are_those_of_check_procs() {
        let ereg = Filter::Ereg(Box::new(ere::compile(b"a|b").unwrap()), b"a|b\n".to_vec());
        assert_eq!(ereg.words(), "regex args 'a,b\\n'");
        assert_eq!(Filter::Args(b"a|b\x1b".to_vec()).words(), "args 'a¦b\\x1b'");
        assert_eq!(Filter::User(0, "root".into()).words(), "UID = 0 (root)");
        assert_eq!(Filter::Pcpu(0.715).words(), "PCPU >= 0.71");
    }
}
