//! A process that ends between two calls, its successor, and a power loss after that.
//!
//! A name given by a killed process and not yet synced was adopted by the next one as durable. A power loss then took `ledger.id` and with it the
//! ledger, or a segment that `ledger.segments` named already, after which no seal could succeed.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use base::{Fault, SimIo, SqlResult};
use engine::Server;

use crate::backups_broken_off::options;
use crate::ledger::{all, create_table, find, insert, many, rows, table};

fn open(io: &SimIo) -> SqlResult<Server> {
    Server::open(Path::new("/data"), options(io))
}

#[test]
fn what_a_successor_acknowledges_outlives_a_power_loss() {
    for step in 1.. {
        let io = SimIo::new(step);
        io.plan(step, Fault::Error);
        if let Ok(server) = open(&io) {
            let ledger = server.ledger("shockwave").unwrap();
            let mut first = ledger.begin("tester");
            first.create_schema("other").unwrap();
            // Each of these may be the one that the fault ends.
            let _ = first.commit_blocking().and_then(|_| ledger.seal());
            let _ = server.close_unsealed();
        }
        if io.steps() < step {
            assert!(step > 60, "the fault struck every step of a creation and a seal");
            return;
        }
        let server = open(&io).unwrap();
        let ledger = server.ledger("shockwave").unwrap();
        create_table(&ledger);
        insert(&ledger, &rows(&table(&ledger), &[(1, "acknowledged")]));
        io.crash();
        let _ = server.close_unsealed();
        drop((server, ledger));
        io.restart();
        let server = open(&io).unwrap();
        let ledger = server.ledger("shockwave").unwrap();
        assert_eq!(find(&ledger.begin("r"), 1).unwrap().1, "acknowledged", "step {step}");
        ledger.seal().unwrap();
        assert_eq!(all(&ledger.begin("r")).len(), 1, "step {step}");
        server.shutdown().unwrap();
    }
}

#[test]
fn a_writer_after_a_failed_commit_hears_of_the_failure() {
    let io = SimIo::new(1);
    let server = open(&io).unwrap();
    let ledger = server.ledger("shockwave").unwrap();
    let t = create_table(&ledger);
    insert(&ledger, &rows(&t, &[(1, "one")]));
    let mut lost = ledger.begin("tester");
    let (one, _) = find(&lost, 1).unwrap();
    lost.delete(&t, &[one]).unwrap();
    lost.insert(&t, &rows(&t, &[(2, "two")])).unwrap();
    io.fail_next_sync();
    let failure = lost.commit_blocking().unwrap_err();
    let mut late = ledger.begin("tester");
    for answer in [late.delete(&t, &[one]), late.insert(&t, &rows(&t, &[(2, "again")]))] {
        let error = answer.unwrap_err();
        assert_eq!(error.state(), failure.state());
        assert!(error.message().starts_with("the ledger takes no more writes"), "{error}");
    }
    let _ = server.close_unsealed();
}

#[test]
fn rows_gone_ahead_into_the_log_outlive_a_seal_that_runs_beside_them() {
    const ROUNDS: i64 = 200;
    let io = SimIo::new(1);
    let server = open(&io).unwrap();
    let ledger = server.ledger("shockwave").unwrap();
    let t = create_table(&ledger);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                ledger.seal().unwrap();
            }
        });
        let writes = (0..ROUNDS).try_for_each(|round| {
            let mut transaction = ledger.begin("tester");
            transaction.insert(&t, &many(&t, round * 1_100, 1_100))?;
            transaction.commit_blocking().map(drop)
        });
        done.store(true, Ordering::Relaxed);
        writes.unwrap();
    });
    server.close_unsealed().unwrap();
    drop((server, ledger));
    let server = open(&io).unwrap();
    let ledger = server.ledger("shockwave").unwrap();
    assert_eq!(all(&ledger.begin("r")).len() as i64, ROUNDS * 1_100);
    server.shutdown().unwrap();
}
