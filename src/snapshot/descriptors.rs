//! The open descriptors of a process: `/proc/PID/fd`, and what the network tables tell of its sockets.

use super::{Bytes, Fact};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// Open descriptors, as far as they were looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Descriptors {
    /// In ascending order of their numbers.
    pub open: Vec<Descriptor>,
    /// Whether there were more than our limit.
    #[serde(default)]
    pub truncated: bool,
}

/// One open descriptor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Descriptor {
    /// 0 is standard input.
    pub number: u32,
    /// The link's text: a path, `socket:[1234]`, `anon_inode:[eventfd]`.
    pub text: Bytes,
    /// What it leads to.
    pub target: Target,
}

/// What a descriptor leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// A file with a path, by statx through the link.
    File(Fact<OpenFile>),
    /// A socket.
    Socket(Socket),
    /// What no path leads to, a pipe say: the text tells all.
    Other,
}

/// A file that a process has open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenFile {
    /// What it is.
    pub kind: FileKind,
    /// Major and minor number of the device that a block or character special file is.
    pub device: (u32, u32),
    /// Link count; 0 for one that was deleted.
    pub links: u32,
    /// Bytes on a disk that are freed when it is closed: those of a regular file without a name. 0 of any other, and of
    /// one in memory.
    pub doomed: u64,
}

/// The types of inode(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileKind {
    /// A regular file.
    Regular,
    /// A directory.
    Directory,
    /// A block device.
    Block,
    /// A character device.
    Character,
    /// A named pipe.
    Fifo,
    /// The name of a socket, opened with O_PATH.
    Socket,
    /// A symbolic link, opened with O_PATH.
    Link,
    /// Something on a user's FUSE, which not even root may look at. It is no device, and takes no disk of this host.
    Foreign,
}

/// A socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Socket {
    /// Its kind.
    pub protocol: Fact<Protocol>,
    /// What it listens on, or, where there are no connections, is bound to; none where it does neither.
    pub listens: Fact<Option<Endpoint>>,
}

/// Kinds of sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Protocol {
    /// TCP, MPTCP.
    Tcp,
    /// UDP, UDP-Lite.
    Udp,
    /// Raw IP.
    Raw,
    /// Frames of a network device.
    Packet,
    /// ICMP echo without further rights: ping.
    Icmp,
    /// Between processes of this host.
    Unix,
    /// With the kernel.
    Netlink,
    /// Any other: vsock, SCTP, Bluetooth …
    Other,
}

/// Where a socket can be reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Endpoint {
    /// Local address and port.
    Tcp(IpAddr, u16),
    /// The same of UDP and UDP-Lite.
    Udp(IpAddr, u16),
    /// A path as it was bound, or an abstract name behind `@`.
    Unix(Bytes),
}

impl Endpoint {
    /// As a spec has it: `127.0.0.1:25/tcp`, `[::1]:53/udp`, `/run/x.sock`, `@abstract`.
    #[must_use]
    pub fn text(&self) -> Bytes {
        let (address, port, protocol) = match self {
            Endpoint::Tcp(address, port) => (address, port, "tcp"),
            Endpoint::Udp(address, port) => (address, port, "udp"),
            Endpoint::Unix(path) => return path.clone(),
        };
        match address {
            IpAddr::V4(address) => format!("{address}:{port}/{protocol}"),
            IpAddr::V6(address) => format!("[{address}]:{port}/{protocol}"),
        }
        .into_bytes()
    }

    /// Whether it can be reached from other hosts, as far as addresses tell.
    #[must_use]
    pub fn is_public(&self) -> bool {
        match self {
            Endpoint::Tcp(address, _) | Endpoint::Udp(address, _) => !address.is_loopback(),
            Endpoint::Unix(_) => false,
        }
    }
}
