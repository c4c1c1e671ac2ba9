//! Attacks on exports, by the kind of file that is changed; and lies of a ledger that signs them.

use receipts::export::{ExportRow, Manifest};
use receipts::row::OP_DELETE;
use receipts::{CheckpointLeaf, CommitLeaf, Field, KeyLeaf, Keys, Leaf, RowHeader, RowTree, Supersedes};

use super::{Attack, Kind};
use crate::exports::{Exported, Files};
use crate::sample::{LEDGER, ORDERS, Sample, TIME_US, insert, order};

pub(super) fn attacks() -> Vec<Attack> {
    let all = Exported::new();
    [valid(&all), names(&all), signed(&all), log(&all), rows(&all), objects(&all), pinned(&all), large(), lies()]
        .into_iter()
        .flatten()
        .collect()
}

fn attack(all: &Exported, name: &'static str, files: &Files, verdict: &'static str, reason: &'static str) -> Attack {
    Attack { name, kind: Kind::Export, policy: all.sample.policy_text(), pinned: None, input: files.to_text(), verdict, reason }
}

fn whole(all: &Exported) -> Files {
    all.files(0, all.sample.seq())
}

fn valid(all: &Exported) -> Vec<Attack> {
    let of = |name, first, end, reason| attack(all, name, &all.files(first, end), "valid", reason);
    let mut for_people = whole(all);
    for_people.0.insert("README.md".to_owned(), b"other words".to_vec());
    for_people.0.remove("policy.txt");
    vec![
        of("valid-export", 0, 13, "commits 0 to 12 of shop"),
        of("valid-export-of-one-commit", 2, 3, "rows of commits 3 to 12"),
        of("valid-export-behind-changes-of-the-catalog", 7, 13, "rows of commits 0 to 6"),
        of("valid-export-of-a-key-leaf", 0, 1, "the objects: no commit is in the range or before it"),
        of("valid-export-of-a-checkpoint-leaf", 3, 4, "0 rows under the row roots of 0 commits"),
        attack(all, "valid-export-with-other-words-for-people", &for_people, "valid", "commits 0 to 12"),
    ]
}

fn names(all: &Exported) -> Vec<Attack> {
    let without = |name, path: &'static str, verdict, reason| {
        let mut files = whole(all);
        assert!(files.0.remove(path).is_some(), "{path}");
        attack(all, name, &files, verdict, reason)
    };
    let with = |name, path: &str, reason| {
        let mut files = whole(all);
        files.0.insert(path.to_owned(), b"more".to_vec());
        attack(all, name, &files, "malformed", reason)
    };
    let manifest = |name, text: &str, reason| {
        attack(all, name, &whole(all).with("export", |bytes| *bytes = text.as_bytes().to_vec()), "malformed", reason)
    };
    vec![
        without("export-without-range", "export", "malformed", "export: is not there"),
        without("export-without-checkpoint", "checkpoint", "tampered", "checkpoint: is not there"),
        without("export-without-blake3-checkpoint", "b3/checkpoint", "tampered", "b3/checkpoint: is not there"),
        without("export-without-objects", "objects", "tampered", "objects: is not there"),
        without("export-without-rows", "rows/000", "tampered", "rows/000: is not there"),
        without("export-without-entries", "tile/entries/000.p/13", "tampered", "tile/entries/000.p/13: is not there"),
        without("export-without-a-tile", "tile/0/000.p/13", "tampered", "tile/0/000.p/13: is not there"),
        without("export-without-a-blake3-tile", "b3/tile/0/000.p/13", "tampered", "b3/tile/0/000.p/13: is not there"),
        with("export-with-another-file", "notes.txt", "notes.txt: is no file of this export"),
        with("export-with-rows-past-the-range", "rows/001", "rows/001: is no file of this export"),
        with("export-with-a-tile-of-another-size", "tile/0/000.p/12", "tile/0/000.p/12: is no file of this export"),
        with("export-with-rows-in-a-tile's-name", "rows/000.p/13", "rows/000.p/13: is no file of this export"),
        with("export-with-blake3-entries", "b3/tile/entries/000.p/13", "is no file of this export"),
        with("export-with-a-file-that-draws", "a\u{1b}[2J", "\"a\\u{1b}[2J\": is no file of this export"),
        manifest("export-of-another-version", "shockwave-export@v2\nfirst 0\nend 13\n", "is not the three lines of an export"),
        manifest("export-of-four-lines", "shockwave-export@v1\nfirst 0\nend 13\n\n", "is not the three lines of an export"),
        manifest("export-with-leading-zero", "shockwave-export@v1\nfirst 00\nend 13\n", "is not the three lines of an export"),
        manifest("export-of-no-commit", "shockwave-export@v1\nfirst 13\nend 13\n", "export: is of no commit"),
        manifest("export-past-the-checkpoint", "shockwave-export@v1\nfirst 0\nend 14\n", "is of commits below 14, the checkpoint of 13"),
        manifest("export-of-a-long-range-file", &"x".repeat(4097), "export: is longer than 4096 bytes"),
        manifest("export-range-not-utf8", "", "is not the three lines of an export"),
    ]
}

