//! `/proc/PID/status`, proc_pid_status(5).

use super::number;
use crate::snapshot::Status;

/// Parses the lines that are used. `Name:` comes first and the kernel escapes newlines in it, so no name can fake
/// another line.
#[must_use]
pub fn parse(bytes: &[u8]) -> Option<Status> {
    let mut status = Status::default();
    let (mut uid, mut gid, mut groups) = (false, false, false);
    for line in bytes.split(|b| *b == b'\n') {
        let Some(colon) = line.iter().position(|b| *b == b':') else {
            continue;
        };
        let (key, value) = (&line[..colon], &line[colon + 1..]);
        match key {
            b"Uid" => {
                status.uid = four(value)?;
                uid = true;
            }
            b"Gid" => {
                status.gid = four(value)?;
                gid = true;
            }
            b"Groups" => {
                status.groups = numbers(value)?;
                groups = true;
            }
            b"VmSwap" => status.vm_swap = Some(kibibytes(value)?),
            b"VmRSS" => status.vm_rss = Some(kibibytes(value)?),
            b"VmLck" => status.vm_lck = Some(kibibytes(value)?),
            b"NSpid" => status.ns_pid = numbers(value)?,
            b"CapInh" => status.caps.inheritable = Some(mask(value)?),
            b"CapPrm" => status.caps.permitted = Some(mask(value)?),
            b"CapEff" => status.caps.effective = Some(mask(value)?),
            b"CapBnd" => status.caps.bounding = Some(mask(value)?),
            b"CapAmb" => status.caps.ambient = Some(mask(value)?),
            b"NoNewPrivs" => status.no_new_privs = Some(number::<u8>(value)? != 0),
            b"Seccomp" => status.seccomp = Some(number(value)?),
            b"TracerPid" => status.tracer = Some(number(value)?),
            b"Umask" => status.umask = Some(octal(value)?),
            _ => {}
        }
    }
    (uid && gid && groups).then_some(status)
}

/// `CapEff:` of capabilities(7), as a mask.
#[must_use]
pub fn cap_eff(bytes: &[u8]) -> Option<u64> {
    let line = bytes
        .split(|b| *b == b'\n')
        .find_map(|line| line.strip_prefix(b"CapEff:"))?;
    mask(line)
}

/// A size in kB, as bytes.
fn kibibytes(value: &[u8]) -> Option<u64> {
    let kib: u64 = number(value.strip_suffix(b"kB").unwrap_or(value))?;
    Some(kib.saturating_mul(1024))
}

fn mask(value: &[u8]) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(value).ok()?.trim(), 16).ok()
}

fn octal(value: &[u8]) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(value).ok()?.trim(), 8).ok()
}

/// `Tgid:`, the PID of the process that a thread belongs to.
#[must_use]
pub fn tgid(bytes: &[u8]) -> Option<i32> {
    let line = bytes
        .split(|b| *b == b'\n')
        .find_map(|line| line.strip_prefix(b"Tgid:"))?;
    number(line)
}

fn words(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
}

fn numbers<T: std::str::FromStr>(value: &[u8]) -> Option<Vec<T>> {
    words(value).map(number).collect()
}

fn four(value: &[u8]) -> Option<[u32; 4]> {
    numbers(value)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Caps;
    use proptest::prelude::*;

    #[test]
    fn ids_groups_swap_and_namespaces_are_read() {
        let text = b"Name:\tkworker/0:0\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t9 10 \nNSpid:\t70\t1\nVmLck:\t  4 kB\nVmRSS:\t8 kB\nVmSwap:\t  12 kB\n";
        let status = parse(text).unwrap();
        assert_eq!((status.uid, status.gid), ([1, 2, 3, 4], [5, 6, 7, 8]));
        assert_eq!(
            (status.groups, status.ns_pid, status.vm_swap),
            (vec![9, 10], vec![70, 1], Some(12288))
        );
        assert_eq!((status.vm_lck, status.vm_rss), (Some(4096), Some(8192)));
    }

    #[test]
    fn what_a_process_may_do_is_read() {
        let text = b"Name:\tx\nUmask:\t0027\nTracerPid:\t70\nUid:\t1\t1\t1\t1\nGid:\t1\t1\t1\t1\nGroups:\t\n\
            CapInh:\t0000000000000001\nCapPrm:\t0000000000000002\nCapEff:\t0000000000000004\n\
            CapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000008\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t7\n";
        let status = parse(text).unwrap();
        let caps = Caps {
            inheritable: Some(1),
            permitted: Some(2),
            effective: Some(4),
            bounding: Some((1 << 41) - 1),
            ambient: Some(8),
        };
        assert_eq!(status.caps, caps);
        assert_eq!((status.no_new_privs, status.seccomp), (Some(true), Some(2)));
        assert_eq!((status.tracer, status.umask), (Some(70), Some(0o27)));
    }

    #[test]
    fn a_line_that_the_kernel_lacks_is_no_zero() {
        let status = parse(b"Uid:\t1\t1\t1\t1\nGid:\t1\t1\t1\t1\nGroups:\t\n").unwrap();
        assert_eq!(status.caps, Caps::default());
        assert_eq!((status.no_new_privs, status.seccomp), (None, None));
        assert_eq!((status.tracer, status.umask), (None, None));
    }

    #[test]
    fn a_mask_that_is_none_is_malformed() {
        let text = b"Uid:\t1\t1\t1\t1\nGid:\t1\t1\t1\t1\nGroups:\t\nCapEff:\tx\n";
        assert_eq!(parse(text), None);
    }

    #[test]
    fn without_ids_it_is_malformed() {
        assert_eq!(parse(b"Name:\tx\nUid:\t1\t2\t3\n"), None);
        assert_eq!(parse(b"Name:\tx\n"), None);
    }

    #[test]
    fn a_name_is_no_line_and_needs_no_utf8() {
        let text = b"Name:\tx\\nUid:\t7\xff: y\nUid:\t1\t1\t1\t1\nGid:\t1\t1\t1\t1\nGroups:\t\n";
        let status = parse(text).unwrap();
        assert_eq!(
            (status.uid, status.groups.len(), status.vm_swap),
            ([1; 4], 0, None)
        );
        assert!(status.ns_pid.is_empty());
    }

    #[test]
    fn a_thread_tells_its_process() {
        assert_eq!(tgid(b"Name:\tTgid:\t1\nTgid:\t70\nPid:\t71\n"), Some(70));
        assert_eq!(tgid(b"Name:\tx\n"), None);
    }

    #[test]
    fn capabilities_are_hexadecimal() {
        assert_eq!(cap_eff(b"CapPrm:\t1\nCapEff:\t0000000000080000\n"), Some(1 << 19));
        assert_eq!(cap_eff(b"CapEff:\tx\n"), None);
        assert_eq!(cap_eff(b""), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
            let _ = cap_eff(&bytes);
            let _ = parse(&[b"Uid:".as_slice(), &bytes, b"\nGroups:", &bytes].concat());
            for line in [&b"CapEff:"[..], b"Umask:", b"Seccomp:", b"TracerPid:", b"NoNewPrivs:"] {
                let _ = parse(&[line, &bytes].concat());
            }
        }
    }
}
