//! The body of a request to Icinga 2's API, `process-check-result`, one a line. Icinga takes a result that began before the
//! one it has for an old one, and drops it without a word: the times have fractions.

use super::{Said, Sender};
use serde_json::json;

pub(super) fn body(said: &Said, sender: &Sender) -> String {
    let body = json!({
        "type": "Service",
        "service": format!("{}!{}", sender.host, said.service),
        "exit_status": said.state,
        "plugin_output": said.output,
        "performance_data": said.data.as_slice(),
        "check_source": sender.host,
        "execution_start": sender.started.as_secs_f64(),
        "execution_end": sender.ended.as_secs_f64(),
    });
    format!("{body}\n")
}
