//! Values of a term, read by the kind of its key.

use super::glob::Glob;
use super::lexer::Piece;
use super::{nearest, splice};
use crate::select::caps;
use crate::select::fault::Fault;
use crate::select::key::{Key, Kind};
use crate::select::label;
use crate::select::label::level::Levels;
use crate::select::listen;
use crate::select::reading::NONE;
use crate::select::selector::{Matcher, Op, Path, Scope};
use crate::snapshot::accounts::Accounts;
use regex::bytes::RegexBuilder;
use std::ops::Range;

/// The kernel keeps this many bytes of a name.
const COMM: usize = 15;

/// States: the letter of proc_pid_stat(5), and its name.
pub(super) const STATES: &[(u8, &str)] = &[
    (b'R', "running"),
    (b'S', "sleeping"),
    (b'D', "disk-sleep"),
    (b'T', "stopped"),
    (b't', "tracing"),
    (b'Z', "zombie"),
    (b'X', "dead"),
    (b'I', "idle"),
];

/// Sets what every expression of ours has: bytes, `.` for any of them, bounded memory.
pub(super) fn bounded(builder: &mut RegexBuilder) -> &mut RegexBuilder {
    builder
        .unicode(false)
        .dot_matches_new_line(true)
        .size_limit(1 << 20)
        .dfa_size_limit(1 << 20)
}

/// One value and what it belongs to.
#[derive(Clone, Copy)]
pub(super) struct Value<'a> {
    pub(super) key: Key,
    pub(super) op: Op,
    pub(super) piece: Piece<'a>,
    /// It and its alternatives.
    pub(super) all: Piece<'a>,
    /// The whole spec, for spelling it right.
    pub(super) text: &'a str,
    /// The whole term.
    pub(super) term: Piece<'a>,
}

