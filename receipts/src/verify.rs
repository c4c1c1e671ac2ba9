//! Decides what a receipt or a consistency proof shows to someone who holds a policy and nothing else.
//!
//! Y1: a receipt is valid only if a pinned key signed the checkpoint, the leaf is in it at the index, the leaf belongs to that ledger
//!     and place, the row as shown hashes into the leaf, and its names and types come from the definition under the schema root.
//! Y2: the signature is checked before anything it signs is believed; the first failure ends the verification.
//!
//! Never: takes a key from what it verifies; says «valid» with a check not made.
//! Format: docs/formats/receipt.md.

mod checkpoint;
mod cose;
mod disclosure;
mod export;
mod sd_jwt;
mod succession;

use crate::FormatError;
use crate::checkpoint::{B3_SUFFIX, Checkpoint, ledger_of_origin};
use crate::consistency::ConsistencyProof;
use crate::definition::{ColumnDefinition, TableDefinition};
use crate::hash::Hash;
use crate::leaf::{CommitLeaf, Leaf, TableSpan};
use crate::note::KeyType;
use crate::policy::Policy;
use crate::proof::{verify_consistency as is_prefix, verify_inclusion};
use crate::receipt::{Field, Receipt, RowPart, ShownRow};
use crate::row::{OP_DELETE, OP_INSERT, OP_UPDATE, RowHeader, Supersedes, row_hash};
use crate::row_tree::verify_row_path;
use crate::schema::SchemaPath;
use crate::tree::{Blake3Tree, Sha256Tree, TreeHash};
use crate::value::{format_name, format_time, format_value};
use crate::verdict::{Finding, Report, Verdict};

use checkpoint::{check_witnesses, open_checkpoint, open_pinned, open_quietly, open_signed, parse_note};

pub use disclosure::verify_disclosure;
pub use export::verify_export;
pub use succession::follow_keys;

enum Failure {
    Tampered(String, String),
    Malformed(String, String),
    Inconclusive(String, String),
}

impl Failure {
    /// Says where it is: in which of two checkpoints, in which row of a disclosure.
    fn at(self, place: &str) -> Self {
        let mark = |what: String| format!("{place}: {what}");
        match self {
            Failure::Tampered(what, why) => Failure::Tampered(mark(what), why),
            Failure::Malformed(what, why) => Failure::Malformed(mark(what), why),
            Failure::Inconclusive(what, why) => Failure::Inconclusive(mark(what), why),
        }
    }
}

impl From<FormatError> for Failure {
    fn from(error: FormatError) -> Self {
        Failure::Malformed(error.what, error.why)
    }
}

fn tampered<T>(what: &str, why: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Tampered(what.to_owned(), why.into()))
}

fn conclude(result: Result<(), Failure>, report: Report) -> Verdict {
    let finding = |what, why| Finding { what, why, checked: report.checked.clone() };
    match result {
        Ok(()) => Verdict::Valid(Box::new(report)),
        Err(Failure::Tampered(what, why)) => Verdict::Tampered(finding(what, why)),
        Err(Failure::Malformed(what, why)) => Verdict::Malformed(finding(what, why)),
        Err(Failure::Inconclusive(what, why)) => Verdict::Inconclusive(finding(what, why)),
    }
}

impl Report {
    fn check(&mut self, passed: impl Into<String>) {
        self.checked.push(passed.into());
    }

    fn fact(&mut self, name: &str, value: impl Into<String>) {
        self.facts.push((name.to_owned(), value.into()));
    }
}

/// Verifies a receipt (the bytes of its file, a tlog-proof or COSE) under a policy.
pub fn verify_receipt(receipt: &[u8], policy: &Policy) -> Verdict {
    let mut report = Report::default();
    let is_cose = crate::cose::is_cose(receipt);
    let result = if is_cose { cose::check(receipt, policy, &mut report) } else { check_receipt(receipt, policy, &mut report) };
    conclude(result, report)
}

