//! Descriptors made up of bytes, and what may have been behind those that could not be told.

use super::dice::Dice;
use crate::snapshot::{
    Descriptor, Descriptors, Endpoint, Fact, FileKind, OpenFile, Process, Protocol, Socket, Target, Why,
};

pub(super) const TERMS: [&str; 16] = [
    "listen=22/tcp",
    "listen!=22/tcp",
    "listen=*:53/udp",
    "listen=/run/*",
    "listen!~^@",
    "listen.public=yes",
    "listen.public!=yes",
    "socket=tcp|udp",
    "socket!=unix",
    "stdio=inet",
    "stdio!=null",
    "fd=/dev/mem",
    "fd.block=no",
    "fd.outside=yes",
    "fd.memory>1",
    "fd.deleted>1M",
];

const TEXTS: [&str; 6] = [
    "/dev/mem",
    "/proc/1/mem",
    "/proc/2/task/2/mem",
    "/x (deleted)",
    "pipe:[7]",
    "socket:[8]",
];
const KINDS: [FileKind; 5] = [
    FileKind::Regular,
    FileKind::Block,
    FileKind::Character,
    FileKind::Foreign,
    FileKind::Directory,
];
const PROTOCOLS: [Protocol; 4] = [Protocol::Tcp, Protocol::Udp, Protocol::Unix, Protocol::Other];

pub(super) fn descriptors(dice: &mut Dice<'_>) -> Fact<Descriptors> {
    if dice.chance(6) {
        return Fact::Unreadable(Why::Denied);
    }
    let open = (0..dice.below(4)).map(|number| descriptor(u32::try_from(number).unwrap_or(0), dice, true));
    let open = open.collect();
    let truncated = dice.chance(12);
    Fact::Value(Descriptors { open, truncated })
}

fn descriptor(number: u32, dice: &mut Dice<'_>, doubts: bool) -> Descriptor {
    let text = dice.one(&TEXTS);
    let target = match text.as_bytes()[0] {
        b'/' if doubts && dice.chance(4) => Target::File(Fact::Unreadable(Why::NoAnswer)),
        b'/' => Target::File(Fact::Value(file(dice))),
        b's' => Target::Socket(socket(dice, doubts)),
        _ => Target::Other,
    };
    Descriptor {
        number,
        text: text.into(),
        target,
    }
}

fn file(dice: &mut Dice<'_>) -> OpenFile {
    OpenFile {
        kind: dice.one(&KINDS),
        device: (1, 3),
        links: 1,
        doomed: dice.one(&[0, 4096, 2 << 20]),
    }
}

fn socket(dice: &mut Dice<'_>, doubts: bool) -> Socket {
    let protocol = dice.one(&PROTOCOLS);
    let address = dice.one(&["0.0.0.0", "127.0.0.1", "::"]).parse().unwrap();
    let listens = match protocol {
        Protocol::Tcp => Some(Endpoint::Tcp(address, dice.one(&[22, 80]))),
        Protocol::Udp => Some(Endpoint::Udp(address, 53)),
        Protocol::Unix => Some(Endpoint::Unix(dice.one(&["/run/x", "@a"]).into())),
        _ => None,
    };
    let hidden = |dice: &mut Dice<'_>| doubts && dice.chance(4);
    Socket {
        protocol: if hidden(dice) {
            Fact::Unreadable(Why::Untold)
        } else {
            Fact::Value(protocol)
        },
        listens: if hidden(dice) {
            Fact::Unreadable(Why::Denied)
        } else {
            Fact::Value(listens.filter(|_| dice.chance(2)))
        },
    }
}

pub(super) fn uncover(process: &mut Process, dice: &mut Dice<'_>) {
    let Fact::Value(known) = &mut process.descriptors else {
        if matches!(process.descriptors, Fact::Unreadable(_)) {
            let open = (0..dice.below(4)).map(|_| descriptor(0, dice, false));
            let open = open.collect();
            process.descriptors = Fact::Value(Descriptors {
                open,
                truncated: false,
            });
        }
        return;
    };
    for descriptor in &mut known.open {
        match &mut descriptor.target {
            Target::File(known) if known.value().is_none() => *known = Fact::Value(file(dice)),
            Target::Socket(known) => {
                let more = socket(dice, false);
                if known.protocol.value().is_none() {
                    known.protocol = more.protocol;
                }
                if known.listens.value().is_none() {
                    known.listens = more.listens;
                }
            }
            _ => {}
        }
    }
    if std::mem::take(&mut known.truncated) {
        known.open.push(descriptor(2, dice, false));
    }
}
