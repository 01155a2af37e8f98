//! Sockets and open files of live processes, in this network namespace and in others.

use crate::common::{Output, Place, Procward, command, is_root, need, output, spawn, unique};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

/// Calls itself NAME, does what it is told, says what came of it, and waits for the end of its input.
const PROGRAM: &str = "\
import ctypes, os, socket, sys, threading
libc = ctypes.CDLL(None)
libc.prctl(15, sys.argv[1].encode(), 0, 0, 0)
keep = []
def bound(family, kind, address, *options):
    s = socket.socket(family, kind)
    for option in options: s.setsockopt(socket.SOL_SOCKET, option, 1)
    s.bind(address)
    keep.append(s)
    return s
def tcp(address='127.0.0.1', port=0, *options):
    family = socket.AF_INET6 if ':' in address else socket.AF_INET
    s = bound(family, socket.SOCK_STREAM, (address, port), *options)
    s.listen()
    return s.getsockname()[1]
def udp(address='127.0.0.1'):
    family = socket.AF_INET6 if ':' in address else socket.AF_INET
    return bound(family, socket.SOCK_DGRAM, (address, 0)).getsockname()[1]
def unix(path, kind=socket.SOCK_STREAM):
    s = bound(socket.AF_UNIX, kind, path)
    if kind != socket.SOCK_DGRAM: s.listen()
def children(number):
    for _ in range(number):
        if os.fork() == 0:
            os.read(0, 1)
            os._exit(0)
say = []
exec(sys.argv[2])
if say is not None: print('ready', *say, flush=True)
";

/// A live process that listens, killed when dropped; its children end with its standard input.
struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    words: Vec<String>,
}

impl Server {
    fn run(name: &str, code: &str) -> Server {
        Server::within(&[], name, code)
    }

    /// Started by another command.
    fn within(command_line: &[&str], name: &str, code: &str) -> Server {
        let python = ["/usr/bin/python3", "-c"];
        let words: Vec<&str> = command_line.iter().chain(&python).copied().collect();
        let program = format!("{PROGRAM}os.read(0, 1)\n");
        Server::start(
            command(words[0])
                .args(&words[1..])
                .arg(program)
                .args([name, code]),
        )
    }

    fn start(command: &mut Command) -> Server {
        let mut child = spawn(command.stdin(Stdio::piped()).stdout(Stdio::piped()));
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output"))
            .read_line(&mut line)
            .expect("a line");
        let mut words = line.split_whitespace().map(String::from);
        assert_eq!(words.next().as_deref(), Some("ready"), "{line:?}");
        Server {
            stdin: child.stdin.take(),
            child,
            words: words.collect(),
        }
    }

    fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn check(spec: &str) -> Output {
    Procward::check("mon").arg(spec).run()
}

#[track_caller]
fn all_hold(specs: &[String]) {
    for spec in specs {
        let said = check(spec);
        assert_eq!(said.code(), Some(0), "{spec}: {}{}", said.stdout(), said.stderr());
    }
}

#[test]
fn every_kind_of_listener_is_told_by_its_address_and_counts_for_all_who_hold_it() {
    need!(is_root(), "descriptors of children are closed to others");
    let place = Place::new();
    let name = unique("l");
    let path = place.path().join("x:y.sock");
    let path = path.display();
    let server = Server::run(
        &name,
        &format!(
            "say += [tcp(), tcp('::1'), tcp('0.0.0.0'), tcp('::'), udp(), udp('::1')]\n\
             unix('{path}'); unix('\\0{name}'); unix('{path}.d', socket.SOCK_DGRAM)\n\
             unix('\\0{name}.s', socket.SOCK_SEQPACKET)\n\
             children(2)"
        ),
    );
    // Another process of that name, which only talks to it.
    let four = &server.words[0];
    let _client = Server::run(
        &name,
        &format!(
            "keep.append(socket.create_connection(('127.0.0.1', {four})))\n\
             c = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); c.connect('{path}.d'); keep.append(c)\n\
             keep.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))"
        ),
    );
    let [four, six, any4, any6, udp4, udp6] = <[String; 6]>::try_from(server.words.clone()).expect("six");
    let three = |listen: &str| format!("{name},listen={listen}:3");
    let none = |listen: &str| format!("{name},listen={listen}:0");
    all_hold(&[
        format!("{name}:4"),
        three(&format!("{four}/tcp")),
        three(&format!("127.0.0.1:{four}/tcp")),
        none(&format!("{four}/udp")),
        none(&format!("*:{four}/tcp")),
        none(&format!("127.0.0.2:{four}/tcp")),
        three(&format!("[::1]:{six}/tcp")),
        three(&format!("{any4}/tcp")),
        three(&format!("*:{any4}/tcp")),
        three(&format!("0.0.0.0:{any4}/tcp")),
        none(&format!("[::]:{any4}/tcp")),
        none(&format!("127.0.0.1:{any4}/tcp")),
        three(&format!("*:{any6}/tcp")),
        three(&format!("0.0.0.0:{any6}/tcp")),
        three(&format!("[::]:{any6}/tcp")),
        three(&format!("127.0.0.1:{udp4}/udp")),
        three(&format!("[::1]:{udp6}/udp")),
        none(&format!("{udp4}/tcp")),
        three(&path.to_string()),
        three(&format!("{path}.d")),
        three(&format!("{}/*", place.path().display())),
        three(&format!("@{name}")),
        three(&format!("@{name}.s")),
        three(&format!("1/tcp|{four}/tcp")),
        format!("{name},listen!={four}/tcp:1"),
        format!("{name},listen~^/tmp/.*:3"),
        format!("{name},listen.public=yes:3"),
        format!("{name},listen.public=no:1"),
        // Whoever it is.
        format!("listen=127.0.0.1:{four}/tcp,pid={}:1", server.pid()),
    ]);
}

#[test]
fn a_server_is_told_from_others_of_its_name_and_its_port_when_it_closes_it() {
    let name = unique("c");
    let mut server = Server::run(
        &name,
        "say += [tcp()]\nprint('ready', *say, flush=True)\nos.read(0, 1)\nkeep.pop().close()\nsay = None\n\
         open('/proc/self/comm', 'w').write(sys.argv[1] + '2')",
    );
    let _other = Server::run(&name, "");
    let port = server.words[0].clone();
    all_hold(&[format!("{name},listen={port}/tcp:1"), format!("{name}:2")]);
    let missing = check(&format!("{name},listen=1/tcp:1")).ends(2);
    missing
        .says(&format!("want listen=1/tcp, found 127.0.0.1:{port}/tcp"))
        .says("want listen=1/tcp, found none");
    server
        .stdin
        .as_mut()
        .expect("its input")
        .write_all(b"x")
        .expect("it reads");
    crate::common::wait_for("the port to be closed", 10, || {
        (check(&format!("{name}2:1")).code() == Some(0)).then_some(())
    });
    all_hold(&[format!("name={name}|{name}2,listen={port}/tcp:0")]);
}

#[test]
fn two_sockets_on_one_port_are_two_servers() {
    let name = unique("r");
    let first = Server::run(&name, "say += [tcp('127.0.0.1', 0, socket.SO_REUSEPORT)]");
    let port = &first.words[0];
    let _second = Server::run(&name, &format!("tcp('127.0.0.1', {port}, socket.SO_REUSEPORT)"));
    all_hold(&[format!("{name},listen=127.0.0.1:{port}/tcp:2")]);
}

#[test]
fn a_socket_of_mptcp_is_one_of_tcp() {
    let probe = "import socket; socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)";
    let has = output(command("/usr/bin/python3").args(["-c", probe])).code() == Some(0);
    need!(has, "the kernel has no MPTCP");
    let name = unique("m");
    let server = Server::run(
        &name,
        "s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262); s.bind(('127.0.0.1', 0)); s.listen()\n\
         keep.append(s); say += [s.getsockname()[1]]",
    );
    all_hold(&[format!(
        "{name},listen=127.0.0.1:{}/tcp,socket=tcp:1",
        server.words[0]
    )]);
}

#[test]
fn a_socket_stays_in_the_network_namespace_that_it_was_made_in() {
    need!(is_root(), "only root can make network namespaces");
    let name = unique("n");
    let inside = Server::within(
        &["unshare", "-n"],
        &name,
        "say += [tcp('0.0.0.0')]; unix('\\0' + sys.argv[1])",
    );
    let port = inside.words[0].clone();
    // One that went to another namespace with its socket, as a service of systemd with a socket unit does.
    let gone = Server::run(
        &name,
        "say += [tcp('127.0.0.1')]; assert libc.unshare(0x40000000) == 0",
    );
    // The same name in this namespace: an abstract name is one in each.
    let _here = Server::run(&name, "unix('\\0' + sys.argv[1])");
    all_hold(&[
        format!("{name},listen={port}/tcp,pid={}:1", inside.pid()),
        format!("{name},listen=127.0.0.1:{}/tcp:1", gone.words[0]),
        format!("{name},listen={}/tcp,pid={}:1", gone.words[0], gone.pid()),
        format!("{name},listen=@{name}:2"),
    ]);
}

#[test]
fn a_process_whose_first_thread_has_ended_listens_on() {
    let name = unique("t");
    let server = Server::run(
        &name,
        "say += [tcp()]\nprint('ready', *say, flush=True)\n\
         t = threading.Thread(target=lambda: (libc.prctl(15, sys.argv[1].encode(), 0, 0, 0), os.read(0, 1)))\n\
         t.start()\nlibc.pthread_exit(None)",
    );
    crate::common::wait_for("its first thread to end", 10, || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.pid())).ok()?;
        stat.contains(") Z ").then_some(())
    });
    all_hold(&[format!(
        "{name},listen={}/tcp,pid={}:1",
        server.words[0],
        server.pid()
    )]);
}

