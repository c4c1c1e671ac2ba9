//! DECLARE, FETCH, MOVE, CLOSE: positions, tags and ends as in Postgres.

use engine::SqlType;

use crate::fixture::{Client, Fixture};

async fn numbers(client: &mut Client) {
    client.run("CREATE TABLE n (i int PRIMARY KEY); INSERT INTO n SELECT x FROM generate_series(1, 10) AS x(x)").await;
}

/// What PostgreSQL 15 answers to the same steps.
#[tokio::test]
async fn positions_are_postgres_positions() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    numbers(&mut client).await;
    client.run("BEGIN").await;
    assert_eq!(client.tag("DECLARE c SCROLL CURSOR FOR SELECT i FROM n ORDER BY i").await, "DECLARE CURSOR");
    let steps: [(&str, &[&str], &str); 26] = [
        ("FETCH c", &["1"], "FETCH 1"),
        ("FETCH NEXT FROM c", &["2"], "FETCH 1"),
        ("FETCH 3 FROM c", &["3", "4", "5"], "FETCH 3"),
        ("FETCH 0 FROM c", &["5"], "FETCH 1"),
        ("FETCH PRIOR IN c", &["4"], "FETCH 1"),
        ("FETCH BACKWARD 2 FROM c", &["3", "2"], "FETCH 2"),
        ("FETCH -1 c", &["1"], "FETCH 1"),
        ("FETCH BACKWARD c", &[], "FETCH 0"),
        ("FETCH FORWARD 2 c", &["1", "2"], "FETCH 2"),
        ("FETCH ABSOLUTE 7 c", &["7"], "FETCH 1"),
        ("FETCH RELATIVE -2 c", &["5"], "FETCH 1"),
        ("FETCH RELATIVE 0 c", &["5"], "FETCH 1"),
        ("FETCH LAST c", &["10"], "FETCH 1"),
        ("FETCH c", &[], "FETCH 0"),
        ("FETCH BACKWARD 1 c", &["10"], "FETCH 1"),
        ("FETCH ABSOLUTE -3 c", &["8"], "FETCH 1"),
        ("FETCH FIRST c", &["1"], "FETCH 1"),
        ("MOVE 4 c", &[], "MOVE 4"),
        ("FETCH c", &["6"], "FETCH 1"),
        ("MOVE ALL IN c", &[], "MOVE 4"),
        ("FETCH BACKWARD ALL c", &["10", "9", "8", "7", "6", "5", "4", "3", "2", "1"], "FETCH 10"),
        ("FETCH ABSOLUTE 0 c", &[], "FETCH 0"),
        ("FETCH ALL c", &["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"], "FETCH 10"),
        ("FETCH ABSOLUTE 99 c", &[], "FETCH 0"),
        ("MOVE BACKWARD ALL c", &[], "MOVE 10"),
        ("FETCH FORWARD ALL c", &["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"], "FETCH 10"),
    ];
    for (sql, rows, tag) in steps {
        let answer = client.run(sql).await;
        assert_eq!((answer.lines().as_slice(), answer.tag.as_str()), (rows.map_to_strings().as_slice(), tag), "{sql}");
    }
    assert_eq!(client.tag("CLOSE c").await, "CLOSE CURSOR");
    assert_eq!(client.error("FETCH c").await.state().0, "34000");
}

trait Strings {
    fn map_to_strings(&self) -> Vec<String>;
}

impl Strings for &[&str] {
    fn map_to_strings(&self) -> Vec<String> {
        self.iter().map(|text| (*text).to_owned()).collect()
    }
}

#[tokio::test]
async fn a_cursor_ends_with_its_transaction_unless_held() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    numbers(&mut client).await;
    assert_eq!(client.error("DECLARE c CURSOR FOR SELECT 1").await.state().0, "25P01");
    client.run("BEGIN; DECLARE c CURSOR FOR SELECT i FROM n; DECLARE h CURSOR WITH HOLD FOR SELECT i FROM n ORDER BY i").await;
    client.run("FETCH 2 FROM h").await;
    client.run("DELETE FROM n WHERE i > 5; COMMIT").await;
    assert_eq!(client.error("FETCH c").await.state().0, "34000");
    assert_eq!(client.lines("FETCH 2 FROM h").await, ["3", "4"], "the snapshot of DECLARE");
    assert_eq!(client.tag("MOVE ALL h").await, "MOVE 6");
    assert_eq!(client.tag("CLOSE ALL").await, "CLOSE CURSOR ALL");

    client.run("BEGIN; DECLARE h CURSOR WITH HOLD FOR SELECT i FROM n; ROLLBACK").await;
    assert_eq!(client.error("CLOSE h").await.state().0, "34000");

    client.run("BEGIN; DECLARE a CURSOR FOR SELECT i FROM n ORDER BY 1; SAVEPOINT s; DECLARE b CURSOR FOR SELECT 1").await;
    assert_eq!(client.error("DECLARE a CURSOR FOR SELECT 2").await.state().0, "42P03");
    client.run("ROLLBACK TO s").await;
    assert_eq!(client.lines("FETCH a").await, ["1"]);
    assert_eq!(client.error("FETCH b").await.state().0, "34000");
    client.run("ROLLBACK").await;

    client.run("BEGIN; DECLARE f NO SCROLL CURSOR FOR SELECT i FROM n ORDER BY 1").await;
    client.run("FETCH 3 FROM f").await;
    let refused = client.error("FETCH BACKWARD 1 FROM f").await;
    assert_eq!((refused.state().0, refused.message()), ("55000", "cursor can only scan forward"));
}

