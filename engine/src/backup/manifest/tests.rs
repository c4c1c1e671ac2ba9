//! The manifest's text: what is read is what was written, and nothing else is read.

use super::*;

fn sample() -> Manifest {
    let identity = LedgerIdentity { ledger: LedgerId([7; 16]), incarnation: 2, database: "shop".into(), renamed_from: None };
    let state = Signed { size: 12, sha_root: [1; 32], b3_root: [0xab; 32] };
    let entry = |bytes| Entry { bytes, blake3: [bytes as u8; 32] };
    let files = [("tile/0/x001/000.p/12", 384), ("log/a-b", 9), ("segments/1/0.arrow", 0)];
    Manifest { identity, state, sealed: 5, files: files.map(|(name, bytes)| (name.to_owned(), entry(bytes))).into() }
}

/// The same with its last line made anew.
fn sealed(body: &str) -> String {
    format!("{body}end {}\n", blake3::hash(body.as_bytes()).to_hex())
}

#[test]
fn it_is_read_back_and_no_byte_of_it_may_change() {
    for identity in [None, Some("older/07070707070707070707070707070707".to_owned())] {
        let mut manifest = sample();
        manifest.identity.renamed_from = identity;
        let text = manifest.text();
        assert_eq!(Manifest::parse(&text), Some(manifest));
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            assert_eq!(String::from_utf8(bytes).ok().and_then(|text| Manifest::parse(&text)), None, "byte {at}");
        }
        for end in 0..text.len() {
            assert_eq!(Manifest::parse(&text[..end]), None, "cut at {end}");
        }
    }
}

#[test]
fn names_that_lead_elsewhere_and_second_spellings_are_refused() {
    let text = sample().text();
    let body = &text[..text.rfind("end ").unwrap()];
    assert!(Manifest::parse(&sealed(body)).is_some());
    for (from, to) in [
        ("log/a-b", "log/../../a"),
        ("log/a-b", "/etc/passwd"),
        ("log/a-b", "log//a"),
        ("log/a-b", "log/./a"),
        ("log/a-b", "log/a b"),
        ("log/a-b", "zog/a-b"),
        ("size 12", "size 012"),
        ("size 12", "size +12"),
        ("size 12", "size 4"),
        ("sealed 5", "sealed 13"),
        ("abab", "ABab"),
        ("database shop\n", ""),
    ] {
        let changed = body.replacen(from, to, 1);
        assert_ne!(changed, body);
        assert_eq!(Manifest::parse(&sealed(&changed)), None, "{from} → {to}");
    }
}
