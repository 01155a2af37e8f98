//! The table of processes of UCD-SNMP-MIB, `prTable`, as net-snmp serves it for `proc` in snmpd.conf(5): one row for
//! each check, so that what reads that table reads this one.

use super::zabbix::key;
use super::{cut, escape, first_line};
use crate::judge::{Report, State, Verdict};
use serde::{Deserialize, Serialize};

/// Where the table is: `.iso.org.dod.internet.private.enterprises.ucdavis.prTable`.
pub const TABLE: &str = ".1.3.6.1.4.1.2021.2";
/// The most of a DisplayString.
const TEXT: usize = 255;
/// The largest Integer32.
const MOST: u64 = i32::MAX as u64;

/// What is served of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Row {
    /// The name of the check, by which its row is found again, as one that no other has: two may be shown alike. None where no
    /// check is known.
    check: Option<String>,
    name: String,
    min: u64,
    /// 0 is unlimited, unless `min` is 0 too: then it is none.
    max: u64,
    count: u64,
    /// Why it is in error; empty where it is not.
    message: String,
    error: bool,
}

/// All that is served: what one look saw.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Why checks may be missing.
    fault: Option<String>,
    rows: Vec<Row>,
}

/// One cell: its OID and its value, as the protocol of `pass_persist` has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    oid: Vec<u32>,
    value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Integer(u64),
    Text(String),
}

/// What a column shows of a row, which has this index.
type Column = fn(u64, &Row) -> Value;

/// The columns, in ascending order.
const COLUMNS: [(u32, Column); 9] = [
    (1, |index, _| Value::Integer(index)),
    (2, |_, row| Value::Text(row.name.clone())),
    (3, |_, row| Value::Integer(row.min)),
    (4, |_, row| Value::Integer(row.max)),
    (5, |_, row| Value::Integer(row.count)),
    (100, |_, row| Value::Integer(row.error.into())),
    (101, |_, row| Value::Text(row.message.clone())),
    // Nothing is fixed.
    (102, |_, _| Value::Integer(0)),
    (103, |_, _| Value::Text(String::new())),
];

/// The table of a report, to be read by [`Table::read`].
pub(super) fn render(report: &Report) -> String {
    let mut rows: Vec<Row> = report.verdicts.iter().map(Row::of).collect();
    rows.extend(report.skipped.iter().map(|(name, reason)| Row {
        check: Some(key(name)),
        name: plain(name),
        min: 0,
        max: MOST,
        count: 0,
        message: plain(&format!("skipped, {reason}")),
        // Where nothing was judged, that is not well.
        error: report.verdicts.is_empty(),
    }));
    rows.sort_by(|a, b| (&a.name, &a.check).cmp(&(&b.name, &b.check)));
    let faulty = report.verdicts.iter().find(|verdict| verdict.faulty.is_some());
    let fault = match faulty {
        Some(verdict) => Some(plain(&format!("faulty: {}", verdict.name))),
        None if rows.is_empty() => Some("nothing to check".into()),
        None => None,
    };
    Table { fault, rows }.written()
}

/// The table of a run that could not be finished, with what was known by then.
pub(super) fn unfinished(known: &str, reason: &str) -> String {
    let known: Table = serde_json::from_str(known).unwrap_or_default();
    Table {
        fault: Some(format!("not finished, {reason}")),
        ..known
    }
    .written()
}

/// How a check fails, and what it wants, or why it can't be told: nothing that moves from look to look.
fn message(verdict: &Verdict) -> String {
    let how = first_line::one(verdict);
    let reason = verdict
        .reasons
        .first()
        .filter(|_| verdict.state == State::Unknown);
    plain(&match reason {
        Some(reason) => format!("{how}: {reason}"),
        None if verdict.faulty.is_some() => how,
        None => format!("{how}; want {}", verdict.wants),
    })
}

impl Row {
    fn of(verdict: &Verdict) -> Row {
        let (min, max) = (verdict.count.min, verdict.count.max);
        let error = verdict.state != State::Ok;
        Row {
            check: Some(key(&verdict.name)),
            name: plain(&verdict.name),
            min: min.min(MOST),
            // snmpd.conf(5), `proc`: with a minimum, 0 is infinity; without one, it is a process that must not run.
            max: max.unwrap_or(if min > 0 { 0 } else { MOST }).min(MOST),
            count: verdict.matched.min(MOST),
            message: if error { message(verdict) } else { String::new() },
            error,
        }
    }

    fn not_judged(self, why: &str) -> Row {
        Row {
            count: 0,
            message: plain(&format!("not judged: {why}")),
            error: true,
            ..self
        }
    }
}

impl Table {
    fn written(&self) -> String {
        // These types hold nothing that JSON cannot.
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }

