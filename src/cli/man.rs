//! The manual pages, made from the parsers of the command line. procward.toml(5) is written by hand, in `man`.

use super::parser::{self, of_plugin};
use crate::exit_code::Exit;
use crate::outcome::Outcome;
use clap_mangen::Man;
use std::ffi::OsString;
use std::io::Write;

/// The names under which the command of a page runs: how a plugin is called, its command, and its format.
const PLUGINS: [(&str, &str, &str); 4] = [
    ("check_procward", "check", "nagios"),
    ("procward.monitor", "check", "mon"),
    ("cpu.monitor", "cpu", "mon"),
    ("audit.monitor", "audit", "mon"),
];

/// What every page ends with.
const END: &str = "\
.SH \"EXIT STATUS\"
0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN. Wrong usage, a faulty configuration and a run that could not be finished are 3, and
no run ends by a signal. Commands that judge nothing end 0 or 3.
.SH FILES
.TP
.I /etc/procward/procward.toml\\fR, \\fI/etc/procward/conf.d/*.toml
The configuration, see
.BR procward.toml (5).
.TP
.I /var/lib/procward
What is remembered from run to run, one file for each user. Under mon it is mon's state directory.
.SH \"SEE ALSO\"
.BR procward (1),
.BR check_procward (1),
.BR procward.toml (5),
.BR proc (5)
";

/// A page by its name, `procward-check` or `check_procward` for example; `procward` itself where none is given.
pub(super) fn run(page: Option<&str>) -> Outcome {
    let page = page.unwrap_or("procward");
    let Some(command) = command_of(page) else {
        let known: Vec<String> = names();
        return Outcome::new(
            format!(
                "UNKNOWN: there is no page of that name; there are {}\n",
                known.join(", ")
            ),
            Exit::Unknown,
        );
    };
    let mut text = Vec::new();
    let written = Man::new(command)
        .render(&mut text)
        .and_then(|()| text.write_all(END.as_bytes()));
    Outcome::new(text, if written.is_ok() { Exit::Ok } else { Exit::Unknown })
}

/// All pages, in the order of the commands.
fn names() -> Vec<String> {
    let mut names = Vec::new();
    walk(&whole(), &mut |command| names.push(name_of(command)));
    names.extend(PLUGINS.iter().map(|(name, ..)| (*name).to_owned()));
    names
}

fn whole() -> clap::Command {
    let mut whole = parser::whole().disable_help_subcommand(true);
    whole.build();
    whole
}

fn name_of(command: &clap::Command) -> String {
    command
        .get_display_name()
        .unwrap_or(command.get_name())
        .to_owned()
}

fn walk(command: &clap::Command, tell: &mut dyn FnMut(&clap::Command)) {
    tell(command);
    for below in command.get_subcommands() {
        walk(below, tell);
    }
}

fn command_of(page: &str) -> Option<clap::Command> {
    if let Some((name, command, format)) = PLUGINS.iter().find(|(name, ..)| *name == page) {
        let line = ["procward", command].map(OsString::from);
        let mut plugin = of_plugin(name, parser::parser(&line), command, format);
        plugin.build();
        let plugin = plugin.find_subcommand(command)?.clone();
        return Some(plugin.name(*name).bin_name(*name).display_name(*name));
    }
    let mut found = None;
    walk(&whole(), &mut |command| {
        if name_of(command) == page {
            // As it is typed, and not as its page is called.
            let typed = command.get_bin_name().unwrap_or(page).to_owned();
            found = Some(command.clone().bin_name(typed));
        }
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_and_every_plugin_has_a_page() {
        let names = names();
        assert!(names.len() > 15, "{names:?}");
        for name in &names {
            let page = run(Some(name));
            let text = String::from_utf8(page.text).unwrap();
            assert_eq!(page.exit, Exit::Ok);
            assert!(text.contains(&format!(".TH {name} 1 ")), "{name}: {text}");
        }
        assert!(names.contains(&"procward-config-check".to_owned()));
        assert_eq!(run(Some("procward")), run(None));
        assert_eq!(run(Some("procward-nonsense")).exit, Exit::Unknown);
    }
}
