//! The keys under which the rows of erasable tables are sealed: one for each subject of a table, until it is erased.
//!
//! J1: a key is durable before a commit is decided that needs it.
//! J2: what was sealed under a key that is doomed or destroyed is not committed any more; a subject that comes back gets another key.
//! J3: a destroyed key is in no file and is remembered by its id alone, so that what it sealed reads as erased; a key that is neither there nor destroyed
//!     is an error, never NULL.
//! J4: a key that comes back with an older copy of the file is destroyed again at start: the ledger's own record names it.
//! Never: knows a row; hands out the secret of a key.
//! Format: docs/formats/folder.md, «keys/subjects».

mod store;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base::io::Io;
use base::{LedgerId, RelationId, Rng, SqlError, SqlResult, SqlState, hex};
use hashbrown::{HashMap, HashSet};
use parking_lot::{Mutex, MutexGuard, RwLock};

pub use store::FILE;
use store::{Record, Store};

/// Names a key; stands in every value sealed under it.
pub type KeyId = [u8; 16];

/// What one subject's values are sealed with.
#[derive(Clone)]
pub struct SubjectKey {
    /// Its name.
    pub id: KeyId,
    /// Key of the cipher.
    pub sealing: [u8; 32],
    /// Key that salts of sealed fields come from.
    pub salts: [u8; 32],
}

impl SubjectKey {
    fn new(id: KeyId, secret: &[u8; 32]) -> Self {
        let derive = |purpose: &str| blake3::derive_key(purpose, secret);
        Self { id, sealing: derive("shockwave 2026 sealing v1"), salts: derive("shockwave 2026 sealed-salt v1") }
    }
}

impl std::fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SubjectKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What a key belongs to, and its secret.
#[derive(Clone)]
struct Held {
    relation: u32,
    subject: [u8; 32],
    secret: [u8; 32],
}

#[derive(Default)]
struct Inner {
    held: HashMap<KeyId, Held>,
    /// By subject: the key that new rows are sealed under.
    current: HashMap<[u8; 32], KeyId>,
    /// Named by an erasure that is decided and not durable yet, or whose keys are being destroyed.
    doomed: HashSet<KeyId>,
    destroyed: HashSet<KeyId>,
    /// Not in the file yet.
    pending: Vec<KeyId>,
}

impl Inner {
    fn record(&self, id: KeyId) -> Option<Record> {
        let held = self.held.get(&id)?;
        Some(Record::Key { id, relation: held.relation, subject: held.subject, secret: held.secret })
    }

    /// What was destroyed once is not taken again, in whatever order it is read.
    fn take(&mut self, record: Record) {
        match record {
            Record::Key { id, relation, subject, secret } if !self.destroyed.contains(&id) => {
                self.current.insert(subject, id);
                self.held.insert(id, Held { relation, subject, secret });
            }
            Record::Key { .. } => {}
            Record::Destroyed { id } => self.forget(&id),
        }
    }

    fn forget(&mut self, id: &KeyId) {
        if let Some(held) = self.held.remove(id)
            && self.current.get(&held.subject) == Some(id)
        {
            self.current.remove(&held.subject);
        }
        self.pending.retain(|other| other != id);
        self.doomed.remove(id);
        self.destroyed.insert(*id);
    }

    fn destroyed(&self) -> impl Iterator<Item = Record> {
        self.destroyed.iter().map(|id| Record::Destroyed { id: *id })
    }

    fn records(&self) -> Vec<Record> {
        let keys = self.held.keys().filter_map(|id| self.record(*id));
        let mut records: Vec<Record> = keys.chain(self.destroyed()).collect();
        // One state has one spelling, so that a backup copies it once.
        records.sort_unstable_by_key(Record::id);
        records
    }
}

/// The keys of one ledger; see the module.
pub struct Subjects {
    inner: RwLock<Inner>,
    store: Mutex<Store>,
    /// How often keys were doomed.
    epoch: AtomicU64,
    /// One erasure at a time: what it names stays a subject's key until it is decided.
    erasing: Mutex<()>,
}

