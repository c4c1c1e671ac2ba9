//! The ledger's private keys and the last state they signed.
//!
//! K1: no signature leaves this module before its state is durable in the log: computed beside the sync, it is released after it.
//! K2: `last_signed` only moves forward: a size once signed is never signed with another root, nor a smaller size after it.
//! K3: a key file is written once, mode 0600, and never sent anywhere; new keys come as a new file (`rotation.rs`).
//! Never: signs anything but checkpoints, key leaves and, as COSE, roots of checkpoints.
//! Format: docs/formats/checkpoint.md.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::io::{File, Io};
use base::rng::Rng;
use base::{LedgerId, SqlError, SqlResult, SqlState};
use receipts::{Hash, Keys};

use crate::failure::io_failed;

/// Bytes of one slot of the `last_signed` file: magic, size, two roots, BLAKE3 of what precedes.
const SLOT_BYTES: usize = 8 + 8 + 32 + 32 + 32;
/// Slots lie a sector apart so that a torn write spoils one at most.
const SLOT_STRIDE: u64 = 512;
const MAGIC: &[u8; 8] = b"SWSIGN01";

/// The state of both trees at one size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signed {
    /// Number of leaves.
    pub size: u64,
    /// Root of the SHA-256 tree.
    pub sha_root: Hash,
    /// Root of the BLAKE3 tree.
    pub b3_root: Hash,
}

/// Both signed checkpoints of one state.
#[derive(Clone, Debug)]
pub struct SignedCheckpoint {
    /// What was signed.
    pub state: Signed,
    /// C2SP checkpoint of the SHA-256 tree.
    pub sha_note: Arc<str>,
    /// Checkpoint of the BLAKE3 tree.
    pub b3_note: Arc<str>,
}

/// Signatures that nobody has seen yet and nothing records (K1); dropped, they never were.
#[derive(Debug)]
pub struct Prepared(SignedCheckpoint);

impl Prepared {
    /// What is signed.
    pub fn state(&self) -> Signed {
        self.0.state
    }
}

/// Signs checkpoints of one ledger, forwards only (K2).
#[derive(Debug)]
pub struct Signer {
    keys: Keys,
    path: PathBuf,
    file: Arc<dyn File>,
    last: Option<Signed>,
    slot: u64,
}

/// Path of the private key file below the ledger's folder.
pub const KEY_FILE: &str = "keys/signing.key";
/// Path of the keys that are to replace those, while they are being replaced (`rotation.rs`).
pub const NEXT_KEY_FILE: &str = "keys/signing.key.next";
/// Path of the forward-only record below the ledger's folder.
pub const LAST_SIGNED_FILE: &str = "keys/last_signed";

impl Signer {
    /// Draws new keys and writes their files (K3). Errors: 58030, 53100; 55000 where key files exist already.
    pub fn create(io: &dyn Io, folder: &Path, origin: &str, rng: &dyn Rng) -> SqlResult<Self> {
        let keys = draw(origin, rng)?;
        let path = folder.join(LAST_SIGNED_FILE);
        let file = write_files(io, folder, &keys, None)?;
        Ok(Self { keys, path, file, last: None, slot: 0 })
    }

    /// Lays the files of a restored ledger: its keys, and the state that it goes on from as the last one signed (K3).
    ///
    /// Errors: 58030, 53100; 55000 where key files exist already.
    pub(crate) fn lay(io: &dyn Io, folder: &Path, keys: &Keys, last: Signed) -> SqlResult<()> {
        write_files(io, folder, keys, Some(&last)).map(drop)
    }

