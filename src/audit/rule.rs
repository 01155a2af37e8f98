//! A rule, as written: the built-in ones are TOML in `rules/`, a user's own are the same in his configuration.

use serde::Deserialize;

/// How bad it is when a rule is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// That it could not be told: `coverage`.
    Unknown,
    /// Worth knowing.
    Info,
    /// A weakness that takes another one to matter.
    Low,
    /// Something is not as it should be.
    Medium,
    /// Somebody has, or can easily have, rights that he must not have.
    High,
    /// The host is not its owner's alone, or that takes one step.
    Critical,
}

impl Severity {
    /// Those that a rule may have, the least first.
    pub const ALL: [Severity; 5] = [
        Severity::Info,
        Severity::Low,
        Severity::Medium,
        Severity::High,
        Severity::Critical,
    ];

    /// As written.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Severity::Unknown => "unknown",
            Severity::Info => "info",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }

    /// The severity of this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Severity> {
        Severity::ALL.into_iter().find(|severity| severity.word() == name)
    }
}

/// When a rule is looked after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Always.
    #[default]
    Default,
    /// Always; it is about upkeep, and no alarm.
    Maintenance,
    /// When asked for: ordinary daemons break it, and those have to be exempted first.
    Baseline,
    /// When asked for.
    OptIn,
}

impl Class {
    /// As written.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Class::Default => "default",
            Class::Maintenance => "maintenance",
            Class::Baseline => "baseline",
            Class::OptIn => "opt-in",
        }
    }

    /// Whether it runs unless switched off.
    #[must_use]
    pub fn is_on(self) -> bool {
        matches!(self, Class::Default | Class::Maintenance)
    }
}

/// One way to break a rule.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// How bad it is.
    pub severity: Severity,
    /// What no process may be.
    pub select: String,
}

/// Who may break it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exempt {
    /// Which processes.
    pub select: String,
    /// Why.
    pub reason: String,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What it is called, unique.
    pub id: String,
    /// When it is looked after.
    #[serde(default)]
    pub class: Class,
    /// What must be true, as a sentence.
    pub title: String,
    /// Why it matters.
    pub why: String,
    /// Where that can be read.
    #[serde(default)]
    pub source: String,
    /// What to do about it.
    pub fix: String,
    /// The security module without which it means nothing.
    pub when: Option<String>,
    /// Where it is a fact about the host and code in `host`: how bad it is.
    pub host: Option<Severity>,
    /// Each of these breaks it.
    #[serde(default, rename = "case")]
    pub cases: Vec<Case>,
    /// Who may break it.
    #[serde(default)]
    pub exempt: Vec<Exempt>,
}

impl Rule {
    /// How bad it is at worst.
    #[must_use]
    pub fn severity(&self) -> Severity {
        let cases = self.cases.iter().map(|case| case.severity);
        cases.chain(self.host).max().unwrap_or(Severity::Info)
    }
}

#[derive(Deserialize)]
struct File {
    rule: Vec<Rule>,
}

const FILES: [&str; 7] = [
    include_str!("rules/credentials.toml"),
    include_str!("rules/capabilities.toml"),
    include_str!("rules/image.toml"),
    include_str!("rules/hiding.toml"),
    include_str!("rules/context.toml"),
    include_str!("rules/labels.toml"),
    include_str!("rules/coverage.toml"),
];

/// The built-in rules. Their text is a part of this program, and a test reads it: it is never faulty.
#[must_use]
pub fn built_in() -> Vec<Rule> {
    let files = FILES.iter().filter_map(|text| toml::from_str::<File>(text).ok());
    files.flat_map(|file| file.rule).collect()
}
