//! Attacks on SD-JWTs: openings made up, changed, moved and repeated, tokens signed by others or not at all, lies that are signed, second spellings.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use receipts::{Disclosure, Field, SdJwt};
use sha2::{Digest, Sha256};

use super::witnessed::{cosigned, policy};
use super::{Attack, Kind, types};
use crate::fuzz::mutate;
use crate::sample::{LEDGER, ORDERS_DEFINITION, Random, Sample};

pub(super) fn attacks(sample: &Sample) -> Vec<Attack> {
    [valid(sample), openings(sample), signatures(sample), lies(sample), payloads(sample), spellings(sample), elsewhere(sample)]
        .into_iter()
        .flatten()
        .collect()
}

fn raw(sample: &Sample, name: &'static str, input: String, verdict: &'static str, reason: &'static str) -> Attack {
    Attack { name, kind: Kind::Disclosure, policy: sample.policy_text(), pinned: None, input, verdict, reason }
}

fn of(sample: &Sample, rows: &[(u64, u64, &[usize])]) -> String {
    SdJwt::sign(&sample.keys, sample.disclosure(rows, 12)).unwrap()
}

/// Customer of row 0, id and remark of row 2, the day of row 3 and the boolean of a row of commit 3.
const GOOD: &[(u64, u64, &[usize])] = &[(2, 0, &[1]), (2, 2, &[0, 3]), (2, 3, &[0]), (3, 1, &[2])];

/// An SD-JWT in its parts, as JSON.
#[derive(Clone)]
struct Parts {
    header: String,
    payload: String,
    openings: Vec<String>,
    signature: String,
}

fn encode(json: &str) -> String {
    URL_SAFE_NO_PAD.encode(json)
}

fn digest(opening: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(encode(opening)))
}

impl Parts {
    fn of(text: &str) -> Self {
        let decode = |part: &str| String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
        let mut parts = text.strip_suffix('~').unwrap().split('~');
        let jwt: Vec<&str> = parts.next().unwrap().split('.').collect();
        let (header, payload, signature) = (decode(jwt[0]), decode(jwt[1]), jwt[2].to_owned());
        Self { header, payload, signature, openings: parts.map(decode).collect() }
    }

    /// With the signature that it had.
    fn text(&self) -> String {
        let mut text = format!("{}.{}.{}~", encode(&self.header), encode(&self.payload), self.signature);
        self.openings.iter().for_each(|opening| text.push_str(&format!("{}~", encode(opening))));
        text
    }

    /// Signed by the key of the ledger, which lies.
    fn signed(self) -> String {
        self.signed_by(0x41)
    }

    fn signed_by(mut self, seed: u8) -> String {
        let message = format!("{}.{}", encode(&self.header), encode(&self.payload));
        self.signature = URL_SAFE_NO_PAD.encode(SigningKey::from_bytes(&[seed; 32]).sign(message.as_bytes()).to_bytes());
        self.text()
    }

    /// Another opening in the place of the first, with its digest in the payload.
    fn lie(mut self, opening: String) -> String {
        self.payload = self.payload.replace(&digest(&self.openings[0]), &digest(&opening));
        self.openings[0] = opening;
        self.signed()
    }
}

/// A token of one field with payload, header or opening changed at random and signed anew.
pub fn of_sd_jwt(random: &mut Random, sample: &Sample) -> Attack {
    let mut parts = Parts::of(&of(sample, &[(2, 0, &[1]), (2, 3, &[0])]));
    let changed = |random: &mut Random, text: &str| String::from_utf8_lossy(&mutate(random, text.as_bytes())).into_owned();
    let input = match random.below(4) {
        0 => {
            parts.header = changed(random, &parts.header);
            parts.signed()
        }
        1 => {
            parts.payload = changed(random, &parts.payload);
            parts.signed()
        }
        _ => {
            let opening = changed(random, &parts.openings[0]);
            parts.lie(opening)
        }
    };
    raw(sample, "", input, "", "")
}

