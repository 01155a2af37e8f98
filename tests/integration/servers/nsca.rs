//! NSCA: procward on one host, `send_nsca`, the NSCA daemon, and Nagios.

use super::nagios::{NAGIOS, Nagios};
use super::{Home, Server, Written, as_server, free_port, hostile};
use crate::common::{need, output};
use std::path::Path;

const NSCA: &str = "/usr/sbin/nsca";
const SEND_NSCA: &str = "/usr/sbin/send_nsca";

/// The NSCA daemon in front of a Nagios, and the port that it listens at.
fn start(home: &Home, nagios: &Nagios<'_>) -> (Server, String) {
    let port = free_port().to_string();
    let config = format!(
        "pid_file={d}/nsca.pid\nserver_address=127.0.0.1\nserver_port={port}\ncommand_file={}\n\
         alternate_dump_file={d}/nsca.dump\nmax_packet_age=30\ndecryption_method=1\n",
        nagios.fifo().display(),
        d = home.path().display()
    );
    let config = home.file("nsca.cfg", &config);
    home.file("send_nsca.cfg", "encryption_method=1\n");
    let server = Server::start(
        &home.place,
        "nsca",
        as_server(NSCA).arg("-f").arg("-c").arg(config),
    );
    server.wait_for("NSCA", || {
        std::net::TcpStream::connect(("127.0.0.1", port.parse().ok()?)).ok()
    });
    (server, port)
}

#[test]
fn results_reach_nagios_by_nsca_as_they_were_meant() {
    let there = [NSCA, SEND_NSCA, NAGIOS]
        .iter()
        .all(|file| Path::new(file).exists());
    need!(there, "nsca, nsca-client or nagios4 is not installed");
    let home = Home::new();
    let nagios = Nagios::start(&home);
    let (_nsca, port) = start(&home, &nagios);
    let script = home.script("nsca/procward-nsca");
    let send = |port: &str| {
        let mut send = as_server("sh");
        send.arg(&script).args(["-H", "127.0.0.1", "-p", port, "-c"]);
        send.arg(home.path().join("send_nsca.cfg"))
            .env("PROCWARD_HOST", "remote");
        output(&mut send)
    };
    let tell = || assert_eq!(send(&port).ends(0).stdout(), "");
    let live = home.start_daemon();
    tell();
    assert_eq!(
        nagios.wait_for("remote", "procward", "0").first,
        "PROCS OK: 2 checks judged"
    );
    nagios.wait_for("remote", "procward daemon", "0");
    nagios.wait_for("remote", "procward hostile", "0");
    drop(live);
    tell();
    assert_eq!(
        nagios.wait_for("remote", "procward daemon", "2").ageless(),
        home.meant("daemon")
    );
    assert_eq!(
        nagios.wait_for_mail(1),
        ["PROBLEM procward daemon CRITICAL PROCS CRITICAL: daemon missing"]
    );
    let _live = home.start_daemon();
    tell();
    nagios.wait_for("remote", "procward daemon", "0");
    assert!(nagios.wait_for_mail(2)[1].starts_with("RECOVERY procward daemon OK "));
    let _hostile = hostile();
    tell();
    let mut meant = home.meant("hostile");
    meant.first = meant.first.replace(";$(id)`", ":$(id)`");
    let stored: Written = nagios.wait_for("remote", "procward hostile", "2").ageless();
    assert_eq!(stored, meant);
    // A procward that ends without a verdict, here for it is not there, is a result of the run.
    std::fs::remove_file(home.recorded("procward")).expect("removed");
    assert_eq!(send(&port).code(), Some(0));
    let gone = nagios.wait_for("remote", "procward", "3");
    assert_eq!(gone.first, "PROCS UNKNOWN: procward ended 127");
    // Nobody listens.
    let said = send(&free_port().to_string());
    assert_eq!(said.code(), Some(2), "{said:?}");
}
