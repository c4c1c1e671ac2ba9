//! A receipt as JSON for people and their tools: what it says, spelled out, with the receipt itself in it.
//!
//! J1: nothing here is checked; the proof is the member `receipt`, which is what a verifier takes.
//!
//! Never: is read back.
//! Format: docs/formats/receipt.md.

use std::fmt::Write as _;

use crate::FormatError;
use crate::checkpoint::Checkpoint;
use crate::definition::TableDefinition;
use crate::leaf::{CommitLeaf, Leaf};
use crate::note::encode_base64;
use crate::receipt::{Field, Receipt, RowPart};
use crate::row::{OP_DELETE, OP_INSERT, Supersedes};
use crate::value::{format_time, format_value};

impl Receipt {
    /// One JSON object on one line, ended by a newline. Fails where leaf, checkpoint, definition or a value cannot be read.
    pub fn to_json(&self) -> Result<String, FormatError> {
        let checkpoint = Checkpoint::parse(self.checkpoint.text())?;
        let leaf = Leaf::decode(&self.leaf)?;
        let mut out = Json::default();
        out.open();
        out.text("ledger", &checkpoint.origin);
        out.number("size", checkpoint.size);
        out.text("root", &encode_base64(&checkpoint.root));
        out.text("kind", leaf.kind_name());
        out.number("seq", leaf.seq());
        out.text("time", &format_time(leaf.time_us()));
        if let Leaf::Commit(commit) = &leaf {
            out.text("actor", &commit.actor);
            out.number("rows", commit.n_rows);
            if let Some(row) = &self.row {
                put_row(&mut out, commit, row)?;
            }
        }
        out.text("receipt", &self.to_text()?);
        out.close();
        Ok(out.0 + "\n")
    }
}

fn put_row(out: &mut Json, commit: &CommitLeaf, row: &RowPart) -> Result<(), FormatError> {
    let table = TableDefinition::parse(&row.definition)?;
    let (span, row_id) = commit.locate(row.index).ok_or_else(|| FormatError::new("receipt", format!("has no row {}", row.index)))?;
    out.name("row");
    out.open();
    out.text("schema", &table.schema);
    out.text("table", &table.name);
    out.number("row_id", row_id);
    out.text(
        "operation",
        match row.header.op {
            OP_INSERT => "insert",
            OP_DELETE => "delete",
            _ => "update",
        },
    );
    match row.header.supersedes {
        Supersedes::None => {}
        Supersedes::Row(old) => out.number("supersedes", old),
        Supersedes::Own(ordinal) => out.number("supersedes", span.first_row.saturating_add(ordinal)),
    }
    out.name("fields");
    out.0.push('[');
    for (field, column) in row.fields.iter().zip(&table.columns) {
        out.item();
        out.open();
        out.text("column", &column.name);
        out.text("type", &column.type_name);
        match field {
            Field::Hidden(commitment) => out.text("hidden", &encode_base64(commitment)),
            Field::Erased(commitment) => out.text("erased", &encode_base64(commitment)),
            Field::Shown { value: None, .. } => out.null("value"),
            // Texts as they are; all else as a verifier spells it.
            Field::Shown { value: Some(bytes), .. } => match (column.oid, str::from_utf8(bytes)) {
                (25 | 114 | 1042 | 1043 | 3802, Ok(text)) => out.text("value", text),
                _ => out.text("value", &format_value(column.oid, bytes)?),
            },
        }
        out.close();
    }
    out.0.push(']');
    out.close();
    Ok(())
}

/// JSON in the making: a comma goes before whatever does not come first.
#[derive(Default)]
struct Json(String);

impl Json {
    fn open(&mut self) {
        self.0.push('{');
    }

    fn close(&mut self) {
        self.0.push('}');
    }

    fn item(&mut self) {
        if !self.0.ends_with(['{', '[']) {
            self.0.push(',');
        }
    }

    fn name(&mut self, name: &str) {
        self.item();
        self.string(name);
        self.0.push(':');
    }

    fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        self.string(text);
    }

    fn number(&mut self, name: &str, number: u64) {
        self.name(name);
        self.0.push_str(&number.to_string());
    }

    fn null(&mut self, name: &str) {
        self.name(name);
        self.0.push_str("null");
    }

    fn string(&mut self, text: &str) {
        self.0.push('"');
        for c in text.chars() {
            match c {
                '"' | '\\' => self.0.extend(['\\', c]),
                '\n' => self.0.push_str("\\n"),
                // Writing to a String cannot fail.
                c if u32::from(c) < 0x20 || ('\u{7f}'..='\u{9f}').contains(&c) => drop(write!(self.0, "\\u{:04x}", u32::from(c))),
                c => self.0.push(c),
            }
        }
        self.0.push('"');
    }
}