fn signed(all: &Exported) -> Vec<Attack> {
    let with = |name, path: &str, text: String, verdict, reason| {
        attack(all, name, &whole(all).with(path, |bytes| *bytes = text.into_bytes()), verdict, reason)
    };
    let (sample, stranger) = (&all.sample, Sample::empty("shop", [0x99; 16], 0x71));
    let old = Exported { sample: Sample::empty("shop", LEDGER, 0x41), ..Exported::new() };
    let stolen = old.sample.keys.sign_checkpoint(13, &sample.sha.root());
    vec![
        with("export-checkpoint-not-utf8", "checkpoint", "\u{fffd}".to_owned(), "malformed", "checkpoint: note: has no empty line"),
        with("export-checkpoint-of-another-size", "checkpoint", sample.checkpoint(12).to_string(), "malformed", "is of commits below 13"),
        with(
            "export-checkpoint-of-another-root",
            "checkpoint",
            sample.keys.sign_checkpoint(13, &[7; 32]),
            "tampered",
            "states another root",
        ),
        with(
            "export-checkpoint-by-a-stranger",
            "checkpoint",
            stranger.keys.sign_checkpoint(13, &sample.sha.root()),
            "inconclusive",
            "authenticity",
        ),
        with(
            "export-checkpoint-of-the-blake3-tree",
            "checkpoint",
            sample.b3_checkpoint(13).to_string(),
            "malformed",
            "no ledger's SHA-256 tree",
        ),
        with(
            "export-blake3-checkpoint-of-another-root",
            "b3/checkpoint",
            sample.keys.sign_b3_checkpoint(13, &[7; 32]),
            "tampered",
            "states another root",
        ),
        with(
            "export-blake3-checkpoint-of-another-size",
            "b3/checkpoint",
            sample.b3_checkpoint(12).to_string(),
            "tampered",
            "states another root",
        ),
        with(
            "export-blake3-checkpoint-by-a-stranger",
            "b3/checkpoint",
            stranger.keys.sign_b3_checkpoint(13, &sample.b3.root()),
            "tampered",
            "b3/checkpoint: is not signed by the BLAKE3 key",
        ),
        with(
            "export-blake3-checkpoint-by-the-replaced-key",
            "b3/checkpoint",
            old.sample.keys.sign_b3_checkpoint(13, &sample.b3.root()),
            "tampered",
            "b3/checkpoint: is not signed by the BLAKE3 key",
        ),
        with(
            "export-blake3-checkpoint-of-the-sha-tree",
            "b3/checkpoint",
            sample.checkpoint(13).to_string(),
            "tampered",
            "b3/checkpoint: is not signed by the BLAKE3 key",
        ),
        Attack {
            policy: old.sample.policy_text(),
            ..with(
                "export-checkpoint-by-the-replaced-key",
                "checkpoint",
                stolen,
                "tampered",
                "checkpoint: is not signed by the SHA-256 key that the log names last",
            )
        },
        Attack {
            policy: old.sample.policy_text(),
            ..attack(all, "export-under-the-replaced-key-alone", &whole(all), "tampered", "checkpoint: signature: by the pinned key")
        },
    ]
}

