//! What the installed copy lends to those in its group, and what it does not. The layout is that of an installation, in a
//! directory of the test's own, with the debug binary.

use crate::common::{Output, Place, Procward, command, ids, is_root, need, output, spawn, unique, wait_for};
use crate::process::Live;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Any group that nobody is not in.
const GROUP: u32 = 60;
const LENT: &str = "cap_sys_ptrace,cap_dac_read_search=p";
/// CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH.
const BOTH: u64 = 1 << 19 | 1 << 2;

/// `bin/procward`, links to it, and the copy in `lib/procward`.
struct Installed {
    place: Place,
}

impl Installed {
    /// None, with a skip, where it takes more than there is.
    fn new() -> Option<Installed> {
        let installed = Installed::with(|copy, bin| {
            std::fs::copy(bin, copy).expect("a copy");
        })?;
        let copy = installed.copy();
        let granted = output(command("setcap").arg(LENT).arg(&copy));
        if granted.code() != Some(0) {
            crate::common::skip("the file system below /tmp takes no capabilities");
            return None;
        }
        Some(installed)
    }

    fn with(make: impl FnOnce(&Path, &Path)) -> Option<Installed> {
        if !is_root() || ids("nobody").is_none() || !Path::new("/usr/sbin/setcap").exists() {
            crate::common::skip("it takes root, the user nobody, and setcap (libcap2-bin)");
            return None;
        }
        let place = Place::new();
        place.directory("bin");
        place.directory("lib");
        place.directory("lib/procward");
        let plain = place.copy(env!("CARGO_BIN_EXE_procward"), "bin/procward");
        for name in [
            "check_procward",
            "procward.monitor",
            "ps.monitor",
            "cpu.monitor",
            "audit.monitor",
            "deleted-mapped.monitor",
            "check_procs",
        ] {
            symlink("procward", place.path().join("bin").join(name)).expect("a link");
        }
        let copy = place.path().join("lib/procward/procward");
        make(&copy, &plain);
        chown(&copy, None, Some(GROUP)).expect("chown");
        std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o750)).expect("chmod");
        Some(Installed { place })
    }

    fn copy(&self) -> PathBuf {
        self.place.path().join("lib/procward/procward")
    }

    /// The program under a name, as nobody, with more words for setpriv.
    fn started(&self, name: &str, how: &[&str]) -> Procward {
        let (uid, gid) = ids("nobody").expect("nobody");
        let mut words = vec![
            "setpriv".to_owned(),
            format!("--reuid={uid}"),
            format!("--regid={gid}"),
        ];
        words.extend(how.iter().map(|word| (*word).to_owned()));
        Procward::at(&self.place.path().join("bin").join(name)).within(words)
    }

    fn member(&self, name: &str) -> Procward {
        self.started(name, &["--groups=60"])
    }

    fn stranger(&self, name: &str) -> Procward {
        self.started(name, &["--clear-groups"])
    }

    /// The copy itself, under a name, as a member.
    fn copy_as(&self, name: &str) -> Command {
        let mut command = command("setpriv");
        let (uid, gid) = ids("nobody").expect("nobody");
        let script = format!("exec -a '{name}' '{}' \"$@\"", self.copy().display());
        command.args([
            &format!("--reuid={uid}"),
            &format!("--regid={gid}"),
            "--groups=60",
        ]);
        command.args(["bash", "-c", &script, "bash"]);
        command
    }
}

/// A process of root's, and a spec that takes a right to judge.
fn of_root(place: &Place) -> (Live, String) {
    let name = unique("l");
    let live = Live::named(place, &name);
    let spec = format!("{},pid={}:1", place.path().join(&name).display(), live.pid());
    (live, spec)
}

