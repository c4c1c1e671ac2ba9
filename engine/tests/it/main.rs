//! Behaviour of the ledger, a file each.
#![allow(clippy::unwrap_used, reason = "tests")]

mod formats;
mod fsck;
mod killed;
mod ledger;
mod lifecycle;
mod receipts_of_rows;
mod transactions;
