//! A glance: by which checks a process may still be meant, told by one file after the other. It only ever dismisses.
//! Pure.
//!
//! A check whose terms one file alone denies is denied at the instant of that file's read, whatever the others would
//! have said; so the files need not be of one instant, or even of one process, for none of the checks to mean what was
//! glanced at. Most processes are dismissed so, and most share their name, owner, program and cgroup with others: what
//! a content says to all checks is worked out once.

use super::marks::Marks;
use super::reading::Subject;
use super::selection::Meaning;
use super::truth::Need;
use super::{File, Key, Matcher, Plan, Term, Truth};
use crate::snapshot::{Process, Snapshot};
use std::collections::HashMap;

/// The files that are glanced at, in the order of reading. They are cheap, and none of them can hang, but for the
/// file behind `exe`.
const GLANCED: [File; 6] = [
    File::Comm,
    File::Owner,
    File::Exe,
    File::Stat,
    File::Cgroup,
    File::Status,
];

/// Bytes of contents that are remembered: hosts have hundreds of short ones, and whoever makes more and longer ones does
/// not get more memory for them.
const REMEMBERED: usize = 1 << 20;

/// What the files say to the checks of a plan.
pub struct Sieve<'a> {
    plan: &'a Plan,
    rows: Vec<Row>,
    all: Marks,
    /// How many bytes of contents may still be remembered.
    room: usize,
    /// No check asks for a PID, so that processes of one content are one to all of them.
    remembers: bool,
    exe_text: bool,
}

/// One file.
struct Row {
    file: File,
    /// The checks that have a term about it.
    about: Marks,
    /// By content, the checks that it does not dismiss for.
    told: HashMap<Vec<u8>, Marks>,
}

/// One process, as far as it was glanced at.
#[derive(Default)]
pub struct Sight {
    open: Marks,
    /// Rows that are done.
    seen: u8,
}

impl Sight {
    /// Whether no check means the process.
    #[must_use]
    pub fn is_dismissed(&self) -> bool {
        self.open.is_empty()
    }
}

