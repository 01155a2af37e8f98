//! Nagios, with the files that Debian's package has, as far as they are not about its places and its mail.

use super::{Home, Server, Written, address, as_server, hostile, nrpe, shipped};
use crate::common::{command, need, output};
use rustix::fs::{Mode, OFlags, open};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

pub(super) const NAGIOS: &str = "/usr/sbin/nagios4";
const CHECK_DUMMY: &str = "/usr/lib/nagios/plugins/check_dummy";

/// The real Nagios.
pub(super) struct Nagios<'a> {
    home: &'a Home,
    server: Server,
}

/// The fields of a service in status.dat.
pub(super) type Service = BTreeMap<String, String>;

impl<'a> Nagios<'a> {
    /// With the files of contrib/nagios, two hosts, and a contact whose mail is a line in a file.
    pub(super) fn start(home: &'a Home) -> Nagios<'a> {
        Nagios::with(home, "")
    }

    /// With more objects.
    fn with(home: &'a Home, objects: &str) -> Nagios<'a> {
        let d = home.path().display();
        for name in ["rw", "spool", "arch"] {
            home.directory(name);
        }
        let mut config = String::new();
        for (key, name) in [
            ("log_file", "nagios.log"),
            ("object_cache_file", "objects.cache"),
            ("precached_object_file", "objects.precache"),
            ("status_file", "status.dat"),
            ("command_file", "rw/nagios.cmd"),
            ("query_socket", "rw/nagios.qh"),
            ("lock_file", "nagios.pid"),
            ("temp_file", "nagios.tmp"),
            ("temp_path", "."),
            ("check_result_path", "spool"),
            ("state_retention_file", "retention.dat"),
            ("log_archive_path", "arch"),
            ("cfg_file", "commands.cfg"),
            ("cfg_file", "procward.cfg"),
            ("cfg_file", "procward-services.cfg"),
        ] {
            let _ = writeln!(config, "{key}={d}/{name}");
        }
        for file in ["templates", "timeperiods", "contacts"] {
            let _ = writeln!(config, "cfg_file=/etc/nagios4/objects/{file}.cfg");
        }
        // What Debian's nagios.cfg says, but for how long things take.
        config += "check_external_commands=1\nuse_syslog=0\nlog_rotation_method=n\nretain_state_information=0\n\
                   status_update_interval=1\ncheck_result_reaper_frequency=1\nmax_service_check_spread=1\n\
                   max_host_check_spread=1\nservice_check_timeout=60\ncheck_for_updates=0\nenable_flap_detection=0\n\
                   illegal_object_name_chars=`~!$%^&*|'\"<>?,()=\nillegal_macro_output_chars=`~$&|'\"<>\n";
        let mail =
            "/usr/bin/printf '%s\\n' '$NOTIFICATIONTYPE$ $SERVICEDESC$ $SERVICESTATE$ $SERVICEOUTPUT$'";
        let mut commands = format!(
            "define command {{\n command_name notify-service-by-email\n command_line {mail} >> {d}/mail\n}}\n"
        );
        for name in ["notify-host-by-email", "check-host-alive"] {
            let _ = writeln!(
                commands,
                "define command {{\n command_name {name}\n command_line /bin/true\n}}"
            );
        }
        for host in ["localhost", "remote"] {
            let _ = writeln!(
                commands,
                "define host {{\n use linux-server\n host_name {host}\n address {}\n}}",
                address()
            );
        }
        commands += "define service {\n use procward-passive\n host_name localhost,remote\n \
                     service_description procward hostile\n}\n";
        commands += objects;
        home.file("commands.cfg", &commands);
        home.file("procward.cfg", &home.contrib("nagios/procward.cfg"));
        // `postfix` stands for a check of one's own.
        let services = home
            .contrib("nagios/procward-services.cfg")
            .replace("postfix", "daemon");
        home.file("procward-services.cfg", &services);
        let file = home.file("nagios.cfg", &config);
        let checked = output(as_server(NAGIOS).arg("-v").arg(&file));
        assert_eq!(checked.code(), Some(0), "{}", checked.stdout());
        let checked = checked.stdout();
        assert!(
            checked.contains("Total Warnings: 0\nTotal Errors:   0\n"),
            "{checked}"
        );
        let nagios = Nagios {
            home,
            server: Server::start(&home.place, "nagios", as_server(NAGIOS).arg(file)),
        };
        nagios.server.wait_for("the FIFO", || {
            (nagios.fifo().exists() && home.path().join("status.dat").exists()).then_some(())
        });
        nagios
    }

    pub(super) fn fifo(&self) -> PathBuf {
        self.home.path().join("rw/nagios.cmd")
    }

    fn say(&self, line: &str) {
        let text = format!("[{}] {line}\n", now());
        // Were nobody to read it, opening it would wait for ever.
        let fifo = open(self.fifo(), OFlags::WRONLY | OFlags::NONBLOCK, Mode::empty()).expect("the FIFO");
        rustix::io::write(fifo, text.as_bytes()).expect("the FIFO");
    }

    /// Has a service checked now.
    fn check(&self, host: &str, service: &str) {
        self.say(&format!("SCHEDULE_FORCED_SVC_CHECK;{host};{service};{}", now()));
    }

    /// What it holds of a service.
    fn service(&self, host: &str, service: &str) -> Option<Service> {
        let text = self.home.read("status.dat");
        let blocks = text.split("servicestatus {\n").skip(1).map(|block| {
            let lines = block.lines().take_while(|line| line.trim() != "}");
            let pairs = lines.filter_map(|line| line.trim_start().split_once('='));
            let pairs = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
            pairs.collect::<Service>()
        });
        let mut blocks = blocks.filter(|block| {
            block.get("host_name").is_some_and(|name| name == host)
                && block
                    .get("service_description")
                    .is_some_and(|name| name == service)
                && block
                    .get("has_been_checked")
                    .is_some_and(|checked| checked == "1")
        });
        blocks.next()
    }

    /// Waits until a service is in a state, for which it may have it checked.
    pub(super) fn wait_for(&self, host: &str, service: &str, state: &str) -> Written {
        let what = format!("{service} of {host} in state {state}");
        let held = self.server.wait_for(&what, || {
            let held = self.service(host, service)?;
            (held["current_state"] == state).then_some(held)
        });
        Written {
            first: held["plugin_output"].clone(),
            data: held["performance_data"].clone(),
            rest: unescaped(&held["long_plugin_output"])
                .trim_end_matches('\n')
                .to_owned(),
        }
    }

    pub(super) fn mail(&self) -> Vec<String> {
        self.home.read("mail").lines().map(str::to_owned).collect()
    }

    pub(super) fn wait_for_mail(&self, number: usize) -> Vec<String> {
        self.server.wait_for(&format!("{number} mails"), || {
            Some(self.mail()).filter(|mail| mail.len() >= number)
        })
    }
}

fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.expect("a time").as_secs()
}

/// As status.dat has it: `\n` is a line break, `\\` a backslash.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut signs = text.chars();
    while let Some(c) = signs.next() {
        match (c, c == '\\') {
            (_, true) => match signs.next() {
                Some('n') => out.push('\n'),
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            (c, false) => out.push(c),
        }
    }
    out
}

fn is_installed() -> bool {
    Path::new(NAGIOS).exists() && Path::new(CHECK_DUMMY).exists()
}

#[test]
fn nagios_checks_alerts_and_recovers_also_by_nrpe_and_holds_hostile_names_as_they_were_written() {
    need!(is_installed(), "nagios4 or monitoring-plugins is not installed");
    need!(nrpe::is_installed(), "NRPE is not installed");
    let home = Home::new();
    need!(home.port_is_free(nrpe::PORT), "port 5666 is taken");
    let _nrpe = nrpe::start(&home);
    let nagios = Nagios::start(&home);
    let services = ["processes", "processes daemon", "processes by NRPE"];
    let all = |state: &str| {
        for service in services {
            nagios.check("localhost", service);
        }
        services.map(|service| nagios.wait_for("localhost", service, state))
    };
    let live = home.start_daemon();
    let [whole, one, by_nrpe] = all("0");
    assert_eq!(whole.first, "PROCS OK: 2 checks");
    assert_eq!(whole.data, "daemon=1;;1:1;0 hostile=0;;0;0");
    assert_eq!(
        (one.first.as_str(), one.data.as_str()),
        ("PROCS OK: 1 check", "daemon=1;;1:1;0")
    );
    assert_eq!(by_nrpe, whole);
    assert_eq!(nagios.mail(), Vec::<String>::new());

    drop(live);
    for written in all("2") {
        assert_eq!(written.first, "PROCS CRITICAL: daemon missing");
        assert!(
            written
                .rest
                .starts_with("daemon: no process; want exactly 1 process named ")
        );
        assert!(home.wrote(&written), "{written:?}");
    }
    let mut mail = nagios.wait_for_mail(3);
    mail.sort();
    let problem = |service: &str| format!("PROBLEM {service} CRITICAL PROCS CRITICAL: daemon missing");
    let mut problems = services.map(problem);
    problems.sort();
    assert_eq!(mail, problems);

    let _live = home.start_daemon();
    all("0");
    let mail = nagios.wait_for_mail(6);
    assert!(
        mail[3..].iter().all(|line| line.starts_with("RECOVERY ")),
        "{mail:?}"
    );

    let _hostile = hostile();
    let services = ["processes", "processes by NRPE"];
    for service in services {
        nagios.check("localhost", service);
    }
    for service in services {
        let mut written = nagios.wait_for("localhost", service, "2");
        // Nagios has its own mind about semicolons, in the first line only.
        written.first = written.first.replace(":$(id)`", ";$(id)`");
        assert!(
            written.first.starts_with("PROCS CRITICAL: hostile running ("),
            "{written:?}"
        );
        assert_eq!(written.data, "daemon=1;;1:1;0 hostile=7;;0;0");
        assert_eq!(written.rest.matches("\n  pid ").count(), 7, "{written:?}");
        assert!(home.wrote(&written), "{written:?}");
    }
}

/// The command of the crontab of contrib/nagios, with the FIFO of this Nagios in place of Debian's.
fn cron_command(home: &Home, nagios: &Nagios<'_>) -> String {
    let file = home.contrib("nagios/procward.cron");
    let line = file.lines().find(|line| !line.starts_with('#')).expect("a line");
    let command = line.splitn(7, ' ').nth(6).expect("a command");
    command.replace(
        "/var/lib/nagios4/rw/nagios.cmd",
        &nagios.fifo().display().to_string(),
    )
}

#[test]
fn the_command_file_of_the_crontab_is_that_of_debians_nagios() {
    need!(is_installed(), "nagios4 is not installed");
    let config = std::fs::read_to_string("/etc/nagios4/nagios.cfg").expect("Debian's file");
    let line = config.lines().find_map(|line| line.strip_prefix("command_file="));
    let line = line.expect("a command file");
    assert!(shipped("nagios/procward.cron").contains(&format!(" --output {line} ")));
}

#[test]
fn passive_results_reach_nagios_as_they_were_meant_and_silence_is_unknown() {
    need!(is_installed(), "nagios4 or monitoring-plugins is not installed");
    let home = Home::new();
    let nagios = Nagios::start(&home);
    let report = cron_command(&home, &nagios);
    let tell = || {
        // Into the FIFO, and nothing else is said.
        let said = output(as_server("sh").args(["-c", &report])).ends(0);
        assert_eq!(said.stdout(), "");
    };
    let live = home.start_daemon();
    tell();
    assert_eq!(
        nagios.wait_for("localhost", "procward", "0").first,
        "PROCS OK: 2 checks judged"
    );
    let fine = nagios.wait_for("localhost", "procward daemon", "0");
    assert_eq!(
        (fine.first.as_str(), fine.data.as_str()),
        ("PROCS OK: daemon ok", "processes=1;;1:1;0")
    );
    assert!(fine.rest.contains(&format!("  pid {} ", live.pid())), "{fine:?}");

    drop(live);
    tell();
    let gone = nagios.wait_for("localhost", "procward daemon", "2");
    assert_eq!(
        gone.ageless(),
        Written {
            first: "PROCS CRITICAL: daemon missing".into(),
            data: "processes=0;;1:1;0".into(),
            rest: format!(
                "daemon: no process; want exactly 1 process named {}",
                home.daemon()
            ),
        }
    );
    assert_eq!(
        nagios.wait_for_mail(1),
        ["PROBLEM procward daemon CRITICAL PROCS CRITICAL: daemon missing"]
    );

    let _live = home.start_daemon();
    tell();
    nagios.wait_for("localhost", "procward daemon", "0");
    assert!(nagios.wait_for_mail(2)[1].starts_with("RECOVERY procward daemon OK "));

    let _hostile = hostile();
    tell();
    let stored = nagios.wait_for("localhost", "procward hostile", "2").ageless();
    let mut meant = home.meant("hostile");
    meant.first = meant.first.replace(";$(id)`", ":$(id)`");
    assert_eq!(stored, meant);
    assert_eq!(stored.rest.matches("\n  pid ").count(), 7, "{stored:?}");

    // For a service that it lacks.
    output(as_server("sh").args(["-c", &format!("{report} pwtlacking:0")])).ends(0);
    nagios.server.wait_for("a warning", || {
        let log = home.read("nagios.log");
        let warning = "Warning:  Passive check result was received for service 'procward pwtlacking' on host 'localhost', \
                       but the service could not be found!";
        log.contains(warning).then_some(())
    });

    // A run that is not finished is a result too.
    let fifo = home.path().join("never");
    output(command("mkfifo").arg(&fifo)).ends(0);
    let late = format!("{report} --timeout 1s --config {}", fifo.display());
    output(as_server("sh").args(["-c", &late])).ends(0);
    assert_eq!(
        nagios.wait_for("localhost", "procward", "3").first,
        "PROCS UNKNOWN: not finished"
    );
    nagios.check("localhost", "procward daemon");
    assert_eq!(
        nagios.wait_for("localhost", "procward daemon", "3").first,
        "UNKNOWN: no result from procward"
    );
}

#[test]
fn a_command_file_that_nobody_reads_is_said_and_none_is_made() {
    let home = Home::new();
    let run = |path: &Path| {
        let procward = crate::common::Procward::check("nagios-passive")
            .arg("--output")
            .arg(path);
        procward.arg("pwtnosuch:0").run().ends(3).stdout()
    };
    let missing = home.path().join("missing");
    let said = run(&missing);
    assert!(
        said.contains("can't be written to ") && said.contains("No such file"),
        "{said}"
    );
    assert!(!missing.exists());
    let fifo = home.path().join("fifo");
    output(command("mkfifo").arg(&fifo)).ends(0);
    assert_eq!(
        run(&fifo),
        format!(
            "UNKNOWN: the results can't be written to {}: nobody reads it; is Nagios running?\n",
            fifo.display()
        )
    );
    let file = home.file("file", "as it was");
    assert_eq!(
        run(&file),
        format!(
            "UNKNOWN: the results can't be written to {}: it is no FIFO\n",
            file.display()
        )
    );
    assert_eq!(home.read("file"), "as it was");
}

#[test]
fn what_nagios_makes_of_a_spec_on_its_command_line() {
    need!(is_installed(), "nagios4 or monitoring-plugins is not installed");
    let home = Home::new();
    let mut objects =
        "define command {\n command_name show\n command_line /usr/bin/printf '%s' '$ARG1$'\n}\n".to_owned();
    let specs = [
        ("x,user!=root:0", "x,user"),
        ("\"a;b\":0", "\"a"),
        ("comm='a b':0", "comm=ab:0"),
        ("exe~^/opt/<x>$:0", "exe~^/opt/<x>$:0"),
    ];
    for (number, (spec, _)) in specs.iter().enumerate() {
        let _ = write!(
            objects,
            "define service {{\n use procward-service\n host_name localhost\n \
             service_description spec {number}\n check_command show!{spec}\n}}\n"
        );
    }
    let nagios = Nagios::with(&home, &objects);
    let services: Vec<String> = (0..specs.len()).map(|number| format!("spec {number}")).collect();
    for service in &services {
        nagios.check("localhost", service);
    }
    for (service, (_, arrives)) in services.iter().zip(specs) {
        let held = nagios
            .server
            .wait_for(service, || nagios.service("localhost", service));
        assert_eq!(held["plugin_output"], arrives);
    }
}