fn log(all: &Exported) -> Vec<Attack> {
    let (entries, tile, b3_tile) = ("tile/entries/000.p/13", "tile/0/000.p/13", "b3/tile/0/000.p/13");
    let change =
        |name, path, verdict, reason, change: &dyn Fn(&mut Vec<u8>)| attack(all, name, &whole(all).with(path, change), verdict, reason);
    let bytes = &all.sample.bytes;
    let start = |seq: usize| bytes[..seq].iter().map(|leaf| leaf.len() + 2).sum::<usize>();
    vec![
        change(
            "export-leaf-changed",
            entries,
            "tampered",
            "tile/entries/000.p/13, leaf 2: does not give hash 2 of tile/0/000.p/13",
            &|all| all[start(2) + 50] ^= 1,
        ),
        change("export-leaf-cut", entries, "malformed", "ends before or in leaf 12", &|all| all.truncate(all.len() - 1)),
        change("export-leaf-dropped", entries, "malformed", "ends before or in leaf 12", &|all| drop(all.drain(start(6)..start(7)))),
        change("export-leaf-repeated", entries, "malformed", "bytes after its 13 leaves", &|all| {
            let leaf = all[start(6)..start(7)].to_vec();
            all.splice(start(6)..start(6), leaf);
        }),
        change("export-leaves-swapped", entries, "tampered", "leaf 6: does not give hash 6", &|all| {
            let (one, two) = (all[start(6)..start(7)].to_vec(), all[start(7)..start(8)].to_vec());
            all.splice(start(6)..start(8), [two, one].concat());
        }),
        change("export-tile-changed", tile, "tampered", "leaf 7: does not give hash 7 of tile/0/000.p/13", &|all| all[7 * 32] ^= 1),
        change("export-tile-cut", tile, "tampered", "has 384 bytes, not 416", &|all| all.truncate(384)),
        change("export-tile-too-long", tile, "tampered", "has 448 bytes, not 416", &|all| all.extend([0; 32])),
        change("export-tile-past-any-width", tile, "malformed", "is longer than 8192 bytes", &|all| all.extend([0; 8192])),
        change("export-blake3-tile-changed", b3_tile, "tampered", "leaf 7: does not give hash 7 of b3/tile/0/000.p/13", &|all| {
            all[7 * 32] ^= 1
        }),
        change("export-tile-for-blake3-tile", b3_tile, "tampered", "leaf 0: does not give hash 0 of b3/tile/0/000.p/13", &|bytes| {
            *bytes = whole(all).0[tile].clone();
        }),
    ]
}

