//! Keys that are drawn, kept and destroyed, over a simulated disk.
#![allow(clippy::unwrap_used, reason = "tests")]

use base::{Fault, SeededRng, SimIo};

use super::*;

const LEDGER: LedgerId = LedgerId([7; 16]);
const TABLE: RelationId = RelationId(16_384);

fn disk(seed: u64) -> (SimIo, Arc<dyn Io>) {
    let io = SimIo::new(seed);
    let shared: Arc<dyn Io> = Arc::new(io.clone());
    shared.create_dir_all(Path::new("/l/keys")).unwrap();
    (io, shared)
}

fn open(io: &Arc<dyn Io>) -> SqlResult<Subjects> {
    Subjects::open(io, Path::new("/l"), LEDGER)
}

fn key(subjects: &Subjects, rng: &SeededRng, name: &str) -> SubjectKey {
    subjects.sealing_key(TABLE, 25, name.as_bytes(), rng)
}

fn holds(io: &SimIo, bytes: &[u8]) -> bool {
    let names = Io::list(io, Path::new("/l/keys")).unwrap();
    let files = names.iter().map(|name| io.peek(&Path::new("/l/keys").join(name)).unwrap());
    files.into_iter().any(|file| file.windows(bytes.len()).any(|window| window == bytes))
}

#[test]
fn keys_come_back_and_a_destroyed_one_does_not() {
    let (sim, io) = disk(1);
    let rng = SeededRng::new(1);
    let subjects = open(&io).unwrap();
    let [ada, bob] = ["ada", "bob"].map(|name| key(&subjects, &rng, name));
    assert_ne!(ada.id, bob.id);
    assert_eq!(key(&subjects, &rng, "ada").id, ada.id, "one key a subject");
    assert_ne!(subjects.sealing_key(RelationId(9), 25, b"ada", &rng).id, ada.id, "and a table");
    subjects.make_durable().unwrap();
    assert_eq!(sim.mode(Path::new("/l/keys/subjects")).unwrap() & 0o777, 0o600);
    let secret = subjects.inner.read().held[&ada.id].secret;
    assert!(holds(&sim, &secret));

    let subjects = open(&io).unwrap();
    assert_eq!(subjects.opening_key(&ada.id).unwrap().unwrap().sealing, ada.sealing);
    let older = sim.peek(Path::new("/l/keys/subjects")).unwrap();
    subjects.doom(&[ada.id]);
    assert_eq!(subjects.check_usable([ada.id]).unwrap_err().state(), SqlState::SERIALIZATION_FAILURE, "J2");
    assert!(subjects.opening_key(&ada.id).unwrap().is_some(), "its erasure is not durable yet");
    let again = key(&subjects, &rng, "ada");
    assert_ne!(again.id, ada.id, "J2: who comes back gets another key");
    subjects.destroy(&[ada.id]).unwrap();
    assert!(!holds(&sim, &secret), "J3");
    for subjects in [subjects, open(&io).unwrap()] {
        assert!(subjects.opening_key(&ada.id).unwrap().is_none(), "J3");
        assert!(subjects.opening_key(&bob.id).unwrap().is_some());
        assert_eq!(subjects.opening_key(&[9; 16]).unwrap_err().state(), SqlState::DATA_CORRUPTED, "J3");
        assert_eq!(key(&subjects, &rng, "ada").id, again.id);
    }

    // An older copy of the file.
    let file = io.open_write(Path::new("/l/keys/subjects")).unwrap();
    file.set_len(0).unwrap();
    file.write_at(0, &older).unwrap();
    let subjects = open(&io).unwrap();
    assert!(subjects.opening_key(&ada.id).unwrap().is_some(), "nothing in the file says that it was destroyed");
    subjects.destroy_again(&[ada.id]).unwrap();
    assert!(!holds(&sim, &secret), "J4");
    assert!(open(&io).unwrap().opening_key(&ada.id).unwrap().is_none(), "J4");
}

