//! Output column names, as PostgreSQL 15 gives them.

use crate::memory::Database;

#[test]
fn names_follow_postgres() {
    let database = Database::new();
    for (items, expected) in [
        ("1", "?column?"),
        ("count(*)", "count"),
        ("age + 1", "?column?"),
        ("-age", "?column?"),
        ("lower(name)", "lower"),
        ("upper(lower(name)) AS \"Big\"", "Big"),
        ("age::bigint", "age"),
        ("'1'::int", "int4"),
        ("'x'::varchar(3)", "varchar"),
        ("date '2024-01-01'", "date"),
        ("(age)", "age"),
        ("CASE WHEN age > 1 THEN 1 END", "case"),
        ("CASE WHEN age > 1 THEN 1 ELSE age END", "age"),
        ("coalesce(city, 'x')", "coalesce"),
        ("nullif(age, 1)", "nullif"),
        ("EXISTS (SELECT 1)", "exists"),
        ("(SELECT max(age) FROM person)", "max"),
        ("(SELECT 1 AS one)", "one"),
        ("person.age", "age"),
        ("age IS NULL", "?column?"),
        ("age BETWEEN 1 AND 2", "?column?"),
        ("substring(name, 1, 2)", "substring"),
        ("extract(year FROM date '2024-01-01')", "extract"),
        ("trim(name)", "btrim"),
        ("current_user", "current_user"),
        ("Age AS Old", "old"),
    ] {
        let sql = if items.starts_with("count") {
            format!("SELECT {items} FROM person")
        } else {
            format!("SELECT {items} FROM person WHERE id = 1")
        };
        assert_eq!(database.names(&sql), [expected], "{sql}");
        assert_eq!(database.rows(&sql).len(), 1, "{sql}");
    }
}

#[test]
fn names_may_repeat() {
    let database = Database::new();
    assert_eq!(database.names("SELECT 1, 2, 1"), ["?column?", "?column?", "?column?"]);
    assert_eq!(database.names("SELECT id, id, name AS id FROM person"), ["id", "id", "id"]);
    assert_eq!(database.names("SELECT count(*), count(city), count(*) FROM person"), ["count", "count", "count"]);
    assert_eq!(database.names("SELECT p.id, s.id FROM person p, sale s"), ["id", "id"]);
    assert_eq!(database.names("SELECT *, id FROM pair CROSS JOIN empty"), ["a", "b", "x", "id", "v", "id"]);
    assert_eq!(database.rows("SELECT id, id + 1, id, 1, 1 FROM person WHERE id = 3"), ["3|4|3|1|1"]);
}

#[test]
fn inner_names_can_be_used_outside() {
    let database = Database::new();
    assert_eq!(database.rows("SELECT s.count, s.max FROM (SELECT count(*), max(age) FROM person) s"), ["10|30"]);
    assert_eq!(database.rows("WITH c AS (SELECT lower(name) FROM person WHERE id = 1) SELECT lower FROM c"), ["p1"]);
    assert_eq!(database.rows("SELECT city, count(*) FROM person GROUP BY city ORDER BY count DESC, city LIMIT 1"), ["Rome|3"]);
    assert_eq!(database.names("SELECT * FROM (SELECT 1, 2) x"), ["?column?", "?column?"]);
}

#[test]
fn set_operations_take_the_first_branch() {
    assert_eq!(Database::new().names("SELECT id FROM person UNION ALL SELECT id + 1 FROM sale"), ["id"]);
}

#[test]
fn names_do_not_disturb_order_and_groups() {
    let database = Database::new();
    assert_eq!(database.rows("SELECT age + 1 FROM person GROUP BY age + 1 ORDER BY age + 1 LIMIT 1"), ["22"]);
    assert_eq!(database.rows("SELECT p.id, s.id FROM person p JOIN sale s ON s.id = p.id ORDER BY s.id DESC LIMIT 1"), ["10|10"]);
    assert_eq!(database.rows("SELECT name, lower(name) FROM person ORDER BY lower(name) DESC LIMIT 1"), ["p9|p9"]);
    assert_eq!(database.rows("SELECT age::text FROM person GROUP BY age ORDER BY age LIMIT 1"), ["21"]);
}
