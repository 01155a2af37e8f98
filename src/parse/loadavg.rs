//! `/proc/loadavg`, proc_loadavg(5).

use super::{decimal, number};
use crate::snapshot::Loadavg;

/// `5.13 14.69 13.43 8/174 7635`: three averages, tasks that run and all of them, and the newest PID.
#[must_use]
pub fn parse(bytes: &[u8]) -> Option<Loadavg> {
    let mut fields = bytes
        .split(u8::is_ascii_whitespace)
        .filter(|field| !field.is_empty());
    let mut averages = [0.0; 3];
    for average in &mut averages {
        *average = decimal(fields.next()?)?;
    }
    Some(Loadavg {
        averages,
        tasks: fields.next().and_then(tasks),
    })
}

fn tasks(field: &[u8]) -> Option<(u64, u64)> {
    let slash = field.iter().position(|byte| *byte == b'/')?;
    Some((number(&field[..slash])?, number(&field[slash + 1..])?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn averages_and_tasks_are_read() {
        let told = parse(b"5.13 14.69 0.00 8/174 7635\n").unwrap();
        assert_eq!((told.averages, told.tasks), ([5.13, 14.69, 0.0], Some((8, 174))));
        assert_eq!(parse(b"1 2 3").unwrap().tasks, None);
    }

    #[test]
    fn what_is_no_number_is_malformed_and_never_zero() {
        for text in [
            "", "\n", "1.0 2.0", "x 1 1", "-1 1 1", "nan 1 1", "inf 1 1", "1e3 1 1", ". 1 1",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn averages_come_back_as_the_kernel_writes_them(a in 0..1_000_000u64, b in 0..100u64) {
            let told = parse(format!("{a}.{b:02} 0.00 0.00 1/2 3\n").as_bytes()).unwrap();
            prop_assert_eq!(format!("{:.2}", told.averages[0]), format!("{a}.{b:02}"));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
            let _ = parse(&[b"1 2 3 ".as_slice(), &bytes].concat());
        }
    }
}
