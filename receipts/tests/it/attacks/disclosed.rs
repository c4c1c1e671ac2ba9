//! Attacks on disclosures: values and salts changed, moved and made up, rows taken out of their order or place, second spellings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use receipts::note::Note;
use receipts::schema::{SchemaPath, schema_root};
use receipts::{Disclosure, Field, Leaf};

use super::{Attack, Kind};
use crate::sample::{LEDGER, ORDERS, Sample};

pub(super) fn attacks(sample: &Sample) -> Vec<Attack> {
    [valid(sample), fields(sample), places(sample), signed(sample), order(sample), lines(sample), binary(sample)]
        .into_iter()
        .flatten()
        .collect()
}

fn raw(sample: &Sample, name: &'static str, input: String, verdict: &'static str, reason: &'static str) -> Attack {
    Attack { name, kind: Kind::Disclosure, policy: sample.policy_text(), pinned: None, input, verdict, reason }
}

/// Three rows of two commits and two tables, of each row one or two fields.
fn good(sample: &Sample) -> Disclosure {
    sample.disclosure(&[(2, 0, &[1]), (2, 2, &[0, 3]), (2, 3, &[0]), (3, 1, &[2])], 12)
}

fn valid(sample: &Sample) -> Vec<Attack> {
    let of = |name, rows: &[(u64, u64, &[usize])], size, reason| {
        raw(sample, name, sample.disclosure(rows, size).to_text().unwrap(), "valid", reason)
    };
    vec![
        raw(sample, "valid-disclosure", good(sample).to_text().unwrap(), "valid", "4 rows of 2 commits"),
        of("valid-disclosure-of-one-field", &[(2, 0, &[1])], 12, "the values of 3 hidden fields"),
        of("valid-disclosure-of-whole-rows", &[(2, 0, &[0, 1, 2, 3]), (2, 1, &[0, 1, 2, 3])], 12, "values are canonical"),
        of("valid-disclosure-of-no-field", &[(2, 0, &[])], 12, "the values of 4 hidden fields"),
        of("valid-disclosure-of-null-and-empty", &[(2, 0, &[3]), (2, 1, &[3])], 12, "remark   = NULL"),
        of("valid-disclosure-of-a-delete", &[(3, 2, &[])], 12, "delete, supersedes row 0"),
        of("valid-disclosure-at-a-smaller-size", &[(2, 4, &[0])], 3, "day = NULL"),
        of("valid-disclosure-of-300-rows", &(0..300).map(|row| (5, row, &[0][..])).collect::<Vec<_>>(), 12, "300 rows of 1 commits"),
    ]
}

fn changed(
    sample: &Sample,
    name: &'static str,
    verdict: &'static str,
    reason: &'static str,
    change: impl FnOnce(&mut Disclosure),
) -> Attack {
    let mut disclosure = good(sample);
    change(&mut disclosure);
    raw(sample, name, disclosure.to_text().unwrap(), verdict, reason)
}

fn fields(sample: &Sample) -> Vec<Attack> {
    let row = |name, change: &dyn Fn(&mut Vec<Field>)| {
        changed(sample, name, "tampered", "commit 2, row 0: row: as shown does not hash", |all| {
            change(&mut all.commits[0].tables[0].rows[0].fields)
        })
    };
    let shown = |value: Option<&[u8]>| Field::Shown { salt: [7; 16], value: value.map(<[u8]>::to_vec) };
    let other = good(sample).commits[0].tables[0].rows[1].fields.clone();
    let receipt = sample.row_part(2, 0).fields;
    vec![
        row("disclosure-value-changed", &|fields| {
            let Field::Shown { value, .. } = &mut fields[1] else { unreachable!("it is shown") };
            *value = Some(b"Eve".to_vec());
        }),
        row("disclosure-value-null", &|fields| {
            let Field::Shown { value, .. } = &mut fields[1] else { unreachable!("it is shown") };
            *value = None;
        }),
        row("disclosure-salt-changed", &|fields| {
            let Field::Shown { salt, .. } = &mut fields[1] else { unreachable!("it is shown") };
            salt[15] ^= 1;
        }),
        row("disclosure-value-guessed-without-salt", &|fields| fields[2] = shown(Some(&[1]))),
        row("disclosure-value-under-the-salt-of-another-field", &|fields| {
            let Field::Shown { salt, .. } = fields[1] else { unreachable!("it is shown") };
            fields[2] = Field::Shown { salt, value: Some(vec![1]) };
        }),
        row("disclosure-value-moved-to-another-column", &|fields| fields.swap(1, 3)),
        row("disclosure-commitment-changed", &|fields| {
            let Field::Hidden(commitment) = &mut fields[0] else { unreachable!("it is hidden") };
            commitment[0] ^= 1;
        }),
        row("disclosure-commitment-of-another-row", &|fields| fields[2] = other[2].clone()),
        row("disclosure-field-of-another-column", &|fields| fields[2] = receipt[3].clone()),
        changed(sample, "disclosure-field-missing", "tampered", "commit 2, row 0: row: shows 3 fields", |all| {
            all.commits[0].tables[0].rows[0].fields.pop();
        }),
        changed(sample, "disclosure-field-added", "tampered", "commit 2, row 0: row: shows 5 fields", |all| {
            all.commits[0].tables[0].rows[0].fields.push(shown(None));
        }),
    ]
}

