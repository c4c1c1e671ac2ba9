//! The cosigned checkpoint of a ledger: kept, waited for, carried by receipts, and proof against a folder that was set back.
#![allow(clippy::disallowed_methods, reason = "it does to files what an attacker would")]

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use base::{CommitSeq, SqlState};
use engine::{Ledger, Server};
use receipts::note::Note;
use receipts::{Keys, Policy, Verdict, WitnessSigner, verify_receipt};

use crate::ledger::{create_table, insert, open, options, rows, table};

fn witness() -> WitnessSigner {
    WitnessSigner::new("w.example", &[1; 32]).unwrap()
}

/// The ledger's newest checkpoint with a line of the witness.
fn cosigned(ledger: &Ledger) -> Note {
    let mut note = Note::parse(&ledger.checkpoint().sha_note).unwrap();
    note.add(witness().cosign(note.text(), 1_767_323_046)).unwrap();
    note
}

fn policy(ledger: &Ledger) -> Policy {
    let text = format!("log {}\nwitness w {}\nquorum w\n", ledger.verifier_keys()[0], witness().verifier());
    Policy::parse(text.as_bytes()).unwrap()
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn receipts_bear_it_where_it_covers_their_commit() {
    let dir = tempfile::tempdir().unwrap();
    let (server, ledger) = open(dir.path());
    let t = create_table(&ledger);
    let first = insert(&ledger, &rows(&t, &[(1, "a")]));
    let note = cosigned(&ledger);
    ledger.keep_cosigned(&note).unwrap();
    let second = insert(&ledger, &rows(&t, &[(2, "b")]));
    let policy = policy(&ledger);
    let verdict = |ledger: &Ledger, seq: u64| verify_receipt(ledger.receipt(seq, Some(0)).unwrap().as_bytes(), &policy);
    let columns = ["name".to_owned()];
    let disclosed = |ledger: &Ledger, seqs: &[u64]| {
        let rows: Vec<_> = seqs.iter().map(|seq| engine::receipt::Disclosed { seq: *seq, row: 0, columns: &columns }).collect();
        receipts::verify_disclosure(ledger.disclose(&rows).unwrap().as_bytes(), &policy)
    };
    let check = |ledger: &Ledger| {
        assert!(matches!(verdict(ledger, first.seq.0), Verdict::Valid(_)), "{}", verdict(ledger, first.seq.0));
        assert!(verdict(ledger, first.seq.0).to_string().contains("cosigned by"));
        assert!(matches!(verdict(ledger, second.seq.0), Verdict::Inconclusive(_)), "not yet");
        assert!(matches!(disclosed(ledger, &[first.seq.0]), Verdict::Valid(_)));
        assert!(matches!(disclosed(ledger, &[first.seq.0, second.seq.0]), Verdict::Inconclusive(_)));
        let size = ledger.cosigned().unwrap().size;
        assert_eq!(size, first.seq.0 + 1);
        assert!(ledger.consistency(1, size).unwrap().contains("w.example"));
        assert!(ledger.receipt_json(first.seq.0, None).unwrap().contains("w.example"));
    };
    check(&ledger);
    drop(ledger);
    server.shutdown().unwrap();
    drop(server);
    let server = Server::open(dir.path(), options()).unwrap();
    check(&server.ledger("shockwave").unwrap());
}

#[test]
fn an_export_has_what_witnesses_have_seen_and_shows_how_far() {
    let dir = tempfile::tempdir().unwrap();
    let (server, ledger) = open(dir.path());
    let t = create_table(&ledger);
    let first = insert(&ledger, &rows(&t, &[(1, "a")]));
    let io: Arc<dyn base::Io> = Arc::new(base::RealIo);
    let exported = |name: &str, end: Option<u64>, policy: &Policy| {
        let path = dir.path().join(name);
        ledger.export(&path, 0, end).unwrap();
        (engine::fsck::check_export(&io, &path, None, policy), path.join("cosigned").exists())
    };
    let (before, is_there) = exported("before", None, &policy(&ledger));
    assert!(matches!(before, Verdict::Inconclusive(_)) && !is_there, "{before}");
    ledger.keep_cosigned(&cosigned(&ledger)).unwrap();
    let size = ledger.cosigned().unwrap().size;
    assert!(size > first.seq.0);
    insert(&ledger, &rows(&t, &[(2, "b")]));
    let (covered, is_there) = exported("covered", Some(size), &policy(&ledger));
    assert!(matches!(covered, Verdict::Valid(_)) && is_there, "{covered}");
    let said = covered.to_string();
    for line in
        ["quorum of witnesses: w", &format!("that witnesses have seen the leaves from {size} on"), &format!("cosigned size  : {size}")]
    {
        assert!(said.contains(line), "«{line}» in {said}");
    }
    let (beyond, _) = exported("beyond", None, &policy(&ledger));
    assert!(matches!(beyond, Verdict::Inconclusive(_)), "rows that no witness has seen: {beyond}");
    // What was cosigned under the keys of before is not for whoever pins the new ones.
    ledger.rotate_keys().unwrap();
    let (rotated, is_there) = exported("rotated", Some(size), &policy(&ledger));
    assert!(matches!(rotated, Verdict::Inconclusive(_)) && !is_there, "{rotated}");
    ledger.keep_cosigned(&cosigned(&ledger)).unwrap();
    let (again, is_there) = exported("again", Some(size), &policy(&ledger));
    assert!(matches!(again, Verdict::Valid(_)) && is_there, "{again}");
    drop(ledger);
    server.shutdown().unwrap();
}

#[test]
fn only_checkpoints_of_this_ledger_are_kept_and_forwards_only() {
    let dir = tempfile::tempdir().unwrap();
    let (server, ledger) = open(dir.path());
    let t = create_table(&ledger);
    let old = cosigned(&ledger);
    insert(&ledger, &rows(&t, &[(1, "a")]));
    let new = cosigned(&ledger);
    ledger.keep_cosigned(&new).unwrap();
    ledger.keep_cosigned(&old).unwrap();
    assert_eq!(*ledger.cosigned().unwrap().note, new.to_string(), "G2");
    // More lines at the same size are taken.
    let mut more = new.clone();
    more.add(WitnessSigner::new("v.example", &[2; 32]).unwrap().cosign(more.text(), 5)).unwrap();
    ledger.keep_cosigned(&more).unwrap();
    assert_eq!(*ledger.cosigned().unwrap().note, more.to_string());
    let size = ledger.checkpoint().state.size;
    let keys = Keys::from_seeds(ledger.origin(), &[1; 32], &[2; 32]).unwrap();
    let other = Keys::from_seeds(&format!("x/{}", "ab".repeat(16)), &[1; 32], &[2; 32]).unwrap();
    for (note, why) in [
        (keys.sign_checkpoint(size, &[7; 32]), "another root"),
        (keys.sign_checkpoint(size + 1, &ledger.checkpoint().state.sha_root), "the ledger"),
        (other.sign_checkpoint(size, &ledger.checkpoint().state.sha_root), "is of x/"),
    ] {
        let error = ledger.keep_cosigned(&Note::parse(&note).unwrap()).unwrap_err();
        assert!(error.state() == SqlState::INVALID_PARAMETER_VALUE && error.message().contains(why), "{error}");
    }
    assert_eq!(*ledger.cosigned().unwrap().note, more.to_string());
    server.shutdown().unwrap();
    assert_eq!(ledger.keep_cosigned(&more).unwrap_err().state(), SqlState::ADMIN_SHUTDOWN, "closed");
}

#[test]
fn whoever_waits_is_woken_and_whoever_asks_hears_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let (server, ledger) = open(dir.path());
    let t = create_table(&ledger);
    let seq = insert(&ledger, &rows(&t, &[(1, "a")])).seq;
    let (woken, asker) = (Arc::new(Woken::default()), Arc::new(Woken::default()));
    let (wakers, askers) = (Waker::from(Arc::clone(&woken)), Waker::from(Arc::clone(&asker)));
    let (mut context, mut asking) = (Context::from_waker(&wakers), Context::from_waker(&askers));
    let mut wanted = pin!(ledger.until_wanted(0));
    assert_eq!(wanted.as_mut().poll(&mut asking), Poll::Pending);
    {
        let mut given_up = pin!(ledger.until_cosigned(seq));
        assert!(given_up.as_mut().poll(&mut context).is_pending());
        assert_eq!(asker.0.load(Ordering::SeqCst), 1);
        assert_eq!(wanted.as_mut().poll(&mut asking), Poll::Ready(true));
        assert_eq!(pin!(ledger.until_wanted(seq.0 + 1)).poll(&mut asking), Poll::Pending, "nobody waits for more");
    }
    assert_eq!(pin!(ledger.until_wanted(0)).poll(&mut asking), Poll::Pending, "who gave up does not wait");
    let mut waiting = pin!(ledger.until_cosigned(seq));
    let mut later = pin!(ledger.until_cosigned(CommitSeq(seq.0 + 1)));
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    assert!(later.as_mut().poll(&mut context).is_pending());
    ledger.keep_cosigned(&cosigned(&ledger)).unwrap();
    assert_eq!(woken.0.load(Ordering::SeqCst), 1, "one of the two is covered");
    assert_eq!(waiting.as_mut().poll(&mut context), Poll::Ready(Ok(())));
    assert_eq!(pin!(ledger.until_cosigned(seq)).poll(&mut context), Poll::Ready(Ok(())), "it is known at once");
    assert!(later.as_mut().poll(&mut context).is_pending());
    server.shutdown().unwrap();
    assert!(matches!(later.as_mut().poll(&mut context), Poll::Ready(Err(error)) if error.state() == SqlState::ADMIN_SHUTDOWN));
    assert_eq!(pin!(ledger.until_wanted(0)).poll(&mut asking), Poll::Ready(false));
}

