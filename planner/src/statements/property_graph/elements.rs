//! Element tables: their alias, key and ends, named or inferred from primary and foreign keys.
//!
//! L1: errors point at the element table.
//! Never: reads a row: that a key is unique and that every edge has its vertices is the tables' own matter.

use base::{SqlError, SqlResult, SqlState};
use engine::{GraphDef, GraphElement, GraphEnd, GraphEnds, Object, SqlType, TEMPORARY_SCHEMA};

use super::super::Execution;
use super::{folded, properties, undefined};
use crate::graph_syntax::{ElementTable, End};
use crate::names::{Name, fold};
use crate::resolver::undefined_table;

/// What asks for an element: errors about the vertices of an edge differ.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Create,
    Alter,
}

/// The name of an element within its graph.
pub(super) fn alias(table: &ElementTable, database: &str) -> SqlResult<String> {
    match &table.alias {
        Some(alias) => Ok(fold(alias)),
        None => Ok(Name::of(&table.relation, database)?.name),
    }
}

/// A relation that holds elements.
pub(super) struct Relation {
    pub(super) id: u32,
    pub(super) name: String,
    pub(super) columns: Vec<(String, SqlType)>,
    pub(super) object: Object,
}

impl Relation {
    /// Errors: 42809 for what is neither table nor view.
    fn of(object: &Object) -> SqlResult<Self> {
        let columns = match object {
            Object::Table(table) => table.columns.iter().map(|column| (column.name.clone(), column.sql_type)).collect(),
            Object::View(view) => view.columns.iter().map(|column| (column.name.clone(), column.sql_type)).collect(),
            other => {
                let message = format!("\"{}\" is not a table", other.name());
                return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message).hint("Vertices and edges are rows of tables and views."));
            }
        };
        Ok(Self { id: object.id(), name: object.name().to_owned(), columns, object: object.clone() })
    }

    pub(super) fn by_id(execution: &Execution<'_>, id: u32) -> SqlResult<Self> {
        let catalog = execution.transaction.catalog();
        Self::of(catalog.object(id).ok_or_else(|| undefined_table(&format!("with OID {id}")))?)
    }

    fn type_of(&self, column: &str) -> Option<SqlType> {
        self.columns.iter().find(|(name, _)| name == column).map(|(_, sql_type)| *sql_type)
    }
}

/// An element as it will be written down; `graph` has those before it. Errors: 42P01, 42809, 42P17, 42703, 42601, 42704, 0A000.
pub(super) fn element(execution: &Execution<'_>, graph: &GraphDef, table: &ElementTable, asked: Asked) -> SqlResult<GraphElement> {
    read(execution, graph, table, asked).map_err(|error| execution.parsed.point(error, table.span))
}

fn read(execution: &Execution<'_>, graph: &GraphDef, table: &ElementTable, asked: Asked) -> SqlResult<GraphElement> {
    let scope = execution.fresh_scope();
    let name = Name::of(&table.relation, execution.view.database.name())?;
    let found = scope.relation(&name).filter(|object| object.name() == name.name && object.schema() != Some(engine::LEDGER_SCHEMA));
    let relation = Relation::of(found.ok_or_else(|| undefined_table(&name.shown()))?)?;
    if found.and_then(Object::schema) == Some(TEMPORARY_SCHEMA) {
        return Err(SqlError::unsupported("a temporary table in a property graph").hint("A graph is in the ledger; so must its tables be."));
    }
    let alias = alias(table, execution.view.database.name())?;
    let key = match &table.key {
        Some(columns) => columns_of(&relation, folded(columns))?,
        None => primary_key(&relation, &alias)?,
    };
    let ends = match &table.ends {
        None => None,
        Some([source, destination]) => {
            let vertices = [vertex(graph, &alias, source, ("SOURCE", asked))?, vertex(graph, &alias, destination, ("DESTINATION", asked))?];
            Some(GraphEnds {
                source: end(execution, vertices[0], &relation, &alias, source, "SOURCE")?,
                destination: end(execution, vertices[1], &relation, &alias, destination, "DESTINATION")?,
            })
        }
    };
    let labels = properties::labels(execution, &relation, &alias, &table.labels)?;
    Ok(GraphElement { alias, relation: relation.id, key, ends, labels })
}

fn invalid(message: String) -> SqlError {
    SqlError::new(SqlState("42P17"), message)
}

fn primary_key(relation: &Relation, alias: &str) -> SqlResult<Vec<String>> {
    match &relation.object {
        Object::Table(table) if table.has_lookup() => Ok(table.key_columns().iter().map(|at| table.columns[*at].name.clone()).collect()),
        _ => Err(invalid(format!("no key specified and no suitable primary key exists for definition of element \"{alias}\""))
            .hint("Name the columns that tell its rows apart: KEY (column, …).")),
    }
}

