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

/// Those that are asked for, or the usual.
pub(super) fn seeds(usual: Range<u64>) -> Range<u64> {
    let Some(given) = std::env::var("SHOCKWAVE_SEEDS").ok() else { return usual };
    let (from, to) = given.split_once("..").expect("SHOCKWAVE_SEEDS=from..to");
    from.parse().unwrap()..to.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_statements_are_answered_as_by_postgresql() {
    asked_of_both("random statements", seeds(SEEDS), run).await;
}

/// What each seed asks of both servers, each time of new ones.
pub(super) async fn asked_of_both(what: &str, seeds: Range<u64>, ask: fn(&mut Pair)) {
    let Some(mut cluster) = tokio::task::spawn_blocking(Cluster::start).await.unwrap() else {
        say(&format!("PostgreSQL 15 is NOT installed: {what} were NOT compared"));
        return;
    };
    let (mut statements, mut failures) = (0, Vec::new());
    for seed in seeds.clone() {
        let server = start().await;
        let run = move || {
            let database = cluster.fresh_database();
            let mut pair = Pair {
                ours: Session::open(server.address.port(), USER, USER).unwrap(),
                theirs: Session::open(cluster.port, &database, USER).unwrap(),
                seed,
                statements: 0,
                refused: 0,
                failures: Vec::new(),
            };
            ask(&mut pair);
            assert!(20 * pair.refused < pair.statements, "seed {}: {} of {} refused", pair.seed, pair.refused, pair.statements);
            (pair.statements - pair.refused, pair.failures, cluster, server)
        };
        let (asked, failed, back, server) = tokio::task::spawn_blocking(run).await.unwrap();
        cluster = back;
        server.shutdown.request();
        statements += asked;
        failures.extend(failed);
    }
    say(&format!("{statements} {what} compared with PostgreSQL's answers, seeds {seeds:?}"));
    assert!(failures.is_empty(), "{} failures\n\n{}", failures.len(), failures.join("\n\n"));
}

fn run(pair: &mut Pair) {
    let mut generator = Generator::new(pair.seed);
    for statement in generator.data() {
        pair.compare(&statement, false);
    }
    for _ in 0..QUERIES {
        let (query, ordered) = generator.query();
        pair.compare(&query, ordered);
    }
    for _ in 0..WRITES {
        pair.compare(&generator.write(), false);
    }
    pair.compare("COMMIT", true);
    for table in TABLES {
        pair.compare(&format!("SELECT * FROM {table} ORDER BY id"), true);
    }
}

/// A session of each server.
pub(super) struct Pair {
    pub(super) ours: Session,
    theirs: Session,
    pub(super) seed: u64,
    statements: usize,
    /// Those of the statements that are too large for ours.
    refused: usize,
    failures: Vec<String>,
}

impl Pair {
    /// The same statement to both.
    pub(super) fn compare(&mut self, sql: &str, ordered: bool) {
        self.compare_with(sql, sql, ordered);
    }

    /// A statement to ours, and to theirs what means the same there.
    pub(super) fn compare_with(&mut self, ours: &str, theirs: &str, ordered: bool) {
        self.statements += 1;
        let (said, answered) = (self.theirs.ask(theirs), self.ours.ask(ours));
        let is_known = matches!(&said, Answer::Failed { state, .. } if state == "08006");
        assert!(!is_known, "seed {}: PostgreSQL was lost by {theirs}", self.seed);
        // A pattern that comes to too many joins is refused, never answered in part.
        if ours != theirs && matches!(&answered, Answer::Failed { state, .. } if state == "54001") {
            self.refused += 1;
            return;
        }
        if said.lines(!ordered) != answered.lines(!ordered) {
            let (said, answered) = (said.shown(!ordered), answered.shown(!ordered));
            let other = if ours == theirs { String::new() } else { format!("\n  as {theirs}") };
            self.failures.push(format!("seed {}: {ours}{other}\n  PostgreSQL\n    {said}\n  Shockwave\n    {answered}", self.seed));
        }
    }
}