/// Verifies that the log of the checkpoint in `proof` extends `pinned`, a signed checkpoint kept from before. Either tree.
pub fn verify_consistency(pinned: &[u8], proof: &[u8], policy: &Policy) -> Verdict {
    let mut report = Report::default();
    let result = check_consistency(pinned, proof, policy, &mut report);
    conclude(result, report)
}

/// Verifies one signed checkpoint alone: which log, which size, which root.
pub fn verify_checkpoint(checkpoint: &[u8], policy: &Policy) -> Verdict {
    let mut report = Report::default();
    let result = parse_note(checkpoint).and_then(|note| {
        let checkpoint = open_checkpoint(&note, policy, &mut report)?;
        report.subject = format!("checkpoint of {} at size {}", format_name(&checkpoint.origin), checkpoint.size);
        report.not_covered.push("that it extends a checkpoint you pinned before".to_owned());
        Ok(())
    });
    conclude(result, report)
}

fn check_receipt(bytes: &[u8], policy: &Policy, report: &mut Report) -> Result<(), Failure> {
    let receipt = Receipt::parse(bytes)?;
    let checkpoint = open_checkpoint(&receipt.checkpoint, policy, report)?;
    let ledger = ledger_of(&checkpoint)?;
    let leaf = leaf_in_log(&receipt.leaf, receipt.index, &receipt.path, &checkpoint, &ledger, report)?;
    check_shown(&leaf, receipt.row.as_ref(), &checkpoint.origin, report)
}

/// The row, if one is shown, of a leaf that stands in the log.
fn check_shown(leaf: &Leaf, row: Option<&RowPart>, origin: &str, report: &mut Report) -> Result<(), Failure> {
    report.subject = format!("{} {} of {}", leaf.kind_name(), leaf.seq(), format_name(origin));
    describe_leaf(leaf, report);
    match (leaf, row) {
        (Leaf::Commit(commit), Some(row)) => check_row(row, commit, report)?,
        (_, Some(_)) => return Err(FormatError::new("receipt", format!("shows a row of a {} leaf", leaf.kind_name())).into()),
        (_, None) => {}
    }
    report.not_covered.push("that the log extends a checkpoint you pinned before: verify consistency".to_owned());
    Ok(())
}

/// The id of the ledger whose SHA-256 tree a checkpoint is of.
fn ledger_of(checkpoint: &Checkpoint) -> Result<[u8; 16], Failure> {
    ledger_of_origin(&checkpoint.origin)
        .ok_or_else(|| FormatError::new("checkpoint", "of a receipt has an origin that is no ledger's SHA-256 tree").into())
}

/// The leaf, once it is known to stand in the signed log, in this ledger and at this place.
fn leaf_in_log(
    bytes: &[u8],
    index: u64,
    path: &[Hash],
    checkpoint: &Checkpoint,
    ledger: &[u8; 16],
    report: &mut Report,
) -> Result<Leaf, Failure> {
    if index >= checkpoint.size {
        return tampered("index", format!("{index} is not below the checkpoint's size {}", checkpoint.size));
    }
    if !verify_inclusion::<Sha256Tree>(&Sha256Tree::leaf(bytes), index, checkpoint.size, path, &checkpoint.root) {
        return tampered("path to the root", format!("does not lead from the leaf at {index} to the signed root"));
    }
    report.check(format!("leaf at index {index} of {} (SHA-256 tree)", checkpoint.size));
    let leaf = Leaf::decode(bytes)?;
    if leaf.ledger() != *ledger {
        return tampered("leaf", "belongs to another ledger than the checkpoint");
    }
    if leaf.seq() != index {
        return tampered("leaf", format!("says it is at {}, but is at {index}", leaf.seq()));
    }
    report.check("ledger id and position in the leaf");
    Ok(leaf)
}

