use super::memory_of;
use crate::judge::State;
use crate::judge::near::found;
use crate::select::Key;
use crate::select::reading::Subject;
use crate::snapshot::{
    Descriptors, Endpoint, Fact, FileKind, OpenFile, Process, Protocol, Root, Snapshot, Target, Why,
};
use crate::testing::{Build, check, count, file_at, host, process, socket_at, verdict};

fn daemon(open: &[(u32, &str, Target)]) -> Snapshot {
    host(vec![process(10, "daemon").opens(open)])
}

fn tcp(address: &str, port: u16) -> Target {
    socket_at(Protocol::Tcp, Some(Endpoint::Tcp(address.parse().unwrap(), port)))
}

fn unix(path: &str) -> Target {
    socket_at(Protocol::Unix, Some(Endpoint::Unix(path.into())))
}

#[track_caller]
fn holds(host: &Snapshot, term: &str) -> bool {
    match count(&format!("daemon,{term}:1"), host) {
        (State::Ok, 1) => true,
        (State::Critical, 0) => false,
        other => panic!("{term}: {other:?}"),
    }
}

#[track_caller]
fn is_unknown(host: &Snapshot, term: &str) {
    for range in ["1", "0"] {
        let told = verdict(&format!("daemon,{term}:{range}"), host);
        assert_eq!(told.state, State::Unknown, "{term}:{range}");
    }
}

#[test]
fn it_listens_on_each_of_its_sockets() {
    let host = daemon(&[
        (3, "socket:[1]", tcp("0.0.0.0", 22)),
        (4, "socket:[2]", tcp("::1", 25)),
        (5, "socket:[3]", unix("/run/x:y.sock")),
        (6, "socket:[4]", unix("@abstract")),
        (
            7,
            "socket:[5]",
            socket_at(
                Protocol::Udp,
                Some(Endpoint::Udp("127.0.0.1".parse().unwrap(), 53)),
            ),
        ),
        (8, "socket:[6]", socket_at(Protocol::Tcp, None)),
    ]);
    for (term, held) in [
        ("listen=22/tcp", true),
        ("listen=22/udp", false),
        ("listen=*:22/tcp", true),
        ("listen=0.0.0.0:22/tcp", true),
        ("listen=127.0.0.1:22/tcp", false),
        ("listen=[::1]:25/tcp", true),
        ("listen=1-1024/tcp", true),
        ("listen=26-1024/tcp", false),
        ("listen=53/udp", true),
        ("listen=80/tcp|25/tcp", true),
        ("listen!=80/tcp|443/tcp", true),
        ("listen!=80/tcp|25/tcp", false),
        ("listen=/run/x:y.sock", true),
        ("listen=/run/*", true),
        ("listen=/run/y", false),
        ("listen=@abs*", true),
        ("listen=@x", false),
        ("listen~^\\[::1\\]:25/", true),
        ("listen~^/var", false),
        ("listen!~^/var", true),
        ("listen.public=yes", true),
        ("socket=tcp", true),
        ("socket=raw|packet", false),
        ("socket!=unix", false),
    ] {
        assert_eq!(holds(&host, term), held, "{term}");
    }
    let subject = Subject::of(&host.processes[1], &host);
    let term = &check("daemon,listen=80/tcp:1", &host).selector.terms[1];
    assert_eq!(
        String::from_utf8(found(subject, term, &host.accounts)).unwrap(),
        "0.0.0.0:22/tcp, [::1]:25/tcp, /run/x:y.sock, @abstract, 127.0.0.1:53/udp"
    );
}

#[test]
fn loopback_and_unix_sockets_are_not_public() {
    for (address, public) in [
        ("127.0.0.1", false),
        ("127.9.9.9", false),
        ("::1", false),
        ("0.0.0.0", true),
        ("::", true),
        ("10.0.0.1", true),
        ("fe80::1", true),
    ] {
        let host = daemon(&[
            (3, "socket:[1]", tcp(address, 22)),
            (4, "socket:[2]", unix("/run/x")),
        ]);
        assert_eq!(holds(&host, "listen.public=yes"), public, "{address}");
        assert_eq!(holds(&host, "listen.public=no"), !public, "{address}");
    }
    assert!(holds(&daemon(&[]), "listen.public=no"));
}

