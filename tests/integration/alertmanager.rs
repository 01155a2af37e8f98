//! The whole way of an alert: procward's metrics, node_exporter, Prometheus with the rules that are shipped, Alertmanager,
//! and whoever is told.

use crate::common::{Place, command, need, unique};
use crate::process::Live;
use crate::prometheus::{NODE_EXPORTER, NodeExporter, check, get};
use crate::server::{Server, free_port, shipped};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};

const PROMETHEUS: &str = "/usr/bin/prometheus";
const ALERTMANAGER: &str = "/usr/bin/prometheus-alertmanager";

/// The real Prometheus, which scrapes node_exporter twice a second.
struct Prometheus {
    server: Server,
    port: u16,
}

impl Prometheus {
    /// `alertmanager`: its port.
    fn start(place: &Place, exporter: &NodeExporter, alertmanager: u16) -> Prometheus {
        let port = free_port();
        // As they are shipped, but for the time that an alert waits.
        let rules = shipped("prometheus/procward.rules.yml")
            .replace("for: 10m", "for: 300ms")
            .replace("for: 1m", "for: 300ms");
        let rules = place.script("procward.rules.yml", &rules);
        let config = format!(
            "global: {{ scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 200ms }}\n\
             rule_files: ['{}']\n\
             scrape_configs:\n  - job_name: node\n    static_configs: [ {{ targets: ['127.0.0.1:{}'] }} ]\n\
             alerting: {{ alertmanagers: [ {{ static_configs: [ {{ targets: ['127.0.0.1:{alertmanager}'] }} ] }} ] }}\n",
            rules.display(),
            exporter.port
        );
        let config = place.script("prometheus.yml", &config);
        let mut command = command(PROMETHEUS);
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                place.path().join("tsdb").display()
            ))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--scrape.discovery-reload-interval=100ms");
        let server = Server::start(place, "prometheus", &mut command);
        server.wait_for("Prometheus", || get(port, "/-/ready"));
        Prometheus { server, port }
    }

    /// The alerts that fire: the name of each, its rule and its severity.
    fn firing(&self) -> Vec<[String; 3]> {
        let text = get(self.port, "/api/v1/alerts").expect("alerts");
        let (_, body) = text.split_once("\r\n\r\n").expect("a body");
        let answer: Value = serde_json::from_str(body).expect("JSON");
        let alerts = answer["data"]["alerts"].as_array().expect("alerts").iter();
        let label = |alert: &Value, name: &str| alert["labels"][name].as_str().unwrap_or_default().to_owned();
        let mut firing: Vec<[String; 3]> = alerts
            .filter(|alert| alert["state"] == "firing")
            .map(|alert| ["alertname", "rule", "severity"].map(|name| label(alert, name)))
            .collect();
        firing.sort();
        firing
    }

    fn wait_for(&self, wanted: &[[&str; 3]]) {
        self.server
            .wait_for(&format!("{wanted:?}"), || (self.firing() == wanted).then_some(()));
    }
}

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
            let body: Value = serde_json::from_slice(&body).expect("JSON");
            for alert in body["alerts"].as_array().expect("alerts") {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
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
fn prometheus_alerts_on_each_failure_and_alertmanager_tells_it_once_and_its_end() {
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
        "route: {{ receiver: hook, group_by: ['...'], group_wait: 0s, group_interval: 100ms, repeat_interval: 1h }}\n\
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
    let judge = |code: i32| {
        let spec = format!("{name}:1");
        check(&file).args([&spec, "nosuch=x:1"]).run().ends(code);
    };
    let live = Live::named(&place, &name);
    judge(3);
    let exporter = NodeExporter::start(&directory);
    let prometheus = Prometheus::start(&place, &exporter, port);
    let next = |wanted: &[[&str; 3]]| {
        let mut notes: Vec<[String; 3]> = wanted
            .iter()
            .map(|_| alertmanager.wait_for(&format!("{wanted:?}"), || told.try_recv().ok()))
            .collect();
        notes.sort();
        assert_eq!(notes, wanted);
    };
    let faulty = ["ProcwardUnknown", "nosuch=x:1", "warning"];
    next(&[["firing", "ProcwardUnknown", "nosuch=x:1"]]);
    prometheus.wait_for(&[faulty]);
    drop(live);
    judge(2);
    next(&[["firing", "ProcwardMissing", &name]]);
    prometheus.wait_for(&[["ProcwardMissing", &name, "critical"], faulty]);
    // The same fault, seen by run after run.
    judge(2);
    judge(2);
    let both = [Live::named(&place, &name), Live::named(&place, &name)];
    judge(2);
    next(&[
        ["firing", "ProcwardTooMany", &name],
        ["resolved", "ProcwardMissing", &name],
    ]);
    prometheus.wait_for(&[["ProcwardTooMany", &name, "critical"], faulty]);
    drop(both);
    let _live = Live::named(&place, &name);
    judge(3);
    next(&[["resolved", "ProcwardTooMany", &name]]);
    prometheus.wait_for(&[faulty]);
    check(&file).arg(format!("{name}:1")).run().ends(0);
    next(&[["resolved", "ProcwardUnknown", "nosuch=x:1"]]);
    prometheus.wait_for(&[]);
    assert!(told.try_recv().is_err());
}
