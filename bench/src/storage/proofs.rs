//! Receipts of single rows of a large commit, and the check of everything.
//!
//! Y1: a receipt counts only once it was verified by a process that knows the key and nothing else of the server.

use std::time::Duration;

use super::latencies::{self, Latencies};
use crate::Outcome;
use crate::figures;
use crate::process;
use crate::shockwave::Shockwave;
use crate::system::{LIMIT, System};

/// Receipts that are verified.
const CHECKED: u64 = 20;

/// What was measured.
#[derive(Debug, Clone, Copy)]
pub struct Proofs {
    /// Of a receipt asked for by SQL.
    pub made: Latencies,
    /// A whole process that verifies one, in the middle of several.
    pub checked_ms: f64,
    /// Rows loaded, by the time that everything took to verify; what came after the load is verified too and not counted.
    pub fsck_rows_per_s: f64,
    /// The most memory that this took, in bytes.
    pub fsck_peak: u64,
}

/// Measures on a server whose largest commit is the load.
///
/// # Errors
/// A receipt or the whole is not valid, or a step failed.
pub fn measure(ours: &mut Shockwave, rows: u64, time: Duration) -> Outcome<Proofs> {
    let client = ours.client();
    let commit = client.psql(&[&format!("SELECT commit_seq FROM ledger.commits WHERE rows = {rows}")], LIMIT)?.trim().to_owned();
    let receipt = format!("\\set row random(0, {})\nSELECT ledger_receipt({commit}, :row);\n", rows - 1);
    let made = latencies::measure(client, &receipt, time)?;
    let keys = ours.verifier_keys()?;
    let keys = || keys.iter().flat_map(|key| ["--key", key.as_str()]);
    let mut checked = Vec::new();
    for nth in 0..CHECKED {
        let row = rows / CHECKED * nth;
        let text = ours.client().psql(&[&format!("SELECT ledger_receipt({commit}, {row})")], LIMIT)?;
        let path = ours.client().folder.join("receipt.txt");
        std::fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))?;
        let mut verify = ours.command(&["verify", "receipt"]);
        checked.push(process::run(verify.arg(&path).args(keys()), &ours.client().folder, LIMIT)?.time.as_secs_f64() * 1000.0);
    }
    ours.stop()?;
    let mut fsck = ours.command(&["verify", "fsck"]);
    let finished = process::run(fsck.arg(ours.data()).args(keys()), &ours.client().folder, Duration::from_secs(600))?;
    Ok(Proofs {
        made,
        checked_ms: figures::median(&checked).unwrap_or_default(),
        fsck_rows_per_s: rows as f64 / finished.time.as_secs_f64(),
        fsck_peak: finished.memory_peak,
    })
}
