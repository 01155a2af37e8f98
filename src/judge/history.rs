//! What the looks of one run showed of one check: when it wants to be looked at next, and what became of it.
//!
//! A look is one snapshot, judged. Looking again is one mechanism with three uses: a scan of `/proc` is not atomic, so
//! nothing fails on one look; a restart is ridden out by looking until the check passes or its window ends; and what
//! must not run is confirmed, so that a program that is gone at once is no finding, while one that is started anew
//! again and again is.

mod story;

use super::verdict::{Manner, Sighting, Verdict};
use super::{Check, State};
use crate::select::Key;
use crate::snapshot::Bytes;
use std::time::Duration;
pub use story::Earlier;

/// The second look: later than any exec takes, sooner than anybody notices.
const SECOND_LOOK: Duration = Duration::from_millis(20);
/// The longest pause between two looks.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// What can't be told because it changes under our eyes is given at least this long.
const SETTLING: Duration = Duration::from_millis(300);
/// A program that must not run is a finding if it runs after this time too, be it started anew meanwhile.
const CONFIRMATION: Duration = Duration::from_secs(1);
/// A finding about credentials needs the same process after this time: half-started children have their parent's ids
/// for a moment, and 646 passes through storms of restarts showed that nothing shorter will do.
const CONFIRMATION_OF_IDS: Duration = Duration::from_secs(3);
/// A program that is there in so many looks, and each time as another process, hides behind that.
const MANY: u32 = 8;
/// The pause between these.
const MANY_PAUSE: Duration = Duration::from_millis(150);
/// How often a forbidden program that went away is looked for.
const WATCH: Duration = Duration::from_millis(100);

/// The looks at one check, in the order of time.
#[derive(Clone, Debug, Default)]
pub struct History {
    looks: Vec<Look>,
}

#[derive(Clone, Debug)]
struct Look {
    /// Since the run began.
    at: Duration,
    state: State,
    manner: Manner,
    passing: bool,
    awaits: bool,
    sightings: Vec<Sighting>,
}

/// What makes two sightings the same finding.
#[derive(PartialEq, Eq)]
enum Finding<'a> {
    Process(i32, u64),
    Program(&'a Bytes, Option<u32>),
}

impl History {
    /// Notes a look, at a time since the run began.
    pub fn add(&mut self, at: Duration, verdict: &Verdict) {
        self.looks.push(Look {
            at,
            state: verdict.state,
            manner: verdict.manner,
            passing: verdict.passing,
            awaits: verdict.awaits,
            sightings: verdict.sightings.clone(),
        });
    }

    /// How often it was looked at.
    #[must_use]
    pub fn looks(&self) -> usize {
        self.looks.len()
    }

    /// When it was looked at first.
    #[must_use]
    pub fn began(&self) -> Option<Duration> {
        self.looks.first().map(|look| look.at)
    }

    /// The time between its first look and its last.
    #[must_use]
    pub fn lasted(&self) -> Duration {
        let ends = self.looks.first().zip(self.looks.last());
        ends.map_or(Duration::ZERO, |(first, last)| last.at.saturating_sub(first.at))
    }

    /// Whether a look at `now` is the last that a failing check is given.
    #[must_use]
    pub fn ends_by(&self, now: Duration, window: Duration) -> bool {
        self.looks
            .first()
            .is_none_or(|first| now >= first.at + window.max(SECOND_LOOK))
    }

    /// When to look next, since the run began; `None` where the last look decides. `window`: for how long a check may
    /// fail before that counts.
    #[must_use]
    pub fn next_look(&self, check: &Check, window: Duration) -> Option<Duration> {
        let (first, last) = (self.looks.first()?, self.looks.last()?);
        if last.awaits && last.at < first.at + check.pace.window {
            return Some(first.at + check.pace.window);
        }
        if check.count.forbids() && is_rate(check) {
            return self.next_sample(check, first, last);
        }
        if check.count.forbids() {
            return self.next_confirmation(check, first, last);
        }
        let end = match last.state {
            State::Ok => return None,
            State::Unknown if !last.passing => return None,
            State::Unknown => first.at + window.max(SETTLING),
            State::Warning | State::Critical => first.at + window.max(SECOND_LOOK),
        };
        (last.at < end).then(|| (last.at + self.pause()).min(end))
    }

