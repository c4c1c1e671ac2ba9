//! What must be kept is kept: by its period, by holds, and against clocks that were turned.

use std::path::Path;
use std::sync::Arc;

use base::{CommitSeq, RelationId, SimClock, SqlState};
use engine::{HoldDef, Kept, Ledger, Mode, Options, Period, Retention, Server, TableDef, WitnessState};
use receipts::WitnessSigner;
use receipts::note::Note;

use crate::ledger::{create_table, insert, options, rows, table};

pub const DAY_US: i64 = 24 * 3_600_000_000;
/// 2026-01-01.
pub const BEGUN_US: i64 = 20_454 * DAY_US;

pub fn open_at(dir: &Path, clock: &Arc<SimClock>) -> (Server, Arc<Ledger>) {
    let server = Server::open(dir, Options { clock: Arc::<SimClock>::clone(clock), ..options() }).unwrap();
    let ledger = server.ledger("shockwave").unwrap();
    (server, ledger)
}

pub fn months(months: i32, mode: Mode) -> Option<Retention> {
    Some(Retention { period: Period::new(months, 0, 0).unwrap(), mode })
}

/// Gives table `t` another retention.
pub fn retain(ledger: &Arc<Ledger>, retention: Option<Retention>) -> base::SqlResult<Arc<TableDef>> {
    let mut transaction = ledger.begin("owner");
    let before = table(ledger);
    let mut rules = before.rules.as_ref().clone();
    rules.retention = retention;
    let version = transaction.next_version(before.id);
    let after =
        TableDef::with_rules(before.id, &before.schema, &before.name, version, before.columns.clone(), before.primary_key.clone(), rules)?;
    let after = transaction.alter_table(after)?;
    transaction.commit_blocking()?;
    Ok(after)
}

fn kept(ledger: &Arc<Ledger>, table: RelationId, seq: CommitSeq) -> Option<Kept> {
    ledger.guard().unwrap().keeps(table, seq).unwrap()
}

#[test]
fn a_clock_turned_forward_frees_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(SimClock::new(BEGUN_US, 1));
    let (server, ledger) = open_at(dir.path(), &clock);
    let id = create_table(&ledger).id;
    let t = retain(&ledger, months(84, Mode::Compliance)).unwrap();
    let first = insert(&ledger, &rows(&t, &[(1, "a")]));
    assert!(kept(&ledger, id, first.seq).is_some());
    // Ten years on, with and without commits there, and over a restart.
    clock.set(BEGUN_US + 3_650 * DAY_US);
    assert!(kept(&ledger, id, first.seq).is_some(), "by the clock alone");
    let second = insert(&ledger, &rows(&t, &[(2, "b")]));
    assert!(second.time_us > BEGUN_US + 3_600 * DAY_US, "the commit's own time is the clock's");
    for n in 3..40 {
        insert(&ledger, &rows(&t, &[(n, "c")]));
    }
    server.shutdown().unwrap();
    drop((server, ledger));
    let (server, ledger) = open_at(dir.path(), &clock);
    let guard = ledger.guard().unwrap();
    assert!(guard.now_us() < BEGUN_US + 32 * DAY_US, "it counts for a month");
    assert!(guard.keeps(id, first.seq).unwrap().is_some() && guard.keeps(id, second.seq).unwrap().is_some());
    // Set right again, everything goes its way: seven years, a commit a week.
    clock.set(BEGUN_US + DAY_US);
    let mut freed = Vec::new();
    for week in 0..380 {
        clock.set(BEGUN_US + 3_650 * DAY_US + week * 7 * DAY_US);
        insert(&ledger, &rows(&t, &[(1_000 + week, "w")]));
        freed.push(kept(&ledger, id, first.seq).is_none());
    }
    let week = freed.iter().position(|freed| *freed).expect("it is free in the end") as i64;
    // 2,557 days less the month that the jump counted for.
    assert!((2_526..2_540).contains(&(week * 7)), "after {} days", week * 7);
    assert!(freed[week as usize..].iter().all(|freed| *freed));
    server.shutdown().unwrap();
}

#[test]
fn a_compliance_retention_is_never_less() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(SimClock::new(BEGUN_US, 1));
    let (server, ledger) = open_at(dir.path(), &clock);
    create_table(&ledger);
    retain(&ledger, months(12, Mode::Governance)).unwrap();
    retain(&ledger, months(6, Mode::Governance)).unwrap();
    retain(&ledger, months(12, Mode::Compliance)).unwrap();
    for less in [None, months(11, Mode::Compliance), months(12, Mode::Governance), months(24, Mode::Governance)] {
        let error = retain(&ledger, less).unwrap_err();
        assert_eq!(error.state(), SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, "{error}");
    }
    retain(&ledger, months(24, Mode::Compliance)).unwrap();
    server.shutdown().unwrap();
    drop((server, ledger));
    let (server, ledger) = open_at(dir.path(), &clock);
    assert!(retain(&ledger, months(12, Mode::Compliance)).is_err());
    assert_eq!(table(&ledger).rules.retention, months(24, Mode::Compliance));
    server.shutdown().unwrap();
}

