//! The checks of a receipt as COSE: its signature is over the root that leaf and path lead to.
//!
//! Y1: the key is one that the policy pins for the SHA-256 tree of the ledger which the leaf names.
//!
//! Format: docs/formats/cose.md.

use super::{Failure, check_shown, tampered};
use crate::checkpoint::ledger_of_origin;
use crate::cose::{CoseReceipt, signed_bytes};
use crate::leaf::Leaf;
use crate::note::{KeyType, VerifierKey};
use crate::policy::{Policy, Quorum};
use crate::quote::format_name;
use crate::verdict::Report;

pub(super) fn check(bytes: &[u8], policy: &Policy, report: &mut Report) -> Result<(), Failure> {
    let receipt = CoseReceipt::parse(bytes)?;
    let leaf = Leaf::decode(&receipt.leaf)?;
    let key = signer(&receipt, &leaf, policy)?;
    let origin = format_name(key.name());
    report.check(format!("signature of {origin} over the root, with a pinned key (strict Ed25519)"));
    if let Quorum::Of(name) = policy.quorum() {
        let why = format!("the policy asks for cosignatures by {}, and a COSE receipt bears none", format_name(name));
        return Err(Failure::Inconclusive("witnesses".to_owned(), why));
    }
    report.fact("ledger", origin);
    report.fact("tree size, as stated", receipt.size.to_string());
    report.not_covered.push("cosignatures: the policy asks for none".to_owned());
    report.not_covered.push("the size of the tree: the signature is over its root alone".to_owned());
    report.check(format!("leaf at index {} of {} (SHA-256 tree)", receipt.index, receipt.size));
    if leaf.seq() != receipt.index {
        return tampered("leaf", format!("says it is at {}, but is at {}", leaf.seq(), receipt.index));
    }
    report.check("ledger id and position in the leaf");
    check_shown(&leaf, receipt.row.as_ref(), key.name(), report)
}

/// The pinned key that signed the root (Y1).
fn signer<'k>(receipt: &CoseReceipt, leaf: &Leaf, policy: &'k Policy) -> Result<&'k VerifierKey, Failure> {
    if receipt.index >= receipt.size {
        return tampered("index", format!("{} is not below the tree's size {}", receipt.index, receipt.size));
    }
    let Some(root) = receipt.root() else {
        return tampered("path to the root", format!("is none from the leaf at {} in a tree of {}", receipt.index, receipt.size));
    };
    let is_own = |key: &&VerifierKey| key.key_type() == KeyType::Ed25519 && ledger_of_origin(key.name()) == Some(leaf.ledger());
    let keys: Vec<&VerifierKey> = policy.logs().iter().filter(is_own).collect();
    if keys.is_empty() {
        let id: String = leaf.ledger().iter().map(|byte| format!("{byte:02x}")).collect();
        return Err(Failure::Inconclusive("authenticity".to_owned(), format!("the policy pins no key for the ledger {id}")));
    }
    let message = signed_bytes(&root);
    match keys.into_iter().find(|key| key.verify_bytes(&message, &receipt.signature)) {
        Some(key) => Ok(key),
        None => tampered("signature", "by a pinned key of the ledger is not over the root that leaf and path lead to"),
    }
}
