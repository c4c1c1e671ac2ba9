//! fsck accepts an honest folder and names any byte that was changed in it.
#![allow(clippy::disallowed_methods, reason = "it spoils files behind the ledger's back")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::{Io, RealIo};
use engine::fsck::{Checked, Request, check};
use receipts::{Policy, Verdict};

use crate::ledger::{change_all_ways, create_table, insert, many, open};

struct Folder {
    dir: tempfile::TempDir,
    policy: Policy,
    pinned: String,
}

impl Folder {
    fn ledger(&self) -> PathBuf {
        self.dir.path().join("ledgers/shockwave")
    }

    fn check(&self, pinned: Option<&str>) -> (Verdict, Checked) {
        let io: Arc<dyn Io> = Arc::new(RealIo);
        check(&io, &Request { folder: &self.ledger(), policy: &self.policy, pinned, threads: 2 })
    }
}

/// Sealed twice, with updates, deletions, a second table's worth of log behind the last seal.
fn folder() -> Folder {
    let dir = tempfile::tempdir().unwrap();
    let (server, ledger) = open(dir.path());
    let t = create_table(&ledger);
    insert(&ledger, &many(&t, 0, 12_000));
    let pinned = ledger.checkpoint().sha_note.to_string();
    ledger.seal().unwrap();
    change_all_ways(&ledger);
    for i in 0..300 {
        insert(&ledger, &many(&t, 30_000 + i, 1));
    }
    let policy = Policy::parse(format!("log {}\nquorum none\n", ledger.verifier_keys()[0]).as_bytes()).unwrap();
    server.shutdown().unwrap();
    Folder { dir, policy, pinned }
}

fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

#[test]
fn an_honest_folder_is_valid_with_and_without_a_pinned_checkpoint() {
    let folder = folder();
    let (verdict, checked) = folder.check(None);
    assert_eq!(verdict.exit_code(), 0, "{verdict}");
    assert!(checked.rows > 12_300 && checked.segments >= 3 && checked.tiles > 6 && checked.checkpoints >= 4, "{checked:?}");
    let (verdict, _) = folder.check(Some(&folder.pinned));
    assert_eq!(verdict.exit_code(), 0, "{verdict}");
}

#[test]
fn a_changed_byte_in_any_sealed_file_is_named() {
    let folder = folder();
    let ledger = folder.ledger();
    let mut sealed = Vec::new();
    for part in ["segments", "tile", "b3", "checkpoints"] {
        files(&ledger.join(part), &mut sealed);
    }
    sealed.push(ledger.join("checkpoint"));
    for path in sealed {
        let honest = std::fs::read(&path).unwrap();
        let name = path.strip_prefix(&ledger).unwrap().to_str().unwrap().to_owned();
        // Bytes all over the file: first, last, and a stride that meets headers, bodies and padding.
        let stride = (honest.len() / 9).max(1);
        for at in (0..honest.len()).step_by(stride).chain([honest.len() - 1]) {
            let mut changed = honest.clone();
            changed[at] ^= 1;
            std::fs::remove_file(&path).unwrap();
            std::fs::write(&path, &changed).unwrap();
            let (verdict, _) = folder.check(None);
            assert!([1, 2].contains(&verdict.exit_code()), "byte {at} of {name}: {verdict}");
            let text = verdict.to_string();
            let relation = name.rsplit_once('/').map_or(name.as_str(), |(dir, _)| dir);
            assert!(text.contains(&name) || text.contains(relation) || text.contains("ledger.catalog"), "byte {at} of {name}: {text}");
        }
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, &honest).unwrap();
    }
    assert_eq!(folder.check(None).0.exit_code(), 0);
}

#[test]
fn a_history_cut_short_or_of_another_ledger_is_not_the_pinned_one() {
    let (one, other) = (folder(), folder());
    let (verdict, _) = one.check(Some(&other.pinned));
    assert_eq!(verdict.exit_code(), 1, "{verdict}");
    let strange = Folder { dir: tempfile::tempdir().unwrap(), policy: other.policy, pinned: String::new() };
    let io: Arc<dyn Io> = Arc::new(RealIo);
    let (verdict, _) = check(&io, &Request { folder: &one.ledger(), policy: &strange.policy, pinned: None, threads: 1 });
    assert_eq!(verdict.exit_code(), 3, "a key of another ledger: {verdict}");
}

#[test]
fn a_removed_segment_is_missed() {
    let folder = folder();
    let mut segments = Vec::new();
    files(&folder.ledger().join("segments"), &mut segments);
    segments.sort();
    for path in segments {
        let honest = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let (verdict, _) = folder.check(None);
        assert!([1, 2].contains(&verdict.exit_code()), "{}: {verdict}", path.display());
        std::fs::write(&path, &honest).unwrap();
    }
}
