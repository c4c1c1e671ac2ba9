//! What a user reads when a query fails: SQLSTATE, wording, position.

use base::{SqlError, SqlState};
use relational::{Options, Relational};

use crate::memory::{Database, numbers, options, parse};

#[test]
fn states_messages_and_positions() {
    let database = Database::new();
    for (sql, state, message, position) in [
        ("SELECT * FROM nobody", "42P01", "relation \"nobody\" does not exist", Some(15)),
        ("SELECT * FROM a.b", "42P01", "relation \"a.b\" does not exist", Some(15)),
        ("SELECT nam FROM person", "42703", "column \"nam\" does not exist", Some(8)),
        ("SELECT p.nam FROM person p", "42703", "column p.nam does not exist", Some(8)),
        ("SELECT q.id FROM person p", "42P01", "missing FROM-clause entry for table \"q\"", Some(8)),
        ("SELECT id\nFROM person\nWHERE agee = 1", "42703", "column \"agee\" does not exist", Some(29)),
        ("SELECT 'é', nix FROM person", "42703", "column \"nix\" does not exist", Some(13)),
        ("SELECT id FROM person, sale", "42702", "column reference \"id\" is ambiguous", Some(8)),
        ("SELECT lowr(name) FROM person", "42883", "function lowr does not exist", Some(8)),
        ("SELECT abs(name, id) FROM person", "42883", "function abs(text, bigint) does not exist", Some(8)),
        ("SELECT sum(name) FROM person", "42883", "function sum(text) does not exist", Some(8)),
        (
            "SELECT name, count(*) FROM person GROUP BY city",
            "42803",
            "column \"person.name\" must appear in the GROUP BY clause or be used in an aggregate function",
            Some(8),
        ),
        ("SELECT 1 / 0", "22012", "division by zero", None),
        ("SELECT 1.0 / 0", "22012", "division by zero", None),
        ("SELECT x / (x - x) FROM pair", "22012", "division by zero", None),
        ("SELECT 5 % 0", "22012", "division by zero", None),
        ("SELECT 'abc'::int", "22P02", "invalid input syntax for type integer: \"abc\"", Some(8)),
        ("SELECT 'abc'::bigint", "22P02", "invalid input syntax for type bigint: \"abc\"", Some(8)),
        ("SELECT '99999999999'::int", "22003", "value \"99999999999\" is out of range for type integer", None),
        ("SELECT 'nope'::date", "22007", "invalid input syntax for type date: \"nope\"", None),
        ("SELECT 99999999999::int", "22003", "integer out of range", None),
        ("SELECT 2147483647 + 1", "22003", "integer out of range", None),
        ("SELECT 9223372036854775807 + id FROM person", "22003", "bigint out of range", None),
        ("SELECT 123456::numeric(5,2)", "22003", "numeric field overflow", None),
        ("SELECT (SELECT id FROM person)", "21000", "more than one row returned by a subquery used as an expression", None),
        ("SELECT id FROM person FOR UPDATE", "0A000", "SELECT … FOR UPDATE or FOR SHARE is not supported", None),
        ("SELECT id FROM person TABLESAMPLE SYSTEM (10)", "0A000", "TABLESAMPLE is not supported", None),
        ("SELECT 1::nonsense", "42704", "type \"nonsense\" does not exist", None),
        ("SELECT 1::uuid", "42846", "cannot cast type integer to uuid", None),
        ("SELECT * FROM other.public.person", "0A000", "cross-database reference \"other.public.person\" is not supported", None),
        ("SELECT 'x'::bool", "22P02", "invalid input syntax for type boolean: \"x\"", Some(8)),
        ("SELECT id FROM person WHERE name", "42804", "argument of WHERE must be type boolean, not type text", None),
        ("SELECT id, id FROM person UNION SELECT 1", "42601", "each UNION query must have the same number of columns", Some(1)),
        ("SELECT id FROM person ORDER BY 5", "42P10", "ORDER BY position 5 is not in select list", None),
        (
            "SELECT DISTINCT name FROM person ORDER BY id",
            "42P10",
            "for SELECT DISTINCT, ORDER BY expressions must appear in select list",
            None,
        ),
        ("SELECT id FROM person LIMIT -1", "2201W", "LIMIT must not be negative", None),
        ("SELECT sum(sum(id)) FROM person", "42803", "aggregate function calls cannot be nested", Some(16)),
        ("SELECT id FROM person WHERE sum(id) > 1", "42803", "aggregate functions are not allowed in WHERE", None),
        ("SELECT * FROM person p, sale p", "42712", "table name \"p\" specified more than once", None),
        ("SELECT (SELECT id, name FROM person)", "42601", "subquery must return only one column", None),
        ("SELECT id FROM person WHERE id = 'abc'", "22P02", "invalid input syntax for type bigint: \"abc\"", Some(34)),
        ("SELECT name COLLATE \"de_DE\" FROM person", "42704", "collation \"de_DE\" for encoding \"UTF8\" does not exist", None),
        ("SELECT to_place(now(), 'YYYY')", "42883", "function to_place does not exist", Some(8)),
        ("SELECT ARRAY[ARRAY[1]]", "0A000", "an array of more than one dimension is not supported", None),
        (
            "SELECT (SELECT s.id FROM sale s WHERE s.id > p.id) FROM person p",
            "21000",
            "more than one row returned by a subquery used as an expression",
            None,
        ),
        ("SELECT true + 1", "42883", "operator does not exist: boolean + integer", None),
        ("SELECT '\\xzz'::bytea", "22023", "invalid hexadecimal digit: \"z\"", None),
    ] {
        let error = database.error(sql);
        assert_eq!((error.state().0, error.message(), error.position()), (state, message, position), "{sql}");
    }
}

