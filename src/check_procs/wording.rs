//! The words of check_procs, and lines of ours behind them. Arguments of processes are never shown.

use super::judge::Verdict;
use super::options::{Metric, Options};
use super::row::{Own, Row};
use crate::judge::State;
use crate::report::escape;
use crate::snapshot::{Gap, Why};
use std::fmt::Write;

/// What a verdict is about.
pub struct Sight<'a> {
    /// What was asked for.
    pub options: &'a Options,
    /// The processes.
    pub rows: &'a [Row],
    /// What the view lacks.
    pub gaps: &'a [Gap],
    /// The same question in procward's own dialect.
    pub spec: Option<String>,
}

/// How many of those that can't be told are named.
const SHOWN: usize = 5;

/// The whole output.
#[must_use]
pub fn render(verdict: &Verdict, sight: &Sight<'_>) -> String {
    let mut text = first_line(verdict, sight);
    if verdict.is_unsure() {
        text += &unsure(verdict, sight);
    }
    text += &incomplete(sight.gaps);
    if sight.options.verbose >= 1 {
        text += &where_check_procs_is_wrong(verdict, sight);
    }
    if sight.options.verbose >= 2 {
        for index in &verdict.matched {
            let _ = writeln!(text, "Matched: {}", columns(&sight.rows[*index]));
        }
    }
    if sight.options.verbose >= 3 {
        for row in sight.rows {
            let _ = writeln!(text, "{}{}", columns(row), aside(row, sight.options));
        }
    }
    text
}

/// What to say where there is not a single process.
#[must_use]
pub fn nothing(gaps: &[Gap]) -> String {
    format!("Unable to read output\n{}", incomplete(gaps))
}

fn incomplete(gaps: &[Gap]) -> String {
    let mut text = String::new();
    for gap in gaps.iter().filter(|gap| gap.blinds()) {
        let (what, remedy) = (shown(gap.text().as_bytes()), gap.remedy());
        let _ = writeln!(text, "incomplete view: {what}; {remedy}");
    }
    text
}

fn first_line(verdict: &Verdict, sight: &Sight<'_>) -> String {
    let options = sight.options;
    let mut line = format!("{} {}: ", options.metric.word(), verdict.state.word());
    let (warn, crit) = (verdict.count(State::Warning), verdict.count(State::Critical));
    if options.metric != Metric::Procs {
        match verdict.state {
            State::Warning => line += &format!("{warn} warn out of "),
            State::Critical => line += &format!("{crit} crit, {warn} warn out of "),
            State::Ok | State::Unknown => {}
        }
    }
    line += &count(verdict);
    let filters: Vec<String> = options.filters.iter().map(super::Filter::words).collect();
    if !filters.is_empty() {
        line += &format!(" with {}", filters.join(", "));
    }
    if options.verbose >= 1 && !verdict.alerting.is_empty() {
        let names = verdict
            .alerting
            .iter()
            .map(|(index, _)| shown(sight.rows[*index].name()));
        line += &format!(" [{}]", names.collect::<Vec<_>>().join(", "));
    }
    // A number that is not certain is no measurement.
    if !verdict.is_unsure() {
        let (count, warning, critical) = (verdict.matched.len(), &options.warning, &options.critical);
        line += &match options.metric {
            Metric::Procs => format!(" | procs={count};{warning};{critical};0;"),
            _ => format!(" | procs={count};;;0; procs_warn={warn};;;0; procs_crit={crit};;;0;"),
        };
    }
    line + "\n"
}

/// `3 processes`, or `3 to 5 processes` where it can't be told.
fn count(verdict: &Verdict) -> String {
    let least = verdict.matched.len();
    let (numbers, last) = match verdict.most {
        None => (format!("at least {least}"), least),
        Some(most) if most > least => (format!("{least} to {most}"), most),
        Some(_) => (least.to_string(), least),
    };
    format!("{numbers} {}", if last == 1 { "process" } else { "processes" })
}

