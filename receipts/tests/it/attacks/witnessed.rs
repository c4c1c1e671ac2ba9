//! Attacks on cosignatures of witnesses and on quorums: lines changed, moved from elsewhere, counted twice, of too few.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use receipts::WitnessSigner;
use receipts::note::{KeyType, Note, NoteSignature, NoteSigner};

use super::crypto::malleate;
use super::history::rewritten;
use super::{Attack, Kind};
use crate::exports::Exported;
use crate::sample::Sample;

/// 2026-01-02 03:04:06 UTC, a second after the sample's commits.
const TIME: u64 = 1_767_323_046;

/// The key of witness `n`: its policy calls it `w<n>`.
pub fn signer(n: u8) -> WitnessSigner {
    WitnessSigner::new(&format!("witness-{n}.example/w"), &[n; 32]).unwrap()
}

/// The policy of the sample's logs with witnesses `w1` to `w6` and these lines behind them.
pub fn policy(sample: &Sample, rest: &str) -> String {
    let witnesses: String = (1..=6).map(|n| format!("witness w{n} {}\n", signer(n).verifier())).collect();
    sample.policy_text().replace("quorum none\n", &(witnesses + rest))
}

/// The sample's checkpoint at a size, cosigned by these witnesses a second apart.
pub fn cosigned(sample: &Sample, size: u64, witnesses: &[u8]) -> Note {
    let mut note = sample.checkpoint(size);
    for n in witnesses {
        note.add(line(*n, note.text())).unwrap();
    }
    note
}

fn line(n: u8, text: &str) -> NoteSignature {
    signer(n).cosign(text, TIME + u64::from(n))
}

const TWO_OF_THREE: &str = "group g 2 w1 w2 w3\nquorum g\n";
const NESTED: &str = "group X 2 w1 w2 w3\ngroup Y any w4 w5 w6\ngroup both all X Y\nquorum both\n";

pub(super) fn attacks(sample: &Sample) -> Vec<Attack> {
    [met(sample), unmet(sample), spoilt(sample), foreign(sample), keys(sample), texts(sample), elsewhere(sample)]
        .into_iter()
        .flatten()
        .collect()
}

fn attack(sample: &Sample, name: &'static str, rest: &str, note: Note, verdict: &'static str, reason: &'static str) -> Attack {
    let mut input = sample.receipt(2, Some(0), 12);
    input.checkpoint = note;
    Attack { policy: policy(sample, rest), ..super::receipt(sample, name, &input, verdict, reason) }
}

fn by(sample: &Sample, name: &'static str, rest: &str, witnesses: &[u8], verdict: &'static str, reason: &'static str) -> Attack {
    attack(sample, name, rest, cosigned(sample, 12, witnesses), verdict, reason)
}

/// The sample's checkpoint with these lines behind the log's.
fn with_lines(sample: &Sample, lines: &[NoteSignature]) -> Note {
    let mut note = sample.checkpoint(12);
    lines.iter().for_each(|line| note.add(line.clone()).unwrap());
    note
}

