//! What an interpreter runs: the script, module, jar or main class in its arguments.

use crate::snapshot::Cmdline;

/// What the arguments of an interpreter say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script<'a> {
    /// It runs this: a path, a module's name, a class.
    Runs(&'a [u8]),
    /// It runs nothing of that kind: interactive, `-c TEXT`, `-e TEXT`, from standard input.
    Nothing,
    /// The arguments can't be understood: what could be program text, and hold a password, is not told.
    Unclear,
}

/// How an interpreter's options are written.
struct Dialect {
    /// Single-letter options that take the next word (or the rest of their own) as a value.
    with_value: &'static [u8],
    /// Single-letter options that take the rest of their own word as a value, if there is a rest.
    with_rest: &'static [u8],
    /// The same, where that begins with `:` or `=`.
    with_colon: &'static [u8],
    /// Long or odd options that take the next word as a value.
    long_with_value: &'static [&'static str],
    /// Long options that take none.
    long: &'static [&'static str],
    /// Letters after which the next word is what runs (`-m`).
    runs: &'static [u8],
    /// Long or odd options after which it is.
    long_runs: &'static [&'static str],
    /// Letters after which program text follows, not a script (`-c`, `-e`).
    text: &'static [u8],
    /// Long or odd options after which it follows.
    long_text: &'static [&'static str],
    /// Whether letters may be bundled (`-Bu`); java's options are whole words.
    bundled: bool,
}

