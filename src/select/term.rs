//! One term against one process: the truth table of docs/selectors.md.

use super::label::level::Levels;
use super::names::file_name;
use super::reading::naming::before_title;
use super::reading::{COMM_MAX, Reading, Subject, Value, fact};
use super::script::is_interpreter;
use super::selector::Path;
use super::{File, Key, Matcher, Op, Scope, Selector, Term, Truth};
use crate::snapshot::{Exe, Fact, Why};
use std::borrow::Cow;

impl Selector {
    /// Whether all terms hold. `strict`: an unreadable program may be any program (a check without a minimum);
    /// otherwise only a process that has the wanted file name may be meant.
    #[must_use]
    pub fn truth(&self, subject: Subject<'_>, strict: bool) -> Truth {
        let mut truth = Truth::Yes;
        for term in &self.terms {
            truth = truth.and(term.truth(subject, strict));
            if truth == Truth::No {
                break;
            }
        }
        truth
    }

    /// Whether one of its terms is about this key.
    #[must_use]
    pub fn mentions(&self, key: Key) -> bool {
        self.terms.iter().any(|term| term.key == key)
    }

    /// Whether it asks for a rate, between two looks.
    #[must_use]
    pub fn is_rate(&self) -> bool {
        self.terms.iter().any(|term| term.key.is_rate())
    }

    /// Whether it says positively what a process is called: only then may it mean a kernel thread.
    #[must_use]
    pub fn names_a_process(&self) -> bool {
        self.terms
            .iter()
            .any(|term| matches!(term.key, Key::Name | Key::Comm | Key::Pid) && !term.op.negated())
    }
}

impl Term {
    /// Whether the term holds for the process.
    #[must_use]
    pub fn truth(&self, subject: Subject<'_>, strict: bool) -> Truth {
        if self.key == Key::Name
            && let Some(truth) = self.dismiss_by_comm(subject)
        {
            return truth;
        }
        let positive = match subject.read(self.key) {
            Reading::One(Value::Exe(exe)) => match any(self, |m| exe_truth(m, exe, strict)) {
                Truth::Unknown(Key::Exe, why) if exe.file.value().is_none() || is_nameless(exe) => {
                    self.unreadable_exe(subject, strict, why)
                }
                told => told,
            },
            Reading::One(Value::Caps(held)) => any(self, |matcher| match matcher {
                Matcher::Caps(asked, _) => held
                    .have(*asked)
                    .map_or(Truth::Unknown(self.key, Why::Untold), Truth::of),
                _ => Truth::No,
            }),
            Reading::One(value) => any(self, |matcher| Truth::of(matches(matcher, self.op, &value))),
            Reading::Set(members, doubt) => {
                let holds = members.iter().any(|value| self.picks(value));
                match doubt {
                    Some(why) if !holds => Truth::Unknown(self.key, why),
                    _ => Truth::of(holds),
                }
            }
            Reading::NotApplicable => Truth::No,
            Reading::Unreadable(why) if self.key == Key::Exe => self.unreadable_exe(subject, strict, why),
            Reading::Unreadable(why) => Truth::Unknown(self.key, why),
            Reading::Need(need) => Truth::Pending(need),
        };
        if self.op.negated() {
            positive.negate()
        } else {
            positive
        }
    }

    /// Whether this is one of the values that the term asks for.
    #[must_use]
    pub fn picks(&self, value: &Value<'_>) -> bool {
        self.values.iter().any(|matcher| matches(matcher, self.op, value))
    }

    /// A `name` of more than 15 bytes begins with comm, so most processes are dismissed without their cmdline.
    fn dismiss_by_comm(&self, subject: Subject<'_>) -> Option<Truth> {
        let comm = subject.comm().ok()?;
        if comm.len() < COMM_MAX || is_interpreter(comm) || self.op != Op::Is {
            return None;
        }
        let before = before_title(comm).map(|name| Value::Bytes(Cow::Borrowed(name)));
        let is_before = |matcher| before.as_ref().is_some_and(|name| matches(matcher, Op::Is, name));
        self.values
            .iter()
            .all(|matcher| cannot_begin_with(matcher, comm) && !is_before(matcher))
            .then_some(Truth::No)
    }

