//! Tile names, widths and bytes: the examples of C2SP tlog-tiles, and proofs out of nothing but tiles.

use std::collections::HashMap;

use receipts::proof::{consistency_proof, inclusion_proof, tree_root};
use receipts::tiles::{TILE_BYTES, TileId, TileKind, TileReader, TiledTree, decode_entries, decode_tile, push_entry, tiles_of_growth};
use receipts::tree::MemoryTree;
use receipts::{Hash, NodeReader, Sha256Tree, TreeHash};

fn full(kind: TileKind, index: u64) -> TileId {
    TileId { kind, index, width: 256 }
}

#[test]
fn paths_of_the_specification() {
    assert_eq!(full(TileKind::Hashes(0), 1_234_067).path(), "tile/0/x001/x234/067");
    assert_eq!(TileId { kind: TileKind::Hashes(0), index: 273, width: 112 }.path(), "tile/0/273.p/112");
    assert_eq!(full(TileKind::Entries, 0).path(), "tile/entries/000");
    assert_eq!(full(TileKind::Entries, 1000).path(), "tile/entries/x001/000");
    assert_eq!(full(TileKind::Hashes(7), 999).path(), "tile/7/999");
}

#[test]
fn paths_parse_back_and_nothing_else_does() {
    for index in [0, 1, 255, 999, 1000, 1_234_067, 999_999_999, u64::MAX / 256] {
        for kind in [TileKind::Entries, TileKind::Hashes(0), TileKind::Hashes(7)] {
            for width in [1, 255, 256] {
                let tile = TileId { kind, index, width };
                assert_eq!(TileId::parse(&tile.path()), Ok(tile));
            }
        }
    }
    let bad = [
        "",
        "tile",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/001/067",
        "tile/00/001",
        "tile/8/001",
        "tile/-1/001",
        "tile/0/001.p/0",
        "tile/0/001.p/256",
        "tile/0/001.p/01",
        "tile/0/001.p/",
        "tile/0/+01",
        "tile/0/x001",
        "tile/0/001/",
        "/tile/0/001",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        "tile/entries",
        "tile/entries/001.p/x",
        "tile/0/x001/x234/0é7",
    ];
    for path in bad {
        assert!(TileId::parse(path).is_err(), "{path}");
    }
}

#[test]
fn tiles_of_the_trees_in_the_specification() {
    let hashes = |tiles: Vec<TileId>| tiles.into_iter().filter(|tile| tile.kind != TileKind::Entries).collect::<Vec<_>>();
    let tiles = hashes(tiles_of_growth(0, 70_000));
    let of_level = |level| tiles.iter().filter(move |tile| tile.kind == TileKind::Hashes(level));
    assert_eq!(of_level(0).filter(|tile| tile.is_full()).count(), 273);
    assert_eq!(of_level(0).next_back().unwrap().path(), "tile/0/273.p/112");
    assert_eq!(of_level(1).map(TileId::path).collect::<Vec<_>>(), ["tile/1/000", "tile/1/001.p/17"]);
    assert_eq!(of_level(2).map(TileId::path).collect::<Vec<_>>(), ["tile/2/000.p/1"]);
    let tiles = hashes(tiles_of_growth(0, 256));
    assert_eq!(tiles.iter().map(TileId::path).collect::<Vec<_>>(), ["tile/0/000", "tile/1/000.p/1"]);
}

#[test]
fn growth_names_each_changed_tile_once() {
    for (old, new) in [(0, 1), (1, 2), (255, 256), (256, 257), (200, 600), (65_535, 65_537), (5, 5)] {
        let tiles = tiles_of_growth(old, new);
        let (before, after) = (tiles_of_growth(0, old), tiles_of_growth(0, new));
        let expected: Vec<TileId> = after.into_iter().filter(|tile| !before.contains(tile)).collect();
        assert_eq!(tiles, expected, "{old} to {new}");
    }
    assert_eq!(tiles_of_growth(u64::MAX - 1, u64::MAX).len(), 2, "the largest size does not overflow");
}

struct Store(HashMap<(u8, u64), Vec<u8>>);

impl TileReader for Store {
    fn tile(&self, level: u8, index: u64, width: u16) -> Option<Vec<u8>> {
        self.0.get(&(level, index)).filter(|bytes| bytes.len() >= usize::from(width) * 32).cloned()
    }
}

fn store(tree: &MemoryTree<Sha256Tree>, size: u64) -> Store {
    let mut store = HashMap::new();
    for tile in tiles_of_growth(0, size) {
        let TileKind::Hashes(level) = tile.kind else { continue };
        let hashes = (0..u64::from(tile.width)).map(|i| tree.node(level * 8, tile.index * 256 + i).unwrap());
        let bytes = hashes.collect::<Vec<Hash>>().concat();
        assert_eq!(decode_tile(&bytes).unwrap().len(), usize::from(tile.width));
        store.insert((level, tile.index), bytes);
    }
    Store(store)
}

#[test]
fn proofs_come_out_of_tiles_alone() {
    let leaves: Vec<Hash> = (0..66_000u32).map(|i| Sha256Tree::leaf(&i.to_le_bytes())).collect();
    let tree = MemoryTree::<Sha256Tree>::from_leaves(&leaves);
    for size in [1, 2, 255, 256, 257, 511, 513, 65_535, 65_536, 65_537, 66_000] {
        let tiled = TiledTree::<Sha256Tree, _>::new(store(&tree, size), size);
        assert_eq!(tree_root::<Sha256Tree>(&tiled, size), tree_root::<Sha256Tree>(&tree, size), "root at {size}");
        for index in [0, 1, size / 3, size / 2, size - 1] {
            let index = index.min(size - 1);
            assert_eq!(inclusion_proof::<Sha256Tree>(&tiled, index, size), inclusion_proof::<Sha256Tree>(&tree, index, size));
            assert_eq!(consistency_proof::<Sha256Tree>(&tiled, index, size), consistency_proof::<Sha256Tree>(&tree, index, size));
        }
        assert_eq!(tiled.node(0, size), None, "no node beyond the size");
        assert_eq!(tiled.node(63, u64::MAX), None);
        assert_eq!(tiled.node(9, u64::MAX), None);
    }
}

#[test]
fn tile_bytes() {
    assert!(decode_tile(&[]).is_err());
    assert!(decode_tile(&[0; 31]).is_err());
    assert!(decode_tile(&[0; TILE_BYTES + 32]).is_err());
    assert_eq!(decode_tile(&[7; TILE_BYTES]).unwrap().len(), 256);
}

#[test]
fn entry_bundles() {
    let mut bundle = vec![];
    push_entry(&mut bundle, b"").unwrap();
    push_entry(&mut bundle, b"a").unwrap();
    push_entry(&mut bundle, &[9; 300]).unwrap();
    assert_eq!(bundle[..5], [0, 0, 0, 1, b'a'], "lengths are big-endian u16");
    assert_eq!(bundle[5..7], [1, 44]);
    assert_eq!(decode_entries(&bundle).unwrap(), [&b""[..], b"a", &[9; 300]]);
    assert!(decode_entries(&bundle[..bundle.len() - 1]).is_err());
    assert!(decode_entries(&bundle[..6]).is_err());
    assert!(decode_entries(&[]).is_err());
    assert!(decode_entries(&[0; 2 * 257]).is_err(), "257 entries");
    assert!(push_entry(&mut bundle, &[0; 65_536]).is_err());
    push_entry(&mut bundle, &[0; 65_535]).unwrap();
}
