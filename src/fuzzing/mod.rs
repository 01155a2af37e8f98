//! What is fuzzed: one function a target, from any bytes to nothing or a panic. Built for tests and for cargo-fuzz
//! only, which run the same functions; see CONTRIBUTING.md.
#![allow(
    missing_docs,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic is how a target speaks"
)]

mod descriptors;
mod dice;
mod hosts;
mod metrics;
mod plans;
mod results;
mod services;
#[cfg(test)]
mod tests;
mod uncovered;

use crate::config::{Source, from_texts};
use crate::judge::{Faulty, Item, Report, judge};
use crate::report::{Format, LIMIT, Look, Perfdata, diagnostic, escape, render};
use crate::select::label::MODULES;
use crate::select::listen;
use crate::select::reading::Subject;
use crate::select::spec::{Dialect, parse, parse_selector, sentence};
use crate::select::{Key, Selector, select};
use crate::snapshot::{Endpoint, Fact, Label, Snapshot, Stat, Table, file};
use crate::testing::{check, host, process};
use crate::{cli, parse};
use dice::Dice;

pub type Target = fn(&[u8]);

/// The names are those of the files in fuzz/fuzz_targets and of the directories in fuzz/seeds.
pub const TARGETS: [(&str, Target); 14] = [
    ("stat", stat),
    ("status", status),
    ("cmdline", cmdline),
    ("cgroup", cgroup),
    ("label", label),
    ("mountinfo", mountinfo),
    ("net", net),
    ("maps", maps),
    ("environ", environ),
    ("policy", policy),
    ("spec", spec),
    ("config", config),
    ("snapshot", snapshot),
    ("judge", judge_host),
];

pub fn stat(data: &[u8]) {
    let Some(stat) = parse::stat::parse(data) else {
        return;
    };
    assert!(holds(data, &stat.comm));
    // What was parsed is what proc_pid_stat(5) would print of it.
    let mut line = b"1 (".to_vec();
    line.extend_from_slice(&stat.comm);
    let rest = format!(
        ") {} {} {} {} {} {} {} 0 0 0 0 {} {} {} {} 0 {} {} 0 {} {} {}\n",
        char::from(stat.state & 0x7f),
        stat.ppid,
        stat.pgrp,
        stat.session,
        stat.tty_nr,
        stat.tpgid,
        stat.flags,
        stat.utime,
        stat.stime,
        stat.cutime,
        stat.cstime,
        stat.nice,
        stat.num_threads,
        stat.starttime,
        stat.vsize,
        stat.rss,
    );
    line.extend_from_slice(rest.as_bytes());
    if stat.state.is_ascii_graphic() && stat.state != b')' {
        assert_eq!(parse::stat::parse(&line), Some(Stat { policy: None, ..stat }));
    }
}

pub fn maps(data: &[u8]) {
    for line in data.split(|byte| *byte == b'\n') {
        if let Some(path) = parse::maps::mapping(line).and_then(|mapping| mapping.path) {
            assert!(path.starts_with(b"/") && path.len() <= line.len());
        }
    }
}

/// A value never stays, unless it is what LD_PRELOAD names.
pub fn environ(data: &[u8]) {
    let environ = parse::environ::parse(data, false);
    for name in &environ.names {
        assert!(!name.contains(&b'=') && holds(data, name));
    }
    for library in &environ.preloads {
        assert!(environ.names.iter().any(|name| name == b"LD_PRELOAD") && holds(data, &library.name));
    }
    assert!(parse::environ::library_path(data).all(|directory| holds(data, directory)));
}

pub fn policy(data: &[u8]) {
    for (profile, automaton) in parse::policy::attachments(data).into_iter().flatten() {
        assert!(profile.len() <= data.len());
        let _ = automaton.accepts(b"/usr/sbin/sshd");
    }
}

pub fn status(data: &[u8]) {
    let _ = parse::status::cap_eff(data);
    if let Some(status) = parse::status::parse(data) {
        assert!(holds(data, b"Uid:") && holds(data, b"Gid:") && holds(data, b"Groups:"));
        assert!(status.groups.len() <= data.len());
    }
}

pub fn cmdline(data: &[u8]) {
    let cmdline = parse::cmdline::parse(data, false);
    let joined = cmdline.arguments.join(&0);
    assert_eq!(joined, data.strip_suffix(b"\0").unwrap_or(data));
}

