//! The leaves of a backup in order, and what they amount to.
//!
//! Never: believes a root that the leaves do not give.

use std::collections::VecDeque;

use base::SqlResult;
use bytes::Bytes;
use receipts::leaf::leaf_hashes;
use receipts::note::{Note, VerifierKey};
use receipts::tiles::{TileId, TileKind, decode_entries};
use receipts::{Blake3Tree, Frontier, KeyLeaf, Leaf, Sha256Tree};

use super::source::Source;
use crate::backup::log::{Records, leaf_of};
use crate::backup::manifest::FILE;
use crate::checkpoints;
use crate::signer::Signed;

/// See the module.
pub(super) struct Leaves<'a> {
    source: &'a Source<'a>,
    next: u64,
    bundle: VecDeque<Bytes>,
    log: Option<Records>,
}

impl<'a> Leaves<'a> {
    /// From leaf `first` on, which is the first of its bundle or anywhere in it.
    pub fn from(source: &'a Source<'a>, first: u64) -> SqlResult<Self> {
        let width = u64::from(receipts::tiles::TILE_WIDTH);
        let sealed = source.manifest.sealed;
        let begin = if first < sealed { first / width * width } else { sealed };
        let mut leaves = Self { source, next: begin, bundle: VecDeque::new(), log: None };
        while leaves.next < first {
            leaves.take()?;
        }
        Ok(leaves)
    }

    /// The next leaf; `None` at the end. Errors: XX001 naming the file.
    pub fn take(&mut self) -> SqlResult<Option<(u64, Bytes)>> {
        let seq = self.next;
        let bytes = if seq < self.source.manifest.sealed { Some(self.next_sealed(seq)?) } else { self.next_logged()? };
        self.next += u64::from(bytes.is_some());
        Ok(bytes.map(|bytes| (seq, bytes)))
    }

    fn next_sealed(&mut self, seq: u64) -> SqlResult<Bytes> {
        let tile = TileId::holding(TileKind::Entries, seq, self.source.manifest.sealed);
        let name = tile.map(|tile| tile.path()).unwrap_or_default();
        if self.bundle.is_empty() {
            let bytes = self.source.bytes(&name)?;
            let entries = decode_entries(&bytes).map_err(|error| self.source.damaged(&name, &error.to_string()))?;
            self.bundle = entries.into_iter().map(|entry| bytes.slice_ref(entry)).collect();
        }
        self.bundle.pop_front().ok_or_else(|| self.source.damaged(&name, "it is short"))
    }

    fn next_logged(&mut self) -> SqlResult<Option<Bytes>> {
        let name = self.source.manifest.log_name();
        if self.log.is_none() {
            self.log = Some(Records::over(self.source.bytes(&name)?).map_err(|error| self.source.damaged(&name, error.message()))?);
        }
        let Some(records) = &mut self.log else { return Ok(None) };
        while let Some(record) = records.take()? {
            if let Some(leaf) = leaf_of(record.kind, &record.payload)? {
                return Ok(Some(leaf));
            }
        }
        Ok(None)
    }
}

/// What the leaves of a backup amount to.
pub(super) struct Survey {
    /// Both trees at the size asked for.
    pub at: Signed,
    /// Time of the last leaf before it.
    pub time_us: i64,
}

/// Grows both trees from all leaves and compares them with every checkpoint and with the signatures. Errors: XX001 naming what differs.
pub(super) fn survey(source: &Source<'_>, size: u64) -> SqlResult<Survey> {
    let (mut sha, mut b3) = (Frontier::<Sha256Tree>::new(), Frontier::<Blake3Tree>::new());
    let (mut at, mut time_us, mut keys, mut incarnation): (Option<Signed>, i64, Option<KeyLeaf>, u32) = (None, i64::MIN, None, 0);
    let mut leaves = Leaves::from(source, 0)?;
    let mut sizes = VecDeque::from(source.sealed_sizes());
    while let Some((seq, bytes)) = leaves.take()? {
        let name = if seq < source.manifest.sealed { "tile/entries" } else { &*source.manifest.log_name() };
        let leaf = Leaf::decode(&bytes).map_err(|error| source.damaged(name, &format!("commit {seq}: {error}")))?;
        if leaf.seq() != seq || leaf.ledger() != source.manifest.identity.ledger.0 {
            return Err(source.damaged(name, &format!("commit {seq} is of another place or ledger")));
        }
        let (sha_hash, b3_hash) = leaf_hashes(&bytes);
        sha.append(sha_hash, |_, _, _| ());
        b3.append(b3_hash, |_, _, _| ());
        let state = Signed { size: seq + 1, sha_root: sha.root(), b3_root: b3.root() };
        if state.size <= size {
            time_us = leaf.time_us();
        }
        if state.size == size {
            at = Some(state);
        }
        if sizes.pop_front_if(|sealed| *sealed == state.size).is_some() {
            let name = format!("checkpoints/{:020}", state.size);
            source.verify(&name).and_then(|()| source.verify(&format!("b3/{name}")))?;
            if checkpoints::read(source.io, source.folder, state.size)?.state != state {
                return Err(source.damaged(&name, "its roots are not those of the leaves"));
            }
        }
        match leaf {
            Leaf::Key(leaf) => keys = Some(leaf),
            Leaf::Incarnation(leaf) => incarnation = leaf.number,
            Leaf::Commit(_) | Leaf::Checkpoint(_) => {}
        }
    }
    if incarnation != source.manifest.identity.incarnation {
        return Err(source.damaged(FILE, &format!("its leaves are of incarnation {incarnation}")));
    }
    let state = Signed { size: sha.size(), sha_root: sha.root(), b3_root: b3.root() };
    if state != source.manifest.state || !sizes.is_empty() {
        return Err(source.damaged(FILE, "its roots are not those of the leaves"));
    }
    check_signatures(source, &state, keys)?;
    let at = at.ok_or_else(|| source.damaged(FILE, &format!("it does not hold {size} commits")))?;
    Ok(Survey { at, time_us })
}

/// The newest state is signed by the keys that the ledger names.
fn check_signatures(source: &Source<'_>, state: &Signed, keys: Option<KeyLeaf>) -> SqlResult<()> {
    let names = source.manifest.signed_names();
    for name in &names {
        source.verify(name)?;
    }
    let [sha_name, b3_name] = &names;
    let signed = checkpoints::read_pair(source.io, [source.folder.join(sha_name), source.folder.join(b3_name)], state.size)?;
    let verifiers = keys.and_then(|keys| keys.verifiers().ok()).ok_or_else(|| source.damaged(sha_name, "the ledger names no keys"))?;
    for ((name, note), key) in names.iter().zip([&signed.sha_note, &signed.b3_note]).zip(&verifiers) {
        let is_signed = |note: &str, key: &VerifierKey| Note::parse(note).is_ok_and(|note| note.verify(std::slice::from_ref(key)).is_ok());
        if signed.state != *state || !is_signed(note, key) {
            return Err(source.damaged(name, "it is not the ledger's signature under these leaves"));
        }
    }
    Ok(())
}