#[test]
fn under_a_monitors_name_a_member_of_the_group_sees_what_root_sees_and_nobody_else_does() {
    let Some(installed) = Installed::new() else { return };
    let (live, spec) = of_root(&installed.place);
    let fds = format!("fds>0,pid={}:1", live.pid());
    for name in ["check_procward", "procward.monitor", "ps.monitor"] {
        installed.member(name).args([&spec, &fds]).run().ends(0);
        let remedy = "  remedy: grant CAP_SYS_PTRACE (sudo procward grant nobody, or \
                      AmbientCapabilities=CAP_SYS_PTRACE in the unit), or write ";
        let said = installed.stranger(name).args([&spec, &fds]).run();
        drop(said.ends(3).says(remedy));
    }
    let all = |said: Output| {
        let text = said.stdout();
        let line = text
            .lines()
            .find(|line| line.contains("processes fully readable"));
        line.map(|line| line.trim().split(' ').next().unwrap().parse::<u32>().unwrap())
    };
    // PID 1 may be closed even to root; nothing else is.
    let told = all(installed.member("deleted-mapped.monitor").run());
    let as_root = all(Procward::at(&installed.place.path().join("bin/deleted-mapped.monitor")).run());
    assert_eq!(told.is_none(), as_root.is_none(), "{told:?} {as_root:?}");
    assert!(all(installed.stranger("deleted-mapped.monitor").run()).is_some());
}

#[test]
fn under_its_own_name_or_a_strangers_it_lends_nothing() {
    let Some(installed) = Installed::new() else { return };
    let (_live, spec) = of_root(&installed.place);
    installed.member("procward").args(["check", &spec]).run().ends(3);
    for name in ["procward", "x", "", "/", "check_procward/..", "xcheck_procward"] {
        output(installed.copy_as(name).args(["check", &spec])).ends(3);
    }
    output(installed.copy_as("/x/check_procward").arg(&spec)).ends(0);
}

#[test]
fn where_the_kernel_gives_no_capabilities_it_goes_on_without() {
    let Some(installed) = Installed::new() else { return };
    let (_live, spec) = of_root(&installed.place);
    let plain = installed.stranger("check_procward").arg(&spec).run().ends(3);
    let without_age = |said: &Output| said.stdout().split("up ").next().unwrap().to_owned();
    for how in [
        "--no-new-privs",
        "--bounding-set=-sys_ptrace",
        "--bounding-set=-all",
    ] {
        let said = installed.started("check_procward", &["--groups=60", how]);
        let said = said.arg(&spec).run().ends(3);
        assert_eq!(without_age(&said), without_age(&plain), "{how}");
    }
}

const SECRET: &str = "root:$y$pwtsecret:20000:0:99999:7:::\n";

