//! What pg_dump writes of a PostgreSQL 15, restored by psql: nothing is refused, and psql describes and shows what it describes and shows there.
//!
//! The schema is `dump.sql`: what applications have, as pg_dump spells it.

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
