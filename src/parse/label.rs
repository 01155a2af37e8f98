//! `/proc/PID/attr/current` and its like: the label of a security module.

/// The label without its terminator: SELinux ends it with a NUL, AppArmor with a newline, Smack with nothing. Nothing
/// else is taken off, for a profile's name may hold any byte. Nothing is left of a file that tells nothing.
#[must_use]
pub fn parse(bytes: &[u8]) -> Option<Vec<u8>> {
    let end = bytes.iter().rposition(|byte| !matches!(byte, 0 | b'\n'))?;
    Some(bytes[..=end].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_terminator_is_taken_off_and_nothing_else() {
        for (bytes, label) in [
            (
                &b"system_u:system_r:init_t:s0\0"[..],
                &b"system_u:system_r:init_t:s0"[..],
            ),
            (b"system_u:system_r:init_t\0", b"system_u:system_r:init_t"),
            (b"kernel\0", b"kernel"),
            (b"unconfined\n", b"unconfined"),
            (b"two words (enforce)\n", b"two words (enforce)"),
            (b" tab\tand \xff (kill)\n", b" tab\tand \xff (kill)"),
            (b"_", b"_"),
            (b"User::App(x):y", b"User::App(x):y"),
        ] {
            assert_eq!(parse(bytes).as_deref(), Some(label));
        }
    }

    #[test]
    fn an_empty_file_is_no_label() {
        for bytes in [&b""[..], b"\0", b"\n", b"\n\0"] {
            assert_eq!(parse(bytes), None);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_and_the_label_is_their_beginning(bytes: Vec<u8>) {
            if let Some(label) = parse(&bytes) {
                prop_assert!(bytes.starts_with(&label) && !label.is_empty());
            }
        }
    }
}
