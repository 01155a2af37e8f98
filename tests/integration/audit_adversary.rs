//! What was tried against `procward audit`, and once fooled it.

use crate::common::{Place, Procward, is_root, need};
use crate::process::Live;

#[test]
fn whoever_compares_ids_of_two_pid_namespaces_has_not_looked() {
    need!(is_root(), "only root can enter a PID namespace");
    let rules = ["audit", "hidden-pid", "cgroup-pid-not-in-proc"];
    Procward::new()
        .within(["unshare", "-pf", "--kill-child"])
        .args(rules)
        .run()
        .ends(3)
        .says("2 rules not fully checked: hidden-pid, cgroup-pid-not-in-proc")
        .says("why: /proc is of another PID namespace than procward");
}

#[test]
fn a_baseline_writes_no_hostile_name() {
    let place = Place::new();
    let name = "adv\u{1b}[31m\u{202e}";
    let file = place.path().join("own.toml");
    let rule = "[[audit.rule]]\nid = \"own\"\ntitle = \"t\"\nwhy = \"w\"\nfix = \"f\"\n\
                case = [ { severity = \"high\", select = 'comm~^adv\\x1b,age>=0s' } ]\n";
    std::fs::write(&file, rule).unwrap();
    let _live = Live::named(&place, name);
    let told = Procward::new()
        .args(["audit", "--baseline", "own", "--config"])
        .arg(&file)
        .run()
        .says("# own: ")
        .says("adv\\x1b\\[31m\\u{202e}")
        .stdout();
    assert!(!told.contains(['\u{1b}', '\u{202e}']), "{told}");
    assert!(!told.contains("[[audit.exempt]]"), "{told}");
}
