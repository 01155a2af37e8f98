//! The built-in exemptions: data in the selector language.

use crate::judge::Exception;
use crate::select::spec::parse_selector;
use crate::snapshot::Accounts;
use serde::Deserialize;

/// One entry, as written.
#[derive(Clone, Debug, Deserialize)]
pub struct Exemption {
    /// By what it is switched off.
    pub name: String,
    /// Who.
    pub select: String,
    /// Why.
    pub reason: String,
}

#[derive(Deserialize)]
struct List {
    exempt: Vec<Exemption>,
}

/// All of them. The text is a part of this program, and a test reads it: it is never faulty.
#[must_use]
pub fn built_in() -> Vec<Exemption> {
    toml::from_str::<List>(include_str!("exempt.toml"))
        .map(|list| list.exempt)
        .unwrap_or_default()
}

/// The entries as exceptions of a check, without those switched off by name.
#[must_use]
pub fn exceptions(without: &[String], accounts: &dyn Accounts) -> Vec<Exception> {
    built_in()
        .into_iter()
        .filter(|entry| !without.contains(&entry.name))
        .filter_map(|entry| {
            Some(Exception {
                selector: parse_selector(&entry.select, accounts).ok()?,
                reason: entry.reason,
                built_in: true,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Table;

    #[test]
    fn every_entry_is_a_selector_with_a_name_of_its_own_and_a_reason() {
        let entries = built_in();
        assert!(entries.len() > 10);
        assert_eq!(exceptions(&[], &Table::default()).len(), entries.len());
        let mut names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), entries.len());
        assert!(entries.iter().all(|entry| !entry.reason.is_empty()));
    }

    #[test]
    fn a_name_exempts_only_a_program_of_the_system() {
        let by_name = |select: &str| select.starts_with("name=");
        for entry in built_in().iter().filter(|entry| by_name(&entry.select)) {
            assert!(entry.select.contains(",exe.system=yes"), "{}", entry.name);
        }
    }

    #[test]
    fn an_entry_can_be_switched_off() {
        let all = built_in().len();
        assert_eq!(exceptions(&["people".into()], &Table::default()).len(), all - 1);
    }
}
