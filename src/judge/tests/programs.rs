//! Which file a process runs: by its identity, not by the text of a link.

use super::*;

#[test]
fn a_path_compares_files_and_a_forged_text_is_a_near_miss() {
    let forged = process(11, "sshd").uid(65534).change(|p| {
        if let Fact::Value(exe) = &mut p.exe {
            exe.file = Fact::Value(crate::snapshot::FileId {
                device: 9,
                inode: 9,
                owner: 65534,
                links: 1,
            });
        }
    });
    let mut snapshot = host(vec![process(10, "sshd")]);
    assert_eq!(count("/usr/sbin/sshd:1", &snapshot), (OK, 1));
    let daemon = snapshot.processes.pop();
    snapshot.processes.push(forged);
    assert!(daemon.is_some());
    let verdict = verdict("/usr/sbin/sshd:1", &snapshot);
    assert_eq!((verdict.state, verdict.manner), (CRITICAL, Manner::Missing));
    assert_eq!(
        verdict.near[0].failed[0].found,
        b"another file under that name, in another mount namespace"
    );
}

#[test]
fn a_program_replaced_by_an_upgrade_still_counts() {
    let old = process(10, "cron").change(|p| {
        if let Fact::Value(exe) = &mut p.exe {
            exe.text = b"/usr/sbin/cron (deleted)".to_vec();
            exe.file = Fact::Value(crate::snapshot::FileId {
                device: 1,
                inode: 5,
                owner: 0,
                links: 0,
            });
            exe.path_exists = Some(true);
        }
    });
    let mut snapshot = host(vec![old]);
    let new = crate::snapshot::FileId {
        device: 1,
        inode: 6,
        owner: 0,
        links: 1,
    };
    snapshot.accounts.files.insert("/usr/sbin/cron".into(), new);
    assert_eq!(count("/usr/sbin/cron:1", &snapshot), (OK, 1));
    assert_eq!(count("exe.replaced=yes:0", &snapshot), (CRITICAL, 1));
    assert_eq!(count("exe.deleted=yes:0", &snapshot), (OK, 0));
    // Of another owner it is not an upgrade.
    snapshot.accounts.files.insert(
        "/usr/sbin/cron".into(),
        crate::snapshot::FileId { owner: 1000, ..new },
    );
    assert_eq!(count("/usr/sbin/cron:1", &snapshot), (CRITICAL, 0));
}

fn with_exe(
    process: crate::snapshot::Process,
    change: impl FnOnce(&mut crate::snapshot::Exe),
) -> crate::snapshot::Process {
    process.change(|p| {
        if let Fact::Value(exe) = &mut p.exe {
            change(exe);
        }
    })
}

#[test]
fn a_program_on_somebodys_fuse_blinds_nobody_else() {
    let on_fuse = |device| {
        with_exe(process(11, "app").uid(1000), |exe| {
            exe.file = Fact::Unreadable(Why::Denied);
            exe.device = device;
        })
    };
    let mut snapshot = host(vec![process(10, "sshd"), on_fuse(Some(9))]);
    assert_eq!(count("/usr/sbin/sshd:1", &snapshot), (OK, 1));
    assert_eq!(count("/usr/sbin/nologin:0", &snapshot), (OK, 0));
    assert_eq!(count("exe.deleted=yes:0", &snapshot), (OK, 0));
    // An old kernel tells not even the device.
    snapshot.processes[2] = on_fuse(None);
    assert_eq!(count("/usr/sbin/sshd:1", &snapshot), (OK, 1));
    assert_eq!(count("/usr/sbin/sshd,user=1000:0", &snapshot), (UNKNOWN, 0));
}