impl<'a> Sieve<'a> {
    /// The sieve of a plan; none where every process has to be opened, whatever its files say.
    #[must_use]
    pub fn of(plan: &'a Plan, host: &Snapshot) -> Option<Sieve<'a>> {
        if plan.keeps_all() {
            return None;
        }
        let checks = plan.wanted().len();
        let mut rows = GLANCED.map(|file| Row {
            file,
            about: Marks::none(checks),
            told: HashMap::new(),
        });
        let (mut all, mut exe_text) = (Marks::none(checks), false);
        for (number, wanted) in plan.wanted().iter().enumerate() {
            let files = wanted.selector.terms.iter().filter_map(|term| {
                let file = first_file(term, wanted.strict, host)?;
                exe_text |= file == File::Exe && !compares_files(term);
                Some(file)
            });
            all.insert(number);
            for file in files {
                let row = rows.iter_mut().find(|row| row.file == file);
                row.into_iter().for_each(|row| row.about.insert(number));
            }
        }
        let told = |number| rows.iter().any(|row| row.about.holds(number));
        if !(0..checks).all(told) {
            return None;
        }
        Some(Sieve {
            plan,
            rows: rows.into_iter().filter(|row| !row.about.is_empty()).collect(),
            all,
            room: REMEMBERED,
            remembers: !plan.mentions(Key::Pid),
            exe_text,
        })
    }

    /// Begins with another process.
    pub fn begin(&self, sight: &mut Sight) {
        sight.open.become_like(&self.all);
        sight.seen = 0;
    }

    /// The file that may dismiss more: the first that every open check has a term about, or else the first that one
    /// has.
    #[must_use]
    pub fn next(&self, sight: &Sight) -> Option<File> {
        let unseen = || {
            let rows = self.rows.iter().enumerate();
            rows.filter(|(at, _)| sight.seen >> at & 1 == 0)
                .map(|(_, row)| row)
        };
        if sight.is_dismissed() {
            return None;
        }
        unseen()
            .find(|row| row.about.covers(&sight.open))
            .or_else(|| unseen().find(|row| row.about.meets(&sight.open)))
            .map(|row| row.file)
    }

    /// Whether the text of the link `exe` matters, or the file behind it is all that is asked for.
    #[must_use]
    pub fn wants_exe_text(&self) -> bool {
        self.exe_text
    }

    /// Leaves a file out: it could not be read, or tells nothing.
    pub fn pass(&self, sight: &mut Sight, file: File) {
        let at = self.rows.iter().position(|row| row.file == file);
        sight.seen |= at.map_or(0, |at| 1 << at);
    }

    /// Takes in what a file says. `content`: all that tells two processes apart of which `facts` makes one, a process
    /// with this one fact.
    pub fn sift(
        &mut self,
        sight: &mut Sight,
        file: File,
        content: &[u8],
        host: &Snapshot,
        facts: impl FnOnce() -> Process,
    ) {
        if !self.remembers {
            return self.weigh(sight, file, &facts(), host);
        }
        self.pass(sight, file);
        let Some(row) = self.rows.iter_mut().find(|row| row.file == file) else {
            return;
        };
        if let Some(told) = row.told.get(content) {
            return sight.open.intersect(told);
        }
        let mut told = self.all.clone();
        dismiss(self.plan, &mut told, &facts(), host);
        sight.open.intersect(&told);
        // The sets of checks take room, too.
        let size = content.len() + self.all.size();
        if let Some(left) = self.room.checked_sub(size) {
            self.room = left;
            row.told.insert(content.to_vec(), told);
        }
    }

    /// The same of a file whose content is no other process's.
    pub fn weigh(&self, sight: &mut Sight, file: File, process: &Process, host: &Snapshot) {
        self.pass(sight, file);
        dismiss(self.plan, &mut sight.open, process, host);
    }
}

/// Takes out the checks that do not mean a process of which this much is known.
fn dismiss(plan: &Plan, open: &mut Marks, process: &Process, host: &Snapshot) {
    let subject = Subject::alone(process, host);
    for (number, wanted) in plan.wanted().iter().enumerate() {
        if open.holds(number)
            && wanted.meaning(subject, host) == Meaning::Told(Truth::No)
            && !plan.is_relative(wanted, subject)
        {
            open.remove(number);
        }
    }
}

/// The file that a term asks for first.
fn first_file(term: &Term, strict: bool, host: &Snapshot) -> Option<File> {
    let nothing = Process::default();
    match term.truth(Subject::alone(&nothing, host), strict) {
        Truth::Pending(Need::File(file)) => Some(file),
        _ => None,
    }
}

/// Whether all values are files, which no text of a link changes.
fn compares_files(term: &Term) -> bool {
    let is_file = |value: &Matcher| matches!(value, Matcher::File(path) if path.file.is_ok());
    term.key == Key::Exe && term.values.iter().all(is_file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Fact;
    use crate::testing::{check, host, process};

    fn plan(specs: &[&str], host: &Snapshot) -> Plan {
        Plan::deciding(specs.iter().map(|spec| check(spec, host).wanted()).collect())
    }

    /// Whether a glance at these files of `whole`, which is all that the sieve may ask for, dismisses it.
    fn dismissed(sieve: &mut Sieve<'_>, whole: &Process, files: &[File], host: &Snapshot) -> bool {
        let mut sight = Sight::default();
        sieve.begin(&mut sight);
        let mut read = Vec::new();
        while let Some(file) = sieve.next(&sight) {
            read.push(file);
            let mut one = Process {
                pid: whole.pid,
                ..Process::default()
            };
            let content = match file {
                File::Comm => {
                    one.comm = whole.comm.clone();
                    format!("{:?}", whole.comm)
                }
                File::Owner => {
                    one.owner = whole.owner.clone();
                    format!("{:?}", whole.owner)
                }
                File::Exe => {
                    one.exe = whole.exe.clone();
                    format!("{:?}", whole.exe)
                }
                _ => {
                    one.stat = whole.stat.clone();
                    String::new()
                }
            };
            match file {
                File::Stat => sieve.weigh(&mut sight, file, &one, host),
                _ => sieve.sift(&mut sight, file, content.as_bytes(), host, || one),
            }
        }
        assert_eq!(read, files);
        sight.is_dismissed()
    }

    #[test]
    fn the_file_that_all_checks_ask_about_comes_first_and_others_only_where_a_check_is_left() {
        let host = host(Vec::new());
        let plan = plan(&["sshd", "cron,user=1"], &host);
        let mut sieve = Sieve::of(&plan, &host).unwrap();
        let [sshd, cron] = [process(7, "sshd"), process(8, "cron")];
        let owned = [File::Comm, File::Owner];
        assert!(!dismissed(&mut sieve, &sshd, &[File::Comm], &host));
        assert!(dismissed(&mut sieve, &cron, &owned, &host));
        let owned_by_daemon = Process {
            owner: Fact::Value((1, 1)),
            ..process(9, "cron")
        };
        assert!(!dismissed(&mut sieve, &owned_by_daemon, &owned, &host));
        assert!(dismissed(&mut sieve, &process(10, "atd"), &[File::Comm], &host));
    }

    #[test]
    fn what_another_process_of_the_same_name_said_holds_but_where_a_check_asks_for_a_pid() {
        let host = host(vec![process(7, "sshd")]);
        let by_pid = plan(&["sshd,pid=7"], &host);
        let mut sieve = Sieve::of(&by_pid, &host).unwrap();
        assert!(dismissed(&mut sieve, &process(6, "sshd"), &[File::Comm], &host));
        assert!(!dismissed(&mut sieve, &process(7, "sshd"), &[File::Comm], &host));
    }

    #[test]
    fn a_check_that_no_glance_can_deny_has_every_process_opened() {
        let host = host(vec![process(7, "sshd")]);
        assert!(Sieve::of(&plan(&["sshd", "arg=-D"], &host), &host).is_none());
        assert!(Sieve::of(&plan(&["sshd,arg=-D"], &host), &host).is_some());
        assert!(Sieve::of(&plan(&["pid=7"], &host), &host).is_none());
        assert!(Sieve::of(&Plan::deciding(Vec::new()), &host).is_some());
    }

    #[test]
    fn relatives_of_a_main_process_are_not_dismissed_by_what_it_is() {
        let host = host(vec![process(7, "nginx")]);
        let plan = plan(&["nginx,user=1,main=yes"], &host);
        let mut sieve = Sieve::of(&plan, &host).unwrap();
        let seen = [File::Comm, File::Owner, File::Stat];
        assert!(!dismissed(&mut sieve, &process(7, "nginx"), &seen, &host));
        assert!(dismissed(&mut sieve, &process(7, "cron"), &seen[..1], &host));
    }
}
