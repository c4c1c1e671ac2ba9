//! From pinned keys to those that replaced them: the old keys signed the leaf that names the new ones.
//!
//! Y1: a policy grows only by keys that a key it pins already has signed, and that signed themselves.
//! Y2: the leaf stands in the log whose checkpoint the new key signed.
//! Never: takes a key away; who does not trust the old one any more strikes it out.

use super::verify_receipt;
use crate::leaf::{KeyLeaf, Leaf};
use crate::note::{KeyType, VerifierKey};
use crate::policy::Policy;
use crate::quote::format_name;
use crate::receipt::Receipt;
use crate::verdict::{Finding, Verdict};

/// The policy with the keys that a receipt of a key leaf names, in front of the old ones.
///
/// `Err`: malformed for what is no such receipt, tampered where a signature is missing or wrong, inconclusive where the policy pins no keys of the
/// ledger.
pub fn follow_keys(receipt: &[u8], policy: &[u8]) -> Result<String, Verdict> {
    let finding = |what: &str, why: String| Finding { what: what.to_owned(), why, checked: Vec::new() };
    let known = Policy::parse(policy)?;
    let parsed = Receipt::parse(receipt)?;
    let leaf = match Leaf::decode(&parsed.leaf)? {
        Leaf::Key(leaf) if leaf.replaced.is_some() => leaf,
        other => {
            let why = format!("is of a {} leaf that replaces no keys", other.kind_name());
            return Err(Verdict::Malformed(finding("receipt", why)));
        }
    };
    let pinned = |kind: KeyType, name: &str| -> Vec<VerifierKey> {
        known.logs().iter().filter(|key| key.key_type() == kind && key.name() == name).cloned().collect()
    };
    let [sha, b3] = leaf.verifiers()?;
    let (old_sha, old_b3) = (pinned(KeyType::Ed25519, sha.name()), pinned(KeyType::B3Checkpoint, b3.name()));
    if old_sha.is_empty() || old_b3.is_empty() {
        let why = format!("the policy does not pin both keys of {}", format_name(&leaf.origin));
        return Err(Verdict::Inconclusive(finding("authenticity", why)));
    }
    if !is_signed(&leaf, &old_sha, &old_b3) {
        return Err(Verdict::Tampered(finding("key leaf", "is not signed by the keys it names and by pinned ones".to_owned())));
    }
    let new: String = [sha, b3].iter().filter(|key| !known.logs().contains(key)).map(|key| format!("log {key}\n")).collect();
    let text = new + &String::from_utf8_lossy(policy);
    match verify_receipt(receipt, &Policy::parse(text.as_bytes())?) {
        Verdict::Valid(_) => Ok(text),
        verdict => Err(verdict),
    }
}

fn is_signed(leaf: &KeyLeaf, shas: &[VerifierKey], b3s: &[VerifierKey]) -> bool {
    shas.iter().any(|sha| b3s.iter().any(|b3| leaf.verify(Some((sha.public(), b3.public())))))
}
