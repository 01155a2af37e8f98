//! Labels from the kernel's bytes to a verdict.

use crate::judge::State;
use crate::parse;
use crate::select::spec::{Dialect, parse as parse_spec, sentence};
use crate::snapshot::{Attachment, Automaton, Fact, Programs, Snapshot, Why, file};
use crate::testing::{Build, check, count, host, process, verdict};

/// A host of which PID 1 and these daemons, d1, d2, …, have the labels that the kernel would write as these bytes.
fn labelled(module: &str, init: &[u8], others: &[&[u8]]) -> Snapshot {
    let text = |bytes: &[u8]| parse::label::parse(bytes).unwrap();
    let daemons = others
        .iter()
        .zip(1..)
        .map(|(bytes, number)| process(69 + number, &format!("d{number}")).label(module, &text(bytes)));
    let mut host = host(daemons.collect());
    host.processes[0] = host.processes[0].clone().label(module, &text(init));
    host
}

fn selinux() -> Snapshot {
    labelled(
        "selinux",
        b"system_u:system_r:init_t:s0\0",
        &[
            b"system_u:system_r:sshd_t:s0-s0:c0.c1023\0",
            b"unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023\0",
            b"system_u:system_r:initrc_t:s0:c1.c3,c7\0",
            b"system_u:system_r:httpd_t:s3:c1,c5-s7:c1.c5,c9\0",
        ],
    )
}

fn counts(host: &Snapshot, cases: &[(&str, u64)]) {
    for (spec, matches) in cases {
        assert_eq!(count(spec, host).1, *matches, "{spec}");
    }
}

#[test]
fn the_parts_of_an_selinux_label_are_keys() {
    counts(
        &selinux(),
        &[
            ("selinux.type=init_t:1", 1),
            ("selinux.type=sshd_t|httpd_t", 2),
            ("selinux.type=*_t", 5),
            ("selinux.type!=init*", 3),
            ("selinux.type~^unconfined", 1),
            ("selinux.user=system_u", 4),
            ("selinux.role=unconfined_r", 1),
            ("selinux.role!=system_r", 1),
            ("label=system_u:system_r:init_t:s0:1", 1),
            ("label=*:initrc_t:*", 1),
            ("label=system_u:system_r:initrc_t:s0:c1.c3,c7:1", 1),
            ("label~:s0$:1", 1),
        ],
    );
}

#[test]
fn a_level_is_compared_as_sets_of_categories() {
    counts(
        &selinux(),
        &[
            ("selinux.level=s0:1", 1),
            ("selinux.level=s0-s0:1", 1),
            ("selinux.level=s0-s0:c0.c1023:2", 2),
            ("selinux.level=s0:c1,c2,c3,c7:1", 1),
            ("selinux.level=s0:c7,c1.c3", 1),
            ("selinux.level=s0:c1,c7", 0),
            ("selinux.level=s3:c5,c1-s7:c1,c2,c3,c4,c5,c9", 1),
            ("selinux.level=s0|s0:c7,c1.c3:2", 2),
            ("selinux.level!=s0-s0:c0.c1023", 3),
            ("selinux.level~^s0", 4),
            ("selinux.level=s0:c1,c2,c3,c7,name=d3:1", 1),
        ],
    );
}

#[test]
fn before_a_policy_is_loaded_every_type_is_unknown() {
    let host = labelled("selinux", b"kernel\0", &[b"kernel\0"]);
    assert_eq!(count("selinux.type=initrc_t:0", &host).0, State::Unknown);
    assert_eq!(count("selinux.level=s0:0", &host).0, State::Unknown);
    assert_eq!(count("label=kernel:2", &host), (State::Ok, 2));
    let told = format!("{:?}", verdict("selinux.type=initrc_t:0", &host));
    assert!(told.contains("see why SELinux has loaded no policy"), "{told}");
}

#[test]
fn without_mls_there_is_a_type_and_no_level() {
    let host = labelled(
        "selinux",
        b"system_u:system_r:init_t\0",
        &[b"system_u:system_r:sshd_t\0"],
    );
    assert_eq!(count("selinux.type=init_t:1", &host), (State::Ok, 1));
    assert_eq!(count("label=system_u:system_r:sshd_t:1", &host), (State::Ok, 1));
    assert_eq!(count("selinux.level=s0:0", &host), (State::Ok, 0));
    assert_eq!(count("selinux.level!=s0:2", &host), (State::Ok, 2));
}