#[test]
fn a_program_without_a_path_is_told_by_its_file_and_not_where_that_of_the_path_is_not_known() {
    let nameless = |links| {
        with_exe(process(10, "innocent").uid(7), |exe| {
            let suffix = if links == 0 { " (deleted)" } else { "" };
            exe.text = format!("/{suffix}").into_bytes();
            if let Fact::Value(file) = &mut exe.file {
                file.links = links;
            }
        })
    };
    let unknown = |spec: &str, links, knows_path: bool| {
        let snapshot = host(vec![nameless(links)]);
        let mut check = crate::testing::check(spec, &snapshot);
        for value in check.selector.terms.iter_mut().flat_map(|term| &mut term.values) {
            if let crate::select::Matcher::File(path) = value
                && !knows_path
            {
                path.file = Err("Permission denied".into());
            }
        }
        let selection = crate::select::select(&check.wanted(), &snapshot);
        (selection.matched.len(), selection.unknown.len())
    };
    for links in [0, 1] {
        assert_eq!(unknown("exe=/closed/miner,user=7:0", links, false), (0, 1));
        assert_eq!(unknown("exe!=/closed/miner,user=7:0", links, false), (0, 1));
        assert_eq!(unknown("exe=/closed/*,user=7:0", links, true), (0, 1));
    }
    // The file is known to be another one; of one that was deleted, its path would have to tell that it was replaced.
    assert_eq!(unknown("exe=/closed/miner,user=7:0", 1, true), (0, 0));
    assert_eq!(unknown("exe=/closed/miner,user=7:0", 0, true), (0, 1));
}

#[test]
fn whether_a_program_was_deleted_or_replaced_may_be_unknown() {
    let gone = |exists| {
        with_exe(process(10, "x"), |exe| {
            exe.text = b"/usr/sbin/x (deleted)".to_vec();
            exe.file = Fact::Value(crate::snapshot::FileId::default());
            exe.path_exists = exists;
        })
    };
    for (exists, deleted, replaced) in [
        (Some(false), CRITICAL, OK),
        (Some(true), OK, CRITICAL),
        (None, UNKNOWN, UNKNOWN),
    ] {
        let host = host(vec![gone(exists)]);
        assert_eq!(count("exe.deleted=yes:0", &host).0, deleted, "{exists:?}");
        assert_eq!(count("exe.replaced=yes:0", &host).0, replaced, "{exists:?}");
    }
}

#[test]
fn a_place_of_the_system_is_told_of_the_script_and_not_of_its_interpreter() {
    let script = |interpreter: &str, arguments: &[&str]| process(10, "borg").exe(interpreter).args(arguments);
    let yes = |process: Process| count("exe.system=yes:1", &host(vec![process])).1 == 2;
    assert!(yes(process(10, "xz").exe("/usr/bin/xz")));
    assert!(!yes(process(10, "xz").exe("/tmp/usr/bin/xz")));
    assert!(!yes(process(10, "xz").exe("/home/alice/xz")));
    assert!(yes(script(
        "/usr/bin/python3.11",
        &["/usr/bin/python3", "-u", "/usr/bin/borg", "create"]
    )));
    assert!(!yes(script(
        "/usr/bin/python3.11",
        &["/usr/bin/python3", "/tmp/borg"]
    )));
    assert!(!yes(script(
        "/usr/bin/python3.11",
        &["/usr/bin/python3", "/usr/../tmp/borg"]
    )));
    assert!(!yes(script("/usr/bin/python3.11", &["/usr/bin/python3", "borg"])));
    assert!(!yes(script(
        "/usr/bin/python3.11",
        &["/usr/bin/python3", "-c", "while True: pass"]
    )));
    assert!(!yes(script("/usr/bin/bash", &["borg"])));
    assert!(yes(script("/bin/busybox", &["gzip", "/tmp/x"])));
    assert!(!yes(script("/bin/busybox", &["/bin/sh", "/tmp/borg"])));
    // Belongs to somebody who is not root, or can't be told to whom.
    let owned = |owner: Fact<u32>| {
        process(10, "xz").exe("/usr/local/bin/xz").change(|p| {
            if let Fact::Value(exe) = &mut p.exe {
                exe.file = match owner {
                    Fact::Value(owner) => Fact::Value(crate::snapshot::FileId {
                        owner,
                        ..Default::default()
                    }),
                    _ => Fact::Unreadable(Why::Denied),
                };
            }
        })
    };
    assert!(!yes(owned(Fact::Value(1000))));
    let unknown = verdict("exe.system=yes,name=xz:1", &host(vec![owned(Fact::NotAsked)]));
    assert_eq!((unknown.state, unknown.unknown), (UNKNOWN, 1));
}
