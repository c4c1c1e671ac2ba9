//! Disclosures: named fields of rows of one ledger, each with its salt, and the commitments of all others, in one text.
//!
//! X1: a disclosure that parses is written back byte for byte: commits rise, and so do the rows of a commit and their tables.
//! X2: no row's salt is in it, so a hidden field can neither be read nor guessed.
//!
//! Never: carries a key.
//! Format: docs/formats/disclosure.md.

use crate::FormatError;
use crate::checkpoint::parse_decimal;
use crate::consistency::split;
use crate::cursor::Cursor;
use crate::definition::{ColumnDefinition, TableDefinition};
use crate::hash::Hash;
use crate::note::{Note, decode_base64, encode_base64};
use crate::receipt::{
    Field, RECEIPT_BYTES_MAX, Receipt, RowPart, ShownRow, decode_definition, decode_row, encode_definition, long_bytes, push_bytes,
    push_path,
};
use crate::row::RowHeader;
use crate::schema::SchemaPath;

/// Bytes of a disclosure we read.
pub const DISCLOSURE_BYTES_MAX: usize = RECEIPT_BYTES_MAX;

const FIRST_LINE: &str = "shockwave-disclosure@v1";

/// One row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Place in its commit, from 0.
    pub index: u64,
    /// What its hash covers besides fields.
    pub header: RowHeader,
    /// One for each column of the definition; none for a delete.
    pub fields: Vec<Field>,
    /// From the row's sibling to the row root.
    pub path: Vec<Hash>,
}

impl Row {
    pub(crate) fn shown(&self) -> ShownRow<'_> {
        ShownRow { index: self.index, header: &self.header, fields: &self.fields, path: &self.path }
    }
}

/// Rows of one table in one commit, by rising index.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table {
    /// Its definition as of the commit.
    pub definition: Vec<u8>,
    /// From the definition to the leaf's schema root.
    pub schema_path: SchemaPath,
    /// One or more.
    pub rows: Vec<Row>,
}

/// What is shown of one commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Commit {
    /// Index of the leaf: the commit's seq.
    pub index: u64,
    /// The leaf bytes.
    pub leaf: Vec<u8>,
    /// Path of the leaf in the SHA-256 tree.
    pub path: Vec<Hash>,
    /// By rising relation.
    pub tables: Vec<Table>,
}

/// Rows of one ledger under one checkpoint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Disclosure {
    /// By rising seq.
    pub commits: Vec<Commit>,
    /// The signed checkpoint of the SHA-256 tree that all paths lead to.
    pub checkpoint: Note,
}

impl Disclosure {
    /// Puts receipts for rows together; each row comes in once, whatever its order. What they hide stays hidden.
    ///
    /// Fails without receipts, for one without a row, or if their checkpoints differ.
    pub fn of(mut receipts: Vec<Receipt>) -> Result<Self, FormatError> {
        let error = |why: &str| FormatError::new("disclosure", why);
        let place = |receipt: &Receipt| (receipt.index, receipt.row.as_ref().map(|row| row.index));
        receipts.sort_by_key(place);
        receipts.dedup_by_key(|receipt| place(receipt));
        let checkpoint = receipts.first().ok_or_else(|| error("of no row"))?.checkpoint.clone();
        let mut commits: Vec<Commit> = Vec::new();
        for Receipt { index, path, checkpoint: own, leaf, row } in receipts {
            if own != checkpoint {
                return Err(error("of receipts under different checkpoints"));
            }
            let RowPart { index: place, header, fields, path: row_path, definition, schema_path } =
                row.ok_or_else(|| error("of a receipt without a row"))?;
            if commits.last().is_none_or(|last| last.index != index) {
                commits.push(Commit { index, leaf, path, tables: Vec::new() });
            }
            let Some(commit) = commits.last_mut() else { continue };
            let is_same = |table: &Table| table.rows.last().is_some_and(|row| row.header.relation == header.relation);
            if !commit.tables.last().is_some_and(is_same) {
                commit.tables.push(Table { definition, schema_path, rows: Vec::new() });
            }
            if let Some(table) = commit.tables.last_mut() {
                table.rows.push(Row { index: place, header, fields, path: row_path });
            }
        }
        Ok(Self { commits, checkpoint })
    }

    /// Hides the fields of columns that `may` refuses: only their commitments stay, and the disclosure remains valid. Fails on a definition that cannot
    /// be read.
    pub fn hide(&mut self, mut may: impl FnMut(&TableDefinition, &ColumnDefinition) -> bool) -> Result<(), FormatError> {
        for table in self.commits.iter_mut().flat_map(|commit| &mut commit.tables) {
            let definition = TableDefinition::parse(&table.definition)?;
            for (place, column) in definition.columns.iter().enumerate().filter(|(_, column)| !may(&definition, column)) {
                for field in table.rows.iter_mut().filter_map(|row| row.fields.get_mut(place)) {
                    *field = Field::Hidden(field.commitment(column.id, column.oid));
                }
            }
        }
        Ok(())
    }

