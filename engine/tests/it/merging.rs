//! Small sealed files become larger ones: every answer, past and present, every proof and every copy stays what it was.
#![allow(clippy::disallowed_methods, reason = "it looks into folders, and spoils files behind the ledger's back")]

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use base::{Rng, SeededRng, SimClock};
use engine::expire::Wanted;
use engine::merging::Merged;
use engine::{HoldDef, Ledger, Mode};
use receipts::verify_receipt;

use crate::attacks::copy;
use crate::backups::{fsck_of, policy, reopened, restore_to, rows_at};
use crate::ledger::{all, change_all_ways, create_table, find, insert, many, open, rows, table};
use crate::retention::{BEGUN_US, DAY_US, months, open_at, retain};

/// Names of the sealed files of `t`.
pub fn sealed_files(ledger: &Ledger, t: &engine::TableDef) -> BTreeSet<String> {
    let folder = ledger.folder().join(format!("segments/{}", t.id));
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Seals of a few rows each, with changes of all kinds between them; ids from `first` on.
fn trickle(ledger: &Arc<Ledger>, first: i64, seals: i64) {
    let rng = SeededRng::new(first.cast_unsigned());
    for n in 0..seals {
        let t = table(ledger);
        let rows = 1 + (rng.next_u64() % 5) as i64;
        insert(ledger, &many(&t, first + n * 10, rows));
        if n % 4 == 3 {
            let mut change = ledger.begin("c");
            let (row, _) = find(&change, first + (n - 1) * 10).unwrap();
            change.update(&t, &[row], &self::rows(&t, &[(first + (n - 1) * 10, "changed")])).unwrap();
            let (gone, _) = find(&change, first + (n - 2) * 10).unwrap();
            change.delete(&t, &[gone]).unwrap();
            change.commit_blocking().unwrap();
        }
        ledger.seal().unwrap();
    }
}

/// Everything that can be asked of `t`: all rows as of every commit.
fn everything(ledger: &Arc<Ledger>) -> Vec<Option<Vec<(i64, String)>>> {
    (0..ledger.checkpoint().state.size).map(|seq| rows_at(ledger, seq)).collect()
}

fn receipts_hold(ledger: &Arc<Ledger>) {
    let policy = policy(ledger);
    let mut made = 0;
    for seq in 0..ledger.checkpoint().state.size {
        for row in [None, Some(0)] {
            let Ok(receipt) = ledger.receipt(seq, row) else { continue };
            let verdict = verify_receipt(receipt.as_bytes(), &policy);
            assert_eq!(verdict.exit_code(), 0, "{verdict}");
            made += usize::from(row.is_some());
        }
    }
    assert!(made > 10, "receipts of rows: {made}");
}

#[test]
fn what_was_written_a_little_at_a_time_is_merged_and_stays_what_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let (server, ledger) = open(&data);
    let t = create_table(&ledger);
    insert(&ledger, &many(&t, 0, 9_000));
    ledger.seal().unwrap();
    change_all_ways(&ledger);
    trickle(&ledger, 100_000, 40);
    let before = (everything(&ledger), sealed_files(&ledger, &t));
    assert!(before.1.len() > 40);
    let merged = ledger.merge_segments().unwrap();
    assert!(merged.into >= 2 && merged.from > 30, "{merged:?}");
    let after = sealed_files(&ledger, &t);
    assert!(after.len() < 12, "{after:?}");
    // The first one, of nine thousand rows, was not written anew for the sake of the small ones.
    assert!(after.contains("0000000000000000.arrow"));
    for name in after.difference(&before.1) {
        let mode = std::fs::metadata(ledger.folder().join(format!("segments/{}/{name}", t.id))).unwrap().permissions().mode();
        assert_eq!((name.len(), mode & 0o777), ("0000000000000000-0000000000000000.arrow".len(), 0o444), "{name}");
    }
    let size = before.0.len();
    assert_eq!(everything(&ledger)[..size], before.0[..]);
    receipts_hold(&ledger);
    // Nothing is due any more, until there is more.
    ledger.seal().unwrap();
    assert_eq!(ledger.merge_segments().unwrap(), Merged::default());
    trickle(&ledger, 200_000, 40);
    ledger.merge_segments().unwrap();
    assert_eq!(everything(&ledger)[..size], before.0[..]);
    let now = everything(&ledger);
    let policy = policy(&ledger);
    server.shutdown().unwrap();
    drop((server, ledger));
    let verdict = fsck_of(&data, &policy, None);
    assert_eq!(verdict.exit_code(), 0, "{verdict}");
    assert!(!verdict.to_string().contains("kept beside"), "{verdict}");
    let (server, ledger) = reopened(&data);
    assert_eq!(everything(&ledger)[..now.len()], now[..]);
    receipts_hold(&ledger);
    server.shutdown().unwrap();
}

