//! The `shockwave` program as a user runs it: serve, keys, verify, quickstart.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use tokio_postgres::NoTls;

use crate::server::start;

pub fn shockwave(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_shockwave")).args(arguments).output().unwrap()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A server process that has said where it listens; killed when dropped.
pub struct Served {
    pub child: Child,
    lines: Vec<String>,
    pub port: u16,
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub fn serve(folder: &Path) -> Served {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shockwave"));
    command.args(["serve", "--data-dir", path(folder), "--listen", "127.0.0.1:0", "--auth", "trust"]).stdout(Stdio::piped());
    let mut served = Served { child: command.spawn().unwrap(), lines: Vec::new(), port: 0 };
    let mut output = BufReader::new(served.child.stdout.take().unwrap()).lines();
    loop {
        let line = output.next().expect("the server ended before it listened").unwrap();
        served.lines.push(line.clone());
        if let Some(rest) = line.strip_prefix("listening on 127.0.0.1:") {
            served.port = rest.split(' ').next().unwrap().parse().unwrap();
            // Read on, so that the server never writes into a closed pipe.
            std::thread::spawn(move || output.for_each(drop));
            return served;
        }
    }
}

impl Served {
    pub async fn connect(&self) -> tokio_postgres::Client {
        let url = format!("host=127.0.0.1 port={} user=shockwave dbname=shockwave", self.port);
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// Asks it to end as an init system would.
    fn terminate(mut self) -> std::process::ExitStatus {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap()
    }
}

#[tokio::test]
async fn a_receipt_outlives_its_server() {
    let place = tempfile::tempdir().unwrap();
    let (data, receipt, policy) = (place.path().join("data"), place.path().join("receipt"), place.path().join("policy"));
    let server = serve(&data);
    for wanted in ["data folder", "database", "ledger", "verifier key"] {
        assert!(server.lines.iter().any(|line| line.starts_with(wanted)), "{wanted} missing in {:#?}", server.lines);
    }
    let client = server.connect().await;
    client.batch_execute("CREATE TABLE t (id int PRIMARY KEY, name text); INSERT INTO t VALUES (1, 'Ada')").await.unwrap();
    let last = "SELECT commit_seq, row FROM ledger.receipts WHERE table_name = 't'";
    let row = client.query_one(last, &[]).await.unwrap();
    let (seq, at): (i64, i64) = (row.get(0), row.get(1));
    let text: String = client.query_one("SELECT ledger_receipt($1::bigint, $2::bigint)", &[&seq, &at]).await.unwrap().get(0);
    fs::write(&receipt, &text).unwrap();
    let disclose =
        "SELECT ledger_disclose(array_agg(commit_seq), array_agg(row), ARRAY['name']) FROM ledger.receipts WHERE table_name = 't'";
    let disclosure: String = client.query_one(disclose, &[]).await.unwrap().get(0);
    let as_token = disclose.replace("ledger_disclose", "ledger_disclose_sd_jwt");
    let token: String = client.query_one(as_token.as_str(), &[]).await.unwrap().get(0);
    drop(client);
    assert!(server.terminate().success());

    let keys = shockwave(&["keys", "show", "--data-dir", path(&data)]);
    assert!(keys.status.success() && stdout(&keys).contains("verifier key"), "{keys:?}");
    let pinned = shockwave(&["keys", "show", "--data-dir", path(&data), "--policy"]);
    fs::write(&policy, &pinned.stdout).unwrap();

    let fsck = shockwave(&["verify", "fsck", path(&data), "--policy", path(&policy)]);
    assert_eq!(fsck.status.code(), Some(0), "{}", stdout(&fsck));
    let export = place.path().join("export");
    let exported = shockwave(&["export", path(&export), "--data-dir", path(&data)]);
    assert!(exported.status.success(), "{exported:?}");
    assert_eq!(shockwave(&["export", path(&export), "--data-dir", path(&data)]).status.code(), Some(1), "it is there already");
    fs::remove_dir_all(&data).unwrap();
    let fsck = shockwave(&["verify", "fsck", path(&export), "--policy", path(&policy)]);
    assert_eq!(fsck.status.code(), Some(0), "{}", stdout(&fsck));
    let disclosed = place.path().join("disclosed");
    fs::write(&disclosed, &disclosure).unwrap();
    let verified = shockwave(&["verify", "disclose", path(&disclosed), "--policy", path(&policy)]);
    assert_eq!(verified.status.code(), Some(0), "{}", stdout(&verified));
    assert!(stdout(&verified).contains("id   = (hidden)"), "{}", stdout(&verified));
    // With and without the newline that psql puts behind it.
    for text in [token.clone(), format!("{token}\n")] {
        fs::write(&disclosed, text).unwrap();
        let verified = shockwave(&["verify", "disclose", path(&disclosed), "--policy", path(&policy)]);
        assert_eq!(verified.status.code(), Some(0), "{}", stdout(&verified));
        assert!(stdout(&verified).contains("SD-JWT disclosures"), "{}", stdout(&verified));
    }

    let verified = shockwave(&["verify", "receipt", path(&receipt), "--policy", path(&policy)]);
    assert_eq!(verified.status.code(), Some(0), "{}", stdout(&verified));
    assert!(stdout(&verified).contains("Ada"), "{}", stdout(&verified));
    fs::write(&receipt, text.replacen('A', "B", 1)).unwrap();
    let spoilt = shockwave(&["verify", "receipt", path(&receipt), "--policy", path(&policy)]);
    assert!(matches!(spoilt.status.code(), Some(1 | 2)), "{}", stdout(&spoilt));
}

/// The whole of it as a shell script, which anyone can run against any build.
#[test]
fn rows_and_proofs_outlive_a_killed_server() {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    for (program, arguments) in [("psql", ["--version"].as_slice()), ("b3sum", &["--version"]), (&python, &["-c", "import pyarrow.ipc"])] {
        if !Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success()) {
            eprintln!("skipped: {program} {} does not run", arguments.join(" "));
            return;
        }
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts/kill_and_prove.sh");
    let output = Command::new("bash").arg(script).arg(env!("CARGO_BIN_EXE_shockwave")).env("PYTHON", python).output().unwrap();
    assert!(output.status.success(), "{}\n{}", stdout(&output), String::from_utf8_lossy(&output.stderr));
    assert_eq!(stdout(&output).matches("held: ").count(), 9, "{}", stdout(&output));
}

#[tokio::test]
async fn wrong_usage_and_missing_files_have_their_exit_codes() {
    let place = tempfile::tempdir().unwrap();
    let missing = place.path().join("missing");
    for (arguments, code) in [
        (vec!["verify", "receipt", path(&missing)], 2),
        (vec!["verify", "receipt", path(&missing), "--key", "nonsense"], 2),
        (vec!["verify", "fsck", path(&missing), "--policy", path(&missing)], 2),
        (vec!["keys", "show", "--data-dir", path(&missing)], 1),
        (vec!["serve", "--data-dir", path(&missing), "--listen", "0.0.0.0:0", "--auth", "trust"], 1),
        (vec!["serve"], 2),
        (vec!["fly"], 2),
        (vec!["--help"], 0),
        (vec!["verify", "--help"], 0),
    ] {
        let output = shockwave(&arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
    }
}

#[tokio::test]
async fn a_folder_in_use_is_refused() {
    let server = start().await;
    let output = shockwave(&["serve", "--data-dir", path(server.path()), "--listen", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("in use by another server"), "{output:?}");
}

#[tokio::test]
async fn a_checkpoint_kept_from_before_is_extended() {
    let place = tempfile::tempdir().unwrap();
    let (old, proof) = (place.path().join("old"), place.path().join("proof"));
    let server = start().await;
    let client = server.connect().await;
    let newest = "SELECT size, sha256_checkpoint FROM ledger.checkpoints ORDER BY size DESC LIMIT 1";
    let row = client.query_one(newest, &[]).await.unwrap();
    let (size, checkpoint): (i64, String) = (row.get(0), row.get(1));
    fs::write(&old, checkpoint).unwrap();
    client.batch_execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)").await.unwrap();
    let now: i64 = client.query_one(newest, &[]).await.unwrap().get(0);
    assert!(now > size);
    let text: String = client.query_one("SELECT ledger_consistency($1::bigint, $2::bigint)", &[&size, &now]).await.unwrap().get(0);
    fs::write(&proof, text).unwrap();
    let keys = "SELECT verifier_key FROM ledger.keys";
    let keys: Vec<String> = client.query(keys, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    let mut arguments = vec!["verify", "consistency", path(&old), path(&proof)];
    keys.iter().for_each(|key| arguments.extend(["--key", key]));
    let output = shockwave(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
}

#[test]
fn quickstart_tells_the_whole_story() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shockwave"));
    command.args(["quickstart", "--exit", "--listen", "127.0.0.1:0"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let child: Child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let output = child.wait_with_output().unwrap();
    let told = stdout(&output);
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    for wanted in [
        "Which licences",
        "most depended upon",
        "shortest chains of dependencies",
        "more than one version",
        "What changed",
        "VALID",
        "caught and named",
    ] {
        assert!(told.contains(wanted), "{wanted} missing in\n{told}");
    }
}
