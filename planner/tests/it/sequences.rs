//! Sequences: as in PostgreSQL 15, and never twice the same value, whatever happens.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::fixture::{Client, Fixture};

#[tokio::test]
async fn they_count_as_their_options_say() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE SEQUENCE s START 5 INCREMENT BY 2 MAXVALUE 9").await;
    assert_eq!(client.error("SELECT currval('s')").await.message(), "currval of sequence \"s\" is not yet defined in this session");
    assert_eq!(client.error("SELECT lastval()").await.state().0, "55000");
    for expected in ["5", "7", "9"] {
        assert_eq!(client.value("SELECT nextval('s')").await, expected);
        assert_eq!(client.value("SELECT currval('s')").await, expected);
        assert_eq!(client.value("SELECT lastval()").await, expected);
    }
    let error = client.error("SELECT nextval('s')").await;
    assert_eq!((error.state().0, error.message()), ("2200H", "nextval: reached maximum value of sequence \"s\" (9)"));
    client.run("CREATE SEQUENCE down INCREMENT -1 MINVALUE -2 MAXVALUE 0 START 0 CYCLE").await;
    assert_eq!(client.lines("SELECT nextval('down') FROM (VALUES (1), (2), (3), (4)) v").await, ["0", "-1", "-2", "0"]);
    assert_eq!(client.value("SELECT setval('s', 5)").await, "5");
    assert_eq!(client.value("SELECT nextval('s')").await, "7");
    assert_eq!(client.value("SELECT setval('s', 7, false)").await, "7");
    assert_eq!(client.value("SELECT nextval('s'::regclass)").await, "7");
    assert_eq!(client.error("SELECT setval('s', 10)").await.state().0, "22003");
    assert_eq!(client.lines("SELECT last_value, is_called FROM s").await, ["7|t"]);
    client.run("ALTER SEQUENCE s RESTART WITH 6 INCREMENT BY 1 MAXVALUE 100").await;
    assert_eq!(client.value("SELECT nextval('s')").await, "6");
    assert_eq!(client.value("SELECT nextval('s')").await, "7");
    assert_eq!(client.error("CREATE SEQUENCE s").await.state().0, "42P07");
    assert_eq!(client.error("CREATE SEQUENCE z MINVALUE 5 MAXVALUE 3").await.message(), "MINVALUE (5) must be less than MAXVALUE (3)");
    assert_eq!(client.error("SELECT nextval('nothing')").await.state().0, "42P01");
    client.run("DROP SEQUENCE s").await;
    assert_eq!(client.error("SELECT nextval('s')").await.state().0, "42P01");
}

#[tokio::test]
async fn serial_columns_draw_from_theirs() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("BEGIN; CREATE TABLE t (id serial PRIMARY KEY, x text); INSERT INTO t (x) VALUES ('a'), ('b'); COMMIT").await;
    client.run("INSERT INTO t (x) SELECT 'q' FROM (VALUES (1), (2)) v").await;
    assert_eq!(client.lines("SELECT id, x FROM t ORDER BY id").await, ["1|a", "2|b", "3|q", "4|q"]);
    assert_eq!(client.value("SELECT currval('t_id_seq')").await, "4");
    assert_eq!(client.copy("COPY t (x) FROM STDIN", "c\nd\n").await.unwrap().to_string(), "COPY 2");
    assert_eq!(client.value("SELECT max(id) FROM t").await, "6");
    // A value that was given to a transaction is not given again when it is undone.
    client.run("BEGIN; INSERT INTO t (x) VALUES ('gone'); ROLLBACK").await;
    assert_eq!(client.value("INSERT INTO t (x) VALUES ('e') RETURNING id").await, "8");
    assert_eq!(
        client.error("DROP SEQUENCE t_id_seq").await.fields().find(|(letter, _)| *letter == b'D').map(|(_, text)| text.to_owned()),
        Some("default value for column id of table t depends on sequence t_id_seq".to_owned())
    );
    assert_eq!(client.value("SELECT pg_get_serial_sequence('t', 'id')").await, "public.t_id_seq");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_value_is_given_twice_to_sessions_at_once() {
    let fixture = Fixture::new();
    fixture.session().run("CREATE SEQUENCE s").await;
    let mut tasks = Vec::new();
    for _ in 0..6 {
        let mut client = fixture.session();
        tasks.push(tokio::spawn(async move {
            let mut got = Vec::new();
            for _ in 0..40 {
                got.push(client.value("SELECT nextval('s')").await.parse::<i64>().unwrap());
            }
            got
        }));
    }
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await.unwrap());
    }
    let distinct: BTreeSet<i64> = all.iter().copied().collect();
    assert_eq!((all.len(), distinct.len(), distinct.last()), (240, 240, Some(&240)), "without a crash there is no gap");
}

