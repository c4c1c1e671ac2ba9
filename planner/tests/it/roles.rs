//! Roles and grants: who may do what, in the words of PostgreSQL 15.

use crate::fixture::{as_role, prepared, refused};

#[tokio::test]
async fn what_is_not_granted_is_denied() {
    let (fixture, mut root) = prepared(&[
        "CREATE TABLE t (id int PRIMARY KEY, a int, s text)",
        "INSERT INTO t VALUES (1, 10, 'x'), (2, 20, 'y')",
        "CREATE TABLE u (id int PRIMARY KEY)",
        "CREATE SCHEMA app",
        "CREATE TABLE app.v (id int)",
        "CREATE ROLE ada LOGIN",
    ])
    .await;
    let mut ada = as_role(&fixture, "ada");
    for (sql, what) in [
        ("SELECT * FROM t", "table t"),
        ("SELECT id FROM t WHERE id = 1", "table t"),
        ("SELECT 1 FROM u CROSS JOIN t", "table u"),
        ("SELECT (SELECT max(a) FROM t)", "table t"),
        ("WITH x AS (SELECT a FROM t) SELECT count(*) FROM x", "table t"),
        ("SELECT 1 WHERE EXISTS (SELECT 1 FROM t)", "table t"),
        ("COPY t TO STDOUT", "table t"),
        ("COPY (SELECT a FROM t) TO STDOUT", "table t"),
        ("EXPLAIN SELECT * FROM t", "table t"),
        ("INSERT INTO t VALUES (3, 3, 'z')", "table t"),
        ("INSERT INTO u SELECT 1", "table u"),
        ("UPDATE t SET a = 1", "table t"),
        ("UPDATE t SET a = 1 WHERE id = 1", "table t"),
        ("DELETE FROM t", "table t"),
        ("TRUNCATE t", "table t"),
        ("COPY t FROM STDIN", "table t"),
        ("CREATE TABLE x (a int)", "schema public"),
        ("CREATE SCHEMA x", "database shockwave"),
        ("SELECT * FROM app.v", "schema app"),
        ("SELECT * FROM ledger.commits", "table commits"),
        ("SELECT * FROM ledger.catalog", "table catalog"),
        ("SELECT object_id FROM ledger.catalog WHERE object_id = 10", "table catalog"),
        ("SELECT * FROM pg_authid", "table pg_authid"),
    ] {
        refused(&mut ada, sql, "42501", &format!("permission denied for {what}")).await;
    }
    refused(&mut ada, "DROP TABLE t", "42501", "must be owner of table t").await;
    refused(&mut ada, "DROP SCHEMA app", "42501", "must be owner of schema app").await;
    refused(&mut ada, "CREATE ROLE bob", "42501", "permission denied to create role").await;
    // What is granted counts from the next statement on, also for a statement that was prepared before.
    let select = ada.prepare("SELECT a FROM t WHERE id = 1", &[]).await.unwrap();
    let state = |outcome: Result<planner::Outcome, base::SqlError>| outcome.err().map(|error| error.state().0);
    assert_eq!(state(ada.0.execute(&select, Vec::new()).await), Some("42501"));
    root.run("GRANT SELECT ON t TO ada").await;
    assert_eq!(state(ada.0.execute(&select, Vec::new()).await), None);
    assert_eq!(ada.lines("SELECT * FROM t ORDER BY id").await, ["1|10|x", "2|20|y"]);
    root.run("REVOKE SELECT ON t FROM ada").await;
    assert_eq!(state(ada.0.execute(&select, Vec::new()).await), Some("42501"));
    refused(&mut ada, "SELECT * FROM t", "42501", "permission denied for table t").await;
}