fn valid(sample: &Sample) -> Vec<Attack> {
    let good = |name, rows, reason| raw(sample, name, of(sample, rows), "valid", reason);
    let with = |name, reason, change: &dyn Fn(&mut Vec<String>)| {
        let mut parts = Parts::of(&of(sample, GOOD));
        change(&mut parts.openings);
        raw(sample, name, parts.text(), "valid", reason)
    };
    let erased = {
        let mut disclosure = sample.disclosure(&[(2, 0, &[0, 1, 2, 3])], 12);
        let field = &mut disclosure.commits[0].tables[0].rows[0].fields[1];
        *field = Field::Erased(field.commitment(2, 25));
        raw(sample, "valid-sd-jwt-of-an-erased-field", SdJwt::sign(&sample.keys, disclosure).unwrap(), "valid", "customer = REDACTED")
    };
    let cosigned = {
        let mut disclosure = sample.disclosure(GOOD, 12);
        disclosure.checkpoint = cosigned(sample, 12, &[1, 2]);
        let input = SdJwt::sign(&sample.keys, disclosure).unwrap();
        let policy = policy(sample, "group g 2 w1 w2 w3\nquorum g\n");
        Attack { policy, ..raw(sample, "valid-sd-jwt-under-a-cosigned-checkpoint", input, "valid", "quorum of witnesses: g") }
    };
    let every_type = types::sample_of_every_type();
    let columns: Vec<usize> = (0..every_type.row_part(0, 0).fields.len()).collect();
    let of_types = SdJwt::sign(&every_type.keys, every_type.disclosure(&[(0, 0, &columns)], 1)).unwrap();
    vec![
        good("valid-sd-jwt", GOOD, "5 SD-JWT disclosures, each with its digest in the payload"),
        good("valid-sd-jwt-of-one-field", &[(2, 0, &[1])], "customer = \"Ada\""),
        good("valid-sd-jwt-of-a-whole-row", &[(2, 0, &[0, 1, 2, 3])], "remark   = NULL"),
        good("valid-sd-jwt-of-no-field", &[(2, 0, &[])], "0 SD-JWT disclosures"),
        good("valid-sd-jwt-of-a-delete", &[(3, 2, &[]), (2, 1, &[3])], "delete, supersedes row 0"),
        with("valid-sd-jwt-without-openings", "0 SD-JWT disclosures", &Vec::clear),
        with("valid-sd-jwt-with-an-opening-left-out", "4 SD-JWT disclosures", &|openings| drop(openings.remove(1))),
        with("valid-sd-jwt-with-openings-reordered", "5 SD-JWT disclosures", &|openings| openings.reverse()),
        raw(&every_type, "valid-sd-jwt-of-every-type", of_types, "valid", "row 0 of public.types"),
        erased,
        cosigned,
    ]
}

/// What whoever holds a token can do to the openings.
fn openings(sample: &Sample) -> Vec<Attack> {
    let with = |name, verdict, reason, change: &dyn Fn(&mut Vec<String>)| {
        let mut parts = Parts::of(&of(sample, GOOD));
        change(&mut parts.openings);
        raw(sample, name, parts.text(), verdict, reason)
    };
    let none = "SD-JWT disclosure 1: has no digest in the payload";
    let changed =
        |name, old: &'static str, new: &'static str| with(name, "tampered", none, &|openings| openings[0] = openings[0].replace(old, new));
    let other = Parts::of(&of(sample, &[(2, 1, &[1])])).openings.remove(0);
    vec![
        changed("sd-jwt-value-changed", "Ada", "Eve"),
        changed("sd-jwt-value-null", "\"Ada\"", "null"),
        changed("sd-jwt-under-the-name-of-another-column", "customer", "remark"),
        with("sd-jwt-salt-changed", "tampered", none, &|openings| {
            let salt = openings[0][2..24].to_owned();
            let other = if salt.starts_with('A') { "B" } else { "A" };
            openings[0] = openings[0].replacen(&salt, &format!("{other}{}", &salt[1..]), 1);
        }),
        with("sd-jwt-opening-made-up", "tampered", "SD-JWT disclosure 6: has no digest", &|openings| {
            openings.push(format!("[\"{}\",\"paid\",true]", URL_SAFE_NO_PAD.encode([0; 16])));
        }),
        with("sd-jwt-opening-of-a-row-that-is-not-in-it", "tampered", "SD-JWT disclosure 6: has no digest", &|openings| {
            openings.push(other.clone());
        }),
        with("sd-jwt-opening-twice", "malformed", "SD-JWT disclosure 6: is there twice", &|openings| openings.push(openings[2].clone())),
    ]
}

