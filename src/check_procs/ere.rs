//! An extended regular expression of POSIX, as glibc's regcomp(3) reads it, in the words of the regex crate, which
//! matches in linear time. The two mean different things by `a+?`, `\d`, `[\n]`, `x{`, `$` before a newline.

use regex::bytes::{Regex, RegexBuilder};
use std::fmt::Write;

/// The most repetitions that can be asked for: RE_DUP_MAX of limits.h.
const DUP_MAX: u32 = 32767;

/// What a compiled expression may take.
const SIZE: usize = 4 << 20;

/// How deep brackets, and repetitions of one atom, may be.
const DEPTH: usize = 100;

/// Compiles it. What it is matched against are bytes, as in the C locale.
///
/// # Errors
/// What is wrong with it, in the words of regerror(3) where that has some.
pub fn compile(expression: &[u8]) -> Result<Regex, String> {
    let mut reader = Reader {
        rest: expression,
        depth: 0,
    };
    let pattern = reader.alternatives()?;
    let built = RegexBuilder::new(&format!("(?s-u){pattern}"))
        .size_limit(SIZE)
        .build();
    built.map_err(|_| "Regular expression too big".into())
}

struct Reader<'a> {
    rest: &'a [u8],
    depth: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn alternatives(&mut self) -> Result<String, String> {
        let mut pattern = self.sequence()?;
        while self.rest.first() == Some(&b'|') {
            self.rest = &self.rest[1..];
            pattern.push('|');
            pattern += &self.sequence()?;
        }
        Ok(pattern)
    }

    /// Up to `|`, the bracket that closes, or the end.
    fn sequence(&mut self) -> Result<String, String> {
        let mut pattern = String::new();
        loop {
            match self.rest.first() {
                None | Some(b'|') => return Ok(pattern),
                Some(b')') if self.depth > 0 => return Ok(pattern),
                Some(_) => pattern += &self.piece()?,
            }
        }
    }

    /// One atom with all its repetitions.
    fn piece(&mut self) -> Result<String, String> {
        let Some(first) = self.next() else {
            return Ok(String::new());
        };
        let mut atom = match first {
            b'^' => return Ok(r"\A".into()),
            b'$' => return Ok(r"\z".into()),
            b'*' | b'+' | b'?' | b'{' => return Err("Invalid preceding regular expression".into()),
            b'(' => self.group()?,
            b'[' => class(&self.set()?),
            b'.' => ".".into(),
            b'\\' => match self.next().ok_or("Trailing backslash")? {
                digit @ b'1'..=b'9' => {
                    return Err(format!(
                        "a back-reference, \\{}, is not understood",
                        char::from(digit)
                    ));
                }
                b'w' => r"\w".into(),
                b'W' => r"\W".into(),
                b's' => r"\s".into(),
                b'S' => r"\S".into(),
                b'b' => return Ok(r"\b".into()),
                b'B' => return Ok(r"\B".into()),
                b'<' => return Ok(r"\b{start}".into()),
                b'>' => return Ok(r"\b{end}".into()),
                b'`' => return Ok(r"\A".into()),
                b'\'' => return Ok(r"\z".into()),
                other => literal(other),
            },
            other => literal(other),
        };
        // Each repetition copies what was written before it.
        for _ in 0..DEPTH {
            let repeated = match self.rest.first() {
                Some(b'*') => "*".to_owned(),
                Some(b'+') => "+".to_owned(),
                Some(b'?') => "?".to_owned(),
                Some(b'{') => {
                    self.rest = &self.rest[1..];
                    let times = self.times()?;
                    atom = format!("(?:{atom}){times}");
                    continue;
                }
                _ => return Ok(atom),
            };
            self.rest = &self.rest[1..];
            atom = format!("(?:{atom}){repeated}");
        }
        Err("Regular expression too big".into())
    }

    fn group(&mut self) -> Result<String, String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("Regular expression too big".into());
        }
        let inner = self.alternatives()?;
        self.depth -= 1;
        match self.next() {
            Some(b')') => Ok(format!("(?:{inner})")),
            _ => Err(r"Unmatched ( or \(".into()),
        }
    }

    /// `{2}`, `{2,}`, `{2,3}`, `{,3}`, behind the brace.
    fn times(&mut self) -> Result<String, String> {
        let unmatched = || r"Unmatched \{".to_owned();
        let content = || r"Invalid content of \{\}".to_owned();
        let least = self.count()?;
        let most = match self.next().ok_or_else(unmatched)? {
            b'}' => Some(least.ok_or_else(content)?),
            b',' => {
                let most = self.count()?;
                match self.next().ok_or_else(unmatched)? {
                    b'}' => most,
                    _ => return Err(content()),
                }
            }
            _ => return Err(content()),
        };
        let least = least.unwrap_or(0);
        match most {
            Some(most) if most < least => Err(content()),
            Some(most) => Ok(format!("{{{least},{most}}}")),
            None => Ok(format!("{{{least},}}")),
        }
    }

    fn count(&mut self) -> Result<Option<u32>, String> {
        let mut count = None;
        while let Some(digit) = self.rest.first().filter(|b| b.is_ascii_digit()) {
            self.rest = &self.rest[1..];
            let next = count.unwrap_or(0) * 10 + u32::from(digit - b'0');
            if next > DUP_MAX {
                return Err("Regular expression too big".into());
            }
            count = Some(next);
        }
        Ok(count)
    }

    /// The bytes of a bracket expression, behind its bracket.
    fn set(&mut self) -> Result<[bool; 256], String> {
        const UNMATCHED: &str = "Unmatched [, [^, [:, [., or [=";
        let mut set = [false; 256];
        let negated = self.rest.first() == Some(&b'^');
        if negated {
            self.rest = &self.rest[1..];
        }
        let mut first = true;
        loop {
            let start = match self.next().ok_or(UNMATCHED)? {
                b']' if !first => break,
                b'[' if self.rest.first() == Some(&b':') => {
                    self.add_named(&mut set)?;
                    first = false;
                    continue;
                }
                other => self.element(other)?,
            };
            first = false;
            match self.rest {
                [b'-', b']', ..] | [] => set[usize::from(start)] = true,
                [b'-', rest @ ..] => {
                    self.rest = rest;
                    let end = self.next().ok_or(UNMATCHED)?;
                    let end = self.element(end)?;
                    if end < start {
                        return Err("Invalid range end".into());
                    }
                    set[usize::from(start)..=usize::from(end)].fill(true);
                }
                _ => set[usize::from(start)] = true,
            }
        }
        if negated {
            set = set.map(|held| !held);
        }
        Ok(set)
    }

    /// One element of a set: a byte, `[.x.]` or `[=x=]`.
    fn element(&mut self, first: u8) -> Result<u8, String> {
        let Some(mark @ (b'.' | b'=')) = self.rest.first().copied().filter(|_| first == b'[') else {
            return Ok(first);
        };
        match self.rest {
            [_, byte, end, b']', rest @ ..] if *end == mark => {
                self.rest = rest;
                Ok(*byte)
            }
            _ => Err("Invalid collation character".into()),
        }
    }

    fn add_named(&mut self, set: &mut [bool; 256]) -> Result<(), String> {
        let unknown = || "Invalid character class name".to_owned();
        let rest = &self.rest[1..];
        let end = rest.windows(2).position(|two| two == b":]").ok_or_else(unknown)?;
        let holds: fn(u8) -> bool = match &rest[..end] {
            b"alnum" => |b| b.is_ascii_alphanumeric(),
            b"alpha" => |b| b.is_ascii_alphabetic(),
            b"blank" => |b| matches!(b, b' ' | b'\t'),
            b"cntrl" => |b| b.is_ascii_control(),
            b"digit" => |b| b.is_ascii_digit(),
            b"graph" => |b| b.is_ascii_graphic(),
            b"lower" => |b| b.is_ascii_lowercase(),
            b"print" => |b| b.is_ascii_graphic() || b == b' ',
            b"punct" => |b| b.is_ascii_punctuation(),
            b"space" => |b| b.is_ascii_whitespace() || b == 0x0b,
            b"upper" => |b| b.is_ascii_uppercase(),
            b"xdigit" => |b| b.is_ascii_hexdigit(),
            _ => return Err(unknown()),
        };
        self.rest = &rest[end + 2..];
        for byte in 0..=u8::MAX {
            set[usize::from(byte)] |= holds(byte);
        }
        Ok(())
    }
}

