//! A small ledger with its catalog as rows, and its export made here by the page alone; and what an export is.

use std::collections::BTreeMap;
use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use receipts::export::{ExportFiles, ExportObject, ExportRow, Found, Manifest, encode_objects, rows_path};
use receipts::proof::tree_root;
use receipts::row::{OP_DELETE, OP_INSERT, OP_UPDATE};
use receipts::tiles::{TileKind, push_entry, tiles_of_growth};
use receipts::{
    Blake3Tree, CheckpointLeaf, Field, Hash, IncarnationLeaf, KeyLeaf, Keys, Leaf, NodeReader, RowHeader, Sha256Tree, Supersedes,
    verify_export,
};

use crate::attacks::{Attack, Kind};
use crate::sample::{
    LEDGER, ORDERS, ORDERS_DEFINITION, Row, SCHEMA_DEFINITION, Sample, TIME_US, VISITS, VISITS_COLUMNS, VISITS_DEFINITION, header, insert,
    order, salt,
};

const CATALOG_DEFINITION: &str = r#"{"kind":"table","id":1,"schema":"ledger","name":"catalog","version":1,"columns":[{"id":1,"name":"object_id","type":"bigint","oid":20,"typmod":-1,"not_null":true},{"id":2,"name":"kind","type":"text","oid":25,"typmod":-1,"not_null":true},{"id":3,"name":"name","type":"text","oid":25,"typmod":-1,"not_null":true},{"id":4,"name":"definition","type":"text","oid":25,"typmod":-1,"not_null":true}],"primary_key":[1]}"#;
const CATALOG: u32 = 1;

/// The files of an export.
#[derive(Clone)]
pub struct Files(pub BTreeMap<String, Vec<u8>>);

impl Files {
    /// Of a vector's input: a JSON object of files in base64.
    pub fn parse(input: &str) -> Self {
        let files: BTreeMap<String, String> = serde_json::from_str(input).unwrap();
        Self(files.into_iter().map(|(path, base64)| (path, STANDARD.decode(base64).unwrap())).collect())
    }

    pub fn of(vector: &Attack) -> Option<Self> {
        (vector.kind == Kind::Export).then(|| Self::parse(&vector.input))
    }

    pub fn to_text(&self) -> String {
        let files: BTreeMap<&String, String> = self.0.iter().map(|(path, bytes)| (path, STANDARD.encode(bytes))).collect();
        serde_json::to_string(&files).unwrap()
    }

    pub fn with(&self, path: &str, change: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut changed = self.clone();
        change(changed.0.get_mut(path).unwrap_or_else(|| panic!("{path} is there")));
        changed
    }
}

impl ExportFiles for Files {
    fn paths(&self, each: &mut dyn FnMut(&str) -> bool) -> Found<()> {
        let _ = self.0.keys().all(|path| each(path));
        Found::Here(())
    }

    fn open(&self, path: &str) -> Found<Box<dyn Read + '_>> {
        self.0.get(path).map_or(Found::Absent, |bytes| Found::Here(Box::new(bytes.as_slice())))
    }
}