#[tokio::test]
async fn writing_needs_what_it_writes_and_what_it_mentions() {
    let (fixture, mut root) = prepared(&[
        "CREATE TABLE t (id int PRIMARY KEY, a int, s text)",
        "INSERT INTO t VALUES (1, 10, 'x'), (2, 20, 'y')",
        "CREATE ROLE ada LOGIN",
    ])
    .await;
    let mut ada = as_role(&fixture, "ada");
    let denied = "permission denied for table t";
    root.run("GRANT INSERT ON t TO ada").await;
    ada.run("INSERT INTO t VALUES (3, 30, 'z')").await;
    ada.run("INSERT INTO t VALUES (3, 30, 'z') ON CONFLICT DO NOTHING").await;
    refused(&mut ada, "INSERT INTO t VALUES (4, 4, 'q') RETURNING id", "42501", denied).await;
    refused(&mut ada, "INSERT INTO t VALUES (4, 4, 'q') ON CONFLICT (id) DO NOTHING", "42501", denied).await;
    refused(&mut ada, "INSERT INTO t VALUES (1, 1, 'q') ON CONFLICT (id) DO UPDATE SET a = 1", "42501", denied).await;
    refused(&mut ada, "INSERT INTO t SELECT id + 100, a, s FROM t", "42501", denied).await;
    root.run("GRANT UPDATE (a) ON t TO ada").await;
    assert_eq!(ada.tag("UPDATE t SET a = 5").await, "UPDATE 3");
    refused(&mut ada, "UPDATE t SET a = 5 WHERE id = 1", "42501", denied).await;
    refused(&mut ada, "UPDATE t SET a = a + 1", "42501", denied).await;
    refused(&mut ada, "UPDATE t SET s = 'q'", "42501", denied).await;
    refused(&mut ada, "UPDATE t SET a = 1 RETURNING *", "42501", denied).await;
    refused(&mut ada, "UPDATE t SET a = (SELECT max(x.a) FROM t x)", "42501", denied).await;
    refused(&mut ada, "WITH d AS (UPDATE t SET a = 1 RETURNING 1) SELECT * FROM t", "42501", denied).await;
    root.run("GRANT SELECT (id) ON t TO ada").await;
    assert_eq!(ada.tag("UPDATE t SET a = 6 WHERE id = 1").await, "UPDATE 1");
    assert_eq!(ada.tag("UPDATE t SET a = 6 WHERE id > 1").await, "UPDATE 2");
    refused(&mut ada, "DELETE FROM t WHERE id = 1", "42501", denied).await;
    root.run("GRANT DELETE ON t TO ada").await;
    refused(&mut ada, "DELETE FROM t WHERE a = 6", "42501", denied).await;
    assert_eq!(ada.tag("DELETE FROM t WHERE id = 1").await, "DELETE 1");
    assert_eq!(ada.tag("DELETE FROM t").await, "DELETE 2");
}

#[tokio::test]
async fn columns_are_granted_one_by_one() {
    let (fixture, _root) = prepared(&[
        "CREATE TABLE t (id int PRIMARY KEY, a int, secret text)",
        "INSERT INTO t VALUES (1, 10, 'x')",
        "CREATE ROLE ada LOGIN",
        "GRANT SELECT (id, a), INSERT (id, a) ON t TO ada",
    ])
    .await;
    let mut ada = as_role(&fixture, "ada");
    let denied = "permission denied for table t";
    assert_eq!(ada.lines("SELECT id, a FROM t").await, ["1|10"]);
    assert_eq!(ada.lines("SELECT a FROM t WHERE id = 1").await, ["10"]);
    assert_eq!(ada.lines("SELECT count(*) FROM t").await, ["1"]);
    for sql in [
        "SELECT * FROM t",
        "SELECT secret FROM t",
        "SELECT id, secret FROM t WHERE id = 1",
        "SELECT id FROM t WHERE secret = 'x'",
        "SELECT id FROM t ORDER BY secret",
        "SELECT max(length(secret)) FROM t",
        "SELECT x.id FROM t x JOIN t y ON x.secret = y.secret",
        "SELECT t FROM t",
        "COPY t TO STDOUT",
        "INSERT INTO t VALUES (2, 2, 'y')",
        "COPY t FROM STDIN",
    ] {
        let error = ada.error(sql).await;
        assert!(error.state().0 == "42501" && error.message() == denied || sql == "SELECT t FROM t", "{sql}: {error}");
    }
    ada.run("INSERT INTO t (id, a) VALUES (2, 2)").await;
    assert_eq!(ada.lines("COPY t (id, a) TO STDOUT").await.len(), 2);
}

