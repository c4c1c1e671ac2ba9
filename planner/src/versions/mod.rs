//! Tables as of the past, and tables with all their versions: `t FOR SYSTEM_TIME …`.
//!
//! The clause is settled before the statement is planned (`statements/system_time.rs`): its times become commits, and the table's name becomes that of the
//! table's past, which the resolver looks up in the catalog of then.
//!
//! V1: a clause that was not settled reaches no table: the query service refuses it.
//! V2: both ends of a span, and all times of a statement, are settled against commits that are published by then.
//! V3: who names a past by hand reads what the clause would have shown, with the same rights.
//! Never: reads rows that are not committed, the transaction's own included.

mod history;
mod past;

pub(crate) use history::HistoryTable;
pub(crate) use past::Past;
