//! Queries that their memory does not hold go to disk, answer the same as with ample memory, and leave nothing there.

#![allow(clippy::disallowed_methods, reason = "what a server that was killed has left")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use base::{SqlError, SqlResult};
use futures::StreamExt;
use relational::{Bound, Options, Partition, Query, Relational, Resolver, Spill, Table};

use crate::memory::{Database, numbers, on_runtime, options, parse};

/// Rows of `wide`, in batches of 2,048.
const ROWS: i64 = 120_000;
const BATCH_ROWS: i64 = 2_048;
/// What a query may hold here: a third of the rows.
const NARROW_BYTES: usize = 5 << 20;

/// `id` 0 to n − 1 in an order of no kind, `part` = id % 1,000 with NULL for 0, `body` a text of 100 bytes. Rows are made while they are read.
#[derive(Debug)]
struct Wide {
    schema: SchemaRef,
    rows: i64,
}

impl Wide {
    fn new(rows: i64) -> Arc<Self> {
        let fields = vec![
            Field::new("id", DataType::Int64, false),
            Field::new("part", DataType::Int64, true),
            Field::new("body", DataType::Utf8, false),
        ];
        Arc::new(Self { schema: Arc::new(Schema::new(fields)), rows })
    }
}

fn batch(schema: &SchemaRef, rows: i64, from: i64, to: i64) -> RecordBatch {
    // 7,919 is a prime that divides neither: every id once.
    let ids: Vec<i64> = (from..to).map(|at| at * 7_919 % rows).collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(ids.clone())),
        Arc::new(Int64Array::from_iter(ids.iter().map(|id| Some(id % 1_000).filter(|part| *part != 0)))),
        Arc::new(StringArray::from_iter_values(ids.iter().map(|id| format!("{:0100}", id * 31 % rows)))),
    ];
    RecordBatch::try_new(Arc::clone(schema), columns).unwrap()
}

impl Table for Wide {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn primary_key(&self) -> &[usize] {
        &[]
    }

    fn row_count(&self) -> Option<usize> {
        usize::try_from(self.rows).ok()
    }

    fn lookup(&self, _key: &[ArrayRef]) -> SqlResult<Vec<RecordBatch>> {
        unreachable!("it has no key")
    }

    fn scan(&self, projection: &[usize], _pruning: &[Bound], partitions: usize) -> SqlResult<Vec<Partition>> {
        let (rows, per_partition) = (self.rows, self.rows / i64::try_from(partitions).unwrap() + 1);
        let partition = |start: i64| {
            let (schema, projection) = (Arc::clone(&self.schema), projection.to_vec());
            let end = (start + per_partition).min(rows);
            let starts = (start..end).step_by(BATCH_ROWS as usize);
            let read = move |from: i64| Ok(batch(&schema, rows, from, (from + BATCH_ROWS).min(end)).project(&projection).unwrap());
            Box::new(starts.map(read)) as Partition
        };
        Ok((0..rows).step_by(per_partition as usize).map(partition).collect())
    }
}

struct OneTable(Arc<Wide>);

impl Resolver for OneTable {
    fn table(&self, _schema: Option<&str>, _name: &str) -> SqlResult<Arc<dyn Table>> {
        Ok(Arc::clone(&self.0) as Arc<dyn Table>)
    }
}

/// A folder of one test, gone when it ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("shockwave-spill-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn spill(&self, bytes_max: u64) -> Spill {
        Spill { folder: self.0.clone(), bytes_max }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn files(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
}

/// What a query answers: how many rows, and a digest of them that depends on their order where `is_ordered`; and whether it went to disk.
fn answer(relational: &Relational, sql: &str, folder: Option<&Path>) -> SqlResult<(usize, u64, bool)> {
    let is_ordered = sql.rsplit(')').next().is_some_and(|end| end.contains("ORDER BY"));
    let env = Database::new().env;
    let statement = parse(sql);
    let table = OneTable(Wide::new(ROWS));
    on_runtime(async {
        let mut rows = relational.execute(Query { statement: &statement, text: sql }, &table, &env, &[])?;
        let (mut count, mut digest, mut is_on_disk) = (0, 0_u64, false);
        while let Some(batch) = rows.stream.next().await {
            let batch = batch?;
            is_on_disk |= folder.is_some_and(|folder| files(folder) > 0);
            let columns: Vec<ArrayRef> =
                batch.columns().iter().map(|column| relational::convert(column, &DataType::Utf8).unwrap()).collect();
            let texts: Vec<&StringArray> = columns.iter().map(|column| column.as_any().downcast_ref().unwrap()).collect();
            for at in 0..batch.num_rows() {
                let row = texts.iter().flat_map(|text| text.value(at).bytes().chain([u8::from(text.is_null(at)), b'|']));
                let hash = row.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
                digest = if is_ordered { digest.rotate_left(5) ^ hash } else { digest.wrapping_add(hash) };
                count += 1;
            }
        }
        Ok((count, digest, is_on_disk))
    })
}

