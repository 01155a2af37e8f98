//! A level of SELinux, or a range of two: `s0`, `s0:c1,c3`, `s0-s0:c0.c1023`. Categories are a set, however written:
//! `c1.c3` is `c1,c2,c3`, and `s5-s5` is `s5`.

/// From a low level to a high one; both are the same where one is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Levels {
    low: Level,
    high: Level,
}

/// A sensitivity, and its categories as stretches that neither touch nor overlap, in ascending order.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Level {
    sensitivity: u32,
    categories: Vec<(u32, u32)>,
}

impl Levels {
    /// Reads it.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Levels> {
        let (levels, length) = Levels::first(text)?;
        (length == text.len()).then_some(levels)
    }

    /// Reads the longest one that the text begins with, and tells how long it is.
    pub(in crate::select) fn first(text: &[u8]) -> Option<(Levels, usize)> {
        let (low, length) = Level::first(text)?;
        let high = text[length..].strip_prefix(b"-").and_then(Level::first);
        Some(match high {
            Some((high, more)) => (Levels { low, high }, length + 1 + more),
            None => {
                let high = low.clone();
                (Levels { low, high }, length)
            }
        })
    }
}

impl Level {
    fn first(text: &[u8]) -> Option<(Level, usize)> {
        let (sensitivity, mut length) = numbered(text, b's')?;
        let mut stretches = Vec::new();
        let mut separator = b':';
        while text.get(length) == Some(&separator)
            && let Some((stretch, more)) = stretch(&text[length + 1..])
        {
            stretches.push(stretch);
            length += 1 + more;
            separator = b',';
        }
        let categories = merged(stretches);
        Some((
            Level {
                sensitivity,
                categories,
            },
            length,
        ))
    }
}

/// `c3`, or `c3.c7`, from the lower to the higher.
fn stretch(text: &[u8]) -> Option<((u32, u32), usize)> {
    let (first, length) = numbered(text, b'c')?;
    match text[length..]
        .strip_prefix(b".")
        .and_then(|rest| numbered(rest, b'c'))
    {
        Some((last, more)) if last >= first => Some(((first, last), length + 1 + more)),
        Some(_) => None,
        None => Some(((first, first), length)),
    }
}

/// A letter and a number.
fn numbered(text: &[u8], letter: u8) -> Option<(u32, usize)> {
    let digits = text.strip_prefix(&[letter])?;
    let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = std::str::from_utf8(&digits[..length]).ok()?.parse().ok()?;
    Some((number, 1 + length))
}

fn merged(mut stretches: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    stretches.sort_unstable();
    let mut merged: Vec<(u32, u32)> = Vec::new();
    for (first, last) in stretches {
        match merged.last_mut() {
            Some(before) if first <= before.1.saturating_add(1) => before.1 = before.1.max(last),
            _ => merged.push((first, last)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn same(a: &str, b: &str) -> bool {
        let parse = |text: &str| Levels::parse(text.as_bytes()).unwrap_or_else(|| panic!("{text}"));
        parse(a) == parse(b)
    }

    #[test]
    fn the_kernels_canonical_form_is_what_was_written() {
        assert!(same("s0:c1,c2,c3,c7", "s0:c1.c3,c7"));
        assert!(same("s0:c3,c1", "s0:c1,c3"));
        assert!(same("s0:c1.c5,c3", "s0:c1,c2.c5"));
        assert!(same("s5-s5", "s5"));
        assert!(same("s0:c1-s0:c1", "s0:c1"));
        assert!(same("s3:c1,c5-s7:c1.c5,c9", "s3:c5,c1-s7:c9,c1,c2,c3,c4,c5"));
    }

    #[test]
    fn other_categories_are_another_level() {
        assert!(!same("s0-s0:c0.c1023", "s0"));
        assert!(!same("s0-s0:c0.c1023", "s0:c0.c1023"));
        assert!(!same("s0:c1,c3", "s0:c1.c3"));
        assert!(!same("s0", "s1"));
        assert!(!same("s0-s15:c0.c1023", "s15:c0.c1023"));
    }

    #[test]
    fn what_is_none_is_none() {
        for text in [
            "",
            "s",
            "0",
            "s0:",
            "s0:c",
            "s0:c1,",
            "s0-",
            "s0:c3.c1",
            "s0:1",
            "SystemLow",
            "s0:c1,c3:0",
        ] {
            assert_eq!(Levels::parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(Levels::parse(b"s4294967296"), None);
    }

    #[test]
    fn a_hostile_range_of_categories_takes_no_memory() {
        let levels = Levels::parse(b"s0:c0.c4294967295,c1.c4294967295").unwrap();
        assert_eq!(levels.low.categories, [(0, u32::MAX)]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = Levels::parse(&bytes);
            let _ = Levels::parse(&[b"s0:c".as_slice(), &bytes].concat());
        }

        #[test]
        fn a_set_is_a_set_in_any_order(mut categories in prop::collection::vec(0u32..20, 1..12)) {
            let text = |categories: &[u32]| {
                let each: Vec<String> = categories.iter().map(|c| format!("c{c}")).collect();
                format!("s0:{}", each.join(","))
            };
            let before = text(&categories);
            categories.sort_unstable();
            categories.dedup();
            prop_assert!(same(&before, &text(&categories)));
            let fewer = &categories[1..];
            prop_assert!(fewer.is_empty() || !same(&before, &text(fewer)));
        }
    }
}
