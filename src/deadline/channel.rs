//! What a worker has to say goes to its supervisor through a pipe: outcomes, one after the other, of which the last
//! whole one counts, whatever becomes of the worker while it writes the next. The end of the pipe is the end of the
//! worker, for nobody else holds it.

use crate::exit_code::Exit;
use crate::outcome::Outcome;
use std::io::{ErrorKind, PipeReader, PipeWriter, Read, Write, pipe};

/// Before each text: how the run ends, and the length, from the lowest byte on.
const HEAD: usize = 9;
/// Set in the first byte of the last outcome.
const LAST: u8 = 0x80;

/// The worker's end.
pub(super) struct Teller(pub(super) PipeWriter);

/// The supervisor's end.
pub(super) struct Listener {
    pub(super) pipe: PipeReader,
    /// Whether the worker is gone.
    pub(super) ended: bool,
    unread: Vec<u8>,
}

/// What was heard.
pub(super) enum Heard {
    /// What to say if there is nothing more to come.
    Soon(Outcome),
    /// The last word.
    Last(Outcome),
}

pub(super) fn channel() -> std::io::Result<(Listener, Teller)> {
    let (reader, writer) = pipe()?;
    let listener = Listener {
        pipe: reader,
        ended: false,
        unread: Vec::new(),
    };
    Ok((listener, Teller(writer)))
}

impl Teller {
    pub(super) fn tell(&self, outcome: &Outcome, last: bool) -> std::io::Result<()> {
        let first = outcome.exit.code() | if last { LAST } else { 0 };
        let length = (outcome.text.len() as u64).to_le_bytes();
        (&self.0).write_all(&[&[first], length.as_slice(), &outcome.text].concat())
    }
}

impl Listener {
    /// Takes what there is, and waits where there is nothing.
    pub(super) fn listen(&mut self) {
        let mut some = [0; 16 << 10];
        match self.pipe.read(&mut some) {
            Ok(0) => self.ended = true,
            Ok(count) => self.unread.extend_from_slice(&some[..count]),
            Err(error) => self.ended = error.kind() != ErrorKind::Interrupted,
        }
    }

    /// The next whole outcome.
    pub(super) fn next(&mut self) -> Option<Heard> {
        let (head, rest) = self.unread.split_first_chunk::<HEAD>()?;
        let [first, length @ ..] = *head;
        let length = usize::try_from(u64::from_le_bytes(length)).ok()?;
        let outcome = Outcome::new(rest.get(..length)?, exit_of(first & !LAST));
        self.unread.drain(..HEAD + length);
        Some(if first & LAST == 0 {
            Heard::Soon(outcome)
        } else {
            Heard::Last(outcome)
        })
    }
}

fn exit_of(code: u8) -> Exit {
    match code {
        0 => Exit::Ok,
        1 => Exit::Warning,
        2 => Exit::Critical,
        _ => Exit::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_is_heard_whole_and_a_half_one_is_not() {
        let (mut listener, teller) = channel().unwrap();
        let outcomes: Vec<Outcome> = [Exit::Ok, Exit::Warning, Exit::Critical, Exit::Unknown]
            .into_iter()
            .enumerate()
            .map(|(number, exit)| Outcome::new(vec![b'x'; number * 100_000], exit))
            .collect();
        let told = outcomes.clone();
        let worker = std::thread::spawn(move || {
            for (number, outcome) in told.iter().enumerate() {
                teller.tell(outcome, number == 3).unwrap();
            }
            (&teller.0)
                .write_all(&[0, 5, 0, 0, 0, 0, 0, 0, 0, b'h', b'a'])
                .unwrap();
        });
        let mut heard = Vec::new();
        while !listener.ended {
            listener.listen();
            while let Some(next) = listener.next() {
                heard.push(match next {
                    Heard::Soon(outcome) => (outcome, false),
                    Heard::Last(outcome) => (outcome, true),
                });
            }
        }
        worker.join().unwrap();
        let last = |(number, outcome)| (outcome, number == 3);
        assert_eq!(
            heard,
            outcomes.into_iter().enumerate().map(last).collect::<Vec<_>>()
        );
    }
}
