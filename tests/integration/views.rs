//! Mounts that hide, and directories that are not the /proc they are taken for: said, and never "no process".

use crate::common::{Output, Place, Procward, command, is_root, need, output};
use std::path::Path;

const NOBODY: &str = "setpriv --reuid=65534 --regid=65534 --clear-groups";

/// Runs a script as root in a PID namespace of its own, whose /proc is mounted with these options. One process
/// called pwtview, of root, runs there; `$PW` is procward.
fn within(place: &Place, options: &str, script: &str) -> Output {
    let program = place.copy("/bin/sleep", "pwtview");
    let script = format!(
        "mount -t proc -o {options} proc /proc || exit 77\n{} 60 & PW={}\n\
         until [ \"$(cat /proc/$!/comm)\" = pwtview ]; do :; done\n{script}\n",
        program.display(),
        place.procward().display()
    );
    let said = output(command("unshare").args(["-mpf", "--kill-child", "sh", "-c", &script]));
    assert_ne!(
        said.code(),
        Some(77),
        "proc can't be mounted with {options}: {}",
        said.stderr()
    );
    said
}

fn may_mount() -> bool {
    is_root() && output(command("unshare").args(["-mpf", "--mount-proc", "true"])).code() == Some(0)
}

/// hidepid, as mount(8) takes it, and as the kernel tells it since 5.8.
const MODES: [(&str, &str); 3] = [("1", "noaccess"), ("2", "invisible"), ("4", "ptraceable")];

#[test]
fn who_may_not_look_past_hidepid_is_told_so_in_every_format() {
    need!(may_mount(), "proc can't be mounted");
    let place = Place::new();
    for (mode, word) in MODES {
        for spec in [
            "pwtview:1",
            "pwtview:0",
            "pwtview:-1",
            "pwtnosuch:0",
            "pwtnosuch:1",
            "kthread=no:0",
        ] {
            for format in ["human", "mon", "nagios", "json"] {
                let script = format!("{NOBODY} $PW check --format {format} {spec}");
                let said = within(&place, &format!("hidepid={mode}"), &script).ends(3);
                let text = said.stdout();
                let gap = format!("incomplete view: /proc is mounted with hidepid={word}, which ");
                assert!(text.contains(&gap), "{mode} {spec}: {text}");
                assert!(!text.contains("no process;"), "{mode} {spec}: {text}");
                if format == "json" {
                    let verdict = &said.json()["verdicts"][0];
                    assert_eq!(verdict["state"], "UNKNOWN");
                    assert_ne!(verdict["unknown"], 0, "{text}");
                } else {
                    assert!(said.first_line().contains("UNKNOWN: "), "{text}");
                    assert!(said.first_line().ends_with(" unseen"), "{text}");
                }
            }
        }
    }
}

#[test]
fn a_failure_for_certain_stays_one_where_more_may_be_hidden() {
    need!(may_mount(), "proc can't be mounted");
    let place = Place::new();
    for mode in ["2", "4"] {
        let script = format!("{NOBODY} $PW check --format mon comm=sleep:0 --match-self comm=procward:1-");
        let script = format!("{NOBODY} sleep 60 & sleep 0.1; {script}");
        let said = within(&place, &format!("hidepid={mode}"), &script).ends(2);
        assert_eq!(said.first_line(), "CRITICAL: comm=sleep running (sleep, nobody)");
        said.says("1 other check ok");
    }
}

#[test]
fn one_who_sees_everything_is_not_warned() {
    need!(may_mount(), "proc can't be mounted");
    let place = Place::new();
    let capable = "setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=+sys_ptrace --ambient-caps=+sys_ptrace";
    let member = "setpriv --reuid=65534 --regid=65534 --groups=4711";
    let group = "setpriv --reuid=65534 --regid=4711 --clear-groups";
    let powerless = "setpriv --bounding-set=-sys_ptrace --inh-caps=-sys_ptrace --regid=0 --clear-groups";
    let mut cases = Vec::new();
    for (mode, _) in MODES {
        cases.extend(["", capable].map(|who| (format!("hidepid={mode},gid=4711"), who)));
    }
    for (mode, _) in &MODES[..2] {
        cases.extend([member, group].map(|who| (format!("hidepid={mode},gid=4711"), who)));
        // Without gid= it is group 0, which the kernel does not tell.
        cases.push((format!("hidepid={mode}"), powerless));
    }
    cases.push(("hidepid=0".into(), NOBODY));
    for (options, who) in cases {
        let script = format!("{who} $PW check --format mon pwtview:1 pwtnosuch:0");
        let said = within(&place, &options, &script).ends(0);
        assert_eq!(said.stdout(), "OK: 2 checks\n", "{options} {who}");
        let script = format!("{who} $PW check --format mon pwtview:2");
        let said = within(&place, &options, &script).ends(2);
        assert!(
            !said.stdout().contains("incomplete"),
            "{options} {who}: {}",
            said.stdout()
        );
    }
}

