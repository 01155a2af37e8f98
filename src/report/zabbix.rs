//! For Zabbix: which checks there are, as its low-level discovery wants them told, and what a check is called in a key.

use super::escape;
use crate::exit_code::Exit;
use crate::judge::{Report, Verdict};
use crate::outcome::Outcome;
use serde::Serialize;
use std::fmt::Write;

/// One check, whatever its state is.
#[derive(Serialize)]
struct Rule {
    #[serde(rename = "{#RULE}")]
    rule: String,
    #[serde(rename = "{#MIN}")]
    min: String,
    #[serde(rename = "{#MAX}")]
    max: String,
    #[serde(rename = "{#SEVERITY}")]
    severity: &'static str,
}

/// The checks, as a JSON array. Zabbix deletes the items of what a list does not have, so a list that may lack one is
/// none: a text that is no JSON, which Zabbix shows as an error, and keeps what it has.
#[must_use]
pub fn discovery(report: &Report) -> Outcome {
    let faulty = report.verdicts.iter().filter(|verdict| verdict.faulty.is_some());
    let mut faulty: Vec<String> = faulty
        .map(|verdict| escape::text(verdict.name.as_bytes()))
        .collect();
    faulty.sort();
    if !faulty.is_empty() {
        let text = format!("UNKNOWN: no list of the checks, faulty: {}\n", faulty.join(", "));
        return Outcome::new(text, Exit::Unknown);
    }
    // What is skipped today has its items too, or they would go with a file that is away while it is upgraded.
    let skipped = report.skipped.iter().map(|(name, _)| Rule {
        rule: key(name),
        min: String::new(),
        max: String::new(),
        severity: "",
    });
    let mut rules: Vec<Rule> = report.verdicts.iter().map(rule).chain(skipped).collect();
    if rules.is_empty() {
        return Outcome::new("UNKNOWN: nothing to check\n", Exit::Unknown);
    }
    rules.sort_by(|a, b| a.rule.cmp(&b.rule));
    match serde_json::to_string(&rules) {
        Ok(text) => Outcome::new(text + "\n", Exit::Ok),
        Err(error) => Outcome::unknown(error),
    }
}

fn rule(verdict: &Verdict) -> Rule {
    Rule {
        rule: key(&verdict.name),
        min: verdict.count.min.to_string(),
        max: verdict.count.max.map(|max| max.to_string()).unwrap_or_default(),
        severity: verdict.severity.map_or("", |state| state.word()),
    }
}

/// The name of a check as it may stand in an item key and in a JSONPath without quotes around it or in it, and where no
/// macro is seen in it. What may not is `%XX`, as in an address, so that no two names become one.
pub(super) fn key(name: &str) -> String {
    let inside = 1..name.len().saturating_sub(1);
    let mut key = String::with_capacity(name.len());
    for (place, byte) in name.bytes().enumerate() {
        let blank = byte == b' ' && inside.contains(&place);
        if blank || byte.is_ascii_alphanumeric() || b"_.:/@+-".contains(&byte) {
            key.push(char::from(byte));
        } else {
            let _ = write!(key, "%{byte:02X}");
        }
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{host, judged};

    fn told(names: &[(&str, &str)], skipped: &[&str]) -> (String, Exit) {
        let host = host(vec![]);
        let verdicts = names.iter().map(|(name, spec)| Verdict {
            name: (*name).into(),
            ..judged(spec, &host)
        });
        let skipped = skipped.iter().map(|name| ((*name).to_owned(), "x".to_owned()));
        let report = crate::judge::assemble(verdicts.collect(), skipped.collect(), &host);
        let outcome = discovery(&report);
        (String::from_utf8(outcome.text).unwrap(), outcome.exit)
    }

    #[test]
    fn every_check_is_listed_whatever_its_state_is() {
        assert_eq!(
            told(&[("sshd", "sshd:1-"), ("no-telnet", "in.telnetd:0")], &["postfix"]),
            (
                "[{\"{#RULE}\":\"no-telnet\",\"{#MIN}\":\"0\",\"{#MAX}\":\"0\",\"{#SEVERITY}\":\"CRITICAL\"},\
                 {\"{#RULE}\":\"postfix\",\"{#MIN}\":\"\",\"{#MAX}\":\"\",\"{#SEVERITY}\":\"\"},\
                 {\"{#RULE}\":\"sshd\",\"{#MIN}\":\"1\",\"{#MAX}\":\"\",\"{#SEVERITY}\":\"CRITICAL\"}]\n"
                    .into(),
                Exit::Ok
            )
        );
    }

    #[test]
    fn a_list_that_may_lack_a_check_is_none() {
        assert_eq!(
            told(
                &[("sshd", "sshd:1-"), ("b", "nosuch=x"), ("a\n", "nosuch=x")],
                &[]
            ),
            (
                "UNKNOWN: no list of the checks, faulty: a\\n, b\n".into(),
                Exit::Unknown
            )
        );
        assert_eq!(
            told(&[], &[]),
            ("UNKNOWN: nothing to check\n".into(), Exit::Unknown)
        );
    }

    #[test]
    fn no_two_names_have_one_key_and_no_key_needs_quotes() {
        let names = [
            ("my proc", "my proc"),
            (" my proc ", "%20my proc%20"),
            ("a,b]\"'", "a%2Cb%5D%22%27"),
            ("{$X}{#Y}", "%7B%24X%7D%7B%23Y%7D"),
            ("%20", "%2520"),
            ("é|\n", "%C3%A9%7C%0A"),
            ("_.:/@+-", "_.:/@+-"),
            (" ", "%20"),
        ];
        for (name, wanted) in names {
            assert_eq!(key(name), wanted);
        }
    }
}
