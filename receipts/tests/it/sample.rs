//! A small ledger built in memory, the same bytes on every run: what the other tests prove, attack and print.

use receipts::checkpoint::origin;
use receipts::consistency::ConsistencyProof;
use receipts::leaf::leaf_hashes;
use receipts::note::Note;
use receipts::proof::{consistency_proof, inclusion_proof};
use receipts::row::{OP_DELETE, OP_INSERT, OP_UPDATE};
use receipts::row_tree::{GroupTree, row_path_from_groups};
use receipts::schema::{SchemaPath, schema_root};
use receipts::tree::MemoryTree;
use receipts::{
    Blake3Tree, CheckpointLeaf, CommitLeaf, CoseReceipt, Disclosure, Field, Hash, IncarnationLeaf, KeyLeaf, Keys, Leaf, Policy, Receipt,
    RowHeader, RowPart, RowTree, Sha256Tree, Supersedes, TableSpan, field_commitment, field_salt, row_hash,
};

pub const LEDGER: [u8; 16] = [0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f];
pub const ORDERS: u32 = 1001;
pub const VISITS: u32 = 1002;
/// 2026-01-02 03:04:05.678901 UTC
pub const TIME_US: i64 = 1_767_323_045_678_901;

/// Column id, type oid.
pub const ORDERS_COLUMNS: [(u32, u32); 4] = [(1, 20), (2, 25), (3, 16), (4, 25)];
pub const VISITS_COLUMNS: [(u32, u32); 1] = [(1, 23)];
pub const ORDERS_DEFINITION: &str = r#"{"kind":"table","id":1001,"schema":"public","name":"orders","version":1,"columns":[{"id":1,"name":"id","type":"bigint","oid":20,"typmod":-1,"not_null":true},{"id":2,"name":"customer","type":"text","oid":25,"typmod":-1,"not_null":false},{"id":3,"name":"paid","type":"boolean","oid":16,"typmod":-1,"not_null":false},{"id":4,"name":"remark","type":"text","oid":25,"typmod":-1,"not_null":false}],"primary_key":[1]}"#;
pub const VISITS_DEFINITION: &str = r#"{"kind":"table","id":1002,"schema":"public","name":"visits","version":1,"columns":[{"id":1,"name":"day","type":"integer","oid":23,"typmod":-1,"not_null":false}],"primary_key":[]}"#;
pub const SCHEMA_DEFINITION: &str = r#"{"kind":"schema","id":1000,"name":"public"}"#;

#[derive(Clone)]
pub struct Row {
    pub header: RowHeader,
    pub salt: [u8; 16],
    pub columns: Vec<(u32, u32)>,
    pub values: Vec<Option<Vec<u8>>>,
}

impl Row {
    pub fn fields(&self) -> Vec<Field> {
        self.values.iter().enumerate().map(|(i, v)| Field::Shown { salt: field_salt(&self.salt, i as u32), value: v.clone() }).collect()
    }

    pub fn hash(&self) -> Hash {
        let fields = self.values.iter().zip(&self.columns).enumerate();
        let commitments: Vec<Hash> = fields
            .map(|(i, (value, (id, oid)))| field_commitment(&field_salt(&self.salt, i as u32), *id, *oid, value.as_deref()))
            .collect();
        row_hash(&self.header, &commitments)
    }
}

/// One commit with its rows in order.
#[derive(Clone)]
pub struct Commit {
    pub leaf: CommitLeaf,
    pub rows: Vec<Row>,
}

/// Leaves with the rows of those that are commits, and both trees over them.
pub struct Sample {
    pub keys: Keys,
    pub objects: Vec<(u32, String)>,
    pub leaves: Vec<Leaf>,
    pub bytes: Vec<Vec<u8>>,
    pub commits: Vec<Option<Commit>>,
    pub sha: MemoryTree<Sha256Tree>,
    pub b3: MemoryTree<Blake3Tree>,
}

pub fn salt(n: u64) -> [u8; 16] {
    let mut salt = [0xa5; 16];
    salt[..8].copy_from_slice(&n.to_le_bytes());
    salt
}

pub fn order(n: u64, header: RowHeader, id: i64, customer: &str, paid: Option<bool>, remark: Option<&str>) -> Row {
    let values = vec![
        Some(id.to_le_bytes().to_vec()),
        Some(customer.as_bytes().to_vec()),
        paid.map(|paid| vec![u8::from(paid)]),
        remark.map(|remark| remark.as_bytes().to_vec()),
    ];
    Row { header, salt: salt(n), columns: ORDERS_COLUMNS.to_vec(), values }
}

pub fn header(relation: u32, op: u8, supersedes: Supersedes) -> RowHeader {
    RowHeader { relation, schema_version: 1, op, supersedes }
}