#[test]
fn holds_and_retentions_outlive_the_name_of_their_table() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(SimClock::new(BEGUN_US, 1));
    let (server, ledger) = open_at(dir.path(), &clock);
    let other = server.create_database("other", 10, &ledger).unwrap();
    let t = create_table(&other);
    let first = insert(&other, &rows(&t, &[(1, "a")]));
    assert_eq!(kept(&other, t.id, first.seq), None);
    let hold = |name: &str| HoldDef { id: other.next_object_id(), name: name.into(), tables: vec![t.id], reason: Some("case 7".into()) };
    let mut transaction = other.begin("judge");
    transaction.set_hold(hold("h")).unwrap();
    assert_eq!(transaction.set_hold(hold("h")).unwrap_err().state(), SqlState::DUPLICATE_OBJECT);
    transaction.commit_blocking().unwrap();
    let mut transaction = other.begin("owner");
    transaction.drop_object(t.id.0).unwrap();
    transaction.commit_blocking().unwrap();
    assert!(matches!(kept(&other, t.id, first.seq), Some(Kept::Hold { name, .. }) if name == "h"));
    let error = server.drop_database("other").unwrap_err();
    assert_eq!(error.state(), SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, "{error}");
    assert!(error.to_string().contains("dropped table \"t\"") && error.to_string().contains("case 7"), "{error}");
    // What was looked at is as it was when the look's transaction commits.
    let mut removing = other.begin("owner");
    assert!(removing.guard().unwrap().may_remove(t.id, first.seq, "expire rows").is_err());
    let mut transaction = other.begin("judge");
    let id = transaction.catalog().hold("h").unwrap().id;
    transaction.drop_object(id).unwrap();
    transaction.commit_blocking().unwrap();
    removing.create_schema("s").unwrap();
    assert_eq!(removing.commit_blocking().unwrap_err().state(), SqlState::SERIALIZATION_FAILURE);
    assert_eq!(kept(&other, t.id, first.seq), None);
    drop(other);
    server.drop_database("other").unwrap();
    server.shutdown().unwrap();
}

#[test]
fn a_database_is_dropped_once_its_rows_need_not_be_kept() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(SimClock::new(BEGUN_US, 1));
    let (server, ledger) = open_at(dir.path(), &clock);
    let other = server.create_database("other", 10, &ledger).unwrap();
    create_table(&other);
    let t = retain(&other, months(2, Mode::Governance)).unwrap();
    insert(&other, &rows(&t, &[(1, "a")]));
    clock.set(BEGUN_US + 58 * DAY_US);
    assert!(server.drop_database("other").is_err());
    clock.set(BEGUN_US + 70 * DAY_US);
    assert!(server.drop_database("other").is_err(), "a clock alone counts for 31 days from the last commit");
    for (day, name) in [(70, "x"), (100, "y")] {
        assert!(server.drop_database("other").is_err(), "day {day}");
        clock.set(BEGUN_US + day * DAY_US);
        let mut transaction = other.begin("c");
        transaction.create_schema(name).unwrap();
        transaction.commit_blocking().unwrap();
    }
    drop(other);
    server.drop_database("other").unwrap();
    server.shutdown().unwrap();
}

#[test]
fn where_witnesses_are_asked_no_time_is_later_than_theirs() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(SimClock::new(BEGUN_US, 1));
    let (server, ledger) = open_at(dir.path(), &clock);
    let id = create_table(&ledger).id;
    let t = retain(&ledger, months(1, Mode::Compliance)).unwrap();
    let first = insert(&ledger, &rows(&t, &[(1, "a")]));
    let witness = WitnessSigner::new("w.example", &[1; 32]).unwrap();
    let key = witness.verifier().to_string();
    server.ask_witnesses(&[WitnessState { name: "w".into(), key, url: Some("http://w".into()), ..WitnessState::default() }]);
    let cosign = |time_us: i64| {
        let mut note = Note::parse(&ledger.checkpoint().sha_note).unwrap();
        note.add(witness.cosign(note.text(), (time_us / 1_000_000) as u64)).unwrap();
        ledger.keep_cosigned(&note).unwrap();
    };
    // A clock that is walked forward in small steps, with commits: the ledger alone would believe it.
    for step in 1..=4 {
        clock.set(BEGUN_US + step * 20 * DAY_US);
        insert(&ledger, &rows(&t, &[(1 + step, "s")]));
    }
    assert_eq!(kept(&ledger, id, first.seq), None);
    cosign(BEGUN_US + 2 * DAY_US);
    assert!(kept(&ledger, id, first.seq).is_some());
    insert(&ledger, &rows(&t, &[(9, "z")]));
    cosign(BEGUN_US + 80 * DAY_US);
    assert_eq!(kept(&ledger, id, first.seq), None);
    server.shutdown().unwrap();
}
