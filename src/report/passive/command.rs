//! A line for the command file of Nagios: `[TIME] PROCESS_SERVICE_CHECK_RESULT;HOST;SERVICE;STATE;OUTPUT`.

use super::{Said, Sender, escaped, with_data};

pub(super) fn line(said: &Said, sender: &Sender) -> String {
    let (service, state) = (&said.service, said.state);
    format!(
        "[{}] PROCESS_SERVICE_CHECK_RESULT;{};{service};{state};{}\n",
        sender.ended.as_secs(),
        sender.host,
        escaped(&with_data(said))
    )
}
