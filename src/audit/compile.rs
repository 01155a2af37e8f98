//! From rules to checks: each way to break a rule is one.

use super::rule::{Case, Rule};
use super::settings::{Day, Settings};
use crate::judge::{Check, Exception, Item};
use crate::select::selection::Exempts;
use crate::select::spec::parse_selector;
use crate::select::{Fault, Range, Selector, label};
use crate::snapshot::Accounts;
use std::time::Duration;

/// A finding must still be true of the same process after this time: half-started children have their parent's ids,
/// and whatever ends has its last moments. 646 looks through storms of restarts left none of these after 3 s.
const CONFIRMATION: Duration = Duration::from_secs(3);

/// What is younger is still starting.
const YOUNGEST: &str = "age>=5s";

/// Exempt from all rules: a unit that is being started. systemd calls its child so before the exec, and what it is called
/// is for anybody to choose.
const STARTING: (&str, &str) = (
    "comm=\"(*)\",age<10s,exe=/usr/lib/systemd/systemd|/lib/systemd/systemd|/usr/lib/systemd/systemd-executor|/lib/systemd/systemd-executor",
    "a unit that is being started",
);

/// The rule that tells how much the others could look at.
pub const COVERAGE: &str = "coverage";

/// What runs, and what does not.
#[derive(Clone, Debug, Default)]
pub struct Compiled {
    /// One check for each case of each rule, named by [`name`].
    pub items: Vec<Item>,
    /// Rules without their security module, and why.
    pub skipped: Vec<(String, String)>,
    /// Exemptions that hold no longer: their rules, what they exempt, and until when.
    pub expired: Vec<String>,
}

/// The name of the check of a case.
#[must_use]
pub fn name(rule: &str, case: usize) -> String {
    format!("{rule}/{case}")
}

/// Compiles the rules.
#[must_use]
pub fn compile(rules: &[Rule], settings: &Settings, accounts: &dyn Accounts, today: Day) -> Compiled {
    let mut compiled = Compiled::default();
    for exemption in &settings.exempt {
        if let Some(until) = exemption.until.filter(|until| *until < today) {
            compiled.expired.push(format!(
                "{}: the exemption {} held until {until}: {}",
                exemption.rules.join(", "),
                exemption.selector.text,
                exemption.reason
            ));
        }
    }
    for rule in rules {
        if let Some(reason) = missing_module(rule, accounts) {
            compiled.skipped.push((rule.id.clone(), reason));
            continue;
        }
        let except = exceptions(rule, settings, accounts, today);
        for (number, case) in rule.cases.iter().enumerate() {
            if let Ok(selector) = selector(case, accounts) {
                compiled.items.push(Item::Check(Box::new(Check {
                    except: except.clone(),
                    confirm: Some(CONFIRMATION),
                    facts: true,
                    ..Check::new(name(&rule.id, number), selector, Range { min: 0, max: Some(0) })
                })));
            }
        }
    }
    compiled
}

/// The selector of a case, which leaves out what is still starting.
///
/// # Errors
/// The faults, with places in what was written.
pub fn selector(case: &Case, accounts: &dyn Accounts) -> Result<Selector, Vec<Fault>> {
    let written = parse_selector(&case.select, accounts)?;
    if written.mentions(crate::select::Key::Age) {
        return Ok(written);
    }
    parse_selector(&format!("{},{YOUNGEST}", case.select), accounts)
}

/// Why a rule means nothing here. Where it can't be told, it is looked after.
fn missing_module(rule: &Rule, accounts: &dyn Accounts) -> Option<String> {
    let module = label::by_name(rule.when.as_deref()?)?;
    match accounts.security_module() {
        Ok(active) if active.as_deref() == Some(module.name()) => None,
        Ok(_) => Some(format!("this host does not run {}", module.title())),
        Err(_) => None,
    }
}

/// A built-in exemption of an account or a file that this host lacks exempts nobody.
fn exceptions(rule: &Rule, settings: &Settings, accounts: &dyn Accounts, today: Day) -> Vec<Exception> {
    let starting = std::iter::once((STARTING.0, STARTING.1));
    let own = rule
        .exempt
        .iter()
        .map(|one| (one.select.as_str(), one.reason.as_str()));
    let built_in = starting.chain(own).filter_map(|(select, reason)| {
        Some(Exception {
            selector: parse_selector(select, accounts).ok()?,
            reason: reason.into(),
            built_in: true,
            exempts: Exempts::Match,
        })
    });
    let holds = |until: Option<Day>| until.is_none_or(|until| until >= today);
    let configured = settings
        .exempt
        .iter()
        .filter(|one| holds(one.until))
        .flat_map(|one| {
            let exception = |exempts| Exception {
                selector: one.selector.clone(),
                reason: one.reason.clone(),
                built_in: false,
                exempts,
            };
            let named = |id: &str| one.rules.iter().any(|rule| rule == id);
            let of_rule = named(&rule.id).then(|| exception(Exempts::Match));
            of_rule
                .into_iter()
                .chain(named(COVERAGE).then(|| exception(Exempts::Doubt)))
        });
    built_in.chain(configured).collect()
}