#[test]
fn nothing_of_a_file_that_the_caller_may_not_read_is_told_whatever_option_names_it() {
    let Some(installed) = Installed::new() else { return };
    let closed = installed.place.directory("closed");
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
    let mine = installed.place.directory("mine");
    let (uid, gid) = ids("nobody").unwrap();
    chown(&mine, Some(uid), Some(gid)).unwrap();
    for file in ["secret", "secret.toml", "secret.prom"] {
        std::fs::write(closed.join(file), SECRET).unwrap();
        let open = installed.place.path().join(file);
        std::fs::write(&open, SECRET).unwrap();
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o600)).unwrap();
        symlink(&open, mine.join(format!("link-{file}"))).unwrap();
    }
    let at = |path: &str| installed.place.path().join(path).display().to_string();
    let mut cases: Vec<(&str, Vec<String>)> = Vec::new();
    let files = ["secret", "secret.toml", "closed/secret", "mine/link-secret"].map(at);
    for file in files.into_iter().chain(["/etc/shadow".to_owned()]) {
        for option in ["--config", "--snapshot", "--state"] {
            cases.push(("check_procward", vec![option.into(), file.clone()]));
        }
        cases.push(("check_procs", vec![format!("--extra-opts=@{file}")]));
        cases.push(("check_procs", vec![format!("--extra-opts=root@{file}")]));
        cases.push(("check_procs", vec![format!("--input-file={file}")]));
    }
    for name in ["procward.monitor", "cpu.monitor", "audit.monitor"] {
        for option in ["--config", "--snapshot"] {
            cases.push((name, vec![option.into(), at("secret.toml")]));
        }
    }
    cases.push(("cpu.monitor", vec!["--state".into(), at("secret")]));
    cases.push(("check_procward", vec!["--config".into(), at("closed")]));
    for file in [
        "secret.prom",
        "closed/secret.prom",
        "closed/new.prom",
        "mine/link-secret.prom",
    ] {
        let words = ["--format", "prometheus", "--output", &at(file), "pwtnosuch:0"];
        cases.push(("check_procward", words.map(str::to_owned).to_vec()));
    }
    let shadow = std::fs::read_to_string("/etc/shadow").unwrap_or_default();
    let shadow: Vec<&str> = shadow.lines().filter(|line| line.len() > 8).collect();
    let silent = |said: &Output, about: &dyn std::fmt::Debug| {
        let text = said.stdout() + &said.stderr();
        assert!(!text.contains("pwtsecret"), "{about:?}: {text}");
        assert!(!shadow.iter().any(|line| text.contains(line)), "{about:?}");
    };
    for (name, words) in &cases {
        silent(&installed.member(name).args(words.clone()).run(), &(name, words));
    }
    for (variable, value) in [
        ("PROCWARD_CONFIG", at("secret.toml")),
        ("MON_STATEDIR", at("closed")),
    ] {
        for name in ["check_procward", "cpu.monitor"] {
            silent(
                &installed.member(name).env(variable, &value).run(),
                &(name, variable),
            );
        }
    }
    for file in ["secret", "secret.toml", "secret.prom"] {
        assert_eq!(std::fs::read_to_string(at(file)).unwrap(), SECRET);
        assert_eq!(std::fs::read_to_string(closed.join(file)).unwrap(), SECRET);
    }
    assert_eq!(std::fs::read_dir(&closed).unwrap().count(), 3);
    // In words, where it counts most, and what a program tells whose capabilities are effective from the start.
    let said = installed
        .member("check_procward")
        .args(["--config", "/etc/shadow"])
        .run()
        .ends(3);
    assert_eq!(
        said.stdout(),
        "PROCS UNKNOWN: /etc/shadow faulty\n/etc/shadow: faulty, not checked\n  \
         /etc/shadow: cannot be read: Permission denied (os error 13)\n    \
         help: let the user who runs procward read it\n"
    );
    let bold = installed.place.copy(env!("CARGO_BIN_EXE_procward"), "bin/bold");
    output(command("setcap").arg("cap_dac_read_search=ep").arg(&bold)).ends(0);
    let said = installed
        .member("bold")
        .args(["check", "--config", &at("secret.toml")])
        .run();
    assert!(said.stdout().contains("pwtsecret"), "{}", said.stdout());
}

