//! The schema root and the path from one definition to it.

use receipts::hash::Purpose;
use receipts::schema::{SchemaPath, schema_root};
use receipts::tree::{SchemaHashTree, TreeHash};

const OBJECTS: [(u32, &[u8]); 5] = [(1, b"one"), (5, b""), (6, b"six"), (1000, b"thousand"), (u32::MAX, b"last")];

#[test]
fn every_definition_has_a_path() {
    for n in 0..=OBJECTS.len() {
        let objects = &OBJECTS[..n];
        let root = schema_root(objects).unwrap();
        for (id, definition) in objects {
            let path = SchemaPath::new(objects, *id).unwrap().unwrap();
            assert!(path.verify(*id, definition, &root));
            assert!(!path.verify(id ^ 1, definition, &root));
            assert!(!path.verify(*id, b"other", &root));
            assert!(!path.verify(*id, definition, &[0; 32]));
            for (index, size) in (0..9).flat_map(|index| (0..9).map(move |size| (index, size))) {
                let other = SchemaPath { index, size, ..path.clone() };
                assert_eq!(other.verify(*id, definition, &root), other == path, "place {index} of {size}");
            }
        }
        assert_eq!(SchemaPath::new(objects, 7), Ok(None));
    }
    let empty = [&[0; 4], &SchemaHashTree::empty()[..]].concat();
    assert_eq!(schema_root(&[]).unwrap(), Purpose::SchemaNode.hash(&empty));
}

#[test]
fn ids_rise_strictly() {
    assert!(schema_root(&[(2, b"x"), (1, b"y")]).is_err());
    assert!(schema_root(&[(1, b"x"), (1, b"y")]).is_err());
    assert!(SchemaPath::new(&[(1, b"x"), (1, b"y")], 1).is_err());
}

#[test]
fn an_id_is_not_part_of_the_text() {
    // The id has a fixed width, so bytes cannot move between it and the definition.
    assert_ne!(schema_root(&[(0x61, b"\0\0\0a")]).unwrap(), schema_root(&[(0x6100_0000, b"a\0\0\0")]).unwrap());
}
