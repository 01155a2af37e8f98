//! Violators: processes each of which breaks an invariant in one way, and controls that break none, all alive at once
//! in namespaces of their own. The audit must find in each exactly what is there.

mod table;

use crate::common::{Procward, command, is_root, need, output, skip, spawn};
use crate::namespace::Namespace;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt::Write;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use table::{PRIVILEGED, Violator};

const SOURCES: [&str; 8] = [
    "main",
    "credentials",
    "capabilities",
    "image",
    "hiding",
    "place",
    "descriptors",
    "sockets",
];

/// Files and directories of a host on which nobody has been careless yet: /tmp and its like are everybody's, the
/// rest is root's.
const SETUP: &str = "\
    umask 022\n\
    mkdir /mnt/bin /mnt/lib /mnt/w /mnt/home /mnt/home/alice\n\
    cp $PLACE/violators $PLACE/procward /mnt/bin && cp $PLACE/quiet.so /mnt/lib\n\
    mkdir -p /opt && mount -t tmpfs -o mode=755 tmpfs /opt && mkdir /opt/lib || exit\n\
    cp /mnt/lib/quiet.so /opt/lib/libjemalloc.so.2\n\
    cp /mnt/lib/quiet.so /opt/lib/libjemalloc-alice.so && chown 2001 /opt/lib/libjemalloc-alice.so\n\
    cp $PLACE/etc/* /mnt/w && mount -t tmpfs -o mode=755 tmpfs /etc && mv /mnt/w/* /etc\n\
    mkdir /mnt/disk && mount --bind $DISK /mnt/disk || exit\n\
    for directory in /tmp /var/tmp /dev/shm; do mount -t tmpfs -o mode=1777 tmpfs $directory || exit; done\n\
    mkdir -p -m 755 /run/user && mkdir -m 700 /run/user/2001\n\
    chown 2001:2001 /mnt/home/alice /run/user/2001\n";

/// What each violator's line finds: 3 is where it tells that it stands, 4 ends with the test.
const SHELL: &str = "\
    exec 3>&1 4<&0 </dev/null >/dev/null\n\
    umask 022\n\
    V=/mnt/bin/violators\n\
    ALICE='setpriv --reuid=2001 --regid=2001 --init-groups'\n\
    cd /\n";

fn passwd() -> String {
    let accounts = [
        ("alice", 2001, 2001),
        ("bob", 2002, 2002),
        ("carol", 2003, 0),
        ("dave", 2004, 2004),
        ("erin", 2005, 2005),
        ("nobody", 65534, 65534),
    ];
    accounts.iter().fold(
        "root:x:0:0:root:/root:/bin/sh\n".to_owned(),
        |mut text, (name, uid, gid)| {
            let _ = writeln!(text, "{name}:x:{uid}:{gid}::/mnt/home/{name}:/bin/sh");
            text
        },
    )
}

fn group() -> String {
    let mut text = "\
        root:x:0:erin\ngames:x:60:\nstaff:x:50:\nteam:x:2100:bob\n\
        alice:x:2001:\nbob:x:2002:\ndave:x:2004:\nerin:x:2005:\nnogroup:x:65534:\n"
        .to_owned();
    for (name, gid) in PRIVILEGED {
        let member = if name == "adm" { "dave" } else { "" };
        let _ = writeln!(text, "{name}:x:{gid}:{member}");
    }
    text
}

/// The violators alive; they end with it.
struct Crime {
    namespace: Namespace,
    violators: Vec<Violator>,
    /// Their pids within, by their places above. Where the tests lack a capability, so do violators.
    pids: BTreeMap<usize, u32>,
    // Its standard input is what they wait for the end of.
    _shell: Child,
}

