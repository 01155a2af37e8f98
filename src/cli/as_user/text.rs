//! What is said of a trial: a block for each check, then how to grant what lacks.

use super::finding::{Kind, lacking};
use super::{Finding, Outcome, Trial};
use crate::capabilities::OF_USE;
use crate::cli::copy::Copy;
use crate::config::migrate::toml_string;
use crate::exit_code::Exit;
use crate::judge::{Faulty, Item, State};
use crate::report::{diagnostic, escape};
use crate::select::Capability;
use std::fmt::Write;

/// The whole output and how it ends: 3 where anything lacks or is faulty.
pub(super) fn outcome(trial: &Trial<'_>) -> Outcome {
    let mut paragraphs: Vec<String> = faulty(trial)
        .map(|f| diagnostic::render_all(f, escape::text))
        .collect();
    let name = &trial.person.name;
    for file in &trial.closed {
        for fault in &file.faults {
            paragraphs.push(format!(
                "{}: as {name} it {}\n  grant: let {name} read it\n",
                file.source, fault.message
            ));
        }
    }
    paragraphs.extend(trial.findings.iter().map(|finding| block(finding, trial)));
    let fine = paragraphs.is_empty();
    paragraphs.push(summary(trial));
    let lacking: Vec<Capability> = [Capability::SysPtrace, Capability::DacReadSearch]
        .into_iter()
        .filter(|capability| {
            trial
                .findings
                .iter()
                .any(|finding| grants(finding, trial).contains(capability))
        })
        .collect();
    if !lacking.is_empty() {
        paragraphs.push(how_to_grant(trial, &lacking));
    }
    let exit = if fine { Exit::Ok } else { Exit::Unknown };
    let shown: Vec<String> = paragraphs.iter().map(|text| printable(text)).collect();
    Outcome::new(shown.join("\n"), exit)
}

/// Names of files, users, units and checks may hold anything.
fn printable(text: &str) -> String {
    let lines = text.lines().map(|line| escape::text(line.as_bytes()) + "\n");
    lines.collect()
}

fn faulty<'a>(trial: &'a Trial<'_>) -> impl Iterator<Item = &'a Faulty> {
    trial.items.iter().filter_map(|item| match item {
        Item::Faulty { faulty, .. } => Some(faulty),
        _ => None,
    })
}

/// The capabilities to grant for a check: those that its terms take, or, where it is processes that are hidden, the
/// one that shows them.
fn grants(finding: &Finding, trial: &Trial<'_>) -> Vec<Capability> {
    let mut grants = lacking(&finding.check, &trial.held);
    if trial.hidden && finding.kind == Kind::Unknown && !grants.contains(&Capability::SysPtrace) {
        grants.insert(0, Capability::SysPtrace);
    }
    grants
}

fn names(capabilities: &[Capability]) -> String {
    let names: Vec<&str> = capabilities.iter().map(|capability| capability.name()).collect();
    names.join(" and ")
}

fn block(finding: &Finding, trial: &Trial<'_>) -> String {
    let name = &trial.person.name;
    let grants = grants(finding, trial);
    let mut text = format!("{}: {}\n", finding.check.name, head(finding, &grants, name));
    let mut say = |title: &str, line: &str| {
        let _ = writeln!(text, "  {title}: {line}");
    };
    let keys: Vec<&str> = finding
        .check
        .restricted_keys()
        .iter()
        .map(|key| key.name())
        .collect();
    if finding.verdict.reasons.is_empty() {
        say(
            "why",
            &format!("{name} can't read {} of others' processes", keys.join(" and ")),
        );
    }
    for reason in &finding.verdict.reasons {
        say("why", reason);
    }
    if grants.is_empty() {
        for remedy in &finding.verdict.remedies {
            say("remedy", remedy);
        }
        return text;
    }
    say("grant", &names(&grants));
    if let Some(granted) = finding
        .granted
        .as_ref()
        .filter(|granted| granted.state == State::Unknown)
    {
        for reason in &granted.reasons {
            say("but even then", reason);
        }
        for remedy in &granted.remedies {
            say("remedy", remedy);
        }
    }
    say("or write", &instead(finding, trial));
    text
}

/// `UNKNOWN as mon, OK with CAP_SYS_PTRACE`.
fn head(finding: &Finding, grants: &[Capability], name: &str) -> String {
    let state = finding.verdict.state.word();
    if finding.kind == Kind::Later {
        return if finding.verdict.matched == 0 && finding.check.count.min > 0 {
            format!("{state} as {name} now, and UNKNOWN once it runs as another user")
        } else {
            format!("{state} as {name} now, and UNKNOWN once processes of other users run")
        };
    }
    match &finding.granted {
        Some(granted) if granted.state != finding.verdict.state => {
            format!(
                "{state} as {name}, {} with {}",
                granted.state.word(),
                names(grants)
            )
        }
        Some(_) if grants.is_empty() => format!("{state} as {name}, whatever is granted"),
        Some(_) => format!("{state} as {name}, even with {}", names(grants)),
        None => format!("{state} as {name}"),
    }
}

