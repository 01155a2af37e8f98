//! Whether SELinux enforces its policy.

use crate::audit::host::Fact;
use crate::source::procfs::Procfs;

pub(super) fn look(_: &Procfs) -> Fact {
    match std::fs::read("/sys/fs/selinux/enforce") {
        Ok(text) => told(&text),
        Err(error) => Fact::Untold(
            format!("/sys/fs/selinux/enforce: {error}"),
            Some(remedy(&error).into()),
        ),
    }
}

fn remedy(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => {
            "let procward's domain read it: selinux_get_enforce_mode in its policy"
        }
        _ => "mount selinuxfs: mount -t selinuxfs selinuxfs /sys/fs/selinux",
    }
}

fn told(text: &[u8]) -> Fact {
    match text.trim_ascii() {
        b"1" => Fact::Told(Vec::new()),
        b"0" => Fact::Told(vec!["SELinux is in permissive mode".into()]),
        other => Fact::Untold(
            format!("/sys/fs/selinux/enforce says {}", String::from_utf8_lossy(other)),
            None,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissive_is_told_and_anything_else_is_not_taken_for_enforcing() {
        assert_eq!(told(b"1"), Fact::Told(vec![]));
        assert_eq!(
            told(b"0\n"),
            Fact::Told(vec!["SELinux is in permissive mode".into()])
        );
        assert!(matches!(told(b""), Fact::Untold(..)));
    }

    #[test]
    fn who_may_not_read_it_is_not_told_to_mount_it() {
        let told = |kind: std::io::ErrorKind| remedy(&kind.into());
        assert!(told(std::io::ErrorKind::PermissionDenied).contains("selinux_get_enforce_mode"));
        assert!(told(std::io::ErrorKind::NotFound).contains("mount selinuxfs"));
    }
}
