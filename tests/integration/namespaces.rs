//! What namespaces and mounts hide, show and forge.

use crate::common::{Place, Procward, command, ids, is_root, need, output, unique};
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
