//! A selector and its range, said as an English sentence.

use super::value::STATES;
use crate::select::key::{Key, Kind};
use crate::select::range::Range;
use crate::select::selector::{Matcher, Op, Scope, Selector, Term};

/// The meaning in words: `at least 1 process with exe /usr/sbin/sshd, run by root`.
#[must_use]
pub fn sentence(selector: &Selector, count: Range) -> String {
    let one = count.forbids() || count.max == Some(1) || (count.min == 1 && count.max.is_none());
    let how_many = match count {
        count if count.forbids() => "no".to_string(),
        Range { min: 0, max: None } => "any number of".to_string(),
        count => count.words(),
    };
    // The name belongs next to the noun, whatever was written first.
    let (names, others): (Vec<&Term>, Vec<&Term>) = selector
        .terms
        .iter()
        .partition(|term| term.key == Key::Name && term.op == Op::Is);
    let clauses: Vec<String> = names
        .into_iter()
        .chain(others)
        .map(|term| clause(term, one))
        .collect();
    let noun = if one { "process" } else { "processes" };
    format!("{how_many} {noun} {}", clauses.join(", "))
        .trim_end()
        .to_string()
}

fn clause(term: &Term, one: bool) -> String {
    let values = values(&term.values);
    let not = if term.op.negated() { "not " } else { "" };
    let name = term.key.name();
    let that = if one { "that is" } else { "that are" };
    match (term.op, term.key) {
        (Op::Like, _) => format!("with {name} matching {values}"),
        (Op::NotLike, _) => format!("with {name} not matching {values}"),
        (Op::Less, Key::Age) => format!("younger than {values}"),
        (Op::AtMost, Key::Age) => format!("at most {values} old"),
        (Op::More, Key::Age) => format!("older than {values}"),
        (Op::AtLeast, Key::Age) => format!("at least {values} old"),
        (Op::More, Key::Cpu) => format!("using over {values} of a core"),
        (Op::More, Key::CpuDemand) => format!("wanting over {values} of a core"),
        (Op::More, Key::CpuLife) => format!("using over {values} of a core all its life"),
        (Op::More, Key::FdDeleted) => format!("holding over {values} of a deleted file"),
        (Op::Less, _) => format!("with {name} under {values}"),
        (Op::AtMost, _) => format!("with {name} of at most {values}"),
        (Op::More, _) => format!("with {name} over {values}"),
        (Op::AtLeast, _) => format!("with {name} of at least {values}"),
        (Op::Is | Op::IsNot, Key::Name) => format!("{not}named {values}"),
        (Op::Is | Op::IsNot, Key::User) => format!("{not}run by {values}"),
        (Op::Is | Op::IsNot, Key::Group) => format!("{not}of group {values}"),
        (Op::Is | Op::IsNot, Key::Unit) => format!("{not}in unit {values}"),
        (Op::Is | Op::IsNot, Key::UserUnit) => format!("{not}in user unit {values}"),
        (Op::Is | Op::IsNot, Key::Slice) => format!("{not}in slice {values}"),
        (Op::Is | Op::IsNot, Key::Container) => format!("{not}in container {values}"),
        (Op::Is | Op::IsNot, Key::Tty) => format!("{not}on terminal {values}"),
        (Op::Is | Op::IsNot, Key::State) => format!("{not}in state {}", states(&term.values)),
        (Op::Is | Op::IsNot, Key::Scope) => places(&term.values),
        (Op::Is | Op::IsNot, Key::Label | Key::Smack) => format!("{not}labelled {values}"),
        (Op::Is | Op::IsNot, Key::ApparmorProfile) => format!("{not}under AppArmor profile {values}"),
        (Op::Is | Op::IsNot, Key::ApparmorMode) => format!("{not}in AppArmor mode {values}"),
        (Op::Is | Op::IsNot, Key::SelinuxUser) => format!("{not}of SELinux user {values}"),
        (Op::Is | Op::IsNot, Key::SelinuxRole) => format!("{not}in SELinux role {values}"),
        (Op::Is | Op::IsNot, Key::SelinuxType) => format!("{not}of SELinux type {values}"),
        (Op::Is | Op::IsNot, Key::SelinuxLevel) => format!("{not}at SELinux level {values}"),
        (Op::Is | Op::IsNot, Key::Tracer) if values == "0" => if term.op.negated() {
            "traced"
        } else {
            "traced by nobody"
        }
        .into(),
        (Op::Is | Op::IsNot, Key::Tracer) => format!("{not}traced by {values}"),
        (Op::Is | Op::IsNot, Key::Listen) => format!("{not}listening on {values}"),
        (Op::Is | Op::IsNot, Key::Socket) => format!("{not}with a socket of kind {values}"),
        (Op::Is | Op::IsNot, Key::Stdio) => {
            format!("{not}with {values} as standard input, output or error")
        }
        (Op::Is | Op::IsNot, Key::Fd) => format!("{not}with {values} open"),
        (Op::Is | Op::IsNot, Key::FdMemory) => format!("{not}with the memory of process {values} open"),
        (Op::Is | Op::IsNot, Key::GroupSupplementary) => {
            format!("{not}with supplementary group {values}")
        }
        (Op::Is | Op::IsNot, key) if key.kind() == Kind::Capability => {
            let with = if term.op.negated() { "without" } else { "with" };
            format!("{with} {} in {name}", values.replace(", ", " or "))
        }
        (Op::Is | Op::IsNot, Key::CpuStarved) => {
            let starved = (values == "yes") != term.op.negated();
            if starved { "starved" } else { "not starved" }.into()
        }
        (
            Op::Is | Op::IsNot,
            Key::Kthread
            | Key::Main
            | Key::ExeDeleted
            | Key::ExeReplaced
            | Key::ExeSystem
            | Key::ContainerSystem
            | Key::ListenPublic
            | Key::FdBlock
            | Key::FdOutside,
        ) => yes_no(term, that),
        (Op::Is, _) => format!("with {name} {values}"),
        (Op::IsNot, _) => format!("with {name} not {values}"),
    }
}

