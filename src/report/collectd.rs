//! Values for collectd's exec plugin, in its plain text protocol (collectd-exec(5)): the state and the number of
//! processes of each check, and of the run the worst state. What is a failure, and who is told of it once, is for collectd's
//! threshold plugin.

use super::Caller;
use super::unique::unique;
use crate::judge::{Report, Verdict};
use std::collections::BTreeSet;

/// The most of a name: collectd takes 127 bytes for the plugin and the name.
const LENGTH: usize = 80;

/// The whole output. Where nothing was judged there is no value: the state of no check would tell of it, and that of the
/// run, which goes with all that is well, has to cease.
pub(super) fn render(report: &Report, caller: Caller) -> String {
    if report.verdicts.is_empty() {
        return "UNKNOWN: nothing to check\n".into();
    }
    let mut verdicts: Vec<&Verdict> = report.verdicts.iter().collect();
    verdicts.sort_by(|a, b| a.name.cmp(&b.name));
    let mut taken = BTreeSet::new();
    let of_all = line(caller, "", "worst", &report.state.number().to_string());
    let lines = verdicts.into_iter().map(|verdict| {
        let name = format!("-{}", unique(&name(&verdict.name), "_", &mut taken));
        let certain = verdict.faulty.is_none() && verdict.unknown == 0;
        let count = if certain {
            verdict.matched.to_string()
        } else {
            "U".into()
        };
        line(caller, &name, "state", &verdict.state.number().to_string())
            + &line(caller, &name, "processes", &count)
    });
    of_all + &lines.collect::<String>()
}

fn line(caller: Caller, instance: &str, what: &str, value: &str) -> String {
    let interval = caller.interval.map(|interval| format!(" interval={interval}"));
    let host = caller.host.unwrap_or("localhost");
    let interval = interval.unwrap_or_default();
    format!("PUTVAL \"{host}/procward{instance}/gauge-{what}\"{interval} N:{value}\n")
}

/// A slash would end the name, and it becomes one of a directory.
fn name(name: &str) -> String {
    let kept = |c: char| c.is_ascii_alphanumeric() || "_.:@+-".contains(c);
    let name = name.chars().map(|c| if kept(c) { c } else { '_' });
    name.take(LENGTH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{faulty_verdict, host, process, verdict};

    const CALLER: Caller = Caller {
        host: Some("h"),
        interval: Some("60.000"),
    };

    fn judged(spec: &str, host: &crate::snapshot::Snapshot) -> Verdict {
        if spec.starts_with("nosuch=") {
            faulty_verdict()
        } else {
            verdict(spec, host)
        }
    }

    #[test]
    fn every_check_has_a_state_and_a_count() {
        let host = host(vec![process(10, "cron")]);
        let verdicts =
            [("gone", "nosuch:1-"), ("a", "nosuch=x"), ("cron", "cron:1")].map(|(name, spec)| Verdict {
                name: name.into(),
                ..judged(spec, &host)
            });
        let report = crate::judge::assemble(verdicts.to_vec(), Vec::new(), &host);
        assert_eq!(
            render(&report, CALLER),
            "PUTVAL \"h/procward/gauge-worst\" interval=60.000 N:2\n\
             PUTVAL \"h/procward-a/gauge-state\" interval=60.000 N:3\n\
             PUTVAL \"h/procward-a/gauge-processes\" interval=60.000 N:U\n\
             PUTVAL \"h/procward-cron/gauge-state\" interval=60.000 N:0\n\
             PUTVAL \"h/procward-cron/gauge-processes\" interval=60.000 N:1\n\
             PUTVAL \"h/procward-gone/gauge-state\" interval=60.000 N:2\n\
             PUTVAL \"h/procward-gone/gauge-processes\" interval=60.000 N:0\n"
        );
    }

    #[test]
    fn where_nothing_was_judged_no_value_says_that_procward_is_there() {
        let report = crate::judge::assemble(Vec::new(), vec![("a".into(), "x".into())], &host(vec![]));
        assert_eq!(render(&report, CALLER), "UNKNOWN: nothing to check\n");
    }

    #[test]
    fn a_name_is_its_own_and_leaves_no_directory() {
        let host = host(vec![]);
        let verdicts = ["../x", ".._x", "é\"\n"].map(|name| Verdict {
            name: name.into(),
            ..verdict("cron:1", &host)
        });
        let report = crate::judge::assemble(verdicts.to_vec(), Vec::new(), &host);
        let text = render(&report, Caller::NONE);
        let names: Vec<&str> = text.lines().filter_map(|line| line.split('"').nth(1)).collect();
        assert_eq!(
            names,
            [
                "localhost/procward/gauge-worst",
                "localhost/procward-.._x/gauge-state",
                "localhost/procward-.._x/gauge-processes",
                "localhost/procward-.._x_2/gauge-state",
                "localhost/procward-.._x_2/gauge-processes",
                "localhost/procward-___/gauge-state",
                "localhost/procward-___/gauge-processes",
            ]
        );
    }
}
