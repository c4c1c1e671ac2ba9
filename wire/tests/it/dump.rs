//! What pg_dump writes of a PostgreSQL 15, restored by psql: nothing is refused, and psql describes and shows what it describes and shows there.
//!
//! The schema is `dump.sql`: what applications have, as pg_dump spells it. And what pg_dump writes of a Shockwave, restored into both, dumped again: the same text.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::differential::cluster::{Cluster, USER};
use crate::server::start;

/// Roles are the cluster's, so no dump of a database has them.
const ROLES: &str = "CREATE ROLE app_owner; CREATE ROLE app_reader;";

/// Commands of psql and queries whose answers are the same. Definitions of views are compared by what the views show.
const SAME: [&str; 17] = [
    r"\d app.*",
    r"\d+ app.customer",
    r#"\d+ app."Order""#,
    r"\d+ app.line",
    r"\d+ app.counter",
    r"\d+ public.*",
    r"\dp app.*",
    r"\dp",
    r"\ddp",
    r"\dv+ app.*",
    r"\dm app.*",
    r"\di app.*",
    "SELECT * FROM app.customer ORDER BY id",
    r#"SELECT * FROM app."Order" ORDER BY id"#,
    "SELECT * FROM app.line ORDER BY 1, 2",
    "SELECT * FROM app.orders",
    "SELECT * FROM app.totals ORDER BY 1",
];

/// What shows that a table goes on as it did: keys, checks, defaults and sequences.
const WRITES: [&str; 5] = [
    "INSERT INTO app.customer (email) VALUES ('new@x') RETURNING id, name, balance, tags, extra, full_name",
    r#"INSERT INTO app."Order" (customer_id, placed) VALUES (3, '2020-01-01') RETURNING id, state, ok"#,
    "INSERT INTO app.line (order_id, what, qty) VALUES (3, 'pen', 1)",
    "INSERT INTO app.customer (email, made, ref) VALUES ('none', '2020-01-01', '00000000-0000-0000-0000-000000000001')",
    "INSERT INTO counted (m) VALUES (4) RETURNING n",
];

struct Server {
    port: u16,
    database: String,
}

impl Server {
    fn psql(&self) -> Command {
        let mut command = Command::new("psql");
        let port = self.port.to_string();
        command.args(["-X", "-q", "-h", "127.0.0.1", "-p", &port, "-U", USER, "-d", &self.database, "-P", "pager=off"]);
        command.env("LC_ALL", "C.UTF-8").env("PGTZ", "UTC");
        command
    }

    fn restore(&self, file: &Path) {
        let restored = self.psql().args(["-v", "ON_ERROR_STOP=1", "-f"]).arg(file).output().unwrap();
        assert!(restored.status.success(), "{}", text(&restored));
    }

