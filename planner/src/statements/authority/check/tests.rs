//! Every kind of statement that there is, as an auditor meets it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::sync::Arc;

use base::SqlState;
use engine::{Options, Server};
use futures::StreamExt;
use relational::Relational;

use super::*;
use crate::{Database, Outcome, Session};

/// Names every kind of plan there is; a new one does not compile until it is listed here, and then needs a statement below.
macro_rules! kinds {
    ($($kind:ident),*) => {
        const KINDS: &[&str] = &[$(stringify!($kind)),*];
        fn kind(plan: &Plan) -> &'static str {
            match plan { $(Plan::$kind { .. } => stringify!($kind)),* }
        }
    };
}
kinds!(
    Block,
    Configure,
    Named,
    Cursor,
    Notify,
    Maintenance,
    Erase,
    Constraints,
    Merge,
    With,
    CreateSchema,
    CreateTable,
    CreateTableAs,
    DropSchema,
    Drop,
    CreateSequence,
    CreateIndex,
    CreateView,
    CreateMaterialized,
    Refresh,
    AlterTable,
    AlterSchema,
    Extension,
    Comment,
    Truncate,
    Select,
    Lock,
    LockTable,
    Insert,
    Update,
    Delete,
    CopyFrom,
    CopyTo,
    Explain,
    Authority,
    Graph,
    Hold,
    Expire
);

