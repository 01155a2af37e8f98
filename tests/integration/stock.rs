//! The audit of a host that runs stock daemons, idle and while they are restarted: it finds nothing, and can look at all.

use crate::common::{is_root, need};
use crate::namespace::{Namespace, both};
use crate::services::{Service, connect, lacking, start};
use procward::audit::built_in;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What must run, so that it can't become less unseen.
const PROGRAMS: [&str; 24] = [
    "/usr/bin/dbus-daemon",
    "/usr/bin/memcached",
    // redis-server is a link to it.
    "/usr/bin/redis-check-rdb",
    "/usr/bin/tor",
    "/usr/lib/postfix/sbin/master",
    "/usr/sbin/apache2",
    "/usr/sbin/atd",
    "/usr/sbin/cron",
    "/usr/sbin/dnsmasq",
    "/usr/sbin/dovecot",
    "/usr/sbin/dropbear",
    "/usr/sbin/haproxy",
    "/usr/sbin/lldpd",
    "/usr/sbin/mariadbd",
    "/usr/sbin/mosquitto",
    "/usr/sbin/named",
    "/usr/sbin/nginx",
    "/usr/sbin/php-fpm8.2",
    "/usr/sbin/proftpd",
    "/usr/sbin/rsyslogd",
    "/usr/sbin/squid",
    "/usr/sbin/sshd",
    "/usr/sbin/unbound",
    "/usr/sbin/varnishd",
];

/// What is true of them, and meant to be: rule and program. The rules have them as exemptions, each with its reason.
const EXEMPT: [(&str, &str); 6] = [
    ("nonroot-root-equivalent-cap", "/usr/sbin/lldpd"),
    ("setuid-root-running", "/usr/sbin/squid"),
    ("uid0-regainable", "/usr/sbin/atd"),
    ("uid0-regainable", "/usr/sbin/proftpd"),
    ("uid0-regainable", "/usr/sbin/squid"),
    ("uid0-regainable", "/usr/sbin/varnishd"),
];

/// For how long they are restarted at least; every one of them once, whatever the time.
const STORM: Duration = Duration::from_secs(15);

#[test]
fn an_audit_of_stock_daemons_finds_nothing_idle_and_while_they_are_restarted() {
    need!(is_root(), "namespaces and users need root");
    let lacking = lacking();
    need!(
        lacking.is_empty(),
        &format!("not installed: {}", lacking.join(", "))
    );
    let host = Namespace::new();
    let services = start(&host);
    connect(&host);
    assert_all_run(&host, &services);
    // Younger ones are not told of.
    std::thread::sleep(Duration::from_secs(6));
    let idle = audit(&host, &[]);
    assert_eq!(faults(&idle), Vec::<String>::new());
    assert_eq!(
        exempted(&idle),
        EXEMPT.map(|(rule, program)| format!("{rule}: {program}"))
    );
    assert_eq!(idle["readable"], idle["seen"]);
    assert_all_rules_are_ok_beside_their_baseline(&host);
    let storm = storm(&host, &services);
    println!(
        "\n| {} | {} | {} | {} | {} | {:.1} s | {:.1} s |",
        storm.restarts,
        storm.audits,
        storm.faults.len(),
        storm.lesser.len(),
        storm.seen,
        storm.took.as_secs_f64() / f64::from(storm.audits),
        storm.longest.as_secs_f64()
    );
    for lesser in &storm.lesser {
        println!("- {lesser}");
    }
    assert!(
        storm.faults.is_empty(),
        "{} audits:\n{}",
        storm.audits,
        storm.faults.join("\n")
    );
    assert_all_run(&host, &services);
}