#[test]
fn a_socket_that_can_t_be_told_leaves_a_doubt_unless_another_one_listens_so() {
    let untold = Target::Socket(crate::snapshot::Socket {
        protocol: Fact::Value(Protocol::Tcp),
        listens: Fact::Unreadable(Why::Denied),
    });
    let host = daemon(&[(3, "socket:[1]", tcp("::", 22)), (4, "socket:[2]", untold)]);
    assert!(holds(&host, "listen=22/tcp"));
    assert!(holds(&host, "listen.public=yes"));
    assert!(!holds(&host, "listen!=22/tcp"));
    assert!(!holds(&host, "socket=udp"));
    is_unknown(&host, "listen=23/tcp");
    is_unknown(&host, "listen!=23/tcp");
    is_unknown(&host, "listen!~^/run");
    let odd = Target::Socket(crate::snapshot::Socket {
        protocol: Fact::Unreadable(Why::Untold),
        listens: Fact::Value(None),
    });
    let host = daemon(&[(0, "socket:[1]", odd)]);
    assert!(!holds(&host, "listen=22/tcp"));
    for term in ["socket=tcp", "socket!=tcp", "stdio=inet", "stdio!=inet"] {
        is_unknown(&host, term);
    }
}

#[test]
fn descriptors_that_can_t_be_read_say_nothing_and_those_that_are_not_there_say_no() {
    let terms = [
        "listen=22/tcp",
        "listen.public=no",
        "socket=tcp",
        "stdio=tty",
        "fd=/dev/mem",
        "fd.block=no",
        "fd.memory>0",
        "fd.deleted<1M",
    ];
    let with = |descriptors: Fact<Descriptors>| {
        host(vec![
            process(10, "daemon").change(|p| p.descriptors = descriptors),
        ])
    };
    for term in terms {
        is_unknown(&with(Fact::Unreadable(Why::Denied)), term);
        assert!(!holds(&with(Fact::NotApplicable), term), "{term}");
    }
    let denied = verdict("daemon,listen=22/tcp:1", &with(Fact::Unreadable(Why::Denied)));
    assert_eq!(denied.reasons, ["listen of 1 process: permission denied"]);
    assert_eq!(
        denied.remedies,
        [
            "grant CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH (AmbientCapabilities=CAP_SYS_PTRACE CAP_DAC_READ_SEARCH in \
          the unit, or setcap cap_sys_ptrace,cap_dac_read_search+ep); no spec says the same without listen"
        ]
    );
}

#[test]
fn of_too_many_descriptors_the_rest_is_a_doubt() {
    let mut whole = daemon(&[
        (3, "/dev/mem", file_at(FileKind::Character)),
        (4, "socket:[1]", tcp("::", 22)),
    ]);
    if let Fact::Value(descriptors) = &mut whole.processes[1].descriptors {
        descriptors.truncated = true;
    }
    assert!(holds(&whole, "listen=22/tcp"));
    assert!(holds(&whole, "fd=/dev/mem"));
    for term in [
        "listen=23/tcp",
        "fd=/x",
        "fd!=/x",
        "fd.block=yes",
        "fd.block=no",
        "fd.memory>0",
        "fd.deleted>1M",
    ] {
        is_unknown(&whole, term);
    }
}