#[test]
fn a_level_that_is_none_is_unknown() {
    let host = labelled("selinux", b"a:b:c:SystemLow\0", &[]);
    assert_eq!(count("selinux.level=s0:0", &host).0, State::Unknown);
}

#[test]
fn the_profiles_and_the_mode_of_apparmor_are_keys() {
    let host = labelled(
        "apparmor",
        b"unconfined\n",
        &[
            b"/usr/sbin/sshd (enforce)\n",
            b"audited//&web (mixed)\n",
            b"u1 (unconfined)\n",
            b":ns1:b (complain)\n",
            b":ns1:unconfined\n",
            b"weird-(enforce) (enforce)\n",
            b"two words//child (kill)\n",
        ],
    );
    counts(
        &host,
        &[
            ("apparmor.profile=/usr/sbin/sshd:1", 1),
            ("apparmor.profile=unconfined:1", 1),
            ("apparmor.mode=unconfined:3", 3),
            ("apparmor.profile=web", 1),
            ("apparmor.profile=web//&audited", 1),
            ("apparmor.profile=web//&other", 0),
            ("apparmor.profile=web,apparmor.profile=audited", 1),
            ("apparmor.profile!=web", 7),
            ("apparmor.profile=:ns1:b:1", 1),
            ("apparmor.profile=:ns1:*:2", 2),
            ("apparmor.profile=two words//*", 1),
            ("apparmor.profile=\"weird-(enforce)\"", 1),
            ("apparmor.mode=enforce|kill", 3),
            ("apparmor.mode!=enforce", 6),
            ("label=\"u1 (unconfined)\":1", 1),
            ("label=unconfined:1", 1),
        ],
    );
}

#[test]
fn a_smack_label_may_look_like_any_other() {
    let host = labelled(
        "smack",
        b"_",
        &[
            b"User::App::Foo",
            b"User::App(x):y",
            b"a:b:init_t:s0",
            b"x (enforce)",
        ],
    );
    counts(
        &host,
        &[
            ("smack=_:1", 1),
            ("smack=User::App::Foo:1-", 1),
            ("smack=User::*", 2),
            ("smack=a:b:init_t:s0", 1),
            ("label=a:b:init_t:s0:1", 1),
        ],
    );
    for spec in [
        "selinux.type=init_t:0",
        "apparmor.mode=enforce:0",
        "apparmor.mode!=enforce:0",
    ] {
        assert_eq!(count(spec, &host).0, State::Unknown, "{spec}");
    }
}

#[test]
fn a_host_without_the_module_is_unknown_and_told_how_to_leave_it_out() {
    let host = host(vec![process(70, "d")]);
    for spec in [
        "selinux.type=initrc_t:0",
        "selinux.type!=initrc_t:0",
        "selinux.level=s0:c1,c3:0",
        "apparmor.profile=unconfined:0",
        "apparmor.mode!=enforce:0",
        "smack=_:2",
        "label=x:0",
    ] {
        assert_eq!(count(spec, &host).0, State::Unknown, "{spec}");
    }
    let told = format!("{:?}", verdict("selinux.type=initrc_t:0", &host));
    assert!(told.contains("no such security module is active"), "{told}");
    assert!(
        told.contains("this host does not run SELinux: write the check in a configuration file"),
        "{told}"
    );
    let told = format!("{:?}", verdict("label=x:0", &host));
    assert!(
        told.contains("no security module of this host gives labels"),
        "{told}"
    );
}

#[test]
fn a_label_that_must_not_be_read_is_no_missing_module() {
    let denied = process(70, "d").change(|p| p.label = Fact::Unreadable(Why::Denied));
    let mut host = host(vec![denied]);
    host.processes[0] = host.processes[0]
        .clone()
        .label("selinux", b"system_u:system_r:init_t:s0");
    assert_eq!(count("selinux.type=initrc_t:0", &host), (State::Unknown, 0));
    assert_eq!(count("selinux.type=init_t:1", &host), (State::Unknown, 1));
    assert_eq!(count("selinux.type=init_t:1-", &host), (State::Ok, 1));
    let told = format!("{:?}", verdict("selinux.type=initrc_t:0", &host));
    assert!(told.contains("permission denied"), "{told}");
    assert!(told.contains("SELinux wants process:getattr"), "{told}");
    assert!(!told.contains("does not run"), "{told}");
}

