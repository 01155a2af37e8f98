//! Which programs a profile of AppArmor is for: its own globs, apparmor.d(5).

use crate::snapshot::Programs;

/// Whether a program is one of them; none where it can't be told.
#[must_use]
pub(in crate::select) fn is_for(programs: &Programs, path: &[u8]) -> Option<bool> {
    match programs {
        Programs::Glob(glob) => Some(matches(glob, path)),
        Programs::Automaton(automaton) => automaton.accepts(path),
    }
}

/// Whether a path is one of those that a glob means: `*` and `?` stop at slashes, `**` does not, `[…]` and `{a,b}`.
#[must_use]
fn matches(glob: &[u8], path: &[u8]) -> bool {
    let Some((first, rest)) = glob.split_first() else {
        return path.is_empty();
    };
    match first {
        b'*' if rest.first() == Some(&b'*') => anything(&rest[1..], path, |_| true),
        b'*' => anything(rest, path, |byte| byte != b'/'),
        b'?' => path
            .split_first()
            .is_some_and(|(byte, path)| *byte != b'/' && matches(rest, path)),
        b'[' => class(rest).is_some_and(|(class, rest)| {
            path.split_first()
                .is_some_and(|(byte, path)| is_in(class, *byte) && matches(rest, path))
        }),
        b'{' => alternatives(rest).is_some_and(|(alternatives, rest)| {
            alternatives
                .iter()
                .any(|one| matches(&[one, rest].concat(), path))
        }),
        b'\\' => rest
            .split_first()
            .is_some_and(|(byte, rest)| literal(*byte, rest, path)),
        byte => literal(*byte, rest, path),
    }
}

fn literal(byte: u8, rest: &[u8], path: &[u8]) -> bool {
    path.split_first()
        .is_some_and(|(first, path)| *first == byte && matches(rest, path))
}

fn anything(rest: &[u8], path: &[u8], may: impl Fn(u8) -> bool) -> bool {
    let most = path.iter().take_while(|byte| may(**byte)).count();
    (0..=most).any(|length| matches(rest, &path[length..]))
}

fn class(glob: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = glob.iter().skip(1).position(|byte| *byte == b']')? + 1;
    Some((&glob[..end], &glob[end + 1..]))
}

fn is_in(class: &[u8], byte: u8) -> bool {
    let (not, class) = class
        .strip_prefix(b"^")
        .map_or((false, class), |class| (true, class));
    let range = class
        .windows(3)
        .any(|three| three[1] == b'-' && (three[0]..=three[2]).contains(&byte));
    byte != b'/' && not != (range || class.contains(&byte))
}

/// The alternatives up to the brace that closes them, and what follows.
fn alternatives(glob: &[u8]) -> Option<(Vec<&[u8]>, &[u8])> {
    let (mut depth, mut begin, mut all) = (0, 0, Vec::new());
    for (at, byte) in glob.iter().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => {
                all.push(&glob[begin..at]);
                return Some((all, &glob[at + 1..]));
            }
            b'}' => depth -= 1,
            b',' if depth == 0 => {
                all.push(&glob[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_mean_what_apparmor_d_5_says() {
        for (glob, path, holds) in [
            ("/usr/sbin/sshd", "/usr/sbin/sshd", true),
            ("/usr/sbin/sshd", "/usr/sbin/sshd2", false),
            ("/usr/{bin,sbin}/x", "/usr/sbin/x", true),
            ("/usr/{bin,sbin}/x", "/usr/lib/x", false),
            ("/{usr/,}{s,}bin/x", "/bin/x", true),
            ("/{a,{b,c}d}x", "/cdx", true),
            ("/opt/*/x", "/opt/a/x", true),
            ("/opt/*/x", "/opt/a/b/x", false),
            ("/opt/**/x", "/opt/a/b/x", true),
            ("/opt/**", "/opt/a/b", true),
            ("/x?", "/xy", true),
            ("/x?", "/x/", false),
            ("/x[0-9]", "/x7", true),
            ("/x[^0-9]", "/x7", false),
            ("/x\\*", "/x*", true),
            ("/x{a", "/xa", false),
            ("/x[a", "/xa", false),
            ("", "/x", false),
        ] {
            assert_eq!(matches(glob.as_bytes(), path.as_bytes()), holds, "{glob} {path}");
        }
    }
}
