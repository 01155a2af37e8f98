//! What the open descriptors of a process say to the keys about them.

use super::reading::{Reading, Subject, Value, fact};
use super::{File, Key};
use crate::snapshot::process::DELETED;
use crate::snapshot::{
    Descriptor, Descriptors, Endpoint, Fact, FileKind, OpenFile, Protocol, Socket, Target, Why,
};
use std::borrow::Cow;

/// Kinds of sockets.
pub(super) const SOCKETS: &[&str] = &["tcp", "udp", "raw", "packet", "icmp", "unix", "netlink", "other"];
/// What standard input, output and error may be.
pub(super) const STDIO: &[&str] = &["inet", "unix", "socket", "tty", "null", "pipe", "file", "other"];

pub(super) fn read(subject: Subject<'_>, key: Key) -> Result<Reading<'_>, Reading<'_>> {
    if key == Key::FdOutside && !fact(&subject.process.root, File::Root)?.is_chrooted() {
        return Ok(Reading::One(Value::YesNo(false)));
    }
    let known = fact(&subject.process.descriptors, File::Descriptors)?;
    Ok(match key {
        Key::Listen => set(known, |descriptor| Ok(listens(descriptor)?.map(Value::Endpoint))),
        Key::ListenPublic => holds(known, |descriptor| {
            Ok(listens(descriptor)?.is_some_and(Endpoint::is_public))
        }),
        Key::Socket => set(known, |descriptor| match &descriptor.target {
            Target::Socket(socket) => Ok(Some(word(socket_word(protocol(socket)?)))),
            _ => Ok(None),
        }),
        Key::Stdio => set(known, |descriptor| {
            (descriptor.number <= 2).then(|| stdio(descriptor)).transpose()
        }),
        Key::Fd => {
            let texts = known.open.iter().map(|descriptor| &*descriptor.text);
            let values = texts.map(|text| Value::Bytes(Cow::Borrowed(text)));
            Reading::Set(values.collect(), known.truncated.then_some(Why::TooMany))
        }
        Key::FdBlock => holds(known, |descriptor| {
            Ok(file(descriptor)?.is_some_and(|file| file.kind == FileKind::Block))
        }),
        Key::FdOutside => {
            let root = fact(&subject.process.root, File::Root)?;
            holds(known, |descriptor| {
                let directory = file(descriptor)?.is_some_and(|file| file.kind == FileKind::Directory);
                Ok(directory && root.is_outside(&descriptor.text))
            })
        }
        Key::FdMemory => {
            let own = own_pids(subject, known)?;
            set(known, |descriptor| {
                let pid = memory_of(&descriptor.text).filter(|pid| !own.contains(pid));
                Ok(pid.map(|pid| Value::Number(i64::from(pid))))
            })
        }
        _ => largest_deleted(known),
    })
}

/// The values of all descriptors, each once, and why there may be more. A busy server has thousands, but they have few.
fn set<'a>(
    known: &'a Descriptors,
    of: impl Fn(&'a Descriptor) -> Result<Option<Value<'a>>, Why>,
) -> Reading<'a> {
    let mut doubt = known.truncated.then_some(Why::TooMany);
    let mut members: Vec<Value<'a>> = Vec::new();
    for descriptor in &known.open {
        match of(descriptor) {
            Ok(Some(value)) if !members.contains(&value) => members.push(value),
            Ok(_) => {}
            Err(why) => doubt = doubt.or(Some(why)),
        }
    }
    Reading::Set(members, doubt)
}

