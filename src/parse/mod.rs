//! Bytes of one /proc file to fields. Pure: no I/O, and no panic whatever the bytes are.

pub mod cgroup;
pub mod cmdline;
pub mod environ;
pub mod label;
pub mod loadavg;
pub mod maps;
pub mod meminfo;
pub mod mountinfo;
pub mod net;
pub mod policy;
pub mod pressure;
pub mod schedstat;
pub mod stat;
pub mod status;

/// A decimal number in ASCII.
pub(crate) fn number<T: std::str::FromStr>(bytes: &[u8]) -> Option<T> {
    std::str::from_utf8(bytes).ok()?.trim().parse().ok()
}

/// A decimal fraction in ASCII as the kernel writes it: digits, and at most one point.
pub(crate) fn decimal(bytes: &[u8]) -> Option<f64> {
    if !bytes.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.') {
        return None;
    }
    let number: f64 = std::str::from_utf8(bytes).ok()?.parse().ok()?;
    number.is_finite().then_some(number)
}