#[test]
fn nobody_is_told_that_he_can_t_tell_and_which_rights_it_takes() {
    need!(is_root(), "only root can become nobody");
    let name = unique("u");
    let server = Server::run(&name, "say += [tcp()]");
    let spec = |port: &str| format!("{name},listen={port}/tcp:1");
    for port in [server.words[0].as_str(), "1"] {
        let said = Procward::check("mon")
            .user("nobody")
            .arg(spec(port))
            .run()
            .ends(3);
        said.says("  why: listen of 1 process: permission denied\n").says(
            "  remedy: grant CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH (AmbientCapabilities=CAP_SYS_PTRACE \
             CAP_DAC_READ_SEARCH in the unit, or setcap cap_sys_ptrace,cap_dac_read_search+ep); no spec says the \
             same without listen\n",
        );
    }
    // Both rights suffice.
    let place = Place::new();
    let words = [
        "--reuid=nobody",
        "--clear-groups",
        "--inh-caps=+sys_ptrace,+dac_read_search",
    ];
    let with_rights = |capabilities: &str| {
        let mut command = command("setpriv");
        command
            .args(words)
            .arg(format!("--ambient-caps={capabilities}"))
            .arg(place.procward())
            .args(["check", "--recheck", "0", &spec(&server.words[0])]);
        output(&mut command)
    };
    with_rights("+sys_ptrace,+dac_read_search").ends(0);
    with_rights("+sys_ptrace").ends(3);
    with_rights("+dac_read_search").ends(3);
}

#[test]
fn kinds_of_sockets_are_told_bound_or_not() {
    need!(is_root(), "raw sockets take a right");
    let name = unique("k");
    let _server = Server::run(
        &name,
        "S = socket.socket\n\
         keep += [S(socket.AF_INET6, socket.SOCK_STREAM), S(socket.AF_INET, socket.SOCK_DGRAM)]\n\
         keep += [S(socket.AF_INET, socket.SOCK_RAW, 1), S(socket.AF_PACKET, socket.SOCK_RAW, 3)]\n\
         keep += [S(socket.AF_NETLINK, socket.SOCK_RAW, 0), *socket.socketpair()]",
    );
    let held = ["tcp", "udp", "raw", "packet", "netlink", "unix"];
    all_hold(&held.map(|kind| format!("{name},socket={kind}:1")));
    all_hold(&["icmp", "other"].map(|kind| format!("{name},socket={kind}:0")));
    all_hold(&[format!("{name},listen~.:0")]);
    let pair = unique("p");
    let _pair = Server::run(&pair, "keep += socket.socketpair()");
    all_hold(&[
        format!("{pair},socket=unix,socket!=tcp|udp:1"),
        format!("{pair},listen.public=no:1"),
    ]);
}