fn rows(all: &Exported) -> Vec<Attack> {
    let change = |name, verdict, reason, change: &dyn Fn(&mut Vec<ExportRow>)| {
        let rows = all.sample.commits.iter().flatten().flat_map(|commit| &commit.rows);
        let mut rows: Vec<ExportRow> = rows.map(|row| ExportRow { header: row.header, fields: row.fields() }).collect();
        change(&mut rows);
        let mut bytes = Vec::new();
        rows.iter().for_each(|row| row.encode(&mut bytes).unwrap());
        attack(all, name, &whole(all).with("rows/000", |old| *old = bytes), verdict, reason)
    };
    let raw =
        |name, verdict, reason, change: &dyn Fn(&mut Vec<u8>)| attack(all, name, &whole(all).with("rows/000", change), verdict, reason);
    let set = |field: &mut Field, new: Option<&[u8]>| {
        let Field::Shown { value, .. } = field else { unreachable!("all are shown") };
        *value = new.map(<[u8]>::to_vec);
    };
    // 0 1 catalog, 2 3 4 orders, 5 6 visits, 7 catalog, 8 orders, 9 10 11 catalog, 12 13 14 orders
    let root = "its rows do not give its row root";
    vec![
        change("export-value-changed", "tampered", "rows/000, commit 2: its rows do not give", &|rows| {
            set(&mut rows[2].fields[1], Some(b"Eve"))
        }),
        change("export-null-for-empty", "tampered", root, &|rows| set(&mut rows[3].fields[3], None)),
        change("export-salt-changed", "tampered", root, &|rows| {
            let Field::Shown { salt, .. } = &mut rows[4].fields[0] else { unreachable!("all are shown") };
            salt[0] ^= 1;
        }),
        change("export-hidden-with-another-commitment", "tampered", root, &|rows| rows[2].fields[0] = Field::Hidden([7; 32])),
        change("export-rows-swapped", "tampered", root, &|rows| rows.swap(2, 3)),
        change("export-row-of-another-commit", "tampered", root, &|rows| {
            rows[12] = ExportRow { header: rows[12].header, ..rows[14].clone() }
        }),
        change("export-row-dropped", "tampered", "rows/000, commit 2, row 2: relation: 1002", &|rows| drop(rows.remove(4))),
        change("export-row-repeated", "tampered", "rows/000, commit 2, row 3: relation: 1001", &|rows| rows.insert(3, rows[2].clone())),
        change("export-last-row-dropped", "tampered", "rows/000, commit 12, row 0: is not there, or not all of it", &|rows| {
            drop(rows.pop())
        }),
        change("export-row-appended", "tampered", "rows/000: goes on after its last row", &|rows| rows.push(rows[14].clone())),
        change("export-catalog-row-changed", "tampered", "rows/000, commit 1: its rows do not give", &|rows| {
            set(&mut rows[0].fields[2], Some(b"other"))
        }),
        change("export-definition-changed", "tampered", root, &|rows| {
            let Field::Shown { value: Some(text), .. } = &rows[0].fields[3] else { unreachable!("all are shown") };
            let text = String::from_utf8(text.clone()).unwrap().replace("customer", "supplier");
            set(&mut rows[0].fields[3], Some(text.as_bytes()));
        }),
        change("export-catalog-row-hidden", "malformed", "commit 1, row 0: catalog: has a row that is no object's", &|rows| {
            rows[0].fields[3] = Field::Hidden(rows[0].fields[3].commitment(4, 25));
        }),
        change("export-catalog-row-erased", "malformed", "commit 1, row 0: catalog: has a row that is no object's", &|rows| {
            rows[0].fields[3] = Field::Erased(rows[0].fields[3].commitment(4, 25));
        }),
        change("valid-export-with-erased-rows", "valid", "the values of 9 redacted fields", &|rows| super::erased::of_rows(rows)),
        change("export-erased-with-another-commitment", "tampered", root, &|rows| {
            super::erased::of_rows(rows);
            rows[3].fields[1] = Field::Erased([7; 32]);
        }),
        change("export-catalog-row-of-a-large-id", "malformed", "catalog: has a row that is no object's", &|rows| {
            set(&mut rows[0].fields[0], Some(&(1i64 << 32).to_le_bytes()));
        }),
        change("export-object-under-another-id", "tampered", "rows/000, commit 1: its rows do not give", &|rows| {
            set(&mut rows[0].fields[0], Some(&1005i64.to_le_bytes()));
        }),
        change(
            "export-row-under-another-version",
            "tampered",
            "commit 2, row 0: table definition: is version 1, the row was committed under version 2",
            &|rows| {
                rows[2].header.schema_version = 2;
            },
        ),
        change(
            "export-row-of-another-operation",
            "tampered",
            "commit 12, row 0: row: shows 5 fields, its operation and definition ask for 0",
            &|rows| {
                rows[14].header = RowHeader { op: OP_DELETE, supersedes: Supersedes::Row(0), ..rows[14].header };
            },
        ),
        change("export-field-missing", "tampered", "commit 2, row 0: row: shows 3 fields", &|rows| drop(rows[2].fields.pop())),
        change("export-supersedes-a-later-row", "tampered", "commit 11, row 0: superseded row: 4 is not older", &|rows| {
            rows[12].header.supersedes = Supersedes::Row(4)
        }),
        change("export-supersedes-another-row", "tampered", root, &|rows| rows[12].header.supersedes = Supersedes::Row(2)),
        change(
            "export-value-not-canonical",
            "malformed",
            "rows/000, commit 2, row 0: value of column paid: is a bool other than 0 or 1",
            &|rows| {
                set(&mut rows[2].fields[2], Some(&[2]));
            },
        ),
        raw("export-rows-cut", "tampered", "commit 12, row 0: is not there, or not all of it", &|bytes| bytes.truncate(bytes.len() - 1)),
        raw("export-rows-cut-in-a-length", "tampered", "commit 1, row 0: is not there, or not all of it", &|bytes| bytes.truncate(3)),
        raw("export-rows-empty", "tampered", "commit 1, row 0: is not there, or not all of it", &Vec::clear),
        raw("export-row-of-a-huge-length", "malformed", "commit 1, row 0: has 4294967295 bytes, at most 67108864", &|bytes| {
            bytes[..4].fill(0xff)
        }),
        raw("export-row-of-a-wrong-length", "malformed", "rows/000, commit 1, row 0: ends 1 bytes early", &|bytes| bytes[0] -= 1),
        raw("export-row-of-kind-2", "malformed", "commit 1, row 0: row kind 2 is not supported", &|bytes| bytes[4] = 2),
    ]
}

