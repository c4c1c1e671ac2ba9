//! An EXPIRE that is broken off at any step, by power loss or by an error, has removed all of it or nothing, and the next start or EXPIRE ends it.

use std::path::Path;
use std::sync::Arc;

use base::{CommitSeq, Fault, Io, SimIo, SqlState};
use engine::expire::Wanted;
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

/// Two segments of rows that are all ended, one of rows that are not; the commit that wrote the first.
fn before(io: &SimIo) -> (CommitSeq, Policy) {
    let (server, ledger) = open(io);
    let t = create_table(&ledger);
    let written = insert(&ledger, &many(&t, 0, 30)).seq;
    ledger.seal().unwrap();
    insert(&ledger, &many(&t, 100, 20));
    ledger.seal().unwrap();
    let mut transaction = ledger.begin("tester");
    let ended: Vec<_> = (0..30).chain(100..120).map(|id| find(&transaction, id).unwrap().0).collect();
    transaction.delete(&t, &ended).unwrap();
    transaction.insert(&t, &rows(&t, &[(7, "lives")])).unwrap();
    transaction.commit_blocking().unwrap();
    let policy = Policy::parse(format!("log {}\nquorum none\n", ledger.verifier_keys()[0]).as_bytes()).unwrap();
    server.close_unsealed().unwrap();
    (written, policy)
}

fn expire(ledger: &Arc<Ledger>) -> base::SqlResult<u64> {
    let wanted = Wanted { tables: Some(vec![table(ledger).id]), before: ledger.snapshot().seq };
    ledger.expire("custodian", &wanted).map(|expired| expired.segments)
}

/// How many rows were seen as of a commit; `None` if they have expired.
fn seen(ledger: &Arc<Ledger>, seq: CommitSeq) -> Option<usize> {
    let mut transaction = ledger.begin("r");
    transaction.travel(ledger.moment(seq).unwrap());
    let view = transaction.reading(&table(ledger)).unwrap();
    let mut rows = 0;
    for chunk in view.scan(&[0, 1], false) {
        match chunk.read() {
            Ok(batch) => rows += batch.num_rows(),
            Err(error) => {
                assert_eq!(error.state(), SqlState::SNAPSHOT_TOO_OLD, "{error}");
                return None;
            }
        }
    }
    Some(rows)
}

fn named(io: &SimIo, ledger: &Arc<Ledger>, end: &str) -> usize {
    let folder = ledger.folder().join(format!("segments/{}", table(ledger).id));
    io.list(&folder).unwrap().iter().filter(|name| name.ends_with(end)).count()
}

#[test]
fn an_expire_broken_off_at_any_step_is_whole_or_nothing() {
    let ground = SimIo::new(3);
    let (written, policy) = before(&ground);
    for fault in [Fault::Crash, Fault::Error] {
        let mut counted = [0, 0];
        for step in 1.. {
            let io = ground.copy(step);
            let (server, ledger) = open(&io);
            io.plan(io.steps() + step, fault);
            let begun = io.steps();
            let answer = expire(&ledger);
            let is_over = io.steps() < begun + step;
            drop(ledger);
            let _ = stop(server, &io, fault, is_over);
            let place = format!("{fault:?} at step {step}");
            valid(&io, DATA, &policy, &place);
            let (server, ledger) = open(&io);
            let now = seen(&ledger, written);
            assert!(matches!(now, None | Some(30)), "{place}: {now:?}");
            assert_eq!(all(&ledger.begin("r")), [(7, "lives".to_owned())], "{place}");
            if now.is_none() {
                // What the commit says is so once the server has started.
                assert_eq!(named(&io, &ledger, ".arrow"), 1, "{place}");
            }
            assert!(answer.is_err() || now.is_none(), "{place}: it was said to be done");
            counted[usize::from(now.is_none())] += 1;
            let more = expire(&ledger).unwrap();
            assert_eq!(more, if now.is_none() { 0 } else { 2 }, "{place}");
            assert_eq!((named(&io, &ledger, ".arrow"), named(&io, &ledger, ".expired")), (1, 2), "{place}");
            server.shutdown().unwrap();
            drop((server, ledger));
            let verdict = valid(&io, DATA, &policy, &place);
            assert!(verdict.contains("EXPIRED"), "{place}: {verdict}");
            if is_over {
                break;
            }
        }
        assert!(counted[0] > 20 && counted[1] > 2, "{fault:?}: {counted:?}");
    }
}
