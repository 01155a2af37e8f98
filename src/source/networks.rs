//! Which socket listens where: the tables of each network namespace, each read at most once in a look.

use super::read::{Place, until, why};
use crate::parse::net::{Sockets, Table, is_past_listeners, parse};
use crate::parse::number;
use crate::snapshot::{Bytes, Endpoint, Fact, Protocol, Socket, Why};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Dir, PROC_SUPER_MAGIC, fstatfs, readlinkat};
use rustix::io::Errno;
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// What one look knows of sockets; copies share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Networks(Rc<Known>);

#[derive(Debug, Default)]
struct Known {
    /// Where the other namespaces are found.
    proc: Option<OwnedFd>,
    tables: RefCell<BTreeMap<(Bytes, Table), Rc<Content>>>,
    spaces: OnceCell<BTreeMap<Bytes, Vec<i32>>>,
}

type Content = Result<Sockets, Why>;

/// Half a million sockets.
const TABLE: usize = 64 << 20;

impl Networks {
    /// Those of a proc file system.
    pub(super) fn of(proc: &OwnedFd) -> Networks {
        Networks(Rc::new(Known {
            proc: proc.try_clone().ok(),
            ..Known::default()
        }))
    }

    /// The network namespace of a process, or of one of its threads.
    pub(super) fn at<'a>(&'a self, place: Place<'a>, pid: i32) -> Network<'a> {
        // Where the link can't be read the tables can, but nobody shares them.
        let link = readlinkat(place.dir, place.path("ns/net"), Vec::new());
        let name = link.map_or_else(|_| name_of(pid), |link| link.into_bytes());
        Network {
            known: &self.0,
            place,
            name,
        }
    }
}

fn name_of(pid: i32) -> Bytes {
    format!("of process {pid}").into_bytes()
}

/// Where the sockets of one process are looked for.
pub(super) struct Network<'a> {
    known: &'a Known,
    place: Place<'a>,
    name: Bytes,
}

impl Network<'_> {
    /// What the tables tell of a socket. `protocol`: what is known of it.
    pub(super) fn socket(&self, inode: u64, protocol: Option<Protocol>) -> Socket {
        let listens = |protocol| matches!(protocol, Protocol::Tcp | Protocol::Udp | Protocol::Unix);
        let tables = Table::ALL.into_iter().filter(|table| match protocol {
            Some(known) => listens(known) && table.protocol() == known,
            None => true,
        });
        let mut doubt = None;
        let mut look = |content: &Content| match content {
            Ok(sockets) => sockets.get(&inode).cloned(),
            Err(why) => {
                doubt = Some(*why);
                None
            }
        };
        let tables: Vec<Table> = tables.collect();
        let own = || tables.iter().map(|table| (*table, self.own(*table)));
        let others = || self.others(&tables);
        let found = { own() }
            .chain(std::iter::once_with(others).flatten())
            .find_map(|(table, content)| Some((table.protocol(), look(&content)?)));
        match (found, doubt) {
            (Some((protocol, listens)), _) => Socket {
                protocol: Fact::Value(protocol),
                listens: listens.map_or_else(Fact::Unreadable, Fact::Value),
            },
            (None, doubt) => Socket {
                protocol: protocol.map_or(Fact::Unreadable(doubt.unwrap_or(Why::Untold)), Fact::Value),
                listens: doubt.map_or(Fact::Value(None::<Endpoint>), Fact::Unreadable),
            },
        }
    }

    fn own(&self, table: Table) -> Rc<Content> {
        let file = self.place.path(table.file());
        let read = || read(self.place.dir, &file, table);
        self.known.table(&self.name, table, read).unwrap_or_else(|| {
            // A kernel without IPv6 has no such table, and a copy may lack it.
            if self.place.is_alive() && is_proc(self.place.dir) {
                self.known.keep(&self.name, table, Ok(Sockets::new()))
            } else {
                Rc::new(Err(Why::Absent))
            }
        })
    }

    /// The same tables of the other namespaces: a socket stays in the one that it was made in, whoever holds it. systemd
    /// hands its own to services in namespaces of theirs.
    fn others<'a>(&'a self, tables: &'a [Table]) -> impl Iterator<Item = (Table, Rc<Content>)> + 'a {
        let proc = self.known.proc.as_ref().filter(|_| !tables.is_empty());
        let spaces = proc.map(|proc| (proc, self.known.spaces.get_or_init(|| spaces(proc))));
        let spaces = spaces
            .into_iter()
            .flat_map(|(proc, spaces)| spaces.iter().map(move |(name, pids)| (proc, name, pids)))
            .filter(|(_, name, _)| **name != self.name);
        spaces.flat_map(move |(proc, name, pids)| {
            let of = move |table: &Table| {
                // Where all that were in it are gone, so is the namespace.
                let content = pids.iter().find_map(|pid| {
                    let file = format!("{pid}/{}", table.file());
                    self.known
                        .table(name, *table, || read(proc.as_fd(), &file, *table))
                })?;
                Some((*table, content))
            };
            tables.iter().filter_map(of)
        })
    }
}

impl Known {
    /// `None`: there is no such file, or no such process any more.
    fn table(
        &self,
        name: &[u8],
        table: Table,
        read: impl FnOnce() -> Option<Content>,
    ) -> Option<Rc<Content>> {
        let key = (name.to_vec(), table);
        let known = self.tables.borrow().get(&key).cloned();
        known.or_else(|| Some(self.keep(name, table, read()?)))
    }

    fn keep(&self, name: &[u8], table: Table, content: Content) -> Rc<Content> {
        let content = Rc::new(content);
        let mut tables = self.tables.borrow_mut();
        tables.insert((name.to_vec(), table), Rc::clone(&content));
        content
    }
}

/// A table whose end is cut off may lack the line that counts.
fn read(dir: BorrowedFd<'_>, file: &str, table: Table) -> Option<Content> {
    match until(dir, file, TABLE, |bytes| is_past_listeners(table, bytes)) {
        Ok((_, true)) => Some(Err(Why::Malformed)),
        Ok((bytes, false)) => Some(parse(table, whole_lines(&bytes)).ok_or(Why::Malformed)),
        // ENXIO: the namespace is going away, seq_open_net() of fs/proc/proc_net.c.
        Err(Errno::NOENT | Errno::SRCH | Errno::NXIO) => None,
        Err(errno) => Some(Err(why(errno))),
    }
}

/// What is read up to the last of those that listen may end amid a line.
fn whole_lines(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte == b'\n');
    end.map_or(bytes, |end| &bytes[..=end])
}

fn is_proc(dir: BorrowedFd<'_>) -> bool {
    fstatfs(dir).is_ok_and(|fs| fs.f_type == PROC_SUPER_MAGIC)
}

/// The network namespaces that have processes, and which. That of PID 1 is among them even where its link is closed.
fn spaces(proc: &OwnedFd) -> BTreeMap<Bytes, Vec<i32>> {
    let mut spaces: BTreeMap<Bytes, Vec<i32>> = BTreeMap::new();
    let entries = Dir::read_from(proc).into_iter().flatten().filter_map(Result::ok);
    for pid in entries.filter_map(|entry| number::<i32>(entry.file_name().to_bytes())) {
        match readlinkat(proc, format!("{pid}/ns/net"), Vec::new()) {
            Ok(link) => spaces.entry(link.into_bytes()).or_default().push(pid),
            Err(_) if pid == 1 => spaces.entry(name_of(pid)).or_default().push(pid),
            Err(_) => {}
        }
    }
    spaces
}
