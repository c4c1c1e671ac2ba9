//! CREATE, ALTER, DROP and COMMENT ON PROPERTY GRAPH, as PostgreSQL 19 has them, and `IF NOT EXISTS`, `EXCEPT (…)`.
//!
//! D1: what begins like one of these statements and is not exactly one is a syntax error at the first token that does not fit.
//! Never: looks anything up.

use base::{SqlError, SqlResult, SqlState};
use sqlparser::ast::{Expr, Ident, ObjectName, SelectItem};
use sqlparser::tokenizer::{Span, Token, TokenWithSpan};

use super::pattern::name;
use super::reader::Reader;

/// A statement about property graphs.
#[derive(Clone, Debug)]
pub(crate) enum GraphCommand {
    Create { name: ObjectName, if_not_exists: bool, elements: Vec<ElementTable> },
    Alter { name: ObjectName, if_exists: bool, change: Change },
    Drop { names: Vec<ObjectName>, if_exists: bool, cascade: bool },
    Comment { name: ObjectName, text: Option<String> },
}

/// What ALTER PROPERTY GRAPH does.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Add(Vec<ElementTable>),
    DropTables { edges: bool, aliases: Vec<Ident>, cascade: bool },
    AddLabels { element: ElementName, labels: Vec<LabelClause> },
    DropLabel { element: ElementName, label: Ident, cascade: bool },
    AddProperties { element: ElementName, label: Ident, properties: Properties },
    DropProperties { element: ElementName, label: Ident, names: Vec<Ident>, cascade: bool },
    Rename(Ident),
    SetSchema(Ident),
}

/// `VERTEX TABLE alias` or `EDGE TABLE alias`
#[derive(Clone, Debug)]
pub(crate) struct ElementName {
    pub(crate) edge: bool,
    pub(crate) alias: Ident,
}

/// A table of vertices or edges.
#[derive(Clone, Debug)]
pub(crate) struct ElementTable {
    pub(crate) relation: ObjectName,
    pub(crate) alias: Option<Ident>,
    pub(crate) key: Option<Vec<Ident>>,
    /// Source and destination of an edge.
    pub(crate) ends: Option<[End; 2]>,
    /// None: the default label with all columns.
    pub(crate) labels: Vec<LabelClause>,
    pub(crate) span: Span,
}

/// `KEY (columns) REFERENCES vertex (references)`, or `vertex` alone.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) columns: Option<Vec<Ident>>,
    pub(crate) vertex: Ident,
    pub(crate) references: Option<Vec<Ident>>,
}

/// A label and its properties.
#[derive(Clone, Debug)]
pub(crate) struct LabelClause {
    /// `None`: the element's alias.
    pub(crate) name: Option<Ident>,
    pub(crate) properties: Properties,
}

/// Which properties a label has.
#[derive(Clone, Debug)]
pub(crate) enum Properties {
    AllColumns { except: Vec<Ident> },
    List(Vec<(Expr, Option<Ident>)>),
    None,
}

impl GraphCommand {
    /// The command tag.
    pub(crate) fn tag(&self) -> &'static str {
        match self {
            Self::Create { .. } => "CREATE PROPERTY GRAPH",
            Self::Alter { .. } => "ALTER PROPERTY GRAPH",
            Self::Drop { .. } => "DROP PROPERTY GRAPH",
            Self::Comment { .. } => "COMMENT",
        }
    }
}

/// Reads a statement of this grammar from its visible tokens; `None` for any other (D1).
pub(crate) fn recognise(sql: &str, tokens: &[TokenWithSpan]) -> Option<SqlResult<GraphCommand>> {
    let mut reader = Reader::new(sql, tokens, None);
    let read = statement(&mut reader)?;
    Some(read(&mut reader).and_then(|command| reader.end().map(|()| command)))
}

