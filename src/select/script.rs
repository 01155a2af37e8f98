//! What an interpreter runs: the script, module, jar or main class in its arguments.

use crate::snapshot::Cmdline;

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
    /// Single-letter options that take the rest of their own word as a value, if there is a rest.
    with_rest: &'static [u8],
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
    with_rest: b"",
    long_with_value: &["--check-hash-based-pycs"],
    runs: b"m",
    text: b"c",
    bundled: true,
};
const PERL: Dialect = Dialect {
    with_value: b"I",
    with_rest: b"CdDFimMVx",
    long_with_value: &[],
    runs: b"",
    text: b"eE",
    bundled: true,
};
const SHELL: Dialect = Dialect {
    with_value: b"oO",
    with_rest: b"",
    long_with_value: &["--rcfile", "--init-file"],
    runs: b"",
    text: b"cs",
    bundled: true,
};
const RUBY: Dialect = Dialect {
    with_value: b"IrECX",
    with_rest: b"FiKTWx",
    long_with_value: &["--encoding", "--external-encoding", "--internal-encoding"],
    runs: b"",
    text: b"e",
    bundled: true,
};
const NODE: Dialect = Dialect {
    with_value: b"rC",
    with_rest: b"",
    long_with_value: &[
        "--require",
        "--import",
        "--loader",
        "--experimental-loader",
        "--conditions",
        "--env-file",
        "--env-file-if-exists",
        "--disable-warning",
        "--dns-result-order",
        "--diagnostic-dir",
        "--experimental-default-type",
        "--icu-data-dir",
        "--input-type",
        "--max-http-header-size",
        "--openssl-config",
        "--redirect-warnings",
        "--report-dir",
        "--report-directory",
        "--secure-heap",
        "--title",
        "--tls-cipher-list",
        "--tls-keylog",
        "--trace-event-categories",
        "--unhandled-rejections",
        "--watch-path",
    ],
    runs: b"",
    text: b"ep",
    bundled: false,
};
const LUA: Dialect = Dialect {
    with_value: b"l",
    with_rest: b"",
    long_with_value: &[],
    runs: b"",
    text: b"e",
    bundled: false,
};
const PHP: Dialect = Dialect {
    with_value: b"cdzgSt",
    with_rest: b"",
    long_with_value: &["--php-ini", "--define"],
    runs: b"fF",
    text: b"rRBE",
    bundled: false,
};
const JAVA: Dialect = Dialect {
    with_value: b"",
    with_rest: b"",
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

/// Whether `name` (a comm or the file name of `argv[0]`) is an interpreter's.
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

/// The whole of a name that the kernel cut to `comm`: in `argv[0]`, in the first word of a title that was written over
/// it, or, where `comm` is a script's, in the arguments that the kernel puts behind its interpreter.
#[must_use]
pub fn whole_names<'a>(comm: &[u8], arguments: &'a [Vec<u8>]) -> Vec<&'a [u8]> {
    let Some((argv0, rest)) = arguments.split_first() else {
        return Vec::new();
    };
    let first_word = argv0.split(|b| *b == b' ').next().unwrap_or_default();
    let of_path = |path: &'a [u8]| Some(file_name(path)).filter(|name| name.starts_with(comm));
    // Behind a title there are at most empty arguments; a title is not a name.
    let is_title = rest.iter().all(Vec::is_empty) && argv0.contains(&b' ');
    let mut names: Vec<&[u8]> = of_path(argv0)
        .map(|name| if is_title { without_title(comm, name) } else { name })
        .into_iter()
        .chain(of_path(first_word).map(|name| without_title(comm, name)))
        .chain(rest.iter().take(SHEBANG).find_map(|word| of_path(word)))
        .collect();
    names.dedup();
    names
}

/// An interpreter, one option, and an interpreter of the interpreter stand before the script at most.
const SHEBANG: usize = 3;