const QUERIES: &[&str] = &[
    "SELECT id, part, body FROM wide ORDER BY id",
    "SELECT * FROM wide ORDER BY part DESC NULLS LAST, body, id",
    "SELECT body, count(*), sum(id), min(part) FROM wide GROUP BY body",
    "SELECT body, id % 7 AS seventh, count(part), avg(id) FROM wide GROUP BY body, id % 7 ORDER BY body, 2",
    "SELECT DISTINCT body, part FROM wide",
    "SELECT count(*), sum(a.id), max(b.body) FROM wide a JOIN wide b ON a.id = b.id + 1",
    "SELECT a.id, b.body FROM wide a JOIN wide b ON a.body = b.body AND a.id <> b.part ORDER BY a.id",
    "SELECT a.id, a.body, b.part FROM wide a LEFT JOIN wide b ON a.id = b.id + 60000",
    "SELECT a.id, b.id AS other, a.body FROM wide a FULL JOIN wide b ON a.id = b.id - 44444",
    "SELECT a.id, a.body FROM wide a WHERE EXISTS (SELECT 1 FROM wide b WHERE b.id = a.id * 3)",
    "SELECT a.id, a.body FROM wide a WHERE NOT EXISTS (SELECT 1 FROM wide b WHERE b.id = a.id * 3)",
    "SELECT id, body, row_number() OVER (PARTITION BY part ORDER BY body, id) FROM wide",
    "SELECT body FROM wide UNION SELECT body FROM wide WHERE id > 100",
    "SELECT part, max(body), count(*) FROM wide GROUP BY part ORDER BY part",
];

#[test]
fn what_memory_does_not_hold_goes_to_disk_and_answers_the_same() {
    let folder = Folder::new("same");
    let ample = Relational::new(Options { memory_bytes: 1 << 30, run_memory_bytes: 1 << 30, ..options() }).unwrap();
    let limits = Options { memory_bytes: 1 << 30, run_memory_bytes: NARROW_BYTES, batch_rows: 1_024, ..options() };
    let narrow = Relational::spilling(limits, &folder.spill(1 << 30)).unwrap();
    let mut on_disk = 0;
    let mut wrong = vec![];
    for sql in QUERIES {
        let (rows, digest, _) = answer(&ample, sql, None).unwrap_or_else(|error| panic!("{sql}: {error}"));
        match answer(&narrow, sql, Some(&folder.0)) {
            Ok((count, found, is_on_disk)) => {
                on_disk += usize::from(is_on_disk);
                if (count, found) != (rows, digest) {
                    wrong.push(format!("{sql}: {count} rows of {rows}, or others"));
                }
            }
            Err(error) => wrong.push(format!("{sql}: {} {error} {:?}", error.state().0, error.fields().collect::<Vec<_>>())),
        }
        assert_eq!(files(&folder.0), 0, "F2: {sql}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(on_disk >= QUERIES.len() / 2, "only {on_disk} of {} went to disk while they answered", QUERIES.len());
}

#[test]
fn a_query_without_a_disk_is_refused() {
    let limits = Options { memory_bytes: 1 << 30, run_memory_bytes: NARROW_BYTES, batch_rows: 1_024, ..options() };
    let error = answer(&Relational::new(limits).unwrap(), QUERIES[0], None).unwrap_err();
    assert_eq!(error.state().0, "53200");
}

fn refused(relational: &Relational, sql: &str) -> SqlError {
    answer(relational, sql, None).unwrap_err()
}

#[test]
fn files_are_bounded() {
    let folder = Folder::new("bounded");
    let limits = Options { memory_bytes: 1 << 30, run_memory_bytes: NARROW_BYTES, batch_rows: 1_024, ..options() };
    let narrow = Relational::spilling(limits, &folder.spill(4 << 20)).unwrap();
    for sql in [QUERIES[0], QUERIES[2], QUERIES[5]] {
        let error = refused(&narrow, sql);
        assert_eq!((error.state().0, error.message()), ("53400", "temporary file size exceeds temp-file-limit"), "{sql}");
        assert_eq!(files(&folder.0), 0, "F2: {sql}");
    }
    assert_eq!(answer(&narrow, "SELECT count(*) FROM wide", None).unwrap().0, 1);
}

/// F1.
#[test]
fn the_folder_is_emptied_when_it_opens_and_is_the_servers_alone() {
    let folder = Folder::new("emptied");
    fs::create_dir_all(folder.0.join("left")).unwrap();
    fs::write(folder.0.join("left/over"), "rows of a killed server").unwrap();
    let _service = Relational::spilling(options(), &folder.spill(1 << 30)).unwrap();
    assert_eq!(files(&folder.0), 0);
    assert_eq!(fs::metadata(&folder.0).unwrap().permissions().mode() & 0o777, 0o700);
    fs::remove_dir_all(&folder.0).unwrap();
    fs::write(&folder.0, "a file in its place").unwrap();
    let error = Relational::spilling(options(), &folder.spill(1 << 30)).unwrap_err();
    assert_eq!(error.state().0, "58030");
    fs::remove_file(&folder.0).unwrap();
}

/// Batches of three rows of one that has 60,000, as a table hands on what is not sealed: counted as the whole each, they would fill any memory.
#[test]
fn slices_are_sorted_within_the_memory_of_their_rows() {
    let mut database = Database::with(Relational::new(Options { run_memory_bytes: 8 << 20, ..options() }).unwrap());
    database.add("public", "n", numbers(60_000));
    assert_eq!(database.rows("SELECT v FROM n ORDER BY v LIMIT 2 OFFSET 20000"), ["20000", "20001"]);
    assert_eq!(database.rows("SELECT v, count(*) FROM n GROUP BY v ORDER BY v LIMIT 1"), ["0|1"]);
}
