//! Who a process is beside its own ids: its account, its threads, its namespaces and its root directory.

use super::Bytes;
use serde::{Deserialize, Serialize};

/// What the name service says of the account of a process's effective uid.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Whether there is one.
    pub exists: bool,
    /// Its groups, the primary one among them: getgrouplist(3).
    pub groups: Vec<u32>,
    /// The privileged groups of this host, whoever is in them.
    pub privileged: Vec<u32>,
}

/// The ids of all threads of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Threads {
    /// Whether one has other ids, groups or capabilities, effective or permitted, than the first.
    pub differ: bool,
    /// Every uid of every thread, each once.
    pub uids: Vec<u32>,
    /// Who traces one of them, each once; 0 for nobody.
    #[serde(default)]
    pub tracers: Vec<i32>,
}

/// The root and the working directory of a process, as paths from the top of the mounts that it sees.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// The text of the link `root`.
    pub root: Bytes,
    /// The text of the link `cwd`; none where it is longer than the kernel tells.
    pub cwd: Option<Bytes>,
    /// Those of threads that have others of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub threads: Vec<Root>,
}

impl Root {
    /// Whether it is chrooted. The kernel tells a path from the top of the mounts that it leads through, d_path() of
    /// fs/d_path.c, so it is `/` also where a container moved its root there, or pivot_root(2) did.
    #[must_use]
    pub fn is_chrooted(&self) -> bool {
        self.root != b"/"
    }

    /// Its working directory, where that lies outside.
    #[must_use]
    pub fn cwd_outside(&self) -> Option<&[u8]> {
        self.cwd.as_deref().filter(|cwd| self.is_outside(cwd))
    }

    /// Its own, and those of its threads.
    pub fn all(&self) -> impl Iterator<Item = &Root> {
        std::iter::once(self).chain(&self.threads)
    }

    /// Whether a path, as the kernel tells it of this process, lies outside the root directory.
    #[must_use]
    pub fn is_outside(&self, path: &[u8]) -> bool {
        let inside = path
            .strip_prefix(self.root.as_slice())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"));
        self.is_chrooted() && !inside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_outside_a_root_that_it_does_not_lie_below() {
        let root = |root: &[u8]| Root {
            root: root.to_vec(),
            cwd: Some(b"/".to_vec()),
            threads: Vec::new(),
        };
        let jail = root(b"/srv/jail");
        for (path, outside) in [
            ("/srv/jail", false),
            ("/srv/jail/etc", false),
            ("/srv/jail2", true),
            ("/srv", true),
            ("/", true),
        ] {
            assert_eq!(jail.is_outside(path.as_bytes()), outside, "{path}");
        }
        assert!(!root(b"/").is_outside(b"/srv"));
    }

    #[test]
    fn a_thread_that_is_chrooted_alone_is_told() {
        let at = |root: &[u8], cwd: &[u8], threads| Root {
            root: root.to_vec(),
            cwd: Some(cwd.to_vec()),
            threads,
        };
        let told = |root: Root| {
            let outside = root.all().find_map(Root::cwd_outside);
            (root.all().any(Root::is_chrooted), outside.map(<[u8]>::to_vec))
        };
        let thread = at(b"/srv/jail", b"/home", vec![]);
        assert_eq!(
            told(at(b"/", b"/", vec![thread])),
            (true, Some(b"/home".to_vec()))
        );
        let thread = at(b"/", b"/home", vec![]);
        assert_eq!(told(at(b"/", b"/", vec![thread])), (false, None));
    }
}