fn objects(all: &Exported) -> Vec<Attack> {
    let late = all.files(7, 13);
    let change = |name, files: &Files, verdict, reason, change: &dyn Fn(&mut Vec<u8>)| {
        attack(all, name, &files.with("objects", change), verdict, reason)
    };
    let early = whole(all);
    vec![
        change("export-objects-cut", &early, "malformed", "objects: ends 1 bytes early", &|bytes| bytes.truncate(bytes.len() - 1)),
        change("export-objects-out-of-order", &early, "malformed", "objects: lists object 1 after 1", &|bytes| bytes.extend(bytes.clone())),
        change(
            "export-objects-renamed",
            &early,
            "tampered",
            "commit 1: the catalog, folded from objects and rows, does not give",
            &|bytes| {
                let at = bytes.len() - 3;
                bytes[at] ^= 1;
            },
        ),
        change("export-objects-of-rows-before-the-first-commit", &early, "tampered", "objects: name rows of the catalog", &|bytes| {
            bytes[4] = 0
        }),
        change("export-objects-empty", &early, "tampered", "commit 1, row 0: table definition: is not in the catalog", &Vec::clear),
        change("export-objects-of-a-later-catalog", &late, "tampered", "objects: do not give the schema root of commit 6", &|bytes| {
            *bytes = all.files(12, 13).0["objects"].clone();
        }),
        change(
            "export-objects-changed-beside-no-commit",
            &all.files(3, 4),
            "tampered",
            "objects: do not give the schema root of commit 2",
            &|bytes| {
                let at = bytes.len() - 3;
                bytes[at] ^= 1;
            },
        ),
        change("export-objects-with-rows-swapped", &late, "tampered", "commit 7: the catalog, folded from objects and rows", &|bytes| {
            // Which row of the catalog defined an object: a later delete would end another one.
            let at = bytes.windows(8).position(|eight| eight == 1u64.to_le_bytes()).unwrap();
            bytes[at] = 9;
        }),
    ]
}

