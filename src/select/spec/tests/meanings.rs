//! What a spec without faults means: patterns, values, operators, ranges.

use super::*;
use crate::select::key::Key;
use crate::select::selector::{Matcher, Op};

/// The expression or text of the only value of the only term.
fn holds(text: &str, fact: &[u8]) -> bool {
    match &good(text).selector.terms[0].values[0] {
        Matcher::Exact(wanted) => wanted == fact,
        Matcher::Glob(_, regex) | Matcher::Regex(regex) => regex.is_match(fact),
        other => panic!("{other:?}"),
    }
}

#[test]
fn globs_are_anchored_and_cross_slashes() {
    assert!(holds("exe=/opt/*/bin/java", b"/opt/a/b/bin/java"));
    assert!(!holds("exe=/opt/*/bin/java", b"/opt/a/bin/javac"));
    assert!(holds("name=php?-fpm", b"php8-fpm"));
    assert!(holds("name=php[!7]-fpm", b"php8-fpm"));
    assert!(!holds("name=php[!7]-fpm", b"php7-fpm"));
    assert!(holds("name=a*b", b"a\n\xff\0b"));
    assert!(holds("name=[]x]", b"]"));
    assert!(!holds("name=a+", b"aa"));
}

#[test]
fn wildcards_work_inside_quotes() {
    assert!(holds("cmdline=\"java *, really\":1", b"java x, really"));
}

#[test]
fn a_backslash_stands_for_itself_unless_before_a_wildcard() {
    assert!(holds(
        r"slice=system-systemd\x2dfsck.slice",
        br"system-systemd\x2dfsck.slice"
    ));
    assert!(holds(r"name=CORP\alice", br"CORP\alice"));
    assert!(holds(r"name=a\*", b"a*"));
    assert!(holds(r"name=a\\*", br"a\tail"));
    assert!(holds(r"cmdline~\bxmrig\b", b"/tmp/xmrig -o"));
}

#[test]
fn an_expression_takes_any_byte_and_keeps_its_bar() {
    assert!(holds("cmdline~a.b|c", b"a\xffb"));
    assert!(holds("cmdline~a.b|c", b"c"));
    assert!(holds("cmdline~größe", "die größe".as_bytes()));
}

#[test]
fn a_path_is_compared_as_a_file() {
    for text in ["/usr/sbin/sshd:1", "exe=/usr/sbin/sshd:1"] {
        let spec = good(text);
        assert_eq!(spec.selector.terms[0].key, Key::Exe);
        assert!(
            matches!(&spec.selector.terms[0].values[0], Matcher::File(path) if matches!(path.file, Ok(Some(_))))
        );
    }
    assert!(matches!(
        &good("/usr/sbin/ssh*").selector.terms[0].values[0],
        Matcher::Glob(..)
    ));
}

#[test]
fn brackets_name_a_kernel_thread() {
    let spec = good("[kworker/*]:1-");
    let texts: Vec<&str> = spec
        .selector
        .terms
        .iter()
        .map(|term| term.text.as_str())
        .collect();
    assert_eq!(texts, ["name=kworker/*", "kthread=yes"]);
    assert_eq!(spec.selector.word.as_deref(), Some("[kworker/*]"));
    assert_eq!(good("[\"kworker/0:1\"]:1").selector.terms.len(), 2);
}

#[test]
fn values_have_their_units() {
    let number = |text: &str| match good(text).selector.terms[0].values[0] {
        Matcher::Number(number, _) => number,
        ref other => panic!("{other:?}"),
    };
    assert_eq!(number("age>90"), 90);
    assert_eq!(number("age>5m"), 300);
    assert_eq!(number("age>2h"), 7200);
    assert_eq!(number("age>3d"), 259_200);
    assert_eq!(number("rss>2K"), 2048);
    assert_eq!(number("rss>2M"), 2 << 20);
    assert_eq!(number("rss>2G"), 2 << 30);
    assert_eq!(number("nice<-5"), -5);
    assert_eq!(number("user=www-data"), 33);
    assert_eq!(number("user=4711"), 4711);
    assert_eq!(number("uid.effective<1000"), 1000);
}

