//! Legal holds: while one is there, nothing of its tables is removed, whatever their retention says.
//!
//! H1: a hold names tables by id, so it outlives their names: a dropped table is held as before.
//! Never: knows whether a row is there.
//! Format: docs/formats/leaf.md, «definitions of sequences, views, property graphs, schemas and holds».

use base::{RelationId, SqlError, SqlResult, SqlState};
use serde_json::{Value, json};

use crate::rules::{number, put, text};

/// `CREATE LEGAL HOLD`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HoldDef {
    /// Never reused.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Tables held (H1), ascending.
    pub tables: Vec<RelationId>,
    /// Why, in the words of whoever set it.
    pub reason: Option<String>,
}

impl HoldDef {
    /// The canonical definition text.
    pub fn definition(&self) -> String {
        let tables: Vec<u32> = self.tables.iter().map(|table| table.0).collect();
        let mut out = format!("{{\"kind\":\"hold\",\"id\":{},\"name\":{},\"tables\":{}", self.id, json!(self.name), json!(tables));
        put(&mut out, "reason", self.reason.as_ref().map(|reason| json!(reason)));
        out.push('}');
        out
    }

    /// Reads a definition back. Errors: XX001 for text this version cannot have written.
    pub fn from_definition(definition: &str) -> SqlResult<Self> {
        let read = || {
            let value: Value = serde_json::from_str(definition).ok()?;
            let table = |id: &Value| id.as_u64().and_then(|id| u32::try_from(id).ok()).map(RelationId);
            Some(Self {
                id: number(&value, "id")??,
                name: text(&value, "name")??,
                tables: value["tables"].as_array()?.iter().map(table).collect::<Option<_>>()?,
                reason: text(&value, "reason")?,
            })
        };
        read().ok_or_else(|| SqlError::new(SqlState::DATA_CORRUPTED, "catalog definition of a hold is unreadable"))
    }
}

/// The error for a hold's name already taken.
pub fn hold_exists(name: &str) -> SqlError {
    SqlError::new(SqlState::DUPLICATE_OBJECT, format!("legal hold \"{name}\" already exists"))
}
