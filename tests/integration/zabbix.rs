//! The real Zabbix: its agent with the lines of contrib/zabbix/procward.conf, and its server, which takes in
//! contrib/zabbix/procward.yaml by its API and asks that agent.

use crate::common::{Output, Place, command, is_root, need, output, unique};
use crate::process::Live;
use crate::server::{Server, as_user, directory_of, free_port, shipped, shipped_for};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const AGENT: &str = "/usr/sbin/zabbix_agentd";
const SERVER: &str = "/usr/sbin/zabbix_server";
const FRONTEND: &str = "/usr/share/zabbix";
const SCHEMA: &str = "/usr/share/zabbix-server-pgsql";
const PHP: &str = "/usr/bin/php";
const USER: &str = "zabbix";
const NAMES: [&str; 5] = [
    "plain",
    " a b ",
    "a,b]\"'\\",
    "{$X}{#RULE}{HOST.NAME}",
    "\u{e9}|\n$.x",
];

/// The agent's configuration, with the lines that are shipped.
struct Home {
    place: Place,
    config: PathBuf,
    port: u16,
}

impl Home {
    fn new(checks: &str) -> Home {
        let place = Place::new();
        let port = free_port();
        let state = directory_of(USER, &place, "state");
        // A state file is what a miss is pending by.
        let file = place.script("p.toml", &format!("recheck = \"1s\"\n\n{checks}"));
        let program = PathBuf::from(format!(
            "PROCWARD_CONFIG={} {}",
            file.display(),
            place.procward().display()
        ));
        let lines = shipped_for("zabbix/procward.conf", &[("/run/zabbix", &state)]);
        let lines = lines.replace(",/usr/bin/procward ", &format!(",{} ", program.display()));
        assert_eq!(
            lines.matches(&*place.procward().to_string_lossy()).count(),
            2,
            "{lines}"
        );
        let text = format!(
            "PidFile={}/pid\nLogType=console\nServer=127.0.0.1\nListenIP=127.0.0.1\nListenPort={port}\n\
             StartAgents=2\nHostname=h\n{lines}",
            state.display()
        );
        let config = place.script("agentd.conf", &text);
        Home { place, config, port }
    }

    fn agent(&self) -> Server {
        let mut command = as_user(USER, AGENT);
        command.arg("-f").arg("-c").arg(&self.config);
        let agent = Server::start(&self.place, "agent", &mut command);
        agent.wait_for("the agent", || self.ask("agent.ping"));
        agent
    }

    /// What the live agent says, in its protocol: a header, the length, and the text.
    fn ask(&self, key: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        let length = (key.len() as u64).to_le_bytes();
        let request = [b"ZBXD\x01", length.as_slice(), key.as_bytes()].concat();
        stream.write_all(&request).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        let text = answer.get(13..)?;
        (!text.is_empty()).then(|| String::from_utf8_lossy(text).into_owned())
    }

    fn report(&self) -> Value {
        let text = self.ask("procward.json").expect("an answer");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
    }

