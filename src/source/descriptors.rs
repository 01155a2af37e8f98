//! What the descriptors of a process lead to.

use super::apart::apart;
use super::kcmp::Shared;
use super::networks::Network;
use super::process_dir::{has_no_program, is_magic, watched};
use super::read::{Place, Vanished, why};
use super::survivor::{self, Remains};
use super::tally;
use crate::parse::number;
use crate::snapshot::{
    Descriptor, Descriptors, Fact, FileKind, OpenFile, Process, Protocol, Socket, Target, Why,
};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, RawDir, StatxFlags, fstatfs, getxattr, openat, readlinkat, statx,
};
use rustix::io::Errno;
use std::ffi::CStr;

/// More than this are a set partly read: they take half a second.
const MOST: usize = 1 << 16;

/// Like `fds`: kernel threads and zombies have none, and where the first thread has ended another one has them.
pub(super) fn descriptors(place: Place<'_>, process: &mut Process) -> Result<(), Vanished> {
    let pid = process.pid;
    process.descriptors = match descriptors_of(place, pid) {
        Ok(mut known) if !known.open.is_empty() => {
            of_threads(place, pid, &mut known);
            Fact::Value(known)
        }
        _ if has_no_program(place, process)? => Fact::NotApplicable,
        told => match (
            survivor::read(place, |thread, _| descriptors_of(thread, pid).ok()),
            told,
        ) {
            (Remains::Read(known), _) | (_, Ok(known)) => Fact::Value(known),
            (_, Err(errno)) => place.failure(errno)?,
        },
    };
    // What a table told after the process had gone is not told of it.
    if place.is_alive() { Ok(()) } else { Err(Vanished) }
}

/// Adds those of threads that have a table of their own, which `/proc/PID/fd` does not show.
fn of_threads(place: Place<'_>, pid: i32, known: &mut Descriptors) {
    for prefix in apart(place, pid, Shared::Descriptors) {
        let thread = Place {
            prefix: &prefix,
            ..place
        };
        // One that ends meanwhile has none any more.
        let Ok(more) = descriptors_of(thread, pid) else {
            continue;
        };
        known.truncated |= more.truncated;
        for descriptor in more.open {
            if !known.open.contains(&descriptor) {
                known.open.push(descriptor);
            }
        }
    }
}

fn descriptors_of(place: Place<'_>, pid: i32) -> Result<Descriptors, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    tally::file("fd", 0);
    let fd = openat(place.dir, place.path("fd"), flags, Mode::empty())?;
    let reader = Reader {
        place,
        pid,
        magic: place.live || is_magic(place),
        network: None,
        fd: &fd,
    };
    reader.all()
}

/// The descriptors of one process.
struct Reader<'a> {
    place: Place<'a>,
    pid: i32,
    /// Whether the links lead to what the process has open, and not, as in a copy, to something of this host.
    magic: bool,
    network: Option<Network<'a>>,
    fd: &'a OwnedFd,
}

impl Reader<'_> {
    fn all(mut self) -> Result<Descriptors, Errno> {
        let mut known = Descriptors::default();
        let fd = self.fd;
        let mut buffer = Vec::with_capacity(8 << 10);
        let mut entries = RawDir::new(fd, buffer.spare_capacity_mut());
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let Some(number) = number::<u32>(entry.file_name().to_bytes()) else {
                continue;
            };
            if known.open.len() == MOST {
                known.truncated = true;
                break;
            }
            tally::file("fd/*", 0);
            let text = match readlinkat(self.fd, entry.file_name(), Vec::with_capacity(64)) {
                Ok(text) => text.into_bytes(),
                // Closed meanwhile.
                Err(Errno::NOENT) => continue,
                Err(errno) => return Err(errno),
            };
            if let Some(target) = self.target(entry.file_name(), &text) {
                known.open.push(Descriptor { number, text, target });
            }
        }
        known.open.sort_unstable_by_key(|descriptor| descriptor.number);
        Ok(known)
    }

    /// `None`: it was closed meanwhile. Only a path begins with a slash; the kernel's own names do not.
    fn target(&mut self, name: &CStr, text: &[u8]) -> Option<Target> {
        if let Some(inode) = socket_inode(text) {
            return Some(Target::Socket(self.socket(name, inode)));
        }
        if !text.starts_with(b"/") {
            return Some(Target::Other);
        }
        if !self.magic {
            return Some(Target::File(Fact::Unreadable(Why::Absent)));
        }
        // One that hung is enough: nothing more of this process is looked at.
        match watched(self.place, self.pid, "fd", || open_file(self.fd.as_fd(), name)) {
            None => Some(Target::File(Fact::Unreadable(Why::NoAnswer))),
            Some(Ok(file)) => Some(Target::File(Fact::Value(file))),
            Some(Err(Errno::NOENT)) => None,
            Some(Err(errno)) => Some(Target::File(Fact::Unreadable(why(errno)))),
        }
    }

    fn socket(&mut self, name: &CStr, inode: u64) -> Socket {
        let protocol = self.magic.then(|| protocol(self.fd, name)).flatten();
        let (place, pid) = (self.place, self.pid);
        self.network
            .get_or_insert_with(|| place.known.networks.at(place, pid))
            .socket(inode, protocol)
    }
}

