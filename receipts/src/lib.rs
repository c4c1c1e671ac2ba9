//! Fields → row → commit leaf → two Merkle trees → tiles → signed checkpoints → receipts, and the offline verifier of all of it.
//!
//! R1: everything here is a pure function of its arguments: no file, socket, clock or randomness.
//! R2: every decoder accepts exactly the bytes its encoder can produce, and never panics on others.
//! R3: [`verify::verify_receipt`] says [`Verdict::Valid`] only when every check it lists was made and passed.
//!
//! Never: depends on another crate of the workspace; trusts a key that a receipt brings along.
//! Formats: docs/formats/{leaf,tiles,checkpoint,receipt,cose,disclosure,sd-jwt,export,verdicts}.md.

mod cursor;
mod error;
mod lanes;
mod quote;

pub mod hash;
pub mod row;
pub mod row_lanes;
pub mod tree;

pub mod proof;
pub mod row_tree;
pub mod schema;
pub mod tiles;

pub mod note;

pub mod checkpoint;
pub mod cosignature;
pub mod leaf;

pub mod consistency;
pub mod cose;
pub mod definition;
pub mod disclosure;
pub mod export;
pub mod policy;
pub mod receipt;
mod receipt_json;
pub mod sd_jwt;
pub mod value;
pub mod verdict;
pub mod verify;
pub mod witness;

pub use checkpoint::{Checkpoint, Keys};
pub use cose::CoseReceipt;
pub use cosignature::{WitnessKey, WitnessSigner};
pub use disclosure::Disclosure;
pub use error::FormatError;
pub use hash::{Hash, field_commitment, field_salt};
pub use leaf::{CheckpointLeaf, CommitLeaf, IncarnationLeaf, KeyLeaf, Leaf, TableSpan};
pub use policy::Policy;
pub use receipt::{Field, Receipt, RowPart};
pub use row::{RowHeader, Supersedes, row_hash};
pub use row_lanes::RowLanes;
pub use row_tree::RowTree;
pub use sd_jwt::SdJwt;
pub use tree::{Blake3Tree, Frontier, NodeReader, Sha256Tree, TreeHash};
pub use verdict::{DisclosedRow, Finding, Report, Verdict};
pub use verify::{verify_consistency, verify_disclosure, verify_export, verify_receipt};
