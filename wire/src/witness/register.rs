//! What a witness remembers: of each log the checkpoint it cosigned last, in a file of its own.
//!
//! G1: a file is replaced whole, by a rename, and is durable before the cosignature in it is handed out (W1).
//! G2: judging and keeping are one step a log: no other request of the log is judged in between.
//! G3: a log whose file could not be replaced is not cosigned again before the witness is started anew: the disk may hold either.
//! G4: a file that is not what was written, by its own cosignature, is refused at start: a witness that forgets would sign two histories.
//! Never: removes or overwrites what proves that a log forked.
//! Format: docs/formats/witness.md.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::io::{Io, LockGuard};
use base::{Clock, Rng, SqlError, SqlResult, SqlState, hex};
use receipts::cosignature::TIME_MAX;
use receipts::note::{KeyType, Note, VerifierKey};
use receipts::witness::{Head, Refusal, Submission};
use receipts::{Checkpoint, Policy, WitnessKey, WitnessSigner};
use sha2::{Digest, Sha256};

use super::key;

/// Files of one log that prove a fork, at most.
const FORKS_MAX: usize = 16;

/// Logs and their heads, and the key to cosign with.
pub struct Register {
    io: Arc<dyn Io>,
    clock: Arc<dyn Clock>,
    folder: PathBuf,
    signer: WitnessSigner,
    logs: BTreeMap<String, Log>,
    _lock: Box<dyn LockGuard>,
}

/// One log of the policy.
struct Log {
    keys: Vec<VerifierKey>,
    head: std::sync::Mutex<Known>,
}

/// What is known of a log.
struct Known {
    head: Head,
    /// Its file could not be replaced (G3).
    is_in_doubt: bool,
}

/// Why a request is not answered by a cosignature.
#[derive(Debug)]
pub enum Unsigned {
    /// The protocol says so.
    Refused(Refusal),
    /// The witness cannot keep it.
    Failed(String),
}

impl Register {
    /// Opens a witness's folder for the logs of a policy; makes folder and key at first start.
    ///
    /// Errors: 55000 where another witness has it open, 22023 for a policy without a log that can be witnessed, XX001 for a damaged file, those of
    /// the key, 58030, 53100.
    pub fn open(
        io: Arc<dyn Io>,
        clock: Arc<dyn Clock>,
        rng: &dyn Rng,
        folder: &Path,
        name: Option<&str>,
        policy: &Policy,
    ) -> SqlResult<Self> {
        io.create_dir_all(&folder.join("logs")).map_err(|error| failed("create", folder, &error))?;
        let lock = io.lock(&folder.join("lock")).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => {
                let message = format!("folder \"{}\" is in use by another witness", folder.display());
                SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message)
            }
            _ => failed("lock", folder, &error),
        })?;
        let signer = key::open(&*io, rng, folder, name)?;
        let mut logs: BTreeMap<String, Log> = BTreeMap::new();
        for log in policy.logs().iter().filter(|log| log.key_type() == KeyType::Ed25519) {
            if let Some(known) = logs.get_mut(log.name()) {
                known.keys.push(log.clone());
                continue;
            }
            let head = known_head(&*io, &file_of(folder, log.name()), log.name(), signer.verifier())?;
            let head = Known { head, is_in_doubt: false };
            logs.insert(log.name().to_owned(), Log { keys: vec![log.clone()], head: std::sync::Mutex::new(head) });
        }
        if logs.is_empty() {
            return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, "the policy names no log with a key of type Ed25519")
                .hint("`shockwave keys show --policy` prints such a policy."));
        }
        Ok(Self { io, clock, folder: folder.to_owned(), signer, logs, _lock: lock })
    }

    /// The witness's public key.
    pub fn key(&self) -> &WitnessKey {
        self.signer.verifier()
    }

    /// Origins of the logs it knows, and how many leaves of each it has cosigned.
    pub fn sizes(&self) -> Vec<(&str, u64)> {
        self.logs.iter().map(|(origin, log)| (origin.as_str(), locked(&log.head).head.size)).collect()
    }

    /// Judges the body of an `add-checkpoint` request; the signature line that answers it. Blocks on the disk.
    pub fn add_checkpoint(&self, body: &[u8]) -> Result<String, Unsigned> {
        let submission = Submission::parse(body).map_err(Unsigned::Refused)?;
        let log = self.logs.get(&submission.checkpoint.origin).ok_or(Unsigned::Refused(Refusal::UnknownLog))?;
        let mut known = locked(&log.head);
        let next = submission.judge(&log.keys, &known.head).map_err(|refusal| {
            if refusal == Refusal::Fork {
                self.keep_fork(&submission);
            }
            Unsigned::Refused(refusal)
        })?;
        if known.is_in_doubt {
            return Err(Unsigned::Failed("what this log had cosigned last could not be kept: start the witness anew".to_owned()));
        }
        let now = self.clock.now_us() / 1_000_000;
        let time = u64::try_from(now).ok().filter(|time| (1..=TIME_MAX).contains(time));
        let time = time.ok_or_else(|| Unsigned::Failed("the machine's clock is before 1970".to_owned()))?;
        let note = &submission.proof.checkpoint;
        let line = self.signer.cosign(note.text(), time).to_string();
        if next != known.head {
            let path = file_of(&self.folder, &submission.checkpoint.origin);
            if let Err(error) = put(&*self.io, &path, kept(note, &log.keys, &line).as_bytes(), 0o644) {
                known.is_in_doubt = true;
                return Err(Unsigned::Failed(format!("could not write \"{}\": {error}", path.display())));
            }
            known.head = next;
        }
        Ok(line)
    }

    /// Two roots at one size, both signed, are proof of a rewritten log: the second is kept beside the first.
    fn keep_fork(&self, submission: &Submission) {
        let Checkpoint { origin, size, root } = &submission.checkpoint;
        eprintln!("FORK: {origin} has signed two roots at size {size}; the second is kept in \"{}\"", self.folder.join("forks").display());
        let keep = || -> io::Result<()> {
            let folder = self.folder.join("forks");
            self.io.create_dir_all(&folder)?;
            let log = hex::encode(&Sha256::digest(origin));
            let name = format!("{log}-{size:020}-{}", hex::encode(&root[..8]));
            let of_log = self.io.list(&folder)?.iter().filter(|name| name.starts_with(&log)).count();
            if of_log < FORKS_MAX && !self.io.exists(&folder.join(&name)) {
                put(&*self.io, &folder.join(name), submission.proof.checkpoint.to_string().as_bytes(), 0o644)?;
            }
            Ok(())
        };
        if let Err(error) = keep() {
            eprintln!("the proof of the fork could not be kept: {error}\n{}", submission.proof.checkpoint);
        }
    }
}

