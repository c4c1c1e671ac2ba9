//! `tests/log/`: a small log as files, in the layout of docs/formats/tiles.md, for public tlog tools to read. Written by
//! `UPDATE_VECTORS=1 cargo test -p receipts log`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use receipts::tiles::{TileId, TileKind, push_entry, tiles_of_growth};
use receipts::{CheckpointLeaf, Leaf, NodeReader};

use crate::sample::{LEDGER, Sample, TIME_US};

/// More than a full tile, so that there is one level above.
const SIZE: u64 = 260;
/// Size of the checkpoint kept from before.
const OLD_SIZE: u64 = 200;

fn grown() -> Sample {
    let mut sample = Sample::new();
    while sample.seq() < SIZE {
        let (seq, sha_root, b3_root) = (sample.seq(), sample.sha.root(), sample.b3.root());
        sample.push(Leaf::Checkpoint(CheckpointLeaf { ledger: LEDGER, seq, time_us: TIME_US, size: seq, sha_root, b3_root }), None);
    }
    sample
}

fn tile(sample: &Sample, tree: &dyn NodeReader, id: &TileId) -> Vec<u8> {
    let places = id.index * 256..id.index * 256 + u64::from(id.width);
    match id.kind {
        TileKind::Entries => {
            let mut bundle = Vec::new();
            places.for_each(|place| push_entry(&mut bundle, &sample.bytes[place as usize]).unwrap());
            bundle
        }
        // A node above 2^k leaves stands at level k of the tree; a tile's levels are 8 apart.
        TileKind::Hashes(level) => places.flat_map(|place| tree.node(8 * level, place).unwrap()).collect(),
    }
}

fn files() -> BTreeMap<String, Vec<u8>> {
    let sample = grown();
    let mut files = BTreeMap::new();
    for id in tiles_of_growth(0, SIZE) {
        files.insert(id.path(), tile(&sample, &sample.sha, &id));
        if id.kind != TileKind::Entries {
            files.insert(format!("b3/{}", id.path()), tile(&sample, &sample.b3, &id));
        }
    }
    for (name, size) in [("checkpoint", SIZE), ("checkpoint.old", OLD_SIZE)] {
        files.insert(name.to_owned(), sample.checkpoint(size).to_string().into_bytes());
        files.insert(format!("b3/{name}"), sample.b3_checkpoint(size).to_string().into_bytes());
    }
    files.insert("policy.txt".to_owned(), sample.policy_text().into_bytes());
    files
}

fn found(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            found(&entry.path(), &format!("{name}/"), files);
        } else {
            files.insert(name, fs::read(entry.path()).unwrap());
        }
    }
}

#[test]
fn log() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/log");
    let expected = files();
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        let _ = fs::remove_dir_all(&folder);
        for (name, bytes) in &expected {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }
    let mut files = BTreeMap::new();
    found(&folder, "", &mut files);
    assert_eq!(files.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    assert!(files == expected, "tests/log is out of date: UPDATE_VECTORS=1 cargo test -p receipts log");
}
