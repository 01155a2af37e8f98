use super::fork::shared_page;
use super::notes::{Hung, pid_in, process_note};
use super::papers::Papers;
use super::*;
use crate::exit_code::Exit;
use crate::outcome::Outcome;
use std::time::{Duration, Instant};

fn notes(hung: Vec<Hung>, limit: Option<Duration>) -> (Notes, &'static page::Page) {
    let page = shared_page().unwrap();
    let papers = Box::leak(Box::new(Papers::new().unwrap()));
    (Notes::of(page, papers, hung, Instant::now(), limit), page)
}

#[test]
fn the_last_whole_outcome_is_read_while_another_is_written() {
    let page = shared_page().unwrap();
    let papers = Papers::new().unwrap();
    assert_eq!(papers.read(page), None);
    let all = [Exit::Ok, Exit::Warning, Exit::Critical, Exit::Unknown, Exit::Ok];
    for (number, exit) in all.into_iter().enumerate() {
        let outcome = Outcome::new(vec![b'x'; 100_000 - number * 7], exit);
        let last = number == 4;
        papers.publish(page, &outcome, last).unwrap();
        assert_eq!(papers.read(page), Some((outcome, last)));
    }
}

#[test]
fn what_is_read_is_noted_until_it_comes_back() {
    let (notes, page) = notes(Vec::new(), None);
    assert_eq!(page.reading(), None);
    let seen = notes.risk("cmdline of process 812", || (page.reading(), page.what()));
    assert_eq!(seen, Some((Some(1), b"cmdline of process 812".to_vec())));
    assert_eq!(page.reading(), None);
    let long = "é".repeat(4000);
    notes.risk(&long, || assert!(long.as_bytes().starts_with(&page.what())));
}

#[test]
fn what_hung_before_is_not_tried_again() {
    let (notes_of_one, _) = notes(vec![Hung::What(process_note(812, "cmdline"))], None);
    let read = |notes: Notes, pid: i32, owner: u32| {
        notes.risk_of_process(pid, "cmdline", || None, || Some(owner), || ())
    };
    assert_eq!(read(notes_of_one, 812, 7), None);
    assert_eq!(read(notes_of_one, 81, 7), Some(()));
    let (notes_of_owner, _) = notes(vec![Hung::Owner(7)], None);
    assert_eq!(read(notes_of_owner, 813, 7), None);
    assert_eq!(read(notes_of_owner, 813, 8), Some(()));
    let (notes_of_all, _) = notes(vec![Hung::All], None);
    assert_eq!(read(notes_of_all, 813, 8), None);
    assert_eq!(notes_of_all.risk("file /x", || ()), None);
    assert_eq!(read(Notes::none(), 812, 7), Some(()));
}

#[test]
fn a_note_of_a_process_tells_its_pid() {
    assert_eq!(pid_in(&process_note(812, "cmdline")), Some(812));
    assert_eq!(pid_in("file /x of process y"), None);
}

#[test]
fn a_longer_window_asks_for_more_time_unless_a_limit_was_told() {
    let (asking, page) = notes(Vec::new(), None);
    asking.ask_for(Duration::from_secs(5));
    assert_eq!(page.limit(), Some(8000));
    asking.ask_for(Duration::from_secs(45));
    assert_eq!(page.limit(), Some(46_400));
    let (told, page) = notes(Vec::new(), Some(Duration::from_secs(3)));
    told.ask_for(Duration::from_secs(45));
    assert_eq!(page.limit(), None);
    assert_eq!(told.told_limit(), Some(Duration::from_millis(2300)));
}