/// The `select` that takes no right.
fn instead(finding: &Finding, trial: &Trial<'_>) -> String {
    let name = &trial.person.name;
    let check = &finding.check;
    let Some(alternative) = &finding.alternative else {
        let excepted = !check
            .selector
            .terms
            .iter()
            .any(|term| !term.key.capabilities().is_empty());
        return if trial.hidden {
            "nothing: no spec sees what hidepid hides".into()
        } else if excepted {
            "the exceptions with keys that everybody may read".into()
        } else {
            "nothing: no spec of keys that everybody may read says the same".into()
        };
    };
    let write = format!("select = {}", toml_string(&alternative.selector.text));
    let state = alternative.state.word();
    if check.count.min == 0 {
        return format!("{write}, {state} as {name}; weaker: a process can call itself otherwise");
    }
    match finding.meant {
        0 => format!("{write}, untried: no such process runs now"),
        1 => format!("{write}, {state} as {name}: it means the same process"),
        many => format!("{write}, {state} as {name}: it means the same {many} processes"),
    }
}

fn summary(trial: &Trial<'_>) -> String {
    let name = &trial.person.name;
    let count = |wanted: fn(&Item) -> bool| trial.items.iter().filter(|item| wanted(item)).count();
    let checks = count(|item| matches!(item, Item::Check(_)));
    let plural = |number: usize| if number == 1 { "" } else { "s" };
    let mut parts = vec![format!("{checks} check{} judged as {name}", plural(checks))];
    match trial.findings.len() {
        0 => parts.push(format!("none needs more than {name}'s rights")),
        1 => parts.push(format!("1 needs more than {name}'s rights")),
        many => parts.push(format!("{many} need more than {name}'s rights")),
    }
    let (faulty, skipped) = (
        count(|item| matches!(item, Item::Faulty { .. })),
        count(|item| matches!(item, Item::Skipped { .. })),
    );
    if faulty > 0 {
        parts.push(format!("{faulty} faulty"));
    }
    if skipped > 0 {
        parts.push(format!("{skipped} skipped here"));
    }
    let mut text = parts.join(", ") + "\n";
    if trial.untried {
        text += "procward has not these rights itself, so it could not be tried what granting them gives\n";
    }
    if !trial.closed.is_empty() {
        text += &format!("procward as {name} does not see the checks of what {name} may not read\n");
    }
    text
}

fn absolute(path: &std::path::Path) -> String {
    let absolute = std::path::absolute(path);
    absolute.as_deref().unwrap_or(path).display().to_string()
}

/// How capabilities come to a procward that runs as the user.
fn how_to_grant(trial: &Trial<'_>, lacking: &[Capability]) -> String {
    let name = &trial.person.name;
    let all: Vec<&str> = lacking.iter().map(|capability| capability.name()).collect();
    let program =
        std::env::current_exe().map_or_else(|_| "procward".into(), |path| path.display().to_string());
    let config = trial
        .config
        .map_or_else(String::new, |path| format!(" --config {}", absolute(path)));
    let unit = match trial.units.iter().next() {
        Some(unit) if trial.units.len() == 1 => format!("systemctl edit {unit}"),
        _ => format!("in the service that runs procward, beside User={name}"),
    };
    // Where the package, or make install, put it.
    let group = match Copy::of_this_program() {
        Some(copy) if copy.lends() == OF_USE => format!(
            "  group: procward grant {name}\n         \
             (for its monitors and plugins; then restart what runs as {name})\n"
        ),
        _ => String::new(),
    };
    let mut text = format!(
        "To grant {} to procward as {name}, one of:\n{group}  \
         unit: {unit}: [Service] AmbientCapabilities={}\n        \
         (a daemon that starts as root and becomes {name} by itself, as nrpe does, loses it)\n  \
         file: setcap {}+ep {program}\n        \
         (for all who may run it; not where NoNewPrivileges= is set; to be done again after an upgrade)\n  \
         sudo: {name} ALL=(root) NOPASSWD: {program} check{config} --format nagios\n        \
         (and let the plugin's command begin with sudo)\n",
        all.join(" and "),
        all.join(" "),
        all.join(",").to_ascii_lowercase(),
    );
    if lacking.contains(&Capability::DacReadSearch) {
        text += "CAP_DAC_READ_SEARCH lets procward read every file, and show what it takes for a faulty configuration.\n";
    }
    text
}
