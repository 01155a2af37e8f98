//! `/proc/PID/maps`, proc_pid_maps(5): what a process may execute.

/// A mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Whether it may be written to.
    pub writable: bool,
    /// Whether it may be executed.
    pub executable: bool,
    /// The inode of its file; 0 for memory without one.
    pub inode: u64,
    /// The path of its file as the kernel writes it, ` (deleted)` included; none for memory without a file.
    pub path: Option<Vec<u8>>,
}

/// Parses one line; `None` for a line that is none.
#[must_use]
pub fn mapping(line: &[u8]) -> Option<Mapping> {
    let mut fields = line.splitn(5, |byte| *byte == b' ');
    let (_, rights, _, _, rest) = (
        fields.next()?,
        fields.next()?,
        fields.next()?,
        fields.next()?,
        fields.next()?,
    );
    let end = rest.iter().position(|byte| *byte == b' ').unwrap_or(rest.len());
    let (inode, path) = rest.split_at(end);
    let begin = path.iter().position(|byte| *byte != b' ').unwrap_or(path.len());
    let named = inode != b"0" && path[begin..].starts_with(b"/");
    Some(Mapping {
        writable: rights.get(1) == Some(&b'w'),
        executable: rights.get(2) == Some(&b'x'),
        inode: super::number(inode).unwrap_or_default(),
        path: named.then(|| unescaped(&path[begin..])),
    })
}

/// The kernel writes a newline as `\012`, and nothing else so: seq_file_path() of fs/seq_file.c.
fn unescaped(path: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((first, more)) = rest.split_first() {
        if let Some(more) = rest.strip_prefix(b"\\012") {
            plain.push(b'\n');
            rest = more;
        } else {
            plain.push(*first);
            rest = more;
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> Option<(bool, bool, Option<String>)> {
        let mapping = mapping(line.as_bytes())?;
        Some((
            mapping.executable,
            mapping.writable,
            mapping.path.map(|path| String::from_utf8(path).unwrap()),
        ))
    }

    #[test]
    fn a_file_is_read_with_its_blanks_and_newlines() {
        let lib = "7f1 r-xp 00026000 fe:00 1835 ";
        for (path, read) in [
            ("/usr/lib/libc.so.6", "/usr/lib/libc.so.6"),
            ("                   /a b (deleted)", "/a b (deleted)"),
            ("/a\\012b", "/a\nb"),
        ] {
            let line = format!("{lib}{path}");
            assert_eq!(told(&line), Some((true, false, Some(read.into()))), "{line}");
        }
    }

    #[test]
    fn memory_without_a_file_has_no_path() {
        assert_eq!(told("7f1-7f2 rwxp 00000000 00:00 0 "), Some((true, true, None)));
        assert_eq!(told("7f1-7f2 rwxp 00000000 00:00 0"), Some((true, true, None)));
        assert_eq!(
            told("7f1-7f2 r-xp 00000000 00:00 0          [vdso]"),
            Some((true, false, None))
        );
    }

    #[test]
    fn what_may_not_be_executed_is_told_and_what_is_no_line_is_passed_over() {
        let data = "7f1-7f2 rw-p 00000000 fe:00 1835 /usr/lib/libc.so.6";
        assert_eq!(told(data), Some((false, true, Some("/usr/lib/libc.so.6".into()))));
        for line in ["", "x", "a b c"] {
            assert_eq!(told(line), None, "{line}");
        }
    }
}
