//! The keys of security labels against the kernel's own security modules, and procward's units under systemd itself:
//! procward runs in virtual machines that `tests/vm/run` boots, one for each module and mode, and one with systemd. What must
//! hold there is written in the scripts of `tests/vm/guest`; here stand the names of all of it, so that nothing can be left
//! out in silence.

use crate::common::{command, need, skip};
use std::path::Path;

const RUN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vm/run");

/// There can be no such machine here.
const CANNOT: i32 = 77;
/// QEMU died, or the guest's kernel did.
const DIED: i32 = 125;

/// What must hold in both modes of SELinux.
const SELINUX: &[&str] = &[
    "before the policy PID 1 is labelled kernel",
    "before the policy a type is unknown, and procward tells why",
    "before the policy the label itself can be asked for",
    "before the policy no rule of SELinux is OK",
    "before the policy selinux.monitor does not say that nothing is in initrc_t",
    "the mode is the one asked for",
    "PID 1 is in init_t",
    "this script is in initrc_t",
    "exactly one process is in init_t",
    "the kernel writes categories its own way",
    "types, users and roles are keys",
    "a level is a set of categories, however it is written",
    "kernel threads are in kernel_t, and so is what is older than the policy",
    "a zombie keeps its label",
    "list shows who is in a domain",
    "a domain that may do everything confines nobody",
    "explain tells of each part",
    "roll tells of the daemons",
    "snapshot writes the host down",
    "a snapshot is judged as the host was",
    "a configuration is judged where its module is active",
    "a key of another module is unknown",
    "a second process in init_t is one too many",
    "a process in a domain that must not be is named",
    "a process that left its domain between two looks is none",
    "it has left it by now",
    "this script is in unconfined_t",
    "an audit names what is in a domain that must not be",
    "selinux.monitor names what is in initrc_t",
    "exactly one is in init_t again after it died",
    "the rule of init_t is ok again after it died",
    "a service without a policy is a warning",
    "who is unconfined is in no bad domain",
];

/// What the audit makes of the mode.
const PERMISSIVE: &[&str] = &["selinux.monitor tells of permissive mode"];

/// What the policy denies in the one mode only, and what the audit makes of it.
const ENFORCING: &[&str] = &[
    "a monitor that may not look into processes is never OK",
    "a monitor without process:getattr is never OK",
    "a monitor with process:getattr sees each label",
    "a monitor that is denied its own label skips nothing of SELinux",
    "an audit without process:getattr is never OK",
    "selinux.monitor is content",
];

const MLS: &[&str] = &[
    "PID 1 has a range of levels",
    "kernel threads are at the highest level",
    "the kernel writes two equal levels as one",
    "the kernel writes two equal levels with categories as one",
    "the kernel writes both sets of categories its own way",
    "the kernel writes levels that differ in categories as two",
    "the kernel writes each of two categories",
    "a range is found however it is written",
    "another range is not found",
    "the range of PID 1, and the level of kernel threads",
];

const APPARMOR: &[&str] = &[
    "the kernel writes enforce",
    "the kernel writes complain",
    "the kernel writes names with blanks",
    "the kernel writes child profiles",
    "the kernel sorts a stack",
    "the kernel sorts a stack asked for the other way round",
    "the kernel writes namespaces",
    "the kernel writes a namespace once, for all that follow",
    "the kernel writes no mode of what is unconfined",
    "profiles are keys, one of a stack is enough",
    "a stack is a set, in whichever order",
    "modes are keys",
    "the label itself is a key",
    "kernel threads and PID 1 are unconfined",
    "list shows who is under a profile",
    "a profile that holds nothing confines nobody",
    "explain tells of each part",
    "roll tells of the daemons",
    "snapshot writes the host down",
    "a snapshot is judged as the host was",
    "a configuration is judged where its module is active",
    "a key of another module is unknown",
    "a monitor without a rule for labels is never OK",
    "a monitor in another namespace is never OK",
    "a monitor with a rule for labels sees each",
    "a monitor that is denied its own label skips nothing",
    "a process that was confined between two looks is none",
    "it is confined by now",
    "a profile that was switched from complain to enforce is seen in the next run",
    "a profile that was removed is seen in the next run",
    "a process whose profile only complains is named",
    "an audit names programs that were started before their profiles, and who complains",
    "an audit that may not see programs or profiles is never OK",
    "under their profiles they are fine, and who complains is no alarm",
    "rules of a module that is not active leave nothing that could be OK",
];