/// A label of each module, and what every key says to it.
pub fn label(data: &[u8]) {
    let Some(text) = parse::label::parse(data) else {
        return;
    };
    assert!(data.starts_with(&text) && !text.is_empty());
    let mut host = small_host();
    for module in MODULES {
        host.processes[0].label = Fact::Value(Label {
            module: module.name().into(),
            text: text.clone(),
        });
        let subject = Subject::of(&host.processes[0], &host);
        for key in Key::ALL.iter().filter(|key| key.is_label()) {
            let _ = subject.read(*key);
        }
    }
}

pub fn cgroup(data: &[u8]) {
    if let Some(cgroup) = parse::cgroup::parse(data) {
        assert!(holds(data, &cgroup.path) && !cgroup.path.contains(&b'\n'));
    }
}

pub fn mountinfo(data: &[u8]) {
    for device in [(0, 5), (0, 21), (u32::MAX, 0)] {
        let _ = parse::mountinfo::proc_on(data, device);
    }
}

/// The tables of sockets: what is told of them can be asked for.
pub fn net(data: &[u8]) {
    for table in parse::net::Table::ALL {
        let _ = parse::net::is_past_listeners(table, data);
        let Some(sockets) = parse::net::parse(table, data) else {
            continue;
        };
        for endpoint in sockets
            .values()
            .filter_map(|socket| socket.as_ref().ok()?.as_ref())
        {
            let text = endpoint.text();
            match endpoint {
                Endpoint::Unix(path) => assert!(holds(data, path) && !path.is_empty()),
                _ => {
                    let asked = listen::parse(std::str::from_utf8(&text).unwrap());
                    // The kernel has no port 0 there.
                    assert!(asked.map_or(true, |asked| asked.holds(endpoint)));
                }
            }
        }
    }
}

/// The language, with its globs and expressions, read and applied to a host.
pub fn spec(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let host = small_host();
    for dialect in [Dialect::Native, Dialect::PsMonitor] {
        match parse(text, &host.accounts, dialect) {
            Err(faults) => faults_are_sound(&Faulty {
                source: Faulty::SPEC.into(),
                text: text.into(),
                faults,
            }),
            Ok(spec) => {
                is_plain(&escape::text(
                    sentence(
                        &spec.selector,
                        spec.range.unwrap_or(crate::select::Range::AT_LEAST_ONE),
                    )
                    .as_bytes(),
                ));
                if dialect == Dialect::Native {
                    is_read_again(&spec.selector, &host.accounts);
                }
                plans::reads_what_it_needs(&[&spec.selector], &host);
            }
        }
    }
}

/// What is shown of a check can be written as one.
fn is_read_again(selector: &Selector, accounts: &Table) {
    let texts = |selector: &Selector| -> Vec<String> {
        selector.terms.iter().map(|term| term.text.clone()).collect()
    };
    match parse_selector(&selector.text, accounts) {
        Ok(again) => assert_eq!(texts(&again), texts(selector)),
        Err(faults) => panic!("{:?} is not read again: {faults:?}", selector.text),
    }
}

pub fn config(data: &[u8]) {
    let text = String::from_utf8_lossy(data).into_owned();
    let host = small_host();
    let source = Source {
        name: "fuzz.toml".into(),
        text: text.into(),
    };
    let loaded = from_texts(vec![source], &host.accounts);
    for faulty in loaded.faulty() {
        faults_are_sound(faulty);
    }
    formats_are_sound(&judge(&loaded.items, &host, &host.accounts));
}

pub fn snapshot(data: &[u8]) {
    let Ok(snapshot) = file::from_bytes(data) else {
        return;
    };
    is_looked_at(&snapshot);
    // It is saved as it was read.
    let bytes = file::to_bytes(&snapshot).unwrap();
    let again = file::from_bytes(&bytes).unwrap();
    assert_eq!(file::to_bytes(&again).unwrap(), bytes);
}

