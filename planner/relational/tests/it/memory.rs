//! Tables in memory and a small database over them: what the planner and the engine are in the server.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use arrow::array::{Array, ArrayRef, BooleanArray, Int32Array, Int64Array, RecordBatch, RecordBatchOptions, StringArray, UInt32Array};
use arrow::compute::{concat_batches, take};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use base::{SqlError, SqlResult, SqlState};
use futures::StreamExt;
use relational::{Bound, Description, Environment, HIDDEN, Options, Partition, Query, Relational, Resolver, ScalarFunction, Table};
use sqlparser::ast::Statement;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

/// A table whose rows are one batch, cut into batches of three when scanned.
#[derive(Debug)]
pub struct MemoryTable {
    pub rows: RecordBatch,
    pub key: Vec<usize>,
    pub lookups: AtomicUsize,
    pub scans: Mutex<Vec<(Vec<usize>, Vec<Bound>)>>,
    pub batches_read: Arc<AtomicUsize>,
    pub counts_rows: AtomicBool,
    /// Set: a scan never ends and raises nothing.
    pub endless: AtomicBool,
    /// Set: the second batch of every partition is this error.
    pub failure: Mutex<Option<SqlError>>,
}

impl MemoryTable {
    pub fn new(fields: Vec<Field>, columns: Vec<ArrayRef>, key: &[usize]) -> Arc<Self> {
        let rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
        Arc::new(Self {
            rows,
            key: key.to_vec(),
            lookups: AtomicUsize::new(0),
            scans: Mutex::new(vec![]),
            batches_read: Arc::new(AtomicUsize::new(0)),
            counts_rows: AtomicBool::new(true),
            endless: AtomicBool::new(false),
            failure: Mutex::new(None),
        })
    }
}

impl Table for MemoryTable {
    fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }

    fn primary_key(&self) -> &[usize] {
        &self.key
    }

    fn row_count(&self) -> Option<usize> {
        self.counts_rows.load(Ordering::SeqCst).then(|| self.rows.num_rows())
    }

    fn lookup(&self, key: &[ArrayRef]) -> SqlResult<Vec<RecordBatch>> {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        assert_eq!(key.len(), self.key.len());
        let matches = |row: &usize| {
            self.key.iter().zip(key).all(|(column, value)| {
                assert_eq!(value.data_type(), self.rows.column(*column).data_type());
                self.rows.column(*column).slice(*row, 1).to_data() == value.to_data()
            })
        };
        Ok((0..self.rows.num_rows()).find(matches).map(|row| self.rows.slice(row, 1)).into_iter().collect())
    }

    fn scan(&self, projection: &[usize], pruning: &[Bound], partitions: usize) -> SqlResult<Vec<Partition>> {
        self.scans.lock().unwrap().push((projection.to_vec(), pruning.to_vec()));
        let rows = self.rows.project(projection).unwrap();
        let per_partition = rows.num_rows().div_ceil(partitions).max(1);
        let starts = (0..rows.num_rows()).step_by(per_partition);
        let (endless, failure) = (self.endless.load(Ordering::SeqCst), self.failure.lock().unwrap().clone());
        let partition = |start: usize| {
            let part = rows.slice(start, per_partition.min(rows.num_rows() - start));
            let read = Arc::clone(&self.batches_read);
            let pieces: Vec<RecordBatch> = (0..part.num_rows()).step_by(3).map(|at| part.slice(at, 3.min(part.num_rows() - at))).collect();
            let failure = failure.clone();
            let batches = pieces.into_iter().enumerate().map(move |(index, batch)| {
                read.fetch_add(1, Ordering::SeqCst);
                match &failure {
                    Some(error) if index == 1 => Err(error.clone()),
                    _ => Ok(batch),
                }
            });
            let batches: Partition = if endless {
                let read = Arc::clone(&self.batches_read);
                let all = part.clone();
                Box::new(std::iter::repeat_with(move || {
                    read.fetch_add(1, Ordering::SeqCst);
                    Ok(all.clone())
                }))
            } else {
                Box::new(batches)
            };
            batches
        };
        Ok(starts.map(partition).collect())
    }
}

pub struct Database {
    pub relational: Relational,
    pub env: Environment,
    tables: HashMap<(String, String), Arc<MemoryTable>>,
}

impl Resolver for Database {
    fn table(&self, schema: Option<&str>, name: &str) -> SqlResult<Arc<dyn Table>> {
        match self.tables.get(&(schema.unwrap_or("public").to_owned(), name.to_owned())) {
            Some(table) => Ok(Arc::clone(table) as Arc<dyn Table>),
            None => {
                let shown = schema.map_or_else(|| name.to_owned(), |schema| format!("{schema}.{name}"));
                Err(SqlError::new(SqlState::UNDEFINED_TABLE, format!("relation \"{shown}\" does not exist"))
                    .detail("As the resolver put it."))
            }
        }
    }
}

