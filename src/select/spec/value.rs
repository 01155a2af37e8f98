//! Values of a term, read by the kind of its key.

use super::lexer::Piece;
use super::{nearest, splice};
use crate::select::caps;
use crate::select::fault::Fault;
use crate::select::key::{Key, Kind};
use crate::select::label::level::Levels;
use crate::select::listen;
use crate::select::reading::NONE;
use crate::select::selector::{Matcher, Op, Scope};
use crate::snapshot::accounts::Accounts;

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

pub(super) fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
