//! EXPIRE removes values for good, and leaves every proof as it was.
#![allow(clippy::disallowed_methods, reason = "it looks into folders, and spoils files behind the ledger's back")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use base::{CommitSeq, RelationId, SimClock, SqlResult, SqlState};
use engine::expire::{Expired, Wanted};
use engine::fsck::{self, check};
use engine::restore::{Request, restore};
use engine::{HoldDef, Kept, Ledger, Mode, OWN_ROW, Server, Span, TableDef};
use receipts::{Policy, Verdict, verify_receipt};

use crate::attacks::copy;
use crate::backups::{files, fsck_of, policy, restore_to};
use crate::ledger::{all, create_table, definition, find, insert, many, options, rows, table};
use crate::retention::{BEGUN_US, DAY_US, months, open_at, retain};

/// A value that no compression shortens.
const SECRET: &str = "kJ7#q9Zx!mP2vR8$wL4n";

fn everything() -> Wanted {
    Wanted::default()
}

fn expire(ledger: &Arc<Ledger>) -> SqlResult<Expired> {
    ledger.expire("custodian", &everything())
}

/// Ends all rows with these ids, in one commit.
fn delete(ledger: &Arc<Ledger>, ids: std::ops::Range<i64>) -> CommitSeq {
    let mut transaction = ledger.begin("tester");
    let t = table(ledger);
    let found: Vec<_> = ids.map(|id| find(&transaction, id).unwrap().0).collect();
    assert!(found.iter().all(|row| row.0 & OWN_ROW == 0));
    transaction.delete(&t, &found).unwrap();
    transaction.commit_blocking().unwrap().unwrap().seq
}

fn as_of(ledger: &Arc<Ledger>, seq: CommitSeq) -> SqlResult<Vec<(i64, String)>> {
    let mut transaction = ledger.begin("r");
    transaction.travel(ledger.moment(seq)?);
    let t = transaction.catalog().table("public", "t").cloned().unwrap();
    let view = transaction.reading(&t)?;
    for chunk in view.scan(&[0, 1], false) {
        chunk.read()?;
    }
    Ok(all(&transaction))
}

/// Which files below a folder hold the secret.
fn betrayed(folder: &Path) -> Vec<String> {
    let holds = |bytes: &[u8]| bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
    files(folder).into_iter().filter(|(_, bytes)| holds(bytes)).map(|(name, _)| name).collect()
}

/// Time goes on a month, with commits that are not of `t`.
fn a_month_later(ledger: &Arc<Ledger>, clock: &SimClock, months: i64) {
    for half in 1..=2 {
        clock.set(BEGUN_US + months * 32 * DAY_US - (2 - half) * 16 * DAY_US);
        let mut transaction = ledger.begin("time");
        transaction.create_schema(&format!("m{months}_{half}")).unwrap();
        transaction.commit_blocking().unwrap();
    }
}

/// A second table, with one live row in each commit of [`both`].
fn create_other(ledger: &Arc<Ledger>) -> Arc<TableDef> {
    let mut transaction = ledger.begin("tester");
    let t = definition(RelationId(ledger.next_object_id()));
    let other = TableDef::new(t.id, "public", "u", t.columns.clone(), t.primary_key.clone()).unwrap();
    transaction.create_table(other).unwrap();
    transaction.commit_blocking().unwrap();
    Arc::clone(ledger.snapshot().catalog.table("public", "u").unwrap())
}

/// One commit with many rows of `t`, one of them secret, and one of `u` that stays.
fn both(ledger: &Arc<Ledger>, u: &Arc<TableDef>) -> CommitSeq {
    let t = table(ledger);
    let mut transaction = ledger.begin("tester");
    transaction.insert(&t, &many(&t, 0, 9_000)).unwrap();
    transaction.insert(&t, &rows(&t, &[(9_000, SECRET)])).unwrap();
    transaction.insert(u, &rows(u, &[(1, "stays")])).unwrap();
    transaction.commit_blocking().unwrap().unwrap().seq
}

struct Scene {
    dir: tempfile::TempDir,
    clock: Arc<SimClock>,
    server: Server,
    ledger: Arc<Ledger>,
    policy: Policy,
    /// The commit of what expires, and the one that ended it.
    written: CommitSeq,
    ended: CommitSeq,
}

