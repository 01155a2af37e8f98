//! What an unprivileged user can't see, and what the remedies that are told for it are worth.

use crate::common::{Output, Place, Procward, command, ids, is_root, need, output, unique};
use crate::process::Live;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const TRACE: &str =
    "grant CAP_SYS_PTRACE (AmbientCapabilities=CAP_SYS_PTRACE in the unit, or setcap cap_sys_ptrace+ep)";

fn as_nobody(specs: &[&str]) -> Output {
    Procward::check("mon").user("nobody").args(specs.to_vec()).run()
}

#[test]
fn the_remedy_for_a_missing_right_is_a_spec_that_works_without_it() {
    need!(is_root(), "only root can become nobody");
    let place = Place::new();
    let name = unique("r");
    let _live = Live::named(&place, &name);
    let spec = format!("{}:1", place.path().join(&name).display());
    let said = as_nobody(&[&spec]).ends(3);
    assert_eq!(said.first_line(), format!("UNKNOWN: {name} unseen"));
    let written = format!("{name},user=root:1");
    let remedy = format!("  remedy: {TRACE}, or write {written}, which takes no right\n");
    let said = said.says(&format!("  why: exe of 1 process: permission denied\n{remedy}"));
    drop(said);
    as_nobody(&[&written]).ends(0);
}

#[test]
fn the_right_that_is_named_suffices_as_an_ambient_capability_and_as_a_files() {
    need!(is_root(), "only root can grant rights");
    need!(
        Path::new("/usr/sbin/setcap").exists(),
        "setcap is not installed (libcap2-bin)"
    );
    let Some((uid, gid)) = ids("nobody") else {
        return crate::common::skip("no user nobody");
    };
    let place = Place::new();
    let name = unique("g");
    let live = Live::named(&place, &name);
    let exe = format!("exe={},pid={}:1", place.path().join(&name).display(), live.pid());
    let fds = format!("fds>0,pid={}:1", live.pid());
    let nobody = |program: &Path, capability: Option<&str>| {
        let mut words = vec![
            format!("--reuid={uid}"),
            format!("--regid={gid}"),
            "--clear-groups".into(),
        ];
        if let Some(capability) = capability {
            words.push(format!("--inh-caps=+{capability}"));
            words.push(format!("--ambient-caps=+{capability}"));
        }
        let mut command = command("setpriv");
        command.args(words).arg(program);
        command
    };
    let plain = place.procward();
    for (spec, capability) in [(&exe, "sys_ptrace"), (&fds, "dac_read_search")] {
        output(nobody(&plain, None).args(["check", spec])).ends(3);
        output(nobody(&plain, Some(capability)).args(["check", spec])).ends(0);
        let file = place.copy(&plain.display().to_string(), capability);
        let granted = output(command("setcap").arg(format!("cap_{capability}+ep")).arg(&file));
        need!(
            granted.code() == Some(0),
            "the file system below /tmp takes no capabilities"
        );
        output(nobody(&file, None).args(["check", spec])).ends(0);
    }
}

/// `config check --as USER`, run by root.
fn tried_as(user: &str, place: &Place, config: &Path) -> Output {
    Procward::at(&place.procward())
        .args(["config", "check", "--as", user, "--config"])
        .arg(config)
        .run()
}

fn configured(place: &Place, text: &str) -> PathBuf {
    let path = place.path().join("p.toml");
    std::fs::write(&path, text).expect("a configuration file");
    std::fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("chmod");
    path
}

/// A check that means a live process by its program file, which takes a right.
fn by_program(place: &Place, name: &str, live: &Live) -> PathBuf {
    let path = place.path().join(name);
    let text = format!(
        "[[check]]\nname = \"d\"\nselect = \"exe={},pid={}\"\n",
        path.display(),
        live.pid()
    );
    configured(place, &text)
}

/// The output without the service that it may have found.
fn plain(said: &Output) -> String {
    let text = said.stdout();
    let lines = text.split_inclusive('\n');
    lines.filter(|line| !line.starts_with("  unit: ")).collect()
}