/// What must hold of procward's units, and of everybody's services.
const SYSTEMD: &[&str] = &[
    "what takes root is done on the host",
    "the units are loaded as they were installed",
    "systemctl status warns of nothing",
    "systemd understands every line of the units",
    "systemd tells of a line that it does not understand",
    "systemd rates procward-check.service below 2.0",
    "systemd rates procward-textfile.service below 2.0",
    "the timer starts the service, which ends well",
    "everybody may read what it wrote",
    "it sees and counts what root does",
    "a daemon that died is in the metrics",
    "and the service ends well all the same",
    "a daemon that came again is, too",
    "procward-check.service ends well where all checks do",
    "a service that runs has two capabilities, and can get no others",
    "in its mounts even root can write to its directory only",
    "OnFailure= starts what it names",
    "procward-check.service fails where a check does",
    "the journal has the report",
    "outside of the units root can do all that is tried",
    "procward-check.service can write to its directory, and do nothing of it",
    "procward-textfile.service can write to its directories, and do nothing of it",
    "the audit finds the chroots",
    "in the mounts of a unit it finds the same",
    "the main process is the one that systemd takes for it",
    "a unit of a manager of its own is a key",
    "a restart by systemd is ridden out",
    "and it was started once",
    "a user in the group procward sees with the plugin what root sees",
    "where no program may give more rights he is told",
];

#[test]
fn labels_of_permissive_selinux_are_read_as_the_kernel_writes_them() {
    holds("selinux-permissive", &[SELINUX, PERMISSIVE].concat());
}

#[test]
fn labels_of_enforcing_selinux_are_read_as_the_kernel_writes_them_and_denied_ones_are_unknown() {
    holds("selinux-enforcing", &[SELINUX, ENFORCING].concat());
}

#[test]
fn levels_of_selinux_are_read_as_the_kernel_writes_them() {
    holds("selinux-mls", MLS);
}

#[test]
fn labels_of_apparmor_are_read_as_the_kernel_writes_them() {
    holds("apparmor", APPARMOR);
}

#[test]
fn under_systemd_the_units_see_everything_write_to_their_directories_only_and_tell_what_failed() {
    holds("systemd", SYSTEMD);
}

/// All of these hold in the guest, and it tells of nothing else.
#[track_caller]
fn holds(case: &str, names: &[&str]) {
    need!(
        cfg!(target_arch = "x86_64"),
        "the virtual machine is one of x86_64"
    );
    need!(
        Path::new("/usr/bin/apt-get").exists(),
        "apt-get fetches the virtual machine"
    );
    let mut guest = boot(case);
    if guest.code == Some(DIED) {
        guest = boot(case);
    }
    if guest.code == Some(CANNOT) {
        return skip(&format!("no virtual machine: {}", guest.console.trim()));
    }
    let mut told: Vec<&str> = guest.said.lines().filter(|line| is_told(line)).collect();
    let mut wanted: Vec<String> = names.iter().map(|name| format!("ok - {name}")).collect();
    told.sort_unstable();
    wanted.sort_unstable();
    assert!(
        guest.code == Some(0) && told == wanted,
        "{case} ended with {:?}\nnot told: {:#?}\nnot wanted: {:#?}\nit said:\n{}\nits console:\n{}",
        guest.code,
        wanted
            .iter()
            .filter(|line| !told.contains(&line.as_str()))
            .collect::<Vec<_>>(),
        told.iter()
            .filter(|line| !wanted.iter().any(|wanted| wanted == *line))
            .collect::<Vec<_>>(),
        guest.said,
        guest.console
    );
}

fn is_told(line: &str) -> bool {
    line.starts_with("ok - ") || line.starts_with("FAIL - ")
}

struct Guest {
    code: Option<i32>,
    said: String,
    console: String,
}

fn boot(case: &str) -> Guest {
    let mut run = command(RUN);
    run.args([case, env!("CARGO_BIN_EXE_procward")]);
    for name in ["HOME", "XDG_CACHE_HOME", "PROCWARD_VM_CACHE"] {
        if let Some(value) = std::env::var_os(name) {
            run.env(name, value);
        }
    }
    let output = crate::common::output(&mut run);
    Guest {
        code: output.code(),
        said: output.stdout(),
        console: output.stderr(),
    }
}
