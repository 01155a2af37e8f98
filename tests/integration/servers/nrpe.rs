//! NRPE, which runs the plugin on the host that is watched.

use super::{Home, Server, Written, address, as_server, hostile};
use crate::common::{Output, command, need, output};
use std::path::Path;

const NRPE: &str = "/usr/sbin/nrpe";
const CHECK_NRPE: &str = "/usr/lib/nagios/plugins/check_nrpe";
pub(super) const PORT: u16 = 5666;

pub(super) fn is_installed() -> bool {
    Path::new(NRPE).exists() && Path::new(CHECK_NRPE).exists()
}

/// Where check_nrpe looks for it.
pub(super) fn start(home: &Home) -> Server {
    home.directory("nrpe.d");
    home.file("nrpe.d/procward.cfg", &home.contrib("nrpe/procward.cfg"));
    let config = format!(
        "pid_file={d}/nrpe.pid\nlog_file={d}/nrpe.log\nserver_address={}\nserver_port={PORT}\nallowed_hosts=127.0.0.0/8\n\
         dont_blame_nrpe=0\nallow_bash_command_substitution=0\ncommand_timeout=60\nconnection_timeout=300\n\
         include_dir={d}/nrpe.d/\n",
        address(),
        d = home.path().display()
    );
    let config = home.file("nrpe.cfg", &config);
    let server = Server::start(
        &home.place,
        "nrpe",
        as_server(NRPE).arg("-c").arg(config).arg("-f"),
    );
    server.wait_for("NRPE", || {
        std::net::TcpStream::connect((address().as_str(), PORT)).ok()
    });
    server
}

/// The command of contrib/nagios for it, run as Nagios would.
pub(super) fn check_nrpe(home: &Home) -> Output {
    let file = home.contrib("nagios/procward.cfg");
    let mut lines = file.lines().map(str::trim);
    lines.find(|line| line.ends_with("check_nrpe_procward"));
    let line = lines.next().and_then(|line| line.strip_prefix("command_line"));
    let line = line.expect("a command").replace("$HOSTADDRESS$", &address());
    output(command("sh").arg("-c").arg(line))
}

#[test]
fn nrpe_hands_on_states_and_texts_as_they_were_written() {
    need!(is_installed(), "NRPE is not installed");
    let home = Home::new();
    need!(home.port_is_free(PORT), "port 5666 is taken");
    let _nrpe = start(&home);
    let live = home.start_daemon();
    let said = check_nrpe(&home).ends(0).stdout();
    assert!(
        said.starts_with("PROCS OK: 2 checks | daemon=1;;1:1;0 "),
        "{said}"
    );
    drop(live);
    let said = check_nrpe(&home).ends(2).stdout();
    assert!(said.starts_with("PROCS CRITICAL: daemon missing | "), "{said}");
    assert!(home.wrote(&Written::of(&said)), "{said}");
    let _live = home.start_daemon();
    check_nrpe(&home).ends(0);
    let _hostile = hostile();
    let said = check_nrpe(&home).ends(2).stdout();
    assert_eq!(said.matches("\n  pid ").count(), 7, "{said}");
    assert!(home.wrote(&Written::of(&said)), "{said}");
    // Arguments are refused, whatever they are.
    let mut refused = command(CHECK_NRPE);
    refused.args(["-H", &address(), "-c", "check_procward", "-a", "-v"]);
    assert_eq!(output(&mut refused).code(), Some(3));
    std::fs::remove_file(home.path().join("procward.toml")).expect("removed");
    let said = check_nrpe(&home).ends(3).stdout();
    assert!(said.starts_with("PROCS UNKNOWN: "), "{said}");
}