#[test]
fn readers_go_on_where_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let (server, ledger) = open(&dir.path().join("data"));
    let t = create_table(&ledger);
    trickle(&ledger, 0, 17);
    let reader = ledger.begin("r");
    let view = reader.reading(&t).unwrap();
    let wanted = all(&reader);
    let chunks = view.scan(&[0, 1], true);
    // Single rows by key fill the cache of decoded batches, which begin and end elsewhere afterwards.
    let ids: Vec<i64> = wanted.iter().map(|row| row.0).collect();
    let by_key = || ids.iter().map(|id| find(&ledger.begin("r"), *id).unwrap().1).collect::<Vec<_>>();
    let before = by_key();
    assert!(ledger.merge_segments().unwrap().into > 0);
    assert_eq!(chunks.into_iter().map(|chunk| chunk.read().unwrap().num_rows()).sum::<usize>(), wanted.len());
    assert_eq!(all(&reader), wanted);
    assert_eq!(by_key(), before);
    drop(reader);
    server.shutdown().unwrap();
}

#[test]
fn any_commit_before_and_after_a_merge_is_restored() {
    let dir = tempfile::tempdir().unwrap();
    let (server, ledger) = open(&dir.path().join("data"));
    create_table(&ledger);
    trickle(&ledger, 0, 20);
    let backup = dir.path().join("backup");
    server.backup(&backup, true).unwrap();
    ledger.merge_segments().unwrap();
    trickle(&ledger, 1_000, 20);
    insert(&ledger, &rows(&table(&ledger), &[(5_000, "not sealed")]));
    ledger.merge_segments().unwrap();
    // One folder that had the small files, one that never saw them.
    let other = dir.path().join("other");
    let size = server.backup(&backup, true).unwrap()[0].size;
    server.backup(&other, true).unwrap();
    let policy = policy(&ledger);
    let truth = everything(&ledger);
    server.shutdown().unwrap();
    for (at, commit) in (3..size).step_by(5).chain([size - 1]).enumerate() {
        let to = dir.path().join(format!("to {commit}"));
        restore_to(if at % 2 == 0 { &backup } else { &other }, &to, Some(commit));
        let verdict = fsck_of(&to, &policy, None);
        assert_eq!(verdict.exit_code(), 0, "to {commit}, before it was opened: {verdict}");
        for again in 0..2 {
            let (copy, of) = reopened(&to);
            for seq in 0..=commit {
                assert_eq!(rows_at(&of, seq), truth[seq as usize], "as of {seq}, restored to {commit}, start {again}");
            }
            if again == 0 && commit > 10 {
                trickle(&of, 9_000, 18);
                of.merge_segments().unwrap();
            }
            copy.shutdown().unwrap();
        }
        let verdict = fsck_of(&to, &policy, None);
        assert_eq!(verdict.exit_code(), 0, "to {commit}: {verdict}");
        std::fs::remove_dir_all(to).unwrap();
    }
}

#[test]
fn what_must_be_kept_stays_beside_what_it_was_merged_into() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let clock = Arc::new(SimClock::new(BEGUN_US, 1));
    let (server, ledger) = open_at(&data, &clock);
    create_table(&ledger);
    let t = retain(&ledger, months(1, Mode::Compliance)).unwrap();
    let seal_one = |id: i64| {
        insert(&ledger, &rows(&t, &[(id, "kept")]));
        ledger.seal().unwrap();
    };
    (0..40).for_each(seal_one);
    // Sixteen are not worth a second copy.
    ledger.merge_segments().unwrap();
    assert_eq!(sealed_files(&ledger, &t).len(), 40);
    // Two days, a sixteenth of a month, are the most that a file may hold.
    clock.set(BEGUN_US + 3 * DAY_US);
    (40..300).for_each(seal_one);
    let before = sealed_files(&ledger, &t);
    ledger.merge_segments().unwrap();
    let after = sealed_files(&ledger, &t);
    assert!(before.is_subset(&after), "nothing is removed before its time");
    let new: Vec<&String> = after.difference(&before).collect();
    assert_eq!(new, ["0000000000000040-0000000000000260.arrow"]);
    let policy = policy(&ledger);
    server.shutdown().unwrap();
    drop((server, ledger));
    let verdict = fsck_of(&data, &policy, None);
    assert_eq!(verdict.exit_code(), 0, "{verdict}");
    assert!(verdict.to_string().contains("260 files whose rows were merged into larger ones are kept beside them"), "{verdict}");
    spoiled_is_found(&data, &policy, &t, &["0000000000000041.arrow", new[0]]);
    // Past their time they go, and the rows stay.
    let (server, ledger) = open_at(&data, &clock);
    assert_eq!(sealed_files(&ledger, &t).len(), 301);
    for half in 1..=3 {
        clock.set(BEGUN_US + (3 + half * 16) * DAY_US);
        let mut transaction = ledger.begin("time");
        transaction.create_schema(&format!("m{half}")).unwrap();
        transaction.commit_blocking().unwrap();
    }
    let expired = ledger.expire("custodian", &Wanted::default()).unwrap();
    assert_eq!(expired.segments, 0, "all rows are live");
    assert_eq!(sealed_files(&ledger, &t).len(), 41);
    assert_eq!(all(&ledger.begin("r")).len(), 300);
    // With the rows ended, what they were merged into expires, and its stub is called after it.
    let mut transaction = ledger.begin("tester");
    let found: Vec<_> = (40..300).map(|id| find(&transaction, id).unwrap().0).collect();
    transaction.delete(&table(&ledger), &found).unwrap();
    transaction.commit_blocking().unwrap();
    let expired = ledger.expire("custodian", &Wanted { tables: Some(vec![t.id]), before: None }).unwrap();
    assert_eq!((expired.segments, expired.rows), (1, 260));
    assert!(sealed_files(&ledger, &t).contains("0000000000000040-0000000000000260.expired"));
    server.shutdown().unwrap();
    drop((server, ledger));
    let verdict = fsck_of(&data, &policy, None);
    assert_eq!(verdict.exit_code(), 0, "{verdict}");
    assert!(verdict.to_string().contains("EXPIRED: the values of rows 40 to 299 of t"), "{verdict}");
    let (server, ledger) = open_at(&data, &clock);
    assert_eq!(all(&ledger.begin("r")).len(), 40);
    server.shutdown().unwrap();
}