    fn says(&self, command: &str) -> String {
        text(&self.psql().args(["-c", command]).output().unwrap())
    }
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn dump(cluster: &Cluster, from: &Server, folder: &TempDir, options: &[&str]) -> PathBuf {
    let path = folder.path().join("dump.sql");
    let port = from.port.to_string();
    let mut command = Command::new(cluster.bin.join("pg_dump"));
    let dumped = command.args(["-h", "127.0.0.1", "-p", &port, "-U", USER]).args(options).arg("-f").arg(&path).arg(&from.database).output();
    let dumped = dumped.unwrap();
    assert!(dumped.status.success(), "{}", text(&dumped));
    path
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_of_postgresql_is_restored_whole() {
    let Some(mut cluster) = tokio::task::spawn_blocking(Cluster::start).await.unwrap() else {
        eprintln!("skipped: PostgreSQL 15 is not installed");
        return;
    };
    let (whole, schema) = (start().await, start().await);
    let ports = [whole.address.port(), schema.address.port()];
    let run = move || {
        let theirs = Server { port: cluster.port, database: cluster.fresh_database() };
        let folder = TempDir::new().unwrap();
        theirs.says(ROLES);
        theirs.restore(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/dump.sql"));
        let [whole, schema] = ports.map(|port| Server { port, database: USER.to_owned() });
        whole.says(ROLES);
        whole.restore(&dump(&cluster, &theirs, &folder, &[]));
        for command in SAME.iter().chain(&WRITES) {
            assert_eq!(whole.says(command), theirs.says(command), "{command}");
        }
        schema.says(ROLES);
        schema.restore(&dump(&cluster, &theirs, &folder, &["--schema-only"]));
        assert_eq!(schema.says(r#"SELECT count(*) FROM app."Order""#), whole.says("SELECT 0::bigint AS count"));
    };
    tokio::task::spawn_blocking(run).await.unwrap();
}

/// What of a dump is the same whoever is dumped: without the lines that differ between two runs, names of versions among them.
fn comparable(dump: &Path) -> String {
    let text = std::fs::read_to_string(dump).unwrap();
    let own = |line: &&str| !["\\restrict", "\\unrestrict", "-- Dumped "].iter().any(|start| line.starts_with(start));
    text.lines().filter(own).collect::<Vec<_>>().join("\n")
}

fn restore_archive(cluster: &Cluster, to: &Server, archive: &Path) {
    let port = to.port.to_string();
    let mut command = Command::new(cluster.bin.join("pg_restore"));
    command.args(["-e", "-h", "127.0.0.1", "-p", &port, "-U", USER, "-d", &to.database]);
    let restored = command.arg(archive).output().unwrap();
    assert!(restored.status.success(), "{}", text(&restored));
}

/// Beside `dump.sql`: what only orders itself by its dependencies, and what has a comment of its own.
const MORE: &str = "
    COMMENT ON CONSTRAINT customer_email_key ON app.customer IS 'one each';
    COMMENT ON CONSTRAINT customer_pkey ON app.customer IS 'a key';
    COMMENT ON INDEX app.customer_pkey IS 'its index';
    CREATE VIEW app.a_first AS SELECT name FROM app.customer WHERE id IN (SELECT customer_id FROM app.\"Order\");
    CREATE VIEW app.above AS SELECT r.id, o.n FROM app.rich r LEFT JOIN app.orders o USING (name);
    CREATE VIEW app.keyed AS SELECT id, email FROM app.customer GROUP BY id;
    CREATE VIEW app.\"0\" AS WITH x AS (SELECT id FROM app.keyed) SELECT id FROM x UNION ALL SELECT n FROM counted;
    CREATE UNIQUE INDEX ON app.customer (lower(email)) WHERE balance > 0;
    ALTER TABLE app.line ADD CONSTRAINT later CHECK (qty < 1000) NOT VALID;
    ALTER VIEW app.rich ALTER COLUMN name SET DEFAULT 'rich';
    GRANT SELECT (id, email) ON app.customer TO app_reader;";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_of_shockwave_is_restored_whole() {
    let Some(mut cluster) = tokio::task::spawn_blocking(Cluster::start).await.unwrap() else {
        eprintln!("skipped: PostgreSQL 15 is not installed");
        return;
    };
    let servers = [start().await, start().await, start().await];
    let ports = servers.each_ref().map(|server| server.address.port());
    let run = move || {
        let theirs = Server { port: cluster.port, database: cluster.fresh_database() };
        let from_archive = Server { port: cluster.port, database: cluster.fresh_database() };
        let [ours, again, of_archive] = ports.map(|port| Server { port, database: USER.to_owned() });
        let folder = TempDir::new().unwrap();
        for server in [&theirs, &ours, &again, &of_archive] {
            server.says(ROLES);
        }
        ours.restore(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/dump.sql"));
        for statement in MORE.split(';') {
            let said = ours.says(statement);
            assert_eq!(said, "", "{statement}");
        }
        let kinds: [&[&str]; 3] = [&[], &["--schema-only"], &["--data-only", "--inserts"]];
        let dumps: Vec<String> = kinds.iter().map(|kind| comparable(&dump(&cluster, &ours, &folder, kind))).collect();
        // What is only the ledger's is not in it.
        assert!(!dumps[0].contains("ledger"), "{}", dumps[0]);
        let whole = dump(&cluster, &ours, &folder, &[]);
        theirs.restore(&whole);
        again.restore(&whole);
        let archive = folder.path().join("dump.archive");
        std::fs::rename(dump(&cluster, &ours, &folder, &["-Fc"]), &archive).unwrap();
        restore_archive(&cluster, &from_archive, &archive);
        restore_archive(&cluster, &of_archive, &archive);
        for (server, name) in
            [(&theirs, "PostgreSQL"), (&again, "Shockwave"), (&from_archive, "PostgreSQL, -Fc"), (&of_archive, "Shockwave, -Fc")]
        {
            for command in &SAME {
                assert_eq!(server.says(command), ours.says(command), "{name}: {command}");
            }
            for (kind, dumped) in kinds.iter().zip(&dumps) {
                let repeated = comparable(&dump(&cluster, server, &folder, kind));
                same_text(dumped, &repeated, &format!("{name} {kind:?}"));
            }
        }
        for command in &WRITES {
            let (one, other) = (theirs.says(command), again.says(command));
            assert_eq!(other, one, "{command}");
        }
        tools_connect(&cluster, &ours);
    };
    tokio::task::spawn_blocking(run).await.unwrap();
}

/// The first line that differs says more than two dumps.
fn same_text(one: &str, other: &str, what: &str) {
    let differing = one.lines().zip(other.lines()).find(|(one, other)| one != other);
    assert!(one == other, "{what}: {differing:?}, {} and {} lines", one.lines().count(), other.lines().count());
}

/// `pg_isready` and `pg_dumpall --globals-only`, whose roles another server takes.
fn tools_connect(cluster: &Cluster, ours: &Server) {
    let port = ours.port.to_string();
    let run = |tool: &str, more: &[&str]| {
        let output = Command::new(cluster.bin.join(tool)).args(["-h", "127.0.0.1", "-p", &port, "-U", USER]).args(more).output().unwrap();
        assert!(output.status.success(), "{tool}: {}", text(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(run("pg_isready", &["-d", USER]).contains("accepting connections"));
    let globals = run("pg_dumpall", &["--globals-only", "-l", USER, "--no-role-passwords"]);
    for role in ["CREATE ROLE app_owner;", "CREATE ROLE app_reader;"] {
        assert!(globals.contains(role), "{globals}");
    }
}
