//! Clients that mean harm or know no better: each gets an error or a closed connection, and the others never notice.
//!
//! Every test keeps a bystander, a session opened before, which must be answered afterwards. Where memory could be taken, the server is a process of
//! its own and its resident set is looked at.

use std::net::SocketAddr;
use std::time::Duration;

use base::{Rng, SeededRng};
use tokio::io::AsyncReadExt;

use crate::program::{Served, serve};
use crate::raw::{Raw, bind, describe_portal, execute, message, parse, query, startup, sync};
use crate::server::{config, start, start_with};

const FRONTEND_TAGS: &[u8] = b"BCDEFHPQSXcdfp";

async fn is_served(bystander: &mut Raw) {
    assert_eq!(bystander.ask(&[query("SELECT 1 AS a")]).await[1], "Row 1");
}

/// Reads until the other side closes, for a time that only a hanging server exceeds.
async fn until_closed(raw: &mut Raw) {
    let mut sink = vec![0; 4096];
    let drained = async { while raw.socket.read(&mut sink).await.is_ok_and(|n| n > 0) {} };
    tokio::time::timeout(Duration::from_secs(60), drained).await.expect("the server neither answers nor closes");
}

fn address(server: &Served) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], server.port))
}

/// KiB in memory now and at most so far.
fn resident(server: &Served) -> (u64, u64) {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let kib = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB")?.parse().ok()).unwrap();
    (kib("VmRSS:"), kib("VmHWM:"))
}

fn some_bytes(rng: &SeededRng, most: usize) -> Vec<u8> {
    let mut bytes = vec![0; rng.next_u64() as usize % most];
    rng.fill(&mut bytes);
    bytes
}

#[tokio::test]
async fn random_bytes_end_their_own_session_at_most() {
    let place = tempfile::tempdir().unwrap();
    let server = serve(&place.path().join("data"));
    let mut bystander = Raw::connect(address(&server)).await;
    let before = resident(&server).0;
    for seed in 0..150 {
        let rng = SeededRng::new(seed);
        let mut raw = if seed % 3 == 0 { Raw::open(address(&server)).await } else { Raw::connect(address(&server)).await };
        let bytes: Vec<u8> = match seed % 3 {
            // In place of a greeting.
            0 => some_bytes(&rng, 2_000),
            // Messages of known kinds with bodies of noise.
            1 => {
                (0..8).flat_map(|_| message(FRONTEND_TAGS[rng.next_u64() as usize % FRONTEND_TAGS.len()], &some_bytes(&rng, 300))).collect()
            }
            // Tags and lengths of noise too.
            _ => some_bytes(&rng, 2_000),
        };
        // The server may have closed by the time all is said.
        let _ = tokio::io::AsyncWriteExt::write_all(&mut raw.socket, &bytes).await;
        let _ = tokio::io::AsyncWriteExt::shutdown(&mut raw.socket).await;
        until_closed(&mut raw).await;
    }
    is_served(&mut bystander).await;
    let grown = resident(&server).1.saturating_sub(before);
    assert!(grown < 256 << 10, "noise took {grown} KiB");
}

/// A length is what a client says, not what it sends: nothing may be set aside for it.
#[tokio::test]
async fn a_promised_length_takes_no_memory() {
    let place = tempfile::tempdir().unwrap();
    let server = serve(&place.path().join("data"));
    let mut bystander = Raw::connect(address(&server)).await;
    let before = resident(&server).0;
    let mut held = Vec::new();
    for tag in FRONTEND_TAGS.iter().cycle().take(140) {
        let mut raw = Raw::connect(address(&server)).await;
        raw.send(&[&[*tag][..], &(900_u32 << 20).to_be_bytes(), b"and no more"].concat()).await;
        held.push(raw);
    }
    is_served(&mut bystander).await;
    let grown = resident(&server).1.saturating_sub(before);
    assert!(grown < 256 << 10, "{} promises took {grown} KiB", held.len());
    drop(held);
    is_served(&mut bystander).await;
}

#[tokio::test]
async fn a_thousand_silent_connections_keep_nobody_out_and_are_cut_off() {
    let server = start_with(wire::Config { startup_time_max: Duration::from_secs(4), ..config() }).await;
    let mut bystander = Raw::connect(server.address).await;
    let mut silent = Vec::new();
    for _ in 0..1000 {
        silent.push(Raw::open(server.address).await);
    }
    is_served(&mut bystander).await;
    let mut late = Raw::connect(server.address).await;
    is_served(&mut late).await;
    for raw in &mut silent {
        until_closed(raw).await;
    }
    is_served(&mut bystander).await;
}

#[tokio::test]
async fn half_a_message_is_no_message() {
    let server = start().await;
    let mut bystander = Raw::connect(server.address).await;
    for whole in [startup(&[("user", "shockwave")]), query("CREATE TABLE half (a int)"), parse("", "SELECT 1"), bind("", "", &["1"])] {
        for cut in [1, 4, 5, whole.len() / 2, whole.len() - 1] {
            let greeted = whole[0] != 0;
            let mut raw = if greeted { Raw::connect(server.address).await } else { Raw::open(server.address).await };
            raw.send(&whole[..cut]).await;
            tokio::io::AsyncWriteExt::shutdown(&mut raw.socket).await.unwrap();
            until_closed(&mut raw).await;
        }
    }
    let seen = bystander.ask(&[query("SELECT * FROM half")]).await;
    assert!(seen[0].starts_with("ERROR 42P01"), "{seen:?}");
    is_served(&mut bystander).await;
}