impl Scene {
    /// Rows of `t` that are ended and older than its retention, sealed apart from younger ones that are live.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(SimClock::new(BEGUN_US, 1));
        let (server, ledger) = open_at(&dir.path().join("data"), &clock);
        create_table(&ledger);
        retain(&ledger, months(1, Mode::Compliance)).unwrap();
        let u = create_other(&ledger);
        let written = both(&ledger, &u);
        ledger.seal().unwrap();
        let ended = delete(&ledger, 0..9_001);
        insert(&ledger, &rows(&table(&ledger), &[(1, "new"), (2, "newer")]));
        ledger.seal().unwrap();
        let policy = policy(&ledger);
        Self { dir, clock, server, ledger, policy, written, ended }
    }

    fn data(&self) -> std::path::PathBuf {
        self.dir.path().join("data")
    }

    fn fsck(&self) -> Verdict {
        fsck_of(&self.data(), &self.policy, None)
    }

    fn reopen(self) -> Self {
        let Self { dir, clock, server, ledger, policy, written, ended } = self;
        server.shutdown().unwrap();
        drop((server, ledger));
        let (server, ledger) = open_at(&dir.path().join("data"), &clock);
        Self { dir, clock, server, ledger, policy, written, ended }
    }

    fn check_after(&self) {
        let ledger = &self.ledger;
        assert_eq!(all(&ledger.begin("r")), [(1, "new".to_owned()), (2, "newer".to_owned())]);
        assert_eq!(as_of(ledger, self.ended).unwrap(), []);
        assert_eq!(as_of(ledger, self.written).unwrap_err().state().0, "72000");
        assert_eq!(as_of(ledger, CommitSeq(self.written.0 - 1)).unwrap(), []);
        let t = table(ledger);
        let versions = |first: Option<CommitSeq>, last: CommitSeq| -> SqlResult<usize> {
            ledger.versions(&t, Span { first, last }).iter().map(|part| Ok(part.read()?.rows.num_rows())).sum()
        };
        let now = ledger.snapshot().seq.unwrap();
        assert_eq!(versions(Some(self.ended), now).unwrap(), 2);
        assert_eq!(versions(None, now).unwrap_err().state(), SqlState::SNAPSHOT_TOO_OLD);
        // A receipt of a row that stands beside expired ones in its commit, and of the leaf; none of a row that is gone.
        let seq = self.written.0;
        for row in [None, Some(9_001)] {
            let verdict = verify_receipt(ledger.receipt(seq, row).unwrap().as_bytes(), &self.policy);
            assert_eq!(verdict.exit_code(), 0, "{verdict}");
        }
        assert_eq!(ledger.receipt(seq, Some(5)).unwrap_err().state(), SqlState::SNAPSHOT_TOO_OLD);
        assert!(ledger.consistency(1, ledger.checkpoint().state.size).is_ok());
        assert_eq!(ledger.scrub().unwrap().damages, 0);
    }
}

