//! What an unprivileged user can't see, and what the remedies that are told for it are worth.

use crate::common::{Output, Place, Procward, command, ids, is_root, need, output, unique};
use crate::process::Live;
use std::path::Path;

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
