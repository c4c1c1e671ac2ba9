//! Runs whose checksums are right and whose content is not, as a mistake of ours would leave them: the checker names the invariant.

use super::format::{TRAILER_BYTES, end_piece};
use super::*;
use crate::version::Version;
use base::SimIo;

const DIR: &str = "/t";

/// A run of 40 keys with values that do not pack, in a few blocks of one partition.
fn written(io: &SimIo) -> RunFile {
    io.create_dir_all(Path::new(DIR)).unwrap();
    let mut writer = RunWriter::create(io, Path::new(DIR), 7, 512, 10).unwrap();
    for number in 0..40u64 {
        let value: Vec<u8> = (0..8u64).flat_map(|word| filter::hash(&(number * 8 + word).to_le_bytes()).to_le_bytes()).collect();
        let key = format!("key{number:03}");
        writer.push(&Version { key: key.as_bytes(), seq: number, kind: Kind::Put, value: &value }).unwrap();
    }
    writer.finish(&[]).unwrap()
}

/// Changes a piece and makes its checksum fit, and says what the checker finds.
fn found(of: impl Fn(&Run) -> Handle, change: impl Fn(&mut [u8])) -> LsmError {
    let io = SimIo::new(1);
    let file = written(&io);
    let run = Run::open(&io, Path::new(DIR), file).unwrap();
    run.verify().unwrap();
    let handle = of(&run);
    let start = handle.offset as usize;
    let mut piece = run.map[start..start + handle.bytes - TRAILER_BYTES].to_vec();
    change(&mut piece);
    end_piece(&mut piece, 0, 7, handle.offset, Codec::Plain);
    io.open_write(&run.path).unwrap().write_at(handle.offset, &piece).unwrap();
    Run::open(&io, Path::new(DIR), file).unwrap().verify().unwrap_err()
}

fn block(run: &Run, number: usize) -> Handle {
    let handle = run.index(0).unwrap().handle(number).unwrap();
    assert!(!handle.packed);
    handle
}

fn named(error: &LsmError) -> &'static str {
    match error {
        LsmError::Broken { invariant, .. } => invariant,
        other => panic!("{other}"),
    }
}

#[test]
fn the_checker_names_what_does_not_hold() {
    let denied = found(|run| run.meta.partitions[0].filter, |bytes| bytes[..64].fill(0));
    assert_eq!(named(&denied), "B1", "{denied}");
    // The last digit of the second key of a block, which stands behind four numbers of one entry and the value of the first.
    let second = 4 + 6 + 64 + 4;
    let swapped = found(|run| block(run, 1), |bytes| bytes[second] = b' ');
    assert_eq!(named(&swapped), "K1", "{swapped}");
    let beyond = found(|run| block(run, 1), |bytes| bytes[4] = b'z');
    assert_eq!(named(&beyond), "X1", "{beyond}");
    // The commit of the first entry.
    let commit = found(|run| block(run, 0), |bytes| bytes[3] = 50 << 1);
    assert_eq!(named(&commit), "F1", "{commit}");
}