    /// State and manner of the one check.
    fn verdict(&self) -> (String, String) {
        let report = self.report();
        let text = |name: &str| {
            report["verdicts"][0][name]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        (text("state"), text("manner"))
    }

    /// What `zabbix_agentd -t KEY` says.
    fn test(&self, key: &str) -> Output {
        output(as_user(USER, AGENT).arg("-c").arg(&self.config).args(["-t", key]))
    }
}

fn checks(checks: &[(&str, &str, &str)]) -> String {
    let checks = checks.iter().map(|(name, select, count)| {
        let name = toml::Value::from(*name);
        format!("[[check]]\nname = {name}\nselect = '{select}'\ncount = \"{count}\"\n\n")
    });
    checks.collect()
}

#[test]
fn a_failure_is_pending_then_told_and_over_as_the_live_agent_says_it() {
    need!(Path::new(AGENT).exists(), "zabbix-agent is not installed");
    let name = unique("za");
    let home = Home::new(&checks(&[("daemon", &name, "1")]));
    let live = Live::named(&home.place, &name);
    let agent = home.agent();
    let listed = "[{\"{#RULE}\":\"daemon\",\"{#MIN}\":\"1\",\"{#MAX}\":\"1\",\"{#SEVERITY}\":\"CRITICAL\"}]";
    assert_eq!(home.ask("procward.discovery").as_deref(), Some(listed));
    let said = home.test("procward.discovery").ends(0).stdout();
    let shown = said.split_once("[t|").expect("a text").1.trim_end();
    assert_eq!(shown, format!("{listed}]"));
    let is = |state: &str, manner: &str| (state.to_owned(), manner.to_owned());
    assert_eq!(home.verdict(), is("OK", "ok"));
    drop(live);
    assert_eq!(home.verdict(), is("OK", "pending"));
    agent.wait_for("a failure", || {
        (home.verdict() == is("CRITICAL", "missing")).then_some(())
    });
    // The list of the checks does not move with what they find.
    assert_eq!(home.ask("procward.discovery").as_deref(), Some(listed));
    let _live = Live::named(&home.place, &name);
    assert_eq!(home.verdict(), is("OK", "ok"));
}

#[test]
fn a_look_ends_before_the_agent_gives_up() {
    need!(Path::new(AGENT).exists(), "zabbix-agent is not installed");
    let number = |text: &str| text.trim().parse::<f64>().expect("seconds");
    let text = std::fs::read_to_string("/etc/zabbix/zabbix_agentd.conf").expect("the agent's configuration");
    let (_, patience) = text.split_once("Timeout=").expect("Timeout");
    let patience = number(patience.lines().next().expect("a line"));
    for line in shipped("zabbix/procward.conf")
        .lines()
        .filter(|line| line.starts_with("UserParameter="))
    {
        let (_, limit) = line.split_once("--timeout ").expect("--timeout");
        assert!(
            number(limit.trim_end_matches('s')) < patience,
            "{line}; {patience} s"
        );
    }
    let home = Home::new("");
    let fifo = home.place.path().join("p.toml");
    std::fs::remove_file(&fifo).expect("remove");
    output(command("mkfifo").args(["-m", "666"]).arg(&fifo)).ends(0);
    let _agent = home.agent();
    let began = Instant::now();
    let report = home.report();
    assert!(began.elapsed() < Duration::from_secs_f64(patience));
    assert_eq!(report["state_number"], 3, "{report}");
    let list = home.ask("procward.discovery").expect("an answer");
    assert!(list.starts_with("UNKNOWN: not finished\n"), "{list}");
}

#[test]
fn a_configuration_with_a_fault_is_no_shorter_list() {
    need!(Path::new(AGENT).exists(), "zabbix-agent is not installed");
    let home = Home::new(&checks(&[
        ("fine", "pwtnosuch", "0"),
        ("faulty", "nosuch=x", "0"),
    ]));
    let said = home.test("procward.discovery").ends(0).stdout();
    assert!(
        said.contains("[t|UNKNOWN: no list of the checks, faulty: faulty]"),
        "{said}"
    );
    home.place.script("p.toml", "");
    let said = home.test("procward.discovery").ends(0).stdout();
    assert!(said.contains("[t|UNKNOWN: nothing to check]"), "{said}");
}

/// The server with its database and the frontend that has its API.
struct Zabbix {
    server: Server,
    _frontend: Server,
    _database: Server,
    port: u16,
    session: Value,
    host: Value,
}

/// Where the programs of PostgreSQL are.
fn postgresql() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let bins = versions.map(|version| version.path().join("bin"));
    bins.filter(|bin| bin.join("initdb").exists()).max()
}