impl Crime {
    fn scene() -> Namespace {
        let namespace = Namespace::new();
        let place = namespace.place();
        let source = |name: &str| format!("{}/tests/violators/{name}.c", env!("CARGO_MANIFEST_DIR"));
        let compile = |name: &str, flags: &[&str], sources: &[&str]| {
            let path = place.path().join(name);
            let mut cc = command("cc");
            cc.args(["-O1", "-Wall", "-Wextra", "-Werror"]).args(flags);
            output(
                cc.arg("-o")
                    .arg(path)
                    .args(sources.iter().map(|name| source(name))),
            )
            .ends(0);
        };
        compile("violators", &["-pthread"], &SOURCES);
        compile("quiet.so", &["-shared", "-fPIC"], &["quiet"]);
        place.procward();
        let etc = place.directory("etc");
        for (name, text) in [
            ("passwd", passwd()),
            ("group", group()),
            ("nsswitch.conf", "passwd: files\ngroup: files\n".into()),
            ("shadow", "root:*:1::::::\n".into()),
            ("gshadow", "root:*::\n".into()),
        ] {
            std::fs::write(etc.join(name), text).expect("a file");
        }
        let (place, disk) = (place.path().display(), env!("CARGO_TARGET_TMPDIR"));
        namespace.must(&format!("PLACE={place}\nDISK={disk}\n{SETUP}"));
        namespace
    }

    fn committed(violators: Vec<Violator>) -> Crime {
        let namespace = Crime::scene();
        let mut script = SHELL.to_owned();
        for (number, violator) in violators.iter().enumerate() {
            let command = &violator.command;
            let _ = writeln!(
                script,
                "( N={number} D=/mnt/w/{number}; trap '[ $? = 0 ] || echo $N failed >&3' EXIT; set -e; mkdir $D; {command} ) 4<&4 &"
            );
        }
        let words = namespace.enter("root");
        let mut shell = spawn(
            command(&words[0])
                .args(&words[1..])
                .args(["sh", "-c", &script])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped()),
        );
        let lines = BufReader::new(shell.stdout.take().expect("its output")).lines();
        let (sender, told) = mpsc::channel();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut waiting: BTreeSet<usize> = (0..violators.len()).collect();
        let mut pids = BTreeMap::new();
        while !waiting.is_empty() {
            let names = || {
                waiting
                    .iter()
                    .map(|number| &violators[*number].name)
                    .collect::<Vec<_>>()
            };
            let line = told
                .recv_timeout(Duration::from_secs(30))
                .unwrap_or_else(|error| panic!("{error}: {:?}", names()));
            let (number, pid) = line.split_once(' ').expect("a number and a pid");
            let number: usize = number.parse().expect("a number");
            assert!(waiting.remove(&number), "{line}");
            if pid != "absent" {
                let name = &violators[number].name;
                pids.insert(number, pid.parse().unwrap_or_else(|_| panic!("{name}: {line}")));
            }
        }
        Crime {
            namespace,
            violators,
            pids,
            _shell: shell,
        }
    }

    /// What is not as the table says, by /proc.
    fn unproven(&self) -> Vec<String> {
        let mut unproven = Vec::new();
        for (number, pid) in &self.pids {
            let violator = &self.violators[*number];
            let shows = violator
                .shows
                .replace("$D", &format!("/mnt/w/{number}"))
                .replace("$N", &number.to_string());
            for (key, value) in shows.split("; ").filter_map(|fact| fact.split_once('=')) {
                let directory = self.namespace.file(&format!("/proc/{pid}"));
                let seen = seen(&directory, key);
                let holds = match value.strip_prefix('!') {
                    Some(value) => !seen.is_empty() && seen.iter().all(|seen| seen != value),
                    None if key.starts_with("net/") || matches!(key, "maps" | "environ") => {
                        seen.iter().any(|seen| seen.contains(value))
                    }
                    None => seen.iter().any(|seen| seen == value),
                };
                if !holds {
                    unproven.push(format!("{} ({pid}): {key}={value}, but {seen:?}", violator.name));
                }
            }
        }
        unproven
    }
}

