//! From rows to a verdict. What can't be told of a process is not a no: the verdict is UNKNOWN where that could change it.

use super::filter::all;
use super::options::{Metric, Options};
use super::row::{Row, Seen, told};
use crate::judge::State;
use crate::select::{Key, Truth};
use crate::snapshot::Why;

/// What was found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The state.
    pub state: State,
    /// Indices of the processes that are counted.
    pub matched: Vec<usize>,
    /// Indices of those of which it can't be told, with what of them and why.
    pub unsure: Vec<(usize, Key, Why)>,
    /// How many there are at most; none where any number may be hidden.
    pub most: Option<usize>,
    /// Indices of those that alert, with what they are.
    pub alerting: Vec<(usize, State)>,
}

impl Verdict {
    /// How many of the counted ones are in this state.
    #[must_use]
    pub fn count(&self, state: State) -> usize {
        self.alerting.iter().filter(|(_, found)| *found == state).count()
    }

    /// Whether something could not be told.
    #[must_use]
    pub fn is_unsure(&self) -> bool {
        !self.unsure.is_empty() || self.most.is_none()
    }
}

/// Judges. `hidden`: processes may be missing among the rows.
#[must_use]
pub fn judge(options: &Options, rows: &[Row], hidden: bool) -> Verdict {
    let mut verdict = Verdict {
        state: State::Unknown,
        matched: Vec::new(),
        unsure: Vec::new(),
        most: None,
        alerting: Vec::new(),
    };
    let mut possible = State::Ok;
    let mut doubtful = 0;
    for (index, row) in rows.iter().enumerate().filter(|(_, row)| row.own.is_none()) {
        if options.no_kthreads && row.kthread == Ok(true) {
            continue;
        }
        let (key, value) = value(options.metric, row);
        match meant(options, row) {
            Truth::Yes => match value.map(|value| options.thresholds.state(value)) {
                Ok(State::Ok) => {}
                Ok(state) => verdict.alerting.push((index, state)),
                Err(_) if options.metric == Metric::Procs => {}
                Err(why) => {
                    possible = possible.worst(worst(options));
                    verdict.unsure.push((index, key, why));
                }
            },
            Truth::Unknown(key, why) => {
                let state = value.map_or_else(|_| worst(options), |value| options.thresholds.state(value));
                possible = possible.worst(state);
                doubtful += 1;
                verdict.unsure.push((index, key, why));
                continue;
            }
            _ => continue,
        }
        verdict.matched.push(index);
    }
    verdict.most = (!hidden).then_some(verdict.matched.len() + doubtful);
    if hidden {
        possible = possible.worst(worst(options));
    }
    verdict.state = match options.metric {
        Metric::Procs => of_count(options, &verdict),
        _ => {
            let known = verdict
                .alerting
                .iter()
                .fold(State::Ok, |worst, (_, state)| worst.worst(*state));
            // A WARNING that may be CRITICAL is a WARNING.
            if known == State::Ok && possible != State::Ok {
                State::Unknown
            } else {
                known
            }
        }
    };
    verdict
}

fn meant(options: &Options, row: &Row) -> Truth {
    // A line without a PID may be no process at all.
    let is_process = row
        .pid
        .map_or(Truth::Unknown(Key::Pid, Why::Malformed), |_| Truth::Yes);
    let filters = all(&options.filters, row).and(is_process);
    if options.no_kthreads {
        filters.and(told(&row.kthread, Key::Kthread, |kthread| !kthread))
    } else {
        filters
    }
}

fn value(metric: Metric, row: &Row) -> (Key, Seen<f64>) {
    match metric {
        // The count alone is judged.
        Metric::Procs => (Key::Pid, Err(Why::Absent)),
        Metric::Vsz => (Key::Vsz, row.vsz),
        Metric::Rss => (Key::Rss, row.rss),
        Metric::Cpu => (Key::CpuLife, row.cpu),
        Metric::Elapsed => (Key::Age, row.elapsed),
    }
}

/// The worst that any value may be.
fn worst(options: &Options) -> State {
    if options.thresholds.critical.is_some() {
        State::Critical
    } else if options.thresholds.warning.is_some() {
        State::Warning
    } else {
        State::Ok
    }
}

/// Any number of processes may be hidden.
const MANY: f64 = 1e15;

