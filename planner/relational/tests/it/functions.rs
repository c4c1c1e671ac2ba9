//! Session functions, the caller's own functions, and a few of the families SQL is used with.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::{DataType, Int64Type};
use base::{SqlError, SqlState};
use relational::ScalarFunction;

use crate::memory::Database;

#[test]
fn session_values() {
    let database = Database::new();
    assert_eq!(database.rows("SELECT version(), current_database(), current_schema()"), ["PostgreSQL 15.0 (Shockwave test)|shop|public"]);
    assert_eq!(database.rows("SELECT current_user, session_user, user, current_catalog"), ["ada|ada|ada|shop"]);
    assert_eq!(
        database.rows("SELECT now() = current_timestamp, now()::text, current_date"),
        ["true|2023-11-14 22:13:20.123456+00|2023-11-14"]
    );
    assert_eq!(database.rows("SELECT statement_timestamp()::text"), ["2023-11-14 22:13:21+00"]);
    assert_eq!(database.rows("SELECT pg_catalog.version() = version()"), ["true"]);
    assert_eq!(
        database.rows("SELECT pg_typeof(1), pg_typeof(id), pg_typeof(name), pg_typeof(1.5), pg_typeof(now()) FROM person WHERE id = 1"),
        ["integer|bigint|text|numeric|timestamp with time zone"]
    );
}

#[test]
fn table_functions_and_aggregates() {
    let database = Database::new();
    assert_eq!(database.rows("SELECT count(*), min(generate_series), max(n) FROM generate_series(3, 12) JOIN generate_series(3, 12) AS n ON n = generate_series"), ["10|3|12"]);
    assert_eq!(database.rows("SELECT string_agg(name, ',' ORDER BY id DESC) FROM person WHERE id < 4"), ["p3,p2,p1"]);
    assert_eq!(
        database.rows(
            "SELECT count(DISTINCT city), bool_and(paid), count(*) FILTER (WHERE paid) FROM person p JOIN sale s ON s.person_id = p.id"
        ),
        ["3|false|12"]
    );
    assert_eq!(database.rows("SELECT upper('a'), length('héé'), replace('aba', 'a', 'x'), split_part('a,b', ',', 2)"), ["A|3|xbx|b"]);
    assert_eq!(
        database.rows("SELECT date_trunc('month', '2024-05-17 10:00:00'::timestamp)::text, extract(year FROM '2024-05-17'::date)"),
        ["2024-05-01 00:00:00|2024"]
    );
}

fn label(calls: Arc<AtomicUsize>) -> ScalarFunction {
    ScalarFunction {
        name: "receipt".into(),
        args: vec![DataType::Int64, DataType::Int64],
        optional_args: 1,
        returns: DataType::Utf8,
        call: Arc::new(move |args: &[ArrayRef]| {
            calls.fetch_add(1, Ordering::SeqCst);
            let seqs = args[0].as_primitive::<Int64Type>();
            if seqs.iter().flatten().any(|seq| seq < 0) {
                return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, "there is no such commit").hint("Commits count from 0."));
            }
            let rows = args.get(1).map(|rows| rows.as_primitive::<Int64Type>());
            let text = |at: usize| {
                (!seqs.is_null(at)).then(|| match rows {
                    Some(rows) => format!("{}.{}", seqs.value(at), rows.value(at)),
                    None => seqs.value(at).to_string(),
                })
            };
            Ok(Arc::new((0..seqs.len()).map(text).collect::<StringArray>()))
        }),
    }
}

#[test]
fn the_callers_functions_run_over_constants_and_rows() {
    let calls = Arc::new(AtomicUsize::new(0));
    let database = Database::new().with_function(label(Arc::clone(&calls)));
    assert_eq!(database.rows("SELECT receipt(12, 0), receipt(7)"), ["12.0|7"]);
    assert_eq!(database.rows("SELECT receipt(commit_seq, 5) FROM ledger.commits ORDER BY commit_seq"), ["0.5", "1.5", "2.5"]);
    assert_eq!(database.rows("SELECT id FROM person WHERE receipt(id) = '4'"), ["4"]);
    assert_eq!(database.names("SELECT receipt(1)"), ["receipt"]);
    assert!(calls.load(Ordering::SeqCst) >= 4);
}

#[test]
fn the_callers_functions_are_not_called_while_planning() {
    let calls = Arc::new(AtomicUsize::new(0));
    let database = Database::new().with_function(label(Arc::clone(&calls)));
    assert_eq!(database.types("SELECT receipt(12, 0)"), [DataType::Utf8]);
    database.explain("SELECT receipt(12, 0)");
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[test]
fn the_callers_errors_come_out_unchanged() {
    let database = Database::new().with_function(label(Arc::default()));
    let error = database.error("SELECT receipt(-1, 0)");
    assert_eq!((error.state().0, error.message()), ("22023", "there is no such commit"));
    assert_eq!(error.fields().collect::<Vec<_>>(), [(b'H', "Commits count from 0.")]);
    assert_eq!(database.error("SELECT receipt()").state().0, "42883");
    assert_eq!(database.error("SELECT receipt(1, 2, 3)").state().0, "42883");
}
