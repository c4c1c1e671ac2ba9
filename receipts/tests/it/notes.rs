//! Signed notes: the examples of C2SP signed-note and of Go's sumdb/note, byte for byte, and what a note must not be.

use receipts::checkpoint::{Checkpoint, ledger_of_origin, origin};
use receipts::note::{KeyType, Note, NoteFailure, NoteSigner, VerifierKey, check_key_name};
use receipts::{Keys, Policy, verify};

use crate::sample::Sample;

const SPEC_VKEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const SPEC_NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
const PETER_SKEY: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const PETER_VKEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const ENOCH_VKEY: &str = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
const TEXT: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const PETER_LINE: &str =
    "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const ENOCH_LINE: &str =
    "\u{2014} EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";
/// The example of C2SP tlog-checkpoint.
const SPEC_CHECKPOINT: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";
/// The example of C2SP signed-note.
const POEM: &str = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n\u{2014} quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";

fn key(vkey: &str) -> VerifierKey {
    VerifierKey::parse(vkey).unwrap()
}

#[test]
fn the_specifications_note_verifies() {
    let note = Note::parse(SPEC_NOTE).unwrap();
    assert_eq!(note.text(), "This is an example message.\n");
    assert_eq!(note.verify(&[key(SPEC_VKEY)]).unwrap(), [&key(SPEC_VKEY)]);
    assert_eq!(key(SPEC_VKEY).to_string(), SPEC_VKEY);
    assert_eq!(key(SPEC_VKEY).key_type(), KeyType::Ed25519);
}

#[test]
fn the_specifications_notes_parse() {
    let poem = Note::parse(POEM).unwrap();
    assert!(poem.text().ends_with("\n\ned è subito sera.\n"), "the last empty line separates");
    assert_eq!(poem.signatures()[0].name, "quasimodo.example/salvatore");
    let note = Note::parse(SPEC_CHECKPOINT).unwrap();
    let checkpoint = Checkpoint::parse(note.text()).unwrap();
    assert_eq!((checkpoint.origin.as_str(), checkpoint.size), ("example.com/behind-the-sofa", 20_852_163));
    for text in [POEM, SPEC_CHECKPOINT, SPEC_NOTE] {
        assert_eq!(Note::parse(text).unwrap().to_string(), text);
    }
    assert_eq!(checkpoint.to_string(), note.text());
}

#[test]
fn go_signs_the_same_bytes() {
    let signer = NoteSigner::parse(PETER_SKEY).unwrap();
    assert_eq!(signer.verifier().to_string(), PETER_VKEY);
    assert_eq!(signer.secret_text(), PETER_SKEY);
    assert_eq!(Note::sign(TEXT, &[&signer]).unwrap().to_string(), format!("{TEXT}\n{PETER_LINE}"));
    assert!(!format!("{signer:?}").contains("PRIVATE"), "a private key is not printed");
}

#[test]
fn several_signatures() {
    let note = Note::parse(&format!("{TEXT}\n{PETER_LINE}{ENOCH_LINE}")).unwrap();
    let keys = [key(PETER_VKEY), key(ENOCH_VKEY)];
    assert_eq!(note.verify(&keys).unwrap().len(), 2);
    assert_eq!(note.verify(&keys[1..]).unwrap(), [&keys[1]], "an unknown key is ignored");
    assert_eq!(note.verify(&[key(SPEC_VKEY)]), Err(NoteFailure::NoKnownKey));
    let twice = Note::parse(&format!("{TEXT}\n{PETER_LINE}{PETER_LINE}")).unwrap();
    assert_eq!(twice.verify(&keys).unwrap().len(), 1, "one key counts once");
    // One bad signature of a known key spoils the note, in whatever order.
    let bad_peter = PETER_LINE.replace("ZJku", "ZJkv");
    for lines in [format!("{bad_peter}{ENOCH_LINE}"), format!("{ENOCH_LINE}{bad_peter}"), format!("{PETER_LINE}{bad_peter}")] {
        let note = Note::parse(&format!("{TEXT}\n{lines}")).unwrap();
        assert_eq!(note.verify(&keys), Err(NoteFailure::BadSignature("PeterNeumann".to_owned())));
    }
    let note = Note::parse(&format!("{TEXT}\n{bad_peter}{ENOCH_LINE}")).unwrap();
    assert_eq!(note.verify(&keys[1..]).unwrap().len(), 1, "a bad signature of an unknown key is ignored");
    let note = Note::parse(&format!("{}\n{PETER_LINE}", TEXT.replace("answer", "Answer"))).unwrap();
    assert_eq!(note.verify(&keys), Err(NoteFailure::BadSignature("PeterNeumann".to_owned())));
}