#[test]
fn standard_input_and_output_are_told() {
    let name = unique("s");
    let _piped = Server::run(&name, "");
    all_hold(&[
        format!("{name},stdio=pipe:1"),
        format!("{name},stdio=null|inet|tty|unix:0"),
    ]);
    let shell = unique("i");
    let _shell = Server::run(
        &shell,
        "l = socket.socket(); l.bind(('127.0.0.1', 0)); l.listen(); c = socket.create_connection(l.getsockname())\n\
         os.dup2(c.fileno(), 2); os.dup2(os.open('/dev/null', os.O_RDWR), 7)",
    );
    all_hold(&[format!("{shell},stdio=inet:1"), format!("{shell},stdio=null:0")]);
    let terminal = unique("y");
    let _terminal = Server::run(
        &terminal,
        "import pty; m, s = pty.openpty(); keep += [m]; os.dup2(s, 2)",
    );
    all_hold(&[format!("{terminal},stdio=tty:1")]);
    let null = unique("z");
    let _null = Server::run(&null, "os.dup2(os.open('/dev/null', os.O_RDWR), 2)");
    all_hold(&[format!("{null},stdio=null,stdio=pipe:1")]);
    let file = unique("f");
    let _file = Server::run(
        &file,
        "import tempfile; f = tempfile.TemporaryFile(); os.dup2(f.fileno(), 2)",
    );
    all_hold(&[format!("{file},stdio=file:1")]);
}

/// Below the target directory, which is on a disk where /tmp may not be.
fn on_disk() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory")
}

#[test]
fn deleted_files_are_told_by_the_disk_that_they_take() {
    let directory = on_disk();
    let text = std::fs::read_to_string("/proc/self/mountinfo").expect("mounts");
    need!(
        !text
            .lines()
            .any(|line| line.contains(" /tmp ") && env!("CARGO_TARGET_TMPDIR").starts_with("/tmp/")),
        "the target directory is in memory"
    );
    let name = unique("d");
    let path = directory.path().join("log");
    let _server = Server::run(
        &name,
        &format!(
            "p = '{0}'\nf = open(p, 'wb'); f.write(b'x' * (3 << 20)); f.flush(); os.fsync(f.fileno()); os.unlink(p)\n\
             keep += [f]\n\
             m = os.memfd_create('m'); os.write(m, b'x' * (9 << 20))\n\
             s = open('/dev/shm/{name}', 'wb'); s.write(b'x' * (9 << 20)); s.flush(); os.unlink('/dev/shm/{name}')\n\
             keep += [s]",
            path.display()
        ),
    );
    all_hold(&[
        format!("{name},fd.deleted>=3M,fd.deleted<4M:1"),
        format!("{name},fd=\"{} (deleted)\":1", path.display()),
        format!("{name},fd=\"/memfd:m (deleted)\":1"),
    ]);
    let other = unique("e");
    let kept = directory.path().join("kept");
    let _other = Server::run(
        &other,
        &format!(
            "f = open('{}', 'wb'); f.write(b'x' * (3 << 20)); f.flush(); keep += [f]",
            kept.display()
        ),
    );
    all_hold(&[
        format!("{other},fd.deleted=0:1"),
        format!("{other},fd={}:1", kept.display()),
    ]);
}

#[test]
fn files_that_say_much_of_who_has_them_open_are_told() {
    need!(is_root(), "they are closed to others");
    let name = unique("o");
    let plain = Server::run(&unique("v"), "");
    let pid = plain.pid();
    let server = Server::run(
        &name,
        &format!(
            "keep += [open('/etc/shadow'), open('/proc/{pid}/mem', 'rb'), open('/proc/self/mem', 'rb')]\n\
             keep += [open(f'/proc/{pid}/task/{pid}/mem', 'rb'), __import__('select').epoll()]"
        ),
    );
    all_hold(&[
        format!("{name},fd=/etc/shadow|/etc/gshadow:1"),
        format!("{name},fd=\"anon_inode:*\":1"),
        format!("{name},fd.memory={pid}:1"),
        format!("{name},fd.memory>0:1"),
        format!("{name},fd.memory={}:0", server.pid()),
        format!("{name},fd.block=no:1"),
        format!("pid={pid},fd.memory>0:0"),
    ]);
    let said = Procward::new()
        .args([
            "explain",
            &format!("{name},fd.memory>0"),
            &server.pid().to_string(),
        ])
        .run()
        .ends(0);
    said.says(&format!("yes fd.memory>0                      {pid}\n"));
}

#[test]
fn an_open_disk_is_told() {
    need!(is_root(), "disks are closed to others");
    let disk = std::fs::read_dir("/sys/block")
        .into_iter()
        .flatten()
        .flatten()
        .find_map(|entry| {
            let device = Path::new("/dev").join(entry.file_name());
            std::fs::File::open(&device).ok().map(|_| device)
        });
    let Some(disk) = disk else {
        return crate::common::skip("no block device can be opened");
    };
    let name = unique("b");
    let _server = Server::run(
        &name,
        &format!("keep += [os.open('{}', os.O_RDONLY)]", disk.display()),
    );
    all_hold(&[
        format!("{name},fd.block=yes:1"),
        format!("{name},fd={}:1", disk.display()),
    ]);
}

