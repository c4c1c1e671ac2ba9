//! What happens before the first ReadyForQuery.

use tokio::io::AsyncReadExt;

use crate::raw::{Raw, message, startup};
use crate::server::{config, start};

#[tokio::test]
async fn greets_with_the_parameters_drivers_need() {
    let server = start().await;
    let mut raw = Raw::open(server.address).await;
    raw.send(&startup(&[("user", "shockwave"), ("application_name", "probe")])).await;
    let seen = raw.until_ready().await;
    for wanted in [
        "Status server_encoding=UTF8",
        "Status client_encoding=UTF8",
        "Status integer_datetimes=on",
        "Status standard_conforming_strings=on",
        "Status DateStyle=ISO, MDY",
        "Status TimeZone=UTC",
        "Status application_name=probe",
        "Status session_authorization=shockwave",
    ] {
        assert!(seen.iter().any(|line| line == wanted), "{wanted} missing in {seen:#?}");
    }
    assert!(seen.iter().any(|line| line.starts_with("Status server_version=15")), "{seen:#?}");
    assert!(seen.iter().any(|line| line.starts_with("BackendKeyData")), "{seen:#?}");
    assert_eq!(seen.last().map(String::as_str), Some("Ready I"));
}

#[tokio::test]
async fn refuses_encryption_and_goes_on_in_plain() {
    let server = start().await;
    let mut raw = Raw::open(server.address).await;
    for code in [80_877_103_u32, 80_877_104] {
        raw.send(&[8_u32.to_be_bytes(), code.to_be_bytes()].concat()).await;
        assert_eq!(raw.socket.read_u8().await.unwrap(), b'N');
    }
    raw.send(&startup(&[("user", "shockwave")])).await;
    assert_eq!(raw.until_ready().await.last().unwrap(), "Ready I");
}

#[tokio::test]
async fn negotiates_minor_versions_and_protocol_options_down() {
    let server = start().await;
    let mut raw = Raw::open(server.address).await;
    let mut bytes = startup(&[("user", "shockwave"), ("_pq_.shiny", "1")]);
    bytes[7] = 2;
    raw.send(&bytes).await;
    let seen = raw.until_ready().await;
    assert_eq!(seen[0], "Negotiate 0 [\"_pq_.shiny\"]");
    assert_eq!(seen.last().unwrap(), "Ready I");
}

/// (startup parameters, beginning of the FATAL)
const REFUSED: &[(&[(&str, &str)], &str)] = &[
    (&[("user", "shockwave"), ("database", "nowhere")], "FATAL 3D000 database \"nowhere\" does not exist"),
    (&[("user", "bob"), ("database", "shockwave")], "FATAL 28000 role \"bob\" does not exist"),
    (&[("database", "shockwave")], "FATAL 28000 no PostgreSQL user name"),
    (&[("user", "shockwave"), ("replication", "true")], "FATAL 0A000"),
    (&[("user", "shockwave"), ("flavour", "sweet")], "FATAL 42704 unrecognized configuration parameter \"flavour\""),
    (&[("user", "shockwave"), ("client_encoding", "LATIN1")], "FATAL 22023"),
    (&[("user", "shockwave"), ("options", "-F")], "FATAL 42601"),
];

#[tokio::test]
async fn refusals_are_fatal_with_their_code() {
    let server = start().await;
    for (parameters, wanted) in REFUSED {
        let mut raw = Raw::open(server.address).await;
        raw.send(&startup(parameters)).await;
        let seen = raw.until_ready().await;
        assert!(seen.len() == 1 && seen[0].starts_with(wanted), "{parameters:?}: {seen:?}, wanted {wanted}");
    }
}

#[tokio::test]
async fn options_set_parameters() {
    let server = start().await;
    let mut raw = Raw::open(server.address).await;
    raw.send(&startup(&[("user", "shockwave"), ("options", "-c statement_timeout=1234")])).await;
    raw.until_ready().await;
    let seen = raw.ask(&[crate::raw::query("SHOW statement_timeout")]).await;
    assert!(seen[1].contains("1234"), "{seen:?}");
}

#[tokio::test]
async fn garbage_before_the_session_ends_it() {
    let server = start().await;
    for bytes in [
        vec![0_u8; 8],
        vec![0xff; 64],
        [&20_000_u32.to_be_bytes()[..], &[0; 16]].concat(),
        [&8_u32.to_be_bytes()[..], &(2_u32 << 16).to_be_bytes()].concat(),
    ] {
        let mut raw = Raw::open(server.address).await;
        raw.send(&bytes).await;
        let seen = raw.until_ready().await;
        assert!(seen.iter().all(|line| line.starts_with("FATAL")), "{seen:?}");
    }
    // The server is as it was.
    Raw::connect(server.address).await;
}

#[tokio::test]
async fn an_unknown_message_type_ends_the_session() {
    let server = start().await;
    let mut raw = Raw::connect(server.address).await;
    let seen = raw.ask(&[message(b'?', b"")]).await;
    assert!(seen.len() == 1 && seen[0].starts_with("FATAL 08P01"), "{seen:?}");
}

#[tokio::test]
async fn only_loopback_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine::Server::open(folder.path(), planner::engine_options()).unwrap();
    let config = wire::Config { listen: "0.0.0.0:0".parse().unwrap(), ..config() };
    let Err(error) = wire::Listener::bind(config, std::sync::Arc::new(engine)).await else { panic!("bound to every address") };
    assert_eq!(error.state().0, "0A000");
    assert!(error.to_string().contains("authentication"), "{error}");
}
