//! What namespaces and mounts hide, show and forge.

use crate::common::{Place, Procward, command, ids, is_root, need, output, unique, wait_for};
use crate::process::Live;

#[test]
fn pid_1_of_a_pid_namespace_is_found_by_name() {
    need!(is_root(), "unshare needs root");
    let place = Place::new();
    let init = place.copy("/bin/sh", "pwtinit");
    let script = format!(
        "{} check pwtinit:1 comm=pwtinit,pid=1:1; exit $?",
        place.procward().display()
    );
    output(
        command("unshare")
            .args(["-pf", "--mount-proc"])
            .arg(&init)
            .args(["-c", &script]),
    )
    .ends(0);
}

#[test]
fn a_forbidden_process_is_found_in_a_container_and_a_wanted_one_is_not() {
    need!(is_root(), "unshare needs root");
    let place = Place::new();
    let program = place.copy("/bin/cat", "pwtcontained");
    let _live = Live::run_until_there_is(
        command("unshare").args(["-pf", "--kill-child"]).arg(program),
        "pwtcontained",
    );
    Procward::check("human")
        .arg("pwtcontained:0")
        .run()
        .ends(2)
        .says("pwtcontained running");
    // A PID namespace below a service of systemd's is that service's own.
    let service = std::fs::read_to_string("/proc/self/cgroup").is_ok_and(|path| path.contains(".service"));
    need!(!service, "the tests run as a service of systemd's");
    Procward::check("human")
        .arg("pwtcontained:1")
        .run()
        .ends(2)
        .says("pwtcontained missing");
    Procward::check("human")
        .arg("pwtcontained,scope=all:1-")
        .run()
        .ends(0);
}

#[test]
fn an_id_that_the_own_user_namespace_has_none_for_is_unknown() {
    need!(is_root(), "other ids need root");
    let place = Place::new();
    let program = place.copy("/bin/cat", "pwtunmapped");
    let mut held = command("setpriv");
    held.args(["--reuid=61001", "--regid=61001", "--groups=61002"])
        .arg(program);
    let _live = Live::run_until_there_is(&mut held, "pwtunmapped");
    let within = |spec: &str| {
        let mut unshare = command("unshare");
        unshare.args(["--user", "--map-root-user"]).arg(place.procward());
        output(unshare.args(["check", spec]))
    };
    need!(
        output(command("unshare").args(["--user", "--map-root-user", "true"])).code() == Some(0),
        "user namespaces can't be made here"
    );
    for spec in [
        "pwtunmapped,user=nobody:0",
        "pwtunmapped,uid.any=0:0",
        "pwtunmapped,gid.own=0:0",
        "pwtunmapped,group.supplementary=0:0",
        "pwtunmapped,gid.unearned!=none:0",
        "pwtunmapped,uid.differ=yes:0",
    ] {
        within(spec)
            .ends(3)
            .says("an id that procward's user namespace has none for")
            .says("run procward outside of its user namespace");
    }
    within("pwtunmapped,caps.permitted=none,threads=1:1").ends(0);
}

#[test]
fn what_hidepid_hides_is_unknown() {
    need!(is_root(), "only root can mount");
    let place = Place::new();
    let _live = Live::named(&place, "pwthidden");
    // A new mount of proc: a remount would change the host's, for the option belongs to both.
    let script = format!(
        "mount -t proc -o hidepid=2 proc /proc || exit 77\n\
         exec setpriv --reuid=65534 --regid=65534 --clear-groups {} check \"$0\"",
        place.procward().display()
    );
    for spec in ["pwthidden:1", "pwthidden:0", "pwtnosuch:0", "pwthidden:-5"] {
        let said = output(command("unshare").args(["-m", "sh", "-c", &script, spec]));
        need!(said.code() != Some(77), "proc can't be mounted with hidepid=2");
        said.ends(3).says("hidepid");
    }
}

#[test]
fn a_program_mounted_over_a_path_is_not_the_program_of_that_path() {
    need!(is_root(), "only root can become nobody");
    let Some((uid, gid)) = ids("nobody") else {
        return crate::common::skip("no user nobody");
    };
    let place = Place::new();
    let [real, fake] = ["real", "fake"].map(|name| place.directory(name));
    for name in ["real/pwtforged", "fake/pwtforged"] {
        place.copy("/bin/cat", name);
    }
    let path = real.join("pwtforged");
    let script = format!(
        "mount --bind {} {} && exec {}",
        fake.display(),
        real.display(),
        path.display()
    );
    let within = |script: &str| {
        let mut command = command("setpriv");
        command.args([&format!("--reuid={uid}"), &format!("--regid={gid}")]);
        command.args(["--clear-groups", "unshare", "-Urm", "sh", "-c", script]);
        command
    };
    need!(
        output(&mut within("true")).code() == Some(0),
        "users may not make user namespaces here"
    );
    let forged = Live::run(&mut within(&script), "pwtforged");
    // What the link says is a lie.
    assert_eq!(
        std::fs::read_link(format!("/proc/{}/exe", forged.pid())).expect("a link"),
        path
    );
    let spec = |range: &str| format!("exe={}:{range}", path.display());
    // PID 1 may be unreadable even for root, so only processes of nobody are asked about.
    let forbidden = format!("exe={},user=nobody:0", path.display());
    Procward::check("human").arg(forbidden).run().ends(0);
    Procward::check("human")
        .arg(spec("1"))
        .run()
        .ends(2)
        .says("another file");
    let _genuine = Live::run(&mut command(&path), "pwtforged");
    Procward::check("human").arg(spec("1")).run().ends(0);
    Procward::check("human").arg(spec("0")).run().ends(2);
}

