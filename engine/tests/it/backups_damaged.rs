//! Whatever is changed in a backup is named before anything is believed of it.

#![allow(clippy::disallowed_methods, reason = "it spoils files of a backup")]

use std::path::{Path, PathBuf};

use engine::Server;
use engine::restore::{self, Request};

use crate::backups::{files, fill, ledger_backup};
use crate::ledger::{open, options, table};

fn backup_of(dir: &Path) -> PathBuf {
    let (server, ledger) = open(&dir.join("data"));
    fill(&ledger);
    server.backup(&dir.join("backup"), true).unwrap();
    server.shutdown().unwrap();
    dir.join("backup")
}

#[test]
fn a_flipped_cut_or_missing_file_is_named_by_check_and_restore() {
    let dir = tempfile::tempdir().unwrap();
    let backup = backup_of(dir.path());
    let found = restore::check(&options(), &backup).unwrap();
    let honest = files(&ledger_backup(&backup));
    assert_eq!(found[0].files as usize, honest.len() - 2, "all but the manifest and the lock");
    let mut round = 0;
    for (name, bytes) in honest.iter().filter(|(name, _)| *name != "lock") {
        let path = ledger_backup(&backup).join(name);
        let mut spoilt = |content: Option<Vec<u8>>| {
            std::fs::remove_file(&path).unwrap();
            content.iter().for_each(|content| std::fs::write(&path, content).unwrap());
            let to = dir.path().join(format!("to {round}"));
            round += 1;
            let checked = restore::check(&options(), &backup).unwrap_err();
            let restored = restore::restore(&options(), &Request { from: &backup, to: &to, database: None, to_commit: None, keys: None });
            if name == "manifest" && content.is_none() {
                assert_eq!(checked.state().0, "55000");
                return;
            }
            // Password verifiers of nobody are in no backup; every other file is read by a restore.
            for error in [checked, restored.unwrap_err()] {
                assert_eq!(error.state().0, "XX001", "{error}");
                assert!(error.message().contains(&format!("{name}\"")), "{name} is not named: {error}");
            }
            assert!(!to.exists() || Server::open(&to, options()).is_err(), "{name}: what is half laid is served");
            let _ = std::fs::remove_dir_all(&to);
        };
        for at in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            spoilt(Some(changed));
        }
        spoilt(Some(bytes[..bytes.len() - 1].to_vec()));
        spoilt(None);
        let _ = std::fs::remove_file(&path);
        std::fs::write(&path, bytes).unwrap();
    }
    restore::check(&options(), &backup).unwrap();
}

/// Whoever makes a manifest anew can make any file fit it; the leaves, the roots and the signature then do not.
#[test]
fn a_manifest_made_anew_does_not_make_up_for_a_changed_leaf() {
    let dir = tempfile::tempdir().unwrap();
    let backup = backup_of(dir.path());
    let folder = ledger_backup(&backup);
    let honest = files(&folder);
    for name in honest.keys().filter(|name| name.starts_with("log/") || name.contains("entries/") || name.contains("signed/")) {
        let mut changed = honest[name].clone();
        // In the log, the time of the first leaf: rows are the row root's to prove, and fsck's to check.
        let leaf = changed.windows(4).position(|bytes| bytes == b"SWLF").filter(|_| name.starts_with("log/"));
        let at = leaf.map_or(changed.len() - 40, |leaf| leaf + 33);
        changed[at] ^= 1;
        let old = blake3::hash(&honest[name]).to_hex();
        let new = blake3::hash(&changed).to_hex();
        let manifest = String::from_utf8(honest["manifest"].clone()).unwrap().replace(old.as_str(), new.as_str());
        let body = &manifest[..manifest.rfind("end ").unwrap()];
        std::fs::remove_file(folder.join(name)).unwrap();
        std::fs::write(folder.join(name), changed).unwrap();
        std::fs::write(folder.join("manifest"), format!("{body}end {}\n", blake3::hash(body.as_bytes()).to_hex())).unwrap();
        let error = restore::check(&options(), &backup).unwrap_err();
        assert_eq!(error.state().0, "XX001", "{name}: {error}");
        std::fs::remove_file(folder.join(name)).unwrap();
        std::fs::write(folder.join(name), &honest[name]).unwrap();
    }
    std::fs::write(folder.join("manifest"), &honest["manifest"]).unwrap();
    restore::check(&options(), &backup).unwrap();
}

#[test]
fn a_segment_that_rotted_in_the_ledger_is_not_taken_into_a_backup() {
    let dir = tempfile::tempdir().unwrap();
    let (server, ledger) = open(&dir.path().join("data"));
    fill(&ledger);
    let backup = dir.path().join("backup");
    let segment = ledger.folder().join(format!("segments/{}/{:016}.arrow", table(&ledger).id, 0));
    let honest = std::fs::read(&segment).unwrap();
    let spoil = |bytes: &[u8]| {
        std::fs::remove_file(&segment).unwrap();
        std::fs::write(&segment, bytes).unwrap();
    };
    let mut changed = honest.clone();
    changed[honest.len() / 2] ^= 4;
    spoil(&changed);
    let error = server.backup(&backup, true).unwrap_err();
    assert_eq!(error.state().0, "XX001", "{error}");
    assert!(error.message().contains("0000000000000000.arrow"), "{error}");
    assert!(!ledger_backup(&backup).join("manifest").exists());
    spoil(&honest);
    server.backup(&backup, true).unwrap();
    server.shutdown().unwrap();
    restore::check(&options(), &backup).unwrap();
}
