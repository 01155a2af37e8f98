//! `/proc/self/mountinfo`, proc_pid_mountinfo(5): how a proc file system is mounted, and where cgroup2 is.

use super::number;

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

/// The proc file system on this device, `(MAJOR, MINOR)`: the options are those of the file system, wherever it is
/// mounted.
#[must_use]
pub fn proc_on(text: &[u8], device: (u32, u32)) -> Option<ProcMount> {
    text.split(|b| *b == b'\n')
        .find_map(|line| proc_line(line, device))
}

/// `ID PARENT MAJOR:MINOR ROOT MOUNTPOINT OPTIONS [TAG…] - TYPE SOURCE SUPEROPTIONS`: blanks within a field are
/// written `\040`, so the first lone `-` ends the tags. Paths are bytes, not text.
fn proc_line(line: &[u8], device: (u32, u32)) -> Option<ProcMount> {
    let mut fields = line.split(|b| *b == b' ');
    let mut numbers = fields.by_ref().nth(2)?.split(|b| *b == b':');
    let found = (number(numbers.next()?)?, number(numbers.next()?)?);
    let mut right = fields.skip_while(|field| *field != b"-").skip(1);
    let (kind, _source, options) = (right.next()?, right.next()?, right.next().unwrap_or_default());
    if kind != b"proc" || found != device {
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

/// Mounts over `/proc/PID`, or over something in it, each a sentence.
#[must_use]
pub fn over_processes(text: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for line in text.split(|b| *b == b'\n') {
        let mut fields = line.split(|b| *b == b' ');
        let Some(point) = fields.nth(4) else { continue };
        let Some(below) = point.strip_prefix(b"/proc/") else {
            continue;
        };
        let first = below.split(|b| *b == b'/').next().unwrap_or_default();
        if first.is_empty() || !first.iter().all(u8::is_ascii_digit) {
            continue;
        }
        let kind = fields
            .skip_while(|field| *field != b"-")
            .nth(1)
            .unwrap_or_default();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        found.push(format!(
            "{} is covered by a mount ({})",
            text(&unescaped(point)),
            text(kind)
        ));
    }
    found
}

/// The deepest mount point that a path is at or below; none where that is the root. Paths are compared as they are
/// written.
#[must_use]
pub fn mount_above(text: &[u8], path: &[u8]) -> Option<Vec<u8>> {
    let points = text
        .split(|b| *b == b'\n')
        .filter_map(|line| Some(unescaped(line.split(|b| *b == b' ').nth(4)?)));
    let above = |point: &Vec<u8>| {
        let rest = path.strip_prefix(point.as_slice());
        point != b"/" && rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
    };
    points.filter(above).max_by_key(Vec::len)
}

/// Where a cgroup2 file system is mounted; the one that shows most, where there are several: a container's is often
/// only a part of the hierarchy.
#[must_use]
pub fn cgroup2(text: &[u8]) -> Option<Vec<u8>> {
    let mounts = text.split(|b| *b == b'\n').filter_map(cgroup2_line);
    let (_, place) = mounts.min_by_key(|(root, _)| root.len())?;
    Some(place)
}

/// The root of the mount within its file system, and its place.
fn cgroup2_line(line: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut fields = line.split(|b| *b == b' ');
    let (root, place) = (fields.by_ref().nth(3)?, fields.next()?);
    let mut right = fields.skip_while(|field| *field != b"-").skip(1);
    (right.next()? == b"cgroup2").then(|| (unescaped(root), unescaped(place)))
}

/// `\040` and the like are bytes that would end a field.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, more)) = rest.split_first() {
        let code = more.get(..3).and_then(octal).filter(|_| *first == b'\\');
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &more[3..] } else { more };
    }
    bytes
}

fn octal(digits: &[u8]) -> Option<u8> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hidepid_is_found_in_the_super_options() {
        let text = b"21 20 0:5 / /proc rw,relatime - proc proc rw\n\
                     30 20 0:9 / /my\\040proc rw - proc proc rw,gid=777,hidepid=invisible\n";
        assert_eq!(proc_on(text, (0, 5)), Some(ProcMount::default()));
        let hidden = proc_on(text, (0, 9)).unwrap();
        assert_eq!((hidden.hidepid.as_deref(), hidden.gid), (Some("invisible"), 777));
        assert_eq!(proc_on(text, (9, 0)), None);
    }

    #[test]
    fn tags_are_passed_over_and_paths_need_no_utf8() {
        let text = b"30 21 0:9 / /p\xff\\134 rw shared:7 master:1 - proc none rw,hidepid=off,subset=pid\n";
        let top = proc_on(text, (0, 9)).unwrap();
        assert_eq!((top.hidepid, top.only_pids), (None, true));
    }

    #[test]
    fn the_deepest_mount_above_a_path_is_found() {
        let text = b"1 0 8:1 / / rw - ext4 x rw\n2 1 0:9 / /mnt rw - nfs x rw\n3 2 0:8 / /mnt/a\\040b rw - fuse x rw\n";
        let above = |path: &[u8]| mount_above(text, path);
        assert_eq!(above(b"/mnt/a b/c").as_deref(), Some(b"/mnt/a b".as_slice()));
        assert_eq!(above(b"/mnt/a").as_deref(), Some(b"/mnt".as_slice()));
        assert_eq!(above(b"/mnt").as_deref(), Some(b"/mnt".as_slice()));
        assert_eq!(above(b"/mntx"), None);
        assert_eq!(unescaped(b"a\\134\\04x\\"), b"a\\\\04x\\");
    }

    #[test]
    fn another_file_system_has_no_such_options() {
        let other = b"1 2 0:5 / /x rw - tmpfs - rw,hidepid=2\n";
        assert_eq!(proc_on(other, (0, 5)), None);
    }

    #[test]
    fn cgroup2_is_found_beside_the_old_hierarchies_and_blanks_in_its_path_are_given_back() {
        let text = b"31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n\
            32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
            41 31 0:38 /part /part rw - cgroup2 cgroup2 rw\n\
            41 31 0:38 / /sys/a\\040b\\134\\0x rw shared:3 - cgroup2 none rw,nsdelegate\n";
        assert_eq!(cgroup2(text).unwrap(), b"/sys/a b\\\\0x");
        assert_eq!(cgroup2(b"1 2 0:5 / /x rw - tmpfs - rw\n"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = cgroup2(&bytes);
            let _ = cgroup2(&[b"1 2 0:5 / ".as_slice(), &bytes, b" x - cgroup2 "].concat());
            let _ = proc_on(&bytes, (0, 5));
            let _ = proc_on(&[b"1 2 0:5 / / - proc ".as_slice(), &bytes].concat(), (0, 5));
            let _ = mount_above(&[b"1 2 0:5 / ".as_slice(), &bytes].concat(), b"/x");
        }
    }
}
