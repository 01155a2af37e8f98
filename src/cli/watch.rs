//! The loop of a run: looks at the checks that are not decided, until every one is or the time is up.

use super::view::View;
use crate::deadline::Notes;
use crate::judge::{
    Check, Earlier, History, Item, Report, Sighting, State, Verdict, assemble, judge, seconds,
};
use crate::memory::store::Store;
use crate::memory::{Memory, Spell, key};
use crate::select::select;
use crate::select::selection::Wanted;
use crate::select::{File, Plan};
use crate::snapshot::{Clocks, Snapshot};
use crate::source::procfs::now;
use std::collections::BTreeMap;
use std::time::Duration;

/// How to watch.
pub struct Watch<'a> {
    /// Where to look.
    pub view: &'a View,
    /// Who watches the worker; tells when the run began, and how long it may take.
    pub notes: Notes,
    /// For how long a check may fail before that counts, where the check does not say.
    pub window: Duration,
    /// Whether that time passes from run to run: this one does not wait.
    pub pending: bool,
    /// What to read of the processes of checks that are OK, beside what decides.
    pub tells: &'static [File],
    /// What to print if the run ended now.
    pub publish: &'a dyn Fn(&Report),
}

/// What is known so far.
#[derive(Default)]
struct Known {
    histories: BTreeMap<String, History>,
    verdicts: BTreeMap<String, Verdict>,
    snapshot: Snapshot,
    /// How long the last look took.
    effort: Duration,
    /// The clocks of the looks, those of earlier runs first.
    samples: Vec<Clocks>,
    /// What earlier runs noted.
    memory: Option<Memory>,
    skipped: Vec<(String, String)>,
}

