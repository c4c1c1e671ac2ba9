//! A tree's folder overwritten with anything at any place, checksums made to fit or not: it answers or refuses, and never panics.
#![no_main]

use std::path::Path;
use std::sync::Arc;

use base::{CommitSeq, Io, SimIo};
use libfuzzer_sys::fuzz_target;
use lsm::{Batch, LsmError, Options, Tree};

fuzz_target!(|input: (bool, bool, u16, &[u8])| {
    let (in_manifest, fits, place, bytes) = input;
    let io: Arc<dyn Io> = Arc::new(SimIo::new(1));
    let folder = Path::new("/tree");
    overwrite(&io, folder, in_manifest, fits, u64::from(place), bytes).expect("the simulated disk has no faults planned");
    let Ok(tree) = open(&io, folder) else { return };
    let latest = tree.latest();
    let _ = latest.get(b"key00017");
    let _ = latest.range(..).and_then(|scan| scan.collect());
    let _ = latest.range_rev(..).and_then(|scan| scan.collect());
    let _ = tree.check();
    let _ = tree.compact();
});

fn open(io: &Arc<dyn Io>, folder: &Path) -> Result<Tree, LsmError> {
    let options = Options { block_bytes: 256, memtable_bytes: 4096, background: false, ..Options::default() };
    Tree::open(Arc::clone(io), folder, options)
}

/// Makes a tree of one run and writes `bytes` over that or the manifest; the manifest's checksum is made to fit if asked for.
fn overwrite(
    io: &Arc<dyn Io>,
    folder: &Path,
    in_manifest: bool,
    fits: bool,
    place: u64,
    bytes: &[u8],
) -> Result<(), Box<dyn std::error::Error>> {
    let tree = open(io, folder)?;
    let mut batch = Batch::new();
    for number in 0..60u32 {
        batch.put(format!("key{number:05}").as_bytes(), &number.to_le_bytes().repeat(number as usize % 9));
    }
    batch.delete_range(b"key00020", b"key00030");
    tree.write(&batch, CommitSeq(3))?;
    tree.flush()?;
    drop(tree);
    let names = io.list(folder)?;
    let name = names.iter().find(|name| (*name == "manifest") == in_manifest).ok_or("no such file")?;
    let file = io.open_write(&folder.join(name))?;
    let place = place % file.len()?;
    let room = usize::try_from(file.len()? - place)?;
    file.write_at(place, &bytes[..bytes.len().min(room)])?;
    if in_manifest && fits {
        let all = file.read_all()?;
        let end = all.len() - 4;
        file.write_at(end as u64, &crc32fast::hash(&all[..end]).to_le_bytes())?;
    }
    Ok(())
}