fn met(sample: &Sample) -> Vec<Attack> {
    let by = |name, rest: &str, witnesses: &[u8], reason| by(sample, name, rest, witnesses, "valid", reason);
    let text = sample.checkpoint(12).text().to_owned();
    let at = |name, times: &[u64], reason| {
        let lines: Vec<_> = times.iter().map(|time| signer(1).cosign(&text, *time)).collect();
        attack(sample, name, "quorum w1\n", with_lines(sample, &lines), "valid", reason)
    };
    let garbage = NoteSignature { name: "stranger.example".to_owned(), key_id: [1, 2, 3, 4], signature: vec![0; 5] };
    // Name and key id of a known key are not both its own: they are strangers' lines.
    let renamed = NoteSignature { name: "stranger.example".to_owned(), ..line(1, &text) };
    let rekeyed = NoteSignature { key_id: signer(2).verifier().key_id(), ..line(1, &text) };
    let strangers = [garbage, renamed, rekeyed, line(3, &text), line(9, &text)];
    let odd =
        format!("{}witness \"w\u{9b}\" {}\nquorum \"w\u{9b}\"\n", sample.policy_text().replace("quorum none\n", ""), signer(1).verifier());
    vec![
        by("valid-cosigned-by-the-one", "quorum w1\n", &[1], "quorum of witnesses: w1"),
        by("valid-cosigned-by-two-of-three", TWO_OF_THREE, &[3, 1], "cosignatures of w1, w3 over"),
        by(
            "valid-cosigned-by-three-of-three",
            TWO_OF_THREE,
            &[1, 2, 3],
            "cosigned by                : w2 at 2026-01-02 03:04:08+00, by its clock",
        ),
        by("valid-cosigned-by-groups-of-groups", NESTED, &[1, 3, 5], "quorum of witnesses: both"),
        by("valid-cosigned-by-more-than-the-quorum", "quorum w6\n", &[1, 2, 3, 4, 5, 6], "cosignatures of w1, w2, w3, w4, w5, w6 over"),
        by("valid-cosigned-though-none-is-asked", "quorum none\n", &[2], "cosignatures: the policy asks for none"),
        by("valid-cosigned-group-of-a-leading-zero", "group g 01 w1 w2\nquorum g\n", &[2], "quorum of witnesses: g"),
        attack(
            sample,
            "valid-cosigned-by-strangers-too",
            "quorum w3\n",
            with_lines(sample, &strangers),
            "valid",
            "cosignatures of w3 over",
        ),
        at("valid-cosigned-twice-by-one", &[TIME + 5, TIME, TIME + 9], "w1 at 2026-01-02 03:04:06+00"),
        at("valid-cosigned-in-the-first-second", &[1], "w1 at 1970-01-01 00:00:01+00"),
        at("valid-cosigned-in-the-year-9999", &[253_402_300_799], "w1 at 9999-12-31 23:59:59+00"),
        at("valid-cosigned-after-the-year-9999", &[253_402_300_800], "w1 at 253402300800 s after 1970-01-01 00:00:00+00"),
        at("valid-cosigned-at-the-last-time", &[u64::MAX / 2], "w1 at 9223372036854775807 s after"),
        at("valid-cosigned-15-times", &[TIME; 15], "cosignatures of w1 over"),
        Attack { policy: odd, ..by("valid-cosigned-by-a-name-that-draws", "", &[1], "quorum of witnesses: \"\\\"w\\u{9b}\\\"\"") },
        by("valid-cosigned-beside-a-type-not-verified", &format!("{}quorum w1\n", ml_dsa().0), &[1], "cosignatures of w1 over"),
    ]
}

fn unmet(sample: &Sample) -> Vec<Attack> {
    let by = |name, rest: &str, witnesses: &[u8], reason| by(sample, name, rest, witnesses, "inconclusive", reason);
    let text = sample.checkpoint(12).text().to_owned();
    let twice = [signer(1).cosign(&text, TIME), signer(1).cosign(&text, TIME + 1)];
    let thief = {
        let mut attack = by("cosigned-by-nobody-history-rewritten-with-the-stolen-key", "quorum w1\n", &[], "there are none");
        let other = rewritten();
        attack.input = other.receipt(2, Some(0), 12).to_text().unwrap();
        attack
    };
    let (ml_dsa, ml_dsa_line) = ml_dsa();
    let unverified = |name, rest: &str, reason| {
        let note = with_lines(sample, std::slice::from_ref(&ml_dsa_line));
        attack(sample, name, &format!("{ml_dsa}{rest}"), note, "inconclusive", reason)
    };
    vec![
        by("cosigned-by-nobody", "quorum w1\n", &[], "witnesses: the policy asks for cosignatures by w1, and there are none"),
        by("cosigned-by-another-than-the-one", "quorum w1\n", &[2], "asks for cosignatures by w1, and those of w2 are not enough"),
        by("cosigned-by-one-of-three", TWO_OF_THREE, &[2], "asks for cosignatures by g, and those of w2 are not enough"),
        by("cosigned-by-two-of-all", "group g all w1 w2 w3\nquorum g\n", &[1, 3], "those of w1, w3 are not enough"),
        by("cosigned-by-one-group-of-two", NESTED, &[1, 2, 3], "those of w1, w2, w3 are not enough"),
        by("cosigned-by-too-few-of-one-group", NESTED, &[1, 4, 5, 6], "those of w1, w4, w5, w6 are not enough"),
        by("cosigned-by-a-stranger-alone", TWO_OF_THREE, &[9], "there are none"),
        attack(
            sample,
            "cosigned-by-one-witness-twice",
            TWO_OF_THREE,
            with_lines(sample, &twice),
            "inconclusive",
            "those of w1 are not enough",
        ),
        unverified("cosigned-of-a-type-not-verified", "quorum q\n", "by q, and those of q are of a type that is not verified here"),
        unverified("cosigned-of-a-type-not-verified-and-too-few", "group g 2 q w1\nquorum g\n", "by g, and there are none"),
        thief,
    ]
}