#[allow(
    clippy::cast_precision_loss,
    reason = "there are far fewer than 2^53 processes"
)]
fn of_count(options: &Options, verdict: &Verdict) -> State {
    let least = verdict.matched.len() as f64;
    let most = verdict.most.map_or(MANY, |most| most as f64);
    let states = options.thresholds.states(least, most);
    match states.as_slice() {
        [state] => *state,
        states if states.contains(&State::Ok) => State::Unknown,
        // All of it fails: the milder is certain.
        _ => State::Warning,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check_procs::options::{Request, parse};
    use crate::check_procs::row::Own;
    use crate::snapshot::Table;

    fn options(line: &str) -> Options {
        let words: Vec<Vec<u8>> = line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
        match parse(&words, &Table::default()) {
            Ok(Request::Check(options)) => *options,
            other => panic!("{other:?}"),
        }
    }

    fn row(comm: &str, rss: f64) -> Row {
        Row {
            comm: Ok(comm.as_bytes().to_vec()),
            rss: Ok(rss),
            args: Ok(comm.as_bytes().to_vec()),
            kthread: Ok(comm.starts_with('k')),
            ..Row::unreadable(Some(1), Why::Denied)
        }
    }

    fn unreadable() -> Row {
        Row::unreadable(Some(2), Why::Denied)
    }

    fn state(line: &str, rows: &[Row], hidden: bool) -> State {
        judge(&options(line), rows, hidden).state
    }

    #[test]
    fn what_runs_procward_does_not_count() {
        let own = |own| Row {
            own: Some(own),
            ..row("a", 1.0)
        };
        let rows = [
            row("a", 1.0),
            own(Own::Myself),
            own(Own::Parent),
            row("kworker", 0.0),
        ];
        let verdict = judge(&options("-c 2:2"), &rows, false);
        assert_eq!((verdict.state, verdict.matched), (State::Ok, vec![0, 3]));
        assert_eq!(judge(&options("-k"), &rows, false).matched, [0]);
    }

    #[test]
    fn a_count_is_unknown_where_what_cannot_be_told_could_change_it() {
        let rows = [row("a", 1.0), row("b", 1.0), unreadable()];
        for (line, expected) in [
            ("-C a -c 1:", State::Ok),
            ("-C a -c 2:", State::Unknown),
            ("-C a -c 3:", State::Critical),
            ("-C a -c 1:1", State::Unknown),
            ("-C a -c 0", State::Critical),
            ("-C c -c 0", State::Unknown),
            // One is WARNING, two are CRITICAL.
            ("-C a -w 0 -c 1", State::Warning),
            ("-C a", State::Ok),
            // Where nothing is asked of it, it counts.
            ("-c 3:3", State::Ok),
        ] {
            assert_eq!(state(line, &rows, false), expected, "{line}");
        }
    }

    #[test]
    fn a_line_that_is_none_of_ps_may_be_no_process() {
        let line = Row::unreadable(None, Why::Malformed);
        let rows = [row("a", 1.0), line];
        for (line, expected) in [
            ("-c 2:", State::Unknown),
            ("-c 1:", State::Ok),
            ("-c 0", State::Critical),
            ("-c 1:1", State::Unknown),
            ("-c 3:", State::Critical),
        ] {
            assert_eq!(state(line, &rows, false), expected, "{line}");
        }
    }

    #[test]
    fn where_processes_are_hidden_only_a_minimum_can_be_met() {
        let rows = [row("a", 1.0)];
        for (line, expected) in [
            ("-C a -c 1:", State::Ok),
            ("-C a -c 2:", State::Unknown),
            ("-C a -c 1:1", State::Unknown),
            ("-C a -c 0", State::Critical),
            ("-C b -c 0", State::Unknown),
            ("-C a -c @2:3", State::Unknown),
        ] {
            assert_eq!(state(line, &rows, true), expected, "{line}");
        }
        assert_eq!(state("-C a", &rows, true), State::Ok);
        assert_eq!(state("-m RSS -w 5", &rows, true), State::Unknown);
        assert_eq!(state("-m RSS -w 0", &rows, true), State::Warning);
    }

    #[test]
    fn the_worst_process_is_the_verdict_of_the_other_metrics() {
        let rows = [row("a", 1.0), row("b", 20.0), row("c", 300.0)];
        let verdict = judge(&options("-m RSS -w 10 -c 100"), &rows, false);
        assert_eq!(verdict.state, State::Critical);
        assert_eq!(verdict.alerting, [(1, State::Warning), (2, State::Critical)]);
        assert_eq!(
            (verdict.count(State::Warning), verdict.count(State::Critical)),
            (1, 1)
        );
        assert_eq!(state("-m RSS -w 1000", &rows, false), State::Ok);
    }

    #[test]
    fn a_value_that_cannot_be_told_is_not_a_good_one() {
        let rows = [row("a", 20.0), unreadable()];
        assert_eq!(state("-m RSS -c 100", &rows, false), State::Unknown);
        assert_eq!(state("-m RSS -c 10", &rows, false), State::Critical);
        assert_eq!(state("-m RSS -w 10 -c 100", &rows, false), State::Warning);
        assert_eq!(state("-m RSS", &rows, false), State::Ok);
        // Of another name, it is not meant whatever its value is.
        let named = Row {
            comm: Ok(b"b".to_vec()),
            ..unreadable()
        };
        assert_eq!(
            state("-m RSS -c 100 -C a", &[rows[0].clone(), named], false),
            State::Ok
        );
    }
}