impl Zabbix {
    fn start(home: &Home, postgresql: &Path) -> Zabbix {
        let place = &home.place;
        let database = Zabbix::database(place, postgresql);
        let (frontend, port) = Zabbix::frontend(place);
        let sockets = directory_of(USER, place, "z");
        let d = sockets.display();
        // Of each kind of process one, and none that has nothing to do.
        let text = format!(
            "DBHost={}\nDBName=zabbix\nDBUser=postgres\nListenIP=127.0.0.1\nListenPort={}\nLogType=console\n\
             PidFile={d}/pid\nSocketDir={d}\nStartPollers=1\nStartTrappers=1\nStartPingers=0\nStartDiscoverers=0\n\
             StartHTTPPollers=0\nStartPreprocessors=1\nStartLLDProcessors=1\nStartDBSyncers=1\nStartAlerters=1\n\
             StartTimers=1\nStartEscalators=1\nStartODBCPollers=0\nStartHistoryPollers=1\nCacheUpdateFrequency=1\n",
            place.path().join("pg").display(),
            free_port()
        );
        let config = place.script("server.conf", &text);
        let mut zabbix = Zabbix {
            server: Server::start(
                place,
                "zabbix",
                as_user(USER, SERVER).arg("-f").arg("-c").arg(config),
            ),
            _frontend: frontend,
            _database: database,
            port,
            session: Value::Null,
            host: Value::Null,
        };
        let session = zabbix.server.wait_for("the API", || {
            zabbix.try_call("user.login", json!({ "username": "Admin", "password": "zabbix" }))
        });
        zabbix.session = session;
        zabbix.take_in(home.port);
        zabbix
    }

    /// PostgreSQL with what the server and the API need: of the data that come with Zabbix none of its own templates.
    fn database(place: &Place, postgresql: &Path) -> Server {
        let data = directory_of("postgres", place, "pg");
        let initdb = postgresql.join("initdb");
        let mut command = as_user("postgres", &initdb.to_string_lossy());
        output(
            command
                .args(["--no-sync", "--auth=trust", "-D"])
                .arg(data.join("data")),
        );
        let mut command = as_user("postgres", &postgresql.join("postgres").to_string_lossy());
        command.arg("-D").arg(data.join("data")).arg("-k").arg(&data);
        command.args(["-c", "listen_addresses=", "-c", "fsync=off"]);
        let database = Server::start(place, "postgresql", &mut command);
        let d = data.display();
        let client = |line: &str| {
            let line = format!("set -e; cd {d}; export PGHOST={d} PGUSER=postgres; {line}");
            output(as_user("postgres", "sh").args(["-c", &line]))
        };
        database.wait_for("PostgreSQL", || {
            (client("createdb zabbix").code() == Some(0)).then_some(())
        });
        client(&format!(
            "{{ zcat {SCHEMA}/schema.sql.gz; zcat {SCHEMA}/data.sql.gz | grep -E '^INSERT INTO \
             (config|config_autoreg_tls|globalmacro|hstgrp|role|role_rule|users|users_groups|usrgrp) '; }} | \
             psql -1 -q -v ON_ERROR_STOP=1 zabbix > load.log 2>&1"
        ))
        .ends(0);
        database
    }

    /// The frontend, a copy whose configuration is not below /etc.
    fn frontend(place: &Place) -> (Server, u16) {
        let copy = place.path().join("frontend");
        let config = place.path().join("zabbix.conf.php");
        output(command("cp").args(["-r", FRONTEND]).arg(&copy)).ends(0);
        let maintenance = "conf/maintenance.inc.php";
        assert!(copy.join(maintenance).exists());
        let file = copy.join("include/classes/core/CConfigFile.php");
        let text = std::fs::read_to_string(&file).expect("the frontend");
        let from = "'/etc/zabbix/zabbix.conf.php'";
        assert!(text.contains(from), "{text}");
        std::fs::write(&file, text.replace(from, &format!("'{}'", config.display()))).expect("the frontend");
        let database = place.path().join("pg");
        let php = format!(
            "<?php\n$DB['TYPE']='POSTGRESQL'; $DB['SERVER']='{}'; $DB['PORT']='5432'; $DB['DATABASE']='zabbix';\n\
             $DB['USER']='postgres'; $DB['PASSWORD']=''; $DB['SCHEMA']=''; $DB['ENCRYPTION']=false;\n\
             $DB['KEY_FILE']=''; $DB['CERT_FILE']=''; $DB['CA_FILE']=''; $DB['VERIFY_HOST']=false;\n\
             $DB['CIPHER_LIST']=''; $DB['VAULT_URL']=''; $DB['VAULT_DB_PATH']=''; $DB['VAULT_TOKEN']='';\n\
             $DB['DOUBLE_IEEE754']=true; $ZBX_SERVER_NAME=''; $IMAGE_FORMAT_DEFAULT=IMAGE_FORMAT_PNG;\n",
            database.display()
        );
        place.script("zabbix.conf.php", &php);
        let port = free_port();
        let mut command = as_user("nobody", PHP);
        command
            .arg("-S")
            .arg(format!("127.0.0.1:{port}"))
            .arg("-t")
            .arg(&copy);
        (Server::start(place, "frontend", &mut command), port)
    }

