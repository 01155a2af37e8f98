//! Of any text: no panic, and each fault has its place and its help.

use super::*;
use proptest::prelude::*;

fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("name"),
        Just("user"),
        Just("exe"),
        Just("rss"),
        Just("state"),
        Just("="),
        Just("!="),
        Just("~"),
        Just("<="),
        Just(":"),
        Just(","),
        Just("|"),
        Just("\""),
        Just("'"),
        Just("["),
        Just("]"),
        Just("{"),
        Just("}"),
        Just("\\"),
        Just("*"),
        Just("1"),
        Just("-"),
        Just(" "),
        Just("root"),
        Just("/bin/x"),
        Just("é"),
        Just("("),
        Just("5-1"),
    ];
    proptest::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

fn check(text: &str) -> Result<(), TestCaseError> {
    let specs = [Dialect::Native, Dialect::PsMonitor].map(|dialect| parse(text, &table(), dialect));
    let selector =
        parse_selector(text, &table()).map(|selector| drop(sentence(&selector, Range::AT_LEAST_ONE)));
    let all = specs
        .into_iter()
        .map(|spec| spec.map(drop))
        .chain([selector, parse_range(text).map(drop).map_err(|f| vec![f])]);
    for fault in all.filter_map(Result::err).flatten() {
        prop_assert!(text.get(fault.start..fault.end).is_some(), "{fault:?}");
        prop_assert!(!fault.message.is_empty() && !fault.help.is_empty(), "{fault:?}");
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,40}") {
        check(&text)?;
    }

    #[test]
    fn no_near_spec_panics(text in pieces()) {
        check(&text)?;
    }
}
