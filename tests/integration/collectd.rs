//! The real collectd starts the loop of contrib/collectd, stores its values, and notifies of what fails, by the
//! thresholds that are shipped.

use crate::common::{Place, need, unique};
use crate::process::Live;
use crate::server::{Server, as_user, directory_of, shipped_for};
use std::path::{Path, PathBuf};

const COLLECTD: &str = "/usr/sbin/collectd";
const USER: &str = "nobody";

/// The real collectd, which looks five times a second and misses what is late by two; it refuses to start programs as root.
struct Collectd {
    server: Server,
    home: PathBuf,
}

impl Collectd {
    fn start(place: &Place, checks: &str) -> Collectd {
        let home = directory_of(USER, place, "d");
        let config = place.script("p.toml", &format!("recheck = \"0\"\n\n{checks}"));
        let program = PathBuf::from(format!(
            "PROCWARD_CONFIG={} {}",
            config.display(),
            place.procward().display()
        ));
        let text = shipped_for("collectd/procward", &[("/usr/bin/procward", &program)]);
        let run = place.script("loop", &text);
        let d = home.display();
        directory_of(USER, place, "d/notes");
        let recorder = format!(
            "#!/bin/sh\nfile=$(mktemp {d}/notes/XXXXXX) && cat > \"$file\" && mv \"$file\" \"$file.whole\"\n"
        );
        let recorder = place.script("recorder", &recorder);
        let text = shipped_for(
            "collectd/procward.conf",
            &[("/usr/local/lib/collectd/procward", &run)],
        );
        assert!(
            text.contains("Interval 60\n") && text.contains("<Plugin exec>\n"),
            "{text}"
        );
        let text = text.replace("Interval 60\n", "Interval 0.2\n").replace(
            "<Plugin exec>\n",
            &format!(
                "<Plugin exec>\n  NotificationExec \"{USER}\" \"{}\"\n",
                recorder.display()
            ),
        );
        let included = place.script("procward.conf", &text);
        let text = format!(
            "Hostname \"h\"\nFQDNLookup false\nBaseDir \"{d}\"\nPIDFile \"{d}/pid\"\nInterval 0.2\nTimeout 10\n\
             LoadPlugin logfile\n<Plugin logfile>\n  LogLevel info\n  File STDOUT\n</Plugin>\n\
             LoadPlugin csv\n<Plugin csv>\n  DataDir \"{d}/csv\"\n  StoreRates false\n</Plugin>\n\
             Include \"{}\"\n",
            included.display()
        );
        let config = place.script("collectd.conf", &text);
        let mut command = as_user(USER, COLLECTD);
        command.arg("-f").arg("-C").arg(config);
        Collectd {
            server: Server::start(place, "collectd", &mut command),
            home,
        }
    }

    /// The last value that is stored of this.
    fn value(&self, directory: &str, what: &str) -> Option<String> {
        let entries = std::fs::read_dir(self.home.join("csv/h").join(directory)).ok()?;
        let of_it = |file: &PathBuf| {
            let name = file
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            name.starts_with(&format!("gauge-{what}-"))
        };
        let file = entries.flatten().map(|entry| entry.path()).find(of_it)?;
        let text = std::fs::read_to_string(file).ok()?;
        Some(text.lines().last()?.split_once(',')?.1.to_owned())
    }

    fn wait_for_value(&self, directory: &str, what: &str, wanted: &str) {
        self.server.wait_for(&format!("{directory} {what} {wanted}"), || {
            (self.value(directory, what)? == wanted).then_some(())
        });
    }

    /// Severity and check of each notification, in the order of time.
    fn notifications(&self) -> Vec<[String; 2]> {
        let files = std::fs::read_dir(self.home.join("notes"))
            .expect("notes")
            .flatten();
        let files = files.map(|file| file.path());
        let whole = files.filter(|file| file.extension().is_some_and(|ending| ending == "whole"));
        let mut notes: Vec<[String; 3]> = whole
            .map(|file| {
                let note = std::fs::read_to_string(file).expect("a note");
                let field = |name: &str| {
                    let mut lines = note.lines().filter_map(|line| line.split_once(": "));
                    let value = lines.find(|(key, _)| *key == name);
                    value.map(|(_, value)| value.to_owned()).unwrap_or_default()
                };
                ["Time", "Severity", "PluginInstance"].map(field)
            })
            .collect();
        notes.sort();
        notes
            .into_iter()
            .map(|[_, severity, check]| [severity, check])
            .collect()
    }

