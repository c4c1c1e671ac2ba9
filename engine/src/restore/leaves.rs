//! The leaves of a backup in order, and what they amount to.
//!
//! Never: believes a root that the leaves do not give.

use std::collections::VecDeque;

use base::SqlResult;
use bytes::Bytes;
use receipts::leaf::leaf_hashes;
use receipts::note::Note;
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
    /// The keys that were in force there.
    pub keys: KeyLeaf,
}

/// Grows both trees from all leaves and compares them with every checkpoint and with the signatures. Errors: XX001 naming what differs.
pub(super) fn survey(source: &Source<'_>, size: u64) -> SqlResult<Survey> {
    let (mut growing, mut at) = (Growing::default(), None);
    let mut leaves = Leaves::from(source, 0)?;
    let mut sizes = VecDeque::from(source.sealed_sizes());
    while let Some((seq, bytes)) = leaves.take()? {
        let name = if seq < source.manifest.sealed { "tile/entries" } else { &*source.manifest.log_name() };
        let leaf = Leaf::decode(&bytes).map_err(|error| source.damaged(name, &format!("commit {seq}: {error}")))?;
        if leaf.seq() != seq || leaf.ledger() != source.manifest.identity.ledger.0 {
            return Err(source.damaged(name, &format!("commit {seq} is of another place or ledger")));
        }
        let time_us = leaf.time_us();
        growing.append(&bytes, leaf).map_err(|why| source.damaged(name, &format!("commit {seq} {why}")))?;
        let state = growing.state();
        if state.size == size {
            at = growing.keys.clone().map(|keys| Survey { at: state, time_us, keys });
        }
        if sizes.pop_front_if(|sealed| *sealed == state.size).is_some() {
            let name = format!("checkpoints/{:020}", state.size);
            check_signed(source, [name.clone(), format!("b3/{name}")], &growing)?;
        }
    }
    if growing.state() != source.manifest.state || !sizes.is_empty() {
        return Err(source.damaged(FILE, "its roots are not those of the leaves"));
    }
    if growing.incarnation != source.manifest.identity.incarnation {
        return Err(source.damaged(FILE, &format!("its leaves are of incarnation {}", growing.incarnation)));
    }
    check_signed(source, source.manifest.signed_names(), &growing)?;
    at.ok_or_else(|| source.damaged(FILE, &format!("it does not hold {size} commits under a key")))
}

/// Both trees and what leaves said so far.
#[derive(Default)]
struct Growing {
    sha: Frontier<Sha256Tree>,
    b3: Frontier<Blake3Tree>,
    keys: Option<KeyLeaf>,
    incarnation: u32,
}

impl Growing {
    /// The error says what a leaf does wrong.
    fn append(&mut self, bytes: &[u8], leaf: Leaf) -> Result<(), &'static str> {
        let (sha_hash, b3_hash) = leaf_hashes(bytes);
        self.sha.append(sha_hash, |_, _, _| ());
        self.b3.append(b3_hash, |_, _, _| ());
        match leaf {
            Leaf::Key(leaf) => {
                if !leaf.verify(self.keys.as_ref().map(|before| (&before.sha_key, &before.b3_key))) {
                    return Err("names keys that those before did not sign");
                }
                self.keys = Some(leaf);
            }
            Leaf::Incarnation(leaf) => self.incarnation = leaf.number,
            Leaf::Commit(_) | Leaf::Checkpoint(_) => {}
        }
        Ok(())
    }

    fn state(&self) -> Signed {
        Signed { size: self.sha.size(), sha_root: self.sha.root(), b3_root: self.b3.root() }
    }
}

/// A pair of checkpoints: of the present state, and signed by the keys that are in force in it.
fn check_signed(source: &Source<'_>, names: [String; 2], growing: &Growing) -> SqlResult<()> {
    let state = growing.state();
    for name in &names {
        source.verify(name)?;
    }
    let [sha_name, b3_name] = &names;
    let signed = checkpoints::read_pair(source.io, [source.folder.join(sha_name), source.folder.join(b3_name)], state.size)?;
    let verifiers = growing.keys.as_ref().and_then(|keys| keys.verifiers().ok());
    let verifiers = verifiers.ok_or_else(|| source.damaged(sha_name, "the ledger names no keys"))?;
    for ((name, note), key) in names.iter().zip([&signed.sha_note, &signed.b3_note]).zip(&verifiers) {
        let is_signed = Note::parse(note).is_ok_and(|note| note.verify(std::slice::from_ref(key)).is_ok());
        if signed.state != state || !is_signed {
            return Err(source.damaged(name, "it is not the ledger's signature under these leaves"));
        }
    }
    Ok(())
}
