//! Icinga 2: active through its CheckCommand, passive through its API.

use super::{Home, Server, Written, as_server, free_port, hostile};
use crate::common::{Output, command, need, output};
use nix::unistd::{Gid, Group, Uid, User, getegid, geteuid};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const ICINGA2: &str = "/usr/sbin/icinga2";
const CURL: &str = "/usr/bin/curl";
/// What its certificate says.
const NODE: &str = "pwtnode";

/// The real Icinga 2 with its API.
struct Icinga<'a> {
    home: &'a Home,
    server: Server,
    port: u16,
}

/// icinga2, with its places in a directory.
fn icinga2(words: &[&str], directory: &Path) -> Command {
    let (uid, gid) = super::user().map_or((geteuid(), getegid()), |(uid, gid)| {
        (Uid::from_raw(uid), Gid::from_raw(gid))
    });
    let user = User::from_uid(uid).ok().flatten().expect("a user").name;
    let group = Group::from_gid(gid).ok().flatten().expect("a group").name;
    let mut command = as_server(ICINGA2);
    command.env("ICINGA2_USER", &user).env("ICINGA2_GROUP", &group);
    command.args(words);
    for (place, name) in [
        ("ConfigDir", "etc"),
        ("DataDir", "data"),
        ("LogDir", "log"),
        ("CacheDir", "cache"),
        ("SpoolDir", "spool"),
        ("InitRunDir", "init"),
    ] {
        command.arg(format!("-D{place}={}/{name}", directory.display()));
    }
    command
        .arg(format!("-DRunAsUser={user}"))
        .arg(format!("-DRunAsGroup={group}"));
    command
}

/// The files of a certificate, and what they are called below data/certs.
const CERTIFICATE: [&str; 3] = ["pwtnode.key", "pwtnode.crt", "ca.crt"];

/// A key, its certificate and that of who signed it: two RSA keys take seconds, so they are kept where cargo keeps what tests
/// make, for less than the year that they are good for.
fn certify(home: &Home) {
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("icinga2");
    let texts = CERTIFICATE.map(|name| {
        let made = std::fs::metadata(kept.join(name)).ok()?.modified().ok()?;
        let is_good = made.elapsed().ok()? < Duration::from_secs(300 * 86_400);
        is_good.then(|| std::fs::read_to_string(kept.join(name)).ok())?
    });
    if let [Some(key), Some(certificate), Some(signer)] = texts {
        for (name, text) in CERTIFICATE.iter().zip([key, certificate, signer]) {
            home.file(&format!("data/certs/{name}"), &text);
        }
        return;
    }
    let certs = home.path().join("data/certs");
    let file = |ending: &str| certs.join(format!("{NODE}.{ending}")).display().to_string();
    let (key, csr, crt) = (file("key"), file("csr"), file("crt"));
    for words in [
        vec!["pki", "new-ca"],
        vec!["pki", "new-cert", "--cn", NODE, "--key", &key, "--csr", &csr],
        vec!["pki", "sign-csr", "--csr", &csr, "--cert", &crt],
    ] {
        let said = output(&mut icinga2(&words, home.path()));
        assert_eq!(said.code(), Some(0), "{said:?}");
    }
    home.file("data/certs/ca.crt", &home.read("data/ca/ca.crt"));
    // Where another user has kept some, these are for this run only.
    let _ = std::fs::create_dir_all(&kept);
    for name in CERTIFICATE {
        let _ = std::fs::copy(certs.join(name), kept.join(name));
    }
}

