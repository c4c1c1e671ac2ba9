//! Lookups by primary key: taken where they mean the same as the query, and only there.

use crate::fixture::{Client, Fixture};

async fn tables(fixture: &Fixture) -> Client {
    let mut client = fixture.session();
    client.run("CREATE TABLE one (id bigint PRIMARY KEY, name text)").await;
    client.run("CREATE TABLE two (a int, b varchar(3), v int, PRIMARY KEY (b, a))").await;
    client.run("CREATE TABLE exact (n numeric(5,1) PRIMARY KEY)").await;
    client
        .run("INSERT INTO one VALUES (1, 'x'), (2, 'y'); INSERT INTO two VALUES (1, 'a', 10), (2, 'a', 20); INSERT INTO exact VALUES (1.5)")
        .await;
    client
}

#[tokio::test]
async fn explain_shows_which_statements_are_lookups() {
    let fixture = Fixture::new();
    let mut client = tables(&fixture).await;
    let lookups = [
        ("SELECT * FROM one WHERE id = 1", "KeyLookup: table=public.one, key=(id)"),
        ("SELECT o.name AS n, o.* FROM one o WHERE (o.id) = (-1)", "KeyLookup: table=public.one, key=(id)"),
        ("SELECT v FROM two WHERE a = 1 AND 'a' = b", "KeyLookup: table=public.two, key=(b, a)"),
        ("SELECT name FROM public.one WHERE id = '1'", "KeyLookup: table=public.one, key=(id)"),
    ];
    for (sql, plan) in lookups {
        assert_eq!(client.lines(&format!("EXPLAIN {sql}")).await, [plan], "{sql}");
    }
    let update = client.lines("EXPLAIN UPDATE one SET name = 'z' WHERE id = 1").await;
    assert_eq!(update, ["Update on public.one", "  KeyLookup: table=public.one, key=(id)"]);
    let delete = client.lines("EXPLAIN DELETE FROM one WHERE id = 1").await;
    assert_eq!(delete, ["Delete on public.one", "  KeyLookup: table=public.one, key=(id)"]);
}

#[tokio::test]
async fn anything_else_is_a_query_with_the_same_answer() {
    let fixture = Fixture::new();
    let mut client = tables(&fixture).await;
    let queries = [
        ("SELECT name FROM one WHERE id = 1.0", vec!["x"]),
        ("SELECT name FROM one WHERE id = 1.5", vec![]),
        ("SELECT name FROM one WHERE id = 1 OR id = 2 ORDER BY id", vec!["x", "y"]),
        ("SELECT name FROM one WHERE id = 1 AND name = 'q'", vec![]),
        ("SELECT upper(name) FROM one WHERE id = 1", vec!["X"]),
        ("SELECT name FROM one WHERE id = 1 LIMIT 0", vec![]),
        ("SELECT count(*) FROM one WHERE id = 1", vec!["1"]),
        ("SELECT v FROM two WHERE a = 1", vec!["10"]),
        ("SELECT v FROM two WHERE a = 1 AND a = 2", vec![]),
        ("SELECT v FROM two WHERE a = 1 AND b = 'abcd'", vec![]),
        ("SELECT v FROM two WHERE a = 99999999999 AND b = 'a'", vec![]),
        ("SELECT n FROM exact WHERE n = 1.54", vec![]),
        ("SELECT n FROM exact WHERE n = 1.50", vec!["1.5"]),
        ("SELECT one._row_id FROM one WHERE id = 2", vec!["1"]),
    ];
    for (sql, lines) in queries {
        assert_eq!(client.lines(sql).await, lines, "{sql}");
    }
}

#[tokio::test]
async fn a_lookup_sees_what_a_scan_sees() {
    let fixture = Fixture::new();
    let mut client = tables(&fixture).await;
    assert!(client.lines("SELECT * FROM one WHERE id = NULL").await.is_empty());
    assert!(client.lines("SELECT * FROM one WHERE id = 3").await.is_empty());
    client.run("BEGIN").await;
    client.run("INSERT INTO one VALUES (3, 'own')").await;
    client.run("UPDATE one SET name = 'changed' WHERE id = 1").await;
    client.run("DELETE FROM one WHERE id = 2").await;
    assert_eq!(client.lines("SELECT name FROM one WHERE id = 1").await, ["changed"]);
    assert!(client.lines("SELECT name FROM one WHERE id = 2").await.is_empty());
    assert_eq!(client.lines("SELECT name FROM one WHERE id = 3").await, ["own"]);
    let mut other = fixture.session();
    assert_eq!(other.lines("SELECT name FROM one WHERE id = 1").await, ["x"]);
    assert!(other.lines("SELECT name FROM one WHERE id = 3").await.is_empty());
    client.run("UPDATE one SET name = 'again', id = 30 WHERE id = 3").await;
    assert!(client.lines("SELECT name FROM one WHERE id = 3").await.is_empty());
    client.run("COMMIT").await;
    assert_eq!(other.lines("SELECT name FROM one WHERE id = 30").await, ["again"]);
}

#[tokio::test]
async fn a_lookup_tells_the_table_and_column_it_reads() {
    let fixture = Fixture::new();
    let mut client = tables(&fixture).await;
    let prepared = client.prepare("SELECT v, b FROM two WHERE a = $1 AND b = $2", &[]).await.unwrap();
    let columns = prepared.columns.clone().unwrap();
    assert_eq!(columns.iter().map(|column| column.column_attnum).collect::<Vec<_>>(), [3, 2]);
    assert!(columns.iter().all(|column| column.table_oid >= 16_384));
    assert_eq!(columns[1].sql_type, engine::SqlType::Varchar(Some(3)));
}
