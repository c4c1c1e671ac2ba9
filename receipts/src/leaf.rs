//! Leaves of the two log trees: canonical bytes of at most 65,535, one kind for each thing a ledger records.
//!
//! E1: a leaf has one encoding; decoding accepts only that one, and refuses reserved bits, unknown kinds and trailing bytes.
//! E2: the same bytes are hashed into the SHA-256 and the BLAKE3 tree.
//! E3: in a commit leaf, spans rise strictly by relation, none is empty, and their rows add up to `n_rows`.
//!
//! Never: knows what a row holds.
//! Format: docs/formats/leaf.md.

mod key;

use crate::FormatError;
use crate::cursor::Cursor;
use crate::hash::Hash;
use crate::tree::{Blake3Tree, RowHashTree, Sha256Tree, TreeHash};

pub use key::{KeyLeaf, KeySignatures};

/// Most bytes of a leaf: what the u16 length of an entry bundle can say.
pub const LEAF_BYTES_MAX: usize = 65_535;
/// Most bytes of an actor name.
pub const ACTOR_BYTES_MAX: usize = 63;
/// Most bytes of an idempotency key.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 64;

const MAGIC: [u8; 4] = *b"SWLF";
const VERSION: u8 = 1;
const KIND_COMMIT: u8 = 1;
const KIND_CHECKPOINT: u8 = 2;
const KIND_KEY: u8 = 3;
const KIND_INCARNATION: u8 = 4;
/// Magic, version, kind, two reserved bytes, ledger, seq, time.
const HEADER_BYTES: usize = 4 + 1 + 1 + 2 + 16 + 8 + 8;

/// The rows one commit appended to one table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TableSpan {
    /// Id of the table.
    pub relation: u32,
    /// Row id of the first of them.
    pub first_row: u64,
    /// How many, at least 1; their ids are dense.
    pub rows: u64,
}

/// One committed transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommitLeaf {
    /// Id of the ledger.
    pub ledger: [u8; 16],
    /// Place of the commit: the index of its leaf.
    pub seq: u64,
    /// Commit time, µs since 1970-01-01 UTC, by the server's clock: not evidence of time.
    pub time_us: i64,
    /// Role that committed, at most 63 bytes; may be empty.
    pub actor: String,
    /// The client's key for retries, at most 64 bytes; may be empty.
    pub idempotency_key: Vec<u8>,
    /// Root over the catalog as of this commit ([`crate::schema::schema_root`]).
    pub schema_root: Hash,
    /// Number of rows in the commit.
    pub n_rows: u64,
    /// Its tables, strictly by relation; rows of the commit are ordered by relation, then row id.
    pub tables: Vec<TableSpan>,
    /// Root of the row tree ([`crate::row_tree`]).
    pub row_root: Hash,
    /// Hash of the policies that applied; zero if none.
    pub policy_hash: Hash,
    /// Hash of the evidence of how the rows were computed; zero if none.
    pub plan_hash: Hash,
}

/// States both roots at one size, which ties the two trees together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CheckpointLeaf {
    /// Id of the ledger.
    pub ledger: [u8; 16],
    /// Index of this leaf.
    pub seq: u64,
    /// µs since 1970-01-01 UTC.
    pub time_us: i64,
    /// Number of leaves the roots are over, at most `seq`.
    pub size: u64,
    /// SHA-256 root at that size.
    pub sha_root: Hash,
    /// BLAKE3 root at that size.
    pub b3_root: Hash,
}

/// Opens a new incarnation of a ledger: after a restore, or when its last signed state cannot be continued.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IncarnationLeaf {
    /// Id of the ledger.
    pub ledger: [u8; 16],
    /// Index of this leaf.
    pub seq: u64,
    /// µs since 1970-01-01 UTC.
    pub time_us: i64,
    /// Number of the incarnation that starts here, from 1; the ledger was created as incarnation 0.
    pub number: u32,
    /// Size that the incarnation before last signed; above `seq` if leaves were lost.
    pub previous_size: u64,
    /// SHA-256 root it signed there.
    pub previous_sha_root: Hash,
    /// BLAKE3 root it signed there.
    pub previous_b3_root: Hash,
}

/// Any leaf.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Leaf {
    /// A transaction.
    Commit(CommitLeaf),
    /// Both roots at one size.
    Checkpoint(CheckpointLeaf),
    /// The ledger's keys, or their successors.
    Key(KeyLeaf),
    /// A new incarnation.
    Incarnation(IncarnationLeaf),
}

impl Leaf {
    /// The canonical bytes; fails if a field is out of its range.
    pub fn encode(&self) -> Result<Vec<u8>, FormatError> {
        let bytes = match self {
            Leaf::Commit(leaf) => leaf.encode()?,
            Leaf::Checkpoint(leaf) => leaf.encode()?,
            Leaf::Key(leaf) => leaf.encode()?,
            Leaf::Incarnation(leaf) => leaf.encode()?,
        };
        if bytes.len() > LEAF_BYTES_MAX {
            return Err(FormatError::new("leaf", format!("would have {} bytes, at most {LEAF_BYTES_MAX}", bytes.len())));
        }
        Ok(bytes)
    }

