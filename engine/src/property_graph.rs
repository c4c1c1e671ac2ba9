//! Definitions of property graphs: which relations hold vertices and edges, and their labels and properties.
//!
//! N1: a graph keeps no row; columns are named by their present names, and whoever renames one renames it here as well.
//! N2: the expression of a property is opaque text: whoever defines it reads it.
//! N3: vertices come before edges, and an edge's ends are aliases of vertices of the same graph.
//! Never: reads a table.
//! Format: docs/formats/leaf.md, «definitions of sequences, views, property graphs and schemas».

use base::SqlResult;
use serde_json::{Value, json};

use crate::rules::{number, put, text};
use crate::schema::unreadable;
use crate::types::SqlType;

/// A property of a label at one element table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GraphProperty {
    /// Its name; the same name has the same type throughout a graph.
    pub name: String,
    /// SQL over the element table's columns, which stand unqualified in it (N2).
    pub expression: String,
    /// The columns that it mentions, in the order of their names.
    pub columns: Vec<String>,
    /// Its type.
    pub sql_type: SqlType,
}

/// A label of an element table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GraphLabel {
    /// Its name.
    pub name: String,
    /// In the order they were declared.
    pub properties: Vec<GraphProperty>,
}

/// One end of an edge: `columns` of the edge table equal `references` of the vertex table, pairwise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GraphEnd {
    /// Alias of the vertex table.
    pub vertex: String,
    /// Of the edge's relation; at least one.
    pub columns: Vec<String>,
    /// Of the vertex's relation; as many.
    pub references: Vec<String>,
}

/// Both ends of an edge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GraphEnds {
    /// Where edges begin.
    pub source: GraphEnd,
    /// Where they end.
    pub destination: GraphEnd,
}

/// A table or view whose rows are vertices or edges.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GraphElement {
    /// Its name within the graph.
    pub alias: String,
    /// Id of the relation.
    pub relation: u32,
    /// Columns whose values tell its rows apart; at least one.
    pub key: Vec<String>,
    /// Of an edge; `None` for a vertex.
    pub ends: Option<GraphEnds>,
    /// At least one.
    pub labels: Vec<GraphLabel>,
}

/// A property graph; see the module.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GraphDef {
    /// Never reused; also its oid.
    pub id: u32,
    /// Schema it lives in.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// N3
    pub elements: Vec<GraphElement>,
    /// COMMENT ON PROPERTY GRAPH.
    pub comment: Option<String>,
}

impl GraphElement {
    /// Whether its rows are edges.
    pub fn is_edge(&self) -> bool {
        self.ends.is_some()
    }

    /// `vertex` or `edge`.
    pub fn kind(&self) -> &'static str {
        if self.is_edge() { "edge" } else { "vertex" }
    }

    /// The property of that name, on whichever label: its expression is the same on all of them.
    pub fn property(&self, name: &str) -> Option<&GraphProperty> {
        self.labels.iter().flat_map(|label| &label.properties).find(|property| property.name == name)
    }

    /// The label of that name.
    pub fn label(&self, name: &str) -> Option<&GraphLabel> {
        self.labels.iter().find(|label| label.name == name)
    }

    fn definition(&self) -> String {
        let property = |property: &GraphProperty| {
            let (oid, typmod) = (property.sql_type.oid(), property.sql_type.typmod());
            format!(
                "{{\"name\":{},\"expression\":{},\"columns\":{},\"type\":{},\"oid\":{oid},\"typmod\":{typmod}}}",
                json!(property.name),
                json!(property.expression),
                json!(property.columns),
                json!(property.sql_type.name())
            )
        };
        let label = |label: &GraphLabel| {
            let properties: Vec<String> = label.properties.iter().map(property).collect();
            format!("{{\"name\":{},\"properties\":[{}]}}", json!(label.name), properties.join(","))
        };
        let end = |end: &GraphEnd| {
            let (vertex, columns) = (json!(end.vertex), json!(end.columns));
            format!("{{\"vertex\":{vertex},\"columns\":{columns},\"references\":{}}}", json!(end.references))
        };
        let labels: Vec<String> = self.labels.iter().map(label).collect();
        let mut out = format!("{{\"alias\":{},\"relation\":{},\"key\":{}", json!(self.alias), self.relation, json!(self.key));
        if let Some(ends) = &self.ends {
            out.push_str(&format!(",\"source\":{},\"destination\":{}", end(&ends.source), end(&ends.destination)));
        }
        out.push_str(&format!(",\"labels\":[{}]}}", labels.join(",")));
        out
    }
}

