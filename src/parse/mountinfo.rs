//! `/proc/self/mountinfo`, proc_pid_mountinfo(5): how a proc file system is mounted, and where cgroup2 is.

use super::number;

/// How a proc file system is mounted, as far as that hides something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcMount {
    /// `hidepid=`, unless it is off.
    pub hidepid: Option<String>,
    /// `gid=`: its members see everything with hidepid 1 and 2. The kernel leaves it out where it is 0.
    pub gid: u32,
    /// `subset=pid`: there is no `sys/`, and so no boot id.
    pub only_pids: bool,
    /// What is mounted over its processes.
    pub covers: Vec<Cover>,
}

/// A mount over `/proc/PID`, or over something in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cover {
    /// The process that is covered, or a part of it.
    pub pid: i32,
    /// Whether all of it is, and not a file of it only.
    pub whole: bool,
    /// Where it is mounted.
    pub point: String,
    /// The type of its file system.
    pub kind: String,
}

/// A line: `ID PARENT MAJOR:MINOR ROOT MOUNTPOINT OPTIONS [TAG…] - TYPE SOURCE SUPEROPTIONS`. Blanks within a field are
/// written `\040`, so the first lone `-` ends the tags. Paths are bytes, not text.
struct Mount<'a> {
    id: u32,
    parent: u32,
    device: (u32, u32),
    root: &'a [u8],
    point: &'a [u8],
    kind: &'a [u8],
    options: &'a [u8],
}

impl Mount<'_> {
    fn of(line: &[u8]) -> Option<Mount<'_>> {
        let mut fields = line.split(|b| *b == b' ');
        let (id, parent) = (number(fields.next()?)?, number(fields.next()?)?);
        let mut device = fields.next()?.split(|b| *b == b':');
        let device = (number(device.next()?)?, number(device.next()?)?);
        let (root, point) = (fields.next()?, fields.next()?);
        let mut right = fields.skip_while(|field| *field != b"-").skip(1);
        let (kind, _source) = (right.next()?, right.next()?);
        Some(Mount {
            id,
            parent,
            device,
            root,
            point,
            kind,
            options: right.next().unwrap_or_default(),
        })
    }

    fn is_proc_on(&self, device: (u32, u32)) -> bool {
        self.kind == b"proc" && self.device == device
    }

    /// Whom it covers, if it is mounted on this proc file system: the kernel writes no PID with a leading zero.
    fn covers(&self, proc: &Mount<'_>) -> Option<Cover> {
        let below = self.point.strip_prefix(proc.point)?.strip_prefix(b"/")?;
        let mut names = below.split(|b| *b == b'/');
        let name = names.next()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(&unescaped(bytes)).into_owned();
        (self.parent == proc.id && name.iter().all(u8::is_ascii_digit)).then_some(Cover {
            pid: number(name)?,
            whole: names.next().is_none(),
            point: text(self.point),
            kind: text(self.kind),
        })
    }
}

/// The proc file system on this device, `(MAJOR, MINOR)`: the options are those of the file system, wherever it is
/// mounted. What is mounted over `/proc/meminfo` and the like, as in containers, covers no process.
#[must_use]
pub fn proc_on(text: &[u8], device: (u32, u32)) -> Option<ProcMount> {
    let mounts: Vec<Mount<'_>> = text.split(|b| *b == b'\n').filter_map(Mount::of).collect();
    let mut found = options(mounts.iter().find(|mount| mount.is_proc_on(device))?.options);
    for proc in mounts
        .iter()
        .filter(|mount| mount.is_proc_on(device) && mount.root == b"/")
    {
        found
            .covers
            .extend(mounts.iter().filter_map(|mount| mount.covers(proc)));
    }
    Some(found)
}

fn options(options: &[u8]) -> ProcMount {
    let mut found = ProcMount::default();
    for option in String::from_utf8_lossy(options).split(',') {
        match option.split_once('=') {
            Some(("hidepid", how)) if !matches!(how, "0" | "off") => found.hidepid = Some(how.to_owned()),
            Some(("gid", gid)) => found.gid = gid.parse().unwrap_or(0),
            Some(("subset", "pid")) => found.only_pids = true,
            _ => {}
        }
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

    #[test]
    fn a_mount_over_a_process_covers_it_and_one_beside_the_processes_does_not() {
        let text = b"21 20 0:5 / /proc rw - proc proc rw\n\
                     22 21 0:44 / /proc/meminfo rw - fuse.lxcfs lxcfs rw\n\
                     23 21 0:5 /sys /proc/sys rw - proc proc rw\n\
                     24 21 0:6 /null /proc/kcore rw - devtmpfs udev rw\n\
                     25 23 0:40 / /proc/sys/fs/binfmt_misc rw - binfmt_misc x rw\n\
                     26 21 8:1 /e /proc/812 rw - ext4 /dev/sda1 rw\n\
                     27 21 0:5 /1/fd /proc/7/fd rw shared:3 - proc proc rw\n\
                     28 27 0:9 / /proc/7/fd/x\\040y rw - tmpfs tmpfs rw\n\
                     29 20 0:9 / /proc/9 rw - tmpfs tmpfs rw\n\
                     30 20 0:9 / /process/9 rw - tmpfs tmpfs rw\n";
        let covers = proc_on(text, (0, 5)).unwrap().covers;
        let told: Vec<(i32, &str, &str)> = covers
            .iter()
            .map(|cover| (cover.pid, cover.point.as_str(), cover.kind.as_str()))
            .collect();
        assert_eq!(told, [(812, "/proc/812", "ext4"), (7, "/proc/7/fd", "proc")]);
    }

    #[test]
    fn a_proc_file_system_over_another_shows_nothing_of_what_covered_that() {
        let text = b"21 20 0:5 / /proc rw - proc proc rw\n\
                     22 21 0:9 / /proc/7 rw - tmpfs tmpfs rw\n\
                     23 21 0:6 / /proc rw - proc proc rw\n";
        assert_eq!(proc_on(text, (0, 6)).unwrap().covers, []);
        assert_eq!(proc_on(text, (0, 5)).unwrap().covers.len(), 1);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = cgroup2(&bytes);
            let _ = cgroup2(&[b"1 2 0:5 / ".as_slice(), &bytes, b" x - cgroup2 "].concat());
            let _ = proc_on(&bytes, (0, 5));
            let _ = proc_on(&[b"1 2 0:5 / / - proc ".as_slice(), &bytes].concat(), (0, 5));
            let _ = proc_on(&[b"1 2 0:5 / / - proc x -\n3 1 0:5 / /".as_slice(), &bytes].concat(), (0, 5));
            let _ = mount_above(&[b"1 2 0:5 / ".as_slice(), &bytes].concat(), b"/x");
        }
    }
}
