//! The server asks an authority for timestamps: one made with OpenSSL, over HTTP on loopback, and `openssl ts -verify` as whoever relies on it.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use engine::timestamps;
use tempfile::TempDir;
use tokio_postgres::Client;
use wire::{Authority, Config};

use crate::server::{TestServer, config, start_with};

const SETTINGS: &str = "\
[ req ]
distinguished_name = name
prompt = no
[ name ]
CN = Test Authority
[ own ]
extendedKeyUsage = critical, timeStamping
basicConstraints = critical, CA:true
[ tsa ]
default_tsa = ours
[ ours ]
serial = serial
signer_cert = authority.pem
signer_key = authority.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.99999.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
";

fn openssl(folder: &Path, arguments: &[&str]) -> Output {
    Command::new("openssl").args(arguments).current_dir(folder).output().unwrap()
}

/// How the authority behaves.
#[derive(Default)]
struct Manners {
    is_away: AtomicBool,
    /// Answers the first request again and again.
    repeats: AtomicBool,
}

/// An authority with a certificate of its own, and where it listens.
struct Tsa {
    folder: TempDir,
    address: SocketAddr,
    manners: Arc<Manners>,
}

impl Tsa {
    /// `None`, and a word on standard error, where OpenSSL is not there.
    fn start() -> Option<Self> {
        if Command::new("openssl").arg("version").output().is_err() {
            eprintln!("skipped: openssl is not there");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("settings"), SETTINGS).unwrap();
        fs::write(folder.path().join("serial"), "0a\n").unwrap();
        let made = openssl(
            folder.path(),
            &[
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-config",
                "settings",
                "-extensions",
                "own",
                "-days",
                "2",
                "-keyout",
                "authority.key",
                "-out",
                "authority.pem",
            ],
        );
        assert!(made.status.success(), "{made:?}");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let tsa = Self { address: listener.local_addr().unwrap(), folder, manners: Arc::default() };
        let (place, manners) = (tsa.folder.path().to_owned(), Arc::clone(&tsa.manners));
        std::thread::Builder::new()
            .name("authority".to_owned())
            .spawn(move || {
                for socket in listener.incoming() {
                    // A client that goes away ends its own connection only.
                    let _ = answer(&place, &manners, &mut socket.unwrap());
                }
            })
            .unwrap();
        Some(tsa)
    }

    fn config(&self) -> Config {
        let authority = Authority::new(&format!("http://{}/tsr", self.address), None, Duration::from_millis(50)).unwrap();
        Config { timestamps: Some(Arc::new(authority)), ..config() }
    }

    /// What a person does who trusts the authority.
    fn verify(&self, checkpoint: &Path, response: &Path) -> Output {
        let (checkpoint, response) = (checkpoint.to_str().unwrap(), response.to_str().unwrap());
        openssl(self.folder.path(), &["ts", "-verify", "-data", checkpoint, "-in", response, "-CAfile", "authority.pem"])
    }
}

/// One request of HTTP/1.1; the connection ends with it.
fn answer(folder: &Path, manners: &Manners, socket: &mut TcpStream) -> std::io::Result<()> {
    let mut seen = Vec::new();
    let mut part = [0; 4096];
    let body = loop {
        let taken = socket.read(&mut part)?;
        if taken == 0 {
            return Ok(());
        }
        seen.extend_from_slice(&part[..taken]);
        let Some(end) = seen.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&seen[..end]).to_lowercase();
        assert!(head.starts_with("post /tsr http/1.1") && head.contains("content-type: application/timestamp-query"), "{head}");
        let length: usize = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
        if seen.len() >= end + 4 + length {
            break seen.split_off(end + 4);
        }
    };
    if manners.is_away.load(Ordering::SeqCst) {
        return socket.write_all(b"HTTP/1.1 503 Away\r\nContent-Type: text/plain\r\nContent-Length: 4\r\nConnection: close\r\n\r\naway");
    }
    if !(manners.repeats.load(Ordering::SeqCst) && folder.join("answer").exists()) {
        fs::write(folder.join("query"), body)?;
        let made = openssl(folder, &["ts", "-reply", "-config", "settings", "-queryfile", "query", "-out", "answer"]);
        assert!(made.status.success(), "{made:?}");
    }
    let answer = fs::read(folder.join("answer"))?;
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/timestamp-reply\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        answer.len()
    );
    socket.write_all(head.as_bytes())?;
    socket.write_all(&answer)
}

async fn count(client: &Client) -> i64 {
    client.query_one("SELECT count(*) FROM ledger.timestamps", &[]).await.unwrap().get(0)
}

