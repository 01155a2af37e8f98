//! The live host, seen by procward and by ps; shells' own arguments; hostile names.

use crate::common::{Output, Place, Procward, command, is_root, need, output, unique};
use crate::process::Live;
use std::collections::BTreeMap;

const FORMATS: [&str; 5] = ["human", "mon", "nagios", "json", "prometheus"];

/// How many processes that are no zombies have which name, as ps tells it.
fn counts_of_ps() -> BTreeMap<String, u64> {
    let listed = output(command("ps").args(["-e", "-o", "stat=,comm="]))
        .ends(0)
        .stdout();
    let mut counts = BTreeMap::new();
    let plain = |name: &str| {
        name.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    let living = listed.lines().filter(|line| !line.starts_with('Z'));
    for name in living
        .filter_map(|line| Some(line.split_once(' ')?.1.trim_start()))
        .filter(|name| (1..=15).contains(&name.len()) && plain(name))
    {
        *counts.entry(name.to_owned()).or_default() += 1;
    }
    counts
}

/// How many processes have which of these names, as procward tells it.
fn counts_of_procward(user: Option<&str>, names: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let procward = user.map_or_else(Procward::new, |user| Procward::new().user(user));
    let specs: Vec<String> = names
        .keys()
        .map(|name| format!("comm={name},scope=all"))
        .collect();
    let ranged = specs.iter().map(|spec| format!("{spec}:0-"));
    let report = procward
        .args(["check", "--format", "json"])
        .args(ranged)
        .run()
        .ends(0)
        .json();
    let verdicts = report["verdicts"].as_array().expect("verdicts");
    let matched = |spec: &String| {
        let verdict = verdicts
            .iter()
            .find(|verdict| verdict["name"].as_str() == Some(spec));
        verdict
            .and_then(|verdict| verdict["matched"].as_u64())
            .unwrap_or_else(|| panic!("no verdict on {spec}"))
    };
    names.keys().cloned().zip(specs.iter().map(matched)).collect()
}

fn counts_are_those_of_ps(user: Option<&str>, prefix: &str) {
    let place = Place::new();
    let mut known = BTreeMap::new();
    let mut live = Vec::new();
    for count in 1..=4 {
        let name = format!("{prefix}.{count}");
        live.extend((0..count).map(|_| Live::named(&place, &name)));
        known.insert(name, count);
    }
    assert_eq!(counts_of_procward(user, &known), known);

    // The rest of the host moves: of names that ps counts alike before and after, procward must agree on every one
    // at least once.
    let mut differing: BTreeMap<String, String> = BTreeMap::new();
    for attempt in 0..10 {
        let before = counts_of_ps();
        assert!(before.len() > 4, "ps tells too little: {before:?}");
        let ours = counts_of_procward(user, &before);
        let after = counts_of_ps();
        let differ = |name: &String| ours[name] != before[name] || after.get(name) != before.get(name);
        let told = |name: &String| {
            format!(
                "procward {}, ps {}, {:?}",
                ours[name],
                before[name],
                after.get(name)
            )
        };
        let now: BTreeMap<_, _> = before
            .keys()
            .filter(|name| differ(name))
            .map(|n| (n.clone(), told(n)))
            .collect();
        differing = if attempt == 0 {
            now
        } else {
            differing
                .into_iter()
                .filter(|(n, _)| now.contains_key(n))
                .collect()
        };
        // ps counts itself, and nobody sees it twice. Forked copies of what is above procward are left out by
        // design, so what runs these tests is not compared.
        differing.remove("ps");
        for above in names_above() {
            differing.remove(&above);
        }
        if differing.is_empty() {
            return;
        }
    }
    panic!("{differing:#?}");
}

/// The names of the processes above this one.
fn names_above() -> Vec<String> {
    let mut names = Vec::new();
    let mut pid = std::process::id().to_string();
    while pid != "0" {
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else {
            break;
        };
        let (Some(open), Some(close)) = (stat.find('('), stat.rfind(')')) else {
            break;
        };
        names.push(stat[open + 1..close].to_owned());
        pid = stat[close + 1..]
            .split_whitespace()
            .nth(1)
            .unwrap_or("0")
            .to_owned();
    }
    names
}

#[test]
fn counts_are_those_of_ps_as_the_own_user() {
    counts_are_those_of_ps(None, &unique("o"));
}

#[test]
fn counts_are_those_of_ps_as_nobody() {
    need!(is_root(), "only root can become nobody");
    counts_are_those_of_ps(Some("nobody"), &unique("n"));
}

#[test]
fn the_shell_that_started_procward_is_not_what_it_looks_for() {
    let place = Place::new();
    let procward = place.procward();
    for end in ["", "; exit $?"] {
        for shell in ["sh", "bash"] {
            let script = format!("{} check arg=pwtneedle:0{end}", procward.display());
            output(command(shell).args(["-c", &script])).ends(0);
            let script = format!("{} check 'cmdline~pwtneedle:0'{end}", procward.display());
            output(command(shell).args(["-c", &script])).ends(0);
        }
    }
}

#[test]
fn another_process_with_that_argument_is() {
    let place = Place::new();
    let program = place.script("pwtarg", "#!/bin/sh\nread -r line\n");
    let _live = Live::run(command(program).arg("pwthaystack"), "pwtarg");
    Procward::check("human").arg("arg=pwthaystack:0").run().ends(2);
}

#[test]
fn hostile_names_reach_no_reader_raw() {
    let hostile: [&[u8]; 5] = [
        b"pwthost\nile",
        b"pwthost\x1b[31mi",
        b"pwthost|a=1",
        b"pwthost\xffle",
        b"pwt\xe2\x80\xaehost",
    ];
    let _live: Vec<Live> = hostile.iter().map(|comm| Live::with_comm(comm)).collect();
    for format in FORMATS {
        for spec in [
            "comm~^pwt.*host:0",
            "comm~(?s-u)^pwt.*host:0",
            "comm~^pwt.*host:9-",
        ] {
            let said = Procward::check(format).args([spec, "-v"]).run().ends(2);
            let text = String::from_utf8(said.bytes().to_vec()).expect("UTF-8");
            let raw = text
                .chars()
                .find(|&c| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c));
            assert_eq!(raw, None, "{format}: {text}");
            assert!(!text.contains("host\nile"), "{format}: {text}");
            assert!(format == "json" || !text.contains("host|a"), "{format}: {text}");
            if format == "json" {
                assert!(
                    said.json()["verdicts"][0]["matched"].as_u64() >= Some(4),
                    "{text}"
                );
            }
        }
    }
}