#[test]
fn operators_are_read_whole() {
    let ops = [
        ("=", Op::Is),
        ("!=", Op::IsNot),
        ("<", Op::Less),
        ("<=", Op::AtMost),
        (">", Op::More),
        (">=", Op::AtLeast),
    ];
    for (text, op) in ops {
        assert_eq!(good(&format!("threads{text}5")).selector.terms[0].op, op);
    }
    assert_eq!(good("name~x").selector.terms[0].op, Op::Like);
    assert_eq!(good("name!~x").selector.terms[0].op, Op::NotLike);
}

#[test]
fn blanks_round_a_comma_are_dropped_and_quoted_ones_kept() {
    let spec = good("sshd , user=root ,name=\" x \":1");
    assert_eq!(spec.selector.terms.len(), 3);
    assert!(matches!(&spec.selector.terms[2].values[0], Matcher::Exact(text) if text == b" x "));
}

#[test]
fn an_empty_value_is_meant_when_quoted() {
    assert!(
        matches!(&good("cmdline=\"\":0").selector.terms[0].values[0], Matcher::Exact(text) if text.is_empty())
    );
}

#[test]
fn ranges_are_read() {
    let range = |text: &str| good(text).range.map(|range| (range.min, range.max));
    assert_eq!(range("x"), None);
    assert_eq!(range("x:0"), Some((0, Some(0))));
    assert_eq!(range("x:1-"), Some((1, None)));
    assert_eq!(range("x:-5"), Some((0, Some(5))));
    assert_eq!(range("x:1-4"), Some((1, Some(4))));
    assert_eq!(parse_range("1-4"), Ok(Range { min: 1, max: Some(4) }));
    assert_eq!(
        parse_range("1.."),
        Err(Fault::new(0..3, "`1..` is not a range", "write `1-`"))
    );
    assert_eq!(
        parse_range("5-1"),
        Err(Fault::new(
            0..3,
            "the range `5-1` is reversed, no count lies in it",
            "write `1-5`"
        ))
    );
}

#[test]
fn ps_monitor_has_a_range_without_bounds() {
    let spec = parse("x:-", &table(), Dialect::PsMonitor).unwrap();
    assert_eq!(spec.range, Some(Range { min: 0, max: None }));
    assert!(parse("/usr/sbin/sshd:1-1", &table(), Dialect::PsMonitor).is_ok());
}

#[test]
fn a_selector_has_no_range() {
    assert!(parse_selector("sshd,user=root", &table()).is_ok());
    let wanted = Fault::new(
        4..6,
        "a range, `1`, in a selector",
        "write `sshd`; how many are wanted is a setting of its own",
    );
    assert_eq!(parse_selector("sshd:1", &table()).unwrap_err(), [wanted]);
    let wanted = Fault::new(
        5..7,
        "a colon outside quotes in a selector",
        "write `arg=\"a:b\"`",
    );
    assert_eq!(parse_selector("arg=a:b", &table()).unwrap_err(), [wanted]);
}

#[test]
fn colons_and_commas_of_a_label_need_no_quotes() {
    let told = |text: &str| {
        let spec =
            parse(text, &table(), Dialect::Native).unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
        let terms: Vec<String> = spec.selector.terms.iter().map(|term| term.text.clone()).collect();
        (terms, spec.range.map(|range| range.to_string()))
    };
    for (text, terms, range) in [
        (
            "selinux.level=s0:c1,c3:0",
            &["selinux.level=s0:c1,c3"][..],
            Some("0"),
        ),
        ("selinux.level=s0:c1,c3", &["selinux.level=s0:c1,c3"], None),
        (
            "selinux.level=s0-s0:c0.c1023:1-",
            &["selinux.level=s0-s0:c0.c1023"],
            Some("1-"),
        ),
        (
            "selinux.level!=s0:c1,c2|s1:c3:2",
            &["selinux.level!=s0:c1,c2|s1:c3"],
            Some("2"),
        ),
        (
            "x, selinux.level=s0:c1,c3 ,user=root:0",
            &["name=x", "selinux.level=s0:c1,c3", "user=root"],
            Some("0"),
        ),
        (
            "label=a:b:c:s0:c1,c3-s1:c1.c5,c9:1",
            &["label=a:b:c:s0:c1,c3-s1:c1.c5,c9"],
            Some("1"),
        ),
        (
            "label=a:b:c:s0,name=c3:1",
            &["label=a:b:c:s0", "name=c3"],
            Some("1"),
        ),
        ("label=a:b:c:1", &["label=a:b:c"], Some("1")),
        ("label~^a:b:0", &["label~^a:b"], Some("0")),
        (
            "apparmor.profile=:ns1:b//&c:1",
            &["apparmor.profile=:ns1:b//&c"],
            Some("1"),
        ),
        ("smack=User::App:y", &["smack=User::App:y"], None),
        ("smack=\"User:1\":1", &["smack=\"User:1\""], Some("1")),
    ] {
        let terms = terms.iter().map(ToString::to_string).collect();
        assert_eq!(told(text), (terms, range.map(str::to_string)), "{text}");
    }
    assert!(parse_selector("selinux.level=s0:c1,c3", &table()).is_ok());
    assert!(parse_selector("label=a:b:c:s0:c1,c3,user=root", &table()).is_ok());
    assert!(parse_selector("label=a:b:c:1", &table()).is_err());
    assert!(parse("label=a:b:-", &table(), Dialect::PsMonitor).is_ok());
}

