//! Wrong bytes on disk: named with file and offset, by whoever meets them first, and found by the checker.

use crate::model::{DIR, Model, batch_of, draw_batch, draw_key, everything, open, small};
use base::{CommitSeq, Io, SeededRng, SimIo};
use lsm::{LsmError, Tree};
use std::path::{Path, PathBuf};

/// A tree of several levels, everything flushed, and its model.
fn grown() -> (SimIo, Model) {
    let (io, rng, mut model) = (SimIo::new(1), SeededRng::new(1), Model::default());
    let tree = open(&io, small()).unwrap();
    for seq in 0..400 {
        let operations = draw_batch(&rng, 300);
        tree.write(&batch_of(&operations), CommitSeq(seq)).unwrap();
        model.apply(&operations, seq);
    }
    tree.flush().unwrap();
    (io, model)
}

fn runs(io: &SimIo) -> Vec<PathBuf> {
    let names = io.list(Path::new(DIR)).unwrap();
    names.iter().filter(|name| name.ends_with(".run")).map(|name| Path::new(DIR).join(name)).collect()
}

/// Reads a little and everything, and asks the checker: right answers or errors, and of these the first.
fn read_all(tree: &Tree, model: &Model, context: &str) -> Option<LsmError> {
    let (latest, rng) = (tree.latest(), SeededRng::new(9));
    let mut first = None;
    for _ in 0..60 {
        let key = draw_key(&rng, 300);
        match latest.get(&key) {
            Ok(value) => assert_eq!(value, model.get(&key, latest.seq()), "{context}"),
            Err(error) => first = first.or(Some(error)),
        }
    }
    match everything(&latest, context) {
        Ok(all) => assert!(all == model.all(latest.seq()), "{context}: wrong answer"),
        Err(error) => first = first.or(Some(error)),
    }
    first
}

#[test]
fn a_flipped_bit_anywhere_is_found_and_never_believed() {
    let (io, model) = grown();
    let mut met = 0;
    for run in runs(&io) {
        let bytes = io.peek(&run).unwrap().len() as u64;
        for place in (0..bytes).step_by(151) {
            let context = format!("{} at {place}", run.display());
            let copy = io.copy(place);
            copy.flip(&run, place, (place % 8) as u8).unwrap();
            let error = match open(&copy, small()) {
                Ok(tree) => {
                    let error = read_all(&tree, &model, &context);
                    met += u32::from(error.is_some());
                    error.unwrap_or_else(|| tree.check().expect_err(&context))
                }
                Err(error) => error,
            };
            let LsmError::Damaged { file, offset, .. } = &error else { panic!("{context}: {error}") };
            assert!(*file == run && *offset <= place && bytes - offset <= bytes, "{context}: {error}");
        }
    }
    assert!(met > 30, "{met}");
}

#[test]
fn bits_that_rot_while_they_are_read_are_not_believed() {
    let (io, model) = grown();
    let mut good = 0;
    for seed in 0..60 {
        let copy = io.copy(seed);
        copy.rot_reads(6);
        let Ok(tree) = open(&copy, small()) else { continue };
        let context = format!("seed {seed}");
        good += u32::from(read_all(&tree, &model, &context).is_none());
        copy.rot_reads(0);
        // The disk itself is good.
        drop(tree);
        let tree = open(&copy, small()).unwrap();
        assert!(read_all(&tree, &model, &context).is_none());
        tree.check().unwrap();
    }
    assert!(good > 0);
}

#[test]
fn files_that_are_not_there_or_not_the_right_ones_are_named() {
    let (io, _) = grown();
    let all = runs(&io);
    let [first, second] = [&all[0], &all[1]];

    let copy = io.copy(1);
    copy.remove(first).unwrap();
    assert!(matches!(open(&copy, small()), Err(LsmError::Missing { file }) if file == *first));

    let copy = io.copy(2);
    copy.remove(&Path::new(DIR).join("manifest")).unwrap();
    assert!(matches!(open(&copy, small()), Err(LsmError::Missing { file }) if file.ends_with("manifest")));

    let copy = io.copy(3);
    copy.open_write(first).unwrap().set_len(100).unwrap();
    let error = open(&copy, small()).unwrap_err().to_string();
    assert!(error.contains("at offset 100: the run is 100 bytes long, the manifest says"), "{error}");

    let copy = io.copy(4);
    copy.rename(second, first).unwrap();
    assert!(open(&copy, small()).is_err());

    let copy = io.copy(5);
    copy.flip(&Path::new(DIR).join("manifest"), 20, 1).unwrap();
    let error = open(&copy, small()).unwrap_err().to_string();
    assert!(error.ends_with("is damaged at offset 0: the checksum does not match"), "{error}");

    let copy = io.copy(6);
    let file = copy.open_write(first).unwrap();
    let mut header = [0; 32];
    file.read_exact_at(0, &mut header).unwrap();
    header[8] = 2;
    let crc = crc32fast::hash(&header[..28]);
    header[28..].copy_from_slice(&crc.to_le_bytes());
    file.write_at(0, &header).unwrap();
    assert!(matches!(open(&copy, small()), Err(LsmError::UnknownVersion { version: 2, .. })));
}

#[test]
fn damage_met_by_compaction_ends_writing() {
    let (io, _) = grown();
    for run in runs(&io) {
        io.flip(&run, 40, 3).unwrap();
    }
    let tree = open(&io, small()).unwrap();
    let error = tree.compact().unwrap_err();
    assert!(matches!(&error, LsmError::Damaged { offset: 32, .. }), "{error}");
    assert!(matches!(tree.flush(), Err(LsmError::Poisoned { .. })));
    assert_eq!(tree.durable_seq(), Some(CommitSeq(399)));
}
