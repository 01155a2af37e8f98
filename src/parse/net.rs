//! The tables of sockets below `/proc/PID/net`: which inode listens where. Sockets that neither listen nor are bound are
//! there too, so that it is known what they are.

use super::number;
use crate::snapshot::{Endpoint, Protocol, Why};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// One table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "they are called what their files are")]
pub enum Table {
    Tcp,
    Tcp6,
    Udp,
    Udp6,
    UdpLite,
    UdpLite6,
    Unix,
    Raw,
    Raw6,
    Icmp,
    Icmp6,
    Packet,
    Netlink,
}

impl Table {
    /// All of them.
    pub const ALL: [Table; 13] = [
        Table::Tcp,
        Table::Tcp6,
        Table::Udp,
        Table::Udp6,
        Table::UdpLite,
        Table::UdpLite6,
        Table::Unix,
        Table::Raw,
        Table::Raw6,
        Table::Icmp,
        Table::Icmp6,
        Table::Packet,
        Table::Netlink,
    ];

    /// Its file below `/proc/PID`.
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Table::Tcp => "net/tcp",
            Table::Tcp6 => "net/tcp6",
            Table::Udp => "net/udp",
            Table::Udp6 => "net/udp6",
            Table::UdpLite => "net/udplite",
            Table::UdpLite6 => "net/udplite6",
            Table::Unix => "net/unix",
            Table::Raw => "net/raw",
            Table::Raw6 => "net/raw6",
            Table::Icmp => "net/icmp",
            Table::Icmp6 => "net/icmp6",
            Table::Packet => "net/packet",
            Table::Netlink => "net/netlink",
        }
    }

    /// The kind of its sockets.
    #[must_use]
    pub fn protocol(self) -> Protocol {
        match self {
            Table::Tcp | Table::Tcp6 => Protocol::Tcp,
            Table::Udp | Table::Udp6 | Table::UdpLite | Table::UdpLite6 => Protocol::Udp,
            Table::Unix => Protocol::Unix,
            Table::Raw | Table::Raw6 => Protocol::Raw,
            Table::Icmp | Table::Icmp6 => Protocol::Icmp,
            Table::Packet => Protocol::Packet,
            Table::Netlink => Protocol::Netlink,
        }
    }

    /// The column of the inode.
    fn inode(self) -> usize {
        match self {
            Table::Unix => 6,
            Table::Packet => 8,
            _ => 9,
        }
    }
}

/// The sockets of a table by inode: what each listens on, or why that can't be told.
pub type Sockets = BTreeMap<u64, Result<Option<Endpoint>, Why>>;

/// Reads a table; `None` where it is not of the known form.
#[must_use]
pub fn parse(table: Table, bytes: &[u8]) -> Option<Sockets> {
    let mut sockets = Sockets::new();
    let mut lines = bytes.split(|byte| *byte == b'\n');
    // Of an empty file there is no header either: the kernel has no such sockets here.
    lines.next().filter(|header| is_header(header))?;
    if table == Table::Unix {
        unix(lines, &mut sockets);
        return Some(sockets);
    }
    for line in lines.filter(|line| !line.is_empty()) {
        let fields: Vec<&[u8]> = fields(line).collect();
        let inode: u64 = number(fields.get(table.inode())?)?;
        add(&mut sockets, inode, inet(table, &fields)?);
    }
    Some(sockets)
}

/// All headers name the column.
fn is_header(line: &[u8]) -> bool {
    fields(line).any(|field| field.eq_ignore_ascii_case(b"inode"))
}

fn fields(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace)
        .filter(|field| !field.is_empty())
}

/// What has no inode any more is nobody's. One inode twice with two meanings: whoever names a socket may put a line of
/// his own into the name, and which of the two is his can't be told.
fn add(sockets: &mut Sockets, inode: u64, endpoint: Option<Endpoint>) {
    if inode == 0 {
        return;
    }
    match sockets.entry(inode) {
        Entry::Vacant(entry) => {
            entry.insert(Ok(endpoint));
        }
        Entry::Occupied(mut entry) if *entry.get() != Ok(endpoint) => {
            *entry.get_mut() = Err(Why::Malformed);
        }
        Entry::Occupied(_) => {}
    }
}

/// TCP_LISTEN of net/tcp_states.h.
const LISTEN: &[u8] = b"0A";
/// TCP_CLOSE, which is what an unconnected UDP socket says.
const UNCONNECTED: &[u8] = b"07";
/// TCP_SYN_RECV: before Linux 4.4 such stand between those that listen.
const SYN_RECV: &[u8] = b"03";