/// The values of the last term as written, and the range.
fn listened(text: &str) -> (Vec<String>, Option<Range>) {
    let spec = good(text);
    let values = &spec.selector.terms.last().expect("a term").values;
    let text = |matcher: &Matcher| match matcher {
        Matcher::Exact(text) => String::from_utf8_lossy(text).into_owned(),
        Matcher::Regex(regex) => regex.as_str().to_owned(),
        Matcher::Listen(_, text) | Matcher::Glob(text, _) => text.clone(),
        other => panic!("{other:?}"),
    };
    (values.iter().map(text).collect(), spec.range)
}

#[test]
fn the_colons_of_an_address_are_no_range_and_the_last_one_is() {
    let one = Some(Range { min: 1, max: Some(1) });
    let some = Some(Range { min: 1, max: None });
    for (text, values, range) in [
        ("listen=22/tcp", vec!["22/tcp"], None),
        ("sshd,listen=22/tcp:1", vec!["22/tcp"], one),
        ("listen=127.0.0.1:25/tcp", vec!["127.0.0.1:25/tcp"], None),
        ("listen=127.0.0.1:25/tcp:1-", vec!["127.0.0.1:25/tcp"], some),
        ("listen=[::1]:53/udp", vec!["[::1]:53/udp"], None),
        ("listen!=[::1]:53/udp:1", vec!["[::1]:53/udp"], one),
        (
            "listen=127.0.0.1:25/tcp|[::1]:25/tcp:1",
            vec!["127.0.0.1:25/tcp", "[::1]:25/tcp"],
            one,
        ),
        ("listen=*:80/tcp:1", vec!["*:80/tcp"], one),
        ("listen=8000-8999/tcp:1", vec!["8000-8999/tcp"], one),
        ("listen=/run/x.sock:1", vec!["/run/x.sock"], one),
        ("listen=/run/x:y.sock:1", vec!["/run/x:y.sock"], one),
        ("listen=/run/x:y.sock", vec!["/run/x:y.sock"], None),
        ("listen=/run/a/tcp:b.sock:1", vec!["/run/a/tcp:b.sock"], one),
        ("listen=@abstract:1", vec!["@abstract"], one),
        ("listen=\"/run/x:1\":1", vec!["/run/x:1"], one),
        ("listen=@a:b|22/tcp:1", vec!["@a:b", "22/tcp"], one),
        (
            "listen=22/tcp|/run/*:b.sock:1",
            vec!["22/tcp", "/run/*:b.sock"],
            one,
        ),
        ("listen~^/run:1", vec!["^/run"], one),
        ("listen~:22/tcp$:1", vec![":22/tcp$"], one),
    ] {
        assert_eq!(
            listened(text),
            (values.into_iter().map(String::from).collect(), range),
            "{text}"
        );
    }
    assert_eq!(
        good("fd=anon_inode:bpf-*:0").range,
        Some(Range { min: 0, max: Some(0) })
    );
    assert_eq!(good("fd=socket:[77],user=root").range, None);
    let selector = parse_selector("listen=[::1]:53/udp,user=root", &table()).expect("a selector");
    assert_eq!(selector.terms.len(), 2);
}