/// What /proc says to a key: one of its files or links, a line of status, or such a line of other threads.
fn seen(directory: &std::path::Path, key: &str) -> Vec<String> {
    let text = |path: PathBuf| String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned();
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let entries = |name: &str| {
        std::fs::read_dir(directory.join(name))
            .into_iter()
            .flatten()
            .flatten()
    };
    let link = |path: PathBuf| std::fs::read_link(path).map(|path| path.display().to_string());
    match key {
        "exe" | "cwd" | "root" => link(directory.join(key)).into_iter().collect(),
        "fd" => entries("fd")
            .filter_map(|entry| link(entry.path()).ok())
            .collect(),
        "maps" => text(directory.join("maps")).lines().map(str::to_owned).collect(),
        "environ" => text(directory.join("environ"))
            .split('\0')
            .map(str::to_owned)
            .collect(),
        "cmdline" => text(directory.join("cmdline"))
            .split('\0')
            .take(1)
            .map(str::to_owned)
            .collect(),
        "uid_map" => vec![words(&text(directory.join("uid_map")))],
        "net/tcp" | "net/tcp6" | "net/udp" | "net/udp6" | "net/raw" | "net/raw6" | "net/packet" => {
            let own = seen(directory, "fd");
            let is_own = |inode: &str| own.iter().any(|link| *link == format!("socket:[{inode}]"));
            let lines = text(directory.join(key));
            let lines = lines.lines().filter(|line| line.split_whitespace().any(is_own));
            lines.map(str::to_owned).collect()
        }
        _ => match key.strip_prefix("task/") {
            Some(key) => entries("task")
                .flat_map(|entry| seen(&entry.path(), key))
                .collect(),
            None => text(directory.join("status"))
                .lines()
                .filter_map(|line| line.strip_prefix(key)?.strip_prefix(":\t"))
                .map(words)
                .collect(),
        },
    }
}

/// How old a process must be for a finding, and a little more.
const AGE: Duration = Duration::from_secs(6);

/// What an audit says.
struct Audit {
    /// `RULE SEVERITY`, in order, of each process; what is true of the host has none.
    findings: BTreeMap<Option<u32>, Vec<String>>,
    /// The facts that go with them.
    facts: BTreeMap<Option<u32>, String>,
    /// What became of each rule.
    outcomes: BTreeMap<String, String>,
    /// The processes of which it could not be told.
    undecided: BTreeMap<String, Vec<u32>>,
}

impl Audit {
    fn of(within: Vec<OsString>, words: &[&str]) -> Audit {
        let said = Procward::at(Path::new("/mnt/bin/procward"))
            .within(within)
            // So many processes, and a busy machine, take their time.
            .args(["audit", "--format", "json", "--timeout", "60s"])
            .args(words.to_vec())
            .run();
        assert_eq!(said.stderr(), "", "{}", said.stdout());
        let json = said.json();
        let list = |name: &str| {
            json[name]
                .as_array()
                .unwrap_or_else(|| panic!("no {name} in {json}"))
                .clone()
        };
        let word = |value: &serde_json::Value, name: &str| {
            value[name]
                .as_str()
                .unwrap_or_else(|| panic!("{value}"))
                .to_owned()
        };
        let mut findings: BTreeMap<Option<u32>, Vec<String>> = BTreeMap::new();
        let mut facts: BTreeMap<Option<u32>, String> = BTreeMap::new();
        for finding in list("findings") {
            let pid = finding["pid"]
                .as_u64()
                .map(|pid| u32::try_from(pid).expect("a pid"));
            let found = format!("{} {}", word(&finding, "rule"), word(&finding, "severity"));
            findings.entry(pid).or_default().push(found);
            let _ = write!(facts.entry(pid).or_default(), " {}", finding["facts"]);
        }
        findings.values_mut().for_each(|found| found.sort());
        let rules = list("rules");
        let pids =
            |rule: &serde_json::Value| serde_json::from_value(rule["undecided"].clone()).expect("pids");
        Audit {
            findings,
            facts,
            outcomes: rules
                .iter()
                .map(|rule| (word(rule, "rule"), word(rule, "outcome")))
                .collect(),
            undecided: rules
                .iter()
                .map(|rule| (word(rule, "rule"), pids(rule)))
                .collect(),
        }
    }
}