/// A thief sets the ledger back and removes what it had signed last, but what witnesses cosigned gives him away; so does a history of his own.
#[test]
fn a_ledger_that_is_not_what_was_cosigned_is_not_opened() {
    let dir = tempfile::tempdir().unwrap();
    let (server, ledger) = open(dir.path());
    let t = create_table(&ledger);
    server.close_unsealed().unwrap();
    drop((server, ledger, t));
    let folder = dir.path().join("ledgers/shockwave");
    let (wal, signed) = (folder.join("wal"), folder.join("keys/last_signed"));
    let before: Vec<_> = std::fs::read_dir(&wal).unwrap().map(|entry| entry.unwrap().path()).collect();
    let before: Vec<_> = before.into_iter().map(|path| (std::fs::read(&path).unwrap(), path)).collect();
    let signed_before = std::fs::read(&signed).unwrap();
    let server = Server::open(dir.path(), options()).unwrap();
    let ledger = server.ledger("shockwave").unwrap();
    insert(&ledger, &rows(&table(&ledger), &[(1, "a")]));
    ledger.keep_cosigned(&cosigned(&ledger)).unwrap();
    server.close_unsealed().unwrap();
    drop((server, ledger));
    let kept = std::fs::read_to_string(folder.join("cosigned")).unwrap();
    for (bytes, path) in before {
        std::fs::write(path, bytes).unwrap();
    }
    std::fs::write(&signed, signed_before).unwrap();
    let _ = std::fs::remove_dir_all(folder.join("folds"));
    let error = Server::open(dir.path(), options()).unwrap_err();
    assert!(error.state() == SqlState::DATA_CORRUPTED && error.message().starts_with("witnesses have cosigned another history"), "{error}");
    // Something that is no note is as if it were not there; without it nobody here knows.
    std::fs::write(folder.join("cosigned"), &kept[..40]).unwrap();
    let server = Server::open(dir.path(), options()).unwrap();
    assert_eq!(server.ledger("shockwave").unwrap().cosigned(), None);
}
