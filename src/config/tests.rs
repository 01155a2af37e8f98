//! The configuration by its faults.

use super::*;
use crate::select::Range;
use crate::snapshot::Table;
use proptest::prelude::*;

fn load(text: &str) -> Loaded {
    let mut accounts = Table::default();
    accounts.users.insert("root".into(), 0);
    let source = Source {
        name: "p.toml".into(),
        text: text.into(),
    };
    from_texts(vec![source], &accounts, &|path| Ok(path == "/exists"))
}

fn shown(text: &str) -> Vec<String> {
    let loaded = load(text);
    let render = |located: &Located| diagnostic::render("p.toml", text, &located.fault);
    loaded.faults.iter().map(render).collect()
}

#[test]
fn a_check_is_read_with_all_its_parts() {
    let loaded = load(
        "[[check]]\nname = \"x\"\nselect = \"x,user=root\"\ncount = 3\nwarning = \"1-2\"\nseverity = \"warning\"\n\
         note = \"n\"\nwhen = \"exists /exists\"\nexcept = [ { select = \"y\", reason = \"r\" } ]\n",
    );
    let Item::Check(check) = &loaded.items[0] else {
        panic!("{:?}", loaded.items)
    };
    assert_eq!(
        (check.name.as_str(), check.count),
        ("x", Range { min: 3, max: Some(3) })
    );
    assert_eq!(check.warning, Some(Range { min: 1, max: Some(2) }));
    assert_eq!(
        (check.severity, check.except.len()),
        (crate::judge::State::Warning, 1)
    );
}

#[test]
fn a_condition_that_does_not_hold_skips_the_check() {
    let loaded =
        load("[[check]]\nname = \"x\"\nselect = \"x\"\nwhen = [\"exists /exists\", \"exists /no\"]\n");
    assert!(matches!(&loaded.items[0], Item::Skipped { reason, .. } if reason == "/no does not exist"));
}

#[test]
fn all_faults_are_told_at_once_and_the_place_is_underlined() {
    let text = "[[check]]\nname = \"x\"\nselect = \"x,user=nobodyhere\"\ncuont = \"1\"\ncount = \"5-1\"\n\
                [[check]]\nname = \"x\"\nselect = \"y\"\nexcept = [ { select = \"z\" } ]\n";
    let shown = shown(text);
    assert_eq!(shown.len(), 5, "{shown:#?}");
    let all = shown.concat();
    assert!(all.contains(
        "p.toml:4:1: unknown key `cuont`\n  cuont = \"1\"\n  ^^^^^\n  help: did you mean `count`?\n"
    ));
    assert!(all.contains("p.toml:3:18: "), "{all}");
    assert!(all.contains("the name `x` is given twice; the first is at p.toml:1"));
    assert!(all.contains("an exception without a reason"));
}

#[test]
fn a_faulty_check_or_file_is_an_item_so_that_no_run_is_ok_beside_it() {
    let loaded = load("[[check]]\nname = \"x\"\nselect = \"x\"\n[[chekc]]\n");
    assert!(
        loaded
            .items
            .iter()
            .any(|item| matches!(item, Item::Faulty { name, .. } if name == "p.toml"))
    );
    assert!(loaded.items.iter().any(|item| matches!(item, Item::Check(_))));
    let broken = load("[[check]]\nname = \n");
    assert!(
        broken
            .items
            .iter()
            .any(|item| matches!(item, Item::Faulty { .. }))
    );
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text: String) {
        let _ = shown(&text);
    }
    #[test]
    fn no_odd_toml_makes_it_panic(value in "[\\[\\]{}\"'a-z=,.0-9 \\n-]{0,60}") {
        let _ = shown(&format!("[[check]]\nselect = {value}\nexcept = {value}\nwhen = {value}\ncount = {value}"));
    }
}

#[test]
fn a_faulty_item_holds_its_own_part_of_the_file_and_not_all_of_it() {
    let loaded = load(&format!(
        "# {}\n[[check]]\nname = \"x\"\nselect = \"user=nosuch,comm=/x\"\n",
        "y".repeat(1000)
    ));
    let Item::Faulty { text, faults, .. } = &loaded.items[0] else {
        panic!("{:?}", loaded.items)
    };
    let places: Vec<&str> = faults.iter().map(|fault| &text[fault.start..fault.end]).collect();
    assert_eq!((text.as_str(), places), ("nosuch,comm=/x", vec!["nosuch", "/x"]));
}