impl std::fmt::Debug for Subjects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subjects").finish_non_exhaustive()
    }
}

impl Subjects {
    /// Reads the keys of the ledger in `folder`; changes nothing. Errors: XX001 for a file that is damaged or another ledger's, 58030.
    pub fn open(io: &Arc<dyn Io>, folder: &Path, ledger: LedgerId) -> SqlResult<Self> {
        let (store, records) = Store::open(io, folder, ledger)?;
        let mut inner = Inner::default();
        records.into_iter().for_each(|record| inner.take(record));
        Ok(Self { inner: RwLock::new(inner), store: Mutex::new(store), epoch: AtomicU64::new(0), erasing: Mutex::default() })
    }

    /// The key that a subject's rows are sealed under from now on; drawn where there is none.
    pub(crate) fn sealing_key(&self, relation: RelationId, type_oid: u32, value: &[u8], rng: &dyn Rng) -> SubjectKey {
        let subject = subject_name(relation, type_oid, value);
        if let Some(key) = self.current(&subject) {
            return key;
        }
        let mut inner = self.inner.write();
        if let Some((id, held)) = inner.current.get(&subject).and_then(|id| Some((*id, inner.held.get(id)?))) {
            return SubjectKey::new(id, &held.secret);
        }
        let (mut id, mut secret) = (KeyId::default(), [0; 32]);
        rng.fill(&mut id);
        rng.fill(&mut secret);
        inner.held.insert(id, Held { relation: relation.0, subject, secret });
        inner.current.insert(subject, id);
        inner.pending.push(id);
        SubjectKey::new(id, &secret)
    }

    fn current(&self, subject: &[u8; 32]) -> Option<SubjectKey> {
        let inner = self.inner.read();
        let id = inner.current.get(subject)?;
        Some(SubjectKey::new(*id, &inner.held.get(id)?.secret))
    }

    /// Id of the key that a subject's rows are sealed under, if it has one.
    pub(crate) fn key_of(&self, relation: RelationId, type_oid: u32, value: &[u8]) -> Option<KeyId> {
        self.inner.read().current.get(&subject_name(relation, type_oid, value)).copied()
    }

    /// Tables whose rows are sealed under some key.
    pub(crate) fn relations(&self) -> std::collections::BTreeSet<RelationId> {
        self.inner.read().held.values().map(|held| RelationId(held.relation)).collect()
    }

    /// The key of this id; `None` where it was destroyed (J3). Errors: XX001 where it is not there and was not.
    pub(crate) fn opening_key(&self, id: &KeyId) -> SqlResult<Option<SubjectKey>> {
        let inner = self.inner.read();
        match inner.held.get(id) {
            Some(held) => Ok(Some(SubjectKey::new(*id, &held.secret))),
            None if inner.destroyed.contains(id) => Ok(None),
            None => {
                Err(SqlError::new(SqlState::DATA_CORRUPTED, format!("rows are sealed under key {}, which is missing", hex::encode(id)))
                    .hint(format!(
                        "Copy the file {FILE} of the ledger's folder, or of a backup made with keys, to its place and restart the server."
                    )))
            }
        }
    }

    /// How often keys were doomed; what is sealed after a look at it needs no second look while it stays.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    /// J2. Errors: 40001.
    pub(crate) fn check_usable(&self, ids: impl IntoIterator<Item = KeyId>) -> SqlResult<()> {
        let inner = self.inner.read();
        if ids.into_iter().all(|id| inner.held.contains_key(&id) && !inner.doomed.contains(&id)) {
            return Ok(());
        }
        Err(SqlError::new(SqlState::SERIALIZATION_FAILURE, "could not serialize access due to concurrent erasure")
            .hint("The transaction might succeed if retried."))
    }