    /// Reads a leaf; fails on any byte that [`Leaf::encode`] would not have written.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut cursor = Cursor::new("leaf", bytes);
        if bytes.len() > LEAF_BYTES_MAX {
            return Err(cursor.error(format!("has {} bytes, at most {LEAF_BYTES_MAX}", bytes.len())));
        }
        let (kind, place) = Place::decode(&mut cursor)?;
        let leaf = match kind {
            KIND_COMMIT => Leaf::Commit(CommitLeaf::decode(place, &mut cursor)?),
            KIND_CHECKPOINT => Leaf::Checkpoint(CheckpointLeaf::decode(place, &mut cursor)?),
            KIND_KEY => Leaf::Key(KeyLeaf::decode(place, &mut cursor)?),
            KIND_INCARNATION => Leaf::Incarnation(IncarnationLeaf::decode(place, &mut cursor)?),
            _ => return Err(cursor.error(format!("kind {kind} is not supported"))),
        };
        cursor.end()?;
        Ok(leaf)
    }

    fn place(&self) -> Place {
        let (ledger, seq, time_us) = match self {
            Leaf::Commit(leaf) => (leaf.ledger, leaf.seq, leaf.time_us),
            Leaf::Checkpoint(leaf) => (leaf.ledger, leaf.seq, leaf.time_us),
            Leaf::Key(leaf) => (leaf.ledger, leaf.seq, leaf.time_us),
            Leaf::Incarnation(leaf) => (leaf.ledger, leaf.seq, leaf.time_us),
        };
        Place { ledger, seq, time_us }
    }

    /// Id of the ledger it belongs to.
    pub fn ledger(&self) -> [u8; 16] {
        self.place().ledger
    }

    /// Its index in both trees.
    pub fn seq(&self) -> u64 {
        self.place().seq
    }

    /// Its time, µs since 1970-01-01 UTC.
    pub fn time_us(&self) -> i64 {
        self.place().time_us
    }

    /// What kind it is, in one word.
    pub fn kind_name(&self) -> &'static str {
        match self {
            Leaf::Commit(_) => "commit",
            Leaf::Checkpoint(_) => "checkpoint",
            Leaf::Key(_) => "key",
            Leaf::Incarnation(_) => "incarnation",
        }
    }
}

/// Leaf hashes of the same bytes in the two trees: SHA-256, BLAKE3.
pub fn leaf_hashes(bytes: &[u8]) -> (Hash, Hash) {
    (Sha256Tree::leaf(bytes), Blake3Tree::leaf(bytes))
}

/// What every leaf starts with.
#[derive(Clone, Copy)]
struct Place {
    ledger: [u8; 16],
    seq: u64,
    time_us: i64,
}

impl Place {
    fn encode(self, kind: u8) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        out.extend(MAGIC);
        out.extend([VERSION, kind, 0, 0]);
        out.extend(self.ledger);
        out.extend(self.seq.to_le_bytes());
        out.extend(self.time_us.to_le_bytes());
        debug_assert_eq!(out.len(), HEADER_BYTES, "E1: a leaf header has one length");
        out
    }

    fn decode(cursor: &mut Cursor<'_>) -> Result<(u8, Self), FormatError> {
        if cursor.array()? != MAGIC {
            return Err(cursor.error("does not start with SWLF"));
        }
        let version = cursor.u8()?;
        if version != VERSION {
            return Err(cursor.error(format!("version {version} is not supported")));
        }
        let kind = cursor.u8()?;
        cursor.zeros(2)?;
        Ok((kind, Self { ledger: cursor.array()?, seq: cursor.u64()?, time_us: cursor.i64()? }))
    }
}

impl CommitLeaf {
    fn encode(&self) -> Result<Vec<u8>, FormatError> {
        self.check()?;
        let mut out = Place { ledger: self.ledger, seq: self.seq, time_us: self.time_us }.encode(KIND_COMMIT);
        out.extend(self.schema_root);
        out.extend(self.n_rows.to_le_bytes());
        out.extend(self.row_root);
        out.extend(self.policy_hash);
        out.extend(self.plan_hash);
        out.extend([0; 8]);
        out.push(self.actor.len() as u8);
        out.extend(self.actor.bytes());
        out.push(self.idempotency_key.len() as u8);
        out.extend(&self.idempotency_key);
        out.extend((self.tables.len() as u32).to_le_bytes());
        for table in &self.tables {
            out.extend(table.relation.to_le_bytes());
            out.extend(table.first_row.to_le_bytes());
            out.extend(table.rows.to_le_bytes());
        }
        Ok(out)
    }

