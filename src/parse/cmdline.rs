//! `/proc/PID/cmdline`, proc_pid_cmdline(5).

use crate::snapshot::Cmdline;

/// Splits at NUL; empty arguments are kept. A process may have overwritten the text and left no NUL at its end.
#[must_use]
pub fn parse(bytes: &[u8], truncated: bool) -> Cmdline {
    let text = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    let arguments = text.split(|b| *b == 0).map(<[u8]>::to_vec).collect();
    Cmdline { arguments, truncated }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn empty_arguments_are_arguments() {
        assert_eq!(parse(b"\x002\0", false).arguments, [b"".to_vec(), b"2".to_vec()]);
        assert_eq!(
            parse(b"a\0\0b\0", false).arguments,
            [b"a".to_vec(), b"".to_vec(), b"b".to_vec()]
        );
        assert_eq!(parse(b"a\0\0", false).arguments, [b"a".to_vec(), b"".to_vec()]);
    }

    #[test]
    fn an_overwritten_title_without_nul_is_one_argument() {
        assert_eq!(
            parse(b"nginx: master process", false).arguments,
            [b"nginx: master process".to_vec()]
        );
    }

    proptest! {
        #[test]
        fn arguments_come_back_as_they_were_given(arguments: Vec<Vec<u8>>) {
            let arguments: Vec<Vec<u8>> =
                arguments.into_iter().map(|a| a.into_iter().filter(|b| *b != 0).collect()).collect();
            prop_assume!(!arguments.is_empty());
            let text: Vec<u8> = arguments.iter().flat_map(|a| a.iter().copied().chain([0])).collect();
            prop_assert_eq!(parse(&text, false).arguments, arguments);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes, true);
        }
    }
}