fn pinned(all: &Exported) -> Vec<Attack> {
    let keys = Sample::empty("shop", LEDGER, 0x41).keys;
    let with = |name, pinned: String, verdict, reason| Attack { pinned: Some(pinned), ..attack(all, name, &whole(all), verdict, reason) };
    let root = |size| receipts::proof::tree_root::<receipts::Sha256Tree>(&all.sample.sha, size).unwrap();
    let sign = |size, root| all.sample.keys.sign_checkpoint(size, root);
    let stranger = Sample::empty("shop", [0x99; 16], 0x71);
    let both = format!("{}{}", Sample::empty("shop", LEDGER, 0x41).policy_text().replace("quorum none\n", ""), all.sample.policy_text());
    vec![
        with("valid-export-pinned", sign(4, &root(4)), "valid", "the first 4 leaves are those of the pinned checkpoint"),
        with("valid-export-pinned-at-its-own-size", sign(13, &root(13)), "valid", "the first 13 leaves"),
        with("valid-export-pinned-at-nothing", sign(0, &root(0)), "valid", "the first 0 leaves"),
        Attack {
            policy: both,
            ..with("valid-export-pinned-under-the-replaced-key", keys.sign_checkpoint(4, &root(4)), "valid", "the first 4 leaves")
        },
        with(
            "export-of-a-history-rewritten",
            sign(4, &[7; 32]),
            "tampered",
            "consistency: the log at size 13 does not extend the pinned log at size 4",
        ),
        with(
            "export-of-a-log-rolled-back",
            sign(14, &root(13)),
            "tampered",
            "checkpoint: has 13 leaves, the pinned one 14: the log was cut",
        ),
        with("export-of-nothing-with-another-root", sign(0, &[7; 32]), "tampered", "consistency: the log at size 13"),
        with("export-pinned-malformed", "pinned".to_owned(), "malformed", "pinned checkpoint: note"),
        with("export-pinned-by-a-stranger", stranger.keys.sign_checkpoint(4, &root(4)), "inconclusive", "pinned checkpoint: authenticity"),
        with("export-pinned-in-the-blake3-tree", all.sample.b3_checkpoint(4).to_string(), "tampered", "checkpoint: is of shop"),
    ]
}

/// More than one bundle, so that there are tiles of level 1.
fn large() -> Vec<Attack> {
    let all = Exported::grown(258);
    let files = all.files(250, 257);
    let change = |name, path, reason, change: &dyn Fn(&mut Vec<u8>)| attack(&all, name, &files.with(path, change), "tampered", reason);
    vec![
        attack(&all, "valid-export-over-two-bundles", &files, "valid", "commits 250 to 256"),
        change(
            "export-tile-of-level-1-changed",
            "tile/1/000.p/1",
            "tile/1/000.p/1: is not what the leaves give, from byte 9 on",
            &|bytes| bytes[9] ^= 1,
        ),
        change("export-blake3-tile-of-level-1-cut", "b3/tile/1/000.p/1", "is not what the leaves give, from byte 31 on", &|bytes| {
            bytes.truncate(31)
        }),
        change("export-rows-of-one-bundle-in-the-other", "rows/001", "rows/001, commit 256: its rows do not give", &|bytes| {
            let first = files.0["rows/000"].clone();
            let length = u32::from_le_bytes(first[..4].try_into().unwrap()) as usize + 4;
            *bytes = first[..length].to_vec();
        }),
    ]
}