fn places(sample: &Sample) -> Vec<Attack> {
    let hash = "does not hash to row";
    vec![
        changed(sample, "disclosure-row-index-of-a-neighbour", "tampered", hash, |all| all.commits[0].tables[0].rows[0].index = 1),
        changed(sample, "disclosure-row-in-another-table", "tampered", "commit 2, row 3: relation: 1001", |all| {
            all.commits[0].tables[0].rows[1].index = 3;
            all.commits[0].tables[1].rows[0].index = 4;
        }),
        changed(sample, "disclosure-row-past-the-commit", "tampered", "commit 2, row 5: row index: 5 is not below", |all| {
            all.commits[0].tables[1].rows[0].index = 5;
        }),
        changed(sample, "disclosure-row-path-changed", "tampered", hash, |all| all.commits[1].tables[0].rows[0].path[0][0] ^= 1),
        changed(sample, "disclosure-row-path-too-long", "tampered", hash, |all| all.commits[1].tables[0].rows[0].path.push([0; 32])),
        changed(sample, "disclosure-row-of-another-commit", "tampered", "commit 3, row 0: row", |all| {
            all.commits[1].tables[0].rows[0] = good(sample).commits[0].tables[0].rows[0].clone();
        }),
        changed(sample, "disclosure-definition-changed", "tampered", "commit 2, row 0: table definition: is not the one", |all| {
            let text = String::from_utf8(all.commits[0].tables[0].definition.clone()).unwrap();
            all.commits[0].tables[0].definition = text.replace("customer", "supplier").into_bytes();
        }),
        changed(sample, "disclosure-definition-of-another-table", "tampered", "commit 2, row 3: table definition", |all| {
            let orders = all.commits[0].tables[0].clone();
            (all.commits[0].tables[1].definition, all.commits[0].tables[1].schema_path) = (orders.definition, orders.schema_path);
        }),
        changed(sample, "disclosure-commit-at-another-index", "tampered", "commit 4: path to the root", |all| all.commits[1].index = 4),
        changed(sample, "disclosure-commit-past-the-log", "tampered", "commit 12: index: 12 is not below", |all| all.commits[1].index = 12),
        changed(sample, "disclosure-commit-path-changed", "tampered", "commit 2: path to the root", |all| all.commits[0].path[0][0] ^= 1),
        changed(sample, "disclosure-leaf-changed", "tampered", "commit 2: path to the root", |all| all.commits[0].leaf[40] ^= 1),
        changed(sample, "disclosure-of-a-checkpoint-leaf", "malformed", "commit 4: disclosure: shows a row of a checkpoint leaf", |all| {
            let receipt = sample.receipt(4, None, 12);
            let commit = &mut all.commits[1];
            (commit.index, commit.leaf, commit.path) = (4, receipt.leaf, receipt.path);
        }),
    ]
}

