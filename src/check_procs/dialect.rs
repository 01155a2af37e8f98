//! The same question in procward's own dialect, which knows containers and what could not be read. Named where
//! check_procs would be silently wrong.

use super::filter::Filter;
use super::options::{Metric, Options};
use super::range::Range;
use crate::select::reading::COMM_MAX;
use crate::select::spec::{Dialect, parse};
use crate::snapshot::Accounts;

/// A spec for `procward check`; none where that has no words for it.
#[must_use]
pub fn spec(options: &Options, accounts: &dyn Accounts) -> Option<String> {
    let range = options.thresholds.critical.or(options.thresholds.warning);
    let mut terms: Vec<String> = Vec::new();
    for filter in &options.filters {
        terms.push(term(filter)?);
    }
    if options.no_kthreads {
        terms.push("kthread=no".into());
    }
    let count = match (options.metric, range) {
        (Metric::Procs, None) => "0-".into(),
        (Metric::Procs, Some(range)) => count(range)?,
        (metric, Some(range)) => {
            terms.push(excess(metric, range)?);
            "0".into()
        }
        _ => return None,
    };
    if terms.is_empty() {
        terms.push("pid>0".into());
    }
    let spec = format!("{}:{count}", terms.join(","));
    parse(&spec, accounts, Dialect::Native).is_ok().then_some(spec)
}

fn term(filter: &Filter) -> Option<String> {
    let text = |bytes: &[u8]| {
        let text = std::str::from_utf8(bytes).ok()?;
        // The whole is shown in the quotes of a shell.
        let plain = |c: char| (c.is_ascii_graphic() || c == ' ') && c != '\'';
        let plain = !text.is_empty() && text.chars().all(plain);
        plain.then(|| text.to_owned())
    };
    // What a glob of the language takes for itself.
    let word = |bytes: &[u8]| text(bytes).filter(|text| !text.contains(['*', '?', '[', '\\', '"', '|']));
    Some(match filter {
        Filter::Status(flags) if flags.len() == 1 && b"RSDZTI".contains(&flags[0]) => {
            format!("state={}", char::from(flags[0]))
        }
        Filter::Status(_) => return None,
        Filter::Ppid(ppid) => format!("ppid={ppid}"),
        Filter::User(_, name) => format!("user=\"{}\"", word(name.as_bytes())?),
        Filter::Command(name) if name.len() > COMM_MAX => format!("name=\"{}\"", word(name)?),
        Filter::Command(name) => format!("comm=\"{}\"", word(name)?),
        Filter::Exclude(names) => {
            let names: Option<Vec<String>> = names
                .split(|b| *b == b',')
                .filter(|name| !name.is_empty())
                .map(word)
                .collect();
            let quoted = |name: String| format!("\"{name}\"");
            format!(
                "comm!={}",
                names?.into_iter().map(quoted).collect::<Vec<_>>().join("|")
            )
        }
        Filter::Args(args) => {
            let text = text(args).filter(|text| !text.contains('"'))?;
            format!("cmdline~\"{}\"", regex::escape(&text))
        }
        // The two languages of expressions differ.
        Filter::Ereg(..) => return None,
        Filter::Rss(least) => format!("rss>={least}K"),
        Filter::Vsz(least) => format!("vsz>={least}K"),
        Filter::Pcpu(least) => format!("cpu.life>={least}%"),
    })
}

/// A range of counts: whole numbers that do not alert.
fn count(range: Range) -> Option<String> {
    let whole = |bound: f64| bound >= 0.0 && bound.fract() == 0.0;
    if range.inside || range.end < 0.0 {
        return None;
    }
    let (start, end) = (range.start.max(0.0), range.end);
    match (whole(start), end.is_finite()) {
        (true, false) => Some(format!("{start}-")),
        (true, true) if whole(end) => Some(format!("{start}-{end}")),
        _ => None,
    }
}

/// What must not be: a value above the end.
fn excess(metric: Metric, range: Range) -> Option<String> {
    if range.inside || range.start > 0.0 || range.end.is_infinite() || range.end.fract() != 0.0 {
        return None;
    }
    let end = range.end;
    Some(match metric {
        Metric::Vsz => format!("vsz>{end}K"),
        Metric::Rss => format!("rss>{end}K"),
        Metric::Cpu => format!("cpu.life>{end}%"),
        Metric::Elapsed => format!("age>{end}s"),
        Metric::Procs => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check_procs::options::{Request, parse};
    use crate::snapshot::Table;

    fn said(line: &str) -> Option<String> {
        let mut table = Table::default();
        table.users.insert("root".into(), 0);
        let words: Vec<Vec<u8>> = line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
        match parse(&words, &table) {
            Ok(Request::Check(options)) => spec(&options, &table),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_can_be_said_in_both_dialects_is_said() {
        for (line, spec) in [
            ("-C sshd -u root -c 1:", r#"comm="sshd",user="root":1-"#),
            ("-C systemd-timesyncd -c 1:1", r#"name="systemd-timesyncd":1-1"#),
            ("-a -D(x) -w 5", r#"cmdline~"\-D\(x\)":0-5"#),
            ("-s Z -w ~:3", "state=Z:0-3"),
            ("-m RSS -c 100 -p 1", "ppid=1,rss>100K:0"),
            ("-m CPU -w 50 -k", "kthread=no,cpu.life>50%:0"),
            (
                "-X a,b -z 5 -r 6 -P 7 -c 0",
                r#"comm!="a"|"b",vsz>=5K,rss>=6K,cpu.life>=7%:0-0"#,
            ),
            ("-w 250 -c 400", "pid>0:0-400"),
        ] {
            assert_eq!(said(line).as_deref(), Some(spec), "{line}");
        }
        for line in [
            "-s Ss",
            "--ereg-argument-array x",
            "-C x -c @1:2",
            "-C x -c 0.5:",
            "-C it's -c 1:",
            "-m RSS",
        ] {
            assert_eq!(said(line), None, "{line}");
        }
    }
}
