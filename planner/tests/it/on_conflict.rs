//! INSERT … ON CONFLICT.

use crate::fixture::{Client, Fixture};

async fn stock(fixture: &Fixture) -> Client {
    let mut client = fixture.session();
    client.run("CREATE TABLE stock (sku text PRIMARY KEY, n int, note text)").await;
    client.run("INSERT INTO stock VALUES ('a', 1, 'first'), ('b', 2, NULL)").await;
    client
}

const ALL: &str = "SELECT * FROM stock ORDER BY sku";

#[tokio::test]
async fn taken_keys_are_passed_over() {
    let fixture = Fixture::new();
    let mut client = stock(&fixture).await;
    let insert = "INSERT INTO stock VALUES ('a', 9, 'x'), ('c', 3, 'y'), ('c', 4, 'z') ON CONFLICT DO NOTHING";
    assert_eq!(client.tag(insert).await, "INSERT 0 1");
    assert_eq!(client.lines(ALL).await, ["a|1|first", "b|2|∅", "c|3|y"]);
    let none = client.run("INSERT INTO stock VALUES ('a', 9, 'x') ON CONFLICT (sku) DO NOTHING RETURNING sku").await;
    assert_eq!((none.tag.as_str(), none.rows.len()), ("INSERT 0 0", 0));
}

#[tokio::test]
async fn taken_keys_become_updates() {
    let fixture = Fixture::new();
    let mut client = stock(&fixture).await;
    let upsert = "INSERT INTO stock VALUES ('a', 5, 'new'), ('c', 7, 'c') ON CONFLICT (sku) DO UPDATE SET n = excluded.n, note = 'seen' RETURNING sku, n, note";
    let mut answer = client.lines(upsert).await;
    answer.sort();
    assert_eq!(answer, ["a|5|seen", "c|7|c"]);
    let add = "INSERT INTO stock AS s VALUES ('a', 10, NULL), ('b', 10, NULL) ON CONFLICT ON CONSTRAINT stock_pkey DO UPDATE SET n = s.n + excluded.n WHERE s.note IS NOT NULL";
    assert_eq!(client.tag(add).await, "INSERT 0 1");
    assert_eq!(client.lines(ALL).await, ["a|15|seen", "b|2|∅", "c|7|c"]);
    // Each is a version with its own commit; nothing was overwritten.
    let ops = "SELECT count(*) FROM ledger.receipts WHERE table_name = 'stock' AND op = 'UPDATE'";
    assert_eq!(client.value(ops).await, "2");
}

#[tokio::test]
async fn own_rows_of_the_block_conflict_too_and_parameters_are_typed() {
    let fixture = Fixture::new();
    let mut client = stock(&fixture).await;
    let text = "INSERT INTO stock (sku, n) VALUES ($1, $2) ON CONFLICT (sku) DO UPDATE SET n = stock.n + $2, note = $3";
    let upsert = client.prepare(text, &[]).await.unwrap();
    client.run("BEGIN").await;
    for _ in 0..3 {
        let answer = client.execute(&upsert, &[Some("z"), Some("4"), Some("again")]).await.unwrap();
        assert_eq!(answer.tag, "INSERT 0 1");
    }
    client.run("COMMIT").await;
    assert_eq!(client.lines("SELECT * FROM stock WHERE sku = 'z'").await, ["z|12|again"]);
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_as_postgres_does() {
    let fixture = Fixture::new();
    let mut client = stock(&fixture).await;
    for (clause, state) in [
        ("ON CONFLICT (n) DO NOTHING", "42P10"),
        ("ON CONFLICT (nothing) DO NOTHING", "42703"),
        ("ON CONFLICT ON CONSTRAINT nothing DO NOTHING", "42704"),
        ("ON CONFLICT DO UPDATE SET n = 1", "42601"),
        ("ON CONFLICT (sku) DO UPDATE SET n = n + 1", "42702"),
        ("ON CONFLICT (sku) DO UPDATE SET nothing = 1", "42703"),
    ] {
        let error = client.error(&format!("INSERT INTO stock VALUES ('a', 1, '') {clause}")).await;
        assert_eq!(error.state().0, state, "{clause}: {error}");
    }
    let twice = "INSERT INTO stock VALUES ('q', 1, ''), ('q', 2, '') ON CONFLICT (sku) DO UPDATE SET n = excluded.n";
    assert_eq!(client.error(twice).await.state().0, "21000");
    assert_eq!(client.value("SELECT count(*) FROM stock").await, "2");
}

/// Two sessions that upsert one key never see each other's key as a duplicate.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn racing_upserts_all_count() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE hits (page text PRIMARY KEY, n int)").await;
    let racers: Vec<_> = (0..4)
        .map(|_| {
            let mut session = fixture.session();
            tokio::spawn(async move {
                for _ in 0..25 {
                    session.run("INSERT INTO hits VALUES ('/', 1) ON CONFLICT (page) DO UPDATE SET n = hits.n + 1").await;
                }
            })
        })
        .collect();
    for racer in racers {
        racer.await.unwrap();
    }
    assert_eq!(client.value("SELECT n FROM hits").await, "100");
}
