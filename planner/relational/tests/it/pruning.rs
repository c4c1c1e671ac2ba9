//! The hints a scan gets: column positions, bounds, and nothing that is not a plain comparison.

use arrow::array::AsArray;
use arrow::datatypes::Int32Type;
use relational::Comparison;

use crate::memory::Database;

fn bounds_of(sql: &str) -> (Vec<usize>, Vec<(usize, Comparison, i32)>) {
    let database = Database::new();
    database.rows(sql);
    let scans = database.memory("person").scans.lock().unwrap().clone();
    let (projection, bounds) = scans.first().unwrap().clone();
    let shown = bounds.iter().map(|bound| (bound.column, bound.op, bound.value.as_primitive::<Int32Type>().value(0)));
    (projection, shown.collect())
}

#[test]
fn comparisons_become_bounds() {
    let (projection, bounds) = bounds_of("SELECT name FROM person WHERE age > 22 AND 28 >= age");
    assert_eq!(projection, [1, 2]);
    assert_eq!(bounds, [(2, Comparison::Gt, 22), (2, Comparison::Le, 28)]);
    let (_, bounds) = bounds_of("SELECT name FROM person WHERE age BETWEEN 23 AND 25");
    assert_eq!(bounds, [(2, Comparison::Ge, 23), (2, Comparison::Le, 25)]);
    let (_, bounds) = bounds_of("SELECT name FROM person WHERE age = 23 AND lower(name) = 'p3'");
    assert_eq!(bounds, [(2, Comparison::Eq, 23)]);
}

#[test]
fn other_conditions_do_not() {
    for sql in [
        "SELECT name FROM person WHERE age > 22 OR id = 1",
        "SELECT name FROM person WHERE age <> 22",
        "SELECT name FROM person WHERE age + 1 > 22",
        "SELECT name FROM person WHERE age > id",
    ] {
        assert_eq!(bounds_of(sql).1, [], "{sql}");
    }
}

#[test]
fn bounds_are_hints_and_rows_outside_are_filtered() {
    // The table in memory ignores every bound.
    assert_eq!(Database::new().rows("SELECT id FROM person WHERE age >= 24 AND age < 26 ORDER BY id"), ["4", "5"]);
}

#[test]
fn only_the_columns_needed_are_read() {
    let database = Database::new();
    database.rows("SELECT city FROM person ORDER BY age");
    assert_eq!(database.memory("person").scans.lock().unwrap().first().unwrap().0, [2, 3]);
}
