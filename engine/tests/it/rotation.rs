//! Keys that are replaced: what is signed by which, who is believed, and a loss of power at every step of it.

use std::path::Path;
use std::sync::Arc;

use base::{Fault, Io, RealIo, SeededRng, SimClock, SimIo, SqlResult};
use engine::fsck::{Request, check};
use engine::{Ledger, Memory, Options, Server};
use receipts::verify::follow_keys;
use receipts::{Policy, Verdict, verify_receipt};

use crate::ledger::{all, create_table, insert, open, rows, table};

fn policy_of(ledger: &Ledger) -> String {
    ledger.verifier_keys().iter().map(|key| format!("log {key}\n")).collect::<String>() + "quorum none\n"
}

fn is_valid(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Valid(_))
}

fn fsck(io: &Arc<dyn Io>, folder: &Path, policy: &str) -> Verdict {
    let policy = Policy::parse(policy.as_bytes()).unwrap();
    check(io, &Request { folder, policy: &policy, pinned: None, threads: 1 }).0
}

#[test]
fn what_is_signed_after_a_rotation_is_signed_by_the_new_keys_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (server, ledger) = open(folder.path());
    let t = create_table(&ledger);
    let before = insert(&ledger, &rows(&t, &[(1, "before")]));
    ledger.seal().unwrap();
    let old = policy_of(&ledger);
    let early = ledger.receipt(before.seq.0, Some(0)).unwrap();

    let seq = ledger.rotate_keys().unwrap();
    let new = policy_of(&ledger);
    assert_ne!(old, new);
    let after = insert(&ledger, &rows(&t, &[(2, "after")]));
    ledger.seal().unwrap();
    let late = ledger.receipt(before.seq.0, Some(0)).unwrap();
    let of_new = ledger.receipt(after.seq.0, Some(0)).unwrap();
    let named = ledger.receipt(seq.0, None).unwrap();

    let verify = |receipt: &str, policy: &str| verify_receipt(receipt.as_bytes(), &Policy::parse(policy.as_bytes()).unwrap());
    assert!(is_valid(&verify(&early, &old)) && !is_valid(&verify(&early, &new)));
    for receipt in [&late, &of_new, &named] {
        assert!(is_valid(&verify(receipt, &new)), "{}", verify(receipt, &new));
        assert!(matches!(verify(receipt, &old), Verdict::Tampered(_)), "{}", verify(receipt, &old));
    }
    let both = follow_keys(named.as_bytes(), old.as_bytes()).unwrap();
    for receipt in [&early, &late, &of_new] {
        assert!(is_valid(&verify(receipt, &both)));
    }

    // The private keys are the new ones, after a start too, and the old ones are nowhere.
    drop(ledger);
    server.shutdown().unwrap();
    drop(server);
    let keys: Vec<_> =
        std::fs::read_dir(folder.path().join("ledgers/shockwave/keys")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(keys.iter().all(|name| name != "signing.key.next"), "{keys:?}");
    let (server, ledger) = open(folder.path());
    assert_eq!(policy_of(&ledger), new);
    ledger.rotate_keys().unwrap();
    insert(&ledger, &rows(&table(&ledger), &[(3, "twice")]));
    let newest = policy_of(&ledger);
    drop(ledger);
    server.shutdown().unwrap();
    let io: Arc<dyn Io> = Arc::new(RealIo);
    let ledger = folder.path().join("ledgers/shockwave");
    assert!(is_valid(&fsck(&io, &ledger, &newest)), "{}", fsck(&io, &ledger, &newest));
    assert!(matches!(fsck(&io, &ledger, &new), Verdict::Tampered(_)), "{}", fsck(&io, &ledger, &new));
}

