//! The schema `ledger`: readable, never written, never shadowed; receipts in SQL.

use crate::fixture::Fixture;

#[tokio::test]
async fn commits_and_receipts_can_be_queried() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id int PRIMARY KEY, name text)").await;
    client.run("INSERT INTO t VALUES (1, 'a'), (2, 'b')").await;
    assert!(client.value("SELECT count(*) FROM ledger.commits").await.parse::<u64>().unwrap() >= 2);
    let actor = client.value("SELECT actor FROM ledger.commits ORDER BY commit_seq DESC LIMIT 1").await;
    assert_eq!(actor, "shockwave");
    for table in ["receipts", "checkpoints", "keys", "segments", "catalog"] {
        client.run(&format!("SELECT * FROM ledger.{table}")).await;
    }
    let row = client
        .lines("SELECT commit_seq, name FROM ledger.commits c JOIN ledger.catalog k ON k.kind = 'table' WHERE k.name = 't' LIMIT 1")
        .await;
    assert_eq!(row.len(), 1);
}

#[tokio::test]
async fn receipts_come_as_text() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    assert_eq!(client.value("SHOW ledger.last_receipt").await, "∅");
    client.run("CREATE TABLE t (id int PRIMARY KEY, name text)").await;
    client.run("INSERT INTO t VALUES (1, 'a'), (2, 'b')").await;
    let last = client.value("SHOW ledger.last_receipt").await;
    assert!(last.starts_with("c2sp.org/tlog-proof@v1\n"), "{last}");
    let seq = client.value("SELECT max(commit_seq) FROM ledger.commits").await;
    let row = client.value(&format!("SELECT ledger_receipt({seq}, 1)")).await;
    assert!(row.starts_with("c2sp.org/tlog-proof@v1\nextra "), "{row}");
    let rows = client.lines(&format!("SELECT ledger_receipt(commit_seq, 0) FROM ledger.commits WHERE commit_seq = {seq}")).await;
    assert_eq!(rows.len(), 1);
    let proof = client.lines("SELECT ledger_consistency(min(size), max(size)) FROM ledger.checkpoints").await;
    assert!(!proof[0].is_empty());
    assert!(client.try_run("SELECT ledger_receipt(999999)").await.is_err());
    assert_eq!(client.error("SELECT ledger_receipt(-1)").await.state().0, "22023");
}