#[test]
fn what_a_user_lacks_is_told_check_by_check_with_what_to_grant_and_what_to_write() {
    need!(is_root(), "only root can become nobody");
    let place = Place::new();
    let [name, script] = [unique("a"), unique("b.py")];
    let live = Live::named(&place, &name);
    let program = place.script(&script, "import sys\nsys.stdin.read()\n");
    let python = std::fs::canonicalize("/usr/bin/python3").expect("python3");
    // By its link, so that neither comm nor argv[0] has the file name asked for.
    let scripted = Live::run(command("/usr/bin/python3").arg(&program), "python3");
    let path = place.path().join(&name);
    let (path, python) = (path.display(), python.display());
    // PID 1 may be closed even to root, so what forbids asks about one process only.
    let (pid, other) = (live.pid(), scripted.pid());
    let config = configured(
        &place,
        &format!(
            "[[check]]\nname = \"daemon\"\nselect = \"{path}\"\ncount = \"1\"\n\
             [[check]]\nname = \"forbidden\"\nselect = \"/usr/sbin/pwtgone,pid={pid}\"\ncount = \"0\"\n\
             [[check]]\nname = \"absent\"\nselect = \"/usr/sbin/pwtgone\"\n\
             [[check]]\nname = \"script\"\nselect = \"exe={python},pid={other}\"\n\
             [[check]]\nname = \"leak\"\nselect = \"fds>50000,pid={pid}\"\ncount = \"0\"\n\
             [[check]]\nname = \"by name\"\nselect = \"{name}\"\n\
             [[check]]\nname = \"own\"\nselect = \"/usr/sbin/pwtgone,user=nobody\"\n\
             [[check]]\nname = \"elsewhere\"\nselect = \"a\"\nwhen = \"exists /pwt/no/such\"\n"
        ),
    );
    let said = tried_as("nobody", &place, &config).ends(3);
    let procward = place.procward();
    let (procward, file) = (procward.display(), config.display());
    assert_eq!(
        plain(&said),
        format!(
            "\
daemon: UNKNOWN as nobody, OK with CAP_SYS_PTRACE
  why: exe of 1 process: permission denied
  grant: CAP_SYS_PTRACE
  or write: select = \"{name},user=root\", OK as nobody: it means the same process

forbidden: UNKNOWN as nobody, OK with CAP_SYS_PTRACE
  why: exe of 1 process: permission denied
  grant: CAP_SYS_PTRACE
  or write: select = \"pwtgone,pid={pid}\", OK as nobody; weaker: a process can call itself otherwise

absent: CRITICAL as nobody now, and UNKNOWN once it runs as another user
  why: nobody can't read exe of others' processes
  grant: CAP_SYS_PTRACE
  or write: select = \"pwtgone\", untried: no such process runs now

script: CRITICAL as nobody, OK with CAP_SYS_PTRACE
  why: nobody can't read exe of others' processes
  grant: CAP_SYS_PTRACE
  or write: select = \"{script},pid={other},user=root\", OK as nobody: it means the same process

leak: UNKNOWN as nobody, OK with CAP_DAC_READ_SEARCH
  why: fds of 1 process: permission denied
  grant: CAP_DAC_READ_SEARCH
  or write: nothing: no spec of keys that everybody may read says the same

7 checks judged as nobody, 5 need more than nobody's rights, 1 skipped here

To grant CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH to procward as nobody, one of:
        (a daemon that starts as root and becomes nobody by itself, as nrpe does, loses it)
  file: setcap cap_sys_ptrace,cap_dac_read_search+ep {procward}
        (for all who may run it; not where NoNewPrivileges= is set; to be done again after an upgrade)
  sudo: nobody ALL=(root) NOPASSWD: {procward} check --config {file} --format nagios
        (and let the plugin's command begin with sudo)
CAP_DAC_READ_SEARCH lets procward read every file, and show what it takes for a faulty configuration.
"
        )
    );
}

#[test]
fn what_is_said_to_be_written_gives_the_verdict_that_is_said() {
    need!(is_root(), "only root can become nobody");
    let place = Place::new();
    let name = unique("w");
    let _live = Live::named(&place, &name);
    let path = place.path().join(&name);
    let check = |select: &str| format!("[[check]]\nname = \"daemon\"\n{select}\ncount = \"1\"\n");
    let config = configured(&place, &check(&format!("select = \"{}\"", path.display())));
    let said = tried_as("nobody", &place, &config).ends(3).stdout();
    let line = said.lines().find_map(|line| line.strip_prefix("  or write: "));
    let (select, verdict) = line.and_then(|line| line.split_once(", OK")).expect("a select");
    assert_eq!(verdict, " as nobody: it means the same process");
    let config = configured(&place, &check(select));
    let judged = |user: &str| {
        let run = Procward::check("mon")
            .user(user)
            .arg("--config")
            .arg(&config)
            .run();
        run.ends(0).first_line()
    };
    assert_eq!(judged("nobody"), "OK: 1 check");
    assert_eq!(
        tried_as("nobody", &place, &config).ends(0).stdout(),
        "1 check judged as nobody, none needs more than nobody's rights\n"
    );
}

/// A cgroup of the hierarchy that systemd uses, gone when dropped.
struct Group(PathBuf);

impl Group {
    /// `SLICE/UNIT`; none where cgroups can't be made.
    fn new(slice: &str, unit: &str) -> Option<Group> {
        let named = Path::new("/sys/fs/cgroup/systemd");
        let root = if named.is_dir() {
            named
        } else {
            Path::new("/sys/fs/cgroup")
        };
        let group = Group(root.join(slice).join(unit));
        std::fs::create_dir_all(&group.0).ok()?;
        Some(group)
    }

    fn take(&self, live: &Live) -> bool {
        std::fs::write(self.0.join("cgroup.procs"), live.pid().to_string()).is_ok()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.0);
        let _ = self.0.parent().map(std::fs::remove_dir);
    }
}

