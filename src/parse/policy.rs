//! A policy of AppArmor as the kernel was given it, `raw_data`: which programs its profiles are for.

use crate::snapshot::Automaton;

const INTEGERS: std::ops::RangeInclusive<u8> = 0..=3;
const NAME: u8 = 4;
const TEXT: u8 = 5;
const BLOB: u8 = 6;
const STRUCT: u8 = 7;
const STRUCT_END: u8 = 8;
const LISTS: std::ops::RangeInclusive<u8> = 9..=10;
const ARRAY: u8 = 11;
const ARRAY_END: u8 = 12;

/// One element of the format: a tag, and what follows it.
enum Element<'a> {
    Name(&'a [u8]),
    Text(&'a [u8]),
    Blob(&'a [u8]),
    Begin,
    End,
    Other,
}

/// The automaton of each profile that has one, by name; none where the bytes are of another form.
#[must_use]
pub fn attachments(mut policy: &[u8]) -> Option<Vec<(&[u8], Automaton)>> {
    let mut found = Vec::new();
    let (mut depth, mut name, mut profile) = (0_usize, None, None);
    while !policy.is_empty() {
        match element(&mut policy)? {
            Element::Begin => {
                // A profile, which begins with its name.
                if depth == 0 {
                    profile = None;
                }
                depth += 1;
                if depth > 1 {
                    // The attachment comes first: other automata are what the profile allows.
                    profile = profile.map(|(text, _)| (text, false));
                }
            }
            Element::End => depth = depth.checked_sub(1)?,
            Element::Text(text) if depth == 1 && profile.is_none() => profile = Some((text, true)),
            Element::Blob(blob) if depth == 1 && name == Some(b"aadfa".as_slice()) => {
                if let Some((text, true)) = profile {
                    found.push((text, automaton(blob)?));
                    profile = Some((text, false));
                }
            }
            Element::Name(text) => {
                name = Some(text);
                continue;
            }
            _ => {}
        }
        name = None;
    }
    (depth == 0).then_some(found)
}

fn element<'a>(rest: &mut &'a [u8]) -> Option<Element<'a>> {
    let tag = take(rest, 1)?[0];
    Some(match tag {
        NAME | TEXT => {
            let length = take(rest, 2)?;
            let text = take(rest, usize::from(u16::from_le_bytes([length[0], length[1]])))?;
            let text = text.strip_suffix(b"\0")?;
            if tag == NAME {
                Element::Name(text)
            } else {
                Element::Text(text)
            }
        }
        BLOB => {
            let length = take(rest, 4)?.try_into().ok()?;
            Element::Blob(take(rest, usize::try_from(u32::from_le_bytes(length)).ok()?)?)
        }
        STRUCT => Element::Begin,
        STRUCT_END => Element::End,
        tag if INTEGERS.contains(&tag) => {
            take(rest, 1 << tag)?;
            Element::Other
        }
        ARRAY => {
            take(rest, 2)?;
            Element::Other
        }
        ARRAY_END => Element::Other,
        tag if LISTS.contains(&tag) => Element::Other,
        _ => return None,
    })
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

/// flex's tables, in big-endian numbers. Before them are zeros, so that they lie at a multiple of 8.
fn automaton(blob: &[u8]) -> Option<Automaton> {
    const MAGIC: [u8; 4] = 0x1b5e_783d_u32.to_be_bytes();
    let begin = (0..8).find(|at| blob.get(*at..at + 4) == Some(&MAGIC))?;
    let mut rest = &blob[begin..];
    let header = rest.get(4..8)?.try_into().ok()?;
    take(&mut rest, usize::try_from(u32::from_be_bytes(header)).ok()?)?;
    let mut automaton = Automaton::default();
    while !rest.is_empty() {
        let header = take(&mut rest, 12)?;
        let length = usize::try_from(u32::from_be_bytes(header[8..12].try_into().ok()?)).ok()?;
        let width = usize::from(u16::from_be_bytes([header[2], header[3]]));
        if !matches!(width, 1 | 2 | 4) {
            return None;
        }
        let size = length.checked_mul(width)?;
        let numbers = take(&mut rest, size)?.chunks_exact(width).map(|bytes| {
            bytes
                .iter()
                .fold(0_u32, |number, byte| number << 8 | u32::from(*byte))
        });
        let table = match u16::from_be_bytes([header[0], header[1]]) {
            1 => &mut automaton.accept,
            2 => &mut automaton.base,
            3 => &mut automaton.check,
            4 => &mut automaton.default,
            5 => &mut automaton.classes,
            8 => &mut automaton.next,
            // What exec asks for is in the first of the two tables of permissions.
            7 => &mut Vec::new(),
            _ => return None,
        };
        *table = numbers.collect();
        let padding = (12 + size).next_multiple_of(8) - (12 + size);
        rest = rest.get(padding..).unwrap_or_default();
    }
    Some(automaton)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As apparmor_parser 3.0.8 gives it to a kernel 6.1.
    const POLICY: &[u8] = include_bytes!("../../tests/fixtures/apparmor.policy");

    fn told(profile: &str, path: &str) -> Option<bool> {
        let all = attachments(POLICY).unwrap();
        let found = all.iter().find(|(name, _)| *name == profile.as_bytes())?;
        found.1.accepts(path.as_bytes())
    }

    #[test]
    fn the_profiles_that_are_for_programs_are_those_with_an_automaton() {
        let all = attachments(POLICY).unwrap();
        let mut names: Vec<&[u8]> = all.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        // A path without globs is compared as it is, and what has no path is entered on purpose.
        let wanted: [&[u8]; 4] = [b"/{usr/,}{s,}bin/web4", b"braces", b"globs", b"plain"];
        assert_eq!(names, wanted);
    }

    #[test]
    fn an_automaton_means_the_paths_that_it_was_made_of() {
        for (profile, path, holds) in [
            ("plain", "/usr/bin/web1", true),
            ("plain", "/usr/bin/web", false),
            ("plain", "/usr/bin/web11", false),
            ("plain", "", false),
            ("braces", "/usr/bin/web2", true),
            ("braces", "/usr/sbin/web2", true),
            ("braces", "/usr/lib/web2", false),
            ("/{usr/,}{s,}bin/web4", "/sbin/web4", true),
            ("/{usr/,}{s,}bin/web4", "/usr/bin/web4", true),
            ("/{usr/,}{s,}bin/web4", "/usr/web4", false),
            ("globs", "/opt/ax/b/c.bin", true),
            ("globs", "/opt/cy/b/c/d/e.bin", true),
            ("globs", "/opt/dx/b/c.bin", false),
            ("globs", "/opt/ax/c.bin", false),
            ("globs", "/opt/a/b/c.bin", false),
        ] {
            assert_eq!(told(profile, path), Some(holds), "{profile} {path}");
        }
    }

    #[test]
    fn a_policy_that_is_cut_off_is_none() {
        for length in (1..POLICY.len()).step_by(7) {
            if let Some(some) = attachments(&POLICY[..length]) {
                // It was cut between two profiles.
                assert!(some.len() < 5);
            }
        }
        assert_eq!(attachments(b"\x99"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(at in 0..POLICY.len(), byte: u8, path: Vec<u8>) {
            let mut policy = POLICY.to_vec();
            policy[at] = byte;
            for (_, automaton) in attachments(&policy).unwrap_or_default() {
                let _ = automaton.accepts(&path);
            }
        }
    }
}
