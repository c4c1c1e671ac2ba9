//! Leaves and definitions that a ledger signed although they are in no format, keys and signatures that only a careless verifier takes,
//! and policies that say nothing certain.

use receipts::checkpoint::B3_SUFFIX;
use receipts::note::{KeyType, Note, NoteSigner};
use receipts::schema::{SchemaPath, schema_root};
use receipts::tree::TreeHash;
use receipts::{Checkpoint, KeyLeaf, Keys, Leaf, Receipt, RowPart, Sha256Tree};

use super::{Attack, Kind, raw, receipt};
use crate::sample::{LEDGER, ORDERS, Sample, TIME_US, VISITS, VISITS_DEFINITION};

pub(super) fn attacks(sample: &Sample) -> Vec<Attack> {
    [leaves(sample), broken_leaves(sample), definitions(sample), signatures(sample), names(sample), policies(sample), pinned(sample)]
        .into_iter()
        .flatten()
        .collect()
}

fn leaves(sample: &Sample) -> Vec<Attack> {
    let mut rotated = Sample::empty("shop", LEDGER, 0x41);
    let next = Keys::from_seeds(rotated.keys.origin(), &[0x51; 32], &[0x52; 32]).unwrap();
    let rotation = KeyLeaf::new(0, TIME_US, &next, Some(&rotated.keys)).unwrap();
    rotated.push(Leaf::Key(rotation), None);
    vec![
        receipt(sample, "valid-checkpoint-leaf", &sample.receipt(4, None, 12), "valid", "checkpoint 4"),
        receipt(sample, "valid-incarnation-leaf", &sample.receipt(11, None, 12), "valid", "incarnation 11"),
        receipt(sample, "valid-key-rotation", &rotated.receipt(0, None, 1), "valid", "key 0"),
        receipt(sample, "valid-commit-without-rows", &sample.receipt(1, None, 2), "valid", "commit 1"),
    ]
}

/// A leaf of the sample, changed and signed at its place in a log of its own.
fn broken_leaves(sample: &Sample) -> Vec<Attack> {
    let broken = |name, seq: usize, reason, change: &dyn Fn(&mut Vec<u8>)| {
        let mut log = Sample::empty("shop", LEDGER, 0x41);
        for leaf in 0..seq {
            log.push_bytes(sample.bytes[leaf].clone(), sample.leaves[leaf].clone(), None);
        }
        let mut bytes = sample.bytes[seq].clone();
        change(&mut bytes);
        log.push_bytes(bytes, sample.leaves[seq].clone(), None);
        receipt(sample, name, &log.receipt(seq as u64, None, seq as u64 + 1), "malformed", reason)
    };
    // Offsets are those of docs/formats/leaf.md; the actor of commit 2 is 5 bytes, so its tables begin at 0xbf.
    let put = |at: usize, new: &'static [u8]| move |bytes: &mut Vec<u8>| bytes[at..at + new.len()].copy_from_slice(new);
    vec![
        broken("lie-leaf-version-2", 2, "leaf: version 2 is not supported", &put(4, &[2])),
        broken("lie-leaf-kind-5", 2, "leaf: kind 5 is not supported", &put(5, &[5])),
        broken("lie-leaf-reserved-byte", 2, "leaf: a reserved byte is not zero", &put(6, &[1])),
        broken("lie-leaf-reserved-word", 2, "leaf: a reserved byte is not zero", &put(0xb0, &[1])),
        broken("lie-leaf-cut", 2, "leaf: ends 1 bytes early", &|bytes| bytes.truncate(bytes.len() - 1)),
        broken("lie-leaf-trailing-byte", 2, "leaf: 1 bytes too long", &|bytes| bytes.push(0)),
        broken("lie-leaf-too-long", 2, "leaf: has 65536 bytes, at most 65535", &|bytes| bytes.resize(65_536, 0)),
        broken("lie-leaf-actor-not-utf8", 2, "leaf: actor is not UTF-8", &put(0xb9, &[0xff])),
        broken("lie-leaf-actor-with-zero", 2, "commit leaf: has an actor of 5 bytes or with a zero byte", &put(0xb9, &[0])),
        broken("lie-leaf-actor-of-64-bytes", 2, "commit leaf: has an actor of 64 bytes", &|bytes| {
            bytes[0xb8] = 64;
            bytes.splice(0xbe..0xbe, [b'x'; 59]);
        }),
        broken("lie-leaf-idempotency-key-of-65-bytes", 2, "commit leaf: has an idempotency key of 65 bytes", &|bytes| {
            bytes[0xbe] = 65;
            bytes.splice(0xbf..0xbf, [b'x'; 65]);
        }),
        broken("lie-leaf-four-billion-tables", 2, "leaf: ends", &put(0xbf, &[255; 4])),
        broken("lie-leaf-relations-fall", 2, "commit leaf: lists relation 2025 before 1002", &put(0xc3, &[0xe9, 7])),
        broken("lie-leaf-table-of-no-rows", 2, "commit leaf: has 0 rows from 0 in relation 1001", &put(0xcf, &[0])),
        broken("lie-leaf-row-ids-overflow", 2, "commit leaf: has 3 rows from 18446744073709551615", &put(0xc7, &[255; 8])),
        broken("lie-leaf-rows-overflow", 2, "commit leaf: has 2 rows from 0 in relation 1002", &put(0xcf, &[255; 8])),
        broken("lie-leaf-rows-do-not-add-up", 2, "commit leaf: has 6 rows but spans of 5", &put(0x48, &[6])),
        broken("lie-leaf-root-of-no-rows", 1, "commit leaf: has no rows but not the empty row root", &put(0x50, &[1])),
        broken("lie-checkpoint-leaf-of-the-future", 4, "checkpoint leaf: at 4 states roots of size 5", &put(0x28, &[5])),
        broken("lie-incarnation-leaf-of-number-0", 11, "incarnation leaf: numbers its incarnation 0", &put(0x28, &[0])),
        broken("lie-key-leaf-of-role-2", 0, "leaf: key role 2 is not supported", &put(0x28, &[2])),
        broken("lie-key-leaf-of-another-origin", 0, "key leaf: has an origin that is not this ledger's", &put(0x2f, b"2")),
        broken("lie-key-leaf-of-one-key", 0, "key leaf: names one key for both trees", &|bytes| bytes.copy_within(0x4f..0x6f, 0x6f)),
    ]
}

