//! From mon's configuration to ours.

use crate::report::escape::is_treacherous;

/// A TOML string, as safe to look at as any report: the text may be a process's.
#[must_use]
pub fn toml_string(text: &str) -> String {
    if !text.contains('\'') && !text.chars().any(is_treacherous) && text.contains(['"', '\\']) {
        return format!("'{text}'");
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if is_treacherous(c) => out.push_str(&format!("\\U{:08X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A `monitor ps.monitor …` line of a mon.cf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonitorLine {
    /// Its number.
    pub number: usize,
    /// Its specs.
    pub specs: Vec<String>,
    /// Whether it ends with `;;`: else mon appends the hosts of the group.
    pub closed: bool,
}

/// The `monitor ps.monitor …` lines of a mon.cf.
#[must_use]
pub fn lines_of_mon_cf(text: &str) -> Vec<MonitorLine> {
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        // A backslash at its end joins a line with the next.
        let mut whole = line.to_owned();
        while whole.ends_with('\\') {
            whole.pop();
            let Some((_, next)) = lines.next() else { break };
            whole.push_str(next.trim_start());
        }
        let Some(rest) = whole.trim_start().strip_prefix("monitor") else {
            continue;
        };
        let words = quotewords(rest);
        let Some((program, specs)) = words.split_first() else {
            continue;
        };
        if program.rsplit('/').next() == Some("ps.monitor") {
            found.push(MonitorLine {
                number: number + 1,
                specs: specs.iter().filter(|word| *word != ";;").cloned().collect(),
                closed: specs.last().is_some_and(|word| word == ";;"),
            });
        }
    }
    found
}

/// Splits as mon does, with Perl's quotewords: blanks separate, quotes and backslashes hold together.
fn quotewords(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match (quote, c) {
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some(open), c) if c == open => quote = None,
            (Some('\''), c) => word.get_or_insert_default().push(c),
            (_, '\\') => word.get_or_insert_default().extend(characters.next()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specs_are_found_in_a_mon_cf() {
        let text = "watch h\n  service procs\n    monitor ps.monitor tor:1-1 'my proc:1-2' \\\n      sshd:1- ;;\n    monitor ping.monitor\n    monitor ps.monitor a:1-1\n";
        let line = |number, specs: &[&str], closed| MonitorLine {
            number,
            specs: specs.iter().map(|spec| (*spec).to_owned()).collect(),
            closed,
        };
        assert_eq!(
            lines_of_mon_cf(text),
            [
                line(3, &["tor:1-1", "my proc:1-2", "sshd:1-"], true),
                line(6, &["a:1-1"], false)
            ]
        );
    }

    #[test]
    fn strings_survive_toml() {
        for text in [
            "a",
            "a\"b",
            "a\\b",
            "it's",
            "\u{1}'\"\\",
            "a\u{202e}b",
            "\u{e0041}\"",
        ] {
            let document = format!("x = {}", toml_string(text));
            let table: toml::Table = document.parse().unwrap();
            assert_eq!(table["x"].as_str(), Some(text));
            assert!(!document.chars().any(is_treacherous), "{document:?}");
        }
    }
}
