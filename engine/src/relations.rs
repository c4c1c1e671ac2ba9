//! Definitions of sequences and views: relations of the catalog that are no tables.
//!
//! N1: a sequence is a relation of its own with one live row, its state; the definition says how values follow each other.
//! N2: a view's text is opaque: whoever defines it reads it.
//! Never: knows a sequence's present value (`sequences.rs` does).
//! Format: docs/formats/leaf.md, «definitions of sequences, views, property graphs, schemas and holds».

use std::sync::Arc;

use base::{ColumnId, RelationId, SqlResult};
use serde_json::{Value, json};

use crate::rules::{Reads, number, put, read_reads, reads_value, text};
use crate::schema::{ColumnDef, TableDef, unreadable};
use crate::types::SqlType;

/// How a sequence counts; see the module.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SequenceDef {
    /// The relation of its state (N1): `last_value`, `log_cnt`, `is_called`. Its id, schema, name and version are the sequence's.
    pub state: Arc<TableDef>,
    /// smallint, integer or bigint.
    pub sql_type: SqlType,
    /// First value.
    pub start: i64,
    /// Never 0.
    pub increment: i64,
    /// Least value.
    pub min: i64,
    /// Greatest value.
    pub max: i64,
    /// As declared; nothing is kept a session.
    pub cache: i64,
    /// Whether it begins again after its last value.
    pub cycle: bool,
    /// The column it is dropped with.
    pub owner: Option<(RelationId, ColumnId)>,
    /// Whether it is an identity column's.
    pub is_identity: bool,
    /// COMMENT ON SEQUENCE.
    pub comment: Option<String>,
}

/// The columns of a sequence's state.
fn state_columns() -> Vec<ColumnDef> {
    let columns = [("last_value", SqlType::Int8), ("log_cnt", SqlType::Int8), ("is_called", SqlType::Bool)];
    (1..)
        .zip(columns)
        .map(|(id, (name, sql_type))| ColumnDef { id: ColumnId(id), name: name.to_owned(), sql_type, not_null: true })
        .collect()
}

impl SequenceDef {
    /// The relation of a sequence's state. Errors: none for sensible names.
    pub fn state_table(id: RelationId, schema: &str, name: &str, version: u32) -> SqlResult<Arc<TableDef>> {
        TableDef::with_rules(id, schema, name, version, state_columns(), Vec::new(), Default::default()).map(Arc::new)
    }

    /// The sequence's id, also its oid.
    pub fn id(&self) -> u32 {
        self.state.id.0
    }

    /// Its schema.
    pub fn schema(&self) -> &str {
        &self.state.schema
    }

    /// Its bare name.
    pub fn name(&self) -> &str {
        &self.state.name
    }

    /// The canonical definition text: its state's, with how it counts.
    pub fn definition(&self) -> String {
        let mut out = self.state.definition().replacen("\"table\"", "\"sequence\"", 1);
        out.pop();
        put(&mut out, "data_type", Some(json!(self.sql_type.oid())));
        for (name, value) in
            [("start", self.start), ("increment", self.increment), ("min", self.min), ("max", self.max), ("cache", self.cache)]
        {
            put(&mut out, name, Some(json!(value)));
        }
        put(&mut out, "cycle", self.cycle.then_some(Value::Bool(true)));
        put(&mut out, "owner", self.owner.map(|(table, column)| json!([table.0, column.0])));
        put(&mut out, "is_identity", self.is_identity.then_some(Value::Bool(true)));
        put(&mut out, "sequence_comment", self.comment.as_ref().map(|text| json!(text)));
        out.push('}');
        out
    }

    /// Reads a definition back. Errors: XX001 for text this version cannot have written.
    pub fn from_definition(definition: &str) -> SqlResult<Self> {
        let state = Arc::new(TableDef::from_definition(definition)?);
        let value: Value = serde_json::from_str(definition).map_err(|error| unreadable(definition, &error.to_string()))?;
        let read = || {
            let owner = match &value["owner"] {
                Value::Null => None,
                owner => {
                    let part = |at: usize| owner[at].as_u64().and_then(|id| u32::try_from(id).ok());
                    Some((RelationId(part(0)?), ColumnId(part(1)?)))
                }
            };
            Some(Self {
                state,
                sql_type: SqlType::from_oid(number(&value, "data_type")??)?,
                start: value["start"].as_i64()?,
                increment: value["increment"].as_i64().filter(|increment| *increment != 0)?,
                min: value["min"].as_i64()?,
                max: value["max"].as_i64()?,
                cache: value["cache"].as_i64()?,
                cycle: value["cycle"].as_bool().unwrap_or(false),
                owner,
                is_identity: value["is_identity"].as_bool().unwrap_or(false),
                comment: text(&value, "sequence_comment")?,
            })
        };
        read().ok_or_else(|| unreadable(definition, "sequence"))
    }
}

