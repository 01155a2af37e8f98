//! Which processes the filters may mean, as a selector, so that of all others hardly anything is read.

use super::filter::Filter;
use super::options::Options;
use crate::select::reading::COMM_MAX;
use crate::select::selection::Wanted;
use crate::select::{Key, Matcher, Op, Selector, Term};
use regex::bytes::Regex;

/// What the plan may dismiss by; none where every process is looked at.
#[must_use]
pub fn wanted(options: &Options) -> Option<Wanted> {
    // Every process is told.
    if options.verbose >= 3 {
        return None;
    }
    let mut terms: Vec<Term> = options.filters.iter().filter_map(term).collect();
    if terms.is_empty() {
        return None;
    }
    // A selector that says nothing of them means no kernel threads.
    terms.push(is(
        Key::Kthread,
        vec![Matcher::YesNo(true), Matcher::YesNo(false)],
    ));
    Some(Wanted {
        selector: Selector {
            text: String::new(),
            word: None,
            terms,
        },
        except: Vec::new(),
        strict: false,
        everywhere: true,
        match_self: true,
    })
}

fn term(filter: &Filter) -> Option<Term> {
    let number = |number: &i64| vec![Matcher::Number(*number, number.to_string())];
    match filter {
        Filter::Ppid(ppid) => Some(is(Key::Ppid, number(ppid))),
        Filter::User(uid, _) => Some(is(Key::User, number(uid))),
        Filter::Command(name) => {
            let mut names = vec![Matcher::Exact(name.clone()), behind_a_slash(name)?];
            // What the kernel leaves of a longer name.
            if name.len() > COMM_MAX {
                names.push(Matcher::Exact(name[..COMM_MAX].to_vec()));
            }
            Some(is(Key::Comm, names))
        }
        _ => None,
    }
}

fn is(key: Key, values: Vec<Matcher>) -> Term {
    Term {
        text: String::new(),
        key,
        op: Op::Is,
        values,
    }
}

fn behind_a_slash(name: &[u8]) -> Option<Matcher> {
    let name = std::str::from_utf8(name).ok()?;
    let expression = Regex::new(&format!(r"(?s-u)/{}\z", regex::escape(name))).ok()?;
    Some(Matcher::Glob(format!("*/{name}"), expression))
}