#[test]
fn sixteen_signatures_and_no_more() {
    let lines = |n| format!("{TEXT}\n{}", PETER_LINE.repeat(n));
    assert!(Note::parse(&lines(16)).is_ok());
    assert!(Note::parse(&lines(17)).unwrap_err().why.contains("more than 16"));
}

#[test]
fn what_a_note_must_not_be() {
    let good = format!("{TEXT}\n{PETER_LINE}");
    assert!(Note::parse(&good).is_ok());
    let bad = [
        (String::new(), "empty line"),
        (good.replace("\n\n", "\n"), "empty line"),
        (good.trim_end_matches('\n').to_owned(), "newline"),
        (format!("{good}\n"), "newline"),
        (good.replace("problem,", "problem,\r"), "control"),
        (good.replace("problem,", "problem,\u{0}"), "control"),
        (good.replace("problem,", "problem,\t"), "control"),
        (good.replace('\u{2014}', "-"), "em dash"),
        (good.replace("\u{2014} ", "\u{2014}"), "em dash"),
        (good.replace("PeterNeumann x08", "Peter+Neumann x08"), "plus"),
        (good.replace("PeterNeumann x08", "Peter\u{a0}Neumann x08"), "space"),
        (good.replace("PeterNeumann x08", " x08"), "key name"),
        (good.replace("JnAM=", "JnAM"), "base64"),
        (good.replace("JnAM=", "JnAN="), "base64"),
        (good.replace("JnAM=", "JnAM= "), "base64"),
        (format!("{TEXT}\n\u{2014} PeterNeumann x08gow==\n"), "shorter"),
        (format!("{}{good}", "x".repeat(128 * 1024)), "longer"),
    ];
    for (text, why) in bad {
        let error = Note::parse(&text).unwrap_err();
        assert!(error.to_string().contains(why), "{error} should say {why}");
    }
}

#[test]
fn every_mangled_key_is_refused() {
    for (text, parse) in [
        (PETER_VKEY, (|text: &str| VerifierKey::parse(text).is_ok()) as fn(&str) -> bool),
        (PETER_SKEY, |text: &str| NoteSigner::parse(text).is_ok()),
    ] {
        assert!(parse(text));
        for i in 0..text.len() {
            assert!(!parse(&text[i + 1..]) && !parse(&text[..i]), "cut at {i}");
            let mut bytes = text.as_bytes().to_vec();
            bytes[i] += 1;
            assert!(!parse(std::str::from_utf8(&bytes).unwrap()), "byte {i} changed");
        }
    }
    assert!(VerifierKey::parse("PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==").is_err(), "wrong length");
    assert!(VerifierKey::parse("PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").is_err(), "unknown type");
    for weak in [[0; 32], {
        let mut one = [0; 32];
        one[0] = 1;
        one
    }] {
        assert!(VerifierKey::new("weak", KeyType::Ed25519, &weak).is_err(), "small order");
    }
    for name in ["", "a b", "a+b", "a\nb", "a\u{2003}b", &"n".repeat(256)] {
        assert!(check_key_name(name).is_err());
    }
}

#[test]
fn the_two_keys_of_a_ledger() {
    let sample = Sample::new();
    let [sha, b3] = sample.keys.verifiers();
    assert_eq!(sha.name(), "shop/101112131415161718191a1b1c1d1e1f");
    assert_eq!(b3.name(), "shop/101112131415161718191a1b1c1d1e1f/b3");
    assert_eq!((sha.key_type(), b3.key_type()), (KeyType::Ed25519, KeyType::B3Checkpoint));
    for key in [sha, b3] {
        assert_eq!(&VerifierKey::parse(&key.to_string()).unwrap(), key);
    }
    let read = Keys::parse(&sample.keys.secret_text()).unwrap();
    assert_eq!(read.verifiers(), sample.keys.verifiers());
    let lines: Vec<String> = sample.keys.secret_text().lines().map(str::to_owned).collect();
    for text in
        [format!("{}\n{}\n", lines[1], lines[0]), format!("{}\n", lines[0]), format!("{}\n{}\n", lines[0], lines[0]), lines.join("\n")]
    {
        assert!(Keys::parse(&text).is_err());
    }
    assert!(Keys::from_seeds(sha.name(), &[1; 32], &[1; 32]).is_err(), "one seed for both");
    assert!(Keys::from_seeds("shop", &[1; 32], &[2; 32]).is_err());
}

