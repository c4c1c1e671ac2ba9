//! Signed notes, checkpoints, keys and policies: whatever is read must be written the same way.
#![no_main]

use libfuzzer_sys::fuzz_target;
use receipts::note::{Note, NoteSigner, VerifierKey};
use receipts::{Checkpoint, Policy};

fuzz_target!(|bytes: &[u8]| {
    let _ = Policy::parse(bytes);
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok(note) = Note::parse(text) {
        assert_eq!(note.to_string(), text, "a note has one form");
        let _ = note.verify(&[]);
    }
    if let Ok(checkpoint) = Checkpoint::parse(text) {
        assert_eq!(checkpoint.to_string(), text, "a checkpoint has one form");
    }
    if let Ok(key) = VerifierKey::parse(text) {
        assert_eq!(key.to_string(), text, "a key has one form");
    }
    let _ = NoteSigner::parse(text);
});