#[test]
fn in_a_pid_namespace_the_second_process_is_not_the_kernels_and_its_children_are_as_all_others() {
    need!(is_root(), "namespaces need root");
    let host = Namespace::new();
    host.must("echo 1 > /proc/sys/kernel/ns_last_pid; setsid sh -c 'sleep 1000 & wait' </dev/null >/dev/null 2>&1 &");
    host.wait_for("sleep", 1);
    assert_eq!(host.check("sleep,ppid=2:1"), both(0));
    let rules = built_in();
    let rule = rules
        .iter()
        .find(|rule| rule.id == "child-of-kthreadd")
        .expect("a rule");
    let select = rule.cases[0].select.replace("age>60s", "age>=0s");
    assert!(select.contains("age>=0s"), "{select}");
    assert_eq!(host.check(&format!("{select}:0")), both(0));
}

/// What breaks rules that are not on by themselves: rule and program.
const BASELINE: [(&str, &str); 22] = [
    ("ambient-caps", "/usr/sbin/mariadbd,user=mysql"),
    ("bounding-open", "/usr/lib/dovecot/imap-login,user=dovenull"),
    ("bounding-open", "/usr/sbin/haproxy,user=haproxy"),
    ("bounding-open", "/usr/sbin/varnishd,user=vcache"),
    ("gid-not-of-account", "/usr/sbin/dnsmasq,user=dnsmasq"),
    ("listener-no-sandbox", "/usr/lib/dovecot/imap-login,user=dovenull"),
    ("listener-no-sandbox", "/usr/sbin/varnishd,user=vcache"),
    ("no-nnp", "/usr/lib/dovecot/imap-login,user=dovenull"),
    ("no-nnp", "/usr/sbin/varnishd,user=vcache"),
    ("no-seccomp", "/usr/lib/dovecot/imap-login,user=dovenull"),
    ("no-seccomp", "/usr/sbin/haproxy,user=haproxy"),
    ("no-seccomp", "/usr/sbin/varnishd,user=vcache"),
    ("nonroot-other-cap", "/usr/bin/dbus-daemon,user=messagebus"),
    ("nonroot-other-cap", "/usr/sbin/mariadbd,user=mysql"),
    ("nonroot-other-cap", "/usr/sbin/named,user=bind"),
    ("root-listener-unconfined", "/usr/sbin/dovecot,user=root"),
    ("root-listener-unconfined", "/usr/sbin/dropbear,user=root"),
    ("root-listener-unconfined", "/usr/sbin/proftpd,user=proftpd"),
    ("root-listener-unconfined", "/usr/sbin/squid,user=proxy"),
    ("root-listener-unconfined", "/usr/sbin/varnishd,user=vcache"),
    ("root-umask-world-writable", "/usr/sbin/nginx,user=root"),
    ("rwx-mapping", "/usr/sbin/varnishd,user=vcache"),
];

/// What is found with all rules is what `--baseline` writes down, and beside that nothing is found.
#[track_caller]
fn assert_all_rules_are_ok_beside_their_baseline(host: &Namespace) {
    let run = host
        .procward("root")
        .args(["audit", "--all", "--baseline"])
        .run()
        .ends(0);
    let baseline: toml::Table = toml::from_str(&run.stdout()).expect("TOML");
    let text = |exempt: &toml::Value, key: &str| exempt[key].as_str().expect(key).to_owned();
    let exempt = baseline["audit"]["exempt"].as_array().expect("exemptions").iter();
    let mut known: Vec<(String, String)> = exempt
        .map(|exempt| (text(exempt, "rule"), text(exempt, "select")))
        .collect();
    known.sort();
    let known: Vec<(&str, &str)> = known
        .iter()
        .map(|(rule, select)| (rule.as_str(), select.as_str()))
        .collect();
    assert_eq!(known, BASELINE);
    let file = host.write("baseline.toml", &run.stdout());
    let report = audit(host, &["--all", "--config", &file]);
    assert_eq!(
        (array(&report, "findings"), array(&report, "stale_exemptions")),
        (&[][..], &[][..])
    );
    assert_eq!(faults(&report), Vec::<String>::new());
}