fn signatures(sample: &Sample) -> Vec<Attack> {
    let good = Parts::of(&of(sample, GOOD));
    let signature = "signature: of pinned key shop/101112131415161718191a1b1c1d1e1f does not verify over the SD-JWT";
    let with = |name, verdict, reason, change: &dyn Fn(&mut Parts)| {
        let mut parts = good.clone();
        change(&mut parts);
        raw(sample, name, parts.text(), verdict, reason)
    };
    let sign = |bytes: [u8; 64]| URL_SAFE_NO_PAD.encode(bytes);
    let bytes: [u8; 64] = URL_SAFE_NO_PAD.decode(&good.signature).unwrap().try_into().unwrap();
    let note = sample.checkpoint(12).to_string();
    let of_note = base64::engine::general_purpose::STANDARD.decode(note.trim_end().rsplit(' ').next().unwrap()).unwrap();
    let alg = |alg: &'static str| move |parts: &mut Parts| parts.header = parts.header.replace("EdDSA", alg);
    let header = "SD-JWT header: is not that of EdDSA, a key id and a disclosure";
    vec![
        with("sd-jwt-signature-changed", "tampered", signature, &|parts| {
            let mut bytes = bytes;
            bytes[40] ^= 1;
            parts.signature = sign(bytes);
        }),
        with("sd-jwt-signature-of-zeros", "tampered", signature, &|parts| parts.signature = sign([0; 64])),
        with("sd-jwt-signature-with-larger-s", "tampered", signature, &|parts| {
            let mut bytes = bytes;
            bytes[63] |= 0xe0;
            parts.signature = sign(bytes);
        }),
        with("sd-jwt-signature-of-the-checkpoint", "tampered", signature, &|parts| {
            parts.signature = URL_SAFE_NO_PAD.encode(&of_note[4..]);
        }),
        with("sd-jwt-signature-of-another-token", "tampered", signature, &|parts| {
            parts.signature = Parts::of(&of(sample, &[(2, 0, &[1])])).signature;
        }),
        with("sd-jwt-signature-empty", "malformed", "SD-JWT signature: has 0 bytes, not 64", &|parts| parts.signature.clear()),
        with("sd-jwt-payload-changed", "tampered", signature, &|parts| {
            let digest = digest(&parts.openings[0]);
            parts.payload = parts.payload.replace(&digest, &"A".repeat(43));
        }),
        with("sd-jwt-with-algorithm-none", "malformed", header, &alg("none")),
        with("sd-jwt-with-a-mac-by-the-public-key", "malformed", header, &alg("HS256")),
        with("sd-jwt-of-another-type", "malformed", header, &|parts| parts.header = parts.header.replace("shockwave-", "")),
        with("sd-jwt-with-a-key-in-its-header", "malformed", header, &|parts| {
            parts.header = parts.header.replace(",\"typ", ",\"jwk\":{},\"typ")
        }),
        with("sd-jwt-by-another-key-id", "tampered", "which is not pinned for shop/10111213", &|parts| {
            let at = parts.header.find("kid\":\"").unwrap() + 6;
            parts.header.replace_range(at..at + 8, "00000000");
        }),
        Attack {
            policy: Sample::empty("shop", [0x99; 16], 0x71).policy_text(),
            ..raw(sample, "sd-jwt-by-an-unknown-ledger", good.text(), "inconclusive", "authenticity: the policy pins no key for shop/1011")
        },
    ]
}