impl Crime {
    /// Where what is found is not what there is to be found by the rules that were asked about.
    fn misjudged(&self, audit: &Audit) -> Vec<String> {
        let mut misjudged = Vec::new();
        let mut findings = audit.findings.clone();
        for (number, pid) in &self.pids {
            let Violator {
                name, command, found, ..
            } = &self.violators[*number];
            let asked = |found: &&str| {
                found
                    .split_once(' ')
                    .is_some_and(|(rule, _)| audit.outcomes.contains_key(rule))
            };
            let mut expected: Vec<&str> = found.split(", ").filter(asked).collect();
            expected.sort_unstable();
            let found = findings.remove(&Some(*pid)).unwrap_or_default();
            if found != expected {
                misjudged.push(format!(
                    "{name}: {expected:?} expected, {found:?} found\n    pid {pid}, $N is {number}: {command}"
                ));
            }
        }
        // Coverage tells that something could not be told, which is the table's business.
        findings.retain(|pid, found| pid.is_some() || *found != ["coverage unknown"]);
        for (pid, found) in findings {
            let facts = audit.facts.get(&pid).map_or("", String::as_str);
            misjudged.push(format!("pid {pid:?}, no violator: {found:?} found:{facts}"));
        }
        misjudged
    }

    /// Where it is not as the table says whether it can be told.
    fn misdoubted(&self, audit: &Audit) -> Vec<String> {
        let mut misdoubted = Vec::new();
        for (number, pid) in &self.pids {
            let Violator { name, undecided, .. } = &self.violators[*number];
            let mut expected: Vec<&str> = undecided.split(", ").filter(|rule| !rule.is_empty()).collect();
            expected.sort_unstable();
            let doubted = audit.undecided.iter().filter(|(_, pids)| pids.contains(pid));
            let doubted: Vec<&str> = doubted
                .map(|(rule, _)| rule.as_str())
                .filter(|rule| *rule != "coverage")
                .collect();
            if doubted != expected {
                misdoubted.push(format!(
                    "{name}: {expected:?} can't be told, but {doubted:?} were not"
                ));
            }
        }
        misdoubted
    }

    #[track_caller]
    fn is_judged(&self, audit: &Audit) {
        let misjudged = self.misjudged(audit);
        assert!(
            misjudged.is_empty(),
            "{} misjudged:\n{}",
            misjudged.len(),
            misjudged.join("\n")
        );
    }

    fn audit(&self, words: &[&str]) -> Audit {
        Audit::of(self.namespace.enter("root"), words)
    }
}

/// Those that run only when they are asked for by name.
const OPT_IN: [&str; 14] = [
    "bounding-open",
    "bpf-fd-holder",
    "container-privileged",
    "cwd-deleted",
    "empty-cmdline",
    "gid-mixed-nonroot",
    "gid-not-of-account",
    "listener-no-sandbox",
    "no-nnp",
    "no-seccomp",
    "nonroot-other-cap",
    "root-umask-world-writable",
    "rwx-mapping",
    "uid-mixed-nonroot",
];

