//! The leaves of a folder in order: sealed ones out of entry bundles, later ones out of the log, with the log's rows beside them.
//!
//! Never: changes the log (it is read, not recovered).

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::{Io, RelationId, SqlError, SqlResult};
use bytes::Bytes;
use receipts::Leaf;
use receipts::tiles::{TILE_WIDTH, TileId, TileKind, decode_entries};
use wal::{Identity, Recovery, WalOptions};

use super::rows::Rows;
use super::{Stop, malformed, unreadable};
use crate::identity::LedgerIdentity;
use crate::record::{self, PieceBody};

/// Rows of one table in one logged commit.
pub(super) struct LoggedRows {
    pub relation: RelationId,
    pub schema_version: u32,
    pub rows: u32,
    pub bytes: Bytes,
}

/// Leaves in order; see the module.
pub(super) struct History {
    io: Arc<dyn Io>,
    folder: PathBuf,
    sealed: u64,
    next: u64,
    bundle: VecDeque<Bytes>,
    log: VecDeque<(u64, Bytes)>,
    rows: HashMap<u64, Vec<LoggedRows>>,
}

impl History {
    /// Reads the log; entry bundles are read as leaves are asked for.
    pub(super) fn open(io: &Arc<dyn Io>, folder: &Path, identity: &LedgerIdentity, sealed: u64) -> Result<Self, Stop> {
        let mut history = Self {
            io: Arc::clone(io),
            folder: folder.into(),
            sealed,
            next: 0,
            bundle: VecDeque::new(),
            log: VecDeque::new(),
            rows: HashMap::new(),
        };
        let wal = Identity { ledger: identity.ledger, incarnation: identity.incarnation };
        let past: Vec<u32> = (0..identity.incarnation).collect();
        let mut waiting = HashMap::new();
        Recovery::read(Arc::clone(io), &folder.join("wal"), wal, &past, WalOptions::default(), &mut |record| -> SqlResult<()> {
            history.take_record(record.position.0, record.kind.0, Bytes::from_owner(record.payload), &mut waiting)
        })
        .map_err(|error| unreadable(&error))?;
        Ok(history)
    }

    fn take_record(&mut self, position: u64, kind: u8, payload: Bytes, waiting: &mut HashMap<u64, Bytes>) -> SqlResult<()> {
        let unreadable = |why: String| SqlError::new(base::SqlState::DATA_CORRUPTED, format!("log record at position {position}: {why}"));
        let seq_of = |leaf: &[u8]| Leaf::decode(leaf).map(|leaf| leaf.seq()).map_err(|error| unreadable(error.to_string()));
        match kind {
            record::DATA => {
                waiting.insert(position, payload);
            }
            record::COMMIT => {
                let (leaf, pieces) = record::read_commit(&payload)?;
                let seq = seq_of(&leaf)?;
                let mut rows = Vec::with_capacity(pieces.len());
                for piece in pieces {
                    let bytes = match piece.body {
                        PieceBody::Inline(bytes) => bytes,
                        PieceBody::At(at) => {
                            let data = waiting.remove(&at).ok_or_else(|| unreadable(format!("rows at log position {at} are missing")))?;
                            record::read_data(&data)?.1
                        }
                    };
                    let header = piece.header;
                    rows.push(LoggedRows { relation: header.relation, schema_version: header.schema_version, rows: header.rows, bytes });
                }
                self.rows.insert(seq, rows);
                self.log.push_back((seq, leaf));
            }
            record::LEAF => self.log.push_back((seq_of(&payload)?, payload)),
            other => return Err(unreadable(format!("unknown kind {other}"))),
        }
        Ok(())
    }

    /// The next leaf's bytes; `None` at the end.
    pub(super) fn next_leaf(&mut self) -> Result<Option<Bytes>, Stop> {
        let seq = self.next;
        self.next += 1;
        if seq < self.sealed {
            if self.bundle.is_empty() {
                self.read_bundle(seq)?;
            }
            self.log.pop_front_if(|(logged, _)| *logged <= seq);
            return self.bundle.pop_front().map(Some).ok_or_else(|| malformed(self.place(seq), "its entry bundle is short"));
        }
        while self.log.pop_front_if(|(logged, _)| *logged < seq).is_some() {}
        match self.log.pop_front() {
            None => Ok(None),
            Some((logged, leaf)) if logged == seq => Ok(Some(leaf)),
            Some((logged, _)) => Err(malformed("log", format!("commits {seq} to {} are missing", logged - 1))),
        }
    }

    fn read_bundle(&mut self, seq: u64) -> Result<(), Stop> {
        let place = self.place(seq);
        let tile = TileId::holding(TileKind::Entries, seq, self.sealed).ok_or_else(|| malformed(&place, "it is past the sealed size"))?;
        let path = self.folder.join(tile.path());
        let bytes = self.io.open(&path).and_then(|file| file.read_all()).map_err(|error| malformed(&place, error.to_string()))?;
        let bytes = Bytes::from(bytes);
        let entries = decode_entries(&bytes).map_err(|error| malformed(&place, error.to_string()))?;
        if entries.len() != usize::from(tile.width) {
            return Err(malformed(place, format!("it holds {} entries, not {}", entries.len(), tile.width)));
        }
        self.bundle = entries.into_iter().map(|entry| bytes.slice_ref(entry)).collect();
        Ok(())
    }

    /// Where a leaf stands, for a finding.
    pub(super) fn place(&self, seq: u64) -> String {
        match TileId::holding(TileKind::Entries, seq, self.sealed) {
            Some(tile) => format!("{} (commit {seq}, entry {})", tile.path(), seq % u64::from(TILE_WIDTH)),
            None => format!("log (commit {seq})"),
        }
    }

    /// Whether the leaf at this index, the next one, states roots.
    pub(super) fn is_followed_by_roots(&self, index: u64) -> bool {
        let next =
            if index < self.sealed { self.bundle.front() } else { self.log.iter().find(|(seq, _)| *seq == index).map(|(_, leaf)| leaf) };
        // At a bundle's end the next leaf is not read yet: remember the root in case.
        next.map_or(index < self.sealed, |leaf| matches!(Leaf::decode(leaf), Ok(Leaf::Checkpoint(_) | Leaf::Incarnation(_))))
    }

    /// Hands the logged rows of a commit to the row check.
    pub(super) fn feed(&mut self, rows: &mut Rows, seq: u64) -> Result<(), Stop> {
        match self.rows.remove(&seq) {
            Some(logged) => rows.add_logged(seq, logged),
            None => Ok(()),
        }
    }
}