#[test]
fn a_zombie_and_a_kernel_thread_keep_their_labels() {
    let host = host(vec![
        process(70, "z")
            .zombie()
            .label("selinux", b"system_u:system_r:sshd_t:s0"),
        process(71, "k")
            .kthread()
            .label("selinux", b"system_u:system_r:kernel_t:s0"),
    ]);
    assert_eq!(count("state=zombie,selinux.type=sshd_t", &host).1, 1);
    assert_eq!(count("kthread=yes,selinux.type=kernel_t", &host).1, 1);
}

#[test]
fn a_snapshot_file_keeps_the_three_outcomes() {
    let mut host = host(vec![
        process(70, "d").label("selinux", b"\xff:b:c:s0"),
        process(71, "e").change(|p| p.label = Fact::Unreadable(Why::Denied)),
    ]);
    let again = file::from_bytes(&file::to_bytes(&host).unwrap()).unwrap();
    let labels = |host: &Snapshot| -> Vec<_> { host.processes.iter().map(|p| p.label.clone()).collect() };
    assert_eq!(labels(&again), labels(&host));
    // One that was saved by a version without labels does not tell.
    for process in &mut host.processes {
        process.label = Fact::NotAsked;
    }
    assert_eq!(count("selinux.type=initrc_t:0", &host).0, State::Unknown);
}

#[test]
fn a_check_of_labels_is_confirmed_as_one_of_ids_is() {
    for key in ["selinux.type", "apparmor.profile", "smack", "label"] {
        let key = crate::select::Key::by_name(key).unwrap();
        assert!(key.is_label() && key.is_credential());
    }
    assert!(!crate::select::Key::Name.is_label());
}

#[test]
fn the_sentences_read_well() {
    let host = host(vec![]);
    let said = |text: &str| {
        let spec = parse_spec(text, &host.accounts, Dialect::Native).unwrap();
        sentence(&spec.selector, spec.range.unwrap())
    };
    assert_eq!(
        said("selinux.type=init_t:1"),
        "exactly 1 process of SELinux type init_t"
    );
    assert_eq!(
        said("sshd,selinux.type!=sshd_t|unconfined_t:0"),
        "no process named sshd, not of SELinux type sshd_t or unconfined_t"
    );
    assert_eq!(
        said("selinux.level=s0:c1,c3:0"),
        "no process at SELinux level s0:c1,c3"
    );
    assert_eq!(
        said("apparmor.profile=web//&audited,apparmor.mode=enforce:1"),
        "exactly 1 process under AppArmor profile web//&audited, in AppArmor mode enforce"
    );
    assert_eq!(said("label=kernel:0"), "no process labelled kernel");
}

#[test]
fn a_near_miss_shows_the_label_that_it_has() {
    let told = format!("{:?}", check_near("d1,selinux.type=init_t:1", &selinux()));
    assert!(told.contains("sshd_t"), "{told}");
}

fn check_near(spec: &str, host: &Snapshot) -> Vec<String> {
    let check = check(spec, host);
    let selection = crate::select::select(&check.wanted(), host);
    crate::judge::near::near_misses(&check, &selection, host, &host.accounts)
        .iter()
        .flat_map(|miss| miss.failed.iter())
        .map(|failed| String::from_utf8_lossy(&failed.found).into_owned())
        .collect()
}

#[test]
fn an_attachment_is_a_profile_for_the_program_and_one_that_is_not_told_is_unknown() {
    let mut host = labelled("apparmor", b"unconfined\n", &[b"unconfined\n"]);
    let of = |programs| Attachment {
        profile: b"web".to_vec(),
        programs,
    };
    let program = host.processes[1].exe.value().unwrap().path().to_vec();
    let spec = "label=unconfined,apparmor.attachment=web,pid!=1:0";
    let mut judged = |attachments| {
        host.host.attachments = attachments;
        verdict(spec, &host).state
    };
    let glob = Programs::Glob(program);
    assert_eq!(judged(Fact::Value(vec![of(glob)])), State::Critical);
    let other = Programs::Glob(b"/usr/bin/other".to_vec());
    assert_eq!(judged(Fact::Value(vec![of(other)])), State::Ok);
    assert_eq!(judged(Fact::Value(vec![])), State::Ok);
    // Tables that lead nowhere.
    let broken = Programs::Automaton(Automaton::default());
    assert_eq!(judged(Fact::Value(vec![of(broken)])), State::Unknown);
    assert_eq!(judged(Fact::Unreadable(Why::Untold)), State::Unknown);
    let denied = Fact::Unreadable(Why::Denied);
    assert_eq!(judged(denied), State::Unknown);
    assert_eq!(
        verdict(spec, &host).remedies,
        ["run procward as root: to nobody else does AppArmor tell what its profiles are for"]
    );
}