    /// Reads the keys and the last state signed. Errors: 58030 where a file is missing, XX001 where one is unreadable or of another ledger.
    pub fn open(io: &dyn Io, folder: &Path, ledger: LedgerId) -> SqlResult<Self> {
        let keys = read_keys(io, folder)?;
        if receipts::checkpoint::ledger_of_origin(keys.origin()) != Some(ledger.0) {
            return Err(SqlError::new(
                SqlState::DATA_CORRUPTED,
                format!("\"{}\" holds the keys of another ledger", folder.join(KEY_FILE).display()),
            ));
        }
        let path = folder.join(LAST_SIGNED_FILE);
        let failed = |error| io_failed("open", &path, error);
        let file = io.open_write(&path).map_err(failed)?;
        let bytes = file.read_all().map_err(failed)?;
        let slots: Vec<Option<Signed>> = (0..2).map(|i| bytes.get(i * SLOT_STRIDE as usize..).and_then(read_slot)).collect();
        let newest = slots.iter().flatten().max_by_key(|signed| signed.size).copied();
        if newest.is_none() && bytes.iter().any(|byte| *byte != 0) {
            return Err(SqlError::new(SqlState::DATA_CORRUPTED, format!("\"{}\" is unreadable", path.display())).hint(
                "Without the record of what was signed last, a rolled-back folder could not be told from this one; restore the file.",
            ));
        }
        let slot = u64::from(newest.is_some() && slots[0] == newest);
        Ok(Self { keys, path, file, last: newest, slot })
    }

    /// The keys.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Signs with these keys from here on.
    pub(crate) fn turn_to(&mut self, keys: Keys) {
        self.keys = keys;
    }

    /// What was signed last.
    pub fn last(&self) -> Option<Signed> {
        self.last
    }

    /// Signs a durable state (K1). Errors: as [`Signer::prepare`] and [`Signer::release`].
    pub fn sign(&mut self, state: Signed) -> SqlResult<SignedCheckpoint> {
        let prepared = self.prepare(state)?;
        self.release(prepared)
    }

    /// Computes the signatures of a state that may still be on its way to the disk. Signing the last state again is fine.
    ///
    /// Errors: XX001 for a state that would contradict what was signed.
    pub fn prepare(&self, state: Signed) -> SqlResult<Prepared> {
        if let Some(last) = self.last {
            let forward = state.size > last.size || state == last;
            if !forward {
                return Err(SqlError::new(
                    SqlState::DATA_CORRUPTED,
                    format!("refusing to sign size {} after size {} was signed", state.size, last.size),
                ));
            }
        }
        Ok(Prepared(SignedCheckpoint {
            state,
            sha_note: self.keys.sign_checkpoint(state.size, &state.sha_root).into(),
            b3_note: self.keys.sign_b3_checkpoint(state.size, &state.b3_root).into(),
        }))
    }

    /// A receipt as COSE, whose signature is over the root of a state that was signed before.
    ///
    /// Errors: XX001 for a path that does not lead to that root, 54000 for a receipt that is too long.
    pub fn sign_receipt(
        &self,
        state: &Signed,
        index: u64,
        path: Vec<Hash>,
        leaf: Vec<u8>,
        row: Option<receipts::RowPart>,
    ) -> SqlResult<Vec<u8>> {
        let receipt = receipts::CoseReceipt::sign(&self.keys, (state.size, index), path, leaf, row)
            .map_err(|error| SqlError::internal(error.to_string()))?;
        if receipt.root() != Some(state.sha_root) || self.last.is_none_or(|last| last.size < state.size) {
            let why = format!("refusing to sign a receipt at size {}: its root was not signed", state.size);
            return Err(SqlError::new(SqlState::DATA_CORRUPTED, why));
        }
        let too_long = |error: receipts::FormatError| SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, error.to_string());
        receipt.to_bytes().map_err(too_long)
    }

    /// A disclosure as SD-JWT; its checkpoint was signed before. Errors: 22023 for a column whose name SD-JWT keeps to itself; 54000 above 16 MiB.
    pub fn sign_sd_jwt(&self, disclosure: receipts::Disclosure) -> SqlResult<String> {
        receipts::SdJwt::sign(&self.keys, disclosure).map_err(|error| {
            let is_name = error.why.starts_with("cannot show");
            let state = if is_name { SqlState::INVALID_PARAMETER_VALUE } else { SqlState::PROGRAM_LIMIT_EXCEEDED };
            let error = SqlError::new(state, error.to_string());
            if is_name { error.hint("Leave the column out, or take ledger_disclose, which has no such names.") } else { error }
        })
    }

    /// Records what is signed, then hands the signatures out (K1, K2): the state is durable by now.
    ///
    /// Errors: 58030, 53100 from the disk.
    pub fn release(&mut self, Prepared(checkpoint): Prepared) -> SqlResult<SignedCheckpoint> {
        if self.last != Some(checkpoint.state) {
            let slot = write_slot(&checkpoint.state);
            self.file.write_at(self.slot * SLOT_STRIDE, &slot).map_err(|error| io_failed("write", &self.path, error))?;
            self.slot ^= 1;
            self.last = Some(checkpoint.state);
        }
        Ok(checkpoint)
    }

    /// Makes the record of what was signed last durable. Errors: 58030.
    pub fn sync(&self) -> SqlResult<()> {
        self.file.sync().map_err(|error| io_failed("sync", &self.path, error))
    }
}

