//! What users read when they err: SQLSTATE, message, position.

use crate::fixture::Fixture;

#[tokio::test]
async fn errors_have_postgres_codes_texts_and_places() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL, d date, v varchar(3))").await;
    client.run("INSERT INTO t VALUES (1, 'one')").await;
    let cases: &[(&str, &str, &str, Option<u32>)] = &[
        // Syntax.
        ("SELEC 1", "42601", "syntax error at or near \"SELEC\"", Some(1)),
        ("SELECT 1,\n  FROM t", "42601", "syntax error at or near \"FROM\"", Some(13)),
        ("INSERT INTO t VALUES (1,", "42601", "syntax error at end of input", Some(25)),
        ("SELECT 1; DROP", "42601", "syntax error at end of input", Some(15)),
        ("SELECT 'é', 'abc", "42601", "unterminated quoted string at or near \"'abc\"", Some(13)),
        ("SELECT \"abc", "42601", "unterminated quoted identifier at or near \"\"abc\"", Some(8)),
        ("SELECT 1 SELECT 2", "42601", "syntax error at or near \"SELECT\"", Some(10)),
        ("COPY t FROM STDIN (FORMAT csv", "42601", "syntax error at end of input", Some(30)),
        ("COPY t FROM STDIN WITH nonsense", "42601", "syntax error at or near \"nonsense\"", Some(24)),
        // Names.
        ("SELECT * FROM nothing", "42P01", "relation \"nothing\" does not exist", Some(15)),
        ("SELECT * FROM s.nothing", "42P01", "relation \"s.nothing\" does not exist", Some(15)),
        ("INSERT INTO nothing VALUES (1)", "42P01", "relation \"nothing\" does not exist", Some(13)),
        ("UPDATE nothing SET a = 1", "42P01", "relation \"nothing\" does not exist", Some(8)),
        ("DELETE FROM nothing", "42P01", "relation \"nothing\" does not exist", Some(13)),
        ("COPY nothing FROM STDIN", "42P01", "relation \"nothing\" does not exist", None),
        ("DROP TABLE nothing", "42P01", "table \"nothing\" does not exist", None),
        ("DROP SCHEMA nowhere", "3F000", "schema \"nowhere\" does not exist", None),
        ("SELECT nope FROM t", "42703", "column \"nope\" does not exist", Some(8)),
        ("SELECT t.nope FROM t", "42703", "column t.nope does not exist", Some(8)),
        ("INSERT INTO t (id, nope) VALUES (1, 2)", "42703", "column \"nope\" of relation \"t\" does not exist", Some(20)),
        ("UPDATE t SET nope = 1", "42703", "column \"nope\" of relation \"t\" does not exist", Some(14)),
        ("CREATE TABLE nowhere.t (id int)", "3F000", "schema \"nowhere\" does not exist", Some(14)),
        ("CREATE TABLE t (id int)", "42P07", "relation \"t\" already exists", None),
        ("CREATE SCHEMA public", "42P06", "schema \"public\" already exists", None),
        ("SHOW nothing", "42704", "unrecognized configuration parameter \"nothing\"", None),
        ("SET nothing = 1", "42704", "unrecognized configuration parameter \"nothing\"", None),
        // Shapes.
        ("INSERT INTO t VALUES (1, 'a', NULL, NULL, 5)", "42601", "INSERT has more expressions than target columns", Some(43)),
        ("INSERT INTO t (id, name) VALUES (1)", "42601", "INSERT has more target columns than expressions", Some(20)),
        ("INSERT INTO t VALUES (1, 'a'), (2)", "42601", "VALUES lists must all be the same length", Some(33)),
        ("INSERT INTO t SELECT 1, 'a', NULL, NULL, 5", "42601", "INSERT has more expressions than target columns", None),
        ("INSERT INTO t (id, id) VALUES (1, 2)", "42701", "column \"id\" specified more than once", Some(20)),
        ("UPDATE t SET name = 'a', name = 'b'", "42601", "multiple assignments to same column \"name\"", Some(26)),
        ("CREATE TABLE u (a int, a int)", "42701", "column \"a\" specified more than once", Some(24)),
        ("CREATE TABLE u (a int PRIMARY KEY, b int PRIMARY KEY)", "42P16", "multiple primary keys for table \"u\" are not allowed", None),
        ("CREATE TABLE u (a int, PRIMARY KEY (b))", "42703", "column \"b\" named in key does not exist", None),
        ("CREATE TABLE u (_row_id int)", "42701", "column name \"_row_id\" conflicts with a system column name", Some(17)),
        // Values.
        ("INSERT INTO t VALUES ('x', 'a')", "22P02", "invalid input syntax for type integer: \"x\"", Some(23)),
        ("INSERT INTO t VALUES (99999999999, 'a')", "22003", "integer out of range", Some(23)),
        ("INSERT INTO t VALUES (1, 'a', 5)", "42804", "column \"d\" is of type date but expression is of type integer", Some(31)),
        ("INSERT INTO t VALUES (true, 'a')", "42804", "column \"id\" is of type integer but expression is of type boolean", Some(23)),
        ("INSERT INTO t VALUES (2, 'a', NULL, 'long')", "22001", "value too long for type character varying(3)", Some(37)),
        ("INSERT INTO t SELECT 2, 'a', 'x'", "22007", "invalid input syntax for type date: \"x\"", None),
        ("INSERT INTO t (id, d) SELECT 2, name FROM t", "42804", "column \"d\" is of type date but expression is of type text", None),
        ("UPDATE t SET id = 'abc' WHERE id = 1", "22P02", "invalid input syntax for type integer: \"abc\"", Some(19)),
        ("SELECT * FROM t WHERE id = 'abc'", "22P02", "invalid input syntax for type integer: \"abc\"", Some(28)),
        // Constraints.
        ("INSERT INTO t VALUES (1, 'again')", "23505", "duplicate key value violates unique constraint \"t_pkey\"", None),
        ("INSERT INTO t VALUES (2, NULL)", "23502", "null value in column \"name\" of relation \"t\" violates not-null constraint", None),
        ("INSERT INTO t (name) VALUES ('x')", "23502", "null value in column \"id\" of relation \"t\" violates not-null constraint", None),
        ("UPDATE t SET name = NULL", "23502", "null value in column \"name\" of relation \"t\" violates not-null constraint", None),
        // What this version lacks.
        ("CREATE INDEX i ON t ((id + random()))", "42P17", "functions in index expression must be marked IMMUTABLE", None),
        ("CREATE INDEX i ON t (name) WHERE id", "42804", "argument of WHERE must be type boolean, not type integer", None),
        ("ALTER TABLE t ALTER COLUMN name TYPE int", "42804", "column \"name\" cannot be cast automatically to type integer", None),
        ("CREATE TABLE u (j xml)", "0A000", "type xml is not supported", Some(17)),
        ("CREATE TABLE u (x nonsense)", "42704", "type \"nonsense\" does not exist", Some(17)),
        ("COPY t FROM '/etc/passwd'", "0A000", "COPY FROM a file or program of the server is not supported", None),
        ("SELECT * FROM otherdb.public.t", "0A000", "a cross-database reference such as otherdb.public.t is not supported", None),
    ];
    let mut wrong = Vec::new();
    for (sql, state, message, position) in cases {
        let found = match client.try_run(sql).await {
            Ok(answer) => format!("answered {answer:?}"),
            Err(error) => format!("{} {} @{:?}", error.state().0, error.message(), error.position()),
        };
        let expected = format!("{state} {message} @{position:?}");
        if found != expected {
            wrong.push(format!("{sql}\n  expected {expected}\n  found    {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn violations_say_which_row_and_key() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL)").await;
    client.run("INSERT INTO t VALUES (1, 'one')").await;
    let error = client.error("INSERT INTO t VALUES (1, 'again')").await;
    let fields: Vec<(u8, &str)> = error.fields().collect();
    assert_eq!(fields, [(b'D', "Key (id)=(1) already exists."), (b's', "public"), (b't', "t"), (b'n', "t_pkey")]);
    let error = client.error("INSERT INTO t VALUES (2, NULL)").await;
    let fields: Vec<(u8, &str)> = error.fields().collect();
    assert_eq!(fields, [(b'D', "Failing row contains (2, null)."), (b's', "public"), (b't', "t"), (b'c', "name")]);
}

#[tokio::test]
async fn parameters_must_be_countable_and_typable() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id int)").await;
    let error = client.prepare("INSERT INTO t VALUES ($2)", &[]).await.unwrap_err();
    assert_eq!((error.state().0, error.message()), ("42P18", "could not determine data type of parameter $1"));
    let prepared = client.prepare("INSERT INTO t VALUES ($1)", &[]).await.unwrap();
    let error = client.0.execute(&prepared, Vec::new()).await.unwrap_err();
    assert_eq!(error.state().0, "08P01");
    assert_eq!(error.message(), "bind message supplies 0 parameters, but prepared statement \"\" requires 1");
    assert_eq!(client.error("INSERT INTO t VALUES ($1)").await.state().0, "42P02");
}
