//! What is asked for as items to judge: specs as typed, each with a name of its own, and the checks that are picked by name.

use super::arguments::ViewArguments;
use super::view::View;
use crate::exit_code::Exit;
use crate::judge::{Check, Faulty, Item, tell_apart};
use crate::outcome::Outcome;
use crate::report::{diagnostic, escape};
use crate::select::spec::{Dialect, parse};
use crate::select::{Fault, Range, Spec};
use crate::snapshot::Accounts;

/// The items of these names, and what is faulty and may be meant by one: a file as a whole, a check without a name, a
/// second one of that name. A name that nothing has is a fault, or a slip would be a silent OK.
pub(super) fn picked(items: Vec<Item>, rules: &[String]) -> Vec<Item> {
    let unknown: Vec<Item> = rules
        .iter()
        .filter(|rule| items.iter().all(|item| item.name() != *rule))
        .map(|rule| {
            let names: Vec<&str> = items.iter().map(Item::name).collect();
            let help = format!("the configuration has: {}", names.join(", "));
            let fault = Fault::new(0..rule.len(), format!("no check is called `{rule}`"), help);
            faulty("the argument of -r", rule.clone(), rule.clone(), vec![fault])
        })
        .collect();
    let asked_for = |item: &Item| match item {
        Item::Faulty { name, faulty } => {
            let another = |rule: &String| {
                let rest = name.strip_prefix(rule.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(" ("))
            };
            *name == faulty.source || name.starts_with("the check at ") || rules.iter().any(another)
        }
        _ => rules.iter().any(|rule| item.name() == rule),
    };
    let kept = items.into_iter().filter(asked_for);
    kept.chain(unknown).collect()
}

/// Specs as checks, each named by its first word; where two would have one name, by what was written.
#[must_use]
pub fn items_of_specs(specs: &[String], accounts: &dyn Accounts, dialect: Dialect) -> Vec<Item> {
    let mut items: Vec<Item> = specs
        .iter()
        .map(|spec| item_of_spec(spec, accounts, dialect))
        .collect();
    let names: Vec<String> = items.iter().map(|item| item.name().to_owned()).collect();
    for (item, own) in items.iter_mut().zip(&names) {
        if let Item::Check(check) = item
            && names.iter().filter(|name| *name == own).count() > 1
        {
            check.name.clone_from(&check.selector.text);
        }
    }
    repeated(&mut items, specs);
    for (place, (item, spec)) in items.iter_mut().zip(specs).enumerate() {
        if let Item::Faulty { name, .. } = item
            && spec.trim().is_empty()
        {
            *name = format!("spec {}", place + 1);
        }
    }
    if dialect == Dialect::PsMonitor {
        for (item, spec) in items.iter_mut().zip(specs) {
            if let Item::Faulty { name, .. } = item
                && is_host_name(spec)
            {
                *name = format!("missing ;; in mon.cf: {spec}");
            }
        }
    }
    tell_apart(&mut items);
    items
}

/// Whether a word is a host's name or IPv4 address: mon appends those of the host group.
pub(super) fn is_host_name(word: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    word.bytes().all(inside)
        && word
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphanumeric())
}

/// The same selector twice would give two verdicts under one name, of which a reader sees one.
fn repeated(items: &mut [Item], specs: &[String]) {
    for (index, spec) in specs.iter().enumerate().skip(1) {
        let (before, rest) = items.split_at_mut(index);
        let Item::Check(check) = &rest[0] else { continue };
        let twin = before
            .iter()
            .any(|item| matches!(item, Item::Check(other) if other.name == check.name));
        if twin {
            let text = check.selector.text.clone();
            let fault = Fault::new(
                0..text.len(),
                format!("`{text}` is asked for twice"),
                "give it once, with the range that is meant",
            );
            let name = format!("{text} (again)");
            rest[0] = faulty(Faulty::SPEC, name, spec.clone(), vec![fault]);
        }
    }
}