fn describe_leaf(leaf: &Leaf, report: &mut Report) {
    report.fact("leaf", format!("{} at {}", leaf.kind_name(), leaf.seq()));
    report.fact("time, by the server's clock", format_time(leaf.time_us()));
    if let Leaf::Commit(commit) = leaf {
        report.fact("actor", if commit.actor.is_empty() { "(none)".to_owned() } else { format_name(&commit.actor) });
        report.fact("rows in the commit", commit.n_rows.to_string());
    }
}

fn check_row(row: &RowPart, commit: &CommitLeaf, report: &mut Report) -> Result<(), Failure> {
    let place = locate(&row.shown(), commit)?;
    let table = table_under(&row.definition, &row.schema_path, place.span.relation, commit)?;
    check_row_of(&row.shown(), &table, &place, commit, report)
}

/// Where a row is: the rows of its table in its commit, and its id.
struct Place {
    span: TableSpan,
    row_id: u64,
}

fn locate(row: &ShownRow<'_>, commit: &CommitLeaf) -> Result<Place, Failure> {
    let Some((span, row_id)) = commit.locate(row.index) else {
        return tampered("row index", format!("{} is not below the commit's {} rows", row.index, commit.n_rows));
    };
    if row.header.relation != span.relation {
        let why = format!("{} is not the table of row {} of the commit, which is {}", row.header.relation, row.index, span.relation);
        return tampered("relation", why);
    }
    Ok(Place { span, row_id })
}

/// The definition, once it is known to be that of the table as of the commit.
fn table_under(definition: &[u8], path: &SchemaPath, relation: u32, commit: &CommitLeaf) -> Result<TableDefinition, Failure> {
    if !path.verify(relation, definition, &commit.schema_root) {
        return tampered("table definition", "is not the one under the commit's schema root");
    }
    let table = TableDefinition::parse(definition)?;
    if table.id != relation {
        return tampered("table definition", format!("says it is of table {}, not {relation}", table.id));
    }
    Ok(table)
}

fn check_row_of(
    row: &ShownRow<'_>,
    table: &TableDefinition,
    Place { span, row_id }: &Place,
    commit: &CommitLeaf,
    report: &mut Report,
) -> Result<(), Failure> {
    check_version(row.header, table)?;
    report.check("table definition under the commit's schema root");
    check_superseded(row.header, span.first_row, *row_id)?;
    check_count(row.header, row.fields, table)?;
    let hash = hash_of_row(row.header, row.fields, table);
    if !verify_row_path(&hash, row.index, commit.n_rows, row.path, &commit.row_root) {
        let why = format!("as shown does not hash to row {} under the commit's row root", row.index);
        return tampered("row", why);
    }
    report.check(format!("row {} of {} in the commit, recomputed from the fields shown", row.index, commit.n_rows));
    describe_row(row, table, span.first_row, *row_id, report)?;
    report.not_covered.extend(row.unshown().not_covered());
    report.not_covered.push("whether a later commit updated or deleted this row".to_owned());
    Ok(())
}

fn check_version(header: &RowHeader, table: &TableDefinition) -> Result<(), Failure> {
    if table.version != header.schema_version {
        let why = format!("is version {}, the row was committed under version {}", table.version, header.schema_version);
        return tampered("table definition", why);
    }
    Ok(())
}

/// A superseded row was there before: committed earlier, or earlier in the same commit.
fn check_superseded(header: &RowHeader, first_row: u64, row_id: u64) -> Result<(), Failure> {
    match header.supersedes {
        Supersedes::Row(old) if old >= first_row => tampered("superseded row", format!("{old} is not older than this commit")),
        Supersedes::Own(ordinal) if ordinal >= row_id - first_row => {
            tampered("superseded row", format!("number {ordinal} of this commit does not come before this row"))
        }
        _ => Ok(()),
    }
}

fn check_count(header: &RowHeader, fields: &[Field], table: &TableDefinition) -> Result<(), Failure> {
    let n_fields = if header.op == OP_DELETE { 0 } else { table.columns.len() };
    if fields.len() != n_fields {
        return tampered("row", format!("shows {} fields, its operation and definition ask for {n_fields}", fields.len()));
    }
    Ok(())
}