#[test]
fn under_mon_the_report_is_mons() {
    let procward = Procward::new().env("MON_GROUP", "g").env("MON_SERVICE", "s");
    let said = procward
        .args(["check", "--recheck", "0", "pwtnosuch:1"])
        .run()
        .ends(2);
    let mon = Procward::check("mon").arg("pwtnosuch:1").run().ends(2);
    assert_eq!(said.first_line(), "CRITICAL: pwtnosuch missing");
    let second_line = |said: &Output| said.stdout().lines().nth(1).map(str::to_owned);
    assert_eq!(second_line(&said), second_line(&mon));
}

#[test]
fn a_configuration_is_judged_beside_specs_where_it_is_asked_for() {
    let place = Place::new();
    let config = place.script(
        "beside.toml",
        "[[check]]\nname = \"pwtbeside\"\nselect = \"pwtnosuch\"\n",
    );
    let check = |name: &str| Procward::check("human").arg(name.to_owned());
    let with = |run: Procward| run.arg("--config").arg(&config);
    with(check("pwtnone:0")).run().ends(2).says("pwtbeside missing");
    let path = config.to_str().expect("a path");
    check("pwtnone:0").env("PROCWARD_CONFIG", path).run().ends(0);
    Procward::new()
        .args(["check"])
        .env("PROCWARD_CONFIG", path)
        .run()
        .ends(2);
}

#[test]
fn a_link_to_a_program_is_the_program_before_and_after_an_upgrade_and_without_rights() {
    let place = Place::new();
    let name = unique("real");
    let program = place.copy("/bin/cat", &name);
    let link = place.path().join("daemon");
    std::os::unix::fs::symlink(&program, &link).expect("a link");
    let directory = place.path().join("linked");
    std::os::unix::fs::symlink(place.path(), &directory).expect("a link");
    let _live = Live::run(&mut command(&program), &name);
    let check = |path: &std::path::Path| Procward::check("human").arg(format!("exe={}:1", path.display()));
    check(&link).run().ends(0);
    if is_root() {
        // What it runs can't be read; that it may be the one can.
        check(&link).user("nobody").run().ends(3);
    }
    // An upgrade: the process runs a file that has no name any more.
    std::fs::remove_file(&program).expect("unlink");
    place.copy("/bin/cat", &name);
    for path in [&program, &link, &directory.join(&name)] {
        check(path).run().ends(0);
    }
    Procward::check("human")
        .arg(format!("exe={}/pwt*:0", directory.display()))
        .run()
        .ends(3)
        .says("can never match")
        .says(&format!("exe={}/pwt*:0", place.path().display()));
}

fn first_line(spec: &str) -> String {
    let said = Procward::check("mon").arg(spec).run().ends(2);
    said.first_line().to_owned()
}

#[test]
fn the_first_line_is_the_same_while_a_process_calls_itself_ever_anew() {
    const PROGRAM: &str = "import ctypes,itertools,select\n\
        for n in itertools.count():\n \
        ctypes.CDLL(None).prctl(15,b'job-%d' % n,0,0,0)\n \
        if select.select([0],[],[],0.05)[0]: break";
    let place = Place::new();
    let name = unique("pwtitle");
    let program = place.copy("/usr/bin/python3", &name);
    let _live = Live::start(command(&program).args(["-c", PROGRAM]));
    let spec = format!("exe={}:0", program.display());
    let line = first_line(&spec);
    assert!(line.contains(&format!(" running ({name}, ")), "{line}");
    assert_eq!(first_line(&spec), line);
}

#[test]
fn a_user_who_runs_another_program_at_every_look_is_found() {
    need!(is_root(), "only root can be another user");
    const UID: &str = "64917";
    // Each waits a little, and goes on as the other one, in a process of its own.
    const PROGRAM: &str = "import os,select,sys\n\
        text,one,other=sys.argv[1:]\n\
        if select.select([0],[],[],0.2)[0]: sys.exit()\n\
        if os.fork(): os._exit(0)\n\
        os.execv(other,[other,'-c',text,text,other,one])";
    let place = Place::new();
    let [one, other] = ["pwtone", "pwtother"].map(|name| place.copy("/usr/bin/python3", name));
    let mut setpriv = command("/usr/bin/setpriv");
    setpriv.args(["--reuid", UID, "--regid", UID, "--clear-groups"]);
    setpriv
        .arg(&one)
        .args(["-c", PROGRAM, PROGRAM])
        .args([&one, &other]);
    let _live = Live::start(&mut setpriv);
    let line = first_line(&format!("user={UID}:0"));
    assert!(
        line.starts_with(&format!("CRITICAL: user={UID} running")),
        "{line}"
    );
}