#[test]
fn hints_name_what_is_near() {
    let database = Database::new();
    let hint = |sql: &str| database.error(sql).fields().find(|(letter, _)| *letter == b'H').map(|(_, text)| text.to_owned());
    assert_eq!(hint("SELECT nam FROM person").unwrap(), "Perhaps you meant to reference the column \"person.name\".");
    assert_eq!(hint("SELECT zzzzzz FROM person"), None);
    assert_eq!(hint("SELECT lowr(name) FROM person").unwrap(), "Perhaps you meant the function \"lower\".");
    assert!(hint("SELECT abs(name, id) FROM person").unwrap().contains("explicit type casts"));
}

#[test]
fn errors_of_tables_and_resolvers_come_out_unchanged() {
    let database = Database::new();
    let detail: Vec<_> = database.error("SELECT * FROM nobody").fields().map(|(_, text)| text.to_owned()).collect();
    assert_eq!(detail, ["As the resolver put it."]);
    let raised =
        SqlError::new(SqlState::DATA_CORRUPTED, "segment 7 is damaged").detail("Block 3 has another checksum.").table("public", "sale");
    *database.memory("sale").failure.lock().unwrap() = Some(raised.clone());
    for sql in [
        "SELECT * FROM sale",
        "SELECT count(*) FROM sale WHERE id > 1",
        "SELECT city, count(*) FROM sale JOIN person p ON p.id = person_id GROUP BY city ORDER BY 2",
        "SELECT (SELECT max(id) FROM sale)",
    ] {
        assert_eq!(database.error(sql), raised, "{sql}");
    }
}

#[test]
fn memory_runs_out_as_53200() {
    let mut database = Database::with(Relational::new(Options { memory_bytes: 1 << 20, ..options() }).unwrap());
    database.add("public", "n", numbers(300_000));
    let error = database.error("SELECT v, count(*) FROM n GROUP BY v ORDER BY 2");
    assert_eq!(error.state().0, "53200");
    assert!(error.fields().any(|(letter, _)| letter == b'H'));
    assert_eq!(database.rows("SELECT count(*) FROM n WHERE v < 7"), ["7"]);
}

/// Of two limits the narrower one is met, and says which it was; what the failed run held is given back.
#[test]
fn a_query_meets_its_own_limit_alone() {
    let sql = "SELECT v, count(*) FROM n GROUP BY v ORDER BY 2";
    let narrow = Options { run_memory_bytes: 1 << 20, ..options() };
    let mut database = Database::with(Relational::new(narrow).unwrap());
    database.add("public", "n", numbers(60_000));
    for _ in 0..40 {
        let error = database.error(sql);
        assert_eq!((error.state().0, error.message()), ("53200", "out of memory for this query"));
        assert!(error.fields().any(|(letter, text)| letter == b'H' && text.contains("statement_mem")));
    }
    assert_eq!(database.rows("SELECT count(*) FROM n WHERE v < 7"), ["7"]);

    let mut database = Database::with(Relational::new(options()).unwrap());
    database.add("public", "n", numbers(60_000));
    assert_eq!(database.limited(sql, Some(1 << 20)).unwrap_err().message(), "out of memory for this query");
    // A plan kept from a run with one limit runs with another.
    assert_eq!(database.limited(sql, None).unwrap(), 60_000);
    assert_eq!(database.limited(sql, Some(1 << 20)).unwrap_err().state().0, "53200");
    assert_eq!(database.limited(sql, Some(usize::MAX)).unwrap(), 60_000);
}

/// What a subquery holds counts for the query around it.
#[test]
fn a_subquery_counts_for_its_query() {
    let mut database = Database::with(Relational::new(options()).unwrap());
    database.add("public", "n", numbers(60_000));
    let sql = "SELECT (SELECT max(c) FROM (SELECT v, count(*) AS c FROM n WHERE v >= outside.v GROUP BY v) AS inside) \
               FROM n AS outside WHERE outside.v < 2";
    assert_eq!(database.limited(sql, Some(1 << 20)).unwrap_err().message(), "out of memory for this query");
    assert_eq!(database.limited(sql, None).unwrap(), 2);
}

#[test]
fn limits_out_of_range_are_refused() {
    for bad in [Options { batch_rows: 0, ..options() }, Options { batch_rows: 10_000, ..options() }, Options { partitions: 0, ..options() }]
    {
        assert_eq!(Relational::new(bad).unwrap_err().state().0, "22023");
    }
}

#[test]
fn statements_that_are_no_query_are_refused() {
    let database = Database::new();
    let statement = parse("DELETE FROM person");
    let query = relational::Query { statement: &statement, text: "" };
    assert_eq!(database.relational.describe(query, &database, &database.env, &[]).unwrap_err().state().0, "0A000");
}

#[test]
fn without_text_there_is_no_position() {
    let database = Database::new();
    let statement = parse("SELECT nam FROM person");
    let error =
        database.relational.describe(relational::Query { statement: &statement, text: "" }, &database, &database.env, &[]).unwrap_err();
    assert_eq!((error.state().0, error.position()), ("42703", None));
}
