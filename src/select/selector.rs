//! A compiled selector: terms that must all hold. Made by `select::spec`, evaluated by `select::term`.

use super::key::Key;
use super::range::Range;
use crate::snapshot::FileId;

/// Which processes are meant, and how many are wanted of them.
#[derive(Clone, Debug)]
pub struct Spec {
    /// What was written.
    pub text: String,
    /// The terms.
    pub selector: Selector,
    /// The range, where one was written.
    pub range: Option<Range>,
}

/// Terms that must all hold.
#[derive(Clone, Debug)]
pub struct Selector {
    /// What was written, without the range.
    pub text: String,
    /// The bare first word, where there was one: a natural name for a check.
    pub word: Option<String>,
    /// The terms, in the order written.
    pub terms: Vec<Term>,
}

/// `KEY OP VALUE|VALUE`.
#[derive(Clone, Debug)]
pub struct Term {
    /// What was written.
    pub text: String,
    /// Which fact.
    pub key: Key,
    /// How it is compared.
    pub op: Op,
    /// With what; the term holds when one of them does (for `!=` and `!~` when none does).
    pub values: Vec<Matcher>,
}

/// An operator. `!=` and `!~` are exactly the opposites of `=` and `~`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `=`
    Is,
    /// `!=`
    IsNot,
    /// `~`
    Like,
    /// `!~`
    NotLike,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
}

impl Op {
    /// As written.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Op::Is => "=",
            Op::IsNot => "!=",
            Op::Like => "~",
            Op::NotLike => "!~",
            Op::Less => "<",
            Op::AtMost => "<=",
            Op::More => ">",
            Op::AtLeast => ">=",
        }
    }
    /// Whether the term is the opposite of `=` or `~`.
    #[must_use]
    pub fn negated(self) -> bool {
        matches!(self, Op::IsNot | Op::NotLike)
    }
}

/// One value of a term, ready to be compared with a fact.
#[derive(Clone, Debug)]
pub enum Matcher {
    /// A text without wildcards, unescaped.
    Exact(Vec<u8>),
    /// A glob with wildcards, translated to an anchored expression over bytes; the text is as written.
    Glob(String, regex::bytes::Regex),
    /// A regular expression, unanchored.
    Regex(regex::bytes::Regex),
    /// A number: a count, bytes, seconds, a uid or gid; the text is as written.
    Number(i64, String),
    /// `yes` or `no`.
    YesNo(bool),
    /// `scope=`: host, container or all.
    Scope(Scope),
    /// Capabilities; the text is as written.
    Caps(super::caps::Asked, String),
    /// Where something listens, if it is no path; the text is as written.
    Listen(super::listen::Asked, String),
    /// A level of SELinux, or a range of two; the text is as written.
    Level(super::label::level::Levels, String),
    /// A stack of AppArmor profiles, each once; the text is as written.
    Stack(Vec<Vec<u8>>, String),
    /// An absolute path for `exe`, with the file that it is for procward.
    File(Path),
}

/// A path and what is known of its file.
#[derive(Clone, Debug)]
pub struct Path {
    /// The path as written.
    pub text: Vec<u8>,
    /// The path that the kernel shows, where links lead to another: `/usr/sbin/mariadbd` for `/usr/sbin/mysqld`.
    pub real: Option<Vec<u8>>,
    /// The file: `Ok(None)` where there is none, `Err` with the reason where it can't be told.
    pub file: Result<Option<FileId>, String>,
}

/// Which processes of a host with containers are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Those outside every container.
    Host,
    /// Those inside a container.
    Container,
    /// All.
    All,
}