    /// What a look had to say, which came after another table. Where it lacks checks because something went wrong, those
    /// of before keep their rows, and are in error: whoever reads a row must not take its absence for anything.
    #[must_use]
    pub fn read(text: &str, before: &Table) -> Table {
        let look: Table = serde_json::from_str(text).unwrap_or_else(|_| Table {
            fault: Some(text.lines().next().unwrap_or_default().to_owned()),
            rows: Vec::new(),
        });
        let Some(fault) = &look.fault else {
            return look;
        };
        let of_before = before.rows.iter().filter(|row| row.check.is_some()).map(|row| {
            let same = look.rows.iter().find(|new| new.check == row.check);
            same.cloned().unwrap_or_else(|| row.clone().not_judged(fault))
        });
        let is_new = |new: &&Row| before.rows.iter().all(|row| row.check != new.check);
        let mut rows: Vec<Row> = of_before
            .chain(look.rows.iter().filter(is_new).cloned())
            .collect();
        if rows.is_empty() {
            rows.push(Row {
                check: None,
                name: NOBODY.into(),
                min: 1,
                max: 0,
                count: 0,
                message: plain(&format!("not judged: {fault}")),
                error: true,
            });
        }
        Table { rows, ..look }
    }

    /// The cell of this OID.
    #[must_use]
    pub fn get(&self, oid: &str) -> Option<Cell> {
        let wanted = numbers(oid)?;
        self.cells().find(|cell| cell.oid == wanted)
    }

    /// The first cell behind this OID.
    #[must_use]
    pub fn next(&self, oid: &str) -> Option<Cell> {
        let before = numbers(oid)?;
        self.cells().find(|cell| cell.oid > before)
    }

    /// All of them, in ascending order: column by column.
    fn cells(&self) -> impl Iterator<Item = Cell> {
        let entry = numbers(TABLE).unwrap_or_default();
        COLUMNS.into_iter().flat_map(move |(column, value)| {
            let entry = entry.clone();
            (1..).zip(&self.rows).map(move |(index, row)| Cell {
                oid: [entry.as_slice(), &[1, column, index]].concat(),
                value: value(index.into(), row),
            })
        })
    }
}

/// The row where no check is known.
const NOBODY: &str = "procward";

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for number in &self.oid {
            write!(f, ".{number}")?;
        }
        match &self.value {
            Value::Integer(number) => write!(f, "\ninteger\n{number}\n"),
            Value::Text(text) => write!(f, "\nstring\n{text}\n"),
        }
    }
}

/// An OID in numbers.
fn numbers(oid: &str) -> Option<Vec<u32>> {
    let oid = oid.strip_prefix('.').unwrap_or(oid);
    oid.split('.').map(|number| number.parse().ok()).collect()
}