/// Errors: 42703, 42P17 for one named twice.
fn columns_of(relation: &Relation, names: Vec<String>) -> SqlResult<Vec<String>> {
    for (at, name) in names.iter().enumerate() {
        if relation.type_of(name).is_none() {
            let message = format!("column \"{name}\" of relation \"{}\" does not exist", relation.name);
            return Err(SqlError::new(SqlState::UNDEFINED_COLUMN, message));
        }
        if names[..at].contains(name) {
            return Err(invalid("graph key columns list must not contain duplicates".to_owned()));
        }
    }
    Ok(names)
}

/// The vertex at an end of an edge; `side` is SOURCE or DESTINATION.
fn vertex<'a>(graph: &'a GraphDef, alias: &str, end: &End, (side, asked): (&str, Asked)) -> SqlResult<&'a GraphElement> {
    let vertex = fold(&end.vertex);
    match (graph.element(&vertex), asked) {
        (Some(found), _) if !found.is_edge() => Ok(found),
        (_, Asked::Create) => Err(invalid(format!("{} vertex \"{vertex}\" of edge \"{alias}\" does not exist", side.to_lowercase()))),
        (Some(_), Asked::Alter) => {
            let message = format!("element \"{vertex}\" of property graph \"{}\" is not a vertex", graph.name);
            Err(SqlError::new(SqlState::SYNTAX_ERROR, message))
        }
        (None, Asked::Alter) => Err(undefined(format!("property graph \"{}\" has no element with alias \"{vertex}\"", graph.name))),
    }
}

/// One end of an edge.
fn end(execution: &Execution<'_>, found: &GraphElement, edge: &Relation, alias: &str, end: &End, side: &str) -> SqlResult<GraphEnd> {
    let (vertex, key) = (found.alias.clone(), found.key.clone());
    let relation = Relation::by_id(execution, found.relation)?;
    let Some(columns) = &end.columns else {
        let (columns, references) = foreign_key(edge, &relation, alias, side)?;
        return Ok(GraphEnd { vertex, columns, references });
    };
    let references = end.references.as_ref().map_or(key, |names| folded(names));
    if columns.len() != references.len() {
        return Err(invalid(format!("mismatching number of columns in {side} vertex definition of edge \"{alias}\"")));
    }
    let columns = columns_of(edge, folded(columns))?;
    let references = columns_of(&relation, references)?;
    for (column, reference) in columns.iter().zip(&references) {
        let comparable = edge.type_of(column).zip(relation.type_of(reference)).is_some_and(|(one, other)| are_comparable(one, other));
        if !comparable {
            let message = format!("no equality operator exists for {side} key comparison of edge \"{alias}\"");
            return Err(SqlError::new(SqlState::SYNTAX_ERROR, message));
        }
    }
    Ok(GraphEnd { vertex, columns, references })
}

/// The one foreign key from the edge's table to the vertex's.
fn foreign_key(edge: &Relation, vertex: &Relation, alias: &str, side: &str) -> SqlResult<(Vec<String>, Vec<String>)> {
    let wrong = |message: String| {
        SqlError::new(SqlState::SYNTAX_ERROR, message).hint(format!("Name the columns: {side} KEY (…) REFERENCES {} (…).", vertex.name))
    };
    let (Object::Table(table), Object::Table(referenced)) = (&edge.object, &vertex.object) else {
        return Err(wrong(format!("no {side} key specified and no suitable foreign key exists for definition of edge \"{alias}\"")));
    };
    let mut found = table.rules.references.iter().filter(|reference| reference.table == referenced.id);
    let (first, more) = (found.next(), found.next().is_some());
    let Some(reference) = first else {
        return Err(wrong(format!("no {side} key specified and no suitable foreign key exists for definition of edge \"{alias}\"")));
    };
    if more {
        return Err(wrong(format!("more than one suitable foreign key exists for {side} key of edge \"{alias}\"")));
    }
    let names = |table: &engine::TableDef, ids: &[base::ColumnId]| -> Vec<String> {
        ids.iter().filter_map(|id| table.column(*id)).map(|column| column.name.clone()).collect()
    };
    Ok((names(table, &reference.columns), names(referenced, &reference.referenced)))
}

/// Whether `=` compares two types without a cast that somebody would have to write.
fn are_comparable(one: SqlType, other: SqlType) -> bool {
    use SqlType::{AnyNumeric, Bpchar, Date, Float4, Float8, Int2, Int4, Int8, Numeric, Text, Timestamp, Timestamptz, Varchar};
    let family = |sql_type: SqlType| match sql_type {
        Int2 | Int4 | Int8 | Float4 | Float8 | Numeric { .. } | AnyNumeric(_) => 1,
        Text | Varchar(_) | Bpchar(_) => 2,
        Date | Timestamp | Timestamptz => 3,
        _ => 0,
    };
    match (family(one), family(other)) {
        (0, 0) => one.oid() == other.oid() && !matches!(one, SqlType::Json),
        (one, other) => one == other,
    }
}
