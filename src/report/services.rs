//! A report as services, for systems that hold one for each check: the run itself, and the checks by their names. Without
//! one for the run, a run that could not be finished would be services that are missing.

use super::escape;
use super::unique::unique;
use crate::judge::{Report, State, Verdict};
use std::collections::BTreeSet;

/// The service of the run; the others begin with it.
pub(super) const RUN: &str = "procward";

/// The service of each check, in the order of the names.
pub(super) fn of_checks(report: &Report) -> Vec<(String, &Verdict)> {
    let mut verdicts: Vec<&Verdict> = report.verdicts.iter().collect();
    verdicts.sort_by(|a, b| a.name.cmp(&b.name));
    let mut taken = BTreeSet::new();
    let named = verdicts.into_iter().map(|verdict| {
        let name = unique(&name(&verdict.name), " ", &mut taken);
        (format!("{RUN} {name}"), verdict)
    });
    named.collect()
}

/// The state of the run, and what there is to say of it. What is faulty is not judged, and is told here too: it may be a
/// file, or a check without a name, and there is no service of that name to tell it.
pub(super) fn of_run(report: &Report) -> (State, Vec<String>) {
    let faulty = report.verdicts.iter().filter(|verdict| verdict.faulty.is_some());
    let mut names: Vec<String> = faulty
        .clone()
        .map(|verdict| escape::text(verdict.name.as_bytes()))
        .collect();
    names.sort();
    let worst = faulty
        .map(|verdict| verdict.state)
        .max_by_key(|state| state.badness());
    let (state, first) = match (worst, report.verdicts.len()) {
        (Some(state), _) => (state, format!("faulty, not judged: {}", names.join(", "))),
        (None, 0) => (report.state, "nothing to check".to_owned()),
        (None, 1) => (State::Ok, "1 check judged".to_owned()),
        (None, number) => (State::Ok, format!("{number} checks judged")),
    };
    let skipped = report
        .skipped
        .iter()
        .map(|(name, reason)| escape::text(format!("{name}: skipped, {reason}").as_bytes()));
    let remarks = report
        .remarks
        .iter()
        .map(|remark| escape::text(remark.as_bytes()));
    (state, [first].into_iter().chain(skipped).chain(remarks).collect())
}

/// The most of a name: NSCA carries 127 bytes, with what is in front and a number.
const NAME: usize = 100;

/// Checkmk's core takes many signs out of the names of services, and two would be one; Nagios refuses them.
fn name(name: &str) -> String {
    let kept = |c: char| c.is_alphanumeric() || " _.:/@+-".contains(c);
    let mut plain = String::new();
    for c in name.chars() {
        let c = if kept(c) { c } else { '_' };
        if plain.len() + c.len_utf8() > NAME {
            break;
        }
        plain.push(c);
    }
    let plain = plain.trim();
    if plain.is_empty() {
        "_".into()
    } else {
        plain.into()
    }
}