#[tokio::test]
async fn prepared_statements_have_names() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    numbers(&mut client).await;
    assert_eq!(client.tag("PREPARE p (int, text) AS SELECT i + $1, $2 FROM n WHERE i <= $1 ORDER BY 1").await, "PREPARE");
    assert_eq!(client.lines("EXECUTE p(2, 'x')").await, ["3|x", "4|x"]);
    assert_eq!(client.lines("EXECUTE p(1 + 1, upper('x'))").await, ["3|X", "4|X"]);
    assert_eq!(client.error("PREPARE p AS SELECT 1").await.state().0, "42P05");
    let few = client.error("EXECUTE p(1)").await;
    assert_eq!((few.state().0, few.message()), ("42601", "wrong number of parameters for prepared statement \"p\""));
    assert_eq!(client.error("EXECUTE p('x', 'y')").await.state().0, "22P02");
    client.run("PREPARE w AS INSERT INTO n VALUES ($1)").await;
    assert_eq!(client.tag("EXECUTE w(11)").await, "INSERT 0 1");
    assert_eq!(client.error("EXECUTE w(11)").await.state().0, "23505");
    client.run("BEGIN; PREPARE t AS SELECT 1; ROLLBACK").await;
    assert_eq!(client.lines("EXECUTE t").await, ["1"], "a name outlives its transaction");
    assert_eq!(client.tag("DEALLOCATE w").await, "DEALLOCATE");
    assert_eq!(client.error("EXECUTE w(12)").await.state().0, "26000");
    assert_eq!(client.tag("DEALLOCATE ALL").await, "DEALLOCATE ALL");
    assert_eq!(client.error("DEALLOCATE p").await.state().0, "26000");
    assert_eq!(client.error("PREPARE q AS CREATE TABLE x (i int)").await.state().0, "42601");
}

#[tokio::test]
async fn notifications_follow_commits() {
    let fixture = Fixture::new();
    let (mut a, mut b) = (fixture.session(), fixture.session());
    let heard = |client: &mut Client| -> Vec<String> {
        client.0.take_notifications().iter().map(|letter| format!("{}:{}", letter.channel, letter.payload)).collect()
    };
    a.run("LISTEN one; LISTEN \"Two\"").await;
    b.run("NOTIFY one, 'x'; NOTIFY Two, 'folded'; NOTIFY \"Two\"").await;
    assert_eq!(heard(&mut a), ["one:x", "Two:"]);
    b.run("CREATE TABLE t (i int PRIMARY KEY)").await;
    b.run("BEGIN; NOTIFY one, '1'; NOTIFY one, '1'; INSERT INTO t VALUES (1); NOTIFY one, '2'").await;
    assert!(heard(&mut a).is_empty());
    b.run("SAVEPOINT s; NOTIFY one, 'gone'; ROLLBACK TO s; COMMIT").await;
    assert_eq!(heard(&mut a), ["one:1", "one:2"]);
    b.run("BEGIN; NOTIFY one, 'never'; LISTEN one; ROLLBACK").await;
    a.run("BEGIN; SELECT pg_notify('one', 'from a function'); COMMIT").await;
    assert_eq!(heard(&mut a), ["one:from a function"], "its own session is included");
    assert!(heard(&mut b).is_empty());
    a.run("UNLISTEN *").await;
    b.run("NOTIFY one").await;
    assert!(heard(&mut a).is_empty());
    assert_eq!(b.error(&format!("NOTIFY one, '{}'", "x".repeat(8_000))).await.state().0, "22023");
    assert_eq!(b.error("SELECT pg_notify('', 'x')").await.state().0, "22023");
}