#[test]
fn every_violator_is_caught_by_exactly_the_rules_that_it_breaks_and_a_control_by_none() {
    need!(is_root(), "violators need root");
    let crime = Crime::committed(table::all());
    let unproven = crime.unproven();
    assert!(unproven.is_empty(), "{}", unproven.join("\n"));
    std::thread::sleep(AGE);
    let all = crime.audit(&["--all"]);
    let usual = crime.audit(&[]);
    let chosen = crime.audit(&OPT_IN);
    let mut wrong: Vec<String> = [&all, &usual, &chosen]
        .into_iter()
        .flat_map(|audit| crime.misjudged(audit))
        .collect();
    wrong.sort();
    wrong.dedup();
    // With every right that there is, hardly anything can't be told.
    wrong.extend(crime.misdoubted(&all));
    wrong.extend(
        OPT_IN
            .iter()
            .filter(|rule| usual.outcomes.contains_key(**rule))
            .map(|rule| format!("{rule} is on")),
    );
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    let named = chosen.outcomes.keys().filter(|rule| *rule != "coverage");
    assert!(named.eq(OPT_IN), "{:?}", chosen.outcomes);
}

/// nobody, with these capabilities.
fn nobody(namespace: &Namespace, capabilities: &[&str]) -> Vec<OsString> {
    let mut words = namespace.enter("root");
    words.extend(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"].map(OsString::from));
    let list: Vec<String> = capabilities.iter().map(|name| format!("+{name}")).collect();
    if !list.is_empty() {
        let list = list.join(",");
        words.extend([format!("--inh-caps={list}"), format!("--ambient-caps={list}")].map(OsString::from));
    }
    words
}

#[test]
fn two_capabilities_see_what_root_sees_and_without_them_no_violated_rule_is_called_ok() {
    need!(is_root(), "violators need root");
    let crime = Crime::committed(table::all());
    std::thread::sleep(AGE);
    let enough = nobody(&crime.namespace, &["sys_ptrace", "dac_read_search"]);
    let mut wrong = crime.misjudged(&Audit::of(enough, &["--all"]));
    let blind = Audit::of(nobody(&crime.namespace, &[]), &["--all"]);
    for (number, pid) in &crime.pids {
        let Violator { name, found, .. } = &crime.violators[*number];
        let seen = blind.findings.get(&Some(*pid)).cloned().unwrap_or_default();
        let expected: Vec<&str> = found.split(", ").filter(|found| !found.is_empty()).collect();
        wrong.extend(
            seen.iter()
                .filter(|seen| !expected.contains(&seen.as_str()))
                .map(|seen| format!("{name}: {seen} found")),
        );
        let passed = |found: &&&str| {
            let rule = found.split_once(' ').map_or("", |(rule, _)| rule);
            let undecided = blind.undecided.get(rule);
            let unsure = undecided.is_some_and(|pids| pids.contains(pid));
            !unsure && !seen.iter().any(|seen| seen == **found)
        };
        wrong.extend(
            expected
                .iter()
                .filter(passed)
                .map(|found| format!("{name}: {found} is passed over")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A control group of systemd's hierarchy, removed when dropped.
struct Cgroup(PathBuf);

impl Cgroup {
    fn new(slice: &str, name: &str) -> Option<Cgroup> {
        let named = Path::new("/sys/fs/cgroup/systemd");
        let root = if named.is_dir() {
            named
        } else {
            Path::new("/sys/fs/cgroup")
        };
        let group = Cgroup(root.join(slice).join(name));
        std::fs::create_dir_all(&group.0).ok()?;
        Some(group)
    }

    /// The violators, with the file that takes them in.
    fn taking(&self, word: &str, violators: Vec<Violator>) -> Vec<Violator> {
        let procs = self.0.join("cgroup.procs").display().to_string();
        let taking = |mut violator: Violator| {
            violator.command = violator.command.replace(word, &procs);
            violator
        };
        violators.into_iter().map(taking).collect()
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // It empties when the kernel is done with its processes.
        for _ in 0..100 {
            if std::fs::remove_dir(&self.0).is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        // What was there before is not empty, and stays.
        let mut above = self.0.parent();
        while let Some(path) = above.filter(|path| std::fs::remove_dir(path).is_ok()) {
            above = path.parent();
        }
    }
}

#[test]
fn what_is_usual_in_a_container_is_held_against_it_less() {
    need!(is_root(), "violators need root");
    let name = format!("docker-{:064x}.scope", std::process::id());
    let Some(group) = Cgroup::new("system.slice", &name) else {
        return skip("control groups can't be made here");
    };
    let crime = Crime::committed(group.taking("$CONTAINER", table::contained()));
    let unproven = crime.unproven();
    assert!(unproven.is_empty(), "{}", unproven.join("\n"));
    std::thread::sleep(AGE);
    crime.is_judged(&crime.audit(&["--all"]));
    // In a cgroup namespace of its own procward is told other paths than it can look up.
    let own = Cgroup::new("system.slice", &format!("pwt-{}.scope", std::process::id())).expect("another");
    let enter = format!(
        "echo $$ > {}; exec unshare -C \"$@\"",
        own.0.join("cgroup.procs").display()
    );
    let mut within = crime.namespace.enter("root");
    within.extend(["sh", "-c", &enter, "sh"].map(OsString::from));
    let audit = Audit::of(within, &["gid0-without-uid0"]);
    assert_eq!(
        audit.findings.keys().collect::<Vec<_>>(),
        [&None],
        "{:?}",
        audit.facts
    );
    let undecided = &audit.undecided["gid0-without-uid0"];
    assert_eq!(undecided.len(), 2, "{:?}", audit.undecided);
}

#[test]
fn a_container_that_a_user_could_have_made_excuses_nobody() {
    need!(is_root(), "violators need root");
    let user = "user.slice/user-2001.slice/user@2001.service";
    let name = format!("docker-{:064x}.scope", std::process::id());
    let Some(group) = Cgroup::new(user, &name) else {
        return skip("control groups can't be made here");
    };
    // As systemd gives it to its user.
    let manager = group.0.parent().expect("what it is in");
    for path in [manager, &group.0] {
        std::os::unix::fs::chown(path, Some(2001), Some(2001)).expect("a control group of alice's");
    }
    let crime = Crime::committed(group.taking("$CONTAINER", table::disguised()));
    let unproven = crime.unproven();
    assert!(unproven.is_empty(), "{}", unproven.join("\n"));
    std::thread::sleep(AGE);
    crime.is_judged(&crime.audit(&["--all"]));
}

/// The built-in rule as one of somebody's own, for processes that are younger.
fn young(id: &str) -> String {
    let rules = include_str!("../../src/audit/rules/context.toml");
    let mut rules: toml::Table = rules.parse().expect("rules");
    let rules = rules
        .remove("rule")
        .and_then(|rules| rules.try_into::<Vec<toml::Table>>().ok());
    let mut rule = rules
        .into_iter()
        .flatten()
        .find(|rule| rule["id"].as_str() == Some(id))
        .expect("a rule");
    rule.insert("id".into(), format!("young-{id}").into());
    rule.insert("class".into(), "default".into());
    let text = toml::Table::from_iter([("rule".to_owned(), vec![rule].into())]);
    let text = toml::Table::from_iter([("audit".to_owned(), text.into())]).to_string();
    assert!(text.contains("age>10m"), "{text}");
    text.replace("age>10m", "age>1s")
}

#[test]
fn what_a_process_must_be_for_a_while_is_found() {
    need!(is_root(), "violators need root");
    let name = format!("session-{}.scope", std::process::id());
    let Some(group) = Cgroup::new("user.slice/user-0.slice", &name) else {
        return skip("control groups can't be made here");
    };
    let crime = Crime::committed(group.taking("$SESSION", table::lasting()));
    let unproven = crime.unproven();
    assert!(unproven.is_empty(), "{}", unproven.join("\n"));
    let ids = ["root-daemon-from-session", "zombie"];
    let rules = ids.map(young).concat();
    std::fs::write(crime.namespace.file("/mnt/w/rules.toml"), rules).expect("a file");
    std::thread::sleep(AGE);
    let own = ids.map(|id| format!("young-{id}"));
    crime.is_judged(&crime.audit(&["--config", "/mnt/w/rules.toml", &own[0], &own[1]]));
}

/// The one rule, on a host to which something is done, and which nothing else breaks.
#[track_caller]
fn breaks(namespace: &Namespace, rule: &str, severity: &str, deed: &str, undo: &str) {
    namespace.must(deed);
    let audit = Audit::of(namespace.enter("root"), &[rule]);
    assert_eq!(
        audit.outcomes.get(rule).map(String::as_str),
        Some("violated"),
        "{deed}"
    );
    let found: Vec<&String> = audit.findings.values().flatten().collect();
    assert_eq!(found, [&format!("{rule} {severity}")], "{deed}");
    namespace.must(undo);
    keeps(namespace, rule, "true");
}

#[track_caller]
fn keeps(namespace: &Namespace, rule: &str, deed: &str) {
    namespace.must(deed);
    let audit = Audit::of(namespace.enter("root"), &[rule]);
    assert_eq!(
        audit.outcomes.get(rule).map(String::as_str),
        Some("ok"),
        "{deed}: {:?}",
        audit.findings
    );
    assert!(audit.findings.is_empty(), "{deed}: {:?}", audit.findings);
}

#[test]
fn a_library_that_is_put_before_every_program_is_found() {
    need!(is_root(), "only root can make namespaces");
    let namespace = Crime::scene();
    let rule = "etc-ld-so-preload";
    keeps(&namespace, rule, "true");
    keeps(&namespace, rule, ": > /etc/ld.so.preload");
    let undo = "rm /etc/ld.so.preload";
    breaks(
        &namespace,
        rule,
        "high",
        "echo /mnt/lib/quiet.so > /etc/ld.so.preload",
        undo,
    );
    let link = "echo /mnt/lib/quiet.so > /mnt/w/list; ln -s /mnt/w/list /etc/ld.so.preload";
    breaks(&namespace, rule, "high", link, undo);
}

#[test]
fn what_is_mounted_over_a_process_is_found() {
    need!(is_root(), "only root can mount");
    let namespace = Crime::scene();
    let rule = "proc-pid-overmounted";
    namespace.start("sleep 1000");
    let pid = namespace.wait_for("sleep", 1)[0];
    keeps(&namespace, rule, "true");
    keeps(
        &namespace,
        rule,
        "mount --bind /dev/null /proc/sysrq-trigger; mount --bind /proc/sys /proc/sys",
    );
    for (what, path) in [
        ("--bind /proc/1", ""),
        ("--bind /mnt/w", ""),
        ("-t tmpfs tmpfs", ""),
        ("--bind /proc/1/status", "/status"),
        ("-t tmpfs tmpfs", "/fd"),
        ("--bind /proc/1/net", "/net"),
    ] {
        let path = format!("/proc/{pid}{path}");
        let undo = format!("umount {path}");
        breaks(
            &namespace,
            rule,
            "critical",
            &format!("mount {what} {path}"),
            &undo,
        );
    }
}

#[test]
fn what_is_young_or_mended_before_the_second_look_is_no_finding() {
    need!(is_root(), "violators need root");
    let crime = Crime::committed(table::passing());
    let unproven = crime.unproven();
    assert!(unproven.is_empty(), "{}", unproven.join("\n"));
    let young = crime.audit(&["uid0-regainable"]);
    assert_eq!(young.findings, BTreeMap::new(), "too young");
    std::thread::sleep(AGE);
    let audit = std::thread::scope(|scope| {
        let audit = scope.spawn(|| crime.audit(&["uid0-regainable"]));
        std::thread::sleep(Duration::from_millis(1500));
        std::fs::write(crime.namespace.file("/mnt/w/mend"), "").expect("a file");
        audit.join().expect("an audit")
    });
    crime.is_judged(&audit);
}
