//! Prepared statements: parameter types, repeated execution, changes underneath.

use engine::SqlType;

use crate::fixture::Fixture;

#[tokio::test]
async fn parameters_take_the_types_of_their_columns() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id bigint PRIMARY KEY, v varchar(5), d date, n numeric(6,2))").await;
    let insert = client.prepare("INSERT INTO t (d, id, v, n) VALUES ($1, $2, 'lit', $3), ('2024-05-05', $4, $5, 1)", &[]).await.unwrap();
    let numeric = SqlType::Numeric { precision: 6, scale: 2 };
    assert_eq!(*insert.parameters, [SqlType::Date, SqlType::Int8, numeric, SqlType::Int8, SqlType::Varchar(Some(5))]);
    assert!(insert.columns.is_none());
    let tag = client.execute(&insert, &[Some("2024-01-01"), Some("1"), None, Some("2"), Some("two")]).await.unwrap().tag;
    assert_eq!(tag, "INSERT 0 2");
    let select = client.prepare("SELECT * FROM t WHERE id = $1", &[]).await.unwrap();
    assert_eq!(*select.parameters, [SqlType::Int8]);
    assert_eq!(client.execute(&select, &[Some("1")]).await.unwrap().lines(), ["1|lit|2024-01-01|∅"]);
    assert_eq!(client.execute(&select, &[Some("2")]).await.unwrap().lines(), ["2|two|2024-05-05|1.00"]);
    assert!(client.execute(&select, &[None]).await.unwrap().rows.is_empty());
    let update = client.prepare("UPDATE t SET v = $2, n = n + $3 WHERE id = $1", &[]).await.unwrap();
    assert_eq!((update.parameters[0], update.parameters[1]), (SqlType::Int8, SqlType::Varchar(Some(5))));
    assert_eq!(client.execute(&update, &[Some("2"), Some("new"), Some("0.25")]).await.unwrap().tag, "UPDATE 1");
    assert_eq!(client.execute(&select, &[Some("2")]).await.unwrap().lines(), ["2|new|2024-05-05|1.25"]);
}

#[tokio::test]
async fn types_the_client_gives_win_and_are_converted() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id bigint PRIMARY KEY, s smallint)").await;
    let insert = client.prepare("INSERT INTO t VALUES ($1, $2)", &[Some(SqlType::Int4), Some(SqlType::Int8)]).await.unwrap();
    assert_eq!(*insert.parameters, [SqlType::Int4, SqlType::Int8]);
    client.execute(&insert, &[Some("7"), Some("3")]).await.unwrap();
    assert_eq!(client.execute(&insert, &[Some("8"), Some("70000")]).await.unwrap_err().state().0, "22003");
    let select = client.prepare("SELECT s FROM t WHERE id = $1", &[Some(SqlType::Int4)]).await.unwrap();
    assert_eq!(client.execute(&select, &[Some("7")]).await.unwrap().lines(), ["3"]);
    let text = client.prepare("INSERT INTO t VALUES ($1)", &[Some(SqlType::Text)]).await;
    let error = match text {
        Err(error) => error,
        Ok(insert) => client.execute(&insert, &[Some("9")]).await.unwrap_err(),
    };
    assert_eq!((error.state().0, error.message()), ("42804", "column \"id\" is of type bigint but expression is of type text"));
}

#[tokio::test]
async fn a_plan_follows_changes_of_the_catalog() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id int PRIMARY KEY, v text)").await;
    let insert = client.prepare("INSERT INTO t VALUES ($1, $2)", &[]).await.unwrap();
    let select = client.prepare("SELECT * FROM t WHERE id = $1", &[]).await.unwrap();
    client.run("DROP TABLE t").await;
    assert_eq!(client.execute(&insert, &[Some("1"), Some("a")]).await.unwrap_err().state().0, "42P01");
    client.run("CREATE TABLE t (id int PRIMARY KEY, v text)").await;
    client.execute(&insert, &[Some("1"), Some("a")]).await.unwrap();
    let error = client.execute(&select, &[Some("1")]).await.unwrap_err();
    assert_eq!(error.message(), "cached plan must not change result type", "the columns' table is another one");
    client.run("CREATE SCHEMA s; CREATE TABLE s.t (id int PRIMARY KEY, v text); SET search_path TO s, public").await;
    client.execute(&insert, &[Some("1"), Some("in s")]).await.unwrap();
    assert_eq!(client.lines("SELECT v FROM s.t").await, ["in s"]);
}

#[tokio::test]
async fn parameters_work_in_general_queries() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id int PRIMARY KEY, v text)").await;
    client.run("INSERT INTO t SELECT x, 'v' || x FROM (VALUES (1), (2), (3)) AS s(x)").await;
    let select = client.prepare("SELECT id FROM t WHERE v > $1 AND id < $2 ORDER BY id", &[]).await.unwrap();
    assert_eq!(*select.parameters, [SqlType::Text, SqlType::Int4]);
    assert_eq!(client.execute(&select, &[Some("v1"), Some("3")]).await.unwrap().lines(), ["2"]);
    let copy = client.prepare("INSERT INTO t SELECT id + $1, $2 FROM t WHERE id = $3", &[]).await.unwrap();
    assert_eq!(client.execute(&copy, &[Some("10"), Some("new"), Some("1")]).await.unwrap().tag, "INSERT 0 1");
    assert_eq!(client.lines("SELECT v FROM t WHERE id = 11").await, ["new"]);
    let returning = client.prepare("DELETE FROM t WHERE id = $1 RETURNING v", &[]).await.unwrap();
    assert_eq!(returning.columns.as_ref().unwrap()[0].name, "v");
    assert_eq!(client.execute(&returning, &[Some("11")]).await.unwrap().lines(), ["new"]);
}

/// As `sqlx` asks what a statement would give: the plan is that of the prepared statement with these values.
#[tokio::test]
async fn explain_execute_shows_the_prepared_statement_s_plan() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id int PRIMARY KEY, v int); PREPARE one AS SELECT v FROM t WHERE id = $1").await;
    assert_eq!(client.lines("EXPLAIN EXECUTE one(7)").await, client.lines("EXPLAIN SELECT v FROM t WHERE id = 7").await);
    client.run("PREPARE many AS SELECT v FROM t WHERE v > $1").await;
    let json = client.value("EXPLAIN (VERBOSE, FORMAT JSON) EXECUTE many(NULL)").await;
    assert!(json.trim_start().starts_with('[') && json.contains("\"Plan\""), "{json}");
    assert_eq!(client.error("EXPLAIN EXECUTE many").await.state().0, "42601");
    assert_eq!(client.error("EXPLAIN EXECUTE none(1)").await.state().0, "26000");
    client.run("PREPARE put AS INSERT INTO t VALUES ($1, 1)").await;
    client.run("EXPLAIN EXECUTE put(3)").await;
    assert_eq!(client.value("SELECT count(*) FROM t").await, "0");
    client.run("EXPLAIN ANALYZE EXECUTE put(3)").await;
    assert_eq!(client.value("SELECT count(*) FROM t").await, "1");
}
