//! The bytes of a small log, as text: `tests/golden/log.txt`, also shown in docs/formats/wal.md. `UPDATE_GOLDEN=1` rewrites the first.

use crate::journal::{DIR, IDENTITY, SMALL, shared};
use base::{Io, SimIo};
use std::fmt::Write;
use std::path::Path;
use wal::{RecordKind, Wal};

/// Sixteen bytes a line, as `hexdump -C`, a run of zero lines as one `*`.
fn dump(bytes: &[u8]) -> String {
    let mut text = String::new();
    let mut skipping = false;
    for (number, line) in bytes.chunks(16).enumerate() {
        if number % 2 == 0 && bytes[number * 16..].iter().all(|byte| *byte == 0) {
            skipping = true;
            break;
        }
        let hex: Vec<String> =
            line.chunks(8).map(|half| half.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")).collect();
        let shown: String = line.iter().map(|byte| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' }).collect();
        writeln!(text, "{:08x}  {}  |{shown}|", number * 16, hex.join("  ")).unwrap();
    }
    if skipping {
        text.push_str("*\n");
    }
    writeln!(text, "{:08x}", bytes.len()).unwrap();
    text
}

fn golden_log() -> String {
    let io = SimIo::new(0);
    let wal = Wal::create(shared(&io), Path::new(DIR), IDENTITY, SMALL).unwrap();
    wal.append_and_sync(&[(RecordKind(1), &[b"hello"])]).unwrap();
    wal.append(RecordKind(2), &[b"twelve ", b"bytes"]).unwrap();
    wal.rotate().unwrap();
    wal.close().unwrap();
    let names = io.list(Path::new(DIR)).unwrap();
    names.iter().map(|name| format!("{name}\n{}", dump(&io.peek(&Path::new(DIR).join(name)).unwrap()))).collect()
}

#[test]
fn bytes_on_disk_never_change_unnoticed() {
    let text = golden_log();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/log.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(&path).unwrap(), "the format changed: raise its version");
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/formats/wal.md")).unwrap();
    for line in text.lines() {
        assert!(page.contains(line), "docs/formats/wal.md does not show: {line}");
    }
}