#[test]
fn what_a_caller_writes_does_not_tell_whether_a_file_is_there_that_he_may_not_look_for() {
    let Some(installed) = Installed::new() else { return };
    let closed = installed.place.directory("closed");
    std::fs::copy("/bin/cat", closed.join("here")).unwrap();
    std::fs::write(closed.join("here.toml"), "[[check]]\n").unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
    let own = std::process::id();
    let told = |file: &str| {
        let path = closed.join(file).display().to_string();
        let config = format!(
            "[[check]]\nname = \"a\"\nselect = \"{path},pid={own}\"\ncount = \"0\"\n\
             [[check]]\nname = \"b\"\nselect = \"pid={own},script={path}\"\ncount = \"0\"\n\
             [[check]]\nname = \"c\"\nselect = \"pid={own},cwd={path}\"\ncount = \"0\"\n\
             [[check]]\nname = \"d\"\nselect = \"pid={own}\"\nwhen = \"exists {path}\"\n\
             [[check]]\nname = \"e\"\nselect = \"exe={path},pid={own}\"\n"
        );
        let config = installed.place.script("p.toml", &config).display().to_string();
        let toml = format!("{path}.toml");
        let metrics = format!("{path}.prom");
        let one = format!("pid={own}:1");
        let runs = [
            &["--config", &config, "--recheck", "0", "-v"][..],
            &["--config", &toml],
            &["--snapshot", &path],
            &["--state", &path, &one],
            &["--format", "prometheus", "--output", &metrics, "pwtnosuch:0"],
        ];
        let texts = runs.map(|words| {
            installed
                .member("check_procward")
                .args(words.to_vec())
                .run()
                .stdout()
        });
        texts.map(|text| {
            let still = text
                .split(" (root, up ")
                .map(|part| part.split_once("s, ").map_or(part, |(_, rest)| rest));
            still.collect::<String>().replace(file, "FILE")
        })
    };
    let (here, gone) = (told("here"), told("gone"));
    for (here, gone) in here.iter().zip(&gone) {
        assert!(!here.is_empty());
        assert_eq!(here, gone);
    }
}

#[test]
fn another_proc_is_refused_with_what_to_write_instead() {
    let Some(installed) = Installed::new() else { return };
    let sentence = "--proc is refused with the rights of the group procward, which are for the /proc of this host: \
                    write procward check --proc DIR, which looks with your own\n";
    let said = installed
        .member("check_procward")
        .args(["--proc", "/proc"])
        .run()
        .ends(3);
    assert_eq!(
        said.stdout(),
        format!("PROCS UNKNOWN: --proc faulty\n--proc: faulty, not checked\n  --proc: {sentence}")
    );
    for name in ["cpu.monitor", "audit.monitor"] {
        let said = installed.member(name).args(["--proc", "/proc"]).run().ends(3);
        assert_eq!(said.stdout(), format!("UNKNOWN: {sentence}"));
    }
    installed
        .stranger("check_procward")
        .args(["--proc", "/proc", "pwtnosuch:0"])
        .run()
        .ends(0);
}

#[test]
fn the_copy_is_entered_only_where_root_alone_can_have_put_it_and_not_by_root() {
    let script = |copy: &Path, _: &Path| std::fs::write(copy, "#!/bin/sh\necho \"copy $*\"\n").unwrap();
    let Some(installed) = Installed::with(script) else {
        return;
    };
    let said = |run: Procward| run.arg("pwtnosuch:0").run().first_line();
    let fine = "PROCS OK: 1 check | pwtnosuch=0;;0;0";
    assert_eq!(said(installed.member("check_procward")), "copy pwtnosuch:0");
    assert_eq!(said(installed.stranger("check_procward")), fine);
    let link = installed.place.path().join("bin/check_procward");
    assert_eq!(said(Procward::at(&link)), fine);
    let (copy, directory) = (installed.copy(), installed.place.path().join("lib/procward"));
    let mode =
        |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    let (uid, _) = ids("nobody").unwrap();
    let check = |wanted: &str| assert_eq!(said(installed.member("check_procward")), wanted);
    mode(&directory, 0o777);
    check(fine);
    mode(&directory, 0o755);
    mode(&copy, 0o770);
    check(fine);
    mode(&copy, 0o750);
    check("copy pwtnosuch:0");
    chown(&copy, Some(uid), None).unwrap();
    check(fine);
    chown(&copy, Some(0), None).unwrap();
    chown(&directory, Some(uid), None).unwrap();
    check(fine);
    chown(&directory, Some(0), None).unwrap();
    let elsewhere = installed.place.path().join("elsewhere");
    std::fs::rename(&copy, &elsewhere).unwrap();
    symlink(&elsewhere, &copy).unwrap();
    check(fine);
}