type Read = fn(&mut Reader<'_>) -> SqlResult<GraphCommand>;

fn statement(reader: &mut Reader<'_>) -> Option<Read> {
    const HEADS: &[(&[&str], Read)] = &[
        (&["create", "property", "graph"], create),
        (&["create", "temp", "property", "graph"], |_| Err(SqlError::unsupported("a temporary property graph"))),
        (&["create", "temporary", "property", "graph"], |_| Err(SqlError::unsupported("a temporary property graph"))),
        (&["create", "unlogged", "property", "graph"], |_| {
            Err(SqlError::new(SqlState::SYNTAX_ERROR, "property graphs cannot be unlogged because they do not have storage"))
        }),
        (&["alter", "property", "graph"], alter),
        (&["drop", "property", "graph"], drop_graph),
        (&["comment", "on", "property", "graph"], comment),
    ];
    HEADS.iter().find(|(head, _)| reader.take_words(head)).map(|(_, read)| *read)
}

fn create(reader: &mut Reader<'_>) -> SqlResult<GraphCommand> {
    let if_not_exists = reader.take_words(&["if", "not", "exists"]);
    let name = name(reader)?;
    Ok(GraphCommand::Create { name, if_not_exists, elements: element_tables(reader)? })
}

/// `[VERTEX TABLES (…)] [EDGE TABLES (…)]`
fn element_tables(reader: &mut Reader<'_>) -> SqlResult<Vec<ElementTable>> {
    let mut elements = Vec::new();
    if reader.take_words(&["vertex", "tables"]) || reader.take_words(&["node", "tables"]) {
        elements.extend(reader.enclosed(|reader| element_table(reader, false))?);
    }
    if reader.take_words(&["edge", "tables"]) || reader.take_words(&["relationship", "tables"]) {
        elements.extend(reader.enclosed(|reader| element_table(reader, true))?);
    }
    Ok(elements)
}

fn element_table(reader: &mut Reader<'_>, edge: bool) -> SqlResult<ElementTable> {
    let span = reader.span();
    let relation = name(reader)?;
    let alias = if reader.take_word("as") { Some(reader.ident()?) } else { None };
    let key = if reader.take_word("key") { Some(reader.enclosed(Reader::ident)?) } else { None };
    let ends = if edge {
        reader.expect_word("source")?;
        let source = end(reader)?;
        reader.expect_word("destination")?;
        Some([source, end(reader)?])
    } else {
        None
    };
    Ok(ElementTable { relation, alias, key, ends, labels: labels(reader)?, span })
}

fn end(reader: &mut Reader<'_>) -> SqlResult<End> {
    if !reader.take_word("key") {
        return Ok(End { columns: None, vertex: reader.ident()?, references: None });
    }
    let columns = Some(reader.enclosed(Reader::ident)?);
    reader.expect_word("references")?;
    let vertex = reader.ident()?;
    let references = if reader.peek() == Some(&Token::LParen) { Some(reader.enclosed(Reader::ident)?) } else { None };
    Ok(End { columns, vertex, references })
}

/// One properties clause of the default label, or labels with one each.
fn labels(reader: &mut Reader<'_>) -> SqlResult<Vec<LabelClause>> {
    if let Some(properties) = properties(reader)? {
        return Ok(vec![LabelClause { name: None, properties }]);
    }
    let mut labels = Vec::new();
    loop {
        let name = if reader.take_words(&["default", "label"]) {
            None
        } else if reader.take_word("label") {
            Some(reader.ident()?)
        } else {
            return Ok(labels);
        };
        labels.push(LabelClause { name, properties: properties(reader)?.unwrap_or_else(all_columns) });
    }
}

fn all_columns() -> Properties {
    Properties::AllColumns { except: Vec::new() }
}

fn properties(reader: &mut Reader<'_>) -> SqlResult<Option<Properties>> {
    if reader.take_words(&["no", "properties"]) {
        return Ok(Some(Properties::None));
    }
    if !reader.take_word("properties") {
        return Ok(None);
    }
    if reader.take_words(&["are", "all", "columns"]) || reader.take_words(&["all", "columns"]) {
        let except = if reader.take_word("except") { reader.enclosed(Reader::ident)? } else { Vec::new() };
        return Ok(Some(Properties::AllColumns { except }));
    }
    listed(reader).map(Some)
}

/// `(expression [AS name], …)`
fn listed(reader: &mut Reader<'_>) -> SqlResult<Properties> {
    reader.expect(&Token::LParen)?;
    let start = reader.span();
    let items = reader.items()?.into_iter().map(|item| match item {
        SelectItem::UnnamedExpr(expr) => Ok((expr, None)),
        SelectItem::ExprWithAlias { expr, alias } => Ok((expr, Some(alias))),
        _ => {
            let error = SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, "\"*\" in the property list is not supported");
            Err(reader.point_at(error.hint("PROPERTIES ALL COLUMNS has a property for each column."), start))
        }
    });
    let items = items.collect::<SqlResult<Vec<_>>>()?;
    reader.expect(&Token::RParen)?;
    Ok(Properties::List(items))
}

