//! The server asks witnesses: cosigned receipts, commits that wait for a quorum, outages that stop nothing, and what a witness knows of a rollback.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use receipts::verify::follow_keys;
use receipts::{Policy, Verdict, verify_consistency, verify_receipt};
use tempfile::TempDir;
use tokio_postgres::Client;
use wire::{Config, Witnesses};

use crate::server::{TestServer, config, start, state};
use crate::witness::Witness;

/// Witnesses of one server's ledger, each with a folder that outlives it.
struct Others {
    place: TempDir,
    log: String,
    running: Vec<Option<Witness>>,
    addresses: Vec<SocketAddr>,
    keys: Vec<String>,
}

impl Others {
    fn start(log: String, count: usize) -> Self {
        let place = tempfile::tempdir().unwrap();
        let mut others = Self { place, log, running: vec![], addresses: vec![], keys: vec![] };
        for n in 0..count {
            let witness = Witness::start(&others.folder(n), &others.log);
            others.addresses.push(witness.address);
            others.keys.push(witness.key.to_string());
            others.running.push(Some(witness));
        }
        others
    }

    fn folder(&self, n: usize) -> PathBuf {
        self.place.path().join(format!("w{n}"))
    }

    fn stop(&mut self, n: usize) {
        self.running[n].take().unwrap().kill();
    }

    fn start_again(&mut self, n: usize) {
        self.running[n] = Some(Witness::start_at(&self.folder(n), &self.log, &self.addresses[n].to_string()));
    }

    /// The policy with these witnesses' addresses, and with what else its lines are.
    fn policy(&self, rest: &str) -> Policy {
        let urls = self.addresses.iter().map(|address| format!("http://{address}"));
        self.policy_at(urls, rest)
    }

    fn policy_at(&self, urls: impl Iterator<Item = String>, rest: &str) -> Policy {
        let witnesses: String =
            self.keys.iter().zip(urls).enumerate().map(|(n, (key, url))| format!("witness w{n} {key} {url}\n")).collect();
        Policy::parse((self.log.replace("quorum none\n", "") + &witnesses + rest).as_bytes()).unwrap()
    }

    /// As an auditor has it, of these logs: without addresses.
    fn policy_text(&self, logs: &str, rest: &str) -> String {
        let witnesses: String = self.keys.iter().enumerate().map(|(n, key)| format!("witness w{n} {key}\n")).collect();
        logs.replace("quorum none\n", "") + &witnesses + rest
    }
}

fn asking(policy: &Policy) -> Config {
    Config { witnesses: Some(Arc::new(Witnesses::new(policy.clone(), None).unwrap())), ..config() }
}