#[test]
fn the_group_does_not_help_with_hidepid_4() {
    need!(may_mount(), "proc can't be mounted");
    let script = "setpriv --reuid=65534 --regid=4711 --clear-groups $PW check pwtview:1";
    within(&Place::new(), "hidepid=4,gid=4711", script)
        .ends(3)
        .says("remedy: run procward as root or with CAP_SYS_PTRACE");
}

#[test]
fn capabilities_and_ids_of_a_users_own_namespace_do_not_count() {
    need!(may_mount(), "proc can't be mounted");
    let place = Place::new();
    let usable = output(command("sh").args(["-c", &format!("{NOBODY} unshare -Ur true")]));
    need!(
        usable.code() == Some(0),
        "users may not make user namespaces here"
    );
    for mode in ["2", "4"] {
        let script = format!("{NOBODY} unshare -Ur $PW check pwtview:0");
        within(&place, &format!("hidepid={mode}"), &script)
            .ends(3)
            .says("incomplete view: /proc is mounted with hidepid=");
    }
}

#[test]
fn root_of_a_rootless_container_sees_all_of_it() {
    need!(is_root(), "only root can become nobody");
    let place = Place::new();
    let script = format!(
        "mount -t proc -o hidepid=2 proc /proc || exit 77; {} check --format mon comm=sh:1 pwtnosuch:0; exit $?",
        place.procward().display()
    );
    let mut words = NOBODY.split(' ');
    let said = output(command(words.next().unwrap()).args(words).args([
        "unshare",
        "-Urmpf",
        "--kill-child",
        "sh",
        "-c",
        &script,
    ]));
    need!(
        !matches!(said.code(), Some(1 | 77)),
        "users may not make containers here"
    );
    assert_eq!(said.ends(0).stdout(), "OK: 2 checks\n");
}

#[test]
fn with_hidepid_1_what_does_not_need_closed_files_is_told() {
    need!(may_mount(), "proc can't be mounted");
    let place = Place::new();
    let script = format!(
        "{NOBODY} sleep 60 & sleep 0.1\n\
         {NOBODY} $PW check --format mon user=nobody,name=sleep:1 user=nobody,name=pwtnosuch:0"
    );
    let said = within(&place, "hidepid=1", &script).ends(0);
    assert_eq!(
        said.stdout(),
        "OK: 2 checks\nincomplete view: /proc is mounted with hidepid=noaccess, which closes the files of \
         others' processes\n"
    );
}

#[test]
fn other_commands_end_3_where_they_do_not_see_all() {
    need!(may_mount(), "proc can't be mounted");
    let place = Place::new();
    for (mode, word) in MODES {
        for what in ["roll", "init", "list user=root"] {
            let said = within(
                &place,
                &format!("hidepid={mode}"),
                &format!("{NOBODY} $PW {what}"),
            )
            .ends(3);
            let gap = format!("incomplete view: /proc is mounted with hidepid={word}, which ");
            said.says(&gap);
        }
        let script = format!("{NOBODY} $PW ps.monitor -x 1");
        let said = within(&place, &format!("hidepid={mode}"), &script).ends(3);
        assert!(said.first_line().starts_with("UNKNOWN: "), "{}", said.stdout());
        let script = format!("{NOBODY} $PW explain pwtview 2");
        within(&place, &format!("hidepid={mode}"), &script).says("incomplete view: ");
    }
}

