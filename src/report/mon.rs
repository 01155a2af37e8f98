//! mon(8): the first line is the summary, the rest the detail.

use super::{Look, details, first_line};
use crate::judge::Report;

/// The whole output.
pub(super) fn render(report: &Report, look: &Look) -> String {
    format!(
        "{}: {}\n{}",
        report.state.word(),
        first_line::text(report),
        details::text(report, look)
    )
}