/// A server with a table, and the policy of its log.
async fn begun() -> (TestServer, String) {
    let server = start().await;
    let client = server.connect().await;
    client.batch_execute("CREATE TABLE t (id int PRIMARY KEY, name text)").await.unwrap();
    let keys: Vec<String> = client.query("SELECT verifier_key FROM ledger.keys", &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    let log: String = keys.iter().map(|key| format!("log {key}\n")).collect();
    (server, log + "quorum none\n")
}

/// A server that asks so many witnesses, with this quorum.
async fn witnessed(count: usize, rest: &str) -> (TestServer, Others, Policy) {
    let (server, log) = begun().await;
    let others = Others::start(log, count);
    let policy = others.policy(rest);
    (server.restart_with(asking(&policy)).await, others, policy)
}

async fn text(client: &Client, sql: &str) -> String {
    client.query_one(sql, &[]).await.unwrap().get(0)
}

/// Until the answer to a query is `t`.
async fn until(client: &Client, sql: &str) {
    for _ in 0..600 {
        let row = client.query_opt(sql, &[]).await.unwrap();
        if row.is_some_and(|row| row.get::<_, Option<bool>>(0) == Some(true)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let seen = client.query("SELECT witness, size, error FROM ledger.cosignatures", &[]).await.unwrap();
    panic!("never: {sql}; {seen:?}");
}

const RECEIPT: &str = "SELECT ledger_receipt(commit_seq, row) FROM ledger.receipts WHERE table_name = 't' ORDER BY commit_seq DESC LIMIT 1";
const TWO_OF_THREE: &str = "group g 2 w0 w1 w2\nquorum g\n";

fn valid(receipt: &str, policy: &Policy) -> String {
    let verdict = verify_receipt(receipt.as_bytes(), policy);
    assert!(matches!(verdict, Verdict::Valid(_)), "{verdict}");
    verdict.to_string()
}

#[tokio::test]
async fn a_commit_that_waited_has_a_receipt_with_a_quorum() {
    let (server, mut others, policy) = witnessed(3, TWO_OF_THREE).await;
    let client = server.connect().await;
    client.batch_execute("SET ledger.wait = cosigned").await.unwrap();
    for id in 1..=5 {
        client.batch_execute(&format!("INSERT INTO t VALUES ({id}, 'Ada')")).await.unwrap();
        let said = valid(&text(&client, RECEIPT).await, &policy);
        assert!(said.contains("quorum of witnesses: g") && said.contains("cosigned by"), "{said}");
    }
    // In the same round trip, in a block, in a pipeline, by COPY.
    let returned: String = client.query_one("INSERT INTO t VALUES (6, 'b') RETURNING _receipt", &[]).await.unwrap().get(0);
    valid(&returned, &policy);
    client.batch_execute("BEGIN; INSERT INTO t VALUES (7, 'c'); COMMIT").await.unwrap();
    valid(&text(&client, RECEIPT).await, &policy);
    client.batch_execute("INSERT INTO t VALUES (8, 'd'); INSERT INTO t VALUES (9, 'e')").await.unwrap();
    valid(&text(&client, "SHOW ledger.last_receipt").await, &policy);
    let copied = client.copy_in("COPY t FROM STDIN").await.unwrap();
    let mut copied = std::pin::pin!(copied);
    futures::SinkExt::send(&mut copied, bytes::Bytes::from_static(b"10\tf\n")).await.unwrap();
    copied.as_mut().finish().await.unwrap();
    valid(&text(&client, RECEIPT).await, &policy);
    // All three cosign in the end, each seen with its size and time; the quorum's checkpoint is the one that receipts bear.
    until(&client, "SELECT count(*) = 3 FROM ledger.cosignatures WHERE size IS NOT NULL AND cosigned_at > '2020-01-01' AND error IS NULL")
        .await;
    until(&client, "SELECT count(*) = 3 FROM ledger.cosignatures WHERE kept").await;
    let keys = client.query("SELECT verifier_key, url FROM ledger.cosignatures", &[]).await.unwrap();
    for (n, row) in keys.iter().enumerate() {
        assert_eq!((row.get::<_, &str>(0), row.get::<_, String>(1)), (&*others.keys[n], format!("http://{}", others.addresses[n])));
    }
    // A consistency proof to the cosigned checkpoint is one under the policy, too.
    let size: i64 = client.query_one("SELECT max(size) FROM ledger.cosignatures WHERE kept", &[]).await.unwrap().get(0);
    let checkpoint = text(&client, &format!("SELECT ledger_consistency({size}, {size})")).await;
    let kept = checkpoint.split_once("\n\n").unwrap().1;
    let proof = verify_consistency(kept.as_bytes(), checkpoint.as_bytes(), &policy);
    assert!(proof.to_string().contains("quorum of witnesses: g"), "{proof}");
    // It is kept over a restart, also by a server that asks nobody. What the end of this one commits is cosigned by nobody any more.
    (0..3).for_each(|n| others.stop(n));
    let receipt = text(&client, RECEIPT).await;
    let server = server.restart().await;
    let client = server.connect().await;
    assert_eq!(text(&client, RECEIPT).await, receipt);
    assert_eq!(client.query("SELECT FROM ledger.cosignatures", &[]).await.unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_stops_no_commit_and_is_seen() {
    let (server, mut others, policy) = witnessed(3, TWO_OF_THREE).await;
    let client = server.connect().await;
    client.batch_execute("SET ledger.wait = cosigned; INSERT INTO t VALUES (1, 'Ada'); SET ledger.wait = off").await.unwrap();
    others.stop(0);
    // Two of three are a quorum.
    client.batch_execute("SET ledger.wait = cosigned; INSERT INTO t VALUES (2, 'Grace'); SET ledger.wait = off").await.unwrap();
    until(&client, "SELECT error LIKE '%connect%' AND failing_since IS NOT NULL AND tried_at >= failing_since FROM ledger.cosignatures WHERE witness = 'w0'").await;
    others.stop(1);
    for id in 3..=200 {
        client.batch_execute(&format!("INSERT INTO t VALUES ({id}, 'x')")).await.unwrap();
    }
    until(&client, "SELECT count(*) = 2 FROM ledger.cosignatures WHERE error IS NOT NULL").await;
    // Who asks to wait waits, until his time is up or he gives up; the commit stands, and he is told so.
    client.batch_execute("SET ledger.wait = cosigned; SET statement_timeout = '300ms'").await.unwrap();
    let error = client.batch_execute("INSERT INTO t VALUES (201, 'y')").await.unwrap_err();
    let error = error.as_db_error().unwrap();
    assert_eq!((error.code().code(), error.message()), ("57014", "the wait for witnesses was given up: due to statement timeout"));
    assert!(error.detail().unwrap().starts_with("The transaction has committed: it is durable and visible as commit "), "{error:?}");
    client.batch_execute("SET statement_timeout = 0").await.unwrap();
    let (cancel, asked) = (client.cancel_token(), client.batch_execute("BEGIN; INSERT INTO t VALUES (202, 'z'); COMMIT"));
    let (ended, ()) = tokio::join!(asked, async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        cancel.cancel_query(tokio_postgres::NoTls).await.unwrap();
    });
    let error = ended.unwrap_err();
    assert_eq!(error.as_db_error().unwrap().message(), "the wait for witnesses was given up: due to user request");
    let other = server.connect().await;
    let there: i64 = other.query_one("SELECT count(*) FROM t", &[]).await.unwrap().get(0);
    assert_eq!(there, 202, "what was given up is there all the same");
    assert_eq!(text(&client, "SHOW transaction_isolation").await, "read committed", "the session goes on");
    // One that comes back is a quorum again, and the wait ends.
    let (ended, ()) = tokio::join!(client.batch_execute("INSERT INTO t VALUES (203, 'z')"), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        tokio::task::block_in_place(|| others.start_again(1));
    });
    ended.unwrap();
    valid(&text(&client, RECEIPT).await, &policy);
    until(&client, "SELECT error IS NULL AND failing_since IS NULL FROM ledger.cosignatures WHERE witness = 'w1'").await;
}

/// Witnesses that do not know the new keys refuse them and stop no commit; once their policies name them they cosign on from where they were.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn witnesses_follow_a_rotation_once_their_policies_name_the_new_keys() {
    const BOTH: &str = "group g all w0 w1\nquorum g\n";
    let (server, mut others, _) = witnessed(2, BOTH).await;
    let client = server.connect().await;
    // Each on its own: in one message they are one transaction, which ends with what was set last.
    for sql in ["SET ledger.wait = cosigned", "INSERT INTO t VALUES (1, 'before')", "SET ledger.wait = off"] {
        client.batch_execute(sql).await.unwrap();
    }
    let old_logs = others.log.clone();
    let old = others.policy_text(&old_logs, BOTH);
    let of = |text: &str| Policy::parse(text.as_bytes()).unwrap();
    let early = text(&client, RECEIPT).await;
    valid(&early, &of(&old));
    until(&client, "SELECT count(*) = 2 FROM ledger.cosignatures WHERE kept").await;
    let seen: i64 = client.query_one("SELECT min(size) FROM ledger.cosignatures", &[]).await.unwrap().get(0);

    let named: i64 = client.query_one("SELECT ledger_rotate_keys()", &[]).await.unwrap().get(0);
    client.batch_execute("INSERT INTO t VALUES (2, 'after')").await.unwrap();
    until(&client, "SELECT count(*) = 2 FROM ledger.cosignatures WHERE error LIKE '%403%' AND failing_since IS NOT NULL").await;
    let keys = client.query("SELECT verifier_key FROM ledger.keys WHERE commit_seq = $1", &[&named]).await.unwrap();
    let new_logs: String = keys.iter().map(|row| format!("log {}\n", row.get::<_, String>(0))).collect();
    let new = others.policy_text(&new_logs, BOTH);
    let verdict = |receipt: &str, policy: &str| verify_receipt(receipt.as_bytes(), &of(policy));
    let alone = text(&client, RECEIPT).await;
    assert!(matches!(verdict(&alone, &new), Verdict::Inconclusive(_)), "{}", verdict(&alone, &new));
    assert!(matches!(verdict(&alone, &old), Verdict::Tampered(_)), "{}", verdict(&alone, &old));
    assert!(matches!(verdict(&early, &new), Verdict::Tampered(_)), "{}", verdict(&early, &new));
    // Nor are new keys followed on the word of the old ones alone, where the policy asks for witnesses.
    let key_leaf = format!("SELECT ledger_receipt({named})");
    let followed = follow_keys(text(&client, &key_leaf).await.as_bytes(), old.as_bytes());
    assert!(matches!(followed, Err(Verdict::Inconclusive(_))), "{followed:?}");

    // One is told the new keys beside the old ones, the other the new ones alone.
    for (n, logs) in [(0, new_logs.clone() + &old_logs), (1, new_logs.clone() + "quorum none\n")] {
        others.stop(n);
        others.log = logs;
        tokio::task::block_in_place(|| others.start_again(n));
    }
    let newest: i64 = client.query_one("SELECT max(commit_seq) FROM ledger.receipts WHERE table_name = 't'", &[]).await.unwrap().get(0);
    until(&client, &format!("SELECT count(*) = 2 FROM ledger.cosignatures WHERE error IS NULL AND kept AND size > {newest}")).await;
    let then: i64 = client.query_one("SELECT min(size) FROM ledger.cosignatures", &[]).await.unwrap().get(0);
    assert!(then > seen, "they went on from where they were");
    let first = RECEIPT.replace(" DESC", "");
    for sql in [RECEIPT, &first] {
        let receipt = text(&client, sql).await;
        assert!(valid(&receipt, &of(&new)).contains("quorum of witnesses: g"));
        assert!(matches!(verdict(&receipt, &old), Verdict::Tampered(_)));
    }
    // Now the keys are followed; the policy that comes of it asks for the same witnesses, and takes what is of before and of after.
    let followed = follow_keys(text(&client, &key_leaf).await.as_bytes(), old.as_bytes()).unwrap();
    assert_eq!(followed, new_logs + &old);
    for receipt in [&early, &text(&client, RECEIPT).await] {
        assert!(valid(receipt, &of(&followed)).contains("quorum of witnesses: g"));
    }
    client.batch_execute("SET ledger.wait = cosigned; INSERT INTO t VALUES (3, 'again')").await.unwrap();
    valid(&text(&client, RECEIPT).await, &of(&new));
}

#[tokio::test]
async fn waiting_is_refused_where_no_witness_is_asked() {
    let server = start().await;
    let client = server.connect().await;
    assert_eq!(state(client.batch_execute("SET ledger.wait = cosigned").await), "55000");
    assert_eq!(text(&client, "SHOW ledger.wait").await, "off");
    assert_eq!(state(client.batch_execute("SET ledger.wait = maybe").await), "22023");
    client.batch_execute("CREATE TABLE t (id int)").await.unwrap();
    // By a parameter of the startup message nothing is committed either, rather than committed and never answered.
    let mut options: tokio_postgres::Config = server.url().parse().unwrap();
    options.options("-c ledger.wait=cosigned");
    let (other, connection) = options.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    assert_eq!(state(other.batch_execute("INSERT INTO t VALUES (1)").await), "55000");
    assert_eq!(client.query("SELECT FROM t", &[]).await.unwrap().len(), 0);
}

#[tokio::test]
async fn every_database_is_witnessed_and_one_that_comes_later_too() {
    let (server, log) = begun().await;
    let client = server.connect().await;
    client.batch_execute("CREATE DATABASE tenant").await.unwrap();
    drop(client);
    let connect = async |server: &TestServer, name: &str| {
        let (client, connection) =
            tokio_postgres::connect(&server.url().replace("dbname=shockwave", &format!("dbname={name}")), tokio_postgres::NoTls)
                .await
                .unwrap();
        tokio::spawn(connection);
        client
    };
    let tenant = connect(&server, "tenant").await;
    let keys = tenant.query("SELECT verifier_key FROM ledger.keys", &[]).await.unwrap();
    let own: String = keys.iter().map(|row| format!("log {}\n", row.get::<_, &str>(0))).collect();
    drop(tenant);
    let others = Others::start(own + &log, 1);
    let policy = others.policy("quorum w0\n");
    let server = server.restart_with(asking(&policy)).await;
    for name in ["shockwave", "tenant"] {
        let client = connect(&server, name).await;
        client.batch_execute("SET ledger.wait = cosigned; CREATE TABLE u (id int); INSERT INTO u VALUES (1)").await.unwrap();
        valid(&text(&client, "SHOW ledger.last_receipt").await, &policy);
    }
    // The witness does not know this one; its commits go on and say so.
    let client = connect(&server, "shockwave").await;
    client.batch_execute("CREATE DATABASE later").await.unwrap();
    let later = connect(&server, "later").await;
    later.batch_execute("CREATE TABLE u (id int)").await.unwrap();
    later.batch_execute("SET ledger.wait = cosigned").await.unwrap();
    until(&later, "SELECT error LIKE 'HTTP 404:%' FROM ledger.cosignatures").await;
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").args(["-a"]).arg(from).arg(to).status().unwrap().success());
}

/// The attack that a witness is for: the whole folder is set back, and written on.
#[tokio::test]
async fn a_folder_that_was_rolled_back_is_known_to_its_witness() {
    let (server, others, policy) = witnessed(1, "quorum w0\n").await;
    let path = server.path().to_owned();
    let place = tempfile::tempdir().unwrap();
    let old = place.path().join("old");
    // Closed, so that it is whole.
    let folder = server.closed().await;
    copy(&path, &old);
    let server = TestServer::again(asking(&policy), folder).await;
    let client = server.connect().await;
    client.batch_execute("SET ledger.wait = cosigned; INSERT INTO t VALUES (1, 'Ada'); INSERT INTO t VALUES (2, 'Grace')").await.unwrap();
    drop(client);
    let folder = server.closed().await;
    fs::remove_dir_all(folder.path()).unwrap();
    copy(&old, folder.path());
    let server = TestServer::again(asking(&policy), folder).await;
    let client = server.connect().await;
    until(&client, "SELECT error LIKE '%rolled back%' FROM ledger.cosignatures").await;
    // Written on beyond what the witness knows, it is another history: no proof leads there.
    for id in 10..40 {
        client.batch_execute(&format!("INSERT INTO t VALUES ({id}, 'Mallory')")).await.unwrap();
    }
    until(&client, "SELECT error LIKE 'HTTP 422:%' FROM ledger.cosignatures").await;
    let verdict = verify_receipt(text(&client, RECEIPT).await.as_bytes(), &policy);
    assert!(matches!(verdict, Verdict::Inconclusive(_)), "{verdict}");
    drop(others);
}

#[tokio::test]
async fn a_witness_behind_tls_and_a_folder_checked_under_the_policy() {
    let (server, log) = begun().await;
    let others = Others::start(log, 1);
    let place = tempfile::tempdir().unwrap();
    let (ca, file) = (place.path().join("ca.pem"), place.path().join("policy"));
    let port = proxy(&ca, others.addresses[0]).await;
    let policy = others.policy_at([format!("https://localhost:{port}/prefix")].into_iter(), "quorum w0\n");
    // The prefix is not the witness's: the proxy's business in real life, an error here.
    let witnesses = Witnesses::new(policy, Some(&ca)).unwrap();
    let server = server.restart_with(Config { witnesses: Some(Arc::new(witnesses)), ..config() }).await;
    let client = server.connect().await;
    until(&client, "SELECT error LIKE 'HTTP 404:%' FROM ledger.cosignatures").await;
    drop(client);
    let policy = others.policy_at([format!("https://localhost:{port}")].into_iter(), "quorum w0\n");
    let witnesses = Witnesses::new(policy.clone(), Some(&ca)).unwrap();
    let server = server.restart_with(Config { witnesses: Some(Arc::new(witnesses)), ..config() }).await;
    let client = server.connect().await;
    client.batch_execute("SET ledger.wait = cosigned; INSERT INTO t VALUES (1, 'Ada')").await.unwrap();
    valid(&text(&client, RECEIPT).await, &policy);
    drop(client);
    let folder = server.closed().await;
    let lines = format!("{}witness w0 {}\nquorum w0\n", others.log.replace("quorum none\n", ""), others.keys[0]);
    fs::write(&file, lines).unwrap();
    let fsck = || {
        let output = Command::new(env!("CARGO_BIN_EXE_shockwave"))
            .args(["verify", "fsck"])
            .arg(folder.path())
            .arg("--policy")
            .arg(&file)
            .output()
            .unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, said) = fsck();
    assert!(code == 0 && said.contains("cosigned by") && said.contains("quorum of witnesses: w0"), "{said}");
    let cosigned = folder.path().join("ledgers/shockwave/cosigned");
    let good = fs::read_to_string(&cosigned).unwrap();
    // The top of the time in the witness's line, wherever its key id ends.
    assert!(good.contains("AAAAB"));
    fs::write(&cosigned, good.replacen("AAAAB", "AAAAC", 1)).unwrap();
    assert_eq!(fsck().0, 1, "{}", fsck().1);
    fs::remove_file(&cosigned).unwrap();
    let (code, said) = fsck();
    assert!(code == 3 && said.contains("asks for cosignatures by w0"), "{said}");
}

/// Answers requests over HTTP with these, one after the other and the last for ever: status line, content type, body.
async fn liar(answers: Vec<(&'static str, &'static str, String)>) -> SocketAddr {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut answers = answers.into_iter().peekable();
        while let Ok((mut client, _)) = socket.accept().await {
            let mut request = vec![0; 64 << 10];
            let mut read = 0;
            // The request ends with the newline of the last signature.
            while read < 4 || !(request[..read].ends_with(b"\n") && String::from_utf8_lossy(&request[..read]).contains('\u{2014}')) {
                let Ok(more @ 1..) = client.read(&mut request[read..]).await else { break };
                read += more;
            }
            let (status, kind, body) = answers.peek().unwrap().clone();
            if answers.len() > 1 {
                answers.next();
            }
            let head = format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = client.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await;
        }
    });
    address
}

