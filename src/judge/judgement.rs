//! From a selection to a verdict: the count lies in `m ..= m+u`, and the verdict holds for every value of it.

use super::State;
use super::check::{Check, Faulty, Item};
use super::evidence::{evidence, sightings, unsure};
use super::footprint::footprint;
use super::left_out::{count, left_out, unused};
use super::near::near_misses;
use super::remedy::Case;
use super::verdict::{Manner, Report, Verdict};
use crate::select::selection::{Except, LeftOut, Wanted, select};
use crate::select::{Key, spec};
use crate::snapshot::{Accounts, Snapshot, Why};

impl Check {
    /// What selecting needs of the check.
    #[must_use]
    pub fn wanted(&self) -> Wanted {
        Wanted {
            selector: self.selector.clone(),
            except: self
                .except
                .iter()
                .map(|exception| Except {
                    selector: exception.selector.clone(),
                    exempts: exception.exempts,
                })
                .collect(),
            strict: self.count.min == 0,
            everywhere: self.count.forbids(),
            match_self: self.match_self,
        }
    }

    /// The state for an exact count.
    #[must_use]
    pub fn state_of(&self, count: u64) -> State {
        if !self.count.contains(count) {
            self.severity
        } else if self.warning.is_some_and(|range| !range.contains(count)) {
            State::Warning
        } else {
            State::Ok
        }
    }

    /// The state when the count lies in `matched ..= matched + unknown`: OK only if it is OK for every value,
    /// failing only if it fails for every value (then the milder of the failures), else UNKNOWN.
    #[must_use]
    pub fn state_of_interval(&self, matched: u64, unknown: u64) -> State {
        let last = matched.saturating_add(unknown);
        // The state changes only at the ends of the two ranges, so looking there looks everywhere.
        let ends = [Some(self.count), self.warning]
            .into_iter()
            .flatten()
            .flat_map(|range| {
                let max = range.max.unwrap_or(u64::MAX);
                [range.min.saturating_sub(1), range.min, max, max.saturating_add(1)]
            });
        let inside = ends.filter(|count| (matched..=last).contains(count));
        let states: Vec<State> = inside
            .chain([matched, last])
            .map(|count| self.state_of(count))
            .collect();
        let all = |wanted: State| states.iter().all(|state| *state == wanted);
        if all(State::Ok) || all(State::Critical) {
            states[0]
        } else if states.contains(&State::Ok) {
            State::Unknown
        } else {
            State::Warning
        }
    }
}

/// Judges every item on one snapshot.
#[must_use]
pub fn judge(items: &[Item], snapshot: &Snapshot, accounts: &dyn Accounts) -> Report {
    let mut verdicts = Vec::new();
    let mut skipped = Vec::new();
    for item in items {
        match item {
            Item::Check(check) => verdicts.push(judge_check(check, snapshot, accounts)),
            Item::Faulty { name, faulty } => verdicts.push(verdict_of_faulty(name, faulty)),
            Item::Skipped { name, reason } => skipped.push((name.clone(), reason.clone())),
        }
    }
    assemble(verdicts, skipped, snapshot)
}

/// Puts verdicts together: worst first, then in the order given.
#[must_use]
pub fn assemble(mut verdicts: Vec<Verdict>, skipped: Vec<(String, String)>, snapshot: &Snapshot) -> Report {
    verdicts.sort_by_key(|verdict| std::cmp::Reverse(verdict.state.badness()));
    let state = verdicts.first().map_or(State::Unknown, |verdict| verdict.state);
    let remarks = snapshot
        .gaps
        .iter()
        .map(|gap| format!("incomplete view: {}", gap.text()))
        .collect();
    Report {
        state,
        verdicts,
        skipped,
        seen: snapshot.seen,
        vanished: snapshot.vanished,
        remarks,
        run: None,
    }
}

fn verdict_of_faulty(name: &str, faulty: &Faulty) -> Verdict {
    let Faulty { source, text, faults } = faulty;
    let reasons = faults
        .iter()
        .map(|fault| match fault.line_and_column(text) {
            None => format!("{source}: {}", fault.message),
            Some((line, column)) => format!("{source}:{line}:{column}: {}", fault.message),
        })
        .collect();
    Verdict {
        name: name.to_owned(),
        state: State::Unknown,
        manner: Manner::Faulty,
        severity: None,
        matched: 0,
        unknown: 0,
        count: crate::select::Range { min: 0, max: None },
        warning: None,
        wants: String::new(),
        evidence: Vec::new(),
        unsure: Vec::new(),
        near: Vec::new(),
        reasons,
        remedies: faults
            .iter()
            .map(|fault| fault.help.clone())
            .filter(|help| !help.is_empty())
            .collect(),
        left_out: Vec::new(),
        unused: Vec::new(),
        note: None,
        passing: false,
        awaits: false,
        sightings: Vec::new(),
        undecided: Vec::new(),
        story: Vec::new(),
        looks: 0,
        rechecked: false,
        faulty: Some(faulty.clone()),
        footprint: None,
        totals: None,
    }
}