impl GraphDef {
    /// The element table of that alias.
    pub fn element(&self, alias: &str) -> Option<&GraphElement> {
        self.elements.iter().find(|element| element.alias == alias)
    }

    /// The type of a property, which every label has it with.
    pub fn property_type(&self, name: &str) -> Option<SqlType> {
        self.elements.iter().find_map(|element| element.property(name)).map(|property| property.sql_type)
    }

    /// The canonical definition text.
    pub fn definition(&self) -> String {
        let elements: Vec<String> = self.elements.iter().map(GraphElement::definition).collect();
        let mut out = format!(
            "{{\"kind\":\"property graph\",\"id\":{},\"schema\":{},\"name\":{},\"elements\":[{}]",
            self.id,
            json!(self.schema),
            json!(self.name),
            elements.join(",")
        );
        put(&mut out, "comment", self.comment.as_ref().map(|text| json!(text)));
        out.push('}');
        out
    }

    /// Reads a definition back. Errors: XX001 for text this version cannot have written.
    pub fn from_definition(definition: &str) -> SqlResult<Self> {
        let value: Value = serde_json::from_str(definition).map_err(|error| unreadable(definition, &error.to_string()))?;
        let read = || {
            Some(Self {
                id: number(&value, "id")??,
                schema: text(&value, "schema")??,
                name: text(&value, "name")??,
                elements: value["elements"].as_array()?.iter().map(element).collect::<Option<Vec<_>>>()?,
                comment: text(&value, "comment")?,
            })
        };
        read().filter(Self::is_sound).ok_or_else(|| unreadable(definition, "property graph"))
    }

    /// N3, and what the fields promise.
    fn is_sound(&self) -> bool {
        let edges_last = self.elements.windows(2).all(|pair| pair[0].is_edge() <= pair[1].is_edge());
        let is_vertex = |alias: &str| self.element(alias).is_some_and(|element| !element.is_edge());
        let is_end = |end: &GraphEnd| !end.columns.is_empty() && end.columns.len() == end.references.len() && is_vertex(&end.vertex);
        let is_element = |element: &GraphElement| {
            let has_ends = element.ends.as_ref().is_none_or(|ends| is_end(&ends.source) && is_end(&ends.destination));
            !element.key.is_empty() && !element.labels.is_empty() && has_ends
        };
        edges_last && self.elements.iter().all(is_element)
    }
}

fn names(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|name| name.as_str().map(str::to_owned)).collect()
}

fn element(value: &Value) -> Option<GraphElement> {
    let property = |value: &Value| {
        Some(GraphProperty {
            name: text(value, "name")??,
            expression: text(value, "expression")??,
            columns: names(&value["columns"])?,
            sql_type: SqlType::with_typmod(number(value, "oid")??, value["typmod"].as_i64()?)?,
        })
    };
    let label = |value: &Value| {
        let properties = value["properties"].as_array()?.iter().map(property).collect::<Option<Vec<_>>>()?;
        Some(GraphLabel { name: text(value, "name")??, properties })
    };
    let end = |value: &Value| {
        Some(GraphEnd { vertex: text(value, "vertex")??, columns: names(&value["columns"])?, references: names(&value["references"])? })
    };
    let ends = match &value["source"] {
        Value::Null => None,
        source => Some(GraphEnds { source: end(source)?, destination: end(&value["destination"])? }),
    };
    Some(GraphElement {
        alias: text(value, "alias")??,
        relation: number(value, "relation")??,
        key: names(&value["key"])?,
        ends,
        labels: value["labels"].as_array()?.iter().map(label).collect::<Option<Vec<_>>>()?,
    })
}

#[cfg(test)]
mod tests;
