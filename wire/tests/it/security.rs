//! Who gets in: SCRAM, TLS, the first password, and what an outsider learns.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use tokio::io::AsyncReadExt;
use tokio_postgres::{Client, NoTls};
use wire::{Auth, Config, Ssl};

use crate::raw::{Raw, message, startup};
use crate::server::{PASSWORD, TestServer, config, guarded, start_with, state};

async fn login(server: &TestServer, user: &str, password: &str, database: &str) -> Result<Client, tokio_postgres::Error> {
    let port = server.address.port();
    let mut config = tokio_postgres::Config::new();
    config.host("127.0.0.1").port(port).user(user).password(password).dbname(database);
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn only_the_right_password_opens() {
    let server = start_with(guarded()).await;
    let client = login(&server, "shockwave", PASSWORD, "shockwave").await.unwrap();
    assert_eq!(client.query_one("SELECT 'in'", &[]).await.unwrap().get::<_, &str>(0), "in");
    for (user, password, database) in [
        ("shockwave", "wrong", "shockwave"),
        ("shockwave", "", "shockwave"),
        ("nobody", PASSWORD, "shockwave"),
        ("shockwave", "wrong", "nowhere"),
        ("shockwave_auditor", PASSWORD, "shockwave"),
    ] {
        assert_eq!(state(login(&server, user, password, database).await.map(drop)), "28P01", "{user} {password} {database}");
    }
    // Who has proved it may know.
    assert_eq!(state(login(&server, "shockwave", PASSWORD, "nowhere").await.map(drop)), "3D000");
}

/// The messages of a login with any proof, up to the refusal.
async fn attempt(server: &TestServer, user: &str) -> (String, Vec<String>) {
    let mut raw = Raw::open(server.address).await;
    raw.send(&startup(&[("user", user), ("database", "shockwave")])).await;
    let offer = format!("{:?}", raw.receive().await.unwrap());
    let first = b"n,,n=,r=client";
    let mut body = b"SCRAM-SHA-256\0".to_vec();
    body.extend_from_slice(&(first.len() as u32).to_be_bytes());
    body.extend_from_slice(first);
    raw.send(&message(b'p', &body)).await;
    let pgwire::messages::PgWireBackendMessage::Authentication(pgwire::messages::startup::Authentication::SASLContinue(data)) =
        raw.receive().await.unwrap()
    else {
        panic!("no challenge");
    };
    let challenge = String::from_utf8(data.to_vec()).unwrap();
    let nonce = challenge.split(',').next().unwrap().to_owned();
    raw.send(&message(b'p', format!("c=biws,{nonce},p={}", "A".repeat(43) + "=").as_bytes())).await;
    let salt = challenge.split(',').nth(1).unwrap().to_owned();
    (format!("{offer} {salt}"), raw.until_ready().await)
}

#[tokio::test]
async fn a_role_that_is_not_there_looks_like_any_other() {
    let server = start_with(guarded()).await;
    let (real, refused) = attempt(&server, "shockwave").await;
    assert_eq!(refused, ["FATAL 28P01 password authentication failed for user \"shockwave\""]);
    let (made_up, refused) = attempt(&server, "nobody").await;
    assert_eq!(refused, ["FATAL 28P01 password authentication failed for user \"nobody\""]);
    assert_eq!(made_up.len(), real.len());
    assert_ne!(made_up, real);
    // As a real role's, its salt is the same each time.
    assert_eq!(attempt(&server, "nobody").await.0, made_up);
}

#[tokio::test]
async fn nothing_but_a_login_is_answered_before_a_login() {
    let server = start_with(guarded()).await;
    let long = [&[b'p'][..], &(1_u32 << 20).to_be_bytes()].concat();
    for bytes in [
        crate::raw::query("SELECT 1"),
        message(b'p', b""),
        message(b'p', b"SCRAM-SHA-256\0\xff\xff\xff\xff"),
        message(b'p', b"SCRAM-SHA-256\0\x7f\xff\xff\xff"),
        message(b'p', b"PLAIN\0\0\0\0\0"),
        message(b'p', b"SCRAM-SHA-256-PLUS\0\0\0\0\x00"),
        message(b'p', b"SCRAM-SHA-256\0\0\0\0\x03n,,"),
        message(b'p', &[0xff; 600]),
        long,
    ] {
        let mut raw = Raw::open(server.address).await;
        raw.send(&startup(&[("user", "shockwave")])).await;
        raw.receive().await.unwrap();
        raw.send(&bytes).await;
        let seen = raw.until_ready().await;
        assert!(seen.len() == 1 && seen[0].starts_with("FATAL 08P01"), "{bytes:?}: {seen:?}");
    }
}

#[tokio::test]
async fn the_first_password_stays_and_only_its_verifier_is_kept() {
    let server = start_with(guarded()).await;
    let folder = server.path().to_owned();
    let client = login(&server, "shockwave", PASSWORD, "shockwave").await.unwrap();
    let verifiers = folder.join("ledgers/shockwave/keys/verifiers");
    assert_eq!(mode(&verifiers), 0o600);
    let verifier = std::fs::read_to_string(&verifiers).unwrap();
    assert!(verifier.starts_with("SCRAM-SHA-256$4096:") && !verifier.contains(PASSWORD), "{verifier}");
    assert!(!folder.join(wire::PASSWORD_FILE).exists());
    // The ledger, which is never forgotten, tells that there is a password and nothing of it.
    let definition: String = client.query_one("SELECT definition FROM ledger.catalog WHERE object_id = 10", &[]).await.unwrap().get(0);
    let salt = verifier.split([':', '$']).nth(2).unwrap();
    assert!(definition.contains("\"password\":\"") && !definition.contains(salt), "{definition}");
    drop(client);
    let again = server.restart_with(Config { first_password: Some("another".to_owned()), ..guarded() }).await;
    login(&again, "shockwave", PASSWORD, "shockwave").await.unwrap();
    assert_eq!(state(login(&again, "shockwave", "another", "shockwave").await.map(drop)), "28P01");
}

#[tokio::test]
async fn a_drawn_password_is_in_a_file_of_its_own() {
    let server = start_with(Config { first_password: None, ..guarded() }).await;
    let file = server.path().join(wire::PASSWORD_FILE);
    assert_eq!(mode(&file), 0o600);
    let password = std::fs::read_to_string(&file).unwrap();
    login(&server, "shockwave", password.trim_end(), "shockwave").await.unwrap();
}

#[tokio::test]
async fn a_lost_or_changed_verifier_locks_out_and_lets_nobody_in() {
    let server = start_with(guarded()).await;
    let verifiers = server.path().join("ledgers/shockwave/keys/verifiers");
    let other = start_with(Config { first_password: Some("other".to_owned()), ..guarded() }).await;
    let foreign = std::fs::read(other.path().join("ledgers/shockwave/keys/verifiers")).unwrap();
    std::fs::write(&verifiers, foreign).unwrap();
    let server = server.restart_with(guarded()).await;
    for password in [PASSWORD, "other"] {
        assert_eq!(state(login(&server, "shockwave", password, "shockwave").await.map(drop)), "28P01");
    }
}

#[tokio::test]
async fn beyond_loopback_only_with_authentication() {
    let anywhere = || "0.0.0.0:0".parse().unwrap();
    let server = start_with(Config { listen: anywhere(), ..guarded() }).await;
    login(&server, "shockwave", PASSWORD, "shockwave").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let engine = engine::Server::open(folder.path(), planner::engine_options()).unwrap();
    let open_to_all = Config { listen: anywhere(), auth: Auth::Trust, ..guarded() };
    let Err(error) = wire::Listener::bind(open_to_all, std::sync::Arc::new(engine)).await else { panic!("open to everyone") };
    assert_eq!(error.state().0, "0A000");
}

const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

#[tokio::test]
async fn encryption_can_be_required_and_nothing_is_smuggled_into_it() {
    let server = start_with(Config { ssl: Ssl::Required, ..guarded() }).await;
    let mut raw = Raw::open(server.address).await;
    raw.send(&startup(&[("user", "shockwave")])).await;
    let seen = raw.until_ready().await;
    assert!(seen[0].starts_with("FATAL 28000 no pg_hba.conf entry") && seen[0].ends_with("no encryption"), "{seen:?}");
    let mut raw = Raw::open(server.address).await;
    raw.send(&[&SSL_REQUEST[..], &startup(&[("user", "shockwave")])].concat()).await;
    let seen = raw.until_ready().await;
    assert!(seen.len() == 1 && seen[0].starts_with("FATAL 08P01 received unencrypted data"), "{seen:?}");
    // A handshake that is none ends the connection.
    let mut raw = Raw::open(server.address).await;
    raw.send(&SSL_REQUEST).await;
    assert_eq!(raw.socket.read_u8().await.unwrap(), b'S');
    raw.send(&[0x5a; 200]).await;
    let mut rest = Vec::new();
    drop(raw.socket.read_to_end(&mut rest).await);
    assert_ne!(rest.first(), Some(&b'R'));
}

/// psql over TLS; its answer or its error, `None` if psql is not installed.
async fn psql(server: &TestServer, parameters: &str) -> Option<Result<String, String>> {
    let connection = format!("host=localhost port={} user=shockwave dbname=shockwave {parameters}", server.address.port());
    let run = move || {
        let mut command = Command::new("psql");
        command.args(["-X", "-A", "-t", "-c", "SELECT 'in'", "-d", &connection]).env("PGPASSWORD", PASSWORD);
        let output = command.output().ok()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        Some(if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) })
    };
    let answer = tokio::task::spawn_blocking(run).await.unwrap();
    if answer.is_none() {
        eprintln!("skipped: psql is not installed");
    }
    answer
}