    /// Imports the template, and has the server watch a host by it.
    fn take_in(&mut self, agent: u16) {
        let rule = json!({ "createMissing": true, "updateExisting": true });
        let rules = [
            "groups",
            "templates",
            "items",
            "discoveryRules",
            "triggers",
            "valueMaps",
        ];
        let rules: serde_json::Map<String, Value> = rules
            .iter()
            .map(|name| ((*name).to_owned(), rule.clone()))
            .collect();
        // As it is shipped, but for the time from question to question.
        let source = shipped("zabbix/procward.yaml");
        let source = source
            .replace("delay: 1m\n", "delay: 1s\n")
            .replace("delay: 10m\n", "delay: 1s\n");
        assert_eq!(source.matches("delay: 1s\n").count(), 2);
        let imported = self.call(
            "configuration.import",
            json!({ "format": "yaml", "source": source, "rules": rules }),
        );
        assert_eq!(imported, json!(true));
        let templates = self.call("template.get", json!({ "filter": { "host": "procward" } }));
        let groups = self.call("hostgroup.get", json!({ "limit": 1 }));
        let host = self.call(
            "host.create",
            json!({
                "host": "h",
                "groups": [{ "groupid": groups[0]["groupid"] }],
                "templates": [{ "templateid": templates[0]["templateid"] }],
                "interfaces": [{
                    "type": 1, "main": 1, "useip": 1, "ip": "127.0.0.1", "dns": "", "port": agent.to_string()
                }],
            }),
        );
        self.host = host["hostids"][0].clone();
    }

    fn try_call(&self, method: &str, parameters: Value) -> Option<Value> {
        let request = json!({
            "jsonrpc": "2.0", "method": method, "params": parameters, "id": 1, "auth": self.session
        })
        .to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        let head = format!(
            "POST /api_jsonrpc.php HTTP/1.0\r\nContent-Type: application/json-rpc\r\nContent-Length: {}\r\n\r\n",
            request.len()
        );
        stream.write_all((head + &request).as_bytes()).ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        let (_, body) = text.split_once("\r\n\r\n")?;
        let answer: Value = serde_json::from_str(body).ok()?;
        let error = &answer["error"];
        assert!(error.is_null(), "{method}: {error}");
        Some(answer["result"].clone())
    }

    fn call(&self, method: &str, parameters: Value) -> Value {
        self.try_call(method, parameters)
            .unwrap_or_else(|| panic!("{method}: no answer"))
    }

    /// The items, each with its value or error.
    fn items(&self) -> Vec<(String, String)> {
        let found = self.call(
            "item.get",
            json!({ "hostids": self.host, "output": ["key_", "lastvalue", "lastclock", "error"] }),
        );
        let text = |item: &Value, name: &str| item[name].as_str().unwrap_or_default().to_owned();
        let items = found.as_array().expect("items").iter();
        let mut items: Vec<(String, String)> = items
            .filter(|item| item["lastclock"] != "0" || item["error"] != "")
            .map(|item| (text(item, "key_"), text(item, "lastvalue") + &text(item, "error")))
            .collect();
        items.sort();
        items
    }

    /// The names of the problems that there are, each with its severity.
    fn problems(&self) -> Vec<(String, String)> {
        let found = self.call("problem.get", json!({ "hostids": self.host }));
        let text = |problem: &Value, name: &str| problem[name].as_str().unwrap_or_default().to_owned();
        let problems = found.as_array().expect("problems").iter();
        let mut problems: Vec<(String, String)> = problems
            .map(|problem| (text(problem, "name"), text(problem, "severity")))
            .collect();
        problems.sort();
        problems
    }

    /// How often a problem of this name began.
    fn began(&self, name: &str) -> usize {
        let found = self.call(
            "event.get",
            json!({ "hostids": self.host, "value": 1, "filter": { "name": name } }),
        );
        found.as_array().expect("events").len()
    }