/// Without any option.
const NONE: Dialect = Dialect {
    with_value: b"",
    with_rest: b"",
    with_colon: b"",
    long_with_value: &[],
    long: &["--version", "--help"],
    runs: b"",
    long_runs: &[],
    text: b"",
    long_text: &[],
    bundled: true,
};
const PYTHON: Dialect = Dialect {
    with_value: b"WXQ",
    long_with_value: &["--check-hash-based-pycs"],
    runs: b"m",
    text: b"c",
    ..NONE
};
const PERL: Dialect = Dialect {
    with_value: b"I",
    with_rest: b"CDFimMVx",
    with_colon: b"d",
    text: b"eE",
    ..NONE
};
const SHELL: Dialect = Dialect {
    with_value: b"oO",
    long_with_value: &["--rcfile", "--init-file", "--emulate"],
    long: &[
        "--debug",
        "--debugger",
        "--login",
        "--noediting",
        "--noprofile",
        "--norc",
        "--posix",
        "--restricted",
        "--verbose",
    ],
    text: b"cs",
    ..NONE
};
const RUBY: Dialect = Dialect {
    with_value: b"IrECX",
    with_rest: b"Fix",
    with_colon: b"W",
    long_with_value: &[
        "--backtrace-limit",
        "--crash-report",
        "--disable",
        "--dump",
        "--enable",
        "--encoding",
        "--external-encoding",
        "--internal-encoding",
        "--parser",
    ],
    long: &["--debug", "--jit", "--rjit", "--verbose", "--yjit"],
    text: b"e",
    ..NONE
};
const NODE: Dialect = Dialect {
    with_value: b"rC",
    long_with_value: &[
        "--allow-fs-read",
        "--allow-fs-write",
        "--build-snapshot-config",
        "--conditions",
        "--cpu-prof-dir",
        "--cpu-prof-interval",
        "--cpu-prof-name",
        "--debug-port",
        "--diagnostic-dir",
        "--disable-proto",
        "--disable-warning",
        "--dns-result-order",
        "--env-file",
        "--env-file-if-exists",
        "--experimental-config-file",
        "--experimental-default-type",
        "--experimental-loader",
        "--experimental-policy",
        "--experimental-sea-config",
        "--heap-prof-dir",
        "--heap-prof-interval",
        "--heap-prof-name",
        "--heapsnapshot-near-heap-limit",
        "--heapsnapshot-signal",
        "--icu-data-dir",
        "--import",
        "--input-type",
        "--inspect-port",
        "--inspect-publish-uid",
        "--loader",
        "--localstorage-file",
        "--max-http-header-size",
        "--network-family-autoselection-attempt-timeout",
        "--openssl-config",
        "--policy-integrity",
        "--redirect-warnings",
        "--report-dir",
        "--report-directory",
        "--report-filename",
        "--report-signal",
        "--require",
        "--secure-heap",
        "--secure-heap-min",
        "--snapshot-blob",
        "--stack-trace-limit",
        "--test-concurrency",
        "--test-coverage-exclude",
        "--test-coverage-include",
        "--test-isolation",
        "--test-name-pattern",
        "--test-reporter",
        "--test-reporter-destination",
        "--test-shard",
        "--test-skip-pattern",
        "--test-timeout",
        "--title",
        "--tls-cipher-list",
        "--tls-keylog",
        "--trace-event-categories",
        "--trace-event-file-pattern",
        "--trace-require-module",
        "--unhandled-rejections",
        "--use-largepages",
        "--v8-pool-size",
        "--watch-kill-signal",
        "--watch-path",
    ],
    long: &[
        "--abort-on-uncaught-exception",
        "--allow-addons",
        "--allow-child-process",
        "--allow-wasi",
        "--allow-worker",
        "--build-snapshot",
        "--check",
        "--cpu-prof",
        "--disable-wasm-trap-handler",
        "--disallow-code-generation-from-strings",
        "--enable-etw-stack-walking",
        "--enable-fips",
        "--enable-network-family-autoselection",
        "--enable-source-maps",
        "--experimental-eventsource",
        "--experimental-import-meta-resolve",
        "--experimental-network-imports",
        "--experimental-network-inspection",
        "--experimental-permission",
        "--experimental-print-required-tla",
        "--experimental-require-module",
        "--experimental-strip-types",
        "--experimental-test-coverage",
        "--experimental-test-module-mocks",
        "--experimental-transform-types",
        "--experimental-vm-modules",
        "--experimental-wasm-modules",
        "--experimental-websocket",
        "--expose-gc",
        "--force-context-aware",
        "--force-fips",
        "--force-node-api-uncaught-exceptions-policy",
        "--frozen-intrinsics",
        "--harmony",
        "--heap-prof",
        "--huge-max-old-generation-size",
        "--insecure-http-parser",
        "--inspect",
        "--inspect-brk",
        "--inspect-wait",
        "--interactive",
        "--interpreted-frames-native-stack",
        "--jitless",
        "--no-addons",
        "--no-deprecation",
        "--no-experimental-detect-module",
        "--no-experimental-fetch",
        "--no-experimental-global-customevent",
        "--no-experimental-global-webcrypto",
        "--no-experimental-repl-await",
        "--no-experimental-require-module",
        "--no-extra-info-on-fatal-exception",
        "--no-force-async-hooks-checks",
        "--no-global-search-paths",
        "--no-warnings",
        "--node-memory-debug",
        "--openssl-legacy-provider",
        "--openssl-shared-config",
        "--pending-deprecation",
        "--preserve-symlinks",
        "--preserve-symlinks-main",
        "--prof",
        "--prof-process",
        "--report-compact",
        "--report-on-fatalerror",
        "--report-on-signal",
        "--report-uncaught-exception",
        "--test",
        "--test-force-exit",
        "--test-only",
        "--throw-deprecation",
        "--trace-atomics-wait",
        "--trace-deprecation",
        "--trace-exit",
        "--trace-promises",
        "--trace-sigint",
        "--trace-sync-io",
        "--trace-tls",
        "--trace-uncaught",
        "--trace-warnings",
        "--track-heap-objects",
        "--use-bundled-ca",
        "--use-openssl-ca",
        "--watch",
        "--watch-preserve-output",
        "--zero-fill-buffers",
    ],
    long_text: &["-e", "-p", "-pe", "--eval", "--print", "--run"],
    bundled: false,
    ..NONE
};
const LUA: Dialect = Dialect {
    with_value: b"lj",
    with_rest: b"O",
    text: b"eb",
    ..NONE
};
const PHP: Dialect = Dialect {
    with_value: b"cdzgSt",
    long_with_value: &[
        "--define",
        "--docroot",
        "--php-ini",
        "--rc",
        "--re",
        "--rf",
        "--ri",
        "--rz",
        "--server",
        "--zend-extension",
    ],
    long: &[
        "--hide-args",
        "--ini",
        "--interactive",
        "--no-header",
        "--no-php-ini",
        "--profile-info",
        "--strip",
        "--syntax-check",
        "--syntax-highlight",
    ],
    runs: b"fF",
    long_runs: &["--file", "--process-file"],
    text: b"rRBE",
    long_text: &["--process-begin", "--process-code", "--process-end", "--run"],
    ..NONE
};
const JAVA: Dialect = Dialect {
    long_with_value: &[
        "-cp",
        "-classpath",
        "--class-path",
        "-d",
        "--describe-module",
        "-p",
        "--module-path",
        "--upgrade-module-path",
        "--add-modules",
        "--add-reads",
        "--add-exports",
        "--add-opens",
        "--enable-native-access",
        "--finalization",
        "--limit-modules",
        "--patch-module",
        "--source",
        "-jvmargs",
    ],
    long: &[
        "--dry-run",
        "--enable-preview",
        "--show-module-resolution",
        "--show-version",
    ],
    long_runs: &["-jar", "-m", "--module"],
    bundled: false,
    ..NONE
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
    let is = |known: &Dialect| std::ptr::eq(dialect, known);
    let mut rest = arguments[1..].iter();
    // Whether every option is known: one that is not may take the next word.
    let mut sure = true;
    while let Some(word) = rest.next() {
        let runs_next = |next: Option<&'a Vec<u8>>| next.map_or(Script::Unclear, |word| Script::Runs(word));
        match word.as_slice() {
            // What follows are arguments of a program from standard input.
            b"--" if is(&PHP) => return Script::Nothing,
            b"--" => return rest.next().map_or(Script::Nothing, |word| Script::Runs(word)),
            b"-" => return Script::Nothing,
            // A file with more options.
            [b'@', ..] if is(&JAVA) => return Script::Unclear,
            word if !is_option(word, dialect) && (sure || is_file_name(word)) => return Script::Runs(word),
            word if !is_option(word, dialect) => return Script::Unclear,
            word => match option(word, dialect) {
                Takes::Nothing => {}
                Takes::Next => {
                    rest.next();
                }
                Takes::Unknown => sure = false,
                Takes::Program => return runs_next(rest.next()),
                Takes::ProgramAt(at) => return Script::Runs(&word[at..]),
                Takes::Text => return Script::Nothing,
            },
        }
    }
    Script::Nothing
}

