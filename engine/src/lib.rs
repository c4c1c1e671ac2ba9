//! The ledger: tenants, tables, transactions, commits, segments, recovery.
//!
//! In reading order: what a table is, how its rows become bytes and hashes, where rows live, how a transaction becomes a commit, how commits
//! become sealed files, and how all of it comes back.
//!
//! Never: knows SQL text, the wire or DataFusion.

pub mod failure;
pub mod options;
pub mod types;

pub mod schema;
pub mod catalog;
pub mod catalog_rows;

pub mod canonical;
pub mod stored;
pub mod batch_codec;
pub mod record;
pub mod segment;

pub mod table;
pub mod fold;
pub mod key_index;

pub mod merkle;
pub mod signer;
pub mod checkpoints;
pub mod identity;

pub mod writes;
pub mod view;
pub mod transaction;
pub mod commit;
pub mod ledger;

pub mod sealer;
pub mod receipt;
pub mod recovery;
pub mod system;
pub mod fsck;
pub mod server;

pub use canonical::{OWN_ROW, Op};
pub use catalog::{Catalog, LEDGER_SCHEMA, Object, SchemaDef};
pub use commit::Committed;
pub use fold::Fold;
pub use ledger::{Ledger, Snapshot};
pub use options::Options;
pub use schema::{ColumnDef, TableDef};
pub use server::{FIRST_DATABASE, Server};
pub use system::SystemTable;
pub use transaction::Transaction;
pub use types::SqlType;
pub use view::{Chunk, ROW_ID, TableView};