#[test]
fn a_copy_that_is_the_program_itself_is_not_entered_for_ever() {
    let Some(installed) = Installed::new() else { return };
    let lib = installed.place.path().join("lib");
    symlink(&lib, lib.join("lib")).unwrap();
    let (_live, spec) = of_root(&installed.place);
    output(installed.copy_as("check_procward").arg(&spec)).ends(0);
    // And without what it lends.
    output(command("setcap").arg("-r").arg(installed.copy())).ends(0);
    output(installed.copy_as("check_procward").arg(&spec)).ends(3);
}

#[test]
fn a_library_that_the_environment_names_is_not_loaded_into_the_copy() {
    let Some(installed) = Installed::new() else { return };
    need!(Path::new("/usr/bin/gcc").exists(), "gcc is not installed");
    let mine = installed.place.directory("mine");
    std::fs::set_permissions(&mine, std::fs::Permissions::from_mode(0o777)).unwrap();
    let (source, library, mark) = (mine.join("x.c"), mine.join("x.so"), mine.join("mark"));
    let text = format!(
        "#include <fcntl.h>\n__attribute__((constructor)) static void mark(void) {{ creat(\"{}\", 0644); }}\n",
        mark.display()
    );
    std::fs::write(&source, text).unwrap();
    output(
        command("gcc")
            .args(["-shared", "-fPIC", "-o"])
            .arg(&library)
            .arg(&source),
    )
    .ends(0);
    let preload = |command: &mut Command| {
        let _ = std::fs::remove_file(&mark);
        // Not for setpriv and the shell before it.
        let said = output(command.env("PWTPRELOAD", &library));
        (said.code(), mark.exists())
    };
    let (uid, gid) = ids("nobody").unwrap();
    let run = |program: &Path| {
        let script = format!(
            "LD_PRELOAD=$PWTPRELOAD exec -a check_procward '{}' pwtnosuch:0",
            program.display()
        );
        let mut command = command("setpriv");
        command.args([
            &format!("--reuid={uid}"),
            &format!("--regid={gid}"),
            "--groups=60",
        ]);
        // The shell's exec takes the variable to the program alone.
        command.args(["bash", "-c", &script]);
        command
    };
    assert_eq!(preload(&mut run(&installed.copy())), (Some(0), false));
    assert_eq!(
        preload(&mut run(&installed.place.path().join("bin/procward"))),
        (Some(0), true)
    );
}

/// The files that were looked for by path, and whether that was while capabilities were effective.
fn looked_for(trace: &str) -> Vec<(bool, String)> {
    let mut raised = std::collections::BTreeMap::new();
    let mut found = Vec::new();
    for line in trace.lines() {
        let Some((pid, call)) = line.split_once(' ') else {
            continue;
        };
        let call = call.trim_start();
        if let Some(after) = call
            .split("effective=")
            .nth(1)
            .filter(|_| call.starts_with("capset("))
        {
            raised.insert(pid.to_owned(), !after.starts_with("0,"));
        } else if call.starts_with("execve(") {
            raised.remove(pid);
        } else if let Some(path) = call.split('"').nth(1).filter(|path| path.starts_with('/')) {
            found.push((raised.get(pid).copied().unwrap_or(false), path.to_owned()));
        }
    }
    found
}