/// `None`: not of the known form. `Some(None)`: it listens on nothing.
fn inet(table: Table, fields: &[&[u8]]) -> Option<Option<Endpoint>> {
    let endpoint: fn(IpAddr, u16) -> Endpoint = match (table.protocol(), *fields.get(3)?) {
        (Protocol::Tcp, LISTEN) => Endpoint::Tcp,
        (Protocol::Udp, UNCONNECTED) => Endpoint::Udp,
        _ => return Some(None),
    };
    let (address, port) = local(fields.get(1)?)?;
    Some(Some(endpoint(address, port)))
}

/// `0100007F:0016`: the address in words of the host's byte order, tcp4_seq_show() of net/ipv4/tcp_ipv4.c. An IPv4 address
/// in IPv6's clothes is taken for what it is.
fn local(field: &[u8]) -> Option<(IpAddr, u16)> {
    let (address, port) = std::str::from_utf8(field).ok()?.split_once(':')?;
    let word = |at: usize| {
        let word = u32::from_str_radix(address.get(at..at + 8)?, 16).ok()?;
        Some(word.to_ne_bytes())
    };
    let address = match address.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let mut octets = [0; 16];
            for (index, part) in octets.chunks_exact_mut(4).enumerate() {
                part.copy_from_slice(&word(index * 8)?);
            }
            Ipv6Addr::from(octets).to_canonical()
        }
        _ => return None,
    };
    Some((address, u16::from_str_radix(port, 16).ok()?))
}

/// Whether all that listen have been read: tcp_seq_next() of net/ipv4/tcp_ipv4.c lists them first.
#[must_use]
pub fn is_past_listeners(table: Table, bytes: &[u8]) -> bool {
    let mut lines = bytes.rsplit(|byte| *byte == b'\n');
    // What follows the last newline may be half a line.
    let last = lines.nth(1).unwrap_or_default();
    let state = fields(last).nth(3);
    table.protocol() == Protocol::Tcp
        && !is_header(last)
        && state.is_some_and(|state| state != LISTEN && state != SYN_RECV)
}

/// Flag __SO_ACCEPTCON of linux/net.h: it listens.
const ACCEPTS: u32 = 0x1_0000;
/// SOCK_DGRAM of linux/net.h.
const DATAGRAM: &[u8] = b"0002";

/// A name may hold newlines; what is no line of a socket goes on with the name before.
fn unix<'a>(lines: impl Iterator<Item = &'a [u8]>, sockets: &mut Sockets) {
    let mut pending: Option<Unix> = None;
    for line in lines {
        match (Unix::parse(line), &mut pending) {
            (Some(next), _) => {
                if let Some(socket) = pending.replace(next) {
                    socket.add(sockets);
                }
            }
            (None, Some(socket)) => {
                socket.name.push(b'\n');
                socket.name.extend_from_slice(line);
            }
            (None, None) => {}
        }
    }
    if let Some(mut last) = pending {
        // The file ends with a newline.
        if last.name.last() == Some(&b'\n') {
            last.name.pop();
        }
        last.add(sockets);
    }
}

struct Unix {
    inode: u64,
    listens: bool,
    name: Vec<u8>,
}

impl Unix {
    /// `NUM: REFCOUNT PROTOCOL FLAGS TYPE STATE INODE[ PATH]`, unix_seq_show() of net/unix/af_unix.c: each with one blank
    /// before it, but the inode, which is filled up with blanks.
    fn parse(line: &[u8]) -> Option<Unix> {
        let mut parts = line.splitn(7, |byte| *byte == b' ');
        let pointer = parts.next()?.strip_suffix(b":")?;
        let [references, protocol, flags, kind, state] = std::array::from_fn(|_| parts.next());
        for (word, digits) in [
            (references?, 8),
            (protocol?, 8),
            (flags?, 8),
            (kind?, 4),
            (state?, 2),
        ] {
            if word.len() != digits || !is_hex(word) {
                return None;
            }
        }
        let rest = parts.next()?.trim_ascii_start();
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (inode, name) = rest.split_at(digits);
        let name = match name {
            [] => name,
            [b' ', name @ ..] => name,
            _ => return None,
        };
        let flags = u32::from_str_radix(std::str::from_utf8(flags?).ok()?, 16).ok()?;
        // The state tells nothing: whoever connects to a bound one changes it, unix_dgram_connect() of net/unix/af_unix.c.
        let bound = kind? == DATAGRAM;
        is_hex(pointer).then_some(Unix {
            inode: number(inode)?,
            listens: flags & ACCEPTS != 0 || bound,
            name: name.to_vec(),
        })
    }

    /// What nobody can name nobody can reach.
    fn add(self, sockets: &mut Sockets) {
        let named = self.listens && !self.name.is_empty();
        add(sockets, self.inode, named.then_some(Endpoint::Unix(self.name)));
    }
}

fn is_hex(word: &[u8]) -> bool {
    !word.is_empty() && word.iter().all(u8::is_ascii_hexdigit)
}

#[cfg(test)]
mod tests;
