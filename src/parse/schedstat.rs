//! `/proc/PID/task/TID/schedstat`, Documentation/scheduler/sched-stats.rst of the kernel.

use super::number;
use crate::snapshot::Sched;

/// Nanoseconds on a core, nanoseconds of waiting for one, and how often; the last is not used.
#[must_use]
pub fn parse(bytes: &[u8]) -> Option<Sched> {
    let mut fields = bytes.split(u8::is_ascii_whitespace);
    Some(Sched {
        run: number(fields.next()?)?,
        wait: number(fields.next()?)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_of_running_and_waiting_are_read() {
        assert_eq!(parse(b"1234 56 7\n"), Some(Sched { run: 1234, wait: 56 }));
        assert_eq!(parse(b"1234\n"), None);
        assert_eq!(parse(b""), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }
    }
}
