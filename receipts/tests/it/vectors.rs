//! The vectors in `tests/vectors/`: one JSON file each, for this verifier and every other one.
//!
//! They are written by `UPDATE_VECTORS=1 cargo test -p receipts vectors` out of `attacks.rs`, and are the same bytes on every run.
//! Format: docs/formats/vectors.md.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::attacks::{Attack, Kind, all};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

/// The members of a vector.
pub fn json_of(attack: &Attack) -> Value {
    let exit_code = ["valid", "tampered", "malformed", "inconclusive"].iter().position(|name| *name == attack.verdict);
    let mut json = json!({
        "name": attack.name,
        "kind": match attack.kind {
            Kind::Receipt => "receipt",
            Kind::Consistency => "consistency",
            Kind::Disclosure => "disclosure",
            Kind::Export => "export",
            Kind::Cose => "cose",
        },
        "policy": attack.policy,
        "input": attack.input,
        "verdict": attack.verdict,
        "exit_code": exit_code,
        "reason": attack.reason,
        "says": attack.verify().to_string(),
    });
    if let Some(pinned) = &attack.pinned {
        json["pinned"] = pinned.as_str().into();
    }
    json
}

fn to_json(attack: &Attack) -> String {
    serde_json::to_string_pretty(&json_of(attack)).unwrap() + "\n"
}

#[test]
fn vectors() {
    files_are_those_of_the_attacks();
    files_end_as_they_say();
}

fn files_are_those_of_the_attacks() {
    let expected: BTreeMap<String, String> = all().iter().map(|attack| (format!("{}.json", attack.name), to_json(attack))).collect();
    assert_eq!(expected.len(), all().len(), "names are unique");
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        fs::create_dir_all(folder()).unwrap();
        for entry in fs::read_dir(folder()).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        for (name, text) in &expected {
            fs::write(folder().join(name), text).unwrap();
        }
    }
    let found: BTreeMap<String, String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap()))
        .collect();
    for (name, text) in &expected {
        assert_eq!(found.get(name), Some(text), "{name} is out of date: UPDATE_VECTORS=1 cargo test -p receipts vectors");
    }
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
}

fn files_end_as_they_say() {
    for entry in fs::read_dir(folder()).unwrap() {
        let vector: Value = serde_json::from_str(&fs::read_to_string(entry.unwrap().path()).unwrap()).unwrap();
        let text = |name: &str| vector[name].as_str().unwrap_or_default();
        let verdict = attack_of(&vector).verify();
        let (name, said) = (text("name"), verdict.to_string());
        assert_eq!(verdict.name(), text("verdict"), "{name}: {said}");
        assert_eq!(Value::from(verdict.exit_code()), vector["exit_code"], "{name}");
        assert_eq!(said, text("says"), "{name}");
        assert!(said.contains(text("reason")), "{name} should say «{}»: {said}", text("reason"));
    }
}

/// The vector of a file, as any verifier reads it.
fn attack_of(vector: &Value) -> Attack {
    let text = |name: &str| vector[name].as_str().unwrap_or_default().to_owned();
    let kind = match vector["kind"].as_str() {
        Some("receipt") => Kind::Receipt,
        Some("consistency") => Kind::Consistency,
        Some("disclosure") => Kind::Disclosure,
        Some("export") => Kind::Export,
        Some("cose") => Kind::Cose,
        kind => panic!("kind {kind:?}"),
    };
    let pinned = vector["pinned"].as_str().map(str::to_owned);
    Attack { name: "of a file", kind, policy: text("policy"), pinned, input: text("input"), verdict: "", reason: "" }
}
