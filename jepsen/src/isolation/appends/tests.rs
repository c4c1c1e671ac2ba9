//! The judge over histories written by hand: each anomaly is found at the levels that exclude it and let pass where it is allowed.

use super::history::{End, History, Key, Step, Transaction};
use super::judge::{Level, judge};

fn a(key: Key, element: u64) -> Step {
    Step::Append(key, element)
}

fn r(key: Key, list: &[u64]) -> Step {
    Step::Read(key, list.to_vec())
}

/// All at once, unless told otherwise.
fn t(steps: &[Step]) -> Transaction {
    Transaction { steps: steps.to_vec(), end: End::Committed, began_ns: 0, ended_ns: 100 }
}

fn at(began_ns: u64, ended_ns: u64, steps: &[Step]) -> Transaction {
    Transaction { began_ns, ended_ns, ..t(steps) }
}

fn ended(end: End, steps: &[Step]) -> Transaction {
    Transaction { end, ..t(steps) }
}

fn h(transactions: &[Transaction], last: &[(Key, &[u64])]) -> History {
    History { transactions: transactions.to_vec(), last: last.iter().map(|(key, list)| (*key, list.to_vec())).collect() }
}

/// What each level says: `ok`, or how its error begins after the level's name is taken away.
fn said(history: &History) -> [String; 3] {
    Level::ALL.map(|level| match judge(history, level) {
        Ok(_) => "ok".to_owned(),
        Err(why) => match why.split_once('(') {
            Some((cycle, rest)) if cycle.starts_with("a cycle") => rest.split_once(')').unwrap().0.to_owned(),
            _ => why.split_once(':').unwrap().0.to_owned(),
        },
    })
}

#[test]
fn an_order_that_explains_everything_is_fine_at_every_level() {
    let history = h(
        &[
            at(0, 10, &[a(1, 1), r(1, &[1]), a(2, 2)]),
            at(20, 30, &[r(1, &[1]), r(2, &[2]), a(1, 3), r(1, &[1, 3])]),
            at(25, 40, &[r(3, &[]), a(3, 4)]),
            ended(End::Aborted, &[a(3, 5), r(3, &[4, 5])]),
            ended(End::Unknown, &[a(3, 6)]),
            ended(End::Unknown, &[a(3, 7)]),
        ],
        &[(1, &[1, 3]), (2, &[2]), (3, &[4, 7])],
    );
    assert_eq!(said(&history), ["ok"; 3]);
    let verdict = judge(&history, Level::Serializable).unwrap();
    assert_eq!((verdict.committed, verdict.committed_unanswered, verdict.aborted), (4, 1, 2));
    // ww of 1 and 3, of 4 and 7; the second read what the first wrote, and the first did not see what the second did.
    assert_eq!(verdict.dependencies, 4);
}

#[test]
fn what_no_level_allows_is_told_by_each() {
    let first = &[t(&[a(1, 1)])][..];
    let with = |more: &[Transaction], last: &[u64]| said(&h(&[first, more].concat(), &[(1, last)]));
    assert_eq!(with(&[], &[])[0], "lost");
    assert_eq!(judge(&h(first, &[(1, &[1, 2])]), Level::ReadCommitted), Err("list 1 has 2, which nobody appended".to_owned()));
    for (more, last, wanted) in [
        (ended(End::Aborted, &[a(1, 2)]), &[1, 2][..], "G1a"),
        (ended(End::Unknown, &[a(1, 2), a(1, 3)]), &[1, 2], "half a transaction is there"),
        (t(&[a(1, 2), r(1, &[1])]), &[1, 2], "it did not read what it had appended itself"),
        (t(&[r(1, &[2])]), &[1], "G1a"),
        (t(&[a(1, 2), a(1, 3), r(1, &[2, 3])]), &[1, 2, 3], "what it read is not how the list began"),
    ] {
        let said = with(&[more], last);
        assert!(said.iter().all(|said| said.starts_with(wanted)), "{wanted}: {said:?}");
    }
    assert_eq!(with(&[ended(End::Aborted, &[a(1, 2)]), t(&[r(1, &[1, 2])])], &[1]), ["G1a"; 3]);
    assert_eq!(with(&[t(&[a(1, 2), a(1, 3)]), t(&[r(1, &[1, 2])])], &[1, 2, 3]), ["G1b"; 3]);
}

