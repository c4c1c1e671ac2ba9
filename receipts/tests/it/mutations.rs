//! Thousands of changed vectors with what this crate's verifier says of them, for the others to say the same: a differential fuzzer.
//!
//! They are written to `mutations.jsonl` in Cargo's folder for tests' files; `cargo xtask test` hands it to `verifiers/`. Changed leaves, definitions
//! and values are signed anew, so that what stands behind signature and hash is reached. `SHOCKWAVE_SEED=7` makes other ones than usual.

use std::fmt::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::attacks::{Attack, Kind, all, of_column, of_definition, of_sd_jwt};
use crate::exports::Files;
use crate::fuzz::mutate;
use crate::sample::{LEDGER, ORDERS_DEFINITION, Random, Sample};
use crate::vectors::json_of;

const OF_EACH: usize = 640;

/// Type oids with values to start from: a few bytes of each width there is.
const OIDS: [u32; 40] = [
    16, 17, 20, 21, 23, 25, 114, 700, 701, 1042, 1043, 1082, 1083, 1114, 1184, 1186, 1700, 2950, 3802, 199, 1000, 1001, 1005, 1007, 1009,
    1014, 1015, 1016, 1021, 1022, 1115, 1182, 1183, 1185, 1187, 1231, 2951, 3807, 600, 0,
];

#[test]
fn mutations() {
    let seed = std::env::var("SHOCKWAVE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let mut random = Random(seed);
    let (sample, vectors) = (Sample::new(), all());
    let mut lines = String::new();
    let mut add = |number: usize, kind: &str, attack: Attack| {
        let name = format!("{kind}-{number}-of-seed-{seed}");
        let mut json = json_of(&attack);
        json["name"] = name.into();
        let verdict = attack.verify();
        json["verdict"] = verdict.name().into();
        json["exit_code"] = verdict.exit_code().into();
        writeln!(lines, "{json}").unwrap();
    };
    for number in 0..OF_EACH {
        let vector = || &vectors[number % vectors.len()];
        if let Some(export) = Files::of(vector()) {
            let path = export.0.keys().nth(random.below(export.0.len())).unwrap().clone();
            add(number, "file", with_input(vector(), export.with(&path, |bytes| *bytes = mutate(&mut random, bytes)).to_text()));
        } else if vector().kind == Kind::Cose {
            let changed = mutate(&mut random, &STANDARD.decode(&vector().input).unwrap());
            add(number, "cose", with_input(vector(), STANDARD.encode(changed)));
        } else {
            add(number, "input", with_input(vector(), text(&mutate(&mut random, vector().input.as_bytes()))));
        }
        add(number, "policy", Attack { policy: text(&mutate(&mut random, vector().policy.as_bytes())), ..copy(vector()) });
        if let Some(pinned) = &vector().pinned {
            add(number, "pinned", Attack { pinned: Some(text(&mutate(&mut random, pinned.as_bytes()))), ..copy(vector()) });
        }
        if let Some(input) = with_extra(&mut random, &vector().input) {
            add(number, "extra", with_input(vector(), input));
        }
        if let Some(input) = with_signature(&mut random, &vector().input) {
            add(number, "signature", with_input(vector(), input));
        }
        add(number, "leaf", signed_leaf(&mut random, &sample, number % sample.bytes.len()));
        add(number, "definition", of_definition(&sample, &mutate(&mut random, ORDERS_DEFINITION.as_bytes())));
        add(number, "sd-jwt", of_sd_jwt(&mut random, &sample));
        for oid in [OIDS[number % OIDS.len()], OIDS[random.below(OIDS.len())]] {
            let bytes = value(&mut random);
            add(number, "value", of_column(&sample, oid, &bytes));
        }
    }
    std::fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutations.jsonl"), lines).unwrap();
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn copy(of: &Attack) -> Attack {
    Attack { policy: of.policy.clone(), pinned: of.pinned.clone(), input: of.input.clone(), ..*of }
}

fn with_input(vector: &Attack, input: String) -> Attack {
    Attack { input, ..copy(vector) }
}

/// A receipt or a disclosure of which one binary part is changed.
fn with_extra(random: &mut Random, input: &str) -> Option<String> {
    let is_part = |line: &&str| ["extra ", "commit ", "table ", "row "].iter().any(|word| line.starts_with(word));
    let parts: Vec<&str> = input.lines().filter(is_part).collect();
    let (_, part) = parts.get(random.below(parts.len().max(1)))?.rsplit_once(' ')?;
    let bytes = STANDARD.decode(part).ok()?;
    Some(input.replacen(part, &STANDARD.encode(mutate(random, &bytes)), 1))
}

/// A note of which the bytes of one signature line are changed, its key id too.
fn with_signature(random: &mut Random, input: &str) -> Option<String> {
    let lines: Vec<&str> = input.lines().filter(|line| line.starts_with('\u{2014}')).collect();
    let (_, data) = lines.get(random.below(lines.len().max(1)))?.rsplit_once(' ')?;
    let bytes = STANDARD.decode(data).ok()?;
    Some(input.replacen(data, &STANDARD.encode(mutate(random, &bytes)), 1))
}

/// A changed leaf at its place in a log that was signed with it.
fn signed_leaf(random: &mut Random, sample: &Sample, seq: usize) -> Attack {
    let mut log = Sample::empty("shop", LEDGER, 0x41);
    (0..seq).for_each(|leaf| log.push_bytes(sample.bytes[leaf].clone(), sample.leaves[leaf].clone(), None));
    log.push_bytes(mutate(random, &sample.bytes[seq]), sample.leaves[seq].clone(), None);
    let input = log.receipt(seq as u64, None, seq as u64 + 1).to_text().unwrap();
    Attack { name: "", kind: Kind::Receipt, policy: sample.policy_text(), pinned: None, input, verdict: "", reason: "" }
}

/// Bytes of a width that some type has, random or nearly all alike, now and then as the one element of an array.
fn value(random: &mut Random) -> Vec<u8> {
    let width = [0, 1, 2, 4, 8, 16, 17, 5][random.below(8)];
    let mut bytes = match random.below(3) {
        0 => random.bytes(width),
        1 => vec![[0, 0xff, 0x7f][random.below(3)]; width],
        _ => (0..width).map(|_| b"{\"\\a\xc3\xa9 \n"[random.below(8)]).collect(),
    };
    if width == 17 && random.below(2) == 0 {
        bytes[16] = random.below(41) as u8;
    }
    if random.below(3) == 0 {
        bytes = [&[1, 0, 0, 0, 0][..], &(width as u32).to_le_bytes(), &bytes].concat();
    }
    bytes
}