/// At least one statement of each kind. `t` has every privilege granted to the auditor, and `mine` belongs to it.
const STATEMENTS: &[&str] = &[
    "BEGIN",
    "ROLLBACK",
    "SET application_name = 'a'",
    "SHOW application_name",
    "PREPARE p AS SELECT 1",
    "CLOSE ALL",
    "LISTEN l",
    "VACUUM",
    "ERASE FROM mine.e WHERE who = 1",
    "ERASE SUBJECT 1",
    "SET CONSTRAINTS ALL DEFERRED",
    "MERGE INTO t USING (SELECT 1 AS x) AS s ON t.a = s.x WHEN MATCHED THEN UPDATE SET b = 7",
    "MERGE INTO t USING (SELECT 1 AS x) AS s ON t.a = s.x WHEN MATCHED THEN DELETE",
    "MERGE INTO t USING (SELECT 77 AS x) AS s ON t.a = s.x WHEN NOT MATCHED THEN INSERT VALUES (77, 7)",
    "WITH d AS (DELETE FROM t RETURNING *) SELECT count(*) FROM d",
    "WITH d AS (INSERT INTO t VALUES (55, 5) RETURNING a) SELECT a FROM d",
    "CREATE LEGAL HOLD h ON TABLE mine",
    "DROP LEGAL HOLD IF EXISTS h",
    "EXPIRE SEGMENTS",
    "EXPIRE TABLE mine.m BEFORE COMMIT 1",
    "CREATE SCHEMA s2",
    "CREATE SCHEMA s3 AUTHORIZATION shockwave_auditor",
    "CREATE TABLE t2 (a int)",
    "CREATE TABLE mine.t2 (a int)",
    "CREATE TABLE t2 AS SELECT 1 AS a",
    "CREATE TABLE mine.t2 AS SELECT 1 AS a",
    "SELECT 1 AS a INTO t2",
    "CREATE TEMP TABLE t2 (a int)",
    "CREATE TEMP TABLE t2 AS SELECT 1 AS a",
    "SELECT 1 AS a INTO TEMP t2",
    "DROP SCHEMA mine CASCADE",
    "CREATE SEQUENCE s",
    "CREATE SEQUENCE mine.s",
    "CREATE INDEX ON t (b)",
    "CREATE INDEX ON mine.m (a)",
    "CREATE VIEW v AS SELECT 1 AS x",
    "CREATE VIEW mine.v AS SELECT 1 AS x",
    "CREATE TEMP VIEW v AS SELECT 1 AS x",
    "CREATE RECURSIVE VIEW mine.v (n) AS SELECT 1 UNION ALL SELECT n + 1 FROM v WHERE n < 3",
    "CREATE MATERIALIZED VIEW v AS SELECT 1 AS x",
    "CREATE MATERIALIZED VIEW mine.v AS SELECT 1 AS x",
    "REFRESH MATERIALIZED VIEW mine.mv",
    "ALTER SCHEMA mine RENAME TO yours",
    "CREATE EXTENSION IF NOT EXISTS plpgsql",
    "INSERT INTO w VALUES (8, 8)",
    "UPDATE w SET b = 8",
    "DELETE FROM w",
    "ALTER TABLE t ADD COLUMN c int",
    "ALTER TABLE mine.m ALTER COLUMN a TYPE text",
    "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
    "ALTER TABLE mine.m ADD COLUMN c int",
    "ALTER TABLE mine.m RENAME TO n",
    "COMMENT ON TABLE t IS 'x'",
    "COMMENT ON TABLE mine.m IS 'x'",
    "COMMENT ON SCHEMA mine IS 'x'",
    "COMMENT ON COLUMN mine.m.a IS 'x'",
    "SELECT nextval('q')",
    "SELECT setval('q', 7)",
    "DROP TABLE t",
    "DROP TABLE mine.m",
    "TRUNCATE t",
    "TRUNCATE mine.m",
    "SELECT * FROM t",
    "SELECT a, b FROM t WHERE a = 1",
    "SELECT count(*) FROM ledger.commits",
    "SELECT * FROM t FOR UPDATE",
    "SELECT a FROM t WHERE a = 1 FOR SHARE",
    "LOCK t",
    "LOCK TABLE mine.m IN ROW EXCLUSIVE MODE",
    "INSERT INTO t VALUES (3, 3)",
    "INSERT INTO t SELECT a + 10, b FROM t",
    "INSERT INTO t VALUES (1, 3) ON CONFLICT (a) DO UPDATE SET b = 4",
    "INSERT INTO t VALUES (1, 3) ON CONFLICT DO NOTHING",
    "INSERT INTO t VALUES (4, 4) RETURNING a",
    "INSERT INTO mine.m VALUES (1)",
    "WITH x AS (SELECT 5 AS a) INSERT INTO t SELECT a, a FROM x",
    "UPDATE t SET b = 1",
    "UPDATE t SET b = 1 WHERE a = 1",
    "UPDATE t SET b = x.b FROM t AS x WHERE x.a = t.a",
    "DELETE FROM t",
    "DELETE FROM t WHERE a = 1",
    "DELETE FROM t USING t AS x WHERE x.a = t.a RETURNING *",
    "COPY t FROM STDIN",
    "COPY mine.m FROM STDIN",
    "COPY t TO STDOUT",
    "COPY (SELECT a FROM t) TO STDOUT",
    "EXPLAIN SELECT * FROM t",
    "EXPLAIN DELETE FROM t",
    "EXPLAIN INSERT INTO t VALUES (9, 9)",
    "CREATE ROLE r",
    "CREATE USER r",
    "ALTER ROLE other LOGIN",
    "ALTER ROLE other SET work_mem TO '8MB'",
    "ALTER ROLE CURRENT_USER SET work_mem TO '8MB'",
    "ALTER DATABASE shockwave SET work_mem TO '8MB'",
    "ALTER ROLE other RENAME TO another",
    "DROP ROLE other",
    "GRANT other TO PUBLIC_ROLE",
    "REVOKE other FROM PUBLIC_ROLE",
    "GRANT SELECT ON t TO other",
    "GRANT SELECT ON mine.m TO other",
    "GRANT CREATE ON SCHEMA mine TO other",
    "REVOKE SELECT ON t FROM other",
    "ALTER TABLE t OWNER TO other",
    "ALTER TABLE mine.m ADD COLUMN c int, OWNER TO other",
    "GRANT USAGE ON SEQUENCE q TO other",
    "ALTER SCHEMA mine OWNER TO other",
    "ALTER DATABASE shockwave OWNER TO other",
    "REASSIGN OWNED BY shockwave_auditor TO other",
    "DROP OWNED BY shockwave_auditor",
    "CREATE PROPERTY GRAPH g VERTEX TABLES (t)",
    "CREATE PROPERTY GRAPH mine.g VERTEX TABLES (mine.m KEY (a))",
    "ALTER PROPERTY GRAPH mine.pg ADD VERTEX TABLES (mine.m KEY (a))",
    "DROP PROPERTY GRAPH mine.pg",
    "COMMENT ON PROPERTY GRAPH mine.pg IS 'x'",
];

async fn answer(session: &mut Session, sql: &str) -> SqlResult<&'static str> {
    let mut plan = "";
    for parsed in session.parse(sql)? {
        let prepared = session.prepare(parsed, &[]).await.inspect_err(|_| session.fail())?;
        plan = kind(&prepared.plan);
        match session.execute(&prepared, Vec::new()).await? {
            Outcome::Rows { mut batches, .. } => {
                while let Some(batch) = batches.next().await {
                    batch?;
                }
            }
            Outcome::CopyOut { mut pieces, .. } => {
                while let Some(piece) = pieces.next().await {
                    piece?;
                }
            }
            Outcome::CopyIn(copy) => drop(session.abort_copy(copy, "")),
            Outcome::Empty | Outcome::Command(_) => {}
        }
    }
    Ok(plan)
}