/// Whether a word has the form of a file's name, or a class's, and not that of program text.
fn is_file_name(word: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-+@%:~,./".contains(byte) || *byte >= 0x80;
    let marked = |byte: &u8| b"./".contains(byte);
    word.iter().all(plain) && word.iter().any(marked)
}

fn is_option(word: &[u8], dialect: &Dialect) -> bool {
    // Shells switch options off with `+x`.
    word.len() > 1 && (word[0] == b'-' || (word[0] == b'+' && std::ptr::eq(dialect, &SHELL)))
}

/// What an option does to the words after it.
enum Takes {
    Nothing,
    Next,
    /// It is not known.
    Unknown,
    /// The next word is what runs.
    Program,
    /// What runs begins within the option.
    ProgramAt(usize),
    Text,
}

fn option(word: &[u8], dialect: &Dialect) -> Takes {
    let (name, valued) = match word.iter().position(|byte| *byte == b'=') {
        Some(at) => (&word[..at], Some(at + 1)),
        None => (word, None),
    };
    let among = |options: &[&str]| options.iter().any(|option| option.as_bytes() == name);
    let is_long = word.starts_with(b"--") || (!dialect.bundled && word.len() > 2);
    if among(dialect.long_text) {
        Takes::Text
    } else if among(dialect.long_runs) {
        valued.map_or(Takes::Program, Takes::ProgramAt)
    } else if valued.is_none() && among(dialect.long_with_value) {
        Takes::Next
    } else if !is_long {
        letters(&word[1..], dialect)
    } else if !dialect.bundled && !word.starts_with(b"--") {
        // Java's `-Xmx1g`; node has none.
        let known = std::ptr::eq(dialect, &JAVA);
        if known { Takes::Nothing } else { Takes::Unknown }
    } else if valued.is_some() || among(dialect.long) {
        Takes::Nothing
    } else {
        Takes::Unknown
    }
}