pub fn parse(sql: &str) -> Statement {
    Parser::parse_sql(&PostgreSqlDialect {}, sql).unwrap_or_else(|error| panic!("{sql}: {error}")).pop().unwrap()
}

pub fn options() -> Options {
    Options { memory_bytes: 64 << 20, run_memory_bytes: 64 << 20, partitions: 2, batch_rows: 8192 }
}

pub fn on_runtime<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(future)
}

impl Database {
    pub fn with(relational: Relational) -> Self {
        let env = Environment {
            user: "ada".into(),
            session_user: "ada".into(),
            database: "shop".into(),
            search_path: vec!["public".into()],
            version: "PostgreSQL 15.0 (Shockwave test)".into(),
            transaction_time_us: 1_700_000_000_123_456,
            statement_time_us: 1_700_000_001_000_000,
            manner: relational::values::manner::Manner::default(),
            functions: vec![],
        };
        let mut database = Self { relational, env, tables: HashMap::new() };
        database.add("public", "person", persons());
        database.add("public", "sale", sales());
        database.add("public", "pair", pairs());
        database.add("ledger", "commits", commits());
        database.add("public", "empty", empty());
        database
    }

    /// Two partitions, plenty of memory: tables `person`, `sale`, `pair`, `empty` and `ledger.commits`.
    pub fn new() -> Self {
        Self::with(Relational::new(options()).unwrap())
    }

    pub fn add(&mut self, schema: &str, name: &str, table: Arc<MemoryTable>) {
        self.tables.insert((schema.into(), name.into()), table);
    }

    pub fn with_function(mut self, function: ScalarFunction) -> Self {
        self.env.functions.push(function);
        self
    }

    pub fn memory(&self, name: &str) -> Arc<MemoryTable> {
        Arc::clone(&self.tables[&("public".to_owned(), name.to_owned())])
    }

    pub fn describe(&self, sql: &str, types: &[Option<DataType>]) -> SqlResult<Description> {
        let statement = parse(sql);
        self.relational.describe(Query { statement: &statement, text: sql }, self, &self.env, types)
    }

    pub fn batches_with(&self, sql: &str, parameters: &[ArrayRef]) -> SqlResult<(SchemaRef, Vec<RecordBatch>)> {
        let statement = parse(sql);
        on_runtime(async {
            let mut rows = self.relational.execute(Query { statement: &statement, text: sql }, self, &self.env, parameters)?;
            let mut batches = vec![];
            while let Some(batch) = rows.stream.next().await {
                let batch = batch?;
                assert_eq!(batch.schema(), rows.schema, "{sql}");
                batches.push(batch);
            }
            Ok((rows.schema, batches))
        })
    }

    /// Rows as text, columns joined by `|`, NULL as `-`.
    pub fn rows_with(&self, sql: &str, parameters: &[ArrayRef]) -> SqlResult<Vec<String>> {
        let (schema, batches) = self.batches_with(sql, parameters)?;
        let all = concat_batches(&schema, &batches).unwrap();
        let options = FormatOptions::default().with_null("-");
        // Numbers of any length as the text they print as.
        let shown = |column: &ArrayRef| match column.data_type() {
            DataType::Struct(_) => relational::convert(column, &DataType::Utf8).unwrap(),
            _ => Arc::clone(column),
        };
        let all: Vec<ArrayRef> = all.columns().iter().map(shown).collect();
        let count = all.first().map_or(0, |column| column.len());
        let columns: Vec<_> = all.iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
        let row = |row| columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join("|");
        Ok((0..count).map(row).collect())
    }

