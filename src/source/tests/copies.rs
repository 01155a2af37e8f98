//! A copied tree: what is read of it is of it alone, and not of this host.

use super::*;

/// The labels of a copied tree in which process 1 has these files below `attr`.
fn label_of(files: &[(&str, &[u8])]) -> (Fact<Label>, Result<Option<String>, String>) {
    let root = tree(&[(1, "init", 0)]);
    for (name, bytes) in files {
        let file = root.path().join("1/attr").join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }
    let procfs = Procfs::at(root.path().to_owned());
    let snapshot = procfs.snapshot(&Plan::everything(&File::ALL));
    (snapshot.processes[0].label.clone(), procfs.security_module())
}

#[test]
fn a_label_is_of_the_module_whose_file_tells_it() {
    let selinux = b"system_u:system_r:init_t:s0\0".as_slice();
    for (files, module, text) in [
        (&[("current", selinux)][..], "selinux", &selinux[..27]),
        (&[("current", b"kernel\0")], "selinux", b"kernel"),
        // Before 5.8 there is no file of AppArmor's own.
        (&[("current", b"web (enforce)\n")], "apparmor", b"web (enforce)"),
        (
            &[("current", b"a:b:c\n"), ("apparmor/current", b"a:b:c\n")],
            "apparmor",
            b"a:b:c",
        ),
        (
            &[("current", b"a:b:c"), ("smack/current", b"a:b:c")],
            "smack",
            b"a:b:c",
        ),
        (&[("smack/current", b"_")], "smack", b"_"),
    ] {
        let label = Label {
            module: module.into(),
            text: text.into(),
        };
        assert_eq!(label_of(files), (Fact::Value(label), Ok(Some(module.into()))));
    }
}

#[test]
fn a_copy_without_labels_does_not_say_that_there_are_none() {
    let (label, module) = label_of(&[]);
    assert_eq!(label, Fact::Unreadable(Why::Absent));
    assert_eq!(module, Err("label of process 1: not in the snapshot".into()));
    assert_eq!(label_of(&[("current", b"")]).0, Fact::Unreadable(Why::Empty));
    assert_eq!(
        label_of(&[("current", &[b'x'; 70_000])]).0,
        Fact::Unreadable(Why::Malformed)
    );
}

/// What the descriptors of process 20 say to a key in a copied tree with these tables.
fn copied_sockets(tables: &[(&str, &str)], specs: &[&str]) -> Vec<Truth> {
    let root = tree(&[(20, "b", 1)]);
    let dir = root.path().join("20");
    std::fs::create_dir(dir.join("fd")).unwrap();
    std::fs::create_dir(dir.join("net")).unwrap();
    for (number, text) in [("0", "/etc/passwd"), ("3", "socket:[77]"), ("4", "pipe:[5]")] {
        std::os::unix::fs::symlink(text, dir.join("fd").join(number)).unwrap();
    }
    for (name, text) in tables {
        std::fs::write(dir.join(name), text).unwrap();
    }
    let snapshot = Procfs::at(root.path().to_owned()).snapshot(&Plan::everything(&File::ALL));
    let truth = |spec: &&str| {
        let selector = parse_selector(spec, &Table::default()).unwrap();
        selector.truth(Subject::of(&snapshot.processes[0], &snapshot), true)
    };
    specs.iter().map(truth).collect()
}

#[test]
fn sockets_of_a_copied_tree_are_those_of_its_own_tables() {
    const TCP: &str = "sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode\n\
        0: 00000000:0016 00000000:0000 0A 0:0 0:0 0 0 0 77 1\n";
    let unknown = |key, why| Truth::Unknown(key, why);
    assert_eq!(
        copied_sockets(
            &[("net/tcp", TCP)],
            &[
                "listen=22/tcp",
                "listen=23/tcp",
                "socket=tcp",
                "fd=/etc/passwd",
                "stdio=file",
                "fd.block=no"
            ]
        ),
        [
            Truth::Yes,
            Truth::No,
            Truth::Yes,
            Truth::Yes,
            // This host has a file of that name, which proves nothing.
            unknown(Key::Stdio, Why::Absent),
            unknown(Key::FdBlock, Why::Absent),
        ]
    );
    // Tables that lack may be the ones that it is in.
    assert_eq!(
        copied_sockets(&[], &["listen=22/tcp", "socket=tcp"]),
        [
            unknown(Key::Listen, Why::Absent),
            unknown(Key::Socket, Why::Absent)
        ]
    );
    let broken = copied_sockets(&[("net/tcp", "something else\n")], &["listen=22/tcp"]);
    assert!(matches!(broken[0], Truth::Unknown(Key::Listen, _)), "{broken:?}");
}

#[test]
fn a_copied_tree_is_read_without_looking_at_this_host() {
    let root = tree(&[(300, "c", 20), (20, "b", 1)]);
    std::fs::create_dir(root.path().join("20/fd")).unwrap();
    std::fs::write(root.path().join("20/fd/0"), "").unwrap();
    std::fs::create_dir(root.path().join("self")).unwrap();
    std::fs::create_dir(root.path().join("007")).unwrap();
    let procfs = Procfs::at(root.path().to_owned());
    assert!(!procfs.is_live());
    let snapshot = procfs.snapshot(&Plan::everything(&File::ALL));
    assert_eq!(
        snapshot
            .processes
            .iter()
            .map(|process| process.pid)
            .collect::<Vec<_>>(),
        [20, 300]
    );
    assert_eq!(
        (snapshot.seen, snapshot.vanished, snapshot.observer.pid),
        (2, 0, None)
    );
    let shown = root.path().display().to_string();
    assert_eq!(snapshot.gaps, [Gap::Elsewhere(shown)]);
    assert!(snapshot.is_complete());
    let process = &snapshot.processes[0];
    let exe = process.exe.value().unwrap();
    assert_eq!(
        (exe.text.as_slice(), &exe.file),
        (b"/bin/sleep".as_slice(), &Fact::Unreadable(Why::Absent))
    );
    assert_eq!(process.loginuid, Fact::Value(None));
    assert_eq!(process.fds, Fact::Value(1));
    assert_eq!(process.status.value().unwrap().uid, [5; 4]);
    // Missing from the copy: the process is there all the same.
    assert!(matches!(process.cgroup, Fact::Unreadable(Why::Errno(2))));
}

#[test]
fn who_is_chrooted_is_told_also_where_procward_does_not_show() {
    let root = tree(&[(20, "b", 1)]);
    let dir = root.path().join("20");
    for (link, to) in [("root", "/jail"), ("cwd", "/")] {
        std::os::unix::fs::symlink(to, dir.join(link)).unwrap();
    }
    let snapshot = Procfs::at(root.path().to_owned()).snapshot(&Plan::everything(&[File::Root]));
    assert!(snapshot.processes[0].root.value().unwrap().is_outside(b"/"));
}

#[test]
fn a_directory_without_processes_is_a_gap() {
    let empty = tempfile::tempdir().unwrap();
    let look = |path: &Path| Procfs::at(path.to_owned()).snapshot(&Plan::everything(&[File::Stat]));
    assert!(matches!(look(empty.path()).gaps.as_slice(), [Gap::NotProc(_)]));
    assert!(matches!(
        look(&empty.path().join("none")).gaps.as_slice(),
        [Gap::Closed(..)]
    ));
}