#[test]
fn procward_within_a_pid_namespace_judges_what_it_sees() {
    need!(is_root(), "unshare needs root");
    let place = Place::new();
    let _live = Live::named(&place, "pwtoutside");
    let unshare = ["unshare", "-pf", "--mount-proc"];
    Procward::check("human")
        .arg("pwtoutside:0")
        .within(unshare)
        .run()
        .ends(0);
    Procward::check("human")
        .arg("pwtoutside:1")
        .within(unshare)
        .run()
        .ends(2)
        .says("pwtoutside missing");
}

#[test]
fn a_path_is_not_looked_up_for_a_proc_of_another_place() {
    need!(is_root(), "only root can mount");
    let place = Place::new();
    let name = unique("f");
    let live = Live::named(&place, &name);
    let proc = place.directory("proc");
    // Another mount of proc is taken for another host's: its paths may be other files.
    let script = format!(
        "mount -t proc proc {0} && exec {1} --proc {0} check \"$0\"",
        proc.display(),
        place.procward().display()
    );
    for range in ["0", "1"] {
        let spec = format!(
            "exe={},pid={}:{range}",
            place.path().join(&name).display(),
            live.pid()
        );
        output(command("unshare").args(["-m", "sh", "-c", &script, &spec]))
            .ends(3)
            .says("can't be compared with the program (the files of another host or namespace are not looked up)");
    }
}

#[test]
fn what_is_older_than_the_clock_of_a_time_namespace_is_no_newcomer() {
    need!(is_root(), "unshare needs root");
    let place = Place::new();
    let name = unique("old");
    let live = Live::named(&place, &name);
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", live.pid())).expect("a stat");
    let started: u64 = stat
        .rsplit(") ")
        .next()
        .and_then(|rest| rest.split(' ').nth(19))
        .and_then(|ticks| ticks.parse().ok())
        .expect("its start time");
    // What the namespace's clock is put back by: it begins when the process is some seconds old.
    let offset = wait_for("a process of three seconds", 10, || {
        let uptime = std::fs::read_to_string("/proc/uptime").ok()?;
        let now: u64 = uptime.split('.').next()?.parse().ok()?;
        (now > started / 100 + 3).then(|| format!("-{now}"))
    });
    let within = ["unshare", "-T", "-f", "--boottime", &offset];
    need!(
        output(command(within[0]).args(&within[1..]).arg("true")).code() == Some(0),
        "time namespaces can't be made here"
    );
    let check = |terms: &str| {
        Procward::check("human")
            .arg(format!("{name},{terms}"))
            .within(within)
            .run()
    };
    check("age>2s:0").ends(2);
    check("age<2s:1").ends(2);
    check("age>2s,age<1h:1").ends(0);
    check("cpu.life>50%:0").ends(0);
    Procward::new()
        .args(["check-procs", "-m", "ELAPSED", "-C", &name, "-c", "0:2"])
        .within(within)
        .run()
        .ends(2);
}

#[test]
fn of_a_process_over_which_something_is_mounted_nothing_is_believed() {
    need!(is_root(), "only root can mount");
    let place = Place::new();
    let [name, other] = ["cover", "beside"].map(unique);
    let live = Live::named(&place, &name);
    let beside = Live::named(&place, &other);
    let (pid, empty) = (live.pid(), place.directory("empty"));
    let forged = place.script("forged", "kthreadd\n");
    let within = |mount: &str, arguments: &[&str]| {
        let script = format!(
            "mount {mount} || exit 77; exec {} \"$@\"",
            place.procward().display()
        );
        let mut unshare = command("unshare");
        unshare.args(["-m", "sh", "-c", &script, "sh"]).args(arguments);
        output(&mut unshare)
    };
    for what in [
        format!("--bind {}", empty.display()),
        format!("--bind /proc/{}", beside.pid()),
        "-t tmpfs tmpfs".to_owned(),
    ] {
        let point = format!("/proc/{pid}");
        let mount = format!("{what} {point}");
        let check = |spec: &str| within(&mount, &["check", "--recheck", "0", spec]);
        let gap = format!("incomplete view: something is mounted over {point}");
        check(&format!("{name}:0")).ends(3).says_in_words(&gap);
        check(&format!("{name}:1")).ends(3).says_in_words(&gap);
        // One process is hidden, and not any number.
        check(&format!("{other}:1")).ends(3);
        check(&format!("{other}:1-")).ends(0);
        check(&format!("{other}:2-")).ends(3);
        check(&format!("{other}:3-")).ends(2);
        within(&mount, &["check-procs", "-C", &name, "-c", "0:0"])
            .ends(3)
            .says_in_words(&gap);
        within(&mount, &["audit", "exe-memfd"]).says(&format!("pid {pid} ? (something is mounted over it"));
    }
    // What lies over one of its files only is the audit's to find.
    let mount = format!("--bind {} /proc/{pid}/comm", forged.display());
    within(&mount, &["audit", "proc-pid-overmounted"])
        .ends(2)
        .says(&format!("/proc/{pid}/comm"));
    // Containers have such.
    let mount = format!("--bind {} /proc/meminfo", forged.display());
    let said = within(
        &mount,
        &["check", "--recheck", "0", &format!("{name}:1"), "pwtnosuch:0"],
    )
    .ends(0);
    assert!(!said.stdout().contains("incomplete view"), "{said:?}");
}