    /// 20 ms, and twice as long each time.
    fn pause(&self) -> Duration {
        let doublings = u32::try_from(self.looks.len() - 1).unwrap_or(u32::MAX).min(10);
        (SECOND_LOOK * 2u32.pow(doublings)).min(LONGEST_PAUSE)
    }

    fn next_confirmation(&self, check: &Check, first: &Look, last: &Look) -> Option<Duration> {
        let (found, hold) = (self.first_finding(), hold(check));
        let Some(found) = found else {
            // Nothing is known of whatever the first look saw: it is looked at more closely.
            return match last.state {
                State::Ok => None,
                State::Unknown if !last.passing => None,
                _ => {
                    let next = last.at + self.pause();
                    (next <= first.at + hold).then_some(next)
                }
            };
        };
        // A process is the one that was seen, or another one, which the next run will see.
        let end = found + if by_process(check) { hold } else { 2 * hold };
        if self.is_confirmed(check) {
            return None;
        }
        if last.at >= end {
            return self.next_of_many(check, last, end);
        }
        if !last.sightings.is_empty() {
            let oldest = last
                .sightings
                .iter()
                .filter_map(|seen| self.first_seen(check, seen))
                .min();
            return Some(
                oldest
                    .map_or(end, |at| at + hold)
                    .max(last.at + SECOND_LOOK)
                    .min(end),
            );
        }
        // A process that is gone has no ids; a program may be started anew.
        (!by_process(check)).then(|| (last.at + WATCH).min(end))
    }

    /// Another process than the one that was seen, but of the same program and user: one that is half started comes and
    /// goes, and one that forks and ends so as not to be the same is there whenever we look.
    fn next_of_many(&self, check: &Check, last: &Look, end: Duration) -> Option<Duration> {
        // The first look may tell that there is something, and not what.
        let found = self.looks.iter().skip_while(|look| look.sightings.is_empty());
        let all = found.count();
        let mut seen = last.sightings.iter();
        let there = seen.any(|seen| self.looks_with_program(seen) == all);
        (may_be_many(check) && there && last.at < end + MANY_PAUSE * MANY).then(|| last.at + MANY_PAUSE)
    }

    /// In how many of the last looks a program was seen, whichever process ran it.
    fn looks_with_program(&self, seen: &Sighting) -> usize {
        let same = |other: &Sighting| (&other.program, other.uid) == (&seen.program, seen.uid);
        let looks = self.looks.iter().rev();
        looks.take_while(|look| look.sightings.iter().any(same)).count()
    }

    /// A rate is over a window already, so one look decides, unless it must last.
    fn next_sample(&self, check: &Check, first: &Look, last: &Look) -> Option<Duration> {
        if last.state == State::Unknown && last.passing && self.looks.len() < 3 {
            return Some(last.at + SECOND_LOOK);
        }
        // What began later than with the first rate is for the next run.
        let end = first.at + check.pace.window + check.pace.lasting;
        let open = last.at < end && !last.sightings.is_empty() && !self.is_confirmed(check);
        open.then(|| last.at + check.pace.window)
    }

    /// For how long this process, or those in whose place it was started, was a finding in every look; the time before
    /// the first of them, of which its rate tells, included.
    fn lasts(&self, seen: &Sighting) -> Duration {
        let Some((last, before)) = self.looks.split_last() else {
            return Duration::ZERO;
        };
        let (mut first, mut at) = (seen, last.at);
        for look in before.iter().rev() {
            let ago = at.saturating_sub(look.at);
            let same = look.sightings.iter().find(|earlier| first.is(earlier));
            let earlier = same.or_else(|| {
                let mut all = look.sightings.iter();
                all.find(|earlier| first.succeeds(earlier, ago))
            });
            let Some(earlier) = earlier else { break };
            (first, at) = (earlier, look.at);
        }
        last.at.saturating_sub(at) + first.span
    }

    fn first_finding(&self) -> Option<Duration> {
        self.looks
            .iter()
            .find(|look| !look.sightings.is_empty())
            .map(|look| look.at)
    }