/// Definitions that are under the schema root and in no format.
fn definitions(sample: &Sample) -> Vec<Attack> {
    let lie = |name, verdict, reason, text: String| {
        let mut liar = Sample::empty("shop", LEDGER, 0x41);
        liar.objects[2].1 = text;
        liar.commit(&[], vec![]);
        liar.commit(&[], vec![]);
        let commit = sample.commits[2].clone().unwrap();
        liar.commit(&[(ORDERS, 0, 3), (VISITS, 0, 2)], commit.rows);
        receipt(sample, name, &liar.receipt(2, Some(4), 3), verdict, reason)
    };
    let swap = |from: &str, to: &str| {
        assert!(VISITS_DEFINITION.contains(from), "{from}");
        VISITS_DEFINITION.replace(from, to)
    };
    let deep = format!("{}{}", "[".repeat(17), "]".repeat(17));
    let bad = |name, reason, text| lie(name, "malformed", reason, text);
    vec![
        lie("valid-definition-with-white-space", "valid", "day = NULL", swap(":", " :\t\r\n ")),
        lie("valid-definition-with-escapes", "valid", "table", swap("visits", r"v\u00ef\ud83d\ude80\/\\\n\u001b[2J")),
        lie("valid-definition-of-a-sequence", "valid", "row", swap(r#""kind":"table""#, r#""kind":"sequence""#)),
        lie(
            "valid-definition-with-unknown-members",
            "valid",
            "row",
            swap(r#""version""#, r#""x":[true,false,null,-1,{"y":[]}],"version""#),
        ),
        definition_not_utf8(sample),
        bad("lie-definition-empty", "holds something that is no JSON integer", String::new()),
        bad(
            "lie-definition-cut",
            "table definition: has an object without comma or end",
            VISITS_DEFINITION[..VISITS_DEFINITION.len() - 1].to_owned(),
        ),
        bad("lie-definition-with-text-after", "table definition: has text after its end", format!("{VISITS_DEFINITION} x")),
        bad("lie-definition-a-list", "table definition: has no text `kind`", "[]".to_owned()),
        bad("lie-definition-member-twice", "table definition: has one member twice", swap(r#""version":1"#, r#""version":1,"version":1"#)),
        bad("lie-definition-member-twice-by-escape", "has one member twice", swap(r#""version":1"#, r#""version":1,"versio\u006e":1"#)),
        bad("lie-definition-of-a-view", "is of another kind than table or sequence", swap("table", "view")),
        bad("lie-definition-id-fraction", "holds something that is no JSON integer", swap(r#""version":1"#, r#""version":1.0"#)),
        bad("lie-definition-id-exponent", "holds something that is no JSON integer", swap(r#""version":1"#, r#""version":1e0"#)),
        bad("lie-definition-leading-zero", "holds a number that is not canonical", swap(r#""version":1"#, r#""version":01"#)),
        bad("lie-definition-plus", "holds a number that is not canonical", swap(r#""version":1"#, r#""version":+1"#)),
        bad("lie-definition-minus-zero", "holds a number that is not canonical", swap(r#""version":1"#, r#""version":-0"#)),
        bad("lie-definition-version-negative", "no unsigned 32-bit number `version`", swap(r#""version":1"#, r#""version":-1"#)),
        bad("lie-definition-version-of-33-bits", "no unsigned 32-bit number `version`", swap(r#""version":1"#, r#""version":4294967296"#)),
        bad("lie-definition-version-of-64-bits", "is no JSON integer", swap(r#""version":1"#, r#""version":9223372036854775808"#)),
        bad("lie-definition-version-a-text", "no unsigned 32-bit number `version`", swap(r#""version":1"#, r#""version":"1""#)),
        bad("lie-definition-name-missing", "has no text `name`", swap(r#""name":"visits","#, "")),
        bad("lie-definition-columns-missing", "has no list of columns", swap("columns", "colours")),
        bad("lie-definition-column-a-number", "has no unsigned 32-bit number `id`", swap(r#""columns":["#, r#""columns":[1,"#)),
        bad("lie-definition-nested-deeply", "is nested too deeply", swap(r#""version""#, &format!(r#""x":{deep},"version""#))),
        bad("lie-definition-control-character", "has a control character in a string", swap("visits", "vis\u{1}its")),
        bad("lie-definition-lone-surrogate", "has a lone surrogate in a string", swap("visits", r"\udc00")),
        bad("lie-definition-half-surrogate", "has a lone surrogate in a string", swap("visits", r"\ud83dxx1234")),
        bad("lie-definition-unknown-escape", "has an unknown escape in a string", swap("visits", r"\x41")),
        bad("lie-definition-bad-escape", "has a bad \\u escape in a string", swap("visits", r"\u00g0")),
        bad("lie-definition-list-without-comma", "has a list without comma or end", swap(r#""primary_key":[]"#, r#""primary_key":[1 2]"#)),
        bad("lie-definition-member-without-colon", "has a member without a colon", swap(r#""version":1"#, r#""version" 1"#)),
        bad("lie-definition-member-without-name", "has a member without a name", swap(r#""version":1"#, "version:1")),
        bad("lie-definition-comma-before-end", "has a member without a name", swap("[]}", "[],}")),
        bad("lie-definition-1601-columns", "has more than 1600 columns", {
            swap(r#""columns":["#, &format!(r#""columns":[{}"#, "1,".repeat(1600)))
        }),
    ]
}

fn definition_not_utf8(sample: &Sample) -> Attack {
    let reason = "table definition: is not UTF-8";
    Attack { name: "lie-definition-not-utf8", verdict: "malformed", reason, ..of_definition(sample, b"\xff") }
}

/// A receipt for row 0 of the sample's commit 2, in a log whose table of orders is defined by these bytes.
pub fn of_definition(sample: &Sample, definition: &[u8]) -> Attack {
    let objects = [(ORDERS, definition)];
    let Leaf::Commit(mut leaf) = sample.leaves[2].clone() else { unreachable!("leaf 2 of the sample is a commit") };
    (leaf.seq, leaf.schema_root) = (0, schema_root(&objects).unwrap());
    let mut liar = Sample::empty("shop", LEDGER, 0x41);
    liar.push(Leaf::Commit(leaf), None);
    let schema_path = SchemaPath::new(&objects, ORDERS).unwrap().unwrap();
    let row = RowPart { definition: definition.to_vec(), schema_path, ..sample.row_part(2, 0) };
    receipt(sample, "", &Receipt { row: Some(row), ..liar.receipt(0, None, 1) }, "", "")
}

/// Signatures by the sample's own SHA-256 key over its checkpoint at size 12, made with the private key against the rules: R the point of
/// order 1, and R with a point of order 8 added. Verifiers that do not look, or that multiply by the cofactor, take them.
const R_OF_SMALL_ORDER: &str = "CruP+gEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA7FEK6gKWb85Us8VCpQk6QBujDhTjC5lhPVpwC1QV+g8=";
const R_WITH_TORSION: &str = "CruP+rFb8mQk0bad0zt6nlfbXeSiqt6koqBR79m/1q90Fl0rmZBW4yrqk1mDC5g+uCwdZgZIQaJyBqkgYIfD6gaa7Qo=";

fn signatures(sample: &Sample) -> Vec<Attack> {
    let good = sample.receipt(2, Some(0), 12).to_text().unwrap();
    let line = good.lines().last().unwrap().to_owned();
    let (head, _) = line.rsplit_once(' ').unwrap();
    let with = |name, data: &str| raw(sample, name, good.replace(&line, &format!("{head} {data}")), "tampered", "does not verify");
    let note = |name, line_of: String, reason| raw(sample, name, good.replace(&line, &line_of), "malformed", reason);
    vec![
        with("signature-r-of-small-order", R_OF_SMALL_ORDER),
        with("signature-r-with-torsion", R_WITH_TORSION),
        note("note-signature-without-space", line.replace("1f Cr", "1fCr"), "has no space between name and signature"),
        note("note-signature-of-no-name", format!("\u{2014}  {}", line.rsplit_once(' ').unwrap().1), "key name: 0 bytes, not 1 to 255"),
        note("note-signature-name-with-plus", line.replace("shop/", "shop+"), "holds a space, a control character or a plus"),
        note("note-signature-name-with-ideographic-space", line.replace("shop/", "shop\u{3000}"), "holds a space"),
        note("note-signature-name-of-256-bytes", line.replace("shop/", &"x".repeat(256 - 32)), "key name: 256 bytes, not 1 to 255"),
        note("note-signature-not-base64", format!("{head} ?"), "note signature: is not canonical base64"),
        note("note-signature-of-four-bytes", format!("{head} AAAAAA=="), "is shorter than a key id and a signature"),
        raw(
            sample,
            "note-longer-than-128-kib",
            good.replace("\n12\n", &format!("\n12\n{}\n", "x".repeat(128 << 10))),
            "malformed",
            "128 KiB",
        ),
    ]
}

/// Origins that are key names and no ledgers, or ledgers of odd databases.
fn names(sample: &Sample) -> Vec<Attack> {
    let odd = |name, verdict, reason, origin: &str, kind: KeyType| {
        let signer = NoteSigner::new(origin, kind, &[0x61; 32]).unwrap();
        let text = Checkpoint { origin: origin.to_owned(), size: 12, root: sample.sha.root() }.to_string();
        let mut input = sample.receipt(2, Some(0), 12);
        input.checkpoint = Note::sign(&text, &[&signer]).unwrap();
        let attack = receipt(sample, name, &input, verdict, reason);
        Attack { policy: format!("log {}\nquorum none\n", signer.verifier()), ..attack }
    };
    let id = "101112131415161718191a1b1c1d1e1f";
    let sha = KeyType::Ed25519;
    let none = "origin that is no ledger's SHA-256 tree";
    vec![
        odd("valid-database-name-with-escapes", "valid", "row 0", &format!("b%c3%bccher/{id}"), sha),
        odd("valid-database-name-beyond-ascii", "valid", "row 0", &format!("bücher/x\u{200b}/{id}"), sha),
        odd("origin-without-database", "malformed", none, &format!("/{id}"), sha),
        odd("origin-without-slash", "malformed", none, id, sha),
        odd("origin-with-upper-case-id", "malformed", none, &format!("shop/{}", id.to_uppercase()), sha),
        odd("origin-with-short-id", "malformed", none, &format!("shop/{}", &id[2..]), sha),
        odd("origin-b3-with-a-sha-key", "tampered", "not by the key of its origin", &format!("shop/{id}{B3_SUFFIX}"), sha),
    ]
}

fn policies(sample: &Sample) -> Vec<Attack> {
    let good = sample.policy_text();
    let log = good.lines().next().unwrap().to_owned();
    let key = &log[4..];
    let name = key.split('+').next().unwrap();
    let input = sample.receipt(2, Some(0), 12).to_text().unwrap();
    let with = |label, verdict, reason, policy: String| Attack {
        name: label,
        kind: Kind::Receipt,
        policy,
        pinned: None,
        input: input.clone(),
        verdict,
        reason,
    };
    let bad = |label, reason, policy| with(label, "malformed", reason, policy);
    let witness = format!("witness w1 {}\n", super::witnessed::signer(1).verifier());
    let zero_key = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode([&[1u8][..], &[0; 32]].concat())
    };
    let no_point = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode([&[1u8, 2][..], &[0; 31]].concat())
    };
    vec![
        with(
            "valid-policy-with-comments",
            "valid",
            "row 0",
            format!("# a comment\n\n\t {log}\thttps://example.com \n  # more\nquorum none"),
        ),
        with("valid-policy-with-witnesses", "valid", "row 0", format!("{log}\n{witness}group g any w1\nquorum none\n")),
        bad("policy-empty", "policy: has no quorum line", String::new()),
        bad("policy-two-quorums", "policy line 3: is a second quorum", format!("{log}\nquorum none\nquorum none\n")),
        bad("policy-unknown-word", "policy line 1: is no line of a policy: trust", "trust everyone\n".to_owned()),
        bad("policy-with-carriage-returns", "policy line 1: holds a control character", good.replace('\n', "\r\n")),
        bad("policy-key-twice", "policy line 2: lists a public key again", format!("{log}\n{log}\nquorum none\n")),
        bad("policy-quorum-of-nobody", "policy line 2: names w1, which no line before it defines", format!("{log}\nquorum w1\n")),
        bad("policy-group-of-nobody", "policy line 1: names w9, which no line before it defines", "group g any w9\nquorum g\n".to_owned()),
        bad("policy-group-of-none", "policy line 1: asks for all of 0 members", "group g all\nquorum g\n".to_owned()),
        bad("policy-group-of-two-of-one", "asks for 2 of 1 members", format!("{witness}group g 2 w1\nquorum g\n")),
        bad("policy-group-member-twice", "makes w1 a member twice", format!("{witness}group g all w1 w1\nquorum g\n")),
        bad("policy-witness-twice", "lists a public key again", format!("{witness}{witness}quorum none\n")),
        bad("policy-group-named-none", "policy line 2: defines none again", format!("{witness}group none all w1\nquorum none\n")),
        bad("policy-key-in-two-parts", "is not <name>+<key id>+<base64>", "log a+b\nquorum none\n".to_owned()),
        bad("policy-key-not-base64", "verifier key: is not canonical base64", "log a+00000000+?\nquorum none\n".to_owned()),
        bad(
            "policy-key-of-another-type",
            "a signature type we do not know",
            format!("log {}\nquorum none\n", key.replace("+AduZ", "+BduZ")),
        ),
        bad("policy-key-id-of-another-name", "has a key id that is not its own", format!("log x{key}\nquorum none\n")),
        bad("policy-key-of-small-order", "verifier key: has small order", format!("log {name}+00000000+{zero_key}\nquorum none\n")),
        bad("policy-key-no-point", "verifier key: is no Ed25519 point", format!("log {name}+00000000+{no_point}\nquorum none\n")),
        bad("policy-word-that-draws", "is no line of a policy: \\u{9b}31m\\\"\\\\", "\u{9b}31m\"\\ x\nquorum none\n".to_owned()),
    ]
}

/// Checkpoints kept from before.
fn pinned(sample: &Sample) -> Vec<Attack> {
    let good = sample.consistency(5, 12).to_string();
    let kept = sample.checkpoint(5).to_string();
    let with = |name, verdict, reason, pinned: String, input: String| Attack {
        kind: Kind::Consistency,
        pinned: Some(pinned),
        ..raw(sample, name, input, verdict, reason)
    };
    let empty = sample.keys.sign_checkpoint(0, &Sha256Tree::empty());
    let nothing = sample.keys.sign_checkpoint(0, &[7; 32]);
    let note = sample.checkpoint(12).to_string();
    let from_0 = format!("old 0\n\n{note}");
    let unknown = Attack {
        policy: Sample::empty("shop", [0x99; 16], 0x71).policy_text(),
        ..with("pinned-of-an-unknown-key", "inconclusive", "pinned checkpoint: authenticity", kept.clone(), good.clone())
    };
    vec![
        with("valid-consistency-from-nothing", "valid", "pinned checkpoint at size 0", empty.clone(), from_0.clone()),
        with("pinned-nothing-of-another-root", "tampered", "consistency: the log at size 12", nothing, from_0.clone()),
        with("pinned-nothing-and-a-path", "tampered", "consistency", empty, good.replace("old 5", "old 0")),
        with(
            "pinned-without-signatures",
            "malformed",
            "pinned checkpoint: note: does not end",
            kept.split_inclusive('\n').take(4).collect(),
            good.clone(),
        ),
        with("pinned-empty", "malformed", "pinned checkpoint: note: has no empty line", String::new(), good.clone()),
        with("pinned-a-proof", "tampered", "pinned checkpoint: signature: of pinned key", good.clone(), good.clone()),
        with(
            "consistency-longer-than-256-kib",
            "malformed",
            "is longer than 256 KiB",
            kept.clone(),
            format!("{good}{}", "x".repeat(256 << 10)),
        ),
        with("consistency-65-hashes", "malformed", "more than 64 hashes", kept, {
            format!("old 5\n{}\n{note}", "Lawv8gQYLZTOd7boRgxIhKnNcO1b4okUmdUTXwS5/Qo=\n".repeat(65))
        }),
        unknown,
    ]
}