pub fn insert(relation: u32) -> RowHeader {
    header(relation, OP_INSERT, Supersedes::None)
}

impl Sample {
    pub fn empty(database: &str, ledger: [u8; 16], seed: u8) -> Self {
        let keys = Keys::from_seeds(&origin(database, &ledger), &[seed; 32], &[seed + 1; 32]).unwrap();
        let objects =
            vec![(1000, SCHEMA_DEFINITION.to_owned()), (ORDERS, ORDERS_DEFINITION.to_owned()), (VISITS, VISITS_DEFINITION.to_owned())];
        let (leaves, bytes, commits) = (Vec::new(), Vec::new(), Vec::new());
        Self { keys, objects, leaves, bytes, commits, sha: MemoryTree::default(), b3: MemoryTree::default() }
    }

    /// Twelve leaves: keys, table, three inserts in two tables, update and deletes, checkpoint, 300 rows, single rows, incarnation.
    pub fn new() -> Self {
        let mut sample = Self::empty("shop", LEDGER, 0x41);
        let genesis = KeyLeaf::new(0, TIME_US, &sample.keys, None).unwrap();
        sample.push(Leaf::Key(genesis), None);
        sample.commit(&[], vec![]);
        let rows = vec![
            order(0, insert(ORDERS), 7, "Ada", Some(true), None),
            order(1, insert(ORDERS), 8, "Grace", Some(false), Some("")),
            order(2, insert(ORDERS), 9, "Émilie", None, Some("a remark that does not fit into one block of the hash function at all")),
            Row { header: insert(VISITS), salt: salt(3), columns: VISITS_COLUMNS.to_vec(), values: vec![Some(vec![5, 0, 0, 0])] },
            Row { header: insert(VISITS), salt: salt(4), columns: VISITS_COLUMNS.to_vec(), values: vec![None] },
        ];
        sample.commit(&[(ORDERS, 0, 3), (VISITS, 0, 2)], rows);
        let rows = vec![
            order(5, header(ORDERS, OP_UPDATE, Supersedes::Row(1)), 8, "Grace", Some(true), Some("paid late")),
            order(6, header(ORDERS, OP_UPDATE, Supersedes::Own(0)), 8, "Grace", Some(true), Some("paid late, twice")),
            Row { header: header(ORDERS, OP_DELETE, Supersedes::Row(0)), salt: salt(7), columns: vec![], values: vec![] },
        ];
        sample.commit(&[(ORDERS, 3, 3)], rows);
        let (sha_root, b3_root) = (sample.sha.root(), sample.b3.root());
        let seq = sample.seq();
        sample.push(Leaf::Checkpoint(CheckpointLeaf { ledger: LEDGER, seq, time_us: TIME_US, size: seq, sha_root, b3_root }), None);
        let visits = (0..300u32).map(|i| {
            let values = vec![Some(i.to_le_bytes().to_vec())];
            Row { header: insert(VISITS), salt: salt(100 + u64::from(i)), columns: VISITS_COLUMNS.to_vec(), values }
        });
        sample.commit(&[(VISITS, 2, 300)], visits.collect());
        for i in 0..5u64 {
            sample.commit(&[(ORDERS, 6 + i, 1)], vec![order(500 + i, insert(ORDERS), 20 + i as i64, "Hedy", Some(true), None)]);
        }
        let (previous_size, seq) = (sample.seq(), sample.seq());
        let (previous_sha_root, previous_b3_root) = (sample.sha.root(), sample.b3.root());
        let leaf = IncarnationLeaf { ledger: LEDGER, seq, time_us: TIME_US, number: 1, previous_size, previous_sha_root, previous_b3_root };
        sample.push(Leaf::Incarnation(leaf), None);
        sample
    }

