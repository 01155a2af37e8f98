//! `/proc/pressure/RESOURCE` and `RESOURCE.pressure` of a cgroup, Documentation/accounting/psi.rst of the kernel.

use super::decimal;
use crate::snapshot::{Pressure, Stall};

/// A line `some avg10=0.12 avg60=0.05 avg300=0.01 total=4711`, and one that begins with `full`.
#[must_use]
pub fn parse(bytes: &[u8]) -> Option<Pressure> {
    let line = |kind: &[u8]| {
        bytes
            .split(|byte| *byte == b'\n')
            .find_map(|line| line.strip_prefix(kind))
    };
    Some(Pressure {
        some: stall(line(b"some ")?)?,
        full: match line(b"full ") {
            Some(line) => Some(stall(line)?),
            None => None,
        },
    })
}

fn stall(line: &[u8]) -> Option<Stall> {
    let value = |key: &[u8]| {
        let mut fields = line.split(|byte| *byte == b' ');
        decimal(fields.find_map(|field| field.strip_prefix(key))?)
    };
    Some(Stall {
        avg10: value(b"avg10=")?,
        avg60: value(b"avg60=")?,
        avg300: value(b"avg300=")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_lines_are_read() {
        let text = b"some avg10=85.00 avg60=92.25 avg300=71.67 total=2045125371\n\
            full avg10=0.50 avg60=0.00 avg300=0.00 total=0\n";
        let told = parse(text).unwrap();
        let some = Stall {
            avg10: 85.0,
            avg60: 92.25,
            avg300: 71.67,
        };
        assert_eq!(told.some, some);
        assert_eq!(told.full.map(|full| full.avg10), Some(0.5));
    }

    #[test]
    fn linux_before_5_13_tells_only_some_of_the_cpu() {
        assert_eq!(
            parse(b"some avg10=1.00 avg60=0.00 avg300=0.00 total=0\n")
                .unwrap()
                .full,
            None
        );
    }

    #[test]
    fn what_lacks_a_field_is_malformed() {
        assert_eq!(parse(b""), None);
        assert_eq!(parse(b"some avg10=1.00 avg60=0.00\n"), None);
        assert_eq!(parse(b"some avg10=1 avg60=1 avg300=1\nfull avg10=x\n"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
            let _ = parse(&[b"some avg10=".as_slice(), &bytes].concat());
        }
    }
}
