//! Live processes of any name.

use crate::common::{Place, command, spawn, wait_for};
use std::ffi::OsStr;
use std::fmt::Write;
use std::io::{BufRead, BufReader};
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, Command, Stdio};

/// A live process, killed when dropped. It ends by itself when the test dies, for its standard input ends.
pub(crate) struct Live(Child);

impl Live {
    /// A process that waits, with this name; its program is a copy of cat below `place`.
    pub(crate) fn named(place: &Place, name: &str) -> Live {
        Live::run(&mut command(place.copy("/bin/cat", name)), name)
    }

    /// The same, with a name of any bytes that a file may have.
    pub(crate) fn of_file(place: &Place, name: &[u8]) -> Live {
        let live = Live::start(&mut command(place.copy("/bin/cat", OsStr::from_bytes(name))));
        wait_for("the program", 10, || {
            let exe = std::fs::read_link(format!("/proc/{}/exe", live.pid())).ok()?;
            exe.as_os_str().as_bytes().ends_with(name).then_some(())
        });
        live
    }

    /// Starts a command that waits for the end of its standard input, and waits until it has the name.
    pub(crate) fn run(command: &mut Command, name: &str) -> Live {
        let live = Live::start(command);
        let file = format!("/proc/{}/comm", live.pid());
        let cut = &name.as_bytes()[..name.len().min(15)];
        wait_for(name, 10, || {
            std::fs::read(&file)
                .ok()
                .filter(|comm| comm.strip_suffix(b"\n") == Some(cut))
        });
        live
    }

    /// Starts a command that starts another process, and waits until that one has the name.
    pub(crate) fn run_until_there_is(command: &mut Command, name: &str) -> Live {
        let live = Live::start(command);
        wait_for(name, 10, || pids_of(name.as_bytes()).first().copied());
        live
    }

    /// A process whose comm is these bytes.
    pub(crate) fn with_comm(comm: &[u8]) -> Live {
        const PROGRAM: &str = "import ctypes,sys\n\
            ctypes.CDLL(None).prctl(15,bytes.fromhex(sys.argv[1]),0,0,0)\n\
            print('ready',flush=True)\nsys.stdin.read()";
        let hex = comm.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        let mut live = Live::start(
            command("/usr/bin/python3")
                .args(["-c", PROGRAM, &hex])
                .stdout(Stdio::piped()),
        );
        let mut line = String::new();
        BufReader::new(live.0.stdout.take().expect("its output"))
            .read_line(&mut line)
            .expect("a line");
        assert_eq!(line, "ready\n");
        live
    }

    /// Starts a command that ends when its standard input does.
    pub(crate) fn start(command: &mut Command) -> Live {
        Live(spawn(command.stdin(Stdio::piped())))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The processes with this comm.
pub(crate) fn pids_of(comm: &[u8]) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").expect("/proc").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse().ok()));
    pids.filter(|pid: &u32| {
        std::fs::read(format!("/proc/{pid}/comm")).is_ok_and(|text| text.strip_suffix(b"\n") == Some(comm))
    })
    .collect()
}