/// A byte turned over in any of these files is found, and named.
fn spoiled_is_found(data: &Path, policy: &receipts::Policy, t: &engine::TableDef, names: &[&str]) {
    for name in names {
        let spoiled = tempfile::tempdir().unwrap();
        copy(data, spoiled.path());
        let path = spoiled.path().join(format!("ledgers/shockwave/segments/{}/{name}", t.id));
        let mut bytes = std::fs::read(&path).unwrap();
        let at = bytes.len() / 3;
        bytes[at] ^= 1;
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, bytes).unwrap();
        let verdict = fsck_of(spoiled.path(), policy, None);
        assert_ne!(verdict.exit_code(), 0, "{name}: {verdict}");
        assert!(verdict.to_string().contains(name), "{name}: {verdict}");
    }
}

#[test]
fn a_hold_keeps_files_until_it_is_released() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let (server, ledger) = open(&data);
    let t = create_table(&ledger);
    trickle(&ledger, 0, 20);
    let mut transaction = ledger.begin("custodian");
    let id = ledger.next_object_id();
    transaction.set_hold(HoldDef { id, name: "h".into(), tables: vec![t.id], reason: None }).unwrap();
    transaction.commit_blocking().unwrap();
    let before = sealed_files(&ledger, &t);
    ledger.merge_segments().unwrap();
    assert_eq!(sealed_files(&ledger, &t), before);
    let mut transaction = ledger.begin("custodian");
    let hold = transaction.catalog().hold("h").unwrap().id;
    transaction.drop_object(hold).unwrap();
    transaction.commit_blocking().unwrap();
    assert!(ledger.merge_segments().unwrap().into > 0);
    assert!(sealed_files(&ledger, &t).len() < before.len());
    server.shutdown().unwrap();
}

#[test]
fn a_damaged_file_is_not_merged_and_not_removed() {
    let dir = tempfile::tempdir().unwrap();
    let (server, ledger) = open(&dir.path().join("data"));
    let t = create_table(&ledger);
    trickle(&ledger, 0, 40);
    let victim = sealed_files(&ledger, &t).into_iter().nth(20).unwrap();
    let path = ledger.folder().join(format!("segments/{}/{victim}", t.id));
    let whole = std::fs::read(&path).unwrap();
    let mut bytes = whole.clone();
    let at = bytes.len() / 3;
    bytes[at] ^= 1;
    // In place, so that what is mapped changes as on a disk that decays.
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::write(&path, &bytes).unwrap();
    ledger.merge_segments().unwrap();
    ledger.merge_segments().unwrap();
    let after = sealed_files(&ledger, &t);
    assert!(after.contains(&victim), "{after:?}");
    assert!(after.len() < 35, "those before and after it were merged: {after:?}");
    std::fs::write(&path, &whole).unwrap();
    server.shutdown().unwrap();
    drop((server, ledger));
    let (server, ledger) = reopened(&dir.path().join("data"));
    let seq = ledger.checkpoint().state.size - 1;
    assert!(rows_at(&ledger, seq).unwrap().len() > 60);
    server.shutdown().unwrap();
}