#[test]
fn only_keys_that_a_pinned_one_signed_are_followed() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (_server, ledger) = open(one.path());
    let (_other_server, stranger) = open(other.path());
    let old = policy_of(&ledger);
    let first = ledger.receipt(0, None).unwrap();
    let seq = ledger.rotate_keys().unwrap();
    let named = ledger.receipt(seq.0, None).unwrap();
    let theirs = stranger.rotate_keys().unwrap();
    let theirs = stranger.receipt(theirs.0, None).unwrap();
    let follow = |receipt: &str, policy: &str| follow_keys(receipt.as_bytes(), policy.as_bytes());
    assert!(follow(&named, &old).is_ok());
    assert!(matches!(follow(&first, &old), Err(Verdict::Malformed(_))), "the first keys replace none");
    assert!(matches!(follow(&theirs, &old), Err(Verdict::Inconclusive(_))), "another ledger's");
    // A policy that pins strangers' keys under this ledger's name.
    let forged = policy_of(&stranger).replace(stranger.origin(), ledger.origin());
    if let Ok(forged) = Policy::parse(forged.as_bytes()).map(|_| forged) {
        assert!(matches!(follow(&named, &forged), Err(Verdict::Tampered(_))));
    }
    let spoilt = named.replacen('A', "B", 1);
    assert!(follow(&spoilt, &old).is_err());
    // From the keys of now to those that replaced them, and not two steps at once.
    let now = follow(&named, &old).unwrap();
    let again = ledger.rotate_keys().unwrap();
    let again = ledger.receipt(again.0, None).unwrap();
    assert!(follow(&again, &now).is_ok());
    assert!(matches!(follow(&again, &old), Err(Verdict::Tampered(_))));
}

fn open_on(io: &SimIo) -> SqlResult<Server> {
    let options = Options {
        io: Arc::new(io.clone()),
        expressions: Arc::new(engine::NoExpressions),
        clock: Arc::new(SimClock::new(1, 1)),
        rng: Arc::new(SeededRng::new(7)),
        wal_file_bytes: 1 << 16,
        hash_threads: 1,
        memory: Memory::default(),
        fold_threads: false,
        scrub_bytes_per_s: 0,
        use_uring: false,
    };
    Server::open(Path::new("/data"), options)
}

/// With an error or a loss of power at each step: the ledger opens, goes on, and its folder is whole under the keys that it says it has.
#[test]
fn a_rotation_cut_short_at_any_step_leaves_one_pair_of_keys() {
    for loses_power in [false, true] {
        let (mut kept_old, mut got_new) = (0, 0);
        for step in 1.. {
            let io = SimIo::new(step);
            let server = open_on(&io).unwrap();
            let ledger = server.ledger("shockwave").unwrap();
            let t = create_table(&ledger);
            insert(&ledger, &rows(&t, &[(1, "before")]));
            let old = policy_of(&ledger);
            let begun = io.steps();
            io.plan(begun + step, if loses_power { Fault::Crash } else { Fault::Error });
            let rotated = ledger.rotate_keys();
            let is_over = io.steps() < begun + step;
            let said = policy_of(&ledger);
            let _ = server.close_unsealed();
            drop((server, ledger));
            if is_over {
                break;
            }
            if loses_power {
                io.restart();
            }
            let server = open_on(&io).unwrap_or_else(|error| panic!("step {step}: {error}"));
            let ledger = server.ledger("shockwave").unwrap();
            let now = policy_of(&ledger);
            match rotated {
                Ok(_) => assert_eq!(now, said, "step {step}: an acknowledged rotation is not lost"),
                Err(_) if now == old => kept_old += 1,
                Err(_) => got_new += 1,
            }
            insert(&ledger, &rows(&table(&ledger), &[(2, "after")]));
            assert_eq!(all(&ledger.begin("r")).len(), 2, "step {step}");
            ledger.rotate_keys().unwrap();
            let newest = policy_of(&ledger);
            drop(ledger);
            server.shutdown().unwrap();
            let disk: Arc<dyn Io> = Arc::new(io.clone());
            let verdict = fsck(&disk, Path::new("/data/ledgers/shockwave"), &newest);
            assert!(is_valid(&verdict), "step {step}: {verdict}");
        }
        assert!(kept_old > 0 && got_new > 0, "both outcomes were met: {kept_old} and {got_new}");
    }
}