fn draw(origin: &str, rng: &dyn Rng) -> SqlResult<Keys> {
    let (mut sha_seed, mut b3_seed) = ([0; 32], [0; 32]);
    rng.fill(&mut sha_seed);
    rng.fill(&mut b3_seed);
    Keys::from_seeds(origin, &sha_seed, &b3_seed).map_err(|error| SqlError::internal(error.to_string()))
}

/// Writes a file that is not there yet (K3).
fn write_keys(io: &dyn Io, path: &Path, keys: &Keys) -> SqlResult<()> {
    let failed = |error| io_failed("write key file", path, error);
    let file = io.create_new(path, 0o600).map_err(failed)?;
    file.write_at(0, keys.secret_text().as_bytes()).and_then(|()| file.sync()).map_err(failed)
}

/// Draws the keys that are to replace a ledger's, and makes them durable beside those. Errors: 58030, 53100.
pub(crate) fn write_next(io: &dyn Io, folder: &Path, origin: &str, rng: &dyn Rng) -> SqlResult<Keys> {
    let path = folder.join(NEXT_KEY_FILE);
    if io.exists(&path) {
        // Left by an attempt that failed before the log could name it.
        io.remove(&path).map_err(|error| io_failed("remove", &path, error))?;
    }
    let keys = draw(origin, rng)?;
    write_keys(io, &path, &keys)?;
    let keys_folder = folder.join("keys");
    io.sync_dir(&keys_folder).map_err(|error| io_failed("sync folder", &keys_folder, error))?;
    Ok(keys)
}

/// Those keys take the place of the old ones. Errors: 58030.
pub(crate) fn adopt_next(io: &dyn Io, folder: &Path) -> SqlResult<()> {
    let (from, to, keys_folder) = (folder.join(NEXT_KEY_FILE), folder.join(KEY_FILE), folder.join("keys"));
    io.rename(&from, &to).map_err(|error| io_failed("rename", &from, error))?;
    io.sync_dir(&keys_folder).map_err(|error| io_failed("sync folder", &keys_folder, error))
}

/// The keys that were to replace a ledger's, if their file is whole.
pub(crate) fn read_next(io: &dyn Io, folder: &Path) -> Option<Keys> {
    read_key_file(io, &folder.join(NEXT_KEY_FILE)).ok()
}

/// Whether a leaf names these keys.
pub(crate) fn are_of(keys: &Keys, leaf: &receipts::KeyLeaf) -> bool {
    keys.verifiers().map(|key| *key.public()) == [leaf.sha_key, leaf.b3_key]
}