fn open() -> (tempfile::TempDir, Server, Arc<Database>) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::open(folder.path(), Options::real()).unwrap();
    let relational =
        Relational::new(relational::Options { memory_bytes: 64 << 20, run_memory_bytes: 64 << 20, partitions: 1, batch_rows: 8_192 })
            .unwrap();
    let database = Database::new(server.ledger("shockwave").unwrap(), Arc::new(relational));
    (folder, server, database)
}

/// The kind of a statement, by planning it as the superuser.
async fn kind_of(session: &mut Session, sql: &str) -> (&'static str, Class) {
    let parsed = session.parse(sql).unwrap().remove(0);
    let prepared = session.prepare(parsed, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let class = match (&*prepared.plan, class(&prepared.plan)) {
        // What is explained is judged as what it is.
        (Plan::Explain(_), _) if !sql.contains("SELECT *") => Class::Rows,
        // Who locks rows must be one who may change them.
        (Plan::Lock(_), _) => Class::Rows,
        // A function that writes.
        (Plan::Select(_), _) if sql.contains("val('q'") => Class::Rows,
        (_, class) => class,
    };
    (kind(&prepared.plan), class)
}

#[tokio::test]
async fn an_auditor_writes_nothing_by_any_kind_of_statement() {
    let (_folder, _server, database) = open();
    let mut superuser = Session::new(Arc::clone(&database), "shockwave", "");
    for sql in [
        "CREATE TABLE t (a int PRIMARY KEY, b int)",
        "INSERT INTO t VALUES (1, 1), (2, 2)",
        "CREATE ROLE other",
        "CREATE ROLE public_role",
        "CREATE VIEW w AS SELECT a, b FROM t",
        "GRANT ALL ON t, w TO shockwave_auditor WITH GRANT OPTION",
        "GRANT ALL ON SCHEMA public TO shockwave_auditor WITH GRANT OPTION",
        "GRANT ALL ON DATABASE shockwave TO shockwave_auditor WITH GRANT OPTION",
        "GRANT other TO shockwave_auditor WITH ADMIN OPTION",
        "ALTER ROLE shockwave_auditor CREATEROLE CREATEDB",
        "CREATE SEQUENCE q",
        "CREATE SCHEMA mine",
        "CREATE TABLE mine.m (a int)",
        "CREATE TABLE mine.e (a int PRIMARY KEY, who int) WITH (erasable_by = who)",
        "INSERT INTO mine.e VALUES (1, 1)",
        "CREATE MATERIALIZED VIEW mine.mv AS SELECT 1 AS x",
        "ALTER MATERIALIZED VIEW mine.mv OWNER TO shockwave_auditor",
        "CREATE PROPERTY GRAPH mine.pg VERTEX TABLES (mine.m KEY (a))",
        "ALTER PROPERTY GRAPH mine.pg OWNER TO shockwave_auditor",
        "ALTER SCHEMA mine OWNER TO shockwave_auditor",
        "ALTER TABLE mine.m OWNER TO shockwave_auditor",
        "ALTER TABLE mine.e OWNER TO shockwave_auditor",
        "CREATE ROLE auditor LOGIN IN ROLE shockwave_auditor, shockwave_writer",
    ] {
        answer(&mut superuser, sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    let mut met = HashSet::new();
    for sql in STATEMENTS {
        let (kind, class) = kind_of(&mut superuser, sql).await;
        met.insert(kind);
        let may = matches!(class, Class::Session | Class::Reads);
        for user in ["auditor", "shockwave_auditor"] {
            let mut session = Session::new(Arc::clone(&database), user, "");
            let answered = answer(&mut session, sql).await;
            match (may, answered) {
                (true, Ok(_)) => {}
                (false, Err(error)) if error.state() == SqlState::INSUFFICIENT_PRIVILEGE => {}
                (_, other) => panic!("{user}: {sql}: {other:?}"),
            }
        }
    }
    let missing: Vec<_> = KINDS.iter().filter(|kind| !met.contains(*kind)).collect();
    assert!(missing.is_empty(), "no statement of the kinds {missing:?}");
    assert_eq!(database.ledger().snapshot().catalog.tables().filter(|table| table.name == "t2").count(), 0);
}
