//! `--input-file`: what ps wrote, with or without ELAPSED. Its columns are those of its first line.

use super::row::Row;
use crate::parse::{decimal, number};
use crate::snapshot::Why;

/// A column of ps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Stat,
    Uid,
    Pid,
    Ppid,
    Vsz,
    Rss,
    Cpu,
    Elapsed,
    Other,
}

fn column(title: &[u8]) -> Column {
    match title {
        b"STAT" | b"S" => Column::Stat,
        b"UID" => Column::Uid,
        b"PID" => Column::Pid,
        b"PPID" => Column::Ppid,
        b"VSZ" => Column::Vsz,
        b"RSS" => Column::Rss,
        b"%CPU" => Column::Cpu,
        b"ELAPSED" => Column::Elapsed,
        _ => Column::Other,
    }
}

/// What the first line says of the others.
struct Header {
    /// The columns before the name.
    columns: Vec<Column>,
    /// How wide the name is with the blank behind it.
    name: usize,
}

/// ps shows 15 bytes of the name at least, and a blank.
const NAME: usize = 16;

/// The processes of a listing; none where its first line has no titles of ps.
#[must_use]
pub fn parse(text: &[u8]) -> Option<Vec<Row>> {
    let mut lines = text.split(|b| *b == b'\n');
    let header = header(lines.next()?)?;
    let lines = lines.map(<[u8]>::trim_ascii_end).filter(|line| !line.is_empty());
    let mut rows: Vec<Row> = lines.map(|line| row(line, &header)).collect();
    mark_kthreads(&mut rows);
    Some(rows)
}

/// The last two titles are COMMAND, of the name and of the arguments.
fn header(line: &[u8]) -> Option<Header> {
    let words = words(line);
    let (last, before) = words.split_last()?;
    let (name, columns) = before.split_last()?;
    let is_command = |word: &(usize, &[u8])| matches!(word.1, b"COMMAND" | b"CMD" | b"COMM" | b"ARGS");
    let columns: Vec<Column> = columns.iter().map(|(_, title)| column(title)).collect();
    let known = columns.contains(&Column::Stat) && columns.contains(&Column::Pid);
    (is_command(last) && is_command(name) && known).then_some(Header {
        columns,
        name: last.0 - name.0,
    })
}

/// The words of a line, with their places.
fn words(line: &[u8]) -> Vec<(usize, &[u8])> {
    let mut words = Vec::new();
    let mut at = 0;
    while let Some((start, word)) = word(line, at) {
        words.push((start, word));
        at = start + word.len();
    }
    words
}

/// The first word from this place on.
fn word(line: &[u8], from: usize) -> Option<(usize, &[u8])> {
    let rest = line.get(from..)?;
    let start = rest.iter().position(|b| !b.is_ascii_whitespace())?;
    let rest = &rest[start..];
    let end = rest
        .iter()
        .position(u8::is_ascii_whitespace)
        .unwrap_or(rest.len());
    Some((from + start, &rest[..end]))
}

/// A process; where the line has too few words, or one that is no number, it is a process of which that can't be told.
fn row(line: &[u8], header: &Header) -> Row {
    let mut row = Row::unreadable(None, Why::Malformed);
    let mut at = 0;
    for column in &header.columns {
        let Some((start, word)) = word(line, at) else {
            return row;
        };
        at = start + word.len();
        let count = || decimal(word).ok_or(Why::Malformed);
        match column {
            Column::Stat => row.stat = Ok(word.to_vec()),
            Column::Uid => row.uid = number(word).ok_or(Why::Malformed),
            Column::Pid => row.pid = number(word),
            Column::Ppid => row.ppid = number(word).ok_or(Why::Malformed),
            Column::Vsz => row.vsz = count(),
            Column::Rss => row.rss = count(),
            Column::Cpu => row.cpu = count(),
            Column::Elapsed => row.elapsed = seconds(word).ok_or(Why::Malformed),
            Column::Other => {}
        }
    }
    // ps puts one blank between two columns.
    let rest = line.get(at + 1..).unwrap_or_default();
    let (name, args) = name_and_args(rest, header);
    row.comm = Ok(name.to_vec());
    row.args = Ok(args.trim_ascii().to_vec());
    row
}

/// A name may hold blanks: it takes the width of its column, where that is as wide as ps makes it.
fn name_and_args<'a>(rest: &'a [u8], header: &Header) -> (&'a [u8], &'a [u8]) {
    if header.name >= NAME
        && let Some((name, args)) = rest.split_at_checked(header.name)
        && name.ends_with(b" ")
        && !name.starts_with(b" ")
    {
        // A zombie in the way of older versions.
        let name = name.trim_ascii_end();
        return (name.strip_suffix(b" <defunct>").unwrap_or(name), args);
    }
    let (start, name) = word(rest, 0).unwrap_or((0, b""));
    let args = rest.get(start + name.len()..).unwrap_or_default();
    let args = args.trim_ascii_start();
    (name, args.strip_prefix(b"<defunct> ").unwrap_or(args))
}