/// The same of option letters, without their dash.
fn letters(word: &[u8], dialect: &Dialect) -> Takes {
    // A shell takes the value of `-o` from the next word, whatever letters stand behind it, or, as zsh does, from these.
    let is_shell = std::ptr::eq(dialect, &SHELL);
    if is_shell && word.iter().any(|letter| dialect.text.contains(letter)) {
        return Takes::Text;
    }
    for (at, letter) in word.iter().enumerate() {
        let last = at + 1 == word.len();
        let rest = &word[at + 1..];
        // perl's `-0xff`.
        let is_number = word[..at].ends_with(b"0");
        if dialect.text.contains(letter) {
            return Takes::Text;
        }
        if dialect.runs.contains(letter) {
            return if last {
                Takes::Program
            } else {
                Takes::ProgramAt(at + 2)
            };
        }
        let colon = matches!(rest, [b':' | b'=', ..]) && dialect.with_colon.contains(letter);
        if colon || (dialect.with_rest.contains(letter) && !is_number) {
            return Takes::Nothing;
        }
        if dialect.with_value.contains(letter) {
            return match last {
                true => Takes::Next,
                false if is_shell => Takes::Unknown,
                false => Takes::Nothing,
            };
        }
    }
    Takes::Nothing
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

    /// The program text holds blanks, and is the last word; so does what may be program text for all that is known.
    #[test]
    fn program_text_is_never_a_script() {
        for line in [
            "python3 -c",
            "python3 -Bc",
            "python3 -W ignore -Xdev -ic",
            "python3 -cprint",
            "python3 --check-hash-based-pycs always -c",
            "perl -e",
            "perl -E",
            "perl -ne",
            "perl -lane",
            "perl -de",
            "perl -0777ne",
            "perl -0xffne",
            "perl -l012ne",
            "perl -i.bak -MFoo=a,b -pe",
            "perl -esay",
            "ruby -rjson -ne",
            "ruby -0777ne",
            "ruby -Kue",
            "ruby -W2e",
            "ruby -T1e",
            "ruby --enable gems -e",
            "ruby --no-such-option",
            "sh -c",
            "bash -lc",
            "bash --norc -c",
            "bash -o pipefail -c",
            "bash -oc errexit",
            "bash -oe errexit -c",
            "zsh -oerrexit -c",
            "zsh --emulate sh -c",
            "bash -s",
            "node -e",
            "node -p",
            "node -pe",
            "node -e=1",
            "node --eval",
            "node --eval=1",
            "node --print",
            "node --print=1",
            "node --run",
            "node --stack-trace-limit 1 -e",
            "node --no-such-option",
            "php -r",
            "php8.2 --run",
            "php8.2 --run=1",
            "php8.2 -qr",
            "php8.2 -r1",
            "php8.2 -n -d a=b -B",
            "php8.2 --process-begin",
            "php8.2 --process-code",
            "php8.2 --process-end",
            "php8.2 -R",
            "php8.2 -E",
            "php8.2 --",
            "lua -e",
            "lua -e1",
            "lua5.4 -l m -W -e",
            "luajit -O2 -jv -e",
            "java @options",
        ] {
            let mut words: Vec<Vec<u8>> = line.split(' ').map(|w| w.as_bytes().to_vec()).collect();
            words.push(b"echo \"secret\";".to_vec());
            let name = file_name(&words[0]).to_vec();
            let found = of_arguments(&name, &words);
            assert!(!matches!(found, Script::Runs(_)), "{line}: {found:?}");
        }
    }

    #[test]
    fn a_script_stays_one_after_an_option_that_is_not_known() {
        for (line, want) in [
            ("node --no-such-option /srv/app", "/srv/app"),
            ("node --no-such-option server.js", "server.js"),
            ("node --trace-warnings server", "server"),
            ("node --inspect=0.0.0.0:9229 server", "server"),
            ("bash -oe pipefail x.sh", "(unclear)"),
            ("bash --login backup", "backup"),
            ("perl -d:NYTProf x.pl", "x.pl"),
            ("php --process-file x.php", "x.php"),
            ("php --file=x.php", "x.php"),
            ("php -fx.php", "x.php"),
            ("php -q artisan", "artisan"),
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
