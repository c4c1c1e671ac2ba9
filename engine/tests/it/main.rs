//! Behaviour of the ledger, a file each.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests; the golden one writes its file")]

mod attacks;
mod auditor;
mod backups;
mod backups_broken_off;
mod backups_damaged;
mod broken_off;
mod computed;
mod cosigned;
mod erasure;
mod expire;
mod expire_broken_off;
mod exports;
mod folds;
mod formats;
mod fsck;
mod index_build;
mod indexes;
mod killed;
mod ledger;
mod lifecycle;
mod merging;
mod merging_broken_off;
mod past;
mod past_indexes;
mod receipts_of_rows;
mod restores;
mod retention;
mod rotation;
mod scrub;
mod segments;
mod transactions;
mod worm;