/// A witness with a key of type 0x06, which is of the right length and no more, and a line in its name.
fn ml_dsa() -> (String, NoteSignature) {
    use sha2::{Digest, Sha256};
    let (name, data) = ("quantum.example/w", [&[6u8][..], &[0x5a; 1312]].concat());
    let hash = Sha256::new().chain_update(name).chain_update(b"\n").chain_update(&data).finalize();
    let id = [hash[0], hash[1], hash[2], hash[3]];
    let vkey = format!("{name}+{:08x}+{}", u32::from_be_bytes(id), STANDARD.encode(&data));
    (format!("witness q {vkey}\n"), NoteSignature { name: name.to_owned(), key_id: id, signature: vec![7; 8 + 2420] })
}

/// Lines of a known witness that are not his, or not as the format asks.
fn spoilt(sample: &Sample) -> Vec<Attack> {
    let text = sample.checkpoint(12).text().to_owned();
    let bad = "cosignature: of pinned witness w1 does not verify over the checkpoint";
    let with = |name, lines: &[NoteSignature], reason| attack(sample, name, "quorum w1\n", with_lines(sample, lines), "tampered", reason);
    let changed = |name, change: &dyn Fn(&mut Vec<u8>)| {
        let mut line = line(1, &text);
        change(&mut line.signature);
        with(name, &[line], bad)
    };
    let mut broken = line(1, &text);
    broken.signature[50] ^= 4;
    let plain = NoteSigner::new("witness-1.example/w", KeyType::Ed25519, &[1; 32]).unwrap();
    let over_text = Note::sign(&text, &[&plain]).unwrap().signatures()[0].signature.clone();
    let timed = [&(TIME + 1).to_be_bytes()[..], &over_text].concat();
    let beside = with_lines(sample, &[line(2, &text), line(3, &text), broken.clone()]);
    vec![
        changed("cosignature-bit-flipped", &|bytes| bytes[30] ^= 1),
        changed("cosignature-time-changed", &|bytes| bytes[7] ^= 1),
        changed("cosignature-all-zero", &|bytes| bytes.fill(0)),
        changed("cosignature-malleated", &|bytes| {
            let mut line = [&[0; 4][..], &bytes[8..]].concat();
            malleate(&mut line);
            bytes.splice(8.., line[4..].iter().copied());
        }),
        changed("cosignature-too-short", &|bytes| bytes.truncate(71)),
        changed("cosignature-too-long", &|bytes| bytes.push(0)),
        changed("cosignature-of-the-time-alone", &|bytes| bytes.truncate(8)),
        changed("cosignature-of-a-byte", &|bytes| bytes.truncate(1)),
        changed("cosignature-without-its-time", &|bytes| drop(bytes.drain(..8))),
        changed("cosignature-over-the-text-alone", &|bytes| bytes.clone_from(&timed)),
        with("cosignature-time-zero", &[signer(1).cosign(&text, 0)], "cosignature: of pinned witness w1 states time 0, not 1 to"),
        with(
            "cosignature-time-too-large",
            &[signer(1).cosign(&text, 1 << 63)],
            "states time 9223372036854775808, not 1 to 9223372036854775807",
        ),
        with("cosignature-bad-one-after-a-good-one", &[line(1, &text), broken.clone()], bad),
        with("cosignature-bad-one-before-a-good-one", &[broken.clone(), line(1, &text)], bad),
        attack(sample, "cosignature-bad-one-beside-a-quorum", TWO_OF_THREE, beside, "tampered", bad),
        attack(sample, "cosignature-bad-though-none-is-asked", "quorum none\n", with_lines(sample, &[broken]), "tampered", bad),
    ]
}

