//! `/proc/PID/environ`, proc_pid_environ(5): names of variables. Values may be secrets, and are let go of here.

use crate::snapshot::{Environ, Preload};

/// Parses as far as it was read.
#[must_use]
pub fn parse(bytes: &[u8], truncated: bool) -> Environ {
    let mut environ = Environ {
        truncated,
        ..Environ::default()
    };
    for entry in bytes.split(|byte| *byte == 0) {
        let Some(at) = entry.iter().position(|byte| *byte == b'=') else {
            continue;
        };
        let (name, value) = (&entry[..at], &entry[at + 1..]);
        // A title that was written over the environment holds blanks before its `=`, and maybe a secret.
        if value.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
            continue;
        }
        if name == b"LD_PRELOAD" {
            // ld.so(8): separated by blanks or colons.
            let libraries = value.split(|byte| b": ".contains(byte));
            let named = libraries.filter(|library| !library.is_empty());
            environ.preloads.extend(named.map(|name| Preload {
                name: name.to_vec(),
                roots: false,
            }));
        }
        environ.names.push(name.to_vec());
    }
    environ
}

/// The directories in which a library without a path is searched for first: an empty one is the working directory.
pub fn library_path(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let values = bytes
        .split(|byte| *byte == 0)
        .filter_map(|entry| entry.strip_prefix(b"LD_LIBRARY_PATH="));
    // ld.so(8): separated by colons or semicolons; without a value it does not count.
    let set = values.filter(|value| !value.is_empty());
    set.flat_map(|value| value.split(|byte| b":;".contains(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_and_values_do_not() {
        let environ = parse(b"PATH=/bin\0EMPTY=\0SECRET=hunter2=x\0broken\0=odd\0\0", false);
        let names: Vec<&[u8]> = environ.names.iter().map(Vec::as_slice).collect();
        assert_eq!(names, [&b"PATH"[..], b"SECRET", b""]);
        assert!(!format!("{environ:?}").contains("hunter2"));
    }

    #[test]
    fn a_title_in_place_of_the_environment_is_no_name() {
        let environ = parse(b"d: -p hunter2 --url http://x/?y=z\0A=b\0", false);
        assert_eq!(environ.names, [b"A"]);
    }

    #[test]
    fn preloads_are_told_one_by_one() {
        let environ = parse(b"LD_PRELOAD= /a.so:b.so  /c.so\0", true);
        let preloads: Vec<&[u8]> = environ
            .preloads
            .iter()
            .map(|preload| preload.name.as_slice())
            .collect();
        assert_eq!(preloads, [&b"/a.so"[..], b"b.so", b"/c.so"]);
        assert!(environ.truncated);
    }

    #[test]
    fn every_directory_of_a_library_path_counts_and_an_empty_one_too() {
        let environ = b"A=b\0LD_LIBRARY_PATH=\0LD_LIBRARY_PATH=/a:/b;\0LD_LIBRARY_PATH=/c\0";
        let told: Vec<&[u8]> = library_path(environ).collect();
        assert_eq!(told, [&b"/a"[..], b"/b", b"", b"/c"]);
    }
}