#[tokio::test]
async fn roles_are_joined_inherited_and_assumed() {
    let (fixture, mut root) = prepared(&[
        "CREATE TABLE t (id int)",
        "CREATE ROLE readers",
        "CREATE ROLE ada LOGIN IN ROLE readers",
        "CREATE ROLE bob LOGIN NOINHERIT IN ROLE readers",
        "GRANT SELECT ON t TO readers",
    ])
    .await;
    let (mut ada, mut bob) = (as_role(&fixture, "ada"), as_role(&fixture, "bob"));
    ada.run("SELECT * FROM t").await;
    refused(&mut bob, "SELECT * FROM t", "42501", "permission denied for table t").await;
    bob.run("SET ROLE readers").await;
    assert_eq!(bob.lines("SELECT current_user, session_user").await, ["readers|bob"]);
    bob.run("SELECT * FROM t").await;
    bob.run("RESET ROLE").await;
    refused(&mut bob, "SELECT * FROM t", "42501", "permission denied for table t").await;
    bob.run("BEGIN; SET LOCAL ROLE readers; SELECT * FROM t; COMMIT").await;
    assert_eq!(bob.value("SELECT current_user").await, "bob");
    refused(&mut bob, "SET ROLE ada", "42501", "permission denied to set role \"ada\"").await;
    refused(&mut bob, "SET ROLE nobody", "22023", "role \"nobody\" does not exist").await;
    refused(&mut bob, "SET SESSION AUTHORIZATION ada", "42501", "permission denied to set session authorization").await;
    assert_eq!(bob.error("SET ROLE shockwave").await.state().0, "42501");
    drop(bob.try_run("SELECT set_config('role', 'shockwave', false)").await);
    assert_eq!(bob.value("SELECT current_user").await, "bob");
    root.run("SET SESSION AUTHORIZATION bob").await;
    assert_eq!(root.lines("SELECT current_user, session_user").await, ["bob|bob"]);
    refused(&mut root, "SELECT * FROM t", "42501", "permission denied for table t").await;
    root.run("RESET SESSION AUTHORIZATION").await;
    root.run("BEGIN; SET ROLE ada; ROLLBACK").await;
    assert_eq!(root.value("SELECT current_user").await, "shockwave");
    refused(&mut root, "GRANT ada TO readers", "0LP01", "role \"ada\" is a member of role \"readers\"").await;
    root.run("REVOKE readers FROM ada").await;
    refused(&mut ada, "SELECT * FROM t", "42501", "permission denied for table t").await;
}

#[tokio::test]
async fn owners_grant_and_grants_are_passed_on() {
    let (fixture, mut root) =
        prepared(&["CREATE ROLE ada LOGIN", "CREATE ROLE bob LOGIN", "CREATE ROLE eve LOGIN", "CREATE SCHEMA app AUTHORIZATION ada"]).await;
    let (mut ada, mut bob, mut eve) = (as_role(&fixture, "ada"), as_role(&fixture, "bob"), as_role(&fixture, "eve"));
    ada.run("CREATE TABLE app.t (id int)").await;
    ada.run("GRANT USAGE ON SCHEMA app TO PUBLIC").await;
    ada.run("GRANT SELECT ON app.t TO bob WITH GRANT OPTION").await;
    bob.run("GRANT SELECT ON app.t TO eve").await;
    eve.run("SELECT * FROM app.t").await;
    assert_eq!(root.value("SELECT relacl FROM pg_class WHERE relname = 't'").await, "{ada=arwdDxt/ada,bob=r*/ada,eve=r/bob}");
    // Who has some privilege and may pass on none is told so, and nothing is granted.
    eve.run("GRANT INSERT ON app.t TO bob").await;
    let notices = eve.0.take_notices();
    assert_eq!(notices[0].message, "no privileges were granted for \"t\"");
    refused(&mut bob, "INSERT INTO app.t VALUES (1)", "42501", "permission denied for table t").await;
    root.run("CREATE ROLE mallory LOGIN").await;
    let mut mallory = as_role(&fixture, "mallory");
    refused(&mut mallory, "GRANT SELECT ON app.t TO mallory", "42501", "permission denied for table t").await;
    refused(&mut ada, "REVOKE SELECT ON app.t FROM bob", "2BP01", "dependent privileges exist").await;
    ada.run("REVOKE SELECT ON app.t FROM bob CASCADE").await;
    refused(&mut eve, "SELECT * FROM app.t", "42501", "permission denied for table t").await;
    refused(&mut root, "GRANT SELECT ON app.t TO PUBLIC WITH GRANT OPTION", "0LP01", "grant options can only be granted to roles").await;
    refused(&mut root, "GRANT USAGE ON app.t TO bob", "0LP01", "invalid privilege type USAGE for table").await;
    refused(&mut root, "GRANT DELETE (id) ON app.t TO bob", "0LP01", "invalid privilege type DELETE for column").await;
    refused(&mut root, "GRANT SELECT (x) ON app.t TO bob", "42703", "column \"x\" of relation \"t\" does not exist").await;
    refused(&mut root, "GRANT SELECT ON app.t TO nobody", "42704", "role \"nobody\" does not exist").await;
    let error = root.error("DROP ROLE ada").await;
    assert_eq!(error.message(), "role \"ada\" cannot be dropped because some objects depend on it");
    root.run("REASSIGN OWNED BY ada TO bob").await;
    root.run("DROP OWNED BY ada").await;
    root.run("DROP ROLE ada").await;
    bob.run("INSERT INTO app.t VALUES (1)").await;
    // A catalog of roles comes back from its rows alone.
    assert_eq!(root.lines("SELECT rolname FROM pg_roles WHERE oid >= 16384 ORDER BY 1").await, ["bob", "eve", "mallory"]);
}

