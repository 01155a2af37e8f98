//! From the verdicts of cases to the outcome of rules.

use super::compile::{COVERAGE, Compiled, name};
use super::host::Fact as HostFact;
use super::rule::{Class, Rule, Severity};
use super::settings::Settings;
use crate::judge::{self, Evidence, State, Verdict};
use std::collections::{BTreeMap, BTreeSet};

/// What became of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing breaks it.
    Ok,
    /// Something does.
    Violated,
    /// Nothing is seen to break it, and not everything could be looked at.
    NotChecked,
}

impl Outcome {
    /// As written.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Violated => "violated",
            Outcome::NotChecked => "not checked",
        }
    }
}

/// One process, or one fact about the host, that breaks a rule.
#[derive(Clone, Debug)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The process; none for a fact about the host.
    pub process: Option<Evidence>,
    /// What it has that it must not have.
    pub facts: Vec<String>,
}

/// One rule, looked after.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The rule.
    pub rule: Rule,
    /// What became of it.
    pub outcome: Outcome,
    /// How bad: of its findings the worst.
    pub severity: Severity,
    /// What that means for the whole.
    pub state: State,
    /// What breaks it, the worst first, then the oldest.
    pub findings: Vec<Finding>,
    /// Why not everything could be looked at; each a sentence.
    pub reasons: Vec<String>,
    /// What to do about that; each a sentence.
    pub remedies: Vec<String>,
    /// The PIDs of which it can't be told.
    pub undecided: BTreeSet<i32>,
    /// Some of them, each with a term and why it can't be told.
    pub unsure: Vec<Evidence>,
    /// What was left out: exceptions, and what was not confirmed.
    pub left_out: Vec<String>,
}

/// The outcome of an audit.
#[derive(Clone, Debug)]
pub struct Report {
    /// The worst of all.
    pub state: State,
    /// The rules, worst first, then in the order of the catalogue.
    pub rules: Vec<Judged>,
    /// Processes listed.
    pub seen: usize,
    /// Those of them that could be looked at in every way that was asked for.
    pub readable: usize,
    /// Whether the view may lack processes.
    pub hidden: bool,
    /// Rules that mean nothing here, and why.
    pub skipped: Vec<(String, String)>,
    /// Faults of the configuration.
    pub faulty: Vec<Verdict>,
    /// Exemptions that exempted nobody, or that hold no longer.
    pub stale: Vec<String>,
    /// Sentences about the view as a whole.
    pub remarks: Vec<String>,
}

/// Puts the verdicts of all cases together, with the facts about the host.
#[must_use]
pub fn assemble(
    rules: &[Rule],
    compiled: &Compiled,
    report: judge::Report,
    facts: &BTreeMap<&'static str, HostFact>,
    settings: &Settings,
) -> Report {
    let skipped = |id: &String| compiled.skipped.iter().any(|(skipped, _)| skipped == id);
    let by_name: BTreeMap<&str, &Verdict> = report
        .verdicts
        .iter()
        .map(|verdict| (verdict.name.as_str(), verdict))
        .collect();
    let mut judged: Vec<Judged> = rules
        .iter()
        .filter(|rule| !skipped(&rule.id) && rule.id != COVERAGE)
        .map(|rule| match rule.host {
            Some(severity) => of_host(rule, severity, facts.get(rule.id.as_str())),
            None => of_cases(rule, &by_name),
        })
        .collect();
    for rule in &mut judged {
        rule.state = match rule.outcome {
            Outcome::Violated => settings.state_of(rule.severity),
            Outcome::Ok | Outcome::NotChecked => State::Ok,
        };
    }
    let faulty: Vec<Verdict> = report
        .verdicts
        .iter()
        .filter(|verdict| verdict.faulty.is_some())
        .cloned()
        .collect();
    let hidden = report.verdicts.iter().any(|verdict| verdict.unknown == u64::MAX);
    let undecided: BTreeSet<i32> = judged
        .iter()
        .flat_map(|rule| rule.undecided.iter().copied())
        .collect();
    let readable = report.seen.saturating_sub(undecided.len());
    if let Some(rule) = rules.iter().find(|rule| rule.id == COVERAGE) {
        judged.push(coverage(rule, &judged, hidden, readable, report.seen));
    }
    judged.sort_by_key(|rule| {
        (
            std::cmp::Reverse(rule.state.badness()),
            std::cmp::Reverse(rule.severity_found()),
        )
    });
    let worst = judged
        .iter()
        .map(|rule| rule.state)
        .chain(faulty.iter().map(|verdict| verdict.state));
    // Without a rule but the one that tells how much the others saw there is nothing that could be OK.
    let none = judged.iter().all(|rule| rule.rule.id == COVERAGE);
    let state = if none && faulty.is_empty() {
        State::Unknown
    } else {
        worst.fold(State::Ok, State::worst)
    };
    let mut stale = compiled.expired.clone();
    stale.extend(unused(&report.verdicts, settings));
    Report {
        state,
        rules: judged,
        seen: report.seen,
        readable,
        hidden,
        skipped: compiled.skipped.clone(),
        faulty,
        stale,
        remarks: report.remarks,
    }
}