    fn decode(place: Place, cursor: &mut Cursor<'_>) -> Result<Self, FormatError> {
        let Place { ledger, seq, time_us } = place;
        let (schema_root, n_rows, row_root) = (cursor.array()?, cursor.u64()?, cursor.array()?);
        let (policy_hash, plan_hash) = (cursor.array()?, cursor.array()?);
        cursor.zeros(8)?;
        let actor = cursor.short_text("actor")?;
        let key_len = usize::from(cursor.u8()?);
        let idempotency_key = cursor.bytes(key_len)?.to_vec();
        let mut tables = Vec::new();
        for _ in 0..cursor.u32()? {
            tables.push(TableSpan { relation: cursor.u32()?, first_row: cursor.u64()?, rows: cursor.u64()? });
        }
        let leaf = Self { ledger, seq, time_us, actor, idempotency_key, schema_root, n_rows, tables, row_root, policy_hash, plan_hash };
        leaf.check()?;
        Ok(leaf)
    }

    /// E3, and the ranges of the short fields.
    fn check(&self) -> Result<(), FormatError> {
        let error = |why: String| Err(FormatError::new("commit leaf", why));
        if self.actor.len() > ACTOR_BYTES_MAX || self.actor.contains('\0') {
            return error(format!("has an actor of {} bytes or with a zero byte, at most {ACTOR_BYTES_MAX}", self.actor.len()));
        }
        if self.idempotency_key.len() > IDEMPOTENCY_KEY_BYTES_MAX {
            let len = self.idempotency_key.len();
            return error(format!("has an idempotency key of {len} bytes, at most {IDEMPOTENCY_KEY_BYTES_MAX}"));
        }
        if let Some(pair) = self.tables.windows(2).find(|pair| pair[0].relation >= pair[1].relation) {
            return error(format!("lists relation {} before {}", pair[0].relation, pair[1].relation));
        }
        let mut rows = 0u64;
        for table in &self.tables {
            let end = table.first_row.checked_add(table.rows);
            let sum = rows.checked_add(table.rows);
            let (Some(_), Some(sum), 1..) = (end, sum, table.rows) else {
                return error(format!("has {} rows from {} in relation {}", table.rows, table.first_row, table.relation));
            };
            rows = sum;
        }
        if rows != self.n_rows {
            return error(format!("has {} rows but spans of {rows}", self.n_rows));
        }
        if rows == 0 && self.row_root != RowHashTree::empty() {
            return error("has no rows but not the empty row root".to_owned());
        }
        Ok(())
    }

    /// The table and row id of the row at `index` in the commit; `None` if `index ≥ n_rows`.
    pub fn locate(&self, index: u64) -> Option<(TableSpan, u64)> {
        let mut before = 0;
        for table in &self.tables {
            if index - before < table.rows {
                return Some((*table, table.first_row + (index - before)));
            }
            before += table.rows;
        }
        None
    }

    /// Index in the commit of row `row_id` of `relation`; `None` if this commit did not append it.
    pub fn index_of(&self, relation: u32, row_id: u64) -> Option<u64> {
        let place = self.tables.binary_search_by_key(&relation, |table| table.relation).ok()?;
        let ordinal = row_id.checked_sub(self.tables[place].first_row).filter(|ordinal| *ordinal < self.tables[place].rows)?;
        Some(self.tables[..place].iter().map(|table| table.rows).sum::<u64>() + ordinal)
    }
}

impl CheckpointLeaf {
    fn encode(&self) -> Result<Vec<u8>, FormatError> {
        self.check()?;
        let mut out = Place { ledger: self.ledger, seq: self.seq, time_us: self.time_us }.encode(KIND_CHECKPOINT);
        out.extend(self.size.to_le_bytes());
        out.extend(self.sha_root);
        out.extend(self.b3_root);
        Ok(out)
    }

    fn decode(place: Place, cursor: &mut Cursor<'_>) -> Result<Self, FormatError> {
        let Place { ledger, seq, time_us } = place;
        let leaf = Self { ledger, seq, time_us, size: cursor.u64()?, sha_root: cursor.array()?, b3_root: cursor.array()? };
        leaf.check()?;
        Ok(leaf)
    }

    fn check(&self) -> Result<(), FormatError> {
        if self.size > self.seq {
            return Err(FormatError::new("checkpoint leaf", format!("at {} states roots of size {}", self.seq, self.size)));
        }
        Ok(())
    }
}

impl IncarnationLeaf {
    fn encode(&self) -> Result<Vec<u8>, FormatError> {
        self.check()?;
        let mut out = Place { ledger: self.ledger, seq: self.seq, time_us: self.time_us }.encode(KIND_INCARNATION);
        out.extend(self.number.to_le_bytes());
        out.extend(self.previous_size.to_le_bytes());
        out.extend(self.previous_sha_root);
        out.extend(self.previous_b3_root);
        Ok(out)
    }

    fn decode(place: Place, cursor: &mut Cursor<'_>) -> Result<Self, FormatError> {
        let Place { ledger, seq, time_us } = place;
        let (number, previous_size) = (cursor.u32()?, cursor.u64()?);
        let (previous_sha_root, previous_b3_root) = (cursor.array()?, cursor.array()?);
        let leaf = Self { ledger, seq, time_us, number, previous_size, previous_sha_root, previous_b3_root };
        leaf.check()?;
        Ok(leaf)
    }

    fn check(&self) -> Result<(), FormatError> {
        if self.number == 0 {
            return Err(FormatError::new("incarnation leaf", "numbers its incarnation 0"));
        }
        Ok(())
    }
}