#[test]
fn a_torn_end_is_cut_and_damage_before_a_whole_record_is_refused() {
    let (sim, io) = disk(2);
    let rng = SeededRng::new(2);
    let subjects = open(&io).unwrap();
    let keys: Vec<SubjectKey> = (0..5).map(|n| key(&subjects, &rng, &n.to_string())).collect();
    subjects.make_durable().unwrap();
    let whole = sim.peek(Path::new("/l/keys/subjects")).unwrap();
    let write = |bytes: &[u8]| {
        let file = io.open_write(Path::new("/l/keys/subjects")).unwrap();
        file.set_len(0).unwrap();
        file.write_at(0, bytes).unwrap();
    };
    for cut in 0..whole.len() {
        write(&whole[..cut]);
        match open(&io) {
            Err(error) => assert!(cut < 32 && error.state() == SqlState::DATA_CORRUPTED, "cut at {cut}"),
            Ok(subjects) => {
                assert!(cut >= 32);
                assert_eq!(subjects.counts().0, (cut - 32) / 96, "K1: cut at {cut}");
                // What is drawn next takes the torn end's place.
                let new = key(&subjects, &rng, "new");
                subjects.make_durable().unwrap();
                assert!(open(&io).unwrap().opening_key(&new.id).unwrap().is_some(), "cut at {cut}");
            }
        }
    }
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        write(&bytes);
        let outcome = open(&io);
        // The last record may be a torn one.
        match at {
            _ if at < whole.len() - 96 => assert_eq!(outcome.unwrap_err().state(), SqlState::DATA_CORRUPTED, "byte {at}"),
            _ => assert_eq!(outcome.unwrap().counts().0, keys.len() - 1, "byte {at}"),
        }
    }
    write(&whole);
    assert!(Subjects::open(&io, Path::new("/l"), LedgerId([8; 16])).is_err(), "another ledger's");
}

#[test]
fn at_every_step_what_was_made_durable_is_there_and_what_was_destroyed_is_not() {
    for fault in [Fault::Crash, Fault::Error] {
        for step in 1.. {
            let (sim, io) = disk(step);
            let rng = SeededRng::new(step);
            let subjects = open(&io).unwrap();
            let ada = key(&subjects, &rng, "ada");
            subjects.make_durable().unwrap();
            let secret = subjects.inner.read().held[&ada.id].secret;
            sim.plan(sim.steps() + step, fault);
            let begun = sim.steps();
            let bob = key(&subjects, &rng, "bob");
            let kept = subjects.make_durable();
            let destroyed = subjects.destroy(&[ada.id]);
            let eve = key(&subjects, &rng, "eve");
            let kept_more = subjects.make_durable();
            let is_over = sim.steps() < begun + step;
            if fault == Fault::Crash && !is_over {
                sim.restart();
            } else {
                sim.forget_faults();
            }
            let after = open(&io).unwrap_or_else(|error| panic!("{fault:?} at step {step}: {error}"));
            let is_there = |key: &SubjectKey| after.inner.read().held.contains_key(&key.id);
            assert!(kept.is_err() || is_there(&bob), "J1: {fault:?} at step {step}");
            assert!(kept_more.is_err() || is_there(&eve), "J1: {fault:?} at step {step}");
            assert!(destroyed.is_err() || !is_there(&ada), "J3: {fault:?} at step {step}");
            // What the ledger records is done in any case.
            after.destroy_again(&[ada.id]).unwrap();
            assert!(!holds(&sim, &secret), "J4: {fault:?} at step {step}");
            assert!(kept.is_err() || open(&io).unwrap().opening_key(&bob.id).unwrap().is_some(), "{fault:?} at step {step}");
            if is_over {
                assert!(kept.is_ok() && destroyed.is_ok() && kept_more.is_ok() && step > 8);
                break;
            }
        }
    }
}