/// A ledger that signs what is not so.
fn lies(sample: &Sample) -> Vec<Attack> {
    let good = Parts::of(&of(sample, GOOD));
    let with = |name, verdict, reason, change: &dyn Fn(&str) -> String| {
        let opening = change(&good.openings[0]);
        raw(sample, name, good.clone().lie(opening), verdict, reason)
    };
    let commitment = "SD-JWT disclosure 1: does not open the commitment of column customer";
    let form = "SD-JWT disclosure 1: is not as a value of column customer is written";
    vec![
        with("lie-sd-jwt-value", "tampered", commitment, &|text| text.replace("Ada", "Eve")),
        with("lie-sd-jwt-value-null", "tampered", commitment, &|text| text.replace("\"Ada\"", "null")),
        with("lie-sd-jwt-salt", "tampered", commitment, &|text| text.replacen(&text[2..24], &URL_SAFE_NO_PAD.encode([7; 16]), 1)),
        with("lie-sd-jwt-column", "tampered", "does not open the commitment of column remark", &|text| text.replace("customer", "remark")),
        with("lie-sd-jwt-column-that-is-none", "tampered", "is of column supplier, which its row has not", &|text| {
            text.replace("customer", "supplier")
        }),
        with("lie-sd-jwt-column-named-sd", "tampered", "is of column _sd, which its row has not", &|text| text.replace("customer", "_sd")),
        with("lie-sd-jwt-value-of-another-type", "malformed", form, &|text| text.replace("\"Ada\"", "true")),
        with("lie-sd-jwt-value-in-another-form", "malformed", form, &|text| {
            text.replace("\"Ada\"", "{\"text\":\"\\\"Ada\\\"\",\"bytes\":\"QWRh\"}")
        }),
        with("lie-sd-jwt-text-that-its-bytes-are-not", "malformed", form, &|text| {
            text.replace("\"Ada\"", "{\"text\":\"Eve\",\"bytes\":\"QWRh\"}")
        }),
        opens_a_field_twice(sample, good.clone()),
        issued_by_another(sample, good.clone()),
    ]
}

fn opens_a_field_twice(sample: &Sample, mut parts: Parts) -> Attack {
    let again = parts.openings[4].replace("true", "false");
    let (old, mut both) = (digest(&parts.openings[4]), [digest(&parts.openings[4]), digest(&again)]);
    both.sort();
    parts.payload = parts.payload.replace(&old, &both.join("\",\""));
    parts.openings.push(again);
    let reason = "SD-JWT disclosure 6: is of column paid, which is not hidden";
    raw(sample, "lie-sd-jwt-opens-a-field-twice", parts.signed(), "tampered", reason)
}

/// A token of one ledger about another, both of which are pinned.
fn issued_by_another(sample: &Sample, mut parts: Parts) -> Attack {
    let other = Sample::empty("other", [0x99; 16], 0x71);
    let ([key, _], [own, _]) = (other.keys.verifiers(), sample.keys.verifiers());
    let at = parts.header.find("kid\":\"").unwrap() + 6;
    parts.header.replace_range(at..at + 8, &key.key_id().map(|byte| format!("{byte:02x}")).concat());
    parts.payload = parts.payload.replacen(sample.keys.origin(), other.keys.origin(), 1);
    let policy = format!("log {key}\nlog {own}\nquorum none\n");
    Attack { policy, ..raw(sample, "lie-sd-jwt-by-another-ledger", parts.signed_by(0x71), "tampered", "issuer: other/9999") }
}