/// A DisplayString: printable ASCII, and not too much of it.
fn plain(text: &str) -> String {
    let escaped = escape::text(text.as_bytes());
    let ascii = escaped.chars().map(|c| {
        if c.is_ascii() {
            c.to_string()
        } else {
            c.escape_unicode().to_string()
        }
    });
    cut(&ascii.collect::<String>(), TEXT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{host, judged, process};

    fn rendered(specs: &[(&str, &str)], skipped: &[(&str, &str)]) -> String {
        let host = host(vec![process(10, "cron"), process(11, "in.telnetd")]);
        let verdicts = specs.iter().map(|(name, spec)| Verdict {
            name: (*name).into(),
            ..judged(spec, &host)
        });
        let skipped = skipped.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
        render(&crate::judge::assemble(
            verdicts.collect(),
            skipped.collect(),
            &host,
        ))
    }

    fn table(specs: &[(&str, &str)]) -> Table {
        Table::read(&rendered(specs, &[]), &Table::default())
    }

    /// Names, whether they are in error, and messages.
    fn rows(table: &Table) -> Vec<(&str, bool, &str)> {
        let rows = table.rows.iter();
        rows.map(|row| (row.name.as_str(), row.error, row.message.as_str()))
            .collect()
    }

    #[test]
    fn a_walk_is_whole_and_in_order() {
        let table = Table::read(
            &rendered(
                &[("telnetd", "in.telnetd:0"), ("cron", "cron:1-")],
                &[("a", "b\n")],
            ),
            &Table::default(),
        );
        let mut walk = Vec::new();
        let mut oid = TABLE.to_owned();
        while let Some(cell) = table.next(&oid) {
            let text = cell.to_string();
            oid = text.lines().next().unwrap().to_owned();
            assert_eq!(table.get(&oid), Some(cell));
            let (_, rest) = text.split_once(TABLE).unwrap();
            walk.push(rest.trim_end_matches('\n').replace('\n', " "));
        }
        let wants = "telnetd running (in.telnetd, root); want no process named in.telnetd";
        let expected = [
            ".1.1.1 integer 1",
            ".1.1.2 integer 2",
            ".1.1.3 integer 3",
            ".1.2.1 string a",
            ".1.2.2 string cron",
            ".1.2.3 string telnetd",
            ".1.3.1 integer 0",
            ".1.3.2 integer 1",
            ".1.3.3 integer 0",
            ".1.4.1 integer 2147483647",
            ".1.4.2 integer 0",
            ".1.4.3 integer 0",
            ".1.5.1 integer 0",
            ".1.5.2 integer 1",
            ".1.5.3 integer 1",
            ".1.100.1 integer 0",
            ".1.100.2 integer 0",
            ".1.100.3 integer 1",
            ".1.101.1 string skipped, b\\n",
            ".1.101.2 string",
            &format!(".1.101.3 string {wants}"),
            ".1.102.1 integer 0",
            ".1.102.2 integer 0",
            ".1.102.3 integer 0",
            ".1.103.1 string",
            ".1.103.2 string",
            ".1.103.3 string",
        ];
        assert_eq!(walk, expected);
    }

    #[test]
    fn what_is_not_in_the_table_is_not_there() {
        let table = table(&[("cron", "cron:1-")]);
        for oid in [
            "",
            ".",
            "x",
            ".1.3.6.1.4.1.2021.2.1.1.0",
            ".1.3.6.1.4.1.2021.2.1.6.1",
            "-1",
            ".99999999999",
        ] {
            assert_eq!(table.get(oid), None, "{oid}");
        }
        for oid in ["", "x", ".1.3.6.1.4.1.2021.2.1.103.1", ".1.3.6.1.4.1.2021.3"] {
            assert_eq!(table.next(oid), None, "{oid}");
        }
        let first = table.get(".1.3.6.1.4.1.2021.2.1.1.1");
        assert_eq!(table.next("1.3.6.1"), first);
    }

    #[test]
    fn a_fault_leaves_every_row_in_its_place_and_in_error() {
        let before = table(&[("a", "cron:1-"), ("c", "cron:1")]);
        let broken = Table::read(
            &rendered(&[("/p.toml", "nosuch=x"), ("c", "cron:1")], &[]),
            &before,
        );
        let why = "not judged: faulty: /p.toml";
        let shown = rows(&broken);
        assert_eq!(shown[..2], [("a", true, why), ("c", false, "")]);
        assert_eq!((shown[2].0, shown[2].1, shown.len()), ("/p.toml", true, 3));
        let late = Table::read(&unfinished("", "late"), &broken);
        let why = "not judged: not finished, late";
        assert_eq!(
            rows(&late),
            [("a", true, why), ("c", true, why), ("/p.toml", true, why)]
        );
        let panic = Table::read("UNKNOWN: internal error: x\nreport\n", &before);
        assert_eq!(
            rows(&panic)[1],
            ("c", true, "not judged: UNKNOWN: internal error: x")
        );
        let again = Table::read(&rendered(&[("c", "cron:1")], &[]), &late);
        assert_eq!(rows(&again), [("c", false, "")]);
    }

    #[test]
    fn a_fault_gives_no_check_the_row_of_another_that_is_shown_alike() {
        let long = "x".repeat(300);
        let [one, other] = ["1", "2"].map(|end| format!("{long}{end}"));
        let before = table(&[
            ("a\n", "nosuch:1"),
            ("a\\n", "cron:1"),
            (&one, "nosuch:1"),
            (&other, "cron:1"),
        ]);
        let broken = rendered(
            &[("/p.toml", "nosuch=x"), ("a\\n", "cron:1"), (&other, "cron:1")],
            &[],
        );
        let table = Table::read(&broken, &before);
        let errors: Vec<bool> = rows(&table).iter().map(|row| row.1).collect();
        assert_eq!(errors, [true, false, true, false, true]);
    }

    #[test]
    fn a_check_called_procward_keeps_its_row() {
        let before = table(&[("procward", "cron:1")]);
        let late = Table::read(&unfinished("", "late"), &before);
        assert_eq!(
            rows(&late),
            [("procward", true, "not judged: not finished, late")]
        );
        let again = Table::read(&rendered(&[("a", "nosuch=x")], &[]), &late);
        assert_eq!(
            (rows(&again)[0], again.rows.len()),
            (("procward", true, "not judged: faulty: a"), 2)
        );
    }

    #[test]
    fn where_every_check_is_skipped_nothing_is_well() {
        let table = |specs| Table::read(&rendered(specs, &[("a", "x")]), &Table::default());
        assert_eq!(rows(&table(&[])), [("a", true, "skipped, x")]);
        let one = table(&[("cron", "cron:1")]);
        assert_eq!(rows(&one), [("a", false, "skipped, x"), ("cron", false, "")]);
    }

    #[test]
    fn there_is_always_a_row() {
        let empty = table(&[]);
        assert_eq!(rows(&empty), [("procward", true, "not judged: nothing to check")]);
        let late = Table::read(&unfinished("", "late"), &empty);
        assert_eq!(
            rows(&late),
            [("procward", true, "not judged: not finished, late")]
        );
        let known = Table::read(&rendered(&[("a", "nosuch=x")], &[]), &late);
        assert_eq!((rows(&known)[0].0, known.rows.len()), ("a", 1));
    }

    #[test]
    fn a_text_is_printable_ascii_of_at_most_255_bytes() {
        assert_eq!(plain("é\n\x1b|"), "\\u{e9}\\n\\x1b|");
        assert_eq!(plain(&"é".repeat(100)).len(), 255);
    }
}
