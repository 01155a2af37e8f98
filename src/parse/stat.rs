//! `/proc/PID/stat`, proc_pid_stat(5).

use super::number;
use crate::snapshot::Stat;

/// Fields after comm, up to number 41, and how many of them every kernel has: up to rss, number 24.
const FIELDS: usize = 41 - 2;
const NEEDED: usize = 24 - 2;

/// Parses the line. comm stands in brackets and may hold brackets, blanks and newlines itself: it ends at the last
/// `)`, for nothing after it can hold one.
#[must_use]
pub fn parse(bytes: &[u8]) -> Option<Stat> {
    let open = bytes.iter().position(|b| *b == b'(')?;
    let close = bytes.iter().rposition(|b| *b == b')')?;
    let comm = bytes.get(open + 1..close)?.to_vec();
    let mut fields = [&b""[..]; FIELDS];
    let rest = bytes.get(close + 1..)?.split(|b| *b == b' ' || *b == b'\n');
    let mut found = 0;
    for (field, text) in fields.iter_mut().zip(rest.filter(|field| !field.is_empty())) {
        *field = text;
        found += 1;
    }
    // Those after rss came with later kernels, and copies may lack them.
    if found < NEEDED {
        return None;
    }
    // The first field after comm is number 3 of the manual.
    let field = |number: usize| fields[number - 3];
    Some(Stat {
        comm,
        state: *field(3).first()?,
        ppid: number(field(4))?,
        pgrp: number(field(5))?,
        session: number(field(6))?,
        tty_nr: number(field(7))?,
        tpgid: number(field(8))?,
        flags: number(field(9))?,
        utime: number(field(14))?,
        stime: number(field(15))?,
        cutime: ticks(field(16))?,
        cstime: ticks(field(17))?,
        nice: number(field(19))?,
        num_threads: number(field(20))?,
        starttime: number(field(22))?,
        vsize: number(field(23))?,
        // rss is signed in the kernel and may be read below zero for a moment.
        rss: number::<i64>(field(24))?.try_into().unwrap_or(0),
        policy: number(field(41)),
    })
}

/// cutime and cstime are signed in the format, and never negative.
fn ticks(field: &[u8]) -> Option<u64> {
    Some(number::<i64>(field)?.try_into().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TAIL: &str =
        "S 1 811 812 34816 -1 4194560 5 0 0 0 1 2 0 0 20 -5 3 0 4711 8192000 215 18446744073709551615";

    #[test]
    fn fields_are_found_by_the_manuals_numbers() {
        let stat = parse(format!("812 (sshd) {TAIL}\n").as_bytes()).unwrap();
        assert_eq!(stat.comm, b"sshd");
        assert_eq!(
            (stat.state, stat.ppid, stat.session, stat.tty_nr),
            (b'S', 1, 812, 34816)
        );
        assert_eq!((stat.pgrp, stat.tpgid), (811, -1));
        assert_eq!((stat.flags, stat.nice, stat.num_threads), (4_194_560, -5, 3));
        assert_eq!((stat.starttime, stat.vsize, stat.rss), (4711, 8_192_000, 215));
        assert_eq!((stat.utime, stat.stime, stat.cutime, stat.cstime), (1, 2, 0, 0));
        assert_eq!(stat.policy, None);
        let whole = format!("812 (sshd) {TAIL} {} 3 0", "0 ".repeat(15).trim_end());
        assert_eq!(parse(whole.as_bytes()).unwrap().policy, Some(3));
    }

    #[test]
    fn a_name_with_brackets_blanks_and_newlines_stays_whole() {
        for name in ["a) R 1 (b", "x\ny", "))", "", "a b"] {
            let stat = parse(format!("1 ({name}) {TAIL}").as_bytes()).unwrap();
            assert_eq!(stat.comm, name.as_bytes());
            assert_eq!(stat.ppid, 1);
        }
        let raw = [b"1 (\xff\x1b) ".as_slice(), TAIL.as_bytes()].concat();
        assert_eq!(parse(&raw).unwrap().comm, b"\xff\x1b");
    }

    #[test]
    fn a_short_line_is_malformed() {
        assert_eq!(parse(b"1 (x) S 1"), None);
        assert_eq!(parse(b""), None);
        assert_eq!(parse(b")("), None);
    }

    proptest! {
        #[test]
        fn any_name_is_given_back_as_it_is(name: Vec<u8>) {
            let raw = [b"1 (".as_slice(), &name, b") ", TAIL.as_bytes(), b"\n"].concat();
            prop_assert_eq!(parse(&raw).unwrap().comm, name);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
            let _ = parse(&[b"1 (", bytes.as_slice(), b") ", &bytes].concat());
        }
    }
}
