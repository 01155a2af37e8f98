//! `procward migrate`: ps.monitor's specs as TOML.

use super::items::{is_host_name, items_of_specs};
use crate::config::migrate::{lines_of_mon_cf, toml_string};
use crate::deadline::Notes;
use crate::exit_code::Exit;
use crate::judge::Item;
use crate::outcome::Outcome;
use crate::report::escape;
use crate::select::spec::Dialect;
use crate::select::{Fault, Selector};
use crate::source::accounts::Nss;
use clap::Args;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// The arguments of `migrate`.
#[derive(Clone, Args, Debug)]
pub struct Migrate {
    /// Specs, several in one argument if need be: 'tor:1-1 sshd:1-'
    pub specs: Vec<String>,
    /// Take them from the ps.monitor lines of this mon.cf
    #[arg(long, value_name = "FILE", conflicts_with = "specs")]
    pub mon_cf: Option<PathBuf>,
}

impl Migrate {
    /// Runs it.
    pub fn run(self, notes: Notes) -> Outcome {
        let mut text = String::new();
        let specs = match self.specs(&mut text, notes) {
            Ok(specs) => specs,
            Err(sentence) => return Outcome::new(format!("{sentence}\n"), Exit::Unknown),
        };
        let items = items_of_specs(&specs, &Nss::watched(notes), Dialect::PsMonitor);
        let mut exit = Exit::Ok;
        for (item, spec) in items.iter().zip(&specs) {
            match item {
                Item::Check(check) => {
                    let _ = writeln!(
                        text,
                        "[[check]]\nname = {}\nselect = {}\ncount = {}\n",
                        toml_string(&check.name),
                        toml_string(&native(&check.selector)),
                        toml_string(&check.count.to_string())
                    );
                }
                Item::Faulty { faulty, .. } => {
                    exit = Exit::Unknown;
                    tell_faults(&mut text, spec, &faulty.faults);
                }
                Item::Skipped { .. } => {}
            }
        }
        Outcome::new(text, exit)
    }

    /// The specs as typed, or those of mon.cf; what is wrong with its lines is told.
    fn specs(&self, text: &mut String, notes: Notes) -> Result<Vec<String>, String> {
        let Some(path) = &self.mon_cf else {
            let specs = self.specs.iter().flat_map(|spec| spec.split_whitespace());
            let specs: Vec<String> = specs.map(str::to_owned).collect();
            return if specs.is_empty() {
                Err("nothing to migrate: give specs, or --mon-cf FILE".into())
            } else {
                Ok(specs)
            };
        };
        let bytes = notes
            .of_file(path, || std::fs::read(path))
            .map_err(|error| format!("cannot read {}: {error}", shown(path)))?;
        let lines = lines_of_mon_cf(&String::from_utf8_lossy(&bytes));
        if lines.iter().all(|line| line.specs.is_empty()) {
            let what = if lines.is_empty() {
                "has no line `monitor ps.monitor …`"
            } else {
                "gives ps.monitor no spec"
            };
            return Err(format!("nothing to migrate: {} {what}", shown(path)));
        }
        for line in lines.iter().filter(|line| !line.closed) {
            let _ = writeln!(
                text,
                "# {}:{}: the monitor line does not end with ;; and so mon appends the hosts of its group: add it\n",
                shown(path),
                line.number
            );
        }
        Ok(lines.into_iter().flat_map(|line| line.specs).collect())
    }
}

fn tell_faults(text: &mut String, spec: &str, faults: &[Fault]) {
    if is_host_name(spec) {
        // What was written here mon has not appended.
        let _ = writeln!(text, "# {spec}: no range; write `{spec}:1-` for at least one\n");
        return;
    }
    for fault in faults {
        let line = format!("{spec}: {}; {}", fault.message, fault.help);
        let _ = writeln!(text, "# {}\n", escape::text(line.as_bytes()));
    }
}

fn shown(path: &Path) -> String {
    escape::text(path.as_os_str().as_encoded_bytes())
}

/// The selector in procward's own dialect, where a bare word that holds a blank is quoted.
fn native(selector: &Selector) -> String {
    let text = &selector.text;
    let bare = selector.word.as_ref() == Some(text);
    if bare && text.contains(char::is_whitespace) {
        format!("\"{text}\"")
    } else {
        text.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::spec::{parse, parse_selector};
    use crate::snapshot::Table;

    #[test]
    fn a_name_with_a_blank_is_quoted_and_nothing_else_is() {
        for (spec, wanted) in [
            ("spamd child:1-1", "\"spamd child\""),
            ("sshd:1-", "sshd"),
            ("x,state=Z:0-0", "x,state=Z"),
            ("\"a b\":1-1", "\"a b\""),
        ] {
            let selector = parse(spec, &Table::default(), Dialect::PsMonitor)
                .unwrap()
                .selector;
            assert_eq!(native(&selector), wanted);
            assert!(parse_selector(wanted, &Table::default()).is_ok());
        }
    }
}
