//! ALTER COLUMN … TYPE over a history: what was answered at each commit is answered of that commit for ever, with the type of then; every row of every
//! commit has a receipt; folds that are lost come back the same.

use std::sync::Arc;

use engine::Ledger;

use crate::fixture::Client;

/// A linear congruential generator: the same seed, the same history.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// What column `a` may be, and how its values are made of those of any other type.
const TYPES: [(&str, &str); 8] = [
    ("smallint", "a::text::numeric::smallint"),
    ("integer", "a::text::numeric::integer"),
    ("bigint", "a::text::numeric::bigint"),
    ("numeric(10,2)", "a::text::numeric(10,2)"),
    ("numeric", "a::text::numeric"),
    ("text", "a::text"),
    ("varchar(20)", "a::text"),
    ("character(12)", "a::text"),
];

fn open(folder: &std::path::Path) -> (engine::Server, Arc<Ledger>, Client) {
    let server = engine::Server::open(folder, engine::Options::real()).unwrap();
    let options = relational::Options { memory_bytes: 64 << 20, run_memory_bytes: 64 << 20, partitions: 1, batch_rows: 8_192 };
    let relational = Arc::new(relational::Relational::new(options).unwrap());
    let ledger = server.ledger("shockwave").unwrap();
    let client = Client(planner::Session::new(planner::Database::new(Arc::clone(&ledger), relational), "shockwave", ""));
    (server, ledger, client)
}

const ALL: &str = "SELECT pg_typeof(a), * FROM t ORDER BY id";

async fn newest(client: &mut Client) -> String {
    client.run("SELECT max(commit_seq) FROM ledger.commits").await.value().to_owned()
}

async fn step(client: &mut Client, draw: &mut Draw, is_type: &mut usize) {
    let id = draw.below(12);
    match draw.below(6) {
        0 | 1 => {
            let value = draw.below(30_000);
            client.run(&format!("INSERT INTO t VALUES ({id}, '{value}', 'x') ON CONFLICT (id) DO UPDATE SET b = t.b || 'y'")).await;
        }
        2 => drop(client.run(&format!("DELETE FROM t WHERE id = {id}")).await),
        _ => {
            *is_type = draw.below(TYPES.len() as u64) as usize;
            let (name, using) = TYPES[*is_type];
            client.run(&format!("ALTER TABLE t ALTER COLUMN a TYPE {name} USING {using}, ALTER COLUMN b SET DEFAULT 'd{id}'")).await;
        }
    }
}

#[tokio::test]
async fn every_commit_goes_on_answering_with_the_type_of_then() {
    let seeds = std::env::var("SHOCKWAVE_SEEDS").ok().and_then(|seeds| {
        let (first, end) = seeds.split_once("..")?;
        Some(first.parse().ok()?..end.parse().ok()?)
    });
    for seed in seeds.unwrap_or(0..3_u64) {
        let folder = tempfile::tempdir().unwrap();
        let (mut draw, mut is_type) = (Draw(seed), 1);
        let mut answered: Vec<(String, Vec<String>)> = Vec::new();
        for round in 0..4 {
            let (server, ledger, mut client) = open(folder.path());
            if round == 0 {
                client.run("CREATE TABLE t (id int PRIMARY KEY, a int, b text)").await;
                client.run("CREATE INDEX t_a ON t (a)").await;
            }
            for _ in 0..8 {
                step(&mut client, &mut draw, &mut is_type).await;
                let seq = newest(&mut client).await;
                let lines = client.lines(ALL).await;
                // The index that was made anew finds what a scan does.
                for line in &lines {
                    let parts: Vec<&str> = line.split('|').collect();
                    let found = client.lines(&format!("SELECT id FROM t WHERE a = '{}' ORDER BY id", parts[2])).await;
                    assert!(found.contains(&parts[1].to_owned()), "seed {seed}: {line} by its value: {found:?}");
                }
                answered.push((seq, lines));
            }
            for (seq, lines) in &answered {
                let then = ALL.replace("FROM t", &format!("FROM t FOR SYSTEM_TIME AS OF COMMIT {seq}"));
                assert_eq!(&client.lines(&then).await, lines, "seed {seed}, round {round}, commit {seq}");
            }
            check_receipts(&ledger, &mut client).await;
            drop((client, ledger));
            match round {
                0 => server.close_unsealed().unwrap(),
                _ => server.shutdown().unwrap(),
            }
            if round == 2 {
                std::fs::remove_dir_all(folder.path().join("ledgers/shockwave/folds")).unwrap();
            }
        }
    }
}