fn faulty(source: &str, name: String, text: String, faults: Vec<Fault>) -> Item {
    let faulty = Faulty {
        source: source.to_owned(),
        text: text.into(),
        faults,
    };
    Item::Faulty { name, faulty }
}

/// What a path is called: its last part, unless that is a pattern, which two directories may share.
fn file_name(word: &str) -> Option<&str> {
    let file = word.strip_prefix('/')?.rsplit('/').next()?;
    let pattern = file.contains(['*', '?', '[', ']', '{', '}']);
    (!file.is_empty() && !pattern).then_some(file)
}

fn item_of_spec(text: &str, accounts: &dyn Accounts, dialect: Dialect) -> Item {
    match parse(text, accounts, dialect) {
        Err(faults) => faulty(Faulty::SPEC, text.to_owned(), text.to_owned(), faults),
        Ok(spec) => {
            let word = spec.selector.word.clone();
            let name = word.map_or_else(
                || spec.selector.text.clone(),
                |word| file_name(&word).unwrap_or(&word).to_owned(),
            );
            Item::Check(Box::new(Check::new(
                name,
                spec.selector,
                spec.range.unwrap_or(Range::AT_LEAST_ONE),
            )))
        }
    }
}

/// What a command that takes one spec looks at, and that spec.
///
/// # Errors
/// What to print instead.
pub fn view_and_spec(arguments: &ViewArguments, text: &str) -> Result<(View, Spec), Outcome> {
    let view =
        View::open(arguments).map_err(|sentence| Outcome::new(format!("{sentence}\n"), Exit::Unknown))?;
    let spec = parse(text, &view, Dialect::Native).map_err(|faults| {
        let (source, text) = (Faulty::SPEC.to_owned(), text.to_owned());
        let faulty = Faulty {
            source,
            text: text.into(),
            faults,
        };
        Outcome::new(diagnostic::render_all(&faulty, escape::text), Exit::Unknown)
    })?;
    Ok((view, spec))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Table;

    #[test]
    fn what_is_picked_by_name_keeps_the_faults_that_may_be_meant() {
        let item = |name: &str| faulty("p.toml", name.to_owned(), String::new(), Vec::new());
        let names = [
            "p.toml",
            "the check at p.toml:3",
            "a",
            "a (at p.toml:9)",
            "ab",
            "b",
        ];
        let items = names.map(item).to_vec();
        let kept = picked(items, &["a".to_owned()]);
        let kept: Vec<&str> = kept.iter().map(Item::name).collect();
        assert_eq!(kept, &names[..4]);
    }

    #[test]
    fn every_item_has_a_name_of_its_own() {
        let names = |specs: &[&str]| {
            let specs: Vec<String> = specs.iter().map(|spec| (*spec).to_owned()).collect();
            let items = items_of_specs(&specs, &Table::default(), Dialect::PsMonitor);
            items
                .iter()
                .map(|item| item.name().to_owned())
                .collect::<Vec<_>>()
        };
        let faulty = "missing ;; in mon.cf: x";
        assert_eq!(names(&["x", "x"]), [faulty, &format!("{faulty} (2)")]);
        assert_eq!(names(&["x:5-1", "\"x:5-1\":1-1"]), ["x:5-1", "\"x:5-1\""]);
        assert_eq!(
            names(&["y:1-1", " ", "", "x:1-1"]),
            ["y", "spec 2", "spec 3", "x"]
        );
        assert_eq!(names(&["x:1-1", "x:1-1"]), ["x", "x (again)"]);
        assert_eq!(names(&["/a/x:1-1", "\"a/\":1-1"]), ["x", "a/"]);
        let kept = ["kworker/0:1", "/usr/sbin/*", "[kworker/*]"];
        assert_eq!(
            names(&["\"kworker/0:1\":1-1", "/usr/sbin/*:0-0", "[kworker/*]:0-0"]),
            kept
        );
    }
}
