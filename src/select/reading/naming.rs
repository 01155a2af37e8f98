//! What a process is called: its name, its script's, and those of its ancestors.

use super::super::{File, names, script};
use super::{COMM_MAX, Reading, Subject, Value, fact, of};
use crate::snapshot::Why;
use std::borrow::Cow;

impl<'a> Subject<'a> {
    /// The program's name; see the comment on `Key::Name` and docs/selectors.md.
    pub(super) fn name(self) -> Result<Reading<'a>, Reading<'a>> {
        let comm = self.comm()?;
        let interpreter = script::is_interpreter(comm);
        if !interpreter && comm.len() < COMM_MAX {
            return Ok(match before_title(comm) {
                Some(name) => Reading::Set(
                    [comm, name].map(|name| Value::Bytes(Cow::Borrowed(name))).into(),
                    None,
                ),
                None => Reading::bytes(comm),
            });
        }
        let own = Value::Bytes(Cow::Borrowed(comm));
        let cmdline = match fact(&self.process.cmdline, File::Cmdline) {
            Ok(cmdline) => cmdline,
            // A kernel thread or a zombie has no other name.
            Err(Reading::NotApplicable) => return Ok(Reading::bytes(comm)),
            Err(Reading::Unreadable(why)) => return Ok(Reading::Set(vec![own], Some(why))),
            Err(other) => return Err(other),
        };
        if !interpreter {
            let whole = names::whole_names(comm, &cmdline.arguments);
            let doubt = whole.is_empty().then_some(Why::Unclear);
            let names = whole.into_iter().chain(before_title(comm));
            let names = names.map(|name| Value::Bytes(Cow::Borrowed(name)));
            return Ok(Reading::Set([own].into_iter().chain(names).collect(), doubt));
        }
        Ok(match script::script(comm, cmdline) {
            script::Script::Nothing => Reading::bytes(comm),
            script::Script::Unclear => Reading::Set(vec![own], Some(Why::Unclear)),
            script::Script::Runs(what) => {
                let what = Value::Bytes(Cow::Borrowed(names::file_name(what)));
                Reading::Set(vec![what, own], None)
            }
        })
    }

    pub(super) fn script(self) -> Result<Reading<'a>, Reading<'a>> {
        let cmdline = fact(&self.process.cmdline, File::Cmdline)?;
        let argv0 = cmdline
            .arguments
            .first()
            .map_or(&b""[..], |argv0| names::file_name(argv0));
        let name = if script::is_interpreter(argv0) {
            argv0
        } else {
            self.comm()?
        };
        if !script::is_interpreter(name) {
            return Ok(Reading::NotApplicable);
        }
        Ok(match script::script(name, cmdline) {
            script::Script::Runs(what) => {
                let name = names::file_name(what);
                let mut members = vec![Value::Bytes(Cow::Borrowed(what))];
                if name != what {
                    members.push(Value::Bytes(Cow::Borrowed(name)));
                }
                Reading::Set(members, None)
            }
            script::Script::Nothing => Reading::NotApplicable,
            script::Script::Unclear => Reading::Unreadable(Why::Unclear),
        })
    }

    pub(super) fn parent_name(self) -> Result<Reading<'a>, Reading<'a>> {
        let ppid = fact(&self.process.stat, File::Stat)?.ppid;
        if ppid == 0 {
            return Ok(Reading::NotApplicable);
        }
        let parent = self.other(ppid)?;
        parent.name().map_err(|reading| of(ppid, reading))
    }

    pub(super) fn ancestor_names(self) -> Result<Reading<'a>, Reading<'a>> {
        let mut names = Vec::new();
        let mut doubt = None;
        let mut pid = fact(&self.process.stat, File::Stat)?.ppid;
        for generation in 0.. {
            if pid == 0 {
                break;
            }
            if generation == GENERATIONS {
                doubt = Some(Why::TooDeep);
                break;
            }
            let ancestor = self.other(pid)?;
            match ancestor.name().map_err(|reading| of(pid, reading)) {
                Ok(Reading::One(name)) => names.push(name),
                Ok(Reading::Set(members, why)) => {
                    names.extend(members);
                    doubt = doubt.or(why);
                }
                Err(Reading::Need(need)) => return Err(Reading::Need(need)),
                Err(Reading::Unreadable(why)) => doubt = Some(why),
                _ => {}
            }
            pid = match fact(&ancestor.process.stat, File::Stat).map_err(|reading| of(pid, reading)) {
                Ok(stat) => stat.ppid,
                Err(Reading::Unreadable(why)) => {
                    doubt = Some(why);
                    break;
                }
                Err(reading) => return Err(reading),
            };
        }
        Ok(Reading::Set(names, doubt))
    }
}

/// A longer line of ancestors is a loop made by a torn view, or somebody's who does not want his first one found.
const GENERATIONS: usize = 512;

/// The name in a comm that holds a title: `gunicorn: maste`, `tmux: server`.
pub(in crate::select) fn before_title(comm: &[u8]) -> Option<&[u8]> {
    let at = comm.windows(2).position(|two| two == b": ")?;
    (at > 0).then(|| &comm[..at])
}
