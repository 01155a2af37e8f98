//! Values that are compared as texts: globs, expressions, programs.

use super::glob::Glob;
use super::value::Value;
use crate::select::fault::Fault;
use crate::select::key::Key;
use crate::select::label;
use crate::select::reading::COMM_MAX;
use crate::select::selector::{Matcher, Path};
use crate::snapshot::accounts::Accounts;
use regex::bytes::RegexBuilder;
use std::ops::Range;

/// Sets what every expression of ours has: bytes, `.` for any of them, bounded memory.
pub(super) fn bounded(builder: &mut RegexBuilder) -> &mut RegexBuilder {
    builder
        .unicode(false)
        .dot_matches_new_line(true)
        .size_limit(1 << 20)
        .dfa_size_limit(1 << 20)
}

impl Value<'_> {
    fn parsed(self, plain: &str) -> Result<Glob, Fault> {
        let glob = Glob::parse(plain)
            .map_err(|(place, message, help)| Fault::new(self.piece.place(place), message, help))?;
        self.trap(plain, &glob).map_or(Ok(glob), Err)
    }

    fn compiled(self, plain: &str, glob: &Glob) -> Result<Matcher, Fault> {
        if let Some(text) = glob.exact() {
            return Ok(Matcher::Exact(text));
        }
        match glob.regex() {
            Ok(regex) => Ok(Matcher::Glob(plain.to_string(), regex)),
            Err(_) => Err(self.fault("the glob is too large", "write a shorter one")),
        }
    }

    pub(super) fn glob(self, plain: &str) -> Result<Matcher, Fault> {
        let glob = self.parsed(plain)?;
        let matcher = self.compiled(plain, &glob)?;
        if self.key == Key::ApparmorProfile {
            return self.profile(plain, matcher);
        }
        let never =
            |help: String| Err(self.fault(format!("`{}={plain}` can never match", self.key.name()), help));
        if self.key == Key::Comm && glob.least() > COMM_MAX {
            let message = format!("`comm={plain}` can never match: the kernel keeps {COMM_MAX} bytes");
            let whole = format!("name{}{}", self.op.text(), self.piece.raw());
            return Err(self.fault(message, self.write_term(&whole)));
        }
        let Matcher::Exact(text) = &matcher else {
            return Ok(matcher);
        };
        match self.key {
            Key::Name | Key::Comm | Key::Parent | Key::Ancestor if text.starts_with(b"/") => {
                let file = plain.rsplit('/').next().unwrap_or_default();
                let message = format!("`{plain}` is a path, and `{}` is a name", self.key.name());
                let help = if matches!(self.key, Key::Name | Key::Comm) {
                    self.write_term(&format!("exe{}{}", self.op.text(), self.piece.raw()))
                } else {
                    self.write(file)
                };
                Err(self.fault(message, help))
            }
            Key::Unit | Key::UserUnit if !text.is_empty() && !text.contains(&b'.') => never(format!(
                "a unit has its suffix: {}",
                self.write(&format!("{plain}.service"))
            )),
            Key::Unit | Key::UserUnit if text.ends_with(b".slice") => never(format!(
                "a slice has a key of its own: {}",
                self.write_term(&format!("slice{}{plain}", self.op.text()))
            )),
            Key::Slice if !text.is_empty() && !text.ends_with(b".slice") => never(format!(
                "a slice has its suffix: {}",
                self.write(&format!("{plain}.slice"))
            )),
            Key::SelinuxUser | Key::SelinuxRole | Key::SelinuxType if text.contains(&b':') => never(format!(
                "it holds no colon; a whole label is {}",
                self.write_term(&format!("label{}{}", self.op.text(), self.piece.raw()))
                    .trim_start_matches("write ")
            )),
            Key::Tty if text.starts_with(b"/dev/") => never(format!(
                "a terminal is named as ps does: {}",
                self.write(plain.trim_start_matches("/dev/"))
            )),
            _ => Ok(matcher),
        }
    }

    pub(super) fn program(self, plain: &str, accounts: &dyn Accounts) -> Result<Matcher, Fault> {
        let glob = self.parsed(plain)?;
        match self.compiled(plain, &glob)? {
            Matcher::Exact(bytes) if bytes.starts_with(b"/") => {
                let path = String::from_utf8_lossy(&bytes);
                let below = format!("{}/.", path.trim_end_matches('/'));
                // Where there is no answer, nothing more is asked of that place.
                let file = accounts.file(&path);
                let there = file.is_ok();
                if path.ends_with('/') || (there && matches!(accounts.file(&below), Ok(Some(_)))) {
                    let all = self.write(&format!("{}/*", plain.trim_end_matches('/')));
                    return Err(self.fault(
                        format!("`{plain}` is a directory, and no program"),
                        format!("for every program in it {all}"),
                    ));
                }
                if there && accounts.is_script(&path) {
                    let name = plain.rsplit('/').next().unwrap_or(plain);
                    let message = format!("`{plain}` is a script: the program that runs is its interpreter");
                    return Err(
                        self.fault(message, self.write_term(&format!("name{}{name}", self.op.text())))
                    );
                }
                let real = there.then(|| accounts.real_path(&path)).flatten();
                Ok(Matcher::File(Path {
                    file,
                    real: real.filter(|real| **real != *path).map(String::into_bytes),
                    text: bytes,
                }))
            }
            Matcher::Exact(_) => {
                let name = plain.rsplit('/').next().unwrap_or(plain);
                let help = format!("write the full path, or `exe{}*/{name}`", self.op.text());
                Err(self.fault(
                    format!(
                        "`{plain}` is not a full path: `exe{}` can never match it",
                        self.op.text()
                    ),
                    help,
                ))
            }
            _ if glob.first().is_some_and(|first| first != b'/') => {
                let help = self.write(&format!("*/{}", self.piece.raw()));
                Err(self.fault(
                    format!("`{plain}` can never match: a program's path begins with `/`"),
                    help,
                ))
            }
            matcher => self.linked_directory(plain, accounts).map_or(Ok(matcher), Err),
        }
    }

    /// A glob below a symbolic link: the kernel shows where that leads, so it can never match.
    fn linked_directory(self, plain: &str, accounts: &dyn Accounts) -> Option<Fault> {
        let literal = plain.find(['*', '?', '[', '\\'])?;
        let (directory, rest) = plain.split_at(plain[..literal].rfind('/')? + 1);
        let real = accounts.real_path(directory)?;
        let real = format!("{}/", real.trim_end_matches('/'));
        (real != directory).then(|| {
            let message = format!("`{plain}` can never match: `{directory}` is a link to `{real}`");
            self.fault(message, self.write(&format!("{real}{rest}")))
        })
    }

    pub(super) fn regex(self, plain: &str) -> Result<Matcher, Fault> {
        let hint = "what follows `~` is a regular expression; a glob goes after `=`";
        let parsed = regex_syntax::ParserBuilder::new()
            .unicode(false)
            .utf8(false)
            .dot_matches_new_line(true)
            .build()
            .parse(plain);
        let least = parsed
            .as_ref()
            .ok()
            .and_then(|hir| hir.properties().minimum_len());
        if self.key == Key::Comm && least.is_some_and(|least| least > COMM_MAX) {
            let message = format!("`comm~{plain}` can never match: the kernel keeps {COMM_MAX} bytes");
            let whole = format!("name{}{}", self.op.text(), self.piece.raw());
            return Err(self.fault(message, self.write_term(&whole)));
        }
        if let Err(error) = parsed {
            let (what, place) = match &error {
                regex_syntax::Error::Parse(error) => (error.kind().to_string(), offsets(error.span())),
                regex_syntax::Error::Translate(error) => (error.kind().to_string(), offsets(error.span())),
                _ => (error.to_string(), 0..plain.len()),
            };
            let what = lower_first(&what.replace('\n', " "));
            return Err(Fault::new(
                self.piece.place(place),
                format!("faulty expression: {what}"),
                hint,
            ));
        }
        match bounded(&mut RegexBuilder::new(plain)).build() {
            Ok(regex) => Ok(Matcher::Regex(regex)),
            Err(_) => Err(self.fault(
                "the expression is too large",
                "write smaller counts of repetition",
            )),
        }
    }

    /// `a//&b` is a whole stack, in any order; anything else is one profile of it.
    fn profile(self, plain: &str, matcher: Matcher) -> Result<Matcher, Fault> {
        let mode = label::MODES
            .iter()
            .find(|mode| plain.ends_with(&format!(" ({mode})")))
            .filter(|_| self.piece.raw() == plain);
        if let Some(mode) = mode {
            let profile = plain.strip_suffix(&format!(" ({mode})")).unwrap_or(plain);
            let meant = format!(
                "apparmor.profile{0}{profile},apparmor.mode{0}{mode}",
                self.op.text()
            );
            let message = format!("`{mode}` is a mode, and no part of a profile's name");
            return Err(self.fault(message, self.write_term(&meant)));
        }
        match matcher {
            Matcher::Exact(text) if text.windows(3).any(|three| three == b"//&") => {
                let members = label::members(&text);
                Ok(Matcher::Stack(
                    members.into_iter().map(std::borrow::Cow::into_owned).collect(),
                    plain.to_string(),
                ))
            }
            Matcher::Glob(..) if plain.contains("//&") => Err(self.fault(
                "a stack is written without wildcards",
                "write a term for each profile: `apparmor.profile=a*,apparmor.profile=b`",
            )),
            matcher => Ok(matcher),
        }
    }
}

fn offsets(span: &regex_syntax::ast::Span) -> Range<usize> {
    span.start.offset..span.end.offset
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_lowercase().chain(chars).collect())
        .unwrap_or_default()
}
