//! A storm of restarts: something is done to a daemon again and again, while procward checks it in a tight loop, and
//! while looks by ps.monitor's rule are counted beside it.

use crate::common::wait_for;
use crate::namespace::Namespace;
use crate::ps_monitor::Numbers;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How often it is done.
const ROUNDS: usize = 50;
/// The pause between two looks by ps.monitor's rule.
const PAUSE: Duration = Duration::from_millis(2);

/// A daemon, and who watches it how.
pub(crate) struct Storm<'a> {
    pub(crate) host: &'a Namespace,
    /// What is done to it, as the table of docs/restarts.md has it.
    pub(crate) what: &'a str,
    pub(crate) spec: &'a str,
    /// What a user of ps.monitor would write: a name and how many.
    pub(crate) theirs: (&'a str, RangeInclusive<usize>),
}

/// What came of the looks by ps.monitor's rule.
#[derive(Default)]
struct Looks {
    all: usize,
    alarms: usize,
    longest: Duration,
}

/// Ends the watch, also where a round panics.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Storm<'_> {
    /// Does it in every round, prints a row of the table, and fails where procward was ever not OK. What is done is told
    /// how long to pause where an init script would.
    pub(crate) fn is_ridden_out(&self, round: impl Fn(Duration)) {
        let (over, runs) = (AtomicBool::new(false), AtomicUsize::new(0));
        let (alarms, looks) = std::thread::scope(|scope| {
            let ours = scope.spawn(|| self.check_until(&over, &runs));
            let theirs = scope.spawn(|| self.look_until(&over));
            let ending = Ending(&over);
            let mut numbers = Numbers(7);
            for _ in 0..ROUNDS {
                let before = runs.load(Ordering::SeqCst);
                round(milliseconds(50 + numbers.below(250)));
                // Of two runs that ended since, one began after the round did.
                wait_for("runs of procward", 60, || {
                    (runs.load(Ordering::SeqCst) >= before + 2).then_some(())
                });
                std::thread::sleep(milliseconds(numbers.below(100)));
            }
            drop(ending);
            (ours.join().expect("runs"), theirs.join().expect("looks"))
        });
        let runs = runs.into_inner();
        println!(
            "\n| {} | `{}` | {ROUNDS} | {runs} | {} | `{}` | {} | {} | {:.2} s |",
            self.what,
            self.spec,
            alarms.len(),
            self.their_spec(),
            looks.all,
            looks.alarms,
            looks.longest.as_secs_f64()
        );
        assert!(
            alarms.is_empty(),
            "{} of {runs} runs were not OK:\n{}",
            alarms.len(),
            alarms.join("\n")
        );
    }

    fn their_spec(&self) -> String {
        let (name, range) = &self.theirs;
        match *range.end() {
            usize::MAX => format!("{name}:{}-", range.start()),
            end => format!("{name}:{}-{end}", range.start()),
        }
    }

    /// Runs procward with its default re-check, one run after the other; gives what was not OK.
    fn check_until(&self, over: &AtomicBool, runs: &AtomicUsize) -> Vec<String> {
        let mut alarms = Vec::new();
        while !over.load(Ordering::SeqCst) {
            // Only root can read the program files of others.
            let by_file = self.spec.starts_with('/');
            let number = runs.load(Ordering::SeqCst);
            let user = if by_file || number.is_multiple_of(2) {
                "root"
            } else {
                "nobody"
            };
            let run = self.host.procward(user);
            // Nothing is remembered: restarts without end would be told of.
            let run = run.env("MON_STATEDIR", "/nonexistent");
            let said = run.args(["check", "--format", "nagios", self.spec]).run();
            if said.code() != Some(0) {
                let (code, stdout, stderr) = (said.code(), said.stdout(), said.stderr());
                alarms.push(format!("as {user}: {code:?} {stdout}{stderr}"));
            }
            runs.fetch_add(1, Ordering::SeqCst);
        }
        alarms
    }

    /// Looks once and counts by name, as ps.monitor does, again and again.
    fn look_until(&self, over: &AtomicBool) -> Looks {
        let proc = self.host.file("/proc");
        let (name, range) = &self.theirs;
        let mut looks = Looks::default();
        let mut wrong_since: Option<Instant> = None;
        while !over.load(Ordering::SeqCst) {
            let now = Instant::now();
            looks.all += 1;
            if range.contains(&count(&proc, name)) {
                let since = wrong_since.take();
                looks.longest = looks
                    .longest
                    .max(since.map_or(Duration::ZERO, |since| now - since));
            } else {
                looks.alarms += 1;
                wrong_since.get_or_insert(now);
            }
            std::thread::sleep(PAUSE);
        }
        looks
    }
}

/// How many processes below a /proc have this name for ps.monitor.
fn count(proc: &Path, name: &str) -> usize {
    let entries = std::fs::read_dir(proc).expect("/proc").flatten();
    let pids = entries.filter(|entry| entry.file_name().as_encoded_bytes()[0].is_ascii_digit());
    pids.filter(|entry| name_of(&entry.path()).as_deref() == Some(name))
        .count()
}

/// The name that ps.monitor gives a process: its comm, or the script of some interpreters.
fn name_of(directory: &Path) -> Option<String> {
    let comm = std::fs::read_to_string(directory.join("comm")).ok()?;
    let comm = comm.trim_end_matches('\n');
    if !matches!(comm, "perl" | "python" | "python3" | "python3.9") {
        return Some(comm.to_owned());
    }
    let cmdline = std::fs::read_to_string(directory.join("cmdline")).ok()?;
    let script = cmdline.split('\0').nth(1)?;
    script.rsplit('/').next().map(str::to_owned)
}

fn milliseconds(count: usize) -> Duration {
    Duration::from_millis(u64::try_from(count).expect("few"))
}