fn socket_inode(text: &[u8]) -> Option<u64> {
    number(text.strip_prefix(b"socket:[")?.strip_suffix(b"]")?)
}

/// The name that a socket's protocol has in the kernel, sockfs_xattr_get() of net/socket.c: it tells of sockets that are in
/// no table, too. `None` where it is not told.
fn protocol(fd: &OwnedFd, name: &CStr) -> Option<Protocol> {
    let path = format!("/proc/self/fd/{}/{}", fd.as_raw_fd(), name.to_str().ok()?);
    let mut told = [0; 64];
    let length = getxattr(path, c"system.sockprotoname", &mut told).ok()?;
    let told = told.get(..length)?;
    Some(match told.strip_suffix(b"\0").unwrap_or(told) {
        b"TCP" | b"TCPv6" | b"MPTCP" | b"MPTCPv6" => Protocol::Tcp,
        b"UDP" | b"UDPv6" | b"UDP-Lite" | b"UDPLITEv6" => Protocol::Udp,
        b"RAW" | b"RAWv6" => Protocol::Raw,
        b"PING" | b"PINGv6" => Protocol::Icmp,
        b"PACKET" => Protocol::Packet,
        b"UNIX" | b"UNIX-STREAM" => Protocol::Unix,
        b"NETLINK" => Protocol::Netlink,
        b"" => return None,
        _ => Protocol::Other,
    })
}

/// The file behind a descriptor, by one statx that never waits for a server.
fn open_file(fd: BorrowedFd<'_>, name: &CStr) -> Result<OpenFile, Errno> {
    let flags = AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT;
    let wanted = StatxFlags::TYPE | StatxFlags::NLINK | StatxFlags::BLOCKS;
    let stat = match statx(fd, name, flags, wanted) {
        Ok(stat) => stat,
        Err(Errno::ACCESS) if file_system(fd, name) == Ok(FUSE) => {
            return Ok(OpenFile {
                kind: FileKind::Foreign,
                device: (0, 0),
                links: 1,
                doomed: 0,
            });
        }
        Err(errno) => return Err(errno),
    };
    let kind = match FileType::from_raw_mode(stat.stx_mode.into()) {
        FileType::Directory => FileKind::Directory,
        FileType::BlockDevice => FileKind::Block,
        FileType::CharacterDevice => FileKind::Character,
        FileType::Fifo => FileKind::Fifo,
        FileType::Socket => FileKind::Socket,
        FileType::Symlink => FileKind::Link,
        _ => FileKind::Regular,
    };
    let bytes = stat.stx_blocks.saturating_mul(512);
    let nameless = kind == FileKind::Regular && stat.stx_nlink == 0 && bytes > 0;
    let on_disk = nameless && !IN_MEMORY.contains(&file_system(fd, name)?);
    Ok(OpenFile {
        kind,
        device: (stat.stx_rdev_major, stat.stx_rdev_minor),
        links: stat.stx_nlink,
        doomed: if on_disk { bytes } else { 0 },
    })
}

/// FUSE_SUPER_MAGIC of linux/magic.h, which fuse_statfs() says to everybody.
const FUSE: u64 = 0x6573_5546;

/// TMPFS_MAGIC, RAMFS_MAGIC and HUGETLBFS_MAGIC: memfd, /dev/shm, System V's shared memory and graphics buffers, too.
const IN_MEMORY: [u64; 3] = [0x0102_1994, 0x8584_58f6, 0x9584_58f6];

/// The type of the file system that a file is on.
fn file_system(fd: BorrowedFd<'_>, name: &CStr) -> Result<u64, Errno> {
    let file = openat(fd, name, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    Ok(fstatfs(file)?.f_type.cast_unsigned() & 0xffff_ffff)
}
