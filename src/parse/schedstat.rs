//! `/proc/PID/task/TID/schedstat`, Documentation/scheduler/sched-stats.rst of the kernel.

use super::number;
use crate::snapshot::Thread;

/// Nanoseconds on a core, nanoseconds of waiting for one, and how often; the last is not used.
#[must_use]
pub fn parse(tid: i32, bytes: &[u8]) -> Option<Thread> {
    let mut fields = bytes.split(u8::is_ascii_whitespace);
    Some(Thread {
        tid,
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
        let thread = |run, wait| Some(Thread { tid: 9, run, wait });
        assert_eq!(parse(9, b"1234 56 7\n"), thread(1234, 56));
        assert_eq!(parse(9, b"1234\n"), None);
        assert_eq!(parse(9, b""), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = parse(9, &bytes);
        }
    }
}