/// A server that dies takes its memory with it: what comes back is past every value that was given.
#[tokio::test]
async fn no_value_is_given_twice_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let mut given = BTreeSet::new();
    for round in 0..4 {
        let server = engine::Server::open(folder.path(), engine::Options::real()).unwrap();
        let options = relational::Options { memory_bytes: 64 << 20, run_memory_bytes: 64 << 20, partitions: 1, batch_rows: 8_192 };
        let relational = Arc::new(relational::Relational::new(options).unwrap());
        let database = planner::Database::new(server.ledger("shockwave").unwrap(), relational);
        let mut client = Client(planner::Session::new(database, "shockwave", ""));
        if round == 0 {
            client.run("CREATE SEQUENCE s; CREATE TABLE t (id bigserial PRIMARY KEY, code text UNIQUE)").await;
        }
        for _ in 0..(5 + round * 40) {
            assert!(given.insert(client.value("SELECT nextval('s')").await.parse::<i64>().unwrap()), "a value came twice");
        }
        client.run(&format!("INSERT INTO t (code) VALUES ('r{round}')")).await;
        assert_eq!(client.error("INSERT INTO t (code) VALUES ('r0')").await.state().0, "23505");
        drop(client);
        // Nothing is sealed or written back: the next round reads the log.
        if round % 2 == 0 { server.close_unsealed().unwrap() } else { server.shutdown().unwrap() }
    }
    let gaps = given.last().unwrap() - given.len() as i64;
    assert!(gaps <= 3 * 32, "{gaps} values were lost");
}

/// What a killed process leaves is what the disk holds at that moment: the folder is copied while the server still runs.
#[tokio::test]
async fn no_value_is_given_twice_after_a_kill() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id serial PRIMARY KEY, code text UNIQUE)").await;
    let mut given = BTreeSet::new();
    for i in 0..40 {
        given.insert(client.value(&format!("INSERT INTO t (code) VALUES ('c{i}') RETURNING id")).await.parse::<i64>().unwrap());
    }
    client.run("BEGIN; INSERT INTO t (code) VALUES ('never committed')").await;
    given.insert(client.value("SELECT currval('t_id_seq')").await.parse::<i64>().unwrap());
    let copy = tempfile::tempdir().unwrap();
    let copied = std::process::Command::new("cp").arg("-r").arg(fixture.folder().join("ledgers")).arg(copy.path()).status().unwrap();
    assert!(copied.success());
    let server = engine::Server::open(copy.path(), engine::Options::real()).unwrap();
    let options = relational::Options { memory_bytes: 64 << 20, run_memory_bytes: 64 << 20, partitions: 1, batch_rows: 8_192 };
    let relational = Arc::new(relational::Relational::new(options).unwrap());
    let mut survivor =
        Client(planner::Session::new(planner::Database::new(server.ledger("shockwave").unwrap(), relational), "shockwave", ""));
    assert_eq!(survivor.value("SELECT count(*) FROM t").await, "40");
    for i in 0..40 {
        let value = survivor.value(&format!("INSERT INTO t (code) VALUES ('d{i}') RETURNING id")).await.parse::<i64>().unwrap();
        assert!(given.insert(value), "{value} came twice");
    }
    assert_eq!(survivor.error("INSERT INTO t (code) VALUES ('c7')").await.state().0, "23505");
}