    /// Writes the text; fails if it would have more than [`DISCLOSURE_BYTES_MAX`] bytes or a part is too long.
    pub fn to_text(&self) -> Result<String, FormatError> {
        let mut text = format!("{FIRST_LINE}\n");
        let mut line = |word: &str, bytes: &[u8]| {
            text.push_str(word);
            text.push_str(&encode_base64(bytes));
            text.push('\n');
            if text.len() > DISCLOSURE_BYTES_MAX {
                return Err(FormatError::new("disclosure", "would be longer than 16 MiB"));
            }
            Ok(())
        };
        for commit in &self.commits {
            let mut bytes = Vec::new();
            push_bytes(&mut bytes, &commit.leaf)?;
            push_path(&mut bytes, &commit.path)?;
            line(&format!("commit {} ", commit.index), &bytes)?;
            for table in &commit.tables {
                let mut bytes = Vec::new();
                encode_definition(&table.definition, &table.schema_path, &mut bytes)?;
                line("table ", &bytes)?;
                for row in &table.rows {
                    let mut bytes = Vec::new();
                    row.shown().encode(&mut bytes)?;
                    line("row ", &bytes)?;
                }
            }
        }
        text.push('\n');
        text.push_str(&self.checkpoint.to_string());
        if text.len() > DISCLOSURE_BYTES_MAX {
            return Err(FormatError::new("disclosure", "would be longer than 16 MiB"));
        }
        Ok(text)
    }

    /// Reads a disclosure; fails on anything that [`Disclosure::to_text`] would not write.
    pub fn parse(text: &[u8]) -> Result<Self, FormatError> {
        let error = |why: &str| FormatError::new("disclosure", why);
        let (mut lines, note) = split("disclosure", text, (DISCLOSURE_BYTES_MAX, "16 MiB"))?;
        if lines.next() != Some(FIRST_LINE) {
            return Err(error("does not start with shockwave-disclosure@v1"));
        }
        let mut commits = Vec::new();
        for (number, line) in lines.enumerate() {
            parse_line(&format!("disclosure line {}", number + 2), line, &mut commits)?;
        }
        if last_row(&commits).is_none() {
            return Err(error("ends without a row"));
        }
        Ok(Self { commits, checkpoint: Note::parse(note)? })
    }
}

/// The row that the line before was, if it was one.
fn last_row(commits: &[Commit]) -> Option<&Row> {
    commits.last()?.tables.last()?.rows.last()
}

fn parse_line(what: &str, line: &str, commits: &mut Vec<Commit>) -> Result<(), FormatError> {
    match line.split_once(' ') {
        Some(("commit", rest)) => parse_commit(what, rest, commits),
        Some(("table", base64)) => parse_table(what, base64, commits),
        Some(("row", base64)) => parse_row(what, base64, commits),
        _ => Err(FormatError::new(what, "is neither a commit, a table nor a row")),
    }
}

fn parse_commit(what: &str, rest: &str, commits: &mut Vec<Commit>) -> Result<(), FormatError> {
    let error = |why: String| FormatError::new(what, why);
    if !commits.is_empty() && last_row(commits).is_none() {
        return Err(error("comes before a row of the commit above".to_owned()));
    }
    let parsed = rest.split_once(' ').and_then(|(seq, base64)| Some((parse_decimal(seq)?, base64)));
    let (index, base64) = parsed.ok_or_else(|| error("has no canonical number of a commit".to_owned()))?;
    let bytes = decode_base64(what, base64)?;
    let mut cursor = Cursor::new(what, &bytes);
    let (leaf, path) = (long_bytes(&mut cursor)?, cursor.path()?);
    cursor.end()?;
    if let Some(before) = commits.last().filter(|before| before.index >= index) {
        return Err(error(format!("is of commit {index}, which does not come after {}", before.index)));
    }
    commits.push(Commit { index, leaf, path, tables: Vec::new() });
    Ok(())
}

fn parse_table(what: &str, base64: &str, commits: &mut [Commit]) -> Result<(), FormatError> {
    let error = |why: &str| FormatError::new(what, why);
    let commit = commits.last_mut().ok_or_else(|| error("has no commit above it"))?;
    if commit.tables.last().is_some_and(|table| table.rows.is_empty()) {
        return Err(error("comes before a row of the table above"));
    }
    let bytes = decode_base64(what, base64)?;
    let mut cursor = Cursor::new(what, &bytes);
    let (definition, schema_path) = decode_definition(&mut cursor)?;
    cursor.end()?;
    commit.tables.push(Table { definition, schema_path, rows: Vec::new() });
    Ok(())
}

fn parse_row(what: &str, base64: &str, commits: &mut [Commit]) -> Result<(), FormatError> {
    let error = |why: String| FormatError::new(what, why);
    let tables = commits.last_mut().map(|commit| &mut commit.tables);
    let (table, tables) = tables.and_then(|tables| tables.split_last_mut()).ok_or_else(|| error("has no table above it".to_owned()))?;
    let bytes = decode_base64(what, base64)?;
    let mut cursor = Cursor::new(what, &bytes);
    let (index, header, fields, path) = decode_row(&mut cursor)?;
    cursor.end()?;
    let before = table.rows.last().or_else(|| tables.last()?.rows.last());
    if let Some(before) = before.filter(|before| before.index >= index) {
        return Err(error(format!("is row {index}, which does not come after {}", before.index)));
    }
    let relation = header.relation;
    match (table.rows.last(), tables.last().and_then(|table| table.rows.last())) {
        (Some(before), _) if before.header.relation != relation => {
            return Err(error(format!("is of relation {relation}, the row above of {}", before.header.relation)));
        }
        (None, Some(before)) if before.header.relation >= relation => {
            return Err(error(format!("is of relation {relation}, the table above of {}", before.header.relation)));
        }
        _ => {}
    }
    table.rows.push(Row { index, header, fields, path });
    Ok(())
}