fn signed(sample: &Sample) -> Vec<Attack> {
    let of_size_11 = |all: &mut Disclosure| all.checkpoint = sample.checkpoint(11);
    let stranger = Sample::empty("shop", [0x99; 16], 0x71);
    vec![
        changed(sample, "disclosure-with-another-checkpoint", "tampered", "commit 2: path to the root", of_size_11),
        changed(sample, "disclosure-under-the-blake3-root", "malformed", "origin that is no ledger's SHA-256 tree", |all| {
            all.checkpoint = sample.b3_checkpoint(12);
        }),
        changed(sample, "disclosure-signature-changed", "tampered", "signature: of pinned key", |all| {
            let mut text = all.checkpoint.to_string();
            let at = text.len() - 10;
            let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
            text.replace_range(at..=at, other);
            all.checkpoint = Note::parse(&text).unwrap();
        }),
        Attack {
            policy: stranger.policy_text(),
            ..raw(sample, "disclosure-by-an-unknown-key", good(sample).to_text().unwrap(), "inconclusive", "authenticity")
        },
        lie(sample),
    ]
}

/// A ledger that commits text that is not UTF-8: its own signature is good.
fn lie(sample: &Sample) -> Attack {
    let mut row = sample.commits[2].as_ref().unwrap().rows[0].clone();
    row.values[1] = Some(vec![0xff]);
    let mut liar = Sample::empty("shop", LEDGER, 0x41);
    liar.commit(&[(ORDERS, 0, 1)], vec![row]);
    let objects: Vec<_> = liar.objects.iter().map(|(id, text)| (*id, text.as_bytes())).collect();
    let Leaf::Commit(leaf) = &liar.leaves[0] else { unreachable!("it commits") };
    assert_eq!(leaf.schema_root, schema_root(&objects).unwrap());
    assert!(SchemaPath::new(&objects, ORDERS).unwrap().is_some());
    let input = liar.disclosure(&[(0, 0, &[1])], 1).to_text().unwrap();
    let reason = "commit 0, row 0: value of column customer: is text that is not UTF-8";
    raw(sample, "lie-disclosure-of-text-that-is-not-utf8", input, "malformed", reason)
}

fn order(sample: &Sample) -> Vec<Attack> {
    let lines: Vec<String> = good(sample).to_text().unwrap().lines().map(str::to_owned).collect();
    // 0 magic, 1 commit 2, 2 table, 3 4 rows, 5 table, 6 row, 7 commit 3, 8 table, 9 row, 10 empty
    let of = |name, take: &[usize], reason| {
        let text = [&[0], take, &[10, 11, 12, 13, 14, 15]].concat().iter().map(|i| format!("{}\n", lines[*i])).collect();
        raw(sample, name, text, "malformed", reason)
    };
    vec![
        of("disclosure-of-nothing", &[], "disclosure: ends without a row"),
        of("disclosure-ends-with-a-table", &[1, 2, 3, 5], "disclosure: ends without a row"),
        of("disclosure-ends-with-a-commit", &[1, 2, 3, 7], "disclosure: ends without a row"),
        of("disclosure-commit-without-rows", &[1, 7, 8, 9], "disclosure line 3: comes before a row of the commit above"),
        of("disclosure-table-without-rows", &[1, 2, 5, 6], "disclosure line 4: comes before a row of the table above"),
        of("disclosure-table-twice", &[1, 2, 3, 2, 4], "disclosure line 6: is of relation 1001, the table above of 1001"),
        of("disclosure-tables-swapped", &[1, 5, 6, 2, 3], "disclosure line 6: is row 0, which does not come after 3"),
        of("disclosure-row-without-a-table", &[1, 3], "disclosure line 3: has no table above it"),
        of("disclosure-row-without-a-commit", &[3], "disclosure line 2: has no table above it"),
        of("disclosure-table-without-a-commit", &[2, 3], "disclosure line 2: has no commit above it"),
        of("disclosure-row-twice", &[1, 2, 3, 3], "disclosure line 5: is row 0, which does not come after 0"),
        of("disclosure-rows-swapped", &[1, 2, 4, 3], "disclosure line 5: is row 0, which does not come after 2"),
        of("disclosure-rows-of-two-tables-under-one", &[1, 2, 3, 6], "disclosure line 5: is of relation 1002, the row above of 1001"),
        of("disclosure-commit-twice", &[1, 2, 3, 1, 2, 4], "disclosure line 5: is of commit 2, which does not come after 2"),
        of("disclosure-commits-swapped", &[7, 8, 9, 1, 2, 3], "disclosure line 5: is of commit 2, which does not come after 3"),
    ]
}