#[test]
fn a_b3_signature_is_not_a_plain_one() {
    let sample = Sample::new();
    let [sha, b3] = sample.keys.verifiers();
    let note = sample.b3_checkpoint(5);
    assert_eq!(note.verify(std::slice::from_ref(b3)).unwrap(), [b3]);
    // The same public key under type 0x01 has another id and, if the id were forced, signs other bytes.
    let plain = VerifierKey::new(b3.name(), KeyType::Ed25519, b3.public()).unwrap();
    assert_ne!(plain.key_id(), b3.key_id());
    assert_eq!(note.verify(&[plain, sha.clone()]), Err(NoteFailure::NoKnownKey));
}

#[test]
fn checkpoints_are_three_lines() {
    let good = sample_text();
    assert!(Checkpoint::parse(&good).is_ok());
    let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    for bad in [
        format!("a\n1\n{root}"),
        format!("a\n1\n{root}\nextension\n"),
        "a\n1\n".to_owned(),
        format!("\n1\n{root}\n"),
        format!("a b\n1\n{root}\n"),
        format!("a\n01\n{root}\n"),
        format!("a\n+1\n{root}\n"),
        format!("a\n-1\n{root}\n"),
        format!("a\n18446744073709551616\n{root}\n"),
        format!("a\n1\n{}\n", &root[..40]),
        format!("a\n1\n{}\n", root.replace("q2I=", "q2J=")),
        format!("a\n1\n\n{root}\n"),
    ] {
        assert!(Checkpoint::parse(&bad).is_err(), "{bad:?}");
    }
    assert!(Checkpoint::parse(&format!("a\n18446744073709551615\n{root}\n")).is_ok());
    assert!(Checkpoint::parse(&format!("a\n0\n{root}\n")).is_ok());
}

fn sample_text() -> String {
    Sample::new().checkpoint(3).text().to_owned()
}

#[test]
fn origins() {
    let id = [0xab; 16];
    assert_eq!(origin("shop", &id), format!("shop/{}", "ab".repeat(16)));
    assert_eq!(origin("my shop+é/x", &id), format!("my%20shop%2b%c3%a9%2fx/{}", "ab".repeat(16)));
    assert_ne!(origin("a%20b", &id), origin("a b", &id), "an escape is escaped");
    assert_eq!(ledger_of_origin(&origin("my shop", &id)), Some(id));
    for bad in [
        "",
        "/",
        "shop",
        &format!("/{}", "ab".repeat(16)),
        &format!("shop/{}", "AB".repeat(16)),
        &format!("shop/{}/b3", "ab".repeat(16)),
        "shop/ab",
    ] {
        assert_eq!(ledger_of_origin(bad), None, "{bad}");
    }
    let long = origin(&"é".repeat(31), &id);
    assert!(check_key_name(&format!("{long}/b3")).is_ok(), "the longest database name fits");
}

#[test]
fn a_checkpoint_alone() {
    let sample = Sample::new();
    let (policy, note) = (sample.policy(), sample.checkpoint(4).to_string());
    assert_eq!(verify::verify_checkpoint(note.as_bytes(), &policy).exit_code(), 0);
    assert_eq!(verify::verify_checkpoint(note.replace("\n4\n", "\n5\n").as_bytes(), &policy).exit_code(), 1);
    assert_eq!(verify::verify_checkpoint(&note.as_bytes()[1..note.len() - 1], &policy).exit_code(), 2);
    let other = Policy::parse(format!("log {SPEC_VKEY}\nquorum none\n").as_bytes()).unwrap();
    assert_eq!(verify::verify_checkpoint(note.as_bytes(), &other).exit_code(), 3);
}