/// Payloads that are signed and not of the form.
fn payloads(sample: &Sample) -> Vec<Attack> {
    let with = |name, reason, change: &dyn Fn(&mut Parts)| {
        let mut parts = Parts::of(&of(sample, GOOD));
        change(&mut parts);
        raw(sample, name, parts.signed(), "malformed", reason)
    };
    let replaced = |name, reason, old: &'static str, new: &'static str| {
        with(name, reason, &|parts| {
            assert!(parts.payload.contains(old), "{old}");
            parts.payload = parts.payload.replacen(old, new, 1);
        })
    };
    let form = "SD-JWT payload: is not of iss, _sd_alg, shockwave and rows in their one spelling";
    let shown = sample.disclosure(GOOD, 12).to_text().unwrap().replace('\n', "\\n");
    vec![
        replaced("sd-jwt-payload-with-a-blank", form, "\"iss\":", "\"iss\": "),
        replaced("sd-jwt-payload-with-another-claim", form, "{\"iss\"", "{\"exp\":1,\"iss\""),
        replaced("sd-jwt-payload-with-another-hash", form, "sha-256", "sha-512"),
        replaced("sd-jwt-payload-with-a-needless-escape", form, "shop", "sho\\u0070"),
        replaced("sd-jwt-payload-with-another-escape-of-a-newline", form, "@v1\\n", "@v1\\u000a"),
        replaced("sd-jwt-payload-with-a-value", form, "{\"_sd\":", "{\"customer\":\"Ada\",\"_sd\":"),
        replaced("sd-jwt-payload-with-an-empty-list", form, "\"rows\":[{", "\"rows\":[{\"_sd\":[]},{"),
        replaced(
            "sd-jwt-payload-with-a-row-too-many",
            "SD-JWT payload: shows 4 rows and lists digests of 5",
            "\"rows\":[",
            "\"rows\":[{},",
        ),
        replaced(
            "sd-jwt-payload-of-another-disclosure",
            "disclosure: does not start with",
            "shockwave-disclosure@v1",
            "shockwave-disclosure@v2",
        ),
        with("sd-jwt-payload-that-shows-a-field", "SD-JWT payload: shows a field itself", &|parts| {
            let from = parts.payload.find("\"shockwave\":\"").unwrap() + 13;
            let to = parts.payload.find("\",\"rows\"").unwrap();
            parts.payload.replace_range(from..to, &shown);
        }),
        with("sd-jwt-digests-that-fall", "SD-JWT payload: has a row whose digests do not rise", &|parts| {
            let (one, other) = (digest(&parts.openings[1]), digest(&parts.openings[2]));
            parts.payload = parts.payload.replace(&one, "?").replace(&other, &one).replace('?', &other);
        }),
        with("sd-jwt-digest-twice-in-a-row", "SD-JWT payload: has a row whose digests do not rise", &|parts| {
            let one = digest(&parts.openings[0]);
            parts.payload = parts.payload.replace(&one, &format!("{one}\",\"{one}"));
        }),
        with("sd-jwt-digest-in-two-rows", "SD-JWT payload: has one digest in two rows", &|parts| {
            let (one, other) = (digest(&parts.openings[0]), digest(&parts.openings[3]));
            parts.payload = parts.payload.replace(&other, &one);
        }),
        with("sd-jwt-digest-of-31-bytes", form, &|parts| {
            parts.payload = parts.payload.replace(&digest(&parts.openings[0]), &URL_SAFE_NO_PAD.encode([7; 31]));
        }),
    ]
}

