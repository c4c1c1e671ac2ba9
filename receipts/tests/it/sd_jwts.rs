//! SD-JWTs: what they show, and that they give nothing else away.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use receipts::note::{Note, NoteSignature};
use receipts::{SdJwt, field_salt, verify_disclosure};
use sha2::{Digest, Sha256};

use crate::fuzz::mutate;
use crate::sample::{Random, Sample};

fn token(sample: &Sample, rows: &[(u64, u64, &[usize])]) -> String {
    SdJwt::sign(&sample.keys, sample.disclosure(rows, 12)).unwrap()
}

/// Header and payload of a token, decoded.
fn signed_part(token: &str) -> Vec<u8> {
    let jwt = token.split('~').next().unwrap();
    jwt.split('.').take(2).flat_map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect()
}

#[test]
fn fields_that_were_not_asked_for_have_no_digest() {
    let sample = Sample::new();
    let one = SdJwt::parse(token(&sample, &[(2, 2, &[0]), (2, 3, &[])]).as_bytes()).unwrap();
    assert_eq!(one.digests.iter().map(Vec::len).collect::<Vec<_>>(), [1, 0]);
    // Neither shown nor hidden values, and no salt, of row or fields, are in what is signed, as bytes or in any base64.
    let row = &sample.commits[2].as_ref().unwrap().rows[2];
    let text = token(&sample, &[(2, 2, &[0])]);
    let disclosure = sample.disclosure(&[(2, 2, &[])], 12).to_text().unwrap();
    let binary: Vec<u8> = disclosure.lines().filter_map(|line| STANDARD.decode(line.rsplit(' ').next()?).ok()).flatten().collect();
    let all = [signed_part(&text), binary].concat();
    let holds = |needle: &[u8]| all.windows(needle.len()).any(|window| window == needle);
    let salts = (0..4).map(|place| field_salt(&row.salt, place)).chain([row.salt]);
    for salt in salts {
        assert!(!holds(&salt) && !holds(URL_SAFE_NO_PAD.encode(salt).as_bytes()) && !holds(STANDARD.encode(salt).as_bytes()));
    }
    assert!(!holds("Émilie".as_bytes()) && !holds(b"a remark that") && !holds(&9i64.to_le_bytes()));
    assert!(holds(b"customer"), "names of columns are shown: they are in the definition");
}

/// A boolean has three values. Of one whose opening was left out the digest is there, and salts of its neighbours do not help.
#[test]
fn a_withheld_boolean_cannot_be_guessed() {
    let sample = Sample::new();
    let whole = token(&sample, &[(2, 0, &[0, 1, 2, 3])]);
    let parsed = SdJwt::parse(whole.as_bytes()).unwrap();
    let digests = &parsed.digests[0];
    let is_listed = |salt: &[u8; 16], value: &str| {
        let opening = format!("[\"{}\",\"paid\",{value}]", URL_SAFE_NO_PAD.encode(salt));
        digests.contains(&Sha256::digest(URL_SAFE_NO_PAD.encode(opening)).into())
    };
    let known: Vec<[u8; 16]> = parsed.openings.iter().filter(|opening| opening.column != "paid").map(|opening| opening.salt).collect();
    let derived = known.iter().flat_map(|salt| (0..4).map(|place| field_salt(salt, place)));
    for salt in known.iter().copied().chain(derived).chain([[0; 16]]) {
        assert!(["true", "false", "null"].iter().all(|guess| !is_listed(&salt, guess)));
    }
    // And whoever has the opening can: it is the salt that hides it.
    let own = parsed.openings.iter().find(|opening| opening.column == "paid").unwrap();
    assert!(is_listed(&own.salt, "true"));
}

#[test]
fn what_is_signed_cannot_be_a_note() {
    let sample = Sample::new();
    let parsed = SdJwt::parse(token(&sample, &[(2, 0, &[1])]).as_bytes()).unwrap();
    assert!(parsed.signed.starts_with("eyJ") && !parsed.signed.contains('\n'));
    let mut note = sample.checkpoint(12);
    let [key, _] = sample.keys.verifiers();
    note.add(NoteSignature { name: key.name().to_owned(), key_id: key.key_id(), signature: parsed.signature.to_vec() }).unwrap();
    assert!(note.verify(std::slice::from_ref(key)).is_err());
    assert!(Note::sign(&parsed.signed, &[]).is_err(), "a note ends in a newline");
}

#[test]
fn columns_whose_names_sd_jwt_keeps_to_itself_cannot_be_shown() {
    for name in ["_sd", "..."] {
        let sample = Sample::new();
        let mut disclosure = sample.disclosure(&[(2, 0, &[1])], 12);
        let table = &mut disclosure.commits[0].tables[0];
        table.definition =
            String::from_utf8(table.definition.clone()).unwrap().replace("\"customer\"", &format!("\"{name}\"")).into_bytes();
        let error = SdJwt::sign(&sample.keys, disclosure).unwrap_err();
        assert_eq!(error.to_string(), format!("SD-JWT: cannot show a column named {name}"));
    }
}

#[test]
fn one_of_more_than_16_mib_is_not_read() {
    let verdict = verify_disclosure(&[b"eyJ".to_vec(), vec![b'x'; 16 << 20]].concat(), &Sample::new().policy());
    assert_eq!(verdict.to_string(), "MALFORMED: SD-JWT: is longer than 16 MiB\n");
}

#[test]
fn changed_tokens_do_not_panic_and_are_never_valid() {
    let sample = Sample::new();
    let policy = sample.policy();
    let good = token(&sample, &[(2, 0, &[1]), (2, 2, &[0, 3]), (3, 2, &[])]);
    let openings: Vec<&str> = good.split('~').collect();
    let mut random = Random(11);
    for _ in 0..5_000 {
        let changed = mutate(&mut random, good.as_bytes());
        if verify_disclosure(&changed, &policy).exit_code() == 0 {
            // Only openings may be missing.
            let text = String::from_utf8(changed).unwrap();
            assert!(text.split('~').all(|part| openings.contains(&part)), "{text}");
        }
    }
}