fn hash_of_row(header: &RowHeader, fields: &[Field], table: &TableDefinition) -> Hash {
    let columns = fields.iter().zip(&table.columns);
    row_hash(header, &columns.map(|(field, column)| field.commitment(column.id, column.oid)).collect::<Vec<_>>())
}

/// A field as text, once it is known to be canonical for its column's type.
fn spelled(field: &Field, column: &ColumnDefinition) -> Result<String, Failure> {
    match field {
        Field::Hidden(_) => Ok("(hidden)".to_owned()),
        Field::Erased(_) => Ok("REDACTED".to_owned()),
        Field::Shown { value: None, .. } => Ok("NULL".to_owned()),
        Field::Shown { value: Some(bytes), .. } => format_value(column.oid, bytes)
            .map_err(|error| Failure::Malformed(format!("value of column {}", format_name(&column.name)), error.why)),
    }
}

fn describe_row(row: &ShownRow<'_>, table: &TableDefinition, first_row: u64, row_id: u64, report: &mut Report) -> Result<(), Failure> {
    let name = format!("{}.{}", format_name(&table.schema), format_name(&table.name));
    report.subject = format!("row {row_id} of {name}, {}", report.subject);
    report.fact("table", format!("{name}, id {}, version {}", table.id, table.version));
    report.fact("row id", row_id.to_string());
    let superseded = match row.header.supersedes {
        Supersedes::None => String::new(),
        Supersedes::Row(old) => format!(", supersedes row {old}"),
        Supersedes::Own(ordinal) => format!(", supersedes row {}", first_row + ordinal),
    };
    let op = match row.header.op {
        OP_INSERT => "insert",
        OP_UPDATE => "update",
        _ => "delete",
    };
    report.fact("operation", format!("{op}{superseded}"));
    for (field, column) in row.fields.iter().zip(&table.columns) {
        report.row.push((format_name(&column.name), spelled(field, column)?));
    }
    report.check("values are canonical for their types");
    Ok(())
}

fn check_consistency(pinned: &[u8], proof: &[u8], policy: &Policy, report: &mut Report) -> Result<(), Failure> {
    let old = open_pinned(pinned, policy)?;
    let proof = ConsistencyProof::parse(proof)?;
    let new = open_checkpoint(&proof.checkpoint, policy, report)?;
    report.check("signature over the pinned checkpoint");
    if old.origin != new.origin {
        return tampered("new checkpoint", format!("is of {}, not of {}", format_name(&new.origin), format_name(&old.origin)));
    }
    if new.size < old.size {
        return tampered("new checkpoint", format!("has {} leaves, the pinned one {}: the log was cut", new.size, old.size));
    }
    if proof.old_size != old.size {
        let why = format!("starts at size {}, the pinned checkpoint is at {}", proof.old_size, old.size);
        return Err(FormatError::new("consistency proof", why).into());
    }
    let is_extended = match new.key_type() {
        KeyType::Ed25519 => is_prefix::<Sha256Tree>(old.size, new.size, &old.root, &new.root, &proof.path),
        KeyType::B3Checkpoint => is_prefix::<Blake3Tree>(old.size, new.size, &old.root, &new.root, &proof.path),
    };
    if !is_extended {
        let why = format!("the log at size {} does not extend the pinned log at size {}: history was rewritten", new.size, old.size);
        return tampered("consistency", why);
    }
    let tree = if new.origin.ends_with(B3_SUFFIX) { "BLAKE3" } else { "SHA-256" };
    report.check(format!("the first {} leaves are the same in both ({tree} tree)", old.size));
    report.fact("pinned size", old.size.to_string());
    report.subject = format!("{} at size {} extends the pinned checkpoint at size {}", format_name(&new.origin), new.size, old.size);
    report.not_covered.push("what the leaves say".to_owned());
    Ok(())
}
