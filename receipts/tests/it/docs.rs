//! The worked examples in docs/formats: written from the sample ledger by `UPDATE_VECTORS=1 cargo test -p receipts docs`, compared otherwise.
//!
//! A line `<!-- golden: name -->` is followed by a fenced block with the example of that name.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use receipts::hash::Purpose;
use receipts::proof::tree_root;
use receipts::tiles::{TileKind, push_entry, tiles_of_growth};
use receipts::{
    Blake3Tree, Hash, Leaf, NodeReader, SdJwt, Sha256Tree, field_commitment, field_salt, row_hash, verify_disclosure, verify_receipt,
};

use crate::attacks::{cosigned, signer};
use crate::sample::{ORDERS_COLUMNS, Sample};

type Golden = (&'static str, String);

fn check(page: &str, goldens: &[Golden]) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/formats").join(page);
    let old = fs::read_to_string(&path).unwrap();
    let mut new = String::new();
    let mut found = 0;
    let mut lines = old.lines().peekable();
    while let Some(line) = lines.next() {
        writeln!(new, "{line}").unwrap();
        let Some(name) = line.strip_prefix("<!-- golden: ").and_then(|rest| rest.strip_suffix(" -->")) else { continue };
        let (_, text) = goldens.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("{page} asks for {name}"));
        if lines.peek() == Some(&"```text") {
            lines.next();
            lines.by_ref().take_while(|line| *line != "```").for_each(drop);
        }
        write!(new, "```text\n{}\n```\n", text.trim_end()).unwrap();
        found += 1;
    }
    assert_eq!(found, goldens.len(), "{page} shows every example");
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        fs::write(&path, &new).unwrap();
    } else {
        assert!(new == old, "{page} is out of date: UPDATE_VECTORS=1 cargo test -p receipts docs");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `offset  bytes  meaning`, sixteen bytes a line, for parts that cover `bytes` exactly; a part longer than `shown` is cut.
fn dump(bytes: &[u8], parts: &[(usize, &str)], shown: usize) -> String {
    let (mut out, mut at) = (String::new(), 0);
    for (len, meaning) in parts {
        let part = &bytes[at..at + len];
        for (i, line) in part[..part.len().min(shown)].chunks(16).enumerate() {
            let pairs: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
            let meaning = if i == 0 { meaning } else { "" };
            writeln!(out, "{}", format!("{:06x}  {:<47}  {meaning}", at + i * 16, pairs.join(" ")).trim_end()).unwrap();
        }
        if part.len() > shown {
            writeln!(out, "        … {} bytes more", part.len() - shown).unwrap();
        }
        at += len;
    }
    assert_eq!(at, bytes.len(), "the parts cover everything");
    out
}

const HEADER: [(usize, &str); 7] = [
    (4, "magic \"SWLF\""),
    (1, "version"),
    (1, "kind"),
    (2, "zero"),
    (16, "ledger id"),
    (8, "seq"),
    (8, "time, 2026-01-02 03:04:05.678901 UTC and a few µs"),
];

fn leaf(sample: &Sample, seq: usize, parts: &[(usize, &str)]) -> String {
    dump(&sample.bytes[seq], &[&HEADER[..], parts].concat(), 64)
}

fn row_example(sample: &Sample) -> String {
    let row = &sample.commits[2].as_ref().unwrap().rows[0];
    let mut out = format!("row salt  {}\n", hex(&row.salt));
    let mut commitments = vec![];
    for (i, (value, (id, oid))) in row.values.iter().zip(ORDERS_COLUMNS).enumerate() {
        let salt = field_salt(&row.salt, i as u32);
        let commitment = field_commitment(&salt, id, oid, value.as_deref());
        let shown = value.as_deref().map_or("NULL".to_owned(), hex);
        writeln!(out, "salt_{i}    {}\nc_{i}       {}  column {id}, type {oid}, {shown}", hex(&salt), hex(&commitment)).unwrap();
        commitments.push(commitment);
    }
    writeln!(out, "header    {}\nrow       {}", hex(&row.header.encode()), hex(&row_hash(&row.header, &commitments))).unwrap();
    assert_eq!(row_hash(&row.header, &commitments), row.hash());
    out
}

/// Canonical bytes beside what a verifier prints of them.
fn value_examples() -> String {
    let array = b"\x03\0\0\0\0\x04\0\0\0\x01\0\0\0\x01\0\x04\0\0\0\x03\0\0\0";
    let interval = [&14i32.to_le_bytes()[..], &(-3i32).to_le_bytes(), &14_706_789_000i64.to_le_bytes()].concat();
    let short = [&125i128.to_le_bytes()[..], &[1]].concat();
    let long = [&[0xff; 17][..], &40u16.to_le_bytes()].concat();
    let examples: [(&str, u32, &[u8]); 10] = [
        ("numeric", 1700, &short),
        ("numeric", 1700, &long),
        ("numeric", 1700, &[2]),
        ("char(5)", 1042, b"ab"),
        ("time", 1083, &14_706_789_000i64.to_le_bytes()),
        ("interval", 1186, &interval),
        ("uuid", 2950, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]),
        ("json", 114, b"[1 ]"),
        ("jsonb", 3802, b"{\"b\": 1.0}"),
        ("integer[]", 1007, array),
    ];
    let line = |(name, oid, bytes): &(&str, u32, &[u8])| {
        format!("{name:<9}  {}  {}\n", hex(bytes), receipts::value::format_value(*oid, bytes).unwrap())
    };
    examples.iter().map(line).collect()
}

