//! An auditor's visits: to an honest server, to one that was rolled back, and to one whose SQL lies.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::server::{TestServer, start};

const ROWS: &str = "
    CREATE TABLE kinds (id int PRIMARY KEY, b bool, i2 int2, i8 int8, f4 float4, f8 float8, n numeric(12,3), m numeric, t text, v varchar(9),
        c char(5), y bytea, d date, ti time, ts timestamp, tz timestamptz, iv interval, u uuid, j json, jb jsonb, a int[], at text[]);
    INSERT INTO kinds VALUES
        (1, true, -2, 9e15, 1.5, 'NaN', 12.500, 1e30, 'Ada Lovelace', 'ninechars', 'ab', '\\x00ff', '1815-12-10', '12:34:56.789', '2020-02-29 01:02:03',
         '2020-02-29 01:02:03+05', '1 year 2 mons -3 days 04:05:06.7', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{\"k\": [1, null]}', '{\"z\": 1.0, \"a\": \"ä\"}',
         '{1,NULL,3}', '{\"a,b\",\"\"}'),
        (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    UPDATE kinds SET t = 'Augusta', n = 0.1 WHERE id = 1;
    ALTER TABLE kinds RENAME COLUMN t TO \"The Text\";
    DELETE FROM kinds WHERE id = 2;
    BEGIN; INSERT INTO kinds (id, b) VALUES (3, false); UPDATE kinds SET b = true WHERE id = 3; DELETE FROM kinds WHERE id = 3; COMMIT;
    CREATE TABLE gone (id int PRIMARY KEY); INSERT INTO gone SELECT generate_series(1, 400); DROP TABLE gone;";

/// What an auditor brings along and takes home.
struct Auditor {
    home: tempfile::TempDir,
}

impl Auditor {
    /// Pins the keys of a server.
    async fn of(server: &TestServer) -> Self {
        let home = tempfile::tempdir().unwrap();
        let client = server.connect().await;
        let keys = client.query("SELECT verifier_key FROM ledger.keys", &[]).await.unwrap();
        let lines: String = keys.iter().map(|row| format!("log {}\n", row.get::<_, &str>(0))).collect();
        fs::write(home.path().join("policy"), lines + "quorum none\n").unwrap();
        Self { home }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// A visit to the server at a port.
    async fn visit(&self, port: u16, user: &str, more: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shockwave"));
        command.arg("audit").arg("--server").arg(format!("host=127.0.0.1 port={port} user={user} dbname=shockwave"));
        command.arg("--policy").arg(self.file("policy")).arg("--kept").arg(self.file("kept")).args(more);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn is(output: &Output, code: i32, wanted: &[&str]) {
    let told = told(output);
    assert_eq!(output.status.code(), Some(code), "{told}");
    wanted.iter().for_each(|wanted| assert!(told.contains(wanted), "no «{wanted}» in\n{told}"));
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Rows that have expired are proven to have, by receipts of what says so.
#[tokio::test]
async fn a_server_with_expired_rows_passes_and_they_are_named() {
    let server = start().await;
    let client = server.connect().await;
    client.batch_execute(ROWS).await.unwrap();
    client
        .batch_execute("CREATE TABLE old (id int PRIMARY KEY); INSERT INTO old SELECT generate_series(1, 300); DELETE FROM old")
        .await
        .unwrap();
    let seq: i64 = client.query_one("SELECT max(commit_seq) FROM ledger.commits", &[]).await.unwrap().get(0);
    client.batch_execute(&format!("EXPIRE TABLE old BEFORE COMMIT {seq}")).await.unwrap();
    let auditor = Auditor::of(&server).await;
    let visit = auditor.visit(server.address.port(), "shockwave", &["--sample", "100000"]).await;
    is(&visit, 0, &["AUDIT: valid", "EXPIRED: the values of 600 rows drawn", "of 600 more rows drawn the ledger says"]);
}

#[tokio::test]
async fn an_honest_server_passes_and_the_next_visit_builds_on_it() {
    let server = start().await;
    let client = server.connect().await;
    client.batch_execute(ROWS).await.unwrap();
    let auditor = Auditor::of(&server).await;
    let key = auditor.file("auditor.pem");
    let made = Command::new("openssl").args(["genpkey", "-algorithm", "ed25519", "-out", path(&key)]).status();
    let signs = made.is_ok_and(|status| status.success());
    let (report, export) = (auditor.file("report"), auditor.file("export"));
    client.execute("SELECT ledger_export($1)", &[&path(&export)]).await.unwrap();
    let mut more = vec!["--sample", "100000", "--report", path(&report), "--export", path(&export)];
    if signs {
        more.extend(["--sign-key", path(&key)]);
    }
    let first = auditor.visit(server.address.port(), "shockwave", &more).await;
    is(
        &first,
        0,
        &[
            "AUDIT: valid",
            "the first visit",
            "give the signed root",
            "rows are in SQL what their receipts prove",
            "5. what SQL answers",
            "6. export",
        ],
    );
    let kept = fs::read_to_string(auditor.file("kept")).unwrap();
    assert!(kept.starts_with("shockwave/"), "{kept}");
    let json: serde_json::Value = serde_json::from_slice(&fs::read(report.join("report.json")).unwrap()).unwrap();
    assert_eq!((json["verdict"].as_str(), json["sections"].as_array().map(Vec::len)), (Some("valid"), Some(6)), "{json}");
    assert_eq!(fs::read(report.join("report.txt")).unwrap(), first.stdout);
    if signs {
        check_envelope(&report, &key, &json);
    }
    client.batch_execute("INSERT INTO kinds (id) VALUES (10)").await.unwrap();
    let second = auditor.visit(server.address.port(), "shockwave", &["--seed", "7", "--sample", "5"]).await;
    is(&second, 0, &["extends the pinned checkpoint", "seed 7", "5 receipts"]);
    assert_ne!(fs::read_to_string(auditor.file("kept")).unwrap(), kept);
    let again = auditor.visit(server.address.port(), "shockwave", &["--seed", "7", "--sample", "5"]).await;
    assert_eq!(drawn(&second), drawn(&again), "a seed draws the same rows");
}

fn drawn(output: &Output) -> Vec<String> {
    told(output).lines().filter(|line| line.contains("row    : ") || line.contains("row  : ")).map(str::to_owned).collect()
}

/// The envelope is signed by the auditor's key over the very report, as OpenSSL sees it.
fn check_envelope(report: &Path, key: &Path, json: &serde_json::Value) {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    let envelope: serde_json::Value = serde_json::from_slice(&fs::read(report.join("report.dsse.json")).unwrap()).unwrap();
    let payload = STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
    let statement: serde_json::Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(statement["predicate"], *json);
    assert_eq!(statement["subject"][0]["digest"]["sha256"].as_str().unwrap().len(), 64);
    let kind = envelope["payloadType"].as_str().unwrap();
    let mut signed = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    signed.extend_from_slice(&payload);
    let (message, signature, public) = (report.join("message"), report.join("signature"), report.join("public"));
    fs::write(&message, signed).unwrap();
    fs::write(&signature, STANDARD.decode(envelope["signatures"][0]["sig"].as_str().unwrap()).unwrap()).unwrap();
    let run = |arguments: &[&str]| assert!(Command::new("openssl").args(arguments).output().unwrap().status.success(), "{arguments:?}");
    run(&["pkey", "-in", path(key), "-pubout", "-out", path(&public)]);
    run(&["pkeyutl", "-verify", "-pubin", "-inkey", path(&public), "-rawin", "-in", path(&message), "-sigfile", path(&signature)]);
}

#[tokio::test]
async fn what_the_role_may_not_read_is_not_called_valid() {
    let server = start().await;
    let client = server.connect().await;
    let role = "CREATE TABLE t (id int PRIMARY KEY, secret text); INSERT INTO t VALUES (1, 'x'); CREATE ROLE inspector LOGIN IN ROLE shockwave_auditor";
    client.batch_execute(role).await.unwrap();
    let auditor = Auditor::of(&server).await;
    let all = ["--sample", "1000"];
    is(&auditor.visit(server.address.port(), "inspector", &all).await, 3, &["the role may not read public.t", "--no-compare"]);
    assert!(!auditor.file("kept").exists(), "nothing is kept of a visit that was not valid");
    is(&auditor.visit(server.address.port(), "inspector", &["--no-compare"]).await, 0, &[]);
    client.batch_execute("GRANT SELECT (id) ON t TO inspector").await.unwrap();
    is(&auditor.visit(server.address.port(), "inspector", &all).await, 0, &["the values of 1 hidden fields"]);
    is(&auditor.visit(1, "inspector", &[]).await, 3, &["INCONCLUSIVE: server"]);
}

#[tokio::test]
async fn a_server_that_was_rolled_back_is_found_by_what_was_kept() {
    let server = start().await;
    let client = server.connect().await;
    client.batch_execute("CREATE TABLE t (id int PRIMARY KEY)").await.unwrap();
    drop(client);
    let auditor = Auditor::of(&server).await;
    let server = server.restart().await;
    // A copy of the folder, while what follows is not in it.
    let copy = tempfile::tempdir().unwrap();
    let copied = Command::new("cp").arg("-a").arg(format!("{}/.", server.path().display())).arg(copy.path()).status().unwrap();
    assert!(copied.success());
    let client = server.connect().await;
    client.batch_execute("INSERT INTO t VALUES (1)").await.unwrap();
    is(&auditor.visit(server.address.port(), "shockwave", &[]).await, 0, &[]);
    drop(client);
    let back = server.replaced_by(copy).await;
    is(&auditor.visit(back.address.port(), "shockwave", &[]).await, 1, &["AUDIT: tampered", "the log was cut"]);
    let client = back.connect().await;
    for id in 1..9 {
        client.execute("INSERT INTO t VALUES ($1)", &[&(id * 10)]).await.unwrap();
    }
    is(&auditor.visit(back.address.port(), "shockwave", &[]).await, 1, &["AUDIT: tampered", "consistency with what was kept"]);
}

/// Between client and server, with other words in what the server says.
async fn liar(server: u16, truth: &'static [u8], lie: &'static [u8]) -> u16 {
    assert_eq!(truth.len(), lie.len());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let behind = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
            let ((mut from_client, mut to_client), (mut from_server, mut to_server)) = (client.into_split(), behind.into_split());
            tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
            tokio::spawn(async move {
                let mut bytes = vec![0; 1 << 20];
                while let Ok(read @ 1..) = from_server.read(&mut bytes).await {
                    let mut said = bytes[..read].to_vec();
                    while let Some(at) = said.windows(truth.len()).position(|window| window == truth) {
                        said[at..at + lie.len()].copy_from_slice(lie);
                    }
                    if to_client.write_all(&said).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}

#[tokio::test]
async fn a_server_whose_sql_lies_is_found_by_its_receipts() {
    let server = start().await;
    let client = server.connect().await;
    let rows = "CREATE TABLE payments (id int PRIMARY KEY, payee text, amount numeric); INSERT INTO payments VALUES (1, 'Hopper Ltd', 250), (2, 'Noether AG', 40)";
    client.batch_execute(rows).await.unwrap();
    let auditor = Auditor::of(&server).await;
    let port = liar(server.address.port(), b"Noether AG", b"Another AG").await;
    is(
        &auditor.visit(port, "shockwave", &["--sample", "1000"]).await,
        1,
        &["AUDIT: tampered", "of public.payments: has another value in SQL in column \"payee\""],
    );
    assert!(!auditor.file("kept").exists());
    is(&auditor.visit(server.address.port(), "shockwave", &["--sample", "1000"]).await, 0, &[]);
}