fn yes_no(term: &Term, that: &str) -> String {
    let said: Vec<bool> = term
        .values
        .iter()
        .filter_map(|value| {
            if let Matcher::YesNo(yes) = value {
                Some(*yes)
            } else {
                None
            }
        })
        .collect();
    let [said] = said[..] else {
        return format!(
            "with {}{}{}",
            term.key.name(),
            term.op.text(),
            values(&term.values)
        );
    };
    let yes = said != term.op.negated();
    let not = if yes { "" } else { "not " };
    match term.key {
        Key::Kthread if that == "that is" => format!("{that} {not}a kernel thread"),
        Key::Kthread => format!("{that} {not}kernel threads"),
        Key::Main => format!("{that} {not}the main process of a program"),
        Key::ListenPublic => format!("{that} {not}listening on a public address"),
        Key::FdBlock if yes => "with a block device open".into(),
        Key::FdBlock => "without a block device open".into(),
        Key::FdOutside if yes => "with a directory outside its root open".into(),
        Key::FdOutside => "without a directory outside its root open".into(),
        Key::ExeDeleted if yes => "whose program file has no name any more".into(),
        Key::ExeDeleted => "whose program file still has a name".into(),
        Key::ExeSystem if yes => "whose program belongs to the system".into(),
        Key::ExeSystem => "whose program does not belong to the system".into(),
        Key::ContainerSystem if yes => "in a container that only root could have made".into(),
        Key::ContainerSystem => "in no container that only root could have made".into(),
        _ if yes => "whose program file was replaced".into(),
        _ => "whose program file was not replaced".into(),
    }
}

fn places(values: &[Matcher]) -> String {
    let places: Vec<&str> = values
        .iter()
        .map(|value| match value {
            Matcher::Scope(Scope::Host) => "outside containers",
            Matcher::Scope(Scope::Container) => "in a container",
            _ => "in a container or not",
        })
        .collect();
    places.join(" or ")
}

fn states(values: &[Matcher]) -> String {
    let name = |value: &Matcher| match value {
        Matcher::Exact(letter) => STATES
            .iter()
            .find(|state| letter[..] == [state.0])
            .map(|state| state.1),
        _ => None,
    };
    let mut names: Vec<&str> = values.iter().filter_map(name).collect();
    names.dedup();
    names.join(" or ")
}

fn values(values: &[Matcher]) -> String {
    let texts: Vec<String> = values.iter().map(value).collect();
    match texts.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => texts.concat(),
    }
}

fn value(matcher: &Matcher) -> String {
    match matcher {
        Matcher::Exact(text) if text.is_empty() => "\"\"".into(),
        Matcher::Exact(text) => String::from_utf8_lossy(text).into_owned(),
        Matcher::Glob(text, _) => text.clone(),
        Matcher::Regex(regex) => format!("/{}/", regex.as_str()),
        Matcher::Number(_, text) => text.clone(),
        Matcher::Listen(_, text)
        | Matcher::Level(_, text)
        | Matcher::Stack(_, text)
        | Matcher::Caps(_, text) => text.clone(),
        Matcher::YesNo(yes) => if *yes { "yes" } else { "no" }.into(),
        Matcher::Scope(_) => places(std::slice::from_ref(matcher)),
        Matcher::File(path) => String::from_utf8_lossy(&path.text).into_owned(),
    }
}
