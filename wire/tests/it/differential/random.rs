//! Random statements over random data, to Shockwave and to PostgreSQL 15.
//!
//! Z1: everything follows from the seed; a failure prints it, and `SHOCKWAVE_SEEDS=7..8 cargo test -p wire --test it random` runs it again,
//!     as a wider range runs more.
//! Z2: answers are compared whole where the statement orders them, else as bags of rows.
//! Never: divides by what may be zero or adds floating-point numbers that do not fit exactly: what comes first would be the servers' choice.

use std::ops::Range;

use super::answer::Answer;
use super::cluster::{Cluster, USER};
use super::generator::{Generator, TABLES};
use super::say;
use super::session::Session;
use crate::server::start;

/// Seeds of an ordinary run, each with [`QUERIES`] queries over its own data.
const SEEDS: Range<u64> = 0..6;
const QUERIES: usize = 60;
const WRITES: usize = 30;

fn seeds() -> Range<u64> {
    let Some(given) = std::env::var("SHOCKWAVE_SEEDS").ok() else { return SEEDS };
    let (from, to) = given.split_once("..").expect("SHOCKWAVE_SEEDS=from..to");
    from.parse().unwrap()..to.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_statements_are_answered_as_by_postgresql() {
    let Some(mut cluster) = tokio::task::spawn_blocking(Cluster::start).await.unwrap() else {
        say("PostgreSQL 15 is NOT installed: random statements were NOT compared");
        return;
    };
    let (mut statements, mut failures) = (0, Vec::new());
    for seed in seeds() {
        let server = start().await;
        let run = move || {
            let database = cluster.fresh_database();
            let mut pair = Pair {
                ours: Session::open(server.address.port(), USER, USER).unwrap(),
                theirs: Session::open(cluster.port, &database, USER).unwrap(),
                seed,
                statements: 0,
                failures: Vec::new(),
            };
            pair.run();
            (pair.statements, pair.failures, cluster, server)
        };
        let (asked, failed, back, server) = tokio::task::spawn_blocking(run).await.unwrap();
        cluster = back;
        server.shutdown.request();
        statements += asked;
        failures.extend(failed);
    }
    say(&format!("{statements} random statements compared with PostgreSQL's answers"));
    assert!(failures.is_empty(), "{} failures\n\n{}", failures.len(), failures.join("\n\n"));
}

struct Pair {
    ours: Session,
    theirs: Session,
    seed: u64,
    statements: usize,
    failures: Vec<String>,
}

impl Pair {
    fn run(&mut self) {
        let mut generator = Generator::new(self.seed);
        for statement in generator.data() {
            self.compare(&statement, false);
        }
        for _ in 0..QUERIES {
            let (query, ordered) = generator.query();
            self.compare(&query, ordered);
        }
        for _ in 0..WRITES {
            self.compare(&generator.write(), false);
        }
        self.compare("COMMIT", true);
        for table in TABLES {
            self.compare(&format!("SELECT * FROM {table} ORDER BY id"), true);
        }
    }

    fn compare(&mut self, sql: &str, ordered: bool) {
        self.statements += 1;
        let (theirs, ours) = (self.theirs.ask(sql), self.ours.ask(sql));
        let is_known = matches!(&theirs, Answer::Failed { state, .. } if state == "08006");
        assert!(!is_known, "seed {}: PostgreSQL was lost by {sql}", self.seed);
        if theirs.lines(!ordered) != ours.lines(!ordered) {
            let (theirs, ours) = (theirs.shown(!ordered), ours.shown(!ordered));
            self.failures.push(format!("seed {}: {sql}\n  PostgreSQL\n    {theirs}\n  Shockwave\n    {ours}", self.seed));
        }
    }
}
