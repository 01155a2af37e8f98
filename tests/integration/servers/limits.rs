//! procward ends by itself before its caller loses patience: the caller would have its own idea of what that means.

use super::{Home, nrpe, shipped};
use crate::common::{Procward, command, need, output};
use procward::deadline::notes::LIMIT;
use std::path::Path;
use std::time::Duration;

/// How a caller's time is written, in which file of contrib/.
const CALLERS: [(&str, &str); 5] = [
    ("nagios/procward.cfg", " -t "),
    ("icinga2/procward.conf", "\n  timeout = "),
    ("monit/procward", " with timeout "),
    ("prometheus/procward-textfile.service", "\nTimeoutStartSec="),
    ("systemd/procward-check.service", "\nTimeoutStartSec="),
];

/// Files whose caller waits for ever, or as long as Debian's configuration says.
const PATIENT: [&str; 6] = [
    "mon/procward.cf",
    "nagios/procward-services.cfg",
    "nagios/procward.cron",
    "nrpe/procward.cfg",
    "nsca/procward-nsca",
    "icinga2/procward-push",
];

/// The seconds behind each place of these words.
fn seconds(text: &str, words: &str) -> Vec<Duration> {
    let parts = text.split(words).skip(1);
    let number = |part: &str| {
        let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        part[..end].parse().map(Duration::from_secs).expect("a number")
    };
    parts.map(number).collect()
}

/// A time for the start of the programs in between.
const MARGIN: Duration = Duration::from_secs(4);

#[test]
fn every_file_gives_procward_more_time_than_it_takes() {
    Procward::new()
        .args(["check", "--help"])
        .run()
        .ends(0)
        .says_in_words(&format!("Without it {} s, or more", LIMIT.as_secs()));
    for (file, words) in CALLERS {
        let limits = seconds(&shipped(file), words);
        assert!(!limits.is_empty(), "{file}");
        assert!(
            limits.iter().all(|limit| *limit >= LIMIT + MARGIN),
            "{file}: {limits:?}"
        );
    }
}

#[test]
fn the_limit_of_every_file_is_known() {
    let contrib = Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib");
    for directory in ["icinga2", "mon", "monit", "nagios", "nrpe", "nsca"] {
        for file in std::fs::read_dir(contrib.join(directory))
            .expect("a directory")
            .flatten()
        {
            let name = format!("{directory}/{}", file.file_name().display());
            let known = CALLERS.iter().any(|(file, _)| *file == name) || PATIENT.contains(&name.as_str());
            assert!(known, "{name}");
        }
    }
}

#[test]
fn debians_nagios_and_nrpe_give_procward_more_time_than_it_takes() {
    for (file, words) in [
        ("/etc/nagios4/nagios.cfg", "\nservice_check_timeout="),
        ("/etc/nagios/nrpe.cfg", "\ncommand_timeout="),
    ] {
        need!(Path::new(file).exists(), "nagios4 or NRPE is not installed");
        let limits = seconds(&std::fs::read_to_string(file).expect("its text"), words);
        assert!(
            !limits.is_empty() && limits.iter().all(|limit| *limit >= LIMIT + MARGIN),
            "{file}: {limits:?}"
        );
    }
}

#[test]
fn a_run_that_hangs_is_procwards_unknown_and_not_the_callers() {
    need!(nrpe::is_installed(), "NRPE is not installed");
    let home = Home::new();
    need!(home.port_is_free(nrpe::PORT), "port 5666 is taken");
    let _nrpe = nrpe::start(&home);
    let config = home.path().join("procward.toml");
    std::fs::remove_file(&config).expect("removed");
    output(command("mkfifo").arg(&config)).ends(0);
    home.own(&config);
    let said = nrpe::check_nrpe(&home).ends(3).stdout();
    assert!(said.starts_with("PROCS UNKNOWN: not finished\n"), "{said}");
}
