//! Is the load of the host too high, and who is to blame? Pure: what was read comes in as data.

pub mod blame;
pub mod limits;
pub mod verdict;

#[cfg(test)]
mod tests;

pub use blame::{Blame, Suspects};
pub use limits::{Limit, Limits, Measure};
pub use verdict::{Report, judge};