/// Good cosignatures, of something else or by somebody else.
fn foreign(sample: &Sample) -> Vec<Attack> {
    let text = sample.checkpoint(12).text().to_owned();
    let bad = "cosignature: of pinned witness w1 does not verify";
    let with =
        |name, line: NoteSignature, verdict, reason| attack(sample, name, "quorum w1\n", with_lines(sample, &[line]), verdict, reason);
    let other = Sample::empty("shop", [0x99; 16], 0x71);
    let of_other = text.replace(sample.keys.origin(), other.keys.origin());
    let other_root = rewritten().checkpoint(12).text().to_owned();
    let as_log = NoteSigner::new("witness-1.example/w", KeyType::Ed25519, &[1; 32]).unwrap();
    let by_type_1 = Note::sign(&text, &[&as_log]).unwrap().signatures()[0].clone();
    let mut unsigned = sample.receipt(2, Some(0), 12).to_text().unwrap();
    let own = unsigned.rfind('\u{2014}').unwrap();
    unsigned.replace_range(own.., &line(1, &text).to_string());
    vec![
        with("cosignature-over-another-origin", line(1, &of_other), "tampered", bad),
        with("cosignature-over-another-size", line(1, sample.checkpoint(11).text()), "tampered", bad),
        with("cosignature-over-another-root", line(1, &other_root), "tampered", bad),
        with("cosignature-over-the-blake3-checkpoint", line(1, sample.b3_checkpoint(12).text()), "tampered", bad),
        with(
            "cosignature-by-another-witness-under-the-right-key-id",
            NoteSignature { signature: line(2, &text).signature, ..line(1, &text) },
            "tampered",
            bad,
        ),
        with("cosignature-under-another-key-id", NoteSignature { key_id: [0; 4], ..line(1, &text) }, "inconclusive", "there are none"),
        with(
            "cosignature-under-another-name",
            NoteSignature { name: "witness-2.example/w".to_owned(), ..line(1, &text) },
            "inconclusive",
            "there are none",
        ),
        with("cosignature-of-type-1", by_type_1, "inconclusive", "there are none"),
        Attack {
            input: unsigned,
            ..by(sample, "cosigned-and-not-signed", "quorum w1\n", &[1], "tampered", "signature: by the pinned key of shop/1011")
        },
    ]
}

/// Witness lines of policies that are no witnesses.
fn keys(sample: &Sample) -> Vec<Attack> {
    let logs = sample.policy_text().replace("quorum none\n", "");
    let with = |name, vkey: &str, reason| {
        let policy = format!("{logs}witness w {vkey}\nquorum none\n");
        Attack { policy, ..by(sample, name, "", &[], "malformed", reason) }
    };
    let good = signer(1).verifier().to_string();
    let (head, data) = good.rsplit_once('+').unwrap();
    let data = STANDARD.decode(data).unwrap();
    let of = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut data = data.clone();
        change(&mut data);
        format!("{head}+{}", STANDARD.encode(data))
    };
    let renamed = WitnessSigner::new("x", &[1; 32]).unwrap().verifier().to_string();
    let log_as_witness = WitnessSigner::new("w", &[0x41; 32]).unwrap().verifier().to_string();
    let quantum = ml_dsa().0.trim_end().replace("witness q ", "");
    let both = |name, rest: String, reason| Attack { policy: policy(sample, &rest), ..by(sample, name, "", &[], "malformed", reason) };
    vec![
        with("policy-witness-key-in-two-parts", "a+b", "policy line 3: witness key: is not <name>+<key id>+<base64>"),
        with("policy-witness-key-not-base64", "a+00000000+?", "witness key: is not canonical base64"),
        with(
            "policy-witness-key-short",
            &of(&|data| data.truncate(32)),
            "witness key: has a signature type we do not know, or a wrong length",
        ),
        with("policy-witness-key-long", &of(&|data| data.push(0)), "a wrong length"),
        with("policy-witness-key-empty", &format!("{head}+"), "a wrong length"),
        with("policy-witness-key-of-type-1", &of(&|data| data[0] = 1), "a signature type we do not know"),
        with("policy-witness-key-of-type-6-and-32-bytes", &of(&|data| data[0] = 6), "a wrong length"),
        with("policy-witness-key-of-type-4-and-1312-bytes", &of(&|data| data.resize(1313, 1)), "a wrong length"),
        with("policy-witness-key-of-small-order", &of(&|data| data[1..].fill(0)), "witness key: has small order"),
        with(
            "policy-witness-key-no-point",
            &of(&|data| data[1..].copy_from_slice(&[&[2][..], &[0; 31]].concat())),
            "witness key: is no Ed25519 point",
        ),
        with(
            "policy-witness-key-id-of-another-name",
            &good.replace("witness-1", "witness-2"),
            "witness key: has a key id that is not its own",
        ),
        with("policy-witness-key-id-of-type-6", &quantum.replace("quantum", "other"), "witness key: has a key id that is not its own"),
        with("policy-witness-key-of-no-name", &format!("+{}", good.split_once('+').unwrap().1), "key name: 0 bytes, not 1 to 255"),
        with("policy-witness-with-the-key-of-a-log", &log_as_witness, "policy line 3: lists a public key again"),
        both(
            "policy-witness-under-two-names",
            format!("witness w7 {renamed}\ngroup g 2 w1 w7\nquorum g\n"),
            "line 9: lists a public key again",
        ),
        both("policy-witness-name-twice", format!("witness w1 {}\nquorum w1\n", signer(7).verifier()), "line 9: defines w1 again"),
        both("policy-group-with-the-name-of-a-witness", "group w1 any w2\nquorum w1\n".to_owned(), "line 9: defines w1 again"),
        both("policy-group-of-itself", "group g any g\nquorum g\n".to_owned(), "line 9: names g, which no line before it defines"),
    ]
}

