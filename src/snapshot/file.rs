//! The saved form of a snapshot: JSON with a version. Pure: bytes in, bytes out.

use super::Snapshot;
use serde::{Deserialize, Serialize};

/// The version that is written; another one is refused.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct File {
    procward_snapshot: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    snapshot: Option<Snapshot>,
}

/// The bytes of a snapshot file.
///
/// # Errors
/// What the writer of JSON said.
pub fn to_bytes(snapshot: &Snapshot) -> Result<Vec<u8>, String> {
    let file = File {
        procward_snapshot: VERSION,
        snapshot: Some(snapshot.clone()),
    };
    let mut bytes = serde_json::to_vec(&file).map_err(|error| error.to_string())?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads a snapshot file; processes are sorted by PID, whatever the file says.
///
/// # Errors
/// What is wrong with it.
pub fn from_bytes(bytes: &[u8]) -> Result<Snapshot, String> {
    let file: File = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if file.procward_snapshot != VERSION {
        return Err(format!(
            "version {} is not known, only {VERSION}",
            file.procward_snapshot
        ));
    }
    let mut snapshot = file.snapshot.ok_or("it holds no snapshot")?;
    snapshot.processes.sort_by_key(|process| process.pid);
    snapshot.processes.dedup_by_key(|process| process.pid);
    is_whole(&snapshot)?;
    if let Some(clocks) = snapshot.clocks.take() {
        snapshot.keep_clocks(clocks);
    }
    Ok(snapshot)
}

/// Whether it holds the processes that it says were listed: a host without any is none, and where some were taken out
/// nothing can be said of what does not run.
fn is_whole(snapshot: &Snapshot) -> Result<(), String> {
    let told = snapshot.processes.len();
    if snapshot.gaps.iter().any(|gap| gap.hides()) {
        return Ok(());
    }
    if told == 0 {
        return Err("it lists no process".into());
    }
    if told.saturating_add(snapshot.vanished) < snapshot.seen {
        return Err(format!(
            "it holds {told} of the {} processes that were seen",
            snapshot.seen
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Gap;
    use crate::testing::{host, process};

    fn again(change: impl FnOnce(&mut Snapshot)) -> Result<usize, String> {
        let mut snapshot = host(vec![process(10, "sshd")]);
        change(&mut snapshot);
        let read = from_bytes(&to_bytes(&snapshot).unwrap())?;
        Ok(read.processes.len())
    }

    #[test]
    fn a_file_that_lacks_processes_which_were_seen_is_no_snapshot() {
        let whole = again(|_| ()).unwrap();
        assert_eq!(again(|it| it.seen = whole), Ok(whole));
        assert_eq!(again(|it| (it.seen, it.vanished) = (whole + 2, 2)), Ok(whole));
        assert_eq!(
            again(|it| (it.seen, it.vanished) = (whole + 3, 2)),
            Err(format!(
                "it holds {whole} of the {} processes that were seen",
                whole + 3
            ))
        );
        for seen in [0, 5] {
            assert_eq!(
                again(|it| (it.seen, it.processes) = (seen, Vec::new())),
                Err("it lists no process".into())
            );
        }
    }

    #[test]
    fn a_file_of_a_view_that_could_not_be_read_says_so_itself() {
        let closed = Gap::Closed("/proc".into(), "permission denied".into());
        assert_eq!(
            again(|it| (it.processes, it.gaps) = (Vec::new(), vec![closed])),
            Ok(0)
        );
    }
}