/// `systemd-userwork: waiting...` without what is not the name; `comm` itself may hold blanks.
fn without_title<'a>(comm: &[u8], name: &'a [u8]) -> &'a [u8] {
    let end = name[comm.len()..].iter().position(|b| b" :".contains(b));
    &name[..end.map_or(name.len(), |end| comm.len() + end)]
}

/// What an interpreter called `name` runs, by its arguments (`argv[0]` first).
#[must_use]
pub fn script<'a>(name: &[u8], cmdline: &'a Cmdline) -> Script<'a> {
    let script = of_arguments(name, &cmdline.arguments);
    // What was not read may be another option, the script, or the rest of its name.
    let whole = match script {
        Script::Runs(what) => cmdline.arguments.last().is_some_and(|last| !last.ends_with(what)),
        Script::Nothing | Script::Unclear => false,
    };
    if cmdline.truncated && !whole {
        return Script::Unclear;
    }
    script
}

fn of_arguments<'a>(name: &[u8], arguments: &'a [Vec<u8>]) -> Script<'a> {
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
                if matches!(word, b"--eval" | b"--print" | b"-pe") {
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
        if dialect.with_rest.contains(letter) {
            return Letters::Nothing;
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
        match of_arguments(&name, &words) {
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
            ("perl -I lib -I/usr/share/perl5 x.pl", "x.pl"),
            ("perl -MFile::Spec -wT x.pl", "x.pl"),
            ("perl -MList::Util=sum -lne print", "(nothing)"),
            ("perl -i.orig -pe s/a/b/ file", "(nothing)"),
            ("ruby -W:no-deprecated -Eutf-8 app.rb", "app.rb"),
            ("node -pe 6*7", "(nothing)"),
            ("node --unhandled-rejections strict server.js", "server.js"),
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
    fn a_cut_name_is_completed_from_the_arguments() {
        for (comm, arguments, want) in [
            (
                "systemd-timesyn",
                &["/lib/systemd/systemd-timesyncd"][..],
                &["systemd-timesyncd"][..],
            ),
            (
                "networkd-dispat",
                &["/usr/bin/python3", "/usr/bin/networkd-dispatcher", "-v"],
                &["networkd-dispatcher"],
            ),
            (
                "a-script-of-per",
                &["/usr/bin/perl", "-w", "/opt/a-script-of-perl"],
                &["a-script-of-perl"],
            ),
            (
                "systemd-userwor",
                &["systemd-userwork: waiting for /x"],
                &["systemd-userwork"],
            ),
            (
                "long-electron-a",
                &["/opt/long-electron-app --type=gpu --log=/a/b"],
                &["long-electron-app"],
            ),
            (
                "a program with ",
                &["/opt/a program with blanks", "-x"],
                &["a program with blanks"],
            ),
            (
                "some-connection",
                &["some-connection-daemon: bob secret", "", ""],
                &["some-connection-daemon"],
            ),
            ("memfd-sealed-91", &["/proc/self/fd/3"], &[]),
            ("x", &[], &[]),
        ] {
            let arguments: Vec<Vec<u8>> = arguments.iter().map(|a| a.as_bytes().to_vec()).collect();
            let names = whole_names(comm.as_bytes(), &arguments);
            let want: Vec<&[u8]> = want.iter().map(|name| name.as_bytes()).collect();
            assert_eq!(names, want, "{comm}");
        }
    }

    #[test]
    fn an_overwritten_empty_command_line_is_unclear() {
        assert_eq!(of_arguments(b"python3", &[]), Script::Unclear);
        assert_eq!(of_arguments(b"python3", &[vec![]]), Script::Unclear);
    }

    #[test]
    fn what_lies_beyond_the_limit_of_a_command_line_is_not_guessed() {
        let read = |words: &[&str]| {
            let arguments = words.iter().map(|word| word.as_bytes().to_vec()).collect();
            let cmdline = Cmdline {
                arguments,
                truncated: true,
            };
            script(b"python3", &cmdline) == Script::Unclear
        };
        assert!(read(&["python3", "-W", "ignore"]) && read(&["python3", "-u", "ev"]));
        assert!(!read(&["python3", "x.py", "-v"]));
    }
}