fn unsure(verdict: &Verdict, sight: &Sight<'_>) -> String {
    let Some((_, _, first)) = verdict.unsure.first() else {
        return String::new();
    };
    let told = verdict.unsure.iter().take(SHOWN).map(|(index, key, why)| {
        let row = &sight.rows[*index];
        let who = match row.pid {
            Some(pid) => format!("pid {pid} {}", shown(row.name())),
            None => "a line that is none of ps".into(),
        };
        format!("{who} ({}: {})", key.name(), why.text())
    });
    let mut line = format!("unsure: {}", told.collect::<Vec<_>>().join(", "));
    if verdict.unsure.len() > SHOWN {
        let _ = write!(line, ", and {} more", verdict.unsure.len() - SHOWN);
    }
    let remedy = match first {
        Why::NoAnswer => "; see what it waits for, a dead file server maybe",
        Why::Denied if sight.gaps.iter().any(Gap::blinds) => "",
        Why::Denied => {
            "; see what keeps it from procward: everybody may read it, unless a security module forbids"
        }
        _ => "",
    };
    line + remedy + "\n"
}

/// What check_procs would not have said.
fn where_check_procs_is_wrong(verdict: &Verdict, sight: &Sight<'_>) -> String {
    let contained = verdict
        .matched
        .iter()
        .filter(|index| sight.rows[**index].contained)
        .count();
    let mut text = match contained {
        0 => String::new(),
        1 => "among them is 1 process in containers\n".into(),
        many => format!("among them are {many} processes in containers\n"),
    };
    if contained > 0 || verdict.is_unsure() || sight.gaps.iter().any(Gap::blinds) {
        let question = match &sight.spec {
            Some(spec) => format!("procward check '{}'", shown(spec.as_bytes())),
            None => "procward check SPEC, see docs/selectors.md".into(),
        };
        let _ = writeln!(
            text,
            "check_procs counts what is in containers and passes over what it can't read; in procward's own \
             dialect: {question}"
        );
    }
    text
}

/// The line of check_procs without the arguments, which may hold secrets.
fn columns(row: &Row) -> String {
    let number = |seen: Result<f64, Why>| seen.map_or("?".into(), |number| format!("{number:.0}"));
    let whole = |seen: Result<i64, Why>| seen.map_or("?".into(), |number| number.to_string());
    let text = |seen: Option<&[u8]>| seen.map_or("?".into(), shown);
    format!(
        "uid={} vsz={} rss={} pid={} ppid={} pcpu={} stat={} etime={} prog={}",
        whole(row.uid),
        number(row.vsz),
        number(row.rss),
        whole(row.pid.map(i64::from).ok_or(Why::Malformed)),
        whole(row.ppid),
        row.cpu.map_or("?".into(), |cpu| format!("{cpu:.2}")),
        text(row.stat.as_deref().ok()),
        row.elapsed.map_or("?".into(), etime),
        shown(row.name()),
    )
}

fn aside(row: &Row, options: &Options) -> &'static str {
    match row.own {
        Some(Own::Myself) => ": not considering - is myself",
        Some(Own::Parent) => ": not considering - is parent",
        None if options.no_kthreads && row.kthread == Ok(true) => ": not considering - is kernel thread",
        None => "",
    }
}

/// `[[days-]hours:]minutes:seconds`, as ps writes it.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an age is a small positive number"
)]
fn etime(seconds: f64) -> String {
    let seconds = seconds as u64;
    let (minutes, hours, days) = (seconds / 60 % 60, seconds / 3600 % 24, seconds / 86400);
    let rest = format!("{minutes:02}:{:02}", seconds % 60);
    match (days, hours) {
        (0, 0) => rest,
        (0, _) => format!("{hours:02}:{rest}"),
        _ => format!("{days}-{hours:02}:{rest}"),
    }
}

