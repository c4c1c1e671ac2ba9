//! COPY FROM STDIN and TO STDOUT.

use planner::TransactionStatus;

use crate::fixture::Fixture;

#[tokio::test]
async fn text_and_csv_come_in() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id int PRIMARY KEY, name text, age int)").await;
    let text = "1\tAnn\t30\n2\ttab\\there\t\\N\n";
    assert_eq!(client.copy("COPY t FROM STDIN", text).await.unwrap().to_string(), "COPY 2");
    assert_eq!(
        client.copy("COPY t (age, id) FROM STDIN (FORMAT csv, HEADER match)", "age,id\n5,3\n,4").await.unwrap().to_string(),
        "COPY 2"
    );
    assert_eq!(
        client
            .copy("copy public.t from stdin with csv header delimiter ';' null 'nil'", "a;b;c\n5;\"x;y\";nil\n")
            .await
            .unwrap()
            .to_string(),
        "COPY 1"
    );
    assert_eq!(client.lines("SELECT * FROM t ORDER BY id").await, ["1|Ann|30", "2|tab\there|∅", "3|∅|5", "4|∅|∅", "5|x;y|∅"]);
}

#[tokio::test]
async fn bad_data_changes_nothing() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL)").await;
    for (data, state) in [
        ("1\ta\nx\tb\n", "22P02"),
        ("1\ta\n1\tb\n", "23505"),
        ("1\ta\n2\t\\N\n", "23502"),
        ("1\ta\n2\n", "22P04"),
        ("1\ta\n2\tb\tc\n", "22P04"),
    ] {
        assert_eq!(client.copy("COPY t FROM STDIN", data).await.unwrap_err().state().0, state, "{data:?}");
        assert_eq!(client.value("SELECT count(*) FROM t").await, "0");
    }
    let copy = client.copy_in("COPY t FROM STDIN").await.unwrap();
    assert_eq!((copy.column_count(), copy.is_binary()), (2, false));
    let error = client.0.abort_copy(copy, "no more");
    assert_eq!((error.state().0, error.message()), ("57014", "COPY from stdin failed: no more"));
}

#[tokio::test]
async fn a_copy_in_a_block_is_part_of_it() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id int PRIMARY KEY)").await;
    client.run("BEGIN").await;
    client.run("INSERT INTO t VALUES (1)").await;
    client.copy("COPY t FROM STDIN", "2\n3\n").await.unwrap();
    assert_eq!(client.0.status(), TransactionStatus::InTransaction);
    assert_eq!(client.value("SELECT count(*) FROM t").await, "3");
    client.copy("COPY t FROM STDIN", "3\n").await.unwrap_err();
    assert_eq!(client.0.status(), TransactionStatus::Failed);
    client.run("ROLLBACK").await;
    assert_eq!(client.value("SELECT count(*) FROM t").await, "0");
}

#[tokio::test]
async fn many_rows_come_in_and_go_out() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id bigint PRIMARY KEY, name text)").await;
    let data: String = (0..50_000).map(|i| format!("{i}\tname {i}\n")).collect();
    let mut copy = client.copy_in("COPY t FROM STDIN").await.unwrap();
    for piece in data.as_bytes().chunks(65_536) {
        copy.push(piece).unwrap();
    }
    assert_eq!(client.0.finish_copy(copy).await.unwrap().to_string(), "COPY 50000");
    assert_eq!(client.lines("SELECT count(*), sum(id), min(name) FROM t").await, ["50000|1249975000|name 0"]);
    let out = client.run("COPY (SELECT * FROM t WHERE id < 3 ORDER BY id) TO STDOUT WITH (FORMAT csv, HEADER)").await;
    assert_eq!(
        (out.lines(), out.tag.as_str()),
        (vec!["id,name".into(), "0,name 0".into(), "1,name 1".into(), "2,name 2".into()], "COPY 3")
    );
    assert_eq!(client.run("COPY t TO STDOUT").await.tag, "COPY 50000");
    let error = client.copy("COPY t FROM STDIN", "49999\tx\n").await.unwrap_err();
    assert_eq!(error.message(), "duplicate key value violates unique constraint \"t_pkey\"");
}

/// The time is the transaction's, once for all rows, and what is stored is the time and not the word.
#[tokio::test]
async fn words_of_the_clock_are_read_once() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id int PRIMARY KEY, at timestamptz, day date)").await;
    client.run("BEGIN").await;
    client.copy("COPY t FROM STDIN", "1\tnow\ttoday\n2\ttomorrow 12:00\tyesterday\n").await.unwrap();
    client.copy("COPY t FROM STDIN (FORMAT csv)", "3,NOW,tomorrow\n").await.unwrap();
    let insert = client.prepare("INSERT INTO t VALUES ($1, $2, $3)", &[]).await.unwrap();
    client.execute(&insert, &[Some("4"), Some("now"), Some("yesterday")]).await.unwrap();
    let shown = "SELECT id, at = now(), at - current_date = '1 day 12:00', day - current_date FROM t ORDER BY id";
    assert_eq!(client.lines(shown).await, ["1|t|f|0", "2|f|t|-1", "3|t|f|1", "4|t|f|-1"]);
    client.run("COMMIT").await;
    let before = client.lines("SELECT * FROM t ORDER BY id").await;
    client.run("UPDATE t SET day = day WHERE id = 2").await;
    assert_eq!(client.lines("SELECT * FROM t ORDER BY id").await, before);
    assert_eq!(client.copy("COPY t FROM STDIN", "5\tsometime\t\\N\n").await.unwrap_err().state().0, "22007");
}
