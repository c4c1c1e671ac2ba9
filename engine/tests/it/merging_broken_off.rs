//! A merge that is broken off at any step, by power loss or by an error, has happened or not, and the next start and the next merge end it.

use std::path::Path;
use std::sync::Arc;

use base::{Fault, Io, SimIo};
use engine::{Ledger, Server};
use receipts::Policy;

use crate::backups_broken_off::options;
use crate::broken_off::{stop, valid};
use crate::ledger::{all, create_table, find, insert, many, rows, table};

const DATA: &str = "/data";

fn open(io: &SimIo) -> (Server, Arc<Ledger>) {
    let server = Server::open(Path::new(DATA), options(io)).unwrap();
    let ledger = server.ledger("shockwave").unwrap();
    (server, ledger)
}

/// Seventeen small files of `t`, one of its rows ended.
fn before(io: &SimIo) -> Policy {
    let (server, ledger) = open(io);
    let t = create_table(&ledger);
    for n in 0..17 {
        insert(&ledger, &many(&t, n * 10, 1 + n % 3));
        ledger.seal().unwrap();
    }
    let mut transaction = ledger.begin("tester");
    let (row, _) = find(&transaction, 30).unwrap();
    transaction.update(&t, &[row], &rows(&t, &[(30, "changed")])).unwrap();
    transaction.commit_blocking().unwrap();
    let policy = Policy::parse(format!("log {}\nquorum none\n", ledger.verifier_keys()[0]).as_bytes()).unwrap();
    server.close_unsealed().unwrap();
    policy
}

fn named(io: &SimIo, ledger: &Arc<Ledger>) -> usize {
    let folder = ledger.folder().join(format!("segments/{}", table(ledger).id));
    io.list(&folder).unwrap().iter().filter(|name| name.ends_with(".arrow")).count()
}

#[test]
fn a_merge_broken_off_at_any_step_is_whole_or_nothing() {
    let ground = SimIo::new(5);
    let policy = before(&ground);
    let wanted = {
        let (server, ledger) = open(&ground.copy(0));
        let found = all(&ledger.begin("r"));
        let _ = server.close_unsealed();
        found
    };
    for fault in [Fault::Crash, Fault::Error] {
        let mut counted = [0, 0];
        for step in 1.. {
            let io = ground.copy(step);
            let (server, ledger) = open(&io);
            io.plan(io.steps() + step, fault);
            let begun = io.steps();
            let answer = ledger.merge_segments();
            let is_over = io.steps() < begun + step;
            drop(ledger);
            let _ = stop(server, &io, fault, is_over);
            let place = format!("{fault:?} at step {step}");
            valid(&io, DATA, &policy, &place);
            let (server, ledger) = open(&io);
            assert_eq!(all(&ledger.begin("r")), wanted, "{place}");
            let files = named(&io, &ledger);
            assert!(matches!(files, 1..=2 | 17), "{place}: {files} files after a start, {answer:?}");
            let is_done = files < 17;
            assert!(answer.is_err() || is_done, "{place}: it was said to be done");
            counted[usize::from(is_done)] += 1;
            ledger.merge_segments().unwrap();
            assert!(named(&io, &ledger) <= 2, "{place}");
            assert_eq!(all(&ledger.begin("r")), wanted, "{place}");
            server.shutdown().unwrap();
            drop((server, ledger));
            valid(&io, DATA, &policy, &place);
            if is_over {
                break;
            }
        }
        assert!(counted[0] > 10 && counted[1] > 2, "{fault:?}: {counted:?}");
    }
}
