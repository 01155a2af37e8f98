//! The program of a chrooted process lies outside of what the process sees. The kernel tells its path all the same.

use crate::common::{Place, Procward, command, is_root, need, unique, wait_for};
use crate::process::Live;
use std::path::Path;

/// Perl that is chrooted until standard input ends.
const CHROOTED: &str = "chdir $ARGV[0] and chroot '.' or die; <STDIN>";
/// Perl whose child is.
const WITH_A_CHROOTED_CHILD: &str =
    "if (fork) { wait } else { chdir $ARGV[0] and chroot '.' or die; <STDIN> }";

/// Who may change program and libraries of a process of root's, both where Debian puts them.
const ROOTS: &str = "exe.writable=no,exe.open_dir=no,lib.writable=no,lib.open_dir=no";

fn code(spec: &str) -> Option<i32> {
    Procward::check("human").arg(spec).run().code()
}

#[track_caller]
fn wait_for_code(spec: &str, wanted: i32) {
    wait_for(&format!("{wanted} of {spec}"), 10, || {
        (code(spec) == Some(wanted)).then_some(())
    });
}

#[test]
fn who_may_change_the_program_of_a_chrooted_process_is_told() {
    need!(is_root(), "chroot needs root");
    let place = Place::new();
    let jail = place.directory("jail");
    let live = Live::run(command("/usr/bin/perl").args(["-e", CHROOTED]).arg(&jail), "perl");
    wait_for_code(&format!("pid={},chroot=yes:1", live.pid()), 0);
    assert_eq!(code(&format!("pid={},{ROOTS}:1", live.pid())), Some(0));
}

#[test]
fn a_chroot_is_seen_in_other_mounts_and_from_other_mounts() {
    need!(is_root(), "chroot and namespaces need root");
    let place = Place::new();
    let jail = place.directory("jail");
    let here = Live::run(command("/usr/bin/perl").args(["-e", CHROOTED]).arg(&jail), "perl");
    let unshare = ["-m", "/usr/bin/perl", "-e", CHROOTED];
    let there = Live::run(command("unshare").args(unshare).arg(&jail), "perl");
    for live in [here, there] {
        let spec = format!("pid={},chroot=yes,root={}:1", live.pid(), jail.display());
        wait_for_code(&spec, 0);
        let elsewhere = Procward::check("human").arg(&spec).within(["unshare", "-m"]);
        assert_eq!(elsewhere.run().code(), Some(0), "{spec}");
    }
}

#[test]
fn the_top_of_other_mounts_is_no_chroot() {
    need!(is_root(), "namespaces need root");
    let place = Place::new();
    let top = place.directory("top");
    let moves = "mount --move . / && exec chroot .";
    let pivots = "pivot_root . . && umount --lazy . && exec";
    for makes_it_the_root in [moves, pivots] {
        let script = format!(
            "mount --rbind / \"$1\" && cd \"$1\" && {makes_it_the_root} perl -e 'chdir \"/etc\" or die; <STDIN>'"
        );
        let live = Live::run(
            command("unshare")
                .args(["-m", "sh", "-c", &script, "sh"])
                .arg(&top),
            "perl",
        );
        wait_for_code(&format!("pid={},cwd=/etc:1", live.pid()), 0);
        let spec = format!("pid={},root=/,chroot=no,cwd.outside=no:1", live.pid());
        assert_eq!(code(&spec), Some(0), "{spec}");
    }
}

#[test]
fn in_other_mounts_a_parent_that_is_not_chrooted_tells_who_may_change_it() {
    need!(is_root(), "chroot and namespaces need root");
    let place = Place::new();
    let jail = place.directory("jail");
    let within = |script: &str| {
        let mut unshare = command("unshare");
        unshare.args(["-m", "/usr/bin/perl", "-e", script]).arg(&jail);
        Live::run(&mut unshare, "perl")
    };
    let parent = within(WITH_A_CHROOTED_CHILD);
    let child = wait_for("the child", 10, || {
        let children = format!("/proc/{0}/task/{0}/children", parent.pid());
        let child = std::fs::read_to_string(children).ok()?.trim().to_owned();
        is_chrooted(&child).then_some(child)
    });
    assert_eq!(code(&format!("pid={child},{ROOTS}:1")), Some(0));
    // Where nobody in there sees more than the jail, the same file of that path here tells.
    let in_jail = |live: &Live| {
        wait_for("the jail", 10, || {
            is_chrooted(&live.pid().to_string()).then_some(())
        });
        code(&format!("pid={},{ROOTS}:1", live.pid()))
    };
    let alone = within(CHROOTED);
    assert_eq!(in_jail(&alone), Some(0));
    // Of a program that is in there only, nobody can tell.
    let script = "mount -t tmpfs -o mode=755 tmpfs /mnt && cp /usr/bin/perl /mnt/perl && exec /mnt/perl -e \"$1\" \"$2\"";
    let mut unshare = command("unshare");
    unshare
        .args(["-m", "sh", "-c", script, "sh"])
        .arg(CHROOTED)
        .arg(&jail);
    let hidden = Live::run(&mut unshare, "perl");
    assert_eq!(in_jail(&hidden), Some(3));
}

fn is_chrooted(pid: &str) -> bool {
    std::fs::read_link(format!("/proc/{pid}/root")).is_ok_and(|root| root != Path::new("/"))
}

#[test]
fn a_program_that_was_replaced_under_a_chrooted_process_is_not_a_deleted_one() {
    need!(is_root(), "chroot needs root");
    let place = Place::new();
    let jail = place.directory("jail");
    let name = unique("jailed");
    let program = place.copy("/usr/bin/perl", &name);
    let live = Live::run(command(&program).args(["-e", CHROOTED]).arg(&jail), &name);
    wait_for_code(&format!("pid={},chroot=yes:1", live.pid()), 0);
    // As an upgrade does it.
    let new = place.copy("/usr/bin/perl", "new");
    std::fs::rename(&new, &program).expect("replaced");
    let is = |terms: &str| code(&format!("pid={},{terms}:1", live.pid()));
    assert_eq!(is("exe.replaced=yes,exe.deleted=no"), Some(0));
    std::fs::remove_file(&program).expect("removed");
    assert_eq!(is("exe.replaced=no,exe.deleted=yes"), Some(0));
}