fn judge_check(check: &Check, snapshot: &Snapshot, accounts: &dyn Accounts) -> Verdict {
    let selection = select(&check.wanted(), snapshot);
    let matched = selection.matched.len() as u64;
    // A process that the view may hide may match any check: the count has no upper end.
    let unknown = if snapshot.is_complete() {
        selection.unknown.len() as u64
    } else {
        u64::MAX
    };
    let state = check.state_of_interval(matched, unknown);
    let mut verdict = Verdict {
        name: check.name.clone(),
        state,
        manner: manner(check, state, matched),
        severity: Some(check.severity),
        matched,
        unknown,
        count: check.count,
        warning: check.warning,
        wants: spec::sentence(&check.selector, check.count),
        evidence: evidence(check, &selection.matched, snapshot, accounts),
        unsure: unsure(&selection, snapshot, accounts),
        near: Vec::new(),
        reasons: Vec::new(),
        remedies: Vec::new(),
        left_out: left_out(check, &selection, snapshot, accounts),
        unused: unused(check, &selection, snapshot),
        note: check.note.clone(),
        // What a restart leaves behind is gone in a moment, and a program that is being started has no arguments yet:
        // a shell without any may be every script.
        passing: state == State::Unknown
            && selection
                .unknown
                .iter()
                .any(|(.., why)| matches!(why, Why::Torn | Why::Orphan | Why::Empty)),
        awaits: selection.awaits,
        sightings: sightings(&selection.matched, snapshot),
        undecided: selection
            .unknown
            .iter()
            .map(|(index, ..)| snapshot.processes[*index].pid)
            .collect(),
        story: Vec::new(),
        looks: 1,
        rechecked: false,
        faulty: None,
        footprint: Some(footprint(
            &selection.matched,
            count(&selection, LeftOut::Zombie) as u64,
            snapshot,
        )),
        totals: None,
    };
    if check.count.min > 0 && matches!(verdict.manner, Manner::Missing | Manner::TooFew | Manner::Unseen) {
        verdict.near = near_misses(check, &selection, snapshot, accounts);
    }
    // What is too busy may yet turn out not to be so for long, and then this is why the rest can't be told.
    let open = state == State::Unknown || check.selector.is_rate();
    if state == State::Unknown || ((open || check.facts) && !selection.unknown.is_empty()) {
        let case = Case {
            check,
            selection: &selection,
            snapshot,
            accounts,
        };
        explain_unknown(&mut verdict, &case);
        if !open {
            // A rule that some are known to break is blind of others still: the audit says what to grant.
            verdict.reasons.clear();
        }
    }
    verdict
}

fn manner(check: &Check, state: State, matched: u64) -> Manner {
    let range = if check.count.contains(matched) {
        check.warning.unwrap_or(check.count)
    } else {
        check.count
    };
    match state {
        State::Ok => Manner::Fine,
        State::Unknown => Manner::Unseen,
        // By what is wanted, not by what is there: the word must not move with the count.
        _ if matched < range.min && range.min == 1 => Manner::Missing,
        _ if matched < range.min => Manner::TooFew,
        _ if range.forbids() && check.is_about_cpu() => Manner::Busy,
        _ if range.forbids() => Manner::Running,
        _ => Manner::TooMany,
    }
}

fn explain_unknown(verdict: &mut Verdict, case: &Case<'_>) {
    let (selection, snapshot) = (case.selection, case.snapshot);
    let mut kinds: Vec<(Key, Why)> = Vec::new();
    for (_, key, why) in &selection.unknown {
        if !kinds.contains(&(*key, *why)) {
            kinds.push((*key, *why));
        }
    }
    for (key, why) in kinds {
        let count = selection
            .unknown
            .iter()
            .filter(|(_, k, w)| (*k, *w) == (key, why))
            .count();
        let processes = if count == 1 { "1 process" } else { "processes" };
        let number = if count == 1 {
            String::new()
        } else {
            format!("{count} ")
        };
        verdict
            .reasons
            .push(format!("{} of {number}{processes}: {}", key.name(), why.text()));
        if let Some(remedy) = case.remedy(key, why)
            && !verdict.remedies.contains(&remedy)
        {
            verdict.remedies.push(remedy);
        }
    }
    for gap in snapshot.gaps.iter().filter(|gap| gap.blinds()) {
        verdict.reasons.push(format!("incomplete view: {}", gap.text()));
        verdict.remedies.push(gap.remedy().to_owned());
    }
}