#[tokio::test]
async fn roles_are_made_and_changed_by_those_who_may() {
    let (fixture, mut root) = prepared(&["CREATE ROLE maker LOGIN CREATEROLE", "CREATE ROLE boss SUPERUSER LOGIN"]).await;
    let mut maker = as_role(&fixture, "maker");
    maker.run("CREATE USER ada PASSWORD 'x' VALID UNTIL '2030-01-01' CONNECTION LIMIT 3").await;
    for (sql, state, message) in [
        ("CREATE ROLE s SUPERUSER", "42501", "must be superuser to create superusers"),
        ("ALTER ROLE boss NOLOGIN", "42501", "must be superuser to alter superuser roles or change superuser attribute"),
        ("DROP ROLE boss", "42501", "must be superuser to drop superusers"),
        ("CREATE ROLE ada", "42710", "role \"ada\" already exists"),
        ("CREATE ROLE pg_x", "42939", "role name \"pg_x\" is reserved"),
        ("CREATE ROLE public", "42939", "role name \"public\" is reserved"),
        ("DROP ROLE nobody", "42704", "role \"nobody\" does not exist"),
        ("DROP ROLE maker", "55006", "current user cannot be dropped"),
        ("DROP ROLE shockwave_auditor", "2BP01", "cannot drop role shockwave_auditor because it is required by the database system"),
        ("CREATE ROLE", "42601", "syntax error at end of input"),
        ("CREATE ROLE x FLYING", "42601", "syntax error at or near \"FLYING\""),
        ("GRANT SELECT ON t", "42601", "syntax error at end of input"),
    ] {
        refused(&mut maker, sql, state, message).await;
    }
    assert_eq!(maker.tag("DROP ROLE IF EXISTS nobody").await, "DROP ROLE");
    let mut ada = as_role(&fixture, "ada");
    assert_eq!(ada.tag("ALTER ROLE ada PASSWORD 'y'").await, "ALTER ROLE");
    refused(&mut ada, "ALTER ROLE ada CREATEDB", "42501", "permission denied").await;
    let shown = "SELECT rolname, rolcanlogin, rolconnlimit, rolvaliduntil, rolpassword FROM pg_roles WHERE rolname = 'ada'";
    assert_eq!(root.lines(shown).await, ["ada|t|3|2030-01-01 00:00:00+00|********"]);
    // A role made in a transaction that is undone never was.
    root.run("BEGIN; CREATE ROLE ghost; ROLLBACK").await;
    assert_eq!(root.lines("SELECT 1 FROM pg_roles WHERE rolname = 'ghost'").await.len(), 0);
    // The ledger has the fact, not the secret.
    let rows = root.lines("SELECT definition FROM ledger.catalog WHERE name = 'ada'").await;
    assert!(rows[0].contains("\"password\":\"") && !rows[0].contains("SCRAM"), "{rows:?}");
}