fn literal(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() {
        char::from(byte).to_string()
    } else {
        format!(r"\x{byte:02x}")
    }
}

fn class(set: &[bool; 256]) -> String {
    let mut class = String::from("[");
    let held = (0..=u8::MAX).filter(|byte| set[usize::from(*byte)]);
    for byte in held {
        let _ = write!(class, r"\x{byte:02x}");
    }
    if class.len() == 1 {
        // Nothing: `[^\x00-\xff]` of a set that holds every byte.
        return r"[^\x00-\xff]".into();
    }
    class + "]"
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(expression: &str, text: &str) -> bool {
        compile(expression.as_bytes()).unwrap().is_match(text.as_bytes())
    }

    #[test]
    fn what_glibc_and_the_crate_mean_differently_means_what_glibc_means() {
        // `a+?` is optional there, and not eager.
        assert!(matches("^xa+?y$", "xy"));
        assert!(matches("^a**$", "aaa"));
        assert!(matches(r"^\d$", "d") && !matches(r"^\d$", "1"));
        assert!(matches(r"[\n]", "\\") && matches(r"[\n]", "n") && !matches(r"[\n]", "\n"));
        assert!(matches("a)", "a)"));
        assert!(matches("]", "]") && matches("}", "}"));
        assert!(matches("a.b", "a\nb"));
        assert!(!matches("^b", "a\nb") && !matches("a$", "a\nb"));
        assert!(matches(r"\<ssh\>", "x ssh y") && !matches(r"\<ssh\>", "sshd"));
        assert!(matches("[]x]", "]") && matches("[^]x]", "a") && !matches("[^]x]", "]"));
        assert!(matches("[a-]", "-") && matches("[]-a]", "^"));
        assert!(matches("[[:digit:]_]{2,}", "a_1") && matches("[[.-.]]", "-") && matches("[[=a=]]", "a"));
        assert!(matches("^x{,2}$", "xx") && !matches("^x{,2}$", "xxx"));
        assert!(matches("^(a|)b$", "b") && matches("()", ""));
        assert!(matches("[&&a~~]", "&") && matches("[[a]", "["));
        assert!(matches(r"a\.b\/\-", "a.b/-"));
    }

    #[test]
    fn what_is_wrong_is_said_as_glibc_says_it() {
        for (expression, said) in [
            ("(", r"Unmatched ( or \("),
            ("a(b", r"Unmatched ( or \("),
            ("[a", "Unmatched [, [^, [:, [., or [="),
            ("a{2", r"Unmatched \{"),
            ("a{x}", r"Invalid content of \{\}"),
            ("a{3,2}", r"Invalid content of \{\}"),
            ("*a", "Invalid preceding regular expression"),
            ("a|*b", "Invalid preceding regular expression"),
            ("^*", "Invalid preceding regular expression"),
            ("a\\", "Trailing backslash"),
            ("[[:foo:]]", "Invalid character class name"),
            ("[z-a]", "Invalid range end"),
            ("a{40000}", "Regular expression too big"),
            (
                "((((((a{1000}){1000}){1000}){1000}){1000}){1000}){1000}",
                "Regular expression too big",
            ),
            (r"(a)\1", r"a back-reference, \1, is not understood"),
        ] {
            assert_eq!(compile(expression.as_bytes()).unwrap_err(), said, "{expression}");
        }
        assert!(compile("(".repeat(100_000).as_bytes()).is_err());
        // In no time, though each would copy all the text before it.
        let repeated = compile(format!("a{}", "*".repeat(100_000)).as_bytes());
        assert_eq!(repeated.unwrap_err(), "Regular expression too big");
    }

    proptest! {
        #[test]
        fn no_expression_makes_it_panic(expression: Vec<u8>) {
            let _ = compile(&expression);
        }

        #[test]
        fn what_it_reads_the_crate_takes(expression in r"[ab().|*+?{}\[\]^$\\1,:\-]{0,12}") {
            if let Err(sentence) = compile(expression.as_bytes()) {
                prop_assert!(sentence != "Regular expression too big", "{expression}");
            }
        }
    }
}
