//! Under the names of mon's `selinux.monitor` and `deleted-mapped.monitor`: the same verdicts, 0 and 1, and UNKNOWN (3)
//! for what those pass over because they can't read it.

use super::arguments::ViewArguments;
use super::audit::Audit;
use super::view::View;
use crate::audit::compile::{COVERAGE, compile};
use crate::audit::rule::Exempt;
use crate::audit::{Case, Class, Rule, Settings, Severity, built_in};
use crate::exit_code::Exit;
use crate::outcome::Outcome;
use crate::report::audit::render;
use crate::report::{Format, Look, escape};
use crate::snapshot::Accounts;
use std::ffi::OsString;

/// SELinux enforces its policy, and nothing runs in initrc_t. Like mon's, it takes no arguments: mon appends hosts.
pub(super) fn selinux(arguments: &ViewArguments) -> Outcome {
    let view = match View::open(arguments) {
        Ok(view) => view,
        Err(sentence) => return Outcome::unknown(sentence),
    };
    match view.security_module() {
        Ok(Some(module)) if module == "selinux" => {}
        Ok(_) => return Outcome::new("CRITICAL: SELinux is not active\n", Exit::Warning),
        Err(sentence) => {
            let sentence = escape::text(sentence.as_bytes());
            return Outcome::unknown(format!("SELinux can't be told: {sentence}"));
        }
    }
    let initrc = own_rule(
        "initrc",
        "no process runs in initrc_t",
        "initrc_t is where programs end up that no policy holds.",
        "ps -eZ, restorecon the program, write a policy for it.",
        "selinux.type=initrc_t,age>=0s",
    );
    run(
        &view,
        arguments,
        vec![known("selinux-not-enforcing"), Some(initrc)],
    )
}

/// No process of the system has a file mapped that was removed.
pub(super) fn deleted_mapped(words: &[OsString], arguments: &ViewArguments) -> Outcome {
    let highest = match highest_uid(words) {
        Ok(highest) => highest,
        Err(sentence) => return Outcome::unknown(sentence),
    };
    let view = match View::open(arguments) {
        Ok(view) => view,
        Err(sentence) => return Outcome::unknown(sentence),
    };
    let mut rule = own_rule(
        "deleted-mapped",
        "no process of the system has a file mapped that was removed",
        "What an upgrade mended is not mended in a process that was not restarted.",
        "Restart the service.",
        &format!("mapped.deleted=*,uid.effective<={highest},age>=0s"),
    );
    rule.exempt = [
        (
            "exe=/lib/systemd/systemd*|/usr/lib/systemd/systemd*",
            "systemd can't be restarted alone",
        ),
        (
            "exe=/usr/bin/dbus-daemon",
            "the message bus can't be restarted alone",
        ),
        ("exe=/usr/bin/sudo", "it ends with what it started"),
        (
            "exe=/usr/sbin/sshd*,cmdline~\"^sshd: [a-z][a-z0-9]* .priv\"",
            "it ends with its login",
        ),
    ]
    .map(|(select, reason)| Exempt {
        select: select.into(),
        reason: reason.into(),
    })
    .into();
    run(&view, arguments, vec![Some(rule)])
}

/// `-u UID`, the highest uid that is looked at; what follows the options are hosts, which mon appends.
fn highest_uid(words: &[OsString]) -> Result<u32, String> {
    let mut highest = 999;
    let mut words = words.iter().map(|word| word.to_string_lossy());
    while let Some(word) = words.next().filter(|word| word.starts_with('-') && word != "--") {
        let value = match word.strip_prefix("-u") {
            Some("") => words.next().map(|value| value.into_owned()),
            Some(value) => Some(value.to_owned()),
            None => {
                return Err(format!(
                    "there is no option {}; -u UID is one",
                    escape::text(word.as_bytes())
                ));
            }
        };
        let number = value.and_then(|value| value.parse().ok());
        highest = number.ok_or("-u takes a uid: -u 999")?;
    }
    Ok(highest)
}

fn own_rule(id: &str, title: &str, why: &str, fix: &str, select: &str) -> Rule {
    Rule {
        id: id.into(),
        class: Class::Default,
        title: title.into(),
        why: why.into(),
        source: String::new(),
        fix: fix.into(),
        when: None,
        host: None,
        cases: vec![Case {
            severity: Severity::High,
            select: select.into(),
        }],
        exempt: Vec::new(),
    }
}

fn known(id: &str) -> Option<Rule> {
    built_in().into_iter().find(|rule| rule.id == id)
}

fn run(view: &View, arguments: &ViewArguments, rules: Vec<Option<Rule>>) -> Outcome {
    let rules: Vec<Rule> = rules.into_iter().chain([known(COVERAGE)]).flatten().collect();
    let settings = Settings::default();
    let compiled = compile(&rules, &settings, view, super::audit::today());
    let audit = Audit {
        rules: &rules,
        compiled: &compiled,
        settings: &settings,
        view,
    };
    audit.run(arguments, &|report| {
        Outcome::new(
            render(report, Format::Mon, &Look::PIPE),
            Exit::of_monitor(report.state),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::spec::parse_selector;
    use crate::snapshot::Table;

    #[test]
    fn options_are_those_of_mon() {
        let told = |words: &[&str]| highest_uid(&words.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(told(&[]), Ok(999));
        assert_eq!(told(&["-u", "5", "host"]), Ok(5));
        assert_eq!(told(&["-u5", "host", "-x"]), Ok(5));
        assert_eq!(told(&["--", "-x"]), Ok(999));
        assert_eq!(told(&["-x"]), Err("there is no option -x; -u UID is one".into()));
        assert_eq!(told(&["-u"]), Err("-u takes a uid: -u 999".into()));
        assert_eq!(told(&["-u", "many"]), Err("-u takes a uid: -u 999".into()));
    }

    #[test]
    fn what_they_select_is_well_formed() {
        for select in [
            "selinux.type=initrc_t,age>=0s",
            "mapped.deleted=*,uid.effective<=999,age>=0s",
        ] {
            assert!(parse_selector(select, &Table::default()).is_ok(), "{select}");
        }
    }
}
