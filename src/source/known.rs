//! What one look has found out that many processes share.

use super::account::Accounts;
use super::ids::Ids;
use super::image::Paths;
use super::networks::Networks;
use crate::parse::mountinfo::ProcMount;
use crate::snapshot::Bytes;
use rustix::fd::OwnedFd;
use rustix::fs::readlinkat;
use std::collections::BTreeSet;
use std::rc::Rc;

/// It, to begin with nothing; copies share it.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Which socket listens where.
    pub(super) networks: Networks,
    /// What the name service said.
    pub(super) accounts: Accounts,
    /// Who may write where.
    pub(super) paths: Paths,
    /// The processes over which, or over a file of which, something is mounted.
    pub(super) covered: Rc<BTreeSet<i32>>,
    /// procward's own namespaces; none where it does not show.
    pub(super) ours: Rc<Ours>,
}

/// The links below `/proc/self/ns`, which those of processes are compared with.
#[derive(Debug, Default)]
pub(super) struct Ours {
    pub(super) user: Option<Bytes>,
    pub(super) mounts: Option<Bytes>,
    pub(super) ids: Ids,
}

impl Known {
    /// Nothing yet of a proc file system but how it is mounted.
    #[must_use]
    pub fn of(proc: &OwnedFd, mount: Option<&ProcMount>) -> Known {
        let covers = mount.into_iter().flat_map(|mount| &mount.covers);
        let covers = covers.filter(|cover| cover.whole);
        Known {
            networks: Networks::of(proc),
            covered: Rc::new(covers.map(|cover| cover.pid).collect()),
            ours: Rc::new(Ours::of(proc)),
            ..Known::default()
        }
    }
}

impl Ours {
    fn of(proc: &OwnedFd) -> Ours {
        let link = |path| Some(readlinkat(proc, path, Vec::with_capacity(64)).ok()?.into_bytes());
        Ours {
            user: link("self/ns/user"),
            mounts: link("self/ns/mnt"),
            ids: Ids::of(proc),
        }
    }
}