#[tokio::test]
async fn a_witness_that_lies_is_not_believed() {
    let signer = receipts::WitnessSigner::new("liar.example/w", &[9; 32]).unwrap();
    let good = signer.cosign("another text\n", 1_767_323_046);
    let stranger = receipts::WitnessSigner::new("stranger.example/w", &[8; 32]).unwrap().cosign("another text\n", 1);
    let ok = |body: String| ("200 OK", "text/plain", body);
    let size = |body: &str| ("409 Conflict", "text/x.tlog.size", body.to_owned());
    let cases = [
        (vec![ok("thank you\u{1b}[2J".to_owned())], "%no signature lines%"),
        (vec![ok(String::new())], "%no signature lines%"),
        (vec![ok(good.to_string())], "%a cosignature that does not verify%"),
        (vec![ok(stranger.to_string())], "%without a cosignature by its key%"),
        (vec![("500 Oh", "text/plain", "sorry\u{1b}[2J".to_owned())], "HTTP 500: sorry\\\\u{1b}[2J"),
        (vec![("301 Elsewhere", "text/plain", String::new())], "HTTP 301:%"),
        (vec![size("1\n"), size("2\n"), size("1\n"), size("2\n")], "%another size each time%"),
        (vec![size("18446744073709551615\n")], "%rolled back%"),
        (vec![size("many\n")], "HTTP 409: many"),
    ];
    let (mut server, log) = begun().await;
    for (number, (answers, error)) in cases.into_iter().enumerate() {
        let address = liar(answers).await;
        let policy = format!("{}witness w0 {} http://{address}\nquorum w0\n", log.replace("quorum none\n", ""), signer.verifier());
        server = server.restart_with(asking(&Policy::parse(policy.as_bytes()).unwrap())).await;
        let client = server.connect().await;
        client.batch_execute(&format!("INSERT INTO t VALUES ({number}, 'goes on')")).await.unwrap();
        until(&client, &format!("SELECT error LIKE '{error}' FROM ledger.cosignatures")).await;
        assert!(!server.path().join("ledgers/shockwave/cosigned").exists(), "{error}");
        let size: Option<i64> = client.query_one("SELECT size FROM ledger.cosignatures", &[]).await.unwrap().get(0);
        assert_eq!(size, None, "{error}");
    }
}

