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
    if let Some(clocks) = snapshot.clocks.take() {
        snapshot.keep_clocks(clocks);
    }
    Ok(snapshot)
}
