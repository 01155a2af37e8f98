//! Where a process lives, read off its cgroup path: unit, slice, the unit of a user's own manager, container.

/// The components of a cgroup path.
fn components(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|b| *b == b'/').filter(|part| !part.is_empty())
}

fn is_slice(component: &[u8]) -> bool {
    component.ends_with(b".slice")
}

fn is_unit(component: &[u8]) -> bool {
    [".service", ".scope", ".socket", ".mount", ".swap"]
        .iter()
        .any(|kind| component.ends_with(kind.as_bytes()))
}

/// The unit of the *system* manager: the first component that is not a slice. Whoever owns what is below it may
/// call that as he likes, so only the outermost proves anything.
#[must_use]
pub fn unit(path: &[u8]) -> Option<&[u8]> {
    components(path)
        .find(|part| !is_slice(part))
        .filter(|part| is_unit(part))
}

/// The innermost slice of the system manager.
#[must_use]
pub fn slice(path: &[u8]) -> Option<&[u8]> {
    components(path).take_while(|part| is_slice(part)).last()
}

/// The unit below a user's own manager, `user@UID.service`.
#[must_use]
pub fn user_unit(path: &[u8]) -> Option<&[u8]> {
    let mut below = components(path).skip_while(|part| is_slice(part));
    let manager = below.next()?;
    if !manager.starts_with(b"user@") {
        return None;
    }
    below.find(|part| !is_slice(part)).filter(|part| is_unit(part))
}

/// Whether the path ends at a service of the system manager: the process lives in that service's own cgroup,
/// not in one that a container manager made below it.
#[must_use]
pub fn is_services_own(path: &[u8]) -> bool {
    unit(path).is_some_and(|unit| unit.ends_with(b".service") && path.ends_with(unit))
}

/// The id of the container. A name proves nothing: whoever owns the control group above it may give it.
#[must_use]
pub fn container(path: &[u8]) -> Option<&[u8]> {
    components(path).find_map(id)
}

/// The control group of the container: the path up to what names it.
#[must_use]
pub fn container_group(path: &[u8]) -> Option<&[u8]> {
    let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    let mut groups = ends
        .map(|(end, _)| end)
        .chain([path.len()])
        .map(|end| &path[..end]);
    groups.find(|group| components(group).last().and_then(id).is_some())
}

/// The id in a component, by the names that docker, podman, containerd, cri-o, LXC and systemd-nspawn give.
fn id(component: &[u8]) -> Option<&[u8]> {
    if let Some(name) = component.strip_prefix(b"lxc.payload.") {
        return Some(name);
    }
    let plain = component.strip_suffix(b".scope").unwrap_or(component);
    if let Some(name) = plain.strip_prefix(b"machine-")
        && plain != component
    {
        return Some(name);
    }
    let id = plain
        .iter()
        .rposition(|b| *b == b'-')
        .map_or(plain, |at| &plain[at + 1..]);
    (id.len() == 64 && id.iter().all(u8::is_ascii_hexdigit)).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_outermost_unit_counts() {
        let path = b"/user.slice/user-1000.slice/user@1000.service/app.slice/ssh.service";
        assert_eq!(unit(path), Some(&b"user@1000.service"[..]));
        assert_eq!(user_unit(path), Some(&b"ssh.service"[..]));
        assert_eq!(slice(path), Some(&b"user-1000.slice"[..]));
    }

    #[test]
    fn a_service_has_its_unit_and_slice() {
        let path = b"/system.slice/system-postfix.slice/postfix@-.service";
        assert_eq!(unit(path), Some(&b"postfix@-.service"[..]));
        assert_eq!(slice(path), Some(&b"system-postfix.slice"[..]));
        assert!(is_services_own(path));
        assert!(!is_services_own(
            b"/machine.slice/systemd-nspawn@x.service/payload"
        ));
    }

    #[test]
    fn the_root_and_foreign_groups_are_no_unit() {
        assert_eq!(unit(b"/"), None);
        assert_eq!(unit(b"/process_api/00b8"), None);
        assert_eq!(unit(b"/init.scope"), Some(&b"init.scope"[..]));
    }

    #[test]
    fn the_group_of_a_container_ends_with_its_name() {
        let group =
            |path: &'static [u8]| container_group(path).map(|group| std::str::from_utf8(group).unwrap());
        assert_eq!(
            group(b"/lxc.payload.web/system.slice/x.service"),
            Some("/lxc.payload.web")
        );
        assert_eq!(
            group(b"/a//lxc.payload.web/lxc.payload.db"),
            Some("/a//lxc.payload.web")
        );
        assert_eq!(group(b"/system.slice/ssh.service"), None);
        assert_eq!(group(b"/"), None);
    }

    #[test]
    fn containers_are_named_by_their_id() {
        let id = "0123456789abcdef".repeat(4);
        for path in [
            format!("/system.slice/docker-{id}.scope"),
            format!("/docker/{id}"),
            format!("/kubepods.slice/kubepods-pod1.slice/cri-containerd-{id}.scope"),
            format!("/machine.slice/libpod-{id}.scope/container"),
        ] {
            assert_eq!(container(path.as_bytes()), Some(id.as_bytes()), "{path}");
        }
        assert_eq!(container(b"/lxc.payload.web"), Some(&b"web"[..]));
        assert_eq!(container(b"/system.slice/ssh.service"), None);
        assert_eq!(container(b"/machine.slice/machine-web.scope"), Some(&b"web"[..]));
        assert_eq!(container(b"/machine.slice/machine-web.slice"), None);
    }
}