#[test]
fn values_are_gone_for_good_and_every_proof_stays() {
    let scene = Scene::new();
    let before = verify_receipt(scene.ledger.receipt(scene.written.0, Some(9_000)).unwrap().as_bytes(), &scene.policy);
    assert!(before.to_string().contains(SECRET));
    let pinned = scene.ledger.checkpoint().sha_note.to_string();
    assert!(!betrayed(scene.ledger.folder()).is_empty());
    // Not yet: a month has not passed.
    let kept = expire(&scene.ledger).unwrap();
    assert!(kept.segments == 0 && kept.commit.is_none(), "{kept:?}");
    assert!(matches!(&kept.kept[..], [(table, Kept::Until { .. })] if table == "t"), "{kept:?}");
    a_month_later(&scene.ledger, &scene.clock, 1);
    let done = expire(&scene.ledger).unwrap();
    assert_eq!((done.segments, done.rows), (1, 9_001), "{done:?}");
    assert_eq!(betrayed(scene.ledger.folder()), [""; 0]);
    let stub = scene.ledger.folder().join(format!("segments/{}/0000000000000000.expired", table(&scene.ledger).id));
    assert_eq!(std::fs::metadata(&stub).unwrap().permissions().mode() & 0o7777, 0o444);
    assert!(!stub.with_extension("arrow").exists());
    scene.check_after();
    let actor = receipts::Leaf::decode(&{
        let text = scene.ledger.receipt(done.commit.unwrap().0, None).unwrap();
        receipts::Receipt::parse(text.as_bytes()).unwrap().leaf
    })
    .unwrap();
    assert!(matches!(actor, receipts::Leaf::Commit(commit) if commit.actor == "custodian"));
    let again = expire(&scene.ledger).unwrap();
    assert!(again.segments == 0 && again.commit.is_none());
    // Over restarts, and with folds made anew from what is left.
    let scene = scene.reopen();
    scene.check_after();
    let verdict = scene.fsck();
    assert_eq!(verdict.exit_code(), 0, "{verdict}");
    let said = verdict.to_string();
    assert!(said.contains("EXPIRED: the values of rows 0 to 9000 of t, which commit"), "{said}");
    assert_eq!(fsck_of(&scene.data(), &scene.policy, Some(&pinned)).exit_code(), 0);
    scene.server.shutdown().unwrap();
    let data = scene.data();
    drop((scene.server, scene.ledger));
    Server::rebuild_folds(&data, options()).unwrap();
    let (server, ledger) = open_at(&data, &scene.clock);
    let scene = Scene { server, ledger, ..scene };
    scene.check_after();
    scene.server.shutdown().unwrap();
}

#[test]
fn what_is_live_or_held_or_seen_since_stays() {
    let scene = Scene::new();
    let ledger = &scene.ledger;
    let id = table(ledger).id;
    a_month_later(ledger, &scene.clock, 1);
    let mut transaction = ledger.begin("judge");
    let hold = ledger.next_object_id();
    transaction.set_hold(HoldDef { id: hold, name: "h".into(), tables: vec![id], reason: None }).unwrap();
    transaction.commit_blocking().unwrap();
    let kept = expire(ledger).unwrap();
    assert_eq!(kept.segments, 0);
    assert!(matches!(&kept.kept[..], [(_, Kept::Hold { name, .. })] if name == "h"), "{kept:?}");
    let mut transaction = ledger.begin("judge");
    transaction.drop_object(hold).unwrap();
    transaction.commit_blocking().unwrap();
    // Only what nobody sees as of the moment given.
    let before = |seq| Wanted { tables: Some(vec![id]), before: Some(seq) };
    assert_eq!(ledger.expire("c", &before(CommitSeq(scene.ended.0 - 1))).unwrap().segments, 0);
    assert_eq!(ledger.expire("c", &before(scene.ended)).unwrap().segments, 1);
    scene.check_after();
    // The segment with live rows stays however old it is, and goes once they are ended and the table is dropped.
    a_month_later(ledger, &scene.clock, 3);
    assert_eq!(expire(ledger).unwrap().segments, 0);
    let mut transaction = ledger.begin("owner");
    transaction.drop_object(id.0).unwrap();
    let dropped = transaction.commit_blocking().unwrap().unwrap().seq;
    let done = expire(ledger).unwrap();
    assert_eq!(done.segments, 1, "{done:?}");
    assert_eq!(as_of(ledger, CommitSeq(dropped.0 - 1)).unwrap_err().state(), SqlState::SNAPSHOT_TOO_OLD);
    // A table without a retention: what is said, and no more.
    let u = ledger.snapshot().catalog.table("public", "u").unwrap().id;
    assert_eq!(ledger.expire("c", &Wanted { tables: Some(vec![u]), before: None }).unwrap().segments, 0, "its row is live");
    let scene = scene.reopen();
    assert_eq!(scene.fsck().exit_code(), 0, "{}", scene.fsck());
    scene.server.shutdown().unwrap();
}