/// Ledgers that sign what contradicts itself.
fn lies() -> Vec<Attack> {
    let of = |name, verdict, reason, lie: &dyn Fn(&mut Exported)| {
        let mut all = Exported::new();
        lie(&mut all);
        attack(&all, name, &all.files(0, all.sample.seq()), verdict, reason)
    };
    let commit = |all: &Exported| -> CommitLeaf {
        let Leaf::Commit(leaf) = all.sample.leaves[12].clone() else { unreachable!("leaf 12 is a commit") };
        CommitLeaf { seq: 13, time_us: TIME_US + 13, n_rows: 0, tables: vec![], row_root: RowTree::new().root(), ..leaf }
    };
    let checkpoint = |size, sha_root, b3_root| {
        Leaf::Checkpoint(CheckpointLeaf { ledger: LEDGER, seq: 13, time_us: TIME_US + 13, size, sha_root, b3_root })
    };
    vec![
        of("lie-export-row-ids-skipped", "tampered", "leaf 13: commit leaf: begins relation 1001 at row 9, not at 7", &|all| {
            all.commit(&[(ORDERS, 9, 1)], vec![order(20, insert(ORDERS), 30, "Hedy", None, None)]);
        }),
        of("lie-export-row-ids-used-again", "tampered", "leaf 13: commit leaf: begins relation 1001 at row 0, not at 7", &|all| {
            all.commit(&[(ORDERS, 0, 1)], vec![order(20, insert(ORDERS), 30, "Hedy", None, None)]);
        }),
        of("lie-export-time-set-back", "tampered", "leaf 13: leaf: is older than the one before it", &|all| {
            all.lie(Leaf::Commit(CommitLeaf { time_us: TIME_US, ..commit(all) }));
        }),
        of("lie-export-leaf-of-another-ledger", "tampered", "leaf 13: leaf: belongs to another ledger", &|all| {
            all.lie(Leaf::Commit(CommitLeaf { ledger: [9; 16], ..commit(all) }));
        }),
        of("lie-export-leaf-of-another-place", "tampered", "leaf 13: leaf: says it is at 12, but is at 13", &|all| {
            all.lie(Leaf::Commit(CommitLeaf { seq: 12, ..commit(all) }));
        }),
        of("lie-export-schema-root", "tampered", "commit 13: the catalog, folded from objects and rows", &|all| {
            all.lie(Leaf::Commit(CommitLeaf { schema_root: [9; 32], ..commit(all) }));
        }),
        of("lie-export-row-of-a-dropped-table", "tampered", "commit 13, row 0: table definition: is not in the catalog", &|all| {
            let row = all.sample.commits[2].as_ref().unwrap().rows[3].clone();
            all.commit(&[(row.header.relation, 2, 1)], vec![row]);
        }),
        of("lie-export-checkpoint-leaf-of-other-roots", "tampered", "leaf 13: leaf: states other roots of size 13", &|all| {
            all.lie(checkpoint(13, all.sample.sha.root(), [9; 32]));
        }),
        of("lie-export-checkpoint-leaf-of-other-earlier-roots", "tampered", "leaf 13: leaf: states other roots of size 4", &|all| {
            all.lie(checkpoint(4, all.sample.sha.root(), all.sample.b3.root()));
        }),
        of(
            "lie-export-keys-not-signed-by-the-old",
            "tampered",
            "leaf 13: key leaf: is not signed by the keys it names and replaces",
            &|all| {
                let new = Keys::from_seeds(all.sample.keys.origin(), &[0x61; 32], &[0x62; 32]).unwrap();
                let stranger = Keys::from_seeds(all.sample.keys.origin(), &[0x63; 32], &[0x64; 32]).unwrap();
                all.lie(Leaf::Key(KeyLeaf::new(13, TIME_US + 13, &new, Some(&stranger)).unwrap()));
                all.sample.keys = new;
            },
        ),
        of("lie-export-keys-begun-anew", "tampered", "leaf 13: key leaf: is not signed by the keys it names and replaces", &|all| {
            let new = Keys::from_seeds(all.sample.keys.origin(), &[0x61; 32], &[0x62; 32]).unwrap();
            all.lie(Leaf::Key(KeyLeaf::new(13, TIME_US + 13, &new, None).unwrap()));
            all.sample.keys = new;
        }),
        without_keys(),
    ]
}

/// A log that never names its keys.
fn without_keys() -> Attack {
    let mut sample = Sample::empty("shop", LEDGER, 0x41);
    sample.objects.clear();
    sample.commit(&[], vec![]);
    let all = Exported { sample, objects: vec![] };
    let mut files = all.files(0, 1);
    files.0.insert("objects".to_owned(), vec![]);
    assert_eq!(files.0["export"], Manifest { first: 0, end: 1 }.to_text().into_bytes());
    attack(&all, "lie-export-without-keys", &files, "tampered", "key leaf: is missing: the log names no keys")
}