    /// `exe` can't be read. In a check with a minimum only a process may be meant whose comm or `argv[0]` has the
    /// file name asked for; otherwise one unreadable stranger would blind the check for ever.
    fn unreadable_exe(&self, subject: Subject<'_>, strict: bool, why: Why) -> Truth {
        let unknown = Truth::Unknown(Key::Exe, why);
        if strict || self.op != Op::Is {
            return unknown;
        }
        let Some(wanted) = self
            .values
            .iter()
            .map(file_names_asked_for)
            .collect::<Option<Vec<_>>>()
        else {
            return unknown;
        };
        let wanted = wanted.concat();
        let comm = match subject.comm() {
            Ok(comm) => comm,
            Err(Reading::Need(need)) => return Truth::Pending(need),
            // One that keeps changing had this name when `stat` was read; a daemon keeps its own.
            Err(_) => match subject.process.stat.value() {
                Some(stat) => &stat.comm,
                None => return unknown,
            },
        };
        let cut = |name: &[u8]| name[..name.len().min(COMM_MAX)] == *comm;
        if wanted.iter().any(|name| cut(name)) {
            return unknown;
        }
        match fact(&subject.process.cmdline, File::Cmdline) {
            Ok(cmdline) => {
                // A title (`nginx: master process /usr/sbin/nginx`) is no path: only its first word counts.
                let argv0 = cmdline.arguments.first().map_or(&b""[..], Vec::as_slice);
                let first = argv0.split(|b| *b == b' ' || *b == b':').next().unwrap_or(argv0);
                let named = |name: &&[u8]| file_name(argv0) == *name || file_name(first) == *name;
                if wanted.iter().any(named) {
                    unknown
                } else {
                    Truth::No
                }
            }
            Err(Reading::Need(need)) => Truth::Pending(need),
            // Neither its program nor its arguments can be read, and comm is another's.
            Err(_) => Truth::No,
        }
    }
}

/// Whether no name that begins with these 15 bytes can match, whatever follows them. What follows is part of a file
/// name, so a slash must be in comm itself.
fn cannot_begin_with(matcher: &Matcher, comm: &[u8]) -> bool {
    match matcher {
        Matcher::Exact(wanted) => !wanted.starts_with(comm),
        Matcher::Glob(text, _) if text.starts_with("*/") => !comm.contains(&b'/'),
        Matcher::Glob(text, _) => {
            let literal = text.bytes().take_while(|b| !b"*?[\\".contains(b));
            literal.zip(comm).any(|(wanted, found)| wanted != *found)
        }
        _ => false,
    }
}

fn any(term: &Term, truth: impl Fn(&Matcher) -> Truth) -> Truth {
    term.values.iter().map(truth).fold(Truth::No, Truth::or)
}

/// The text of a bind-mounted program is that of its mount, `/`, and tells nothing.
fn is_nameless(exe: &Exe) -> bool {
    exe.path() == b"/"
}

/// The file name that the last component of a path or glob asks for, if it is without wildcards.
pub(crate) fn file_name_asked_for(matcher: &Matcher) -> Option<&[u8]> {
    match matcher {
        Matcher::Exact(text) => Some(file_name(text)),
        Matcher::File(path) => Some(file_name(&path.text)),
        Matcher::Glob(text, _) => {
            let name = file_name(text.as_bytes());
            (!name.iter().any(|b| b"*?[\\".contains(b))).then_some(name)
        }
        _ => None,
    }
}

/// The same, and the name of the file that a link leads to.
fn file_names_asked_for(matcher: &Matcher) -> Option<Vec<&[u8]>> {
    let mut names = vec![file_name_asked_for(matcher)?];
    if let Matcher::File(path) = matcher {
        names.extend(path.real.as_deref().map(file_name));
    }
    Some(names)
}