#[test]
fn cycles_of_writes_and_reads_are_excluded_everywhere() {
    let g0 = h(&[t(&[a(1, 1), a(2, 2)]), t(&[a(1, 3), a(2, 4)])], &[(1, &[1, 3]), (2, &[4, 2])]);
    assert_eq!(said(&g0), ["G0"; 3]);
    let g1c = h(&[t(&[a(1, 1), r(2, &[2])]), t(&[a(2, 2), r(1, &[1])])], &[(1, &[1]), (2, &[2])]);
    assert_eq!(said(&g1c), ["G1c"; 3]);
}

#[test]
fn skew_of_reads_is_allowed_under_read_committed_alone() {
    // Reads list 1 before and list 2 after the same commit.
    let skew = h(&[t(&[r(1, &[]), r(2, &[2])]), t(&[a(1, 1), a(2, 2)])], &[(1, &[1]), (2, &[2])]);
    assert_eq!(said(&skew), ["ok", "G-single", "G-single"]);
    // A lost update: appends behind what it had not seen when it read.
    let lost = h(&[t(&[r(1, &[]), a(1, 2)]), t(&[a(1, 1)])], &[(1, &[1, 2])]);
    assert_eq!(said(&lost), ["ok", "G-single", "G-single"]);
}

#[test]
fn skew_of_writes_is_excluded_by_serializable_alone() {
    let skew = h(&[t(&[r(1, &[]), a(2, 2)]), t(&[r(2, &[]), a(1, 1)])], &[(1, &[1]), (2, &[2])]);
    assert_eq!(said(&skew), ["ok", "ok", "G2"]);
    // Fekete, O'Neil and O'Neil's reader: it saw the second writer's commit and not the first's, which had read before it.
    let reader = h(&[t(&[r(1, &[]), r(2, &[]), a(1, 1)]), t(&[r(2, &[]), a(2, 2)]), t(&[r(1, &[]), r(2, &[2])])], &[(1, &[1]), (2, &[2])]);
    assert_eq!(said(&reader), ["ok", "ok", "G2"]);
    // Two anti-dependencies that do not follow one another are no snapshots'.
    let apart = h(
        &[t(&[r(1, &[]), r(4, &[4])]), t(&[a(1, 1), a(2, 2)]), t(&[r(2, &[2]), r(3, &[])]), t(&[a(3, 3), a(4, 4)])],
        &[(1, &[1]), (2, &[2]), (3, &[3]), (4, &[4])],
    );
    assert_eq!(said(&apart), ["ok", "G2", "G2"]);
}

#[test]
fn who_begins_after_an_end_comes_after_it() {
    let stale = h(&[at(0, 10, &[a(1, 1)]), at(20, 30, &[r(1, &[])])], &[(1, &[1])]);
    assert_eq!(said(&stale), ["ok", "G-single", "G-single"]);
    let overlapping = h(&[at(0, 25, &[a(1, 1)]), at(20, 30, &[r(1, &[])])], &[(1, &[1])]);
    assert_eq!(said(&overlapping), ["ok"; 3]);
    let backwards = h(&[at(0, 10, &[a(1, 1)]), at(20, 30, &[a(1, 2)])], &[(1, &[2, 1])]);
    assert_eq!(said(&backwards), ["a commit that came before one that had ended when it began"; 3]);
    // Nobody was told that it had ended.
    let mut untold = stale;
    untold.transactions[0].end = End::Unknown;
    assert_eq!(said(&untold), ["ok"; 3]);
}