#[test]
fn names_that_feign_lines_of_the_table_hide_nobody_and_reach_no_terminal() {
    need!(is_root(), "descriptors of others are read");
    let [name, hostile] = [unique("w"), unique("h")];
    let server = Server::run(
        &name,
        "unix('\\0' + sys.argv[1]); say += [os.fstat(keep[0].fileno()).st_ino]",
    );
    let inode = &server.words[0];
    all_hold(&[format!("{name},listen=@{name}:1")]);
    let forger = Server::run(
        &hostile,
        &format!(
            "unix('\\0\\x1b[31m\\n0: 00000002 00000000 00000000 0001 03 {inode} /x')\nunix(b'\\0{hostile}\\n\\xff\\n x')"
        ),
    );
    // Of two lines about one socket it can't be told which is the kernel's.
    for spec in [
        format!("{name},listen=@{name}:1"),
        format!("{name},listen=@{name}:0"),
    ] {
        check(&spec).ends(3).says("listen of 1 process: malformed");
    }
    let said = Procward::new()
        .args([
            "explain",
            &format!("{hostile},listen~{hostile}"),
            &forger.pid().to_string(),
        ])
        .run()
        .ends(0);
    let said = said.says("matches");
    assert!(!said_raw(&said), "{}", said.stdout());
}

fn said_raw(said: &Output) -> bool {
    said.stdout().chars().any(|c| c.is_control() && c != '\n')
}

#[test]
fn a_saved_snapshot_tells_the_same() {
    let place = Place::new();
    let name = unique("q");
    let server = Server::run(&name, "say += [tcp()]");
    let file = place.path().join("saved");
    Procward::new().args(["snapshot", "-o"]).arg(&file).run().ends(0);
    let saved = |spec: String| {
        let check = Procward::new()
            .args(["check", "--recheck", "0", "--snapshot"])
            .arg(&file);
        check.arg(spec).run().code()
    };
    let pid = server.pid();
    assert_eq!(
        saved(format!("pid={pid},listen={}/tcp,stdio=pipe:1", server.words[0])),
        Some(0)
    );
    assert_eq!(saved(format!("pid={pid},listen=1/tcp:1")), Some(2));
}

/// The files below /proc that a run opened, by strace.
fn opened(place: &Place, spec: &str) -> Vec<String> {
    let trace = place.path().join("trace");
    let procward = Procward::check("mon").arg(spec);
    let strace = ["strace", "-f", "-qq", "-e", "trace=openat", "-o"];
    let words = strace
        .iter()
        .map(std::ffi::OsString::from)
        .chain([trace.clone().into()]);
    procward.within(words).run().ends(0);
    let text = std::fs::read_to_string(&trace).expect("a trace");
    let name = |line: &str| Some(line.split('"').nth(1)?.to_owned());
    text.lines().filter_map(name).collect()
}

#[test]
fn descriptors_and_tables_are_opened_for_who_may_be_meant_alone_and_each_table_once() {
    need!(
        output(command("sh").args(["-c", "strace -f true"])).code() == Some(0),
        "strace can't be used here"
    );
    let place = Place::new();
    let name = unique("x");
    let server = Server::run(&name, "say += [tcp('::1')]; children(3)");
    let of = |opened: &[String], file: &str| opened.iter().filter(|name| *name == file).count();
    let asked = opened(&place, &format!("{name},listen={}/tcp:4", server.words[0]));
    assert_eq!(of(&asked, "fd"), 4);
    for (table, times) in [("net/tcp", 1), ("net/tcp6", 1), ("net/udp", 0), ("net/unix", 0)] {
        assert_eq!(of(&asked, table), times, "{table}");
    }
    // Without a socket no table.
    let plain = unique("g");
    let _plain = Server::run(&plain, "");
    let asked = opened(&place, &format!("{plain},listen!=1/tcp:1"));
    assert_eq!(
        asked.iter().filter(|name| name.starts_with("net/")).count(),
        0,
        "{asked:?}"
    );
    assert_eq!(of(&asked, "fd"), 1);
}
