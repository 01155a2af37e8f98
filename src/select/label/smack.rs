//! Smack: the label is one word, whatever it looks like.

use super::{SecurityModule, bytes};
use crate::select::Key;
use crate::select::reading::Reading;

pub(super) struct Smack;

impl SecurityModule for Smack {
    fn name(&self) -> &'static str {
        "smack"
    }
    fn title(&self) -> &'static str {
        "Smack"
    }
    fn file(&self) -> &'static str {
        "attr/smack/current"
    }
    fn part<'a>(&self, label: &'a [u8], _: Key) -> Reading<'a> {
        bytes(label)
    }
    /// The floor label is what everything has that was given none.
    fn confines(&self, label: &[u8]) -> Option<bool> {
        Some(label != b"_")
    }
}