#[test]
fn subset_pid_hides_no_process_and_is_said() {
    need!(may_mount(), "proc can't be mounted");
    let place = Place::new();
    let specs = "pwtview:1 'pwtview,age<1h:1' 'pwtview,exe=*/pwtview,user=root:1' pwtnosuch:0";
    let said = within(&place, "subset=pid", &format!("$PW check --format mon {specs}")).ends(0);
    let gap = "incomplete view: /proc is mounted with subset=pid, which shows all processes but nothing else of \
               the host\n";
    assert_eq!(said.stdout(), format!("OK: 4 checks\n{gap}"));
    let said = within(&place, "subset=pid", "$PW check --format mon pwtview:0").ends(2);
    assert_eq!(said.first_line(), "CRITICAL: pwtview running (pwtview, root)");
}

/// What a directory makes of a check, and of the commands that show processes.
fn at(directory: &Path, arguments: &[&str]) -> Output {
    Procward::new()
        .args(arguments.iter().copied())
        .arg("--proc")
        .arg(directory)
        .run()
}

#[test]
fn what_is_no_proc_is_unknown_and_said() {
    let place = Place::new();
    let empty = place.directory("empty");
    let files = place.directory("files");
    std::fs::write(files.join("stat"), "cpu 1 2 3\n").unwrap();
    std::fs::create_dir(files.join("self")).unwrap();
    let file = place.script("file", "");
    let nothing = place.path().join("none");
    let why = |path: &Path, what: &str| format!("incomplete view: {} {what}", path.display());
    for (path, said) in [
        (&empty, why(&empty, "lists no process: it is not a mounted /proc")),
        (&files, why(&files, "lists no process: it is not a mounted /proc")),
        (
            &file,
            why(&file, "could not be opened: Not a directory (os error 20)"),
        ),
        (
            &nothing,
            why(
                &nothing,
                "could not be opened: No such file or directory (os error 2)",
            ),
        ),
    ] {
        for range in ["0", "1", "-5"] {
            let spec = format!("pwtnosuch:{range}");
            let wants = match range {
                "0" => "no process",
                "1" => "exactly 1 process",
                _ => "at most 5 processes",
            };
            assert_eq!(
                at(path, &["check", "--recheck", "0", "--format", "mon", &spec])
                    .ends(3)
                    .stdout(),
                format!(
                    "UNKNOWN: pwtnosuch unseen\n\
                     pwtnosuch: none seen, any number may be hidden; want {wants} named pwtnosuch\n  why: {said}\n\
                     \x20 remedy: give --proc the mount point of a proc file system\n{said}\n"
                )
            );
        }
        for command in [&["roll"][..], &["init"], &["list", "user=0"]] {
            at(path, command).ends(3).says_in_words(&said);
        }
        at(path, &["explain", "pwtnosuch"]).says_in_words(&said);
    }
}

#[test]
fn a_copied_tree_is_judged_and_said_to_be_one() {
    let place = Place::new();
    let copy = place.directory("copy");
    for (pid, comm) in [(1, "init"), (20, "pwtcopied")] {
        let directory = copy.join(pid.to_string());
        std::fs::create_dir(&directory).unwrap();
        let stat = format!("{pid} ({comm}) S 0 {pid} {pid} 0 -1 4194560 5 0 0 0 1 2 0 0 20 0 1 0 7 4096 1\n");
        std::fs::write(directory.join("stat"), stat).unwrap();
        std::fs::write(directory.join("comm"), format!("{comm}\n")).unwrap();
        std::fs::write(
            directory.join("status"),
            "Uid:\t0 0 0 0\nGid:\t0 0 0 0\nGroups:\t\n",
        )
        .unwrap();
        std::fs::write(directory.join("cgroup"), "0::/\n").unwrap();
    }
    let said = format!(
        "incomplete view: {} is not this host's own /proc: nothing is said of processes outside it\n",
        copy.display()
    );
    let specs = [
        "check",
        "--recheck",
        "0",
        "--format",
        "mon",
        "pwtcopied:1",
        "pwtnosuch:0",
    ];
    assert_eq!(
        at(&copy, &specs).ends(0).stdout(),
        format!("OK: 2 checks\n{said}")
    );
    let lacking = at(
        &copy,
        &["check", "--recheck", "0", "--format", "mon", "pwtnosuch:1"],
    )
    .ends(2);
    assert_eq!(
        lacking.stdout(),
        format!(
            "CRITICAL: pwtnosuch missing\npwtnosuch: no process; want exactly 1 process named pwtnosuch\n{said}"
        )
    );
    // A snapshot of it says so as well.
    let file = place.path().join("snapshot");
    at(&copy, &["snapshot", "-o", file.to_str().unwrap()]).ends(0);
    Procward::check("mon")
        .arg("pwtcopied:1")
        .arg("--snapshot")
        .arg(&file)
        .run()
        .ends(0)
        .says(&said);
}

