//! Second spellings of a receipt: each has one, and only that one is read.

use receipts::Receipt;

use super::{Attack, changed, raw};
use crate::sample::Sample;

pub(super) fn attacks(sample: &Sample) -> Vec<Attack> {
    [lines(sample), notes(sample), binary(sample)].into_iter().flatten().collect()
}

fn good(sample: &Sample) -> String {
    sample.receipt(2, Some(0), 12).to_text().unwrap()
}

fn lines(sample: &Sample) -> Vec<Attack> {
    let good = good(sample);
    let extra = good.lines().nth(1).unwrap().to_owned();
    let first_hash = good.lines().nth(3).unwrap().to_owned();
    let text = |name, input: String, reason| raw(sample, name, input, "malformed", reason);
    vec![
        text("text-empty", String::new(), "no empty line"),
        text("text-another-first-line", good.replace("@v1", "@v2"), "does not start with c2sp.org/tlog-proof@v1"),
        text("text-no-extra", good.replace(&format!("{extra}\n"), ""), "has no `extra` line"),
        text("text-extra-twice", good.replace(&extra, &format!("{extra}\n{extra}")), "no canonical `index` line"),
        text("text-index-before-extra", good.replace(&format!("{extra}\nindex 2"), &format!("index 2\n{extra}")), "has no `extra` line"),
        text("text-index-with-leading-zero", good.replace("index 2", "index 02"), "no canonical `index` line"),
        text("text-index-with-plus", good.replace("index 2", "index +2"), "no canonical `index` line"),
        text("text-index-over-u64", good.replace("index 2", "index 18446744073709551616"), "no canonical `index` line"),
        text("text-carriage-returns", good.replace('\n', "\r\n"), "no empty line"),
        text("text-space-after-hash", good.replace(&first_hash, &format!("{first_hash} ")), "canonical base64"),
        text("text-hash-of-31-bytes", good.replace(&first_hash, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="), "is 31 bytes"),
        text("text-base64-stray-bits", stray_bits(&good, &first_hash), "canonical base64"),
        text("text-base64-unpadded", good.replace(&first_hash, first_hash.trim_end_matches('=')), "canonical base64"),
        text("text-65-path-hashes", good.replace(&first_hash, &vec![first_hash.as_str(); 65].join("\n")), "more than 64"),
    ]
}

/// The same 32 bytes with an unused bit of the last character set.
fn stray_bits(good: &str, line: &str) -> String {
    let mut other = line.to_owned();
    let last = other.as_bytes()[42];
    other.replace_range(42..43, std::str::from_utf8(&[last + 1]).unwrap());
    good.replace(line, &other)
}

fn notes(sample: &Sample) -> Vec<Attack> {
    let good = good(sample);
    let line = good.lines().last().unwrap().to_owned();
    let text = |name, input: String, reason| raw(sample, name, input, "malformed", reason);
    vec![
        text("note-17-signatures", good.replace(&line, &vec![line.as_str(); 17].join("\n")), "more than 16 signatures"),
        text("note-control-character", good.replace("\n12\n", "\n12\t\n"), "control character"),
        text("note-last-newline-missing", good.trim_end().to_owned(), "does not end with a signature line"),
        text("note-line-after-signatures", format!("{good}more\n"), "em dash"),
        text("note-hyphen-for-em-dash", good.replace('\u{2014}', "-"), "em dash"),
        text("note-no-signature", good.replace(&format!("{line}\n"), ""), "does not end with a signature line"),
    ]
}

fn binary(sample: &Sample) -> Vec<Attack> {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let good = good(sample);
    let line = good.lines().nth(1).unwrap().to_owned();
    let extra = STANDARD.decode(line.strip_prefix("extra ").unwrap()).unwrap();
    let patched = |name, reason, change: &dyn Fn(&mut Vec<u8>)| {
        let mut extra = extra.clone();
        change(&mut extra);
        let input = good.replace(&line, &format!("extra {}", STANDARD.encode(extra)));
        raw(sample, name, input, "malformed", reason)
    };
    let leaf_len = sample.bytes[2].len();
    // Magic 4, version, flags, reserved 2, length 4, leaf; then index 8, header 19, number of fields 2.
    let header = 12 + leaf_len + 8;
    vec![
        patched("extra-another-magic", "SWRX", &|extra| extra[0] = b'X'),
        patched("extra-version-2", "version 2 is not supported", &|extra| extra[4] = 2),
        patched("extra-unknown-flag", "flags 0x03", &|extra| extra[5] = 3),
        patched("extra-row-without-flag", "bytes too long", &|extra| extra[5] = 0),
        patched("extra-reserved-byte", "reserved byte is not zero", &|extra| extra[7] = 1),
        patched("extra-trailing-byte", "1 bytes too long", &|extra| extra.push(0)),
        patched("extra-cut", "ends 1 bytes early", &|extra| {
            extra.pop();
        }),
        patched("extra-leaf-longer-than-the-rest", "bytes early", &|extra| extra[8..12].fill(0xff)),
        patched("extra-edge-row", "row kind 2 is not supported", &|extra| extra[header] = 2),
        patched("extra-insert-that-supersedes", "superseded row has tag 0 with id 1", &|extra| extra[header + 11] = 1),
        patched("extra-1601-fields", "more than 1600 fields", &|extra| {
            extra[header + 19..header + 21].copy_from_slice(&1601u16.to_le_bytes())
        }),
        patched("extra-unknown-field-tag", "field with tag 4", &|extra| extra[header + 21] = 4),
        changed(sample, "leaf-of-unknown-kind", "tampered", "path to the root", |receipt: &mut Receipt| receipt.leaf[5] = 9),
    ]
}