#[tokio::test]
async fn messages_out_of_order_are_errors_of_their_session() {
    let server = start().await;
    let mut bystander = Raw::connect(server.address).await;
    let sequences: [(&str, Vec<Vec<u8>>); 10] = [
        ("Execute of nothing", vec![execute("", 0), sync()]),
        ("Bind of nothing", vec![bind("p", "s", &[]), sync()]),
        ("Describe of nothing", vec![describe_portal("p"), sync()]),
        ("too many parameters", vec![parse("", "SELECT 1"), bind("", "", &["1", "2"]), sync()]),
        ("CopyData outside of COPY", vec![message(b'd', b"1\t2\n"), sync()]),
        ("CopyDone outside of COPY", vec![message(b'c', b""), sync()]),
        ("CopyFail outside of COPY", vec![message(b'f', b"why\0"), sync()]),
        ("a password after the login", vec![message(b'p', b"secret\0"), sync()]),
        ("a second greeting", vec![startup(&[("user", "shockwave")]), sync()]),
        ("a query between Parse and Bind", vec![parse("", "SELECT 1"), query("SELECT 2"), bind("", "", &[]), execute("", 0), sync()]),
    ];
    for (name, messages) in sequences {
        let mut raw = Raw::connect(server.address).await;
        let seen = tokio::time::timeout(Duration::from_secs(60), raw.ask(&messages)).await;
        let seen = seen.unwrap_or_else(|_| panic!("{name}: no answer"));
        assert!(!seen.iter().any(|line| line.contains("XX000")), "{name}: {seen:?}");
    }
    is_served(&mut bystander).await;
}

/// Statements nested or chained ten thousand times: an answer or an error with a code, never a stack that overflows.
#[tokio::test]
async fn ten_thousand_levels_of_sql() {
    const DEPTH: usize = 10_000;
    let around = |open: &str, middle: &str, close: &str| format!("SELECT {}{middle}{}", open.repeat(DEPTH), close.repeat(DEPTH));
    let statements = [
        around("(", "1", ")"),
        around("NOT ", "true", ""),
        around("- ", "1", ""),
        around("abs(", "1", ")"),
        around("CAST(", "1", " AS int)"),
        around("CASE WHEN true THEN ", "1", " END"),
        around("ARRAY[", "1", "]"),
        around("(SELECT ", "1", ")"),
        around("EXISTS (SELECT ", "1", ")"),
        around("1 + ", "1", ""),
        around("1 = 1 AND ", "true", ""),
        around("'a' || ", "'a'", ""),
        around("", "1", "::int"),
        around("", "ARRAY[1]", "[1]"),
        around("", "1", " COLLATE \"C\""),
        around("", "1", ", 1"),
        format!("SELECT * FROM {}(SELECT 1) AS a{}", "(SELECT * FROM ".repeat(DEPTH), ") AS a".repeat(DEPTH)),
        format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(DEPTH)),
        format!("SELECT 1 FROM pg_class{}", " CROSS JOIN pg_class".repeat(DEPTH)),
        format!("SELECT 1 WHERE 1 IN ({}1)", "1, ".repeat(DEPTH)),
        format!("{} SELECT 1", "EXPLAIN ".repeat(DEPTH)),
        format!("WITH {} SELECT 1", (0..DEPTH).map(|n| format!("c{n} AS (SELECT 1)")).collect::<Vec<_>>().join(", ")),
        format!("SELECT json '{}'", "[".repeat(DEPTH)),
        format!("SELECT jsonb '{}{}'", "{\"a\":".repeat(DEPTH), "}".repeat(DEPTH)),
        format!("SELECT '{}{}'::int[]", "{".repeat(DEPTH), "}".repeat(DEPTH)),
        format!("SELECT 'a' ~ '{}{}'", "(".repeat(DEPTH), ")".repeat(DEPTH)),
        format!("CREATE TABLE deep (a int CHECK ({}a > 0{}))", "(".repeat(DEPTH), ")".repeat(DEPTH)),
        format!("/*{}", "/*".repeat(DEPTH)),
        "BEGIN; ".repeat(DEPTH),
        ";".repeat(DEPTH),
    ];
    // A process of its own, whose threads have the stack that the server gives them.
    let place = tempfile::tempdir().unwrap();
    let server = serve(&place.path().join("data"));
    let mut bystander = Raw::connect(address(&server)).await;
    for statement in statements {
        let shown = &statement[..statement.len().min(60)];
        let mut raw = Raw::connect(address(&server)).await;
        let seen = tokio::time::timeout(Duration::from_secs(120), raw.ask(&[query(&statement)])).await;
        let seen = seen.unwrap_or_else(|_| panic!("no answer to {shown}"));
        assert!(seen.last().is_some_and(|line| line.starts_with("Ready")), "{shown}: {:?}", seen.last());
        assert!(!seen.iter().any(|line| line.contains("XX000")), "{shown}: {seen:?}");
        is_served(&mut bystander).await;
    }
}
