//! The attacks of the negative vectors, each made the way an attacker would make it: with the bytes of a real ledger and, where the
//! name says so, with its stolen key. Valid vectors stand among them, so that a verifier that refuses everything fails too.

mod cosed;
mod crypto;
mod disclosed;
mod erased;
mod exported;
mod history;
mod meaning;
mod sd_jwts;
mod signed;
mod text;
mod types;
mod witnessed;

pub use sd_jwts::of_sd_jwt;
pub use signed::of_definition;
pub use types::of_column;
pub use witnessed::{cosigned, signer};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use receipts::{Policy, Receipt, Verdict, verify_consistency, verify_disclosure, verify_export, verify_receipt};

use crate::exports::Files;

use crate::sample::Sample;

/// What the verifier is asked to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Receipt,
    Consistency,
    Disclosure,
    Export,
    Cose,
}

/// One vector.
pub struct Attack {
    pub name: &'static str,
    pub kind: Kind,
    pub policy: String,
    /// The checkpoint kept from before: of a consistency proof, and of an export if there is one.
    pub pinned: Option<String>,
    pub input: String,
    /// Verdict in one word, and part of what the verifier must say.
    pub verdict: &'static str,
    pub reason: &'static str,
}

impl Attack {
    /// What this crate's verifier says.
    pub fn verify(&self) -> Verdict {
        let policy = match Policy::parse(self.policy.as_bytes()) {
            Ok(policy) => policy,
            Err(error) => return error.into(),
        };
        match (self.kind, &self.pinned) {
            (Kind::Receipt, _) => verify_receipt(self.input.as_bytes(), &policy),
            (Kind::Cose, _) => verify_receipt(&STANDARD.decode(&self.input).unwrap(), &policy),
            (Kind::Disclosure, _) => verify_disclosure(self.input.as_bytes(), &policy),
            (Kind::Export, pinned) => verify_export(&Files::parse(&self.input), pinned.as_deref().map(str::as_bytes), &policy),
            (Kind::Consistency, pinned) => {
                verify_consistency(pinned.as_deref().unwrap_or_default().as_bytes(), self.input.as_bytes(), &policy)
            }
        }
    }
}

pub fn all() -> Vec<Attack> {
    let sample = Sample::new();
    [
        valid(&sample),
        crypto::attacks(&sample),
        text::attacks(&sample),
        meaning::attacks(&sample),
        types::attacks(&sample),
        signed::attacks(&sample),
        history::attacks(&sample),
        disclosed::attacks(&sample),
        exported::attacks(),
        cosed::attacks(&sample),
        witnessed::attacks(&sample),
        erased::attacks(&sample),
        sd_jwts::attacks(&sample),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A receipt vector under the policy of the ledger of `sample`.
fn receipt(sample: &Sample, name: &'static str, input: &Receipt, verdict: &'static str, reason: &'static str) -> Attack {
    raw(sample, name, input.to_text().unwrap(), verdict, reason)
}

fn raw(sample: &Sample, name: &'static str, input: String, verdict: &'static str, reason: &'static str) -> Attack {
    Attack { name, kind: Kind::Receipt, policy: sample.policy_text(), pinned: None, input, verdict, reason }
}

/// A receipt for row 0 of commit 2 at size 12, changed.
fn changed(sample: &Sample, name: &'static str, verdict: &'static str, reason: &'static str, change: impl FnOnce(&mut Receipt)) -> Attack {
    let mut input = sample.receipt(2, Some(0), 12);
    change(&mut input);
    receipt(sample, name, &input, verdict, reason)
}

fn valid(sample: &Sample) -> Vec<Attack> {
    let mut hidden = sample.receipt(2, Some(2), 12);
    hidden.row.as_mut().unwrap().hide(1).unwrap();
    vec![
        receipt(sample, "valid-row", &sample.receipt(2, Some(0), 12), "valid", "row 0 of public.orders"),
        receipt(sample, "valid-row-null", &sample.receipt(2, Some(4), 12), "valid", "day = NULL"),
        receipt(sample, "valid-row-update", &sample.receipt(3, Some(0), 12), "valid", "supersedes row 1"),
        receipt(sample, "valid-row-update-of-own-commit", &sample.receipt(3, Some(1), 12), "valid", "supersedes row 3"),
        receipt(sample, "valid-row-delete", &sample.receipt(3, Some(2), 12), "valid", "delete, supersedes row 0"),
        receipt(sample, "valid-row-in-second-group", &sample.receipt(5, Some(299), 12), "valid", "row 301 of public.visits"),
        receipt(sample, "valid-row-field-hidden", &hidden, "valid", "the values of 1 hidden fields"),
        receipt(sample, "valid-commit", &sample.receipt(3, None, 12), "valid", "commit 3"),
        receipt(sample, "valid-key-leaf", &sample.receipt(0, None, 1), "valid", "key 0"),
        receipt(sample, "valid-smaller-checkpoint", &sample.receipt(2, Some(0), 3), "valid", "row 0"),
    ]
}