#[test]
fn standard_input_output_and_error_are_told_by_what_they_are_and_no_others() {
    let device = |major, minor| {
        Target::File(Fact::Value(OpenFile {
            kind: FileKind::Character,
            device: (major, minor),
            links: 1,
            doomed: 0,
        }))
    };
    for (text, target, word) in [
        ("socket:[1]", tcp("::1", 22), "inet"),
        ("socket:[1]", socket_at(Protocol::Icmp, None), "inet"),
        ("socket:[1]", socket_at(Protocol::Raw, None), "inet"),
        ("socket:[1]", socket_at(Protocol::Unix, None), "unix"),
        ("socket:[1]", socket_at(Protocol::Netlink, None), "socket"),
        // The text proves nothing: another mount namespace may have anything there.
        ("/dev/console", device(1, 3), "null"),
        ("/dev/null", device(136, 4), "tty"),
        ("/dev/tty1", device(4, 1), "tty"),
        ("/dev/random", device(1, 8), "other"),
        ("pipe:[5]", Target::Other, "pipe"),
        ("/run/fifo", file_at(FileKind::Fifo), "pipe"),
        ("/var/log/x", file_at(FileKind::Regular), "file"),
        ("/", file_at(FileKind::Directory), "other"),
        ("anon_inode:[eventpoll]", Target::Other, "other"),
    ] {
        for number in 0..=2 {
            let host = daemon(&[(number, text, target.clone())]);
            for other in super::STDIO {
                assert_eq!(
                    holds(&host, &format!("stdio={other}")),
                    *other == word,
                    "{text} {other}"
                );
            }
        }
        assert!(
            !holds(&daemon(&[(3, text, target)]), &format!("stdio={word}")),
            "{text}"
        );
    }
}

#[test]
fn texts_of_descriptors_are_matched_whole() {
    let host = daemon(&[
        (3, "/var/log/x (deleted)", file_at(FileKind::Regular)),
        (4, "anon_inode:bpf-prog", Target::Other),
    ]);
    for (term, held) in [
        ("fd=\"/var/log/* (deleted)\"", true),
        ("fd=/var/log/x", false),
        ("fd=anon_inode:bpf-*", true),
        ("fd=\"anon_inode:bpf-*\"", true),
        ("fd~bpf", true),
        ("fd!=/dev/mem", true),
    ] {
        assert_eq!(holds(&host, term), held, "{term}");
    }
    let subject = Subject::of(&host.processes[1], &host);
    for (spec, said) in [
        ("fd=/dev/mem:1", "none of 2"),
        ("fd~bpf:1", "anon_inode:bpf-prog"),
    ] {
        let term = &check(spec, &host).selector.terms[0];
        assert_eq!(found(subject, term, &host.accounts), said.as_bytes());
    }
}

#[test]
fn a_directory_outside_its_root_is_told_of_who_is_chrooted() {
    let with = |root: &str, text: &str, target: Target| {
        let root = Root {
            root: root.into(),
            cwd: Some(root.into()),
            threads: Vec::new(),
        };
        host(vec![
            process(10, "daemon")
                .opens(&[(3, text, target)])
                .change(|p| p.root = Fact::Value(root)),
        ])
    };
    for (root, text, kind, held) in [
        ("/srv/jail", "/", FileKind::Directory, true),
        ("/srv/jail", "/srv/jail2", FileKind::Directory, true),
        ("/srv/jail", "/srv/jail/dev", FileKind::Directory, false),
        ("/srv/jail", "/etc/passwd", FileKind::Regular, false),
        ("/", "/", FileKind::Directory, false),
    ] {
        let host = with(root, text, file_at(kind));
        assert_eq!(holds(&host, "fd.outside=yes"), held, "{root} {text}");
    }
    is_unknown(
        &with("/srv/jail", "/mnt", Target::File(Fact::Unreadable(Why::NoAnswer))),
        "fd.outside=yes",
    );
    let mut blind = with("/", "/", file_at(FileKind::Directory));
    blind.processes[1].descriptors = Fact::Unreadable(Why::Denied);
    assert!(
        !holds(&blind, "fd.outside=yes"),
        "who is not chrooted need not be looked at"
    );
}

