//! Access by primary key: when the lookup is taken, what it shows in EXPLAIN, and that it never loses a condition.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::array::{ArrayRef, Int64Array, StringArray};

use crate::memory::Database;

#[test]
fn explain_shows_the_lookup() {
    let database = Database::new();
    assert_eq!(database.explain("SELECT id, name FROM person WHERE id = 5"), ["KeyLookup: table=person, key=[id=5], columns=[id, name]"]);
    assert_eq!(
        database.explain("SELECT x FROM public.pair WHERE a = 2 AND b = 'v'"),
        ["KeyLookup: table=public.pair, key=[b=v, a=2], columns=[x]"]
    );
    assert_eq!(
        database.explain("SELECT name FROM person WHERE age = 25"),
        [
            "FilterExec: age@1 = 25, projection=[name@0]",
            "  SegmentScan: table=person, columns=[name, age], partitions=2, bounds=[age = 25]"
        ]
    );
}

#[test]
fn rows_come_from_the_lookup() {
    let database = Database::new();
    assert_eq!(database.rows("SELECT * FROM person WHERE id = 5"), ["5|p5|25|Rome"]);
    assert_eq!(database.rows("SELECT * FROM person WHERE id = 500"), Vec::<String>::new());
    assert_eq!(database.rows("SELECT x FROM pair WHERE b = 'u' AND a = 2"), ["3.5"]);
    assert_eq!(database.rows("SELECT count(*) FROM person WHERE id = 5"), ["1"]);
    assert_eq!(database.memory("person").lookups.load(Ordering::SeqCst), 3);
    assert_eq!(database.memory("person").batches_read.load(Ordering::SeqCst), 0);
}

#[test]
fn parameters_reach_the_lookup() {
    let database = Database::new();
    let five: ArrayRef = Arc::new(Int64Array::from(vec![5]));
    assert_eq!(database.rows_with("SELECT name FROM person WHERE id = $1", &[five]).unwrap(), ["p5"]);
    let (a, b): (ArrayRef, ArrayRef) = (Arc::new(Int64Array::from(vec![1])), Arc::new(StringArray::from(vec!["v"])));
    assert_eq!(database.rows_with("SELECT x FROM pair WHERE a = $1 AND $2 = b", &[a, b]).unwrap(), ["2.5"]);
    assert_eq!(database.memory("person").lookups.load(Ordering::SeqCst), 1);
    assert_eq!(database.memory("pair").lookups.load(Ordering::SeqCst), 1);
}

#[test]
fn other_conditions_still_hold() {
    let database = Database::new();
    assert_eq!(database.rows("SELECT id FROM person WHERE id = 5 AND age > 30"), Vec::<String>::new());
    assert_eq!(database.rows("SELECT id FROM person WHERE id = 5 AND name LIKE 'p%'"), ["5"]);
    assert_eq!(database.rows("SELECT id FROM person WHERE id = 5 AND id = 6"), Vec::<String>::new());
    assert_eq!(database.rows("SELECT id FROM person WHERE id = 5 AND id = 5"), ["5"]);
    assert_eq!(database.rows("SELECT id FROM (SELECT id, age FROM person WHERE id = 5) x WHERE age = 26"), Vec::<String>::new());
    assert_eq!(database.rows("SELECT id FROM (SELECT id FROM person WHERE id = 5) x WHERE id = 7"), Vec::<String>::new());
    assert_eq!(database.rows("SELECT id FROM person WHERE id = NULL"), Vec::<String>::new());
}

#[test]
fn part_of_a_key_scans() {
    let database = Database::new();
    assert_eq!(database.sorted("SELECT x FROM pair WHERE a = 1"), ["1.5", "2.5"]);
    assert_eq!(database.sorted("SELECT x FROM pair WHERE a = 1 AND b > 'u'"), ["2.5"]);
    assert_eq!(database.memory("pair").lookups.load(Ordering::SeqCst), 0);
}

#[test]
fn constants_of_other_types_find_the_row() {
    let database = Database::new();
    assert_eq!(database.rows("SELECT name FROM person WHERE id = '5'"), ["p5"]);
    assert_eq!(database.rows("SELECT name FROM person WHERE id = 2 + 3"), ["p5"]);
    assert_eq!(database.rows("SELECT name FROM person WHERE id = 5::smallint"), ["p5"]);
    assert_eq!(database.memory("person").lookups.load(Ordering::SeqCst), 3);
}

#[test]
fn a_join_side_bound_by_key_is_looked_up() {
    let database = Database::new();
    let sql = "SELECT s.id FROM sale s JOIN person p ON p.id = s.person_id WHERE p.id = 3 ORDER BY s.id";
    assert_eq!(database.rows(sql), ["3", "15", "27"]);
    assert_eq!(database.memory("person").lookups.load(Ordering::SeqCst), 1);
}