async fn check_receipts(ledger: &Arc<Ledger>, client: &mut Client) {
    let policy = receipts::Policy::parse(format!("log {}\nquorum none\n", ledger.verifier_keys()[0]).as_bytes()).unwrap();
    for line in client.lines("SELECT commit_seq, rows FROM ledger.commits WHERE rows > 0").await {
        let (seq, rows) = line.split_once('|').unwrap();
        for row in 0..rows.parse::<u64>().unwrap() {
            let receipt = ledger.receipt(seq.parse().unwrap(), Some(row)).unwrap();
            let verdict = receipts::verify_receipt(receipt.as_bytes(), &policy);
            assert_eq!(verdict.exit_code(), 0, "commit {seq}, row {row}: {verdict}");
        }
    }
}

#[tokio::test]
async fn a_type_that_only_widens_writes_no_row() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, _ledger, mut client) = open(folder.path());
    client.run("CREATE TABLE t (id int PRIMARY KEY, a varchar(3), n numeric(6,2), m int)").await;
    client.run("INSERT INTO t VALUES (1, 'abc', 1234.56, 7), (2, NULL, NULL, NULL)").await;
    let before = client.run("SELECT sum(rows) FROM ledger.commits").await.value().to_owned();
    client.run("ALTER TABLE t ALTER a TYPE text, ALTER n TYPE numeric(12,4), ALTER m TYPE bigint").await;
    let after = client.run("SELECT sum(rows) FROM ledger.commits").await.value().to_owned();
    // One: the definition's.
    assert_eq!(after.parse::<u64>().unwrap(), before.parse::<u64>().unwrap() + 1);
    client.run("INSERT INTO t VALUES (3, 'longer', 12345678.1234, 5000000000)").await;
    assert_eq!(client.lines("SELECT * FROM t ORDER BY id").await, ["1|abc|1234.5600|7", "2|∅|∅|∅", "3|longer|12345678.1234|5000000000"]);
    assert_eq!(
        client.lines("SELECT id, m, _ended_by IS NULL FROM t FOR SYSTEM_TIME ALL ORDER BY id").await,
        ["1|7|t", "2|∅|t", "3|5000000000|t"]
    );
    client.run("ALTER TABLE t ALTER m TYPE text").await;
    assert_eq!(
        client.lines("SELECT id, m FROM t FOR SYSTEM_TIME ALL WHERE _ended_by IS NOT NULL ORDER BY id").await,
        ["1|∅", "2|∅", "3|∅"]
    );
}

#[tokio::test]
async fn who_writes_meanwhile_makes_the_change_lose() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, ledger, mut client) = open(folder.path());
    client.run("CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1)").await;
    let options = relational::Options { memory_bytes: 64 << 20, run_memory_bytes: 64 << 20, partitions: 1, batch_rows: 8_192 };
    let relational = Arc::new(relational::Relational::new(options).unwrap());
    let mut other = Client(planner::Session::new(planner::Database::new(ledger, relational), "shockwave", ""));
    client.run("BEGIN; ALTER TABLE t ALTER a TYPE text").await;
    other.run("INSERT INTO t VALUES (2, 2)").await;
    assert_eq!(client.error("COMMIT").await.state().0, "40001");
    assert_eq!(client.lines("SELECT pg_typeof(a), a FROM t ORDER BY id").await, ["integer|1", "integer|2"]);
}