/// Notes with lines around cosignatures.
fn texts(sample: &Sample) -> Vec<Attack> {
    let good = sample.receipt(2, Some(0), 12).to_text().unwrap();
    let line = line(1, sample.checkpoint(12).text()).to_string();
    let raw = |name, input: String, reason| Attack {
        policy: policy(sample, "quorum w1\n"),
        ..super::raw(sample, name, input, "malformed", reason)
    };
    vec![
        raw("cosignature-cut", format!("{good}{}\n", &line.trim_end()[..61]), "note signature: is not canonical base64"),
        raw("cosignature-behind-an-empty-line", format!("{good}\n{line}"), "checkpoint: has not exactly three lines"),
        raw("note-17-signatures-with-cosignatures", good.clone() + &line.repeat(16), "note: has more than 16 signatures"),
    ]
}

/// Disclosures, exports, consistency proofs and COSE receipts under a policy with witnesses.
fn elsewhere(sample: &Sample) -> Vec<Attack> {
    let consistency = |name, pinned: Note, new: Note, verdict, reason| {
        let mut proof = sample.consistency(5, 12);
        proof.checkpoint = new;
        Attack {
            kind: Kind::Consistency,
            policy: policy(sample, "quorum w1\n"),
            pinned: Some(pinned.to_string()),
            ..super::raw(sample, name, proof.to_string(), verdict, reason)
        }
    };
    let mut broken = sample.checkpoint(5);
    broken.add(line(1, sample.checkpoint(4).text())).unwrap();
    let disclosure = |name, witnesses: &[u8], verdict, reason| {
        let mut disclosure = sample.disclosure(&[(2, 0, &[1]), (3, 1, &[2])], 12);
        disclosure.checkpoint = cosigned(sample, 12, witnesses);
        let input = disclosure.to_text().unwrap();
        Attack { kind: Kind::Disclosure, policy: policy(sample, "quorum w1\n"), ..super::raw(sample, name, input, verdict, reason) }
    };
    let export = |name, witnesses: &[u8], verdict, reason| {
        let all = Exported::new();
        let size = all.sample.seq();
        let note = cosigned(&all.sample, size, witnesses);
        let files = all.files(0, size).with("checkpoint", |bytes| *bytes = note.to_string().into_bytes());
        let policy = policy(&all.sample, TWO_OF_THREE);
        Attack { kind: Kind::Export, policy, ..super::raw(sample, name, files.to_text(), verdict, reason) }
    };
    let [old, new] = [sample.checkpoint(5), cosigned(sample, 12, &[1])];
    vec![
        consistency("valid-consistency-cosigned", cosigned(sample, 5, &[1]), new.clone(), "valid", "quorum of witnesses: w1"),
        consistency("valid-consistency-of-a-pinned-one-not-cosigned", old.clone(), new.clone(), "valid", "cosignatures of w1 over"),
        consistency("consistency-not-cosigned", cosigned(sample, 5, &[1]), sample.checkpoint(12), "inconclusive", "and there are none"),
        consistency("pinned-cosignature-bad", broken, new, "tampered", "pinned checkpoint: cosignature: of pinned witness w1"),
        disclosure("valid-disclosure-cosigned", &[1], "valid", "quorum of witnesses: w1"),
        disclosure("disclosure-not-cosigned", &[], "inconclusive", "witnesses: the policy asks"),
        export("valid-export-cosigned", &[1, 2], "valid", "quorum of witnesses: g"),
        export("export-cosigned-by-too-few", &[3], "inconclusive", "checkpoint: witnesses: the policy asks for cosignatures by g"),
    ]
    .into_iter()
    .chain(in_a_file(Exported::new()))
    .collect()
}