/// A host and a check made up of the bytes.
pub fn judge_host(data: &[u8]) {
    let mut dice = Dice::new(data);
    let spec = hosts::spec(&mut dice);
    let snapshot = hosts::host(&mut dice);
    let parsed = |spec: &str| parse(spec, &snapshot.accounts, Dialect::Native).ok();
    // Some terms exclude each other.
    if parsed(&spec).is_none() {
        return;
    }
    let check = check(&spec, &snapshot);
    let others = [(); 3].map(|()| hosts::spec(&mut dice));
    let others: Vec<Selector> = others
        .iter()
        .filter_map(|spec| Some(parsed(spec)?.selector))
        .collect();
    let together: Vec<&Selector> = others.iter().chain([&check.selector]).collect();
    plans::reads_what_it_needs(&[&check.selector], &snapshot);
    plans::reads_what_it_needs(&together, &snapshot);
    let items = [Item::Check(Box::new(check.clone()))];
    let report = judge(&items, &snapshot, &snapshot.accounts);
    formats_are_sound(&report);
    plans::holds_whatever_was_not_seen(&check, &snapshot, &mut dice);
}

fn is_looked_at(snapshot: &Snapshot) {
    let specs = [
        "sshd:1",
        "exe=/usr/sbin/sshd,main=yes:0",
        "user=root,kthread=no:1-3",
        "name=x|y,scope=all,state=Z:0",
        "cmdline~'a|b',age>1h,parent=init:0",
        "ancestor=cron,container=a*,unit!=b.service:2",
    ];
    let items: Vec<Item> = specs
        .iter()
        .filter_map(|spec| parse(spec, &small_host().accounts, Dialect::Native).ok())
        .map(|spec| {
            let mut check = check("x:1", &small_host());
            check.name.clone_from(&spec.text);
            check.count = spec.range.unwrap();
            check.selector = spec.selector;
            Item::Check(Box::new(check))
        })
        .collect();
    formats_are_sound(&judge(&items, snapshot, &snapshot.accounts));
    let _ = cli::roll::groups(snapshot, &snapshot.accounts);
}

fn small_host() -> Snapshot {
    host(vec![
        process(10, "sshd"),
        process(11, "python3"),
        process(12, "averylongname12"),
    ])
}

/// Every fault lies in the text, between characters, and can be shown.
fn faults_are_sound(faulty: &Faulty) {
    let text = &faulty.text;
    assert!(!faulty.faults.is_empty());
    for fault in &faulty.faults {
        assert!(
            fault.start <= fault.end && fault.end <= text.len(),
            "{fault:?} in {text:?}"
        );
        let whole = text.is_char_boundary(fault.start) && text.is_char_boundary(fault.end);
        assert!(whole && !fault.message.is_empty(), "{fault:?} in {text:?}");
    }
    is_plain(&diagnostic::render_all(faulty, escape::text));
}

fn formats_are_sound(report: &Report) {
    for verbose in [false, true] {
        let look = Look {
            perfdata: Perfdata {
                cpu: true,
                memory: true,
            },
            width: Some(40),
            color: false,
            verbose,
            caller: crate::report::Caller::NONE,
        };
        for format in Format::ALL {
            let bytes = render(report, format, &look);
            let text = String::from_utf8(bytes).unwrap();
            assert!(text.ends_with('\n'));
            is_plain(&text);
            match format {
                Format::Mon | Format::Nagios => assert!(text.len() <= LIMIT),
                Format::Json => assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok()),
                Format::Prometheus => metrics::are_sound(&text, report),
                Format::Checkmk => services::are_sound(&text, report),
                Format::Passive(passive) => results::are_sound(passive, &text, report),
                Format::ZabbixLld => assert_eq!(
                    serde_json::from_str::<serde_json::Value>(&text).is_ok(),
                    !text.starts_with("UNKNOWN: ")
                ),
                Format::Snmp => assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok()),
                Format::Collectd | Format::Human => {}
            }
            let _ = crate::report::wrap::wrap(&text, 20);
        }
    }
}

fn is_plain(text: &str) {
    let raw = |c: char| c != '\n' && c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c);
    assert!(!text.chars().any(raw), "{text:?}");
}

fn holds(data: &[u8], part: &[u8]) -> bool {
    part.is_empty() || data.windows(part.len()).any(|window| window == part)
}

/// The processes that a selector means, on a snapshot, by PID: those for certain and those that may be meant.
fn meant(selector: &Selector, strict: bool, snapshot: &Snapshot) -> [Vec<i32>; 2] {
    let wanted = plans::wanted(selector, strict);
    let selection = select(&wanted, snapshot);
    let pid = |index: usize| snapshot.processes[index].pid;
    [
        selection.matched.iter().map(|index| pid(*index)).collect(),
        selection.unknown.iter().map(|(index, ..)| pid(*index)).collect(),
    ]
}

/// Names of users for hosts that are made up.
fn accounts() -> Table {
    small_host().accounts
}