    /// The severities that were told of a check, but for that it was well when it was first seen.
    fn told(&self, check: &str) -> Vec<String> {
        let of_it = self.notifications().into_iter().filter(|note| note[1] == check);
        of_it
            .map(|[severity, _]| severity)
            .skip_while(|severity| severity == "OKAY")
            .collect()
    }

    fn wait_for_told(&self, check: &str, wanted: &[&str]) {
        self.server.wait_for(&format!("{check} {wanted:?}"), || {
            (self.told(check) == wanted).then_some(())
        });
    }
}

#[test]
fn a_failure_is_a_value_and_is_notified_once_and_so_is_its_end() {
    need!(Path::new(COLLECTD).exists(), "collectd is not installed");
    let place = Place::new();
    let name = unique("co");
    let live = Live::named(&place, &name);
    let checks = format!(
        "[[check]]\nname = \"daemon\"\nselect = \"{name}\"\ncount = \"1\"\n\n\
         [[check]]\nname = \"mild\"\nselect = \"pwtnosuch\"\nseverity = \"warning\"\n\n\
         [[check]]\nname = \"fine\"\nselect = \"pwtnosuch\"\ncount = \"0\"\n"
    );
    let collectd = Collectd::start(&place, &checks);
    collectd.wait_for_value("procward-daemon", "state", "0.000000");
    collectd.wait_for_value("procward-daemon", "processes", "1.000000");
    collectd.wait_for_value("procward-mild", "state", "1.000000");
    drop(live);
    collectd.wait_for_value("procward-daemon", "processes", "0.000000");
    collectd.wait_for_value("procward", "worst", "2.000000");
    collectd.wait_for_told("daemon", &["FAILURE"]);
    let _live = Live::named(&place, &name);
    collectd.wait_for_told("daemon", &["FAILURE", "OKAY"]);
    collectd.wait_for_told("mild", &["WARNING"]);
    assert_eq!((collectd.told("fine"), collectd.told("")), (vec![], vec![]));
}

/// What ends the values of a check that is OK is one failure, of the run.
fn told_once_after(end: impl FnOnce(&Place)) {
    let place = Place::new();
    let checks = "[[check]]\nname = \"fine\"\nselect = \"pwtnosuch\"\ncount = \"0\"\n";
    let collectd = Collectd::start(&place, checks);
    collectd.wait_for_value("procward-fine", "state", "0.000000");
    end(&place);
    collectd.wait_for_told("", &["FAILURE"]);
    assert_eq!(collectd.told("fine"), [""; 0]);
}

#[test]
fn values_that_cease_to_come_are_notified_once() {
    need!(Path::new(COLLECTD).exists(), "collectd is not installed");
    told_once_after(|place| std::fs::rename(place.procward(), place.path().join("away")).expect("rename"));
}

#[test]
fn a_configuration_that_was_emptied_is_notified_once() {
    need!(Path::new(COLLECTD).exists(), "collectd is not installed");
    told_once_after(|place| std::fs::write(place.path().join("p.toml"), "").expect("write"));
}

#[test]
fn names_of_any_characters_are_values_of_their_own() {
    need!(Path::new(COLLECTD).exists(), "collectd is not installed");
    let place = Place::new();
    let prefix = unique("q");
    let _live = [&b"\nPUTVAL"[..], b"\" x/y", b"\xff|\x1b[1m"]
        .map(|ending| Live::with_comm(&[prefix.as_bytes(), ending].concat()));
    let checks = ["a/b\\\"", "a_b__", "\\nPUTVAL \\\"h/x/gauge\\\" N:1", ".."].map(|name| {
        format!("[[check]]\nname = \"{name}\"\nselect = 'comm~(?s-u)^{prefix}'\ncount = \"0\"\n\n")
    });
    let collectd = Collectd::start(&place, &checks.concat());
    for name in ["a_b_", "a_b__", "_PUTVAL__h_x_gauge__N:1", ".."] {
        let directory = format!("procward-{name}");
        collectd.wait_for_value(&directory, "state", "2.000000");
        collectd.wait_for_value(&directory, "processes", "3.000000");
    }
    let stored = std::fs::read_dir(collectd.home.join("csv/h"))
        .expect("values")
        .count();
    let hosts = std::fs::read_dir(collectd.home.join("csv"))
        .expect("hosts")
        .count();
    assert_eq!((stored, hosts), (5, 1));
}
