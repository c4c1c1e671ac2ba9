//! The ledger: tenants, tables, transactions, commits, segments, recovery.
//!
//! In reading order: what a table is, how its rows become bytes and hashes, where rows live, how a transaction becomes a commit, how commits
//! become sealed files, and how all of it comes back.
//!
//! Never: knows SQL text, the wire or DataFusion.

pub mod failure;
pub mod memory;
pub mod options;
pub mod types;

pub mod catalog;
pub mod catalog_rows;
pub mod hold;
pub mod period;
pub mod property_graph;
pub mod relations;
pub mod roles;
pub mod rules;
pub mod schema;
pub mod session_settings;

mod batch_cache;
pub mod batch_codec;
pub mod canonical;
mod numeric;
pub mod packed;
pub mod record;
mod sealed_value;
mod sealing;
pub mod segment;
pub mod stored;
pub mod subjects;
mod unproven;

mod feed;
pub mod fold;
mod folds;
mod ledger_time;

mod ended;
pub mod key_order;

pub mod key;
pub mod key_index;
pub mod key_range;
mod key_walk;
pub mod layout;
pub mod table;

mod catch_up;
mod walk;

pub mod checkpoints;
pub mod identity;
pub mod locks;
pub mod merkle;
pub mod signer;

mod co_signer;
pub mod commit;
pub mod cosigned;
pub mod deferred;
mod definitions;
pub mod erasure;
pub mod history;
mod index_build;
mod late_keys;
pub mod ledger;
pub mod locking;
mod own_keys;
mod past;
mod prepared;
pub mod reads;
pub mod references;
mod referencing;
pub mod rewinding;
mod rotation;
mod sequence_values;
pub mod sequences;
pub mod temporary;
pub mod timestamps;
pub mod transaction;
mod unique;
mod verifiers;
pub mod view;
mod violations;
pub mod writes;

pub mod backup;
pub mod expire;
pub mod export;
pub mod fsck;
pub mod gauges;
pub mod merging;
pub mod receipt;
pub mod recovery;
pub mod restore;
pub mod retention;
pub mod scrub;
mod sealed_files;
pub mod sealer;
pub mod server;
pub mod system;

pub use canonical::{OWN_ROW, Op};
pub use catalog::{Catalog, LEDGER_SCHEMA, Object, Reader, SchemaDef};
pub use commit::Committed;
pub use cosigned::{Cosigned, WitnessState};
pub use fold::Fold;
pub use history::{Span, Versions};
pub use hold::HoldDef;
pub use key_range::{KeyRange, Next};
pub use ledger::{Ledger, Snapshot};
pub use locking::{Blocked, Granted, RowLocks};
pub use locks::{Isolation, Strength, TableLock, TableLockSeen, Waiting};
pub use memory::Memory;
pub use options::Options;
pub use period::{Mode, Period, Retention};
pub use property_graph::{GraphDef, GraphElement, GraphEnd, GraphEnds, GraphLabel, GraphProperty};
pub use reads::ReadBound;
pub use relations::{CheckOption, SequenceDef, ViewColumn, ViewDef};
pub use retention::{Guard, Kept};
pub use rewinding::Mark;
pub use roles::{GrantsDef, RoleDef, privilege};
pub use rules::{Action, Check, ColumnRules, Expression, Identity, Index, Materialized, NO_COLUMN, Reads, Reference, Rules, Timing};
pub use schema::{ColumnDef, Computed, Expressions, KeyDef, NoExpressions, OnCommit, Program, TEMPORARY_SCHEMA, TableDef};
pub use server::{FIRST_DATABASE, Server};
pub use session_settings::SettingsDef;
pub use system::SystemTable;
pub use temporary::Temporary;
pub use transaction::Transaction;
pub use types::{CatalogType, NumericLimit, SqlType};
pub use view::{Chunk, InOrder, ROW_ID, Step, TableView};
