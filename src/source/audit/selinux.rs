//! Whether SELinux enforces its policy.

use crate::audit::host::Fact;
use crate::source::procfs::Procfs;

pub(super) fn look(_: &Procfs) -> Fact {
    match std::fs::read("/sys/fs/selinux/enforce") {
        Ok(text) => told(&text),
        Err(error) => Fact::Untold(
            format!("/sys/fs/selinux/enforce: {error}"),
            Some("mount selinuxfs: mount -t selinuxfs selinuxfs /sys/fs/selinux".into()),
        ),
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
}
