//! Bytes of one /proc file to fields. Pure: no I/O, and no panic whatever the bytes are.

pub mod cgroup;
pub mod cmdline;
pub mod mountinfo;
pub mod schedstat;
pub mod stat;
pub mod status;

/// A decimal number in ASCII.
pub(crate) fn number<T: std::str::FromStr>(bytes: &[u8]) -> Option<T> {
    std::str::from_utf8(bytes).ok()?.trim().parse().ok()
}
