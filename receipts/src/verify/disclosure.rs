//! The checks of a disclosure: those of a receipt, for each of its commits and rows.
//!
//! Y1: a failure names the commit and row it is in; a table's definition is read once, however many rows it has.
//!
//! Never: says «valid» with a row not checked.
//! Format: docs/formats/disclosure.md, docs/formats/sd-jwt.md.

use super::{Failure, check_row_of, conclude, describe_leaf, leaf_in_log, ledger_of, locate, open_checkpoint, sd_jwt, table_under};
use crate::FormatError;
use crate::checkpoint::Checkpoint;
use crate::disclosure::{Commit, Disclosure, Table};
use crate::leaf::{CommitLeaf, Leaf};
use crate::policy::Policy;
use crate::quote::format_name;
use crate::receipt::Unshown;
use crate::verdict::{DisclosedRow, Report, Verdict};

/// Verifies a disclosure (the bytes of its file, text or SD-JWT) under a policy.
pub fn verify_disclosure(disclosure: &[u8], policy: &Policy) -> Verdict {
    let mut report = Report::default();
    let is_sd_jwt = crate::sd_jwt::is_sd_jwt(disclosure);
    let check = if is_sd_jwt { sd_jwt::check } else { check_disclosure };
    conclude(check(disclosure, policy, &mut report), report)
}

fn check_disclosure(bytes: &[u8], policy: &Policy, report: &mut Report) -> Result<(), Failure> {
    let disclosure = Disclosure::parse(bytes)?;
    let checkpoint = open_checkpoint(&disclosure.checkpoint, policy, report)?;
    check_commits(&disclosure, &checkpoint, report)
}

/// Checks all that stands under a checkpoint that was opened.
pub(super) fn check_commits(disclosure: &Disclosure, checkpoint: &Checkpoint, report: &mut Report) -> Result<(), Failure> {
    let ledger = ledger_of(checkpoint)?;
    let (mut tables, mut unshown) = (0, Unshown::default());
    for Commit { index, leaf, path, tables: shown } in &disclosure.commits {
        let in_commit = |failure: Failure| failure.at(&format!("commit {index}"));
        let mut of_leaf = Report::default();
        let leaf = leaf_in_log(leaf, *index, path, checkpoint, &ledger, &mut of_leaf).map_err(in_commit)?;
        let Leaf::Commit(commit) = &leaf else {
            let why = format!("shows a row of a {} leaf", leaf.kind_name());
            return Err(in_commit(FormatError::new("disclosure", why).into()));
        };
        for table in shown {
            unshown.add(check_table(table, commit, &leaf, report)?);
        }
        tables += shown.len();
    }
    let (rows, commits) = (report.disclosed.len(), disclosure.commits.len());
    report.check(format!("{commits} leaves in the log of {} (SHA-256 tree), with ledger id and position", checkpoint.size));
    report.check(format!("{tables} table definitions under the schema roots of their commits"));
    report.check(format!("{rows} rows under the row roots of their commits, recomputed from the fields shown"));
    report.check("values are canonical for their types");
    report.fact("commits", commits.to_string());
    report.fact("rows", rows.to_string());
    report.subject = format!("{rows} rows of {commits} commits of {}", format_name(&checkpoint.origin));
    report.not_covered.extend(unshown.not_covered());
    report.not_covered.push("whether a later commit updated or deleted these rows".to_owned());
    report.not_covered.push("that the log extends a checkpoint you pinned before: verify consistency".to_owned());
    Ok(())
}

/// Checks the rows of one table in one commit; how many of their fields are not shown.
fn check_table(table: &Table, commit: &CommitLeaf, leaf: &Leaf, report: &mut Report) -> Result<Unshown, Failure> {
    let (mut definition, mut unshown) = (None, Unshown::default());
    for row in &table.rows {
        let in_row = |failure: Failure| failure.at(&format!("commit {}, row {}", commit.seq, row.index));
        let shown = row.shown();
        let place = locate(&shown, commit).map_err(in_row)?;
        let definition = match &mut definition {
            Some(known) => known,
            none => none.insert(table_under(&table.definition, &table.schema_path, place.span.relation, commit).map_err(in_row)?),
        };
        let mut of_row = Report { subject: format!("commit {}", commit.seq), ..Report::default() };
        describe_leaf(leaf, &mut of_row);
        check_row_of(&shown, definition, &place, commit, &mut of_row).map_err(in_row)?;
        unshown.add(shown.unshown());
        report.disclosed.push(DisclosedRow { subject: of_row.subject, facts: of_row.facts, row: of_row.row });
    }
    Ok(unshown)
}