fn shown(bytes: &[u8]) -> String {
    escape::without_bars(&escape::text(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check_procs::judge;
    use crate::check_procs::options::{Request, parse};
    use crate::snapshot::Table;

    fn row(comm: &[u8], rss: f64) -> Row {
        Row {
            ppid: Ok(1),
            uid: Ok(33),
            vsz: Ok(2000.0),
            rss: Ok(rss),
            cpu: Ok(1.5),
            stat: Ok(b"Ss".to_vec()),
            elapsed: Ok(90_061.0),
            comm: Ok(comm.to_vec()),
            args: Ok(b"secret".to_vec()),
            kthread: Ok(false),
            ..Row::unreadable(Some(70), Why::Denied)
        }
    }

    fn said(line: &str, rows: &[Row], gaps: &[Gap]) -> String {
        let words: Vec<Vec<u8>> = line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
        let Ok(Request::Check(options)) = parse(&words, &Table::default()) else {
            panic!("{line}");
        };
        let verdict = judge(&options, rows, gaps.iter().any(Gap::hides));
        let sight = Sight {
            options: &options,
            rows,
            gaps,
            spec: crate::check_procs::dialect::spec(&options, &Table::default()),
        };
        render(&verdict, &sight)
    }

    #[test]
    fn the_first_line_is_that_of_check_procs() {
        let rows = [row(b"a", 5.0), row(b"b", 50.0), row(b"x|y\n", 500.0)];
        for (line, expected) in [
            ("-w 5", "PROCS OK: 3 processes | procs=3;5;;0;"),
            (
                "-C a 2: 1:",
                "PROCS WARNING: 1 process with command name 'a' | procs=1;2:;1:;0;",
            ),
            (
                "-p 1 -C b -c 0",
                "PROCS CRITICAL: 1 process with PPID = 1, command name 'b' | procs=1;;0;0;",
            ),
            (
                "-m RSS -w 400",
                "RSS WARNING: 1 warn out of 3 processes | procs=3;;;0; procs_warn=1;;;0; procs_crit=0;;;0;",
            ),
            (
                "-m RSS -w 10 -c 100 -v",
                "RSS CRITICAL: 1 crit, 1 warn out of 3 processes [b, x¦y\\n] | procs=3;;;0; procs_warn=1;;;0; \
                 procs_crit=1;;;0;",
            ),
            (
                "-m CPU",
                "CPU OK: 3 processes | procs=3;;;0; procs_warn=0;;;0; procs_crit=0;;;0;",
            ),
        ] {
            assert_eq!(said(line, &rows, &[]), format!("{expected}\n"));
        }
        assert_eq!(nothing(&[]), "Unable to read output\n");
    }

    #[test]
    fn what_cannot_be_told_is_told_as_an_interval_and_not_as_a_measurement() {
        let hung = Row {
            args: Err(Why::NoAnswer),
            ..row(b"java", 1.0)
        };
        assert_eq!(
            said("-a x -c 1:", std::slice::from_ref(&hung), &[]),
            "PROCS UNKNOWN: 0 to 1 process with args 'x'\n\
             unsure: pid 70 java (cmdline: no answer); see what it waits for, a dead file server maybe\n"
        );
        let hidden = [Gap::HidePid("2".into())];
        let text = said("-C java -c 1: -v", &[hung], &hidden);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "PROCS OK: at least 1 process with command name 'java'");
        assert!(
            lines[1].starts_with("incomplete view: /proc is mounted with hidepid=2"),
            "{text}"
        );
        assert!(
            lines[2].ends_with("in procward's own dialect: procward check 'comm=\"java\":1-'"),
            "{text}"
        );
    }

    #[test]
    fn containers_are_told_with_the_dialect_that_knows_them() {
        let mut rows = [row(b"a", 1.0), row(b"a", 1.0)];
        rows[0].contained = true;
        let text = said("-C a -v", &rows, &[]);
        assert!(
            text.contains("\namong them is 1 process in containers\n"),
            "{text}"
        );
        rows[1].contained = true;
        let text = said("-C a -v", &rows, &[]);
        assert!(
            text.contains("\namong them are 2 processes in containers\n"),
            "{text}"
        );
        assert!(text.contains("procward check 'comm=\"a\":0-'\n"), "{text}");
        assert_eq!(said("-C a", &rows, &[]).lines().count(), 1);
    }

    #[test]
    fn arguments_of_processes_are_never_shown() {
        let text = said("-vvv", &[row(b"a", 5.0)], &[]);
        let columns = "uid=33 vsz=2000 rss=5 pid=70 ppid=1 pcpu=1.50 stat=Ss etime=1-01:01:01 prog=a";
        assert_eq!(
            text,
            format!("PROCS OK: 1 process | procs=1;;;0;\nMatched: {columns}\n{columns}\n")
        );
    }
}