fn alter(reader: &mut Reader<'_>) -> SqlResult<GraphCommand> {
    let if_exists = reader.take_words(&["if", "exists"]);
    let name = name(reader)?;
    let change = if reader.is_word("add") {
        let mut elements = Vec::new();
        while reader.take_word("add") {
            let more = element_tables(reader)?;
            if more.is_empty() {
                return reader.stop();
            }
            elements.extend(more);
        }
        Change::Add(elements)
    } else if reader.take_word("drop") {
        drop_tables(reader)?
    } else if reader.take_word("alter") {
        alter_element(reader)?
    } else if reader.take_words(&["rename", "to"]) {
        Change::Rename(reader.ident()?)
    } else if reader.take_words(&["set", "schema"]) {
        Change::SetSchema(reader.ident()?)
    } else {
        return reader.stop();
    };
    Ok(GraphCommand::Alter { name, if_exists, change })
}

/// Whether EDGE and not VERTEX comes before this word.
fn kind(reader: &mut Reader<'_>, word: &str) -> SqlResult<bool> {
    for (kind, edge) in [("vertex", false), ("node", false), ("edge", true), ("relationship", true)] {
        if reader.take_words(&[kind, word]) {
            return Ok(edge);
        }
    }
    reader.stop()
}

/// CASCADE; RESTRICT is the default.
fn cascade(reader: &mut Reader<'_>) -> bool {
    reader.take_one(&["cascade", "restrict"]) == Some("cascade")
}

fn drop_tables(reader: &mut Reader<'_>) -> SqlResult<Change> {
    let edges = kind(reader, "tables")?;
    let aliases = reader.enclosed(Reader::ident)?;
    Ok(Change::DropTables { edges, aliases, cascade: cascade(reader) })
}

fn alter_element(reader: &mut Reader<'_>) -> SqlResult<Change> {
    let edge = kind(reader, "table")?;
    let element = ElementName { edge, alias: reader.ident()? };
    if reader.take_words(&["drop", "label"]) {
        let label = reader.ident()?;
        return Ok(Change::DropLabel { element, label, cascade: cascade(reader) });
    }
    if reader.take_words(&["alter", "label"]) {
        let label = reader.ident()?;
        if reader.take_words(&["add", "properties"]) {
            return Ok(Change::AddProperties { element, label, properties: listed(reader)? });
        }
        if !reader.take_words(&["drop", "properties"]) {
            return reader.stop();
        }
        let names = reader.enclosed(Reader::ident)?;
        return Ok(Change::DropProperties { element, label, names, cascade: cascade(reader) });
    }
    let mut labels = Vec::new();
    while reader.take_words(&["add", "label"]) {
        let name = Some(reader.ident()?);
        labels.push(LabelClause { name, properties: properties(reader)?.unwrap_or_else(all_columns) });
    }
    if labels.is_empty() { reader.stop() } else { Ok(Change::AddLabels { element, labels }) }
}

fn drop_graph(reader: &mut Reader<'_>) -> SqlResult<GraphCommand> {
    let if_exists = reader.take_words(&["if", "exists"]);
    let mut names = vec![name(reader)?];
    while reader.take(&Token::Comma) {
        names.push(name(reader)?);
    }
    Ok(GraphCommand::Drop { names, if_exists, cascade: cascade(reader) })
}

fn comment(reader: &mut Reader<'_>) -> SqlResult<GraphCommand> {
    let name = name(reader)?;
    reader.expect_word("is")?;
    let text = if reader.take_word("null") { None } else { Some(reader.string()?) };
    Ok(GraphCommand::Comment { name, text })
}