#[tokio::test]
async fn disclosures_json_cose_and_exports_come_from_sql() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id int PRIMARY KEY, name text, secret text)").await;
    client.run("INSERT INTO t VALUES (1, 'a', 'one'), (2, 'b', 'two')").await;
    client.run("UPDATE t SET name = 'c' WHERE id = 2").await;
    let keys: String = fixture.database.ledger().verifier_keys().iter().map(|key| format!("log {key}\n")).collect();
    let policy = receipts::Policy::parse(format!("{keys}quorum none\n").as_bytes()).unwrap();
    let of_t = "FROM ledger.receipts WHERE table_name = 't'";
    let text = client.value(&format!("SELECT ledger_disclose(array_agg(commit_seq), array_agg(row), ARRAY['name', 'id']) {of_t}")).await;
    let verdict = receipts::verify_disclosure(text.as_bytes(), &policy);
    assert_eq!(verdict.exit_code(), 0, "{verdict}");
    let said = verdict.to_string();
    assert!(said.contains("3 rows of 2 commits") && said.contains("name   = \"c\"") && said.contains("secret = (hidden)"), "{said}");
    let token =
        client.value(&format!("SELECT ledger_disclose_sd_jwt(array_agg(commit_seq), array_agg(row), ARRAY['name', 'id']) {of_t}")).await;
    let verdict = receipts::verify_disclosure(token.as_bytes(), &policy);
    assert_eq!(verdict.exit_code(), 0, "{verdict}");
    let same = verdict.to_string();
    assert!(same.contains("6 SD-JWT disclosures") && same.contains("name   = \"c\"") && same.contains("secret = (hidden)"), "{same}");
    client.run("CREATE TABLE odd (id int PRIMARY KEY, _sd int)").await;
    client.run("INSERT INTO odd VALUES (1, 2)").await;
    let of_odd = "FROM ledger.receipts WHERE table_name = 'odd'";
    let error = client.error(&format!("SELECT ledger_disclose_sd_jwt(array_agg(commit_seq), array_agg(row), ARRAY['_sd']) {of_odd}")).await;
    assert_eq!(error.state().0, "22023", "{error}");
    let place = client.lines(&format!("SELECT commit_seq, row {of_t} AND op = 'UPDATE'")).await.remove(0);
    let (seq, row) = place.split_once('|').unwrap();
    let json: serde_json::Value = serde_json::from_str(&client.value(&format!("SELECT ledger_receipt_json({seq}, {row})")).await).unwrap();
    assert_eq!(json["row"]["fields"][1]["value"], "c");
    let hex = client.value(&format!("SELECT encode(ledger_receipt_cose({seq}, {row}), 'hex')")).await;
    let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
    assert_eq!(receipts::verify_receipt(&bytes, &policy).exit_code(), 0);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("export");
    let said = client.value(&format!("SELECT ledger_export('{}')", path.display())).await;
    assert!(said.starts_with("commits 0 to "), "{said}");
    let io: std::sync::Arc<dyn base::Io> = std::sync::Arc::new(base::RealIo);
    let verdict = engine::fsck::check_export(&io, &path, None, &policy);
    assert_eq!(verdict.exit_code(), 0, "{verdict}");
    let copies = folder.path().join("backup");
    let said = client.value(&format!("SELECT ledger_backup('{}')", copies.display())).await;
    assert!(said.starts_with("database shockwave: commits 0 to ") && said.ends_with(" without private keys"), "{said}");
    let said = client.value(&format!("SELECT ledger_backup('{}', true)", copies.display())).await;
    assert!(said.ends_with(" kept, with private keys"), "{said}");
    assert_eq!(engine::restore::check(&engine::Options::real(), &copies).unwrap().len(), 1);
    let scrubbed = client.value("SELECT ledger_scrub()").await;
    assert!(scrubbed.ends_with(" bytes, 0 damaged"), "{scrubbed}");
    assert_eq!(client.lines("SELECT round, ended_at >= begun_at, damages FROM ledger.scrubs").await, ["1|t|0"]);
    assert_eq!(client.value("SELECT count(*) FROM ledger.damages").await, "0");
    for (sql, state) in [
        (format!("SELECT ledger_export('{}')", path.display()), "55000"),
        (format!("SELECT ledger_export('{}', 5, 5)", folder.path().join("none").display()), "22023"),
        ("SELECT ledger_backup('copies')".to_owned(), "42602"),
        (format!("SELECT ledger_backup('{}')", fixture.database.ledger().folder().parent().unwrap().parent().unwrap().display()), "55000"),
        (format!("SELECT ledger_disclose(ARRAY[{seq}], ARRAY[{row}], ARRAY['nam'])"), "42703"),
        (format!("SELECT ledger_disclose(ARRAY[{seq}, 0], ARRAY[{row}], ARRAY['name'])"), "22023"),
    ] {
        assert_eq!(client.error(&sql).await.state().0, state, "{sql}");
    }
}

#[tokio::test]
async fn nobody_writes_or_shadows_the_ledger() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    for (sql, state) in [
        ("INSERT INTO ledger.catalog VALUES (1, 'table', 'x', '{}')", "42501"),
        ("UPDATE ledger.commits SET actor = 'nobody'", "42501"),
        ("DELETE FROM ledger.segments", "42501"),
        ("DROP TABLE ledger.catalog", "42501"),
        ("COPY ledger.catalog FROM STDIN", "42501"),
        ("CREATE TABLE ledger.mine (x int)", "42501"),
        ("CREATE SCHEMA ledger", "42939"),
        ("CREATE SCHEMA pg_mine", "42939"),
        ("DROP SCHEMA ledger CASCADE", "2BP01"),
        ("SELECT * FROM commits", "42P01"),
        ("SELECT * FROM ledger.nothing", "42P01"),
    ] {
        assert_eq!(client.error(sql).await.state().0, state, "{sql}");
    }
    client.run("SET search_path TO ledger, public").await;
    assert_eq!(client.error("SELECT * FROM commits").await.state().0, "42P01", "the search path does not reach the ledger");
    client.run("CREATE TABLE commits (x int)").await;
    client.run("INSERT INTO commits VALUES (7)").await;
    assert_eq!(client.value("SELECT x FROM commits").await, "7");
    assert_eq!(client.value("SELECT count(*) FROM ledger.commits WHERE actor = 'nobody'").await, "0");
}
