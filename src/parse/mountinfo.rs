//! `/proc/self/mountinfo`, proc_pid_mountinfo(5): how a proc file system is mounted.

/// The options of a proc file system that hide something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcMount {
    /// `hidepid=`, unless it is off.
    pub hidepid: Option<String>,
    /// `gid=`: its members see everything with hidepid 1 and 2. The kernel leaves it out where it is 0.
    pub gid: u32,
    /// `subset=pid`: there is no `sys/`, and so no boot id.
    pub only_pids: bool,
}

/// The topmost proc file system mounted at `dir`.
#[must_use]
pub fn proc_at(text: &[u8], dir: &[u8]) -> Option<ProcMount> {
    text.rsplit(|b| *b == b'\n').find_map(|line| proc_line(line, dir))
}

/// `ID PARENT MAJOR:MINOR ROOT MOUNTPOINT OPTIONS [TAG…] - TYPE SOURCE SUPEROPTIONS`: blanks within a field are
/// written `\040`, so the first lone `-` ends the tags. Paths are bytes, not text.
fn proc_line(line: &[u8], dir: &[u8]) -> Option<ProcMount> {
    let mut fields = line.split(|b| *b == b' ');
    let point = fields.by_ref().nth(4)?;
    let mut right = fields.skip_while(|field| *field != b"-").skip(1);
    let (kind, _source, options) = (right.next()?, right.next()?, right.next().unwrap_or_default());
    if kind != b"proc" || unescape(point) != dir {
        return None;
    }
    let mut found = ProcMount::default();
    for option in String::from_utf8_lossy(options).split(',') {
        match option.split_once('=') {
            Some(("hidepid", how)) if !matches!(how, "0" | "off") => found.hidepid = Some(how.to_owned()),
            Some(("gid", gid)) => found.gid = gid.parse().unwrap_or(0),
            Some(("subset", "pid")) => found.only_pids = true,
            _ => {}
        }
    }
    Some(found)
}

/// Blanks, tabs, newlines and backslashes are written as three octal digits: mangle_path() of fs/seq_file.c.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        match (first, after) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..]) => {
                out.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = tail;
            }
            _ => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hidepid_is_found_in_the_super_options() {
        let text = b"21 20 0:5 / /proc rw,relatime - proc proc rw\n\
                     30 20 0:9 / /my\\040proc rw - proc proc rw,gid=777,hidepid=invisible\n";
        assert_eq!(proc_at(text, b"/proc"), Some(ProcMount::default()));
        let hidden = proc_at(text, b"/my proc").unwrap();
        assert_eq!((hidden.hidepid.as_deref(), hidden.gid), (Some("invisible"), 777));
        assert_eq!(proc_at(text, b"/sys"), None);
    }

    #[test]
    fn a_later_mount_covers_an_earlier_one_and_tags_are_passed_over() {
        let text = b"21 20 0:5 / /p\xff\\134 rw shared:7 master:1 - proc proc rw,hidepid=2\n\
                     30 21 0:9 / /p\xff\\134 rw - proc none rw,hidepid=off,subset=pid\n";
        let top = proc_at(text, b"/p\xff\\").unwrap();
        assert_eq!((top.hidepid, top.only_pids), (None, true));
        let other = b"1 2 0:5 / /x rw - tmpfs - rw,hidepid=2\n";
        assert_eq!(proc_at(other, b"/x"), None);
    }

    #[test]
    fn only_three_octal_digits_are_an_escape() {
        assert_eq!(unescape(b"\\040\\9\\777\\04"), b" \\9\\777\\04");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = proc_at(&bytes, b"/proc");
            let _ = unescape(&bytes);
        }
    }
}
