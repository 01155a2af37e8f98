//! What a report says of the processes that a check leaves out. Pure.

use super::check::Check;
use super::evidence::describe;
use super::verdict::EVIDENCE;
use crate::select::Selection;
use crate::select::selection::LeftOut;
use crate::snapshot::{Accounts, Process, Snapshot};

/// How many processes were left out so.
pub(super) fn count(selection: &Selection, wanted: LeftOut) -> usize {
    let why = selection.left_out.iter().map(|(_, why)| *why);
    why.filter(|why| *why == wanted).count()
}

/// The exceptions that matched no process. Where processes may be hidden, nobody knows.
pub(super) fn unused(check: &Check, selection: &Selection, snapshot: &Snapshot) -> Vec<String> {
    // Who may use much CPU and does not just now still may.
    if !snapshot.is_complete() || check.is_about_cpu() {
        return Vec::new();
    }
    let exceptions = check.except.iter().enumerate();
    exceptions
        .filter(|(number, exception)| {
            !exception.built_in && count(selection, LeftOut::Exception(*number)) == 0
        })
        .map(|(_, exception)| exception.selector.text.clone())
        .collect()
}

pub(super) fn left_out(
    check: &Check,
    selection: &Selection,
    snapshot: &Snapshot,
    accounts: &dyn Accounts,
) -> Vec<String> {
    let count = |wanted| count(selection, wanted);
    let mut lines = Vec::new();
    let mut say = |number: usize, one: &str, many: &str| match number {
        0 => {}
        1 => lines.push(format!("1 {one}")),
        n => lines.push(format!("{n} {many}")),
    };
    say(
        count(LeftOut::Container),
        "process in a container",
        "processes in containers",
    );
    say(count(LeftOut::Zombie), "zombie", "zombies");
    say(
        count(LeftOut::OwnCommandLine),
        "command line that holds procward's own arguments",
        "command lines that hold procward's own arguments",
    );
    say(
        count(LeftOut::ForkedCopy),
        "forked copy of a process above procward",
        "forked copies of processes above procward",
    );
    for (number, exception) in check.except.iter().enumerate() {
        let used = count(LeftOut::Exception(number));
        for (index, _) in selection
            .left_out
            .iter()
            .filter(|(_, why)| *why == LeftOut::ByName(number))
            .take(EVIDENCE)
        {
            lines.push(format!(
                "{} by its name only, for its program can't be read: {}",
                short(&snapshot.processes[*index], snapshot, accounts),
                exception.reason
            ));
        }
        let (text, reason) = (&exception.selector.text, &exception.reason);
        let who = who(check, selection, LeftOut::Exception(number), snapshot, accounts);
        match used {
            0 => {}
            1 => lines.push(format!("1 process by the exception {text}: {reason}{who}")),
            n => lines.push(format!("{n} processes by the exception {text}: {reason}{who}")),
        }
    }
    lines
}

/// How many of those who may are named.
const NAMED: usize = 3;

/// Who uses so much CPU and may: whoever reads it sees the daemon that has a person's account.
fn who(
    check: &Check,
    selection: &Selection,
    wanted: LeftOut,
    snapshot: &Snapshot,
    accounts: &dyn Accounts,
) -> String {
    if !check.is_about_cpu() {
        return String::new();
    }
    let all = selection.left_out.iter().filter(|(_, why)| *why == wanted);
    let mut named: Vec<String> = all
        .clone()
        .take(NAMED)
        .map(|(index, _)| short(&snapshot.processes[*index], snapshot, accounts))
        .collect();
    match all.count().saturating_sub(NAMED) {
        0 => {}
        more => named.push(format!("{more} more")),
    }
    format!(" [{}]", named.join(", "))
}

/// `pid 812 foobard (www-data)`.
fn short(process: &Process, snapshot: &Snapshot, accounts: &dyn Accounts) -> String {
    let found = describe(process, snapshot, accounts);
    let user = found.user.unwrap_or_else(|| "?".into());
    format!(
        "pid {} {} ({user})",
        found.pid,
        String::from_utf8_lossy(&found.name)
    )
}
