//! Reads a table's definition, the JSON text whose hash is under the schema root: names, ids and types of its columns.
//!
//! D1: column ids and names are unique; their order is the committed order of a row's fields.
//! D2: members we do not know are skipped, a member given twice is refused.
//!
//! Never: writes definitions (the engine does).
//! Format: docs/formats/receipt.md.

mod json;

use std::collections::BTreeSet;

use crate::FormatError;
use json::Json;

/// Most columns of a table, as in Postgres.
pub const COLUMNS_MAX: usize = 1600;

/// One column.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ColumnDefinition {
    /// Id within the table, never reused.
    pub id: u32,
    /// Name.
    pub name: String,
    /// Name of its SQL type, for people.
    pub type_name: String,
    /// Oid of its type: what field commitments bind.
    pub oid: u32,
}

/// One version of one table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableDefinition {
    /// Id of the table: the relation of row headers and spans.
    pub id: u32,
    /// Name of its schema.
    pub schema: String,
    /// Name.
    pub name: String,
    /// Version of the definition: the schema version of row headers.
    pub version: u32,
    /// Columns, in committed order.
    pub columns: Vec<ColumnDefinition>,
}

impl TableDefinition {
    /// Reads `{"kind":"table","id":…,"schema":…,"name":…,"version":…,"columns":[{"id":…,"name":…,"type":…,"oid":…},…]}`.
    pub fn parse(definition: &[u8]) -> Result<Self, FormatError> {
        let error = |why: &str| FormatError::new("table definition", why);
        let text = str::from_utf8(definition).map_err(|_| error("is not UTF-8"))?;
        let table = json::parse(text)?;
        if !matches!(text_of(&table, "kind")?.as_str(), "table" | "sequence") {
            return Err(error("is of another kind than table or sequence"));
        }
        let Some(Json::List(list)) = table.member("columns") else { return Err(error("has no list of columns")) };
        if list.len() > COLUMNS_MAX {
            return Err(error("has more than 1600 columns"));
        }
        let columns = list.iter().map(column).collect::<Result<Vec<_>, _>>()?;
        let (ids, names): (BTreeSet<_>, BTreeSet<_>) = columns.iter().map(|column| (column.id, column.name.as_str())).unzip();
        if ids.len() != columns.len() || names.len() != columns.len() {
            return Err(error("has two columns of one id or name"));
        }
        Ok(Self {
            id: number_of(&table, "id")?,
            schema: text_of(&table, "schema")?,
            name: text_of(&table, "name")?,
            version: number_of(&table, "version")?,
            columns,
        })
    }
}

fn column(json: &Json) -> Result<ColumnDefinition, FormatError> {
    Ok(ColumnDefinition {
        id: number_of(json, "id")?,
        name: text_of(json, "name")?,
        type_name: text_of(json, "type")?,
        oid: number_of(json, "oid")?,
    })
}

fn text_of(json: &Json, name: &str) -> Result<String, FormatError> {
    match json.member(name) {
        Some(Json::Text(text)) => Ok(text.clone()),
        _ => Err(FormatError::new("table definition", format!("has no text `{name}`"))),
    }
}

fn number_of(json: &Json, name: &str) -> Result<u32, FormatError> {
    match json.member(name) {
        Some(Json::Number(number)) => u32::try_from(*number).ok(),
        _ => None,
    }
    .ok_or_else(|| FormatError::new("table definition", format!("has no unsigned 32-bit number `{name}`")))
}