/// Whether it is true of one of them.
fn holds<'a>(known: &'a Descriptors, of: impl Fn(&'a Descriptor) -> Result<bool, Why>) -> Reading<'a> {
    let mut doubt = known.truncated.then_some(Why::TooMany);
    for descriptor in &known.open {
        match of(descriptor) {
            Ok(true) => return Reading::One(Value::YesNo(true)),
            Ok(false) => {}
            Err(why) => doubt = doubt.or(Some(why)),
        }
    }
    doubt.map_or(Reading::One(Value::YesNo(false)), Reading::Unreadable)
}

fn known<T>(fact: &Fact<T>) -> Result<&T, Why> {
    match fact {
        Fact::Value(value) => Ok(value),
        Fact::Unreadable(why) => Err(*why),
        Fact::NotAsked | Fact::NotApplicable => Err(Why::Absent),
    }
}

fn listens(descriptor: &Descriptor) -> Result<Option<&Endpoint>, Why> {
    match &descriptor.target {
        Target::Socket(socket) => Ok(known(&socket.listens)?.as_ref()),
        _ => Ok(None),
    }
}

fn protocol(socket: &Socket) -> Result<Protocol, Why> {
    known(&socket.protocol).copied()
}

fn file(descriptor: &Descriptor) -> Result<Option<&OpenFile>, Why> {
    match &descriptor.target {
        Target::File(file) => known(file).map(Some),
        _ => Ok(None),
    }
}

fn word<'a>(word: &'static str) -> Value<'a> {
    Value::Bytes(Cow::Borrowed(word.as_bytes()))
}

fn socket_word(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
        Protocol::Raw => "raw",
        Protocol::Packet => "packet",
        Protocol::Icmp => "icmp",
        Protocol::Unix => "unix",
        Protocol::Netlink => "netlink",
        Protocol::Other => "other",
    }
}

fn stdio(descriptor: &Descriptor) -> Result<Value<'_>, Why> {
    let told = match &descriptor.target {
        Target::Socket(socket) => match protocol(socket)? {
            Protocol::Tcp | Protocol::Udp | Protocol::Raw | Protocol::Icmp => "inet",
            Protocol::Unix => "unix",
            Protocol::Packet | Protocol::Netlink | Protocol::Other => "socket",
        },
        Target::File(file) => {
            let file = known(file)?;
            match file.kind {
                FileKind::Regular => "file",
                FileKind::Fifo => "pipe",
                FileKind::Character if file.device == NULL => "null",
                FileKind::Character if is_terminal(file.device) => "tty",
                _ => "other",
            }
        }
        Target::Other if descriptor.text.starts_with(b"pipe:[") => "pipe",
        Target::Other => "other",
    };
    Ok(word(told))
}

/// devices.txt of the kernel: `/dev/null`.
const NULL: (u32, u32) = (1, 3);

/// Consoles and serial lines, `/dev/tty` and `/dev/console`, pseudo-terminals, and what is plugged in or virtual.
fn is_terminal((major, _): (u32, u32)) -> bool {
    matches!(major, 4 | 5 | 136..=143 | 166 | 188 | 204 | 229)
}

/// The process whose memory a link leads to. What a thread opened stays open after it ended.
fn memory_of(text: &[u8]) -> Option<i32> {
    let rest = std::str::from_utf8(text).ok()?.strip_prefix("/proc/")?;
    let (pid, rest) = rest.split_once('/')?;
    let rest = match rest.strip_prefix("task/") {
        Some(thread) => {
            let deleted = std::str::from_utf8(DELETED).unwrap_or_default();
            let thread = thread.strip_suffix(deleted).unwrap_or(thread);
            thread.split_once('/')?.1
        }
        None => rest,
    };
    (rest == "mem").then(|| pid.parse().ok()).flatten()
}

/// What the process itself is called: in a container as that numbers it. Asked only where it matters.
fn own_pids<'a>(subject: Subject<'a>, known: &Descriptors) -> Result<Vec<i32>, Reading<'a>> {
    let process = subject.process;
    let of_others =
        |descriptor: &Descriptor| memory_of(&descriptor.text).is_some_and(|pid| pid != process.pid);
    if !known.open.iter().any(of_others) {
        return Ok(vec![process.pid]);
    }
    let status = fact(&process.status, File::Status)?;
    Ok(status
        .ns_pid
        .last()
        .copied()
        .into_iter()
        .chain([process.pid])
        .collect())
}

/// Where one file can't be told, it may be the largest.
fn largest_deleted(known: &Descriptors) -> Reading<'_> {
    let mut largest = 0;
    if known.truncated {
        return Reading::Unreadable(Why::TooMany);
    }
    for descriptor in &known.open {
        match file(descriptor) {
            Ok(Some(file)) => largest = largest.max(file.doomed),
            Ok(None) => {}
            Err(why) => return Reading::Unreadable(why),
        }
    }
    Reading::number(largest)
}

#[cfg(test)]
mod tests;
