//! SET, SHOW, RESET, and what a client is told.

use crate::fixture::Fixture;

#[tokio::test]
async fn settings_can_be_shown_set_and_reset() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    assert_eq!(client.value("SHOW application_name").await, "tests");
    assert_eq!(client.value("SHOW search_path").await, "\"$user\", public");
    assert_eq!(client.tag("SET application_name TO 'x y'").await, "SET");
    assert_eq!(client.run("SHOW application_name").await.rows, [["x y"]]);
    assert_eq!(client.tag("RESET application_name").await, "RESET");
    assert_eq!(client.value("SHOW application_name").await, "tests");
    client.run("SET statement_timeout = '2min'").await;
    assert_eq!(client.value("SHOW statement_timeout").await, "2min");
    client.run("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ").await;
    assert_eq!(client.value("SHOW TRANSACTION ISOLATION LEVEL").await, "repeatable read");
    client
        .run("SET TIME ZONE 'UTC'; SET NAMES 'UTF8'; SET extra_float_digits = 3; SET client_encoding = 'utf-8'; SET DateStyle = iso")
        .await;
    assert_eq!(client.value("SHOW time zone").await, "UTC");
    client.run("RESET ALL").await;
    assert_eq!(client.value("SHOW extra_float_digits").await, "1");
    assert!(client.lines("SHOW ALL").await.iter().any(|line| line == "server_encoding|UTF8|"));
    assert_eq!(client.tag("DISCARD ALL").await, "DISCARD ALL");
    assert_eq!(client.tag("DEALLOCATE ALL").await, "DEALLOCATE ALL");
}

#[tokio::test]
async fn values_out_of_range_are_refused() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    for (sql, state) in [
        ("SET client_encoding = 'LATIN1'", "22023"),
        ("SET TimeZone = 'Mars/Phobos'", "22023"),
        ("SET extra_float_digits = 9", "22023"),
        ("SET statement_timeout = 'soon'", "22023"),
        ("SET default_transaction_read_only = perhaps", "22023"),
        ("SET server_version = '16'", "55P02"),
        ("RESET server_version", "55P02"),
        ("SET nothing_at_all = 1", "42704"),
    ] {
        assert_eq!(client.error(sql).await.state().0, state, "{sql}");
    }
}

#[tokio::test]
async fn settings_follow_their_transaction() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("BEGIN").await;
    client.run("SET application_name = 'inside'").await;
    client.run("ROLLBACK").await;
    assert_eq!(client.value("SHOW application_name").await, "tests");
    client.run("BEGIN").await;
    client.run("SET LOCAL application_name = 'local'").await;
    client.run("SET extra_float_digits = 2").await;
    assert_eq!(client.value("SHOW application_name").await, "local");
    client.run("COMMIT").await;
    assert_eq!(client.value("SHOW application_name").await, "tests");
    assert_eq!(client.value("SHOW extra_float_digits").await, "2");
    client.run("SET LOCAL application_name = 'nowhere'").await;
    assert_eq!(client.notices(), ["WARNING 25P01: SET LOCAL can only be used in transaction blocks"]);
    assert_eq!(client.value("SHOW application_name").await, "tests");
}

#[tokio::test]
async fn clients_are_told_once_of_each_change() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    let told = client.0.parameter_status();
    for name in [
        "server_version",
        "server_encoding",
        "client_encoding",
        "DateStyle",
        "IntervalStyle",
        "TimeZone",
        "integer_datetimes",
        "standard_conforming_strings",
        "is_superuser",
        "session_authorization",
        "application_name",
    ] {
        assert!(told.iter().any(|(told, value)| told == name && !value.is_empty()), "{name}");
    }
    assert!(client.0.take_changed_parameters().is_empty());
    client.run("SET application_name = 'new'; SET extra_float_digits = 0").await;
    assert_eq!(client.0.take_changed_parameters(), [("application_name".to_owned(), "new".to_owned())]);
    assert!(client.0.take_changed_parameters().is_empty());
}

#[tokio::test]
async fn session_functions_answer_from_the_session() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    assert_eq!(client.lines("SELECT current_user, current_database(), current_schema()").await, ["shockwave|shockwave|public"]);
    assert!(client.value("SELECT version()").await.starts_with("PostgreSQL 15.0 (Shockwave "));
    assert_eq!(client.run("SELECT 1").await.columns, ["?column?"]);
}

