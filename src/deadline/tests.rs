use super::fork::shared_page;
use super::note::Note;
use super::notes::Worker;
use super::*;
use std::cell::OnceCell;
use std::path::Path;
use std::time::{Duration, Instant};

fn worker(hung: &[Note], last_call: bool, limit: Option<Duration>) -> (Notes, &'static page::Page) {
    let page = shared_page().unwrap();
    let notes = Notes::of(Worker {
        page,
        teller: None,
        hung: hung.to_vec(),
        last_call,
        started: Instant::now(),
        limit,
        left_behind: OnceCell::new(),
        crowds: OnceCell::new(),
    });
    (notes, page)
}

/// A process that does not exist.
fn cmdline(notes: Notes, pid: i32, owner: u32) -> Option<()> {
    notes.of_process(pid, "cmdline", || None, || Some(owner), || ())
}

#[test]
fn what_is_read_is_noted_until_it_comes_back() {
    let (notes, page) = worker(&[], false, None);
    assert_eq!(page.reading(), None);
    let note = Note::of_file(b"/x");
    let seen = notes.of_path(b"/x", || page.reading());
    assert_eq!(seen, Some(Some((1, note.clone()))));
    assert_eq!(page.reading(), None);
    assert!(page.came_back(&note));
    assert!(!page.came_back(&Note::of_file(b"/y")));
    // As after the end of a worker.
    page.enter(&note);
    page.rest();
    page.rest();
    assert_eq!(page.reading(), None);
}

#[test]
fn a_long_path_is_cut_for_the_eye_and_told_from_others_all_the_same() {
    let path = [b'/', b'\xff', b'x'].repeat(2000);
    let other = [path.as_slice(), b"y"].concat();
    let (notes, page) = worker(&[Note::of_file(&path)], false, None);
    assert_eq!(notes.of_path(&path, || ()), None);
    let (_, seen) = notes.of_path(&other, || page.reading()).flatten().unwrap();
    assert_eq!(seen.hash, Note::of_file(&other).hash);
    assert!(
        Note::of_file(&path)
            .text
            .starts_with(seen.text.trim_end_matches('\u{fffd}'))
    );
}

#[test]
fn what_hung_before_is_not_tried_again() {
    let (notes, _) = worker(&[Note::of_process(812, "cmdline")], false, None);
    assert_eq!(cmdline(notes, 812, 7), None);
    assert_eq!(cmdline(notes, 81, 7), Some(()));
    assert_eq!(cmdline(Notes::none(), 812, 7), Some(()));
    let (notes, _) = worker(&[Note::of_file(b"/x")], false, None);
    let error = notes.of_file(Path::new("/x"), || Ok(())).unwrap_err();
    assert_eq!(error.to_string(), "no answer");
    assert_eq!(notes.of_name("user x", || ()), Some(()));
}

#[test]
fn of_a_crowd_only_what_came_back_before_is_tried() {
    // Three of this user's processes hang, as far as this goes.
    let own = i32::try_from(std::process::id()).unwrap();
    let hung = ["cmdline", "exe", "maps"].map(|file| Note::of_process(own, file));
    let (notes, page) = worker(&hung, false, None);
    let uid = rustix::process::geteuid().as_raw();
    page.enter(&Note::of_process(i32::MAX, "cmdline"));
    page.leave();
    assert_eq!(cmdline(notes, i32::MAX, uid), Some(()));
    assert_eq!(cmdline(notes, i32::MAX - 1, uid), None);
    assert_eq!(cmdline(notes, i32::MAX - 1, uid + 1), Some(()));
    assert_eq!(notes.of_path(b"/x", || ()), Some(()));
}

#[test]
fn when_the_time_is_nearly_up_only_what_came_back_before_is_tried() {
    let (notes, page) = worker(&[], true, None);
    assert_eq!(cmdline(notes, 813, 7), None);
    assert_eq!(notes.of_path(b"/x", || ()), None);
    assert_eq!(notes.of_name("user x", || ()), None);
    page.enter(&Note::of_name("user x"));
    page.leave();
    assert_eq!(notes.of_name("user x", || ()), Some(()));
}

#[test]
fn many_reads_are_remembered() {
    let (_, page) = worker(&[], false, None);
    let notes: Vec<Note> = (0..2000).map(|pid| Note::of_process(pid, "cmdline")).collect();
    for note in notes.iter().chain(&notes) {
        page.enter(note);
        page.leave();
    }
    assert!(notes.iter().all(|note| page.came_back(note)));
}

#[test]
fn a_longer_window_asks_for_more_time_unless_a_limit_was_told() {
    let (asking, page) = worker(&[], false, None);
    asking.ask_for(Duration::from_secs(5));
    assert_eq!(page.limit(), Some(Duration::from_secs(8)));
    asking.ask_for(Duration::from_secs(45));
    assert_eq!(page.limit(), Some(Duration::from_millis(46_400)));
    assert_eq!(asking.limit(), Some(Duration::from_millis(45_700)));
    let (told, page) = worker(&[], false, Some(Duration::from_secs(3)));
    told.ask_for(Duration::from_secs(45));
    assert_eq!(page.limit(), None);
    assert_eq!(told.limit(), Some(Duration::from_millis(2300)));
}