impl<'a> Watch<'a> {
    /// Looks at what fails just once more.
    #[must_use]
    pub fn at_once(view: &'a View) -> Watch<'a> {
        Watch {
            view,
            notes: view.notes(),
            window: Duration::ZERO,
            pending: false,
            tells: &[],
            publish: &|_| (),
        }
    }
    /// Looks until every check is decided. `store`: what earlier runs noted, and where this one notes it.
    #[must_use]
    pub fn run(&self, items: &[Item], store: Option<Store>) -> Report {
        let Some(mut store) = store else {
            let mut report = self.look_until_decided(items, &mut Known::default());
            report.remarks.extend(self.restarts_untold(items));
            report.remarks.extend(self.nothing_pends());
            return report;
        };
        let mut known = Known {
            samples: store.memory.samples.clone(),
            memory: Some(store.memory),
            ..Known::default()
        };
        let last = known.samples.last().cloned();
        let mut report = self.look_until_decided(items, &mut known);
        store.memory = known.memory.take().unwrap_or_default();
        let began = Duration::from_nanos(now()).saturating_sub(self.notes.started().elapsed());
        let at = |check: &Check| known.ended(check, began);
        self.note(items, &mut report, &known, &mut store.memory, last.as_ref(), &at);
        let mut of_memory = settled(items, report.verdicts.clone(), &mut store.memory, &at);
        let keys: Vec<String> = checks(items).into_iter().map(key).collect();
        let saved = store.save(&keys);
        report.verdicts = match &saved {
            Ok(memory) => {
                let by_name = by_name(items);
                for verdict in &mut of_memory {
                    let check = by_name.get(verdict.name.as_str());
                    verdict.totals = check.and_then(|check| memory.totals(check));
                }
                of_memory
            }
            Err(_) => alone(items, report.verdicts, &store.memory, &at),
        };
        let remarks = std::mem::take(&mut report.remarks);
        let skipped = std::mem::take(&mut report.skipped);
        let mut report = assemble(report.verdicts, skipped, &known.snapshot);
        report.remarks = remarks;
        report.remarks.extend(store.remark.into_iter().chain(saved.err()));
        report
    }

    /// Notes the outcome of every check. `last`: the clocks of the latest look of the runs before; `at`: when it was.
    fn note(
        &self,
        items: &[Item],
        report: &mut Report,
        known: &Known,
        memory: &mut Memory,
        last: Option<&Clocks>,
        at: &dyn Fn(&Check) -> u64,
    ) {
        let by_name = by_name(items);
        for verdict in &mut report.verdicts {
            let Some(&check) = by_name.get(verdict.name.as_str()) else {
                continue;
            };
            // Where the view may lack any process, it may lack those that were seen before.
            if verdict.unknown == u64::MAX
                && let Some(earlier) = memory.of(check)
            {
                let lacking = earlier.since.iter().filter(|spell| !known.saw(spell));
                verdict.undecided.extend(lacking.map(|spell| spell.pid));
            }
            let went_on = |seen: &Sighting| last.is_some_and(|last| known.went_on(check, seen, last));
            memory.note(check, verdict, at(check), self.grace(check), &went_on);
        }
        memory.samples.clone_from(&known.samples);
        memory.keep_samples();
    }

    /// A limit of restarts that nothing can come of is told, or it would be an OK that nobody looked for.
    fn restarts_untold(&self, items: &[Item]) -> Option<String> {
        let limited = checks(items).into_iter().filter(|check| check.restarts.is_some());
        let names: Vec<&str> = limited.map(|check| check.name.as_str()).collect();
        let why = if self.view.is_live() {
            "there is no state file, so nothing is known of earlier runs; give --state FILE"
        } else {
            "a snapshot is one look"
        };
        (!names.is_empty()).then(|| format!("restarts are not judged, of {}: {why}", names.join(", ")))
    }

    /// A failure that nobody remembers is the first one in every run, so it counts.
    fn nothing_pends(&self) -> Option<String> {
        let sentence = "nothing is pending: there is no state file; give --state FILE";
        self.pending.then(|| sentence.to_owned())
    }

    /// For how long this run looks again at a check that fails.
    fn wait(&self, check: &Check) -> Duration {
        if self.pending {
            Duration::ZERO
        } else {
            check.recheck.unwrap_or(self.window)
        }
    }

    /// For how long a failure of a check is pending, from run to run.
    fn grace(&self, check: &Check) -> Duration {
        if self.pending {
            check.recheck.unwrap_or(self.window)
        } else {
            Duration::ZERO
        }
    }

    fn look_until_decided(&self, items: &[Item], known: &mut Known) -> Report {
        let checks = checks(items);
        let longest = checks
            .iter()
            .map(|check| {
                let wanted = self.wait(check);
                wanted.max(check.pace.window * 2 + check.pace.lasting)
            })
            .max();
        self.notes.ask_for(longest.unwrap_or_default());
        // What is remembered of a check are its processes, so they are looked at as for a report.
        let first = if known.memory.is_some() {
            Plan::telling(wanted(&checks), false)
        } else {
            Plan::deciding(wanted(&checks))
        };
        let first = first.and(self.tells);
        self.look(items, &first, known);
        if !self.view.is_live() {
            return known.report(items, unconfirmed);
        }
        self.look_closer(&checks, known);
        loop {
            let open: Vec<(&Check, Duration)> = checks
                .iter()
                .filter_map(|check| Some((*check, self.next_look(check, known)?)))
                .collect();
            let next = open.iter().map(|(_, next)| *next).min();
            let limit = self.limit(known);
            let Some(next) = next.filter(|next| limit.is_none_or(|limit| *next <= limit)) else {
                let mut report = known.report(items, |check, history, verdict| {
                    let open = self.next_look(check, known).is_some();
                    finish(check, history, verdict, open);
                });
                report.remarks.extend(self.haste(&checks, &report, known));
                return report;
            };
            if known.histories.values().any(|history| history.looks() > 1) {
                (self.publish)(&known.report(items, |check, history, verdict| {
                    // Where earlier runs have a say, nothing is decided before they had it.
                    let open = check.patience.is_some() || self.next_look(check, known).is_some();
                    finish(check, history, verdict, open);
                }));
            }
            std::thread::sleep(next.saturating_sub(self.notes.started().elapsed()));
            let open: Vec<&Check> = open.into_iter().map(|(check, _)| check).collect();
            let plan = Plan::telling(wanted(&open), open.iter().any(|check| self.is_last(check, known)))
                .and(self.tells);
            self.look(&items_of(&open), &plan, known);
        }
    }

    /// What is UNKNOWN for want of a right stays so, and is not looked at again for that; but the first look read only
    /// what decides, and who the processes are is needed for the evidence and the remedy.
    fn look_closer(&self, checks: &[&Check], known: &mut Known) {
        let unseen = |check: &&&Check| {
            let verdict = known.verdicts.get(&check.name);
            verdict
                .is_some_and(|verdict| verdict.state == State::Unknown && !verdict.passing && !verdict.awaits)
        };
        let unseen: Vec<&Check> = checks.iter().filter(unseen).copied().collect();
        if !unseen.is_empty() {
            let near = unseen.iter().any(|check| check.count.min > 0);
            let plan = Plan::telling(wanted(&unseen), near).and(self.tells);
            self.look(&items_of(&unseen), &plan, known);
        }
    }

    fn look(&self, items: &[Item], plan: &Plan, known: &mut Known) {
        let at = self.notes.started().elapsed();
        known.snapshot = self.view.look_after(plan, known.past(window(items)));
        let report = judge(items, &known.snapshot, self.view);
        known.samples.extend(known.snapshot.clocks.take());
        known.forget(window(items));
        if !report.skipped.is_empty() {
            known.skipped = report.skipped;
        }
        let by_name = by_name(items);
        for mut verdict in report.verdicts {
            if let (Some(memory), Some(check)) = (&known.memory, by_name.get(verdict.name.as_str())) {
                memory.recognise(check, &mut verdict);
            }
            known
                .histories
                .entry(verdict.name.clone())
                .or_default()
                .add(at, &verdict);
            known.verdicts.insert(verdict.name.clone(), verdict);
        }
        known.effort = self.notes.started().elapsed().saturating_sub(at);
    }

    /// When the last look may begin: it reads more than the one before, what came close for example.
    fn limit(&self, known: &Known) -> Option<Duration> {
        self.notes
            .limit()
            .map(|limit| limit.saturating_sub(known.effort * 2))
    }

    /// For how long the check may fail: as it says, as far as there is time.
    fn window_of(&self, check: &Check, known: &Known) -> Duration {
        let wanted = self.wait(check);
        let history = known.histories.get(&check.name);
        let began = history.and_then(History::began).unwrap_or_default();
        let left = self.limit(known).map(|limit| limit.saturating_sub(began));
        left.map_or(wanted, |left| wanted.min(left))
    }

    /// What to tell of failures that the run had no time to look at for as long as they ask for.
    fn haste(&self, checks: &[&Check], report: &Report, known: &Known) -> Option<String> {
        let failing = report
            .verdicts
            .iter()
            .filter(|verdict| matches!(verdict.state, State::Warning | State::Critical));
        let hasty: Vec<String> = failing
            .filter_map(|verdict| {
                let check = checks.iter().find(|check| check.name == verdict.name)?;
                let (given, wanted) = (known.histories.get(&check.name)?.lasted(), self.wait(check));
                let short = !check.count.forbids() && given < wanted;
                short.then(|| format!("{} ({} of {})", check.name, seconds(given), seconds(wanted)))
            })
            .collect();
        let more = match hasty.len().saturating_sub(HASTY_TOLD) {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        let told = hasty[..hasty.len().min(HASTY_TOLD)].join(", ");
        (!hasty.is_empty()).then(|| {
            format!(
                "the time was too short for the whole re-check, so this may be a restart: {told}{more}; \
                 give a longer -t, or a shorter recheck"
            )
        })
    }

    fn next_look(&self, check: &Check, known: &Known) -> Option<Duration> {
        let history = known.histories.get(&check.name)?;
        history.next_look(check, self.window_of(check, known))
    }

    /// Whether the look that comes now is the last one of a check that finds too few: then it tells what came close.
    fn is_last(&self, check: &Check, known: &Known) -> bool {
        let now = self.notes.started().elapsed();
        let history = known.histories.get(&check.name);
        check.count.min > 0
            && history.is_some_and(|history| history.ends_by(now, self.window_of(check, known)))
    }
}

/// So many checks that had too little time are named.
const HASTY_TOLD: usize = 3;
/// Two looks are never exactly a window apart.
const SLACK: Duration = Duration::from_millis(100);
/// A rate over more than this hides what happens now.
const OLDEST: Duration = Duration::from_secs(600);

impl Known {
    /// The clocks of the latest look that a window lies behind. What is too old tells of a time nobody asks about.
    fn past(&self, window: Duration) -> Option<Clocks> {
        let now = now();
        let age = |clocks: &&Clocks| Duration::from_nanos(now.saturating_sub(clocks.at));
        let mut samples = self.samples.iter().rev();
        samples
            .find(|clocks| age(clocks) + SLACK >= window)
            .filter(|clocks| age(clocks) <= OLDEST)
            .cloned()
    }

    /// Lets go of clocks that no look asks for any more; the last two stay for the next run.
    fn forget(&mut self, window: Duration) {
        let now = now();
        let old = |clocks: &Clocks| Duration::from_nanos(now.saturating_sub(clocks.at)) > window;
        let needed = self.samples.iter().rposition(old).unwrap_or(0);
        let kept = self.samples.len().saturating_sub(2).min(needed);
        self.samples.drain(..kept);
    }

    /// When a check was looked at last, in seconds of CLOCK_BOOTTIME. `began`: when the run did.
    fn ended(&self, check: &Check, began: Duration) -> u64 {
        let history = self.histories.get(&check.name);
        let ended = history.and_then(History::ended).unwrap_or_default();
        began.saturating_add(ended).as_secs()
    }

    /// Whether the last look listed this process.
    fn saw(&self, spell: &Spell) -> bool {
        let last = self.samples.last();
        last.is_some_and(|clocks| clocks.get(spell.pid, spell.start).is_some())
    }

    /// Whether a process matches over the whole time since an earlier look, too.
    fn went_on(&self, check: &Check, seen: &Sighting, earlier: &Clocks) -> bool {
        let Some(present) = self.samples.last() else {
            return false;
        };
        let one = self.snapshot.by_pid(seen.pid).into_iter().cloned().collect();
        let mut over_all = Snapshot {
            processes: one,
            past: Some(earlier.clone()),
            host: self.snapshot.host.clone(),
            ..Snapshot::default()
        };
        over_all.keep_clocks(present.clone());
        !select(&check.wanted(), &over_all).matched.is_empty()
    }

    /// What the runs before this one saw of a check.
    fn earlier(&self, check: &Check) -> Earlier {
        let known = self.memory.as_ref().and_then(|memory| memory.of(check));
        known.map_or_else(Earlier::default, |known| known.earlier(now() / 1_000_000_000))
    }

    fn report(&self, items: &[Item], finish: impl Fn(&Check, &History, &mut Verdict)) -> Report {
        let verdicts = items
            .iter()
            .filter_map(|item| {
                let mut verdict = self.verdicts.get(item.name())?.clone();
                if let (Item::Check(check), Some(history)) = (item, self.histories.get(item.name())) {
                    finish(check, history, &mut verdict);
                    history.tell(check, &mut verdict, &self.earlier(check));
                }
                Some(verdict)
            })
            .collect();
        assemble(verdicts, self.skipped.clone(), &self.snapshot)
    }
}

/// What is told of each check, if this run is remembered; that this is told is noted, too.
fn settled(
    items: &[Item],
    mut verdicts: Vec<Verdict>,
    memory: &mut Memory,
    at: &dyn Fn(&Check) -> u64,
) -> Vec<Verdict> {
    let by_name = by_name(items);
    for verdict in &mut verdicts {
        let Some(&check) = by_name.get(verdict.name.as_str()) else {
            continue;
        };
        if let Some(known) = memory.of(check) {
            known.hold_back(verdict, at(check));
            known.settle(check, verdict, at(check));
        }
        memory.note_state(check, verdict.state, at(check));
    }
    verdicts
}

/// What is told of each check, if this run can't be remembered: what goes on for long can't be told from run to run, so
/// this one decides.
fn alone(
    items: &[Item],
    mut verdicts: Vec<Verdict>,
    memory: &Memory,
    at: &dyn Fn(&Check) -> u64,
) -> Vec<Verdict> {
    let by_name = by_name(items);
    for verdict in &mut verdicts {
        let Some(&check) = by_name.get(verdict.name.as_str()) else {
            continue;
        };
        if check.patience.is_none() {
            if let Some(known) = memory.of(check) {
                known.hold_back(verdict, at(check));
                known.settle(check, verdict, at(check));
            }
        } else if verdict.state == State::Critical {
            verdict.state = State::Warning;
            verdict.story.push("judged by this run alone".into());
        }
    }
    verdicts
}

/// The verdict of a check that is not looked at again, and may be left open.
fn finish(check: &Check, history: &History, verdict: &mut Verdict, open: bool) {
    if open {
        history.leave_open(verdict);
    } else {
        history.settle(check, verdict);
    }
}

fn unconfirmed(_: &Check, _: &History, verdict: &mut Verdict) {
    if verdict.state != State::Ok {
        verdict.story.push("not confirmed: a snapshot is one look".into());
    }
}

fn checks(items: &[Item]) -> Vec<&Check> {
    items
        .iter()
        .filter_map(|item| match item {
            Item::Check(check) => Some(&**check),
            _ => None,
        })
        .collect()
}

/// The checks by their names; of two of one name the first.
fn by_name(items: &[Item]) -> BTreeMap<&str, &Check> {
    let named = checks(items).into_iter().rev();
    named.map(|check| (check.name.as_str(), check)).collect()
}

/// The window over which rates are taken: the shortest that is asked for.
fn window(items: &[Item]) -> Duration {
    let checks = checks(items).into_iter();
    checks.map(|check| check.pace.window).min().unwrap_or_default()
}

fn items_of(checks: &[&Check]) -> Vec<Item> {
    let own = |check: &&Check| Item::Check(Box::new((*check).clone()));
    checks.iter().map(own).collect()
}

fn wanted(checks: &[&Check]) -> Vec<Wanted> {
    checks.iter().map(|check| check.wanted()).collect()
}