#[test]
fn leaf_page() {
    let sample = Sample::new();
    let mut keys = String::new();
    Purpose::ALL.iter().for_each(|purpose| writeln!(keys, "{:<30}  {}", purpose.context(), hex(purpose.key())).unwrap());
    let (sha, b3) = receipts::leaf::leaf_hashes(&sample.bytes[2]);
    let span = [(4, "relation"), (8, "first row id"), (8, "rows")];
    let commit = [
        &[(32, "schema root"), (8, "rows"), (32, "row root"), (32, "policy hash"), (32, "plan hash"), (8, "zero")][..],
        &[(6, "actor"), (1, "idempotency key"), (4, "tables")],
        &span,
        &span,
    ];
    let commit = leaf(&sample, 2, &commit.concat());
    let key = [
        (1, "role"),
        (38, "origin"),
        (32, "SHA-256 key"),
        (32, "BLAKE3 key"),
        (64, "signature by the SHA-256 key"),
        (64, "signature by the BLAKE3 key"),
    ];
    let incarnation = [(4, "number"), (8, "previous size"), (32, "previous SHA-256 root"), (32, "previous BLAKE3 root")];
    check(
        "leaf.md",
        &[
            ("values", value_examples()),
            ("keys", keys),
            ("row", row_example(&sample)),
            ("commit", format!("{commit}\nSHA-256 leaf hash  {}\nBLAKE3 leaf hash   {}", hex(&sha), hex(&b3))),
            ("checkpoint", leaf(&sample, 4, &[(8, "size"), (32, "SHA-256 root"), (32, "BLAKE3 root")])),
            ("key", leaf(&sample, 0, &key)),
            ("incarnation", leaf(&sample, 11, &incarnation)),
        ],
    );
}

#[test]
fn tiles_page() {
    let sample = Sample::new();
    let is_edge = |tile: &receipts::tiles::TileId| tile.kind != TileKind::Entries && (!tile.is_full() || tile.kind == TileKind::Hashes(1));
    let paths: Vec<String> = tiles_of_growth(0, 70_000).iter().filter(|tile| is_edge(tile)).map(ToString::to_string).collect();
    let mut bundle = vec![];
    sample.bytes[..2].iter().for_each(|leaf| push_entry(&mut bundle, leaf).unwrap());
    let (first, second) = (sample.bytes[0].len(), sample.bytes[1].len());
    let bundle = dump(&bundle, &[(2, "length, big-endian"), (first, "leaf 0"), (2, "length"), (second, "leaf 1")], 32);
    let hashes = |tree: &dyn NodeReader| (0..3).map(|i| hex(&tree.node(0, i).unwrap())).collect::<Vec<_>>().join("\n");
    let root = |size| -> (Hash, Hash) {
        (tree_root::<Sha256Tree>(&sample.sha, size).unwrap(), tree_root::<Blake3Tree>(&sample.b3, size).unwrap())
    };
    let roots: String = (0..=12).map(|size| format!("{size:2}  {}  {}\n", hex(&root(size).0), hex(&root(size).1))).collect();
    check(
        "tiles.md",
        &[
            ("paths", paths.join("\n")),
            ("bundle", bundle),
            ("tile", format!("{}\n\n{}", hashes(&sample.sha), hashes(&sample.b3))),
            ("roots", roots),
        ],
    );
}

fn cosigned_example(sample: &Sample) -> String {
    let witnesses = [1, 2].map(|n| format!("{}\n", signer(n).verifier()));
    format!("{}\n{}", witnesses.concat(), cosigned(sample, 12, &[1, 2]))
}

#[test]
fn checkpoint_page() {
    let sample = Sample::new();
    let [sha, b3] = sample.keys.verifiers();
    check(
        "checkpoint.md",
        &[
            ("keys", format!("{sha}\n{b3}\n\n{}", sample.keys.secret_text())),
            ("cosigned", cosigned_example(&sample)),
            ("checkpoints", format!("{}\n{}", sample.checkpoint(5), sample.b3_checkpoint(5))),
            ("consistency", sample.consistency(5, 12).to_string()),
        ],
    );
}

