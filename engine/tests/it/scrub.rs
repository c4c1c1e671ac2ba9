//! A scrub finds whatever changed in sealed files and folds, keeps it from being read, and sees when it is whole again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base::{Io, SimIo, SqlState};
use engine::{Ledger, Options, Server};

use crate::folds::options;
use crate::ledger::{all, change_all_ways, create_table, find, insert, many, table};

const FOLDER: &str = "/data/ledgers/shockwave";

fn open(io: &SimIo) -> (Server, Arc<Ledger>) {
    let server = Server::open(Path::new("/data"), options(io, 7)).unwrap();
    let ledger = server.ledger("shockwave").unwrap();
    (server, ledger)
}

/// Sealed twice, with more in the log.
fn sealed(io: &SimIo) -> (Server, Arc<Ledger>) {
    let (server, ledger) = open(io);
    fill_and_seal(&ledger);
    (server, ledger)
}

fn fill_and_seal(ledger: &Arc<Ledger>) {
    let t = create_table(ledger);
    insert(ledger, &many(&t, 0, 9_000));
    ledger.seal().unwrap();
    change_all_ways(ledger);
    for i in 0..300 {
        insert(ledger, &many(&t, 30_000 + i, 1));
    }
    ledger.seal().unwrap();
    insert(ledger, &many(&t, 50_000, 5));
}

fn files(io: &SimIo, dir: &Path, found: &mut Vec<PathBuf>) {
    for name in io.list(dir).unwrap() {
        let path = dir.join(name);
        if io.peek(&path).is_ok() { found.push(path) } else { files(io, &path, found) }
    }
}

fn below(io: &SimIo, part: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    files(io, &Path::new(FOLDER).join(part), &mut found);
    found.sort();
    found
}

#[test]
fn what_is_whole_is_read_and_nothing_is_found() {
    let io = SimIo::new(1);
    let (_server, ledger) = sealed(&io);
    let (first, second) = (ledger.scrub().unwrap(), ledger.scrub().unwrap());
    let bytes: usize = below(&io, "segments").iter().map(|file| io.peek(file).unwrap().len()).sum();
    assert!(first.bytes > bytes as u64, "R1: {first:?}, segments alone have {bytes}");
    // What is sealed in the background between the two is read by the second.
    assert!(second.files >= first.files && first.files > 10, "{first:?} {second:?}");
    assert_eq!((first.number, second.number, first.damages, second.damages), (1, 2, 0, 0));
    assert_eq!(ledger.scrub_rounds(), [second]);
    assert!(ledger.damages().is_empty());
}

#[test]
fn a_damaged_segment_is_not_read_until_it_is_whole_again() {
    let io = SimIo::new(1);
    let (_server, ledger) = sealed(&io);
    let t = table(&ledger);
    let before = all(&ledger.begin("reader"));
    assert!(find(&ledger.begin("reader"), 5).is_some());
    let file = PathBuf::from(FOLDER).join(format!("segments/{}/{:016}.arrow", t.id, 0));
    let middle = io.peek(&file).unwrap().len() as u64 / 2;
    io.flip(&file, middle, 3).unwrap();
    assert_eq!(ledger.scrub().unwrap().damages, 1);
    let damage = ledger.damages().remove(0);
    let rows = damage.rows.unwrap();
    assert_eq!((damage.file.as_str(), rows.0, rows.1), (&*file.strip_prefix(FOLDER).unwrap().to_string_lossy(), t.id, 0));
    assert!(damage.why.contains("BLAKE3") && !damage.mended, "{damage:?}");
    let reader = ledger.begin("reader");
    let scanned = reader.view(&t).scan(&[0], false).iter().map(|chunk| chunk.read().map(drop)).find_map(Result::err).unwrap();
    assert_eq!(scanned.state(), SqlState::DATA_CORRUPTED);
    assert!(scanned.message().contains(&format!("rows 0 to {}", rows.2 - 1)), "{scanned}");
    let key: Vec<arrow::array::ArrayRef> = vec![Arc::new(arrow::array::Int64Array::from(vec![5]))];
    assert_eq!(reader.view(&t).lookup(&key).unwrap_err().state(), SqlState::DATA_CORRUPTED, "R2: what was decoded before is forgotten");
    assert!(find(&reader, 50_001).is_some(), "other rows are read");
    io.flip(&file, middle, 3).unwrap();
    assert_eq!(ledger.scrub().unwrap().damages, 0);
    assert_eq!((all(&ledger.begin("reader")), ledger.damages()), (before, Vec::new()));
}