/// Exports whose cosigned checkpoint is an earlier one, in a file of its own.
fn in_a_file(all: Exported) -> Vec<Attack> {
    let (sample, size) = (&all.sample, all.sample.seq());
    let with = |name, (first, end), file: String, quorum: &str, (verdict, reason): (&'static str, &'static str)| {
        let mut files = all.files(first, end);
        files.0.insert("cosigned".to_owned(), file.into_bytes());
        let policy = policy(sample, quorum);
        Attack { kind: Kind::Export, policy, ..super::raw(sample, name, files.to_text(), verdict, reason) }
    };
    let note = |size, witnesses: &[u8]| cosigned(sample, size, witnesses).to_string();
    let of_root = |size, root: &[u8; 32]| {
        let mut note = Note::parse(&sample.keys.sign_checkpoint(size, root)).unwrap();
        [1, 2].into_iter().for_each(|n| note.add(line(n, note.text())).unwrap());
        note.to_string()
    };
    let mut broken = sample.checkpoint(9);
    broken.add(line(1, sample.checkpoint(8).text())).unwrap();
    let other = Sample::empty("shop", [0x99; 16], 0x71);
    let stranger = other.keys.sign_checkpoint(9, &[7; 32]);
    let (whole, early) = ((0, size), (0, 9));
    vec![
        with(
            "valid-export-with-a-cosigned-checkpoint",
            early,
            note(9, &[1, 2]),
            TWO_OF_THREE,
            ("valid", "that witnesses have seen the leaves from 9 on"),
        ),
        with(
            "valid-export-with-a-cosigned-checkpoint-of-its-size",
            whole,
            note(size, &[1, 2]),
            TWO_OF_THREE,
            ("valid", "quorum of witnesses: g"),
        ),
        with(
            "valid-export-with-a-cosigned-checkpoint-no-one-asks-for",
            whole,
            note(9, &[1]),
            "quorum none\n",
            ("valid", "cosigned size  : 9"),
        ),
        with(
            "export-cosigned-before-its-last-rows",
            whole,
            note(9, &[1, 2]),
            TWO_OF_THREE,
            ("inconclusive", "witnesses: have cosigned the first 9 leaves, the rows are of commits up to 12"),
        ),
        with(
            "export-cosigned-file-of-too-few",
            early,
            note(9, &[3]),
            TWO_OF_THREE,
            ("inconclusive", "cosigned: witnesses: the policy asks for cosignatures by g, and those of w3 are not enough"),
        ),
        with(
            "export-cosigned-file-of-none",
            early,
            note(9, &[]),
            TWO_OF_THREE,
            ("inconclusive", "cosigned: witnesses: the policy asks for cosignatures by g, and there are none"),
        ),
        with(
            "export-cosigned-file-bad",
            early,
            broken.to_string(),
            TWO_OF_THREE,
            ("tampered", "cosigned: cosignature: of pinned witness w1 does not verify"),
        ),
        with("export-cosigned-file-no-note", early, "w1\n".to_owned(), TWO_OF_THREE, ("malformed", "cosigned: note: has no empty line")),
        with(
            "export-cosigned-file-by-a-stranger",
            early,
            stranger,
            TWO_OF_THREE,
            ("inconclusive", "cosigned: authenticity: the policy pins no key"),
        ),
        with(
            "export-cosigned-file-of-the-blake3-tree",
            early,
            sample.b3_checkpoint(9).to_string(),
            TWO_OF_THREE,
            ("tampered", "cosigned: is of shop/"),
        ),
        with(
            "lie-export-cosigned-larger-than-the-log",
            whole,
            of_root(size + 1, &[7; 32]),
            TWO_OF_THREE,
            ("tampered", "cosigned: has 14 leaves, the checkpoint 13"),
        ),
        with(
            "lie-export-other-history-cosigned",
            early,
            of_root(9, &[7; 32]),
            TWO_OF_THREE,
            ("tampered", "consistency: the log at size 13 does not extend the cosigned log at size 9"),
        ),
    ]
}
