//! Names that must differ although what was taken out of them told them apart.

use std::collections::BTreeSet;

/// The name, with a number behind it where it is taken.
pub(super) fn unique(name: &str, divider: &str, taken: &mut BTreeSet<String>) -> String {
    let mut own = name.to_owned();
    let mut number = 2;
    while !taken.insert(own.clone()) {
        own = format!("{name}{divider}{number}");
        number += 1;
    }
    own
}
