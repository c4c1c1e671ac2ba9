//! The bytes of a small tree, as text: `tests/golden/tree.txt`, also shown in docs/formats/run.md and manifest.md. `UPDATE_GOLDEN=1` rewrites the first.

use crate::model::{DIR, shared};
use base::{CommitSeq, Io, SimIo};
use lsm::{Batch, Options, Tree};
use std::fmt::Write;
use std::path::Path;

/// Sixteen bytes a line, as `hexdump -C`, repeated lines as one `*`.
fn dump(bytes: &[u8]) -> String {
    let mut text = String::new();
    let mut before: &[u8] = &[];
    let mut skipping = false;
    for (number, line) in bytes.chunks(16).enumerate() {
        if line == before {
            if !std::mem::replace(&mut skipping, true) {
                text.push_str("*\n");
            }
            continue;
        }
        (before, skipping) = (line, false);
        let half = |half: &[u8]| half.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
        let hex: Vec<String> = line.chunks(8).map(half).collect();
        let shown: String = line.iter().map(|byte| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' }).collect();
        writeln!(text, "{:08x}  {:<48}  |{shown}|", number * 16, hex.join("  ")).unwrap();
    }
    writeln!(text, "{:08x}", bytes.len()).unwrap();
    text
}

fn golden_tree() -> String {
    let io = SimIo::new(0);
    let options = Options { block_bytes: 64, background: false, ..Options::default() };
    let tree = Tree::open(shared(&io), Path::new(DIR), options).unwrap();
    let mut batch = Batch::new();
    batch.put(b"apple", b"red");
    batch.put(b"apricot", b"orange");
    batch.put(b"banana", b"yellow");
    batch.put(b"cherry", &[b'r'; 80]);
    tree.write(&batch, CommitSeq(7)).unwrap();
    let mut batch = Batch::new();
    batch.delete(b"banana");
    batch.delete_range(b"c", b"d");
    tree.write(&batch, CommitSeq(8)).unwrap();
    tree.flush().unwrap();
    let names = io.list(Path::new(DIR)).unwrap();
    names.iter().map(|name| format!("{name}\n{}", dump(&io.peek(&Path::new(DIR).join(name)).unwrap()))).collect()
}

#[test]
fn bytes_on_disk_never_change_unnoticed() {
    let text = golden_tree();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("tests/golden/tree.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(&path).unwrap(), "the format changed: raise its version");
    let page = |name: &str| std::fs::read_to_string(root.join("../docs/formats").join(name)).unwrap();
    let pages = page("run.md") + &page("manifest.md");
    for line in text.lines() {
        assert!(pages.contains(line), "docs/formats/run.md and manifest.md do not show: {line}");
    }
}