    fn wait_for_problems(&self, wanted: &[(&str, &str)]) {
        self.server.wait_for(&format!("{wanted:?}"), || {
            let problems = self.problems();
            let there: Vec<(&str, &str)> = problems.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            (there == wanted).then_some(())
        });
    }
}

#[test]
fn the_server_takes_the_template_and_opens_and_ends_one_problem_for_each_failure() {
    let there = [AGENT, SERVER, PHP, FRONTEND, SCHEMA]
        .iter()
        .all(|file| Path::new(file).exists());
    need!(
        there,
        "zabbix-server-pgsql, zabbix-frontend-php or zabbix-agent is not installed"
    );
    let Some(postgresql) = postgresql() else {
        return crate::common::skip("postgresql is not installed");
    };
    need!(
        is_root(),
        "PostgreSQL and Zabbix have users of their own: run as root"
    );
    let name = unique("zs");
    let prefix = format!("{name}h");
    let select = format!("comm~(?s-u)^{prefix}");
    let mut written = vec![("daemon", name.as_str(), "1")];
    written.extend(NAMES.map(|hostile| (hostile, select.as_str(), "0")));
    let skipped = "[[check]]\nname = \"skipped\"\nselect = \"x\"\nwhen = \"exists /nosuch\"\n";
    let home = Home::new(&(checks(&written) + skipped));
    let live = Live::named(&home.place, &name);
    let agent = home.agent();
    let zabbix = Zabbix::start(&home, &postgresql);
    // Each check has its items, and each of those what the report means.
    let as_meant = || {
        let report = home.report();
        let mut wanted = vec![
            ("procward.checks".to_owned(), "6".to_owned()),
            ("procward.faulty".into(), "0".into()),
            ("procward.state".into(), report["state_number"].to_string()),
        ];
        let all = [&report["verdicts"], &report["skipped"]];
        for verdict in all.iter().flat_map(|list| list.as_array().expect("a list")) {
            let key = verdict["key"].as_str().expect("a key");
            let manner = verdict["manner"].as_str().expect("a manner");
            wanted.push((format!("procward.manner[{key}]"), manner.into()));
            wanted.push((
                format!("procward.state[{key}]"),
                verdict["state_number"].to_string(),
            ));
            if verdict["matched"].is_u64() {
                wanted.push((
                    format!("procward.processes[{key}]"),
                    verdict["matched"].to_string(),
                ));
            }
        }
        wanted.sort();
        wanted
    };
    let stored_as_meant = || {
        zabbix
            .server
            .wait_for("the items", || (zabbix.items() == as_meant()).then_some(()));
    };
    stored_as_meant();
    assert_eq!(zabbix.problems(), []);
    let hostile: Vec<Live> = [&b"|;$(id)"[..], b"\n\"}]", b"\xff\x1b[m"]
        .map(|ending| Live::with_comm(&[prefix.as_bytes(), ending].concat()))
        .into();
    drop(live);
    let keys = [
        "%20a b%20",
        "%7B%24X%7D%7B%23RULE%7D%7BHOST.NAME%7D",
        "%C3%A9%7C%0A%24.x",
        "a%2Cb%5D%22%27%5C",
        "daemon",
        "plain",
    ];
    let names = keys.map(|key| format!("procward: {key} fails"));
    let wanted: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "4")).collect();
    zabbix.wait_for_problems(&wanted);
    stored_as_meant();
    drop(hostile);
    let _live = Live::named(&home.place, &name);
    zabbix.wait_for_problems(&[]);
    for name in &names {
        assert_eq!(zabbix.began(name), 1, "{name}");
    }
    // A fault of the configuration is one problem, and takes no item away.
    let before = zabbix.items().len();
    home.place.script("p.toml", "[[check\n");
    let faulty = "procward: nothing is judged, or the configuration is faulty";
    zabbix.wait_for_problems(&[(faulty, "3")]);
    let report = home.report();
    assert_eq!(report["verdicts"][0]["manner"], "faulty");
    assert_eq!(zabbix.items().len(), before);
    home.place.script("p.toml", &checks(&written));
    zabbix.wait_for_problems(&[]);
    drop(agent);
}