impl Value<'_> {
    pub(super) fn fault(self, message: impl Into<String>, help: impl Into<String>) -> Fault {
        Fault::new(self.piece.span(), message, help)
    }
    /// `write SPEC`, the spec with another term in place of this one.
    pub(super) fn write_term(self, term: &str) -> String {
        format!("write `{}`", splice(self.text, self.term.span(), term))
    }
    /// `write SPEC`, the spec with another value in place of this one.
    pub(super) fn write(self, value: &str) -> String {
        format!("write `{}`", splice(self.text, self.piece.span(), value))
    }

    /// Reads the value.
    pub(super) fn read(self, accounts: &dyn Accounts) -> Result<Matcher, Fault> {
        let plain = self.piece.plain();
        let matcher = match self.key.kind() {
            Kind::Text | Kind::Program | Kind::Level | Kind::Listen
                if matches!(self.op, Op::Like | Op::NotLike) =>
            {
                self.regex(&plain)
            }
            Kind::Text => self.glob(&plain),
            Kind::Program => self.program(&plain, accounts),
            Kind::Number => self.number(&plain),
            Kind::Duration => self.duration(&plain),
            Kind::Size => self.size(&plain),
            Kind::Percent => self.percent(&plain),
            Kind::User | Kind::Group => self.account(&plain, accounts),
            Kind::YesNo => self.yes_no(&plain),
            Kind::Scope => self.scope(&plain),
            Kind::State => self.state(&plain),
            Kind::Capability => self.capability(&plain),
            Kind::Word => self.word(&plain),
            Kind::Octal => self.octal(&plain),
            Kind::Level => self.level(&plain),
            Kind::Listen => self.listen(&plain),
        }?;
        self.out_of_reach(&matcher).map_or(Ok(matcher), Err)
    }

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

    fn glob(self, plain: &str) -> Result<Matcher, Fault> {
        let glob = self.parsed(plain)?;
        let matcher = self.compiled(plain, &glob)?;
        if self.key == Key::ApparmorProfile {
            return self.profile(plain, matcher);
        }
        let never =
            |help: String| Err(self.fault(format!("`{}={plain}` can never match", self.key.name()), help));
        if self.key == Key::Comm && glob.least() > COMM {
            let message = format!("`comm={plain}` can never match: the kernel keeps {COMM} bytes");
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

    fn program(self, plain: &str, accounts: &dyn Accounts) -> Result<Matcher, Fault> {
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

    fn regex(self, plain: &str) -> Result<Matcher, Fault> {
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
        if self.key == Key::Comm && least.is_some_and(|least| least > COMM) {
            let message = format!("`comm~{plain}` can never match: the kernel keeps {COMM} bytes");
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

    fn number(self, plain: &str) -> Result<Matcher, Fault> {
        let name = self.key.name();
        let number = match plain.parse::<i64>() {
            Ok(number) if digits(plain.strip_prefix('-').unwrap_or(plain)) => number,
            _ if digits(plain) => {
                return Err(self.fault(format!("the number {plain} is too large"), "write a smaller one"));
            }
            _ => {
                let help = format!("write `{name}{}` and a whole number", self.op.text());
                return Err(self.fault(format!("`{plain}` is not a number"), help));
            }
        };
        let is_nice = matches!(self.key, Key::Nice | Key::NiceLowest);
        if is_nice && !(-20..=19).contains(&number) {
            return Err(self.fault(
                format!("`nice` is never {number}"),
                "write a number from -20 to 19",
            ));
        }
        if !is_nice && number < 0 {
            return Err(self.fault(format!("`{name}` is never negative"), "write a number from 0 on"));
        }
        Ok(Matcher::Number(number, plain.to_string()))
    }

    /// Digits and a suffix from `units`.
    fn measure(self, plain: &str, units: &[(&str, i64)], what: &str, how: &str) -> Result<Matcher, Fault> {
        let split = plain.find(|ch: char| !ch.is_ascii_digit()).unwrap_or(plain.len());
        let (count, suffix) = plain.split_at(split);
        let factor = if suffix.is_empty() {
            Some(1)
        } else {
            units.iter().find(|unit| unit.0 == suffix).map(|unit| unit.1)
        };
        let (Some(factor), false) = (factor, count.is_empty()) else {
            let lower = suffix.to_ascii_lowercase();
            let meant = match (self.key.kind(), lower.as_str()) {
                _ if count.is_empty() => None,
                (Kind::Size, "k" | "kb" | "kib") => Some("K"),
                (Kind::Size, "m" | "mb" | "mib") => Some("M"),
                (Kind::Size, "g" | "gb" | "gib") => Some("G"),
                (Kind::Size, "b") => Some(""),
                (Kind::Duration, "s" | "sec" | "secs" | "second" | "seconds") => Some("s"),
                (Kind::Duration, "m" | "min" | "mins" | "minute" | "minutes") => Some("m"),
                (Kind::Duration, "h" | "hour" | "hours") => Some("h"),
                (Kind::Duration, "d" | "day" | "days") => Some("d"),
                _ => None,
            };
            let help = meant.map_or_else(|| how.to_string(), |unit| self.write(&format!("{count}{unit}")));
            return Err(self.fault(format!("`{plain}` is not a {what}"), help));
        };
        let total = count
            .parse::<i64>()
            .ok()
            .and_then(|count| count.checked_mul(factor));
        match total {
            Some(total) => Ok(Matcher::Number(total, plain.to_string())),
            None => Err(self.fault(format!("the {what} {plain} is too large"), "write a smaller one")),
        }
    }

    fn duration(self, plain: &str) -> Result<Matcher, Fault> {
        let units = [("s", 1), ("m", 60), ("h", 3600), ("d", 86400)];
        self.measure(
            plain,
            &units,
            "duration",
            "write one whole number with `s`, `m`, `h` or `d`: `90s`, `5m`, `2h`, `3d`",
        )
    }

    fn size(self, plain: &str) -> Result<Matcher, Fault> {
        let units = [("K", 1 << 10), ("M", 1 << 20), ("G", 1 << 30)];
        self.measure(
            plain,
            &units,
            "size",
            "write one whole number of bytes, or with `K`, `M` or `G`: `512M`",
        )
    }

    fn percent(self, plain: &str) -> Result<Matcher, Fault> {
        let number = plain.strip_suffix('%').unwrap_or(plain);
        match number.parse::<i64>() {
            Ok(percent) if digits(number) => {
                Ok(Matcher::Number(percent.saturating_mul(10), plain.to_string()))
            }
            _ => {
                let help = "write a whole number of percent of one core: `80%`; four busy cores are `400%`";
                Err(self.fault(format!("`{plain}` is not a percentage"), help))
            }
        }
    }

    fn account(self, plain: &str, accounts: &dyn Accounts) -> Result<Matcher, Fault> {
        let user = self.key.kind() == Kind::User;
        let what = if user { "user" } else { "group" };
        if digits(plain) {
            // The highest id means "none" to the kernel.
            return match plain.parse::<u32>() {
                Ok(id) if id < u32::MAX => Ok(Matcher::Number(i64::from(id), plain.to_string())),
                _ => Err(self.fault(
                    format!("no {what} has the number {plain}"),
                    "write a number below 4294967295",
                )),
            };
        }
        let name = self.key.name();
        if matches!(self.key, Key::GroupsUnearned | Key::GidUnearned) && plain == "none" {
            return Ok(Matcher::Number(NONE, plain.to_string()));
        }
        if plain.contains(['*', '?', '[']) {
            let help =
                format!("write names with `|`, as in `{name}=a|b`, or compare numbers, as in `{name}<1000`");
            return Err(self.fault(format!("a {what} is a name or a number, not a pattern"), help));
        }
        let id = if user {
            accounts.uid(plain)
        } else {
            accounts.gid(plain)
        };
        match id {
            Err(error) => {
                let message = format!("the name service gave no answer for {what} `{plain}`: {error}");
                Err(self.fault(
                    message,
                    format!(
                        "write its number, which needs no name service: `{name}{}N`",
                        self.op.text()
                    ),
                ))
            }
            Ok(None) => {
                let help = format!("write a {what} of this host, or a number");
                Err(self.fault(format!("no {what} `{plain}`"), help))
            }
            Ok(Some(id)) if matches!(self.op, Op::Is | Op::IsNot) => {
                Ok(Matcher::Number(i64::from(id), plain.to_string()))
            }
            Ok(Some(id)) => {
                let message = format!("`{}` compares numbers, and `{plain}` is a name", self.op.text());
                Err(self.fault(message, self.write(&id.to_string())))
            }
        }
    }

    fn yes_no(self, plain: &str) -> Result<Matcher, Fault> {
        let meant = match plain {
            "yes" => return Ok(Matcher::YesNo(true)),
            "no" => return Ok(Matcher::YesNo(false)),
            _ => match plain.to_ascii_lowercase().as_str() {
                "true" | "1" | "on" | "y" | "yes" => "yes",
                "false" | "0" | "off" | "n" | "no" => "no",
                _ => {
                    let help = format!("write `{0}=yes` or `{0}=no`", self.key.name());
                    return Err(self.fault(format!("`{plain}` is neither yes nor no"), help));
                }
            },
        };
        Err(self.fault(format!("`{plain}` is neither yes nor no"), self.write(meant)))
    }

    fn scope(self, plain: &str) -> Result<Matcher, Fault> {
        match plain {
            "host" => Ok(Matcher::Scope(Scope::Host)),
            "container" => Ok(Matcher::Scope(Scope::Container)),
            "all" => Ok(Matcher::Scope(Scope::All)),
            _ => {
                let help = "write `scope=host`, `scope=container` or `scope=all`";
                Err(self.fault(format!("`{plain}` is not a scope"), help))
            }
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

    fn level(self, plain: &str) -> Result<Matcher, Fault> {
        match Levels::parse(plain.as_bytes()) {
            Some(levels) => Ok(Matcher::Level(levels, plain.to_string())),
            None => Err(self.fault(
                format!("`{plain}` is not a level"),
                "write it as the kernel does: `s0`, `s0:c1,c3` or `s0-s0:c0.c1023`; \
                 a part of it is found with `selinux.level~EXPRESSION`",
            )),
        }
    }

    fn listen(self, plain: &str) -> Result<Matcher, Fault> {
        if plain.starts_with(['/', '@']) {
            return self.glob(plain);
        }
        let wrong = match listen::parse(plain) {
            Ok(asked) => return Ok(Matcher::Listen(asked, plain.to_string())),
            Err(wrong) => wrong,
        };
        // `127.0.0.1:25`: its port was taken for the range.
        let behind = self.text.get(self.piece.end()..).unwrap_or_default().trim_end();
        if let Some(right) = behind
            .strip_prefix(':')
            .and_then(|port| listen::with_port(plain, port))
        {
            let whole = splice(
                self.text,
                self.piece.start()..self.text.len(),
                &format!("{right}:1-"),
            );
            return Err(self.fault(
                format!("`{plain}` has no protocol, and what follows the last colon is the range"),
                format!("write `{whole}`"),
            ));
        }
        let help = match wrong.instead {
            Some(right) => self.write(&right),
            None => "write a port and its protocol, `22/tcp` or `53/udp`, with an address before it, \
                     `127.0.0.1:25/tcp`, `[::1]:53/udp` or `*:80/tcp`, or a path, `/run/x.sock` or `@name`"
                .to_string(),
        };
        Err(self.fault(wrong.message, help))
    }

    fn capability(self, plain: &str) -> Result<Matcher, Fault> {
        if let Some(asked) = caps::Asked::by_name(plain) {
            return Ok(Matcher::Caps(asked, plain.to_string()));
        }
        let bare = caps::bare(plain);
        let near = nearest::of(&bare, caps::SETS.iter().chain(caps::NAMES).copied());
        let help = near.map_or_else(
            || "write a name of capabilities(7), or root_equivalent, all or none".to_string(),
            |near| self.write(near),
        );
        Err(self.fault(format!("`{plain}` is not a capability"), help))
    }

    fn word(self, plain: &str) -> Result<Matcher, Fault> {
        let words = self.key.words();
        if words.contains(&plain) {
            return Ok(Matcher::Exact(plain.as_bytes().to_vec()));
        }
        let near = nearest::of(&plain.to_ascii_lowercase(), words.iter().copied());
        let help = near.map_or_else(
            || format!("write one of {}", words.join(" ")),
            |near| self.write(near),
        );
        Err(self.fault(format!("`{}` is never `{plain}`", self.key.name()), help))
    }

    fn octal(self, plain: &str) -> Result<Matcher, Fault> {
        let octal = plain.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
        match i64::from_str_radix(plain, 8) {
            Ok(bits) if octal && bits <= 0o777 => Ok(Matcher::Number(bits, plain.to_string())),
            _ => {
                let help = format!(
                    "write octal digits as umask(1) prints them: `{}=0022`",
                    self.key.name()
                );
                Err(self.fault(format!("`{plain}` is no umask"), help))
            }
        }
    }

    fn state(self, plain: &str) -> Result<Matcher, Fault> {
        let known = |(letter, name): &&(u8, &str)| plain.as_bytes() == [*letter] || plain == *name;
        if let Some((letter, _)) = STATES.iter().find(known) {
            return Ok(Matcher::Exact(vec![*letter]));
        }
        let near = nearest::of(&plain.to_ascii_lowercase(), STATES.iter().map(|(_, name)| *name));
        let help = near.map_or_else(
            || {
                "write R S D T t Z X I, or running sleeping disk-sleep stopped tracing zombie dead idle"
                    .to_string()
            },
            |near| self.write(near),
        );
        Err(self.fault(format!("`{plain}` is not a state"), help))
    }
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
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