#[tokio::test]
async fn psql_comes_in_over_tls() {
    let server = start_with(Config { ssl: Ssl::Required, ..guarded() }).await;
    assert_eq!(mode(&server.path().join("server.key")), 0o600);
    let certificate = server.path().join(wire::CERTIFICATE_FILE);
    let other = start_with(guarded()).await;
    let foreign = other.path().join(wire::CERTIFICATE_FILE);
    let (own, foreign) = (certificate.display(), foreign.display());
    for parameters in [
        "sslmode=require".to_owned(),
        "sslmode=require channel_binding=require".to_owned(),
        format!("sslmode=verify-ca sslrootcert={own}"),
        format!("sslmode=verify-full sslrootcert={own} channel_binding=require"),
    ] {
        let Some(answer) = psql(&server, &parameters).await else { return };
        assert_eq!(answer, Ok("in".to_owned()), "{parameters}");
    }
    let Some(Err(refused)) = psql(&server, "sslmode=disable").await else { panic!("in without encryption") };
    assert!(refused.contains("no encryption"), "{refused}");
    let Some(Err(refused)) = psql(&server, &format!("sslmode=verify-ca sslrootcert={foreign}")).await else {
        panic!("took any certificate")
    };
    assert!(refused.contains("certificate verify failed"), "{refused}");
    let plain = start_with(guarded()).await;
    let Some(Err(refused)) = psql(&plain, "sslmode=disable channel_binding=require").await else { panic!("bound without a channel") };
    assert!(refused.contains("channel binding"), "{refused}");
}

#[tokio::test]
async fn a_key_that_others_can_read_is_refused() {
    let server = start_with(guarded()).await;
    let key = server.path().join("server.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let engine = engine::Server::open(folder.path(), planner::engine_options()).unwrap();
    let files = Some((server.path().join(wire::CERTIFICATE_FILE), key));
    let config = Config { ssl: Ssl::On, ssl_files: files, ..config() };
    let Err(error) = wire::Listener::bind(config, std::sync::Arc::new(engine)).await else { panic!("took a public key file") };
    assert!(error.message().contains("group or world access"), "{error}");
}