/// Mounts the cgroup hierarchy that procward reads at /mnt: `name=systemd` where systemd uses it, else cgroup2.
const MOUNT: &str = "\
    if grep -q ':name=systemd:/.' /proc/self/cgroup\n\
    then mount -t cgroup -o none,name=systemd cgroup /mnt\n\
    else mount -t cgroup2 cgroup2 /mnt\n\
    fi || exit 77\n";

/// Runs a shell script where the hierarchy is at /mnt.
fn with_cgroups(script: &str) -> std::process::Command {
    let mut command = command("unshare");
    command.args(["-m", "sh", "-c", &format!("{MOUNT}{script}")]);
    command
}

fn may_make_cgroups() -> bool {
    let directory = unique("probe");
    output(&mut with_cgroups(&format!(
        "mkdir /mnt/{directory} && rmdir /mnt/{directory}"
    )))
    .code()
        == Some(0)
}

/// The first process of a child PID namespace, in a control group of its own.
struct InCgroup {
    live: Option<Live>,
    path: String,
}

impl InCgroup {
    fn start(place: &Place, name: &str, path: &str) -> InCgroup {
        let program = place.copy("/bin/cat", name);
        let script = format!(
            "mkdir -p '/mnt{path}' && echo $$ > '/mnt{path}/cgroup.procs' && exec unshare -pf --kill-child {}",
            program.display()
        );
        InCgroup {
            live: Some(Live::run_until_there_is(&mut with_cgroups(&script), name)),
            path: path.to_owned(),
        }
    }
}

impl Drop for InCgroup {
    fn drop(&mut self) {
        drop(self.live.take());
        // The group empties when the kernel is done with its processes. What was there before, or is another's, is
        // not empty and stays.
        let script = format!(
            "path='/mnt{}'; for try in 1 2 3 4 5 6 7 8 9; do rmdir \"$path\" && break; sleep 0.1; done; \
             while path=${{path%/*}}; rmdir \"$path\"; do :; done",
            self.path
        );
        output(&mut with_cgroups(&format!("{{ {script}; }} 2>/dev/null")));
    }
}

/// The exit status of a check, which is the same as root and as nobody.
#[track_caller]
fn ends(spec: &str, code: i32) -> String {
    let said = Procward::check("human").arg(spec).run().ends(code);
    Procward::check("human").arg(spec).user("nobody").run().ends(code);
    said.stdout()
}

#[test]
fn a_service_with_a_pid_namespace_of_its_own_counts_like_any_other() {
    need!(
        is_root() && ids("nobody").is_some(),
        "cgroups and users need root"
    );
    need!(may_make_cgroups(), "control groups can't be made here");
    let place = Place::new();
    let name = unique("own");
    let unit = format!("{name}.service");
    let _service = InCgroup::start(&place, &name, &format!("/system.slice/{unit}"));
    ends(&format!("{name}:1"), 0);
    ends(&format!("{name},unit={unit},main=yes:1"), 0);
    ends(&format!("{name},scope=host:1"), 0);
    ends(&format!("{name},scope=container:0"), 0);
    ends(&format!("{name}:0"), 2);
}

#[test]
fn a_container_is_left_out_of_a_minimum_and_found_by_a_check_that_forbids() {
    need!(
        is_root() && ids("nobody").is_some(),
        "cgroups and users need root"
    );
    need!(may_make_cgroups(), "control groups can't be made here");
    let id = format!("{:064x}", std::process::id());
    for path in [
        format!("/system.slice/docker-{id}.scope"),
        // The service's manager made a group below the service's own.
        format!("/system.slice/{}/libpod-{id}.scope", unique(".service")),
    ] {
        let place = Place::new();
        let name = unique("dock");
        let _container = InCgroup::start(&place, &name, &path);
        let said = ends(&format!("{name}:1"), 2);
        assert!(said.contains(&format!("CRITICAL: {name} missing")), "{said}");
        assert!(said.contains("1 process in a container"), "{said}");
        let said = ends(&format!("{name}:0"), 2);
        assert!(said.contains(&format!("CRITICAL: {name} running")), "{said}");
        ends(&format!("{name},container={id}:1"), 0);
        ends(&format!("{name},scope=all:1"), 0);
        ends(&format!("{name},scope=host:0"), 0);
    }
}