    /// When this finding was seen for the first time.
    fn first_seen(&self, check: &Check, seen: &Sighting) -> Option<Duration> {
        let wanted = finding(check, seen);
        let same = |look: &&Look| look.sightings.iter().any(|other| finding(check, other) == wanted);
        self.looks.iter().find(same).map(|look| look.at)
    }

    fn is_confirmed(&self, check: &Check) -> bool {
        self.looks.last().is_some_and(|last| {
            last.sightings.iter().any(|seen| {
                if is_rate(check) {
                    return self.lasts(seen) >= check.pace.lasting;
                }
                let known = seen.known_before
                    || self
                        .first_seen(check, seen)
                        .is_some_and(|first| last.at >= first + hold(check));
                let many = may_be_many(check) && self.looks_with_program(seen) > MANY as usize;
                // Seen twice, gone in between: somebody starts it again and again.
                known || many || (!by_process(check) && self.was_started_anew(check, seen))
            })
        })
    }

    fn was_started_anew(&self, check: &Check, seen: &Sighting) -> bool {
        let wanted = finding(check, seen);
        let mut gone = false;
        for look in self.looks.iter().rev().skip(1) {
            let there = look.sightings.iter().any(|other| finding(check, other) == wanted);
            if there && gone {
                return true;
            }
            gone |= !there;
        }
        false
    }

    /// Takes back what was not confirmed: a process that had the wrong ids for a moment is no finding, nor is one that
    /// was busy for less long than is asked for.
    pub fn settle(&self, check: &Check, verdict: &mut Verdict) {
        let failing = matches!(verdict.state, State::Warning | State::Critical);
        if !failing || !check.count.forbids() || !by_process(check) {
            return;
        }
        let gone = if is_rate(check) {
            verdict.retain(|seen| self.lasts(seen) >= check.pace.lasting)
        } else if self.is_confirmed(check) {
            0
        } else {
            verdict.evidence.clear();
            verdict.pass();
            std::mem::take(&mut verdict.matched)
        };
        if gone > 0 {
            let count = if gone == 1 {
                "1 process".to_owned()
            } else {
                format!("{gone} processes")
            };
            verdict.left_out.push(format!(
                "{count} that matched for less than {}",
                seconds(hold(check).max(check.pace.lasting))
            ));
        }
        if is_rate(check) && !check.pace.lasting.is_zero() {
            verdict.note_durations(|seen| Some(self.lasts(seen)));
        }
    }

    /// Makes UNKNOWN of the last look at a check that wants another one: the run ends before it.
    pub fn leave_open(&self, verdict: &mut Verdict) {
        let (Some(first), Some(last)) = (self.looks.first(), self.looks.last()) else {
            return;
        };
        verdict.reasons.push(format!(
            "{} when last looked at, and not decided after {}",
            last.manner.word(),
            seconds(last.at.saturating_sub(first.at))
        ));
        verdict.state = State::Unknown;
        verdict.manner = Manner::Unseen;
    }
}

fn finding<'a>(check: &Check, seen: &'a Sighting) -> Finding<'a> {
    if by_process(check) {
        Finding::Process(seen.pid, seen.start)
    } else {
        Finding::Program(&seen.program, seen.uid)
    }
}

fn hold(check: &Check) -> Duration {
    if is_about_ids(check) {
        CONFIRMATION_OF_IDS
    } else {
        CONFIRMATION
    }
}

/// Whether a finding is one process, and not a program whichever process runs it: where the check names none, or
/// asks for a state that processes pass through.
fn by_process(check: &Check) -> bool {
    let mut terms = check.selector.terms.iter();
    is_rate(check) || !names_a_program(check) || terms.any(|term| term.key == Key::State)
}

/// Whether a finding may be many processes one after the other. Of a state that processes pass through there is always
/// another one.
fn may_be_many(check: &Check) -> bool {
    let mut terms = check.selector.terms.iter();
    let states = terms.any(|term| term.key == Key::State && !term.op.negated());
    by_process(check) && !is_rate(check) && !states
}

