//! Leaves, entry bundles and tiles: whatever decodes must encode to the same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use receipts::Leaf;
use receipts::tiles::{TileId, decode_entries, decode_tile, push_entry};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(leaf) = Leaf::decode(bytes) {
        assert_eq!(leaf.encode().as_deref(), Ok(bytes), "E1: a leaf has one encoding");
    }
    if let Ok(entries) = decode_entries(bytes) {
        let mut again = Vec::new();
        for entry in entries {
            push_entry(&mut again, entry).expect("a decoded entry is short enough");
        }
        assert_eq!(again, bytes, "an entry bundle has one encoding");
    }
    if let Ok(hashes) = decode_tile(bytes) {
        assert_eq!(hashes.as_flattened(), bytes, "a tile is its hashes");
    }
    if let Some(Ok(tile)) = str::from_utf8(bytes).ok().map(TileId::parse) {
        assert_eq!(tile.path().as_bytes(), bytes, "a tile has one path");
    }
});