/// `orders` after a column was added.
fn orders_of_version_2() -> String {
    let text = ORDERS_DEFINITION.replace(r#""version":1"#, r#""version":2"#);
    text.replace("}],\"primary", "},{\"id\":5,\"name\":\"note\",\"type\":\"text\",\"oid\":25,\"typmod\":-1,\"not_null\":false}],\"primary")
}

fn catalog_row(n: u64, header: RowHeader, id: u32, definition: &str) -> Row {
    let kind = definition.split('"').nth(3).unwrap().to_owned();
    let values = [i64::from(id).to_le_bytes().to_vec(), kind.into_bytes(), b"its name".to_vec(), definition.as_bytes().to_vec()];
    let is_delete = header.op == OP_DELETE;
    let columns = if is_delete { vec![] } else { vec![(1, 20), (2, 25), (3, 25), (4, 25)] };
    let values = if is_delete { vec![] } else { values.into_iter().map(Some).collect() };
    Row { header, salt: salt(n), columns, values }
}

/// A ledger whose catalog is made by its own rows, with every kind of leaf.
pub struct Exported {
    pub sample: Sample,
    pub objects: Vec<(u32, u64, String)>,
}

impl Exported {
    /// Thirteen leaves: keys; two tables; rows in both; a checkpoint; a column added and a row under it; new keys; a view made and changed at
    /// once; a table dropped; roots of earlier sizes; leaves lost; an update and a delete of one row; an insert.
    pub fn new() -> Self {
        let mut sample = Sample::empty("shop", LEDGER, 0x41);
        let objects = vec![(CATALOG, u64::MAX, CATALOG_DEFINITION.to_owned()), (1000, u64::MAX, SCHEMA_DEFINITION.to_owned())];
        let key = KeyLeaf::new(0, TIME_US, &sample.keys, None).unwrap();
        sample.push(Leaf::Key(key), None);
        let mut all = Self { sample, objects };
        let made =
            vec![catalog_row(0, insert(CATALOG), ORDERS, ORDERS_DEFINITION), catalog_row(1, insert(CATALOG), VISITS, VISITS_DEFINITION)];
        all.define(ORDERS, 0, ORDERS_DEFINITION);
        all.define(VISITS, 1, VISITS_DEFINITION);
        all.commit(&[(CATALOG, 0, 2)], made);
        let rows = vec![
            order(2, insert(ORDERS), 7, "Ada", Some(true), None),
            order(3, insert(ORDERS), 8, "Grace", Some(false), Some("")),
            order(4, insert(ORDERS), 9, "Émilie", None, Some("a remark that does not fit into one block of the hash function at all")),
            Row { header: insert(VISITS), salt: salt(5), columns: VISITS_COLUMNS.to_vec(), values: vec![Some(vec![5, 0, 0, 0])] },
            Row { header: insert(VISITS), salt: salt(6), columns: VISITS_COLUMNS.to_vec(), values: vec![None] },
        ];
        all.commit(&[(ORDERS, 0, 3), (VISITS, 0, 2)], rows);
        all.checkpoint(3);
        all.add_column();
        all.rotate();
        let view = r#"{"kind":"view","id":1003,"schema":"public","name":"paid","columns":[],"query":"SELECT","reads":[]}"#;
        let rows = vec![
            catalog_row(9, insert(CATALOG), 1003, view),
            catalog_row(10, header(CATALOG, OP_UPDATE, Supersedes::Own(0)), 1003, &view.replace("paid", "owed")),
        ];
        all.define(1003, 4, &view.replace("paid", "owed"));
        all.commit(&[(CATALOG, 3, 2)], rows);
        all.objects.retain(|(id, ..)| *id != VISITS);
        all.commit(&[(CATALOG, 5, 1)], vec![catalog_row(11, header(CATALOG, OP_DELETE, Supersedes::Row(1)), VISITS, VISITS_DEFINITION)]);
        all.checkpoint(4);
        all.incarnation(1, 8);
        all.incarnation(2, 100);
        let rows = vec![
            all.order(12, header(ORDERS, OP_UPDATE, Supersedes::Row(1)), 8, "Grace"),
            Row {
                header: RowHeader { schema_version: 2, ..header(ORDERS, OP_DELETE, Supersedes::Own(0)) },
                salt: salt(13),
                columns: vec![],
                values: vec![],
            },
        ];
        all.commit(&[(ORDERS, 4, 2)], rows);
        let row = all.order(14, insert(ORDERS), 20, "Hedy");
        all.commit(&[(ORDERS, 6, 1)], vec![row]);
        all
    }

    /// The same with more leaves behind, up to this size.
    pub fn grown(size: u64) -> Self {
        let mut all = Self::new();
        for row in 7.. {
            if all.sample.seq() == size {
                break;
            }
            let order = all.order(100 + row, insert(ORDERS), row as i64, "Hedy");
            all.commit(&[(ORDERS, row, 1)], vec![order]);
        }
        all
    }

    fn order(&self, n: u64, header: RowHeader, id: i64, customer: &str) -> Row {
        let mut row = order(n, RowHeader { schema_version: 2, ..header }, id, customer, Some(true), None);
        row.columns.push((5, 25));
        row.values.push(Some(b"noted".to_vec()));
        row
    }

    fn add_column(&mut self) {
        let definition = orders_of_version_2();
        self.define(ORDERS, 2, &definition);
        let rows = vec![
            catalog_row(7, header(CATALOG, OP_UPDATE, Supersedes::Row(0)), ORDERS, &definition),
            self.order(8, insert(ORDERS), 10, "Mary"),
        ];
        self.commit(&[(CATALOG, 2, 1), (ORDERS, 3, 1)], rows);
    }

    fn define(&mut self, id: u32, row: u64, definition: &str) {
        self.objects.retain(|(other, ..)| *other != id);
        self.objects.push((id, row, definition.to_owned()));
        self.objects.sort();
    }

    pub fn commit(&mut self, spans: &[(u32, u64, u64)], rows: Vec<Row>) {
        self.sample.objects = self.objects.iter().map(|(id, _, definition)| (*id, definition.clone())).collect();
        self.sample.commit(spans, rows);
    }

    fn roots(&self, size: u64) -> (Hash, Hash) {
        (tree_root::<Sha256Tree>(&self.sample.sha, size).unwrap(), tree_root::<Blake3Tree>(&self.sample.b3, size).unwrap())
    }

    fn time(&self) -> i64 {
        TIME_US + self.sample.seq() as i64
    }

    fn checkpoint(&mut self, size: u64) {
        let (seq, time_us, (sha_root, b3_root)) = (self.sample.seq(), self.time(), self.roots(size));
        self.sample.push(Leaf::Checkpoint(CheckpointLeaf { ledger: LEDGER, seq, time_us, size, sha_root, b3_root }), None);
    }

    fn incarnation(&mut self, number: u32, previous_size: u64) {
        let (seq, time_us) = (self.sample.seq(), self.time());
        let (previous_sha_root, previous_b3_root) = if previous_size > seq { ([7; 32], [8; 32]) } else { self.roots(previous_size) };
        let leaf = IncarnationLeaf { ledger: LEDGER, seq, time_us, number, previous_size, previous_sha_root, previous_b3_root };
        self.sample.push(Leaf::Incarnation(leaf), None);
    }

    fn rotate(&mut self) {
        let new = Keys::from_seeds(self.sample.keys.origin(), &[0x51; 32], &[0x52; 32]).unwrap();
        let leaf = KeyLeaf::new(self.sample.seq(), self.time(), &new, Some(&self.sample.keys)).unwrap();
        self.sample.push(Leaf::Key(leaf), None);
        self.sample.keys = new;
    }

    /// Pushes a leaf as only a lying server can.
    pub fn lie(&mut self, leaf: Leaf) {
        self.sample.push(leaf, None);
    }

    /// The export of commits `[first, end)` under the checkpoint of all leaves.
    pub fn files(&self, first: u64, end: u64) -> Files {
        let (sample, size) = (&self.sample, self.sample.seq());
        let mut files = BTreeMap::from([
            ("README.md".to_owned(), b"for people\n".to_vec()),
            ("policy.txt".to_owned(), sample.policy_text().into_bytes()),
            ("export".to_owned(), Manifest { first, end }.to_text().into_bytes()),
            ("checkpoint".to_owned(), sample.checkpoint(size).to_string().into_bytes()),
            ("b3/checkpoint".to_owned(), sample.b3_checkpoint(size).to_string().into_bytes()),
            ("objects".to_owned(), encode_objects(&self.objects_before(first)).unwrap()),
        ]);
        for tile in tiles_of_growth(0, size) {
            let places = tile.index * 256..tile.index * 256 + u64::from(tile.width);
            match tile.kind {
                TileKind::Entries => {
                    let mut bundle = Vec::new();
                    places.for_each(|seq| push_entry(&mut bundle, &sample.bytes[seq as usize]).unwrap());
                    files.insert(tile.path(), bundle);
                }
                TileKind::Hashes(level) => {
                    let of = |tree: &dyn NodeReader| places.clone().flat_map(|place| tree.node(level * 8, place).unwrap()).collect();
                    files.insert(tile.path(), of(&sample.sha));
                    files.insert(format!("b3/{}", tile.path()), of(&sample.b3));
                }
            }
        }
        for number in (Manifest { first, end }).bundles() {
            let commits = (number * 256).max(first)..((number + 1) * 256).min(end);
            let mut rows = Vec::new();
            for row in commits.filter_map(|seq| sample.commits[seq as usize].as_ref()).flat_map(|commit| &commit.rows) {
                ExportRow { header: row.header, fields: row.fields() }.encode(&mut rows).unwrap();
            }
            files.insert(rows_path(number), rows);
        }
        Files(files)
    }

    /// The catalog before a commit, folded here from the rows of relation 1.
    fn objects_before(&self, first: u64) -> Vec<ExportObject> {
        let built_in = [(CATALOG, CATALOG_DEFINITION), (1000, SCHEMA_DEFINITION)];
        let mut objects: Vec<ExportObject> =
            built_in.iter().map(|(id, text)| ExportObject { id: *id, row: u64::MAX, definition: text.as_bytes().to_vec() }).collect();
        for commit in self.sample.commits[..first as usize].iter().flatten() {
            let Some(span) = commit.leaf.tables.iter().find(|span| span.relation == CATALOG) else { continue };
            for (row, id) in commit.rows.iter().zip(span.first_row..span.first_row + span.rows) {
                match row.header.supersedes {
                    Supersedes::None => {}
                    Supersedes::Row(old) => objects.retain(|object| object.row != old),
                    Supersedes::Own(ordinal) => objects.retain(|object| object.row != span.first_row + ordinal),
                }
                if row.header.op == OP_INSERT || row.header.op == OP_UPDATE {
                    let object = u32::from_le_bytes(row.values[0].as_ref().unwrap()[..4].try_into().unwrap());
                    objects.push(ExportObject { id: object, row: id, definition: row.values[3].clone().unwrap() });
                }
            }
        }
        objects.sort_by_key(|object| object.id);
        objects
    }

    pub fn check(&self, files: &Files, pinned: Option<&str>) -> receipts::Verdict {
        verify_export(files, pinned.map(str::as_bytes), &self.sample.policy())
    }
}

#[test]
fn every_range_of_an_honest_export_is_valid() {
    let all = Exported::new();
    let size = all.sample.seq();
    for first in 0..size {
        for end in first + 1..=size {
            let verdict = all.check(&all.files(first, end), None);
            assert_eq!(verdict.exit_code(), 0, "{first} to {end}: {verdict}");
        }
    }
    let grown = Exported::grown(520);
    for (first, end) in [(0, 520), (255, 257), (256, 512), (300, 301), (519, 520)] {
        let verdict = grown.check(&grown.files(first, end), None);
        assert_eq!(verdict.exit_code(), 0, "{first} to {end}: {verdict}");
    }
}

/// README.md and policy.txt are for people; every other byte of every other file counts.
#[test]
fn a_changed_byte_of_any_file_is_noticed() {
    let all = Exported::new();
    let files = all.files(0, all.sample.seq());
    for (path, bytes) in &files.0 {
        // A stride that is no multiple of any field's width meets every kind of byte.
        for at in (0..bytes.len()).step_by(3) {
            let verdict = all.check(&files.with(path, |bytes| bytes[at] ^= 1), None);
            let is_for_people = path == "README.md" || path == "policy.txt";
            if path == "export" && verdict.exit_code() == 0 {
                // Another range may be as true. It is another that is said to be checked.
                assert!(!verdict.to_string().starts_with("VALID: commits 0 to 12 of"), "byte {at}: {verdict}");
                continue;
            }
            // A signature line of a name that nobody pinned counts for nothing, so one more would not; these have one each.
            assert_eq!(verdict.exit_code() == 0, is_for_people, "byte {at} of {path}: {verdict}");
        }
        for cut in [0, 1, bytes.len() / 2, bytes.len() - 1] {
            let verdict = all.check(&files.with(path, |bytes| bytes.truncate(cut)), None);
            assert_eq!(verdict.exit_code() == 0, path == "README.md" || path == "policy.txt", "{path} cut to {cut}: {verdict}");
        }
    }
}

#[test]
fn a_hidden_field_stays_hidden_and_proven() {
    let all = Exported::new();
    let mut files = all.files(2, 3);
    let mut rows = Vec::new();
    for row in &all.sample.commits[2].as_ref().unwrap().rows {
        let mut fields = row.fields();
        let (id, oid) = row.columns[0];
        fields[0] = Field::Hidden(fields[0].commitment(id, oid));
        ExportRow { header: row.header, fields }.encode(&mut rows).unwrap();
    }
    files.0.insert("rows/000".to_owned(), rows);
    let said = all.check(&files, None).to_string();
    assert!(said.contains("the values of 5 hidden fields"), "{said}");
}

/// With the keys of the ledger a thief can write another history that is good in itself. What was pinned before says that it is not the one.
#[test]
fn a_history_rewritten_with_the_stolen_key_is_found_by_what_was_pinned() {
    let (honest, mut forged) = (Exported::new(), Exported::new());
    let commit = forged.sample.commits[2].clone().unwrap();
    let mut rows = commit.rows.clone();
    rows[0].values[1] = Some(b"Eve".to_vec());
    // All leaves anew, from the changed commit on.
    let kept: Vec<_> = forged.sample.leaves.iter().cloned().zip(forged.sample.commits.clone()).collect();
    forged.sample = Sample::empty("shop", LEDGER, 0x41);
    for (seq, (leaf, commit)) in kept.into_iter().enumerate().take(3) {
        match (leaf, commit) {
            (Leaf::Commit(leaf), Some(mut commit)) if seq == 2 => {
                let mut tree = receipts::RowTree::new();
                rows.iter().for_each(|row| tree.push(row.hash()));
                let leaf = receipts::CommitLeaf { row_root: tree.root(), ..leaf };
                (commit.leaf, commit.rows) = (leaf.clone(), rows.clone());
                forged.sample.push(Leaf::Commit(leaf), Some(commit));
            }
            (leaf, commit) => forged.sample.push(leaf, commit),
        }
    }
    let (files, policy) = (forged.files(0, 3), forged.sample.policy());
    let check = |pinned: Option<&str>| verify_export(&files, pinned.map(str::as_bytes), &policy);
    assert_eq!(check(None).exit_code(), 0, "alone it is as good as any: {}", check(None));
    let pinned = forged.sample.keys.sign_checkpoint(3, &honest.roots(3).0);
    assert!(check(Some(&pinned)).to_string().starts_with("TAMPERED: consistency: the log at size 3"), "{}", check(Some(&pinned)));
}
