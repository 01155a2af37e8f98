use super::*;
use crate::select::names::file_name;

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