    /// Makes durable what was drawn (J1). Errors: 53100, 58030; then it is not, and the next call writes all of it anew.
    pub(crate) fn make_durable(&self) -> SqlResult<()> {
        let mut store = self.store.lock();
        let (taken, records) = {
            let mut inner = self.inner.write();
            let taken = std::mem::take(&mut inner.pending);
            let records: Vec<Record> = taken.iter().filter_map(|id| inner.record(*id)).collect();
            (taken, records)
        };
        if records.is_empty() {
            return Ok(());
        }
        let written = if store.is_appendable() { store.append(&records) } else { store.replace(&self.inner.read().records()) };
        written.inspect_err(|_| self.inner.write().pending.extend(taken))
    }

    /// One erasure at a time.
    pub(crate) fn erase_alone(&self) -> MutexGuard<'_, ()> {
        self.erasing.lock()
    }

    /// An erasure of these is decided: nothing more is committed under them (J2). They still open what they sealed, until it is durable.
    pub(crate) fn doom(&self, ids: &[KeyId]) {
        if ids.is_empty() {
            return;
        }
        let mut inner = self.inner.write();
        for id in ids {
            if let Some(subject) = inner.held.get(id).map(|held| held.subject)
                && inner.current.get(&subject) == Some(id)
            {
                inner.current.remove(&subject);
            }
            inner.doomed.insert(*id);
        }
        self.epoch.fetch_add(1, Ordering::SeqCst);
    }

    /// Destroys keys, in memory first and then in the file, which is written anew without them (J3).
    ///
    /// Errors: 53100, 58030: they open nothing any more, and go from the file with the next erasure or start.
    pub(crate) fn destroy(&self, ids: &[KeyId]) -> SqlResult<()> {
        let mut store = self.store.lock();
        let (taken, records) = {
            let mut inner = self.inner.write();
            ids.iter().for_each(|id| inner.forget(id));
            (std::mem::take(&mut inner.pending), inner.records())
        };
        store.replace(&records).inspect_err(|_| self.inner.write().pending.extend(taken))
    }

    /// Destroys those of the keys that the ledger says were (J4), and what a broken off writing left. Errors: 53100, 58030.
    pub(crate) fn destroy_again(&self, recorded: &[KeyId]) -> SqlResult<()> {
        let is_known = |id: &KeyId| self.inner.read().destroyed.contains(id);
        if recorded.iter().all(is_known) {
            return self.store.lock().clear_away();
        }
        self.destroy(recorded)
    }

    /// How many keys there are, and how many were destroyed.
    pub fn counts(&self) -> (usize, usize) {
        let inner = self.inner.read();
        (inner.held.len(), inner.destroyed.len())
    }

    /// The file's bytes as they are to stand in a backup, without secrets only what was destroyed; `None` where that is nothing.
    pub(crate) fn copy(&self, with_secrets: bool) -> Option<Vec<u8>> {
        let store = self.store.lock();
        let mut records = self.inner.read().records();
        records.retain(|record| with_secrets || matches!(record, Record::Destroyed { .. }));
        (!records.is_empty()).then(|| store.encode(&records))
    }
}

/// Lays the file of a restored ledger: the keys of one copy, but for those that any of the copies says were destroyed.
///
/// Errors: XX001 for a copy that is damaged or another ledger's; 53100, 58030.
pub(crate) fn lay(io: &Arc<dyn Io>, folder: &Path, ledger: LedgerId, keys: Option<&[u8]>, others: &[&[u8]]) -> SqlResult<()> {
    let mut store = Store::new(io, folder, ledger);
    let mut inner = Inner::default();
    for record in keys.map_or(Ok(Vec::new()), |bytes| store.decode(bytes).map(|(records, _)| records))? {
        inner.take(record);
    }
    for bytes in others {
        store
            .decode(bytes)?
            .0
            .into_iter()
            .filter(|record| matches!(record, Record::Destroyed { .. }))
            .for_each(|record| inner.take(record));
    }
    let records = inner.records();
    if records.is_empty() { Ok(()) } else { store.replace(&records) }
}

/// A subject of a table, in the form that keys are looked up by.
fn subject_name(relation: RelationId, type_oid: u32, value: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("shockwave 2026 subject v1");
    hasher.update(&relation.0.to_le_bytes()).update(&type_oid.to_le_bytes()).update(value);
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests;