    pub fn seq(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn objects(&self) -> Vec<(u32, &[u8])> {
        self.objects.iter().map(|(id, text)| (*id, text.as_bytes())).collect()
    }

    /// Commits rows, given the span (relation, first row, rows) of each table.
    pub fn commit(&mut self, spans: &[(u32, u64, u64)], rows: Vec<Row>) {
        let mut tree = RowTree::new();
        rows.iter().for_each(|row| tree.push(row.hash()));
        let seq = self.seq();
        let leaf = CommitLeaf {
            ledger: receipts::checkpoint::ledger_of_origin(self.keys.origin()).unwrap(),
            seq,
            time_us: TIME_US + seq as i64,
            actor: "clerk".to_owned(),
            idempotency_key: vec![],
            schema_root: schema_root(&self.objects()).unwrap(),
            n_rows: rows.len() as u64,
            tables: spans
                .iter()
                .map(|(relation, first_row, rows)| TableSpan { relation: *relation, first_row: *first_row, rows: *rows })
                .collect(),
            row_root: tree.root(),
            policy_hash: [0; 32],
            plan_hash: [0; 32],
        };
        self.push(Leaf::Commit(leaf.clone()), Some(Commit { leaf, rows }));
    }

    pub fn push(&mut self, leaf: Leaf, commit: Option<Commit>) {
        self.push_bytes(leaf.encode().unwrap(), leaf, commit);
    }

    /// Puts any bytes into the log, as only a lying server can.
    pub fn push_bytes(&mut self, bytes: Vec<u8>, leaf: Leaf, commit: Option<Commit>) {
        let (sha, b3) = leaf_hashes(&bytes);
        self.sha.append(sha);
        self.b3.append(b3);
        self.leaves.push(leaf);
        self.bytes.push(bytes);
        self.commits.push(commit);
    }

    pub fn policy_text(&self) -> String {
        Policy::text_of_logs(&self.keys.verifiers())
    }

    pub fn policy(&self) -> Policy {
        Policy::parse(self.policy_text().as_bytes()).unwrap()
    }

    pub fn checkpoint(&self, size: u64) -> Note {
        let root = receipts::proof::tree_root::<Sha256Tree>(&self.sha, size).unwrap();
        Note::parse(&self.keys.sign_checkpoint(size, &root)).unwrap()
    }

    pub fn b3_checkpoint(&self, size: u64) -> Note {
        let root = receipts::proof::tree_root::<Blake3Tree>(&self.b3, size).unwrap();
        Note::parse(&self.keys.sign_b3_checkpoint(size, &root)).unwrap()
    }

    pub fn row_part(&self, seq: u64, index: u64) -> RowPart {
        let commit = self.commits[seq as usize].as_ref().unwrap();
        let row = &commit.rows[index as usize];
        let mut tree = RowTree::new();
        let hashes: Vec<Hash> = commit.rows.iter().map(Row::hash).collect();
        tree.extend(&hashes);
        let group = (index / 256 * 256) as usize;
        let group_hashes = &hashes[group..hashes.len().min(group + 256)];
        let path = row_path_from_groups(index, hashes.len() as u64, group_hashes, &GroupTree::of(tree.group_roots())).unwrap();
        let objects = self.objects();
        let relation = commit.leaf.locate(index).unwrap().0.relation;
        let schema_path = SchemaPath::new(&objects, relation).unwrap().unwrap();
        let definition = objects[schema_path.index as usize].1.to_vec();
        RowPart { index, header: row.header, fields: row.fields(), path, definition, schema_path }
    }

    /// A receipt at `size` for a commit, or a row of it by its index in the commit.
    pub fn receipt(&self, seq: u64, row: Option<u64>, size: u64) -> Receipt {
        Receipt {
            index: seq,
            path: inclusion_proof::<Sha256Tree>(&self.sha, seq, size).unwrap(),
            checkpoint: self.checkpoint(size),
            leaf: self.bytes[seq as usize].clone(),
            row: row.map(|index| self.row_part(seq, index)),
        }
    }

    /// A receipt as COSE.
    pub fn cose(&self, seq: u64, row: Option<u64>, size: u64) -> CoseReceipt {
        let Receipt { path, leaf, row, .. } = self.receipt(seq, row, size);
        CoseReceipt::sign(&self.keys, (size, seq), path, leaf, row).unwrap()
    }

    /// A disclosure at `size`: of each row (commit, index in it) the fields at these places.
    pub fn disclosure(&self, rows: &[(u64, u64, &[usize])], size: u64) -> Disclosure {
        let receipt = |(seq, row, shown): &(u64, u64, &[usize])| {
            let mut receipt = self.receipt(*seq, Some(*row), size);
            let part = receipt.row.as_mut().unwrap();
            (0..part.fields.len()).filter(|place| !shown.contains(place)).for_each(|place| part.hide(place).unwrap());
            receipt
        };
        Disclosure::of(rows.iter().map(receipt).collect()).unwrap()
    }

    pub fn consistency(&self, old: u64, new: u64) -> ConsistencyProof {
        let path = consistency_proof::<Sha256Tree>(&self.sha, old, new).unwrap();
        ConsistencyProof { old_size: old, path, checkpoint: self.checkpoint(new) }
    }

    pub fn b3_consistency(&self, old: u64, new: u64) -> ConsistencyProof {
        let path = consistency_proof::<Blake3Tree>(&self.b3, old, new).unwrap();
        ConsistencyProof { old_size: old, path, checkpoint: self.b3_checkpoint(new) }
    }
}

/// A seeded xorshift64*: enough for picking bytes to break.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}