#[tokio::test]
async fn functions_read_and_change_settings() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    assert_eq!(client.value("SELECT current_setting('search_path')").await, "\"$user\", public");
    assert_eq!(client.value("SELECT set_config('application_name', 'x', false)").await, "x");
    assert_eq!(client.value("SHOW application_name").await, "x");
    client.run("CREATE SCHEMA s; CREATE TABLE s.t (i int); INSERT INTO s.t VALUES (7)").await;
    assert_eq!(client.lines("SELECT set_config('search_path', 's', false); SELECT i FROM t").await, ["7"]);
    assert_eq!(client.value("SELECT current_setting('app.user', true)").await, "∅");
    assert_eq!(client.error("SELECT current_setting('app.user')").await.state().0, "42704");
    client.run("BEGIN; SELECT set_config('app.user', 'ann', true)").await;
    assert_eq!(client.value("SELECT current_setting('app.user')").await, "ann");
    client.run("COMMIT").await;
    assert_eq!(client.value("SELECT current_setting('app.user')").await, "");
    assert_eq!(client.error("SELECT set_config('statement_timeout', 'soon', false)").await.state().0, "22023");
    client.run("BEGIN; SELECT set_config('app.user', 'eve', false); ROLLBACK").await;
    assert_eq!(client.value("SHOW app.user").await, "");
}

#[tokio::test]
async fn amounts_and_modes_are_shown_as_postgres_shows_them() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    for (set, name, shown) in [
        ("SET work_mem = 8192", "work_mem", "8MB"),
        ("SET work_mem = '1GB'", "work_mem", "1GB"),
        ("SET lock_timeout = 1500", "lock_timeout", "1500ms"),
        ("SET idle_session_timeout = '1d'", "idle_session_timeout", "1d"),
        ("SET enable_seqscan = fal", "enable_seqscan", "off"),
        ("SET session_replication_role = replica", "session_replication_role", "replica"),
        ("RESET work_mem", "work_mem", "4MB"),
        ("SET default_transaction_deferrable = yes", "default_transaction_deferrable", "on"),
    ] {
        client.run(set).await;
        assert_eq!(client.value(&format!("SHOW {name}")).await, shown, "{set}");
    }
    client.run("BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE").await;
    assert_eq!(client.value("SHOW transaction_isolation").await, "serializable");
    assert_eq!(client.value("SHOW transaction_read_only").await, "on");
    client.run("ROLLBACK; BEGIN NOT DEFERRABLE READ WRITE; SET transaction_isolation = 'repeatable read'").await;
    assert_eq!(client.value("SHOW transaction_isolation").await, "repeatable read");
    client.run("COMMIT").await;
}

#[tokio::test]
async fn notices_below_the_level_asked_for_are_kept_back() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    for (level, notices) in [("notice", 2), ("warning", 1), ("error", 0)] {
        client.run(&format!("SET client_min_messages = {level}")).await;
        client.run("DROP TABLE IF EXISTS nothing").await;
        client.run("COMMIT").await;
        assert_eq!(client.notices().len(), notices, "{level}");
    }
}

/// A session bounds the memory of its own statements, and cannot raise it above the server's limit.
#[tokio::test]
async fn a_session_bounds_the_memory_of_its_statements() {
    let fixture = Fixture::new();
    let (mut client, mut other) = (fixture.session(), fixture.session());
    let grouping = "SELECT count(*) FROM (SELECT n, count(*) FROM generate_series(1, 300000) AS n GROUP BY n) AS groups";
    assert_eq!(client.value("SHOW statement_mem").await, "0");
    assert_eq!(client.value(grouping).await, "300000");
    client.run("SET statement_mem = '1MB'").await;
    assert_eq!(client.value("SHOW statement_mem").await, "1MB");
    let error = client.error(grouping).await;
    assert_eq!((error.state().0, error.message()), ("53200", "out of memory for this query"));
    assert_eq!(other.value(grouping).await, "300000");
    client.run("SET statement_mem = '100GB'").await;
    assert_eq!(client.value(grouping).await, "300000");
    client.run("BEGIN; SET LOCAL statement_mem = 1024").await;
    assert_eq!(client.error(grouping).await.state().0, "53200");
    client.run("ROLLBACK").await;
    assert_eq!(client.value(grouping).await, "300000");
    assert_eq!(client.error("SET statement_mem = 'much'").await.state().0, "22023");
}