impl<'a> Icinga<'a> {
    /// With the file of contrib/icinga2, a host that is checked and one that pushes, and a user whose mail is a line in a file.
    fn start(home: &'a Home) -> Icinga<'a> {
        for name in [
            "etc",
            "data",
            "data/certs",
            "data/ca",
            "log",
            "cache",
            "spool",
            "init",
        ] {
            home.directory(name);
        }
        certify(home);
        let port = free_port();
        let mail = home.place.script(
            "mail.sh",
            &format!(
                "#!/bin/sh\nprintf '%s\\n' \"$*\" | sed -n '1s/ *$//p' >> {}/mail\n",
                home.path().display()
            ),
        );
        let config = format!(
            "include <itl>\n\
             const NodeName = \"{NODE}\"\nconst ZoneName = NodeName\n\
             object Endpoint NodeName {{ }}\nobject Zone ZoneName {{ endpoints = [ NodeName ] }}\n\
             object ApiListener \"api\" {{ bind_host = \"127.0.0.1\", bind_port = {port} }}\n\
             object ApiUser \"procward\" {{ password = \"secret\", permissions = [ \"actions/process-check-result\" ] }}\n\
             object ApiUser \"test\" {{ password = \"test\", permissions = [ \"actions/*\", \"objects/query/*\" ] }}\n\
             object CheckerComponent \"checker\" {{ }}\nobject NotificationComponent \"notification\" {{ }}\n\
             object User \"admin\" {{ }}\n\
             object NotificationCommand \"mail\" {{\n  command = [ \"{}\", \"$notification.type$\", \
             \"$host.name$!$service.name$\", \"$service.state$\", \"$service.output$\" ]\n}}\n\
             apply Notification \"mail\" to Service {{\n  command = \"mail\"\n  users = [ \"admin\" ]\n  \
             assign where true\n}}\n\
             object Host \"checked\" {{\n  check_command = \"dummy\"\n  enable_active_checks = false\n  \
             vars.procward = true\n  vars.procward_rules = [ \"daemon\" ]\n  vars.procward_endpoint = NodeName\n  zone = ZoneName\n  \
             vars.procward_verbose = true\n  vars.procward_timeout = \"9s\"\n}}\n\
             object Host \"pushing\" {{\n  check_command = \"dummy\"\n  enable_active_checks = false\n  \
             vars.procward_pushed = [ \"daemon\", \"hostile\" ]\n}}\n\
             include \"procward.conf\"\n",
            mail.display()
        );
        let file = home.file("etc/icinga2.conf", &config);
        home.file("etc/procward.conf", &home.contrib("icinga2/procward.conf"));
        let file = file.display().to_string();
        let mut daemon = icinga2(&["daemon", "-x", "warning", "-c", &file], home.path());
        let icinga = Icinga {
            home,
            server: Server::start(&home.place, "icinga2", &mut daemon),
            port,
        };
        home.file(
            "icinga2.curl",
            &format!(
                "url = \"https://{NODE}:{port}/v1/actions/process-check-result\"\nuser = \"procward:secret\"\n\
                 cacert = \"{}/data/certs/ca.crt\"\nresolve = \"{NODE}:{port}:127.0.0.1\"\n",
                home.path().display()
            ),
        );
        icinga
            .server
            .wait_for("Icinga 2", || icinga.held("pushing", "procward"));
        // What `daemon -C` would say of the configuration, it says when it starts too.
        let said = icinga.server.said();
        assert!(!said.contains("warning/"), "{said}");
        icinga
    }

    /// What the API answers to the user of the test.
    fn ask(&self, path: &str, body: Option<&Value>) -> Option<Value> {
        let mut curl = command(CURL);
        curl.args(["--silent", "--user", "test:test", "--cacert"])
            .arg(self.home.path().join("data/certs/ca.crt"))
            .arg("--resolve")
            .arg(format!("{NODE}:{}:127.0.0.1", self.port))
            .args(["--header", "Accept: application/json"])
            .arg(format!("https://{NODE}:{}/v1/{path}", self.port));
        if let Some(body) = body {
            curl.arg("--data").arg(body.to_string());
        }
        serde_json::from_slice(output(&mut curl).bytes()).ok()
    }

    /// What it holds of a service.
    fn held(&self, host: &str, service: &str) -> Option<Value> {
        let service = service.replace(' ', "%20");
        let answer = self.ask(&format!("objects/services/{host}!{service}"), None)?;
        answer["results"].get(0).map(|result| result["attrs"].clone())
    }

    /// Has a service checked now.
    fn check(&self, host: &str, service: &str) {
        let body = json!({ "type": "Service", "service": format!("{host}!{service}"), "force": true });
        let answer = self
            .ask("actions/reschedule-check", Some(&body))
            .expect("an answer");
        assert_eq!(answer["results"][0]["code"], 200.0, "{answer}");
    }

    fn wait_for(&self, host: &str, service: &str, state: u8) -> Written {
        let what = format!("{service} of {host} in state {state}");
        let result = self.server.wait_for(&what, || {
            let held = self.held(host, service)?;
            let result = held["last_check_result"].clone();
            (held["state"] == f64::from(state) && !result.is_null()).then_some(result)
        });
        let text = result["output"].as_str().expect("an output");
        let data = result["performance_data"].as_array().expect("data").iter();
        let data: Vec<&str> = data.filter_map(Value::as_str).collect();
        let written = Written::of(text);
        Written {
            // Icinga keeps the blank before the bar.
            first: written.first.trim_end().to_owned(),
            data: data.join(" "),
            rest: written.rest,
        }
    }

    fn wait_for_mail(&self, number: usize) -> Vec<String> {
        self.server.wait_for(&format!("{number} mails"), || {
            let mail: Vec<String> = self.home.read("mail").lines().map(str::to_owned).collect();
            (mail.len() >= number).then_some(mail)
        })
    }

    /// Runs the script of contrib/icinga2, as cron would.
    fn push(&self, arguments: &[&str]) -> Output {
        let script = self.home.script("icinga2/procward-push");
        let file = self.home.path().join("icinga2.curl");
        let mut push = as_server("sh");
        push.arg(script).args(arguments).env("PROCWARD_ICINGA2", file);
        output(&mut push)
    }
}

fn is_installed() -> bool {
    Path::new(ICINGA2).exists() && Path::new(CURL).exists()
}

#[test]
fn icinga_checks_alerts_and_recovers_and_holds_hostile_names_as_they_were_written() {
    need!(is_installed(), "icinga2 or curl is not installed");
    let home = Home::new();
    let live = home.start_daemon();
    let icinga = Icinga::start(&home);
    let services = ["procward", "procward daemon"];
    let all = |state: u8| {
        for service in services {
            icinga.check("checked", service);
        }
        services.map(|service| icinga.wait_for("checked", service, state))
    };
    let [whole, one] = all(0);
    assert_eq!(whole.first, "PROCS OK: 2 checks");
    assert_eq!(whole.data, "daemon=1;;1:1;0 hostile=0;;0;0");
    assert_eq!(
        (one.first.as_str(), one.data.as_str()),
        ("PROCS OK: 1 check", "daemon=1;;1:1;0")
    );
    // As vars.procward_verbose asks for.
    assert!(one.rest.contains(&format!("\n  pid {} ", live.pid())), "{one:?}");

    drop(live);
    for written in all(2) {
        assert_eq!(written.first, "PROCS CRITICAL: daemon missing");
        assert!(home.wrote(&written), "{written:?}");
    }
    let mut mail = icinga.wait_for_mail(2);
    mail.sort();
    assert_eq!(
        mail,
        services.map(|service| format!("PROBLEM checked!{service} CRITICAL PROCS CRITICAL: daemon missing"))
    );

    let _live = home.start_daemon();
    all(0);
    let mail = icinga.wait_for_mail(4);
    assert!(
        mail[2..]
            .iter()
            .all(|line| line.starts_with("RECOVERY checked!procward")),
        "{mail:?}"
    );

    let _hostile = hostile();
    icinga.check("checked", "procward");
    let written = icinga.wait_for("checked", "procward", 2);
    assert!(
        written.first.starts_with("PROCS CRITICAL: hostile running ("),
        "{written:?}"
    );
    assert_eq!(written.data, "daemon=1;;1:1;0 hostile=7;;0;0");
    // And the daemon.
    assert_eq!(written.rest.matches("\n  pid ").count(), 7 + 1, "{written:?}");
    assert!(home.wrote(&written), "{written:?}");
}

#[test]
fn results_that_are_pushed_reach_icinga_as_they_were_meant_and_silence_is_unknown() {
    need!(is_installed(), "icinga2 or curl is not installed");
    let home = Home::new();
    let live = home.start_daemon();
    let icinga = Icinga::start(&home);
    let push = || {
        let said = icinga.push(&["--host", "pushing"]).ends(0);
        assert_eq!(said.stdout(), "");
    };
    push();
    assert_eq!(
        icinga.wait_for("pushing", "procward", 0).first,
        "PROCS OK: 2 checks judged"
    );
    let fine = Written {
        first: "PROCS OK: daemon ok".into(),
        ..home.meant("daemon")
    };
    assert_eq!(icinga.wait_for("pushing", "procward daemon", 0).ageless(), fine);
    drop(live);
    push();
    assert_eq!(
        icinga.wait_for("pushing", "procward daemon", 2).ageless(),
        home.meant("daemon")
    );
    assert_eq!(
        icinga.wait_for_mail(1),
        ["PROBLEM pushing!procward daemon CRITICAL PROCS CRITICAL: daemon missing"]
    );
    let _live = home.start_daemon();
    push();
    icinga.wait_for("pushing", "procward daemon", 0);
    assert!(icinga.wait_for_mail(2)[1].starts_with("RECOVERY pushing!procward daemon OK "));
    let _hostile = hostile();
    push();
    assert_eq!(
        icinga.wait_for("pushing", "procward hostile", 2).ageless(),
        home.meant("hostile")
    );
    // When nothing came for too long, Icinga checks for itself.
    icinga.check("pushing", "procward daemon");
    assert_eq!(
        icinga.wait_for("pushing", "procward daemon", 3).first,
        "no result from procward"
    );
    // A service that Icinga does not know keeps none of the others from being told, and is no success.
    let said = icinga.push(&["--host", "nosuch"]);
    assert_eq!(
        (said.code(), said.stderr().matches("404").count()),
        (Some(22), 3),
        "{said:?}"
    );
}

#[test]
fn of_two_results_in_one_second_the_later_one_counts() {
    need!(is_installed(), "icinga2 or curl is not installed");
    let home = Home::new();
    let icinga = Icinga::start(&home);
    let result = || icinga.held("pushing", "procward daemon").expect("a service");
    let begun = |held: &Value| {
        held["last_check_result"]["execution_start"]
            .as_f64()
            .expect("a time")
    };
    let mut times: Vec<f64> = Vec::new();
    let same_second = |times: &[f64]| times.windows(2).any(|pair| pair[0].floor() == pair[1].floor());
    // A busy host may take a second for each.
    while times.len() < 8 || (!same_second(&times) && times.len() < 40) {
        icinga.push(&["--host", "pushing"]).ends(0);
        let held = result();
        assert_eq!(held["state"], 2.0, "{held}");
        times.push(begun(&held));
        let _live = home.start_daemon();
        icinga.push(&["--host", "pushing"]).ends(0);
        let held = result();
        assert_eq!(held["state"], 0.0, "{held}");
        times.push(begun(&held));
    }
    assert!(same_second(&times) && times.is_sorted(), "{times:?}");
    let last = times[times.len() - 1];
    // Why the times have fractions: without them the result is taken for an older one, and Icinga says that all is well.
    let late = json!({
        "type": "Service",
        "service": "pushing!procward daemon",
        "exit_status": 2,
        "plugin_output": "dropped",
        "execution_start": last.floor(),
        "execution_end": last.floor(),
    });
    let answer = icinga
        .ask("actions/process-check-result", Some(&late))
        .expect("an answer");
    assert_eq!(answer["results"][0]["code"], 200.0, "{answer}");
    assert_eq!(result()["state"], 0.0);
}