#[test]
fn receipt_page() {
    use base64::Engine as _;
    let sample = Sample::new();
    let text = sample.receipt(2, Some(0), 12).to_text().unwrap();
    let extra = text.lines().nth(1).unwrap().strip_prefix("extra ").unwrap();
    let extra = base64::engine::general_purpose::STANDARD.decode(extra).unwrap();
    let leaf_len = sample.bytes[2].len();
    assert!(matches!(Leaf::decode(&extra[12..12 + leaf_len]), Ok(Leaf::Commit(_))));
    let definition = sample.row_part(2, 0).definition.len();
    let parts = [
        (4, "magic \"SWRX\""),
        (1, "version"),
        (1, "flags: a row follows"),
        (2, "zero"),
        (4, "length of the leaf"),
        (leaf_len, "leaf"),
        (8, "index of the row in the commit"),
        (19, "row header"),
        (2, "fields"),
        (1 + 16 + 4 + 8, "id: value, salt, length, 7"),
        (1 + 16 + 4 + 3, "customer: value, salt, length, \"Ada\""),
        (1 + 16 + 4 + 1, "paid: value, salt, length, true"),
        (1 + 16, "remark: NULL, salt"),
        (1, "hashes of the row's path"),
        (96, "path"),
        (4, "length of the definition"),
        (definition, "definition"),
        (4, "index of the definition"),
        (4, "objects in the catalog"),
        (1, "hashes of the definition's path"),
        (64, "path"),
    ];
    check(
        "receipt.md",
        &[
            ("policy", sample.policy_text()),
            ("text", text.clone()),
            ("extra", dump(&extra, &parts, 64)),
            ("verdict", verify_receipt(text.as_bytes(), &sample.policy()).to_string()),
        ],
    );
}

#[test]
fn disclosure_page() {
    let sample = Sample::new();
    let text = sample.disclosure(&[(2, 0, &[1]), (3, 1, &[2])], 12).to_text().unwrap();
    let verdict = verify_disclosure(text.as_bytes(), &sample.policy()).to_string();
    check("disclosure.md", &[("text", text), ("verdict", verdict)]);
}

#[test]
fn sd_jwt_page() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let sample = Sample::new();
    let text = SdJwt::sign(&sample.keys, sample.disclosure(&[(2, 0, &[1]), (3, 1, &[2])], 12)).unwrap();
    let lines: Vec<&str> = text.as_bytes().chunks(120).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let decode = |part: &str| String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    let mut parts = text.split(['~', '.']).filter(|part| !part.is_empty());
    let (header, payload) = (decode(parts.next().unwrap()), decode(parts.next().unwrap()));
    let (before, after) = (payload.find("shockwave-disclosure@").unwrap(), payload.find("\",\"rows\"").unwrap());
    let mut json = format!("{header}\n{}…{}\n", &payload[..before], &payload[after..]);
    parts.skip(1).for_each(|part| writeln!(json, "{}", decode(part)).unwrap());
    let verdict = verify_disclosure(text.as_bytes(), &sample.policy()).to_string();
    check("sd-jwt.md", &[("text", lines.join("\n")), ("json", json), ("verdict", verdict)]);
}

#[test]
fn cose_page() {
    use base64::Engine as _;
    let sample = Sample::new();
    let bytes = sample.cose(2, Some(0), 12).to_bytes().unwrap();
    let text = base64::engine::general_purpose::STANDARD.encode(&bytes);
    let lines: Vec<&str> = text.as_bytes().chunks(120).map(|line| std::str::from_utf8(line).unwrap()).collect();
    check("cose.md", &[("cose", lines.join("\n")), ("verdict", verify_receipt(&bytes, &sample.policy()).to_string())]);
}

/// docs/security/attacks.md names tests by `crate::module::test` and vectors by their names; all of them are there.
#[test]
fn attacks_page() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = fs::read_to_string(root.join("docs/security/attacks.md")).unwrap();
    let names: Vec<&str> = page.split('`').skip(1).step_by(2).collect();
    let mut found = 0;
    for row in page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| attack ")) {
        let tests = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        assert!(tests.contains('`'), "no test in {row}");
        for name in tests.split('`').skip(1).step_by(2) {
            assert!(names.contains(&name));
            match name.split("::").collect::<Vec<_>>()[..] {
                [crate_name, module, test] => {
                    let path = root.join(crate_name).join("tests/it").join(module).with_extension("rs");
                    let text = fs::read_to_string(&path).unwrap_or_else(|_| panic!("{name}: {} is not there", path.display()));
                    assert!(text.contains(&format!("fn {test}(")), "{name} is not in {}", path.display());
                }
                _ => assert!(root.join("receipts/tests/vectors").join(name).with_extension("json").is_file(), "no vector {name}"),
            }
            found += 1;
        }
    }
    assert!(found > 120, "{found}");
}
