//! The bytes of a small ledger's folder, as text: `tests/golden/folder.txt`, also shown in docs/formats/folder.md and segment.md.
//! And of a backup of it: `tests/golden/backup.txt`, also in backup.md. `UPDATE_GOLDEN=1` rewrites the goldens.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::{Io, SeededRng, SimClock, SimIo, SqlResult};
use engine::{Memory, Options, Server};

use crate::ledger::{create_table, insert, rows};

/// Sixteen bytes a line, as `hexdump -C`; runs of equal lines as one `*`.
fn dump(bytes: &[u8]) -> String {
    let mut text = String::new();
    let mut before: Option<&[u8]> = None;
    let mut starred = false;
    for (number, line) in bytes.chunks(16).enumerate() {
        if before == Some(line) {
            if !std::mem::replace(&mut starred, true) {
                text.push_str("*\n");
            }
            continue;
        }
        (before, starred) = (Some(line), false);
        let hex: Vec<String> =
            line.chunks(8).map(|half| half.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")).collect();
        let shown: String = line.iter().map(|byte| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' }).collect();
        writeln!(text, "{:08x}  {:<48}  |{shown}|", number * 16, hex.join("  ")).unwrap();
    }
    writeln!(text, "{:08x}", bytes.len()).unwrap();
    text
}

/// A ledger with one table of one row, sealed; its clock stands still, its draws are seeded.
fn folder() -> SqlResult<(SimIo, Options)> {
    let io = SimIo::new(0);
    let options = Options {
        io: Arc::new(io.clone()),
        expressions: Arc::new(engine::NoExpressions),
        clock: Arc::new(SimClock::new(1_700_000_000_000_000, 0)),
        rng: Arc::new(SeededRng::new(7)),
        wal_file_bytes: 1 << 16,
        hash_threads: 1,
        memory: Memory {
            memtable_bytes: 4 << 10,
            blocks_bytes: 64 << 10,
            batches_bytes: 1 << 16,
            staging_bytes: 64 << 10,
            graphs_bytes: 0,
            queries_bytes: 0,
        },
        fold_threads: false,
        scrub_bytes_per_s: 0,
        use_uring: false,
    };
    let server = Server::open(Path::new("/data"), options.clone())?;
    let ledger = server.ledger("shockwave").unwrap();
    let table = create_table(&ledger);
    insert(&ledger, &rows(&table, &[(1, "Ada")]));
    server.shutdown()?;
    Ok((io, options))
}

fn golden() -> String {
    let (io, _) = folder().unwrap();
    let ledger = PathBuf::from("/data/ledgers/shockwave");
    let segments = ledger.join("segments/16385");
    let segment = segments.join(io.list(&segments).unwrap().first().unwrap());
    let shown = [ledger.join("ledger.id"), ledger.join("keys/last_signed"), segment];
    shown.iter().map(|path| format!("{}\n{}", path.strip_prefix(&ledger).unwrap().display(), dump(&io.peek(path).unwrap()))).collect()
}

/// The manifest and the beginning of the log's copy.
fn golden_backup() -> String {
    const LOG_LINES: usize = 7;
    let (io, options) = folder().unwrap();
    let server = Server::open(Path::new("/data"), options).unwrap();
    server.backup(Path::new("/backup"), false).unwrap();
    server.close_unsealed().unwrap();
    let folder = PathBuf::from("/backup/ledgers/shockwave");
    let log = format!("log/{}", io.list(&folder.join("log")).unwrap()[0]);
    let manifest = String::from_utf8(io.peek(&folder.join("manifest")).unwrap()).unwrap();
    let dumped: Vec<String> = dump(&io.peek(&folder.join(&log)).unwrap()).lines().take(LOG_LINES).map(str::to_owned).collect();
    format!("manifest\n{manifest}\n{log}\n{}\n", dumped.join("\n"))
}

fn compare(text: &str, name: &str, pages: &[&str]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(&path).unwrap(), "the format changed: raise its version");
    let formats = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/formats");
    let pages: Vec<String> = pages.iter().map(|page| std::fs::read_to_string(formats.join(page)).unwrap()).collect();
    for line in text.lines() {
        assert!(pages.iter().any(|page| page.contains(line)), "no page shows: {line}");
    }
}

#[test]
fn bytes_of_a_folder_never_change_unnoticed() {
    compare(&golden(), "folder.txt", &["folder.md", "segment.md"]);
}

#[test]
fn bytes_of_a_backup_never_change_unnoticed() {
    compare(&golden_backup(), "backup.txt", &["backup.md"]);
}
