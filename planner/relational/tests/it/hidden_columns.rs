//! Hidden columns: named, they are there; by `*`, they are not.

use crate::memory::Database;

const VISIBLE: [&str; 4] = ["id", "name", "age", "city"];

#[test]
fn a_wildcard_leaves_them_out() {
    let database = Database::new();
    for sql in [
        "SELECT * FROM person",
        "SELECT p.* FROM person p",
        "SELECT * FROM (SELECT * FROM person) x",
        "WITH c AS (SELECT * FROM person) SELECT * FROM c",
    ] {
        assert_eq!(database.names(sql), VISIBLE, "{sql}");
    }
    assert_eq!(database.names("SELECT * FROM person JOIN sale USING (id)"), ["id", "name", "age", "city", "person_id", "amount", "paid"]);
}

#[test]
fn named_they_can_be_read_and_filtered() {
    let database = Database::new();
    assert_eq!(database.rows("SELECT id, _row_id FROM person WHERE _row_id = 3"), ["4|3"]);
    assert_eq!(database.rows("SELECT p._row_id, s._row_id FROM person p JOIN sale s ON s.id = p.id WHERE p.id = 2"), ["1|2"]);
}

#[test]
fn a_wildcard_beside_a_named_one_leaves_it_out() {
    let database = Database::new();
    let with_row_id = ["id", "name", "age", "city", "_row_id"];
    assert_eq!(database.names("SELECT *, _row_id FROM person"), with_row_id);
    assert_eq!(database.names("SELECT p.*, p._row_id FROM person p"), with_row_id);
    assert_eq!(database.names("SELECT * FROM person WHERE _row_id > 1"), VISIBLE);
    assert_eq!(database.names("SELECT * FROM (SELECT *, _row_id AS r FROM person) x"), ["id", "name", "age", "city", "r"]);
    assert_eq!(
        database.names("SELECT * FROM person p JOIN sale s ON s.person_id = p.id WHERE s._row_id = p._row_id"),
        ["id", "name", "age", "city", "id", "person_id", "amount", "paid"]
    );
    assert_eq!(database.rows("SELECT *, _row_id FROM person WHERE id = 2"), ["2|p2|22|-|1"]);
}

#[test]
fn what_cannot_be_left_out_is_refused() {
    let error = Database::new().error("SELECT * FROM person JOIN sale USING (id) WHERE person._row_id = 1");
    assert_eq!(error.state().0, "0A000");
}

#[test]
fn a_hidden_name_of_another_table_is_no_column() {
    assert_eq!(Database::new().error("SELECT _row_id FROM empty").state().0, "42703");
}