#[test]
fn a_service_is_named_by_its_unit_with_a_pattern_for_its_instances() {
    need!(is_root(), "only root can make cgroups");
    let place = Place::new();
    let name = unique("u");
    let group = Group::new(&format!("{name}.slice"), &format!("{name}@-.service"));
    need!(group.is_some(), "cgroups can't be made here");
    let group = group.expect("a cgroup");
    let live = Live::named(&place, &name);
    need!(group.take(&live), "processes can't be put into a cgroup here");
    // Another process of that name and user, that is not the service's.
    let beside = place.directory("beside");
    std::fs::copy("/bin/cat", beside.join(&name)).expect("a program");
    let _stranger = Live::run(&mut command(beside.join(&name)), &name);
    let path = place.path().join(&name);
    let text = format!(
        "[[check]]\nname = \"d\"\nselect = \"{}\"\ncount = \"1\"\n",
        path.display()
    );
    let said = tried_as("nobody", &place, &configured(&place, &text)).ends(3);
    let alternative =
        format!("select = \"{name},unit={name}@*.service\", OK as nobody: it means the same process");
    let said = said.says(&format!(
        "d: UNKNOWN as nobody, OK with CAP_SYS_PTRACE\n  why: exe of 2 processes: permission denied\n  \
         grant: CAP_SYS_PTRACE\n  or write: {alternative}\n"
    ));
    drop(said);
    as_nobody(&[&format!("{name},unit={name}@*.service:1")]).ends(0);
    drop(live);
}

#[test]
fn a_configuration_that_the_user_may_not_read_is_told_and_its_faults_too() {
    need!(is_root(), "only root can become nobody");
    let place = Place::new();
    let text = "[[check]]\nname = \"a\"\nselect = \"pwtnosuch\"\ncount = \"0\"\n\
                [[check]]\nname = \"b\"\nselect = \"x,user=pwtnobody\"\n";
    let config = configured(&place, text);
    // Of root's group: were the groups not given up, it could be read.
    std::fs::set_permissions(&config, Permissions::from_mode(0o640)).expect("chmod");
    let said = tried_as("nobody", &place, &config).ends(3);
    let file = config.display();
    assert_eq!(
        said.stdout(),
        format!(
            "{file}:7:18: no user `pwtnobody`\n  select = \"x,user=pwtnobody\"\n                   ^^^^^^^^^\n  \
             help: write a user of this host, or a number\n\n\
             {file}: as nobody it cannot be read: Permission denied (os error 13)\n  grant: let nobody read it\n\n\
             1 check judged as nobody, none needs more than nobody's rights, 1 faulty\n\
             procward as nobody does not see the checks of what nobody may not read\n"
        )
    );
}