/// Nothing that could panic happens under the lock but a defect of ours; what it protects is replaced whole.
fn locked(known: &std::sync::Mutex<Known>) -> std::sync::MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The note as it is kept: its text, the lines of the log's trusted keys, and our own.
fn kept(note: &Note, keys: &[VerifierKey], own: &str) -> String {
    let mut text = format!("{}\n", note.text());
    let is_of_log = |line: &&receipts::note::NoteSignature| keys.iter().any(|key| key.name() == line.name && key.key_id() == line.key_id);
    // Sixteen lines is all a note may have, ours among them.
    note.signatures().iter().filter(is_of_log).take(receipts::note::SIGNATURES_MAX - 1).for_each(|line| {
        let _ = write!(text, "{line}");
    });
    text + own
}

/// G4
fn known_head(io: &dyn Io, path: &Path, origin: &str, own: &WitnessKey) -> SqlResult<Head> {
    let Some(bytes) = read(io, path)? else { return Ok(Head::nothing()) };
    let damaged = |why: String| {
        SqlError::new(SqlState::DATA_CORRUPTED, format!("what was cosigned of {origin} is damaged: \"{}\": {why}", path.display()))
            .hint("A witness that has forgotten must not go on under its name: restore the file, or begin anew with another key.")
    };
    let text = String::from_utf8(bytes).map_err(|_| damaged("not text".to_owned()))?;
    let note = Note::parse(&text).map_err(|error| damaged(error.to_string()))?;
    if !matches!(own.cosigned(&note), Ok(Some(_))) {
        return Err(damaged("it does not bear the witness's own cosignature".to_owned()));
    }
    let checkpoint = Checkpoint::parse_extended(note.text()).map_err(|error| damaged(error.to_string()))?;
    if checkpoint.origin != origin {
        return Err(damaged(format!("it is of {}", checkpoint.origin)));
    }
    Ok(Head { size: checkpoint.size, root: checkpoint.root })
}

fn file_of(folder: &Path, origin: &str) -> PathBuf {
    folder.join("logs").join(hex::encode(&Sha256::digest(origin)))
}

pub(super) fn failed(verb: &str, path: &Path, error: &io::Error) -> SqlError {
    SqlError::new(SqlState::IO_ERROR, format!("could not {verb} \"{}\": {error}", path.display()))
}

/// A whole small file, if it is there.
pub(super) fn read(io: &dyn Io, path: &Path) -> SqlResult<Option<Vec<u8>>> {
    if !io.exists(path) {
        return Ok(None);
    }
    io.open(path).and_then(|file| file.read_all()).map(Some).map_err(|error| failed("read", path, &error))
}

/// Puts new content under a name in one step, durable when it returns (G1).
pub(super) fn put(io: &dyn Io, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let temporary = path.with_extension("writing");
    if io.exists(&temporary) {
        io.remove(&temporary)?;
    }
    let file = io.create_new(&temporary, mode)?;
    file.write_at(0, bytes)?;
    file.sync()?;
    io.rename(&temporary, path)?;
    io.sync_dir(path.parent().unwrap_or(Path::new(".")))
}