#[test]
fn a_block_device_is_told_by_what_it_is_and_a_file_that_hangs_may_be_one() {
    assert!(holds(
        &daemon(&[(3, "/x", file_at(FileKind::Block))]),
        "fd.block=yes"
    ));
    assert!(holds(
        &daemon(&[(3, "/dev/sda", file_at(FileKind::Character))]),
        "fd.block=no"
    ));
    assert!(holds(
        &daemon(&[(3, "/home/a/fuse", file_at(FileKind::Foreign))]),
        "fd.block=no"
    ));
    let hangs = Target::File(Fact::Unreadable(Why::NoAnswer));
    let host = daemon(&[(3, "/mnt/x", hangs.clone())]);
    is_unknown(&host, "fd.block=no");
    is_unknown(&host, "fd.deleted>1M");
    assert!(!holds(&host, "listen=22/tcp"));
    let host = daemon(&[(3, "/mnt/x", hangs), (4, "/x", file_at(FileKind::Block))]);
    assert!(holds(&host, "fd.block=yes"));
}

#[test]
fn the_memory_of_others_is_told_and_one_s_own_is_not() {
    let memory = |text: &str| daemon(&[(3, text, file_at(FileKind::Regular))]);
    for (text, held) in [
        ("/proc/1/mem", true),
        ("/proc/1/task/7/mem", true),
        ("/proc/1/task/7/mem (deleted)", true),
        ("/proc/1/mem (deleted)", false),
        ("/proc/10/mem", false),
        ("/proc/10/task/11/mem", false),
        ("/proc/1/maps", false),
        ("/proc/1/memory", false),
        ("/x/proc/1/mem", false),
    ] {
        assert_eq!(holds(&memory(text), "fd.memory>0"), held, "{text}");
        assert_eq!(holds(&memory(text), "fd.memory=1"), held, "{text}");
    }
    let inside = host(vec![
        process(10, "daemon").in_pid_namespace(5).cgroup("/x").opens(&[(
            3,
            "/proc/5/mem",
            file_at(FileKind::Regular),
        )]),
    ]);
    assert_eq!(count("daemon,scope=all,fd.memory>0:0", &inside), (State::Ok, 0));
    assert_eq!(memory_of(b"/proc/\xff/mem"), None);
    assert_eq!(memory_of(b"/proc/1/task/mem"), None);
}

#[test]
fn the_largest_deleted_file_counts() {
    let file = |doomed| {
        Target::File(Fact::Value(OpenFile {
            kind: FileKind::Regular,
            device: (0, 0),
            links: 0,
            doomed,
        }))
    };
    let host = daemon(&[
        (3, "/a (deleted)", file(4096)),
        (4, "/b (deleted)", file(64 << 20)),
        (5, "/c (deleted)", file(0)),
    ]);
    assert!(holds(&host, "fd.deleted=64M"));
    assert!(holds(&daemon(&[]), "fd.deleted=0"));
}

#[test]
fn a_kernel_thread_and_a_zombie_have_no_descriptors_and_to_ask_for_both_is_a_fault() {
    let faulty = |spec: &str| {
        let host = host(vec![]);
        crate::select::spec::parse(spec, &host.accounts, crate::select::spec::Dialect::Native).is_err()
    };
    for key in Key::ALL.iter().filter(|key| key.is_of_descriptors()) {
        let value = match key {
            Key::Listen => "22/tcp",
            Key::ListenPublic | Key::FdBlock | Key::FdOutside => "yes",
            Key::Fd => "/x",
            Key::FdMemory | Key::FdDeleted => "5",
            _ => "unix",
        };
        assert!(
            faulty(&format!("kthread=yes,{}={value}:0", key.name())),
            "{key:?}"
        );
        assert!(
            faulty(&format!("state=zombie,{}={value}:0", key.name())),
            "{key:?}"
        );
        assert!(
            !faulty(&format!("{}={value},{}={value}:0", key.name(), key.name())),
            "{key:?}"
        );
    }
}

#[test]
fn master_and_workers_hold_one_socket_and_each_counts() {
    let nginx = |pid| process(pid, "nginx").opens(&[(6, "socket:[1]", tcp("0.0.0.0", 80))]);
    let other: Process = process(13, "nginx");
    let host = host(vec![
        nginx(10),
        nginx(11).child_of(10),
        nginx(12).child_of(10),
        other,
    ]);
    assert_eq!(count("nginx,listen=80/tcp:3", &host), (State::Ok, 3));
    assert_eq!(count("nginx,listen=80/tcp,main=yes:1", &host), (State::Ok, 1));
}