/// Both key files of a new folder; the one that says what was signed last.
fn write_files(io: &dyn Io, folder: &Path, keys: &Keys, last: Option<&Signed>) -> SqlResult<Arc<dyn File>> {
    let keys_folder = folder.join("keys");
    io.create_dir_all(&keys_folder).map_err(|error| io_failed("create folder", &keys_folder, error))?;
    write_keys(io, &folder.join(KEY_FILE), keys)?;
    let path = folder.join(LAST_SIGNED_FILE);
    let failed = |error| io_failed("write", &path, error);
    let file = io.create_new(&path, 0o600).map_err(failed)?;
    let mut slots = [0; 2 * SLOT_STRIDE as usize];
    if let Some(last) = last {
        slots[..SLOT_BYTES].copy_from_slice(&write_slot(last));
    }
    file.write_at(0, &slots).and_then(|()| file.sync()).map_err(failed)?;
    io.sync_dir(&keys_folder).map_err(failed)?;
    Ok(file)
}

/// After a start has read the log: takes up the keys that it names last, if that is what the other file holds (N2 of `rotation.rs`), and removes those that no leaf
/// came to name. `named` is the last key leaf among what the log still holds. Errors: 58030, and XX001 for keys that the ledger does not name.
pub(crate) fn settle_keys(io: &dyn Io, folder: &Path, signer: &mut Signer, named: Option<&receipts::KeyLeaf>) -> SqlResult<()> {
    let path = folder.join(NEXT_KEY_FILE);
    if io.exists(&path) {
        let next = read_next(io, folder).filter(|next| named.is_some_and(|leaf| are_of(next, leaf)));
        match next {
            Some(next) => {
                signer.turn_to(next);
                adopt_next(io, folder)?;
            }
            // Drawn, and not named before the end came; it may be half written.
            None => io.remove(&path).map_err(|error| io_failed("remove", &path, error))?,
        }
    }
    match named {
        Some(leaf) if !are_of(signer.keys(), leaf) => {
            let message = format!("the key file of \"{}\" does not hold the keys that commit {} names", folder.display(), leaf.seq);
            Err(SqlError::new(SqlState::DATA_CORRUPTED, message).hint("It is older than the ledger: restore the one that was there last."))
        }
        _ => Ok(()),
    }
}

/// Reads the private keys of a ledger's folder. Errors: 58030, XX001.
pub fn read_keys(io: &dyn Io, folder: &Path) -> SqlResult<Keys> {
    read_key_file(io, &folder.join(KEY_FILE))
}

/// Reads one file of keys. Errors: likewise.
pub(crate) fn read_key_file(io: &dyn Io, path: &Path) -> SqlResult<Keys> {
    let bytes = io.open(path).and_then(|file| file.read_all()).map_err(|error| io_failed("read key file", path, error))?;
    let unreadable = |why: String| SqlError::new(SqlState::DATA_CORRUPTED, format!("key file \"{}\" is unreadable: {why}", path.display()));
    let text = String::from_utf8(bytes).map_err(|_| unreadable("not text".into()))?;
    Keys::parse(&text).map_err(|error| unreadable(error.to_string()))
}

fn write_slot(signed: &Signed) -> [u8; SLOT_BYTES] {
    let mut slot = [0; SLOT_BYTES];
    slot[..8].copy_from_slice(MAGIC);
    slot[8..16].copy_from_slice(&signed.size.to_le_bytes());
    slot[16..48].copy_from_slice(&signed.sha_root);
    slot[48..80].copy_from_slice(&signed.b3_root);
    let check = blake3::hash(&slot[..80]);
    slot[80..].copy_from_slice(check.as_bytes());
    slot
}

fn read_slot(bytes: &[u8]) -> Option<Signed> {
    let slot: &[u8; SLOT_BYTES] = bytes.first_chunk()?;
    let valid = &slot[..8] == MAGIC && blake3::hash(&slot[..80]).as_bytes() == &slot[80..];
    let size = u64::from_le_bytes(*slot[8..].first_chunk()?);
    valid.then_some(Signed { size, sha_root: *slot[16..].first_chunk()?, b3_root: *slot[48..].first_chunk()? })
}