#[test]
fn every_sealed_file_is_looked_at() {
    let io = SimIo::new(1);
    let (_server, ledger) = sealed(&io);
    for part in ["segments", "tile", "b3", "checkpoints"] {
        for file in below(&io, part) {
            let name = file.strip_prefix(FOLDER).unwrap().to_string_lossy().into_owned();
            let last = io.peek(&file).unwrap().len() as u64 - 1;
            for offset in [0, last / 2] {
                io.flip(&file, offset, 0).unwrap();
                let round = ledger.scrub().unwrap();
                let damages = ledger.damages();
                assert!(round.damages > 0 && damages.iter().any(|damage| names(damage, &name)), "byte {offset} of {name}: {damages:?}");
                io.flip(&file, offset, 0).unwrap();
            }
            // A tile that a wider one took the place of need not be there, and which checkpoints were published nothing else says.
            if name.contains(".p/") || name.contains("checkpoints") {
                continue;
            }
            let bytes = io.peek(&file).unwrap();
            io.remove(&file).unwrap();
            ledger.scrub().unwrap();
            assert!(ledger.damages().iter().any(|damage| names(damage, &name)), "without {name}: {:?}", ledger.damages());
            io.create_new(&file, 0o444).and_then(|new| new.write_at(0, &bytes)).unwrap();
        }
    }
    assert_eq!(ledger.scrub().unwrap().damages, 0);
}

/// Whether a finding points at a file: of two that disagree it names both, and of a pair of checkpoints the first.
fn names(damage: &engine::scrub::Damage, name: &str) -> bool {
    let plain = name.strip_prefix("b3/").filter(|name| name.starts_with("checkpoint")).unwrap_or(name);
    let about = format!("{} {}", damage.file, damage.why);
    about.contains(name) || about.contains(plain)
}

#[test]
fn damaged_folds_are_made_anew() {
    let io = SimIo::new(1);
    let (server, ledger) = sealed(&io);
    let before = all(&ledger.begin("reader"));
    server.shutdown().unwrap();
    drop((server, ledger));
    let run = below(&io, "folds").into_iter().max_by_key(|file| io.peek(file).unwrap().len()).unwrap();
    // Among its blocks; what opening looks at stands at its end.
    io.flip(&run, 40, 2).unwrap();
    let (_server, ledger) = open(&io);
    assert_eq!(ledger.scrub().unwrap().damages, 1);
    let damage = ledger.damages().remove(0);
    assert!(damage.file == "folds" && damage.mended, "R3: {damage:?}");
    assert_eq!(ledger.scrub().unwrap().damages, 0);
    assert_eq!(all(&ledger.begin("reader")), before);
}

/// A server stops though a round would last for hours, and the round it cuts short says nothing.
#[test]
fn a_stop_does_not_wait_for_a_round() {
    let io = SimIo::new(1);
    let (server, ledger) = sealed(&io);
    server.shutdown().unwrap();
    drop((server, ledger));
    let server = Server::open(Path::new("/data"), Options { scrub_bytes_per_s: 1, ..options(&io, 8) }).unwrap();
    let begun = Instant::now();
    server.shutdown().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(30));
}

/// A flipped bit of a record that nobody will read before the next seal or start.
#[test]
fn damage_in_the_log_is_found_while_the_server_runs() {
    let io = SimIo::new(1);
    // No file gets full, so that nothing is sealed in the background and the log stays where it is looked at.
    let server = Server::open(Path::new("/data"), Options { wal_file_bytes: 4 << 20, ..options(&io, 7) }).unwrap();
    let ledger = server.ledger("shockwave").unwrap();
    fill_and_seal(&ledger);
    let t = table(&ledger);
    insert(&ledger, &many(&t, 60_000, 40));
    assert_eq!(ledger.scrub().unwrap().damages, 0);
    let file = below(&io, "wal").into_iter().rfind(|file| io.peek(file).unwrap().iter().skip(64).any(|byte| *byte != 0)).unwrap();
    let bytes = io.peek(&file).unwrap();
    let last = bytes.iter().rposition(|byte| *byte != 0).unwrap() as u64;
    for (at, name) in [(last - 100, "in the last record"), (70, "in the first frame")] {
        io.flip(&file, at, 3).unwrap();
        assert_eq!(ledger.scrub().unwrap().damages, 1, "{name}");
        let damage = ledger.damages().remove(0);
        assert_eq!(Path::new(FOLDER).join(&damage.file), file, "{name}: {damage:?}");
        assert!(!damage.mended && damage.why.contains("is damaged at offset"), "{name}: {damage:?}");
        io.flip(&file, at, 3).unwrap();
        assert_eq!(ledger.scrub().unwrap().damages, 0, "{name}");
    }
    // While others write, nothing is taken for damage.
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for n in 0..200 {
                insert(&ledger, &many(&t, 70_000 + n, 1));
            }
        });
        while !writer.is_finished() {
            assert_eq!(ledger.scrub().unwrap().damages, 0);
        }
    });
    server.shutdown().unwrap();
}
