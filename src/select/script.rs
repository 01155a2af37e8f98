//! What an interpreter runs: the script, module, jar or main class in its arguments.

/// What the arguments of an interpreter say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script<'a> {
    /// It runs this: a path, a module's name, a class.
    Runs(&'a [u8]),
    /// It runs nothing of that kind: interactive, `-c TEXT`, `-e TEXT`, from standard input.
    Nothing,
    /// The arguments can't be understood.
    Unclear,
}

/// How an interpreter's options are written.
struct Dialect {
    /// Single-letter options that take the next word (or the rest of their own) as a value.
    with_value: &'static [u8],
    /// Long or odd options that take the next word as a value.
    long_with_value: &'static [&'static str],
    /// Letters after which the next word is what runs (`-m`).
    runs: &'static [u8],
    /// Letters after which program text follows, not a script (`-c`, `-e`).
    text: &'static [u8],
    /// Whether letters may be bundled (`-Bu`); java's options are whole words.
    bundled: bool,
}

const PYTHON: Dialect = Dialect {
    with_value: b"WXQ",
    long_with_value: &["--check-hash-based-pycs"],
    runs: b"m",
    text: b"c",
    bundled: true,
};
const PERL: Dialect = Dialect {
    with_value: b"",
    long_with_value: &[],
    runs: b"",
    text: b"eE",
    bundled: true,
};
const SHELL: Dialect = Dialect {
    with_value: b"oO",
    long_with_value: &["--rcfile", "--init-file"],
    runs: b"",
    text: b"cs",
    bundled: true,
};
const RUBY: Dialect = Dialect {
    with_value: b"IrEC",
    long_with_value: &["--encoding", "--external-encoding", "--internal-encoding"],
    runs: b"",
    text: b"e",
    bundled: true,
};
const NODE: Dialect = Dialect {
    with_value: b"rC",
    long_with_value: &[
        "--require",
        "--import",
        "--loader",
        "--experimental-loader",
        "--conditions",
        "--env-file",
    ],
    runs: b"",
    text: b"ep",
    bundled: false,
};
const LUA: Dialect = Dialect {
    with_value: b"l",
    long_with_value: &[],
    runs: b"",
    text: b"e",
    bundled: false,
};
const PHP: Dialect = Dialect {
    with_value: b"cdzgSt",
    long_with_value: &["--php-ini", "--define"],
    runs: b"fF",
    text: b"rRBE",
    bundled: false,
};
const JAVA: Dialect = Dialect {
    with_value: b"",
    long_with_value: &[
        "-cp",
        "-classpath",
        "--class-path",
        "-p",
        "--module-path",
        "--upgrade-module-path",
        "--add-modules",
        "--add-reads",
        "--add-exports",
        "--add-opens",
        "--limit-modules",
        "--patch-module",
        "--source",
        "-jvmargs",
    ],
    runs: b"",
    text: b"",
    bundled: false,
};

/// Whether a program of this name interprets scripts: `python3.11`, `perl5.36.0`, `sh`.
fn dialect(name: &[u8]) -> Option<&'static Dialect> {
    let stem = name
        .iter()
        .position(|b| b.is_ascii_digit())
        .map_or(name, |at| &name[..at]);
    Some(match stem {
        b"python" | b"pypy" => &PYTHON,
        b"perl" => &PERL,
        b"sh" | b"dash" | b"bash" | b"ksh" | b"mksh" | b"zsh" | b"ash" => &SHELL,
        b"ruby" => &RUBY,
        b"node" | b"nodejs" => &NODE,
        b"lua" | b"luajit" => &LUA,
        b"php" => &PHP,
        b"java" => &JAVA,
        _ => return None,
    })
}

/// Whether `name` (a comm or the file name of argv[0]) is an interpreter's.
#[must_use]
pub fn is_interpreter(name: &[u8]) -> bool {
    dialect(name).is_some()
}

/// The part after the last `/`.
#[must_use]
pub fn file_name(path: &[u8]) -> &[u8] {
    path.iter()
        .rposition(|b| *b == b'/')
        .map_or(path, |at| &path[at + 1..])
}

