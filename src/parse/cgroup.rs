//! `/proc/PID/cgroup`, cgroups(7): `ID:CONTROLLERS:PATH`, a line a hierarchy.

use crate::snapshot::Cgroup;

/// The path in systemd's hierarchy. On a hybrid host both `name=systemd` (v1) and `0::` (v2) are there, and one of
/// them may stay at the root: whichever is not `/` tells the unit, `name=systemd` first. Paths cannot hold newlines
/// (cgroup_mkdir() of kernel/cgroup/cgroup.c refuses them), but colons.
#[must_use]
pub fn parse(bytes: &[u8]) -> Option<Cgroup> {
    let mut unified = None;
    for line in bytes.split(|b| *b == b'\n') {
        let mut parts = line.splitn(3, |b| *b == b':');
        let (Some(id), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        if controllers == b"name=systemd" && path != b"/" {
            return Some(Cgroup { path: path.to_vec() });
        }
        if id == b"0" && controllers.is_empty() || controllers == b"name=systemd" && unified.is_none() {
            unified = Some(path);
        }
    }
    unified.map(|path| Cgroup { path: path.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(text: &str) -> Option<String> {
        parse(text.as_bytes()).map(|cgroup| String::from_utf8(cgroup.path).unwrap())
    }

    #[test]
    fn systemds_hierarchy_is_taken() {
        assert_eq!(
            path("0::/system.slice/ssh.service\n").unwrap(),
            "/system.slice/ssh.service"
        );
        assert_eq!(
            path("4:memory:/x\n1:name=systemd:/a.service\n0::/\n").unwrap(),
            "/a.service"
        );
        assert_eq!(path("9:name=systemd:/\n0::/init.scope\n").unwrap(), "/init.scope");
        assert_eq!(path("4:memory:/x\n"), None);
    }

    #[test]
    fn a_path_may_hold_colons() {
        assert_eq!(path("0::/a:b.service\n").unwrap(), "/a:b.service");
    }

    #[test]
    fn a_path_needs_no_utf8_and_junk_is_passed_over() {
        assert_eq!(parse(b"junk\n0::/\xff\n").unwrap().path, b"/\xff");
        assert_eq!(parse(b""), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }
    }
}