/// Every daemon that must run does.
#[track_caller]
fn assert_all_run(host: &Namespace, services: &[Service]) {
    let said = host.must("for exe in /proc/[0-9]*/exe; do readlink $exe || true; done");
    let running: BTreeSet<&str> = said.lines().collect();
    let started: BTreeSet<&str> = services.iter().map(|service| service.program.as_str()).collect();
    let postgres = started
        .iter()
        .filter(|program| program.ends_with("/bin/postgres"));
    let wanted: BTreeSet<&str> = PROGRAMS.iter().chain(postgres).copied().collect();
    assert_eq!(wanted, started);
    let down: Vec<&&str> = wanted.difference(&running).collect();
    assert!(down.is_empty(), "not running: {down:?}");
    assert!(wanted.len() > PROGRAMS.len(), "no postgres");
}

fn audit(host: &Namespace, arguments: &[&str]) -> Value {
    let run = host.procward("root").args(["audit", "--format", "json"]);
    let said = run.args(arguments.iter().copied()).run();
    assert_eq!(said.stderr(), "");
    said.json()
}

/// What is medium or worse, and what could not be looked at.
fn faults(report: &Value) -> Vec<String> {
    let serious = array(report, "findings").iter().filter(|finding| {
        let severity = finding["severity"].as_str().expect("a severity");
        !matches!(severity, "low" | "info")
    });
    let blind = array(report, "rules").iter().filter(|rule| {
        let reasons = array(rule, "reasons").len() + array(rule, "undecided").len();
        rule["outcome"] == "not checked" || rule["state"] == "UNKNOWN" || reasons > 0
    });
    let faulty = array(report, "faulty").iter().chain(array(report, "remarks"));
    let mut faults: Vec<String> = serious.chain(blind).chain(faulty).map(Value::to_string).collect();
    if report["state"] != "OK" && faults.is_empty() {
        faults.push(report.to_string());
    }
    faults
}

/// What is low or less: rule and facts.
fn lesser(report: &Value) -> impl Iterator<Item = String> {
    array(report, "findings")
        .iter()
        .map(|finding| format!("{}: {} {}", finding["rule"], finding["program"], finding["facts"]))
}

/// Which rules left out which programs, as an exemption of their own has it.
fn exempted(report: &Value) -> Vec<String> {
    let mut all = BTreeSet::new();
    for rule in array(report, "rules") {
        for text in array(rule, "left_out").iter().filter_map(Value::as_str) {
            let selector = text
                .split_once("by the exception exe=")
                .map(|(_, selector)| selector);
            let program = selector.and_then(|selector| selector.split([',', ':', '|']).next());
            all.insert(format!(
                "{}: {}",
                rule["rule"].as_str().expect("an id"),
                program.unwrap_or(text)
            ));
        }
    }
    all.into_iter().collect()
}

fn array<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    of[name].as_array().map_or(&[], Vec::as_slice)
}

/// What came of audits during a storm.
#[derive(Default)]
struct Storm {
    restarts: usize,
    audits: u32,
    /// Processes at most.
    seen: u64,
    faults: Vec<String>,
    lesser: BTreeSet<String>,
    took: Duration,
    longest: Duration,
}

/// Restarts one after the other, and audits again and again meanwhile.
fn storm(host: &Namespace, services: &[Service]) -> Storm {
    let lasting = std::env::var("PROCWARD_STORM")
        .ok()
        .and_then(|seconds| seconds.parse().ok());
    let lasting = lasting.map_or(STORM, Duration::from_secs);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let restarts = scope.spawn(|| {
            let _ending = Ending(&over);
            let begun = Instant::now();
            let mut restarts = 0;
            while begun.elapsed() < lasting {
                for service in services {
                    service.restart(host);
                    restarts += 1;
                }
            }
            restarts
        });
        let mut storm = Storm::default();
        while !over.load(Ordering::SeqCst) {
            let begun = Instant::now();
            let report = audit(host, &[]);
            storm.audits += 1;
            storm.took += begun.elapsed();
            storm.longest = storm.longest.max(begun.elapsed());
            storm.seen = storm.seen.max(report["seen"].as_u64().expect("a number"));
            storm.faults.extend(faults(&report));
            storm.lesser.extend(lesser(&report));
        }
        storm.restarts = restarts.join().expect("restarts");
        storm
    })
}

/// Ends the audits, also where a restart fails.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