/// What an interpreter called `name` runs, by its arguments (argv[0] first).
#[must_use]
pub fn script<'a>(name: &[u8], arguments: &'a [Vec<u8>]) -> Script<'a> {
    let Some(dialect) = dialect(name) else {
        return Script::Unclear;
    };
    if arguments.is_empty() || arguments[0].is_empty() {
        return Script::Unclear;
    }
    let mut rest = arguments[1..].iter();
    while let Some(word) = rest.next() {
        let runs_next = |next: Option<&'a Vec<u8>>| next.map_or(Script::Unclear, |word| Script::Runs(word));
        match word.as_slice() {
            b"--" => return rest.next().map_or(Script::Nothing, |word| Script::Runs(word)),
            b"-" => return Script::Nothing,
            b"-jar" | b"-m" | b"--module" if std::ptr::eq(dialect, &JAVA) => return runs_next(rest.next()),
            word if !is_option(word, dialect) => return Script::Runs(word),
            word if dialect
                .long_with_value
                .iter()
                .any(|option| option.as_bytes() == word) =>
            {
                rest.next();
            }
            word if word.starts_with(b"--") || (!dialect.bundled && word.len() > 2) => {
                if matches!(word, b"--eval" | b"--print") {
                    return Script::Nothing;
                }
            }
            word => match letters(&word[1..], dialect) {
                Letters::Nothing => {}
                Letters::TakesNext => {
                    rest.next();
                }
                Letters::RunsNext => return runs_next(rest.next()),
                Letters::Runs(at) => return Script::Runs(&word[1 + at..]),
                Letters::Text => return Script::Nothing,
            },
        }
    }
    Script::Nothing
}

fn is_option(word: &[u8], dialect: &Dialect) -> bool {
    // Shells switch options off with `+x`.
    word.len() > 1 && (word[0] == b'-' || (word[0] == b'+' && std::ptr::eq(dialect, &SHELL)))
}

enum Letters {
    Nothing,
    TakesNext,
    RunsNext,
    Runs(usize),
    Text,
}

/// What a word of option letters (without its dash) does to the words after it.
fn letters(word: &[u8], dialect: &Dialect) -> Letters {
    for (at, letter) in word.iter().enumerate() {
        let last = at + 1 == word.len();
        if dialect.text.contains(letter) {
            return Letters::Text;
        }
        if dialect.runs.contains(letter) {
            return if last {
                Letters::RunsNext
            } else {
                Letters::Runs(at + 1)
            };
        }
        if dialect.with_value.contains(letter) {
            return if last {
                Letters::TakesNext
            } else {
                Letters::Nothing
            };
        }
    }
    Letters::Nothing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(line: &str) -> String {
        let words: Vec<Vec<u8>> = line.split(' ').map(|w| w.as_bytes().to_vec()).collect();
        let name = file_name(&words[0]).to_vec();
        match script(&name, &words) {
            Script::Runs(what) => String::from_utf8_lossy(what).into_owned(),
            Script::Nothing => "(nothing)".into(),
            Script::Unclear => "(unclear)".into(),
        }
    }

    #[test]
    fn interpreters_give_their_script() {
        for (line, want) in [
            ("python3 -u x.py", "x.py"),
            ("python3 -m mod --flag", "mod"),
            ("python3 -mmod", "mod"),
            (
                "/usr/bin/python3.11 -W ignore -Bu /srv/app.py -c conf",
                "/srv/app.py",
            ),
            ("python3 -c import_os", "(nothing)"),
            ("python3", "(nothing)"),
            ("perl -w z.pl", "z.pl"),
            ("perl -e 1", "(nothing)"),
            ("java -Xmx1g -jar /opt/app.jar --port 1", "/opt/app.jar"),
            ("java -cp a.jar:b.jar org.example.Main", "org.example.Main"),
            (
                "java -Dx=y org.apache.catalina.startup.Bootstrap start",
                "org.apache.catalina.startup.Bootstrap",
            ),
            ("node --require ./x.js server.js", "server.js"),
            ("node --max-old-space-size=100 server.js", "server.js"),
            ("ruby -I lib bin/sidekiq", "bin/sidekiq"),
            ("sh -c true", "(nothing)"),
            ("bash -x +e /usr/local/bin/backup", "/usr/local/bin/backup"),
            ("sh -ec true", "(nothing)"),
            ("bash -- -odd", "-odd"),
            ("python3 -m", "(unclear)"),
        ] {
            assert_eq!(runs(line), want, "{line}");
        }
    }

    #[test]
    fn an_overwritten_empty_command_line_is_unclear() {
        assert_eq!(script(b"python3", &[]), Script::Unclear);
        assert_eq!(script(b"python3", &[vec![]]), Script::Unclear);
    }
}
