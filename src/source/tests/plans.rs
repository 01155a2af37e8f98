//! What is read by a plan, and what of it stays.

use super::*;

/// The real plan of one check.
fn plan(selector: &str) -> (Wanted, Plan) {
    let selector = parse_selector(selector, &Table::default()).unwrap();
    let wanted = Wanted {
        selector,
        except: Vec::new(),
        strict: false,
        everywhere: true,
        match_self: false,
    };
    (wanted.clone(), Plan::deciding(vec![wanted]))
}

#[test]
fn the_parent_that_no_check_means_is_read_for_its_child() {
    let root = tree(&[
        (1, "init", 0),
        (20, "b", 1),
        (30, "c", 20),
        (40, "c", 1),
        (50, "d", 1),
    ]);
    let (wanted, plan) = plan("c,parent=b");
    let snapshot = Procfs::at(root.path().to_owned()).snapshot(&plan);
    assert_eq!(snapshot.seen, 5);
    assert!(snapshot.by_pid(20).is_some() && snapshot.by_pid(50).is_none());
    let selection = select(&wanted, &snapshot);
    assert_eq!((selection.matched.len(), selection.unknown.len()), (1, 0));
}

#[test]
fn a_parent_that_is_not_there_ends_the_search_and_is_not_guessed() {
    let root = tree(&[(30, "c", 20)]);
    let (wanted, plan) = plan("c,ancestor=b");
    let snapshot = Procfs::at(root.path().to_owned()).snapshot(&plan);
    assert_eq!((snapshot.processes.len(), snapshot.vanished), (1, 0));
    let selection = select(&wanted, &snapshot);
    assert_eq!((selection.matched.len(), selection.unknown.len()), (0, 1));
}

#[test]
fn only_what_a_check_means_stays() {
    let child = Owned::sleep();
    let (wanted, plan) = plan("sleep,cmdline=sleep 86399 0");
    let snapshot = Procfs::live().snapshot(&plan);
    let process = snapshot.by_pid(child.pid()).unwrap();
    assert!(process.cmdline.value().is_some() && !process.fds.asked());
    assert!(snapshot.by_pid(std::process::id().cast_signed()).is_none());
    assert!(!select(&wanted, &snapshot).matched.is_empty());
}