#[tokio::test]
async fn built_in_roles_read_and_write() {
    let (fixture, _root) = prepared(&[
        "CREATE TABLE t (id int PRIMARY KEY, a int)",
        "INSERT INTO t VALUES (1, 1)",
        "CREATE SCHEMA app",
        "CREATE TABLE app.u (id int)",
        "CREATE ROLE r LOGIN IN ROLE shockwave_reader",
        "CREATE ROLE w LOGIN IN ROLE shockwave_writer",
        "CREATE ROLE a LOGIN IN ROLE shockwave_auditor",
    ])
    .await;
    let (mut reader, mut writer, mut auditor) = (as_role(&fixture, "r"), as_role(&fixture, "w"), as_role(&fixture, "a"));
    assert_eq!(reader.lines("SELECT * FROM t").await, ["1|1"]);
    reader.run("SELECT * FROM app.u").await;
    refused(&mut reader, "DELETE FROM t", "42501", "permission denied for table t").await;
    refused(&mut reader, "SELECT * FROM ledger.commits", "42501", "permission denied for table commits").await;
    writer.run("UPDATE t SET a = 2 WHERE id = 1").await;
    writer.run("INSERT INTO app.u VALUES (1)").await;
    refused(&mut writer, "CREATE TABLE app.x (id int)", "42501", "permission denied for schema app").await;
    refused(&mut auditor, "SELECT * FROM t", "42501", "permission denied for table t").await;
    let receipts = "SELECT commit_seq, row FROM ledger.receipts WHERE table_name = 't' AND op = 'UPDATE'";
    let line = auditor.lines(receipts).await.remove(0);
    let (seq, row) = line.split_once('|').unwrap();
    // An auditor without SELECT has a proof of the row, and none of its values.
    let receipt = auditor.value(&format!("SELECT ledger_receipt({seq}, {row})")).await;
    let receipt = receipts::Receipt::parse(receipt.as_bytes()).unwrap();
    assert!(receipt.row.unwrap().fields.iter().all(|field| matches!(field, receipts::Field::Hidden(_))));
    let disclosed = auditor.value(&format!("SELECT ledger_disclose(ARRAY[{seq}::bigint], ARRAY[{row}::bigint], ARRAY['a'])")).await;
    let disclosed = receipts::Disclosure::parse(disclosed.as_bytes()).unwrap();
    let fields = &disclosed.commits[0].tables[0].rows[0].fields;
    assert!(fields.iter().all(|field| matches!(field, receipts::Field::Hidden(_))));
    let call = format!("SELECT ledger_disclose_sd_jwt(ARRAY[{seq}::bigint], ARRAY[{row}::bigint], ARRAY['a'])");
    let token = receipts::SdJwt::parse(auditor.value(&call).await.as_bytes()).unwrap();
    assert!(token.openings.is_empty() && token.digests.iter().all(Vec::is_empty));
    assert_eq!(receipts::SdJwt::parse(reader.value(&call).await.as_bytes()).unwrap().openings.len(), 1);
    let json = auditor.value(&format!("SELECT ledger_receipt_json({seq}, {row})")).await;
    assert!(json.contains("\"hidden\"") && !json.contains("\"value\""), "{json}");
    refused(&mut auditor, "SELECT ledger_export('/nowhere')", "42501", "permission denied for function ledger_export").await;
    refused(&mut auditor, "SELECT ledger_backup('/nowhere')", "42501", "permission denied for function ledger_backup").await;
    refused(&mut auditor, "SELECT ledger_scrub()", "42501", "permission denied for function ledger_scrub").await;
    let whole = reader.value(&format!("SELECT ledger_receipt({seq}, {row})")).await;
    let whole = receipts::Receipt::parse(whole.as_bytes()).unwrap();
    assert!(whole.row.unwrap().fields.iter().all(|field| matches!(field, receipts::Field::Shown { .. })));
}