#[test]
fn what_the_program_file_grants_is_counted_as_the_users() {
    need!(is_root(), "only root can grant rights");
    need!(
        Path::new("/usr/sbin/setcap").exists(),
        "setcap is not installed (libcap2-bin)"
    );
    let place = Place::new();
    let name = unique("s");
    let live = Live::named(&place, &name);
    let config = by_program(&place, &name, &live);
    tried_as("nobody", &place, &config).ends(3);
    let granted = output(command("setcap").arg("cap_sys_ptrace+ep").arg(place.procward()));
    need!(
        granted.code() == Some(0),
        "the file system below /tmp takes no capabilities"
    );
    assert_eq!(
        tried_as("nobody", &place, &config).ends(0).stdout(),
        "1 check judged as nobody, none needs more than nobody's rights\n"
    );
}

#[test]
fn only_root_tries_anothers_rights_and_everybody_his_own() {
    need!(is_root(), "only root can become nobody");
    let place = Place::new();
    let name = unique("o");
    let live = Live::named(&place, &name);
    let config = by_program(&place, &name, &live);
    let by_nobody = |user: &str| {
        let run = Procward::new()
            .user("nobody")
            .args(["config", "check", "--as", user, "--config"]);
        run.arg(&config).run()
    };
    assert_eq!(
        by_nobody("root").ends(3).stdout(),
        "UNKNOWN: only root can look with another user's rights: sudo procward config check --as root\n"
    );
    by_nobody("nobody").ends(3).says(&format!(
        "d: UNKNOWN as nobody\n  why: exe of 1 process: permission denied\n  grant: CAP_SYS_PTRACE\n  \
         or write: select = \"{name},pid={},user=root\", OK as nobody: it means the same process\n",
        live.pid()
    ));
    assert_eq!(
        tried_as("root", &place, &config).ends(0).stdout(),
        "1 check judged as root, none needs more than root's rights\n"
    );
}

#[test]
fn rights_are_tried_on_users_that_exist_and_on_the_live_host() {
    let run = |words: &[&str]| {
        Procward::new()
            .args(["config", "check"])
            .args(words.to_vec())
            .run()
    };
    assert_eq!(
        run(&["--as", "pwtnobody"]).ends(3).stdout(),
        "UNKNOWN: there is no user pwtnobody\n"
    );
    for elsewhere in [["--proc", "/tmp"], ["--snapshot", "/tmp/pwtnosuch"]] {
        assert_eq!(
            run(&["--as", "root", elsewhere[0], elsewhere[1]])
                .ends(3)
                .stdout(),
            "UNKNOWN: rights are tried on the live host: leave --proc and --snapshot out\n"
        );
    }
}

#[test]
fn what_hidepid_hides_from_the_user_is_told() {
    need!(is_root(), "only root can mount");
    let place = Place::new();
    let name = unique("h");
    let _live = Live::named(&place, &name);
    let config = configured(
        &place,
        &format!("[[check]]\nname = \"d\"\nselect = \"{name}\"\ncount = \"1\"\n"),
    );
    let script = format!(
        "mount -t proc -o hidepid=2 proc /proc || exit 77\n\
         exec {} config check --as nobody --config {}",
        place.procward().display(),
        config.display()
    );
    let said = output(command("unshare").args(["-m", "sh", "-c", &script]));
    need!(said.code() != Some(77), "proc can't be mounted with hidepid=2");
    let text = said.ends(3).stdout();
    assert!(text.starts_with("d: UNKNOWN as nobody, "), "{text}");
    assert!(
        text.contains("which hides others' processes\n  grant: CAP_SYS_PTRACE\n")
            && text.contains("\n  or write: nothing: no spec sees what hidepid hides\n"),
        "{text}"
    );
}
