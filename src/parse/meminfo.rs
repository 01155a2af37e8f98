//! `/proc/meminfo`, proc_meminfo(5).

use super::number;
use crate::snapshot::Meminfo;

/// `MemTotal:       24683656 kB` and the like; lines that are not used may be anything.
#[must_use]
pub fn parse(bytes: &[u8]) -> Option<Meminfo> {
    let (mut total, mut told) = (None, Meminfo::default());
    for line in bytes.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let value = &line[colon + 1..];
        match &line[..colon] {
            b"MemTotal" => total = Some(kib(value)?),
            b"MemAvailable" => told.available = Some(kib(value)?),
            b"SwapTotal" => told.swap_total = Some(kib(value)?),
            b"SwapFree" => told.swap_free = Some(kib(value)?),
            _ => {}
        }
    }
    told.total = total.filter(|total| *total > 0)?;
    Some(told)
}

fn kib(value: &[u8]) -> Option<u64> {
    number(value.strip_suffix(b"kB")?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &[u8] = b"MemTotal:       2048 kB\nMemFree:          1 kB\nMemAvailable:    512 kB\n\
        SwapCached:        7 kB\nSwapTotal:       100 kB\nSwapFree:         40 kB\nHugePages_Total:       0\n";

    #[test]
    fn memory_and_swap_are_read() {
        let told = Meminfo {
            total: 2048,
            available: Some(512),
            swap_total: Some(100),
            swap_free: Some(40),
        };
        assert_eq!(parse(TEXT), Some(told));
    }

    #[test]
    fn an_old_kernel_does_not_tell_what_is_available() {
        assert_eq!(parse(b"MemTotal: 1 kB\nMemFree: 1 kB\n").unwrap().available, None);
    }

    #[test]
    fn without_a_total_it_is_malformed() {
        for text in [
            "",
            "MemAvailable: 1 kB\n",
            "MemTotal: 0 kB\n",
            "MemTotal: x kB\n",
            "MemTotal: 12\n",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(parse(b"MemTotal: 9 kB\nSwapFree: -1 kB\n"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
            let _ = parse(&[b"MemTotal:".as_slice(), &bytes].concat());
        }
    }
}
