//! What a process of an unprivileged user may do so as not to be seen.

use crate::common::{Place, Procward, command, unique};
use crate::process::Live;

/// Python without its own name: the first thread ends, the others run until standard input does.
const WITHOUT_FIRST_THREAD: &str = "import ctypes,os,sys,threading,time\n\
    def live():\n\
    \x20   sys.stdin.read()\n\
    \x20   os._exit(0)\n\
    threading.Thread(target=live).start()\n\
    ctypes.CDLL(None).prctl(15,sys.argv[1].encode(),0,0,0)\n\
    ctypes.CDLL(None).syscall(60,0)";

#[test]
fn a_process_whose_first_thread_has_ended_is_no_zombie() {
    let place = Place::new();
    let program = place.copy("/usr/bin/python3", &unique("headless"));
    let name = unique("h");
    let live = Live::run(command(&program).args(["-c", WITHOUT_FIRST_THREAD, &name]), &name);
    let stat = || std::fs::read_to_string(format!("/proc/{}/stat", live.pid())).unwrap_or_default();
    crate::common::wait_for("the end of its first thread", 10, || {
        stat().contains(") Z ").then_some(())
    });
    assert!(std::fs::read_link(format!("/proc/{}/exe", live.pid())).is_err());
    for terms in [
        format!("comm={name}"),
        format!("exe={},comm={name}", program.display()),
        format!("comm={name},rss>100K,vsz>100K,fds>2,state!=zombie"),
        format!("comm={name},arg={name},cmdline~{name}$"),
    ] {
        Procward::check("human").arg(format!("{terms}:1")).run().ends(0);
        Procward::check("human").arg(format!("{terms}:0")).run().ends(2);
    }
}

/// Python that is another process every few milliseconds until standard input ends; each has the name.
const ALWAYS_ANOTHER: &str = "import ctypes,os,select,signal,sys\n\
    signal.signal(signal.SIGCHLD,signal.SIG_IGN)\n\
    ctypes.CDLL(None).prctl(15,sys.argv[1].encode(),0,0,0)\n\
    while not select.select([0],[],[],0.003)[0]:\n\
    \x20   if os.fork(): os._exit(0)";

#[test]
fn a_process_that_forks_and_ends_all_the_time_is_seen() {
    let name = unique("hop");
    let python = ["-c", ALWAYS_ANOTHER, &name];
    let _live = Live::run_until_there_is(command("/usr/bin/python3").args(python), &name);
    for _ in 0..10 {
        Procward::check("human")
            .arg(format!("comm={name}:0"))
            .run()
            .ends(2)
            .says("running");
    }
}

/// Python that has many children, each of which changes its name all the time, until standard input ends.
const RENAMES: &str = "import ctypes,os,select,sys\n\
    prctl=ctypes.CDLL(None).prctl\n\
    for _ in range(50):\n\
    \x20   if not os.fork():\n\
    \x20       while not select.select([0],[],[],0.001)[0]:\n\
    \x20           prctl(15,sys.argv[1].encode(),0,0,0)\n\
    \x20           prctl(15,sys.argv[2].encode(),0,0,0)\n\
    \x20       os._exit(0)\n\
    prctl(15,sys.argv[3].encode(),0,0,0)\n\
    sys.stdin.read()";

#[test]
fn processes_that_rename_themselves_all_the_time_blind_no_check_by_program() {
    let place = Place::new();
    let program = place.copy("/usr/bin/python3", &unique("renames"));
    let [one, two, all] = ["one", "two", "all"].map(unique);
    let _live = Live::run(command(&program).args(["-c", RENAMES, &one, &two, &all]), &all);
    let other = place.copy("/bin/cat", &unique("cat"));
    let _other = Live::run(&mut command(&other), &unique("cat"));
    Procward::check("human")
        .arg(format!("exe={}:51", program.display()))
        .arg(format!("exe={}:1", other.display()))
        .run()
        .ends(0);
}
