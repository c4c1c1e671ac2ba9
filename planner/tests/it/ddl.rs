//! CREATE and DROP of schemas and tables.

use crate::fixture::Fixture;

#[tokio::test]
async fn a_table_is_created_filled_and_dropped() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    assert_eq!(client.tag("CREATE TABLE t (id bigint PRIMARY KEY, name text NOT NULL, price numeric(10,2))").await, "CREATE TABLE");
    assert_eq!(client.tag("INSERT INTO t VALUES (1, 'one', 1.5)").await, "INSERT 0 1");
    assert_eq!(client.lines("SELECT * FROM t").await, ["1|one|1.50"]);
    assert_eq!(client.tag("DROP TABLE t").await, "DROP TABLE");
    assert_eq!(client.error("SELECT * FROM t").await.state().0, "42P01");
    assert_eq!(client.tag("CREATE TABLE t (other date)").await, "CREATE TABLE");
    assert!(client.lines("SELECT * FROM t").await.is_empty(), "a new table of an old name starts empty");
}

#[tokio::test]
async fn if_exists_and_if_not_exists_only_notice() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id int)").await;
    client.run("CREATE TABLE IF NOT EXISTS t (id int)").await;
    client.run("DROP TABLE IF EXISTS nothing, t").await;
    client.run("CREATE SCHEMA IF NOT EXISTS public").await;
    client.run("DROP SCHEMA IF EXISTS nowhere").await;
    assert_eq!(
        client.notices(),
        [
            "NOTICE 42P07: relation \"t\" already exists, skipping",
            "NOTICE 00000: table \"nothing\" does not exist, skipping",
            "NOTICE 42P06: schema \"public\" already exists, skipping",
            "NOTICE 3F000: schema \"nowhere\" does not exist, skipping",
        ]
    );
}

#[tokio::test]
async fn schemas_hold_tables_of_the_same_name() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE SCHEMA a; CREATE SCHEMA b; CREATE TABLE a.t (x int); CREATE TABLE b.t (x int)").await;
    client.run("INSERT INTO a.t VALUES (1); INSERT INTO b.t VALUES (2)").await;
    client.run("SET search_path TO b, a").await;
    assert_eq!(client.value("SELECT x FROM t").await, "2");
    assert_eq!(client.value("SELECT x FROM shockwave.a.t").await, "1");
    assert_eq!(client.error("DROP SCHEMA a").await.state().0, "2BP01");
    client.run("DROP SCHEMA a CASCADE").await;
    assert_eq!(client.notices(), ["NOTICE 00000: drop cascades to table a.t"]);
    assert_eq!(client.error("SELECT x FROM a.t").await.message(), "relation \"a.t\" does not exist");
}

#[tokio::test]
async fn names_fold_to_lower_case_unless_quoted() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE Mixed (Id int PRIMARY KEY, \"Name\" text)").await;
    client.run("INSERT INTO MIXED (ID, \"Name\") VALUES (1, 'x')").await;
    assert_eq!(client.run("SELECT iD, \"Name\" FROM mixed WHERE ID = 1").await.columns, ["id", "Name"]);
    assert_eq!(client.error("SELECT name FROM mixed").await.state().0, "42703");
    client.run("CREATE TABLE \"Mixed\" (id int)").await;
    assert_eq!(client.error("CREATE TABLE \"Mixed\" (id int)").await.message(), "relation \"Mixed\" already exists");
}

#[tokio::test]
async fn every_type_is_kept() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client
        .run(
            "CREATE TABLE t (a boolean, b int2, c int4, d int8, e float4, f float8, g numeric(38,10), h text, i varchar(3), j bytea, k date, \
             l timestamp, m timestamptz, n decimal(5), o character varying, p double precision, q real, r smallint, s numeric)",
        )
        .await;
    client
        .run(
            "INSERT INTO t VALUES (true, 1, -2, 3, 1.5, 2.25, 12345678901234567890.5, 'h', 'abc', '\\x00ff', '2024-02-29', \
             '2024-01-02 03:04:05.678', '2024-01-02 03:04:05+02', 99999, 'o', 1e300, '-0', 7, 0.1)",
        )
        .await;
    assert_eq!(
        client.lines("SELECT * FROM t").await,
        [
            "t|1|-2|3|1.5|2.25|12345678901234567890.5000000000|h|abc|\\x00ff|2024-02-29|2024-01-02 03:04:05.678|2024-01-02 01:04:05+00|99999|o|1e+300|-0|7|0.1"
        ]
    );
}

#[tokio::test]
async fn definitions_roll_back_with_their_transaction() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("BEGIN").await;
    client.run("CREATE SCHEMA s").await;
    client.run("CREATE TABLE s.t (x int)").await;
    client.run("INSERT INTO s.t VALUES (1)").await;
    assert_eq!(client.value("SELECT x FROM s.t").await, "1");
    assert_eq!(fixture.session().error("SELECT x FROM s.t").await.state().0, "42P01");
    client.run("ROLLBACK").await;
    assert_eq!(client.error("SELECT x FROM s.t").await.state().0, "42P01");
    client.run("CREATE SCHEMA s; CREATE TABLE s.t (x int)").await;
    client.run("BEGIN; DROP TABLE s.t").await;
    client.run("ROLLBACK").await;
    assert!(client.lines("SELECT x FROM s.t").await.is_empty());
}

#[tokio::test]
async fn definitions_outlive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..3 {
        let server = engine::Server::open(folder.path(), engine::Options::real()).unwrap();
        let options = relational::Options { memory_bytes: 64 << 20, run_memory_bytes: 64 << 20, partitions: 1, batch_rows: 8_192 };
        let relational = std::sync::Arc::new(relational::Relational::new(options).unwrap());
        let database = planner::Database::new(server.ledger("shockwave").unwrap(), relational);
        let mut client = crate::fixture::Client(planner::Session::new(database, "shockwave", ""));
        if round == 0 {
            client.run("CREATE TABLE t (id int PRIMARY KEY)").await;
        }
        client.run(&format!("INSERT INTO t VALUES ({round})")).await;
        assert_eq!(client.value("SELECT count(*) FROM t").await, (round + 1).to_string());
        assert_eq!(client.error("INSERT INTO t VALUES (0)").await.state().0, "23505");
        drop(client);
        server.shutdown().unwrap();
    }
}
