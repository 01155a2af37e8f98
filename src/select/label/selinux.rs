//! SELinux: `user:role:type`, and with MLS or MCS `:level`, which holds colons itself.

use super::level::Levels;
use super::{SecurityModule, bytes};
use crate::select::Key;
use crate::select::reading::Reading;
use crate::snapshot::Why;

pub(super) struct Selinux;

impl SecurityModule for Selinux {
    fn name(&self) -> &'static str {
        "selinux"
    }
    fn title(&self) -> &'static str {
        "SELinux"
    }
    /// It has no directory of its own.
    fn file(&self) -> &'static str {
        "attr/current"
    }
    fn part<'a>(&self, label: &'a [u8], key: Key) -> Reading<'a> {
        let mut parts = label.splitn(4, |byte| *byte == b':');
        let (Some(user), Some(role), Some(kind)) = (parts.next(), parts.next(), parts.next()) else {
            // `kernel` is what every process has until a policy is loaded: a type that nothing has would be a lie.
            return Reading::Unreadable(Why::NoPolicy);
        };
        match key {
            Key::SelinuxUser => bytes(user),
            Key::SelinuxRole => bytes(role),
            Key::SelinuxType => bytes(kind),
            _ => match parts.next() {
                // A policy without MLS.
                None => Reading::NotApplicable,
                Some(level) if Levels::parse(level).is_some() => bytes(level),
                Some(_) => Reading::Unreadable(Why::Malformed),
            },
        }
    }
    /// The domains of the reference policy that may do whatever the system lets them.
    fn confines(&self, label: &[u8]) -> Option<bool> {
        const FREE: [&[u8]; 6] = [
            b"unconfined_t",
            b"unconfined_service_t",
            b"initrc_t",
            b"kernel_t",
            b"unlabeled_t",
            b"spc_t",
        ];
        let kind = label.split(|byte| *byte == b':').nth(2)?;
        Some(!FREE.contains(&kind))
    }
}
