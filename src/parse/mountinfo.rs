//! `/proc/self/mountinfo`, proc_pid_mountinfo(5): how a proc file system is mounted.

/// The options of a proc file system that hide something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcMount {
    /// `hidepid=`, unless it is off.
    pub hidepid: Option<String>,
    /// `gid=`: its members see everything with hidepid 1 and 2.
    pub gid: u32,
}

/// The topmost proc file system mounted at `dir`.
#[must_use]
pub fn proc_at(text: &[u8], dir: &[u8]) -> Option<ProcMount> {
    let lines = text.split(|b| *b == b'\n');
    lines.rev().find_map(|line| proc_line(line, dir))
}

fn proc_line(line: &[u8], dir: &[u8]) -> Option<ProcMount> {
    let line = String::from_utf8_lossy(line);
    let (mount, file_system) = line.split_once(" - ")?;
    let point = mount.split(' ').nth(4)?;
    let mut right = file_system.split(' ');
    let (kind, _device, options) = (right.next()?, right.next()?, right.next().unwrap_or_default());
    if kind != "proc" || unescape(point) != dir {
        return None;
    }
    let mut found = ProcMount::default();
    for option in options.split(',') {
        match option.split_once('=') {
            Some(("hidepid", how)) if !matches!(how, "0" | "off") => found.hidepid = Some(how.to_owned()),
            Some(("gid", gid)) => found.gid = gid.parse().unwrap_or(0),
            _ => {}
        }
    }
    Some(found)
}

/// Blanks, tabs, newlines and backslashes are written as three octal digits.
fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..3).filter(|_| *first == b'\\');
        match digits
            .and_then(|d| std::str::from_utf8(d).ok())
            .and_then(|d| u8::from_str_radix(d, 8).ok())
        {
            Some(byte) => {
                out.push(byte);
                rest = &after[3..];
            }
            None => {
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

    #[test]
    fn hidepid_is_found_in_the_super_options() {
        let text = b"21 20 0:5 / /proc rw,relatime - proc proc rw\n\
                     30 20 0:9 / /my\\040proc rw - proc proc rw,gid=777,hidepid=invisible\n";
        assert_eq!(proc_at(text, b"/proc"), Some(ProcMount::default()));
        let hidden = proc_at(text, b"/my proc").unwrap();
        assert_eq!((hidden.hidepid.as_deref(), hidden.gid), (Some("invisible"), 777));
        assert_eq!(proc_at(text, b"/sys"), None);
    }
}