/// A column of a view.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ViewColumn {
    /// Its name.
    pub name: String,
    /// Its type when the view was made.
    pub sql_type: SqlType,
    /// SQL text of what a row that is written through the view without it has there.
    pub default: Option<String>,
    /// COMMENT ON COLUMN.
    pub comment: Option<String>,
}

/// What a view demands of rows that are written through it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CheckOption {
    /// That the view itself shows them.
    Local,
    /// That it and the views beneath it do.
    Cascaded,
}

impl CheckOption {
    /// `local` or `cascaded`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Cascaded => "cascaded",
        }
    }

    /// The option of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Local, Self::Cascaded].into_iter().find(|option| option.name() == name)
    }
}

/// A stored query; see the module.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ViewDef {
    /// Never reused; also its oid.
    pub id: u32,
    /// Schema it lives in.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// In order.
    pub columns: Vec<ViewColumn>,
    /// The query (N2); every table in it is named with its schema.
    pub query: String,
    /// What it reads: relation, and the columns it mentions or `None` for all.
    pub reads: Reads,
    /// COMMENT ON VIEW.
    pub comment: Option<String>,
    /// Who reads it opens what it reads, not its owner.
    pub security_invoker: bool,
    /// `WITH CHECK OPTION`
    pub check_option: Option<CheckOption>,
}

impl ViewDef {
    /// The canonical definition text.
    pub fn definition(&self) -> String {
        let columns: Vec<String> = self
            .columns
            .iter()
            .map(|column| {
                let (oid, typmod) = (column.sql_type.oid(), column.sql_type.typmod());
                let mut out = format!(
                    "{{\"name\":{},\"type\":{},\"oid\":{oid},\"typmod\":{typmod}",
                    json!(column.name),
                    json!(column.sql_type.name())
                );
                put(&mut out, "default", column.default.as_ref().map(|text| json!(text)));
                put(&mut out, "comment", column.comment.as_ref().map(|text| json!(text)));
                out.push('}');
                out
            })
            .collect();
        let mut out = format!(
            "{{\"kind\":\"view\",\"id\":{},\"schema\":{},\"name\":{},\"columns\":[{}],\"query\":{},\"reads\":{}",
            self.id,
            json!(self.schema),
            json!(self.name),
            columns.join(","),
            json!(self.query),
            reads_value(&self.reads)
        );
        put(&mut out, "comment", self.comment.as_ref().map(|text| json!(text)));
        put(&mut out, "security_invoker", self.security_invoker.then_some(json!(true)));
        put(&mut out, "check_option", self.check_option.map(|option| json!(option.name())));
        out.push('}');
        out
    }

    /// Reads a definition back. Errors: XX001 for text this version cannot have written.
    pub fn from_definition(definition: &str) -> SqlResult<Self> {
        let value: Value = serde_json::from_str(definition).map_err(|error| unreadable(definition, &error.to_string()))?;
        let column = |column: &Value| {
            let (oid, typmod) = (number(column, "oid")??, column["typmod"].as_i64()?);
            Some(ViewColumn {
                name: text(column, "name")??,
                sql_type: SqlType::with_typmod(oid, typmod)?,
                default: text(column, "default")?,
                comment: text(column, "comment")?,
            })
        };
        let check_option = |value: &Value| match text(value, "check_option")? {
            None => Some(None),
            Some(name) => CheckOption::named(&name).map(Some),
        };
        let read = || {
            Some(Self {
                id: number(&value, "id")??,
                schema: text(&value, "schema")??,
                name: text(&value, "name")??,
                columns: value["columns"].as_array()?.iter().map(column).collect::<Option<Vec<_>>>()?,
                query: text(&value, "query")??,
                reads: read_reads(&value["reads"])?,
                comment: text(&value, "comment")?,
                security_invoker: value["security_invoker"].as_bool().unwrap_or(false),
                check_option: check_option(&value)?,
            })
        };
        read().ok_or_else(|| unreadable(definition, "view"))
    }
}
