//! What `send_nsca` reads: host, service, state and output, with a tab between them, and ETB behind each result. Since
//! NSCA 2.9 a line break is none between results but one in the output, and NSCA escapes for Nagios by itself.

use super::{Said, Sender, with_data};

pub(super) fn record(said: &Said, sender: &Sender) -> String {
    let (service, state) = (&said.service, said.state);
    format!("{}\t{service}\t{state}\t{}\x17", sender.host, with_data(said))
}