/// A certificate of its own, written to `ca`, in front of an address.
async fn proxy(ca: &Path, to: SocketAddr) -> u16 {
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::pki_types::PrivateKeyDer;
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    fs::write(ca, made.cert.pem()).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let tls = ServerConfig::builder_with_provider(Arc::new(tokio_rustls::rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = socket.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut client) = acceptor.accept(client).await else { return };
                let mut witness = tokio::net::TcpStream::connect(to).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut witness).await;
            });
        }
    });
    port
}

#[test]
fn policies_that_nobody_can_wait_for_are_refused() {
    let key = receipts::WitnessSigner::new("w", &[7; 32]).unwrap().verifier().to_string();
    let of = |rest: &str| {
        let policy = Policy::parse(format!("witness a {key} {rest}").as_bytes()).unwrap();
        Witnesses::new(policy, None).err().map(|error| error.message().to_owned()).unwrap_or_default()
    };
    assert_eq!(of("http://127.0.0.1:1\nquorum a\n"), "");
    for (rest, why) in [
        ("http://127.0.0.1:1\nquorum none\n", "asks for none"),
        ("\nquorum a\n", "too few of them have an address"),
        ("gopher://x\nquorum a\n", "no http or https address"),
    ] {
        assert!(of(rest).contains(why), "{}", of(rest));
    }
}
