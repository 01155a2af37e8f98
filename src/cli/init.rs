//! `procward init`: the roll call, written as a commented configuration file.

use super::arguments::ViewArguments;
use super::list::age;
use super::roll::{FILES, Group, groups, left_out};
use super::view::{View, exit_of};
use crate::config::migrate::toml_string;
use crate::exit_code::Exit;
use crate::outcome::Outcome;
use crate::report::escape;
use crate::select::Plan;
use clap::Args;
use std::collections::BTreeSet;
use std::fmt::Write;

/// The arguments of `init`.
#[derive(Clone, Args, Debug)]
pub struct Init {}

impl Init {
    /// Runs it.
    pub fn run(self, arguments: &ViewArguments) -> Outcome {
        let view = match View::open(arguments) {
            Ok(view) => view,
            Err(sentence) => return Outcome::new(format!("# {sentence}\n"), Exit::Unknown),
        };
        let snapshot = view.look(&Plan::everything(&FILES));
        let mut text = String::from(
            "# Checks for procward, written by `procward init` from what was running.\n\
             # Save as /etc/procward/procward.toml, or as a file of its own in /etc/procward/conf.d/, its name ending in .toml;\n\
             # delete what may come and go, then run: procward check\n\
             # `count` is MIN-MAX: \"1\" exactly one, \"1-\" at least one, \"0\" must not run.\n",
        );
        for gap in &snapshot.gaps {
            let _ = writeln!(text, "# incomplete view: {}", escape::text(gap.text().as_bytes()));
        }
        let (groups, young) = groups(&snapshot, &view);
        if let Some(sentence) = left_out(young) {
            let _ = writeln!(text, "# {sentence}.");
        }
        for (name, group) in names(&groups).iter().zip(&groups) {
            check(&mut text, name, group);
        }
        Outcome::new(text, exit_of(&snapshot))
    }
}

/// A name of its own for each.
fn names(groups: &[Group]) -> Vec<String> {
    let own: BTreeSet<&str> = groups.iter().map(|group| group.name.as_str()).collect();
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut name_of = |group: &Group| {
        let mut name = group.name.clone();
        let mut number = 1;
        // Another program may be called as a numbered one would be.
        while taken.contains(&name) || (number > 1 && own.contains(name.as_str())) {
            number += 1;
            name = format!("{}-{number}", group.name);
        }
        taken.insert(name.clone());
        name
    };
    groups.iter().map(&mut name_of).collect()
}

fn check(text: &mut String, name: &str, group: &Group) {
    let number = if group.count == 1 {
        "1 process".into()
    } else {
        format!("{} processes", group.count)
    };
    let unit = group
        .unit
        .as_ref()
        .map(|unit| format!(", {unit}"))
        .unwrap_or_default();
    let comment = format!("{number}, the oldest up {}{unit}", age(group.age));
    let _ = writeln!(text, "\n# {}", escape::text(comment.as_bytes()));
    let _ = writeln!(text, "[[check]]\nname = {}", toml_string(name));
    let _ = writeln!(
        text,
        "select = {}\ncount = {}",
        toml_string(&group.select),
        toml_string(group.range())
    );
    if let Some(unit) = &group.unit {
        let _ = writeln!(
            text,
            "note = {}",
            toml_string(&format!("systemctl status {unit}"))
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Build, host, process};

    #[test]
    fn no_two_checks_have_one_name() {
        let view = host(vec![
            process(20, "x").exe("/a/x"),
            process(21, "x").exe("/b/x"),
            process(22, "x-2").exe("/c/x-2"),
        ]);
        let (groups, _) = groups(&view, &view.accounts);
        let mut names = names(&groups);
        names.retain(|name| name.starts_with('x'));
        assert_eq!(names, ["x", "x-3", "x-2"]);
    }
}