/// Whether a check asks for a rate.
fn is_rate(check: &Check) -> bool {
    check.selector.terms.iter().any(|term| term.key.is_rate())
}

/// Whether a check asks who a process is, and not which program.
fn is_about_ids(check: &Check) -> bool {
    let mut terms = check.selector.terms.iter();
    !names_a_program(check) && terms.any(|term| term.key.is_credential())
}

fn names_a_program(check: &Check) -> bool {
    let mut terms = check.selector.terms.iter().filter(|term| !term.op.negated());
    terms.any(|term| {
        matches!(
            term.key,
            Key::Name | Key::Comm | Key::Exe | Key::Script | Key::Arg | Key::Cmdline | Key::Unit
        )
    })
}

/// `0.4 s`, `5 s`.
fn seconds(span: Duration) -> String {
    let tenths = (span.as_millis() + 50) / 100;
    if tenths.is_multiple_of(10) {
        format!("{} s", tenths / 10)
    } else {
        format!("{}.{} s", tenths / 10, tenths % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check, host};

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn sighting(pid: i32, program: &str, age: u64) -> Sighting {
        Sighting {
            pid,
            start: u64::try_from(pid).unwrap(),
            program: program.into(),
            uid: Some(0),
            age: Some(ms(age)),
            name: program.into(),
            known_before: false,
            span: Duration::ZERO,
        }
    }

    fn verdict(state: State, manner: Manner, sightings: &[Sighting]) -> Verdict {
        let mut verdict = crate::testing::verdict("cron:1", &host(Vec::new()));
        verdict.matched = sightings.len() as u64;
        verdict.state = state;
        verdict.manner = manner;
        verdict.passing = false;
        verdict.sightings = sightings.to_vec();
        verdict.story.clear();
        verdict
    }

    fn checked(spec: &str) -> Check {
        check(spec, &host(Vec::new()))
    }

    /// Looks when the history wants to, at most `limit` times, and gives the times.
    fn looks(
        spec: &str,
        window: Duration,
        mut see: impl FnMut(Duration) -> Verdict,
    ) -> (Vec<u128>, History, Verdict) {
        let check = checked(spec);
        let (mut history, mut at, mut times) = (History::default(), ms(0), Vec::new());
        loop {
            let seen = see(at);
            times.push(at.as_millis());
            history.add(at, &seen);
            assert!(times.len() < 100, "{times:?}");
            match history.next_look(&check, window) {
                Some(next) => {
                    assert!(next > at, "{times:?}");
                    at = next;
                }
                None => {
                    let mut last = seen;
                    history.tell(&check, &mut last, &Earlier::default());
                    return (times, history, last);
                }
            }
        }
    }

    fn ok() -> Verdict {
        verdict(State::Ok, Manner::Fine, &[sighting(970, "/usr/sbin/cron", 300)])
    }
    fn missing() -> Verdict {
        verdict(State::Critical, Manner::Missing, &[])
    }

    #[test]
    fn what_passes_is_looked_at_once() {
        assert_eq!(looks("cron:1", ms(5000), |_| ok()).0, [0]);
    }

    #[test]
    fn without_a_window_a_failure_is_looked_at_twice() {
        assert_eq!(looks("cron:1", ms(0), |_| missing()).0, [0, 20]);
    }

    #[test]
    fn a_failure_is_looked_at_at_growing_pauses_until_its_window_ends() {
        let (times, _, last) = looks("cron:1", ms(5000), |_| missing());
        assert_eq!(times, [0, 20, 60, 140, 300, 620, 1260, 2260, 3260, 4260, 5000]);
        assert_eq!(last.story, ["missing for the whole 5 s"]);
    }

    #[test]
    fn a_pass_ends_the_wait() {
        let (times, _, last) = looks(
            "cron:1",
            ms(5000),
            |at| if at < ms(250) { missing() } else { ok() },
        );
        assert_eq!(times, [0, 20, 60, 140, 300]);
        assert_eq!(last.story, ["missing for 0.3 s; pid 970 started 0.3 s ago"]);
    }

    #[test]
    fn two_generations_are_told_apart() {
        let both = [
            sighting(812, "/usr/sbin/x", 90_000_000),
            sighting(970, "/usr/sbin/x", 300),
        ];
        let two = || verdict(State::Critical, Manner::TooMany, &both);
        let (_, _, last) = looks("cron:1", ms(5000), |at| if at < ms(250) { two() } else { ok() });
        assert_eq!(
            last.story,
            ["two generations overlapped for 0.3 s (pid 812 → 970)"]
        );
        let (_, _, last) = looks("cron:1", ms(5000), |_| two());
        assert_eq!(
            last.story,
            ["too many for the whole 5 s; two generations overlapping (pid 812, and pid 970 since 0.3 s)"]
        );
    }

    #[test]
    fn a_second_process_that_ends_is_no_generation() {
        let old = || sighting(812, "/usr/sbin/x", 90_000_000);
        let both = [old(), sighting(970, "/usr/sbin/x", 300)];
        let (_, _, last) = looks("cron:1", ms(5000), |at| match at.as_millis() {
            0..250 => verdict(State::Critical, Manner::TooMany, &both),
            _ => verdict(State::Ok, Manner::Fine, &[old()]),
        });
        assert_eq!(last.story, ["too many for 0.3 s (pid 970 is gone)"]);
    }

    /// What is told with what the run before, a minute ago, saw.
    fn told(seen: &[Verdict], known: &[i32]) -> Vec<String> {
        let mut history = History::default();
        for (look, verdict) in seen.iter().enumerate() {
            history.add(ms(look as u64 * 1000), verdict);
        }
        let earlier = Earlier {
            processes: known
                .iter()
                .map(|pid| (*pid, u64::try_from(*pid).unwrap()))
                .collect(),
            ago: Some(ms(60_000)),
        };
        let mut last = seen.last().unwrap().clone();
        history.tell(&checked("cron:1"), &mut last, &earlier);
        last.story
    }

    #[test]
    fn who_was_replaced_is_known_from_the_run_before() {
        assert_eq!(told(&[ok()], &[970]), [""; 0]);
        assert_eq!(told(&[ok()], &[]), [""; 0]);
        assert_eq!(told(&[ok()], &[812]), ["replaced 0.3 s ago (pid 812 → 970)"]);
        assert_eq!(
            told(&[missing(), ok()], &[812]),
            ["missing for 1 s; replaced 0.3 s ago (pid 812 → 970)"]
        );
        assert_eq!(told(&[missing(), ok()], &[970]), ["missing for 1 s"]);
        assert_eq!(
            told(&[missing(), missing()], &[812]),
            ["missing for the whole 1 s; last seen as pid 812, 1 min ago"]
        );
        assert_eq!(told(&[missing()], &[812]), ["last seen as pid 812, 1 min ago"]);
    }

    #[test]
    fn of_many_that_were_replaced_none_is_named() {
        let workers: Vec<i32> = (1..=4).collect();
        assert_eq!(told(&[ok()], &workers), [""; 0]);
        assert_eq!(
            told(&[missing(), ok()], &workers),
            ["missing for 1 s; pid 970 started 0.3 s ago"]
        );
        assert_eq!(
            told(&[missing()], &workers),
            ["last seen as pid 1, 2, 3 and 1 more, 1 min ago"]
        );
    }

    #[test]
    fn what_changes_under_our_eyes_is_looked_at_again_and_what_is_forbidden_to_us_is_not() {
        let unseen = |passing| {
            let mut unseen = verdict(State::Unknown, Manner::Unseen, &[]);
            unseen.passing = passing;
            unseen
        };
        assert_eq!(looks("cron:1", ms(0), |_| unseen(true)).0, [0, 20, 60, 140, 300]);
        assert_eq!(looks("cron:1", ms(5000), |_| unseen(false)).0, [0]);
        assert_eq!(looks("cron:0", ms(5000), |_| unseen(false)).0, [0]);
    }

    fn running(pid: i32) -> Verdict {
        verdict(
            State::Critical,
            Manner::Running,
            &[sighting(pid, "/usr/sbin/in.telnetd", 90)],
        )
    }
    fn gone() -> Verdict {
        verdict(State::Ok, Manner::Fine, &[])
    }

    #[test]
    fn what_must_not_run_is_confirmed_after_a_second_whatever_the_window() {
        assert_eq!(looks("in.telnetd:0", ms(0), |_| gone()).0, [0]);
        for window in [0, 5000, 45_000] {
            assert_eq!(looks("in.telnetd:0", ms(window), |_| running(7)).0, [0, 1000]);
        }
    }

    #[test]
    fn a_forbidden_program_that_is_gone_at_once_is_no_finding() {
        let (times, _, last) = looks("in.telnetd:0", ms(0), |at| {
            if at < ms(900) { running(7) } else { gone() }
        });
        assert_eq!(times.last(), Some(&2000));
        assert_eq!(last.state, State::Ok);
        assert_eq!(last.story, ["seen for a moment only (pid 7)"]);
    }

    #[test]
    fn a_forbidden_program_that_is_started_anew_every_second_is_found() {
        // It lives for 0.15 s of every second, and has another PID each time.
        let mut phase = 0;
        while phase < 150 {
            let (_, _, last) = looks("in.telnetd:0", ms(0), |at| {
                let now = at.as_millis() as u64 + phase;
                if now % 1000 < 150 {
                    running(i32::try_from(now / 1000).unwrap() + 7)
                } else {
                    gone()
                }
            });
            assert_eq!(last.manner, Manner::Running, "phase {phase}");
            phase += 7;
        }
    }

    #[test]
    fn another_program_under_the_same_check_is_a_finding_of_its_own() {
        let other = || {
            verdict(
                State::Critical,
                Manner::Running,
                &[sighting(9, "/usr/bin/nc", 90)],
            )
        };
        let (times, ..) = looks("name=nc|in.telnetd:0", ms(0), |at| {
            if at < ms(900) { running(7) } else { other() }
        });
        assert_eq!(times, [0, 1000, 2000]);
    }

    #[test]
    fn a_finding_about_ids_needs_the_same_process_after_three_seconds() {
        let spec = "gid.any=0,uid.any!=0:0";
        assert_eq!(looks(spec, ms(0), |_| running(7)).0, [0, 3000]);
        let (times, _, last) = looks(spec, ms(0), |at| if at < ms(900) { running(7) } else { gone() });
        assert_eq!((times, last.state), (vec![0, 3000], State::Ok));
        // Others pass through the same state: each is another finding, and none lasts.
        let (times, history, mut last) = looks(spec, ms(0), |at| {
            let other = sighting(9, "/usr/bin/nc", 1);
            let seen = if at.is_zero() {
                sighting(7, "/usr/sbin/x", 1)
            } else {
                other
            };
            verdict(State::Critical, Manner::Running, &[seen])
        });
        history.settle(&checked(spec), &mut last);
        assert_eq!((times, last.state, last.matched), (vec![0, 3000], State::Ok, 0));
        assert_eq!(last.left_out, ["1 process that matched for less than 3 s"]);
        let (_, history, mut last) = looks(spec, ms(0), |_| running(7));
        history.settle(&checked(spec), &mut last);
        assert_eq!(last.state, State::Critical);
    }

    #[test]
    fn who_is_another_process_at_every_look_is_found() {
        let anew = |at: Duration| running(i32::try_from(at.as_millis()).unwrap() + 7);
        for (spec, hold) in [
            ("user=33:0", 3000),
            ("gid.any=0,uid.any!=0:0", 3000),
            ("exe.deleted=yes:0", 1000),
        ] {
            let (times, history, mut last) = looks(spec, ms(0), anew);
            let after: Vec<u128> = (0..=7).map(|look| hold + look * 150).collect();
            assert_eq!(times, [vec![0], after].concat());
            history.settle(&checked(spec), &mut last);
            assert_eq!(last.state, State::Critical, "{spec}");
            // One that is not there at every look was half started.
            let (_, history, mut last) = looks(spec, ms(0), |at| {
                if at == ms(u64::try_from(hold).unwrap() + 600) {
                    gone()
                } else {
                    anew(at)
                }
            });
            history.settle(&checked(spec), &mut last);
            assert_eq!(last.state, State::Ok, "{spec}");
        }
        // There is always a process in some state.
        let (times, history, mut last) = looks("state=D:0", ms(0), anew);
        history.settle(&checked("state=D:0"), &mut last);
        assert_eq!((times, last.state), (vec![0, 1000], State::Ok));
    }

    #[test]
    fn a_finding_that_is_known_from_an_earlier_run_needs_no_second_look() {
        let known = || {
            let mut seen = running(7);
            seen.sightings[0].known_before = true;
            seen
        };
        assert_eq!(looks("in.telnetd:0", ms(0), |_| known()).0, [0]);
    }

    /// A process that is over a limit, at an age and over a span of milliseconds.
    fn busy(pid: i32, age: u64, span: u64) -> Sighting {
        Sighting {
            span: ms(span),
            ..sighting(pid, "/usr/sbin/spins", age)
        }
    }

    /// Looks of three seconds for thirty, of what is over the limit at each.
    fn lasting(mut see: impl FnMut(Duration) -> Vec<Sighting>) -> (Vec<u128>, Verdict) {
        let mut check = checked("cpu.demand>90%:0");
        check.pace.lasting = ms(30_000);
        let (mut history, mut at, mut times) = (History::default(), ms(0), Vec::new());
        loop {
            let hogs = if at.is_zero() { Vec::new() } else { see(at) };
            let mut seen = if hogs.is_empty() {
                verdict(State::Ok, Manner::Fine, &[])
            } else {
                verdict(State::Critical, Manner::Busy, &hogs)
            };
            seen.awaits = at.is_zero();
            seen.evidence = hogs
                .iter()
                .map(|hog| crate::judge::Evidence {
                    pid: hog.pid,
                    ..Default::default()
                })
                .collect();
            times.push(at.as_millis());
            history.add(at, &seen);
            let Some(next) = history.next_look(&check, ms(0)) else {
                history.settle(&check, &mut seen);
                return (times, seen);
            };
            at = next;
        }
    }

    #[test]
    fn what_must_last_is_over_the_limit_in_every_look_of_that_time() {
        let (times, last) = lasting(|_| vec![busy(7, 90_000, 3000)]);
        let every_three_seconds: Vec<u128> = (0..=10).map(|n| n * 3000).collect();
        assert_eq!(times, every_three_seconds);
        assert_eq!((last.state, last.matched), (State::Critical, 1));
        assert_eq!(last.evidence[0].lasts, Some(ms(30_000)));
    }

    #[test]
    fn one_look_below_the_limit_is_enough_and_ends_the_wait() {
        let (times, last) = lasting(|at| match at.as_millis() {
            12_000 => vec![],
            _ => vec![busy(7, 90_000, 3000)],
        });
        assert_eq!(times, [0, 3000, 6000, 9000, 12_000]);
        assert_eq!(last.state, State::Ok);
    }

    #[test]
    fn only_those_that_last_are_named() {
        let (_, last) = lasting(|at| {
            let mut hogs = vec![busy(7, 90_000, 3000)];
            hogs.extend((at > ms(15_000)).then(|| busy(8, 90_000, 3000)));
            hogs
        });
        let pids: Vec<i32> = last.evidence.iter().map(|evidence| evidence.pid).collect();
        assert_eq!((last.matched, pids), (1, vec![7]));
        assert_eq!(last.left_out, ["1 process that matched for less than 30 s"]);
    }

    #[test]
    fn what_is_started_anew_in_every_window_lasts_too() {
        // Another PID in every look, 2 s old each time.
        let successor = |at: Duration| busy(i32::try_from(at.as_millis()).unwrap(), 2000, 2000);
        let (times, last) = lasting(|at| vec![successor(at)]);
        assert_eq!((times.last(), last.state), (Some(&33_000), State::Critical));
        assert_eq!(last.evidence[0].lasts, Some(ms(32_000)));
        // Workers that were there before are others.
        let worker = |at: Duration| busy(i32::try_from(at.as_millis()).unwrap(), 90_000, 3000);
        let (times, last) = lasting(|at| vec![worker(at)]);
        assert_eq!((times.last(), last.state), (Some(&33_000), State::Ok));
    }
}
