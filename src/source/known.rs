//! What one look has found out that many processes share.

use super::account::Accounts;
use super::image::Paths;
use super::networks::Networks;
use rustix::fd::OwnedFd;

/// It, to begin with nothing; copies share it.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Which socket listens where.
    pub(super) networks: Networks,
    /// What the name service said.
    pub(super) accounts: Accounts,
    /// Who may write where.
    pub(super) paths: Paths,
}

impl Known {
    /// Nothing yet of a proc file system.
    #[must_use]
    pub fn of(proc: &OwnedFd) -> Known {
        Known {
            networks: Networks::of(proc),
            ..Known::default()
        }
    }
}
