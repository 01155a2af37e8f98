//! A local check of Checkmk's agent, one service a line: `STATE "NAME" PERFORMANCE text`. A `\n` in the text, written so,
//! is a line break; no name holds a quote. The first service is the run itself.

use super::services::{RUN, of_checks, of_run};
use super::{cut, details, escape};
use crate::judge::{Report, State, Verdict};

/// The most of one line.
const LINE: usize = 4000;

/// The whole output.
pub(super) fn render(report: &Report) -> String {
    let lines = of_checks(report).into_iter().map(|(name, verdict)| {
        let certain = verdict.faulty.is_none() && verdict.unknown == 0;
        let data = certain.then(|| format!("processes={}", verdict.matched));
        let data = data.unwrap_or_else(|| "-".into());
        line(verdict.state, &name, &data, &about(verdict))
    });
    let lines: String = lines.collect();
    let (state, about) = of_run(report);
    line(state, RUN, "-", &about) + &lines
}

/// A run that could not be finished, with what was known by then.
pub(super) fn unfinished(known: &str, reason: &str, unknown_is: State) -> String {
    let services = known.split_once('\n').map_or("", |(_, services)| services);
    line(unknown_is, RUN, "-", &["not finished".into(), reason.into()]) + services
}

/// Whether a text is one of services; what a fault inside procward leaves behind is not.
pub(super) fn is_one(text: &str) -> bool {
    let state = text.strip_prefix(['0', '1', '2', '3']);
    state.is_some_and(|rest| rest.starts_with(" \""))
}

/// How it is, in one line, and the details.
fn about(verdict: &Verdict) -> Vec<String> {
    let text = details::of(verdict);
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let name = format!("{}: ", escape::text(verdict.name.as_bytes()));
    let first = first.strip_prefix(&name).unwrap_or(first);
    let first = format!("{}, {first}", verdict.manner.word());
    [first].into_iter().chain(lines.map(str::to_owned)).collect()
}

fn line(state: State, name: &str, data: &str, lines: &[String]) -> String {
    // What a process is called must not break a line, and Checkmk's core takes what is behind a bar for data.
    let plain = |line: &String| escape::without_bars(line).replace("\\n", "\\x0a");
    let text: Vec<String> = lines.iter().map(plain).collect();
    let line = format!("{} \"{name}\" {data} {}", state.number(), text.join("\\n"));
    cut(&line, LINE) + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{host, judged, process};

    fn report(specs: &[(&str, &str)]) -> Report {
        let host = host(vec![process(10, "cron"), process(11, "in.telnetd")]);
        let verdicts = specs.iter().map(|(name, spec)| Verdict {
            name: (*name).into(),
            ..judged(spec, &host)
        });
        crate::judge::assemble(verdicts.collect(), vec![("a".into(), "b\n".into())], &host)
    }

    #[test]
    fn every_check_is_a_service_and_the_run_is_one() {
        assert_eq!(
            render(&report(&[("telnetd", "in.telnetd:0"), ("cron", "cron:1-")])),
            "0 \"procward\" - 2 checks judged\\na: skipped, b\\x0a\n\
             0 \"procward cron\" processes=1 ok, 1 process; want at least 1 process named cron\\n  \
             pid 10 /usr/sbin/cron (root, up 59m)\n\
             2 \"procward telnetd\" processes=1 running, 1 process; want no process named in.telnetd\\n  \
             pid 11 /usr/sbin/in.telnetd (root, up 59m)\n"
        );
        assert_eq!(
            render(&report(&[])),
            "3 \"procward\" - nothing to check\\na: skipped, b\\x0a\n"
        );
    }

    #[test]
    fn what_is_faulty_is_told_of_the_run_for_it_may_have_no_service() {
        let mut report = report(&[("p.toml", "nosuch=x"), ("cron", "cron:1"), ("b", "nosuch=x")]);
        let first = |report: &Report| render(report).lines().next().map(str::to_owned);
        assert_eq!(
            first(&report).as_deref(),
            Some("3 \"procward\" - faulty, not judged: b, p.toml\\na: skipped, b\\x0a")
        );
        report = report.with_unknown_as(State::Critical);
        assert!(
            first(&report)
                .unwrap()
                .starts_with("2 \"procward\" - faulty, not judged: ")
        );
    }

    #[test]
    fn a_name_has_no_quotes_and_is_its_own() {
        let text = render(&report(&[
            ("a\"b", "cron:1"),
            ("a'b", "cron:1"),
            ("\n", "cron:1"),
        ]));
        let names: Vec<&str> = text.lines().filter_map(|line| line.split('"').nth(1)).collect();
        assert_eq!(
            names,
            ["procward", "procward _", "procward a_b", "procward a_b 2"]
        );
    }

    #[test]
    fn a_run_that_has_to_end_keeps_what_was_known() {
        let known = render(&report(&[("gone", "nosuch:1")]));
        let text = unfinished(&known, "late", State::Unknown);
        assert_eq!(text.lines().next(), Some("3 \"procward\" - not finished\\nlate"));
        assert_eq!(text.lines().nth(1), known.lines().nth(1));
        assert_eq!(
            unfinished("", "late", State::Unknown),
            "3 \"procward\" - not finished\\nlate\n"
        );
    }
}