/// Whether the program file is the one asked for. A path compares files; everything else compares texts.
fn exe_truth(matcher: &Matcher, exe: &Exe, strict: bool) -> Truth {
    match matcher {
        Matcher::File(path) => same_file(path, exe, strict),
        _ if is_nameless(exe) => Truth::Unknown(Key::Exe, Why::Denied),
        Matcher::Exact(text) => Truth::of(exe.path() == text),
        Matcher::Glob(_, regex) | Matcher::Regex(regex) => Truth::of(regex.is_match(exe.path())),
        _ => Truth::No,
    }
}

fn same_file(path: &Path, exe: &Exe, strict: bool) -> Truth {
    let named = exe.path() == path.text || path.real.as_deref() == Some(exe.path());
    let file = match &exe.file {
        Fact::Value(file) => file,
        // A file of another device is another file, whatever else is known of it.
        _ if exe.device.is_some_and(|device| !may_be_on(path, device)) => return Truth::No,
        Fact::Unreadable(why) => return Truth::Unknown(Key::Exe, *why),
        _ => return Truth::Unknown(Key::Exe, Why::Absent),
    };
    match &path.file {
        Ok(Some(target)) if (file.device, file.inode) == (target.device, target.inode) => Truth::Yes,
        Ok(_) if file.links == 0 && is_nameless(exe) => Truth::Unknown(Key::Exe, Why::Denied),
        // Replaced by an upgrade: the old file lives on without a name, on the same device, of the same owner.
        Ok(Some(target)) => {
            Truth::of(named && file.links == 0 && (file.device, file.owner) == (target.device, target.owner))
        }
        // The program is gone from disk; that the process runs it rests on the text alone.
        Ok(None) if named && file.links == 0 => Truth::Unknown(Key::Exe, Why::Nameless),
        Ok(None) => Truth::No,
        Err(_) if is_nameless(exe) => Truth::Unknown(Key::Exe, Why::Denied),
        // The server of that path is silent: any program may be the one.
        Err(error) if strict && *error == Why::NoAnswer.text() => Truth::Unknown(Key::Exe, Why::NoAnswer),
        Err(_) if file_name(exe.path()) == file_name(&path.text) => Truth::Unknown(Key::Exe, Why::Absent),
        Err(_) => Truth::No,
    }
}

fn may_be_on(path: &Path, device: u64) -> bool {
    match &path.file {
        Ok(Some(target)) => target.device == device,
        Ok(None) => false,
        Err(_) => true,
    }
}

fn matches(matcher: &Matcher, op: Op, value: &Value<'_>) -> bool {
    match (matcher, value) {
        (Matcher::Exact(text), Value::Bytes(bytes)) => text == bytes.as_ref(),
        (Matcher::Glob(_, regex) | Matcher::Regex(regex), Value::Bytes(bytes)) => regex.is_match(bytes),
        (Matcher::Number(wanted, _), Value::Number(number)) => match op {
            Op::Less => number < wanted,
            Op::AtMost => number <= wanted,
            Op::More => number > wanted,
            Op::AtLeast => number >= wanted,
            Op::Is | Op::IsNot | Op::Like | Op::NotLike => number == wanted,
        },
        (Matcher::Listen(asked, _), Value::Endpoint(endpoint)) => asked.holds(endpoint),
        (_, Value::Endpoint(endpoint)) => matches(matcher, op, &Value::Bytes(Cow::Owned(endpoint.text()))),
        (Matcher::Level(wanted, _), Value::Bytes(bytes)) => Levels::parse(bytes).as_ref() == Some(wanted),
        (Matcher::Stack(wanted, _), Value::Stack(members)) => {
            wanted.len() == members.len() && wanted.iter().zip(members).all(|(a, b)| **a == **b)
        }
        (_, Value::Stack(members)) => members
            .iter()
            .any(|member| matches(matcher, op, &Value::Bytes(Cow::Borrowed(&**member)))),
        (Matcher::YesNo(wanted), Value::YesNo(found)) => wanted == found,
        // The reading of `scope` is: in a container?
        (Matcher::Scope(scope), Value::YesNo(inside)) => match scope {
            Scope::All => true,
            Scope::Host => !inside,
            Scope::Container => *inside,
        },
        _ => false,
    }
}
