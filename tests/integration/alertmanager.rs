//! The whole way of an alert: procward's metrics, node_exporter, Prometheus with the rules that are shipped, Alertmanager,
//! and whoever is told.

use crate::common::{Place, command, need, unique};
use crate::process::Live;
use crate::prometheus::{NODE_EXPORTER, NodeExporter, PROMETHEUS, Prometheus, check, get, hasty_rules};
use crate::server::{Server, free_port};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};

const ALERTMANAGER: &str = "/usr/bin/prometheus-alertmanager";

/// What comes to a webhook: the status of each alert, its name and its rule.
fn webhook() -> (u16, Receiver<[String; 3]>) {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = socket.local_addr().expect("a port").port();
    let (teller, told) = channel();
    std::thread::spawn(move || {
        for stream in socket.incoming().flatten() {
            let mut reader = BufReader::new(stream);
            let mut length = 0;
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|count| count > 2) {
                let header = line.to_ascii_lowercase();
                if let Some(value) = header.strip_prefix("content-length:") {
                    length = value.trim().parse().expect("a length");
                }
                line.clear();
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).expect("a body");
            let _ = reader.get_mut().write_all(b"HTTP/1.0 200 OK\r\n\r\n");
            let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
            for alert in body["alerts"].as_array().expect("alerts") {
                let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
                let labels = &alert["labels"];
                let note = [&alert["status"], &labels["alertname"], &labels["rule"]].map(text);
                if teller.send(note).is_err() {
                    return;
                }
            }
        }
    });
    (port, told)
}

#[test]
fn a_failure_is_told_once_and_so_is_its_end() {
    let there = [NODE_EXPORTER, PROMETHEUS, ALERTMANAGER]
        .iter()
        .all(|file| Path::new(file).exists());
    need!(
        there,
        "node_exporter, Prometheus or Alertmanager is not installed"
    );
    let place = Place::new();
    let name = unique("am");
    let directory = place.directory("textfile");
    let file = directory.join("procward.prom");
    let (hook, told) = webhook();
    let port = free_port();
    let config = format!(
        "route: {{ receiver: hook, group_by: ['...'], group_wait: 0s, group_interval: 1s, repeat_interval: 1h }}\n\
         receivers: [ {{ name: hook, webhook_configs: [ {{ url: 'http://127.0.0.1:{hook}/' }} ] }} ]\n"
    );
    let config = place.script("alertmanager.yml", &config);
    let mut alertmanager = command(ALERTMANAGER);
    alertmanager
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.path={}", place.path().join("am").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg("--cluster.listen-address=");
    let alertmanager = Server::start(&place, "alertmanager", &mut alertmanager);
    alertmanager.wait_for("Alertmanager", || get(port, "/-/ready"));
    let judge = |code: i32| check(&file).arg(format!("{name}:1")).run().ends(code);
    let live = Live::named(&place, &name);
    judge(0);
    let exporter = NodeExporter::start(&directory);
    let prometheus = Prometheus::start(&place, &exporter, &hasty_rules(&place), Some(port));
    let next = |wanted: [&str; 3]| {
        let note = alertmanager.wait_for(&format!("{wanted:?}"), || told.try_recv().ok());
        assert_eq!(note, wanted);
    };
    prometheus.wait_for(&[]);
    drop(live);
    judge(2);
    next(["firing", "ProcwardMissing", &name]);
    // The same fault, seen by run after run.
    judge(2);
    judge(2);
    let _live = Live::named(&place, &name);
    judge(0);
    next(["resolved", "ProcwardMissing", &name]);
    assert!(told.try_recv().is_err());
}
