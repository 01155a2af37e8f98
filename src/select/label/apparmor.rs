//! AppArmor: `NAME (MODE)`, or `unconfined` alone; a stack of several profiles is `A//&B (MODE)`.

use super::{SecurityModule, bytes};
use crate::select::Key;
use crate::select::reading::{Reading, Value};
use crate::snapshot::Why;
use std::borrow::Cow;

pub(super) struct AppArmor;

/// The modes that the kernel writes.
pub(in crate::select) const MODES: &[&str] = &["enforce", "complain", "kill", "unconfined", "mixed", "user"];

const UNCONFINED: &[u8] = b"unconfined";

impl SecurityModule for AppArmor {
    fn name(&self) -> &'static str {
        "apparmor"
    }
    fn title(&self) -> &'static str {
        "AppArmor"
    }
    fn file(&self) -> &'static str {
        "attr/apparmor/current"
    }
    fn part<'a>(&self, label: &'a [u8], key: Key) -> Reading<'a> {
        let (profile, mode) = parts(label);
        let members = members(profile);
        if key == Key::ApparmorProfile {
            return Reading::One(Value::Stack(members));
        }
        let free = |member: &Cow<'_, [u8]>| **member == *UNCONFINED || member.ends_with(b":unconfined");
        match mode {
            Some(mode) => bytes(mode),
            None if members.iter().all(free) => bytes(UNCONFINED),
            None => Reading::Unreadable(Why::Malformed),
        }
    }
    /// A stack of which one part is enforced holds the process.
    fn confines(&self, label: &[u8]) -> Option<bool> {
        Some(match parts(label).1 {
            Some(mode) => !matches!(mode, b"complain" | b"unconfined"),
            None => false,
        })
    }
}

/// A profile may be called `x (enforce)`: the mode is the last bracket.
fn parts(label: &[u8]) -> (&[u8], Option<&[u8]>) {
    let with_mode = || {
        let open = label.windows(2).rposition(|two| two == b" (")?;
        let mode = label[open + 2..].strip_suffix(b")")?;
        let word = !mode.is_empty() && mode.iter().all(u8::is_ascii_lowercase);
        word.then_some((&label[..open], Some(mode)))
    };
    with_mode().unwrap_or((label, None))
}

/// The profiles of a stack. The namespace is written once, before the first of its profiles: `a//&:ns1:b//&c`.
pub(in crate::select) fn members(stack: &[u8]) -> Vec<Cow<'_, [u8]>> {
    let mut members = Vec::new();
    let mut namespace: &[u8] = b"";
    let mut rest = Some(stack);
    while let Some(text) = rest {
        let (member, more) = match text.windows(3).position(|three| three == b"//&") {
            Some(at) => (&text[..at], Some(&text[at + 3..])),
            None => (text, None),
        };
        let end = member
            .strip_prefix(b":")
            .and_then(|named| named.iter().position(|byte| *byte == b':'));
        members.push(match end {
            Some(end) => {
                namespace = &member[..end + 2];
                Cow::Borrowed(member)
            }
            None if namespace.is_empty() => Cow::Borrowed(member),
            None => Cow::Owned([namespace, member].concat()),
        });
        rest = more;
    }
    members.sort_unstable();
    members.dedup();
    members
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(label: &str) -> (String, String) {
        let (profile, mode) = parts(label.as_bytes());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let members: Vec<String> = members(profile).iter().map(|member| text(member)).collect();
        (members.join(" + "), text(mode.unwrap_or(b"-")))
    }

    #[test]
    fn the_mode_is_the_last_bracket() {
        for (label, profile, mode) in [
            ("unconfined", "unconfined", "-"),
            ("web (enforce)", "web", "enforce"),
            ("weird-(enforce) (enforce)", "weird-(enforce)", "enforce"),
            ("weird (enforce) (complain)", "weird (enforce)", "complain"),
            ("two words (enforce)", "two words", "enforce"),
            (
                "/usr/sbin/sshd//hat1 (enforce)",
                "/usr/sbin/sshd//hat1",
                "enforce",
            ),
            (
                "pw-complain//null-/bin/busybox (complain)",
                "pw-complain//null-/bin/busybox",
                "complain",
            ),
            ("u1 (unconfined)", "u1", "unconfined"),
            ("q\"uote (kill)", "q\"uote", "kill"),
            ("tab\tin name (enforce)", "tab\tin name", "enforce"),
            ("naïve (enforce)", "naïve", "enforce"),
            ("asks (user)", "asks", "user"),
            ("odd ()", "odd ()", "-"),
            ("odd (enforce) ", "odd (enforce) ", "-"),
            ("", "", "-"),
        ] {
            assert_eq!(told(label), (profile.into(), mode.into()), "{label}");
        }
    }

    #[test]
    fn a_stack_is_a_set() {
        for (label, profile, mode) in [
            ("audited//&web (mixed)", "audited + web", "mixed"),
            ("web//&audited (mixed)", "audited + web", "mixed"),
            ("b//&unconfined (enforce)", "b + unconfined", "enforce"),
            (":ns1:b (enforce)", ":ns1:b", "enforce"),
            (":ns1:unconfined", ":ns1:unconfined", "-"),
            ("b//&:ns1:unconfined (enforce)", ":ns1:unconfined + b", "enforce"),
            ("b//&:ns1:c//&d (mixed)", ":ns1:c + :ns1:d + b", "mixed"),
        ] {
            assert_eq!(told(label), (profile.into(), mode.into()), "{label}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            for label in [bytes.clone(), [b":".as_slice(), &bytes, b"//&:", &bytes, b" (enforce)"].concat()] {
                let _ = AppArmor.part(&label, Key::ApparmorMode);
                let _ = AppArmor.part(&label, Key::ApparmorProfile);
            }
        }
    }
}