/// `[[days-]hours:]minutes:seconds`
fn seconds(word: &[u8]) -> Option<f64> {
    let (days, time) = match word.iter().position(|b| *b == b'-') {
        Some(at) => (decimal(&word[..at])?, &word[at + 1..]),
        None => (0.0, word),
    };
    let mut parts = Vec::new();
    for part in time.split(|b| *b == b':') {
        parts.push(decimal(part)?);
    }
    let (hours, minutes, seconds) = match parts.as_slice() {
        [hours, minutes, seconds] => (*hours, *minutes, *seconds),
        [minutes, seconds] => (0.0, *minutes, *seconds),
        _ => return None,
    };
    Some(days * 86400.0 + hours * 3600.0 + minutes * 60.0 + seconds)
}

/// ps shows no flags: kernel threads are kthreadd, which PID 0 started, and its children.
fn mark_kthreads(rows: &mut [Row]) {
    let is_root = |row: &Row| row.ppid == Ok(0) && row.comm.as_deref() == Ok(b"kthreadd");
    let root = rows.iter().find(|row| is_root(row)).and_then(|row| row.pid);
    for row in rows {
        let child = |ppid| root.is_some_and(|root| ppid == i64::from(root));
        row.kthread = row.ppid.map(|ppid| child(ppid) || is_root(row));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WITH: &str = "\
STAT   UID   PID  PPID    VSZ   RSS %CPU     ELAPSED COMMAND         COMMAND
SLl      0     1     0  41188 12160  1.4    1-02:35:51 init            /sbin/init --x
S        0     2     0      0     0  0.0       35:51 kthreadd        [kthreadd]
I<       0     4     2      0     0  0.0    01:00:01 kworker/R-rcu_g [kworker/R-rcu_gp]
S     1000    12     1  18152 11384  0.0       00:05 with space x    /usr/bin/python3 z.py  
Z        0    13     1      0     0  0.0       00:00 short           [short] <defunct>
broken
S        0     x     1      0     0  0.0       00:00 odd             odd
";

    const WITHOUT: &str = "\
STAT   UID   PID  PPID   VSZ  RSS %CPU COMMAND          COMMAND
S        0     1     0  2860  568  0.0 init             init [2]
Ss    1000  4070     1  3736 1752 12.5 bash             -bash
Z        0  4071     1     0    0  0.0 sh <defunct>     [sh] <defunct>
";

    fn text(seen: &Result<Vec<u8>, Why>) -> String {
        seen.as_ref()
            .map_or("?".into(), |bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    #[test]
    fn columns_are_found_by_their_titles_with_and_without_elapsed() {
        let rows = parse(WITH.as_bytes()).unwrap();
        assert_eq!(rows.len(), 7);
        let first = &rows[0];
        assert_eq!((first.pid, first.ppid, first.uid), (Some(1), Ok(0), Ok(0)));
        assert_eq!(
            (first.vsz, first.rss, first.cpu),
            (Ok(41188.0), Ok(12160.0), Ok(1.4))
        );
        assert_eq!(first.elapsed, Ok(86400.0 + 2.0 * 3600.0 + 35.0 * 60.0 + 51.0));
        assert_eq!(
            (text(&first.stat), text(&first.args)),
            ("SLl".into(), "/sbin/init --x".into())
        );
        let names: Vec<String> = rows.iter().map(|row| text(&row.comm)).collect();
        assert_eq!(
            names,
            [
                "init",
                "kthreadd",
                "kworker/R-rcu_g",
                "with space x",
                "short",
                "?",
                "odd"
            ]
        );
        assert_eq!(text(&rows[3].args), "/usr/bin/python3 z.py");
        assert_eq!((rows[5].pid, rows[6].pid), (None, None));
        assert_eq!(rows.iter().filter(|row| row.kthread == Ok(true)).count(), 2);

        let rows = parse(WITHOUT.as_bytes()).unwrap();
        assert_eq!((rows[1].cpu, rows[1].elapsed), (Ok(12.5), Err(Why::Malformed)));
        let names: Vec<String> = rows.iter().map(|row| text(&row.comm)).collect();
        assert_eq!(names, ["init", "bash", "sh"]);
        assert_eq!(text(&rows[2].args), "[sh] <defunct>");
    }

    #[test]
    fn what_is_no_listing_is_none() {
        for text in ["", "\n", "PID COMMAND\n1 x\n", "\u{0}\u{1}", "STAT PID COMMAND\n"] {
            assert_eq!(parse(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(parse(b"STAT PID COMMAND COMMAND\n"), Some(Vec::new()));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, line in "[ -~]{0,90}") {
            let _ = parse(&bytes);
            let _ = parse(format!("{WITH}{line}\n").as_bytes());
            let _ = parse(format!("{WITHOUT}{line}\n").as_bytes());
        }
    }
}