fn lines(sample: &Sample) -> Vec<Attack> {
    let good = good(sample).to_text().unwrap();
    let text = |name, input: String, reason| raw(sample, name, input, "malformed", reason);
    let row = good.lines().nth(3).unwrap();
    vec![
        text("disclosure-empty", String::new(), "disclosure: has no empty line before its checkpoint"),
        text("disclosure-another-version", good.replace("@v1", "@v2"), "does not start with shockwave-disclosure@v1"),
        text("disclosure-a-receipt", sample.receipt(2, Some(0), 12).to_text().unwrap(), "does not start with shockwave-disclosure@v1"),
        text("disclosure-of-another-word", good.replace("\ntable ", "\nview "), "line 3: is neither a commit, a table nor a row"),
        text("disclosure-with-a-word-alone", good.replace(row, "row"), "line 4: is neither a commit, a table nor a row"),
        text("disclosure-commit-without-a-number", good.replace("commit 2 ", "commit "), "line 2: has no canonical number"),
        text("disclosure-commit-with-leading-zero", good.replace("commit 2 ", "commit 02 "), "line 2: has no canonical number"),
        text("disclosure-two-blanks", good.replace(row, &row.replace(' ', "  ")), "line 4: is not canonical base64"),
        text("disclosure-carriage-returns", good.replace('\n', "\r\n"), "has no empty line"),
        text("disclosure-row-not-base64", good.replace(row, "row ?"), "line 4: is not canonical base64"),
        text("disclosure-text-after-the-note", format!("{good}more\n"), "em dash"),
    ]
}

fn binary(sample: &Sample) -> Vec<Attack> {
    let good = good(sample).to_text().unwrap();
    let of = |name, line: usize, reason, change: &dyn Fn(&mut Vec<u8>)| {
        let old = good.lines().nth(line).unwrap();
        let (word, base64) = old.rsplit_once(' ').unwrap();
        let mut bytes = STANDARD.decode(base64).unwrap();
        change(&mut bytes);
        raw(sample, name, good.replacen(old, &format!("{word} {}", STANDARD.encode(bytes)), 1), "malformed", reason)
    };
    vec![
        of("disclosure-row-cut", 3, "disclosure line 4: ends 1 bytes early", &|bytes| bytes.truncate(bytes.len() - 1)),
        of("disclosure-row-too-long", 3, "disclosure line 4: 1 bytes too long", &|bytes| bytes.push(0)),
        of("disclosure-row-of-kind-2", 3, "disclosure line 4: row kind 2 is not supported", &|bytes| bytes[8] = 2),
        of("disclosure-row-with-1601-fields", 3, "has more than 1600 fields", &|bytes| {
            bytes[27..29].copy_from_slice(&1601u16.to_le_bytes())
        }),
        of("disclosure-row-with-an-unknown-field", 3, "has a field with tag 4", &|bytes| bytes[29] = 4),
        of("disclosure-row-with-a-long-value", 4, "bytes early", &|bytes| bytes[46..50].fill(0xff)),
        of("disclosure-table-cut", 2, "disclosure line 3: ends 1 bytes early", &|bytes| bytes.truncate(bytes.len() - 1)),
        of("disclosure-table-too-long", 2, "disclosure line 3: 1 bytes too long", &|bytes| bytes.push(0)),
        of("disclosure-commit-cut", 1, "disclosure line 2: ends 1 bytes early", &|bytes| bytes.truncate(bytes.len() - 1)),
        of("disclosure-commit-too-long", 1, "disclosure line 2: 1 bytes too long", &|bytes| bytes.push(0)),
        of("disclosure-commit-with-65-hashes", 1, "a path of 65 hashes, at most 64", &|bytes| {
            let at = 4 + u32::from_le_bytes(bytes[..4].try_into().unwrap()) as usize;
            bytes[at] = 65;
        }),
    ]
}