#[tokio::test]
async fn maintenance_is_taken() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    numbers(&mut client).await;
    for (sql, tag) in [
        ("VACUUM", "VACUUM"),
        ("VACUUM ANALYZE n", "VACUUM"),
        ("VACUUM (FULL, ANALYZE) public.n (i)", "VACUUM"),
        ("ANALYZE", "ANALYZE"),
        ("ANALYZE VERBOSE n, n", "ANALYZE"),
    ] {
        assert_eq!(client.tag(sql).await, tag, "{sql}");
    }
    assert_eq!(client.error("VACUUM nothing").await.state().0, "42P01");
    assert_eq!(client.error("VACUUM n n").await.state().0, "42601");
    client.run("BEGIN").await;
    assert_eq!(client.error("VACUUM n").await.state().0, "25001");
}

/// The parameters of its query are those of the DECLARE: their types are known before they are given, and each DECLARE reads its own.
#[tokio::test]
async fn a_cursor_s_query_has_parameters() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    numbers(&mut client).await;
    let declare = client.prepare("DECLARE c CURSOR FOR SELECT i FROM n WHERE i > $1 AND i < $2 ORDER BY i", &[]).await.unwrap();
    assert_eq!(*declare.parameters, [SqlType::Int4, SqlType::Int4]);
    client.run("BEGIN").await;
    client.execute(&declare, &[Some("3"), Some("6")]).await.unwrap();
    assert_eq!(client.lines("FETCH ALL FROM c").await, ["4", "5"]);
    client.run("CLOSE c").await;
    client.execute(&declare, &[Some("8"), Some("99")]).await.unwrap();
    assert_eq!(client.lines("FETCH ALL FROM c").await, ["9", "10"]);
    client.run("COMMIT").await;
    let series = client.prepare("DECLARE c CURSOR FOR SELECT i FROM generate_series(1, $1::int) AS i", &[]).await.unwrap();
    client.run("BEGIN").await;
    client.execute(&series, &[Some("3")]).await.unwrap();
    assert_eq!(client.lines("FETCH ALL FROM c").await, ["1", "2", "3"]);
}

/// The row that a cursor stands on is found in its newest version, whoever wrote that, and waited for.
#[tokio::test]
async fn the_row_of_a_cursor_is_changed_between_sessions() {
    let fixture = Fixture::new();
    let (mut one, mut other) = (fixture.session(), fixture.session());
    one.run("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 10), (2, 20), (3, 30)").await;
    one.run("BEGIN; DECLARE c CURSOR FOR SELECT n FROM t").await;
    assert_eq!(one.lines("FETCH c").await, ["10"]);
    other.run("UPDATE t SET n = 11 WHERE id = 1").await;
    assert_eq!(one.lines("UPDATE t SET n = n * 2 WHERE CURRENT OF c RETURNING n").await, ["22"]);
    assert_eq!(one.lines("FETCH c").await, ["20"]);
    other.run("DELETE FROM t WHERE id = 2").await;
    assert_eq!(one.tag("UPDATE t SET n = 0 WHERE CURRENT OF c").await, "UPDATE 0");
    assert_eq!(one.lines("FETCH c").await, ["30"]);
    other.run("BEGIN; UPDATE t SET n = 31 WHERE id = 3").await;
    let waiting = tokio::spawn(async move {
        let answer = one.lines("UPDATE t SET n = n + 1 WHERE CURRENT OF c RETURNING n").await;
        (one, answer)
    });
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert!(!waiting.is_finished(), "the row is locked");
    other.run("COMMIT").await;
    let (mut one, answer) = waiting.await.unwrap();
    assert_eq!(answer, ["32"]);
    one.run("COMMIT").await;
    assert_eq!(other.lines("SELECT id, n FROM t ORDER BY id").await, ["1|22", "3|32"]);
}

/// A cursor whose row was written in a part of the block that is undone stands on what was there before.
#[tokio::test]
async fn a_cursor_outlives_a_savepoint() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id int, n int); INSERT INTO t VALUES (1, 10), (2, 20)").await;
    client.run("BEGIN; DECLARE c CURSOR FOR SELECT id FROM t FOR UPDATE; FETCH c; SAVEPOINT s").await;
    client.run("UPDATE t SET n = 11 WHERE CURRENT OF c").await;
    client.run("ROLLBACK TO s").await;
    assert_eq!(client.lines("UPDATE t SET n = n + 5 WHERE CURRENT OF c RETURNING n").await, ["15"]);
    for _ in 0..100 {
        client.run("UPDATE t SET n = n + 1 WHERE CURRENT OF c").await;
    }
    client.run("COMMIT").await;
    assert_eq!(client.lines("SELECT id, n FROM t ORDER BY id").await, ["1|115", "2|20"]);
}