/// Until a checkpoint of all commits of now has its timestamp.
async fn until_stamped(client: &Client) {
    const NEWEST: &str = "SELECT (SELECT max(size) FROM ledger.timestamps) >= (SELECT max(commit_seq) + 1 FROM ledger.commits)";
    for _ in 0..600 {
        if client.query_one(NEWEST, &[]).await.unwrap().get::<_, Option<bool>>(0) == Some(true) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no timestamp came");
}

/// The files of the newest timestamp.
fn files(server: &TestServer) -> [PathBuf; 2] {
    let folder = server.path().join("ledgers/shockwave/timestamps");
    let mut names: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    let response = names.pop().unwrap();
    [names.pop().unwrap(), response]
}

#[tokio::test(flavor = "multi_thread")]
async fn checkpoints_are_stamped_and_openssl_agrees() {
    let Some(tsa) = Tsa::start() else { return };
    let server = start_with(tsa.config()).await;
    let client = server.connect().await;
    client.batch_execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)").await.unwrap();
    until_stamped(&client).await;
    let stamps = count(&client).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(count(&client).await, stamps, "S1: nothing was committed, and it was stamped again");
    client.batch_execute("INSERT INTO t VALUES (2)").await.unwrap();
    until_stamped(&client).await;

    // What a person takes out by SQL is what lies in the folder, and OpenSSL takes it.
    let row = client
        .query_one(
            "SELECT checkpoint, response, digest, abs(extract(epoch FROM now() - stamped_at))::float8 < 60, policy FROM ledger.timestamps ORDER BY size DESC LIMIT 1",
            &[],
        )
        .await
        .unwrap();
    let [checkpoint, response] = files(&server);
    assert_eq!(row.get::<_, String>(0), fs::read_to_string(&checkpoint).unwrap());
    assert_eq!(row.get::<_, Vec<u8>>(1), fs::read(&response).unwrap());
    assert_eq!(row.get::<_, Vec<u8>>(2), timestamps::digest(&row.get::<_, String>(0)));
    assert!(row.get::<_, bool>(3), "the authority's time is not that of now");
    assert_eq!(row.get::<_, String>(4), "1.3.6.1.4.1.99999.1");
    let said = tsa.verify(&checkpoint, &response);
    assert!(said.status.success(), "{said:?}");
    let other = tsa.folder.path().join("other");
    fs::write(&other, row.get::<_, String>(0).replace('\n', "\n\n")).unwrap();
    assert!(!tsa.verify(&other, &response).status.success());

    // A closed server's folder: fsck, and one that is stamped is not of another history.
    let keys: Vec<String> = client.query("SELECT verifier_key FROM ledger.keys", &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    let folder = server.closed().await;
    let ledger = folder.path().join("ledgers/shockwave");
    let fsck = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shockwave"));
        command.args(["verify", "fsck"]).arg(folder.path()).args(keys.iter().flat_map(|key| ["--key", key]));
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
    };
    let (code, said) = fsck();
    assert!(code == Some(0) && said.contains("timestamps are of checkpoints of this history"), "{code:?} {said}");
    let stamped = timestamps::sizes(&base::io::RealIo, &ledger).unwrap();
    // A backup has them, and a restore those of what it restores.
    let (copies, restored) = (folder.path().join("copies"), folder.path().join("restored"));
    for arguments in [
        vec!["backup", "--with-keys", "--to", copies.to_str().unwrap(), "--data-dir", folder.path().to_str().unwrap()],
        vec!["restore", "--from", copies.to_str().unwrap(), "--data-dir", restored.to_str().unwrap()],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_shockwave")).args(&arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }
    assert_eq!(timestamps::sizes(&base::io::RealIo, &restored.join("ledgers/shockwave")).unwrap(), stamped);
    let (first, last) = (stamped[0], stamped[stamped.len() - 1]);
    assert!(first < last, "{stamped:?}");
    let file = |size: u64, kind: &str| ledger.join(format!("timestamps/{size:020}.{kind}"));
    fs::rename(file(first, "tsr"), file(last, "tsr")).unwrap();
    let (code, said) = fsck();
    assert!(code == Some(2) && said.contains("of another checkpoint than the one beside it"), "{code:?} {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_is_away_or_answers_others_stops_nothing_and_is_not_believed() {
    let Some(tsa) = Tsa::start() else { return };
    let server = start_with(tsa.config()).await;
    let client = server.connect().await;
    client.batch_execute("CREATE TABLE t (id int PRIMARY KEY)").await.unwrap();
    until_stamped(&client).await;
    let before = count(&client).await;
    // S2: the same answer again is of another digest and for another number.
    tsa.manners.repeats.store(true, Ordering::SeqCst);
    client.batch_execute("INSERT INTO t VALUES (1)").await.unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    tsa.manners.is_away.store(true, Ordering::SeqCst);
    client.batch_execute("INSERT INTO t VALUES (2)").await.unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(count(&client).await, before);
    tsa.manners.is_away.store(false, Ordering::SeqCst);
    tsa.manners.repeats.store(false, Ordering::SeqCst);
    until_stamped(&client).await;
    assert!(count(&client).await > before);
}