/// Runs a script in a mount namespace where `$OTHER` is the /proc of a PID namespace below, in which one process
/// called pwtbelow runs.
fn beside_another_namespace(place: &Place, script: &str) -> Output {
    let program = place.copy("/bin/sleep", "pwtbelow");
    let other = place.directory("other");
    let script = format!(
        "PW={} OTHER={}\n\
         unshare -pf --kill-child sh -c \"mount -t proc proc $OTHER; exec {} 60\" & below=$!\n\
         until grep -qsx pwtbelow $OTHER/1/comm; do sleep 0.02; done\n{script}\ncode=$?\nkill -9 $below; exit $code",
        place.procward().display(),
        other.display(),
        program.display()
    );
    output(command("unshare").args(["-mpf", "--mount-proc", "--kill-child", "sh", "-c", &script]))
}

#[test]
fn another_pid_namespace_is_judged_where_it_was_asked_for_and_said() {
    need!(may_mount(), "proc can't be mounted");
    let place = Place::new();
    let check = "$PW check --format mon --proc $OTHER pwtbelow:1 comm=sh:0";
    let said = beside_another_namespace(&place, check).ends(0);
    assert_eq!(
        said.stdout(),
        format!(
            "OK: 2 checks\nincomplete view: {} is not this host's own /proc: nothing is said of processes \
             outside it\n",
            place.path().join("other").display()
        )
    );
}

#[test]
fn another_pid_namespace_in_the_place_of_proc_is_unknown() {
    need!(may_mount(), "proc can't be mounted");
    let place = Place::new();
    let check = "mount --bind $OTHER /proc && $PW check --format mon comm=sh:0 pwtbelow:1- comm=pwtbelow:0";
    let said = beside_another_namespace(&place, check).ends(2);
    // What is there is there, what is not may be elsewhere.
    assert_eq!(
        said.first_line(),
        "CRITICAL: comm=pwtbelow running (pwtbelow, root)"
    );
    let check = "mount --bind $OTHER /proc && $PW check --format mon comm=sh:0 pwtbelow:1-";
    let said = beside_another_namespace(&place, check).ends(3);
    let gap = "incomplete view: /proc is not the /proc of procward's own PID namespace, whose processes it does \
               not list";
    assert_eq!(
        said.stdout(),
        format!(
            "UNKNOWN: comm=sh unseen\n\
             comm=sh: none seen, any number may be hidden; want no process with comm sh\n  why: {gap}\n  \
             remedy: mount a proc file system of this PID namespace, or give --proc the one that is meant\n\
             1 other check ok\n{gap}\n"
        )
    );
}

#[test]
fn another_mount_of_the_own_proc_shows_the_same_and_procward_is_not_counted() {
    need!(may_mount(), "proc can't be mounted");
    let place = Place::new();
    let second = place.directory("second");
    let script = format!(
        "mount -t proc proc {0} && $PW check --format mon --proc {0} pwtview:1 comm=procward:0 comm=sh:1",
        second.display()
    );
    let said = within(&place, "hidepid=0", &script).ends(0);
    assert_eq!(said.stdout(), "OK: 3 checks\n");
    // Its options are its own, and a path through another process's root leads to them too.
    let script = format!(
        "mount -t proc -o hidepid=2 proc {0} || exit 77\n\
         {NOBODY} $PW check --format mon --proc {0} pwtnosuch:0; echo $?\n\
         {NOBODY} sh -c '$0 check --format mon --proc /proc/$$/root{0} pwtnosuch:0; echo $?' $PW",
        second.display()
    );
    let said = within(&place, "hidepid=0", &script).ends(0);
    assert_eq!(
        said.stdout().lines().filter(|line| *line == "3").count(),
        2,
        "{}",
        said.stdout()
    );
}

#[test]
fn the_proc_of_the_namespace_above_shows_procward_and_the_host() {
    need!(may_mount(), "proc can't be mounted");
    let place = Place::new();
    // No --mount-proc: /proc is that of the namespace above.
    let script = "unshare -pf --kill-child $PW check --format mon pwtview:1 comm=procward:0";
    assert_eq!(
        within(&place, "hidepid=0", script).ends(0).stdout(),
        "OK: 2 checks\n"
    );
}
