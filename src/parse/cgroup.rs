//! `/proc/PID/cgroup`, cgroups(7): `ID:CONTROLLERS:PATH`, a line a hierarchy.

use crate::snapshot::Cgroup;

/// The path in systemd's hierarchy: `name=systemd` of cgroup v1 where there is one (on hybrid hosts `0::` may stay
/// at the root), else the only hierarchy of v2.
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
}
