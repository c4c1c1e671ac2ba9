//! `$1`, `$2`, …: their types from use, their values from one-row arrays.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, NullArray, StringArray};
use arrow::datatypes::{DataType, TimeUnit};

use crate::memory::Database;

fn types(sql: &str, given: &[Option<DataType>]) -> Vec<DataType> {
    Database::new().describe(sql, given).unwrap_or_else(|error| panic!("{sql}: {error}")).parameters
}

#[test]
fn types_come_from_use() {
    let micros = DataType::Timestamp(TimeUnit::Microsecond, None);
    for (sql, expected) in [
        ("SELECT * FROM person WHERE id = $1", vec![DataType::Int64]),
        ("SELECT * FROM person WHERE $2 < age AND name = $1", vec![DataType::Utf8, DataType::Int32]),
        ("SELECT * FROM person WHERE age BETWEEN $1 AND $2", vec![DataType::Int32, DataType::Int32]),
        ("SELECT * FROM person WHERE id IN ($1, $2)", vec![DataType::Int64, DataType::Int64]),
        ("SELECT $1", vec![DataType::Utf8]),
        ("SELECT $1::int, $2::timestamp, CAST($3 AS numeric(5,2))", vec![DataType::Int32, micros, DataType::Decimal128(5, 2)]),
        ("SELECT id FROM person LIMIT $1 OFFSET $2", vec![DataType::Int64, DataType::Int64]),
        ("SELECT age + $1 FROM person", vec![DataType::Int32]),
        ("SELECT $1 + 1", vec![DataType::Int32]),
        ("SELECT name FROM person WHERE name LIKE $1", vec![DataType::Utf8]),
        ("SELECT id FROM person WHERE id = (SELECT max(id) FROM sale WHERE amount = $1)", vec![DataType::Int32]),
        ("SELECT id FROM person WHERE age = $1 OR id = $1", vec![DataType::Int32]),
        ("SELECT lower($1), id FROM person WHERE id = $2", vec![DataType::Utf8, DataType::Int64]),
        ("SELECT 1", vec![]),
        ("SELECT id FROM person WHERE id = $2", vec![DataType::Utf8, DataType::Int64]),
    ] {
        assert_eq!(types(sql, &[]), expected, "{sql}");
    }
}

#[test]
fn types_given_stand() {
    assert_eq!(types("SELECT * FROM person WHERE id = $1", &[Some(DataType::Int32)]), [DataType::Int32]);
    assert_eq!(types("SELECT $1, age + $2 FROM person", &[Some(DataType::Int16), None]), [DataType::Int16, DataType::Int32]);
    let described = Database::new().describe("SELECT $1", &[Some(DataType::Int16)]).unwrap();
    assert_eq!(described.columns, [("?column?".to_owned(), DataType::Int16)]);
}

#[test]
fn values_take_their_places() {
    let database = Database::new();
    let int = |value: i64| Arc::new(Int64Array::from(vec![value])) as ArrayRef;
    let text = |value: &str| Arc::new(StringArray::from(vec![value])) as ArrayRef;
    assert_eq!(database.rows_with("SELECT id FROM person WHERE id > $1 AND id < $2 ORDER BY 1", &[int(3), int(6)]).unwrap(), ["4", "5"]);
    assert_eq!(database.rows_with("SELECT $2 || $1", &[text("a"), text("b")]).unwrap(), ["ba"]);
    assert_eq!(database.rows_with("SELECT id FROM person ORDER BY id LIMIT $1 OFFSET $2", &[int(2), int(1)]).unwrap(), ["2", "3"]);
    assert_eq!(database.rows_with("SELECT id FROM person WHERE name = $1", &[text("x' OR 'a' = 'a")]).unwrap(), Vec::<String>::new());
    assert_eq!(database.rows_with("SELECT id FROM person WHERE id = $1", &[Arc::new(Int32Array::from(vec![7]))]).unwrap(), ["7"]);
    let correlated = "SELECT p.id FROM person p WHERE EXISTS (SELECT 1 FROM sale s WHERE s.person_id = p.id AND s.id = $1)";
    assert_eq!(database.rows_with(correlated, &[int(15)]).unwrap(), ["3"]);
}

#[test]
fn nulls_take_their_places() {
    let database = Database::new();
    let untyped = Arc::new(NullArray::new(1)) as ArrayRef;
    let typed = Arc::new(Int64Array::from(vec![None])) as ArrayRef;
    for null in [untyped, typed] {
        assert_eq!(database.rows_with("SELECT id FROM person WHERE id = $1", &[Arc::clone(&null)]).unwrap(), Vec::<String>::new());
        assert_eq!(database.rows_with("SELECT count(*) FROM person WHERE $1::bigint IS NULL", &[null]).unwrap(), ["10"]);
    }
}

#[test]
fn missing_values_and_odd_numbers_are_errors() {
    let database = Database::new();
    let one = Arc::new(Int64Array::from(vec![1])) as ArrayRef;
    assert_eq!(database.rows_with("SELECT $1::int, $2::int", &[one]).unwrap_err().state().0, "08P01");
    let two_rows = Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef;
    assert_eq!(database.rows_with("SELECT $1::int", &[two_rows]).unwrap_err().state().0, "08P01");
    assert_eq!(database.describe("SELECT $0", &[]).unwrap_err().state().0, "42P02");
    assert_eq!(database.describe("SELECT $70000", &[]).unwrap_err().state().0, "42P02");
}

#[test]
fn describe_says_what_execute_answers() {
    let database = Database::new();
    for sql in [
        "SELECT 1, 'a', NULL, true, 1.5, now(), current_date",
        "SELECT count(*), sum(id), sum(age), avg(age), max(name) FROM person",
        "SELECT id, row_number() OVER (), rank() OVER (ORDER BY id) FROM person",
        "SELECT age + 1, age * 2, id / 3, x + 1, x / 2 FROM person, pair",
        "SELECT CASE WHEN age > 1 THEN age ELSE id END, coalesce(age, 0) FROM person",
        "SELECT id FROM person UNION SELECT amount FROM sale",
        "SELECT length(name), substr(name, 1, 1), concat(name, id), name || 'x', round(x), floor(x) FROM person, pair",
        "SELECT round(2.345, 2), round(1.5, 0), sum(id) / 3, 1 / 3.0, sum(age) / count(*) FROM person",
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT * FROM t",
    ] {
        let described = database.describe(sql, &[]).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let (schema, _) = database.batches_with(sql, &[]).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let answered: Vec<_> = schema.fields().iter().map(|field| (field.name().clone(), field.data_type().clone())).collect();
        assert_eq!(described.columns, answered, "{sql}");
    }
}