/// Second spellings and pieces of the compact form.
fn spellings(sample: &Sample) -> Vec<Attack> {
    let good = of(sample, GOOD);
    let text = |name, input: String, reason| raw(sample, name, input, "malformed", reason);
    let parts = Parts::of(&good);
    let opening = encode(&parts.openings[0]);
    let opened = |name, json: String| {
        text(name, good.replacen(&opening, &encode(&json), 1), "SD-JWT disclosure 1: is not of salt, name and value in their one spelling")
    };
    let first = &parts.openings[0];
    let salt = first[2..24].to_owned();
    vec![
        text("sd-jwt-without-its-last-tilde", good.trim_end_matches('~').to_owned(), "SD-JWT: does not end with a tilde"),
        text("sd-jwt-with-a-key-binding", format!("{good}{}", good.split('~').next().unwrap()), "a key binding is not supported"),
        text("sd-jwt-with-a-newline", format!("{good}\n"), "SD-JWT: has a character that is none of base64url, point and tilde"),
        text("sd-jwt-with-an-empty-opening", format!("{good}~"), "SD-JWT disclosure 6: is not of salt, name and value"),
        text("sd-jwt-of-two-parts", good.replacen('.', "~", 1), "SD-JWT: does not begin with header, payload and signature"),
        text("sd-jwt-of-four-parts", good.replacen('.', "..", 1), "SD-JWT: does not begin with header, payload and signature"),
        text("sd-jwt-header-alone", "eyJ".to_owned(), "SD-JWT: does not end with a tilde"),
        text("sd-jwt-header-not-base64url", good.replacen("eyJ", "eyJ-", 1), "SD-JWT header: is not"),
        text("sd-jwt-padded", good.replacen('~', "=~", 1), "SD-JWT: has a character that is none of"),
        text(
            "sd-jwt-opening-with-loose-bits",
            good.replacen(&opening, &loose(&opening), 1),
            "SD-JWT disclosure 1: is not canonical base64url",
        ),
        opened("sd-jwt-opening-with-a-blank", first.replace(",", ", ")),
        opened("sd-jwt-opening-of-two-elements", format!("[\"{salt}\",\"customer\"]")),
        opened("sd-jwt-opening-of-four-elements", format!("[\"{salt}\",\"customer\",\"Ada\",1]")),
        opened("sd-jwt-opening-with-a-short-salt", first.replace(&salt, "QQ")),
        opened("sd-jwt-opening-with-a-fraction", first.replace("\"Ada\"", "1.0")),
        opened("sd-jwt-opening-with-a-leading-zero", first.replace("\"Ada\"", "01")),
        opened("sd-jwt-opening-with-minus-zero", first.replace("\"Ada\"", "-0")),
        opened("sd-jwt-opening-with-a-large-integer", first.replace("\"Ada\"", "9223372036854775808")),
        opened("sd-jwt-opening-with-an-object", first.replace("\"Ada\"", "{\"Ada\":1}")),
        opened("sd-jwt-opening-with-a-raw-tab", first.replace("Ada", "A\tda")),
        opened("sd-jwt-opening-with-capital-hex", first.replace("Ada", "\\u001F")),
        opened("sd-jwt-opening-with-text-behind-it", format!("{first}1")),
    ]
}

/// The last character of base64url with bits set that stand for nothing.
fn loose(base64: &str) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    assert_ne!(base64.len() % 4, 0, "its last character has bits to spare");
    let (rest, last) = base64.split_at(base64.len() - 1);
    let digit = DIGITS.iter().position(|digit| *digit == last.as_bytes()[0]).unwrap();
    format!("{rest}{}", char::from(DIGITS[digit + 1]))
}

/// What a disclosure as text is attacked with, behind a good signature of the token.
fn elsewhere(sample: &Sample) -> Vec<Attack> {
    let with = |name, verdict, reason, change: &dyn Fn(&mut Disclosure)| {
        let mut disclosure = sample.disclosure(GOOD, 12);
        change(&mut disclosure);
        raw(sample, name, SdJwt::sign(&sample.keys, disclosure).unwrap(), verdict, reason)
    };
    vec![
        with("lie-sd-jwt-commitment", "tampered", "commit 2, row 0: row: as shown does not hash", &|all| {
            all.commits[0].tables[0].rows[0].fields[0] = Field::Hidden([7; 32]);
        }),
        with("lie-sd-jwt-row-path", "tampered", "does not hash to row", &|all| all.commits[1].tables[0].rows[0].path[0][0] ^= 1),
        with("lie-sd-jwt-another-checkpoint", "tampered", "commit 2: path to the root", &|all| all.checkpoint = sample.checkpoint(11)),
        with("lie-sd-jwt-another-column-of-the-definition", "tampered", "commit 2, row 0: table definition: is not the one", &|all| {
            all.commits[0].tables[0].definition = ORDERS_DEFINITION.replace("\"customer\"", "\"supplier\"").into_bytes();
        }),
        with("lie-sd-jwt-under-an-unsigned-checkpoint", "tampered", "signature: by the pinned key", &|all| {
            let other = Sample::empty("shop", LEDGER, 0x71);
            all.checkpoint = receipts::note::Note::parse(&other.keys.sign_checkpoint(12, &[7; 32])).unwrap();
        }),
        Attack {
            policy: policy(sample, "group g 2 w1 w2 w3\nquorum g\n"),
            ..raw(sample, "sd-jwt-without-the-quorum", of(sample, GOOD), "inconclusive", "witnesses: the policy asks for cosignatures by g")
        },
    ]
}
