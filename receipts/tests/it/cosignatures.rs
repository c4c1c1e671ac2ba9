//! Cosignatures of witnesses: what is signed, byte for byte, and who counts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, Verifier};
use receipts::cosignature::CosignatureFailure;
use receipts::note::Note;
use receipts::{WitnessKey, WitnessSigner};

use crate::attacks::signer;
use crate::sample::Sample;

/// The example of C2SP tlog-cosignature.
const SPEC_NOTE: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";

#[test]
fn the_specifications_note_has_the_time_of_its_example() {
    let note = Note::parse(SPEC_NOTE).unwrap();
    let line = &note.signatures()[1];
    assert_eq!(line.signature.len(), 72);
    assert_eq!(u64::from_be_bytes(line.signature[..8].try_into().unwrap()), 1_679_315_147);
    assert_eq!(note.to_string(), SPEC_NOTE);
}

#[test]
fn what_is_signed_is_two_lines_and_the_text() {
    let (witness, text) = (signer(1), Sample::new().checkpoint(5).text().to_owned());
    let line = witness.cosign(&text, 1_679_315_147);
    let (time, signature) = line.signature.split_at(8);
    assert_eq!(time, 1_679_315_147u64.to_be_bytes());
    let key = SigningKey::from_bytes(&[1; 32]);
    let message = format!("cosignature/v1\ntime 1679315147\n{text}");
    key.verifying_key().verify(message.as_bytes(), &Signature::from_slice(signature).unwrap()).unwrap();
    assert_eq!(key.sign(message.as_bytes()).to_bytes(), *signature);
    assert_eq!(witness.verifier().verify(&text, &line), Ok(1_679_315_147));
}

#[test]
fn keys_are_written_and_read() {
    use sha2::{Digest, Sha256};
    let witness = signer(1);
    let vkey = witness.verifier().to_string();
    assert_eq!(&WitnessKey::parse(&vkey).unwrap(), witness.verifier());
    let public = SigningKey::from_bytes(&[1; 32]).verifying_key().to_bytes();
    let id = Sha256::new().chain_update("witness-1.example/w\n\x04").chain_update(public).finalize();
    assert_eq!(witness.verifier().key_id(), id[..4]);
    assert_eq!(vkey.rsplit_once('+').unwrap().1, STANDARD.encode([&[4][..], &public].concat()));
    let read = WitnessSigner::parse(&witness.secret_text()).unwrap();
    assert_eq!((read.verifier(), read.secret_text()), (witness.verifier(), witness.secret_text()));
    assert!(!format!("{witness:?}").contains("PRIVATE"), "a private key is not printed");
    for (text, parse) in [
        (vkey, (|text: &str| WitnessKey::parse(text).is_ok()) as fn(&str) -> bool),
        (witness.secret_text(), |text: &str| WitnessSigner::parse(text).is_ok()),
    ] {
        assert!(parse(&text));
        for i in 0..text.len() {
            assert!(!parse(&text[i + 1..]) && !parse(&text[..i]), "cut at {i}");
            let mut bytes = text.as_bytes().to_vec();
            bytes[i] += 1;
            assert!(!parse(std::str::from_utf8(&bytes).unwrap()), "byte {i} changed");
        }
    }
    let sample = Sample::new();
    assert!(WitnessKey::parse(&sample.keys.verifiers()[0].to_string()).is_err(), "a log's key is no witness's");
    assert!(WitnessSigner::parse(&sample.keys.sha.secret_text()).is_err());
    assert!(receipts::note::VerifierKey::parse(&witness.verifier().to_string()).is_err(), "nor the other way round");
}

#[test]
fn every_changed_byte_of_a_line_is_noticed() {
    let (witness, text) = (signer(1), Sample::new().checkpoint(5).text().to_owned());
    let good = witness.cosign(&text, 1_679_315_147);
    for at in 0..good.signature.len() {
        for bit in 0..8 {
            let mut line = good.clone();
            line.signature[at] ^= 1 << bit;
            assert_eq!(witness.verifier().verify(&text, &line), Err(CosignatureFailure::Bad), "byte {at}, bit {bit}");
        }
    }
    assert_eq!(witness.verifier().verify(&text.replace('5', "6"), &good), Err(CosignatureFailure::Bad));
    assert_eq!(signer(2).verifier().verify(&text, &good), Err(CosignatureFailure::Bad));
}

#[test]
fn times_that_are_none() {
    let (witness, text) = (signer(1), Sample::new().checkpoint(5).text().to_owned());
    for (time, expected) in [
        (0, Err(CosignatureFailure::Time(0))),
        (1, Ok(1)),
        (u64::MAX / 2, Ok(u64::MAX / 2)),
        (1 << 63, Err(CosignatureFailure::Time(1 << 63))),
        (u64::MAX, Err(CosignatureFailure::Time(u64::MAX))),
    ] {
        assert_eq!(witness.verifier().verify(&text, &witness.cosign(&text, time)), expected);
    }
}

#[test]
fn a_witness_counts_once_at_the_earliest_time() {
    let sample = Sample::new();
    let mut note = sample.checkpoint(5);
    assert_eq!(signer(1).verifier().cosigned(&note), Ok(None));
    for time in [70, 50, 60] {
        note.add(signer(1).cosign(note.text(), time)).unwrap();
    }
    assert_eq!(signer(1).verifier().cosigned(&note), Ok(Some(50)));
    assert_eq!(signer(2).verifier().cosigned(&note), Ok(None));
    let mut spoilt = signer(1).cosign(note.text(), 80);
    spoilt.signature[9] ^= 1;
    note.add(spoilt).unwrap();
    assert_eq!(signer(1).verifier().cosigned(&note), Err(CosignatureFailure::Bad));
    assert_eq!(Note::parse(&note.to_string()).unwrap(), note, "N1");
    assert!(note.verify(sample.policy().logs()).is_ok(), "the log's own signature is what it was");
    (note.signatures().len()..16).for_each(|_| note.add(signer(3).cosign(note.clone().text(), 1)).unwrap());
    assert!(note.add(signer(3).cosign(note.clone().text(), 1)).is_err(), "a 17th line");
}