impl Judged {
    /// The severity of what was found; nothing where nothing was.
    #[must_use]
    pub fn severity_found(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }

    fn of(rule: &Rule) -> Judged {
        Judged {
            rule: rule.clone(),
            outcome: Outcome::Ok,
            severity: rule.severity(),
            state: State::Ok,
            findings: Vec::new(),
            reasons: Vec::new(),
            remedies: Vec::new(),
            undecided: BTreeSet::new(),
            unsure: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// What becomes of it by what was found and what could not be told.
    fn settled(mut self, told: bool) -> Judged {
        self.findings.sort_by_key(|finding| {
            let process = finding.process.as_ref();
            let age = process.and_then(|process| process.age);
            (
                std::cmp::Reverse(finding.severity),
                std::cmp::Reverse(age),
                process.map(|process| process.pid),
            )
        });
        self.severity = self.severity_found().unwrap_or(self.severity);
        self.outcome = match (self.findings.is_empty(), told) {
            (false, _) => Outcome::Violated,
            (true, false) => Outcome::NotChecked,
            (true, true) => Outcome::Ok,
        };
        self
    }
}

/// A process that breaks a rule in several ways is one finding, as bad as the worst of them.
fn of_cases(rule: &Rule, verdicts: &BTreeMap<&str, &Verdict>) -> Judged {
    let mut judged = Judged::of(rule);
    let mut found: BTreeMap<i32, Finding> = BTreeMap::new();
    let mut told = true;
    for (number, case) in rule.cases.iter().enumerate() {
        let Some(verdict) = verdicts.get(name(&rule.id, number).as_str()) else {
            told = false;
            judged.reasons.push(format!("{} is faulty", case.select));
            continue;
        };
        told &= verdict.unknown == 0 && verdict.state != State::Unknown;
        // What could not be confirmed in time is no finding, and no OK.
        let confirmed = verdict.state != State::Unknown;
        for evidence in verdict.evidence.iter().filter(|_| confirmed) {
            let finding = Finding {
                severity: case.severity,
                process: Some(evidence.clone()),
                facts: evidence.facts.clone(),
            };
            let known = found.entry(evidence.pid).or_insert_with(|| finding.clone());
            if known.severity < case.severity {
                *known = finding;
            }
        }
        extend(&mut judged.reasons, &verdict.reasons);
        extend(&mut judged.remedies, &verdict.remedies);
        extend(&mut judged.left_out, &verdict.left_out);
        judged.undecided.extend(&verdict.undecided);
        judged.unsure.extend(verdict.unsure.iter().cloned());
    }
    // Who is a finding is no longer in doubt.
    judged.undecided.retain(|pid| !found.contains_key(pid));
    judged.findings = found.into_values().collect();
    judged.settled(told)
}

fn of_host(rule: &Rule, severity: Severity, fact: Option<&HostFact>) -> Judged {
    let mut judged = Judged::of(rule);
    match fact {
        Some(HostFact::Told(found)) => {
            judged.findings = found
                .iter()
                .map(|fact| Finding {
                    severity,
                    process: None,
                    facts: vec![fact.clone()],
                })
                .collect();
            judged.settled(true)
        }
        Some(HostFact::Untold(reason, remedy)) => {
            judged.reasons.push(reason.clone());
            judged.remedies.extend(remedy.clone());
            judged.settled(false)
        }
        None => {
            judged.reasons.push("it can be told of the live host only".into());
            judged.settled(false)
        }
    }
}

/// Whether the others could look at everything.
fn coverage(rule: &Rule, others: &[Judged], hidden: bool, readable: usize, seen: usize) -> Judged {
    let mut judged = Judged::of(rule);
    let blind: Vec<&Judged> = others.iter().filter(|other| !other.is_told()).collect();
    if blind.is_empty() && !hidden {
        return judged.settled(true);
    }
    let names: Vec<&str> = blind.iter().map(|other| other.rule.id.as_str()).collect();
    let number = match names.len() {
        1 => "1 rule".to_owned(),
        number => format!("{number} rules"),
    };
    judged.findings.push(Finding {
        severity: Severity::Unknown,
        process: None,
        facts: vec![format!(
            "{readable} of {seen} processes fully readable; {number} not fully checked: {}",
            names.join(", ")
        )],
    });
    for other in &blind {
        // What is told of processes is told once for each of them.
        if other.undecided.is_empty() {
            extend(&mut judged.reasons, &other.reasons);
        }
        extend(&mut judged.remedies, &other.remedies);
        judged.undecided.extend(&other.undecided);
    }
    without_lesser(&mut judged.remedies);
    judged.unsure = merged(blind.iter().flat_map(|other| &other.unsure));
    let mut judged = judged.settled(true);
    judged.severity = Severity::Unknown;
    judged.state = State::Unknown;
    judged
}

impl Judged {
    /// Whether everything could be looked at.
    fn is_told(&self) -> bool {
        self.outcome != Outcome::NotChecked && self.reasons.is_empty() && self.undecided.is_empty()
    }

    /// Whether it is about upkeep, and no alarm.
    #[must_use]
    pub fn is_maintenance(&self) -> bool {
        self.rule.class == Class::Maintenance
    }
}

/// Drops what asks for a part of the capabilities that another remedy asks for.
fn without_lesser(remedies: &mut Vec<String>) {
    let asked: Vec<(bool, BTreeSet<String>)> = remedies.iter().map(|remedy| capabilities(remedy)).collect();
    let lesser = |(grant, some): &(bool, BTreeSet<String>)| {
        let more = |(other, all): &(bool, BTreeSet<String>)| {
            other == grant && some.len() < all.len() && some.is_subset(all)
        };
        !some.is_empty() && asked.iter().any(more)
    };
    let mut lesser = asked.iter().map(lesser).collect::<Vec<bool>>().into_iter();
    remedies.retain(|_| lesser.next() != Some(true));
}

/// Whether a remedy asks for capabilities or tells that they do not help, and which.
fn capabilities(remedy: &str) -> (bool, BTreeSet<String>) {
    let words = remedy.split('(').next().unwrap_or_default().split_whitespace();
    let named = words.filter(|word| word.starts_with("CAP_"));
    (remedy.starts_with("grant "), named.map(str::to_owned).collect())
}

/// How many terms are named that can't be told of a process.
const TERMS: usize = 3;

/// Each process once, with the first terms that can't be told of it.
fn merged<'a>(unsure: impl Iterator<Item = &'a Evidence>) -> Vec<Evidence> {
    let mut all: BTreeMap<i32, (Evidence, BTreeMap<&str, BTreeSet<&str>>)> = BTreeMap::new();
    for evidence in unsure {
        let (_, doubts) = all
            .entry(evidence.pid)
            .or_insert_with(|| (evidence.clone(), BTreeMap::new()));
        if let Some((key, why)) = evidence.doubt.as_deref().and_then(|doubt| doubt.split_once(": ")) {
            doubts.entry(why).or_default().insert(key);
        }
    }
    let told = all.into_values().map(|(mut evidence, doubts)| {
        let doubts = doubts.into_iter().map(|(why, keys)| {
            let keys: Vec<&str> = keys.into_iter().collect();
            let more = keys.len().saturating_sub(TERMS);
            let named = keys.iter().take(TERMS).copied().collect::<Vec<_>>().join(" ");
            match more {
                0 => format!("{why}: {named}"),
                _ => format!("{why}: {named} and {more} more"),
            }
        });
        evidence.doubt = Some(doubts.collect::<Vec<_>>().join("; "));
        evidence
    });
    told.collect()
}

fn extend(all: &mut Vec<String>, more: &[String]) {
    for one in more {
        if !all.contains(one) {
            all.push(one.clone());
        }
    }
}

/// An exemption of which no check made use, of all that could.
fn unused(verdicts: &[Verdict], settings: &Settings) -> Vec<String> {
    let mut stale = Vec::new();
    for exemption in &settings.exempt {
        let text = &exemption.selector.text;
        let of_rules = |verdict: &&Verdict| {
            let rule = verdict.name.split('/').next().unwrap_or_default();
            exemption.rules.iter().any(|id| id == rule || id == COVERAGE)
        };
        let mut concerned = verdicts.iter().filter(of_rules).peekable();
        if concerned.peek().is_some() && concerned.all(|verdict| verdict.unused.contains(text)) {
            stale.push(format!(
                "{}: the exemption {text} exempted no process: {}",
                exemption.rules.join(", "),
                exemption.reason
            ));
        }
    }
    stale
}
