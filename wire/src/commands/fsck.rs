//! `shockwave verify fsck`: recomputes a stopped server's ledgers, or an export of one, from their bytes up.
//!
//! S1: the exit code is that of the worst ledger: tampered, then malformed, then inconclusive, then valid.
//! Never: writes into the folder; believes a key that lies in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use base::{Clock, Io, RealClock, RealIo};
use engine::fsck::{Checked, Request};
use engine::identity::LedgerIdentity;
use receipts::Policy;
use receipts::verdict::{Finding, Verdict};

use super::verify::{finish, policy, read, read_text};
use crate::cli::VerifyFsck;

/// Checks a folder's ledgers and prints their verdicts.
pub fn run(arguments: &VerifyFsck) -> ExitCode {
    let io: Arc<dyn Io> = Arc::new(RealIo);
    if engine::fsck::is_export(&*io, &arguments.dir) {
        return finish(&export_verdict(&io, arguments).unwrap_or_else(|verdict| verdict));
    }
    match outcomes(arguments) {
        Ok(outcomes) => {
            for outcome in &outcomes {
                print!("{}\n{}", outcome.folder.display(), outcome.verdict);
                println!("read: {}", outcome.counts());
            }
            ExitCode::from(worst(&outcomes).map_or(2, Verdict::exit_code))
        }
        Err(verdict) => finish(&verdict),
    }
}

/// Of an export the verdict alone is printed, as by every other verifier.
fn export_verdict(io: &Arc<dyn Io>, arguments: &VerifyFsck) -> Result<Verdict, Verdict> {
    let policy = policy(&arguments.pinned)?;
    let pinned = arguments.checkpoint.as_deref().map(read_text).transpose()?;
    Ok(engine::fsck::check_export(io, &arguments.dir, pinned.as_deref(), &policy))
}

fn outcomes(arguments: &VerifyFsck) -> Result<Vec<Outcome>, Verdict> {
    let policy = policy(&arguments.pinned)?;
    let pinned = arguments.checkpoint.as_deref().map(read).transpose()?.map(String::from_utf8);
    let pinned = pinned.transpose().map_err(|_| malformed("pinned checkpoint", "is not UTF-8"))?;
    check(&arguments.dir, arguments.database.as_deref(), &policy, pinned.as_deref())
}

/// What became of one ledger.
pub struct Outcome {
    pub folder: PathBuf,
    pub verdict: Verdict,
    checked: Checked,
    took: Duration,
}

impl Outcome {
    /// How much was read, and how fast.
    pub fn counts(&self) -> String {
        let Checked { commits, rows, segments, tiles, checkpoints, .. } = self.checked;
        let seconds = self.took.as_secs_f64();
        let speed = if seconds > 0.0 { rows as f64 / seconds } else { 0.0 };
        format!(
            "{commits} commits, {rows} rows, {segments} segments, {tiles} tiles, {checkpoints} checkpoints in {seconds:.2} s ({speed:.0} rows/s)"
        )
    }
}

/// The worst of several verdicts (S1).
pub fn worst(outcomes: &[Outcome]) -> Option<&Verdict> {
    let rank = |verdict: &Verdict| [1, 2, 3, 0].iter().position(|code| *code == verdict.exit_code());
    outcomes.iter().map(|outcome| &outcome.verdict).min_by_key(|verdict| rank(verdict))
}

/// Checks a data folder, or one ledger's folder. `Err` where there is nothing that can be checked as asked.
pub fn check(dir: &Path, database: Option<&str>, policy: &Policy, pinned: Option<&str>) -> Result<Vec<Outcome>, Verdict> {
    let folders = ledger_folders(dir, database)?;
    if pinned.is_some() && folders.len() > 1 {
        return Err(malformed("pinned checkpoint", "there are several databases: name its own with --database"));
    }
    let io: Arc<dyn Io> = Arc::new(RealIo);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let outcomes = folders.into_iter().map(|folder| {
        let begun_ns = RealClock.monotonic_ns();
        let (verdict, checked) = engine::fsck::check(&io, &Request { folder: &folder, policy, pinned, threads });
        let took = Duration::from_nanos(RealClock.monotonic_ns().saturating_sub(begun_ns));
        Outcome { folder, verdict, checked, took }
    });
    Ok(outcomes.collect())
}

/// The folders to check: `dir` itself if it is a ledger's, else those below `dir/ledgers`.
fn ledger_folders(dir: &Path, database: Option<&str>) -> Result<Vec<PathBuf>, Verdict> {
    let name_of = |folder: &Path| {
        let unreadable = |error: base::SqlError| malformed(folder.display(), error.message());
        Ok::<_, Verdict>(LedgerIdentity::read(&RealIo, folder).map_err(unreadable)?.map(|identity| identity.database))
    };
    let mut candidates = vec![dir.to_owned()];
    if database.is_none() && engine::identity::is_dropped(&RealIo, dir) {
        // Nobody serves it any more; it can be proved all the same.
        return Ok(candidates);
    }
    if name_of(dir)?.is_none() {
        let entries =
            fs::read_dir(dir.join("ledgers")).map_err(|error| malformed(dir.display(), format!("is not a data folder: {error}")))?;
        candidates = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        candidates.sort();
    }
    let mut folders = Vec::new();
    for folder in candidates {
        if name_of(&folder)?.is_some_and(|name| database.is_none_or(|wanted| wanted == name)) {
            folders.push(folder);
        }
    }
    if folders.is_empty() {
        return Err(malformed(dir.display(), "holds no such ledger"));
    }
    Ok(folders)
}

fn malformed(what: impl ToString, why: impl Into<String>) -> Verdict {
    Verdict::Malformed(Finding { what: what.to_string(), why: why.into(), checked: Vec::new() })
}