#[tokio::test]
async fn the_catalog_tells_of_rights() {
    let (fixture, mut root) = prepared(&[
        "CREATE TABLE t (id int PRIMARY KEY, a int)",
        "CREATE ROLE ada LOGIN",
        "CREATE ROLE \"b c\" IN ROLE ada",
        "GRANT SELECT ON t TO ada WITH GRANT OPTION",
        "GRANT UPDATE (a) ON t TO \"b c\"",
        "GRANT SELECT ON t TO PUBLIC",
    ])
    .await;
    for (sql, expected) in [
        ("SELECT relacl FROM pg_class WHERE relname = 't'", vec!["{shockwave=arwdDxt/shockwave,ada=r*/shockwave,=r/shockwave}"]),
        ("SELECT attacl FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'a'", vec!["{\"\\\"b c\\\"=w/shockwave\"}"]),
        ("SELECT has_table_privilege('ada', 't', 'SELECT'), has_table_privilege('ada', 't', 'INSERT')", vec!["t|f"]),
        (
            "SELECT has_table_privilege('ada', 't', 'SELECT WITH GRANT OPTION'), has_table_privilege('b c', 't', 'INSERT, SELECT')",
            vec!["t|t"],
        ),
        ("SELECT has_column_privilege('b c', 't', 'a', 'UPDATE'), has_column_privilege('b c', 't', 'id', 'UPDATE')", vec!["t|f"]),
        ("SELECT has_schema_privilege('ada', 'public', 'USAGE'), has_schema_privilege('ada', 'public', 'CREATE')", vec!["t|f"]),
        ("SELECT has_database_privilege('ada', 'shockwave', 'CONNECT'), has_database_privilege('ada', 'shockwave', 'CREATE')", vec!["t|f"]),
        ("SELECT pg_has_role('b c', 'ada', 'USAGE'), pg_has_role('ada', 'b c', 'MEMBER')", vec!["t|f"]),
        ("SELECT rolname FROM pg_authid WHERE rolsuper", vec!["shockwave"]),
        (
            "SELECT r.rolname, m.rolname FROM pg_auth_members JOIN pg_roles r ON r.oid = roleid JOIN pg_roles m ON m.oid = member",
            vec!["ada|b c"],
        ),
        (
            "SELECT grantee, privilege_type, is_grantable, with_hierarchy FROM information_schema.role_table_grants \
             WHERE table_name = 't' AND privilege_type IN ('SELECT', 'DELETE') ORDER BY 1, 2",
            vec!["PUBLIC|SELECT|NO|YES", "ada|SELECT|YES|YES", "shockwave|DELETE|YES|NO", "shockwave|SELECT|YES|YES"],
        ),
        ("SELECT grantee, role_name, is_grantable FROM information_schema.applicable_roles", vec!["b c|ada|NO"]),
    ] {
        assert_eq!(root.lines(sql).await, expected, "{sql}");
    }
    let mut ada = as_role(&fixture, "ada");
    assert_eq!(ada.lines("SELECT role_name FROM information_schema.enabled_roles").await, ["ada"]);
    assert_eq!(ada.lines("SELECT grantee, privilege_type FROM information_schema.role_table_grants").await, ["ada|SELECT"]);
    assert_eq!(ada.value("SELECT has_table_privilege('t', 'UPDATE')").await, "f");
    assert_eq!(ada.error("SELECT has_table_privilege('t', 'FLY')").await.state().0, "22023");
    assert_eq!(ada.value("SHOW is_superuser").await, "off");
}

#[tokio::test]
async fn a_session_begins_with_what_is_kept_for_its_role() {
    let (fixture, mut root) = prepared(&[
        "CREATE ROLE ada LOGIN",
        "CREATE ROLE team",
        "GRANT team TO ada",
        "ALTER ROLE ALL SET work_mem TO '5MB'",
        "ALTER DATABASE shockwave SET work_mem TO '6MB'",
        "ALTER ROLE ada SET work_mem TO '7MB'",
        "ALTER ROLE ada IN DATABASE shockwave SET search_path TO own, public",
        "ALTER ROLE ada SET role TO team",
        "ALTER ROLE ada SET my.own TO 'a, b'",
    ])
    .await;
    let mut ada = as_role(&fixture, "ada");
    assert_eq!(ada.value("SHOW work_mem").await, "7MB");
    assert_eq!(ada.value("SHOW search_path").await, "own, public");
    assert_eq!(ada.value("SELECT current_user").await, "team");
    assert_eq!(ada.value("SELECT session_user").await, "ada");
    assert_eq!(ada.value("SELECT current_setting('my.own')").await, "a, b");
    ada.run("SET work_mem TO '1MB'").await;
    ada.run("RESET ALL").await;
    assert_eq!(ada.value("SHOW work_mem").await, "7MB");
    root.run("ALTER ROLE ada RESET work_mem").await;
    assert_eq!(as_role(&fixture, "ada").value("SHOW work_mem").await, "6MB", "the database's");
    root.run("ALTER DATABASE shockwave RESET work_mem").await;
    assert_eq!(as_role(&fixture, "ada").value("SHOW work_mem").await, "5MB", "everyone's");
    // A role that it does not belong to any more is not taken, and keeps nobody out.
    root.run("REVOKE team FROM ada").await;
    assert_eq!(as_role(&fixture, "ada").value("SELECT current_user").await, "ada");
}
