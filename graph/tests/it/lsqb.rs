//! The nine shapes of LSQB over its data, where present: every count is the published one.

use std::path::PathBuf;

use base::CommitSeq;
use graph::{Answer, Budget, FromStatistics, Run, Statistics, Strategy, Topology, plan, run};

use crate::shapes::{ALL, PART, shape};

/// The folder, where present: `../shared/data` beside the workspace, or what `SHOCKWAVE_DATA` names.
fn folder(name: &str) -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let upper = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let given = std::env::var_os("SHOCKWAVE_DATA").map(PathBuf::from);
    let found = given.into_iter().chain([beside, upper]).map(|root| root.join(name)).find(|folder| folder.is_dir());
    if found.is_none() {
        println!("skipped: there is no shared/data/{name} beside the repository");
    }
    found
}

fn count(topology: &Topology, number: usize, strategy: Strategy, last: u64) -> u64 {
    let snapshot = topology.snapshot(CommitSeq(last));
    let statistics = Statistics::of(&snapshot);
    let query = shape(number, snapshot.schema());
    let plan = plan(&query, snapshot.schema(), &FromStatistics { schema: snapshot.schema(), statistics: &statistics }, strategy).unwrap();
    let clock = base::RealClock;
    let how = Run { budget: Budget::new(1 << 30), limit: None, clock: Some(&clock), threads: 1 };
    let (answer, actual) = run(&plan, &snapshot, &how).unwrap();
    println!("q{number}\n{}", plan.explain(snapshot.schema(), &|var| char::from(b'a' + var.0 as u8).to_string(), Some(&actual)));
    let Answer::Count(count) = answer else { panic!("a count was asked for") };
    count
}

#[test]
fn the_small_graph_has_the_published_counts() {
    let Some(folder) = folder("lsqb-sf0.003") else { return };
    let topology = ALL.load(&folder, 1);
    for (number, expected) in (1..).zip([20_608, 281, 0, 3_047, 4_973, 33_201, 7_188, 2_436, 23_669]) {
        assert_eq!(count(&topology, number, Strategy::Cheapest, 0), expected, "q{number}");
    }
}

#[test]
fn the_larger_graph_has_the_published_counts_fresh_and_compacted() {
    let Some(folder) = folder("lsqb-sf0.1") else { return };
    let topology = PART.load(&folder, 40);
    for is_compacted in [false, true] {
        for (number, expected) in [(3, 30_456), (6, 55_607_896), (9, 51_009_398)] {
            assert_eq!(count(&topology, number, Strategy::Cheapest, 39), expected, "q{number}, compacted: {is_compacted}");
        }
        topology.compact();
    }
}
