//! Whatever a query computes with, only a handful of Arrow types leaves.

use arrow::datatypes::{DataType, TimeUnit};
use relational::{Options, Relational};

use crate::memory::{Database, numbers, options};

#[test]
fn columns_have_wire_types() {
    let database = Database::new();
    for (items, expected) in [
        ("row_number() OVER ()", DataType::Int64),
        ("count(*)", DataType::Int64),
        ("substr(max(name), 1, 1)", DataType::Utf8),
        ("concat('a', 'b')", DataType::Utf8),
        ("'x'::bytea", DataType::Binary),
        ("'2024-01-01 00:00:00'::timestamp", DataType::Timestamp(TimeUnit::Microsecond, None)),
        ("now()", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))),
        ("1.25::numeric(10,2) * 2.5", DataType::Decimal128(13, 3)),
        ("1::smallint", DataType::Int16),
        ("1::real", DataType::Float32),
        ("NULL", DataType::Null),
    ] {
        let needs_rows = items.starts_with("count") || items.starts_with("substr");
        let sql = if needs_rows { format!("SELECT {items} FROM person") } else { format!("SELECT {items}") };
        assert_eq!(database.types(&sql), [expected], "{sql}");
        assert_eq!(database.rows(&sql).len(), 1, "{sql}");
    }
}

#[test]
fn batches_keep_their_bound() {
    let mut database = Database::with(Relational::new(Options { batch_rows: 100, ..options() }).unwrap());
    database.add("public", "n", numbers(1000));
    for sql in ["SELECT v FROM n ORDER BY v", "SELECT a.v FROM n a JOIN n b ON a.v % 10 = b.v % 10 LIMIT 5000"] {
        let (_, batches) = database.batches_with(sql, &[]).unwrap();
        assert!(batches.iter().all(|batch| (1..=100).contains(&batch.num_rows())), "{sql}");
    }
    let (_, batches) = database.batches_with("SELECT v FROM n ORDER BY v", &[]).unwrap();
    assert_eq!(batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), 1000);
}
