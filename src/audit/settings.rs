//! What a configuration says about the audit: `[audit]`.

use super::rule::{Class, Rule, Severity};
use crate::judge::State;
use crate::select::Selector;
use std::collections::BTreeMap;

/// `[audit]`
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Whether there is one.
    pub given: bool,
    /// Whether something of it can't be understood.
    pub faulty: bool,
    /// From which severity on a finding is CRITICAL.
    pub critical: Option<Severity>,
    /// From which severity on it is a WARNING.
    pub warning: Option<Severity>,
    /// Rules that run though they are not on by themselves.
    pub with: Vec<String>,
    /// Rules that do not run.
    pub without: Vec<String>,
    /// Other severities of rules.
    pub severities: BTreeMap<String, Severity>,
    /// Who may break which rules.
    pub exempt: Vec<Exemption>,
    /// A user's own rules.
    pub rules: Vec<Rule>,
}

/// Who may break a rule.
#[derive(Clone, Debug)]
pub struct Exemption {
    /// Which rules.
    pub rules: Vec<String>,
    /// Which processes.
    pub selector: Selector,
    /// Why.
    pub reason: String,
    /// The last day on which it holds.
    pub until: Option<Day>,
}

/// A day, as RFC 3339 writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    /// Year.
    pub year: u16,
    /// Month, from 1.
    pub month: u8,
    /// Day of the month, from 1.
    pub day: u8,
}

impl Day {
    /// The day of a time: seconds since 1970, in UTC. Howard Hinnant's days_from_civil, the other way round.
    #[must_use]
    pub fn of_seconds(seconds: u64) -> Day {
        let days = seconds / 86_400 + 719_468;
        let (era, of_era) = (days / 146_097, days % 146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        let small = |number: u64| u8::try_from(number).unwrap_or(u8::MAX);
        Day {
            year: u16::try_from(year).unwrap_or(u16::MAX),
            month: small(month),
            day: small(day),
        }
    }

    /// `2027-01-31`
    #[must_use]
    pub fn parse(text: &str) -> Option<Day> {
        let mut parts = text.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        let digits = [(year, 4), (month, 2), (day, 2)];
        let well = digits
            .iter()
            .all(|(part, length)| part.len() == *length && part.bytes().all(|byte| byte.is_ascii_digit()));
        let date = Day {
            year: year.parse().ok()?,
            month: month.parse().ok()?,
            day: day.parse().ok()?,
        };
        (well && date.exists() && parts.next().is_none()).then_some(date)
    }

    fn exists(self) -> bool {
        let leap =
            self.year.is_multiple_of(4) && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400));
        let last = match self.month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        (1..=12).contains(&self.month) && (1..=last).contains(&self.day)
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// Which rules are asked for on the command line.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// These; none: those that are on.
    pub rules: Vec<String>,
    /// All of them.
    pub all: bool,
    /// Only what is at least so bad.
    pub least: Option<Severity>,
}

impl Settings {
    /// All rules, with the severities that are configured.
    #[must_use]
    pub fn all_rules(&self) -> Vec<Rule> {
        let mut rules = super::built_in();
        rules.extend(self.rules.iter().cloned());
        for rule in &mut rules {
            if let Some(severity) = self.severities.get(&rule.id) {
                rule.cases.iter_mut().for_each(|case| case.severity = *severity);
                rule.host = rule.host.map(|_| *severity);
            }
        }
        rules
    }

    /// The rules that run.
    #[must_use]
    pub fn rules(&self, asked: &Asked) -> Vec<Rule> {
        let mut rules = self.all_rules();
        rules.retain(|rule| {
            let named = asked.rules.contains(&rule.id);
            let on = self.is_on(rule) || asked.all;
            let wanted = if asked.rules.is_empty() { on } else { named };
            let bad_enough = asked.least.is_none_or(|least| rule.severity() >= least);
            // Whether the others could look at everything concerns whatever is asked for.
            wanted && (bad_enough || rule.host == Some(Severity::Unknown))
                || rule.host == Some(Severity::Unknown) && !self.without.contains(&rule.id)
        });
        rules
    }

    /// Whether a rule runs where none is asked for.
    #[must_use]
    pub fn is_on(&self, rule: &Rule) -> bool {
        let on = rule.class.is_on() || self.with.contains(&rule.id);
        on && !self.without.contains(&rule.id)
    }

    /// What a finding of a severity makes of the whole.
    #[must_use]
    pub fn state_of(&self, severity: Severity) -> State {
        if severity >= self.critical.unwrap_or(Severity::High) {
            State::Critical
        } else if severity >= self.warning.unwrap_or(Severity::Medium) {
            State::Warning
        } else {
            State::Ok
        }
    }

    /// Whether a rule is on, and what for, as it is in force.
    #[must_use]
    pub fn class_of(&self, rule: &Rule) -> &'static str {
        match (rule.class, self.is_on(rule)) {
            (Class::Default, true) => "on",
            (Class::Maintenance, true) => "on, maintenance",
            (_, true) => "switched on",
            (Class::Default | Class::Maintenance, false) => "switched off",
            (Class::Baseline, false) => "off, baseline",
            (Class::OptIn, false) => "off, opt-in",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_told_from_seconds() {
        for (seconds, day) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (1_795_564_799, "2026-11-24"),
            (1_795_564_800, "2026-11-25"),
            (4_102_444_800, "2100-01-01"),
        ] {
            assert_eq!(Day::of_seconds(seconds).to_string(), day);
        }
    }

    #[test]
    fn only_days_are_days() {
        assert_eq!(
            Day::parse("2027-01-31").map(|day| day.to_string()),
            Some("2027-01-31".into())
        );
        assert!(Day::parse("2028-02-29").is_some());
        for text in [
            "2027-02-29",
            "2100-02-29",
            "2027-04-31",
            "2027-13-01",
            "2027-1-1",
            "27-01-01",
            "2027-01-01-01",
            "",
            "2027-00-10",
            "+027-01-01",
        ] {
            assert_eq!(Day::parse(text), None, "{text}");
        }
    }
}