#[test]
fn capabilities_are_in_use_only_while_proc_is_read() {
    let Some(installed) = Installed::new() else { return };
    need!(Path::new("/usr/bin/strace").exists(), "strace is not installed");
    let (live, spec) = of_root(&installed.place);
    let (select, _) = spec.rsplit_once(':').unwrap();
    let text = format!(
        "[[check]]\nname = \"a\"\nselect = \"{select}\"\nwhen = \"exists /bin/cat\"\n\
         [[check]]\nname = \"b\"\nselect = \"user=root,fds>0,pid={}\"\n",
        live.pid()
    );
    let config = installed.place.script("p.toml", &text).display().to_string();
    let mine = installed.place.directory("mine");
    let (uid, gid) = ids("nobody").unwrap();
    chown(&mine, Some(uid), Some(gid)).unwrap();
    let state = mine.join("state").display().to_string();
    let trace = installed.place.path().join("trace");
    let link = installed.place.path().join("bin/check_procward");
    let said = output(
        command("strace")
            .args(["-f", "-qq", "-e", "trace=capset,execve,%file", "-o"])
            .arg(&trace)
            .args([
                "setpriv",
                &format!("--reuid={uid}"),
                &format!("--regid={gid}"),
                "--groups=60",
            ])
            .arg(&link)
            .args(["--config", &config, "--state", &state]),
    );
    let said = said.ends(0);
    assert!(
        said.stdout().starts_with("PROCS OK: 2 checks |"),
        "{}",
        said.stdout()
    );
    let looked_for = looked_for(&std::fs::read_to_string(&trace).unwrap());
    let while_raised = |wanted: bool| looked_for.iter().filter(move |(raised, _)| *raised == wanted);
    assert!(while_raised(true).any(|(_, path)| path == "/proc"));
    for (_, path) in while_raised(true) {
        assert!(path == "/proc" || path.starts_with("/proc/"), "{path}");
    }
    for named in [&config, &state, "/bin/cat"] {
        assert!(
            while_raised(false).any(|(_, path)| path.starts_with(named)),
            "{named}"
        );
    }
    assert_eq!(std::fs::metadata(&state).unwrap().uid(), uid);
}

#[test]
fn the_name_service_is_asked_without_them() {
    let Some(installed) = Installed::new() else { return };
    need!(Path::new("/usr/bin/strace").exists(), "strace is not installed");
    let (live, _) = of_root(&installed.place);
    let trace = installed.place.path().join("trace");
    let (uid, gid) = ids("nobody").unwrap();
    output(
        command("strace")
            .args(["-f", "-qq", "-e", "trace=capset,execve,%file", "-o"])
            .arg(&trace)
            .args(["setpriv", &format!("--reuid={uid}"), &format!("--regid={gid}")])
            .arg("--groups=60")
            .arg(installed.place.path().join("bin/check_procward"))
            .arg(format!(
                "pid={},user.exists=yes,group.account=root,fds>0:1",
                live.pid()
            )),
    )
    .ends(0);
    let looked_for = looked_for(&std::fs::read_to_string(&trace).unwrap());
    assert!(looked_for.contains(&(false, "/etc/group".to_owned())));
    for (raised, path) in looked_for {
        assert!(!raised || path == "/proc" || path.starts_with("/proc/"), "{path}");
    }
}

#[test]
fn while_it_waits_no_capability_is_in_use_and_its_user_can_not_get_into_it() {
    let Some(installed) = Installed::new() else { return };
    let (uid, gid) = ids("nobody").unwrap();
    let mut child = spawn(
        command(installed.place.path().join("bin/check_procward"))
            .args(["--recheck", "20s", "--timeout", "30s", "pwtnosuch:1"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Without root's, which setgroups(2) would take.
            .uid(uid)
            .gid(GROUP),
    );
    let pid = child.id();
    let worker = wait_for("the worker", 20, || {
        let list = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
        list.trim().parse::<u32>().ok()
    });
    assert_ne!(gid, GROUP);
    for pid in [pid, worker] {
        let sets = || {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
            let of = |key: &str| {
                let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
                u64::from_str_radix(line.trim(), 16).unwrap()
            };
            (of("CapPrm:"), of("CapEff:"), of("CapInh:"), of("CapAmb:"))
        };
        wait_for("it to wait", 20, || (sets() == (BOTH, 0, 0, 0)).then_some(()));
        // Files of a process that must not be traced or dumped are root's: proc(5).
        assert_eq!(std::fs::metadata(format!("/proc/{pid}/mem")).unwrap().uid(), 0);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    wait_for("the worker's end", 20, || {
        (!Path::new(&format!("/proc/{worker}")).exists()).then_some(())
    });
}