    pub fn rows(&self, sql: &str) -> Vec<String> {
        self.rows_with(sql, &[]).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    pub fn sorted(&self, sql: &str) -> Vec<String> {
        let mut rows = self.rows(sql);
        rows.sort();
        rows
    }

    pub fn names(&self, sql: &str) -> Vec<String> {
        self.describe(sql, &[]).unwrap_or_else(|error| panic!("{sql}: {error}")).columns.into_iter().map(|(name, _)| name).collect()
    }

    pub fn types(&self, sql: &str) -> Vec<DataType> {
        self.describe(sql, &[])
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
            .columns
            .into_iter()
            .map(|(_, data_type)| data_type)
            .collect()
    }

    pub fn error(&self, sql: &str) -> SqlError {
        match self.rows_with(sql, &[]) {
            Ok(rows) => panic!("{sql}: no error but {rows:?}"),
            Err(error) => error,
        }
    }

    /// Rows of a query that may hold so much memory.
    pub fn limited(&self, sql: &str, memory_bytes: Option<usize>) -> SqlResult<usize> {
        let statement = parse(sql);
        let shape = self.relational.bind(Query { statement: &statement, text: sql }, self, &self.env, &[])?;
        let limits = relational::RunLimits { memory_bytes, ..relational::RunLimits::none() };
        on_runtime(async {
            let mut rows = self.relational.run(&shape, self, self.env.moment(), &[], &limits)?;
            let mut count = 0;
            while let Some(batch) = rows.stream.next().await {
                count += batch?.num_rows();
            }
            Ok(count)
        })
    }

    pub fn explain(&self, sql: &str) -> Vec<String> {
        let statement = parse(sql);
        let shape = self.relational.bind(Query { statement: &statement, text: sql }, self, &self.env, &[]).unwrap();
        on_runtime(self.relational.explain(&shape, self, self.env.moment(), &[], &relational::RunLimits::none(), false)).unwrap().lines()
    }
}

fn hidden(name: &str) -> Field {
    Field::new(name, DataType::Int64, false).with_metadata(HashMap::from([(HIDDEN.to_owned(), "true".to_owned())]))
}

pub const CITIES: [Option<&str>; 4] = [Some("Oslo"), Some("Rome"), None, Some("Lima")];

/// 10 persons: id 1–10, name p1–p10, age 20+id, city by id % 4, hidden _row_id = id − 1.
pub fn persons() -> Arc<MemoryTable> {
    let ids: Vec<i64> = (1..=10).collect();
    let fields = vec![
        Field::new("id", DataType::Int64, false),
        Field::new("name", DataType::Utf8, true),
        Field::new("age", DataType::Int32, true),
        Field::new("city", DataType::Utf8, true),
        hidden("_row_id"),
    ];
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(ids.clone())),
        Arc::new(StringArray::from_iter_values(ids.iter().map(|id| format!("p{id}")))),
        Arc::new(Int32Array::from_iter_values(ids.iter().map(|id| 20 + *id as i32))),
        Arc::new(StringArray::from_iter(ids.iter().map(|id| CITIES[(id % 4) as usize]))),
        Arc::new(Int64Array::from_iter_values(ids.iter().map(|id| id - 1))),
    ];
    MemoryTable::new(fields, columns, &[0])
}

/// 30 sales: id 0–29, person_id = id % 12 (0 and 11 have no person), amount = id * 7 % 13, paid = id even.
pub fn sales() -> Arc<MemoryTable> {
    let ids: Vec<i64> = (0..30).collect();
    let fields = vec![
        Field::new("id", DataType::Int64, false),
        Field::new("person_id", DataType::Int64, true),
        Field::new("amount", DataType::Int32, true),
        Field::new("paid", DataType::Boolean, true),
        hidden("_row_id"),
    ];
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(ids.clone())),
        Arc::new(Int64Array::from_iter_values(ids.iter().map(|id| id % 12))),
        Arc::new(Int32Array::from_iter_values(ids.iter().map(|id| (id * 7 % 13) as i32))),
        Arc::new(BooleanArray::from_iter(ids.iter().map(|id| Some(id % 2 == 0)))),
        Arc::new(Int64Array::from(ids)),
    ];
    MemoryTable::new(fields, columns, &[0])
}

/// Key (b, a), in that order; x = 100a + b.
fn pairs() -> Arc<MemoryTable> {
    let fields =
        vec![Field::new("a", DataType::Int64, false), Field::new("b", DataType::Utf8, false), Field::new("x", DataType::Float64, true)];
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![1, 1, 2, 2])),
        Arc::new(StringArray::from(vec!["u", "v", "u", "v"])),
        Arc::new(arrow::array::Float64Array::from(vec![1.5, 2.5, 3.5, 0.0])),
    ];
    MemoryTable::new(fields, columns, &[1, 0])
}

fn commits() -> Arc<MemoryTable> {
    let fields = vec![Field::new("commit_seq", DataType::Int64, false)];
    MemoryTable::new(fields, vec![Arc::new(Int64Array::from(vec![0, 1, 2]))], &[])
}

fn empty() -> Arc<MemoryTable> {
    let fields = vec![Field::new("id", DataType::Int64, false), Field::new("v", DataType::Int64, true)];
    MemoryTable::new(fields, vec![Arc::new(Int64Array::from(Vec::<i64>::new())), Arc::new(Int64Array::from(Vec::<i64>::new()))], &[0])
}

/// `n` rows of one bigint column `v`, 0 to n − 1, shuffled by a fixed stride.
pub fn numbers(n: u32) -> Arc<MemoryTable> {
    let sorted: ArrayRef = Arc::new(Int64Array::from_iter_values(0..i64::from(n)));
    let order = UInt32Array::from_iter_values((0..n).map(|i| (u64::from(i) * 7919 % u64::from(n)) as u32));
    MemoryTable::new(vec![Field::new("v", DataType::Int64, true)], vec![take(&sorted, &order, None).unwrap()], &[])
}

#[test]
fn a_projection_of_nothing_still_counts_rows() {
    let partitions = persons().scan(&[], &[], 2).unwrap();
    let rows: usize = partitions.into_iter().flatten().map(|batch| batch.unwrap().num_rows()).sum();
    assert_eq!(rows, 10);
    let options = RecordBatchOptions::new().with_row_count(Some(3));
    assert_eq!(RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options).unwrap().num_rows(), 3);
}