#[test]
fn exports_backups_and_restores_know_of_it() {
    let scene = Scene::new();
    let (ledger, backup) = (&scene.ledger, scene.dir.path().join("backup"));
    a_month_later(ledger, &scene.clock, 1);
    scene.server.backup(&backup, true).unwrap();
    assert!(!betrayed(&backup).is_empty());
    let old = scene.dir.path().join("old");
    copy(&backup, &old);
    let done = expire(ledger).unwrap().commit.unwrap();
    scene.server.backup(&backup, true).unwrap();
    assert_eq!(betrayed(&backup), [""; 0], "the next backup takes it away there too");
    let to = scene.dir.path().join("restored");
    restore_to(&backup, &to, None);
    let verdict = fsck_of(&to, &scene.policy, None);
    assert_eq!(verdict.exit_code(), 0, "{verdict}");
    assert!(verdict.to_string().contains("EXPIRED"));
    let (server, restored) = open_at(&to, &scene.clock);
    assert_eq!(all(&restored.begin("r")).len(), 2);
    assert_eq!(as_of(&restored, scene.written).unwrap_err().state(), SqlState::SNAPSHOT_TOO_OLD);
    server.shutdown().unwrap();
    restore_to(&backup, &scene.dir.path().join("exactly"), Some(done.0));
    let restored_to = |from: &Path, to: &str, commit: u64| {
        let to = scene.dir.path().join(to);
        restore(&options(), &Request { from, to: &to, database: None, to_commit: Some(commit), keys: None })
    };
    let error = restored_to(&backup, "before", scene.written.0).unwrap_err();
    assert_eq!(error.state(), SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, "{error}");
    restored_to(&old, "from old", scene.written.0).unwrap();
    // An export shows every row of its commits, or is none.
    let export = scene.dir.path().join("export");
    let error = ledger.export(&export, 0, None).unwrap_err();
    assert_eq!(error.state(), SqlState::SNAPSHOT_TOO_OLD, "{error}");
    assert!(error.to_string().contains(&format!("those after {}", scene.written)), "{error}");
    ledger.export(&export, scene.written.0 + 1, None).unwrap();
    let io: Arc<dyn base::Io> = Arc::new(base::RealIo);
    let verdict = fsck::check_export(&io, &export, None, &scene.policy);
    assert_eq!(verdict.exit_code(), 0, "{verdict}");
    scene.server.shutdown().unwrap();
}

/// Whoever can write to the folder takes a segment away and says that it has expired.
#[test]
fn a_stub_that_no_commit_names_is_damage() {
    let honest = Scene::new();
    a_month_later(&honest.ledger, &honest.clock, 1);
    let before = honest.dir.path().join("before");
    let id = table(&honest.ledger).id;
    honest.ledger.seal().unwrap();
    honest.server.close_unsealed().unwrap();
    let Scene { dir, clock, server, ledger, policy, written, ended } = honest;
    drop((server, ledger));
    copy(&dir.path().join("data"), &before);
    let (server, ledger) = open_at(&dir.path().join("data"), &clock);
    let scene = Scene { dir, clock, server, ledger, policy, written, ended };
    expire(&scene.ledger).unwrap();
    let scene = scene.reopen();
    scene.server.shutdown().unwrap();
    let stub = |data: &Path| data.join(format!("ledgers/shockwave/segments/{id}/0000000000000000.expired"));
    let forged = stub(&before);
    std::fs::copy(stub(&scene.data()), &forged).unwrap();
    // Beside its segment it is what a crash leaves.
    assert_eq!(fsck_of(&before, &scene.policy, None).exit_code(), 0);
    std::fs::remove_file(forged.with_extension("arrow")).unwrap();
    let verdict = fsck_of(&before, &scene.policy, None);
    assert_eq!(verdict.exit_code(), 1, "{verdict}");
    assert!(verdict.to_string().contains("0000000000000000.arrow"), "{verdict}");
    let error = Server::open(&before, options()).unwrap_err();
    assert_eq!(error.state(), SqlState::DATA_CORRUPTED, "{error}");
    // Any byte of an honest stub.
    let honest = std::fs::read(stub(&scene.data())).unwrap();
    for at in (0..honest.len()).step_by(honest.len() / 40) {
        let mut spoilt = honest.clone();
        spoilt[at] ^= 1;
        std::fs::remove_file(stub(&scene.data())).unwrap();
        std::fs::write(stub(&scene.data()), &spoilt).unwrap();
        let io: Arc<dyn base::Io> = Arc::new(base::RealIo);
        let request = fsck::Request { folder: &scene.data().join("ledgers/shockwave"), policy: &scene.policy, pinned: None, threads: 1 };
        let verdict = check(&io, &request).0;
        assert!([1, 2].contains(&verdict.exit_code()), "byte {at}: {verdict}");
    }
}
