use super::*;
use crate::snapshot::Endpoint;

fn tcp(address: &str, port: u16) -> Endpoint {
    Endpoint::Tcp(address.parse().unwrap(), port)
}

fn holds(asked: &str, endpoint: &Endpoint) -> bool {
    parse(asked).unwrap().holds(endpoint)
}

#[test]
fn a_port_alone_is_that_of_any_address() {
    for address in ["0.0.0.0", "127.0.0.1", "::", "::1", "10.1.2.3", "fe80::1"] {
        assert!(holds("22/tcp", &tcp(address, 22)), "{address}");
        assert!(!holds("22/tcp", &tcp(address, 2222)), "{address}");
        assert!(!holds("22/udp", &tcp(address, 22)), "{address}");
    }
    assert!(!holds("22/tcp", &Endpoint::Unix(b"/22/tcp".to_vec())));
    assert!(holds("53/udp", &Endpoint::Udp("::1".parse().unwrap(), 53)));
}

#[test]
fn an_address_is_that_and_no_other_but_the_wildcard_of_both_families() {
    for (asked, yes, no) in [
        (
            "127.0.0.1:25/tcp",
            vec!["127.0.0.1"],
            vec!["0.0.0.0", "::", "::1", "127.0.0.2"],
        ),
        ("[::1]:25/tcp", vec!["::1"], vec!["127.0.0.1", "::"]),
        ("0.0.0.0:25/tcp", vec!["0.0.0.0", "::"], vec!["127.0.0.1"]),
        ("[::]:25/tcp", vec!["::"], vec!["0.0.0.0", "::1"]),
        ("*:25/tcp", vec!["0.0.0.0", "::"], vec!["127.0.0.1", "::1"]),
        ("[::ffff:127.0.0.1]:25/tcp", vec!["127.0.0.1"], vec!["::1"]),
    ] {
        for (addresses, held) in [(yes, true), (no, false)] {
            for address in addresses {
                assert_eq!(holds(asked, &tcp(address, 25)), held, "{asked} {address}");
            }
        }
    }
}

#[test]
fn ports_may_be_a_range() {
    for (port, held) in [
        (7999, false),
        (8000, true),
        (8500, true),
        (8999, true),
        (9000, false),
    ] {
        assert_eq!(holds("8000-8999/tcp", &tcp("::", port)), held, "{port}");
        assert_eq!(holds("*:8000-8999/tcp", &tcp("::", port)), held, "{port}");
    }
}

#[test]
fn what_is_wrong_is_told_with_what_may_be_meant() {
    for (text, instead) in [
        ("22", Some("22/tcp")),
        ("ssh", Some("22/tcp")),
        ("ssh/tcp", Some("22/tcp")),
        ("domain", Some("53/udp|53/tcp")),
        ("70000/tcp", None),
        ("0/tcp", None),
        ("1.2.3:25/tcp", None),
        ("22/sctp", Some("22/tcp")),
        ("22/UDP", Some("22/udp")),
        ("22/tcp6", Some("22/tcp")),
        ("::1:53/udp", Some("[::1]:53/udp")),
        (":::53/udp", Some("[::]:53/udp")),
        ("[::1:53/udp", None),
        ("[127.0.0.1]:22/tcp", Some("127.0.0.1:22/tcp")),
        (":22/tcp", Some("22/tcp")),
        ("tcp/22", Some("22/tcp")),
        ("22:tcp", Some("22/tcp")),
        ("tcp:22/tcp", Some("22/tcp")),
        ("localhost:25/tcp", Some("127.0.0.1:25/tcp|[::1]:25/tcp")),
        ("127.0.0.1:*/tcp", Some("127.0.0.1:1-65535/tcp")),
        ("*/udp", Some("1-65535/udp")),
        ("9-8/tcp", Some("8-9/tcp")),
        ("127.0.0.1", None),
        ("[::1]", None),
        ("0.0.0.0/tcp", None),
        ("/tcp", None),
        ("*:/tcp", None),
        ("+22/tcp", None),
        ("unix:/run/x.sock", Some("/run/x.sock")),
        ("*.sock", Some("/*.sock")),
        ("run/x.sock", Some("/*run/x.sock")),
        ("*:80", Some("*:80/tcp")),
        ("", None),
        ("é:5/tcp", None),
    ] {
        let wrong = parse(text).unwrap_err();
        assert_eq!(wrong.instead.as_deref(), instead, "{text}: {}", wrong.message);
        assert!(!wrong.message.is_empty());
        for meant in instead.unwrap_or("22/tcp").split('|') {
            assert!(meant.starts_with('/') || parse(meant).is_ok(), "{meant}");
        }
    }
}

#[test]
fn a_port_in_the_place_of_the_range_is_told() {
    assert_eq!(with_port("127.0.0.1", "25").as_deref(), Some("127.0.0.1:25/tcp"));
    assert_eq!(with_port("[::1]", "25").as_deref(), Some("[::1]:25/tcp"));
    assert_eq!(with_port("::1", "25").as_deref(), Some("[::1]:25/tcp"));
    assert_eq!(with_port("*", "80").as_deref(), Some("*:80/tcp"));
    assert_eq!(with_port("udp", "53").as_deref(), Some("53/udp"));
    assert_eq!(with_port("22", "1"), None);
    assert_eq!(with_port("127.0.0.1", "x"), None);
}
