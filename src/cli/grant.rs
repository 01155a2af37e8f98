//! `procward grant`: who may see with procward's monitors and plugins what root sees.

use super::copy::Copy;
use crate::capabilities::OF_USE;
use crate::deadline::Notes;
use crate::exit_code::Exit;
use crate::outcome::Outcome;
use crate::report::escape;
use clap::Args;
use nix::errno::Errno;
use nix::unistd::{Group, User};
use rustix::process::geteuid;
use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// The group that may run the copy.
const GROUP: &str = "procward";

/// What a person is told who does not know what it is.
pub const ABOUT: &str = "Let a user's monitors see what root sees; alone, list who may";

/// What is granted.
const GIVES: &str = "procward's monitors and plugins that it runs see what root sees of every process: its program, \
                     directories, libraries and descriptors, and the names of its environment variables";

/// The arguments of `grant`.
#[derive(Args, Clone, Debug)]
pub struct Grant {
    /// Users that a monitor runs as, such as mon or nagios
    #[arg(value_name = "USER")]
    pub users: Vec<String>,
    /// Take it from them again
    #[arg(long, requires = "users")]
    pub revoke: bool,
}

impl Grant {
    /// Runs it.
    pub fn run(&self, notes: Notes) -> Outcome {
        match self.text(notes) {
            Ok(text) => match of_no_use() {
                Some(why) => Outcome::new(
                    format!("{text}UNKNOWN: it gives nothing here: {why}\n"),
                    Exit::Unknown,
                ),
                None => Outcome::new(text, Exit::Ok),
            },
            Err(sentence) => {
                let sentence = escape::text(sentence.as_bytes());
                Outcome::unknown(sentence)
            }
        }
    }

    fn text(&self, notes: Notes) -> Result<String, String> {
        let group = group(notes)?;
        if self.users.is_empty() {
            return Ok(listed(&group));
        }
        for name in &self.users {
            known(name, &group, self.revoke, notes)?;
        }
        if !geteuid().is_root() {
            let option = if self.revoke { "--revoke " } else { "" };
            return Err(format!(
                "only root can do that: sudo procward grant {option}{}",
                self.users.join(" ")
            ));
        }
        let mut text = String::new();
        for name in &self.users {
            let has = group.mem.contains(name);
            if has == self.revoke {
                change(name, self.revoke)?;
            }
            let _ = match (self.revoke, has) {
                (false, true) => writeln!(text, "{name} is in the group {GROUP} already: {GIVES}"),
                (false, false) => writeln!(text, "{name} is in the group {GROUP} now: {GIVES}"),
                (true, true) => writeln!(text, "{name} is not in the group {GROUP} any more"),
                (true, false) => writeln!(text, "{name} is not in the group {GROUP}"),
            };
        }
        let _ = writeln!(
            text,
            "Restart what runs as {}: a daemon keeps the groups that it was started with",
            self.users.join(" and ")
        );
        Ok(text)
    }
}

fn group(notes: Notes) -> Result<Group, String> {
    let found = notes.of_name(&format!("group {GROUP}"), || Group::from_name(GROUP));
    let found = found
        .unwrap_or(Err(Errno::ETIMEDOUT))
        .map_err(|error| format!("the group {GROUP} can't be looked up: {error}"))?;
    found.ok_or_else(|| {
        format!("there is no group {GROUP}: procward's package makes it, and so does make install")
    })
}

fn listed(group: &Group) -> String {
    if group.mem.is_empty() {
        return format!("no user is in the group {GROUP}: procward grant USER puts one there\n");
    }
    let mut names: Vec<String> = group
        .mem
        .iter()
        .map(|name| escape::text(name.as_bytes()))
        .collect();
    names.sort();
    names.join("\n") + "\n"
}

/// A user who is gone may still be in the group.
fn known(name: &str, group: &Group, revoke: bool, notes: Notes) -> Result<(), String> {
    let user = notes
        .of_name(&format!("user {name}"), || User::from_name(name))
        .unwrap_or(Err(Errno::ETIMEDOUT))
        .map_err(|error| format!("the user {name} can't be looked up: {error}"))?;
    match user {
        Some(user) if user.uid.is_root() && !revoke => Err(format!("{name} sees everything already")),
        Some(_) => Ok(()),
        None if revoke && group.mem.iter().any(|member| member == name) => Ok(()),
        None => Err(format!(
            "there is no user {name}: name the one that the monitor runs as, ps -eo user,args shows it"
        )),
    }
}

/// What changes groups: of the package passwd, and, where that is not, of busybox. By their paths, whatever PATH is.
fn change(name: &str, revoke: bool) -> Result<(), String> {
    let ways: [(&str, [&str; 3]); 3] = if revoke {
        [
            ("/usr/bin/gpasswd", ["-d", name, GROUP]),
            ("/usr/sbin/delgroup", ["--", name, GROUP]),
            ("/bin/delgroup", ["--", name, GROUP]),
        ]
    } else {
        [
            ("/usr/bin/gpasswd", ["-a", name, GROUP]),
            ("/usr/sbin/addgroup", ["--", name, GROUP]),
            ("/bin/addgroup", ["--", name, GROUP]),
        ]
    };
    let Some((program, words)) = ways.iter().find(|(program, _)| Path::new(program).exists()) else {
        return Err(format!(
            "there is no gpasswd here: put {name} into the group {GROUP} in /etc/group, or take it out, by hand"
        ));
    };
    let mut command = Command::new(program);
    command.args(words).env_clear().stdin(Stdio::null());
    let said = command
        .output()
        .map_err(|error| format!("{program} can't be run: {error}"))?;
    if said.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&said.stderr);
    Err(format!("{program} {} failed: {}", words.join(" "), why.trim()))
}

/// Why being in the group gives nothing.
fn of_no_use() -> Option<String> {
    let Some(copy) = Copy::of_this_program() else {
        let of = std::fs::read_link("/proc/self/exe").unwrap_or_default();
        return Some(format!(
            "beside {} there is no lib/procward/procward; procward's package and make install put it there",
            of.parent().unwrap_or(Path::new("/")).display()
        ));
    };
    (copy.lends() != OF_USE).then(|| {
        let path = copy.path.display();
        format!("{path} lacks its capabilities: setcap cap_sys_ptrace,cap_dac_read_search=p {path}")
    })
}
